/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions on the database in memory: changes in place, checks at commit, undo. */
#include "db/txn.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "db/error.h"
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

/* The row's columns may be written after this. */
static void make_writable(struct db_txn *txn, struct db_row *row)
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
    make_writable(txn, row);
    datum_put(row->columns[column], &row->table->schema->columns[column].type);
    row->columns[column] = d;
}

void db_txn_delete(struct db_txn *txn, struct db_row *row)
{
    make_writable(txn, row);
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

/* Strong references --------------------------------------------------------------------------- */

static void save_refs(struct db_txn *txn, struct db_row *row)
{
    if (!row->refs_saved) {
        row->refs_saved = true;
        if (txn->n_saved >= txn->allocated_saved) {
            txn->saved = xgrow(txn->saved, &txn->allocated_saved, sizeof *txn->saved);
        }
        txn->saved[txn->n_saved++] = (struct saved_refs) { row, row->n_refs };
    }
}

/* Counts the references of 'n' atoms up or down. */
static struct db_error *count_refs(struct db_txn *txn, const struct db_row *source,
                                   const struct column_schema *column, const struct table_schema *to,
                                   const union atom *atoms, size_t n, bool up)
{
    const struct db_table *target_table = &txn->db->tables[to->index];
    for (size_t i = 0; i < n; i++) {
        if (target_table == source->table && uuid_equal(&atoms[i].uuid, &source->uuid)) {
            continue;   /* A row does not keep itself alive. */
        }
        struct db_row *target = db_table_row_any(target_table, &atoms[i].uuid);
        if (!target) {
            if (!up) {
                continue;
            }
            return db_error_new(DB_E_REFERENCE, "table \"%s\", row "UUID_FMT", column \"%s\" refers to "
                                "row "UUID_FMT" of table \"%s\", which does not exist",
                                source->table->schema->name, UUID_ARGS(&source->uuid), column->name,
                                UUID_ARGS(&atoms[i].uuid), to->name);
        }
        save_refs(txn, target);
        target->n_refs += up ? 1 : -1;
    }
    return NULL;
}

static struct db_error *count_column(struct db_txn *txn, const struct db_row *row,
                                     const struct column_schema *column, const struct datum *d, bool up)
{
    struct db_error *e = NULL;
    if (base_type_is_strong_ref(&column->type.key)) {
        e = count_refs(txn, row, column, column->key_ref, d->atoms, d->n, up);
    }
    if (!e && base_type_is_strong_ref(&column->type.value)) {
        e = count_refs(txn, row, column, column->value_ref, d->atoms + d->n, d->n, up);
    }
    return e;
}

/* A set of references changed: only those that came or went are looked up. */
static struct db_error *count_set_change(struct db_txn *txn, const struct db_row *row,
                                         const struct column_schema *column, const struct datum *old,
                                         const struct datum *new)
{
    size_t i = 0, j = 0;
    while (i < old->n || j < new->n) {
        int c = i >= old->n ? 1 : j >= new->n ? -1
                : atom_compare(&old->atoms[i], &new->atoms[j], ATOM_UUID);
        if (c) {
            const union atom *atom = c < 0 ? &old->atoms[i] : &new->atoms[j];
            struct db_error *e = count_refs(txn, row, column, column->key_ref, atom, 1, c > 0);
            if (e) {
                return e;
            }
        }
        i += c <= 0;
        j += c >= 0;
    }
    return NULL;
}

static struct db_error *count_change(struct db_txn *txn, struct db_change *c)
{
    struct db_row *row = c->row;
    const struct table_schema *schema = row->table->schema;
    if (!schema->has_strong) {
        return NULL;
    }
    for (uint32_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
        const struct column_schema *column = &schema->columns[i];
        const struct datum *old = c->old ? c->old[i] : NULL;
        const struct datum *new = row->deleted ? NULL : row->columns[i];
        if (old == new || (!column->key_ref && !column->value_ref)) {
            continue;
        }
        struct db_error *e = NULL;
        if (old && new && !column_type_is_map(&column->type)) {
            if (base_type_is_strong_ref(&column->type.key)) {
                e = count_set_change(txn, row, column, old, new);
            }
        } else {
            e = new ? count_column(txn, row, column, new, true) : NULL;
            if (!e && old) {
                e = count_column(txn, row, column, old, false);
            }
        }
        if (e) {
            return e;
        }
    }
    return NULL;
}

static struct db_error *count_all(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        struct db_error *e = count_change(txn, c);
        if (e) {
            return e;
        }
    }
    return NULL;
}

/* A row that is not reachable from a root any more goes, and what it alone referred to as well. */
static void collect(struct db_txn *txn, struct db_row *row)
{
    if (row->n_refs || row->deleted || row->table->schema->is_root) {
        return;
    }
    /* The references that were counted are those of its present columns. */
    struct datum **columns = row->columns;
    const struct table_schema *schema = row->table->schema;
    for (uint32_t i = N_STANDARD_COLUMNS; schema->has_strong && i < schema->n_columns; i++) {
        struct db_error *e = count_column(txn, row, &schema->columns[i], columns[i], false);
        assert(!e);
        (void) e;
    }
    db_txn_delete(txn, row);
}

static void collect_garbage(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        if (!c->old) {
            collect(txn, c->row);
        }
    }
    for (size_t i = 0; i < txn->n_saved; i++) {   /* Grows meanwhile. */
        collect(txn, txn->saved[i].row);
    }
}

static struct db_error *check_deleted(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        if (c->row->deleted && c->row->n_refs) {
            return db_error_new(DB_E_REFERENCE, "cannot delete row "UUID_FMT" of table \"%s\": %"PRIu32
                                " reference%s to it remain%s", UUID_ARGS(&c->row->uuid),
                                c->row->table->schema->name, c->row->n_refs,
                                c->row->n_refs == 1 ? "" : "s", c->row->n_refs == 1 ? "s" : "");
        }
    }
    return NULL;
}

/* Weak references ----------------------------------------------------------------------------- */

static bool is_dead(const struct db_table *t, const struct base_type *base,
                    const struct table_schema *to, const union atom *uuid)
{
    return base_type_is_weak_ref(base) && !db_table_row(db_table_ref(t, to), &uuid->uuid);
}

/* Removes references to rows that do not exist from a row's weak columns. */
static struct db_error *drop_dead_references(struct db_txn *txn, struct db_row *row)
{
    const struct db_table *t = row->table;
    for (uint32_t i = N_STANDARD_COLUMNS; i < t->schema->n_columns; i++) {
        const struct column_schema *column = &t->schema->columns[i];
        const struct column_type *type = &column->type;
        struct datum *d = row->columns[i];
        bool weak = base_type_is_weak_ref(&type->key) || base_type_is_weak_ref(&type->value);
        if (!weak || !d->n) {
            continue;
        }
        bool *gone = xcalloc(d->n, sizeof *gone);
        uint32_t n_gone = 0;
        for (uint32_t k = 0; k < d->n; k++) {
            gone[k] = is_dead(t, &type->key, column->key_ref, datum_key(d, k)) ||
                      (column_type_is_map(type) &&
                       is_dead(t, &type->value, column->value_ref, datum_value(d, k)));
            n_gone += gone[k];
        }
        struct db_error *e = NULL;
        if (n_gone && d->n - n_gone < type->min) {
            e = db_error_new(DB_E_CONSTRAINT, "table \"%s\", row "UUID_FMT", column \"%s\": all its weak "
                             "references are to rows that do not exist or are deleted, and it needs "
                             "at least %"PRIu32, t->schema->name, UUID_ARGS(&row->uuid), column->name,
                             type->min);
        } else if (n_gone) {
            db_txn_set(txn, row, i, datum_without(d, type, gone));
        }
        free(gone);
        if (e) {
            return e;
        }
    }
    return NULL;
}

static struct db_error *settle_weak_references(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {   /* Grows meanwhile. */
        struct db_error *e = NULL;
        if (!c->row->deleted) {
            if (c->row->table->schema->has_weak) {
                e = drop_dead_references(txn, c->row);
            }
        } else {
            for (struct weak_link *l = c->row->weak_in; l && !e; l = l->next_in) {
                /* Sources that are changed already have their own turn. */
                if (!l->source->deleted && !l->source->change) {
                    make_writable(txn, l->source);
                }
            }
        }
        if (e) {
            return e;
        }
    }
    return NULL;
}

/* Numbers of rows and indexes ------------------------------------------------------------------- */

static struct db_error *check_max_rows(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        const struct db_table *t = c->row->table;
        if (!c->old && db_table_count(t) > t->schema->max_rows) {
            return db_error_new(DB_E_CONSTRAINT, "table \"%s\" would have %zu rows, its limit is %"
                                PRIu32, t->schema->name, db_table_count(t), t->schema->max_rows);
        }
    }
    return NULL;
}

static void index_remove(struct db_row *row)
{
    for (uint32_t i = 0; i < row->table->schema->n_indexes; i++) {
        hmap_remove(&row->table->indexes[i], &row->indexes[i]);
    }
}

static void index_add(struct db_row *row, struct datum *const *columns)
{
    const struct db_table *t = row->table;
    for (uint32_t i = 0; i < t->schema->n_indexes; i++) {
        hmap_insert(&t->indexes[i], &row->indexes[i],
                    db_index_hash(t, &t->schema->indexes[i], columns));
    }
}

static struct db_error *duplicate(const struct db_table *t, const struct index_schema *index,
                                  const struct db_row *a, const struct db_row *b)
{
    struct text what = TEXT_INIT;
    for (uint32_t i = 0; i < index->n_columns; i++) {
        uint32_t c = index->columns[i];
        text_printf(&what, "%s\"%s\" = ", i ? ", " : "", t->schema->columns[c].name);
        datum_put_json(a->columns[c], &t->schema->columns[c].type, &what);
    }
    struct db_error *e = db_error_new(DB_E_CONSTRAINT, "two rows of table \"%s\" would have %s: "
                                      UUID_FMT" (%s) and "UUID_FMT" (%s)", t->schema->name,
                                      text_str(&what),
                                      UUID_ARGS(&a->uuid), !a->change ? "unchanged"
                                      : a->change->old ? "changed now" : "inserted now",
                                      UUID_ARGS(&b->uuid), !b->change ? "unchanged"
                                      : b->change->old ? "changed now" : "inserted now");
    text_fini(&what);
    return e;
}

static struct db_error *index_conflict(const struct db_row *row)
{
    const struct db_table *t = row->table;
    for (uint32_t i = 0; i < t->schema->n_indexes; i++) {
        const struct index_schema *index = &t->schema->indexes[i];
        uint32_t hash = db_index_hash(t, index, row->columns);
        struct db_row *other;
        HMAP_FOR_EACH_WITH_HASH (other, indexes[i], hash, &t->indexes[i]) {
            if (db_index_equal(t, index, row->columns, other->columns)) {
                return duplicate(t, index, other, row);
            }
        }
    }
    return NULL;
}

/* Takes the changed rows' old versions out of the indexes and puts the new ones in; on an error all is as
 * before. */
static struct db_error *update_indexes(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        if (c->old) {
            index_remove(c->row);
        }
    }
    struct db_error *e = NULL;
    struct list *at;
    for (at = txn->changes.next; at != &txn->changes; at = at->next) {
        c = LIST_ENTRY(at, struct db_change, node);
        if (!c->row->deleted) {
            e = index_conflict(c->row);
            if (e) {
                break;
            }
            index_add(c->row, c->row->columns);
        }
    }
    if (e) {
        for (struct list *l = txn->changes.next; l != at; l = l->next) {
            c = LIST_ENTRY(l, struct db_change, node);
            if (!c->row->deleted) {
                index_remove(c->row);
            }
        }
        LIST_FOR_EACH (c, node, &txn->changes) {
            if (c->old) {
                index_add(c->row, c->old);
            }
        }
    }
    return e;
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
    struct db_error *e = count_all(txn);
    if (!e) {
        collect_garbage(txn);
        e = check_deleted(txn);
    }
    e = e ? e : settle_weak_references(txn);
    if (!e) {
        drop_void_changes(txn);
        e = check_max_rows(txn);
    }
    e = e ? e : update_indexes(txn);
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
    struct db_error *e = count_all(txn);
    e = e ? e : check_deleted(txn);
    e = e ? e : settle_weak_references(txn);
    e = e ? e : update_indexes(txn);
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
            index_remove(c->row);
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
            index_add(row, row->columns);
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
