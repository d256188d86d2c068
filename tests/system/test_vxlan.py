# SPDX-License-Identifier: Apache-2.0
"""VXLAN between Tsuji and Linux, and between two Tsujis behind a router.

    a1 b1 --- hv1 [br0] --- 192.0.2.0/25 --- router --- 192.0.2.128/25 --- [br0] hv2 --- a2 b2
              .2 ::2        2001:db8:1::/64        2001:db8:2::/64       .130 ::2

Tenants a and b use the same MAC and IP addresses."""
import contextlib
import re
import socket
import struct
import subprocess
import time

import pytest

from net import Net, capture
from switch import CommandError, Switch, run, wait_until
from traffic import Stream, Wire, inside, socket_in, transfer

pytestmark = [pytest.mark.root, pytest.mark.needs("ip", "ethtool", "ping", "tcpdump")]

HV = {1: ("192.0.2.2", "2001:db8:1::2"), 2: ("192.0.2.130", "2001:db8:2::2")}
MAC = {1: "02:00:00:00:00:01", 2: "02:00:00:00:00:02"}


def offloads(ns, device, on):
    state = "on" if on else "off"
    for name in ("tx", "tso", "gso", "gro", "tx-udp-segmentation", "tx-udp_tnl-segmentation", "rx-gro-list"):
        run(["ethtool", "-K", device, name, state], netns=ns, check=False)


class Hypervisors:
    def __init__(self, net, stack):
        self.net = net
        self.router = net.namespace("router")
        run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"], netns=self.router)
        self.ns, self.switch, self.vm = {}, {}, {}
        for n in (1, 2):
            ns = self.ns[n] = net.namespace(f"hv{n}")
            gate = "192.0.2.1" if n == 1 else "192.0.2.129"
            net.veth(self.router, f"up{n}", ns, "eth0", [f"{gate}/25", f"2001:db8:{n}::1/64"],
                     [f"{HV[n][0]}/25", f"{HV[n][1]}/64"])
            run(["ip", "route", "add", "default", "via", gate], netns=ns)
            run(["ip", "route", "add", "default", "via", f"2001:db8:{n}::1"], netns=ns)
            s = self.switch[n] = stack.enter_context(Switch("split" if n == 1 else "embedded", netns=ns, name=f"hv{n}"))
            s.vsctl("add-br", "br0")
            for tenant, vlan in (("a", 10), ("b", 20)):
                vm = self.vm[f"{tenant}{n}"] = net.namespace(f"{tenant}{n}")
                net.veth(ns, f"{tenant}{n}", vm, "eth0", None, [f"10.0.0.{n}/24", f"fd00::{n}/64"], mac2=MAC[n])
                s.vsctl("add-port", "br0", f"{tenant}{n}", f"tag={vlan}")

    def tunnels(self, family=4, **options):
        """A tunnel for each tenant, with these options."""
        for n, other in ((1, 2), (2, 1)):
            remote = HV[other][0 if family == 4 else 1]
            words = []
            for tenant, vlan, key in (("a", 10, 5001), ("b", 20, 70000)):
                words += ["--", "--if-exists", "del-port", f"vx{tenant}", "--", "add-port", "br0", f"vx{tenant}", f"tag={vlan}",
                          "--", "set", "Interface", f"vx{tenant}", "type=vxlan", f"options:remote_ip=\"{remote}\"",
                          f"options:key={key}", *(f"options:{k}={v}" for k, v in options.items())]
            self.switch[n].vsctl(*words[1:])

    def __getattr__(self, name):
        return self.__dict__["vm"][name]


@pytest.fixture(scope="module")
def hv():
    with Net() as net, contextlib.ExitStack() as stack:
        yield Hypervisors(net, stack)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("csum", ["default", "true", "false"])
def test_tsuji_to_tsuji(hv, family, csum):
    hv.tunnels(family, **({} if csum == "default" else {"csum": csum}))
    assert hv.net.ping(hv.a1, "10.0.0.2") == 3
    assert hv.net.ping(hv.b1, "fd00::2") == 3
    for on in (True, False):
        for ns, device in ((hv.a1, "eth0"), (hv.a2, "eth0"), (hv.ns[1], "eth0"), (hv.ns[2], "eth0"), (hv.router, "up1")):
            offloads(ns, device, on)
        try:
            transfer(hv.a1, hv.a2, "10.0.0.2", 2 << 20)
            transfer(hv.a2, hv.a1, "fd00::1", 2 << 20)
        finally:
            for ns, device in ((hv.a1, "eth0"), (hv.a2, "eth0"), (hv.ns[1], "eth0"), (hv.ns[2], "eth0"), (hv.router, "up1")):
                offloads(ns, device, True)
    hv.net.ping(hv.b1, "10.0.0.2", size=4000)     # Both ends learn that fragments of 1500 bytes do not fit.
    assert hv.net.ping(hv.b1, "10.0.0.2", size=4000) == 3, "fragments"


def test_tenants_with_equal_addresses_never_mix(hv):
    hv.tunnels()
    frame = lambda tenant, i: bytes.fromhex((MAC[2] + MAC[1]).replace(":", "") + "88b5") + f"{tenant} {i}".encode().ljust(50)
    with contextlib.ExitStack() as stack:
        wires = {name: stack.enter_context(Wire(hv.vm[name], "eth0", 0x88b5)) for name in ("a1", "b1", "a2", "b2")}
        for i in range(100):
            if i == 1:
                time.sleep(0.1)      # Now there is a flow, nothing waits any more.
            for tenant in "ab":
                wires[tenant + "1"].send(frame(tenant, i))
        for tenant in "ab":
            frames = wires[tenant + "2"].all(lambda f: True, 0.5)
            assert sorted(frames) == sorted(frame(tenant, i) for i in range(100))


def ping_dont_fragment(ns, address, size):
    return run(["ping", "-n", "-c", "2", "-i", "0.1", "-W", "1", "-M", "do", "-s", size, address], netns=ns, check=False).stdout


@pytest.mark.parametrize("family", [4, 6])
def test_what_does_not_fit_is_told(hv, family):
    """MTU 1500 in the VMs and below: 50 or 70 bytes are missing."""
    hv.tunnels(family)
    fits = 1450 if family == 4 else 1430
    assert hv.net.ping(hv.a1, "10.0.0.2") == 3
    for ns in (hv.a1, hv.a2):
        run(["ip", "route", "flush", "cache"], netns=ns)
        run(["ip", "-6", "route", "flush", "cache"], netns=ns)
    assert f"mtu = {fits})" in ping_dont_fragment(hv.a1, "10.0.0.2", 1472)
    assert hv.net.ping(hv.a1, "10.0.0.2", size=fits - 28, extra=("-M", "do")) == 3
    answer = ping_dont_fragment(hv.a1, "fd00::2", 1452)
    assert re.search(f"Packet too big: mtu={fits}|mtu: {fits}", answer), answer
    assert hv.net.ping(hv.a1, "fd00::2", size=fits - 48, extra=("-M", "do")) == 3
    status = hv.switch[1].vsctl("get", "Interface", "vxa", "status")
    assert 'path_mtu="1500"' in status and "tunnel_egress_iface=eth0" in status, status
    assert hv.switch[1].drops().get("tunnel-mtu")
    # Without DF the outer packets are cut instead.
    hv.tunnels(family, df_default="false")
    run(["ip", "route", "flush", "cache"], netns=hv.a1)
    run(["ip", "-6", "route", "flush", "cache"], netns=hv.a1)
    assert hv.net.ping(hv.a1, "10.0.0.2", size=1472, extra=("-M", "do")) == 3


def test_a_narrow_path_is_found(hv):
    hv.tunnels()
    try:
        run(["ip", "link", "set", "up2", "mtu", "1300"], netns=hv.router)
        for ns in (hv.a1, hv.a2):
            run(["ip", "route", "flush", "cache"], netns=ns)
        for _ in range(6):      # The first one is refused on the way, the second tells the VM.
            ping_dont_fragment(hv.a1, "10.0.0.2", 1400)
        assert "mtu = 1250)" in ping_dont_fragment(hv.a1, "10.0.0.2", 1400) or \
            "mtu=1250" in run(["ip", "route", "get", "10.0.0.2"], netns=hv.a1) or \
            "mtu 1250" in run(["ip", "route", "get", "10.0.0.2"], netns=hv.a1)
        transfer(hv.a1, hv.a2, "10.0.0.2", 2 << 20)
        transfer(hv.a2, hv.a1, "10.0.0.1", 2 << 20)
        hv.switch[1].vsctl("set", "Interface", "vxa", "external_ids:look=again")
        wait_until(lambda: 'path_mtu="1300"' in hv.switch[1].vsctl("get", "Interface", "vxa", "status"), timeout=8)
    finally:
        run(["ip", "link", "set", "up2", "mtu", "1500"], netns=hv.router)
        for n in (1, 2):
            run(["ip", "route", "flush", "cache"], netns=hv.ns[n])
            run(["ip", "route", "flush", "cache"], netns=hv.vm[f"a{n}"])


def mss_of_syn(frame):
    ip = frame[14:]
    tcp = ip[(ip[0] & 15) * 4:] if ip[0] >> 4 == 4 else ip[40:]
    options = tcp[20:(tcp[12] >> 4) * 4]
    while options and options[0] != 2:
        options = options[1:] if options[0] == 1 else options[options[1]:]
    return struct.unpack("!H", options[2:4])[0]


@pytest.mark.parametrize("clamp", ["default", "false"])
def test_mss_is_clamped(hv, clamp):
    hv.tunnels(**({} if clamp == "default" else {"mss_clamp": clamp}))
    time.sleep(1.1)     # Path MTUs are remembered for a second.
    is_syn = lambda at, proto: lambda f: f[at + 13] & 2 and f[12:14] == proto
    for address, kind, at, headers in (("10.0.0.2", 0x800, 34, 40), ("fd00::2", 0x86dd, 54, 60)):
        with Wire(hv.a2, "eth0", kind) as wire:
            transfer(hv.a1, hv.a2, address, 1 << 20, port=7200)
            frame = wire.find(lambda f: len(f) > at + 20 and f[23 if at == 34 else 20] == 6 and f[at + 13] & 2)
        assert mss_of_syn(frame) == (1450 if clamp == "default" else 1500) - headers


# ---- Outer headers ----

def outer(hv, send, n=1, port=4789, timeout=1.0, family=4):
    """The first outer packet at the router after send(), as (IP header, UDP ports, VNI, inner frame)."""
    with Wire(hv.router, "up1", 0x800 if family == 4 else 0x86dd) as wire:
        send()
        at = 34 if family == 4 else 54
        udp = 23 if family == 4 else 20
        f = wire.find(lambda f: f[udp] == 17 and struct.unpack("!H", f[at + 2:at + 4])[0] == port
                      and f[at + 8 + 8 + 12:at + 8 + 8 + 14] == b"\x08\x00", timeout)
        assert f, "no outer packet came by"
        return f[14:at], struct.unpack("!HH", f[at:at + 4]), struct.unpack("!I", f[at + 12:at + 16])[0] >> 8, f[at + 16:]


def inner_packet(tos, ttl):
    """An IPv4 packet from VM 1 to VM 2 with this TOS and TTL."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 48, 7, 0, ttl, 17, 0, socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2"))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~total & 0xffff) + ip[12:]
    return bytes.fromhex((MAC[2] + MAC[1]).replace(":", "") + "0800") + ip + struct.pack("!HHHH", 7, 7, 28, 0) + b"x" * 20


OUTER_ROWS = [
    # options, inner TOS and TTL, outer TOS, TTL, DF
    ({}, (0, 64), (0, 64, True)),
    ({"df_default": "false"}, (0, 64), (0, 64, False)),
    ({"tos": "0x28", "ttl": "33"}, (0xb8, 9), (0x28, 33, True)),
    ({"tos": "inherit", "ttl": "inherit"}, (0xb8, 9), (0xb8, 9, True)),
    ({}, (0xb8, 9), (0, 64, True)),
    ({}, (0x02, 64), (0x02, 64, True)),      # ECN goes outside (RFC 6040).
    ({"tos": "0x28"}, (0x01, 64), (0x29, 64, True)),
    ({}, (0x03, 64), (0x02, 64, True)),      # CE is sent as ECT(0) in compatibility, or as CE: see below.
]


@pytest.mark.parametrize("family", [4, 6])
def test_outer_headers(hv, family):
    for options, (tos, ttl), (outer_tos, outer_ttl, df) in OUTER_ROWS:
        hv.tunnels(family, **options)
        with Wire(hv.a1, "eth0", 0x800) as vm:
            ip, _, vni, inner = outer(hv, lambda: vm.send(inner_packet(tos, ttl)), family=family)
        row = f"options {options}, inner TOS {tos:#x}, TTL {ttl}"
        assert vni == 5001
        assert inner == inner_packet(tos, ttl), row
        if family == 4:
            got = ip[1], ip[8], bool(ip[6] & 0x40)
            want = outer_tos, outer_ttl, df
        else:
            got = (ip[0] & 15) << 4 | ip[1] >> 4, ip[7]
            want = outer_tos, outer_ttl
        if tos == 3:
            assert got[0] in (2, 3), row      # Both are allowed by RFC 6040: copy, or reset.
        else:
            assert got == want, row


def test_source_ports_differ_by_flow(hv):
    hv.tunnels()
    assert hv.net.ping(hv.a1, "10.0.0.2") == 3
    with Wire(hv.router, "up1", 0x800) as wire:
        with socket_in(hv.a1, socket.AF_INET, socket.SOCK_DGRAM) as s:
            for i in range(203):
                if i < 3:
                    time.sleep(0.1)
                s.sendto(b"x", ("10.0.0.2", 20000 + i))
        frames = wire.all(lambda f: f[23] == 17 and f[36:38] == struct.pack("!H", 4789) and f[50 + 23] == 17, 0.5)
        ports = {}
        for f in frames:
            ports.setdefault(struct.unpack("!H", f[34:36])[0], []).append(f)
    assert sum((len(f) - 42) // 51 for f in frames) >= 200      # Some travel as one train, which is one frame on a veth.
    assert len(ports) >= 16, f"200 flows share {len(ports)} source ports"
    assert max(map(len, ports.values())) < 40
    with Wire(hv.router, "up1", 0x800) as wire:      # One flow keeps its port.
        with socket_in(hv.a1, socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(20):
                s.sendto(b"x", ("10.0.0.2", 20000))
        frames = wire.all(lambda f: f[23] == 17 and f[50 + 23] == 17, 0.3)
    assert len({f[34:36] for f in frames}) == 1


# ---- What is refused ----

def vxlan_payload(vni, frame, flags=0x08000000):
    return struct.pack("!II", flags, vni << 8) + frame


def test_bad_packets_are_dropped_under_their_reasons(hv):
    hv.tunnels()
    frame = inner_packet(0, 64)
    rows = [
        ("tunnel-malformed", hv.ns[2], b"\x08"),
        ("tunnel-malformed", hv.ns[2], vxlan_payload(5001, b"short")),
        ("tunnel-no-key", hv.ns[2], vxlan_payload(5001, frame, 0)),
        ("tunnel-unknown-key", hv.ns[2], vxlan_payload(5002, frame)),
        ("tunnel-unknown-remote", hv.router, vxlan_payload(5001, frame)),
    ]
    s = hv.switch[1]
    with Wire(hv.a1, "eth0", 0x800) as a, Wire(hv.b1, "eth0", 0x800) as b:
        for reason, ns, payload in rows:
            before = s.drops()
            with socket_in(ns, socket.AF_INET, socket.SOCK_DGRAM) as u:
                for _ in range(4):      # More at once could exceed the bound of packets that wait for a new flow.
                    u.sendto(payload, (HV[1][0], 4789))
            changed = lambda: {k: v - before.get(k, 0) for k, v in s.drops().items() if v != before.get(k, 0)}
            wait_until(lambda: changed().get(reason, 0) == 4, timeout=3)
            assert changed() == {reason: 4}
        assert not a.all(lambda f: True, 0.1) and not b.all(lambda f: True, 0.1), "it came through"
        with socket_in(hv.ns[2], socket.AF_INET, socket.SOCK_DGRAM) as u:      # A good one does.
            u.sendto(vxlan_payload(5001, bytes.fromhex((MAC[1] + MAC[2]).replace(":", "")) + frame[12:]), (HV[1][0], 4789))
        assert a.find(lambda f: True)


def test_a_taken_udp_port_is_named(hv):
    s = hv.switch[1]
    s.expect_warning("4790|vxt")
    with socket_in(hv.ns[1], socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 4790))
        with pytest.raises(CommandError) as e:
            s.vsctl("add-port", "br0", "vxt", "--", "set", "Interface", "vxt", "type=vxlan", "options:remote_ip=192.0.2.130",
                    "options:dst_port=4790")
        assert "4790" in e.value.err
        assert "4790" in s.vsctl("get", "Interface", "vxt", "error")
    s.vsctl("set", "Interface", "vxt", "options:key=9")
    assert s.vsctl("get", "Interface", "vxt", "error").strip() == "[]"
    s.vsctl("del-port", "br0", "vxt")
    with socket_in(hv.ns[1], socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("", 4790))       # Given back.


@pytest.mark.parametrize("options, words", [
    (["options:key=16777216", "options:remote_ip=192.0.2.130"], "16777215"),
    (["options:key=5"], "remote_ip"),
    (["options:remote_ip=300.1.2.3"], "300.1.2.3"),
    (["options:remote_ip=192.0.2.130", "options:dst_port=70000"], "70000"),
    (["options:remote_ip=192.0.2.130", "options:ttl=999"], "999"),
])
def test_bad_options_are_errors_on_the_row(hv, options, words):
    s = hv.switch[2]
    s.expect_warning("vxbad|config")
    try:
        s.vsctl("add-port", "br0", "vxbad", "--", "set", "Interface", "vxbad", "type=vxlan", *options, check=False)
        assert words in s.vsctl("get", "Interface", "vxbad", "error")
    finally:
        s.vsctl("del-port", "br0", "vxbad")


def test_two_tunnels_with_the_same_key(hv):
    """The second one is an error on its row; the first goes on."""
    hv.tunnels()
    s = hv.switch[1]
    s.expect_warning("vxdup")
    try:
        s.vsctl("add-port", "br0", "vxdup", "--", "set", "Interface", "vxdup", "type=vxlan", f"options:remote_ip={HV[2][0]}",
                "options:key=5001", check=False)
        assert s.vsctl("get", "Interface", "vxdup", "error").strip() != "[]"
        assert hv.net.ping(hv.a1, "10.0.0.2") == 3
    finally:
        s.vsctl("del-port", "br0", "vxdup")


# ---- Flow-based tunnels, many VNIs ----

@contextlib.contextmanager
def flow_bridge(hv, port="vxf", dst_port=4788):
    """A second bridge on hv1 with a flow-based tunnel and VM a1 in it."""
    s = hv.switch[1]
    s.vsctl("del-port", "br0", "a1", "--", "add-br", "brf", "--", "set-fail-mode", "brf", "secure", "--", "add-port", "brf", "a1",
            "--", "add-port", "brf", port, "--", "set", "Interface", port, "type=vxlan", "options:remote_ip=flow",
            "options:key=flow", f"options:dst_port={dst_port}")
    try:
        yield s
    finally:
        s.vsctl("del-br", "brf", "--", "add-port", "br0", "a1", "tag=10")


def test_flow_based_tunnels(hv):
    with flow_bridge(hv) as s:
        hv.switch[2].vsctl("add-port", "br0", "vx77", "tag=10", "--", "set", "Interface", "vx77", "type=vxlan",
                           f"options:remote_ip={HV[1][0]}", "options:key=77", "options:dst_port=4788",
                           "--", "--if-exists", "del-port", "vxa")
        try:
            s.ofctl("add-flow", "brf", f"in_port=a1,actions=set_field:{HV[2][0]}->tun_dst,set_field:77->tun_id,output:vxf")
            s.ofctl("add-flow", "brf", f"in_port=vxf,tun_id=77,tun_src={HV[2][0]},tun_dst={HV[1][0]},actions=output:a1")
            assert hv.net.ping(hv.a1, "10.0.0.2") == 3
            transfer(hv.a1, hv.a2, "10.0.0.2", 1 << 20)
            transfer(hv.a2, hv.a1, "10.0.0.1", 1 << 20)
            flows = [f for f in s.dp_flows() if "tun_id=0x4d" in f]
            assert flows, s.dp_flows()
            s.ofctl("del-flows", "brf", "in_port=vxf")
            s.ofctl("add-flow", "brf", "in_port=vxf,tun_id=78,actions=output:a1")
            assert hv.net.ping(hv.a1, "10.0.0.2", count=2) == 0
            s.ofctl("mod-flows", "brf", "in_port=a1,actions=set_field:77->tun_id,output:vxf")
            before = s.drops().get("tunnel-no-remote", 0)
            hv.net.ping(hv.a1, "10.0.0.2", count=2)
            assert s.drops().get("tunnel-no-remote", 0) > before
        finally:
            hv.switch[2].vsctl("del-port", "br0", "vx77")


def test_five_thousand_vnis_by_flow(hv):
    """Each VNI is a guard of its own; a rule copies the VNI into the frame, in both directions."""
    n = 5000
    with flow_bridge(hv) as s:
        s.ofctl("add-flow", "brf", "in_port=vxf,actions=move:NXM_NX_TUN_ID[0..23]->NXM_OF_ETH_SRC[0..23],output:a1")
        s.ofctl("add-flow", "brf", f"in_port=a1,actions=move:NXM_OF_ETH_SRC[0..23]->NXM_NX_TUN_ID[0..23],"
                f"set_field:{HV[2][0]}->tun_dst,output:vxf")
        frame = bytes.fromhex("02000000000a" + "0200000000ff" + "88b5") + b"vni" * 16
        with Wire(hv.a1, "eth0", 0x88b5) as vm, socket_in(hv.ns[2], socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
            u.bind(("", 4788))
            got = set()
            for first in range(1, n + 1, 250):
                for vni in range(first, first + 250):
                    u.sendto(vxlan_payload(vni, frame), (HV[1][0], 4788))
                wait_until(lambda: got.update(int(f[9:12].hex(), 16) for f in vm.all(lambda f: True, 0.02))
                           or len(got) >= first + 249, timeout=5)
            assert got == set(range(1, n + 1))
            out = set()
            u.settimeout(2)
            for first in range(1, n + 1, 250):
                for vni in range(first, first + 250):
                    vm.send(frame[:9] + vni.to_bytes(3, "big") + frame[12:])
                for _ in range(250):
                    data = u.recv(2000)
                    vni = struct.unpack("!I", data[4:8])[0] >> 8
                    assert int(data[8 + 9:8 + 12].hex(), 16) == vni
                    out.add(vni)
            assert out == set(range(1, n + 1))


def test_five_thousand_tunnel_ports(hv):
    n = 5000
    s = hv.switch[2]
    s.vsctl("add-br", "brm")
    s.ofctl("del-flows", "brm")
    try:
        start = time.monotonic()
        s.vsctl(*"--".join(f" add-port brm m{i} -- set Interface m{i} type=vxlan options:remote_ip={HV[1][0]} options:key={i} "
                           f"options:dst_port=4791 ofport_request={i} " for i in range(1, n + 1)).split())
        took = time.monotonic() - start
        assert took < 20, f"{n} tunnel ports took {took:.1f} s"
        assert s.vsctl("get", "Interface", f"m{n}", "ofport").strip() == str(n)
        s.ofctl("add-flow", "brm", "actions=in_port")
        with socket_in(hv.ns[1], socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.bind(("", 4791))
            u.settimeout(3)
            for vni in (1, 2, 2500, 4999, 5000):
                u.sendto(vxlan_payload(vni, inner_packet(0, 64)), (HV[2][0], 4791))
                assert struct.unpack("!I", u.recv(2000)[4:8])[0] >> 8 == vni
        start = time.monotonic()
        s.vsctl("set", "Interface", "m7", "options:ttl=9")      # One small change.
        assert time.monotonic() - start < 5
    finally:
        start = time.monotonic()
        s.vsctl("del-br", "brm")
        took = time.monotonic() - start
    assert took < 10, f"the end of {n} tunnel ports took {took:.1f} s"


# ---- On the wire ----

@pytest.mark.needs("tshark")
def test_tshark_finds_nothing_wrong(hv, tmp_path):
    hv.tunnels(csum="true")
    file = tmp_path / "vxlan.pcap"
    devices = [(hv.ns[1], "eth0"), (hv.ns[2], "eth0"), (hv.router, "up1"), (hv.router, "up2")]
    for ns, device in devices:
        offloads(ns, device, False)
    try:
        with capture(hv.router, "up1", str(file), "udp port 4789"):
            assert hv.net.ping(hv.a1, "10.0.0.2") == 3
            assert hv.net.ping(hv.b1, "fd00::2") == 3
            transfer(hv.a1, hv.a2, "10.0.0.2", 1 << 18)
            transfer(hv.a2, hv.a1, "fd00::1", 1 << 18)
    finally:
        for ns, device in devices:
            offloads(ns, device, True)
    options = [x for o in ("ip.check_checksum", "udp.check_checksum", "tcp.check_checksum") for x in ("-o", f"{o}:TRUE")]
    look = lambda *more: run(["tshark", "-r", file, *options, *more])
    assert len(look("-T", "fields", "-e", "vxlan.vni").split()) > 100
    bad = look("-Y", "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0"
               " || icmp.checksum.status == 0 || icmpv6.checksum.status == 0")
    assert not bad.strip(), bad[:2000]
    assert set(look("-T", "fields", "-e", "vxlan.vni").split()) <= {"5001", "70000"}
    assert not look("-Y", "!vxlan.flag_i").strip()


def test_tagged_frames_through_a_tunnel(hv):
    """Tunnel ports that are trunks: the inner frames are tagged, and TCP with segmentation offload goes through."""
    for n, other in ((1, 2), (2, 1)):
        hv.switch[n].vsctl("--if-exists", "del-port", "vxa", "--", "--if-exists", "del-port", "vxb", "--", "add-port", "br0", "vxt",
                           "--", "set", "Interface", "vxt", "type=vxlan", f"options:remote_ip={HV[other][0]}", "options:key=16000000")
    try:
        assert hv.net.ping(hv.a1, "10.0.0.2") == 3
        assert hv.net.ping(hv.b1, "10.0.0.2") == 3
        transfer(hv.a1, hv.a2, "10.0.0.2", 2 << 20)
        transfer(hv.b2, hv.b1, "fd00::1", 2 << 20)
        for ns in (hv.a1, hv.b1):
            run(["ip", "route", "flush", "cache"], netns=ns)
            run(["ip", "-6", "route", "flush", "cache"], netns=ns)
        assert "mtu = 1446)" in ping_dont_fragment(hv.a1, "10.0.0.2", 1472)
        assert hv.net.ping(hv.a1, "10.0.0.2", size=1446 - 28, extra=("-M", "do")) == 3
    finally:
        for n in (1, 2):
            hv.switch[n].vsctl("--if-exists", "del-port", "vxt")


@contextlib.contextmanager
def underlay_bridge(hv, n):
    """The hypervisor's own address moves from eth0 to a bridge that has eth0 as a port, as sites do."""
    gate = "192.0.2.1" if n == 1 else "192.0.2.129"
    ns, s = hv.ns[n], hv.switch[n]

    def address(device):
        for version in ("-4", "-6"):
            run(["ip", version, "route", "del", "default"], netns=ns, check=False)
        for a in (f"{HV[n][0]}/25", f"{HV[n][1]}/64"):
            run(["ip", "addr", "add", a, "dev", device, *(["nodad"] if ":" in a else [])], netns=ns)
        run(["ip", "route", "add", "default", "via", gate], netns=ns)
        run(["ip", "route", "add", "default", "via", f"2001:db8:{n}::1"], netns=ns)
        run(["ip", "neigh", "flush", "dev", f"up{n}"], netns=hv.router)      # The address has another MAC now.
        run(["ip", "-6", "neigh", "flush", "dev", f"up{n}"], netns=hv.router)

    s.vsctl("add-br", "br-ex", "--", "add-port", "br-ex", "eth0")
    try:
        run(["ip", "addr", "flush", "dev", "eth0"], netns=ns)
        run(["ip", "link", "set", "br-ex", "up"], netns=ns)
        address("br-ex")
        yield
    finally:
        s.vsctl("del-br", "br-ex")
        run(["ip", "addr", "flush", "dev", "eth0"], netns=ns, check=False)
        address("eth0")


@pytest.mark.parametrize("family", [4, 6])
def test_outer_packets_through_a_bridge_of_ours(hv, family):
    hv.tunnels(family)
    with underlay_bridge(hv, 1):
        wait_until(lambda: hv.net.ping(hv.a1, "10.0.0.2", count=1), timeout=5)
        assert hv.net.ping(hv.b1, "fd00::2") == 3
        transfer(hv.a1, hv.a2, "10.0.0.2", 4 << 20)
        transfer(hv.a2, hv.a1, "10.0.0.1", 4 << 20)
        transfer(hv.b1, hv.b2, "fd00::2", 2 << 20)
        transfer(hv.b2, hv.b1, "fd00::1", 2 << 20)
        assert "tunnel_egress_iface=br-ex" in hv.switch[1].vsctl("get", "Interface", "vxa", "status") or \
            hv.switch[1].vsctl("set", "Interface", "vxa", "external_ids:look=again") == "" and \
            "tunnel_egress_iface=br-ex" in hv.switch[1].vsctl("get", "Interface", "vxa", "status")
    wait_until(lambda: hv.net.ping(hv.a1, "10.0.0.2", count=1), timeout=5)


def test_tunnels_go_on_while_vswitchd_is_replaced(hv):
    hv.tunnels()
    assert hv.net.ping(hv.a1, "10.0.0.2") == 3 and hv.net.ping(hv.b1, "10.0.0.2") == 3
    s = hv.switch[1]
    with Stream(hv.a1, hv.a2, "10.0.0.2") as there, Stream(hv.b2, hv.b1, "10.0.0.1") as back:
        time.sleep(0.3)
        s.daemons.pop("vswitchd").kill()
        time.sleep(0.5)
        transfer(hv.a1, hv.a2, "10.0.0.2", 1 << 20)
        s.start_vswitchd()
        s.vsctl("set", "Interface", "vxa", "external_ids:x=y")
        time.sleep(1)
        assert hv.net.ping(hv.a1, "10.0.0.2") == 3
    assert (there.missing, there.duplicates) == ([], 0)
    assert (back.missing, back.duplicates) == ([], 0)
    assert "0 wrong" in s.appctl("revalidator/audit")


# ---- A Linux peer ----

class LinuxPeer:
    """A vxlan device of the kernel in hv2's place."""

    def __init__(self, hv):
        self.hv = hv
        self.ns = hv.net.namespace("linux")
        hv.net.veth(hv.router, "up3", self.ns, "eth0", ["198.51.100.1/24", "2001:db8:3::1/64"],
                    ["198.51.100.2/24", "2001:db8:3::2/64"])
        run(["ip", "route", "add", "default", "via", "198.51.100.1"], netns=self.ns)
        run(["ip", "route", "add", "default", "via", "2001:db8:3::1"], netns=self.ns)

    def device(self, family, vni, port=4789, flags=()):
        run(["ip", "link", "del", "vx0"], netns=self.ns, check=False)
        local, remote = ("198.51.100.2", HV[1][0]) if family == 4 else ("2001:db8:3::2", HV[1][1])
        done = run(["ip", "link", "add", "vx0", "address", MAC[2], "type", "vxlan", "id", vni, "local", local, "remote", remote,
                    "dstport", port, *flags], netns=self.ns, check=False)
        if done.returncode:
            pytest.skip(f"this kernel makes no vxlan device: {done.stderr.strip()}")
        for address in ("10.0.0.2/24", "fd00::2/64"):
            run(["ip", "addr", "add", address, "dev", "vx0", *(["nodad"] if ":" in address else [])], netns=self.ns)
        run(["ip", "link", "set", "vx0", "up"], netns=self.ns)


@pytest.fixture(scope="module")
def linux(hv):
    return LinuxPeer(hv)


LINUX_ROWS = [
    # family, flags of the kernel's device, options of ours
    (4, ["noudpcsum"], {}),
    (4, ["udpcsum"], {}),
    (4, ["noudpcsum"], {"csum": "true"}),
    (4, ["udpcsum"], {"csum": "true", "dst_port": "8472"}),
    (6, [], {}),
    (6, ["udp6zerocsumtx", "udp6zerocsumrx"], {"csum": "false"}),
    (6, ["udp6zerocsumrx"], {"dst_port": "8472"}),
]


@pytest.mark.parametrize("row", range(len(LINUX_ROWS)), ids=lambda i: "-".join(map(str, (LINUX_ROWS[i][0], *LINUX_ROWS[i][1],
                                                                                         *LINUX_ROWS[i][2].values()))))
def test_linux_peer(hv, linux, row):
    family, flags, options = LINUX_ROWS[row]
    linux.device(family, 5001, options.get("dst_port", 4789), flags)
    remote = "198.51.100.2" if family == 4 else "2001:db8:3::2"
    s = hv.switch[1]
    s.vsctl("--if-exists", "del-port", "vxa", "--", "--if-exists", "del-port", "vxl", "--", "add-port", "br0", "vxl", "tag=10",
            "--", "set", "Interface", "vxl", "type=vxlan", f"options:remote_ip=\"{remote}\"", "options:key=5001",
            *(f"options:{k}={v}" for k, v in options.items()))
    ends = ((hv.a1, "eth0"), (hv.ns[1], "eth0"), (linux.ns, "eth0"), (linux.ns, "vx0"))
    try:
        run(["ip", "neigh", "flush", "all"], netns=hv.a1)
        assert hv.net.ping(hv.a1, "10.0.0.2") == 3
        assert hv.net.ping(linux.ns, "fd00::1") == 3
        hv.net.ping(hv.a1, "10.0.0.2", size=3000)     # Learns what fits.
        assert hv.net.ping(hv.a1, "10.0.0.2", size=3000) == 3
        for on in (True, False):
            for ns, device in ends:
                offloads(ns, device, on)
            transfer(hv.a1, linux.ns, "10.0.0.2", 2 << 20)
            transfer(linux.ns, hv.a1, "10.0.0.1", 2 << 20)
            transfer(hv.a1, linux.ns, "fd00::2", 1 << 20)
            transfer(linux.ns, hv.a1, "fd00::1", 1 << 20)
    finally:
        for ns, device in ends:
            offloads(ns, device, True)
        s.vsctl("del-port", "br0", "vxl")
        run(["ip", "neigh", "flush", "all"], netns=hv.a1)


# ---- Open vSwitch as the peer ----

class OvsPeer:
    """Debian's Open vSwitch with its userspace datapath, private to a namespace."""

    def __init__(self, hv, folder):
        self.ns, self.vm, self.folder = hv.net.namespace("ovs"), hv.net.namespace("o2"), folder
        hv.net.veth(hv.router, "up4", self.ns, "eth0", "203.0.113.1/24", None)
        hv.net.veth(self.ns, "v0", self.vm, "eth0", None, ["10.0.0.2/24", "fd00::2/64"], mac2=MAC[2])
        offloads(self.vm, "eth0", False)       # That datapath has none.
        offloads(hv.router, "up4", False)
        offloads(self.ns, "eth0", False)
        self.env = {f"OVS_{kind}": str(folder) for kind in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR")}
        run(["ovsdb-tool", "create", folder / "conf.db", "/usr/share/openvswitch/vswitch.ovsschema"])
        self.start("ovsdb-server", f"--remote=punix:{folder}/db.sock", folder / "conf.db", "--pidfile", "-vconsole:off")
        wait_until(lambda: (folder / "db.sock").exists())
        self.vsctl("--no-wait", "init")
        self.start("ovs-vswitchd", f"unix:{folder}/db.sock", "--pidfile", "-vconsole:off")
        self.vsctl("add-br", "br-phy", "--", "set", "Bridge", "br-phy", "datapath_type=netdev", "--", "add-port", "br-phy", "eth0",
                   "--", "add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev", "--",
                   "add-port", "br-int", "v0")
        for words in (["addr", "add", "203.0.113.2/24", "dev", "br-phy"], ["link", "set", "br-phy", "up"],
                      ["route", "add", "default", "via", "203.0.113.1"]):
            run(["ip", *words], netns=self.ns)

    def start(self, *argv):
        self.processes = getattr(self, "processes", [])
        self.processes.append(subprocess.Popen(["ip", "netns", "exec", self.ns, *map(str, argv)], stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                               env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **self.env}))

    def vsctl(self, *words):
        return run(["ovs-vsctl", f"--db=unix:{self.folder}/db.sock", "--timeout=15", *words], env=self.env, netns=self.ns)

    def stop(self):
        for p in reversed(getattr(self, "processes", [])):
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


@pytest.mark.needs("ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl")
def test_open_vswitch_peer(hv, tmp_path):
    s = hv.switch[1]
    peer = OvsPeer.__new__(OvsPeer)
    try:
        peer.__init__(hv, tmp_path)
        peer.vsctl("add-port", "br-int", "vx0", "--", "set", "Interface", "vx0", "type=vxlan", f"options:remote_ip={HV[1][0]}",
                   "options:key=5001")
        s.vsctl("--if-exists", "del-port", "vxa", "--", "add-port", "br0", "vxo", "tag=10", "--", "set", "Interface", "vxo",
                "type=vxlan", "options:remote_ip=203.0.113.2", "options:key=5001")
        run(["ip", "neigh", "flush", "all"], netns=hv.a1)
        run(["ip", "link", "set", "eth0", "mtu", "1400"], netns=peer.vm)      # It tells nobody what does not fit.
        wait_until(lambda: hv.net.ping(hv.a1, "10.0.0.2", count=1), timeout=10)
        assert hv.net.ping(hv.a1, "10.0.0.2") == 3
        assert hv.net.ping(peer.vm, "10.0.0.1") == 3
        assert hv.net.ping(hv.a1, "fd00::2") == 3
        transfer(hv.a1, peer.vm, "10.0.0.2", 1 << 20)
        transfer(peer.vm, hv.a1, "10.0.0.1", 1 << 20)
        transfer(hv.a1, peer.vm, "fd00::2", 1 << 20)
    finally:
        peer.stop()
        s.vsctl("--if-exists", "del-port", "vxo")
        run(["ip", "neigh", "flush", "all"], netns=hv.a1)
