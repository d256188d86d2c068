/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tables for one writer and any readers under RCU. */
#include "ofproto/table/slots.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

enum { MIN_SLOTS = 4 };

static struct slot_array *new_slots(uint32_t n);
static void put_slot(struct slot_array *, uint32_t hash, void *p);
static struct count_array *new_counts(uint32_t n);
static uint64_t *find_count(struct count_array *, uint32_t hash);
static uint32_t size_for(uint32_t n_live);

void slots_init(struct slots *s)
{
    s->array = new_slots(MIN_SLOTS);
}

void slots_fini(struct slots *s)
{
    free(s->array);
    s->array = NULL;
}

void slots_insert(struct slots *s, uint32_t hash, void *p)
{
    struct slot_array *a = s->array;
    if ((a->n_used + 1) * UINT64_C(4) > (a->mask + UINT64_C(1)) * 3) {
        struct slot_array *larger = new_slots(size_for(a->n_live + 1));
        for (uint32_t i = 0; i <= a->mask; i++) {
            if (a->slots[i].p && a->slots[i].p != SLOT_DEAD) {
                put_slot(larger, a->slots[i].hash, a->slots[i].p);
            }
        }
        rcu_assign_pointer(s->array, larger);
        rcu_postpone(free, a);
        a = larger;
    }
    put_slot(a, hash, p);
}

void slots_replace(struct slots *s, uint32_t hash, const void *old, void *p)
{
    struct slot_array *a = s->array;
    uint32_t i = hash;
    while (a->slots[i & a->mask].p != old) {
        i++;
    }
    if (!p) {
        a->n_live--;
    }
    rcu_set_pointer(&a->slots[i & a->mask].p, p ? p : SLOT_DEAD);
}

void counts_init(struct counts *c)
{
    c->array = new_counts(MIN_SLOTS);
}

void counts_fini(struct counts *c)
{
    free(c->array);
    c->array = NULL;
}

void counts_add(struct counts *c, uint32_t hash)
{
    hash += !hash;
    struct count_array *a = c->array;
    uint64_t *slot = find_count(a, hash);
    if (!*slot && (a->n_used + 1) * UINT64_C(4) > (a->mask + UINT64_C(1)) * 3) {
        uint32_t n_live = 1;
        for (uint32_t i = 0; i <= a->mask; i++) {
            n_live += a->slots[i] >> 32 != 0;
        }
        struct count_array *larger = new_counts(size_for(n_live));
        for (uint32_t i = 0; i <= a->mask; i++) {
            if (a->slots[i] >> 32) {
                *find_count(larger, a->slots[i]) = a->slots[i];
                larger->n_used++;
            }
        }
        rcu_assign_pointer(c->array, larger);
        rcu_postpone(free, a);
        a = larger;
        slot = find_count(a, hash);
    }
    a->n_used += !*slot;
    __atomic_store_n(slot, ((*slot >> 32) + 1) << 32 | hash, __ATOMIC_RELEASE);
}

void counts_remove(struct counts *c, uint32_t hash)
{
    hash += !hash;
    uint64_t *slot = find_count(c->array, hash);
    __atomic_store_n(slot, ((*slot >> 32) - 1) << 32 | hash, __ATOMIC_RELEASE);
}

bool counts_contain(const struct counts *c, uint32_t hash)
{
    hash += !hash;
    const struct count_array *a = rcu_dereference(c->array);
    for (uint32_t i = hash;; i++) {
        uint64_t slot = __atomic_load_n(&a->slots[i & a->mask], __ATOMIC_ACQUIRE);
        if (!slot || (uint32_t) slot == hash) {
            return slot >> 32 != 0;
        }
    }
}

static struct slot_array *new_slots(uint32_t n)
{
    struct slot_array *a = xzalloc(sizeof *a + n * sizeof a->slots[0]);
    a->mask = n - 1;
    return a;
}

static void put_slot(struct slot_array *a, uint32_t hash, void *p)
{
    uint32_t i = hash;
    while (a->slots[i & a->mask].p) {
        i++;
    }
    struct slot *s = &a->slots[i & a->mask];
    __atomic_store_n(&s->hash, hash, __ATOMIC_RELAXED);
    rcu_set_pointer(&s->p, p);
    a->n_used++;
    a->n_live++;
}

static struct count_array *new_counts(uint32_t n)
{
    struct count_array *a = xzalloc(sizeof *a + n * sizeof a->slots[0]);
    a->mask = n - 1;
    return a;
}

/* The slot of 'hash', or the empty one where it belongs. */
static uint64_t *find_count(struct count_array *a, uint32_t hash)
{
    uint32_t i = hash;
    while (a->slots[i & a->mask] && (uint32_t) a->slots[i & a->mask] != hash) {
        i++;
    }
    return &a->slots[i & a->mask];
}

static uint32_t size_for(uint32_t n_live)
{
    uint32_t n = MIN_SLOTS;
    while (n < n_live * UINT64_C(2)) {
        n *= 2;
    }
    return n;
}
