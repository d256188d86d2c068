/* SPDX-License-Identifier: Apache-2.0 */
/* Monitors: sharing of views and sending of updates. */
#include "db/monitor.h"

#include <stdlib.h>

#include "db/error.h"
#include "db/members.h"
#include "db/monitor_view.h"
#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

/* Transactions have no name that a client could resume from. */
#define NO_TXN_ID "00000000-0000-0000-0000-000000000000"

void monitor_set_init(struct monitor_set *set, struct database *db,
                      void (*send)(void *owner, const char *text, size_t n))
{
    *set = (struct monitor_set) { .db = db, .send = send };
    hmap_init(&set->views);
}

void monitor_set_fini(struct monitor_set *set)
{
    hmap_fini(&set->views);
}

/* The view of 'requests', an existing one if there is an equal one. */
static struct db_error *get_view(struct monitor_set *set, enum monitor_version version,
                                 const json_t *requests, struct monitor_view **out)
{
    char *dump = json_dumps(requests, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *key = xasprintf("%d%s", version, dump ? dump : "");
    free(dump);
    uint32_t hash = hash_string(key, 0);
    struct monitor_view *v;
    HMAP_FOR_EACH_WITH_HASH (v, node, hash, &set->views) {
        if (!strcmp(v->key, key)) {
            free(key);
            *out = v;
            return NULL;
        }
    }
    struct db_error *e = monitor_view_create(set->db, version, requests, &v);
    if (e) {
        free(key);
        return e;
    }
    v->key = key;
    hmap_insert(&set->views, &v->node, hash);
    *out = v;
    return NULL;
}

static void leave_view(struct db_monitor *m)
{
    list_remove(&m->node);
    if (list_is_empty(&m->view->monitors)) {
        hmap_remove(&m->set->views, &m->view->node);
        monitor_view_destroy(m->view);
    }
    m->view = NULL;
}

struct db_error *db_monitor_create(struct monitor_set *set, enum monitor_version version,
                                   const json_t *id, const json_t *requests, void *owner,
                                   struct db_monitor **out)
{
    struct monitor_view *v;
    struct db_error *e = get_view(set, version, requests, &v);
    if (e) {
        return e;
    }
    struct db_monitor *m = xzalloc(sizeof *m);
    m->owner = owner;
    m->set = set;
    m->version = version;
    m->view = v;
    m->id = json_deep_copy(id);
    m->requests = json_deep_copy(requests);
    list_push_back(&v->monitors, &m->node);
    list_init(&m->owner_node);
    set->n_monitors++;
    *out = m;
    return NULL;
}

void db_monitor_destroy(struct db_monitor *m)
{
    leave_view(m);
    m->set->n_monitors--;
    list_remove(&m->owner_node);
    json_decref(m->id);
    json_decref(m->requests);
    free(m);
}

void db_monitor_put_initial(const struct db_monitor *m, struct text *t)
{
    monitor_view_put_initial(m->view, t);
}

/* Sends a notification whose table updates are 'body'. */
static void send_update(const struct db_monitor *m, const struct text *body)
{
    static const char *const methods[] = {
        [MONITOR_V1] = "update", [MONITOR_V2] = "update2", [MONITOR_V3] = "update3",
    };
    struct text t = TEXT_INIT;
    char *id = json_dumps(m->id, JSON_COMPACT | JSON_ENCODE_ANY);
    text_printf(&t, "{\"id\":null,\"method\":\"%s\",\"params\":[%s,%s", methods[m->version], id,
                m->version == MONITOR_V3 ? "\""NO_TXN_ID"\"," : "");
    text_put_n(&t, body->s, body->len);
    text_put(&t, "]}");
    m->set->send(m->owner, t.s, t.len);
    free(id);
    text_fini(&t);
}

/* 'requests' with the conditions of 'changes' in the place of its own. */
static struct db_error *change_requests(const struct db_monitor *m, const json_t *changes,
                                        json_t **requests)
{
    if (!json_is_object(changes)) {
        return db_error_syntax(changes, "changes of conditions are an object with a member for each "
                               "table");
    }
    *requests = json_deep_copy(m->requests);
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) changes, name, value) {
        json_t *request = json_object_get(*requests, name);
        const json_t *change = json_is_array(value) ? json_array_get(value, 0) : value;
        struct members mm;
        members_init(&mm, change, "change of a condition");
        const json_t *columns = members_get(&mm, "columns", MEMBER_ARRAY | MEMBER_OPTIONAL);
        const json_t *where = members_get(&mm, "where", MEMBER_ARRAY | MEMBER_OPTIONAL);
        struct db_error *e = members_finish(&mm);
        if (!e && !request) {
            e = db_error_syntax(NULL, "table \"%s\" is not monitored", name);
        }
        if (!e && json_is_array(value) && json_array_size(value) != 1) {
            e = db_error_syntax(value, "one change of a condition for each table");
        }
        if (!e && json_array_size(columns)) {
            e = db_error_new(DB_E_NOT_SUPPORTED, "the columns of a monitor cannot be changed");
        }
        if (e) {
            json_decref(*requests);
            return e;
        }
        /* The first request of the table gets all of the condition. */
        json_t *first = json_is_array(request) ? json_array_get(request, 0) : request;
        for (size_t i = 1; i < json_array_size(request); i++) {
            json_object_del(json_array_get(request, i), "where");
        }
        if (where) {
            json_object_set_new(first, "where", json_deep_copy(where));
        } else {
            json_object_del(first, "where");
        }
    }
    return NULL;
}

struct db_error *db_monitor_change(struct db_monitor *m, const json_t *id, const json_t *changes)
{
    json_t *requests = NULL;
    struct db_error *e = change_requests(m, changes, &requests);
    if (e) {
        return e;
    }
    struct monitor_view *v;
    e = get_view(m->set, m->version, requests, &v);
    if (e) {
        json_decref(requests);
        return e;
    }
    json_decref(m->requests);
    m->requests = requests;
    json_t *new_id = json_deep_copy(id);
    json_decref(m->id);
    m->id = new_id;
    if (v != m->view) {
        struct text t = TEXT_INIT;
        if (monitor_view_put_difference(m->view, v, &t)) {
            send_update(m, &t);
        }
        text_fini(&t);
        leave_view(m);
        m->view = v;
        list_push_back(&v->monitors, &m->node);
    }
    return NULL;
}

static int compare_by_table(const void *a_, const void *b_)
{
    const struct db_change *const *a = a_, *const *b = b_;
    uint32_t x = (*a)->row->table->schema->index, y = (*b)->row->table->schema->index;
    return x < y ? -1 : x > y;
}

void monitor_set_publish(struct monitor_set *set, const struct db_txn *txn)
{
    if (hmap_is_empty(&set->views)) {
        return;
    }
    size_t n = 0;
    struct db_change **changes = xcalloc(list_size(&txn->changes) + 1, sizeof *changes);
    struct db_change *c;
    LIST_FOR_EACH (c, node, &txn->changes) {
        changes[n++] = c;
    }
    qsort(changes, n, sizeof *changes, compare_by_table);
    struct text t = TEXT_INIT;
    struct monitor_view *v;
    HMAP_FOR_EACH (v, node, &set->views) {
        text_clear(&t);
        if (monitor_view_put_changes(v, changes, n, &t)) {
            struct db_monitor *m;
            LIST_FOR_EACH (m, node, &v->monitors) {
                send_update(m, &t);
            }
        }
    }
    text_fini(&t);
    free(changes);
}
