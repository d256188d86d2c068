# SPDX-License-Identifier: Apache-2.0
"""A switch under test: starts the daemons in a directory of their own, speaks to them, and ends them.

Any warning in a log that the test did not announce (Switch.expect_warning) fails it."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TSUJI_BUILD", ROOT / "build"))
TIMEOUT = 30


def program(name):
    """The path of a program of ours in the build tree."""
    for folder in ("vswitchd", "utilities"):
        path = BUILD / folder / name
        if path.exists():
            return str(path)
    raise FileNotFoundError(f"{name} is not in {BUILD}; build it first")


class CommandError(Exception):
    def __init__(self, argv, code, out, err):
        super().__init__(f"{' '.join(argv)}: exit {code}\n{out}{err}")
        self.code, self.out, self.err = code, out, err


def run(argv, check=True, env=None, stdin=None, timeout=TIMEOUT, netns=None):
    """Runs a command to its end; its standard output. With check, a failure raises CommandError."""
    argv = [str(word) for word in argv]
    if netns:
        argv = ["ip", "netns", "exec", netns] + argv
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})
    if check and done.returncode:
        raise CommandError(argv, done.returncode, done.stdout, done.stderr)
    return done.stdout if check else done


def wait_until(what, timeout=10, interval=0.02):
    """Waits until what() is true and returns its value; fails with the last value otherwise."""
    end = time.monotonic() + timeout
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what} is {value!r}")
        time.sleep(interval)


class Daemon:
    def __init__(self, switch, name, argv):
        self.switch, self.name = switch, name
        self.log = switch.dir / f"{name}.log"
        words = [program(name), f"--log-file={self.log}", "-vconsole:off"] + argv
        if switch.user:
            words.append(f"--user={switch.user}")
        if switch.netns:
            words = ["ip", "netns", "exec", switch.netns] + words
        self.err = open(switch.dir / f"{name}.err", "ab")
        self.process = subprocess.Popen(words, env=switch.env, stdout=self.err, stderr=self.err,
                                        stdin=subprocess.DEVNULL)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def kill(self, sig=signal.SIGKILL):
        if self.alive():
            self.process.send_signal(sig)
        self.process.wait(timeout=TIMEOUT)
        self.err.close()

    def stop(self):
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.err.close()


class Switch:
    """Use:  with Switch(dummy=True) as s: s.vsctl("add-br", "br0") ...

    form: "embedded" (one process) or "split" (three). netns: the network namespace in which it runs.
    dummy: ports without devices, for tests without root; virtual: the clock stands still.
    user: whom the daemons become; needs root."""

    def __init__(self, form="embedded", netns=None, dummy=False, virtual=False, options=(), name="s", user=None):
        self.form, self.netns, self.dummy, self.virtual, self.user = form, netns, dummy, virtual, user
        self.options, self.name = list(options), name
        self.allowed, self.daemons = [], {}

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"tsuji-{self.name}-"))
        if self.user:
            shutil.chown(self.dir, self.user)
        self.env = {**os.environ}
        for kind in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR"):
            self.env[f"TSUJI_{kind}"] = self.env[f"OVS_{kind}"] = str(self.dir)
        try:
            self.start()
        except BaseException as e:
            text = self.logs()
            self.stop()
            shutil.rmtree(self.dir)
            raise AssertionError(f"the switch did not start:\n{text}") from e
        return self

    def __exit__(self, kind, value, trace):
        try:
            dead = [d.name for d in self.daemons.values() if not d.alive()]
            self.stop()
            text = self.logs()
            if "PYTEST_CURRENT_TEST" in os.environ:
                print(text)   # Shown when the test fails.
            if not kind:
                assert not dead, f"{', '.join(dead)} died:\n{text}"
                assert not self.warnings(), "unannounced warnings:\n" + "\n".join(self.warnings())
                assert "ERROR: " not in text and "runtime error" not in text, text
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    # ---- Life ----

    def start(self):
        if self.form == "split":
            self.start_db()
            self.start_datapath()
        self.start_vswitchd()
        if self.form == "split" and not self.vsctl("--no-wait", "--columns=_uuid", "list", "Open_vSwitch", check=True).strip():
            self.vsctl("--no-wait", "init")
        elif self.form == "embedded":
            self.vsctl("--no-wait", "init")
        if self.virtual:
            self.appctl("time/stop")

    def start_db(self):
        file = self.dir / "conf.db"
        if not file.exists():
            run([program("tsuji-dbtool"), "create", file], env=self.env)
        if self.user:
            for made in self.dir.glob("*conf.db*"):
                shutil.chown(made, self.user)
        self.daemons["db"] = Daemon(self, "tsuji-dbserver", [
            "--pidfile", f"--remote=punix:{self.dir}/db.sock", "--remote=db:Open_vSwitch,Open_vSwitch,manager_options", str(file)])
        wait_until(lambda: (self.dir / "db.sock").exists())

    def start_datapath(self):
        options = ["--pidfile"]
        if self.dummy:
            options.append("--enable-dummy=override" if self.dummy is True else f"--enable-dummy={self.dummy}")
        self.daemons["datapath"] = Daemon(self, "tsuji-datapathd", options)
        wait_until(lambda: (self.dir / "datapath.sock").exists())

    def start_vswitchd(self):
        options = ["--pidfile", "--overwrite-pidfile"] + self.options
        if self.form == "split":
            options += [f"--datapath={self.dir}/datapath.sock"]
        elif self.dummy:
            options.append("--enable-dummy=override" if self.dummy is True else f"--enable-dummy={self.dummy}")
        if self.dummy and self.form != "split":
            options.append("--disable-system")
        if self.form == "split":
            options.append(f"unix:{self.dir}/db.sock")
        else:
            options.append("--datapath=embedded")
        self.daemons["vswitchd"] = d = Daemon(self, "tsuji-vswitchd", options)
        wait_until(lambda: not d.alive() or self.vswitchd_pid() == d.pid and (self.dir / f"ovs-vswitchd.{d.pid}.ctl").exists()
                   and (self.dir / "db.sock").exists())
        assert d.alive(), "tsuji-vswitchd ended at once"

    def vswitchd_pid(self):
        try:
            return int((self.dir / "ovs-vswitchd.pid").read_text())
        except (OSError, ValueError):
            return 0

    def stop(self):
        for key in ("vswitchd", "datapath", "db"):
            if key in self.daemons:
                self.daemons.pop(key).stop()

    # ---- Logs ----

    def logs(self):
        return "".join(f"--- {f.name}\n{f.read_text(errors='replace')}" for f in sorted(self.dir.glob("*.log")) + sorted(self.dir.glob("*.err")))

    def expect_warning(self, pattern):
        """Announces that log lines which match may come."""
        self.allowed.append(re.compile(pattern))

    def warnings(self):
        lines = [line for f in self.dir.glob("*.log") for line in f.read_text(errors="replace").splitlines()
                 if re.search(r"\|(WARN|ERR|EMER)\|", line)]
        return [line for line in lines if not any(p.search(line) for p in self.allowed)]

    # ---- Tools ----

    def tool(self, name, *words, check=True, stdin=None, timeout=TIMEOUT):
        return run([name, *words], check=check, env=self.env, stdin=stdin, timeout=timeout, netns=self.netns)

    def vsctl(self, *words, check=True, unmodified=False):
        name = "ovs-vsctl" if unmodified else program("tsuji-vsctl")
        return self.tool(name, f"--db=unix:{self.dir}/db.sock", "--timeout=20", *words, check=check)

    def ofctl(self, *words, check=True, unmodified=False, stdin=None):
        return self.tool("ovs-ofctl" if unmodified else program("tsuji-ofctl"), *words, check=check, stdin=stdin)

    def appctl(self, *words, check=True, unmodified=False, target=None):
        name = "ovs-appctl" if unmodified else program("tsuji-appctl")
        options = ["-t", target] if target else []
        return self.tool(name, *options, *words, check=check)

    def appctl_json(self, *words):
        return json.loads(self.tool(program("tsuji-appctl"), "-f", "json", *words))

    # ---- Shortcuts ----

    def receive(self, port, *packets):
        """Lets a dummy port receive packets (hex or flow text) and waits until all is done."""
        self.appctl("netdev-dummy/receive", port, *packets)

    def warp(self, ms, step=None):
        self.appctl("time/warp", ms, *([step] if step else []))

    def trace(self, *words):
        return self.appctl("ofproto/trace", *words)

    def datapath_actions(self, *words):
        return re.search(r"^Datapath actions: (.*)$", self.trace(*words), re.M)[1]

    def flows(self, bridge="br0"):
        """Rules as ofctl shows them, without statistics."""
        return sorted(line.strip() for line in self.ofctl("--no-stats", "dump-flows", bridge).splitlines() if "actions=" in line)

    def dp_flows(self):
        return self.appctl("dpctl/dump-flows").splitlines()

    def drops(self):
        return {k: v for k, v in self.appctl_json("drops/show").items() if v}
