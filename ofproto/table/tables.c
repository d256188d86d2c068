/* SPDX-License-Identifier: Apache-2.0 */
/* The flow tables of a bridge: making, looking up, counting, expiry. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/sys/clock.h"
#include "ofproto/table/tables_private.h"

static void destroy_table(struct table *);
static void set_ready(void *);
static int64_t expires_at(const struct rule *, uint8_t *reason);

struct tables *tables_create(struct changes *changes, uint16_t bridge_id, const struct tables_events *events, void *arg)
{
    struct tables *t = xzalloc(sizeof *t);
    t->changes = changes;
    t->bridge_id = bridge_id;
    t->events = events;
    t->arg = arg;
    hmap_init(&t->cookies);
    list_init(&t->expiring);
    list_init(&t->garbage);
    return t;
}

void tables_destroy(struct tables *t)
{
    if (!t) {
        return;
    }
    struct txn txn;
    txn_init(&txn, t);
    for (int i = 0; i < N_TABLES; i++) {
        if (t->table[i]) {
            struct rule *r, *next;
            LIST_FOR_EACH_SAFE (r, next, in_table, &t->table[i]->rules) {
                txn_remove(&txn, r, -1);
            }
        }
    }
    txn_commit(&txn);
    rcu_barrier();
    tables_reap(t);
    rcu_barrier();
    for (int i = 0; i < N_TABLES; i++) {
        destroy_table(t->table[i]);
    }
    hmap_fini(&t->cookies);
    free(t);
}

struct rule *tables_lookup(const struct tables *t, uint8_t id, uint64_t version, const struct fields *f,
                           struct fields *wc, struct dep_set *deps)
{
    const struct table *table = id < N_TABLES ? rcu_dereference(t->table[id]) : NULL;
    if (deps) {
        const struct partition *p = table ? rcu_dereference(table->partition) : NULL;
        dep_set_add(deps, dep_make(DEP_TABLE, t->bridge_id, id, p ? partition_hash(p, (const uint64_t *) f) : 0));
    }
    return table ? classifier_lookup(&table->cls, version, f, wc) : NULL;
}

void tables_set_hidden(struct tables *t, const struct match *match, const struct ofact_list *actions, bool present)
{
    struct rule *r = rule_create(match, UINT16_MAX, 0, actions);
    r->order = HIDDEN_ORDER;
    r->hidden = true;
    r->stats = rule_stats_create();
    struct rule *old = t->table[0] ? classifier_find(&t->table[0]->cls, &r->match, HIDDEN_ORDER) : NULL;
    if (old ? present && ofact_list_equal(&old->actions, actions) : !present) {
        rule_put(r);
        return;
    }
    struct txn txn;
    txn_init(&txn, t);
    if (old) {
        txn_remove(&txn, old, -1);
    }
    if (present) {
        txn_add(&txn, r);
    } else {
        rule_put(r);
    }
    txn_commit(&txn);
}

void tables_flush(struct tables *t, bool tell)
{
    struct txn txn;
    txn_init(&txn, t);
    for (int i = 0; i < N_TABLES; i++) {
        if (!t->table[i]) {
            continue;
        }
        struct rule *r, *next;
        LIST_FOR_EACH_SAFE (r, next, in_table, &t->table[i]->rules) {
            if (!r->hidden) {
                txn_remove(&txn, r, tell ? OFPRR_DELETE : -1);
            }
        }
    }
    txn_commit(&txn);
}

void tables_stats(struct tables *t, const struct ofp_flow_stats_request *q,
                  void (*each)(const struct rule *, void *arg), void *arg)
{
    size_t n;
    struct rule **rules = tables_select(t, q->table_id, &q->match, q->cookie, q->cookie_mask, q->out_port, q->out_group,
                                        false, 0, &n);
    for (size_t i = 0; i < n; i++) {
        each(rules[i], arg);
    }
    free(rules);
}

void tables_each_rule(struct tables *t, void (*each)(const struct rule *, void *arg), void *arg)
{
    for (size_t id = 0; id < N_TABLES; id++) {
        if (!t->table[id]) {
            continue;
        }
        const struct rule *r;
        LIST_FOR_EACH (r, in_table, &t->table[id]->rules) {
            each(r, arg);
        }
    }
}

void tables_fill_flow_stats(const struct rule *r, int64_t now_ms, struct ofp_flow_stats *s)
{
    int64_t created = __atomic_load_n(&r->stats->created_ms, __ATOMIC_RELAXED);
    int64_t age = MAX(now_ms - created, 0);
    minimatch_expand(&r->match, &s->match);
    s->cookie = r->cookie;
    s->table_id = r->table_id;
    s->priority = r->priority;
    s->idle_timeout = r->idle_timeout;
    s->hard_timeout = r->hard_timeout;
    s->flags = r->flags;
    s->importance = r->importance;
    s->duration_s = age / 1000;
    s->duration_ns = age % 1000 * 1000000;
    s->idle_age_s = MAX(now_ms - __atomic_load_n(&r->stats->used_ms, __ATOMIC_RELAXED), 0) / 1000;
    s->hard_age_s = MAX(now_ms - __atomic_load_n(&r->stats->modified_ms, __ATOMIC_RELAXED), 0) / 1000;
    s->packets = __atomic_load_n(&r->stats->packets, __ATOMIC_RELAXED);
    s->bytes = __atomic_load_n(&r->stats->bytes, __ATOMIC_RELAXED);
    s->actions = r->actions;
}

void tables_table_stats(const struct tables *t, uint8_t id, struct ofp_table_stats *s)
{
    const struct table *table = id < N_TABLES ? t->table[id] : NULL;
    *s = (struct ofp_table_stats) { .table_id = id, .max_entries = MAX_RULES_PER_BRIDGE };
    if (table && table->name) {
        snprintf(s->name, sizeof s->name, "%s", table->name);
    } else {
        snprintf(s->name, sizeof s->name, "table%u", id);
    }
    if (table) {
        size_t n_hidden = 0;
        if (!id && t->n_hidden) {
            n_hidden = t->n_hidden;
        }
        s->n_active = table->n_rules - n_hidden;
        s->n_lookups = __atomic_load_n(&table->lookups, __ATOMIC_RELAXED);
        s->n_matched = __atomic_load_n(&table->matches, __ATOMIC_RELAXED);
    }
}

void tables_credit(struct tables *t, uint8_t id, uint64_t lookups, uint64_t matches)
{
    struct table *table = id < N_TABLES ? __atomic_load_n(&t->table[id], __ATOMIC_ACQUIRE) : NULL;
    if (table) {
        __atomic_add_fetch(&table->lookups, lookups, __ATOMIC_RELAXED);
        __atomic_add_fetch(&table->matches, matches, __ATOMIC_RELAXED);
    }
}

size_t tables_n_rules(const struct tables *t)
{
    return t->n_rules - t->n_hidden;
}

void tables_set_table_name(struct tables *t, uint8_t id, const char *name)
{
    if (id < N_TABLES) {
        struct table *table = tables_get(t, id);
        free(table->name);
        table->name = xstrdup_or_null(name);
    }
}

int64_t tables_expire(struct tables *t, int64_t now_ms)
{
    tables_reap(t);
    struct txn txn;
    txn_init(&txn, t);
    int64_t next = INT64_MAX;
    struct rule *r, *after;
    LIST_FOR_EACH_SAFE (r, after, in_expiry, &t->expiring) {
        uint8_t reason;
        int64_t at = expires_at(r, &reason);
        if (at <= now_ms) {
            txn_remove(&txn, r, reason);
        } else {
            next = MIN(next, at);
        }
    }
    txn_commit(&txn);
    return list_is_empty(&t->garbage) ? next : MIN(next, now_ms + 1000);
}

void tables_all_bits(const struct tables *t, struct fields *wc)
{
    for (size_t i = 0; i < FIELDS_WORDS; i++) {
        ((uint64_t *) wc)[i] |= __atomic_load_n(&t->all_bits[i], __ATOMIC_RELAXED);
    }
}

struct cookie *tables_cookie(const struct tables *t, be64 value)
{
    struct cookie *c;
    HMAP_FOR_EACH_WITH_HASH (c, node, hash_int(value ^ hash_seed(), 0), &t->cookies) {
        if (c->value == value) {
            return c;
        }
    }
    return NULL;
}

struct table *tables_get(struct tables *t, uint8_t id)
{
    struct table *table = t->table[id];
    if (!table) {
        table = xzalloc(sizeof *table);
        classifier_init(&table->cls);
        table->partition = xzalloc(sizeof *table->partition);
        table->repartition_at = 1;
        list_init(&table->rules);
        rcu_assign_pointer(t->table[id], table);
    }
    return table;
}

void tables_discard(struct tables *t, struct rule **rules, size_t n)
{
    if (!n) {
        return;
    }
    struct garbage *g = xzalloc(sizeof *g + n * sizeof g->rules[0]);
    memcpy(g->rules, rules, n * sizeof *rules);
    g->n = n;
    list_push_back(&t->garbage, &g->node);
    rcu_postpone(set_ready, g);
}

void tables_reap(struct tables *t)
{
    while (!list_is_empty(&t->garbage)) {
        struct garbage *g = LIST_ENTRY(t->garbage.next, struct garbage, node);
        if (!__atomic_load_n(&g->ready, __ATOMIC_ACQUIRE)) {
            break;
        }
        list_remove(&g->node);
        uint64_t reordered[4] = { 0 };
        for (size_t i = 0; i < g->n; i++) {
            struct rule *r = g->rules[i];
            bool moved = false;
            classifier_remove(&t->table[r->table_id]->cls, r, &moved);
            reordered[r->table_id / 64] |= (uint64_t) moved << r->table_id % 64;
            rule_put_after_readers(r);
        }
        free(g);
        for (unsigned i = 0; i < N_TABLES; i++) {
            if (reordered[i / 64] >> i % 64 & 1) {
                struct change change = { .dep = dep_object(dep_make(DEP_TABLE, t->bridge_id, i, 0)) };
                changes_add(t->changes, &change, 1, NULL, NULL);
            }
        }
    }
}

static void destroy_table(struct table *table)
{
    if (table) {
        classifier_fini(&table->cls);
        free(table->partition);
        free(table->name);
        free(table);
    }
}

static void set_ready(void *g_)
{
    struct garbage *g = g_;
    __atomic_store_n(&g->ready, true, __ATOMIC_RELEASE);
}

static int64_t expires_at(const struct rule *r, uint8_t *reason)
{
    int64_t idle = INT64_MAX, hard = INT64_MAX;
    if (r->idle_timeout) {
        idle = __atomic_load_n(&r->stats->used_ms, __ATOMIC_RELAXED) + r->idle_timeout * INT64_C(1000);
    }
    if (r->hard_timeout) {
        hard = __atomic_load_n(&r->stats->modified_ms, __ATOMIC_RELAXED) + r->hard_timeout * INT64_C(1000);
    }
    *reason = hard <= idle ? OFPRR_HARD_TIMEOUT : OFPRR_IDLE_TIMEOUT;
    return MIN(idle, hard);
}
