/* SPDX-License-Identifier: Apache-2.0 */
/* Inside a client's transaction: client_txn.c gathers changes, client_commit.c sends them. */
#ifndef DB_CLIENT_TXN_H
#define DB_CLIENT_TXN_H

#include "db/client_private.h"
#include "lib/base/text.h"

/* What happens to one row. */
struct dbc_change {
    struct hmap_node by_uuid;
    struct list in_order;            /* Of first mention. */
    const struct dbc_row *row;       /* Of an insert: owned. Others may be gone once it is sent. */
    const struct dbc_table *table;
    bool is_insert, is_delete;
    uint64_t written;                /* Columns that are written as a whole. */
    uint64_t verified;
    struct datum **now;              /* Columns as they will be; NULL: as they are. */
    struct datum **added, **removed; /* Columns that are changed in part: elements, keys. */
    size_t op;                       /* Where the insert is in the request. */
    bool has_real_uuid;
    struct uuid real_uuid;           /* Which the server chose for the insert. */
};

struct dbc_txn {
    struct list node;                /* In its client's list, once sent. */
    struct db_client *client;
    struct hmap changes;             /* By the UUID of the row. */
    struct list order;
    struct text comment;
    const struct dbc_row *increment_row;
    const struct dbc_column *increment_column;
    bool is_dry_run, is_durable;
    /* Once sent. */
    bool is_sent, is_waited_for;     /* The latter: somebody else frees it. */
    json_int_t id;
    size_t n_ops, increment_op, abort_op;   /* SIZE_MAX: none. */
    void (*done)(struct dbc_txn *, enum dbc_txn_status, void *arg);
    void *arg;
    enum dbc_txn_status status;
    char *error;
    json_t *error_json;
    int64_t incremented;
};

struct dbc_change *dbc_txn_change(const struct dbc_txn *, const struct dbc_row *);

#endif
