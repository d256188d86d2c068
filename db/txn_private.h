/* SPDX-License-Identifier: Apache-2.0 */
/* What db/txn.c, the life of a transaction, has of db/txn_check.c, the constraints at its commit. They run in the
 * order in which they stand here. */
#ifndef DB_TXN_PRIVATE_H
#define DB_TXN_PRIVATE_H

#include "db/txn.h"

/* db/txn.c: the row's columns may be written after this. */
void db_txn_make_writable(struct db_txn *, struct db_row *);

/* Counts what came and went in n_refs, which is saved first. An error if a row that is named does not exist. */
struct db_error *db_txn_count_references(struct db_txn *) MUST_CHECK;
/* Deletes the rows of tables that are no roots to which nothing refers any more. */
void db_txn_collect_garbage(struct db_txn *);
/* No deleted row is referred to. */
struct db_error *db_txn_check_deleted(struct db_txn *) MUST_CHECK;
/* Takes weak references to rows that do not exist out of columns. */
struct db_error *db_txn_settle_weak(struct db_txn *) MUST_CHECK;
struct db_error *db_txn_check_max_rows(struct db_txn *) MUST_CHECK;
/* Takes the changed rows' old versions out of the indexes and puts the new ones in; on an error all is as before. */
struct db_error *db_txn_update_indexes(struct db_txn *) MUST_CHECK;

void db_row_index_remove(struct db_row *);
void db_row_index_add(struct db_row *, struct datum *const *columns);

#endif
