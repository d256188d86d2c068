/* SPDX-License-Identifier: Apache-2.0 */
/* Compact masks: the 64-bit words of a key that a mask touches, and nothing else.
 *
 * What: a mask touches some 5 to 12 of a key's 48 words, so a flow keeps just these (masked), and hashing and comparing
 * are loops over them: two cache lines for a flow instead of seven. */
#ifndef DATAPATH_LOOKUP_COMPACT_H
#define DATAPATH_LOOKUP_COMPACT_H

#include "lib/flow/key.h"

enum { COMPACT_MAX = KEY_N_BLOCKS * KEY_BLOCK_WORDS };

struct compact_mask {
    uint32_t n;
    uint8_t index[COMPACT_MAX];      /* Word of the key. */
    uint64_t bits[COMPACT_MAX];
};

void compact_init(struct compact_mask *, const struct mask *);
/* The masked words of 'key' into 'words' of n. */
void compact_pick(const struct compact_mask *, const struct key *, uint64_t *words);
/* Back to a key, zero where the mask is. */
void compact_expand(const struct compact_mask *, const uint64_t *words, struct key *);

/* Random for each process, so that nobody outside can make keys collide. */
extern uint64_t compact_secret[COMPACT_MAX + 1];
void compact_seed(void);             /* Before the first use; more calls do nothing. */

static inline uint64_t compact_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128) a * b;
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

/* Word pairs are multiplied independently of each other, so that they overlap in the processor. */
static inline uint32_t compact_hash_key(const struct compact_mask *m, const struct key *key)
{
    const uint64_t *w = &key->words[0][0];
    uint64_t sum = compact_secret[COMPACT_MAX];
    uint32_t i = 0;
    for (; i + 1 < m->n; i += 2) {
        sum += compact_fold((w[m->index[i]] & m->bits[i]) ^ compact_secret[i],
                            (w[m->index[i + 1]] & m->bits[i + 1]) ^ compact_secret[i + 1]);
    }
    if (i < m->n) {
        sum += compact_fold((w[m->index[i]] & m->bits[i]) ^ compact_secret[i], compact_secret[i + 1]);
    }
    return compact_fold(sum, compact_secret[0] | 1);
}

static inline uint32_t compact_hash_words(uint32_t n, const uint64_t *words)
{
    uint64_t sum = compact_secret[COMPACT_MAX];
    uint32_t i = 0;
    for (; i + 1 < n; i += 2) {
        sum += compact_fold(words[i] ^ compact_secret[i], words[i + 1] ^ compact_secret[i + 1]);
    }
    if (i < n) {
        sum += compact_fold(words[i] ^ compact_secret[i], compact_secret[i + 1]);
    }
    return compact_fold(sum, compact_secret[0] | 1);
}

static inline bool compact_matches(const struct compact_mask *m, const uint64_t *words, const struct key *key)
{
    const uint64_t *w = &key->words[0][0];
    uint64_t different = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        different |= (w[m->index[i]] & m->bits[i]) ^ words[i];
    }
    return !different;
}

#endif
