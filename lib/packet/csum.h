/* SPDX-License-Identifier: Apache-2.0 */
/* Internet checksums (RFC 1071, updates by RFC 1624) and offload completion. */
#ifndef LIB_PACKET_CSUM_H
#define LIB_PACKET_CSUM_H

#include <netinet/in.h>

#include "lib/base/types.h"

struct packet;

/* Ones' complement sums. csum_add() continues one; 'n' may be odd only in the last piece. */
uint32_t csum_add(uint32_t sum, const void *p, size_t n);
be16 csum_finish(uint32_t sum);
static inline be16 csum(const void *p, size_t n) { return csum_finish(csum_add(0, p, n)); }
uint32_t csum_pseudo4(be32 src, be32 dst, uint8_t proto, uint16_t len);
uint32_t csum_pseudo6(const void *src, const void *dst, uint8_t proto, uint32_t len);
/* A checksum after 'old' bytes became 'new' ('n' even, at an even place). */
be16 csum_update(be16 csum, const void *old, const void *new, size_t n);
uint32_t crc32c(const void *p, size_t n);   /* SCTP (RFC 9260 appendix A); host order result. */

/* Completes a partial transport checksum in software, over head and tail; does nothing without
 * OFFLOAD_CSUM_PARTIAL. Not for GSO packets (segment them first). */
void packet_csum_complete(struct packet *);
/* True if the transport checksum (TCP, UDP, ICMP, ICMPv6; by the layer offsets) is right, partial or absent. */
bool packet_csum_is_valid(const struct packet *);

#endif
