/* SPDX-License-Identifier: Apache-2.0 */
/* Hash map and list against naive models under seeded random operations. */
#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "tests/unit/unit.h"

enum { N_KEYS = 200, N_STEPS = 20000 };

struct thing {
    struct hmap_node node;
    int key;
};

static struct thing *find(struct hmap *map, int key, uint32_t hash)
{
    struct thing *t;
    HMAP_FOR_EACH_WITH_HASH (t, node, hash, map) {
        if (t->key == key) {
            return t;
        }
    }
    return NULL;
}

/* The map must hold exactly the keys of which 'present' is true, each once. */
static void check_against(struct hmap *map, const bool *present)
{
    bool seen[N_KEYS] = { false };
    size_t n = 0;
    struct thing *t;
    HMAP_FOR_EACH (t, node, map) {
        ck_assert(present[t->key]);
        ck_assert(!seen[t->key]);
        seen[t->key] = true;
        n++;
    }
    ck_assert_ptr_null(t);
    ck_assert_uint_eq(n, hmap_count(map));
    for (int i = 0; i < N_KEYS; i++) {
        ck_assert_int_eq(seen[i], present[i]);
    }
}

/* 'hash_mask' of 0 puts all keys in one chain. */
static void run_model(uint32_t hash_mask, unsigned seed)
{
    struct hmap map;
    bool present[N_KEYS] = { false };
    hmap_init(&map);
    srandom(seed);
    for (int step = 0; step < N_STEPS; step++) {
        int key = (int) (random() % N_KEYS);
        uint32_t hash = hash_int((uint64_t) key, 7) & hash_mask;
        struct thing *t = find(&map, key, hash);
        ck_assert_int_eq(t != NULL, present[key]);
        if (!t) {
            t = xzalloc(sizeof *t);
            t->key = key;
            hmap_insert(&map, &t->node, hash);
            present[key] = true;
        } else if (random() % 4) {
            hmap_remove(&map, &t->node);
            free(t);
            present[key] = false;
        } else {
            struct thing *other = xmemdup(t, sizeof *t);
            hmap_replace(&map, &t->node, &other->node);
            free(t);
        }
        if (step % 500 == 0) {
            check_against(&map, present);
        }
    }
    check_against(&map, present);
    struct thing *t;
    HMAP_FOR_EACH (t, node, &map) {
        hmap_remove(&map, &t->node);   /* Allowed while iterating. */
        free(t);
    }
    ck_assert(hmap_is_empty(&map));
    hmap_fini(&map);
}

START_TEST(follows_the_model)
{
    run_model(UINT32_MAX, 1);
    run_model(UINT32_MAX, 2);
}
END_TEST

START_TEST(survives_collisions)
{
    run_model(0, 3);
    run_model(7, 4);
}
END_TEST

START_TEST(clear_and_reserve)
{
    struct hmap map;
    struct thing things[3] = { { .key = 0 }, { .key = 1 }, { .key = 2 } };
    hmap_init(&map);
    ck_assert_ptr_null(hmap_first(&map));
    hmap_reserve(&map, 100);
    for (int i = 0; i < 3; i++) {
        hmap_insert(&map, &things[i].node, 42);
    }
    ck_assert_uint_eq(hmap_count(&map), 3);
    hmap_clear(&map);
    ck_assert(hmap_is_empty(&map));
    ck_assert_ptr_null(hmap_first_with_hash(&map, 42));
    hmap_insert(&map, &things[1].node, 9);
    ck_assert_ptr_eq(hmap_first(&map), &things[1].node);
    hmap_fini(&map);
}
END_TEST

struct item {
    struct list node;
    int value;
};

START_TEST(list_order)
{
    struct list a = LIST_INIT(a), b = LIST_INIT(b);
    struct item items[6];
    for (int i = 0; i < 6; i++) {
        items[i].value = i;
        list_push_back(i < 3 ? &a : &b, &items[i].node);
    }
    list_push_front(&a, list_pop_front(&b));    /* 3 0 1 2 | 4 5 */
    list_splice_back(&a, &b);                   /* 3 0 1 2 4 5 | */
    ck_assert(list_is_empty(&b));
    list_splice_back(&a, &b);
    list_remove(&items[1].node);
    list_remove(&items[1].node);                /* Twice is fine. */
    static const int expected[] = { 3, 0, 2, 4, 5 };
    size_t n = 0;
    struct item *it, *after;
    LIST_FOR_EACH (it, node, &a) {
        ck_assert_int_eq(it->value, expected[n++]);
    }
    ck_assert_uint_eq(n, ARRAY_SIZE(expected));
    ck_assert_uint_eq(list_size(&a), n);
    LIST_FOR_EACH_SAFE (it, after, node, &a) {
        list_remove(&it->node);
    }
    ck_assert(list_is_empty(&a));
}
END_TEST

START_TEST(hash_depends_on_seed_and_basis)
{
    hash_set_seed(1);
    uint32_t first = hash_string("br0", 0);
    ck_assert_uint_eq(hash_bytes("br0", 3, 0), first);
    ck_assert_uint_ne(hash_string("br0", 1), first);
    ck_assert_uint_ne(hash_string("br1", 0), first);
    hash_set_seed(2);
    ck_assert_uint_ne(hash_string("br0", 0), first);
    hash_set_seed(1);
    ck_assert_uint_eq(hash_string("br0", 0), first);
}
END_TEST

TCase *hmap_tcase(void);
TCase *hmap_tcase(void)
{
    TCase *tc = tcase_create("hmap");
    tcase_add_test(tc, follows_the_model);
    tcase_add_test(tc, survives_collisions);
    tcase_add_test(tc, clear_and_reserve);
    tcase_add_test(tc, list_order);
    tcase_add_test(tc, hash_depends_on_seed_and_basis);
    return tc;
}
