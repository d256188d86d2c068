/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a packet that a key describes. */
#include "lib/flow/compose.h"

#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"

static void put_payload(struct buffer *b, size_t n)
{
    uint8_t *p = buffer_put_uninit(b, n);
    for (size_t i = 0; i < n; i++) {
        p[i] = i;
    }
}

static void put_ethernet(struct buffer *b, const struct key_l2 *l2)
{
    buffer_put(b, &l2->dst, sizeof l2->dst);
    buffer_put(b, &l2->src, sizeof l2->src);
    for (int i = 0; i < KEY_MAX_VLANS && l2->vlan[i].tci & htobe16(VLAN_CFI); i++) {
        buffer_put_be16(b, l2->vlan[i].tpid ? be16toh(l2->vlan[i].tpid) : ETH_TYPE_VLAN);
        buffer_put_be16(b, be16toh(l2->vlan[i].tci) & ~VLAN_CFI);
    }
}

static void put_nd_option(struct buffer *b, uint8_t type, struct eth_addr mac)
{
    buffer_put_u8(b, type);
    buffer_put_u8(b, 1);
    buffer_put(b, &mac, sizeof mac);
}

static void put_nd(struct buffer *b, const struct key_l4 *l4)
{
    bool sll = !eth_addr_is_zero(l4->nd_sll), tll = !eth_addr_is_zero(l4->nd_tll);
    uint8_t first = l4->nd_options_type;
    buffer_put(b, &l4->nd_target, sizeof l4->nd_target);
    if (first && first != ND_OPT_SLL && first != ND_OPT_TLL) {
        put_nd_option(b, first, (struct eth_addr) { { 0 } });
    }
    if (first == ND_OPT_TLL) {
        put_nd_option(b, ND_OPT_TLL, l4->nd_tll);
    }
    if (sll || first == ND_OPT_SLL) {
        put_nd_option(b, ND_OPT_SLL, l4->nd_sll);
    }
    if (tll && first != ND_OPT_TLL) {
        put_nd_option(b, ND_OPT_TLL, l4->nd_tll);
    }
}

/* The transport packet; checksums follow when the length is known. */
static void put_transport(struct buffer *b, const struct key *key, bool is_ip6, size_t payload_len)
{
    const struct key_l4 *l4 = &key->l4;
    uint16_t type = be16toh(l4->src);
    switch (key->l3.proto) {
    case IP_PROTO_TCP: {
        struct tcp_header *tcp = buffer_put_zeros(b, sizeof *tcp);
        tcp->src = l4->src;
        tcp->dst = l4->dst;
        tcp->flags = l4->tcp_flags | htobe16(5 << 12);
        break;
    }
    case IP_PROTO_UDP: {
        struct udp_header *udp = buffer_put_zeros(b, sizeof *udp);
        udp->src = l4->src;
        udp->dst = l4->dst;
        udp->len = htobe16(sizeof *udp + payload_len);
        break;
    }
    case IP_PROTO_SCTP: {
        struct sctp_header *sctp = buffer_put_zeros(b, sizeof *sctp);
        sctp->src = l4->src;
        sctp->dst = l4->dst;
        break;
    }
    case IP_PROTO_ICMP:
    case IP_PROTO_IGMP:
    case IP_PROTO_ICMP6: {
        if (is_ip6 != (key->l3.proto == IP_PROTO_ICMP6)) {
            break;
        }
        struct icmp_header *icmp = buffer_put_zeros(b, sizeof *icmp);
        icmp->type = type;
        icmp->code = be16toh(l4->dst);
        if (is_ip6 && !l4->dst && (type == ICMP6_NS || type == ICMP6_NA)) {
            icmp->rest = l4->nd_reserved;
            put_nd(b, l4);
            return;   /* What follows would be options. */
        }
        break;
    }
    }
    put_payload(b, payload_len);
}

static void finish_transport(uint8_t *h, size_t n, uint8_t proto, bool is_ip6, uint32_t pseudo)
{
    be16 sum;
    size_t at;
    switch (proto) {
    case IP_PROTO_TCP:
        at = offsetof(struct tcp_header, csum);
        break;
    case IP_PROTO_UDP:
        at = offsetof(struct udp_header, csum);
        break;
    case IP_PROTO_ICMP:
    case IP_PROTO_IGMP:
        if (is_ip6) {
            return;
        }
        at = offsetof(struct icmp_header, csum);
        pseudo = 0;
        break;
    case IP_PROTO_ICMP6:
        if (!is_ip6) {
            return;
        }
        at = offsetof(struct icmp_header, csum);
        break;
    case IP_PROTO_SCTP: {
        uint32_t crc = htole32(crc32c(h, n));   /* RFC 9260 appendix A: the least byte first. */
        memcpy(h + offsetof(struct sctp_header, csum), &crc, sizeof crc);
        return;
    }
    default:
        return;
    }
    sum = csum_finish(csum_add(pseudo, h, n));
    if (!sum && proto == IP_PROTO_UDP) {
        sum = 0xffff;
    }
    memcpy(h + at, &sum, sizeof sum);
}

static void put_ip4(struct buffer *b, const struct key *key, size_t payload_len)
{
    const struct key_l3 *l3 = &key->l3;
    size_t start = b->len;
    struct ip4_header *ip = buffer_put_zeros(b, sizeof *ip);
    ip->ihl_version = 0x45;
    ip->tos = l3->tos;
    ip->ttl = l3->ttl;
    ip->proto = l3->proto;
    ip->src = l3->ip4_src;
    ip->dst = l3->ip4_dst;
    ip->frag = htobe16(l3->frag & FRAG_LATER ? 1 : l3->frag & FRAG_ANY ? IP4_MF : 0);
    if (l3->frag & FRAG_LATER) {
        put_payload(b, payload_len);
    } else {
        put_transport(b, key, false, payload_len);
    }
    ip = (void *) (b->data + start);
    size_t n = b->len - start;
    ip->len = htobe16(n);
    ip->csum = csum(ip, sizeof *ip);
    if (!l3->frag) {
        n -= sizeof *ip;
        finish_transport((uint8_t *) (ip + 1), n, l3->proto, false, csum_pseudo4(ip->src, ip->dst, l3->proto, n));
    }
}

static void put_ip6(struct buffer *b, const struct key *key, size_t payload_len)
{
    const struct key_l3 *l3 = &key->l3;
    size_t start = b->len;
    struct ip6_header *ip = buffer_put_zeros(b, sizeof *ip);
    ip->flow = htobe32(UINT32_C(6) << 28 | (uint32_t) l3->tos << 20) | (l3->ip6_label & htobe32(0xfffff));
    ip->next = l3->proto;
    ip->hop = l3->ttl;
    memcpy(ip->src, &l3->ip6_src, 32);
    if (l3->frag) {
        ip->next = IP_PROTO_FRAGMENT;
        struct ip6_frag_header *frag = buffer_put_zeros(b, sizeof *frag);
        frag->next = l3->frag & FRAG_LATER ? IP_PROTO_UDP : l3->proto;
        frag->ofs = htobe16(l3->frag & FRAG_LATER ? 8 : 1);
    }
    size_t l4 = b->len;
    if (l3->frag & FRAG_LATER) {
        put_payload(b, payload_len);
    } else {
        put_transport(b, key, true, payload_len);
    }
    ip = (void *) (b->data + start);
    ip->len = htobe16(b->len - start - sizeof *ip);
    if (!l3->frag) {
        size_t n = b->len - l4;
        finish_transport(b->data + l4, n, l3->proto, true, csum_pseudo6(ip->src, ip->dst, l3->proto, n));
    }
}

static void put_arp(struct buffer *b, const struct key_l3 *l3)
{
    struct arp_header *arp = buffer_put_zeros(b, sizeof *arp);
    arp->hrd = htobe16(1);
    arp->pro = htobe16(ETH_TYPE_IP4);
    arp->hln = 6;
    arp->pln = 4;
    arp->op = htobe16(l3->proto);
    arp->sha = l3->arp_sha;
    arp->tha = l3->arp_tha;
    arp->spa = l3->ip4_src;
    arp->tpa = l3->ip4_dst;
}

static void put_mpls(struct buffer *b, const struct key_l2 *l2, size_t payload_len)
{
    for (int i = 0; i < KEY_MAX_MPLS; i++) {
        be32 lse = l2->mpls[i];
        bool last = i == KEY_MAX_MPLS - 1 || lse & htobe32(0x100) || !l2->mpls[i + 1];
        buffer_put_be32(b, be32toh(lse));
        if (last) {
            break;
        }
    }
    put_payload(b, payload_len);
}

static void put_llc(struct buffer *b, size_t payload_len)
{
    static const uint8_t llc[] = { 0x42, 0x42, 0x03 };
    buffer_put_be16(b, MIN(sizeof llc + payload_len, ETH_TYPE_MIN - 1));
    buffer_put(b, llc, sizeof llc);
    put_payload(b, payload_len);
}

struct packet *packet_compose(const struct key *key, size_t payload_len)
{
    struct buffer b = BUFFER_INIT;
    payload_len = MIN(payload_len, 65000);
    put_ethernet(&b, &key->l2);
    if (key->l2.type == htobe16(ETH_TYPE_LLC)) {
        put_llc(&b, payload_len);
    } else {
        buffer_put_be16(&b, be16toh(key->l2.type));
        switch (be16toh(key->l2.type)) {
        case ETH_TYPE_IP4:
            put_ip4(&b, key, payload_len);
            break;
        case ETH_TYPE_IP6:
            put_ip6(&b, key, payload_len);
            break;
        case ETH_TYPE_ARP:
        case ETH_TYPE_RARP:
            put_arp(&b, &key->l3);
            break;
        case ETH_TYPE_MPLS:
        case ETH_TYPE_MPLS_MC:
            put_mpls(&b, &key->l2, payload_len);
            break;
        default:
            put_payload(&b, payload_len);
            break;
        }
    }
    struct packet *p = packet_from_bytes(NULL, b.data, b.len);
    buffer_fini(&b);

    static const struct tunnel_key no_tunnel;
    p->in_port = key->meta.in_port;
    p->recirc_id = key->meta.recirc_id;
    p->dp_hash = key->meta.dp_hash;
    p->mark = key->meta.mark;
    p->priority = key->meta.priority;
    p->has_tunnel = memcmp(&key->tunnel, &no_tunnel, sizeof no_tunnel);
    if (p->has_tunnel) {
        p->tunnel = key->tunnel;
    }
    return p;
}
