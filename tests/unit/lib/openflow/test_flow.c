/* SPDX-License-Identifier: Apache-2.0 */
/* Flow mods, flow removed and statistics over the wire. */
#include "tests/unit/lib/openflow/openflow_tests.h"

static void header_of(const struct buffer *b, struct ofp_header *h)
{
    MUST(ofp_decode_header(b->data, b->len, h));
}

START_TEST(flow_mods_come_back)
{
    static const char *const texts[] = {
        "priority=5,cookie=0x77,idle_timeout=3,hard_timeout=4,send_flow_rem,check_overlap,tcp,tp_dst=80,actions=output:1",
        "table=3,in_port=2,actions=resubmit(,9)", "ipv6,ipv6_src=fe80::1,actions=NORMAL", "actions=drop",
    };
    for (size_t n = 0; n < ARRAY_SIZE(texts); n++) {
        for (int i = 0; i < N_VERSIONS; i++) {
            enum ofp_version v = all_versions[i];
            for (int command = OFPFC_ADD; command <= OFPFC_DELETE_STRICT; command++) {
                for (int nxm = 0; nxm < 2; nxm++) {
                    struct buffer a = BUFFER_INIT, b = BUFFER_INIT, actions = BUFFER_INIT, again = BUFFER_INIT;
                    struct ofp_flow_mod fm, back;
                    struct ofp_header h;
                    make_flow(texts[n], v, &fm, &a);
                    if (v == OFP10 && !nxm && !ofp_match_fits_10(&fm.match)) {
                        buffer_fini(&a);
                        continue;
                    }
                    fm.command = command;
                    fm.table_in_command = v == OFP10;
                    if (command >= OFPFC_DELETE) {
                        fm.out_port = 7;
                        fm.actions = (struct ofact_list) { NULL, 0 };
                    }
                    ofp_encode_flow_mod(&b, &fm, v, nxm, 0x55);
                    header_of(&b, &h);
                    ck_assert_int_eq(h.msg, v == OFP10 && nxm ? OFPMSG_NXT_FLOW_MOD : OFPMSG_FLOW_MOD);
                    MUST(ofp_decode_flow_mod_with_table(&h, &back, &actions));
                    ck_assert(match_equal(&fm.match, &back.match));
                    ck_assert_uint_eq(fm.priority, back.priority);
                    ck_assert_uint_eq(fm.table_id, back.table_id);
                    ck_assert_int_eq(back.command, command);
                    ck_assert_uint_eq(fm.idle_timeout, back.idle_timeout);
                    ck_assert_uint_eq(fm.hard_timeout, back.hard_timeout);
                    ck_assert_uint_eq(back.new_cookie, v > OFP10 && command != OFPFC_ADD ? UINT64_MAX : fm.new_cookie);
                    ck_assert_uint_eq(fm.out_port, back.out_port);
                    ck_assert_uint_eq(back.flags & 3, fm.flags & 3);
                    ck_assert_int_eq(!!(back.flags & OFPFF_RESET_COUNTS), v == OFP10 && command == OFPFC_ADD);
                    back.flags &= ~OFPFF_RESET_COUNTS;
                    ofp_encode_flow_mod(&again, &back, v, nxm, 0x55);
                    ck_assert_uint_eq(again.len, b.len);
                    ck_assert_mem_eq(again.data, b.data, b.len);
                    buffer_fini(&a);
                    buffer_fini(&b);
                    buffer_fini(&actions);
                    buffer_fini(&again);
                }
            }
        }
    }
}
END_TEST

/* What in a good 1.3 or 1.0 flow mod is changed, and the code it is refused with. */
static const struct { enum ofp_version v; unsigned at; const char *hex; int code; } changes[] = {
    { OFP13, 25, "05", OFPERR_OFPFMFC_BAD_COMMAND },
    { OFP13, 44, "0020", OFPERR_OFPFMFC_BAD_FLAGS },
    { OFP13, 24, "ff", OFPERR_OFPFMFC_BAD_TABLE_ID },
    { OFP13, 36, "0000ff80", OFPERR_OFPBAC_BAD_OUT_PORT },
    { OFP13, 48, "0000", OFPERR_OFPBMC_BAD_TYPE },
    { OFP13, 50, "0003", OFPERR_OFPBMC_BAD_LEN },
    { OFP13, 50, "ffff", OFPERR_OFPBMC_BAD_LEN },
    { OFP13, 56, "0063", OFPERR_OFPBIC_UNKNOWN_INST },
    { OFP13, 58, "0004", OFPERR_OFPBIC_BAD_LEN },
    { OFP10, 57, "05", OFPERR_OFPFMFC_BAD_COMMAND },
    { OFP10, 71, "04", OFPERR_OFPFMFC_TABLE_FULL },       /* An emergency rule. */
    { OFP10, 71, "08", OFPERR_OFPFMFC_BAD_FLAGS },
    { OFP10, 72, "0063", OFPERR_OFPBAC_BAD_TYPE },
    { OFP10, 74, "0004", OFPERR_OFPBAC_BAD_LEN },
};

START_TEST(bad_flow_mods)
{
    struct buffer a = BUFFER_INIT, b = BUFFER_INIT, actions = BUFFER_INIT;
    struct ofp_flow_mod fm;
    struct ofp_header h;
    uint8_t bytes[8];
    make_flow("actions=output:1", changes[_i].v, &fm, &a);
    ofp_encode_flow_mod(&b, &fm, changes[_i].v, false, 1);
    size_t n = parse_hex(changes[_i].hex, bytes, sizeof bytes);
    memcpy(b.data + changes[_i].at, bytes, n);
    header_of(&b, &h);
    ck_assert_int_eq(code_of(ofp_decode_flow_mod(&h, &fm, &actions)), changes[_i].code);
    buffer_fini(&a);
    buffer_fini(&b);
    buffer_fini(&actions);
}
END_TEST

START_TEST(defaults_of_1_0)
{
    struct buffer a = BUFFER_INIT, b = BUFFER_INIT, actions = BUFFER_INIT;
    struct ofp_flow_mod fm, back;
    struct ofp_header h;
    make_flow("actions=output:1", OFP10, &fm, &a);
    ofp_encode_flow_mod(&b, &fm, OFP10, false, 1);
    header_of(&b, &h);
    MUST(ofp_decode_flow_mod(&h, &back, &actions));
    ck_assert_uint_eq(back.table_id, 0);
    ck_assert(back.modify_cookie);
    buffer_clear(&b);
    fm.command = OFPFC_DELETE;
    ofp_encode_flow_mod(&b, &fm, OFP10, false, 1);
    header_of(&b, &h);
    MUST(ofp_decode_flow_mod(&h, &back, &actions));
    ck_assert_uint_eq(back.table_id, OFPTT_ALL);
    ck_assert_uint_eq(back.actions.len, 0);
    /* A match without wildcards stands above all others. */
    memset(b.data + 8, 0, 4);
    header_of(&b, &h);
    MUST(ofp_decode_flow_mod(&h, &back, &actions));
    ck_assert_uint_eq(back.priority, 65535);
    /* Nicira: an added rule is not chosen by cookie. */
    buffer_clear(&b);
    fm.command = OFPFC_MODIFY;
    fm.cookie = htobe64(5);
    fm.cookie_mask = UINT64_MAX;
    ofp_encode_flow_mod(&b, &fm, OFP10, true, 1);
    header_of(&b, &h);
    MUST(ofp_decode_flow_mod(&h, &back, &actions));
    ck_assert_uint_eq(back.cookie, htobe64(5));
    b.data[25] = OFPFC_ADD;
    header_of(&b, &h);
    ck_assert_int_eq(code_of(ofp_decode_flow_mod(&h, &back, &actions)), OFPERR_NXBRC_NXM_INVALID);
    buffer_fini(&a);
    buffer_fini(&b);
    buffer_fini(&actions);
}
END_TEST

START_TEST(cookies_of_later_versions)
{
    for (int i = 1; i < N_VERSIONS; i++) {
        struct buffer a = BUFFER_INIT, b = BUFFER_INIT, actions = BUFFER_INIT;
        struct ofp_flow_mod fm, back;
        struct ofp_header h;
        make_flow("cookie=5,importance=9,actions=output:1", all_versions[i], &fm, &a);
        ofp_encode_flow_mod(&b, &fm, all_versions[i], false, 1);
        header_of(&b, &h);
        MUST(ofp_decode_flow_mod(&h, &back, &actions));
        ck_assert_uint_eq(back.new_cookie, htobe64(5));
        ck_assert_uint_eq(back.cookie_mask, 0);
        ck_assert_uint_eq(back.importance, all_versions[i] >= OFP14 ? 9 : 0);
        buffer_clear(&b);
        fm.command = OFPFC_MODIFY;
        fm.cookie = htobe64(4);
        fm.cookie_mask = htobe64(7);
        ofp_encode_flow_mod(&b, &fm, all_versions[i], false, 1);
        header_of(&b, &h);
        MUST(ofp_decode_flow_mod(&h, &back, &actions));
        ck_assert_uint_eq(back.cookie, htobe64(4));
        ck_assert_uint_eq(back.cookie_mask, htobe64(7));
        ck_assert_uint_eq(back.new_cookie, UINT64_MAX);
        buffer_fini(&a);
        buffer_fini(&b);
        buffer_fini(&actions);
    }
}
END_TEST

START_TEST(statistics_in_parts)
{
    /* More rules than one message holds: each part is at most 64 KB, all but the last say MORE, none is lost. */
    enum { N = 2000 };
    for (int i = 0; i < N_VERSIONS; i++) {
        for (int nxm = 0; nxm < (all_versions[i] == OFP10 ? 2 : 1); nxm++) {
            struct buffer a = BUFFER_INIT, b = BUFFER_INIT, actions = BUFFER_INIT;
            struct ofp_flow_mod fm;
            struct ofp_multipart m;
            make_flow("tcp,nw_dst=10.0.0.1,tp_dst=80,actions=output:1,output:2,output:3", all_versions[i], &fm, &a);
            ofp_multipart_begin(&m, &b, nxm ? OFPMSG_NXST_FLOW_REPLY : OFPMSG_FLOW_STATS_REPLY, all_versions[i], 7);
            for (unsigned n = 0; n < N; n++) {
                struct ofp_flow_stats s = { .match = fm.match, .cookie = htobe64(n), .table_id = n % 255, .priority = n,
                                            .idle_timeout = 1, .hard_timeout = 2, .duration_s = n, .duration_ns = 4,
                                            .idle_age_s = n, .hard_age_s = -1, .packets = n, .bytes = 2 * n,
                                            .importance = 3, .flags = OFPFF_SEND_FLOW_REM, .actions = fm.actions };
                ofp_put_flow_stats(&m, &s);
            }
            ofp_multipart_end(&m);
            unsigned n = 0, parts = 0;
            for (size_t at = 0; at < b.len; parts++) {
                size_t length = ofp_message_length(b.data + at);
                struct ofp_header h;
                MUST(ofp_decode_header(b.data + at, length, &h));
                ck_assert_uint_eq(h.xid, 7);
                ck_assert_int_eq(h.more, at + length < b.len);
                struct reader r = reader_of(h.body, h.body_len);
                for (;;) {
                    struct ofp_flow_stats s;
                    bool end;
                    MUST(ofp_next_flow_stats(&h, &r, &s, &actions, &end));
                    if (end) {
                        break;
                    }
                    ck_assert_uint_eq(s.packets, n);
                    ck_assert_uint_eq(s.bytes, 2 * n);
                    ck_assert_uint_eq(be64toh(s.cookie), n);
                    ck_assert_uint_eq(s.priority, n);
                    ck_assert_uint_eq(s.duration_s, n);
                    ck_assert(match_equal(&s.match, &fm.match));
                    ck_assert(ofact_list_equal(&s.actions, &fm.actions));
                    if (nxm || all_versions[i] == OFP15) {
                        ck_assert_int_eq(s.idle_age_s, n);
                    } else {
                        ck_assert_int_eq(s.idle_age_s, -1);
                    }
                    ck_assert_uint_eq(s.flags, all_versions[i] == OFP10 ? 0 : OFPFF_SEND_FLOW_REM);
                    ck_assert_uint_eq(s.importance, all_versions[i] >= OFP14 ? 3 : 0);
                    n++;
                }
                at += length;
            }
            ck_assert_uint_eq(n, N);
            ck_assert_uint_gt(parts, 1);
            buffer_fini(&a);
            buffer_fini(&b);
            buffer_fini(&actions);
        }
    }
}
END_TEST

START_TEST(requests_and_removed)
{
    for (int i = 0; i < N_VERSIONS; i++) {
        enum ofp_version v = all_versions[i];
        for (int nxm = 0; nxm < 2; nxm++) {
            struct buffer b = BUFFER_INIT;
            struct ofp_header h;
            struct match m;
            match_init_any(&m);
            MUST(match_parse("ip,nw_src=10.0.0.0/8", NULL, &m));
            for (int aggregate = 0; aggregate < 2; aggregate++) {
                struct ofp_flow_stats_request back, q = { .aggregate = aggregate, .match = m, .cookie = htobe64(1),
                    .cookie_mask = htobe64(3), .out_port = 9, .out_group = OFPG_ANY, .table_id = 4 };
                buffer_clear(&b);
                ofp_encode_flow_stats_request(&b, &q, v, nxm, 3);
                header_of(&b, &h);
                MUST(ofp_decode_flow_stats_request(&h, &back));
                ck_assert(match_equal(&m, &back.match));
                ck_assert_int_eq(back.aggregate, aggregate);
                ck_assert_uint_eq(back.out_port, 9);
                ck_assert_uint_eq(back.table_id, 4);
                if (v > OFP10 || nxm) {
                    ck_assert_uint_eq(back.cookie, htobe64(1));
                    ck_assert_uint_eq(back.cookie_mask, htobe64(3));
                }
                if (aggregate) {
                    struct ofp_aggregate_stats s = { 11, 12, 13 }, s_back;
                    struct buffer r = BUFFER_INIT;
                    struct ofp_header rh;
                    ofp_encode_aggregate_reply(&r, &s, &h);
                    header_of(&r, &rh);
                    ck_assert_int_eq(rh.msg, ofp_reply_of(h.msg));
                    MUST(ofp_decode_aggregate_reply(&rh, &s_back));
                    ck_assert_uint_eq(s_back.packets, 11);
                    ck_assert_uint_eq(s_back.bytes, 12);
                    ck_assert_uint_eq(s_back.n_flows, 13);
                    buffer_fini(&r);
                }
            }
            struct ofp_flow_removed f = { .match = m, .cookie = 5, .priority = 6, .reason = OFPRR_IDLE_TIMEOUT, .table_id = 7,
                                          .duration_s = 8, .duration_ns = 9, .idle_timeout = 10, .packets = 11, .bytes = 12 }, fb;
            buffer_clear(&b);
            ofp_encode_flow_removed(&b, &f, v, nxm);
            header_of(&b, &h);
            MUST(ofp_decode_flow_removed(&h, &fb));
            ck_assert(match_equal(&m, &fb.match));
            ck_assert_uint_eq(fb.cookie, 5);
            ck_assert_uint_eq(fb.priority, 6);
            ck_assert_uint_eq(fb.packets, 11);
            ck_assert_uint_eq(fb.bytes, 12);
            ck_assert_uint_eq(fb.duration_s, 8);
            ck_assert_uint_eq(fb.idle_timeout, 10);
            ck_assert_uint_eq(fb.table_id, v == OFP10 && !nxm ? 255 : 7);
            buffer_clear(&b);
            f.reason = OFPRR_GROUP_DELETE;
            ofp_encode_flow_removed(&b, &f, v, nxm);
            header_of(&b, &h);
            MUST(ofp_decode_flow_removed(&h, &fb));
            ck_assert_uint_eq(fb.reason, v >= OFP14 ? OFPRR_GROUP_DELETE : OFPRR_DELETE);
            buffer_fini(&b);
        }
    }
}
END_TEST

TCase *flow_tcase(void)
{
    TCase *t = tcase_create("flow");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, flow_mods_come_back);
    tcase_add_loop_test(t, bad_flow_mods, 0, ARRAY_SIZE(changes));
    tcase_add_test(t, defaults_of_1_0);
    tcase_add_test(t, cookies_of_later_versions);
    tcase_add_test(t, statistics_in_parts);
    tcase_add_test(t, requests_and_removed);
    return t;
}
