/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges: settings, ports, bundles, fail modes, and what connections ask of them. */
#include "ofproto/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"

LOG_MODULE(bridge);

enum { FAIL_OPEN_MS = 15000 };

/* ---- Finding ---- */

struct bridge *bridge_find(const struct ofproto *ofproto, const char *name)
{
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        if (!strcmp(bridge->name, name)) {
            return bridge;
        }
    }
    return NULL;
}

struct of_port *bridge_port_find(const struct bridge *bridge, const char *name)
{
    struct of_port *port;
    HMAP_FOR_EACH_WITH_HASH (port, by_name, hash_string(name, 0), &bridge->ports_by_name) {
        if (!strcmp(port->name, name)) {
            return port;
        }
    }
    return NULL;
}

struct of_port *bridge_port_by_number(const struct bridge *bridge, ofp_port number)
{
    struct of_port *port;
    HMAP_FOR_EACH_WITH_HASH (port, by_number, hash_int(number, 0), &bridge->ports_by_number) {
        if (port->phy.port_no == number) {
            return port;
        }
    }
    return NULL;
}

struct bundle *bridge_bundle_find(const struct bridge *bridge, const char *name)
{
    struct bundle *bundle;
    HMAP_FOR_EACH_WITH_HASH (bundle, node, hash_string(name, 0), &bridge->bundles) {
        if (!strcmp(bundle->name, name)) {
            return bundle;
        }
    }
    return NULL;
}

const char *bridge_name(const struct bridge *bridge)
{
    return bridge->name;
}

/* ---- What connections ask ---- */

static struct bridge *bridge_of(struct of_switch *sw)
{
    return CONTAINER_OF(sw, struct bridge, sw);
}

static int compare_ports(const void *a_, const void *b_)
{
    const struct of_port *const *a = a_, *const *b = b_;
    return (*a)->phy.port_no < (*b)->phy.port_no ? -1 : (*a)->phy.port_no > (*b)->phy.port_no;
}

static void each_port(struct of_switch *sw, void (*each)(const struct ofp_phy_port *, void *arg), void *arg)
{
    struct bridge *bridge = bridge_of(sw);
    struct of_port **ports = xcalloc(hmap_count(&bridge->ports_by_name) + 1, sizeof *ports), *port;
    size_t n = 0;
    HMAP_FOR_EACH (port, by_name, &bridge->ports_by_name) {
        ports[n++] = port;
    }
    qsort(ports, n, sizeof *ports, compare_ports);
    for (size_t i = 0; i < n; i++) {
        each(&ports[i]->phy, arg);
    }
    free(ports);
}

static void fill_credit_stats(const struct of_port *port, struct ofp_port_stats *stats)
{
    const struct port_credit *c = port->credit;
    stats->rx_packets = __atomic_load_n(&c->rx_packets, __ATOMIC_RELAXED);
    stats->rx_bytes = __atomic_load_n(&c->rx_bytes, __ATOMIC_RELAXED);
    stats->tx_packets = __atomic_load_n(&c->tx_packets, __ATOMIC_RELAXED);
    stats->tx_bytes = __atomic_load_n(&c->tx_bytes, __ATOMIC_RELAXED);
}

static bool port_stats(struct of_switch *sw, ofp_port number, struct ofp_port_stats *stats)
{
    struct bridge *bridge = bridge_of(sw);
    struct of_port *port = bridge_port_by_number(bridge, number);
    if (!port) {
        return false;
    }
    int64_t age_ms = clock_ms() - port->created_ms;
    *stats = (struct ofp_port_stats) {
        .port_no = number, .duration_s = age_ms / 1000, .duration_ns = age_ms % 1000 * NSEC_PER_MSEC,
    };
    if (port->credit) {
        fill_credit_stats(port, stats);
        return true;
    }
    struct dp_port_stats dp;
    struct error *e = dp_port_get_stats(bridge->ofproto->options.dp, port->dp_port, &dp);
    if (e) {
        error_free(e);   /* A port that is not in the datapath has counted nothing. */
        return true;
    }
    stats->rx_packets = dp.rx_packets;
    stats->tx_packets = dp.tx_packets;
    stats->rx_bytes = dp.rx_bytes;
    stats->tx_bytes = dp.tx_bytes;
    stats->rx_dropped = dp.rx_dropped;
    stats->tx_dropped = dp.tx_dropped;
    stats->rx_errors = dp.rx_errors;
    stats->tx_errors = dp.tx_errors;
    stats->rx_frame_err = dp.rx_frame_err;
    stats->rx_over_err = dp.rx_over_err;
    stats->rx_crc_err = dp.rx_crc_err;
    stats->collisions = dp.collisions;
    return true;
}

static struct error *port_mod(struct of_switch *sw, const struct ofp_port_mod *mod)
{
    struct bridge *bridge = bridge_of(sw);
    struct of_port *port = bridge_port_by_number(bridge, mod->port_no);
    if (!port) {
        return error_new(OFPERR_OFPPMFC_BAD_PORT, "bridge \"%s\" has no port %u", bridge->name, mod->port_no);
    }
    if (!eth_addr_equal(mod->hw_addr, port->phy.hw_addr)) {
        return error_new(OFPERR_OFPPMFC_BAD_HW_ADDR, "port \"%s\" has address " ETH_FMT ", not " ETH_FMT, port->name,
                         ETH_ARGS(port->phy.hw_addr), ETH_ARGS(mod->hw_addr));
    }
    static const uint32_t settable = OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN | OFPPC_NO_FLOOD;
    uint32_t config = (port->phy.config & ~mod->mask) | (mod->config & mod->mask);
    if ((config ^ port->phy.config) & ~settable) {
        return error_new(OFPERR_OFPPMFC_BAD_CONFIG, "port \"%s\": configuration bits 0x%x cannot be changed", port->name,
                         (config ^ port->phy.config) & ~settable);
    }
    if (config != port->phy.config) {
        port->phy.config = config;
        bridge->dirty = true;
        ofproto_commit(bridge->ofproto);
        connections_port_status(bridge->connections, OFPPR_MODIFY, &port->phy, NULL);
        if (bridge->ofproto->options.status_changed) {
            bridge->ofproto->options.status_changed(bridge->ofproto->options.arg);
        }
    }
    return NULL;
}

static bool name_to_number(const struct port_names *names, const char *name, ofp_port *number)
{
    const struct bridge *bridge = CONTAINER_OF(names, struct bridge, sw.port_names);
    struct of_port *port = bridge_port_find(bridge, name);
    if (port) {
        *number = port->phy.port_no;
    }
    return port != NULL;
}

static const char *number_to_name(const struct port_names *names, ofp_port number)
{
    const struct bridge *bridge = CONTAINER_OF(names, struct bridge, sw.port_names);
    struct of_port *port = bridge_port_by_number(bridge, number);
    return port ? port->name : NULL;
}

static void connections_changed(struct of_switch *sw)
{
    struct bridge *bridge = bridge_of(sw);
    if (!bridge->connections) {
        return;   /* Being made. */
    }
    bool misses = connections_want_misses(bridge->connections);
    if (misses != bridge->misses_to_controller) {
        bridge->misses_to_controller = misses;
        bridge->dirty = true;
        ofproto_commit(bridge->ofproto);
    }
    bridge_update_fail_mode(bridge);
    if (bridge->ofproto->options.status_changed) {
        bridge->ofproto->options.status_changed(bridge->ofproto->options.arg);
    }
}

static void rule_removed(const struct rule *rule, uint8_t reason, void *bridge_)
{
    struct bridge *bridge = bridge_;
    if (bridge->connections) {
        connections_flow_removed(bridge->connections, rule, reason);
    }
}

/* ---- Fail modes ---- */

static void default_rule(struct bridge *bridge, bool hidden, bool present)
{
    struct buffer actions = BUFFER_INIT;
    struct ofact_output *out = ofact_put(&actions, OFACT_OUTPUT, sizeof *out);
    out->port = OFPP_NORMAL;
    struct ofact_list list = ofact_list_of(&actions);
    if (hidden) {
        struct match match;
        match_init_any(&match);
        tables_set_hidden(bridge->tables, &match, &list, present);
    } else {
        struct ofp_flow_mod fm = {
            .command = OFPFC_ADD, .buffer_id = OFP_NO_BUFFER, .out_port = OFPP_ANY, .out_group = OFPG_ANY, .actions = list,
        };
        match_init_any(&fm.match);
        struct error *e = tables_flow_mod(bridge->tables, &fm, OFP13);
        if (e) {
            LOG_ERR("bridge \"%s\": the default rule could not be set: %s", bridge->name, error_text(e));
            error_free(e);
        }
    }
    buffer_fini(&actions);
}

void bridge_update_fail_mode(struct bridge *bridge)
{
    bool standalone = bridge->settings.fail_mode == FAIL_STANDALONE;
    bool have = connections_have_controllers(bridge->connections);
    if (have != bridge->had_controllers) {
        /* Whose rules these are changes: begin anew, as controllers expect. */
        bridge->had_controllers = have;
        tables_flush(bridge->tables, false);
        if (!have && standalone) {
            default_rule(bridge, false, true);
        }
    }
    int64_t down_since;
    bool live = connections_have_live_controller(bridge->connections, &down_since);
    bool fail_open = have && standalone && !live && clock_ms() - down_since >= FAIL_OPEN_MS;
    if (fail_open != bridge->fail_open) {
        if (fail_open) {
            LOG_WARN("bridge \"%s\": no controller for %d s, switching as a learning bridge until one is back", bridge->name,
                     FAIL_OPEN_MS / 1000);
        }
        bridge->fail_open = fail_open;
        default_rule(bridge, true, fail_open);
    }
}

/* ---- Life ---- */

static void settings_copy(struct bridge_settings *to, const struct bridge_settings *from)
{
    *to = *from;
    smap_clone(&to->other_config, &from->other_config);
}

static void switch_update(struct bridge *bridge)
{
    struct of_switch *sw = &bridge->sw;
    sw->datapath_id = bridge->settings.datapath_id;
    sw->versions = bridge->settings.versions ? bridge->settings.versions & OFP_SUPPORTED : OFP_SUPPORTED;
    sw->desc = bridge->settings.desc;
}

struct error *bridge_create(struct ofproto *ofproto, const char *name, const struct bridge_settings *settings,
                            struct bridge **out)
{
    static const struct tables_events events = { rule_removed };
    struct bridge *bridge = xzalloc(sizeof *bridge);
    bridge->ofproto = ofproto;
    bridge->name = xstrdup(name);
    bridge->id = ofproto->next_bridge_id++;
    settings_copy(&bridge->settings, settings);
    bridge->tables = tables_create(ofproto->changes, bridge->id, &events, bridge);
    bridge->macs = mac_table_create(ofproto->changes, bridge->id);
    mac_table_configure(bridge->macs, settings->mac_idle_s, settings->mac_max);
    hmap_init(&bridge->ports_by_name);
    hmap_init(&bridge->ports_by_number);
    hmap_init(&bridge->bundles);
    bridge->next_number = 1;
    bridge->sw = (struct of_switch) {
        .name = bridge->name, .bridge_id = bridge->id, .tables = bridge->tables, .path = ofproto->path,
        .each_port = each_port, .port_stats = port_stats, .port_mod = port_mod,
        .connections_changed = connections_changed, .port_names = { name_to_number, number_to_name },
    };
    switch_update(bridge);
    list_push_back(&ofproto->bridges, &bridge->node);
    struct error *e = connections_create(&bridge->sw, ofproto->options.loop, ofproto->options.rundir, &bridge->connections);
    if (e) {
        list_remove(&bridge->node);
        bridge_free(bridge);
        return error_wrap(e, "bridge \"%s\"", name);
    }
    bridge->dirty = true;
    bridge->had_controllers = true;   /* So that the first look sets the default rule. */
    bridge_update_fail_mode(bridge);
    *out = bridge;
    return NULL;
}

void bridge_set(struct bridge *bridge, const struct bridge_settings *settings)
{
    bool fail_mode = bridge->settings.fail_mode != settings->fail_mode;
    smap_fini(&bridge->settings.other_config);
    settings_copy(&bridge->settings, settings);
    uint32_t versions = bridge->sw.versions;
    switch_update(bridge);
    if (versions != bridge->sw.versions) {
        connections_versions_changed(bridge->connections);
    }
    mac_table_configure(bridge->macs, settings->mac_idle_s, settings->mac_max);
    if (fail_mode && !connections_have_controllers(bridge->connections)) {
        bridge->had_controllers = true;
    }
    bridge_update_fail_mode(bridge);
    bridge->dirty = true;
}

static void port_free(struct of_port *port)
{
    hmap_remove(&port->bridge->ports_by_name, &port->by_name);
    hmap_remove(&port->bridge->ports_by_number, &port->by_number);
    if (port->credit) {
        port_credit_put(port->credit);
    }
    free(port->name);
    free(port->bundle);
    free(port->peer);
    free(port->tunnel_type);
    free(port);
}

void bridge_free(struct bridge *bridge)
{
    struct of_port *port;
    HMAP_FOR_EACH (port, by_name, &bridge->ports_by_name) {
        port_free(port);
    }
    struct bundle *bundle;
    HMAP_FOR_EACH (bundle, node, &bridge->bundles) {
        bridge_bundle_del(bridge, bundle->name);
    }
    hmap_fini(&bridge->bundles);
    connections_destroy(bridge->connections);
    tables_destroy(bridge->tables);
    mac_table_destroy(bridge->macs);
    hmap_fini(&bridge->ports_by_name);
    hmap_fini(&bridge->ports_by_number);
    smap_fini(&bridge->settings.other_config);
    free(bridge->gone);
    free(bridge->name);
    free(bridge);
}

void bridge_destroy(struct bridge *bridge)
{
    struct ofproto *ofproto = bridge->ofproto;
    list_remove(&bridge->node);
    connections_destroy(bridge->connections);
    bridge->connections = NULL;
    ofproto->dirty_tunnels = true;
    ofproto_commit(ofproto);
    path_forget_bridge(ofproto->path, bridge->id);
    bridge_free(bridge);
}

bool bridge_is_refilled(const struct bridge *bridge, int64_t quiet_ms)
{
    return tables_n_rules(bridge->tables) && clock_ms() - bridge->sw.flow_mod_ms >= quiet_ms;
}

/* ---- Ports ---- */

static bool tunnels_equal(const struct of_port *a, const struct of_port_settings *b)
{
    const struct tunnel_settings *x = &a->tunnel, *y = &b->tunnel;
    return a->dp_port == b->dp_port && x->remote_flow == y->remote_flow && x->local_flow == y->local_flow
           && x->key_flow == y->key_flow && x->key == y->key && !memcmp(&x->remote, &y->remote, sizeof x->remote)
           && !memcmp(&x->local, &y->local, sizeof x->local);
}

static struct error *check_tunnel(const struct bridge *bridge, const struct of_port_settings *s)
{
    const struct bridge *other;
    LIST_FOR_EACH (other, node, &bridge->ofproto->bridges) {
        struct of_port *port;
        HMAP_FOR_EACH (port, by_name, &other->ports_by_name) {
            if (port->kind == OF_PORT_TUNNEL && strcmp(port->name, s->name) && tunnels_equal(port, s)) {
                return error_new(EEXIST, "port \"%s\": remote_ip, local_ip, key and dst_port are the same as of port \"%s\" of "
                                 "bridge \"%s\"; one of them must differ", s->name, port->name, other->name);
            }
        }
    }
    return NULL;
}

static struct error *choose_number(struct bridge *bridge, const struct of_port_settings *s, ofp_port *number)
{
    if (s->request == OFPP_LOCAL
        || (s->request && s->request <= OFPP_LAST_USABLE && !bridge_port_by_number(bridge, s->request))) {
        *number = s->request;
        return NULL;
    }
    for (uint32_t i = 0; i < OFPP_LAST_USABLE; i++) {
        ofp_port n = bridge->next_number;
        bridge->next_number = n == OFPP_LAST_USABLE ? 1 : n + 1;
        if (!bridge_port_by_number(bridge, n)) {
            *number = n;
            return NULL;
        }
    }
    return error_new(ENOSPC, "port \"%s\": all %u OpenFlow numbers of bridge \"%s\" are in use", s->name, OFPP_LAST_USABLE,
                     bridge->name);
}

static void port_number_set(struct of_port *port, ofp_port number)
{
    port->phy.port_no = number;
    hmap_insert(&port->bridge->ports_by_number, &port->by_number, hash_int(number, 0));
}

static bool replace_string(char **to, const char *from)
{
    if (*to && from ? !strcmp(*to, from) : !*to && !from) {
        return false;
    }
    free(*to);
    *to = xstrdup_or_null(from);
    return true;
}

/* Takes over settings; true if anything that others can see changed. */
static bool port_update(struct of_port *port, const struct of_port_settings *s)
{
    struct ofp_phy_port phy = port->phy;
    phy.hw_addr = s->mac;
    snprintf(phy.name, sizeof phy.name, "%s", s->name);
    phy.config = s->admin_up ? phy.config & ~OFPPC_PORT_DOWN : phy.config | OFPPC_PORT_DOWN;
    phy.state = s->link_up ? OFPPS_LIVE : OFPPS_LINK_DOWN;
    phy.curr = s->features;
    phy.curr_speed = s->curr_speed_kbps;
    phy.max_speed = s->max_speed_kbps;
    bool changed = memcmp(&phy, &port->phy, sizeof phy) != 0;
    port->phy = phy;

    bool wiring = port->kind != s->kind || port->dp_port != s->dp_port
                  || memcmp(&port->tunnel, &s->tunnel, sizeof port->tunnel);
    port->kind = s->kind;
    port->dp_port = s->dp_port;
    port->tunnel = s->tunnel;
    port->mtu = s->mtu;
    port->request = s->request;
    wiring |= replace_string(&port->bundle, s->bundle ? s->bundle : s->name);
    wiring |= replace_string(&port->peer, s->peer);
    replace_string(&port->tunnel_type, s->tunnel_type);
    if (!port->credit && port->kind != OF_PORT_DEVICE) {
        port->credit = xzalloc(sizeof *port->credit);
        port->credit->refs = 1;
    }
    if (changed || wiring) {
        port->bridge->dirty = true;
        port->bridge->ofproto->dirty_tunnels |= port->kind != OF_PORT_DEVICE;
    }
    return changed;
}

struct error *bridge_port_set(struct bridge *bridge, const struct of_port_settings *s, ofp_port *number)
{
    if (s->kind == OF_PORT_TUNNEL) {
        struct error *e = check_tunnel(bridge, s);
        if (e) {
            return e;
        }
    }
    struct of_port *port = bridge_port_find(bridge, s->name);
    bool is_new = !port;
    if (port && s->request != port->phy.port_no && s->request != port->request && s->request <= OFPP_LAST_USABLE
        && s->request && !bridge_port_by_number(bridge, s->request)) {
        /* Another number is wanted now: for OpenFlow that is another port. */
        bridge_port_del(bridge, s->name);
        is_new = true;
    }
    if (is_new) {
        ofp_port chosen;
        struct error *e = choose_number(bridge, s, &chosen);
        if (e) {
            return e;
        }
        port = xzalloc(sizeof *port);
        port->bridge = bridge;
        port->name = xstrdup(s->name);
        port->created_ms = clock_ms();
        port->dp_port = DP_PORT_NONE;
        if (s->no_flood) {
            port->phy.config |= OFPPC_NO_FLOOD;
        }
        hmap_insert(&bridge->ports_by_name, &port->by_name, hash_string(port->name, 0));
        port_number_set(port, chosen);
    }
    bool changed = port_update(port, s);
    if (is_new || changed) {
        connections_port_status(bridge->connections, is_new ? OFPPR_ADD : OFPPR_MODIFY, &port->phy, NULL);
    }
    *number = port->phy.port_no;
    return NULL;
}

void bridge_port_del(struct bridge *bridge, const char *name)
{
    struct of_port *port = bridge_port_find(bridge, name);
    if (port) {
        if (bridge->n_gone == bridge->allocated_gone) {
            bridge->gone = xgrow(bridge->gone, &bridge->allocated_gone, sizeof *bridge->gone);
        }
        bridge->gone[bridge->n_gone++] = port->phy.port_no;
        connections_port_status(bridge->connections, OFPPR_DELETE, &port->phy, NULL);
        bridge->dirty = true;
        bridge->ofproto->dirty_tunnels |= port->kind != OF_PORT_DEVICE;
        port_free(port);
    }
}

void bridge_bundle_set(struct bridge *bridge, const char *name, const struct port_settings *settings)
{
    struct bundle *bundle = bridge_bundle_find(bridge, name);
    if (!bundle) {
        bundle = xzalloc(sizeof *bundle);
        bundle->name = xstrdup(name);
        hmap_insert(&bridge->bundles, &bundle->node, hash_string(name, 0));
    } else {
        smap_fini(&bundle->settings.other_config);
    }
    bundle->settings = *settings;
    smap_clone(&bundle->settings.other_config, &settings->other_config);
    bridge->dirty = true;
}

void bridge_bundle_del(struct bridge *bridge, const char *name)
{
    struct bundle *bundle = bridge_bundle_find(bridge, name);
    if (bundle) {
        hmap_remove(&bridge->bundles, &bundle->node);
        smap_fini(&bundle->settings.other_config);
        free(bundle->name);
        free(bundle);
        bridge->dirty = true;
    }
}

bool bridge_port_stats(struct bridge *bridge, const char *name, struct ofp_port_stats *stats)
{
    struct of_port *port = bridge_port_find(bridge, name);
    if (!port || !port->credit) {
        return false;
    }
    memset(stats, 0, sizeof *stats);
    stats->port_no = port->phy.port_no;
    fill_credit_stats(port, stats);
    return true;
}

uint32_t bridge_port_config(struct bridge *bridge, const char *name)
{
    struct of_port *port = bridge_port_find(bridge, name);
    return port ? port->phy.config : 0;
}

/* ---- Controllers ---- */

struct error *bridge_set_controllers(struct bridge *bridge, const struct controller_settings *settings, size_t n)
{
    struct controller_target *targets = xcalloc(n + 1, sizeof *targets);
    for (size_t i = 0; i < n; i++) {
        targets[i] = (struct controller_target) {
            .target = settings[i].target, .max_backoff_ms = settings[i].max_backoff_ms,
            .probe_ms = settings[i].inactivity_probe_ms, .rate_limit = settings[i].rate_limit,
            .burst_limit = settings[i].burst_limit,
        };
    }
    struct error *e = connections_set(bridge->connections, targets, n);
    free(targets);
    return e;
}

struct status_adapter {
    void (*each)(const struct controller_status *, void *arg);
    void *arg;
};

static void adapt_status(const struct connection_status *from, void *adapter_)
{
    struct status_adapter *adapter = adapter_;
    int64_t now = clock_ms();
    struct controller_status to = {
        .target = from->target, .is_connected = from->is_connected,
        .role = from->role == OFPROLE_MASTER ? "master" : from->role == OFPROLE_SLAVE ? "slave" : "other",
        .last_error = from->last_error, .state = from->state,
        .sec_since_connect = from->connected_ms ? (now - from->connected_ms) / 1000 : -1,
        .sec_since_disconnect = from->disconnected_ms ? (now - from->disconnected_ms) / 1000 : -1,
    };
    adapter->each(&to, adapter->arg);
}

void bridge_get_controllers(struct bridge *bridge, void (*each)(const struct controller_status *, void *arg), void *arg)
{
    struct status_adapter adapter = { each, arg };
    connections_each_status(bridge->connections, adapt_status, &adapter);
}
