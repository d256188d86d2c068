# SPDX-License-Identifier: Apache-2.0
"""Two database servers, Open vSwitch's and ours, driven with the same requests.

UUIDs differ between them, so a request names rows as "@N" (the Nth row inserted so far), and replies are
compared after their UUIDs were turned back into such names."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

from switch import program, wait_until

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Rpc:
    """A JSON-RPC session. Notifications are kept in 'notes'."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(path))
        self.decoder = json.JSONDecoder()
        self.buffer, self.next_id, self.notes = "", 0, []

    def close(self):
        self.sock.close()

    def send(self, method, params, id=None):
        self.sock.sendall(json.dumps({"method": method, "params": params, "id": id}).encode())

    def receive(self):
        while True:
            self.buffer = self.buffer.lstrip()
            try:
                message, end = self.decoder.raw_decode(self.buffer)
                self.buffer = self.buffer[end:]
                return message
            except json.JSONDecodeError:
                data = self.sock.recv(1 << 16)
                if not data:
                    raise ConnectionError("the server closed the session")
                self.buffer += data.decode()

    def start(self, method, *params):
        self.next_id += 1
        self.send(method, list(params), self.next_id)
        return self.next_id

    def finish(self, id):
        while True:
            message = self.receive()
            if message.get("method") == "echo":
                self.sock.sendall(json.dumps({"id": message["id"], "result": message["params"],
                                              "error": None}).encode())
            elif "method" in message and message["method"] is not None:
                self.notes.append(message)
            elif message["id"] == id:
                return message

    def call(self, method, *params):
        return self.finish(self.start(method, *params))


class Server:
    """One of the two, serving 'schema' (a dict) from a fresh file, or the file 'db'."""

    def __init__(self, ours, schema=None, db=None, options=(), warnings_ok=False):
        self.ours, self.warnings_ok = ours, warnings_ok
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tsuji-db-"))
        self.sock, self.db = self.dir / "db.sock", self.dir / "conf.db"
        self.log = self.dir / "server.log"
        self.env = {**os.environ}
        for kind in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR"):
            self.env[f"TSUJI_{kind}"] = self.env[f"OVS_{kind}"] = str(self.dir)
        if db:
            shutil.copy(db, self.db)
        else:
            (self.dir / "schema").write_text(json.dumps(schema))
            tool = program("tsuji-dbtool") if ours else "ovsdb-tool"
            subprocess.run([tool, "create", self.db, self.dir / "schema"], check=True)
        self.options = list(options)
        self.start()

    def start(self):
        server = program("tsuji-dbserver") if self.ours else "ovsdb-server"
        self.process = subprocess.Popen(
            [server, f"--remote=punix:{self.sock}", "-vconsole:off", f"--log-file={self.log}",
             f"--unixctl={self.dir}/ctl", *self.options, str(self.db)],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.dir / "err", "ab"))
        wait_until(self.accepts)

    def accepts(self):
        assert self.process.poll() is None, self.log.read_text() if self.log.exists() else "no log"
        try:
            Rpc(self.sock).close()
            return True
        except OSError:
            return False

    def stop(self, kill=False):
        if self.process.poll() is None:
            (self.process.kill if kill else self.process.terminate)()
        self.process.wait(timeout=20)
        if self.sock.exists():
            self.sock.unlink()

    def restart(self, kill=False):
        self.stop(kill)
        self.start()

    def control(self, *words):
        done = subprocess.run(["ovs-appctl", "-t", str(self.dir / "ctl"), *words], env=self.env,
                              capture_output=True, text=True, timeout=20)
        assert not done.returncode, done.stderr
        return done.stdout

    def warnings(self):
        text = self.log.read_text() if self.log.exists() else ""
        return [line for line in text.splitlines() if re.search(r"\|(WARN|ERR|EMER)\|", line)]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        bad = [] if self.warnings_ok or not self.ours or kind else self.warnings()
        shutil.rmtree(self.dir)
        assert not bad, "\n".join(bad)


class Names:
    """Rows by the order of their insertion, for one server."""

    def __init__(self):
        self.uuids, self.numbers, self.tables = [], {}, []

    def add(self, uuid, table):
        self.numbers[uuid] = len(self.uuids)
        self.uuids.append(uuid)
        self.tables.append(table)

    def fill_in(self, request):
        """The request with "@N" replaced by UUIDs."""
        return json.loads(re.sub(r'"@(\d+)"', lambda m: f'"{self.uuids[int(m[1])]}"', json.dumps(request)))

    def take_out(self, reply):
        """The reply with UUIDs replaced by "@N", those of no row by "?"."""
        def name(m):
            number = self.numbers.get(m[0])
            return "?" if number is None else f"@{number:05}"
        return json.loads(UUID.sub(name, json.dumps(reply)))


def ordered(x):
    """A value in which the order of sets, maps and rows does not matter."""
    if isinstance(x, list):
        if len(x) == 2 and x[0] in ("set", "map") and isinstance(x[1], list):
            if x[0] == "set" and len(x[1]) == 1:
                return ordered(x[1][0])
            return [x[0], sorted((ordered(e) for e in x[1]), key=json.dumps)]
        return [ordered(e) for e in x]
    if isinstance(x, dict):
        if set(x) == {"rows"}:
            return {"rows": sorted((ordered(e) for e in x["rows"]), key=lambda e: json.dumps(e, sort_keys=True))}
        if isinstance(x.get("error"), str):
            return {"error": x["error"]}   # Details are for people.
        return {k: ordered(v) for k, v in sorted(x.items())}
    if isinstance(x, float):
        return float(f"{x:.12g}")
    return x


OF_VALUES = {"syntax error", "constraint violation", "ovsdb error", "unknown column", "range error",
             "domain error"}


def both_refused(operations, *replies):
    """Whether both refused the same operation because of its values, of which more than one may be wrong: which
    one is found first is chance."""
    lists = [r["result"] or [] for r in replies]
    for op, a, b in zip(operations, *lists):
        if a != b:
            return bool(("row" in op or "mutations" in op) and a and b and a.get("error") in OF_VALUES
                        and b.get("error") in OF_VALUES)
    return False


class Pair:
    def __init__(self, schema, options=()):
        self.schema = schema
        self.servers = [Server(False, schema), Server(True, schema, options=options)]
        self.rpcs = [Rpc(s.sock) for s in self.servers]
        self.names = [Names(), Names()]

    def __enter__(self):
        return self

    def __exit__(self, *why):
        for rpc in self.rpcs:
            rpc.close()
        for server in self.servers:
            server.__exit__(*why)

    def transact(self, *operations):
        """Carries the operations out on both; the reply, which must be the same. Inserted rows get names."""
        replies = []
        for rpc, names in zip(self.rpcs, self.names):
            request = names.fill_in([self.schema["name"], *operations])
            reply = rpc.call("transact", *request)
            results = reply["result"] or []
            if not any(isinstance(r, dict) and "error" in r for r in results):
                for op, r in zip(operations, results):
                    if op["op"] == "insert":
                        names.add(r["uuid"][1], op["table"])
            replies.append(reply)
        theirs, ours = (ordered(n.take_out({"result": r["result"], "error": r["error"]}))
                        for r, n in zip(replies, self.names))
        assert ours == theirs or both_refused(operations, ours, theirs), (f"\nrequest {json.dumps(operations)}\ntheirs  {json.dumps(replies[0])}"
                                f"\nours    {json.dumps(replies[1])}")
        return ours

    def contents(self):
        """All rows of both, which must be the same."""
        return self.transact(*({"op": "select", "table": t, "where": [],
                                "columns": ["_uuid", *d["columns"]]}
                               for t, d in self.schema["tables"].items()))
