/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded store of packets that wait for the control plane. */
#include "datapath/pending.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"

struct pending *pending_create(uint32_t worker, uint32_t rate, uint32_t burst)
{
    struct pending *s = xzalloc(sizeof *s);
    s->chains = xcalloc(PENDING_CHAINS, sizeof *s->chains);
    s->next_id = (uint64_t) worker << 56 | 1 << 12;
    s->rate = rate;
    s->burst = burst;
    for (size_t i = 0; i < PENDING_GUARDS; i++) {
        s->guards[i].tokens = (uint64_t) burst * 1000;
    }
    list_init(&s->announced);
    list_init(&s->unannounced);
    return s;
}

void pending_destroy(struct pending *s)
{
    if (s) {
        free(s->chains);
        free(s);
    }
}

static void add(uint32_t *counter, int32_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

uint64_t pending_key_hash(const struct key *key)
{
    return hash64_bytes(key, sizeof *key, hash_seed());
}

struct pending_chain *pending_find_key(const struct pending *s, const struct key *key, uint64_t hash)
{
    struct pending_chain *c = s->buckets[hash % PENDING_BUCKETS];
    while (c && (c->hash != hash || memcmp(&c->key, key, sizeof *key))) {
        c = c->next;
    }
    return c;
}

/* An id is the worker, a number that grows, and the chain's place: 8, 44 and 12 bits. */
_Static_assert(PENDING_CHAINS <= 1 << 12, "places fit an id");

struct pending_chain *pending_find_id(const struct pending *s, uint64_t id)
{
    uint32_t at = id & 0xfff;
    return at < s->n_used && s->chains[at].id == id ? &s->chains[at] : NULL;
}

/* ---- Guards ---- */

static struct pending_guard *guard_of(struct pending *s, const struct flow_guard_key *key, int64_t now_ms)
{
    uint32_t hash = flow_guard_key_hash(key);
    struct pending_guard *oldest = NULL;
    for (uint32_t i = 0; i < 8; i++) {
        struct pending_guard *g = &s->guards[(hash + i) % PENDING_GUARDS];
        if (g->hash == hash && flow_guard_key_equal(&g->key, key)) {
            return g;
        }
        if (!g->n_chains && (!oldest || g->refilled_ms < oldest->refilled_ms)) {
            oldest = g;
        }
    }
    if (!oldest) {
        return &s->guards[hash % PENDING_GUARDS];   /* Shares another's budget. */
    }
    /* A place that was used just now by another guard keeps its emptied bucket: many guards do not help an attacker. */
    if (now_ms - oldest->refilled_ms > 1000) {
        oldest->tokens = (uint64_t) s->burst * 1000;
        oldest->refilled_ms = now_ms;
    }
    oldest->key = *key;
    oldest->hash = hash;
    return oldest;
}

static bool take_token(struct pending *s, struct pending_guard *g, int64_t now_ms)
{
    if (now_ms > g->refilled_ms) {
        uint64_t more = (uint64_t) MIN(now_ms - g->refilled_ms, INT64_C(60000)) * s->rate;
        g->tokens = MIN(g->tokens + more, (uint64_t) s->burst * 1000);
        g->refilled_ms = now_ms;
    }
    if (g->tokens < 1000) {
        return false;
    }
    g->tokens -= 1000;
    return true;
}

/* ---- Chains ---- */

struct pending_chain *pending_add(struct pending *s, const struct key *key, uint64_t hash, enum upcall_reason reason,
                                  uint64_t cookie, int64_t now_ms, enum drop *why)
{
    struct flow_guard_key guard_key = flow_guard_key(key);
    struct pending_guard *g = guard_of(s, &guard_key, now_ms);
    uint32_t n_free = PENDING_CHAINS - s->n_chains;
    *why = DROP_PENDING_FULL;
    if (!n_free || s->n_packets >= PENDING_PACKETS || g->n_chains >= MAX(n_free / 2, (uint32_t) PENDING_MIN_SHARE)) {
        return NULL;
    }
    if (!take_token(s, g, now_ms)) {
        *why = DROP_UPCALL_QUOTA;
        return NULL;
    }
    struct pending_chain *c = s->free;
    if (c) {
        s->free = c->next;
    } else {
        c = &s->chains[s->n_used++];
    }
    s->next_id += 1 << 12;
    *c = (struct pending_chain) {
        .key = *key, .hash = hash, .reason = reason, .cookie = cookie, .guard = g - s->guards,
        .id = (s->next_id & ~UINT64_C(0xfff)) | (uint64_t) (c - s->chains),
    };
    if (reason == UPCALL_MISS) {
        c->next = s->buckets[hash % PENDING_BUCKETS];
        s->buckets[hash % PENDING_BUCKETS] = c;
    }
    list_push_back(&s->unannounced, &c->node);
    g->n_chains++;
    add(&s->n_chains, 1);
    return c;
}

bool pending_append(struct pending *s, struct pending_chain *c, struct packet *p)
{
    uint32_t len = packet_len(p);
    if (c->n_packets >= PENDING_KEY_PACKETS || (c->n_packets && c->n_bytes + len > PENDING_KEY_BYTES)
        || s->n_packets >= PENDING_PACKETS || s->n_bytes + len > PENDING_BYTES) {
        return false;
    }
    p->next = NULL;
    if (c->last) {
        c->last->next = p;
    } else {
        c->first = p;
    }
    c->last = p;
    c->n_packets++;
    c->n_bytes += len;
    s->n_bytes += len;
    add(&s->n_packets, 1);
    return true;
}

void pending_set_announced(struct pending *s, struct pending_chain *c, int64_t now_ms)
{
    list_remove(&c->node);
    list_push_back(&s->announced, &c->node);
    c->announced = true;
    c->announced_ms = now_ms;
}

void pending_forget_announcements(struct pending *s)
{
    struct pending_chain *c;
    LIST_FOR_EACH (c, node, &s->announced) {
        c->announced = false;
    }
    list_splice_back(&s->announced, &s->unannounced);
    list_splice_back(&s->unannounced, &s->announced);
}

struct packet *pending_take(struct pending *s, struct pending_chain *c)
{
    struct packet *first = c->first;
    if (c->reason == UPCALL_MISS) {
        struct pending_chain **at = &s->buckets[c->hash % PENDING_BUCKETS];
        while (*at != c) {
            at = &(*at)->next;
        }
        *at = c->next;
    }
    list_remove(&c->node);
    s->guards[c->guard].n_chains--;
    s->n_bytes -= c->n_bytes;
    add(&s->n_packets, -(int32_t) c->n_packets);
    add(&s->n_chains, -1);
    c->id = 0;
    c->first = c->last = NULL;
    c->next = s->free;
    s->free = c;
    return first;
}

struct pending_chain *pending_expired(const struct pending *s, int64_t now_ms)
{
    if (list_is_empty(&s->announced)) {
        return NULL;
    }
    struct pending_chain *c = LIST_ENTRY(s->announced.next, struct pending_chain, node);
    return now_ms - c->announced_ms >= PENDING_TIMEOUT_MS ? c : NULL;
}
