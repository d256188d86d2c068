/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of ofproto/table and ofproto/xlate. */
#include "tests/unit/unit.h"

TCase *normal_tcase(void);
TCase *properties_tcase(void);
TCase *xlate_tcase(void);

UNIT_MAIN("ofproto", normal_tcase, xlate_tcase, properties_tcase)
