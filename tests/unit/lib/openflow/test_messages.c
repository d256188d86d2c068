/* SPDX-License-Identifier: Apache-2.0 */
/* All other messages over the wire, in every version. */
#include "lib/openflow/wire.h"
#include "tests/unit/lib/openflow/openflow_tests.h"

static void header_of(const struct buffer *b, struct ofp_header *h)
{
    MUST(ofp_decode_header(b->data, b->len, h));
}

START_TEST(ports)
{
    enum ofp_version v = all_versions[_i];
    struct ofp_phy_port p = { .port_no = OFPP_LOCAL, .hw_addr = { { 2, 0, 0, 0, 0, 3 } }, .name = "a-name-of-15-by",
        .config = OFPPC_PORT_DOWN | OFPPC_NO_PACKET_IN, .state = OFPPS_LINK_DOWN, .curr = 1 << 6 | 1 << 12, .advertised = 1 << 5,
        .supported = 1 << 11 | 1 << 15, .peer = 1, .curr_speed = 10000000, .max_speed = 10000000 }, back;
    struct buffer b = BUFFER_INIT;
    struct ofp_header h;
    uint8_t reason;
    ofp_encode_port_status(&b, OFPPR_DELETE, &p, v);
    header_of(&b, &h);
    MUST(ofp_decode_port_status(&h, &reason, &back));
    ck_assert_uint_eq(reason, OFPPR_DELETE);
    if (v == OFP10) {
        back.curr_speed = back.max_speed = 10000000;   /* Not said there. */
    }
    ck_assert(p.port_no == back.port_no && eth_addr_equal(p.hw_addr, back.hw_addr) && !strcmp(p.name, back.name));
    ck_assert_mem_eq(&p.config, &back.config, sizeof p - offsetof(struct ofp_phy_port, config));
    b.data[8] = 3;
    ck_assert_int_eq(code_of(ofp_decode_port_status(&h, &reason, &back)), OFPERR_NXBRC_BAD_REASON);

    struct ofp_port_mod m = { .port_no = 5, .hw_addr = p.hw_addr, .config = OFPPC_NO_FWD, .mask = OFPPC_NO_FWD | OFPPC_PORT_DOWN,
                              .advertise = 1 << 12 }, mb;
    buffer_clear(&b);
    ofp_encode_port_mod(&b, &m, v, 1);
    header_of(&b, &h);
    MUST(ofp_decode_port_mod(&h, &mb));
    ck_assert(m.port_no == mb.port_no && eth_addr_equal(m.hw_addr, mb.hw_addr) && m.config == mb.config
              && m.mask == mb.mask && m.advertise == mb.advertise);
    b.data[8 + (v == OFP10 ? 12 : 20)] = 0x80;   /* A mask of something unknown. */
    ck_assert_int_eq(code_of(ofp_decode_port_mod(&h, &mb)), OFPERR_OFPPMFC_BAD_CONFIG);

    struct ofp_features f = { .datapath_id = 0x0102030405060708, .n_buffers = 256, .n_tables = 255, .capabilities = 0x47,
                              .actions = 0xfff, .ports = &p, .n_ports = 1 }, fb;
    buffer_clear(&b);
    ofp_encode_features_reply(&b, &f, v, 1);
    header_of(&b, &h);
    MUST(ofp_decode_features_reply(&h, &fb));
    ck_assert_uint_eq(fb.datapath_id, f.datapath_id);
    ck_assert_uint_eq(fb.n_tables, 255);
    ck_assert_uint_eq(fb.capabilities, 0x47);
    ck_assert_uint_eq(fb.n_ports, v == OFP10);
    free(fb.ports);
    buffer_fini(&b);
}
END_TEST

START_TEST(port_replies)
{
    enum ofp_version v = all_versions[_i];
    struct buffer b = BUFFER_INIT;
    struct ofp_header h;
    struct ofp_multipart m;
    struct ofp_port_stats s = { 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, UINT64_MAX, 13, 14 }, back;
    ofp_multipart_begin(&m, &b, OFPMSG_PORT_STATS_REPLY, v, 1);
    ofp_put_port_stats(&m, &s);
    ofp_put_port_stats(&m, &s);
    ofp_multipart_end(&m);
    header_of(&b, &h);
    struct reader r = reader_of(h.body, h.body_len);
    bool end;
    for (int i = 0; i < 2; i++) {
        MUST(ofp_next_port_stats(&h, &r, &back, &end));
        ck_assert(!end);
        if (v == OFP10) {
            back.duration_s = 13;
            back.duration_ns = 14;
        }
        ck_assert_uint_eq(s.port_no, back.port_no);
        ck_assert_mem_eq(&s.rx_packets, &back.rx_packets, sizeof s - offsetof(struct ofp_port_stats, rx_packets));
    }
    MUST(ofp_next_port_stats(&h, &r, &back, &end));
    ck_assert(end);

    enum ofp_msg requests[] = { OFPMSG_PORT_STATS_REQUEST, OFPMSG_PORT_DESC_REQUEST };
    for (int i = 0; i < 2; i++) {
        ofp_port port;
        buffer_clear(&b);
        ofp_encode_port_request(&b, requests[i], 5, v, 1);
        header_of(&b, &h);
        MUST(ofp_decode_port_request(&h, &port));
        ck_assert_uint_eq(port, i == 1 && v < OFP15 ? OFPP_ANY : 5);
    }
    buffer_fini(&b);
}
END_TEST

START_TEST(tables)
{
    enum ofp_version v = all_versions[_i];
    struct buffer b = BUFFER_INIT;
    struct ofp_header h;
    struct ofp_multipart m;
    bool end;
    ofp_multipart_begin(&m, &b, OFPMSG_TABLE_STATS_REPLY, v, 1);
    for (int i = 0; i < 255; i++) {
        struct ofp_table_stats s = { .table_id = i, .name = "t", .max_entries = 9, .n_active = i, .n_lookups = 2 * i,
                                     .n_matched = 3 * i };
        ofp_put_table_stats(&m, &s);
    }
    ofp_multipart_end(&m);
    header_of(&b, &h);
    struct reader r = reader_of(h.body, h.body_len);
    for (int i = 0; i < 255; i++) {
        struct ofp_table_stats s;
        MUST(ofp_next_table_stats(&h, &r, &s, &end));
        ck_assert(!end && s.table_id == i && s.n_active == i && s.n_lookups == 2 * i && s.n_matched == 3 * i);
    }
    buffer_clear(&b);
    if (v >= OFP13) {
        ofp_multipart_begin(&m, &b, OFPMSG_TABLE_FEATURES_REPLY, v, 1);
        for (int i = 0; i < 255; i++) {
            struct ofp_table_features f = { .table_id = i, .name = "name", .metadata_match = 1, .metadata_write = 2, .config = 0,
                                            .max_entries = 100 };
            ofp_put_table_features(&m, &f);
        }
        ofp_multipart_end(&m);
        int n = 0;
        for (size_t at = 0; at < b.len; at += ofp_message_length(b.data + at)) {
            MUST(ofp_decode_header(b.data + at, ofp_message_length(b.data + at), &h));
            r = reader_of(h.body, h.body_len);
            struct ofp_table_features f;
            for (;;) {
                MUST(ofp_next_table_features(&h, &r, &f, &end));
                if (end) {
                    break;
                }
                ck_assert(f.table_id == n && f.max_entries == 100 && f.metadata_match == 1 && !strcmp(f.name, "name"));
                n++;
            }
        }
        ck_assert_int_eq(n, 255);
    }
    buffer_fini(&b);
}
END_TEST

START_TEST(settings)
{
    enum ofp_version v = all_versions[_i];
    struct buffer b = BUFFER_INIT;
    struct ofp_header h;
    struct ofp_switch_config c = { 1, 0xffff }, cb;
    ofp_encode_config(&b, OFPMSG_SET_CONFIG, &c, v, 1);
    header_of(&b, &h);
    MUST(ofp_decode_config(&h, &cb));
    ck_assert(cb.flags == 1 && cb.miss_send_len == 0xffff);
    b.data[9] = 0x10;
    ck_assert_int_eq(code_of(ofp_decode_config(&h, &cb)), OFPERR_OFPSCFC_BAD_FLAGS);

    struct ofp_header request = { .msg = OFPMSG_DESC_STATS_REQUEST, .version = v, .xid = 4 };
    struct ofp_desc d = { .mfr = "maker", .hw = "hardware", .sw = "software", .serial = "serial", .dp = "name" }, db;
    memset(d.dp, 'x', 256);
    buffer_clear(&b);
    ofp_encode_desc_reply(&b, &d, &request);
    header_of(&b, &h);
    MUST(ofp_decode_desc_reply(&h, &db));
    ck_assert_str_eq(db.mfr, "maker");
    ck_assert_str_eq(db.serial, "serial");
    ck_assert_uint_eq(strlen(db.dp), 255);

    static const struct { enum ofp_msg msg; uint16_t good, bad; int code; } nx[] = {
        { OFPMSG_NXT_SET_FLOW_FORMAT, 2, 1, OFPERR_OFPBRC_EPERM }, { OFPMSG_NXT_FLOW_MOD_TABLE_ID, 1, 2, OFPERR_OFPBRC_EPERM },
        { OFPMSG_NXT_SET_PACKET_IN_FORMAT, 2, 3, OFPERR_OFPBRC_EPERM }, { OFPMSG_NXT_SET_CONTROLLER_ID, 65535, 1, 0 },
    };
    for (size_t i = v > OFP10; i < ARRAY_SIZE(nx); i++) {   /* The flow format is 1.0's. */
        for (int j = 0; j < 2; j++) {
            uint16_t value = 0;
            buffer_clear(&b);
            ofp_encode_nx_setting(&b, nx[i].msg, j ? nx[i].bad : nx[i].good, v, 1);
            header_of(&b, &h);
            ck_assert_int_eq(code_of(ofp_decode_nx_setting(&h, &value)), j ? nx[i].code : 0);
            ck_assert_uint_eq(value, !j ? nx[i].good : nx[i].code ? 0 : nx[i].bad);
        }
    }
    buffer_fini(&b);
}
END_TEST

START_TEST(roles)
{
    enum ofp_version v = all_versions[_i];
    struct buffer b = BUFFER_INIT;
    struct ofp_header h;
    for (enum ofp_role role = OFPROLE_NOCHANGE; role <= OFPROLE_SLAVE; role++) {
        struct ofp_role_request q = { role, role >= OFPROLE_MASTER, 77 }, back;
        if (v >= OFP13) {
            buffer_clear(&b);
            ofp_encode_role(&b, OFPMSG_ROLE_REQUEST, &q, v, 1);
            header_of(&b, &h);
            MUST(ofp_decode_role(&h, &back));
            ck_assert_int_eq(back.role, role);
            ck_assert_int_eq(back.has_generation, role >= OFPROLE_MASTER);
            ck_assert(!back.has_generation || back.generation_id == 77);
        }
        buffer_clear(&b);
        ofp_encode_role(&b, OFPMSG_NXT_ROLE_REQUEST, &q, v, 1);
        header_of(&b, &h);
        MUST(ofp_decode_role(&h, &back));
        ck_assert_int_eq(back.role, role == OFPROLE_NOCHANGE ? OFPROLE_EQUAL : role);
        b.data[19] = 9;
        ck_assert_int_eq(code_of(ofp_decode_role(&h, &back)), OFPERR_OFPRRFC_BAD_ROLE);
    }
    struct ofp_async a = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 1 }, { 8, 16 }, { 1, 2 } }, back;
    memset(&back, 0, sizeof back);
    buffer_clear(&b);
    ofp_encode_set_async(&b, &a, v, 1);
    header_of(&b, &h);
    MUST(ofp_decode_set_async(&h, &back));
    if (v < OFP14) {
        memcpy(back.role_status, a.role_status, 24);   /* The rest came with 1.4. */
    }
    ck_assert_mem_eq(&a, &back, sizeof a);
    if (v >= OFP14) {
        b.data[8 + 4] = 0x80;   /* An unknown reason. */
        ck_assert_int_eq(code_of(ofp_decode_set_async(&h, &back)), OFPERR_OFPACFC_INVALID);
        b.data[8] = 0x11;       /* An unknown property. */
        ck_assert_int_eq(code_of(ofp_decode_set_async(&h, &back)), OFPERR_OFPBPC_BAD_TYPE);
        b.data[8 + 3] = 2;
        ck_assert_int_eq(code_of(ofp_decode_set_async(&h, &back)), OFPERR_OFPBPC_BAD_LEN);
    }
    buffer_fini(&b);
}
END_TEST

START_TEST(packet_ins)
{
    static const uint8_t frame[60] = { 1, 2, 3 }, userdata[] = { 9, 8, 7 };
    enum ofp_version v = all_versions[_i];
    for (enum ofp_packet_in_format f = PACKET_IN_STANDARD; f <= PACKET_IN_NXT2; f++) {
        struct ofp_packet_in p = { .buffer_id = OFP_NO_BUFFER, .total_len = 100, .reason = OFPR_PACKET_OUT, .table_id = 3,
                                   .cookie = htobe64(4), .data = frame, .data_len = sizeof frame, .userdata = userdata,
                                   .userdata_len = 3 }, back;
        struct buffer b = BUFFER_INIT;
        struct ofp_header h;
        match_init_any(&p.match);
        MUST(match_parse("in_port=5,reg0=3,tun_id=7,metadata=9", NULL, &p.match));
        ofp_encode_packet_in(&b, &p, f, v);
        header_of(&b, &h);
        MUST(ofp_decode_packet_in(&h, &back));
        ck_assert_uint_eq(back.total_len, 100);
        ck_assert_uint_eq(back.data_len, sizeof frame);
        ck_assert_mem_eq(back.data, frame, sizeof frame);
        ck_assert_uint_eq(back.buffer_id, OFP_NO_BUFFER);
        ck_assert_uint_eq(back.match.value.in_port, 5);
        ck_assert_uint_eq(back.reason, f == PACKET_IN_STANDARD && v < OFP14 ? OFPR_ACTION : OFPR_PACKET_OUT);
        if (f != PACKET_IN_STANDARD || v > OFP10) {
            ck_assert(match_equal(&p.match, &back.match));
            ck_assert_uint_eq(back.table_id, 3);
            ck_assert_uint_eq(back.cookie, htobe64(4));
        }
        if (f == PACKET_IN_NXT2) {
            ck_assert_uint_eq(back.userdata_len, 3);
            ck_assert_mem_eq(back.userdata, userdata, 3);
        }
        buffer_fini(&b);
    }
}
END_TEST

START_TEST(packet_outs)
{
    static const uint8_t frame[60] = { 1, 2, 3 };
    enum ofp_version v = all_versions[_i];
    struct buffer a = BUFFER_INIT, b = BUFFER_INIT, actions = BUFFER_INIT;
    struct ofp_header h;
    struct ofp_packet_out po = { .buffer_id = OFP_NO_BUFFER, .in_port = 4, .data = frame, .data_len = sizeof frame }, back;
    MUST(ofacts_parse("TABLE,output:3", NULL, v, false, &a));
    po.actions = ofact_list_of(&a);
    match_init_any(&po.match);
    ofp_encode_packet_out(&b, &po, v, 1);
    header_of(&b, &h);
    MUST(ofp_decode_packet_out(&h, &back, &actions));
    ck_assert_uint_eq(back.in_port, 4);
    ck_assert_uint_eq(back.data_len, sizeof frame);
    ck_assert(ofact_list_equal(&back.actions, &po.actions));

    static const struct { ofp_port port; int code; } in_ports[] = {
        { OFPP_LOCAL, 0 }, { OFPP_CONTROLLER, 0 }, { 65279, 0 }, { OFPP_FLOOD, OFPERR_OFPBRC_BAD_PORT },
        { OFPP_IN_PORT, OFPERR_OFPBRC_BAD_PORT }, { OFPP_NORMAL, OFPERR_OFPBRC_BAD_PORT },
    };
    for (size_t i = 0; i < ARRAY_SIZE(in_ports); i++) {
        buffer_clear(&b);
        po.in_port = in_ports[i].port;
        ofp_encode_packet_out(&b, &po, v, 1);
        header_of(&b, &h);
        ck_assert_int_eq(code_of(ofp_decode_packet_out(&h, &back, &actions)), in_ports[i].code);
    }
    /* More actions than there are bytes. */
    buffer_clear(&b);
    po.in_port = 4;
    ofp_encode_packet_out(&b, &po, v, 1);
    put_be16(b.data + (v == OFP10 ? 14 : v == OFP15 ? 12 : 16), 400);
    header_of(&b, &h);
    ck_assert_int_eq(code_of(ofp_decode_packet_out(&h, &back, &actions)), OFPERR_OFPBRC_BAD_LEN);
    buffer_fini(&a);
    buffer_fini(&b);
    buffer_fini(&actions);
}
END_TEST

TCase *messages_tcase(void)
{
    TCase *t = tcase_create("messages");
    tcase_add_loop_test(t, ports, 0, N_VERSIONS);
    tcase_add_loop_test(t, port_replies, 0, N_VERSIONS);
    tcase_add_loop_test(t, tables, 0, N_VERSIONS);
    tcase_add_loop_test(t, settings, 0, N_VERSIONS);
    tcase_add_loop_test(t, roles, 0, N_VERSIONS);
    tcase_add_loop_test(t, packet_ins, 0, N_VERSIONS);
    tcase_add_loop_test(t, packet_outs, 0, N_VERSIONS);
    return t;
}
