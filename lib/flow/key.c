/* SPDX-License-Identifier: Apache-2.0 */
/* Masks, and keys under masks. */
#include "lib/flow/key.h"

enum { KEY_WORDS = KEY_N_BLOCKS * KEY_BLOCK_WORDS };

/* All words of a key in one row. */
static const uint64_t *key_words(const struct key *key)
{
    return (const uint64_t *) key;
}

void mask_seal(struct mask *mask)
{
    mask->blocks = 0;
    for (int i = 0; i < KEY_N_BLOCKS; i++) {
        uint64_t any = 0;
        for (int j = 0; j < KEY_BLOCK_WORDS; j++) {
            any |= mask->bits.words[i][j];
        }
        mask->blocks |= (uint32_t) (any != 0) << i;
    }
}

void key_apply_mask(struct key *key, const struct mask *mask)
{
    uint64_t *words = (uint64_t *) key;
    for (int i = 0; i < KEY_WORDS; i++) {
        words[i] &= key_words(&mask->bits)[i];
    }
}

bool mask_equal(const struct mask *a, const struct mask *b)
{
    return a->blocks == b->blocks && !memcmp(&a->bits, &b->bits, sizeof a->bits);
}

bool mask_contains(const struct mask *outer, const struct mask *inner)
{
    uint64_t missing = 0;
    for (int i = 0; i < KEY_WORDS; i++) {
        missing |= key_words(&inner->bits)[i] & ~key_words(&outer->bits)[i];
    }
    return !missing;
}

void mask_union(struct mask *to, const struct mask *from)
{
    uint64_t *words = (uint64_t *) &to->bits;
    for (int i = 0; i < KEY_WORDS; i++) {
        words[i] |= key_words(&from->bits)[i];
    }
    to->blocks |= from->blocks;
}

unsigned mask_count_bits(const struct mask *mask)
{
    unsigned n = 0;
    for (int i = 0; i < KEY_WORDS; i++) {
        n += __builtin_popcountll(key_words(&mask->bits)[i]);
    }
    return n;
}
