/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of the database server: a client's requests, its transactions and monitors. */
#include <stdlib.h>

#include "db/error.h"
#include "db/server_private.h"
#include "db/session_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/jsonrpc.h"
#include "lib/rpc/stream.h"
#include "lib/sys/log.h"

LOG_MODULE(ovsdb_session);

static void session_message(struct jsonrpc *, const struct jsonrpc_message *, void *session);
static void session_closed(struct jsonrpc *, struct error *, void *session);

static const struct jsonrpc_callbacks callbacks = {
    .message = session_message,
    .closed = session_closed,
};

struct db_session *db_session_create(struct db_server *server, struct stream *stream,
                                     struct db_remote *remote, int probe_ms, bool read_only)
{
    if (server->n_sessions >= server->limits.max_sessions) {
        LOG_WARN("%s: refused, there are %zu sessions already", stream_name(stream),
                 server->n_sessions);
        stream_destroy(stream);
        return NULL;
    }
    struct db_session *s = xzalloc(sizeof *s);
    s->server = server;
    s->remote = remote;
    s->read_only = read_only;
    list_init(&s->triggers);
    list_init(&s->monitors);
    list_init(&s->locks);
    list_push_back(&server->sessions, &s->node);
    server->n_sessions++;
    s->rpc = jsonrpc_create(server->loop, stream, &callbacks, s);
    jsonrpc_set_probe_ms(s->rpc, probe_ms);
    return s;
}

/* Only marks it: this is called from within loops over sessions, monitors and transactions. */
void db_session_kill(struct db_session *s)
{
    if (!s->dead) {
        s->dead = true;
        list_remove(&s->node);
        list_push_back(&s->server->dead_sessions, &s->node);
        s->server->n_sessions--;
        loop_hook_again(s->server->loop);
    }
}

void db_session_destroy(struct db_session *s)
{
    db_session_kill(s);
    list_remove(&s->node);
    while (!list_is_empty(&s->monitors)) {
        db_monitor_destroy(LIST_ENTRY(s->monitors.next, struct db_monitor, owner_node));
    }
    session_drop_transactions(s);
    db_lock_release_all(s);
    if (s->remote) {
        db_remote_session_closed(s->remote, s);
    }
    jsonrpc_destroy(s->rpc);
    free(s);
}

static void session_closed(struct jsonrpc *rpc, struct error *e, void *session)
{
    struct db_session *s = session;
    if (e) {
        LOG_INFO("%s: session closed: %s", jsonrpc_name(rpc), error_text(e));
    }
    db_session_kill(s);
}

const char *db_session_name(const struct db_session *s)
{
    return jsonrpc_name(s->rpc);
}

struct list *db_session_locks(struct db_session *s)
{
    return &s->locks;
}

struct db_server *db_session_server(const struct db_session *s)
{
    return s->server;
}

/* Sending ------------------------------------------------------------------------------------------- */

void session_send_text(struct db_session *s, const char *text, size_t n)
{
    if (s->dead) {
        return;
    }
    size_t queued = jsonrpc_queued_bytes(s->rpc);
    if (queued > s->server->limits.max_queued_bytes) {
        LOG_WARN("%s: disconnected, it has left %zu bytes unread", jsonrpc_name(s->rpc), queued);
        db_session_kill(s);
        return;
    }
    jsonrpc_send_text(s->rpc, text, n);
}

void db_session_send_update(void *session, const char *text, size_t n)
{
    session_send_text(session, text, n);
}

/* 'result' is JSON text. */
void session_reply_text(struct db_session *s, const json_t *id, const char *result, size_t n)
{
    struct text t = TEXT_INIT;
    char *id_text = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
    text_printf(&t, "{\"id\":%s,\"result\":", id_text);
    text_put_n(&t, result, n);
    text_put(&t, ",\"error\":null}");
    session_send_text(s, t.s, t.len);
    free(id_text);
    text_fini(&t);
}

static void reply(struct db_session *s, const json_t *id, const char *result)
{
    session_reply_text(s, id, result, strlen(result));
}

void session_reply_error_json(struct db_session *s, const json_t *id, json_t *error)
{
    char *error_string = json_dumps(error, JSON_COMPACT | JSON_ENCODE_ANY);
    char *id_string = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = xasprintf("{\"id\":%s,\"result\":null,\"error\":%s}", id_string, error_string);
    session_send_text(s, text, strlen(text));
    free(text);
    free(id_string);
    free(error_string);
    json_decref(error);
}

void session_reply_error(struct db_session *s, const json_t *id, struct db_error *e)
{
    session_reply_error_json(s, id, db_error_to_json(e));
    db_error_free(e);
}

void db_session_notify_lock(struct db_session *s, const char *method, const char *lock)
{
    char *text = xasprintf("{\"id\":null,\"method\":\"%s\",\"params\":[\"%s\"]}", method, lock);
    session_send_text(s, text, strlen(text));
    free(text);
}

/* The database that a request names as its first parameter; NULL after an error reply. */
struct served_db *session_find_db(struct db_session *s, const struct jsonrpc_message *m)
{
    const json_t *name = json_array_get(m->params, 0);
    if (!json_is_string(name)) {
        session_reply_error(s, m->id, db_error_syntax(m->params, "\"%s\" needs the name of a database as its "
                                              "first parameter", m->method));
        return NULL;
    }
    struct served_db *db = db_server_find(s->server, json_string_value(name));
    if (!db) {
        session_reply_error(s, m->id, db_error_about(DB_E_UNKNOWN_DATABASE, m->params, "there is no database "
                                             "\"%s\"", json_string_value(name)));
    }
    return db;
}

/* Monitors ------------------------------------------------------------------------------------------- */

static struct db_monitor *find_monitor(struct db_session *s, const json_t *id)
{
    struct db_monitor *m;
    LIST_FOR_EACH (m, owner_node, &s->monitors) {
        if (json_equal(m->id, id)) {
            return m;
        }
    }
    return NULL;
}

static void monitor_destroy(struct db_session *s, struct db_monitor *m)
{
    db_monitor_destroy(m);
    s->n_monitors--;
}

static void start_monitor(struct db_session *s, const struct jsonrpc_message *m,
                          enum monitor_version version, size_t n_params)
{
    struct served_db *db = session_find_db(s, m);
    if (!db) {
        return;
    }
    const json_t *id = json_array_get(m->params, 1), *requests = json_array_get(m->params, 2);
    struct db_error *e = NULL;
    struct db_monitor *monitor;
    if (json_array_size(m->params) != n_params) {
        e = db_error_syntax(m->params, "\"%s\" takes %zu parameters", m->method, n_params);
    } else if (find_monitor(s, id)) {
        e = db_error_syntax(id, "this session has a monitor of that name already");
    } else if (s->n_monitors >= s->server->limits.max_monitors) {
        e = db_error_new(DB_E_RESOURCES, "this session has %zu monitors already", s->n_monitors);
    } else {
        served_db_flush(db);   /* Nobody sees what is not written yet. */
        e = db_monitor_create(&db->monitors, version, id, requests, s, &monitor);
    }
    if (e) {
        session_reply_error(s, m->id, e);
        return;
    }
    list_push_back(&s->monitors, &monitor->owner_node);
    s->n_monitors++;
    struct text t = TEXT_INIT;
    if (version == MONITOR_V3) {
        text_put(&t, "[false,\"00000000-0000-0000-0000-000000000000\",");
    }
    db_monitor_put_initial(monitor, &t);
    text_put(&t, version == MONITOR_V3 ? "]" : "");
    session_reply_text(s, m->id, t.s, t.len);
    text_fini(&t);
}

static void do_monitor(struct db_session *s, const struct jsonrpc_message *m)
{
    start_monitor(s, m, MONITOR_V1, 3);
}

static void do_monitor_cond(struct db_session *s, const struct jsonrpc_message *m)
{
    start_monitor(s, m, MONITOR_V2, 3);
}

static void do_monitor_cond_since(struct db_session *s, const struct jsonrpc_message *m)
{
    start_monitor(s, m, MONITOR_V3, 4);
}

static void do_monitor_cond_change(struct db_session *s, const struct jsonrpc_message *m)
{
    const json_t *new_id = json_array_get(m->params, 1);
    struct db_monitor *monitor = find_monitor(s, json_array_get(m->params, 0));
    struct db_error *e;
    if (json_array_size(m->params) != 3) {
        e = db_error_syntax(m->params, "\"%s\" takes 3 parameters", m->method);
    } else if (!monitor) {
        e = db_error_syntax(m->params, "this session has no monitor of that name");
    } else if (monitor->version == MONITOR_V1) {
        e = db_error_syntax(m->params, "the monitor has no conditions");
    } else if (!json_equal(new_id, monitor->id) && find_monitor(s, new_id)) {
        e = db_error_syntax(new_id, "this session has a monitor of that name already");
    } else {
        struct served_db *db = CONTAINER_OF(monitor->set, struct served_db, monitors);
        served_db_flush(db);
        e = s->dead ? NULL : db_monitor_change(monitor, new_id, json_array_get(m->params, 2));
    }
    if (e) {
        session_reply_error(s, m->id, e);
    } else {
        reply(s, m->id, "{}");
    }
}

static void do_monitor_cancel(struct db_session *s, const struct jsonrpc_message *m)
{
    struct db_monitor *monitor = find_monitor(s, json_array_get(m->params, 0));
    if (monitor) {
        monitor_destroy(s, monitor);
        reply(s, m->id, "{}");
    } else {
        session_reply_error_json(s, m->id, json_string(DB_E_UNKNOWN_MONITOR));
    }
}

/* Locks ---------------------------------------------------------------------------------------------- */

static const char *lock_name(struct db_session *s, const struct jsonrpc_message *m)
{
    const json_t *name = json_array_get(m->params, 0);
    if (json_array_size(m->params) == 1 && json_is_string(name) && json_is_id(json_string_value(name))) {
        return json_string_value(name);
    }
    session_reply_error(s, m->id, db_error_syntax(m->params, "\"%s\" takes the name of a lock", m->method));
    return NULL;
}

static void acquire(struct db_session *s, const struct jsonrpc_message *m, bool steal)
{
    const char *name = lock_name(s, m);
    if (name && list_size(&s->locks) >= s->server->limits.max_locks) {
        session_reply_error(s, m->id, db_error_new(DB_E_RESOURCES, "this session has asked for %zu locks already",
                                           list_size(&s->locks)));
    } else if (name) {
        bool fresh;
        bool owned = db_lock_acquire(s, name, steal, &fresh);
        if (fresh) {
            reply(s, m->id, owned ? "{\"locked\":true}" : "{\"locked\":false}");
        } else {
            session_reply_error(s, m->id, db_error_syntax(m->params, "this session has asked for lock \"%s\" "
                                                  "before, and has to unlock it first", name));
        }
    }
}

static void do_lock(struct db_session *s, const struct jsonrpc_message *m)
{
    acquire(s, m, false);
}

static void do_steal(struct db_session *s, const struct jsonrpc_message *m)
{
    acquire(s, m, true);
}

static void do_unlock(struct db_session *s, const struct jsonrpc_message *m)
{
    const char *name = lock_name(s, m);
    if (!name) {
        return;
    }
    if (db_lock_release(s, name)) {
        reply(s, m->id, "{}");
    } else {
        session_reply_error(s, m->id, db_error_syntax(m->params, "this session has not asked for lock \"%s\"",
                                              name));
    }
}

/* The rest ------------------------------------------------------------------------------------------- */

static void do_echo(struct db_session *s, const struct jsonrpc_message *m)
{
    char *params = json_dumps(m->params, JSON_COMPACT);
    reply(s, m->id, params);
    free(params);
}

static void do_list_dbs(struct db_session *s, const struct jsonrpc_message *m)
{
    struct text t = TEXT_INIT;
    struct served_db *db;
    text_put_char(&t, '[');
    LIST_FOR_EACH (db, node, &s->server->dbs) {
        text_printf(&t, "%s\"%s\"", t.len > 1 ? "," : "", db->name);
    }
    text_put_char(&t, ']');
    reply(s, m->id, text_str(&t));
    text_fini(&t);
}

static void do_get_schema(struct db_session *s, const struct jsonrpc_message *m)
{
    struct served_db *db = session_find_db(s, m);
    if (db) {
        reply(s, m->id, db->store->db->schema->json);
    }
}

static void do_get_server_id(struct db_session *s, const struct jsonrpc_message *m)
{
    char *text = xasprintf("\""UUID_FMT"\"", UUID_ARGS(&s->server->id));
    reply(s, m->id, text);
    free(text);
}

static void do_set_db_change_aware(struct db_session *s, const struct jsonrpc_message *m)
{
    const json_t *aware = json_array_get(m->params, 0);
    if (json_array_size(m->params) != 1 || !json_is_boolean(aware)) {
        session_reply_error(s, m->id, db_error_syntax(m->params, "\"%s\" takes true or false", m->method));
        return;
    }
    s->db_change_aware = json_is_true(aware);
    reply(s, m->id, "{}");
}

static const struct {
    const char *method;
    void (*run)(struct db_session *, const struct jsonrpc_message *);
} methods[] = {
    { "transact", session_transact },
    { "monitor", do_monitor },
    { "monitor_cond", do_monitor_cond },
    { "monitor_cond_since", do_monitor_cond_since },
    { "monitor_cond_change", do_monitor_cond_change },
    { "monitor_cancel", do_monitor_cancel },
    { "lock", do_lock },
    { "steal", do_steal },
    { "unlock", do_unlock },
    { "echo", do_echo },
    { "list_dbs", do_list_dbs },
    { "get_schema", do_get_schema },
    { "get_server_id", do_get_server_id },
    { "set_db_change_aware", do_set_db_change_aware },
};

static void session_message(struct jsonrpc *rpc, const struct jsonrpc_message *m, void *session)
{
    struct db_session *s = session;
    if (s->dead) {
        return;
    }
    if (m->type == JSONRPC_NOTIFY && !strcmp(m->method, "cancel")) {
        session_cancel(s, m);
    } else if (m->type == JSONRPC_REQUEST) {
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
            if (!strcmp(m->method, methods[i].method)) {
                methods[i].run(s, m);
                return;
            }
        }
        session_reply_error_json(s, m->id, json_string("unknown method"));
    }
}

static void leave_remote(struct list *sessions, const struct db_remote *r)
{
    struct db_session *s, *next;
    LIST_FOR_EACH_SAFE (s, next, node, sessions) {
        if (s->remote == r) {
            s->remote = NULL;
            db_session_kill(s);
        }
    }
}

void db_session_leave_remote(struct db_server *server, const struct db_remote *r)
{
    leave_remote(&server->dead_sessions, r);
    leave_remote(&server->sessions, r);
}

/* Databases that come and go --------------------------------------------------------------------------- */

void db_session_dbs_changed(struct db_server *server)
{
    struct db_session *s, *next;
    LIST_FOR_EACH_SAFE (s, next, node, &server->sessions) {
        if (!s->db_change_aware) {
            db_session_kill(s);   /* A client that reconnects looks again at what there is. */
        }
    }
}

void db_session_db_removed(struct served_db *db)
{
    struct db_session *s, *next_session;
    LIST_FOR_EACH_SAFE (s, next_session, node, &db->server->sessions) {
        session_cancel_transactions(s, db);
        struct db_monitor *m, *next_monitor;
        LIST_FOR_EACH_SAFE (m, next_monitor, owner_node, &s->monitors) {
            if (m->set == &db->monitors) {
                char *id = json_dumps(m->id, JSON_COMPACT | JSON_ENCODE_ANY);
                char *text = xasprintf("{\"id\":null,\"method\":\"monitor_canceled\",\"params\":[%s]}",
                                       id);
                monitor_destroy(s, m);
                session_send_text(s, text, strlen(text));
                free(text);
                free(id);
            }
        }
    }
}
