/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/sys. */
#include "tests/unit/unit.h"

TCase *channel_tcase(void);
TCase *log_tcase(void);
TCase *loop_tcase(void);
TCase *process_tcase(void);
TCase *warp_tcase(void);

UNIT_MAIN("sys", channel_tcase, log_tcase, loop_tcase, process_tcase, warp_tcase)
