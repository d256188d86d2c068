/* SPDX-License-Identifier: Apache-2.0 */
/* Flow mods: rows of commands and the rules that are there afterwards; counters, time-outs, errors, groups. */
#include "lib/base/error.h"
#include "lib/openflow/flow_text.h"
#include "lib/sys/clock.h"
#include "tests/unit/ofproto/lab.h"
#include "tests/unit/ofproto/ofproto_tests.h"

#define ADD OFPFC_ADD
#define MOD OFPFC_MODIFY
#define MOD_STRICT OFPFC_MODIFY_STRICT
#define DEL OFPFC_DELETE
#define DEL_STRICT OFPFC_DELETE_STRICT

static void put_rule(const struct rule *r, void *text_)
{
    struct text *t = text_;
    struct match m;
    text_printf(t, "%s%u:%u:%llu:", t->len ? "; " : "", r->table_id, r->priority, (unsigned long long) be64toh(r->cookie));
    minimatch_expand(&r->match, &m);
    match_format(&m, NULL, t);
    text_put_char(t, ':');
    ofacts_format(&r->actions, NULL, t);
}

static void expect_rules(struct lab *l, const char *expected, const char *sentence)
{
    struct ofp_flow_stats_request q = { .table_id = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY };
    match_init_any(&q.match);
    struct text t = TEXT_INIT;
    tables_stats(lab_bridge(l, "br0")->tables, &q, put_rule, &t);
    ck_assert_msg(!strcmp(text_str(&t), expected), "%s: %s instead of %s", sentence, text_str(&t), expected);
    text_fini(&t);
}

struct command { enum ofp_flow_command command; enum ofp_version version; const char *flow; int error; };
static const struct row {
    const char *sentence;
    struct command commands[6];
    const char *rules;
} rows[] = {
    { "add", { { ADD, OFP13, "priority=5,in_port=1,cookie=7,actions=output:2" } }, "0:5:7:in_port=1:output:2" },
    { "the same match and priority replace", { { ADD, OFP13, "priority=5,in_port=1,actions=output:2" },
      { ADD, OFP13, "priority=5,in_port=1,cookie=9,actions=output:3" } }, "0:5:9:in_port=1:output:3" },
    { "another priority does not", { { ADD, OFP13, "priority=5,in_port=1,actions=output:2" },
      { ADD, OFP13, "priority=6,in_port=1,actions=output:3" } }, "0:5:0:in_port=1:output:2; 0:6:0:in_port=1:output:3" },
    { "check_overlap finds a rule of the priority that shares packets", { { ADD, OFP13, "priority=5,in_port=1,actions=output:2" },
      { ADD, OFP13, "priority=5,tcp,check_overlap,actions=output:3", OFPERR_OFPFMFC_OVERLAP } }, "0:5:0:in_port=1:output:2" },
    { "and none of another priority or without common packets", { { ADD, OFP13, "priority=5,in_port=1,actions=output:2" },
      { ADD, OFP13, "priority=6,tcp,check_overlap,actions=output:3" }, { ADD, OFP13, "priority=5,in_port=2,check_overlap,actions=output:3" } },
      "0:5:0:in_port=1:output:2; 0:6:0:tcp:output:3; 0:5:0:in_port=2:output:3" },
    { "modify changes actions of all that it covers, not cookies (1.3)", { { ADD, OFP13, "priority=5,in_port=1,cookie=7,actions=output:2" },
      { ADD, OFP13, "priority=6,in_port=1,tcp,actions=output:2" }, { ADD, OFP13, "in_port=2,actions=output:2" },
      { MOD, OFP13, "in_port=1,actions=output:9" } },
      "0:32768:0:in_port=2:output:2; 0:5:7:in_port=1:output:9; 0:6:0:tcp,in_port=1:output:9" },
    { "modify_strict one alone", { { ADD, OFP13, "priority=5,in_port=1,actions=output:2" }, { ADD, OFP13, "priority=6,in_port=1,actions=output:2" },
      { MOD_STRICT, OFP13, "priority=6,in_port=1,actions=output:9" } }, "0:5:0:in_port=1:output:2; 0:6:0:in_port=1:output:9" },
    { "a modification that finds nothing does nothing in 1.3", { { MOD, OFP13, "in_port=1,actions=output:9" } }, "" },
    { "and adds in 1.0", { { MOD, OFP10, "priority=4,in_port=1,cookie=3,actions=output:9" } }, "0:4:3:in_port=1:output:9" },
    { "1.0 changes the cookie too", { { ADD, OFP10, "in_port=1,cookie=1,actions=output:2" }, { MOD, OFP10, "in_port=1,cookie=3,actions=output:9" } },
      "0:32768:3:in_port=1:output:9" },
    { "delete covers", { { ADD, OFP13, "in_port=1,tcp,actions=output:2" }, { ADD, OFP13, "in_port=2,tcp,actions=output:2" }, { DEL, OFP13, "in_port=1" } },
      "0:32768:0:tcp,in_port=2:output:2" },
    { "delete in one table", { { ADD, OFP13, "table=1,actions=output:2" }, { ADD, OFP13, "table=2,actions=output:2" }, { DEL, OFP13, "table=1" } },
      "2:32768:0::output:2" },
    { "delete in all tables", { { ADD, OFP13, "table=1,actions=output:2" }, { ADD, OFP13, "table=2,actions=output:2" }, { DEL, OFP13, "" } }, "" },
    { "delete by out_port", { { ADD, OFP13, "in_port=1,actions=output:2" }, { ADD, OFP13, "in_port=2,actions=output:3" }, { DEL, OFP13, "out_port=3" } },
      "0:32768:0:in_port=1:output:2" },
    { "delete by cookie", { { ADD, OFP13, "in_port=1,cookie=0x11,actions=output:2" }, { ADD, OFP13, "in_port=2,cookie=0x12,actions=output:3" },
      { DEL, OFP13, "cookie=0x11/-1" } }, "0:32768:18:in_port=2:output:3" },
    { "delete by part of a cookie", { { ADD, OFP13, "in_port=1,cookie=0x11,actions=output:2" }, { ADD, OFP13, "in_port=2,cookie=0x22,actions=output:3" },
      { DEL, OFP13, "cookie=0x10/0x10" } }, "0:32768:34:in_port=2:output:3" },
    { "delete_strict needs the priority", { { ADD, OFP13, "priority=5,in_port=1,actions=output:2" }, { DEL_STRICT, OFP13, "priority=6,in_port=1" } },
      "0:5:0:in_port=1:output:2" },
    { "and does not cover", { { ADD, OFP13, "priority=5,in_port=1,tcp,actions=output:2" }, { DEL_STRICT, OFP13, "priority=5,in_port=1" } },
      "0:5:0:tcp,in_port=1:output:2" },
};

START_TEST(test_rows)
{
    const struct row *row = &rows[_i];
    struct lab *l = lab_create();
    lab_bridge(l, "br0");
    for (size_t i = 0; i < ARRAY_SIZE(row->commands) && row->commands[i].flow; i++) {
        const struct command *c = &row->commands[i];
        ck_assert_int_eq(lab_flow_mod(l, "br0", c->flow, c->command, c->version), c->error);
    }
    expect_rules(l, row->rules, row->sentence);
    lab_destroy(l);
}
END_TEST

static struct rule *only_rule(struct lab *l)
{
    struct fields f;
    memset(&f, 0, sizeof f);
    f.in_port = 1;
    return tables_lookup(lab_bridge(l, "br0")->tables, 0, changes_version(l->changes), &f, NULL, NULL);
}

START_TEST(test_counters)
{
    struct lab *l = lab_create();
    struct ofp_flow_stats s;
    clock_stop();
    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=1,idle_timeout=100,actions=output:2", ADD, OFP13), 0);
    clock_warp(5 * NSEC_PER_SEC);
    rule_credit(only_rule(l), 3, 300, clock_ms());
    clock_warp(2 * NSEC_PER_SEC);
    tables_fill_flow_stats(only_rule(l), clock_ms(), &s);
    ck_assert_uint_eq(s.packets, 3);
    ck_assert_uint_eq(s.duration_s, 7);
    ck_assert_int_eq(s.idle_age_s, 2);

    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=1,actions=output:3", MOD, OFP13), 0);
    tables_fill_flow_stats(only_rule(l), clock_ms(), &s);
    ck_assert_msg(s.packets == 3 && s.duration_s == 7 && s.hard_age_s == 0 && s.idle_timeout == 100, "a modification keeps all but the actions");

    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=1,actions=output:3", ADD, OFP13), 0);
    tables_fill_flow_stats(only_rule(l), clock_ms(), &s);
    ck_assert_msg(s.packets == 3 && s.duration_s == 0, "replacing keeps counters and begins anew (1.3)");
    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=1,reset_counts,actions=output:3", ADD, OFP13), 0);
    ck_assert_uint_eq(only_rule(l)->stats->packets, 0);
    rule_credit(only_rule(l), 3, 300, clock_ms());
    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=1,actions=output:3", ADD, OFP10), 0);
    ck_assert_msg(only_rule(l)->stats->packets == 0, "replacing clears counters (1.0)");
    lab_destroy(l);
}
END_TEST

struct removed { unsigned n; uint8_t reason; };
static void note_removed(const struct rule *r, uint8_t reason, void *removed_)
{
    struct removed *removed = removed_;
    removed->n++;
    removed->reason = reason;
}
static const struct tables_events events = { note_removed };

START_TEST(test_expiry)
{
    struct lab *l = lab_create();
    struct removed removed = { 0, 0 };
    struct view_bridge *b = lab_bridge(l, "br0");
    tables_destroy(b->tables);
    struct tables *t = b->tables = tables_create(l->changes, 1, &events, &removed);
    clock_stop();
    int64_t start = clock_ms();
    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=1,idle_timeout=10,actions=output:2", ADD, OFP13), 0);
    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=2,hard_timeout=30,actions=output:2", ADD, OFP13), 0);
    ck_assert_int_eq(tables_expire(t, clock_ms()), start + 10000);
    clock_warp(9 * NSEC_PER_SEC);
    rule_credit(only_rule(l), 1, 60, clock_ms());
    clock_warp(9 * NSEC_PER_SEC);
    ck_assert_int_eq(tables_expire(t, clock_ms()), start + 19000);
    ck_assert_uint_eq(removed.n, 0);
    clock_warp(NSEC_PER_SEC);
    tables_expire(t, clock_ms());
    ck_assert_msg(removed.n == 1 && removed.reason == OFPRR_IDLE_TIMEOUT && !only_rule(l), "idle");
    clock_warp(11 * NSEC_PER_SEC);
    tables_expire(t, clock_ms());
    ck_assert_msg(removed.n == 2 && removed.reason == OFPRR_HARD_TIMEOUT, "hard");
    ck_assert_uint_eq(tables_n_rules(t), 0);
    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=1,actions=output:2", ADD, OFP13), 0);
    ck_assert_int_eq(lab_flow_mod(l, "br0", "in_port=1,actions=output:3", ADD, OFP13), 0);
    ck_assert_msg(removed.n == 2, "replacing is no removal");
    ck_assert_int_eq(lab_flow_mod(l, "br0", "", DEL, OFP13), 0);
    ck_assert_msg(removed.n == 3 && removed.reason == OFPRR_DELETE, "deletion");
    lab_destroy(l);
}
END_TEST

START_TEST(test_groups)
{
    struct lab *l = lab_create();
    struct tables *t = lab_bridge(l, "br0")->tables;
    lab_rules(l, "br0", "in_port=1,actions=output:2\nin_port=2,actions=output:2");
    static const char *const flows[] = { "in_port=1,actions=output:9", "in_port=7,actions=output:9", "tcp,check_overlap,actions=drop" };
    struct ofp_flow_mod mods[3];
    struct buffer actions[3];
    for (int i = 0; i < 3; i++) {
        buffer_init(&actions[i]);
        ck_assert(!ofp_flow_mod_parse(flows[i], OFPFC_ADD, NULL, OFP14, &mods[i], &actions[i]));
        mods[i].table_id = 0;
    }
    size_t failed;
    uint64_t version = changes_version(l->changes);
    struct error *e = tables_flow_mods(t, mods, 3, OFP14, &failed);
    ck_assert_int_eq(error_code(e), OFPERR_OFPFMFC_OVERLAP);
    ck_assert_uint_eq(failed, 2);
    error_free(e);
    ck_assert_uint_eq(tables_n_rules(t), 2);
    ck_assert_uint_eq(tables_n_rules(t), 2);
    struct fields f;
    memset(&f, 0, sizeof f);
    f.in_port = 7;
    ck_assert(!tables_lookup(t, 0, changes_version(l->changes), &f, NULL, NULL));
    version = changes_version(l->changes);
    ck_assert(!tables_flow_mods(t, mods, 2, OFP14, &failed));
    ck_assert_msg(changes_version(l->changes) == version + 1, "a group is one version");
    expect_rules(l, "0:32768:0:in_port=2:output:2; 0:32768:0:in_port=1:output:9; 0:32768:0:in_port=7:output:9", "both are there");
    for (int i = 0; i < 3; i++) {
        buffer_fini(&actions[i]);
    }
    lab_destroy(l);
}
END_TEST

START_TEST(test_hidden)
{
    struct lab *l = lab_create();
    struct tables *t = lab_bridge(l, "br0")->tables;
    struct match any;
    match_init_any(&any);
    struct buffer b = BUFFER_INIT;
    struct ofact_output *o = ofact_put(&b, OFACT_OUTPUT, sizeof *o);
    o->port = OFPP_NORMAL;
    struct ofact_list normal = ofact_list_of(&b);
    tables_set_hidden(t, &any, &normal, true);
    lab_rules(l, "br0", "priority=65535,actions=output:2");
    expect_rules(l, "0:65535:0::output:2", "hidden rules are not shown");
    ck_assert_uint_eq(tables_n_rules(t), 1);
    ck_assert_msg(only_rule(l)->hidden, "and win over all others");
    lab_rules(l, "br0", "-");
    ck_assert_msg(only_rule(l)->hidden, "and stay when all is deleted");
    uint64_t version = changes_version(l->changes);
    tables_set_hidden(t, &any, &normal, true);
    ck_assert_uint_eq(changes_version(l->changes), version);
    tables_set_hidden(t, &any, &normal, false);
    ck_assert(!only_rule(l));
    buffer_fini(&b);
    lab_destroy(l);
}
END_TEST

START_TEST(test_learn)
{
    struct lab *l = lab_create();
    struct tables *t = lab_bridge(l, "br0")->tables;
    struct buffer b = BUFFER_INIT;
    struct ofp_flow_mod fm;
    clock_stop();
    ck_assert(!ofp_flow_mod_parse("in_port=1,cookie=4,hard_timeout=10,actions=output:2", OFPFC_ADD, NULL, OFP13, &fm, &b));
    fm.table_id = 0;
    ck_assert(!tables_learn(t, &fm));
    expect_rules(l, "0:32768:4:in_port=1:output:2", "learnt");
    clock_warp(9 * NSEC_PER_SEC);
    uint64_t version = changes_version(l->changes);
    ck_assert(!tables_learn(t, &fm));
    ck_assert_msg(changes_version(l->changes) == version, "the same again is no change");
    clock_warp(9 * NSEC_PER_SEC);
    tables_expire(t, clock_ms());
    ck_assert_msg(tables_n_rules(t) == 1, "but begins the time-out anew");
    buffer_fini(&b);
    lab_destroy(l);
}
END_TEST

START_TEST(test_all_bits)
{
    struct lab *l = lab_create();
    struct fields bits;
    memset(&bits, 0, sizeof bits);
    lab_rules(l, "br0", "table=3,in_port=1,dl_dst=02:00:00:00:00:01,actions=drop\ntcp,nw_dst=10.0.0.0/8,actions=drop");
    tables_all_bits(lab_bridge(l, "br0")->tables, &bits);
    ck_assert_uint_eq(bits.key.l3.ip4_dst, htobe32(0xff000000));
    ck_assert(bits.key.l2.dst.b[5] == 0xff && bits.key.l3.proto == 0xff && !bits.key.l2.src.b[0] && bits.in_port == UINT32_MAX);
    lab_destroy(l);
}
END_TEST

TCase *flow_mod_tcase(void)
{
    TCase *t = tcase_create("flow mod");
    tcase_add_loop_test(t, test_rows, 0, ARRAY_SIZE(rows));
    tcase_add_test(t, test_counters);
    tcase_add_test(t, test_expiry);
    tcase_add_test(t, test_groups);
    tcase_add_test(t, test_hidden);
    tcase_add_test(t, test_learn);
    tcase_add_test(t, test_all_bits);
    return t;
}
