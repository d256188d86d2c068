/* SPDX-License-Identifier: Apache-2.0 */
/* The exact cache of a worker: from a packet's hash to a flow, set-associative.
 *
 * What: an entry is a piece of the hash and a pointer. A hit is verified against the flow's own mask and words, so nothing
 * has to be invalidated: dead flows fail the test (flow.h). When it does not pay it turns itself off for a while.
 *
 * Threads: of one worker, within RCU read-side sections. */
#ifndef DATAPATH_LOOKUP_CACHE_H
#define DATAPATH_LOOKUP_CACHE_H

#include "datapath/lookup/flow.h"

enum { CACHE_WAYS = 5 };

struct cache_set {
    struct flow *flows[CACHE_WAYS];
    uint32_t tags[CACHE_WAYS];
    uint32_t victim;
} CACHE_ALIGNED;

struct flow_cache {
    struct cache_set *sets;
    uint32_t mask;
    bool off;
    uint32_t n_lookups, n_hits;      /* Since the last judgement. */
};

/* 'n_sets' is a power of two. */
void flow_cache_init(struct flow_cache *, uint32_t n_sets);
void flow_cache_fini(struct flow_cache *);
/* Looks up those of 'todo'; stores what was found and returns the bits of those. */
uint32_t flow_cache_lookup(struct flow_cache *, const uint64_t *hashes, const struct key *keys, uint32_t todo,
                           struct flow **found);
void flow_cache_insert(struct flow_cache *, uint64_t hash, struct flow *);

#endif
