/* SPDX-License-Identifier: Apache-2.0 */
/* Valid messages of each kind and version. */
#include "tests/unit/lib/openflow/openflow_tests.h"

static const uint8_t arp_frame[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 1, 10, 0, 0, 1,
    0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
};

void make_flow(const char *text, enum ofp_version version, struct ofp_flow_mod *fm, struct buffer *actions)
{
    struct error *error = ofp_flow_mod_parse(text, OFPFC_ADD, NULL, version, fm, actions);
    ck_assert_msg(!error, "%s: %s", text, error ? error_text(error) : "");
}

static void put_flows(struct buffer *b, enum ofp_version v)
{
    static const char *const texts[] = {
        "priority=5,cookie=0x77,tcp,nw_dst=10.0.0.0/8,tp_dst=80,actions=output:1,CONTROLLER:99",
        "in_port=LOCAL,dl_vlan=3,actions=strip_vlan,set_field:5->reg0,move:reg0[]->reg1[],resubmit(1,2),NORMAL",
        "ipv6,ipv6_src=fe80::/64,nw_ttl=3,actions=dec_ttl,note:01.02.03,clone(set_queue:4,output:LOCAL),exit",
        "arp,actions=learn(table=3,idle_timeout=9,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],eth_type=0x800,load:3->reg2[],output:reg0[])",
        "actions=controller(id=3,userdata=01.02),output(port=1,max_len=100),output:reg0[0..7],group:5,enqueue:1:2",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct ofp_flow_mod fm;
        struct buffer actions = BUFFER_INIT;
        make_flow(texts[i], v, &fm, &actions);
        for (enum ofp_flow_command c = OFPFC_ADD; c <= OFPFC_DELETE_STRICT; c++) {
            fm.command = c;
            if (c >= OFPFC_DELETE) {
                fm.actions = (struct ofact_list) { NULL, 0 };
            }
            ofp_encode_flow_mod(b, &fm, v, true, 1);
            ofp_encode_flow_mod(b, &fm, v, false, 2);
        }
        fm.actions = ofact_list_of(&actions);
        struct ofp_flow_removed fr = { .match = fm.match, .cookie = 5, .priority = 9, .reason = OFPRR_HARD_TIMEOUT,
                                       .table_id = 3, .duration_s = 4, .duration_ns = 5, .idle_timeout = 6,
                                       .packets = 7, .bytes = 8 };
        ofp_encode_flow_removed(b, &fr, v, true);
        ofp_encode_flow_removed(b, &fr, v, false);
        for (int aggregate = 0; aggregate < 2; aggregate++) {
            struct ofp_flow_stats_request q = { .aggregate = aggregate, .match = fm.match, .cookie = 1, .cookie_mask = 3,
                                                .out_port = OFPP_ANY, .out_group = OFPG_ANY, .table_id = OFPTT_ALL };
            ofp_encode_flow_stats_request(b, &q, v, true, 3);
            ofp_encode_flow_stats_request(b, &q, v, false, 4);
        }
        struct ofp_flow_stats s = { .match = fm.match, .cookie = 3, .table_id = 1, .priority = 2, .idle_timeout = 3,
                                    .hard_timeout = 4, .duration_s = 5, .duration_ns = 6, .idle_age_s = 7,
                                    .hard_age_s = -1, .packets = 9, .bytes = 10, .actions = fm.actions };
        enum ofp_msg replies[] = { OFPMSG_FLOW_STATS_REPLY, OFPMSG_NXST_FLOW_REPLY };
        for (size_t j = 0; j < (v == OFP10 ? 2 : 1); j++) {
            struct ofp_multipart m;
            ofp_multipart_begin(&m, b, replies[j], v, 5);
            ofp_put_flow_stats(&m, &s);
            ofp_put_flow_stats(&m, &s);
            ofp_multipart_end(&m);
        }
        buffer_fini(&actions);
    }
}

static void put_packets(struct buffer *b, enum ofp_version v)
{
    struct ofp_packet_in pin = { .buffer_id = OFP_NO_BUFFER, .total_len = sizeof arp_frame, .reason = OFPR_ACTION,
                                 .table_id = 4, .cookie = 6, .data = arp_frame, .data_len = sizeof arp_frame,
                                 .userdata = arp_frame, .userdata_len = 5 };
    match_init_any(&pin.match);
    pin.match.value.in_port = 7;
    pin.match.mask.in_port = UINT32_MAX;
    for (enum ofp_packet_in_format f = PACKET_IN_STANDARD; f <= PACKET_IN_NXT2; f++) {
        ofp_encode_packet_in(b, &pin, f, v);
    }
    struct buffer actions = BUFFER_INIT;
    MUST(ofacts_parse("output:3,TABLE", NULL, v, false, &actions));
    struct ofp_packet_out po = { .buffer_id = OFP_NO_BUFFER, .in_port = OFPP_CONTROLLER, .actions = ofact_list_of(&actions),
                                 .data = arp_frame, .data_len = sizeof arp_frame };
    match_init_any(&po.match);
    ofp_encode_packet_out(b, &po, v, 6);
    buffer_fini(&actions);
}

static void put_ports(struct buffer *b, enum ofp_version v)
{
    struct ofp_phy_port port = { .port_no = 3, .hw_addr = { { 2, 0, 0, 0, 0, 3 } }, .name = "eth3", .config = OFPPC_NO_RECV,
                                 .state = OFPPS_LINK_DOWN, .curr = 1 << 5 | 1 << 11, .curr_speed = 1000000 };
    struct ofp_features f = { .datapath_id = 0x123, .n_tables = 255, .capabilities = 0x4f, .ports = &port, .n_ports = 1 };
    ofp_encode_features_reply(b, &f, v, 1);
    struct ofp_multipart m;
    ofp_multipart_begin(&m, b, OFPMSG_PORT_DESC_REPLY, v, 2);
    ofp_put_port_desc(&m, &port);
    ofp_put_port_desc(&m, &port);
    ofp_multipart_end(&m);
    struct ofp_port_stats s = { .port_no = 3, .rx_packets = 1, .tx_packets = 2, .collisions = UINT64_MAX, .duration_s = 3 };
    ofp_multipart_begin(&m, b, OFPMSG_PORT_STATS_REPLY, v, 3);
    ofp_put_port_stats(&m, &s);
    ofp_multipart_end(&m);
    ofp_encode_port_status(b, OFPPR_MODIFY, &port, v);
    struct ofp_port_mod mod = { .port_no = 3, .hw_addr = port.hw_addr, .config = OFPPC_PORT_DOWN, .mask = OFPPC_PORT_DOWN,
                                .advertise = 1 << 6 };
    ofp_encode_port_mod(b, &mod, v, 4);
    ofp_encode_port_request(b, OFPMSG_PORT_STATS_REQUEST, 3, v, 5);
    ofp_encode_port_request(b, OFPMSG_PORT_DESC_REQUEST, OFPP_ANY, v, 6);
}

static void put_switch(struct buffer *b, enum ofp_version v)
{
    static const enum ofp_msg plain[] = { OFPMSG_FEATURES_REQUEST, OFPMSG_GET_CONFIG_REQUEST, OFPMSG_BARRIER_REQUEST,
                                          OFPMSG_BARRIER_REPLY, OFPMSG_DESC_STATS_REQUEST, OFPMSG_TABLE_STATS_REQUEST };
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        ofp_put_simple(b, plain[i], v, i, NULL, 0);
    }
    ofp_put_simple(b, OFPMSG_ECHO_REQUEST, v, 9, "hello", 5);
    struct ofp_switch_config c = { .flags = 1, .miss_send_len = 128 };
    ofp_encode_config(b, OFPMSG_SET_CONFIG, &c, v, 1);
    ofp_encode_config(b, OFPMSG_GET_CONFIG_REPLY, &c, v, 1);
    struct ofp_header request = { .msg = OFPMSG_DESC_STATS_REQUEST, .version = v, .xid = 4 };
    struct ofp_desc d = { .mfr = "maker", .hw = "hardware", .sw = "software", .serial = "1", .dp = "name" };
    ofp_encode_desc_reply(b, &d, &request);
    request.msg = OFPMSG_AGGREGATE_STATS_REQUEST;
    struct ofp_aggregate_stats a = { 1, 2, 3 };
    ofp_encode_aggregate_reply(b, &a, &request);
    struct ofp_table_stats ts = { .table_id = 3, .name = "t", .max_entries = 4, .n_active = 5, .n_lookups = 6,
                                  .n_matched = 7 };
    struct ofp_multipart m;
    ofp_multipart_begin(&m, b, OFPMSG_TABLE_STATS_REPLY, v, 5);
    ofp_put_table_stats(&m, &ts);
    ofp_multipart_end(&m);
    struct ofp_table_features tf = { .table_id = 7, .name = "t", .metadata_match = UINT64_MAX, .max_entries = 9 };
    if (v >= OFP13) {
        ofp_multipart_begin(&m, b, OFPMSG_TABLE_FEATURES_REPLY, v, 6);
        ofp_put_table_features(&m, &tf);
        ofp_multipart_end(&m);
    }
    if (v >= OFP14) {
        ofp_multipart_begin(&m, b, OFPMSG_TABLE_DESC_REPLY, v, 7);
        ofp_put_table_desc(&m, &tf);
        ofp_multipart_end(&m);
    }
    request.whole = b->data;
    request.whole_len = 8;
    ofp_encode_error(b, OFPERR_OFPBMC_BAD_PREREQ, &request);
    ofp_encode_hello_failed(b, v, 8, "no");
    ofp_encode_hello(b, OFP_SUPPORTED, 9);
}

static void put_connection(struct buffer *b, enum ofp_version v)
{
    struct ofp_role_request q = { .role = OFPROLE_MASTER, .has_generation = true, .generation_id = 3 };
    ofp_encode_role(b, OFPMSG_NXT_ROLE_REQUEST, &q, v, 1);
    if (v >= OFP13) {
        ofp_encode_role(b, OFPMSG_ROLE_REQUEST, &q, v, 2);
    }
    if (v >= OFP14) {
        ofp_encode_role_status(b, OFPROLE_SLAVE, OFPCRR_MASTER_REQUEST, 5, v);
    }
    struct ofp_async a = { .packet_in = { 1, 2 }, .port_status = { 3, 4 }, .flow_removed = { 5, 6 } };
    ofp_encode_set_async(b, &a, v, 3);
    if (v == OFP10) {
        ofp_encode_nx_setting(b, OFPMSG_NXT_SET_FLOW_FORMAT, OFP_FLOW_FORMAT_NXM, v, 4);
    }
    ofp_encode_nx_setting(b, OFPMSG_NXT_FLOW_MOD_TABLE_ID, 1, v, 5);
    ofp_encode_nx_setting(b, OFPMSG_NXT_SET_PACKET_IN_FORMAT, PACKET_IN_NXT2, v, 6);
    ofp_encode_nx_setting(b, OFPMSG_NXT_SET_CONTROLLER_ID, 77, v, 7);
}

void put_samples(struct buffer *b)
{
    for (int i = 0; i < N_VERSIONS; i++) {
        enum ofp_version v = all_versions[i];
        put_flows(b, v);
        put_packets(b, v);
        put_ports(b, v);
        put_switch(b, v);
        put_connection(b, v);
    }
}
