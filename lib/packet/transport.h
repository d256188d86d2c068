/* SPDX-License-Identifier: Apache-2.0 */
/* Where an IP packet's transport header is: a careful second look at headers for the code that completes checksums and
 * cuts segments. The parser of keys has its own, faster way. */
#ifndef LIB_PACKET_TRANSPORT_H
#define LIB_PACKET_TRANSPORT_H

#include "lib/base/types.h"

struct packet;

struct transport {
    bool is_ip6;
    bool fragment;               /* A fragment, first or later: the transport packet is not whole. */
    uint8_t proto;               /* After IPv6 extension headers. */
    uint16_t l3_ofs, l4_ofs;     /* From 'data'. */
    uint32_t l4_len;             /* Of transport header and payload, without padding of the frame. */
    uint8_t dst[16];             /* IPv6: the final destination, which a routing header may hold (RFC 8200, 8.1). */
};

/* Looks at the IPv4 or IPv6 header at 'l3_ofs' of the frame; false if there is none or it is malformed. The
 * transport header itself is not looked at. A packet with GSO may have a length field of 0: then its length is that of
 * the frame. */
bool transport_find(const struct packet *, uint16_t l3_ofs, struct transport *);

/* The pseudo-header's sum for a transport packet of 'len' bytes. */
uint32_t transport_pseudo(const struct packet *, const struct transport *, uint32_t len);

/* Sum of 'n' bytes at 'ofs' of the frame, wherever they lie; they must be there. */
uint32_t packet_csum_range(const struct packet *, size_t ofs, size_t n);

#endif
