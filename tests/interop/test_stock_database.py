# SPDX-License-Identifier: Apache-2.0
"""Our switch daemon on Open vSwitch's database server, with its schema, which lacks tables and columns of ours."""
import json
import pathlib
import subprocess

import pytest

from ovsdb_pair import Server
from switch import program, wait_until

SCHEMA = json.loads(pathlib.Path("/usr/share/openvswitch/vswitch.ovsschema").read_text()) \
    if pathlib.Path("/usr/share/openvswitch/vswitch.ovsschema").exists() else None
pytestmark = pytest.mark.needs("ovsdb-server", "ovsdb-tool", "ovs-vsctl")


class Daemon:
    """tsuji-vswitchd without devices, on 'server'."""

    def __init__(self, server, remotes=None):
        self.server = server
        self.log = server.dir / "vswitchd.log"
        self.process = subprocess.Popen(
            [program("tsuji-vswitchd"), remotes or f"unix:{server.sock}", "--enable-dummy=override",
             "--disable-system", "--pidfile", f"--log-file={self.log}", "-vconsole:off"],
            env=server.env, stdin=subprocess.DEVNULL)

    def ctl(self):
        return next(self.server.dir.glob("ovs-vswitchd.*.ctl"), None)

    def ports(self):
        done = subprocess.run([program("tsuji-appctl"), "-t", str(self.ctl()), "dpif/show"],
                              env=self.server.env, capture_output=True, text=True, timeout=20)
        return {line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ")}

    def __enter__(self):
        wait_until(self.ctl)
        return self

    def __exit__(self, kind, value, trace):
        alive = self.process.poll() is None
        self.process.terminate()
        self.process.wait(timeout=20)
        text = self.log.read_text()
        print(text)
        assert alive
        assert kind or not [line for line in text.splitlines() if "|WARN|" in line or "|ERR|" in line], text


def vsctl(server, *words, timeout=10):
    done = subprocess.run(["ovs-vsctl", f"--db=unix:{server.sock}", f"--timeout={timeout}", *words],
                          env=server.env, capture_output=True, text=True, timeout=30)
    assert not done.returncode, done.stderr
    return done.stdout.strip()


@pytest.fixture
def server():
    with Server(False, SCHEMA, warnings_ok=True) as server:
        yield server


def test_configures_and_reports(server):
    with Daemon(server) as daemon:
        vsctl(server, "add-br", "br0", "--", "add-port", "br0", "p1", "--", "set", "interface", "p1",
              "ofport_request=7")
        assert daemon.ports() == {"br0", "p1"}
        assert vsctl(server, "get", "interface", "p1", "ofport") == "7"
        assert vsctl(server, "get", "bridge", "br0", "datapath_id") != "[]"
        vsctl(server, "del-port", "p1")
        assert daemon.ports() == {"br0"}


def test_goes_on_when_the_server_was_restarted(server):
    with Daemon(server) as daemon:
        vsctl(server, "add-br", "br0", "--", "add-port", "br0", "p1")
        server.restart()
        vsctl(server, "add-port", "br0", "p2")
        assert daemon.ports() == {"br0", "p1", "p2"}


def test_what_changed_while_it_was_away_is_applied(server):
    with Daemon(server) as daemon:
        vsctl(server, "add-br", "br0", "--", "add-port", "br0", "p1")
        server.stop()
        # Somebody puts another database in its place.
        server.db.unlink()
        subprocess.run(["ovsdb-tool", "create", server.db, "/usr/share/openvswitch/vswitch.ovsschema"], check=True)
        server.start()
        vsctl(server, "--no-wait", "init")
        vsctl(server, "add-br", "br7", "--", "add-port", "br7", "q1", timeout=20)
        assert daemon.ports() == {"br7", "q1"}
