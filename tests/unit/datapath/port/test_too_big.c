/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP answers to packets that do not fit a tunnel. */
#include <stdlib.h>

#include "datapath/tunnel/too_big.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "tests/unit/datapath/port/port_tests.h"
#include "tests/unit/lib/packet/packet_tests.h"

START_TEST(answers_go_back_with_the_mtu)
{
    bool ip6 = _i & 1;
    struct recipe r = { .n_vlans = _i >> 1, .ip6 = ip6, .proto = _i & 4 ? IP_PROTO_UDP : IP_PROTO_TCP,
                        .payload = 1460 };
    struct packet *p = make_packet(NULL, &r);
    struct packet *a = too_big_answer(NULL, p, 1450);
    ck_assert_ptr_nonnull(a);
    uint32_t l3 = p->l3_ofs;
    const uint8_t *ip = a->data + l3, *was = p->data + l3;
    ck_assert_mem_eq(a->data, p->data + 6, 6);
    ck_assert_mem_eq(a->data + 6, p->data, 6);
    ck_assert_mem_eq(a->data + 12, p->data + 12, l3 - 12);
    const uint8_t *icmp = ip + (ip6 ? 40 : 20);
    if (ip6) {
        ck_assert_mem_eq(ip + 8, was + 24, 16);
        ck_assert_mem_eq(ip + 24, was + 8, 16);
        ck_assert_uint_eq(icmp[0], ICMP6_PACKET_TOO_BIG);
        ck_assert_uint_eq(get_be32(icmp + 4), 1450);
        ck_assert_uint_eq(packet_len(a) - l3, 1280);
    } else {
        ck_assert_mem_eq(ip + 12, was + 16, 4);
        ck_assert_mem_eq(ip + 16, was + 12, 4);
        ck_assert_uint_eq(icmp[0], ICMP4_UNREACH);
        ck_assert_uint_eq(icmp[1], ICMP4_FRAG_NEEDED);
        ck_assert_uint_eq(get_be16(icmp + 6), 1450);
        ck_assert_uint_eq(packet_len(a) - l3, 576);
        ck_assert_uint_eq(csum(ip, 20), 0);
    }
    ck_assert_mem_eq(icmp + 8, was, packet_len(a) - (icmp + 8 - a->data));
    a->l3_ofs = l3;
    ck_assert(packet_csum_is_valid(a));
    packet_free(a);
    packet_free(p);
}
END_TEST

/* Bytes of a plain IPv4 packet that, changed, make an answer undue: the offset in the frame. */
static const struct {
    const char *sentence;
    uint32_t at;
    uint8_t value;
} undue[] = {
    { "to a group's Ethernet address", 0, 0x01 }, { "from one", 6, 0x01 }, { "to an IP group", 30, 224 },
    { "a later fragment", 21, 1 },                { "not IP", 12, 0x88 },  { "to nobody", 30, 0 },
};

START_TEST(no_answer_is_due)
{
    struct recipe r = { .proto = IP_PROTO_UDP, .payload = 1460 };
    struct packet *p = make_packet(NULL, &r);
    p->data[undue[_i].at] = undue[_i].value;
    if (undue[_i].at == 12) {
        p->l3_ofs = 0;
    }
    ck_assert_msg(!too_big_answer(NULL, p, 1450), "%s", undue[_i].sentence);
    packet_free(p);
}
END_TEST

START_TEST(no_answer_to_icmp_errors)
{
    struct recipe r = { .ip6 = _i, .proto = IP_PROTO_UDP, .payload = 1460 };
    struct packet *p = make_packet(NULL, &r);
    p->data[p->l3_ofs + (_i ? 6 : 9)] = _i ? IP_PROTO_ICMP6 : IP_PROTO_ICMP;
    p->data[p->l4_ofs] = _i ? 1 : ICMP4_TIME_EXCEEDED;
    ck_assert_ptr_null(too_big_answer(NULL, p, 1450));
    p->data[p->l4_ofs] = _i ? ICMP6_ECHO : ICMP4_ECHO;
    struct packet *a = too_big_answer(NULL, p, 1450);
    ck_assert_ptr_nonnull(a);
    packet_free(a);
    packet_free(p);
}
END_TEST

TCase *too_big_tcase(void)
{
    TCase *t = tcase_create("too_big");
    tcase_add_loop_test(t, answers_go_back_with_the_mtu, 0, 8);
    tcase_add_loop_test(t, no_answer_is_due, 0, ARRAY_SIZE(undue));
    tcase_add_loop_test(t, no_answer_to_icmp_errors, 0, 2);
    return t;
}
