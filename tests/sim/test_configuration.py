# SPDX-License-Identifier: Apache-2.0
"""Rows of the database: what is made of them, and what is said of those that are wrong."""
import pytest

from switch import CommandError, Switch


@pytest.fixture
def switch(form):
    with Switch(form, dummy="system" if form == "embedded" else True) as s:
        s.vsctl("add-br", "br0")
        yield s


def interface(switch, name, column):
    return switch.vsctl("get", "Interface", name, column).strip()


@pytest.mark.parametrize("settings, words", [
    (["type=vxlan", "options:remote_ip=192.0.2.1", "options:key=16777216"], ["key", "16777216", "16777215"]),
    (["type=vxlan", "options:remote_ip=192.0.2.300"], ["remote_ip", "192.0.2.300"]),
    (["type=vxlan"], ["remote_ip", "missing"]),
    (["type=vxlan", "options:remote_ip=192.0.2.1", "options:dst_port=70000"], ["dst_port", "70000", "65535"]),
    (["type=vxlan", "options:remote_ip=224.0.0.1"], ["multicast"]),
    (["type=vxlan", "options:remote_ip=192.0.2.1", "options:local_ip=2001:db8::1"], ["families"]),
    (["type=vxlam", "options:remote_ip=192.0.2.1"], ["vxlam", "vxlan"]),
    (["type=patch"], ["peer"]),
    (["type=patch", "options:peer=x0"], ["itself"]),
])
def test_a_wrong_interface_says_what_is_wrong(switch, settings, words):
    switch.expect_warning("x0")
    with pytest.raises(CommandError) as e:
        switch.vsctl("add-port", "br0", "x0", "--", "set", "Interface", "x0", *settings)
    assert e.value.code == 65 or "x0" in e.value.err
    error = interface(switch, "x0", "error")
    assert all(word in error for word in words), error
    assert interface(switch, "x0", "ofport") == "-1"
    # The others go on.
    switch.vsctl("add-port", "br0", "p1", "--", "set", "Interface", "p1", "type=dummy")
    assert int(interface(switch, "p1", "ofport")) > 0


def test_an_unknown_key_is_reported_with_the_nearest_one(switch):
    switch.vsctl("add-port", "br0", "v0", "--", "set", "Interface", "v0", "type=vxlan", "options:remote_ip=192.0.2.1",
                 "options:remote_pi=192.0.2.2", check=False)
    warning = interface(switch, "v0", "status:config_warning")
    assert "remote_pi" in warning and "remote_ip" in warning
    switch.vsctl("set", "Bridge", "br0", "other_config:mac-aging-tiem=5")
    assert "mac-aging-time" in switch.vsctl("get", "Bridge", "br0", "status:config_warning")


def test_two_tunnels_alike_are_one_too_many(switch):
    switch.expect_warning("v1")
    same = ["type=vxlan", "options:remote_ip=192.0.2.1", "options:key=5"]
    switch.vsctl("add-port", "br0", "v0", "--", "set", "Interface", "v0", *same, check=False)
    switch.vsctl("add-port", "br0", "v1", "--", "set", "Interface", "v1", *same, check=False)
    assert '"v0"' in interface(switch, "v1", "error").replace("\\", "")


def test_a_wrong_row_that_is_mended_works(switch):
    switch.expect_warning("v0")
    switch.vsctl("add-port", "br0", "v0", "--", "set", "Interface", "v0", "type=vxlan", "options:remote_ip=nowhere", check=False)
    assert interface(switch, "v0", "ofport") == "-1"
    switch.vsctl("set", "Interface", "v0", "options:remote_ip=192.0.2.1", check=False)
    assert int(interface(switch, "v0", "ofport")) > 0 and interface(switch, "v0", "error") == "[]"


def test_what_is_known_of_a_switch(switch):
    assert "netdev" in switch.vsctl("get", "Open_vSwitch", ".", "datapath_types") and "vxlan" in switch.vsctl(
        "get", "Open_vSwitch", ".", "iface_types")
    dpid = switch.vsctl("get", "Bridge", "br0", "datapath_id").strip('"\n')
    assert len(dpid) == 16 and int(dpid, 16)
    switch.vsctl("set", "Bridge", "br0", "other_config:datapath-id=00000000000000ab")
    assert "00000000000000ab" in switch.vsctl("get", "Bridge", "br0", "datapath_id")
    assert "dpid:00000000000000ab" in switch.ofctl("show", "br0", unmodified=True)


@pytest.mark.parametrize("kind", ['""', "system", "netdev"])
def test_all_datapath_types_are_ours(switch, kind):
    switch.vsctl("set", "Bridge", "br0", f"datapath_type={kind}")
    switch.vsctl("add-port", "br0", "p1", "--", "set", "Interface", "p1", "type=dummy")
    assert int(interface(switch, "p1", "ofport")) > 0


def test_only_what_changed_is_applied(switch):
    for i in range(20):
        switch.vsctl("add-port", "br0", f"p{i}", "--", "set", "Interface", f"p{i}", "type=dummy")
    before = switch.appctl_json("coverage/show")["vswitch_step"]
    switch.vsctl("set", "Port", "p7", "tag=5")
    assert switch.appctl_json("coverage/show")["vswitch_step"] - before == 1


def test_no_common_version_is_explained(switch):
    switch.vsctl("set", "Bridge", "br0", "protocols=OpenFlow13")
    switch.expect_warning("version negotiation failed")
    done = switch.ofctl("-O", "OpenFlow10", "show", "br0", check=False, unmodified=True)
    assert done.returncode
    assert "protocols=OpenFlow10" in switch.logs()
