/* SPDX-License-Identifier: Apache-2.0 */
/* Event loop of a thread, over libevent.
 *
 * What: descriptors, timers on our clock (one heap of ours and one timerfd), and functions
 * posted from other threads. Nobody else gives libevent a time-out (MECHANISMS 12), so that
 * clock_warp() moves everything.
 *
 * Threads: a loop belongs to the thread that runs it. Only loop_post() and loop_stop() may be
 * called from others. */
#ifndef LIB_SYS_LOOP_H
#define LIB_SYS_LOOP_H

#include "lib/base/types.h"

struct loop;
struct event_base;

struct loop *loop_create(const char *name);
void loop_destroy(struct loop *);
/* Runs until loop_stop(). */
void loop_run(struct loop *);
void loop_stop(struct loop *);
/* Runs what is ready now, waiting at most 'timeout_ms' (0: not at all, -1: for ever) for
 * something. */
void loop_run_once(struct loop *, int timeout_ms);
/* For lib/rpc's bufferevents. */
struct event_base *loop_event_base(struct loop *);

/* Runs 'fn(arg)' in the loop's thread, in the order of posting. From any thread. */
void loop_post(struct loop *, void (*fn)(void *arg), void *arg);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* A watch on a descriptor, level-triggered. 'events' may be changed and may be 0. An error or
 * hang-up is reported as whatever 'events' asked for. Destroying it does not close the
 * descriptor and may be done inside its own callback. */
struct loop_watch;
struct loop_watch *loop_watch_create(struct loop *, int fd, int events,
                                     void (*cb)(int fd, int events, void *arg), void *arg);
void loop_watch_set(struct loop_watch *, int events);
void loop_watch_destroy(struct loop_watch *);   /* NULL is fine. */

/* A timer, embedded in its owner. */
struct loop_timer {
    struct loop *loop;
    void (*cb)(void *arg);
    void *arg;
    int64_t when_ns;         /* On clock_ns(). */
    /* Timers of the same time fire in the order in which they were armed. */
    uint64_t order;
    size_t heap_index;       /* SIZE_MAX when not armed. */
};

void loop_timer_init(struct loop_timer *, struct loop *, void (*cb)(void *arg), void *arg);
/* (Re)arms it. It fires once. */
void loop_timer_at(struct loop_timer *, int64_t when_ns);
void loop_timer_after_ms(struct loop_timer *, int64_t delay_ms);
void loop_timer_cancel(struct loop_timer *);
bool loop_timer_is_armed(const struct loop_timer *);

/* A function that runs each time the loop has handled a round of events, just before it sleeps.
 * It may be destroyed in its own callback. 'loop_hook_again()' makes the loop not sleep but go
 * round. */
struct loop_hook;
struct loop_hook *loop_hook_create(struct loop *, void (*cb)(void *arg), void *arg);
void loop_hook_destroy(struct loop_hook *);
void loop_hook_again(struct loop *);

/* Moves a stopped clock (it is stopped if it runs) forward by 'ns' in steps, and after each step
 * waits until every running loop has run the timers that became due: 'step_ns' at a time, or
 * with 0 from timer to timer, so that each one sees the time that it asked for. Then calls
 * 'done(arg)' in the thread of 'loop', whose thread calls this. */
void loop_warp(struct loop *, int64_t ns, int64_t step_ns, void (*done)(void *arg), void *arg);
/* Calls 'done(arg)' in the thread of 'loop' when every running loop has gone once round: has
 * handled what was posted before, and its due timers. For tests and commands that must wait. */
void loop_settle(struct loop *, void (*done)(void *arg), void *arg);
/* Makes every loop look at its timers again. From any thread. */
void loop_wake_all(void);

#endif
