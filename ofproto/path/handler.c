/* SPDX-License-Identifier: Apache-2.0 */
/* The handler: takes upcalls, translates, installs flows, hands packets to controllers. */
#include <stdlib.h>

#include "datapath/client.h"
#include "lib/base/error.h"
#include "lib/base/alloc.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "ofproto/path/state.h"

LOG_MODULE(upcall);

enum {
    UPCALL_BATCH = 32,
    MAX_TRIES = 8,            /* Translations of one packet while the tables change under it. */
};

/* What a translation may un-wildcard at most: the last member of a mask family. Within RCU. */
static void all_bits_of(struct path *path, struct mask *mask)
{
    const struct view *view = rcu_dereference(*path->options.view);
    struct fields wc;
    memset(&wc, 0, sizeof wc);
    for (size_t i = 0; i < view->n_bridges; i++) {
        tables_all_bits(view->bridges[i]->tables, &wc);
    }
    mask->bits = wc.key;
    /* What NORMAL and the parser's layers look at besides rules. */
    mask->bits.l2.dst = mask->bits.l2.src = (struct eth_addr) { { 255, 255, 255, 255, 255, 255 } };
    mask->bits.l2.type = UINT16_MAX;
    mask_seal(mask);
}

static void forward_uncached(struct path *path, const struct dp_upcall *up, const struct xlate_out *out,
                             const struct credits *credits)
{
    credits_apply(credits, 1, up->packet_len, clock_ms(), path_learn_later, path);
    dp_execute(path->options.dp, up->id, &up->key, NULL, 0, &out->actions);
    __atomic_add_fetch(&path->n_executed, 1, __ATOMIC_RELAXED);
}

static void handle_miss(struct path *path, const struct dp_upcall *up, struct xlate_out *out)
{
    for (int try = 0; try < MAX_TRIES; try++) {
        struct credits credits;
        struct mask all_bits;
        struct list learns;
        list_init(&learns);

        rcu_read_lock();
        path_translate(path, &up->key, out);
        if (try < MAX_TRIES - 1) {
            path_apply_once(out);
        }
        if (!try) {
            path_collect_learns(out, &learns);
        }
        credits_from_effects(&credits, out);
        all_bits_of(path, &all_bits);
        rcu_read_unlock();
        path_run_learns(path, &learns, true);

        /* Invariant I2 of the index: what changed since the translation is looked at before the flow leaves. */
        pthread_mutex_lock(&path->index.lock);
        if (try == MAX_TRIES - 1 || !path_is_stale(path, out)) {
            bool stale = path_is_stale(path, out);
            struct cached_flow *f = stale ? NULL
                                          : cached_flows_put(&path->index, &up->key, out, &credits, &all_bits);
            if (!f) {
                forward_uncached(path, up, out, &credits);
                credits_fini(&credits);
            }
            pthread_mutex_unlock(&path->index.lock);
            return;
        }
        pthread_mutex_unlock(&path->index.lock);
        credits_fini(&credits);
    }
}

struct frames {
    struct { void *data; size_t n; } list[64];
    size_t n;
};

static void keep_frame(const void *frame, size_t n, void *frames_)
{
    struct frames *frames = frames_;
    if (frames->n < ARRAY_SIZE(frames->list)) {
        frames->list[frames->n].data = xmemdup(frame, n);
        frames->list[frames->n++].n = n;
    }
}

/* The key was translated once already; the same function finds again what the flow's cookie means. */
static void handle_controller(struct path *path, const struct dp_upcall *up, struct xlate_out *out)
{
    struct frames frames = { .n = 0 };
    if (up->packet_len <= up->n_header && !up->gso_size) {
        keep_frame(up->header, up->packet_len, &frames);
    } else {
        /* Waits for the datapath, so not within RCU. */
        struct error *e = dp_upcall_fetch(path->options.dp, up, keep_frame, &frames);
        if (e) {
            LOG_WARN("upcall: a packet for the controllers is lost: %s", error_text(e));
            error_free(e);
        }
    }
    rcu_read_lock();
    path_translate(path, &up->key, out);
    size_t ordinal = 0;
    for (size_t i = 0; i < out->n_effects; i++) {
        const struct effect *e = &out->effects[i];
        if (e->kind == EFFECT_PACKET_IN && ordinal++ == up->cookie) {
            for (size_t j = 0; j < frames.n; j++) {
                path->options.packet_in(&e->packet_in, frames.list[j].data, frames.list[j].n, path->options.arg);
            }
        }
    }
    rcu_read_unlock();
    for (size_t i = 0; i < frames.n; i++) {
        free(frames.list[i].data);
    }
    if (up->id) {
        dp_upcall_drop(path->options.dp, up, DROP_PACKET_IN);   /* The copy that waited to be fetched. */
    }
}

static void handle_one(struct path *path, const struct dp_upcall *up, struct xlate_out *out)
{
    if (up->reason == UPCALL_MISS) {
        handle_miss(path, up, out);
    } else if (up->reason == UPCALL_CONTROLLER) {
        handle_controller(path, up, out);
    } else {
        dp_upcall_drop(path->options.dp, up, DROP_PACKET_IN);
    }
}

static void handle_again(void *path);

/* The ring wakes us only after it was seen empty: what is left after some rounds is gone on with from the loop,
 * which may have been told to stop. */
static void handle_upcalls(int fd UNUSED, int events UNUSED, void *path_)
{
    struct path *path = path_;
    if (__atomic_load_n(&path->hold, __ATOMIC_ACQUIRE)) {
        return;
    }
    struct dp_upcall *ups = xmalloc(UPCALL_BATCH * sizeof *ups);
    struct xlate_out out;
    xlate_out_init(&out);
    __atomic_store_n(&path->handler_busy, true, __ATOMIC_SEQ_CST);
    size_t n = 0;
    for (int round = 0; round < 8; round++) {
        n = dp_upcall_recv(path->options.dp, ups, UPCALL_BATCH);
        if (!n) {
            break;
        }
        for (size_t i = 0; i < n; i++) {
            handle_one(path, &ups[i], &out);
        }
        __atomic_add_fetch(&path->n_upcalls, n, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&path->handler_busy, false, __ATOMIC_SEQ_CST);
    xlate_out_fini(&out);
    free(ups);
    if (n) {
        loop_post(path->handler_loop, handle_again, path);
    }
}

static void handle_again(void *path)
{
    handle_upcalls(-1, LOOP_READ, path);
}

void path_handler_start(void *path_)
{
    struct path *path = path_;
    loop_watch_destroy(path->upcall_watch);
    path->upcall_watch = NULL;
    bool hold = __atomic_load_n(&path->hold, __ATOMIC_ACQUIRE);
    int fd = dp_upcall_fd(path->options.dp);
    if (!hold && fd >= 0) {
        path->upcall_watch = loop_watch_create(path->handler_loop, fd, LOOP_READ, handle_upcalls, path);
        loop_post(path->handler_loop, handle_again, path);   /* Asks to be woken. */
    }
}

void path_handler_stop(void *path_)
{
    struct path *path = path_;
    loop_watch_destroy(path->upcall_watch);
    path->upcall_watch = NULL;
    loop_stop(path->handler_loop);
}
