/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and their replies, one rule a row. */
#include <stdlib.h>

#include "db/error.h"
#include "lib/base/alloc.h"
#include "tests/unit/db/db_check.h"
#include "tests/unit/unit.h"

/* All rows start with these rows: root "r" (n 5, set {1,2}) with leaf "l" (home r) in 'leaves' and 'likes'. */
static const char setup[] =
    "['test',{'op':'insert','table':'root','uuid-name':'r','row':{'name':'r','n':5,'set':['set',[1,2]],"
    "'map':['map',[['a','1'],['b','2']]],'leaves':['named-uuid','l'],'likes':['named-uuid','l']}},"
    "{'op':'insert','table':'leaf','uuid-name':'l','row':{'name':'l','home':['named-uuid','r']}}]";

static const struct {
    const char *sentence, *request;
    const char *reply;     /* What the reply has in it, with ' for ". */
    const char *contents;  /* What the database has in it afterwards; "!" in front: has not. */
} rows[] = {
    { "select finds by a function", "['test',{'op':'select','table':'root','where':[['n','>=',5]],"
      "'columns':['name']}]", "[{'rows':[{'name':'r'}]}]", NULL },
    { "select leaves out equal rows", "['test',{'op':'insert','table':'root','row':{'name':'q','n':5}},"
      "{'op':'select','table':'root','where':[],'columns':['n']}]", "{'rows':[{'n':5}]}", NULL },
    { "a named row can be used before it is made", "['test',{'op':'mutate','table':'root','where':[],"
      "'mutations':[['leaves','insert',['named-uuid','x']]]},{'op':'insert','table':'leaf','uuid-name':'x',"
      "'row':{'name':'new leaf'}}]", "{'count':1}", "name=\"new leaf\"" },
    { "two rows of one name", "['test',{'op':'insert','table':'leaf','uuid-name':'x','row':{}},"
      "{'op':'insert','table':'leaf','uuid-name':'x','row':{}}]", "'error':'duplicate uuid-name'", NULL },
    { "a leaf that nothing refers to vanishes", "['test',{'op':'insert','table':'leaf','row':{'name':'lost'}}]",
      "'uuid'", "!lost" },
    { "a leaf goes when the last reference goes", "['test',{'op':'update','table':'root','where':[],"
      "'row':{'leaves':['set',[]]}}]", "{'count':1}", "!leaf" },
    { "and the weak reference to it", "['test',{'op':'update','table':'root','where':[],"
      "'row':{'leaves':['set',[]]}}]", "{'count':1}", "likes=[\"set\",[]]" },
    { "a referenced leaf cannot be deleted", "['test',{'op':'delete','table':'leaf','where':[]}]",
      "'error':'referential integrity violation'", "name=\"l\"" },
    { "a strong reference to nothing", "['test',{'op':'update','table':'root','where':[],'row':{'leaves':"
      "['uuid','550e8400-e29b-41d4-a716-446655440000']}}]", "'error':'referential integrity violation'",
      "name=\"l\"" },
    { "a weak reference to nothing is dropped", "['test',{'op':'update','table':'root','where':[],'row':"
      "{'likes':['uuid','550e8400-e29b-41d4-a716-446655440000']}}]", "{'count':1}", "likes=[\"set\",[]]" },
    { "deleting a root row frees its leaves and clears weak references to it",
      "['test',{'op':'delete','table':'root','where':[]}]", "{'count':1}", "!name" },
    { "an index keeps values apart", "['test',{'op':'insert','table':'root','row':{'name':'r'}}]",
      "'error':'constraint violation'", NULL },
    { "but a value may move within a transaction", "['test',{'op':'update','table':'root','where':[],'row':"
      "{'name':'other'}},{'op':'insert','table':'root','row':{'name':'r','n':9}}]", "'uuid'", "n=9" },
    { "a range", "['test',{'op':'update','table':'root','where':[],'row':{'n':101}}]",
      "'error':'constraint violation'", "n=5" },
    { "an immutable column", "['test',{'op':'update','table':'root','where':[],'row':{'fixed':'x'}}]",
      "'error':'constraint violation'", NULL },
    { "may be set at insertion", "['test',{'op':'insert','table':'root','row':{'name':'q','fixed':'x'}}]",
      "'uuid'", "fixed=\"x\"" },
    { "addition", "['test',{'op':'mutate','table':'root','where':[],'mutations':[['n','+=',3],['n','*=',2]]}]",
      "{'count':1}", "n=16" },
    { "addition over the range", "['test',{'op':'mutate','table':'root','where':[],'mutations':[['n','+=',96]]}]",
      "'error':'constraint violation'", "n=5" },
    { "addition over 64 bits", "['test',{'op':'mutate','table':'root','where':[],'mutations':"
      "[['passing','+=',9223372036854775807],['passing','+=',1]]}]", "'error':'range error'", NULL },
    { "multiplication over 64 bits by a negative factor", "['test',{'op':'mutate','table':'root','where':[],"
      "'mutations':[['passing','+=',9223372036854775807],['passing','*=',-2]]}]", "'error':'range error'", NULL },
    { "the smallest integer has no opposite", "['test',{'op':'mutate','table':'root','where':[],'mutations':"
      "[['passing','-=',9223372036854775807],['passing','-=',1],['passing','/=',-1]]}]",
      "'error':'range error'", NULL },
    { "a remainder by -1", "['test',{'op':'mutate','table':'root','where':[],'mutations':"
      "[['passing','-=',9223372036854775807],['passing','-=',1],['passing','%=',-1]]}]", "{'count':1}",
      "passing=0" },
    { "division by zero", "['test',{'op':'mutate','table':'root','where':[],'mutations':[['n','/=',0]]}]",
      "'error':'domain error'", NULL },
    { "a factor of zero", "['test',{'op':'mutate','table':'root','where':[],'mutations':[['n','*=',0]]}]",
      "{'count':1}", "n=0" },
    { "arithmetic on a set", "['test',{'op':'mutate','table':'root','where':[],'mutations':[['set','+=',1]]}]",
      "{'count':1}", "set=[\"set\",[2,3]]" },
    { "insert keeps what a map has", "['test',{'op':'mutate','table':'root','where':[],'mutations':"
      "[['map','insert',['map',[['a','x'],['c','3']]]]]}]", "{'count':1}", "[\"a\",\"1\"],[\"b\",\"2\"],[\"c\",\"3\"]" },
    { "delete by pairs", "['test',{'op':'mutate','table':'root','where':[],'mutations':"
      "[['map','delete',['map',[['a','1'],['b','x']]]]]}]", "{'count':1}", "map=[\"map\",[[\"b\",\"2\"]]]" },
    { "delete by keys", "['test',{'op':'mutate','table':'root','where':[],'mutations':"
      "[['map','delete',['set',['a','z']]]]}]", "{'count':1}", "map=[\"map\",[[\"b\",\"2\"]]]" },
    { "a wait that holds", "['test',{'op':'wait','table':'root','where':[],'columns':['n'],'until':'==',"
      "'rows':[{'n':5}],'timeout':0}]", "[{}]", NULL },
    { "a wait that does not", "['test',{'op':'wait','table':'root','where':[],'columns':['n'],'until':'==',"
      "'rows':[{'n':6}],'timeout':0}]", "'error':'timed out'", NULL },
    { "what follows a failure is not done", "['test',{'op':'abort'},{'op':'delete','table':'root','where':[]}]",
      "{'error':'aborted','details':'aborted by request'},null]", "name=\"r\"" },
    { "nor what came before", "['test',{'op':'delete','table':'root','where':[]},{'op':'abort'}]",
      "{'count':1},{'error':'aborted'", "name=\"r\"" },
    { "assert without the lock", "['test',{'op':'assert','lock':'a'}]", "'error':'not owner'", NULL },
    { "an unknown operation", "['test',{'op':'explode'}]", "'error':'syntax error'", NULL },
    { "an unknown table", "['test',{'op':'select','table':'none','where':[]}]", "'error':'syntax error'", NULL },
    { "an unknown column", "['test',{'op':'select','table':'root','where':[['x','==',1]]}]",
      "'error':'unknown column'", NULL },
    { "a member too many", "['test',{'op':'select','table':'root','where':[],'rows':[]}]",
      "'error':'syntax error'", NULL },
    { "an operation that is no object", "['test',5]", "'error':'syntax error'", NULL },
    { "the details name table, row and column", "['test',{'op':'mutate','table':'root','where':[],"
      "'mutations':[['n','+=',96]]}]", "column \\'n\\'", NULL },
    { "a chosen UUID", "['test',{'op':'insert','table':'root','uuid':'550e8400-e29b-41d4-a716-446655440000',"
      "'row':{'name':'q'}}]", "550e8400", "root 550e8400" },
    { "the UUID of a row that was deleted in the same transaction", "['test',{'op':'insert','table':'root',"
      "'uuid':'550e8400-e29b-41d4-a716-446655440000','row':{'name':'q'}},{'op':'delete','table':'root','where':"
      "[['name','==','q']]},{'op':'insert','table':'root','uuid':'550e8400-e29b-41d4-a716-446655440000',"
      "'row':{'name':'s'}}]", "'error':'duplicate uuid'", NULL },
    { "found by the index after a change in the same transaction", "['test',{'op':'update','table':'root','where':"
      "[['name','==','r']],'row':{'name':'z'}},{'op':'select','table':'root','where':[['name','==','z']],"
      "'columns':['n']},{'op':'select','table':'root','where':[['name','==','r']],'columns':['n']}]",
      "{'rows':[{'n':5}]},{'rows':[]}", NULL },
};

START_TEST(each_row_is_answered)
{
    struct database *db = test_database();
    free(run(db, setup));
    char *reply = run(db, rows[_i].request);
    char *expected = xstrdup(rows[_i].reply);
    for (char *p = expected; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    ck_assert_msg(strstr(reply, expected), "%s: %s", rows[_i].sentence, reply);
    check_invariants(db);
    char *contents = dump_database(db);
    if (rows[_i].contents) {
        bool absent = rows[_i].contents[0] == '!';
        bool found = strstr(contents, rows[_i].contents + absent);
        ck_assert_msg(found != absent, "%s:\n%s", rows[_i].sentence, contents);
    }
    free(contents);
    free(expected);
    free(reply);
    database_destroy(db);
}
END_TEST

START_TEST(max_rows_is_kept)
{
    struct database *db = test_database();
    for (int i = 0; i < 41; i++) {
        char request[128];
        snprintf(request, sizeof request, "['test',{'op':'insert','table':'root','row':{'name':'%d'}}]", i);
        char *reply = run(db, request);
        ck_assert_msg((strstr(reply, "limit is 40") != NULL) == (i == 40), "%d: %s", i, reply);
        free(reply);
    }
    check_invariants(db);
    free(run(db, "['test',{'op':'delete','table':'root','where':[['name','==','7']]},"
                 "{'op':'insert','table':'root','row':{'name':'new'}}]"));
    ck_assert_uint_eq(database_count_rows(db), 40);
    database_destroy(db);
}
END_TEST

/* Whatever the order of their UUIDs, in which they are looked at. */
START_TEST(a_chain_of_leaves_goes_as_a_whole)
{
    struct database *db = test_database();
    char request[800];
    int order[3] = { _i % 3, (_i + 1 + _i / 3) % 3, (_i + 2 - _i / 3) % 3 };
    snprintf(request, sizeof request,
             "['test',{'op':'insert','table':'leaf','uuid':'%d0000000-0000-4000-8000-000000000000','row':{}},"
             "{'op':'insert','table':'leaf','uuid':'%d0000000-0000-4000-8000-000000000000','row':{'next':"
             "['uuid','%d0000000-0000-4000-8000-000000000000']}},"
             "{'op':'insert','table':'leaf','uuid':'%d0000000-0000-4000-8000-000000000000','row':{'next':"
             "['uuid','%d0000000-0000-4000-8000-000000000000']}},"
             "{'op':'insert','table':'root','row':{'leaves':['set',[['uuid','00000000-0000-4000-8000-000000000000'],"
             "['uuid','10000000-0000-4000-8000-000000000000'],['uuid','20000000-0000-4000-8000-000000000000']]]}}]",
             order[0], order[1], order[0], order[2], order[1]);
    free(run(db, request));
    ck_assert_uint_eq(database_count_rows(db), 4);
    check_invariants(db);
    free(run(db, "['test',{'op':'update','table':'root','where':[],'row':{'leaves':['set',[]]}}]"));
    ck_assert_uint_eq(database_count_rows(db), 1);
    check_invariants(db);
    database_destroy(db);
}
END_TEST

START_TEST(a_wait_waits_until_its_time)
{
    struct database *db = test_database();
    json_t *j = json_loads("[\"test\",{\"op\":\"insert\",\"table\":\"root\",\"row\":{}},{\"op\":\"wait\","
                           "\"table\":\"leaf\",\"where\":[],\"columns\":[],\"until\":\"!=\",\"rows\":[],"
                           "\"timeout\":100}]", 0, NULL);
    struct execute_env env = { .elapsed_ms = 99 };
    struct execute_outcome out;
    execute(db, j, &env, &out);
    ck_assert(out.waiting);
    ck_assert_int_eq(out.timeout_ms, 100);
    ck_assert_ptr_null(out.txn);
    ck_assert_uint_eq(database_count_rows(db), 0);   /* What came before it is not done. */
    text_fini(&out.result);
    env.elapsed_ms = 100;
    execute(db, j, &env, &out);
    ck_assert(!out.waiting);
    ck_assert(strstr(text_str(&out.result), "timed out"));
    text_fini(&out.result);
    json_decref(j);
    database_destroy(db);
}
END_TEST

TCase *execute_tcase(void);
TCase *execute_tcase(void)
{
    TCase *tc = tcase_create("execute");
    tcase_add_loop_test(tc, each_row_is_answered, 0, ARRAY_SIZE(rows));
    tcase_add_test(tc, max_rows_is_kept);
    tcase_add_loop_test(tc, a_chain_of_leaves_goes_as_a_whole, 0, 6);
    tcase_add_test(tc, a_wait_waits_until_its_time);
    return tc;
}
