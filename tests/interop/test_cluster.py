# SPDX-License-Identifier: Apache-2.0
"""Our switch daemon on a cluster of three of Open vSwitch's database servers, whose leader is killed."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from switch import program, wait_until

pytestmark = pytest.mark.needs("ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-appctl")
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
N = 3


class Cluster:
    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tsuji-cluster-"))
        self.env = {**os.environ}
        for kind in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR"):
            self.env[f"TSUJI_{kind}"] = self.env[f"OVS_{kind}"] = str(self.dir)
        self.processes = {}
        raft = [f"unix:{self.dir}/s{i}.raft" for i in range(N)]
        for i in range(N):
            how = ["create-cluster", f"{self.dir}/s{i}.db", SCHEMA, raft[0]] if not i else \
                ["join-cluster", f"{self.dir}/s{i}.db", "Open_vSwitch", raft[i], raft[0]]
            subprocess.run(["ovsdb-tool", *how], check=True, env=self.env)
            self.processes[i] = subprocess.Popen(
                ["ovsdb-server", "-vconsole:off", f"--log-file={self.dir}/s{i}.log", f"--unixctl={self.dir}/s{i}.ctl",
                 f"--remote=punix:{self.dir}/s{i}.sock", f"{self.dir}/s{i}.db"], env=self.env)
            wait_until(lambda: "Status: cluster member" in self.status(i), timeout=30)
        return self

    def __exit__(self, *why):
        for process in self.processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.dir)

    def status(self, i):
        return subprocess.run(["ovs-appctl", "-t", f"{self.dir}/s{i}.ctl", "cluster/status", "Open_vSwitch"],
                              capture_output=True, text=True, env=self.env, timeout=20).stdout

    def leader(self):
        return next((i for i in self.processes if "Role: leader" in self.status(i)), None)

    def kill(self, i):
        process = self.processes.pop(i)
        process.kill()
        process.wait()

    def remotes(self):
        return ",".join(f"unix:{self.dir}/s{i}.sock" for i in range(N))

    def vsctl(self, tool, *words):
        done = subprocess.run([tool, f"--db={self.remotes()}", "--retry", "--timeout=40", *words],
                              capture_output=True, text=True, env=self.env, timeout=60)
        assert not done.returncode, done.stderr
        return done.stdout


def test_daemon_and_tool_follow_the_leader():
    with Cluster() as cluster:
        daemon = subprocess.Popen(
            [program("tsuji-vswitchd"), cluster.remotes(), "--enable-dummy=override", "--disable-system",
             "--pidfile", f"--log-file={cluster.dir}/vswitchd.log", "-vconsole:off"], env=cluster.env)
        try:
            mine = program("tsuji-vsctl")
            cluster.vsctl(mine, "add-br", "br0", "--", "add-port", "br0", "p0")
            for port in ("p1", "p2"):
                leader = wait_until(lambda: (cluster.leader(),), timeout=30)[0]
                if port == "p2":
                    assert leader is not None
                    cluster.kill(leader)
                    wait_until(lambda: cluster.leader() is not None, timeout=60)
                cluster.vsctl(mine, "add-port", "br0", port)
                cluster.vsctl("ovs-vsctl", "add-port", "br0", f"{port}x")
            assert cluster.vsctl(mine, "list-ports", "br0").split() == ["p0", "p1", "p1x", "p2", "p2x"]
            assert "[]" not in cluster.vsctl(mine, "--columns=ofport", "list", "interface")
        finally:
            daemon.terminate()
            assert daemon.wait(timeout=20) in (0, -signal.SIGTERM)
