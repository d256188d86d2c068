# SPDX-License-Identifier: Apache-2.0
"""Rules over OpenFlow, by our tool and by the unmodified ovs-ofctl: what they do to packets, what they count, when they go."""
import json
import subprocess

import pytest

from switch import CommandError, Switch, program, wait_until

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def udp(src="10.0.0.1", dst="10.0.0.2", sport=1000, dport=2000, ttl=64):
    return (f"in_port(1),eth(src={A},dst={B}),eth_type(0x0800),ipv4(src={src},dst={dst},proto=17,tos=0,ttl={ttl},frag=no),"
            f"udp(src={sport},dst={dport})")


@pytest.fixture(params=[False, True], ids=["tsuji-ofctl", "ovs-ofctl"])
def unmodified(request):
    return request.param


@pytest.fixture
def switch():
    with Switch(dummy=True, virtual=True) as s:
        s.vsctl("add-br", "br0", "--", "set-fail-mode", "br0", "secure")
        for i in (1, 2, 3):
            s.vsctl("add-port", "br0", f"p{i}", "--", "set", "Interface", f"p{i}", "type=dummy", f"ofport_request={i}")
        yield s
        s.appctl("revalidator/audit")


def counts(switch, word, bridge="br0", **options):
    line = next(line for line in switch.ofctl("dump-flows", bridge, **options).splitlines() if word in line)
    return int(line.split("n_packets=")[1].split(",")[0])


@pytest.mark.parametrize("version", ["OpenFlow10", "OpenFlow13", "OpenFlow14", "OpenFlow15"])
def test_every_version_adds_shows_and_deletes(switch, unmodified, version):
    def ofctl(*words):
        return switch.ofctl("-O", version, *words, unmodified=unmodified)
    ofctl("add-flow", "br0", "priority=7,cookie=0x77,udp,nw_dst=10.0.0.2,actions=output:2")
    shown = ofctl("dump-flows", "br0")
    assert "cookie=0x77" in shown and "priority=7,udp,nw_dst=10.0.0.2 actions=output:2" in shown
    switch.receive("p1", udp())
    assert "n_packets=1, n_bytes=106" in ofctl("dump-flows", "br0")
    ofctl("mod-flows", "br0", "udp,actions=output:3")
    assert "actions=output:3" in ofctl("dump-flows", "br0")
    ofctl("del-flows", "br0", "udp")
    assert "priority=7" not in ofctl("dump-flows", "br0")


def test_a_rule_change_reaches_the_cached_flow_before_the_barrier_is_answered(switch):
    switch.ofctl("add-flow", "br0", "priority=1,actions=output:2")
    switch.receive("p1", udp())
    assert switch.dp_flows()[0].endswith("actions:3")
    for i in range(20):
        port = 2 + i % 2
        switch.ofctl("add-flow", "br0", f"priority=1,actions=output:{port}")
        switch.receive("p1", udp())
        assert counts(switch, f"output:{port}") == i + 2


@pytest.mark.parametrize("actions, expected", [
    ("set_field:10.9.9.9->ip_dst,output:2", "set(ipv4(dst=10.9.9.9)),3"),
    ("mod_nw_ttl:9,output:2", "set(ipv4(ttl=9)),3"),
    ("dec_ttl,output:2", "set(ipv4(ttl=63)),3"),
    ("mod_tp_dst:99,output:2", "set(udp(dst=99)),3"),
    ("mod_dl_dst:02:00:00:00:00:99,output:2", "set(eth(dst=02:00:00:00:00:99)),3"),
    ("mod_vlan_vid:7,output:2,strip_vlan,output:3", "push_vlan(vid=7,pcp=0),3,pop_vlan,4"),
    ("push_vlan:0x88a8,set_field:4196->vlan_vid,output:2", "push_vlan(tpid=0x88a8,vid=100,pcp=0),3"),
    ("load:0x2->NXM_NX_REG0[],output:NXM_NX_REG0[]", "3"),
    ("move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],output:2", "set(ipv4(dst=10.0.0.1)),3"),
    ("resubmit(,5)", "4"),
    ("output:2,output:3", "3,4"),
    ("in_port", "2"),
    ("all", "3,4,1"),
    ("clone(set_field:10.9.9.9->ip_dst,output:2),output:3", "set(ipv4(dst=10.9.9.9)),3,set(ipv4(dst=10.0.0.2)),4"),
    ("output(port=2,max_len=64)", "trunc(64),3"),
    ("drop", "drop"),
])
def test_actions(switch, actions, expected):
    switch.ofctl("add-flow", "br0", "table=5,actions=output:3")
    switch.ofctl("add-flow", "br0", f"priority=9,udp,actions={actions}")
    got = switch.datapath_actions("br0", f"in_port=1,dl_src={A},dl_dst={B},udp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tp_src=1,tp_dst=2")
    if actions == "all":
        got, expected = sorted(got.split(",")), sorted(expected.split(","))
    assert got == expected


def test_tables_metadata_and_the_action_set(switch):
    switch.ofctl("-O", "OpenFlow13", "add-flows", "br0", "-", stdin="""
        table=0,in_port=1,actions=write_actions(output:2),write_metadata:0x5,goto_table:1
        table=1,metadata=0x5,udp,actions=write_actions(output:3),goto_table:2
        table=1,priority=1,actions=clear_actions
        table=2,ip,actions=apply_actions(set_field:10.5.5.5->ip_src)
        """)
    assert switch.datapath_actions("br0", "in_port=1,udp,nw_src=10.0.0.1") == "set(ipv4(src=10.5.5.5)),4"
    assert switch.datapath_actions("br0", "in_port=1,tcp,nw_src=10.0.0.1") == "drop"


def test_time_outs_and_flow_removed(switch):
    monitor = subprocess.Popen([program("tsuji-ofctl"), "-O", "OpenFlow13", "monitor", "br0", "65534"], env=switch.env, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "OpenFlow13" in switch.logs())
        switch.ofctl("add-flow", "br0", "priority=5,idle_timeout=10,send_flow_rem,udp,actions=output:2")
        switch.ofctl("add-flow", "br0", "priority=4,hard_timeout=20,actions=output:3")
        for _ in range(3):
            switch.receive("p1", udp())
            switch.warp(8000, 1000)
        assert len(switch.flows()) == 1 and "idle_timeout=10" in switch.flows()[0]
        switch.warp(13000, 1000)
        assert switch.flows() == []
    finally:
        monitor.terminate()
        out = monitor.communicate()[0]
    assert "reason=idle" in out and "priority=5" in out


def test_packet_in_and_packet_out(switch, unmodified):
    switch.ofctl("add-flow", "br0", "priority=1,actions=CONTROLLER:65535")
    tool = "ovs-ofctl" if unmodified else program("tsuji-ofctl")
    monitor = subprocess.Popen([tool, "monitor", "br0", "65534"], env=switch.env, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: switch.logs().count("connected, OpenFlow") >= 2)
        switch.receive("p1", udp())
        line = wait_until(lambda: monitor.stdout.readline(), timeout=10)
        while "PACKET_IN" not in line:
            line = wait_until(lambda: monitor.stdout.readline(), timeout=10)
        assert "in_port=1" in line and "total_len=106" in line
    finally:
        monitor.terminate()
        monitor.wait()
    before = counts(switch, "actions=CONTROLLER")
    switch.ofctl("packet-out", "br0", "in_port=3,packet=" + B.replace(":", "") + A.replace(":", "") + "0800" + "00" * 46 + ",actions=table",
                 ) if not unmodified else switch.ofctl("packet-out", "br0", "3", "table", B.replace(":", "") + A.replace(":", "") + "0800"
                                                       + "00" * 46, unmodified=True)
    switch.appctl("revalidator/wait")
    assert counts(switch, "actions=CONTROLLER") == before + 1


def test_the_cache_is_hit_after_the_first_packet(switch):
    switch.ofctl("add-flow", "br0", "actions=output:2")
    for _ in range(5):
        switch.receive("p1", udp())
    stats = switch.appctl_json("dpctl/show")
    assert stats["missed"] == 1 and stats["hit"] == 4
    assert switch.appctl_json("dpctl/dump-flows")[0]["packets"] == 5


def test_the_mask_is_no_narrower_than_what_was_looked_at(switch):
    switch.ofctl("add-flow", "br0", "priority=9,udp,tp_dst=53,actions=output:3")
    switch.ofctl("add-flow", "br0", "priority=1,actions=output:2")
    switch.receive("p1", udp(dport=2000))
    switch.receive("p1", udp(dport=53))
    assert counts(switch, "output:3") == 1 and counts(switch, "output:2") == 1


def test_many_narrow_rules_make_few_masks(switch):
    rules = [f"priority={100 + i},udp,nw_dst=10.0.{i}.0/{8 + i % 25},tp_dst={i}/{0xffff << (i % 16) & 0xffff:#x},actions=output:2"
             for i in range(200)]
    switch.ofctl("add-flows", "br0", "-", stdin="\n".join(rules) + "\npriority=1,actions=output:3\n")
    for i in range(300):
        switch.receive("p1", *[udp(src=f"10.{i % 250}.{j}.1", dst=f"10.{j}.{i % 200}.9", dport=1 << (i % 16), sport=i) for j in (0, 7)])
    assert switch.appctl_json("upcall/show")["masks"] <= 16


@pytest.mark.parametrize("flow, error", [
    ("tp_dst=80,actions=output:2", "tp_dst"),
    ("priority=70000,actions=drop", "priority"),
    ("in_port=1,actions=output:70000000000", "output"),
    ("nw_dts=10.0.0.1,actions=drop", "nw_dts"),
    ("udp,nw_dst=10.0.0.300,actions=drop", "10.0.0.300"),
    ("actions=outptu:2", "output"),
    ("table=300,actions=drop", "300"),
    ("actions=goto_table:0", "goto"),
    ("ip,actions=set_field:1->tcp_dst", "tcp_dst"),
])
def test_bad_flows_are_refused_by_name(switch, flow, error):
    before = switch.flows()
    with pytest.raises(CommandError) as e:
        switch.ofctl("-O", "OpenFlow13", "add-flow", "br0", flow)
    assert error in e.value.err, e.value.err
    assert switch.flows() == before


def test_json_of_commands(switch):
    for command in ("fdb/show br0", "dpif/show", "dpctl/show", "dpctl/dump-flows", "ofproto/list", "upcall/show", "drops/show",
                    "coverage/show", "memory/show", "vlog/list", "list-commands", "version", "dpif/dump-dps", "dpif/show-dp-features br0",
                    "ofproto/trace br0 in_port=1"):
        json.dumps(switch.appctl_json(*command.split()))
