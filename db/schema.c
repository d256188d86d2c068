/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas: parsed from JSON with all checks. */
#include "db/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/datum.h"
#include "db/error.h"
#include "db/members.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"

bool schema_version_is_valid(const char *s)
{
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(s, "0123456789");
        if (!digits || digits > 9) {
            return false;
        }
        s += digits;
        if (part < 2 && *s++ != '.') {
            return false;
        }
    }
    return !*s;
}

static int compare_tables(const void *a_, const void *b_)
{
    const struct table_schema *a = a_, *b = b_;
    return strcmp(a->name, b->name);
}

struct table_schema *schema_table(const struct schema *s, const char *name)
{
    struct table_schema key = { .name = (char *) name };
    return s->n_tables ? bsearch(&key, s->tables, s->n_tables, sizeof key, compare_tables) : NULL;
}

struct column_schema *table_schema_column(const struct table_schema *t, const char *name)
{
    for (uint32_t i = 0; i < t->n_columns; i++) {
        if (!strcmp(t->columns[i].name, name)) {
            return &t->columns[i];
        }
    }
    return NULL;
}

static void table_schema_fini(struct table_schema *t)
{
    for (uint32_t i = 0; i < t->n_columns; i++) {
        struct column_schema *c = &t->columns[i];
        datum_put(c->initial, &c->type);
        column_type_fini(&c->type);
        free(c->name);
    }
    for (uint32_t i = 0; i < t->n_indexes; i++) {
        free(t->indexes[i].columns);
    }
    free(t->columns);
    free(t->indexes);
    free(t->name);
}

void schema_destroy(struct schema *s)
{
    if (s) {
        for (uint32_t i = 0; i < s->n_tables; i++) {
            table_schema_fini(&s->tables[i]);
        }
        free(s->tables);
        free(s->name);
        free(s->version);
        free(s->cksum);
        free(s->json);
        free(s);
    }
}

static struct db_error *check_name(const json_t *j, const char *kind, const char *name)
{
    if (!json_is_id(name)) {
        return db_error_syntax(j, "%s name \"%s\" is not a letter followed by letters, digits and "
                               "underscores", kind, name);
    }
    if (name[0] == '_') {
        return db_error_syntax(j, "%s name \"%s\" begins with an underscore, which is reserved", kind,
                               name);
    }
    return NULL;
}

static void add_standard_columns(struct table_schema *t)
{
    static const char *const names[] = { [COLUMN_UUID] = "_uuid", [COLUMN_VERSION] = "_version" };
    for (int i = 0; i < N_STANDARD_COLUMNS; i++) {
        struct column_schema *c = &t->columns[i];
        c->name = xstrdup(names[i]);
        c->index = i;
        c->ephemeral = i == COLUMN_VERSION;
        base_type_init(&c->type.key, ATOM_UUID);
        base_type_init(&c->type.value, ATOM_VOID);
        c->type.min = c->type.max = 1;
        c->initial = datum_default(&c->type);
    }
    t->n_columns = N_STANDARD_COLUMNS;
}

static struct db_error *parse_column(struct table_schema *t, const char *name, const json_t *j)
{
    struct db_error *e = check_name(j, "column", name);
    if (e) {
        return e;
    }
    struct members m;
    members_init(&m, j, "column");
    const json_t *type = members_get(&m, "type", MEMBER_STRING | MEMBER_OBJECT);
    const json_t *ephemeral = members_get(&m, "ephemeral", MEMBER_BOOLEAN | MEMBER_OPTIONAL);
    const json_t *mutable = members_get(&m, "mutable", MEMBER_BOOLEAN | MEMBER_OPTIONAL);
    if ((e = members_finish(&m))) {
        return e;
    }
    struct column_type column_type;
    if ((e = column_type_from_json(&column_type, type))) {
        return e;
    }
    struct column_schema *c = &t->columns[t->n_columns];
    c->name = xstrdup(name);
    c->index = t->n_columns++;
    c->type = column_type;
    c->ephemeral = ephemeral && json_is_true(ephemeral);
    c->mutable = !mutable || json_is_true(mutable);
    /* Rows that a weak reference names can vanish, so such a column has to change. */
    c->mutable |= base_type_is_weak_ref(&c->type.key) || base_type_is_weak_ref(&c->type.value);
    c->initial = datum_default(&c->type);
    return NULL;
}

static struct db_error *parse_index(struct table_schema *t, struct index_schema *index, const json_t *j)
{
    size_t n = json_array_size(j);
    if (!json_is_array(j) || !n) {
        return db_error_syntax(j, "an index is an array of column names");
    }
    index->columns = xcalloc(n, sizeof *index->columns);
    for (size_t i = 0; i < n; i++) {
        const json_t *name = json_array_get(j, i);
        const struct column_schema *c =
            json_is_string(name) ? table_schema_column(t, json_string_value(name)) : NULL;
        if (!c || c->index < N_STANDARD_COLUMNS) {
            return db_error_syntax(j, "an index names a column that table \"%s\" does not have",
                                   t->name);
        }
        if (c->ephemeral) {
            return db_error_syntax(j, "ephemeral column \"%s\" cannot be part of an index", c->name);
        }
        for (uint32_t k = 0; k < index->n_columns; k++) {
            if (index->columns[k] == c->index) {
                return db_error_syntax(j, "an index names column \"%s\" twice", c->name);
            }
        }
        index->columns[index->n_columns++] = c->index;
    }
    return NULL;
}

static struct db_error *parse_table(struct table_schema *t, const char *name, const json_t *j,
                                    bool *any_root)
{
    struct db_error *e = check_name(j, "table", name);
    if (e) {
        return e;
    }
    t->name = xstrdup(name);
    t->max_rows = DB_UNLIMITED;
    struct members m;
    members_init(&m, j, "table");
    const json_t *columns = members_get(&m, "columns", MEMBER_OBJECT);
    const json_t *max_rows = members_get(&m, "maxRows", MEMBER_INTEGER | MEMBER_OPTIONAL);
    const json_t *is_root = members_get(&m, "isRoot", MEMBER_BOOLEAN | MEMBER_OPTIONAL);
    const json_t *indexes = members_get(&m, "indexes", MEMBER_ARRAY | MEMBER_OPTIONAL);
    if ((e = members_finish(&m))) {
        return e;
    }
    if (max_rows) {
        if (json_integer_value(max_rows) <= 0 || json_integer_value(max_rows) >= DB_UNLIMITED) {
            return db_error_syntax(j, "maxRows is a positive number");
        }
        t->max_rows = json_integer_value(max_rows);
    }
    t->is_root = is_root && json_is_true(is_root);
    *any_root |= t->is_root;
    t->columns = xcalloc(N_STANDARD_COLUMNS + json_object_size(columns), sizeof *t->columns);
    add_standard_columns(t);
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *) columns, key, value) {
        if ((e = parse_column(t, key, value))) {
            return db_error_prefix(e, "column \"%s\"", key);
        }
    }
    t->indexes = xcalloc(json_array_size(indexes) + 1, sizeof *t->indexes);
    for (size_t i = 0; i < json_array_size(indexes); i++) {
        e = parse_index(t, &t->indexes[t->n_indexes++], json_array_get(indexes, i));
        if (e) {
            return e;
        }
    }
    return NULL;
}

static struct db_error *resolve(struct schema *s, struct table_schema *t, struct column_schema *c,
                                const struct base_type *base, struct table_schema **ref)
{
    if (base->ref_table) {
        *ref = schema_table(s, base->ref_table);
        if (!*ref) {
            return db_error_syntax(NULL, "column \"%s\" of table \"%s\" refers to table \"%s\", which "
                                   "does not exist", c->name, t->name, base->ref_table);
        }
        *(base->weak ? &t->has_weak : &t->has_strong) = true;
    }
    return NULL;
}

static struct db_error *resolve_references(struct schema *s)
{
    for (uint32_t i = 0; i < s->n_tables; i++) {
        struct table_schema *t = &s->tables[i];
        for (uint32_t k = 0; k < t->n_columns; k++) {
            struct column_schema *c = &t->columns[k];
            struct db_error *e = resolve(s, t, c, &c->type.key, &c->key_ref);
            e = e ? e : resolve(s, t, c, &c->type.value, &c->value_ref);
            if (e) {
                return e;
            }
        }
    }
    return NULL;
}

static struct db_error *parse_tables(struct schema *s, const json_t *tables)
{
    bool any_root = false;
    const char *key;
    json_t *value;
    s->tables = xcalloc(json_object_size(tables) + 1, sizeof *s->tables);
    json_object_foreach ((json_t *) tables, key, value) {
        struct db_error *e = parse_table(&s->tables[s->n_tables++], key, value, &any_root);
        if (e) {
            return db_error_prefix(e, "table \"%s\"", key);
        }
    }
    if (s->n_tables) {
        qsort(s->tables, s->n_tables, sizeof *s->tables, compare_tables);
    }
    for (uint32_t i = 0; i < s->n_tables; i++) {
        s->tables[i].index = i;
        /* A schema from before garbage collection: nothing would be a root. */
        s->tables[i].is_root |= !any_root;
    }
    return resolve_references(s);
}

struct db_error *schema_from_json(struct schema **out, const json_t *j)
{
    struct members m;
    members_init(&m, j, "schema");
    const json_t *name = members_get(&m, "name", MEMBER_ID);
    const json_t *version = members_get(&m, "version", MEMBER_STRING | MEMBER_OPTIONAL);
    const json_t *cksum = members_get(&m, "cksum", MEMBER_STRING | MEMBER_OPTIONAL);
    const json_t *tables = members_get(&m, "tables", MEMBER_OBJECT);
    struct db_error *e = members_finish(&m);
    if (e) {
        return e;
    }
    if (version && !schema_version_is_valid(json_string_value(version))) {
        return db_error_syntax(version, "\"%s\" is not a version, which is three decimal numbers as in "
                               "\"1.2.3\"", json_string_value(version));
    }
    struct schema *s = xzalloc(sizeof *s);
    s->name = xstrdup(json_string_value(name));
    s->version = xstrdup(version ? json_string_value(version) : "");
    s->cksum = cksum ? xstrdup(json_string_value(cksum)) : NULL;
    e = parse_tables(s, tables);
    if (e) {
        schema_destroy(s);
        return e;
    }
    char *json = json_dumps(j, JSON_COMPACT);
    s->json = xstrdup(json);
    free(json);
    *out = s;
    return NULL;
}

static struct error *from_json(struct schema **out, json_t *j, const json_error_t *problem,
                               const char *source)
{
    if (!j) {
        return error_new(EINVAL, "%s: line %d: not JSON: %s", source, problem->line, problem->text);
    }
    struct db_error *e = schema_from_json(out, j);
    json_decref(j);
    if (!e) {
        return NULL;
    }
    struct text t = TEXT_INIT;
    db_error_put_text(e, &t);
    struct error *error = error_new(EINVAL, "%s: not a schema: %s", source, text_str(&t));
    text_fini(&t);
    db_error_free(e);
    return error;
}

struct error *schema_from_text(struct schema **out, const char *text)
{
    json_error_t problem;
    json_t *j = json_loads(text, 0, &problem);
    return from_json(out, j, &problem, "schema");
}

struct error *schema_from_file(struct schema **out, const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        return error_errno(errno, "%s", path);
    }
    json_error_t problem;
    json_t *j = json_loadf(f, 0, &problem);
    fclose(f);
    return from_json(out, j, &problem, path);
}
