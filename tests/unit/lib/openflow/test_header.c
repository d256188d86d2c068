/* SPDX-License-Identifier: Apache-2.0 */
/* Headers: every row of spec/messages.toml in every version, and what is none of them. */
#include "tests/unit/lib/openflow/openflow_tests.h"

START_TEST(every_encoding_is_found_again)
{
    for (unsigned i = 0; i < ofp_n_msg_encodings; i++) {
        const struct ofp_msg_encoding *e = &ofp_msg_encodings[i];
        for (unsigned v = e->first; v <= e->last; v++) {
            if (!(OFP_SUPPORTED & OFP_BIT(v))) {
                continue;
            }
            struct buffer b = BUFFER_INIT;
            struct ofp_header h;
            size_t begin = ofp_begin(&b, e->msg, v, 0x1234);
            size_t header = b.len;
            buffer_put_zeros(&b, e->min_len);
            ofp_finish(&b, begin);
            MUST(ofp_decode_header(b.data, b.len, &h));
            ck_assert_int_eq(h.msg, e->msg);
            ck_assert_int_eq(h.version, v);
            ck_assert_int_eq(h.xid, 0x1234);
            ck_assert_uint_eq(h.body_len, e->min_len);
            ck_assert_ptr_eq(h.body, b.data + header);
            ck_assert(!h.more);

            if (e->min_len) {   /* A byte less does not fit. */
                b.len--;
                ofp_finish(&b, begin);
                ck_assert_int_eq(code_of(ofp_decode_header(b.data, b.len, &h)), OFPERR_OFPBRC_BAD_LEN);
                b.len++;
            }
            if (e->piece != 1) {   /* Nor does a byte more. */
                buffer_put_u8(&b, 0);
                ofp_finish(&b, begin);
                ck_assert_int_eq(code_of(ofp_decode_header(b.data, b.len, &h)), OFPERR_OFPBRC_BAD_LEN);
            }
            buffer_fini(&b);
        }
    }
}
END_TEST

START_TEST(replies_exist)
{
    for (enum ofp_msg m = 0; m < OFPMSG_N; m++) {
        int reply = ofp_reply_of(m);
        if (reply >= 0) {
            ck_assert_str_ne(ofp_msg_name(m), ofp_msg_name(reply));
            for (int i = 0; i < N_VERSIONS; i++) {
                ck_assert_int_eq(ofp_msg_in_version(m, all_versions[i]), ofp_msg_in_version(reply, all_versions[i]));
            }
        }
    }
    ck_assert_int_eq(ofp_reply_of(OFPMSG_NXST_FLOW_REQUEST), OFPMSG_NXST_FLOW_REPLY);
    ck_assert_int_eq(ofp_reply_of(OFPMSG_FLOW_MOD), -1);
}
END_TEST

/* Bytes, and the code that they are refused with. */
static const struct { const char *hex; int code; } strangers[] = {
    { "0100000800000001", 0 },
    { "0200000800000001", OFPERR_OFPBRC_BAD_VERSION },              /* 1.1 */
    { "0700000800000001", OFPERR_OFPBRC_BAD_VERSION },
    { "0900000800000001", OFPERR_OFPBRC_BAD_VERSION },
    { "0000000800000001", OFPERR_OFPBRC_BAD_VERSION },
    { "0100000900000001", OFPERR_OFPBRC_BAD_LEN },                  /* Says more than there is. */
    { "0100000700000001", OFPERR_OFPBRC_BAD_LEN },
    { "01000008", OFPERR_OFPBRC_BAD_LEN },
    { "0163000800000001", OFPERR_OFPBRC_BAD_TYPE },
    { "0118000800000001", OFPERR_OFPBRC_BAD_TYPE },                 /* A role request in 1.0. */
    { "0416000800000001", OFPERR_OFPBRC_BAD_LEN },                  /* Queue config request without port. */
    { "0516001000000001" "0000000000000000", OFPERR_OFPBRC_BAD_TYPE },   /* Gone in 1.4. */
    { "0110000c00000001" "00630000", OFPERR_OFPBRC_BAD_STAT },
    { "0110000c00000001" "00000000", 0 },
    { "0110000a00000001" "0000", OFPERR_OFPBRC_BAD_LEN },
    { "0412001000000001" "00630000" "00000000", OFPERR_OFPBRC_BAD_STAT },
    { "0104001000000001" "deadbeef" "00000001", OFPERR_OFPBRC_BAD_VENDOR },
    { "0104000c00000001" "deadbeef", OFPERR_OFPBRC_BAD_LEN },
    { "0104001000000001" "00002320" "00000063", OFPERR_OFPBRC_BAD_SUBTYPE },
    { "0404001000000001" "4f4e4600" "00000001", OFPERR_OFPBRC_BAD_SUBTYPE },
    { "0110001800000001" "ffff0000" "deadbeef" "00000000" "00000000", OFPERR_OFPBRC_BAD_VENDOR },
    { "0110001800000001" "ffff0000" "00002320" "00000063" "00000000", OFPERR_OFPBRC_BAD_SUBTYPE },
    { "0110001400000001" "ffff0000" "00002320" "00000000", OFPERR_OFPBRC_BAD_LEN },
};

START_TEST(strangers_are_refused)
{
    uint8_t bytes[64];
    size_t n = parse_hex(strangers[_i].hex, bytes, sizeof bytes);
    struct ofp_header h;
    ck_assert_uint_ne(n, SIZE_MAX);
    ck_assert_int_eq(code_of(ofp_decode_header(bytes, n, &h)), strangers[_i].code);
}
END_TEST

START_TEST(hello_says_versions)
{
    for (uint32_t bits = 2; bits < 128; bits += 2) {
        struct buffer b = BUFFER_INIT;
        uint32_t back = 0;
        ofp_encode_hello(&b, bits, 1);
        MUST(ofp_decode_hello(b.data, b.len, &back));
        ck_assert_uint_eq(bits, back);
        buffer_fini(&b);
    }
}
END_TEST

static const struct { const char *hex; uint32_t bits; int code; } hellos[] = {
    { "0100000800000001", 0x02, 0 },
    { "0400000800000001", 0x1e, 0 },                                        /* Without bitmap: all up to its own. */
    { "0400001000000001" "0001000800000012", 0x12, 0 },
    { "0600001800000001" "0001000c0000001200000001" "00000000", 0x12, 0 },  /* A longer bitmap. */
    { "0400001800000001" "0009000500000000" "0001000800000010", 0x10, 0 },  /* An unknown element before. */
    { "0400001000000001" "0001000800000000", 0x1e, 0 },                     /* An empty bitmap says nothing. */
    { "0400000c00000001" "00010063", 0x1e, 0 },                             /* Rubbish is ignored. */
    { "ff00000800000001", UINT32_MAX - 1, 0 },
    { "0401000800000001", 0, OFPERR_OFPBRC_BAD_LEN },
    { "0400000900000001", 0, OFPERR_OFPBRC_BAD_LEN },
    { "040000", 0, OFPERR_OFPBRC_BAD_LEN },
};

START_TEST(hellos_of_others)
{
    uint8_t bytes[64];
    uint32_t bits = 0;
    size_t n = parse_hex(hellos[_i].hex, bytes, sizeof bytes);
    ck_assert_int_eq(code_of(ofp_decode_hello(bytes, n, &bits)), hellos[_i].code);
    ck_assert_uint_eq(bits, hellos[_i].bits);
}
END_TEST

START_TEST(versions_by_name)
{
    uint32_t bits;
    MUST(ofp_versions_parse("OpenFlow10,openflow13, OpenFlow1.5", &bits));
    ck_assert_uint_eq(bits, OFP_BIT(OFP10) | OFP_BIT(OFP13) | OFP_BIT(OFP15));
    MUST(ofp_versions_parse("OpenFlow11,OpenFlow12,OpenFlow14", &bits));
    ck_assert_uint_eq(bits, OFP_BIT(OFP11) | OFP_BIT(OFP12) | OFP_BIT(OFP14));
    ck_assert_int_ne(code_of(ofp_versions_parse("OpenFlow16", &bits)), 0);
    ck_assert_int_ne(code_of(ofp_versions_parse("", &bits)), 0);
    ck_assert_str_eq(ofp_version_name(OFP13), "OpenFlow13");
    ck_assert_str_eq(ofp_version_dotted(OFP15), "1.5");
}
END_TEST

TCase *header_tcase(void)
{
    TCase *t = tcase_create("header");
    tcase_add_test(t, every_encoding_is_found_again);
    tcase_add_test(t, replies_exist);
    tcase_add_loop_test(t, strangers_are_refused, 0, ARRAY_SIZE(strangers));
    tcase_add_test(t, hello_says_versions);
    tcase_add_loop_test(t, hellos_of_others, 0, ARRAY_SIZE(hellos));
    tcase_add_test(t, versions_by_name);
    return t;
}
