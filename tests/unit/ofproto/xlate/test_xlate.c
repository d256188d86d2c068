/* SPDX-License-Identifier: Apache-2.0 */
/* Translation: rows of rules, a packet, and the datapath actions and megaflow that it must get.
 *
 *      br0: p1..p4 (dp 1..4), LOCAL (dp 100), vx1 key 5 to 10.0.0.2, vx2 flow-based (carrier dp 200), patch 10 --- br1: patch 20
 *      br1: q1 (dp 11), q2 (dp 12) */
#include "lib/base/parse.h"
#include "tests/unit/ofproto/lab.h"
#include "tests/unit/ofproto/ofproto_tests.h"

#define ETH "dl_src=02:00:00:00:00:0a,dl_dst=02:00:00:00:00:0b"

struct row {
    const char *sentence, *rules, *rules_br1, *packet, *actions, *megaflow;
};

static const struct row rows[] = {
    { "no rule at all", "", "", "in_port=1," ETH, "drop(no-match)", "dl_type=0x0000" },
    { "a rule without actions", "actions=drop", "", "in_port=1," ETH, "drop(action)", "dl_type=0x0000" },
    { "output looks at nothing", "actions=output:2", "", "in_port=1,tcp," ETH, "2", "ip,nw_frag=no" },
    { "several outputs", "actions=output:2,output:3,LOCAL", "", "in_port=1," ETH, "2,3,100", "dl_type=0x0000" },
    { "output to the input port goes nowhere", "actions=output:1", "", "in_port=1," ETH, "drop(own-source)", "dl_type=0x0000" },
    { "IN_PORT sends back", "actions=IN_PORT", "", "in_port=1," ETH, "1", "dl_type=0x0000" },
    { "output to a port that is not there", "actions=output:77,output:2", "", "in_port=1," ETH, "2", "dl_type=0x0000" },
    { "only such an output", "actions=output:77", "", "in_port=1," ETH, "drop(port-gone)", "dl_type=0x0000" },
    { "FLOOD goes to all but the input port and tunnels get their key", "actions=FLOOD", "actions=drop", "in_port=1," ETH,
      "2,3,4,set(tunnel(tun_id=0x5,dst=10.0.0.2,ttl=64,flags(key))),200,100", NULL },
    { "CONTROLLER", "priority=9,actions=CONTROLLER:128", "", "in_port=1," ETH, "userspace(pid=0,controller(max_len=128))", "dl_type=0x0000" },
    { "two controllers are told apart by cookie", "actions=CONTROLLER:100,CONTROLLER:200", "", "in_port=1," ETH,
      "userspace(pid=0,controller(max_len=100)),userspace(pid=0,controller(max_len=200,cookie=0x1))", NULL },

    { "the higher priority wins", "priority=1,actions=output:2\npriority=2,ip,actions=output:3", "", "in_port=1,ip," ETH, "3", "ip,nw_frag=no" },
    { "an address is un-wildcarded only as far as prefixes differ",
      "priority=9,ip,nw_dst=10.0.0.0/8,actions=output:2\npriority=1,actions=output:3", "",
      "in_port=1,tcp,nw_dst=192.168.0.1," ETH, "3", "ip,nw_dst=128.0.0.0/1,nw_frag=no" },
    { "and not at all for another Ethertype", "priority=9,ip,nw_dst=10.0.0.0/8,actions=output:2\npriority=1,actions=output:3", "",
      "in_port=1,arp," ETH, "3", "arp" },
    { "in_port ends a subtable before its addresses", "priority=9,in_port=2,dl_dst=02:00:00:00:00:0b,actions=output:2\npriority=1,actions=output:3",
      "", "in_port=1," ETH, "3", "dl_type=0x0000" },

    { "set_field on what was never looked at is written, without looking", "actions=set_field:02:00:00:00:00:99->eth_dst,output:2", "",
      "in_port=1," ETH, "set(eth(dst=02:00:00:00:00:99)),2", "dl_type=0x0000" },
    { "and whatever was matched, so that other rules make no difference", "dl_dst=02:00:00:00:00:0b,actions=set_field:02:00:00:00:00:0b->eth_dst,output:2",
      "", "in_port=1," ETH, "set(eth(dst=02:00:00:00:00:0b)),2", "dl_dst=02:00:00:00:00:0b,dl_type=0x0000" },
    { "headers are written once, when an output needs them",
      "actions=set_field:02:00:00:00:00:98->eth_dst,set_field:02:00:00:00:00:99->eth_dst,output:2,output:3", "", "in_port=1," ETH,
      "set(eth(dst=02:00:00:00:00:99)),2,3", NULL },
    { "and not for what nobody gets", "actions=output:2,set_field:02:00:00:00:00:99->eth_dst", "", "in_port=1," ETH, "2", NULL },
    { "a field that the packet does not have is left alone", "table=0,actions=resubmit(,1),output:2\ntable=1,ip,actions=mod_nw_src:1.2.3.4", "",
      "in_port=1,arp," ETH, "2", "arp" },
    { "ports of TCP", "tcp,actions=mod_tp_dst:80,output:2", "", "in_port=1,tcp,tp_dst=8080," ETH, "set(tcp(dst=80)),2", NULL },
    { "a later look at a set field looks at nothing", "table=0,actions=set_field:02:00:00:00:00:99->eth_dst,resubmit(,1)\n"
      "table=1,dl_dst=02:00:00:00:00:99,actions=output:2", "", "in_port=1," ETH, "set(eth(dst=02:00:00:00:00:99)),2", "dl_type=0x0000" },
    { "addresses", "ip,actions=mod_nw_src:10.0.0.1,output:2", "", "in_port=1,tcp,nw_src=10.9.9.9," ETH, "set(ipv4(src=10.0.0.1)),2", NULL },
    { "dec_ttl", "ip,actions=dec_ttl,output:2", "", "in_port=1,tcp,nw_ttl=64," ETH, "set(ipv4(ttl=63)),2", "ip,nw_ttl=64,nw_frag=no" },
    { "dec_ttl of a spent packet goes to the controller", "ip,actions=dec_ttl,output:2", "", "in_port=1,tcp,nw_ttl=1," ETH,
      "userspace(pid=0,controller())", "ip,nw_ttl=1,nw_frag=no" },
    { "move looks at its source", "ip,actions=move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],output:2", "", "in_port=1,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2," ETH,
      "set(ipv4(dst=10.0.0.1)),2", "ip,nw_src=10.0.0.1,nw_frag=no" },
    { "registers carry ports", "actions=load:3->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15]", "", "in_port=1," ETH, "3", "dl_type=0x0000" },
    { "and choose rules", "table=0,actions=load:7->NXM_NX_REG3[],resubmit(,4)\ntable=4,reg3=7,actions=output:2\ntable=4,priority=1,actions=output:3", "",
      "in_port=1," ETH, "2", "dl_type=0x0000" },

    { "push a tag", "actions=push_vlan:0x8100,set_field:4106->vlan_vid,output:2", "", "in_port=1," ETH, "push_vlan(vid=10,pcp=0),2",
      "vlan_tci=0x0000,dl_type=0x0000" },
    { "push a service tag over a customer's", "actions=push_vlan:0x88a8,set_field:4196->vlan_vid,output:2", "", "in_port=1,dl_vlan=10,dl_vlan_pcp=3," ETH,
      "push_vlan(tpid=0x88a8,vid=100,pcp=3),2", NULL },
    { "two tags", "actions=push_vlan:0x8100,set_field:4106->vlan_vid,push_vlan:0x88a8,set_field:4107->vlan_vid,output:2", "", "in_port=1," ETH,
      "push_vlan(vid=10,pcp=0),push_vlan(tpid=0x88a8,vid=11,pcp=0),2", NULL },
    { "pop a tag", "vlan_tci=0x1000/0x1000,actions=strip_vlan,output:2", "", "in_port=1,dl_vlan=10,dl_vlan_pcp=0," ETH, "pop_vlan,2", NULL },
    { "pop the outer of two", "vlan_tci=0x1000/0x1000,actions=strip_vlan,output:2", "", "in_port=1,dl_vlan=10,dl_vlan_pcp=0," ETH ",vlan1=11", "pop_vlan,2", NULL },
    { "pop and push is nothing if the tag is the same", "dl_vlan=10,actions=strip_vlan,mod_vlan_vid:10,output:2", "",
      "in_port=1,dl_vlan=10,dl_vlan_pcp=0," ETH, "2", NULL },
    { "tagged here, untagged there", "actions=mod_vlan_vid:10,output:2,strip_vlan,output:3", "", "in_port=1," ETH,
      "push_vlan(vid=10,pcp=0),2,pop_vlan,3", NULL },
    { "mod_vlan_vid keeps the priority", "actions=mod_vlan_vid:20,output:2", "", "in_port=1,dl_vlan=10,dl_vlan_pcp=5," ETH,
      "pop_vlan,push_vlan(vid=20,pcp=5),2", NULL },

    { "goto_table", "table=0,actions=goto_table:3\ntable=3,actions=output:2", "", "in_port=1," ETH, "2", NULL },
    { "resubmit comes back", "table=0,actions=resubmit(,3),output:4\ntable=3,actions=output:2", "", "in_port=1," ETH, "2,4", NULL },
    { "resubmit as from another port", "table=0,actions=resubmit(9,3)\ntable=3,in_port=9,actions=output:2\ntable=3,priority=1,actions=output:3", "",
      "in_port=1," ETH, "2", NULL },
    { "a rule that resubmits to itself is stopped", "actions=output:2,resubmit(,0)", "", "in_port=1," ETH, "drop(depth)", NULL },
    { "exit ends the callers too", "table=0,actions=resubmit(,1),output:4\ntable=1,actions=output:2,exit,output:3", "", "in_port=1," ETH, "2", NULL },
    { "the action set runs at the end in its own order", "table=0,actions=write_actions(output:2,push_vlan:0x8100),goto_table:1\n"
      "table=1,actions=output:3", "", "in_port=1," ETH, "3,push_vlan(vid=0,pcp=0),2", NULL },
    { "the last output of an action set counts", "table=0,actions=write_actions(output:2),goto_table:1\ntable=1,actions=write_actions(output:3)", "",
      "in_port=1," ETH, "3", NULL },
    { "clear_actions", "table=0,actions=write_actions(output:2),goto_table:1\ntable=1,actions=clear_actions", "", "in_port=1," ETH, "drop(action)", NULL },
    { "write_metadata", "table=0,actions=write_metadata:0x10/0xff,goto_table:1\ntable=1,metadata=0x10/0xf0,actions=output:2", "", "in_port=1," ETH, "2", NULL },
    { "clone leaves the packet as it was", "actions=clone(set_field:02:00:00:00:00:99->eth_dst,output:2),output:3", "", "in_port=1," ETH,
      "set(eth(dst=02:00:00:00:00:99)),2,set(eth(dst=02:00:00:00:00:0b)),3", "dl_dst=02:00:00:00:00:0b,dl_type=0x0000" },
    { "truncated output", "actions=output(port=2,max_len=100),output:3", "", "in_port=1," ETH, "trunc(100),2,3", NULL },
    { "queues", "actions=set_queue:3,output:2,pop_queue,output:3", "", "in_port=1," ETH,
      "set(skb_priority(0x10004)),2,set(skb_priority(0)),3", NULL },
    { "note does nothing", "actions=note:01.02.03,output:2", "", "in_port=1," ETH, "2", NULL },

    { "a tunnel port sets key and addresses", "actions=output:5", "", "in_port=1," ETH,
      "set(tunnel(tun_id=0x5,dst=10.0.0.2,ttl=64,flags(key))),200", "dl_type=0x0000" },
    { "ECN goes outside", "actions=output:5", "", "in_port=1,tcp,nw_tos=0,nw_ecn=2," ETH,
      "set(tunnel(tun_id=0x5,dst=10.0.0.2,tos=0x2,ttl=64,flags(key))),200", "ip,nw_ecn=2,nw_frag=no" },
    { "a flow-based tunnel takes them from the fields", "actions=set_tunnel:0x77,set_field:10.9.8.7->tun_dst,output:6", "", "in_port=1," ETH,
      "set(tunnel(tun_id=0x77,dst=10.9.8.7,ttl=64,flags(key))),200", "dl_type=0x0000" },
    { "and needs a remote address", "actions=set_tunnel:0x77,output:6", "", "in_port=1," ETH, "drop(tunnel-no-remote)", NULL },

    { "a patch port leads into the other bridge", "actions=output:10", "in_port=20,actions=output:1", "in_port=1," ETH, "11", "dl_type=0x0000" },
    { "what happens there is undone here", "actions=output:10,output:2", "actions=mod_vlan_vid:7,mod_dl_dst:02:00:00:00:00:99,output:1", "in_port=1," ETH,
      "set(eth(dst=02:00:00:00:00:99)),push_vlan(vid=7,pcp=0),11,set(eth(dst=02:00:00:00:00:0b)),pop_vlan,2", NULL },
    { "metadata and registers stay outside", "actions=load:5->NXM_NX_REG0[],output:10,output:NXM_NX_REG0[]", "reg0=5,actions=output:1\npriority=1,actions=output:2",
      "in_port=1," ETH, "12,set(tunnel(tun_id=0x5,dst=10.0.0.2,ttl=64,flags(key))),200", NULL },
    { "bridges that send to each other for ever are stopped", "actions=output:10,IN_PORT", "actions=IN_PORT", "in_port=1," ETH, "drop(depth)", NULL },
};

static struct lab *make(void)
{
    struct lab *l = lab_create();
    static const char *const names[] = { "p1", "p2", "p3", "p4" };
    for (int i = 0; i < 4; i++) {
        lab_port(l, "br0", names[i], i + 1, i + 1);
    }
    lab_port(l, "br0", "br0", OFPP_LOCAL, 100);
    struct view_tunnel *t = &lab_tunnel(l, "br0", "vx1", 5, 200)->tunnel;
    t->has_key = true;
    t->key = 5;
    parse_ip("10.0.0.2", &t->remote);
    struct view_port *vx2 = lab_tunnel(l, "br0", "vx2", 6, 200);
    vx2->tunnel.remote_flow = vx2->tunnel.key_flow = true;
    vx2->config = OFPPC_NO_FLOOD;
    lab_port(l, "br1", "q1", 1, 11);
    lab_port(l, "br1", "q2", 2, 12);
    lab_patch(l, "br0", "to-br1", 10, "br1", "to-br0", 20);
    return l;
}

START_TEST(test_rows)
{
    const struct row *row = &rows[_i];
    struct lab *l = make();
    lab_rules(l, "br0", row->rules);
    lab_rules(l, "br1", row->rules_br1);
    struct lab_result r = lab_translate(l, "br0", row->packet);
    ck_assert_msg(!strcmp(r.actions, row->actions), "%s: got %s instead of %s", row->sentence, r.actions, row->actions);
    ck_assert_msg(!row->megaflow || !strcmp(r.megaflow, row->megaflow), "%s: got megaflow %s instead of %s", row->sentence,
                  r.megaflow, row->megaflow);
    free(r.actions);
    free(r.megaflow);
    lab_destroy(l);
}
END_TEST

TCase *xlate_tcase(void)
{
    TCase *t = tcase_create("xlate");
    tcase_add_loop_test(t, test_rows, 0, ARRAY_SIZE(rows));
    return t;
}
