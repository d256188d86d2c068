/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as records of the journal, and back. */
#include "db/record.h"

#include <inttypes.h>
#include <stdlib.h>

#include "db/error.h"
#include "lib/base/alloc.h"
#include "lib/base/text.h"

static void put_column(const struct column_schema *c, const struct datum *d, bool first, struct text *t)
{
    text_printf(t, "%s\"%s\":", first ? "" : ",", c->name);
    datum_put_json(d, &c->type, t);
}

/* An inserted row: what differs from the defaults. */
static void put_new_row(const struct table_schema *s, struct datum *const *columns, struct text *t)
{
    bool first = true;
    text_put_char(t, '{');
    for (uint32_t i = N_STANDARD_COLUMNS; i < s->n_columns; i++) {
        const struct column_schema *c = &s->columns[i];
        if (!c->ephemeral && columns[i] != c->initial && !datum_is_default(columns[i], &c->type)) {
            put_column(c, columns[i], first, t);
            first = false;
        }
    }
    text_put_char(t, '}');
}

static void put_changed_row(const struct table_schema *s, const struct db_change *change, bool as_diff,
                            struct text *t)
{
    bool first = true;
    text_put_char(t, '{');
    for (uint32_t i = N_STANDARD_COLUMNS; i < s->n_columns; i++) {
        const struct column_schema *c = &s->columns[i];
        if (!c->ephemeral && change->old[i] != change->new[i]) {
            struct datum *d = as_diff ? datum_diff(change->old[i], change->new[i], &c->type)
                                      : datum_get(change->new[i]);
            put_column(c, d, first, t);
            datum_put(d, &c->type);
            first = false;
        }
    }
    text_put_char(t, '}');
}

/* Open vSwitch 3.1 cannot read a difference that has more elements than the column may have. */
static bool diff_is_readable(const struct db_change *change)
{
    const struct table_schema *s = change->row->table->schema;
    for (uint32_t i = N_STANDARD_COLUMNS; i < s->n_columns; i++) {
        const struct column_schema *c = &s->columns[i];
        if (!c->ephemeral && change->old[i] != change->new[i] && column_type_is_composite(&c->type) &&
            c->type.max != DB_UNLIMITED) {
            struct datum *diff = datum_diff(change->old[i], change->new[i], &c->type);
            bool fits = diff->n <= c->type.max;
            datum_put(diff, &c->type);
            if (!fits) {
                return false;
            }
        }
    }
    return true;
}

static bool is_durable_change(const struct db_change *c)
{
    if (!c->old || !c->new) {
        return true;
    }
    const struct table_schema *s = c->row->table->schema;
    for (uint32_t i = N_STANDARD_COLUMNS; i < s->n_columns; i++) {
        if (!s->columns[i].ephemeral && c->old[i] != c->new[i]) {
            return true;
        }
    }
    return false;
}

static int compare_by_table(const void *a_, const void *b_)
{
    const struct db_change *const *a = a_, *const *b = b_;
    uint32_t x = (*a)->row->table->schema->index, y = (*b)->row->table->schema->index;
    return x < y ? -1 : x > y;
}

static void put_head(int64_t now_ms, const char *comment, bool diff, struct text *t)
{
    text_printf(t, "{\"_date\":%"PRId64, now_ms);
    if (comment && *comment) {
        text_put(t, ",\"_comment\":");
        json_put_string(t, comment, strlen(comment));
    }
    if (diff) {
        text_put(t, ",\"_is_diff\":true");
    }
}

bool record_put_txn(const struct db_txn *txn, int64_t now_ms, struct text *t)
{
    size_t n = 0;
    bool modifies = false, diff = true;
    struct db_change **changes = xcalloc(list_size(&txn->changes) + 1, sizeof *changes);
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        if (is_durable_change(c)) {
            changes[n++] = c;
            if (c->old && c->new) {
                modifies = true;
                diff = diff && diff_is_readable(c);
            }
        }
    }
    if (n) {
        qsort(changes, n, sizeof *changes, compare_by_table);
        put_head(now_ms, text_str(&txn->comment), modifies && diff, t);
        const struct db_table *table = NULL;
        for (size_t i = 0; i < n; i++) {
            c = changes[i];
            if (c->row->table != table) {
                text_printf(t, "%s,\"%s\":{", table ? "}" : "", c->row->table->schema->name);
                table = c->row->table;
            } else {
                text_put_char(t, ',');
            }
            text_printf(t, "\""UUID_FMT"\":", UUID_ARGS(&c->row->uuid));
            if (!c->new) {
                text_put(t, "null");
            } else if (!c->old) {
                put_new_row(table->schema, c->new, t);
            } else {
                put_changed_row(table->schema, c, diff, t);
            }
        }
        text_put(t, "}}");
    }
    free(changes);
    return n > 0;
}

bool record_put_database(const struct database *db, int64_t now_ms, const char *comment, struct text *t)
{
    bool any = false;
    size_t start = t->len;
    put_head(now_ms, comment, false, t);
    for (uint32_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_table *table = &db->tables[i];
        bool first = true;
        struct db_row *row;
        DB_TABLE_FOR_EACH (row, table) {
            if (first) {
                text_printf(t, ",\"%s\":{", table->schema->name);
            } else {
                text_put_char(t, ',');
            }
            text_printf(t, "\""UUID_FMT"\":", UUID_ARGS(&row->uuid));
            put_new_row(table->schema, row->columns, t);
            first = false;
        }
        if (!first) {
            text_put_char(t, '}');
            any = true;
        }
    }
    text_put_char(t, '}');
    if (!any) {
        text_truncate(t, start);
    }
    return any;
}

/* Reading ------------------------------------------------------------------------------------------ */

static struct db_error *set_column(struct db_txn *txn, struct db_row *row, const struct column_schema *c,
                                   const json_t *j, bool diff)
{
    struct datum *d, *old = row->columns[c->index];
    diff &= column_type_is_composite(&c->type) && !datum_is_default(old, &c->type);
    struct db_error *e = diff ? datum_from_json_any_n(&d, &c->type, j, NULL)
                              : datum_from_json(&d, &c->type, j, NULL);
    if (!e && diff) {
        struct datum *new = NULL;
        e = datum_apply_diff(old, d, &c->type, &new);
        datum_put(d, &c->type);
        d = new;
    }
    if (!e) {
        db_txn_set(txn, row, c->index, d);
    }
    return e;
}

static struct db_error *apply_row(struct db_txn *txn, struct db_table *t, const char *key, const json_t *j,
                                  bool diff, enum record_mode mode)
{
    struct uuid uuid;
    if (!uuid_parse(key, &uuid)) {
        return db_error_syntax(NULL, "\"%s\" is not a UUID", key);
    }
    struct db_row *row = db_table_row(t, &uuid);
    if (json_is_null(j)) {
        if (!row) {
            return db_error_syntax(NULL, "deletes row %s, which does not exist", key);
        }
        db_txn_delete(txn, row);
        return NULL;
    }
    if (!json_is_object(j)) {
        return db_error_syntax(j, "row %s is neither an object nor null", key);
    }
    if (!row) {
        row = db_txn_insert(txn, t, &uuid);
        if (!row) {
            return db_error_syntax(NULL, "row %s is there twice", key);
        }
        diff = false;
    }
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) j, name, value) {
        const struct column_schema *c = table_schema_column(t->schema, name);
        if (!c || c->index < N_STANDARD_COLUMNS) {
            if (mode == RECORD_CONVERT) {
                continue;
            }
            return db_error_about(DB_E_UNKNOWN_COLUMN, NULL, "there is no column \"%s\"", name);
        }
        struct db_error *e = set_column(txn, row, c, value, diff);
        if (e) {
            return db_error_prefix(e, "row %s, column \"%s\"", key, name);
        }
    }
    return NULL;
}

static struct db_error *apply_table(struct db_txn *txn, const char *name, const json_t *j, bool diff,
                                    enum record_mode mode)
{
    struct db_table *t = database_table(txn->db, name);
    if (!t) {
        return mode == RECORD_CONVERT ? NULL
               : db_error_about(DB_E_UNKNOWN_TABLE, NULL, "there is no table \"%s\"", name);
    }
    if (!json_is_object(j)) {
        return db_error_syntax(j, "table \"%s\" is not an object", name);
    }
    const char *key;
    json_t *row;
    json_object_foreach ((json_t *) j, key, row) {
        struct db_error *e = apply_row(txn, t, key, row, diff, mode);
        if (e) {
            return db_error_prefix(e, "table \"%s\"", name);
        }
    }
    return NULL;
}

struct db_error *record_apply(struct database *db, const json_t *record, enum record_mode mode)
{
    struct db_txn *txn = db_txn_begin(db);
    bool diff = json_is_true(json_object_get(record, "_is_diff"));
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) record, name, value) {
        if (name[0] == '_') {   /* The date and such. */
            continue;
        }
        struct db_error *e = apply_table(txn, name, value, diff, mode);
        if (e) {
            db_txn_abort(txn);
            return e;
        }
    }
    struct db_error *e = mode == RECORD_CONVERT ? db_txn_commit(txn) : db_txn_commit_replayed(txn);
    if (!e) {
        db_txn_finish(txn);
    }
    return e;
}
