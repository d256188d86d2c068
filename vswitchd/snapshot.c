/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the configuration out of the replica, parsed and checked. */
#include "vswitchd/snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "db/client.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "spec/db.h"

enum { VNI_MAX = 0xffffff, DEFAULT_VXLAN_PORT = 4789, NAME_MAX_LEN = 15 };

static void warn(char **warning, const char *format, ...) PRINTF_LIKE(2, 3);
static void warn(char **warning, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *new = xvasprintf(format, args);
    va_end(args);
    if (*warning) {
        char *both = xasprintf("%s; %s", *warning, new);
        free(*warning);
        free(new);
        new = both;
    }
    *warning = new;
}

/* ---- Interfaces ---- */

static bool parse_key_option(struct interface_snapshot *s, const char *name, const char *value, struct tunnel_settings *t)
{
    if (!strcmp(value, "flow")) {
        t->key_flow = true;
        return true;
    }
    uint64_t key;
    if (!parse_uint(value, 0, VNI_MAX, &key)) {
        s->error = xasprintf("options:%s \"%s\" is out of range, a VNI is 0 to %d or \"flow\"", name, value, VNI_MAX);
        return false;
    }
    t->has_key = true;
    t->key = key;
    return true;
}

static bool parse_address(struct interface_snapshot *s, const char *name, const char *value, struct in6_addr *ip,
                          bool *flow)
{
    if (!strcmp(value, "flow")) {
        *flow = true;
        return true;
    }
    if (!parse_ip(value, ip)) {
        s->error = xasprintf("options:%s \"%s\" is not an IPv4 or IPv6 address, nor \"flow\"", name, value);
        return false;
    }
    return true;
}

static bool parse_byte_option(struct interface_snapshot *s, const struct smap *options, const char *name, unsigned min,
                              uint8_t *out, bool *inherit)
{
    const char *value = smap_get(options, name);
    uint64_t n;
    if (!value) {
        return true;
    }
    if (!strcmp(value, "inherit")) {
        *inherit = true;
        return true;
    }
    if (!parse_uint(value, min, 255, &n)) {
        s->error = xasprintf("options:%s \"%s\" is out of range, it is %u to 255 or \"inherit\"", name, value, min);
        return false;
    }
    *out = n;
    return true;
}

static bool take_vxlan(struct interface_snapshot *s, const struct smap *options)
{
    struct tunnel_settings *t = &s->tunnel;
    const char *remote = smap_get(options, "remote_ip"), *local = smap_get(options, "local_ip");
    const char *in_key = smap_get(options, "in_key"), *out_key = smap_get(options, "out_key");
    const char *key = smap_get(options, "key");
    if (!remote) {
        s->error = xstrdup("options:remote_ip is missing: an IPv4 or IPv6 address, or \"flow\"");
        return false;
    }
    if ((in_key || out_key) && (!in_key || !out_key || strcmp(in_key, out_key))) {
        s->error = xstrdup("options:in_key and options:out_key differ; VXLAN has one VNI for both directions");
        return false;
    }
    key = key ? key : in_key;
    if (!parse_address(s, "remote_ip", remote, &t->remote, &t->remote_flow)
        || (local && !parse_address(s, "local_ip", local, &t->local, &t->local_flow))
        || (key && !parse_key_option(s, smap_get(options, "key") ? "key" : "in_key", key, t))
        || !parse_byte_option(s, options, "tos", 0, &t->tos, &t->tos_inherit)
        || !parse_byte_option(s, options, "ttl", 1, &t->ttl, &t->ttl_inherit)) {
        return false;
    }
    bool multicast = ip6_is_v4mapped(&t->remote) ? IN_MULTICAST(be32toh(ip6_to_ip4(&t->remote)))
                                                 : IN6_IS_ADDR_MULTICAST(&t->remote);
    if (!t->remote_flow && multicast) {
        s->error = xasprintf("options:remote_ip \"%s\" is a multicast address; give the address of one peer", remote);
        return false;
    }
    if (local && !t->local_flow && !t->remote_flow && ip6_is_v4mapped(&t->local) != ip6_is_v4mapped(&t->remote)) {
        s->error = xasprintf("options:local_ip \"%s\" and options:remote_ip \"%s\" are of different families", local, remote);
        return false;
    }
    if (t->local_flow && !t->remote_flow) {
        s->error = xstrdup("options:local_ip=flow needs options:remote_ip=flow");
        return false;
    }
    const char *dst_port = smap_get(options, "dst_port");
    uint64_t port = DEFAULT_VXLAN_PORT;
    if (dst_port && !parse_uint(dst_port, 1, 65535, &port)) {
        s->error = xasprintf("options:dst_port \"%s\" is out of range, a UDP port is 1 to 65535", dst_port);
        return false;
    }
    t->df = keys_bool("Interface", "options", options, "df_default");
    t->mss_clamp = keys_bool("Interface", "options", options, "mss_clamp");
    t->has_csum = smap_get(options, "csum") != NULL;
    t->csum = keys_bool("Interface", "options", options, "csum");

    s->kind = OF_PORT_TUNNEL;
    free(s->dp.name);
    s->dp.name = xasprintf("vxlan_sys_%llu", (unsigned long long) port);
    free(s->dp.type);
    s->dp.type = xstrdup("vxlan");
    smap_set_format(&s->dp.options, "dst_port", "%llu", (unsigned long long) port);
    return true;
}

static bool take_device(struct interface_snapshot *s, const struct db_interface *row)
{
    if (strlen(s->name) > NAME_MAX_LEN) {
        s->error = xasprintf("the name is %zu characters long, a device's name has at most %d", strlen(s->name), NAME_MAX_LEN);
        return false;
    }
    smap_fini(&s->dp.options);
    smap_clone(&s->dp.options, &row->options);
    if (row->mac && !parse_eth_addr(row->mac, &s->dp.mac)) {
        warn(&s->warning, "mac \"%s\" is not an Ethernet address", row->mac);
    }
    if (eth_addr_is_multicast(s->dp.mac)) {
        warn(&s->warning, "mac \"%s\" is a multicast address; not used", row->mac);
        s->dp.mac = (struct eth_addr) { { 0 } };
    }
    if (row->has_mtu_request) {
        if (row->mtu_request < 68 || row->mtu_request > 65535) {
            warn(&s->warning, "mtu_request %lld is out of range, it is 68 to 65535", (long long) row->mtu_request);
        } else {
            s->dp.mtu = row->mtu_request;
        }
    }
    return true;
}

static const char *const known_types[] = { "system", "internal", "tap", "patch", "vxlan", "dummy", "dummy-internal", "null",
                                           "dummy-pmd", NULL };

static void take_by_type(struct interface_snapshot *s, const struct db_interface *row, const char *type)
{
    if (!strcmp(type, "patch")) {
        s->kind = OF_PORT_PATCH;
        s->peer = xstrdup_or_null(smap_get(&row->options, "peer"));
        if (!s->peer || !*s->peer) {
            s->error = xstrdup("options:peer is missing: the name of the patch port at the other end");
        } else if (!strcmp(s->peer, s->name)) {
            s->error = xstrdup("options:peer is the port itself; it names the patch port at the other end");
        }
    } else if (!strcmp(type, "vxlan")) {
        take_vxlan(s, &row->options);
    } else {
        const char *near = NULL;
        for (size_t i = 0; known_types[i]; i++) {
            if (!strcmp(known_types[i], type)) {
                take_device(s, row);
                return;
            }
        }
        near = string_nearest(type, known_types);
        s->error = xasprintf("type \"%s\" is not known%s%s%s; the types are system, internal, tap, patch, vxlan, dummy and null",
                             type, near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

static void take_interface(struct interface_snapshot *s, const struct db_interface *row, const struct db_bridge *bridge)
{
    s->uuid = row->row.uuid;
    s->name = xstrdup(row->name);
    s->type = xstrdup(row->type);
    s->is_local = !strcmp(row->name, bridge->name);
    s->kind = OF_PORT_DEVICE;
    s->request = OFPP_NONE;
    const char *type = s->is_local ? "internal" : *row->type ? row->type : "system";
    dp_port_config_init(&s->dp);
    s->dp.name = xstrdup(row->name);
    s->dp.type = xstrdup(type);
    s->dp.port_no = DP_PORT_NONE;
    s->dp.worker = DP_PORT_NONE;
    s->dp.admin_up = -1;
    keys_check("Interface", "options", type, &row->options, &s->warning);
    keys_check("Interface", "other_config", NULL, &row->other_config, &s->warning);
    take_by_type(s, row, type);
    if (s->is_local) {
        s->request = OFPP_LOCAL;
    } else if (row->has_ofport_request) {
        if (row->ofport_request >= 1 && row->ofport_request <= OFPP_LAST_USABLE) {
            s->request = row->ofport_request;
        } else {
            warn(&s->warning, "ofport_request %lld is out of range, it is 1 to %u", (long long) row->ofport_request,
                 OFPP_LAST_USABLE);
        }
    }
}

static void interface_fini(struct interface_snapshot *s)
{
    free(s->name);
    free(s->type);
    free(s->peer);
    free(s->error);
    free(s->warning);
    dp_port_config_fini(&s->dp);
}

/* ---- Ports ---- */

static void put_vlans(uint64_t bits[64], bool *has, const int64_t *vlans, size_t n)
{
    *has = n > 0;
    for (size_t i = 0; i < n; i++) {
        bits[vlans[i] / 64 & 63] |= UINT64_C(1) << (vlans[i] % 64);
    }
}

static void take_port(struct port_snapshot *s, const struct db_port *row, const struct db_bridge *bridge)
{
    s->uuid = row->row.uuid;
    s->name = xstrdup(row->name);
    struct port_settings *p = &s->settings;
    smap_clone(&p->other_config, &row->other_config);
    keys_check("Port", "other_config", NULL, &row->other_config, &s->warning);
    p->tag = row->has_tag ? row->tag : -1;
    put_vlans(p->trunks, &p->has_trunks, row->trunks, row->n_trunks);
    put_vlans(p->cvlans, &p->has_cvlans, row->cvlans, row->n_cvlans);
    p->protected_ = row->protected;
    static const struct { const char *name; enum vlan_mode mode; } modes[] = {
        { "access", VLAN_ACCESS }, { "trunk", VLAN_TRUNK }, { "native-tagged", VLAN_NATIVE_TAGGED },
        { "native-untagged", VLAN_NATIVE_UNTAGGED }, { "dot1q-tunnel", VLAN_DOT1Q_TUNNEL },
    };
    /* Without a mode a tag makes an access port, and its absence a trunk. */
    p->vlan_mode = row->has_tag ? VLAN_ACCESS : VLAN_TRUNK;
    for (size_t i = 0; row->vlan_mode && i < ARRAY_SIZE(modes); i++) {
        if (!strcmp(row->vlan_mode, modes[i].name)) {
            p->vlan_mode = modes[i].mode;
        }
    }
    const char *qinq = keys_string("Port", "other_config", &row->other_config, "qinq-ethtype");
    p->qinq_ethtype = !strcmp(qinq, "802.1q") ? 0x8100 : 0x88a8;
    const char *priority_tags = keys_string("Port", "other_config", &row->other_config, "priority-tags");
    p->priority_tags = !strcmp(priority_tags, "always") ? 2 : !strcmp(priority_tags, "if-nonzero");
    s->interfaces = xcalloc(row->n_interfaces + 1, sizeof *s->interfaces);
    for (size_t i = 0; i < row->n_interfaces; i++) {
        take_interface(&s->interfaces[s->n_interfaces++], row->interfaces[i], bridge);
    }
}

static void port_fini(struct port_snapshot *s)
{
    for (size_t i = 0; i < s->n_interfaces; i++) {
        interface_fini(&s->interfaces[i]);
    }
    free(s->interfaces);
    free(s->name);
    free(s->warning);
    smap_fini(&s->settings.other_config);
}

/* ---- Bridges ---- */

/* An address that stays the same for the life of the row, so that the datapath id does too. */
static struct eth_addr stable_mac(const struct uuid *uuid)
{
    uint32_t a = uuid->parts[0], b = uuid->parts[3];
    return (struct eth_addr) { { 0x02, a >> 16, a >> 8, a, b >> 8, b } };
}

static uint64_t mac_to_u64(struct eth_addr m)
{
    return (uint64_t) m.b[0] << 40 | (uint64_t) m.b[1] << 32 | (uint64_t) m.b[2] << 24 | (uint64_t) m.b[3] << 16
           | (uint64_t) m.b[4] << 8 | m.b[5];
}

static void take_identity(struct bridge_snapshot *s, const struct db_bridge *row)
{
    const char *hwaddr = smap_get(&row->other_config, "hwaddr");
    const char *dpid = smap_get(&row->other_config, "datapath-id");
    s->settings.mac = stable_mac(&row->row.uuid);
    struct eth_addr mac;
    if (hwaddr && parse_eth_addr(hwaddr, &mac) && !eth_addr_is_multicast(mac) && !eth_addr_is_zero(mac)) {
        s->settings.mac = mac;
    } else if (hwaddr) {
        warn(&s->warning, "other_config:hwaddr=\"%s\" is not the address of a station", hwaddr);
    }
    s->settings.datapath_id = mac_to_u64(s->settings.mac);
    if (dpid) {
        char *hex = !strncmp(dpid, "0x", 2) ? xstrdup(dpid) : xasprintf("0x%s", dpid);
        uint64_t id;
        if (strlen(hex) <= 18 && parse_u64(hex, &id) && id) {
            s->settings.datapath_id = id;
        } else {
            warn(&s->warning, "other_config:datapath-id=\"%s\" is not a number of at most 16 hex digits", dpid);
        }
        free(hex);
    }
}

static void put_desc(char *to, size_t size, const char *value)
{
    strncpy(to, value, size - 1);
    to[size - 1] = '\0';
}

static void take_desc(struct bridge_snapshot *s, const struct smap *config)
{
    struct ofp_desc *d = &s->settings.desc;
    put_desc(d->mfr, sizeof d->mfr, smap_get_def(config, "mfr-desc", "Nicira, Inc."));
    put_desc(d->hw, sizeof d->hw, smap_get_def(config, "hw-desc", "Open vSwitch"));
    put_desc(d->sw, sizeof d->sw, smap_get_def(config, "sw-desc", COMPAT_VERSION));
    put_desc(d->serial, sizeof d->serial, smap_get_def(config, "serial-desc", smap_get_def(config, "dp-sn", "None")));
    put_desc(d->dp, sizeof d->dp, smap_get_def(config, "dp-desc", s->name));
}

static void take_protocols(struct bridge_snapshot *s, const struct db_bridge *row)
{
    for (size_t i = 0; i < row->n_protocols; i++) {
        uint32_t bits = 0;
        struct error *e = ofp_versions_parse(row->protocols[i], &bits);
        if (e) {
            warn(&s->warning, "protocols: %s", error_text(e));
            error_free(e);
        }
        s->settings.versions |= bits;
    }
    if (row->n_protocols && !(s->settings.versions & OFP_SUPPORTED)) {
        warn(&s->warning, "protocols names no version that is spoken; OpenFlow10, OpenFlow13, OpenFlow14 and OpenFlow15 are");
    }
}

static void take_controllers(struct bridge_snapshot *s, const struct db_bridge *row)
{
    s->controllers = xcalloc(row->n_controller + 1, sizeof *s->controllers);
    s->controller_uuids = xcalloc(row->n_controller + 1, sizeof *s->controller_uuids);
    for (size_t i = 0; i < row->n_controller; i++) {
        const struct db_controller *c = row->controller[i];
        s->controller_uuids[s->n_controllers] = c->row.uuid;
        s->controllers[s->n_controllers++] = (struct controller_settings) {
            .target = xstrdup(c->target),
            .max_backoff_ms = c->has_max_backoff ? c->max_backoff : 8000,
            .inactivity_probe_ms = c->has_inactivity_probe ? c->inactivity_probe : 5000,
            .rate_limit = c->has_controller_rate_limit ? c->controller_rate_limit : 0,
            .burst_limit = c->has_controller_burst_limit ? c->controller_burst_limit : 0,
            .is_service = c->target[0] == 'p',
        };
    }
}

static void take_bridge(struct bridge_snapshot *s, const struct db_bridge *row)
{
    s->uuid = row->row.uuid;
    s->name = xstrdup(row->name);
    struct bridge_settings *b = &s->settings;
    smap_clone(&b->other_config, &row->other_config);
    keys_check("Bridge", "other_config", NULL, &row->other_config, &s->warning);
    take_identity(s, row);
    take_desc(s, &row->other_config);
    take_protocols(s, row);
    b->fail_mode = row->fail_mode && !strcmp(row->fail_mode, "secure") ? FAIL_SECURE : FAIL_STANDALONE;
    b->mac_idle_s = keys_int("Bridge", "other_config", &row->other_config, "mac-aging-time");
    b->mac_max = keys_int("Bridge", "other_config", &row->other_config, "mac-table-size");
    b->forward_bpdu = keys_bool("Bridge", "other_config", &row->other_config, "forward-bpdu");
    b->disable_in_band = true;
    if (strchr(s->name, '/')) {
        s->error = xasprintf("a bridge's name has no \"/\", it is part of file names: \"%s\"", s->name);
    }
    if (*row->datapath_type && strcmp(row->datapath_type, "system") && strcmp(row->datapath_type, "netdev")
        && strcmp(row->datapath_type, "dummy")) {
        warn(&s->warning, "datapath_type \"%s\" is not known; \"\", \"system\" and \"netdev\" are the same one here",
             row->datapath_type);
    }
    take_controllers(s, row);
    s->ports = xcalloc(row->n_ports + 1, sizeof *s->ports);
    for (size_t i = 0; i < row->n_ports; i++) {
        take_port(&s->ports[s->n_ports++], row->ports[i], row);
        struct port_snapshot *p = &s->ports[s->n_ports - 1];
        for (size_t j = 0; j < p->n_interfaces; j++) {
            if (p->interfaces[j].is_local) {
                p->interfaces[j].dp.mac = s->settings.mac;
            }
        }
    }
}

static void bridge_fini(struct bridge_snapshot *s)
{
    for (size_t i = 0; i < s->n_ports; i++) {
        port_fini(&s->ports[i]);
    }
    for (size_t i = 0; i < s->n_controllers; i++) {
        free(s->controllers[i].target);
    }
    free(s->ports);
    free(s->controllers);
    free(s->controller_uuids);
    free(s->name);
    free(s->error);
    free(s->warning);
    smap_fini(&s->settings.other_config);
}

/* ---- The whole ---- */

static void take_global(struct snapshot *s, const struct db_open_vswitch *row)
{
    const struct smap *config = &row->other_config;
    s->exists = true;
    s->next_cfg = row->next_cfg;
    keys_check("Open_vSwitch", "other_config", NULL, config, &s->warning);
    s->dp.n_workers = keys_int("Open_vSwitch", "other_config", config, "n-workers");
    s->dp.flow_limit = keys_int("Open_vSwitch", "other_config", config, "flow-limit");
    s->ofproto.flow_limit = s->dp.flow_limit;
    s->ofproto.max_idle_ms = keys_int("Open_vSwitch", "other_config", config, "max-idle");
    s->flow_restore_wait = keys_bool("Open_vSwitch", "other_config", config, "flow-restore-wait");
    s->stats_interval_ms = keys_int("Open_vSwitch", "other_config", config, "stats-update-interval");
    const char *mask = smap_get(config, "pmd-cpu-mask");
    if (mask) {
        char *hex = strncmp(mask, "0x", 2) ? xasprintf("0x%s", mask) : xstrdup(mask);
        if (parse_u64(hex, &s->dp.cpu_mask) && s->dp.cpu_mask) {
            if (!smap_get(config, "n-workers")) {
                s->dp.n_workers = __builtin_popcountll(s->dp.cpu_mask);
            }
        } else {
            warn(&s->warning, "other_config:pmd-cpu-mask=\"%s\" is not a hex mask of CPUs", mask);
        }
        free(hex);
    }
}

struct snapshot *snapshot_take(struct db_client *db)
{
    struct snapshot *s = xzalloc(sizeof *s);
    const struct db_open_vswitch *row = db_open_vswitch_first(db);
    if (!row) {
        /* Before "init": no bridges, everything at its default. */
        s->dp.n_workers = 1;
        s->dp.flow_limit = s->ofproto.flow_limit = DP_MAX_FLOWS;
        s->ofproto.max_idle_ms = 10000;
        s->stats_interval_ms = 5000;
        return s;
    }
    take_global(s, row);
    s->bridges = xcalloc(row->n_bridges + 1, sizeof *s->bridges);
    for (size_t i = 0; i < row->n_bridges; i++) {
        take_bridge(&s->bridges[s->n_bridges++], row->bridges[i]);
    }
    return s;
}

void snapshot_free(struct snapshot *s)
{
    if (s) {
        for (size_t i = 0; i < s->n_bridges; i++) {
            bridge_fini(&s->bridges[i]);
        }
        free(s->bridges);
        free(s->warning);
        free(s);
    }
}
