/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of sessions: carried out, waiting, in a group, answered. */
#include <stdlib.h>

#include "db/error.h"
#include "db/execute.h"
#include "db/session_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"

/* A transaction that was asked for and not answered yet. */
struct trigger {
    struct list session_node;
    struct list waiting_node;    /* In its database's 'waiting', else a list of its own. */
    struct db_session *session;  /* NULL once that is gone. */
    struct served_db *db;
    json_t *id, *params;
    int64_t start_ms;
    struct loop_timer timer;
    struct text result;
    bool in_group;
};

static void trigger_detach(struct trigger *t)
{
    if (t->session) {
        list_remove(&t->session_node);
        t->session->n_triggers--;
        t->session = NULL;
    }
}

static void trigger_destroy(struct trigger *t)
{
    trigger_detach(t);
    list_remove(&t->waiting_node);
    loop_timer_cancel(&t->timer);
    text_fini(&t->result);
    json_decref(t->id);
    json_decref(t->params);
    free(t);
}

/* Reads from the client only while few of its transactions wait. */
static void update_pause(struct db_session *s)
{
    if (!s->dead) {
        jsonrpc_pause(s->rpc, s->n_triggers >= s->server->limits.max_waiting);
    }
}

static void answer(struct trigger *t)
{
    struct db_session *s = t->session;
    if (s) {
        session_reply_text(s, t->id, t->result.s, t->result.len);
    }
    trigger_destroy(t);
    if (s) {
        update_pause(s);
    }
}

/* Adds an error as one more element to a result array. */
static void append_error(struct text *result, const char *tag, const char *details)
{
    struct db_error *e = db_error_new(tag, "%s", details);
    json_t *j = db_error_to_json(e);
    char *s = json_dumps(j, JSON_COMPACT);
    text_chomp(result, ']');
    text_printf(result, "%s%s]", text_ends_with(result, "[") ? "" : ",", s);
    free(s);
    json_decref(j);
    db_error_free(e);
}

static void trigger_done(const struct error *e, const struct db_txn *txn, void *trigger)
{
    struct trigger *t = trigger;
    if (e) {
        append_error(&t->result, DB_E_IO, error_text(e));
    } else if (txn) {
        monitor_set_publish(&t->db->monitors, txn);
        t->db->changed = true;
    }
    t->in_group = false;
    answer(t);
}

static bool owns_lock(const char *lock, void *session)
{
    return session && db_lock_owned(session, lock);
}

/* Tries to carry it out. Afterwards it waits, is in the group, or is answered and gone. */
static void trigger_run(struct trigger *t)
{
    if (t->session->dead) {
        return;   /* The transaction goes with its session. */
    }
    struct execute_env env = {
        .owns_lock = owns_lock,
        .arg = t->session,
        .read_only = t->db->read_only || t->session->read_only,
        .elapsed_ms = clock_ms() - t->start_ms,
    };
    struct execute_outcome outcome;
    execute(t->db->store->db, t->params, &env, &outcome);
    if (outcome.waiting) {
        text_fini(&outcome.result);
        if (list_is_empty(&t->waiting_node)) {
            list_push_back(&t->db->waiting, &t->waiting_node);
        }
        if (outcome.timeout_ms < INT64_MAX / 2) {
            loop_timer_after_ms(&t->timer, outcome.timeout_ms - env.elapsed_ms);
        }
        return;
    }
    list_remove(&t->waiting_node);
    loop_timer_cancel(&t->timer);
    t->result = outcome.result;
    if (outcome.txn || outcome.durable || store_has_group(t->db->store)) {
        t->in_group = true;
        store_add(t->db->store, outcome.txn, outcome.durable, trigger_done, t);
        loop_hook_again(t->db->server->loop);
    } else {
        answer(t);
    }
}

static void trigger_timed_out(void *trigger)
{
    trigger_run(trigger);
}

void db_session_retry_waiting(struct served_db *db)
{
    struct list again;
    list_init(&again);
    list_splice_back(&again, &db->waiting);
    while (!list_is_empty(&again)) {
        struct trigger *t = LIST_ENTRY(list_pop_front(&again), struct trigger, waiting_node);
        trigger_run(t);
    }
}

void session_transact(struct db_session *s, const struct jsonrpc_message *m)
{
    struct served_db *db = session_find_db(s, m);
    if (!db) {
        return;
    }
    struct trigger *t = xzalloc(sizeof *t);
    t->session = s;
    t->db = db;
    t->id = json_incref(m->id);
    t->params = json_incref(m->params);
    t->start_ms = clock_ms();
    list_init(&t->waiting_node);
    loop_timer_init(&t->timer, s->server->loop, trigger_timed_out, t);
    list_push_back(&s->triggers, &t->session_node);
    s->n_triggers++;
    update_pause(s);
    trigger_run(t);
}

/* RFC 7047 section 4.1.4: a transaction that waits is answered "canceled", any other goes its way. */
void session_cancel(struct db_session *s, const struct jsonrpc_message *m)
{
    struct trigger *t, *next;
    LIST_FOR_EACH_SAFE (t, next, session_node, &s->triggers) {
        if (!t->in_group && json_equal(t->id, json_array_get(m->params, 0))) {
            session_reply_error_json(s, t->id, json_string(DB_E_CANCELED));
            trigger_destroy(t);
            update_pause(s);
            return;
        }
    }
}

void session_drop_transactions(struct db_session *s)
{
    while (!list_is_empty(&s->triggers)) {
        struct trigger *t = LIST_ENTRY(s->triggers.next, struct trigger, session_node);
        trigger_detach(t);
        if (!t->in_group) {
            trigger_destroy(t);
        }
    }
}

void session_cancel_transactions(struct db_session *s, const struct served_db *db)
{
    struct trigger *t, *next;
    LIST_FOR_EACH_SAFE (t, next, session_node, &s->triggers) {
        if (t->db == db) {
            session_reply_error_json(s, t->id, json_string(DB_E_CANCELED));
            trigger_destroy(t);
        }
    }
}
