/* SPDX-License-Identifier: Apache-2.0 */
/* The client's transactions: what is to change, and how it looks before it is committed. */
#include "db/client_txn.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"

#define BIT(I) (UINT64_C(1) << (I))

struct dbc_txn *dbc_txn_create(struct db_client *client)
{
    struct dbc_txn *txn = xzalloc(sizeof *txn);
    txn->client = client;
    list_init(&txn->node);
    hmap_init(&txn->changes);
    list_init(&txn->order);
    return txn;
}

static void clear_column(struct dbc_change *change, unsigned i)
{
    const struct dbc_column *c = &change->table->columns[i];
    struct column_type keys_type = dbc_keys_type(c);
    datum_put(change->now[i], &c->type);
    datum_put(change->added[i], &c->type);
    datum_put(change->removed[i], &keys_type);
    change->now[i] = change->added[i] = change->removed[i] = NULL;
    change->written &= ~BIT(i);
}

static void change_destroy(struct dbc_txn *txn, struct dbc_change *change)
{
    for (unsigned i = 0; i < change->table->n_columns; i++) {
        clear_column(change, i);
    }
    hmap_remove(&txn->changes, &change->by_uuid);
    list_remove(&change->in_order);
    free(change->now);
    free(change->added);
    free(change->removed);
    if (change->is_insert) {
        dbc_row_destroy((struct dbc_row *) change->row);
    }
    free(change);
}

void dbc_txn_destroy(struct dbc_txn *txn)
{
    if (!txn) {
        return;
    }
    list_remove(&txn->node);
    struct dbc_change *change;
    HMAP_FOR_EACH (change, by_uuid, &txn->changes) {
        change_destroy(txn, change);
    }
    hmap_fini(&txn->changes);
    text_fini(&txn->comment);
    free(txn->error);
    json_decref(txn->error_json);
    free(txn);
}

struct dbc_change *dbc_txn_change(const struct dbc_txn *txn, const struct dbc_row *row)
{
    struct dbc_change *change;
    HMAP_FOR_EACH_WITH_HASH (change, by_uuid, uuid_hash(&row->uuid), &txn->changes) {
        if (change->row == row) {
            return change;
        }
    }
    return NULL;
}

static struct dbc_change *add_change(struct dbc_txn *txn, const struct dbc_row *row)
{
    struct dbc_change *change = dbc_txn_change(txn, row);
    if (!change) {
        change = xzalloc(sizeof *change);
        change->row = row;
        change->table = row->table;
        change->now = xcalloc(row->table->n_columns, sizeof *change->now);
        change->added = xcalloc(row->table->n_columns, sizeof *change->added);
        change->removed = xcalloc(row->table->n_columns, sizeof *change->removed);
        change->op = SIZE_MAX;
        hmap_insert(&txn->changes, &change->by_uuid, uuid_hash(&row->uuid));
        list_push_back(&txn->order, &change->in_order);
    }
    return change;
}

/* Changes ---------------------------------------------------------------------------------------- */

struct dbc_row *dbc_txn_insert_as(struct dbc_txn *txn, const struct dbc_table *table,
                                  const struct uuid *uuid)
{
    struct dbc_row *row = dbc_row_create(&txn->client->replica, table, uuid);
    row->is_pending = true;
    row->txn = txn;
    add_change(txn, row)->is_insert = true;
    return row;
}

struct dbc_row *dbc_txn_insert(struct dbc_txn *txn, const struct dbc_table *table)
{
    struct uuid uuid = uuid_random();
    return dbc_txn_insert_as(txn, table, &uuid);
}

void dbc_txn_delete(struct dbc_txn *txn, const struct dbc_row *row)
{
    struct dbc_change *change = add_change(txn, row);
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        clear_column(change, i);
    }
    change->is_delete = true;
}

static bool is_in(uint64_t set, const struct dbc_column *c)
{
    return set & BIT(c->index);
}

/* Does the replica know what the server has there? */
static bool is_known(const struct dbc_txn *txn, const struct dbc_change *change,
                     const struct dbc_column *c)
{
    return change->is_insert ||
           is_in(dbc_replica_table(&txn->client->replica, c->table)->monitored, c);
}

/* NULL if the row is deleted, or the server has no such column. */
static struct dbc_change *change_for_write(struct dbc_txn *txn, const struct dbc_row *row,
                                           const struct dbc_column *c)
{
    if (!is_in(dbc_replica_table(&txn->client->replica, c->table)->present, c)) {
        return NULL;
    }
    struct dbc_change *change = add_change(txn, row);
    return change->is_delete ? NULL : change;
}

void dbc_txn_write(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                   struct datum *value)
{
    struct dbc_change *change = change_for_write(txn, row, c);
    if (!change) {
        datum_put(value, &c->type);
        return;
    }
    clear_column(change, c->index);
    if (is_known(txn, change, c) && datum_equal(value, row->data[c->index], &c->type)) {
        datum_put(value, &c->type);
        return;
    }
    change->now[c->index] = value;
    change->written |= BIT(c->index);
}

static const struct datum *effective(const struct dbc_change *change, const struct dbc_column *c)
{
    return change->now[c->index] ? change->now[c->index] : change->row->data[c->index];
}

/* Replaces '*d' by 'new'. */
static void replace(struct datum **d, struct datum *new, const struct column_type *type)
{
    datum_put(*d, type);
    *d = new;
}

/* The set of the keys of 'd'. */
static struct datum *keys_of(const struct datum *d, const struct dbc_column *c)
{
    struct column_type type = dbc_keys_type(c);
    struct datum *keys = datum_alloc(d->n, &type);
    for (size_t i = 0; i < d->n; i++) {
        atom_copy(&keys->atoms[i], datum_key(d, i), c->type.key.type);
    }
    return keys;
}

/* The union of '*a', which may be NULL, and 'b'. */
static void unite(struct datum **a, const struct datum *b, const struct column_type *type)
{
    replace(a, *a ? datum_union(b, *a, type) : datum_get(b), type);
}

static void add_elements(struct dbc_change *change, const struct dbc_column *c,
                         const struct datum *value)
{
    unsigned i = c->index;
    struct datum *now = datum_union(value, effective(change, c), &c->type);
    if (!change->is_insert && !(change->written & BIT(i))) {
        if (column_type_is_map(&c->type)) {
            /* An insert does not replace the values of keys that are there. */
            struct column_type keys_type = dbc_keys_type(c);
            struct datum *keys = keys_of(value, c);
            unite(&change->removed[i], keys, &keys_type);
            datum_put(keys, &keys_type);
        }
        unite(&change->added[i], value, &c->type);
    } else {
        change->written |= BIT(i);
    }
    replace(&change->now[i], now, &c->type);
}

void dbc_txn_add(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                 struct datum *value)
{
    struct dbc_change *change = change_for_write(txn, row, c);
    if (change) {
        if (is_known(txn, change, c)) {
            replace(&value, datum_subtract(value, effective(change, c), &c->type, false), &c->type);
        }
        if (value->n) {
            add_elements(change, c, value);
        }
    }
    datum_put(value, &c->type);
}

static void remove_elements(struct dbc_change *change, const struct dbc_column *c,
                            const struct datum *keys)
{
    unsigned i = c->index;
    struct datum *now = datum_subtract(effective(change, c), keys, &c->type, true);
    if (!change->is_insert && !(change->written & BIT(i))) {
        struct column_type keys_type = dbc_keys_type(c);
        if (change->added[i]) {
            replace(&change->added[i], datum_subtract(change->added[i], keys, &c->type, true),
                    &c->type);
        }
        unite(&change->removed[i], keys, &keys_type);
    } else {
        change->written |= BIT(i);
    }
    replace(&change->now[i], now, &c->type);
}

/* The elements of 'keys' that are keys of 'd'. */
static struct datum *keys_in(const struct datum *keys, const struct datum *d,
                             const struct dbc_column *c)
{
    struct column_type keys_type = dbc_keys_type(c);
    struct datum *present = keys_of(d, c);
    struct datum *absent = datum_subtract(keys, present, &keys_type, false);
    struct datum *both = datum_subtract(keys, absent, &keys_type, false);
    datum_put(present, &keys_type);
    datum_put(absent, &keys_type);
    return both;
}

void dbc_txn_remove(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                    struct datum *keys)
{
    struct column_type keys_type = dbc_keys_type(c);
    struct dbc_change *change = change_for_write(txn, row, c);
    if (change) {
        if (is_known(txn, change, c)) {
            replace(&keys, keys_in(keys, effective(change, c), c), &keys_type);
        }
        if (keys->n) {
            remove_elements(change, c, keys);
        }
    }
    datum_put(keys, &keys_type);
}

void dbc_txn_verify(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c)
{
    if (!row->is_pending && is_in(dbc_replica_table(&txn->client->replica, c->table)->present, c)) {
        struct dbc_change *change = add_change(txn, row);
        if (is_known(txn, change, c)) {
            change->verified |= BIT(c->index);
        }
    }
}

void dbc_txn_increment(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c)
{
    txn->increment_row = row;
    txn->increment_column = c;
}

void dbc_txn_comment(struct dbc_txn *txn, const char *format, ...)
{
    if (txn->comment.len) {
        text_put_char(&txn->comment, '\n');
    }
    va_list args;
    va_start(args, format);
    text_vprintf(&txn->comment, format, args);
    va_end(args);
}

void dbc_txn_set_dry_run(struct dbc_txn *txn)
{
    txn->is_dry_run = true;
}

void dbc_txn_set_durable(struct dbc_txn *txn)
{
    txn->is_durable = true;
}

/* How it will look ------------------------------------------------------------------------------- */

const struct datum *dbc_txn_get(const struct dbc_txn *txn, const struct dbc_row *row,
                                const struct dbc_column *c)
{
    const struct dbc_change *change = dbc_txn_change(txn, row);
    return change ? effective(change, c) : row->data[c->index];
}

bool dbc_txn_is_deleted(const struct dbc_txn *txn, const struct dbc_row *row)
{
    const struct dbc_change *change = dbc_txn_change(txn, row);
    return change && change->is_delete;
}

/* The first inserted row of 'table' from 'at' on in the order of changes. */
static const struct dbc_row *next_inserted(const struct dbc_txn *txn, const struct list *at,
                                           const struct dbc_table *table)
{
    for (; at != &txn->order; at = at->next) {
        const struct dbc_change *change = LIST_ENTRY(at, const struct dbc_change, in_order);
        if (change->is_insert && !change->is_delete && change->row->table == table) {
            return change->row;
        }
    }
    return NULL;
}

static const struct dbc_row *next_existing(const struct dbc_txn *txn, const struct dbc_row *row,
                                           const struct dbc_table *table)
{
    while (row && dbc_txn_is_deleted(txn, row)) {
        row = db_client_next(txn->client, row);
    }
    return row ? row : next_inserted(txn, txn->order.next, table);
}

const struct dbc_row *dbc_txn_first(const struct dbc_txn *txn, const struct dbc_table *table)
{
    return next_existing(txn, db_client_first(txn->client, table), table);
}

const struct dbc_row *dbc_txn_next(const struct dbc_txn *txn, const struct dbc_row *row)
{
    return row->is_pending
               ? next_inserted(txn, dbc_txn_change(txn, row)->in_order.next, row->table)
               : next_existing(txn, db_client_next(txn->client, row), row->table);
}

const struct dbc_row *dbc_txn_get_row(const struct dbc_txn *txn, const struct dbc_table *table,
                                      const struct uuid *uuid)
{
    const struct dbc_change *change;
    HMAP_FOR_EACH_WITH_HASH (change, by_uuid, uuid_hash(uuid), &txn->changes) {
        if (change->row->table == table && uuid_equal(&change->row->uuid, uuid)) {
            return change->is_delete ? NULL : change->row;
        }
    }
    return db_client_get(txn->client, table, uuid);
}

/* Results ---------------------------------------------------------------------------------------- */

const char *dbc_txn_status_name(enum dbc_txn_status status)
{
    static const char *const names[] = {
        [DB_TXN_UNCHANGED] = "unchanged", [DB_TXN_PENDING] = "pending",
        [DB_TXN_SUCCESS] = "success",     [DB_TXN_TRY_AGAIN] = "try again",
        [DB_TXN_NOT_LOCKED] = "not locked", [DB_TXN_ERROR] = "error",
    };
    return status < ARRAY_SIZE(names) ? names[status] : "unknown";
}

const char *dbc_txn_error(const struct dbc_txn *txn)
{
    return txn->error ? txn->error : "";
}

const json_t *dbc_txn_error_json(const struct dbc_txn *txn)
{
    return txn->error_json;
}

int64_t dbc_txn_incremented(const struct dbc_txn *txn)
{
    return txn->incremented;
}

bool dbc_txn_inserted_uuid(const struct dbc_txn *txn, const struct dbc_row *row, struct uuid *uuid)
{
    const struct dbc_change *change = dbc_txn_change(txn, row);
    if (!change || !change->has_real_uuid) {
        return false;
    }
    *uuid = change->real_uuid;
    return true;
}

struct db_client *dbc_txn_client(const struct dbc_txn *txn)
{
    return txn->client;
}
