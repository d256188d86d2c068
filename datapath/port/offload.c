/* SPDX-License-Identifier: Apache-2.0 */
/* Checks offload state as it comes in, and does in software what a device cannot. */
#include "datapath/port/offload.h"

#include "lib/packet/csum.h"
#include "lib/packet/gso.h"
#include "lib/packet/headers.h"
#include "lib/packet/transport.h"

enum { VNET_NEEDS_CSUM = 1 };   /* In vnet_header.flags. */

uint32_t offload_find_l3(const struct packet *p)
{
    uint32_t ofs = 12;
    for (int tags = 0; tags < 4 && ofs + 2 <= p->head_len; tags++, ofs += 4) {
        uint16_t type = get_be16(p->data + ofs);
        if (type != ETH_TYPE_VLAN && type != ETH_TYPE_SVLAN) {
            return type == ETH_TYPE_IP4 || type == ETH_TYPE_IP6 ? ofs + 2 : 0;
        }
    }
    return 0;
}

bool offload_from_vnet(const struct vnet_header *h, bool vlan_inserted, struct packet *p)
{
    struct vnet_header partial = *h;
    struct transport t;
    if (LIKELY(vnet_to_packet(h, vlan_inserted, p))) {
        return true;
    }
    uint32_t l3 = offload_find_l3(p);
    if (!h->gso_type || h->flags & VNET_NEEDS_CSUM || !l3 || !transport_find(p, l3, &t) || t.fragment ||
        (t.proto != IP_PROTO_TCP && t.proto != IP_PROTO_UDP)) {
        return false;
    }
    uint16_t field = t.proto == IP_PROTO_TCP ? offsetof(struct tcp_header, csum) : offsetof(struct udp_header, csum);
    if (t.l4_ofs + field + 2u > p->head_len) {
        return false;
    }
    be16 bare = ~csum_finish(transport_pseudo(p, &t, t.l4_len));
    memcpy(p->data + t.l4_ofs + field, &bare, sizeof bare);
    partial.flags = VNET_NEEDS_CSUM;
    partial.csum_start = t.l4_ofs - (vlan_inserted ? sizeof(struct vlan_header) : 0);
    partial.csum_offset = field;
    return vnet_to_packet(&partial, vlan_inserted, p);
}

void packet_list_free(struct packet *p)
{
    while (p) {
        struct packet *next = p->next;
        packet_free(p);
        p = next;
    }
}

/* True if the offload state is about the packet's own transport header. */
static bool is_own_transport(struct packet *p)
{
    struct transport t;
    uint32_t l3 = offload_find_l3(p);
    if (!l3 || !transport_find(p, l3, &t)) {
        return !p->gso_size;   /* A checksum in something that is not IP is finished, whatever it is. */
    }
    p->l3_ofs = l3;
    return p->csum_start == t.l4_ofs && (p->gso_size || !t.fragment);
}

/* Puts the segments of 'p', linked, at the end of the port's pending list. */
static void append_pending(struct port *port, struct packet *list)
{
    struct packet **link = &port->pending;
    while (*link) {
        link = &(*link)->next;
    }
    *link = list;
}

void offload_check_received(struct port *port, struct packet_batch *batch)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < batch->n; i++) {
        struct packet *p = batch->p[i];
        if (LIKELY(!(p->offload & OFFLOAD_CSUM_PARTIAL)) || is_own_transport(p)) {
            batch->p[n++] = p;
            continue;
        }
        p->offload |= OFFLOAD_NESTED;
        if (!p->gso_size) {
            packet_csum_complete(p);
            batch->p[n++] = p;
            continue;
        }
        struct packet *list;
        if (!p->l3_ofs || !packet_segment(NULL, p, p->gso_size, false, &list)) {
            port_rx_drop(port, DROP_GSO_UNKNOWN, 1);
        } else {
            append_pending(port, list);
        }
        packet_free(p);
    }
    /* Segments come after the packets of this batch; those of one flow stay in order since each nested packet of it
     * takes this way. */
    while (port->pending && n < BATCH_MAX) {
        struct packet *p = port->pending;
        port->pending = p->next;
        p->next = NULL;
        batch->p[n++] = p;
    }
    batch->n = n;
}

struct packet *offload_resolve(struct packet_pool *pool, struct packet *p, bool *made, enum drop *reason)
{
    *made = false;
    if (!p->gso_size) {
        packet_csum_complete(p);
        return p;
    }
    struct packet *list;
    if (!p->l3_ofs) {
        p->l3_ofs = offload_find_l3(p);
    }
    if (!packet_segment(pool, p, p->gso_size, false, &list) && !packet_segment(NULL, p, p->gso_size, false, &list)) {
        *reason = DROP_GSO_UNKNOWN;
        return NULL;
    }
    *made = true;
    return list;
}

bool offload_fit_mtu(struct packet *p, uint32_t mtu)
{
    if (!p->l3_ofs) {
        p->l3_ofs = offload_find_l3(p);
    }
    uint32_t len = packet_segment_len(p) - p->l3_ofs;
    if (len <= mtu) {
        return true;
    }
    uint32_t header = len - p->gso_size;
    if (p->gso == GSO_UDP || header + 8 > mtu || len < p->gso_size) {
        return false;
    }
    uint32_t payload = (uint32_t) p->gso_segs * p->gso_size;
    p->gso_size = mtu - header;
    p->gso_segs = MIN(DIV_ROUND_UP(payload, p->gso_size), UINT16_MAX);
    return true;
}
