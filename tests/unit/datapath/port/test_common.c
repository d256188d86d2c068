/* SPDX-License-Identifier: Apache-2.0 */
/* The common part of ports: types, counters, reinjection. */
#include <stdlib.h>

#include "datapath/port/rx_slots.h"
#include "lib/packet/headers.h"
#include "lib/sys/rcu.h"
#include "tests/unit/datapath/port/port_tests.h"

START_TEST(unknown_type_is_refused_with_the_list)
{
    char *text = make_port_fails(NULL, make_config("systm", "p1", NULL));
    ck_assert_msg(strstr(text, "\"p1\"") && strstr(text, "\"systm\"") && strstr(text, "dummy"), "%s", text);
    free(text);
}
END_TEST

START_TEST(types_are_listed)
{
    bool vxlan = false, internal = false;
    for (size_t i = 0; port_type_names(i); i++) {
        vxlan |= !strcmp(port_type_names(i), "vxlan");
        internal |= !strcmp(port_type_names(i), "internal");
        ck_assert(port_type_exists(port_type_names(i)));
    }
    ck_assert(vxlan && internal);
    ck_assert(!port_type_exists("systm"));
}
END_TEST

/* Which type a port really has, for each word of --enable-dummy. */
static const struct {
    const char *word, *type;
    bool is_dummy;
} overrides[] = {
    { NULL, "dummy", true },     { "system", "system", true }, { "override", "system", true },
    { "override", "internal", true }, { "override", "vxlan", true }, { "system", "null", false },
    { "override", "", true },
};

START_TEST(dummies_stand_in)
{
    struct port_env env = { .enable_system = false, .dummy_override = overrides[_i].word };
    struct port *port = make_port(&env, make_config(overrides[_i].type, "p1", NULL), 3);
    ck_assert_int_eq(port_is_dummy(port), overrides[_i].is_dummy);
    struct dp_port_state state;
    port_get_state(port, &state);
    ck_assert(state.attached && state.link_up);
    if (*overrides[_i].type) {
        ck_assert_str_eq(state.type, overrides[_i].type);
    }
    ck_assert_uint_eq(port_number(port), 3);
    port_destroy(port);
}
END_TEST

START_TEST(disable_system_refuses_devices)
{
    struct port_env env = { .enable_system = false };
    char *text = make_port_fails(&env, make_config("system", "eth0", NULL));
    ck_assert_msg(strstr(text, "--disable-system") != NULL, "%s", text);
    free(text);
}
END_TEST

START_TEST(reinjected_packets_come_back_in_order_and_are_bounded)
{
    struct port *port = make_port(NULL, make_config("dummy", "p1", NULL), 9);
    ck_assert_ptr_null(port_take_reinjected(0));
    for (uint32_t i = 0; i < PORT_MAX_REINJECTED + 3; i++) {
        struct packet *p = packet_from_bytes(NULL, &i, sizeof i);
        port_reinject(port, p, 0);
    }
    for (uint32_t i = 0; i < PORT_MAX_REINJECTED; i++) {
        struct packet *p = port_take_reinjected(0);
        uint32_t n;
        ck_assert(packet_read(p, 0, &n, sizeof n));
        ck_assert_uint_eq(n, i);
        ck_assert_uint_eq(p->in_port, 9);
        packet_free(p);
    }
    ck_assert_ptr_null(port_take_reinjected(0));
    struct port_counters c = counters_of(port);
    ck_assert_uint_eq(c.made, PORT_MAX_REINJECTED + 3);
    ck_assert_uint_eq(c.drops[DROP_NO_BUFFER], 3);
    port_destroy(port);
}
END_TEST

START_TEST(counters_of_all_workers_are_summed)
{
    struct port *port = make_port(NULL, make_config("dummy", "p1", NULL), 1);
    struct dp_port_stats stats;
    for (uint32_t w = 0; w < PORT_MAX_WORKERS; w++) {
        port_tx_sent(port, w, 100);
        port_tx_drop(port, w, DROP_TX_ERROR);
    }
    port_rx_drop(port, DROP_TRUNCATED, 2);
    port_get_stats(port, &stats);
    ck_assert_uint_eq(stats.tx_packets, PORT_MAX_WORKERS);
    ck_assert_uint_eq(stats.tx_bytes, PORT_MAX_WORKERS * 100);
    ck_assert_uint_eq(stats.tx_dropped, PORT_MAX_WORKERS);
    ck_assert_uint_eq(stats.tx_errors, PORT_MAX_WORKERS);
    ck_assert_uint_eq(stats.drops[DROP_TX_ERROR], PORT_MAX_WORKERS);
    ck_assert_uint_eq(stats.rx_packets, 2);
    ck_assert_uint_eq(stats.rx_dropped, 2);
    ck_assert_uint_eq(stats.rx_errors, 2);
    port_destroy(port);
}
END_TEST

/* What a pool that is short of something leaves of the slots, and that they are whole again afterwards. */
START_TEST(receive_slots_live_with_a_short_pool)
{
    struct packet_pool *pool = packet_pool_create(40, 36);
    struct packet *heads[40];
    struct packet_tail *tails[36];
    struct rx_slots *s = rx_slots_get(pool);
    ck_assert_uint_eq(s->n, BATCH_MAX);
    ck_assert_uint_eq(rx_slot_room(s, 31), PACKET_SPLIT + PACKET_TAIL_MAX);
    uint32_t n_heads = 0, n_tails = 0;
    while ((heads[n_heads] = packet_new(pool))) {
        n_heads++;
    }
    while ((tails[n_tails] = packet_tail_new(pool))) {
        n_tails++;
    }
    ck_assert_uint_eq(n_heads, 8);
    ck_assert_uint_eq(n_tails, 4);
    /* Two frames came, a short and a long one. */
    struct packet *a = rx_slot_take(s, 0, 100), *b = rx_slot_take(s, 1, 5000);
    ck_assert_uint_eq(packet_len(a), 100);
    ck_assert_uint_eq(packet_len(b), 5000);
    rx_slots_used(s, 2);
    ck_assert_ptr_null(rx_slots_get(pool));   /* Not even slot 0 can be made ready. */
    packet_free(heads[--n_heads]);
    packet_free(heads[--n_heads]);
    s = rx_slots_get(pool);
    ck_assert_uint_eq(s->n, BATCH_MAX);
    ck_assert_uint_eq(rx_slot_room(s, 0), PACKET_SPLIT + PACKET_TAIL_MAX);
    ck_assert_uint_eq(rx_slot_room(s, 1), PACKET_SPLIT);   /* Its tail is gone with 'b', and there is none. */
    packet_free(b);
    s = rx_slots_get(pool);
    ck_assert_uint_eq(rx_slot_room(s, 1), PACKET_SPLIT + PACKET_TAIL_MAX);
    packet_free(a);
    while (n_heads) {
        packet_free(heads[--n_heads]);
    }
    while (n_tails) {
        packet_tail_put(tails[--n_tails]);
    }
    port_release_buffers();
    ck_assert_uint_eq(packet_pool_in_use(pool), 0);
    packet_pool_destroy(pool);
}
END_TEST

TCase *common_tcase(void)
{
    TCase *t = tcase_create("common");
    tcase_add_checked_fixture(t, rcu_register_thread, rcu_unregister_thread);
    tcase_add_test(t, unknown_type_is_refused_with_the_list);
    tcase_add_test(t, types_are_listed);
    tcase_add_loop_test(t, dummies_stand_in, 0, ARRAY_SIZE(overrides));
    tcase_add_test(t, disable_system_refuses_devices);
    tcase_add_test(t, reinjected_packets_come_back_in_order_and_are_bounded);
    tcase_add_test(t, receive_slots_live_with_a_short_pool);
    tcase_add_test(t, counters_of_all_workers_are_summed);
    return t;
}
