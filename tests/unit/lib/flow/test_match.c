/* SPDX-License-Identifier: Apache-2.0 */
/* Matches: their text against what ovs-ofctl 3.1 prints, and their algebra against enumeration. */
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/flow/match.h"
#include "tests/unit/lib/flow/flow_tests.h"
#include "tests/unit/lib/flow/random.h"

static void parse(const char *s, struct match *m)
{
    struct error *e = match_parse(s, NULL, m);
    ck_assert_msg(!e, "%s: %s", s, e ? error_text(e) : "");
}

START_TEST(texts)
{
    static const struct { const char *in, *out; } rows[] = {
        { "", "" }, { "eth", "" }, { "dl_src=*", "" }, { "packet_type=(0,0)", "" }, { "packet_type=(1,0x800)", "packet_type=(1,0x800)" },
        { "ip", "ip" }, { "ip6", "ipv6" }, { "tcp", "tcp" }, { "udp6", "udp6" }, { "sctp6", "sctp6" }, { "icmp6", "icmp6" },
        { "arp", "arp" }, { "rarp", "rarp" }, { "mpls", "mpls" }, { "mplsm", "mplsm" }, { "ip,nw_proto=47", "ip,nw_proto=47" },
        { "dl_type=0x800,nw_proto=6", "tcp" }, { "dl_type=0x86dd,nw_proto=1", "ipv6,nw_proto=1" }, { "ip,nw_proto=58", "ip,nw_proto=58" },
        { "dl_type=0x1234", "dl_type=0x1234" }, { "dl_type=0x5ff", "dl_type=0x05ff" }, { "tcp,udp", "udp" },
        { "tcp,tp_src=80", "tcp,tp_src=80" }, { "tcp,tp_src=80/0xff0", "tcp,tp_src=0x50/0xff0" }, { "tcp,tp_dst=0x50/0xffff", "tcp,tp_dst=80" },
        { "udp,udp_dst=53", "udp,tp_dst=53" }, { "sctp,sctp_src=3", "sctp,tp_src=3" },
        { "vlan_tci=0x1005", "dl_vlan=5,dl_vlan_pcp=0" }, { "vlan_tci=0x1005/0x1fff", "dl_vlan=5" }, { "vlan_tci=0", "vlan_tci=0x0000" },
        { "vlan_tci=0x1000/0x1000", "vlan_tci=0x1000/0x1000" }, { "vlan_tci=0x3000/0xf000", "dl_vlan_pcp=1" },
        { "vlan_tci=0/0x1000", "vlan_tci=0x0000/0x1000" }, { "vlan_tci=0xf005", "dl_vlan=5,dl_vlan_pcp=7" }, { "dl_vlan=5", "dl_vlan=5" },
        { "dl_vlan=0xffff", "vlan_tci=0x0000" }, { "dl_vlan=5,dl_vlan_pcp=3", "dl_vlan=5,dl_vlan_pcp=3" }, { "dl_vlan_pcp=3", "dl_vlan_pcp=3" },
        { "vlan_vid=0x1005", "dl_vlan=5" }, { "vlan_vid=5", "dl_vlan=5" }, { "vlan_vid=0", "vlan_tci=0x0000/0x1fff" },
        { "vlan_vid=0x1000/0x1000", "vlan_tci=0x1000/0x1000" }, { "vlan_vid=0x1004/0x100f", "vlan_tci=0x1004/0x100f" },
        { "vlan_vid=0x1005,vlan_pcp=1", "dl_vlan=5,dl_vlan_pcp=1" }, { "vlan_tci=0x1005/0x1f0f", "vlan_tci=0x1005/0x1f0f" },
        { "ct_zone=0x5", "ct_zone=5" }, { "tun_gbp_flags=3", "tun_gbp_flags=0x3" }, { "tun_gbp_id=5/7", "tun_gbp_id=0x5/0x7" },
        { "pkt_mark=5/7", "pkt_mark=0x5/0x7" }, { "reg0=5", "reg0=0x5" }, { "reg0=0", "reg0=0" }, { "reg0=5/0xff", "reg0=0x5/0xff" },
        { "xreg0=5", "reg0=0,reg1=0x5" }, { "xreg1=0x500000000", "reg2=0x5,reg3=0" }, { "xreg1=5/0xff", "reg3=0x5/0xff" },
        { "xxreg0=5", "reg0=0,reg1=0,reg2=0,reg3=0x5" }, { "xxreg1=0x5/0xff00ff", "reg7=0x5/0xff00ff" }, { "metadata=5/0xff", "metadata=0x5/0xff" },
        { "tun_id=5", "tun_id=0x5" }, { "tunnel_id=0", "tun_id=0" }, { "ipv6,ipv6_label=5", "ipv6,ipv6_label=0x00005" },
        { "ipv6,ipv6_label=5/0xf", "ipv6,ipv6_label=0x00005/0x0000f" }, { "ip,nw_tos=4", "ip,nw_tos=4" }, { "ip,ip_dscp=5", "ip,nw_tos=20" },
        { "ip,nw_ecn=2", "ip,nw_ecn=2" }, { "ip,nw_ttl=64", "ip,nw_ttl=64" }, { "arp,arp_op=2", "arp,arp_op=2" }, { "conj_id=5", "conj_id=5" },
        { "in_port=5", "in_port=5" }, { "in_port=LOCAL", "in_port=LOCAL" }, { "in_port=65534", "in_port=LOCAL" }, { "actset_output=5", "actset_output=5" },
        { "tun_src=1.2.3.4/255.0.255.0", "tun_src=1.0.3.0/255.0.255.0" }, { "tun_dst=1.2.3.4/8", "tun_dst=1.0.0.0/8" },
        { "tun_ipv6_dst=fe80::/10", "tun_ipv6_dst=fe80::/10" }, { "tun_flags=oam", "tun_flags=+oam" }, { "tun_flags=0/1", "tun_flags=-oam" },
        { "ct_state=+trk+est", "ct_state=+est+trk" }, { "ct_state=trk", "ct_state=trk" }, { "ct_state=+new-est+trk", "ct_state=+new-est+trk" },
        { "ct_state=0x21/0x21", "ct_state=+new+trk" }, { "ct_state=new|est", "ct_state=new|est" }, { "ct_state=0", "ct_state=0" },
        { "ct_state=0/1", "ct_state=-new" }, { "ct_mark=5/7", "ct_mark=0x5/0x7" }, { "ct_label=5/0xff", "ct_label=0x5/0xff" },
        { "mpls,mpls_label=5,mpls_tc=2,mpls_bos=1,mpls_ttl=3", "mpls,mpls_label=5,mpls_tc=2,mpls_ttl=3,mpls_bos=1" },
        { "ip,ip_frag=no", "ip,nw_frag=no" }, { "ip,nw_frag=first", "ip,nw_frag=first" }, { "ip,nw_frag=not_later", "ip,nw_frag=not_later" },
        { "tcp,tcp_flags=+syn-ack", "tcp,tcp_flags=+syn-ack" }, { "tcp,tcp_flags=0x12", "tcp,tcp_flags=syn|ack" }, { "tcp,tcp_flags=0", "tcp,tcp_flags=0" },
        { "tcp,tcp_flags=+syn+[200]", "tcp,tcp_flags=+syn+[200]" }, { "icmp,icmp_type=8,icmp_code=0", "icmp,icmp_type=8,icmp_code=0" },
        { "icmp6,icmp_type=135,icmp_code=0,nd_target=::1,nd_sll=0:0:0:0:0:1", "icmp6,icmp_type=135,icmp_code=0,nd_target=::1,nd_sll=00:00:00:00:00:01" },
        { "arp,arp_spa=1.2.3.4,arp_tpa=1.2.3.4/24,arp_sha=0:0:0:0:0:1,arp_tha=0:0:0:0:0:2",
          "arp,arp_spa=1.2.3.4,arp_tpa=1.2.3.0/24,arp_sha=00:00:00:00:00:01,arp_tha=00:00:00:00:00:02" },
        { "arp,nw_src=1.2.3.4,nw_proto=1", "arp,arp_spa=1.2.3.4,arp_op=1" }, { "eth_dst=ff:ff:ff:ff:ff:ff/00:00:00:00:00:00", "" },
        { "ip,nw_src=10.0.0.1/255.0.0.255", "ip,nw_src=10.0.0.1/255.0.0.255" }, { "ipv6,ipv6_src=fe80::1/64,ipv6_dst=::/0", "ipv6,ipv6_src=fe80::/64" },
        { "ip nw_src=1.1.1.1\tnw_dst=2.2.2.2", "ip,nw_src=1.1.1.1,nw_dst=2.2.2.2" }, { "in_port=7,in_port=8", "in_port=8" },
        { "tcp,nw_src=1.2.3.4,nw_tos=4,nw_ecn=1,nw_ttl=3,tp_src=5,tp_dst=6,tcp_flags=+syn,in_port=3,dl_src=00:00:00:00:00:01,dl_vlan=3,reg1=5,"
          "metadata=3,tun_id=5,nw_frag=no,pkt_mark=1,ct_mark=4",
          "pkt_mark=0x1,ct_mark=0x4,tcp,reg1=0x5,tun_id=0x5,metadata=0x3,in_port=3,dl_vlan=3,dl_src=00:00:00:00:00:01,nw_src=1.2.3.4,nw_tos=4,"
          "nw_ecn=1,nw_ttl=3,nw_frag=no,tp_src=5,tp_dst=6,tcp_flags=+syn" },
        { "ip,ct_state=+trk+est,ct_nw_src=1.2.3.4,ct_nw_proto=6,ct_tp_src=80,ct_tp_dst=80/0xf0",
          "ct_state=+est+trk,ct_nw_src=1.2.3.4,ct_nw_proto=6,ct_tp_src=80,ct_tp_dst=0x50/0xf0,ip" },
        { "ct_state=est,ipv6,ct_ipv6_src=::1", "ct_state=est,ct_ipv6_src=::1,ipv6" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct match m, again;
        parse(rows[i].in, &m);
        struct text t = TEXT_INIT;
        match_format(&m, NULL, &t);
        ck_assert_msg(!strcmp(text_str(&t), rows[i].out), "%s\n  is   %s\n  want %s", rows[i].in, text_str(&t), rows[i].out);
        parse(text_str(&t), &again);
        ck_assert_msg(match_equal(&m, &again), "%s: text and match differ", rows[i].in);
        text_fini(&t);
    }
}
END_TEST

START_TEST(bad_texts)
{
    static const struct { const char *in, *says; } rows[] = {
        { "tpc", "did you mean \"tcp\"" }, { "nw_scr=1.1.1.1", "did you mean \"nw_src\"" }, { "ip=5", "takes no value" },
        { "ip,nw_src", "needs a value" }, { "nw_src=", "needs a value" }, { "ip,nw_src=1.1.1.1.1", "no IPv4 address" },
        { "zzzzzzzzz=1", "no field to match" }, { "in_port=\"a,b\"", "is no port" }, { "packet_type=(1,0x800", "no packet type" },
        { "=5", "no field" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct match m;
        struct error *e = match_parse(rows[i].in, NULL, &m);
        ck_assert_msg(e != NULL, "accepts %s", rows[i].in);
        ck_assert_msg(strstr(error_text(e), rows[i].says), "\"%s\" does not say \"%s\"", error_text(e), rows[i].says);
        error_free(e);
    }
}
END_TEST

START_TEST(words_of_others)
{
    struct match m;
    bool used = true;
    match_init_any(&m);
    ck_assert_ptr_null(match_parse_word("priority", "5", NULL, &m, &used));
    ck_assert(!used && match_is_any(&m));
    ck_assert_ptr_null(match_parse_word("tp_dst", "5", NULL, &m, &used));
    ck_assert(used && !match_is_any(&m));
}
END_TEST

START_TEST(normalising)
{
    static const struct { const char *in, *out; } rows[] = {
        { "tp_src=5", "" }, { "nw_src=1.2.3.4", "" }, { "nw_proto=6", "" }, { "nw_proto=6,tp_src=5", "" }, { "ip,tp_src=5", "ip" },
        { "ipv6,nw_src=1.1.1.1", "ipv6" }, { "ipv6,arp_op=1", "ipv6,nw_proto=1" },
        { "mpls,tp_src=3", "mpls" }, { "ip,mpls_label=3", "ip" }, { "arp,nw_tos=4", "arp" }, { "icmp6,nd_target=::1", "icmp6" },
        { "icmp6,icmp_type=135,icmp_code=0,nd_tll=0:0:0:0:0:1", "icmp6,icmp_type=135,icmp_code=0" }, { "dl_type=0x1234,nw_frag=no", "dl_type=0x1234" },
        { "ip,ct_nw_src=1.1.1.1", "ip" }, { "tcp,tp_src=5,reg0=1,dl_vlan=3", "tcp,reg0=0x1,dl_vlan=3,tp_src=5" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct match m, want;
        parse(rows[i].in, &m);
        parse(rows[i].out, &want);
        bool same = match_equal(&m, &want);
        ck_assert_int_eq(match_normalise(&m), !same);
        struct text t = TEXT_INIT;
        match_format(&m, NULL, &t);
        ck_assert_msg(match_equal(&m, &want), "%s: is %s", rows[i].in, text_str(&t));
        ck_assert(!match_normalise(&m));
        text_fini(&t);
    }
}
END_TEST

/* Matches over six bits of two registers and a port, and all 64 packets. */
static void roll_small(struct dice *d, struct match *m)
{
    match_init_any(m);
    union field_value v = { { 0 } }, mask = { { 0 } };
    for (int i = 0; i < 2; i++) {
        v.be32 = htobe32(roll(d, 8));
        mask.be32 = htobe32(roll(d, 8));
        v.be32 &= mask.be32;
        match_set(m, field_by_id(i ? FIELD_REG9 : FIELD_REG0), &v, &mask);
    }
}

START_TEST(algebra)
{
    struct dice d = { 5 };
    struct fields packets[64];
    memset(packets, 0, sizeof packets);
    for (int i = 0; i < 64; i++) {
        packets[i].reg[0] = i & 7;
        packets[i].reg[9] = i >> 3;
    }
    int n_covers = 0, n_overlaps = 0;
    for (int round = 0; round < 3000; round++) {
        struct match a, b;
        roll_small(&d, &a);
        roll_small(&d, &b);
        bool covers = true, overlaps = false;
        struct minimatch mini;
        minimatch_init(&mini, &a);
        for (int i = 0; i < 64; i++) {
            bool in_a = (packets[i].reg[0] & a.mask.reg[0]) == a.value.reg[0] && (packets[i].reg[9] & a.mask.reg[9]) == a.value.reg[9];
            ck_assert_int_eq(match_covers_fields(&a, &packets[i]), in_a);
            ck_assert_int_eq(minimatch_covers_fields(&mini, &packets[i]), in_a);
            bool in_b = match_covers_fields(&b, &packets[i]);
            covers &= in_a || !in_b;
            overlaps |= in_a && in_b;
        }
        ck_assert_int_eq(match_covers(&a, &b), covers);
        ck_assert_int_eq(match_overlaps(&a, &b), overlaps);
        n_covers += covers;
        n_overlaps += overlaps;
        if (match_equal(&a, &b)) {
            ck_assert_uint_eq(match_hash(&a, 1), match_hash(&b, 1));
        }
        minimatch_fini(&mini);
    }
    ck_assert(n_covers > 100 && n_covers < 2900 && n_overlaps > 100 && n_overlaps < 2900);
}
END_TEST

START_TEST(small_form)
{
    struct dice d = { 6 };
    for (int round = 0; round < 500; round++) {
        struct match m, back;
        memset(&m, 0, sizeof m);
        for (uint32_t n = roll(&d, 20); n > 0; n--) {
            uint32_t at = roll(&d, sizeof m.mask);
            ((uint8_t *) &m.mask)[at] = roll(&d, 256);
            ((uint8_t *) &m.value)[at] = roll(&d, 256) & ((uint8_t *) &m.mask)[at];
        }
        struct minimatch a, b;
        minimatch_init(&a, &m);
        minimatch_expand(&a, &back);
        ck_assert(match_equal(&m, &back));
        minimatch_init(&b, &back);
        ck_assert(minimatch_equal(&a, &b));
        struct fields packet;
        roll_bytes(&d, &packet, sizeof packet);
        ck_assert_int_eq(minimatch_covers_fields(&a, &packet), match_covers_fields(&m, &packet));
        ck_assert(minimatch_covers_fields(&a, &m.value));
        minimatch_fini(&b);
        if (!match_is_any(&m)) {
            ((uint64_t *) &back.value)[0] ^= ((uint64_t *) &back.mask)[0];
            minimatch_init(&b, &back);
            ck_assert_int_eq(minimatch_equal(&a, &b), match_equal(&m, &back));
            minimatch_fini(&b);
        }
        minimatch_fini(&a);
    }
}
END_TEST

/* Any match that text can say comes back the same. */
START_TEST(random_matches)
{
    struct dice d = { 7 + _i };
    static const char *const protocols[] = { "ip", "ipv6", "tcp", "udp6", "icmp", "icmp6,icmp_type=135,icmp_code=0", "arp", "mpls", "sctp", "dl_type=0x88cc", "" };
    for (int round = 0; round < 500; round++) {
        struct match m, again;
        parse(protocols[roll(&d, ARRAY_SIZE(protocols))], &m);
        for (uint32_t n = roll(&d, 8); n > 0; n--) {
            const struct field *f = field_by_id(roll(&d, FIELD_N));
            union field_value v = { { 0 } }, mask = { { 0 } };
            if (f->id == FIELD_ETH_TYPE || f->id == FIELD_IP_PROTO || f->form == FORM_PORT || f->form == FORM_FRAG ||
                f->id == FIELD_PACKET_TYPE || !field_prerequisite_holds(f, &m.value, NULL)) {
                continue;
            }
            roll_bytes(&d, v.b, f->n_bytes);
            roll_bytes(&d, mask.b, f->n_bytes);
            for (int i = 0; i < f->n_bytes; i++) {
                mask.b[i] = f->maskable && roll(&d, 2) ? mask.b[i] & f->valid.b[i] : f->valid.b[i];
                v.b[i] &= mask.b[i];
            }
            match_set(&m, f, &v, &mask);
        }
        match_normalise(&m);
        struct text t = TEXT_INIT;
        match_format(&m, NULL, &t);
        parse(text_str(&t), &again);
        struct text u = TEXT_INIT;
        match_format(&again, NULL, &u);
        ck_assert_msg(match_equal(&m, &again), "%s\n%s", text_str(&t), text_str(&u));
        text_fini(&t);
        text_fini(&u);
    }
}
END_TEST

TCase *match_tcase(void)
{
    TCase *tc = tcase_create("match");
    tcase_add_test(tc, texts);
    tcase_add_test(tc, bad_texts);
    tcase_add_test(tc, words_of_others);
    tcase_add_test(tc, normalising);
    tcase_add_test(tc, algebra);
    tcase_add_test(tc, small_form);
    tcase_add_loop_test(tc, random_matches, 0, 8);
    return tc;
}
