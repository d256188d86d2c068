/* SPDX-License-Identifier: Apache-2.0 */
/* The upcall path: misses become flows, changes reach the flows they concern, counters come back.
 *
 * What: a handler thread translates what the datapath does not know; a sweeper thread translates again what a change
 * touched, credits statistics, and expires idle flows. Both apply effects in one place (effects.c).
 *
 * Threads: public functions are for the main thread. Callbacks say their own. */
#ifndef OFPROTO_PATH_PATH_H
#define OFPROTO_PATH_PATH_H

#include "ofproto/path/credit.h"

struct dp_client;
struct loop;
struct path;
struct text;

struct path_options {
    struct dp_client *dp;
    struct changes *changes;
    struct view *const *view;              /* The published view: read with rcu_dereference(). */
    struct loop *main_loop;
    bool hold;                             /* Begin in the hold. */
    /* Handler thread, within RCU: a packet for the controllers of packet_in->bridge. Must not wait. */
    void (*packet_in)(const struct effect_packet_in *, const void *frame, size_t n, void *arg);
    /* Main thread: apply a learn action's flow mod. The packet that caused it waits for that. */
    void (*learn)(const struct learn_request *, void *arg);
    void *arg;
};

struct error *path_create(const struct path_options *, struct path **);
void path_destroy(struct path *);          /* Leaves the datapath's flows. */
void path_configure(struct path *, uint32_t flow_limit, uint32_t max_idle_ms);

/* The datapath (re)connected: reads which flows it has and takes them over. *Waits* for the dump. */
void path_resync(struct path *);
/* In the hold nothing is changed, expired, or translated; misses stay pending in the datapath. Leaving it translates everything
 * that was found again. */
void path_set_hold(struct path *, bool hold);

/* Calls 'done(arg)' in the main thread when the datapath has confirmed that no packet can meet what was replaced by the
 * changes made so far: the answer to a barrier. */
void path_barrier(struct path *, void (*done)(void *arg), void *arg);
/* The same when, in addition, no upcall is waiting or under way: "revalidator/wait", deterministic tests. */
void path_wait(struct path *, void (*done)(void *arg), void *arg);
/* Credits everything that the datapath has counted so far. Before statistics are shown and rules expire. */
void path_credit(struct path *);
/* Deletes all cached flows: "revalidator/purge". */
void path_purge(struct path *);
/* A bridge is about to go: no flow, credit or effect will touch its tables afterwards. The view without it must have been
 * published. */
void path_forget_bridge(struct path *, uint16_t bridge_id);
/* Translates and sends a packet-out. 'key' is extracted from the frame; its ingress port is filled in here. */
struct packet_out {
    uint16_t bridge_id;
    ofp_port in_port;
    const struct fields *fields;           /* Metadata, registers, tunnel. */
    const struct ofact_list *actions;
    struct key *key;
    const void *frame;
    size_t n;
};
void path_execute(struct path *, const struct packet_out *);
/* Translates every cached flow again and compares: text of the differences, and how many. "revalidator/audit". */
size_t path_audit(struct path *, struct text *);

struct path_stats {
    size_t n_flows, n_dirty, n_masks, n_dep_lists;
    uint64_t n_upcalls, n_installed, n_deleted, n_changed, n_examined, n_full, n_retranslated, n_executed;
    uint32_t flow_limit, max_idle_ms;
};
void path_get_stats(struct path *, struct path_stats *);

#endif
