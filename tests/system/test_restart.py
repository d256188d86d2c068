# SPDX-License-Identifier: Apache-2.0
"""Each of the three processes dies and comes back under traffic.

    a (10.0.0.1) --- pa [ br0 ] pb --- b (10.0.0.2)"""
import json
import signal
import time

import pytest

from net import Net
from switch import Switch, run, wait_until
from traffic import Stream, Wire, transfer

pytestmark = [pytest.mark.root, pytest.mark.needs("ip", "iperf3", "ping")]

RULES = ["priority=10,arp,actions=normal", "priority=10,ip,in_port=pa,actions=output:pb",
         "priority=10,ip,in_port=pb,actions=output:pa", "priority=10,dl_type=0x88b5,in_port=pa,actions=output:pb"]


class Pair:
    def __init__(self, net, switch, a, b):
        self.net, self.switch, self.a, self.b = net, switch, a, b


@pytest.fixture
def pair():
    with Net() as net:
        sw, a, b = (net.namespace(n) for n in ("sw", "a", "b"))
        net.veth(sw, "pa", a, "eth0", None, "10.0.0.1/24", mac2="02:00:00:00:00:0a")
        net.veth(sw, "pb", b, "eth0", None, "10.0.0.2/24", mac2="02:00:00:00:00:0b")
        with Switch("split", netns=sw) as s:
            s.vsctl("add-br", "br0", "--", "add-port", "br0", "pa", "--", "add-port", "br0", "pb")
            yield Pair(net, s, a, b)


def iperf(net, a, b, seconds):
    """A TCP stream of iperf3; a function that waits for its end and gives its report."""
    net.start(b, "iperf3", "-s", "-1", "-p", "5300")
    wait_until(lambda: ":5300" in run(["ss", "-ltn"], netns=b))
    p = net.start(a, "iperf3", "-c", "10.0.0.2", "-p", "5300", "-t", seconds, "-i", "0.5", "-J", "-b", "200M")

    def report():
        out, _ = p.communicate(timeout=seconds + 10)
        answer = json.loads(out)
        assert "error" not in answer, answer["error"]
        return answer
    return report


def assert_tcp_never_stood_still(report):
    speeds = [i["sum"]["bits_per_second"] for i in report["intervals"]]
    assert min(speeds[:-1]) > 1e7, f"TCP stood still: {speeds}"


class LateFlow:
    """A frame of a kind that no flow in the cache covers, sent while nobody can decide on it."""
    TYPE = b"\x88\xb5"

    def __init__(self, pair):
        self.tx, self.rx = Wire(pair.a, "eth0", 0x88b5), Wire(pair.b, "eth0", 0x88b5)
        self.frame = bytes.fromhex("02000000000b" "02000000000a") + self.TYPE + b"late" * 12
        self.start = time.monotonic()
        self.tx.send(self.frame)

    def has_arrived(self, timeout=0.01):
        return self.rx.find(lambda f: f == self.frame, timeout) is not None

    def arrived_after(self):
        assert self.has_arrived(8), "a packet that waited for the control plane is lost"
        return time.monotonic() - self.start

    def close(self):
        self.tx.socket.close()
        self.rx.socket.close()


def ends_of_holds(switch):
    return (switch.dir / "tsuji-vswitchd.log").read_text().count("end of the hold")


@pytest.mark.parametrize("mode", ["normal", "secure"])
def test_vswitchd_is_killed_and_comes_back(pair, mode):
    s = pair.switch
    if mode == "secure":
        s.vsctl("set-fail-mode", "br0", "secure")
        s.ofctl("del-flows", "br0")
        for rule in RULES:
            s.ofctl("add-flow", "br0", rule)
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    with Stream(pair.a, pair.b, "10.0.0.2") as stream, Stream(pair.b, pair.a, "10.0.0.1") as back:
        tcp = iperf(pair.net, pair.a, pair.b, 10)
        time.sleep(1)
        flows = len(s.dp_flows())
        assert flows >= 4
        n = ends_of_holds(s)
        s.daemons.pop("vswitchd").kill(signal.SIGKILL)
        time.sleep(2.5)
        late = LateFlow(pair)
        time.sleep(2.5)
        assert not late.has_arrived(), "without a control plane nobody could have forwarded a new flow"
        s.start_vswitchd()
        if mode == "secure":
            time.sleep(0.5)
            assert len(s.appctl("dpctl/dump-flows").splitlines()) >= flows - 1, "flows expired in the hold"
            assert not late.has_arrived(), "a new flow was decided on before the tables were refilled"
            for rule in RULES:
                s.ofctl("add-flow", "br0", rule)
        assert 2.5 <= late.arrived_after() < 6
        late.close()
        wait_until(lambda: ends_of_holds(s) == n + 1)
        assert_tcp_never_stood_still(tcp())
    assert (stream.missing, stream.duplicates, stream.reordered) == ([], 0, 0)
    assert (back.missing, back.duplicates, back.reordered) == ([], 0, 0)
    assert stream.longest_gap < 0.5
    s.appctl("revalidator/audit")
    assert pair.net.ping(pair.a, "10.0.0.2") == 3


def test_the_hold_lasts_while_flow_restore_wait_is_set(pair):
    s = pair.switch
    s.vsctl("set-fail-mode", "br0", "secure")
    for rule in RULES:
        s.ofctl("add-flow", "br0", rule)
    with Stream(pair.a, pair.b, "10.0.0.2") as stream:
        time.sleep(0.5)
        s.vsctl("set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
        s.daemons.pop("vswitchd").kill()
        s.start_vswitchd()
        late = LateFlow(pair)
        for rule in RULES:
            s.ofctl("add-flow", "br0", rule)
        time.sleep(2)
        assert not late.has_arrived(), "the hold ended before it was released"
        s.vsctl("remove", "Open_vSwitch", ".", "other_config", "flow-restore-wait")
        assert late.arrived_after() >= 2
        late.close()
    assert stream.missing == []


def test_flows_that_the_new_rules_forbid_end_with_the_hold(pair):
    """Flows found in the datapath are translated again: those that are right stay, others change."""
    s = pair.switch
    s.vsctl("set-fail-mode", "br0", "secure")
    for rule in RULES:
        s.ofctl("add-flow", "br0", rule)
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    with Stream(pair.a, pair.b, "10.0.0.2", 7000) as good, Stream(pair.a, pair.b, "10.0.0.2", 7001) as bad:
        s.ofctl("add-flow", "br0", "priority=20,udp,tp_dst=7001,actions=output:pb")
        time.sleep(0.5)
        n = ends_of_holds(s)
        s.daemons.pop("vswitchd").kill()
        s.start_vswitchd()
        for rule in RULES:
            s.ofctl("add-flow", "br0", rule)
        s.ofctl("add-flow", "br0", "priority=20,udp,tp_dst=7001,actions=drop")
        before = len(bad.received)
        time.sleep(0.3)
        assert len(bad.received) > before + 100, "the hold changed a flow"
        wait_until(lambda: ends_of_holds(s) > n)
        time.sleep(0.3)
        after = len(bad.received)
        time.sleep(0.5)
        assert len(bad.received) == after, "a flow that the rules forbid goes on"
        line = next(line for line in s.ofctl("dump-flows", "br0").splitlines() if "tp_dst=7001" in line)
        assert "n_packets=0," not in line
    assert good.missing == []


def test_restart_keeps_port_numbers_and_counts(pair):
    s = pair.switch
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    names = ("br0", "pa", "pb")
    before = [s.vsctl("get", "Interface", n, "ofport").strip() for n in names]
    flows = s.appctl("dpctl/show")
    s.daemons.pop("vswitchd").stop()
    s.start_vswitchd()
    s.vsctl("set", "Bridge", "br0", "other_config:x=y")
    s.expect_warning("other_config")
    assert [s.vsctl("get", "Interface", n, "ofport").strip() for n in names] == before
    ports = [line.split(":", 1)[1] for line in flows.splitlines() if "port " in line]
    for port in ports:
        assert port in s.appctl("dpctl/show")


def test_dbserver_is_killed_and_comes_back(pair):
    s = pair.switch
    s.expect_warning("db|database|reconnect|connection")
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    with Stream(pair.a, pair.b, "10.0.0.2") as stream:
        s.daemons.pop("db").kill(signal.SIGKILL)
        time.sleep(1)
        assert pair.net.ping(pair.a, "10.0.0.2") == 3
        (s.dir / "db.sock").unlink(missing_ok=True)
        s.start_db()
        s.vsctl("add-br", "br1")     # Waits until vswitchd has done it.
        assert "br1" in s.vsctl("list-br")
        assert s.vsctl("get", "Interface", "br1", "ofport").strip() == "65534"
        s.vsctl("del-br", "br1")
    assert stream.missing == []


def test_datapathd_is_killed_and_comes_back(pair):
    s = pair.switch
    s.expect_warning("datapath|interface|port")
    s.vsctl("set", "Port", "pb", "tag=5", "--", "set", "Port", "pa", "tag=5")
    s.ofctl("add-flow", "br0", "priority=7,icmp,actions=normal")
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    s.daemons.pop("datapath").kill(signal.SIGKILL)
    assert pair.net.ping(pair.a, "10.0.0.2", count=2) == 0
    (s.dir / "datapath.sock").unlink(missing_ok=True)
    s.start_datapath()
    wait_until(lambda: pair.net.ping(pair.a, "10.0.0.2", count=1), timeout=8)
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    transfer(pair.a, pair.b, "10.0.0.2", 2 << 20)
    line = next(line for line in s.ofctl("dump-flows", "br0").splitlines() if "priority=7" in line)
    assert "n_packets=0," not in line
    s.vsctl("add-port", "br0", "i0", "--", "set", "Interface", "i0", "type=internal")
    assert s.vsctl("get", "Interface", "i0", "error").strip() == "[]"


def test_everything_is_killed_and_comes_back(pair):
    s = pair.switch
    s.expect_warning("db|database|reconnect|connection|datapath|interface|port")
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    for key in ("datapath", "db", "vswitchd"):
        s.daemons.pop(key).kill(signal.SIGKILL)
    for name in ("db.sock", "datapath.sock"):
        (s.dir / name).unlink(missing_ok=True)
    s.start_db()
    s.start_datapath()
    s.start_vswitchd()
    wait_until(lambda: pair.net.ping(pair.a, "10.0.0.2", count=1), timeout=8)
    assert s.vsctl("list-ports", "br0").split() == ["pa", "pb"]


def test_vswitchd_dies_at_any_moment(pair):
    """Killed while rules and ports change, again and again: the established stream goes on, what is configured comes true."""
    s = pair.switch
    s.expect_warning("datapath|interface|port|connection|database|rconn|refused")
    s.vsctl("set-fail-mode", "br0", "secure")
    for rule in RULES:
        s.ofctl("add-flow", "br0", rule)
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    with Stream(pair.a, pair.b, "10.0.0.2") as stream:
        time.sleep(0.3)
        for i in range(5):
            if i % 2:
                s.vsctl("--no-wait", "add-port", "br0", "i0", "--", "set", "Interface", "i0", "type=internal")
            else:
                s.vsctl("--no-wait", "--if-exists", "del-port", "br0", "i0")
            time.sleep(0.01 * i)
            s.daemons.pop("vswitchd").kill()
            s.start_vswitchd()
            for rule in RULES:
                s.ofctl("add-flow", "br0", rule)
        s.vsctl("set", "Bridge", "br0", "external_ids:all=done")
        assert ("i0" in run(["ip", "link"], netns=s.netns)) == ("i0" in s.vsctl("list-ports", "br0").split())
    assert (stream.missing, stream.duplicates) == ([], 0)
    s.appctl("revalidator/audit")


def test_datapathd_dies_again_and_again(pair):
    s = pair.switch
    s.expect_warning("datapath|interface|port")
    with Stream(pair.a, pair.b, "10.0.0.2") as stream:
        for i in range(4):
            n = len(stream.received)
            wait_until(lambda: len(stream.received) > n + 50)
            s.daemons.pop("datapath").kill()
            (s.dir / "datapath.sock").unlink(missing_ok=True)
            time.sleep(0.1 * i)
            s.start_datapath()
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    s.vsctl("del-port", "br0", "pb", "--", "add-port", "br0", "pb")
    assert pair.net.ping(pair.a, "10.0.0.2") == 3


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_datapath_that_does_not_answer_is_told_on_the_row(pair, how):
    """A configuration is answered all the same, and comes true when the datapath is back."""
    s = pair.switch
    s.expect_warning("datapath|interface|port|configure")
    assert pair.net.ping(pair.a, "10.0.0.2") == 3
    if how == "stopped":
        s.daemons["datapath"].process.send_signal(signal.SIGSTOP)
    else:
        s.daemons.pop("datapath").kill()
    try:
        start = time.monotonic()
        s.vsctl("add-port", "br0", "i0", "--", "set", "Interface", "i0", "type=internal", check=False)
        assert time.monotonic() - start < 15
        assert "datapath" in s.vsctl("get", "Interface", "i0", "error")
    finally:
        if how == "stopped":
            s.daemons["datapath"].process.send_signal(signal.SIGCONT)
        else:
            (s.dir / "datapath.sock").unlink(missing_ok=True)
            s.start_datapath()
    wait_until(lambda: s.vsctl("get", "Interface", "i0", "error").strip() == "[]", timeout=10)
    assert int(s.vsctl("get", "Interface", "i0", "ofport")) > 0
    assert "i0" in run(["ip", "link"], netns=s.netns)
    wait_until(lambda: pair.net.ping(pair.a, "10.0.0.2", count=1), timeout=8)


def test_a_database_that_does_not_answer_stops_no_packet(pair):
    s = pair.switch
    s.expect_warning("database|db|connection|echo")
    with Stream(pair.a, pair.b, "10.0.0.2") as stream:
        time.sleep(0.2)
        s.daemons["db"].process.send_signal(signal.SIGSTOP)
        try:
            late = LateFlow(pair)
            assert late.arrived_after() < 1, "a new flow needs no database"
            late.close()
            time.sleep(1)
            s.ofctl("add-flow", "br0", "priority=3,udp,tp_dst=7000,actions=normal")
            assert pair.net.ping(pair.a, "10.0.0.2") == 3
        finally:
            s.daemons["db"].process.send_signal(signal.SIGCONT)
        s.vsctl("set", "Bridge", "br0", "external_ids:x=y")
    assert stream.missing == []


def test_more_new_flows_than_may_wait(pair):
    """While vswitchd is away 3,000 flows begin: a bounded number waits and arrives, the rest is counted, the old flow goes on."""
    s = pair.switch
    n = 3000
    with Wire(pair.b, "eth0", 0x88b5) as rx, Wire(pair.a, "eth0", 0x88b5) as tx:
        with Stream(pair.a, pair.b, "10.0.0.2") as stream:
            time.sleep(0.3)
            before = s.drops()
            s.daemons.pop("vswitchd").kill()
            for i in range(n):
                # Another source and another Ethernet type: another flow, whatever the rules look at.
                tx.send(bytes.fromhex("02000000000b0201") + (i // 250 + 1).to_bytes(2, "big") + (i % 250).to_bytes(2, "big")
                        + LateFlow.TYPE + i.to_bytes(2, "big") * 25)
                if i % 100 == 99:
                    time.sleep(0.01)
            time.sleep(0.3)
            s.start_vswitchd()
            got = set(rx.all(lambda f: True, 3))
            lost = lambda: {k: v - before.get(k, 0) for k, v in s.drops().items() if v > before.get(k, 0)}
            wait_until(lambda: len(got) + sum(lost().values()) >= n, timeout=4)
            assert 500 <= len(got) <= 2100, f"{len(got)} of {n} came, dropped {lost()}"
            assert set(lost()) <= {"pending-full", "hold", "upcall-quota"}
    assert stream.missing == []
    s.appctl("revalidator/audit")
