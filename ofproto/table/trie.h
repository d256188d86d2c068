/* SPDX-License-Identifier: Apache-2.0 */
/* The prefixes of one field that rules of a table match: a binary radix tree.
 *
 * What: tells for a packet's value which prefix lengths can match at all and how many leading bits say so. A lookup then
 * skips subtables of other lengths and un-wildcards only these bits: with rules for 10.0.0.0/8 and 11.1.0.0/16 a packet to
 * 192.0.2.1 un-wildcards one bit of its address.
 *
 * Threads: one writer; trie_lookup() under RCU. */
#ifndef OFPROTO_TABLE_TRIE_H
#define OFPROTO_TABLE_TRIE_H

#include "lib/base/types.h"

struct trie_node;
struct trie { struct trie_node *root; };

struct trie_answer {
    uint64_t lengths[2];         /* Bit N - 1: a prefix of N bits matches (N is 1 to 128). */
    unsigned n_bits;             /* So many leading bits of the value determined that. */
};

void trie_init(struct trie *);
void trie_fini(struct trie *);   /* Frees at once: nobody reads it any more. */
/* 'value' is in wire order, 'length' from 1 to 128 bits. Equal prefixes are counted. */
void trie_insert(struct trie *, const uint8_t *value, unsigned length);
void trie_remove(struct trie *, const uint8_t *value, unsigned length);
void trie_lookup(const struct trie *, const uint8_t *value, unsigned n_bytes, struct trie_answer *);
static inline bool trie_has_length(const struct trie_answer *a, unsigned length)
{
    return a->lengths[(length - 1) / 64] >> ((length - 1) % 64) & 1;
}

#endif
