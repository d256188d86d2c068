/* SPDX-License-Identifier: Apache-2.0 */
/* Text of datapath flows in both directions. */
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/flow/action.h"
#include "tests/unit/lib/flow/flow_tests.h"

START_TEST(texts)
{
    /* What is printed again; NULL: the same. */
    static const struct { const char *in, *out; } rows[] = {
        { "recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),"
          "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)", NULL },
        { "in_port(1),eth_type(0x0800),ipv4(frag=no)", "recirc_id(0),in_port(1),eth_type(0x0800),ipv4(frag=no)" },
        { "recirc_id(0x5),in_port(2),eth_type(0x0800),ipv4(src=10.0.0.0/255.0.0.0,dst=10.0.0.1/24,proto=6,tos=0/0xfc,ttl=64/0xf0),"
          "tcp(src=80/0xff0,dst=443),tcp_flags(+syn-ack)",
          "recirc_id(0x5),in_port(2),eth_type(0x0800),ipv4(src=10.0.0.0/255.0.0.0,dst=10.0.0.1/255.255.255.0,proto=6,tos=0/0xfc,ttl=64/0xf0),"
          "tcp(src=80/0xff0,dst=443),tcp_flags(+syn-ack)" },
        { "recirc_id(0),in_port(1),eth_type(0x8100),vlan(vid=5,pcp=3),encap(eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,"
          "sha=02:00:00:00:00:01,tha=00:00:00:00:00:00))", NULL },
        { "recirc_id(0),eth_type(0x88a8),vlan(vid=5/0xff),encap(eth_type(0x8100),vlan(pcp=3/0x1),encap(eth_type(0x1234)))", NULL },
        { "recirc_id(0),eth_type(0x8100),vlan(cfi=1),encap(eth_type(0x0800))", NULL },
        { "recirc_id(0),eth_type(0x8100)", NULL },
        { "tunnel(tun_id=0x1001,src=192.0.2.1,dst=192.0.2.2,tos=0,ttl=64,tp_src=0,tp_dst=4789,flags(key)),recirc_id(0),in_port(3)", NULL },
        { "tunnel(tun_id=0x1001,ipv6_src=2001:db8::1,ipv6_dst=2001:db8::2,flags(-df-csum+key)),recirc_id(0),in_port(3)", NULL },
        { "tunnel(vxlan(gbp(id=5,flags=0x8)),flags(key)),recirc_id(0),in_port(3)", NULL },
        { "tunnel(ttl=3,vxlan(gbp(flags=0x8)),flags(key)),recirc_id(0)", NULL },
        { "tunnel(vxlan(gbp(id=5,flags=0x8/0xf)),flags())", "tunnel(vxlan(gbp(id=5,flags=0x8/0xf)),flags()),recirc_id(0)" },
        { "recirc_id(0),in_port(1),eth_type(0x86dd),ipv6(src=2001:db8::/ffff:ffff::,dst=::1,label=0xabcde,proto=58,tclass=0,hlimit=255,frag=no),"
          "icmpv6(type=135,code=0),nd(target=fe80::1,sll=02:00:00:00:00:01,tll=00:00:00:00:00:00)", NULL },
        { "skb_priority(0x5),skb_mark(0x5/0xff),ct_state(+est+trk),ct_zone(0x7),ct_mark(0x1/0x1),"
          "ct_label(0x123456789abcdef0123456789abcdef/0xffffffffffffffff),recirc_id(0),dp_hash(0x1),in_port(1)", NULL },
        { "recirc_id(0),eth_type(0x8847),mpls(label=100,tc=1,ttl=64,bos=1)", NULL },
        { "recirc_id(0),eth_type(0x0800),ipv4(proto=17,frag=later)", NULL },
        { "ct_tuple4(src=10.0.0.1,dst=10.0.0.2,proto=6,tp_src=1,tp_dst=2),recirc_id(0),eth_type(0x0800)", NULL },
        { "packet_type(ns=0,id=0),eth(),eth_type(0x0800),udp(src=1,dst=2)", "recirc_id(0),eth_type(0x0800),tp(src=1,dst=2)" },
        { " in_port(1) , eth_type(0x0800) ", "recirc_id(0),in_port(1),eth_type(0x0800)" },
        { "eth(src=02:00:00:00:00:01/ff:ff:ff:00:00:00)", "recirc_id(0),eth(src=02:00:00:00:00:01/ff:ff:ff:00:00:00)" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct key key, again;
        struct mask mask, mask_again;
        struct error *e = key_parse(rows[i].in, &key, &mask);
        ck_assert_msg(!e, "%s: %s", rows[i].in, e ? error_text(e) : "");
        struct text t = TEXT_INIT;
        key_format(&key, &mask, NULL, NULL, &t);
        ck_assert_str_eq(text_str(&t), rows[i].out ? rows[i].out : rows[i].in);
        e = key_parse(text_str(&t), &again, &mask_again);
        ck_assert_msg(!e, "%s: %s", text_str(&t), e ? error_text(e) : "");
        ck_assert_mem_eq(&key, &again, sizeof key);
        mask.bits.meta.recirc_id = UINT32_MAX;   /* Is always shown. */
        mask_seal(&mask);
        ck_assert(mask_equal(&mask, &mask_again));
        text_fini(&t);
    }
}
END_TEST

START_TEST(bad_texts)
{
    static const struct { const char *in, *says; } rows[] = {
        { "in_port", "not of the form" }, { "in_port(x)", "no number" }, { "in_port(1", "parentheses" }, { "in_port(1))", "parentheses" },
        { "foo(1)", "\"foo\" is no part of a flow" }, { "eth(foo=1)", "no member \"foo\"" }, { "eth(src)", "needs a value" },
        { "eth(src=1)", "no Ethernet address" }, { "ipv4(src=1.2.3)", "no IPv4 address" }, { "ipv4(src=1.2.3.4/33)", "prefix length" },
        { "ipv4(proto=256)", "out of range" }, { "ipv4(frag=maybe)", "no, first, later" }, { "vlan(vid=4096)", "from 0 to 4095" },
        { "vlan(foo=1)", "none of vid, pcp, cfi" }, { "vlan(vid=1),vlan(vid=2),vlan(vid=3)", "more than 2 tags" },
        { "vlan(vid)", "needs a value" }, { "tcp_flags(foo)", "is no TCP flag" }, { "ipv6(label=0x100000)", "out of range" },
        { "mpls(tc=8)", "out of range" }, { "tunnel(flags(foo))", "is no tunnel flag" }, { "tunnel(flags(df)", "parentheses" }, { "tunnel(vxlan(foo))", "only gbp" }, { "tunnel(vxlan(gbp(foo=1)))", "not \"foo\"" },
        { "encap(encap(encap(encap(encap(encap(encap(encap(encap(in_port(1))))))))))", "nested deeper" },
        { "ct_label(0x1234567890123456789012345678901234)", "128 bits" }, { "recirc_id(-1)", "no number" },
        { "packet_type(ns=1,id=0x800)", "only Ethernet" }, { ")", "parentheses" }, { "eth_type(0x10000)", "out of range" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct key key;
        struct mask mask;
        struct error *e = key_parse(rows[i].in, &key, &mask);
        ck_assert_msg(e != NULL, "accepts %s", rows[i].in);
        ck_assert_msg(strstr(error_text(e), rows[i].says), "\"%s\" does not say \"%s\"", error_text(e), rows[i].says);
        error_free(e);
    }
}
END_TEST

static const char *port_name(uint32_t port, void *arg)
{
    return port == 1 ? arg : NULL;
}

START_TEST(names_of_ports)
{
    struct key key;
    struct mask mask;
    ck_assert_ptr_null(key_parse("in_port(1)", &key, &mask));
    struct text t = TEXT_INIT;
    key_format(&key, &mask, port_name, "eth0", &t);
    ck_assert_str_eq(text_str(&t), "recirc_id(0),in_port(eth0)");
    text_fini(&t);
}
END_TEST

TCase *key_text_tcase(void)
{
    TCase *tc = tcase_create("key_text");
    tcase_add_test(tc, texts);
    tcase_add_test(tc, bad_texts);
    tcase_add_test(tc, names_of_ports);
    return tc;
}
