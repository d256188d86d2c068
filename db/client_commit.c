/* SPDX-License-Identifier: Apache-2.0 */
/* Committing: a transaction as a "transact" request (RFC 7047 section 4.1.3), and what its reply means. */
#include <stdlib.h>

#include "db/client_txn.h"
#include "db/error.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/clock.h"

#define BIT(I) (UINT64_C(1) << (I))

/* Operations ------------------------------------------------------------------------------------- */

static json_t *where_uuid(const struct dbc_row *row)
{
    char uuid[UUID_LEN + 1];
    snprintf(uuid, sizeof uuid, UUID_FMT, UUID_ARGS(&row->uuid));
    return json_pack("[[s,s,[s,s]]]", "_uuid", "==", "uuid", uuid);
}

/* "row" and the UUID with underscores: what an inserted row is called in its transaction. */
static json_t *row_name(const struct uuid *uuid)
{
    char name[UUID_LEN + 4] = "row";
    snprintf(name + 3, sizeof name - 3, UUID_FMT, UUID_ARGS(uuid));
    for (char *p = name; *p; p++) {
        if (*p == '-') {
            *p = '_';
        }
    }
    return json_string(name);
}

static bool is_inserted(const struct dbc_txn *txn, const struct uuid *uuid)
{
    const struct dbc_change *change;
    HMAP_FOR_EACH_WITH_HASH (change, by_uuid, uuid_hash(uuid), &txn->changes) {
        if (change->is_insert && !change->is_delete && uuid_equal(&change->row->uuid, uuid)) {
            return true;
        }
    }
    return false;
}

static json_t *atom_json(const struct dbc_txn *txn, const union atom *a, enum atom_type type)
{
    return type == ATOM_UUID && is_inserted(txn, &a->uuid)
               ? json_pack("[s,o]", "named-uuid", row_name(&a->uuid))
               : atom_to_json(a, type);
}

/* 'as_set': also a set of one element is written as a set. */
static json_t *datum_json(const struct dbc_txn *txn, const struct datum *d,
                          const struct column_type *type, bool as_set)
{
    bool map = column_type_is_map(type);
    if (!map && d->n == 1 && !as_set) {
        return atom_json(txn, datum_key(d, 0), type->key.type);
    }
    json_t *elements = json_array();
    for (size_t i = 0; i < d->n; i++) {
        json_t *key = atom_json(txn, datum_key(d, i), type->key.type);
        json_array_append_new(
            elements, !map ? key
                           : json_pack("[o,o]", key,
                                       atom_json(txn, datum_value(d, i), type->value.type)));
    }
    return json_pack("[s,o]", map ? "map" : "set", elements);
}

static void put_wait(const struct dbc_txn *txn, const struct dbc_change *change, json_t *ops)
{
    json_t *columns = json_array(), *row = json_object();
    for (unsigned i = 0; i < change->row->table->n_columns; i++) {
        const struct dbc_column *c = &change->row->table->columns[i];
        if (change->verified & BIT(i)) {
            json_array_append_new(columns, json_string(c->name));
            json_object_set_new(row, c->name,
                                datum_json(txn, change->row->data[i], &c->type, false));
        }
    }
    json_array_append_new(ops, json_pack("{s:s,s:s,s:i,s:o,s:o,s:s,s:[o]}", "op", "wait", "table",
                                         change->row->table->name, "timeout", 0, "where",
                                         where_uuid(change->row), "columns", columns, "until", "==",
                                         "rows", row));
}

static void put_insert(const struct dbc_txn *txn, struct dbc_change *change, json_t *ops)
{
    json_t *row = json_object();
    for (unsigned i = 0; i < change->row->table->n_columns; i++) {
        const struct dbc_column *c = &change->row->table->columns[i];
        if (change->now[i]) {
            json_object_set_new(row, c->name, datum_json(txn, change->now[i], &c->type, false));
        }
    }
    change->op = json_array_size(ops);
    json_array_append_new(ops, json_pack("{s:s,s:s,s:o,s:o}", "op", "insert", "table",
                                         change->row->table->name, "uuid-name",
                                         row_name(&change->row->uuid), "row", row));
}

static void put_mutation(json_t *mutations, const struct dbc_column *c, const char *mutator,
                         json_t *value)
{
    json_array_append_new(mutations, json_pack("[s,s,o]", c->name, mutator, value));
}

static void put_update(const struct dbc_txn *txn, const struct dbc_change *change, json_t *ops)
{
    const char *table = change->row->table->name;
    json_t *row = json_object(), *mutations = json_array();
    for (unsigned i = 0; i < change->row->table->n_columns; i++) {
        const struct dbc_column *c = &change->row->table->columns[i];
        if (change->written & BIT(i)) {
            json_object_set_new(row, c->name, datum_json(txn, change->now[i], &c->type, false));
            continue;
        }
        if (change->removed[i] && change->removed[i]->n) {
            struct column_type keys_type = dbc_keys_type(c);
            put_mutation(mutations, c, "delete",
                         datum_json(txn, change->removed[i], &keys_type, true));
        }
        if (change->added[i] && change->added[i]->n) {
            put_mutation(mutations, c, "insert", datum_json(txn, change->added[i], &c->type, true));
        }
    }
    if (json_object_size(row)) {
        json_array_append_new(ops, json_pack("{s:s,s:s,s:o,s:O}", "op", "update", "table", table,
                                             "where", where_uuid(change->row), "row", row));
    }
    if (json_array_size(mutations)) {
        json_array_append_new(ops, json_pack("{s:s,s:s,s:o,s:O}", "op", "mutate", "table", table,
                                             "where", where_uuid(change->row), "mutations",
                                             mutations));
    }
    json_decref(row);
    json_decref(mutations);
}

static void put_increment(struct dbc_txn *txn, json_t *ops)
{
    const struct dbc_row *row = txn->increment_row;
    const char *column = txn->increment_column->name;
    json_array_append_new(ops, json_pack("{s:s,s:s,s:o,s:[[s,s,i]]}", "op", "mutate", "table",
                                         row->table->name, "where", where_uuid(row), "mutations",
                                         column, "+=", 1));
    txn->increment_op = json_array_size(ops);
    json_array_append_new(ops, json_pack("{s:s,s:s,s:o,s:[s]}", "op", "select", "table",
                                         row->table->name, "where", where_uuid(row), "columns",
                                         column));
}

/* The changes as operations, after the waits; the number of them. */
static size_t put_changes(struct dbc_txn *txn, json_t *ops)
{
    size_t before = json_array_size(ops);
    struct dbc_change *change;
    LIST_FOR_EACH (change, in_order, &txn->order) {
        const struct dbc_table *table = change->row->table;
        if (!dbc_replica_table(&txn->client->replica, table)->is_present) {
            continue;
        }
        if (change->is_insert) {
            if (!change->is_delete) {
                put_insert(txn, change, ops);
            }
        } else if (change->is_delete) {
            if (table->is_root) {   /* Others go when nothing refers to them any more. */
                json_array_append_new(ops,
                                      json_pack("{s:s,s:s,s:o}", "op", "delete", "table", table->name,
                                                "where", where_uuid(change->row)));
            }
        } else {
            put_update(txn, change, ops);
        }
    }
    return json_array_size(ops) - before;
}

/* The request's parameters; NULL if there is nothing to do. */
static json_t *make_request(struct dbc_txn *txn)
{
    struct db_client *client = txn->client;
    json_t *ops = json_pack("[s]", client->replica.schema->name);
    if (client->lock_name) {
        json_array_append_new(ops, json_pack("{s:s,s:s}", "op", "assert", "lock", client->lock_name));
    }
    struct dbc_change *change;
    LIST_FOR_EACH (change, in_order, &txn->order) {
        if (change->verified) {
            put_wait(txn, change, ops);
        }
    }
    if (!put_changes(txn, ops)) {
        json_decref(ops);
        return NULL;
    }
    txn->increment_op = txn->abort_op = SIZE_MAX;
    if (txn->increment_row && !txn->increment_row->is_pending) {
        put_increment(txn, ops);
    }
    if (txn->comment.len) {
        json_array_append_new(ops, json_pack("{s:s,s:o}", "op", "comment", "comment",
                                             json_string(text_str(&txn->comment))));
    }
    if (txn->is_durable) {
        json_array_append_new(ops, json_pack("{s:s,s:b}", "op", "commit", "durable", true));
    }
    if (txn->is_dry_run) {
        txn->abort_op = json_array_size(ops);
        json_array_append_new(ops, json_pack("{s:s}", "op", "abort"));
    }
    txn->n_ops = json_array_size(ops);
    return ops;
}

/* Sending ---------------------------------------------------------------------------------------- */

static enum dbc_txn_status send_txn(struct dbc_txn *txn)
{
    struct db_client *client = txn->client;
    if (!db_client_is_connected(client)) {
        return DB_TXN_TRY_AGAIN;
    }
    if (client->lock_name && !client->has_lock) {
        return DB_TXN_NOT_LOCKED;
    }
    json_t *request = make_request(txn);
    if (!request) {
        return DB_TXN_UNCHANGED;
    }
    txn->id = dbc_client_request(client, "transact", request);
    txn->is_sent = true;
    list_push_back(&client->txns, &txn->node);
    return DB_TXN_PENDING;
}

enum dbc_txn_status dbc_txn_commit(struct dbc_txn *txn,
                                   void (*done)(struct dbc_txn *, enum dbc_txn_status, void *arg),
                                   void *arg)
{
    txn->done = done;
    txn->arg = arg;
    enum dbc_txn_status status = send_txn(txn);
    if (status != DB_TXN_PENDING) {
        dbc_txn_destroy(txn);
    }
    return status;
}

enum dbc_txn_status dbc_txn_commit_wait(struct dbc_txn *txn, int timeout_ms)
{
    int64_t deadline = clock_real_ns() + timeout_ms * NSEC_PER_MSEC;
    txn->is_waited_for = true;
    txn->status = send_txn(txn);
    while (txn->status == DB_TXN_PENDING) {
        int64_t left = timeout_ms < 0 ? -1 : (deadline - clock_real_ns()) / NSEC_PER_MSEC;
        if (timeout_ms >= 0 && left <= 0) {
            list_remove(&txn->node);
            txn->error = xstrdup("no answer in time");
            return txn->status = DB_TXN_ERROR;
        }
        loop_run_once(txn->client->loop, left);
    }
    return txn->status;
}

/* The reply -------------------------------------------------------------------------------------- */

static enum dbc_txn_status fail(struct dbc_txn *txn, const json_t *error)
{
    const char *tag = json_string_value(json_object_get(error, "error"));
    const char *details = json_string_value(json_object_get(error, "details"));
    if (!tag) {
        tag = json_is_string(error) ? json_string_value(error) : "malformed reply to a transaction";
    }
    if (!strcmp(tag, DB_E_TIMED_OUT)) {
        return DB_TXN_TRY_AGAIN;
    }
    if (!strcmp(tag, DB_E_NOT_OWNER)) {
        return DB_TXN_NOT_LOCKED;
    }
    if (!txn->error) {
        txn->error = details ? xasprintf("%s: %s", tag, details) : xstrdup(tag);
        txn->error_json = json_incref((json_t *) error);
    }
    return DB_TXN_ERROR;
}

static void read_inserts(struct dbc_txn *txn, const json_t *results)
{
    struct dbc_change *change;
    LIST_FOR_EACH (change, in_order, &txn->order) {
        if (change->op != SIZE_MAX) {
            const json_t *result = json_array_get(results, change->op - 1);
            const char *uuid = json_string_value(json_array_get(json_object_get(result, "uuid"), 1));
            change->has_real_uuid = uuid && strlen(uuid) == UUID_LEN &&
                                    uuid_parse(uuid, &change->real_uuid);
        }
    }
}

static void read_increment(struct dbc_txn *txn, const json_t *results)
{
    if (txn->increment_op != SIZE_MAX) {
        const json_t *rows = json_object_get(json_array_get(results, txn->increment_op - 1), "rows");
        txn->incremented = json_integer_value(
            json_object_get(json_array_get(rows, 0), txn->increment_column->name));
    }
}

/* Results are one less than the operations, since the database's name is in front of these, or one more of
 * an error in the commit itself. */
static enum dbc_txn_status read_results(struct dbc_txn *txn, const json_t *results)
{
    if (!json_is_array(results)) {
        return fail(txn, NULL);
    }
    bool try_again = false, not_locked = false, failed = false;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        if (!json_object_get(result, "error")) {
            continue;
        }
        const char *tag = json_string_value(json_object_get(result, "error"));
        if (txn->abort_op == i + 1 && tag && !strcmp(tag, DB_E_ABORTED)) {
            continue;
        }
        enum dbc_txn_status status = fail(txn, result);
        try_again |= status == DB_TXN_TRY_AGAIN;
        not_locked |= status == DB_TXN_NOT_LOCKED;
        failed |= status == DB_TXN_ERROR;
    }
    if (!failed && !not_locked && !try_again && json_array_size(results) + 1 < txn->n_ops) {
        return fail(txn, NULL);
    }
    if (failed || not_locked || try_again) {
        return failed ? DB_TXN_ERROR : not_locked ? DB_TXN_NOT_LOCKED : DB_TXN_TRY_AGAIN;
    }
    read_inserts(txn, results);
    read_increment(txn, results);
    return DB_TXN_SUCCESS;
}

void dbc_txn_reply(struct dbc_txn *txn, const json_t *result, const json_t *error)
{
    list_remove(&txn->node);
    txn->status = error ? fail(txn, error) : result ? read_results(txn, result) : DB_TXN_TRY_AGAIN;
    if (txn->done) {
        txn->done(txn, txn->status, txn->arg);
    }
    if (!txn->is_waited_for) {
        dbc_txn_destroy(txn);
    }
}

struct dbc_txn *dbc_txn_of_list(struct list *node)
{
    return LIST_ENTRY(node, struct dbc_txn, node);
}

struct dbc_txn *dbc_txn_find(struct list *txns, json_int_t id)
{
    struct dbc_txn *txn;
    LIST_FOR_EACH (txn, node, txns) {
        if (txn->id == id) {
            return txn;
        }
    }
    return NULL;
}
