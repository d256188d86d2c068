/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of the database server: a client's requests, its transactions and monitors. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "db/error.h"
#include "db/execute.h"
#include "db/server_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/jsonrpc.h"
#include "lib/rpc/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"

LOG_MODULE(ovsdb_session);

struct db_session {
    struct list node;            /* In the server's 'sessions' or 'dead_sessions'. First: db/server.c. */
    struct db_server *server;
    struct jsonrpc *rpc;
    struct db_remote *remote;    /* NULL: none to tell. */
    struct list triggers;
    size_t n_triggers;
    struct list monitors;        /* struct db_monitor, by owner_node. */
    size_t n_monitors;
    struct list locks;           /* db/session_lock.c */
    bool db_change_aware;
    bool read_only;
    bool dead;
};

/* A transaction that was asked for and not answered yet. */
struct trigger {
    struct list session_node;
    struct list waiting_node;    /* In its database's 'waiting', else a list of its own. */
    struct db_session *session;  /* NULL once that is gone. */
    struct served_db *db;
    json_t *id, *params;
    int64_t start_ms;
    struct loop_timer timer;
    struct text result;
    bool in_group;
};

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

static void trigger_detach(struct trigger *t)
{
    if (t->session) {
        list_remove(&t->session_node);
        t->session->n_triggers--;
        t->session = NULL;
    }
}

static void trigger_destroy(struct trigger *t)
{
    trigger_detach(t);
    list_remove(&t->waiting_node);
    loop_timer_cancel(&t->timer);
    text_fini(&t->result);
    json_decref(t->id);
    json_decref(t->params);
    free(t);
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
    while (!list_is_empty(&s->triggers)) {
        struct trigger *t = LIST_ENTRY(s->triggers.next, struct trigger, session_node);
        trigger_detach(t);
        if (!t->in_group) {   /* Else it is committed with its group, unanswered. */
            trigger_destroy(t);
        }
    }
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

static void send_text(struct db_session *s, const char *text, size_t n)
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
    send_text(session, text, n);
}

/* 'result' is JSON text. */
static void reply_text(struct db_session *s, const json_t *id, const char *result, size_t n)
{
    struct text t = TEXT_INIT;
    char *id_text = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
    text_printf(&t, "{\"id\":%s,\"result\":", id_text);
    text_put_n(&t, result, n);
    text_put(&t, ",\"error\":null}");
    send_text(s, t.s, t.len);
    free(id_text);
    text_fini(&t);
}

static void reply(struct db_session *s, const json_t *id, const char *result)
{
    reply_text(s, id, result, strlen(result));
}

static void reply_error_json(struct db_session *s, const json_t *id, json_t *error)
{
    char *error_string = json_dumps(error, JSON_COMPACT | JSON_ENCODE_ANY);
    char *id_string = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = xasprintf("{\"id\":%s,\"result\":null,\"error\":%s}", id_string, error_string);
    send_text(s, text, strlen(text));
    free(text);
    free(id_string);
    free(error_string);
    json_decref(error);
}

static void reply_error(struct db_session *s, const json_t *id, struct db_error *e)
{
    reply_error_json(s, id, db_error_to_json(e));
    db_error_free(e);
}

void db_session_notify_lock(struct db_session *s, const char *method, const char *lock)
{
    char *text = xasprintf("{\"id\":null,\"method\":\"%s\",\"params\":[\"%s\"]}", method, lock);
    send_text(s, text, strlen(text));
    free(text);
}

/* Transactions --------------------------------------------------------------------------------------- */

/* Reads from the client only while few of its transactions wait. */
static void update_pause(struct db_session *s)
{
    if (!s->dead) {
        jsonrpc_pause(s->rpc, s->n_triggers >= s->server->limits.max_waiting);
    }
}

static void answer(struct trigger *t)
{
    struct db_session *s = t->session;
    if (s) {
        reply_text(s, t->id, t->result.s, t->result.len);
    }
    trigger_destroy(t);
    if (s) {
        update_pause(s);
    }
}

/* Adds an error as one more element to a result array. */
static void append_error(struct text *result, const char *tag, const char *details)
{
    struct db_error *e = db_error_new(tag, "%s", details);
    json_t *j = db_error_to_json(e);
    char *s = json_dumps(j, JSON_COMPACT);
    text_chomp(result, ']');
    text_printf(result, "%s%s]", text_ends_with(result, "[") ? "" : ",", s);
    free(s);
    json_decref(j);
    db_error_free(e);
}

static void trigger_done(const struct error *e, const struct db_txn *txn, void *trigger)
{
    struct trigger *t = trigger;
    if (e) {
        append_error(&t->result, DB_E_IO, error_text(e));
    } else if (txn) {
        monitor_set_publish(&t->db->monitors, txn);
        t->db->changed = true;
    }
    t->in_group = false;
    answer(t);
}

static bool owns_lock(const char *lock, void *session)
{
    return session && db_lock_owned(session, lock);
}

/* Tries to carry it out. Afterwards it waits, is in the group, or is answered and gone. */
static void trigger_run(struct trigger *t)
{
    if (t->session->dead) {
        return;   /* The transaction goes with its session. */
    }
    struct execute_env env = {
        .owns_lock = owns_lock,
        .arg = t->session,
        .read_only = t->db->read_only || t->session->read_only,
        .elapsed_ms = clock_ms() - t->start_ms,
    };
    struct execute_outcome outcome;
    execute(t->db->store->db, t->params, &env, &outcome);
    if (outcome.waiting) {
        text_fini(&outcome.result);
        if (list_is_empty(&t->waiting_node)) {
            list_push_back(&t->db->waiting, &t->waiting_node);
        }
        if (outcome.timeout_ms < INT64_MAX / 2) {
            loop_timer_after_ms(&t->timer, outcome.timeout_ms - env.elapsed_ms);
        }
        return;
    }
    list_remove(&t->waiting_node);
    loop_timer_cancel(&t->timer);
    t->result = outcome.result;
    if (outcome.txn || outcome.durable || store_has_group(t->db->store)) {
        t->in_group = true;
        store_add(t->db->store, outcome.txn, outcome.durable, trigger_done, t);
        loop_hook_again(t->db->server->loop);
    } else {
        answer(t);
    }
}

static void trigger_timed_out(void *trigger)
{
    trigger_run(trigger);
}

void db_session_retry_waiting(struct served_db *db)
{
    struct list again;
    list_init(&again);
    list_splice_back(&again, &db->waiting);
    while (!list_is_empty(&again)) {
        struct trigger *t = LIST_ENTRY(list_pop_front(&again), struct trigger, waiting_node);
        trigger_run(t);
    }
}

/* The database that a request names as its first parameter; NULL after an error reply. */
static struct served_db *find_db(struct db_session *s, const struct jsonrpc_message *m)
{
    const json_t *name = json_array_get(m->params, 0);
    if (!json_is_string(name)) {
        reply_error(s, m->id, db_error_syntax(m->params, "\"%s\" needs the name of a database as its "
                                              "first parameter", m->method));
        return NULL;
    }
    struct served_db *db = db_server_find(s->server, json_string_value(name));
    if (!db) {
        reply_error(s, m->id, db_error_about(DB_E_UNKNOWN_DATABASE, m->params, "there is no database "
                                             "\"%s\"", json_string_value(name)));
    }
    return db;
}

static void do_transact(struct db_session *s, const struct jsonrpc_message *m)
{
    struct served_db *db = find_db(s, m);
    if (!db) {
        return;
    }
    struct trigger *t = xzalloc(sizeof *t);
    t->session = s;
    t->db = db;
    t->id = json_incref(m->id);
    t->params = json_incref(m->params);
    t->start_ms = clock_ms();
    list_init(&t->waiting_node);
    loop_timer_init(&t->timer, s->server->loop, trigger_timed_out, t);
    list_push_back(&s->triggers, &t->session_node);
    s->n_triggers++;
    update_pause(s);
    trigger_run(t);
}

/* RFC 7047 section 4.1.4: a transaction that waits is answered "canceled", any other goes its way. */
static void do_cancel(struct db_session *s, const struct jsonrpc_message *m)
{
    struct trigger *t, *next;
    LIST_FOR_EACH_SAFE (t, next, session_node, &s->triggers) {
        if (!t->in_group && json_equal(t->id, json_array_get(m->params, 0))) {
            reply_error_json(s, t->id, json_string(DB_E_CANCELED));
            trigger_destroy(t);
            update_pause(s);
            return;
        }
    }
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
    struct served_db *db = find_db(s, m);
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
        reply_error(s, m->id, e);
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
    reply_text(s, m->id, t.s, t.len);
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
        reply_error(s, m->id, e);
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
        reply_error_json(s, m->id, json_string(DB_E_UNKNOWN_MONITOR));
    }
}

/* Locks ---------------------------------------------------------------------------------------------- */

static const char *lock_name(struct db_session *s, const struct jsonrpc_message *m)
{
    const json_t *name = json_array_get(m->params, 0);
    if (json_array_size(m->params) == 1 && json_is_string(name) && json_is_id(json_string_value(name))) {
        return json_string_value(name);
    }
    reply_error(s, m->id, db_error_syntax(m->params, "\"%s\" takes the name of a lock", m->method));
    return NULL;
}

static void acquire(struct db_session *s, const struct jsonrpc_message *m, bool steal)
{
    const char *name = lock_name(s, m);
    if (name && list_size(&s->locks) >= s->server->limits.max_locks) {
        reply_error(s, m->id, db_error_new(DB_E_RESOURCES, "this session has asked for %zu locks already",
                                           list_size(&s->locks)));
    } else if (name) {
        bool fresh;
        bool owned = db_lock_acquire(s, name, steal, &fresh);
        if (fresh) {
            reply(s, m->id, owned ? "{\"locked\":true}" : "{\"locked\":false}");
        } else {
            reply_error(s, m->id, db_error_syntax(m->params, "this session has asked for lock \"%s\" "
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
        reply_error(s, m->id, db_error_syntax(m->params, "this session has not asked for lock \"%s\"",
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
    struct served_db *db = find_db(s, m);
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
        reply_error(s, m->id, db_error_syntax(m->params, "\"%s\" takes true or false", m->method));
        return;
    }
    s->db_change_aware = json_is_true(aware);
    reply(s, m->id, "{}");
}

static const struct {
    const char *method;
    void (*run)(struct db_session *, const struct jsonrpc_message *);
} methods[] = {
    { "transact", do_transact },
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
        do_cancel(s, m);
    } else if (m->type == JSONRPC_REQUEST) {
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
            if (!strcmp(m->method, methods[i].method)) {
                methods[i].run(s, m);
                return;
            }
        }
        reply_error_json(s, m->id, json_string("unknown method"));
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
        struct trigger *t, *next_trigger;
        LIST_FOR_EACH_SAFE (t, next_trigger, session_node, &s->triggers) {
            if (t->db == db) {
                reply_error_json(s, t->id, json_string(DB_E_CANCELED));
                trigger_destroy(t);
            }
        }
        struct db_monitor *m, *next_monitor;
        LIST_FOR_EACH_SAFE (m, next_monitor, owner_node, &s->monitors) {
            if (m->set == &db->monitors) {
                char *id = json_dumps(m->id, JSON_COMPACT | JSON_ENCODE_ANY);
                char *text = xasprintf("{\"id\":null,\"method\":\"monitor_canceled\",\"params\":[%s]}",
                                       id);
                monitor_destroy(s, m);
                send_text(s, text, strlen(text));
                free(text);
                free(id);
            }
        }
    }
}
