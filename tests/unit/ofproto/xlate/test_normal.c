/* SPDX-License-Identifier: Apache-2.0 */
/* NORMAL: each row a sentence, what was seen before, the packet, and the datapath actions that it gets.
 *
 *      p1 (dp 1) --+      +-- p3 (dp 3)
 *                  | br0  |
 *      p2 (dp 2) --+      +-- p4 (dp 4)      with the VLAN modes that the row says */
#include "tests/unit/ofproto/lab.h"
#include "tests/unit/ofproto/ofproto_tests.h"

#define A "02:00:00:00:00:0a"
#define B "02:00:00:00:00:0b"
#define BROADCAST "ff:ff:ff:ff:ff:ff"

struct row {
    const char *sentence;
    const char *modes[4];        /* Of p1 to p4; NULL: trunk of all VLANs. */
    const char *before;          /* A packet that came earlier; NULL: none. */
    const char *packet;
    const char *actions;
};

static const struct row rows[] = {
    { "an unknown destination is flooded, not back", { NULL }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" B, "2,3,4" },
    { "a broadcast is flooded", { NULL }, NULL,
      "in_port=3,dl_src=" A ",dl_dst=" BROADCAST, "1,2,4" },
    { "a learnt destination gets it alone", { NULL }, "in_port=4,dl_src=" B ",dl_dst=" BROADCAST,
      "in_port=1,dl_src=" A ",dl_dst=" B, "4" },
    { "a destination behind the input port is dropped", { NULL }, "in_port=1,dl_src=" B ",dl_dst=" BROADCAST,
      "in_port=1,dl_src=" A ",dl_dst=" B, "drop(own-source)" },
    { "an address learnt in one VLAN is unknown in another", { NULL },
      "in_port=4,dl_vlan=10,dl_vlan_pcp=0,dl_src=" B ",dl_dst=" BROADCAST,
      "in_port=1,dl_vlan=20,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" B, "2,3,4" },
    { "a bridge's link-local address goes nowhere", { NULL }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=01:80:c2:00:00:0e", "drop(reserved-mac)" },
    { "the address after the link-local ones is an ordinary multicast", { NULL }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=01:80:c2:00:00:10", "2,3,4" },

    { "access: untagged gets the tag on trunks and stays bare on its like", { "access 10", "access 10", NULL, "access 20" }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "2,push_vlan(vid=10,pcp=0),3" },
    { "access: a tagged packet is refused", { "access 10" }, NULL,
      "in_port=1,dl_vlan=10,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST, "drop(vlan-not-allowed)" },
    { "access: a priority tag is accepted and its priority kept", { "access 10", "access 20", NULL, "access 20" }, NULL,
      "in_port=1,dl_vlan=0,dl_vlan_pcp=5,dl_src=" A ",dl_dst=" BROADCAST, "pop_vlan,push_vlan(vid=10,pcp=5),3" },
    { "trunk: the tag goes off towards access ports", { NULL, "access 10", "access 20", "trunk 10" }, NULL,
      "in_port=1,dl_vlan=10,dl_vlan_pcp=3,dl_src=" A ",dl_dst=" BROADCAST, "pop_vlan,2,push_vlan(vid=10,pcp=3),4" },
    { "trunk: only listed VLANs come in", { "trunk 10,20" }, NULL,
      "in_port=1,dl_vlan=30,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST, "drop(vlan-not-allowed)" },
    { "trunk: a list without 0 refuses untagged packets", { "trunk 10" }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "drop(vlan-not-allowed)" },
    { "trunk: only listed VLANs go out", { NULL, "trunk 10", "trunk 20", "trunk 10,20" }, NULL,
      "in_port=1,dl_vlan=20,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST, "3,4" },
    { "trunk: untagged packets are VLAN 0", { NULL, "trunk 0", "trunk 5", "access 5" }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "2" },

    { "native-untagged: untagged is the native VLAN", { "native-untagged 5", "access 5", NULL, "access 6" }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "2,push_vlan(vid=5,pcp=0),3" },
    { "native-untagged: the native VLAN goes out bare, others tagged", { NULL, "native-untagged 5", "native-untagged 6", "access 7" },
      NULL, "in_port=1,dl_vlan=5,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST, "pop_vlan,2,push_vlan(vid=5,pcp=0),3" },
    { "native-tagged: the native VLAN goes out tagged", { "access 5", "native-tagged 5", "access 6", "access 7" }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "push_vlan(vid=5,pcp=0),2" },
    { "native-tagged: untagged comes in as the native VLAN", { "native-tagged 5", "access 5", "access 6", "access 7" }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "2" },
    { "native-tagged: a VLAN outside the trunks is refused", { "native-tagged 5 10" }, NULL,
      "in_port=1,dl_vlan=11,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST, "drop(vlan-not-allowed)" },
    { "native-tagged: the native VLAN is carried whatever the trunks say", { "access 5", "native-tagged 5 10", "access 6", "access 7" },
      NULL, "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "push_vlan(vid=5,pcp=0),2" },

    { "native modes: what is in no VLAN does not get into the native one", { NULL, "native-tagged 5", "native-untagged 5", NULL }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "4" },

    { "dot1q-tunnel: a customer's tag stays below the service tag", { "dot1q-tunnel 100", NULL, "access 7", "access 8" }, NULL,
      "in_port=1,dl_vlan=10,dl_vlan_pcp=2,dl_src=" A ",dl_dst=" BROADCAST, "push_vlan(tpid=0x88a8,vid=100,pcp=0),2" },
    { "dot1q-tunnel: an untagged packet gets the service tag alone", { "dot1q-tunnel 100", NULL, "access 7", "access 8" }, NULL,
      "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "push_vlan(tpid=0x88a8,vid=100,pcp=0),2" },
    { "dot1q-tunnel: the service tag goes off", { NULL, "dot1q-tunnel 100", "access 7", "access 8" }, NULL,
      "in_port=1,dl_vlan=100,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST ",vlan1=10", "pop_vlan,2" },
    { "dot1q-tunnel: only customer VLANs of the list come in", { "dot1q-tunnel 100 20" }, NULL,
      "in_port=1,dl_vlan=10,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST, "drop(vlan-not-allowed)" },
    { "dot1q-tunnel: only customer VLANs of the list go out", { NULL, "dot1q-tunnel 100 20", "dot1q-tunnel 100 10", "access 8" }, NULL,
      "in_port=1,dl_vlan=100,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST ",vlan1=10", "pop_vlan,3" },
    { "dot1q-tunnel: access ports of the service VLAN get what has no tag inside", { "dot1q-tunnel 100", "access 100", NULL, "access 8" },
      NULL, "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "2,push_vlan(tpid=0x88a8,vid=100,pcp=0),3" },
    { "dot1q-tunnel: and not what has one", { "dot1q-tunnel 100", "access 100", NULL, "access 8" },
      NULL, "in_port=1,dl_vlan=10,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST, "push_vlan(tpid=0x88a8,vid=100,pcp=0),3" },
    { "dot1q-tunnel to dot1q-tunnel: customers' two tags are untouched", { "dot1q-tunnel 100", "dot1q-tunnel 100", "access 7", "access 8" },
      NULL, "in_port=1,dl_vlan=10,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST ",vlan1=11", "2" },
    { "dot1q-tunnel: a third tag goes on", { "dot1q-tunnel 100", NULL, "access 7", "access 8" },
      NULL, "in_port=1,dl_vlan=10,dl_vlan_pcp=0,dl_src=" A ",dl_dst=" BROADCAST ",vlan1=11",
      "push_vlan(tpid=0x88a8,vid=100,pcp=0),2" },
};

static struct lab *four_ports(const char *const modes[4])
{
    struct lab *l = lab_create();
    for (int i = 0; i < 4; i++) {
        char name[] = { 'p', '1' + i, 0 };
        lab_port(l, "br0", name, i + 1, i + 1);
        if (modes && modes[i]) {
            lab_vlan(l, "br0", name, modes[i]);
        }
    }
    lab_rules(l, "br0", "priority=0,actions=NORMAL");
    return l;
}

static void expect(struct lab *l, const char *sentence, const char *packet, const char *actions)
{
    struct lab_result r = lab_translate(l, "br0", packet);
    ck_assert_msg(!strcmp(r.actions, actions), "%s: %s gave %s instead of %s", sentence, packet, r.actions, actions);
    free(r.actions);
    free(r.megaflow);
}

START_TEST(test_modes)
{
    const struct row *row = &rows[_i];
    struct lab *l = four_ports(row->modes);
    if (row->before) {
        struct lab_result r = lab_translate(l, "br0", row->before);
        free(r.actions);
        free(r.megaflow);
    }
    expect(l, row->sentence, row->packet, row->actions);
    lab_destroy(l);
}
END_TEST

START_TEST(test_settings)
{
    struct lab *l = four_ports(NULL);
    lab_vlan(l, "br0", "p2", "access 0");
    lab_find(l, "br0", "p2")->bundle->priority_tags = 1;
    expect(l, "if-nonzero: no tag for priority 0", "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "2,3,4");
    expect(l, "if-nonzero: a tag for priority 6", "in_port=1,dl_vlan=0,dl_vlan_pcp=6,dl_src=" A ",dl_dst=" BROADCAST,
           "2,pop_vlan,3,4");
    lab_find(l, "br0", "p2")->bundle->priority_tags = 2;
    expect(l, "always: a tag for priority 0", "in_port=1,dl_src=" A ",dl_dst=" BROADCAST,
           "push_vlan(vid=0,pcp=0),2,pop_vlan,3,4");
    lab_find(l, "br0", "p2")->bundle->priority_tags = 0;

    lab_find(l, "br0", "p1")->bundle->protected_ = true;
    lab_find(l, "br0", "p3")->bundle->protected_ = true;
    expect(l, "protected ports do not talk to each other", "in_port=1,dl_src=" A ",dl_dst=" BROADCAST, "2,4");
    expect(l, "others talk to protected ports", "in_port=2,dl_src=" B ",dl_dst=" BROADCAST, "1,3,4");
    expect(l, "not even to a learnt address (learning)", "in_port=3,dl_src=02:00:00:00:00:0c,dl_dst=" BROADCAST, "2,4");
    expect(l, "not even to a learnt address", "in_port=1,dl_src=" A ",dl_dst=02:00:00:00:00:0c", "drop(own-source)");

    lab_find(l, "br0", "p4")->config = OFPPC_NO_FLOOD;
    expect(l, "no-flood ports are left out", "in_port=2,dl_src=" B ",dl_dst=" BROADCAST, "1,3");
    lab_find(l, "br0", "p3")->config = OFPPC_NO_FWD;
    expect(l, "no-fwd ports too", "in_port=2,dl_src=" B ",dl_dst=" BROADCAST, "1");
    lab_bridge(l, "br0")->forward_bpdu = true;
    expect(l, "forward-bpdu lets link-local addresses through", "in_port=2,dl_src=" B ",dl_dst=01:80:c2:00:00:00", "1");
    lab_destroy(l);
}
END_TEST

START_TEST(test_gratuitous_arp_moves)
{
    struct lab *l = four_ports(NULL);
    const char *garp = "in_port=%d,arp,dl_src=" A ",dl_dst=" BROADCAST ",arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.0.1";
    char packet[200];
    snprintf(packet, sizeof packet, garp, 1);
    expect(l, "announced at p1", packet, "2,3,4");
    snprintf(packet, sizeof packet, garp, 2);
    expect(l, "moves to p2 at once", packet, "1,3,4");
    expect(l, "and is found there", "in_port=3,dl_src=" B ",dl_dst=" A, "2");
    expect(l, "a late packet from p1 is forwarded", "in_port=1,dl_src=" A ",dl_dst=" B, "3");
    expect(l, "but does not move it back", "in_port=3,dl_src=" B ",dl_dst=" A, "2");
    lab_destroy(l);
}
END_TEST

TCase *normal_tcase(void)
{
    TCase *t = tcase_create("normal");
    tcase_add_loop_test(t, test_modes, 0, ARRAY_SIZE(rows));
    tcase_add_test(t, test_settings);
    tcase_add_test(t, test_gratuitous_arp_moves);
    return t;
}
