/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of datapath actions. */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/flow/action.h"
#include "lib/packet/headers.h"
#include "spec/drops.h"
#include "tests/unit/lib/flow/flow_tests.h"

static void check_text(const struct action_list *l, const char *want)
{
    struct text t = TEXT_INIT;
    action_list_format(l, NULL, NULL, &t);
    ck_assert_str_eq(text_str(&t), want);
    text_fini(&t);
    struct error *e = action_list_check(l);
    ck_assert_msg(!e, "%s: %s", want, e ? error_text(e) : "");
}

/* A set of the members of a block that the text names. */
static void put_set(struct action_list *l, enum key_block block, const char *members)
{
    struct key key;
    struct mask mask;
    ck_assert_ptr_null(key_parse(members, &key, &mask));
    action_put_set(l, block, key.words[block], mask.bits.words[block]);
}

START_TEST(texts)
{
    struct action_list l;
    action_list_init(&l);
    check_text(&l, "drop");
    action_put_output(&l, 3);
    check_text(&l, "3");
    action_list_clear(&l);

    put_set(&l, KEY_L2, "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02/ff:ff:ff:00:00:00)");
    put_set(&l, KEY_L3, "ipv4(src=10.0.0.1,tos=0x10/0xfc,ttl=5)");
    put_set(&l, KEY_L3, "ipv6(dst=::1,hlimit=5)");
    put_set(&l, KEY_L3, "arp(op=2,sha=02:00:00:00:00:01)");
    put_set(&l, KEY_L4, "tcp(dst=80)");
    put_set(&l, KEY_L4, "nd(target=fe80::1)");
    check_text(&l, "set(eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:00/ff:ff:ff:00:00:00)),set(ipv4(src=10.0.0.1,tos=0x10/0xfc,ttl=5)),"
                   "set(ipv6(dst=::1,hlimit=5)),set(arp(op=2,sha=02:00:00:00:00:01)),set(tp(dst=80)),set(nd(target=fe80::1))");
    action_list_clear(&l);

    struct tunnel_key tunnel = { .ip4_dst = htobe32(0xc0000202), .id = htobe64(4097), .ttl = 64, .tp_dst = htobe16(4789),
                                 .flags = TUNNEL_KEY | TUNNEL_DF };
    action_put_push_vlan(&l, htobe16(0x8100), htobe16(5));
    action_put_push_vlan(&l, htobe16(0x88a8), htobe16(0xe006));
    action_put_pop_vlan(&l);
    action_put_tunnel(&l, &tunnel);
    action_put_truncate(&l, 100);
    action_put_output(&l, 4);
    action_put_meta(&l, 5, UINT32_MAX, false, 0);
    action_put_meta(&l, 5, 7, true, 9);
    action_put_userspace(&l, UPCALL_CONTROLLER, 128, 0xabc);
    action_put_hash(&l, 1, 0);
    action_put_recirc(&l, 7);
    check_text(&l, "push_vlan(vid=5,pcp=0),push_vlan(tpid=0x88a8,vid=6,pcp=7),pop_vlan,"
                   "set(tunnel(tun_id=0x1001,dst=192.0.2.2,ttl=64,tp_dst=4789,flags(df|key))),trunc(100),4,set(skb_mark(0x5)),"
                   "set(skb_mark(0x5/0x7)),set(skb_priority(0x9)),userspace(pid=0,controller(max_len=128,cookie=0xabc)),hash(hash_l4(1)),recirc(0x7)");
    action_list_clear(&l);

    uint32_t outer = action_begin_clone(&l);
    action_put_output(&l, 1);
    uint32_t inner = action_begin_clone(&l);
    action_put_pop_vlan(&l);
    action_put_drop(&l, 0);
    action_end_clone(&l, inner);
    action_end_clone(&l, outer);
    uint32_t empty = action_begin_clone(&l);
    action_end_clone(&l, empty);
    action_put_output(&l, 2);
    char want[100];
    snprintf(want, sizeof want, "clone(1,clone(pop_vlan,drop(%s))),clone(),2", drop_name(0));
    check_text(&l, want);
    action_list_fini(&l);
}
END_TEST

START_TEST(texts_of_a_flow)
{
    static const struct { const char *flow, *want; } rows[] = {
        { "eth_type(0x0800),ipv4(proto=6)", "set(tcp(dst=80))" }, { "eth_type(0x86dd),ipv6(proto=17)", "set(udp(dst=80))" },
        { "eth_type(0x0800),ipv4(proto=132)", "set(sctp(dst=80))" }, { "eth_type(0x0800),ipv4(proto=1)", "set(icmp(code=80))" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct action_list l;
        struct key key;
        struct mask mask;
        struct text t = TEXT_INIT;
        action_list_init(&l);
        ck_assert_ptr_null(key_parse(rows[i].flow, &key, &mask));
        put_set(&l, KEY_L4, "tcp(dst=80)");
        action_list_format_for(&l, &key, NULL, NULL, &t);
        ck_assert_str_eq(text_str(&t), rows[i].want);
        text_fini(&t);
        action_list_fini(&l);
    }
}
END_TEST

START_TEST(copies)
{
    struct action_list a, b;
    struct tunnel_key tunnel = { .id = 5 };
    action_list_init(&a);
    action_put_tunnel(&a, &tunnel);
    put_set(&a, KEY_L4, "udp(src=1)");
    action_put_output(&a, 1);
    action_list_clone(&b, &a);
    ck_assert(action_list_equal(&a, &b));
    action_put_output(&b, 2);
    ck_assert(!action_list_equal(&a, &b));
    action_list_fini(&b);
    action_list_clone(&b, &a);
    b.tunnels[0].id = 6;
    ck_assert(!action_list_equal(&a, &b));
    b.tunnels[0].id = 5;
    ck_assert(action_list_equal(&a, &b));
    b.sets[0].value[0]++;
    ck_assert(!action_list_equal(&a, &b));
    action_list_fini(&a);
    action_list_fini(&b);
    action_list_clone(&b, &a);   /* Of nothing. */
    ck_assert(action_list_equal(&a, &b));
}
END_TEST

static void refuse(struct action_list *l, const char *says)
{
    struct error *e = action_list_check(l);
    ck_assert_msg(e != NULL, "accepted, and should say \"%s\"", says);
    ck_assert_msg(strstr(error_text(e), says), "\"%s\" does not say \"%s\"", error_text(e), says);
    error_free(e);
    action_list_clear(l);
}

START_TEST(bad_lists)
{
    struct action_list l;
    action_list_init(&l);
    action_put_output(&l, 1);
    l.actions[0].type = 99;
    refuse(&l, "type 99 is unknown");
    action_put_output(&l, UINT32_MAX);
    refuse(&l, "no port");
    action_put_output(&l, 1);
    l.actions[0].n_nested = 1;
    refuse(&l, "cannot hold others");
    action_begin_clone(&l);
    l.actions[0].n_nested = 1;
    refuse(&l, "only 0 are there");
    uint32_t outer = action_begin_clone(&l);
    uint32_t inner = action_begin_clone(&l);
    action_put_output(&l, 1);
    action_put_output(&l, 2);
    action_end_clone(&l, inner);
    action_end_clone(&l, outer);
    l.actions[outer].n_nested = 2;   /* The inner one reaches out of the outer one. */
    refuse(&l, "only 1 are there");
    for (int i = 0; i < 40; i++) {
        action_begin_clone(&l);
    }
    for (int i = 0; i < 40; i++) {
        action_end_clone(&l, i);
    }
    refuse(&l, "nested deeper");
    action_put_drop(&l, 0);
    action_put_output(&l, 1);
    refuse(&l, "something follows");
    action_put_drop(&l, DROP_N);
    refuse(&l, "drop: reason");
    put_set(&l, KEY_L2, "eth_type(0x0800)");
    refuse(&l, "only addresses and MPLS labels");
    put_set(&l, KEY_L2, "vlan(vid=5)");
    refuse(&l, "only addresses and MPLS labels");
    put_set(&l, KEY_L3, "ipv4(frag=no)");
    refuse(&l, "fragment cannot be set");
    put_set(&l, KEY_L4, "tcp_flags(syn)");
    refuse(&l, "TCP flags cannot be set");
    put_set(&l, KEY_CT, "ct_mark(5)");
    refuse(&l, "cannot be set");
    put_set(&l, KEY_L4, "udp(src=1)");
    l.actions[0].set.index = 1;
    refuse(&l, "index 1");
    put_set(&l, KEY_L4, "udp(src=1)");
    l.sets[0].value[3] = 1;
    refuse(&l, "bits that its mask has not");
    action_put_push_vlan(&l, htobe16(0x9100), 0);
    refuse(&l, "neither 0x8100 nor 0x88a8");
    action_put_push_vlan(&l, htobe16(0x8100), 0);
    l.actions[0].vlan.tci = 0;
    refuse(&l, "bit 12");
    action_put_tunnel(&l, &(struct tunnel_key) { 0 });
    l.actions[0].index = 7;
    refuse(&l, "index 7");
    action_put_truncate(&l, 13);
    refuse(&l, "13 bytes");
    action_put_userspace(&l, UPCALL_SAMPLE + 1, 0, 0);
    refuse(&l, "userspace: reason");
    for (int i = 0; i < 10000; i++) {
        action_put_output(&l, 1);
    }
    refuse(&l, "at most");
    action_list_fini(&l);
}
END_TEST

TCase *action_tcase(void)
{
    TCase *tc = tcase_create("action");
    tcase_add_test(tc, texts);
    tcase_add_test(tc, texts_of_a_flow);
    tcase_add_test(tc, copies);
    tcase_add_test(tc, bad_lists);
    return tc;
}
