/* SPDX-License-Identifier: Apache-2.0 */
/* Matches: sets of packets, compared and combined. */
#include "lib/flow/match.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"

static const uint64_t *words_of(const struct fields *f)
{
    return (const uint64_t *) f;
}

void match_init_any(struct match *m)
{
    memset(m, 0, sizeof *m);
}

void match_set(struct match *m, const struct field *f, const union field_value *value, const union field_value *mask)
{
    field_set_match(f, value, mask, &m->value, &m->mask);
}

bool match_equal(const struct match *a, const struct match *b)
{
    return !memcmp(a, b, sizeof *a);
}

bool match_is_any(const struct match *m)
{
    uint64_t any = 0;
    for (int i = 0; i < FIELDS_WORDS; i++) {
        any |= words_of(&m->mask)[i];
    }
    return !any;
}

uint32_t match_hash(const struct match *m, uint32_t basis)
{
    return hash_bytes(m, sizeof *m, basis);
}

bool match_covers_fields(const struct match *m, const struct fields *f)
{
    uint64_t differ = 0;
    for (int i = 0; i < FIELDS_WORDS; i++) {
        differ |= (words_of(&m->value)[i] ^ words_of(f)[i]) & words_of(&m->mask)[i];
    }
    return !differ;
}

bool match_covers(const struct match *a, const struct match *b)
{
    uint64_t differ = 0;
    for (int i = 0; i < FIELDS_WORDS; i++) {
        uint64_t mask = words_of(&a->mask)[i];
        differ |= (mask & ~words_of(&b->mask)[i]) | ((words_of(&a->value)[i] ^ words_of(&b->value)[i]) & mask);
    }
    return !differ;
}

bool match_overlaps(const struct match *a, const struct match *b)
{
    uint64_t differ = 0;
    for (int i = 0; i < FIELDS_WORDS; i++) {
        differ |= (words_of(&a->value)[i] ^ words_of(&b->value)[i]) & words_of(&a->mask)[i] & words_of(&b->mask)[i];
    }
    return !differ;
}

/* One round; clearing a field may take away another's prerequisite. */
static bool normalise_once(struct match *m)
{
    struct fields failing, holding;
    memset(&failing, 0, sizeof failing);
    memset(&holding, 0, sizeof holding);
    for (int i = 0; i < FIELD_N; i++) {
        const struct field *f = &field_rows[i];
        if (f->prerequisite != PREREQUISITE_NONE && field_is_masked(f, &m->mask)) {
            field_mask_add(f, NULL, field_prerequisite_holds(f, &m->value, NULL) ? &holding : &failing);
        }
    }
    uint64_t *value = (uint64_t *) &m->value, *mask = (uint64_t *) &m->mask, cleared = 0;
    for (int i = 0; i < FIELDS_WORDS; i++) {
        /* Several fields may lie in one place; it keeps its meaning while one of them holds. */
        uint64_t clear = mask[i] & words_of(&failing)[i] & ~words_of(&holding)[i];
        cleared |= clear;
        mask[i] &= ~clear;
        value[i] &= ~clear;
    }
    return cleared;
}

bool match_normalise(struct match *m)
{
    bool any = false;
    while (normalise_once(m)) {
        any = true;
    }
    return any;
}

/* ---- The small form ---- */

void minimatch_init(struct minimatch *mini, const struct match *m)
{
    mini->map[0] = mini->map[1] = 0;
    mini->n_words = 0;
    for (int i = 0; i < FIELDS_WORDS; i++) {
        if (words_of(&m->mask)[i]) {
            mini->map[i / 64] |= UINT64_C(1) << i % 64;
            mini->n_words++;
        }
    }
    mini->words = xcalloc(MAX(2 * mini->n_words, 1), sizeof *mini->words);
    uint64_t *to = mini->words;
    for (int i = 0; i < FIELDS_WORDS; i++) {
        if (words_of(&m->mask)[i]) {
            to[mini->n_words] = words_of(&m->mask)[i];
            *to++ = words_of(&m->value)[i];
        }
    }
}

void minimatch_fini(struct minimatch *mini)
{
    free(mini->words);
    mini->words = NULL;
    mini->n_words = 0;
    mini->map[0] = mini->map[1] = 0;
}

void minimatch_expand(const struct minimatch *mini, struct match *m)
{
    match_init_any(m);
    const uint64_t *from = mini->words;
    for (int half = 0; half < 2; half++) {
        for (uint64_t map = mini->map[half]; map; map &= map - 1) {
            int i = half * 64 + __builtin_ctzll(map);
            ((uint64_t *) &m->mask)[i] = from[mini->n_words];
            ((uint64_t *) &m->value)[i] = *from++;
        }
    }
}

bool minimatch_equal(const struct minimatch *a, const struct minimatch *b)
{
    return a->map[0] == b->map[0] && a->map[1] == b->map[1] &&
           !memcmp(a->words, b->words, 2 * a->n_words * sizeof *a->words);
}

bool minimatch_covers_fields(const struct minimatch *mini, const struct fields *f)
{
    const uint64_t *value = mini->words, *mask = mini->words + mini->n_words;
    for (int half = 0; half < 2; half++) {
        for (uint64_t map = mini->map[half]; map; map &= map - 1) {
            int i = half * 64 + __builtin_ctzll(map);
            if ((*value++ ^ words_of(f)[i]) & *mask++) {
                return false;
            }
        }
    }
    return true;
}
