# SPDX-License-Identifier: Apache-2.0
"""The unmodified tools of Open vSwitch, and a raw OpenFlow controller, with a running Tsuji, in both forms."""
import json
import re
import socket
import struct
import subprocess
import time

import pytest

from switch import Switch, wait_until

pytestmark = pytest.mark.needs("ovs-vsctl", "ovs-ofctl", "ovs-appctl", "ovsdb-client")
VERSIONS = ["OpenFlow10", "OpenFlow13", "OpenFlow14", "OpenFlow15"]
A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
FRAME = "02000000000b02000000000a0800" + "00" * 46


@pytest.fixture(scope="module", params=["embedded", "split"])
def shared(request):
    """One switch for tests that leave it as they found it: br0 with p1, p2."""
    with Switch(request.param, dummy=True) as s:
        s.vsctl("add-br", "br0", unmodified=True)
        for i in (1, 2):
            s.vsctl("add-port", "br0", f"p{i}", "--", "set", "Interface", f"p{i}", "type=dummy", f"ofport_request={i}",
                    unmodified=True)
        yield s


@pytest.fixture
def switch(shared):
    yield shared
    shared.ofctl("del-flows", "br0")
    shared.ofctl("add-flow", "br0", "priority=0,actions=NORMAL")


def vsctl(switch, *words, **options):
    return switch.vsctl(*words, unmodified=True, **options)


def ofctl(switch, *words, **options):
    return switch.ofctl(*words, unmodified=True, **options)


def appctl(switch, *words, **options):
    return switch.appctl(*words, unmodified=True, **options)


def client(switch, command, *words, check=True):
    """ovsdb-client; its options go before the server, words behind it."""
    return switch.tool("ovsdb-client", "-t", "20", command, f"unix:{switch.dir}/db.sock", *words, check=check)


# ---- ovs-vsctl ----

def test_bridges_and_ports_come_and_go(switch):
    vsctl(switch, "add-br", "br1", "--", "add-port", "br1", "q1", "--", "set", "Interface", "q1", "type=dummy",
          "options:ifindex=7")
    assert vsctl(switch, "list-br").split() == ["br0", "br1"]
    assert vsctl(switch, "list-ports", "br1").split() == ["q1"] and vsctl(switch, "port-to-br", "q1") == "br1\n"
    assert int(vsctl(switch, "get", "Interface", "q1", "ofport")) == 1
    assert vsctl(switch, "--may-exist", "add-br", "br1") == "" and vsctl(switch, "--may-exist", "add-port", "br1", "q1") == ""
    done = vsctl(switch, "add-br", "br1", check=False)
    assert done.returncode == 1 and "already exists" in done.stderr
    assert re.search(r"Bridge br1\n(.*\n)*        Port q1\n            Interface q1\n                type: dummy", vsctl(switch, "show"))
    assert "br1" in appctl(switch, "dpif/show") and "q1 1/" in appctl(switch, "dpif/show")
    vsctl(switch, "del-port", "q1", "--", "del-br", "br1")
    assert "br1" not in appctl(switch, "dpif/show") and not (switch.dir / "br1.mgmt").exists()
    assert vsctl(switch, "--if-exists", "del-br", "br1") == "" and vsctl(switch, "--if-exists", "del-port", "q1") == ""
    assert vsctl(switch, "del-br", "br1", check=False).returncode == 1
    assert vsctl(switch, "br-exists", "br1", check=False).returncode == 2


def test_records(switch):
    vsctl(switch, "set", "Port", "p1", "tag=7", "external_ids:a=b")
    assert vsctl(switch, "get", "Port", "p1", "tag", "external_ids") == "7\n{a=b}\n"
    assert vsctl(switch, "--columns=name", "--bare", "find", "Port", "tag=7") == "p1\n"
    assert "tag                 : 7" in vsctl(switch, "list", "Port", "p1")
    assert json.loads(vsctl(switch, "-f", "json", "--columns=name,tag", "find", "Port", "tag=7"))["data"] == [["p1", 7]]
    vsctl(switch, "clear", "Port", "p1", "tag", "external_ids", "--", "set", "Port", "p1", "trunks=3,5", "--", "add", "Port", "p1",
          "trunks", "9", "--", "remove", "Port", "p1", "trunks", "3")
    assert vsctl(switch, "get", "Port", "p1", "trunks") == "[5, 9]\n"
    vsctl(switch, "clear", "Port", "p1", "trunks")
    assert vsctl(switch, "set", "Port", "p1", "tag=9999", check=False).returncode == 1
    assert vsctl(switch, "get", "Port", "p1", "tag") == "[]\n"


def test_a_tag_is_in_force_when_the_tool_returns(switch):
    for tag in (5, 6, 7):
        vsctl(switch, "set", "Port", "p2", f"tag={tag}")
        assert f"push_vlan(vid={tag}" in switch.datapath_actions("br0", f"in_port=2,dl_src={A},dl_dst={B}")
    vsctl(switch, "clear", "Port", "p2", "tag")
    assert "push_vlan" not in switch.datapath_actions("br0", f"in_port=2,dl_src={A},dl_dst={B}")


def test_a_tunnel_and_a_type_that_is_unknown(switch):
    vsctl(switch, "add-port", "br0", "vx0", "--", "set", "Interface", "vx0", "type=vxlan", "options:remote_ip=127.0.0.2",
          "options:key=5000")
    assert "vx0" in appctl(switch, "dpif/show") and int(vsctl(switch, "get", "Interface", "vx0", "ofport")) > 0
    vsctl(switch, "del-port", "vx0")
    switch.expect_warning("gre")
    done = vsctl(switch, "add-port", "br0", "g0", "--", "set", "Interface", "g0", "type=gre", check=False)
    assert 'Error detected while setting up \'g0\'' in done.stderr and "vxlan" in done.stderr
    assert vsctl(switch, "get", "Interface", "g0", "ofport") == "-1\n"
    vsctl(switch, "del-port", "g0")


def test_wait_until(switch):
    words = ["ovs-vsctl", f"--db=unix:{switch.dir}/db.sock", "-t", "20", "wait-until", "Interface", "late", "link_state=up"]
    waiting = subprocess.Popen(words, env=switch.env)
    time.sleep(0.2)
    assert waiting.poll() is None
    vsctl(switch, "add-port", "br0", "late", "--", "set", "Interface", "late", "type=dummy")
    assert waiting.wait(10) == 0
    vsctl(switch, "del-port", "late")


def test_controllers(switch):
    vsctl(switch, "set-controller", "br0", "ptcp:0:127.0.0.1")
    assert vsctl(switch, "get-controller", "br0") == "ptcp:0:127.0.0.1\n"
    vsctl(switch, "del-controller", "br0")
    assert vsctl(switch, "get-controller", "br0") == ""
    listener = socket.create_server(("127.0.0.1", 0))
    vsctl(switch, "set-controller", "br0", f"tcp:127.0.0.1:{listener.getsockname()[1]}")
    with listener, listener.accept()[0] as peer:
        hello = peer.recv(8)
        assert hello[1] == 0
        peer.sendall(struct.pack("!BBHI", 4, 0, 8, 1))
        wait_until(lambda: vsctl(switch, "--bare", "--columns=is_connected", "list", "Controller") == "true\n")
        assert "is_connected: true" in vsctl(switch, "show")
    wait_until(lambda: vsctl(switch, "--bare", "--columns=is_connected", "list", "Controller") == "false\n")
    vsctl(switch, "set-fail-mode", "br0", "secure", "--", "del-controller", "br0")
    assert vsctl(switch, "get-fail-mode", "br0") == "secure\n"
    vsctl(switch, "del-fail-mode", "br0")


def test_managers(switch):
    vsctl(switch, "set-manager", "ptcp:0:127.0.0.1")
    port = wait_until(lambda: re.search(r'bound_port="(\d+)"', vsctl(switch, "--columns=status", "list", "Manager")))[1]
    assert "Open_vSwitch" in switch.tool("ovsdb-client", "list-dbs", f"tcp:127.0.0.1:{port}")
    assert switch.tool("ovs-vsctl", f"--db=tcp:127.0.0.1:{port}", "list-br") == "br0\n"
    vsctl(switch, "del-manager")
    wait_until(lambda: switch.tool("ovsdb-client", "list-dbs", f"tcp:127.0.0.1:{port}", check=False).returncode)


# ---- ovs-ofctl ----

@pytest.mark.parametrize("version", VERSIONS)
def test_ofctl_shows(switch, version):
    def show(*words):
        return ofctl(switch, "-O", version, *words)
    shown = show("show", "br0")
    assert "n_tables:254" in shown and "1(p1)" in shown and "LOCAL(br0)" in shown
    assert "2(p2)" in show("dump-ports-desc", "br0")
    ports = show("dump-ports", "br0")
    assert ": 3 ports" in ports and 'port LOCAL' in ports and "rx pkts=0" in show("dump-ports", "br0", "2")
    assert "table 0" in show("dump-tables", "br0") and "flow_count=1" in show("dump-aggregate", "br0")
    assert "Hardware: Open vSwitch" in show("dump-desc", "br0") and "DP Description: br0" in show("dump-desc", "br0")
    assert show("probe", "br0") == "" and show("ping", "br0", "64").count("64 bytes from br0") == 10
    assert "0 queues" in show("queue-stats", "br0")
    if version == "OpenFlow10":
        return
    features = show("dump-table-features", "br0")
    assert 'table 0 ("table0")' in features and "apply_actions" in features and "goto_table" in features
    for command in ("dump-groups", "dump-meters", "dump-group-features", "meter-features"):   # Not done yet.
        assert "OFPBRC_BAD_STAT" in show(command, "br0")
    if version != "OpenFlow13":
        assert "eviction=off" in show("dump-table-desc", "br0")


@pytest.mark.parametrize("version", VERSIONS)
def test_ofctl_changes_rules(switch, version, tmp_path):
    def run(*words, **options):
        return ofctl(switch, "-O", version, *words, **options)

    def rules():
        return sorted(line.strip() for line in run("--no-stats", "dump-flows", "br0").splitlines() if "actions=" in line)
    run("del-flows", "br0")
    run("add-flows", "br0", "-", stdin="priority=5,in_port=p1,actions=output:p2\ncookie=0x7,priority=6,tcp,tp_dst=80,actions=drop\n"
        "priority=7,udp,nw_src=10.0.0.0/8,idle_timeout=90,hard_timeout=900,send_flow_rem,actions=mod_dl_dst:02:00:00:00:00:09,LOCAL\n")
    change = "mod_dl_dst:02:00:00:00:00:09" if version == "OpenFlow10" else "set_field:02:00:00:00:00:09->eth_dst"
    flags = "" if version == "OpenFlow10" else "send_flow_rem "     # 1.0 does not show flags.
    assert rules() == ["cookie=0x7, priority=6,tcp,tp_dst=80 actions=drop",
                       f"idle_timeout=90, hard_timeout=900, {flags}priority=7,udp,nw_src=10.0.0.0/8 actions={change},LOCAL",
                       "priority=5,in_port=1 actions=output:2"]
    run("mod-flows", "br0", "tcp,actions=output:2")
    assert any("tcp,tp_dst=80 actions=output" in r for r in rules())
    run("--strict", "mod-flows", "br0", "priority=6,tcp,tp_dst=80,actions=output:1")
    assert any("tcp,tp_dst=80 actions=output:" in r and r.endswith(("1", "p1", '"p1"')) for r in rules())
    run("--strict", "del-flows", "br0", "priority=5,tcp,tp_dst=80")      # Another priority.
    assert len(rules()) == 3
    run("--strict", "del-flows", "br0", "priority=6,tcp,tp_dst=80")
    assert len(rules()) == 2
    run("del-flows", "br0", "udp")
    assert len(rules()) == 1
    file = tmp_path / "flows"
    file.write_text("priority=5,in_port=1,actions=output:2\npriority=9,arp,actions=NORMAL\n")
    done = run("diff-flows", "br0", str(file), check=False)
    assert done.returncode == 2 and "+" in done.stdout and "arp" in done.stdout
    run("replace-flows", "br0", str(file))
    assert run("diff-flows", "br0", str(file)) == "" and len(rules()) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_port_mods(switch, version):
    def state():
        return ofctl(switch, "-O", version, "dump-ports-desc", "br0").split("2(p2)")[1].split("speed")[0]
    for word, shown in (("no-flood", "NO_FLOOD"), ("no-forward", "NO_FWD"), ("no-receive", "NO_RECV"), ("no-packet-in", "NO_PACKET_IN")):
        if version != "OpenFlow10" and shown == "NO_FLOOD":
            continue
        ofctl(switch, "-O", version, "mod-port", "br0", "p2", word)
        assert shown in state(), word
        ofctl(switch, "-O", version, "mod-port", "br0", "p2", word[3:])
        assert shown not in state(), word
    ofctl(switch, "-O", version, "mod-port", "br0", "p2", "down")
    assert "PORT_DOWN" in state()
    ofctl(switch, "-O", version, "mod-port", "br0", "p2", "up")
    assert "PORT_DOWN" not in state()


@pytest.mark.parametrize("version", VERSIONS)
def test_monitor_sees_packets(switch, version):
    with open(switch.dir / "monitor.out", "w+") as out:
        monitor = subprocess.Popen(["ovs-ofctl", "-O", version, "monitor", "br0", "65534"], env=switch.env, stdout=out, stderr=out)
        try:
            text = lambda: (switch.dir / "monitor.out").read_text()
            time.sleep(0.3)
            ofctl(switch, "-O", version, "add-flow", "br0", "priority=9,in_port=1,actions=controller")
            wait_until(lambda: [switch.receive("p1", FRAME), "PACKET_IN" in text()][1], interval=0.1)
            assert "in_port=1" in text() and "(via action)" in text() and f"dl_src={A},dl_dst={B}" in text()
            ofctl(switch, "-O", version, "packet-out", "br0", f"in_port=2, packet={FRAME} actions=controller")
            wait_until(lambda: "in_port=2 (via" in text())
        finally:
            monitor.terminate()
            monitor.wait()


def test_snoop_sees_what_a_controller_says(switch):
    listener = socket.create_server(("127.0.0.1", 0))
    vsctl(switch, "set-controller", "br0", f"tcp:127.0.0.1:{listener.getsockname()[1]}")
    with listener, listener.accept()[0] as peer, open(switch.dir / "snoop.out", "w+") as out:
        peer.sendall(struct.pack("!BBHI", 1, 0, 8, 1))
        snoop = subprocess.Popen(["ovs-ofctl", "snoop", "br0"], env=switch.env, stdout=out, stderr=out)
        try:
            def seen():
                peer.sendall(struct.pack("!BBHI", 1, 2, 8, 0x77))
                return "OFPT_ECHO_REPLY (xid=0x77)" in (switch.dir / "snoop.out").read_text()
            wait_until(seen, interval=0.1)
        finally:
            snoop.terminate()
            snoop.wait()
    vsctl(switch, "del-controller", "br0")


def test_ofctl_on_bad_input(switch):
    done = ofctl(switch, "-O", "OpenFlow13", "add-flow", "br0", "actions=group:77", check=False)
    assert done.returncode == 1 and "OFPBAC_BAD_OUT_GROUP" in done.stderr
    done = ofctl(switch, "show", "br9", check=False)
    assert done.returncode == 1 and "br9" in done.stderr
    done = ofctl(switch, "-O", "OpenFlow13", "add-flow", "br0", "table=254,actions=drop", check=False)
    assert done.returncode == 1 and "OFPBRC_EPERM" in done.stderr


# ---- ovs-appctl ----

def test_appctl(switch):
    first = appctl(switch, "version").splitlines()[0]
    assert re.fullmatch(r"ovs-vswitchd \(Open vSwitch\) \d+\.\d+\.\d+", first)
    commands = appctl(switch, "list-commands")
    for word in ("fdb/show", "dpif/show", "dpctl/show", "dpctl/dump-flows", "ofproto/trace", "revalidator/purge", "coverage/show",
                 "memory/show", "upcall/show", "exit", "vlog/set", "vlog/list"):
        assert re.search(rf"^  {word}\b", commands, re.M)
    switch.receive("p1", FRAME)
    assert A in appctl(switch, "fdb/show", "br0") and "br0:" in appctl(switch, "dpif/show")
    assert "lookups: hit:" in appctl(switch, "dpctl/show") and "port 2: p1" in appctl(switch, "dpctl/show")
    assert "in_port(2)" in appctl(switch, "dpctl/dump-flows") or "in_port(p1)" in appctl(switch, "dpctl/dump-flows")
    assert "Datapath actions: " in appctl(switch, "ofproto/trace", "br0", f"in_port=1,dl_src={A},dl_dst={B}")
    assert "flow" in appctl(switch, "upcall/show") and ":" in appctl(switch, "memory/show")
    assert "total: " in appctl(switch, "coverage/show")
    appctl(switch, "revalidator/purge")
    assert appctl(switch, "dpctl/dump-flows") == ""
    for words in (["nosuch/command"], ["fdb/show"], ["fdb/show", "br9"], ["ofproto/trace", "br0", "in_prot=1"], ["vlog/set", "nosuch:dbg"]):
        done = appctl(switch, *words, check=False)
        assert done.returncode == 2 and "server returned an error" in done.stderr, words


def test_log_levels(switch):
    appctl(switch, "vlog/set", "ofproto:file:dbg")
    assert re.search(r"^ofproto +OFF +INFO +DBG", appctl(switch, "vlog/list"), re.M)
    appctl(switch, "vlog/set", "ANY:file:info")
    assert "DBG" not in appctl(switch, "vlog/list")


def test_exit(form):
    with Switch(form, dummy=True) as s:
        s.vsctl("add-br", "br0", unmodified=True)
        daemon = s.daemons.pop("vswitchd")
        s.appctl("exit", unmodified=True)
        assert daemon.process.wait(10) == 0 and not (s.dir / "ovs-vswitchd.pid").exists() and not (s.dir / "br0.mgmt").exists()


# ---- ovsdb-client ----

def test_ovsdb_client(switch):
    assert client(switch, "list-dbs").split() == ["Open_vSwitch", "_Server"]
    schema = json.loads(client(switch, "get-schema"))
    assert schema["name"] == "Open_vSwitch" and "Interface" in schema["tables"]
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", client(switch, "get-schema-version"))
    assert "Bridge" in client(switch, "list-tables").split() and "fail_mode" in client(switch, "list-columns", "Open_vSwitch", "Bridge")
    assert '"p1"' in client(switch, "dump", "Open_vSwitch", "Port", "name") or "p1" in client(switch, "dump", "Open_vSwitch", "Port", "name")
    reply = json.loads(client(switch, "transact", '["Open_vSwitch",{"op":"select","table":"Port","where":[["name","==","p1"]],'
                              '"columns":["name"]}]'))
    assert reply == [{"rows": [{"name": "p1"}]}]
    assert "syntax error" in client(switch, "transact", '["Open_vSwitch",{"op":"nosuch"}]')
    assert client(switch, "wait", "Open_vSwitch", "connected") == ""


def test_ovsdb_client_monitors(switch):
    with open(switch.dir / "dbmonitor.out", "w+") as out:
        monitor = subprocess.Popen(["ovsdb-client", "-f", "csv", "monitor", f"unix:{switch.dir}/db.sock", "Open_vSwitch", "Port",
                                    "name,tag"], env=switch.env, stdout=out, stderr=out)
        try:
            text = lambda: (switch.dir / "dbmonitor.out").read_text()
            wait_until(lambda: ",initial,p1,[]" in text())
            vsctl(switch, "set", "Port", "p1", "tag=77")
            wait_until(lambda: re.search(r",new,p1,77", text()))
            vsctl(switch, "clear", "Port", "p1", "tag")
            wait_until(lambda: re.search(r",old,(p1)?,77", text()))
        finally:
            monitor.terminate()
            monitor.wait()


# ---- A raw controller ----

class Raw:
    """A connection on the management socket; keeps what came unasked."""

    def __init__(self, switch, version):
        self.version, self.data, self.unasked, self.xid = version, b"", [], 10
        self.barrier = 18 if version == 1 else 20
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(switch.dir / "br0.mgmt"))
        self.send(0, struct.pack("!HHI", 1, 8, 1 << version))
        assert self.receive()[0] == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, body=b""):
        self.xid += 1
        self.socket.sendall(struct.pack("!BBHI", self.version, kind, 8 + len(body), self.xid) + body)
        return self.xid

    def listen(self):
        """Asks for asynchronous messages, which a management connection does not get before."""
        self.send(9, struct.pack("!HH", 0, 128))
        self.ask(self.barrier)

    def receive(self):
        while len(self.data) < 8 or len(self.data) < struct.unpack_from("!H", self.data, 2)[0]:
            piece = self.socket.recv(65536)
            assert piece, "the switch closed the connection"
            self.data += piece
        _, kind, length, xid = struct.unpack_from("!BBHI", self.data)
        body, self.data = self.data[8:length], self.data[length:]
        return kind, xid, body

    def ask(self, kind, body=b""):
        """The reply with the same number; other messages go to unasked."""
        xid = self.send(kind, body)
        while True:
            got = self.receive()
            if got[1] == xid:
                return got[0], got[2]
            self.unasked.append(got)

    def wait_for(self, kind):
        while True:
            for i, got in enumerate(self.unasked):
                if got[0] == kind:
                    return self.unasked.pop(i)[2]
            self.unasked.append(self.receive())


@pytest.fixture(params=[1, 4, 5, 6], ids=VERSIONS)
def raw(switch, request):
    with Raw(switch, request.param) as r:
        yield r


def test_echo_and_barrier(raw):
    for data in (b"", b"x", bytes(1000), bytes(65527)):
        assert raw.ask(2, data) == (3, data)
    assert raw.ask(raw.barrier) == (raw.barrier + 1, b"")


def test_replies_keep_the_order_of_requests(raw):
    xids = [raw.send(2 if i % 3 else raw.barrier) for i in range(60)]
    assert [raw.receive()[1] for _ in xids] == xids


def test_configuration(raw):
    assert raw.ask(7) == (8, struct.pack("!HH", 0, 0))
    raw.send(9, struct.pack("!HH", 0, 128))
    assert raw.ask(7) == (8, struct.pack("!HH", 0, 128))


def test_port_status(switch, raw):
    raw.listen()
    vsctl(switch, "add-port", "br0", "p9", "--", "set", "Interface", "p9", "type=dummy", "ofport_request=9")
    body = raw.wait_for(12)
    assert body[0] == 0 and struct.unpack_from("!H" if raw.version == 1 else "!I", body, 8)[0] == 9 and b"p9\0" in body
    vsctl(switch, "del-port", "p9")
    while body[0] != 1:      # What changed between, state for one, is told too.
        body = raw.wait_for(12)
        assert body[0] in (1, 2)
    assert b"p9\0" in body


def test_flow_removed(switch, raw):
    raw.listen()
    raw.ask(raw.barrier)
    ofctl(switch, "add-flow", "br0", "cookie=0x1234,priority=77,send_flow_rem,arp,actions=drop")
    ofctl(switch, "del-flows", "br0", "cookie=0x1234/-1")
    body = raw.wait_for(11)
    if raw.version == 1:
        cookie, priority, reason = struct.unpack_from("!QHB", body, 40)
    elif raw.version < 6:
        cookie, priority, reason = struct.unpack_from("!QHB", body)
    else:
        _, reason, priority = struct.unpack_from("!BBH", body)
        cookie, = struct.unpack_from("!Q", body, 8)
    assert (cookie, priority, reason) == (0x1234, 77, 2)


def test_roles(switch):
    def role(raw, value, generation=0):
        return raw.ask(24, struct.pack("!IIQ", value, 0, generation))
    with Raw(switch, 4) as one, Raw(switch, 4) as two:
        kind, body = role(one, 0)
        assert kind == 25 and struct.unpack_from("!I", body)[0] == 1
        assert role(one, 2, 5)[0] == 25
        assert role(two, 2, 6)[0] == 25
        assert struct.unpack_from("!I", role(one, 0)[1])[0] == 3      # Another one is master now.
        kind, body = role(one, 2, 5)
        assert kind == 1 and struct.unpack_from("!HH", body) == (11, 0)
        delete = struct.pack("!QQBBHHHIIIHHHHI", 0, 0, 0, 3, 0, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 1, 4, 0)
        kind, body = one.ask(14, delete)
        assert kind == 1 and struct.unpack_from("!HH", body) == (1, 10)
        assert one.ask(2)[0] == 3
        two.send(14, delete)
        assert two.ask(20)[0] == 21


def test_asynchronous_messages_can_be_chosen(switch):
    with Raw(switch, 4) as deaf, Raw(switch, 4) as other:
        deaf.listen()
        other.listen()
        deaf.send(28, struct.pack("!IIIIII", 0, 0, 0, 0, 0, 0))
        kind, body = deaf.ask(26)
        assert kind == 27 and body == bytes(24)
        vsctl(switch, "add-port", "br0", "p8", "--", "set", "Interface", "p8", "type=dummy")
        assert b"p8\0" in other.wait_for(12)
        vsctl(switch, "del-port", "p8")
        deaf.ask(20)
        assert not deaf.unasked


def test_hello_with_no_common_version(switch):
    switch.expect_warning("version negotiation failed")
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(str(switch.dir / "br0.mgmt"))
        s.sendall(struct.pack("!BBHIHHI", 3, 0, 16, 9, 1, 8, 1 << 3))     # OpenFlow 1.2 alone.
        data = b""
        while piece := s.recv(4096):
            data += piece
    length, = struct.unpack_from("!H", data, 2)
    _, kind, _, xid, code = struct.unpack_from("!BBHII", data, length)
    assert (kind, xid, code) == (1, 9, 0) and b"OpenFlow13" in data
