/* SPDX-License-Identifier: Apache-2.0 */
/* The connection of a control plane to its datapath: reader thread, hello, answers, trying again. */
#include "datapath/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "datapath/client_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/channel.h"
#include "lib/sys/log.h"
#include "lib/sys/shm.h"
#include "lib/sys/thread.h"

LOG_MODULE(dp_client);

enum { MAX_OUT = 65536, FIRST_RETRY_MS = 100, LAST_RETRY_MS = 1000 };

/* A request that waits for its answer; on the stack of who asked. */
struct transaction {
    struct list node;
    uint32_t xid;
    bool done;
    struct buffer answer;
};

struct out_message {
    struct list node;
    uint8_t *bytes;
    size_t n;
};

static void reader_main(void *);

/* ---- Life ---- */

static struct error *create(const char *path, int fd, bool observer, const struct dp_events *events, void *arg,
                            struct dp_client **cp)
{
    struct dp_client *c = xzalloc(sizeof *c);
    pthread_condattr_t attr;
    if (events) {
        c->events = *events;
    }
    c->arg = arg;
    c->path = xstrdup_or_null(path);
    c->fd = fd;
    c->observer = observer;
    c->event_fd = -1;
    list_init(&c->waiting);
    list_init(&c->out);
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->map_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
    c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->upcall_fd = epoll_create1(EPOLL_CLOEXEC);
    struct error *e = NULL;
    if (c->wake_fd < 0 || c->upcall_fd < 0) {
        e = error_errno(errno, "datapath client");
    }
    if (!e) {
        e = thread_start(&c->reader, "dp_client", reader_main, c);
    }
    if (e) {
        c->stop = true;
        dp_client_destroy(c);
        return e;
    }
    /* The first attempt is waited for, so that a datapath that is there can be used at once. */
    pthread_mutex_lock(&c->lock);
    while (!c->tried) {
        pthread_cond_wait(&c->changed, &c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    *cp = c;
    return NULL;
}

struct error *dp_client_connect(const char *path, const struct dp_events *events, void *arg, struct dp_client **c)
{
    return create(path, -1, false, events, arg, c);
}

struct error *dp_client_observe(const char *path, struct dp_client **c)
{
    struct error *e = create(path, -1, true, NULL, NULL, c);
    if (!e && !dp_client_is_connected(*c)) {
        dp_client_destroy(*c);
        e = error_new(ENOTCONN, "%s: the datapath is not there or does not answer", path);
    }
    return e;
}

struct error *dp_client_from_fd(int fd, const struct dp_events *events, void *arg, struct dp_client **c)
{
    return create(NULL, fd, false, events, arg, c);
}

static void wake(struct dp_client *c)
{
    uint64_t one = 1;
    (void) !write(c->wake_fd, &one, sizeof one);
}

static void forget_out(struct dp_client *c)
{
    while (!list_is_empty(&c->out)) {
        struct out_message *m = LIST_ENTRY(list_pop_front(&c->out), struct out_message, node);
        free(m->bytes);
        free(m);
    }
    c->n_out = 0;
}

static void unmap(struct dp_client *c)
{
    if (c->map_out) {
        shm_unmap((void *) c->map_out, sizeof *c->map_out);
        shm_unmap(c->map_in, sizeof *c->map_in);
        close(c->event_fd);
        c->map_out = NULL;
        c->map_in = NULL;
        c->event_fd = -1;
    }
}

void dp_client_destroy(struct dp_client *c)
{
    if (!c) {
        return;
    }
    if (!c->stop) {
        pthread_mutex_lock(&c->lock);
        c->stop = true;
        pthread_mutex_unlock(&c->lock);
        wake(c);
        thread_join(c->reader);
    }
    forget_out(c);
    unmap(c);
    if (c->fd >= 0) {
        close(c->fd);
    }
    if (c->wake_fd >= 0) {
        close(c->wake_fd);
    }
    if (c->upcall_fd >= 0) {
        close(c->upcall_fd);
    }
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->map_lock);
    free(c->path);
    free(c);
}

bool dp_client_is_connected(const struct dp_client *c_)
{
    struct dp_client *c = (struct dp_client *) c_;
    pthread_mutex_lock(&c->lock);
    bool connected = c->connected;
    pthread_mutex_unlock(&c->lock);
    return connected;
}

/* ---- Sending ---- */

/* By the monotonic clock of the kernel: a datapath that hangs is found though tests have stopped ours. */
static void deadline_after_ms(struct timespec *t, long ms)
{
    clock_gettime(CLOCK_MONOTONIC, t);
    t->tv_sec += ms / 1000;
    t->tv_nsec += ms % 1000 * 1000000;
    if (t->tv_nsec >= 1000000000) {
        t->tv_nsec -= 1000000000;
        t->tv_sec++;
    }
}

/* With the lock held. False if the connection is down or has just been given up. */
static bool send_locked(struct dp_client *c, const struct buffer *b)
{
    struct timespec deadline;
    deadline_after_ms(&deadline, DP_ANSWER_MS);
    while (c->connected && c->n_out >= MAX_OUT) {
        if (pthread_cond_timedwait(&c->changed, &c->lock, &deadline) == ETIMEDOUT) {
            c->broken = true;      /* It does not read: begin anew, as after a restart. */
            wake(c);
            return false;
        }
    }
    if (!c->connected) {
        return false;
    }
    int error = c->n_out ? EAGAIN : channel_send(c->fd, b->data, b->len, NULL, 0);
    if (error == EAGAIN) {
        struct out_message *m = xmalloc(sizeof *m);
        *m = (struct out_message) { .bytes = xmemdup(b->data, b->len), .n = b->len };
        list_push_back(&c->out, &m->node);
        if (!c->n_out++) {
            wake(c);
        }
        return true;
    }
    if (error) {
        c->broken = true;
        wake(c);
    }
    return !error;
}

void client_post(struct dp_client *c, struct buffer *b)
{
    pthread_mutex_lock(&c->lock);
    send_locked(c, b);
    pthread_mutex_unlock(&c->lock);
}

static struct error *not_answering(void)
{
    return error_new(ETIMEDOUT, "datapath not answering");
}

struct error *client_transact(struct dp_client *c, struct buffer *b, struct buffer *answer, struct wire_message *m)
{
    struct transaction t = { .answer = BUFFER_INIT };
    struct timespec deadline;
    buffer_init(answer);
    pthread_mutex_lock(&c->lock);
    do {
        t.xid = ++c->next_xid;
    } while (!t.xid);
    put_be32(b->data + 4, t.xid);
    list_push_back(&c->waiting, &t.node);
    bool sent = send_locked(c, b);
    deadline_after_ms(&deadline, DP_ANSWER_MS);
    while (sent && !t.done && c->connected) {
        if (pthread_cond_timedwait(&c->changed, &c->lock, &deadline) == ETIMEDOUT) {
            break;
        }
    }
    list_remove(&t.node);
    pthread_mutex_unlock(&c->lock);
    if (!t.done) {
        return not_answering();
    }
    *answer = t.answer;
    struct error *e = wire_parse(answer->data, answer->len, false, m);
    return e ? e : wire_get_error(&m->attrs);
}

struct error *client_ask(struct dp_client *c, struct buffer *b)
{
    struct buffer answer;
    struct wire_message m;
    struct error *e = client_transact(c, b, &answer, &m);
    buffer_fini(&answer);
    return e;
}

/* ---- The reader thread ---- */

static void send_waiting(struct dp_client *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->n_out) {
        struct out_message *m = LIST_ENTRY(c->out.next, struct out_message, node);
        int error = channel_send(c->fd, m->bytes, m->n, NULL, 0);
        if (error) {
            c->broken |= error != EAGAIN;
            break;
        }
        list_remove(&m->node);
        free(m->bytes);
        free(m);
        c->n_out--;
    }
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void got_answer(struct dp_client *c, uint32_t xid, const void *bytes, size_t n)
{
    struct transaction *t;
    pthread_mutex_lock(&c->lock);
    LIST_FOR_EACH (t, node, &c->waiting) {
        if (t->xid == xid && !t->done) {
            buffer_put(&t->answer, bytes, n);
            t->done = true;
            pthread_cond_broadcast(&c->changed);
            break;
        }
    }
    pthread_mutex_unlock(&c->lock);
}

static void got_message(struct dp_client *c, const void *bytes, size_t n)
{
    struct wire_message m;
    struct error *e = wire_parse(bytes, n, false, &m);
    if (e) {
        LOG_WARN("%s", error_text(e));
        error_free(e);
        return;
    }
    switch (m.type) {
    case WIRE_ANSWER:
        got_answer(c, m.xid, bytes, n);
        break;
    case WIRE_PORT_CHANGED:
        if (c->events.port_changed) {
            c->events.port_changed(wire_u32(&m.attrs, ATTR_PORT_NO), c->arg);
        }
        break;
    case WIRE_FLOW_FAILED: {
        char text[256];
        wire_string(&m.attrs, ATTR_TEXT, text, sizeof text);
        LOG_DBG("%s", text);
        pthread_mutex_lock(&c->lock);
        void (*failed)(uint64_t, int, void *) = c->flow_failed;
        void *arg = c->flow_failed_arg;
        pthread_mutex_unlock(&c->lock);
        if (failed) {
            failed(wire_u64(&m.attrs, ATTR_FLOW_ID), wire_u32(&m.attrs, ATTR_ERRNO), arg);
        }
        break;
    }
    default:
        break;
    }
}

static void close_fds(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        close(fds[i]);
    }
}

/* Takes the shared memory of a new connection. */
static struct error *map_memory(struct dp_client *c, int fds[3])
{
    void *out = NULL, *in = NULL;
    struct error *e = shm_map(fds[0], sizeof(struct ring_out), false, &out);
    if (!e) {
        e = shm_map(fds[1], sizeof(struct ring_in), true, &in);
    }
    close(fds[0]);
    close(fds[1]);
    const struct ring_out *o = out;
    if (!e && (o->magic != RING_MAGIC || o->n_records != RING_RECORDS || o->n_slots != DP_MAX_FLOWS)) {
        e = error_new(EPROTO, "hello: the shared memory is of another layout");
    }
    if (e) {
        if (in) {
            shm_unmap(in, sizeof(struct ring_in));
        }
        if (out) {
            shm_unmap(out, sizeof(struct ring_out));
        }
        close(fds[2]);
        return e;
    }
    pthread_mutex_lock(&c->map_lock);
    unmap(c);
    c->map_out = out;
    c->map_in = in;
    c->event_fd = fds[2];
    c->tail = c->map_in->tail;
    struct epoll_event event = { .events = EPOLLIN };
    if (!c->events.upcalls) {
        (void) epoll_ctl(c->upcall_fd, EPOLL_CTL_ADD, c->event_fd, &event);
    }
    pthread_mutex_unlock(&c->map_lock);
    return NULL;
}

static struct error *hello(struct dp_client *c, int fd, uint8_t *buf)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_HELLO, 0);
    wire_put_u32(&b, ATTR_VERSION, WIRE_VERSION);
    wire_put(&b, ATTR_FEATURES, "", 0);
    if (c->observer) {
        wire_put(&b, ATTR_OBSERVER, "", 0);
    }
    int error = channel_send(fd, b.data, b.len, NULL, 0);
    buffer_fini(&b);
    if (error) {
        return error_errno(error, "hello");
    }
    struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = c->wake_fd, .events = POLLIN } };
    if (poll(p, 2, DP_ANSWER_MS) <= 0 || !p[0].revents) {
        return not_answering();
    }
    int fds[CHANNEL_MAX_FDS];
    size_t n, n_fds;
    error = channel_recv(fd, buf, &n, fds, &n_fds);
    if (error) {
        return error_errno(error, "hello");
    }
    struct wire_message m;
    struct error *e = wire_parse(buf, n, false, &m);
    if (!e) {
        e = wire_get_error(&m.attrs);
    }
    if (!e && wire_u32(&m.attrs, ATTR_VERSION) != WIRE_VERSION) {
        e = error_new(EPROTONOSUPPORT, "hello: the datapath speaks version %u of its protocol, this program %d",
                      wire_u32(&m.attrs, ATTR_VERSION), WIRE_VERSION);
    }
    if (!e && n_fds != (c->observer ? 0 : 3)) {
        e = error_new(EPROTO, "hello: the answer came with %zu descriptors", n_fds);
    }
    if (e || c->observer) {
        close_fds(fds, n_fds);
        return e;
    }
    return map_memory(c, fds);
}

/* One attempt. True if the connection is up; its descriptor is in c->fd. */
static bool try_connect(struct dp_client *c, uint8_t *buf, bool *warned)
{
    int fd = c->fd;
    struct error *e = c->path ? channel_connect(c->path, &fd) : NULL;
    if (!e) {
        e = hello(c, fd, buf);
        if (e && c->path) {
            close(fd);
        }
    }
    if (e) {
        if (!*warned) {
            LOG_INFO("datapath%s%s: %s", c->path ? " at " : "", c->path ? c->path : "", error_text(e));
            *warned = true;
        }
        error_free(e);
        return false;
    }
    *warned = false;
    pthread_mutex_lock(&c->lock);
    c->fd = fd;
    c->connected = true;
    c->broken = false;
    pthread_mutex_unlock(&c->lock);
    return true;
}

static void disconnect(struct dp_client *c)
{
    pthread_mutex_lock(&c->lock);
    c->connected = false;
    forget_out(c);
    close(c->fd);
    c->fd = -1;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void drain_wake(struct dp_client *c)
{
    uint64_t count;
    (void) !read(c->wake_fd, &count, sizeof count);
}

/* Reads until the connection ends or the client is to stop. */
static void serve(struct dp_client *c, uint8_t *buf)
{
    for (;;) {
        pthread_mutex_lock(&c->lock);
        bool over = c->stop || c->broken, writing = c->n_out;
        pthread_mutex_unlock(&c->lock);
        if (over) {
            return;
        }
        struct pollfd p[3] = {
            { .fd = c->fd, .events = POLLIN | (writing ? POLLOUT : 0) },
            { .fd = c->wake_fd, .events = POLLIN },
            { .fd = c->events.upcalls ? c->event_fd : -1, .events = POLLIN },
        };
        if (poll(p, 3, -1) < 0) {
            continue;
        }
        if (p[1].revents) {
            drain_wake(c);
        }
        if (p[2].revents & POLLIN) {
            uint64_t count;
            (void) !read(c->event_fd, &count, sizeof count);
            c->events.upcalls(c->arg);
        }
        if (p[0].revents & POLLOUT || p[1].revents) {
            send_waiting(c);
        }
        if (p[0].revents & (POLLIN | POLLHUP | POLLERR)) {
            int fds[CHANNEL_MAX_FDS], error;
            size_t n, n_fds;
            while (!(error = channel_recv(c->fd, buf, &n, fds, &n_fds))) {
                close_fds(fds, n_fds);
                got_message(c, buf, n);
            }
            if (error != EAGAIN) {
                return;
            }
        }
    }
}

static void wait_ms(struct dp_client *c, int ms)
{
    struct pollfd p = { .fd = c->wake_fd, .events = POLLIN };
    if (poll(&p, 1, ms) > 0) {
        drain_wake(c);
    }
}

static void reader_main(void *c_)
{
    struct dp_client *c = c_;
    uint8_t *buf = xmalloc(CHANNEL_MAX_MESSAGE);
    bool warned = false;
    int retry_ms = FIRST_RETRY_MS;
    for (bool stop = false; !stop;) {
        bool up = try_connect(c, buf, &warned);
        if (up && c->events.connected) {
            c->events.connected(c->arg);
        }
        pthread_mutex_lock(&c->lock);
        c->tried = true;
        pthread_cond_broadcast(&c->changed);
        pthread_mutex_unlock(&c->lock);
        if (up) {
            serve(c, buf);
            disconnect(c);
            retry_ms = FIRST_RETRY_MS;
        }
        pthread_mutex_lock(&c->lock);
        stop = c->stop;
        pthread_mutex_unlock(&c->lock);
        if (up && !stop && c->events.disconnected) {
            c->events.disconnected(c->arg);
        }
        if (!stop) {
            wait_ms(c, c->path ? retry_ms : -1);
            retry_ms = MIN(retry_ms * 2, LAST_RETRY_MS);
            stop = !c->path;
        }
    }
    free(buf);
}
