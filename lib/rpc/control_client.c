/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking client of the control socket. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/rpc/control.h"
#include "lib/rpc/json_framer.h"
#include "lib/sys/clock.h"
#include "lib/sys/pidfile.h"
#include "lib/sys/process.h"
#include "lib/sys/unix_socket.h"

struct call {
    const char *path;
    int fd;
    int64_t deadline_ns;     /* 0: none. */
    struct buffer in;
    struct json_framer framer;
};

/* Waits until 'fd' can do 'events'. */
static struct error *wait_for(struct call *c, short events)
{
    for (;;) {
        int timeout = -1;
        if (c->deadline_ns) {
            int64_t left = c->deadline_ns - clock_real_ns();
            timeout = left > 0 ? (int) DIV_ROUND_UP(left, NSEC_PER_MSEC) : 0;
        }
        struct pollfd pfd = { .fd = c->fd, .events = events };
        int n = poll(&pfd, 1, timeout);
        if (n > 0) {
            return NULL;
        }
        if (!n) {
            return error_new(ETIMEDOUT, "\"%s\" did not answer in time", c->path);
        }
        if (errno != EINTR) {
            return error_errno(errno, "waiting for \"%s\"", c->path);
        }
    }
}

static struct error *send_all(struct call *c, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL);
        if (sent >= 0) {
            p += sent;
            n -= (size_t) sent;
        } else if (errno == EAGAIN) {
            struct error *e = wait_for(c, POLLOUT);
            if (e) {
                return e;
            }
        } else if (errno != EINTR) {
            return error_errno(errno, "sending to \"%s\"", c->path);
        }
    }
    return NULL;
}

/* Receives one JSON document. */
static struct error *receive(struct call *c, json_t **doc)
{
    for (;;) {
        size_t length;
        const char *why;
        if (!c->framer.scanned) {
            buffer_pull(&c->in, json_framer_blanks(c->in.data, c->in.len));
        }
        switch (json_framer_scan(&c->framer, c->in.data, c->in.len, &length, &why)) {
        case JSON_FRAMER_BAD:
            return error_new(EPROTO, "\"%s\" answered nonsense: %s", c->path, why);
        case JSON_FRAMER_DONE: {
            json_error_t parse_error;
            *doc = json_loadb((char *) c->in.data, length, 0, &parse_error);
            buffer_pull(&c->in, length);
            return *doc ? NULL : error_new(EPROTO, "\"%s\" answered nonsense: %s", c->path,
                                           parse_error.text);
        }
        case JSON_FRAMER_MORE:
            break;
        }
        struct error *e = wait_for(c, POLLIN);
        if (e) {
            return e;
        }
        char chunk[65536];
        ssize_t n = recv(c->fd, chunk, sizeof chunk, 0);
        if (!n) {
            return error_new(ECONNRESET, "\"%s\" closed the connection without an answer", c->path);
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return error_errno(errno, "receiving from \"%s\"", c->path);
        }
        buffer_put(&c->in, chunk, n > 0 ? (size_t) n : 0);
    }
}

/* One request and its answer. '*result' and '*error' are borrowed from '*doc', which the caller
 * decrefs. */
static struct error *transact(struct call *c, int id, const char *method, json_t *params,
                              json_t **doc, json_t **result, json_t **error)
{
    json_t *request = json_object();
    json_object_set_new(request, "id", json_integer(id));
    json_object_set_new(request, "method", json_string(method));
    json_object_set_new(request, "params", params);
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (!text) {
        return error_new(EILSEQ, "the command is no UTF-8 text");
    }
    struct error *e = send_all(c, text, strlen(text));
    free(text);
    if (!e) {
        e = receive(c, doc);
    }
    if (!e) {
        *error = json_object_get(*doc, "error");
        *error = json_is_null(*error) ? NULL : *error;
        *result = json_object_get(*doc, "result");
        json_t *answered = json_object_get(*doc, "id");
        if (!json_is_integer(answered) || json_integer_value(answered) != id
            || (!*error && !*result)) {
            e = error_new(EPROTO, "\"%s\" answered something else than was asked", c->path);
            json_decref(*doc);
        }
    }
    return e;
}

/* The text of a reply: strings as they are, null is nothing, other values as JSON. */
static char *reply_text(const json_t *json, bool as_json)
{
    if (!as_json && json_is_string(json)) {
        return xstrdup(json_string_value(json));
    }
    if (!as_json && json_is_null(json)) {
        return xstrdup("");
    }
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    char *copy = xstrdup(text);
    free(text);
    return copy;
}

static struct error *run(struct call *c, const char *command, int argc, char *const argv[],
                         bool json, char **reply, bool *is_error)
{
    json_t *doc, *result, *error;
    struct error *e;
    *is_error = false;
    if (json) {
        e = transact(c, 0, "set-options", json_pack("[ss]", "--format", "json"), &doc, &result,
                     &error);
        if (e) {
            return e;
        }
        if (error) {
            *reply = reply_text(error, false);
            *is_error = true;
        }
        json_decref(doc);
        if (*is_error) {
            return NULL;
        }
    }
    json_t *params = json_array();
    for (int i = 0; i < argc; i++) {
        if (json_array_append_new(params, json_string(argv[i]))) {
            json_decref(params);
            return error_new(EILSEQ, "\"%s\" is no UTF-8 text", argv[i]);
        }
    }
    e = transact(c, 1, command, params, &doc, &result, &error);
    if (!e) {
        *is_error = error != NULL;
        *reply = reply_text(error ? error : result, json && !error);
        json_decref(doc);
    }
    return e;
}

struct error *control_call(const char *path, const char *command, int argc, char *const argv[],
                           bool json, int timeout_s, char **reply, bool *is_error)
{
    struct call c = { .path = path,
                      .deadline_ns = timeout_s > 0
                          ? clock_real_ns() + timeout_s * NSEC_PER_SEC : 0 };
    struct error *e = unix_connect(path, SOCK_STREAM, &c.fd);
    if (e) {
        return e;
    }
    e = run(&c, command, argc, argv, json, reply, is_error);
    close(c.fd);
    buffer_fini(&c.in);
    return e;
}

struct error *control_find(const char *target, char **path)
{
    static const char *const compat[][2] = { { "tsuji-vswitchd", "ovs-vswitchd" },
                                             { "tsuji-dbserver", "ovsdb-server" } };
    if (*target == '/') {
        *path = xstrdup(target);
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_SIZE(compat); i++) {
        target = strcmp(target, compat[i][0]) ? target : compat[i][1];
    }
    char *pidfile = xasprintf("%s/%s.pid", process_rundir(), target);
    pid_t pid;
    struct error *e = pidfile_read(pidfile, &pid);
    if (!e) {
        *path = xasprintf("%s/%s.%ld.ctl", process_rundir(), target, (long) pid);
    }
    free(pidfile);
    return e;
}
