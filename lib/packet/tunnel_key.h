/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnel metadata of a packet: what the outer headers said, or are to say. One 64-byte block of the key. */
#ifndef LIB_PACKET_TUNNEL_KEY_H
#define LIB_PACKET_TUNNEL_KEY_H

#include <netinet/in.h>

#include "lib/base/types.h"

enum tunnel_flag {
    TUNNEL_KEY = 1 << 0,          /* tun_id is there. */
    TUNNEL_DF = 1 << 1,           /* Do not fragment the outer packet. */
    TUNNEL_CSUM = 1 << 2,         /* Outer UDP checksum. */
    TUNNEL_OAM = 1 << 3,
    TUNNEL_MSS_CLAMP = 1 << 4,    /* Ours: clamp the MSS of TCP SYNs to the path. Only when sending. */
};

struct tunnel_key {
    struct in6_addr ip6_src, ip6_dst;   /* Outer addresses; zero if the outer packet is IPv4. */
    be32 ip4_src, ip4_dst;              /* Zero if it is IPv6. */
    be64 id;                            /* VNI or key, in the low bits. */
    be16 tp_src, tp_dst;                /* Outer UDP ports; tp_src 0 when sending: entropy of the flow. */
    be16 gbp_id;
    uint8_t gbp_flags;
    uint8_t tos, ttl;                   /* Outer, whole TOS byte with ECN. */
    uint8_t flags;                      /* enum tunnel_flag */
    uint8_t pad[6];                     /* Zero. */
};
_Static_assert(sizeof(struct tunnel_key) == 64, "one block of the key");

#endif
