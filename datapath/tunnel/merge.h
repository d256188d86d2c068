/* SPDX-License-Identifier: Apache-2.0 */
/* Joins TCP segments that came in one train into a GSO packet again, so that the pipeline and the next device handle one
 * packet in the place of forty (what GRO does in the kernel).
 *
 * Only segments that could have been cut from one packet are joined: same headers, sequence numbers in a row, equal
 * payloads but for the last, right checksums. What is joined has a partial checksum.
 *
 * Threads: of the calling worker. Memory: the packet under construction is the merge's until merge_finish(). */
#ifndef DATAPATH_TUNNEL_MERGE_H
#define DATAPATH_TUNNEL_MERGE_H

#include "lib/packet/packet.h"

struct merge {
    struct packet *p;            /* NULL: nothing begun. */
    bool ip6, closed;            /* closed: a short segment or PSH was the last. */
    uint16_t l3_ofs, l4_ofs, header_len;
    uint32_t next_seq, payload_len, mss, segs;
};

/* Tries to put a frame of 'n' bytes into the packet begun, or to begin one. False: it does not go together (finish
 * first, then try again) or it cannot be joined with anything (then the merge is empty still). */
bool merge_add(struct merge *, struct packet_pool *, const uint8_t *frame, size_t n);
/* The packet, complete; NULL if nothing was begun. */
struct packet *merge_finish(struct merge *);

#endif
