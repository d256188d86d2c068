/* SPDX-License-Identifier: Apache-2.0 */
/* Rewriting header fields: after each row the packet's key must be the wanted one, its checksums right, and nothing else
 * changed; with complete checksums, with partial ones, and without UDP's. */
#include <stdlib.h>

#include "datapath/action/set.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/flow/compose.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"
#include "tests/unit/datapath/engine/engine_tests.h"

enum kind { TCP4, UDP4, TCP6, UDP6, ICMP4, ICMP6, NS6, NA6, SCTP4, ARP, FRAG4, VLAN_TCP4, QINQ_UDP6, N_KINDS };

static void make_key(enum kind kind, struct key *k)
{
    static const uint8_t protos[N_KINDS] = {
        [TCP4] = IP_PROTO_TCP, [UDP4] = IP_PROTO_UDP, [TCP6] = IP_PROTO_TCP, [UDP6] = IP_PROTO_UDP,
        [ICMP4] = IP_PROTO_ICMP, [ICMP6] = IP_PROTO_ICMP6, [NS6] = IP_PROTO_ICMP6, [NA6] = IP_PROTO_ICMP6,
        [SCTP4] = IP_PROTO_SCTP, [ARP] = 1, [FRAG4] = IP_PROTO_UDP, [VLAN_TCP4] = IP_PROTO_TCP,
        [QINQ_UDP6] = IP_PROTO_UDP,
    };
    bool ip6 = kind == TCP6 || kind == UDP6 || kind == ICMP6 || kind == NS6 || kind == NA6 || kind == QINQ_UDP6;
    memset(k, 0, sizeof *k);
    random_secure(&k->l2.dst, 12);
    k->l2.type = htobe16(kind == ARP ? ETH_TYPE_ARP : ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
    if (kind == VLAN_TCP4 || kind == QINQ_UDP6) {
        k->l2.vlan[0] = (struct key_vlan) { htobe16(kind == QINQ_UDP6 ? ETH_TYPE_SVLAN : ETH_TYPE_VLAN),
                                            htobe16(VLAN_CFI | 7) };
    }
    if (kind == QINQ_UDP6) {
        k->l2.vlan[1] = (struct key_vlan) { htobe16(ETH_TYPE_VLAN), htobe16(VLAN_CFI | 9) };
    }
    k->l3.proto = protos[kind];
    if (ip6) {
        random_secure(&k->l3.ip6_src, 32);
        k->l3.ip6_label = htobe32(0x12345);
    } else {
        random_secure(&k->l3.ip4_src, 8);
    }
    if (kind == ARP) {
        random_secure(&k->l3.arp_sha, 12);
        return;
    }
    k->l3.tos = 0x11;
    k->l3.ttl = 64;
    if (kind == FRAG4) {
        k->l3.frag = FRAG_ANY | FRAG_LATER;
        return;
    }
    k->l4.src = htobe16(1000);
    k->l4.dst = htobe16(2000);
    if (kind == TCP4 || kind == TCP6 || kind == VLAN_TCP4) {
        k->l4.tcp_flags = htobe16(TCP_ACK);
    }
    if (kind == ICMP4 || kind == ICMP6) {
        k->l4.src = htobe16(kind == ICMP4 ? ICMP4_ECHO : ICMP6_ECHO);
        k->l4.dst = 0;
    }
    if (kind == NS6 || kind == NA6) {
        k->l4.src = htobe16(kind == NS6 ? ICMP6_NS : ICMP6_NA);
        k->l4.dst = 0;
        random_secure(&k->l4.nd_target, 16);
        k->l4.nd_options_type = kind == NS6 ? ND_OPT_SLL : ND_OPT_TLL;
        random_secure(kind == NS6 ? &k->l4.nd_sll : &k->l4.nd_tll, 6);
    }
}

/* Rows: what is set, by member of the key, and on which kinds of packets that must work. */
static const struct row {
    const char *sentence;
    uint32_t kinds;              /* Bits. */
    uint16_t ofs, size;
    bool low_byte;               /* Of a number of 16 bits only the low byte. */
} rows[] = {
#define BIT(kind) (1u << kind)
#define IP4S (BIT(TCP4) | BIT(UDP4) | BIT(ICMP4) | BIT(SCTP4) | BIT(FRAG4) | BIT(VLAN_TCP4))
#define IP6S (BIT(TCP6) | BIT(UDP6) | BIT(ICMP6) | BIT(NS6) | BIT(NA6) | BIT(QINQ_UDP6))
#define PORTS (BIT(TCP4) | BIT(UDP4) | BIT(TCP6) | BIT(UDP6) | BIT(SCTP4) | BIT(VLAN_TCP4) | BIT(QINQ_UDP6))
#define MEMBER(m) offsetof(struct key, m), sizeof(((struct key *) 0)->m)
    { "Ethernet destination", BIT(N_KINDS) - 1, MEMBER(l2.dst) },
    { "Ethernet source", BIT(N_KINDS) - 1, MEMBER(l2.src) },
    { "IPv4 source", IP4S, MEMBER(l3.ip4_src) },
    { "IPv4 destination", IP4S, MEMBER(l3.ip4_dst) },
    { "IPv6 source", IP6S, MEMBER(l3.ip6_src) },
    { "IPv6 destination", IP6S, MEMBER(l3.ip6_dst) },
    { "TOS and traffic class", IP4S | IP6S, MEMBER(l3.tos) },
    { "TTL and hop limit", IP4S | IP6S, MEMBER(l3.ttl) },
    { "ARP sender hardware address", BIT(ARP), MEMBER(l3.arp_sha) },
    { "ARP target hardware address", BIT(ARP), MEMBER(l3.arp_tha) },
    { "ARP sender protocol address", BIT(ARP), MEMBER(l3.ip4_src) },
    { "ARP target protocol address", BIT(ARP), MEMBER(l3.ip4_dst) },
    { "ARP operation", BIT(ARP), MEMBER(l3.proto) },
    { "source port", PORTS, MEMBER(l4.src) },
    { "destination port", PORTS, MEMBER(l4.dst) },
    { "ICMP type", BIT(ICMP4) | BIT(ICMP6), MEMBER(l4.src), true },
    { "ICMP code", BIT(ICMP4), MEMBER(l4.dst), true },
    { "ND target", BIT(NS6) | BIT(NA6), MEMBER(l4.nd_target) },
    { "ND source link address", BIT(NS6), MEMBER(l4.nd_sll) },
    { "ND target link address", BIT(NA6), MEMBER(l4.nd_tll) },
    { "ND reserved word", BIT(NS6) | BIT(NA6), MEMBER(l4.nd_reserved) },
};

static bool ip4_csum_is_right(const struct packet *p)
{
    const uint8_t *ip = p->data + p->l3_ofs;
    return csum(ip, (ip[0] & 15) * 4) == 0;
}

static uint32_t sctp_csum(const struct packet *p)
{
    uint8_t bytes[2048];
    size_t n = packet_len(p) - p->l4_ofs;
    memcpy(bytes, p->data + p->l4_ofs, n);
    memset(bytes + 8, 0, 4);
    return htole32(crc32c(bytes, n));
}

static bool sctp_is_right(const struct packet *p)
{
    uint32_t csum_;
    memcpy(&csum_, p->data + p->l4_ofs + 8, 4);
    return csum_ == sctp_csum(p);
}

enum csum_form { COMPLETE, PARTIAL, NO_UDP };

/* The composed packet with its checksum in the wanted form; NULL if that form makes no sense. */
static struct packet *make(enum kind kind, const struct key *key, enum csum_form form)
{
    struct packet *p = packet_compose(key, 64);
    struct key again;
    key_extract(p, &again, 1);
    uint8_t proto = key->l3.proto;
    bool udp = proto == IP_PROTO_UDP && kind != FRAG4, tcp = proto == IP_PROTO_TCP;
    if (form == COMPLETE) {
        if (kind == SCTP4) {
            uint32_t sum = sctp_csum(p);
            memcpy(p->data + p->l4_ofs + 8, &sum, 4);
        }
        return p;
    }
    if ((form == NO_UDP && kind != UDP4) || (form == PARTIAL && !udp && !tcp)) {
        packet_free(p);
        return NULL;
    }
    be16 *field = (be16 *) (p->data + p->l4_ofs + (udp ? 6 : 16));
    if (form == NO_UDP) {
        *field = 0;
        return p;
    }
    uint32_t len = packet_len(p) - p->l4_ofs;
    bool ip6 = key->l2.type == htobe16(ETH_TYPE_IP6);
    uint32_t sum = ip6 ? csum_pseudo6(&key->l3.ip6_src, &key->l3.ip6_dst, proto, len)
                       : csum_pseudo4(key->l3.ip4_src, key->l3.ip4_dst, proto, len);
    *field = ~csum_finish(sum);
    p->offload = OFFLOAD_CSUM_PARTIAL;
    p->csum_start = p->l4_ofs;
    p->csum_offset = udp ? 6 : 16;
    return p;
}

static void run_row(const struct row *row, enum kind kind, enum csum_form form, bool some_bits)
{
    struct key key, want, got, value, mask;
    make_key(kind, &key);
    struct packet *p = make(kind, &key, form);
    if (!p) {
        return;
    }
    key_extract(p, &key, 1);
    memset(&value, 0, sizeof value);
    memset(&mask, 0, sizeof mask);
    random_secure((uint8_t *) &value + row->ofs, row->size);
    if (some_bits) {
        random_secure((uint8_t *) &mask + row->ofs, row->size);
        ((uint8_t *) &mask)[row->ofs + row->size - 1] |= 1;
    } else {
        memset((uint8_t *) &mask + row->ofs, 0xff, row->size);
    }
    if (row->low_byte) {
        ((uint8_t *) &mask)[row->ofs] = 0;
        ((uint8_t *) &value)[row->ofs] = 0;
    }
    want = key;
    for (size_t i = 0; i < sizeof want; i++) {
        uint8_t m = ((uint8_t *) &mask)[i];
        ((uint8_t *) &want)[i] = (((uint8_t *) &key)[i] & ~m) | (((uint8_t *) &value)[i] & m);
    }
    unsigned block = row->ofs / KEY_BLOCK_BYTES;
    struct action_set set;
    memcpy(set.value, value.words[block], sizeof set.value);
    memcpy(set.mask, mask.words[block], sizeof set.mask);
    ck_assert(!packet_set_check(block, &set));
    uint32_t len = packet_len(p);
    ck_assert_msg(packet_set(p, block, &set), "%s on kind %d", row->sentence, kind);
    key_extract(p, &got, 1);
    if (kind == ICMP6 && row->low_byte) {
        memset(&got.l4, 0, sizeof got.l4);      /* A type that became ND's has other members. */
        memset(&want.l4, 0, sizeof want.l4);
    }
    ck_assert_msg(!memcmp(&got, &want, sizeof got), "%s on kind %d, form %d", row->sentence, kind, form);
    ck_assert_uint_eq(packet_len(p), len);
    bool ip4 = key.l2.type == htobe16(ETH_TYPE_IP4);
    if (ip4) {
        ck_assert_msg(ip4_csum_is_right(p), "%s on kind %d: IPv4 checksum", row->sentence, kind);
    }
    if (kind == SCTP4) {
        ck_assert_msg(sctp_is_right(p), "%s on kind %d: SCTP checksum", row->sentence, kind);
    } else if (form == NO_UDP) {
        ck_assert_uint_eq(get_be16(p->data + p->l4_ofs + 6), 0);
    } else if (kind != ARP && kind != FRAG4) {
        if (form == PARTIAL) {
            packet_csum_complete(p);
            ck_assert(!(p->offload & OFFLOAD_CSUM_PARTIAL));
        }
        ck_assert_msg(packet_csum_is_valid(p), "%s on kind %d, form %d: checksum", row->sentence, kind, form);
    }
    packet_free(p);
}

START_TEST(every_field_can_be_set_and_checksums_stay_right)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (unsigned kind = 0; kind < N_KINDS; kind++) {
            for (int form = COMPLETE; form <= NO_UDP && (rows[i].kinds & BIT(kind)); form++) {
                for (int n = 0; n < 20; n++) {
                    run_row(&rows[i], kind, form, n % 2);
                }
            }
        }
    }
}
END_TEST

START_TEST(what_is_not_there_is_not_set)
{
    static const struct { const char *sentence; enum kind kind; uint16_t ofs, size; } bad[] = {
        { "ports of ARP", ARP, MEMBER(l4.src) },
        { "ports of a later fragment", FRAG4, MEMBER(l4.src) },
        { "IPv6 source of IPv4", TCP4, MEMBER(l3.ip6_src) },
        { "IPv4 source of IPv6", TCP6, MEMBER(l3.ip4_src) },
        { "ARP address of IPv4", UDP4, MEMBER(l3.arp_sha) },
        { "TTL of ARP", ARP, MEMBER(l3.ttl) },
        { "ND target of an echo", ICMP6, MEMBER(l4.nd_target) },
        { "ND source address of an advertisement", NA6, MEMBER(l4.nd_sll) },
        { "MPLS label of IPv4", TCP4, MEMBER(l2.mpls[0]) },
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct key key, mask;
        make_key(bad[i].kind, &key);
        struct packet *p = make(bad[i].kind, &key, COMPLETE);
        memset(&mask, 0, sizeof mask);
        memset((uint8_t *) &mask + bad[i].ofs, 0xff, bad[i].size);
        struct action_set set;
        unsigned block = bad[i].ofs / KEY_BLOCK_BYTES;
        memcpy(set.value, mask.words[block], sizeof set.value);
        memcpy(set.mask, mask.words[block], sizeof set.mask);
        ck_assert_msg(!packet_set(p, block, &set), "%s", bad[i].sentence);
        packet_free(p);
    }
}
END_TEST

START_TEST(unwritable_fields_are_refused)
{
    static const uint16_t ofs[] = {
        offsetof(struct key, l2.type), offsetof(struct key, l2.vlan[0].tci), offsetof(struct key, l3.frag),
        offsetof(struct key, l4.tcp_flags), offsetof(struct key, l2.mpls[1]), offsetof(struct key, l4.pad),
        offsetof(struct key, meta.in_port), offsetof(struct key, ct.mark),
    };
    for (size_t i = 0; i < ARRAY_SIZE(ofs); i++) {
        struct action_set set;
        memset(&set, 0, sizeof set);
        ((uint8_t *) set.mask)[ofs[i] % KEY_BLOCK_BYTES] = 1;
        struct error *e = packet_set_check(ofs[i] / KEY_BLOCK_BYTES, &set);
        ck_assert_msg(e != NULL, "offset %u", ofs[i]);
        error_free(e);
    }
}
END_TEST

START_TEST(headers_that_are_cut_off_are_not_touched)
{
    for (unsigned kind = 0; kind < N_KINDS; kind++) {
        struct key key;
        make_key(kind, &key);
        struct packet *whole = make(kind, &key, COMPLETE);
        for (uint16_t n = 14; n < whole->head_len; n++) {
            /* A block of its own size, so that sanitizers see every byte too far. */
            struct packet *p = packet_clone(NULL, whole);
            uint16_t after = p->head_len - n;
            p->head_len = n;
            memset(p->data + n, 0xaa, after);
            key_extract(p, &key, 1);
            for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct action_set set;
                memset(&set, 0, sizeof set);
                memset((uint8_t *) set.mask + rows[i].ofs % KEY_BLOCK_BYTES, 0xff, rows[i].size);
                packet_set(p, rows[i].ofs / KEY_BLOCK_BYTES, &set);
            }
            for (uint16_t j = 0; j < after; j++) {
                ck_assert_uint_eq(p->data[n + j], 0xaa);
            }
            packet_free(p);
        }
        packet_free(whole);
    }
}
END_TEST

START_TEST(the_flow_hash_is_symmetric_when_asked)
{
    for (unsigned kind = 0; kind < N_KINDS; kind++) {
        struct key a, b;
        make_key(kind, &a);
        b = a;
        b.l2.src = a.l2.dst;
        b.l2.dst = a.l2.src;
        b.l3.ip4_src = a.l3.ip4_dst;
        b.l3.ip4_dst = a.l3.ip4_src;
        b.l3.ip6_src = a.l3.ip6_dst;
        b.l3.ip6_dst = a.l3.ip6_src;
        if (PORTS & BIT(kind)) {
            b.l4.src = a.l4.dst;
            b.l4.dst = a.l4.src;
        }
        struct packet *p = make(kind, &a, COMPLETE), *q = make(kind, &b, COMPLETE);
        ck_assert_uint_eq(packet_flow_hash(p, 5, true), packet_flow_hash(q, 5, true));
        ck_assert_uint_ne(packet_flow_hash(p, 5, true), packet_flow_hash(p, 6, true));
        if (kind != ARP) {
            ck_assert_uint_ne(packet_flow_hash(p, 5, false), packet_flow_hash(q, 5, false));
        }
        packet_free(p);
        packet_free(q);
    }
}
END_TEST

TCase *set_tcase(void)
{
    TCase *t = tcase_create("set");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_field_can_be_set_and_checksums_stay_right);
    tcase_add_test(t, what_is_not_there_is_not_set);
    tcase_add_test(t, unwritable_fields_are_refused);
    tcase_add_test(t, headers_that_are_cut_off_are_not_touched);
    tcase_add_test(t, the_flow_hash_is_symmetric_when_asked);
    return t;
}
