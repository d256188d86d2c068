/* SPDX-License-Identifier: Apache-2.0 */
/* The host's UDP sockets under tunnels (MECHANISMS 2).
 *
 * What: one receiving socket for each UDP port and family; and send-only sockets, shared by all carriers, whose
 * source ports give networks with several paths something to spread by: UDP_PORTS ports, each with a socket for every
 * way of sending (family, DF, checksum), so that a flow keeps its source port whichever way its packets take.
 *
 * Threads: made and closed by the control thread; sending by any worker. */
#ifndef DATAPATH_TUNNEL_UDP_H
#define DATAPATH_TUNNEL_UDP_H

#include "lib/base/types.h"

struct error;

enum udp_family { UDP_IP4, UDP_IP6, UDP_N_FAMILIES };
enum { UDP_PORTS = 32, UDP_PORT_MIN = 32768, UDP_PORT_MAX = 60999, UDP_BUFFER = 4 << 20 };

struct udp_senders {
    int fds[UDP_N_FAMILIES][2][2][UDP_PORTS];   /* [family][df][checksum][by hash]; -1: not to be had. */
};

/* A socket that receives everything for 'port', with source and destination, TOS, TTL and GRO. A port that is
 * taken is an error that names it. EAFNOSUPPORT: the host has no such family. */
struct error *udp_open_receiver(const char *carrier, uint16_t port, enum udp_family, int *fd);

/* Counted: the first opens, the last put closes. */
struct error *udp_senders_get(const struct udp_senders **);
void udp_senders_put(const struct udp_senders *);

static inline int udp_sender(const struct udp_senders *s, enum udp_family f, bool df, bool csum, uint64_t hash)
{
    return s->fds[f][df][csum || f == UDP_IP6][hash % UDP_PORTS];
}

#endif
