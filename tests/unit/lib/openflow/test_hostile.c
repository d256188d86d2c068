/* SPDX-License-Identifier: Apache-2.0 */
/* Valid messages cut short and with flipped bits: nothing is read past the end (sanitizers watch), nothing hangs. */
#include "tests/unit/lib/openflow/openflow_tests.h"

/* The message in memory of exactly its size. */
static void decode(const uint8_t *p, size_t n)
{
    uint8_t *copy = xmalloc(n ? n : 1);
    struct text t = TEXT_INIT;
    memcpy(copy, p, n);
    if (n >= 4) {
        put_be16(copy + 2, n);
    }
    ofp_message_format(copy, n, NULL, 3, &t);
    ck_assert_uint_gt(t.len, 0);
    text_fini(&t);
    free(copy);
}

START_TEST(samples_are_valid)
{
    struct buffer b = BUFFER_INIT;
    unsigned n = 0;
    put_samples(&b);
    for (const uint8_t *p = NULL; (p = next_sample(&b, p)); n++) {
        struct text t = TEXT_INIT;
        ofp_message_format(p, ofp_message_length(p), NULL, 0, &t);
        ck_assert_msg(!strstr(text_str(&t), "decode error"), "%s", text_str(&t));
        text_fini(&t);
    }
    ck_assert_uint_gt(n, 300);
    buffer_fini(&b);
}
END_TEST

START_TEST(cut_short_at_every_byte)
{
    struct buffer b = BUFFER_INIT;
    put_samples(&b);
    for (const uint8_t *p = NULL; (p = next_sample(&b, p));) {
        size_t length = ofp_message_length(p);
        for (size_t n = 0; n < length; n += length > 400 ? 7 : 1) {
            decode(p, n);
        }
    }
    buffer_fini(&b);
}
END_TEST

START_TEST(flipped_bits)
{
    struct buffer b = BUFFER_INIT;
    uint32_t seed = 12345;
    put_samples(&b);
    for (const uint8_t *p = NULL; (p = next_sample(&b, p));) {
        size_t n = ofp_message_length(p);
        uint8_t *copy = xmalloc(n);
        for (int round = 0; round < 60; round++) {
            memcpy(copy, p, n);
            for (int flips = 0; flips <= round % 4; flips++) {
                seed = seed * 1664525 + 1013904223;
                copy[(seed >> 8) % n] ^= 1 << (seed >> 29);
            }
            decode(copy, n);
        }
        free(copy);
    }
    buffer_fini(&b);
}
END_TEST

TCase *hostile_tcase(void)
{
    TCase *t = tcase_create("hostile");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, samples_are_valid);
    tcase_add_test(t, cut_short_at_every_byte);
    tcase_add_test(t, flipped_bits);
    return t;
}
