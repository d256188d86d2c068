/* SPDX-License-Identifier: Apache-2.0 */
/* Tables against a naive model: random flow mods and look-ups, old versions, and readers at the same time. */
#include <pthread.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/packet/headers.h"
#include "ofproto/table/tables.h"
#include "ofproto/table/trie.h"
#include "tests/unit/ofproto/ofproto_tests.h"

static uint64_t seed;
static uint32_t pick(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % n;
}

/* ---- The model ---- */

struct entry { struct match match; uint16_t priority; uint64_t cookie; };
struct model { struct entry e[400]; size_t n; };

static int best_priority(const struct model *m, const struct fields *f)
{
    int best = -1;
    for (size_t i = 0; i < m->n; i++) {
        if (match_covers_fields(&m->e[i].match, f) && m->e[i].priority > best) {
            best = m->e[i].priority;
        }
    }
    return best;
}

static void random_match(struct match *m)
{
    match_init_any(m);
    if (pick(3) == 0) {
        m->mask.in_port = UINT32_MAX;
        m->value.in_port = 1 + pick(3);
    }
    if (pick(4) == 0) {
        m->mask.key.l2.dst.b[5] = pick(2) ? 0xff : 0x03;
        m->value.key.l2.dst.b[5] = pick(8) & m->mask.key.l2.dst.b[5];
    }
    if (pick(2)) {
        m->mask.key.l2.type = UINT16_MAX;
        m->value.key.l2.type = htobe16(ETH_TYPE_IP4);
        unsigned n = pick(5) * 8;
        m->mask.key.l3.ip4_dst = n ? htobe32(UINT32_MAX << (32 - n)) : 0;
        m->value.key.l3.ip4_dst = htobe32(0x0a000000 | pick(4) << 16 | pick(2) << 8 | pick(2)) & m->mask.key.l3.ip4_dst;
        if (pick(3) == 0) {
            m->mask.key.l3.ip4_src = htobe32(0xff);
            m->value.key.l3.ip4_src = htobe32(pick(3));
        }
        if (pick(3) == 0) {
            m->mask.key.l4.dst = htobe16(pick(2) ? 0xffff : 0xff00);
            m->value.key.l4.dst = htobe16(pick(3) << 8 | pick(2)) & m->mask.key.l4.dst;
        }
    }
}

static void random_packet(struct fields *f)
{
    memset(f, 0, sizeof *f);
    f->in_port = 1 + pick(3);
    f->key.l2.dst.b[5] = pick(8);
    f->key.l2.type = htobe16(pick(3) ? ETH_TYPE_IP4 : ETH_TYPE_ARP);
    f->key.l3.ip4_dst = htobe32(0x0a000000 | pick(4) << 16 | pick(2) << 8 | pick(2));
    f->key.l3.ip4_src = htobe32(pick(3));
    f->key.l4.dst = htobe16(pick(3) << 8 | pick(2));
}

static void random_op(struct tables *t, struct model *m)
{
    struct ofp_flow_mod fm = { .table_id = 0, .out_port = OFPP_ANY, .out_group = OFPG_ANY, .priority = pick(5) };
    random_match(&fm.match);
    size_t kept = 0;
    switch (pick(6)) {
    case 0:
        fm.command = OFPFC_DELETE;
        if (match_is_any(&fm.match)) {
            return;
        }
        for (size_t i = 0; i < m->n; i++) {
            if (!match_covers(&fm.match, &m->e[i].match)) {
                m->e[kept++] = m->e[i];
            }
        }
        m->n = kept;
        break;
    case 1:
        fm.command = OFPFC_DELETE_STRICT;
        if (m->n) {
            size_t i = pick(m->n);
            fm.match = m->e[i].match;
            fm.priority = m->e[i].priority;
            m->e[i] = m->e[--m->n];
        }
        break;
    default:
        fm.command = OFPFC_ADD;
        fm.new_cookie = pick(1000000);
        for (size_t i = 0; i < m->n; i++) {
            if (m->e[i].priority == fm.priority && match_equal(&m->e[i].match, &fm.match)) {
                m->e[i] = m->e[--m->n];
                break;
            }
        }
        if (m->n == ARRAY_SIZE(m->e)) {
            return;
        }
        m->e[m->n++] = (struct entry) { fm.match, fm.priority, fm.new_cookie };
        break;
    }
    struct error *e = tables_flow_mod(t, &fm, OFP13);
    ck_assert(!e);
}

static void compare(const struct tables *t, uint64_t version, const struct model *m)
{
    for (int i = 0; i < 20; i++) {
        struct fields f;
        random_packet(&f);
        struct rule *r = tables_lookup(t, 0, version, &f, NULL, NULL);
        ck_assert_int_eq(r ? r->priority : -1, best_priority(m, &f));
        ck_assert(!r || minimatch_covers_fields(&r->match, &f));
    }
}

START_TEST(test_against_model)
{
    rcu_register_thread();
    seed = 77 + _i;
    struct changes *changes = changes_create();
    struct tables *t = tables_create(changes, 1, NULL, NULL);
    struct model *m = xzalloc(sizeof *m), *old = xzalloc(sizeof *old);
    for (int round = 0; round < 30; round++) {
        rcu_read_lock();
        uint64_t version = changes_version(changes);
        *old = *m;
        for (int i = 0; i < 15; i++) {
            random_op(t, m);
            compare(t, changes_version(changes), m);
            compare(t, version, old);
        }
        rcu_read_unlock();
        ck_assert_uint_eq(tables_n_rules(t), m->n);
        if (pick(2)) {
            rcu_barrier();
        }
    }
    tables_flush(t, false);
    ck_assert_uint_eq(tables_n_rules(t), 0);
    tables_destroy(t);
    rcu_barrier();
    changes_destroy(changes);
    free(m);
    free(old);
    rcu_unregister_thread();
}
END_TEST

/* ---- Readers at the same time ---- */

enum { N_GENERATION_RULES = 6, N_GENERATIONS = 400 };
struct shared { struct tables *t; struct changes *changes; bool stop; uint64_t n_reads; };

static void generation_packet(unsigned i, struct fields *f)
{
    memset(f, 0, sizeof *f);
    f->in_port = 1;
    f->key.l2.dst.b[0] = i;
    f->key.l3.ip4_dst = htobe32(0x0a000000 | i << 16);
}

/* Each rule of a generation has a mask of its own. */
static void generation_match(unsigned i, struct match *m)
{
    match_init_any(m);
    m->mask.key.l2.dst.b[0] = 0xff;
    m->value.key.l2.dst.b[0] = i;
    m->mask.key.l3.ip4_dst = htobe32(UINT32_MAX << (10 - i));
    m->value.key.l3.ip4_dst = htobe32(0x0a000000 | i << 16) & m->mask.key.l3.ip4_dst;
}

static void *read_generations(void *shared_)
{
    struct shared *s = shared_;
    rcu_register_thread();
    while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
        rcu_read_lock();
        uint64_t version = changes_version(s->changes), generation = 0;
        for (unsigned i = 0; i < N_GENERATION_RULES; i++) {
            struct fields f;
            generation_packet(i, &f);
            struct rule *r = tables_lookup(s->t, 0, version, &f, NULL, NULL);
            ck_assert(r);
            ck_assert(!i || r->cookie == generation);
            generation = r->cookie;
        }
        rcu_read_unlock();
        __atomic_add_fetch(&s->n_reads, 1, __ATOMIC_RELAXED);
    }
    rcu_unregister_thread();
    return NULL;
}

START_TEST(test_groups_are_atomic)
{
    rcu_register_thread();
    struct changes *changes = changes_create();
    struct shared s = { .changes = changes, .t = tables_create(changes, 1, NULL, NULL) };
    struct ofp_flow_mod *mods = xcalloc(N_GENERATION_RULES + 1, sizeof *mods);
    pthread_t readers[2];
    for (unsigned g = 0; g < N_GENERATIONS; g++) {
        size_t n = 0, failed;
        if (g) {
            mods[n] = (struct ofp_flow_mod) { .command = OFPFC_DELETE, .table_id = OFPTT_ALL, .out_port = OFPP_ANY,
                                              .out_group = OFPG_ANY };
            match_init_any(&mods[n++].match);
        }
        for (unsigned i = 0; i < N_GENERATION_RULES; i++) {
            mods[n] = (struct ofp_flow_mod) { .command = OFPFC_ADD, .priority = (g + i) % 7, .new_cookie = g };
            generation_match(i, &mods[n++].match);
        }
        struct error *e = tables_flow_mods(s.t, mods, n, OFP14, &failed);
        ck_assert(!e);
        for (size_t i = 0; !g && i < ARRAY_SIZE(readers); i++) {
            pthread_create(&readers[i], NULL, read_generations, &s);
        }
        ck_assert_uint_eq(tables_n_rules(s.t), N_GENERATION_RULES);
    }
    while (__atomic_load_n(&s.n_reads, __ATOMIC_RELAXED) < 100) {
        tables_expire(s.t, 0);
    }
    __atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        pthread_join(readers[i], NULL);
    }
    free(mods);
    tables_destroy(s.t);
    rcu_barrier();
    changes_destroy(changes);
    rcu_unregister_thread();
}
END_TEST

/* ---- Prefix trees ---- */

START_TEST(test_trie)
{
    rcu_register_thread();
    seed = 9;
    struct trie t;
    trie_init(&t);
    struct { uint8_t value[4]; unsigned length; } list[60];
    size_t n = 0;
    for (int step = 0; step < 3000; step++) {
        if (n < ARRAY_SIZE(list) && (!n || pick(2))) {
            uint32_t value = pick(4) << 30 | pick(4) << 14 | pick(16);
            unsigned length = 1 + pick(32);
            put_be32(list[n].value, value & UINT32_MAX << (32 - length));
            list[n].length = length;
            trie_insert(&t, list[n].value, length);
            n++;
        } else {
            size_t i = pick(n);
            trie_remove(&t, list[i].value, list[i].length);
            list[i] = list[--n];
        }
        uint8_t value[4], other[4];
        put_be32(value, pick(4) << 30 | pick(4) << 14 | pick(16));
        struct trie_answer a, b;
        trie_lookup(&t, value, sizeof value, &a);
        for (unsigned length = 1; length <= 32; length++) {
            bool expected = false;
            for (size_t i = 0; i < n; i++) {
                expected |= list[i].length == length && !((get_be32(list[i].value) ^ get_be32(value)) & UINT32_MAX << (32 - length));
            }
            ck_assert_int_eq(trie_has_length(&a, length), expected);
        }
        /* The bits that decided it decide it for every value. */
        uint32_t known = a.n_bits ? UINT32_MAX << (32 - a.n_bits) : 0;
        put_be32(other, (get_be32(value) & known) | (pick(UINT32_MAX) & ~known));
        trie_lookup(&t, other, sizeof other, &b);
        ck_assert_uint_eq(a.n_bits, b.n_bits);
        ck_assert_uint_eq(a.lengths[0], b.lengths[0]);
    }
    while (n--) {
        trie_remove(&t, list[n].value, list[n].length);
    }
    ck_assert(!t.root);
    rcu_barrier();
    rcu_unregister_thread();
}
END_TEST

TCase *classifier_tcase(void)
{
    TCase *t = tcase_create("classifier");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_against_model, 0, 10);
    tcase_add_test(t, test_groups_are_atomic);
    tcase_add_test(t, test_trie);
    return t;
}
