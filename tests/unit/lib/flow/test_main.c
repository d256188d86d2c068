/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/flow. */
#include "tests/unit/lib/flow/flow_tests.h"
#include "tests/unit/unit.h"

UNIT_MAIN("flow", extract_tcase, key_tcase, key_text_tcase, fields_tcase, match_tcase, action_tcase, compose_tcase)
