/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a replica is sound, for its unit tests and its fuzz target. */
#ifndef TESTS_UNIT_DB_REPLICA_CHECK_H
#define TESTS_UNIT_DB_REPLICA_CHECK_H

#include "db/client_private.h"

/* NULL, or what is wrong: a member that differs from its data, a pointer to no row of the replica, a wrong count
 * of referrers or of dangling rows, a row that is not in its index. */
const char *replica_check(const struct dbc_replica *);

#endif
