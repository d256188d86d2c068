/* SPDX-License-Identifier: Apache-2.0 */
/* Listening for streams. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/rpc/stream.h"
#include "lib/rpc/stream_address.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"
#include "lib/sys/process.h"
#include "lib/sys/unix_socket.h"

LOG_MODULE(stream);

enum { ACCEPT_BATCH = 16, RETRY_MS = 100 };

struct stream_listener {
    struct loop *loop;
    char *name;                  /* The address. */
    char *path;                  /* Of a unix socket, otherwise NULL. */
    int fd;
    uint16_t port;
    struct loop_watch *watch;
    struct loop_timer retry;     /* While there are no descriptors for new connections. */
    void (*accepted)(struct stream *, void *arg);
    void *arg;
    unsigned n_accepted;         /* Names unix streams. */
    bool *gone;                  /* Set when destroyed inside accepted(). */
};

static struct error *listen_tcp(struct stream_listener *, const struct stream_address *);
static void accept_some(int fd, int events, void *listener);
static void try_again(void *listener);

struct error *stream_listen(struct loop *loop, const char *address, uint16_t default_port,
                            void (*accepted)(struct stream *, void *arg), void *arg,
                            struct stream_listener **out)
{
    struct stream_address a;
    struct error *e = stream_address_parse(address, true, default_port, &a);
    if (e) {
        return e;
    }
    struct stream_listener *l = xzalloc(sizeof *l);
    l->loop = loop;
    l->name = xstrdup(address);
    l->path = a.path;
    l->accepted = accepted;
    l->arg = arg;
    l->fd = -1;
    loop_timer_init(&l->retry, loop, try_again, l);
    e = a.path ? unix_listen(a.path, SOCK_STREAM, &l->fd) : listen_tcp(l, &a);
    if (e) {
        free(l->name);
        free(l->path);
        free(l);
        return e;
    }
    if (l->path) {
        process_unlink_at_exit(l->path);
    }
    l->watch = loop_watch_create(loop, l->fd, LOOP_READ, accept_some, l);
    *out = l;
    return NULL;
}

void stream_listener_destroy(struct stream_listener *l)
{
    if (!l) {
        return;
    }
    if (l->gone) {
        *l->gone = true;
    }
    loop_timer_cancel(&l->retry);
    loop_watch_destroy(l->watch);
    close(l->fd);
    if (l->path) {
        process_unlink_now(l->path);
    }
    free(l->path);
    free(l->name);
    free(l);
}

uint16_t stream_listener_port(const struct stream_listener *l)
{
    return l->port;
}

static struct error *listen_tcp(struct stream_listener *l, const struct stream_address *a)
{
    int one = 1;
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    l->fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one)
        || bind(l->fd, (const struct sockaddr *) &a->sa, a->sa_len) || listen(l->fd, 64)
        || getsockname(l->fd, (struct sockaddr *) &bound, &n)) {
        struct error *e = error_errno(errno, "listening on \"%s\"", l->name);
        if (l->fd >= 0) {
            close(l->fd);
        }
        return e;
    }
    l->port = be16toh(bound.ss_family == AF_INET6
                      ? ((struct sockaddr_in6 *) &bound)->sin6_port
                      : ((struct sockaddr_in *) &bound)->sin_port);
    LOG_INFO("%s: listening on port %u", l->name, l->port);
    return NULL;
}

static void accept_some(int fd, int events, void *listener)
{
    struct stream_listener *l = listener;
    bool gone = false;
    l->gone = &gone;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage peer;
        socklen_t n = sizeof peer;
        int new = accept4(fd, (struct sockaddr *) &peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (new < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                LOG_WARN("%s: a connection waits: %s", l->name, strerror(errno));
                loop_watch_set(l->watch, 0);
                loop_timer_after_ms(&l->retry, RETRY_MS);
            }
            break;   /* EAGAIN; ECONNABORTED and the like concern only the one that is gone. */
        }
        char *name = l->path ? xasprintf("unix#%u", ++l->n_accepted)
                             : stream_address_format(&peer);
        struct stream *s = stream_from_fd(l->loop, new, name);
        free(name);
        l->accepted(s, l->arg);
        if (gone) {
            return;
        }
    }
    l->gone = NULL;
}

static void try_again(void *listener)
{
    struct stream_listener *l = listener;
    loop_watch_set(l->watch, LOOP_READ);
}
