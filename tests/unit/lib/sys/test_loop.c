/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: watches, posts, hooks, and timers against a naive model. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/clock.h"
#include "lib/sys/loop.h"
#include "lib/sys/thread.h"
#include "tests/unit/unit.h"

enum { N_TIMERS = 60, N_STEPS = 5000 };

static int fired[N_TIMERS * 4], n_fired;

struct numbered {
    struct loop_timer timer;
    int number;
};

static void note(void *arg)
{
    ck_assert_int_lt(n_fired, (int) ARRAY_SIZE(fired));
    fired[n_fired++] = ((struct numbered *) arg)->number;
}

/* Random arming, re-arming and cancelling; after each small warp exactly the due ones have
 * fired, in the order of their times and, at the same time, of arming. */
START_TEST(timers_follow_the_model)
{
    struct loop *loop = loop_create("test");
    struct numbered timers[N_TIMERS];
    struct { int64_t when; int order; } model[N_TIMERS];
    int order = 0;
    clock_stop();
    srandom(11);
    for (int i = 0; i < N_TIMERS; i++) {
        timers[i].number = i;
        loop_timer_init(&timers[i].timer, loop, note, &timers[i]);
        model[i].when = INT64_MAX;
    }
    for (int step = 0; step < N_STEPS; step++) {
        int i = (int) (random() % N_TIMERS);
        if (random() % 4) {
            model[i].when = clock_ns() + (random() % 50) * NSEC_PER_MSEC;
            model[i].order = order++;
            loop_timer_at(&timers[i].timer, model[i].when);
        } else {
            model[i].when = INT64_MAX;
            loop_timer_cancel(&timers[i].timer);
        }
        if (random() % 5) {
            continue;
        }
        clock_warp((random() % 10) * NSEC_PER_MSEC);
        n_fired = 0;
        loop_run_once(loop, 0);
        for (int k = 0; ; k++) {
            int first = -1;
            for (int j = 0; j < N_TIMERS; j++) {
                if (model[j].when <= clock_ns()
                    && (first < 0 || model[j].when < model[first].when
                        || (model[j].when == model[first].when
                            && model[j].order < model[first].order))) {
                    first = j;
                }
            }
            if (first < 0) {
                ck_assert_int_eq(n_fired, k);
                break;
            }
            ck_assert_int_lt(k, n_fired);
            ck_assert_int_eq(fired[k], first);
            model[first].when = INT64_MAX;
        }
        for (int j = 0; j < N_TIMERS; j++) {
            ck_assert_int_eq(loop_timer_is_armed(&timers[j].timer), model[j].when != INT64_MAX);
        }
    }
    for (int i = 0; i < N_TIMERS; i++) {
        loop_timer_cancel(&timers[i].timer);
    }
    loop_destroy(loop);
}
END_TEST

static void rearm_now(void *arg)
{
    struct numbered *n = arg;
    n->number++;
    loop_timer_at(&n->timer, clock_ns());
}

START_TEST(timer_that_rearms_itself_does_not_starve_the_loop)
{
    struct loop *loop = loop_create("test");
    struct numbered n = { .number = 0 };
    loop_timer_init(&n.timer, loop, rearm_now, &n);
    loop_timer_at(&n.timer, clock_ns());
    for (int i = 1; i <= 3; i++) {
        loop_run_once(loop, 1000);
        ck_assert_int_eq(n.number, i);
    }
    loop_timer_cancel(&n.timer);
    loop_destroy(loop);
}
END_TEST

START_TEST(running_clock_wakes_for_timers)
{
    struct loop *loop = loop_create("test");
    struct numbered n = { .number = 3 };
    loop_timer_init(&n.timer, loop, note, &n);
    n_fired = 0;
    int64_t begin = clock_real_ns();
    loop_timer_after_ms(&n.timer, 20);
    while (!n_fired) {
        loop_run_once(loop, -1);
    }
    int64_t took = clock_real_ns() - begin;
    ck_assert_int_ge(took, 20 * NSEC_PER_MSEC);
    ck_assert_int_lt(took, 2000 * NSEC_PER_MSEC);
    begin = clock_real_ns();
    loop_run_once(loop, 10);
    ck_assert_int_ge(clock_real_ns() - begin, 9 * NSEC_PER_MSEC);
    loop_destroy(loop);
}
END_TEST

struct watched {
    struct loop_watch *watch;
    int reads, writes;
    char last;
    bool destroy;
};

static void on_fd(int fd, int events, void *arg)
{
    struct watched *w = arg;
    if (events & LOOP_READ) {
        w->reads++;
        ck_assert_int_eq(read(fd, &w->last, 1), 1);
    }
    w->writes += !!(events & LOOP_WRITE);
    if (w->destroy) {
        loop_watch_destroy(w->watch);
        w->watch = NULL;
    }
}

START_TEST(watches)
{
    struct loop *loop = loop_create("test");
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct watched w = { .reads = 0 };
    w.watch = loop_watch_create(loop, fds[0], LOOP_READ, on_fd, &w);
    loop_run_once(loop, 0);
    ck_assert_int_eq(w.reads, 0);
    ck_assert_int_eq(write(fds[1], "ab", 2), 2);
    loop_run_once(loop, 100);
    loop_run_once(loop, 100);                  /* Level-triggered: the second byte too. */
    ck_assert_int_eq(w.reads, 2);
    ck_assert_int_eq(w.last, 'b');
    loop_watch_set(w.watch, 0);
    ck_assert_int_eq(write(fds[1], "c", 1), 1);
    loop_run_once(loop, 0);
    ck_assert_int_eq(w.reads, 2);
    loop_watch_set(w.watch, LOOP_READ | LOOP_WRITE);
    w.destroy = true;
    loop_run_once(loop, 100);
    ck_assert_ptr_null(w.watch);
    ck_assert_int_eq(w.reads, 3);
    ck_assert_int_ge(w.writes, 1);
    loop_run_once(loop, 0);
    close(fds[0]);
    close(fds[1]);
    loop_destroy(loop);
}
END_TEST

enum { N_POSTS = 2000 };
static int posted[2 * N_POSTS], n_posted;

static void on_post(void *arg)
{
    posted[n_posted++] = (int) (intptr_t) arg;
}

static void post_many(void *loop)
{
    for (int i = 0; i < N_POSTS; i++) {
        loop_post(loop, on_post, (void *) (intptr_t) i);
    }
    loop_post(loop, (void (*)(void *)) loop_stop, loop);
}

START_TEST(posts_arrive_in_order_from_another_thread)
{
    struct loop *loop = loop_create("test");
    pthread_t thread;
    n_posted = 0;
    ck_assert_ptr_null(thread_start(&thread, "poster", post_many, loop));
    loop_run(loop);
    thread_join(thread);
    ck_assert_int_eq(n_posted, N_POSTS);
    for (int i = 0; i < N_POSTS; i++) {
        ck_assert_int_eq(posted[i], i);
    }
    loop_destroy(loop);
}
END_TEST

struct hooked {
    struct loop *loop;
    struct loop_hook *hook;
    int runs, again;
};

static void on_hook(void *arg)
{
    struct hooked *h = arg;
    h->runs++;
    if (h->again) {
        h->again--;
        loop_hook_again(h->loop);
    } else if (h->runs >= 5) {
        loop_hook_destroy(h->hook);
    }
}

START_TEST(hooks)
{
    struct loop *loop = loop_create("test");
    struct hooked h = { .loop = loop, .again = 2 };
    h.hook = loop_hook_create(loop, on_hook, &h);
    loop_run_once(loop, -1);    /* Would sleep for ever, did the hook not say "again". */
    ck_assert_int_eq(h.runs, 2);
    ck_assert_int_eq(h.again, 0);
    loop_run_once(loop, 0);
    loop_run_once(loop, 0);
    loop_run_once(loop, 0);
    ck_assert_int_eq(h.runs, 5);   /* It destroyed itself. */
    loop_destroy(loop);
}
END_TEST

TCase *loop_tcase(void);
TCase *loop_tcase(void)
{
    TCase *tc = tcase_create("loop");
    tcase_add_test(tc, timers_follow_the_model);
    tcase_add_test(tc, timer_that_rearms_itself_does_not_starve_the_loop);
    tcase_add_test(tc, running_clock_wakes_for_timers);
    tcase_add_test(tc, watches);
    tcase_add_test(tc, posts_arrive_in_order_from_another_thread);
    tcase_add_test(tc, hooks);
    return tc;
}
