/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as records of the journal (ovsdb(5), "Standalone Format"), and back. */
#ifndef DB_RECORD_H
#define DB_RECORD_H

#include <jansson.h>

#include "db/txn.h"

struct db_error;
struct text;

/* Appends the JSON of a committed transaction; false, with nothing appended, if it changed only ephemeral
 * columns. Sets and maps of modified rows are written as differences ("_is_diff") where other readers take them. */
bool record_put_txn(const struct db_txn *, int64_t now_ms, struct text *);
/* The whole database as one record; false if it has no rows. */
bool record_put_database(const struct database *, int64_t now_ms, const char *comment, struct text *);

enum record_mode {
    RECORD_REPLAY,    /* A record of this schema's journal. */
    RECORD_CONVERT,   /* Of another version of the schema: unknown tables and columns are left out. */
};
/* Carries the record out on the database, as a finished transaction. */
struct db_error *record_apply(struct database *, const json_t *record, enum record_mode) MUST_CHECK;

#endif
