/* SPDX-License-Identifier: Apache-2.0 */
/* The test cases of ofproto/table and ofproto/xlate. */
#ifndef TESTS_UNIT_OFPROTO_OFPROTO_TESTS_H
#define TESTS_UNIT_OFPROTO_OFPROTO_TESTS_H

#include "tests/unit/unit.h"

TCase *classifier_tcase(void);
TCase *flow_mod_tcase(void);
TCase *ingress_tcase(void);
TCase *mac_table_tcase(void);
TCase *normal_tcase(void);
TCase *properties_tcase(void);
TCase *trace_tcase(void);
TCase *xlate_tcase(void);

#endif
