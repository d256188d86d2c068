/* SPDX-License-Identifier: Apache-2.0 */
/* The database in memory: tables, rows, indexes, weak references. */
#include "db/table.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"

static uint32_t row_hash(const struct uuid *uuid)
{
    return hash_bytes(uuid, sizeof *uuid, 0);   /* Clients may choose UUIDs. */
}

struct database *database_create(struct schema *schema)
{
    struct database *db = xzalloc(sizeof *db);
    db->schema = schema;
    db->tables = xcalloc(schema->n_tables + 1, sizeof *db->tables);
    for (uint32_t i = 0; i < schema->n_tables; i++) {
        struct db_table *t = &db->tables[i];
        t->schema = &schema->tables[i];
        t->db = db;
        hmap_init(&t->rows);
        t->indexes = xcalloc(t->schema->n_indexes + 1, sizeof *t->indexes);
        for (uint32_t k = 0; k < t->schema->n_indexes; k++) {
            hmap_init(&t->indexes[k]);
        }
    }
    return db;
}

void database_destroy(struct database *db)
{
    if (!db) {
        return;
    }
    for (uint32_t i = 0; i < db->schema->n_tables; i++) {
        struct db_table *t = &db->tables[i];
        struct db_row *row;
        HMAP_FOR_EACH (row, node, &t->rows) {
            row->weak_in = NULL;
            while (row->weak_out) {
                struct weak_link *next = row->weak_out->next_out;
                free(row->weak_out);
                row->weak_out = next;
            }
            db_row_free(row);
        }
        hmap_fini(&t->rows);
        for (uint32_t k = 0; k < t->schema->n_indexes; k++) {
            hmap_fini(&t->indexes[k]);
        }
        free(t->indexes);
    }
    free(db->tables);
    schema_destroy(db->schema);
    free(db);
}

struct db_table *database_table(const struct database *db, const char *name)
{
    struct table_schema *t = schema_table(db->schema, name);
    return t ? &db->tables[t->index] : NULL;
}

size_t database_count_rows(const struct database *db)
{
    size_t n = 0;
    for (uint32_t i = 0; i < db->schema->n_tables; i++) {
        n += db_table_count(&db->tables[i]);
    }
    return n;
}

size_t database_count_atoms(const struct database *db)
{
    size_t n = 0;
    for (uint32_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_table *t = &db->tables[i];
        struct db_row *row;
        DB_TABLE_FOR_EACH (row, t) {
            for (uint32_t c = 0; c < t->schema->n_columns; c++) {
                n += row->columns[c]->n * (column_type_is_map(&t->schema->columns[c].type) ? 2 : 1);
            }
        }
    }
    return n;
}

struct db_row *db_table_row_any(const struct db_table *t, const struct uuid *uuid)
{
    struct db_row *row;
    HMAP_FOR_EACH_WITH_HASH (row, node, row_hash(uuid), &t->rows) {
        if (uuid_equal(&row->uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

struct db_row *db_table_row(const struct db_table *t, const struct uuid *uuid)
{
    struct db_row *row = db_table_row_any(t, uuid);
    return row && !row->deleted ? row : NULL;
}

uint32_t db_index_hash(const struct db_table *t, const struct index_schema *index,
                       struct datum *const *columns)
{
    uint32_t hash = 0;
    for (uint32_t i = 0; i < index->n_columns; i++) {
        uint32_t c = index->columns[i];
        hash = datum_hash(columns[c], &t->schema->columns[c].type, hash);
    }
    return hash;
}

bool db_index_equal(const struct db_table *t, const struct index_schema *index,
                    struct datum *const *a, struct datum *const *b)
{
    for (uint32_t i = 0; i < index->n_columns; i++) {
        uint32_t c = index->columns[i];
        if (!datum_equal(a[c], b[c], &t->schema->columns[c].type)) {
            return false;
        }
    }
    return true;
}

struct db_row *db_row_alloc(struct db_table *t, const struct uuid *uuid)
{
    struct db_row *row = xzalloc(sizeof *row + t->schema->n_indexes * sizeof row->indexes[0]);
    row->uuid = *uuid;
    row->table = t;
    row->columns = xmalloc(t->schema->n_columns * sizeof *row->columns);
    row->columns[COLUMN_UUID] = datum_of_uuid(uuid);
    for (uint32_t i = COLUMN_UUID + 1; i < t->schema->n_columns; i++) {
        row->columns[i] = datum_get(t->schema->columns[i].initial);
    }
    hmap_insert(&t->rows, &row->node, row_hash(uuid));
    return row;
}

void db_row_free(struct db_row *row)
{
    db_columns_free(row->table, row->columns);
    free(row);
}

struct datum **db_columns_copy(const struct db_table *t, struct datum *const *from)
{
    struct datum **columns = xmalloc(t->schema->n_columns * sizeof *columns);
    for (uint32_t i = 0; i < t->schema->n_columns; i++) {
        columns[i] = datum_get(from[i]);
    }
    return columns;
}

void db_columns_free(const struct db_table *t, struct datum **columns)
{
    if (columns) {
        for (uint32_t i = 0; i < t->schema->n_columns; i++) {
            datum_put(columns[i], &t->schema->columns[i].type);
        }
        free(columns);
    }
}

static void link_to(struct db_row *source, const struct db_table *to, const union atom *uuid)
{
    struct db_row *target = db_table_row_any(to, &uuid->uuid);
    if (!target) {
        return;
    }
    struct weak_link *link = xmalloc(sizeof *link);
    link->source = source;
    link->next_out = source->weak_out;
    source->weak_out = link;
    link->next_in = target->weak_in;
    link->prev_in = &target->weak_in;
    if (link->next_in) {
        link->next_in->prev_in = &link->next_in;
    }
    target->weak_in = link;
}

void db_row_relink(struct db_row *row, bool make)
{
    while (row->weak_out) {
        struct weak_link *link = row->weak_out;
        row->weak_out = link->next_out;
        *link->prev_in = link->next_in;
        if (link->next_in) {
            link->next_in->prev_in = link->prev_in;
        }
        free(link);
    }
    const struct table_schema *schema = row->table->schema;
    if (!make || !schema->has_weak) {
        return;
    }
    for (uint32_t c = 0; c < schema->n_columns; c++) {
        const struct column_schema *column = &schema->columns[c];
        const struct datum *d = row->columns[c];
        if (base_type_is_weak_ref(&column->type.key)) {
            for (uint32_t i = 0; i < d->n; i++) {
                link_to(row, db_table_ref(row->table, column->key_ref), datum_key(d, i));
            }
        }
        if (base_type_is_weak_ref(&column->type.value)) {
            for (uint32_t i = 0; i < d->n; i++) {
                link_to(row, db_table_ref(row->table, column->value_ref), datum_value(d, i));
            }
        }
    }
}
