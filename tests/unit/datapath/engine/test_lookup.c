/* SPDX-License-Identifier: Apache-2.0 */
/* Flow table and cache against a naive model: random changes by one writer, while readers look up. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "datapath/lookup/cache.h"
#include "datapath/lookup/flow_table.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/sys/rcu.h"
#include "tests/unit/datapath/engine/engine_tests.h"

enum { N_FLOWS = 3000, N_MASKS = 5, N_PORTS = 4, N_READERS = 2 };

/* Flow 'n' of the model; flows are disjoint, since each mask has its own L2 type. */
static void make_key(uint32_t n, struct key *key)
{
    memset(key, 0, sizeof *key);
    key->meta.in_port = n % N_PORTS;
    key->l2.type = htobe16(n % N_MASKS);
    key->l3.ip4_src = htobe32(n / N_PORTS);
    key->l3.ttl = n;                     /* No mask looks at it. */
    key->tunnel.id = htobe64(n % 2);
}

static void make_mask(uint32_t n, struct mask *mask)
{
    memset(mask, 0, sizeof *mask);
    mask->bits.meta.in_port = UINT32_MAX;
    mask->bits.tunnel.id = UINT64_MAX;
    mask->bits.l2.vlan[0].tci = htobe16(0x1fff);
    mask->bits.l2.type = 0xffff;
    mask->bits.l3.ip4_src = UINT32_MAX;
    mask->bits.l4.src = htobe16(n % N_MASKS);      /* Tells masks apart; keys have zero there. */
    mask_seal(mask);
}

/* What readers share with the writer. */
struct shared {
    struct flow_table *table;
    uint32_t present[N_FLOWS];           /* Atomic: 0, or a number of its own for each time that it was inserted. */
    uint64_t hashes[N_FLOWS];
    bool stop, failed;
};

static void *reader(void *s_)
{
    struct shared *s = s_;
    struct flow_cache cache;
    struct key *keys = xzalloc_aligned(BATCH_MAX * sizeof *keys);
    rcu_register_thread();
    flow_cache_init(&cache, 64);
    while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
        uint32_t before[BATCH_MAX], numbers[BATCH_MAX];
        uint64_t hashes[BATCH_MAX], probes = 0;
        struct flow *found[BATCH_MAX];
        rcu_read_lock();
        for (unsigned i = 0; i < BATCH_MAX; i++) {
            numbers[i] = random_range(N_FLOWS);
            before[i] = __atomic_load_n(&s->present[numbers[i]], __ATOMIC_ACQUIRE);
            make_key(numbers[i], &keys[i]);
            hashes[i] = s->hashes[numbers[i]];
        }
        cache.off = false;
        uint32_t hits = flow_cache_lookup(&cache, hashes, keys, UINT32_MAX, found);
        uint32_t more = flow_table_lookup(s->table, keys, ~hits, found, &probes);
        for (unsigned i = 0; i < BATCH_MAX; i++) {
            bool hit = (hits | more) >> i & 1;
            uint32_t after = __atomic_load_n(&s->present[numbers[i]], __ATOMIC_ACQUIRE);
            /* 'actions' carries the number. A flow that was there all the time must be found; and never a wrong one. */
            if (hit && (uintptr_t) shared_load(found[i]->actions) != numbers[i] + 1) {
                s->failed = true;
            }
            if (!hit && before[i] && after && before[i] == after) {
                s->failed = true;
            }
            if (more >> i & 1) {
                flow_cache_insert(&cache, hashes[i], found[i]);
            }
        }
        rcu_read_unlock();
    }
    flow_cache_fini(&cache);
    free(keys);
    rcu_unregister_thread();
    return NULL;
}

START_TEST(random_changes_agree_with_a_model_while_readers_look)
{
    struct shared *s = xzalloc(sizeof *s);
    struct flow **flows = xcalloc(N_FLOWS, sizeof *flows);
    pthread_t readers[N_READERS];
    uint32_t n_present = 0;
    rcu_register_thread();
    s->table = flow_table_create(N_FLOWS);
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        s->hashes[i] = random_u64();
    }
    for (unsigned i = 0; i < N_READERS; i++) {
        pthread_create(&readers[i], NULL, reader, s);
    }
    for (int op = 0; op < 60000; op++) {
        /* Phases of growing and shrinking. */
        uint32_t n = random_range(N_FLOWS);
        bool grow = random_range(10) < ((op / 6000) % 2 ? 2 : 8);
        struct key key;
        struct mask mask;
        make_key(n, &key);
        make_mask(n, &mask);
        if (grow && !flows[n]) {
            must(flow_table_insert(s->table, &key, &mask, (void *) (uintptr_t) (n + 1), NULL, &flows[n]));
            __atomic_store_n(&s->present[n], op + 1, __ATOMIC_RELEASE);
            n_present++;
        } else if (!grow && flows[n]) {
            __atomic_store_n(&s->present[n], 0, __ATOMIC_RELEASE);
            flow_table_remove(s->table, flows[n]);
            flows[n] = NULL;
            n_present--;
        } else if (grow) {
            struct flow *f;
            struct error *e = flow_table_insert(s->table, &key, &mask, NULL, NULL, &f);
            ck_assert_int_eq(error_code(e), EEXIST);
            error_free(e);
        }
        ck_assert_uint_eq(flow_table_n_flows(s->table), n_present);
        if (op % 500 == 0) {
            flow_table_tick(s->table);
            struct key *all = xzalloc_aligned(BATCH_MAX * sizeof *all);
            for (uint32_t first = 0; first < N_FLOWS; first += BATCH_MAX) {
                uint32_t todo = 0;
                struct flow *found[BATCH_MAX];
                uint64_t probes = 0;
                for (uint32_t i = 0; i < BATCH_MAX && first + i < N_FLOWS; i++) {
                    make_key(first + i, &all[i]);
                    all[i].l3.ttl ^= 1;
                    todo |= UINT32_C(1) << i;
                }
                rcu_read_lock();
                uint32_t hits = flow_table_lookup(s->table, all, todo, found, &probes);
                for (uint32_t i = 0; i < BATCH_MAX && first + i < N_FLOWS; i++) {
                    ck_assert(!(hits >> i & 1) == !flows[first + i]);
                    ck_assert(!flows[first + i] || found[i] == flows[first + i]);
                }
                rcu_read_unlock();
            }
            free(all);
        }
    }
    __atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < N_READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    ck_assert(!s->failed);
    ck_assert_uint_le(flow_table_n_masks(s->table), N_MASKS);
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        if (flows[i]) {
            struct key key, expected;
            make_key(i, &expected);
            flow_key(flows[i], &key);
            ck_assert(key_equal_masked(&expected, &key, flow_mask(flows[i])));
            ck_assert_uint_eq(key.l3.ttl, 0);
            flow_table_remove(s->table, flows[i]);
        }
    }
    ck_assert_uint_eq(flow_table_n_masks(s->table), 0);
    flow_table_destroy(s->table);
    free(flows);
    free(s);
    rcu_unregister_thread();
}
END_TEST

START_TEST(a_guard_has_sixteen_masks_and_others_do_not_feel_them)
{
    struct flow *f;
    struct key key;
    struct mask mask;
    uint64_t probes = 0;
    rcu_register_thread();
    struct flow_table *t = flow_table_create(1000);
    struct flow *flows[2 * GUARD_MAX_MASKS];
    memset(&key, 0, sizeof key);
    for (unsigned i = 0; i < GUARD_MAX_MASKS; i++) {
        make_mask(0, &mask);
        mask.bits.l4.dst = htobe16(i + 1);
        key.l3.ip4_src = i;
        must(flow_table_insert(t, &key, &mask, NULL, NULL, &flows[i]));
    }
    mask.bits.l4.dst = 0xffff;
    struct error *e = flow_table_insert(t, &key, &mask, NULL, NULL, &f);
    ck_assert_int_eq(error_code(e), ENOSPC);
    error_free(e);
    key.meta.in_port = 1;
    must(flow_table_insert(t, &key, &mask, NULL, NULL, &f));
    rcu_read_lock();
    struct flow *found[1];
    ck_assert_uint_eq(flow_table_lookup(t, &key, 1, found, &probes), 1);
    ck_assert_uint_eq(probes, 1);                  /* Its own mask only. */
    key.meta.in_port = 0;
    key.l3.ip4_src = 99;
    probes = 0;
    ck_assert_uint_eq(flow_table_lookup(t, &key, 1, found, &probes), 0);
    ck_assert_uint_eq(probes, GUARD_MAX_MASKS);    /* The bound. */
    rcu_read_unlock();
    flow_table_remove(t, f);
    for (unsigned i = 0; i < GUARD_MAX_MASKS; i++) {
        flow_table_remove(t, flows[i]);
    }
    flow_table_destroy(t);
    rcu_unregister_thread();
}
END_TEST

START_TEST(masks_that_hit_come_first)
{
    struct flow *f[8];
    struct key key;
    struct mask mask;
    rcu_register_thread();
    struct flow_table *t = flow_table_create(1000);
    for (unsigned i = 0; i < 8; i++) {
        memset(&key, 0, sizeof key);
        make_mask(0, &mask);
        mask.bits.l4.dst = htobe16(i + 1);
        key.l3.ip4_src = i;
        must(flow_table_insert(t, &key, &mask, NULL, NULL, &f[i]));
    }
    uint64_t probes = 0;
    struct flow *found[1];
    for (int i = 0; i < 100; i++) {
        rcu_read_lock();
        ck_assert_uint_eq(flow_table_lookup(t, &key, 1, found, &probes), 1);
        rcu_read_unlock();
    }
    ck_assert_uint_eq(probes, 800);
    flow_table_tick(t);
    probes = 0;
    rcu_read_lock();
    ck_assert_uint_eq(flow_table_lookup(t, &key, 1, found, &probes), 1);
    rcu_read_unlock();
    ck_assert_uint_eq(probes, 1);
    for (unsigned i = 0; i < 8; i++) {
        flow_table_remove(t, f[i]);
    }
    flow_table_destroy(t);
    rcu_unregister_thread();
}
END_TEST

START_TEST(one_guard_cannot_take_the_last_eighth_from_others)
{
    enum { LIMIT = 4096 };
    struct key key;
    struct mask mask;
    struct flow *f, *flows[LIMIT];
    uint32_t n = 0;
    struct error *e = NULL;
    rcu_register_thread();
    struct flow_table *t = flow_table_create(LIMIT);
    make_mask(0, &mask);
    memset(&key, 0, sizeof key);
    key.meta.in_port = 9;
    must(flow_table_insert(t, &key, &mask, NULL, NULL, &flows[n++]));
    key.meta.in_port = 1;
    while (!e) {
        key.l3.ip4_src = n;
        e = flow_table_insert(t, &key, &mask, NULL, NULL, &f);
        if (!e) {
            flows[n++] = f;
        }
    }
    ck_assert_int_eq(error_code(e), ENOSPC);
    error_free(e);
    ck_assert_uint_eq(n, LIMIT - LIMIT / 8);
    key.meta.in_port = 9;
    must(flow_table_insert(t, &key, &mask, NULL, NULL, &flows[n++]));
    while (n) {
        flow_table_remove(t, flows[--n]);
    }
    flow_table_destroy(t);
    rcu_unregister_thread();
}
END_TEST

START_TEST(a_cache_that_thrashes_turns_itself_off_and_tries_again)
{
    struct flow_cache c;
    struct key key;
    struct flow *found[1];
    memset(&key, 0, sizeof key);
    flow_cache_init(&c, 16);
    bool was_off = false, was_on_again = false;
    for (uint32_t i = 0; i < 2000000; i++) {
        uint64_t hash = random_u64();
        flow_cache_lookup(&c, &hash, &key, 1, found);
        was_off |= c.off;
        was_on_again |= was_off && !c.off;
    }
    ck_assert(was_off);
    ck_assert(was_on_again);
    flow_cache_fini(&c);
}
END_TEST

TCase *lookup_tcase(void)
{
    TCase *t = tcase_create("lookup");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, random_changes_agree_with_a_model_while_readers_look);
    tcase_add_test(t, a_guard_has_sixteen_masks_and_others_do_not_feel_them);
    tcase_add_test(t, masks_that_hit_come_first);
    tcase_add_test(t, one_guard_cannot_take_the_last_eighth_from_others);
    tcase_add_test(t, a_cache_that_thrashes_turns_itself_off_and_tries_again);
    return t;
}
