/* SPDX-License-Identifier: Apache-2.0 */
/* Sending frames with a virtio-net header in front, to packet sockets and taps. */
#ifndef DATAPATH_PORT_DEVICE_TX_H
#define DATAPATH_PORT_DEVICE_TX_H

#include "datapath/port/port.h"

/* Sends every packet of the batch to 'fd' and counts it: a socket (sendmmsg) or a tap (writev). GSO packets whose
 * segments exceed 'mtu' are resegmented (TCP) or dropped; what the kernel refuses with its offload state is
 * completed in software and sent again. Frees none. Worker. */
void device_tx(struct port *, struct packet_pool *, struct packet_batch *, uint32_t worker, int fd, uint32_t mtu,
               bool socket);

/* The reason that fits an errno of sending. */
enum drop device_tx_reason(int errno_value);

#endif
