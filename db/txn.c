/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions on the database in memory: changes in place, checks at commit, undo. */
#include "db/txn.h"

#include <assert.h>
#include <stdlib.h>

#include "db/error.h"
#include "db/txn_private.h"
#include "lib/base/alloc.h"

struct db_txn *db_txn_begin(struct database *db)
{
    assert(!db->txn);
    struct db_txn *txn = xzalloc(sizeof *txn);
    txn->db = db;
    list_init(&txn->changes);
    text_init(&txn->comment);
    db->txn = txn;
    return txn;
}

static void txn_free(struct db_txn *txn)
{
    free(txn->saved);
    free(txn->orphans);
    text_fini(&txn->comment);
    free(txn);
}

static struct db_change *change_create(struct db_txn *txn, struct db_row *row)
{
    struct db_change *c = xzalloc(sizeof *c);
    c->row = row;
    row->change = c;
    list_push_back(&txn->changes, &c->node);
    return c;
}

void db_txn_make_writable(struct db_txn *txn, struct db_row *row)
{
    if (!row->change) {
        struct db_change *c = change_create(txn, row);
        c->old = row->columns;
        row->columns = db_columns_copy(row->table, c->old);
    }
}

struct db_row *db_txn_insert(struct db_txn *txn, struct db_table *t, const struct uuid *uuid)
{
    if (db_table_row_any(t, uuid)) {
        return NULL;
    }
    struct db_row *row = db_row_alloc(t, uuid);
    change_create(txn, row);
    return row;
}

void db_txn_set(struct db_txn *txn, struct db_row *row, uint32_t column, struct datum *d)
{
    db_txn_make_writable(txn, row);
    datum_put(row->columns[column], &row->table->schema->columns[column].type);
    row->columns[column] = d;
}

void db_txn_delete(struct db_txn *txn, struct db_row *row)
{
    db_txn_make_writable(txn, row);
    row->deleted = true;
    row->table->n_deleted++;
}

void db_txn_comment(struct db_txn *txn, const char *comment)
{
    if (txn->comment.len) {
        text_put_char(&txn->comment, '\n');
    }
    text_put(&txn->comment, comment);
}

/* Undoing an open transaction ------------------------------------------------------------------ */

static void restore_refs(struct db_txn *txn)
{
    for (size_t i = 0; i < txn->n_saved; i++) {
        txn->saved[i].row->n_refs = txn->saved[i].n_refs;
        txn->saved[i].row->refs_saved = false;
    }
}

/* Forgets a change, with the row if it never was. */
static void drop_change(struct db_change *c)
{
    struct db_row *row = c->row;
    struct db_table *t = row->table;
    list_remove(&c->node);
    row->change = NULL;
    if (row->deleted) {
        row->deleted = false;
        t->n_deleted--;
    }
    if (c->old) {
        db_columns_free(t, row->columns);
        row->columns = c->old;
    } else {
        hmap_remove(&t->rows, &row->node);
        db_row_free(row);
    }
    free(c);
}

void db_txn_abort(struct db_txn *txn)
{
    assert(txn->db->txn == txn);
    restore_refs(txn);
    while (!list_is_empty(&txn->changes)) {
        drop_change(LIST_ENTRY(txn->changes.next, struct db_change, node));
    }
    txn->db->txn = NULL;
    txn_free(txn);
}

/* What really changed ------------------------------------------------------------------------- */

/* Makes equal columns the same datum; false if none is left that differs. */
static bool normalise(struct db_change *c)
{
    const struct db_table *t = c->row->table;
    bool differs = false;
    for (uint32_t i = 0; i < t->schema->n_columns; i++) {
        struct datum *old = c->old[i], **new = &c->row->columns[i];
        if (old != *new) {
            const struct column_type *type = &t->schema->columns[i].type;
            if (datum_equal(old, *new, type)) {
                datum_put(*new, type);
                *new = datum_get(old);
            } else {
                differs = true;
            }
        }
    }
    return differs;
}

static bool is_void(struct db_change *c)
{
    if (!c->old) {
        return c->row->deleted;
    }
    return !c->row->deleted && !normalise(c);
}

/* Rows that vanish must not be among those whose n_refs was saved. */
static void forget_vanishing(struct db_txn *txn)
{
    size_t kept = 0;
    for (size_t i = 0; i < txn->n_saved; i++) {
        const struct db_row *row = txn->saved[i].row;
        if (!(row->change && !row->change->old && row->deleted)) {
            txn->saved[kept++] = txn->saved[i];
        }
    }
    txn->n_saved = kept;
}

static void drop_void_changes(struct db_txn *txn)
{
    forget_vanishing(txn);
    struct db_change *c, *next;
    LIST_FOR_EACH_SAFE (c, next, node, &txn->changes) {
        if (is_void(c)) {
            drop_change(c);
        }
    }
}

/* Commit -------------------------------------------------------------------------------------- */

/* After all checks: nothing can fail any more. */
static void apply(struct db_txn *txn)
{
    struct db_change *c;
    for (size_t i = 0; i < txn->n_saved; i++) {
        txn->saved[i].row->refs_saved = false;
    }
    LIST_FOR_EACH (c, node, &txn->changes) {
        struct db_row *row = c->row;
        row->change = NULL;
        if (row->deleted) {
            /* A deleted row keeps its old columns, so that undo finds the row as it was. */
            row->deleted = false;
            row->table->n_deleted--;
            hmap_remove(&row->table->rows, &row->node);
            db_columns_free(row->table, row->columns);
            row->columns = NULL;
            c->new = NULL;
        } else {
            struct uuid version = uuid_random();
            datum_put(row->columns[COLUMN_VERSION],
                      &row->table->schema->columns[COLUMN_VERSION].type);
            row->columns[COLUMN_VERSION] = datum_of_uuid(&version);
            c->new = row->columns;
        }
    }
    LIST_FOR_EACH (c, node, &txn->changes) {
        db_row_relink(c->row, c->new != NULL);
    }
    txn->db->txn = NULL;
}

struct db_error *db_txn_commit(struct db_txn *txn)
{
    drop_void_changes(txn);
    struct db_error *e = db_txn_count_references(txn);
    if (!e) {
        db_txn_collect_garbage(txn);
        e = db_txn_check_deleted(txn);
    }
    e = e ? e : db_txn_settle_weak(txn);
    if (!e) {
        drop_void_changes(txn);
        e = db_txn_check_max_rows(txn);
    }
    e = e ? e : db_txn_update_indexes(txn);
    if (e) {
        db_txn_abort(txn);
        return e;
    }
    apply(txn);
    return NULL;
}

struct db_error *db_txn_commit_replayed(struct db_txn *txn)
{
    drop_void_changes(txn);
    struct db_error *e = db_txn_count_references(txn);
    e = e ? e : db_txn_check_deleted(txn);
    e = e ? e : db_txn_settle_weak(txn);
    e = e ? e : db_txn_update_indexes(txn);
    if (e) {
        db_txn_abort(txn);
        return e;
    }
    apply(txn);
    return NULL;
}

void db_txn_finish(struct db_txn *txn)
{
    while (!list_is_empty(&txn->changes)) {
        struct db_change *c = LIST_ENTRY(list_pop_front(&txn->changes), struct db_change, node);
        db_columns_free(c->row->table, c->old);
        if (!c->new) {
            free(c->row);   /* Its columns went in apply(). */
        }
        free(c);
    }
    txn_free(txn);
}

void db_txn_undo(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        if (c->new) {
            db_row_index_remove(c->row);
        }
    }
    LIST_FOR_EACH (c, node, &txn->changes) {
        struct db_row *row = c->row;
        if (!c->new) {
            hmap_insert(&row->table->rows, &row->node, row->node.hash);
        } else if (!c->old) {
            hmap_remove(&row->table->rows, &row->node);
        }
        if (c->old) {
            db_columns_free(row->table, row->columns);
            row->columns = c->old;
            db_row_index_add(row, row->columns);
        }
    }
    LIST_FOR_EACH (c, node, &txn->changes) {
        db_row_relink(c->row, c->old != NULL);
    }
    for (size_t i = 0; i < txn->n_saved; i++) {
        txn->saved[i].row->n_refs = txn->saved[i].n_refs;
    }
    while (!list_is_empty(&txn->changes)) {
        c = LIST_ENTRY(list_pop_front(&txn->changes), struct db_change, node);
        if (!c->old) {
            db_row_free(c->row);
        }
        free(c);
    }
    txn_free(txn);
}
