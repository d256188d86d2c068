/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices as the kernel tells of them, and changes to them.
 *
 * A device is named by (namespace, ifindex): 'nsid' is the id that our namespace has for the other one, LINK_OWN_NS for
 * our own. Wrappers return 0 or a positive errno.
 *
 * Threads: control thread; each call is a request of its own. */
#ifndef DATAPATH_PORT_LINK_H
#define DATAPATH_PORT_LINK_H

#include <net/if.h>

#include "lib/base/types.h"

struct dp_port_state;
struct nlmsghdr;

enum { LINK_OWN_NS = -1 };

struct link_info {
    int nsid;
    uint32_t ifindex;
    char name[IFNAMSIZ];
    uint32_t flags;                 /* IFF_* */
    uint16_t hw_type;               /* ARPHRD_* */
    uint32_t mtu, carrier_changes;
    bool carrier;
    struct eth_addr mac;
    bool has_stats;
    uint64_t rx_dropped, rx_errors, tx_errors, collisions, multicast, rx_crc_err, rx_frame_err, rx_over_err,
             rx_missed_errors;
};

/* From an RTM_NEWLINK or RTM_DELLINK; false if it is none. */
bool link_parse(const struct nlmsghdr *, int nsid, struct link_info *);
int link_get_by_name(int nsid, const char *name, struct link_info *);
int link_get(int nsid, uint32_t ifindex, struct link_info *);

/* Changes are possible in our own namespace only: the kernel would take a namespace in such a request for the one to
 * move the device to. */
int link_set_mtu(uint32_t ifindex, uint32_t mtu);
int link_set_up(uint32_t ifindex, bool up);
/* Whether the kernel makes link-local addresses for the device. 'was' may be NULL. */
int link_set_ip6_addr_gen(uint32_t ifindex, uint8_t mode, uint8_t *was);

/* Fills state from 'info': admin and link state, MTU, MAC, ifindex, resets. */
void link_to_state(const struct link_info *, struct dp_port_state *);
/* Driver, speed and duplex by ethtool; own namespace. Unknown stays unknown. */
void link_ethtool(const char *name, struct dp_port_state *);

/* The nsid of the namespace that 'ns_fd' stands for, given one if it had none. */
int link_nsid_of(int ns_fd, int *nsid);

#endif
