/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/rpc. */
#include "tests/unit/unit.h"

TCase *control_tcase(void);
TCase *jsonrpc_tcase(void);
TCase *stream_tcase(void);

UNIT_MAIN("rpc", control_tcase, jsonrpc_tcase, stream_tcase)
