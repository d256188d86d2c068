/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual clock with several loops, each in its thread. */
#include "lib/base/error.h"
#include "lib/sys/clock.h"
#include "lib/sys/loop.h"
#include "lib/sys/thread.h"
#include "tests/unit/unit.h"

enum { N_LOOPS = 3 };

struct periodic {
    struct loop *loop;
    struct loop_timer timer;
    int64_t period_ms;
    int64_t begin_ns;
    int runs, late;          /* 'late': saw another time than it had asked for. */
    pthread_t thread;
};

static void tick(void *arg)
{
    struct periodic *p = arg;
    p->runs++;
    p->late += clock_ns() != p->begin_ns + p->runs * p->period_ms * NSEC_PER_MSEC;
    loop_timer_after_ms(&p->timer, p->period_ms);
}

static void run_loop(void *arg)
{
    struct periodic *p = arg;
    loop_run(p->loop);
    loop_timer_cancel(&p->timer);
}

static void set_flag(void *flag)
{
    *(bool *) flag = true;
}

static void start(struct periodic *p, int64_t period_ms)
{
    *p = (struct periodic) { .period_ms = period_ms, .begin_ns = clock_ns() };
    p->loop = loop_create("periodic");
    loop_timer_init(&p->timer, p->loop, tick, p);
    loop_timer_after_ms(&p->timer, period_ms);
    ck_assert_ptr_null(thread_start(&p->thread, "periodic", run_loop, p));
}

static void stop(struct periodic *p)
{
    loop_stop(p->loop);
    thread_join(p->thread);
    loop_destroy(p->loop);
}

/* Waits until the thread is inside loop_run(), so that the warp sees it. */
static void wait_until_running(struct periodic *p)
{
    bool runs = false;
    loop_post(p->loop, set_flag, &runs);
    while (!__atomic_load_n(&runs, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
}

static void warp(struct loop *home, int64_t ms, int64_t step_ms)
{
    bool done = false;
    int64_t begin = clock_ns();
    loop_warp(home, ms * NSEC_PER_MSEC, step_ms * NSEC_PER_MSEC, set_flag, &done);
    while (!done) {
        loop_run_once(home, -1);
    }
    ck_assert_int_eq(clock_ns() - begin, ms * NSEC_PER_MSEC);
}

START_TEST(goes_from_timer_to_timer_in_all_loops)
{
    struct loop *home = loop_create("home");
    struct periodic p[N_LOOPS];
    static const int64_t periods[N_LOOPS] = { 7, 10, 1000 };
    clock_stop();
    for (int i = 0; i < N_LOOPS; i++) {
        start(&p[i], periods[i]);
        wait_until_running(&p[i]);
    }
    warp(home, 2000, 0);
    for (int i = 0; i < N_LOOPS; i++) {
        ck_assert_int_eq(p[i].runs, 2000 / periods[i]);
        ck_assert_int_eq(p[i].late, 0);
    }
    /* One long step: each timer runs once. */
    for (int i = 0; i < N_LOOPS; i++) {
        p[i].runs = 0;
    }
    warp(home, 5000, 5000);
    for (int i = 0; i < N_LOOPS; i++) {
        ck_assert_int_eq(p[i].runs, 1);
        stop(&p[i]);
    }
    loop_destroy(home);
}
END_TEST

START_TEST(home_loop_has_timers_too)
{
    struct loop *home = loop_create("home");
    struct periodic p = { .loop = home, .period_ms = 3 };
    clock_stop();
    p.begin_ns = clock_ns();
    loop_timer_init(&p.timer, home, tick, &p);
    loop_timer_after_ms(&p.timer, 3);
    warp(home, 300, 0);
    ck_assert_int_eq(p.runs, 100);
    ck_assert_int_eq(p.late, 0);
    loop_timer_cancel(&p.timer);
    loop_destroy(home);
}
END_TEST

static void rearm_now(void *arg)
{
    struct periodic *p = arg;
    p->runs++;
    loop_timer_at(&p->timer, clock_ns());
}

START_TEST(restless_timer_does_not_hold_the_clock)
{
    struct loop *home = loop_create("home");
    struct periodic p = { .loop = home };
    clock_stop();
    loop_timer_init(&p.timer, home, rearm_now, &p);
    loop_timer_at(&p.timer, clock_ns());
    warp(home, 5, 0);
    ck_assert_int_ge(p.runs, 5);
    loop_timer_cancel(&p.timer);
    loop_destroy(home);
}
END_TEST

START_TEST(settle_waits_for_posts)
{
    struct loop *home = loop_create("home");
    struct periodic p;
    start(&p, 1000000);
    wait_until_running(&p);
    for (int i = 0; i < 100; i++) {
        bool posted = false, settled = false;
        loop_post(p.loop, set_flag, &posted);
        loop_settle(home, set_flag, &settled);
        while (!settled) {
            loop_run_once(home, -1);
        }
        ck_assert(posted);
    }
    stop(&p);
    loop_destroy(home);
}
END_TEST

START_TEST(stopped_clock_stands_still)
{
    int64_t before = clock_ns();
    ck_assert(!clock_is_stopped());
    ck_assert_int_ge(clock_ns(), before);
    clock_stop();
    ck_assert(clock_is_stopped());
    int64_t ns = clock_ns(), wall = clock_wall_ms();
    int64_t real = clock_real_ns();
    while (clock_real_ns() < real + 3 * NSEC_PER_MSEC) {
        continue;
    }
    ck_assert_int_eq(clock_ns(), ns);
    ck_assert_int_eq(clock_wall_ms(), wall);
    clock_warp(1500 * NSEC_PER_MSEC);
    ck_assert_int_eq(clock_ns(), ns + 1500 * NSEC_PER_MSEC);
    ck_assert_int_eq(clock_wall_ms(), wall + 1500);
    clock_stop();
    ck_assert_int_eq(clock_ns(), ns + 1500 * NSEC_PER_MSEC);
}
END_TEST

TCase *warp_tcase(void);
TCase *warp_tcase(void)
{
    TCase *tc = tcase_create("warp");
    tcase_add_test(tc, goes_from_timer_to_timer_in_all_loops);
    tcase_add_test(tc, home_loop_has_timers_too);
    tcase_add_test(tc, restless_timer_does_not_hold_the_clock);
    tcase_add_test(tc, settle_waits_for_posts);
    tcase_add_test(tc, stopped_clock_stands_still);
    return tc;
}
