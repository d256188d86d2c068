/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums against the slowest way to compute them. */
#include <stdlib.h>

#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "tests/unit/lib/packet/packet_tests.h"

static void fill(uint8_t *p, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = seed >> 24;
    }
}

START_TEST(sums_of_all_lengths_and_places)
{
    uint8_t bytes[400];
    fill(bytes, sizeof bytes, 1);
    for (size_t at = 0; at < 9; at++) {
        for (size_t n = 0; n < 300; n++) {
            uint16_t expected = ~naive_sum(bytes + at, n);
            ck_assert_uint_eq(be16toh(csum(bytes + at, n)), expected);
            /* In two pieces, the first of even length. */
            size_t first = n / 3 & ~1u;
            uint32_t sum = csum_add(csum_add(0, bytes + at, first), bytes + at + first, n - first);
            ck_assert_uint_eq(be16toh(csum_finish(sum)), expected);
        }
    }
    memset(bytes, 0xff, sizeof bytes);
    ck_assert_uint_eq(csum(bytes, sizeof bytes), 0);
}
END_TEST

START_TEST(long_sums_do_not_overflow)
{
    static uint8_t bytes[70000];
    memset(bytes, 0xff, sizeof bytes);
    bytes[0] = 0xfe;
    ck_assert_uint_eq(be16toh(csum(bytes, sizeof bytes)), (uint16_t) ~naive_sum(bytes, sizeof bytes));
}
END_TEST

START_TEST(pseudo_headers)
{
    uint8_t four[12] = { 10, 0, 0, 1, 192, 168, 255, 254, 0, 17, 0x12, 0x34 };
    be32 src, dst;
    memcpy(&src, four, 4);
    memcpy(&dst, four + 4, 4);
    ck_assert_uint_eq(csum_finish(csum_pseudo4(src, dst, 17, 0x1234)), csum(four, sizeof four));

    uint8_t six[40];
    fill(six, 32, 3);
    put_be32(six + 32, 70000);
    put_be32(six + 36, 58);
    ck_assert_uint_eq(csum_finish(csum_pseudo6(six, six + 16, 58, 70000)), csum(six, sizeof six));
}
END_TEST

START_TEST(updates_equal_new_sums)
{
    uint8_t bytes[64];
    for (uint32_t round = 0; round < 2000; round++) {
        fill(bytes, sizeof bytes, round);
        if (round % 5 == 0) {
            memset(bytes, round % 2 ? 0xff : 0, 32);
        }
        put_be16(bytes + 10, 0);
        be16 sum = csum(bytes, sizeof bytes);
        memcpy(bytes + 10, &sum, 2);
        size_t at = 12 + round % 20 * 2, n = 2 + round % 5 * 2;
        uint8_t old[16];
        memcpy(old, bytes + at, n);
        fill(bytes + at, n, round * 7 + 1);
        be16 updated = csum_update(sum, old, bytes + at, n);
        memcpy(bytes + 10, &updated, 2);
        ck_assert_uint_eq(csum(bytes, sizeof bytes), 0);
    }
}
END_TEST

START_TEST(crc32c_of_known_texts)
{
    /* RFC 3720 appendix B.4. */
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    ck_assert_uint_eq(crc32c(bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    ck_assert_uint_eq(crc32c(bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) {
        bytes[i] = i;
    }
    ck_assert_uint_eq(crc32c(bytes, 32), 0x46dd794e);
    ck_assert_uint_eq(crc32c("123456789", 9), 0xe3069283);
    ck_assert_uint_eq(crc32c("", 0), 0);
}
END_TEST

/* What a partial checksum becomes must be what a sender would have computed at once. */
START_TEST(completion)
{
    for (int i = 0; i < 64; i++) {
        struct recipe r = {
            .n_vlans = i % 3, .ip6 = i & 1, .proto = i & 2 ? IP_PROTO_TCP : IP_PROTO_UDP,
            .extensions = i & 4 ? 16 : 0, .tcp_options = i & 8 ? 12 : 0, .payload = i & 16 ? 3001 : 101, .partial = true,
        };
        struct packet *p = make_packet(NULL, &r);
        r.partial = false;
        struct packet *q = make_packet(NULL, &r);
        ck_assert(packet_csum_is_valid(q));
        ck_assert(packet_csum_is_valid(p));
        packet_csum_complete(p);
        ck_assert_uint_eq(p->offload, OFFLOAD_CSUM_VALID);
        p->offload = 0;
        ck_assert(packet_csum_is_valid(p));
        ck_assert_uint_eq(p->head_len, q->head_len);
        ck_assert_mem_eq(p->data, q->data, p->head_len);
        packet_csum_complete(p);
        ck_assert_mem_eq(p->data, q->data, p->head_len);

        p->data[p->payload_ofs] ^= 1;
        ck_assert(!packet_csum_is_valid(p));
        packet_free(p);
        packet_free(q);
    }
}
END_TEST

START_TEST(completion_over_an_odd_head)
{
    /* A tail that begins in the middle of a 16-bit word. */
    struct recipe r = { .proto = IP_PROTO_UDP, .payload = 5000, .partial = true };
    struct packet *p = make_packet(NULL, &r);
    ck_assert_ptr_nonnull(p->tail);
    ck_assert(packet_remove(p, 0, 1));   /* As if the link header were of 13 bytes: the head ends one byte earlier. */
    uint8_t *h = packet_push(p, 1);
    h[0] = 2;
    struct packet_tail *tail = p->tail;
    memmove(tail->bytes + 1, tail->bytes, p->tail_len);
    tail->bytes[0] = p->data[p->head_len - 1];
    p->head_len--;
    p->tail_len++;
    packet_csum_complete(p);
    p->offload = 0;
    ck_assert(packet_csum_is_valid(p));
    r.partial = false;
    struct packet *q = make_packet(NULL, &r);
    ck_assert_mem_eq(p->data, q->data, 60);
    packet_free(p);
    packet_free(q);
}
END_TEST

START_TEST(padding_and_absence)
{
    struct packet *p = make_packet(NULL, &(struct recipe) { .proto = IP_PROTO_UDP, .payload = 3, .padding = 15 });
    ck_assert(packet_csum_is_valid(p));
    packet_free(p);
    p = make_packet(NULL, &(struct recipe) { .proto = IP_PROTO_UDP, .payload = 3, .no_udp_csum = true });
    ck_assert(packet_csum_is_valid(p));
    packet_free(p);
    p = make_packet(NULL, &(struct recipe) { .proto = IP_PROTO_TCP, .payload = 3 });
    p->offload = OFFLOAD_CSUM_VALID;
    p->data[p->l4_ofs] ^= 1;
    ck_assert(packet_csum_is_valid(p));
    p->offload = 0;
    ck_assert(!packet_csum_is_valid(p));
    packet_free(p);
}
END_TEST

TCase *csum_tcase(void)
{
    TCase *tc = tcase_create("csum");
    tcase_add_test(tc, sums_of_all_lengths_and_places);
    tcase_add_test(tc, long_sums_do_not_overflow);
    tcase_add_test(tc, pseudo_headers);
    tcase_add_test(tc, updates_equal_new_sums);
    tcase_add_test(tc, crc32c_of_known_texts);
    tcase_add_test(tc, completion);
    tcase_add_test(tc, completion_over_an_odd_head);
    tcase_add_test(tc, padding_and_absence);
    return tc;
}
