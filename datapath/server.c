/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a datapath: its control thread, and what other threads may ask of that. */
#include "datapath/server.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/control.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/sys/clock.h"

enum { TICK_MS = 500 };

void datapath_options_init(struct datapath_options *o)
{
    *o = (struct datapath_options) { .enable_system = true, .n_workers = 1, .upcall_rate = 200000,
                                     .upcall_burst = 16384, .peer_uid = (uid_t) -1 };
}

/* Devices, raw sockets, locked memory, thread priorities; and for system ports the program that keeps the host's own
 * stack out. */
const char *const *datapath_capabilities(const struct datapath_options *o)
{
    static const char *const names[] = { "bpf", "net_admin", "net_raw", "net_broadcast", "ipc_lock", "sys_nice", NULL };
    return o->enable_system ? names : names + 1;
}

/* A call into the control thread that waits for its answer. */
struct call {
    struct datapath *dp;
    struct error *(*fn)(struct call *);
    const char *path;
    int fd;
    struct error *e;
    sem_t done;
};

static void run_call(void *c_)
{
    struct call *c = c_;
    c->e = c->fn(c);
    sem_post(&c->done);
}

static struct error *call(struct call *c)
{
    sem_init(&c->done, 0, 0);
    loop_post(c->dp->loop, run_call, c);
    while (sem_wait(&c->done) && errno == EINTR) {
    }
    sem_destroy(&c->done);
    return c->e;
}

/* ---- The control thread ---- */

static void tick(void *dp_)
{
    struct datapath *dp = dp_;
    for (uint32_t i = 0; i < dp->n_workers; i++) {
        worker_expire(dp->workers[i]);
    }
    flow_table_tick(dp->table);
    workers_drain_done(dp);
    loop_timer_after_ms(&dp->tick, TICK_MS);
}

static void done_ready(int fd, int events, void *dp)
{
    uint64_t count;
    (void) !read(fd, &count, sizeof count);
    workers_drain_done(dp);
}

static struct error *start(struct datapath *dp)
{
    struct error *e = ring_init(&dp->ring);
    if (e) {
        return e;
    }
    dp->table = flow_table_create(ENGINE_FLOW_LIMIT);
    dp->flows = flow_index_create(dp);
    port_set_init(dp);
    dp->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (dp->done_fd < 0) {
        return error_errno(errno, "datapath: eventfd");
    }
    dp->done_watch = loop_watch_create(dp->loop, dp->done_fd, LOOP_READ, done_ready, dp);
    dp->peers = peers_create(dp);
    loop_timer_init(&dp->tick, dp->loop, tick, dp);
    loop_timer_after_ms(&dp->tick, TICK_MS);
    return workers_set(dp, dp->options.n_workers, 0);
}

static void finish(struct datapath *dp)
{
    loop_timer_cancel(&dp->tick);
    if (dp->peers) {
        peers_destroy(dp->peers);
        dp->peers = NULL;
    }
    if (dp->ports) {
        port_set_clear(dp);
    }
    workers_stop(dp);
    workers_drain_done(dp);
    if (dp->ports) {
        port_set_fini(dp);
    }
    loop_watch_destroy(dp->done_watch);
    if (dp->done_fd >= 0) {
        close(dp->done_fd);
    }
    if (dp->flows) {
        flow_index_destroy(dp->flows);
        flow_table_destroy(dp->table);
    }
    ring_fini(&dp->ring);
    rcu_barrier();
}

static void control_main(void *c_)
{
    struct call *c = c_;
    struct datapath *dp = c->dp;
    c->e = start(dp);
    bool started = !c->e;
    sem_post(&c->done);
    if (started) {
        loop_run(dp->loop);
    }
    finish(dp);
}

struct error *datapath_create(const struct datapath_options *options, struct datapath **dpp)
{
    struct datapath *dp = xzalloc(sizeof *dp);
    dp->options = *options;
    dp->options.n_workers = MAX(options->n_workers, 1u);
    dp->options.upcall_rate = options->upcall_rate ? options->upcall_rate : 200000;
    dp->options.upcall_burst = options->upcall_burst ? options->upcall_burst : 16384;
    random_secure(&dp->hash_basis, sizeof dp->hash_basis);
    dp->done_fd = -1;
    cds_wfcq_init(&dp->done_head, &dp->done_tail);
    dp->loop = loop_create("datapath");
    struct call c = { .dp = dp };
    sem_init(&c.done, 0, 0);
    struct error *e = thread_start(&dp->thread, "datapath", control_main, &c);
    if (!e) {
        while (sem_wait(&c.done) && errno == EINTR) {
        }
        e = c.e;
        if (e) {
            thread_join(dp->thread);
        }
    }
    sem_destroy(&c.done);
    if (e) {
        loop_destroy(dp->loop);
        free(dp);
        return e;
    }
    *dpp = dp;
    return NULL;
}

void datapath_destroy(struct datapath *dp)
{
    if (dp) {
        loop_stop(dp->loop);
        thread_join(dp->thread);
        loop_destroy(dp->loop);
        free(dp);
    }
}

static struct error *serve(struct call *c)
{
    return peers_add(c->dp->peers, c->fd);
}

struct error *datapath_serve_fd(struct datapath *dp, int fd)
{
    struct call c = { .dp = dp, .fn = serve, .fd = fd };
    return call(&c);
}

static struct error *do_listen(struct call *c)
{
    return peers_listen(c->dp->peers, c->path);
}

struct error *datapath_listen(struct datapath *dp, const char *path)
{
    struct call c = { .dp = dp, .fn = do_listen, .path = path };
    return call(&c);
}
