/* SPDX-License-Identifier: Apache-2.0 */
/* The control plane: keeps the switch as the database says, and the database as the switch is.
 *
 * Threads: all of it is the main thread's; events of the datapath come by loop_post().
 * Memory: one 'struct vswitch' for the process, owned by main(). */
#ifndef VSWITCHD_VSWITCH_H
#define VSWITCHD_VSWITCH_H

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/sys/loop.h"
#include "vswitchd/plan.h"

struct db_client;
struct dbc_txn;

/* What came of an interface when it was applied last. */
struct interface_result {
    struct hmap_node node;          /* By name. */
    char *name;
    ofp_port number;                /* OFPP_NONE: it has none. */
    char *error;                    /* NULL: fine. */
    bool is_wanted;                 /* An interface of that name is in the snapshot. */
};

struct bridge_handle {
    struct list node;
    char *name;
    struct uuid uuid;
    struct bridge *bridge;
};

/* The route to the remote that was last asked for: many tunnels have the same one. */
struct route_memo {
    bool valid, found;
    struct in6_addr remote, source;
    char ifname[32];
    uint32_t mtu;
};

struct vswitch {
    struct loop *loop;
    struct db_client *db;
    struct dp_client *dp;
    struct ofproto *ofproto;
    bool embedded;                  /* The datapath is in this process. */

    struct snapshot *current;       /* In force; NULL: nothing yet. */
    struct dp_ports dp_ports;       /* As the datapath has them. */
    bool dp_ports_known;            /* Read since the datapath connected. */
    struct list bridges;            /* struct bridge_handle */
    struct hmap results;
    int64_t applied_cfg;            /* next_cfg of what was applied and settled; -1: nothing. */
    bool settling, again;           /* A configuration is on its way; another is to follow. */
    bool retry;                     /* Steps failed because the datapath did not answer. */
    bool unread;                    /* It connected, but its ports could not be read yet. */

    bool hold;                      /* Since a restart (hold.c). */
    int64_t hold_since_ms;

    struct route_memo route;        /* While a status is written. */
    bool status_dirty, port_events_posted;
    struct loop_timer reconfigure_timer, status_timer, stats_timer;
    uint64_t n_plans, n_steps;
    void (*exit)(void *arg);        /* For the command "exit". */
    void *exit_arg;
};

/* apply.c: runs the plan from 'current' to a new snapshot of the replica, then settles and writes the status. */
void vswitch_reconfigure(struct vswitch *);
/* What failed for want of an answer once more, by what the datapath has now. */
void vswitch_retry(struct vswitch *);
void vswitch_datapath_connected(struct vswitch *);
void vswitch_ports_changed(struct vswitch *);      /* The datapath said that some port's state changed. */
/* Removes from the machine what the switch made: datapath ports with their devices. */
void vswitch_cleanup(struct vswitch *);
struct bridge *vswitch_bridge(const struct vswitch *, const char *name);
struct interface_result *vswitch_result(struct vswitch *, const char *name);
/* Describes a port of the datapath for OpenFlow; false if the interface has none now. */
void vswitch_fill_of_port(struct vswitch *, const struct port_snapshot *, const struct interface_snapshot *,
                          struct of_port_settings *);

/* status.c */
void vswitch_status_init(struct vswitch *);
void vswitch_write_status(struct vswitch *);        /* What changed, now. */
void vswitch_write_stats(struct vswitch *);
void vswitch_monitor(struct db_client *);           /* Names what is to be replicated. */

/* hold.c: after a restart nothing is changed until the tables are refilled. */
void vswitch_hold_check(struct vswitch *);

/* commands.c */
struct control_command;
extern const struct control_command vswitch_commands[];   /* 'arg' is the vswitch. */

#endif
