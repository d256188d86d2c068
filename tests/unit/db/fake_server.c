/* SPDX-License-Identifier: Apache-2.0 */
/* A database server that says what a test tells it. */
#include "tests/unit/db/fake_server.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/schema_text.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/rpc/jsonrpc.h"
#include "lib/rpc/stream.h"
#include "lib/sys/loop.h"

static const char *const methods[] = { "monitor_cond_since", "monitor_cond", "monitor" };

static void answer_monitor(struct fake_server *s, unsigned method, const struct jsonrpc_message *m)
{
    json_decref(s->monitor);
    s->monitor = json_pack("[s,O]", methods[method], m->params);
    if (method < s->n_refused_methods) {
        jsonrpc_send_error(s->rpc, json_string("unknown method"), json_incref(m->id));
        return;
    }
    json_t *updates = json_object();
    const char *table, *uuid;
    json_t *rows, *row;
    json_object_foreach(s->rows, table, rows) {
        if (!json_object_get(json_array_get(m->params, 2), table)) {
            continue;
        }
        json_t *sent = json_object();
        json_object_foreach(rows, uuid, row) {
            json_object_set_new(sent, uuid, json_pack("{s:O}", method == 2 ? "new" : "initial", row));
        }
        json_object_set_new(updates, table, sent);
    }
    if (!method && s->is_found) {
        json_object_clear(updates);
    }
    jsonrpc_send_reply(s->rpc, method ? updates
                                      : json_pack("[b,s,o]", s->is_found, "last", updates),
                       json_incref(m->id));
}

static void answer_transaction(struct fake_server *s, const struct jsonrpc_message *m)
{
    s->n_transactions++;
    json_decref(s->transaction);
    json_decref(s->transaction_id);
    s->transaction = json_incref(m->params);
    s->transaction_id = json_incref(m->id);
    if (s->reply) {
        jsonrpc_send_reply(s->rpc, json_incref(s->reply), json_incref(m->id));
    }
}

static void message(struct jsonrpc *rpc, const struct jsonrpc_message *m, void *server)
{
    struct fake_server *s = server;
    if (m->type == JSONRPC_REPLY) {
        s->n_echo_replies++;
        return;
    }
    ck_assert_int_eq(m->type, JSONRPC_REQUEST);
    const char *database = json_string_value(json_array_get(m->params, 0));
    if (database && !strcmp(database, "_Server")) {
        if (s->cluster) {
            jsonrpc_send_reply(rpc, json_incref(s->cluster), json_incref(m->id));
        } else {
            jsonrpc_send_error(rpc, json_string("unknown database"), json_incref(m->id));
        }
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(methods); i++) {
        if (!strcmp(m->method, methods[i])) {
            answer_monitor(s, i, m);
            return;
        }
    }
    if (!strcmp(m->method, "get_schema")) {
        jsonrpc_send_reply(rpc, json_incref(s->schema), json_incref(m->id));
    } else if (!strcmp(m->method, "transact")) {
        answer_transaction(s, m);
    } else if (!strcmp(m->method, "lock")) {
        s->n_lock_requests++;
        jsonrpc_send_reply(rpc, json_pack("{s:b}", "locked", false), json_incref(m->id));
    } else if (!strcmp(m->method, "unlock")) {
        jsonrpc_send_reply(rpc, json_object(), json_incref(m->id));
    } else {
        ck_abort_msg("unexpected method %s", m->method);
    }
}

void fake_server_hang_up(struct fake_server *s)
{
    jsonrpc_destroy(s->rpc);
    s->rpc = NULL;
}

static void closed(struct jsonrpc *rpc, struct error *e, void *server)
{
    fake_server_hang_up(server);
}

static void accepted(struct stream *stream, void *server)
{
    static const struct jsonrpc_callbacks callbacks = { message, closed, NULL };
    struct fake_server *s = server;
    ck_assert_ptr_null(s->rpc);
    s->n_sessions++;
    s->rpc = jsonrpc_create(s->loop, stream, &callbacks, s);
}

void fake_server_init(struct fake_server *s, struct loop *loop)
{
    char directory[] = "/tmp/tsuji-client-XXXXXX";
    *s = (struct fake_server) { .loop = loop };
    ck_assert_ptr_nonnull(mkdtemp(directory));
    s->directory = xstrdup(directory);
    s->schema = json_loads(vswitch_schema_text, 0, NULL);
    s->rows = json_object();
    snprintf(s->address, sizeof s->address, "punix:%s/sock", directory);
    struct error *e = stream_listen(loop, s->address, 0, accepted, s, &s->listener);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    memmove(s->address, s->address + 1, strlen(s->address));
}

void fake_server_fini(struct fake_server *s)
{
    fake_server_hang_up(s);
    stream_listener_destroy(s->listener);
    unlink(s->address + strlen("unix:"));
    rmdir(s->directory);
    free(s->directory);
    json_decref(s->schema);
    json_decref(s->rows);
    json_decref(s->monitor);
    json_decref(s->transaction);
    json_decref(s->transaction_id);
    json_decref(s->reply);
    json_decref(s->cluster);
}

static json_t *json_of(const char *text)
{
    json_error_t why;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &why);
    ck_assert_msg(json != NULL, "%s: %s", text, why.text);
    return json;
}

void fake_server_notify(struct fake_server *s, const char *method, const char *params)
{
    jsonrpc_send_notify(s->rpc, method, json_of(params));
    fake_server_settle(s);
}

void fake_server_update(struct fake_server *s, const char *updates, const char *updates2)
{
    const char *method = json_string_value(json_array_get(s->monitor, 0));
    const json_t *id = json_array_get(json_array_get(s->monitor, 1), 1);
    json_t *params = json_pack("[O]", id);
    const char *name = "update";
    if (!strcmp(method, "monitor_cond_since")) {
        json_array_append_new(params, json_string("next"));
        name = "update3";
    } else if (!strcmp(method, "monitor_cond")) {
        name = "update2";
    }
    json_array_append_new(params, json_of(strcmp(method, "monitor") ? updates2 : updates));
    jsonrpc_send_notify(s->rpc, name, params);
    fake_server_settle(s);
}

void fake_server_reply(struct fake_server *s, const char *results)
{
    ck_assert_ptr_nonnull(s->transaction_id);
    jsonrpc_send_reply(s->rpc, json_of(results), s->transaction_id);
    s->transaction_id = NULL;
    fake_server_settle(s);
}

void fake_server_settle(struct fake_server *s)
{
    for (int i = 0; i < 20; i++) {
        loop_run_once(s->loop, i < 10 ? 0 : 1);
    }
}
