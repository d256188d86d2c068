/* SPDX-License-Identifier: Apache-2.0 */
/* Error messages: every row of spec/errors.toml in every version. */
#include "tests/unit/lib/openflow/openflow_tests.h"

static bool same_wire(enum ofp_error a, enum ofp_error b, unsigned minor)
{
    const struct ofp_error_row *x = &ofp_error_rows[a - ERROR_CODE_OWN], *y = &ofp_error_rows[b - ERROR_CODE_OWN];
    return x->wire[minor].vendor == y->wire[minor].vendor && x->wire[minor].type == y->wire[minor].type
           && x->wire[minor].code == y->wire[minor].code;
}

START_TEST(every_error_comes_back)
{
    uint8_t request[100] = { 0, 14, 0, 100, 0, 0, 0, 9 };
    for (int i = 0; i < N_VERSIONS; i++) {
        enum ofp_version v = all_versions[i];
        request[0] = v;
        struct ofp_header offender = { .version = v, .xid = 9, .whole = request, .whole_len = sizeof request };
        for (enum ofp_error e = ERROR_CODE_OWN; e < OFPERR_END; e++) {
            struct buffer b = BUFFER_INIT, payload = BUFFER_INIT;
            struct ofp_header h;
            enum ofp_error back;
            ofp_encode_error(&b, e, &offender);
            MUST(ofp_decode_header(b.data, b.len, &h));
            ck_assert_int_eq(h.msg, OFPMSG_ERROR);
            ck_assert_uint_eq(h.xid, 9);
            MUST(ofp_decode_error(&h, &back, &payload));
            bool has_code = ofp_error_rows[e - ERROR_CODE_OWN].wire[v - OFP10].type >= 0;
            if (has_code) {
                ck_assert_msg(back == e || (back < e && same_wire(e, back, v - OFP10)), "%s came back as %s in %s",
                              ofp_error_name(e), ofp_error_name(back), ofp_version_name(v));
            } else {
                ck_assert_int_eq(back, OFPERR_NXBRC_UNENCODABLE_ERROR);
            }
            ck_assert_uint_eq(payload.len, 64);
            ck_assert_mem_eq(payload.data, request, 64);
            buffer_fini(&b);
            buffer_fini(&payload);
        }
    }
}
END_TEST

/* Codes from the specifications, written down here again. */
static const struct { enum ofp_error error; enum ofp_version version; const char *hex; } known[] = {
    { OFPERR_OFPHFC_INCOMPATIBLE, OFP10, "00000000" }, { OFPERR_OFPBRC_BAD_TYPE, OFP10, "00010001" },
    { OFPERR_OFPBRC_BAD_LEN, OFP13, "00010006" }, { OFPERR_OFPBRC_IS_SLAVE, OFP13, "0001000a" },
    { OFPERR_OFPBRC_IS_SLAVE, OFP10, "00010005" }, { OFPERR_OFPBRC_BAD_TABLE_ID, OFP13, "00010009" },
    { OFPERR_OFPBAC_BAD_OUT_PORT, OFP10, "00020004" }, { OFPERR_OFPBAC_BAD_OUT_GROUP, OFP13, "00020009" },
    { OFPERR_OFPBAC_MATCH_INCONSISTENT, OFP13, "0002000a" }, { OFPERR_OFPBAC_BAD_SET_TYPE, OFP13, "0002000d" },
    { OFPERR_OFPBIC_BAD_TABLE_ID, OFP13, "00030002" }, { OFPERR_OFPBIC_DUP_INST, OFP14, "00030009" },
    { OFPERR_OFPBIC_DUP_INST, OFP13, "ffff0a284f4e4600" }, { OFPERR_OFPBMC_BAD_PREREQ, OFP13, "00040009" },
    { OFPERR_OFPBMC_BAD_PREREQ, OFP10, "b0c200000000232000010104" }, { OFPERR_OFPBMC_DUP_FIELD, OFP15, "0004000a" },
    { OFPERR_OFPFMFC_OVERLAP, OFP10, "00030001" }, { OFPERR_OFPFMFC_OVERLAP, OFP13, "00050003" },
    { OFPERR_OFPFMFC_BAD_COMMAND, OFP10, "00030004" }, { OFPERR_OFPGMFC_UNKNOWN_GROUP, OFP13, "00060008" },
    { OFPERR_OFPPMFC_BAD_PORT, OFP10, "00040000" }, { OFPERR_OFPPMFC_BAD_HW_ADDR, OFP13, "00070001" },
    { OFPERR_OFPRRFC_STALE, OFP13, "000b0000" }, { OFPERR_OFPMMFC_UNKNOWN_METER, OFP13, "000c0003" },
    { OFPERR_NXBRC_MUST_BE_ZERO, OFP13, "ffff000400002320" }, { OFPERR_OFPBPC_BAD_TYPE, OFP14, "000e0000" },
    { OFPERR_OFPBFC_BAD_ID, OFP14, "00110002" }, { OFPERR_OFPBFC_BAD_ID, OFP13, "ffff08fe4f4e4600" },
};

START_TEST(known_codes)
{
    struct ofp_header offender = { .version = known[_i].version };
    struct buffer b = BUFFER_INIT;
    struct text t = TEXT_INIT;
    ofp_encode_error(&b, known[_i].error, &offender);
    text_put_hex(&t, b.data + 8, b.len - 8);
    ck_assert_str_eq(text_str(&t), known[_i].hex);
    text_fini(&t);
    buffer_fini(&b);
}
END_TEST

START_TEST(unknown_errors)
{
    static const char *const hex[] = { "0101000c00000001" "00630000", "0401000c00000001" "ffff0001",
                                       "0401001000000001" "ffff0001deadbeef", "0101000c00000001" "b0c20000" };
    uint8_t bytes[64];
    struct ofp_header h;
    enum ofp_error e;
    size_t n = parse_hex(hex[_i], bytes, sizeof bytes);
    MUST(ofp_decode_header(bytes, n, &h));
    ck_assert_int_ne(code_of(ofp_decode_error(&h, &e, NULL)), 0);
}
END_TEST

START_TEST(names)
{
    ck_assert_str_eq(ofp_error_name(OFPERR_OFPBRC_BAD_TYPE), "OFPBRC_BAD_TYPE");
    ck_assert(ofp_error_is_valid(OFPERR_OFPBRC_BAD_TYPE));
    ck_assert(!ofp_error_is_valid(22));
    ck_assert(!ofp_error_is_valid(OFPERR_END));
}
END_TEST

TCase *errors_tcase(void)
{
    TCase *t = tcase_create("errors");
    tcase_add_test(t, every_error_comes_back);
    tcase_add_loop_test(t, known_codes, 0, ARRAY_SIZE(known));
    tcase_add_loop_test(t, unknown_errors, 0, 4);
    tcase_add_test(t, names);
    return t;
}
