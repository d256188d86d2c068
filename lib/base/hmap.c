/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive hash map with chaining, grown by powers of two and never shrunk. */
#include "lib/base/hmap.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

static struct hmap_node **bucket(const struct hmap *m, uint32_t hash)
{
    return &m->buckets[hash & m->mask];
}

static void resize(struct hmap *, uint32_t n_buckets);
static struct hmap_node *first_from(const struct hmap *, size_t bucket_index);

void hmap_init(struct hmap *m)
{
    *m = (struct hmap) { .buckets = &m->one };
}

void hmap_fini(struct hmap *m)
{
    if (m->buckets != &m->one) {
        free(m->buckets);
    }
    hmap_init(m);
}

void hmap_clear(struct hmap *m)
{
    memset(m->buckets, 0, ((size_t) m->mask + 1) * sizeof *m->buckets);
    m->n = 0;
}

void hmap_reserve(struct hmap *m, size_t n)
{
    uint32_t n_buckets = m->mask + 1;
    while (n_buckets < n && n_buckets < UINT32_C(1) << 31) {
        n_buckets *= 2;
    }
    if (n_buckets != m->mask + 1) {
        resize(m, n_buckets);
    }
}

void hmap_insert(struct hmap *m, struct hmap_node *node, uint32_t hash)
{
    /* Small maps hold up to two elements in the one bucket; larger ones one a bucket on average. */
    if (m->n > m->mask + (m->mask == 0) && m->mask < UINT32_MAX / 2) {
        hmap_reserve(m, MAX((size_t) m->n * 2, (size_t) 8));
    }
    struct hmap_node **b = bucket(m, hash);
    node->hash = hash;
    node->next = *b;
    *b = node;
    m->n++;
}

void hmap_remove(struct hmap *m, struct hmap_node *node)
{
    struct hmap_node **p = bucket(m, node->hash);
    while (*p != node) {
        p = &(*p)->next;
    }
    *p = node->next;
    m->n--;
}

void hmap_replace(struct hmap *m, const struct hmap_node *old, struct hmap_node *new)
{
    struct hmap_node **p = bucket(m, old->hash);
    while (*p != old) {
        p = &(*p)->next;
    }
    *new = *old;
    *p = new;
}

struct hmap_node *hmap_first_with_hash(const struct hmap *m, uint32_t hash)
{
    struct hmap_node *node = *bucket(m, hash);
    while (node && node->hash != hash) {
        node = node->next;
    }
    return node;
}

struct hmap_node *hmap_next_with_hash(const struct hmap_node *node)
{
    struct hmap_node *next = node->next;
    while (next && next->hash != node->hash) {
        next = next->next;
    }
    return next;
}

struct hmap_node *hmap_first(const struct hmap *m)
{
    return first_from(m, 0);
}

struct hmap_node *hmap_next(const struct hmap *m, const struct hmap_node *node)
{
    return node->next ? node->next : first_from(m, (size_t) (node->hash & m->mask) + 1);
}

static struct hmap_node *first_from(const struct hmap *m, size_t bucket_index)
{
    for (size_t i = bucket_index; m->n && i <= m->mask; i++) {
        if (m->buckets[i]) {
            return m->buckets[i];
        }
    }
    return NULL;
}

static void resize(struct hmap *m, uint32_t n_buckets)
{
    struct hmap_node **buckets = xcalloc(n_buckets, sizeof *buckets);
    uint32_t mask = n_buckets - 1;
    for (size_t i = 0; i <= m->mask; i++) {
        for (struct hmap_node *node = m->buckets[i], *next; node; node = next) {
            next = node->next;
            struct hmap_node **b = &buckets[node->hash & mask];
            node->next = *b;
            *b = node;
        }
    }
    if (m->buckets != &m->one) {
        free(m->buckets);
    }
    m->one = NULL;
    m->buckets = buckets;
    m->mask = mask;
}
