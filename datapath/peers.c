/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of control planes and observers: accepting, reading, and answers that wait for room. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/control.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/list.h"
#include "lib/sys/channel.h"
#include "lib/sys/log.h"

LOG_MODULE(datapath);

/* A peer that leaves so many messages unread is let go. Reading stops while any answer waits, so that only notifications can
 * add up to it. */
enum { MAX_PEERS = 16, MAX_WAITING = 4096, MESSAGES_A_TURN = 64 };

struct waiting {
    struct list node;
    uint8_t *bytes;
    size_t n;
};

struct peer {
    struct list node;
    struct peers *peers;
    int fd;
    struct loop_watch *watch;
    uint32_t number;
    pid_t pid;
    bool hello, control, dead;
    struct list out;
    uint32_t n_out;
    struct buffer frame;
};

struct peers {
    struct datapath *dp;
    struct list list;
    struct peer *control;
    uint32_t n, next_number;
    int listen_fd;
    struct loop_watch *listen_watch;
    char *path;
    uint8_t *in;                       /* One message. */
};

struct peers *peers_create(struct datapath *dp)
{
    struct peers *ps = xzalloc(sizeof *ps);
    ps->dp = dp;
    ps->listen_fd = -1;
    ps->in = xmalloc(CHANNEL_MAX_MESSAGE);
    list_init(&ps->list);
    return ps;
}

static void peer_destroy(struct peer *p)
{
    struct peers *ps = p->peers;
    if (p->control) {
        ps->control = NULL;
        ring_detach(&ps->dp->ring);
        LOG_INFO("control plane went away; forwarding goes on");
    }
    while (!list_is_empty(&p->out)) {
        struct waiting *w = LIST_ENTRY(list_pop_front(&p->out), struct waiting, node);
        free(w->bytes);
        free(w);
    }
    loop_watch_destroy(p->watch);
    close(p->fd);
    buffer_fini(&p->frame);
    list_remove(&p->node);
    ps->n--;
    free(p);
}

void peers_destroy(struct peers *ps)
{
    while (!list_is_empty(&ps->list)) {
        peer_destroy(LIST_ENTRY(ps->list.next, struct peer, node));
    }
    if (ps->listen_fd >= 0) {
        loop_watch_destroy(ps->listen_watch);
        close(ps->listen_fd);
        unlink(ps->path);
        free(ps->path);
    }
    free(ps->in);
    free(ps);
}

/* ---- Sending ---- */

static void set_events(struct peer *p)
{
    loop_watch_set(p->watch, p->n_out ? LOOP_WRITE : LOOP_READ);
}

void peer_send(struct peer *p, const struct buffer *message)
{
    if (p->dead) {
        return;
    }
    int error = p->n_out ? EAGAIN : channel_send(p->fd, message->data, message->len, NULL, 0);
    if (!error) {
        return;
    }
    if (error != EAGAIN) {
        p->dead = true;      /* Reading will say so too. */
        return;
    }
    if (p->n_out >= MAX_WAITING) {
        LOG_WARN("peer of process %ld does not read its messages; it is let go", (long) p->pid);
        p->dead = true;
        return;
    }
    struct waiting *w = xmalloc(sizeof *w);
    *w = (struct waiting) { .bytes = xmemdup(message->data, message->len), .n = message->len };
    list_push_back(&p->out, &w->node);
    p->n_out++;
    set_events(p);
}

static void send_waiting(struct peer *p)
{
    while (p->n_out) {
        struct waiting *w = LIST_ENTRY(p->out.next, struct waiting, node);
        int error = channel_send(p->fd, w->bytes, w->n, NULL, 0);
        if (error) {
            p->dead |= error != EAGAIN;
            return;
        }
        list_remove(&w->node);
        free(w->bytes);
        free(w);
        p->n_out--;
    }
    set_events(p);
}

/* ---- Receiving ---- */

static void receive(struct peer *p)
{
    for (int i = 0; i < MESSAGES_A_TURN && !p->n_out && !p->dead; i++) {
        int fds[CHANNEL_MAX_FDS];
        size_t n, n_fds;
        int error = channel_recv(p->fd, p->peers->in, &n, fds, &n_fds);
        if (error) {
            p->dead |= error != EAGAIN;
            return;
        }
        for (size_t j = 0; j < n_fds; j++) {
            close(fds[j]);
        }
        struct wire_message m;
        struct error *e = wire_parse(p->peers->in, n, true, &m);
        if (e) {
            request_refuse(p, m.xid, e);
        } else {
            request_handle(p, &m);
        }
    }
}

static void peer_ready(int fd, int events, void *p_)
{
    struct peer *p = p_;
    if (events & LOOP_WRITE) {
        send_waiting(p);
    }
    if (events & LOOP_READ) {
        receive(p);
    }
    if (p->dead) {
        peer_destroy(p);
    }
}

/* ---- Coming ---- */

struct error *peers_add(struct peers *ps, int fd)
{
    if (ps->n >= MAX_PEERS) {
        close(fd);
        return error_new(EUSERS, "datapath: %d peers are connected already", MAX_PEERS);
    }
    struct peer *p = xzalloc(sizeof *p);
    uid_t uid;
    gid_t gid;
    p->peers = ps;
    p->fd = fd;
    p->number = ++ps->next_number;
    if (channel_peer(fd, &uid, &gid, &p->pid)) {
        p->pid = 0;
    }
    list_init(&p->out);
    list_push_back(&ps->list, &p->node);
    ps->n++;
    p->watch = loop_watch_create(ps->dp->loop, fd, LOOP_READ, peer_ready, p);
    return NULL;
}

static bool is_allowed(const struct peers *ps, int fd)
{
    uid_t uid;
    gid_t gid;
    pid_t pid;
    if (channel_peer(fd, &uid, &gid, &pid)) {
        return false;
    }
    if (!uid || uid == geteuid() || uid == ps->dp->options.peer_uid) {
        return true;
    }
    LOG_WARN("peer of process %ld, user %ld is refused: it must be root or the datapath's own user", (long) pid, (long) uid);
    return false;
}

static void accept_peers(int listen_fd, int events, void *ps_)
{
    struct peers *ps = ps_;
    int fd;
    while (!channel_accept(listen_fd, &fd)) {
        if (!is_allowed(ps, fd)) {
            close(fd);
            continue;
        }
        struct error *e = peers_add(ps, fd);
        if (e) {
            LOG_WARN("%s", error_text(e));
            error_free(e);
        }
    }
}

struct error *peers_listen(struct peers *ps, const char *path)
{
    struct error *e = channel_listen(path, &ps->listen_fd);
    if (e) {
        return e;
    }
    ps->path = xstrdup(path);
    ps->listen_watch = loop_watch_create(ps->dp->loop, ps->listen_fd, LOOP_READ, accept_peers, ps);
    return NULL;
}

/* ---- The control peer ---- */

static bool has_hung_up(const struct peer *p)
{
    struct pollfd pfd = { .fd = p->fd, .events = POLLRDHUP };
    return p->dead || (poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLHUP | POLLRDHUP | POLLERR)));
}

struct error *peer_become_control(struct peer *p, const struct buffer *answer)
{
    struct peers *ps = p->peers;
    struct ring *ring = &ps->dp->ring;
    if (ps->control && ps->control != p) {
        if (!has_hung_up(ps->control)) {
            return error_new(EBUSY, "datapath: process %ld is its control plane; there can be one only",
                             (long) ps->control->pid);
        }
        peer_destroy(ps->control);
    }
    int in_fd;
    struct error *e = ring_attach(ring, &in_fd);
    if (e) {
        return e;
    }
    const int fds[3] = { ring->out_fd, in_fd, ring->event_fd };
    int error = channel_send(p->fd, answer->data, answer->len, fds, 3);
    close(in_fd);
    if (error) {
        ring_detach(ring);
        return error_errno(error, "datapath: answer to hello");
    }
    p->hello = p->control = true;
    ps->control = p;
    LOG_INFO("process %ld is the control plane", (long) p->pid);
    return NULL;
}

void peer_set_observer(struct peer *p)
{
    p->hello = true;
}

bool peer_is_control(const struct peer *p)
{
    return p->control;
}

bool peer_said_hello(const struct peer *p)
{
    return p->hello;
}

struct peer *peers_control(const struct peers *ps)
{
    return ps->control && !ps->control->dead ? ps->control : NULL;
}

struct peer *peers_find(const struct peers *ps, uint32_t number)
{
    struct peer *p;
    LIST_FOR_EACH (p, node, &ps->list) {
        if (p->number == number) {
            return p;
        }
    }
    return NULL;
}

uint32_t peer_number(const struct peer *p)
{
    return p->number;
}

struct datapath *peer_datapath(const struct peer *p)
{
    return p->peers->dp;
}

struct buffer *peer_frame(struct peer *p)
{
    return &p->frame;
}
