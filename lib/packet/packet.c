/* SPDX-License-Identifier: Apache-2.0 */
/* Packets and their pools. */
#include "lib/packet/packet.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

enum { SLAB_HEADS = 64 };

#ifdef TSUJI_SANITIZED
enum { RECYCLE = 0 };            /* What is free is free, so that the sanitizer sees who still uses it. */
#else
enum { RECYCLE = 1 };
#endif

/* What packet_new() initialises and packet_clone() copies without looking. */
#define PACKET_HOT_BYTES offsetof(struct packet, tunnel)

struct slab {
    struct slab *next;
    struct packet heads[SLAB_HEADS];
};

struct packet_pool {
    struct packet *free_heads;
    struct packet_tail *free_tails;      /* Linked through their first bytes. */
    uint32_t n_heads, max_heads, heads_in_use;
    uint32_t n_tails, max_tails, tails_in_use;
    struct slab *slabs;
};


static struct packet_tail **tail_link(struct packet_tail *t)
{
    return (struct packet_tail **) (void *) (t->bytes + (-(uintptr_t) t->bytes & 7));
}

struct packet_pool *packet_pool_create(uint32_t max_heads, uint32_t max_tails)
{
    struct packet_pool *pool = xzalloc_aligned(sizeof *pool);
    pool->max_heads = max_heads;
    pool->max_tails = max_tails;
    return pool;
}

void packet_pool_destroy(struct packet_pool *pool)
{
    if (!pool) {
        return;
    }
    if (pool->heads_in_use || pool->tails_in_use) {
        abort();   /* Somebody would write to freed memory. */
    }
    while (pool->slabs) {
        struct slab *slab = pool->slabs;
        pool->slabs = slab->next;
        free(slab);
    }
    while (pool->free_tails) {
        struct packet_tail *tail = pool->free_tails;
        pool->free_tails = *tail_link(tail);
        free(tail);
    }
    free(pool);
}

uint32_t packet_pool_in_use(const struct packet_pool *pool)
{
    return pool->heads_in_use;
}

/* Adds a slab of heads to the free list; false if the pool is at its bound. */
static bool __attribute__((noinline, cold)) pool_grow(struct packet_pool *pool)
{
    uint32_t n = MIN(SLAB_HEADS, pool->max_heads - pool->n_heads);
    if (!n) {
        return false;
    }
    struct slab *slab = xzalloc_aligned(sizeof *slab);
    slab->next = pool->slabs;
    pool->slabs = slab;
    for (uint32_t i = n; i-- > 0;) {
        slab->heads[i].pool = pool;
        slab->heads[i].next = pool->free_heads;
        pool->free_heads = &slab->heads[i];
    }
    pool->n_heads += n;
    return true;
}

static inline void packet_reset(struct packet *p, struct packet_pool *pool)
{
    memset(p, 0, PACKET_HOT_BYTES);
    p->data = p->buffer + PACKET_HEADROOM;
    p->gso_segs = 1;
    p->max_len = UINT32_MAX;
    p->pool = pool;
}

struct packet *packet_new(struct packet_pool *pool)
{
    struct packet *p;
    if (UNLIKELY(!pool || !RECYCLE)) {
        if (pool && pool->heads_in_use++ >= pool->max_heads) {
            pool->heads_in_use--;
            return NULL;
        }
        p = aligned_alloc(CACHE_LINE, sizeof *p);
        if (!p) {
            abort();
        }
    } else {
        if (UNLIKELY(!pool->free_heads) && !pool_grow(pool)) {
            return NULL;
        }
        p = pool->free_heads;
        pool->free_heads = p->next;
        pool->heads_in_use++;
    }
    packet_reset(p, pool);
    return p;
}

uint32_t packet_batch_new(struct packet_pool *pool, struct packet_batch *batch, uint32_t n)
{
    batch->n = 0;
    while (batch->n < n) {
        struct packet *p = packet_new(pool);
        if (UNLIKELY(!p)) {
            break;
        }
        batch->p[batch->n++] = p;
    }
    return batch->n;
}

struct packet *packet_from_bytes(struct packet_pool *pool, const void *bytes, size_t n)
{
    if (n > PACKET_MAX) {
        return NULL;
    }
    struct packet *p = packet_new(pool);
    if (!p) {
        return NULL;
    }
    p->head_len = MIN(n, PACKET_SPLIT);
    memcpy(p->data, bytes, p->head_len);
    if (n > p->head_len) {
        struct packet_tail *tail = packet_tail_new(pool);
        if (!tail) {
            packet_free(p);
            return NULL;
        }
        memcpy(tail->bytes, (const uint8_t *) bytes + p->head_len, n - p->head_len);
        packet_set_tail(p, tail, n - p->head_len);
    }
    return p;
}

struct packet *packet_clone(struct packet_pool *pool, const struct packet *p)
{
    struct packet *c = packet_new(pool);
    if (UNLIKELY(!c)) {
        return NULL;
    }
    memcpy(c, p, PACKET_HOT_BYTES);
    c->data = c->buffer + packet_headroom(p);
    c->pool = pool;
    c->next = NULL;
    c->tail = NULL;
    memcpy(c->data, p->data, p->head_len);
    if (p->has_tunnel) {
        c->tunnel = p->tunnel;
    }
    if (p->tail) {
        if (pool && p->tail->pool == pool) {
            p->tail->refs++;
            c->tail = p->tail;
        } else {
            c->tail = packet_tail_new(pool);
            if (!c->tail) {
                c->tail_len = 0;
                packet_free(c);
                return NULL;
            }
            memcpy(c->tail->bytes, p->tail->bytes + p->tail_ofs, p->tail_len);
            c->tail_ofs = 0;
        }
    }
    return c;
}

void packet_free(struct packet *p)
{
    if (!p) {
        return;
    }
    if (UNLIKELY(p->tail != NULL)) {
        packet_tail_put(p->tail);
    }
    struct packet_pool *pool = p->pool;
    if (LIKELY(pool != NULL)) {
        pool->heads_in_use--;
    }
    if (LIKELY(pool && RECYCLE)) {
        p->next = pool->free_heads;
        pool->free_heads = p;
    } else {
        free(p);
    }
}

void packet_batch_free(struct packet_batch *batch)
{
    for (uint32_t i = 0; i < batch->n; i++) {
        packet_free(batch->p[i]);
    }
    batch->n = 0;
}

struct packet_tail *packet_tail_new(struct packet_pool *pool)
{
    struct packet_tail *tail;
    if (pool && pool->free_tails) {
        tail = pool->free_tails;
        pool->free_tails = *tail_link(tail);
    } else {
        if (pool && pool->n_tails >= pool->max_tails) {
            return NULL;
        }
        tail = xmalloc(sizeof *tail);
        if (pool) {
            pool->n_tails++;
        }
    }
    if (pool) {
        pool->tails_in_use++;
    }
    tail->refs = 1;
    tail->pool = pool;
    return tail;
}

void packet_tail_put(struct packet_tail *tail)
{
    if (!tail || --tail->refs) {
        return;
    }
    struct packet_pool *pool = tail->pool;
    if (pool) {
        pool->tails_in_use--;
    }
    if (pool && RECYCLE) {
        *tail_link(tail) = pool->free_tails;
        pool->free_tails = tail;
    } else {
        if (pool) {
            pool->n_tails--;
        }
        free(tail);
    }
}

void packet_set_tail(struct packet *p, struct packet_tail *tail, uint32_t n)
{
    packet_tail_put(p->tail);
    p->tail = tail;
    p->tail_ofs = 0;
    p->tail_len = tail ? n : 0;
}

/* The offset 'ofs' after 'n' bytes were inserted at 'at'. */
static inline uint16_t offset_after_insert(uint16_t ofs, size_t at, size_t n)
{
    return ofs && ofs >= at ? ofs + n : ofs;
}

/* The offset 'ofs' after 'n' bytes were removed at 'at'. */
static inline uint16_t offset_after_remove(uint16_t ofs, size_t at, size_t n)
{
    return ofs >= at + n ? ofs - n : MIN(ofs, at);
}

bool packet_insert(struct packet *p, size_t at, size_t n)
{
    if (at > p->head_len || n > packet_headroom(p) || packet_len(p) + n > PACKET_MAX) {
        return false;
    }
    p->data -= n;
    p->head_len += n;
    memmove(p->data, p->data + n, at);
    p->csum_start = offset_after_insert(p->csum_start, at, n);
    p->l2_type_ofs = offset_after_insert(p->l2_type_ofs, at, n);
    p->l3_ofs = offset_after_insert(p->l3_ofs, at, n);
    p->l4_ofs = offset_after_insert(p->l4_ofs, at, n);
    p->payload_ofs = offset_after_insert(p->payload_ofs, at, n);
    return true;
}

bool packet_remove(struct packet *p, size_t at, size_t n)
{
    if (at > p->head_len || n > p->head_len - at) {
        return false;
    }
    memmove(p->data + n, p->data, at);
    p->data += n;
    p->head_len -= n;
    p->csum_start = offset_after_remove(p->csum_start, at, n);
    p->l2_type_ofs = offset_after_remove(p->l2_type_ofs, at, n);
    p->l3_ofs = offset_after_remove(p->l3_ofs, at, n);
    p->l4_ofs = offset_after_remove(p->l4_ofs, at, n);
    p->payload_ofs = offset_after_remove(p->payload_ofs, at, n);
    return true;
}

void *packet_push(struct packet *p, size_t n)
{
    return packet_insert(p, 0, n) ? p->data : NULL;
}

void packet_pull(struct packet *p, size_t n)
{
    packet_remove(p, 0, MIN(n, p->head_len));
}

bool packet_read(const struct packet *p, size_t ofs, void *to, size_t n)
{
    size_t len = packet_len(p);
    if (ofs > len || n > len - ofs) {
        return false;
    }
    uint8_t *out = to;
    if (ofs < p->head_len) {
        size_t part = MIN(n, p->head_len - ofs);
        memcpy(out, p->data + ofs, part);
        out += part;
        ofs += part;
        n -= part;
    }
    if (n) {
        memcpy(out, p->tail->bytes + p->tail_ofs + (ofs - p->head_len), n);
    }
    return true;
}

void packet_truncate(struct packet *p, uint32_t n)
{
    if (n >= packet_len(p)) {
        return;
    }
    if (n <= p->head_len) {
        p->head_len = n;
        packet_set_tail(p, NULL, 0);
    } else {
        p->tail_len = n - p->head_len;
    }
    /* What is left is no whole transport packet, so neither a checksum nor segments of it can be made. */
    p->offload = 0;
    p->csum_start = p->csum_offset = 0;
    p->gso = GSO_NONE;
    p->gso_size = 0;
    p->gso_segs = 1;
    p->gso_ecn = false;
    if (p->l2_type_ofs + 2u > n) {
        p->l2_type_ofs = 0;
    }
    if (p->l3_ofs >= n) {
        p->l3_ofs = 0;
    }
    if (p->l4_ofs >= n) {
        p->l4_ofs = 0;
    }
    if (p->payload_ofs > n) {
        p->payload_ofs = 0;
    }
}

uint8_t *packet_linear(const struct packet *p, size_t *n)
{
    *n = packet_len(p);
    uint8_t *bytes = xmalloc(MAX(*n, 1));
    packet_read(p, 0, bytes, *n);
    return bytes;
}
