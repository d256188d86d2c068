/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of ofproto/table and ofproto/xlate. */
#include "tests/unit/ofproto/ofproto_tests.h"

UNIT_MAIN("ofproto", classifier_tcase, flow_mod_tcase, mac_table_tcase, normal_tcase, xlate_tcase, ingress_tcase,
          trace_tcase,
          properties_tcase)
