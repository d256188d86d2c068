# SPDX-License-Identifier: Apache-2.0
"""Every kind of port against every other, and the life of devices.

    veth1 veth2   internal1 internal2   tap1 tap2   vm1 vm2 (a tap of theirs, virtio-net header)   old1 old2 (without)
        \\     \\        |       |         |    |        /    /                                      /    /
         ------------------------------------- br0 ------------------------------------------------"""
import itertools
import json
import re
import struct
import time

import pytest

from net import Net
from switch import CommandError, Switch, run, wait_until
from traffic import Stream, Vm, Wire, transfer

pytestmark = [pytest.mark.root, pytest.mark.needs("ip", "ethtool", "ping")]

KINDS = ("veth", "internal", "tap", "vm", "old")


def set_offloads(ns, device, on):
    state = "on" if on else "off"
    run(["ethtool", "-K", device, "tx", state, "sg", state, "tso", state, "gso", state, "gro", state], netns=ns, check=False)


class Station:
    def __init__(self, ns, device, port, number, kind):
        self.ns, self.device, self.port, self.kind = ns, device, port, kind
        self.ip, self.ip6 = f"10.0.0.{number}", f"fd00::{number}"


class House:
    """A switch with two stations of each kind."""

    def __init__(self, net, switch, sw):
        self.net, self.switch, self.sw = net, switch, sw
        self.stations, self.vms = {}, []

    def add(self, name, number):
        kind = name[:-1]
        ns = self.net.namespace(name)
        port = f"p{name}"[:15]
        device = "eth0"
        if kind == "veth":
            self.net.veth(self.sw, port, ns, "eth0")
            self.switch.vsctl("add-port", "br0", port)
        elif kind in ("internal", "tap"):
            self.switch.vsctl("add-port", "br0", port, "--", "set", "Interface", port, f"type={kind}")
            run(["ip", "link", "set", port, "netns", ns], netns=self.sw)
            device = port
        else:
            self.vms.append(Vm(self.sw, port, ns, kind == "vm"))
            run(["ip", "link", "set", port, "up"], netns=self.sw)
            self.switch.vsctl("add-port", "br0", port)
        s = Station(ns, device, port, number, kind)
        run(["ip", "link", "set", device, "address", f"02:00:00:00:00:{number:02x}", "up"], netns=ns)
        run(["ip", "addr", "add", f"{s.ip}/24", "dev", device], netns=ns)
        run(["ip", "addr", "add", f"{s.ip6}/64", "dev", device, "nodad"], netns=ns)
        self.stations[name] = s


@pytest.fixture(scope="module")
def house():
    with Net() as net:
        sw = net.namespace("sw")
        with Switch("split", netns=sw) as s:
            h = House(net, s, sw)
            try:
                s.vsctl("add-br", "br0")
                for number, name in enumerate((f"{k}{i}" for k in KINDS for i in (1, 2)), 1):
                    h.add(name, number)
                yield h
            finally:
                for vm in h.vms:
                    vm.stop()


PAIRS = list(itertools.combinations_with_replacement(KINDS, 2))


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_every_kind_of_port_reaches_every_other(house, kinds):
    a, b = house.stations[f"{kinds[0]}1"], house.stations[f"{kinds[1]}2"]
    assert house.net.ping(a.ns, b.ip) == 3
    assert house.net.ping(a.ns, b.ip6) == 3
    assert house.net.ping(a.ns, b.ip, size=4000) == 3, "fragments"
    assert house.net.ping(a.ns, b.ip6, size=4000) == 3, "fragments"
    for on_a, on_b in ((True, True), (False, True), (True, False), (False, False)):
        set_offloads(a.ns, a.device, on_a)
        set_offloads(b.ns, b.device, on_b)
        try:
            transfer(a.ns, b.ns, b.ip, 1 << 20)
            transfer(b.ns, a.ns, a.ip, 1 << 20)
            transfer(a.ns, b.ns, b.ip6, 1 << 20)
        finally:
            set_offloads(a.ns, a.device, True)
            set_offloads(b.ns, b.device, True)


def test_nothing_was_dropped_for_its_offload_state(house):
    assert not {"gso-unknown", "truncated", "too-big", "malformed-l2"} & set(house.switch.drops())


def test_accounts_are_balanced(house):
    """For packet instances: received + made = sent + dropped + consumed, once nothing is on its way."""
    def balanced():
        d = json.loads(house.switch.appctl("-f", "json", "dpctl/show", target="tsuji-datapathd"))
        dropped = sum(json.loads(house.switch.appctl("-f", "json", "drops/show", target="tsuji-datapathd")).values())
        print(d, dropped)
        return d["received"] > 1000 and d["received"] + d["made"] == d["sent"] + dropped + d["consumed"]
    wait_until(balanced, timeout=3)


def test_an_internal_port_in_another_namespace_keeps_its_state_on_the_row(house):
    s, station = house.switch, house.stations["internal1"]
    assert s.vsctl("get", "Interface", station.port, "link_state").strip() == "up"
    assert s.vsctl("get", "Interface", station.port, "mac_in_use").strip().strip('"') == "02:00:00:00:00:03"
    run(["ip", "link", "set", station.device, "mtu", "1400"], netns=station.ns)
    wait_until(lambda: s.vsctl("get", "Interface", station.port, "mtu").strip() == "1400")
    run(["ip", "link", "set", station.device, "mtu", "1500"], netns=station.ns)
    wait_until(lambda: s.vsctl("get", "Interface", station.port, "mtu").strip() == "1500")


# ---- Small switches ----

class Plug:
    """A port of the switch whose other end the test holds."""

    def __init__(self, net, sw, ns, name):
        net.veth(sw, name, ns, f"{name}-end")
        self.wire = Wire(ns, f"{name}-end")


@pytest.fixture
def small():
    """A switch in a namespace without ports."""
    with Net() as net:
        sw = net.namespace("sw")
        with Switch("embedded", netns=sw) as s:
            s.vsctl("add-br", "br0")
            yield net, s, sw


def tag(frame, *tags):
    out = frame[:12]
    for tpid, tci in tags:
        out += struct.pack("!HH", tpid, tci)
    return out + frame[12:]


A, B = "02000000000a", "02000000000b"
FRAME = bytes.fromhex(B + A + "88b5") + b"tsuji vlan test " * 4


VLAN_ROWS = [
    # sentence, settings of p, sent into p, settings of q, heard at q (None: nothing)
    ("access to access", ["tag=10"], (), ["tag=10"], ()),
    ("access to another access", ["tag=10"], (), ["tag=11"], None),
    ("access to trunk", ["tag=10"], (), [], ((0x8100, 10),)),
    ("access to a trunk that does not carry it", ["tag=10"], (), ["trunks=11,12"], None),
    ("trunk to access", [], ((0x8100, 10),), ["tag=10"], ()),
    ("trunk to trunk keeps tag and priority", [], ((0x8100, 0x600a),), [], ((0x8100, 0x600a),)),
    ("untagged on a trunk is VLAN 0", [], (), [], ()),
    ("a tagged frame into an access port", ["tag=10"], ((0x8100, 10),), ["tag=10"], None),
    ("a priority-tagged frame into an access port", ["tag=10"], ((0x8100, 0x6000),), [], ((0x8100, 0x600a),)),
    ("native-tagged to trunk", ["vlan_mode=native-tagged", "tag=20"], (), [], ((0x8100, 20),)),
    ("access to native-tagged", ["tag=20"], (), ["vlan_mode=native-tagged", "tag=20"], ((0x8100, 20),)),
    ("access to native-untagged", ["tag=20"], (), ["vlan_mode=native-untagged", "tag=20"], ()),
    ("other VLAN to native-untagged", ["tag=21"], (), ["vlan_mode=native-untagged", "tag=20"], ((0x8100, 21),)),
    ("dot1q-tunnel adds a service tag", ["vlan_mode=dot1q-tunnel", "tag=100"], ((0x8100, 5),), [],
     ((0x88a8, 100), (0x8100, 5))),
    ("dot1q-tunnel takes it off", [], ((0x88a8, 100), (0x8100, 5)), ["vlan_mode=dot1q-tunnel", "tag=100"], ((0x8100, 5),)),
]


def test_vlans(small):
    net, s, sw = small
    ns = net.namespace("n")
    p, q = Plug(net, sw, ns, "p"), Plug(net, sw, ns, "q")
    s.vsctl("add-port", "br0", "p", "--", "add-port", "br0", "q")
    s.vsctl("set", "Open_vSwitch", ".", "other_config:vlan-limit=2", check=False)
    s.expect_warning("vlan-limit")
    with p.wire, q.wire:
        for sentence, p_set, sent, q_set, heard in VLAN_ROWS:
            for port, settings in (("p", p_set), ("q", q_set)):
                s.vsctl("clear", "Port", port, "tag", "--", "clear", "Port", port, "trunks", "--", "clear", "Port", port,
                        "vlan_mode", *(["--", "set", "Port", port, *settings] if settings else []))
            for attempt in ("first", "cached"):
                p.wire.send(tag(FRAME, *sent))
                frame = q.wire.find(lambda f: b"tsuji vlan test" in f, 0.25 if heard is None else 2)
                assert frame == (None if heard is None else tag(FRAME, *heard)), f"{sentence} ({attempt} packet)"


def test_a_device_that_comes_goes_and_comes_again(small):
    net, s, sw = small
    a, b = net.namespace("a"), net.namespace("b")
    s.expect_warning("late")
    net.veth(sw, "pb", b, "eth0", None, "10.0.0.2/24")
    s.vsctl("add-port", "br0", "pb")
    with pytest.raises(CommandError) as e:
        s.vsctl("add-port", "br0", "late", "--", "set", "Interface", "late", "ofport_request=7")
    assert "could not open network device late" in e.value.err
    assert "could not open network device late" in s.vsctl("get", "Interface", "late", "error")
    assert s.vsctl("get", "Interface", "late", "ofport").strip() == "-1"
    for _ in range(2):
        net.veth(sw, "late", a, "eth0", None, "10.0.0.1/24")
        wait_until(lambda: s.vsctl("get", "Interface", "late", "error").strip() == "[]")
        assert s.vsctl("get", "Interface", "late", "ofport").strip() == "7"
        wait_until(lambda: s.vsctl("get", "Interface", "late", "link_state").strip() == "up")
        assert net.ping(a, "10.0.0.2") == 3
        run(["ip", "link", "del", "late"], netns=sw)
        wait_until(lambda: "late" in s.vsctl("get", "Interface", "late", "error"))
        assert s.vsctl("get", "Interface", "late", "link_state").strip() == "[]"
    # Renamed into place, and away.
    net.veth(sw, "other", a, "eth0", None, "10.0.0.1/24")
    run(["ip", "link", "set", "other", "down"], netns=sw)
    run(["ip", "link", "set", "other", "name", "late"], netns=sw)
    run(["ip", "link", "set", "late", "up"], netns=sw)
    wait_until(lambda: s.vsctl("get", "Interface", "late", "error").strip() == "[]")
    wait_until(lambda: net.ping(a, "10.0.0.2", count=1), timeout=4)


def test_the_hosts_stack_is_kept_out(small):
    net, s, sw = small
    a = net.namespace("a")
    net.veth(sw, "pa", a, "eth0", "10.0.0.99/24", "10.0.0.1/24")
    run(["ip", "addr", "add", "fd00::99/64", "dev", "pa", "nodad"], netns=sw)
    run(["ip", "addr", "add", "fd00::1/64", "dev", "eth0", "nodad"], netns=a)
    mac = json.loads(run(["ip", "-j", "link", "show", "pa"], netns=sw))[0]["address"]
    assert net.ping(a, "10.0.0.99", count=1) == 1
    s.vsctl("add-port", "br0", "pa")
    run(["ip", "neigh", "flush", "dev", "eth0"], netns=a)
    with Wire(a, "eth0") as wire:
        assert net.ping(a, "10.0.0.99", count=2) == 0
        run(["ip", "neigh", "replace", "10.0.0.99", "lladdr", mac, "dev", "eth0"], netns=a)
        run(["ip", "neigh", "replace", "fd00::99", "lladdr", mac, "dev", "eth0"], netns=a)
        assert net.ping(a, "10.0.0.99", count=2) == 0
        assert net.ping(a, "fd00::99", count=2) == 0
        with pytest.raises((TimeoutError, ConnectionError, OSError)):
            transfer(a, sw, "10.0.0.99", 1000, timeout=1)
        # What the kernel says on its own (multicast listener reports) is no answer.
        assert not wire.all(lambda f: f[6:12].hex(":") == mac and (f[12:14] in (b"\x08\x00", b"\x08\x06")
                                                                   or f[54] in (129, 136))), "the kernel answers"
    s.vsctl("del-port", "br0", "pa")
    assert net.ping(a, "10.0.0.99", count=1) == 1, "the stack does not get the device back"
    assert net.ping(a, "fd00::99", count=1) == 1


def test_rows_say_how_ports_are(small):
    net, s, sw = small
    a, b = net.namespace("a"), net.namespace("b")
    for ns, name, number in ((a, "pa", 1), (b, "pb", 2)):
        net.veth(sw, name, ns, "eth0", None, f"10.0.0.{number}/24")
    s.vsctl("set", "Open_vSwitch", ".", "other_config:stats-update-interval=1000")
    s.vsctl("add-port", "br0", "pa", "--", "set", "Interface", "pa", "ofport_request=11", "mtu_request=1400",
            "--", "add-port", "br0", "pb", "--", "set", "Interface", "pb", "ofport_request=11")
    get = lambda name, column: s.vsctl("get", "Interface", name, column).strip()
    numbers = {get("pa", "ofport"), get("pb", "ofport")}
    assert "11" in numbers and len(numbers) == 2 and "-1" not in numbers, "one gets the number, the other another"
    assert get("pa", "mtu") == "1400"
    assert "mtu 1400" in run(["ip", "link", "show", "pa"], netns=sw)
    assert get("pa", "admin_state") == "up"
    assert get("pa", "ifindex") == str(json.loads(run(["ip", "-j", "link", "show", "pa"], netns=sw))[0]["ifindex"])
    assert "driver_name=veth" in get("pa", "status")
    resets = int(get("pa", "link_resets"))
    run(["ip", "link", "set", "eth0", "down"], netns=a)
    wait_until(lambda: get("pa", "link_state") == "down")
    run(["ip", "link", "set", "eth0", "up"], netns=a)
    wait_until(lambda: get("pa", "link_state") == "up")
    assert int(get("pa", "link_resets")) > resets
    run(["ip", "link", "set", "pa", "down"], netns=sw)
    wait_until(lambda: get("pa", "admin_state") == "down")
    run(["ip", "link", "set", "pa", "up"], netns=sw)
    wait_until(lambda: get("pa", "link_state") == "up")
    assert net.ping(a, "10.0.0.2", count=20, interval=0.002) == 20

    def counted():
        statistics = dict(re.findall(r"(\w+)=(\d+)", get("pa", "statistics")))
        return int(statistics.get("rx_packets", 0)) >= 21 and int(statistics["tx_packets"]) >= 20 and statistics
    statistics = wait_until(counted, timeout=4)
    assert 20 * 98 <= int(statistics["rx_bytes"]) < 20 * 98 + 2000
    assert statistics["rx_dropped"] == statistics["tx_errors"] == statistics["tx_dropped"] == "0"
    dump = s.ofctl("dump-ports", "br0", "pb")
    assert int(re.search(r"tx pkts=(\d+)", dump)[1]) >= 21
    s.expect_warning("lo|nodev|mtu|MTU")
    with pytest.raises(CommandError):
        s.vsctl("add-port", "br0", "lo")
    assert "loopback" in get("lo", "error")
    s.vsctl("del-port", "br0", "lo")
    s.vsctl("set", "Interface", "pa", "mtu_request=70000", check=False)
    assert "mtu" in (get("pa", "error") + get("pa", "status")).lower()


def test_internal_ports(small):
    net, s, sw = small
    a = net.namespace("a")
    net.veth(sw, "pa", a, "eth0", None, "10.0.0.1/24")
    s.vsctl("add-port", "br0", "pa", "--", "add-port", "br0", "i0", "--", "set", "Interface", "i0", "type=internal",
            "mac=\"02:00:00:00:00:77\"", "mtu_request=1400")
    run(["ip", "addr", "add", "10.0.0.5/24", "dev", "i0"], netns=sw)
    run(["ip", "link", "set", "i0", "up"], netns=sw)
    run(["ip", "link", "set", "br0", "up"], netns=sw)
    assert net.ping(a, "10.0.0.5") == 3
    link = json.loads(run(["ip", "-j", "link", "show", "i0"], netns=sw))[0]
    assert (link["address"], link["mtu"]) == ("02:00:00:00:00:77", 1400)
    transfer(a, sw, "10.0.0.5", 1 << 20)
    transfer(sw, a, "10.0.0.1", 1 << 20)
    s.vsctl("del-port", "br0", "i0")
    assert "i0" not in run(["ip", "link"], netns=sw)
    assert s.vsctl("get", "Interface", "br0", "mac_in_use").strip().strip('"') == \
        json.loads(run(["ip", "-j", "link", "show", "br0"], netns=sw))[0]["address"]
    s.vsctl("del-br", "br0")
    assert "br0" not in run(["ip", "link"], netns=sw)


def test_an_internal_port_whose_device_is_deleted_is_made_again(small):
    net, s, sw = small
    s.expect_warning("i0")
    s.vsctl("add-port", "br0", "i0", "--", "set", "Interface", "i0", "type=internal")
    run(["ip", "link", "del", "i0"], netns=sw)
    wait_until(lambda: "i0" in run(["ip", "link"], netns=sw))
    wait_until(lambda: s.vsctl("get", "Interface", "i0", "error").strip() == "[]")


def test_sixty_four_ports(small):
    net, s, sw = small
    ns = net.namespace("n")
    n = 64
    run(["ip", "-batch", "-"], stdin="".join(
        f"link add p{i} type veth peer name e{i} netns {ns}\nlink set p{i} up\n" for i in range(1, n + 1)), netns=sw)
    run(["ip", "-batch", "-"], stdin="".join(f"link set e{i} up\n" for i in range(1, n + 1)), netns=ns)
    start = time.monotonic()
    s.vsctl(*" -- ".join(f"add-port br0 p{i} -- set Interface p{i} ofport_request={i}" for i in range(1, n + 1)).split())
    assert time.monotonic() - start < 5
    assert len(s.vsctl("list-ports", "br0").split()) == n
    assert [s.vsctl("get", "Interface", f"p{i}", "ofport").strip() for i in (1, 33, n)] == ["1", "33", str(n)]
    wires = [Wire(ns, f"e{i}", 0x88b5) for i in range(1, n + 1)]
    try:
        wires[0].send(bytes.fromhex("ffffffffffff" + A + "88b5") + b"tsuji flood" * 5)
        for wire in wires[1:]:
            assert wire.find(lambda f: b"tsuji flood" in f), "a flooded frame did not come everywhere"
            assert not wire.all(lambda f: b"tsuji flood" in f, 0.001), "twice"
        assert not wires[0].all(lambda f: b"tsuji flood" in f, 0.05), "flooded to where it came from"
        for i in range(n):      # Everybody says something, all are learnt.
            wires[i].send(bytes.fromhex(A + f"0200000001{i:02x}" + "88b5") + b"here" * 12)
        wait_until(lambda: len(s.appctl("fdb/show", "br0").splitlines()) >= n)
        s.vsctl(*" -- ".join(f"del-port br0 p{i}" for i in range(2, n + 1)).split())
        assert s.vsctl("list-ports", "br0").split() == ["p1"]
        assert {line.split()[0] for line in s.appctl("fdb/show", "br0").splitlines()[1:]} == {"1"}, "addresses behind gone ports"
    finally:
        for wire in wires:
            wire.socket.close()


def test_ports_and_bridges_go_and_come_under_traffic(small):
    net, s, sw = small
    a, b = net.namespace("a"), net.namespace("b")
    net.veth(sw, "pa", a, "eth0", None, "10.0.0.1/24")
    net.veth(sw, "pb", b, "eth0", None, "10.0.0.2/24")
    s.vsctl("add-port", "br0", "pa", "--", "add-port", "br0", "pb")
    assert net.ping(a, "10.0.0.2") == 3
    run(["ip", "neigh", "replace", "10.0.0.2", "lladdr",
         json.loads(run(["ip", "-j", "link", "show", "eth0"], netns=b))[0]["address"], "dev", "eth0"], netns=a)
    with Stream(a, b, "10.0.0.2", rate=5000) as stream:
        for _ in range(3):
            time.sleep(0.1)
            s.vsctl("del-port", "br0", "pb")
            n = len(stream.received)
            time.sleep(0.1)
            assert len(stream.received) - n < 50, "packets go to a port that is gone"
            s.vsctl("add-port", "br0", "pb")
            wait_until(lambda: len(stream.received) > n + 100)
        for _ in range(2):
            s.vsctl("del-br", "br0")
            n = len(stream.received)
            s.vsctl("add-br", "br0", "--", "add-port", "br0", "pa", "--", "add-port", "br0", "pb")
            wait_until(lambda: len(stream.received) > n + 100)
        # From one bridge to another in one transaction.
        s.vsctl("add-br", "br1", "--", "del-port", "br0", "pa", "--", "del-port", "br0", "pb",
                "--", "add-port", "br1", "pa", "--", "add-port", "br1", "pb")
        n = len(stream.received)
        wait_until(lambda: len(stream.received) > n + 100)
    s.appctl("revalidator/audit")


@pytest.mark.parametrize("qinq", [False, True], ids=["vlan", "qinq"])
def test_tcp_in_vlans_between_two_bridges(small, qinq):
    """a -- access [br0] trunk == veth == trunk [br1] access -- b; segmentation offload meets tags in the frame."""
    net, s, sw = small
    a, b = net.namespace("a"), net.namespace("b")
    net.veth(sw, "pa", a, "eth0", None, ["10.0.0.1/24", "fd00::1/64"])
    net.veth(sw, "pb", b, "eth0", None, ["10.0.0.2/24", "fd00::2/64"])
    run(["ip", "link", "add", "t0", "type", "veth", "peer", "name", "t1"], netns=sw)
    for device in ("t0", "t1"):
        run(["ip", "link", "set", device, "mtu", "1508", "up"], netns=sw)
    s.vsctl("add-br", "br1")
    for bridge, port, trunk in (("br0", "pa", "t0"), ("br1", "pb", "t1")):
        s.vsctl("add-port", bridge, port, "tag=10", "--", "add-port", bridge, trunk)
    if qinq:
        # A service tag around the customer's.
        for n, (bridge, trunk) in enumerate((("br0", "t0"), ("br1", "t1"))):
            port = ("pa", "pb")[n]
            s.ofctl("add-flow", bridge, f"in_port={port},actions=push_vlan:0x8100,set_field:4106->vlan_vid,"
                    f"push_vlan:0x88a8,set_field:4196->vlan_vid,output:{trunk}")
            s.ofctl("add-flow", bridge, f"in_port={trunk},dl_vlan=100,actions=pop_vlan,pop_vlan,output:{port}")
    for on in (True, False):
        for ns, device in ((a, "eth0"), (b, "eth0"), (sw, "t0"), (sw, "t1")):
            set_offloads(ns, device, on)
        assert net.ping(a, "10.0.0.2") == 3
        assert net.ping(a, "10.0.0.2", size=4000) == 3
        transfer(a, b, "10.0.0.2", 2 << 20)
        transfer(b, a, "10.0.0.1", 2 << 20)
        transfer(a, b, "fd00::2", 1 << 20)
    assert not {"gso-unknown", "truncated", "malformed-l2"} & set(s.drops())


def test_the_number_of_workers_changes_under_traffic(small):
    net, s, sw = small
    a, b = net.namespace("a"), net.namespace("b")
    net.veth(sw, "pa", a, "eth0", None, "10.0.0.1/24")
    net.veth(sw, "pb", b, "eth0", None, "10.0.0.2/24")
    s.vsctl("add-port", "br0", "pa", "--", "add-port", "br0", "pb")
    assert net.ping(a, "10.0.0.2") == 3
    with Stream(a, b, "10.0.0.2", rate=2000) as stream:
        time.sleep(0.2)
        for n in (2, 4, 1, 3):
            s.vsctl("set", "Open_vSwitch", ".", f"other_config:n-workers={n}")
            transfer(a, b, "10.0.0.2", 1 << 20)
            transfer(b, a, "10.0.0.1", 1 << 20)
    assert (stream.missing, stream.duplicates) == ([], 0)
    s.appctl("revalidator/audit")


def test_devices_are_given_back_when_the_switch_is_killed():
    """Whatever ends it: afterwards the host's stack has its devices, and a new switch takes them again."""
    with Net() as net:
        sw, a = net.namespace("sw"), net.namespace("a")
        net.veth(sw, "pa", a, "eth0", "10.0.0.99/24", "10.0.0.1/24")
        with Switch("embedded", netns=sw) as s:
            s.vsctl("add-br", "br0", "--", "add-port", "br0", "pa")
            assert net.ping(a, "10.0.0.99", count=1) == 0
            s.daemons.pop("vswitchd").kill()
            if not net.ping(a, "10.0.0.99", count=1):
                assert "clsact" in run(["tc", "qdisc", "show", "dev", "pa"], netns=sw), "dead switch, deaf device"
                pytest.skip("before Linux 6.6 a program at tc ingress outlives its process")
            s.start_vswitchd()
            s.vsctl("set", "Bridge", "br0", "external_ids:x=y")
            wait_until(lambda: net.ping(a, "10.0.0.99", count=1) == 0)
            s.daemons["vswitchd"].stop()
            assert net.ping(a, "10.0.0.99", count=1) == 1
            s.daemons.pop("vswitchd")
