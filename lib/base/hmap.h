/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive hash map with chaining; the user compares keys. Not for concurrent use: shared maps
 * are liburcu's (lib/sys/rcu.h).
 *
 * Use:   struct thing { struct hmap_node node; char *name; };
 *        HMAP_FOR_EACH_WITH_HASH (t, node, hash_string(name, 0), &map) { ... compare ... } */
#ifndef LIB_BASE_HMAP_H
#define LIB_BASE_HMAP_H

#include "lib/base/types.h"

struct hmap_node {
    struct hmap_node *next;
    uint32_t hash;
};

struct hmap {
    struct hmap_node **buckets;
    struct hmap_node *one;   /* The only bucket of a small map. */
    uint32_t mask;           /* Number of buckets - 1. */
    uint32_t n;
};

void hmap_init(struct hmap *);
/* Frees the map's own memory, not the elements. */
void hmap_fini(struct hmap *);
/* Forgets all elements. */
void hmap_clear(struct hmap *);
void hmap_reserve(struct hmap *, size_t n);
void hmap_insert(struct hmap *, struct hmap_node *, uint32_t hash);
void hmap_remove(struct hmap *, struct hmap_node *);
/* Puts 'new' in the place of 'old', which has the same hash. */
void hmap_replace(struct hmap *, const struct hmap_node *old, struct hmap_node *new);

static inline size_t hmap_count(const struct hmap *m) { return m->n; }
static inline bool hmap_is_empty(const struct hmap *m) { return !m->n; }

/* First node of 'hash', and the next one after 'node' with the same hash; NULL at the end. */
struct hmap_node *hmap_first_with_hash(const struct hmap *, uint32_t hash);
struct hmap_node *hmap_next_with_hash(const struct hmap_node *);
/* Iteration in bucket order; NULL at the end. */
struct hmap_node *hmap_first(const struct hmap *);
struct hmap_node *hmap_next(const struct hmap *, const struct hmap_node *);

#define HMAP_ENTRY(ptr, iter, member)                                                            \
    ((ptr) ? CONTAINER_OF(ptr, __typeof__(*(iter)), member) : NULL)
#define HMAP_FOR_EACH_WITH_HASH(iter, member, hash, map)                                         \
    for (struct hmap_node *h__ = hmap_first_with_hash(map, hash);                                \
         ((iter) = h__ ? CONTAINER_OF(h__, __typeof__(*(iter)), member) : NULL);                 \
         h__ = hmap_next_with_hash(h__))
/* The element may be removed and freed in the body (the next one is taken first). */
#define HMAP_FOR_EACH(iter, member, map)                                                         \
    for (struct hmap_node *h__ = hmap_first(map), *n__ = NULL;                                   \
         h__ ? ((iter) = CONTAINER_OF(h__, __typeof__(*(iter)), member),                         \
                n__ = hmap_next(map, h__), true)                                                 \
             : ((iter) = NULL, false);                                                           \
         h__ = n__)

#endif
