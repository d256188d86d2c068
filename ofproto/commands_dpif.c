/* SPDX-License-Identifier: Apache-2.0 */
/* Control commands that show the datapath, in the shapes that users of ovs-appctl know. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "ofproto/commands.h"

static const char dp_name[] = "system@ovs-system";

/* ---- Names of datapath ports ---- */

struct dp_names {
    struct dp_port_state *states;
    size_t n;
};

static struct error *dp_names_read(struct ofproto *ofproto, struct dp_names *names)
{
    struct dp_port_config *configs;
    struct error *e = dp_port_dump(ofproto->options.dp, &names->states, &configs, &names->n);
    if (!e) {
        for (size_t i = 0; i < names->n; i++) {
            dp_port_config_fini(&configs[i]);
        }
        free(configs);
    }
    return e;
}

static const char *dp_port_name(uint32_t number, void *names_)
{
    const struct dp_names *names = names_;
    for (size_t i = 0; i < names->n; i++) {
        if (names->states[i].port_no == number) {
            return names->states[i].name;
        }
    }
    return NULL;
}

static int compare_states(const void *a_, const void *b_)
{
    const struct dp_port_state *a = a_, *b = b_;
    return a->port_no < b->port_no ? -1 : a->port_no > b->port_no;
}

/* ---- Ports ---- */

static void put_tunnel(struct text *t, const struct of_port *port)
{
    const struct tunnel_settings *s = &port->tunnel;
    text_printf(t, "(%s: ", port->tunnel_type ? port->tunnel_type : "tunnel");
    if (s->key_flow) {
        text_put(t, "key=flow, ");
    } else if (s->has_key) {
        text_printf(t, "key=%llu, ", (unsigned long long) s->key);
    }
    text_put(t, "remote_ip=");
    if (s->remote_flow) {
        text_put(t, "flow");
    } else {
        text_put_ip(t, &s->remote);
    }
    if (s->local_flow || !IN6_IS_ADDR_UNSPECIFIED(&s->local)) {
        text_put(t, ", local_ip=");
        if (s->local_flow) {
            text_put(t, "flow");
        } else {
            text_put_ip(t, &s->local);
        }
    }
    text_put(t, ")");
}

static int compare_ports(const void *a_, const void *b_)
{
    const struct of_port *const *a = a_, *const *b = b_;
    return strcmp((*a)->name, (*b)->name);
}

static void put_ports(struct text *t, const struct bridge *bridge, const struct dp_names *names)
{
    struct of_port **ports = xcalloc(hmap_count(&bridge->ports_by_name) + 1, sizeof *ports), *port;
    size_t n = 0;
    HMAP_FOR_EACH (port, by_name, &bridge->ports_by_name) {
        ports[n++] = port;
    }
    qsort(ports, n, sizeof *ports, compare_ports);
    for (size_t i = 0; i < n; i++) {
        port = ports[i];
        unsigned number = port->phy.port_no == OFPP_LOCAL ? 65534 : port->phy.port_no;
        text_printf(t, "    %s %u/", port->name, number);
        if (port->dp_port == DP_PORT_NONE) {
            text_put(t, "none: ");
        } else {
            text_printf(t, "%u: ", port->dp_port);
        }
        if (port->kind == OF_PORT_TUNNEL) {
            put_tunnel(t, port);
        } else if (port->kind == OF_PORT_PATCH) {
            text_printf(t, "(patch: peer=%s)", port->peer ? port->peer : "");
        } else {
            const char *type = "system";
            for (size_t j = 0; j < names->n; j++) {
                if (names->states[j].port_no == port->dp_port) {
                    type = names->states[j].type;
                }
            }
            text_printf(t, "(%s)", type);
        }
        text_put_char(t, '\n');
    }
    free(ports);
}

static json_t *bridge_json(const struct bridge *bridge)
{
    json_t *ports = json_array();
    struct of_port *port;
    HMAP_FOR_EACH (port, by_name, &bridge->ports_by_name) {
        json_array_append_new(ports, json_pack("{s:s, s:i, s:o}", "name", port->name, "ofport",
                                               port->phy.port_no == OFPP_LOCAL ? 65534 : (int) port->phy.port_no, "dp_port",
                                               port->dp_port == DP_PORT_NONE ? json_null() : json_integer(port->dp_port)));
    }
    return json_pack("{s:s, s:o}", "name", bridge->name, "ports", ports);
}

void dpif_show(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct dp_names names = { NULL, 0 };
    struct dp_stats stats;
    struct error *e = dp_get_stats(ofproto->options.dp, &stats);
    if (!e) {
        e = dp_names_read(ofproto, &names);
    }
    if (e) {
        control_reply_error_take(request, e);
        return;
    }
    struct bridge *bridge;
    if (control_wants_json(request)) {
        json_t *bridges = json_array();
        LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
            json_array_append_new(bridges, bridge_json(bridge));
        }
        control_reply_json(request, json_pack("{s:s, s:I, s:I, s:o}", "name", dp_name, "hit", (json_int_t) stats.n_hit,
                                              "missed", (json_int_t) stats.n_missed, "bridges", bridges));
    } else {
        struct text t = TEXT_INIT;
        text_printf(&t, "%s: hit:%llu missed:%llu\n", dp_name, (unsigned long long) stats.n_hit,
                    (unsigned long long) stats.n_missed);
        LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
            text_printf(&t, "  %s:\n", bridge->name);
            put_ports(&t, bridge, &names);
        }
        command_reply_text(request, &t);
    }
    free(names.states);
}

void dpif_dump_dps(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto UNUSED)
{
    if (control_wants_json(request)) {
        control_reply_json(request, json_pack("[s]", dp_name));
    } else {
        char *text = xasprintf("%s\n", dp_name);
        control_reply(request, text);
        free(text);
    }
}

void dpctl_show(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct dp_names names = { NULL, 0 };
    struct dp_stats s;
    struct error *e = dp_get_stats(ofproto->options.dp, &s);
    if (!e) {
        e = dp_names_read(ofproto, &names);
    }
    if (e) {
        control_reply_error_take(request, e);
        return;
    }
    qsort(names.states, names.n, sizeof *names.states, compare_states);
    uint64_t lookups = s.n_hit + s.n_missed;
    if (control_wants_json(request)) {
        json_t *ports = json_array();
        for (size_t i = 0; i < names.n; i++) {
            json_array_append_new(ports, json_pack("{s:i, s:s, s:s, s:b}", "number", names.states[i].port_no, "name",
                                                   names.states[i].name, "type", names.states[i].type, "attached",
                                                   names.states[i].attached));
        }
        uint64_t dropped = 0;
        for (size_t i = 0; i < DROP_N; i++) {
            dropped += s.drops[i];
        }
        json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "name", dp_name, "hit",
                                 (json_int_t) s.n_hit, "cache_hit", (json_int_t) s.n_cache_hit, "missed",
                                 (json_int_t) s.n_missed, "lost", (json_int_t) s.n_lost, "flows", (json_int_t) s.n_flows,
                                 "mask_probes", (json_int_t) s.n_mask_probes, "masks", s.n_masks, "ports", ports);
        json_t *accounting = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "received", (json_int_t) s.received, "made",
                                       (json_int_t) s.made, "sent", (json_int_t) s.sent, "consumed", (json_int_t) s.consumed,
                                       "dropped", (json_int_t) dropped, "pending", (json_int_t) s.n_pending);
        json_object_update_new(json, accounting);
        control_reply_json(request, json);
    } else {
        struct text t = TEXT_INIT;
        text_printf(&t, "%s:\n  lookups: hit:%llu missed:%llu lost:%llu\n  flows: %u\n"
                    "  masks: hit:%llu total:%u hit/pkt:%.2f\n  cache: hit:%llu hit-rate:%.2f%%\n", dp_name,
                    (unsigned long long) s.n_hit, (unsigned long long) s.n_missed, (unsigned long long) s.n_lost, s.n_flows,
                    (unsigned long long) s.n_mask_probes, s.n_masks, lookups ? (double) s.n_mask_probes / lookups : 0,
                    (unsigned long long) s.n_cache_hit, lookups ? 100.0 * s.n_cache_hit / lookups : 0);
        for (size_t i = 0; i < names.n; i++) {
            text_printf(&t, "  port %u: %s", names.states[i].port_no, names.states[i].name);
            if (strcmp(names.states[i].type, "system")) {
                text_printf(&t, " (%s)", names.states[i].type);
            }
            text_put(&t, names.states[i].attached ? "\n" : " (not attached)\n");
        }
        command_reply_text(request, &t);
    }
    free(names.states);
}

/* ---- Flows ---- */

struct flow_dump {
    struct dp_names names;
    const struct bridge *bridge;     /* NULL: all. */
    bool more, use_names;
    struct text text;
    json_t *json;
    int64_t now_ms;
};

static bool is_of_bridge(const struct bridge *bridge, uint32_t dp_port)
{
    struct of_port *port;
    HMAP_FOR_EACH (port, by_name, &bridge->ports_by_name) {
        if (port->dp_port == dp_port) {
            return true;
        }
    }
    return false;
}

static void put_tcp_flags(struct text *t, uint16_t flags)
{
    static const char names[] = "FSRP.UEC";
    for (int i = 0; names[i]; i++) {
        if (flags & 1u << i) {
            text_put_char(t, names[i]);
        }
    }
}

static void put_flow(const struct dp_flow *f, void *dump_)
{
    struct flow_dump *d = dump_;
    if (d->bridge && !is_of_bridge(d->bridge, f->key.meta.in_port)) {
        return;
    }
    port_name_fn *names = d->use_names ? dp_port_name : NULL;
    struct text key = TEXT_INIT, actions = TEXT_INIT;
    key_format(&f->key, &f->mask, names, &d->names, &key);
    action_list_format_for(&f->actions, &f->key, names, &d->names, &actions);
    if (d->json) {
        json_array_append_new(d->json, json_pack("{s:s, s:I, s:I, s:o, s:s, s:I}", "match", text_str(&key), "packets",
                                                 (json_int_t) f->counters.packets, "bytes", (json_int_t) f->counters.bytes,
                                                 "used_ms", f->counters.used_ms ? json_integer(d->now_ms - f->counters.used_ms)
                                                                                : json_null(),
                                                 "actions", text_str(&actions), "id", (json_int_t) f->id));
    } else {
        if (d->more) {
            text_printf(&d->text, "ufid:%08x-0000-0000-0000-0000%08x, ", (uint32_t) (f->id >> 32), (uint32_t) f->id);
        }
        text_printf(&d->text, "%s, packets:%llu, bytes:%llu, used:", text_str(&key), (unsigned long long) f->counters.packets,
                    (unsigned long long) f->counters.bytes);
        if (f->counters.used_ms) {
            text_printf(&d->text, "%.3fs", (double) (d->now_ms - f->counters.used_ms) / 1000);
        } else {
            text_put(&d->text, "never");
        }
        if (f->counters.tcp_flags) {
            text_put(&d->text, ", flags:");
            put_tcp_flags(&d->text, f->counters.tcp_flags);
        }
        text_printf(&d->text, ", actions:%s\n", text_str(&actions));
    }
    text_fini(&key);
    text_fini(&actions);
}

static void dump_flows(struct control_request *request, struct ofproto *ofproto, const struct bridge *bridge, bool more,
                       bool use_names)
{
    struct flow_dump d = {
        .bridge = bridge, .more = more, .use_names = use_names, .now_ms = clock_ms(),
        .json = control_wants_json(request) ? json_array() : NULL,
    };
    struct error *e = dp_names_read(ofproto, &d.names);
    if (!e) {
        e = dp_flow_dump(ofproto->options.dp, put_flow, &d);
    }
    if (e) {
        json_decref(d.json);
        text_fini(&d.text);
        control_reply_error_take(request, e);
    } else if (d.json) {
        text_fini(&d.text);
        control_reply_json(request, d.json);
    } else {
        command_reply_text(request, &d.text);
    }
    free(d.names.states);
}

void dpif_dump_flows(struct control_request *request, int argc, char *argv[], void *ofproto)
{
    bool more = false, names = false;
    for (int i = 1; i < argc - 1; i++) {
        more |= !strcmp(argv[i], "-m");
        names |= !strcmp(argv[i], "--names");
    }
    struct bridge *bridge = command_bridge(request, ofproto, argv[argc - 1]);
    if (bridge) {
        dump_flows(request, ofproto, bridge, more, names || more);
    }
}

void dpctl_dump_flows(struct control_request *request, int argc, char *argv[], void *ofproto)
{
    bool more = false, names = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-m") || !strcmp(argv[i], "--more")) {
            more = true;
        } else if (!strcmp(argv[i], "--names")) {
            names = true;
        } else if (strcmp(argv[i], "--no-names") && strcmp(argv[i], dp_name) && strcmp(argv[i], "ovs-system")) {
            char *text = xasprintf("%s: the datapath is %s, the options are -m, --names, --no-names", argv[i], dp_name);
            control_reply_error(request, text);
            free(text);
            return;
        }
    }
    dump_flows(request, ofproto, NULL, more, names || more);
}

/* ---- Features, drops ---- */

static const struct { const char *name; const char *value; } features[] = {
    { "Masked set action", "Yes" }, { "Tunnel push pop", "No" }, { "Ufid", "Yes" }, { "Truncate action", "Yes" },
    { "Clone action", "Yes" }, { "Sample nesting", "0" }, { "Conntrack eventmask", "No" }, { "Conntrack clear", "No" },
    { "Max dp_hash algorithm", "0" }, { "Check pkt length action", "No" }, { "Conntrack timeout policy", "No" },
    { "Explicit Drop action", "Yes" }, { "Optimized Balance TCP mode", "No" }, { "Conntrack all-zero IP SNAT", "No" },
    { "MPLS Label add", "No" }, { "Max VLAN headers", "2" }, { "Max MPLS depth", "3" }, { "Recirc", "No" },
    { "CT state", "No" }, { "CT zone", "No" }, { "CT mark", "No" }, { "CT label", "No" }, { "CT state NAT", "No" },
    { "CT orig tuple", "No" }, { "CT orig tuple for IPv6", "No" }, { "IPv6 ND Extension", "Yes" },
};

void dpif_show_dp_features(struct control_request *request, int argc UNUSED, char *argv[], void *ofproto)
{
    if (!command_bridge(request, ofproto, argv[1])) {
        return;
    }
    struct text t = TEXT_INIT;
    json_t *json = control_wants_json(request) ? json_object() : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        text_printf(&t, "%s: %s\n", features[i].name, features[i].value);
        if (json) {
            json_object_set_new(json, features[i].name, json_string(features[i].value));
        }
    }
    if (json) {
        text_fini(&t);
        control_reply_json(request, json);
    } else {
        command_reply_text(request, &t);
    }
}

void drops_show(struct control_request *request, int argc, char *argv[], void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    uint64_t drops[DROP_N] = { 0 };
    struct error *e = NULL;
    if (argc > 1) {
        struct dp_names names = { NULL, 0 };
        struct dp_port_stats stats;
        uint32_t number = DP_PORT_NONE;
        e = dp_names_read(ofproto, &names);
        for (size_t i = 0; !e && i < names.n; i++) {
            if (!strcmp(names.states[i].name, argv[1])) {
                number = names.states[i].port_no;
            }
        }
        free(names.states);
        if (!e && number == DP_PORT_NONE) {
            e = error_new(1, "the datapath has no port \"%s\"", argv[1]);
        }
        if (!e) {
            e = dp_port_get_stats(ofproto->options.dp, number, &stats);
        }
        if (!e) {
            memcpy(drops, stats.drops, sizeof drops);
        }
    } else {
        struct dp_stats stats;
        e = dp_get_stats(ofproto->options.dp, &stats);
        if (!e) {
            memcpy(drops, stats.drops, sizeof drops);
        }
    }
    if (e) {
        control_reply_error_take(request, e);
        return;
    }
    struct text t = TEXT_INIT;
    json_t *json = control_wants_json(request) ? json_object() : NULL;
    for (int i = 0; i < DROP_N; i++) {
        if (json) {
            json_object_set_new(json, drop_name(i), json_integer(drops[i]));
        } else if (drops[i]) {
            text_printf(&t, "%-24s %12llu  %s\n", drop_name(i), (unsigned long long) drops[i], drop_help(i));
        }
    }
    if (json) {
        text_fini(&t);
        control_reply_json(request, json);
    } else {
        command_reply_text(request, &t);
    }
}

/* ---- Tunnels ---- */

void tnl_ports_show(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct text t = TEXT_INIT;
    text_put(&t, "Listening ports:\n");
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        struct of_port *port;
        HMAP_FOR_EACH (port, by_name, &bridge->ports_by_name) {
            if (port->kind == OF_PORT_TUNNEL) {
                text_printf(&t, "%s (%u) ", port->name, port->dp_port);
                put_tunnel(&t, port);
                text_printf(&t, " bridge=%s\n", bridge->name);
            }
        }
    }
    command_reply_text(request, &t);
}

void route_show(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct text t = TEXT_INIT;
    text_put(&t, "Route Table:\n");
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        struct of_port *port;
        HMAP_FOR_EACH (port, by_name, &bridge->ports_by_name) {
            if (port->kind != OF_PORT_TUNNEL || port->tunnel.remote_flow) {
                continue;
            }
            char ifname[32];
            struct in6_addr source, gateway;
            uint32_t mtu;
            struct error *e = dp_route_lookup(ofproto->options.dp, &port->tunnel.remote, ifname, &source, &gateway, &mtu);
            text_put(&t, "Cached: ");
            text_put_ip(&t, &port->tunnel.remote);
            if (e) {
                text_printf(&t, " unreachable: %s\n", error_text(e));
                error_free(e);
                continue;
            }
            text_printf(&t, " dev %s", ifname);
            if (!IN6_IS_ADDR_UNSPECIFIED(&gateway)) {
                text_put(&t, " GW ");
                text_put_ip(&t, &gateway);
            }
            text_put(&t, " SRC ");
            text_put_ip(&t, &source);
            text_printf(&t, " mtu %u\n", mtu);
        }
    }
    command_reply_text(request, &t);
}
