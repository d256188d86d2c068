# SPDX-License-Identifier: Apache-2.0
"""Our database server against Open vSwitch's: the same requests, the same answers."""
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

from ovsdb_pair import Names, Pair, Rpc, Server, ordered
from ovsdb_random import SCHEMA, Generator
from switch import program, wait_until

pytestmark = pytest.mark.needs("ovsdb-server", "ovsdb-tool", "ovsdb-client", "ovs-appctl")

N = int(os.environ.get("TSUJI_OVSDB_TRANSACTIONS", "700"))


@pytest.mark.parametrize("seed", range(3))
def test_random_transactions_get_the_same_replies(seed):
    with Pair(SCHEMA) as pair:
        generator = Generator(seed)
        for i in range(N):
            pair.transact(*generator.transaction())
            generator.tables = pair.names[0].tables
            if i % 50 == 49:
                pair.contents()
        pair.contents()


# Monitors -----------------------------------------------------------------------------------------------------------

WHERE = [["number", ">", 5], ["color", "==", "red"]]
MONITORS = [
    ("monitor", {t: {} for t in SCHEMA["tables"]}),
    ("monitor", {"root": [{"columns": ["name", "ints"]}, {"columns": ["map"], "select": {"modify": False}}],
                 "leaf": {"columns": ["name"], "select": {"initial": False, "delete": False}}}),
    ("monitor_cond", {t: [{"columns": list(d["columns"])}] for t, d in SCHEMA["tables"].items()}),
    ("monitor_cond", {"root": [{"columns": ["name", "number", "ints", "map", "strong"], "where": WHERE}]}),
]


def canonical(notes, names):
    """Notifications without what is chance: order, versions, UUIDs. Open vSwitch gives a row a new version also when
    a transaction left it as it was, so changes of nothing but the version do not count."""
    found = []
    for note in notes:
        body = names.take_out(note["params"][-1])
        for table, rows in list(body.items()):
            for uuid, row in list(rows.items()):
                for part in row.values():
                    if isinstance(part, dict):
                        part.pop("_version", None)
                if ("new" in row and row.get("old") == {}) or row.get("modify") == {}:
                    del rows[uuid]
            if not rows:
                del body[table]
        if body or "result" in note:
            found.append([note["method"], note["params"][0], ordered(body)])
    return found


@pytest.mark.parametrize("seed", range(2))
def test_monitors_see_the_same_updates(seed):
    with Pair(SCHEMA) as pair:
        generator = Generator(100 + seed)
        for i in range(N // 2):
            if i in (50, 150):
                replies = []
                for rpc, names in zip(pair.rpcs, pair.names):
                    replies.append([])
                    for k, (method, requests) in enumerate(MONITORS):
                        reply = rpc.call(method, SCHEMA["name"], f"m{i}-{k}", requests)
                        assert reply["error"] is None
                        replies[-1].append(canonical([{"method": method, "params": [k, reply["result"]]}], names))
                assert replies[0] == replies[1]
            pair.transact(*generator.transaction())
            generator.tables = pair.names[0].tables
            # The updates came before the reply, so they are all there.
            theirs, ours = (sorted(canonical(r.notes, n), key=json.dumps) for r, n in zip(pair.rpcs, pair.names))
            for rpc in pair.rpcs:
                rpc.notes.clear()
            assert ours == theirs, f"{i}: {json.dumps(ours)}\n{json.dumps(theirs)}"


def test_conditions_can_be_changed():
    with Pair(SCHEMA) as pair:
        for i in range(8):
            pair.transact({"op": "insert", "table": "root",
                           "row": {"name": f"r{i}", "number": i, "color": "red" if i % 2 else "blue"}})
        requests = {"root": [{"columns": ["name", "number"], "where": [["number", "<", 2]]}]}
        for new in ([["number", "<", 5]], [["color", "==", "red"]], [False], [], [["number", ">", 6]]):
            got = []
            for rpc, names in zip(pair.rpcs, pair.names):
                if new == [["number", "<", 5]]:
                    rpc.call("monitor_cond", SCHEMA["name"], "m", requests)
                reply = rpc.call("monitor_cond_change", "m", "m", {"root": [{"where": new}]})
                got.append((reply["result"], reply["error"], canonical(rpc.notes, names)))
                rpc.notes.clear()
            assert got[0] == got[1], new
        pair.transact({"op": "update", "table": "root", "where": [["name", "==", "r7"]], "row": {"number": 0}})
        theirs, ours = (canonical(r.notes, n) for r, n in zip(pair.rpcs, pair.names))
        assert ours == theirs and ours


# Requests -----------------------------------------------------------------------------------------------------------

REQUESTS = [
    ("echo", [1, {"a": None}]), ("list_dbs", []), ("get_schema", ["nowhere"]), ("nonsense", []),
    ("transact", []), ("transact", [1]), ("transact", ["nowhere"]), ("transact", [SCHEMA["name"]]),
    ("transact", [SCHEMA["name"], 5]), ("transact", ["_Server", {"op": "insert", "table": "Database", "row": {"model": "relay"}}]),
    ("monitor", [SCHEMA["name"], "m", {"nowhere": {}}]),
    ("monitor", [SCHEMA["name"], "m", {"root": {"columns": ["nothing"]}}]),
    ("monitor", [SCHEMA["name"], "m", {"root": {"columns": ["name", "name"]}}]),
    ("monitor", [SCHEMA["name"], "m", {"root": {"columns": [], "select": {"all": True}}}]),
    ("monitor", ["nowhere", "m", {}]), ("monitor", [SCHEMA["name"], "m", {}]),
    ("monitor", [SCHEMA["name"], "m", {}]), ("monitor_cancel", ["m"]), ("monitor_cancel", ["m"]),
    ("lock", ["a"]), ("lock", ["a"]), ("lock", [1]), ("lock", ["a b"]), ("unlock", ["b"]), ("unlock", ["a"]),
    ("unlock", ["a"]), ("steal", ["c"]), ("unlock", ["c"]), ("set_db_change_aware", [True]),
    ("set_db_change_aware", ["yes"]), ("monitor_cond_change", ["m", "m", {}]),
]


def test_requests_get_the_same_kind_of_answer():
    with Pair(SCHEMA) as pair:
        for method, params in REQUESTS:
            theirs, ours = (rpc.call(method, *params) for rpc in pair.rpcs)
            for reply in (theirs, ours):
                reply.setdefault("result", None)   # Theirs leaves it out.
                if isinstance(reply["error"], dict):
                    reply["error"] = reply["error"]["error"]
                for r in reply["result"] if isinstance(reply["result"], list) else []:
                    if isinstance(r, dict) and "error" in r:
                        r.pop("details", 0), r.pop("syntax", 0)
            if method == "list_dbs":
                theirs["result"].sort(), ours["result"].sort()
            assert ours == theirs, (method, params)


def test_locks_pass_from_session_to_session():
    with Pair(SCHEMA) as pair:
        logs = []
        for server in pair.servers:
            a, b, c = (Rpc(server.sock) for _ in range(3))
            log = [r.call("lock", "l")["result"] for r in (a, b)]
            log.append(b.call("transact", SCHEMA["name"], {"op": "assert", "lock": "l"})["result"][0]["error"])
            log.append(c.call("steal", "l")["result"])
            for r in (a, b, c):
                r.call("echo")
                log.append([(n["method"], n["params"]) for n in r.notes])
                r.notes.clear()
            log.append(a.call("unlock", "l")["result"])
            c.close()
            wait_until(lambda: b.call("echo") and b.notes)
            log.append([(n["method"], n["params"]) for n in b.notes])
            log.append(b.call("transact", SCHEMA["name"], {"op": "assert", "lock": "l"})["result"])
            logs.append(log)
        assert logs[0] == logs[1]


def test_a_wait_is_answered_when_another_session_changes_the_row():
    with Server(True, SCHEMA) as server:
        a, b = Rpc(server.sock), Rpc(server.sock)
        wait = {"op": "wait", "table": "root", "where": [], "columns": ["name"], "until": "==",
                "rows": [{"name": "x"}]}
        id = a.start("transact", SCHEMA["name"], wait, {"op": "comment", "comment": "c"})
        other = a.start("transact", SCHEMA["name"], {**wait, "rows": [{"name": "never"}], "timeout": 100})
        cancelled = a.start("transact", SCHEMA["name"], {**wait, "rows": [{"name": "never"}]})
        assert a.finish(other)["result"][0]["error"] == "timed out"
        a.send("cancel", [cancelled])
        assert a.finish(cancelled)["error"] == "canceled"
        b.call("transact", SCHEMA["name"], {"op": "insert", "table": "root", "row": {"name": "x"}})
        assert a.finish(id)["result"] == [{}, {}]


# The file -----------------------------------------------------------------------------------------------------------

def tool(name, *words):
    return subprocess.run([name, *map(str, words)], capture_output=True, text=True, check=True, timeout=60).stdout


def everything(name, db, schema=SCHEMA):
    """All persistent rows of a file, read by one of the tools."""
    durable = {t: [c for c, v in d["columns"].items() if not v.get("ephemeral")]
               for t, d in schema["tables"].items()}
    request = [schema["name"], *({"op": "select", "table": t, "where": [], "columns": ["_uuid", *c]}
                                 for t, c in durable.items())]
    return ordered(json.loads(tool(name, "query", db, json.dumps(request))))


def test_either_reads_the_other_ones_file():
    ours_tool = program("tsuji-dbtool")
    with Pair(SCHEMA) as pair:
        generator = Generator(7)
        for _ in range(N):
            pair.transact(*generator.transaction())
            generator.tables = pair.names[0].tables
        for server in pair.servers:
            ours = everything(ours_tool, server.db)
            assert any(t["rows"] for t in ours)
            try:
                theirs = everything("ovsdb-tool", server.db)
            except subprocess.CalledProcessError as e:
                # Open vSwitch 3.1 writes differences that are too long for itself.
                assert not server.ours and "must have" in e.stderr
                server.control("ovsdb-server/compact")
                theirs = everything("ovsdb-tool", server.db)
            assert ours == theirs
            a, b = (tool(t, "show-log", server.db) for t in ("ovsdb-tool", ours_tool))
            assert [l[:34] for l in a.splitlines()] == [l[:34] for l in b.splitlines()]
            server.control("ovsdb-server/compact")
            assert everything("ovsdb-tool", server.db) == everything(ours_tool, server.db) == ours
            # Each goes on with the file that the other one wrote.
            with Server(not server.ours, db=server.db) as other:
                rpc = Rpc(other.sock)
                reply = rpc.call("transact", SCHEMA["name"], {"op": "insert", "table": "root",
                                                              "row": {"name": "from the other", "number": 77}})
                assert "uuid" in reply["result"][0]
                assert everything(ours_tool, other.db) == everything("ovsdb-tool", other.db) != ours


def test_what_was_answered_survives_a_kill():
    with Server(True, SCHEMA) as server:
        names = []
        for round in range(5):
            rpc = Rpc(server.sock)
            for i in range(20):
                name = f"{round}-{i}"
                reply = rpc.call("transact", SCHEMA["name"], {"op": "insert", "table": "root",
                                                              "row": {"name": name, "number": len(names)}},
                                 {"op": "commit", "durable": True})
                assert "uuid" in reply["result"][0], reply
                names.append(name)
            # These are on their way when it dies.
            for i in range(50):
                rpc.start("transact", SCHEMA["name"], {"op": "insert", "table": "leaf", "row": {"name": "x"}})
            server.restart(kill=True)
            rows = Rpc(server.sock).call("transact", SCHEMA["name"], {"op": "select", "table": "root", "where": [],
                                                                      "columns": ["name"]})["result"][0]["rows"]
            assert sorted(r["name"] for r in rows) == sorted(names)


# Bounds -------------------------------------------------------------------------------------------------------------

def test_a_client_that_does_not_read_is_disconnected():
    with Server(True, SCHEMA, warnings_ok=True) as server:
        deaf, busy = Rpc(server.sock), Rpc(server.sock)
        deaf.call("monitor", SCHEMA["name"], "m", {"root": {}})
        deaf.sock.settimeout(30)
        row = busy.call("transact", SCHEMA["name"], {"op": "insert", "table": "root", "row": {"name": "r"}})
        big = "x" * (1 << 20)
        for i in range(60):
            reply = busy.call("transact", SCHEMA["name"], {"op": "update", "table": "root", "where": [],
                                                           "row": {"some": f"{i}{big}"}})
            assert reply["result"] == [{"count": 1}]
        assert any("left" in line and "unread" in line for line in server.warnings())
        got = 0
        with pytest.raises((ConnectionError, ConnectionResetError)):
            while True:
                data = deaf.sock.recv(1 << 20)
                got += len(data)
                if not data:
                    raise ConnectionError
        assert busy.call("echo")["result"] == []


def test_sessions_are_bounded():
    with Server(True, SCHEMA, options=["--max-sessions=3"], warnings_ok=True) as server:
        rpcs = [wait_until(lambda: session(server)) for _ in range(3)]
        assert not session(server)
        rpcs.pop().close()
        wait_until(lambda: session(server))


def session(server):
    """A session that works, or None."""
    rpc = Rpc(server.sock)
    try:
        rpc.call("echo")
        return rpc
    except OSError:
        rpc.close()


@pytest.mark.parametrize("rubbish", [b"{", b"]", b"[" * 100000, b'{"method":5}', b"\0\1\2", b'"' + b"x" * 100000,
                                     b'{"id":1,"method":"transact","params":"x"}'])
def test_rubbish_ends_only_its_own_session(rubbish):
    with Server(True, SCHEMA) as server:
        good, bad = Rpc(server.sock), Rpc(server.sock)
        bad.sock.sendall(rubbish)
        bad.sock.shutdown(1)
        try:
            while bad.sock.recv(1 << 16):
                pass
        except OSError:
            pass
        assert good.call("echo", 1)["result"] == [1]


# Programs that know nothing of us ------------------------------------------------------------------------------------

@pytest.fixture
def switch_db():
    schema = json.loads((pathlib.Path(__file__).parents[2] / "spec/vswitch.schema.json").read_text())
    with Server(True, schema, options=["--remote=db:Open_vSwitch,Open_vSwitch,manager_options"]) as server:
        yield server


def vsctl(server, *words):
    done = subprocess.run(["ovs-vsctl", "--no-wait", f"--db=unix:{server.sock}", "--timeout=10", *words],
                          env=server.env, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout


def client(server, *words):
    return tool("ovsdb-client", *words[:1], f"unix:{server.sock}", *words[1:])


def test_ovsdb_client(switch_db):
    vsctl(switch_db, "init")
    assert client(switch_db, "list-dbs").split() == ["Open_vSwitch", "_Server"]
    schema = json.loads(client(switch_db, "get-schema", "Open_vSwitch"))
    assert schema["name"] == "Open_vSwitch" and "Bridge" in schema["tables"]
    assert client(switch_db, "get-schema-version", "Open_vSwitch").strip() == "8.8.0"
    assert "AutoAttach" in client(switch_db, "list-tables", "Open_vSwitch")
    assert "ofport_request" in client(switch_db, "list-columns", "Open_vSwitch", "Interface")
    reply = json.loads(client(switch_db, "transact", json.dumps(
        ["Open_vSwitch", {"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["cur_cfg"]}])))
    assert reply == [{"rows": [{"cur_cfg": 0}]}]
    dump = json.loads(client(switch_db, "dump", "Open_vSwitch", "Open_vSwitch", "--format=json"))
    assert len(dump["data"]) == 1
    backup = client(switch_db, "backup", "Open_vSwitch")
    assert backup.startswith("OVSDB JSON ")
    vsctl(switch_db, "add-br", "br0")
    monitor = subprocess.Popen(["timeout", "10", "ovsdb-client", "monitor", f"unix:{switch_db.sock}", "Open_vSwitch",
                                "Bridge", "name", "--format=json"], stdout=subprocess.PIPE, text=True)
    try:
        assert "br0" in monitor.stdout.readline()
        vsctl(switch_db, "add-br", "br1")
        assert "br1" in monitor.stdout.readline()
    finally:
        monitor.terminate()
        monitor.wait()


def test_ovs_vsctl(switch_db):
    vsctl(switch_db, "init")
    vsctl(switch_db, "add-br", "br0", "--", "add-port", "br0", "p1", "tag=7", "--", "set", "Interface", "p1",
          "type=internal", "options:a=b", "--", "--id=@m", "create", "Mirror", "name=m", "--", "set", "Bridge", "br0",
          "mirrors=@m")
    assert vsctl(switch_db, "list-ports", "br0") == "p1\n"
    assert vsctl(switch_db, "get", "Port", "p1", "tag") == "7\n"
    assert "type: internal" in vsctl(switch_db, "show")
    vsctl(switch_db, "add", "Port", "p1", "trunks", "1,2,3", "--", "remove", "Port", "p1", "trunks", "2")
    assert vsctl(switch_db, "get", "Port", "p1", "trunks") == "[1, 3]\n"
    vsctl(switch_db, "wait-until", "bridge", "br0", "name=br0")
    assert vsctl(switch_db, "--columns=name", "-f", "csv", "--no-headings", "find", "interface", "type=internal")
    done = subprocess.run(["ovs-vsctl", "--no-wait", f"--db=unix:{switch_db.sock}", "set", "Port", "p1", "tag=9999"],
                          capture_output=True, text=True)
    assert done.returncode and "4095" in done.stderr
    vsctl(switch_db, "del-br", "br0")
    assert vsctl(switch_db, "show").count("\n") == 1


def test_managers_come_and_go(switch_db):
    vsctl(switch_db, "init")
    vsctl(switch_db, "set-manager", "ptcp:0:127.0.0.1")
    port = wait_until(lambda: [l.rsplit(" ", 1)[1] for l in switch_db.log.read_text().splitlines()
                               if "listening on port" in l])[0]
    assert "Open_vSwitch" in tool("ovsdb-client", "list-dbs", f"tcp:127.0.0.1:{port}")
    held = subprocess.Popen(["timeout", "30", "ovsdb-client", "monitor", f"tcp:127.0.0.1:{port}", "Open_vSwitch", "Manager"],
                            stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: "true" in vsctl(switch_db, "--columns=is_connected", "list", "Manager"))
    finally:
        held.terminate()
        held.wait()
    wait_until(lambda: "false" in vsctl(switch_db, "--columns=is_connected", "list", "Manager"))
    vsctl(switch_db, "del-manager")
    wait_until(lambda: subprocess.run(["ovsdb-client", "list-dbs", f"tcp:127.0.0.1:{port}"],
                                      capture_output=True).returncode)


IDL = """
import json, sys, time
sys.path.insert(0, "/usr/lib/python3/dist-packages")
import ovs.db.idl, ovs.poller
remote, schema = sys.argv[1:]
helper = ovs.db.idl.SchemaHelper(schema)
helper.register_all()
idl = ovs.db.idl.Idl(remote, helper)

def until(what):
    end = time.time() + 10
    while not what():
        idl.run()
        if what():
            break
        assert time.time() < end
        poller = ovs.poller.Poller()
        idl.wait(poller)
        poller.timer_wait(1000)
        poller.block()

def commit(change):
    txn = ovs.db.idl.Transaction(idl)
    txn.add_comment("by the idl")
    change(txn)
    assert txn.commit_block() in (txn.SUCCESS, txn.UNCHANGED), txn.get_error()

until(idl.has_ever_connected)
commit(lambda txn: setattr(txn.insert(idl.tables["Open_vSwitch"]), "external_ids", {"a": "b"}))
until(lambda: idl.tables["Open_vSwitch"].rows)
root = next(iter(idl.tables["Open_vSwitch"].rows.values()))

def add(txn):
    br = txn.insert(idl.tables["Bridge"])
    br.name = "br-idl"
    br.external_ids = {"k": "v"}
    root.verify("bridges")
    root.bridges = root.bridges + [br]
    root.increment("next_cfg")
commit(add)
until(lambda: len(idl.tables["Bridge"].rows) == 1)
br = next(iter(idl.tables["Bridge"].rows.values()))
assert br.name == "br-idl" and br.external_ids == {"k": "v"}, br
commit(lambda txn: br.setkey("external_ids", "k2", "v2"))
until(lambda: br.external_ids.get("k2") == "v2")
assert root.next_cfg == 1

def remove(txn):
    root.bridges = []
commit(remove)
until(lambda: not idl.tables["Bridge"].rows)
print("good")
"""


@pytest.mark.parametrize("ours", [False, True])
def test_python_idl(ours):
    path = pathlib.Path(__file__).parents[2] / "spec/vswitch.schema.json"
    with Server(ours, json.loads(path.read_text())) as server:
        done = subprocess.run(["/usr/bin/python3", "-c", IDL, f"unix:{server.sock}", path], capture_output=True,
                              text=True, timeout=60)
        assert done.stdout == "good\n", done.stderr


def test_detached_and_controlled(tmp_path):
    env = {**os.environ, **{f"{p}_{k}": str(tmp_path) for p in ("OVS", "TSUJI")
                            for k in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR")}}
    subprocess.run([program("tsuji-dbserver"), "--create", "--detach", "--no-chdir", "--pidfile", "--log-file",
                    "-vconsole:off", "--remote=punix:db.sock"], env=env, check=True, timeout=20)
    pid = int((tmp_path / "ovsdb-server.pid").read_text())

    def appctl(*words):
        return subprocess.run(["ovs-appctl", "-t", "ovsdb-server", *words], env=env, capture_output=True, text=True,
                              timeout=20)
    try:
        assert (tmp_path / f"ovsdb-server.{pid}.ctl").exists()
        assert appctl("ovsdb-server/list-dbs").stdout.split() == ["_Server", "Open_vSwitch"]
        assert appctl("ovsdb-server/list-remotes").stdout == "punix:db.sock\n"
        assert not appctl("ovsdb-server/add-remote", "punix:other.sock").returncode
        assert "Open_vSwitch" in tool("ovsdb-client", "list-dbs", f"unix:{tmp_path}/other.sock")
        assert not appctl("ovsdb-server/remove-remote", "punix:other.sock").returncode
        assert not (tmp_path / "other.sock").exists()
        assert appctl("ovsdb-server/add-remote", "nonsense:1").returncode == 2
        assert appctl("ovsdb-server/add-db", "/nowhere.db").returncode == 2
        subprocess.run([program("tsuji-dbtool"), "create", tmp_path / "second.db",
                        pathlib.Path(__file__).parents[2] / "tests/fuzz/corpus/schema/all_types.json"], check=True)
        assert not appctl("ovsdb-server/add-db", str(tmp_path / "second.db")).returncode
        assert "all_types" in appctl("ovsdb-server/list-dbs").stdout
        assert not appctl("ovsdb-server/remove-db", "all_types").returncode
        assert "all_types" not in tool("ovsdb-client", "list-dbs", f"unix:{tmp_path}/db.sock")
        assert "sessions" in appctl("memory/show").stdout
        assert "active" in appctl("ovsdb-server/sync-status").stdout
    finally:
        assert not appctl("exit").returncode
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists())
    assert not (tmp_path / "db.sock").exists()


def test_run_serves_while_a_command_runs(tmp_path):
    for command, code in (("ovsdb-client list-dbs unix:%s/s" % tmp_path, 0), ("false", 1)):
        done = subprocess.run([program("tsuji-dbserver"), "--create", f"--remote=punix:{tmp_path}/s", "-vconsole:off",
                               "--unixctl=none", f"--run={command}", tmp_path / "conf.db"], timeout=20,
                              capture_output=True)
        assert done.returncode == code, done.stderr


def test_a_damaged_file_is_reported_and_kept(tmp_path):
    with Server(True, SCHEMA, warnings_ok=True) as server:
        rpc = Rpc(server.sock)
        for i in range(3):
            rpc.call("transact", SCHEMA["name"], {"op": "insert", "table": "root",
                                                  "row": {"name": f"r{i}", "number": i}})
        server.stop()
        data = server.db.read_bytes()
        server.db.write_bytes(data[:-20])
        server.start()
        rows = Rpc(server.sock).call("transact", SCHEMA["name"], {"op": "select", "table": "root", "where": [],
                                                                  "columns": ["name"]})["result"][0]["rows"]
        assert sorted(r["name"] for r in rows) == ["r0", "r1"]
        kept, = server.dir.glob("conf.db.damaged-*")
        assert data[:-20].endswith(kept.read_bytes())
        assert any("cut off" in line for line in server.warnings())
        server.stop()
        server.db.write_bytes(b"no database")
        done = subprocess.run([program("tsuji-dbserver"), "--unixctl=none", "-vconsole:off", server.db],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and "not a database file" in done.stderr
        server.db.write_bytes(data)
        server.start()


def test_a_session_with_many_waiting_transactions_is_read_again_later():
    with Server(True, SCHEMA) as server:
        rpc = Rpc(server.sock)
        wait = {"op": "wait", "table": "root", "where": [], "columns": ["name"], "until": "==",
                "rows": [{"name": "never"}], "timeout": 50}
        ids = [rpc.start("transact", SCHEMA["name"], wait) for _ in range(2500)]
        assert all(rpc.finish(id)["result"][0]["error"] == "timed out" for id in ids)
        assert rpc.call("echo")["result"] == []


def test_two_hundred_monitors_get_each_change():
    with Server(True, SCHEMA) as server:
        rpcs = [session(server) for _ in range(200)]
        for i, rpc in enumerate(rpcs):
            rpc.call("monitor_cond", SCHEMA["name"], ["m", i], {"root": [{"columns": ["name"]}]})
        for name in ("a", "b", "c"):
            rpcs[0].call("transact", SCHEMA["name"], {"op": "insert", "table": "root",
                                                      "row": {"name": name, "number": ord(name)}})
        for i, rpc in enumerate(rpcs):
            rpc.call("echo")
            names = [row["insert"]["name"] for n in rpc.notes for row in n["params"][1]["root"].values()]
            assert names == ["a", "b", "c"] and all(n["params"][0] == ["m", i] for n in rpc.notes)


def test_locks_and_monitors_of_a_session_are_bounded():
    with Server(True, SCHEMA) as server:
        rpc = Rpc(server.sock)
        replies = [rpc.call("lock", f"l{i}") for i in range(1001)]
        assert replies[999]["result"] == {"locked": True}
        assert replies[1000]["error"]["error"] == "resources exhausted"
        replies = [rpc.call("monitor", SCHEMA["name"], i, {"few": {}}) for i in range(1001)]
        assert replies[999]["error"] is None
        assert replies[1000]["error"]["error"] == "resources exhausted"


@pytest.mark.root
def test_a_full_disk_is_an_error_and_no_damage(tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path], check=True)
    try:
        with Server(True, SCHEMA, warnings_ok=True) as server:
            server.stop()
            small = tmp_path / "conf.db"
            small.write_bytes(server.db.read_bytes())
            server.db = small
            server.start()
            rpc, watcher = Rpc(server.sock), Rpc(server.sock)
            watcher.call("monitor", SCHEMA["name"], "m", {"root": {"columns": ["name"]}})
            names, failed = [], 0
            for i in range(100):
                reply = rpc.call("transact", SCHEMA["name"], {
                    "op": "insert", "table": "root",
                    "row": {"name": f"r{i}", "number": i, "some": "x" * 2000}}, {"op": "commit", "durable": True})
                if len(reply["result"]) == 3:
                    assert reply["result"][2]["error"] == "I/O error", reply
                    failed += 1
                else:
                    names.append(f"r{i}")
                if failed == 3:
                    subprocess.run(["mount", "-o", "remount,size=10m", tmp_path], check=True)
            assert failed == 3 and len(names) == 97
            watcher.call("echo")
            seen = [row["new"]["name"] for n in watcher.notes for row in n["params"][1]["root"].values()]
            assert seen == names   # Nobody was told of what failed.
            server.restart(kill=True)
            rows = Rpc(server.sock).call("transact", SCHEMA["name"], {"op": "select", "table": "root", "where": [],
                                                                      "columns": ["name"]})["result"][0]["rows"]
            assert sorted(r["name"] for r in rows) == sorted(names)
            assert not list(tmp_path.glob("*damaged*"))
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


@pytest.mark.parametrize("ours", [True, False])
def test_a_served_file_is_closed_to_other_writers(ours):
    with Server(ours, SCHEMA) as server:
        for name in ("ovsdb-tool", program("tsuji-dbtool")):
            done = subprocess.run([name, "transact", server.db, json.dumps([SCHEMA["name"]])], capture_output=True,
                                  text=True)
            assert done.returncode == 1 and ("in use" in done.stderr or "lock" in done.stderr), done.stderr
            assert tool(name, "query", server.db, json.dumps([SCHEMA["name"]])) == "[]\n"
