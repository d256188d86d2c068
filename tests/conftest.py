# SPDX-License-Identifier: Apache-2.0
"""Shared by tests/sim, tests/system and tests/interop. A test that cannot run here says by name why."""
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))


def pytest_configure(config):
    config.addinivalue_line("markers", "root: needs root, for namespaces and devices")
    config.addinivalue_line("markers", "needs(*programs): needs these programs")


def pytest_runtest_setup(item):
    if item.get_closest_marker("root") and os.geteuid():
        pytest.skip("needs root")
    for mark in item.iter_markers("needs"):
        missing = [p for p in mark.args if not shutil.which(p)]
        if missing:
            pytest.skip(f"needs {', '.join(missing)}")


@pytest.fixture(params=["embedded", "split"])
def form(request):
    """Both deployments: one process, and three."""
    return request.param
