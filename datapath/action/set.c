/* SPDX-License-Identifier: Apache-2.0 */
/* Set-field on packets. */
#include "datapath/action/set.h"

#include <errno.h>

#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"
#include "lib/packet/transport.h"

/* The transport checksum of a packet, as far as a change of addresses concerns it. */
struct l4_csum {
    be16 *field;          /* NULL: there is none to keep. */
    bool partial;         /* It holds the bare pseudo-header sum. */
    bool udp;             /* 0 means none. */
    uint8_t proto;
    bool dst_covered;     /* False: the final destination is in a routing header. */
};

static bool is_any(const void *p, size_t n)
{
    const uint8_t *b = p;
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) {
        any |= b[i];
    }
    return any;
}

/* to = (to & ~mask) | (value & mask) */
static void merge(void *to_, const void *value_, const void *mask_, size_t n)
{
    uint8_t *to = to_;
    const uint8_t *value = value_, *mask = mask_;
    for (size_t i = 0; i < n; i++) {
        to[i] = (to[i] & ~mask[i]) | (value[i] & mask[i]);
    }
}

static be16 l2_type(const struct packet *p)
{
    be16 type;
    if (!p->l2_type_ofs || p->l2_type_ofs + 2 > p->head_len) {
        return 0;
    }
    memcpy(&type, p->data + p->l2_type_ofs, sizeof type);
    return type;
}

static bool has_head(const struct packet *p, uint32_t ofs, uint32_t n)
{
    return ofs && ofs + n <= p->head_len;
}

/* ---- Checksums ---- */

static be16 load_be16(const void *p)
{
    be16 x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* 'old' bytes under the checksum became 'new'. */
static void csum_changed(be16 *field, bool partial, bool udp, const void *old, const void *new, size_t n)
{
    be16 sum = load_be16(field);
    if (partial) {
        sum = ~csum_update(~sum, old, new, n);
    } else if (!udp || sum) {
        sum = csum_update(sum, old, new, n);
        if (udp && !sum) {
            sum = 0xffff;
        }
    }
    memcpy(field, &sum, sizeof sum);
}

static unsigned csum_offset_of(uint8_t proto, bool ip6)
{
    switch (proto) {
    case IP_PROTO_TCP:
        return 16;
    case IP_PROTO_UDP:
    case IP_PROTO_UDPLITE:
        return 6;
    case IP_PROTO_ICMP6:
        return ip6 ? 2 : 0;
    default:
        return 0;
    }
}

static bool is_partial(const struct packet *p)
{
    return (p->offload & OFFLOAD_CSUM_PARTIAL) && !(p->offload & OFFLOAD_NESTED) && p->csum_start == p->l4_ofs;
}

/* The protocol of the transport header, if there is one in this packet. */
static bool transport_of(const struct packet *p, uint8_t *proto, bool *dst_covered)
{
    const uint8_t *l3 = p->data + p->l3_ofs;
    *dst_covered = true;
    if (!p->l4_ofs) {
        return false;
    }
    if (l2_type(p) == htobe16(ETH_TYPE_IP4)) {
        *proto = ((const struct ip4_header *) l3)->proto;
        return true;
    }
    if (p->l4_ofs == p->l3_ofs + sizeof(struct ip6_header)) {
        *proto = ((const struct ip6_header *) l3)->next;
        return true;
    }
    struct transport t;
    if (!transport_find(p, p->l3_ofs, &t)) {
        return false;
    }
    *proto = t.proto;
    *dst_covered = !memcmp(t.dst, ((const struct ip6_header *) l3)->dst, sizeof t.dst);
    return true;
}

static struct l4_csum l4_csum_find(struct packet *p)
{
    struct l4_csum c = { NULL };
    if (!transport_of(p, &c.proto, &c.dst_covered)) {
        return c;
    }
    c.partial = is_partial(p);
    unsigned ofs = c.partial ? p->csum_offset : csum_offset_of(c.proto, l2_type(p) == htobe16(ETH_TYPE_IP6));
    if (c.partial && c.proto == IP_PROTO_SCTP) {
        return c;     /* A CRC, completed later; it covers no addresses. */
    }
    if (ofs && has_head(p, p->l4_ofs, ofs + 2)) {
        c.field = (be16 *) (p->data + p->l4_ofs + ofs);
        c.udp = c.proto == IP_PROTO_UDP;
    }
    return c;
}

/* ---- L2 ---- */

static bool set_l2(struct packet *p, const struct key_l2 *v, const struct key_l2 *m)
{
    struct eth_header *eth = (struct eth_header *) p->data;
    if (p->head_len < sizeof *eth) {
        return false;
    }
    merge(&eth->dst, &v->dst, &m->dst, sizeof eth->dst);
    merge(&eth->src, &v->src, &m->src, sizeof eth->src);
    if (m->mpls[0]) {
        be16 type = l2_type(p);
        uint32_t ofs = p->l2_type_ofs + 2;
        if ((type != htobe16(ETH_TYPE_MPLS) && type != htobe16(ETH_TYPE_MPLS_MC)) || !has_head(p, ofs, 4)) {
            return false;
        }
        merge(p->data + ofs, &v->mpls[0], &m->mpls[0], 4);
    }
    return true;
}

/* ---- L3 ---- */

/* Changes 'n' bytes of an address; keeps the transport checksum if it covers them. */
static void set_address(void *at, const void *value, const void *mask, size_t n, const struct l4_csum *c, be16 *ip_csum,
                        bool covered)
{
    uint8_t old[16], new[16];
    if (!is_any(mask, n)) {
        return;
    }
    memcpy(old, at, n);
    merge(at, value, mask, n);
    memcpy(new, at, n);
    if (ip_csum) {
        csum_changed(ip_csum, false, false, old, new, n);
    }
    if (c->field && covered) {
        csum_changed(c->field, c->partial, c->udp, old, new, n);
    }
}

static bool set_ip4(struct packet *p, const struct key_l3 *v, const struct key_l3 *m)
{
    struct ip4_header *ip = (struct ip4_header *) (p->data + p->l3_ofs);
    struct l4_csum c = { NULL };
    be16 *ip_csum = (be16 *) ((uint8_t *) ip + offsetof(struct ip4_header, csum));
    if (m->ip4_src || m->ip4_dst) {
        c = l4_csum_find(p);
        set_address(&ip->src, &v->ip4_src, &m->ip4_src, 4, &c, ip_csum, true);
        set_address(&ip->dst, &v->ip4_dst, &m->ip4_dst, 4, &c, ip_csum, true);
    }
    if (m->tos) {
        uint8_t old[2], *at = (uint8_t *) ip;
        memcpy(old, at, 2);
        merge(&ip->tos, &v->tos, &m->tos, 1);
        csum_changed(ip_csum, false, false, old, at, 2);
    }
    if (m->ttl) {
        uint8_t old[2], *at = &ip->ttl;
        memcpy(old, at, 2);
        merge(at, &v->ttl, &m->ttl, 1);
        csum_changed(ip_csum, false, false, old, at, 2);
    }
    return !m->ip6_label && !m->proto && !is_any(&m->ip6_src, 32) && !is_any(&m->arp_sha, 12);
}

static bool set_ip6(struct packet *p, const struct key_l3 *v, const struct key_l3 *m)
{
    struct ip6_header *ip = (struct ip6_header *) (p->data + p->l3_ofs);
    if (is_any(&m->ip6_src, 32)) {
        struct l4_csum c = l4_csum_find(p);
        set_address(ip->src, &v->ip6_src, &m->ip6_src, 16, &c, NULL, true);
        set_address(ip->dst, &v->ip6_dst, &m->ip6_dst, 16, &c, NULL, c.dst_covered);
    }
    be32 value = htobe32((uint32_t) v->tos << 20) | (v->ip6_label & htobe32(0xfffff));
    be32 mask = htobe32((uint32_t) m->tos << 20) | (m->ip6_label & htobe32(0xfffff));
    merge(&ip->flow, &value, &mask, 4);
    merge(&ip->hop, &v->ttl, &m->ttl, 1);
    return !m->ip4_src && !m->ip4_dst && !m->proto && !is_any(&m->arp_sha, 12);
}

static bool set_arp(struct packet *p, const struct key_l3 *v, const struct key_l3 *m)
{
    struct arp_header *arp = (struct arp_header *) (p->data + p->l3_ofs);
    if (!has_head(p, p->l3_ofs, sizeof *arp)) {
        return false;
    }
    merge(&arp->sha, &v->arp_sha, &m->arp_sha, 6);
    merge(&arp->tha, &v->arp_tha, &m->arp_tha, 6);
    merge(&arp->spa, &v->ip4_src, &m->ip4_src, 4);
    merge(&arp->tpa, &v->ip4_dst, &m->ip4_dst, 4);
    merge((uint8_t *) &arp->op + 1, &v->proto, &m->proto, 1);
    return !m->tos && !m->ttl && !m->ip6_label && !is_any(&m->ip6_src, 32);
}

static bool set_l3(struct packet *p, const struct key_l3 *v, const struct key_l3 *m)
{
    if (!p->l3_ofs) {
        return false;
    }
    switch (be16toh(l2_type(p))) {
    case ETH_TYPE_IP4:
        return has_head(p, p->l3_ofs, sizeof(struct ip4_header)) && set_ip4(p, v, m);
    case ETH_TYPE_IP6:
        return has_head(p, p->l3_ofs, sizeof(struct ip6_header)) && set_ip6(p, v, m);
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        return set_arp(p, v, m);
    default:
        return false;
    }
}

/* ---- L4 ---- */

/* CRC-32C is linear: how it changes when the first four of 'n' bytes change by 'delta' (in memory order). */
static uint32_t crc32c_delta(const uint8_t delta[4], uint32_t n)
{
    uint32_t crc = 0;
    for (uint32_t i = 0; i < n; i++) {
        crc ^= i < 4 ? delta[i] : 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
        }
    }
    return crc;
}

static bool set_sctp(struct packet *p, const struct key_l4 *v, const struct key_l4 *m)
{
    struct sctp_header *sctp = (struct sctp_header *) (p->data + p->l4_ofs);
    struct transport t;
    if (!has_head(p, p->l4_ofs, sizeof *sctp) || !transport_find(p, p->l3_ofs, &t)) {
        return false;
    }
    uint8_t delta[4];
    memcpy(delta, sctp, 4);
    merge(&sctp->src, &v->src, &m->src, 2);
    merge(&sctp->dst, &v->dst, &m->dst, 2);
    for (unsigned i = 0; i < 4; i++) {
        delta[i] ^= ((const uint8_t *) sctp)[i];
    }
    if (!is_partial(p) && is_any(delta, 4)) {
        uint32_t crc;      /* In little-endian order on the wire (RFC 9260 appendix A). */
        memcpy(&crc, &sctp->csum, 4);
        crc = htole32(le32toh(crc) ^ crc32c_delta(delta, t.l4_len));
        memcpy(&sctp->csum, &crc, 4);
    }
    return true;
}

static bool set_ports(struct packet *p, const struct key_l4 *v, const struct key_l4 *m, struct l4_csum *c)
{
    uint8_t *ports = p->data + p->l4_ofs, old[4];
    if (!has_head(p, p->l4_ofs, 8)) {
        return false;
    }
    memcpy(old, ports, 4);
    merge(ports, &v->src, &m->src, 2);
    merge(ports + 2, &v->dst, &m->dst, 2);
    /* A partial checksum is that of the pseudo-header, which has no ports. */
    if (c->field && !c->partial) {
        csum_changed(c->field, false, c->udp, old, ports, 4);
    }
    return true;
}

/* Changes 'n' bytes (even, at an even place) of an ICMP message. */
static void set_icmp_bytes(struct packet *p, uint32_t ofs, const void *value, const void *mask, size_t n, bool partial)
{
    uint8_t *at = p->data + ofs, old[16];
    if (is_any(mask, n)) {
        memcpy(old, at, n);
        merge(at, value, mask, n);
        if (!partial) {
            csum_changed((be16 *) (p->data + p->l4_ofs + 2), false, false, old, at, n);
        }
    }
}

/* Neighbour discovery (RFC 4861): target, reserved word, addresses in options, type of the first option. */
static bool set_nd(struct packet *p, const struct key_l4 *v, const struct key_l4 *m, bool partial)
{
    uint32_t at = p->l4_ofs + sizeof(struct nd_message);
    uint8_t type = p->data[p->l4_ofs];
    if ((type != ICMP6_NS && type != ICMP6_NA) || !has_head(p, p->l4_ofs, sizeof(struct nd_message))) {
        return false;
    }
    set_icmp_bytes(p, p->l4_ofs + 4, &v->nd_reserved, &m->nd_reserved, 4, partial);
    set_icmp_bytes(p, p->l4_ofs + 8, &v->nd_target, &m->nd_target, 16, partial);
    bool first = true, sll = !is_any(&m->nd_sll, 6), tll = !is_any(&m->nd_tll, 6), kind = !m->nd_options_type;
    for (uint32_t n; has_head(p, at, 8) && (n = p->data[at + 1] * 8) && has_head(p, at, n); at += n) {
        if (n == 8 && p->data[at] == ND_OPT_SLL && !sll) {
            set_icmp_bytes(p, at + 2, &v->nd_sll, &m->nd_sll, 6, partial);
            sll = true;
        } else if (n == 8 && p->data[at] == ND_OPT_TLL && !tll) {
            set_icmp_bytes(p, at + 2, &v->nd_tll, &m->nd_tll, 6, partial);
            tll = true;
        }
        if (first && !kind) {
            const uint8_t value[2] = { v->nd_options_type, 0 }, mask[2] = { m->nd_options_type, 0 };
            set_icmp_bytes(p, at, value, mask, 2, partial);
            kind = true;
        }
        first = false;
    }
    return sll && tll && kind;
}

static bool set_icmp(struct packet *p, const struct key_l4 *v, const struct key_l4 *m, bool ip6)
{
    bool partial = is_partial(p);
    const uint8_t value[2] = { be16toh(v->src), be16toh(v->dst) }, mask[2] = { be16toh(m->src), be16toh(m->dst) };
    if (!has_head(p, p->l4_ofs, 4)) {
        return false;
    }
    bool nd = is_any(&m->nd_target, 16) || is_any(&m->nd_sll, 12) || m->nd_reserved || m->nd_options_type;
    if (nd && (!ip6 || !set_nd(p, v, m, partial))) {
        return false;
    }
    set_icmp_bytes(p, p->l4_ofs, value, mask, 2, partial);
    return true;
}

static bool set_l4(struct packet *p, const struct key_l4 *v, const struct key_l4 *m)
{
    struct l4_csum c = l4_csum_find(p);
    switch (p->l4_ofs ? c.proto : IP_PROTO_NONE) {
    case IP_PROTO_TCP:
    case IP_PROTO_UDP:
        return set_ports(p, v, m, &c);
    case IP_PROTO_SCTP:
        return set_sctp(p, v, m);
    case IP_PROTO_ICMP:
        return set_icmp(p, v, m, false);
    case IP_PROTO_ICMP6:
        return set_icmp(p, v, m, true);
    default:
        return false;
    }
}

bool packet_set(struct packet *p, enum key_block block, const struct action_set *set)
{
    switch (block) {
    case KEY_L2:
        return set_l2(p, (const struct key_l2 *) set->value, (const struct key_l2 *) set->mask);
    case KEY_L3:
        return set_l3(p, (const struct key_l3 *) set->value, (const struct key_l3 *) set->mask);
    case KEY_L4:
        return set_l4(p, (const struct key_l4 *) set->value, (const struct key_l4 *) set->mask);
    default:
        return false;
    }
}

struct error *packet_set_check(enum key_block block, const struct action_set *set)
{
    struct key rest;
    memset(&rest, 0, sizeof rest);
    if (block != KEY_L2 && block != KEY_L3 && block != KEY_L4) {
        return error_new(EOPNOTSUPP, "action set: block %d cannot be set", block);
    }
    memcpy(rest.words[block], set->mask, sizeof set->mask);
    memset(&rest.l2.dst, 0, 12);
    rest.l2.mpls[0] = 0;
    memset(&rest.l3.ip6_src, 0, offsetof(struct key_l3, frag));
    memset(&rest.l3.arp_sha, 0, 12);
    rest.l4.src = rest.l4.dst = 0;
    memset(&rest.l4.nd_target, 0, offsetof(struct key_l4, pad) - offsetof(struct key_l4, nd_target));
    return is_any(&rest, sizeof rest)
           ? error_new(EOPNOTSUPP, "action set: a field that cannot be written is among those to be set") : NULL;
}

uint32_t packet_flow_hash(const struct packet *p, uint32_t basis, bool symmetric)
{
    uint64_t src = 0, dst = 0;
    const uint8_t *l3 = p->data + p->l3_ofs;
    uint8_t proto = 0;
    bool covered;
    if (!p->l3_ofs) {
        src = hash64_bytes(p->data + 6, 6, 0);
        dst = hash64_bytes(p->data, 6, 0);
    } else if (l2_type(p) == htobe16(ETH_TYPE_IP4)) {
        src = get_be32(l3 + offsetof(struct ip4_header, src));
        dst = get_be32(l3 + offsetof(struct ip4_header, dst));
    } else if (l2_type(p) == htobe16(ETH_TYPE_IP6)) {
        src = hash64_bytes(l3 + offsetof(struct ip6_header, src), 16, 0);
        dst = hash64_bytes(l3 + offsetof(struct ip6_header, dst), 16, 0);
    }
    if (p->l3_ofs && transport_of(p, &proto, &covered) && has_head(p, p->l4_ofs, 4)
        && (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP)) {
        src = hash_mix64(src << 16 ^ get_be16(p->data + p->l4_ofs));
        dst = hash_mix64(dst << 16 ^ get_be16(p->data + p->l4_ofs + 2));
    }
    uint64_t both = symmetric ? hash_mix64(src) + hash_mix64(dst) : hash_mix64(src) * 3 + hash_mix64(dst);
    return hash_int(both ^ proto, basis);
}
