/* SPDX-License-Identifier: Apache-2.0 */
/* The one clock of the process, which tests can stop and move. */
#include "lib/sys/clock.h"

#include <time.h>

#include "lib/sys/loop.h"

/* 'stopped_ns' is 0 while the clock runs; the other two are written once, before it. */
static int64_t stopped_ns;
static int64_t stopped_at_ns;
static int64_t stopped_at_wall_ms;

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int64_t clock_ns(void)
{
    int64_t ns = __atomic_load_n(&stopped_ns, __ATOMIC_ACQUIRE);
    return LIKELY(!ns) ? read_clock(CLOCK_MONOTONIC) : ns;
}

int64_t clock_ms(void)
{
    return clock_ns() / NSEC_PER_MSEC;
}

int64_t clock_wall_ms(void)
{
    int64_t ns = __atomic_load_n(&stopped_ns, __ATOMIC_ACQUIRE);
    return LIKELY(!ns) ? read_clock(CLOCK_REALTIME) / NSEC_PER_MSEC
                       : stopped_at_wall_ms + (ns - stopped_at_ns) / NSEC_PER_MSEC;
}

int64_t clock_real_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_stop(void)
{
    if (!clock_is_stopped()) {
        stopped_at_ns = read_clock(CLOCK_MONOTONIC);
        stopped_at_wall_ms = read_clock(CLOCK_REALTIME) / NSEC_PER_MSEC;
        __atomic_store_n(&stopped_ns, stopped_at_ns, __ATOMIC_RELEASE);
        loop_wake_all();
    }
}

bool clock_is_stopped(void)
{
    return __atomic_load_n(&stopped_ns, __ATOMIC_ACQUIRE) != 0;
}

void clock_warp(int64_t ns)
{
    clock_stop();
    __atomic_add_fetch(&stopped_ns, ns, __ATOMIC_ACQ_REL);
    loop_wake_all();
}
