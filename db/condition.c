/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: parsing, evaluation, and finding rows. */
#include "db/condition.h"

#include <stdlib.h>

#include "db/error.h"
#include "db/txn.h"
#include "lib/base/alloc.h"

static const char *const function_names[] = {
    [CONDITION_LT] = "<",  [CONDITION_LE] = "<=", [CONDITION_EQ] = "==",
    [CONDITION_NE] = "!=", [CONDITION_GE] = ">=", [CONDITION_GT] = ">",
    [CONDITION_INCLUDES] = "includes", [CONDITION_EXCLUDES] = "excludes",
};

static bool is_relational(enum condition_function f)
{
    return f == CONDITION_LT || f == CONDITION_LE || f == CONDITION_GE || f == CONDITION_GT;
}

static struct db_error *clause_from_json(struct condition_clause *clause, const struct table_schema *table,
                                         const json_t *j, struct atom_symbols *symbols)
{
    *clause = (struct condition_clause) { .function = CONDITION_FALSE };
    if (json_is_boolean(j)) {
        clause->function = json_is_true(j) ? CONDITION_TRUE : CONDITION_FALSE;
        return NULL;
    }
    if (!json_is_array(j) || json_array_size(j) != 3 || !json_is_string(json_array_get(j, 0)) ||
        !json_is_string(json_array_get(j, 1))) {
        return db_error_syntax(j, "a condition is written [<column>, <function>, <value>]");
    }
    const char *name = json_string_value(json_array_get(j, 0));
    clause->column = table_schema_column(table, name);
    if (!clause->column) {
        return db_error_about(DB_E_UNKNOWN_COLUMN, j, "table \"%s\" has no column \"%s\"", table->name,
                              name);
    }
    const char *function = json_string_value(json_array_get(j, 1));
    for (size_t i = CONDITION_LT; i < ARRAY_SIZE(function_names); i++) {
        if (!strcmp(function, function_names[i])) {
            clause->function = i;
        }
    }
    if (clause->function == CONDITION_FALSE) {
        return db_error_about("unknown function", j, "\"%s\" is not a function: < <= == != >= > "
                              "includes excludes", function);
    }
    const struct column_type *type = &clause->column->type;
    const json_t *value = json_array_get(j, 2);
    if (is_relational(clause->function)) {
        if (column_type_is_map(type) || type->max != 1 ||
            (type->key.type != ATOM_INTEGER && type->key.type != ATOM_REAL)) {
            return db_error_syntax(j, "column \"%s\" is not a number, so \"%s\" cannot be applied to it",
                                   name, function);
        }
        struct column_type scalar = *type;
        scalar.min = 1;
        return datum_from_json(&clause->arg, &scalar, value, symbols);
    }
    if (clause->function == CONDITION_EQ || clause->function == CONDITION_NE ||
        column_type_is_scalar(type)) {
        return datum_from_json(&clause->arg, type, value, symbols);
    }
    struct column_type some = *type;
    some.min = 0;
    some.max = clause->function == CONDITION_INCLUDES ? type->max : DB_UNLIMITED;
    return datum_from_json(&clause->arg, &some, value, symbols);
}

struct db_error *condition_from_json(struct condition *c, const struct table_schema *table,
                                     const json_t *j, struct atom_symbols *symbols)
{
    *c = (struct condition) { .table = table };
    if (!json_is_array(j)) {
        return db_error_syntax(j, "\"where\" is an array of conditions");
    }
    size_t n = json_array_size(j);
    c->clauses = xcalloc(n + 1, sizeof *c->clauses);
    for (size_t i = 0; i < n; i++) {
        struct db_error *e = clause_from_json(&c->clauses[i], table, json_array_get(j, i), symbols);
        if (e) {
            condition_fini(c);
            return e;
        }
        c->n++;
    }
    return NULL;
}

void condition_fini(struct condition *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->clauses[i].arg) {
            datum_put(c->clauses[i].arg, &c->clauses[i].column->type);
        }
    }
    free(c->clauses);
    *c = (struct condition) { .table = c->table };
}

static bool clause_holds(const struct condition_clause *clause, struct datum *const *columns)
{
    if (!clause->column) {
        return clause->function == CONDITION_TRUE;
    }
    const struct datum *d = columns[clause->column->index];
    const struct column_type *type = &clause->column->type;
    if (is_relational(clause->function)) {
        if (!d->n) {
            return false;
        }
        int c = atom_compare(&d->atoms[0], &clause->arg->atoms[0], type->key.type);
        return clause->function == CONDITION_LT ? c < 0
               : clause->function == CONDITION_LE ? c <= 0
               : clause->function == CONDITION_GE ? c >= 0 : c > 0;
    }
    switch (clause->function) {
    case CONDITION_EQ:
        return datum_equal(d, clause->arg, type);
    case CONDITION_NE:
        return !datum_equal(d, clause->arg, type);
    case CONDITION_INCLUDES:
        return datum_includes_all(d, clause->arg, type);
    case CONDITION_EXCLUDES:
        return datum_excludes_all(d, clause->arg, type);
    default:
        return false;
    }
}

bool condition_holds(const struct condition *c, struct datum *const *columns)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!clause_holds(&c->clauses[i], columns)) {
            return false;
        }
    }
    return true;
}

bool condition_any_holds(const struct condition *c, struct datum *const *columns)
{
    for (size_t i = 0; i < c->n; i++) {
        if (clause_holds(&c->clauses[i], columns)) {
            return true;
        }
    }
    return !c->n;
}

/* Finding ---------------------------------------------------------------------------------------- */

struct found {
    struct db_row **rows;
    size_t n, allocated;
};

static void add_if(struct found *found, const struct condition *c, struct db_row *row)
{
    if (!row->deleted && condition_holds(c, row->columns)) {
        if (found->n >= found->allocated) {
            found->rows = xgrow(found->rows, &found->allocated, sizeof *found->rows);
        }
        found->rows[found->n++] = row;
    }
}

static const struct datum *equal_to(const struct condition *c, uint32_t column)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->clauses[i].function == CONDITION_EQ && c->clauses[i].column->index == column) {
            return c->clauses[i].arg;
        }
    }
    return NULL;
}

/* Whether the condition fixes all columns of the index; then their values are put into 'columns'. */
static bool fixes_index(const struct condition *c, const struct index_schema *index,
                        struct datum **columns)
{
    for (uint32_t i = 0; i < index->n_columns; i++) {
        columns[index->columns[i]] = (struct datum *) equal_to(c, index->columns[i]);
        if (!columns[index->columns[i]]) {
            return false;
        }
    }
    return true;
}

static bool find_by_index(const struct condition *c, const struct db_table *t, struct found *found)
{
    if (!t->schema->n_indexes || !c->n) {
        return false;
    }
    struct datum **columns = xcalloc(t->schema->n_columns, sizeof *columns);
    bool used = false;
    for (uint32_t i = 0; i < t->schema->n_indexes && !used; i++) {
        used = fixes_index(c, &t->schema->indexes[i], columns);
        if (used) {
            uint32_t hash = db_index_hash(t, &t->schema->indexes[i], columns);
            struct db_row *row;
            HMAP_FOR_EACH_WITH_HASH (row, indexes[i], hash, &t->indexes[i]) {
                if (!row->change) {
                    add_if(found, c, row);
                }
            }
        }
    }
    free(columns);
    if (used && t->db->txn) {
        /* The index has committed rows; those that the open transaction changed are looked at here. */
        struct db_change *change;
        LIST_FOR_EACH (change, node, &t->db->txn->changes) {
            if (change->row->table == t) {
                add_if(found, c, change->row);
            }
        }
    }
    return used;
}

size_t condition_find(const struct condition *c, const struct db_table *t, struct db_row ***rows)
{
    struct found found = { NULL, 0, 0 };
    const struct datum *uuid = equal_to(c, COLUMN_UUID);
    if (uuid) {
        struct db_row *row = db_table_row(t, &uuid->atoms[0].uuid);
        if (row) {
            add_if(&found, c, row);
        }
    } else if (!find_by_index(c, t, &found)) {
        struct db_row *row;
        DB_TABLE_FOR_EACH (row, t) {
            add_if(&found, c, row);
        }
    }
    *rows = found.rows;
    return found.n;
}
