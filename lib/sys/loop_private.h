/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the loop share: loop.c (descriptors, posts, hooks), loop_timer.c (the heap) and
 * loop_warp.c (moving the clock). For no one else. */
#ifndef LIB_SYS_LOOP_PRIVATE_H
#define LIB_SYS_LOOP_PRIVATE_H

#include <pthread.h>

#include "lib/base/list.h"
#include "lib/base/types.h"
#include "lib/sys/loop.h"

struct post;

struct loop {
    char *name;
    struct event_base *base;
    int wake_fd;
    struct loop_watch *wake_watch;
    bool stop;                      /* Atomic. */
    struct list node;               /* In the registry, while inside loop_run(). */

    pthread_mutex_t lock;           /* Guards the posts. */
    struct post *first_post, **last_post;

    struct list hooks;
    bool again;

    int timer_fd;
    struct loop_watch *timer_watch;
    struct loop_timer **heap;       /* Heap on (when_ns, order), the earliest first. */
    size_t n_timers, allocated;
    uint64_t timer_order;
    int64_t armed_ns;               /* What 'timer_fd' is set to; INT64_MAX: nothing. */
    /* when_ns of the first timer, INT64_MAX: none. Atomic; others read. */
    int64_t next_ns;
};

void loop_timers_init(struct loop *);
void loop_timers_fini(struct loop *);
/* Before sleeping: sees to it that the loop wakes for the first timer, or after 'timeout_ms'
 * (-1: never). False if a timer is due already. */
bool loop_timers_arm(struct loop *, int timeout_ms);
void loop_timers_run(struct loop *);

/* What loop_visit_running() hands to its function, which frees it. */
struct loop_visit {
    struct loop *loop;
    void *arg;
};
/* Counts the running loops, 'home' always among them, and finds the first timer of all. With
 * 'fn', sets '*pending' to the number of loops and posts 'fn' with a struct loop_visit to each
 * of them. */
size_t loop_visit_running(struct loop *home, int64_t *next_ns, void (*fn)(void *arg), void *arg,
                          size_t *pending);

#endif
