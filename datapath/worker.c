/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's thread: when it polls and when it sleeps, its inbox, and what the control thread does with it. */
#include "datapath/worker.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/clock.h"

/* A port that yields nothing so many rounds in a row is not polled until its descriptor says so; others are looked at every
 * so many rounds. */
enum { MAX_EMPTY = 6, LOOK_ROUNDS = 8, MAX_EVENTS = 32, MAX_ERRORS = 64, INBOX_EVENT = UINT32_MAX,
       DRAIN_ROUNDS = 256, INBOX_TURN = 64, MAX_INBOX = 4096 };

/* ---- Polling and sleeping ---- */

static bool poll_port(struct worker *w, struct worker_port *wp)
{
    struct packet_batch b;
    port_rx(wp->port, w->pool, &b);
    if (!b.n) {
        return false;
    }
    rcu_read_lock();
    worker_process(w, &b);
    worker_finish_round(w);
    rcu_read_unlock();
    return true;
}

static void activate(struct worker *w, uint32_t port)
{
    for (uint32_t i = 0; i < w->n_active; i++) {
        if (w->active[i] == port) {
            return;
        }
    }
    w->n_empty[port] = 0;
    w->active[w->n_active++] = port;
}

static void poll_active(struct worker *w)
{
    uint32_t kept = 0, n = w->n_active;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t port = w->active[i];
        struct worker_port *wp = &w->ports->ports[port];
        w->n_empty[port] = poll_port(w, wp) ? 0 : w->n_empty[port] + 1;
        if (w->n_empty[port] < MAX_EMPTY || wp->source) {
            w->n_empty[port] = MIN(w->n_empty[port], (uint8_t) MAX_EMPTY);
            w->active[kept++] = port;
        }
    }
    w->n_active = kept;
}

/* Some of it at a time, so that packets are not held up by a flood of requests. */
static void run_inbox(struct worker *w)
{
    struct cds_wfcq_node *node;
    for (unsigned n = 0; n < INBOX_TURN && (node = cds_wfcq_dequeue_blocking(&w->inbox_head, &w->inbox_tail)); n++) {
        struct work *work = CONTAINER_OF(node, struct work, node);
        bool finish = work->finish, urgent = work->urgent;
        work->run(w, work);
        __atomic_store_n(&w->n_run, w->n_run + 1, __ATOMIC_RELEASE);
        if (finish) {
            cds_wfcq_node_init(&work->node);
            cds_wfcq_enqueue(&w->dp->done_head, &w->dp->done_tail, &work->node);
            if (urgent) {
                uint64_t one = 1;
                (void) !write(w->dp->done_fd, &one, sizeof one);
            }
        }
    }
}

/* A descriptor that says nothing but "error", again and again, would keep the worker awake: it is not waited for any more,
 * until the port's descriptors change. */
static void note_error(struct worker *w, uint32_t port)
{
    struct worker_port *wp = &w->ports->ports[port];
    if (++wp->n_errors > MAX_ERRORS) {
        for (uint32_t i = 0; i < wp->n_fds; i++) {
            (void) epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, wp->fds[i], NULL);
        }
    }
}

/* Waits for descriptors ('timeout_ms' 0: just looks) and puts their ports among the polled ones. */
static void look(struct worker *w, int timeout_ms)
{
    struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait(w->epoll_fd, events, MAX_EVENTS, timeout_ms);
    for (int i = 0; i < n; i++) {
        uint32_t port = events[i].data.u32;
        if (port == INBOX_EVENT) {
            uint64_t count;
            (void) !read(w->event_fd, &count, sizeof count);
            continue;
        }
        activate(w, port);
        if (UNLIKELY(!(events[i].events & EPOLLIN))) {
            note_error(w, port);
        } else {
            w->ports->ports[port].n_errors = 0;
        }
    }
}

static void sleep_until_work(struct worker *w)
{
    __atomic_store_n(&w->sleeping, true, __ATOMIC_SEQ_CST);
    if (cds_wfcq_empty(&w->inbox_head, &w->inbox_tail)) {
        look(w, -1);
    }
    __atomic_store_n(&w->sleeping, false, __ATOMIC_RELAXED);
}

/* A CPU that is not there leaves the worker where it was. */
static void bind_cpu(struct worker *w)
{
    uint64_t mask[16];
    memset(mask, w->cpu < 0 ? 0xff : 0, sizeof mask);
    if (w->cpu >= 0) {
        mask[w->cpu / 64] = UINT64_C(1) << w->cpu % 64;
    }
    (void) thread_bind(mask, ARRAY_SIZE(mask));
}

static void worker_main(void *w_)
{
    struct worker *w = w_;
    if (w->cpu >= 0) {
        bind_cpu(w);
    }
    for (;;) {
        w->now_ms = clock_ms();
        if (!cds_wfcq_empty(&w->inbox_head, &w->inbox_tail)) {
            run_inbox(w);
            if (w->stop) {
                break;
            }
        }
        poll_active(w);
        if (!w->n_active) {
            sleep_until_work(w);
        } else if (++w->n_rounds % LOOK_ROUNDS == 0) {
            look(w, 0);
        }
    }
    port_release_buffers();
}

/* ---- For the control thread ---- */

static void enqueue(struct worker *, struct work *);

static int make_epoll(struct worker *w, const struct worker_ports *ports)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = INBOX_EVENT };
    if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, w->event_fd, &event)) {
        return -1;
    }
    for (uint32_t i = 0; ports && i < ports->n; i++) {
        for (uint32_t j = 0; j < ports->ports[i].n_fds; j++) {
            event.data.u32 = i;
            (void) epoll_ctl(fd, EPOLL_CTL_ADD, ports->ports[i].fds[j], &event);
        }
    }
    return fd;
}

struct error *worker_create(struct datapath *dp, uint32_t id, int cpu, struct worker **wp)
{
    struct worker *w = xzalloc_aligned(sizeof *w);
    w->dp = dp;
    w->id = id;
    w->cpu = cpu;
    w->pool = packet_pool_create(WORKER_MAX_HEADS, WORKER_MAX_TAILS);
    w->pending = pending_create(id, dp->options.upcall_rate, dp->options.upcall_burst);
    worker_init_sink(w);
    w->ports = xzalloc(sizeof *w->ports);
    w->n_empty = xzalloc(1);
    w->active = xzalloc(sizeof *w->active);
    flow_cache_init(&w->cache, WORKER_CACHE_SETS);
    cds_wfcq_init(&w->inbox_head, &w->inbox_tail);
    w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->epoll_fd = make_epoll(w, NULL);
    struct error *e = NULL;
    if (w->event_fd < 0 || w->epoll_fd < 0) {
        e = error_errno(errno, "datapath: worker %u", id);
    }
    if (!e) {
        char name[16];
        snprintf(name, sizeof name, "worker%u", id);
        e = thread_start(&w->thread, name, worker_main, w);
    }
    if (e) {
        worker_destroy(w);
        return e;
    }
    *wp = w;
    return NULL;
}

static void stop_run(struct worker *w, struct work *work)
{
    rcu_read_lock();
    for (;;) {
        struct list *l = list_is_empty(&w->pending->announced) ? &w->pending->unannounced : &w->pending->announced;
        if (list_is_empty(l)) {
            break;
        }
        struct pending_chain *c = LIST_ENTRY(l->next, struct pending_chain, node);
        bool copy = c->reason != UPCALL_MISS;
        for (struct packet *p = pending_take(w->pending, c), *next; p; p = next) {
            next = p->next;
            if (copy) {
                w->sink.n_consumed++;
            } else {
                worker_drop(w, DROP_STOPPING, p->in_port);
            }
            packet_free(p);
        }
    }
    worker_finish_round(w);
    rcu_read_unlock();
    w->stop = true;
}

void worker_stop(struct worker *w)
{
    struct work work = { .run = stop_run };
    enqueue(w, &work);
    thread_join(w->thread);
}

struct worker_ports *worker_ports_none(void)
{
    return xzalloc(sizeof(struct worker_ports));
}

struct bind_work {
    struct work work;
    int cpu;
};

static void bind_run(struct worker *w, struct work *work)
{
    w->cpu = CONTAINER_OF(work, struct bind_work, work)->cpu;
    bind_cpu(w);
}

static void bind_finish(struct datapath *dp, struct work *work)
{
    free(CONTAINER_OF(work, struct bind_work, work));
}

void worker_bind(struct worker *w, int cpu)
{
    struct bind_work *b = xzalloc(sizeof *b);
    *b = (struct bind_work) { { .run = bind_run, .finish = bind_finish }, cpu };
    worker_post(w, &b->work);
}

void worker_destroy(struct worker *w)
{
    flow_cache_fini(&w->cache);
    packet_pool_destroy(w->pool);
    pending_destroy(w->pending);
    free(w->ports);
    free(w->n_empty);
    free(w->active);
    if (w->epoll_fd >= 0) {
        close(w->epoll_fd);
    }
    if (w->event_fd >= 0) {
        close(w->event_fd);
    }
    free(w);
}

static void enqueue(struct worker *w, struct work *work)
{
    w->n_posted++;
    cds_wfcq_node_init(&work->node);
    cds_wfcq_enqueue(&w->inbox_head, &w->inbox_tail, &work->node);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&w->sleeping, __ATOMIC_RELAXED)) {
        uint64_t one = 1;
        (void) !write(w->event_fd, &one, sizeof one);
    }
}

void worker_post(struct worker *w, struct work *work)
{
    enqueue(w, work);
    if (w->n_posted - __atomic_load_n(&w->n_run, __ATOMIC_ACQUIRE) > MAX_INBOX) {
        worker_quiesce(w);      /* Requests come faster than they are done: let it catch up. */
    }
}

struct quiesce_work {
    struct work work;
    sem_t done;
};

static void quiesce_run(struct worker *w, struct work *work)
{
    bool more = true;
    for (unsigned round = 0; more && round < DRAIN_ROUNDS; round++) {
        more = false;
        for (uint32_t i = 0; i < w->ports->n; i++) {
            if (w->ports->ports[i].dummy) {
                more |= poll_port(w, &w->ports->ports[i]);
            }
        }
    }
    sem_post(&CONTAINER_OF(work, struct quiesce_work, work)->done);
}

void worker_quiesce(struct worker *w)
{
    struct quiesce_work q = { .work.run = quiesce_run };
    sem_init(&q.done, 0, 0);
    enqueue(w, &q.work);
    while (sem_wait(&q.done) && errno == EINTR) {
    }
    sem_destroy(&q.done);
}

struct ports_work {
    struct work work;
    struct worker_ports *ports;
    uint8_t *n_empty;
    uint32_t *active;
    int epoll_fd;
};

static void ports_run(struct worker *w, struct work *work)
{
    struct ports_work *p = CONTAINER_OF(work, struct ports_work, work), old = *p;
    p->ports = w->ports;
    p->n_empty = w->n_empty;
    p->active = w->active;
    p->epoll_fd = w->epoll_fd;
    w->ports = old.ports;
    w->n_empty = old.n_empty;
    w->active = old.active;
    w->epoll_fd = old.epoll_fd;
    w->n_active = 0;
    for (uint32_t i = 0; i < w->ports->n; i++) {
        activate(w, i);      /* Something may wait already. */
    }
}

static void ports_finish(struct datapath *dp, struct work *work)
{
    struct ports_work *p = CONTAINER_OF(work, struct ports_work, work);
    free(p->ports);
    free(p->n_empty);
    free(p->active);
    close(p->epoll_fd);
    free(p);
}

void worker_set_ports(struct worker *w, struct worker_ports *ports)
{
    struct ports_work *p = xzalloc(sizeof *p);
    p->work.run = ports_run;
    p->work.finish = ports_finish;
    p->ports = ports;
    p->n_empty = xcalloc(ports->n + 1, 1);
    p->active = xcalloc(ports->n + 1, sizeof *p->active);
    p->epoll_fd = make_epoll(w, ports);
    worker_post(w, &p->work);
}
