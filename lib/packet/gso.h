/* SPDX-License-Identifier: Apache-2.0 */
/* Segmentation in software, for outputs that cannot take a GSO packet whole. */
#ifndef LIB_PACKET_GSO_H
#define LIB_PACKET_GSO_H

#include "lib/base/types.h"

struct packet;
struct packet_pool;

enum { PACKET_MAX_SEGMENTS = 2048 };   /* Of one packet; a MSS of 48 bytes makes 1366. */

/* Cuts 'p' (with layer offsets) into complete packets: own headers, lengths, IPv4 ids, TCP sequence numbers
 * and flags. They are linked by 'next'; their checksums are complete, or left partial if 'keep_partial'.
 * 'p' is not changed; metadata is copied. Returns the number of segments, and 0 if the pool is
 * exhausted (nothing is made then) or the packet's headers do not allow it. An encapsulated packet (OFFLOAD_NESTED; in
 * VXLAN, Geneve, IP in IP) is cut with its outer headers repeated; its checksums are complete in any case. */
uint32_t packet_segment(struct packet_pool *, const struct packet *p, uint16_t gso_size, bool keep_partial,
                        struct packet **first);
/* Length of the largest segment's frame, headers included; packet_len() without GSO. */
uint32_t packet_segment_len(const struct packet *p);
/* Lowers the MSS option of a TCP SYN to 'mss' if it is above; the checksum is maintained. */
bool packet_clamp_mss(struct packet *, uint16_t mss);

#endif
