/* SPDX-License-Identifier: Apache-2.0 */
/* A database with its journal, and the group of transactions that wait to be written.
 *
 * What: a transaction that was committed in memory is added to the group; store_flush() writes the
 * group's records at once, syncs if a member asked for it, and then tells the members in order. If
 * writing fails the whole group is undone in memory, newest first, and every member is told the error:
 * nobody saw it happen.
 *
 * Invariants:
 *   1. What 'done' callbacks and readers outside an open group see is in the file (and on the disk
 *      where that was asked for).
 *   2. Memory equals the journal's contents whenever the group is empty (ephemeral columns aside).
 *
 * Threads: one. */
#ifndef DB_STORE_H
#define DB_STORE_H

#include "db/file_ops.h"
#include "db/txn.h"
#include "lib/base/list.h"

struct error;
struct journal;

struct store {
    struct database *db;
    struct journal *journal;      /* NULL: a database without a file. */
    struct list group;            /* struct store_member. */
    bool group_durable;
    char *kept_as;                /* Where a damaged end was kept when it was opened; NULL: there was none. */
    off_t compact_base;           /* Size of the file after the last compaction. */
    int64_t compacted_ms;         /* When, on clock_ns() / 10^6. */
};

/* 'ops' NULL: the system's. Read-only stores lock nothing, leave a damaged end where it is, and must not be
 * given transactions to write. */
struct error *store_open(const char *path, bool write, const struct file_ops *ops, struct store **);
/* Takes 'schema'. */
struct store *store_create_in_memory(struct schema *);
void store_destroy(struct store *);   /* The group is flushed first. NULL is fine. */

/* Called when the member is on disk ('e' NULL) or undone ('e', lent; 'txn' then is NULL). 'txn' is finished
 * right after. */
typedef void store_done_fn(const struct error *e, const struct db_txn *txn, void *arg);
/* Takes 'txn', which may be NULL for a reader that has to wait for what it read. */
void store_add(struct store *, struct db_txn *txn, bool durable, store_done_fn *, void *arg);
static inline bool store_has_group(const struct store *s) { return !list_is_empty(&s->group); }
void store_flush(struct store *);

/* Rewrites the file with the present contents (not while a group is open). */
struct error *store_compact(struct store *, const char *comment);
/* Whether the file has grown enough since then: 4 times, at least 10 MB, not within 10 minutes. */
bool store_wants_compaction(const struct store *);
off_t store_file_size(const struct store *);

#endif
