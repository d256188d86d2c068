/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: the file of a database, an append-only sequence of records.
 *
 * Format (ovsdb(5), "Standalone Format"): each record is a line "OVSDB JSON <length> <sha1>" and a line of
 * JSON of <length> bytes, its newline included. The first record is the schema.
 *
 * Invariants:
 *   1. Bytes before 'end' are complete records; nobody was told of what is behind it.
 *   2. After a failed write the file is cut back to 'end' before anything else is written.
 *   3. After a failed sync the kernel may have dropped any page that was not yet on disk, so the file is
 *      not appended to again; it has to be replaced (journal_replace()) first.
 *
 * A journal open for writing is locked by a lock on ".NAME.~lock~" beside it, which also keeps Open vSwitch's
 * programs away, and which survives fork() while the descriptor is open.
 *
 * Threads: one. */
#ifndef DB_JOURNAL_H
#define DB_JOURNAL_H

#include <jansson.h>
#include <sys/types.h>

#include "db/file_ops.h"
#include "lib/base/text.h"
#include "lib/base/types.h"

struct error;

struct journal;

/* Makes a file that must not exist, with one record, synced. */
struct error *journal_create(const char *path, const char *schema, const struct file_ops *);
/* 'write': locks it and makes it ready to append once it was read to the end. */
struct error *journal_open(const char *path, bool write, const struct file_ops *, struct journal **);
void journal_close(struct journal *);   /* NULL is fine. */
const char *journal_path(const struct journal *);

/* The next record; '*record' is NULL at the end of the file. Damage (a torn or altered record) is an error,
 * after which journal_damage() says where; reading goes no further. Takes up to the file's size of memory. */
struct error *journal_read(struct journal *, json_t **record);
/* The record that was read last turned out to be no good: it and what follows is damage. */
void journal_reject(struct journal *);
/* Where good records end, and how many bytes lie behind. */
off_t journal_end(const struct journal *, off_t *n_behind);
/* Copies what lies behind the last good record to "<path>.damaged-<date>" (its name is given, the caller
 * frees it) and cuts it off. Only if open for writing. */
struct error *journal_cut_tail(struct journal *, char **kept_as);

/* Queues a record (one line of JSON without its newline); journal_flush() writes all that are queued. */
void journal_put(struct journal *, const char *json, size_t len);
/* On an error none of the queued records is in the file and they are forgotten. */
struct error *journal_flush(struct journal *, bool sync);
bool journal_needs_replacement(const struct journal *);
/* Replaces the file by one with these two records ('data' may be NULL): written beside it, synced,
 * renamed, the directory synced. On an error the old file is in use as before. */
struct error *journal_replace(struct journal *, const char *schema, const char *data, size_t len);
off_t journal_size(const struct journal *);

#endif
