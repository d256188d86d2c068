/* SPDX-License-Identifier: Apache-2.0 */
/* Sends batches to packet sockets and taps. */
#include "datapath/port/device_tx.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "datapath/port/offload.h"
#include "lib/packet/vnet.h"

enum { N_IOV = 3 };   /* Header, head, tail; header and head in one where there is headroom. */

struct frame {
    struct vnet_header vnet;
    struct iovec iov[N_IOV];
    union {
        uint8_t bytes[CMSG_SPACE(sizeof(uint32_t))];
        size_t align;
    } control;
};

enum drop device_tx_reason(int err)
{
    switch (err) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
        return DROP_TX_BUSY;
    case EMSGSIZE:
        return DROP_TOO_BIG;
    case ENETDOWN:
    case ENXIO:
    case ENODEV:
    case EBADF:
    case EBADFD:
        return DROP_PORT_DOWN;
    default:
        return DROP_TX_ERROR;
    }
}

static uint32_t frame_fill(struct frame *f, const struct packet *p)
{
    uint32_t n = 0;
    if (LIKELY(p->data - p->buffer >= VNET_HEADER_LEN)) {
        /* The kernel has a short way for messages in one piece. */
        uint8_t *start = p->data - VNET_HEADER_LEN;
        vnet_from_packet(p, (struct vnet_header *) start);
        f->iov[n++] = (struct iovec) { start, VNET_HEADER_LEN + p->head_len };
    } else {
        vnet_from_packet(p, &f->vnet);
        f->iov[n++] = (struct iovec) { &f->vnet, VNET_HEADER_LEN };
        f->iov[n++] = (struct iovec) { p->data, p->head_len };
    }
    if (p->tail_len) {
        f->iov[n++] = (struct iovec) { p->tail->bytes + p->tail_ofs, p->tail_len };
    }
    return n;
}

static void message_fill(struct mmsghdr *m, struct frame *f, const struct packet *p)
{
    m->msg_hdr = (struct msghdr) { .msg_iov = f->iov, .msg_iovlen = frame_fill(f, p) };
    if (UNLIKELY(p->mark)) {
        m->msg_hdr.msg_control = &f->control;
        m->msg_hdr.msg_controllen = sizeof f->control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m->msg_hdr);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SO_MARK;
        c->cmsg_len = CMSG_LEN(sizeof p->mark);
        memcpy(CMSG_DATA(c), &p->mark, sizeof p->mark);
    }
}

/* One frame; 0 or an errno. */
static int send_one(int fd, const struct packet *p, bool socket)
{
    struct frame f;
    if (socket) {
        struct mmsghdr m;
        message_fill(&m, &f, p);
        return sendmsg(fd, &m.msg_hdr, MSG_DONTWAIT) < 0 ? errno : 0;
    }
    uint32_t n = frame_fill(&f, p);
    return writev(fd, f.iov, n) < 0 ? errno : 0;
}

/* The kernel refused it, perhaps for its offload state. Sends what software makes of it; 0, an errno, or -1: '*reason'
 * says why it was not even tried. */
static int send_resolved(struct packet_pool *pool, int fd, struct packet *p, bool socket, enum drop *reason)
{
    bool made;
    struct packet *list = offload_resolve(pool, p, &made, reason);
    if (!list) {
        return -1;
    }
    int err = 0;
    for (struct packet *s = list; s && !err; s = made ? s->next : NULL) {
        err = send_one(fd, s, socket);
    }
    if (made) {
        packet_list_free(list);
    }
    return err;
}

/* Packet 'p' was refused with 'err'. */
static void handle_refusal(struct port *port, struct packet_pool *pool, struct packet *p, uint32_t worker, int fd,
                           bool socket, uint32_t len, int err)
{
    enum drop reason;
    if (err == EINVAL && !offload_is_plain(p)) {
        err = send_resolved(pool, fd, p, socket, &reason);
        if (!err) {
            port_tx_sent(port, worker, len);
            return;
        }
    }
    if (err == EIO && !socket) {
        err = ENETDOWN;   /* A tap that is down says so. */
    }
    port_tx_drop(port, worker, err < 0 ? reason : device_tx_reason(err));
}

static void send_messages(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker,
                          int fd)
{
    struct mmsghdr messages[BATCH_MAX];
    struct frame frames[BATCH_MAX];
    uint64_t packets = 0, bytes = 0;
    for (uint32_t i = 0; i < batch->n; i++) {
        message_fill(&messages[i], &frames[i], batch->p[i]);
    }
    for (uint32_t i = 0; i < batch->n;) {
        int n = sendmmsg(fd, messages + i, batch->n - i, MSG_DONTWAIT);
        if (LIKELY(n > 0)) {
            for (uint32_t end = i + n; i < end; i++) {
                packets++;
                bytes += packet_len(batch->p[i]);
            }
            continue;
        }
        int err = errno;
        if (err == EAGAIN) {
            /* The socket's buffer is full: no use in asking again for the others. */
            for (; i < batch->n; i++) {
                port_tx_drop(port, worker, DROP_TX_BUSY);
            }
            break;
        }
        handle_refusal(port, pool, batch->p[i], worker, fd, true, packet_len(batch->p[i]), err);
        i++;
    }
    struct port_counters *c = port_worker_counters(port, worker);
    port_count(&c->tx_packets, packets);
    port_count(&c->tx_bytes, bytes);
}

void device_tx(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker, int fd,
               uint32_t mtu, bool socket)
{
    /* Packets that do not fit go to the end of the batch, where the caller finds them to free. */
    uint32_t n = batch->n;
    for (uint32_t i = 0; i < batch->n;) {
        struct packet *p = batch->p[i];
        if (UNLIKELY(p->gso_size && !offload_fit_mtu(p, mtu))) {
            port_tx_drop(port, worker, DROP_TOO_BIG);
            memmove(&batch->p[i], &batch->p[i + 1], (n - i - 1) * sizeof p);
            batch->p[n - 1] = p;
            batch->n--;
            continue;
        }
        i++;
    }
    if (socket) {
        send_messages(port, pool, batch, worker, fd);
    } else {
        for (uint32_t i = 0; i < batch->n; i++) {
            struct packet *p = batch->p[i];
            uint32_t len = packet_len(p);
            int err = send_one(fd, p, false);
            if (LIKELY(!err)) {
                port_tx_sent(port, worker, len);
            } else {
                handle_refusal(port, pool, p, worker, fd, false, len, err);
            }
        }
    }
    batch->n = n;
}
