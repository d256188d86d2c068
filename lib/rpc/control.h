/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket ("unixctl") that ovs-appctl speaks to: JSON-RPC 1.0, a command and its
 * words.
 *
 * What: daemons hand over one visible table of commands; there is no registration from below.
 * Every command answers text, and JSON when the client asked for it (set-options --format json).
 *
 * Threads: the server's loop calls the handlers. A handler may answer later by keeping the
 * request. */
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
    /* argv[0] is the name. */
    void (*run)(struct control_request *, int argc, char *argv[], void *arg);
};

/* Every request is answered exactly once, by one of these; it is gone then. */
/* Wrapped if JSON was asked for. */
void control_reply(struct control_request *, const char *text);
/* Takes. Only if control_wants_json(). */
void control_reply_json(struct control_request *, json_t *);
void control_reply_error(struct control_request *, const char *text);
void control_reply_error_take(struct control_request *, struct error *);
bool control_wants_json(const struct control_request *);
struct loop *control_request_loop(const struct control_request *);   /* The server's. */

struct control_server;
/* Each table ends with a NULL name and lives as long as the server; list-commands, version
 * (printing 'program_line' and then our own name and version), set-options are added by the
 * server. 'path' is absolute.
 *
 * A client is bounded: it is not read while 16 of its requests are under way or its replies wait
 * to be read; a request has 1 MB at most; the server serves 256 clients at a time. */
struct error *control_server_create(struct loop *, const char *path, const char *program_line,
                                    const struct control_command *const *tables, size_t n_tables,
                                    void *arg, struct control_server **);
/* Gives the handlers of one table an argument of their own. */
void control_server_set_arg(struct control_server *, const struct control_command *table,
                            void *arg);
/* NULL is fine. Requests may still be answered. */
void control_server_destroy(struct control_server *);

/* "NAME (Open vSwitch) X.Y.Z": the line that scripts look for; caller frees. */
char *control_program_line(const char *compat_name);

/* For any daemon: vlog/set, vlog/list, vlog/list-pattern, vlog/reopen, vlog/close and the rate
 * limits. */
extern const struct control_command control_log_commands[];
/* For any daemon: time/stop; time/warp MS [STEP], answered when all loops have run the timers
 * that became due. */
extern const struct control_command control_time_commands[];

/* Blocking client, for tools and tests: sends the 'argc' words of 'argv', which do not include
 * the command. The reply is text, or JSON when 'json', or with '*is_error' the error's text;
 * caller frees. 'timeout_s' 0: waits for ever. */
struct error *control_call(const char *path, const char *command, int argc, char *const argv[],
                           bool json, int timeout_s, char **reply, bool *is_error);
/* The socket of a daemon: an absolute path is itself; otherwise the pid file of that name in the
 * run directory says which. "tsuji-vswitchd" and "tsuji-dbserver" mean the files that they write
 * for compatibility, "ovs-vswitchd" and "ovsdb-server". Caller frees. */
struct error *control_find(const char *target, char **path);

#endif
