/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the transport header of an IP packet. */
#include "lib/packet/transport.h"

#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"

enum { MAX_EXTENSION_HEADERS = 16 };

static bool find4(const struct packet *p, uint16_t l3_ofs, struct transport *t)
{
    const struct ip4_header *ip = (const void *) (p->data + l3_ofs);
    uint32_t header_len = (ip->ihl_version & 15) * 4, room = packet_len(p) - l3_ofs;
    uint32_t total = be16toh(ip->len);
    if (!total && p->gso) {
        total = room;
    }
    if (header_len < sizeof *ip || total < header_len || total > room || l3_ofs + header_len > p->head_len) {
        return false;
    }
    t->is_ip6 = false;
    t->fragment = ip->frag & htobe16(IP4_MF | IP4_FRAG_OFS_MASK);
    t->proto = ip->proto;
    t->l3_ofs = l3_ofs;
    t->l4_ofs = l3_ofs + header_len;
    t->l4_len = total - header_len;
    return true;
}

/* Where a packet goes at last, by a routing header of a type that we know. */
static void final_destination(const uint8_t *routing, uint32_t len, uint8_t dst[16])
{
    uint8_t type = routing[2], left = routing[3];
    if (!left || len < 24) {
        return;
    }
    switch (type) {
    case 0:   /* RFC 2460 4.4: the last address. */
    case 2:   /* RFC 6275 6.4: the only one. */
        memcpy(dst, routing + 8 + (len - 8) / 16 * 16 - 16, 16);
        break;
    case 4:   /* RFC 8754 2: the list is in reverse. */
        memcpy(dst, routing + 8, 16);
        break;
    }
}

static bool find6(const struct packet *p, uint16_t l3_ofs, struct transport *t)
{
    const struct ip6_header *ip = (const void *) (p->data + l3_ofs);
    if (p->head_len < l3_ofs + sizeof *ip) {
        return false;
    }
    uint32_t room = packet_len(p) - l3_ofs, total = be16toh(ip->len) + sizeof *ip;
    if (total == sizeof *ip && p->gso) {
        total = room;
    }
    if (total > room) {
        return false;
    }
    t->is_ip6 = true;
    t->fragment = false;
    t->l3_ofs = l3_ofs;
    memcpy(t->dst, ip->dst, sizeof t->dst);
    uint32_t ofs = sizeof *ip, head = MIN(p->head_len - l3_ofs, total);
    uint8_t next = ip->next;
    for (int i = 0; i <= MAX_EXTENSION_HEADERS; i++) {
        const uint8_t *h = p->data + l3_ofs + ofs;
        uint32_t len;
        switch (next) {
        case IP_PROTO_HOPOPTS:
        case IP_PROTO_ROUTING:
        case IP_PROTO_DSTOPTS:
        case IP_PROTO_FRAGMENT:
        case IP_PROTO_AH:
            if (head < ofs + 8) {
                return false;
            }
            len = next == IP_PROTO_AH ? (h[1] + 2) * 4 : next == IP_PROTO_FRAGMENT ? 8 : (h[1] + 1) * 8;
            if (head < ofs + len) {
                return false;
            }
            if (next == IP_PROTO_ROUTING) {
                final_destination(h, len, t->dst);
            }
            if (next == IP_PROTO_FRAGMENT && get_be16(h + 2) & 0xfff9) {
                t->fragment = true;
                if (get_be16(h + 2) & 0xfff8) {
                    t->proto = IP_PROTO_FRAGMENT;
                    t->l4_ofs = l3_ofs + ofs + len;
                    t->l4_len = total - ofs - len;
                    return true;
                }
            }
            next = h[0];
            ofs += len;
            break;
        default:
            t->proto = next;
            t->l4_ofs = l3_ofs + ofs;
            t->l4_len = total - ofs;
            return true;
        }
    }
    return false;
}

bool transport_find(const struct packet *p, uint16_t l3_ofs, struct transport *t)
{
    if (!l3_ofs || p->head_len < l3_ofs + sizeof(struct ip4_header)) {
        return false;
    }
    switch (p->data[l3_ofs] >> 4) {
    case 4:
        return find4(p, l3_ofs, t);
    case 6:
        return find6(p, l3_ofs, t);
    default:
        return false;
    }
}

uint32_t transport_pseudo(const struct packet *p, const struct transport *t, uint32_t len)
{
    if (t->is_ip6) {
        const struct ip6_header *ip = (const void *) (p->data + t->l3_ofs);
        return csum_pseudo6(ip->src, t->dst, t->proto, len);
    }
    const struct ip4_header *ip = (const void *) (p->data + t->l3_ofs);
    return csum_pseudo4(ip->src, ip->dst, t->proto, len);
}
