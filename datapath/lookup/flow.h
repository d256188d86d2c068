/* SPDX-License-Identifier: Apache-2.0 */
/* A flow of the datapath, as workers see it.
 *
 * Threads: the control thread makes, changes and removes flows; workers read within an RCU read-side section.
 *
 * Memory: flows come from slabs whose memory never becomes anything else (slab.h), so that a worker's cache may hold a
 * pointer to a flow for ever: it finds a live flow, perhaps another one than before, or a dead one. Since a hit is always
 * verified against mask and words, another live flow that matches is the right one (flows do not overlap).
 *
 * Invariants: L1 'live' is set with release after all other members; L2 a flow that was live is not changed, but for
 * 'actions', until an RCU grace period after it died. */
#ifndef DATAPATH_LOOKUP_FLOW_H
#define DATAPATH_LOOKUP_FLOW_H

#include "datapath/lookup/compact.h"

struct flow_guard;
struct subtable;

/* A pointer that another thread publishes, within an RCU read-side section; inline, unlike liburcu's for programs that are
 * not under its licence. */
#define shared_load(pointer) __atomic_load_n(&(pointer), __ATOMIC_ACQUIRE)

struct flow {
    uint32_t live;                   /* Atomic. */
    uint32_t hash;
    struct subtable *table;
    void *actions;             /* RCU; whose they are is the user's affair. */
    void *counters;                  /* Likewise. */
    union {                          /* Control thread. */
        struct flow_guard *guard;
        struct flow *next;           /* While it waits to be used again. */
    };
    uint64_t words[];                /* As many as the mask has, masked. */
};

#endif
