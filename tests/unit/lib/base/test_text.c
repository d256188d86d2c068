/* SPDX-License-Identifier: Apache-2.0 */
/* Growing strings and errors. */
#include <errno.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/base/text.h"
#include "tests/unit/unit.h"

START_TEST(grows_as_a_string)
{
    struct text t = TEXT_INIT;
    char model[4096] = "";
    ck_assert_str_eq(text_str(&t), "");
    for (int i = 0; strlen(model) < 3000; i++) {
        text_printf(&t, "%d-%s,", i, i % 7 ? "x" : "a longer word");
        sprintf(model + strlen(model), "%d-%s,", i, i % 7 ? "x" : "a longer word");
        ck_assert_str_eq(text_str(&t), model);
        ck_assert_uint_eq(t.len, strlen(model));
    }
    text_chomp(&t, ';');
    ck_assert_uint_eq(t.len, strlen(model));
    text_chomp(&t, ',');
    ck_assert_uint_eq(t.len, strlen(model) - 1);
    ck_assert(text_ends_with(&t, "-x") || text_ends_with(&t, "word"));
    ck_assert(!text_ends_with(&t, "no"));
    text_truncate(&t, 3);
    ck_assert_str_eq(text_str(&t), "0-a");
    text_truncate(&t, 100);
    ck_assert_uint_eq(t.len, 3);
    char *s = text_steal(&t);
    ck_assert_str_eq(s, "0-a");
    ck_assert_str_eq(text_str(&t), "");
    free(s);
    s = text_steal(&t);
    ck_assert_str_eq(s, "");
    free(s);
    text_fini(&t);
}
END_TEST

START_TEST(hex_and_dump)
{
    struct text t = TEXT_INIT;
    text_put_hex(&t, "\x00\xff\x1a", 3);
    ck_assert_str_eq(text_str(&t), "00ff1a");
    text_clear(&t);
    text_put_hex_dump(&t, "0123456789abcdefXY\x7f", 19);
    ck_assert_str_eq(text_str(&t),
        "00000000  30 31 32 33 34 35 36 37-38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
        "00000010  58 59 7f                                         |XY.|\n");
    text_fini(&t);
}
END_TEST

START_TEST(errors_chain)
{
    struct error *e = error_new(EINVAL, "a VNI is %d to %d", 0, 16777215);
    e = error_wrap(e, "port \"%s\"", "vx0");
    ck_assert_str_eq(error_text(e), "port \"vx0\": a VNI is 0 to 16777215");
    ck_assert_int_eq(error_code(e), EINVAL);
    struct error *first = NULL;
    error_keep_first(&first, NULL);
    ck_assert_ptr_null(first);
    error_keep_first(&first, e);
    error_keep_first(&first, error_errno(ENOENT, "x"));
    ck_assert_ptr_eq(first, e);
    error_free(first);
    e = error_errno(ENOENT, "opening \"%s\"", "/x");
    ck_assert_str_eq(error_text(e), "opening \"/x\": No such file or directory");
    error_free(e);
    ck_assert_int_eq(error_code(NULL), 0);
    error_free(NULL);
}
END_TEST

START_TEST(allocation)
{
    size_t allocated = 0;
    int *array = NULL;
    for (int n = 0; n < 1000; n++) {
        if ((size_t) n == allocated) {
            array = xgrow(array, &allocated, sizeof *array);
        }
        array[n] = n;
    }
    ck_assert_uint_ge(allocated, 1000);
    ck_assert_int_eq(array[999], 999);
    free(array);
    uint8_t *p = xzalloc_aligned(100);
    ck_assert_uint_eq((uintptr_t) p % CACHE_LINE, 0);
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(p[i], 0);
    }
    free(p);
    char *s = xstrndup("abcdef", 3);
    ck_assert_str_eq(s, "abc");
    free(s);
    ck_assert_ptr_null(xstrdup_or_null(NULL));
}
END_TEST

START_TEST(random_is_in_range_and_varies)
{
    unsigned counts[10] = { 0 };
    for (int i = 0; i < 10000; i++) {
        uint32_t x = random_range(10);
        ck_assert_uint_lt(x, 10);
        counts[x]++;
    }
    for (int i = 0; i < 10; i++) {
        ck_assert_uint_gt(counts[i], 700);   /* 1000 +- 10 standard deviations. */
        ck_assert_uint_lt(counts[i], 1300);
    }
    ck_assert_uint_ne(random_u64(), random_u64());
}
END_TEST

TCase *text_tcase(void);
TCase *text_tcase(void)
{
    TCase *tc = tcase_create("text");
    tcase_add_test(tc, grows_as_a_string);
    tcase_add_test(tc, hex_and_dump);
    tcase_add_test(tc, errors_chain);
    tcase_add_test(tc, allocation);
    tcase_add_test(tc, random_is_in_range_and_varies);
    return tc;
}
