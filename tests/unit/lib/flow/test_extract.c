/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of packets. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/flow/action.h"
#include "lib/packet/headers.h"
#include "tests/unit/lib/flow/flow_tests.h"

enum { BASIS = 12345 };

START_TEST(samples_have_their_keys)
{
    const struct sample *s = &samples[_i];
    struct packet *p = packet_from_hex(s->hex);
    struct key key;
    memset(&key, 0xa5, sizeof key);
    key_extract(p, &key, BASIS);
    /* A malformed network layer shows as zeros, which the text of the samples may leave out. */
    const char *text = key_as_text(&key);
    ck_assert_msg(!strncmp(text, s->key, strlen(s->key)), "%s:\n  is   %s\n  want %s", s->sentence, text, s->key);
    const struct { const char *what; uint16_t is, want; } offsets[] = {
        { "type", p->l2_type_ofs, s->l2_type_ofs }, { "layer 3", p->l3_ofs, s->l3_ofs },
        { "layer 4", p->l4_ofs, s->l4_ofs }, { "payload", p->payload_ofs, s->payload_ofs },
    };
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        ck_assert_msg(offsets[i].is == offsets[i].want, "%s: %s is at %u, should be at %u", s->sentence, offsets[i].what,
                      offsets[i].is, offsets[i].want);
    }
    ck_assert_uint_eq(key.meta.in_port, 3);

    /* Text and key say the same; nothing else is in the key. */
    struct key again;
    struct mask mask;
    struct error *e = key_parse(text, &again, &mask);
    ck_assert_msg(!e, "%s: %s", s->sentence, e ? error_text(e) : "");
    ck_assert_mem_eq(&again.l3, &key.l3, sizeof key.l3);
    ck_assert_mem_eq(&again.l4, &key.l4, sizeof key.l4);
    again.l2.mpls[1] = key.l2.mpls[1];   /* Not shown. */
    again.l2.mpls[2] = key.l2.mpls[2];
    ck_assert_mem_eq(&again.l2, &key.l2, sizeof key.l2);
    packet_free(p);
}
END_TEST

/* Whatever is cut off, nothing is read beyond the end: the bytes lie at the end of an allocation, which sanitizers watch,
 * and what was whole before the cut is still known. */
START_TEST(truncations)
{
    struct packet *whole = packet_from_hex(samples[_i].hex);
    struct key full;
    key_extract(whole, &full, BASIS);
    for (uint32_t n = 0; n <= whole->head_len; n++) {
        struct packet *p = packet_new(NULL);
        uint8_t *bytes = xmalloc(MAX(n, 1));
        memcpy(bytes, whole->data, n);
        p->data = bytes;
        p->head_len = n;
        p->in_port = 3;
        struct key key;
        key_extract(p, &key, BASIS);
        if (n >= 14) {
            ck_assert(eth_addr_equal(key.l2.src, full.l2.src));
        }
        ck_assert(p->l3_ofs <= n && p->l4_ofs <= n && p->payload_ofs <= n);
        ck_assert(!p->l4_ofs || p->l3_ofs);
        /* The same packet in a batch. */
        struct key other;
        struct packet_batch batch = { 1, { p } };
        uint64_t hash = p->hash;
        key_extract_batch(&batch, &other, BASIS);
        ck_assert_mem_eq(&key, &other, sizeof key);
        ck_assert_uint_eq(p->hash, hash);
        free(bytes);
        packet_free(p);
    }
    packet_free(whole);
}
END_TEST

START_TEST(mpls_stack)
{
    struct packet *p = packet_from_hex("020000000002 020000000001 8848 00064040 00065240 00066040 00067140");
    struct key key;
    key_extract(p, &key, BASIS);
    ck_assert_uint_eq(be32toh(key.l2.mpls[1]), 0x00065240);
    ck_assert_uint_eq(be32toh(key.l2.mpls[2]), 0x00066040);
    packet_free(p);
}
END_TEST

START_TEST(metadata_and_tunnel)
{
    struct packet *p = packet_from_hex(sample_called("TCP over IPv4")->hex);
    p->in_port = 77;
    p->recirc_id = 5;
    p->dp_hash = 6;
    p->mark = 7;
    p->priority = 8;
    struct key key;
    key_extract(p, &key, BASIS);
    ck_assert(key.meta.in_port == 77 && key.meta.recirc_id == 5 && key.meta.dp_hash == 6 && key.meta.mark == 7 &&
              key.meta.priority == 8);
    ck_assert(!key.tunnel.id && !key.tunnel.ip4_src);
    uint64_t before = p->hash;
    p->has_tunnel = true;
    memset(&p->tunnel, 0, sizeof p->tunnel);
    p->tunnel.id = htobe64(4097);
    key_extract(p, &key, BASIS);
    ck_assert_mem_eq(&key.tunnel, &p->tunnel, sizeof p->tunnel);
    ck_assert_uint_ne(p->hash, before);
    packet_free(p);
}
END_TEST

START_TEST(nested_offload_is_noticed)
{
    struct packet *p = packet_from_hex(sample_called("TCP over IPv4")->hex);
    struct key key;
    p->offload = OFFLOAD_CSUM_PARTIAL;
    p->csum_start = 34;
    p->csum_offset = 16;
    key_extract(p, &key, BASIS);
    ck_assert_uint_eq(p->offload, OFFLOAD_CSUM_PARTIAL);
    p->csum_start = 44;
    key_extract(p, &key, BASIS);
    ck_assert_uint_eq(p->offload, OFFLOAD_CSUM_PARTIAL | OFFLOAD_NESTED);
    p->csum_start = 34;   /* As after the outer headers were taken off. */
    key_extract(p, &key, BASIS);
    ck_assert_uint_eq(p->offload, OFFLOAD_CSUM_PARTIAL);
    packet_free(p);
}
END_TEST

START_TEST(gso_packets_longer_than_their_length_field)
{
    struct packet *p = packet_from_hex("020000000002 020000000001 0800 45000000 00004000 40060000 0a000001 0a000002 "
                                       "03e80050 00000001 00000000 5002 1000 0000 0000");
    struct key key;
    p->gso = GSO_TCP4;
    key_extract(p, &key, BASIS);
    ck_assert_uint_eq(key.l4.dst, htobe16(80));
    packet_free(p);
}
END_TEST

/* What tells flows apart changes the hash; what may differ within a flow does not. */
START_TEST(hash)
{
    const char *hex = "020000000002 020000000001 8100 0064 0800 45000028 00004000 40060000 0a000001 0a000002 "
                      "03e80050 00000001 00000000 5002 1000 0000 0000";
    static const struct { const char *what; uint16_t byte; bool changes; } rows[] = {
        { "destination MAC", 0, true }, { "source MAC", 11, true }, { "VLAN id", 15, true }, { "VLAN priority", 14, false },
        { "TOS", 19, false }, { "IP id", 22, false }, { "TTL", 26, false }, { "source address", 33, true },
        { "destination address", 34, true }, { "source port", 38, true }, { "destination port", 41, true },
        { "sequence number", 45, false }, { "flags", 51, false },
    };
    struct packet *p = packet_from_hex(hex);
    struct key key;
    key_extract(p, &key, BASIS);
    uint64_t hash = p->hash;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t flip = rows[i].byte == 14 ? 0x20 : 1;
        p->data[rows[i].byte] ^= flip;
        key_extract(p, &key, BASIS);
        ck_assert_msg((p->hash != hash) == rows[i].changes, "the hash %s with the %s",
                      rows[i].changes ? "does not change" : "changes", rows[i].what);
        p->data[rows[i].byte] ^= flip;
    }
    p->in_port++;
    key_extract(p, &key, BASIS);
    ck_assert_uint_ne(p->hash, hash);
    p->in_port--;
    key_extract(p, &key, BASIS + 1);
    ck_assert_uint_ne(p->hash, hash);
    packet_free(p);
}
END_TEST

/* The straight way and the way layer by layer must agree. The latter is taken for a packet whose IP header has a length
 * field of 0, which a GSO packet may have, and which is not in the key. */
START_TEST(both_ways_agree)
{
    int n_straight = 0;
    for (size_t i = 0; i < n_samples; i++) {
        struct packet *p = packet_from_hex(samples[i].hex);
        struct key a, b;
        key_extract(p, &a, BASIS);
        uint64_t hash = p->hash;
        uint16_t payload_ofs = p->payload_ofs;
        bool padded = strstr(samples[i].sentence, "padding");   /* Without a length it would be payload. */
        if (p->l4_ofs && !padded) {
            put_be16(p->data + p->l3_ofs + (a.l2.type == htobe16(ETH_TYPE_IP4) ? 2 : 4), 0);
            p->gso = GSO_TCP4;
            key_extract(p, &b, BASIS);
            ck_assert_msg(!memcmp(&a, &b, sizeof a), "%s", samples[i].sentence);
            ck_assert_msg(p->hash == hash, "%s", samples[i].sentence);
            ck_assert_uint_eq(p->payload_ofs, payload_ofs);
            n_straight += a.l3.proto == IP_PROTO_TCP || a.l3.proto == IP_PROTO_UDP;
        }
        packet_free(p);
    }
    ck_assert(n_straight >= 10);
}
END_TEST

START_TEST(hash_spreads)
{
    /* 64 K flows that differ in ports and last address byte; buckets of a table of 4,096 fill evenly. */
    enum { BUCKETS = 4096, FLOWS = 65536 };
    static uint32_t buckets[BUCKETS];
    struct packet *p = packet_from_hex(sample_called("UDP over IPv4")->hex);
    struct key key;
    memset(buckets, 0, sizeof buckets);
    for (uint32_t i = 0; i < FLOWS; i++) {
        put_be16(p->data + 34, i & 0xff);
        p->data[29] = i >> 8;
        key_extract(p, &key, BASIS);
        buckets[p->hash % BUCKETS]++;
        buckets[(p->hash >> 40) % BUCKETS]++;
    }
    double chi = 0, expected = 2.0 * FLOWS / BUCKETS;
    for (int i = 0; i < BUCKETS; i++) {
        chi += (buckets[i] - expected) * (buckets[i] - expected) / expected;
    }
    ck_assert_msg(chi < BUCKETS * 1.2, "chi-squared is %.0f for %d buckets", chi, BUCKETS);
    packet_free(p);
}
END_TEST

TCase *extract_tcase(void)
{
    TCase *tc = tcase_create("extract");
    tcase_add_loop_test(tc, samples_have_their_keys, 0, (int) n_samples);
    tcase_add_loop_test(tc, truncations, 0, (int) n_samples);
    tcase_add_test(tc, mpls_stack);
    tcase_add_test(tc, metadata_and_tunnel);
    tcase_add_test(tc, nested_offload_is_noticed);
    tcase_add_test(tc, gso_packets_longer_than_their_length_field);
    tcase_add_test(tc, hash);
    tcase_add_test(tc, both_ways_agree);
    tcase_add_test(tc, hash_spreads);
    return tc;
}
