/* SPDX-License-Identifier: Apache-2.0 */
/* Constraints at commit: references, garbage, numbers of rows, indexes. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "db/error.h"
#include "db/txn_private.h"
#include "lib/base/alloc.h"

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
        if (!target->n_refs) {
            if (txn->n_orphans == txn->allocated_orphans) {
                txn->orphans = xgrow(txn->orphans, &txn->allocated_orphans, sizeof *txn->orphans);
            }
            txn->orphans[txn->n_orphans++] = target;
        }
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

struct db_error *db_txn_count_references(struct db_txn *txn)
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

void db_txn_collect_garbage(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        if (!c->old) {
            collect(txn, c->row);
        }
    }
    while (txn->n_orphans) {   /* What goes may orphan others, also such as were looked at before. */
        collect(txn, txn->orphans[--txn->n_orphans]);
    }
}

struct db_error *db_txn_check_deleted(struct db_txn *txn)
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

struct db_error *db_txn_settle_weak(struct db_txn *txn)
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
                    db_txn_make_writable(txn, l->source);
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

struct db_error *db_txn_check_max_rows(struct db_txn *txn)
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

void db_row_index_remove(struct db_row *row)
{
    for (uint32_t i = 0; i < row->table->schema->n_indexes; i++) {
        hmap_remove(&row->table->indexes[i], &row->indexes[i]);
    }
}

void db_row_index_add(struct db_row *row, struct datum *const *columns)
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

struct db_error *db_txn_update_indexes(struct db_txn *txn)
{
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        if (c->old) {
            db_row_index_remove(c->row);
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
            db_row_index_add(c->row, c->row->columns);
        }
    }
    if (e) {
        for (struct list *l = txn->changes.next; l != at; l = l->next) {
            c = LIST_ENTRY(l, struct db_change, node);
            if (!c->row->deleted) {
                db_row_index_remove(c->row);
            }
        }
        LIST_FOR_EACH (c, node, &txn->changes) {
            if (c->old) {
                db_row_index_add(c->row, c->old);
            }
        }
    }
    return e;
}
