/* SPDX-License-Identifier: Apache-2.0 */
/* Receives VXLAN: takes datagrams, trains of them (UDP GRO) and 64 KB datagrams of local peers apart (MECHANISMS 2). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "datapath/port/kernel.h"
#include "datapath/tunnel/decap.h"
#include "datapath/tunnel/merge.h"
#include "datapath/tunnel/vxlan.h"
#include "lib/base/alloc.h"

enum {
    RX_MESSAGES = 16,
    RX_HEAD = VXLAN_HEADER + PACKET_SPLIT,   /* So that a tail's bytes are a packet's tail as they are. */
    RX_CONTROL = 192,
};

/* One datagram or train as received; memory of the carrier's own, so that what is left of a train can wait. */
struct rx_message {
    uint8_t head[RX_HEAD];
    struct packet_tail *tail;
    struct iovec iov[2];
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } from;
    union {
        uint8_t bytes[RX_CONTROL];
        size_t align;
    } control;
};

struct vxlan_rx {
    enum udp_family next;        /* Family to ask first. */
    enum udp_family family;      /* Of the messages that are here. */
    uint32_t n, i;               /* Messages, and the one that is being taken apart. */
    uint32_t ofs;                /* In it. */
    uint32_t segment;            /* Its train's segment size; its whole length if it is none. */
    struct tunnel_key tunnel;    /* What is said of it. */
    struct mmsghdr headers[RX_MESSAGES];
    struct rx_message messages[RX_MESSAGES];
    uint8_t straddling[65536];   /* A segment that lies in head and tail, in one piece. */
};

struct vxlan_rx *vxlan_rx_create(void)
{
    struct vxlan_rx *rx = xzalloc_aligned(sizeof *rx);
    for (int i = 0; i < RX_MESSAGES; i++) {
        struct rx_message *m = &rx->messages[i];
        m->iov[0] = (struct iovec) { m->head, sizeof m->head };
        rx->headers[i].msg_hdr = (struct msghdr) { .msg_iov = m->iov, .msg_iovlen = 2, .msg_control = &m->control,
                                                   .msg_name = &m->from };
    }
    return rx;
}

void vxlan_rx_destroy(struct vxlan_rx *rx)
{
    if (rx) {
        for (int i = 0; i < RX_MESSAGES; i++) {
            packet_tail_put(rx->messages[i].tail);
        }
        free(rx);
    }
}

static int receive(struct vxlan_rx *rx, int fd)
{
    for (int i = 0; i < RX_MESSAGES; i++) {
        struct rx_message *m = &rx->messages[i];
        struct msghdr *h = &rx->headers[i].msg_hdr;
        if (UNLIKELY(!m->tail)) {
            m->tail = packet_tail_new(NULL);
            m->iov[1] = (struct iovec) { m->tail->bytes, PACKET_TAIL_MAX };
        }
        h->msg_namelen = sizeof m->from;
        h->msg_controllen = sizeof m->control;
        h->msg_flags = 0;
    }
    int n = recvmmsg(fd, rx->headers, RX_MESSAGES, MSG_DONTWAIT, NULL);
    return MAX(n, 0);
}

/* Fills the tunnel key from addresses and control data; the train's segment size, or 0. */
static uint32_t read_control(struct vxlan_rx *rx, uint16_t udp_port)
{
    struct rx_message *m = &rx->messages[rx->i];
    struct msghdr *h = &rx->headers[rx->i].msg_hdr;
    struct tunnel_key *t = &rx->tunnel;
    uint32_t segment = 0;
    int value;
    memset(t, 0, sizeof *t);
    t->tp_dst = htobe16(udp_port);
    t->flags = TUNNEL_KEY;
    if (rx->family == UDP_IP4) {
        t->ip4_src = m->from.in.sin_addr.s_addr;
        t->tp_src = m->from.in.sin_port;
    } else {
        t->ip6_src = m->from.in6.sin6_addr;
        t->tp_src = m->from.in6.sin6_port;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        const void *data = CMSG_DATA(c);
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            t->ip4_dst = ((const struct in_pktinfo *) data)->ipi_addr.s_addr;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            t->tos = *(const uint8_t *) data;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            t->ip6_dst = ((const struct in6_pktinfo *) data)->ipi6_addr;
        } else if (c->cmsg_len >= CMSG_LEN(sizeof value)) {
            memcpy(&value, data, sizeof value);
            if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
                segment = MAX(value, 0);
            } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
                       (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
                t->ttl = value;
            } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
                t->tos = value;
            }
        }
    }
    return segment;
}

/* 'n' bytes at 'ofs' of message 'm' in one piece. */
static const uint8_t *piece(struct vxlan_rx *rx, const struct rx_message *m, uint32_t ofs, uint32_t n)
{
    if (ofs + n <= RX_HEAD) {
        return m->head + ofs;
    }
    if (ofs >= RX_HEAD) {
        return m->tail->bytes + (ofs - RX_HEAD);
    }
    uint32_t in_head = RX_HEAD - ofs;
    memcpy(rx->straddling, m->head + ofs, in_head);
    memcpy(rx->straddling + in_head, m->tail->bytes, n - in_head);
    return rx->straddling;
}

/* ---- Packets ---- */

/* Metadata and the outer header's say on ECN; then it is received. */
static void deliver(struct port *port, struct vxlan_rx *rx, struct packet *p, struct packet_batch *batch)
{
    if (UNLIKELY((rx->tunnel.tos & 3) == 3) && !decap_ecn(p)) {
        port_rx_drop(port, DROP_TUNNEL_ECN, 1);
        packet_free(p);
        return;
    }
    p->has_tunnel = true;
    p->tunnel = rx->tunnel;
    batch->p[batch->n++] = p;
}

/* A datagram that is no train: perhaps 64 KB with offload state to be found again. */
static void take_datagram(struct port *port, struct vxlan_rx *rx, struct packet_pool *pool, uint32_t len,
                          uint32_t inner_gso, struct packet_batch *batch)
{
    struct rx_message *m = &rx->messages[rx->i];
    uint32_t vni;
    enum drop reason;
    if (!vxlan_parse(m->head, MIN(len, RX_HEAD), &vni, &reason)) {
        port_rx_drop(port, reason, 1);
        return;
    }
    struct packet *p = packet_new(pool);
    if (UNLIKELY(!p)) {
        port_rx_drop(port, DROP_NO_BUFFER, 1);
        return;
    }
    rx->tunnel.id = htobe64(vni);
    p->head_len = MIN(len, RX_HEAD) - VXLAN_HEADER;
    memcpy(p->data, m->head + VXLAN_HEADER, p->head_len);
    if (len > RX_HEAD) {
        packet_set_tail(p, m->tail, len - RX_HEAD);
        m->tail = NULL;
    }
    decap_restore_offload(p, inner_gso);
    deliver(port, rx, p, batch);
}

static void take_segment(struct port *port, struct vxlan_rx *rx, struct packet_pool *pool, struct merge *merge,
                         const uint8_t *payload, uint32_t n, struct packet_batch *batch)
{
    uint32_t vni;
    enum drop reason;
    bool good = vxlan_parse(payload, n, &vni, &reason);
    if (good && merge->p && rx->tunnel.id == htobe64(vni) && merge_add(merge, pool, payload + VXLAN_HEADER,
                                                                       n - VXLAN_HEADER)) {
        return;
    }
    struct packet *done = merge_finish(merge);
    if (done) {
        deliver(port, rx, done, batch);
    }
    if (!good) {
        port_rx_drop(port, reason, 1);
        return;
    }
    rx->tunnel.id = htobe64(vni);
    if (merge_add(merge, pool, payload + VXLAN_HEADER, n - VXLAN_HEADER)) {
        return;
    }
    struct packet *p = packet_from_bytes(pool, payload + VXLAN_HEADER, n - VXLAN_HEADER);
    if (UNLIKELY(!p)) {
        port_rx_drop(port, DROP_NO_BUFFER, 1);
        return;
    }
    decap_restore_offload(p, 0);
    deliver(port, rx, p, batch);
}

/* Goes on with the train at 'ofs' while the batch has room for two more (what was merged, and the next). */
static bool take_train(struct port *port, struct vxlan_rx *rx, struct packet_pool *pool, uint32_t len,
                       struct packet_batch *batch)
{
    const struct rx_message *m = &rx->messages[rx->i];
    struct merge merge = { .p = NULL };
    while (rx->ofs < len && batch->n + 2 <= BATCH_MAX) {
        uint32_t n = MIN(rx->segment, len - rx->ofs);
        take_segment(port, rx, pool, &merge, piece(rx, m, rx->ofs, n), n, batch);
        rx->ofs += n;
    }
    struct packet *done = merge_finish(&merge);
    if (done) {
        deliver(port, rx, done, batch);
    }
    return rx->ofs >= len;
}

/* Takes message 'i' apart as far as the batch goes; true when it is done with. */
static bool take_message(struct port *port, struct vxlan_rx *rx, struct packet_pool *pool, struct packet_batch *batch)
{
    uint32_t len = rx->headers[rx->i].msg_len;
    if (!rx->ofs) {
        if (UNLIKELY(rx->headers[rx->i].msg_hdr.msg_flags & MSG_TRUNC)) {
            port_rx_drop(port, DROP_TRUNCATED, 1);
            return true;
        }
        uint32_t segment = read_control(rx, vxlan_cast(port)->udp_port);
        bool whole = !segment || segment >= len || decap_is_one_packet(rx->messages[rx->i].head, MIN(len, RX_HEAD), len);
        if (whole) {
            take_datagram(port, rx, pool, len, segment < len ? segment : 0, batch);
            return true;
        }
        rx->segment = segment;
    }
    return take_train(port, rx, pool, len, batch);
}

void vxlan_rx(struct port *port, struct packet_pool *pool, struct packet_batch *batch)
{
    struct port_vxlan *v = vxlan_cast(port);
    struct vxlan_rx *rx = v->rx;
    if (rx->i >= rx->n) {
        rx->i = rx->n = 0;
        for (int attempt = 0; attempt < UDP_N_FAMILIES && !rx->n; attempt++) {
            rx->family = rx->next;
            rx->next = !rx->next;
            if (v->fds[rx->family] >= 0) {
                rx->n = receive(rx, v->fds[rx->family]);
            }
        }
    }
    while (rx->i < rx->n && batch->n + 2 <= BATCH_MAX) {
        if (take_message(port, rx, pool, batch)) {
            rx->i++;
            rx->ofs = 0;
        }
    }
}
