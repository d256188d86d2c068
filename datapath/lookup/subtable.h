/* SPDX-License-Identifier: Apache-2.0 */
/* All flows of one mask: a hash table of cache-line buckets with lock-free readers.
 *
 * What: a bucket holds six tags and six flows. A flow that finds its bucket full goes to the next one, and every bucket
 * that it was carried over counts that, so a reader stops at the first bucket that nobody overflowed. Growing builds a new
 * array and publishes it.
 *
 * Threads: one writer; readers within RCU sections. */
#ifndef DATAPATH_LOOKUP_SUBTABLE_H
#define DATAPATH_LOOKUP_SUBTABLE_H

#include "datapath/lookup/flow.h"
#include "lib/base/hmap.h"

enum { BUCKET_FLOWS = 6 };

struct bucket {
    union {
        uint16_t tags[8];            /* 0: empty. Only the first six. */
        uint64_t tag_words[2];
    };
    struct flow *flows[BUCKET_FLOWS];
} CACHE_ALIGNED;

struct bucket_array {
    uint32_t mask;                   /* Number of buckets - 1. */
    uint32_t *overflows;             /* One for each bucket: flows carried over it. Atomic. */
    struct bucket buckets[];
};

struct subtable {
    struct compact_mask mask;
    struct bucket_array *array;      /* RCU. */
    /* Control thread. */
    struct hmap_node node;           /* By hash of 'full'. */
    uint32_t n_flows;
    struct mask full;
};

struct subtable *subtable_create(const struct mask *);
/* Frees it after a grace period. It is empty. */
void subtable_destroy(struct subtable *);
/* 'flow->words' and 'flow->hash' are set. */
void subtable_insert(struct subtable *, struct flow *);
void subtable_remove(struct subtable *, struct flow *);
/* The live flow with these words, or NULL. */
struct flow *subtable_find(const struct subtable *, uint32_t hash, const uint64_t *words);

/* Looks up those keys of 'todo' (bit N: keys[N]); stores what was found and returns the bits of those. */
uint32_t subtable_lookup(const struct subtable *, const struct key *keys, uint32_t todo, struct flow **found);

#endif
