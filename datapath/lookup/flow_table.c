/* SPDX-License-Identifier: Apache-2.0 */
/* Guards, their masks, and the look-up of a batch. */
#include "datapath/lookup/flow_table.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/lookup/slab.h"
#include "datapath/lookup/subtable.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/sys/rcu.h"

/* The masks of a guard, replaced as a whole. */
struct guard_masks {
    uint32_t n;
    struct guard_mask {
        struct subtable *table;
        uint64_t hits;               /* Workers, relaxed; a lost count does no harm. */
        uint32_t n_flows;            /* Control thread: of this guard with this mask. */
    } masks[];
};

struct flow_guard {
    struct flow_guard_key key;
    struct guard_masks *masks;       /* RCU. */
    struct cds_lfht_node node;
    uint32_t n_flows;                /* Control thread. */
};

struct flow_table {
    struct cds_lfht *guards;
    /* Control thread. */
    struct hmap subtables;
    struct slab *slab;
    uint32_t n_flows, limit, n_guards;
};

static int same_guard(struct cds_lfht_node *node, const void *key)
{
    return flow_guard_key_equal(&CONTAINER_OF(node, struct flow_guard, node)->key, key);
}

uint32_t flow_guard_key_hash(const struct flow_guard_key *k)
{
    return compact_fold(((uint64_t) k->in_port << 32 | k->vlan) ^ compact_secret[0],
                        k->tunnel_id ^ compact_secret[1]);
}

static struct flow_guard *find_guard(const struct flow_table *t, const struct flow_guard_key *key)
{
    struct cds_lfht_iter iter;
    cds_lfht_lookup(t->guards, flow_guard_key_hash(key), same_guard, key, &iter);
    struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
    return node ? CONTAINER_OF(node, struct flow_guard, node) : NULL;
}

struct flow_table *flow_table_create(uint32_t limit)
{
    compact_seed();
    struct flow_table *t = xzalloc(sizeof *t);
    t->guards = cds_lfht_new(64, 64, 0, CDS_LFHT_AUTO_RESIZE, NULL);
    hmap_init(&t->subtables);
    t->slab = slab_create();
    t->limit = limit;
    return t;
}

static void guard_free(void *g_)
{
    struct flow_guard *g = g_;
    free(g->masks);
    free(g);
}

void flow_table_destroy(struct flow_table *t)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;
    struct subtable *s;
    rcu_read_lock();
    cds_lfht_for_each(t->guards, &iter, node) {
        cds_lfht_del(t->guards, node);
        rcu_postpone(guard_free, CONTAINER_OF(node, struct flow_guard, node));
    }
    rcu_read_unlock();
    HMAP_FOR_EACH (s, node, &t->subtables) {
        hmap_remove(&t->subtables, &s->node);
        subtable_destroy(s);
    }
    rcu_barrier();
    cds_lfht_destroy(t->guards, NULL);
    hmap_fini(&t->subtables);
    slab_destroy(t->slab);
    free(t);
}

void flow_table_set_limit(struct flow_table *t, uint32_t limit)
{
    t->limit = limit;
}

uint32_t flow_table_n_flows(const struct flow_table *t)
{
    return t->n_flows;
}

uint32_t flow_table_n_masks(const struct flow_table *t)
{
    return hmap_count(&t->subtables);
}

/* ---- Writing ---- */

static struct subtable *find_subtable(const struct flow_table *t, const struct mask *mask, uint32_t hash)
{
    struct subtable *s;
    HMAP_FOR_EACH_WITH_HASH (s, node, hash, &t->subtables) {
        if (mask_equal(&s->full, mask)) {
            return s;
        }
    }
    return NULL;
}

static struct guard_mask *find_mask(const struct flow_guard *g, const struct subtable *s)
{
    for (uint32_t i = 0; g && i < g->masks->n; i++) {
        if (g->masks->masks[i].table == s) {
            return &g->masks->masks[i];
        }
    }
    return NULL;
}

static struct guard_masks *masks_create(uint32_t n)
{
    struct guard_masks *m = xzalloc(sizeof *m + n * sizeof m->masks[0]);
    m->n = n;
    return m;
}

static int by_hits(const void *a_, const void *b_)
{
    const struct guard_mask *a = a_, *b = b_;
    return (a->hits < b->hits) - (a->hits > b->hits);
}

static void publish_masks(struct flow_guard *g, struct guard_masks *new)
{
    struct guard_masks *old = g->masks;
    rcu_assign_pointer(g->masks, new);
    rcu_postpone(free, old);
}

static struct guard_mask *add_mask(struct flow_guard *g, struct subtable *s)
{
    struct guard_masks *new = masks_create(g->masks->n + 1);
    memcpy(new->masks, g->masks->masks, g->masks->n * sizeof new->masks[0]);
    struct guard_mask *added = &new->masks[new->n - 1];
    added->table = s;
    publish_masks(g, new);
    return added;
}

static void remove_mask(struct flow_guard *g, const struct guard_mask *gone)
{
    struct guard_masks *new = masks_create(g->masks->n - 1);
    uint32_t at = gone - g->masks->masks;
    memcpy(new->masks, g->masks->masks, at * sizeof new->masks[0]);
    memcpy(new->masks + at, g->masks->masks + at + 1, (new->n - at) * sizeof new->masks[0]);
    publish_masks(g, new);
}

static struct flow_guard *add_guard(struct flow_table *t, const struct flow_guard_key *key)
{
    struct flow_guard *g = xzalloc(sizeof *g);
    g->key = *key;
    g->masks = masks_create(0);
    cds_lfht_node_init(&g->node);
    rcu_read_lock();
    cds_lfht_add(t->guards, flow_guard_key_hash(key), &g->node);
    rcu_read_unlock();
    t->n_guards++;
    return g;
}

static struct error *check_mask(const struct mask *mask)
{
    if (mask->bits.meta.in_port != UINT32_MAX || mask->bits.tunnel.id != UINT64_MAX
        || (mask->bits.l2.vlan[0].tci & htobe16(0x1fff)) != htobe16(0x1fff)) {
        return error_new(EINVAL, "flow: the mask must be exact on in_port, tunnel id and outer VLAN id");
    }
    return NULL;
}

/* The last eighth of the table is for guards that have less than a fair share. */
static struct error *check_share(const struct flow_table *t, const struct flow_guard *g, const struct subtable *s)
{
    if (t->n_flows >= t->limit) {
        return error_new(ENOSPC, "flow: the limit of %u flows is reached", t->limit);
    }
    if (g && t->n_flows >= t->limit - t->limit / 8
        && g->n_flows >= MAX(t->limit / MAX(t->n_guards, 1u), (uint32_t) GUARD_MIN_FLOWS)) {
        return error_new(ENOSPC, "flow: port %u, VLAN %u has its share of %u flows", g->key.in_port,
                         be16toh(g->key.vlan) & 0xfff, g->n_flows);
    }
    if (g && g->masks->n >= GUARD_MAX_MASKS && !find_mask(g, s)) {
        return error_new(ENOSPC, "flow: port %u, VLAN %u has %d masks already", g->key.in_port,
                         be16toh(g->key.vlan) & 0xfff, GUARD_MAX_MASKS);
    }
    if (!s && hmap_count(&t->subtables) >= FLOW_TABLE_MAX_MASKS) {
        return error_new(ENOSPC, "flow: the limit of %d masks is reached", FLOW_TABLE_MAX_MASKS);
    }
    return NULL;
}

struct error *flow_table_insert(struct flow_table *t, const struct key *key, const struct mask *mask,
                                void *actions, void *counters, struct flow **flow)
{
    struct error *e = check_mask(mask);
    if (e) {
        return e;
    }
    uint32_t mask_hash = hash_bytes(&mask->bits, sizeof mask->bits, 0);
    struct subtable *s = find_subtable(t, mask, mask_hash);
    struct flow_guard_key guard_key = flow_guard_key(key);
    rcu_read_lock();
    struct flow_guard *g = find_guard(t, &guard_key);
    rcu_read_unlock();
    uint64_t words[COMPACT_MAX];
    uint32_t hash = 0;
    if (s) {
        compact_pick(&s->mask, key, words);
        hash = compact_hash_words(s->mask.n, words);
        if (subtable_find(s, hash, words)) {
            return error_new(EEXIST, "flow: there is one with this key and mask already");
        }
    }
    e = check_share(t, g, s);
    if (e) {
        return e;
    }
    if (!s) {
        s = subtable_create(mask);
        hmap_insert(&t->subtables, &s->node, mask_hash);
        compact_pick(&s->mask, key, words);
        hash = compact_hash_words(s->mask.n, words);
    }
    if (!g) {
        g = add_guard(t, &guard_key);
    }
    struct guard_mask *gm = find_mask(g, s);
    if (!gm) {
        gm = add_mask(g, s);
    }
    struct flow *f = slab_get(t->slab, s->mask.n);
    f->hash = hash;
    f->table = s;
    f->actions = actions;
    f->counters = counters;
    f->guard = g;
    memcpy(f->words, words, s->mask.n * sizeof words[0]);
    __atomic_store_n(&f->live, 1, __ATOMIC_RELEASE);
    subtable_insert(s, f);
    gm->n_flows++;
    g->n_flows++;
    t->n_flows++;
    *flow = f;
    return NULL;
}

void flow_table_remove(struct flow_table *t, struct flow *f)
{
    struct subtable *s = f->table;
    struct flow_guard *g = f->guard;
    struct guard_mask *gm = find_mask(g, s);
    __atomic_store_n(&f->live, 0, __ATOMIC_RELEASE);
    subtable_remove(s, f);
    slab_put(t->slab, f, s->mask.n);
    t->n_flows--;
    g->n_flows--;
    if (!--gm->n_flows) {
        remove_mask(g, gm);
    }
    if (!g->n_flows) {
        rcu_read_lock();
        cds_lfht_del(t->guards, &g->node);
        rcu_read_unlock();
        rcu_postpone(guard_free, g);
        t->n_guards--;
    }
    if (!s->n_flows) {
        hmap_remove(&t->subtables, &s->node);
        subtable_destroy(s);
    }
}

void *flow_set_actions(struct flow *f, void *actions)
{
    void *old = f->actions;
    rcu_assign_pointer(f->actions, actions);
    return old;
}

const struct mask *flow_mask(const struct flow *f)
{
    return &f->table->full;
}

void flow_key(const struct flow *f, struct key *key)
{
    compact_expand(&f->table->mask, f->words, key);
}

static bool is_sorted(const struct guard_masks *m)
{
    for (uint32_t i = 1; i < m->n; i++) {
        if (m->masks[i - 1].hits < m->masks[i].hits) {
            return false;
        }
    }
    return true;
}

/* By hits, which are halved each time so that what was hit long ago fades. */
static void sort_masks(struct flow_guard *g)
{
    if (!is_sorted(g->masks)) {
        struct guard_masks *new = masks_create(g->masks->n);
        memcpy(new->masks, g->masks->masks, new->n * sizeof new->masks[0]);
        qsort(new->masks, new->n, sizeof new->masks[0], by_hits);
        publish_masks(g, new);
    }
    for (uint32_t i = 0; i < g->masks->n; i++) {
        uint64_t *hits = &g->masks->masks[i].hits;
        __atomic_store_n(hits, __atomic_load_n(hits, __ATOMIC_RELAXED) / 2, __ATOMIC_RELAXED);
    }
}

void flow_table_tick(struct flow_table *t)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;
    slab_flush(t->slab);
    rcu_read_lock();
    cds_lfht_for_each(t->guards, &iter, node) {
        sort_masks(CONTAINER_OF(node, struct flow_guard, node));
    }
    rcu_read_unlock();
}

/* ---- Reading ---- */

static uint32_t lookup_guard(const struct flow_guard *g, const struct key *keys, uint32_t todo, struct flow **found,
                             uint64_t *n_probes)
{
    struct guard_masks *m = shared_load(g->masks);
    uint32_t left = todo;
    for (uint32_t i = 0; left && i < m->n; i++) {
        *n_probes += __builtin_popcount(left);
        uint32_t hits = subtable_lookup(m->masks[i].table, keys, left, found);
        if (hits && m->n > 1) {
            uint64_t *counter = &m->masks[i].hits;
            __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + __builtin_popcount(hits),
                             __ATOMIC_RELAXED);
        }
        left &= ~hits;
    }
    return todo & ~left;
}

uint32_t flow_table_lookup(const struct flow_table *t, const struct key *keys, uint32_t todo, struct flow **found,
                           uint64_t *n_probes)
{
    uint32_t hits = 0;
    while (todo) {
        struct flow_guard_key first = flow_guard_key(&keys[__builtin_ctz(todo)]);
        uint32_t same = 0;
        for (uint32_t left = todo; left; left &= left - 1) {
            unsigned i = __builtin_ctz(left);
            struct flow_guard_key k = flow_guard_key(&keys[i]);
            same |= (uint32_t) flow_guard_key_equal(&k, &first) << i;
        }
        const struct flow_guard *g = find_guard(t, &first);
        if (g) {
            hits |= lookup_guard(g, keys, same, found, n_probes);
        }
        todo &= ~same;
    }
    return hits;
}
