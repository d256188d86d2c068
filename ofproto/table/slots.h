/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tables for one writer and any readers under RCU: of pointers (rules by the hash of their match) and of counted hashes.
 *
 * What: open addressing with linear probing, at most three quarters full. A slot only goes from empty to used to dead;
 * growing makes a new array, which replaces the old one whole, so a reader meets each element that stays.
 *
 * Threads: slots_find_*(), counts_contain() under RCU; the others for the writer. */
#ifndef OFPROTO_TABLE_SLOTS_H
#define OFPROTO_TABLE_SLOTS_H

#include "lib/base/types.h"
#include "lib/sys/rcu.h"

struct slot {
    uint32_t hash;
    void *p;                     /* NULL: empty; SLOT_DEAD: was removed. */
};
#define SLOT_DEAD ((void *) 1)

struct slot_array {
    uint32_t mask, n_used, n_live;   /* Used: live and dead. The writer's, except 'mask'. */
    struct slot slots[];
};

struct slots { struct slot_array *array; };

void slots_init(struct slots *);
/* Frees the array at once: nobody reads it any more. */
void slots_fini(struct slots *);
void slots_insert(struct slots *, uint32_t hash, void *p);
/* 'old' is there, with 'hash'; 'p' NULL removes it. */
void slots_replace(struct slots *, uint32_t hash, const void *old, void *p);

/* Iterates over the elements with 'hash': '*i' begins as the hash; NULL at the end. */
static inline void *slots_next(const struct slot_array *a, uint32_t hash, uint32_t *i)
{
    for (;; (*i)++) {
        const struct slot *s = &a->slots[*i & a->mask];
        void *p = rcu_dereference(s->p);
        if (!p) {
            return NULL;
        }
        if (p != SLOT_DEAD && __atomic_load_n(&s->hash, __ATOMIC_RELAXED) == hash) {
            (*i)++;
            return p;
        }
    }
}

/* A multiset of 32-bit hashes. */
struct count_array {
    uint32_t mask, n_used;
    uint64_t slots[];            /* Count << 32 | hash; 0: empty. */
};

struct counts { struct count_array *array; };

void counts_init(struct counts *);
void counts_fini(struct counts *);
void counts_add(struct counts *, uint32_t hash);
void counts_remove(struct counts *, uint32_t hash);
bool counts_contain(const struct counts *, uint32_t hash);

#endif
