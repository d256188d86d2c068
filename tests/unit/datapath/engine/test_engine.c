/* SPDX-License-Identifier: Apache-2.0 */
/* The engine as its control plane sees it: misses, flows, executions, copies, dumps, accounting. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/pending.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/packet/headers.h"
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

START_TEST(a_miss_is_asked_for_once_and_its_packets_leave_through_the_flow)
{
    struct dp_upcall u[8];
    rig_feed(&r, 1, 7, 20);
    rig_feed(&r, 1, 7, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 1);
    ck_assert_uint_eq(u[0].reason, UPCALL_MISS);
    ck_assert_uint_ne(u[0].id, 0);
    ck_assert_uint_eq(u[0].key.meta.in_port, r.port[1]);
    ck_assert_uint_eq(u[0].key.l4.src, htobe16(7));
    ck_assert_uint_eq(u[0].packet_len, 62);
    ck_assert_uint_eq(u[0].n_header, 62);
    uint8_t frame[128];
    make_frame(frame, 7, 20);
    ck_assert_mem_eq(frame, u[0].header, 62);
    ck_assert_uint_eq(rig_stats(&r).n_pending, 2);

    rig_put(&r, 1, &u[0].key, 2);
    ck_assert_uint_eq(rig_sent(&r, 2), 2);
    rig_feed(&r, 1, 7, 20);
    ck_assert_uint_eq(rig_sent(&r, 2), 3);
    ck_assert_uint_eq(rig_upcalls(&r, u, 8), 0);
    struct dp_flow_counters counters;
    dp_flow_get_counters(r.c, 1, &counters);
    ck_assert_uint_eq(counters.packets, 3);
    ck_assert_uint_eq(counters.bytes, 3 * 62);
    ck_assert_int_ne(counters.used_ms, 0);
    struct dp_stats s = rig_stats(&r);
    ck_assert_uint_eq(s.n_missed, 2);
    ck_assert_uint_eq(s.n_hit, 1);
    ck_assert_uint_eq(s.n_flows, 1);
    ck_assert_uint_eq(s.n_masks, 1);
}
END_TEST

START_TEST(a_key_keeps_four_packets)
{
    for (int i = 0; i < 6; i++) {
        rig_feed(&r, 1, 7, 20);
    }
    struct dp_stats s = rig_stats(&r);
    ck_assert_uint_eq(s.n_pending, PENDING_KEY_PACKETS);
    ck_assert_uint_eq(s.drops[DROP_PENDING_FULL], 2);
    struct dp_upcall u[2];
    ck_assert_uint_eq(rig_upcalls(&r, u, 2), 1);
    struct action_list a;
    action_list_init(&a);
    action_put_output(&a, r.port[3]);
    dp_execute(r.c, u[0].id, &u[0].key, NULL, 0, &a);
    action_list_fini(&a);
    ck_assert_uint_eq(rig_sent(&r, 3), 4);
    ck_assert_uint_eq(rig_stats(&r).n_pending, 0);
}
END_TEST

START_TEST(a_miss_can_be_dropped_under_a_reason)
{
    struct dp_upcall u[2];
    rig_feed(&r, 1, 7, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 2), 1);
    dp_upcall_drop(r.c, &u[0], DROP_FAIL_SECURE);
    ck_assert_uint_eq(rig_stats(&r).drops[DROP_FAIL_SECURE], 1);
    struct dp_port_stats ps;
    must(dp_port_get_stats(r.c, r.port[1], &ps));
    ck_assert_uint_eq(ps.drops[DROP_FAIL_SECURE], 1);
}
END_TEST

START_TEST(an_old_change_of_a_flow_is_ignored_and_a_deleted_one_misses_again)
{
    struct dp_upcall u[2];
    struct mask m;
    struct action_list a;
    rig_feed(&r, 1, 7, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 2), 1);
    flow_mask_exact(&m);
    action_list_init(&a);
    action_put_output(&a, r.port[2]);
    dp_flow_put(r.c, 1, 0, 5, &u[0].key, &m, &a);
    action_list_clear(&a);
    action_put_output(&a, r.port[3]);
    dp_flow_put(r.c, 1, 0, 4, &u[0].key, &m, &a);
    dp_flow_del(r.c, 1, 3);
    rig_feed(&r, 1, 7, 20);
    ck_assert_uint_eq(rig_sent(&r, 2), 2);
    dp_flow_put(r.c, 1, 0, 6, &u[0].key, &m, &a);      /* Other actions, counters kept. */
    rig_feed(&r, 1, 7, 20);
    ck_assert_uint_eq(rig_sent(&r, 3), 1);
    struct dp_flow_counters counters;
    dp_flow_get_counters(r.c, 0, &counters);
    ck_assert_uint_eq(counters.packets, 3);
    dp_flow_del(r.c, 1, 7);
    rig_feed(&r, 1, 7, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 2), 1);
    ck_assert_uint_eq(rig_stats(&r).n_flows, 0);
    ck_assert_uint_eq(rig_stats(&r).n_masks, 0);
    action_list_fini(&a);
}
END_TEST

static int last_errno;
static uint64_t last_failed;

static void note_failed(uint64_t id, int errno_value, void *arg)
{
    last_failed = id;
    last_errno = errno_value;
}

START_TEST(a_flow_that_cannot_be_put_is_told_and_its_packets_still_leave)
{
    struct dp_upcall u[2];
    struct dp_config config = { .n_workers = 1, .flow_limit = 1 };
    must(dp_configure(r.c, &config));
    dp_set_flow_failed(r.c, note_failed, NULL);
    rig_feed(&r, 1, 1, 20);
    rig_feed(&r, 1, 2, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 2), 2);
    rig_put(&r, 1, &u[0].key, 2);
    rig_put(&r, 2, &u[1].key, 2);
    ck_assert_uint_eq(rig_sent(&r, 2), 2);
    ck_assert_uint_eq(last_failed, 2);
    ck_assert_int_eq(last_errno, ENOSPC);
    ck_assert_uint_eq(rig_stats(&r).n_flows, 1);
}
END_TEST

START_TEST(a_mask_that_is_not_exact_on_the_guard_is_refused)
{
    struct dp_upcall u[1];
    struct mask m;
    struct action_list a;
    dp_set_flow_failed(r.c, note_failed, NULL);
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 1), 1);
    flow_mask_exact(&m);
    m.bits.tunnel.id = 0;
    action_list_init(&a);
    dp_flow_put(r.c, 9, 0, 1, &u[0].key, &m, &a);
    must(dp_sync(r.c));
    ck_assert_uint_eq(last_failed, 9);
    ck_assert_int_eq(last_errno, EINVAL);
    action_list_fini(&a);
}
END_TEST

static void count_frame(const void *frame, size_t n, void *sum)
{
    *(size_t *) sum += n;
}

START_TEST(copies_for_controllers_are_whole_when_they_are_fetched)
{
    struct dp_upcall u[4];
    struct mask m;
    struct action_list a;
    rig_feed(&r, 1, 1, 1000);
    ck_assert_uint_eq(rig_upcalls(&r, u, 4), 1);
    ck_assert_uint_eq(u[0].packet_len, 1042);
    ck_assert_uint_eq(u[0].n_header, DP_UPCALL_HEADER_BYTES);
    struct key key = u[0].key;
    flow_mask_exact(&m);
    action_list_init(&a);
    action_put_userspace(&a, UPCALL_CONTROLLER, UINT32_MAX, 0x1234);
    action_put_push_vlan(&a, htobe16(ETH_TYPE_VLAN), htobe16(VLAN_CFI | 5));
    action_put_userspace(&a, UPCALL_CONTROLLER, UINT32_MAX, 0x5678);
    action_put_output(&a, r.port[2]);
    dp_flow_put(r.c, 1, 0, 1, &key, &m, &a);
    ck_assert_uint_eq(rig_upcalls(&r, u, 4), 2);
    for (int i = 0; i < 2; i++) {
        size_t bytes = 0;
        ck_assert_uint_eq(u[i].reason, UPCALL_CONTROLLER);
        ck_assert_uint_eq(u[i].cookie, i ? 0x5678 : 0x1234);
        ck_assert_mem_eq(&u[i].key, &key, sizeof key);      /* As it was looked up. */
        must(dp_upcall_fetch(r.c, &u[i], count_frame, &bytes));
        ck_assert_uint_eq(bytes, i ? 1046 : 1042);
        dp_upcall_drop(r.c, &u[i], DROP_PACKET_IN);
        must(dp_sync(r.c));
        struct error *e = dp_upcall_fetch(r.c, &u[i], count_frame, &bytes);
        ck_assert_int_eq(error_code(e), ENOENT);
        error_free(e);
    }
    ck_assert_uint_eq(rig_sent(&r, 2), 1);
    ck_assert_uint_eq(rig_stats(&r).drops[DROP_PACKET_IN], 0);      /* The packet itself went on. */
    rig_feed(&r, 1, 1, 20);                                         /* Short: in the record. */
    ck_assert_uint_eq(rig_upcalls(&r, u, 4), 2);
    ck_assert_uint_eq(u[0].id, 0);
    ck_assert_uint_eq(u[0].n_header, 62);
    ck_assert_uint_eq(u[1].n_header, 66);
    action_list_fini(&a);
}
END_TEST

START_TEST(packet_outs_of_any_length_leave)
{
    static uint8_t frame[9000];
    struct action_list a;
    struct key key;
    memset(&key, 0, sizeof key);
    key.meta.in_port = DP_PORT_NONE;
    action_list_init(&a);
    action_put_output(&a, r.port[1]);
    action_put_output(&a, r.port[2]);
    dp_execute(r.c, 0, &key, frame, make_frame(frame, 1, 10), &a);
    dp_execute(r.c, 0, &key, frame, make_frame(frame, 1, 8000), &a);
    dp_execute(r.c, 0, &key, frame, 5, &a);
    action_list_fini(&a);
    ck_assert_uint_eq(rig_sent(&r, 1), 2);
    ck_assert_uint_eq(rig_sent(&r, 2), 2);
    struct dp_stats s = rig_stats(&r);
    ck_assert_uint_eq(s.drops[DROP_EXECUTE_ERROR], 1);
    ck_assert_uint_eq(s.made, 5);
}
END_TEST

START_TEST(a_flood_of_packet_outs_leaves_and_others_are_served)
{
    enum { N = 20000 };
    uint8_t frame[128];
    struct action_list a;
    struct key key;
    memset(&key, 0, sizeof key);
    action_list_init(&a);
    action_put_output(&a, r.port[2]);
    for (int i = 0; i < N; i++) {
        dp_execute(r.c, 0, &key, frame, make_frame(frame, i, 20), &a);
    }
    action_list_fini(&a);
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_sent(&r, 2), N);
    ck_assert_uint_eq(rig_stats(&r).n_pending, 1);
}
END_TEST

START_TEST(actions_that_no_message_holds_drop_what_waits)
{
    struct dp_upcall u[2];
    struct action_list a;
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 2), 1);
    action_list_init(&a);
    for (int i = 0; i < 2000; i++) {
        action_put_userspace(&a, UPCALL_ACTION, 100, i);
    }
    dp_execute(r.c, u[0].id, &u[0].key, NULL, 0, &a);
    ck_assert_uint_eq(rig_stats(&r).drops[DROP_TOO_MANY_ACTIONS], 1);
    action_list_fini(&a);
}
END_TEST

START_TEST(recirculation_ends)
{
    struct dp_upcall u[4];
    struct mask m;
    struct action_list a;
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 4), 1);
    flow_mask_exact(&m);
    action_list_init(&a);
    action_put_recirc(&a, 77);
    dp_flow_put(r.c, 1, 0, 1, &u[0].key, &m, &a);
    ck_assert_uint_eq(rig_upcalls(&r, u, 4), 1);
    ck_assert_uint_eq(u[0].key.meta.recirc_id, 77);
    rig_put(&r, 2, &u[0].key, 3);
    ck_assert_uint_eq(rig_sent(&r, 3), 1);
    dp_flow_put(r.c, 2, 2, 2, &u[0].key, &m, &a);      /* To itself. */
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_stats(&r).drops[DROP_RECIRC_LOOP], 1);
    action_list_fini(&a);
}
END_TEST

struct dump {
    uint32_t n;
    uint64_t ids;
};

static void note_flow(const struct dp_flow *f, void *d_)
{
    struct dump *d = d_;
    d->n++;
    d->ids += f->id;
    ck_assert_uint_eq(f->seq, 1);
    ck_assert_uint_eq(f->slot, f->id);
    ck_assert_uint_eq(f->key.l4.src, htobe16(f->id));
    ck_assert_uint_eq(f->actions.n, 1);
    ck_assert_uint_eq(f->actions.actions[0].port, f->id % 3 + 1);
    ck_assert_uint_eq(f->counters.packets, f->id == 5);
}

START_TEST(a_dump_of_many_messages_has_every_flow_once)
{
    struct key key;
    memset(&key, 0, sizeof key);
    key.meta.in_port = r.port[1];
    key.l2.type = htobe16(ETH_TYPE_IP4);
    key.l3.proto = IP_PROTO_UDP;
    key.l4.dst = htobe16(53);
    for (uint32_t i = 1; i <= 2000; i++) {
        key.l4.src = htobe16(i);
        rig_put(&r, i, &key, i % 3 + 1);
    }
    rig_feed(&r, 1, 5, 10);
    struct dump d = { 0 };
    must(dp_flow_dump(r.c, note_flow, &d));
    ck_assert_uint_eq(d.n, 2000);
    ck_assert_uint_eq(d.ids, 2000 * 2001 / 2);
    dp_flow_flush(r.c);
    ck_assert_uint_eq(rig_stats(&r).n_flows, 0);
}
END_TEST

START_TEST(ports_come_and_go)
{
    struct dp_port_config c, *configs;
    struct dp_port_state state, *states;
    struct dp_upcall u[2];
    size_t n;
    uint32_t number;
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_upcalls(&r, u, 2), 1);
    rig_put(&r, 1, &u[0].key, 2);
    must(dp_port_del(r.c, r.port[2]));
    rig_feed(&r, 1, 1, 20);
    ck_assert_uint_eq(rig_stats(&r).drops[DROP_PORT_GONE], 1);
    ck_assert_uint_eq(rig_stats(&r).sent, 1);      /* What the gone port counted is kept. */
    dp_port_config_init(&c);
    c.name = xstrdup("p1");
    c.type = xstrdup("dummy");
    smap_set(&c.options, "x", "y");
    struct error *e = dp_port_add(r.c, &c, &number);
    ck_assert_int_eq(error_code(e), EEXIST);
    error_free(e);
    free(c.name);
    c.name = xstrdup("p9");
    c.port_no = r.port[3];
    e = dp_port_add(r.c, &c, &number);
    ck_assert_int_eq(error_code(e), EBUSY);
    error_free(e);
    c.port_no = 4711;
    must(dp_port_add(r.c, &c, &number));
    ck_assert_uint_eq(number, 4711);
    must(dp_port_get(r.c, 4711, &state));
    ck_assert_str_eq(state.name, "p9");
    ck_assert(state.attached);
    must(dp_port_dump(r.c, &states, &configs, &n));
    ck_assert_uint_eq(n, 3);
    ck_assert_uint_eq(states[2].port_no, 4711);
    ck_assert(dp_port_config_equal(&configs[2], &c));
    for (size_t i = 0; i < n; i++) {
        dp_port_config_fini(&configs[i]);
    }
    free(configs);
    free(states);
    e = dp_port_del(r.c, 12);
    ck_assert_int_eq(error_code(e), ENODEV);
    error_free(e);
    free(c.type);
    c.type = xstrdup("nonsense");
    free(c.name);
    c.name = xstrdup("p10");
    c.port_no = DP_PORT_NONE;
    e = dp_port_add(r.c, &c, &number);
    ck_assert(strstr(error_text(e), "nonsense"));
    error_free(e);
    dp_port_config_fini(&c);
}
END_TEST

START_TEST(the_number_of_workers_changes_under_traffic)
{
    struct dp_upcall u[4];
    static const uint32_t numbers[] = { 3, 2, 5, 1, 4 };
    uint64_t sent = 0;
    for (unsigned p = 1; p <= 3; p++) {
        rig_feed(&r, p, p, 20);
    }
    ck_assert_uint_eq(rig_upcalls(&r, u, 4), 3);
    for (unsigned i = 0; i < 3; i++) {
        rig_put(&r, i + 1, &u[i].key, 1);
    }
    sent += 3;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct dp_config config = { .n_workers = numbers[i], .cpu_mask = i & 1 };
        must(dp_configure(r.c, &config));
        for (unsigned p = 1; p <= 3; p++) {
            rig_feed(&r, p, p, 20);
            sent++;
        }
        ck_assert_uint_eq(rig_sent(&r, 1), sent);
        rig_feed(&r, 2, 1000 + i, 20);      /* Waits in a worker that may go. */
        rig_check_balance(&r);
    }
    struct dp_config bad = { .n_workers = 65 };
    struct error *e = dp_configure(r.c, &bad);
    ck_assert_int_eq(error_code(e), EINVAL);
    error_free(e);
}
END_TEST

/* Random lists of every kind of action. */
static void random_actions(struct action_list *a, int depth)
{
    int n = random_range(6);
    for (int i = 0; i < n; i++) {
        switch (random_range(10)) {
        case 0: case 1: case 2:
            action_put_output(a, 1 + random_range(4));
            break;
        case 3:
            action_put_push_vlan(a, htobe16(ETH_TYPE_VLAN), htobe16(VLAN_CFI | random_range(4096)));
            break;
        case 4:
            action_put_pop_vlan(a);
            break;
        case 5:
            if (depth < 3) {
                uint32_t begin = action_begin_clone(a);
                random_actions(a, depth + 1);
                action_end_clone(a, begin);
            }
            break;
        case 6:
            action_put_userspace(a, UPCALL_ACTION, UINT32_MAX, 1);
            break;
        case 7:
            action_put_truncate(a, 20 + random_range(200));
            break;
        case 8: {
            struct key value, mask;
            memset(&value, 0x5a, sizeof value);
            memset(&mask, 0, sizeof mask);
            mask.l3.ip4_src = UINT32_MAX;
            mask.l3.tos = 0xfc;
            action_put_set(a, KEY_L3, &value.l3, &mask.l3);
            break;
        }
        default:
            action_put_recirc(a, 1 + random_range(3));
            break;
        }
    }
    if (!depth && !random_range(4)) {
        action_put_drop(a, DROP_NO_MATCH);
    }
}

START_TEST(whatever_happens_every_packet_is_accounted_for)
{
    static struct dp_upcall u[2048];
    struct mask m;
    uint64_t id = 1;
    flow_mask_exact(&m);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 20; i++) {
            rig_feed(&r, 1 + random_range(3), random_range(40), random_range(2) ? 10 : 3000);
        }
        size_t n = rig_upcalls(&r, u, ARRAY_SIZE(u));
        for (size_t i = 0; i < n; i++) {
            struct action_list a;
            action_list_init(&a);
            random_actions(&a, 0);
            switch (random_range(4)) {
            case 0:
                dp_execute(r.c, u[i].id, &u[i].key, u[i].header, u[i].n_header, &a);
                break;
            case 1:
                dp_upcall_drop(r.c, &u[i], DROP_FAIL_SECURE);
                break;
            case 2:
                break;      /* Never answered. */
            default:
                dp_flow_put(r.c, id, id % 1000, 1, &u[i].key, &m, &a);
                id++;
            }
            action_list_fini(&a);
        }
        if (!random_range(4)) {
            dp_flow_flush(r.c);
        }
        rig_check_balance(&r);
    }
    struct dp_stats s = rig_stats(&r);
    ck_assert_uint_gt(s.made, 100);
    ck_assert_uint_gt(s.consumed, 20);
    ck_assert_uint_gt(s.sent, 100);
}
END_TEST

TCase *engine_tcase(void)
{
    TCase *t = tcase_create("engine");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_miss_is_asked_for_once_and_its_packets_leave_through_the_flow);
    tcase_add_test(t, a_key_keeps_four_packets);
    tcase_add_test(t, a_miss_can_be_dropped_under_a_reason);
    tcase_add_test(t, an_old_change_of_a_flow_is_ignored_and_a_deleted_one_misses_again);
    tcase_add_test(t, a_flow_that_cannot_be_put_is_told_and_its_packets_still_leave);
    tcase_add_test(t, a_mask_that_is_not_exact_on_the_guard_is_refused);
    tcase_add_test(t, copies_for_controllers_are_whole_when_they_are_fetched);
    tcase_add_test(t, packet_outs_of_any_length_leave);
    tcase_add_test(t, a_flood_of_packet_outs_leaves_and_others_are_served);
    tcase_add_test(t, actions_that_no_message_holds_drop_what_waits);
    tcase_add_test(t, recirculation_ends);
    tcase_add_test(t, a_dump_of_many_messages_has_every_flow_once);
    tcase_add_test(t, ports_come_and_go);
    tcase_add_test(t, the_number_of_workers_changes_under_traffic);
    tcase_add_test(t, whatever_happens_every_packet_is_accounted_for);
    return t;
}
