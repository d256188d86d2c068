/* SPDX-License-Identifier: Apache-2.0 */
/* The control thread's view of flows: by id, by slot, and the action lists that they share. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/engine.h"
#include "datapath/wire.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"

/* One flow. */
struct flow_info {
    struct hmap_node node;        /* By id. */
    uint64_t id, seq;
    uint32_t slot;
    struct flow *flow;
};

struct flow_index {
    struct datapath *dp;
    struct hmap by_id;
    struct flow_info **by_slot;
    uint32_t n_slots;
    struct hmap actions;          /* By hash of their wire form. */
};

struct flow_index *flow_index_create(struct datapath *dp)
{
    struct flow_index *x = xzalloc(sizeof *x);
    x->dp = dp;
    hmap_init(&x->by_id);
    hmap_init(&x->actions);
    return x;
}

void flow_index_destroy(struct flow_index *x)
{
    flow_index_flush(x);
    hmap_fini(&x->by_id);
    hmap_fini(&x->actions);
    free(x->by_slot);
    free(x);
}

/* ---- Shared action lists ---- */

static void actions_free(void *a_)
{
    struct flow_actions *a = a_;
    action_list_fini(&a->list);
    free(a);
}

static struct flow_actions *actions_intern(struct flow_index *x, const struct action_list *list)
{
    struct buffer wire = BUFFER_INIT;
    wire_put_actions(&wire, list);
    uint32_t hash = hash_bytes(wire.data, wire.len, 0);
    buffer_fini(&wire);
    struct flow_actions *a;
    HMAP_FOR_EACH_WITH_HASH (a, node, hash, &x->actions) {
        if (action_list_equal(&a->list, list)) {
            a->refs++;
            return a;
        }
    }
    a = xzalloc(sizeof *a);
    a->refs = 1;
    action_list_clone(&a->list, list);
    for (uint32_t i = 0; i < list->n; i++) {
        a->needs_key |= list->actions[i].type == ACTION_USERSPACE;
    }
    hmap_insert(&x->actions, &a->node, hash);
    return a;
}

void flow_actions_unref(struct flow_index *x, struct flow_actions *a)
{
    if (a && !--a->refs) {
        hmap_remove(&x->actions, &a->node);
        rcu_postpone(actions_free, a);
    }
}

/* ---- Flows ---- */

static struct flow_info *find(const struct flow_index *x, uint64_t id)
{
    struct flow_info *info;
    HMAP_FOR_EACH_WITH_HASH (info, node, hash_int(id, 0), &x->by_id) {
        if (info->id == id) {
            return info;
        }
    }
    return NULL;
}

static void grow_slots(struct flow_index *x, uint32_t slot)
{
    if (slot >= x->n_slots) {
        uint32_t n = MIN(MAX(x->n_slots * 2, MAX(slot + 1, 1024u)), (uint32_t) DP_MAX_FLOWS);
        x->by_slot = xrealloc(x->by_slot, n * sizeof *x->by_slot);
        memset(x->by_slot + x->n_slots, 0, (n - x->n_slots) * sizeof *x->by_slot);
        x->n_slots = n;
    }
}

static void remove_flow(struct flow_index *x, struct flow_info *info)
{
    struct flow_actions *actions = info->flow->actions;
    flow_table_remove(x->dp->table, info->flow);
    flow_actions_unref(x, actions);
    hmap_remove(&x->by_id, &info->node);
    x->by_slot[info->slot] = NULL;
    free(info);
}

/* Is it the same flow but for its actions? */
static bool same_place(const struct flow_info *info, const struct dp_flow *f)
{
    if (info->slot != f->slot || !mask_equal(flow_mask(info->flow), &f->mask)) {
        return false;
    }
    struct key key;
    flow_key(info->flow, &key);
    return key_equal_masked(&f->key, &key, &f->mask);
}

static struct error *check(const struct flow_index *x, const struct dp_flow *f, const struct flow_info *old)
{
    if (!f->id) {
        return error_new(EINVAL, "flow: id 0 names no flow");
    }
    if (f->slot >= DP_MAX_FLOWS) {
        return error_new(EINVAL, "flow: slot %u is out of range, the last is %d", f->slot, DP_MAX_FLOWS - 1);
    }
    if (f->slot < x->n_slots && x->by_slot[f->slot] && x->by_slot[f->slot] != old) {
        return error_new(EBUSY, "flow: slot %u is taken by another flow", f->slot);
    }
    return actions_check(&f->actions);
}

struct error *flow_index_put(struct flow_index *x, const struct dp_flow *f, struct flow_actions **actionsp)
{
    struct flow_info *info = find(x, f->id);
    *actionsp = NULL;
    struct error *e = check(x, f, info);
    if (e) {
        return e;
    }
    if (info && f->seq <= info->seq) {
        return error_new(EALREADY, "flow: a newer change came before");
    }
    struct flow_actions *actions = actions_intern(x, &f->actions);
    if (info && same_place(info, f)) {
        info->seq = f->seq;
        flow_actions_unref(x, flow_set_actions(info->flow, actions));
        *actionsp = actions;
        return NULL;
    }
    if (info) {
        remove_flow(x, info);
    }
    grow_slots(x, f->slot);
    struct ring_counters *counters = &x->dp->ring.out->slots[f->slot];
    memset(counters, 0, sizeof *counters);
    struct flow *flow;
    e = flow_table_insert(x->dp->table, &f->key, &f->mask, actions, counters, &flow);
    if (e) {
        flow_actions_unref(x, actions);
        return e;
    }
    info = xmalloc(sizeof *info);
    *info = (struct flow_info) { .id = f->id, .seq = f->seq, .slot = f->slot, .flow = flow };
    hmap_insert(&x->by_id, &info->node, hash_int(f->id, 0));
    x->by_slot[f->slot] = info;
    *actionsp = actions;
    return NULL;
}

bool flow_index_del(struct flow_index *x, uint64_t id, uint64_t seq)
{
    struct flow_info *info = find(x, id);
    if (!info || seq < info->seq) {
        return false;
    }
    remove_flow(x, info);
    return true;
}

void flow_index_flush(struct flow_index *x)
{
    struct flow_info *info;
    HMAP_FOR_EACH (info, node, &x->by_id) {
        remove_flow(x, info);
    }
}

bool flow_index_next(const struct flow_index *x, uint32_t *slot, struct dp_flow *f)
{
    while (*slot < x->n_slots) {
        const struct flow_info *info = x->by_slot[(*slot)++];
        if (!info) {
            continue;
        }
        const struct ring_counters *c = info->flow->counters;
        memset(f, 0, sizeof *f);
        f->id = info->id;
        f->seq = info->seq;
        f->slot = info->slot;
        flow_key(info->flow, &f->key);
        f->mask = *flow_mask(info->flow);
        f->actions = ((const struct flow_actions *) info->flow->actions)->list;
        f->counters.packets = __atomic_load_n(&c->packets, __ATOMIC_RELAXED);
        f->counters.bytes = __atomic_load_n(&c->bytes, __ATOMIC_RELAXED);
        f->counters.used_ms = __atomic_load_n(&c->used_ms, __ATOMIC_RELAXED);
        f->counters.tcp_flags = __atomic_load_n(&c->tcp_flags, __ATOMIC_RELAXED);
        return true;
    }
    return false;
}
