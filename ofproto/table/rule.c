/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: their making, counting and end. */
#include "ofproto/table/rule_private.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/sys/clock.h"

static void put_later(struct rcu_head *);
static void stats_put(struct rule_stats *);

struct rule *rule_get(struct rule *r)
{
    __atomic_add_fetch(&r->refs, 1, __ATOMIC_RELAXED);
    return r;
}

void rule_put(struct rule *r)
{
    if (!r || __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    stats_put(r->stats);
    minimatch_fini(&r->match);
    free(r->actions.first);
    free(r);
}

void rule_put_after_readers(struct rule *r)
{
    call_rcu(&r->rcu, put_later);
}

struct rule *rule_create(const struct match *match, uint16_t priority, uint8_t table_id, const struct ofact_list *actions)
{
    struct rule *r = xzalloc(sizeof *r);
    minimatch_init(&r->match, match);
    r->priority = priority;
    r->order = priority;
    r->table_id = table_id;
    rule_set_actions(r, actions);
    r->added = r->removed = UINT64_MAX;
    r->refs = 1;
    list_init(&r->in_cookie);
    list_init(&r->in_table);
    list_init(&r->in_expiry);
    return r;
}

struct rule *rule_successor(const struct rule *old, const struct ofact_list *actions)
{
    struct match match;
    minimatch_expand(&old->match, &match);
    struct rule *r = rule_create(&match, old->priority, old->table_id, actions);
    r->order = old->order;
    r->idle_timeout = old->idle_timeout;
    r->hard_timeout = old->hard_timeout;
    r->flags = old->flags;
    r->importance = old->importance;
    r->cookie = old->cookie;
    r->hidden = old->hidden;
    return r;
}

void rule_set_actions(struct rule *r, const struct ofact_list *actions)
{
    if (actions && actions->len) {
        r->actions.first = xmemdup(actions->first, actions->len);
        r->actions.len = actions->len;
    }
}

struct rule_stats *rule_stats_create(void)
{
    struct rule_stats *s = xzalloc(sizeof *s);
    s->created_ms = s->modified_ms = s->used_ms = clock_ms();
    s->refs = 1;
    return s;
}

struct rule_stats *rule_stats_get(struct rule_stats *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

static void put_later(struct rcu_head *head)
{
    rule_put(CONTAINER_OF(head, struct rule, rcu));
}

static void stats_put(struct rule_stats *s)
{
    if (s && !__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL)) {
        free(s);
    }
}
