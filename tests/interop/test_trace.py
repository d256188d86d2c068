# SPDX-License-Identifier: Apache-2.0
"""The same random rules, VLAN modes and packets in Tsuji and in Debian's Open vSwitch: the same packets leave by the same ports.

Left out is what differs on purpose (docs/design/translation.md): three tags, pushed tags over tags, priority tags in tunnels of tags."""
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile

import pytest

from switch import Switch, run, wait_until

pytestmark = pytest.mark.needs("ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
PORTS = ["p1", "p2", "p3", "p4"]
MACS = [f"02:00:00:00:00:0{i}" for i in range(4)]


class Stock:
    """Debian's Open vSwitch with dummy ports, in a directory of its own."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="tsuji-stock-")
        d = self.dir = pathlib.Path(self.temporary.name)
        self.env = {**os.environ, **{f"OVS_{kind}": str(d) for kind in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR")}}
        run(["ovsdb-tool", "create", d / "conf.db", SCHEMA], env=self.env)
        self.daemons = []
        self.spawn("ovsdb-server", d / "conf.db", f"--remote=punix:{d}/db.sock", "--pidfile")
        wait_until(lambda: (d / "db.sock").exists())
        run(["ovs-vsctl", "--no-wait", "init"], env=self.env)
        self.spawn("ovs-vswitchd", f"unix:{d}/db.sock", "--enable-dummy=override", "--disable-system", "--pidfile")
        wait_until(lambda: list(d.glob("ovs-vswitchd.*.ctl")))
        return self

    def spawn(self, *words):
        log = open(self.dir / "log", "a")
        self.daemons.append(subprocess.Popen([str(w) for w in words] + ["-vconsole:emer"], env=self.env, stdout=log, stderr=log))

    def __exit__(self, *_):
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(10)
        self.temporary.cleanup()


class Side:
    def __init__(self, env):
        self.env = env

    def vsctl(self, *words):
        return run(["ovs-vsctl", *words], env=self.env)

    def ofctl(self, *words):
        return subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", *words], env=self.env, capture_output=True, text=True, timeout=30)

    def appctl(self, *words):
        return run(["ovs-appctl", *words], env=self.env)

    def prepare(self):
        self.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=dummy", "fail_mode=secure",
                   "other_config:hwaddr=02:00:00:00:00:fe")
        for i, port in enumerate(PORTS):
            self.vsctl("add-port", "br0", port, "--", "set", "Interface", port, "type=dummy", f"ofport_request={i + 1}")
        shown = self.appctl("dpif/show")
        self.names = {m[2]: m[1] for m in re.finditer(r"^\s+(\S+) \d+/(\d+):", shown, re.M)}
        assert len(self.names) == 5, shown

    def sent(self, packet, headers, tags):
        actions = re.search(r"^Datapath actions: (.*)$", self.appctl("ofproto/trace", "br0", packet), re.M)[1]
        return actions, sorted(perform(split(actions), dict(headers), list(tags), self.names), key=str)


def split(text):
    words, depth, word = [], 0, ""
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and not depth:
            words.append(word)
            word = ""
        else:
            word += c
    return words + [word] if word else words


def merge(old, new):
    """A value with a mask, into an old value: Ethernet addresses and numbers."""
    value, mask = new.split("/")
    if ":" in value:
        old, value, mask = ([int(x, 16) for x in s.split(":")] for s in (old, value, mask))
        return ":".join(f"{(o & ~m) | (v & m):02x}" for o, v, m in zip(old, value, mask))
    old, value, mask = (int(s, 0) for s in (old, value, mask))
    return str((old & ~mask) | (value & mask))


def perform(actions, headers, tags, names):
    """What leaves: (port, tags, headers, length)."""
    sent, length = [], 0
    for a in actions:
        if a.isdigit():
            sent.append((names[a], tuple(tags), tuple(sorted(headers.items())), length))
            length = 0
        elif a.startswith("userspace"):
            sent.append(("controller", tuple(tags), tuple(sorted(headers.items())), 0))
        elif a.startswith("clone("):
            sent += perform(split(a[6:-1]), dict(headers), list(tags), names)
        elif a.startswith("push_vlan("):
            words = dict(w.split("=") for w in a[10:-1].split(","))
            tags.insert(0, (words.get("tpid", "0x8100"), words["vid"], words["pcp"]))
        elif a == "pop_vlan":
            tags.pop(0)
        elif a.startswith("trunc("):
            length = int(a[6:-1])
        elif a.startswith("set("):
            kind, members = a[4:-2].split("(", 1)
            for member in members.split(",") if not kind.startswith("skb") else []:
                name, value = member.split("=", 1)
                name = f"{kind}.{name}"
                value = merge(headers[name], value) if "/" in value else value
                headers[name] = str(int(value, 0)) if name in ("ipv4.tos", "ipv4.ttl") else value
        else:
            assert a == "drop", a
    return sent


def random_flow(pick):
    table = pick.randrange(4)
    words = [f"table={table}", f"priority={pick.randrange(65535)}"]
    if pick.random() < 0.3:
        words.append(f"in_port={pick.randint(1, 4)}")
    if pick.random() < 0.2:
        words.append(f"reg0={pick.randint(1, 3)}")
    if pick.random() < 0.2:
        words.append("dl_dst=" + pick.choice(MACS + ["01:00:00:00:00:00/01:00:00:00:00:00"]))
    if pick.random() < 0.2:
        words.append(pick.choice(["dl_vlan=10", "dl_vlan=20", "vlan_tci=0x0000", "vlan_tci=0x1000/0x1000"]))
    words.append(pick.choice(["ip,nw_dst=10.0.0.0/8", "ip,nw_dst=10.1.2.3", "tcp,tp_dst=80", "udp,tp_dst=0x50/0xfff0", "ip,nw_tos=8", "arp"] + [""] * 4))
    actions = [pick.choice([f"output:{pick.randint(1, 4)}", "NORMAL", "FLOOD", "IN_PORT", "ALL", "CONTROLLER", f"resubmit(,{table + 1})",
                            f"resubmit(,{table + 1})", f"set_field:{pick.choice(MACS)}->eth_dst", f"set_field:{pick.choice(MACS)}->eth_src",
                            "set_field:10.1.2.3->ip_dst", f"load:{pick.randrange(5)}->NXM_NX_REG0[]", "dec_ttl", "set_field:80->tcp_dst",
                            "mod_nw_tos:8", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]",
                            "move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG0[0..11]", "strip_vlan", "exit", "output:NXM_NX_REG0[]",
                            f"output(port={pick.randint(1, 4)},max_len=100)", f"resubmit({pick.randint(1, 4)},{table + 1})"])
               for _ in range(pick.randint(1, 4))]
    return ",".join(w for w in words if w) + ",actions=" + ",".join(actions)


def random_mode(pick, port):
    mode = pick.choice(["access", "native-tagged", "native-untagged", "trunk", "trunk", "dot1q-tunnel"])
    words = ["--", "clear", "Port", port, "vlan_mode", "tag", "trunks", "--", "set", "Port", port, f"vlan_mode={mode}"]
    if mode != "trunk":
        words.append(f"tag={pick.choice([10, 20])}")
    if mode in ("native-untagged", "trunk") and pick.random() < 0.5:
        words.append("trunks=" + pick.choice(["0,10", "10,20"]))
    return words


def random_packet(pick):
    source, destination = pick.choice(MACS), pick.choice(MACS + ["ff:ff:ff:ff:ff:ff"])
    headers, tags = {"eth.src": source, "eth.dst": destination}, []
    kind = pick.choice(["arp", "tcp", "udp", "udp"])
    words = [f"in_port={pick.randint(1, 4)}", kind, f"dl_src={source}", f"dl_dst={destination}"]
    if pick.random() < 0.4:
        vlan = pick.choice([10, 11, 20])
        words += [f"dl_vlan={vlan}", "dl_vlan_pcp=0"]
        tags.append(("0x8100", str(vlan), "0"))
    if kind != "arp":
        values = {"ipv4.src": pick.choice(["10.1.2.3", "10.2.3.4"]), "ipv4.dst": pick.choice(["10.1.2.3", "192.168.0.1"]),
                  "ipv4.tos": str(4 * pick.randrange(4)), "ipv4.ttl": str(pick.choice([1, 2, 64])),
                  f"{kind}.src": str(pick.randint(1, 65535)), f"{kind}.dst": str(pick.choice([80, 81, 8080]))}
        headers.update(values)
        for name, value in values.items():
            layer, member = name.split(".")
            words.append(f"nw_{member}={value}" if layer == "ipv4" else f"{kind}_{member}={value}")
    return ",".join(words), headers, tags


@pytest.fixture(scope="module")
def sides():
    with Stock() as stock, Switch(dummy=True) as switch:
        both = Side(switch.env), Side(stock.env)
        for side in both:
            side.prepare()
        both[1].vsctl("set", "Open_vSwitch", ".", "other_config:vlan-limit=2")
        yield both


@pytest.mark.parametrize("seed", range(8))
def test_packets_leave_alike(sides, seed):
    pick = random.Random(seed)
    ours, theirs = sides
    modes = [word for port in PORTS for word in random_mode(pick, port)]
    flows = ["table=0,priority=0,actions=" + pick.choice(["NORMAL", "resubmit(,1),resubmit(,2)"])]
    for side in sides:
        side.vsctl(*modes)
        side.ofctl("del-flows", "br0")
        side.ofctl("add-flow", "br0", flows[0])
    while len(flows) < 15:
        flow = random_flow(pick)
        refused = [side.ofctl("add-flow", "br0", flow).returncode != 0 for side in sides]
        assert refused[0] == refused[1], f"{flow}: one takes it, one does not: {refused}"
        if not refused[0]:
            flows.append(flow)
    for _ in range(25):
        packet = random_packet(pick)
        (actions, mine), (stock_actions, stock) = ours.sent(*packet), theirs.sent(*packet)
        assert mine == stock, (f"{packet[0]}\nours:   {actions}\ntheirs: {stock_actions}\n"
                               f"{theirs.appctl('ofproto/trace', 'br0', packet[0])}\n{' '.join(modes)}")
