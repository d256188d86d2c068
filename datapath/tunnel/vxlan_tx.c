/* SPDX-License-Identifier: Apache-2.0 */
/* Sends VXLAN: single datagrams, and trains that the kernel cuts (UDP_SEGMENT, MECHANISMS 2). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "datapath/port/device_tx.h"
#include "datapath/port/kernel.h"
#include "datapath/tunnel/path.h"
#include "datapath/tunnel/too_big.h"
#include "datapath/tunnel/vxlan.h"
#include "lib/base/alloc.h"
#include "lib/packet/csum.h"
#include "lib/packet/gso.h"
#include "lib/packet/transport.h"
#include "lib/sys/clock.h"

enum {
    TX_MESSAGES = 64, TX_IOV = 1024, TX_HEADERS = 64 * 1024, TX_CONTROL = 192,
    TRAIN_SEGMENTS = 64,         /* UDP_MAX_SEGMENTS of older kernels. */
    TRAIN_BYTES = 65507,         /* The largest UDP payload over IPv4. */
    TX_INNER_MAX = 240,          /* Headers of a packet that is cut: Ethernet, tags, IP with options, TCP with options. */
    MAX_ANSWERS_BURST = 100, ANSWERS_PER_SECOND = 100,
    SENT = -1,                   /* In 'result': no reason to drop. */
};

/* One message to the kernel: of packets 'first' to 'last' of the batch. */
struct tx_message {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } to;
    union {
        uint8_t bytes[TX_CONTROL];
        size_t align;
    } control;
    uint16_t first, last;
    uint16_t segment;            /* 0: a single datagram. */
    uint16_t segment_cmsg;       /* Control bytes without the one that says UDP_SEGMENT. */
    uint32_t len, n_segments;
};

struct vxlan_tx {
    struct path_cache paths;
    int64_t now_ms;
    int64_t answers_ms;          /* Token bucket of ICMP answers. */
    uint32_t answers;
    /* Of the batch being sent. */
    struct packet_batch *batch;
    int result[BATCH_MAX];       /* SENT or an enum drop. */
    /* What waits for sendmmsg, all for one socket. */
    int fd;
    uint32_t n, n_iov, n_header;
    struct mmsghdr headers[TX_MESSAGES];
    struct tx_message messages[TX_MESSAGES];
    struct iovec iov[TX_IOV];
    uint8_t header[TX_HEADERS];  /* VXLAN headers, and inner headers of cut packets. */
};

void vxlan_tx_destroy(struct vxlan_tx *tx)
{
    free(tx);
}

/* ---- To the kernel ---- */

static int reason_of(int err)
{
    switch (err) {
    case EMSGSIZE:
        return DROP_TUNNEL_MTU;
    case ENETUNREACH:
    case EHOSTUNREACH:
        return DROP_TUNNEL_NO_ROUTE;
    default:
        return device_tx_reason(err);
    }
}

/* The kernel refused the train: its segments one by one. 0 or an errno. */
static int send_singly(struct vxlan_tx *tx, const struct tx_message *m, const struct msghdr *train)
{
    struct msghdr one = *train;
    one.msg_controllen = m->segment_cmsg;
    if (!one.msg_controllen) {
        one.msg_control = NULL;
    }
    for (size_t i = 0; i < train->msg_iovlen;) {
        size_t end = i + 1;
        while (end < train->msg_iovlen &&
               ((uint8_t *) train->msg_iov[end].iov_base < tx->header ||
                (uint8_t *) train->msg_iov[end].iov_base >= tx->header + sizeof tx->header)) {
            end++;
        }
        one.msg_iov = train->msg_iov + i;
        one.msg_iovlen = end - i;
        if (sendmsg(tx->fd, &one, MSG_DONTWAIT) < 0) {
            return errno;
        }
        i = end;
    }
    return 0;
}

static void note_failure(struct vxlan_tx *tx, uint32_t i, int err)
{
    const struct tx_message *m = &tx->messages[i];
    if (err == EMSGSIZE || err == EINVAL) {
        path_forget(&tx->paths, &tx->batch->p[m->first]->tunnel);
    }
    if (m->segment && (err == EMSGSIZE || err == EINVAL || err == EIO)) {
        err = send_singly(tx, m, &tx->headers[i].msg_hdr);
    }
    for (uint32_t k = m->first; err && k <= m->last; k++) {
        tx->result[k] = reason_of(err);
    }
}

static void flush(struct vxlan_tx *tx)
{
    for (uint32_t i = 0; i < tx->n;) {
        int n = sendmmsg(tx->fd, tx->headers + i, tx->n - i, MSG_DONTWAIT);
        if (LIKELY(n > 0)) {
            i += n;
        } else {
            note_failure(tx, i, errno);
            i++;
        }
    }
    tx->n = tx->n_iov = tx->n_header = 0;
}

static void put_control(struct msghdr *h, int level, int type, const void *data, size_t n)
{
    struct cmsghdr *c = (void *) ((uint8_t *) h->msg_control + h->msg_controllen);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), data, n);
    h->msg_controllen += CMSG_SPACE(n);
}

/* Address and control data from the packet's tunnel key. */
static void put_outer(struct tx_message *m, struct msghdr *h, const struct packet *p, uint16_t udp_port)
{
    const struct tunnel_key *t = &p->tunnel;
    int tos = t->tos, ttl = t->ttl;
    h->msg_name = &m->to;
    h->msg_control = &m->control;
    h->msg_controllen = 0;
    if (t->ip4_dst) {
        m->to.in = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htobe16(udp_port),
                                          .sin_addr.s_addr = t->ip4_dst };
        h->msg_namelen = sizeof m->to.in;
        if (t->ip4_src) {
            struct in_pktinfo info = { .ipi_spec_dst.s_addr = t->ip4_src };
            put_control(h, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
        }
    } else {
        m->to.in6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = htobe16(udp_port),
                                            .sin6_addr = t->ip6_dst };
        h->msg_namelen = sizeof m->to.in6;
        if (!IN6_IS_ADDR_UNSPECIFIED(&t->ip6_src)) {
            struct in6_pktinfo info = { .ipi6_addr = t->ip6_src };
            put_control(h, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
        }
    }
    if (tos) {
        put_control(h, t->ip4_dst ? IPPROTO_IP : IPPROTO_IPV6, t->ip4_dst ? IP_TOS : IPV6_TCLASS, &tos, sizeof tos);
    }
    if (ttl) {
        put_control(h, t->ip4_dst ? IPPROTO_IP : IPPROTO_IPV6, t->ip4_dst ? IP_TTL : IPV6_HOPLIMIT, &ttl, sizeof ttl);
    }
    if (p->mark) {
        put_control(h, SOL_SOCKET, SO_MARK, &p->mark, sizeof p->mark);
    }
    m->segment_cmsg = h->msg_controllen;
}

/* Begins a message for packet 'k' by socket 'fd', with room for a train if 'segment' is not 0. */
static struct tx_message *begin(struct vxlan_tx *tx, uint32_t k, int fd, uint16_t udp_port, uint16_t segment)
{
    if (tx->n && (tx->fd != fd || tx->n == TX_MESSAGES || tx->n_iov + 3 * TRAIN_SEGMENTS > TX_IOV ||
                  tx->n_header + TRAIN_SEGMENTS * (VXLAN_HEADER + TX_INNER_MAX) > TX_HEADERS)) {
        flush(tx);
    }
    tx->fd = fd;
    struct tx_message *m = &tx->messages[tx->n];
    struct msghdr *h = &tx->headers[tx->n].msg_hdr;
    *h = (struct msghdr) { .msg_iov = &tx->iov[tx->n_iov] };
    put_outer(m, h, tx->batch->p[k], udp_port);
    m->first = m->last = k;
    m->segment = 0;
    m->len = m->n_segments = 0;
    if (segment) {
        m->segment = segment;
        put_control(h, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
    }
    tx->n++;
    return m;
}

static void put_iov(struct vxlan_tx *tx, const void *bytes, size_t n)
{
    tx->iov[tx->n_iov++] = (struct iovec) { (void *) bytes, n };
    tx->headers[tx->n - 1].msg_hdr.msg_iovlen++;
    tx->messages[tx->n - 1].len += n;
}

/* Bytes 'ofs' to 'ofs + n' of the frame, wherever they lie. */
static void put_frame(struct vxlan_tx *tx, const struct packet *p, uint32_t ofs, uint32_t n)
{
    if (ofs < p->head_len) {
        uint32_t in_head = MIN(n, p->head_len - ofs);
        put_iov(tx, p->data + ofs, in_head);
        ofs += in_head;
        n -= in_head;
    }
    if (n) {
        put_iov(tx, p->tail->bytes + p->tail_ofs + (ofs - p->head_len), n);
    }
}

/* Room for a header of the message, in front of 'inner' bytes of inner headers. */
static uint8_t *put_vxlan(struct vxlan_tx *tx, const struct packet *p, uint32_t inner)
{
    uint8_t *h = tx->header + tx->n_header;
    put_be32(h, VXLAN_FLAG_VNI);
    put_be32(h + 4, (uint32_t) be64toh(p->tunnel.id) << 8);
    tx->n_header += VXLAN_HEADER + inner;
    put_iov(tx, h, VXLAN_HEADER + inner);
    tx->messages[tx->n - 1].n_segments++;
    return h + VXLAN_HEADER;
}

/* ---- Trains of one GSO packet ---- */

/* Writes the inner headers of a segment of 'n' payload bytes from 'at' on. */
static void put_inner(const struct packet *p, const struct transport *t, uint8_t *h, uint32_t header_len, uint32_t number,
                      uint32_t at, uint32_t n, bool last)
{
    uint8_t *ip = h + t->l3_ofs, *l4 = h + t->l4_ofs;
    uint32_t l4_len = header_len - t->l4_ofs + n;
    uint16_t field = offsetof(struct udp_header, csum);
    memcpy(h, p->data, header_len);
    if (t->is_ip6) {
        put_be16(ip + 4, header_len - t->l3_ofs - sizeof(struct ip6_header) + n);
    } else {
        struct ip4_header *ip4 = (void *) ip;
        ip4->len = htobe16(header_len - t->l3_ofs + n);
        ip4->id = htobe16(be16toh(ip4->id) + number);
        ip4->csum = 0;
        ip4->csum = csum(ip, (ip[0] & 15) * 4);
    }
    if (t->proto == IP_PROTO_TCP) {
        field = offsetof(struct tcp_header, csum);
        put_be32(l4 + 4, get_be32(l4 + 4) + at);
        l4[13] &= number ? ~TCP_CWR : 0xff;
        l4[13] &= last ? 0xff : ~(TCP_FIN | TCP_PSH);
    } else {
        put_be16(l4 + offsetof(struct udp_header, len), l4_len);
    }
    be16 sum = 0;
    memcpy(l4 + field, &sum, sizeof sum);
    uint64_t total = (uint64_t) transport_pseudo(p, t, l4_len) + csum_add(0, l4, header_len - t->l4_ofs);
    uint32_t payload = packet_csum_range(p, header_len + at, n);   /* All headers are of even length. */
    total += payload;
    sum = csum_finish((uint32_t) total + (uint32_t) (total >> 32));
    sum = sum ? sum : 0xffff;
    memcpy(l4 + field, &sum, sizeof sum);
}

/* Cuts packet 'k' for frames of at most 'limit' bytes into trains. SENT or a reason. */
static int send_gso(struct vxlan_tx *tx, uint32_t k, int fd, uint16_t udp_port, uint32_t limit)
{
    struct packet *p = tx->batch->p[k];
    struct transport t;
    if (!p->l3_ofs || !transport_find(p, p->l3_ofs, &t) || p->csum_start != t.l4_ofs ||
        (t.proto != IP_PROTO_TCP && t.proto != IP_PROTO_UDP) ||
        t.l4_ofs + (t.proto == IP_PROTO_TCP ? sizeof(struct tcp_header) : sizeof(struct udp_header)) > p->head_len) {
        return DROP_GSO_UNKNOWN;
    }
    uint32_t header_len = t.l4_ofs + (t.proto == IP_PROTO_TCP ? (p->data[t.l4_ofs + 12] >> 4) * 4
                                                              : sizeof(struct udp_header));
    if (header_len > p->head_len || header_len > TX_INNER_MAX || header_len >= packet_len(p)) {
        return DROP_GSO_UNKNOWN;
    }
    uint32_t payload = packet_len(p) - header_len, size = p->gso_size;
    if (header_len + size > limit) {
        if (t.proto == IP_PROTO_UDP || header_len + 8 > limit) {
            return DROP_TUNNEL_MTU;
        }
        size = limit - header_len;
    }
    uint32_t segment = VXLAN_HEADER + header_len + size;
    uint32_t per_train = MIN(TRAIN_SEGMENTS, TRAIN_BYTES / segment);
    for (uint32_t at = 0, number = 0; at < payload; number++) {
        if (number % per_train == 0) {
            begin(tx, k, fd, udp_port, at + size < payload ? segment : 0);
        }
        uint32_t n = MIN(size, payload - at);
        uint8_t *h = put_vxlan(tx, p, header_len);
        put_inner(p, &t, h, header_len, number, at, n, at + n == payload);
        put_frame(tx, p, header_len + at, n);
        at += n;
    }
    return SENT;
}

/* ---- One packet ---- */

static bool may_answer(struct vxlan_tx *tx)
{
    int64_t due = (tx->now_ms - tx->answers_ms) * ANSWERS_PER_SECOND / 1000;
    if (due > 0) {
        tx->answers = MIN(tx->answers + due, MAX_ANSWERS_BURST);
        tx->answers_ms = tx->now_ms;
    }
    return tx->answers && tx->answers--;
}

/* Tells the inner sender what would fit. */
static void answer_too_big(struct port *port, struct vxlan_tx *tx, struct packet_pool *pool, const struct packet *p,
                           uint32_t limit, uint32_t worker)
{
    if (!p->l3_ofs || limit <= p->l3_ofs || !may_answer(tx)) {
        return;
    }
    struct packet *a = too_big_answer(pool, p, limit - p->l3_ofs);
    if (!a) {
        return;
    }
    a->has_tunnel = true;
    a->tunnel = p->tunnel;
    a->tunnel.ip4_src = p->tunnel.ip4_dst;
    a->tunnel.ip4_dst = p->tunnel.ip4_src;
    a->tunnel.ip6_src = p->tunnel.ip6_dst;
    a->tunnel.ip6_dst = p->tunnel.ip6_src;
    a->tunnel.flags = TUNNEL_KEY;
    a->tunnel.tos = 0;
    a->tunnel.ttl = 64;
    a->tunnel.tp_src = 0;
    a->tunnel.tp_dst = htobe16(vxlan_cast(port)->udp_port);
    port_reinject(port, a, worker);
}

static uint32_t outer_len(const struct packet *p)
{
    return (p->tunnel.ip4_dst ? sizeof(struct ip4_header) : sizeof(struct ip6_header)) + sizeof(struct udp_header) +
           VXLAN_HEADER;
}

static void clamp_mss(struct packet *p, uint32_t limit)
{
    /* A cheap look first; packet_clamp_mss() checks all of it. */
    if (p->l4_ofs && p->l4_ofs + sizeof(struct tcp_header) <= p->head_len && p->data[p->l4_ofs + 13] & TCP_SYN) {
        uint32_t headers = p->l3_ofs + sizeof(struct tcp_header) +
                           (p->data[p->l3_ofs] >> 4 == 6 ? sizeof(struct ip6_header) : sizeof(struct ip4_header));
        if (limit > headers + 88) {
            packet_clamp_mss(p, MIN(limit - headers, UINT16_MAX));
        }
    }
}

/* True if packets 'a' and 'b' may travel in one train: same way, same length or 'b' shorter, and 'b' is plain. */
static bool same_train(const struct packet *a, const struct packet *b)
{
    return !b->gso_size && b->has_tunnel && a->hash % UDP_PORTS == b->hash % UDP_PORTS &&
           packet_len(b) <= packet_len(a) && a->mark == b->mark && !memcmp(&a->tunnel, &b->tunnel, sizeof a->tunnel);
}

/* Sends packet 'k', and those after it that go in its train. Returns how many were dealt with. */
static uint32_t send_plain(struct vxlan_tx *tx, uint32_t k, enum udp_family family, bool df, uint32_t limit,
                           const struct port_vxlan *v)
{
    struct packet **p = &tx->batch->p[k];
    uint32_t len = packet_len(*p), n = 1, max = MIN(tx->batch->n - k, TRAIN_BYTES / (len + VXLAN_HEADER));
    if (len <= limit) {
        while (n < max && same_train(*p, p[n])) {
            if (packet_len(p[n++]) < len) {
                break;
            }
        }
    }
    int fd = udp_sender(v->senders, family, df, n > 1 || (*p)->tunnel.flags & TUNNEL_CSUM, (*p)->hash);
    struct tx_message *m = begin(tx, k, fd, v->udp_port, n > 1 ? len + VXLAN_HEADER : 0);
    m->last = k + n - 1;
    for (uint32_t i = 0; i < n; i++) {
        if ((*p)->tunnel.flags & TUNNEL_MSS_CLAMP) {
            clamp_mss(p[i], limit);
        }
        packet_csum_complete(p[i]);
        put_vxlan(tx, p[i], 0);
        put_frame(tx, p[i], 0, packet_len(p[i]));
    }
    return n;
}

/* Sends packet 'k', perhaps with some after it; returns how many were dealt with. */
static uint32_t send_packet(struct port *port, struct vxlan_tx *tx, struct packet_pool *pool, uint32_t k,
                            uint32_t worker)
{
    const struct port_vxlan *v = vxlan_cast(port);
    struct packet *p = tx->batch->p[k];
    int *result = &tx->result[k];
    if (UNLIKELY(!p->has_tunnel || (!p->tunnel.ip4_dst && IN6_IS_ADDR_UNSPECIFIED(&p->tunnel.ip6_dst)))) {
        *result = DROP_TUNNEL_NO_REMOTE;
        return 1;
    }
    enum udp_family family = p->tunnel.ip4_dst ? UDP_IP4 : UDP_IP6;
    uint32_t mtu = path_mtu(&tx->paths, &p->tunnel, tx->now_ms), outer = outer_len(p);
    bool df = p->tunnel.flags & TUNNEL_DF;
    if (UNLIKELY(!mtu || v->fds[family] < 0)) {
        *result = DROP_TUNNEL_NO_ROUTE;
        return 1;
    }
    /* A socket would not send more in one datagram, whatever the path takes. */
    uint32_t limit = MIN(mtu, TRAIN_BYTES) - MIN(outer, MIN(mtu, TRAIN_BYTES));
    if (p->gso_size) {
        int fd = udp_sender(v->senders, family, df, true, p->hash);
        int failed = send_gso(tx, k, fd, v->udp_port, limit);
        if (failed != SENT) {
            *result = failed;
        }
        if (failed == DROP_TUNNEL_MTU && df) {
            answer_too_big(port, tx, pool, p, limit, worker);
        }
        return 1;
    }
    if (UNLIKELY(packet_len(p) > limit && (df || packet_len(p) + VXLAN_HEADER > TRAIN_BYTES))) {
        *result = DROP_TUNNEL_MTU;
        if (df) {
            answer_too_big(port, tx, pool, p, limit, worker);
        }
        return 1;
    }
    return send_plain(tx, k, family, df, limit, v);
}

void vxlan_tx(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker)
{
    struct port_vxlan *v = vxlan_cast(port);
    struct vxlan_tx *tx = v->tx[worker % PORT_MAX_WORKERS];
    if (UNLIKELY(!tx)) {
        tx = v->tx[worker % PORT_MAX_WORKERS] = xzalloc_aligned(sizeof *tx);
        tx->answers = MAX_ANSWERS_BURST;
        tx->answers_ms = clock_ms();
    }
    tx->now_ms = clock_ms();
    tx->batch = batch;
    for (uint32_t i = 0; i < batch->n; i++) {
        tx->result[i] = SENT;
    }
    for (uint32_t k = 0; k < batch->n;) {
        k += send_packet(port, tx, pool, k, worker);
    }
    flush(tx);
    for (uint32_t i = 0; i < batch->n; i++) {
        if (LIKELY(tx->result[i] == SENT)) {
            port_tx_sent(port, worker, packet_len(batch->p[i]));
        } else {
            port_tx_drop(port, worker, tx->result[i]);
        }
    }
}
