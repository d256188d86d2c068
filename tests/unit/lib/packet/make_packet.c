/* SPDX-License-Identifier: Apache-2.0 */
/* Packets for the tests. */
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "tests/unit/lib/packet/packet_tests.h"

uint8_t payload_byte(uint32_t n)
{
    return n * 7 + (n >> 8) * 13;
}

uint16_t naive_sum(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += i & 1 ? p[i] : (uint64_t) p[i] << 8;
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static uint8_t *put(uint8_t **at, size_t n)
{
    uint8_t *p = *at;
    *at += n;
    return p;
}

static size_t put_ip6_extensions(uint8_t **at, uint32_t n, uint8_t proto)
{
    uint32_t first = n >= 16 ? 8 : n, second = n - first;
    if (first) {
        uint8_t *h = put(at, first);
        memset(h, 1, first);   /* PadN of sorts; nobody reads it. */
        h[0] = second ? IP_PROTO_DSTOPTS : proto;
        h[1] = first / 8 - 1;
    }
    if (second) {
        uint8_t *h = put(at, second);
        memset(h, 1, second);
        h[0] = proto;
        h[1] = second / 8 - 1;
    }
    return n;
}

struct packet *make_packet(struct packet_pool *pool, const struct recipe *r)
{
    static uint8_t frame[PACKET_MAX + 512];
    uint8_t *at = frame;
    memset(frame, 0, 512);   /* All headers. */
    memcpy(put(&at, 12), "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
    for (int i = 0; i < r->n_vlans; i++) {
        uint8_t *tag = put(&at, 4);
        put_be16(tag, i ? ETH_TYPE_VLAN : ETH_TYPE_SVLAN);
        put_be16(tag + 2, 100 + i);
    }
    size_t type_ofs = at - frame;
    put_be16(put(&at, 2), r->ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);

    uint32_t l4_len = (r->proto == IP_PROTO_TCP ? 20 + r->tcp_options : 8) + r->payload;
    size_t l3_ofs = at - frame;
    uint32_t pseudo;
    if (r->ip6) {
        struct ip6_header *ip = (void *) put(&at, sizeof *ip);
        ip->flow = htobe32(UINT32_C(6) << 28);
        ip->hop = 64;
        ip->len = htobe16(r->extensions + l4_len);
        memset(ip->src, 0x20, 16);
        memset(ip->dst, 0x30, 16);
        ip->next = !r->extensions ? r->proto : IP_PROTO_HOPOPTS;
        put_ip6_extensions(&at, r->extensions, r->proto);
        pseudo = csum_pseudo6(ip->src, ip->dst, r->proto, l4_len);
    } else {
        struct ip4_header *ip = (void *) put(&at, sizeof *ip);
        ip->ihl_version = 0x45 + r->extensions / 4;
        ip->len = htobe16(sizeof *ip + r->extensions + l4_len);
        ip->id = htobe16(0xfffe);
        ip->ttl = 64;
        ip->proto = r->proto;
        ip->src = htobe32(0x0a000001);
        ip->dst = htobe32(0x0a000002);
        memset(put(&at, r->extensions), 1, r->extensions);
        ip->csum = csum(ip, sizeof *ip + r->extensions);
        pseudo = csum_pseudo4(ip->src, ip->dst, r->proto, l4_len);
    }

    size_t l4_ofs = at - frame, csum_offset;
    if (r->proto == IP_PROTO_TCP) {
        struct tcp_header *tcp = (void *) put(&at, sizeof *tcp);
        tcp->src = htobe16(1000);
        tcp->dst = htobe16(2000);
        tcp->seq = htobe32(0xfffffc00);
        tcp->ack = htobe32(77);
        tcp->flags = htobe16((5 + r->tcp_options / 4) << 12 | r->tcp_flags);
        tcp->window = htobe16(500);
        memset(put(&at, r->tcp_options), 1, r->tcp_options);
        csum_offset = offsetof(struct tcp_header, csum);
    } else {
        struct udp_header *udp = (void *) put(&at, sizeof *udp);
        udp->src = htobe16(1000);
        udp->dst = htobe16(2000);
        udp->len = htobe16(l4_len);
        csum_offset = offsetof(struct udp_header, csum);
    }
    size_t payload_ofs = at - frame;
    for (uint32_t i = 0; i < r->payload; i++) {
        at[i] = payload_byte(i);
    }
    at += r->payload;
    if (!r->no_udp_csum) {
        be16 sum = csum_finish(r->partial ? pseudo : csum_add(pseudo, frame + l4_ofs, l4_len));
        sum = r->partial ? ~sum : sum;
        memcpy(frame + l4_ofs + csum_offset, &sum, 2);
    }
    memset(put(&at, r->padding), 0xee, r->padding);

    struct packet *p = packet_from_bytes(pool, frame, at - frame);
    ck_assert_ptr_nonnull(p);
    p->l2_type_ofs = type_ofs;
    p->l3_ofs = l3_ofs;
    p->l4_ofs = l4_ofs;
    p->payload_ofs = payload_ofs;
    if (r->partial) {
        p->offload = OFFLOAD_CSUM_PARTIAL;
        p->csum_start = l4_ofs;
        p->csum_offset = csum_offset;
    }
    return p;
}

struct packet *make_vxlan(struct packet_pool *pool, struct packet *inner, bool ip6, bool with_csum)
{
    uint32_t ip_len = ip6 ? 40 : 20, outer = 14 + ip_len + 8 + 8;
    uint32_t l4_len = 16 + packet_len(inner);
    uint8_t *h = packet_push(inner, outer);
    memset(h, 0, outer);
    memcpy(h, "\x02\0\0\0\0\x03\x02\0\0\0\0\x04", 12);
    put_be16(h + 12, ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
    if (ip6) {
        struct ip6_header *ip = (void *) (h + 14);
        ip->flow = htobe32(UINT32_C(6) << 28);
        ip->hop = 64;
        ip->len = htobe16(l4_len);
        ip->next = IP_PROTO_UDP;
        memset(ip->src, 0x40, 16);
        memset(ip->dst, 0x50, 16);
    } else {
        struct ip4_header *ip = (void *) (h + 14);
        ip->ihl_version = 0x45;
        ip->len = htobe16(20 + l4_len);
        ip->ttl = 64;
        ip->proto = IP_PROTO_UDP;
        ip->src = htobe32(0xc0000201);
        ip->dst = htobe32(0xc0000202);
        ip->csum = csum(ip, 20);
    }
    struct udp_header *udp = (void *) (h + 14 + ip_len);
    udp->src = htobe16(50000);
    udp->dst = htobe16(4789);
    udp->len = htobe16(l4_len);
    udp->csum = with_csum ? htobe16(0x1234) : 0;   /* Only whether it is there matters here. */
    put_be32(udp + 1, VXLAN_FLAG_VNI);
    put_be32((uint8_t *) (udp + 1) + 4, 4097 << 8);
    inner->l2_type_ofs = 12;
    inner->l3_ofs = 14;
    inner->l4_ofs = 14 + ip_len;
    inner->payload_ofs = 14 + ip_len + 8;
    inner->offload |= OFFLOAD_NESTED;
    (void) pool;
    return inner;
}
