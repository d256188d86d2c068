/* SPDX-License-Identifier: Apache-2.0 */
/* The parser: from a packet's bytes to its key.
 *
 * Plain Ethernet with at most one tag, IPv4 or IPv6 without options, TCP or UDP goes straight through extract_one(), which is
 * inlined into the loop over a batch. Everything else goes through parse(), which has a function for each layer. Both
 * yield the same key and hash for the same packet. */
#include "lib/flow/key.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"

enum { MAX_EXTENSION_HEADERS = 16 };

static inline uint64_t load64(const void *p) { uint64_t v; memcpy(&v, p, sizeof v); return v; }
static inline uint32_t load32(const void *p) { uint32_t v; memcpy(&v, p, sizeof v); return v; }
static inline be16 load16(const void *p) { be16 v; memcpy(&v, p, sizeof v); return v; }

/* ---- The hash ---- */

/* 'mac' and 'l2': destination and source address, VLAN id, type; 'ip': what the addresses fold to; 'l4': ports and
 * protocol; 'from': ingress and tunnel. */
static inline uint64_t fold(uint64_t mac, uint64_t l2, uint64_t ip, uint64_t l4, uint64_t from, uint64_t basis)
{
    uint64_t a = key_mix(mac ^ basis, l2 ^ UINT64_C(0xa0761d6478bd642f));
    uint64_t b = key_mix(ip ^ (basis + UINT64_C(0xe7037ed1a0b428db)), l4 ^ UINT64_C(0x8ebc6af09c88c6e3));
    return key_mix(a ^ b ^ UINT64_C(0x589965cc75374cc3), from ^ basis ^ UINT64_C(0x1d8e4e27c47d124f));
}

/* 'src_end': the last four bytes of the source address; 'tci' as in the key. */
static inline uint64_t fold_l2(uint32_t src_end, be16 tci, be16 type)
{
    return src_end | (uint64_t) (tci & htobe16(VLAN_VID_MASK)) << 32 | (uint64_t) type << 48;
}

static inline uint64_t fold_l4(uint32_t ports, uint8_t proto)
{
    return ports | (uint64_t) proto << 32;
}

static inline uint64_t fold_from(const struct packet *p)
{
    uint64_t from = p->in_port | (uint64_t) p->recirc_id << 32;
    return UNLIKELY(p->has_tunnel) ? from ^ key_mix(p->tunnel.id + 1, UINT64_C(0x9e3779b97f4a7c15)) : from;
}

/* 'p': source and destination. */
static inline uint64_t fold_ip6(const uint8_t *p, uint64_t basis)
{
    return key_mix(load64(p) ^ basis, load64(p + 8) ^ UINT64_C(0xa0761d6478bd642f))
           + key_mix(load64(p + 16) ^ ~basis, load64(p + 24) ^ UINT64_C(0xe7037ed1a0b428db));
}

/* The same from a finished key. */
static uint64_t fold_key(const struct packet *p, const struct key *key, uint64_t basis)
{
    const struct key_l3 *l3 = &key->l3;
    uint64_t ip = l3->ip4_src | (uint64_t) l3->ip4_dst << 32;
    if (key->l2.type == htobe16(ETH_TYPE_IP6)) {
        ip = fold_ip6((const uint8_t *) &l3->ip6_src, basis);
    }
    uint32_t ports = l3->frag ? 0 : load32(&key->l4.src);   /* All fragments of a packet go one way. */
    return fold(load64(&key->l2.dst), fold_l2(load32(key->l2.src.b + 2), key->l2.vlan[0].tci, key->l2.type), ip,
                fold_l4(ports, l3->proto), fold_from(p), basis);
}

/* ---- Layer by layer ---- */

struct cursor {
    struct packet *p;
    struct key *key;
    const uint8_t *data;
    uint32_t ofs;        /* Where the next layer begins. */
    uint32_t head;       /* Bytes that may be read: ends with the head, and with the IP packet once known. */
    uint32_t len;        /* Bytes of the frame, then of the IP packet. */
};

static inline bool has(const struct cursor *c, uint32_t n)
{
    return c->head >= c->ofs + n;
}

static void parse_nd(struct cursor *c, uint32_t ofs)
{
    struct key_l4 *l4 = &c->key->l4;
    const struct nd_message *nd = (const void *) (c->data + ofs);
    if (c->head < ofs + sizeof *nd) {
        return;
    }
    memcpy(&l4->nd_target, nd->target, sizeof l4->nd_target);
    l4->nd_reserved = nd->reserved;
    for (uint32_t at = ofs + sizeof *nd; at + 8 <= c->head;) {
        const struct nd_option *option = (const void *) (c->data + at);
        uint32_t n = option->len * 8;
        if (!n || at + n > c->head) {
            return;   /* What follows is no option; what came before is known. */
        }
        if (at == ofs + sizeof *nd) {
            l4->nd_options_type = option->type;
        }
        if (option->len == 1 && (option->type == ND_OPT_SLL || option->type == ND_OPT_TLL)) {
            struct eth_addr *mac = option->type == ND_OPT_SLL ? &l4->nd_sll : &l4->nd_tll;
            if (!eth_addr_is_zero(*mac)) {
                /* Two addresses of one kind: nobody can say which of them the receiver will believe. */
                memset(&l4->nd_target, 0, sizeof l4->nd_target + sizeof l4->nd_sll + sizeof l4->nd_tll);
                l4->nd_reserved = 0;
                l4->nd_options_type = 0;
                return;
            }
            *mac = option->mac;
        }
        at += n;
    }
}

static void parse_l4(struct cursor *c, uint8_t proto, bool is_ip6)
{
    struct key_l4 *l4 = &c->key->l4;
    const uint8_t *h = c->data + c->ofs;
    uint32_t header_len;
    switch (proto) {
    case IP_PROTO_TCP:
        if (!has(c, sizeof(struct tcp_header))) {
            return;
        }
        header_len = (h[12] >> 4) * 4;
        if (header_len < sizeof(struct tcp_header) || !has(c, header_len)) {
            return;
        }
        memcpy(&l4->src, h, 4);
        l4->tcp_flags = load16(h + 12) & htobe16(0x0fff);
        break;
    case IP_PROTO_UDP:
        if (!has(c, sizeof(struct udp_header))) {
            return;
        }
        memcpy(&l4->src, h, 4);
        header_len = sizeof(struct udp_header);
        break;
    case IP_PROTO_SCTP:
        if (!has(c, sizeof(struct sctp_header))) {
            return;
        }
        memcpy(&l4->src, h, 4);
        header_len = sizeof(struct sctp_header);
        break;
    case IP_PROTO_ICMP:
    case IP_PROTO_IGMP:
        if (is_ip6 || !has(c, sizeof(struct icmp_header))) {
            return;
        }
        l4->src = htobe16(h[0]);
        l4->dst = htobe16(h[1]);
        header_len = sizeof(struct icmp_header);
        break;
    case IP_PROTO_ICMP6:
        if (!is_ip6 || !has(c, sizeof(struct icmp_header))) {
            return;
        }
        l4->src = htobe16(h[0]);
        l4->dst = htobe16(h[1]);
        header_len = sizeof(struct icmp_header);
        if (!h[1] && (h[0] == ICMP6_NS || h[0] == ICMP6_NA)) {
            parse_nd(c, c->ofs);
        }
        break;
    default:
        return;
    }
    c->p->l4_ofs = c->ofs;
    c->p->payload_ofs = c->ofs + header_len;
}

/* The IP packet that begins at 'ofs' is 'total' bytes long: what follows is padding. False if it is not all there. */
static bool limit(struct cursor *c, uint32_t total)
{
    if (total > c->len - c->ofs) {
        return false;
    }
    c->len = c->ofs + total;
    c->head = MIN(c->head, c->len);
    return true;
}

static void parse_ip4(struct cursor *c)
{
    const struct ip4_header *ip = (const void *) (c->data + c->ofs);
    struct key_l3 *l3 = &c->key->l3;
    if (!has(c, sizeof *ip)) {
        return;
    }
    uint32_t header_len = (ip->ihl_version & 15) * 4, total = be16toh(ip->len);
    if (!total && c->p->gso) {
        total = c->len - c->ofs;   /* Longer than the field can say. */
    }
    if (ip->ihl_version >> 4 != 4 || header_len < sizeof *ip || total < header_len || !has(c, header_len) ||
        !limit(c, total)) {
        return;
    }
    l3->ip4_src = ip->src;
    l3->ip4_dst = ip->dst;
    l3->proto = ip->proto;
    l3->tos = ip->tos;
    l3->ttl = ip->ttl;
    c->p->l3_ofs = c->ofs;
    c->ofs += header_len;
    if (ip->frag & htobe16(IP4_MF | IP4_FRAG_OFS_MASK)) {
        l3->frag = FRAG_ANY;
        if (ip->frag & htobe16(IP4_FRAG_OFS_MASK)) {
            l3->frag = FRAG_ANY | FRAG_LATER;
            return;
        }
    }
    parse_l4(c, ip->proto, false);
}

/* Walks the extension headers behind an IPv6 header (RFC 8200 section 4). Yields the protocol, and false if they are
 * malformed. A later fragment has protocol 44, as its first bytes are no header. */
static bool parse_extensions(struct cursor *c, uint8_t *proto, uint8_t *frag)
{
    for (int i = 0; i <= MAX_EXTENSION_HEADERS; i++) {
        const uint8_t *h = c->data + c->ofs;
        uint32_t n;
        switch (*proto) {
        case IP_PROTO_HOPOPTS:
        case IP_PROTO_ROUTING:
        case IP_PROTO_DSTOPTS:
        case IP_PROTO_AH:
            if (!has(c, 8)) {
                return false;
            }
            n = *proto == IP_PROTO_AH ? (h[1] + 2) * 4 : (h[1] + 1) * 8;
            break;
        case IP_PROTO_FRAGMENT:
            if (!has(c, sizeof(struct ip6_frag_header))) {
                return false;
            }
            n = sizeof(struct ip6_frag_header);
            if (load16(h + 2) & htobe16(0xfff9)) {
                *frag = FRAG_ANY;
                if (load16(h + 2) & htobe16(0xfff8)) {
                    *frag = FRAG_ANY | FRAG_LATER;
                    *proto = IP_PROTO_FRAGMENT;
                    c->ofs += n;
                    return true;
                }
            }
            break;
        default:
            return true;
        }
        if (!has(c, n)) {
            return false;
        }
        *proto = h[0];
        c->ofs += n;
    }
    return false;
}

static void parse_ip6(struct cursor *c)
{
    const struct ip6_header *ip = (const void *) (c->data + c->ofs);
    struct key_l3 *l3 = &c->key->l3;
    if (!has(c, sizeof *ip)) {
        return;
    }
    uint32_t total = be16toh(ip->len) + sizeof *ip;
    if (!ip->len && c->p->gso) {
        total = c->len - c->ofs;
    }
    uint32_t flow = be32toh(ip->flow);
    if (flow >> 28 != 6 || !limit(c, total)) {
        return;
    }
    memcpy(&l3->ip6_src, ip->src, 32);   /* Both addresses. */
    c->p->l3_ofs = c->ofs;
    c->ofs += sizeof *ip;
    uint8_t proto = ip->next, frag = 0;
    if (!parse_extensions(c, &proto, &frag)) {
        return;
    }
    l3->ip6_label = htobe32(flow & 0xfffff);
    l3->tos = flow >> 20;
    l3->ttl = ip->hop;
    l3->proto = proto;
    l3->frag = frag;
    if (!(frag & FRAG_LATER)) {
        parse_l4(c, proto, true);
    }
}

static void parse_arp(struct cursor *c)
{
    const struct arp_header *arp = (const void *) (c->data + c->ofs);
    struct key_l3 *l3 = &c->key->l3;
    if (!has(c, sizeof *arp) || arp->hrd != htobe16(1) || arp->pro != htobe16(ETH_TYPE_IP4) || arp->hln != 6 ||
        arp->pln != 4) {
        return;
    }
    if (be16toh(arp->op) <= 0xff) {
        l3->proto = be16toh(arp->op);
    }
    l3->ip4_src = arp->spa;
    l3->ip4_dst = arp->tpa;
    l3->arp_sha = arp->sha;
    l3->arp_tha = arp->tha;
    c->p->l3_ofs = c->ofs;
}

static void parse_mpls(struct cursor *c)
{
    for (int i = 0; i < KEY_MAX_MPLS && has(c, 4); i++) {
        be32 lse = load32(c->data + c->ofs);
        c->key->l2.mpls[i] = lse;
        c->ofs += 4;
        if (lse & htobe32(0x100)) {   /* Bottom of stack. */
            break;
        }
    }
}

/* 802.3: the field is a length; an Ethertype may follow in a SNAP header (RFC 1042). */
static be16 parse_llc(struct cursor *c)
{
    static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
    if (has(c, 8) && !memcmp(c->data + c->ofs, snap, sizeof snap)) {
        be16 type = load16(c->data + c->ofs + 6);
        if (be16toh(type) >= ETH_TYPE_MIN) {
            c->ofs += 8;
            return type;
        }
    }
    return htobe16(ETH_TYPE_LLC);
}

static inline bool is_vlan_type(be16 type)
{
    return type == htobe16(ETH_TYPE_VLAN) || type == htobe16(ETH_TYPE_SVLAN);
}

/* All of a frame of at least an Ethernet header; the key's blocks are zero but for metadata. */
static __attribute__((noinline)) void parse(struct packet *p, struct key *key)
{
    struct cursor c = { p, key, p->data, 12, p->head_len, packet_len(p) };
    memcpy(&key->l2, p->data, 12);
    be16 type = load16(p->data + 12);
    for (int i = 0; i < KEY_MAX_VLANS && is_vlan_type(type) && has(&c, 6); i++) {
        key->l2.vlan[i].tpid = type;
        key->l2.vlan[i].tci = load16(p->data + c.ofs + 2) | htobe16(VLAN_CFI);
        type = load16(p->data + c.ofs + 4);
        c.ofs += 4;
    }
    p->l2_type_ofs = c.ofs;
    c.ofs += 2;
    if (be16toh(type) < ETH_TYPE_MIN) {
        type = parse_llc(&c);
    }
    key->l2.type = type;
    switch (be16toh(type)) {
    case ETH_TYPE_IP4:
        parse_ip4(&c);
        break;
    case ETH_TYPE_IP6:
        parse_ip6(&c);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        parse_arp(&c);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MC:
        parse_mpls(&c);
        break;
    }
}

/* ---- Straight through ---- */

typedef uint64_t vector __attribute__((vector_size(32), aligned(8), may_alias));

static inline void zero_block(uint64_t *block)
{
    ((vector *) block)[0] = (vector) { 0 };
    ((vector *) block)[1] = (vector) { 0 };
}

static inline __attribute__((always_inline)) void put_l2(struct key *key, uint64_t mac, uint32_t src_end, be16 tci,
                                                         be16 type)
{
    memcpy(&key->l2, &mac, 8);
    memcpy((uint8_t *) &key->l2 + 8, &src_end, 4);
    key->l2.type = type;
    if (tci) {
        key->l2.vlan[0].tpid = htobe16(ETH_TYPE_VLAN);
        key->l2.vlan[0].tci = tci;
    }
}

/* Length of a TCP or UDP header of which at least 20 or 8 bytes are there, more than any packet has if it is malformed. */
static inline uint32_t l4_header_len(const uint8_t *h, uint8_t proto)
{
    if (proto != IP_PROTO_TCP) {
        return 8;
    }
    uint32_t n = (h[12] >> 4) * 4;
    return LIKELY(n >= 20) ? n : UINT16_MAX + 1;
}

static inline __attribute__((always_inline)) void put_l4(struct packet *p, struct key *key, uint32_t type_ofs,
                                                         uint32_t l3_len, const uint8_t *h, uint8_t proto,
                                                         uint32_t header_len)
{
    uint32_t ports = load32(h);
    memcpy(&key->l4.src, &ports, 4);
    if (proto == IP_PROTO_TCP) {
        key->l4.tcp_flags = load16(h + 12) & htobe16(0x0fff);
    }
    p->l2_type_ofs = type_ofs;
    p->l3_ofs = type_ofs + 2;
    p->l4_ofs = type_ofs + 2 + l3_len;
    p->payload_ofs = type_ofs + 2 + l3_len + header_len;
}

static inline __attribute__((always_inline)) void extract_one(struct packet *p, struct key *key, uint64_t basis)
{
    const uint8_t *data = p->data;
    uint32_t head = p->head_len;

    zero_block(key->words[KEY_META]);
    zero_block(key->words[KEY_L2]);
    zero_block(key->words[KEY_L3]);
    zero_block(key->words[KEY_L4]);
    if (UNLIKELY(p->has_tunnel)) {
        key->tunnel = p->tunnel;
    } else {
        zero_block(key->words[KEY_TUNNEL]);
    }
    zero_block(key->words[KEY_CT]);
    key->meta.in_port = p->in_port;
    key->meta.recirc_id = p->recirc_id;
    key->meta.dp_hash = p->dp_hash;
    key->meta.mark = p->mark;
    key->meta.priority = p->priority;
    p->l2_type_ofs = p->l3_ofs = p->l4_ofs = p->payload_ofs = 0;

    if (LIKELY(head >= 14 + 20 + 8)) {
        uint32_t type_ofs = 12;
        be16 type = load16(data + 12), tci = 0;
        if (type == htobe16(ETH_TYPE_VLAN)) {
            tci = load16(data + 14) | htobe16(VLAN_CFI);
            type = load16(data + 16);
            type_ofs = 16;
        }
        const uint8_t *ip = data + type_ofs + 2, *l4 = ip + 20;
        uint32_t room = packet_len(p) - type_ofs - 2, total = get_be16(ip + 2);
        uint8_t proto = ip[9];
        uint32_t least = proto == IP_PROTO_TCP ? 20 : 8, header_len;
        if (LIKELY(type == htobe16(ETH_TYPE_IP4) && ip[0] == 0x45 && total <= room &&
                   !(load16(ip + 6) & htobe16(IP4_MF | IP4_FRAG_OFS_MASK)) &&
                   (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP) && type_ofs + 22 + least <= head &&
                   (header_len = l4_header_len(l4, proto), total >= 20 + header_len) &&
                   type_ofs + 22 + header_len <= head)) {
            uint64_t mac = load64(data), addresses = load64(ip + 12);
            uint32_t src_end = load32(data + 8), ports = load32(l4);
            put_l2(key, mac, src_end, tci, type);
            memcpy(&key->l3.ip4_src, &addresses, 8);
            key->l3.proto = proto;
            key->l3.tos = ip[1];
            key->l3.ttl = ip[8];
            put_l4(p, key, type_ofs, 20, l4, proto, header_len);
            p->hash = fold(mac, fold_l2(src_end, tci, type), addresses, fold_l4(ports, proto), fold_from(p), basis);
            goto parsed;
        }
        if (type == htobe16(ETH_TYPE_IP6) && head >= type_ofs + 2 + 40 + 8) {
            proto = ip[6];
            least = proto == IP_PROTO_TCP ? 20 : 8;
            total = 40 + get_be16(ip + 4);
            l4 = ip + 40;
            if (LIKELY(ip[0] >> 4 == 6 && (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP) && total <= room &&
                       type_ofs + 42 + least <= head &&
                       (header_len = l4_header_len(l4, proto), total >= 40 + header_len) &&
                       type_ofs + 42 + header_len <= head)) {
                uint64_t mac = load64(data);
                uint32_t src_end = load32(data + 8), flow = get_be32(ip);
                put_l2(key, mac, src_end, tci, type);
                memcpy(&key->l3.ip6_src, ip + 8, 32);
                key->l3.ip6_label = htobe32(flow & 0xfffff);
                key->l3.proto = proto;
                key->l3.tos = flow >> 20;
                key->l3.ttl = ip[7];
                put_l4(p, key, type_ofs, 40, l4, proto, header_len);
                p->hash = fold(mac, fold_l2(src_end, tci, type), fold_ip6(ip + 8, basis), fold_l4(load32(l4), proto),
                               fold_from(p), basis);
                goto parsed;
            }
        }
    }
    if (LIKELY(head >= sizeof(struct eth_header))) {
        parse(p, key);
    }
    p->hash = fold_key(p, key, basis);

parsed:
    if (p->offload & OFFLOAD_CSUM_PARTIAL) {
        p->offload &= ~OFFLOAD_NESTED;
        if (UNLIKELY(p->csum_start != p->l4_ofs)) {
            p->offload |= OFFLOAD_NESTED;
        }
    }
}

#if defined(TSUJI_SANITIZED) || !defined(__x86_64__) || defined(__clang__)
#define WIDE
#else
#define WIDE __attribute__((target_clones("avx2", "default")))
#endif

void key_extract(struct packet *p, struct key *key, uint64_t basis)
{
    extract_one(p, key, basis);
}

WIDE void key_extract_batch(struct packet_batch *batch, struct key *keys, uint64_t basis)
{
    for (uint32_t i = 0; i < batch->n; i++) {
        extract_one(batch->p[i], &keys[i], basis);
    }
}
