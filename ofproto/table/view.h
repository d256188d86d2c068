/* SPDX-License-Identifier: Apache-2.0 */
/* The view: bridges, bundles, ports and tunnels as translation sees them, one immutable tree behind one RCU pointer.
 *
 * What: the main thread builds a new one whenever something in it changes (ports are hundreds, changes are rare),
 * publishes it with the changes that name what differs (DEP_BRIDGE of bridges whose ports changed, DEP_DP_PORT,
 * DEP_TUNNEL), and frees the old one after a grace period. Tables and MAC tables are live objects with versions and
 * locks of their own; the view points to them.
 *
 * Threads: read under RCU by any thread. */
#ifndef OFPROTO_TABLE_VIEW_H
#define OFPROTO_TABLE_VIEW_H

#include "ofproto/table/mac_table.h"
#include "ofproto/table/tables.h"
#include "spec/drops.h"

struct view_bridge;

/* Counters of tunnel and patch ports, credited by translation's effects; live, counted. Relaxed atomics. */
struct port_credit { uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes; uint32_t refs; };
struct port_credit *port_credit_create(void);                     /* Zeros, one reference. */
struct port_credit *port_credit_get(struct port_credit *);
void port_credit_put(struct port_credit *);

/* Drops a reference; the last one frees. */
void port_credit_put(struct port_credit *);

enum view_port_kind { VIEW_DEVICE, VIEW_PATCH, VIEW_TUNNEL };
enum view_vlan_mode { VIEW_TRUNK, VIEW_ACCESS, VIEW_NATIVE_TAGGED, VIEW_NATIVE_UNTAGGED, VIEW_DOT1Q_TUNNEL };

struct view_bundle {
    char *name;
    enum view_vlan_mode mode;
    uint16_t tag;                  /* Access, native and tunnel VLAN; 0: none. */
    bool all_vlans;                /* Trunk without list. */
    uint64_t trunks[64];
    bool all_cvlans;
    uint64_t cvlans[64];
    be16 qinq_tpid;
    uint8_t priority_tags;         /* 0 no, 1 if-nonzero, 2 always */
    bool protected_;
    struct view_port **ports;
    size_t n_ports;
};

struct view_tunnel {
    bool remote_flow, local_flow, key_flow, has_key;
    struct in6_addr remote, local; /* v4-mapped for IPv4; zero: any */
    uint64_t key;
    uint8_t tos, ttl;
    bool tos_inherit, ttl_inherit, df, csum, mss_clamp;
};

struct view_port {
    ofp_port number;
    char *name;
    enum view_port_kind kind;
    uint32_t dp_port;              /* Device and tunnel (the carrier). */
    struct eth_addr mac;
    uint32_t config, state;        /* OFPPC_*, OFPPS_* */
    struct view_bundle *bundle;    /* NULL: not for NORMAL. */
    struct view_bridge *bridge;
    struct view_port *peer;        /* Patch; NULL: no peer (yet). */
    struct view_tunnel tunnel;
    struct port_credit *credit;    /* Patch and tunnel. */
};

struct view_bridge {
    char *name;
    uint16_t id;                   /* In dependencies; never reused soon. */
    struct tables *tables;
    struct mac_table *macs;
    struct eth_addr mac;
    /* Fail mode as it is in force now: standalone with no controller in reach has a hidden NORMAL rule. */
    bool fail_secure;
    bool forward_bpdu;
    uint16_t miss_send_len;        /* 1.0's way of a table miss: controllers get it ... */
    bool miss_to_controller;       /* ... if one speaks 1.0; from 1.3 on a miss is a drop. */
    bool has_controller;
    struct view_port **ports;      /* Sorted by number. */
    size_t n_ports;
    struct view_bundle **bundles;
    size_t n_bundles;
};

struct view {
    struct view_bridge **bridges;
    size_t n_bridges;
    /* Sorted by dp_port; several tunnel ports share a carrier and are not in here. */
    struct view_port **by_dp_port;
    size_t n_by_dp_port;
    struct view_port **tunnels;
    size_t n_tunnels;
};

struct view_port *view_port_by_number(const struct view_bridge *, ofp_port);
struct view_port *view_port_by_name(const struct view_bridge *, const char *);
struct view_bridge *view_bridge_by_name(const struct view *, const char *);
struct view_port *view_port_by_dp(const struct view *, uint32_t dp_port);
/* True if 'dp_port' carries tunnels. */
bool view_is_carrier(const struct view *, uint32_t dp_port);
/* The tunnel port that a packet with 'key' came in by: the most specific of (local, remote, key), as RFC 7348 receivers tell
 * peers apart. A port without a key has key 0. NULL: '*why' is tunnel-unknown-key or tunnel-unknown-remote. */
struct view_port *view_tunnel_by_key(const struct view *, uint32_t carrier, const struct tunnel_key *, enum drop *why);

/* Building: bridges, ports, bundles, their arrays and names are allocated by the builder and owned by the view, which
 * holds a reference of each port's credit too; 'tables' and 'macs' are lent. The arrays are in the order said above. */
struct view *view_new(void);
void view_free(struct view *);

#endif
