/* SPDX-License-Identifier: Apache-2.0 */
/* The version number, the ring of changes, and sets of dependencies. */
#include "ofproto/table/change.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/sys/rcu.h"

struct changes {
    pthread_mutex_t lock;        /* The ring and the order of versions. */
    uint64_t version;            /* Written under 'lock', read by anyone. */
    struct change ring[CHANGE_RING];
    uint64_t n;                  /* Changes made so far; number N is at N % CHANGE_RING. */
    uint64_t forgotten;          /* Version of the newest change that the ring no longer has. */
    void (*listener)(const struct change *, size_t n, void *arg);
    void *arg;
    struct fields modified;      /* The main thread's. */
};

static int compare_deps(const void *, const void *);
static void minimatch_copy(struct minimatch *, const struct minimatch *);

/* ---- Sets of dependencies ---- */

void dep_set_init(struct dep_set *s)
{
    *s = (struct dep_set) { 0 };
}

void dep_set_fini(struct dep_set *s)
{
    free(s->deps);
    dep_set_init(s);
}

void dep_set_clear(struct dep_set *s)
{
    s->n = 0;
}

void dep_set_add(struct dep_set *s, dep_t d)
{
    /* Translations look at few things, often at the same one again and again. */
    for (size_t i = s->n; i > 0 && s->n - i < 16; i--) {
        if (s->deps[i - 1] == d) {
            return;
        }
    }
    if (s->n == s->allocated) {
        s->deps = xgrow(s->deps, &s->allocated, sizeof *s->deps);
    }
    s->deps[s->n++] = d;
}

void dep_set_seal(struct dep_set *s)
{
    if (s->n < 2) {
        return;
    }
    qsort(s->deps, s->n, sizeof *s->deps, compare_deps);
    size_t n = 1;
    for (size_t i = 1; i < s->n; i++) {
        if (s->deps[i] != s->deps[n - 1]) {
            s->deps[n++] = s->deps[i];
        }
    }
    s->n = n;
}

bool dep_set_is_touched(const struct dep_set *s, dep_t changed)
{
    if (!changed) {
        return true;
    }
    size_t low = 0, high = s->n;
    dep_t first = dep_is_any(changed) ? changed & ~(dep_t) UINT32_MAX : changed;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->deps[middle] < first) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < s->n && s->deps[low] <= changed;
}

bool change_selects(const struct change *c, const struct dep_set *deps, const struct key *key, const struct mask *mask)
{
    if (!dep_set_is_touched(deps, c->dep)) {
        return false;
    }
    if (!c->has_match) {
        return true;
    }
    /* No packet of the flow meets the rule if they differ in a bit that both look at. */
    const struct minimatch *m = &c->match;
    const uint64_t *k = &key->words[0][0], *bits = &mask->bits.words[0][0];
    uint32_t i = 0;
    for (unsigned half = 0; half < ARRAY_SIZE(m->map); half++) {
        for (uint64_t map = m->map[half]; map; map &= map - 1, i++) {
            unsigned w = half * 64 + __builtin_ctzll(map);
            if (w < KEY_N_BLOCKS * KEY_BLOCK_WORDS && ((k[w] ^ m->words[i]) & bits[w] & m->words[m->n_words + i])) {
                return false;
            }
        }
    }
    return true;
}

/* ---- Changes ---- */

struct changes *changes_create(void)
{
    struct changes *c = xzalloc_aligned(ROUND_UP(sizeof *c, CACHE_LINE));
    pthread_mutex_init(&c->lock, NULL);
    c->version = 1;
    return c;
}

void changes_destroy(struct changes *c)
{
    if (!c) {
        return;
    }
    for (size_t i = 0; i < CHANGE_RING; i++) {
        free(c->ring[i].match.words);
    }
    pthread_mutex_destroy(&c->lock);
    free(c);
}

uint64_t changes_version(const struct changes *c)
{
    return __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
}

uint64_t changes_next_version(const struct changes *c)
{
    return changes_version(c) + 1;
}

void changes_note_modified(struct changes *c, const struct fields *mask)
{
    for (size_t i = 0; i < FIELDS_WORDS; i++) {
        ((uint64_t *) &c->modified)[i] |= ((const uint64_t *) mask)[i];
    }
}

const struct fields *changes_modified(const struct changes *c)
{
    return &c->modified;
}

void changes_set_listener(struct changes *c, void (*fn)(const struct change *, size_t n, void *arg), void *arg)
{
    pthread_mutex_lock(&c->lock);
    c->listener = fn;
    c->arg = arg;
    pthread_mutex_unlock(&c->lock);
}

void changes_add(struct changes *c, const struct change *list, size_t n,
                 void (*publish)(void *arg, uint64_t version), void *arg)
{
    pthread_mutex_lock(&c->lock);
    uint64_t version = c->version + 1;
    if (publish) {
        publish(arg, version);
    }
    for (size_t i = 0; i < n; i++) {
        struct change *slot = &c->ring[c->n++ % CHANGE_RING];
        c->forgotten = slot->version;
        if (slot->match.words) {
            rcu_postpone(free, slot->match.words);
        }
        *slot = list[i];
        slot->version = version;
        slot->match = (struct minimatch) { { 0, 0 }, 0, NULL };
        if (list[i].has_match) {
            minimatch_copy(&slot->match, &list[i].match);
        }
    }
    __atomic_store_n(&c->version, version, __ATOMIC_RELEASE);
    void (*listener)(const struct change *, size_t, void *) = c->listener;
    void *listener_arg = c->arg;
    pthread_mutex_unlock(&c->lock);

    if (!listener) {
        return;
    }
    struct change few[16], *told = n <= ARRAY_SIZE(few) ? few : xmalloc(n * sizeof *told);
    for (size_t i = 0; i < n; i++) {
        told[i] = list[i];
        told[i].version = version;
    }
    listener(told, n, listener_arg);
    if (told != few) {
        free(told);
    }
}

bool changes_since(struct changes *c, uint64_t since, void (*each)(const struct change *, void *arg), void *arg)
{
    if (since >= changes_version(c)) {
        return true;
    }
    pthread_mutex_lock(&c->lock);
    uint64_t oldest = c->n > CHANGE_RING ? c->n - CHANGE_RING : 0;
    bool complete = since >= c->forgotten;
    uint64_t first = c->n;
    while (first > oldest && c->ring[(first - 1) % CHANGE_RING].version > since) {
        first--;
    }
    for (uint64_t i = first; complete && i < c->n; i++) {
        each(&c->ring[i % CHANGE_RING], arg);
    }
    pthread_mutex_unlock(&c->lock);
    return complete;
}

static int compare_deps(const void *a_, const void *b_)
{
    dep_t a = *(const dep_t *) a_, b = *(const dep_t *) b_;
    return a < b ? -1 : a > b;
}

static void minimatch_copy(struct minimatch *to, const struct minimatch *from)
{
    *to = *from;
    if (from->n_words) {
        to->words = xmemdup(from->words, (size_t) from->n_words * 2 * sizeof *from->words);
    }
}
