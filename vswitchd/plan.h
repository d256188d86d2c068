/* SPDX-License-Identifier: Apache-2.0 */
/* The plan: what must be done so that the switch becomes what a snapshot says, as an ordered list of steps.
 *
 * What: plan_make() compares the snapshot that is in force, the ports that the datapath really has, and the new
 * snapshot. It changes nothing; apply.h runs the steps. What did not change yields no step.
 *
 * Memory: steps point into both snapshots, which outlive the plan. */
#ifndef VSWITCHD_PLAN_H
#define VSWITCHD_PLAN_H

#include "vswitchd/snapshot.h"

/* A port of the datapath as it is. */
struct dp_port {
    uint32_t number;
    struct dp_port_config config;
    struct dp_port_state state;
};

struct dp_ports {
    struct dp_port *list;
    size_t n, allocated;
};

struct dp_port *dp_ports_find(const struct dp_ports *, const char *name);

enum step_kind {
    /* In this order a plan has them. */
    STEP_OF_PORT_DEL, STEP_BUNDLE_DEL, STEP_BRIDGE_DEL, STEP_DP_PORT_DEL, STEP_DP_CONFIGURE, STEP_OFPROTO_SET,
    STEP_DP_PORT_ADD, STEP_DP_PORT_SET, STEP_BRIDGE_ADD, STEP_BRIDGE_SET, STEP_OF_PORT_SET, STEP_BUNDLE_SET,
    STEP_CONTROLLERS_SET,
};

struct step {
    enum step_kind kind;
    const char *name;                         /* Of what is deleted. */
    uint32_t dp_port;                         /* STEP_DP_PORT_DEL, _SET */
    struct bridge_snapshot *bridge;           /* Of the new snapshot (deletions: the old one). */
    struct port_snapshot *port;
    struct interface_snapshot *interface;
};

struct plan {
    struct step *steps;
    size_t n, allocated;
};

/* 'old' may be NULL: nothing is in force. */
void plan_make(struct plan *, const struct snapshot *old, struct snapshot *new, const struct dp_ports *);
void plan_fini(struct plan *);
const char *step_name(enum step_kind);

#endif
