# SPDX-License-Identifier: Apache-2.0
"""Unmodified mininet: its OVSBridge, and its OVSSwitch under ovs-testcontroller and under an os-ken learning switch."""
import pathlib
import re
import subprocess

import pytest

from net import Net
from switch import Switch, run

pytestmark = [pytest.mark.root, pytest.mark.needs("mn", "ovs-vsctl", "ovs-testcontroller")]
LEARNING_SWITCH = pathlib.Path(__file__).with_name("learning_switch.py")


@pytest.fixture
def place(form):
    """A namespace with a switch in it, in which mininet runs."""
    with Net() as net:
        ns = net.namespace("mn")
        with Switch(form, netns=ns, name="mn") as switch:
            # mininet takes the veths' namespaces down while the switch still has them.
            yield net, ns, switch


def mn(ns, switch, *words, typed=None, timeout=60):
    """What mininet said; and how the switch was after some seconds, if it takes that long."""
    argv = ["ip", "netns", "exec", ns, "mn", *words]
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         stdin=subprocess.PIPE, env=switch.env)
    state = ""
    try:
        out, _ = p.communicate(typed, timeout=15)
    except subprocess.TimeoutExpired:
        state = "".join(switch.appctl(*c.split()) for c in ("dpif/show", "upcall/show", "dpctl/show", "dpctl/dump-flows",
                                                            "drops/show", "coverage/show"))
        try:
            out, _ = p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            out, _ = p.communicate()
            out += "\nmininet did not end"
    return out + state


@pytest.mark.parametrize("options", [
    ["--switch", "ovsbr"],
    ["--switch", "ovsbr,stp=0", "--topo", "linear,3"],
    ["--switch", "ovsk", "--controller", "ovsc"],
    ["--switch", "ovsk,protocols=OpenFlow13", "--controller", "ovsc", "--topo", "linear,3"],
    ["--switch", "ovsk,datapath=user", "--controller", "ovsc"],
], ids=lambda o: " ".join(o))
def test_every_host_reaches_every_other(place, options):
    _, ns, switch = place
    out = mn(ns, switch, *(options if "--topo" in options else options + ["--topo", "single,3"]), "--test", "pingall")
    assert "Results: 0% dropped" in out, out
    assert switch.vsctl("list-br") == ""


@pytest.mark.needs("iperf")
@pytest.mark.parametrize("options", [["--switch", "ovsbr"], ["--switch", "ovsk", "--controller", "ovsc"]], ids=lambda o: o[1])
def test_tcp_is_fast_between_hosts_as_mininet_makes_them(place, options):
    """With offloads on, which a userspace switch that ignores partial checksums turns into 0 bits a second. (mininet's own
    "--test iperf" waits for ever for Debian's iperf server to end, over any switch, so iperf is typed into its shell.)"""
    _, ns, switch = place
    out = mn(ns, switch, *options, "--topo", "single,2", typed="h2 iperf -s -P 1 &\nh1 sleep 0.5\nh1 iperf -c 10.0.0.2 -t 2 -f m\n")
    rates = [float(rate) for rate in re.findall(r"([\d.]+) Mbits/sec", out)]
    assert rates and min(rates) > 100, out


def test_os_ken_learning_switch(place):
    net, ns, switch = place
    controller = net.start(ns, "/usr/bin/python3", LEARNING_SWITCH)
    out = mn(ns, switch, "--switch", "ovsk,protocols=OpenFlow13", "--controller", "remote,ip=127.0.0.1,port=6653", "--topo",
             "single,3", "--test", "pingall")
    controller.terminate()
    assert "Results: 0% dropped" in out, out + controller.stdout.read()
