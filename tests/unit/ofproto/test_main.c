/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of ofproto/table and ofproto/xlate. */
#include "tests/unit/unit.h"

TCase *classifier_tcase(void);
TCase *flow_mod_tcase(void);
TCase *mac_table_tcase(void);
TCase *normal_tcase(void);
TCase *properties_tcase(void);
TCase *xlate_tcase(void);

UNIT_MAIN("ofproto", classifier_tcase, flow_mod_tcase, mac_table_tcase, normal_tcase, xlate_tcase, properties_tcase)
