/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge: an OpenFlow switch with its ports, bundles, tables and connections. Private to ofproto/.
 *
 * Threads: main thread. What other threads see of it is in the view (ofproto/table/view.h). */
#ifndef OFPROTO_BRIDGE_H
#define OFPROTO_BRIDGE_H

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/sys/loop.h"
#include "ofproto/conn/connections.h"
#include "ofproto/ofproto.h"
#include "ofproto/path/path.h"

struct packet_in_job;

struct ofproto {
    struct ofproto_options options;
    struct changes *changes;
    struct view *view;                     /* Published: rcu_dereference() elsewhere. */
    struct path *path;
    struct list bridges;
    uint16_t next_bridge_id;
    bool hold;
    bool dirty_tunnels;                    /* To be published. */
    struct loop_timer second;              /* MAC ageing, fail modes. */
    struct loop_timer expiry;              /* Rules' time-outs. */

    pthread_mutex_t packet_in_lock;        /* Handler queues, main sends. */
    struct list packet_ins;
    size_t n_packet_ins;
    bool packet_ins_posted;
    uint64_t n_packet_ins_dropped;
};

struct of_port {
    struct hmap_node by_name;
    struct hmap_node by_number;
    struct bridge *bridge;
    char *name, *bundle, *peer, *tunnel_type;
    enum of_port_kind kind;
    uint32_t dp_port;
    struct tunnel_settings tunnel;
    struct ofp_phy_port phy;               /* Number, name, MAC, configuration, state, speeds. */
    ofp_port request;
    uint32_t mtu;
    struct port_credit *credit;            /* Patch and tunnel. */
    int64_t created_ms;
};

struct bundle {
    struct hmap_node node;        /* bridge.bundles, by name. */
    char *name;
    struct port_settings settings;
};

struct bridge {
    struct list node;                      /* ofproto.bridges */
    struct ofproto *ofproto;
    char *name;
    uint16_t id;
    struct bridge_settings settings;
    struct tables *tables;
    struct mac_table *macs;
    struct of_switch sw;
    struct connections *connections;
    struct hmap ports_by_name, ports_by_number;
    struct hmap bundles;
    ofp_port next_number;
    ofp_port *gone;                        /* Ports deleted since the last publication. */
    size_t n_gone, allocated_gone;
    bool dirty;                            /* Ports, bundles or settings are to be published. */
    bool had_controllers;                  /* The set had some when the default rule was last decided. */
    bool fail_open;                        /* The hidden NORMAL rule is in force. */
    bool misses_to_controller;             /* As published. */
};

struct bridge *bridge_find(const struct ofproto *, const char *name);
struct of_port *bridge_port_find(const struct bridge *, const char *name);
struct of_port *bridge_port_by_number(const struct bridge *, ofp_port);
struct bundle *bridge_bundle_find(const struct bridge *, const char *name);
/* Fail modes: default rules by controllers, as of now. Once a second and when connections change. */
void bridge_update_fail_mode(struct bridge *);
/* Drops all that belongs to it but is not in the view any more. */
void bridge_free(struct bridge *);

/* view_build.c: the view of all bridges. */
struct view *view_build(const struct ofproto *);

/* packet_ins.c */
void packet_in_from_handler(const struct effect_packet_in *, const void *frame, size_t n, void *ofproto);
void packet_ins_drain(struct ofproto *);

#endif
