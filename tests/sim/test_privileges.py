# SPDX-License-Identifier: Apache-2.0
"""--user: who the daemons become, which of root's powers they keep, and that they still work."""
import pathlib
import pwd
import subprocess

import pytest

from switch import Switch, program

pytestmark = [pytest.mark.root]

USER = "nobody"
# capabilities(7): CAP_NET_BROADCAST, CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_SYS_NICE; CAP_BPF
OF_THE_DATAPATH = sum(1 << n for n in (11, 12, 13, 14, 23))
FOR_DEVICES = 1 << 39


def statuses(pid):
    """The status of every thread of the process, each as a dictionary."""
    files = pathlib.Path(f"/proc/{pid}/task").glob("*/status")
    return [dict(line.split(":\t", 1) for line in f.read_text().splitlines() if ":\t" in line) for f in files]


def our_own(kind):
    """What this process has: root in a container may not have all."""
    return int(statuses("self")[0][kind], 16)


def assert_became_user(daemon, kept):
    threads = statuses(daemon.pid)
    assert threads
    user = pwd.getpwnam(USER)
    for s in threads:
        who = f"{daemon.name}, thread {s['Name'].strip()}"
        assert s["Uid"].split() == [str(user.pw_uid)] * 4, who
        assert s["Gid"].split() == [str(user.pw_gid)] * 4, who
        assert s["Groups"].split() in ([], [str(user.pw_gid)]), who
        for kind in ("CapPrm", "CapEff"):
            assert int(s[kind], 16) == kept & our_own("CapPrm"), f"{who}: {kind} {s[kind]}"
        assert int(s["CapBnd"], 16) & ~kept == 0, f"{who}: CapBnd {s['CapBnd']}"


def assert_forwards(s):
    s.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=dummy")
    for i in (1, 2):
        s.vsctl("add-port", "br0", f"p{i}", "--", "set", "Interface", f"p{i}", "type=dummy", f"ofport_request={i}")
    s.ofctl("add-flow", "br0", "priority=5,in_port=1,actions=output:2")
    s.receive("p1", "02000000000b" "02000000000a" "88b5" + "00" * 46)
    assert "n_packets=1" in s.ofctl("dump-flows", "br0")


def test_only_the_datapath_of_three_processes_keeps_powers():
    with Switch("split", dummy=True, user=USER) as s:
        assert_became_user(s.daemons["db"], 0)
        assert_became_user(s.daemons["vswitchd"], 0)
        assert_became_user(s.daemons["datapath"], OF_THE_DATAPATH | FOR_DEVICES)
        assert_forwards(s)


def test_the_one_process_keeps_those_of_its_datapath():
    with Switch("embedded", dummy=True, user=USER) as s:
        assert_became_user(s.daemons["vswitchd"], OF_THE_DATAPATH)
        assert_forwards(s)


@pytest.mark.parametrize("name", ["tsuji-vswitchd", "tsuji-dbserver", "tsuji-datapathd"])
def test_an_unknown_user_ends_the_daemon(name, tmp_path):
    env = {f"TSUJI_{kind}": str(tmp_path) for kind in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR")}
    words = [program(name), "--user=no-such-user-here"]
    if name == "tsuji-dbserver":
        file = tmp_path / "conf.db"
        subprocess.run([program("tsuji-dbtool"), "create", str(file)], check=True, env=env)
        words.append(str(file))
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert 'this machine has no user "no-such-user-here"' in done.stderr
