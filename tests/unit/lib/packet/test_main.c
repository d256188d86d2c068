/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/packet. */
#include "tests/unit/lib/packet/packet_tests.h"
#include "tests/unit/unit.h"

UNIT_MAIN("packet", packet_tcase, csum_tcase, gso_tcase, vnet_tcase)
