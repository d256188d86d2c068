/* SPDX-License-Identifier: Apache-2.0 */
/* Flow mods: what each command does to the rules (OpenFlow 1.0 section 4.6; 1.3.5 and 1.5.1 section 6.4). */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/sys/clock.h"
#include "ofproto/table/tables_private.h"

/* Flags that a rule keeps; the others concern the command. */
enum { STATE_FLAGS = OFPFF_SEND_FLOW_REM | OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS };

/* Times to be set when the group is committed. */
struct touch { struct rule_stats *stats; bool restart; };
struct touches { struct touch *list; size_t n, allocated; };

/* What a command or a request selects, and what it has selected so far. */
struct selection {
    unsigned first, last;            /* Tables. */
    struct minimatch match;
    be64 cookie, cookie_mask;
    ofp_port out_port;
    uint32_t out_group;
    bool strict;                     /* The rules considered have this match and priority. */
    struct rule **rules;
    size_t n, allocated;
};

static struct error *execute(struct txn *, const struct ofp_flow_mod *, enum ofp_version, struct touches *);
static struct error *add(struct txn *, const struct ofp_flow_mod *, enum ofp_version, struct touches *);
static void modify(struct txn *, const struct ofp_flow_mod *, enum ofp_version, struct rule **, size_t n, struct touches *);
static void touch(struct touches *, struct rule_stats *, bool restart);
static void finish(struct touches *, bool committed);
static bool covers(const struct minimatch *, const struct minimatch *);
static bool overlap(const struct minimatch *, const struct minimatch *);
static void consider(struct selection *, struct rule *);

struct error *tables_flow_mod(struct tables *t, const struct ofp_flow_mod *fm, enum ofp_version version)
{
    size_t failed;
    return tables_flow_mods(t, fm, 1, version, &failed);
}

struct error *tables_flow_mods(struct tables *t, const struct ofp_flow_mod *mods, size_t n, enum ofp_version version,
                               size_t *failed)
{
    tables_reap(t);
    struct txn txn;
    struct touches touches = { 0 };
    txn_init(&txn, t);
    for (size_t i = 0; i < n; i++) {
        struct error *e = execute(&txn, &mods[i], version, &touches);
        if (e) {
            *failed = i;
            txn_abort(&txn);
            finish(&touches, false);
            return e;
        }
    }
    finish(&touches, true);
    txn_commit(&txn);
    return NULL;
}

struct error *tables_learn(struct tables *t, const struct ofp_flow_mod *fm)
{
    if (fm->table_id < N_TABLES && t->table[fm->table_id]) {
        struct minimatch m;
        minimatch_init(&m, &fm->match);
        struct rule *r = classifier_find(&t->table[fm->table_id]->cls, &m, fm->priority);
        minimatch_fini(&m);
        if (r && r->cookie == fm->new_cookie && r->idle_timeout == fm->idle_timeout && r->hard_timeout == fm->hard_timeout
            && r->flags == (fm->flags & STATE_FLAGS) && ofact_list_equal(&r->actions, &fm->actions)) {
            __atomic_store_n(&r->stats->modified_ms, clock_ms(), __ATOMIC_RELAXED);
            return NULL;
        }
    }
    struct ofp_flow_mod learn = *fm;
    learn.command = OFPFC_MODIFY_STRICT;
    learn.cookie = learn.cookie_mask = 0;
    learn.modify_cookie = true;
    return tables_flow_mod(t, &learn, OFP10);
}

struct rule **tables_select(struct tables *t, uint8_t table_id, const struct match *match, be64 cookie, be64 cookie_mask,
                            ofp_port out_port, uint32_t out_group, bool strict, uint16_t priority, size_t *n)
{
    struct selection s = { .cookie = cookie, .cookie_mask = cookie_mask, .out_port = out_port, .out_group = out_group };
    s.first = table_id == OFPTT_ALL ? 0 : table_id;
    s.last = table_id == OFPTT_ALL ? N_TABLES - 1 : table_id;
    s.strict = strict;
    minimatch_init(&s.match, match);
    struct cookie *group = !strict && cookie_mask == UINT64_MAX ? tables_cookie(t, cookie) : NULL;
    struct rule *r;
    if (group) {
        LIST_FOR_EACH (r, in_cookie, &group->rules) {
            consider(&s, r);
        }
    }
    for (unsigned i = s.first; i <= s.last && !group; i++) {
        const struct table *table = t->table[i];
        if (table && strict) {
            r = classifier_find(&table->cls, &s.match, priority);
            if (r) {
                consider(&s, r);
            }
        } else if (table) {
            LIST_FOR_EACH (r, in_table, &table->rules) {
                consider(&s, r);
            }
        }
    }
    minimatch_fini(&s.match);
    *n = s.n;
    return s.rules;
}

static struct error *execute(struct txn *txn, const struct ofp_flow_mod *fm, enum ofp_version version, struct touches *touches)
{
    if (fm->command == OFPFC_ADD) {
        return add(txn, fm, version, touches);
    }
    bool strict = fm->command == OFPFC_MODIFY_STRICT || fm->command == OFPFC_DELETE_STRICT;
    bool is_delete = fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
    if (!is_delete && !strict && fm->command != OFPFC_MODIFY) {
        return error_new(OFPERR_OFPFMFC_BAD_COMMAND, "flow mod: unknown command %u", fm->command);
    }
    size_t n;
    struct rule **rules = tables_select(txn->t, fm->table_id, &fm->match, fm->cookie, fm->cookie_mask,
                                        is_delete ? fm->out_port : OFPP_ANY, is_delete ? fm->out_group : OFPG_ANY,
                                        strict, fm->priority, &n);
    struct error *e = NULL;
    if (is_delete) {
        for (size_t i = 0; i < n; i++) {
            txn_remove(txn, rules[i], OFPRR_DELETE);
        }
    } else if (n) {
        modify(txn, fm, version, rules, n, touches);
    } else if (version == OFP10 && !fm->cookie_mask && fm->modify_cookie) {
        e = add(txn, fm, version, touches);
    }
    free(rules);
    return e;
}

static struct error *add(struct txn *txn, const struct ofp_flow_mod *fm, enum ofp_version version, struct touches *touches)
{
    struct tables *t = txn->t;
    uint8_t id = fm->table_id;
    if (id == OFPTT_ALL) {
        if (version != OFP10) {
            return error_new(OFPERR_OFPFMFC_BAD_TABLE_ID, "flow mod: a rule is added to one table of 0 to %d, not to all",
                             N_TABLES - 1);
        }
        id = 0;
    }
    if (fm->flags & OFPFF_EMERG) {
        return error_new(OFPERR_OFPFMFC_TABLE_FULL, "flow mod: there is no room for emergency rules");
    }
    struct table *table = tables_get(t, id);
    struct rule *r = rule_create(&fm->match, fm->priority, id, &fm->actions);
    r->cookie = fm->new_cookie;
    r->idle_timeout = fm->idle_timeout;
    r->hard_timeout = fm->hard_timeout;
    r->flags = fm->flags & STATE_FLAGS;
    r->importance = fm->importance;

    struct rule *old = classifier_find(&table->cls, &r->match, r->order);
    if (old) {
        if (fm->flags & OFPFF_RESET_COUNTS || version < OFP12) {
            r->stats = rule_stats_create();
        } else {
            r->stats = rule_stats_get(old->stats);
            touch(touches, r->stats, true);
        }
        txn_remove(txn, old, -1);
        txn_add(txn, r);
        return NULL;
    }
    struct error *e = NULL;
    if (fm->flags & OFPFF_CHECK_OVERLAP) {
        const struct rule *other;
        LIST_FOR_EACH (other, in_table, &table->rules) {
            if (other->order == r->order && overlap(&other->match, &r->match)) {
                e = error_new(OFPERR_OFPFMFC_OVERLAP, "flow mod: table %u has a rule of priority %u that overlaps",
                              id, r->priority);
                break;
            }
        }
    }
    if (!e && tables_n_rules(t) >= MAX_RULES_PER_BRIDGE) {
        e = error_new(OFPERR_OFPFMFC_TABLE_FULL, "flow mod: the bridge has %d rules, the most that it may have",
                      MAX_RULES_PER_BRIDGE);
    }
    if (e) {
        rule_put(r);
        return e;
    }
    r->stats = rule_stats_create();
    txn_add(txn, r);
    return NULL;
}

static void modify(struct txn *txn, const struct ofp_flow_mod *fm, enum ofp_version version, struct rule **rules, size_t n,
                   struct touches *touches)
{
    for (size_t i = 0; i < n; i++) {
        struct rule *old = rules[i];
        bool reset = fm->flags & OFPFF_RESET_COUNTS && version >= OFP12;
        be64 cookie = fm->modify_cookie ? fm->new_cookie : old->cookie;
        if (!reset && cookie == old->cookie && ofact_list_equal(&old->actions, &fm->actions)) {
            touch(touches, old->stats, false);
            continue;
        }
        struct rule *r = rule_successor(old, &fm->actions);
        r->cookie = cookie;
        if (reset) {
            r->stats = rule_stats_create();
            r->stats->created_ms = old->stats->created_ms;
        } else {
            r->stats = rule_stats_get(old->stats);
            touch(touches, r->stats, false);
        }
        txn_remove(txn, old, -1);
        txn_add(txn, r);
    }
}

static void touch(struct touches *t, struct rule_stats *stats, bool restart)
{
    if (t->n == t->allocated) {
        t->list = xgrow(t->list, &t->allocated, sizeof *t->list);
    }
    t->list[t->n++] = (struct touch) { stats, restart };
}

static void finish(struct touches *t, bool committed)
{
    int64_t now = clock_ms();
    for (size_t i = 0; committed && i < t->n; i++) {
        struct rule_stats *s = t->list[i].stats;
        __atomic_store_n(&s->modified_ms, now, __ATOMIC_RELAXED);
        if (t->list[i].restart) {
            __atomic_store_n(&s->created_ms, now, __ATOMIC_RELAXED);
            __atomic_store_n(&s->used_ms, now, __ATOMIC_RELAXED);
        }
    }
    free(t->list);
}

static void consider(struct selection *s, struct rule *r)
{
    if (r->hidden || r->table_id < s->first || r->table_id > s->last || (r->cookie ^ s->cookie) & s->cookie_mask
        || (s->out_port != OFPP_ANY && !ofacts_output_to(&r->actions, s->out_port))
        || (s->out_group != OFPG_ANY && !ofacts_use_group(&r->actions, s->out_group))
        || (!s->strict && !covers(&s->match, &r->match))) {
        return;
    }
    if (s->n == s->allocated) {
        s->rules = xgrow(s->rules, &s->allocated, sizeof *s->rules);
    }
    s->rules[s->n++] = r;
}

/* The words of 'b' at the places of 'a', one after another: calls for each pair. */
struct pair { uint64_t a, a_mask, b, b_mask; };

static bool next_pair(const struct minimatch *a, const struct minimatch *b, unsigned *word, uint32_t *i, struct pair *p)
{
    while (*word < 128 && !(a->map[*word / 64] >> *word % 64 & 1)) {
        uint64_t rest = a->map[*word / 64] >> *word % 64;
        *word = rest ? *word + __builtin_ctzll(rest) : (*word / 64 + 1) * 64;
    }
    if (*word >= 128) {
        return false;
    }
    unsigned half = *word / 64;
    uint64_t bit = UINT64_C(1) << *word % 64;
    *p = (struct pair) { .a = a->words[*i], .a_mask = a->words[a->n_words + *i] };
    if (b->map[half] & bit) {
        unsigned at = (half ? __builtin_popcountll(b->map[0]) : 0) + __builtin_popcountll(b->map[half] & (bit - 1));
        p->b = b->words[at];
        p->b_mask = b->words[b->n_words + at];
    }
    (*i)++;
    (*word)++;
    return true;
}

/* Is every packet of 'b' in 'a' too? */
static bool covers(const struct minimatch *a, const struct minimatch *b)
{
    struct pair p;
    unsigned word = 0;
    for (uint32_t i = 0; next_pair(a, b, &word, &i, &p); ) {
        if (p.a_mask & ~p.b_mask || (p.a ^ p.b) & p.a_mask) {
            return false;
        }
    }
    return true;
}

/* Can a packet match both? */
static bool overlap(const struct minimatch *a, const struct minimatch *b)
{
    struct pair p;
    unsigned word = 0;
    for (uint32_t i = 0; next_pair(a, b, &word, &i, &p); ) {
        if ((p.a ^ p.b) & p.a_mask & p.b_mask) {
            return false;
        }
    }
    return true;
}
