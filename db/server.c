/* SPDX-License-Identifier: Apache-2.0 */
/* The database server: databases, and the round of its loop. */
#include "db/server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/error.h"
#include "db/journal.h"
#include "db/server_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"

LOG_MODULE(ovsdb_server);

/* A manager's row tells of its connections at most this often. */
enum { STATUS_INTERVAL_MS = 2500 };

struct db_server_limits db_server_default_limits(void)
{
    return (struct db_server_limits) {
        .max_sessions = 1024,
        .max_queued_bytes = 64 << 20,
        .max_waiting = 1000,
        .max_monitors = 1000,
        .max_locks = 1000,
    };
}

static void run(void *server);
static void status_due(void *server);

struct db_server *db_server_create(struct loop *loop)
{
    struct db_server *s = xzalloc(sizeof *s);
    s->loop = loop;
    s->limits = db_server_default_limits();
    list_init(&s->dbs);
    list_init(&s->sessions);
    list_init(&s->dead_sessions);
    list_init(&s->remotes);
    list_init(&s->columns);
    hmap_init(&s->locks);
    s->id = uuid_random();
    loop_timer_init(&s->status_timer, loop, status_due, s);
    s->hook = loop_hook_create(loop, run, s);
    s->server_db = db_server_db_create(s);
    list_push_back(&s->dbs, &s->server_db->node);
    db_server_db_add(s, s->server_db);
    return s;
}

static void served_db_destroy(struct served_db *db)
{
    served_db_flush(db);
    list_remove(&db->node);
    monitor_set_fini(&db->monitors);
    store_destroy(db->store);
    free(db);
}

static void destroy_sessions(struct list *sessions)
{
    while (!list_is_empty(sessions)) {
        /* The node is a session's first member (db/session.c). */
        db_session_destroy((struct db_session *) sessions->next);
    }
}

void db_server_destroy(struct db_server *s)
{
    if (!s) {
        return;
    }
    struct served_db *db;
    LIST_FOR_EACH (db, node, &s->dbs) {
        served_db_flush(db);
    }
    db_remotes_destroy(s);
    destroy_sessions(&s->sessions);
    destroy_sessions(&s->dead_sessions);
    while (!list_is_empty(&s->dbs)) {
        served_db_destroy(LIST_ENTRY(s->dbs.next, struct served_db, node));
    }
    loop_timer_cancel(&s->status_timer);
    loop_hook_destroy(s->hook);
    hmap_fini(&s->locks);
    free(s);
}

void db_server_set_limits(struct db_server *s, const struct db_server_limits *limits)
{
    s->limits = *limits;
}

/* Databases ----------------------------------------------------------------------------------------- */

struct served_db *db_server_find(const struct db_server *s, const char *name)
{
    struct served_db *db;
    LIST_FOR_EACH (db, node, &s->dbs) {
        if (!strcmp(db->name, name)) {
            return db;
        }
    }
    return NULL;
}

struct error *db_server_add_file(struct db_server *s, const char *path)
{
    struct store *store;
    struct error *e = store_open(path, true, NULL, &store);
    if (e) {
        return e;
    }
    if (db_server_find(s, store->db->schema->name)) {
        e = error_new(EEXIST, "%s: a database named \"%s\" is already served", path,
                      store->db->schema->name);
        store_destroy(store);
        return e;
    }
    struct served_db *db = xzalloc(sizeof *db);
    db->server = s;
    db->name = store->db->schema->name;
    db->store = store;
    list_init(&db->waiting);
    monitor_set_init(&db->monitors, store->db, db_session_send_update);
    list_push_back(&s->dbs, &db->node);
    db_server_db_add(s, db);
    db_session_dbs_changed(s);
    s->remotes_stale = true;
    return NULL;
}

struct error *db_server_add_or_create_file(struct db_server *s, const char *path, const char *schema)
{
    if (access(path, F_OK) && errno == ENOENT) {
        struct error *e = journal_create(path, schema, &file_ops_system);
        if (e) {
            return e;
        }
        LOG_INFO("%s: database created", path);
    }
    return db_server_add_file(s, path);
}

struct error *db_server_remove_db(struct db_server *s, const char *name)
{
    struct served_db *db = db_server_find(s, name);
    if (!db || db == s->server_db) {
        return error_new(ENOENT, db ? "database \"%s\" is the server's own and cannot be removed"
                                    : "there is no database \"%s\"", name);
    }
    served_db_flush(db);
    destroy_sessions(&s->dead_sessions);
    db_session_db_removed(db);
    db_server_db_remove(s, db);
    served_db_destroy(db);
    db_session_dbs_changed(s);
    s->remotes_stale = true;
    return NULL;
}

void db_server_serve_fd(struct db_server *s, int fd, const char *name)
{
    db_session_create(s, stream_from_fd(s->loop, fd, name), NULL, 0, false);
}

struct error *db_server_compact(struct db_server *s, const char *name)
{
    struct error *first = NULL;
    bool found = false;
    struct served_db *db;
    LIST_FOR_EACH (db, node, &s->dbs) {
        if (!name || !strcmp(db->name, name)) {
            found = true;
            served_db_flush(db);
            error_keep_first(&first, store_compact(db->store, "compacting database on request"));
        }
    }
    return !found && !first ? error_new(ENOENT, "there is no database \"%s\"", name) : first;
}

void served_db_flush(struct served_db *db)
{
    store_flush(db->store);
}

static void own_done(const struct error *e, const struct db_txn *txn, void *db_)
{
    struct served_db *db = db_;
    if (!e) {
        monitor_set_publish(&db->monitors, txn);
        db->changed = true;
    }
}

void served_db_commit_own(struct served_db *db, struct db_txn *txn)
{
    struct db_error *e = db_txn_commit(txn);
    if (e) {
        struct text t = TEXT_INIT;
        db_error_put_text(e, &t);
        LOG_ERR("%s: the server's own transaction failed: %s", db->name, text_str(&t));
        text_fini(&t);
        db_error_free(e);
    } else if (db_txn_is_empty(txn)) {
        db_txn_finish(txn);
    } else {
        store_add(db->store, txn, false, own_done, db);
        loop_hook_again(db->server->loop);
    }
}

/* The round of the loop ------------------------------------------------------------------------------- */

static void compact_if_due(struct served_db *db)
{
    if (store_wants_compaction(db->store)) {
        long long before = store_file_size(db->store);
        int64_t start = clock_ms();
        struct error *e = store_compact(db->store, "compacting database");
        if (e) {
            LOG_WARN("%s: %s", db->name, error_text(e));
            error_free(e);
        } else {
            LOG_INFO("%s: compacted from %lld to %lld bytes in %lld ms", db->name, before,
                     (long long) store_file_size(db->store), (long long) (clock_ms() - start));
        }
    }
}

static void run(void *server)
{
    struct db_server *s = server;
    destroy_sessions(&s->dead_sessions);
    if (s->remotes_stale) {
        s->remotes_stale = false;
        db_remotes_update(s);
    }
    struct served_db *db;
    LIST_FOR_EACH (db, node, &s->dbs) {
        bool had_group = store_has_group(db->store);
        served_db_flush(db);
        if (db->changed) {
            db->changed = false;
            s->remotes_stale |= !list_is_empty(&s->columns);
            db_session_retry_waiting(db);
            loop_hook_again(s->loop);
        }
        if (had_group) {
            compact_if_due(db);
        }
    }
    destroy_sessions(&s->dead_sessions);
    if (s->status_stale && !loop_timer_is_armed(&s->status_timer)) {
        s->status_stale = false;
        db_remotes_write_status(s);
        loop_timer_after_ms(&s->status_timer, STATUS_INTERVAL_MS);
    }
}

static void status_due(void *server)
{
    /* The hook, which runs after every round, looks at 'status_stale'. */
}

/* What operators ask --------------------------------------------------------------------------------- */

void db_server_list_dbs(const struct db_server *s, struct text *t)
{
    struct served_db *db;
    LIST_FOR_EACH (db, node, &s->dbs) {
        text_printf(t, "%s\n", db->name);
    }
}

void db_server_memory(const struct db_server *s, struct text *t)
{
    size_t n_atoms = 0, n_rows = 0, n_monitors = 0;
    struct served_db *db;
    LIST_FOR_EACH (db, node, &s->dbs) {
        n_atoms += database_count_atoms(db->store->db);
        n_rows += database_count_rows(db->store->db);
        n_monitors += db->monitors.n_monitors;
    }
    text_printf(t, "atoms:%zu cells:%zu monitors:%zu sessions:%zu", n_atoms, n_rows, n_monitors,
                s->n_sessions);
}
