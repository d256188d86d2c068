/* SPDX-License-Identifier: Apache-2.0 */
/* The VXLAN carrier (RFC 7348): the part of a port of type "vxlan" that its files share.
 *
 * What: a carrier is one UDP port of the host. Packets that come from it have the outer header's facts in
 * packet->tunnel, packets that go to it are told by packet->tunnel where to go. Which tunnel ports of bridges lie
 * on it is the control plane's matter.
 *
 * Threads: as for ports. 'rx' is the receiving worker's, tx[N] is worker N's. */
#ifndef DATAPATH_TUNNEL_VXLAN_H
#define DATAPATH_TUNNEL_VXLAN_H

#include "datapath/port/port.h"
#include "datapath/tunnel/udp.h"
#include "lib/packet/headers.h"

enum { VXLAN_PORT = 4789, VXLAN_HEADER = sizeof(struct vxlan_header) };

struct vxlan_rx;
struct vxlan_tx;

struct port_vxlan {
    struct port port;
    uint16_t udp_port;
    int fds[UDP_N_FAMILIES];               /* Receiving; -1: the host has no such family. */
    const struct udp_senders *senders;
    struct vxlan_rx *rx;
    struct vxlan_tx *tx[PORT_MAX_WORKERS]; /* Made at first use. */
};

static inline struct port_vxlan *vxlan_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct port_vxlan, port);
}

/* Checks the header in front of 'n' bytes of UDP payload. True: '*vni' is set and an Ethernet header follows. False:
 * '*reason'. RFC 7348 section 5; reserved bits are ignored on receipt, as it says. */
bool vxlan_parse(const uint8_t *payload, size_t n, uint32_t *vni, enum drop *reason);

struct vxlan_rx *vxlan_rx_create(void);
void vxlan_rx_destroy(struct vxlan_rx *);
void vxlan_rx(struct port *, struct packet_pool *, struct packet_batch *);

void vxlan_tx_destroy(struct vxlan_tx *);   /* NULL is fine. */
void vxlan_tx(struct port *, struct packet_pool *, struct packet_batch *, uint32_t worker);

#endif
