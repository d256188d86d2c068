# SPDX-License-Identifier: Apache-2.0
"""Foreign bytes of every kind: broken OpenFlow messages, garbage on every socket, peers that never read, a damaged
journal, a full disk, hostile packets. The switch says what is wrong, loses nothing, and goes on."""
import os
import pathlib
import random
import resource
import socket
import struct
import subprocess
import time

import pytest

from ovsdb_pair import Rpc
from switch import BUILD, Switch, wait_until
from traffic_frames import FRAMES

VERSIONS = [1, 4, 5, 6]


def alive(switch):
    """Everything still answers."""
    assert "OFPT_FEATURES_REPLY" in switch.ofctl("show", "br0")
    assert "br0" in switch.vsctl("list-br") and "br0" in switch.appctl("dpif/show") and "lookups" in switch.appctl("dpctl/show")
    assert all(d.alive() for d in switch.daemons.values())


@pytest.fixture(scope="module", params=["embedded", "split"])
def switch(request):
    with Switch(request.param, dummy=True) as s:
        s.vsctl("add-br", "br0", "--", "set-fail-mode", "br0", "secure")
        for i in (1, 2):
            s.vsctl("add-port", "br0", f"p{i}", "--", "set", "Interface", f"p{i}", "type=dummy", f"ofport_request={i}")
        yield s
        alive(s)


# ---- OpenFlow ----

class Peer:
    def __init__(self, switch, version):
        self.version, self.data, self.xid = version, b"", 0x1000
        self.barrier = 18 if version == 1 else 20
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(switch.dir / "br0.mgmt"))
        self.socket.sendall(struct.pack("!BBHIHHI", version, 0, 16, 1, 1, 8, 1 << version))
        assert self.receive()[1] == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def receive(self):
        """(version, type, xid, body); None at the end."""
        while len(self.data) < 8 or len(self.data) < struct.unpack_from("!H", self.data, 2)[0]:
            piece = self.socket.recv(65536)
            if not piece:
                return None
            self.data += piece
        version, kind, length, xid = struct.unpack_from("!BBHI", self.data)
        body, self.data = self.data[8:length], self.data[length:]
        return version, kind, xid, body

    def errors(self, messages):
        """Sends messages, each followed by a barrier; for each the error (type, code, offender) or None."""
        out, ids = b"", []
        for m in messages:
            self.xid += 2
            out += m[:4] + struct.pack("!I", self.xid) + m[8:] + struct.pack("!BBHI", self.version, self.barrier, 8, self.xid + 1)
            ids.append(self.xid)
        self.socket.sendall(out)
        found, errors = {}, []
        for xid in ids:
            while True:
                _, kind, got, body = self.receive()
                if kind == 1:
                    assert got not in found, "two errors for one message"
                    error, code = struct.unpack_from("!HH", body)
                    found[got] = (error, code, body[12:] if error == 0xb0c2 else body[4:])   # Vendors' errors of 1.0 name the vendor.
                elif kind == self.barrier + 1 and got == xid + 1:
                    break
            errors.append(found.get(xid))
        return errors


def samples(version):
    data = subprocess.run([BUILD / "tests/interop/openflow-samples"], capture_output=True, check=True).stdout
    at, seen = 0, []
    while at < len(data):
        length = struct.unpack_from("!H", data, at + 2)[0]
        if data[at] == version and data[at + 1] not in (0, 1, 2, 3):
            seen.append(data[at:at + length])
        at += length
    return seen


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_cut_at_every_length(switch, version):
    """With a length that fits what is left; what is refused comes back, 64 bytes of it at least."""
    n_refused = 0
    with Peer(switch, version) as peer:
        for whole in samples(version):
            cut = [whole[:2] + struct.pack("!H", n) + whole[4:n] for n in range(8, len(whole))]
            for message, error in zip(cut, peer.errors(cut)):
                if error:
                    offender = message[:4] + error[2][4:8] + message[8:]
                    assert len(error[2]) >= min(len(message), 64) and offender.startswith(error[2]), message.hex()
                    n_refused += 1
    assert n_refused > 100
    switch.ofctl("del-flows", "br0")
    switch.ofctl("mod-port", "br0", "p1", "up")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_type_of_message_alone_and_with_noise(switch, version):
    rng = random.Random(version)
    with Peer(switch, version) as peer:
        for kind in range(256):
            if kind in (0, 1, 3) or kind in (peer.barrier,):
                continue
            bodies = [b"", bytes(8), bytes(64), rng.randbytes(8), rng.randbytes(48), b"\xff" * 40]
            messages = [struct.pack("!BBHI", version, kind, 8 + len(b), 0) + b for b in bodies]
            errors = peer.errors(messages)
            if kind > 35:
                assert all(e and e[:2] == (1, 1) for e in errors), kind
    switch.ofctl("del-flows", "br0")


def test_unknown_subtypes(switch):
    with Peer(switch, 4) as peer:
        for kind, body, error in ((18, "7777 0000 00000000", (1, 2)), (18, "ffff 0000 00000000 12345678 00000001", (1, 3)),
                                  (18, "ffff 0000 00000000 00002320 00000777", (1, 4)), (4, "12345678 00000001", (1, 3)),
                                  (4, "00002320 00000777", (1, 4)), (4, "4f4e4600 00007777", (1, 4))):
            body = bytes.fromhex(body)
            got, = peer.errors([struct.pack("!BBHI", 4, kind, 8 + len(body), 0) + body])
            assert got and got[:2] == error, (kind, body.hex(), got)


@pytest.mark.parametrize("version", [0, 1, 2, 3, 5, 6, 7, 0x41, 255])
def test_another_version_than_the_one_agreed(switch, version):
    with Peer(switch, 4) as peer:
        peer.socket.sendall(struct.pack("!BBHI", version, 5, 8, 0x99))
        while True:
            got = peer.receive()
            if got[1] == 1:
                break
        assert got[0] == 4 and got[2] == 0x99 and struct.unpack_from("!HH", got[3]) == (1, 0)
        assert peer.errors([struct.pack("!BBHI", 4, 2, 8, 0)]) == [None]


@pytest.mark.parametrize("length", range(8))
def test_lengths_below_the_header_end_the_connection(switch, length):
    switch.expect_warning(f"message of length {length}, the header alone has 8")
    with Peer(switch, 4) as peer:
        peer.socket.sendall(struct.pack("!BBHI", 4, 2, length, 1))
        assert peer.receive() is None
    alive(switch)


def test_a_message_may_come_in_pieces(switch):
    with Peer(switch, 4) as peer:
        for byte in struct.pack("!BBHI", 4, 2, 12, 0x55) + b"abcd":
            peer.socket.sendall(bytes([byte]))
            time.sleep(0.002)
        assert peer.receive() == (4, 3, 0x55, b"abcd")


HELLOS = [bytes.fromhex("04000007 00000001"), bytes.fromhex("0405000800000001"), bytes(64), b"GET / HTTP/1.1\r\n\r\n" * 4,
          bytes.fromhex("0400000c00000001 00010002"), bytes.fromhex("0400ffff00000001") + bytes(65527)]


@pytest.mark.parametrize("hello", HELLOS, ids=range(len(HELLOS)))
def test_bad_hello(switch, hello):
    switch.expect_warning("bad HELLO|version negotiation failed|message of length")
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(0.5)
        s.connect(str(switch.dir / "br0.mgmt"))
        s.sendall(hello)
        try:
            while s.recv(65536):
                pass
        except OSError:
            pass
    alive(switch)


# ---- Garbage ----

def garbage():
    rng = random.Random(5)
    return [b"\0" * 4096, b"\xff" * 4096, rng.randbytes(65536), b"{" * 200000, b'{"method":' * 50000, b"\n" * 10000,
            b'{"id":0,"method":"' + b"x" * 100000 + b'","params":[]}', b'{"id":1,"method":"vlog/set","params":{"a":1}}',
            b'{"id":1,"method":"version","params":[1,null,{}]}' * 50, b'[1,2,3]', b'"\\ud800"', b"\xc3\x28" * 1000]


def throw_at(path, data, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as s:
        s.settimeout(0.3)
        try:
            s.connect(str(path))
            if kind == socket.SOCK_STREAM:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            else:
                for at in range(0, min(len(data), 65536), 1024):
                    s.send(data[at:at + 1024])
            while s.recv(65536):
                pass
        except OSError:
            pass


def test_garbage_on_every_socket(switch):
    switch.expect_warning(".")      # Each says what it got; what matters here is that all go on.
    seen = set()
    for path in sorted(switch.dir.iterdir()):
        if not path.is_socket():
            continue
        seen.add(path.suffix or path.name)
        kind = socket.SOCK_SEQPACKET if path.name == "datapath.sock" else socket.SOCK_STREAM
        for data in garbage():
            throw_at(path, data, kind)
    assert {".mgmt", ".snoop", ".ctl", ".sock"} <= seen
    wait_until(lambda: switch.appctl("dpctl/show", check=False).returncode == 0)
    alive(switch)


# ---- Peers that never read ----

def resident_kb(pid):
    return int(next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")).split()[1])


def test_a_controller_that_never_reads(switch):
    """It asks and asks and takes no answer: it is paused, and others are served."""
    switch.ofctl("add-flows", "br0", "-", stdin="".join(f"priority={i},arp,actions=drop\n" for i in range(1000)))
    before = resident_kb(switch.daemons["vswitchd"].pid)
    with Peer(switch, 4) as peer:
        peer.socket.setblocking(False)
        dump = struct.pack("!BBHIHHIBxxxIIxxxxQQHHI", 4, 18, 56, 7, 1, 0, 0, 255, 0xffffffff, 0xffffffff, 0, 0, 1, 4, 0)
        end = time.monotonic() + 2
        n_blocked = 0
        while time.monotonic() < end and n_blocked < 20:
            try:
                peer.socket.send(dump * 100)
                n_blocked = 0
            except BlockingIOError:
                n_blocked += 1
                time.sleep(0.02)
        assert n_blocked == 20, "the switch read on"
        for i in range(20):
            switch.receive("p1", "02000000000b02000000000a0800" + "00" * 46)
        alive(switch)
        assert resident_kb(switch.daemons["vswitchd"].pid) - before < 64 * 1024
    switch.ofctl("del-flows", "br0")
    alive(switch)


def test_a_database_client_that_never_reads(switch):
    switch.expect_warning("unread")
    daemon = switch.daemons.get("db") or switch.daemons["vswitchd"]
    deaf, busy = Rpc(switch.dir / "db.sock"), Rpc(switch.dir / "db.sock")
    deaf.call("monitor", "Open_vSwitch", "m", {"Open_vSwitch": {"columns": ["external_ids"]}})
    before = resident_kb(daemon.pid)
    for i in range(60):
        reply = busy.call("transact", "Open_vSwitch", {"op": "update", "table": "Open_vSwitch", "where": [],
                                                       "row": {"external_ids": ["map", [["big", f"{i}" + "x" * 500000]]]}})
        assert reply["result"] == [{"count": 1}]
    quarantine = 256 * 1024 if "ASAN_OPTIONS" in os.environ else 0       # What it has freed and keeps.
    assert resident_kb(daemon.pid) - before < 256 * 1024 + quarantine
    busy.call("transact", "Open_vSwitch", {"op": "update", "table": "Open_vSwitch", "where": [], "row": {"external_ids": ["map", []]}})
    deaf.close()
    busy.close()
    alive(switch)


# ---- The journal ----

def damaged_start(form, damage, check):
    with Switch(form, dummy=True) as s:
        for i in range(3):
            s.vsctl("--no-wait", "add-br", f"b{i}")
        s.vsctl("set", "Open_vSwitch", ".", "external_ids:last=1")
        s.stop()
        s.expect_warning("damaged|last good record|not used")
        file = s.dir / "conf.db"
        data = file.read_bytes()
        file.write_bytes(damage(data))
        s.start()
        check(s)
        assert any("last good record" in w for w in (f.read_text() for f in s.dir.glob("*.log")))
        assert len(list(s.dir.glob("conf.db.damaged-*"))) == 1
        s.vsctl("add-br", "after")
        s.stop()
        s.start()
        assert "after" in s.vsctl("list-br").split()


def test_a_journal_without_its_tail(form):
    def check(s):
        assert {"b0", "b1"} <= set(s.vsctl("list-br").split())
    damaged_start(form, lambda data: data[:-7], check)


def test_a_journal_with_flipped_bytes(form):
    """Of the third transaction from the end on nothing is used."""
    def damage(data):
        at = data.rindex(b'"name":"b2"') + 9
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]

    def check(s):
        assert s.vsctl("list-br").split() == ["b0", "b1"]
    damaged_start(form, damage, check)


def test_a_full_disk(form):
    """Transactions that cannot be kept are refused with an I/O error, nothing is lost, and it goes on with space."""
    with Switch(form, dummy=True) as s:
        s.expect_warning("conf.db|transactions are undone")
        s.vsctl("add-br", "br0")
        pid = (s.daemons.get("db") or s.daemons["vswitchd"]).pid
        size = (s.dir / "conf.db").stat().st_size
        old = resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(size, *(f.stat().st_size for f in s.dir.glob("*.log"))) + 6000,
                                                           resource.RLIM_INFINITY))
        refused = None
        for i in range(200):
            done = s.vsctl("--no-wait", "set", "Open_vSwitch", ".", f"external_ids:k{i}={'x' * 200}", check=False)
            if done.returncode:
                refused = done
                break
        assert refused and "I/O error" in refused.stderr, refused
        assert s.vsctl("get", "Open_vSwitch", ".", f"external_ids:k{i - 1}").strip() == "x" * 200
        assert s.vsctl("--if-exists", "get", "Open_vSwitch", ".", f"external_ids:k{i}").strip() == ""
        resource.prlimit(pid, resource.RLIMIT_FSIZE, old)
        s.vsctl("add-br", "br1")
        s.stop()
        s.start()
        assert s.vsctl("list-br").split() == ["br0", "br1"]
        assert s.vsctl("get", "Open_vSwitch", ".", f"external_ids:k{i - 1}").strip() == "x" * 200


# ---- Packets ----

def accounting(switch):
    c = switch.appctl_json("dpctl/show")
    return c["received"] + c["made"] - c["sent"] - c["dropped"] - c["consumed"] - c["pending"], c["received"]


def test_hostile_packets(switch):
    """Every truncation of typical frames, and frames with flipped bits, through rules that look at everything."""
    rng = random.Random(11)
    switch.ofctl("add-flows", "br0", "-", stdin="""
        priority=9,tcp,tp_dst=80,actions=dec_ttl,mod_tp_dst:81,output:2
        priority=9,udp,actions=mod_nw_src:10.9.9.9,output:2
        priority=9,tcp6,actions=mod_tp_src:5,output:2,output:LOCAL
        priority=9,icmp6,icmp_type=135,actions=output:2
        priority=9,arp,actions=load:0x2->NXM_OF_ARP_OP[],in_port
        priority=8,vlan_tci=0x1000/0x1000,actions=strip_vlan,output:2
        priority=7,ip,ip_frag=later,actions=drop
        priority=1,actions=push_vlan:0x8100,mod_vlan_vid:5,NORMAL
        """)
    packets = [frame[:n] for frame in FRAMES.values() for n in range(len(frame) + 1)]
    for frame in FRAMES.values():
        for _ in range(20):
            bad = bytearray(frame)
            for _ in range(rng.randrange(1, 5)):
                bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            packets.append(bytes(bad))
    packets = [p for p in packets if p]
    off, before = accounting(switch)
    assert off == 0
    for at in range(0, len(packets), 60):
        batch = [p.hex() for p in packets[at:at + 60]]
        switch.receive("p1", *batch)
    off, after = wait_until(lambda: (c := accounting(switch))[0] == 0 and c)
    assert after - before >= len(packets)
    switch.appctl("revalidator/audit")
    switch.ofctl("del-flows", "br0")
    alive(switch)
