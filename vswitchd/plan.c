/* SPDX-License-Identifier: Apache-2.0 */
/* Compares snapshots and lists what is to be done. */
#include "vswitchd/plan.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

struct dp_port *dp_ports_find(const struct dp_ports *ports, const char *name)
{
    for (size_t i = 0; i < ports->n; i++) {
        if (!strcmp(ports->list[i].config.name, name)) {
            return &ports->list[i];
        }
    }
    return NULL;
}

const char *step_name(enum step_kind kind)
{
    static const char *const names[] = {
        "delete OpenFlow port", "delete bundle", "delete bridge", "delete datapath port", "configure datapath",
        "configure OpenFlow", "add datapath port", "set datapath port", "add bridge", "set bridge", "set OpenFlow port",
        "set bundle", "set controllers",
    };
    return names[kind];
}

static struct step *add_step(struct plan *plan, enum step_kind kind)
{
    if (plan->n == plan->allocated) {
        plan->steps = xgrow(plan->steps, &plan->allocated, sizeof *plan->steps);
    }
    struct step *s = &plan->steps[plan->n++];
    *s = (struct step) { .kind = kind };
    return s;
}

/* ---- Finding ---- */

static struct bridge_snapshot *find_bridge(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; s && i < s->n_bridges; i++) {
        if (!s->bridges[i].error && !strcmp(s->bridges[i].name, name)) {
            return &s->bridges[i];
        }
    }
    return NULL;
}

/* Ports are looked up in nearly the order in which they lie: '*from' is where the last search ended, 0 at first. */
static struct port_snapshot *find_port(const struct bridge_snapshot *b, const char *name, size_t *from)
{
    for (size_t n = 0; b && n < b->n_ports; n++) {
        size_t i = (*from + n) % b->n_ports;
        if (!strcmp(b->ports[i].name, name)) {
            *from = i + 1;
            return &b->ports[i];
        }
    }
    return NULL;
}

static struct interface_snapshot *find_interface(const struct bridge_snapshot *b, const char *name, struct port_snapshot **port,
                                                 size_t *from)
{
    for (size_t n = 0; b && n < b->n_ports; n++) {
        size_t i = (*from + n) % b->n_ports;
        for (size_t j = 0; j < b->ports[i].n_interfaces; j++) {
            if (!strcmp(b->ports[i].interfaces[j].name, name)) {
                *from = i;
                *port = &b->ports[i];
                return &b->ports[i].interfaces[j];
            }
        }
    }
    return NULL;
}

/* ---- Comparing ---- */

static bool strings_equal(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool interfaces_equal(const struct interface_snapshot *a, const struct interface_snapshot *b)
{
    return !a->error && !b->error && a->kind == b->kind && a->request == b->request && strings_equal(a->peer, b->peer)
           && !memcmp(&a->tunnel, &b->tunnel, sizeof a->tunnel) && dp_port_config_equal(&a->dp, &b->dp);
}

static bool ports_equal(const struct port_settings *a, const struct port_settings *b)
{
    return a->vlan_mode == b->vlan_mode && a->tag == b->tag && a->has_trunks == b->has_trunks
           && !memcmp(a->trunks, b->trunks, sizeof a->trunks) && a->has_cvlans == b->has_cvlans
           && !memcmp(a->cvlans, b->cvlans, sizeof a->cvlans) && a->qinq_ethtype == b->qinq_ethtype
           && a->priority_tags == b->priority_tags && a->protected_ == b->protected_
           && smap_equal(&a->other_config, &b->other_config);
}

static bool bridges_equal(const struct bridge_settings *a, const struct bridge_settings *b)
{
    return a->datapath_id == b->datapath_id && a->versions == b->versions && a->fail_mode == b->fail_mode
           && eth_addr_equal(a->mac, b->mac) && a->mac_idle_s == b->mac_idle_s && a->mac_max == b->mac_max
           && a->forward_bpdu == b->forward_bpdu && !memcmp(&a->desc, &b->desc, sizeof a->desc)
           && smap_equal(&a->other_config, &b->other_config);
}

static bool controllers_equal(const struct bridge_snapshot *a, const struct bridge_snapshot *b)
{
    if (a->n_controllers != b->n_controllers) {
        return false;
    }
    for (size_t i = 0; i < a->n_controllers; i++) {
        const struct controller_settings *x = &a->controllers[i], *y = &b->controllers[i];
        if (strcmp(x->target, y->target) || x->max_backoff_ms != y->max_backoff_ms || x->rate_limit != y->rate_limit
            || x->inactivity_probe_ms != y->inactivity_probe_ms || x->burst_limit != y->burst_limit) {
            return false;
        }
    }
    return true;
}

/* ---- Deletions ---- */

static void plan_bridge_deletions(struct plan *plan, struct bridge_snapshot *old, struct bridge_snapshot *new)
{
    size_t at = 0, at_port = 0;
    for (size_t i = 0; i < old->n_ports; i++) {
        for (size_t j = 0; j < old->ports[i].n_interfaces; j++) {
            struct interface_snapshot *iface = &old->ports[i].interfaces[j];
            struct port_snapshot *port;
            struct interface_snapshot *now = find_interface(new, iface->name, &port, &at);
            if (!iface->error && (!now || now->error)) {
                struct step *s = add_step(plan, STEP_OF_PORT_DEL);
                s->bridge = old;
                s->name = iface->name;
            }
        }
        if (!find_port(new, old->ports[i].name, &at_port)) {
            struct step *s = add_step(plan, STEP_BUNDLE_DEL);
            s->bridge = old;
            s->name = old->ports[i].name;
        }
    }
}

/* The first interface that wants a datapath port of this name. */
static struct interface_snapshot *wanted_dp_port(const struct snapshot *new, const char *name)
{
    for (size_t i = 0; i < new->n_bridges; i++) {
        for (size_t j = 0; !new->bridges[i].error && j < new->bridges[i].n_ports; j++) {
            struct port_snapshot *p = &new->bridges[i].ports[j];
            for (size_t k = 0; k < p->n_interfaces; k++) {
                struct interface_snapshot *s = &p->interfaces[k];
                if (!s->error && s->kind != OF_PORT_PATCH && !strcmp(s->dp.name, name)) {
                    return s;
                }
            }
        }
    }
    return NULL;
}

static void plan_deletions(struct plan *plan, const struct snapshot *old, struct snapshot *new, const struct dp_ports *dp)
{
    for (size_t i = 0; old && i < old->n_bridges; i++) {
        struct bridge_snapshot *b = &old->bridges[i];
        struct bridge_snapshot *now = find_bridge(new, b->name);
        if (b->error) {
            continue;
        }
        if (!now || !uuid_equal(&now->uuid, &b->uuid)) {
            add_step(plan, STEP_BRIDGE_DEL)->bridge = b;
        } else {
            plan_bridge_deletions(plan, b, now);
        }
    }
    for (size_t i = 0; i < dp->n; i++) {
        const struct dp_port *p = &dp->list[i];
        struct interface_snapshot *s = wanted_dp_port(new, p->config.name);
        if (!s || strcmp(s->dp.type, p->config.type)) {
            struct step *step = add_step(plan, STEP_DP_PORT_DEL);
            step->name = p->config.name;
            step->dp_port = p->number;
        }
    }
}

/* ---- Additions and changes ---- */

static bool plan_dp_port(struct plan *plan, struct bridge_snapshot *b, struct port_snapshot *p, struct interface_snapshot *s,
                         const struct snapshot *new, const struct dp_ports *dp)
{
    if (wanted_dp_port(new, s->dp.name) != s) {
        if (s->kind == OF_PORT_DEVICE) {
            s->error = xasprintf("device \"%s\" is in use by another interface of the same name", s->name);
        }
        return false;   /* Tunnels share their carrier. */
    }
    const struct dp_port *now = dp_ports_find(dp, s->dp.name);
    bool there = now && !strcmp(now->config.type, s->dp.type);
    if (there && dp_port_config_equal(&now->config, &s->dp)) {
        return false;
    }
    struct step *step = add_step(plan, there ? STEP_DP_PORT_SET : STEP_DP_PORT_ADD);
    step->dp_port = there ? now->number : DP_PORT_NONE;
    step->bridge = b;
    step->port = p;
    step->interface = s;
    return true;
}

static void plan_of_port(struct plan *plan, struct bridge_snapshot *b, struct port_snapshot *p, struct interface_snapshot *s,
                         const struct bridge_snapshot *old, bool dp_changed, size_t *at)
{
    struct port_snapshot *old_port = NULL;
    struct interface_snapshot *before = find_interface(old, s->name, &old_port, at);
    if (!before || dp_changed || strcmp(old_port->name, p->name) || !interfaces_equal(before, s)) {
        struct step *step = add_step(plan, STEP_OF_PORT_SET);
        step->bridge = b;
        step->port = p;
        step->interface = s;
    }
}

static struct bridge_snapshot *same_bridge(const struct snapshot *old, const struct bridge_snapshot *b)
{
    struct bridge_snapshot *before = find_bridge(old, b->name);
    return before && uuid_equal(&before->uuid, &b->uuid) ? before : NULL;
}

static void plan_bridge(struct plan *plan, const struct snapshot *old, struct bridge_snapshot *b)
{
    struct bridge_snapshot *before = same_bridge(old, b);
    if (!before || !bridges_equal(&before->settings, &b->settings)) {
        add_step(plan, before ? STEP_BRIDGE_SET : STEP_BRIDGE_ADD)->bridge = b;
    }
}

void plan_make(struct plan *plan, const struct snapshot *old, struct snapshot *new, const struct dp_ports *dp)
{
    *plan = (struct plan) { NULL, 0, 0 };
    plan_deletions(plan, old, new, dp);
    if (!old || memcmp(&old->dp, &new->dp, sizeof old->dp)) {
        add_step(plan, STEP_DP_CONFIGURE);
    }
    if (!old || memcmp(&old->ofproto, &new->ofproto, sizeof old->ofproto)) {
        add_step(plan, STEP_OFPROTO_SET);
    }
    size_t first_dp_step = plan->n;
    for (size_t i = 0; i < new->n_bridges; i++) {
        struct bridge_snapshot *b = &new->bridges[i];
        for (size_t j = 0; !b->error && j < b->n_ports; j++) {
            for (size_t k = 0; k < b->ports[j].n_interfaces; k++) {
                struct interface_snapshot *s = &b->ports[j].interfaces[k];
                if (!s->error && s->kind != OF_PORT_PATCH) {
                    plan_dp_port(plan, b, &b->ports[j], s, new, dp);
                }
            }
        }
    }
    size_t end_dp_step = plan->n;
    for (size_t i = 0; i < new->n_bridges; i++) {
        if (!new->bridges[i].error) {
            plan_bridge(plan, old, &new->bridges[i]);
        }
    }
    for (size_t i = 0; i < new->n_bridges; i++) {
        struct bridge_snapshot *b = &new->bridges[i];
        if (b->error) {
            continue;
        }
        struct bridge_snapshot *before = same_bridge(old, b);
        size_t at = 0, at_port = 0;
        for (size_t j = 0; j < b->n_ports; j++) {
            struct port_snapshot *p = &b->ports[j];
            for (size_t k = 0; k < p->n_interfaces; k++) {
                struct interface_snapshot *s = &p->interfaces[k];
                bool dp_changed = false;
                for (size_t m = first_dp_step; m < end_dp_step; m++) {
                    dp_changed |= !strcmp(plan->steps[m].interface->dp.name, s->dp.name);
                }
                if (!s->error) {
                    plan_of_port(plan, b, p, s, before, dp_changed, &at);
                }
            }
            struct port_snapshot *port_before = find_port(before, p->name, &at_port);
            if (!port_before || !ports_equal(&port_before->settings, &p->settings)) {
                struct step *step = add_step(plan, STEP_BUNDLE_SET);
                step->bridge = b;
                step->port = p;
            }
        }
        if (!before || !controllers_equal(before, b)) {
            add_step(plan, STEP_CONTROLLERS_SET)->bridge = b;
        }
    }
}

void plan_fini(struct plan *plan)
{
    free(plan->steps);
    *plan = (struct plan) { NULL, 0, 0 };
}
