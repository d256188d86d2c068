# SPDX-License-Identifier: Apache-2.0
"""The control socket and a daemon's life, as tsuji-appctl and the unmodified ovs-appctl see them."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

BUILD = pathlib.Path(os.environ.get("TSUJI_BUILD", os.getcwd()))
DAEMON = BUILD / "tests/interop/control-daemon"
OURS = str(BUILD / "utilities/tsuji-appctl")

pytestmark = pytest.mark.skipif(not DAEMON.exists(), reason="control-daemon is not built")


class Daemon:
    def __init__(self, directory):
        self.directory = directory
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("OVS_", "TSUJI_"))}
        self.env |= {"OVS_RUNDIR": str(directory), "OVS_LOGDIR": str(directory)}

    def start(self, *options):
        # Output goes to a file: a pipe that the daemon kept open would make this wait for ever.
        with open(self.directory / "output", "w+") as output:
            status = subprocess.run([str(DAEMON), "--detach", "--pidfile", "--log-file", "-vconsole:off",
                                     *options], env=self.env, stdout=output, stderr=output, timeout=20,
                                    cwd=self.directory).returncode
        return status, (self.directory / "output").read_text()

    def pid(self):
        try:
            return int((self.directory / "ovs-vswitchd.pid").read_text())
        except FileNotFoundError:
            return None

    def log(self):
        return (self.directory / "ovs-vswitchd.log").read_text()

    def call(self, client, *words):
        return subprocess.run([client, *words], env=self.env, capture_output=True, text=True, timeout=20)


def wait_until(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("waited too long")


@pytest.fixture
def daemon(tmp_path):
    d = Daemon(tmp_path)
    yield d
    if pid := d.pid():
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: d.pid() is None)


@pytest.fixture(params=[pytest.param(OURS, id="tsuji-appctl"),
                        pytest.param("ovs-appctl", marks=pytest.mark.needs("ovs-appctl"))])
def client(request):
    return request.param


def test_starts_serves_and_ends(daemon, client):
    assert daemon.start() == (0, "")
    pid = daemon.pid()
    assert (daemon.directory / "ovs-vswitchd.pid").read_text() == f"{pid}\n"
    assert (daemon.directory / f"ovs-vswitchd.{pid}.ctl").is_socket()
    assert pathlib.Path(f"/proc/{pid}/cwd").resolve() == pathlib.Path("/")
    assert {os.readlink(f"/proc/{pid}/fd/{n}") for n in range(3)} == {"/dev/null"}
    reply = daemon.call(client, "version")
    assert (reply.returncode, reply.stderr) == (0, "")
    assert reply.stdout.splitlines()[0] == "ovs-vswitchd (Open vSwitch) 3.7.0"
    assert reply.stdout.splitlines()[1].startswith("Tsuji ")
    reply = daemon.call(client, "exit", "--cleanup")
    assert (reply.returncode, reply.stdout, reply.stderr) == (0, "", "")
    wait_until(lambda: not list(daemon.directory.glob("*.ctl")) and daemon.pid() is None)


def test_words_replies_and_statuses(daemon, client):
    daemon.start()
    reply = daemon.call(client, "test/echo", "--x", "a b", 'quo"te', "\u00e9\u8f3b")
    assert reply.stdout == '--x|a b|quo"te|\u00e9\u8f3b\n'
    reply = daemon.call(client, "test/fail")
    assert reply.returncode == 2
    assert reply.stderr.startswith("this always fails\n")
    assert "server returned an error" in reply.stderr
    assert daemon.call(client, "no-such-command").returncode == 2
    assert '"no-such-command" is not a valid command' in daemon.call(client, "no-such-command").stderr
    assert daemon.call(client, "-t", "no-such-daemon", "version").returncode == 1
    assert daemon.call(client, "-t", str(daemon.directory / "none.ctl"), "version").returncode == 1
    assert daemon.call(client).returncode == 1
    assert daemon.call(client, "--no-such-option", "version").returncode == 1
    assert daemon.call(client, "-T", "1", "test/hold").returncode == -signal.SIGALRM
    path = daemon.directory / f"ovs-vswitchd.{daemon.pid()}.ctl"
    assert daemon.call(client, "-t", str(path), "test/echo", "x").stdout == "x\n"


def test_log_levels(daemon, client):
    daemon.start()
    lines = daemon.call(client, "vlog/list").stdout.splitlines()
    assert lines[0].split() == ["console", "syslog", "file"]
    assert ["unixctl", "OFF", "INFO", "INFO"] in [line.split() for line in lines]
    assert daemon.call(client, "vlog/set", "unixctl:file:dbg", "ANY:syslog:off").returncode == 0
    lines = daemon.call(client, "vlog/list").stdout.splitlines()
    assert ["unixctl", "OFF", "OFF", "DBG"] in [line.split() for line in lines]
    assert "|unixctl|DBG|received request vlog/list" in daemon.log()
    assert daemon.call(client, "vlog/set", "unixctl:fil:dbg").returncode == 2
    (daemon.directory / "ovs-vswitchd.log").rename(daemon.directory / "old.log")
    assert daemon.call(client, "vlog/reopen").returncode == 0
    assert "|vlog|INFO|opened log file" in daemon.log()


def test_json(daemon):
    daemon.start()
    assert json.loads(daemon.call(OURS, "-f", "json", "test/echo", "x").stdout) == {
        "reply-format": "plain", "reply": "x\n"}
    commands = json.loads(daemon.call(OURS, "--format=json", "--pretty", "list-commands").stdout)
    assert commands["test/echo"] == "[word]..."
    failed = daemon.call(OURS, "-f", "json", "test/fail")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert daemon.call(OURS, "-f", "xml", "version").returncode == 1
    assert daemon.call(OURS, "--pretty", "version").returncode == 1


def test_second_one_is_refused(daemon):
    assert daemon.start()[0] == 0
    pid = daemon.pid()
    status, output = daemon.start()
    assert status == 1
    assert f"process {pid} is running already" in output
    assert daemon.pid() == pid
    assert daemon.call(OURS, "version").returncode == 0


def test_pid_file_of_a_dead_one_is_replaced(daemon):
    (daemon.directory / "ovs-vswitchd.pid").write_text("1\n")
    assert "stale" in daemon.call(OURS, "version").stderr
    assert daemon.start() == (0, "")
    assert daemon.call(OURS, "version").returncode == 0
    os.kill(daemon.pid(), signal.SIGKILL)
    wait_until(lambda: daemon.call(OURS, "version").returncode == 1)
    assert daemon.start() == (0, "")


def test_monitor_starts_it_again_after_a_crash(daemon):
    assert daemon.start("--monitor") == (0, "")
    first = daemon.pid()
    assert daemon.call(OURS, "test/crash").returncode == 1
    wait_until(lambda: daemon.pid() not in (None, first) and daemon.call(OURS, "version").returncode == 0)
    assert "signal 6 (Aborted)" in daemon.log()
    assert "run_crash" in daemon.log()
    assert "|daemon(monitor)|ERR|" in daemon.log()
    assert daemon.call(OURS, "exit").returncode == 0
    wait_until(lambda: daemon.pid() is None)
