/* SPDX-License-Identifier: Apache-2.0 */
/* Offload state between devices: what a received packet's state must be before the pipeline sees it, and what must be
 * done in software before a device sees it (MECHANISMS 1).
 *
 * Threads: of the worker that has the packets. */
#ifndef DATAPATH_PORT_OFFLOAD_H
#define DATAPATH_PORT_OFFLOAD_H

#include "datapath/port/port.h"
#include "lib/packet/vnet.h"

/* vnet_to_packet() for what devices give: packets that hardware joined (LRO), or lists of segments, come as GSO with a
 * checksum that somebody has verified in the place of a partial one. They get a partial one. False: not to be understood. */
bool offload_from_vnet(const struct vnet_header *, bool vlan_inserted, struct packet *);

/* Received packets whose offload state concerns an encapsulated packet (csum_start is not their own transport header)
 * are completed, or segmented with all headers known; beyond the batch's room they wait in 'pending'. */
void offload_check_received(struct port *, struct packet_batch *);

/* True if 'p' needs nothing done to leave by a device that takes no offloads at all. */
static inline bool offload_is_plain(const struct packet *p)
{
    return !p->gso_size && !(p->offload & OFFLOAD_CSUM_PARTIAL);
}

/* What a device is to get for 'p', for one that takes none: a list of plain packets, linked by 'next', that
 * the caller frees. It is 'p' itself (in place, *made false) when only a checksum was missing. NULL: it cannot be
 * cut, or no buffers: '*reason' says which. */
struct packet *offload_resolve(struct packet_pool *, struct packet *p, bool *made, enum drop *reason);

/* Makes GSO segments of 'p' fit a device of this MTU (the frame's bytes after the Ethernet header and tags):
 * TCP gets a smaller gso_size. False: it does not fit. Packets without GSO are not looked at. */
bool offload_fit_mtu(struct packet *p, uint32_t mtu);

/* Where the frame's network header is, after at most three tags; 0 if it is not IP. */
uint32_t offload_find_l3(const struct packet *);

/* Frees a list linked by 'next'. */
void packet_list_free(struct packet *);

#endif
