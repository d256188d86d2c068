/* SPDX-License-Identifier: Apache-2.0 */
/* Mutations: parsing and carrying out. */
#include "db/mutation.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "db/error.h"
#include "lib/base/alloc.h"

static const char *const mutator_names[] = {
    [MUTATOR_ADD] = "+=",    [MUTATOR_SUBTRACT] = "-=", [MUTATOR_MULTIPLY] = "*=",
    [MUTATOR_DIVIDE] = "/=", [MUTATOR_MODULO] = "%=",   [MUTATOR_INSERT] = "insert",
    [MUTATOR_DELETE] = "delete",
};

static bool mutator_from_name(const char *name, enum mutator *mutator)
{
    for (size_t i = 0; i < ARRAY_SIZE(mutator_names); i++) {
        if (!strcmp(name, mutator_names[i])) {
            *mutator = i;
            return true;
        }
    }
    return false;
}

static struct db_error *parse_arg(struct mutation *m, const json_t *j, const json_t *value,
                                  struct atom_symbols *symbols)
{
    const struct column_type *type = &m->column->type;
    if (m->mutator == MUTATOR_INSERT || m->mutator == MUTATOR_DELETE) {
        if (column_type_is_scalar(type)) {
            return db_error_syntax(j, "\"%s\" needs a set or a map, column \"%s\" is neither",
                                   mutator_names[m->mutator], m->column->name);
        }
        m->arg_type = *type;
        m->arg_type.min = 0;
        m->arg_type.max = m->mutator == MUTATOR_INSERT ? type->max : DB_UNLIMITED;
        if (m->mutator == MUTATOR_DELETE && column_type_is_map(type)) {
            const json_t *tag = json_array_get(value, 0);
            if (!json_is_string(tag) || strcmp(json_string_value(tag), "map")) {
                base_type_init(&m->arg_type.value, ATOM_VOID);   /* Keys alone. */
            }
        }
    } else {
        bool integer = type->key.type == ATOM_INTEGER;
        if (column_type_is_map(type) || !(integer || type->key.type == ATOM_REAL) ||
            (!integer && m->mutator == MUTATOR_MODULO)) {
            return db_error_syntax(j, "\"%s\" cannot be applied to column \"%s\", which has the type %s",
                                   mutator_names[m->mutator], m->column->name,
                                   column_type_is_map(type) ? "map" : atom_type_name(type->key.type));
        }
        base_type_init(&m->arg_type.key, type->key.type);
        base_type_init(&m->arg_type.value, ATOM_VOID);
        m->arg_type.min = m->arg_type.max = 1;
    }
    return datum_from_json(&m->arg, &m->arg_type, value, symbols);
}

static struct db_error *mutation_from_json(struct mutation *m, const struct table_schema *table,
                                           const json_t *j, struct atom_symbols *symbols)
{
    if (!json_is_array(j) || json_array_size(j) != 3 || !json_is_string(json_array_get(j, 0)) ||
        !json_is_string(json_array_get(j, 1))) {
        return db_error_syntax(j, "a mutation is written [<column>, <mutator>, <value>]");
    }
    const char *name = json_string_value(json_array_get(j, 0));
    m->column = table_schema_column(table, name);
    if (!m->column) {
        return db_error_about(DB_E_UNKNOWN_COLUMN, j, "table \"%s\" has no column \"%s\"", table->name,
                              name);
    }
    if (!m->column->mutable) {
        return db_error_about(DB_E_CONSTRAINT, j, "column \"%s\" of table \"%s\" cannot be changed once "
                              "the row is there", name, table->name);
    }
    const char *mutator = json_string_value(json_array_get(j, 1));
    if (!mutator_from_name(mutator, &m->mutator)) {
        return db_error_about("unknown mutator", j, "\"%s\" is not a mutator: += -= *= /= %%= insert "
                              "delete", mutator);
    }
    return parse_arg(m, j, json_array_get(j, 2), symbols);
}

struct db_error *mutations_from_json(struct mutations *ms, const struct table_schema *table,
                                     const json_t *j, struct atom_symbols *symbols)
{
    size_t n = json_array_size(j);
    ms->n = 0;
    ms->mutations = xcalloc(n + 1, sizeof *ms->mutations);
    for (size_t i = 0; i < n; i++) {
        struct db_error *e = mutation_from_json(&ms->mutations[i], table, json_array_get(j, i), symbols);
        if (e) {
            mutations_fini(ms);
            return e;
        }
        ms->n++;
    }
    return NULL;
}

void mutations_fini(struct mutations *ms)
{
    for (size_t i = 0; i < ms->n; i++) {
        datum_put(ms->mutations[i].arg, &ms->mutations[i].arg_type);
    }
    free(ms->mutations);
    *ms = (struct mutations) { 0, NULL };
}

/* Carrying out ------------------------------------------------------------------------------------ */

static struct db_error *mutate_integer(enum mutator mutator, int64_t *x, int64_t y)
{
    bool overflow = false;
    switch (mutator) {
    case MUTATOR_ADD:
        overflow = __builtin_add_overflow(*x, y, x);
        break;
    case MUTATOR_SUBTRACT:
        overflow = __builtin_sub_overflow(*x, y, x);
        break;
    case MUTATOR_MULTIPLY:
        overflow = __builtin_mul_overflow(*x, y, x);
        break;
    case MUTATOR_DIVIDE:
    case MUTATOR_MODULO:
        if (!y) {
            return db_error_new(DB_E_DOMAIN, "division by zero");
        }
        if (y == -1) {   /* The smallest integer has no opposite. */
            if (mutator == MUTATOR_MODULO) {
                *x = 0;
            } else {
                overflow = __builtin_sub_overflow(0, *x, x);
            }
        } else {
            *x = mutator == MUTATOR_DIVIDE ? *x / y : *x % y;
        }
        break;
    case MUTATOR_INSERT:
    case MUTATOR_DELETE:
        break;
    }
    return overflow ? db_error_new(DB_E_RANGE, "the result of \"%s\" %"PRId64" does not fit in 64 bits",
                                   mutator_names[mutator], y) : NULL;
}

static struct db_error *mutate_real(enum mutator mutator, double *x, double y)
{
    switch (mutator) {
    case MUTATOR_ADD:
        *x += y;
        break;
    case MUTATOR_SUBTRACT:
        *x -= y;
        break;
    case MUTATOR_MULTIPLY:
        *x *= y;
        break;
    case MUTATOR_DIVIDE:
        if (y == 0) {
            return db_error_new(DB_E_DOMAIN, "division by zero");
        }
        *x /= y;
        break;
    case MUTATOR_MODULO:
    case MUTATOR_INSERT:
    case MUTATOR_DELETE:
        break;
    }
    return isfinite(*x) ? NULL : db_error_new(DB_E_RANGE, "the result of \"%s\" %.15g is too large for "
                                              "a real", mutator_names[mutator], y);
}

static struct db_error *mutate_numbers(const struct mutation *m, const struct datum *old,
                                       struct datum **new)
{
    const struct column_type *type = &m->column->type;
    struct datum *d = datum_alloc(old->n, type);
    struct db_error *e = NULL;
    for (uint32_t i = 0; i < old->n && !e; i++) {
        d->atoms[i] = old->atoms[i];
        e = type->key.type == ATOM_INTEGER
            ? mutate_integer(m->mutator, &d->atoms[i].integer, m->arg->atoms[0].integer)
            : mutate_real(m->mutator, &d->atoms[i].real, m->arg->atoms[0].real);
    }
    for (uint32_t i = 0; i < old->n && !e; i++) {
        e = base_type_check(&type->key, &d->atoms[i]);
    }
    if (e) {
        free(d);   /* Numbers own nothing. */
        return e;
    }
    e = datum_sort(d, type);
    if (e) {
        db_error_free(e);
        free(d);
        return db_error_new(DB_E_CONSTRAINT, "\"%s\" makes two elements of the set equal",
                            mutator_names[m->mutator]);
    }
    *new = d;
    return NULL;
}

static struct db_error *mutate(const struct mutation *m, const struct datum *old, struct datum **new)
{
    const struct column_type *type = &m->column->type;
    if (m->mutator == MUTATOR_INSERT) {
        *new = datum_union(old, m->arg, type);
    } else if (m->mutator == MUTATOR_DELETE) {
        *new = datum_subtract(old, m->arg, type, !column_type_is_map(&m->arg_type));
    } else {
        return mutate_numbers(m, old, new);
    }
    uint32_t n = (*new)->n;
    if (n < type->min || n > type->max) {
        datum_put(*new, type);
        return db_error_new(DB_E_CONSTRAINT, "\"%s\" leaves %"PRIu32" elements, %s %"PRIu32" allowed",
                            mutator_names[m->mutator], n, n < type->min ? "at least" : "at most",
                            n < type->min ? type->min : type->max);
    }
    return NULL;
}

struct db_error *mutations_apply(const struct mutations *ms, struct db_txn *txn, struct db_row *row)
{
    for (size_t i = 0; i < ms->n; i++) {
        const struct mutation *m = &ms->mutations[i];
        struct datum *new = NULL;
        struct db_error *e = mutate(m, row->columns[m->column->index], &new);
        if (e) {
            return db_error_prefix(e, "table \"%s\", row "UUID_FMT", column \"%s\"",
                                   row->table->schema->name, UUID_ARGS(&row->uuid), m->column->name);
        }
        db_txn_set(txn, row, m->column->index, new);
    }
    return NULL;
}
