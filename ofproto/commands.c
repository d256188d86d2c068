/* SPDX-License-Identifier: Apache-2.0 */
/* Control commands of the OpenFlow layer: tables, MAC tables, traces, the path. Those about the datapath are in
 * commands_dpif.c. */
#include "ofproto/commands.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/flow/compose.h"
#include "lib/openflow/flow_text.h"
#include "lib/packet/packet.h"
#include "lib/sys/clock.h"
#include "ofproto/xlate/trace.h"

/* ---- Helpers ---- */

struct bridge *command_bridge(struct control_request *request, struct ofproto *ofproto, const char *name)
{
    struct bridge *bridge = bridge_find(ofproto, name);
    if (!bridge) {
        char *text = xasprintf("no bridge named %s", name);
        control_reply_error(request, text);
        free(text);
    }
    return bridge;
}

void command_reply_text(struct control_request *request, struct text *text)
{
    control_reply(request, text_str(text));
    text_fini(text);
}

static void reply_when_done(void *request)
{
    control_reply(request, "");
}

/* ---- fdb ---- */

struct fdb_dump {
    struct bridge *bridge;
    struct text text;
    json_t *json;
};

static void fdb_line(const struct mac_entry *e, void *dump_)
{
    struct fdb_dump *dump = dump_;
    int age = e->is_static ? 0 : (int) ((clock_ms() - e->seen_ms) / 1000);
    char port[16], mac[20];
    snprintf(mac, sizeof mac, ETH_FMT, ETH_ARGS(e->mac));
    snprintf(port, sizeof port, "%u", e->port);
    if (dump->json) {
        json_array_append_new(dump->json, json_pack("{s:o, s:i, s:s, s:i, s:b}", "port",
                                                    e->port == OFPP_LOCAL ? json_string("LOCAL") : json_integer(e->port),
                                                    "vlan", e->vlan, "mac", mac, "age", age, "static", e->is_static));
        return;
    }
    text_printf(&dump->text, "%5s  %4d  %s  ", e->port == OFPP_LOCAL ? "LOCAL" : port, e->vlan, mac);
    if (e->is_static) {
        text_put(&dump->text, "static\n");
    } else {
        text_printf(&dump->text, "%3d\n", age);
    }
}

static void fdb_show(struct control_request *request, int argc UNUSED, char *argv[], void *ofproto)
{
    struct bridge *bridge = command_bridge(request, ofproto, argv[1]);
    if (!bridge) {
        return;
    }
    path_credit(((struct ofproto *) ofproto)->path);
    struct fdb_dump dump = { .bridge = bridge, .json = control_wants_json(request) ? json_array() : NULL };
    text_put(&dump.text, " port  VLAN  MAC                Age\n");
    mac_for_each(bridge->macs, fdb_line, &dump);
    if (dump.json) {
        text_fini(&dump.text);
        control_reply_json(request, dump.json);
    } else {
        command_reply_text(request, &dump.text);
    }
}

static void fdb_flush(struct control_request *request, int argc, char *argv[], void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct bridge *bridge;
    if (argc > 1) {
        bridge = command_bridge(request, ofproto, argv[1]);
        if (!bridge) {
            return;
        }
        mac_flush(bridge->macs, false);
    } else {
        LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
            mac_flush(bridge->macs, false);
        }
    }
    control_reply(request, "table successfully flushed");
}

static void fdb_stats(struct control_request *request, int argc UNUSED, char *argv[], void *ofproto)
{
    struct bridge *bridge = command_bridge(request, ofproto, argv[1]);
    if (!bridge) {
        return;
    }
    struct mac_stats s;
    mac_get_stats(bridge->macs, &s);
    struct text t = TEXT_INIT;
    text_printf(&t, "Statistics for bridge \"%s\":\n"
                "  Current/maximum MAC entries in the table: %zu/%zu\n"
                "  Current static MAC entries in the table : %zu\n"
                "  Total number of learned MAC entries     : %llu\n"
                "  Total number of expired MAC entries     : %llu\n"
                "  Total number of evicted MAC entries     : %llu\n"
                "  Total number of port moved MAC entries  : %llu\n",
                bridge->name, s.current, s.max, s.statics, (unsigned long long) s.learned, (unsigned long long) s.expired,
                (unsigned long long) s.evicted, (unsigned long long) s.moved);
    command_reply_text(request, &t);
}

static bool parse_fdb_key(struct control_request *request, const char *vlan_text, const char *mac_text, uint16_t *vlan,
                          struct eth_addr *mac)
{
    uint64_t n;
    if (!parse_uint(vlan_text, 0, 4095, &n)) {
        control_reply_error(request, "invalid VLAN, it is 0 to 4095");
        return false;
    }
    if (!parse_eth_addr(mac_text, mac) || eth_addr_is_multicast(*mac)) {
        control_reply_error(request, "invalid MAC address, it is the address of a station: xx:xx:xx:xx:xx:xx");
        return false;
    }
    *vlan = n;
    return true;
}

static void fdb_add(struct control_request *request, int argc UNUSED, char *argv[], void *ofproto)
{
    struct bridge *bridge = command_bridge(request, ofproto, argv[1]);
    uint16_t vlan;
    struct eth_addr mac;
    if (!bridge || !parse_fdb_key(request, argv[3], argv[4], &vlan, &mac)) {
        return;
    }
    ofp_port number;
    struct error *e = ofp_port_parse(argv[2], &bridge->sw.port_names, &number);
    if (e || !bridge_port_by_number(bridge, number)) {
        error_free(e);
        control_reply_error(request, "unknown port");
    } else if (!mac_add_static(bridge->macs, vlan, mac, number)) {
        control_reply_error(request, "the MAC table is full");
    } else {
        control_reply(request, "");
    }
}

static void fdb_del(struct control_request *request, int argc UNUSED, char *argv[], void *ofproto)
{
    struct bridge *bridge = command_bridge(request, ofproto, argv[1]);
    uint16_t vlan;
    struct eth_addr mac;
    if (bridge && parse_fdb_key(request, argv[2], argv[3], &vlan, &mac)) {
        if (mac_delete(bridge->macs, vlan, mac)) {
            control_reply(request, "");
        } else {
            control_reply_error(request, "no such entry");
        }
    }
}

/* ---- Tables ---- */

static void list(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct text t = TEXT_INIT;
    json_t *json = control_wants_json(request) ? json_array() : NULL;
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        text_printf(&t, "%s\n", bridge->name);
        if (json) {
            json_array_append_new(json, json_string(bridge->name));
        }
    }
    if (json) {
        text_fini(&t);
        control_reply_json(request, json);
    } else {
        command_reply_text(request, &t);
    }
}

struct rule_dump {
    struct bridge *bridge;
    struct text text;
    int64_t now_ms;
};

static void put_rule(const struct rule *rule, void *dump_)
{
    struct rule_dump *dump = dump_;
    struct ofp_flow_stats s;
    tables_fill_flow_stats(rule, dump->now_ms, &s);
    text_printf(&dump->text, "table_id=%u, duration=%us, n_packets=%llu, n_bytes=%llu, priority=%u%s", s.table_id, s.duration_s,
                (unsigned long long) s.packets, (unsigned long long) s.bytes, s.priority, rule->hidden ? " (hidden)" : "");
    struct text match = TEXT_INIT;
    match_format(&s.match, &dump->bridge->sw.port_names, &match);
    if (match.len) {
        text_printf(&dump->text, ",%s", text_str(&match));
    }
    text_fini(&match);
    text_put(&dump->text, ",actions=");
    ofacts_format(&s.actions, &dump->bridge->sw.port_names, &dump->text);
    text_put_char(&dump->text, '\n');
}

static void dump_rules(struct control_request *request, int argc UNUSED, char *argv[], void *ofproto)
{
    struct bridge *bridge = command_bridge(request, ofproto, argv[1]);
    if (!bridge) {
        return;
    }
    path_credit(bridge->ofproto->path);
    struct rule_dump dump = { .bridge = bridge, .now_ms = clock_ms() };
    tables_each_rule(bridge->tables, put_rule, &dump);
    command_reply_text(request, &dump.text);
}

/* ---- Trace ---- */

/* "ofproto/trace BRIDGE FLOW [PACKET]", "ofproto/trace DATAPATH-FLOW [PACKET]" */
static struct error *parse_trace(struct ofproto *ofproto, int argc, char *argv[], struct bridge **bridge, struct key *key,
                                 struct match *match)
{
    const char *flow = argv[argc > 2 ? 2 : 1];
    match_init_any(match);
    memset(key, 0, sizeof *key);
    *bridge = argc > 2 ? bridge_find(ofproto, argv[1]) : NULL;
    if (argc > 2 && !*bridge && strchr(argv[1], '@') == NULL) {
        return error_new(0x1, "%s: unknown bridge", argv[1]);
    }
    if (strchr(flow, '(')) {
        struct mask mask;
        *bridge = NULL;
        return key_parse(flow, key, &mask);
    }
    if (!*bridge) {
        return error_new(0x1, "a flow by fields needs the name of its bridge before it");
    }
    struct error *e = match_parse(flow, &(*bridge)->sw.port_names, match);
    if (!e) {
        *key = match->value.key;
    }
    return e;
}

static void trace(struct control_request *request, int argc, char *argv[], void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct bridge *bridge;
    struct key key;
    struct match match;
    struct error *e = parse_trace(ofproto, argc, argv, &bridge, &key, &match);
    if (e) {
        control_reply_error_take(request, e);
        return;
    }
    if (argc > 3) {
        uint8_t bytes[PACKET_MAX];
        size_t n = parse_hex(argv[3], bytes, sizeof bytes);
        if (n == SIZE_MAX || n < 14) {
            control_reply_error(request, "the packet is hex digits, two for each byte, of at least an Ethernet header");
            return;
        }
        struct packet *packet = packet_from_bytes(NULL, bytes, n);
        packet->in_port = key.meta.in_port;
        key_extract(packet, &key, 0);
        packet_free(packet);
    }
    rcu_read_lock();
    struct trace *notes = trace_create();
    struct xlate_out out;
    xlate_out_init(&out);
    struct xlate_in in = {
        .version = changes_version(ofproto->changes), .key = &key, .trace = notes, .of_in_port = match.value.in_port,
        .fields = &match.value,
    };
    in.view = rcu_dereference(ofproto->view);
    if (bridge) {
        in.bridge = view_bridge_by_name(in.view, bridge->name);
        const struct view_port *port = in.bridge ? view_port_by_number(in.bridge, in.of_in_port) : NULL;
        key.meta.in_port = port && port->kind != VIEW_PATCH ? port->dp_port : DP_PORT_NONE;
    }
    xlate(&in, &out);
    if (control_wants_json(request)) {
        control_reply_json(request, trace_to_json(notes, &in, &out));
    } else {
        struct text t = TEXT_INIT;
        trace_format(notes, &in, &out, &t);
        command_reply_text(request, &t);
    }
    xlate_out_fini(&out);
    trace_destroy(notes);
    rcu_read_unlock();
}

/* ---- The path ---- */

static void revalidator_wait(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto)
{
    path_wait(((struct ofproto *) ofproto)->path, reply_when_done, request);
}

static void revalidator_purge(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    path_credit(ofproto->path);
    path_purge(ofproto->path);
    path_wait(ofproto->path, reply_when_done, request);
}

static void revalidator_audit(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto)
{
    struct text t = TEXT_INIT;
    size_t n_wrong = path_audit(((struct ofproto *) ofproto)->path, &t);
    if (n_wrong) {
        control_reply_error(request, text_str(&t));
        text_fini(&t);
    } else {
        command_reply_text(request, &t);
    }
}

static void upcall_show(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct path_stats s;
    struct dp_upcall_stats u;
    path_get_stats(ofproto->path, &s);
    dp_upcall_get_stats(ofproto->options.dp, &u);
    if (control_wants_json(request)) {
        control_reply_json(request, json_pack(
            "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "flows", (json_int_t) s.n_flows, "flow_limit",
            (json_int_t) s.flow_limit, "masks", (json_int_t) s.n_masks, "dirty", (json_int_t) s.n_dirty, "upcalls",
            (json_int_t) s.n_upcalls, "installed", (json_int_t) s.n_installed, "deleted", (json_int_t) s.n_deleted, "changed",
            (json_int_t) s.n_changed, "retranslated", (json_int_t) s.n_retranslated, "executed", (json_int_t) s.n_executed,
            "lost_ring", (json_int_t) u.n_lost_ring, "lost_quota", (json_int_t) u.n_lost_quota, "waiting",
            (json_int_t) u.n_waiting));
        return;
    }
    struct text t = TEXT_INIT;
    text_printf(&t, "system@ovs-system:\n"
                "  flows         : (current %zu) (limit %u)\n"
                "  masks         : %zu\n"
                "  max idle      : %ums\n"
                "  upcalls       : %llu (waiting %u) (lost: ring %llu, quota %llu) (expired %llu)\n"
                "  installed     : %llu (deleted %llu) (forwarded uncached %llu) (at the limit %llu)\n"
                "  re-translated : %llu of %llu examined (changed %llu) (waiting %zu)\n",
                s.n_flows, s.flow_limit, s.n_masks, s.max_idle_ms, (unsigned long long) s.n_upcalls, u.n_waiting,
                (unsigned long long) u.n_lost_ring, (unsigned long long) u.n_lost_quota, (unsigned long long) u.n_expired,
                (unsigned long long) s.n_installed, (unsigned long long) s.n_deleted, (unsigned long long) s.n_executed,
                (unsigned long long) s.n_full, (unsigned long long) s.n_retranslated, (unsigned long long) s.n_examined,
                (unsigned long long) s.n_changed, s.n_dirty);
    command_reply_text(request, &t);
}

const struct control_command ofproto_commands[] = {
    { "bridge/dump-flows", "bridge", "Shows all rules of a bridge, hidden ones too.", 1, 1, dump_rules },
    { "dpctl/dump-flows", "[dp] [-m]", "Shows the flows that the datapath caches.", 0, 8, dpctl_dump_flows },
    { "dpctl/show", "[dp]", "Shows the datapath's lookups and ports.", 0, 2, dpctl_show },
    { "dpif/dump-dps", "", "Names the datapaths.", 0, 0, dpif_dump_dps },
    { "dpif/dump-flows", "[-m] [--names|--no-names] bridge", "Shows the cached flows whose packets came in at a bridge.",
      1, 4, dpif_dump_flows },
    { "dpif/show", "", "Shows bridges and their ports.", 0, 0, dpif_show },
    { "dpif/show-dp-features", "bridge", "Shows what the datapath can do.", 1, 1, dpif_show_dp_features },
    { "drops/show", "[port]", "Shows dropped packets by reason, of the switch or of a port.", 0, 1, drops_show },
    { "fdb/add", "bridge port vlan mac", "Adds a static entry to the MAC table.", 4, 4, fdb_add },
    { "fdb/del", "bridge vlan mac", "Deletes an entry of the MAC table.", 3, 3, fdb_del },
    { "fdb/flush", "[bridge]", "Forgets the learnt entries of the MAC table.", 0, 1, fdb_flush },
    { "fdb/show", "bridge", "Shows the MAC table.", 1, 1, fdb_show },
    { "fdb/stats-show", "bridge", "Shows what the MAC table counted.", 1, 1, fdb_stats },
    { "ofproto/list", "", "Names the bridges.", 0, 0, list },
    { "ofproto/trace", "bridge flow [packet] | dp-flow [packet]", "Shows what would be done with a packet, table by table.",
      1, 3, trace },
    { "ovs/route/show", "", "Shows the routes that tunnels take.", 0, 0, route_show },
    { "revalidator/audit", "", "Translates every cached flow again and shows those that are wrong.", 0, 0, revalidator_audit },
    { "revalidator/purge", "", "Deletes all cached flows.", 0, 0, revalidator_purge },
    { "revalidator/wait", "", "Waits until nothing is under way.", 0, 0, revalidator_wait },
    { "tnl/ports/show", "[-v]", "Shows the tunnel ports.", 0, 1, tnl_ports_show },
    { "upcall/show", "", "Shows the path of missed packets.", 0, 0, upcall_show },
    { NULL, NULL, NULL, 0, 0, NULL },
};
