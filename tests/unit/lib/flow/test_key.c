/* SPDX-License-Identifier: Apache-2.0 */
/* Keys under masks, against the byte-wise way. */
#include "lib/flow/fields.h"
#include "tests/unit/lib/flow/flow_tests.h"
#include "tests/unit/lib/flow/random.h"

/* A mask of a few bytes. */
static void roll_mask(struct dice *d, struct mask *mask)
{
    memset(mask, 0, sizeof *mask);
    for (uint32_t n = roll(d, 6); n > 0; n--) {
        ((uint8_t *) &mask->bits)[roll(d, sizeof mask->bits)] = roll(d, 256);
    }
    mask_seal(mask);
}

START_TEST(masked_compare)
{
    struct dice d = { 1 };
    int n_equal = 0;
    for (int i = 0; i < 5000; i++) {
        struct key a, b;
        struct mask mask;
        roll_bytes(&d, &a, sizeof a);
        b = a;
        for (uint32_t n = roll(&d, 400); n > 0; n--) {
            ((uint8_t *) &b)[roll(&d, sizeof b)] ^= 1 << roll(&d, 8);
        }
        roll_mask(&d, &mask);
        bool expected = true;
        for (size_t j = 0; j < sizeof a; j++) {
            expected &= !((((uint8_t *) &a)[j] ^ ((uint8_t *) &b)[j]) & ((uint8_t *) &mask.bits)[j]);
        }
        ck_assert_int_eq(key_equal_masked(&a, &b, &mask), expected);
        n_equal += expected;
        if (expected) {
            ck_assert_uint_eq(key_hash_masked(&a, &mask, 7), key_hash_masked(&b, &mask, 7));
            key_apply_mask(&b, &mask);
            ck_assert(key_equal_masked(&a, &b, &mask));
        } else {
            ck_assert_uint_ne(key_hash_masked(&a, &mask, 7), key_hash_masked(&b, &mask, 7));
        }
    }
    ck_assert(n_equal > 500 && n_equal < 4500);
}
END_TEST

START_TEST(mask_algebra)
{
    struct dice d = { 2 };
    int n_contained = 0;
    for (int i = 0; i < 5000; i++) {
        struct mask a, b, u;
        roll_mask(&d, &a);
        roll_mask(&d, &b);
        u = a;
        mask_union(&u, &b);
        ck_assert(mask_contains(&u, &a) && mask_contains(&u, &b));
        unsigned bits = 0;
        bool contained = true, joined = true;
        for (size_t j = 0; j < sizeof u.bits; j++) {
            uint8_t x = ((uint8_t *) &a.bits)[j], y = ((uint8_t *) &b.bits)[j];
            joined &= ((uint8_t *) &u.bits)[j] == (x | y);
            bits += __builtin_popcount(x | y);
            contained &= !(y & ~x);
        }
        ck_assert(joined);
        ck_assert_uint_eq(mask_count_bits(&u), bits);
        ck_assert_int_eq(mask_contains(&a, &b), contained);
        n_contained += contained;
        uint32_t blocks = u.blocks;
        mask_seal(&u);
        ck_assert_uint_eq(u.blocks, blocks);
        ck_assert(mask_equal(&u, &u));
        ck_assert_int_eq(mask_equal(&a, &b), !memcmp(&a.bits, &b.bits, sizeof a.bits));
    }
    ck_assert(n_contained > 100);
}
END_TEST

START_TEST(hash_of_one_bit)
{
    /* Every bit under the mask changes the hash, also when two blocks hold the same words. */
    struct key key;
    struct mask mask;
    memset(&key, 0, sizeof key);
    memset(&mask, 0xff, sizeof mask);
    mask_seal(&mask);
    uint64_t before = key_hash_masked(&key, &mask, 99);
    for (size_t bit = 0; bit < sizeof key * 8; bit++) {
        ((uint8_t *) &key)[bit / 8] ^= 1 << bit % 8;
        ck_assert_uint_ne(key_hash_masked(&key, &mask, 99), before);
        ((uint8_t *) &key)[bit / 8] ^= 1 << bit % 8;
    }
    key.words[0][0] = 1;
    uint64_t first = key_hash_masked(&key, &mask, 99);
    key.words[0][0] = 0;
    key.words[1][0] = 1;
    ck_assert_uint_ne(key_hash_masked(&key, &mask, 99), first);
}
END_TEST

START_TEST(members_are_all_that_carries_meaning)
{
    /* Each byte is in one member, except for those called padding. */
    uint8_t owner[sizeof(struct key)] = { 0 };
    uint16_t last = 0;
    for (int i = 0; i < KEY_N_MEMBERS; i++) {
        const struct key_member *m = &key_members[i];
        ck_assert_uint_gt(m->number, last);
        last = m->number;
        ck_assert(m->ofs + m->size <= sizeof(struct key));
        for (uint32_t j = 0; j < m->size; j++) {
            ck_assert_msg(!owner[m->ofs + j], "%s overlaps another member", m->name);
            owner[m->ofs + j] = 1;
        }
    }
    ck_assert_uint_eq(last, KEY_MAX_MEMBER);
    static const struct { size_t ofs, n; } padding[] = {
#define PAD(MEMBER) { offsetof(struct key, MEMBER), sizeof(((struct key *) 0)->MEMBER) }
        PAD(meta.pad), PAD(l2.pad1), PAD(l2.pad), PAD(l3.pad), PAD(l4.igmp_pad), PAD(l4.pad), PAD(tunnel.pad), PAD(ct.pad1),
    };
    for (size_t i = 0; i < ARRAY_SIZE(padding); i++) {
        for (size_t j = 0; j < padding[i].n; j++) {
            ck_assert(!owner[padding[i].ofs + j]);
            owner[padding[i].ofs + j] = 1;
        }
    }
    for (size_t i = 0; i < sizeof owner; i++) {
        ck_assert_msg(owner[i], "byte %zu of the key is in no member", i);
    }
}
END_TEST

TCase *key_tcase(void)
{
    TCase *tc = tcase_create("key");
    tcase_add_test(tc, masked_compare);
    tcase_add_test(tc, mask_algebra);
    tcase_add_test(tc, hash_of_one_bit);
    tcase_add_test(tc, members_are_all_that_carries_meaning);
    return tc;
}
