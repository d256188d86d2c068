/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a session share: db/session.c (its life, its requests), db/session_txn.c (its transactions),
 * db/session_lock.c (its locks). */
#ifndef DB_SESSION_PRIVATE_H
#define DB_SESSION_PRIVATE_H

#include "db/server_private.h"
#include "lib/rpc/jsonrpc.h"

struct db_error;

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

/* Sends, unless the client has left too much unread: then the session is killed. */
void session_send_text(struct db_session *, const char *text, size_t n);
/* 'result' is JSON text. */
void session_reply_text(struct db_session *, const json_t *id, const char *result, size_t n);
void session_reply_error_json(struct db_session *, const json_t *id, json_t *error);   /* Takes 'error'. */
void session_reply_error(struct db_session *, const json_t *id, struct db_error *);    /* Takes. */
/* The database that a request names as its first parameter; NULL after an error reply. */
struct served_db *session_find_db(struct db_session *, const struct jsonrpc_message *);

/* db/session_txn.c */
void session_transact(struct db_session *, const struct jsonrpc_message *);
void session_cancel(struct db_session *, const struct jsonrpc_message *);
/* All that wait go; those that are in a group are committed and not answered. */
void session_drop_transactions(struct db_session *);
/* Those on 'db', which is flushed and goes, are answered "canceled". */
void session_cancel_transactions(struct db_session *, const struct served_db *db);

#endif
