/* SPDX-License-Identifier: Apache-2.0 */
/* Actions: text to wire and back in every version, and what is refused. */
#include "lib/openflow/wire.h"
#include "tests/unit/lib/openflow/openflow_tests.h"

/* Text, and what it is after a way over the wire of 1.0, 1.3 and 1.5 (1.4 is as 1.3); NULL: the same. "-": not sayable. */
static const struct { const char *text, *in_10, *in_13, *in_15; } rows[] = {
    { "output:1", NULL, NULL, NULL },
    { "LOCAL,IN_PORT,TABLE,NORMAL,FLOOD,ALL", NULL, NULL, NULL },
    { "CONTROLLER:99", NULL, NULL, NULL },
    { "controller(reason=no_match,max_len=100,id=9)", NULL, NULL, NULL },
    { "controller(id=3,userdata=01.02.ff)", NULL, NULL, NULL },
    { "enqueue:1:2", NULL, "set_queue:2,output:1,pop_queue", "set_queue:2,output:1,pop_queue" },
    { "output:NXM_NX_REG0[0..15]", NULL, NULL, NULL },
    { "output(port=1,max_len=100)", NULL, NULL, NULL },
    { "group:5", NULL, NULL, NULL },
    { "mod_vlan_vid:3", NULL, "push_vlan:0x8100,set_field:4099->vlan_vid", "push_vlan:0x8100,set_field:4099->vlan_vid" },
    { "set_vlan_vid:3", "mod_vlan_vid:3", "set_field:4099->vlan_vid", "set_field:4099->vlan_vid" },
    { "mod_vlan_pcp:3", NULL, "push_vlan:0x8100,set_field:3->vlan_pcp", "push_vlan:0x8100,set_field:3->vlan_pcp" },
    { "strip_vlan", NULL, "pop_vlan", "pop_vlan" },
    { "push_vlan:0x88a8,set_field:4099->vlan_vid", "mod_vlan_vid:3", NULL, NULL },
    { "mod_dl_src:00:01:02:03:04:05,mod_dl_dst:00:01:02:03:04:06", NULL,
      "set_field:00:01:02:03:04:05->eth_src,set_field:00:01:02:03:04:06->eth_dst",
      "set_field:00:01:02:03:04:05->eth_src,set_field:00:01:02:03:04:06->eth_dst" },
    { "mod_nw_src:1.2.3.4,mod_nw_dst:4.3.2.1", NULL, "set_field:1.2.3.4->ip_src,set_field:4.3.2.1->ip_dst",
      "set_field:1.2.3.4->ip_src,set_field:4.3.2.1->ip_dst" },
    { "mod_nw_tos:32", NULL, "set_field:8->ip_dscp", "set_field:8->ip_dscp" },
    { "mod_nw_ecn:2", "load:0x2->NXM_NX_IP_ECN[]", "set_field:2->nw_ecn", "set_field:2->nw_ecn" },
    { "mod_nw_ttl:9", "load:0x9->NXM_NX_IP_TTL[]", NULL, NULL },
    { "mod_tp_src:80,mod_tp_dst:81", NULL, "set_field:80->tcp_src,set_field:81->tcp_dst",
      "set_field:80->tcp_src,set_field:81->tcp_dst" },
    { "set_field:0x5->reg3", "load:0x5->NXM_NX_REG3[]", NULL, NULL },
    { "set_field:0x5/0xf->reg3", "load:0x5->NXM_NX_REG3[0..3]", "load:0x5->NXM_NX_REG3[0..3]", NULL },
    { "set_field:0x500000005/0xf0000000f->tun_id", "load:0x5->NXM_NX_TUN_ID[0..3],load:0x5->NXM_NX_TUN_ID[32..35]",
      "load:0x5->NXM_NX_TUN_ID[0..3],load:0x5->NXM_NX_TUN_ID[32..35]", NULL },
    { "load:0x5->NXM_NX_REG0[4..7]", NULL, NULL, "set_field:0x50/0xf0->reg0" },
    { "set_field:fe80::1->ipv6_src",
      "load:0x1->NXM_NX_IPV6_SRC[0..63],load:0xfe80000000000000->NXM_NX_IPV6_SRC[64..127]", NULL, NULL },
    { "move:NXM_NX_REG0[0..3]->NXM_NX_REG1[5..8]", NULL, NULL, NULL },
    { "set_tunnel:0x5", NULL, "set_field:0x5->tun_id", "set_field:0x5->tun_id" },
    { "set_tunnel64:0x123456789", NULL, "set_field:0x123456789->tun_id", "set_field:0x123456789->tun_id" },
    { "set_queue:3,pop_queue", NULL, NULL, NULL },
    { "dec_ttl", NULL, NULL, NULL },
    { "dec_ttl(1,2,3)", NULL, NULL, NULL },
    { "resubmit:3", NULL, NULL, NULL },
    { "resubmit(,2)", NULL, NULL, NULL },
    { "resubmit(1,2)", NULL, NULL, NULL },
    { "learn(table=1,idle_timeout=2,hard_timeout=3,priority=4,send_flow_rem,cookie=0x5,NXM_OF_VLAN_TCI[0..11],"
      "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],eth_type=0x800,NXM_NX_REG3[0..3]=0x1,load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],"
      "load:0x3->NXM_NX_REG1[],output:NXM_OF_IN_PORT[])", NULL, NULL, NULL },
    { "note:01.02.03.04.05.06", NULL, NULL, NULL },
    { "exit", NULL, NULL, NULL },
    { "clone(output:1,clone(group:3,note:00.00.00.00.00.00)),output:2", NULL, NULL, NULL },
    { "clone(drop)", NULL, NULL, NULL },
    { "meter:3,output:1", "output:1", NULL, NULL },
    { "clear_actions", "drop", NULL, NULL },
    { "write_actions(output:1,group:2)", "drop", NULL, NULL },
    { "write_metadata:0x5/0xf", NULL, NULL, NULL },
    { "write_metadata:0x5", NULL, NULL, NULL },
    { "output:1,clear_actions,write_actions(output:2),write_metadata:0x1,goto_table:7", "output:1,write_metadata:0x1,resubmit(,7)",
      NULL, NULL },
    { "drop", NULL, NULL, NULL },
};

static const char *expected(int row, enum ofp_version v)
{
    const char *s = v == OFP10 ? rows[row].in_10 : v == OFP15 ? rows[row].in_15 : rows[row].in_13;
    return s ? s : rows[row].text;
}

static void check_text(const struct ofact_list *list, const char *text)
{
    struct text t = TEXT_INIT;
    ofacts_format(list, NULL, &t);
    ck_assert_str_eq(text_str(&t), text);
    text_fini(&t);
}

START_TEST(text_and_wire_and_back)
{
    struct match tcp;
    match_init_any(&tcp);
    MUST(match_parse("tcp", NULL, &tcp));
    for (int i = 0; i < N_VERSIONS; i++) {
        enum ofp_version v = all_versions[i];
        struct buffer a = BUFFER_INIT, b = BUFFER_INIT, wire = BUFFER_INIT, again = BUFFER_INIT;
        MUST(ofacts_parse(rows[_i].text, NULL, v, true, &a));
        struct ofact_list list = ofact_list_of(&a);
        check_text(&list, rows[_i].text);
        ofacts_adapt(&list, &tcp);

        ofacts_encode(&list, v, v > OFP10, &wire);
        ck_assert_uint_eq(wire.len % 8, 0);
        MUST(ofacts_decode(wire.data, wire.len, v, v > OFP10, &b));
        struct ofact_list back = ofact_list_of(&b);
        check_text(&back, expected(_i, v));

        ofacts_encode(&back, v, v > OFP10, &again);
        ck_assert_uint_eq(wire.len, again.len);
        if (wire.len) {
            ck_assert_mem_eq(wire.data, again.data, wire.len);
        }
        struct ofact_list nothing = { NULL, 0 };
        ck_assert(ofact_list_equal(&back, &back));
        ck_assert_int_eq(ofact_list_equal(&back, &nothing), back.len == 0);
        buffer_fini(&a);
        buffer_fini(&b);
        buffer_fini(&wire);
        buffer_fini(&again);
    }
}
END_TEST

START_TEST(every_kind_is_in_a_row)
{
    bool seen[OFACT_N] = { false };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buffer a = BUFFER_INIT;
        const struct ofact *o;
        MUST(ofacts_parse(rows[i].text, NULL, OFP13, true, &a));
        struct ofact_list list = ofact_list_of(&a);
        OFACT_FOR_EACH (o, &list) {
            seen[o->type] = true;
        }
        buffer_fini(&a);
    }
    for (enum ofact_type t = OFACT_NONE + 1; t < OFACT_N; t++) {
        ck_assert_msg(seen[t] || t == OFACT_APPLY_ACTIONS, "%s is not tested", ofact_name(t));
    }
}
END_TEST

/* Version, are they instructions, bytes, the code, or the text if 0. */
static const struct { enum ofp_version v; bool instructions; const char *hex; int code; const char *text; } wire_rows[] = {
    { OFP10, false, "0000000800010000", 0, "output:1" },
    { OFP10, false, "00000008fff80000", 0, "IN_PORT" },
    { OFP10, false, "0001000800030000", 0, "mod_vlan_vid:3" },
    { OFP13, false, "0001000800030000", 0, "set_vlan_vid:3" },
    { OFP13, false, "0009000800500000", 0, "mod_tp_src:80" },
    { OFP13, false, "0003001000010203040500000000 0000", 0, "mod_dl_src:00:01:02:03:04:05" },
    { OFP13, false, "000800080200 0000", 0, "mod_nw_ecn:2" },
    { OFP13, false, "001100088100 0000", 0, "push_vlan:0x8100" },
    { OFP10, false, "ffff0018 00002320 0021 00010104 00000005 0000000f 0000 000000000000", OFPERR_OFPBAC_BAD_SET_LEN, NULL },
    { OFP10, false, "ffff0018 00002320 0021 00010108 00000005 0000000f 0000", 0, "set_field:0x5/0xf->reg0" },
    { OFP13, false, "ffff0020 4f4e4600 0c80 0000 0020 0000 0000 0000 00010004 00010204 00000000", 0,
      "move:NXM_NX_REG0[]->NXM_NX_REG1[]" },
    { OFP13, false, "ffff0018 00002320 0020 07c0 ffff 00010004 000000000000", 0, "output:NXM_NX_REG0[31]" },
    { OFP13, false, "ffff0010 00002320 0028 0000 00000001", OFPERR_OFPBAC_BAD_VENDOR_TYPE, NULL },
    /* Lengths. */
    { OFP10, false, "00000008", OFPERR_OFPBAC_BAD_LEN, NULL },
    { OFP10, false, "0000000000010000", OFPERR_OFPBAC_BAD_LEN, NULL },
    { OFP10, false, "0000000400010000", OFPERR_OFPBAC_BAD_LEN, NULL },
    { OFP10, false, "0000000c000100000000 0000", OFPERR_OFPBAC_BAD_LEN, NULL },
    { OFP10, false, "00000010000100000000000000000000", OFPERR_OFPBAC_BAD_LEN, NULL },
    { OFP13, false, "0000000800000001", OFPERR_OFPBAC_BAD_LEN, NULL },
    { OFP10, false, "ffff000800002320", OFPERR_OFPBAC_BAD_LEN, NULL },
    /* Kinds. */
    { OFP10, false, "0063000800000000", OFPERR_OFPBAC_BAD_TYPE, NULL },
    { OFP10, false, "0011000881000000", OFPERR_OFPBAC_BAD_TYPE, NULL },
    { OFP13, false, "001d000800000001", OFPERR_OFPBAC_BAD_TYPE, NULL },             /* Meter action before 1.5. */
    { OFP13, false, "0013000888470000", OFPERR_OFPBAC_BAD_TYPE, NULL },             /* push_mpls is not done. */
    { OFP10, false, "ffff0010deadbeef0001000000000000", OFPERR_OFPBAC_BAD_VENDOR, NULL },
    { OFP10, false, "ffff0010000023200fff000000000000", OFPERR_OFPBAC_BAD_VENDOR_TYPE, NULL },
    { OFP13, false, "ffff001800002320 0023 0000 00000000 0000 ff 000000 0000", OFPERR_OFPBAC_BAD_VENDOR_TYPE, NULL },  /* ct */
    { OFP15, false, "ffff0018000023200007001f000100040000000000000005", OFPERR_OFPBAC_BAD_VENDOR_TYPE, NULL },
    { OFP13, false, "ffff0020000023200016000000000000 0000000000000001 0000000000000001", OFPERR_OFPBIC_UNSUP_INST, NULL },
    /* Arguments. */
    { OFP10, false, "0001000810000000", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },         /* VLAN 4096 */
    { OFP10, false, "0002000808000000", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },         /* Priority 8 */
    { OFP10, false, "0008000801000000", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },         /* TOS 1 */
    { OFP13, false, "0011000888470000", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },         /* A tag of MPLS' type */
    { OFP13, false, "0000001000010000ffff000000000000", OFPERR_OFPBAC_BAD_OUT_PORT, NULL },
    { OFP10, false, "ffff0010 00002320 0027 0001 0000000d", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },
    { OFP10, false, "ffff0018 00002320 0007 0000 00010004 0000000000000002", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },
    { OFP10, false, "ffff0010 00002320 000e 0001 02 000001", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },
    { OFP10, false, "ffff0010 00002320 0014 0080 0001 00 01", OFPERR_NXBAC_MUST_BE_ZERO, NULL },
    /* Fields. */
    { OFP13, false, "0019001000017f0400000005 00000000", OFPERR_OFPBAC_BAD_SET_TYPE, NULL },
    { OFP13, false, "0019001080000a0400000005 00000000", OFPERR_OFPBAC_BAD_SET_LEN, NULL },     /* eth_type of 4 bytes */
    { OFP13, false, "0019001080000a0208000000 00000000", OFPERR_OFPBAC_BAD_SET_ARGUMENT, NULL }, /* eth_type is read-only */
    { OFP13, false, "0019001000010108 00000005 0000000f", OFPERR_OFPBAC_BAD_SET_MASK, NULL },
    { OFP15, false, "0019001000010108 00000005 0000000f", 0, "set_field:0x5/0xf->reg0" },
    { OFP15, false, "0019001000010108 00000015 0000000f", OFPERR_OFPBAC_BAD_SET_ARGUMENT, NULL },
    { OFP13, false, "0019001000010004 00000005 00000001", OFPERR_NXBAC_MUST_BE_ZERO, NULL },
    { OFP13, false, "0019001080001004 00000040 00000000", OFPERR_OFPBAC_BAD_SET_LEN, NULL },
    { OFP13, false, "0019001080001001 40000000 00000000", OFPERR_OFPBAC_BAD_SET_ARGUMENT, NULL },   /* DSCP 64 */
    { OFP10, false, "ffff0018 00002320 0006 0021 0000 0000 00010004 00010204", OFPERR_OFPBAC_BAD_SET_LEN, NULL },
    { OFP10, false, "ffff0018 00002320 0006 0000 0000 0000 00010004 00010204", OFPERR_OFPBAC_BAD_SET_LEN, NULL },
    { OFP10, false, "ffff0018 00002320 0006 0010 0000 0000 00010004 00000602", OFPERR_OFPBAC_BAD_SET_ARGUMENT, NULL },
    { OFP10, false, "ffff0018 00002320 0006 0010 0000 0000 00017e04 00010204", OFPERR_OFPBAC_BAD_SET_TYPE, NULL },
    { OFP10, false, "ffff0018 00002320 000f 0a80 00010004 ffff 000000000000", OFPERR_OFPBAC_BAD_SET_LEN, NULL },
    /* Controller's properties. */
    { OFP13, false, "ffff0018 00002320 0025 000000000000 0001 0006 0009 0000", 0, "controller(id=9)" },
    { OFP13, false, "ffff0018 00002320 0025 000000000000 0004 0004 00000000", OFPERR_OFPBPC_BAD_TYPE, NULL },   /* pause */
    { OFP13, false, "ffff0018 00002320 0025 000000000000 0001 0005 0900 0000", OFPERR_OFPBPC_BAD_LEN, NULL },
    { OFP13, false, "ffff0018 00002320 0025 000000000000 0001 0016 0009 0000", OFPERR_OFPBPC_BAD_LEN, NULL },
    { OFP13, false, "ffff0018 00002320 0025 000000000001 0001 0006 0009 0000", OFPERR_NXBAC_MUST_BE_ZERO, NULL },
    /* Learn. */
    { OFP13, false, "ffff0020 00002320 0010 0000 0000 8000 0000000000000000 0000 ff 00 0000 0000", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },
    { OFP13, false, "ffff0020 00002320 0010 0000 0000 8000 0000000000000000 0004 01 00 0000 0000", OFPERR_OFPBAC_BAD_ARGUMENT, NULL },
    { OFP13, false, "ffff0028 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 1820 0000 00000000",
      OFPERR_OFPBAC_BAD_ARGUMENT, NULL },
    { OFP13, false, "ffff0028 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 0020 0001 0004 0000",
      OFPERR_OFPBAC_BAD_LEN, NULL },
    /* Instructions. */
    { OFP13, true, "0001000807000000", 0, "goto_table:7" },
    { OFP13, true, "0001000807000000 0005000800000000", 0, "clear_actions,goto_table:7" },   /* Put in order. */
    { OFP13, true, "0004000800000000", 0, "drop" },
    { OFP13, true, "0006000800000003 0004001800000000 0000001000000001 0000000000000000", 0, "meter:3,output:1" },
    { OFP13, true, "0001000807000000 0001000808000000", OFPERR_OFPBIC_DUP_INST, NULL },
    { OFP13, true, "0009000807000000", OFPERR_OFPBIC_UNKNOWN_INST, NULL },
    { OFP15, true, "0006000800000003", OFPERR_OFPBIC_UNKNOWN_INST, NULL },          /* Became an action. */
    { OFP13, true, "0001001007000000 0000000000000000", OFPERR_OFPBIC_BAD_LEN, NULL },
    { OFP13, true, "00010004", OFPERR_OFPBIC_BAD_LEN, NULL },
    { OFP13, true, "0001001007000000", OFPERR_OFPBIC_BAD_LEN, NULL },
    { OFP13, true, "ffff0008deadbeef", OFPERR_OFPBIC_BAD_EXPERIMENTER, NULL },
    { OFP13, true, "ffff000800002320", OFPERR_OFPBIC_BAD_EXP_TYPE, NULL },
    { OFP13, true, "0004001000000000 0063000800000000", OFPERR_OFPBAC_BAD_TYPE, NULL },
    { OFP13, true, "0004001000000000 0063001000000000", OFPERR_OFPBAC_BAD_LEN, NULL },
};

START_TEST(wire)
{
    uint8_t bytes[256];
    char plain[512] = "";
    for (const char *p = wire_rows[_i].hex; *p; p++) {
        if (*p != ' ') {
            strncat(plain, p, 1);
        }
    }
    size_t n = parse_hex(plain, bytes, sizeof bytes);
    ck_assert_uint_ne(n, SIZE_MAX);
    uint8_t *exact = xmemdup(bytes, n);
    struct buffer out = BUFFER_INIT;
    struct error *error = ofacts_decode(exact, n, wire_rows[_i].v, wire_rows[_i].instructions, &out);
    ck_assert_msg(error_code(error) == wire_rows[_i].code, "%s: %s (%s)", wire_rows[_i].hex,
                  error ? ofp_error_name(error_code(error)) : "accepted", error ? error_text(error) : "");
    if (error) {
        ck_assert_uint_eq(out.len, 0);
    } else {
        struct ofact_list list = ofact_list_of(&out);
        check_text(&list, wire_rows[_i].text);
    }
    error_free(error);
    buffer_fini(&out);
    free(exact);
}
END_TEST

/* Match, actions, version, table, code. */
static const struct { const char *match, *actions; enum ofp_version v; uint8_t table; int code; } check_rows[] = {
    { "", "output:1,LOCAL,NORMAL", OFP13, 0, 0 },
    { "", "output:65279", OFP13, 0, 0 },
    { "", "output:0", OFP13, 0, OFPERR_OFPBAC_BAD_OUT_PORT },
    { "", "ANY", OFP13, 0, OFPERR_OFPBAC_BAD_OUT_PORT },
    { "", "TABLE", OFP13, 0, OFPERR_OFPBAC_BAD_OUT_PORT },
    { "", "TABLE", OFP13, 0xff, 0 },
    { "", "enqueue:FLOOD:1", OFP13, 0, OFPERR_OFPBAC_BAD_OUT_PORT },
    { "", "enqueue:LOCAL:1", OFP13, 0, 0 },
    { "", "clone(output:0)", OFP13, 0, OFPERR_OFPBAC_BAD_OUT_PORT },
    { "", "set_field:1.2.3.4->ip_src", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "ip", "set_field:1.2.3.4->ip_src", OFP13, 0, 0 },
    { "ipv6", "set_field:1.2.3.4->ip_src", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "", "mod_nw_src:1.2.3.4", OFP10, 0, 0 },
    { "", "mod_nw_src:1.2.3.4", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "", "load:5->NXM_OF_IP_SRC[]", OFP10, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "ip", "mod_tp_src:5", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "udp", "mod_tp_src:5", OFP13, 0, 0 },
    { "", "mod_tp_src:5", OFP10, 0, 0 },
    { "", "strip_vlan", OFP10, 0, 0 },
    { "", "pop_vlan", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "dl_vlan=3", "pop_vlan", OFP13, 0, 0 },
    { "dl_vlan=3", "pop_vlan,pop_vlan", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "", "push_vlan:0x8100,set_field:4099->vlan_vid,pop_vlan", OFP13, 0, 0 },
    { "", "set_field:4099->vlan_vid", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "", "set_vlan_pcp:3", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "", "mod_vlan_pcp:3,set_vlan_vid:5", OFP13, 0, 0 },
    { "", "dec_ttl", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "ipv6", "dec_ttl", OFP13, 0, 0 },
    { "arp", "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]", OFP13, 0, 0 },
    { "ip", "move:NXM_OF_ARP_SPA[]->NXM_NX_REG0[]", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "ip", "move:NXM_NX_REG0[]->NXM_OF_ARP_SPA[]", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "", "output:NXM_OF_TCP_SRC[]", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "", "goto_table:4", OFP13, 3, 0 },
    { "", "goto_table:3", OFP13, 3, OFPERR_OFPBIC_BAD_TABLE_ID },
    { "", "goto_table:254", OFP13, 3, 0 },
    { "", "write_actions(output:0)", OFP13, 0, OFPERR_OFPBAC_BAD_OUT_PORT },
    { "", "write_actions(resubmit(,3))", OFP13, 0, OFPERR_OFPBAC_BAD_TYPE },
    { "", "write_actions(group:3,set_queue:1)", OFP13, 0, 0 },
    { "", "learn(table=1,NXM_OF_IP_SRC[])", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "ip", "learn(table=1,NXM_OF_IP_SRC[])", OFP13, 0, OFPERR_OFPBAC_MATCH_INCONSISTENT },
    { "ip", "learn(table=1,eth_type=0x800,NXM_OF_IP_SRC[])", OFP13, 0, 0 },
};

START_TEST(checks)
{
    struct match m;
    struct buffer a = BUFFER_INIT;
    match_init_any(&m);
    MUST(match_parse(check_rows[_i].match, NULL, &m));
    MUST(ofacts_parse(check_rows[_i].actions, NULL, check_rows[_i].v, true, &a));
    struct ofact_list list = ofact_list_of(&a);
    struct error *error = ofacts_check(&list, &m.value, &m.mask, check_rows[_i].table, 255, check_rows[_i].v);
    ck_assert_msg(error_code(error) == check_rows[_i].code, "%s actions=%s: %s", check_rows[_i].match,
                  check_rows[_i].actions, error ? error_text(error) : "accepted");
    error_free(error);
    buffer_fini(&a);
}
END_TEST

START_TEST(goto_beyond_the_last_table)
{
    struct match m;
    struct buffer a = BUFFER_INIT;
    match_init_any(&m);
    MUST(ofacts_parse("goto_table:9", NULL, OFP13, true, &a));
    struct ofact_list list = ofact_list_of(&a);
    ck_assert_int_eq(code_of(ofacts_check(&list, &m.value, &m.mask, 3, 9, OFP13)), OFPERR_OFPBIC_BAD_TABLE_ID);
    ck_assert_int_eq(code_of(ofacts_check(&list, &m.value, &m.mask, 3, 10, OFP13)), 0);
    buffer_fini(&a);
}
END_TEST

START_TEST(filters)
{
    struct buffer a = BUFFER_INIT;
    MUST(ofacts_parse("output:1,clone(enqueue:2:3,output(port=4,max_len=60)),CONTROLLER,write_actions(output:5,group:6)", NULL,
                      OFP13, true, &a));
    struct ofact_list list = ofact_list_of(&a);
    static const ofp_port in[] = { 1, 2, 4, 5, OFPP_CONTROLLER }, out[] = { 3, 6, 60, OFPP_LOCAL };
    for (size_t i = 0; i < ARRAY_SIZE(in); i++) {
        ck_assert(ofacts_output_to(&list, in[i]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(out); i++) {
        ck_assert(!ofacts_output_to(&list, out[i]));
    }
    ck_assert(ofacts_use_group(&list, 6));
    ck_assert(!ofacts_use_group(&list, 5));
    buffer_fini(&a);
}
END_TEST

START_TEST(nesting_is_bounded)
{
    struct text t = TEXT_INIT;
    for (int i = 0; i < 17; i++) {
        text_put(&t, "clone(");
    }
    struct buffer a = BUFFER_INIT, wire = BUFFER_INIT;
    ck_assert_int_ne(code_of(ofacts_parse(text_str(&t), NULL, OFP13, true, &a)), 0);
    ck_assert_uint_eq(a.len, 0);
    for (int i = 0; i < 40; i++) {   /* On the wire: each is inside of the one before. */
        size_t len = 16 * (40 - i);
        uint8_t head[16] = { 0xff, 0xff, len >> 8, len, 0, 0, 0x23, 0x20, 0, 42 };
        buffer_put(&wire, head, 16);
    }
    ck_assert_int_eq(code_of(ofacts_decode(wire.data, wire.len, OFP13, false, &a)), OFPERR_OFPBAC_TOO_MANY);
    buffer_fini(&wire);
    text_fini(&t);
    buffer_fini(&a);
}
END_TEST

START_TEST(lists_are_bounded)
{
    /* A clone whose actions grow beyond what a nested list can hold. */
    struct buffer wire = BUFFER_INIT, a = BUFFER_INIT;
    uint8_t head[16] = { 0xff, 0xff, 0xff, 0xf8, 0, 0, 0x23, 0x20, 0, 42 };
    buffer_put(&wire, head, 16);
    while (wire.len < 0xfff8) {
        buffer_put(&wire, "\0\1\0\x08\0\3\0\0", 8);   /* set_vlan_vid: 8 bytes become 16. */
    }
    ck_assert_int_eq(code_of(ofacts_decode(wire.data, wire.len, OFP13, false, &a)), OFPERR_OFPBAC_TOO_MANY);
    buffer_fini(&wire);
    buffer_fini(&a);
}
END_TEST

/* Text that is refused, and a word that the message must have. */
static const struct { const char *text, *word; } bad_texts[] = {
    { "outptu:1", "did you mean \"output\"" }, { "output:nosuch", "nosuch" }, { "drop,output:1", "drop" },
    { "ct(commit)", "not supported" }, { "conjunction(1,1/2)", "not supported" }, { "push:NXM_NX_REG0[]", "not supported" },
    { "goto_table:1,output:1", "before" }, { "goto_table:1,goto_table:2", "twice" }, { "goto_table:255", "254" },
    { "mod_vlan_vid:4096", "4095" }, { "mod_vlan_pcp:8", "7" }, { "mod_dl_src:5", "mod_dl_src" },
    { "set_field:5", "->" }, { "set_field:5->nosuch", "nosuch" }, { "set_field:0x800->eth_type", "cannot be set" },
    { "load:16->NXM_NX_REG0[0..3]", "4 bits" }, { "load:1->NXM_NX_REG0[4..3]", "4 to 3" }, { "load:1->NXM_NX_REG0[32]", "31" },
    { "move:NXM_NX_REG0[]->NXM_NX_REG1[0..3]", "as many" }, { "push_vlan:0x9100", "0x8100" }, { "resubmit(,)", "resubmit" },
    { "resubmit(,1,ct)", "not supported" }, { "note:0", "hex" }, { "controller(pause)", "not supported" },
    { "controller(maxlen=3)", "max_len" }, { "output(port=1,max_len=5)", "14" }, { "output(port=FLOOD,max_len=50)", "LOCAL" },
    { "dec_ttl(x)", "x" }, { "learn(table=1,delete_learned)", "not supported" }, { "learn(nosuch=5)", "nosuch" },
    { "enqueue:1", "enqueue:PORT:QUEUE" }, { "exit:5", "no argument" }, { "meter:x", "x" }, { "group", "group" },
};

START_TEST(bad_text)
{
    struct buffer a = BUFFER_INIT;
    struct error *error = ofacts_parse(bad_texts[_i].text, NULL, OFP13, true, &a);
    ck_assert_msg(error != NULL, "%s is accepted", bad_texts[_i].text);
    ck_assert_msg(strstr(error_text(error), bad_texts[_i].word) != NULL, "%s: \"%s\" lacks \"%s\"", bad_texts[_i].text,
                  error_text(error), bad_texts[_i].word);
    ck_assert_uint_eq(a.len, 0);
    error_free(error);
    buffer_fini(&a);
}
END_TEST

START_TEST(other_spellings)
{
    static const struct { const char *text, *canonical; } same[] = {
        { "1", "output:1" }, { "local, in_port", "LOCAL,IN_PORT" }, { "controller", "CONTROLLER:65535" },
        { "enqueue(1,2)", "enqueue:1:2" }, { "set_nw_ttl:5", "mod_nw_ttl:5" }, { "note:0102", "note:01.02.00.00.00.00" },
        { "apply_actions(output:1),goto_table:2", "output:1,goto_table:2" }, { "output:reg0[0..3]", "output:NXM_NX_REG0[0..3]" },
        { "set_field:1.2.3.4->nw_src", "set_field:1.2.3.4->ip_src" }, { "set_field:3->reg0[4..7]", "set_field:0x30/0xf0->reg0" },
        { "set_field:3->vlan_vid", "set_field:4099->vlan_vid" }, { "write_actions()", "write_actions(drop)" },
        { "", "drop" }, { "dec_nw_ttl", "dec_ttl" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        struct buffer a = BUFFER_INIT;
        MUST(ofacts_parse(same[i].text, NULL, OFP13, true, &a));
        struct ofact_list list = ofact_list_of(&a);
        check_text(&list, same[i].canonical);
        buffer_fini(&a);
    }
}
END_TEST

TCase *actions_tcase(void)
{
    TCase *t = tcase_create("actions");
    tcase_add_loop_test(t, text_and_wire_and_back, 0, ARRAY_SIZE(rows));
    tcase_add_test(t, every_kind_is_in_a_row);
    tcase_add_loop_test(t, wire, 0, ARRAY_SIZE(wire_rows));
    tcase_add_loop_test(t, checks, 0, ARRAY_SIZE(check_rows));
    tcase_add_test(t, goto_beyond_the_last_table);
    tcase_add_test(t, filters);
    tcase_add_test(t, nesting_is_bounded);
    tcase_add_test(t, lists_are_bounded);
    tcase_add_loop_test(t, bad_text, 0, ARRAY_SIZE(bad_texts));
    tcase_add_test(t, other_spellings);
    return t;
}
