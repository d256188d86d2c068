/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of every kind that the parser knows, and what it must make of them. */
#include <stdlib.h>

#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/flow/action.h"
#include "tests/unit/lib/flow/flow_tests.h"

#define MACS "020000000002 020000000001 "
#define ETH_TEXT "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
/* Addresses 10.0.0.1 to 10.0.0.2, TTL 64, TOS 0; length and protocol given. */
#define IP4(LEN, PROTO) "4500" LEN "00004000 40" PROTO "0000 0a000001 0a000002 "
#define IP4_TEXT(PROTO) "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=" PROTO ",tos=0,ttl=64,frag=no)"
/* 2001:db8::1 to 2001:db8::2, hop limit 64. */
#define IP6(LEN, NEXT) "60000000" LEN NEXT "40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IP6_TEXT(PROTO) \
    "ipv6(src=2001:db8::1,dst=2001:db8::2,label=0,proto=" PROTO ",tclass=0,hlimit=64,frag=no)"
/* From 1000 to 80, SYN. */
#define TCP "03e80050 00000001 00000000 5002 1000 0000 0000 "
#define TCP_TEXT "tcp(src=1000,dst=80),tcp_flags(syn)"
#define UDP "03e80035 0008 0000 "
#define UDP_TEXT "udp(src=1000,dst=53)"

const struct sample samples[] = {
    { "an empty frame", "", "eth(src=00:00:00:00:00:00,dst=00:00:00:00:00:00),eth_type(0x0000)", 0, 0, 0, 0 },
    { "less than an Ethernet header", MACS "08",
      "eth(src=00:00:00:00:00:00,dst=00:00:00:00:00:00),eth_type(0x0000)", 0, 0, 0, 0 },
    { "an Ethernet header alone", MACS "1234", ETH_TEXT "eth_type(0x1234)", 12, 0, 0, 0 },

    /* IPv4 */
    { "TCP over IPv4", MACS "0800" IP4("0028", "06") TCP, ETH_TEXT "eth_type(0x0800)," IP4_TEXT("6") "," TCP_TEXT,
      12, 14, 34, 54 },
    { "TCP with options and all flags", MACS "0800" IP4("002c", "06") "03e80050 00000001 00000000 6fff 1000 0000 0000 02040218",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("6")
      ",tcp(src=1000,dst=80),tcp_flags(fin|syn|rst|psh|ack|urg|ece|cwr|ns|[200]|[400]|[800])", 12, 14, 34, 58 },
    { "TCP whose header is longer than the packet", MACS "0800" IP4("0028", "06") "03e80050 00000001 00000000 f002 1000 0000 0000",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("6") ",tcp(src=0,dst=0),tcp_flags(0)", 12, 14, 0, 0 },
    { "TCP whose header is shorter than TCP has", MACS "0800" IP4("0028", "06") "03e80050 00000001 00000000 4002 1000 0000 0000",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("6") ",tcp(src=0,dst=0),tcp_flags(0)", 12, 14, 0, 0 },
    { "UDP over IPv4", MACS "0800" IP4("001c", "11") UDP, ETH_TEXT "eth_type(0x0800)," IP4_TEXT("17") "," UDP_TEXT,
      12, 14, 34, 42 },
    { "UDP with padding that is no payload", MACS "0800" IP4("001c", "11") UDP "eeeeeeeeeeeeeeeeeeee",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("17") "," UDP_TEXT, 12, 14, 34, 42 },
    { "a TCP header that only padding completes", MACS "0800" IP4("0024", "06") TCP,
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("6") ",tcp(src=0,dst=0),tcp_flags(0)", 12, 14, 0, 0 },
    { "SCTP", MACS "0800" IP4("0020", "84") "03e80050 00000000 00000000",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("132") ",sctp(src=1000,dst=80)", 12, 14, 34, 46 },
    { "an ICMP echo", MACS "0800" IP4("001c", "01") "08000000 00010001",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("1") ",icmp(type=8,code=0)", 12, 14, 34, 42 },
    { "IGMP", MACS "0800" IP4("001c", "02") "16000000 e0000001",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("2") ",tp(src=22,dst=0)", 12, 14, 34, 42 },
    { "ICMPv6 in IPv4 is nothing that we know", MACS "0800" IP4("001c", "3a") "08000000 00010001",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("58") ",tp(src=0,dst=0)", 12, 14, 0, 0 },
    { "GRE has no ports", MACS "0800" IP4("001c", "2f") "00006558 00000001",
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("47") ",tp(src=0,dst=0)", 12, 14, 0, 0 },
    { "IPv4 with options, TOS and TTL",
      MACS "0800 46b90024 00004000 ff110000 0a000001 0a000002 01010100 03e80035 000c0000 aabbccdd",
      ETH_TEXT "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0xb9,ttl=255,frag=no)," UDP_TEXT,
      12, 14, 38, 46 },
    { "the first fragment", MACS "0800 45000030 00002000 40110000 0a000001 0a000002 03e80035 00ff0000",
      ETH_TEXT "eth_type(0x0800)", 12, 0, 0, 0 },   /* Its length says more than there is. */
    { "the first fragment, whole", MACS "0800 4500001c 00002000 40110000 0a000001 0a000002 03e80035 00ff0000",
      ETH_TEXT "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=first)," UDP_TEXT,
      12, 14, 34, 42 },
    { "a later fragment has no ports", MACS "0800 4500001c 00000001 40110000 0a000001 0a000002 03e80035 00ff0000",
      ETH_TEXT "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=later),udp(src=0,dst=0)",
      12, 14, 0, 0 },
    { "a middle fragment", MACS "0800 4500001c 00002001 40060000 0a000001 0a000002 03e80035 00ff0000",
      ETH_TEXT "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=0,ttl=64,frag=later),tcp(src=0,dst=0),"
      "tcp_flags(0)", 12, 14, 0, 0 },
    { "IPv4 with a header too short", MACS "0800 4400001c 00004000 40110000 0a000001 0a000002" UDP,
      ETH_TEXT "eth_type(0x0800)", 12, 0, 0, 0 },
    { "IPv4 of version 5", MACS "0800 5500001c 00004000 40110000 0a000001 0a000002" UDP,
      ETH_TEXT "eth_type(0x0800)", 12, 0, 0, 0 },
    { "IPv4 longer than the frame", MACS "0800" IP4("0100", "11") UDP, ETH_TEXT "eth_type(0x0800)", 12, 0, 0, 0 },
    { "IPv4 shorter than its header", MACS "0800" IP4("0013", "11") UDP, ETH_TEXT "eth_type(0x0800)", 12, 0, 0, 0 },
    { "IPv4 of length 0", MACS "0800" IP4("0000", "11") UDP, ETH_TEXT "eth_type(0x0800)", 12, 0, 0, 0 },
    { "IPv4 whose options are cut off", MACS "0800 4f00003c 00004000 40110000 0a000001 0a000002" UDP,
      ETH_TEXT "eth_type(0x0800)", 12, 0, 0, 0 },

    /* VLAN */
    { "one tag", MACS "8100 6064 0800" IP4("001c", "11") UDP,
      ETH_TEXT "eth_type(0x8100),vlan(vid=100,pcp=3),encap(eth_type(0x0800)," IP4_TEXT("17") "," UDP_TEXT ")",
      16, 18, 38, 46 },
    { "a priority tag with the drop bit", MACS "8100 f000 0800" IP4("001c", "11") UDP,
      ETH_TEXT "eth_type(0x8100),vlan(vid=0,pcp=7),encap(eth_type(0x0800)," IP4_TEXT("17") "," UDP_TEXT ")",
      16, 18, 38, 46 },
    { "a service tag", MACS "88a8 0064 0800" IP4("001c", "11") UDP,
      ETH_TEXT "eth_type(0x88a8),vlan(vid=100,pcp=0),encap(eth_type(0x0800)," IP4_TEXT("17") "," UDP_TEXT ")",
      16, 18, 38, 46 },
    { "two tags", MACS "88a8 0064 8100 2065 0800" IP4("001c", "11") UDP,
      ETH_TEXT "eth_type(0x88a8),vlan(vid=100,pcp=0),encap(eth_type(0x8100),vlan(vid=101,pcp=1),encap(eth_type(0x0800),"
      IP4_TEXT("17") "," UDP_TEXT "))", 20, 22, 42, 50 },
    { "a third tag is the type", MACS "88a8 0064 8100 0065 8100 0066 0800" IP4("001c", "11") UDP,
      ETH_TEXT "eth_type(0x88a8),vlan(vid=100,pcp=0),encap(eth_type(0x8100),vlan(vid=101,pcp=0),encap(eth_type(0x8100)))",
      20, 0, 0, 0 },
    { "a tag that is cut off is the type", MACS "8100 0064 08", ETH_TEXT "eth_type(0x8100)", 12, 0, 0, 0 },
    { "a tag and nothing after its type", MACS "8100 0064 0800",
      ETH_TEXT "eth_type(0x8100),vlan(vid=100,pcp=0),encap(eth_type(0x0800)" ",ipv4(src=0.0.0.0,dst=0.0.0.0,proto=0,tos=0,ttl=0,frag=no),tp(src=0,dst=0))",
      16, 0, 0, 0 },

    /* 802.3 */
    { "plain LLC", MACS "0026 424203 0000000000", ETH_TEXT "eth_type(0x05ff)", 12, 0, 0, 0 },
    { "SNAP with IPv4", MACS "0024 aaaa03000000 0800" IP4("001c", "11") UDP,
      ETH_TEXT "eth_type(0x0800)," IP4_TEXT("17") "," UDP_TEXT, 12, 22, 42, 50 },
    { "SNAP of another organisation", MACS "0024 aaaa0300000c 2000 0000000000", ETH_TEXT "eth_type(0x05ff)", 12, 0, 0, 0 },
    { "SNAP whose type is a length", MACS "0024 aaaa03000000 0026 0000000000", ETH_TEXT "eth_type(0x05ff)", 12, 0, 0, 0 },
    { "SNAP cut off", MACS "0024 aaaa030000", ETH_TEXT "eth_type(0x05ff)", 12, 0, 0, 0 },

    /* ARP */
    { "an ARP request", MACS "0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002",
      ETH_TEXT "eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=02:00:00:00:00:01,tha=00:00:00:00:00:00)",
      12, 14, 0, 0 },
    { "a RARP reply", MACS "8035 0001 0800 06 04 0004 020000000001 0a000001 020000000009 0a000002",
      ETH_TEXT "eth_type(0x8035),arp(sip=10.0.0.1,tip=10.0.0.2,op=4,sha=02:00:00:00:00:01,tha=02:00:00:00:00:09)",
      12, 14, 0, 0 },
    { "an ARP operation above 255", MACS "0806 0001 0800 06 04 0101 020000000001 0a000001 000000000000 0a000002",
      ETH_TEXT "eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=0,sha=02:00:00:00:00:01,tha=00:00:00:00:00:00)",
      12, 14, 0, 0 },
    { "ARP of another link layer", MACS "0806 0006 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002",
      ETH_TEXT "eth_type(0x0806),arp(sip=0.0.0.0,tip=0.0.0.0,op=0,sha=00:00:00:00:00:00,tha=00:00:00:00:00:00)",
      12, 0, 0, 0 },
    { "ARP cut off", MACS "0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a0000",
      ETH_TEXT "eth_type(0x0806),arp(sip=0.0.0.0,tip=0.0.0.0,op=0,sha=00:00:00:00:00:00,tha=00:00:00:00:00:00)",
      12, 0, 0, 0 },

    /* MPLS */
    { "one label", MACS "8847 000641ff 45", ETH_TEXT "eth_type(0x8847),mpls(label=100,tc=0,ttl=255,bos=1)", 12, 0, 0, 0 },
    { "four labels, of which three are kept", MACS "8848 00064040 00065240 00066040 00067140",
      ETH_TEXT "eth_type(0x8848),mpls(label=100,tc=0,ttl=64,bos=0)", 12, 0, 0, 0 },

    /* IPv6 */
    { "TCP over IPv6", MACS "86dd" IP6("0014", "06") TCP, ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("6") "," TCP_TEXT,
      12, 14, 54, 74 },
    { "traffic class and flow label", MACS "86dd 6b9abcde 0008 11 01 20010db8000000000000000000000001 "
      "20010db8000000000000000000000002" UDP, ETH_TEXT "eth_type(0x86dd),ipv6(src=2001:db8::1,dst=2001:db8::2,label=0xabcde,"
      "proto=17,tclass=0xb9,hlimit=1,frag=no)," UDP_TEXT, 12, 14, 54, 62 },
    { "hop-by-hop, destination options, routing and authentication before UDP",
      MACS "86dd" IP6("0040", "00") "3c01050c000000000000000000000000 2b00010400000000 3300000000000000 "
      "1104000000000001 00000001 0000000000000000 00000000" UDP,
      ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("17") "," UDP_TEXT, 12, 14, 110, 118 },
    { "the first fragment of IPv6", MACS "86dd" IP6("0010", "2c") "11000001 00000007" UDP,
      ETH_TEXT "eth_type(0x86dd),ipv6(src=2001:db8::1,dst=2001:db8::2,label=0,proto=17,tclass=0,hlimit=64,frag=first),"
      UDP_TEXT, 12, 14, 62, 70 },
    { "a later fragment of IPv6", MACS "86dd" IP6("0010", "2c") "11000008 00000007" UDP,
      ETH_TEXT "eth_type(0x86dd),ipv6(src=2001:db8::1,dst=2001:db8::2,label=0,proto=44,tclass=0,hlimit=64,frag=later),"
      "tp(src=0,dst=0)", 12, 14, 0, 0 },
    { "a fragment header without fragments", MACS "86dd" IP6("0010", "2c") "11000000 00000007" UDP,
      ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("17") "," UDP_TEXT, 12, 14, 62, 70 },
    { "an extension header beyond the packet leaves the addresses", MACS "86dd" IP6("0010", "00") "1105000000000000" UDP,
      ETH_TEXT "eth_type(0x86dd),ipv6(src=2001:db8::1,dst=2001:db8::2,label=0,proto=0,tclass=0,hlimit=0,frag=no),"
      "tp(src=0,dst=0)", 12, 14, 0, 0 },
    { "IPv6 longer than the frame", MACS "86dd" IP6("0100", "11") UDP,
      ETH_TEXT "eth_type(0x86dd),ipv6(src=::,dst=::,label=0,proto=0,tclass=0,hlimit=0,frag=no),tp(src=0,dst=0)",
      12, 0, 0, 0 },
    { "no next header", MACS "86dd" IP6("0000", "3b"), ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("59") ",tp(src=0,dst=0)",
      12, 14, 0, 0 },
    { "an ICMPv6 echo", MACS "86dd" IP6("0008", "3a") "8000 0000 00010001",
      ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("58") ",icmpv6(type=128,code=0),nd(target=::,sll=00:00:00:00:00:00,"
      "tll=00:00:00:00:00:00,reserved=0,options_type=0)", 12, 14, 54, 62 },
    { "a neighbour solicitation", MACS "86dd" IP6("0020", "3a") "8700 0000 00000000 20010db8000000000000000000000009 "
      "0101 020000000001", ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("58") ",icmpv6(type=135,code=0),nd(target=2001:db8::9,"
      "sll=02:00:00:00:00:01,tll=00:00:00:00:00:00,reserved=0,options_type=1)", 12, 14, 54, 62 },
    { "a neighbour advertisement with a nonce before the address", MACS "86dd" IP6("0028", "3a")
      "8800 0000 60000000 20010db8000000000000000000000009 0e01000000000000 0201 020000000001",
      ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("58") ",icmpv6(type=136,code=0),nd(target=2001:db8::9,"
      "sll=00:00:00:00:00:00,tll=02:00:00:00:00:01,reserved=0x60000000,options_type=14)", 12, 14, 54, 62 },
    { "options end at one of length 0", MACS "86dd" IP6("0028", "3a")
      "8700 0000 00000000 20010db8000000000000000000000009 0101 020000000001 0200 020000000003",
      ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("58") ",icmpv6(type=135,code=0),nd(target=2001:db8::9,sll=02:00:00:00:00:01,"
      "tll=00:00:00:00:00:00,reserved=0,options_type=1)", 12, 14, 54, 62 },
    { "options end at one that is longer than the packet", MACS "86dd" IP6("0020", "3a")
      "8700 0000 00000000 20010db8000000000000000000000009 0102 020000000001",
      ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("58") ",icmpv6(type=135,code=0),nd(target=2001:db8::9,sll=00:00:00:00:00:00,"
      "tll=00:00:00:00:00:00,reserved=0,options_type=0)", 12, 14, 54, 62 },
    { "two addresses of one kind spoil the message", MACS "86dd" IP6("0028", "3a")
      "8700 0000 00000000 20010db8000000000000000000000009 0101 020000000001 0101 020000000002",
      ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("58") ",icmpv6(type=135,code=0),nd(target=::,sll=00:00:00:00:00:00,"
      "tll=00:00:00:00:00:00,reserved=0,options_type=0)", 12, 14, 54, 62 },
    { "a solicitation of another code is no solicitation", MACS "86dd" IP6("0020", "3a")
      "8701 0000 00000000 20010db8000000000000000000000009 0101 020000000001",
      ETH_TEXT "eth_type(0x86dd)," IP6_TEXT("58") ",icmpv6(type=135,code=1),nd(target=::,sll=00:00:00:00:00:00,"
      "tll=00:00:00:00:00:00,reserved=0,options_type=0)", 12, 14, 54, 62 },
};
const size_t n_samples = ARRAY_SIZE(samples);

const struct sample *sample_called(const char *sentence)
{
    for (size_t i = 0; i < n_samples; i++) {
        if (!strcmp(samples[i].sentence, sentence)) {
            return &samples[i];
        }
    }
    ck_abort_msg("there is no sample \"%s\"", sentence);
}

struct packet *packet_from_hex(const char *hex)
{
    uint8_t bytes[2048];
    size_t n = parse_hex(hex, bytes, sizeof bytes);
    ck_assert_msg(n != SIZE_MAX, "bad hex: %s", hex);
    struct packet *p = packet_from_bytes(NULL, bytes, n);
    p->in_port = 3;
    return p;
}

const char *key_as_text(const struct key *key)
{
    static struct text t;
    struct mask mask;
    memset(&mask, 0, sizeof mask);
    memset(&mask.bits.l2, 0xff, 3 * KEY_BLOCK_BYTES);
    mask_seal(&mask);
    text_clear(&t);
    key_format(key, &mask, NULL, NULL, &t);
    return text_str(&t) + strlen("recirc_id(0),");
}
