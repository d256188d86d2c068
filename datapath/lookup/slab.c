/* SPDX-License-Identifier: Apache-2.0 */
/* Type-stable memory for flows, in five sizes. */
#include "datapath/lookup/slab.h"

#include <pthread.h>
#include <stdlib.h>

#include "datapath/lookup/big.h"
#include "lib/base/alloc.h"
#include "lib/sys/rcu.h"

/* Chunks grow with the number of flows, up to huge pages. */
enum { FIRST_CHUNK_BYTES = 16 << 10, LAST_CHUNK_BYTES = 2 << 20, BATCH = 512 };

/* Bytes of a flow in each class, all multiples of cache lines. */
static const uint32_t class_bytes[] = { 64, 128, 192, 256, ROUND_UP(sizeof(struct flow) + 48 * 8, CACHE_LINE) };
enum { N_CLASSES = ARRAY_SIZE(class_bytes) };

struct chunk {
    struct chunk *next;
    uint8_t *bytes;
};

struct class {
    struct flow *free;                   /* Ready to be used. */
    struct flow *dying;                  /* To be given to RCU. */
    uint32_t n_dying;
    struct flow *ready;                  /* Past their grace period; under the lock. */
    uint8_t *at, *end;                   /* Rest of the newest chunk. */
    uint32_t chunk_bytes;
};

struct slab {
    struct class classes[N_CLASSES];
    struct chunk *chunks;
    pthread_mutex_t lock;
};

struct batch {
    struct slab *slab;
    unsigned class;
    struct flow *first;
};

static unsigned class_of(uint32_t n_words)
{
    size_t bytes = offsetof(struct flow, words) + n_words * 8;
    unsigned c = 0;
    while (class_bytes[c] < bytes) {
        c++;
    }
    return c;
}

struct slab *slab_create(void)
{
    struct slab *s = xzalloc(sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void slab_destroy(struct slab *s)
{
    while (s->chunks) {
        struct chunk *c = s->chunks;
        s->chunks = c->next;
        free(c->bytes);
        free(c);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void add_chunk(struct slab *s, struct class *c)
{
    c->chunk_bytes = c->chunk_bytes ? MIN(c->chunk_bytes * 2, (uint32_t) LAST_CHUNK_BYTES) : FIRST_CHUNK_BYTES;
    struct chunk *chunk = xmalloc(sizeof *chunk);
    *chunk = (struct chunk) { s->chunks, big_alloc(c->chunk_bytes) };
    s->chunks = chunk;
    c->at = chunk->bytes;
    c->end = c->at + c->chunk_bytes;
}

struct flow *slab_get(struct slab *s, uint32_t n_words)
{
    unsigned number = class_of(n_words);
    struct class *c = &s->classes[number];
    if (!c->free) {
        pthread_mutex_lock(&s->lock);
        c->free = c->ready;
        c->ready = NULL;
        pthread_mutex_unlock(&s->lock);
    }
    struct flow *f = c->free;
    if (f) {
        c->free = f->next;
        return f;
    }
    if (c->at == c->end || c->at + class_bytes[number] > c->end) {
        add_chunk(s, c);
    }
    f = (struct flow *) c->at;
    c->at += class_bytes[number];
    return f;
}

/* RCU's thread: a grace period has passed. */
static void batch_done(void *arg)
{
    struct batch *b = arg;
    struct slab *s = b->slab;
    struct flow *last = b->first;
    while (last->next) {
        last = last->next;
    }
    pthread_mutex_lock(&s->lock);
    last->next = s->classes[b->class].ready;
    s->classes[b->class].ready = b->first;
    pthread_mutex_unlock(&s->lock);
    free(b);
}

static void start_grace(struct slab *s, unsigned number)
{
    struct class *c = &s->classes[number];
    if (!c->dying) {
        return;
    }
    struct batch *b = xmalloc(sizeof *b);
    *b = (struct batch) { s, number, c->dying };
    c->dying = NULL;
    c->n_dying = 0;
    rcu_postpone(batch_done, b);
}

void slab_put(struct slab *s, struct flow *f, uint32_t n_words)
{
    unsigned number = class_of(n_words);
    struct class *c = &s->classes[number];
    f->next = c->dying;
    c->dying = f;
    if (++c->n_dying >= BATCH) {
        start_grace(s, number);
    }
}

void slab_flush(struct slab *s)
{
    for (unsigned i = 0; i < N_CLASSES; i++) {
        start_grace(s, i);
    }
}
