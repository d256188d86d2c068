/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to packets that do not fit a tunnel's path: ICMP "fragmentation needed" (RFC 792, RFC 1191) and ICMPv6
 * "packet too big" (RFC 4443 section 3.2), to the inner sender. */
#ifndef DATAPATH_TUNNEL_TOO_BIG_H
#define DATAPATH_TUNNEL_TOO_BIG_H

#include "lib/base/types.h"

struct packet;
struct packet_pool;

/* The answer to 'p', as a frame from its destination: tags kept, Ethernet and IP addresses exchanged, 'mtu' what the
 * inner IP packet may be long. NULL if none is due: no IP, an ICMP error itself, a later fragment, not unicast, or no
 * buffer. */
struct packet *too_big_answer(struct packet_pool *, const struct packet *p, uint32_t mtu);

#endif
