/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow layer: all that vswitchd sees of it.
 *
 * What: one 'struct ofproto' for the one datapath, in it a 'struct bridge' for each OpenFlow switch, and in these
 * ports. Settings come as whole structs; what did not change costs nothing. Translation, flow cache, OpenFlow connections and MAC
 * tables are inside.
 *
 * Threads: all calls are for the main thread. A handler and a sweeper thread run inside.
 * Memory: settings are copied. */
#ifndef OFPROTO_OFPROTO_H
#define OFPROTO_OFPROTO_H

#include "datapath/client.h"
#include "lib/base/smap.h"
#include "lib/base/types.h"
#include "lib/openflow/message.h"
#include "lib/rpc/control.h"

struct bridge;
struct loop;
struct ofproto;

struct ofproto_options {
    struct loop *loop;                 /* Of the main thread. */
    struct dp_client *dp;              /* Lent; outlives the ofproto. */
    const char *rundir;                /* For <bridge>.mgmt and <bridge>.snoop. */
    bool hold;                         /* Begin in the hold: change and expire nothing (see ofproto_release_hold()). */
    /* Something that vswitchd shows changed: port link state by OpenFlow port mod, controller status ... Main thread.
     * May be NULL. */
    void (*status_changed)(void *arg);
    void *arg;
};
struct error *ofproto_create(const struct ofproto_options *, struct ofproto **);
void ofproto_destroy(struct ofproto *);   /* Leaves the datapath's flows and ports as they are. */

/* After a restart: takes over the flows found in the datapath, forwards by them until the hold ends, then translates each
 * again and changes what differs. Called when the configuration has been applied and flow-restore-wait is not set. */
void ofproto_release_hold(struct ofproto *);
bool ofproto_is_holding(const struct ofproto *);

/* Port and bundle settings take effect together, in one published step, when this is called. vswitchd does at the end
 * of applying a configuration; calling it with nothing to do costs nothing. */
void ofproto_commit(struct ofproto *);
/* The datapath (re)connected; ports have their datapath numbers again: takes over its flows. */
void ofproto_datapath_connected(struct ofproto *);
/* Calls 'done(arg)' once all that was committed is in force in the datapath. */
void ofproto_settle(struct ofproto *, void (*done)(void *arg), void *arg);
/* The same once, in addition, no packet and no upcall is under way: for tests. */
void ofproto_wait(struct ofproto *, void (*done)(void *arg), void *arg);

/* Datapath-wide settings of other_config: flow-limit, max-idle, max-revalidator, n-handler ... */
struct ofproto_settings { uint32_t flow_limit; uint32_t max_idle_ms; };
void ofproto_set(struct ofproto *, const struct ofproto_settings *);

/* ---- Bridges ---- */
enum fail_mode { FAIL_STANDALONE, FAIL_SECURE };
struct bridge_settings {
    uint64_t datapath_id;
    uint32_t versions;                 /* OFP_BIT()s; 0: all that we speak. */
    enum fail_mode fail_mode;
    struct eth_addr mac;               /* Of the local port. */
    unsigned mac_idle_s;               /* mac-aging-time */
    unsigned mac_max;                  /* mac-table-size */
    bool forward_bpdu;
    bool disable_in_band;
    struct ofp_desc desc;              /* Defaults: trap 12. */
    struct smap other_config;          /* For what services read later; unknown keys are vswitchd's to report. */
};
struct error *bridge_create(struct ofproto *, const char *name, const struct bridge_settings *, struct bridge **);
void bridge_set(struct bridge *, const struct bridge_settings *);
void bridge_destroy(struct bridge *);
/* After a restart: has it rules, none of them set within the last 'quiet_ms'? */
bool bridge_is_refilled(const struct bridge *, int64_t quiet_ms);
const char *bridge_name(const struct bridge *);

/* ---- OpenFlow ports ---- */
enum vlan_mode { VLAN_TRUNK, VLAN_ACCESS, VLAN_NATIVE_TAGGED, VLAN_NATIVE_UNTAGGED, VLAN_DOT1Q_TUNNEL };
struct port_settings {                 /* Of a Port row: what NORMAL needs. */
    enum vlan_mode vlan_mode;
    int tag;                           /* 0..4095, -1: none */
    uint64_t trunks[64];               /* Bitmap of 4096; all zero: all VLANs. */
    bool has_trunks;
    uint64_t cvlans[64];
    bool has_cvlans;
    uint16_t qinq_ethtype;             /* 0x88a8 or 0x8100 */
    int priority_tags;                 /* 0 no, 1 if-nonzero, 2 always */
    bool protected_;
    struct smap other_config;
};
enum of_port_kind { OF_PORT_DEVICE, OF_PORT_PATCH, OF_PORT_TUNNEL };
struct tunnel_settings {
    bool remote_flow, local_flow, key_flow;       /* "flow" */
    bool has_key;
    struct in6_addr remote, local;                /* v4-mapped for IPv4; zero local: any */
    uint64_t key;
    uint8_t tos, ttl;                             /* ttl 0: 64 */
    bool tos_inherit, ttl_inherit, df, csum, has_csum, mss_clamp;
};
struct of_port_settings {              /* Of an Interface row. */
    const char *name;
    const char *bundle;                /* Name of its Port row. */
    enum of_port_kind kind;
    uint32_t dp_port;                  /* Device: its datapath port; tunnel: the carrier's; patch: DP_PORT_NONE. */
    const char *peer;                  /* Patch: name of the other patch port, of any bridge. */
    struct tunnel_settings tunnel;
    const char *tunnel_type;           /* "vxlan" */
    ofp_port request;                  /* Wanted OpenFlow number; OFPP_NONE: any; OFPP_LOCAL for the bridge's own. */
    struct eth_addr mac;
    bool admin_up, link_up;
    uint32_t mtu, curr_speed_kbps, max_speed_kbps;
    uint32_t features;                 /* OFPPF_* current */
    bool no_flood;                     /* initial config */
};
/* Adds port 'name' or changes it; its number is given back. Errors: number taken, name taken, two tunnels alike. */
struct error *bridge_port_set(struct bridge *, const struct of_port_settings *, ofp_port *number);
void bridge_port_del(struct bridge *, const char *name);
/* The NORMAL settings of bundle 'name' (a Port row); a bundle without settings is a trunk of all VLANs. */
void bridge_bundle_set(struct bridge *, const char *name, const struct port_settings *);
void bridge_bundle_del(struct bridge *, const char *name);
/* Counters for Interface.statistics of tunnel and patch ports (kept by translation's credits); false: not one of these. */
bool bridge_port_stats(struct bridge *, const char *name, struct ofp_port_stats *);
uint32_t bridge_port_config(struct bridge *, const char *name);   /* OFPPC_* as controllers set them. */

/* ---- Controllers ---- */
struct controller_settings {
    char *target;                      /* tcp:, unix:, ptcp:, punix: */
    unsigned max_backoff_ms, inactivity_probe_ms;
    unsigned rate_limit, burst_limit;  /* Packet-ins a second; 0: none. */
    bool is_service;                   /* Not a controller in the sense of fail mode: ptcp, punix. */
};
/* The whole set of a bridge; a bad target is an error that names it, the others are still set. */
struct error *bridge_set_controllers(struct bridge *, const struct controller_settings *, size_t n);
struct controller_status {
    const char *target;
    bool is_connected;
    const char *role;                  /* "master", "slave", "other" */
    const char *last_error;            /* NULL: none */
    const char *state;                 /* "ACTIVE", "BACKOFF", "CONNECTING", "IDLE" */
    int sec_since_connect, sec_since_disconnect;   /* -1: never */
};
void bridge_get_controllers(struct bridge *, void (*each)(const struct controller_status *, void *arg), void *arg);

/* ---- Commands ---- */
/* fdb/..., ofproto/..., bridge/..., dpif/..., revalidator/..., upcall/show, tnl/ports/show, ...: the table's 'arg' is
 * the ofproto. */
extern const struct control_command ofproto_commands[];

#endif
