/* SPDX-License-Identifier: Apache-2.0 */
/* Each field: codes, access, text; subfields; prerequisites. */
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/flow/match.h"
#include "lib/packet/headers.h"
#include "tests/unit/lib/flow/flow_tests.h"
#include "tests/unit/lib/flow/random.h"

/* A value that the field may have. */
static void roll_value(struct dice *d, const struct field *f, union field_value *v)
{
    memset(v, 0, sizeof *v);
    roll_bytes(d, v->b, f->n_bytes);
    for (int i = 0; i < f->n_bytes; i++) {
        v->b[i] &= f->valid.b[i];
    }
    if (f->form == FORM_PORT) {
        v->b[0] = 0;
        v->b[f->n_bytes - 2] &= 0x7f;
        if (f->n_bytes == 4) {
            v->b[1] = 0;
        }
    }
    if (f->form == FORM_FRAG && v->b[0] == FRAG_LATER) {
        v->b[0] = 0;
    }
}

START_TEST(look_up)
{
    const struct field *f = field_by_id(_i);
    ck_assert_int_eq(f->id, _i);
    ck_assert_ptr_eq(field_by_name(f->name), f);
    ck_assert_ptr_eq(field_by_any_name(f->name), f);
    if (f->alias) {
        ck_assert_ptr_eq(field_by_name(f->alias), f);
    }
    if (f->oxm_header) {
        ck_assert_ptr_eq(field_by_oxm(f->oxm_header), f);
        ck_assert_ptr_eq(field_by_oxm(f->oxm_header | 0x100), f);
        ck_assert_ptr_eq(field_by_any_name(f->oxm_name), f);
        ck_assert_uint_eq(f->oxm_header & 0xff, f->n_bytes);
        ck_assert_uint_ge(f->oxm_version, 3);
    }
    if (f->nxm_header) {
        ck_assert_ptr_eq(field_by_oxm(f->nxm_header), f);
        ck_assert_ptr_eq(field_by_any_name(f->code_name), f);
    }
    if (f->experimenter) {
        ck_assert_ptr_eq(field_by_experimenter(f->experimenter, f->experimenter_field), f);
    }
    ck_assert(f->n_bits <= f->n_bytes * 8);
    ck_assert(*f->help);
}
END_TEST

START_TEST(codes)
{
    /* From the OpenFlow 1.5.1 table of section 7.2.3.7 and the manual of the extensions. */
    static const struct { enum field_id id; uint32_t oxm, nxm; } rows[] = {
        { FIELD_IN_PORT, 0, 0x00000002 }, { FIELD_IN_PORT_OXM, 0x80000004, 0 }, { FIELD_METADATA, 0x80000408, 0 },
        { FIELD_ETH_DST, 0x80000606, 0x00000206 }, { FIELD_ETH_SRC, 0x80000806, 0x00000406 },
        { FIELD_ETH_TYPE, 0x80000a02, 0x00000602 }, { FIELD_VLAN_TCI, 0, 0x00000802 },
        { FIELD_VLAN_VID, 0x80000c02, 0 }, { FIELD_VLAN_PCP, 0x80000e01, 0 }, { FIELD_IP_DSCP, 0x80001001, 0 },
        { FIELD_IP_ECN, 0x80001201, 0x00013801 }, { FIELD_IP_PROTO, 0x80001401, 0x00000c01 },
        { FIELD_IPV4_SRC, 0x80001604, 0x00000e04 }, { FIELD_TCP_DST, 0x80001c02, 0x00001402 },
        { FIELD_ARP_OP, 0x80002a02, 0x00001e02 }, { FIELD_IPV6_SRC, 0x80003410, 0x00012610 },
        { FIELD_IPV6_LABEL, 0x80003804, 0x00013604 }, { FIELD_ND_TARGET, 0x80003e10, 0x00012e10 },
        { FIELD_TUN_ID, 0x80004c08, 0x00012008 }, { FIELD_REG0, 0, 0x00010004 }, { FIELD_REG15, 0, 0x00011e04 },
        { FIELD_XREG7, 0x80010e08, 0 }, { FIELD_XXREG0, 0, 0x0001de10 }, { FIELD_CT_STATE, 0, 0x0001d204 },
        { FIELD_TUN_SRC, 0, 0x00013e04 }, { FIELD_TCP_FLAGS, 0x80005402, 0x00014402 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct field *f = field_by_id(rows[i].id);
        ck_assert_msg(f->oxm_header == rows[i].oxm && f->nxm_header == rows[i].nxm, "%s: %#x and %#x", f->name,
                      f->oxm_header, f->nxm_header);
    }
    ck_assert_ptr_null(field_by_oxm(0x80007e04));
    ck_assert_ptr_null(field_by_oxm(0xffff0004));
    ck_assert_ptr_null(field_by_name("nw_sorc"));
    ck_assert_str_eq(field_nearest("nw_sorc")->name, "ip_src");
}
END_TEST

START_TEST(get_and_set)
{
    const struct field *f = field_by_id(_i);
    struct dice d = { _i + 1 };
    for (int round = 0; round < 100; round++) {
        struct fields s, before, bits;
        union field_value v, back, mask;
        roll_bytes(&d, &s, sizeof s);
        before = s;
        roll_value(&d, f, &v);
        ck_assert(field_value_is_valid(f, &v));
        field_set(f, &v, &s);
        field_get(f, &s, &back);
        ck_assert_mem_eq(&v, &back, sizeof v);

        /* Nothing else changed. */
        memset(&bits, 0, sizeof bits);
        field_mask_add(f, NULL, &bits);
        bits.key.l2.vlan[0].tpid = 0xffff;   /* Follows the tag. */
        uint64_t differ = 0;
        for (size_t i = 0; i < sizeof s / 8; i++) {
            differ |= (((uint64_t *) &s)[i] ^ ((uint64_t *) &before)[i]) & ~((uint64_t *) &bits)[i];
        }
        ck_assert_uint_eq(differ, 0);

        /* Some of its bits. */
        roll_value(&d, f, &mask);
        union field_value new;
        roll_value(&d, f, &new);
        field_set_masked(f, &new, &mask, &s);
        field_get(f, &s, &back);
        for (int i = 0; i < f->n_bytes; i++) {
            v.b[i] = (v.b[i] & ~mask.b[i]) | (new.b[i] & mask.b[i]);
        }
        if (f->form != FORM_PORT) {
            ck_assert_mem_eq(&back, &v, sizeof v);
        }
    }
}
END_TEST

START_TEST(matching_part_of_a_field)
{
    const struct field *f = field_by_id(_i);
    struct dice d = { _i + 1000 };
    for (int round = 0; round < 100; round++) {
        struct match m;
        union field_value v, mask, got, got_mask;
        match_init_any(&m);
        roll_value(&d, f, &v);
        roll_value(&d, f, &mask);
        if (!f->maskable) {
            field_all_ones(f, &mask);
        }
        for (int i = 0; i < f->n_bytes; i++) {
            v.b[i] &= mask.b[i];
        }
        if (f->id == FIELD_PACKET_TYPE && field_is_zero(f, &v)) {
            continue;
        }
        match_set(&m, f, &v, &mask);
        field_get(f, &m.value, &got);
        field_get(f, &m.mask, &got_mask);
        ck_assert_mem_eq(&got, &v, sizeof v);
        ck_assert_mem_eq(&got_mask, &mask, sizeof mask);
        ck_assert_int_eq(match_is_any(&m), field_is_zero(f, &mask));
        /* A packet with that value matches; setting the field again leaves nothing of the first value. */
        struct fields packet;
        roll_bytes(&d, &packet, sizeof packet);
        field_set(f, &v, &packet);
        ck_assert(match_covers_fields(&m, &packet));
        memset(&mask, 0, sizeof mask);
        match_set(&m, f, &v, &mask);
        ck_assert(match_is_any(&m));
    }
}
END_TEST

START_TEST(text_and_back)
{
    const struct field *f = field_by_id(_i);
    struct dice d = { _i + 2000 };
    for (int round = 0; round < 100; round++) {
        union field_value v, mask, back, back_mask;
        roll_value(&d, f, &v);
        field_all_ones(f, &mask);
        if (f->maskable && round % 2) {
            roll_value(&d, f, &mask);
            if (field_is_zero(f, &mask)) {
                continue;
            }
            if (f->form == FORM_FRAG) {
                /* Some combinations mean the same. */
                mask.b[0] = FRAG_ANY | FRAG_LATER;
            }
        }
        for (int i = 0; i < f->n_bytes; i++) {
            v.b[i] &= mask.b[i];
        }
        struct text t = TEXT_INIT;
        field_format(f, &v, &mask, NULL, &t);
        struct error *e = field_parse(f, text_str(&t), NULL, &back, &back_mask);
        ck_assert_msg(!e, "%s=%s: %s", f->name, text_str(&t), e ? error_text(e) : "");
        ck_assert_msg(!memcmp(&v, &back, sizeof v), "%s=%s: another value", f->name, text_str(&t));
        ck_assert_msg(!memcmp(&mask, &back_mask, sizeof v), "%s=%s: another mask", f->name, text_str(&t));
        text_fini(&t);
    }
}
END_TEST

START_TEST(texts)
{
    static const struct { enum field_id id; const char *in, *out; } rows[] = {
        { FIELD_IPV4_SRC, "10.1.2.3/255.255.0.0", "10.1.2.3/16" }, { FIELD_IPV4_SRC, "10.1.2.3/255.0.255.0", "10.1.2.3/255.0.255.0" },
        { FIELD_IPV6_DST, "FE80::1/64", "fe80::1/64" }, { FIELD_ETH_DST, "1:2:3:4:5:6", "01:02:03:04:05:06" },
        { FIELD_ETH_DST, "01:00:00:00:00:00/01:00:00:00:00:00", "01:00:00:00:00:00/01:00:00:00:00:00" },
        { FIELD_TCP_DST, "80/0xff", "80/0xff" }, { FIELD_TCP_DST, "0x50", "80" }, { FIELD_REG0, "0", "0" },
        { FIELD_REG0, "5/0xFF", "0x5/0xff" }, { FIELD_METADATA, "0xffffffffffffffff", "0xffffffffffffffff" },
        { FIELD_XXREG0, "0x123456789abcdef0123456789abcdef", "0x123456789abcdef0123456789abcdef" },
        { FIELD_XXREG0, "340282366920938463463374607431768211455", "0xffffffffffffffffffffffffffffffff" },
        { FIELD_IN_PORT_OXM, "local", "LOCAL" }, { FIELD_IN_PORT, "65533", "CONTROLLER" }, { FIELD_IN_PORT, "7", "7" },
        { FIELD_IP_FRAG, "not_later", "not_later" }, { FIELD_IP_FRAG, "YES", "yes" }, { FIELD_TCP_FLAGS, "+syn-ack", "+syn-ack" },
        { FIELD_TCP_FLAGS, "0x12", "syn|ack" }, { FIELD_TCP_FLAGS, "0x2/0xfff", "syn" }, { FIELD_CT_STATE, "+trk-new", "-new+trk" },
        { FIELD_TUN_FLAGS, "oam", "oam" }, { FIELD_PACKET_TYPE, "(1,0x800)", "(1,0x800)" }, { FIELD_CT_LABEL, "5/7", "0x5/0x7" },
        { FIELD_ETH_SRC, "*", "ANY" }, { FIELD_CT_STATE, "0", "0" }, { FIELD_VLAN_VID, "0x1005/0x1fff", "4101" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        union field_value v, mask;
        struct error *e = field_parse(field_by_id(rows[i].id), rows[i].in, NULL, &v, &mask);
        ck_assert_msg(!e, "%s: %s", rows[i].in, e ? error_text(e) : "");
        struct text t = TEXT_INIT;
        field_format(field_by_id(rows[i].id), &v, &mask, NULL, &t);
        ck_assert_str_eq(text_str(&t), rows[i].out);
        text_fini(&t);
    }
}
END_TEST

START_TEST(bad_texts)
{
    static const struct { enum field_id id; const char *in, *says; } rows[] = {
        { FIELD_IPV4_SRC, "10.0.0", "no IPv4 address" }, { FIELD_IPV4_SRC, "10.0.0.1/33", "no IPv4 address" },
        { FIELD_IPV6_SRC, ":::", "no IPv6 address" }, { FIELD_ETH_SRC, "1:2:3:4:5", "no Ethernet address" },
        { FIELD_ETH_SRC, "1:2:3:4:5:6/7", "no mask of an Ethernet address" }, { FIELD_TCP_DST, "65536", "too large" },
        { FIELD_TCP_DST, "-1", "no number" }, { FIELD_TCP_DST, "80/", "no number" }, { FIELD_TCP_DST, "", "no number" },
        { FIELD_REG0, "0x", "no number" }, { FIELD_XXREG0, "0x100000000000000000000000000000000", "too large" },
        { FIELD_XXREG0, "340282366920938463463374607431768211456", "too large" },
        { FIELD_IP_FRAG, "maybe", "no, yes, first, later, not_later" }, { FIELD_IP_FRAG, "no/3", "no mask" },
        { FIELD_IN_PORT, "eth0", "is no port" }, { FIELD_IN_PORT, "70000", "no port number" },
        { FIELD_IN_PORT_OXM, "4294967000", "no port number" }, { FIELD_TCP_FLAGS, "+syn+syn", "twice" },
        { FIELD_TCP_FLAGS, "syn|foo", "\"foo\" is no TCP flag" }, { FIELD_TCP_FLAGS, "+syn,ack", "no TCP flag" },
        { FIELD_TCP_FLAGS, "0x1000", "bits that no TCP flag has" }, { FIELD_CT_STATE, "+", "is no ct_state flag" },
        { FIELD_IP_PROTO, "6/7", "takes no mask" }, { FIELD_NW_TOS, "3", "may be set are 0xfc" },
        { FIELD_VLAN_VID, "0x2000", "may be set are 0x1fff" }, { FIELD_PACKET_TYPE, "1,2", "no packet type" },
        { FIELD_ARP_OP, "256", "0xff" }, { FIELD_CONJ_ID, "1/1", "takes no mask" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        union field_value v, mask;
        struct error *e = field_parse(field_by_id(rows[i].id), rows[i].in, NULL, &v, &mask);
        ck_assert_msg(e != NULL, "%s accepts \"%s\"", field_by_id(rows[i].id)->name, rows[i].in);
        ck_assert_msg(strstr(error_text(e), rows[i].says), "\"%s\" does not say \"%s\"", error_text(e), rows[i].says);
        error_free(e);
    }
}
END_TEST

/* ---- Ports by name ---- */

static bool name_to_number(const struct port_names *names, const char *name, ofp_port *port)
{
    (void) names;
    *port = !strcmp(name, "eth0") ? 5 : !strcmp(name, "vm-1") ? 6 : !strcmp(name, "p_1") ? 8 : 0;
    return *port;
}

static const char *number_to_name(const struct port_names *names, ofp_port port)
{
    (void) names;
    return port == 5 ? "eth0" : port == 6 ? "vm-1" : port == 8 ? "p_1" : NULL;
}

START_TEST(port_texts)
{
    static const struct port_names names = { name_to_number, number_to_name };
    static const struct { const char *in, *out; } rows[] = {
        { "eth0", "eth0" }, { "\"eth0\"", "eth0" }, { "vm-1", "\"vm-1\"" }, { "6", "\"vm-1\"" }, { "7", "7" },
        { "p_1", "\"p_1\"" }, { "in_port", "IN_PORT" }, { "None", "ANY" }, { "65534", "LOCAL" }, { "0xfffffffe", "LOCAL" }, { "65279", "65279" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ofp_port port;
        struct error *e = port_number_parse(rows[i].in, &names, &port);
        ck_assert_msg(!e, "%s", e ? error_text(e) : "");
        struct text t = TEXT_INIT;
        port_number_format(port, &names, &t);
        ck_assert_str_eq(text_str(&t), rows[i].out);
        text_fini(&t);
    }
    ofp_port port;
    struct error *e = port_number_parse("eth1", &names, &port);
    ck_assert_ptr_nonnull(e);
    error_free(e);
    e = port_number_parse("65280x", NULL, &port);
    ck_assert_ptr_nonnull(e);
    error_free(e);
}
END_TEST

START_TEST(port_numbers_of_two_versions)
{
    struct fields s;
    union field_value v;
    memset(&s, 0, sizeof s);
    s.in_port = 0xfffffffe;
    field_get(field_by_id(FIELD_IN_PORT), &s, &v);
    ck_assert_uint_eq(v.be16, htobe16(0xfffe));
    v.be16 = htobe16(0xfffd);
    field_set(field_by_id(FIELD_IN_PORT), &v, &s);
    ck_assert_uint_eq(s.in_port, 0xfffffffd);
    v.be16 = htobe16(5);
    field_set(field_by_id(FIELD_IN_PORT), &v, &s);
    ck_assert_uint_eq(s.in_port, 5);
}
END_TEST

START_TEST(vlan_fields_make_and_take_tags)
{
    struct fields s;
    union field_value v = { { 0 } };
    memset(&s, 0, sizeof s);
    v.be16 = htobe16(5);
    field_set(field_by_id(FIELD_DL_VLAN), &v, &s);
    ck_assert_uint_eq(s.key.l2.vlan[0].tci, htobe16(0x1005));
    ck_assert_uint_eq(s.key.l2.vlan[0].tpid, htobe16(0x8100));
    s.key.l2.vlan[0].tpid = htobe16(0x88a8);
    v.b[0] = 3;
    field_set(field_by_id(FIELD_VLAN_PCP), &v, &s);
    ck_assert_uint_eq(s.key.l2.vlan[0].tci, htobe16(0x7005));
    ck_assert_uint_eq(s.key.l2.vlan[0].tpid, htobe16(0x88a8));
    v.be16 = 0;
    field_set(field_by_id(FIELD_VLAN_TCI), &v, &s);
    ck_assert(!s.key.l2.vlan[0].tci && !s.key.l2.vlan[0].tpid);
}
END_TEST

/* ---- Subfields ---- */

START_TEST(subfields_against_bits)
{
    const struct field *f = field_by_id(_i);
    struct dice d = { _i + 3000 };
    if (f->form == FORM_PORT || f->store == STORE_DL_VLAN || f->store == STORE_VLAN_PCP || f->id == FIELD_NW_TOS ||
        f->id == FIELD_ARP_OP || f->id == FIELD_CT_STATE) {
        return;   /* Not every bit can be set. */
    }
    for (int round = 0; round < 100; round++) {
        struct fields s;
        roll_bytes(&d, &s, sizeof s);
        struct subfield sf = { f, roll(&d, f->n_bits), 0 };
        sf.n_bits = 1 + roll(&d, f->n_bits - sf.ofs);
        union field_value whole, part, after, naive = { { 0 } };
        field_get(f, &s, &whole);
        subfield_get(&sf, &s, &part);
        for (unsigned bit = 0; bit < sf.n_bits; bit++) {
            unsigned from = sf.ofs + bit;
            naive.b[15 - bit / 8] |= (whole.b[f->n_bytes - 1 - from / 8] >> from % 8 & 1) << bit % 8;
        }
        ck_assert_mem_eq(&part, &naive, sizeof part);
        if (sf.n_bits <= 64) {
            ck_assert_uint_eq(subfield_get_u64(&sf, &s), get_be64(naive.b + 8));
        }
        bool good = true;
        roll_bytes(&d, &part, sizeof part);
        subfield_set(&sf, &part, &s);
        field_get(f, &s, &after);
        for (unsigned bit = 0; bit < f->n_bits; bit++) {
            unsigned byte = f->n_bytes - 1 - bit / 8;
            bool is = after.b[byte] >> bit % 8 & 1;
            bool inside = bit >= sf.ofs && bit < sf.ofs + sf.n_bits;
            unsigned from = bit - sf.ofs;
            bool want = inside ? part.b[15 - from / 8] >> from % 8 & 1 : whole.b[byte] >> bit % 8 & 1;
            good &= is == want;
        }
        ck_assert(good);
        struct fields wc;
        memset(&wc, 0, sizeof wc);
        subfield_mask_add(&sf, &wc);
        field_get(f, &wc, &after);
        for (unsigned bit = 0; bit < f->n_bits; bit++) {
            good &= (after.b[f->n_bytes - 1 - bit / 8] >> bit % 8 & 1) == (bit >= sf.ofs && bit < sf.ofs + sf.n_bits);
        }
        ck_assert(good);
    }
}
END_TEST

START_TEST(subfield_texts)
{
    static const struct { const char *in, *out; } rows[] = {
        { "NXM_NX_REG0[0..15]", "NXM_NX_REG0[0..15]" }, { "reg0[]", "NXM_NX_REG0[]" }, { "reg0", "NXM_NX_REG0[]" },
        { "nxm_of_eth_src[]", "NXM_OF_ETH_SRC[]" }, { "OXM_OF_IPV4_DST[3]", "NXM_OF_IP_DST[3]" },
        { "nw_src[0..31]", "NXM_OF_IP_SRC[]" }, { "metadata[0..9]", "OXM_OF_METADATA[0..9]" },
        { "xxreg1[96..127]", "NXM_NX_XXREG1[96..127]" }, { "vlan_pcp", "OXM_OF_VLAN_PCP[]" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct subfield sf;
        struct error *e = subfield_parse(rows[i].in, &sf);
        ck_assert_msg(!e, "%s: %s", rows[i].in, e ? error_text(e) : "");
        struct text t = TEXT_INIT;
        subfield_format(&sf, &t);
        ck_assert_str_eq(text_str(&t), rows[i].out);
        text_fini(&t);
    }
    static const char *const bad[] = { "reg0[0..32]", "reg0[5..4]", "reg0[", "reg0[1..]", "reg0[1]x", "reg0[-1]", "rge0",
                                       "", "reg0[1..2", "reg0[99999999999]" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct subfield sf;
        struct error *e = subfield_parse(bad[i], &sf);
        ck_assert_msg(e != NULL, "accepts %s", bad[i]);
        error_free(e);
    }
}
END_TEST

/* ---- Prerequisites ---- */

START_TEST(prerequisites)
{
    static const struct { enum field_id id; const char *match; bool holds; } rows[] = {
        { FIELD_IPV4_SRC, "ip", true }, { FIELD_IPV4_SRC, "ipv6", false }, { FIELD_IPV4_SRC, "arp", false },
        { FIELD_ARP_SPA, "arp", true }, { FIELD_ARP_SPA, "rarp", true }, { FIELD_ARP_SPA, "ip", false },
        { FIELD_IP_DSCP, "ipv6", true }, { FIELD_IP_DSCP, "dl_type=0x1234", false }, { FIELD_TCP_SRC, "tcp", true },
        { FIELD_TCP_SRC, "tcp6", true }, { FIELD_TCP_SRC, "udp", false }, { FIELD_TCP_SRC, "tcp,nw_frag=later", false },
        { FIELD_TCP_SRC, "tcp,nw_frag=first", true }, { FIELD_UDP_DST, "udp6", true }, { FIELD_SCTP_SRC, "sctp", true },
        { FIELD_ICMP_TYPE, "icmp", true }, { FIELD_ICMP_TYPE, "icmp6", false }, { FIELD_ICMPV6_TYPE, "icmp6", true },
        { FIELD_ND_TARGET, "icmp6,icmp_type=135,icmp_code=0", true }, { FIELD_ND_TARGET, "icmp6,icmp_type=128", false },
        { FIELD_ND_SLL, "icmp6,icmp_type=136,icmp_code=0", false }, { FIELD_ND_TLL, "icmp6,icmp_type=136,icmp_code=0", true },
        { FIELD_ND_TARGET, "icmp6,icmp_type=135,icmp_code=1", false }, { FIELD_MPLS_LABEL, "mpls", true },
        { FIELD_MPLS_LABEL, "mplsm", true }, { FIELD_MPLS_LABEL, "ip", false }, { FIELD_VLAN_PCP, "dl_vlan=5", true },
        { FIELD_VLAN_PCP, "vlan_tci=0", false }, { FIELD_VLAN_VID, "", true }, { FIELD_REG0, "", true },
        { FIELD_CT_NW_SRC, "ip,ct_state=+trk-inv", true }, { FIELD_CT_NW_SRC, "ip", false },
        { FIELD_CT_NW_SRC, "ip,ct_state=+trk+inv", false }, { FIELD_CT_IPV6_SRC, "ip,ct_state=+trk-inv", false },
        { FIELD_CT_TP_DST, "ipv6,ct_state=+est", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct match m;
        struct error *e = match_parse(rows[i].match, NULL, &m);
        ck_assert_msg(!e, "%s", e ? error_text(e) : "");
        struct fields wc, other;
        memset(&wc, 0, sizeof wc);
        const struct field *f = field_by_id(rows[i].id);
        ck_assert_msg(field_prerequisite_holds(f, &m.value, NULL) == rows[i].holds, "%s and %s", rows[i].match, f->name);
        ck_assert_int_eq(field_prerequisite_holds(f, &m.value, &wc), rows[i].holds);

        /* The answer is the same for every packet that agrees with this one in the un-wildcarded bits. */
        struct dice d = { i };
        for (int round = 0; round < 100; round++) {
            roll_bytes(&d, &other, sizeof other);
            for (size_t j = 0; j < sizeof other; j++) {
                uint8_t bits = ((uint8_t *) &wc)[j];
                ((uint8_t *) &other)[j] = (((uint8_t *) &m.value)[j] & bits) | (((uint8_t *) &other)[j] & ~bits);
            }
            other.packet_type = 0;
            if (f->prerequisite != PREREQUISITE_CT) {
                ck_assert_int_eq(field_prerequisite_holds(f, &other, NULL), rows[i].holds);
            }
        }
    }
}
END_TEST

TCase *fields_tcase(void)
{
    TCase *tc = tcase_create("fields");
    tcase_add_loop_test(tc, look_up, 0, FIELD_N);
    tcase_add_test(tc, codes);
    tcase_add_loop_test(tc, get_and_set, 0, FIELD_N);
    tcase_add_loop_test(tc, matching_part_of_a_field, 0, FIELD_N);
    tcase_add_loop_test(tc, text_and_back, 0, FIELD_N);
    tcase_add_test(tc, texts);
    tcase_add_test(tc, bad_texts);
    tcase_add_test(tc, port_texts);
    tcase_add_test(tc, port_numbers_of_two_versions);
    tcase_add_test(tc, vlan_fields_make_and_take_tags);
    tcase_add_loop_test(tc, subfields_against_bits, 0, FIELD_N);
    tcase_add_test(tc, subfield_texts);
    tcase_add_test(tc, prerequisites);
    return tc;
}
