/* SPDX-License-Identifier: Apache-2.0 */
/* The set of workers, and sums of what they count. */
#include <errno.h>
#include <unistd.h>

#include "datapath/control.h"
#include "lib/base/error.h"

void workers_drain_done(struct datapath *dp)
{
    struct cds_wfcq_node *node;
    while ((node = cds_wfcq_dequeue_blocking(&dp->done_head, &dp->done_tail))) {
        struct work *work = CONTAINER_OF(node, struct work, node);
        work->finish(dp, work);
    }
}

void workers_quiesce(struct datapath *dp)
{
    for (uint32_t i = 0; i < dp->n_workers; i++) {
        worker_quiesce(dp->workers[i]);
    }
    workers_drain_done(dp);
}

/* The CPU of the N-th worker: the set bits of the mask in turn. */
static int cpu_of(uint64_t cpu_mask, uint32_t worker)
{
    if (!cpu_mask) {
        return -1;
    }
    uint32_t skip = worker % __builtin_popcountll(cpu_mask);
    while (skip--) {
        cpu_mask &= cpu_mask - 1;
    }
    return __builtin_ctzll(cpu_mask);
}

static void retire(struct datapath *dp, const struct worker *w)
{
    struct dp_stats *r = &dp->retired;
    r->n_hit += w->stats.n_hit;
    r->n_cache_hit += w->stats.n_cache_hit;
    r->n_missed += w->stats.n_missed;
    r->n_lost += w->stats.n_lost;
    r->n_mask_probes += w->stats.n_probes;
    r->made += w->stats.made;
    r->consumed += w->stats.consumed;
    for (unsigned i = 0; i < DROP_N; i++) {
        r->drops[i] += w->stats.drops[i];
    }
    dp->retired_upcalls.n_records += w->stats.n_records;
    dp->retired_upcalls.n_lost_ring += w->stats.n_lost_ring;
    dp->retired_upcalls.n_lost_quota += w->stats.n_lost_quota;
    dp->retired_upcalls.n_expired += w->stats.n_expired;
}

/* Ends the workers from number 'from' up; they have no ports any more. */
static void stop_from(struct datapath *dp, uint32_t from)
{
    while (dp->n_workers > from) {
        struct worker *w = dp->workers[--dp->n_workers];
        dp->workers[dp->n_workers] = NULL;
        worker_stop(w);
        workers_drain_done(dp);
        retire(dp, w);
        worker_destroy(w);
    }
}

struct error *workers_set(struct datapath *dp, uint32_t n_workers, uint64_t cpu_mask)
{
    if (!n_workers || n_workers > ENGINE_MAX_WORKERS) {
        return error_new(EINVAL, "datapath: %u workers asked for, must be 1 to %d", n_workers, ENGINE_MAX_WORKERS);
    }
    if (n_workers == dp->n_workers && cpu_mask == dp->cpu_mask) {
        return NULL;
    }
    uint32_t old = dp->n_workers;
    if (cpu_mask != dp->cpu_mask && old) {
        for (uint32_t i = 0; i < old; i++) {
            worker_bind(dp->workers[i], cpu_of(cpu_mask, i));
        }
    }
    dp->cpu_mask = cpu_mask;
    while (dp->n_workers < n_workers) {
        struct error *e = worker_create(dp, dp->n_workers, cpu_of(cpu_mask, dp->n_workers),
                                        &dp->workers[dp->n_workers]);
        if (e) {
            return e;
        }
        dp->n_workers++;
    }
    if (n_workers < old) {
        /* Ports go to the workers that stay before the others end. */
        uint32_t all = dp->n_workers;
        dp->n_workers = n_workers;
        port_set_assign(dp);
        dp->n_workers = all;
        for (uint32_t i = n_workers; i < all; i++) {
            worker_set_ports(dp->workers[i], worker_ports_none());
        }
        workers_quiesce(dp);
        stop_from(dp, n_workers);
    } else {
        port_set_assign(dp);
    }
    return NULL;
}

void workers_stop(struct datapath *dp)
{
    stop_from(dp, 0);
}

struct worker *worker_of_pending(struct datapath *dp, uint64_t pending_id)
{
    uint32_t id = pending_worker(pending_id);
    return id < dp->n_workers ? dp->workers[id] : NULL;
}

static uint64_t load(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void datapath_get_stats(struct datapath *dp, struct dp_stats *s)
{
    *s = dp->retired;
    for (uint32_t i = 0; i < dp->n_workers; i++) {
        const struct worker *w = dp->workers[i];
        s->n_hit += load(&w->stats.n_hit);
        s->n_cache_hit += load(&w->stats.n_cache_hit);
        s->n_missed += load(&w->stats.n_missed);
        s->n_lost += load(&w->stats.n_lost);
        s->n_mask_probes += load(&w->stats.n_probes);
        s->made += load(&w->stats.made);
        s->consumed += load(&w->stats.consumed);
        s->n_pending += __atomic_load_n(&w->pending->n_packets, __ATOMIC_RELAXED);
        for (unsigned j = 0; j < DROP_N; j++) {
            s->drops[j] += load(&w->stats.drops[j]);
        }
    }
    for (struct port *p = port_set_next(dp, 0); p; p = port_set_next(dp, port_number(p) + 1)) {
        struct port_counters c;
        port_get_counters(p, &c);
        s->received += c.rx_packets;
        s->sent += c.tx_packets;
        s->made += c.made;
        for (unsigned j = 0; j < DROP_N; j++) {
            s->drops[j] += c.drops[j];
        }
    }
    s->n_flows = flow_table_n_flows(dp->table);
    s->n_masks = flow_table_n_masks(dp->table);
    s->n_ports = dp->n_ports;
}

void datapath_get_upcall_stats(struct datapath *dp, struct dp_upcall_stats *s)
{
    *s = dp->retired_upcalls;
    for (uint32_t i = 0; i < dp->n_workers; i++) {
        const struct worker *w = dp->workers[i];
        s->n_records += load(&w->stats.n_records);
        s->n_lost_ring += load(&w->stats.n_lost_ring);
        s->n_lost_quota += load(&w->stats.n_lost_quota);
        s->n_expired += load(&w->stats.n_expired);
        s->n_waiting += __atomic_load_n(&w->pending->n_chains, __ATOMIC_RELAXED);
    }
}
