/* SPDX-License-Identifier: Apache-2.0 */
/* Segments put together again must be what was cut, and each must be a correct packet by itself. */
#include "lib/packet/csum.h"
#include "lib/packet/gso.h"
#include "lib/packet/headers.h"
#include "lib/packet/transport.h"
#include "tests/unit/lib/packet/packet_tests.h"

static void free_list(struct packet *p)
{
    while (p) {
        struct packet *next = p->next;
        packet_free(p);
        p = next;
    }
}

/* Checks one segment's IP header at 'l3', whose packet ends with the frame. */
static void check_ip(const struct packet *seg, uint16_t l3, uint16_t first_id, uint32_t number)
{
    const uint8_t *h = seg->data + l3;
    if (*h >> 4 == 4) {
        const struct ip4_header *ip = (const void *) h;
        ck_assert_uint_eq(be16toh(ip->len), packet_len(seg) - l3);
        ck_assert_uint_eq(be16toh(ip->id), (uint16_t) (first_id + number));
        ck_assert_uint_eq(csum(ip, (ip->ihl_version & 15) * 4), 0);
    } else {
        const struct ip6_header *ip = (const void *) h;
        ck_assert_uint_eq(be16toh(ip->len), packet_len(seg) - l3 - sizeof *ip);
    }
}

static void check_segments(const struct packet *whole, const struct recipe *r, struct packet *first, uint32_t n_segs,
                           uint16_t gso_size, uint16_t l3, uint16_t l4, uint16_t payload_ofs, bool partial)
{
    uint32_t number = 0, at = 0;
    uint16_t first_id = r->ip6 ? 0 : 0xfffe;
    for (struct packet *seg = first; seg; seg = seg->next, number++) {
        uint32_t n = packet_len(seg) - payload_ofs;
        bool last = !seg->next;
        ck_assert_uint_le(n, gso_size);
        if (!last) {
            ck_assert_uint_eq(n, gso_size);
        }
        ck_assert(seg->head_len <= PACKET_SPLIT);
        check_ip(seg, l3, first_id, number);
        if (r->proto == IP_PROTO_TCP) {
            const struct tcp_header *tcp = (const void *) (seg->data + l4);
            ck_assert_uint_eq(be32toh(tcp->seq), 0xfffffc00 + at);
            uint16_t flags = r->tcp_flags;
            flags &= number ? ~TCP_CWR : ~0;
            flags &= last ? ~0 : ~(TCP_FIN | TCP_PSH);
            ck_assert_uint_eq(be16toh(tcp->flags) & 0xfff, flags);
            ck_assert_uint_eq(be16toh(tcp->flags) >> 12, 5 + r->tcp_options / 4);
        } else {
            const struct udp_header *udp = (const void *) (seg->data + l4);
            ck_assert_uint_eq(be16toh(udp->len), 8 + n);
            ck_assert_int_eq(udp->csum == 0, r->no_udp_csum);
        }
        static uint8_t is[PACKET_MAX], want[PACKET_MAX];
        ck_assert(packet_read(seg, payload_ofs, is, n));
        for (uint32_t i = 0; i < n; i++) {
            want[i] = payload_byte(at + i);
        }
        ck_assert_mem_eq(is, want, n);
        ck_assert(!seg->gso && !seg->gso_size && seg->gso_segs == 1);
        ck_assert_uint_eq(seg->in_port, whole->in_port);
        ck_assert_uint_eq(seg->mark, whole->mark);
        if (partial) {
            ck_assert_uint_eq(seg->offload, OFFLOAD_CSUM_PARTIAL);
            ck_assert_uint_eq(seg->csum_start, l4);
            packet_csum_complete(seg);
        }
        seg->offload = 0;
        struct packet *view = packet_clone(NULL, seg);
        view->l3_ofs = l3;
        ck_assert(packet_csum_is_valid(view));
        packet_free(view);
        at += n;
    }
    ck_assert_uint_eq(number, n_segs);
    ck_assert_uint_eq(at, r->payload);
}

START_TEST(segments_make_the_whole)
{
    static const uint32_t payloads[] = { 1, 1000, 1001, 1500, 9000, 60001 };
    static const uint16_t sizes[] = { 500, 1000, 1448, 8961 };
    struct packet_pool *pool = packet_pool_create(500, 100);
    for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
            for (int variant = 0; variant < 16; variant++) {
                struct recipe r = {
                    .n_vlans = _i % 3, .ip6 = variant & 1, .extensions = variant & 2 ? 24 : 0,
                    .proto = variant & 4 ? IP_PROTO_UDP : IP_PROTO_TCP, .tcp_options = variant & 8 ? 12 : 0,
                    .tcp_flags = TCP_ACK | TCP_CWR | TCP_PSH | TCP_FIN, .payload = payloads[i], .partial = _i & 1,
                    .padding = payloads[i] < 1000 ? 6 : 0,
                };
                r.no_udp_csum = variant & 8 && r.proto == IP_PROTO_UDP && !r.ip6 && !r.partial;
                struct packet *p = make_packet(pool, &r), *first;
                p->in_port = 7;
                p->mark = 9;
                p->gso = r.ip6 ? GSO_TCP6 : GSO_TCP4;
                p->gso_size = sizes[j];
                ck_assert_uint_eq(packet_segment_len(p), p->payload_ofs + MIN(sizes[j], payloads[i]));
                for (int keep = 0; keep < 2; keep++) {
                    uint32_t n = packet_segment(pool, p, sizes[j], keep, &first);
                    ck_assert_uint_eq(n, DIV_ROUND_UP(payloads[i], sizes[j]));
                    check_segments(p, &r, first, n, sizes[j], p->l3_ofs, p->l4_ofs, p->payload_ofs,
                                   keep && !r.no_udp_csum);
                    free_list(first);
                }
                packet_free(p);
            }
        }
    }
    ck_assert_uint_eq(packet_pool_in_use(pool), 0);
    packet_pool_destroy(pool);
}
END_TEST

START_TEST(encapsulated_packets)
{
    for (int variant = 0; variant < 16; variant++) {
        struct recipe r = {
            .n_vlans = variant & 1, .ip6 = variant & 2, .proto = variant & 8 ? IP_PROTO_UDP : IP_PROTO_TCP,
            .tcp_flags = TCP_ACK | TCP_PSH, .payload = 20000, .partial = true,
        };
        bool outer6 = variant & 4, outer_csum = variant & 1 || outer6;
        struct packet *p = make_packet(NULL, &r), *first;
        uint16_t l3 = p->l3_ofs, l4 = p->l4_ofs, payload_ofs = p->payload_ofs;
        p = make_vxlan(NULL, p, outer6, outer_csum);
        uint16_t shift = 14 + (outer6 ? 40 : 20) + 16;
        ck_assert_uint_eq(p->csum_start, l4 + shift);
        p->gso = GSO_TCP4;
        p->gso_size = 1400;
        p->gso_segs = 15;
        ck_assert_uint_eq(packet_segment_len(p), payload_ofs + shift + 1400);
        uint32_t n = packet_segment(NULL, p, 1400, true, &first);
        ck_assert_uint_eq(n, 15);
        uint32_t number = 0;
        for (struct packet *seg = first; seg; seg = seg->next, number++) {
            ck_assert_uint_eq(seg->offload, OFFLOAD_CSUM_VALID);
            check_ip(seg, 14, 0, number);
            const struct udp_header *udp = (const void *) (seg->data + p->l4_ofs);
            ck_assert_uint_eq(be16toh(udp->len), packet_len(seg) - p->l4_ofs);
            ck_assert_int_eq(udp->csum != 0, outer_csum);
            seg->offload = 0;
            ck_assert(packet_csum_is_valid(seg));
        }
        check_segments(p, &r, first, n, 1400, l3 + shift, l4 + shift, payload_ofs + shift, false);
        free_list(first);
        packet_free(p);
    }
}
END_TEST

START_TEST(a_full_pool_makes_nothing)
{
    struct packet_pool *pool = packet_pool_create(10, 1);
    struct packet *p = make_packet(pool, &(struct recipe) { .proto = IP_PROTO_TCP, .payload = 20000 }), *first;
    ck_assert_uint_eq(packet_segment(pool, p, 1000, false, &first), 0);
    ck_assert_ptr_null(first);
    ck_assert_uint_eq(packet_pool_in_use(pool), 1);
    ck_assert_uint_eq(packet_segment(pool, p, 5000, false, &first), 0);   /* Needs tails too. */
    ck_assert_uint_eq(packet_pool_in_use(pool), 1);
    packet_free(p);
    packet_pool_destroy(pool);
}
END_TEST

START_TEST(what_cannot_be_cut)
{
    struct packet *first;
    struct packet *p = make_packet(NULL, &(struct recipe) { .proto = IP_PROTO_TCP, .payload = 5000 });
    ck_assert_uint_eq(packet_segment(NULL, p, 0, false, &first), 0);
    ck_assert_uint_eq(packet_segment(NULL, p, 1, false, &first), 0);   /* Too many. */
    p->data[p->l4_ofs + 12] = 0xf0;
    ck_assert_uint_eq(packet_segment(NULL, p, 1000, false, &first), 5);
    free_list(first);
    p->data[p->l4_ofs + 12] = 0x40;   /* A header shorter than TCP has. */
    ck_assert_uint_eq(packet_segment(NULL, p, 1000, false, &first), 0);
    p->data[p->l4_ofs + 12] = 0x50;
    put_be16(p->data + p->l3_ofs + 6, IP4_MF);
    ck_assert_uint_eq(packet_segment(NULL, p, 1000, false, &first), 0);
    put_be16(p->data + p->l3_ofs + 6, 0);
    p->data[p->l3_ofs + 9] = 99;
    ck_assert_uint_eq(packet_segment(NULL, p, 1000, false, &first), 0);
    p->l3_ofs = 0;
    ck_assert_uint_eq(packet_segment(NULL, p, 1000, false, &first), 0);
    packet_free(p);

    /* A partial checksum of something that is not found inside. */
    p = make_vxlan(NULL, make_packet(NULL, &(struct recipe) { .proto = 6, .payload = 5000, .partial = true }), false, false);
    p->csum_start += 2;
    ck_assert_uint_eq(packet_segment(NULL, p, 1000, false, &first), 0);
    packet_free(p);
}
END_TEST

/* A SYN with the option at any place, odd ones too. */
START_TEST(mss)
{
    for (int at = 0; at <= 8; at++) {
        for (int ip6 = 0; ip6 < 2; ip6++) {
            struct recipe r = { .ip6 = ip6, .proto = IP_PROTO_TCP, .tcp_options = 12, .tcp_flags = TCP_SYN };
            struct packet *p = make_packet(NULL, &r);
            uint8_t *option = p->data + p->l4_ofs + 20 + at;
            uint8_t old[32];
            memcpy(old, p->data + p->l4_ofs + 20, 12);
            memcpy(option, "\x02\x04\x05\xb4", 4);
            struct tcp_header *tcp = (void *) (p->data + p->l4_ofs);
            tcp->csum = csum_update(tcp->csum, old, p->data + p->l4_ofs + 20, 12);
            ck_assert(packet_csum_is_valid(p));
            ck_assert(!packet_clamp_mss(p, 1460));
            ck_assert(packet_clamp_mss(p, 1410));
            ck_assert_uint_eq(get_be16(option + 2), 1410);
            ck_assert(packet_csum_is_valid(p));
            ck_assert(!packet_clamp_mss(p, 1410));
            packet_free(p);
        }
    }
    struct packet *p = make_packet(NULL, &(struct recipe) { .proto = 6, .tcp_options = 4, .tcp_flags = TCP_ACK });
    memcpy(p->data + p->l4_ofs + 20, "\x02\x04\x05\xb4", 4);
    ck_assert(!packet_clamp_mss(p, 500));
    p->data[p->l4_ofs + 13] |= TCP_SYN;
    p->data[p->l4_ofs + 21] = 0;   /* A length that would make a loop. */
    ck_assert(!packet_clamp_mss(p, 500));
    packet_free(p);
}
END_TEST

START_TEST(routing_headers_hide_the_destination)
{
    /* Sent with two more hops to go: the checksum is of the last one (RFC 8200 section 8.1). */
    uint8_t frame[14 + 40 + 40 + 8] = { 0 };
    put_be16(frame + 12, ETH_TYPE_IP6);
    struct ip6_header *ip = (void *) (frame + 14);
    ip->flow = htobe32(UINT32_C(6) << 28);
    ip->len = htobe16(48);
    ip->next = IP_PROTO_ROUTING;
    uint8_t *routing = frame + 54, final[16];
    routing[0] = IP_PROTO_UDP;
    routing[1] = 4;
    routing[3] = 2;
    memset(routing + 8, 0xaa, 16);
    memset(routing + 24, 0xbb, 16);
    memset(final, 0xbb, 16);
    struct udp_header *udp = (void *) (frame + 94);
    udp->len = htobe16(8);
    udp->csum = csum_finish(csum_add(csum_pseudo6(ip->src, final, IP_PROTO_UDP, 8), udp, 8));
    struct packet *p = packet_from_bytes(NULL, frame, sizeof frame);
    p->l3_ofs = 14;
    ck_assert(packet_csum_is_valid(p));
    struct transport t;
    ck_assert(transport_find(p, 14, &t));
    ck_assert_mem_eq(t.dst, final, 16);
    p->data[54 + 3] = 0;   /* At its last hop the header's own destination counts. */
    ck_assert(!packet_csum_is_valid(p));
    packet_free(p);
}
END_TEST

TCase *gso_tcase(void)
{
    TCase *tc = tcase_create("gso");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, segments_make_the_whole, 0, 4);
    tcase_add_test(tc, encapsulated_packets);
    tcase_add_test(tc, a_full_pool_makes_nothing);
    tcase_add_test(tc, what_cannot_be_cut);
    tcase_add_test(tc, mss);
    tcase_add_test(tc, routing_headers_hide_the_destination);
    return tc;
}
