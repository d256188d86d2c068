/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of ports and tunnels that need no device and no privilege. */
#include "tests/unit/datapath/port/port_tests.h"
#include "tests/unit/unit.h"

UNIT_MAIN("port", common_tcase, dummy_tcase, null_tcase, offload_tcase, decap_tcase, merge_tcase, too_big_tcase)
