/* SPDX-License-Identifier: Apache-2.0 */
/* The exact cache. */
#include "datapath/lookup/cache.h"

#include <stdlib.h>

#include "datapath/lookup/subtable.h"
#include "lib/base/alloc.h"
#include "lib/packet/packet.h"

/* Judged after so many look-ups; worth it from a quarter of hits; else off for so many. */
enum { TRIAL = 8192, PAUSE = 1 << 18 };

void flow_cache_init(struct flow_cache *c, uint32_t n_sets)
{
    *c = (struct flow_cache) { .sets = xzalloc_aligned(n_sets * sizeof *c->sets), .mask = n_sets - 1 };
}

void flow_cache_fini(struct flow_cache *c)
{
    free(c->sets);
}

static void judge(struct flow_cache *c)
{
    c->off = !c->off && c->n_hits < c->n_lookups / 4;
    c->n_lookups = c->n_hits = 0;
}

static inline struct flow *candidate_of(const struct cache_set *s, uint32_t tag)
{
    for (unsigned i = 0; i < CACHE_WAYS; i++) {
        if (s->tags[i] == tag && s->flows[i]) {
            return s->flows[i];
        }
    }
    return NULL;
}

uint32_t flow_cache_lookup(struct flow_cache *c, const uint64_t *hashes, const struct key *keys, uint32_t todo,
                           struct flow **found)
{
    c->n_lookups += __builtin_popcount(todo);
    if (c->off) {
        if (c->n_lookups >= PAUSE) {
            judge(c);
        }
        return 0;
    }
    struct flow *candidates[BATCH_MAX];
    uint32_t hits = 0;
    for (uint32_t left = todo; left; left &= left - 1) {
        unsigned i = __builtin_ctz(left);
        candidates[i] = candidate_of(&c->sets[hashes[i] & c->mask], hashes[i] >> 32);
        __builtin_prefetch(candidates[i]);
    }
    for (uint32_t left = todo; left; left &= left - 1) {
        unsigned i = __builtin_ctz(left);
        struct flow *f = candidates[i];
        if (LIKELY(f && __atomic_load_n(&f->live, __ATOMIC_ACQUIRE)
                   && compact_matches(&f->table->mask, f->words, &keys[i]))) {
            found[i] = f;
            hits |= UINT32_C(1) << i;
        }
    }
    c->n_hits += __builtin_popcount(hits);
    if (c->n_lookups >= TRIAL) {
        judge(c);
    }
    return hits;
}

void flow_cache_insert(struct flow_cache *c, uint64_t hash, struct flow *f)
{
    if (c->off) {
        return;
    }
    struct cache_set *s = &c->sets[hash & c->mask];
    uint32_t tag = hash >> 32;
    unsigned way = CACHE_WAYS;
    for (unsigned i = 0; i < CACHE_WAYS; i++) {
        if (s->flows[i] && s->tags[i] == tag) {
            way = i;
            break;
        }
        if (!s->flows[i] || !__atomic_load_n(&s->flows[i]->live, __ATOMIC_RELAXED)) {
            way = i;
        }
    }
    if (way == CACHE_WAYS) {
        way = s->victim++ % CACHE_WAYS;
    }
    s->flows[way] = f;
    s->tags[way] = tag;
}
