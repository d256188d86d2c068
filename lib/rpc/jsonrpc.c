/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 1.0 sessions. */
#include "lib/rpc/jsonrpc.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/rpc/json_framer.h"
#include "lib/rpc/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/loop.h"

static const char probe_id[] = "echo";

struct jsonrpc {
    struct stream *stream;       /* NULL once closed. */
    char *name;
    struct jsonrpc_callbacks cb;
    void *arg;
    struct json_framer framer;
    bool paused;
    bool closed;                 /* closed() was or is being called. */
    unsigned busy;               /* Depth of callbacks; 'dead' frees it at 0. */
    bool dead;
    int64_t probe_ms;            /* 0: never. */
    int64_t last_ms;             /* When something came. */
    bool probing;                /* An echo is on its way. */
    struct loop_timer probe;
};

static void release(struct jsonrpc *);
static void stream_readable(struct stream *, void *jsonrpc);
static void stream_drained(struct stream *, void *jsonrpc);
static void stream_closed(struct stream *, int errno_value, void *jsonrpc);
static void probe(void *jsonrpc);
static void fail(struct jsonrpc *, struct error *);
static bool receive_one(struct jsonrpc *);
static void receive(struct jsonrpc *);
static void send_message(struct jsonrpc *, const char *method, const char *name, json_t *body,
                         json_t *id);

static const struct stream_callbacks stream_callbacks = {
    .readable = stream_readable,
    .drained = stream_drained,
    .closed = stream_closed,
};

struct jsonrpc *jsonrpc_create(struct loop *loop, struct stream *stream,
                               const struct jsonrpc_callbacks *cb, void *arg)
{
    struct jsonrpc *j = xzalloc(sizeof *j);
    j->stream = stream;
    j->name = xstrdup(stream_name(stream));
    j->cb = *cb;
    j->arg = arg;
    loop_timer_init(&j->probe, loop, probe, j);
    stream_set_callbacks(stream, &stream_callbacks, j);
    return j;
}

void jsonrpc_destroy(struct jsonrpc *j)
{
    if (!j) {
        return;
    }
    j->closed = true;
    loop_timer_cancel(&j->probe);
    if (j->stream) {
        stream_destroy(j->stream);
        j->stream = NULL;
    }
    if (j->busy) {
        j->dead = true;
    } else {
        release(j);
    }
}

void jsonrpc_send_request(struct jsonrpc *j, const char *method, json_t *params, json_t *id)
{
    send_message(j, method, "params", params, id);
}

void jsonrpc_send_notify(struct jsonrpc *j, const char *method, json_t *params)
{
    send_message(j, method, "params", params, json_null());
}

void jsonrpc_send_reply(struct jsonrpc *j, json_t *result, json_t *id)
{
    send_message(j, NULL, "result", result, id);
}

void jsonrpc_send_error(struct jsonrpc *j, json_t *error, json_t *id)
{
    send_message(j, NULL, "error", error, id);
}

void jsonrpc_send_text(struct jsonrpc *j, const char *text, size_t n)
{
    if (j->stream) {
        stream_send(j->stream, text, n);
    }
}

void jsonrpc_set_max_document(struct jsonrpc *j, size_t bytes)
{
    j->framer.limit = MIN(bytes, (size_t) JSON_MAX_DOCUMENT);
}

size_t jsonrpc_queued_bytes(const struct jsonrpc *j)
{
    return j->stream ? stream_queued_bytes(j->stream) : 0;
}

const char *jsonrpc_name(const struct jsonrpc *j)
{
    return j->name;
}

void jsonrpc_set_probe_ms(struct jsonrpc *j, int ms)
{
    j->probe_ms = MAX(ms, 0);
    j->last_ms = clock_ms();
    j->probing = false;
    if (j->probe_ms && !j->closed) {
        loop_timer_after_ms(&j->probe, j->probe_ms);
    } else {
        loop_timer_cancel(&j->probe);
    }
}

void jsonrpc_pause(struct jsonrpc *j, bool paused)
{
    if (j->paused != paused) {
        j->paused = paused;
        if (j->stream) {
            stream_pause(j->stream, paused);
        }
    }
}

static void release(struct jsonrpc *j)
{
    free(j->name);
    free(j);
}

static void leave(struct jsonrpc *j)
{
    if (!--j->busy && j->dead) {
        release(j);
    }
}

/* Takes 'e'. */
static void fail(struct jsonrpc *j, struct error *e)
{
    if (!j->closed) {
        j->closed = true;
        loop_timer_cancel(&j->probe);
        j->busy++;
        stream_destroy(j->stream);
        j->stream = NULL;
        j->cb.closed(j, e, j->arg);
        leave(j);
    }
    error_free(e);
}

static void stream_readable(struct stream *s, void *jsonrpc)
{
    struct jsonrpc *j = jsonrpc;
    j->last_ms = clock_ms();
    j->probing = false;
    receive(j);
}

static void stream_drained(struct stream *s, void *jsonrpc)
{
    struct jsonrpc *j = jsonrpc;
    if (j->cb.drained) {
        j->busy++;
        j->cb.drained(j, j->arg);
        leave(j);
    }
}

static void stream_closed(struct stream *s, int errno_value, void *jsonrpc)
{
    struct jsonrpc *j = jsonrpc;
    fail(j, errno_value ? error_errno(errno_value, "%s", stream_name(s)) : NULL);
}

/* Silence is noticed when it has lasted; what arrives does not touch the timer. */
static void probe(void *jsonrpc)
{
    struct jsonrpc *j = jsonrpc;
    int64_t silent = clock_ms() - j->last_ms;
    if (silent < j->probe_ms) {
        loop_timer_after_ms(&j->probe, j->probe_ms - silent);
    } else if (!j->probing) {
        j->probing = true;
        loop_timer_after_ms(&j->probe, j->probe_ms);
        jsonrpc_send_request(j, "echo", json_array(), json_string(probe_id));
    } else {
        fail(j, error_new(ETIMEDOUT, "%s: no answer to an echo in %lld ms", jsonrpc_name(j),
                          (long long) j->probe_ms));
    }
}

static void receive(struct jsonrpc *j)
{
    j->busy++;
    while (!j->paused && !j->closed && receive_one(j)) {
        continue;
    }
    leave(j);
}

/* Fills in 'm' from 'doc', which it points into. NULL, or what is wrong with it. */
static const char *understand(json_t *doc, struct jsonrpc_message *m)
{
    if (!json_is_object(doc)) {
        return "it is no object";
    }
    json_t *method = json_object_get(doc, "method");
    json_t *error = json_object_get(doc, "error");
    *m = (struct jsonrpc_message) { .id = json_object_get(doc, "id") };
    if (method && !json_is_null(method)) {
        m->method = json_string_value(method);
        m->params = json_object_get(doc, "params");
        m->type = !m->id || json_is_null(m->id) ? JSONRPC_NOTIFY : JSONRPC_REQUEST;
        return !m->method ? "\"method\" is no string"
               : !json_is_array(m->params) ? "\"params\" is no array" : NULL;
    }
    if (!m->id || json_is_null(m->id)) {
        return "it has neither \"method\" nor \"id\"";
    }
    if (error && !json_is_null(error)) {
        m->type = JSONRPC_ERROR;
        m->error = error;
        return NULL;
    }
    m->type = JSONRPC_REPLY;
    m->result = json_object_get(doc, "result");
    return m->result ? NULL : "it has neither \"method\" nor \"result\" nor \"error\"";
}

/* Handles one message; false if there is none, or the session is over. */
static bool receive_one(struct jsonrpc *j)
{
    size_t n, length;
    const char *why;
    const uint8_t *p = stream_peek(j->stream, &n);
    if (!j->framer.scanned) {
        size_t blanks = json_framer_blanks(p, n);
        stream_consume(j->stream, blanks);
        p = stream_peek(j->stream, &n);
    }
    enum json_framer_result found = json_framer_scan(&j->framer, p, n, &length, &why);
    if (found == JSON_FRAMER_MORE) {
        return false;
    }
    if (found == JSON_FRAMER_BAD) {
        fail(j, error_new(EPROTO, "%s: %s", jsonrpc_name(j), why));
        return false;
    }
    json_error_t parse_error;
    json_t *doc = json_loadb((const char *) p, length, 0, &parse_error);
    stream_consume(j->stream, length);
    if (!doc) {
        fail(j, error_new(EPROTO, "%s: invalid JSON at byte %d: %s", jsonrpc_name(j),
                          parse_error.position, parse_error.text));
        return false;
    }
    struct jsonrpc_message m;
    why = understand(doc, &m);
    if (why) {
        fail(j, error_new(EPROTO, "%s: a message is no JSON-RPC: %s", jsonrpc_name(j), why));
    } else if (m.type != JSONRPC_REPLY || !json_is_string(m.id)
               || strcmp(json_string_value(m.id), probe_id)) {
        j->cb.message(j, &m, j->arg);
    }
    json_decref(doc);
    return true;
}

static int send_piece(const char *piece, size_t n, void *stream)
{
    stream_send(stream, piece, n);
    return 0;
}

/* Takes 'body' and 'id'. 'name' is what the body is: "params", "result" or "error". */
static void send_message(struct jsonrpc *j, const char *method, const char *name, json_t *body,
                         json_t *id)
{
    json_t *m = json_object();
    json_object_set_new(m, "id", id);
    if (method) {
        json_object_set_new(m, "method", json_string(method));
        json_object_set_new(m, name, body);
    } else {
        bool is_error = !strcmp(name, "error");
        json_object_set_new(m, "result", is_error ? json_null() : body);
        json_object_set_new(m, "error", is_error ? body : json_null());
    }
    if (j->stream) {
        json_dump_callback(m, send_piece, j->stream, JSON_COMPACT);
    }
    json_decref(m);
}
