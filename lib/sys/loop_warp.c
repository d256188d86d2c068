/* SPDX-License-Identifier: Apache-2.0 */
/* Moving the stopped clock from timer to timer, with all loops of the process in step. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/sys/clock.h"
#include "lib/sys/loop_private.h"

/* A timer that always arms itself for this very moment does not hold the clock up after so many
 * rounds. */
enum { MAX_STUCK = 16 };

struct warp {
    struct loop *home;       /* Where it was asked for. */
    int64_t left_ns;
    int64_t step_ns;         /* 0: to the next timer. */
    unsigned stuck;          /* Steps since the clock moved. */
    size_t pending;          /* Loops that have not gone round yet. Atomic. */
    void (*done)(void *arg);
    void *arg;
};

static void advance(struct warp *);
static void visit(void *visit);
static void visited(void *warp);

void loop_warp(struct loop *home, int64_t ns, int64_t step_ns, void (*done)(void *arg), void *arg)
{
    clock_stop();
    struct warp *w = xmalloc(sizeof *w);
    *w = (struct warp) { home, MAX(ns, 0), MAX(step_ns, 0), 0, 0, done, arg };
    advance(w);
}

void loop_settle(struct loop *home, void (*done)(void *arg), void *arg)
{
    struct warp *w = xmalloc(sizeof *w);
    *w = (struct warp) { home, 0, 0, 0, 0, done, arg };
    loop_visit_running(home, NULL, visit, w, &w->pending);
}

/* One step, then a visit to each loop; the last to be visited posts visited() home. */
static void advance(struct warp *w)
{
    int64_t step = w->step_ns;
    if (!step) {
        int64_t next, now = clock_ns();
        loop_visit_running(w->home, &next, NULL, NULL, NULL);
        step = next == INT64_MAX ? w->left_ns : MAX(next - now, 0);
        w->stuck = step ? 0 : w->stuck + 1;
        if (w->stuck > MAX_STUCK) {
            step = NSEC_PER_MSEC;
        }
    }
    step = MIN(step, w->left_ns);
    w->left_ns -= step;
    clock_warp(step);
    loop_visit_running(w->home, NULL, visit, w, &w->pending);
}

static void visit(void *arg)
{
    struct loop_visit *v = arg;
    struct warp *w = v->arg;
    loop_timers_run(v->loop);
    free(v);
    if (!__atomic_sub_fetch(&w->pending, 1, __ATOMIC_ACQ_REL)) {
        loop_post(w->home, visited, w);
    }
}

static void visited(void *arg)
{
    struct warp *w = arg;
    if (w->left_ns) {
        advance(w);
        return;
    }
    void (*done)(void *arg) = w->done;
    void *done_arg = w->arg;
    free(w);
    done(done_arg);
}
