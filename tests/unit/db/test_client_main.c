/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of the database client. */
#include "tests/unit/unit.h"

TCase *client_replica_tcase(void);
TCase *client_session_tcase(void);

UNIT_MAIN("db client", client_replica_tcase, client_session_tcase)
