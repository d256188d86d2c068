/* SPDX-License-Identifier: Apache-2.0 */
/* The sweeper: translates touched flows again, credits statistics, expires idle flows, confirms to those who wait. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/clock.h"
#include "ofproto/path/state.h"

enum {
    SWEEP_MS = 500,
    SLICE = 256,              /* Flows under one hold of the lock. */
};

struct path_waiter {
    struct list node;
    struct path *path;
    bool until_idle;          /* path_wait(); false: path_barrier() */
    uint64_t seen_upcalls;
    bool seen_idle;
    void (*done)(void *arg);
    void *arg;
};

static bool renew_one(struct path *path, struct xlate_out *out)
{
    struct cached_flows *index = &path->index;
    struct key key;
    pthread_mutex_lock(&index->lock);
    if (list_is_empty(&index->dirty)) {
        pthread_mutex_unlock(&index->lock);
        return false;
    }
    struct cached_flow *f = LIST_ENTRY(index->dirty.next, struct cached_flow, in_dirty);
    uint64_t id = f->id;
    cached_flows_key(f, &key);
    /* What was counted so far was counted by the old rules. */
    cached_flows_credit(index, f, path_learn_later, path);
    pthread_mutex_unlock(&index->lock);

    struct credits credits;
    rcu_read_lock();
    path_translate(path, &key, out);
    credits_from_effects(&credits, out);
    rcu_read_unlock();
    __atomic_add_fetch(&path->n_retranslated, 1, __ATOMIC_RELAXED);

    pthread_mutex_lock(&index->lock);
    bool there = !list_is_empty(&index->dirty)
                 && LIST_ENTRY(index->dirty.next, struct cached_flow, in_dirty)->id == id;
    if (there && !path_is_stale(path, out)) {
        cached_flows_renew(index, LIST_ENTRY(index->dirty.next, struct cached_flow, in_dirty), out, &credits);
    } else {
        credits_fini(&credits);   /* Deleted or put anew meanwhile, or to be translated once more. */
    }
    pthread_mutex_unlock(&index->lock);
    return true;
}

/* Returns when no flow is dirty. Without datapath or in the hold there is nothing that could be changed. */
static void renew_dirty(struct path *path)
{
    if (__atomic_load_n(&path->hold, __ATOMIC_ACQUIRE)) {
        return;
    }
    struct xlate_out out;
    xlate_out_init(&out);
    while (!__atomic_load_n(&path->stopping, __ATOMIC_RELAXED) && renew_one(path, &out)) {
        continue;
    }
    xlate_out_fini(&out);
}

static void reap_dying(struct path *path)
{
    pthread_mutex_lock(&path->index.lock);
    size_t n = cached_flows_n_dying(&path->index);
    pthread_mutex_unlock(&path->index.lock);
    if (!n) {
        return;
    }
    struct error *e = dp_sync(path->options.dp);
    if (!e) {
        pthread_mutex_lock(&path->index.lock);
        cached_flows_reap(&path->index, n, path_learn_later, path);
        pthread_mutex_unlock(&path->index.lock);
    }
    error_free(e);
}

void path_credit_flows(struct path *path, bool expire)
{
    struct cached_flows *index = &path->index;
    int64_t now = clock_ms();
    pthread_mutex_lock(&index->lock);
    size_t n = index->n_flows;
    int64_t max_idle = path->max_idle_ms;
    /* The fuller the cache, the sooner an idle flow goes. */
    if (n > index->limit / 2) {
        max_idle = n > index->limit - index->limit / 8 ? max_idle / 100 : max_idle / 10;
    }
    for (size_t i = 0; i < n && !list_is_empty(&index->flows); i++) {
        struct cached_flow *f = LIST_ENTRY(list_pop_front(&index->flows), struct cached_flow, in_all);
        list_push_back(&index->flows, &f->in_all);
        cached_flows_credit(index, f, path_learn_later, path);
        if (expire && now - f->used_ms >= max_idle) {
            cached_flows_delete(index, f);
        }
        if (i % SLICE == SLICE - 1) {
            pthread_mutex_unlock(&index->lock);
            pthread_mutex_lock(&index->lock);
        }
    }
    pthread_mutex_unlock(&index->lock);
}

static void sweep(void *path_)
{
    struct path *path = path_;
    if (!__atomic_load_n(&path->hold, __ATOMIC_ACQUIRE)) {
        renew_dirty(path);
        path_credit_flows(path, true);
        reap_dying(path);
    }
    loop_timer_after_ms(&path->sweep_timer, SWEEP_MS);
}

static void renew_in_sweeper(void *path)
{
    renew_dirty(path);
}

void path_dirty_wake(struct path *path)
{
    loop_post(path->sweeper_loop, renew_in_sweeper, path);
}

/* ---- Those who wait ---- */

static void waiter_done(void *waiter_)
{
    struct path_waiter *w = waiter_;
    w->done(w->arg);
    free(w);
}

static bool handler_is_idle(struct path *path, uint64_t *n_upcalls)
{
    struct dp_upcall_stats stats;
    dp_upcall_get_stats(path->options.dp, &stats);
    *n_upcalls = __atomic_load_n(&path->n_upcalls, __ATOMIC_SEQ_CST);
    return !stats.n_waiting && !__atomic_load_n(&path->handler_busy, __ATOMIC_SEQ_CST);
}

static void waiter_step(void *waiter_)
{
    struct path_waiter *w = waiter_;
    struct path *path = w->path;
    renew_dirty(path);
    pthread_mutex_lock(&path->index.lock);
    uint64_t requested = path->index.n_changed + path->index.n_deleted;
    pthread_mutex_unlock(&path->index.lock);
    struct error *e = dp_sync(path->options.dp);
    bool connected = !e;
    error_free(e);
    if (connected) {
        pthread_mutex_lock(&path->index.lock);
        path->synced = requested;
        pthread_mutex_unlock(&path->index.lock);
    }

    if (w->until_idle && connected && !__atomic_load_n(&path->hold, __ATOMIC_ACQUIRE)
        && !__atomic_load_n(&path->stopping, __ATOMIC_RELAXED)) {
        /* Idle twice with a sync between and nothing handled meanwhile: nothing is on its way any more. */
        uint64_t n;
        bool idle = handler_is_idle(path, &n);
        if (!idle || !w->seen_idle || n != w->seen_upcalls) {
            w->seen_idle = idle;
            w->seen_upcalls = n;
            if (!idle) {
                usleep(100);
            }
            loop_post(path->sweeper_loop, waiter_step, w);
            return;
        }
        path_credit_flows(path, false);
    }
    reap_dying(path);
    loop_post(path->options.main_loop, waiter_done, w);
}

static void waiter_start(struct path *path, bool until_idle, void (*done)(void *arg), void *arg)
{
    struct path_waiter *w = xzalloc(sizeof *w);
    w->path = path;
    w->until_idle = until_idle;
    w->done = done;
    w->arg = arg;
    loop_post(path->sweeper_loop, waiter_step, w);
}

/* Changes that touched no flow, or whose flows the datapath has confirmed, need not be waited for: translations under way are
 * checked against them before they leave. */
void path_barrier(struct path *path, void (*done)(void *arg), void *arg)
{
    pthread_mutex_lock(&path->index.lock);
    bool settled = !path->index.n_dirty && path->synced == path->index.n_changed + path->index.n_deleted;
    pthread_mutex_unlock(&path->index.lock);
    if (settled) {
        loop_post(path->options.main_loop, done, arg);
    } else {
        waiter_start(path, false, done, arg);
    }
}

void path_wait(struct path *path, void (*done)(void *arg), void *arg)
{
    waiter_start(path, true, done, arg);
}

void path_sweeper_start(void *path_)
{
    struct path *path = path_;
    loop_timer_init(&path->sweep_timer, path->sweeper_loop, sweep, path);
    loop_timer_after_ms(&path->sweep_timer, SWEEP_MS);
}

void path_sweeper_stop(void *path_)
{
    struct path *path = path_;
    loop_timer_cancel(&path->sweep_timer);
    loop_stop(path->sweeper_loop);
}
