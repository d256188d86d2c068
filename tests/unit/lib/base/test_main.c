/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/base. */
#include "tests/unit/unit.h"

TCase *buffer_tcase(void);
TCase *hmap_tcase(void);
TCase *parse_tcase(void);
TCase *smap_tcase(void);
TCase *text_tcase(void);

UNIT_MAIN("base", buffer_tcase, hmap_tcase, parse_tcase, smap_tcase, text_tcase)
