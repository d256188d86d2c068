/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does with packets that need the control plane, and with its answers. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/worker.h"
#include "lib/base/alloc.h"

/* With more chains than this, a put flow releases only the chain of its own key at once; the others have upcalls of
 * their own. */
enum { SCAN_CHAINS = 64 };

/* ---- Misses ---- */

static bool is_held(const struct worker *w)
{
    return __atomic_load_n(&w->dp->hold, __ATOMIC_RELAXED);
}

static void lose(struct worker *w, enum drop reason, uint32_t in_port)
{
    worker_count(&w->stats.n_lost, 1);
    worker_count(reason == DROP_UPCALL_RING_FULL ? &w->stats.n_lost_ring : &w->stats.n_lost_quota, 1);
    worker_drop(w, reason == DROP_PENDING_FULL && is_held(w) ? DROP_HOLD : reason, in_port);
}

/* Frees packets of a chain that ends without being sent. */
static void discard(struct worker *w, struct pending_chain *c, enum drop reason)
{
    bool copy = c->reason != UPCALL_MISS;
    for (struct packet *p = pending_take(w->pending, c), *next; p; p = next) {
        next = p->next;
        if (copy) {
            w->sink.n_consumed++;      /* A copy of what went its way. */
        } else {
            worker_drop(w, reason, p->in_port);
        }
        packet_free(p);
    }
}

/* Puts the chain's record; 0, ENOTCONN or ENOBUFS. */
static int announce(struct worker *w, struct pending_chain *c)
{
    int error = ring_put(&w->dp->ring, c->id, c->reason, c->cookie, &c->key, c->first, w->now_ms);
    if (!error) {
        pending_set_announced(w->pending, c, w->now_ms);
        worker_count(&w->stats.n_records, 1);
        w->put_records = true;
    }
    return error;
}

void worker_miss(struct worker *w, struct packet *p, const struct key *key)
{
    worker_count(&w->stats.n_missed, 1);
    uint64_t hash = pending_key_hash(key);
    struct pending_chain *c = pending_find_key(w->pending, key, hash);
    enum drop why = DROP_PENDING_FULL;
    bool fresh = !c;
    if (!c) {
        c = pending_add(w->pending, key, hash, UPCALL_MISS, 0, w->now_ms, &why);
    }
    if (!c || !pending_append(w->pending, c, p)) {
        if (c && fresh) {
            pending_take(w->pending, c);
        }
        lose(w, why, p->in_port);
        packet_free(p);
        return;
    }
    if (fresh && !is_held(w) && announce(w, c) == ENOBUFS) {
        worker_count(&w->stats.n_lost, 1);
        worker_count(&w->stats.n_lost_ring, 1);
        discard(w, c, DROP_UPCALL_RING_FULL);
    }
}

/* A copy for the control plane. One that fits the record is not kept. */
void worker_userspace(struct action_sink *sink, const struct action *a, const struct packet *p)
{
    struct worker *w = CONTAINER_OF(sink, struct worker, sink);
    const struct key *key = w->key;
    enum drop why = DROP_UPCALL_RING_FULL;
    if (packet_len(p) <= DP_UPCALL_HEADER_BYTES && !p->gso_size) {
        if (!ring_put(&w->dp->ring, 0, a->userspace.reason, a->userspace.cookie, key, p, w->now_ms)) {
            worker_count(&w->stats.n_records, 1);
            w->put_records = true;
            return;
        }
    } else {
        struct pending_chain *c = pending_add(w->pending, key, 0, a->userspace.reason, a->userspace.cookie, w->now_ms,
                                              &why);
        struct packet *copy = c ? packet_clone(sink->pool, p) : NULL;
        if (copy && !copy->gso_size && packet_len(copy) > a->userspace.max_len) {
            packet_truncate(copy, MAX(a->userspace.max_len, 14u));
        }
        if (copy && pending_append(w->pending, c, copy)) {
            sink->n_made++;
            int error = announce(w, c);
            if (!error) {
                return;
            }
            discard(w, c, DROP_UPCALL_RING_FULL);
            sink->n_consumed--;        /* Counted as dropped below instead. */
            sink->n_made--;
            why = DROP_UPCALL_RING_FULL;
        } else if (c) {
            pending_take(w->pending, c);
            why = copy ? DROP_PENDING_FULL : DROP_NO_BUFFER;
            if (copy) {
                packet_free(copy);
            }
        }
    }
    sink->n_made++;
    lose(w, why, p->in_port);
}

/* ---- Answers ---- */

/* Sends the packets of a chain through actions; for a flow's they are credited to it. */
static void run_chain(struct worker *w, struct pending_chain *c, const struct action_list *list, struct flow *f)
{
    struct key key = c->key;
    struct packet *packets[PENDING_KEY_PACKETS];
    uint32_t n = 0;
    uint64_t bytes = 0;
    for (struct packet *p = pending_take(w->pending, c), *next; p; p = next) {
        next = p->next;
        p->next = NULL;
        bytes += packet_len(p);
        packets[n++] = p;
    }
    if (f) {
        worker_credit(f, n, bytes, be16toh(key.l4.tcp_flags), w->now_ms);
    }
    worker_run_actions(w, list, &key, packets, n);
}

static void run_chain_by_flow(struct worker *w, struct pending_chain *c, struct flow *f)
{
    const struct flow_actions *actions = shared_load(f->actions);
    run_chain(w, c, &actions->list, f);
}

void worker_release_before(struct worker *w, const struct key *key, struct flow *f)
{
    struct pending_chain *c = pending_find_key(w->pending, key, pending_key_hash(key));
    if (c) {
        run_chain_by_flow(w, c, f);
    }
}

/* The flow that a waiting chain has by now, or NULL. */
static struct flow *flow_of(struct worker *w, const struct pending_chain *c)
{
    struct flow *found[1];
    uint64_t probes = 0;
    return flow_table_lookup(w->dp->table, &c->key, 1, found, &probes) ? found[0] : NULL;
}

struct release_work {
    struct work work;
    struct key key;
    struct mask mask;
    struct action_list actions;
    bool uncached;
};

static void release_run(struct worker *w, struct work *work)
{
    struct release_work *r = CONTAINER_OF(work, struct release_work, work);
    rcu_read_lock();
    struct pending_chain *c = pending_find_key(w->pending, &r->key, pending_key_hash(&r->key));
    if (c) {
        struct flow *f = r->uncached ? NULL : flow_of(w, c);
        if (r->uncached) {
            run_chain(w, c, &r->actions, NULL);
        } else if (f) {
            run_chain_by_flow(w, c, f);
        } else {
            discard(w, c, DROP_FLOW_DELETED);
        }
    }
    if (!r->uncached && w->pending->n_chains <= SCAN_CHAINS) {
        for (uint32_t i = 0; i < w->pending->n_used && w->pending->n_chains; i++) {
            c = &w->pending->chains[i];
            if (c->id && c->reason == UPCALL_MISS && key_equal_masked(&c->key, &r->key, &r->mask)) {
                struct flow *f = flow_of(w, c);
                if (f) {
                    run_chain_by_flow(w, c, f);
                }
            }
        }
    }
    worker_finish_round(w);
    rcu_read_unlock();
}

static void release_finish(struct datapath *dp, struct work *work)
{
    struct release_work *r = CONTAINER_OF(work, struct release_work, work);
    action_list_fini(&r->actions);
    free(r);
}

void worker_release(struct worker *w, const struct key *key, const struct mask *mask, const struct action_list *actions)
{
    if (!__atomic_load_n(&w->pending->n_chains, __ATOMIC_RELAXED)) {
        return;
    }
    struct release_work *r = xzalloc_aligned(sizeof *r);
    r->work.run = release_run;
    r->work.finish = release_finish;
    r->key = *key;
    r->mask = *mask;
    action_list_init(&r->actions);
    if (actions) {
        r->uncached = true;
        action_list_clone(&r->actions, actions);
    }
    worker_post(w, &r->work);
}

struct execute_work {
    struct work work;
    uint64_t pending_id;
    struct packet *packet;
    struct action_list actions;
};

static void execute_run(struct worker *w, struct work *work)
{
    struct execute_work *x = CONTAINER_OF(work, struct execute_work, work);
    rcu_read_lock();
    if (x->packet) {
        struct key key;
        struct packet *p = x->packet;
        x->packet = NULL;
        worker_count(&w->stats.made, 1);
        if (p->head_len < 14) {
            worker_drop(w, DROP_EXECUTE_ERROR, p->in_port);
            packet_free(p);
        } else {
            key_extract(p, &key, w->dp->hash_basis);
            worker_run_actions(w, &x->actions, &key, &p, 1);
        }
    } else {
        struct pending_chain *c = pending_find_id(w->pending, x->pending_id);
        if (c) {
            run_chain(w, c, &x->actions, NULL);
        }
    }
    worker_finish_round(w);
    rcu_read_unlock();
}

static void execute_finish(struct datapath *dp, struct work *work)
{
    struct execute_work *x = CONTAINER_OF(work, struct execute_work, work);
    action_list_fini(&x->actions);
    free(x);
}

void worker_execute(struct worker *w, uint64_t pending_id, struct packet *p, const struct action_list *actions)
{
    struct execute_work *x = xzalloc(sizeof *x);
    x->work.run = execute_run;
    x->work.finish = execute_finish;
    x->pending_id = pending_id;
    x->packet = p;
    action_list_clone(&x->actions, actions);
    worker_post(w, &x->work);
}

struct drop_work {
    struct work work;
    uint64_t pending_id;
    enum drop reason;
};

static void drop_run(struct worker *w, struct work *work)
{
    struct drop_work *d = CONTAINER_OF(work, struct drop_work, work);
    rcu_read_lock();
    struct pending_chain *c = pending_find_id(w->pending, d->pending_id);
    if (c) {
        discard(w, c, d->reason);
    }
    worker_finish_round(w);
    rcu_read_unlock();
}

static void free_work(struct datapath *dp, struct work *work)
{
    free(work);      /* 'work' is the first member of each. */
}

void worker_drop_pending(struct worker *w, uint64_t pending_id, enum drop reason)
{
    struct drop_work *d = xzalloc(sizeof *d);
    *d = (struct drop_work) { { .run = drop_run, .finish = free_work }, pending_id, reason };
    worker_post(w, &d->work);
}

struct announce_work {
    struct work work;
    bool all;                    /* Also those that were announced to another control plane. */
    bool expire;                 /* Somebody should have answered by now. */
};

static void announce_run(struct worker *w, struct work *work)
{
    rcu_read_lock();
    if (CONTAINER_OF(work, struct announce_work, work)->all) {
        pending_forget_announcements(w->pending);
    }
    while (!is_held(w) && !list_is_empty(&w->pending->unannounced)) {
        if (announce(w, LIST_ENTRY(w->pending->unannounced.next, struct pending_chain, node))) {
            break;
        }
    }
    worker_finish_round(w);
    rcu_read_unlock();
}

void worker_announce(struct worker *w, bool all)
{
    struct announce_work *a = xzalloc(sizeof *a);
    *a = (struct announce_work) { { .run = announce_run, .finish = free_work }, .all = all };
    worker_post(w, &a->work);
}

static void expire(struct worker *w)
{
    struct pending_chain *c;
    rcu_read_lock();
    while ((c = pending_expired(w->pending, w->now_ms))) {
        worker_count(&w->stats.n_expired, 1);
        discard(w, c, DROP_PENDING_TIMEOUT);
    }
    worker_finish_round(w);
    rcu_read_unlock();
}

/* Also announces what found the ring full when a new peer came. */
static void expire_and_announce_run(struct worker *w, struct work *work)
{
    if (CONTAINER_OF(work, struct announce_work, work)->expire) {
        expire(w);
    }
    announce_run(w, work);
}

void worker_expire(struct worker *w)
{
    if (__atomic_load_n(&w->pending->n_chains, __ATOMIC_RELAXED)) {
        struct announce_work *a = xzalloc(sizeof *a);
        *a = (struct announce_work) { { .run = expire_and_announce_run, .finish = free_work },
                                      .expire = w->dp->ring.in != NULL };
        worker_post(w, &a->work);
    }
}

struct fetch_work {
    struct work work;
    uint64_t pending_id;
    struct packet *copy;
    void (*done)(struct datapath *, struct packet *, void *arg);
    void *arg;
};

/* Copies into a packet of the heap: the only allocation of a worker, for a request of the control plane. */
static void fetch_run(struct worker *w, struct work *work)
{
    struct fetch_work *f = CONTAINER_OF(work, struct fetch_work, work);
    struct pending_chain *c = pending_find_id(w->pending, f->pending_id);
    if (c) {
        f->copy = packet_clone(NULL, c->first);
    }
}

static void fetch_finish(struct datapath *dp, struct work *work)
{
    struct fetch_work *f = CONTAINER_OF(work, struct fetch_work, work);
    f->done(dp, f->copy, f->arg);
    free(f);
}

void worker_fetch(struct worker *w, uint64_t pending_id, void (*done)(struct datapath *, struct packet *, void *arg),
                  void *arg)
{
    struct fetch_work *f = xzalloc(sizeof *f);
    *f = (struct fetch_work) { { .run = fetch_run, .finish = fetch_finish, .urgent = true }, pending_id, NULL, done,
                               arg };
    worker_post(w, &f->work);
}
