/* SPDX-License-Identifier: Apache-2.0 */
/* Where packets come in, what configuration does to them, packet-outs, and effects.
 *
 *      br0: p1, p2 (dp 1, 2), vx (key 5 from 10.0.0.2, carrier dp 200), patch 10 --- br1: patch 20, q1 (dp 11) */
#include "lib/base/parse.h"
#include "lib/packet/headers.h"
#include "tests/unit/ofproto/lab.h"
#include "tests/unit/ofproto/ofproto_tests.h"

#define ETH "dl_src=02:00:00:00:00:0a,dl_dst=02:00:00:00:00:0b"

static struct lab *l;
static struct xlate_out out;

static void setup(void)
{
    l = lab_create();
    xlate_out_init(&out);
    lab_port(l, "br0", "p1", 1, 1);
    lab_port(l, "br0", "p2", 2, 2);
    struct view_tunnel *t = &lab_tunnel(l, "br0", "vx", 5, 200)->tunnel;
    t->has_key = true;
    t->key = 5;
    parse_ip("10.0.0.2", &t->remote);
    lab_port(l, "br1", "q1", 1, 11);
    lab_patch(l, "br0", "to-br1", 10, "br1", "to-br0", 20);
}

static void teardown(void)
{
    xlate_out_fini(&out);
    lab_destroy(l);
}

static const char *actions_of(const struct xlate_out *o)
{
    static char s[1000];
    struct text t = TEXT_INIT;
    action_list_format(&o->actions, NULL, NULL, &t);
    snprintf(s, sizeof s, "%s", text_str(&t));
    text_fini(&t);
    return s;
}

static const char *translate(const char *packet)
{
    struct key key;
    lab_key(l, "br0", packet, &key);
    lab_xlate(l, &key, NULL, &out);
    return actions_of(&out);
}

static const char *packet_out(ofp_port in_port, const char *actions)
{
    struct key key;
    struct buffer b = BUFFER_INIT;
    lab_key(l, "br0", ETH, &key);
    ck_assert(!ofacts_parse(actions, NULL, OFP13, false, &b));
    struct ofact_list list = ofact_list_of(&b);
    rcu_read_lock();
    struct xlate_in in = { .view = l->view, .version = changes_version(l->changes), .key = &key, .actions = &list,
                           .bridge = lab_bridge(l, "br0"), .of_in_port = in_port };
    xlate(&in, &out);
    rcu_read_unlock();
    buffer_fini(&b);
    return actions_of(&out);
}

static const struct effect *effect(enum effect_kind kind, unsigned n)
{
    for (size_t i = 0; i < out.n_effects; i++) {
        if (out.effects[i].kind == kind && !n--) {
            return &out.effects[i];
        }
    }
    return NULL;
}

static bool depends_on(dep_t d)
{
    for (size_t i = 0; i < out.deps.n; i++) {
        if (out.deps.deps[i] == d) {
            return true;
        }
    }
    return false;
}

START_TEST(test_tunnel_in)
{
    lab_rules(l, "br0", "in_port=5,tun_id=5,actions=output:1\npriority=1,actions=output:2");
    struct key key;
    lab_key(l, "br0", ETH, &key);
    key.meta.in_port = 200;
    key.tunnel = (struct tunnel_key) { .id = htobe64(5), .ip4_src = htobe32(0x0a000002), .ip4_dst = htobe32(0x0a000001),
                                       .tp_src = 99, .flags = TUNNEL_KEY };
    lab_xlate(l, &key, NULL, &out);
    ck_assert_str_eq(actions_of(&out), "1");
    ck_assert(depends_on(dep_make(DEP_TUNNEL, 0, 0, 0)));
    ck_assert(depends_on(dep_make(DEP_DP_PORT, 0, 0, 200)));
    ck_assert_msg(out.mask.bits.tunnel.id == UINT64_MAX && out.mask.bits.tunnel.ip4_src == UINT32_MAX, "exact where it came from");
    ck_assert_msg(!out.mask.bits.tunnel.tp_src && !out.mask.bits.tunnel.ttl, "and in nothing else");
    ck_assert_ptr_eq(out.ingress_port, lab_find(l, "br0", "vx"));
    ck_assert_ptr_eq(effect(EFFECT_PORT_RX, 0)->port, lab_find(l, "br0", "vx")->credit);

    key.tunnel.id = htobe64(6);
    lab_xlate(l, &key, NULL, &out);
    ck_assert_str_eq(actions_of(&out), "drop(tunnel-unknown-key)");
    key.tunnel.ip4_src = htobe32(0x0a000003);
    lab_xlate(l, &key, NULL, &out);
    ck_assert_str_eq(actions_of(&out), "drop(tunnel-unknown-remote)");
    ck_assert(depends_on(dep_make(DEP_TUNNEL, 0, 0, 0)));

    key.meta.in_port = 77;
    lab_xlate(l, &key, NULL, &out);
    ck_assert_str_eq(actions_of(&out), "drop(bridge-unknown-port)");
    ck_assert(depends_on(dep_make(DEP_DP_PORT, 0, 0, 77)));
    ck_assert_ptr_null(out.ingress_bridge);
}
END_TEST

START_TEST(test_port_config)
{
    lab_rules(l, "br0", "in_port=1,actions=output:2,output:10");
    lab_rules(l, "br1", "actions=output:1");
    ck_assert_str_eq(translate("in_port=1," ETH), "2,11");
    ck_assert(depends_on(dep_make(DEP_BRIDGE, 1, 0, 0)) && depends_on(dep_make(DEP_BRIDGE, 2, 0, 0)));
    lab_find(l, "br0", "p2")->config = OFPPC_PORT_DOWN;
    ck_assert_str_eq(translate("in_port=1," ETH), "11");
    lab_find(l, "br1", "to-br0")->config = OFPPC_NO_RECV;
    ck_assert_str_eq(translate("in_port=1," ETH), "drop(port-config-no-fwd)");
    lab_find(l, "br0", "p2")->config = 0;
    lab_find(l, "br0", "p1")->config = OFPPC_NO_RECV;
    ck_assert_str_eq(translate("in_port=1," ETH), "drop(port-config-no-recv)");
}
END_TEST

START_TEST(test_table_miss)
{
    struct view_bridge *b = lab_bridge(l, "br0");
    ck_assert_str_eq(translate("in_port=1," ETH), "drop(no-match)");
    b->fail_secure = true;
    ck_assert_str_eq(translate("in_port=1," ETH), "drop(fail-secure)");
    b->has_controller = b->miss_to_controller = true;
    b->miss_send_len = 128;
    ck_assert_str_eq(translate("in_port=1," ETH), "userspace(pid=0,controller(max_len=128))");
    const struct effect_packet_in *p = &effect(EFFECT_PACKET_IN, 0)->packet_in;
    ck_assert(p->reason == OFPR_NO_MATCH && !p->is_miss_rule && p->max_len == 128 && p->cookie == UINT64_MAX);
    lab_find(l, "br0", "p1")->config = OFPPC_NO_PACKET_IN;
    ck_assert_str_eq(translate("in_port=1," ETH), "drop(no-match)");
    lab_rules(l, "br0", "priority=0,cookie=7,actions=CONTROLLER:65535");
    ck_assert_msg(!strcmp(translate("in_port=1," ETH), "drop(no-match)"), "nor by a table-miss rule");
    translate("in_port=2," ETH);
    p = &effect(EFFECT_PACKET_IN, 0)->packet_in;
    ck_assert(p->reason == OFPR_NO_MATCH && p->is_miss_rule && p->cookie == htobe64(7));
    lab_rules(l, "br0", "priority=1,actions=resubmit(,3)");
    ck_assert_msg(!strcmp(translate("in_port=2," ETH), "drop(no-match)"), "a resubmit that finds nothing is no table miss");
}
END_TEST

START_TEST(test_packet_in)
{
    lab_rules(l, "br0", "in_port=1,cookie=5,actions=load:7->NXM_NX_REG2[],set_tunnel:9,resubmit(,2),"
                        "controller(reason=action,max_len=100,id=3,userdata=01.02)\n"
                        "table=2,cookie=6,actions=CONTROLLER:200");
    translate("in_port=1," ETH);
    ck_assert_uint_eq(out.n_packet_ins, 2);
    const struct effect_packet_in *a = &effect(EFFECT_PACKET_IN, 0)->packet_in, *b = &effect(EFFECT_PACKET_IN, 1)->packet_in;
    ck_assert(a->table_id == 2 && a->cookie == htobe64(6) && a->max_len == 200 && a->reason == OFPR_ACTION);
    ck_assert(b->table_id == 0 && b->cookie == htobe64(5) && b->max_len == 100 && b->controller_id == 3);
    ck_assert(b->userdata_len == 2 && b->userdata[1] == 2);
    struct text t = TEXT_INIT;
    match_format(&a->metadata, NULL, &t);
    ck_assert_str_eq(text_str(&t), "reg2=0x7,tun_id=0x9,in_port=1");
    text_fini(&t);
    /* Its cookie tells which it is. */
    ck_assert_uint_eq(out.actions.actions[out.actions.n - 1].userspace.cookie, 1);
}
END_TEST

START_TEST(test_packet_out)
{
    lab_rules(l, "br0", "in_port=1,actions=output:2\nin_port=CONTROLLER,actions=output:1");
    ck_assert_str_eq(packet_out(OFPP_CONTROLLER, "output:1,output:2"), "1,2");
    ck_assert_str_eq(packet_out(OFPP_CONTROLLER, "TABLE"), "1");
    ck_assert_str_eq(packet_out(1, "TABLE"), "2");
    ck_assert_str_eq(packet_out(1, "IN_PORT"), "1");
    ck_assert_str_eq(packet_out(1, "output:1"), "drop(own-source)");
    ck_assert_str_eq(packet_out(OFPP_NONE, "NORMAL"),
                     "1,2,set(tunnel(tun_id=0x5,dst=10.0.0.2,ttl=64,flags(key))),200");
    ck_assert_msg(!effect(EFFECT_MAC, 0), "nothing is learnt from nowhere");
    lab_rules(l, "br1", "actions=output:1");
    ck_assert_str_eq(packet_out(OFPP_NONE, "output:10"), "11");
    packet_out(OFPP_NONE, "CONTROLLER:50");
    ck_assert_int_eq(effect(EFFECT_PACKET_IN, 0)->packet_in.reason, OFPR_PACKET_OUT);
}
END_TEST

START_TEST(test_credits)
{
    lab_rules(l, "br0", "in_port=1,actions=resubmit(,4),output:10,output:5\ntable=5,actions=drop");
    lab_rules(l, "br1", "actions=NORMAL");
    translate("in_port=1," ETH);
    struct view_port *vx = lab_find(l, "br0", "vx"), *to1 = lab_find(l, "br0", "to-br1"), *to0 = lab_find(l, "br1", "to-br0");
    ck_assert_ptr_eq(effect(EFFECT_PORT_TX, 0)->port, to1->credit);
    ck_assert_ptr_eq(effect(EFFECT_PORT_RX, 0)->port, to0->credit);
    ck_assert_ptr_eq(effect(EFFECT_PORT_TX, 1)->port, vx->credit);
    ck_assert(effect(EFFECT_TABLE, 0)->table.matched && effect(EFFECT_TABLE, 1)->table.table == 4
              && !effect(EFFECT_TABLE, 1)->table.matched && effect(EFFECT_TABLE, 2)->table.bridge == lab_bridge(l, "br1"));
    ck_assert_uint_eq(effect(EFFECT_RULE, 0)->rule->match.n_words, 1);
    ck_assert_ptr_null(effect(EFFECT_RULE, 2));
    const struct effect *mac = effect(EFFECT_MAC, 0);
    ck_assert(mac->mac.bridge == lab_bridge(l, "br1") && mac->mac.port == 20 && mac->mac.vlan == 0);
}
END_TEST

START_TEST(test_learn)
{
    lab_rules(l, "br0", "in_port=1,actions=learn(table=7,priority=99,hard_timeout=30,cookie=0x11,NXM_OF_VLAN_TCI[0..11],"
                        "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],"
                        "output:NXM_OF_IN_PORT[]),output:2");
    ck_assert_str_eq(translate("in_port=1,dl_vlan=12,dl_vlan_pcp=0," ETH), "2");
    ck_assert_msg(out.mask.bits.l2.src.b[5] == 0xff && out.mask.bits.l2.vlan[0].tci == htobe16(0xfff), "looks at what it learns");
    const struct effect *e = effect(EFFECT_LEARN, 0);
    struct text t = TEXT_INIT;
    match_format(&e->learn.fm.match, NULL, &t);
    ck_assert_str_eq(text_str(&t), "vlan_tci=0x000c/0x0fff,dl_dst=02:00:00:00:00:0a");
    text_clear(&t);
    ofacts_format(&e->learn.fm.actions, NULL, &t);
    ck_assert_str_eq(text_str(&t), "load:0->NXM_OF_VLAN_TCI[],load:0->NXM_NX_TUN_ID[],output:1");
    text_fini(&t);
    const struct ofp_flow_mod *fm = &e->learn.fm;
    ck_assert(fm->table_id == 7 && fm->priority == 99 && fm->hard_timeout == 30 && fm->new_cookie == htobe64(0x11));
    ck_assert(!tables_learn(lab_bridge(l, "br0")->tables, fm));
    ck_assert_uint_eq(tables_n_rules(lab_bridge(l, "br0")->tables), 2);
}
END_TEST

TCase *ingress_tcase(void)
{
    TCase *t = tcase_create("ingress");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_tunnel_in);
    tcase_add_test(t, test_port_config);
    tcase_add_test(t, test_table_miss);
    tcase_add_test(t, test_packet_in);
    tcase_add_test(t, test_packet_out);
    tcase_add_test(t, test_credits);
    tcase_add_test(t, test_learn);
    return t;
}
