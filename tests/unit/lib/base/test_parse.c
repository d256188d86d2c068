/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers of numbers and addresses, each as rows of text and expectation. */
#include <arpa/inet.h>
#include <stdio.h>

#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "tests/unit/unit.h"

START_TEST(unsigned_numbers)
{
    static const struct { const char *s; bool ok; uint64_t value; } rows[] = {
        { "0", true, 0 }, { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 }, { "0x10", true, 16 }, { "0XfF", true, 255 },
        { "0xffffffffffffffff", true, UINT64_MAX }, { "0x10000000000000000", false, 0 },
        { "", false, 0 }, { "0x", false, 0 }, { " 1", false, 0 }, { "1 ", false, 0 },
        { "-1", false, 0 }, { "+1", false, 0 }, { "a", false, 0 }, { "1a", false, 0 },
        { "007", true, 7 }, { "0x0x1", false, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t x = 12345;
        ck_assert_msg(parse_u64(rows[i].s, &x) == rows[i].ok, "\"%s\"", rows[i].s);
        ck_assert_uint_eq(x, rows[i].ok ? rows[i].value : 12345);
    }
}
END_TEST

START_TEST(signed_and_small_numbers)
{
    int64_t i;
    ck_assert(parse_i64("-9223372036854775808", &i) && i == INT64_MIN);
    ck_assert(parse_i64("9223372036854775807", &i) && i == INT64_MAX);
    ck_assert(!parse_i64("9223372036854775808", &i));
    ck_assert(!parse_i64("-9223372036854775809", &i));
    ck_assert(!parse_i64("--1", &i));
    ck_assert(parse_i64("-0x10", &i) && i == -16);
    uint8_t u8 = 9;
    uint16_t u16;
    uint32_t u32;
    ck_assert(parse_u8("255", &u8) && u8 == 255);
    ck_assert(!parse_u8("256", &u8) && u8 == 255);
    ck_assert(parse_u16("0xffff", &u16) && u16 == 0xffff);
    ck_assert(!parse_u16("65536", &u16));
    ck_assert(parse_u32("4294967295", &u32) && u32 == UINT32_MAX);
    ck_assert(!parse_u32("4294967296", &u32));
    uint64_t x;
    ck_assert(!parse_uint("0", 1, 10, &x) && !parse_uint("11", 1, 10, &x));
    ck_assert(parse_uint("10", 1, 10, &x) && x == 10);
}
END_TEST

START_TEST(reals_and_booleans)
{
    double d = 0;
    ck_assert(parse_double("1.5e3", &d) && d == 1500);
    ck_assert(parse_double("-0.25", &d) && d == -0.25);
    static const char *const bad[] = { "", "nan", "inf", "1.5x", " 1", "1e999", "0x1p3", ".", "e" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        ck_assert_msg(!parse_double(bad[i], &d), "\"%s\"", bad[i]);
    }
    bool b = false;
    ck_assert(parse_bool("true", &b) && b);
    ck_assert(parse_bool("false", &b) && !b);
    ck_assert(!parse_bool("True", &b) && !parse_bool("1", &b) && !parse_bool("", &b));
}
END_TEST

START_TEST(ethernet_addresses)
{
    struct eth_addr a;
    ck_assert(parse_eth_addr("00:11:22:aA:bB:ff", &a));
    ck_assert_mem_eq(a.b, "\x00\x11\x22\xaa\xbb\xff", 6);
    ck_assert(parse_eth_addr("0:1:2:3:4:5", &a));
    ck_assert_mem_eq(a.b, "\x00\x01\x02\x03\x04\x05", 6);
    static const char *const bad[] = { "", "00:11:22:33:44", "00:11:22:33:44:55:66", "00:11:22:33:44:5g",
                                       "001122334455", "000:1:2:3:4:5", "00:11:22:33:44:55 ", ":::::" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        ck_assert_msg(!parse_eth_addr(bad[i], &a), "\"%s\"", bad[i]);
    }
}
END_TEST

START_TEST(ip4_addresses)
{
    be32 ip, mask;
    ck_assert(parse_ip4("192.168.1.2", &ip) && ip == htobe32(0xc0a80102));
    ck_assert(!parse_ip4("192.168.1", &ip) && !parse_ip4("1.2.3.4.5", &ip));
    ck_assert(!parse_ip4("1.2.3.256", &ip) && !parse_ip4("1.2.3.4 ", &ip));
    ck_assert(parse_ip4_masked("10.0.0.0/8", &ip, &mask) && mask == htobe32(0xff000000));
    ck_assert(parse_ip4_masked("10.0.0.0/0", &ip, &mask) && mask == 0);
    ck_assert(parse_ip4_masked("10.0.0.1", &ip, &mask) && mask == UINT32_MAX);
    ck_assert(parse_ip4_masked("10.0.0.1/255.0.255.0", &ip, &mask) && mask == htobe32(0xff00ff00));
    ck_assert(!parse_ip4_masked("10.0.0.0/33", &ip, &mask));
    ck_assert(!parse_ip4_masked("10.0.0.0/", &ip, &mask));
    ck_assert(!parse_ip4_masked("/8", &ip, &mask));
    for (unsigned n = 0; n <= 32; n++) {
        ck_assert_int_eq(ip4_mask_prefix(ip4_prefix_mask(n)), (int) n);
    }
    ck_assert_int_eq(ip4_mask_prefix(htobe32(0xff00ff00)), -1);
}
END_TEST

START_TEST(ip6_addresses)
{
    struct in6_addr ip, mask, other;
    ck_assert(parse_ip6("2001:db8::1", &ip));
    ck_assert(!parse_ip6("2001:db8::1::", &ip) && !parse_ip6("", &ip) && !parse_ip6("1.2.3.4", &ip));
    ck_assert(parse_ip6_masked("fe80::/10", &ip, &mask));
    ck_assert_int_eq(ip6_mask_prefix(&mask), 10);
    ck_assert(parse_ip6_masked("fe80::1/ffff::ffff", &ip, &mask));
    ck_assert_int_eq(ip6_mask_prefix(&mask), -1);
    ck_assert(!parse_ip6_masked("fe80::/129", &ip, &mask));
    for (unsigned n = 0; n <= 128; n++) {
        mask = ip6_prefix_mask(n);
        ck_assert_int_eq(ip6_mask_prefix(&mask), (int) n);
    }
    ck_assert(parse_ip("10.1.2.3", &ip) && ip6_is_v4mapped(&ip));
    ck_assert(parse_ip("::ffff:10.1.2.3", &other));
    ck_assert_mem_eq(&ip, &other, sizeof ip);
    struct text t = TEXT_INIT;
    text_put_ip(&t, &ip);
    text_put_char(&t, ' ');
    ck_assert(parse_ip("2001:DB8:0::1", &ip));
    text_put_ip(&t, &ip);
    ck_assert_str_eq(text_str(&t), "10.1.2.3 2001:db8::1");
    text_fini(&t);
}
END_TEST

START_TEST(hex_bytes)
{
    uint8_t b[4];
    ck_assert_uint_eq(parse_hex("0aFF", b, 4), 2);
    ck_assert_mem_eq(b, "\x0a\xff", 2);
    ck_assert_uint_eq(parse_hex(" 01 02\n0304 ", b, 4), 4);
    ck_assert_uint_eq(parse_hex("", b, 4), 0);
    ck_assert_uint_eq(parse_hex("0102030405", b, 4), SIZE_MAX);
    ck_assert_uint_eq(parse_hex("012", b, 4), SIZE_MAX);
    ck_assert_uint_eq(parse_hex("0 1", b, 4), SIZE_MAX);
    ck_assert_uint_eq(parse_hex("zz", b, 4), SIZE_MAX);
}
END_TEST

START_TEST(nearest_names)
{
    ck_assert_uint_eq(string_distance("", ""), 0);
    ck_assert_uint_eq(string_distance("abc", ""), 3);
    ck_assert_uint_eq(string_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(string_distance("remote_pi", "remote_ip"), 1);
    static const char *const names[] = { "remote_ip", "local_ip", "key", "dst_port", NULL };
    ck_assert_str_eq(string_nearest("remoteip", names), "remote_ip");
    ck_assert_str_eq(string_nearest("kye", names), "key");
    ck_assert_str_eq(string_nearest("dstport", names), "dst_port");
    ck_assert_ptr_null(string_nearest("frobnicate", names));
    ck_assert_ptr_null(string_nearest("", names));
}
END_TEST

START_TEST(uuids)
{
    struct uuid u, v;
    static const char s[] = "01234567-89ab-cdef-0123-456789abcdef";
    ck_assert(uuid_parse(s, &u));
    char out[64];
    snprintf(out, sizeof out, UUID_FMT, UUID_ARGS(&u));
    ck_assert_str_eq(out, s);
    static const char *const bad[] = {
        "", "01234567-89ab-cdef-0123-456789abcde", "01234567-89ab-cdef-0123-456789abcdef0",
        "01234567x89ab-cdef-0123-456789abcdef", "g1234567-89ab-cdef-0123-456789abcdef",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        ck_assert_msg(!uuid_parse(bad[i], &v), "\"%s\"", bad[i]);
    }
    for (int i = 0; i < 100; i++) {
        struct uuid a = uuid_random(), b = uuid_random();
        char as[64], bs[64];
        snprintf(as, sizeof as, UUID_FMT, UUID_ARGS(&a));
        snprintf(bs, sizeof bs, UUID_FMT, UUID_ARGS(&b));
        ck_assert_int_eq(as[14], '4');
        ck_assert_ptr_nonnull(strchr("89ab", as[19]));
        ck_assert(!uuid_equal(&a, &b));
        ck_assert_int_eq(uuid_compare(&a, &b) < 0, strcmp(as, bs) < 0);
    }
}
END_TEST

TCase *parse_tcase(void);
TCase *parse_tcase(void)
{
    TCase *tc = tcase_create("parse");
    tcase_add_test(tc, unsigned_numbers);
    tcase_add_test(tc, signed_and_small_numbers);
    tcase_add_test(tc, reals_and_booleans);
    tcase_add_test(tc, ethernet_addresses);
    tcase_add_test(tc, ip4_addresses);
    tcase_add_test(tc, ip6_addresses);
    tcase_add_test(tc, hex_bytes);
    tcase_add_test(tc, nearest_names);
    tcase_add_test(tc, uuids);
    return tc;
}
