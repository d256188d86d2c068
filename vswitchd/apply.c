/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the steps of a plan and keeps what came of them. */
#include <errno.h>
#include <stdlib.h>

#include "db/client.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(vswitchd);

enum { RETRY_MS = 1000 };

/* ---- What came of it ---- */

struct interface_result *vswitch_result(struct vswitch *vs, const char *name)
{
    struct interface_result *r;
    uint32_t hash = hash_string(name, 0);
    HMAP_FOR_EACH_WITH_HASH (r, node, hash, &vs->results) {
        if (!strcmp(r->name, name)) {
            return r;
        }
    }
    r = xzalloc(sizeof *r);
    r->name = xstrdup(name);
    r->number = OFPP_NONE;
    hmap_insert(&vs->results, &r->node, hash);
    return r;
}

static void result_forget(struct vswitch *vs, struct interface_result *r)
{
    hmap_remove(&vs->results, &r->node);
    free(r->name);
    free(r->error);
    free(r);
}

static void fail_interface(struct vswitch *vs, struct interface_snapshot *s, struct error *e)
{
    LOG_WARN("interface \"%s\": %s", s->name, error_text(e));
    vs->retry |= error_code(e) == ETIMEDOUT || error_code(e) == ENOTCONN;
    free(s->error);
    s->error = xstrdup(error_text(e));
    error_free(e);
}

static struct bridge_handle *handle_find(const struct vswitch *vs, const char *name)
{
    struct bridge_handle *h;
    LIST_FOR_EACH (h, node, &vs->bridges) {
        if (!strcmp(h->name, name)) {
            return h;
        }
    }
    return NULL;
}

struct bridge *vswitch_bridge(const struct vswitch *vs, const char *name)
{
    struct bridge_handle *h = handle_find(vs, name);
    return h ? h->bridge : NULL;
}

/* ---- Datapath ports ---- */

static void dp_ports_remove(struct dp_ports *ports, uint32_t number)
{
    for (size_t i = 0; i < ports->n; i++) {
        if (ports->list[i].number == number) {
            dp_port_config_fini(&ports->list[i].config);
            ports->list[i] = ports->list[--ports->n];
            return;
        }
    }
}

static void dp_ports_put(struct dp_ports *ports, uint32_t number, const struct dp_port_config *config)
{
    struct dp_port *p = dp_ports_find(ports, config->name);
    if (!p) {
        if (ports->n == ports->allocated) {
            ports->list = xgrow(ports->list, &ports->allocated, sizeof *ports->list);
        }
        p = &ports->list[ports->n++];
        memset(p, 0, sizeof *p);
    } else {
        dp_port_config_fini(&p->config);
    }
    p->number = number;
    dp_port_config_clone(&p->config, config);
}

static void dp_port_read_state(struct vswitch *vs, const char *name)
{
    struct dp_port *p = dp_ports_find(&vs->dp_ports, name);
    if (p) {
        error_free(dp_port_get(vs->dp, p->number, &p->state));
    }
}

static void add_dp_port(struct vswitch *vs, struct interface_snapshot *s)
{
    uint32_t number;
    struct error *e = dp_port_add(vs->dp, &s->dp, &number);
    if (e) {
        fail_interface(vs, s, e);
        return;
    }
    dp_ports_put(&vs->dp_ports, number, &s->dp);
    dp_port_read_state(vs, s->dp.name);
}

static void set_dp_port(struct vswitch *vs, uint32_t number, struct interface_snapshot *s)
{
    struct error *e = dp_port_set(vs->dp, number, &s->dp);
    if (e) {
        fail_interface(vs, s, e);
        return;
    }
    dp_ports_put(&vs->dp_ports, number, &s->dp);
    dp_port_read_state(vs, s->dp.name);
}

static void delete_dp_port(struct vswitch *vs, const char *name, uint32_t number)
{
    struct error *e = dp_port_del(vs->dp, number);
    if (e) {
        LOG_WARN("datapath port \"%s\": %s", name, error_text(e));
        vs->retry |= error_code(e) == ETIMEDOUT;
        error_free(e);
    }
    dp_ports_remove(&vs->dp_ports, number);
}

/* ---- OpenFlow ports ---- */

enum { PF_10G_FD = 1 << 6, PF_COPPER = 1 << 11 };

static void fill_device(const struct dp_port *p, struct of_port_settings *o)
{
    o->dp_port = p->number;
    o->mac = p->state.mac;
    o->admin_up = p->state.admin_up;
    o->link_up = p->state.link_up;
    o->mtu = p->state.mtu;
    if (p->state.link_speed_bps > 0) {
        o->curr_speed_kbps = o->max_speed_kbps = MIN(p->state.link_speed_bps / 1000, UINT32_MAX);
    }
    /* Virtual devices say 10 Gbit/s, full duplex, copper, as users of such ports expect. */
    if (p->state.link_speed_bps == INT64_C(10000000000)) {
        o->features = PF_10G_FD | PF_COPPER;
    }
}

void vswitch_fill_of_port(struct vswitch *vs, const struct port_snapshot *port, const struct interface_snapshot *s,
                          struct of_port_settings *o)
{
    *o = (struct of_port_settings) {
        .name = s->name, .bundle = port->name, .kind = s->kind, .dp_port = DP_PORT_NONE, .peer = s->peer,
        .tunnel = s->tunnel, .request = s->request, .admin_up = true, .link_up = true,
    };
    const struct dp_port *p = s->kind == OF_PORT_PATCH ? NULL : dp_ports_find(&vs->dp_ports, s->dp.name);
    if (s->kind == OF_PORT_DEVICE) {
        o->admin_up = o->link_up = false;
        if (p) {
            fill_device(p, o);
        }
    } else {
        o->tunnel_type = s->kind == OF_PORT_TUNNEL ? s->type : NULL;
        o->dp_port = p ? p->number : DP_PORT_NONE;
        /* Patch and tunnel ports have no device; OpenFlow wants an address that is theirs alone. */
        uint32_t h = s->uuid.parts[3];
        o->mac = (struct eth_addr) { { 0x06, h >> 24, h >> 16, h >> 8, h, s->uuid.parts[2] } };
    }
}

static void set_of_port(struct vswitch *vs, struct bridge_snapshot *b, struct port_snapshot *port, struct interface_snapshot *s)
{
    struct bridge *bridge = vswitch_bridge(vs, b->name);
    if (!bridge || s->error) {
        return;
    }
    struct of_port_settings o;
    vswitch_fill_of_port(vs, port, s, &o);
    ofp_port number;
    struct error *e = bridge_port_set(bridge, &o, &number);
    if (e) {
        fail_interface(vs, s, e);
        bridge_port_del(bridge, s->name);
    } else {
        vswitch_result(vs, s->name)->number = number;
    }
}

/* ---- Bridges ---- */

static void add_bridge(struct vswitch *vs, struct bridge_snapshot *b)
{
    struct bridge *bridge;
    struct error *e = bridge_create(vs->ofproto, b->name, &b->settings, &bridge);
    if (e) {
        LOG_ERR("%s", error_text(e));
        b->error = xstrdup(error_text(e));
        error_free(e);
        return;
    }
    struct bridge_handle *h = xzalloc(sizeof *h);
    h->name = xstrdup(b->name);
    h->uuid = b->uuid;
    h->bridge = bridge;
    list_push_back(&vs->bridges, &h->node);
}

static void delete_bridge(struct vswitch *vs, struct bridge_snapshot *b)
{
    struct bridge_handle *h = handle_find(vs, b->name);
    if (h) {
        bridge_destroy(h->bridge);
        list_remove(&h->node);
        free(h->name);
        free(h);
    }
}

static void set_controllers(struct vswitch *vs, struct bridge_snapshot *b)
{
    struct bridge *bridge = vswitch_bridge(vs, b->name);
    struct error *e = bridge ? bridge_set_controllers(bridge, b->controllers, b->n_controllers) : NULL;
    if (e) {
        LOG_WARN("%s", error_text(e));
        char *both = xasprintf("%s%s%s", b->warning ? b->warning : "", b->warning ? "; " : "", error_text(e));
        free(b->warning);
        b->warning = both;
        error_free(e);
    }
}

/* ---- Steps ---- */

static void run_step(struct vswitch *vs, const struct step *s, struct snapshot *new)
{
    struct bridge *bridge = s->bridge ? vswitch_bridge(vs, s->bridge->name) : NULL;
    struct error *e = NULL;
    LOG_DBG("step: %s%s%s", step_name(s->kind), s->name || s->interface || s->bridge ? " " : "",
            s->name ? s->name : s->interface ? s->interface->name : s->bridge ? s->bridge->name : "");
    switch (s->kind) {
    case STEP_OF_PORT_DEL:
        if (bridge) {
            bridge_port_del(bridge, s->name);
        }
        break;
    case STEP_BUNDLE_DEL:
        if (bridge) {
            bridge_bundle_del(bridge, s->name);
        }
        break;
    case STEP_BRIDGE_DEL:
        delete_bridge(vs, s->bridge);
        break;
    case STEP_DP_PORT_DEL:
        delete_dp_port(vs, s->name, s->dp_port);
        break;
    case STEP_DP_CONFIGURE: {
        struct dp_config config = new->dp;
        config.hold = vs->hold;
        e = dp_configure(vs->dp, &config);
        break;
    }
    case STEP_OFPROTO_SET:
        ofproto_set(vs->ofproto, &new->ofproto);
        break;
    case STEP_DP_PORT_ADD:
        add_dp_port(vs, s->interface);
        break;
    case STEP_DP_PORT_SET:
        set_dp_port(vs, s->dp_port, s->interface);
        break;
    case STEP_BRIDGE_ADD:
        add_bridge(vs, s->bridge);
        break;
    case STEP_BRIDGE_SET:
        if (bridge) {
            bridge_set(bridge, &s->bridge->settings);
        }
        break;
    case STEP_OF_PORT_SET:
        set_of_port(vs, s->bridge, s->port, s->interface);
        break;
    case STEP_BUNDLE_SET:
        if (bridge) {
            bridge_bundle_set(bridge, s->port->name, &s->port->settings);
        }
        break;
    case STEP_CONTROLLERS_SET:
        set_controllers(vs, s->bridge);
        break;
    }
    if (e) {
        LOG_WARN("%s: %s", step_name(s->kind), error_text(e));
        vs->retry |= error_code(e) == ETIMEDOUT || error_code(e) == ENOTCONN;
        error_free(e);
    }
}

/* Errors of interfaces go where the status finds them; results of interfaces that are gone go too. */
static void keep_results(struct vswitch *vs, struct snapshot *new)
{
    struct interface_result *r;
    HMAP_FOR_EACH (r, node, &vs->results) {
        r->is_wanted = false;
    }
    for (size_t i = 0; i < new->n_bridges; i++) {
        struct bridge_snapshot *b = &new->bridges[i];
        for (size_t j = 0; j < b->n_ports; j++) {
            for (size_t k = 0; k < b->ports[j].n_interfaces; k++) {
                struct interface_snapshot *s = &b->ports[j].interfaces[k];
                r = vswitch_result(vs, s->name);
                r->is_wanted = true;
                free(r->error);
                r->error = xstrdup_or_null(s->error ? s->error : b->error);
                if (r->error) {
                    r->number = OFPP_NONE;
                }
            }
        }
    }
    HMAP_FOR_EACH (r, node, &vs->results) {
        if (!r->is_wanted) {
            result_forget(vs, r);
        }
    }
}

static void settled(void *vs_)
{
    struct vswitch *vs = vs_;
    vs->settling = false;
    if (vs->current->exists) {
        vs->applied_cfg = vs->current->next_cfg;
    }
    vswitch_write_status(vs);
    vswitch_hold_check(vs);
    if (vs->again) {
        vs->again = false;
        vswitch_reconfigure(vs);
    }
}

void vswitch_reconfigure(struct vswitch *vs)
{
    if (!db_client_is_synced(vs->db) || !vs->dp_ports_known) {
        return;
    }
    if (vs->settling) {
        vs->again = true;
        return;
    }
    struct snapshot *new = snapshot_take(vs->db);
    struct plan plan;
    plan_make(&plan, vs->current, new, &vs->dp_ports);
    vs->retry = false;
    for (size_t i = 0; i < plan.n; i++) {
        run_step(vs, &plan.steps[i], new);
    }
    vs->n_plans++;
    vs->n_steps += plan.n;
    plan_fini(&plan);
    ofproto_commit(vs->ofproto);
    keep_results(vs, new);
    snapshot_free(vs->current);
    vs->current = new;
    vs->settling = true;
    ofproto_settle(vs->ofproto, settled, vs);
    if (vs->retry) {
        loop_timer_after_ms(&vs->reconfigure_timer, RETRY_MS);
    }
}

/* ---- Events of the datapath ---- */

/* Reads anew which ports the datapath has. False: it does not answer. */
static bool read_dp_ports(struct vswitch *vs)
{
    struct dp_port_state *states;
    struct dp_port_config *configs;
    size_t n;
    struct error *e = dp_port_dump(vs->dp, &states, &configs, &n);
    if (e) {
        LOG_WARN("datapath: its ports could not be read: %s", error_text(e));
        error_free(e);
        return false;
    }
    while (vs->dp_ports.n) {
        dp_ports_remove(&vs->dp_ports, vs->dp_ports.list[0].number);
    }
    for (size_t i = 0; i < n; i++) {
        dp_ports_put(&vs->dp_ports, states[i].port_no, &configs[i]);
        dp_ports_find(&vs->dp_ports, configs[i].name)->state = states[i];
        dp_port_config_fini(&configs[i]);
    }
    free(states);
    free(configs);
    return true;
}

void vswitch_retry(struct vswitch *vs)
{
    /* What was not answered may have been done later. */
    if (read_dp_ports(vs)) {
        vswitch_reconfigure(vs);
    } else {
        loop_timer_after_ms(&vs->reconfigure_timer, RETRY_MS);
    }
}

void vswitch_datapath_connected(struct vswitch *vs)
{
    vs->unread = !read_dp_ports(vs);
    if (vs->unread) {
        loop_timer_after_ms(&vs->reconfigure_timer, RETRY_MS);
        return;
    }
    vs->dp_ports_known = true;
    if (vs->current) {
        /* What was configured in the datapath may be lost with it. */
        vs->current->dp.n_workers = 0;
    }
    vswitch_reconfigure(vs);
    ofproto_datapath_connected(vs->ofproto);
}

void vswitch_ports_changed(struct vswitch *vs)
{
    for (size_t i = 0; i < vs->dp_ports.n; i++) {
        struct dp_port *p = &vs->dp_ports.list[i];
        error_free(dp_port_get(vs->dp, p->number, &p->state));
    }
    for (size_t i = 0; vs->current && i < vs->current->n_bridges; i++) {
        struct bridge_snapshot *b = &vs->current->bridges[i];
        for (size_t j = 0; !b->error && j < b->n_ports; j++) {
            for (size_t k = 0; k < b->ports[j].n_interfaces; k++) {
                if (b->ports[j].interfaces[k].kind == OF_PORT_DEVICE) {
                    set_of_port(vs, b, &b->ports[j], &b->ports[j].interfaces[k]);
                }
            }
        }
    }
    ofproto_commit(vs->ofproto);
    vs->status_dirty = true;
    if (!vs->settling) {
        vswitch_write_status(vs);
    }
}

void vswitch_cleanup(struct vswitch *vs)
{
    while (vs->dp_ports.n) {
        delete_dp_port(vs, vs->dp_ports.list[0].config.name, vs->dp_ports.list[0].number);
    }
}
