/* SPDX-License-Identifier: Apache-2.0 */
/* The one clock of the process. Tests stop it and move it (time/stop, time/warp).
 *
 * Threads: any thread reads; clock_stop() and clock_warp() are for the main thread. Reading is
 * one atomic load when the clock is stopped and clock_gettime(CLOCK_MONOTONIC) otherwise.
 * Workers read it once a batch. */
#ifndef LIB_SYS_CLOCK_H
#define LIB_SYS_CLOCK_H

#include "lib/base/types.h"

#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)

int64_t clock_ns(void);        /* Monotonic, virtual once stopped. */
int64_t clock_ms(void);
int64_t clock_wall_ms(void);   /* Since the epoch; moves with clock_warp() too. */
/* CLOCK_MONOTONIC whether stopped or not, for time-outs of this process's own waiting. */
int64_t clock_real_ns(void);

void clock_stop(void);         /* Freezes the clock at its present value; never thawed. */
bool clock_is_stopped(void);
/* Stops the clock if it runs, moves it forward, and wakes every loop so that due timers run.
 * Returns at once; loop_warp() (lib/sys/loop.h) goes from timer to timer and says when all have
 * run. */
void clock_warp(int64_t ns);

#endif
