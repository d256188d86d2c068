/* SPDX-License-Identifier: Apache-2.0 */
/* A binary radix tree of prefixes, changed by one writer under readers.
 *
 * Invariants: T1 a node's prefix begins with its parent's and differs from its sibling's in bit 'length' of the parent. T2 a node
 * without rules has two children. T3 prefix and length of a published node never change. */
#include "ofproto/table/trie.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/sys/rcu.h"

struct trie_node {
    struct trie_node *child[2];
    uint32_t n_rules;
    uint8_t length;
    uint8_t prefix[16];          /* Zero behind 'length' bits. */
};

static struct trie_node *new_node(const uint8_t *value, unsigned length, uint32_t n_rules);
static void free_below(struct trie_node *);
static inline unsigned bit_at(const uint8_t *p, unsigned i) { return p[i / 8] >> (7 - i % 8) & 1; }
static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned from, unsigned to);

void trie_init(struct trie *t)
{
    t->root = NULL;
}

void trie_fini(struct trie *t)
{
    free_below(t->root);
    t->root = NULL;
}

void trie_insert(struct trie *t, const uint8_t *value, unsigned length)
{
    struct trie_node **at = &t->root;
    for (;;) {
        struct trie_node *n = *at;
        if (!n) {
            rcu_set_pointer(at, new_node(value, length, 1));
            return;
        }
        unsigned common = common_bits(n->prefix, value, 0, MIN(n->length, length));
        if (common < n->length) {
            /* 'n' goes below a node for what both have in common. */
            struct trie_node *fork = new_node(value, common, common == length);
            fork->child[bit_at(n->prefix, common)] = n;
            if (common < length) {
                fork->child[bit_at(value, common)] = new_node(value, length, 1);
            }
            rcu_set_pointer(at, fork);
            return;
        }
        if (n->length == length) {
            __atomic_store_n(&n->n_rules, n->n_rules + 1, __ATOMIC_RELEASE);
            return;
        }
        at = &n->child[bit_at(value, n->length)];
    }
}

void trie_remove(struct trie *t, const uint8_t *value, unsigned length)
{
    struct trie_node **at = &t->root, **above = NULL;
    while (*at && (*at)->length < length) {
        above = at;
        at = &(*at)->child[bit_at(value, (*at)->length)];
    }
    struct trie_node *n = *at;
    if (!n || n->length != length || common_bits(n->prefix, value, 0, length) != length || !n->n_rules) {
        return;
    }
    __atomic_store_n(&n->n_rules, n->n_rules - 1, __ATOMIC_RELEASE);
    if (n->n_rules || (n->child[0] && n->child[1])) {
        return;
    }
    rcu_set_pointer(at, n->child[0] ? n->child[0] : n->child[1]);
    rcu_postpone(free, n);
    /* The parent of a leaf that went may have become a mere link. */
    struct trie_node *up = above ? *above : NULL;
    if (up && !up->n_rules && !(up->child[0] && up->child[1])) {
        rcu_set_pointer(above, up->child[0] ? up->child[0] : up->child[1]);
        rcu_postpone(free, up);
    }
}

void trie_lookup(const struct trie *t, const uint8_t *value, unsigned n_bytes, struct trie_answer *answer)
{
    *answer = (struct trie_answer) { { 0, 0 }, 0 };
    const struct trie_node *n = rcu_dereference(t->root);
    unsigned known = 0;
    while (n) {
        unsigned common = common_bits(n->prefix, value, known, n->length);
        if (common < n->length) {
            answer->n_bits = common + 1;
            return;
        }
        known = n->length;
        if (__atomic_load_n(&n->n_rules, __ATOMIC_ACQUIRE)) {
            answer->lengths[(known - 1) / 64] |= UINT64_C(1) << (known - 1) % 64;
        }
        const struct trie_node *zero = rcu_dereference(n->child[0]), *one = rcu_dereference(n->child[1]);
        answer->n_bits = known;
        if (known == n_bytes * 8 || (!zero && !one)) {
            return;
        }
        answer->n_bits = known + 1;
        n = bit_at(value, known) ? one : zero;
    }
}

static struct trie_node *new_node(const uint8_t *value, unsigned length, uint32_t n_rules)
{
    struct trie_node *n = xzalloc(sizeof *n);
    n->length = length;
    n->n_rules = n_rules;
    memcpy(n->prefix, value, DIV_ROUND_UP(length, 8));
    if (length % 8) {
        n->prefix[length / 8] &= 0xff00 >> length % 8;
    }
    return n;
}

static void free_below(struct trie_node *n)
{
    if (n) {
        free_below(n->child[0]);
        free_below(n->child[1]);
        free(n);
    }
}

/* Where 'a' and 'b' first differ, in bits; at most 'to'. They agree in the first 'from'. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned from, unsigned to)
{
    for (unsigned i = from / 8; i * 8 < to; i++) {
        uint8_t differ = a[i] ^ b[i];
        if (differ) {
            unsigned at = i * 8 + (__builtin_clz(differ) - 24);
            return MIN(at, to);
        }
    }
    return to;
}
