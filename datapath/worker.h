/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread that takes batches of packets through receive, look-up, actions and send (DESIGN 4).
 *
 * What: it polls its ports while there is work and sleeps when there is none. It never allocates, locks or logs. What it is told
 * to do besides comes as 'struct work' through its inbox, in order, between batches.
 *
 * Threads: worker_*() here are for the control thread; the functions of worker_miss.c are the worker's own. */
#ifndef DATAPATH_WORKER_H
#define DATAPATH_WORKER_H

#include "datapath/engine.h"
#include "datapath/pending.h"

enum { WORKER_TX_SLOTS = 64, WORKER_CACHE_SETS = 2048, WORKER_MAX_HEADS = 16384, WORKER_MAX_TAILS = 1024,
       WORKER_PORT_FDS = 8 };

/* Written by the worker, relaxed; read by anyone. */
struct worker_stats {
    uint64_t n_hit, n_cache_hit, n_missed, n_lost, n_probes;
    uint64_t made, consumed;
    uint64_t n_records, n_lost_ring, n_lost_quota, n_expired;
    uint64_t drops[DROP_N];            /* Of packets whose ingress port is gone or none. */
};

/* The ports of a worker, replaced as a whole. */
struct worker_port {
    struct port *port;
    int fds[WORKER_PORT_FDS];
    uint32_t n_fds, n_errors;          /* Errors in a row without anything to read. */
    bool source, dummy;
};
struct worker_ports {
    uint32_t n;
    struct worker_port ports[];
};

struct tx_slot {
    struct port *port;                 /* Of this round. */
    uint32_t port_no;
    struct packet_batch batch;
};

struct worker {
    struct datapath *dp;
    uint32_t id;
    struct packet_pool *pool;
    struct flow_cache cache;
    struct action_sink sink;           /* CONTAINER_OF() leads back here. */
    const struct key *key;             /* As it was looked up, of the packet whose actions run one by one. */
    uint64_t tx_used;                  /* Bit N: tx[N] has packets. */
    struct tx_slot tx[WORKER_TX_SLOTS];
    struct packet *again, **again_end; /* Recirculated packets. */
    struct pending *pending;
    struct worker_stats stats;
    int64_t now_ms;
    bool put_records;

    /* Polling. */
    struct worker_ports *ports;
    uint8_t *n_empty;                  /* For each port: rounds without packets. Comes with 'ports'. */
    uint32_t *active;                  /* Indexes of ports that are polled. */
    uint32_t n_active, n_rounds;
    int epoll_fd;

    /* Inbox. */
    struct cds_wfcq_head inbox_head CACHE_ALIGNED;
    struct cds_wfcq_tail inbox_tail CACHE_ALIGNED;
    int event_fd;
    bool sleeping, stop;               /* Atomic. */
    uint64_t n_run;                    /* Atomic: pieces of work done. */
    uint64_t n_posted;                 /* Control thread. */

    pthread_t thread;
    int cpu;                           /* -1: any. */
};

struct error *worker_create(struct datapath *, uint32_t id, int cpu, struct worker **);
/* Ends the thread of a worker that has no ports any more; what waits is dropped. Then its counters are final. */
void worker_stop(struct worker *);
void worker_destroy(struct worker *);
void worker_bind(struct worker *, int cpu);                    /* -1: any CPU. */
struct worker_ports *worker_ports_none(void);
void worker_post(struct worker *, struct work *);
/* Waits until the worker has done all work posted before and passed a quiescent point; frames that wait in dummy ports are
 * handled too. */
void worker_quiesce(struct worker *);
/* Tells it its ports. Takes 'ports'; old lists come back by themselves. */
void worker_set_ports(struct worker *, struct worker_ports *);

/* ---- Work for workers ---- */
/* Runs actions on a heap packet (takes both), or on the chain 'pending_id'. */
void worker_execute(struct worker *, uint64_t pending_id, struct packet *, const struct action_list *);
/* A flow for this key and mask was put: what waits for it goes through it; or, if it could not be put, through 'actions'
 * (else NULL). */
void worker_release(struct worker *, const struct key *, const struct mask *, const struct action_list *actions);
void worker_drop_pending(struct worker *, uint64_t pending_id, enum drop);
/* Announces what waits (again, if 'all'). */
void worker_announce(struct worker *, bool all);
void worker_expire(struct worker *);
/* Calls 'done' in the control thread with a heap copy of the first packet of the chain, which 'done' frees, or NULL. */
void worker_fetch(struct worker *, uint64_t pending_id, void (*done)(struct datapath *, struct packet *, void *arg),
                  void *arg);

/* ---- Of the worker ---- */
static inline void worker_count(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}
/* worker_batch.c */
void worker_init_sink(struct worker *);
void worker_process(struct worker *, struct packet_batch *);   /* Takes the packets through everything. RCU read side. */
/* Runs actions that may look at 'key' (those with ACTION_USERSPACE), on packets that all have it. */
void worker_run_actions(struct worker *, const struct action_list *, const struct key *, struct packet **, uint32_t n);
void worker_finish_round(struct worker *);                     /* Recirculation, sending, waking. RCU read side. */
void worker_drop(struct worker *, enum drop, uint32_t in_port);
void worker_credit(struct flow *, uint64_t packets, uint64_t bytes, uint64_t tcp_flags, int64_t now_ms);
/* worker_miss.c; RCU read side. */
void worker_miss(struct worker *, struct packet *, const struct key *);
void worker_userspace(struct action_sink *, const struct action *, const struct packet *);
/* A flow was found for 'key' while chains wait: its own chain goes first. */
void worker_release_before(struct worker *, const struct key *, struct flow *);

#endif
