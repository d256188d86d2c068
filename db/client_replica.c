/* SPDX-License-Identifier: Apache-2.0 */
/* The client's replica: rows from the server's updates, and what changed. */
#include <errno.h>
#include <stdlib.h>

#include "db/client_private.h"
#include "db/client_typed.h"
#include "db/error.h"
#include "db/schema.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/sys/log.h"

LOG_MODULE(db_client);

#define BIT(I) (UINT64_C(1) << (I))

/* Schema ----------------------------------------------------------------------------------------- */

const struct dbc_table *dbc_schema_table(const struct dbc_schema *schema, const char *name)
{
    for (unsigned i = 0; i < schema->n_tables; i++) {
        if (!strcmp(schema->tables[i]->name, name)) {
            return schema->tables[i];
        }
    }
    return NULL;
}

const struct dbc_column *dbc_table_column(const struct dbc_table *table, const char *name)
{
    for (unsigned i = 0; i < table->n_columns; i++) {
        if (!strcmp(table->columns[i].name, name)) {
            return &table->columns[i];
        }
    }
    return NULL;
}

struct column_type dbc_keys_type(const struct dbc_column *c)
{
    struct column_type type = { .key = c->type.key, .max = DB_UNLIMITED };
    type.value.type = ATOM_VOID;
    return type;
}

/* A column of another type is as good as absent. */
static bool column_fits(const struct dbc_column *c, const json_t *json)
{
    struct column_type type;
    struct db_error *e = column_type_from_json(&type, json_object_get(json, "type"));
    if (e) {
        db_error_free(e);
        return false;
    }
    bool fits = type.key.type == c->type.key.type && type.value.type == c->type.value.type &&
                column_type_is_composite(&type) == column_type_is_composite(&c->type);
    column_type_fini(&type);
    if (!fits) {
        LOG_WARN("%s.%s: the server has another type for this column; not using it",
                 c->table->name, c->name);
    }
    return fits;
}

struct error *dbc_replica_set_server_schema(struct dbc_replica *r, const json_t *json)
{
    const json_t *tables = json_object_get(json, "tables");
    if (!json_is_object(tables)) {
        return error_new(EPROTO, "the server's schema has no tables");
    }
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        const struct dbc_table *table = r->schema->tables[i];
        struct dbc_table_state *state = &r->tables[i];
        const json_t *columns = json_object_get(json_object_get(tables, table->name), "columns");
        state->is_present = json_is_object(columns);
        state->present = 0;
        for (unsigned j = 0; j < table->n_columns; j++) {
            const json_t *column = json_object_get(columns, table->columns[j].name);
            if (column && column_fits(&table->columns[j], column)) {
                state->present |= BIT(j);
            }
        }
    }
    return NULL;
}

json_t *dbc_replica_monitor_requests(const struct dbc_replica *r)
{
    json_t *requests = json_object();
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        const struct dbc_table *table = r->schema->tables[i];
        const struct dbc_table_state *state = &r->tables[i];
        if (!state->is_monitored || !state->is_present) {
            continue;
        }
        json_t *columns = json_array();
        for (unsigned j = 0; j < table->n_columns; j++) {
            if (state->monitored & state->present & BIT(j)) {
                json_array_append_new(columns, json_string(table->columns[j].name));
            }
        }
        json_object_set_new(requests, table->name, json_pack("[{s:o}]", "columns", columns));
    }
    return requests;
}

/* Life ------------------------------------------------------------------------------------------- */

void dbc_replica_init(struct dbc_replica *r, const struct dbc_schema *schema)
{
    *r = (struct dbc_replica) { .schema = schema };
    r->tables = xcalloc(schema->n_tables, sizeof *r->tables);
    for (unsigned i = 0; i < schema->n_tables; i++) {
        struct dbc_table_state *t = &r->tables[i];
        hmap_init(&t->rows);
        hmap_init(&t->by_index);
        list_init(&t->changed);
        list_init(&t->gone);
        const struct dbc_table *table = schema->tables[i];
        t->defaults = xcalloc(table->n_columns, sizeof *t->defaults);
        for (unsigned j = 0; j < table->n_columns; j++) {
            t->defaults[j] = datum_default(&table->columns[j].type);
        }
    }
}

struct dbc_row *dbc_row_create(const struct dbc_replica *r, const struct dbc_table *table,
                               const struct uuid *uuid)
{
    struct dbc_row *row = xzalloc(table->row_size);
    row->uuid = *uuid;
    row->table = table;
    list_init(&row->in_changed);
    row->data = xcalloc(table->n_columns, sizeof *row->data);
    for (unsigned i = 0; i < table->n_columns; i++) {
        row->data[i] = datum_get(dbc_replica_table(r, table)->defaults[i]);
    }
    dbc_row_init_members(row);
    return row;
}

void dbc_row_destroy(struct dbc_row *row)
{
    dbc_row_fini_members(row);
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        datum_put(row->data[i], &row->table->columns[i].type);
    }
    free(row->data);
    list_remove(&row->in_changed);
    free(row);
}

void dbc_replica_fini(struct dbc_replica *r)
{
    dbc_replica_track_clear(r);
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        struct dbc_table_state *t = &r->tables[i];
        struct dbc_row *row;
        HMAP_FOR_EACH (row, by_uuid, &t->rows) {
            dbc_row_destroy(row);
        }
        hmap_fini(&t->rows);
        hmap_fini(&t->by_index);
        const struct dbc_table *table = r->schema->tables[i];
        for (unsigned j = 0; j < table->n_columns; j++) {
            datum_put(t->defaults[j], &table->columns[j].type);
        }
        free(t->defaults);
    }
    free(r->tables);
    free(r->dirty.rows);
    free(r->deleted.rows);
}

void dbc_replica_track_clear(struct dbc_replica *r)
{
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        struct dbc_table_state *t = &r->tables[i];
        while (!list_is_empty(&t->gone)) {
            dbc_row_destroy(LIST_ENTRY(list_pop_front(&t->gone), struct dbc_row, in_changed));
        }
        while (!list_is_empty(&t->changed)) {
            struct dbc_row *row = LIST_ENTRY(list_pop_front(&t->changed), struct dbc_row, in_changed);
            row->is_new = false;
            row->changed_columns = 0;
            if (row->is_deleted) {
                dbc_row_destroy(row);
            }
        }
    }
}

/* Rows ------------------------------------------------------------------------------------------- */

struct dbc_row *dbc_replica_get(const struct dbc_replica *r, const struct dbc_table *table,
                                const struct uuid *uuid)
{
    struct dbc_row *row;
    HMAP_FOR_EACH_WITH_HASH (row, by_uuid, uuid_hash(uuid), &dbc_replica_table(r, table)->rows) {
        if (uuid_equal(&row->uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

static struct dbc_row *look_up(const struct dbc_table *table, const struct uuid *uuid, void *r)
{
    return dbc_replica_get(r, table, uuid);
}

static void add_row(struct dbc_rows *rows, struct dbc_row *row)
{
    if (rows->n == rows->allocated) {
        rows->rows = xgrow(rows->rows, &rows->allocated, sizeof *rows->rows);
    }
    rows->rows[rows->n++] = row;
}

static void index_insert(struct dbc_replica *r, struct dbc_row *row)
{
    const struct dbc_column *c = row->table->index_column;
    if (c) {
        const struct datum *d = row->data[c->index];
        hmap_insert(&dbc_replica_table(r, row->table)->by_index, &row->by_index,
                    hash_string(d->n ? atom_string(datum_key(d, 0)) : "", 0));
    }
}

static void index_remove(struct dbc_replica *r, struct dbc_row *row)
{
    if (row->table->index_column) {
        hmap_remove(&dbc_replica_table(r, row->table)->by_index, &row->by_index);
    }
}

static void note_change(struct dbc_replica *r, struct dbc_row *row)
{
    struct dbc_table_state *t = dbc_replica_table(r, row->table);
    t->seqno = ++r->seqno;
    if (list_is_empty(&row->in_changed)) {
        list_push_back(&t->changed, &row->in_changed);
    }
}

static struct dbc_row *insert_row(struct dbc_replica *r, const struct dbc_table *table,
                                  const struct uuid *uuid)
{
    struct dbc_row *row = dbc_row_create(r, table, uuid);
    index_insert(r, row);
    hmap_insert(&dbc_replica_table(r, table)->rows, &row->by_uuid, uuid_hash(uuid));
    row->is_new = true;
    r->has_inserted = true;
    note_change(r, row);
    return row;
}

static void set_dangling(struct dbc_replica *r, struct dbc_row *row, bool dangling)
{
    r->n_dangling += dangling - row->is_dangling;
    row->is_dangling = dangling;
}

/* Takes 'd'. */
static void set_column(struct dbc_replica *r, struct dbc_row *row, const struct dbc_column *c,
                       struct datum *d)
{
    struct datum *old = row->data[c->index];
    if (datum_equal(old, d, &c->type)) {
        datum_put(d, &c->type);
        return;
    }
    bool is_index = c == row->table->index_column;
    if (is_index) {
        index_remove(r, row);
    }
    row->data[c->index] = d;
    if (is_index) {
        index_insert(r, row);
    }
    if (!row->dirty_columns) {
        add_row(&r->dirty, row);
    }
    row->dirty_columns |= BIT(c->index);
    /* The member points into the old datum until resolve(), which runs before anybody looks at it. */
    datum_put(old, &c->type);
    if (!(dbc_replica_table(r, row->table)->quiet & BIT(c->index))) {
        row->changed_columns |= BIT(c->index);
        note_change(r, row);
    }
}

static void fill_columns(struct dbc_replica *r, struct dbc_row *row, uint64_t columns)
{
    bool was = row->is_dangling;
    /* A row that was dangling looks at all of its references again. */
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        const struct dbc_column *c = &row->table->columns[i];
        if (columns & BIT(i) || (was && (c->key_ref || c->value_ref))) {
            columns |= BIT(i);
        }
    }
    row->is_dangling = false;
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        if (columns & BIT(i)) {
            dbc_row_fill_member(row, &row->table->columns[i], look_up, r);
        }
    }
    bool is = row->is_dangling;
    row->is_dangling = was;
    set_dangling(r, row, is);
    row->dirty_columns = 0;
}

/* The row stays as it is, for its user to look at, until tracking is cleared. */
static void delete_row(struct dbc_replica *r, struct dbc_row *row)
{
    struct dbc_table_state *t = dbc_replica_table(r, row->table);
    if (row->dirty_columns) {
        fill_columns(r, row, row->dirty_columns);
    }
    hmap_remove(&t->rows, &row->by_uuid);
    index_remove(r, row);
    dbc_row_release_references(row);
    set_dangling(r, row, false);
    row->is_deleted = true;
    add_row(&r->deleted, row);
    note_change(r, row);
    if (row->is_new) {
        list_remove(&row->in_changed);
        list_push_back(&t->gone, &row->in_changed);
    }
}

/* Makes again the references of all rows, or of the dangling ones. */
static void fill_references(struct dbc_replica *r, bool only_dangling)
{
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        const struct dbc_table *table = r->schema->tables[i];
        uint64_t references = 0;
        for (unsigned j = 0; j < table->n_columns; j++) {
            if (table->columns[j].key_ref || table->columns[j].value_ref) {
                references |= BIT(j);
            }
        }
        struct dbc_row *row;
        HMAP_FOR_EACH (row, by_uuid, &r->tables[i].rows) {
            if (references && (!only_dangling || row->is_dangling)) {
                fill_columns(r, row, references);
            }
        }
    }
}

/* After the rows of a message are in: makes the members that changed, and lets no pointer to a deleted row
 * stay. Well-behaved servers change or delete each row that refers to a deleted one. */
static void resolve(struct dbc_replica *r)
{
    for (size_t i = 0; i < r->dirty.n; i++) {
        struct dbc_row *row = r->dirty.rows[i];
        if (!row->is_deleted) {
            fill_columns(r, row, row->dirty_columns);
        }
    }
    r->dirty.n = 0;
    bool stale = false;
    for (size_t i = 0; i < r->deleted.n; i++) {
        stale |= r->deleted.rows[i]->n_referrers != 0;
    }
    r->deleted.n = 0;
    if (stale) {
        LOG_WARN("the server deleted rows that other rows refer to");
        fill_references(r, false);
    } else if (r->has_inserted && r->n_dangling) {
        fill_references(r, true);
    }
    r->has_inserted = false;
}

/* Updates ---------------------------------------------------------------------------------------- */

static struct error *take_error(struct db_error *e, const struct dbc_column *c)
{
    struct text t = TEXT_INIT;
    db_error_put_text(e, &t);
    struct error *error = error_new(EPROTO, "%s.%s: %s", c->table->name, c->name, text_str(&t));
    text_fini(&t);
    db_error_free(e);
    return error;
}

static struct error *update_column(struct dbc_replica *r, struct dbc_row *row,
                                   const struct dbc_column *c, const json_t *json, bool is_diff)
{
    struct datum *d;
    struct db_error *e = datum_from_json_any_n(&d, &c->type, json, NULL);
    if (e) {
        return take_error(e, c);
    }
    if (is_diff) {
        struct datum *new;
        e = datum_apply_diff(row->data[c->index], d, &c->type, &new);
        datum_put(d, &c->type);
        if (e) {
            return take_error(e, c);
        }
        d = new;
    }
    set_column(r, row, c, d);
    return NULL;
}

/* 'rest_is_default': columns that 'columns' does not name have their defaults. */
static struct error *update_row(struct dbc_replica *r, struct dbc_row *row, json_t *columns,
                                bool is_diff, bool rest_is_default)
{
    if (!json_is_object(columns)) {
        return error_new(EPROTO, "table %s: an update of a row has no columns", row->table->name);
    }
    struct dbc_table_state *t = dbc_replica_table(r, row->table);
    uint64_t named = 0;
    const char *name;
    json_t *value;
    json_object_foreach(columns, name, value) {
        const struct dbc_column *c = dbc_table_column(row->table, name);
        if (!c || !(t->present & t->monitored & BIT(c->index))) {
            continue;   /* "_version" and the like. */
        }
        struct error *e = update_column(r, row, c, value, is_diff);
        if (e) {
            return e;
        }
        named |= BIT(c->index);
    }
    for (unsigned i = 0; rest_is_default && i < row->table->n_columns; i++) {
        if (!(named & BIT(i))) {
            set_column(r, row, &row->table->columns[i], datum_get(t->defaults[i]));
        }
    }
    return NULL;
}

struct row_update {
    const struct dbc_table *table;
    struct uuid uuid;
    struct dbc_row *row;   /* NULL if the replica has none. */
};

static struct dbc_row *existing_or_new(struct dbc_replica *r, struct row_update *u)
{
    if (!u->row) {
        u->row = insert_row(r, u->table, &u->uuid);
    }
    u->row->is_seen = true;
    return u->row;
}

static struct error *unknown_row(const struct row_update *u)
{
    return error_new(EPROTO, "table %s: the server changed row "UUID_FMT", which it did not announce",
                     u->table->name, UUID_ARGS(&u->uuid));
}

static struct error *update1(struct dbc_replica *r, struct row_update *u, json_t *json)
{
    json_t *new = json_object_get(json, "new");
    if (new) {
        bool is_new = !u->row;
        return update_row(r, existing_or_new(r, u), new, false, is_new);
    }
    if (!json_object_get(json, "old") || !u->row) {
        return unknown_row(u);
    }
    delete_row(r, u->row);
    return NULL;
}

static struct error *update2(struct dbc_replica *r, struct row_update *u, json_t *json)
{
    json_t *columns;
    if ((columns = json_object_get(json, "initial")) || (columns = json_object_get(json, "insert"))) {
        return update_row(r, existing_or_new(r, u), columns, false, true);
    }
    if (!u->row) {
        return unknown_row(u);
    }
    if ((columns = json_object_get(json, "modify"))) {
        return update_row(r, u->row, columns, true, false);
    }
    if (json_object_get(json, "delete")) {
        delete_row(r, u->row);
        return NULL;
    }
    return error_new(EPROTO, "table %s: an update of a row is neither initial, insert, modify nor "
                     "delete", u->table->name);
}

static struct error *update_table(struct dbc_replica *r, const struct dbc_table *table,
                                  enum dbc_update_version version, json_t *rows)
{
    if (!json_is_object(rows)) {
        return error_new(EPROTO, "table %s: its update is no object", table->name);
    }
    const char *uuid;
    json_t *json;
    json_object_foreach(rows, uuid, json) {
        struct row_update u = { .table = table };
        if (strlen(uuid) != UUID_LEN || !uuid_parse(uuid, &u.uuid) || !json_is_object(json)) {
            return error_new(EPROTO, "table %s: an update of a row is malformed", table->name);
        }
        u.row = dbc_replica_get(r, table, &u.uuid);
        struct error *e = version == DBC_UPDATE ? update1(r, &u, json) : update2(r, &u, json);
        if (e) {
            return e;
        }
    }
    return NULL;
}

static void mark_unseen(struct dbc_replica *r)
{
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        struct dbc_row *row;
        HMAP_FOR_EACH (row, by_uuid, &r->tables[i].rows) {
            row->is_seen = false;
        }
    }
}

static void delete_unseen(struct dbc_replica *r)
{
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        struct dbc_row *row;
        HMAP_FOR_EACH (row, by_uuid, &r->tables[i].rows) {
            if (!row->is_seen) {
                delete_row(r, row);
            }
        }
    }
}

struct error *dbc_replica_update(struct dbc_replica *r, enum dbc_update_version version,
                                 const json_t *json, bool is_dump)
{
    if (!json_is_object(json)) {
        return error_new(EPROTO, "an update is no object");
    }
    if (is_dump) {
        mark_unseen(r);
    }
    struct error *e = NULL;
    const char *name;
    json_t *rows;
    json_object_foreach((json_t *) json, name, rows) {
        const struct dbc_table *table = dbc_schema_table(r->schema, name);
        if (!table || !dbc_replica_table(r, table)->is_monitored) {
            e = error_new(EPROTO, "an update for table \"%.64s\", which was not asked for", name);
        } else {
            e = update_table(r, table, version, rows);
        }
        if (e) {
            break;
        }
    }
    if (is_dump && !e) {
        delete_unseen(r);
    }
    resolve(r);
    return e;
}
