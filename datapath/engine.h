/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the datapath: what control thread and workers share.
 *
 * Threads: each member says who writes it. Workers read ports, flows and the ring's 'in' segment within RCU read-side
 * sections; what they replace is freed after a grace period. */
#ifndef DATAPATH_ENGINE_H
#define DATAPATH_ENGINE_H

#include "datapath/lookup/cache.h"
#include "datapath/lookup/flow_table.h"
#include "datapath/port/port.h"
#include "datapath/action/execute.h"
#include "datapath/ring.h"
#include "datapath/server.h"
#include "lib/base/hmap.h"
#include "lib/sys/rcu.h"
#include "lib/sys/thread.h"

enum { ENGINE_MAX_PORTS = 65280, ENGINE_MAX_WORKERS = 64, ENGINE_MAX_RECIRC = 8, ENGINE_FLOW_LIMIT = 200000 };

struct worker;
struct pending;

/* A decoded action list, shared by all flows that have it. Freed after a grace period. */
struct flow_actions {
    struct action_list list;
    bool needs_key;                /* Has ACTION_USERSPACE: runs packet by packet. */
    struct hmap_node node;         /* Control thread. */
    uint32_t refs;
};

/* The producing side of the upcall ring. */
struct ring {
    struct ring_out *out;
    struct ring_in *in;            /* RCU; the control thread writes. NULL: nobody listens. */
    uint64_t head;                 /* Atomic: the next record to be reserved. */
    int out_fd, event_fd;
};

/* Ports by number, RCU. */
struct port_table {
    uint32_t n;
    struct port *ports[];
};

/* Work for a worker, in order. 'run' is called by the worker within no RCU section and must not free; then, if 'finish' is not
 * NULL, that is called by the control thread, which frees. */
struct work {
    struct cds_wfcq_node node;
    void (*run)(struct worker *, struct work *);
    void (*finish)(struct datapath *, struct work *);
    bool urgent;                   /* The control thread is to be woken for 'finish'. */
};

struct flow_index;
struct peers;

struct datapath {
    struct datapath_options options;
    struct ring ring;
    struct flow_table *table;      /* Control thread writes. */
    struct port_table *ports;      /* RCU; control thread writes. */
    uint64_t hash_basis;
    bool hold;                     /* Atomic. */

    /* Control thread. */
    struct loop *loop;
    pthread_t thread;
    struct worker *workers[ENGINE_MAX_WORKERS];
    uint32_t n_workers;
    uint64_t cpu_mask;
    struct flow_index *flows;
    struct peers *peers;
    struct port_env port_env;
    struct hmap port_names;        /* struct port_entry. */
    uint32_t next_port_no, n_ports;
    struct loop_timer tick;
    struct dp_stats retired;       /* Counters of ports and workers that are gone. */
    struct dp_upcall_stats retired_upcalls;

    /* From workers. */
    struct cds_wfcq_head done_head;
    struct cds_wfcq_tail done_tail;
    int done_fd;
    struct loop_watch *done_watch;
};

/* ---- ring.c ---- */
struct error *ring_init(struct ring *);
void ring_fini(struct ring *);
/* For a new peer: a fresh 'in' segment beginning at the next record; '*in_fd' is to be passed and closed. Control thread. */
struct error *ring_attach(struct ring *, int *in_fd);
void ring_detach(struct ring *);
/* Any worker, RCU read side. 'packet' gives the first bytes. ENOTCONN: nobody listens; ENOBUFS: full; 0: done. */
int ring_put(struct ring *, uint64_t id, enum upcall_reason, uint64_t cookie, const struct key *, const struct packet *,
             int64_t now_ms);
/* Wakes the consumer if it sleeps; after a round in which ring_put() succeeded. RCU read side. */
void ring_wake(struct ring *);

/* ---- flow_index.c: control thread ---- */
struct flow_index *flow_index_create(struct datapath *);
void flow_index_destroy(struct flow_index *);
/* Takes what it needs of 'f' (id, slot, seq, key, mask, actions). EALREADY: an older or equal seq, ignored. */
struct error *flow_index_put(struct flow_index *, const struct dp_flow *f, struct flow_actions **actions);
bool flow_index_del(struct flow_index *, uint64_t id, uint64_t seq);
void flow_index_flush(struct flow_index *);
/* The flow of the first occupied slot from '*slot' up, or false. '*slot' is moved behind it. 'f->actions' is lent. */
bool flow_index_next(const struct flow_index *, uint32_t *slot, struct dp_flow *f);
void flow_actions_unref(struct flow_index *, struct flow_actions *);

#endif
