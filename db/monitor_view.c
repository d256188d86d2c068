/* SPDX-License-Identifier: Apache-2.0 */
/* Views: parsing of monitor requests, and the texts of updates. */
#include "db/monitor_view.h"

#include <stdlib.h>

#include "db/error.h"
#include "db/members.h"
#include "db/rowset.h"
#include "lib/base/alloc.h"
#include "lib/base/text.h"

/* Parsing ------------------------------------------------------------------------------------------- */

static struct db_error *parse_select(const json_t *j, unsigned *select)
{
    static const struct {
        const char *name;
        unsigned bit;
    } bits[] = {
        { "initial", SELECT_INITIAL }, { "insert", SELECT_INSERT },
        { "delete", SELECT_DELETE },   { "modify", SELECT_MODIFY },
    };
    struct members m;
    members_init(&m, j, "select");
    *select = 0;
    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        const json_t *b = members_get(&m, bits[i].name, MEMBER_BOOLEAN | MEMBER_OPTIONAL);
        *select |= !b || json_is_true(b) ? bits[i].bit : 0;
    }
    return members_finish(&m);
}

static struct db_error *add_columns(struct view_table *vt, const struct column_list *list,
                                    unsigned select, bool all)
{
    const struct table_schema *s = vt->table->schema;
    vt->columns = xrealloc(vt->columns, (vt->n_columns + list->n + 1) * sizeof *vt->columns);
    for (size_t i = 0; i < list->n; i++) {
        const struct column_schema *c = &s->columns[list->columns[i]];
        if (all && c->index == COLUMN_UUID) {
            continue;   /* Every update names its row anyway. */
        }
        for (size_t k = 0; k < vt->n_columns; k++) {
            if (vt->columns[k].column == c) {
                return db_error_syntax(NULL, "column \"%s\" of table \"%s\" is monitored twice", c->name,
                                       s->name);
            }
        }
        vt->columns[vt->n_columns++] = (struct view_column) { c, select };
    }
    return NULL;
}

static struct db_error *add_where(struct view_table *vt, const json_t *j)
{
    struct condition where;
    struct db_error *e = condition_from_json(&where, vt->table->schema, j, NULL);
    if (e) {
        return e;
    }
    struct condition *to = &vt->where;
    to->clauses = xrealloc(to->clauses, (to->n + where.n + 1) * sizeof *to->clauses);
    memcpy(to->clauses + to->n, where.clauses, where.n * sizeof *to->clauses);
    to->n += where.n;
    free(where.clauses);
    return NULL;
}

static struct db_error *parse_request(struct view_table *vt, const json_t *j, bool with_where)
{
    struct members m;
    members_init(&m, j, "monitor request");
    const json_t *columns = members_get(&m, "columns", MEMBER_ARRAY | MEMBER_OPTIONAL);
    const json_t *select_j = members_get(&m, "select", MEMBER_OBJECT | MEMBER_OPTIONAL);
    const json_t *where =
        with_where ? members_get(&m, "where", MEMBER_ARRAY | MEMBER_BOOLEAN | MEMBER_OPTIONAL) : NULL;
    struct db_error *e = members_finish(&m);
    unsigned select = SELECT_ALL;
    if (!e && select_j) {
        e = parse_select(select_j, &select);
    }
    struct column_list list = { 0, NULL };
    if (!e && columns) {
        e = column_list_from_json(&list, vt->table->schema, columns);
    } else if (!e) {
        column_list_all(&list, vt->table->schema);
    }
    if (!e) {
        vt->select |= select;
        e = add_columns(vt, &list, select, !columns);
    }
    column_list_fini(&list);
    if (!e && json_is_array(where)) {
        e = add_where(vt, where);
    }
    return e;
}

static struct db_error *parse_table(struct database *db, struct view_table *vt, const char *name,
                                    const json_t *j, bool with_where)
{
    vt->table = database_table(db, name);
    if (!vt->table) {
        return db_error_about(DB_E_UNKNOWN_TABLE, NULL, "database \"%s\" has no table \"%s\"",
                              db->schema->name, name);
    }
    vt->where.table = vt->table->schema;
    if (!json_is_array(j)) {   /* One request instead of an array, as early clients send. */
        return parse_request(vt, j, with_where);
    }
    for (size_t i = 0; i < json_array_size(j); i++) {
        struct db_error *e = parse_request(vt, json_array_get(j, i), with_where);
        if (e) {
            return e;
        }
    }
    return NULL;
}

struct db_error *monitor_view_create(struct database *db, enum monitor_version version,
                                     const json_t *requests, struct monitor_view **out)
{
    if (!json_is_object(requests)) {
        return db_error_syntax(requests, "monitor requests are an object with a member for each table");
    }
    struct monitor_view *v = xzalloc(sizeof *v);
    v->version = version;
    list_init(&v->monitors);
    v->tables = xcalloc(json_object_size(requests) + 1, sizeof *v->tables);
    v->by_table = xcalloc(db->schema->n_tables + 1, sizeof *v->by_table);
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) requests, name, value) {
        struct view_table *vt = &v->tables[v->n_tables++];
        struct db_error *e = parse_table(db, vt, name, value, version != MONITOR_V1);
        if (e) {
            monitor_view_destroy(v);
            return e;
        }
        v->by_table[vt->table->schema->index] = vt;
    }
    *out = v;
    return NULL;
}

void monitor_view_destroy(struct monitor_view *v)
{
    for (size_t i = 0; i < v->n_tables; i++) {
        condition_fini(&v->tables[i].where);
        free(v->tables[i].columns);
    }
    free(v->tables);
    free(v->by_table);
    free(v->key);
    free(v);
}

/* Rows as text --------------------------------------------------------------------------------------- */

static void put_name(const char *name, bool *first, struct text *t)
{
    if (!*first) {
        text_put_char(t, ',');
    }
    *first = false;
    text_put_char(t, '"');
    text_put(t, name);
    text_put_n(t, "\":", 2);
}

/* All columns that 'select' wants; V2 leaves out those with their default. */
static void put_row(const struct monitor_view *v, const struct view_table *vt, struct datum *const *columns,
                    unsigned select, struct text *t)
{
    bool first = true;
    text_put_char(t, '{');
    for (size_t i = 0; i < vt->n_columns; i++) {
        const struct column_schema *c = vt->columns[i].column;
        const struct datum *d = columns[c->index];
        if ((vt->columns[i].select & select) &&
            (v->version == MONITOR_V1 ||
             (d != c->initial && !datum_is_default(d, &c->type)))) {
            put_name(c->name, &first, t);
            datum_put_json(d, &c->type, t);
        }
    }
    text_put_char(t, '}');
}

/* The changed columns: as they were (V1), or the difference (V2). */
static bool put_changed(const struct monitor_view *v, const struct view_table *vt,
                        const struct db_change *change, struct text *t)
{
    bool first = true;
    text_put_char(t, '{');
    for (size_t i = 0; i < vt->n_columns; i++) {
        const struct column_schema *c = vt->columns[i].column;
        const struct datum *old = change->old[c->index], *new = change->new[c->index];
        if (old == new || !(vt->columns[i].select & SELECT_MODIFY)) {
            continue;
        }
        put_name(c->name, &first, t);
        if (v->version == MONITOR_V1) {
            datum_put_json(old, &c->type, t);
        } else {
            struct datum *diff = datum_diff(old, new, &c->type);
            datum_put_json(diff, &c->type, t);
            datum_put(diff, &c->type);
        }
    }
    text_put_char(t, '}');
    return !first;
}

static void put_uuid_name(const struct uuid *uuid, struct text *t)
{
    text_printf(t, "\""UUID_FMT"\":", UUID_ARGS(uuid));
}

static void put_appeared(const struct monitor_view *v, const struct view_table *vt,
                         const struct db_row *row, struct datum *const *columns, unsigned select,
                         struct text *t)
{
    put_uuid_name(&row->uuid, t);
    text_put(t, v->version == MONITOR_V1 ? "{\"new\":"
                : select == SELECT_INITIAL ? "{\"initial\":" : "{\"insert\":");
    put_row(v, vt, columns, select, t);
    text_put_char(t, '}');
}

static void put_vanished(const struct monitor_view *v, const struct view_table *vt,
                         const struct db_row *row, struct datum *const *columns, struct text *t)
{
    put_uuid_name(&row->uuid, t);
    if (v->version == MONITOR_V1) {
        text_put(t, "{\"old\":");
        put_row(v, vt, columns, SELECT_DELETE, t);
        text_put_char(t, '}');
    } else {
        text_put(t, "{\"delete\":null}");
    }
}

/* False if the view does not see the change. */
static bool put_change(const struct monitor_view *v, const struct view_table *vt,
                       const struct db_change *c, struct text *t)
{
    bool before = c->old && condition_any_holds(&vt->where, c->old);
    bool after = c->new && condition_any_holds(&vt->where, c->new);
    if (!before && after && (vt->select & SELECT_INSERT)) {
        put_appeared(v, vt, c->row, c->new, SELECT_INSERT, t);
        return true;
    }
    if (before && !after && (vt->select & SELECT_DELETE)) {
        put_vanished(v, vt, c->row, c->old, t);
        return true;
    }
    if (!before || !after || !(vt->select & SELECT_MODIFY)) {
        return false;
    }
    size_t start = t->len;
    put_uuid_name(&c->row->uuid, t);
    text_put(t, v->version == MONITOR_V1 ? "{\"old\":" : "{\"modify\":");
    if (!put_changed(v, vt, c, t)) {
        text_truncate(t, start);
        return false;
    }
    if (v->version == MONITOR_V1) {
        text_put(t, ",\"new\":");
        put_row(v, vt, c->new, SELECT_MODIFY, t);
    }
    text_put_char(t, '}');
    return true;
}

/* Updates as text: {"Table":{row,...},...} ------------------------------------------------------------ */

struct writer {
    struct text *t;
    const struct view_table *open;   /* The table whose object is open. */
    bool any;
    size_t undo;                     /* To here if nothing comes of what was begun. */
};

static void begin(struct writer *w, const struct view_table *vt)
{
    w->undo = w->t->len;
    if (w->open == vt) {
        text_put_char(w->t, ',');
    } else {
        text_printf(w->t, "%s\"%s\":{", w->open ? "}," : "", vt->table->schema->name);
    }
}

static void end(struct writer *w, const struct view_table *vt, bool put)
{
    if (put) {
        w->open = vt;
        w->any = true;
    } else {
        text_truncate(w->t, w->undo);
    }
}

static void finish(struct writer *w)
{
    text_put(w->t, w->open ? "}}" : "}");
}

void monitor_view_put_initial(const struct monitor_view *v, struct text *t)
{
    struct writer w = { .t = t };
    text_put_char(t, '{');
    for (size_t i = 0; i < v->n_tables; i++) {
        const struct view_table *vt = &v->tables[i];
        if (!(vt->select & SELECT_INITIAL)) {
            continue;
        }
        struct db_row *row;
        DB_TABLE_FOR_EACH (row, vt->table) {
            if (condition_any_holds(&vt->where, row->columns)) {
                begin(&w, vt);
                put_appeared(v, vt, row, row->columns, SELECT_INITIAL, t);
                end(&w, vt, true);
            }
        }
    }
    finish(&w);
}

bool monitor_view_put_changes(const struct monitor_view *v, struct db_change *const *changes, size_t n,
                              struct text *t)
{
    struct writer w = { .t = t };
    size_t start = t->len;
    text_put_char(t, '{');
    for (size_t i = 0; i < n; i++) {
        const struct view_table *vt = v->by_table[changes[i]->row->table->schema->index];
        if (vt) {
            begin(&w, vt);
            end(&w, vt, put_change(v, vt, changes[i], t));
        }
    }
    if (!w.any) {
        text_truncate(t, start);
        return false;
    }
    finish(&w);
    return true;
}

bool monitor_view_put_difference(const struct monitor_view *from, const struct monitor_view *to,
                                 struct text *t)
{
    struct writer w = { .t = t };
    size_t start = t->len;
    text_put_char(t, '{');
    for (size_t i = 0; i < to->n_tables; i++) {
        const struct view_table *vt = &to->tables[i];
        const struct view_table *old = from->by_table[vt->table->schema->index];
        struct db_row *row;
        DB_TABLE_FOR_EACH (row, vt->table) {
            bool before = condition_any_holds(&old->where, row->columns);
            bool after = condition_any_holds(&vt->where, row->columns);
            if (before == after || !(vt->select & (after ? SELECT_INSERT : SELECT_DELETE))) {
                continue;
            }
            begin(&w, vt);
            if (after) {
                put_appeared(to, vt, row, row->columns, SELECT_INSERT, t);
            } else {
                put_vanished(to, vt, row, row->columns, t);
            }
            end(&w, vt, true);
        }
    }
    if (!w.any) {
        text_truncate(t, start);
        return false;
    }
    finish(&w);
    return true;
}
