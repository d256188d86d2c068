/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's server. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/list.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "lib/rpc/control.h"
#include "lib/rpc/jsonrpc.h"
#include "lib/rpc/stream.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"

LOG_MODULE(unixctl);

enum { MAX_CLIENTS = 256, MAX_REQUESTS = 16, MAX_WORDS = 4096, MAX_REQUEST_BYTES = 1 << 20 };

struct control_server {
    struct loop *loop;
    struct stream_listener *listener;
    char *program_line;
    const struct control_command **tables;
    void **args;                 /* Of each table's handlers. */
    size_t n_tables;
    struct list clients;
    size_t n_clients;
};

struct client {
    struct list node;            /* In the server's clients. */
    struct control_server *server;
    struct jsonrpc *rpc;
    bool json;
    struct list requests;        /* Not answered yet. */
    size_t n_requests;
};

struct control_request {
    struct list node;            /* In the client's requests. */
    struct client *client;       /* NULL once it is gone. */
    struct loop *loop;
    json_t *id;
    bool json;
};

static void accept_client(struct stream *, void *server);
static void client_message(struct jsonrpc *, const struct jsonrpc_message *, void *client);
static void client_closed(struct jsonrpc *, struct error *, void *client);
static void client_drained(struct jsonrpc *, void *client);
static void client_destroy(struct client *);
static void update_pause(struct client *);
static void run(struct client *, struct control_request *, const struct jsonrpc_message *);
static const struct control_command *find(struct control_server *, const char *name, void **arg);
static void finish(struct control_request *, json_t *result, json_t *error);
static json_t *text_json(const char *text);

static void run_list_commands(struct control_request *, int, char *[], void *server);
static void run_version(struct control_request *, int, char *[], void *server);
static void run_set_options(struct control_request *, int, char *[], void *server);

/* These take the server as their argument. */
static const struct control_command own_commands[] = {
    { "list-commands", "", "Lists the commands of this daemon.", 0, 0, run_list_commands },
    { "version", "", "Says which program this is.", 0, 0, run_version },
    { "set-options", "--format text|json", "Chooses the form of this connection's replies.", 0, -1,
      run_set_options },
    { NULL, NULL, NULL, 0, 0, NULL },
};

struct error *control_server_create(struct loop *loop, const char *path, const char *program_line,
                                    const struct control_command *const *tables, size_t n_tables,
                                    void *arg, struct control_server **out)
{
    struct control_server *s = xzalloc(sizeof *s);
    char *address = xasprintf("punix:%s", path);
    struct error *e = stream_listen(loop, address, 0, accept_client, s, &s->listener);
    free(address);
    if (e) {
        free(s);
        return error_wrap(e, "control socket");
    }
    s->loop = loop;
    s->program_line = xstrdup(program_line);
    s->tables = xmemdup(tables, n_tables * sizeof *tables);
    s->n_tables = n_tables;
    s->args = xcalloc(n_tables, sizeof *s->args);
    for (size_t i = 0; i < n_tables; i++) {
        s->args[i] = arg;
    }
    list_init(&s->clients);
    *out = s;
    return NULL;
}

void control_server_destroy(struct control_server *s)
{
    if (!s) {
        return;
    }
    struct client *c, *after;
    LIST_FOR_EACH_SAFE (c, after, node, &s->clients) {
        client_destroy(c);
    }
    stream_listener_destroy(s->listener);
    free(s->program_line);
    free(s->tables);
    free(s->args);
    free(s);
}

void control_server_set_arg(struct control_server *s, const struct control_command *table,
                            void *arg)
{
    for (size_t i = 0; i < s->n_tables; i++) {
        if (s->tables[i] == table) {
            s->args[i] = arg;
        }
    }
}

char *control_program_line(const char *compat_name)
{
    return xasprintf("%s (Open vSwitch) " COMPAT_VERSION, compat_name);
}

void control_reply(struct control_request *r, const char *text)
{
    bool whole = !*text || text[strlen(text) - 1] == '\n';
    char *lines = xasprintf("%s%s", text, whole ? "" : "\n");
    json_t *result = text_json(lines);
    free(lines);
    if (r->json) {
        json_t *wrapped = json_object();
        json_object_set_new(wrapped, "reply-format", json_string("plain"));
        json_object_set_new(wrapped, "reply", result);
        result = wrapped;
    }
    finish(r, result, NULL);
}

void control_reply_json(struct control_request *r, json_t *json)
{
    finish(r, json, NULL);
}

void control_reply_error(struct control_request *r, const char *text)
{
    bool whole = !*text || text[strlen(text) - 1] == '\n';
    char *lines = xasprintf("%s%s", text, whole ? "" : "\n");
    finish(r, NULL, text_json(lines));
    free(lines);
}

void control_reply_error_take(struct control_request *r, struct error *e)
{
    control_reply_error(r, error_text(e));
    error_free(e);
}

bool control_wants_json(const struct control_request *r)
{
    return r->json;
}

struct loop *control_request_loop(const struct control_request *r)
{
    return r->loop;
}

static void accept_client(struct stream *stream, void *server)
{
    static const struct jsonrpc_callbacks callbacks = {
        .message = client_message, .closed = client_closed, .drained = client_drained,
    };
    struct control_server *s = server;
    if (s->n_clients >= MAX_CLIENTS) {
        LOG_WARN("control socket: a client was turned away, %d are served", MAX_CLIENTS);
        stream_destroy(stream);
        return;
    }
    struct client *c = xzalloc(sizeof *c);
    c->server = s;
    list_init(&c->requests);
    c->rpc = jsonrpc_create(s->loop, stream, &callbacks, c);
    jsonrpc_set_max_document(c->rpc, MAX_REQUEST_BYTES);
    list_push_back(&s->clients, &c->node);
    s->n_clients++;
}

static void client_message(struct jsonrpc *rpc, const struct jsonrpc_message *m, void *client)
{
    struct client *c = client;
    if (m->type != JSONRPC_REQUEST) {
        LOG_DBG("%s: a message that is no request was ignored", jsonrpc_name(rpc));
        return;
    }
    struct control_request *r = xzalloc(sizeof *r);
    r->client = c;
    r->loop = c->server->loop;
    r->id = json_incref(m->id);
    r->json = c->json;
    list_push_back(&c->requests, &r->node);
    c->n_requests++;
    run(c, r, m);   /* May have destroyed 'c' and the server. */
}

static void client_closed(struct jsonrpc *rpc, struct error *e, void *client)
{
    if (e) {
        LOG_INFO("control socket: a client was dropped: %s", error_text(e));
    }
    client_destroy(client);
}

static void client_drained(struct jsonrpc *rpc, void *client)
{
    update_pause(client);
}

static void client_destroy(struct client *c)
{
    while (!list_is_empty(&c->requests)) {
        LIST_ENTRY(list_pop_front(&c->requests), struct control_request, node)->client = NULL;
    }
    list_remove(&c->node);
    c->server->n_clients--;
    jsonrpc_destroy(c->rpc);
    free(c);
}

static void update_pause(struct client *c)
{
    jsonrpc_pause(c->rpc, c->n_requests >= MAX_REQUESTS || jsonrpc_queued_bytes(c->rpc) > 0);
}

/* The words of a request as C strings: argv[0] is the command. NULL if a parameter is no string. */
static char **make_argv(const struct jsonrpc_message *m, size_t *argc)
{
    size_t n = json_array_size(m->params);
    char **argv = xcalloc(n + 2, sizeof *argv);
    argv[0] = (char *) m->method;
    for (size_t i = 0; i < n; i++) {
        argv[i + 1] = (char *) json_string_value(json_array_get(m->params, i));
        if (!argv[i + 1]) {
            free(argv);
            return NULL;
        }
    }
    *argc = n + 1;
    return argv;
}

static void refuse(struct control_request *r, const char *format, const char *command, int n)
{
    char *text = xasprintf(format, command, n);
    control_reply_error(r, text);
    free(text);
}

static void refuse_unknown(const struct control_server *s, struct control_request *r,
                           const char *name)
{
    size_t n = 0;
    for (size_t t = 0; t < s->n_tables; t++) {
        for (const struct control_command *c = s->tables[t]; c->name; c++) {
            n++;
        }
    }
    const char **names = xcalloc(n + ARRAY_SIZE(own_commands), sizeof *names);
    n = 0;
    for (size_t t = 0; t <= s->n_tables; t++) {
        for (const struct control_command *c = t < s->n_tables ? s->tables[t] : own_commands;
             c->name; c++) {
            names[n++] = c->name;
        }
    }
    const char *near = string_nearest(name, names);
    char *text = near
        ? xasprintf("\"%s\" is not a valid command; did you mean \"%s\"?", name, near)
        : xasprintf("\"%s\" is not a valid command; list-commands shows those there are", name);
    control_reply_error(r, text);
    free(text);
    free(names);
}

static void run(struct client *c, struct control_request *r, const struct jsonrpc_message *m)
{
    struct control_server *s = c->server;
    void *arg = NULL;
    const struct control_command *command = find(s, m->method, &arg);
    size_t argc = 0;
    char **argv = make_argv(m, &argc);
    if (!argv) {
        control_reply_error(r, "a control command's parameters are strings");
    } else if (!command) {
        refuse_unknown(s, r, m->method);
    } else if ((int) MIN(argc - 1, (size_t) MAX_WORDS) < command->min_args) {
        refuse(r, "\"%s\" command requires at least %d arguments", m->method, command->min_args);
    } else if (argc - 1 > (command->max_args < 0 ? MAX_WORDS : (size_t) command->max_args)) {
        refuse(r, "\"%s\" command takes at most %d arguments", m->method,
               command->max_args < 0 ? MAX_WORDS : command->max_args);
    } else {
        LOG_DBG("received request %s", m->method);
        command->run(r, (int) argc, argv, arg);
        free(argv);
        return;
    }
    free(argv);
}

static const struct control_command *find(struct control_server *s, const char *name, void **arg)
{
    for (size_t t = 0; t <= s->n_tables; t++) {
        for (const struct control_command *c = t < s->n_tables ? s->tables[t] : own_commands;
             c->name; c++) {
            if (!strcmp(c->name, name)) {
                *arg = t < s->n_tables ? s->args[t] : s;
                return c;
            }
        }
    }
    return NULL;
}

/* Answers and frees 'r'; takes 'result' or 'error'. */
static void finish(struct control_request *r, json_t *result, json_t *error)
{
    struct client *c = r->client;
    if (c) {
        list_remove(&r->node);
        c->n_requests--;
        if (error) {
            jsonrpc_send_error(c->rpc, error, r->id);
        } else {
            jsonrpc_send_reply(c->rpc, result, r->id);
        }
        update_pause(c);
    } else {
        json_decref(error ? error : result);
        json_decref(r->id);
    }
    free(r);
}

/* A JSON string; bytes that are no UTF-8 become question marks. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    if (!json) {
        char *ascii = xstrdup(text);
        for (unsigned char *p = (unsigned char *) ascii; *p; p++) {
            *p = *p < 128 ? *p : '?';
        }
        json = json_string(ascii);
        free(ascii);
    }
    return json;
}

static int compare_commands(const void *a_, const void *b_)
{
    const struct control_command *const *a = a_, *const *b = b_;
    return strcmp((*a)->name, (*b)->name);
}

static void run_list_commands(struct control_request *r, int argc, char *argv[], void *server)
{
    struct control_server *s = server;
    const struct control_command **all = NULL;
    size_t n = 0, allocated = 0;
    for (size_t t = 0; t <= s->n_tables; t++) {
        for (const struct control_command *c = t < s->n_tables ? s->tables[t] : own_commands;
             c->name; c++) {
            if (n == allocated) {
                all = xgrow(all, &allocated, sizeof *all);
            }
            all[n++] = c;
        }
    }
    qsort(all, n, sizeof *all, compare_commands);
    if (control_wants_json(r)) {
        json_t *json = json_object();
        for (size_t i = 0; i < n; i++) {
            json_object_set_new(json, all[i]->name, json_string(all[i]->usage));
        }
        control_reply_json(r, json);
    } else {
        struct text t = TEXT_INIT;
        text_put(&t, "The available commands are:\n");
        for (size_t i = 0; i < n; i++) {
            text_printf(&t, "  %-23s %s\n", all[i]->name, all[i]->usage);
        }
        control_reply(r, text_str(&t));
        text_fini(&t);
    }
    free(all);
}

static void run_version(struct control_request *r, int argc, char *argv[], void *server)
{
    struct control_server *s = server;
    char *text = xasprintf("%s\nTsuji %s\n", s->program_line, PACKAGE_VERSION);
    control_reply(r, text);
    free(text);
}

static void run_set_options(struct control_request *r, int argc, char *argv[], void *server)
{
    bool json = r->client->json;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--format") || !argv[i + 1]
            || (strcmp(argv[i + 1], "text") && strcmp(argv[i + 1], "json"))) {
            control_reply_error(r, "set-options takes: --format text, or --format json");
            return;
        }
        json = !strcmp(argv[++i], "json");
    }
    r->client->json = json;
    r->json = false;   /* This answer is empty in either form. */
    control_reply(r, "");
}
