/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of distinct rows in some columns. */
#include "db/rowset.h"

#include <stdlib.h>

#include "db/datum.h"
#include "db/error.h"
#include "lib/base/alloc.h"
#include "lib/base/text.h"

struct db_error *column_list_from_json(struct column_list *list, const struct table_schema *table,
                                       const json_t *j)
{
    size_t n = json_array_size(j);
    *list = (struct column_list) { 0, NULL };
    if (n > table->n_columns) {
        return db_error_syntax(NULL, "%zu columns are named, table \"%s\" has %u", n, table->name,
                               table->n_columns);
    }
    list->columns = xcalloc(n + 1, sizeof *list->columns);
    for (size_t i = 0; i < n; i++) {
        const json_t *name = json_array_get(j, i);
        if (!json_is_string(name)) {
            column_list_fini(list);
            return db_error_syntax(j, "columns are named by strings");
        }
        const struct column_schema *c = table_schema_column(table, json_string_value(name));
        if (!c) {
            column_list_fini(list);
            return db_error_syntax(j, "table \"%s\" has no column \"%s\"", table->name,
                                   json_string_value(name));
        }
        for (size_t k = 0; k < list->n; k++) {
            if (list->columns[k] == c->index) {
                column_list_fini(list);
                return db_error_syntax(j, "column \"%s\" is named twice", c->name);
            }
        }
        list->columns[list->n++] = c->index;
    }
    return NULL;
}

void column_list_all(struct column_list *list, const struct table_schema *table)
{
    list->n = table->n_columns;
    list->columns = xcalloc(list->n, sizeof *list->columns);
    for (size_t i = 0; i < list->n; i++) {
        list->columns[i] = i;
    }
}

void column_list_fini(struct column_list *list)
{
    free(list->columns);
    *list = (struct column_list) { 0, NULL };
}

static const struct column_type *type_of(const struct rowset *set, size_t i)
{
    return &set->table->columns[set->columns.columns[i]].type;
}

static bool contains(const struct rowset *set, uint32_t hash, struct datum *const *data)
{
    struct rowset_row *row;
    HMAP_FOR_EACH_WITH_HASH (row, node, hash, &set->map) {
        size_t i = 0;
        while (i < set->columns.n && datum_equal(row->data[i], data[i], type_of(set, i))) {
            i++;
        }
        if (i == set->columns.n) {
            return true;
        }
    }
    return false;
}

void rowset_add(struct rowset *set, struct datum *const *columns)
{
    size_t n = set->columns.n;
    if (!set->rows) {
        hmap_init(&set->map);
    }
    struct rowset_row *row = xmalloc(sizeof *row + n * sizeof row->data[0]);
    uint32_t hash = 0;
    for (size_t i = 0; i < n; i++) {
        row->data[i] = columns[set->columns.columns[i]];
        hash = datum_hash(row->data[i], type_of(set, i), hash);
    }
    if (set->rows && contains(set, hash, row->data)) {
        free(row);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        datum_get(row->data[i]);
    }
    hmap_insert(&set->map, &row->node, hash);
    if (set->n >= set->allocated) {
        set->rows = xgrow(set->rows, &set->allocated, sizeof *set->rows);
    }
    set->rows[set->n++] = row;
}

void rowset_fini(struct rowset *set)
{
    for (size_t i = 0; i < set->n; i++) {
        for (size_t k = 0; k < set->columns.n; k++) {
            datum_put(set->rows[i]->data[k], type_of(set, k));
        }
        free(set->rows[i]);
    }
    if (set->rows) {
        hmap_fini(&set->map);
    }
    free(set->rows);
    set->rows = NULL;
    set->n = set->allocated = 0;
}

bool rowset_equal(const struct rowset *a, const struct rowset *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!contains(b, a->rows[i]->node.hash, a->rows[i]->data)) {
            return false;
        }
    }
    return true;
}

struct sort_by {
    const struct rowset *set;
    size_t n;
    size_t *positions;   /* In the set's columns. */
};

static int compare_rows(const void *a_, const void *b_, void *by_)
{
    const struct rowset_row *const *a = a_, *const *b = b_;
    const struct sort_by *by = by_;
    for (size_t i = 0; i < by->n; i++) {
        size_t k = by->positions[i];
        int c = datum_compare((*a)->data[k], (*b)->data[k], type_of(by->set, k));
        if (c) {
            return c;
        }
    }
    return 0;
}

void rowset_sort(struct rowset *set, const struct column_list *columns)
{
    struct sort_by by = { .set = set };
    by.positions = xcalloc(columns->n + 1, sizeof *by.positions);
    for (size_t i = 0; i < columns->n; i++) {
        for (size_t k = 0; k < set->columns.n; k++) {
            if (set->columns.columns[k] == columns->columns[i]) {
                by.positions[by.n++] = k;
            }
        }
    }
    if (set->n) {
        qsort_r(set->rows, set->n, sizeof *set->rows, compare_rows, &by);
    }
    free(by.positions);
}

void rowset_put_json(const struct rowset *set, struct text *t)
{
    text_put_char(t, '[');
    for (size_t i = 0; i < set->n; i++) {
        text_put(t, i ? ",{" : "{");
        for (size_t k = 0; k < set->columns.n; k++) {
            const struct column_schema *c = &set->table->columns[set->columns.columns[k]];
            text_printf(t, "%s\"%s\":", k ? "," : "", c->name);
            datum_put_json(set->rows[i]->data[k], &c->type, t);
        }
        text_put_char(t, '}');
    }
    text_put_char(t, ']');
}
