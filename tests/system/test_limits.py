# SPDX-License-Identifier: Apache-2.0
"""Large packets, many flows, hostile packets, and what an idle switch costs.

    a (10.0.0.1) --- pa [ br0 ] pb --- b (10.0.0.2)"""
import json
import os
import random
import re
import socket
import struct
import time

import pytest

from net import Net
from switch import Switch, run, wait_until
from traffic import Stream, Wire, transfer

pytestmark = [pytest.mark.root, pytest.mark.needs("ip", "ping")]

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
IP_A, IP_B = socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2")


class Pair:
    def __init__(self, net, switch, sw):
        self.net, self.switch, self.sw = net, switch, sw
        self.a, self.b = net.namespace("a"), net.namespace("b")
        net.veth(sw, "pa", self.a, "eth0", None, ["10.0.0.1/24", "fd00::1/64"], mac2=A)
        net.veth(sw, "pb", self.b, "eth0", None, ["10.0.0.2/24", "fd00::2/64"], mac2=B)
        switch.vsctl("add-br", "br0", "--", "add-port", "br0", "pa", "--", "add-port", "br0", "pb")

    def rules(self, *rules):
        self.switch.ofctl("del-flows", "br0")
        for rule in rules:
            self.switch.ofctl("add-flow", "br0", rule)

    def count(self, text):
        """n_packets of the rule that has this text."""
        line = next(line for line in self.switch.ofctl("dump-flows", "br0").splitlines() if text in line)
        return int(re.search(r"n_packets=(\d+)", line)[1])


@pytest.fixture
def pair(form):
    with Net() as net:
        sw = net.namespace("sw")
        with Switch(form, netns=sw) as s:
            yield Pair(net, s, sw)


def udp(src, dst, sport, dport, payload=b"x" * 20, mac=(B, A)):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, src, dst)
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~total & 0xffff) + ip[12:]
    return (bytes.fromhex("".join(mac).replace(":", "") + "0800") + ip
            + struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


# ---- Kinds of packets ----

def test_icmp_types_are_matched(pair):
    pair.rules("priority=1,actions=normal", "priority=9,icmp,icmp_type=8,icmp_code=0,nw_dst=10.0.0.2,actions=normal",
               "priority=9,icmp,icmp_type=0,actions=normal")
    assert pair.net.ping(pair.a, "10.0.0.2", count=5) == 5
    assert (pair.count("icmp_type=8"), pair.count("icmp_type=0")) == (5, 5)
    pair.switch.ofctl("add-flow", "br0", "priority=10,icmp,icmp_type=8,in_port=pb,actions=drop")
    assert pair.net.ping(pair.a, "10.0.0.2", count=2) == 2
    assert pair.net.ping(pair.b, "10.0.0.1", count=2) == 0
    pair.switch.ofctl("add-flow", "br0", "priority=10,icmp6,icmp_type=135,nd_target=fd00::2,actions=drop")
    run(["ip", "-6", "neigh", "flush", "all"], netns=pair.a)
    assert pair.net.ping(pair.a, "fd00::2", count=1) == 0, "a neighbour solicitation came through"
    pair.switch.ofctl("--strict", "del-flows", "br0", "priority=10,icmp6,icmp_type=135,nd_target=fd00::2")
    wait_until(lambda: pair.net.ping(pair.a, "fd00::2", count=1), timeout=5)


def test_fragments(pair):
    for address in ("10.0.0.2", "fd00::2"):
        assert pair.net.ping(pair.a, address, size=4000) == 3
        assert pair.net.ping(pair.a, address, size=60000) == 3
    pair.rules("priority=1,actions=normal", "priority=9,ip,in_port=pa,nw_frag=first,actions=normal",
               "priority=9,ip,in_port=pa,nw_frag=later,actions=normal", "priority=8,ip,in_port=pa,actions=normal")
    assert pair.net.ping(pair.a, "10.0.0.2", size=4000) == 3
    assert (pair.count("nw_frag=first"), pair.count("nw_frag=later")) == (3, 6)
    # Ports are in the first fragment only; later ones have port 0 and do not match.
    pair.rules("priority=1,actions=normal", "priority=9,icmp,icmp_type=8,actions=normal")
    assert pair.net.ping(pair.a, "10.0.0.2", size=4000) == 3
    assert pair.count("icmp_type=8") == 3
    pair.rules("priority=1,actions=normal", "priority=9,ip,nw_frag=yes,actions=drop")
    assert pair.net.ping(pair.a, "10.0.0.2", size=4000, count=2) == 0
    assert pair.net.ping(pair.a, "10.0.0.2", count=2) == 2


def test_jumbo_frames(pair):
    for ns, device in ((pair.sw, "pa"), (pair.sw, "pb"), (pair.a, "eth0"), (pair.b, "eth0")):
        run(["ip", "link", "set", device, "mtu", "9000"], netns=ns)
    assert pair.net.ping(pair.a, "10.0.0.2", size=8972, extra=("-M", "do")) == 3
    assert pair.net.ping(pair.a, "fd00::2", size=8952, extra=("-M", "do")) == 3
    transfer(pair.a, pair.b, "10.0.0.2", 4 << 20)
    wait_until(lambda: pair.switch.vsctl("get", "Interface", "pb", "mtu").strip() == "9000")
    run(["ip", "link", "set", "pb", "mtu", "1500"], netns=pair.sw)
    wait_until(lambda: pair.switch.vsctl("get", "Interface", "pb", "mtu").strip() == "1500")
    assert pair.net.ping(pair.a, "10.0.0.2", size=8972, extra=("-M", "do"), count=2) == 0
    assert pair.switch.drops().get("too-big", 0) >= 2
    run(["ip", "link", "set", "eth0", "mtu", "1500"], netns=pair.b)
    transfer(pair.a, pair.b, "10.0.0.2", 1 << 20)      # GSO packets of 9000-byte segments are cut for 1500.


# ---- Many flows ----

def test_ten_thousand_flows(pair):
    """Rules that look at all of the 5-tuple; each flow is one in the cache, its packets arrive once and in order."""
    n = 10000
    pair.rules("priority=1,actions=normal", "priority=9,udp,nw_src=10.9.9.9,nw_dst=10.9.9.9,tp_src=65535,tp_dst=65535,actions=drop",
               "priority=8,udp,tp_src=0/0x0001,tp_dst=0/0x0001,actions=normal",
               *(f"priority=7,udp,tp_dst={1 << i}/{1 << i:#x},actions=normal" for i in range(16)))
    tuples = [(1024 + i % 125, 2000 + i // 125) for i in range(n)]
    with Wire(pair.a, "eth0", 0x0800) as tx, Wire(pair.b, "eth0", 0x0800) as rx:
        for round_ in range(2):
            got = []
            for first in range(0, n, 500):
                for sport, dport in tuples[first:first + 500]:
                    tx.send(udp(IP_A, IP_B, sport, dport))
                end = time.monotonic() + 5
                while len(got) < first + 500 and time.monotonic() < end:
                    frame = rx.receive(0.5)
                    if frame and frame[23] == 17:
                        got.append(struct.unpack("!HH", frame[34:38]))
            assert len(got) == len(set(got)) == n, f"round {round_}: {len(got)} of {n}; {pair.switch.drops()}"
    pair.switch.appctl("revalidator/wait")
    counted = sum(int(m) for m in re.findall(r"n_packets=(\d+)", "\n".join(
        line for line in pair.switch.ofctl("dump-flows", "br0").splitlines() if "udp" in line)))
    assert counted == 2 * n
    assert " 0 wrong" in pair.switch.appctl("revalidator/audit")


def test_a_hostile_scan_does_not_grow_masks(pair):
    """Narrow rules of many shapes and packets of many shapes: at most 16 masks for a port, and others go on (CVE-2019-25076)."""
    s = pair.switch
    rules = ["priority=1,actions=normal"]
    for i in range(1, 33):
        rules.append(f"priority={100 + i},udp,nw_src=192.168.{i}.{i}/{i},tp_dst={i * 7},actions=normal")
        rules.append(f"priority={200 + i},udp,nw_dst=172.16.{i}.{i}/{i},tp_src={i * 11},actions=normal")
    for i in range(16):
        rules.append(f"priority={300 + i},udp,tp_src={1 << i}/{1 << i:#x},nw_tos={i * 4},actions=normal")
    pair.rules(*rules)
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    r = random.Random(7)
    with Stream(pair.a, pair.b, "10.0.0.2", rate=500) as stream:
        time.sleep(0.2)
        with Wire(pair.a, "eth0", 0x88b5) as tx:
            for _ in range(20):
                for _ in range(500):
                    tx.send(udp(r.randbytes(4), r.randbytes(4), r.randrange(65536), r.randrange(65536), b"hostile"))
                time.sleep(0.02)
        time.sleep(0.2)
    masks = int(re.search(r"masks\s*: (\d+)", s.appctl("upcall/show"))[1])
    guards = {m for f in s.dp_flows() for m in re.findall(r"in_port\((\w+)\)", f)}
    assert len(s.dp_flows()) > 100
    assert masks <= 16 * max(1, len(guards)), f"{masks} masks for {len(guards)} ports"
    lost = len(stream.missing)
    assert lost == 0, f"{lost} of {stream.n_sent} packets of an established flow were lost: {s.drops()}"
    s.appctl("revalidator/wait")
    assert " 0 wrong" in s.appctl("revalidator/audit")


def test_flow_limit_is_kept(pair):
    s = pair.switch
    s.vsctl("set", "Open_vSwitch", ".", "other_config:flow-limit=1000")
    pair.rules("priority=1,actions=normal", "priority=9,udp,tp_src=7,tp_dst=7,nw_src=1.2.3.4,actions=drop",
               *(f"priority=8,udp,tp_src={1 << i}/{1 << i:#x},actions=normal" for i in range(16)))
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    n = 3000
    with Wire(pair.a, "eth0", 0x0800) as tx, Wire(pair.b, "eth0", 0x0800) as rx:
        got = set()
        for i in range(n):
            tx.send(udp(IP_A, IP_B, 1024 + i, 99))
            if i % 200 == 199:
                for frame in rx.all(lambda f: f[23] == 17 and f[36:38] == b"\0\x63", 0.05):
                    got.add(frame[34:36])
        for frame in rx.all(lambda f: f[23] == 17 and f[36:38] == b"\0\x63", 0.5):
            got.add(frame[34:36])
    assert len(got) == n, f"at the limit packets are forwarded without caching: {len(got)} of {n} came, {s.drops()}"
    assert len(s.dp_flows()) <= 1000
    assert pair.net.ping(pair.b, "10.0.0.1") == 3


# ---- Idle ----

def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_idle_switch_sleeps(pair):
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    transfer(pair.a, pair.b, "10.0.0.2", 4 << 20)
    pids = [d.pid for d in pair.switch.daemons.values()]
    time.sleep(1)
    before = sum(map(cpu_seconds, pids))
    seconds = 3
    time.sleep(seconds)
    used = sum(map(cpu_seconds, pids)) - before
    assert used < 0.02 * seconds, f"{100 * used / seconds:.1f} % of a CPU"


def test_powers_of_the_datapath(pair):
    """tsuji-datapathd keeps what it needs of root's powers and no more."""
    if pair.switch.form != "split":
        pytest.skip("one process does everything in this form")
    names = {11: "net_broadcast", 12: "net_admin", 13: "net_raw", 14: "ipc_lock", 23: "sys_nice", 38: "perfmon", 39: "bpf"}
    for task in os.listdir(f"/proc/{pair.switch.daemons['datapath'].pid}/task"):
        status = open(f"/proc/{pair.switch.daemons['datapath'].pid}/task/{task}/status").read()
        for kind in ("CapEff", "CapPrm"):
            bits = int(re.search(rf"{kind}:\s*(\w+)", status)[1], 16)
            extra = [i for i in range(64) if bits >> i & 1 and i not in names]
            assert not extra, f"{kind} has capabilities {extra}"


def test_accounts_are_balanced(pair):
    """Also for floods, drops, packets that no flow takes, and those cut for a smaller MTU."""
    if pair.switch.form != "split":
        pytest.skip("tsuji-datapathd tells its accounts")
    pair.rules("priority=1,actions=normal", "priority=9,udp,tp_dst=9,actions=drop", "priority=9,udp,tp_dst=10,actions=pb,pb,in_port",
               "priority=9,udp,tp_dst=11,actions=controller", "priority=9,udp,tp_dst=12,actions=output:pb,controller")
    with Wire(pair.a, "eth0", 0x0800) as tx:
        for i in range(300):
            tx.send(udp(IP_A, IP_B, 1024 + i, 9 + i % 5))
        tx.send(bytes.fromhex("ffffffffffff") + bytes.fromhex(A.replace(":", "")) + b"\x88\xb5" + b"flood" * 10)
    transfer(pair.a, pair.b, "10.0.0.2", 1 << 20)

    def balanced():
        d = json.loads(pair.switch.appctl("-f", "json", "dpctl/show", target="tsuji-datapathd"))
        drops = json.loads(pair.switch.appctl("-f", "json", "drops/show", target="tsuji-datapathd"))
        print(d, drops)
        return d["received"] + d["made"] == d["sent"] + sum(drops.values()) + d["consumed"]
    wait_until(balanced, timeout=4, interval=0.2)
