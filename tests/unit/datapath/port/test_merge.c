/* SPDX-License-Identifier: Apache-2.0 */
/* Joining segments undoes cutting them, and joins nothing else. */
#include <stdlib.h>

#include "datapath/tunnel/merge.h"
#include "lib/base/random.h"
#include "lib/packet/csum.h"
#include "lib/packet/gso.h"
#include "lib/packet/headers.h"
#include "tests/unit/datapath/port/port_tests.h"
#include "tests/unit/lib/packet/packet_tests.h"

static struct packet_pool *pool;

static void setup(void)
{
    pool = packet_pool_create(512, 16);
}

static void teardown(void)
{
    packet_pool_destroy(pool);
}

static void set_df(struct packet *p, bool ip6)
{
    if (!ip6) {
        uint8_t *ip = p->data + p->l3_ofs;
        put_be16(ip + 6, IP4_DF);
        memset(ip + 10, 0, 2);
        be16 sum = csum(ip, 20);
        memcpy(ip + 10, &sum, 2);
    }
}

/* A TCP packet and the segments that packet_segment() makes of it. */
static struct packet *make_segments(const struct recipe *r, uint16_t gso_size, struct packet **list)
{
    struct packet *p = make_packet(pool, r);
    set_df(p, r->ip6);
    p->gso = r->ip6 ? GSO_TCP6 : GSO_TCP4;
    p->gso_size = gso_size;
    p->gso_segs = DIV_ROUND_UP(r->payload, gso_size);
    ck_assert_uint_gt(packet_segment(pool, p, gso_size, false, list), 0);
    return p;
}

static bool add(struct merge *m, const struct packet *p)
{
    size_t n;
    uint8_t *bytes = packet_linear(p, &n);
    bool added = merge_add(m, pool, bytes, n);
    free(bytes);
    return added;
}

static void free_list(struct packet *list)
{
    while (list) {
        struct packet *next = list->next;
        packet_free(list);
        list = next;
    }
}

START_TEST(merging_undoes_segmentation)
{
    for (int round = 0; round < 40; round++) {
        struct recipe r = {
            .n_vlans = random_range(3), .ip6 = random_range(2), .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK | TCP_PSH,
            .tcp_options = 4 * random_range(10), .payload = 2 + random_range(60000), .partial = true,
        };
        uint16_t gso_size = 500 + random_range(960);
        struct packet *list, *p = make_segments(&r, gso_size, &list);
        struct merge m = { .p = NULL };
        for (struct packet *s = list; s; s = s->next) {
            ck_assert(add(&m, s));
        }
        struct packet *joined = merge_finish(&m);
        ck_assert_ptr_nonnull(joined);
        if (list->next) {
            ck_assert_uint_eq(joined->gso_size, gso_size);
            ck_assert_uint_eq(joined->gso_segs, p->gso_segs);
            ck_assert_uint_eq(joined->offload, OFFLOAD_CSUM_PARTIAL);
            ck_assert_uint_eq(joined->csum_start, p->csum_start);
        } else {
            packet_csum_complete(p);
            ck_assert_uint_eq(joined->gso_size, 0);
        }
        size_t n, n_joined;
        uint8_t *bytes = packet_linear(p, &n), *bytes_joined = packet_linear(joined, &n_joined);
        ck_assert_uint_eq(n, n_joined);
        ck_assert_mem_eq(bytes, bytes_joined, n);
        free(bytes);
        free(bytes_joined);
        free_list(list);
        packet_free(joined);
        packet_free(p);
    }
}
END_TEST

/* What one changed byte of the second segment does: 'at' from the transport header, or from the IP header if negative. */
static const struct {
    const char *sentence;
    int at;
    uint8_t xor;
    bool fix_csum;
} changes[] = {
    { "another flow", 1, 1, true },           { "a gap in the sequence", 7, 1, true },
    { "another acknowledgement", 11, 1, true }, { "FIN", 13, TCP_FIN, true },
    { "SYN", 13, TCP_SYN, true },             { "CWR", 13, TCP_CWR, true },
    { "another window", 15, 1, true },        { "another option", 21, 1, true },
    { "a wrong checksum", 17, 1, false },     { "damaged payload", 40, 1, false },
    { "another TTL", -12, 1, true },          { "another TOS", -19, 4, true },
    { "a fragment", -14, 0x20, true },        { "another address", -4, 1, true },
};

START_TEST(what_differs_is_not_joined)
{
    struct recipe r = { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .tcp_options = 12, .payload = 2000,
                        .partial = true };
    struct packet *list, *p = make_segments(&r, 1000, &list);
    struct packet *second = list->next;
    uint8_t *ip = second->data + 14;
    struct merge m = { .p = NULL };
    second->data[34 + changes[_i].at] ^= changes[_i].xor;
    if (changes[_i].fix_csum) {
        struct ip4_header *h = (void *) ip;
        uint32_t len = packet_len(second) - 34;
        h->csum = 0;
        h->csum = csum(h, 20);
        memset(ip + 36, 0, 2);
        be16 sum = csum_finish(csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_TCP, len), ip + 20, len));
        memcpy(ip + 36, &sum, 2);
    }
    ck_assert(add(&m, list));
    ck_assert_msg(!add(&m, second), "%s was joined", changes[_i].sentence);
    struct packet *joined = merge_finish(&m);
    ck_assert_uint_eq(joined->gso_size, 0);
    packet_free(joined);
    free_list(list);
    packet_free(p);
}
END_TEST

START_TEST(nothing_follows_a_short_segment)
{
    struct recipe r = { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 2500, .partial = true };
    struct packet *list, *p = make_segments(&r, 1000, &list);
    struct merge m = { .p = NULL };
    struct packet *third = list->next->next;
    ck_assert(add(&m, list) && add(&m, list->next) && add(&m, third));
    ck_assert(!add(&m, third));
    packet_free(merge_finish(&m));
    free_list(list);
    packet_free(p);
}
END_TEST

START_TEST(bytes_that_are_no_segments_are_left)
{
    struct merge m = { .p = NULL };
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[128];
        size_t n = random_range(sizeof bytes);
        for (size_t k = 0; k < n; k++) {
            bytes[k] = random_u32();
        }
        if (n > 20) {
            memcpy(bytes + 12, "\x08\x00\x45", 3);
            put_be16(bytes + 16, n - 14);
        }
        ck_assert(!merge_add(&m, pool, bytes, n) || m.p);
        packet_free(merge_finish(&m));
    }
}
END_TEST

TCase *merge_tcase(void)
{
    TCase *t = tcase_create("merge");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, merging_undoes_segmentation);
    tcase_add_loop_test(t, what_differs_is_not_joined, 0, ARRAY_SIZE(changes));
    tcase_add_test(t, nothing_follows_a_short_segment);
    tcase_add_test(t, bytes_that_are_no_segments_are_left);
    return t;
}
