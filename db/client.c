/* SPDX-License-Identifier: Apache-2.0 */
/* The client's connection: schema, monitor, lock, echoes, back-off. */
#include "db/client.h"

#include <errno.h>
#include <stdlib.h>

#include "db/client_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/rpc/jsonrpc.h"
#include "lib/rpc/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"

LOG_MODULE(db_client);

enum { DEFAULT_PORT = 6640, MIN_BACKOFF_MS = 1000, MAX_BACKOFF_MS = 8000, TCP_PROBE_MS = 5000 };

#define NO_TXN_ID "00000000-0000-0000-0000-000000000000"

/* Ways to ask for rows, the best first, each with the notification that follows. */
static const struct monitor_method {
    const char *request, *update;
    enum dbc_update_version version;
    bool since;
} monitor_methods[] = {
    { "monitor_cond_since", "update3", DBC_UPDATE2, true },
    { "monitor_cond", "update2", DBC_UPDATE2, false },
    { "monitor", "update", DBC_UPDATE, false },
};
static const char monitor_id[] = "tsuji";

static void connect_next(void *client);
static void session_message(struct jsonrpc *, const struct jsonrpc_message *, void *client);
static void session_closed(struct jsonrpc *, struct error *, void *client);

static const struct jsonrpc_callbacks session_callbacks = {
    .message = session_message,
    .closed = session_closed,
};

struct db_client *db_client_create(struct loop *loop, const struct dbc_schema *schema)
{
    struct db_client *c = xzalloc(sizeof *c);
    c->loop = loop;
    dbc_replica_init(&c->replica, schema);
    c->request_id = c->lock_id = c->cluster_id = -1;
    c->backoff_ms = MIN_BACKOFF_MS;
    c->max_backoff_ms = MAX_BACKOFF_MS;
    c->probe_ms = -1;
    c->retry = true;
    list_init(&c->txns);
    loop_timer_init(&c->retry_timer, loop, connect_next, c);
    return c;
}

static void fail_txns(struct db_client *c)
{
    struct list sent;
    list_init(&sent);
    list_splice_back(&sent, &c->txns);
    while (!list_is_empty(&sent)) {
        dbc_txn_reply(dbc_txn_of_list(sent.next), NULL, NULL);
    }
}

static void disconnect(struct db_client *c)
{
    jsonrpc_destroy(c->rpc);
    c->rpc = NULL;
    c->state = DBC_IDLE;
    c->request_id = c->lock_id = c->cluster_id = -1;
    c->has_lock = c->is_lock_contended = false;
}

void db_client_destroy(struct db_client *c)
{
    if (!c) {
        return;
    }
    disconnect(c);
    fail_txns(c);
    loop_timer_cancel(&c->retry_timer);
    dbc_replica_fini(&c->replica);
    for (size_t i = 0; i < c->n_addresses; i++) {
        free(c->addresses[i]);
    }
    free(c->addresses);
    free(c->last_txn_id);
    free(c->error);
    free(c->lock_name);
    free(c);
}

/* Settings and state ----------------------------------------------------------------------------- */

void db_client_set_retry(struct db_client *c, bool retry)
{
    c->retry = retry;
}

void db_client_set_max_backoff_ms(struct db_client *c, int ms)
{
    c->max_backoff_ms = MAX(ms, 1);
    c->backoff_ms = MIN(c->backoff_ms, c->max_backoff_ms);
}

static void apply_probe(struct db_client *c)
{
    if (c->rpc) {
        bool tcp = !strncmp(jsonrpc_name(c->rpc), "tcp:", 4);
        jsonrpc_set_probe_ms(c->rpc, c->probe_ms >= 0 ? c->probe_ms : tcp ? TCP_PROBE_MS : 0);
    }
}

void db_client_set_probe_ms(struct db_client *c, int ms)
{
    c->probe_ms = MAX(ms, 0);
    apply_probe(c);
}

void db_client_set_changed(struct db_client *c, void (*changed)(struct db_client *, void *arg),
                           void *arg)
{
    c->changed = changed;
    c->changed_arg = arg;
}

static void tell(struct db_client *c)
{
    if (c->changed) {
        c->changed(c, c->changed_arg);
    }
}

bool db_client_is_synced(const struct db_client *c)
{
    return c->is_complete;
}

bool db_client_is_connected(const struct db_client *c)
{
    return c->state == DBC_SYNCED;
}

const char *db_client_error(const struct db_client *c)
{
    return c->error;
}

bool db_client_is_dead(const struct db_client *c)
{
    return c->is_dead;
}

/* Connecting ------------------------------------------------------------------------------------- */

static void set_error(struct db_client *c, const char *text)
{
    free(c->error);
    c->error = xstrdup_or_null(text);
}

/* The connection is lost or could not be made. */
static void lose(struct db_client *c, const char *why)
{
    bool was_synced = c->state == DBC_SYNCED;
    if (was_synced || !c->error || strcmp(c->error, why)) {
        LOG_INFO("%s", why);
    }
    set_error(c, why);
    disconnect(c);
    if (c->is_attached || (!c->retry && c->next_address >= c->n_addresses)) {
        c->is_dead = true;
    } else {
        bool more = c->next_address < c->n_addresses;
        loop_timer_after_ms(&c->retry_timer, more ? 0 : c->backoff_ms);
        if (!more) {
            c->backoff_ms = MIN(2 * c->backoff_ms, c->max_backoff_ms);
        }
    }
    fail_txns(c);
    if (was_synced || c->is_dead) {
        tell(c);
    }
}

static void lose_by(struct db_client *c, struct error *e)
{
    lose(c, error_text(e));
    error_free(e);
}

json_int_t dbc_client_request(struct db_client *c, const char *method, json_t *params)
{
    json_int_t id = c->next_id++;
    jsonrpc_send_request(c->rpc, method, params, json_integer(id));
    return id;
}

/* Takes 'stream'. */
static void begin_session(struct db_client *c, struct stream *stream)
{
    c->rpc = jsonrpc_create(c->loop, stream, &session_callbacks, c);
    apply_probe(c);
    c->state = DBC_SCHEMA;
    c->cluster_id = dbc_client_request(c, "monitor", dbc_cluster_request());
    c->request_id =
        dbc_client_request(c, "get_schema", json_pack("[s]", c->replica.schema->name));
}

static void connect_next(void *client)
{
    struct db_client *c = client;
    if (c->next_address >= c->n_addresses) {
        c->next_address = 0;
    }
    const char *address = c->addresses[c->next_address++];
    struct stream *stream;
    struct error *e = stream_open(c->loop, address, DEFAULT_PORT, &stream);
    if (e) {
        lose_by(c, e);
    } else {
        begin_session(c, stream);
    }
}

struct error *db_client_connect(struct db_client *c, const char *addresses)
{
    char *copy = xstrdup(addresses), *rest = copy, *address;
    struct error *e = NULL;
    size_t n = 0;
    while (!e && (address = strsep(&rest, ","))) {
        if (stream_address_is_valid(address, false, &e)) {
            c->addresses = xrealloc(c->addresses, (n + 1) * sizeof *c->addresses);
            c->addresses[n++] = xstrdup(address);
            c->n_addresses = n;
        }
    }
    free(copy);
    if (!e) {
        c->next_address = 0;
        loop_timer_after_ms(&c->retry_timer, 0);
    }
    return e;
}

void db_client_attach(struct db_client *c, int fd)
{
    c->is_attached = true;
    begin_session(c, stream_from_fd(c->loop, fd, "embedded database"));
}

/* The session ------------------------------------------------------------------------------------ */

static void ask_for_rows(struct db_client *c)
{
    const struct monitor_method *m = &monitor_methods[c->method];
    c->state = DBC_MONITOR;
    json_t *params = json_pack("[s,s,o]", c->replica.schema->name, monitor_id,
                               dbc_replica_monitor_requests(&c->replica));
    if (m->since) {
        json_array_append_new(params, json_string(c->last_txn_id ? c->last_txn_id : NO_TXN_ID));
    }
    c->request_id = dbc_client_request(c, m->request, params);
}

static void ask_for_lock(struct db_client *c)
{
    if (c->lock_name) {
        c->lock_id = dbc_client_request(c, "lock", json_pack("[s]", c->lock_name));
    }
}

static void set_last_txn_id(struct db_client *c, const json_t *id)
{
    free(c->last_txn_id);
    c->last_txn_id = xstrdup_or_null(json_string_value(id));
}

/* What the server says does not fit together: begins anew. */
static void resynchronise(struct db_client *c, struct error *e)
{
    e = error_wrap(e, "%s", jsonrpc_name(c->rpc));
    LOG_WARN("%s", error_text(e));
    set_last_txn_id(c, NULL);
    lose_by(c, e);
}

static void schema_reply(struct db_client *c, const struct jsonrpc_message *m)
{
    if (m->type == JSONRPC_ERROR) {
        const char *tag = json_string_value(json_object_get(m->error, "error"));
        lose_by(c, error_new(EPROTO, "%s: no schema of database %s: %s", jsonrpc_name(c->rpc),
                             c->replica.schema->name, tag ? tag : "the server refused"));
        return;
    }
    struct error *e = dbc_replica_set_server_schema(&c->replica, m->result);
    if (e) {
        resynchronise(c, e);
        return;
    }
    c->method = 0;
    ask_for_lock(c);
    ask_for_rows(c);
}

static void monitor_reply(struct db_client *c, const struct jsonrpc_message *m)
{
    const struct monitor_method *method = &monitor_methods[c->method];
    if (m->type == JSONRPC_ERROR) {
        if (c->method + 1 < ARRAY_SIZE(monitor_methods)) {
            c->method++;
            ask_for_rows(c);
        } else {
            lose_by(c, error_new(EPROTO, "%s: the server lets us monitor nothing",
                                 jsonrpc_name(c->rpc)));
        }
        return;
    }
    const json_t *rows = m->result;
    bool is_dump = true;
    if (method->since) {
        is_dump = !json_is_true(json_array_get(m->result, 0));
        rows = json_array_get(m->result, 2);
    }
    struct error *e = dbc_replica_update(&c->replica, method->version, rows, is_dump);
    if (e) {
        resynchronise(c, e);
        return;
    }
    set_last_txn_id(c, method->since ? json_array_get(m->result, 1) : NULL);
    if (c->error || !c->is_complete) {
        LOG_INFO("%s: connected", jsonrpc_name(c->rpc));
    }
    set_error(c, NULL);
    c->state = DBC_SYNCED;
    c->is_complete = true;
    c->next_address -= c->next_address > 0;   /* After a loss the same address is tried first. */
    c->backoff_ms = MIN(MIN_BACKOFF_MS, c->max_backoff_ms);
    tell(c);
}

/* With one address there is no choice, and members pass transactions on to their leader. */
static void check_cluster(struct db_client *c, const json_t *updates)
{
    struct error *e = dbc_cluster_check(updates, c->replica.schema->name, c->n_addresses > 1);
    if (e) {
        lose_by(c, error_wrap(e, "%s", jsonrpc_name(c->rpc)));
    }
}

static void update_notification(struct db_client *c, const struct jsonrpc_message *m)
{
    const struct monitor_method *method = &monitor_methods[c->method];
    if (c->state != DBC_SYNCED || strcmp(m->method, method->update)) {
        resynchronise(c, error_new(EPROTO, "unexpected notification \"%.32s\"", m->method));
        return;
    }
    uint64_t seqno = c->replica.seqno;
    struct error *e = dbc_replica_update(&c->replica, method->version,
                                         json_array_get(m->params, method->since ? 2 : 1), false);
    if (e) {
        resynchronise(c, e);
        return;
    }
    if (method->since) {
        set_last_txn_id(c, json_array_get(m->params, 1));
    }
    if (seqno != c->replica.seqno) {
        tell(c);
    }
}

static void lock_changed(struct db_client *c, bool has_lock)
{
    if (c->has_lock != has_lock || c->is_lock_contended == has_lock) {
        c->has_lock = has_lock;
        c->is_lock_contended = !has_lock;
        tell(c);
    }
}

static void notification(struct db_client *c, const struct jsonrpc_message *m)
{
    const char *word = json_string_value(json_array_get(m->params, 0));
    if (!strcmp(m->method, "update") && word && !strcmp(word, DBC_CLUSTER_MONITOR)) {
        check_cluster(c, json_array_get(m->params, 1));
    } else if (!strncmp(m->method, "update", 6)) {
        update_notification(c, m);
    } else if (!strcmp(m->method, "locked") || !strcmp(m->method, "stolen")) {
        if (word && c->lock_name && !strcmp(word, c->lock_name)) {
            lock_changed(c, !strcmp(m->method, "locked"));
        }
    } else if (!strcmp(m->method, "monitor_canceled")) {
        resynchronise(c, error_new(EPROTO, "the server cancelled the monitor"));
    } else {
        LOG_DBG("%s: unknown notification \"%s\"", jsonrpc_name(c->rpc), m->method);
    }
}

static void reply(struct db_client *c, const struct jsonrpc_message *m)
{
    json_int_t id = json_is_integer(m->id) ? json_integer_value(m->id) : -1;
    struct dbc_txn *txn;
    if (id < 0) {
        LOG_WARN("%s: a reply to nothing", jsonrpc_name(c->rpc));
    } else if (id == c->request_id) {
        c->request_id = -1;
        if (c->state == DBC_SCHEMA) {
            schema_reply(c, m);
        } else if (c->state == DBC_MONITOR) {
            monitor_reply(c, m);
        }
    } else if (id == c->cluster_id) {
        c->cluster_id = -1;
        check_cluster(c, m->result);
    } else if (id == c->lock_id) {
        c->lock_id = -1;
        lock_changed(c, json_is_true(json_object_get(m->result, "locked")));
    } else if ((txn = dbc_txn_find(&c->txns, id))) {
        dbc_txn_reply(txn, m->type == JSONRPC_REPLY ? m->result : NULL, m->error);
    }
}

static void session_message(struct jsonrpc *rpc, const struct jsonrpc_message *m, void *client)
{
    struct db_client *c = client;
    switch (m->type) {
    case JSONRPC_REQUEST:
        if (!strcmp(m->method, "echo")) {
            jsonrpc_send_reply(rpc, json_incref(m->params), json_incref(m->id));
        } else {
            jsonrpc_send_error(rpc, json_string("unknown method"), json_incref(m->id));
        }
        break;
    case JSONRPC_NOTIFY:
        notification(c, m);
        break;
    case JSONRPC_REPLY:
    case JSONRPC_ERROR:
        reply(c, m);
        break;
    }
}

static void session_closed(struct jsonrpc *rpc, struct error *e, void *client)
{
    struct db_client *c = client;
    if (e) {
        lose(c, error_text(e));
    } else {
        lose_by(c, error_new(ECONNRESET, "%s: the server closed the connection",
                             jsonrpc_name(rpc)));
    }
}

/* Lock ------------------------------------------------------------------------------------------- */

void db_client_set_lock(struct db_client *c, const char *name)
{
    bool was = c->lock_name != NULL;
    if (was && name && !strcmp(name, c->lock_name)) {
        return;
    }
    bool connected = c->state == DBC_MONITOR || c->state == DBC_SYNCED;
    if (was && connected) {
        dbc_client_request(c, "unlock", json_pack("[s]", c->lock_name));
    }
    free(c->lock_name);
    c->lock_name = xstrdup_or_null(name);
    c->has_lock = c->is_lock_contended = false;
    c->lock_id = -1;
    if (connected) {
        ask_for_lock(c);
    }
}

bool db_client_has_lock(const struct db_client *c)
{
    return !c->lock_name || c->has_lock;
}

bool db_client_is_lock_contended(const struct db_client *c)
{
    return c->is_lock_contended;
}

/* Blocking --------------------------------------------------------------------------------------- */

struct error *db_client_wait_synced(struct db_client *c, int timeout_ms)
{
    int64_t deadline = clock_real_ns() + timeout_ms * NSEC_PER_MSEC;
    while (!db_client_is_connected(c)) {
        int64_t left = timeout_ms < 0 ? -1 : (deadline - clock_real_ns()) / NSEC_PER_MSEC;
        if (c->is_dead || (timeout_ms >= 0 && left <= 0)) {
            return c->error ? error_new(ECONNREFUSED, "%s", c->error)
                            : error_new(ETIMEDOUT, "the database did not answer in time");
        }
        loop_run_once(c->loop, left);
    }
    return NULL;
}
