/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, columns and records by what people type: abbreviations, '-' for '_', names instead of UUIDs. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "utilities/vsctl.h"

const struct dbc_column vsctl_uuid_column = {
    .name = "_uuid",
    .type = { .key = { .type = ATOM_UUID }, .value = { .type = ATOM_VOID }, .min = 1, .max = 1 },
    .is_mutable = false,
    .member = DB_MEMBER_ONE,
};

/* How well 'typed' abbreviates 'name': 0 is not at all. */
static unsigned score(const char *name, const char *typed)
{
    if (!strcmp(name, typed)) {
        return UINT_MAX;
    }
    unsigned n = 0;
    for (; *typed; name++, typed++, n++) {
        char a = *name == '-' ? '_' : tolower((unsigned char) *name);
        char b = *typed == '-' ? '_' : tolower((unsigned char) *typed);
        if (a != b) {
            return 0;
        }
    }
    return *name ? n : UINT_MAX - 1;
}

/* The index of the only best match, or SIZE_MAX and the number of matches. */
static size_t best_match(const char *typed, size_t n, const char *(*name_at)(const void *, size_t),
                         const void *aux, size_t *n_matches, size_t *second)
{
    unsigned best = 0;
    size_t found = SIZE_MAX;
    *n_matches = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned s = score(name_at(aux, i), typed);
        if (s > best) {
            best = s;
            found = i;
            *n_matches = 1;
        } else if (s && s == best) {
            *second = i;
            ++*n_matches;
        }
    }
    return found;
}

static const char *table_name(const void *aux, size_t i)
{
    return db_schema.tables[i]->name;
}

struct error *vsctl_find_table(const char *name, const struct dbc_table **table)
{
    size_t n, second;
    size_t i = best_match(name, db_schema.n_tables, table_name, NULL, &n, &second);
    if (n == 1) {
        *table = db_schema.tables[i];
        return NULL;
    }
    return n ? error_new(EINVAL, "multiple table names match \"%s\": %s, %s", name,
                         table_name(NULL, i), table_name(NULL, second))
             : error_new(ENOENT, "unknown table \"%s\"", name);
}

static const char *column_name(const void *table_, size_t i)
{
    const struct dbc_table *table = table_;
    return i < table->n_columns ? table->columns[i].name : "_uuid";
}

struct error *vsctl_find_column(const struct dbc_table *table, const char *name,
                                const struct dbc_column **column)
{
    size_t n, second;
    size_t i = best_match(name, table->n_columns + 1, column_name, table, &n, &second);
    if (n == 1) {
        *column = i < table->n_columns ? &table->columns[i] : &vsctl_uuid_column;
        return NULL;
    }
    return n ? error_new(EINVAL, "%s contains more than one column whose name matches \"%s\": %s, %s",
                         table->name, name, column_name(table, i), column_name(table, second))
             : error_new(ENOENT, "%s does not contain a column whose name matches \"%s\"", table->name,
                         name);
}

/* Symbols ---------------------------------------------------------------------------------------- */

struct vsctl_symbol *vsctl_symbol(struct vsctl *v, const char *name)
{
    for (size_t i = 0; i < v->n_symbols; i++) {
        if (!strcmp(v->symbols[i].name, name)) {
            return &v->symbols[i];
        }
    }
    if (v->n_symbols == v->allocated_symbols) {
        v->symbols = xgrow(v->symbols, &v->allocated_symbols, sizeof *v->symbols);
    }
    struct vsctl_symbol *s = &v->symbols[v->n_symbols++];
    *s = (struct vsctl_symbol) { .name = xstrdup(name), .uuid = uuid_random() };
    return s;
}

struct error *vsctl_check_symbols(struct vsctl *v)
{
    for (size_t i = 0; i < v->n_symbols; i++) {
        const struct vsctl_symbol *s = &v->symbols[i];
        if (!s->is_created) {
            return error_new(ENOENT, "row id \"%s\" is referenced but never created (e.g. with \"-- "
                             "--id=%s create ...\")", s->name, s->name);
        }
    }
    return NULL;
}

/* Records ---------------------------------------------------------------------------------------- */

/* Ways to name a record other than by its UUID: by a column of its own, by the name of a record that refers
 * to it, or, being the only one, by ".". */
static const struct row_name {
    const struct dbc_table *table;
    const struct dbc_column *name;        /* NULL: ".". */
    const struct dbc_column *reference;   /* From the named record to it. */
} row_names[] = {
    { &db_autoattach_table, &db_bridge_col_name, &db_bridge_col_auto_attach },
    { &db_bridge_table, &db_bridge_col_name, NULL },
    { &db_controller_table, &db_bridge_col_name, &db_bridge_col_controller },
    { &db_flow_sample_collector_set_table, &db_flow_sample_collector_set_col_id, NULL },
    { &db_flow_table_table, &db_flow_table_col_name, NULL },
    { &db_interface_table, &db_interface_col_name, NULL },
    { &db_ipfix_table, &db_bridge_col_name, &db_bridge_col_ipfix },
    { &db_manager_table, &db_manager_col_target, NULL },
    { &db_mirror_table, &db_mirror_col_name, NULL },
    { &db_netflow_table, &db_bridge_col_name, &db_bridge_col_netflow },
    { &db_open_vswitch_table, NULL, NULL },
    { &db_port_table, &db_port_col_name, NULL },
    { &db_qos_table, &db_port_col_name, &db_port_col_qos },
    { &db_sflow_table, &db_bridge_col_name, &db_bridge_col_sflow },
    { &db_ssl_table, NULL, NULL },
};

void vsctl_watch_names(struct vsctl *v, const struct dbc_table *table)
{
    for (size_t i = 0; i < ARRAY_SIZE(row_names); i++) {
        const struct row_name *r = &row_names[i];
        if (r->table == table && r->name) {
            db_client_monitor_column(v->client, r->name);
            if (r->reference) {
                db_client_monitor_column(v->client, r->reference);
            }
        }
    }
}

static bool has_name(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c,
                     const char *id)
{
    if (c->type.key.type == ATOM_INTEGER) {
        int64_t n;
        return parse_i64(id, &n) && vsctl_count(v, row, c) && n == vsctl_integer(v, row, c, 0);
    }
    return vsctl_count(v, row, c) && !strcmp(vsctl_string(v, row, c), id);
}

static struct error *find_by_name(struct vsctl *v, const struct row_name *r, const char *id,
                                  const struct dbc_row **found)
{
    if (!r->name) {
        *found = strcmp(id, ".") ? NULL : dbc_txn_first(v->txn, r->table);
        return NULL;
    }
    const struct dbc_row *row;
    for (row = dbc_txn_first(v->txn, r->name->table); row; row = dbc_txn_next(v->txn, row)) {
        if (!has_name(v, row, r->name, id)) {
            continue;
        }
        if (*found) {
            return error_new(EINVAL, "multiple rows in %s match \"%s\"", r->table->name, id);
        }
        if (!r->reference) {
            *found = row;
        } else if (vsctl_count(v, row, r->reference) > 1) {
            return error_new(EINVAL, "\"%s\" has several rows of %s; name one by its UUID", id,
                             r->table->name);
        } else if (vsctl_count(v, row, r->reference)) {
            *found = vsctl_ref(v, row, r->reference, 0);
        }
    }
    return NULL;
}

/* At least four digits of the beginning of a UUID. */
static bool is_part_of_uuid(const char *s)
{
    size_t n = strlen(s);
    if (n < 4 || n >= UUID_LEN) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : !isxdigit((unsigned char) s[i])) {
            return false;
        }
    }
    return true;
}

static const struct dbc_row *find_by_part_of_uuid(struct vsctl *v, const struct dbc_table *table,
                                                  const char *part)
{
    const struct dbc_row *row, *found = NULL;
    for (row = dbc_txn_first(v->txn, table); row; row = dbc_txn_next(v->txn, row)) {
        char text[UUID_LEN + 1];
        snprintf(text, sizeof text, UUID_FMT, UUID_ARGS(&row->uuid));
        if (!strncasecmp(text, part, strlen(part))) {
            if (found) {
                return NULL;
            }
            found = row;
        }
    }
    return found;
}

struct error *vsctl_find_row(struct vsctl *v, const struct dbc_table *table, const char *id,
                             bool must_exist, const struct dbc_row **row)
{
    struct uuid uuid;
    *row = NULL;
    if (strlen(id) == UUID_LEN && uuid_parse(id, &uuid)) {
        *row = dbc_txn_get_row(v->txn, table, &uuid);
    } else if (id[0] == '@') {
        for (size_t i = 0; i < v->n_symbols; i++) {
            if (!strcmp(v->symbols[i].name, id) && v->symbols[i].is_created) {
                *row = dbc_txn_get_row(v->txn, table, &v->symbols[i].uuid);
            }
        }
    } else {
        for (size_t i = 0; i < ARRAY_SIZE(row_names) && !*row; i++) {
            if (row_names[i].table == table) {
                struct error *e = find_by_name(v, &row_names[i], id, row);
                if (e) {
                    return e;
                }
            }
        }
        if (!*row && is_part_of_uuid(id)) {
            *row = find_by_part_of_uuid(v, table, id);
        }
    }
    return *row || !must_exist ? NULL
                               : error_new(ENOENT, "no row \"%s\" in table %s", id, table->name);
}
