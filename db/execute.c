/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying out the operations of a "transact" request. */
#include "db/execute.h"

#include <stdlib.h>

#include "db/condition.h"
#include "db/error.h"
#include "db/members.h"
#include "db/mutation.h"
#include "db/rowset.h"
#include "lib/base/alloc.h"

/* A few operations can ask for the whole database again and again. */
enum { MAX_RESULT_BYTES = 256 << 20 };

struct execution {
    struct database *db;
    struct db_txn *txn;
    const struct execute_env *env;
    struct execute_outcome *outcome;
    struct atom_symbols symbols;
};

typedef struct db_error *operation_fn(struct execution *, struct members *, struct text *result);

/* Parts that several operations have --------------------------------------------------------------- */

static struct db_table *get_table(struct execution *x, struct members *m)
{
    const json_t *name = members_get(m, "table", MEMBER_ID);
    if (!name) {
        return NULL;
    }
    struct db_table *t = database_table(x->db, json_string_value(name));
    if (!t) {
        members_fail(m, db_error_about(DB_E_UNKNOWN_TABLE, m->object, "database \"%s\" has no table "
                                       "\"%s\"", x->db->schema->name, json_string_value(name)));
    }
    return t;
}

/* NULL stands for all columns. */
static struct db_error *parse_columns(const struct db_table *t, const json_t *j,
                                      struct column_list *columns)
{
    if (j) {
        return column_list_from_json(columns, t->schema, j);
    }
    column_list_all(columns, t->schema);
    return NULL;
}

/* The values that a <row> gives, one for each column or NULL. */
static struct db_error *parse_row(struct execution *x, const struct table_schema *table, const json_t *j,
                                  struct datum **values)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) j, name, value) {
        const struct column_schema *column = table_schema_column(table, name);
        if (!column) {
            return db_error_about(DB_E_UNKNOWN_COLUMN, j, "table \"%s\" has no column \"%s\"",
                                  table->name, name);
        }
        struct db_error *e = datum_from_json(&values[column->index], &column->type, value, &x->symbols);
        if (e) {
            return db_error_prefix(e, "table \"%s\", column \"%s\"", table->name, name);
        }
    }
    return NULL;
}

static void free_values(const struct table_schema *table, struct datum **values)
{
    for (uint32_t i = 0; values && i < table->n_columns; i++) {
        datum_put(values[i], &table->columns[i].type);
    }
    free(values);
}

static struct db_error *refuse_if_read_only(const struct execution *x)
{
    return !x->env->read_only ? NULL : db_error_new(DB_E_NOT_ALLOWED, "this connection or database is "
                                                    "read-only");
}

/* Operations ---------------------------------------------------------------------------------------- */

/* The new row's UUID, and its name if it has one. */
static struct db_error *choose_uuid(struct execution *x, const json_t *name, const json_t *chosen,
                                    struct uuid *uuid)
{
    if (chosen && !uuid_parse(json_string_value(chosen), uuid)) {
        return db_error_syntax(chosen, "\"uuid\" is not a UUID");
    }
    if (!name) {
        *uuid = chosen ? *uuid : uuid_random();
        return NULL;
    }
    struct atom_symbol *symbol = atom_symbols_get(&x->symbols, json_string_value(name));
    if (symbol->created) {
        return db_error_new(DB_E_DUPLICATE_NAME, "the transaction names two rows \"%s\"", symbol->name);
    }
    symbol->created = true;
    if (chosen) {
        symbol->uuid = *uuid;
    }
    *uuid = symbol->uuid;
    return NULL;
}

/* A column that the operation did not set has a default, which its constraints may not allow. */
static struct db_error *check_default(const struct table_schema *table, const struct column_schema *c)
{
    struct db_error *e = c->initial->n ? base_type_check(&c->type.key, datum_key(c->initial, 0)) : NULL;
    if (!e && c->initial->n && column_type_is_map(&c->type)) {
        e = base_type_check(&c->type.value, datum_value(c->initial, 0));
    }
    return e ? db_error_prefix(e, "table \"%s\", column \"%s\", which is not given", table->name, c->name)
             : NULL;
}

static struct db_error *do_insert(struct execution *x, struct db_table *t, const struct uuid *uuid,
                                  struct datum **values, struct text *result)
{
    struct db_row *row = db_txn_insert(x->txn, t, uuid);
    if (!row) {
        return db_error_new(DB_E_DUPLICATE_UUID, "table \"%s\" has, or had in this transaction, a row "
                            UUID_FMT, t->schema->name, UUID_ARGS(uuid));
    }
    for (uint32_t i = N_STANDARD_COLUMNS; i < t->schema->n_columns; i++) {
        if (values[i]) {
            db_txn_set(x->txn, row, i, datum_get(values[i]));
        } else {
            struct db_error *e = check_default(t->schema, &t->schema->columns[i]);
            if (e) {
                return e;
            }
        }
    }
    text_printf(result, "{\"uuid\":[\"uuid\",\""UUID_FMT"\"]}", UUID_ARGS(uuid));
    return NULL;
}

static struct db_error *execute_insert(struct execution *x, struct members *m, struct text *result)
{
    struct db_table *t = get_table(x, m);
    const json_t *name = members_get(m, "uuid-name", MEMBER_ID | MEMBER_OPTIONAL);
    const json_t *chosen = members_get(m, "uuid", MEMBER_STRING | MEMBER_OPTIONAL);
    const json_t *row = members_get(m, "row", MEMBER_OBJECT);
    struct uuid uuid;
    struct db_error *e = members_finish(m);
    e = e ? e : refuse_if_read_only(x);
    e = e ? e : choose_uuid(x, name, chosen, &uuid);
    if (e) {
        return e;
    }
    struct datum **values = xcalloc(t->schema->n_columns, sizeof *values);
    e = parse_row(x, t->schema, row, values);
    if (!e) {
        e = do_insert(x, t, &uuid, values, result);
    }
    free_values(t->schema, values);
    return e;
}

static void do_select(const struct db_table *t, const struct condition *where,
                      const struct column_list *columns, const struct column_list *sort,
                      struct text *result)
{
    struct rowset set = { .table = t->schema, .columns = *columns };
    struct db_row **rows;
    size_t n = condition_find(where, t, &rows);
    for (size_t i = 0; i < n; i++) {
        rowset_add(&set, rows[i]->columns);
    }
    free(rows);
    if (sort) {
        rowset_sort(&set, sort);
    }
    text_put(result, "{\"rows\":");
    rowset_put_json(&set, result);
    text_put(result, "}");
    rowset_fini(&set);
}

static struct db_error *execute_select(struct execution *x, struct members *m, struct text *result)
{
    struct condition where = { .table = NULL };
    struct column_list columns = { 0, NULL }, sort = { 0, NULL };
    struct db_table *t = get_table(x, m);
    const json_t *where_j = members_get(m, "where", MEMBER_ARRAY);
    const json_t *columns_j = members_get(m, "columns", MEMBER_ARRAY | MEMBER_OPTIONAL);
    const json_t *sort_j = members_get(m, "sort", MEMBER_ARRAY | MEMBER_OPTIONAL);
    struct db_error *e = members_finish(m);
    e = e ? e : condition_from_json(&where, t->schema, where_j, &x->symbols);
    e = e ? e : parse_columns(t, columns_j, &columns);
    e = e ? e : parse_columns(t, sort_j, &sort);
    if (!e) {
        do_select(t, &where, &columns, sort_j ? &sort : NULL, result);
    }
    condition_fini(&where);
    column_list_fini(&columns);
    column_list_fini(&sort);
    return e;
}

static struct db_error *check_mutable(const struct db_table *t, struct datum *const *values)
{
    for (uint32_t i = 0; i < t->schema->n_columns; i++) {
        if (values[i] && !t->schema->columns[i].mutable) {
            return db_error_new(DB_E_CONSTRAINT, "column \"%s\" of table \"%s\" cannot be changed once the "
                                "row is there", t->schema->columns[i].name, t->schema->name);
        }
    }
    return NULL;
}

static void do_update(struct execution *x, struct db_table *t, const struct condition *where,
                      struct datum *const *values, struct text *result)
{
    struct db_row **rows;
    size_t n = condition_find(where, t, &rows);
    for (size_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < t->schema->n_columns; k++) {
            if (values[k]) {
                db_txn_set(x->txn, rows[i], k, datum_get(values[k]));
            }
        }
    }
    free(rows);
    text_printf(result, "{\"count\":%zu}", n);
}

static struct db_error *execute_update(struct execution *x, struct members *m, struct text *result)
{
    struct condition where = { .table = NULL };
    struct db_table *t = get_table(x, m);
    const json_t *where_j = members_get(m, "where", MEMBER_ARRAY);
    const json_t *row = members_get(m, "row", MEMBER_OBJECT);
    struct db_error *e = members_finish(m);
    e = e ? e : refuse_if_read_only(x);
    if (e) {
        return e;
    }
    struct datum **values = xcalloc(t->schema->n_columns, sizeof *values);
    e = parse_row(x, t->schema, row, values);
    e = e ? e : check_mutable(t, values);
    e = e ? e : condition_from_json(&where, t->schema, where_j, &x->symbols);
    if (!e) {
        do_update(x, t, &where, values, result);
    }
    free_values(t->schema, values);
    condition_fini(&where);
    return e;
}

static struct db_error *do_mutate(struct execution *x, struct db_table *t, const struct condition *where,
                                  const struct mutations *mutations, struct text *result)
{
    struct db_error *e = NULL;
    struct db_row **rows;
    size_t n = condition_find(where, t, &rows);
    for (size_t i = 0; i < n && !e; i++) {
        e = mutations_apply(mutations, x->txn, rows[i]);
    }
    free(rows);
    text_printf(result, "{\"count\":%zu}", n);
    return e;
}

static struct db_error *execute_mutate(struct execution *x, struct members *m, struct text *result)
{
    struct condition where = { .table = NULL };
    struct mutations mutations = { 0, NULL };
    struct db_table *t = get_table(x, m);
    const json_t *where_j = members_get(m, "where", MEMBER_ARRAY);
    const json_t *mutations_j = members_get(m, "mutations", MEMBER_ARRAY);
    struct db_error *e = members_finish(m);
    e = e ? e : refuse_if_read_only(x);
    e = e ? e : mutations_from_json(&mutations, t->schema, mutations_j, &x->symbols);
    e = e ? e : condition_from_json(&where, t->schema, where_j, &x->symbols);
    e = e ? e : do_mutate(x, t, &where, &mutations, result);
    mutations_fini(&mutations);
    condition_fini(&where);
    return e;
}

static struct db_error *execute_delete(struct execution *x, struct members *m, struct text *result)
{
    struct condition where = { .table = NULL };
    struct db_table *t = get_table(x, m);
    const json_t *where_j = members_get(m, "where", MEMBER_ARRAY);
    struct db_error *e = members_finish(m);
    e = e ? e : refuse_if_read_only(x);
    e = e ? e : condition_from_json(&where, t->schema, where_j, &x->symbols);
    if (!e) {
        struct db_row **rows;
        size_t n = condition_find(&where, t, &rows);
        for (size_t i = 0; i < n; i++) {
            db_txn_delete(x->txn, rows[i]);
        }
        free(rows);
        text_printf(result, "{\"count\":%zu}", n);
    }
    condition_fini(&where);
    return e;
}

/* The rows that "wait" expects, in the given columns. */
static struct db_error *parse_expected(struct execution *x, const struct db_table *t, const json_t *j,
                                       struct rowset *set)
{
    for (size_t i = 0; i < json_array_size(j); i++) {
        const json_t *row = json_array_get(j, i);
        if (!json_is_object(row)) {
            return db_error_syntax(row, "\"rows\" is an array of rows, each an object");
        }
        struct datum **values = xcalloc(t->schema->n_columns, sizeof *values);
        struct db_error *e = parse_row(x, t->schema, row, values);
        for (uint32_t c = 0; c < t->schema->n_columns && !e; c++) {
            if (!values[c]) {
                values[c] = datum_get(t->schema->columns[c].initial);
            }
        }
        if (!e) {
            rowset_add(set, values);
        }
        free_values(t->schema, values);
        if (e) {
            return e;
        }
    }
    return NULL;
}

/* Whether the rows are as 'expected' (or differ, as the operation wants it). */
static bool wait_holds(const struct db_table *t, const struct condition *where,
                       const struct column_list *columns, const struct rowset *expected, bool equal)
{
    struct rowset found = { .table = t->schema, .columns = *columns };
    struct db_row **rows;
    size_t n = condition_find(where, t, &rows);
    for (size_t i = 0; i < n; i++) {
        rowset_add(&found, rows[i]->columns);
    }
    free(rows);
    bool holds = rowset_equal(&found, expected) == equal;
    rowset_fini(&found);
    return holds;
}

/* Not as the operation wants it: an error, or it waits. */
static struct db_error *wait_more(struct execution *x, const struct db_table *t, const json_t *timeout)
{
    double limit = timeout ? json_number_value(timeout) : (double) INT64_MAX;
    int64_t ms = limit >= (double) INT64_MAX ? INT64_MAX : limit < 0 ? 0 : (int64_t) limit;
    if (ms > x->env->elapsed_ms) {
        x->outcome->waiting = true;
        x->outcome->timeout_ms = ms;
        return NULL;
    }
    return ms ? db_error_new(DB_E_TIMED_OUT, "the rows of table \"%s\" were not as \"wait\" asks within "
                             "%lld ms", t->schema->name, (long long) ms)
              : db_error_new(DB_E_TIMED_OUT, "the rows of table \"%s\" are not as \"wait\" asks",
                             t->schema->name);
}

static struct db_error *execute_wait(struct execution *x, struct members *m, struct text *result)
{
    struct condition where = { .table = NULL };
    struct column_list columns = { 0, NULL };
    struct db_table *t = get_table(x, m);
    const json_t *where_j = members_get(m, "where", MEMBER_ARRAY);
    const json_t *columns_j = members_get(m, "columns", MEMBER_ARRAY | MEMBER_OPTIONAL);
    const json_t *timeout = members_get(m, "timeout", MEMBER_NUMBER | MEMBER_OPTIONAL);
    const json_t *until = members_get(m, "until", MEMBER_STRING);
    const json_t *rows = members_get(m, "rows", MEMBER_ARRAY);
    struct db_error *e = members_finish(m);
    if (e) {
        return e;
    }
    bool equal = !strcmp(json_string_value(until), "==");
    if (!equal && strcmp(json_string_value(until), "!=")) {
        return db_error_syntax(until, "\"until\" is \"==\" or \"!=\"");
    }
    e = condition_from_json(&where, t->schema, where_j, &x->symbols);
    e = e ? e : parse_columns(t, columns_j, &columns);
    struct rowset expected = { .table = t->schema, .columns = columns };
    e = e ? e : parse_expected(x, t, rows, &expected);
    if (!e && !wait_holds(t, &where, &columns, &expected, equal)) {
        e = wait_more(x, t, timeout);
    }
    rowset_fini(&expected);
    column_list_fini(&columns);
    condition_fini(&where);
    text_put(result, "{}");
    return e;
}

static struct db_error *execute_commit(struct execution *x, struct members *m, struct text *result)
{
    const json_t *durable = members_get(m, "durable", MEMBER_BOOLEAN);
    struct db_error *e = members_finish(m);
    if (!e && json_is_true(durable)) {
        x->outcome->durable = true;
    }
    text_put(result, "{}");
    return e;
}

static struct db_error *execute_abort(struct execution *x, struct members *m, struct text *result)
{
    struct db_error *e = members_finish(m);
    return e ? e : db_error_new(DB_E_ABORTED, "aborted by request");
}

static struct db_error *execute_comment(struct execution *x, struct members *m, struct text *result)
{
    const json_t *comment = members_get(m, "comment", MEMBER_STRING);
    struct db_error *e = members_finish(m);
    if (!e) {
        db_txn_comment(x->txn, json_string_value(comment));
    }
    text_put(result, "{}");
    return e;
}

static struct db_error *execute_assert(struct execution *x, struct members *m, struct text *result)
{
    const json_t *lock = members_get(m, "lock", MEMBER_ID);
    struct db_error *e = members_finish(m);
    if (!e && (!x->env->owns_lock || !x->env->owns_lock(json_string_value(lock), x->env->arg))) {
        e = db_error_new(DB_E_NOT_OWNER, "this session does not own lock \"%s\"",
                         json_string_value(lock));
    }
    text_put(result, "{}");
    return e;
}

static const struct {
    const char *name;
    operation_fn *run;
} operations[] = {
    { "insert", execute_insert },   { "select", execute_select }, { "update", execute_update },
    { "mutate", execute_mutate },   { "delete", execute_delete }, { "wait", execute_wait },
    { "commit", execute_commit },   { "abort", execute_abort },   { "comment", execute_comment },
    { "assert", execute_assert },
};

static struct db_error *execute_one(struct execution *x, const json_t *op, struct text *result)
{
    struct members m;
    members_init(&m, op, "operation");
    const json_t *name = members_get(&m, "op", MEMBER_STRING);
    if (!name) {
        return m.error;
    }
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        if (!strcmp(json_string_value(name), operations[i].name)) {
            return operations[i].run(x, &m, result);
        }
    }
    return db_error_syntax(op, "there is no operation \"%s\"", json_string_value(name));
}

static void put_error(struct text *result, struct db_error *e)
{
    json_t *j = db_error_to_json(e);
    char *s = json_dumps(j, JSON_COMPACT);
    text_put(result, s);
    free(s);
    json_decref(j);
    db_error_free(e);
}

void execute(struct database *db, const json_t *params, const struct execute_env *env,
             struct execute_outcome *outcome)
{
    *outcome = (struct execute_outcome) { .timeout_ms = INT64_MAX };
    struct execution x = { .db = db, .env = env, .outcome = outcome };
    struct text *result = &outcome->result;
    atom_symbols_init(&x.symbols);
    x.txn = db_txn_begin(db);
    text_put(result, "[");
    bool failed = false;
    size_t n = json_array_size(params);
    for (size_t i = 1; i < n && !outcome->waiting; i++) {
        if (i > 1) {
            text_put(result, ",");
        }
        if (failed) {
            text_put(result, "null");
            continue;
        }
        size_t start = result->len;
        struct db_error *e = execute_one(&x, json_array_get(params, i), result);
        if (!e && result->len > MAX_RESULT_BYTES) {
            e = db_error_new(DB_E_RESOURCES, "the results of the transaction are longer than %d bytes",
                             MAX_RESULT_BYTES);
        }
        if (e) {
            failed = true;
            text_truncate(result, start);
            put_error(result, e);
        }
    }
    atom_symbols_fini(&x.symbols);
    if (failed || outcome->waiting) {
        db_txn_abort(x.txn);
        outcome->durable = false;
        if (outcome->waiting) {
            text_clear(result);
            return;
        }
    } else {
        x.txn->durable = outcome->durable;
        struct db_error *e = db_txn_commit(x.txn);
        if (e) {
            text_put(result, n > 1 ? "," : "");
            put_error(result, e);
        } else if (db_txn_is_empty(x.txn)) {
            db_txn_finish(x.txn);
        } else {
            outcome->txn = x.txn;
        }
    }
    text_put(result, "]");
}
