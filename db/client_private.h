/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the database client know of each other.
 *
 *     client.c          connection: schema, monitor, lock, back-off       struct db_client
 *     client_replica.c  rows, from updates                                struct dbc_replica
 *     client_txn.c      transactions                                      struct dbc_txn
 *     client_cluster.c  which server of a cluster to talk to
 *     client_typed.c    C members of rows from data, and back */
#ifndef DB_CLIENT_PRIVATE_H
#define DB_CLIENT_PRIVATE_H

#include <jansson.h>

#include "db/client.h"
#include "lib/sys/loop.h"

/* The replica ------------------------------------------------------------------------------------ */

struct dbc_table_state {
    uint64_t monitored, quiet;   /* Columns that the user named. */
    uint64_t present;            /* Columns that the server has. */
    bool is_monitored, is_present;
    struct hmap rows;            /* By UUID. */
    struct hmap by_index;        /* By the hash of the index column. */
    struct list changed;         /* Rows since db_client_track_clear(). */
    struct list gone;            /* Rows that came and went since then. */
    struct datum **defaults;     /* Of each column. */
    uint64_t seqno;
};

struct dbc_rows {
    struct dbc_row **rows;
    size_t n, allocated;
};

struct dbc_replica {
    const struct dbc_schema *schema;
    struct dbc_table_state *tables;   /* In the schema's order. */
    uint64_t seqno;
    struct dbc_rows dirty;            /* Rows with dirty columns. */
    struct dbc_rows deleted;          /* Rows that the update being read deleted. */
    uint32_t n_dangling;              /* Rows that are dangling. */
    bool has_inserted;                /* The update being read inserted rows. */
};

void dbc_replica_init(struct dbc_replica *, const struct dbc_schema *);
void dbc_replica_fini(struct dbc_replica *);
static inline struct dbc_table_state *dbc_replica_table(const struct dbc_replica *r,
                                                        const struct dbc_table *t)
{
    return &r->tables[t->index];
}

/* Learns from the answer to get_schema which tables and columns are there. */
struct error *dbc_replica_set_server_schema(struct dbc_replica *, const json_t *) MUST_CHECK;
/* The <monitor-requests> of what is watched and there. */
json_t *dbc_replica_monitor_requests(const struct dbc_replica *);

enum dbc_update_version {
    DBC_UPDATE = 1,    /* <table-updates> of RFC 7047: "old", "new". */
    DBC_UPDATE2 = 2,   /* <table-updates2>: "initial", "insert", "modify", "delete". */
};
/* Applies the updates of one message. 'is_dump': they are the whole contents, and rows that are not in them
 * are gone. After an error the replica is sound, but not the server's. */
struct error *dbc_replica_update(struct dbc_replica *, enum dbc_update_version, const json_t *,
                                 bool is_dump) MUST_CHECK;
void dbc_replica_track_clear(struct dbc_replica *);
struct dbc_row *dbc_replica_get(const struct dbc_replica *, const struct dbc_table *,
                                const struct uuid *);

/* A new row of defaults, in nobody's table. */
struct dbc_row *dbc_row_create(const struct dbc_replica *, const struct dbc_table *,
                               const struct uuid *);
void dbc_row_destroy(struct dbc_row *);

/* The type of a set of 'c's keys, for what removes them. */
struct column_type dbc_keys_type(const struct dbc_column *);

/* The client ------------------------------------------------------------------------------------- */

enum dbc_state {
    DBC_IDLE,          /* No connection. */
    DBC_SCHEMA,        /* Asked for the schema. */
    DBC_MONITOR,       /* Asked for the rows. */
    DBC_SYNCED,
};

struct db_client {
    struct loop *loop;
    struct dbc_replica replica;
    char **addresses;
    size_t n_addresses, next_address;
    struct jsonrpc *rpc;
    enum dbc_state state;
    unsigned method;             /* In the list of monitor methods. */
    json_int_t next_id, request_id, lock_id, cluster_id;
    char *last_txn_id;           /* Of monitor_cond_since; NULL: none. */
    struct loop_timer retry_timer;
    int backoff_ms, max_backoff_ms, probe_ms;
    bool retry, is_attached, is_dead, is_complete;
    char *error;
    char *lock_name;
    bool has_lock, is_lock_contended;
    struct list txns;            /* Sent ones, waiting for their replies. */
    void (*changed)(struct db_client *, void *arg);
    void *changed_arg;
};

/* Sends a request and gives its id. Takes 'params'. Only while connected. */
json_int_t dbc_client_request(struct db_client *, const char *method, json_t *params);

/* Clusters --------------------------------------------------------------------------------------- */

#define DBC_CLUSTER_MONITOR "cluster"   /* The ID of the monitor of the server itself. */

/* The parameters of the "monitor" request. A server that refuses it is alone. */
json_t *dbc_cluster_request(void);
/* From <table-updates>: why another server should be tried, NULL if this one will do. */
struct error *dbc_cluster_check(const json_t *updates, const char *database, bool needs_leader)
    MUST_CHECK;

/* Transactions ----------------------------------------------------------------------------------- */

/* The reply to a transaction's request, or NULL and NULL: the connection is lost. Calls its callback. */
void dbc_txn_reply(struct dbc_txn *, const json_t *result, const json_t *error);
struct dbc_txn *dbc_txn_find(struct list *txns, json_int_t id);
struct dbc_txn *dbc_txn_of_list(struct list *);

#endif
