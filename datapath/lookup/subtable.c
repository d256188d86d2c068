/* SPDX-License-Identifier: Apache-2.0 */
/* The hash table of one mask. */
#include "datapath/lookup/subtable.h"

#include <stdlib.h>

#include "datapath/lookup/big.h"
#include "lib/base/alloc.h"
#include "lib/packet/packet.h"
#include "lib/sys/rcu.h"

enum { MIN_BUCKETS = 4 };
#define LANES UINT64_C(0x0001000100010001)

static uint16_t tag_of(uint32_t hash)
{
    return hash >> 16 | 1;
}

static struct bucket_array *array_create(uint32_t n_buckets)
{
    struct bucket_array *a = big_alloc(sizeof *a + n_buckets * sizeof a->buckets[0]);
    a->mask = n_buckets - 1;
    a->overflows = xcalloc(n_buckets, sizeof a->overflows[0]);
    return a;
}

static void array_free(void *a_)
{
    struct bucket_array *a = a_;
    free(a->overflows);
    free(a);
}

struct subtable *subtable_create(const struct mask *mask)
{
    struct subtable *t = xzalloc_aligned(sizeof *t);
    compact_seed();
    compact_init(&t->mask, mask);
    t->full = *mask;
    t->array = array_create(MIN_BUCKETS);
    return t;
}

static void subtable_free(void *t_)
{
    struct subtable *t = t_;
    array_free(t->array);
    free(t);
}

void subtable_destroy(struct subtable *t)
{
    rcu_postpone(subtable_free, t);
}

static void array_insert(struct bucket_array *a, struct flow *f)
{
    uint32_t at = f->hash & a->mask;
    for (;;) {
        struct bucket *b = &a->buckets[at];
        for (unsigned i = 0; i < BUCKET_FLOWS; i++) {
            if (!b->flows[i]) {
                rcu_assign_pointer(b->flows[i], f);
                __atomic_store_n(&b->tags[i], tag_of(f->hash), __ATOMIC_RELEASE);
                return;
            }
        }
        __atomic_store_n(&a->overflows[at], a->overflows[at] + 1, __ATOMIC_RELEASE);
        at = (at + 1) & a->mask;
    }
}

static void array_remove(struct bucket_array *a, struct flow *f)
{
    uint32_t home = f->hash & a->mask, at = home;
    for (;; at = (at + 1) & a->mask) {
        struct bucket *b = &a->buckets[at];
        for (unsigned i = 0; i < BUCKET_FLOWS; i++) {
            if (b->flows[i] == f) {
                __atomic_store_n(&b->tags[i], 0, __ATOMIC_RELEASE);
                rcu_assign_pointer(b->flows[i], NULL);
                for (uint32_t j = home; j != at; j = (j + 1) & a->mask) {
                    __atomic_store_n(&a->overflows[j], a->overflows[j] - 1, __ATOMIC_RELEASE);
                }
                return;
            }
        }
    }
}

static void resize(struct subtable *t, uint32_t n_buckets)
{
    struct bucket_array *old = t->array, *new = array_create(n_buckets);
    for (uint32_t at = 0; at <= old->mask; at++) {
        for (unsigned i = 0; i < BUCKET_FLOWS; i++) {
            if (old->buckets[at].flows[i]) {
                array_insert(new, old->buckets[at].flows[i]);
            }
        }
    }
    rcu_assign_pointer(t->array, new);
    rcu_postpone(array_free, old);
}

void subtable_insert(struct subtable *t, struct flow *f)
{
    uint32_t n_buckets = t->array->mask + 1;
    if (t->n_flows + 1 > n_buckets * 4) {
        resize(t, n_buckets * 2);
    }
    t->n_flows++;
    array_insert(t->array, f);
}

void subtable_remove(struct subtable *t, struct flow *f)
{
    uint32_t n_buckets = t->array->mask + 1;
    array_remove(t->array, f);
    t->n_flows--;
    if (n_buckets > 256 && t->n_flows < n_buckets / 4) {
        resize(t, n_buckets / 4);
    }
}

/* Bits 15, 31, ... of the tag words that hold 'tag'; the lowest one is always right, others are verified anyway. */
static inline uint64_t match_tags(uint64_t word, uint64_t tags)
{
    uint64_t x = word ^ tags;
    return (x - LANES) & ~x & (LANES << 15);
}

/* Words of the same mask are equal? */
static bool words_equal(const struct subtable *t, const struct flow *f, const uint64_t *words)
{
    return !memcmp(f->words, words, t->mask.n * sizeof words[0]);
}

struct flow *subtable_find(const struct subtable *t, uint32_t hash, const uint64_t *words)
{
    const struct bucket_array *a = shared_load(t->array);
    uint32_t at = hash & a->mask;
    for (uint32_t n = 0; n <= a->mask; n++, at = (at + 1) & a->mask) {
        for (unsigned i = 0; i < BUCKET_FLOWS; i++) {
            struct flow *f = shared_load(a->buckets[at].flows[i]);
            if (f && f->hash == hash && __atomic_load_n(&f->live, __ATOMIC_ACQUIRE) && words_equal(t, f, words)) {
                return f;
            }
        }
        if (!__atomic_load_n(&a->overflows[at], __ATOMIC_ACQUIRE)) {
            break;
        }
    }
    return NULL;
}

static inline bool is_hit(const struct subtable *t, const struct flow *f, const struct key *key)
{
    return f && __atomic_load_n(&f->live, __ATOMIC_ACQUIRE) && f->table == t
           && compact_matches(&t->mask, f->words, key);
}

/* The whole search, for what the first pass could not settle. */
static struct flow *search(const struct subtable *t, const struct bucket_array *a, uint32_t hash,
                           const struct key *key)
{
    uint32_t at = hash & a->mask;
    uint16_t tag = tag_of(hash);
    for (uint32_t n = 0; n <= a->mask; n++, at = (at + 1) & a->mask) {
        const struct bucket *b = &a->buckets[at];
        for (unsigned i = 0; i < BUCKET_FLOWS; i++) {
            if (__atomic_load_n(&b->tags[i], __ATOMIC_ACQUIRE) == tag) {
                struct flow *f = shared_load(b->flows[i]);
                if (is_hit(t, f, key)) {
                    return f;
                }
            }
        }
        if (!__atomic_load_n(&a->overflows[at], __ATOMIC_ACQUIRE)) {
            break;
        }
    }
    return NULL;
}

uint32_t subtable_lookup(const struct subtable *t, const struct key *keys, uint32_t todo, struct flow **found)
{
    const struct bucket_array *a = shared_load(t->array);
    uint32_t hashes[BATCH_MAX], hits = 0, again = 0;
    struct flow *candidate[BATCH_MAX];

    for (uint32_t left = todo; left; left &= left - 1) {
        unsigned i = __builtin_ctz(left);
        hashes[i] = compact_hash_key(&t->mask, &keys[i]);
        __builtin_prefetch(&a->buckets[hashes[i] & a->mask]);
    }
    for (uint32_t left = todo; left; left &= left - 1) {
        unsigned i = __builtin_ctz(left);
        uint32_t at = hashes[i] & a->mask;
        const struct bucket *b = &a->buckets[at];
        uint64_t tags = tag_of(hashes[i]) * LANES;
        uint64_t low = match_tags(__atomic_load_n(&b->tag_words[0], __ATOMIC_ACQUIRE), tags);
        uint64_t high = match_tags(__atomic_load_n(&b->tag_words[1], __ATOMIC_ACQUIRE), tags)
                        & UINT64_C(0xffffffff);
        if (!(low | high)) {
            candidate[i] = NULL;
            again |= (uint32_t) !!__atomic_load_n(&a->overflows[at], __ATOMIC_ACQUIRE) << i;
            continue;
        }
        unsigned slot = low ? __builtin_ctzll(low) / 16 : 4 + __builtin_ctzll(high) / 16;
        candidate[i] = shared_load(b->flows[slot]);
        __builtin_prefetch(candidate[i]);
        __builtin_prefetch((const char *) candidate[i] + CACHE_LINE);
    }
    for (uint32_t left = todo; left; left &= left - 1) {
        unsigned i = __builtin_ctz(left);
        if (LIKELY(is_hit(t, candidate[i], &keys[i]))) {
            found[i] = candidate[i];
            hits |= UINT32_C(1) << i;
        } else if (candidate[i]) {
            again |= UINT32_C(1) << i;
        }
    }
    for (uint32_t left = again; left; left &= left - 1) {
        unsigned i = __builtin_ctz(left);
        struct flow *f = search(t, a, hashes[i], &keys[i]);
        if (f) {
            found[i] = f;
            hits |= UINT32_C(1) << i;
        }
    }
    return hits;
}
