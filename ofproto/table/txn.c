/* SPDX-License-Identifier: Apache-2.0 */
/* A group of additions and removals of rules that becomes visible in one step. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/sys/clock.h"
#include "ofproto/table/tables_private.h"

/* A change whose narrowed match lies in 'words'. */
struct narrowed { uint64_t words[2 * FIELDS_WORDS]; };

static void enter(struct tables *, struct rule *);
static void note_bits(struct tables *, const struct minimatch *);
static void leave(struct tables *, struct rule *);
static void note_modified(struct fields *, const struct ofact_list *);
static size_t list_changes(struct txn *, struct change **, struct narrowed **);
static void narrow(const struct changes *, const struct rule *, struct change *, struct narrowed *);
static void publish(void *txn_, uint64_t version);

void txn_init(struct txn *txn, struct tables *t)
{
    memset(txn, 0, sizeof *txn);
    txn->t = t;
}

void txn_add(struct txn *txn, struct rule *r)
{
    if (txn->n_added == txn->allocated_added) {
        txn->added = xgrow(txn->added, &txn->allocated_added, sizeof *txn->added);
    }
    txn->added[txn->n_added++] = r;
    bool moved = false;
    classifier_insert(&tables_get(txn->t, r->table_id)->cls, r, &moved);
    txn->reordered[r->table_id / 64] |= (uint64_t) moved << r->table_id % 64;
    enter(txn->t, r);
}

void txn_remove(struct txn *txn, struct rule *r, int reason)
{
    if (txn->n_removed == txn->allocated_removed) {
        txn->removed = xgrow(txn->removed, &txn->allocated_removed, sizeof *txn->removed);
    }
    txn->removed[txn->n_removed++] = (struct removal) { r, reason };
    leave(txn->t, r);
    r->going = true;
}

void txn_commit(struct txn *txn)
{
    struct tables *t = txn->t;
    if (txn->n_added || txn->n_removed) {
        struct change *changes;
        struct narrowed *narrowed;
        size_t n = list_changes(txn, &changes, &narrowed);
        changes_add(t->changes, changes, n, publish, txn);
        free(changes);
        free(narrowed);
    }
    for (size_t i = 0; i < txn->n_removed; i++) {
        if (txn->removed[i].reason >= 0 && t->events && t->events->removed) {
            t->events->removed(txn->removed[i].rule, txn->removed[i].reason, t->arg);
        }
    }
    struct rule **gone = xcalloc(txn->n_removed + 1, sizeof *gone);
    for (size_t i = 0; i < txn->n_removed; i++) {
        gone[i] = txn->removed[i].rule;
    }
    tables_discard(t, gone, txn->n_removed);
    free(gone);
    free(txn->added);
    free(txn->removed);
}

void txn_abort(struct txn *txn)
{
    struct tables *t = txn->t;
    for (size_t i = txn->n_removed; i > 0; i--) {
        struct rule *r = txn->removed[i - 1].rule;
        r->going = false;
        enter(t, r);
    }
    for (size_t i = txn->n_added; i > 0; i--) {
        struct rule *r = txn->added[i - 1];
        bool moved = false;
        leave(t, r);
        classifier_remove(&t->table[r->table_id]->cls, r, &moved);
        txn->reordered[r->table_id / 64] |= (uint64_t) moved << r->table_id % 64;
        rule_put_after_readers(r);
    }
    /* Subtables may have changed places meanwhile, under the eyes of readers. */
    for (unsigned i = 0; i < N_TABLES; i++) {
        if (txn->reordered[i / 64] >> i % 64 & 1) {
            struct change change = { .dep = dep_object(dep_make(DEP_TABLE, t->bridge_id, i, 0)) };
            changes_add(t->changes, &change, 1, NULL, NULL);
        }
    }
    free(txn->added);
    free(txn->removed);
}

/* The writer's lists and counts, which show the state as it will be. */
static void enter(struct tables *t, struct rule *r)
{
    struct table *table = t->table[r->table_id];
    list_push_back(&table->rules, &r->in_table);
    if (r->idle_timeout || r->hard_timeout) {
        list_push_back(&t->expiring, &r->in_expiry);
    }
    struct cookie *c = tables_cookie(t, r->cookie);
    if (!c) {
        c = xzalloc(sizeof *c);
        c->value = r->cookie;
        list_init(&c->rules);
        hmap_insert(&t->cookies, &c->node, hash_int(c->value ^ hash_seed(), 0));
    }
    r->of_cookie = c;
    list_push_back(&c->rules, &r->in_cookie);
    table->n_rules++;
    t->n_rules++;
    t->n_hidden += r->hidden;
    partition_count(table, r, 1);
    note_bits(t, &r->match);
}

static void note_bits(struct tables *t, const struct minimatch *m)
{
    uint32_t i = 0;
    for (unsigned half = 0; half < ARRAY_SIZE(m->map); half++) {
        for (uint64_t map = m->map[half]; map; map &= map - 1, i++) {
            uint64_t *all = &t->all_bits[half * 64 + __builtin_ctzll(map)], bits = m->words[m->n_words + i];
            if (bits & ~*all) {
                __atomic_store_n(all, *all | bits, __ATOMIC_RELAXED);
            }
        }
    }
}

static void leave(struct tables *t, struct rule *r)
{
    struct table *table = t->table[r->table_id];
    list_remove(&r->in_table);
    list_remove(&r->in_expiry);
    list_remove(&r->in_cookie);
    if (list_is_empty(&r->of_cookie->rules)) {
        hmap_remove(&t->cookies, &r->of_cookie->node);
        free(r->of_cookie);
    }
    r->of_cookie = NULL;
    table->n_rules--;
    t->n_rules--;
    t->n_hidden -= r->hidden;
    partition_count(table, r, -1);
}

static void publish(void *txn_, uint64_t version)
{
    struct txn *txn = txn_;
    for (size_t i = 0; i < txn->n_added; i++) {
        __atomic_store_n(&txn->added[i]->added, version, __ATOMIC_RELAXED);
    }
    for (size_t i = 0; i < txn->n_removed; i++) {
        __atomic_store_n(&txn->removed[i].rule->removed, version, __ATOMIC_RELAXED);
    }
}

/* One change for each rule, or one for each table if they are many or the table's dependencies themselves changed. */
static size_t list_changes(struct txn *txn, struct change **changes, struct narrowed **narrowed)
{
    enum { MANY = CHANGE_RING / 8 };
    struct tables *t = txn->t;
    struct fields modified;
    memset(&modified, 0, sizeof modified);
    for (size_t i = 0; i < txn->n_added; i++) {
        note_modified(&modified, &txn->added[i]->actions);
    }
    changes_note_modified(t->changes, &modified);

    bool many = txn->n_added + txn->n_removed > MANY;
    uint64_t touched[4] = { 0 }, whole[4];
    memcpy(whole, txn->reordered, sizeof whole);
    for (size_t i = 0; i < txn->n_added + txn->n_removed; i++) {
        uint8_t id = i < txn->n_added ? txn->added[i]->table_id : txn->removed[i - txn->n_added].rule->table_id;
        touched[id / 64] |= UINT64_C(1) << id % 64;
    }
    size_t n = 0, n_rules = many ? 0 : txn->n_added + txn->n_removed, n_tables = 0;
    for (int i = 0; i < 4; i++) {
        n_tables += __builtin_popcountll(touched[i] | whole[i]);
    }
    *changes = xcalloc(n_rules + n_tables, sizeof **changes);
    *narrowed = xmalloc((n_rules + 1) * sizeof **narrowed);
    for (unsigned i = 0; i < N_TABLES; i++) {
        uint64_t bit = UINT64_C(1) << i % 64;
        if (touched[i / 64] & bit && (partition_review(t->table[i]) || many)) {
            whole[i / 64] |= bit;
        }
        if (whole[i / 64] & bit) {
            (*changes)[n++] = (struct change) { .dep = dep_object(dep_make(DEP_TABLE, t->bridge_id, i, 0)) };
        }
    }
    for (size_t i = 0; i < n_rules; i++) {
        const struct rule *r = i < txn->n_added ? txn->added[i] : txn->removed[i - txn->n_added].rule;
        if (whole[r->table_id / 64] >> r->table_id % 64 & 1) {
            continue;
        }
        (*changes)[n] = (struct change) { .dep = partition_rule_dep(t->table[r->table_id], t->bridge_id, r) };
        narrow(t->changes, r, &(*changes)[n], &(*narrowed)[i]);
        n++;
    }
    return n;
}

/* Keeps of the rule's match what is matched as the packet came in: addresses, protocols and ports that no action modifies. VLANs
 * and tunnel metadata change in ways of their own. */
static void narrow(const struct changes *changes, const struct rule *r, struct change *change, struct narrowed *narrowed)
{
    const uint64_t *modified = (const uint64_t *) changes_modified(changes);
    const struct minimatch *m = &r->match;
    uint64_t values[FIELDS_WORDS], masks[FIELDS_WORDS];
    struct minimatch *to = &change->match;
    uint32_t i = 0;
    for (unsigned half = 0; half < ARRAY_SIZE(m->map); half++) {
        for (uint64_t map = m->map[half]; map; map &= map - 1, i++) {
            unsigned w = half * 64 + __builtin_ctzll(map);
            bool fits = w == offsetof(struct key, l2) / 8 || w == offsetof(struct key, l2) / 8 + 1
                        || (w >= offsetof(struct key, l3) / 8 && w < offsetof(struct key, tunnel) / 8);
            uint64_t mask = m->words[m->n_words + i] & ~modified[w];
            if (fits && mask) {
                to->map[half] |= UINT64_C(1) << w % 64;
                values[to->n_words] = m->words[i] & mask;
                masks[to->n_words++] = mask;
            }
        }
    }
    if (to->n_words) {
        memcpy(narrowed->words, values, to->n_words * sizeof *values);
        memcpy(narrowed->words + to->n_words, masks, to->n_words * sizeof *masks);
        to->words = narrowed->words;
        change->has_match = true;
    }
}

static void note_modified(struct fields *f, const struct ofact_list *list)
{
    const struct ofact *a;
    OFACT_FOR_EACH (a, list) {
        switch ((enum ofact_type) a->type) {
        case OFACT_SET_FIELD:
            field_mask_add(((const struct ofact_set_field *) a)->field, NULL, f);
            break;
        case OFACT_MOVE:
            field_mask_add(((const struct ofact_move *) a)->dst.field, NULL, f);
            break;
        case OFACT_SET_L4_SRC:
            f->key.l4.src = 0xffff;
            break;
        case OFACT_SET_L4_DST:
            f->key.l4.dst = 0xffff;
            break;
        case OFACT_DEC_TTL:
            f->key.l3.ttl = 0xff;
            break;
        case OFACT_WRITE_ACTIONS:
        case OFACT_CLONE: {
            struct ofact_list nested = ofact_nested_list(a);
            note_modified(f, &nested);
            break;
        }
        /* Tags, tunnel and pipeline fields narrow nothing; the others modify nothing. */
        case OFACT_SET_VLAN_VID:
        case OFACT_SET_VLAN_PCP:
        case OFACT_POP_VLAN:
        case OFACT_PUSH_VLAN:
        case OFACT_SET_TUNNEL:
        case OFACT_SET_QUEUE:
        case OFACT_POP_QUEUE:
        case OFACT_WRITE_METADATA:
        case OFACT_NONE:
        case OFACT_OUTPUT:
        case OFACT_CONTROLLER:
        case OFACT_ENQUEUE:
        case OFACT_OUTPUT_REG:
        case OFACT_OUTPUT_TRUNC:
        case OFACT_GROUP:
        case OFACT_RESUBMIT:
        case OFACT_LEARN:
        case OFACT_NOTE:
        case OFACT_EXIT:
        case OFACT_METER:
        case OFACT_APPLY_ACTIONS:
        case OFACT_CLEAR_ACTIONS:
        case OFACT_GOTO_TABLE:
        case OFACT_N:
            break;
        }
    }
}
