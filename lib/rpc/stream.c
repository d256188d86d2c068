/* SPDX-License-Identifier: Apache-2.0 */
/* Byte streams: a socket, what was received, and what waits to be sent. */
#include "lib/rpc/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/rpc/stream_address.h"
#include "lib/sys/clock.h"
#include "lib/sys/loop.h"
#include "lib/sys/unix_socket.h"

enum {
    READ_CHUNK = 65536,
    KEEP_BUFFER = 65536,             /* Bytes; a larger buffer is given back when it is empty. */
    MAX_INPUT = 128 * 1024 * 1024,   /* Received and not consumed. Users' own limits are lower. */
};

/* Bytes in the order of arrival; 'head' of those in 'b' are gone. */
struct fifo {
    struct buffer b;
    size_t head;
};

struct stream {
    struct loop *loop;
    char *name;
    int fd;                          /* -1 once closed. */
    struct loop_watch *watch;        /* NULL once closed. */
    bool connecting, paused;
    struct fifo in, out;
    struct stream_callbacks cb;
    void *arg;
    struct loop_timer later;         /* For what must not be said inside the caller's call. */
    bool say_connected, say_readable;
    int say_closed;                  /* An errno. */
    bool *gone;                      /* Set when the stream is destroyed inside a callback. */
};

static struct stream *create(struct loop *, char *name);
static void attach(struct stream *, int fd, bool connecting);
static void happened(int fd, int events, void *stream);
static void do_later(void *stream);
static void update_events(struct stream *);
static void close_fd(struct stream *);
static int flush(struct stream *);

static size_t fifo_left(const struct fifo *f)
{
    return f->b.len - f->head;
}

static void fifo_drop(struct fifo *f, size_t n)
{
    f->head += MIN(n, fifo_left(f));
    if (f->head == f->b.len) {
        f->head = 0;
        if (f->b.allocated > KEEP_BUFFER) {
            buffer_fini(&f->b);
        }
        buffer_clear(&f->b);
    }
}

static void fifo_put(struct fifo *f, const void *p, size_t n)
{
    /* Moving is paid for by what was dropped since it was last done. */
    if (f->head > f->b.len / 2 && f->b.len + n > f->b.allocated) {
        buffer_pull(&f->b, f->head);
        f->head = 0;
    }
    buffer_put(&f->b, p, n);
}

struct error *stream_open(struct loop *loop, const char *address, uint16_t default_port,
                          struct stream **out)
{
    struct stream_address a;
    struct error *e = stream_address_parse(address, false, default_port, &a);
    if (e) {
        return e;
    }
    struct stream *s = create(loop, xstrdup(address));
    int fd = -1;
    if (a.path) {
        e = unix_connect(a.path, SOCK_STREAM, &fd);
        s->say_closed = error_code(e);
        s->say_connected = !e;
        error_free(e);
    } else {
        fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0 || (connect(fd, (struct sockaddr *) &a.sa, a.sa_len) && errno != EINPROGRESS)) {
            s->say_closed = errno;
        }
    }
    if (!s->say_closed) {
        attach(s, fd, !a.path);
    } else if (fd >= 0 && !a.path) {
        close(fd);
    }
    if (s->say_closed || s->say_connected) {
        loop_timer_at(&s->later, clock_ns());
    }
    free(a.path);
    *out = s;
    return NULL;
}

struct stream *stream_from_fd(struct loop *loop, int fd, const char *name)
{
    struct stream *s = create(loop, xstrdup(name));
    attach(s, fd, false);
    return s;
}

void stream_set_callbacks(struct stream *s, const struct stream_callbacks *cb, void *arg)
{
    s->cb = *cb;
    s->arg = arg;
}

void stream_destroy(struct stream *s)
{
    if (!s) {
        return;
    }
    if (s->gone) {
        *s->gone = true;
    }
    if (s->fd >= 0) {
        /* What can go without waiting, such as the last reply before the program ends. */
        flush(s);
    }
    close_fd(s);
    loop_timer_cancel(&s->later);
    buffer_fini(&s->in.b);
    buffer_fini(&s->out.b);
    free(s->name);
    free(s);
}

const char *stream_name(const struct stream *s)
{
    return s->name;
}

bool stream_is_connected(const struct stream *s)
{
    return s->fd >= 0 && !s->connecting;
}

const uint8_t *stream_peek(struct stream *s, size_t *n)
{
    *n = fifo_left(&s->in);
    return *n ? s->in.b.data + s->in.head : (const uint8_t *) "";
}

void stream_consume(struct stream *s, size_t n)
{
    fifo_drop(&s->in, n);
}

void stream_send(struct stream *s, const void *p, size_t n)
{
    if (s->fd >= 0 && n) {
        /* It leaves when the loop comes round, so that many small messages go in one system
         * call. */
        fifo_put(&s->out, p, n);
        update_events(s);
    }
}

size_t stream_queued_bytes(const struct stream *s)
{
    return fifo_left(&s->out);
}

void stream_pause(struct stream *s, bool paused)
{
    s->paused = paused;
    update_events(s);
    if (!paused && fifo_left(&s->in) && s->fd >= 0) {
        s->say_readable = true;
        loop_timer_at(&s->later, clock_ns());
    }
}

static struct stream *create(struct loop *loop, char *name)
{
    struct stream *s = xzalloc(sizeof *s);
    s->loop = loop;
    s->name = name;
    s->fd = -1;
    loop_timer_init(&s->later, loop, do_later, s);
    return s;
}

static void attach(struct stream *s, int fd, bool connecting)
{
    int one = 1;
    /* Others than TCP refuse; good. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    s->fd = fd;
    s->connecting = connecting;
    s->watch = loop_watch_create(s->loop, fd, 0, happened, s);
    update_events(s);
}

static void update_events(struct stream *s)
{
    if (s->watch) {
        bool write = s->connecting || fifo_left(&s->out);
        loop_watch_set(s->watch, (s->paused || s->connecting ? 0 : LOOP_READ)
                                 | (write ? LOOP_WRITE : 0));
    }
}

static void close_fd(struct stream *s)
{
    loop_watch_destroy(s->watch);
    s->watch = NULL;
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

/* The last thing that is done with 's' in any path. */
static void closed(struct stream *s, int error)
{
    close_fd(s);
    s->say_readable = s->say_connected = false;
    if (s->cb.closed) {
        s->cb.closed(s, error, s->arg);
    }
}

/* Sends what the socket takes now. 0 or an errno. */
static int flush(struct stream *s)
{
    while (!s->connecting && fifo_left(&s->out)) {
        ssize_t n = send(s->fd, s->out.b.data + s->out.head, fifo_left(&s->out),
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? 0 : errno;
        }
        fifo_drop(&s->out, (size_t) n);
    }
    return 0;
}

/* Writes; false if the stream is closed or gone then. */
static bool handle_write(struct stream *s)
{
    bool gone = false;
    if (s->connecting) {
        int error = 0;
        socklen_t n = sizeof error;
        if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) || error) {
            closed(s, error ? error : errno);
            return false;
        }
        s->connecting = false;
        update_events(s);
        if (s->cb.connected) {
            s->gone = &gone;
            s->cb.connected(s, s->arg);
            if (gone) {
                return false;
            }
            s->gone = NULL;
        }
        return true;
    }
    bool had = fifo_left(&s->out);
    int error = flush(s);
    if (error) {
        closed(s, error);
        return false;
    }
    update_events(s);
    if (had && !fifo_left(&s->out) && s->cb.drained) {
        s->gone = &gone;
        s->cb.drained(s, s->arg);
        if (gone) {
            return false;
        }
        s->gone = NULL;
    }
    return s->fd >= 0;
}

static void handle_read(struct stream *s)
{
    uint8_t chunk[READ_CHUNK];
    ssize_t n = recv(s->fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n > 0) {
        if (fifo_left(&s->in) + (size_t) n > MAX_INPUT) {
            closed(s, EMSGSIZE);
            return;
        }
        fifo_put(&s->in, chunk, (size_t) n);
        if (s->cb.readable) {
            s->cb.readable(s, s->arg);
        }
    } else if (!n) {
        flush(s);   /* A peer that only ended its own sending may still read our replies. */
        closed(s, 0);
    } else if (errno != EAGAIN && errno != EINTR) {
        closed(s, errno);
    }
}

static void happened(int fd, int events, void *stream)
{
    struct stream *s = stream;
    if (events & LOOP_WRITE && !handle_write(s)) {
        return;
    }
    if (events & LOOP_READ && !s->paused) {
        handle_read(s);
    }
}

static void do_later(void *stream)
{
    struct stream *s = stream;
    bool gone = false;
    if (s->say_closed) {
        closed(s, s->say_closed);
        return;
    }
    if (s->say_connected) {
        s->say_connected = false;
        if (s->cb.connected) {
            s->gone = &gone;
            s->cb.connected(s, s->arg);
            if (gone) {
                return;
            }
            s->gone = NULL;
        }
    }
    if (s->say_readable) {
        s->say_readable = false;
        if (!s->paused && fifo_left(&s->in) && s->cb.readable) {
            s->cb.readable(s, s->arg);
        }
    }
}
