# SPDX-License-Identifier: Apache-2.0
"""tsuji-vsctl against ovs-vsctl: the same commands in the same databases, the same exit codes and output.

A script is a list of command lines; each is run by both tools, each on a database of its own, and compared. UUIDs
count as equal, and records, rows and branches may come in any order. What is written to stderr is for people and
is only looked at where a row says so."""
import json
import pathlib
import re
import shlex
import subprocess
import time

import pytest

from ovsdb_pair import Server
from switch import program

SCHEMA_FILE = pathlib.Path("/usr/share/openvswitch/vswitch.ovsschema")
pytestmark = pytest.mark.needs("ovsdb-server", "ovsdb-tool", "ovs-vsctl")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Tool:
    """One of the two tools with its own server."""

    def __init__(self, name, server_is_ours, schema=None):
        self.name = name
        schema = schema or json.loads(SCHEMA_FILE.read_text())
        self.server = Server(server_is_ours, schema)

    def run(self, line, *options, wait=False):
        words = shlex.split(line) if isinstance(line, str) else list(line)
        tool = program("tsuji-vsctl") if self.name == "tsuji-vsctl" else self.name
        command = [tool, f"--db=unix:{self.server.sock}", *([] if wait else ["--no-wait"]), *options, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, env=self.server.env)

    def ok(self, line, *options):
        done = self.run(line, *options)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        return done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.server.__exit__(*why)


def sorted_tree(text):
    """Lines of "show" with the branches of each level in order."""
    root = []
    stack = [(-1, root)]
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip())
        while stack[-1][0] >= depth:
            stack.pop()
        node = (line.strip(), [])
        stack[-1][1].append(node)
        stack.append((depth, node[1]))

    def order(nodes):
        return sorted((name, order(children)) for name, children in nodes)
    return order(root)


def normalise(text, line):
    text = UUID.sub("UUID", text)
    if "show" in line.split():
        return sorted_tree(text)
    if text.startswith("{\"data\"") or text.startswith("{\n"):
        table = json.loads(text)
        table["data"].sort(key=json.dumps)
        return table
    if re.search(r"\b(list|find)\b", line):
        blocks = ": " in text or "no-headings" in line or "--bare" in line
        return sorted(text.rstrip("\n").split("\n\n" if blocks else "\n"))
    return text


@pytest.fixture(params=["their server", "our server"])
def tools(request):
    ours = request.param == "our server"
    with Tool("ovs-vsctl", ours) as theirs, Tool("tsuji-vsctl", ours) as mine:
        yield theirs, mine


def compare(tools, script):
    theirs, mine = tools
    for line in script:
        a, b = theirs.run(line), mine.run(line)
        context = f"{line}\n--- ovs-vsctl: {a.returncode}\n{a.stdout}{a.stderr}--- tsuji-vsctl: " \
                  f"{b.returncode}\n{b.stdout}{b.stderr}"
        assert a.returncode == b.returncode, context
        assert normalise(a.stdout, line) == normalise(b.stdout, line), context
        assert bool(b.stderr) >= (b.returncode not in (0, 2)), context


SETUP = """init
add-br br0 -- add-port br0 p1 tag=5 -- add-port br0 vx0 -- set interface vx0 type=vxlan options:remote_ip=1.2.3.4 options:key=flow
set-controller br0 tcp:1.2.3.4:6633 ptcp:6634 -- set-manager ptcp:6640 -- set-fail-mode br0 secure
add-br fb br0 7 -- add-bond br0 b0 e1 e2 trunks=3,4
""".splitlines()

SCRIPTS = {
    "overview": """show
list-br
list-ports br0
list-ifaces br0
list-ports fb
list bridge br0
list port
list interface vx0
list Open_vSwitch .
list nothing
emer-reset
show
init
show""",
    "bridges": """add-br br0
--may-exist add-br br0
add-br fb
--may-exist add-br fb br0 7
--may-exist add-br fb br0 8
--may-exist add-br fb
--may-exist add-br br0 br0 7
add-br x br0
add-br x br0 5000
add-br x nope 5
add-br x fb 5
add-br p1
add-br e1
del-br nope
--if-exists del-br nope
list-br --real
-- --real list-br
-- --fake list-br
-- --real --fake list-br
br-exists br0
br-exists fb
br-exists nope
br-to-vlan fb
br-to-vlan br0
br-to-vlan nope
br-to-parent fb
br-to-parent br0
add-port fb p7
list-ports fb
list-ports br0
get port p7 tag
port-to-br p7
del-br fb
list-br
list-ports br0
add-br br1 -- add-port br1 q1 -- list-ports br1
del-br br0 -- list-br
show
list port
list interface
list controller""",
    "external ids": """br-set-external-id br0 k v
br-set-external-id br0 k2 'v 2'
br-get-external-id br0
br-get-external-id br0 k
br-get-external-id br0 nok
br-set-external-id br0 k
br-get-external-id br0
br-set-external-id fb k v
br-get-external-id fb
br-get-external-id br0
get port fb external_ids
br-set-external-id nope k v""",
    "ports": """add-port br0 p1
--may-exist add-port br0 p1
--may-exist add-port br0 p1 tag=9
get port p1 tag
--may-exist add-port br0 b0
--may-exist add-port fb p1
add-port nope x
add-port br0 br0
add-port br0 fb
add-port br0 e1
add-port br0 x tag=5000
add-port br0 x bogus=1
list-ports br0
del-port br0
del-port fb
del-port nope
del-port br0 nope
del-port fb p1
del-port nope p1
del-port e1
--if-exists del-port nope
--if-exists del-port nope p1
port-to-br b0
port-to-br e1
port-to-br br0
iface-to-br e1
iface-to-br br0
iface-to-br nope
--fake-iface add-bond br0 b2 e5 e6 bond_mode=active-backup lacp=off
get port b2 bond_fake_iface bond_mode lacp
--may-exist add-bond br0 b2 e6 e5
--may-exist add-bond br0 b2 e6 e7
add-bond br0 b3 e5 e9
add-bond br0 b3
add-bond br0 b3 e9 lacp=off
list-ifaces br0
--with-iface del-port e1
--with-iface del-port nope
--if-exists --with-iface del-port nope
list-ports br0
add-port br0 x1 -- set interface x1 type=internal -- get interface x1 type -- list-ports br0 -- del-port x1 -- list-ports br0
-- --may-exist add-port br0 tap0 vlan_mode=native-tagged tag=5 trunk=6,7 -- set Interface tap0 external-ids:attached-mac="52:54:00:00:00:01" -- set Interface tap0 external-ids:iface-id=7ce8ee44-9fa5-4b2c-b2e3-8d3dcbd9a1ff -- set Interface tap0 external-ids:iface-status=active
get interface tap0 external_ids
--if-exists --format=list --data=json --no-headings --columns=statistics list Interface tap0
-- --if-exists clear Port tap0 tag -- --if-exists clear Port tap0 trunk -- --if-exists clear Port tap0 vlan_mode -- --if-exists set Port tap0 tag=9
--columns=name,tag,trunks,vlan_mode list port tap0
del-port p1 -- add-port br0 p1 -- get port p1 tag
list port""",
    "settings": """get-controller br0
get-controller fb
get-controller nope
set-controller fb tcp:1.1.1.1
get-fail-mode br0
get-fail-mode fb
set-fail-mode br0 foo
set-fail-mode br0 standalone
get-fail-mode br0
del-fail-mode br0
get-fail-mode br0
get-manager
set-manager ptcp:6640 ptcp:6641 -- get-manager
--inactivity-probe=7 set-manager tcp:1.1.1.1
--columns=target,inactivity_probe list manager
del-manager
get-manager
get-ssl
set-ssl a b c
get-ssl
--bootstrap set-ssl a b c
get-ssl
list ssl
del-ssl
get-ssl
set-controller br0 tcp:1.1.1.1 -- --inactivity-probe=500 set-controller br0 ssl:5.5.5.5
--columns=target,inactivity_probe list controller
--inactivity-probe set-controller br0 tcp:1.1.1.1
del-controller br0
get-controller br0
add-aa-mapping br0 1000 5
add-aa-mapping br0 1001 6
get-aa-mapping br0
del-aa-mapping br0 1000 5
get-aa-mapping br0""",
    "zones": """add-zone-tp system zone=5 icmp_first=1 icmp_reply=2
--id=@d create datapath datapath_version=1 -- set Open_vSwitch . datapaths:system=@d
add-zone-tp system zone=5 icmp_first=1 icmp_reply=2
add-zone-tp system zone=5 icmp_first=3
list-zone-tp system
--may-exist add-zone-tp system zone=5 icmp_first=3
list-zone-tp system
add-zone-tp system zone=6 bogus=3
del-zone-tp system zone=5
list-zone-tp system
del-zone-tp system zone=6
--if-exists del-zone-tp system zone=6
list-dp-cap system
list-dp-cap nope""",
    "get": """get bridge br0 name
get bridge br0 other_config
get bridge br0 other-config:x
--if-exists get bridge br0 other-config:x
get bridge nope name
--if-exists get bridge nope name
get brid br0 name
get xx br0 name
get bridge br0 nam
get bridge br0 p
get bridge br0 zz
get port b0 trunk
get p b0 trunk
get PORT b0 TRUNKS
get interface vx0 options
get interface vx0 options:key
get interface vx0 options:key options:remote_ip name
get interface vx0 options:nokey
get bridge br0 name:x
get bridge br0 _uuid name
get bridge br0
get bridge br0 name=5
get open . next_cfg
get Open_vSwitch . bridges
get controller br0 target
get manager ptcp:6640 target
get interface vx0 options:key type -- get port p1 tag""",
    "set": """set bridge br0 name=x
set bridge br0 stp_enable=maybe
set bridge br0 stp_enable=yes
get bridge br0 stp_enable
set port p1 tag=5000
set port p1 tag=a
set port p1 tag=-1
set port p1 tag=0x7
set port p1 tag=1,2
set port p1 vlan_mode=foo
set port p1 vlan_mode=access
set port p1 vlan_mode=[]
set port p1 vlan-mode=access
set port p1 trunks=1-5,9
get port p1 trunks
set port p1 trunks=5-1
set port p1 trunks=1-
set port p1 trunks='[ 7, 8 9 ]'
get port p1 trunks
set port p1 trunks=5,5
set port p1 trunks='[1,2'
set port p1 trunks='[1,2]]'
set port p1 trunks=,
set bridge br0 other_config=a=1,b=2
set bridge br0 other_config:a=3 other_config:c=x=y:z
get bridge br0 other_config
set bridge br0 other_config='{a=1 b="x y" c=true}'
get bridge br0 other_config
set bridge br0 other_config:d=
set bridge br0 'other_config:d=""'
set bridge br0 other_config:e=2001:db8::1
set bridge br0 other_config=e=2001:db8::1
get bridge br0 other_config
set bridge br0 other_config:f='a\\b'
get bridge br0 other_config
set bridge br0 other_config:'"x y"'='z w'
get bridge br0 other_config:'"x y"'
set bridge br0 other_config:'"unended'=1
set bridge br0 other_config:a='"unended'
set bridge br0 other_config='{a='
set bridge br0 other_config='{a=b'
set bridge br0 other_config='{a=b}x'
set bridge br0 other_config='a'
set bridge br0 other_config='a=1,a=2'
set bridge br0 other_config={}
get bridge br0 other_config
set bridge br0 other_config:t=true other_config:u=7ce8ee44-9fa5-4b2c-b2e3-8d3dcbd9a1ff other_config:n=5 other_config:w=word-1.2_3
set port p1 tag=
set port p1 tag
set port p1 :x=5
set port p1 external_ids:a='"q\\"t"'
get port p1 external_ids
get port p1 external_ids:a
set port p1 mac='""'
get port p1 mac
set port p1 external_ids:'e!=4'
set bridge br0
set bridge br0 foo
set bridge br0 foo=1
set bridge nope stp_enable=true
--if-exists set bridge nope stp_enable=true
set interface vx0 ingress_policing_rate=-1
set interface vx0 ofport_request=0
set interface vx0 ofport_request=7 mtu_request=1400
get interface vx0 ofport_request mtu_request
set controller br0 max_backoff=1000
set bridge br0 protocols=OpenFlow10,OpenFlow13
get bridge br0 protocols
set bridge br0 protocols=OpenFlow99""",
    "add, remove, clear": """add bridge br0 other_config a=9 e=5
get bridge br0 other_config
add bridge br0 other_config a=10
remove bridge br0 other_config a
remove bridge br0 other_config b=zzz
remove bridge br0 other_config e=6
remove bridge br0 other_config e=5 c
get bridge br0 other_config
add port p1 trunks 100 200
add port p1 trunks 5,100
get port p1 trunks
remove port p1 trunks 1-5
get port p1 trunks
clear port p1 trunks
get port p1 trunks
clear port p1 interfaces
clear bridge br0 name
clear port p1 _uuid
clear port p1 tag trunks
add port p1 tag 7
add port p1 tag 8
remove port p1 tag 5
get port p1 tag
remove port p1 tag 7
get port p1 tag
add bridge br0 flood_vlans a
add bridge br0 flood_vlans 10-12
get bridge br0 flood_vlans
add bridge br0 name x
add bridge br0 flood_vlans
add nope br0 flood_vlans 1
add bridge nope flood_vlans 1
remove bridge nope flood_vlans 1
--if-exists remove bridge nope flood_vlans 1
--if-exists clear bridge nope flood_vlans
clear bridge nope flood_vlans""",
    "find": """find port tag=5
--columns=name find port tag!=5
--columns=name find port 'tag>4'
--columns=name find port 'tag<6'
--columns=name find interface options:key=flow
--columns=name find interface options:key!=flow
--columns=name find interface 'options{>=}key=flow'
--columns=name find interface 'options:key{=}flow'
--columns=name find interface 'options:key{!=}flow'
--columns=name find interface 'options:key{=}[]'
--columns=name find interface 'options={}'
--columns=name find port 'trunks{>=}3'
--columns=name find port 'trunks{>}3,4'
--columns=name find port 'trunks{<=}3,4,5'
--columns=name find port 'trunks{<}3,4,5'
--columns=name find port 'trunks{=}3,4'
--columns=name find port 'trunks{!=}3,4'
--columns=name find port 'trunks{>=}[]'
--columns=name find port 'trunks=3,4'
--columns=name find port 'trunks{in}3,4,5'
--columns=name find port 'trunks{not-in}3'
--columns=name find port 'tag=[]'
--columns=name find port 'tag!=[]'
--columns=foo find port
find port name
find port foo=1
find port name:x=1
find port tag=x
--columns=name find port 'tag{=}5' name=p1
--columns=name find port 'tag{=}5' name=p2
--columns=name find port
--no-headings --columns=name find Interface options:remote_ip=1.2.3.4
--columns=name find bridge stp_enable=false
find nope""",
    "formats": """--columns=name,tag,trunks list port
-f table --columns=name,tag,trunks list port
-f csv --columns=name,tag,trunks list port
-f json --columns=name,tag,trunks list port
-f json --pretty --columns=name,tag,trunks list port b0
-f html --columns=name,tag,trunks list port b0
--bare --columns=name,tag,trunks list port b0
-f table -d json --columns=name,options list interface
-f json -d bare --columns=name,options list interface
-f table -d bare --columns=options,name list interface
--format=table --no-headings --columns=name,tag list port p1
--no-headings --columns=name,tag list port p1
--no-head --col=name list port p1
--no-headings -f csv --columns=name,tag list port p1
--columns=_uuid,name list port p1
--columns=name --columns=tag list port p1
-f foo list-br
-d foo list-br
--columns= list port
--columns=name,,tag list port p1
list port nope
--if-exists list port nope
--columns=name list port p1 b0
--columns=target list controller br0
--oneline list-br -- get bridge br0 name -- --columns=name list port p1 -- add-br dd""",
    "create, destroy": """create bridge name=zz
list-br
--id=@q create qos type=linux-htb queues:1=@u -- --id=@u create queue other_config:max-rate=1 -- set port p1 qos=@q
get port p1 qos
list qos
get qos p1 type
--id=@x create queue dscp=3
--id=x create queue dscp=3
--id=@x create queue dscp=64
--id=@x create queue dscp=1 -- --id=@x create queue dscp=2
create queue bogus=3
create queue
set port p1 qos=@nope
destroy qos nope
--if-exists destroy qos nope
--all destroy queue
clear port p1 qos
destroy qos p1
--all destroy qos
--all destroy queue
--all destroy qos x
list qos
list queue
--id=@b get bridge br0 -- set Open_vSwitch . bridges=@b
list-br
--id=@m create mirror name=m0 -- add bridge br0 mirrors @m
get mirror m0 name select_all
--id=@p get port p1 -- --id=@m create mirror name=m1 select-dst-port=@p output-port=@p -- set bridge br0 mirrors=@m
get bridge br0 mirrors
list mirror
-- --id=@f create Flow_Table flow_limit=100 groups='"NXM_OF_IN_PORT[]"' -- set bridge br0 flow_tables:0=@f
get bridge br0 flow_tables
list flow_table
clear bridge br0 mirrors
-- --id=@s1c0 create Controller target=\\"tcp:127.0.0.1:6653\\" max_backoff=1000 -- --if-exists del-br s1 -- add-br s1 -- set bridge s1 controller=[@s1c0] other_config:datapath-id=0000000000000001 fail_mode=secure other-config:disable-in-band=true protocols=OpenFlow13 stp_enable=true other-config:dp-desc=s1 -- add-port s1 s1-eth1 -- set Interface s1-eth1 ofport_request=1
show
list bridge s1
destroy port p1""",
    "the rest": """wait-until bridge br0 stp_enable=false
wait-until bridge br0
wait-until bridge br0 name=br0 datapath_type=[]
-t 1 wait-until bridge br9
--timeout=1 wait-until bridge br0 stp_enable=true
comment foo bar -- br-exists br0
comment
--dry-run add-br zzz
--dry-run add-br br0
--dry-run create queue dscp=3 -- get bridge br0 name
list-br
bogus
add-br
list-ports
--foo add-br x
-- --if-exists add-br x
-- --may-exist=5 add-br x
list-br br0
list-br extra
list-br -- bogus
list-br --
-- list-br
-- -- list-br

--
set bridge
list bridge,port
--timeout=x list-br
-t
--no-wait=5 list-br
--d list-br
""",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(tools, name):
    compare(tools, SETUP + SCRIPTS[name].split("\n"))


class Switch:
    """Plays the switch daemon: gives new interfaces port numbers, or errors, then says that it is done."""

    def __init__(self, tool):
        self.tool = tool

    def settle(self, errors=()):
        deadline = time.monotonic() + 10
        while self.number("next_cfg") == self.number("cur_cfg"):
            assert time.monotonic() < deadline, "the tool changed nothing"
            time.sleep(0.01)
        for name in self.tool.ok("--bare --columns=name find interface ofport=[]").split():
            if name in errors:
                self.tool.ok(["set", "interface", name, "ofport=-1", f'error="{errors[name]}"'])
            else:
                self.tool.ok(f"set interface {name} ofport=7")
        self.tool.ok(f"set Open_vSwitch . cur_cfg={self.number('next_cfg')}")

    def number(self, column):
        return int(self.tool.ok(f"get Open_vSwitch . {column}"))


@pytest.fixture
def mine():
    with Tool("tsuji-vsctl", True) as tool:
        tool.ok("init")
        yield tool


def in_background(tool, line):
    words = [program("tsuji-vsctl"), f"--db=unix:{tool.server.sock}", *shlex.split(line)]
    return subprocess.Popen(words, env=tool.server.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def test_waits_until_the_switch_is_done(mine):
    started = in_background(mine, "add-br br0 -- list-br")
    time.sleep(0.2)
    assert started.poll() is None
    Switch(mine).settle()
    out, err = started.communicate(timeout=10)
    assert (started.returncode, out, err) == (0, "br0\n", "")


def test_port_that_cannot_be_made_is_exit_code_65_with_the_error(mine):
    started = in_background(mine, "add-br br0 -- add-port br0 nodev")
    Switch(mine).settle(errors={"nodev": "no such device"})
    out, err = started.communicate(timeout=10)
    assert started.returncode == 65
    assert "'nodev': no such device" in err


def test_reading_does_not_wait(mine):
    assert mine.run("list-br", wait=True).returncode == 0
    assert mine.run("--dry-run add-br br0", wait=True).returncode == 0
    assert mine.run("--if-exists del-br br0", wait=True).returncode == 0


def test_wait_until_ends_when_it_is_true(mine):
    mine.ok("add-br br0")
    started = in_background(mine, "wait-until bridge br0 datapath_id=0000000000000001")
    time.sleep(0.2)
    assert started.poll() is None
    mine.ok("set bridge br0 datapath_id=0000000000000001")
    assert started.wait(timeout=10) == 0


def test_wait_until_for_a_record_that_is_not_there_yet(mine):
    started = in_background(mine, "wait-until interface p1 -- list-br")
    mine.ok("add-br br0 -- add-port br0 p1")
    out, _ = started.communicate(timeout=10)
    assert (started.returncode, out) == (0, "br0\n")


def test_many_at_once_lose_nothing(mine):
    """Each reads and writes the same columns: those that meet the change of another one try again."""
    mine.ok("add-br br0")
    started = [in_background(mine, f"--no-wait add-port br0 p{i}") for i in range(20)]
    assert [p.wait(timeout=30) for p in started] == [0] * 20
    for p in started:
        p.communicate()
    assert len(mine.ok("list-ports br0").split()) == 20


def test_stock_server_that_lacks_our_columns():
    """A column of ours that a stock schema does not have reads as empty, and is not written."""
    schema = json.loads(SCHEMA_FILE.read_text())
    del schema["tables"]["Port"]["columns"]["protected"]
    with Tool("tsuji-vsctl", False, schema) as tool:
        tool.ok("add-br br0")
        assert tool.ok("get port br0 protected") == "false\n"
        tool.ok("set port br0 protected=true tag=5")
        assert tool.ok("get port br0 protected tag") == "false\n5\n"
        assert "protected" not in tool.ok("list port br0")


@pytest.mark.parametrize("line, words", [
    ("--db=unix:/nonexistent list-br", ["/nonexistent", "database connection failed"]),
    ("--db=tcp:127.0.0.1:1 list-br", ["127.0.0.1:1", "database connection failed"]),
    ("--db=foo list-br", ["foo"]),
    ("ad-br br0", ["unknown command 'ad-br'", "did you mean 'add-br'"]),
    ("get brige br0 name", ["unknown table"]),
    ("set port p1 tag=5000", ["5000", "0 to 4095"]),
    ("set bridge br0 fail_mode=foo", ["foo", "secure", "standalone"]),
])
def test_errors_say_what_and_where(mine, line, words):
    mine.ok("add-br br0 -- add-port br0 p1")
    done = mine.run(line)
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr
    assert done.stderr.startswith("tsuji-vsctl: ")


def test_help_names_every_command(mine):
    out = mine.ok("--help")
    for word in ["add-br", "--may-exist", "wait-until", "--format", "emer-reset"]:
        assert word in out
    assert re.search(r"\d+\.\d+", mine.ok("--version"))


def test_warnings_of_the_switch_are_shown(mine):
    started = in_background(mine, "add-br br0")
    mine.ok("wait-until interface br0")
    mine.ok(["set", "interface", "br0", 'status:config_warning="mtu too small"'])
    Switch(mine).settle()
    _, err = started.communicate(timeout=10)
    assert started.returncode == 0
    assert "interface br0: mtu too small" in err
    assert 'config_warning: "mtu too small"' in mine.ok("show")
