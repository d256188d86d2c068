/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions on the database in memory.
 *
 * What: one transaction is open at a time and changes rows in place, keeping what was there. Commit checks
 * all constraints and either undoes everything or leaves a list of changes, which the owner writes to
 * the journal and shows to monitors; until it says db_txn_finish(), db_txn_undo() can still take the
 * change back (newest transaction first). The cost is that of the change.
 *
 * Invariants of committed state:
 *   1. A row's n_refs is the number of strong references to it from other rows; a row of a table that is
 *      no root has some.
 *   2. Every strong reference names a row that exists; so does every weak one.
 *   3. weak_in and weak_out list exactly the weak references.
 *   4. No two rows of a table agree in the columns of an index; no table exceeds its maxRows.
 *
 * Threads: the database's. */
#ifndef DB_TXN_H
#define DB_TXN_H

#include "db/table.h"
#include "lib/base/list.h"
#include "lib/base/text.h"

struct db_error;

/* One row that a transaction changed. After a commit a column differs from the old one exactly if the
 * pointers differ. */
struct db_change {
    struct list node;            /* In its transaction's 'changes'. */
    struct db_row *row;
    struct datum **old;          /* NULL: inserted. */
    struct datum **new;          /* After a commit; NULL: deleted. */
};

struct db_txn {
    struct database *db;
    struct list changes;         /* struct db_change. */
    struct saved_refs {
        struct db_row *row;
        uint32_t n_refs;
    } *saved;
    size_t n_saved, allocated_saved;
    struct db_row **orphans;     /* Rows whose last counted reference went, to be looked at by garbage collection. */
    size_t n_orphans, allocated_orphans;
    struct text comment;         /* Lines, without a newline at the end. */
    bool durable;                /* Some operation asked for it. */
};

struct db_txn *db_txn_begin(struct database *);

/* A new row with default columns; NULL if the table has, or had in this transaction, one of that UUID. */
struct db_row *db_txn_insert(struct db_txn *, struct db_table *, const struct uuid *);
void db_txn_set(struct db_txn *, struct db_row *, uint32_t column, struct datum *);   /* Takes. */
void db_txn_delete(struct db_txn *, struct db_row *);
void db_txn_comment(struct db_txn *, const char *);

/* Checks and applies. On an error everything is undone and the transaction is gone. On success it is
 * closed, and another may begin. */
struct db_error *db_txn_commit(struct db_txn *) MUST_CHECK;
/* For replay of a journal, whose transactions were checked when they were made: references and
 * indexes are still verified, but rows that nothing refers to stay. */
struct db_error *db_txn_commit_replayed(struct db_txn *) MUST_CHECK;
void db_txn_abort(struct db_txn *);
static inline bool db_txn_is_empty(const struct db_txn *t) { return list_is_empty(&t->changes); }

/* After a commit, each once: forgets what was there before, or brings it back. */
void db_txn_finish(struct db_txn *);
void db_txn_undo(struct db_txn *);

#endif
