/* SPDX-License-Identifier: Apache-2.0 */
/* The host's routes, for status and for people ("ovs/route/show", Interface status). */
#ifndef DATAPATH_TUNNEL_ROUTE_H
#define DATAPATH_TUNNEL_ROUTE_H

#include <net/if.h>
#include <netinet/in.h>

#include "lib/base/types.h"

struct error;

struct route {
    char ifname[IFNAMSIZ];
    uint32_t ifindex;
    struct in6_addr source, gateway;   /* IPv4 as v4-mapped; all zero: none. */
    uint32_t mtu;                      /* Of the path, as sockets see it. */
};

/* Where packets to 'remote' (IPv4 as v4-mapped) go. ENETUNREACH and the like if nowhere. Control thread. */
struct error *route_lookup(const struct in6_addr *remote, struct route *);

/* Calls 'each' for every unicast route of the main and local tables, in the kernel's order. */
struct route_entry {
    struct in6_addr dst;               /* IPv4 as v4-mapped. */
    uint8_t prefix;                    /* Bits of the family's own length. */
    bool ip4, local;
    struct route route;                /* 'mtu' is 0. */
    uint32_t priority;
};
struct error *route_dump(void (*each)(const struct route_entry *, void *arg), void *arg);

#endif
