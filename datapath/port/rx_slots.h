/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that wait for frames: heads with 64 KB tails from a worker's pool, ready to be given to the kernel.
 *
 * What: BATCH_MAX slots of a thread, shared by all its ports, since each call of port_rx() uses them up or leaves
 * them empty. In front of a head's data is room for the virtio-net header, in one piece with it.
 *
 * Threads: of the calling thread. Memory: the packets belong to the slots until rx_slot_take(). */
#ifndef DATAPATH_PORT_RX_SLOTS_H
#define DATAPATH_PORT_RX_SLOTS_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/packet/packet.h"
#include "lib/packet/vnet.h"

enum { RX_CONTROL_BYTES = 64 };

struct rx_slots {
    struct packet_pool *pool;
    uint32_t n;                          /* Slots that are ready, from 0 on. */
    uint32_t dirty;                      /* Slots to be looked at again before they are. */
    struct packet *packets[BATCH_MAX];
    struct packet_tail *tails[BATCH_MAX];
    struct iovec iov[BATCH_MAX][2];      /* [0]: virtio-net header and head; [1]: tail. */
    struct mmsghdr messages[BATCH_MAX];  /* With the above and the control buffers. */
    struct {
        union {
            uint8_t bytes[RX_CONTROL_BYTES];
            size_t align;
        };
    } control[BATCH_MAX];
};

/* The calling thread's slots, all ready as far as the pool allows; NULL if it has not even one head. */
struct rx_slots *rx_slots_get(struct packet_pool *);
/* The first 'n' slots were given to the kernel and filled. To be said before the next rx_slots_get(). */
static inline void rx_slots_used(struct rx_slots *s, uint32_t n)
{
    s->dirty = MAX(s->dirty, n);
}
/* Takes the packet of slot 'i', into which 'n' bytes were read after a virtio-net header, at most what the iovec
 * holds. */
struct packet *rx_slot_take(struct rx_slots *, uint32_t i, size_t n);
static inline const struct vnet_header *rx_slot_vnet(const struct rx_slots *s, uint32_t i)
{
    return s->iov[i][0].iov_base;
}
/* The capacity of slot 'i' for the frame. */
static inline size_t rx_slot_room(const struct rx_slots *s, uint32_t i)
{
    return PACKET_SPLIT + (s->tails[i] ? PACKET_TAIL_MAX : 0);
}

#endif
