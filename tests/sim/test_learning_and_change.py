# SPDX-License-Identifier: Apache-2.0
"""Learn actions in a running switch, and random changes of rules under cached traffic: after each, every cached flow is what a new
translation would make of it (revalidator/audit)."""
import random

import pytest

from switch import Switch

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


@pytest.fixture
def switch():
    with Switch(dummy=True, virtual=True) as s:
        s.vsctl("add-br", "br0", "--", "set-fail-mode", "br0", "secure")
        for i in (1, 2, 3):
            s.vsctl("add-port", "br0", f"p{i}", "--", "set", "Interface", f"p{i}", "type=dummy", f"ofport_request={i}")
        yield s
        s.appctl("revalidator/audit")


def frame(source=A, destination=B, port=1):
    return f"in_port({port}),eth(src={source},dst={destination}),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)"


def test_a_learning_switch_made_of_rules(switch):
    switch.ofctl("add-flow", "br0", "table=0,actions=learn(table=1,hard_timeout=60,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
                                    "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]),resubmit(,1),resubmit(,2)")
    switch.ofctl("add-flow", "br0", "table=1,priority=0,actions=load:0->NXM_NX_REG0[0..15]")
    switch.ofctl("add-flow", "br0", "table=2,reg0=0,actions=flood")
    switch.ofctl("add-flow", "br0", "table=2,priority=1,actions=output:NXM_NX_REG0[0..15]")
    def learnt(address):
        return any(f"dl_dst={address} " in flow and "table=1" in flow for flow in switch.flows())
    switch.receive("p1", frame(A, B))
    assert learnt(A)
    assert any("actions:3,4" in f or "actions:3,4,1" in f or "actions:1,3,4" in f for f in switch.dp_flows())
    switch.receive("p2", frame(B, A))
    assert learnt(B)
    assert switch.datapath_actions("br0", f"in_port=3,ip,dl_src=02:00:00:00:00:0c,dl_dst={A}") == "2"
    # The flow that flooded knows where to go now.
    switch.receive("p1", frame(A, B))
    assert not any(f"src={A},dst={B}" in f and "," in f.split("actions:")[1] for f in switch.dp_flows())
    # What is learnt lives while it is used, and no longer.
    for _ in range(8):
        switch.warp(10000)
        switch.receive("p1", frame(A, B))
    assert learnt(A)
    switch.warp(90000, 1000)
    assert not learnt(A) and not learnt(B)


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_under_traffic(switch, seed):
    pick = random.Random(seed)
    macs = [f"02:00:00:00:00:0{i}" for i in range(4)]

    def rule(actions=True):
        words = [f"table={pick.randrange(3)}"]
        if actions:
            words.append(f"priority={pick.randrange(1000)}")
        for match in ("in_port=%d" % pick.randint(1, 3), "dl_dst=" + pick.choice(macs), "dl_src=" + pick.choice(macs), "reg0=%d" % pick.randrange(3),
                      "ip,nw_dst=" + pick.choice(["10.0.0.0/8", "10.0.0.2", "192.168.0.0/16"])):
            if pick.random() < 0.25:
                words.append(match)
        if actions:
            todo = [pick.choice(["output:1", "output:2", "output:3", "normal", f"mod_dl_dst:{pick.choice(macs)}", "load:1->NXM_NX_REG0[]",
                                 "resubmit(,1)", "resubmit(,2)"]) for _ in range(pick.randint(1, 3))]
            # Tables lead forward only.
            table = int(words[0].split("=")[1])
            words.append("actions=" + ",".join(a for a in todo if not a.startswith("resubmit") or int(a[-2]) > table) or "drop")
            if words[-1] == "actions=":
                words[-1] = "actions=drop"
        return ",".join(words)

    switch.ofctl("add-flow", "br0", "priority=0,actions=normal")
    for step in range(120):
        what = pick.random()
        if what < 0.25:
            switch.ofctl("add-flow", "br0", rule())
        elif what < 0.35:
            switch.ofctl("del-flows", "br0", rule(False))
        else:
            port = pick.randint(1, 3)
            switch.receive(f"p{port}", frame(pick.choice(macs), pick.choice(macs), port))
        if step % 10 == 9:
            switch.appctl("revalidator/wait")
            switch.appctl("revalidator/audit")
