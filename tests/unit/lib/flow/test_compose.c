/* SPDX-License-Identifier: Apache-2.0 */
/* A packet made from a key has that key. */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/flow/action.h"
#include "lib/flow/compose.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "tests/unit/lib/flow/flow_tests.h"
#include "tests/unit/lib/flow/random.h"

static void check(const char *what, const struct key *key, size_t payload_len)
{
    struct packet *p = packet_compose(key, payload_len);
    struct key got;
    key_extract(p, &got, 1);
    char is[2000], want[2000];
    snprintf(is, sizeof is, "%s", key_as_text(&got));
    snprintf(want, sizeof want, "%s", key_as_text(key));
    ck_assert_msg(!memcmp(&got, key, sizeof got), "%s, %zu bytes of payload:\n  is   %s\n  want %s", what, payload_len, is, want);
    ck_assert(packet_csum_is_valid(p));
    packet_free(p);
}

START_TEST(rows)
{
    static const char *const texts[] = {
        "in_port(3),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)",
        "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x05ff)",
        "eth(dst=ff:ff:ff:ff:ff:ff),eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=02:00:00:00:00:01)",
        "eth_type(0x8035),arp(op=4,tha=02:00:00:00:00:01)",
        "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=0xb9,ttl=7,frag=no),tcp(src=1,dst=2),tcp_flags(syn|ack|[800])",
        "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17),udp(src=1,dst=2)",
        "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=132),sctp(src=1,dst=2)",
        "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=1),icmp(type=3,code=4)",
        "eth_type(0x0800),ipv4(proto=2),tp(src=22,dst=0)", "eth_type(0x0800),ipv4(proto=47)",
        "eth_type(0x0800),ipv4(proto=17,frag=first),udp(src=1,dst=2)", "eth_type(0x0800),ipv4(proto=17,frag=later)",
        "eth_type(0x86dd),ipv6(src=2001:db8::1,dst=2001:db8::2,label=0xfffff,proto=6,tclass=0xff,hlimit=1),tcp(src=1,dst=2)",
        "eth_type(0x86dd),ipv6(src=2001:db8::1,proto=17,frag=first),udp(src=1,dst=2)", "eth_type(0x86dd),ipv6(proto=44,frag=later)",
        "eth_type(0x86dd),ipv6(proto=58),icmpv6(type=128,code=0)",
        "eth_type(0x86dd),ipv6(proto=58),icmpv6(type=135,code=0),nd(target=fe80::1,sll=02:00:00:00:00:01,options_type=1)",
        "eth_type(0x86dd),ipv6(proto=58),icmpv6(type=136,code=0),nd(target=fe80::1,tll=02:00:00:00:00:01,reserved=0x60000000,options_type=2)",
        "eth_type(0x86dd),ipv6(proto=58),icmpv6(type=136,code=0),nd(target=fe80::1,sll=02:00:00:00:00:02,tll=02:00:00:00:00:01,options_type=14)",
        "eth_type(0x86dd),ipv6(proto=58),icmpv6(type=136,code=0),nd(target=fe80::1)", "eth_type(0x86dd),ipv6(proto=59)",
        "eth_type(0x8847),mpls(label=100,tc=3,ttl=64,bos=1)",
        "tunnel(tun_id=0x1001,src=192.0.2.1,flags(+key)),in_port(4),eth_type(0x0800),ipv4(proto=17),udp(src=1,dst=2)",
    };
    static const char *const tags[] = { "", "eth_type(0x8100),vlan(vid=5,pcp=3),", "eth_type(0x88a8),vlan(vid=5,pcp=3),eth_type(0x8100),vlan(vid=0,pcp=7)," };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(tags); j++) {
            char text[500];
            struct key key;
            struct mask mask;
            snprintf(text, sizeof text, "%s%s", tags[j], texts[i]);
            struct error *e = key_parse(text, &key, &mask);
            ck_assert_msg(!e, "%s: %s", text, e ? error_text(e) : "");
            /* MPLS labels are four bytes of payload to whoever looks for more of them, unless the stack has ended. */
            static const size_t lengths[] = { 0, 1, 18, 1400, 1999, 5000, 65000 };
            for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
                check(text, &key, lengths[k]);
            }
        }
    }
}
END_TEST

START_TEST(samples_come_back)
{
    const struct sample *s = &samples[_i];
    struct packet *p = packet_from_hex(s->hex);
    struct key key, again;
    key_extract(p, &key, 1);
    packet_free(p);
    uint16_t type = be16toh(key.l2.type);
    if (type < ETH_TYPE_LLC || type == ETH_TYPE_VLAN) {
        return;   /* Cut off before there was a type. */
    }
    p = packet_compose(&key, 20);
    key_extract(p, &again, 1);
    /* What was whole is the same again; what was malformed is made whole, so it may differ. */
    ck_assert_mem_eq(&key.l2, &again.l2, offsetof(struct key_l2, mpls));
    if (s->l3_ofs && key.l3.ttl) {
        ck_assert_mem_eq(&key.l3, &again.l3, sizeof key.l3);
    }
    if (s->payload_ofs && (key.l4.nd_options_type || key.l3.proto != IP_PROTO_ICMP6)) {
        ck_assert_mem_eq(&key.l4, &again.l4, sizeof key.l4);
    }
    packet_free(p);
}
END_TEST

START_TEST(any_key_makes_some_packet)
{
    struct dice d = { _i };
    for (int i = 0; i < 2000; i++) {
        static const uint16_t types[] = { ETH_TYPE_IP4, ETH_TYPE_IP6, ETH_TYPE_ARP, ETH_TYPE_MPLS, ETH_TYPE_LLC, ETH_TYPE_VLAN, 0 };
        static const uint8_t protos[] = { 0, 1, 2, 6, 17, 43, 44, 58, 132, 255 };
        struct key key, got;
        roll_bytes(&d, &key, sizeof key);
        key.l2.type = htobe16(types[roll(&d, ARRAY_SIZE(types))]);
        key.l3.proto = protos[roll(&d, ARRAY_SIZE(protos))];
        struct packet *p = packet_compose(&key, roll(&d, 3000));
        key_extract(p, &got, 1);
        ck_assert(eth_addr_equal(got.l2.dst, key.l2.dst));
        packet_free(p);
    }
}
END_TEST

TCase *compose_tcase(void)
{
    TCase *tc = tcase_create("compose");
    tcase_add_test(tc, rows);
    tcase_add_loop_test(tc, samples_come_back, 0, (int) n_samples);
    tcase_add_loop_test(tc, any_key_makes_some_packet, 0, 4);
    return tc;
}
