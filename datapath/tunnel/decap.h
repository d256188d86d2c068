/* SPDX-License-Identifier: Apache-2.0 */
/* What must be found out about a packet that came out of a tunnel: offload state that the datagram did not
 * carry, and congestion marks. Foreign bytes: nothing is read past what is there. */
#ifndef DATAPATH_TUNNEL_DECAP_H
#define DATAPATH_TUNNEL_DECAP_H

#include "lib/base/types.h"

struct packet;

/* A local peer's kernel hands on packets whose checksum is partial and which are longer than any wire's: an inner
 * checksum field that equals the bare pseudo-header sum is taken as partial (a true one may be so by chance: then it
 * is computed again, to the same effect), and a TCP packet that is then longer than DECAP_MTU as GSO, to be cut for that
 * MTU or a smaller one. 'udp_gso': the inner datagrams' size if the kernel told one, else 0. */
enum { DECAP_MTU = 1500 };
void decap_restore_offload(struct packet *, uint32_t udp_gso);

/* The kernel says the same of a train and of one 64 KB datagram whose inner UDP has GSO. True if the payload (of
 * 'len' bytes, 'n' of them at 'payload') is one VXLAN packet: the inner IP length says so. */
bool decap_is_one_packet(const uint8_t *payload, size_t n, size_t len);

/* The outer packet was marked "congestion experienced": marks the inner one (RFC 6040 section 4.2). False: the inner
 * transport does not know ECN, so it must be dropped. */
bool decap_ecn(struct packet *);

#endif
