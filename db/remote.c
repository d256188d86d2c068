/* SPDX-License-Identifier: Apache-2.0 */
/* Remotes of the database server: addresses to listen on or connect to, given by hand or by rows. */
#include <errno.h>
#include <stdlib.h>

#include "db/error.h"
#include "db/server_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/stream.h"
#include "lib/sys/log.h"

LOG_MODULE(ovsdb_remote);

enum {
    DEFAULT_PORT = 6640,
    DEFAULT_PROBE_MS = 5000,      /* Of TCP; unix sockets tell when the peer is gone. */
    MIN_BACKOFF_MS = 1000,
    DEFAULT_MAX_BACKOFF_MS = 8000,
};

/* A column that holds remotes: "db:DB,TABLE,COLUMN". */
struct remote_column {
    struct list node;
    char *name;                   /* As it was given. */
    char *db, *table, *column;
};

struct db_remote {
    struct list node;
    struct db_server *server;
    struct remote_column *column; /* NULL: given by hand. */
    struct uuid row;              /* That names it, of 'column'; zero if it is a string. */
    char *target;
    int64_t max_backoff_ms, probe_ms;   /* -1: the default. */
    bool read_only;
    bool wanted;                  /* While the columns are followed. */
    struct stream_listener *listener;
    struct stream *connecting;    /* Of an active one, until it is a session. */
    struct db_session *active;
    size_t n_sessions;
    int64_t backoff_ms;
    struct loop_timer timer;      /* Next attempt. */
    char *last_error;
};

static bool is_passive(const char *target)
{
    return !strncmp(target, "punix:", 6) || !strncmp(target, "ptcp:", 5);
}

static bool is_unix(const char *target)
{
    return !strncmp(target, "punix:", 6) || !strncmp(target, "unix:", 5);
}

static int probe_ms(const struct db_remote *r)
{
    return r->probe_ms >= 0 ? r->probe_ms : is_unix(r->target) ? 0 : DEFAULT_PROBE_MS;
}

static void set_error(struct db_remote *r, const char *text)
{
    free(r->last_error);
    r->last_error = xstrdup_or_null(text);
    r->server->status_stale = true;
    loop_hook_again(r->server->loop);
}

/* Opening ------------------------------------------------------------------------------------------- */

static void accepted(struct stream *stream, void *remote)
{
    struct db_remote *r = remote;
    if (db_session_create(r->server, stream, r, probe_ms(r), r->read_only)) {
        r->n_sessions++;
        set_error(r, NULL);
    }
}

static void try_later(struct db_remote *r, const char *why)
{
    int64_t limit = r->max_backoff_ms > 0 ? r->max_backoff_ms : DEFAULT_MAX_BACKOFF_MS;
    r->backoff_ms = MIN(r->backoff_ms ? 2 * r->backoff_ms : MIN_BACKOFF_MS, limit);
    LOG_INFO("%s: %s, next attempt in %lld ms", r->target, why, (long long) r->backoff_ms);
    set_error(r, why);
    loop_timer_after_ms(&r->timer, r->backoff_ms);
}

static void active_connected(struct stream *stream, void *remote)
{
    struct db_remote *r = remote;
    r->connecting = NULL;
    r->active = db_session_create(r->server, stream, r, probe_ms(r), r->read_only);
    if (r->active) {
        LOG_INFO("%s: connected", r->target);
        r->n_sessions++;
        r->backoff_ms = 0;
        set_error(r, NULL);
    } else {
        try_later(r, "too many sessions");
    }
}

static void active_readable(struct stream *stream, void *remote)
{
    /* Connected first: then it is a session's. */
}

static void active_closed(struct stream *stream, int errno_value, void *remote)
{
    struct db_remote *r = remote;
    stream_destroy(r->connecting);
    r->connecting = NULL;
    try_later(r, errno_value ? strerror(errno_value) : "connection closed");
}

static struct error *open_now(struct db_remote *r)
{
    static const struct stream_callbacks callbacks = {
        .connected = active_connected, .readable = active_readable, .closed = active_closed,
    };
    if (is_passive(r->target)) {
        return stream_listen(r->server->loop, r->target, DEFAULT_PORT, accepted, r, &r->listener);
    }
    struct error *e = stream_open(r->server->loop, r->target, DEFAULT_PORT, &r->connecting);
    if (!e) {
        stream_set_callbacks(r->connecting, &callbacks, r);
    }
    return e;
}

static void attempt(void *remote)
{
    struct db_remote *r = remote;
    struct error *e = open_now(r);
    if (e) {
        try_later(r, error_text(e));
        error_free(e);
    }
}

static struct db_remote *remote_create(struct db_server *s, const char *target,
                                       struct remote_column *column, const struct uuid *row)
{
    struct db_remote *r = xzalloc(sizeof *r);
    r->server = s;
    r->column = column;
    r->row = row ? *row : (struct uuid) { { 0 } };
    r->target = xstrdup(target);
    r->max_backoff_ms = r->probe_ms = -1;
    loop_timer_init(&r->timer, s->loop, attempt, r);
    list_push_back(&s->remotes, &r->node);
    return r;
}

/* Its sessions end with it. */
static void remote_destroy(struct db_remote *r)
{
    list_remove(&r->node);
    loop_timer_cancel(&r->timer);
    stream_listener_destroy(r->listener);
    stream_destroy(r->connecting);
    db_session_leave_remote(r->server, r);
    free(r->target);
    free(r->last_error);
    free(r);
}

void db_remote_session_closed(struct db_remote *r, struct db_session *session)
{
    r->n_sessions--;
    r->server->status_stale = true;
    if (session == r->active) {
        r->active = NULL;
        try_later(r, "connection closed");
    }
}

void db_remotes_destroy(struct db_server *s)
{
    while (!list_is_empty(&s->remotes)) {
        remote_destroy(LIST_ENTRY(s->remotes.next, struct db_remote, node));
    }
    while (!list_is_empty(&s->columns)) {
        struct remote_column *c = LIST_ENTRY(list_pop_front(&s->columns), struct remote_column, node);
        free(c->name);
        free(c->db);
        free(c->table);
        free(c->column);
        free(c);
    }
}

/* Columns of remotes ----------------------------------------------------------------------------------- */

struct column_place {
    struct served_db *db;
    struct db_table *table;
    const struct column_schema *column;
    struct db_table *targets;     /* That the column refers to; NULL if it holds strings. */
};

/* Where the column is now; an error if it is not there or cannot hold remotes. */
static struct error *find_column(const struct db_server *s, const struct remote_column *c,
                                 struct column_place *place)
{
    place->db = db_server_find(s, c->db);
    place->table = place->db ? database_table(place->db->store->db, c->table) : NULL;
    place->column = place->table ? table_schema_column(place->table->schema, c->column) : NULL;
    if (!place->column) {
        return error_new(ENOENT, "remote \"%s\": there is no %s \"%s\"", c->name,
                         !place->db ? "database" : !place->table ? "table" : "column",
                         !place->db ? c->db : !place->table ? c->table : c->column);
    }
    const struct column_type *type = &place->column->type;
    place->targets = db_table_ref(place->table, place->column->key_ref);
    if (!column_type_is_map(type) &&
        (type->key.type == ATOM_STRING || (type->key.type == ATOM_UUID && place->targets))) {
        return NULL;
    }
    return error_new(EINVAL, "remote \"%s\": column \"%s\" holds neither strings nor references to rows "
                     "with a column \"target\"", c->name, c->column);
}

static const struct datum *row_datum(const struct db_row *row, const char *name, enum atom_type type)
{
    const struct column_schema *c = table_schema_column(row->table->schema, name);
    return c && c->type.key.type == type && !column_type_is_map(&c->type) ? row->columns[c->index]
                                                                          : NULL;
}

static int64_t row_integer(const struct db_row *row, const char *name)
{
    const struct datum *d = row_datum(row, name, ATOM_INTEGER);
    return d && d->n == 1 ? d->atoms[0].integer : -1;
}

/* The remote of that name is wanted: finds or makes it. */
static void want(struct db_server *s, struct remote_column *c, const char *target,
                 const struct db_row *row)
{
    struct uuid uuid = row ? row->uuid : (struct uuid) { { 0 } };
    struct db_remote *r, *found = NULL;
    LIST_FOR_EACH (r, node, &s->remotes) {
        if (r->column == c && uuid_equal(&r->row, &uuid) && !strcmp(r->target, target)) {
            found = r;
        }
    }
    struct error *why = NULL;
    if (!found && !stream_address_is_valid(target, is_passive(target), &why)) {
        LOG_WARN("%s: %s", c->name, error_text(why));
        error_free(why);
        return;
    }
    bool new = !found;
    if (new) {
        found = remote_create(s, target, c, row ? &row->uuid : NULL);
    }
    found->wanted = true;
    if (row) {
        const struct datum *read_only = row_datum(row, "read_only", ATOM_BOOLEAN);
        found->max_backoff_ms = row_integer(row, "max_backoff");
        found->probe_ms = MIN(row_integer(row, "inactivity_probe"), INT32_MAX);
        found->read_only = read_only && read_only->n == 1 && read_only->atoms[0].boolean;
    }
    if (new) {
        s->status_stale = true;
        attempt(found);
    }
}

static void follow_column(struct db_server *s, struct remote_column *c)
{
    struct column_place p;
    struct error *e = find_column(s, c, &p);
    if (e) {
        LOG_WARN("%s", error_text(e));
        error_free(e);
        return;
    }
    struct db_row *row;
    DB_TABLE_FOR_EACH (row, p.table) {
        const struct datum *d = row->columns[p.column->index];
        for (uint32_t i = 0; i < d->n; i++) {
            if (!p.targets) {
                want(s, c, atom_string(&d->atoms[i]), NULL);
                continue;
            }
            const struct db_row *target = db_table_row(p.targets, &d->atoms[i].uuid);
            const struct datum *name = target ? row_datum(target, "target", ATOM_STRING) : NULL;
            if (name && name->n == 1 && *atom_string(&name->atoms[0])) {
                want(s, c, atom_string(&name->atoms[0]), target);
            }
        }
    }
}

void db_remotes_update(struct db_server *s)
{
    struct db_remote *r, *next;
    LIST_FOR_EACH (r, node, &s->remotes) {
        r->wanted = !r->column;
    }
    struct remote_column *c;
    LIST_FOR_EACH (c, node, &s->columns) {
        follow_column(s, c);
    }
    LIST_FOR_EACH_SAFE (r, next, node, &s->remotes) {
        if (!r->wanted) {
            LOG_INFO("%s: remote removed", r->target);
            remote_destroy(r);
        }
    }
}

/* Status in rows ---------------------------------------------------------------------------------------- */

static void add_status(struct text *t, const char *key, const char *value)
{
    text_printf(t, "%s[\"%s\",", t->len > 8 ? "," : "", key);
    json_put_string(t, value, strlen(value));
    text_put_char(t, ']');
}

static struct datum *status_of(const struct db_remote *r, const struct column_type *type)
{
    struct text t = TEXT_INIT;
    char number[32];
    text_put(&t, "[\"map\",[");
    if (r->listener) {
        snprintf(number, sizeof number, "%zu", r->n_sessions);
        add_status(&t, "n_connections", number);
        if (stream_listener_port(r->listener)) {
            snprintf(number, sizeof number, "%u", stream_listener_port(r->listener));
            add_status(&t, "bound_port", number);
        }
    }
    add_status(&t, "state", r->active || r->listener ? "ACTIVE"
               : r->connecting ? "CONNECTING" : "BACKOFF");
    if (r->last_error) {
        add_status(&t, "last_error", r->last_error);
    }
    text_put(&t, "]]");
    struct datum *d = NULL;
    json_t *j = json_loads(text_str(&t), 0, NULL);
    struct db_error *e = j ? datum_from_json(&d, type, j, NULL) : NULL;
    db_error_free(e);
    json_decref(j);
    text_fini(&t);
    return d ? d : datum_default(type);
}

static void write_row(struct db_txn *txn, const struct db_remote *r, struct db_row *row)
{
    const struct column_schema *c = table_schema_column(row->table->schema, "is_connected");
    if (c && column_type_is_scalar(&c->type) && c->type.key.type == ATOM_BOOLEAN) {
        db_txn_set(txn, row, c->index, datum_of_boolean(r->n_sessions > 0));
    }
    c = table_schema_column(row->table->schema, "status");
    if (c && c->type.key.type == ATOM_STRING && c->type.value.type == ATOM_STRING) {
        db_txn_set(txn, row, c->index, status_of(r, &c->type));
    }
}

void db_remotes_write_status(struct db_server *s)
{
    struct remote_column *c;
    LIST_FOR_EACH (c, node, &s->columns) {
        struct column_place p;
        struct error *e = find_column(s, c, &p);
        if (e || !p.targets || p.db->read_only) {
            error_free(e);
            continue;
        }
        struct db_txn *txn = db_txn_begin(p.db->store->db);
        struct db_remote *r;
        LIST_FOR_EACH (r, node, &s->remotes) {
            struct db_row *row = r->column == c ? db_table_row(p.targets, &r->row) : NULL;
            if (row) {
                write_row(txn, r, row);
            }
        }
        served_db_commit_own(p.db, txn);
    }
}

/* By hand ------------------------------------------------------------------------------------------------ */

static struct error *parse_column(const char *remote, struct remote_column *c)
{
    char *copy = xstrdup(remote + 3), *save = NULL;
    const char *db = strtok_r(copy, ",", &save), *table = strtok_r(NULL, ",", &save);
    const char *column = strtok_r(NULL, ",", &save);
    bool good = column && !strtok_r(NULL, ",", &save);
    if (good) {
        c->name = xstrdup(remote);
        c->db = xstrdup(db);
        c->table = xstrdup(table);
        c->column = xstrdup(column);
    }
    free(copy);
    return good ? NULL : error_new(EINVAL, "remote \"%s\": is not of the form db:DB,TABLE,COLUMN", remote);
}

static struct error *add_column(struct db_server *s, const char *remote)
{
    struct remote_column *c = xzalloc(sizeof *c);
    struct column_place place;
    struct error *e = parse_column(remote, c);
    if (e) {
        free(c);
        return e;
    }
    list_push_back(&s->columns, &c->node);
    e = find_column(s, c, &place);
    if (e) {
        struct error *ignored = db_server_remove_remote(s, remote);
        error_free(ignored);
        return e;
    }
    s->status_stale = true;
    db_remotes_update(s);
    return NULL;
}

static bool is_there(const struct db_server *s, const char *remote)
{
    struct remote_column *c;
    LIST_FOR_EACH (c, node, &s->columns) {
        if (!strcmp(c->name, remote)) {
            return true;
        }
    }
    struct db_remote *r;
    LIST_FOR_EACH (r, node, &s->remotes) {
        if (!r->column && !strcmp(r->target, remote)) {
            return true;
        }
    }
    return false;
}

struct error *db_server_add_remote(struct db_server *s, const char *remote)
{
    if (is_there(s, remote)) {
        return NULL;
    }
    if (!strncmp(remote, "db:", 3)) {
        return add_column(s, remote);
    }
    struct error *e = NULL;
    if (!stream_address_is_valid(remote, is_passive(remote), &e)) {
        return error_wrap(e, "remote \"%s\"", remote);
    }
    struct db_remote *r = remote_create(s, remote, NULL, NULL);
    if (!is_passive(remote)) {
        attempt(r);
        return NULL;
    }
    e = open_now(r);
    if (e) {
        remote_destroy(r);
    }
    return e;
}

struct error *db_server_remove_remote(struct db_server *s, const char *remote)
{
    struct remote_column *c, *next_column;
    LIST_FOR_EACH_SAFE (c, next_column, node, &s->columns) {
        if (!strcmp(c->name, remote)) {
            struct db_remote *r, *next;
            LIST_FOR_EACH_SAFE (r, next, node, &s->remotes) {
                if (r->column == c) {
                    remote_destroy(r);
                }
            }
            list_remove(&c->node);
            free(c->name);
            free(c->db);
            free(c->table);
            free(c->column);
            free(c);
            return NULL;
        }
    }
    struct db_remote *r;
    LIST_FOR_EACH (r, node, &s->remotes) {
        if (!r->column && !strcmp(r->target, remote)) {
            remote_destroy(r);
            return NULL;
        }
    }
    return error_new(ENOENT, "there is no remote \"%s\"", remote);
}

void db_server_list_remotes(const struct db_server *s, struct text *t)
{
    struct remote_column *c;
    LIST_FOR_EACH (c, node, &s->columns) {
        text_printf(t, "%s\n", c->name);
    }
    struct db_remote *r;
    LIST_FOR_EACH (r, node, &s->remotes) {
        if (!r->column) {
            text_printf(t, "%s\n", r->target);
        }
    }
}
