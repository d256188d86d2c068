/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the packet engine. */
#include "tests/unit/datapath/engine/engine_tests.h"
#include "tests/unit/unit.h"

UNIT_MAIN("datapath", wire_tcase, lookup_tcase, set_tcase, execute_tcase, pending_tcase, engine_tcase,
          restart_tcase, peer_tcase, stress_tcase)
