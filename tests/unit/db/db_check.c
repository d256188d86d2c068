/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the database share. */
#include "tests/unit/db/db_check.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "tests/unit/unit.h"

const char test_schema[] =
    "{\"name\":\"test\",\"version\":\"1.2.3\",\"tables\":{"
    "\"root\":{\"isRoot\":true,\"maxRows\":40,\"indexes\":[[\"name\"]],\"columns\":{"
    "\"name\":{\"type\":\"string\"},"
    "\"n\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":0,\"maxInteger\":100}}},"
    "\"set\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"fixed\":{\"type\":\"string\",\"mutable\":false},"
    "\"passing\":{\"type\":\"integer\",\"ephemeral\":true},"
    "\"leaves\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"leaf\"},\"min\":0,"
    "\"max\":\"unlimited\"}},"
    "\"by_number\":{\"type\":{\"key\":\"integer\",\"value\":{\"type\":\"uuid\",\"refTable\":\"leaf\"},"
    "\"min\":0,\"max\":\"unlimited\"}},"
    "\"likes\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"leaf\",\"refType\":\"weak\"},"
    "\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"leaf\":{\"columns\":{"
    "\"name\":{\"type\":\"string\"},"
    "\"next\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"leaf\"},\"min\":0,\"max\":1}},"
    "\"home\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"root\",\"refType\":\"weak\"},"
    "\"min\":0,\"max\":1}}}}}}";

struct database *test_database(void)
{
    struct schema *schema;
    struct error *e = schema_from_text(&schema, test_schema);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    return database_create(schema);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

char *dump_database(const struct database *db)
{
    char **lines = xcalloc(database_count_rows(db) + 1, sizeof *lines);
    size_t n = 0;
    for (uint32_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_table *t = &db->tables[i];
        struct db_row *row;
        DB_TABLE_FOR_EACH (row, t) {
            struct text line = TEXT_INIT;
            text_printf(&line, "%s "UUID_FMT, t->schema->name, UUID_ARGS(&row->uuid));
            for (uint32_t c = N_STANDARD_COLUMNS; c < t->schema->n_columns; c++) {
                text_printf(&line, " %s=", t->schema->columns[c].name);
                datum_put_json(row->columns[c], &t->schema->columns[c].type, &line);
            }
            lines[n++] = text_steal(&line);
        }
    }
    qsort(lines, n, sizeof *lines, compare_lines);
    struct text all = TEXT_INIT;
    text_put(&all, "");
    for (size_t i = 0; i < n; i++) {
        text_printf(&all, "%s\n", lines[i]);
        free(lines[i]);
    }
    free(lines);
    char *s = xstrdup(text_str(&all));
    text_fini(&all);
    return s;
}

/* How often any row of 'db' refers to 'target' by references of that strength; sources count once a column element,
 * and its own strong references do not count. */
static size_t count_references(const struct database *db, const struct db_row *target, bool weak)
{
    size_t n = 0;
    for (uint32_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_table *t = &db->tables[i];
        struct db_row *row;
        DB_TABLE_FOR_EACH (row, t) {
            for (uint32_t c = 0; c < t->schema->n_columns; c++) {
                const struct column_schema *column = &t->schema->columns[c];
                const struct datum *d = row->columns[c];
                for (uint32_t k = 0; k < d->n; k++) {
                    if (!weak && row == target) {
                        continue;
                    }
                    n += column->key_ref == target->table->schema && column->type.key.weak == weak &&
                         uuid_equal(&datum_key(d, k)->uuid, &target->uuid);
                    n += column->value_ref == target->table->schema && column->type.value.weak == weak &&
                         uuid_equal(&datum_value(d, k)->uuid, &target->uuid);
                }
            }
        }
    }
    return n;
}

static void check_target(const struct db_table *to, const union atom *a)
{
    ck_assert_msg(db_table_row(to, &a->uuid), "a reference to a row that does not exist");
}

static void check_row(const struct database *db, const struct db_row *row)
{
    const struct db_table *t = row->table;
    ck_assert(!row->deleted && !row->refs_saved && !row->change);
    ck_assert_uint_eq(row->n_refs, count_references(db, row, false));
    ck_assert(t->schema->is_root || row->n_refs);
    size_t n_in = 0;
    for (const struct weak_link *l = row->weak_in; l; l = l->next_in) {
        n_in++;
    }
    ck_assert_uint_eq(n_in, count_references(db, row, true));
    for (uint32_t c = 0; c < t->schema->n_columns; c++) {
        const struct column_schema *column = &t->schema->columns[c];
        const struct datum *d = row->columns[c];
        ck_assert_uint_ge(d->n, column->type.min);
        ck_assert_uint_le(d->n, column->type.max);
        for (uint32_t k = 0; k < d->n; k++) {
            ck_assert(!k || atom_compare(&d->atoms[k - 1], &d->atoms[k], column->type.key.type) < 0);
            if (column->key_ref) {
                check_target(db_table_ref(t, column->key_ref), datum_key(d, k));
            }
            if (column->value_ref) {
                check_target(db_table_ref(t, column->value_ref), datum_value(d, k));
            }
        }
    }
    for (uint32_t i = 0; i < t->schema->n_indexes; i++) {
        const struct index_schema *index = &t->schema->indexes[i];
        struct db_row *other;
        size_t n = 0;
        HMAP_FOR_EACH_WITH_HASH (other, indexes[i], db_index_hash(t, index, row->columns),
                                 &t->indexes[i]) {
            n += db_index_equal(t, index, row->columns, other->columns);
        }
        ck_assert_uint_eq(n, 1);
    }
}

void check_invariants(const struct database *db)
{
    ck_assert_ptr_null(db->txn);
    for (uint32_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_table *t = &db->tables[i];
        ck_assert_uint_eq(t->n_deleted, 0);
        ck_assert_uint_le(db_table_count(t), t->schema->max_rows);
        for (uint32_t k = 0; k < t->schema->n_indexes; k++) {
            ck_assert_uint_eq(hmap_count(&t->indexes[k]), db_table_count(t));
        }
        struct db_row *row;
        HMAP_FOR_EACH (row, node, &t->rows) {
            check_row(db, row);
        }
    }
}

void run_request(struct database *db, const char *params, struct execute_outcome *out)
{
    char *text = xstrdup(params);
    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_error_t problem;
    json_t *j = json_loads(text, 0, &problem);
    ck_assert_msg(j, "%s in %s", problem.text, text);
    struct execute_env env = { .elapsed_ms = INT64_MAX };
    execute(db, j, &env, out);
    json_decref(j);
    free(text);
}

char *run(struct database *db, const char *params)
{
    struct execute_outcome out;
    run_request(db, params, &out);
    if (out.txn) {
        db_txn_finish(out.txn);
    }
    char *s = xstrdup(text_str(&out.result));
    text_fini(&out.result);
    return s;
}
