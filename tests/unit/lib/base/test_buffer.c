/* SPDX-License-Identifier: Apache-2.0 */
/* Building messages and reading foreign bytes. */
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "tests/unit/unit.h"

START_TEST(builds_wire_order)
{
    struct buffer b = BUFFER_INIT;
    buffer_put_u8(&b, 1);
    buffer_put_be16(&b, 0x0203);
    buffer_put_be32(&b, 0x04050607);
    buffer_put_be64(&b, UINT64_C(0x08090a0b0c0d0e0f));
    buffer_pad(&b, 0, 8);
    ck_assert_uint_eq(b.len, 16);
    for (int i = 0; i < 15; i++) {
        ck_assert_uint_eq(b.data[i], (unsigned) i + 1);
    }
    ck_assert_uint_eq(b.data[15], 0);
    buffer_pad(&b, 0, 8);
    ck_assert_uint_eq(b.len, 16);
    buffer_put(&b, "xyz", 3);
    buffer_pad(&b, 16, 4);
    ck_assert_uint_eq(b.len, 20);
    buffer_pull(&b, 16);
    ck_assert_mem_eq(b.data, "xyz\0", 4);
    buffer_pull(&b, 100);
    ck_assert_uint_eq(b.len, 0);
    buffer_put_zeros(&b, 1000);
    size_t n;
    uint8_t *stolen = buffer_steal(&b, &n);
    ck_assert_uint_eq(n, 1000);
    ck_assert_uint_eq(b.len, 0);
    free(stolen);
    buffer_fini(&b);
}
END_TEST

START_TEST(reads_what_is_there)
{
    static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    struct reader r = reader_of(bytes, sizeof bytes);
    ck_assert_uint_eq(reader_u8(&r), 1);
    ck_assert_uint_eq(reader_be16(&r), 0x0203);
    ck_assert_uint_eq(reader_be32(&r), 0x04050607);
    ck_assert_uint_eq(reader_be64(&r), UINT64_C(0x08090a0b0c0d0e0f));
    ck_assert_uint_eq(reader_left(&r), 0);
    ck_assert(!r.bad);
    ck_assert_ptr_nonnull(reader_get(&r, 0));
    ck_assert(!r.bad);
}
END_TEST

/* Every reader on every too short length: zero, 'bad', and nothing left. The bytes are in a heap
 * block of their exact length, so that a sanitizer sees a read past the end. */
START_TEST(never_reads_past_the_end)
{
    for (size_t n = 0; n < 8; n++) {
        uint8_t *bytes = xmalloc(n);
        memset(bytes, 0xff, n);
        struct reader r = reader_of(bytes, n);
        ck_assert_uint_eq(reader_be64(&r), 0);
        ck_assert(r.bad);
        ck_assert_uint_eq(reader_left(&r), 0);
        ck_assert_uint_eq(reader_u8(&r), 0);
        r = reader_of(bytes, n);
        ck_assert_uint_eq(reader_be32(&r), n >= 4 ? UINT32_MAX : 0);
        ck_assert_int_eq(r.bad, n < 4);
        r = reader_of(bytes, n);
        ck_assert_ptr_null(reader_get(&r, SIZE_MAX));
        ck_assert(r.bad);
        r = reader_of(bytes, n);
        reader_skip(&r, n + 1);
        ck_assert(r.bad);
        r = reader_of(bytes, n);
        struct reader sub = reader_sub(&r, n + 1);
        ck_assert(r.bad && sub.bad);
        ck_assert_uint_eq(reader_left(&sub), 0);
        r = reader_of(bytes, n);
        sub = reader_sub(&r, n / 2);
        ck_assert(!r.bad && !sub.bad);
        ck_assert_uint_eq(reader_left(&sub), n / 2);
        ck_assert_uint_eq(reader_left(&r), n - n / 2);
        free(bytes);
    }
}
END_TEST

TCase *buffer_tcase(void);
TCase *buffer_tcase(void)
{
    TCase *tc = tcase_create("buffer");
    tcase_add_test(tc, builds_wire_order);
    tcase_add_test(tc, reads_what_is_there);
    tcase_add_test(tc, never_reads_past_the_end);
    return tc;
}
