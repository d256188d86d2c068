/* SPDX-License-Identifier: Apache-2.0 */
/* The message protocol: round trips of everything, and refusals. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/ring.h"
#include "datapath/wire.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/flow/fields.h"
#include "tests/unit/datapath/engine/engine_tests.h"

static void random_key(struct key *key, unsigned one_in)
{
    memset(key, 0, sizeof *key);
    for (size_t i = 0; i < KEY_N_MEMBERS; i++) {
        if (!random_range(one_in)) {
            random_secure((uint8_t *) key + key_members[i].ofs, key_members[i].size);
        }
    }
}

START_TEST(keys_come_through)
{
    for (int i = 0; i < 2000; i++) {
        struct key a, b;
        uint8_t bytes[1024];
        random_key(&a, 1 + i % 10);
        size_t n = wire_key_encode(&a, bytes, sizeof bytes);
        must(wire_key_decode(bytes, n, &b));
        ck_assert_mem_eq(&a, &b, sizeof a);
        ck_assert_uint_eq(wire_key_encode(&a, bytes, n ? n - 1 : 0), n ? SIZE_MAX : 0);
    }
}
END_TEST

START_TEST(the_fullest_key_fits_a_record)
{
    struct key key;
    struct ring_record record;
    memset(&key, 0xff, sizeof key);
    ck_assert_uint_ne(wire_key_encode(&key, record.bytes, sizeof record.bytes), SIZE_MAX);
}
END_TEST

START_TEST(bad_keys_are_refused)
{
    static const struct { const char *sentence; uint8_t bytes[16]; size_t n; int code; } rows[] = {
        { "an unknown member", { 200, 1, 0 }, 3, EOPNOTSUPP },
        { "a wrong length", { 18, 3, 1, 2, 3 }, 5, EINVAL },
        { "cut off", { 18, 2, 1 }, 3, EINVAL },
        { "half a header", { 18 }, 1, EINVAL },
        { "twice", { 18, 2, 1, 2, 18, 2, 1, 2 }, 8, EINVAL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct key key;
        struct error *e = wire_key_decode(rows[i].bytes, rows[i].n, &key);
        ck_assert_msg(error_code(e) == rows[i].code, "%s", rows[i].sentence);
        error_free(e);
    }
}
END_TEST

static void every_action(struct action_list *a)
{
    struct key value, mask;
    struct tunnel_key tunnel = { .id = htobe64(77), .ip4_dst = htobe32(0x01020304), .flags = TUNNEL_KEY | TUNNEL_DF };
    random_key(&value, 1);
    memset(&mask, 0, sizeof mask);
    mask.l3.ip4_src = htobe32(0xffff);
    mask.l3.tos = 3;
    mask.l4.dst = 0xffff;
    action_put_output(a, 5);
    action_put_userspace(a, UPCALL_PROTOCOL, 100, UINT64_MAX);
    action_put_set(a, KEY_L3, &value.l3, &mask.l3);
    action_put_set(a, KEY_L4, &value.l4, &mask.l4);
    action_put_push_vlan(a, htobe16(0x88a8), htobe16(0xffff));
    action_put_pop_vlan(a);
    action_put_tunnel(a, &tunnel);
    action_put_truncate(a, 99);
    uint32_t outer = action_begin_clone(a);
    action_put_output(a, 6);
    uint32_t inner = action_begin_clone(a);
    action_put_drop(a, DROP_TTL);
    action_end_clone(a, inner);
    action_end_clone(a, outer);
    action_put_meta(a, 1, 2, true, 3);
    action_put_hash(a, 9, 1);
    action_put_recirc(a, 11);
    action_put_drop(a, DROP_ACTION);
}

START_TEST(flows_with_every_action_come_through)
{
    struct dp_flow f = { .id = UINT64_MAX, .seq = 7, .slot = 1000, .counters = { 1, 2, 3, 0x12 } }, g;
    struct buffer b = BUFFER_INIT;
    struct wire_message m;
    random_key(&f.key, 2);
    random_key(&f.mask.bits, 2);
    mask_seal(&f.mask);
    action_list_init(&f.actions);
    every_action(&f.actions);
    wire_begin(&b, WIRE_ANSWER, 42);
    wire_put_flow(&b, &f);
    must(wire_parse(b.data, b.len, false, &m));
    ck_assert_uint_eq(m.xid, 42);
    must(wire_get_flow(m.attrs.p[ATTR_FLOW], m.attrs.n[ATTR_FLOW], &g));
    ck_assert_uint_eq(g.id, f.id);
    ck_assert_uint_eq(g.seq, f.seq);
    ck_assert_uint_eq(g.slot, f.slot);
    ck_assert_mem_eq(&g.key, &f.key, sizeof f.key);
    ck_assert(mask_equal(&g.mask, &f.mask));
    ck_assert_uint_eq(g.counters.bytes, 2);
    ck_assert_uint_eq(g.counters.tcp_flags, 0x12);
    ck_assert_uint_eq(g.actions.n, f.actions.n);
    struct buffer again = BUFFER_INIT, first = BUFFER_INIT;
    wire_put_actions(&first, &f.actions);
    wire_put_actions(&again, &g.actions);
    ck_assert_uint_eq(first.len, again.len);
    ck_assert_mem_eq(first.data, again.data, first.len);
    action_list_fini(&f.actions);
    action_list_fini(&g.actions);
    buffer_fini(&first);
    buffer_fini(&again);
    buffer_fini(&b);
}
END_TEST

START_TEST(ports_come_through)
{
    struct dp_port_config c, d;
    struct dp_port_state s = { .port_no = 9, .name = "eth0", .type = "system", .attached = true, .error = "",
                               .link_up = true, .ifindex = 3, .mtu = 1500, .link_resets = 4, .link_speed_bps = -1,
                               .mac = { { 1, 2, 3, 4, 5, 6 } }, .driver = "veth" }, t;
    struct buffer b = BUFFER_INIT;
    struct wire_message m;
    dp_port_config_init(&c);
    c.name = xstrdup("eth0");
    c.type = xstrdup("system");
    c.port_no = 9;
    c.mtu = 1400;
    c.admin_up = 0;
    c.worker = 2;
    c.mac = (struct eth_addr) { { 2, 2, 2, 2, 2, 2 } };
    smap_set(&c.options, "n_rxq", "2");
    smap_set(&c.options, "empty", "");
    wire_begin(&b, WIRE_ANSWER, 1);
    wire_put_port(&b, &c, &s);
    must(wire_parse(b.data, b.len, false, &m));
    must(wire_get_port(m.attrs.p[ATTR_PORT], m.attrs.n[ATTR_PORT], &d, &t));
    ck_assert(dp_port_config_equal(&c, &d));
    ck_assert_str_eq(t.name, "eth0");
    ck_assert_int_eq(t.link_speed_bps, -1);
    ck_assert(t.attached && t.link_up && !t.admin_up && !t.full_duplex);
    ck_assert_uint_eq(t.link_resets, 4);
    ck_assert(eth_addr_equal(t.mac, s.mac));
    ck_assert_str_eq(t.driver, "veth");
    dp_port_config_fini(&c);
    dp_port_config_fini(&d);
    buffer_fini(&b);
}
END_TEST

START_TEST(counters_come_through)
{
    struct dp_stats s, t;
    struct dp_port_stats ps, pt;
    struct dp_upcall_stats us = { 1, 2, 3, 4, 5 }, ut;
    struct buffer b = BUFFER_INIT;
    struct wire_message m;
    random_secure(&s, sizeof s);
    random_secure(&ps, sizeof ps);
    wire_begin(&b, WIRE_ANSWER, 1);
    wire_put_stats(&b, &s);
    must(wire_parse(b.data, b.len, false, &m));
    must(wire_get_stats(&m.attrs, &t));
    ck_assert_mem_eq(&s.drops, &t.drops, sizeof s.drops);
    ck_assert(s.n_hit == t.n_hit && s.n_flows == t.n_flows && s.n_ports == t.n_ports && s.consumed == t.consumed);
    wire_begin(&b, WIRE_ANSWER, 1);
    wire_put_port_stats(&b, &ps);
    must(wire_parse(b.data, b.len, false, &m));
    must(wire_get_port_stats(&m.attrs, &pt));
    ck_assert_mem_eq(&ps, &pt, sizeof ps);
    wire_begin(&b, WIRE_ANSWER, 1);
    wire_put_upcall_stats(&b, &us);
    must(wire_parse(b.data, b.len, false, &m));
    must(wire_get_upcall_stats(&m.attrs, &ut));
    ck_assert_mem_eq(&us, &ut, offsetof(struct dp_upcall_stats, n_waiting) + 4);
    buffer_fini(&b);
}
END_TEST

static void refuse(const struct buffer *b, bool from_control, const char *text)
{
    struct wire_message m;
    struct error *e = wire_parse(b->data, b->len, from_control, &m);
    ck_assert_msg(e && strstr(error_text(e), text), "\"%s\" instead of \"%s\"", e ? error_text(e) : "no error", text);
    error_free(e);
}

START_TEST(bad_messages_are_refused_by_name)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, 200, 1);
    refuse(&b, true, "message type 200");
    wire_begin(&b, WIRE_PORT_DEL, 1);
    refuse(&b, true, "port-no is missing");
    wire_put_u32(&b, ATTR_PORT_NO, 1);
    refuse(&b, false, "wrong side");
    wire_put_u32(&b, ATTR_PORT_NO, 1);
    refuse(&b, true, "port-no: twice");
    wire_begin(&b, WIRE_PORT_DEL, 1);
    wire_put_u16(&b, ATTR_PORT_NO, 1);
    refuse(&b, true, "port-no: 2 bytes");
    wire_begin(&b, WIRE_PORT_DEL, 1);
    wire_put_u32(&b, ATTR_PORT_NO, 1);
    wire_put_u32(&b, ATTR_MTU, 1);
    refuse(&b, true, "mtu does not belong");
    wire_begin(&b, WIRE_SYNC, 1);
    wire_put_u32(&b, 95, 1);
    refuse(&b, true, "attribute 95");
    wire_begin(&b, WIRE_SYNC, 1);
    buffer_put_be32(&b, 0x00010005);
    refuse(&b, true, "cut off");
    b.len = 7;
    refuse(&b, true, "header");
    buffer_fini(&b);
}
END_TEST

START_TEST(bad_actions_are_refused)
{
    static const struct { const char *sentence; uint8_t bytes[24]; size_t n; } rows[] = {
        { "unknown", { 0, 99, 0, 0 }, 4 },
        { "output without a port", { 0, ACTION_OUTPUT, 0, 2, 0, 1 }, 6 },
        { "output with too much", { 0, ACTION_OUTPUT, 0, 5, 0, 0, 0, 1, 2 }, 9 },
        { "longer than there is", { 0, ACTION_OUTPUT, 0, 9, 0, 0, 0, 1 }, 8 },
        { "an empty set", { 0, ACTION_SET_MASKED, 0, 0 }, 4 },
        { "set of nothing of tos", { 0, ACTION_SET_MASKED, 0, 4, 38, 1, 7, 0 }, 8 },
        { "set of in_port", { 0, ACTION_SET_MASKED, 0, 10, 1, 4, 1, 1, 1, 1, 2, 2, 2, 2 }, 14 },
        { "an unknown drop reason", { 0, ACTION_DROP, 0, 4, 0, 0, 9, 9 }, 8 },
        { "an unknown upcall reason", { 0, ACTION_USERSPACE, 0, 16, 0, 0, 0, 9 }, 20 },
        { "a miss by an action", { 0, ACTION_USERSPACE, 0, 16, 0, 0, 0, UPCALL_MISS }, 20 },
        { "a tag that is none", { 0, ACTION_PUSH_VLAN, 0, 4, 0x81, 0, 0, 1 }, 8 },
        { "a tunnel with an L2 member", { 0, ACTION_SET_TUNNEL, 0, 4, 18, 2, 8, 0 }, 8 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct wire_attrs a = { .p[ATTR_ACTION_LIST] = rows[i].bytes, .n[ATTR_ACTION_LIST] = rows[i].n };
        struct action_list list;
        action_list_init(&list);
        struct error *e = wire_get_actions(&a, &list);
        ck_assert_msg(e != NULL, "%s", rows[i].sentence);
        error_free(e);
        action_list_fini(&list);
    }
}
END_TEST

TCase *wire_tcase(void)
{
    TCase *t = tcase_create("wire");
    tcase_add_test(t, keys_come_through);
    tcase_add_test(t, the_fullest_key_fits_a_record);
    tcase_add_test(t, bad_keys_are_refused);
    tcase_add_test(t, flows_with_every_action_come_through);
    tcase_add_test(t, ports_come_through);
    tcase_add_test(t, counters_come_through);
    tcase_add_test(t, bad_messages_are_refused_by_name);
    tcase_add_test(t, bad_actions_are_refused);
    return t;
}
