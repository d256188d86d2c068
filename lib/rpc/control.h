/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket ("unixctl") that ovs-appctl speaks to: JSON-RPC 1.0, a command and its words.
 *
 * What: daemons hand over one visible table of commands; there is no registration from below. Every command
 * answers text, and JSON when the client asked for it (set-options --format json).
 *
 * Threads: the server's loop calls the handlers. A handler may answer later by keeping the request. */
#ifndef LIB_RPC_CONTROL_H
#define LIB_RPC_CONTROL_H

#include <jansson.h>

#include "lib/base/types.h"

struct error;
struct loop;
struct control_request;

struct control_command {
    const char *name;        /* "fdb/show" */
    const char *usage;       /* "[bridge]" */
    const char *help;        /* One sentence, for list-commands, --help and the man page. */
    int min_args, max_args;  /* -1: any number. */
    void (*run)(struct control_request *, int argc, char *argv[], void *arg);   /* argv[0] is the name. */
};

/* Every request is answered exactly once, by one of these; it is gone then. */
void control_reply(struct control_request *, const char *text);      /* Wrapped if JSON was asked for. */
void control_reply_json(struct control_request *, json_t *);         /* Takes. Only if control_wants_json(). */
void control_reply_error(struct control_request *, const char *text);
void control_reply_error_take(struct control_request *, struct error *);
bool control_wants_json(const struct control_request *);

struct control_server;
/* 'commands' ends with a NULL name and lives as long as the server; list-commands, version (printing
 * "<compat_name> (Open vSwitch) <compat_version>" and our own), set-options are added by the server. */
struct error *control_server_create(struct loop *, const char *path, const char *program_line,
                                    const struct control_command *const *tables, size_t n_tables,
                                    void *arg, struct control_server **);
void control_server_destroy(struct control_server *);

/* Blocking client, for tools and tests. The reply is text, or JSON when 'json'. '*is_error' tells which. */
struct error *control_call(const char *path, const char *command, int argc, char *const argv[], bool json,
                           int timeout_s, char **reply, bool *is_error);
/* The socket of a daemon: an absolute path is itself, otherwise the pid file's. Caller frees. */
struct error *control_find(const char *target, char **path);

#endif
