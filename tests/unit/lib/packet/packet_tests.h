/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/packet share: test cases, and packets made to measure. */
#ifndef TESTS_UNIT_LIB_PACKET_PACKET_TESTS_H
#define TESTS_UNIT_LIB_PACKET_PACKET_TESTS_H

#include <check.h>

#include "lib/packet/packet.h"

TCase *packet_tcase(void);
TCase *csum_tcase(void);
TCase *gso_tcase(void);
TCase *vnet_tcase(void);

/* How make_packet() builds a frame. */
struct recipe {
    int n_vlans;
    bool ip6;
    uint32_t extensions;         /* IPv6: bytes of hop-by-hop and destination options (a multiple of 8). IPv4: of options. */
    uint8_t proto;               /* TCP or UDP. */
    uint32_t tcp_options;        /* Bytes, a multiple of 4. */
    uint16_t tcp_flags;
    uint32_t payload;            /* Bytes of payload, whose Nth byte is payload_byte(N). */
    bool partial;                /* Leave the checksum to be completed. */
    uint32_t padding;            /* Bytes after the IP packet. */
    bool no_udp_csum;
};

uint8_t payload_byte(uint32_t n);
/* With layer offsets; csum_start and csum_offset if partial. */
struct packet *make_packet(struct packet_pool *, const struct recipe *);
/* 'inner' in VXLAN over UDP and IPv4 or IPv6; takes 'inner'. With 'csum' the outer checksum is not 0. */
struct packet *make_vxlan(struct packet_pool *, struct packet *inner, bool ip6, bool csum);
/* The checksum of RFC 1071 as slowly as it can be written; big-endian number of the sum, not inverted. */
uint16_t naive_sum(const uint8_t *p, size_t n);

#endif
