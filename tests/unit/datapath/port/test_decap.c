/* SPDX-License-Identifier: Apache-2.0 */
/* What is found out about packets that come out of a tunnel. */
#include <stdlib.h>

#include "datapath/tunnel/decap.h"
#include "datapath/tunnel/vxlan.h"
#include "lib/packet/csum.h"
#include "tests/unit/datapath/port/port_tests.h"
#include "tests/unit/lib/packet/packet_tests.h"

static const struct {
    const char *sentence;
    uint8_t header[8];
    size_t n;
    bool good;
    uint32_t vni;
    enum drop reason;
} headers[] = {
    { "a plain header", { 8, 0, 0, 0, 0, 0, 1, 0 }, 22, true, 1, 0 },
    { "the largest VNI", { 8, 0, 0, 0, 255, 255, 255, 0 }, 22, true, 16777215, 0 },
    { "reserved bits are ignored", { 0xff, 1, 2, 3, 0, 0x10, 0, 9 }, 22, true, 4096, 0 },
    { "no VNI flag", { 0, 0, 0, 0, 0, 0, 1, 0 }, 22, false, 0, DROP_TUNNEL_NO_KEY },
    { "all but the VNI flag", { 0xf7, 0, 0, 0, 0, 0, 1, 0 }, 60, false, 0, DROP_TUNNEL_NO_KEY },
    { "an Ethernet header that is one byte short", { 8, 0, 0, 0, 0, 0, 1, 0 }, 21, false, 0, DROP_TUNNEL_MALFORMED },
    { "no whole VXLAN header", { 8, 0, 0, 0, 0, 0, 1, 0 }, 7, false, 0, DROP_TUNNEL_MALFORMED },
    { "nothing", { 0 }, 0, false, 0, DROP_TUNNEL_MALFORMED },
};

START_TEST(headers_are_checked)
{
    /* Exactly as long as said, for the sanitizer to see. */
    uint8_t *payload = calloc(1, headers[_i].n + 1);
    uint8_t *bytes = payload + 1;
    memcpy(bytes, headers[_i].header, MIN(headers[_i].n, 8));
    uint32_t vni = 0;
    enum drop reason = 0;
    ck_assert_msg(vxlan_parse(bytes, headers[_i].n, &vni, &reason) == headers[_i].good, "%s", headers[_i].sentence);
    ck_assert_uint_eq(vni, headers[_i].vni);
    ck_assert_uint_eq(reason, headers[_i].reason);
    free(payload);
}
END_TEST

static const struct {
    const char *sentence;
    struct recipe r;
    uint32_t udp_gso;
    uint8_t offload;
    uint16_t gso_size;
} restores[] = {
    { "a complete checksum stays", { .proto = IP_PROTO_TCP, .payload = 100 }, 0, 0, 0 },
    { "a long packet with a complete checksum is no GSO", { .proto = IP_PROTO_TCP, .payload = 9000 }, 0, 0, 0 },
    { "a bare pseudo-header sum is partial", { .proto = IP_PROTO_TCP, .payload = 100, .partial = true }, 0,
      OFFLOAD_CSUM_PARTIAL, 0 },
    { "and so over IPv6", { .ip6 = true, .proto = IP_PROTO_TCP, .payload = 100, .partial = true }, 0,
      OFFLOAD_CSUM_PARTIAL, 0 },
    { "and for UDP", { .proto = IP_PROTO_UDP, .payload = 100, .partial = true }, 0, OFFLOAD_CSUM_PARTIAL, 0 },
    { "exactly the MTU", { .proto = IP_PROTO_TCP, .payload = 1460, .partial = true }, 0, OFFLOAD_CSUM_PARTIAL, 0 },
    { "longer than the MTU is GSO", { .proto = IP_PROTO_TCP, .payload = 1461, .partial = true }, 0,
      OFFLOAD_CSUM_PARTIAL, 1460 },
    { "64 KB", { .proto = IP_PROTO_TCP, .payload = 65000, .partial = true }, 0, OFFLOAD_CSUM_PARTIAL, 1460 },
    { "with TCP options", { .proto = IP_PROTO_TCP, .payload = 30000, .tcp_options = 12, .partial = true }, 0,
      OFFLOAD_CSUM_PARTIAL, 1448 },
    { "over IPv6 with a tag", { .ip6 = true, .n_vlans = 1, .proto = IP_PROTO_TCP, .payload = 30000, .partial = true },
      0, OFFLOAD_CSUM_PARTIAL, 1440 },
    { "UDP of the size that the kernel told", { .proto = IP_PROTO_UDP, .payload = 30000, .partial = true }, 1200,
      OFFLOAD_CSUM_PARTIAL, 1200 },
    { "UDP without a checksum", { .proto = IP_PROTO_UDP, .payload = 100, .no_udp_csum = true }, 0, 0, 0 },
};

START_TEST(offload_is_restored)
{
    struct packet *p = make_packet(NULL, &restores[_i].r);
    p->offload = 0;
    p->csum_start = p->csum_offset = 0;
    decap_restore_offload(p, restores[_i].udp_gso);
    ck_assert_msg(p->offload == restores[_i].offload && p->gso_size == restores[_i].gso_size,
                  "%s: offload %u, gso_size %u", restores[_i].sentence, p->offload, p->gso_size);
    if (p->offload) {
        ck_assert_uint_eq(p->csum_start, p->l4_ofs);
    }
    if (!p->gso_size) {
        /* Whatever was found, completing it yields a right packet. */
        packet_csum_complete(p);
        p->offload = 0;
        ck_assert(packet_csum_is_valid(p));
    } else {
        ck_assert_uint_eq(p->gso_segs, DIV_ROUND_UP(restores[_i].r.payload, p->gso_size));
    }
    packet_free(p);
}
END_TEST

START_TEST(congestion_is_marked)
{
    static const struct {
        uint8_t before, after;
        bool kept;
    } rows[] = { { 0, 0, false }, { 1, 3, true }, { 2, 3, true }, { 3, 3, true } };
    for (int ip6 = 0; ip6 < 2; ip6++) {
        struct recipe r = { .ip6 = ip6, .proto = IP_PROTO_UDP, .payload = 10 };
        struct packet *p = make_packet(NULL, &r);
        uint8_t *ip = p->data + 14;
        int shift = ip6 ? 4 : 0;
        ip[1] |= rows[_i].before << shift;
        if (!ip6) {
            memset(ip + 10, 0, 2);
            be16 sum = csum(ip, 20);
            memcpy(ip + 10, &sum, 2);
        }
        ck_assert_int_eq(decap_ecn(p), rows[_i].kept);
        if (rows[_i].kept) {
            ck_assert_uint_eq(ip[1] >> shift & 3, rows[_i].after);
            ck_assert(ip6 || !csum(ip, 20));
        }
        packet_free(p);
    }
}
END_TEST

START_TEST(one_packet_is_told_from_a_train)
{
    struct recipe r = { .ip6 = _i, .proto = IP_PROTO_UDP, .payload = 1000 };
    struct packet *p = make_packet(NULL, &r);
    size_t len = packet_len(p) + 8;
    uint8_t *payload = calloc(1, 2 * len);
    memcpy(payload + 8, p->data, p->head_len);
    memcpy(payload + len + 8, p->data, p->head_len);
    ck_assert(decap_is_one_packet(payload, len, len));
    ck_assert(!decap_is_one_packet(payload, 2 * len, 2 * len));
    for (size_t n = 0; n < 62; n++) {
        decap_is_one_packet(payload, n, len);   /* Reads nothing beyond, the sanitizer says. */
    }
    free(payload);
    packet_free(p);
}
END_TEST

TCase *decap_tcase(void)
{
    TCase *t = tcase_create("decap");
    tcase_add_loop_test(t, headers_are_checked, 0, ARRAY_SIZE(headers));
    tcase_add_loop_test(t, offload_is_restored, 0, ARRAY_SIZE(restores));
    tcase_add_loop_test(t, congestion_is_marked, 0, 4);
    tcase_add_loop_test(t, one_packet_is_told_from_a_train, 0, 2);
    return t;
}
