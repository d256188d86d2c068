/* SPDX-License-Identifier: Apache-2.0 */
/* Tuple space search with staged hashing, prefix trees and versioned rules. */
#include "ofproto/table/classifier.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "ofproto/table/slots.h"

enum { N_STAGES = 4, MAX_WORDS = FIELDS_WORDS };
_Static_assert(FIELDS_WORDS <= 128, "a minimatch maps 128 words");

/* Where a tree's field lies in struct fields. */
static const struct { uint16_t ofs, n_bytes; } trie_fields[N_TRIES] = {
    { offsetof(struct fields, key.l3.ip4_src), 4 },
    { offsetof(struct fields, key.l3.ip4_dst), 4 },
    { offsetof(struct fields, key.l3.ip6_src), 16 },
    { offsetof(struct fields, key.l3.ip6_dst), 16 },
    { offsetof(struct fields, key.l4.src), 2 },
    { offsetof(struct fields, key.l4.dst), 2 },
};
enum { FIRST_L4_TRIE = 4 };

struct priority { int32_t order; uint32_t n; };

struct subtable {
    /* Immutable. */
    uint8_t words[MAX_WORDS];        /* Places in struct fields, stage after stage. */
    uint64_t mask[MAX_WORDS];
    uint8_t n_words;
    uint8_t stage_end[N_STAGES];     /* So many words belong to this stage and those before. */
    uint8_t last_stage;              /* The last that has words. */
    uint8_t prefix[N_TRIES];         /* Length of the prefix matched in each tree's field; 0: not a prefix. */
    uint64_t seq;                    /* Age. */
    /* Read by anyone. */
    struct counts stages[N_STAGES - 1];
    struct slots rules;              /* Heads of chains. */
    /* The writer's. */
    struct hmap_node by_mask;
    struct priority *priorities;     /* Of its rules, falling. */
    size_t n_priorities, allocated_priorities;
};

struct subtable_list {
    size_t n;
    struct subtable_ref { struct subtable *s; int32_t max_order; } refs[];
};

/* What a lookup has asked the trees. */
struct trie_context {
    bool asked[N_TRIES];
    struct trie_answer answers[N_TRIES];
};

static int stage_of(unsigned word);
static uint32_t hash_mask(const struct minimatch *);
static struct subtable *find_subtable(const struct classifier *, const struct minimatch *);
static struct subtable *create_subtable(struct classifier *, const struct minimatch *);
static void free_subtable(void *);
static bool has_mask(const struct subtable *, const struct minimatch *);
static void rule_words(const struct subtable *, const struct rule *, uint64_t *values);
static uint64_t hash_step(uint64_t h, uint64_t v) { return hash_mix64(h ^ v) + UINT64_C(0x9e3779b97f4a7c15); }
static void hash_stages(const struct subtable *, const uint64_t *values, uint32_t hashes[N_STAGES]);
static struct rule *find_chain(const struct subtable *, uint32_t hash, const struct minimatch *);
static bool same_values(const struct minimatch *, const struct minimatch *);
static bool count_priority(struct subtable *, int32_t order, int by);
static void relist(struct classifier *, struct subtable *changed, bool is_new, bool *reordered);
static bool share_priority(const struct subtable *, const struct subtable *);
static void index_prefixes(struct classifier *, const struct subtable *, const struct rule *, bool insert);
static struct rule *lookup_subtable(const struct classifier *, const struct subtable *, uint64_t version,
                                    const uint64_t *f, struct trie_context *, uint64_t *wc);
static bool tries_exclude(const struct classifier *, const struct subtable *, int stage, const uint64_t *f,
                          struct trie_context *, uint64_t *wc);
static unsigned prefix_length(const uint8_t *mask, unsigned n_bytes);

void classifier_init(struct classifier *c)
{
    memset(c, 0, sizeof *c);
    c->list = xzalloc(sizeof *c->list);
    for (int i = 0; i < N_TRIES; i++) {
        trie_init(&c->tries[i]);
    }
    hmap_init(&c->by_mask);
}

void classifier_fini(struct classifier *c)
{
    free(c->list);
    for (int i = 0; i < N_TRIES; i++) {
        trie_fini(&c->tries[i]);
    }
    hmap_fini(&c->by_mask);
}

void classifier_insert(struct classifier *c, struct rule *r, bool *reordered)
{
    struct subtable *s = find_subtable(c, &r->match);
    bool is_new = !s;
    if (is_new) {
        s = create_subtable(c, &r->match);
    }
    index_prefixes(c, s, r, true);

    uint64_t values[MAX_WORDS];
    uint32_t hashes[N_STAGES];
    rule_words(s, r, values);
    hash_stages(s, values, hashes);
    struct rule *head = find_chain(s, hashes[s->last_stage], &r->match);
    if (!head) {
        r->next_same_match = NULL;
        slots_insert(&s->rules, hashes[s->last_stage], r);
    } else if (r->order >= head->order) {
        r->next_same_match = head;
        slots_replace(&s->rules, hashes[s->last_stage], head, r);
    } else {
        struct rule *before = head;
        while (before->next_same_match && before->next_same_match->order > r->order) {
            before = before->next_same_match;
        }
        r->next_same_match = before->next_same_match;
        rcu_set_pointer(&before->next_same_match, r);
    }
    for (int i = 0; i < s->last_stage; i++) {
        if (s->stages[i].array) {
            counts_add(&s->stages[i], hashes[i]);
        }
    }
    if (count_priority(s, r->order, 1) || is_new) {
        relist(c, s, is_new, reordered);
    }
}

void classifier_remove(struct classifier *c, struct rule *r, bool *reordered)
{
    struct subtable *s = find_subtable(c, &r->match);
    uint64_t values[MAX_WORDS];
    uint32_t hashes[N_STAGES];
    rule_words(s, r, values);
    hash_stages(s, values, hashes);
    struct rule *head = find_chain(s, hashes[s->last_stage], &r->match);
    if (head == r) {
        slots_replace(&s->rules, hashes[s->last_stage], r, r->next_same_match);
    } else {
        struct rule *before = head;
        while (before->next_same_match != r) {
            before = before->next_same_match;
        }
        rcu_set_pointer(&before->next_same_match, r->next_same_match);
    }
    for (int i = 0; i < s->last_stage; i++) {
        if (s->stages[i].array) {
            counts_remove(&s->stages[i], hashes[i]);
        }
    }
    index_prefixes(c, s, r, false);
    if (count_priority(s, r->order, -1)) {
        relist(c, s, false, reordered);
    }
}

struct rule *classifier_lookup(const struct classifier *c, uint64_t version, const struct fields *fields,
                               struct fields *wc)
{
    const uint64_t *f = (const uint64_t *) fields;
    struct trie_context tries;
    memset(tries.asked, 0, sizeof tries.asked);
    struct rule *best = NULL;
    const struct subtable_list *list = rcu_dereference(c->list);
    for (size_t i = 0; i < list->n; i++) {
        if (best && list->refs[i].max_order <= best->order) {
            break;
        }
        struct rule *r = lookup_subtable(c, list->refs[i].s, version, f, &tries, (uint64_t *) wc);
        if (r && (!best || r->order > best->order)) {
            best = r;
        }
    }
    return best;
}

struct rule *classifier_find(const struct classifier *c, const struct minimatch *m, int32_t order)
{
    const struct subtable *s = find_subtable(c, m);
    if (!s) {
        return NULL;
    }
    struct rule key = { .match = *m };
    uint64_t values[MAX_WORDS];
    uint32_t hashes[N_STAGES];
    rule_words(s, &key, values);
    hash_stages(s, values, hashes);
    struct rule *r = find_chain(s, hashes[s->last_stage], m);
    while (r && (r->order != order || r->going)) {
        r = r->next_same_match;
    }
    return r;
}

/* ---- Lookup in one subtable ---- */

static struct rule *lookup_subtable(const struct classifier *c, const struct subtable *s, uint64_t version,
                                    const uint64_t *f, struct trie_context *tries, uint64_t *wc)
{
    uint64_t h = hash_seed();
    unsigned n = 0;
    for (int stage = 0; stage <= s->last_stage; stage++) {
        if (n == s->stage_end[stage] && stage != s->last_stage) {
            continue;
        }
        if (tries_exclude(c, s, stage, f, tries, wc)) {
            goto looked;
        }
        for (; n < s->stage_end[stage]; n++) {
            h = hash_step(h, f[s->words[n]] & s->mask[n]);
        }
        if (stage < s->last_stage && !counts_contain(&s->stages[stage], h)) {
            goto looked;
        }
    }
    const struct slot_array *a = rcu_dereference(s->rules.array);
    uint32_t at = h;
    for (struct rule *r; (r = slots_next(a, h, &at)) != NULL; ) {
        if (!minimatch_covers_fields(&r->match, (const struct fields *) f)) {
            continue;
        }
        for (; r; r = rcu_dereference(r->next_same_match)) {
            if (__atomic_load_n(&r->added, __ATOMIC_RELAXED) <= version
                && version < __atomic_load_n(&r->removed, __ATOMIC_RELAXED)) {
                break;
            }
        }
        n = s->n_words;
        if (wc) {
            for (unsigned i = 0; i < n; i++) {
                wc[s->words[i]] |= s->mask[i];
            }
        }
        return r;
    }

looked:
    if (wc) {
        for (unsigned i = 0; i < n; i++) {
            wc[s->words[i]] |= s->mask[i];
        }
    }
    return NULL;
}

/* Does a tree whose field belongs to 'stage' say that no rule of 's' can match? Then un-wildcards what it looked at. */
static bool tries_exclude(const struct classifier *c, const struct subtable *s, int stage, const uint64_t *f,
                          struct trie_context *tries, uint64_t *wc)
{
    if (stage < 2) {
        return false;
    }
    int first = stage == 2 ? 0 : FIRST_L4_TRIE, end = stage == 2 ? FIRST_L4_TRIE : N_TRIES;
    for (int i = first; i < end; i++) {
        if (!s->prefix[i]) {
            continue;
        }
        struct trie_answer *answer = &tries->answers[i];
        if (!tries->asked[i]) {
            trie_lookup(&c->tries[i], (const uint8_t *) f + trie_fields[i].ofs, trie_fields[i].n_bytes, answer);
            tries->asked[i] = true;
        }
        if (!trie_has_length(answer, s->prefix[i])) {
            /* The first bits up to its own length would have led to such a prefix. */
            unsigned n_bits = MIN(answer->n_bits, s->prefix[i]);
            uint8_t *bits = (uint8_t *) wc + trie_fields[i].ofs;
            for (unsigned b = 0; wc && b < n_bits; b += 8) {
                bits[b / 8] |= n_bits - b >= 8 ? 0xff : (uint8_t) (0xff00 >> (n_bits - b));
            }
            return true;
        }
    }
    return false;
}

/* ---- Subtables ---- */

static int stage_of(unsigned word)
{
    switch (word / KEY_BLOCK_WORDS) {
    case KEY_L2:
        return 1;
    case KEY_L3:
        return 2;
    case KEY_L4:
        return 3;
    default:
        return 0;
    }
}

static uint32_t hash_mask(const struct minimatch *m)
{
    return hash_bytes(m->words + m->n_words, m->n_words * sizeof *m->words,
                      hash_bytes(m->map, sizeof m->map, 0));
}

static struct subtable *find_subtable(const struct classifier *c, const struct minimatch *m)
{
    struct subtable *s;
    HMAP_FOR_EACH_WITH_HASH (s, by_mask, hash_mask(m), &c->by_mask) {
        if (has_mask(s, m)) {
            return s;
        }
    }
    return NULL;
}

static struct subtable *create_subtable(struct classifier *c, const struct minimatch *m)
{
    struct subtable *s = xzalloc(sizeof *s);
    struct fields mask;
    memset(&mask, 0, sizeof mask);
    for (int stage = 0; stage < N_STAGES; stage++) {
        uint32_t i = 0;
        for (unsigned half = 0; half < ARRAY_SIZE(m->map); half++) {
            for (uint64_t map = m->map[half]; map; map &= map - 1, i++) {
                unsigned word = half * 64 + __builtin_ctzll(map);
                if (stage_of(word) == stage) {
                    s->words[s->n_words] = word;
                    s->mask[s->n_words++] = m->words[m->n_words + i];
                    ((uint64_t *) &mask)[word] = m->words[m->n_words + i];
                    s->last_stage = stage;
                }
            }
        }
        s->stage_end[stage] = s->n_words;
    }
    for (int i = 0; i < s->last_stage; i++) {
        if (s->stage_end[i] > (i ? s->stage_end[i - 1] : 0)) {
            counts_init(&s->stages[i]);
        }
    }
    for (int i = 0; i < N_TRIES; i++) {
        s->prefix[i] = prefix_length((const uint8_t *) &mask + trie_fields[i].ofs, trie_fields[i].n_bytes);
    }
    slots_init(&s->rules);
    s->seq = c->next_seq++;
    hmap_insert(&c->by_mask, &s->by_mask, hash_mask(m));
    return s;
}

static void free_subtable(void *s_)
{
    struct subtable *s = s_;
    for (int i = 0; i < N_STAGES - 1; i++) {
        if (s->stages[i].array) {
            counts_fini(&s->stages[i]);
        }
    }
    slots_fini(&s->rules);
    free(s->priorities);
    free(s);
}

static bool has_mask(const struct subtable *s, const struct minimatch *m)
{
    if (s->n_words != m->n_words) {
        return false;
    }
    /* Both have the same words if each of the subtable's is in the match with the same bits. */
    for (unsigned i = 0; i < s->n_words; i++) {
        unsigned word = s->words[i], half = word / 64;
        uint64_t bit = UINT64_C(1) << word % 64;
        if (!(m->map[half] & bit)) {
            return false;
        }
        unsigned at = (half ? __builtin_popcountll(m->map[0]) : 0) + __builtin_popcountll(m->map[half] & (bit - 1));
        if (m->words[m->n_words + at] != s->mask[i]) {
            return false;
        }
    }
    return true;
}

/* The rule's values in the subtable's order of words. */
static void rule_words(const struct subtable *s, const struct rule *r, uint64_t *values)
{
    const struct minimatch *m = &r->match;
    for (unsigned i = 0; i < s->n_words; i++) {
        unsigned word = s->words[i], half = word / 64;
        uint64_t bit = UINT64_C(1) << word % 64;
        unsigned at = (half ? __builtin_popcountll(m->map[0]) : 0) + __builtin_popcountll(m->map[half] & (bit - 1));
        values[i] = m->words[at];
    }
}

static void hash_stages(const struct subtable *s, const uint64_t *values, uint32_t hashes[N_STAGES])
{
    uint64_t h = hash_seed();
    unsigned n = 0;
    for (int stage = 0; stage < N_STAGES; stage++) {
        for (; n < s->stage_end[stage]; n++) {
            h = hash_step(h, values[n]);
        }
        hashes[stage] = h;
    }
}

static struct rule *find_chain(const struct subtable *s, uint32_t hash, const struct minimatch *m)
{
    uint32_t at = hash;
    struct rule *r;
    while ((r = slots_next(s->rules.array, hash, &at)) != NULL && !same_values(&r->match, m)) {
        continue;
    }
    return r;
}

/* Of matches with equal masks. */
static bool same_values(const struct minimatch *a, const struct minimatch *b)
{
    return !memcmp(a->words, b->words, a->n_words * sizeof *a->words) || !a->n_words;
}

/* ---- Priorities and the order of subtables ---- */

/* Counts a rule in or out. True if the highest priority changed. */
static bool count_priority(struct subtable *s, int32_t order, int by)
{
    size_t i = 0, end = s->n_priorities;
    while (i < end) {
        size_t middle = (i + end) / 2;
        if (s->priorities[middle].order > order) {
            i = middle + 1;
        } else {
            end = middle;
        }
    }
    if (i < s->n_priorities && s->priorities[i].order == order) {
        s->priorities[i].n += by;
        if (s->priorities[i].n) {
            return false;
        }
        memmove(&s->priorities[i], &s->priorities[i + 1], (--s->n_priorities - i) * sizeof *s->priorities);
        return i == 0;
    }
    if (s->n_priorities == s->allocated_priorities) {
        s->priorities = xgrow(s->priorities, &s->allocated_priorities, sizeof *s->priorities);
    }
    memmove(&s->priorities[i + 1], &s->priorities[i], (s->n_priorities++ - i) * sizeof *s->priorities);
    s->priorities[i] = (struct priority) { order, 1 };
    return i == 0;
}

/* Publishes a new list in which 'changed' has the place that its highest priority gives it now, or none if it is empty. */
static void relist(struct classifier *c, struct subtable *changed, bool is_new, bool *reordered)
{
    struct subtable_list *old = c->list;
    struct subtable_list *list = xmalloc(sizeof *list + (old->n + 1) * sizeof list->refs[0]);
    list->n = 0;
    bool is_empty = !changed->n_priorities, placed = is_empty, passed_old = is_new;
    int32_t max = is_empty ? 0 : changed->priorities[0].order;
    for (size_t i = 0; i < old->n; i++) {
        const struct subtable_ref *ref = &old->refs[i];
        if (ref->s == changed) {
            passed_old = true;
            continue;
        }
        if (!placed && (ref->max_order < max || (ref->max_order == max && ref->s->seq > changed->seq))) {
            list->refs[list->n++] = (struct subtable_ref) { changed, max };
            placed = true;
        }
        /* Is it on the other side of 'changed' now? */
        if (!is_new && !is_empty && placed != passed_old && share_priority(changed, ref->s)) {
            *reordered = true;
        }
        list->refs[list->n++] = *ref;
    }
    if (!placed) {
        list->refs[list->n++] = (struct subtable_ref) { changed, max };
    }
    rcu_assign_pointer(c->list, list);
    rcu_postpone(free, old);
    if (is_empty) {
        hmap_remove(&c->by_mask, &changed->by_mask);
        rcu_postpone(free_subtable, changed);
    }
}

/* Do both have rules of one priority, so that their order decides? Without looking far. */
static bool share_priority(const struct subtable *a, const struct subtable *b)
{
    size_t i = 0, j = 0;
    for (int steps = 0; i < a->n_priorities && j < b->n_priorities; steps++) {
        if (a->priorities[i].order == b->priorities[j].order || steps == 256) {
            return true;
        }
        if (a->priorities[i].order > b->priorities[j].order) {
            i++;
        } else {
            j++;
        }
    }
    return false;
}

/* ---- Prefixes ---- */

static void index_prefixes(struct classifier *c, const struct subtable *s, const struct rule *r, bool insert)
{
    bool any = false;
    for (int i = 0; i < N_TRIES; i++) {
        any |= s->prefix[i] != 0;
    }
    if (!any) {
        return;
    }
    struct fields value;
    memset(&value, 0, sizeof value);
    uint64_t values[MAX_WORDS];
    rule_words(s, r, values);
    for (unsigned i = 0; i < s->n_words; i++) {
        ((uint64_t *) &value)[s->words[i]] = values[i];
    }
    for (int i = 0; i < N_TRIES; i++) {
        if (s->prefix[i]) {
            (insert ? trie_insert : trie_remove)(&c->tries[i], (const uint8_t *) &value + trie_fields[i].ofs, s->prefix[i]);
        }
    }
}

/* The length of the prefix that 'mask' is; 0 if it is empty or none. */
static unsigned prefix_length(const uint8_t *mask, unsigned n_bytes)
{
    unsigned n = 0;
    while (n < n_bytes * 8 && mask[n / 8] >> (7 - n % 8) & 1) {
        n++;
    }
    for (unsigned i = n; i < n_bytes * 8; i++) {
        if (mask[i / 8] >> (7 - i % 8) & 1) {
            return 0;
        }
    }
    return n;
}
