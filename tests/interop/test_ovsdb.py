# SPDX-License-Identifier: Apache-2.0
"""Our database server against Open vSwitch's: the same requests, the same answers."""
import os

import pytest

from ovsdb_pair import Pair
from ovsdb_random import SCHEMA, Generator

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
