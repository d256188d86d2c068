/* SPDX-License-Identifier: Apache-2.0 */
/* Listens to rtnetlink's link group and hands events to ports. */
#include "datapath/port/monitor.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/port/kernel.h"
#include "datapath/port/netlink.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"

LOG_MODULE(port);

enum { EVENT_BYTES = 32768, RECEIVE_BUFFER = 1 << 20, MAX_ROUNDS = 64 };

struct link_monitor {
    struct list node;              /* In 'monitors'. */
    struct loop *loop;
    unsigned refs;
    int fd;
    struct loop_watch *watch;
    struct list watches;           /* struct link_watch */
    struct link_watch *next;       /* The one to be told next, while telling; NULL otherwise. */
    uint8_t buf[EVENT_BYTES];
};

/* By loop: a process may hold several datapaths. */
static pthread_mutex_t monitors_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list monitors = LIST_INIT(monitors);

static void tell(struct link_monitor *m, const struct link_event *event)
{
    struct list *head = &m->watches, *e = head->next;
    while (e != head) {
        struct link_watch *w = LIST_ENTRY(e, struct link_watch, node);
        m->next = e->next == head ? NULL : LIST_ENTRY(e->next, struct link_watch, node);
        w->cb(event, w->arg);
        if (!m->next) {
            break;
        }
        e = &m->next->node;
    }
    m->next = NULL;
}

static void handle_messages(struct link_monitor *m, size_t left, int nsid)
{
    for (struct nlmsghdr *h = (void *) m->buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
        struct link_event event = { .gone = h->nlmsg_type == RTM_DELLINK };
        if (link_parse(h, nsid, &event.link)) {
            tell(m, &event);
        }
    }
}

static void monitor_run(int fd, int events, void *m_)
{
    struct link_monitor *m = m_;
    m->refs++;   /* A callback may stop the last watch. */
    for (int round = 0; round < MAX_ROUNDS; round++) {
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            size_t align;
        } control;
        struct iovec iov = { .iov_base = m->buf, .iov_len = sizeof m->buf };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control };
        ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);
        if (n < 0) {
            if (errno == ENOBUFS) {
                tell(m, NULL);
                continue;
            }
            break;
        }
        int nsid = LINK_OWN_NS;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
            if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID) {
                memcpy(&nsid, CMSG_DATA(c), sizeof nsid);
            }
        }
        if (msg.msg_flags & MSG_TRUNC) {
            tell(m, NULL);
        } else {
            handle_messages(m, n, nsid);
        }
    }
    struct link_watch none = { .monitor = m };
    list_init(&none.node);
    link_watch_stop(&none);
}

static struct error *monitor_create(struct loop *loop, struct link_monitor **mp)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0) {
        return error_errno(errno, "link monitor: netlink socket");
    }
    int size = RECEIVE_BUFFER, on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof on)) {
        LOG_INFO("link monitor: devices moved to other namespaces cannot be followed: %s", strerror(errno));
    }
    struct sockaddr_nl local = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
    if (bind(fd, (struct sockaddr *) &local, sizeof local)) {
        struct error *e = error_errno(errno, "link monitor: netlink group");
        close(fd);
        return e;
    }
    struct link_monitor *m = xzalloc(sizeof *m);
    m->loop = loop;
    m->fd = fd;
    list_init(&m->watches);
    m->watch = loop_watch_create(loop, fd, LOOP_READ, monitor_run, m);
    list_push_back(&monitors, &m->node);
    *mp = m;
    return NULL;
}

struct error *link_watch_start(struct link_watch *w, struct loop *loop,
                               void (*cb)(const struct link_event *, void *arg), void *arg)
{
    struct link_monitor *m, *found = NULL;
    struct error *e = NULL;
    pthread_mutex_lock(&monitors_lock);
    LIST_FOR_EACH (m, node, &monitors) {
        if (m->loop == loop) {
            found = m;
            break;
        }
    }
    if (!found) {
        e = monitor_create(loop, &found);
    }
    if (!e) {
        found->refs++;
        w->monitor = found;
        w->cb = cb;
        w->arg = arg;
        list_push_back(&found->watches, &w->node);
    }
    pthread_mutex_unlock(&monitors_lock);
    return e;
}

void link_watch_stop(struct link_watch *w)
{
    struct link_monitor *m = w->monitor;
    if (!m) {
        return;
    }
    pthread_mutex_lock(&monitors_lock);
    if (m->next == w) {
        m->next = w->node.next == &m->watches ? NULL : LIST_ENTRY(w->node.next, struct link_watch, node);
    }
    list_remove(&w->node);
    w->monitor = NULL;
    if (!--m->refs) {
        list_remove(&m->node);
        loop_watch_destroy(m->watch);
        close(m->fd);
        free(m);
    }
    pthread_mutex_unlock(&monitors_lock);
}
