/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of a loop: a binary heap on our clock, and one timerfd that wakes the loop for the
 * first. */
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/sys/clock.h"
#include "lib/sys/loop_private.h"

static bool before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->order < b->order;
}

static void place(struct loop *l, size_t i, struct loop_timer *t)
{
    l->heap[i] = t;
    t->heap_index = i;
}

/* Moves the timer at 'i' up or down to where it belongs. */
static void settle(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];
    while (i && before(t, l->heap[(i - 1) / 2])) {
        place(l, i, l->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (size_t child; (child = 2 * i + 1) < l->n_timers; i = child) {
        if (child + 1 < l->n_timers && before(l->heap[child + 1], l->heap[child])) {
            child++;
        }
        if (!before(l->heap[child], t)) {
            break;
        }
        place(l, i, l->heap[child]);
    }
    place(l, i, t);
}

static void publish(struct loop *l)
{
    __atomic_store_n(&l->next_ns, l->n_timers ? l->heap[0]->when_ns : INT64_MAX, __ATOMIC_RELEASE);
}

static void expired(int fd, int events, void *loop)
{
    struct loop *l = loop;
    uint64_t count;
    ssize_t ignored UNUSED = read(fd, &count, sizeof count);
    l->armed_ns = INT64_MAX;
}

void loop_timers_init(struct loop *l)
{
    l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (l->timer_fd < 0) {
        abort();   /* No descriptors left at start. */
    }
    l->armed_ns = l->next_ns = INT64_MAX;
    l->timer_watch = loop_watch_create(l, l->timer_fd, LOOP_READ, expired, l);
}

void loop_timers_fini(struct loop *l)
{
    for (size_t i = 0; i < l->n_timers; i++) {
        l->heap[i]->heap_index = SIZE_MAX;
    }
    free(l->heap);
    loop_watch_destroy(l->timer_watch);
    close(l->timer_fd);
}

bool loop_timers_arm(struct loop *l, int timeout_ms)
{
    int64_t wanted = INT64_MAX;
    int64_t real = clock_real_ns();
    if (l->n_timers) {
        int64_t when = l->heap[0]->when_ns;
        if (when <= clock_ns()) {
            return false;
        }
        if (!clock_is_stopped()) {
            wanted = when;
        }
    }
    if (timeout_ms > 0) {
        wanted = MIN(wanted, real + timeout_ms * NSEC_PER_MSEC);
    }
    /* An earlier setting stays: it wakes the loop once for nothing, which costs less than
     * setting it anew each time that an inactivity timer is pushed back. */
    if (wanted < l->armed_ns) {
        struct itimerspec spec = { .it_value = { wanted / NSEC_PER_SEC, wanted % NSEC_PER_SEC } };
        timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
        l->armed_ns = wanted;
    }
    return true;
}

void loop_timers_run(struct loop *l)
{
    if (!l->n_timers) {
        return;
    }
    /* A timer that is armed again for 'now' in its own callback waits for the next round. */
    int64_t now = clock_ns();
    uint64_t end = l->timer_order;
    while (l->n_timers && l->heap[0]->when_ns <= now && l->heap[0]->order < end) {
        struct loop_timer *t = l->heap[0];
        loop_timer_cancel(t);
        t->cb(t->arg);
    }
}

void loop_timer_init(struct loop_timer *t, struct loop *l, void (*cb)(void *arg), void *arg)
{
    *t = (struct loop_timer) { .loop = l, .cb = cb, .arg = arg, .heap_index = SIZE_MAX };
}

void loop_timer_at(struct loop_timer *t, int64_t when_ns)
{
    struct loop *l = t->loop;
    t->when_ns = when_ns;
    t->order = l->timer_order++;
    if (t->heap_index == SIZE_MAX) {
        if (l->n_timers == l->allocated) {
            l->heap = xgrow(l->heap, &l->allocated, sizeof *l->heap);
        }
        place(l, l->n_timers++, t);
    }
    settle(l, t->heap_index);
    publish(l);
}

void loop_timer_after_ms(struct loop_timer *t, int64_t delay_ms)
{
    loop_timer_at(t, clock_ns() + delay_ms * NSEC_PER_MSEC);
}

void loop_timer_cancel(struct loop_timer *t)
{
    struct loop *l = t->loop;
    size_t i = t->heap_index;
    if (i == SIZE_MAX) {
        return;
    }
    t->heap_index = SIZE_MAX;
    struct loop_timer *last = l->heap[--l->n_timers];
    if (last != t) {
        place(l, i, last);
        settle(l, i);
    }
    publish(l);
}

bool loop_timer_is_armed(const struct loop_timer *t)
{
    return t->heap_index != SIZE_MAX;
}
