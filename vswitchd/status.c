/* SPDX-License-Identifier: Apache-2.0 */
/* Writes into the database how things are: what came of a configuration, states, statistics. */
#include <stdio.h>
#include <stdlib.h>

#include "db/client.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "lib/sys/log.h"
#include "spec/db.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(status);

void vswitch_monitor(struct db_client *db)
{
    static const struct dbc_table *const tables[] = {
        &db_open_vswitch_table, &db_bridge_table, &db_port_table, &db_interface_table, &db_controller_table,
        &db_datapath_table,
    };
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        db_client_monitor(db, tables[i]);
    }
    /* What we write ourselves must not wake us. */
    static const struct dbc_column *quiet[] = {
        &db_open_vswitch_col_cur_cfg, &db_open_vswitch_col_statistics, &db_open_vswitch_col_ovs_version,
        &db_open_vswitch_col_db_version, &db_open_vswitch_col_datapath_types, &db_open_vswitch_col_iface_types,
        &db_open_vswitch_col_system_type, &db_open_vswitch_col_system_version,
        &db_bridge_col_datapath_id, &db_bridge_col_datapath_version, &db_bridge_col_status,
        &db_port_col_status, &db_port_col_statistics,
        &db_interface_col_statistics, &db_interface_col_status, &db_interface_col_ofport, &db_interface_col_error,
        &db_interface_col_mac_in_use, &db_interface_col_ifindex, &db_interface_col_admin_state,
        &db_interface_col_link_state, &db_interface_col_link_resets, &db_interface_col_link_speed,
        &db_interface_col_duplex, &db_interface_col_mtu,
        &db_controller_col_is_connected, &db_controller_col_role, &db_controller_col_status,
        &db_datapath_col_capabilities, &db_datapath_col_datapath_version,
    };
    for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
        db_client_quiet(db, quiet[i]);
    }
}

/* ---- Interfaces ---- */

static void clear_device_state(struct dbc_txn *txn, const struct db_interface *row)
{
    db_interface_clear_mac_in_use(txn, row);
    db_interface_clear_ifindex(txn, row);
    db_interface_clear_admin_state(txn, row);
    db_interface_clear_link_state(txn, row);
    db_interface_clear_link_resets(txn, row);
    db_interface_clear_link_speed(txn, row);
    db_interface_clear_duplex(txn, row);
    db_interface_clear_mtu(txn, row);
}

static void write_mac(struct dbc_txn *txn, const struct db_interface *row, struct eth_addr mac)
{
    char text[20];
    snprintf(text, sizeof text, ETH_FMT, ETH_ARGS(mac));
    db_interface_set_mac_in_use(txn, row, text);
}

static void write_device_state(struct dbc_txn *txn, const struct db_interface *row, const struct dp_port_state *state)
{
    write_mac(txn, row, state->mac);
    db_interface_set_ifindex(txn, row, state->ifindex);
    db_interface_set_admin_state(txn, row, state->admin_up ? "up" : "down");
    db_interface_set_link_state(txn, row, state->link_up ? "up" : "down");
    db_interface_set_link_resets(txn, row, state->link_resets);
    db_interface_set_mtu(txn, row, state->mtu);
    if (state->link_speed_bps > 0) {
        db_interface_set_link_speed(txn, row, state->link_speed_bps);
        db_interface_set_duplex(txn, row, state->full_duplex ? "full" : "half");
    } else {
        db_interface_clear_link_speed(txn, row);
        db_interface_clear_duplex(txn, row);
    }
}

static void put_tunnel_status(struct vswitch *vs, const struct interface_snapshot *s, struct smap *status)
{
    const struct tunnel_settings *t = &s->tunnel;
    if (t->remote_flow) {
        return;
    }
    struct route_memo *r = &vs->route;
    if (!r->valid || memcmp(&r->remote, &t->remote, sizeof r->remote)) {
        struct in6_addr gateway;
        struct error *e = dp_route_lookup(vs->dp, &t->remote, r->ifname, &r->source, &gateway, &r->mtu);
        r->valid = true;
        r->remote = t->remote;
        r->found = !e;
        error_free(e);
    }
    if (!r->found) {
        smap_set(status, "tunnel_egress_iface", "none");
        return;
    }
    struct text ip = TEXT_INIT;
    text_put_ip(&ip, &r->source);
    smap_set(status, "tunnel_egress_iface", r->ifname);
    smap_set(status, "local_ip", text_str(&ip));
    smap_set_format(status, "path_mtu", "%u", r->mtu);
    text_fini(&ip);
}

static void write_interface(struct vswitch *vs, struct dbc_txn *txn, const struct db_interface *row,
                            const struct interface_snapshot *s)
{
    const struct interface_result *r = vswitch_result(vs, s->name);
    const struct dp_port *p = s->kind == OF_PORT_PATCH ? NULL : dp_ports_find(&vs->dp_ports, s->dp.name);
    struct smap status = SMAP_INIT;
    const char *error = r->error;

    if (s->kind == OF_PORT_DEVICE && p && p->state.attached) {
        write_device_state(txn, row, &p->state);
        smap_set(&status, "driver_name", p->state.driver);
    } else if (s->kind != OF_PORT_DEVICE && !error) {
        struct of_port_settings o;
        vswitch_fill_of_port(vs, &(struct port_snapshot) { .name = s->name }, s, &o);
        clear_device_state(txn, row);
        write_mac(txn, row, o.mac);
        db_interface_set_admin_state(txn, row, "up");
        db_interface_set_link_state(txn, row, "up");
        if (s->kind == OF_PORT_TUNNEL) {
            put_tunnel_status(vs, s, &status);
        }
    } else {
        clear_device_state(txn, row);
        if (!error && p && *p->state.error) {
            error = p->state.error;
        }
    }
    if (s->warning) {
        smap_set(&status, "config_warning", s->warning);
    }
    db_interface_set_status(txn, row, &status);
    smap_fini(&status);

    if (error) {
        db_interface_set_error(txn, row, error);
        db_interface_set_ofport(txn, row, -1);
    } else {
        db_interface_clear_error(txn, row);
        if (r->number != OFPP_NONE) {
            db_interface_set_ofport(txn, row, r->number == OFPP_LOCAL ? 65534 : r->number);
        }
    }
}

/* ---- Bridges and controllers ---- */

struct controller_writer {
    struct vswitch *vs;
    struct dbc_txn *txn;
    const struct bridge_snapshot *bridge;
};

static void write_controller(const struct controller_status *status, void *writer_)
{
    struct controller_writer *w = writer_;
    for (size_t i = 0; i < w->bridge->n_controllers; i++) {
        if (strcmp(w->bridge->controllers[i].target, status->target)) {
            continue;
        }
        const struct db_controller *row = db_controller_get(w->vs->db, &w->bridge->controller_uuids[i]);
        if (!row) {
            continue;
        }
        struct smap map = SMAP_INIT;
        smap_set(&map, "state", status->state);
        if (status->last_error) {
            smap_set(&map, "last_error", status->last_error);
        }
        if (status->sec_since_connect >= 0) {
            smap_set_format(&map, "sec_since_connect", "%d", status->sec_since_connect);
        }
        if (status->sec_since_disconnect >= 0) {
            smap_set_format(&map, "sec_since_disconnect", "%d", status->sec_since_disconnect);
        }
        db_controller_set_is_connected(w->txn, row, status->is_connected);
        db_controller_set_role(w->txn, row, status->role);
        db_controller_set_status(w->txn, row, &map);
        smap_fini(&map);
    }
}

static void write_bridge(struct vswitch *vs, struct dbc_txn *txn, const struct db_bridge *row, struct bridge_snapshot *b)
{
    char id[20];
    snprintf(id, sizeof id, "%016llx", (unsigned long long) b->settings.datapath_id);
    db_bridge_set_datapath_id(txn, row, id);
    db_bridge_set_datapath_version(txn, row, "<built-in>");
    struct smap status = SMAP_INIT;
    if (b->error) {
        smap_set(&status, "error", b->error);
    }
    if (b->warning) {
        smap_set(&status, "config_warning", b->warning);
    }
    db_bridge_set_status(txn, row, &status);
    smap_fini(&status);

    for (size_t j = 0; j < b->n_ports; j++) {
        struct port_snapshot *p = &b->ports[j];
        const struct db_port *port_row = db_port_get(vs->db, &p->uuid);
        if (port_row) {
            struct smap port_status = SMAP_INIT;
            if (p->warning) {
                smap_set(&port_status, "config_warning", p->warning);
            }
            db_port_set_status(txn, port_row, &port_status);
            smap_fini(&port_status);
        }
        for (size_t k = 0; k < p->n_interfaces; k++) {
            const struct db_interface *interface = db_interface_get(vs->db, &p->interfaces[k].uuid);
            if (interface) {
                write_interface(vs, txn, interface, &p->interfaces[k]);
            }
        }
    }
    struct bridge *bridge = vswitch_bridge(vs, b->name);
    if (bridge) {
        struct controller_writer w = { vs, txn, b };
        bridge_get_controllers(bridge, write_controller, &w);
    }
}

/* ---- The switch as a whole ---- */

static void write_global(struct vswitch *vs, struct dbc_txn *txn, const struct db_open_vswitch *row)
{
    static const char *const datapath_types[] = { "netdev", "system" };
    static const char *const iface_types[] = { "dummy", "dummy-internal", "internal", "null", "patch", "system", "tap", "vxlan" };
    db_open_vswitch_set_ovs_version(txn, row, COMPAT_VERSION);
    db_open_vswitch_set_db_version(txn, row, "8.8.0");
    db_open_vswitch_set_datapath_types(txn, row, datapath_types, ARRAY_SIZE(datapath_types));
    db_open_vswitch_set_iface_types(txn, row, iface_types, ARRAY_SIZE(iface_types));
    if (vs->current->warning) {
        LOG_WARN("Open_vSwitch: %s", vs->current->warning);
        free(vs->current->warning);   /* Said once for each configuration: the table has no status column. */
        vs->current->warning = NULL;
    }
    if (vs->applied_cfg >= 0) {
        db_open_vswitch_set_cur_cfg(txn, row, vs->applied_cfg);
    }
}

static void written(struct dbc_txn *txn, enum dbc_txn_status status, void *vs_)
{
    struct vswitch *vs = vs_;
    if (status == DB_TXN_ERROR) {
        LOG_WARN("database: the status was refused: %s", dbc_txn_error(txn));
    } else if (status == DB_TXN_TRY_AGAIN) {
        vs->status_dirty = true;
        loop_timer_after_ms(&vs->status_timer, 100);
    }
}

static void commit(struct vswitch *vs, struct dbc_txn *txn)
{
    enum dbc_txn_status status = dbc_txn_commit(txn, written, vs);
    if (status == DB_TXN_TRY_AGAIN) {
        vs->status_dirty = true;
        loop_timer_after_ms(&vs->status_timer, 100);
    }
}

void vswitch_write_status(struct vswitch *vs)
{
    const struct db_open_vswitch *row = db_open_vswitch_first(vs->db);
    vs->status_dirty = false;
    vs->route.valid = false;
    if (!row || !vs->current) {
        return;
    }
    struct dbc_txn *txn = dbc_txn_create(vs->db);
    for (size_t i = 0; i < vs->current->n_bridges; i++) {
        struct bridge_snapshot *b = &vs->current->bridges[i];
        const struct db_bridge *bridge = db_bridge_get(vs->db, &b->uuid);
        if (bridge) {
            write_bridge(vs, txn, bridge, b);
        }
    }
    write_global(vs, txn, row);
    commit(vs, txn);
}

/* ---- Statistics ---- */

static void write_interface_stats(struct vswitch *vs, struct dbc_txn *txn, const struct db_interface *row,
                                  const struct interface_snapshot *s, struct bridge *bridge)
{
    static const char *const keys[] = {
        "collisions", "rx_bytes", "rx_crc_err", "rx_dropped", "rx_errors", "rx_frame_err", "rx_missed_errors", "rx_over_err",
        "rx_packets", "tx_bytes", "tx_dropped", "tx_errors", "tx_packets",
    };
    struct ofp_port_stats of;
    struct dp_port_stats dp = { 0 };
    if (bridge && bridge_port_stats(bridge, s->name, &of)) {
        dp.rx_packets = of.rx_packets;
        dp.rx_bytes = of.rx_bytes;
        dp.tx_packets = of.tx_packets;
        dp.tx_bytes = of.tx_bytes;
    } else {
        const struct dp_port *p = dp_ports_find(&vs->dp_ports, s->dp.name);
        struct error *e = p ? dp_port_get_stats(vs->dp, p->number, &dp) : NULL;
        if (!p || e) {
            error_free(e);
            return;
        }
    }
    const int64_t values[ARRAY_SIZE(keys)] = {
        dp.collisions, dp.rx_bytes, dp.rx_crc_err, dp.rx_dropped, dp.rx_errors, dp.rx_frame_err, dp.rx_missed_errors,
        dp.rx_over_err, dp.rx_packets, dp.tx_bytes, dp.tx_dropped, dp.tx_errors, dp.tx_packets,
    };
    db_interface_set_statistics(txn, row, keys, values, ARRAY_SIZE(keys));
}

void vswitch_write_stats(struct vswitch *vs)
{
    if (!vs->current || !db_client_is_connected(vs->db)) {
        return;
    }
    struct dbc_txn *txn = dbc_txn_create(vs->db);
    for (size_t i = 0; i < vs->current->n_bridges; i++) {
        struct bridge_snapshot *b = &vs->current->bridges[i];
        struct bridge *bridge = vswitch_bridge(vs, b->name);
        for (size_t j = 0; j < b->n_ports; j++) {
            for (size_t k = 0; k < b->ports[j].n_interfaces; k++) {
                struct interface_snapshot *s = &b->ports[j].interfaces[k];
                const struct db_interface *row = db_interface_get(vs->db, &s->uuid);
                if (row && !s->error) {
                    write_interface_stats(vs, txn, row, s, bridge);
                }
            }
        }
    }
    commit(vs, txn);
}

/* ---- Timers ---- */

static void status_due(void *vs_)
{
    struct vswitch *vs = vs_;
    if (vs->status_dirty && !vs->settling) {
        vswitch_write_status(vs);
    }
}

static void stats_due(void *vs_)
{
    struct vswitch *vs = vs_;
    vswitch_write_stats(vs);
    loop_timer_after_ms(&vs->stats_timer, vs->current ? vs->current->stats_interval_ms : 5000);
}

void vswitch_status_init(struct vswitch *vs)
{
    loop_timer_init(&vs->status_timer, vs->loop, status_due, vs);
    loop_timer_init(&vs->stats_timer, vs->loop, stats_due, vs);
    loop_timer_after_ms(&vs->stats_timer, 1000);
}
