/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a batch: extract, look up, group, act, send. */
#include "datapath/worker.h"

static struct port *port_by_number(const struct worker *w, uint32_t port_no)
{
    const struct port_table *t = shared_load(w->dp->ports);
    return port_no < t->n ? shared_load(t->ports[port_no]) : NULL;
}

void worker_drop(struct worker *w, enum drop reason, uint32_t in_port)
{
    struct port *port = port_by_number(w, in_port);
    if (LIKELY(port != NULL)) {
        port_count(&port_worker_counters(port, w->id)->drops[reason], 1);
    } else {
        worker_count(&w->stats.drops[reason], 1);
    }
}

void worker_credit(struct flow *f, uint64_t packets, uint64_t bytes, uint64_t tcp_flags, int64_t now_ms)
{
    /* One writer at a time: the mask is exact on in_port, and a port has one receiving worker. */
    struct ring_counters *c = f->counters;
    worker_count(&c->packets, packets);
    worker_count(&c->bytes, bytes);
    __atomic_store_n(&c->used_ms, now_ms, __ATOMIC_RELAXED);
    if (tcp_flags & ~c->tcp_flags) {
        __atomic_store_n(&c->tcp_flags, c->tcp_flags | tcp_flags, __ATOMIC_RELAXED);
    }
}

/* Counts the packets of 'which' for their flows and puts those of one action list together in 'group'. */
static uint32_t credit_and_group(struct worker *w, struct packet_batch *b, const struct key *keys,
                                 struct flow **flows, uint32_t which, struct packet **group)
{
    struct flow *flow = NULL;
    uint64_t packets = 0, bytes = 0, flags = 0;
    uint32_t n = 0;
    for (; which; which &= which - 1) {
        unsigned i = __builtin_ctz(which);
        if (flows[i] != flow) {
            if (flow) {
                worker_credit(flow, packets, bytes, flags, w->now_ms);
            }
            flow = flows[i];
            packets = bytes = flags = 0;
        }
        packets++;
        bytes += packet_len(b->p[i]);
        flags |= be16toh(keys[i].l4.tcp_flags);
        group[n++] = b->p[i];
    }
    if (flow) {
        worker_credit(flow, packets, bytes, flags, w->now_ms);
    }
    return n;
}

void worker_run_actions(struct worker *w, const struct action_list *list, const struct key *key,
                        struct packet **packets, uint32_t n)
{
    w->key = key;
    actions_run(&w->sink, list, packets, n);
    w->key = NULL;
}

static void act(struct worker *w, struct packet_batch *b, const struct key *keys, struct flow **flows, uint32_t hits)
{
    while (hits) {
        const struct flow_actions *actions = shared_load(flows[__builtin_ctz(hits)]->actions);
        uint32_t same = hits & -hits;
        for (uint32_t left = actions->needs_key ? 0 : hits; left; left &= left - 1) {
            unsigned i = __builtin_ctz(left);
            same |= (uint32_t) (shared_load(flows[i]->actions) == (void *) actions) << i;
        }
        struct packet *group[BATCH_MAX];
        uint32_t n = credit_and_group(w, b, keys, flows, same, group);
        worker_run_actions(w, &actions->list, &keys[__builtin_ctz(hits)], group, n);
        hits &= ~same;
    }
}

/* Packets that are no Ethernet frame at all are dropped here. */
static void drop_runts(struct worker *w, struct packet_batch *b)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        if (UNLIKELY(b->p[i]->head_len < 14)) {
            worker_drop(w, DROP_MALFORMED_L2, b->p[i]->in_port);
            packet_free(b->p[i]);
        } else {
            b->p[kept++] = b->p[i];
        }
    }
    b->n = kept;
}

void worker_process(struct worker *w, struct packet_batch *b)
{
    struct key keys[BATCH_MAX];
    struct flow *flows[BATCH_MAX];
    uint64_t hashes[BATCH_MAX];

    drop_runts(w, b);
    if (!b->n) {
        return;
    }
    key_extract_batch(b, keys, w->dp->hash_basis);
    for (uint32_t i = 0; i < b->n; i++) {
        hashes[i] = b->p[i]->hash;
        if (!w->cache.off) {
            __builtin_prefetch(&w->cache.sets[hashes[i] & w->cache.mask]);
        }
    }
    uint32_t all = b->n == 32 ? UINT32_MAX : (UINT32_C(1) << b->n) - 1;
    uint32_t hits = flow_cache_lookup(&w->cache, hashes, keys, all, flows);
    worker_count(&w->stats.n_cache_hit, __builtin_popcount(hits));
    if (hits != all) {
        uint64_t probes = 0;
        uint32_t found = flow_table_lookup(w->dp->table, keys, all & ~hits, flows, &probes);
        worker_count(&w->stats.n_probes, probes);
        for (uint32_t left = found; left; left &= left - 1) {
            unsigned i = __builtin_ctz(left);
            __builtin_prefetch(flows[i]->counters, 1);
            flow_cache_insert(&w->cache, hashes[i], flows[i]);
            if (UNLIKELY(w->pending->n_chains)) {
                worker_release_before(w, &keys[i], flows[i]);
            }
        }
        hits |= found;
    }
    worker_count(&w->stats.n_hit, __builtin_popcount(hits));
    act(w, b, keys, flows, hits);
    for (uint32_t left = all & ~hits; left; left &= left - 1) {
        unsigned i = __builtin_ctz(left);
        worker_miss(w, b->p[i], &keys[i]);
    }
}

/* ---- Where packets go ---- */

static struct worker *worker_of(struct action_sink *sink)
{
    return CONTAINER_OF(sink, struct worker, sink);
}

static void flush_slot(struct worker *w, struct tx_slot *slot)
{
    port_tx(slot->port, w->pool, &slot->batch, w->id);
    slot->batch.n = 0;
}

static void sink_output(struct action_sink *sink, uint32_t port_no, struct packet **packets, uint32_t n)
{
    struct worker *w = worker_of(sink);
    struct tx_slot *slot = &w->tx[port_no % WORKER_TX_SLOTS];
    if (slot->batch.n && slot->port_no != port_no) {
        flush_slot(w, slot);
    }
    if (!slot->batch.n) {
        slot->port = port_by_number(w, port_no);
        slot->port_no = port_no;
        if (UNLIKELY(!slot->port)) {
            for (uint32_t i = 0; i < n; i++) {
                worker_drop(w, DROP_PORT_GONE, packets[i]->in_port);
                packet_free(packets[i]);
            }
            return;
        }
        w->tx_used |= UINT64_C(1) << port_no % WORKER_TX_SLOTS;
    }
    for (uint32_t i = 0; i < n; i++) {
        slot->batch.p[slot->batch.n++] = packets[i];
        if (UNLIKELY(slot->batch.n == BATCH_MAX && i + 1 < n)) {
            flush_slot(w, slot);
        }
    }
    if (slot->batch.n == BATCH_MAX) {
        flush_slot(w, slot);
    }
}

static void sink_recirc(struct action_sink *sink, struct packet **packets, uint32_t n)
{
    struct worker *w = worker_of(sink);
    for (uint32_t i = 0; i < n; i++) {
        packets[i]->next = NULL;
        *w->again_end = packets[i];
        w->again_end = &packets[i]->next;
    }
}

static void sink_drop(struct action_sink *sink, enum drop reason, uint32_t in_port)
{
    worker_drop(worker_of(sink), reason, in_port);
}

static void flush_all(struct worker *w)
{
    while (w->tx_used) {
        unsigned i = __builtin_ctzll(w->tx_used);
        w->tx_used &= w->tx_used - 1;
        if (w->tx[i].batch.n) {
            flush_slot(w, &w->tx[i]);
        }
    }
}

/* Takes a list of packets through everything, 32 at a time. */
static void process_list(struct worker *w, struct packet *list)
{
    while (list) {
        struct packet_batch b = { 0 };
        while (list && b.n < BATCH_MAX) {
            b.p[b.n++] = list;
            list = list->next;
        }
        worker_process(w, &b);
    }
}

static void recirculate(struct worker *w)
{
    for (unsigned depth = 0; w->again; depth++) {
        struct packet *list = w->again;
        w->again = NULL;
        w->again_end = &w->again;
        if (depth < ENGINE_MAX_RECIRC) {
            process_list(w, list);
            continue;
        }
        while (list) {
            struct packet *next = list->next;
            worker_drop(w, DROP_RECIRC_LOOP, list->in_port);
            packet_free(list);
            list = next;
        }
    }
}

void worker_finish_round(struct worker *w)
{
    if (UNLIKELY(w->again != NULL)) {
        recirculate(w);
    }
    flush_all(w);
    struct packet *made;
    for (unsigned n = 0; n < PORT_MAX_REINJECTED && (made = port_take_reinjected(w->id)); n++) {
        struct packet_batch b = { .n = 1, .p = { made } };
        worker_process(w, &b);
        recirculate(w);
        flush_all(w);
    }
    if (w->sink.n_made) {
        worker_count(&w->stats.made, w->sink.n_made);
        w->sink.n_made = 0;
    }
    if (w->sink.n_consumed) {
        worker_count(&w->stats.consumed, w->sink.n_consumed);
        w->sink.n_consumed = 0;
    }
    if (UNLIKELY(w->put_records)) {
        w->put_records = false;
        ring_wake(&w->dp->ring);
    }
}

void worker_init_sink(struct worker *w)
{
    w->sink = (struct action_sink) { .pool = w->pool, .output = sink_output, .recirc = sink_recirc,
                                     .userspace = worker_userspace, .drop = sink_drop };
    w->again_end = &w->again;
}
