/* SPDX-License-Identifier: Apache-2.0 */
/* Values: JSON in and out, constraints, and set operations against a naive model. */
#include <stdlib.h>

#include "db/datum.h"
#include "db/error.h"
#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "tests/unit/unit.h"

/* JSON with ' for ". */
static json_t *parse(const char *s)
{
    char *text = xstrdup(s);
    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
    ck_assert_msg(j, "%s", text);
    free(text);
    return j;
}

static const struct {
    const char *type, *value;
    const char *text;     /* As it is written again; NULL: refused ... */
    const char *error;    /* ... with this. */
} rows[] = {
    { "'integer'", "5", "5", NULL },
    { "'integer'", "5.0", "5", NULL },
    { "'integer'", "1e3", "1000", NULL },
    { "'integer'", "5.5", NULL, "syntax error" },
    { "'integer'", "'5'", NULL, "syntax error" },
    { "'integer'", "-9223372036854775808", "-9223372036854775808", NULL },
    { "'real'", "1", "1", NULL },
    { "'real'", "0.1", "0.1", NULL },
    { "'real'", "1e300", "1e+300", NULL },
    { "'boolean'", "true", "true", NULL },
    { "'boolean'", "1", NULL, "syntax error" },
    { "'string'", "'exactly 15 byte'", "'exactly 15 byte'", NULL },
    { "'string'", "'exactly 16 bytes'", "'exactly 16 bytes'", NULL },
    { "'string'", "''", "''", NULL },
    { "'uuid'", "['uuid','550e8400-e29b-41d4-a716-446655440000']",
      "['uuid','550e8400-e29b-41d4-a716-446655440000']", NULL },
    { "'uuid'", "['uuid','550e8400-e29b-41d4-a716-44665544000']", NULL, "syntax error" },
    { "'uuid'", "['named-uuid','x']", NULL, "syntax error" },
    { "{'key':'integer','min':0,'max':3}", "['set',[3,1,2]]", "['set',[1,2,3]]", NULL },
    { "{'key':'integer','min':0,'max':3}", "['set',[3]]", "3", NULL },
    { "{'key':'integer','min':0,'max':3}", "['set',[]]", "['set',[]]", NULL },
    { "{'key':'integer','min':0,'max':3}", "['set',[1,2,3,4]]", NULL, "syntax error" },
    { "{'key':'integer','min':0,'max':3}", "['set',[1,2,1]]", NULL, "ovsdb error" },
    { "{'key':'integer','min':1,'max':3}", "['set',[]]", NULL, "syntax error" },
    { "{'key':'string','value':'integer','min':0,'max':'unlimited'}", "['map',[['b',1],['a',2]]]",
      "['map',[['a',2],['b',1]]]", NULL },
    { "{'key':'string','value':'integer','min':0,'max':'unlimited'}", "['map',[['b',1],['b',2]]]", NULL,
      "ovsdb error" },
    { "{'key':'string','value':'integer','min':0,'max':'unlimited'}", "['map',[['b']]]", NULL,
      "syntax error" },
    { "{'key':'string','value':'integer','min':0,'max':'unlimited'}", "['set',[]]", NULL,
      "syntax error" },
    { "{'key':{'type':'integer','minInteger':2,'maxInteger':4}}", "4", "4", NULL },
    { "{'key':{'type':'integer','minInteger':2,'maxInteger':4}}", "5", NULL, "constraint violation" },
    { "{'key':{'type':'real','maxReal':0.5}}", "0.75", NULL, "constraint violation" },
    { "{'key':{'type':'string','enum':['set',['up','down']]}}", "'up'", "'up'", NULL },
    { "{'key':{'type':'string','enum':['set',['up','down']]}}", "'left'", NULL, "constraint violation" },
    { "{'key':{'type':'string','minLength':2,'maxLength':3}}", "'\\u00e9\\u00e9\\u00e9'",
      "'\xc3\xa9\xc3\xa9\xc3\xa9'", NULL },
    { "{'key':{'type':'string','minLength':2,'maxLength':3}}", "'a'", NULL, "constraint violation" },
    { "{'key':{'type':'string','minLength':2,'maxLength':3}}", "'abcd'", NULL, "constraint violation" },
    { "'string'", "'\\u0001\\n\\t\\\\'", "'\\u0001\\n\\t\\\\'", NULL },
};

START_TEST(each_row_is_read_and_written)
{
    struct column_type type;
    json_t *type_json = parse(rows[_i].type), *value = parse(rows[_i].value);
    struct db_error *e = column_type_from_json(&type, type_json);
    ck_assert_ptr_null(e);
    struct datum *d = NULL;
    e = datum_from_json(&d, &type, value, NULL);
    if (rows[_i].error) {
        ck_assert_msg(e, "%s was taken", rows[_i].value);
        ck_assert_str_eq(e->tag, rows[_i].error);
    } else {
        ck_assert_msg(!e, "%s", e ? e->details : "");
        struct text t = TEXT_INIT;
        datum_put_json(d, &type, &t);
        char *expected = xstrdup(rows[_i].text);
        for (char *p = expected; *p; p++) {
            *p = *p == '\'' ? '"' : *p;
        }
        ck_assert_str_eq(text_str(&t), expected);
        json_t *built = datum_to_json(d, &type), *written = json_loads(text_str(&t), JSON_DECODE_ANY, NULL);
        ck_assert(json_is_number(built) || json_equal(built, written));
        json_decref(built);
        json_decref(written);
        free(expected);
        text_fini(&t);
        datum_put(d, &type);
    }
    db_error_free(e);
    json_decref(type_json);
    json_decref(value);
    column_type_fini(&type);
}
END_TEST

/* Sets and maps over the keys 0 .. N - 1, as arrays: -1 is absent, else the value. */
enum { N = 12 };

static struct datum *from_model(const int *model, const struct column_type *type)
{
    size_t n = 0, k = 0;
    for (int i = 0; i < N; i++) {
        n += model[i] >= 0;
    }
    struct datum *d = datum_alloc(n, type);
    for (int i = N - 1; i >= 0; i--) {   /* Backwards, so that it has to be sorted. */
        if (model[i] >= 0) {
            char text[64];
            snprintf(text, sizeof text, "value %02d, long enough to be outside", i);
            atom_init_string(&d->atoms[k], text, i % 2 ? strlen(text) : 8);
            if (column_type_is_map(type)) {
                memset(&d->atoms[n + k], 0, sizeof d->atoms[0]);
                d->atoms[n + k].integer = model[i];
            }
            k++;
        }
    }
    struct db_error *e = datum_sort(d, type);
    ck_assert_ptr_null(e);
    return d;
}

static void check_model(struct datum *d, const int *model, const struct column_type *type)
{
    struct datum *expected = from_model(model, type);
    ck_assert(datum_equal(d, expected, type));
    ck_assert_uint_eq(datum_hash(d, type, 1), datum_hash(expected, type, 1));
    datum_put(expected, type);
    datum_put(d, type);
}

static void random_model(int *model, bool map)
{
    for (int i = 0; i < N; i++) {
        model[i] = rand() % 2 ? -1 : map ? rand() % 3 : 0;
    }
}

static void compare_with_model(bool map)
{
    struct column_type type = { .min = 0, .max = DB_UNLIMITED };
    base_type_init(&type.key, ATOM_STRING);
    base_type_init(&type.value, map ? ATOM_INTEGER : ATOM_VOID);
    srand(42);
    for (int step = 0; step < 3000; step++) {
        int a[N], b[N], result[N];
        random_model(a, map);
        random_model(b, map);
        struct datum *x = from_model(a, &type), *y = from_model(b, &type);
        bool includes = true, excludes = true;
        for (int i = 0; i < N; i++) {
            includes &= b[i] < 0 || a[i] == b[i];
            excludes &= b[i] < 0 || a[i] != b[i];
            result[i] = a[i] >= 0 ? a[i] : b[i];
        }
        ck_assert_int_eq(datum_includes_all(x, y, &type), includes);
        ck_assert_int_eq(datum_excludes_all(x, y, &type), excludes);
        check_model(datum_union(x, y, &type), result, &type);
        for (int i = 0; i < N; i++) {
            result[i] = a[i] == b[i] ? -1 : a[i];
        }
        check_model(datum_subtract(x, y, &type, false), result, &type);
        for (int i = 0; i < N; i++) {
            result[i] = b[i] >= 0 ? -1 : a[i];
        }
        check_model(datum_subtract(x, y, &type, true), result, &type);
        for (int i = 0; i < N; i++) {
            result[i] = a[i] == b[i] ? -1 : b[i] >= 0 ? b[i] : a[i];
        }
        struct datum *diff = datum_diff(x, y, &type), *applied = NULL;
        check_model(datum_get(diff), result, &type);
        struct db_error *e = datum_apply_diff(x, diff, &type, &applied);
        ck_assert_ptr_null(e);
        check_model(applied, b, &type);
        datum_put(diff, &type);
        datum_put(x, &type);
        datum_put(y, &type);
    }
}

START_TEST(sets_are_as_the_model)
{
    compare_with_model(false);
}
END_TEST

START_TEST(maps_are_as_the_model)
{
    compare_with_model(true);
}
END_TEST

TCase *datum_tcase(void);
TCase *datum_tcase(void)
{
    TCase *tc = tcase_create("datum");
    tcase_add_loop_test(tc, each_row_is_read_and_written, 0, ARRAY_SIZE(rows));
    tcase_add_test(tc, sets_are_as_the_model);
    tcase_add_test(tc, maps_are_as_the_model);
    return tc;
}
