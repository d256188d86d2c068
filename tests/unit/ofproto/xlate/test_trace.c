/* SPDX-License-Identifier: Apache-2.0 */
/* The text and JSON of a trace. */
#include "tests/unit/ofproto/lab.h"
#include "tests/unit/ofproto/ofproto_tests.h"

static struct lab *make(void)
{
    struct lab *l = lab_create();
    lab_port(l, "br0", "p1", 1, 101);
    lab_port(l, "br0", "p2", 2, 102);
    lab_patch(l, "br0", "a", 10, "br1", "b", 20);
    lab_port(l, "br1", "q1", 1, 201);
    lab_rules(l, "br0", "table=0,priority=5,in_port=1,cookie=0xab,actions=resubmit(,1),set_field:02:00:00:00:00:99->eth_dst,output:10\n"
                        "table=1,priority=7,ip,nw_dst=10.0.0.0/8,actions=output:2");
    lab_rules(l, "br1", "actions=NORMAL");
    return l;
}

START_TEST(test_text)
{
    struct lab *l = make();
    struct key key;
    struct xlate_out out;
    struct text t = TEXT_INIT;
    xlate_out_init(&out);
    lab_key(l, "br0", "in_port=1,udp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64", &key);
    struct trace *trace = trace_create();
    struct xlate_in in = { .view = l->view, .version = changes_version(l->changes), .key = &key, .trace = trace };
    rcu_read_lock();
    xlate(&in, &out);
    trace_format(trace, &in, &out, &t);
    json_t *json = trace_to_json(trace, &in, &out);
    rcu_read_unlock();
    ck_assert_str_eq(text_str(&t),
        "Flow: udp,in_port=1,vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,"
        "nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=0,tp_dst=0\n"
        "\n"
        "bridge(\"br0\")\n"
        "-------------\n"
        " 0. in_port=1, priority 5, cookie 0xab\n"
        "    resubmit(,1)\n"
        "     1. ip,nw_dst=10.0.0.0/8, priority 7\n"
        "            output:2\n"
        "    set_field:02:00:00:00:00:99->eth_dst\n"
        "    output:10\n"
        "\n"
        "bridge(\"br1\")\n"
        "-------------\n"
        " 0. priority 32768\n"
        "    NORMAL\n"
        "     -> no learned MAC for destination, flooding\n"
        "\n"
        "Final flow: udp,in_port=1,vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:99,nw_src=10.0.0.1,nw_dst=10.0.0.2,"
        "nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=0,tp_dst=0\n"
        "Megaflow: recirc_id=0,eth,ip,in_port=1,vlan_tci=0x0000,dl_src=02:00:00:00:00:01,nw_dst=10.0.0.0/8,nw_frag=no\n"
        "Datapath actions: 102,set(eth(dst=02:00:00:00:00:99)),201\n");
    ck_assert_str_eq(json_string_value(json_object_get(json, "datapath-actions")), "102,set(eth(dst=02:00:00:00:00:99)),201");
    ck_assert_uint_eq(json_array_size(json_object_get(json, "notes")), 11);
    ck_assert(!json_object_get(json, "drop"));
    json_decref(json);
    text_fini(&t);
    trace_destroy(trace);
    xlate_out_fini(&out);
    lab_destroy(l);
}
END_TEST

START_TEST(test_drop)
{
    struct lab *l = make();
    struct key key;
    struct xlate_out out;
    struct text t = TEXT_INIT;
    xlate_out_init(&out);
    lab_key(l, "br0", "in_port=2,arp", &key);
    struct trace *trace = trace_create();
    struct xlate_in in = { .view = l->view, .version = changes_version(l->changes), .key = &key, .trace = trace };
    rcu_read_lock();
    xlate(&in, &out);
    trace_format(trace, &in, &out, &t);
    json_t *json = trace_to_json(trace, &in, &out);
    rcu_read_unlock();
    ck_assert_msg(strstr(text_str(&t), "\nbridge(\"br0\")\n-------------\n 0. No match.\n    drop\n\nFinal flow: unchanged\n"
                                       "Megaflow: recirc_id=0,eth,arp,in_port=2\nDatapath actions: drop\nDrop reason: no-match: "),
                  "%s", text_str(&t));
    ck_assert_str_eq(json_string_value(json_object_get(json, "drop")), "no-match");
    json_decref(json);
    text_fini(&t);
    trace_destroy(trace);
    xlate_out_fini(&out);
    lab_destroy(l);
}
END_TEST

TCase *trace_tcase(void)
{
    TCase *t = tcase_create("trace");
    tcase_add_test(t, test_text);
    tcase_add_test(t, test_drop);
    return t;
}
