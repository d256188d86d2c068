/* SPDX-License-Identifier: Apache-2.0 */
/* What the handler, the sweeper and the public side of the upcall path share. Private to ofproto/path. */
#ifndef OFPROTO_PATH_STATE_H
#define OFPROTO_PATH_STATE_H

#include "lib/sys/loop.h"
#include "lib/sys/thread.h"
#include "ofproto/path/cached_flows.h"
#include "ofproto/path/path.h"

struct learn_job;

struct path {
    struct path_options options;
    struct cached_flows index;

    pthread_t handler_thread, sweeper_thread;
    struct loop *handler_loop, *sweeper_loop;
    struct loop_watch *upcall_watch;         /* Handler's. */
    struct loop_timer sweep_timer;           /* Sweeper's. */
    struct list waiters;                     /* Sweeper's: struct path_waiter. */

    bool hold;                               /* Atomic; main writes. */
    bool stopping;                           /* Atomic. */
    bool handler_busy;                       /* Atomic. */
    uint32_t flow_limit, max_idle_ms;        /* Atomic, relaxed; main writes. */
    uint64_t n_upcalls, n_retranslated, n_executed;   /* Atomic, relaxed. */

    uint64_t synced;                         /* Under the index lock: n_changed + n_deleted that the datapath has confirmed. */

    pthread_mutex_t learn_lock;
    pthread_cond_t learn_done;
    struct list learn_jobs;
    bool learn_posted;
};

/* handler.c */
void path_handler_start(void *path);         /* In the handler's loop. */
void path_handler_stop(void *path);

/* sweeper.c */
void path_sweeper_start(void *path);         /* In the sweeper's loop. */
void path_sweeper_stop(void *path);
void path_dirty_wake(struct path *);         /* From any thread: there are dirty flows. */
/* Credits all flows in slices; with 'expire' deletes the idle ones. Any thread. */
void path_credit_flows(struct path *, bool expire);

/* effects.c */
/* Applies what happens once: MAC learnt. Within RCU. */
void path_apply_once(const struct xlate_out *);
/* Learn effects of 'out' as jobs; within RCU. They run when path_run_learns() is called outside of it. */
void path_collect_learns(const struct xlate_out *, struct list *jobs);
void path_run_learns(struct path *, struct list *jobs, bool wait);
void path_learn_later(const struct learn_request *, void *path);   /* Refreshes: copied, not waited for. */
void path_drain_learns(struct path *);       /* Main thread. */

/* Translates 'key' by the published state of now; within RCU. */
void path_translate(struct path *, const struct key *, struct xlate_out *);
/* Has a change since its translation touched 'out'? */
bool path_is_stale(struct path *, const struct xlate_out *);

#endif
