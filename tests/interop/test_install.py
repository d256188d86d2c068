# SPDX-License-Identifier: Apache-2.0
"""What "make install" puts where, that it runs there, and that "make uninstall" leaves nothing."""
import json
import os
import pathlib
import subprocess

import pytest

from switch import BUILD

TOOLS = {"vsctl": "ovs-vsctl", "ofctl": "ovs-ofctl", "appctl": "ovs-appctl", "dpctl": "ovs-dpctl", "dbtool": "ovsdb-tool"}
DAEMONS = {"vswitchd": "ovs-vswitchd", "dbserver": "ovsdb-server", "datapathd": None}


def make(*words):
    done = subprocess.run(["make", "-s", "-C", str(BUILD), *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def variables(*names):
    """Variables of the build tree's Makefile."""
    show = "".join(f"\n\t@echo {name}=$({name})" for name in names)
    done = subprocess.run(["make", "-s", "-C", str(BUILD), "-f", "Makefile", "-f", "-", "show-variables"],
                          input=f"show-variables:{show}\n", capture_output=True, text=True, timeout=60, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    folder_of = variables("bindir", "sbindir", "pkgdatadir", "mandir", "tsuji_dirname", "PACKAGE_VERSION")
    make("install", f"DESTDIR={folder}")
    yield folder, folder_of
    make("uninstall", f"DESTDIR={folder}")
    left = [p for p in folder.rglob("*") if not p.is_dir()]
    assert not left, f"uninstall left {left}"


def place(installed, kind, name):
    folder, folder_of = installed
    return pathlib.Path(f"{folder}{folder_of[kind]}") / name


def programs(installed):
    for name in TOOLS:
        yield place(installed, "bindir", f"tsuji-{name}"), TOOLS[name], name, 1
    for name in DAEMONS:
        kind = "sbindir" if place(installed, "sbindir", f"tsuji-{name}").exists() else "bindir"
        yield place(installed, kind, f"tsuji-{name}"), DAEMONS[name], name, 8


def test_programs_run_and_have_pages(installed):
    for path, _, name, section in programs(installed):
        assert os.access(path, os.X_OK), path
        done = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and installed[1]["PACKAGE_VERSION"] in done.stdout, f"{path}: {done}"
        page = place(installed, "mandir", f"man{section}/tsuji-{name}.{section}")
        assert page.read_text().startswith((".", "'")), page


def test_daemons_are_in_sbin(installed):
    for name in DAEMONS:
        assert place(installed, "sbindir", f"tsuji-{name}").exists()


def test_the_schema_is_one(installed):
    schema = json.loads(place(installed, "pkgdatadir", "vswitch.ovsschema").read_text())
    assert schema["name"] == "Open_vSwitch" and "Bridge" in schema["tables"]


def test_links_of_ovs_names(installed):
    """With --enable-ovs-names every tool is there under Open vSwitch's name too, else under none."""
    wanted = installed[1]["tsuji_dirname"] == "openvswitch"
    for path, link, _, _ in programs(installed):
        if link:
            assert (path.parent / link).is_symlink() == wanted, link
            if wanted:
                done = subprocess.run([str(path.parent / link), "--help"], capture_output=True, text=True, timeout=20)
                assert done.returncode == 0 and done.stdout, link
