/* SPDX-License-Identifier: Apache-2.0 */
/* The control plane goes away and comes back; misses wait, are held, and expire by the clock. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/pending.h"
#include "lib/base/error.h"
#include "lib/sys/clock.h"
#include "tests/unit/datapath/engine/engine_tests.h"

static struct rig r;

static void setup(void)
{
    rig_start(&r, NULL);
}

static void teardown(void)
{
    rig_check_balance(&r);
    rig_stop(&r);
}

START_TEST(flows_go_on_and_misses_wait_for_the_next_control_plane)
{
    struct dp_upcall u[8];
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 1);
    rig_put(&r, 1, &u[0].key, 2);
    rig_feed(&r, 1, 2, 20);      /* Announced to the first one, which dies holding the record. */
    rig_feed(&r, 1, 2, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 1);
    rig_disconnect(&r);
    usleep(300000);
    rig_connect(&r);
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 1);
    ck_assert_uint_eq(u[0].key.l4.src, htobe16(2));
    ck_assert_uint_eq(rig_stats(&r).n_flows, 1);
    ck_assert_uint_eq(rig_stats(&r).n_pending, 2);
    rig_put(&r, 2, &u[0].key, 3);
    ck_assert_uint_eq(rig_sent(&r, 3), 2);
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_sent(&r, 2), 2);
    struct dp_flow_counters c;
    dp_flow_get_counters(r.c, 1, &c);
    ck_assert_uint_eq(c.packets, 2);
}
END_TEST

START_TEST(misses_expire_after_two_seconds_while_somebody_should_answer)
{
    struct dp_upcall u[8];
    clock_stop();
    rig_feed(&r, 1, 1, 20);
    clock_warp(1500 * NSEC_PER_MSEC);
    rig_feed(&r, 1, 2, 20);
    ck_assert_uint_eq(rig_stats(&r).n_pending, 2);
    clock_warp(1000 * NSEC_PER_MSEC);
    struct dp_stats s = rig_stats(&r);
    for (int i = 0; i < 500 && s.n_pending != 1; i++) {
        usleep(10000);
        s = rig_stats(&r);
    }
    ck_assert_uint_eq(s.n_pending, 1);
    ck_assert_uint_eq(s.drops[DROP_PENDING_TIMEOUT], 1);
    struct dp_upcall_stats us;
    dp_upcall_get_stats(r.c, &us);
    ck_assert_uint_eq(us.n_expired, 1);
    ck_assert_uint_eq(us.n_records, 2);
    ck_assert_uint_eq(us.n_waiting, 1);
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 2);
}
END_TEST

START_TEST(without_a_control_plane_nothing_expires)
{
    struct dp_upcall u[8];
    clock_stop();
    rig_feed(&r, 1, 1, 20);
    rig_disconnect(&r);
    usleep(100000);
    for (int i = 0; i < 10; i++) {
        clock_warp(1000 * NSEC_PER_MSEC);
        usleep(10000);
    }
    rig_connect(&r);
    ck_assert_uint_eq(rig_stats(&r).n_pending, 1);
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 1);
    clock_warp(3000 * NSEC_PER_MSEC);      /* Now it does. */
    usleep(50000);
    ck_assert_uint_eq(rig_stats(&r).n_pending, 0);
}
END_TEST

START_TEST(held_misses_are_announced_when_the_hold_ends)
{
    struct dp_upcall u[8];
    struct dp_config config = { .n_workers = 1, .hold = true };
    clock_stop();
    must(dp_configure(r.c, &config));
    rig_feed(&r, 1, 1, 20);
    clock_warp(5000 * NSEC_PER_MSEC);
    usleep(50000);
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 0);
    ck_assert_uint_eq(rig_stats(&r).n_pending, 1);
    for (int i = 0; i < 5; i++) {
        rig_feed(&r, 1, 1, 20);
    }
    ck_assert_uint_eq(rig_stats(&r).drops[DROP_HOLD], 2);
    config.hold = false;
    must(dp_configure(r.c, &config));
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 1);
}
END_TEST

START_TEST(there_is_one_control_peer_and_it_is_replaced_when_it_is_dead)
{
    char dir[] = "/tmp/tsuji-test-XXXXXX", path[64];
    struct dp_client *a, *b, *o;
    struct dp_stats s;
    ck_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/dp.sock", dir);
    must(datapath_listen(r.dp, path));
    must(dp_client_connect(path, NULL, NULL, &a));
    ck_assert(!dp_client_is_connected(a));      /* The rig's client is there. */
    must(dp_client_observe(path, &o));
    must(dp_get_stats(o, &s));
    ck_assert_uint_eq(s.n_ports, RIG_PORTS);
    struct error *e = dp_port_del(o, r.port[1]);
    ck_assert_int_eq(error_code(e), EPERM);
    error_free(e);
    rig_disconnect(&r);
    for (int i = 0; i < 100 && !dp_client_is_connected(a); i++) {
        usleep(20000);
    }
    ck_assert(dp_client_is_connected(a));
    must(dp_get_stats(a, &s));
    dp_client_destroy(a);
    must(dp_client_connect(path, NULL, NULL, &b));
    ck_assert(dp_client_is_connected(b));
    must(dp_get_stats(b, &s));
    dp_client_destroy(o);
    dp_client_destroy(b);
    rig_connect(&r);
    unlink(path);
    rmdir(dir);
}
END_TEST

START_TEST(a_client_without_a_datapath_says_so)
{
    struct dp_client *c;
    struct dp_stats s;
    must(dp_client_connect("/nonexistent/dp.sock", NULL, NULL, &c));
    ck_assert(!dp_client_is_connected(c));
    struct error *e = dp_get_stats(c, &s);
    ck_assert_str_eq(error_text(e), "datapath not answering");
    error_free(e);
    dp_client_destroy(c);
}
END_TEST

TCase *restart_tcase(void)
{
    TCase *t = tcase_create("restart");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, flows_go_on_and_misses_wait_for_the_next_control_plane);
    tcase_add_test(t, misses_expire_after_two_seconds_while_somebody_should_answer);
    tcase_add_test(t, without_a_control_plane_nothing_expires);
    tcase_add_test(t, held_misses_are_announced_when_the_hold_ends);
    tcase_add_test(t, there_is_one_control_peer_and_it_is_replaced_when_it_is_dead);
    tcase_add_test(t, a_client_without_a_datapath_says_so);
    return t;
}
