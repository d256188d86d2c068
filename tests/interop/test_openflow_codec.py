# SPDX-License-Identifier: Apache-2.0
"""Our OpenFlow codec and Open vSwitch's, each reading what the other wrote. Needs no root.

Flows: either tool sends them to a listener that keeps the bytes; both tools print these bytes and must say the same.
Samples: a message of each kind and version from the unit tests, printed by both."""
import re
import socket
import struct
import subprocess
import threading

import pytest

from switch import BUILD, program

pytestmark = pytest.mark.needs("ovs-ofctl")

VERSIONS = {"OpenFlow10": 1, "OpenFlow13": 4, "OpenFlow14": 5, "OpenFlow15": 6}

# What every version can say, and what only later ones can.
FLOWS = """
actions=drop
priority=5,cookie=0x77,idle_timeout=3,hard_timeout=4,tcp,nw_dst=10.0.0.0/8,tp_dst=80,actions=output:1
send_flow_rem,check_overlap,actions=LOCAL,in_port,NORMAL,FLOOD,ALL,controller:77
table=3,in_port=7,actions=resubmit(,9),resubmit:4,resubmit(5,6)
dl_vlan=3,dl_vlan_pcp=5,actions=strip_vlan,mod_vlan_vid:7,mod_vlan_pcp:1,output:2
dl_src=00:01:02:03:04:05,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=mod_dl_src:00:00:00:00:00:09,output:2
ip,nw_src=192.168.0.0/16,nw_tos=32,actions=mod_nw_src:1.2.3.4,mod_nw_dst:4.3.2.1,mod_nw_tos:64,output:3
ip,nw_ecn=2,nw_ttl=9,ip_frag=later,actions=dec_ttl,output:1
ip,nw_dst=1.2.0.4/255.255.0.255,actions=dec_ttl(1,2)
tcp,tp_src=0x100/0xff00,tcp_flags=+syn-ack,actions=mod_tp_src:80,mod_tp_dst:81,output:1
udp,tp_dst=53,actions=mod_tp_dst:54,output:1
icmp,icmp_type=8,icmp_code=0,actions=2
arp,arp_op=1,arp_spa=1.2.3.4,arp_sha=00:00:00:00:00:01,actions=move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],IN_PORT
ipv6,ipv6_src=fe80::/64,ipv6_dst=::1,ipv6_label=0x5,actions=set_field:fe80::2->ipv6_dst,output:1
icmp6,icmp_type=135,nd_target=fe80::1,nd_sll=00:01:02:03:04:05,actions=1
icmp6,icmp_type=136,nd_tll=00:01:02:03:04:05,actions=1
vlan_tci=0x1000/0x1000,actions=1
reg0=0x5,reg15=0x1/0xff,metadata=0x5/0xf,actions=load:0x5->NXM_NX_REG0[4..7],set_field:0x7->reg1,output:NXM_NX_REG1[0..15]
tun_id=0x5,tun_src=1.2.3.4,actions=set_tunnel:0x9,set_tunnel64:0x123456789,output:1
tun_ipv6_dst=::1,actions=set_field:1.2.3.4->tun_dst,output:1
pkt_mark=0x3/0xff,actions=set_field:0x4->pkt_mark,output:1
xreg1=0x500000001,actions=1
xxreg2=0x10000000000000005,actions=set_field:0x10000000000000005->xxreg3,output:1
actions=note:01.02.03,set_queue:4,output:1,pop_queue,exit
actions=clone(set_field:0x3->reg0,output:1),output(port=2,max_len=100),enqueue:1:2
actions=controller(reason=no_match,max_len=100,id=9),controller(id=3,userdata=01.02.ff)
actions=learn(table=1,idle_timeout=9,priority=7,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],\
eth_type=0x800,NXM_NX_REG3[0..3]=0x1,load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],load:0x3->NXM_NX_REG1[],output:NXM_OF_IN_PORT[])
actions=write_metadata:0x5/0xf
actions=group:5
"""
LATER_FLOWS = """
actions=output:1,clear_actions,write_actions(output:2,set_field:0x1->reg0),write_metadata:0x5,goto_table:7
actions=push_vlan:0x88a8,set_field:4099->vlan_vid,output:1
ip,actions=mod_nw_ttl:9,mod_nw_ecn:1,output:2
sctp,tp_dst=5,actions=mod_tp_dst:6,output:2
no_packet_counts,no_byte_counts,reset_counts,actions=drop
actions=meter:3,output:1
mpls,mpls_label=5,mpls_tc=3,mpls_bos=1,actions=output:1
"""


class Listener:
    """Speaks just enough OpenFlow to be sent flow mods, and keeps them."""

    def __init__(self, path, version):
        self.version, self.messages = version, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        connection.sendall(struct.pack("!BBHIHHI", self.version, 0, 16, 1, 1, 8, 1 << self.version))
        data = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                return
            data += piece
            while len(data) >= 8 and len(data) >= struct.unpack_from("!H", data, 2)[0]:
                length = struct.unpack_from("!H", data, 2)[0]
                message, data = data[:length], data[length:]
                self.take(connection, message)

    def take(self, connection, message):
        version, kind, _, xid = struct.unpack_from("!BBHI", message)
        barrier = 18 if self.version == 1 else 20
        if kind == barrier:
            connection.sendall(struct.pack("!BBHI", self.version, barrier + 1, 8, xid))
        elif kind == 14:
            self.messages.append(message)
        elif kind == 4 and struct.unpack_from("!II", message, 8) == (0x2320, 13):
            self.messages.append(message)
        elif kind == 4 and struct.unpack_from("!II", message, 8) == (0x2320, 25):   # Which tunnel options are mapped? None.
            connection.sendall(struct.pack("!BBHIII16x", self.version, 4, 32, xid, 0x2320, 26))

    def close(self):
        self.socket.close()


def say(tool, *words, stdin=None):
    done = subprocess.run([tool, *words], capture_output=True, text=True, input=stdin, timeout=20)
    assert done.returncode == 0, f"{tool} {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def printed(tool, messages, tmp_path):
    """The text of each message: what follows its first line belongs to it."""
    path = tmp_path / "messages"
    path.write_bytes(b"".join(messages))
    texts = []
    for line in say(tool, "ofp-parse", str(path)).splitlines():
        if re.match(r"(OFPT|OFPST|NXT|NXST|ONFT)_", line) or line.startswith(("***decode", " ***decode")):
            texts.append([])
        texts[-1].append(line.rstrip())
    return texts


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("writer", ["tsuji-ofctl", "ovs-ofctl"])
def test_flows(writer, version, tmp_path):
    """Flows that one tool writes mean the same to both."""
    text = FLOWS + ("" if version == "OpenFlow10" else LATER_FLOWS)
    # Later versions want a match that fits; and in 1.3 what mod_nw_ecn is called.
    path = tmp_path / "switch"
    listener = Listener(path, VERSIONS[version])
    ours = program("tsuji-ofctl")
    if version != "OpenFlow10":
        text = text.replace("dl_vlan=3,dl_vlan_pcp=5,actions=strip_vlan", "dl_vlan=3,dl_vlan_pcp=5,actions=pop_vlan")
    lines = [line for line in text.replace("\\\n", "").splitlines() if line]
    say(ours if writer == "tsuji-ofctl" else writer, "-O", version, "--no-names", "add-flows", f"unix:{path}", "-",
        stdin="\n".join(lines) + "\n")
    listener.close()
    assert len(listener.messages) == len(lines)
    us, them = (printed(tool, listener.messages, tmp_path) for tool in (ours, "ovs-ofctl"))
    assert len(us) == len(them) == len(lines)
    for line, mine, theirs in zip(lines, us, them):
        assert "decode error" not in theirs[0] and "decode error" not in mine[0], f"{line}: {mine[0]} {theirs[0]}"
        # In 1.0 "any table" of an added rule is table 0, and so it is printed.
        assert mine == [part.replace("ADD table:255", "ADD") for part in theirs], line


# Messages of which only the first line is compared: the rest is ours or theirs alone.
FIRST_LINE_ONLY = ("OFPST_TABLE reply (xid", "OFPST_TABLE_FEATURES reply", "OFPST_TABLE_DESC reply", "OFPT_ECHO_REQUEST",
                   "OFPT_ERROR", "OFPST_FLOW request", "OFPST_AGGREGATE request")


def test_samples(tmp_path):
    """Every kind of message that we write is understood."""
    samples = subprocess.run([BUILD / "tests/interop/openflow-samples"], capture_output=True, check=True).stdout
    messages, at = [], 0
    while at < len(samples):
        length = struct.unpack_from("!H", samples, at + 2)[0]
        messages.append(samples[at:at + length])
        at += length
    assert len(messages) > 300
    us, them = printed(program("tsuji-ofctl"), messages, tmp_path), printed("ovs-ofctl", messages, tmp_path)
    assert len(us) == len(them)
    for mine, theirs in zip(us, them):
        assert "decode error" not in theirs[0], theirs[0]
        if theirs[0].startswith(FIRST_LINE_ONLY):
            mine, theirs = mine[:1], theirs[:1]
        # Their print of Nicira's requests leaves the cookie out.
        mine = [re.sub(r" cookie=\S+/\S+", "", line) if " request " in line else line for line in mine]
        theirs = [re.sub(r" cookie=\S+/\S+", "", line) if " request " in line else line for line in theirs]
        assert mine == theirs


@pytest.mark.parametrize("bitmap", ["0x2", "0x12", "0x72", "0x40"])
def test_hello(bitmap):
    """The hello message is read alike."""
    ours, theirs = say(program("tsuji-ofctl"), "encode-hello", bitmap), say("ovs-ofctl", "encode-hello", bitmap)
    assert re.findall("version bitmap.*", ours) == re.findall("version bitmap.*", theirs) != []
