/* SPDX-License-Identifier: Apache-2.0 */
/* The client of a configuration database: a replica of its rows as C structs, and transactions.
 *
 * What: a client connects to any OVSDB server (ours in another thread or process, or a stock one),
 * asks for its schema, monitors the tables and columns that its user named, and keeps their rows as
 * the typed structs of "spec/db.h" (struct db_bridge, struct db_port, ...), which are made from the
 * schema. Tables and columns that the server does not have read as defaults, and writes to them are
 * skipped. It asks for changes by monitor_cond_since, else monitor_cond, else monitor, reconnects
 * with back-off, and answers echoes.
 *
 * Use:   struct db_client *c = db_client_create(loop, &db_schema);
 *        db_client_monitor(c, &db_bridge_table);              all columns; or _monitor_column()
 *        db_client_quiet(c, &db_interface_col_statistics);    our own writes do not wake us
 *        db_client_set_changed(c, cb, arg);
 *        db_client_connect(c, "unix:db.sock");
 *        ...
 *        const struct db_bridge *br;
 *        DB_BRIDGE_FOR_EACH (br, c) {
 *            for (size_t i = 0; i < br->n_ports; i++) { use(br->ports[i]->name); }
 *        }
 *        struct dbc_txn *t = dbc_txn_create(c);
 *        db_bridge_set_datapath_id(t, br, "0000...");
 *        db_bridge_put_status(t, br, "key", "value");
 *        dbc_txn_commit(t, done, arg);
 *
 * Structs: a struct db_TABLE begins with 'struct dbc_row row'. A column is
 *   - one value: int64_t, double, bool, const char *, struct uuid, or const struct db_OTHER * if it
 * refers to a table;
 *   - optional: const char * or a reference, NULL if absent; for numbers and booleans the value,
 * and 'has_X';
 *   - a set: an array 'X' of 'n_X' values;
 *   - a map of strings to strings: a struct smap (lib/base/smap.h; read only);
 *   - another map: arrays 'X_keys' and 'X_values' of 'n_X' each, ordered by key.
 * References to rows that are not in the replica are left out (NULL, or not in the array).
 *
 * Invariants:
 *  1. Between two calls of 'changed' the replica is the database after some transaction: never half
 * of one, no reference to a row that is gone.
 *  2. Rows and their members stay valid until the loop handles the next message, or, for rows that
 * are deleted, until db_client_track_clear().
 *  3. The replica holds what the server said, not what a transaction is about to change.
 *
 * Names: dbc_ is the part that does not depend on the schema.
 *
 * Memory: a client is not to be destroyed in its own callbacks. A transaction is built and committed
 * without going back to the loop in between, so that the rows it names stay valid.
 *
 * Threads: a client belongs to the thread of its loop. Nothing here blocks but the functions that
 * say so. */
#ifndef DB_CLIENT_H
#define DB_CLIENT_H

#include "db/datum.h"
#include "db/type.h"
#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/base/smap.h"
#include "lib/base/types.h"
#include "lib/base/uuid.h"

struct db_client;
struct dbc_column;
struct dbc_schema;
struct dbc_table;
struct dbc_txn;
struct error;
struct loop;

/* The part that all rows have. For users: 'uuid' and the functions below; the rest is the
 * replica's. */
struct dbc_row {
    struct uuid uuid;
    const struct dbc_table *table;
    struct hmap_node by_uuid;
    struct hmap_node by_index;   /* Of the table's index, if it has one. */
    struct list in_changed;      /* In the table's list of changed rows. */
    uint64_t changed_columns;    /* Bit i: column i changed since db_client_track_clear(). */
    uint64_t dirty_columns;      /* Bit i: the member of column i is to be made again. */
    bool is_new, is_deleted;     /* Since db_client_track_clear(). */
    bool is_pending;             /* An insert of 'txn', not in the replica. */
    bool is_dangling;            /* Some column refers to a row that is not there. */
    bool is_seen;                /* In the dump that is being read. */
    uint32_t n_referrers;        /* Pointers to this row in rows of the replica. */
    struct dbc_txn *txn;
    struct datum **data;         /* For each column of the table. */
};

struct db_client *db_client_create(struct loop *, const struct dbc_schema *);
/* Pending commits get their callback with DB_TXN_TRY_AGAIN. */
void db_client_destroy(struct db_client *);

/* What to watch. Before connecting. A column that is not watched reads as its default, and may be
 * written. */
void db_client_monitor(struct db_client *, const struct dbc_table *); /* With all its columns. */
void db_client_monitor_column(struct db_client *, const struct dbc_column *);
/* Changes of this column alone neither count as changes (seqno, tracking, 'changed') nor wake the
 * user: for columns that the user itself writes. */
void db_client_quiet(struct db_client *, const struct dbc_column *);

/* "unix:FILE", "tcp:HOST:PORT", or several separated by commas, tried in turn until one is the
 * leader of its cluster. Fails only if an
 * address is malformed; the rest happens in the background, again and again, with a back-off of 1
 * to 8 s. */
struct error *db_client_connect(struct db_client *, const char *addresses) MUST_CHECK;
/* A connected stream socket, for example one end of a socketpair() whose other end the embedded
 * database has. Takes 'fd'. There is no reconnecting. */
void db_client_attach(struct db_client *, int fd);
/* Gives up after the first failure instead of trying again; db_client_error() says why. For tools.
 */
void db_client_set_retry(struct db_client *, bool retry);
void db_client_set_max_backoff_ms(struct db_client *, int ms);
/* Sends an echo when nothing came for 'ms', reconnects when nothing came for another 'ms'; 0:
 * never. The default is 5000 for tcp: and never for unix: and attached sockets. */
void db_client_set_probe_ms(struct db_client *, int ms);

/* Called in the loop when the replica changed, or the client became (not) synced, or its lock came
 * or went. At most once for each message. */
void db_client_set_changed(struct db_client *, void (*changed)(struct db_client *, void *arg),
                           void *arg);
/* The replica is complete (it stays so, and keeps its rows, while the connection is lost). */
bool db_client_is_synced(const struct db_client *);
bool db_client_is_connected(
    const struct db_client *); /* And synced, so that a commit can be sent. */
/* Why there is no connection, for people; NULL if there is one or none was tried. */
const char *db_client_error(const struct db_client *);
/* True once the client has given up (see db_client_set_retry()), or the attached socket closed. */
bool db_client_is_dead(const struct db_client *);
/* Does the server have it? Only once synced. */
bool db_client_has_table(const struct db_client *, const struct dbc_table *);
bool db_client_has_column(const struct db_client *, const struct dbc_column *);

/* --- Changes -------------------------------------------------------------------------------------
 */

uint64_t db_client_seqno(const struct db_client *); /* Grows with each change that counts. */
uint64_t db_client_table_seqno(const struct db_client *, const struct dbc_table *);
/* Rows of 'table' that are new, changed or deleted since db_client_track_clear(), NULL at the end.
 * A row that came and went is not among them. DB_X_FOR_EACH_CHANGED (spec/db.h) is the typed form.
 */
const struct dbc_row *db_client_changed_first(const struct db_client *, const struct dbc_table *);
const struct dbc_row *db_client_changed_next(const struct db_client *, const struct dbc_row *);
static inline bool dbc_row_is_new(const struct dbc_row *r)
{
    return r->is_new;
}
static inline bool dbc_row_is_deleted(const struct dbc_row *r)
{
    return r->is_deleted;
}
bool dbc_row_changed(const struct dbc_row *,
                     const struct dbc_column *); /* True for every column if new. */
/* Forgets what changed and frees deleted rows. */
void db_client_track_clear(struct db_client *);

/* --- Rows ---------------------------------------------------------------------------------------
 */

size_t db_client_n_rows(const struct db_client *, const struct dbc_table *);
/* In no order; the typed forms are db_X_first(), db_X_next(), DB_X_FOR_EACH. */
const struct dbc_row *db_client_first(const struct db_client *, const struct dbc_table *);
const struct dbc_row *db_client_next(const struct db_client *, const struct dbc_row *);
const struct dbc_row *db_client_get(const struct db_client *, const struct dbc_table *,
                                    const struct uuid *);
/* By the table's index of one string column (the schema's "indexes"; 'name' or 'target'). */
const struct dbc_row *db_client_find(const struct db_client *, const struct dbc_table *,
                                     const char *key);
/* The value as the server gave it, with its elements sorted by key; the default if it is not
 * watched. */
const struct datum *dbc_row_get(const struct dbc_row *, const struct dbc_column *);

/* --- Transactions -------------------------------------------------------------------------------
 *
 * A transaction gathers changes and is sent when committed. Writing a value that is equal to the
 * replica's costs nothing: if nothing else is in it, nothing is sent. */

enum dbc_txn_status {
    DB_TXN_UNCHANGED,  /* Nothing was to be done. */
    DB_TXN_PENDING,    /* Sent; the callback will come. */
    DB_TXN_SUCCESS,    /* Committed, and the replica shows it. */
    DB_TXN_TRY_AGAIN,  /* Not connected, or what was verified has changed: compute it anew. */
    DB_TXN_NOT_LOCKED, /* The lock that the client asked for is not ours. */
    DB_TXN_ERROR,      /* The server refused: dbc_txn_error(). */
};
const char *dbc_txn_status_name(enum dbc_txn_status);

struct dbc_txn *dbc_txn_create(struct db_client *);
/* For a transaction that shall not be committed after all. */
void dbc_txn_destroy(struct dbc_txn *);

/* The typed forms of these are generated for each table and column:
 *   struct db_X *db_X_insert(txn)
 *   db_X_delete(txn, row)
 *   db_X_set_COLUMN(txn, row, value)           one or an optional value (NULL clears a string or
 * reference) db_X_clear_COLUMN(txn, row)                optional numbers and booleans
 *   db_X_set_COLUMN(txn, row, values, n)       sets; _add_ and _remove_ change single members,
 * whatever others do db_X_set_COLUMN(txn, row, smap)            _put_ and _remove_ change single
 * keys db_X_set_COLUMN(txn, row, keys, values, n) other maps; _put_ and _remove_
 *   db_X_verify_COLUMN(txn, row)
 * Rows that were inserted in this transaction may be used as 'row' and as references in the same
 * transaction; such a handle dies with the transaction, its members other than 'row' stay at their
 * defaults. */
struct dbc_row *dbc_txn_insert(struct dbc_txn *, const struct dbc_table *);
/* The same with a UUID of the caller's, which has not been used; the server still chooses its own. */
struct dbc_row *dbc_txn_insert_as(struct dbc_txn *, const struct dbc_table *, const struct uuid *);
/* Rows of tables that are not "root" exist as long as other rows refer to them: remove the references, too. */
void dbc_txn_delete(struct dbc_txn *, const struct dbc_row *);
/* Takes 'value', which has the column's type. */
void dbc_txn_write(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                   struct datum *value);
/* Adds to a set or map the elements of 'value', replacing the values of keys that are there. Takes
 * it. */
void dbc_txn_add(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                 struct datum *value);
/* Removes the elements of the set 'keys' from a set or map. Takes it. */
void dbc_txn_remove(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                    struct datum *keys);
/* The commit fails with DB_TXN_TRY_AGAIN if the column is not any more as the replica has it now.
 */
void dbc_txn_verify(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *);
/* Adds 1 to an integer column, in the server, if the transaction changes anything else; afterwards
 * dbc_txn_incremented() is the new value. Once a transaction. */
void dbc_txn_increment(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *);
/* Text for the server's journal: who did it. Several become lines. */
void dbc_txn_comment(struct dbc_txn *, const char *format, ...) PRINTF_LIKE(2, 3);
/* Checks everything, then does nothing ("abort"). */
void dbc_txn_set_dry_run(struct dbc_txn *);
/* Answer only when it is on disk. */
void dbc_txn_set_durable(struct dbc_txn *);

/* A row and its columns as they will be when 'txn' has been committed: for tools that run several
 * commands in one transaction. */
const struct datum *dbc_txn_get(const struct dbc_txn *, const struct dbc_row *,
                                const struct dbc_column *);
bool dbc_txn_is_deleted(const struct dbc_txn *, const struct dbc_row *);
const struct dbc_row *dbc_txn_first(const struct dbc_txn *, const struct dbc_table *);
const struct dbc_row *dbc_txn_next(const struct dbc_txn *, const struct dbc_row *);
const struct dbc_row *dbc_txn_get_row(const struct dbc_txn *, const struct dbc_table *,
                                      const struct uuid *);

/* Sends it. If the result is DB_TXN_PENDING, 'done' is called once later, in the loop, when the
 * replica shows the change; the transaction is freed after that, and so it is at once with any
 * other result, when 'done' is not called. 'done' may be NULL. In 'done' the functions below may be
 * asked. */
enum dbc_txn_status dbc_txn_commit(struct dbc_txn *,
                                   void (*done)(struct dbc_txn *, enum dbc_txn_status, void *arg),
                                   void *arg);
const char *dbc_txn_error(const struct dbc_txn *); /* Of DB_TXN_ERROR. */
/* The same as the server's <error> object, NULL if there is none. Lent. */
const json_t *dbc_txn_error_json(const struct dbc_txn *);
int64_t dbc_txn_incremented(const struct dbc_txn *);
/* The UUID that the server gave to an inserted row; false if there is none. */
bool dbc_txn_inserted_uuid(const struct dbc_txn *, const struct dbc_row *, struct uuid *);
struct db_client *dbc_txn_client(const struct dbc_txn *);

/* --- For tools that may block
 * ---------------------------------------------------------------------- */

/* Runs the loop until the replica is complete. 'timeout_ms' -1: for ever. */
struct error *db_client_wait_synced(struct db_client *, int timeout_ms) MUST_CHECK;
/* Commits and runs the loop until the answer is there. The transaction stays, so that it can be
 * asked, until dbc_txn_destroy(). Not from within the loop. */
enum dbc_txn_status dbc_txn_commit_wait(struct dbc_txn *, int timeout_ms);

/* --- Lock
 * ----------------------------------------------------------------------------------------- */

/* From the next connection on (and now, if there is one) asks for the server's lock 'name';
 * transactions are then refused while it is not ours, and assert it. NULL: none. */
void db_client_set_lock(struct db_client *, const char *name);
bool db_client_has_lock(const struct db_client *); /* True if none was asked for, too. */
bool db_client_is_lock_contended(const struct db_client *);

/* --- The schema as data
 * ------------------------------------------------------------------------------
 *
 * Filled in by build-aux/gen-db-client. Types have no constraints on single atoms: what the server
 * says is taken as it is, and what it is told it checks itself. */

/* How a struct db_TABLE holds a column. */
enum dbc_member { DB_MEMBER_ONE, DB_MEMBER_OPTIONAL, DB_MEMBER_SET, DB_MEMBER_SMAP, DB_MEMBER_MAP };

struct dbc_column {
    const char *name;
    const struct dbc_table *table;
    struct column_type type;
    const struct dbc_table *key_ref, *value_ref; /* The tables that UUIDs refer to, else NULL. */
    bool is_mutable, is_ephemeral;
    unsigned index; /* In 'table->columns'. */
    enum dbc_member member;
    size_t offset;        /* Of the value, array, smap or array of keys in the struct. */
    size_t offset_values; /* Of a map's array of values. */
    size_t offset_n;      /* Of n_X, or has_X of an optional number. */
};

struct dbc_table {
    const char *name;
    unsigned index; /* In 'schema->tables'. */
    bool is_root;
    uint32_t max_rows;
    size_t row_size; /* Of the struct. */
    const struct dbc_column *columns;
    unsigned n_columns;                    /* At most 64. */
    const struct dbc_column *index_column; /* One string column of a unique index, else NULL. */
};

struct dbc_schema {
    const char *name, *version;
    const struct dbc_table *const *tables;
    unsigned n_tables;
};

const struct dbc_table *dbc_schema_table(const struct dbc_schema *, const char *name);
const struct dbc_column *dbc_table_column(const struct dbc_table *, const char *name);

#endif
