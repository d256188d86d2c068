# SPDX-License-Identifier: Apache-2.0
"""What is wrong in an OpenFlow message is answered with the specification's type and code, and the switch goes on."""
import random
import socket
import struct
import subprocess

import pytest

from switch import BUILD, Switch


@pytest.fixture(scope="module")
def switch():
    with Switch(dummy=True, virtual=True) as s:
        s.vsctl("add-br", "br0", "--", "set-fail-mode", "br0", "secure", "--", "add-port", "br0", "p1", "--", "set",
                "Interface", "p1", "type=dummy", "ofport_request=1")
        yield s


class Client:
    """One OpenFlow connection that sends raw bytes."""

    def __init__(self, switch, version):
        self.version, self.data, self.xid = version, b"", 100
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(switch.dir / "br0.mgmt"))
        self.socket.sendall(struct.pack("!BBHIHHI", version, 0, 16, 1, 1, 8, 1 << version))
        kind, *_ = self.receive()
        assert kind == 0

    def receive(self):
        while len(self.data) < 8 or len(self.data) < struct.unpack_from("!H", self.data, 2)[0]:
            piece = self.socket.recv(65536)
            if not piece:
                return None
            self.data += piece
        _, kind, length, xid = struct.unpack_from("!BBHI", self.data)
        body, self.data = self.data[8:length], self.data[length:]
        return kind, xid, body

    def ask(self, kind, body):
        """Sends a message and a barrier: (type, code) of the error that came before the barrier's reply, or None."""
        self.xid += 2
        barrier = 18 if self.version == 1 else 20
        self.socket.sendall(struct.pack("!BBHI", self.version, kind, 8 + len(body), self.xid) + body
                            + struct.pack("!BBHI", self.version, barrier, 8, self.xid + 1))
        error = None
        while True:
            kind, xid, body = self.receive()
            if kind == 1 and xid == self.xid:
                error = struct.unpack_from("!HH", body)
                assert len(body) > 4   # Some of the offender comes back.
            elif kind == barrier + 1 and xid == self.xid + 1:
                return error

    def close(self):
        self.socket.close()


def flow_mod(match=b"", instructions=b"", table=0, command=0, flags=0, buffer=0xffffffff, priority=1, out_port=0xffffffff):
    """A flow mod's body in 1.3 and later."""
    head = struct.pack("!QQBBHHHIIIHH", 0, 0, table, command, 0, 0, priority, buffer, out_port, 0xffffffff, flags, 0)
    length = 4 + len(match)
    return head + struct.pack("!HH", 1, length) + match + bytes(-length % 8) + instructions


def apply(actions):
    return struct.pack("!HHI", 4, 8 + len(actions), 0) + actions


def h(text):
    return bytes.fromhex(text.replace(" ", ""))


OUTPUT = h("0000 0010 00000001 ffff 000000000000")
IP = h("80000a02 0800")
ROWS = [
    ("a good rule", 14, flow_mod(instructions=apply(OUTPUT)), None),
    ("an unknown message", 99, b"", (1, 1)),
    ("an unknown multipart", 18, h("00630000 00000000"), (1, 2)),
    ("an unknown experimenter", 4, h("deadbeef 00000001"), (1, 3)),
    ("an unknown message of Nicira", 4, h("00002320 00000063"), (1, 4)),
    ("a request that is too long", 5, h("00000000"), (1, 6)),
    ("a flow mod that is too short", 14, bytes(16), (1, 6)),
    ("a packet-out of a buffer", 13, h("00000005 fffffffd 0000 000000000000"), (1, 8)),
    ("a packet-out from a port that cannot be", 13, h("ffffffff fffffffb 0000 000000000000") + bytes(60), (1, 11)),
    ("a packet-out with too many bytes of actions", 13, h("ffffffff fffffffd 0050 000000000000") + bytes(60), (1, 6)),
    ("an unknown action", 14, flow_mod(instructions=apply(h("0063 0008 00000000"))), (2, 0)),
    ("an action that is not done yet", 14, flow_mod(instructions=apply(h("0013 0008 8847 0000"))), (2, 0)),
    ("an action of odd length", 14, flow_mod(instructions=apply(h("0000 0008 00000001"))), (2, 1)),
    ("an action of an unknown experimenter", 14, flow_mod(instructions=apply(h("ffff 0010 deadbeef 0000000000000000"))), (2, 2)),
    ("connection tracking, not done yet", 14,
     flow_mod(IP, apply(h("ffff 0018 00002320 0023 0000 00000000 0000 ff 000000 0000"))), (2, 3)),
    ("output to port 0", 14, flow_mod(instructions=apply(h("0000 0010 00000000 ffff 000000000000"))), (2, 4)),
    ("output to a port that cannot be", 14, flow_mod(instructions=apply(h("0000 0010 00010000 ffff 000000000000"))), (2, 4)),
    ("a VLAN type that cannot be pushed", 14, flow_mod(instructions=apply(h("0011 0008 9100 0000"))), (2, 5)),
    ("a group that is not there", 14, flow_mod(instructions=apply(h("0016 0008 00000005"))), (2, 9)),
    ("setting an address without an IP match", 14, flow_mod(instructions=apply(h("0019 0010 80001604 01020304 00000000"))), (2, 10)),
    ("setting it with one", 14, flow_mod(IP, apply(h("0019 0010 80001604 01020304 00000000"))), None),
    ("setting an unknown field", 14, flow_mod(instructions=apply(h("0019 0010 80017e04 01020304 00000000"))), (2, 13)),
    ("setting a field of another length", 14, flow_mod(instructions=apply(h("0019 0010 80000604 01020304 00000000"))), (2, 14)),
    ("setting a read-only field", 14, flow_mod(instructions=apply(h("0019 0010 80000a02 0800 000000000000"))), (2, 15)),
    ("an unknown instruction", 14, flow_mod(instructions=h("0063 0008 00000000")), (3, 0)),
    ("going back to an earlier table", 14, flow_mod(table=3, instructions=h("0001 0008 02000000")), (3, 2)),
    ("an instruction of an unknown experimenter", 14, flow_mod(instructions=h("ffff 0008 deadbeef")), (3, 5)),
    ("an instruction of odd length", 14, flow_mod(instructions=h("0001 0010 07000000 0000000000000000")), (3, 7)),
    ("a match of another type", 14, flow_mod()[:40] + h("0000 0004 00000000"), (4, 0)),
    ("a match that is too long", 14, flow_mod()[:40] + h("0001 0050 00000000"), (4, 1)),
    ("bits outside of a mask", 14, flow_mod(IP + h("80001708 01020304 ffffff00")), (4, 5)),
    ("an unknown field", 14, flow_mod(h("80017e04 00000000")), (4, 6)),
    ("a value that cannot be", 14, flow_mod(h("80000c02 2003")), (4, 7)),
    ("a mask that cannot be", 14, flow_mod(h("80000b04 0800 ff00")), (4, 8)),
    ("a field without its prerequisite", 14, flow_mod(h("80001604 01020304")), (4, 9)),
    ("a field twice", 14, flow_mod(IP + IP), (4, 10)),
    ("a table that is for deletions", 14, flow_mod(table=255), (5, 2)),
    ("an unknown command", 14, flow_mod(command=9), (5, 6)),
    ("unknown flags", 14, flow_mod(flags=0x80), (5, 7)),
    ("an overlapping rule", 14, flow_mod(IP, flags=2), (5, 3)),
    ("a port mod of no port", 16, h("00000063 00000000 000000000000 0000 00000000 00000000 00000000 00000000"), (7, 0)),
    ("a port mod with another address", 16, h("00000001 00000000 000000000001 0000 00000000 00000000 00000000 00000000"), (7, 1)),
    ("an unknown role", 24, h("00000009 00000000 0000000000000000"), (11, 2)),
    ("switch flags that are unknown", 9, h("0080 0000"), (10, 0)),
]


@pytest.mark.parametrize("kind,body,error", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_1_3(switch, kind, body, error):
    client = Client(switch, 4)
    try:
        assert client.ask(14, flow_mod(command=3, table=255)) is None
        assert client.ask(14, flow_mod(instructions=apply(OUTPUT))) is None
        assert client.ask(kind, body) == error
    finally:
        client.close()


def test_another_version_after_the_hello(switch):
    client = Client(switch, 4)
    client.socket.sendall(struct.pack("!BBHI", 1, 5, 8, 77))
    while True:
        kind, xid, body = client.receive()
        if kind == 1:
            assert struct.unpack_from("!HH", body) == (1, 0) and xid == 77
            break
    client.close()


def samples():
    data = subprocess.run([BUILD / "tests/interop/openflow-samples"], capture_output=True, check=True).stdout
    at = 0
    while at < len(data):
        length = struct.unpack_from("!H", data, at + 2)[0]
        yield data[at:at + length]
        at += length


def test_hostile_messages(switch):
    """Messages cut short and with flipped bits, thousands of them: each is answered or ignored, and the switch goes on."""
    rng = random.Random(7)
    for version in (1, 4, 5, 6):
        client = Client(switch, version)
        for message in samples():
            if message[0] != version or message[1] == 0:
                continue
            for _ in range(10):
                body = bytearray(message[8:])
                if body and rng.random() < 0.5:
                    body = body[:rng.randrange(len(body))]
                for _ in range(rng.randrange(4)):
                    if body:
                        body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
                client.ask(message[1], bytes(body))
        client.close()
    assert "OFPT_FEATURES_REPLY" in switch.ofctl("show", "br0")
    switch.ofctl("del-flows", "br0")
    switch.appctl("revalidator/audit")
