/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the database server share. */
#ifndef DB_SERVER_PRIVATE_H
#define DB_SERVER_PRIVATE_H

#include <jansson.h>

#include "db/monitor.h"
#include "db/server.h"
#include "db/store.h"
#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/base/uuid.h"
#include "lib/sys/loop.h"

struct db_session;
struct jsonrpc;
struct stream;
struct stream_listener;

/* A database that the server serves. */
struct served_db {
    struct list node;
    struct db_server *server;
    const char *name;                /* The schema's. */
    struct store *store;
    struct monitor_set monitors;
    struct list waiting;             /* struct trigger, whose "wait" does not hold yet. */
    bool changed;                    /* Since the waiting ones were last tried. */
    bool read_only;                  /* For clients: "_Server". */
};

struct db_server {
    struct loop *loop;
    struct loop_hook *hook;
    struct db_server_limits limits;
    struct list dbs;
    struct served_db *server_db;     /* "_Server" */
    struct list sessions;
    struct list dead_sessions;       /* To be destroyed by the hook. */
    size_t n_sessions;
    struct hmap locks;
    struct list remotes;
    struct list columns;             /* struct remote_column */
    bool remotes_stale;              /* Columns with remotes may have changed. */
    bool status_stale;               /* Connections of rows have changed. */
    struct loop_timer status_timer;
    struct uuid id;
};

struct served_db *db_server_find(const struct db_server *, const char *name);   /* NULL if none. */
/* Writes the open group and publishes it, so that memory is what everybody may see. */
void served_db_flush(struct served_db *);
/* Commits a transaction of the server's own. */
void served_db_commit_own(struct served_db *, struct db_txn *);

/* db/session.c */
struct db_remote;
/* Takes 'stream'. NULL if the server is full. */
struct db_session *db_session_create(struct db_server *, struct stream *, struct db_remote *,
                                     int probe_ms, bool read_only);
/* Nothing is sent to it or read from it any more; the server's hook destroys it. */
void db_session_kill(struct db_session *);
void db_session_destroy(struct db_session *);
/* For monitor_set. */
void db_session_send_update(void *session, const char *text, size_t n);
/* The remote goes, and with it its sessions. */
void db_session_leave_remote(struct db_server *, const struct db_remote *);
void db_session_retry_waiting(struct served_db *);
/* Databases came or went: sessions that are not aware of that are closed. */
void db_session_dbs_changed(struct db_server *);
/* 'db' goes: its monitors and waiting transactions are cancelled. */
void db_session_db_removed(struct served_db *);
const char *db_session_name(const struct db_session *);

/* db/session_lock.c */
struct session_lock;
bool db_lock_owned(const struct db_session *, const char *name);
/* Whether the session owns it now; false in '*fresh' if the session has asked for it before. */
bool db_lock_acquire(struct db_session *, const char *name, bool steal, bool *fresh);
bool db_lock_release(struct db_session *, const char *name);   /* False if it has not asked for it. */
void db_lock_release_all(struct db_session *);
void db_session_notify_lock(struct db_session *, const char *method, const char *lock);
struct list *db_session_locks(struct db_session *);
struct db_server *db_session_server(const struct db_session *);

/* db/remote.c */
/* Follows the columns that hold remotes. */
void db_remotes_update(struct db_server *);
void db_remotes_write_status(struct db_server *);
void db_remotes_destroy(struct db_server *);
void db_remote_session_closed(struct db_remote *, struct db_session *);

/* db/server_db.c */
struct served_db *db_server_db_create(struct db_server *);
void db_server_db_add(struct db_server *, const struct served_db *);
void db_server_db_remove(struct db_server *, const struct served_db *);

#endif
