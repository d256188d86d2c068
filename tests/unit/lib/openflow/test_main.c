/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/openflow. */
#include "tests/unit/lib/openflow/openflow_tests.h"

UNIT_MAIN("openflow", header_tcase, errors_tcase, actions_tcase, match_tcase, flow_tcase, messages_tcase,
          flow_text_tcase, hostile_tcase)
