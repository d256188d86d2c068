/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the database share: a schema, its invariants, its contents as text. */
#ifndef TESTS_UNIT_DB_DB_CHECK_H
#define TESTS_UNIT_DB_DB_CHECK_H

#include "db/execute.h"
#include "db/table.h"

/* Tables root (root, index on name, maxRows 40), leaf (strong reference "next", weak "home"), with strong sets and
 * maps, weak sets, an ephemeral and an immutable column. */
extern const char test_schema[];
struct database *test_database(void);

/* All rows without their versions, one a line, sorted. Caller frees. */
char *dump_database(const struct database *);
/* Fails the test if an invariant of db/txn.h does not hold, by counting everything anew. */
void check_invariants(const struct database *);

/* Carries out a request whose quotes may be written ' . The committed transaction is left in 'out'. */
void run_request(struct database *, const char *params, struct execute_outcome *out);
/* The same, finished at once; the reply, which the caller frees. */
char *run(struct database *, const char *params);

#endif
