/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas that are taken, and those that are refused with the reason. */
#include <stdlib.h>

#include "db/schema.h"
#include "db/schema_text.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "tests/unit/unit.h"

static const struct {
    const char *schema;      /* With ' for ". */
    const char *complaint;   /* NULL: it is good. */
} rows[] = {
    { "{'name':'a','version':'1.2.3','tables':{}}", NULL },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':'integer'}}}}}", NULL },
    { "[]", "not a JSON object" },
    { "{'version':'1.2.3','tables':{}}", "lacks its member \"name\"" },
    { "{'name':'a','version':'1.2','tables':{}}", "is not a version" },
    { "{'name':'a','version':'1.2.3x','tables':{}}", "is not a version" },
    { "{'name':'9a','tables':{}}", "wrong kind" },
    { "{'name':'a','tables':{},'extra':1}", "\"extra\" is not known" },
    { "{'name':'a','tables':{'_t':{'columns':{}}}}", "begins with an underscore" },
    { "{'name':'a','tables':{'t-':{'columns':{}}}}", "not a letter followed" },
    { "{'name':'a','tables':{'t':{'columns':{'_c':{'type':'integer'}}}}}", "begins with an underscore" },
    { "{'name':'a','tables':{'t':{'columns':{},'maxRows':0}}}", "maxRows is a positive" },
    { "{'name':'a','tables':{'t':{'columns':{},'indexes':[['x']]}}}", "does not have" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':'integer'}},'indexes':[['c','c']]}}}", "twice" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':'integer','ephemeral':true}},"
      "'indexes':[['c']]}}}", "ephemeral" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':'number'}}}}}", "is not a type" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':{'key':'integer','min':2,'max':3}}}}}}",
      "\"min\" is 0 or 1" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':{'key':'integer','min':0,'max':0}}}}}}",
      "at least 1" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':{'key':{'type':'integer','minInteger':5,"
      "'maxInteger':4}}}}}}}", "exceeds" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':{'key':{'type':'integer','minLength':5}}}}}}}",
      "\"minLength\" is not known" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':{'key':{'type':'string','enum':['set',[]]}}}}}}}",
      "at least 1" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':{'key':{'type':'uuid','refTable':'x'}}}}}}}",
      "does not exist" },
    { "{'name':'a','tables':{'t':{'columns':{'c':{'type':{'key':{'type':'uuid','refTable':'t',"
      "'refType':'loose'}}}}}}}", "\"strong\" or \"weak\"" },
};

START_TEST(each_row_is_taken_or_refused)
{
    char *text = xstrdup(rows[_i].schema);
    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    struct schema *s = NULL;
    struct error *e = schema_from_text(&s, text);
    if (rows[_i].complaint) {
        ck_assert_msg(e && strstr(error_text(e), rows[_i].complaint), "%s: %s", text,
                      e ? error_text(e) : "was taken");
    } else {
        ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    }
    error_free(e);
    schema_destroy(s);
    free(text);
}
END_TEST

START_TEST(the_switch_schema_is_good)
{
    struct schema *s;
    struct error *e = schema_from_text(&s, vswitch_schema_text);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    ck_assert_str_eq(s->name, "Open_vSwitch");
    ck_assert_uint_eq(s->n_tables, 19);
    ck_assert(schema_table(s, "Open_vSwitch")->is_root);
    ck_assert(!schema_table(s, "Bridge")->is_root);
    ck_assert_uint_eq(schema_table(s, "Bridge")->n_indexes, 1);
    ck_assert(!table_schema_column(schema_table(s, "Port"), "name")->mutable);
    ck_assert(table_schema_column(schema_table(s, "Interface"), "statistics")->ephemeral);
    ck_assert_ptr_eq(table_schema_column(schema_table(s, "Bridge"), "ports")->key_ref,
                     schema_table(s, "Port"));
    schema_destroy(s);
}
END_TEST

START_TEST(without_any_root_all_tables_are_roots)
{
    struct schema *s;
    struct error *e = schema_from_text(&s, "{\"name\":\"a\",\"tables\":{\"t\":{\"columns\":{}}}}");
    ck_assert_ptr_null(e);
    ck_assert(s->tables[0].is_root);
    schema_destroy(s);
}
END_TEST

TCase *schema_tcase(void);
TCase *schema_tcase(void)
{
    TCase *tc = tcase_create("schema");
    tcase_add_loop_test(tc, each_row_is_taken_or_refused, 0, ARRAY_SIZE(rows));
    tcase_add_test(tc, the_switch_schema_is_good);
    tcase_add_test(tc, without_any_root_all_tables_are_roots);
    return tc;
}
