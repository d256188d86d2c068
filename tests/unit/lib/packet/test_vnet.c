/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-net header in both directions. */
#include "lib/packet/gso.h"
#include "lib/packet/headers.h"
#include "lib/packet/vnet.h"
#include "tests/unit/lib/packet/packet_tests.h"

START_TEST(nothing_offloaded)
{
    struct packet *p = make_packet(NULL, &(struct recipe) { .proto = 17, .payload = 10 });
    struct vnet_header h = { 0 }, back;
    memset(&back, 0xff, sizeof back);
    ck_assert(vnet_to_packet(&h, false, p));
    ck_assert(!p->offload && !p->gso && p->gso_segs == 1);
    vnet_from_packet(p, &back);
    ck_assert_mem_eq(&h, &back, sizeof h);
    packet_free(p);
}
END_TEST

START_TEST(checked_by_somebody)
{
    struct packet *p = make_packet(NULL, &(struct recipe) { .proto = 17, .payload = 10 });
    struct vnet_header h = { .flags = 2 }, back;
    ck_assert(vnet_to_packet(&h, false, p));
    ck_assert_uint_eq(p->offload, OFFLOAD_CSUM_VALID);
    vnet_from_packet(p, &back);
    ck_assert_uint_eq(back.flags, 2);
    packet_free(p);
}
END_TEST

START_TEST(partial_beside_a_tag)
{
    struct packet *p = make_packet(NULL, &(struct recipe) { .n_vlans = 1, .proto = 17, .payload = 10 });
    struct vnet_header h = { .flags = 1, .csum_start = 34, .csum_offset = 6 };
    ck_assert(vnet_to_packet(&h, true, p));
    ck_assert_uint_eq(p->csum_start, p->l4_ofs);
    ck_assert_uint_eq(p->offload, OFFLOAD_CSUM_PARTIAL);
    ck_assert(vnet_to_packet(&h, false, p));
    ck_assert_uint_eq(p->csum_start, 34);
    packet_free(p);
}
END_TEST

START_TEST(gso_round_trip)
{
    static const struct { uint8_t type, proto, gso; bool ip6; } rows[] = {
        { 1, IP_PROTO_TCP, GSO_TCP4, false }, { 0x81, IP_PROTO_TCP, GSO_TCP4, false },
        { 4, IP_PROTO_TCP, GSO_TCP6, true }, { 5, IP_PROTO_UDP, GSO_UDP, false }, { 5, IP_PROTO_UDP, GSO_UDP, true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct packet *p = make_packet(NULL, &(struct recipe) { .ip6 = rows[i].ip6, .proto = rows[i].proto,
                                                                .tcp_options = 12, .payload = 10001 });
        struct vnet_header h = {
            .flags = 1, .gso_type = rows[i].type, .hdr_len = p->payload_ofs, .gso_size = 1000, .csum_start = p->l4_ofs,
            .csum_offset = rows[i].proto == IP_PROTO_TCP ? 16 : 6,
        }, back;
        ck_assert(vnet_to_packet(&h, false, p));
        ck_assert_uint_eq(p->gso, rows[i].gso);
        ck_assert_uint_eq(p->gso_size, 1000);
        ck_assert_uint_eq(p->gso_segs, 11);
        ck_assert_int_eq(p->gso_ecn, rows[i].type == 0x81);
        vnet_from_packet(p, &back);
        ck_assert_mem_eq(&h, &back, sizeof h);
        packet_free(p);
    }
}
END_TEST

START_TEST(one_segment_is_no_gso)
{
    struct packet *p = make_packet(NULL, &(struct recipe) { .proto = 6, .payload = 900 });
    struct vnet_header h = { .flags = 1, .gso_type = 1, .gso_size = 1000, .csum_start = 34, .csum_offset = 16 };
    ck_assert(vnet_to_packet(&h, false, p));
    ck_assert_uint_eq(p->gso, GSO_NONE);
    ck_assert_uint_eq(p->gso_segs, 1);
    ck_assert_uint_eq(p->offload, OFFLOAD_CSUM_PARTIAL);
    packet_free(p);
}
END_TEST

START_TEST(bad_headers_are_refused)
{
    static const struct { const char *sentence; struct vnet_header h; } rows[] = {
        { "fragmentation of UDP", { 1, 3, 42, 1000, 34, 6 } },
        { "an unknown type", { 1, 2, 42, 1000, 34, 16 } },
        { "a checksum beyond the head", { 1, 0, 0, 0, 34, 60000 } },
        { "a start beyond the head", { 1, 0, 0, 0, 60000, 16 } },
        { "a start within the link header", { 1, 0, 0, 0, 4, 6 } },
        { "segments of no size", { 1, 1, 54, 0, 34, 16 } },
        { "segments and a finished checksum", { 0, 1, 54, 1000, 0, 0 } },
        { "a TCP checksum in a strange place", { 1, 1, 54, 1000, 34, 6 } },
        { "more segments than any MSS makes", { 1, 1, 54, 1, 34, 16 } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct packet *p = make_packet(NULL, &(struct recipe) { .proto = 6, .payload = 5000 });
        ck_assert_msg(!vnet_to_packet(&rows[i].h, false, p), "accepted %s", rows[i].sentence);
        packet_free(p);
    }
}
END_TEST

TCase *vnet_tcase(void)
{
    TCase *tc = tcase_create("vnet");
    tcase_add_test(tc, nothing_offloaded);
    tcase_add_test(tc, checked_by_somebody);
    tcase_add_test(tc, partial_beside_a_tag);
    tcase_add_test(tc, gso_round_trip);
    tcase_add_test(tc, one_segment_is_no_gso);
    tcase_add_test(tc, bad_headers_are_refused);
    return tc;
}
