/* SPDX-License-Identifier: Apache-2.0 */
/* Joins TCP segments. */
#include "datapath/tunnel/merge.h"

#include "lib/packet/csum.h"
#include "lib/packet/headers.h"

enum { MAX_IP_LEN = 65535 };

struct segment {
    bool ip6;
    uint16_t l3_ofs, l4_ofs, header_len;   /* header_len: all before the payload. */
    uint32_t payload_len, seq;
    uint8_t flags;
};

static uint32_t pseudo(const uint8_t *ip, bool ip6, uint32_t len)
{
    if (ip6) {
        return csum_pseudo6(ip + 8, ip + 24, IP_PROTO_TCP, len);
    }
    const struct ip4_header *ip4 = (const void *) ip;
    return csum_pseudo4(ip4->src, ip4->dst, IP_PROTO_TCP, len);
}

static bool ip_fits(const uint8_t *ip, size_t n, bool *ip6)
{
    if (n >= 20 && ip[0] == 0x45) {
        *ip6 = false;
        /* Not a fragment and not to be one: then its id means nothing. */
        return get_be16(ip + 6) == IP4_DF && ip[9] == IP_PROTO_TCP && get_be16(ip + 2) == n && !csum(ip, 20);
    }
    *ip6 = true;
    return n >= 40 && ip[0] >> 4 == 6 && ip[6] == IP_PROTO_TCP && get_be16(ip + 4) == n - 40;
}

/* True if the frame is a TCP segment with data that may be joined with its neighbours. */
static bool segment_parse(const uint8_t *f, size_t n, struct segment *s)
{
    size_t ofs = 12;
    for (int tags = 0; tags < 2 && ofs + 2 <= n; tags++) {
        uint16_t type = get_be16(f + ofs);
        if (type != ETH_TYPE_VLAN && type != ETH_TYPE_SVLAN) {
            break;
        }
        ofs += 4;
    }
    if (ofs + 2 > n || (get_be16(f + ofs) != ETH_TYPE_IP4 && get_be16(f + ofs) != ETH_TYPE_IP6)) {
        return false;
    }
    s->l3_ofs = ofs + 2;
    if (!ip_fits(f + s->l3_ofs, n - s->l3_ofs, &s->ip6)) {
        return false;
    }
    s->l4_ofs = s->l3_ofs + (s->ip6 ? 40 : 20);
    if (s->l4_ofs + 20 > n) {
        return false;
    }
    const uint8_t *tcp = f + s->l4_ofs;
    uint32_t tcp_len = (tcp[12] >> 4) * 4;
    s->header_len = s->l4_ofs + tcp_len;
    if (tcp_len < 20 || s->header_len >= n) {
        return false;
    }
    s->payload_len = n - s->header_len;
    s->seq = get_be32(tcp + 4);
    s->flags = tcp[13];
    return !(tcp[12] & 0x0f) && (s->flags & ~TCP_PSH) == TCP_ACK &&
           !csum_finish(csum_add(pseudo(f + s->l3_ofs, s->ip6, n - s->l4_ofs), tcp, n - s->l4_ofs));
}

/* All that must be equal in the headers of two segments of one packet is. */
static bool same_headers(const struct merge *m, const uint8_t *f, const struct segment *s)
{
    const uint8_t *h = m->p->data, *ip = f + s->l3_ofs, *tcp = f + s->l4_ofs;
    const uint8_t *h_ip = h + m->l3_ofs, *h_tcp = h + m->l4_ofs;
    if (s->ip6 != m->ip6 || s->l3_ofs != m->l3_ofs || s->header_len != m->header_len || memcmp(h, f, s->l3_ofs)) {
        return false;
    }
    /* Without length, id and checksum, or the length. */
    bool ip_same = s->ip6 ? !memcmp(h_ip, ip, 4) && !memcmp(h_ip + 6, ip + 6, 34)
                          : !memcmp(h_ip, ip, 2) && !memcmp(h_ip + 6, ip + 6, 4) && !memcmp(h_ip + 12, ip + 12, 8);
    /* Ports, acknowledgement, window, urgent pointer, options; not sequence number, PSH and checksum. */
    return ip_same && !memcmp(h_tcp, tcp, 4) && !memcmp(h_tcp + 8, tcp + 8, 5) && !memcmp(h_tcp + 14, tcp + 14, 2) &&
           !memcmp(h_tcp + 18, tcp + 18, s->header_len - s->l4_ofs - 18);
}

static void append(struct packet *p, const uint8_t *bytes, size_t n)
{
    size_t in_head = MIN(n, PACKET_SPLIT - p->head_len);
    memcpy(p->data + p->head_len, bytes, in_head);
    p->head_len += in_head;
    if (n > in_head) {
        memcpy(p->tail->bytes + p->tail_len, bytes + in_head, n - in_head);
        p->tail_len += n - in_head;
    }
}

static bool begin(struct merge *m, struct packet_pool *pool, const uint8_t *f, size_t n, const struct segment *s)
{
    struct packet *p = packet_new(pool);
    struct packet_tail *tail = p ? packet_tail_new(pool) : NULL;
    if (!tail) {
        packet_free(p);
        return false;
    }
    packet_set_tail(p, tail, 0);
    append(p, f, n);
    *m = (struct merge) {
        .p = p, .ip6 = s->ip6, .closed = s->flags & TCP_PSH, .l3_ofs = s->l3_ofs, .l4_ofs = s->l4_ofs,
        .header_len = s->header_len, .next_seq = s->seq + s->payload_len, .payload_len = s->payload_len,
        .mss = s->payload_len, .segs = 1,
    };
    return true;
}

bool merge_add(struct merge *m, struct packet_pool *pool, const uint8_t *frame, size_t n)
{
    struct segment s;
    if (!segment_parse(frame, n, &s)) {
        return false;
    }
    if (!m->p) {
        return begin(m, pool, frame, n, &s);
    }
    if (m->closed || s.seq != m->next_seq || s.payload_len > m->mss ||
        m->header_len - m->l3_ofs + m->payload_len + s.payload_len > MAX_IP_LEN || !same_headers(m, frame, &s)) {
        return false;
    }
    append(m->p, frame + s.header_len, s.payload_len);
    m->p->data[m->l4_ofs + 13] |= s.flags & TCP_PSH;
    m->closed = s.flags & TCP_PSH || s.payload_len < m->mss;
    m->next_seq += s.payload_len;
    m->payload_len += s.payload_len;
    m->segs++;
    return true;
}

struct packet *merge_finish(struct merge *m)
{
    struct packet *p = m->p;
    m->p = NULL;
    if (!p) {
        return NULL;
    }
    if (!p->tail_len) {
        packet_set_tail(p, NULL, 0);
    }
    p->offload = OFFLOAD_CSUM_VALID;
    if (m->segs == 1) {
        return p;
    }
    uint8_t *ip = p->data + m->l3_ofs;
    uint32_t ip_len = m->header_len - m->l3_ofs + m->payload_len;
    uint32_t tcp_len = m->header_len - m->l4_ofs + m->payload_len;
    if (m->ip6) {
        put_be16(ip + 4, ip_len - 40);
    } else {
        put_be16(ip + 2, ip_len);
        memset(ip + 10, 0, 2);
        be16 sum = csum(ip, 20);
        memcpy(ip + 10, &sum, sizeof sum);
    }
    be16 bare = ~csum_finish(pseudo(ip, m->ip6, tcp_len));
    memcpy(p->data + m->l4_ofs + 16, &bare, sizeof bare);
    p->offload = OFFLOAD_CSUM_PARTIAL;
    p->csum_start = m->l4_ofs;
    p->csum_offset = 16;
    p->gso = m->ip6 ? GSO_TCP6 : GSO_TCP4;
    p->gso_size = m->mss;
    p->gso_segs = m->segs;
    return p;
}
