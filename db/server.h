/* SPDX-License-Identifier: Apache-2.0 */
/* The database server: JSON-RPC sessions on databases (RFC 7047 section 4, ovsdb-server(7)).
 *
 * What: a server has databases (files, and "_Server", which describes them), remotes (addresses to listen on or
 * to connect to, or columns of a database that hold such), and sessions. Transactions of a round of the
 * loop are written together (db/store.h) and then published: for each in order its updates to all monitors,
 * then its reply.
 *
 * Use:   struct db_server *s = db_server_create(loop);
 *        e = db_server_add_file(s, "/etc/tsuji/conf.db");
 *        e = db_server_add_remote(s, "punix:db.sock");
 *        e = db_server_add_remote(s, "db:Open_vSwitch,Open_vSwitch,manager_options");
 *        db_server_serve_fd(s, fd, "vswitchd");
 *        loop_run(loop);
 *
 * Bounds: sessions (db_server_limits), what a client may leave unread, transactions that a session may have
 * waiting, monitors of a session, documents (lib/rpc/jsonrpc.h).
 *
 * Threads: a server belongs to its loop's thread, which may be a thread of its own: create the loop and the
 * server, then run the loop there; other threads use loop_post(). */
#ifndef DB_SERVER_H
#define DB_SERVER_H

#include "lib/base/types.h"
#include "lib/rpc/control.h"

struct db_server;
struct error;
struct loop;
struct text;

struct db_server_limits {
    size_t max_sessions;          /* Further ones are closed at once, with a log line. */
    size_t max_queued_bytes;      /* A client that left more unread is disconnected at the next message. */
    size_t max_waiting;           /* Transactions of a session that wait; then it is not read any more. */
    size_t max_monitors;          /* Of a session. */
    size_t max_locks;             /* That a session has asked for. */
};

struct db_server *db_server_create(struct loop *);
/* Flushes what is not written yet, closes all sessions and files. NULL is fine. */
void db_server_destroy(struct db_server *);
void db_server_set_limits(struct db_server *, const struct db_server_limits *);
struct db_server_limits db_server_default_limits(void);

/* A database's file. An error names what is wrong with it. */
struct error *db_server_add_file(struct db_server *, const char *path);
/* Creates 'path' with the schema in JSON 'schema' first if it does not exist. */
struct error *db_server_add_or_create_file(struct db_server *, const char *path, const char *schema);
struct error *db_server_remove_db(struct db_server *, const char *name);
/* "punix:FILE", "ptcp:PORT[:HOST]", "unix:FILE", "tcp:HOST:PORT", "db:DB,TABLE,COLUMN". */
struct error *db_server_add_remote(struct db_server *, const char *remote);
struct error *db_server_remove_remote(struct db_server *, const char *remote);
/* Serves a connected stream socket; takes 'fd'. */
void db_server_serve_fd(struct db_server *, int fd, const char *name);

struct error *db_server_compact(struct db_server *, const char *db);   /* NULL: all. */
void db_server_list_dbs(const struct db_server *, struct text *);       /* A name a line. */
void db_server_list_remotes(const struct db_server *, struct text *);
/* Sessions, monitors, rows, atoms, journal bytes: "name:value" words. */
void db_server_memory(const struct db_server *, struct text *);

/* "ovsdb-server/compact" and so on; 'arg' of the control server is the db_server, and both have the same loop.
 * Ends with a NULL name. */
extern const struct control_command db_server_commands[];

#endif
