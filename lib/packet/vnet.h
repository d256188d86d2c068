/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-net header that taps and packet sockets put in front of frames (virtio 1.2, 5.1.6), and the
 * packet's offload state. Host byte order, 10 bytes. Offsets in it count from the first byte of the frame
 * as the kernel saw it: without the VLAN tag that arrived beside the frame ('vlan_inserted' of bytes 12..15). */
#ifndef LIB_PACKET_VNET_H
#define LIB_PACKET_VNET_H

#include "lib/base/types.h"

struct packet;

enum { VNET_HEADER_LEN = 10 };

struct vnet_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
} __attribute__((packed));

/* Reads the header into the packet's offload state. False: unknown GSO type or offsets outside the frame. */
bool vnet_to_packet(const struct vnet_header *, bool vlan_inserted, struct packet *);
/* The header that hands the packet's offload state on. */
void vnet_from_packet(const struct packet *, struct vnet_header *);

#endif
