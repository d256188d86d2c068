/* SPDX-License-Identifier: Apache-2.0 */
/* Flows from text and to text. */
#include "tests/unit/lib/openflow/openflow_tests.h"

/* A flow, and the flow mod's text. */
static const struct { const char *in, *out; } rows[] = {
    { "actions=drop", "ADD actions=drop" },
    { "in_port=1 actions=output:2", "ADD in_port=1 actions=output:2" },
    { "table=3, priority=7, ip, nw_dst=10.0.0.1, actions=LOCAL", "ADD table:3 priority=7,ip,nw_dst=10.0.0.1 actions=LOCAL" },
    { "cookie=0x5,idle_timeout=1,hard_timeout=2,importance=3,send_flow_rem,check_overlap,actions=1",
      "ADD cookie:0x5 idle:1 hard:2 importance:3 send_flow_rem check_overlap actions=output:1" },
    { "reset_counts no_packet_counts no_byte_counts actions=1",
      "ADD reset_counts no_packet_counts no_byte_counts actions=output:1" },
    /* As dump-flows printed it. */
    { " cookie=0x1, duration=3.5s, table=1, n_packets=3, n_bytes=4, idle_age=5, priority=5,tcp,tp_dst=80 actions=NORMAL",
      "ADD table:1 priority=5,tcp,tp_dst=80 cookie:0x1 actions=NORMAL" },
    { "priority=65535,actions=resubmit(1,2),learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])",
      "ADD priority=65535 actions=resubmit(1,2),learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])" },
};

START_TEST(flows)
{
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT;
    struct text t = TEXT_INIT;
    MUST(ofp_flow_mod_parse(rows[_i].in, OFPFC_ADD, NULL, OFP15, &fm, &actions));
    ofp_flow_mod_format(&fm, NULL, &t);
    ck_assert_str_eq(text_str(&t), rows[_i].out);
    text_fini(&t);
    buffer_fini(&actions);
}
END_TEST

static const struct { const char *in; enum ofp_flow_command command; const char *word; } bad[] = {
    { "ip", OFPFC_ADD, "actions" }, { "actions=1", OFPFC_DELETE, "deletions" }, { "prioriti=5,actions=1", OFPFC_ADD, "\"priority\"" },
    { "nw_dts=1.2.3.4,actions=1", OFPFC_ADD, "did you mean" }, { "table=256,actions=1", OFPFC_ADD, "255" },
    { "priority=65536,actions=1", OFPFC_ADD, "65535" }, { "priority,actions=1", OFPFC_ADD, "priority=" },
    { "cookie=x,actions=1", OFPFC_ADD, "cookie" }, { "cookie=1/2,actions=1", OFPFC_ADD, "mask" },
    { "tp_dst=80,actions=1", OFPFC_ADD, "tp_dst" }, { "ip,tp_dst=80,actions=1", OFPFC_ADD, "tp_dst" },
    { "nw_dst=1.2.3.4,actions=1", OFPFC_ADD, "nw_dst" }, { "ip,nw_dst=1.2.3.400,actions=1", OFPFC_ADD, "1.2.3.400" },
    { "table=3,actions=goto_table:2", OFPFC_ADD, "goto_table" }, { "buffer_id=5,actions=1", OFPFC_ADD, "buffer_id" },
    { "actions=set_field:1.2.3.4->ip_src", OFPFC_ADD, "ip_src" }, { "out_port=nosuch", OFPFC_DELETE, "nosuch" },
    { "actions=output:0", OFPFC_ADD, "port 0" }, { "in_port=70000,actions=1", OFPFC_ADD, "70000" },
};

START_TEST(bad_flows)
{
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT;
    struct error *error = ofp_flow_mod_parse(bad[_i].in, bad[_i].command, NULL, OFP13, &fm, &actions);
    ck_assert_msg(error != NULL, "%s is accepted", bad[_i].in);
    ck_assert_msg(strstr(error_text(error), bad[_i].word) != NULL, "%s: \"%s\" lacks \"%s\"", bad[_i].in, error_text(error),
                  bad[_i].word);
    error_free(error);
    buffer_fini(&actions);
}
END_TEST

START_TEST(commands_and_cookies)
{
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT;
    MUST(ofp_flow_mod_parse("", OFPFC_DELETE, NULL, OFP13, &fm, &actions));
    ck_assert_uint_eq(fm.table_id, OFPTT_ALL);
    ck_assert_uint_eq(fm.out_port, OFPP_ANY);
    MUST(ofp_flow_mod_parse("cookie=0x10/0xf0,out_port=3", OFPFC_DELETE, NULL, OFP13, &fm, &actions));
    ck_assert_uint_eq(fm.cookie, htobe64(0x10));
    ck_assert_uint_eq(fm.cookie_mask, htobe64(0xf0));
    ck_assert_uint_eq(fm.out_port, 3);
    MUST(ofp_flow_mod_parse("cookie=0x10/-1", OFPFC_DELETE, NULL, OFP13, &fm, &actions));
    ck_assert_uint_eq(fm.cookie_mask, UINT64_MAX);
    MUST(ofp_flow_mod_parse("cookie=5,actions=1", OFPFC_MODIFY, NULL, OFP10, &fm, &actions));
    ck_assert(fm.modify_cookie);
    ck_assert_uint_eq(fm.new_cookie, htobe64(5));
    ck_assert_uint_eq(fm.table_id, OFPTT_ALL);
    MUST(ofp_flow_mod_parse("actions=1", OFPFC_MODIFY, NULL, OFP10, &fm, &actions));
    ck_assert(!fm.modify_cookie);
    ck_assert_uint_eq(fm.new_cookie, UINT64_MAX);
    struct ofp_flow_stats_request q;
    MUST(ofp_flow_stats_request_parse("table=3,ip,cookie=0x5/0xf,out_port=9,out_group=8", true, NULL, &q));
    ck_assert(q.aggregate && q.table_id == 3 && q.out_port == 9 && q.out_group == 8 && q.cookie == htobe64(5));
    ck_assert_int_ne(code_of(ofp_flow_stats_request_parse("priority=3", false, NULL, &q)), 0);
    buffer_fini(&actions);
}
END_TEST

START_TEST(versions_needed)
{
    static const struct { const char *text; enum ofp_version version; bool nxm; } needs[] = {
        { "actions=1", OFP10, false }, { "tcp,nw_dst=10.0.0.0/8,tp_dst=80,actions=mod_vlan_vid:3", OFP10, false },
        { "ipv6,actions=1", OFP10, false }, { "reg0=5,actions=1", OFP10, true }, { "actions=goto_table:3", OFP13, false },
        { "actions=push_vlan:0x8100", OFP13, false }, { "importance=3,actions=1", OFP14, false },
        { "actions=write_actions(output:1)", OFP13, false }, { "no_packet_counts,actions=1", OFP13, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        struct ofp_flow_mod fm;
        struct buffer actions = BUFFER_INIT;
        bool nxm;
        make_flow(needs[i].text, OFP15, &fm, &actions);
        ck_assert_msg(ofp_flow_mod_version(&fm, &nxm) == needs[i].version && nxm == needs[i].nxm, "%s", needs[i].text);
        buffer_fini(&actions);
    }
}
END_TEST

START_TEST(dump_line)
{
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT;
    struct text t = TEXT_INIT;
    make_flow("tcp,tp_dst=80,actions=NORMAL", OFP13, &fm, &actions);
    struct ofp_flow_stats s = { .match = fm.match, .cookie = 0, .table_id = 1, .priority = 7, .idle_timeout = 3,
                                .hard_timeout = 4, .flags = OFPFF_SEND_FLOW_REM, .importance = 5, .duration_s = 12,
                                .duration_ns = 340 * 1000 * 1000, .idle_age_s = 2, .hard_age_s = -1, .packets = 8, .bytes = 9,
                                .actions = fm.actions };
    ofp_flow_stats_format(&s, NULL, true, &t);
    ck_assert_str_eq(text_str(&t), " cookie=0x0, duration=12.34s, table=1, n_packets=8, n_bytes=9, idle_timeout=3, "
                     "hard_timeout=4, send_flow_rem importance=5, idle_age=2, priority=7,tcp,tp_dst=80 actions=NORMAL");
    text_clear(&t);
    ofp_flow_stats_format(&s, NULL, false, &t);
    ck_assert_str_eq(text_str(&t), " table=1, idle_timeout=3, hard_timeout=4, send_flow_rem importance=5, "
                     "priority=7,tcp,tp_dst=80 actions=NORMAL");
    text_fini(&t);
    buffer_fini(&actions);
}
END_TEST

TCase *flow_text_tcase(void)
{
    TCase *t = tcase_create("flow text");
    tcase_add_loop_test(t, flows, 0, ARRAY_SIZE(rows));
    tcase_add_loop_test(t, bad_flows, 0, ARRAY_SIZE(bad));
    tcase_add_test(t, commands_and_cookies);
    tcase_add_test(t, versions_needed);
    tcase_add_test(t, dump_line);
    return t;
}
