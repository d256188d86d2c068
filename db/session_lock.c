/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of the database server (RFC 7047 sections 4.1.8 to 4.1.10): a name, its owner, and who waits. */
#include <stdlib.h>

#include "db/server_private.h"
#include "lib/base/alloc.h"
#include "lib/base/hash.h"

struct db_lock {
    struct hmap_node node;       /* In the server's 'locks'. */
    struct db_server *server;
    char *name;
    struct list claims;          /* struct session_lock; the first is the owner's. */
};

/* A session's claim to a lock. */
struct session_lock {
    struct list lock_node, session_node;
    struct db_lock *lock;
    struct db_session *session;
};

static struct session_lock *find_claim(const struct db_session *s, const char *name)
{
    struct session_lock *c;
    LIST_FOR_EACH (c, session_node, db_session_locks((struct db_session *) s)) {
        if (!strcmp(c->lock->name, name)) {
            return c;
        }
    }
    return NULL;
}

static bool is_owner(const struct session_lock *c)
{
    return c->lock->claims.next == &c->lock_node;
}

bool db_lock_owned(const struct db_session *s, const char *name)
{
    const struct session_lock *c = find_claim(s, name);
    return c && is_owner(c);
}

static struct db_lock *get_lock(struct db_server *server, const char *name)
{
    uint32_t hash = hash_string(name, 0);
    struct db_lock *l;
    HMAP_FOR_EACH_WITH_HASH (l, node, hash, &server->locks) {
        if (!strcmp(l->name, name)) {
            return l;
        }
    }
    l = xzalloc(sizeof *l);
    l->server = server;
    l->name = xstrdup(name);
    list_init(&l->claims);
    hmap_insert(&server->locks, &l->node, hash);
    return l;
}

bool db_lock_acquire(struct db_session *s, const char *name, bool steal, bool *fresh)
{
    *fresh = !find_claim(s, name);
    if (!*fresh) {
        return false;
    }
    struct db_lock *l = get_lock(db_session_server(s), name);
    struct session_lock *c = xzalloc(sizeof *c);
    c->lock = l;
    c->session = s;
    list_push_back(db_session_locks(s), &c->session_node);
    if (steal && !list_is_empty(&l->claims)) {
        struct session_lock *victim = LIST_ENTRY(l->claims.next, struct session_lock, lock_node);
        list_push_front(&l->claims, &c->lock_node);
        db_session_notify_lock(victim->session, "stolen", name);
    } else {
        list_push_back(&l->claims, &c->lock_node);
    }
    return is_owner(c);
}

static void drop_claim(struct session_lock *c)
{
    struct db_lock *l = c->lock;
    bool was_owner = is_owner(c);
    list_remove(&c->lock_node);
    list_remove(&c->session_node);
    free(c);
    if (list_is_empty(&l->claims)) {
        hmap_remove(&l->server->locks, &l->node);
        free(l->name);
        free(l);
    } else if (was_owner) {
        c = LIST_ENTRY(l->claims.next, struct session_lock, lock_node);
        db_session_notify_lock(c->session, "locked", l->name);
    }
}

bool db_lock_release(struct db_session *s, const char *name)
{
    struct session_lock *c = find_claim(s, name);
    if (c) {
        drop_claim(c);
    }
    return c != NULL;
}

void db_lock_release_all(struct db_session *s)
{
    struct list *locks = db_session_locks(s);
    while (!list_is_empty(locks)) {
        drop_claim(LIST_ENTRY(locks->next, struct session_lock, session_node));
    }
}
