/* SPDX-License-Identifier: Apache-2.0 */
/* A rule: an OpenFlow flow entry.
 *
 * Threads: the main thread creates, changes and removes rules; translation reads them under RCU. What a modification
 * changes (actions, cookie) is replaced by a new rule with the same statistics block, so a reader sees the old or the
 * new one whole. Statistics are credited by the sweeper and handlers with relaxed atomics.
 * Memory: counted for holders outside of RCU sections (flow cache entries that credit it): rule_get(), rule_put(). */
#ifndef OFPROTO_TABLE_RULE_H
#define OFPROTO_TABLE_RULE_H

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/flow/match.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/message.h"
#include "lib/sys/rcu.h"

/* Shared by a rule and its successors by modification. */
struct rule_stats {
    uint64_t packets, bytes;       /* Relaxed atomics. */
    int64_t created_ms, modified_ms, used_ms;
    uint32_t refs;
};

struct rule {
    struct minimatch match;
    uint16_t priority;
    uint8_t table_id;
    uint16_t idle_timeout, hard_timeout, flags, importance;
    be64 cookie;
    uint64_t added, removed;       /* Visible to versions added <= v < removed. */
    struct ofact_list actions;     /* Owned; immutable. */
    struct rule_stats *stats;
    /* Of the switch itself: not shown, not deleted by controllers (priority above 65535 in spirit). */
    bool hidden;
    int32_t order;                 /* Priority as compared: hidden rules above all. */
    bool going;                    /* The writer's: is to be removed, or has been; new rules replace it. */

    /* Of ofproto/table. */
    struct cookie *of_cookie;          /* With all other rules of this cookie. */
    struct list in_cookie, in_table, in_expiry;   /* Of rules that are not going. */
    struct rule *next_same_match;  /* Versions and priorities of one match in its subtable. */
    struct rcu_head rcu;
    uint32_t refs;
};

/* Within RCU, for a rule that may be on its way out: NULL if its last holder is gone already. */
/* Within an RCU section, on a rule that was looked up in it, or while holding another reference. */
struct rule *rule_get(struct rule *);
void rule_put(struct rule *);
static inline void rule_credit(struct rule *r, uint64_t packets, uint64_t bytes, int64_t used_ms)
{
    __atomic_add_fetch(&r->stats->packets, packets, __ATOMIC_RELAXED);
    __atomic_add_fetch(&r->stats->bytes, bytes, __ATOMIC_RELAXED);
    if (used_ms > __atomic_load_n(&r->stats->used_ms, __ATOMIC_RELAXED)) {
        __atomic_store_n(&r->stats->used_ms, used_ms, __ATOMIC_RELAXED);
    }
}

#endif
