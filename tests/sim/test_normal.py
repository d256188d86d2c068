# SPDX-License-Identifier: Apache-2.0
"""NORMAL: VLAN modes, learning, ageing, moves; what a frame that comes in at one port is sent as, and where."""
import pytest

from switch import Switch

A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
BROADCAST = "ff:ff:ff:ff:ff:ff"


def frame(src, dst, vlan=None, inner=None):
    tags = "".join(f"{tpid}{tci:04x}" for tpid, tci in [t for t in (vlan, inner) if t])
    return dst.replace(":", "") + src.replace(":", "") + tags + "0800" + "00" * 46


@pytest.fixture
def switch():
    with Switch(dummy=True, virtual=True) as s:
        s.vsctl("add-br", "br0")
        yield s


def add(switch, name, *settings):
    switch.vsctl("add-port", "br0", name, *settings, "--", "set", "Interface", name, "type=dummy")


def out(switch, port, vlan=None, dst=BROADCAST, src=A, inner=None):
    """Where a frame goes and with which changes, by names: {"p2": "pop_vlan"}."""
    text = switch.datapath_actions("br0", f"in_port={port},dl_src={src},dl_dst={dst},dl_type=0x1234"
                                   + (f",dl_vlan={vlan}" if vlan else ""))
    names = {}
    for line in switch.appctl("dpctl/show").splitlines():
        words = line.split()
        if words[:1] == ["port"]:
            names[words[1].rstrip(":")] = words[2]
    result, changes, depth, word = {}, [], 0, ""
    for c in text + ",":
        depth += (c == "(") - (c == ")")
        if c == "," and not depth:
            if word in names:
                result[names[word]] = " ".join(changes)
            elif word == "pop_vlan" and changes and changes[-1].startswith("push_vlan"):
                changes.pop()
            else:
                changes.append(word)
            word = ""
        else:
            word += c
    return result


def test_access_ports_are_in_one_network_each(switch):
    add(switch, "a1", "tag=10")
    add(switch, "a2", "tag=10")
    add(switch, "b1", "tag=20")
    assert out(switch, "a1") == {"a2": "", "br0": "push_vlan(vid=10,pcp=0)"}
    assert out(switch, "b1") == {"br0": "push_vlan(vid=20,pcp=0)"}


def test_a_trunk_carries_tags(switch):
    add(switch, "a1", "tag=10")
    add(switch, "t1")
    assert out(switch, "a1") == {"t1": "push_vlan(vid=10,pcp=0)", "br0": "push_vlan(vid=10,pcp=0)"}
    assert out(switch, "t1", vlan=10)["a1"] == "pop_vlan"
    assert "a1" not in out(switch, "t1", vlan=11)
    assert "a1" not in out(switch, "t1")


def test_a_trunk_carries_only_its_list(switch):
    add(switch, "t1")
    add(switch, "t2", "trunks=10,20")
    assert "t2" in out(switch, "t1", vlan=20) and "t2" not in out(switch, "t1", vlan=30)
    switch.receive("t2", frame(A, B, ("8100", 30)))
    assert switch.drops() == {"vlan-not-allowed": 1}


@pytest.mark.parametrize("mode, expected", [("native-tagged", "push_vlan(vid=10,pcp=0)"), ("native-untagged", "")])
def test_native_ports(switch, mode, expected):
    add(switch, "n1", "tag=10", f"vlan_mode={mode}")
    add(switch, "a1", "tag=10")
    add(switch, "t1")
    assert out(switch, "a1")["n1"] == expected
    assert out(switch, "n1")["a1"] == ""
    assert out(switch, "t1", vlan=20)["n1"] == ""


def test_a_dot1q_tunnel_adds_an_outer_tag(switch):
    add(switch, "q1", "tag=100", "vlan_mode=dot1q-tunnel")
    add(switch, "t1")
    switch.vsctl("set", "Open_vSwitch", ".", "other_config:max-idle=60000")
    assert out(switch, "q1", vlan=10)["t1"] == "push_vlan(tpid=0x88a8,vid=100,pcp=0)"
    switch.vsctl("set", "Port", "q1", "other_config:qinq-ethtype=802.1q")
    assert out(switch, "q1", vlan=10)["t1"] == "push_vlan(vid=100,pcp=0)"


def test_learns_moves_and_forgets(switch):
    for p in ("p1", "p2", "p3"):
        add(switch, p)
    switch.receive("p1", frame(A, BROADCAST))
    assert out(switch, "p2", src=B, dst=A) == {"p1": ""}
    switch.warp(3000)
    switch.receive("p3", frame(A, BROADCAST))
    assert out(switch, "p2", src=B, dst=A) == {"p3": ""}
    switch.vsctl("set", "Bridge", "br0", "other_config:mac-aging-time=60")
    switch.warp(70000)
    assert A not in switch.appctl("fdb/show", "br0")
    assert len(out(switch, "p2", src=B, dst=A)) == 3


def test_traffic_in_the_cache_keeps_entries_alive(switch):
    for p in ("p1", "p2"):
        add(switch, p)
    switch.vsctl("set", "Bridge", "br0", "other_config:mac-aging-time=15")
    switch.receive("p2", frame(B, BROADCAST))
    for _ in range(6):
        switch.receive("p1", frame(A, B))
        switch.warp(5000)
    shown = switch.appctl("fdb/show", "br0")
    assert A in shown and B not in shown


def test_the_table_is_bounded(switch):
    add(switch, "p1")
    switch.vsctl("set", "Bridge", "br0", "other_config:mac-table-size=10")
    for i in range(30):
        switch.receive("p1", frame(f"02:00:00:00:01:{i:02x}", BROADCAST))
    assert len(switch.appctl("fdb/show", "br0").splitlines()) == 11


def test_static_entries_stay(switch):
    for p in ("p1", "p2"):
        add(switch, p)
    switch.appctl("fdb/add", "br0", "p1", "0", C)
    switch.receive("p2", frame(C, BROADCAST))
    assert out(switch, "p2", src=A, dst=C) == {"p1": ""}
    switch.appctl("fdb/flush", "br0")
    assert C in switch.appctl("fdb/show", "br0")
    switch.appctl("fdb/del", "br0", "0", C)
    assert C not in switch.appctl("fdb/show", "br0")


def test_reserved_addresses_are_not_forwarded(switch):
    for p in ("p1", "p2"):
        add(switch, p)
    switch.receive("p1", frame(A, "01:80:c2:00:00:00"))
    assert switch.drops() == {"reserved-mac": 1}
    switch.vsctl("set", "Bridge", "br0", "other_config:forward-bpdu=true")
    assert "p2" in out(switch, "p1", dst="01:80:c2:00:00:00")


def test_patch_ports_join_bridges(switch):
    switch.vsctl("add-br", "br1", "--", "add-port", "br1", "q1", "--", "set", "Interface", "q1", "type=dummy",
                 "--", "add-port", "br1", "patch1", "--", "set", "Interface", "patch1", "type=patch", "options:peer=patch0")
    add(switch, "p1")
    switch.vsctl("add-port", "br0", "patch0", "--", "set", "Interface", "patch0", "type=patch", "options:peer=patch1")
    assert "q1" in out(switch, "p1")
    switch.receive("p1", frame(A, BROADCAST))
    assert A in switch.appctl("fdb/show", "br1")
    stats = switch.ofctl("dump-ports", "br1", "patch1")
    assert "rx pkts=1, bytes=60" in stats
