/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN on dummy ports: a dummy that stands in for a carrier takes and gives whole outer packets, so that tests of the
 * whole switch see tunnels without a host's sockets. */
#ifndef DATAPATH_PORT_DUMMY_TUNNEL_H
#define DATAPATH_PORT_DUMMY_TUNNEL_H

#include "datapath/port/port.h"

/* Takes the outer headers (Ethernet, IP, UDP to 'udp_port', VXLAN) off into packet->tunnel. False: '*reason'. */
bool dummy_decap(struct packet *, uint16_t udp_port, enum drop *reason);
/* Puts them on, as packet->tunnel says; the packet has no offload state. False: '*reason'. */
bool dummy_encap(struct packet *, uint16_t udp_port, enum drop *reason);

#endif
