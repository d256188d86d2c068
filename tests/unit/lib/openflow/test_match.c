/* SPDX-License-Identifier: Apache-2.0 */
/* Matches on the wire: OXM, NXM and 1.0's own, with the errors of each. */
#include "lib/openflow/wire.h"
#include "tests/unit/lib/openflow/openflow_tests.h"

static void parse(const char *text, struct match *m)
{
    match_init_any(m);
    MUST(match_parse(text, NULL, m));
}

static void check_match(const struct match *m, const char *text)
{
    struct text t = TEXT_INIT;
    match_format(m, NULL, &t);
    ck_assert_str_eq(text_str(&t), text);
    text_fini(&t);
}

static const char *const matches[] = {
    "", "in_port=3", "in_port=LOCAL", "dl_src=00:01:02:03:04:05", "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00",
    "dl_type=0x1234", "dl_vlan=3", "dl_vlan=3,dl_vlan_pcp=5", "vlan_tci=0x1000/0x1000", "ip", "ip,nw_src=10.0.0.0/8",
    "ip,nw_dst=1.2.0.4/255.255.0.255", "ip,nw_tos=32", "ip,nw_ecn=1,nw_ttl=9", "ip,nw_frag=later", "tcp,tp_src=80,tp_dst=81",
    "tcp,tp_src=0x100/0xff00", "tcp,tcp_flags=+syn-ack", "udp,tp_dst=53", "sctp,tp_src=5", "icmp,icmp_type=8,icmp_code=0",
    "arp,arp_spa=1.2.3.4,arp_op=1", "arp,arp_sha=00:00:00:00:00:01,arp_tha=00:00:00:00:00:02", "rarp,arp_op=3",
    "ipv6,ipv6_src=fe80::/64,ipv6_dst=::1,ipv6_label=0x00005", "tcp6,tp_dst=80", "icmp6,icmp_type=128",
    "icmp6,icmp_type=135,nd_target=fe80::1,nd_sll=00:01:02:03:04:05", "icmp6,icmp_type=136,nd_tll=00:01:02:03:04:05",
    "reg0=0x5,reg15=0x1/0xff", "tun_id=0x5,tun_src=1.2.3.4", "tun_ipv6_dst=::1", "metadata=0x5/0xf", "pkt_mark=0x3",
    "ct_state=+trk", "mpls,mpls_label=5,mpls_tc=3,mpls_bos=1",
};

START_TEST(oxm_and_back)
{
    for (int i = 0; i < N_VERSIONS; i++) {
        struct match m, back;
        struct buffer b = BUFFER_INIT;
        parse(matches[_i], &m);
        if (all_versions[i] == OFP10) {
            nxm_encode(&b, &m, OFP10, 0, 0);
            match_init_any(&back);
            MUST(nxm_decode(reader_of(b.data, b.len), false, &back, NULL, NULL));
        } else {
            oxm_match_encode(&b, &m, all_versions[i]);
            ck_assert_uint_eq(b.len % 8, 0);
            struct reader r = reader_of(b.data, b.len);
            MUST(oxm_match_decode(&r, false, &back));
            ck_assert_uint_eq(reader_left(&r), 0);
        }
        check_match(&back, matches[_i]);
        ck_assert(match_equal(&m, &back));
        buffer_fini(&b);
    }
}
END_TEST

START_TEST(fixed_and_back)
{
    /* Which of the above the fixed match can say. */
    struct match m, back;
    struct buffer b = BUFFER_INIT;
    parse(matches[_i], &m);
    match10_encode(&b, &m);
    ck_assert_uint_eq(b.len, OFP10_MATCH_LEN);
    struct reader r = reader_of(b.data, b.len);
    MUST(match10_decode(&r, &back));
    static const char *const only_nxm[] = { "/01:", "/255", "ecn", "frag", "/0x", "tcp_flags", "sha", "ipv6", "nd_", "reg", "tun",
                                            "metadata", "mark", "ct_", "mpls_", "0x100/" };
    bool fits = true;
    for (size_t i = 0; i < ARRAY_SIZE(only_nxm); i++) {
        fits = fits && !strstr(matches[_i], only_nxm[i]);
    }
    ck_assert_int_eq(ofp_match_fits_10(&m), match_equal(&m, &back));
    if (fits && !strstr(matches[_i], "6,")) {
        ck_assert_msg(match_equal(&m, &back), "%s", matches[_i]);
    } else if (!fits) {
        ck_assert_msg(!match_equal(&m, &back), "%s", matches[_i]);
    }
    buffer_fini(&b);
}
END_TEST

/* Fields in hex, and how they are refused. */
static const struct { const char *hex; int code; } bad[] = {
    { "80000a020800", 0 },
    { "80000a0208", OFPERR_OFPBMC_BAD_LEN },                                     /* Cut short. */
    { "8000", OFPERR_OFPBMC_BAD_LEN },
    { "80000a0408000000", OFPERR_OFPBMC_BAD_LEN },                               /* Too long. */
    { "80017e0400000000", OFPERR_OFPBMC_BAD_FIELD },                             /* Unknown field. */
    { "12340a020800", OFPERR_OFPBMC_BAD_FIELD },                                 /* Unknown class. */
    { "80000a020800" "80000a020806", OFPERR_OFPBMC_DUP_FIELD },
    { "8000160401020304", OFPERR_OFPBMC_BAD_PREREQ },                            /* ip_src without eth_type */
    { "80000a020806" "8000160401020304", OFPERR_OFPBMC_BAD_PREREQ },
    { "80000a020800" "8000160401020304", 0 },
    { "80000a020800" "8000170801020304ffffff00", OFPERR_OFPBMC_BAD_WILDCARDS },  /* Bits outside of the mask. */
    { "80000a020800" "8000170801020300ffffff00", 0 },
    { "80000b040800ff00", OFPERR_OFPBMC_BAD_MASK },                              /* eth_type has no mask. */
    { "80000b040800ffff", 0 },
    { "80000c022003", OFPERR_OFPBMC_BAD_VALUE },                                 /* vlan_vid beyond 13 bits */
    { "80000c021003", 0 },
    { "80000c021003" "80000e0103", 0 },
    { "80000e0103", OFPERR_OFPBMC_BAD_PREREQ },                                  /* vlan_pcp without vlan_vid */
    { "80000c021003" "80000e0108", OFPERR_OFPBMC_BAD_VALUE },
    { "80000a020800" "8000140106" "80001a020050", 0 },                           /* tcp */
    { "80000a020800" "8000140111" "80001a020050", OFPERR_OFPBMC_BAD_PREREQ },    /* tcp_src of UDP */
    { "80000a020800" "8000100140", OFPERR_OFPBMC_BAD_VALUE },                    /* DSCP 64 */
    { "0001010800000005" "0000000f", 0 },                                        /* Nicira's reg0 */
    { "ffff000000000000", OFPERR_OFPBMC_BAD_LEN },                               /* Experimenter that is not there */
    { "ffff0004deadbeef", OFPERR_OFPBMC_BAD_FIELD },
};

START_TEST(bad_fields)
{
    uint8_t bytes[64];
    size_t n = parse_hex(bad[_i].hex, bytes, sizeof bytes);
    uint8_t *exact = xmemdup(bytes, n);
    struct match m;
    match_init_any(&m);
    struct error *error = nxm_decode(reader_of(exact, n), false, &m, NULL, NULL);
    ck_assert_msg(error_code(error) == bad[_i].code, "%s: %s", bad[_i].hex, error ? error_text(error) : "accepted");
    error_free(error);
    if (bad[_i].code == OFPERR_OFPBMC_BAD_FIELD) {   /* Replies may hold what we do not know. */
        match_init_any(&m);
        MUST(nxm_decode(reader_of(exact, n), true, &m, NULL, NULL));
        ck_assert(match_is_any(&m));
    }
    free(exact);
}
END_TEST

START_TEST(frames)
{
    static const struct { const char *hex; int code; } rows[] = {
        { "0001000400000000", 0 }, { "0000000400000000", OFPERR_OFPBMC_BAD_TYPE }, { "0001000300000000", OFPERR_OFPBMC_BAD_LEN },
        { "0001000c00000000", OFPERR_OFPBMC_BAD_LEN }, { "00010004", OFPERR_OFPBMC_BAD_LEN }, { "0001", OFPERR_OFPBMC_BAD_LEN },
        { "0001000a80000a0208000000", OFPERR_OFPBMC_BAD_LEN }, { "0001000a80000a020800000000000000", 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t bytes[32];
        size_t n = parse_hex(rows[i].hex, bytes, sizeof bytes);
        struct reader r = reader_of(bytes, n);
        struct match m;
        ck_assert_int_eq(code_of(oxm_match_decode(&r, false, &m)), rows[i].code);
    }
}
END_TEST

START_TEST(cookies)
{
    struct match m, back;
    be64 cookie, mask;
    parse("in_port=3", &m);
    for (int i = 0; i < 3; i++) {
        be64 given = htobe64(0x1234), given_mask = i == 0 ? 0 : i == 1 ? UINT64_MAX : htobe64(0xff);
        struct buffer b = BUFFER_INIT;
        nxm_encode(&b, &m, OFP10, given, given_mask);
        match_init_any(&back);
        MUST(nxm_decode(reader_of(b.data, b.len), false, &back, &cookie, &mask));
        ck_assert_uint_eq(mask, given_mask);
        ck_assert_uint_eq(cookie, given & given_mask);
        ck_assert(match_equal(&m, &back));
        buffer_fini(&b);
    }
}
END_TEST

/* Fixed matches of 1.0 whose fields lack prerequisites mean less. */
START_TEST(normalisation)
{
    static const struct { const char *hex, *text; } rows[] = {
        /* Everything wild but tp_dst, without a protocol. */
        { "003820 7f 0000 000000000000 000000000000 0000 00 00 0000 00 00 0000 00000000 00000000 0000 0050", "" },
        /* With IP, and nw_src for 24 bits. */
        { "003808 ef 0000 000000000000 000000000000 0000 00 00 0800 00 00 0000 0a000001 00000000 0000 0050", "ip,nw_src=10.0.0.0/24" },
        /* No tag. */
        { "003820 fd 0000 000000000000 000000000000 ffff 00 00 0000 00 00 0000 00000000 00000000 0000 0000", "vlan_tci=0x0000" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char plain[128] = "";
        for (const char *p = rows[i].hex; *p; p++) {
            if (*p != ' ') {
                strncat(plain, p, 1);
            }
        }
        uint8_t bytes[OFP10_MATCH_LEN];
        ck_assert_uint_eq(parse_hex(plain, bytes, sizeof bytes), OFP10_MATCH_LEN);
        struct reader r = reader_of(bytes, sizeof bytes);
        struct match m;
        MUST(match10_decode(&r, &m));
        check_match(&m, rows[i].text);
    }
}
END_TEST

TCase *match_tcase(void)
{
    TCase *t = tcase_create("match");
    tcase_add_loop_test(t, oxm_and_back, 0, ARRAY_SIZE(matches));
    tcase_add_loop_test(t, fixed_and_back, 0, ARRAY_SIZE(matches));
    tcase_add_loop_test(t, bad_fields, 0, ARRAY_SIZE(bad));
    tcase_add_test(t, frames);
    tcase_add_test(t, cookies);
    tcase_add_test(t, normalisation);
    return t;
}
