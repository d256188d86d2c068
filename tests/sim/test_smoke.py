# SPDX-License-Identifier: Apache-2.0
"""The whole switch with dummy ports: learning, rules, statistics, in both forms."""
import pytest

from switch import Switch

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def frame(src, dst, kind="0800", rest="00" * 46):
    return dst.replace(":", "") + src.replace(":", "") + kind + rest


@pytest.fixture
def switch(form):
    with Switch(form, dummy=True) as s:
        s.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=dummy")
        for i in (1, 2, 3):
            s.vsctl("add-port", "br0", f"p{i}", "--", "set", "Interface", f"p{i}", "type=dummy", f"ofport_request={i}")
        yield s


def test_ports_have_the_numbers_that_were_asked_for(switch):
    assert [switch.vsctl("get", "Interface", f"p{i}", "ofport").strip() for i in (1, 2, 3)] == ["1", "2", "3"]
    assert switch.vsctl("get", "Interface", "br0", "ofport").strip() == "65534"


def test_learns_where_stations_are(switch):
    switch.receive("p1", frame(A, B))
    assert A in switch.appctl("fdb/show", "br0")
    switch.receive("p2", frame(B, A))
    assert [line.split()[:3] for line in switch.appctl("fdb/show", "br0").splitlines()[1:]] == [["1", "0", A], ["2", "0", B]]
    assert any(f"dst={B}" in f and f.endswith("actions:2") or "actions:" in f for f in switch.dp_flows())


def test_rules_count_what_the_cache_forwarded(switch):
    switch.ofctl("add-flow", "br0", "priority=5,in_port=1,actions=output:2")
    for _ in range(4):
        switch.receive("p1", frame(A, B))
    line = next(line for line in switch.ofctl("dump-flows", "br0").splitlines() if "priority=5" in line)
    assert "n_packets=4, n_bytes=240" in line
    switch.appctl("revalidator/audit")
