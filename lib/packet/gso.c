/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts GSO packets into segments, and lowers the MSS of TCP connections. */
#include "lib/packet/gso.h"

#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"
#include "lib/packet/transport.h"

/* The headers of a packet that is to be cut: one IP packet, or one within another. */
struct stack {
    struct transport level[2];   /* The outer first; the last one is cut. */
    uint32_t n;
    uint32_t header_len;         /* Frame bytes up to the payload that is cut. */
    uint32_t payload_len;
};

static uint32_t transport_header_len(const struct packet *p, const struct transport *t)
{
    if (t->proto == IP_PROTO_TCP) {
        if (t->l4_ofs + sizeof(struct tcp_header) > p->head_len) {
            return 0;
        }
        uint32_t len = (p->data[t->l4_ofs + 12] >> 4) * 4;
        return len >= sizeof(struct tcp_header) && t->l4_ofs + len <= p->head_len && len <= t->l4_len ? len : 0;
    }
    if (t->proto == IP_PROTO_UDP) {
        return t->l4_ofs + sizeof(struct udp_header) <= p->head_len && t->l4_len >= sizeof(struct udp_header)
               ? sizeof(struct udp_header) : 0;
    }
    return 0;
}

/* The network header of an Ethernet frame that begins at 'ofs', 0 if there is none in the head. */
static uint32_t inner_l3_ofs(const struct packet *p, uint32_t ofs)
{
    ofs += 12;
    for (int i = 0; i < 3 && ofs + 2 <= p->head_len; i++) {
        uint16_t type = get_be16(p->data + ofs);
        if (type != ETH_TYPE_VLAN && type != ETH_TYPE_SVLAN) {
            return type == ETH_TYPE_IP4 || type == ETH_TYPE_IP6 ? ofs + 2 : 0;
        }
        ofs += 4;
    }
    return 0;
}

/* Finds the inner IP packet whose transport header the offload state points to. */
static bool find_inner(const struct packet *p, const struct transport *outer, struct transport *inner)
{
    uint32_t l3[2] = { 0, 0 };
    uint32_t tunnel = outer->l4_ofs + sizeof(struct udp_header);
    switch (outer->proto) {
    case IP_PROTO_UDP:
        if (tunnel + 8 > p->head_len) {
            return false;
        }
        l3[0] = inner_l3_ofs(p, tunnel + sizeof(struct vxlan_header));
        l3[1] = inner_l3_ofs(p, tunnel + 8 + (p->data[tunnel] & 0x3f) * 4);   /* Geneve with options. */
        break;
    case 4:    /* IPv4 in IP, RFC 2003. */
    case 41:   /* IPv6 in IP, RFC 2473. */
        l3[0] = outer->l4_ofs;
        break;
    }
    for (int i = 0; i < 2; i++) {
        if (l3[i] && transport_find(p, l3[i], inner) && inner->l4_ofs == p->csum_start) {
            return true;
        }
    }
    return false;
}

static bool stack_find(const struct packet *p, struct stack *s)
{
    if (!transport_find(p, p->l3_ofs, &s->level[0]) || s->level[0].fragment) {
        return false;
    }
    s->n = 1;
    if (p->offload & OFFLOAD_CSUM_PARTIAL && p->csum_start != s->level[0].l4_ofs) {
        if (!find_inner(p, &s->level[0], &s->level[1]) || s->level[1].fragment) {
            return false;
        }
        s->n = 2;
    }
    const struct transport *t = &s->level[s->n - 1];
    uint32_t header_len = transport_header_len(p, t);
    if (!header_len) {
        return false;
    }
    s->header_len = t->l4_ofs + header_len;
    s->payload_len = t->l4_len - header_len;
    return true;
}

static void fix_ip_length(struct packet *seg, const struct transport *t, uint32_t number)
{
    uint32_t len = packet_len(seg) - t->l3_ofs;
    if (t->is_ip6) {
        struct ip6_header *ip = (void *) (seg->data + t->l3_ofs);
        ip->len = htobe16(len - sizeof *ip);
    } else {
        struct ip4_header *ip = (void *) (seg->data + t->l3_ofs);
        ip->len = htobe16(len);
        ip->id = htobe16(be16toh(ip->id) + number);
        ip->csum = 0;
        ip->csum = csum(ip, t->l4_ofs - t->l3_ofs);
    }
}

static be16 full_csum(const struct packet *seg, const struct transport *t, uint32_t len)
{
    uint64_t sum = (uint64_t) transport_pseudo(seg, t, len) + packet_csum_range(seg, t->l4_ofs, len);
    be16 result = csum_finish((uint32_t) (sum & UINT32_MAX) + (uint32_t) (sum >> 32));
    return result ? result : 0xffff;
}

/* Writes the transport header of segment 'number', beginning 'at' bytes into the payload. */
static void fix_transport(struct packet *seg, const struct transport *t, const struct packet *whole, uint32_t number,
                          uint32_t at, bool last, bool partial)
{
    uint32_t len = packet_len(seg) - t->l4_ofs;
    uint8_t *h = seg->data + t->l4_ofs;
    be16 *field;
    if (t->proto == IP_PROTO_TCP) {
        struct tcp_header *tcp = (void *) h;
        uint16_t flags = be16toh(tcp->flags);
        if (number) {
            flags &= ~TCP_CWR;   /* RFC 3168 6.1.2: the first data packet says it once. */
        }
        if (!last) {
            flags &= ~(TCP_FIN | TCP_PSH);
        }
        tcp->flags = htobe16(flags);
        tcp->seq = htobe32(be32toh(tcp->seq) + at);
        field = (be16 *) (void *) (h + offsetof(struct tcp_header, csum));
    } else {
        struct udp_header *udp = (void *) h;
        udp->len = htobe16(len);
        field = (be16 *) (void *) (h + offsetof(struct udp_header, csum));
        be16 was;
        memcpy(&was, field, sizeof was);
        if (!was && !(whole->offload & OFFLOAD_CSUM_PARTIAL)) {
            return;   /* Sent without a checksum. */
        }
    }
    be16 sum = 0;
    if (partial) {
        sum = ~csum_finish(transport_pseudo(seg, t, len));
        seg->offload = OFFLOAD_CSUM_PARTIAL;
        seg->csum_start = t->l4_ofs;
        seg->csum_offset = (uint8_t *) field - h;
    } else {
        memcpy(field, &sum, sizeof sum);
        sum = full_csum(seg, t, len);
    }
    memcpy(field, &sum, sizeof sum);
}

/* Lengths and checksum of the headers around the packet that is cut. */
static void fix_outer_udp(struct packet *seg, const struct transport *t)
{
    if (t->proto == IP_PROTO_UDP) {
        uint32_t len = packet_len(seg) - t->l4_ofs;
        struct udp_header *udp = (void *) (seg->data + t->l4_ofs);
        udp->len = htobe16(len);
        if (udp->csum) {
            udp->csum = 0;
            udp->csum = full_csum(seg, t, len);
        }
    }
}

/* A packet with the headers of 'p' and 'n' bytes of its payload from 'at' on. */
static struct packet *copy_part(struct packet_pool *pool, const struct packet *p, const struct stack *s, uint32_t at,
                                uint32_t n)
{
    struct packet *seg = packet_new(pool);
    if (!seg) {
        return NULL;
    }
    struct packet *next = seg->next;
    uint8_t *data = seg->data;
    memcpy(seg, p, offsetof(struct packet, tunnel));
    seg->pool = pool;
    seg->next = next;
    seg->data = data;
    seg->tail = NULL;
    seg->tail_len = seg->tail_ofs = 0;
    if (p->has_tunnel) {
        seg->tunnel = p->tunnel;
    }
    seg->gso = GSO_NONE;
    seg->gso_size = 0;
    seg->gso_segs = 1;
    seg->gso_ecn = false;
    seg->offload = OFFLOAD_CSUM_VALID;
    seg->csum_start = seg->csum_offset = 0;

    memcpy(seg->data, p->data, s->header_len);
    uint32_t in_head = MIN(n, PACKET_SPLIT - s->header_len);
    seg->head_len = s->header_len + in_head;
    packet_read(p, s->header_len + at, seg->data + s->header_len, in_head);
    if (n > in_head) {
        struct packet_tail *tail = packet_tail_new(pool);
        if (!tail) {
            packet_free(seg);
            return NULL;
        }
        packet_read(p, s->header_len + at + in_head, tail->bytes, n - in_head);
        packet_set_tail(seg, tail, n - in_head);
    }
    return seg;
}

uint32_t packet_segment(struct packet_pool *pool, const struct packet *p, uint16_t gso_size, bool keep_partial,
                        struct packet **first)
{
    struct stack s;
    *first = NULL;
    if (!gso_size || !stack_find(p, &s) || s.header_len > PACKET_SPLIT ||
        s.payload_len > (uint32_t) gso_size * PACKET_MAX_SEGMENTS) {
        return 0;
    }
    const struct transport *t = &s.level[s.n - 1];
    struct packet **link = first;
    uint32_t number = 0, at = 0;
    do {
        uint32_t n = MIN(gso_size, s.payload_len - at);
        struct packet *seg = copy_part(pool, p, &s, at, n);
        if (!seg) {
            while (*first) {
                struct packet *next = (*first)->next;
                packet_free(*first);
                *first = next;
            }
            return 0;
        }
        for (uint32_t i = 0; i < s.n; i++) {
            fix_ip_length(seg, &s.level[i], number);
        }
        fix_transport(seg, t, p, number, at, at + n == s.payload_len, keep_partial && s.n == 1);
        if (s.n == 2) {
            fix_outer_udp(seg, &s.level[0]);
        }
        *link = seg;
        link = &seg->next;
        at += n;
        number++;
    } while (at < s.payload_len);
    *link = NULL;
    return number;
}

uint32_t packet_segment_len(const struct packet *p)
{
    struct stack s;
    if (!p->gso_size || !stack_find(p, &s)) {
        return packet_len(p);
    }
    return s.header_len + MIN(p->gso_size, s.payload_len);
}

bool packet_clamp_mss(struct packet *p, uint16_t mss)
{
    struct transport t;
    if (!transport_find(p, p->l3_ofs, &t) || t.proto != IP_PROTO_TCP || t.fragment) {
        return false;
    }
    uint32_t header_len = transport_header_len(p, &t);
    if (!header_len) {
        return false;
    }
    uint8_t *h = p->data + t.l4_ofs;
    struct tcp_header *tcp = (void *) h;
    if (!(be16toh(tcp->flags) & TCP_SYN)) {
        return false;
    }
    for (uint32_t i = sizeof *tcp; i < header_len;) {
        uint8_t kind = h[i];
        if (kind == 0) {
            break;
        }
        if (kind == 1) {
            i++;
            continue;
        }
        if (i + 2 > header_len || h[i + 1] < 2 || i + h[i + 1] > header_len) {
            break;
        }
        if (kind == 2 && h[i + 1] == 4) {
            if (get_be16(h + i + 2) <= mss) {
                return false;
            }
            /* The words that hold the option's number, which may lie at an odd place. */
            uint32_t from = (i + 2) & ~1u, n = i & 1 ? 4 : 2;
            uint8_t old[4];
            memcpy(old, h + from, n);
            put_be16(h + i + 2, mss);
            if (!(p->offload & OFFLOAD_CSUM_PARTIAL) || p->csum_start != t.l4_ofs) {
                tcp->csum = csum_update(tcp->csum, old, h + from, n);
            }
            return true;
        }
        i += h[i + 1];
    }
    return false;
}
