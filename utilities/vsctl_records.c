/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about records of any table. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/log.h"
#include "utilities/vsctl.h"

LOG_MODULE(vsctl);

struct error *vsctl_watch_nothing(struct vsctl *v, struct vsctl_command *c)
{
    return NULL;
}

struct error *vsctl_watch_records(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    struct error *e = vsctl_find_table(c->argv[1], &table);
    if (!e) {
        db_client_monitor(v->client, table);
        vsctl_watch_names(v, table);
    }
    return e;
}

/* argv[1] and, if there is one, argv[2]. '*row' is NULL if it may be absent and is. */
static struct error *find_record(struct vsctl *v, struct vsctl_command *c, const struct dbc_table **table,
                                 const struct dbc_row **row)
{
    struct error *e = vsctl_find_table(c->argv[1], table);
    return e ? e : vsctl_find_row(v, *table, c->argv[2], !vsctl_has_option(c, "--if-exists"), row);
}

/* list, find ------------------------------------------------------------------------------------- */

struct columns {
    const struct dbc_column **columns;
    size_t n;
};

static void add_column(struct columns *c, const struct dbc_column *column)
{
    c->columns = xrealloc(c->columns, (c->n + 1) * sizeof *c->columns);
    c->columns[c->n++] = column;
}

static int compare_columns(const void *a, const void *b)
{
    return strcmp((*(const struct dbc_column *const *) a)->name,
                  (*(const struct dbc_column *const *) b)->name);
}

/* "--columns=NAME,NAME", else the UUID and all that the server has, by name. */
static struct error *choose_columns(struct vsctl *v, struct vsctl_command *c,
                                    const struct dbc_table *table, struct columns *chosen)
{
    const char *names = smap_get(&c->options, "--columns");
    struct error *e = NULL;
    *chosen = (struct columns) { NULL, 0 };
    if (!names) {
        add_column(chosen, &vsctl_uuid_column);
        for (unsigned i = 0; i < table->n_columns; i++) {
            if (db_client_has_column(v->client, &table->columns[i])) {
                add_column(chosen, &table->columns[i]);
            }
        }
        qsort(chosen->columns, chosen->n, sizeof *chosen->columns, compare_columns);
        return NULL;
    }
    char *copy = xstrdup(names), *rest = copy, *name;
    while (!e && (name = strsep(&rest, ", "))) {
        const struct dbc_column *column;
        if (*name && !(e = vsctl_find_column(table, name, &column))) {
            add_column(chosen, column);
        }
    }
    free(copy);
    if (!e && !chosen->n) {
        e = error_new(EINVAL, "must specify at least one column name");
    }
    return e;
}

static struct error *begin_table(struct vsctl *v, struct vsctl_command *c, const struct dbc_table *table,
                                 struct columns *chosen)
{
    struct error *e = choose_columns(v, c, table, chosen);
    c->table = vsctl_table_create();
    for (size_t i = 0; i < chosen->n; i++) {
        vsctl_table_add_column(c->table, chosen->columns[i]->name);
    }
    return e;
}

static void put_record(struct vsctl *v, struct vsctl_command *c, const struct columns *chosen,
                       const struct dbc_row *row)
{
    vsctl_table_add_row(c->table);
    for (size_t i = 0; i < chosen->n; i++) {
        vsctl_table_add_cell(c->table, vsctl_get(v, row, chosen->columns[i]),
                             vsctl_type(v, chosen->columns[i]));
    }
}

static int compare_rows(const void *a_, const void *b_)
{
    const struct dbc_row *a = *(const struct dbc_row *const *) a_;
    const struct dbc_row *b = *(const struct dbc_row *const *) b_;
    return uuid_compare(&a->uuid, &b->uuid);
}

/* All records of 'table' in the order of their UUIDs. The caller frees the array. */
static const struct dbc_row **all_rows(struct vsctl *v, const struct dbc_table *table, size_t *n)
{
    const struct dbc_row **rows = NULL, *row;
    size_t allocated = 0;
    *n = 0;
    for (row = dbc_txn_first(v->txn, table); row; row = dbc_txn_next(v->txn, row)) {
        if (*n == allocated) {
            rows = xgrow(rows, &allocated, sizeof *rows);
        }
        rows[(*n)++] = row;
    }
    if (*n) {
        qsort(rows, *n, sizeof *rows, compare_rows);
    }
    return rows;
}

struct error *vsctl_run_list(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    struct columns chosen;
    struct error *e = vsctl_find_table(c->argv[1], &table);
    if (e) {
        return e;
    }
    e = begin_table(v, c, table, &chosen);
    for (int i = 2; i < c->argc && !e; i++) {
        const struct dbc_row *row;
        e = vsctl_find_row(v, table, c->argv[i], !vsctl_has_option(c, "--if-exists"), &row);
        if (!e && row) {
            put_record(v, c, &chosen, row);
        }
    }
    if (!e && c->argc == 2) {
        size_t n;
        const struct dbc_row **rows = all_rows(v, table, &n);
        for (size_t i = 0; i < n; i++) {
            put_record(v, c, &chosen, rows[i]);
        }
        free(rows);
    }
    free(chosen.columns);
    return e;
}

/* Whether 'row' satisfies the conditions from argv[first] on; a NULL row only has them checked. */
static struct error *satisfies(struct vsctl *v, struct vsctl_command *c, int first,
                               const struct dbc_table *table, const struct dbc_row *row, bool *all)
{
    *all = true;
    for (int i = first; i < c->argc; i++) {
        bool is_true;
        struct error *e = vsctl_condition(v, row, c->argv[i], table, &is_true);
        if (e) {
            return e;
        }
        *all &= is_true;
    }
    return NULL;
}

struct error *vsctl_run_find(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    struct columns chosen;
    struct error *e = vsctl_find_table(c->argv[1], &table);
    if (e) {
        return e;
    }
    bool all;
    e = begin_table(v, c, table, &chosen);
    if (!e) {
        e = satisfies(v, c, 2, table, NULL, &all);
    }
    size_t n;
    const struct dbc_row **rows = all_rows(v, table, &n);
    for (size_t i = 0; i < n && !e; i++) {
        e = satisfies(v, c, 2, table, rows[i], &all);
        if (!e && all) {
            put_record(v, c, &chosen, rows[i]);
        }
    }
    free(rows);
    free(chosen.columns);
    return e;
}

/* get -------------------------------------------------------------------------------------------- */

static struct error *put_value(struct vsctl *v, struct vsctl_command *c, const struct dbc_row *row,
                               const char *name, const char *key)
{
    const struct dbc_column *column;
    struct error *e = vsctl_find_column(row->table, name, &column);
    if (e) {
        return e;
    }
    const struct column_type *type = vsctl_type(v, column);
    struct datum *d = vsctl_get(v, row, column);
    if (!key) {
        vsctl_put_datum(&c->output, d, type);
        text_put_char(&c->output, '\n');
    } else if (!column_type_is_map(type)) {
        e = error_new(EINVAL, "cannot specify key to get for non-map column %s", column->name);
    } else {
        union atom atom;
        e = vsctl_atom_from_text(v, &type->key, key, &atom);
        size_t i = e ? SIZE_MAX : datum_find_key(d, &atom, type->key.type);
        if (!e) {
            atom_fini(&atom, type->key.type);
        }
        if (i != SIZE_MAX) {
            vsctl_put_atom(&c->output, datum_value(d, i), type->value.type);
            text_put_char(&c->output, '\n');
        } else if (!e && !vsctl_has_option(c, "--if-exists")) {
            e = error_new(ENOENT, "no key \"%s\" in %s record \"%s\" column %s", key, row->table->name,
                          c->argv[2], column->name);
        } else if (!e) {
            text_put_char(&c->output, '\n');
        }
    }
    datum_put(d, type);
    return e;
}

static struct error *bind_symbol(struct vsctl *v, struct vsctl_command *c, const struct dbc_row *row)
{
    const char *id = smap_get(&c->options, "--id");
    if (!id) {
        if (c->argc == 3) {
            LOG_WARN("\"get\" command without a column or \"--id\" has no effect");
        }
        return NULL;
    }
    if (*id != '@') {
        return error_new(EINVAL, "row id \"%s\" does not begin with \"@\"", id);
    }
    struct vsctl_symbol *s = vsctl_symbol(v, id);
    if (s->is_created || s->is_referenced) {
        return error_new(EINVAL, "row id \"%s\" specified on \"get\" command was used before it was "
                         "defined", id);
    }
    s->uuid = row->uuid;
    s->is_created = s->is_strong = true;
    return NULL;
}

struct error *vsctl_run_get(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    const struct dbc_row *row;
    struct error *e = find_record(v, c, &table, &row);
    if (e || !row) {
        return e;
    }
    e = bind_symbol(v, c, row);
    for (int i = 3; i < c->argc && !e; i++) {
        const char *p = c->argv[i];
        char *name, *key = NULL;
        if ((e = vsctl_token(&p, &name))) {
            return e;
        }
        if (*p == ':') {
            p++;
            e = vsctl_token(&p, &key);
        }
        if (!e && *p) {
            e = error_new(EINVAL, "%s: trailing garbage \"%s\" in argument", c->argv[i], p);
        }
        if (!e) {
            e = put_value(v, c, row, name, key);
        }
        free(name);
        free(key);
    }
    return e;
}

/* set, add, remove, clear ------------------------------------------------------------------------ */

/* Of an interface the model knows its name only. */
static bool model_is_touched(const struct vsctl_command *c, const struct dbc_table *table)
{
    bool touched = table != &db_interface_table;
    for (int i = 3; i < c->argc; i++) {
        touched |= c->argv[i][0] == 'n';   /* Columns may be abbreviated. */
    }
    return touched;
}

struct error *vsctl_run_set(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    const struct dbc_row *row;
    struct error *e = find_record(v, c, &table, &row);
    for (int i = 3; i < c->argc && !e && row; i++) {
        e = vsctl_set(v, row, c->argv[i]);
    }
    if (!e && model_is_touched(c, table)) {
        vsctl_model_forget(v);   /* Not for each of thousands of interfaces in one command line. */
    }
    return e;
}

static struct error *writable_column(const struct dbc_row *row, const char *name,
                                     const struct dbc_column **column)
{
    struct error *e = vsctl_find_column(row->table, name, column);
    return !e && (*column == &vsctl_uuid_column || (!(*column)->is_mutable && !row->is_pending))
               ? error_new(EPERM, "cannot modify read-only column %s in table %s", (*column)->name,
                           row->table->name) : e;
}

struct error *vsctl_run_add(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    const struct dbc_row *row;
    const struct dbc_column *column;
    struct error *e = find_record(v, c, &table, &row);
    if (e || !row || (e = writable_column(row, c->argv[3], &column))) {
        return e;
    }
    struct column_type type = *vsctl_type(v, column);
    type.min = 1;
    type.max = DB_UNLIMITED;
    for (int i = 4; i < c->argc && !e; i++) {
        struct datum *d;
        if (!(e = vsctl_datum_from_text(v, &type, c->argv[i], &d))) {
            dbc_txn_add(v->txn, row, column, d);
        }
    }
    if (!e && vsctl_count(v, row, column) > column->type.max) {
        e = error_new(EINVAL, "\"add\" operation would put %zu values in column %s of table %s but the "
                      "maximum number is %u", vsctl_count(v, row, column), column->name, table->name,
                      column->type.max);
    }
    vsctl_model_forget(v);
    return e;
}

/* Takes out pairs whose key and value are those of 'pairs'. */
static void remove_pairs(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *column,
                         const struct datum *pairs)
{
    struct column_type keys_type = { .key = column->type.key, .max = DB_UNLIMITED };
    const struct datum *d = dbc_txn_get(v->txn, row, column);
    struct datum *keys = datum_alloc(pairs->n, &keys_type);
    keys->n = 0;
    for (size_t i = 0; i < pairs->n; i++) {
        size_t at = datum_find_key(d, datum_key(pairs, i), column->type.key.type);
        if (at != SIZE_MAX &&
            atom_equal(datum_value(d, at), datum_value(pairs, i), column->type.value.type)) {
            atom_copy(&keys->atoms[keys->n++], datum_key(pairs, i), column->type.key.type);
        }
    }
    dbc_txn_remove(v->txn, row, column, keys);
}

static struct error *remove_values(struct vsctl *v, const struct dbc_row *row,
                                   const struct dbc_column *column, const char *text)
{
    struct column_type type = *vsctl_type(v, column);
    struct column_type keys = { .key = type.key, .min = 1, .max = DB_UNLIMITED };
    type.min = 1;
    type.max = DB_UNLIMITED;
    struct datum *d;
    struct error *e = vsctl_datum_from_text(v, &type, text, &d);
    if (e && column_type_is_map(&type)) {
        error_free(e);   /* Not pairs, so keys. */
        type = keys;
        e = vsctl_datum_from_text(v, &type, text, &d);
    }
    if (e) {
        return e;
    }
    if (column_type_is_map(&type)) {
        remove_pairs(v, row, column, d);
        datum_put(d, &type);
    } else {
        dbc_txn_remove(v->txn, row, column, d);
    }
    return NULL;
}

struct error *vsctl_run_remove(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    const struct dbc_row *row;
    const struct dbc_column *column;
    struct error *e = find_record(v, c, &table, &row);
    if (e || !row || (e = writable_column(row, c->argv[3], &column))) {
        return e;
    }
    for (int i = 4; i < c->argc && !e; i++) {
        e = remove_values(v, row, column, c->argv[i]);
    }
    if (!e && vsctl_count(v, row, column) < column->type.min) {
        e = error_new(EINVAL, "\"remove\" operation would put 0 values in column %s of table %s but the "
                      "minimum number is %u", column->name, table->name, column->type.min);
    }
    vsctl_model_forget(v);
    return e;
}

struct error *vsctl_run_clear(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    const struct dbc_row *row;
    struct error *e = find_record(v, c, &table, &row);
    for (int i = 3; i < c->argc && !e && row; i++) {
        const struct dbc_column *column;
        if ((e = writable_column(row, c->argv[i], &column))) {
            break;
        }
        if (column->type.min) {
            e = error_new(EINVAL, "\"clear\" operation cannot be applied to column %s of table %s, which "
                          "is not allowed to be empty", column->name, table->name);
        } else {
            dbc_txn_write(v->txn, row, column, datum_alloc(0, &column->type));
        }
    }
    vsctl_model_forget(v);
    return e;
}

/* create, destroy -------------------------------------------------------------------------------- */

static struct error *name_new_row(struct vsctl *v, struct vsctl_command *c, const struct dbc_table *table,
                                  struct uuid *uuid)
{
    const char *id = smap_get(&c->options, "--id");
    if (!id) {
        if (!table->is_root) {
            LOG_WARN("applying \"create\" command to table %s without --id option will have no effect",
                     table->name);
        }
        *uuid = uuid_random();
        return NULL;
    }
    if (*id != '@') {
        return error_new(EINVAL, "row id \"%s\" does not begin with \"@\"", id);
    }
    struct vsctl_symbol *s = vsctl_symbol(v, id);
    if (s->is_created) {
        return error_new(EINVAL, "row id \"%s\" may only be specified on one --id option", id);
    }
    s->is_created = true;
    s->is_strong |= table->is_root;
    *uuid = s->uuid;
    return NULL;
}

struct error *vsctl_run_create(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    struct uuid uuid;
    struct error *e = vsctl_find_table(c->argv[1], &table);
    if (e || (e = name_new_row(v, c, table, &uuid))) {
        return e;
    }
    c->created = dbc_txn_insert_as(v->txn, table, &uuid);
    for (int i = 2; i < c->argc && !e; i++) {
        e = vsctl_set(v, c->created, c->argv[i]);
    }
    vsctl_model_forget(v);
    return e;
}

void vsctl_finish_create(struct vsctl *v, struct vsctl_command *c)
{
    struct uuid uuid = c->created->uuid;
    dbc_txn_inserted_uuid(v->txn, c->created, &uuid);
    text_printf(&c->output, UUID_FMT"\n", UUID_ARGS(&uuid));
}

struct error *vsctl_run_destroy(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    bool all = vsctl_has_option(c, "--all"), if_exists = vsctl_has_option(c, "--if-exists");
    struct error *e = vsctl_find_table(c->argv[1], &table);
    if (!e && all && c->argc > 2) {
        e = error_new(EINVAL, "--all and records argument should not be specified together");
    } else if (!e && all && if_exists) {
        e = error_new(EINVAL, "--all and --if-exists should not be specified together");
    }
    if (!e && all) {
        size_t n;
        const struct dbc_row **rows = all_rows(v, table, &n);
        for (size_t i = 0; i < n; i++) {
            dbc_txn_delete(v->txn, rows[i]);
        }
        free(rows);
    }
    for (int i = 2; i < c->argc && !e; i++) {
        const struct dbc_row *row;
        e = vsctl_find_row(v, table, c->argv[i], !if_exists, &row);
        if (!e && row) {
            dbc_txn_delete(v->txn, row);
        }
    }
    vsctl_model_forget(v);
    return e;
}

/* wait-until, comment ---------------------------------------------------------------------------- */

struct error *vsctl_run_wait_until(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_table *table;
    const struct dbc_row *row;
    bool all;
    struct error *e = vsctl_find_table(c->argv[1], &table);
    if (!e) {
        e = vsctl_find_row(v, table, c->argv[2], false, &row);
    }
    if (!e) {
        e = satisfies(v, c, 3, table, row, &all);
    }
    if (!e && (!row || !all)) {
        v->must_wait = true;
    }
    return e;
}

struct error *vsctl_run_comment(struct vsctl *v, struct vsctl_command *c)
{
    struct text t = TEXT_INIT;
    for (int i = 1; i < c->argc; i++) {
        text_printf(&t, "%s%s", i > 1 ? " " : "", c->argv[i]);
    }
    dbc_txn_comment(v->txn, "%s", text_str(&t));
    text_fini(&t);
    return NULL;
}
