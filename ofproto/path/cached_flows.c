/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the flows that the datapath caches, by key and by dependency. */
#include "ofproto/path/cached_flows.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/sys/clock.h"

struct dep_list {
    struct hmap_node node;         /* cached_flows.dep_lists */
    struct list flows;             /* cached_flow.in_deps */
    struct dep_user *users;        /* One for each of 'deps', then one for each distinct object. */
    size_t n_users;
    struct dep_set set;            /* Sealed. */
};

/* "dep_list 'list' has dependency 'dep'": an entry of cached_flows.dep_users. */
struct dep_user {
    struct hmap_node node;
    dep_t dep;
    struct dep_list *list;
};

void cached_flows_init(struct cached_flows *index, struct dp_client *dp)
{
    memset(index, 0, sizeof *index);
    pthread_mutex_init(&index->lock, NULL);
    index->dp = dp;
    hmap_init(&index->by_key);
    list_init(&index->flows);
    list_init(&index->dirty);
    list_init(&index->dying);
    hmap_init(&index->dep_lists);
    hmap_init(&index->dep_users);
    families_init(&index->families);
    index->next_id = 1;
    index->limit = DP_MAX_FLOWS;
}

/* ---- Dependency lists ---- */

static void dep_list_add_user(struct cached_flows *index, struct dep_list *list, dep_t dep)
{
    struct dep_user *u = &list->users[list->n_users++];
    u->dep = dep;
    u->list = list;
    hmap_insert(&index->dep_users, &u->node, hash_int(dep, 0));
}

static struct dep_list *dep_list_get(struct cached_flows *index, const struct dep_set *set)
{
    uint32_t hash = hash_bytes(set->deps, set->n * sizeof *set->deps, 0);
    struct dep_list *list;
    HMAP_FOR_EACH_WITH_HASH (list, node, hash, &index->dep_lists) {
        if (list->set.n == set->n && !memcmp(list->set.deps, set->deps, set->n * sizeof *set->deps)) {
            return list;
        }
    }
    list = xzalloc(sizeof *list);
    list_init(&list->flows);
    list->set.n = list->set.allocated = set->n;
    list->set.deps = xmemdup(set->deps, MAX(set->n, 1) * sizeof *set->deps);
    list->users = xcalloc(2 * set->n + 1, sizeof *list->users);
    for (size_t i = 0; i < set->n; i++) {
        dep_list_add_user(index, list, set->deps[i]);
        /* Sorted, so the dependencies of an object stand together. */
        if (!i || dep_object(set->deps[i]) != dep_object(set->deps[i - 1])) {
            dep_list_add_user(index, list, dep_object(set->deps[i]));
        }
    }
    hmap_insert(&index->dep_lists, &list->node, hash);
    return list;
}

static void dep_list_put(struct cached_flows *index, struct dep_list *list)
{
    if (!list || !list_is_empty(&list->flows)) {
        return;
    }
    for (size_t i = 0; i < list->n_users; i++) {
        hmap_remove(&index->dep_users, &list->users[i].node);
    }
    hmap_remove(&index->dep_lists, &list->node);
    dep_set_fini(&list->set);
    free(list->users);
    free(list);
}

static void flow_set_deps(struct cached_flows *index, struct cached_flow *f, const struct dep_set *set)
{
    struct dep_list *old = f->deps;
    struct dep_list *new = dep_list_get(index, set);
    if (new != old) {
        list_remove(&f->in_deps);
        list_push_back(&new->flows, &f->in_deps);
        f->deps = new;
        dep_list_put(index, old);
    }
}

/* ---- Keys ---- */

static uint64_t *key_words_of(const struct key *key, const struct mask *mask)
{
    const uint64_t *k = &key->words[0][0], *m = &mask->bits.words[0][0];
    uint64_t words[KEY_N_BLOCKS * KEY_BLOCK_WORDS];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (m[i]) {
            words[n++] = k[i] & m[i];
        }
    }
    return xmemdup(words, MAX(n, 1) * sizeof *words);
}

void cached_flows_key(const struct cached_flow *f, struct key *key)
{
    const uint64_t *m = &f->member->mask.bits.words[0][0];
    uint64_t *k = &key->words[0][0];
    size_t n = 0;
    for (size_t i = 0; i < KEY_N_BLOCKS * KEY_BLOCK_WORDS; i++) {
        k[i] = m[i] ? f->key_words[n++] : 0;
    }
}

static bool flow_has_key(const struct cached_flow *f, const struct key *key)
{
    const uint64_t *k = &key->words[0][0], *m = &f->member->mask.bits.words[0][0];
    size_t n = 0;
    for (size_t i = 0; i < KEY_N_BLOCKS * KEY_BLOCK_WORDS; i++) {
        if (m[i] && (k[i] & m[i]) != f->key_words[n++]) {
            return false;
        }
    }
    return true;
}

static uint32_t key_hash(const struct key *key, const struct mask *mask)
{
    return (uint32_t) key_hash_masked(key, mask, hash_seed());
}

struct cached_flow *cached_flows_find(struct cached_flows *index, const struct key *key, const struct mask *mask)
{
    struct cached_flow *f;
    HMAP_FOR_EACH_WITH_HASH (f, by_key, key_hash(key, mask), &index->by_key) {
        if (mask_equal(&f->member->mask, mask) && flow_has_key(f, key)) {
            return f;
        }
    }
    return NULL;
}

/* ---- Slots ---- */

static bool slot_take(struct cached_flows *index, uint32_t *slot)
{
    if (index->n_free_slots) {
        *slot = index->free_slots[--index->n_free_slots];
        return true;
    }
    if (index->next_slot < DP_MAX_FLOWS) {
        *slot = index->next_slot++;
        return true;
    }
    return false;
}

static void slot_give(struct cached_flows *index, uint32_t slot)
{
    if (index->n_free_slots == index->allocated_free_slots) {
        index->free_slots = xgrow(index->free_slots, &index->allocated_free_slots, sizeof slot);
    }
    index->free_slots[index->n_free_slots++] = slot;
}

/* ---- Flows ---- */

/* 'key' is the whole key of packets that wait, by which the datapath finds them, or NULL. */
static void flow_request(struct cached_flows *index, struct cached_flow *f, const struct key *key)
{
    struct key masked;
    if (!key) {
        cached_flows_key(f, &masked);
    }
    f->seq++;
    dp_flow_put(index->dp, f->id, f->slot, f->seq, key ? key : &masked, &f->member->mask, &f->actions);
    index->n_put++;
}

static struct cached_flow *flow_new(struct cached_flows *index, const struct key *key, struct family_member *member,
                                    uint64_t id, uint32_t slot)
{
    struct cached_flow *f = xzalloc(sizeof *f);
    f->id = id;
    f->slot = slot;
    f->member = member;
    f->key_words = key_words_of(key, &member->mask);
    f->created_ms = f->used_ms = clock_ms();
    action_list_init(&f->actions);
    list_init(&f->in_deps);
    list_init(&f->in_dirty);
    hmap_insert(&index->by_key, &f->by_key, key_hash(key, &member->mask));
    list_push_back(&index->flows, &f->in_all);
    index->n_flows++;
    return f;
}

static void flow_take_translation(struct cached_flows *index, struct cached_flow *f, const struct xlate_out *out,
                                  struct credits *credits)
{
    action_list_fini(&f->actions);
    action_list_clone(&f->actions, &out->actions);
    credits_fini(&f->credits);
    f->credits = *credits;
    *credits = (struct credits) { NULL, 0 };
    flow_set_deps(index, f, &out->deps);
    f->version = out->version;
}

static void flow_set_clean(struct cached_flows *index, struct cached_flow *f)
{
    if (!list_is_empty(&f->in_dirty)) {
        list_remove(&f->in_dirty);
        index->n_dirty--;
    }
}

struct cached_flow *cached_flows_put(struct cached_flows *index, const struct key *key, const struct xlate_out *out,
                                   struct credits *credits, const struct mask *all_bits)
{
    if (index->n_flows >= index->limit) {
        index->n_full++;
        return NULL;
    }
    struct family_member *member = families_choose(&index->families, key, &out->mask, all_bits);
    if (!member) {
        index->n_full++;
        return NULL;
    }
    struct cached_flow *f = cached_flows_find(index, key, &member->mask);
    if (f) {
        families_release(&index->families, member);
    } else {
        uint32_t slot;
        if (!slot_take(index, &slot)) {
            families_release(&index->families, member);
            index->n_full++;
            return NULL;
        }
        f = flow_new(index, key, member, index->next_id++, slot);
    }
    flow_take_translation(index, f, out, credits);
    flow_set_clean(index, f);
    flow_request(index, f, key);
    return f;
}

void cached_flows_adopt(struct cached_flows *index, const struct dp_flow *found)
{
    struct family_member *member = families_adopt(&index->families, &found->key, &found->mask);
    index->next_id = MAX(index->next_id, found->id + 1);
    index->next_slot = MAX(index->next_slot, found->slot + 1);
    if (!member) {
        /* More masks than we would make: let its packets miss again. */
        dp_flow_del(index->dp, found->id, found->seq + 1);
        return;
    }
    struct cached_flow *f = flow_new(index, &found->key, member, found->id, found->slot);
    f->seq = found->seq;
    action_list_clone(&f->actions, &found->actions);
    f->packets = found->counters.packets;
    f->bytes = found->counters.bytes;
}

void cached_flows_adopted(struct cached_flows *index)
{
    uint8_t *used = xzalloc(index->next_slot + 1);
    struct cached_flow *f;
    LIST_FOR_EACH (f, in_all, &index->flows) {
        used[f->slot] = 1;
    }
    for (uint32_t slot = 0; slot < index->next_slot; slot++) {
        if (!used[slot]) {
            slot_give(index, slot);
        }
    }
    free(used);
}

void cached_flows_renew(struct cached_flows *index, struct cached_flow *f, const struct xlate_out *out,
                      struct credits *credits)
{
    flow_set_clean(index, f);
    if (!mask_contains(&f->member->mask, &out->mask)) {
        cached_flows_delete(index, f);
        credits_fini(credits);
        return;
    }
    bool same = xlate_out_same_actions(out, &f->actions);
    flow_take_translation(index, f, out, credits);
    if (!same) {
        index->n_changed++;
        flow_request(index, f, NULL);
    }
}

void cached_flows_delete(struct cached_flows *index, struct cached_flow *f)
{
    struct dying_flow *d = xzalloc(sizeof *d);
    d->slot = f->slot;
    d->packets = f->packets;
    d->bytes = f->bytes;
    d->credits = f->credits;
    list_push_back(&index->dying, &d->in_dying);

    dp_flow_del(index->dp, f->id, f->seq + 1);
    index->n_deleted++;
    flow_set_clean(index, f);
    hmap_remove(&index->by_key, &f->by_key);
    list_remove(&f->in_all);
    list_remove(&f->in_deps);
    dep_list_put(index, f->deps);
    families_release(&index->families, f->member);
    action_list_fini(&f->actions);
    free(f->key_words);
    free(f);
    index->n_flows--;
}

/* ---- Changes ---- */

static size_t mark_list(struct cached_flows *index, const struct dep_list *list, const struct change *change)
{
    size_t n = 0;
    struct cached_flow *f;
    LIST_FOR_EACH (f, in_deps, &list->flows) {
        index->n_examined++;
        if (!list_is_empty(&f->in_dirty)) {
            continue;
        }
        struct key key;
        if (change->has_match) {
            cached_flows_key(f, &key);
        }
        if (!change->has_match || change_selects(change, &list->set, &key, &f->member->mask)) {
            list_push_back(&index->dirty, &f->in_dirty);
            index->n_dirty++;
            n++;
        }
    }
    return n;
}

size_t cached_flows_touch(struct cached_flows *index, const struct change *change)
{
    if (!change->dep) {
        size_t before = index->n_dirty;
        cached_flows_touch_all(index);
        return index->n_dirty - before;
    }
    size_t n = 0;
    struct dep_user *u;
    HMAP_FOR_EACH_WITH_HASH (u, node, hash_int(change->dep, 0), &index->dep_users) {
        if (u->dep == change->dep) {
            n += mark_list(index, u->list, change);
        }
    }
    return n;
}

void cached_flows_touch_all(struct cached_flows *index)
{
    struct cached_flow *f;
    LIST_FOR_EACH (f, in_all, &index->flows) {
        if (list_is_empty(&f->in_dirty)) {
            list_push_back(&index->dirty, &f->in_dirty);
            index->n_dirty++;
        }
    }
}

/* ---- Counters ---- */

void cached_flows_credit(struct cached_flows *index, struct cached_flow *f,
                       void (*learn)(const struct learn_request *, void *arg), void *arg)
{
    struct dp_flow_counters now;
    dp_flow_get_counters(index->dp, f->slot, &now);
    if (now.packets > f->packets) {
        f->used_ms = MAX(f->used_ms, now.used_ms);
        credits_apply(&f->credits, now.packets - f->packets, now.bytes - f->bytes, now.used_ms, learn, arg);
        f->packets = now.packets;
        f->bytes = now.bytes;
    }
}

size_t cached_flows_n_dying(const struct cached_flows *index)
{
    return list_size(&index->dying);
}

static void reap(struct cached_flows *index, struct dying_flow *d, bool credit,
                 void (*learn)(const struct learn_request *, void *arg), void *arg)
{
    struct dp_flow_counters now;
    dp_flow_get_counters(index->dp, d->slot, &now);
    if (credit && now.packets > d->packets) {
        credits_apply(&d->credits, now.packets - d->packets, now.bytes - d->bytes, now.used_ms, learn, arg);
    }
    slot_give(index, d->slot);
    list_remove(&d->in_dying);
    credits_fini(&d->credits);
    free(d);
}

void cached_flows_reap(struct cached_flows *index, size_t n,
                     void (*learn)(const struct learn_request *, void *arg), void *arg)
{
    while (n-- && !list_is_empty(&index->dying)) {
        reap(index, LIST_ENTRY(index->dying.next, struct dying_flow, in_dying), true, learn, arg);
    }
}

void cached_flows_forget_all(struct cached_flows *index)
{
    struct cached_flow *f, *after;
    LIST_FOR_EACH_SAFE (f, after, in_all, &index->flows) {
        flow_set_clean(index, f);
        hmap_remove(&index->by_key, &f->by_key);
        list_remove(&f->in_all);
        list_remove(&f->in_deps);
        dep_list_put(index, f->deps);
        families_release(&index->families, f->member);
        credits_fini(&f->credits);
        action_list_fini(&f->actions);
        free(f->key_words);
        free(f);
    }
    index->n_flows = 0;
    while (!list_is_empty(&index->dying)) {
        reap(index, LIST_ENTRY(index->dying.next, struct dying_flow, in_dying), false, NULL, NULL);
    }
    index->n_free_slots = 0;
    index->next_slot = 0;
}

void cached_flows_delete_by_object(struct cached_flows *index, dep_t object)
{
    struct cached_flow *f, *after;
    LIST_FOR_EACH_SAFE (f, after, in_all, &index->flows) {
        if (f->deps && dep_set_is_touched(&f->deps->set, object)) {
            cached_flows_delete(index, f);
        }
    }
    /* What is dying still credits objects of the caller's that go away now. */
    struct dying_flow *d;
    LIST_FOR_EACH (d, in_dying, &index->dying) {
        credits_fini(&d->credits);
    }
}

void cached_flows_fini(struct cached_flows *index)
{
    cached_flows_forget_all(index);
    families_fini(&index->families);
    hmap_fini(&index->by_key);
    hmap_fini(&index->dep_lists);
    hmap_fini(&index->dep_users);
    free(index->free_slots);
    pthread_mutex_destroy(&index->lock);
}
