/* SPDX-License-Identifier: Apache-2.0 */
/* String maps against a naive model. */
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/smap.h"
#include "tests/unit/unit.h"

enum { N_KEYS = 40, N_STEPS = 5000 };

START_TEST(follows_the_model)
{
    struct smap map = SMAP_INIT;
    int model[N_KEYS];
    memset(model, -1, sizeof model);
    srandom(5);
    for (int step = 0; step < N_STEPS; step++) {
        int k = (int) (random() % N_KEYS), value = (int) (random() % 1000);
        char key[16];
        sprintf(key, "k%d", k);
        if (random() % 3) {
            smap_set_format(&map, key, "%d", value);
            model[k] = value;
        } else {
            ck_assert_int_eq(smap_remove(&map, key), model[k] >= 0);
            model[k] = -1;
        }
        size_t n = 0;
        for (int i = 0; i < N_KEYS; i++) {
            sprintf(key, "k%d", i);
            ck_assert_int_eq(smap_get_int(&map, key, -1, 0, 1000), model[i]);
            n += model[i] >= 0;
        }
        ck_assert_uint_eq(map.n, n);
    }
    struct smap_entry *e;
    SMAP_FOR_EACH (e, &map) {
        ck_assert(e == map.entries || strcmp(e[-1].key, e->key) < 0);
    }
    struct smap copy;
    smap_clone(&copy, &map);
    ck_assert(smap_equal(&copy, &map));
    smap_set(&copy, map.entries[0].key, "else");
    ck_assert(!smap_equal(&copy, &map));
    smap_clear(&copy);
    ck_assert_uint_eq(copy.n, 0);
    smap_fini(&copy);
    smap_fini(&map);
}
END_TEST

START_TEST(typed_values)
{
    struct smap map = SMAP_INIT;
    ck_assert_ptr_null(smap_get(&map, "x"));
    ck_assert_str_eq(smap_get_def(&map, "x", "def"), "def");
    ck_assert(smap_get_bool(&map, "x", true));
    smap_set(&map, "x", "TRUE");
    ck_assert(smap_get_bool(&map, "x", false));
    smap_set(&map, "x", "yes");
    ck_assert(!smap_get_bool(&map, "x", true));
    smap_set(&map, "n", "0x20");
    ck_assert_int_eq(smap_get_int(&map, "n", 7, 0, 100), 32);
    ck_assert_int_eq(smap_get_int(&map, "n", 7, 0, 31), 7);
    ck_assert_int_eq(smap_get_int(&map, "n", 7, 33, 100), 7);
    smap_set(&map, "n", "32 ");
    ck_assert_int_eq(smap_get_int(&map, "n", 7, 0, 100), 7);
    smap_fini(&map);
}
END_TEST

TCase *smap_tcase(void);
TCase *smap_tcase(void)
{
    TCase *tc = tcase_create("smap");
    tcase_add_test(tc, follows_the_model);
    tcase_add_test(tc, typed_values);
    return tc;
}
