/* SPDX-License-Identifier: Apache-2.0 */
/* Makes ICMP answers to packets that are too big for a tunnel. */
#include "datapath/tunnel/too_big.h"

#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"
#include "lib/packet/transport.h"

enum { ANSWER4_MAX = 576, ANSWER6_MAX = 1280, IP6_MIN_MTU = 1280, ANSWER_TTL = 64 };

/* Ethernet and tags as in 'p', back to its sender; the frame's length so far, or 0. */
static uint32_t put_ethernet(struct packet *a, const struct packet *p, uint32_t l3)
{
    const struct eth_header *eth = (const void *) p->data;
    struct eth_header *out = (void *) a->data;
    if (eth_addr_is_multicast(eth->dst) || eth_addr_is_multicast(eth->src)) {
        return 0;
    }
    memcpy(a->data, p->data, l3);
    out->dst = eth->src;
    out->src = eth->dst;
    return l3;
}

static bool is_icmp_error(const struct packet *p, const struct transport *t)
{
    if (t->l4_ofs >= p->head_len) {
        return true;   /* Not to be told, so rather none. */
    }
    uint8_t type = p->data[t->l4_ofs];
    if (t->proto == IP_PROTO_ICMP) {
        return type != ICMP4_ECHO && type != ICMP4_ECHO_REPLY;
    }
    return t->proto == IP_PROTO_ICMP6 && type < 128;
}

static bool answer4(struct packet *a, const struct packet *p, uint32_t l3, uint32_t mtu)
{
    const struct ip4_header *was = (const void *) (p->data + l3);
    uint32_t first = be32toh(was->dst) >> 24;
    if (be16toh(was->frag) & IP4_FRAG_OFS_MASK || !was->src || first >= 224 || !first) {
        return false;
    }
    uint32_t quoted = MIN(packet_len(p) - l3, ANSWER4_MAX - sizeof(struct ip4_header) - 8);
    quoted = MIN(quoted, be16toh(was->len));
    struct ip4_header *ip = (void *) (a->data + l3);
    struct icmp_header *icmp = (void *) (ip + 1);
    *ip = (struct ip4_header) {
        .ihl_version = 0x45, .tos = 0xc0, .len = htobe16(sizeof *ip + sizeof *icmp + quoted), .ttl = ANSWER_TTL,
        .proto = IP_PROTO_ICMP, .src = was->dst, .dst = was->src,
    };
    ip->csum = csum(ip, sizeof *ip);
    *icmp = (struct icmp_header) { .type = ICMP4_UNREACH, .code = ICMP4_FRAG_NEEDED,
                                   .rest = htobe32(MIN(mtu, UINT16_MAX)) };
    packet_read(p, l3, icmp + 1, quoted);
    icmp->csum = csum(icmp, sizeof *icmp + quoted);
    a->head_len = l3 + sizeof *ip + sizeof *icmp + quoted;
    return true;
}

static bool answer6(struct packet *a, const struct packet *p, uint32_t l3, uint32_t mtu)
{
    const struct ip6_header *was = (const void *) (p->data + l3);
    static const uint8_t none[16];
    if (was->src[0] == 0xff || !memcmp(was->src, none, 16) || was->dst[0] == 0xff) {
        return false;
    }
    uint32_t quoted = MIN(packet_len(p) - l3, ANSWER6_MAX - sizeof(struct ip6_header) - 8);
    quoted = MIN(quoted, be16toh(was->len) + sizeof *was);
    struct ip6_header *ip = (void *) (a->data + l3);
    struct icmp_header *icmp = (void *) (ip + 1);
    uint32_t len = sizeof *icmp + quoted;
    *ip = (struct ip6_header) { .flow = htobe32(0x60000000), .len = htobe16(len), .next = IP_PROTO_ICMP6,
                                .hop = ANSWER_TTL };
    memcpy(ip->src, was->dst, 16);
    memcpy(ip->dst, was->src, 16);
    *icmp = (struct icmp_header) { .type = ICMP6_PACKET_TOO_BIG, .rest = htobe32(MAX(mtu, IP6_MIN_MTU)) };
    packet_read(p, l3, icmp + 1, quoted);
    icmp->csum = csum_finish(csum_add(csum_pseudo6(ip->src, ip->dst, IP_PROTO_ICMP6, len), icmp, len));
    a->head_len = l3 + sizeof *ip + len;
    return true;
}

struct packet *too_big_answer(struct packet_pool *pool, const struct packet *p, uint32_t mtu)
{
    struct transport t;
    uint32_t l3 = p->l3_ofs;
    if (!l3 || !transport_find(p, l3, &t) || is_icmp_error(p, &t)) {
        return NULL;
    }
    struct packet *a = packet_new(pool);
    if (!a) {
        return NULL;
    }
    if (put_ethernet(a, p, l3) && (t.is_ip6 ? answer6(a, p, l3, mtu) : answer4(a, p, l3, mtu))) {
        return a;
    }
    packet_free(a);
    return NULL;
}
