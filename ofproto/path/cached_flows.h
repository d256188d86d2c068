/* SPDX-License-Identifier: Apache-2.0 */
/* The flow index: every flow that the datapath caches, why it is right, and what it counts for (MECHANISMS 5).
 *
 * What: the only writer of datapath flows. A flow is found by id, by (mask, masked key), and by dependency. Distinct
 * dependency lists are kept once. A change marks the flows that it could affect as dirty; the sweeper translates these again.
 *
 * Threads: everything under 'lock', which is held while datapath requests are queued, so that they leave in order.
 *
 * Invariants: I1 a flow is in the datapath, or requested to be, from cached_flows_put() to cached_flows_delete().
 * I2 a (flow, change) pair is examined at least once: flows are inserted first and then checked against the changes
 * since their version, and changes are published first and then run against the index. I3 a slot is free again only
 * after the datapath confirmed the deletion (cached_flows_reap()). */
#ifndef OFPROTO_PATH_CACHED_FLOWS_H
#define OFPROTO_PATH_CACHED_FLOWS_H

#include <pthread.h>

#include "datapath/client.h"
#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "ofproto/path/credit.h"
#include "ofproto/path/family.h"

struct dep_list;

struct cached_flow {
    struct hmap_node by_key;
    struct list in_all;            /* cached_flows.flows, oldest check first. */
    struct list in_deps;           /* dep_list.flows */
    struct list in_dirty;          /* cached_flows.dirty; alone when clean. */
    uint64_t id, seq;
    uint32_t slot;
    struct family_member *member;  /* Its mask. */
    uint64_t *key_words;           /* The masked key: words where the mask has bits, in order. */
    struct action_list actions;
    struct dep_list *deps;         /* NULL: found in the datapath and not translated yet. */
    struct credits credits;
    uint64_t version;
    uint64_t packets, bytes;       /* Credited so far. */
    int64_t created_ms, used_ms;
};

/* A flow that was deleted and whose slot waits for the confirmation. */
struct dying_flow {
    struct list in_dying;
    uint32_t slot;
    uint64_t packets, bytes;
    struct credits credits;
};

struct cached_flows {
    pthread_mutex_t lock;
    struct dp_client *dp;
    struct hmap by_key;
    struct list flows, dirty, dying;
    size_t n_flows, n_dirty;
    struct hmap dep_lists;         /* By content. */
    struct hmap dep_users;         /* dep_t -> dep_lists that have it, or (dep_object()) have one of the object. */
    struct families families;
    uint64_t next_id;
    uint32_t *free_slots;          /* Stack of slots given back. */
    size_t n_free_slots, allocated_free_slots;
    uint32_t next_slot;            /* Never used so far. */
    uint32_t limit;
    uint64_t n_put, n_deleted, n_changed, n_examined, n_full;   /* For upcall/show and coverage. */
};

void cached_flows_init(struct cached_flows *, struct dp_client *);
void cached_flows_fini(struct cached_flows *);   /* Leaves the datapath as it is. */
/* Forgets all flows without a request to the datapath (which lost them, or is to be read again). */
void cached_flows_forget_all(struct cached_flows *);
/* Deletes the flows that depend on 'object' (a dep_object()). */
void cached_flows_delete_by_object(struct cached_flows *, dep_t object);

/* The flow whose mask and masked key a packet with 'key' would meet by 'mask'; NULL if none. */
struct cached_flow *cached_flows_find(struct cached_flows *, const struct key *, const struct mask *);
/* Installs what a translation of 'key' yielded. An equal flow that is there already is put again (which releases
 * waiting packets). NULL: at a bound, forward without caching. Both this and cached_flows_renew() take the contents of
 * 'credits' unless NULL is returned. */
struct cached_flow *cached_flows_put(struct cached_flows *, const struct key *, const struct xlate_out *,
                                   struct credits *, const struct mask *all_bits);
/* Takes over a flow that was found in the datapath; cached_flows_adopted() once after the last. */
void cached_flows_adopt(struct cached_flows *, const struct dp_flow *);
void cached_flows_adopted(struct cached_flows *);
/* What a new translation of a flow yielded: keeps it, changes its actions, or deletes it if its mask no longer holds. */
void cached_flows_renew(struct cached_flows *, struct cached_flow *, const struct xlate_out *, struct credits *);
void cached_flows_delete(struct cached_flows *, struct cached_flow *);
/* The flow's key: masked, zero elsewhere. */
void cached_flows_key(const struct cached_flow *, struct key *);

/* Marks dirty what 'change' could affect; how many are new. */
size_t cached_flows_touch(struct cached_flows *, const struct change *);
void cached_flows_touch_all(struct cached_flows *);

/* Credits what the datapath counted since the last time; '*used' tells whether anything. */
void cached_flows_credit(struct cached_flows *, struct cached_flow *,
                       void (*learn)(const struct learn_request *, void *arg), void *arg);
/* After dp_sync(): credits and frees the flows that were dying when 'n' was read (cached_flows_n_dying()). */
size_t cached_flows_n_dying(const struct cached_flows *);
void cached_flows_reap(struct cached_flows *, size_t n,
                     void (*learn)(const struct learn_request *, void *arg), void *arg);

#endif
