/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the view that translation reads from bridges and ports. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/parse.h"
#include "lib/packet/headers.h"
#include "ofproto/bridge.h"

static struct view_bundle *build_bundle(const struct bundle *from, const char *name)
{
    struct view_bundle *to = xzalloc(sizeof *to);
    to->name = xstrdup(name);
    to->mode = VIEW_TRUNK;
    to->all_vlans = to->all_cvlans = true;
    to->qinq_tpid = htobe16(ETH_TYPE_SVLAN);
    if (!from) {
        return to;
    }
    static const enum view_vlan_mode modes[] = {
        [VLAN_TRUNK] = VIEW_TRUNK, [VLAN_ACCESS] = VIEW_ACCESS, [VLAN_NATIVE_TAGGED] = VIEW_NATIVE_TAGGED,
        [VLAN_NATIVE_UNTAGGED] = VIEW_NATIVE_UNTAGGED, [VLAN_DOT1Q_TUNNEL] = VIEW_DOT1Q_TUNNEL,
    };
    const struct port_settings *s = &from->settings;
    to->mode = modes[s->vlan_mode];
    to->tag = s->tag > 0 ? s->tag : 0;
    to->all_vlans = !s->has_trunks;
    memcpy(to->trunks, s->trunks, sizeof to->trunks);
    to->all_cvlans = !s->has_cvlans;
    memcpy(to->cvlans, s->cvlans, sizeof to->cvlans);
    to->qinq_tpid = htobe16(s->qinq_ethtype ? s->qinq_ethtype : ETH_TYPE_SVLAN);
    to->priority_tags = s->priority_tags;
    to->protected_ = s->protected_;
    return to;
}

/* Bundles of a bridge that is being built, by name. */
struct named_bundle {
    struct hmap_node node;
    struct view_bundle *bundle;
};

static struct view_bundle *bundle_of(struct view_bridge *vb, const struct bridge *bridge, const char *name, struct hmap *names)
{
    struct named_bundle *named;
    uint32_t hash = hash_string(name, 0);
    HMAP_FOR_EACH_WITH_HASH (named, node, hash, names) {
        if (!strcmp(named->bundle->name, name)) {
            return named->bundle;
        }
    }
    named = xmalloc(sizeof *named);
    named->bundle = build_bundle(bridge_bundle_find(bridge, name), name);
    hmap_insert(names, &named->node, hash);
    vb->bundles = xrealloc(vb->bundles, (vb->n_bundles + 1) * sizeof *vb->bundles);
    return vb->bundles[vb->n_bundles++] = named->bundle;
}

static struct view_port *build_port(struct view_bridge *vb, const struct of_port *from, struct hmap *names)
{
    struct view_port *to = xzalloc(sizeof *to);
    to->number = from->phy.port_no;
    to->name = xstrdup(from->name);
    to->kind = from->kind == OF_PORT_PATCH ? VIEW_PATCH : from->kind == OF_PORT_TUNNEL ? VIEW_TUNNEL : VIEW_DEVICE;
    to->dp_port = from->dp_port;
    to->mac = from->phy.hw_addr;
    to->config = from->phy.config;
    to->state = from->phy.state;
    to->bridge = vb;
    const struct tunnel_settings *t = &from->tunnel;
    to->tunnel = (struct view_tunnel) {
        .remote_flow = t->remote_flow, .local_flow = t->local_flow, .key_flow = t->key_flow, .has_key = t->has_key,
        .remote = t->remote, .local = t->local, .key = t->key, .tos = t->tos, .ttl = t->ttl,
        .tos_inherit = t->tos_inherit, .ttl_inherit = t->ttl_inherit, .df = t->df,
        /* Outer checksums: IPv6 needs them unless told otherwise, IPv4 does not (RFC 7348 section 5). */
        .csum = t->has_csum ? t->csum : !t->remote_flow && !ip6_is_v4mapped(&t->remote),
        .mss_clamp = t->mss_clamp,
    };
    to->credit = from->credit;
    if (to->credit) {
        __atomic_add_fetch(&to->credit->refs, 1, __ATOMIC_RELAXED);
    }
    to->bundle = bundle_of(vb, from->bridge, from->bundle, names);
    to->bundle->ports = xrealloc(to->bundle->ports, (to->bundle->n_ports + 1) * sizeof *to->bundle->ports);
    to->bundle->ports[to->bundle->n_ports++] = to;
    return to;
}

static int compare_numbers(const void *a_, const void *b_)
{
    const struct view_port *const *a = a_, *const *b = b_;
    return (*a)->number < (*b)->number ? -1 : (*a)->number > (*b)->number;
}

static int compare_dp_ports(const void *a_, const void *b_)
{
    const struct view_port *const *a = a_, *const *b = b_;
    return (*a)->dp_port < (*b)->dp_port ? -1 : (*a)->dp_port > (*b)->dp_port;
}

static struct view_bridge *build_bridge(const struct bridge *from)
{
    struct view_bridge *to = xzalloc(sizeof *to);
    to->name = xstrdup(from->name);
    to->id = from->id;
    to->tables = from->tables;
    to->macs = from->macs;
    to->mac = from->settings.mac;
    to->fail_secure = from->settings.fail_mode == FAIL_SECURE;
    to->forward_bpdu = from->settings.forward_bpdu;
    to->has_controller = connections_have_controllers(from->connections);
    to->miss_to_controller = from->misses_to_controller;
    to->ports = xcalloc(hmap_count(&from->ports_by_name) + 1, sizeof *to->ports);
    struct hmap names;
    hmap_init(&names);
    struct of_port *port;
    HMAP_FOR_EACH (port, by_name, &from->ports_by_name) {
        to->ports[to->n_ports++] = build_port(to, port, &names);
    }
    struct named_bundle *named;
    HMAP_FOR_EACH (named, node, &names) {
        hmap_remove(&names, &named->node);
        free(named);
    }
    hmap_fini(&names);
    qsort(to->ports, to->n_ports, sizeof *to->ports, compare_numbers);
    return to;
}

static struct view_port *find_patch(const struct ofproto *ofproto, struct view *view, const char *name)
{
    size_t i = 0;
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        struct of_port *port = bridge_port_find(bridge, name);
        if (port && port->kind == OF_PORT_PATCH) {
            return view_port_by_number(view->bridges[i], port->phy.port_no);
        }
        i++;
    }
    return NULL;
}

/* Two patch ports are joined when each names the other. */
static void join_patches(const struct ofproto *ofproto, struct view *view)
{
    size_t i = 0;
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        struct view_bridge *vb = view->bridges[i++];
        for (size_t j = 0; j < vb->n_ports; j++) {
            struct of_port *port = bridge_port_by_number(bridge, vb->ports[j]->number);
            if (!port || port->kind != OF_PORT_PATCH || !port->peer) {
                continue;
            }
            struct view_port *peer = find_patch(ofproto, view, port->peer);
            struct of_port *other = peer ? bridge_port_find(bridge_find(ofproto, peer->bridge->name), peer->name) : NULL;
            if (other && other->peer && !strcmp(other->peer, port->name)) {
                vb->ports[j]->peer = peer;
            }
        }
    }
}

struct view *view_build(const struct ofproto *ofproto)
{
    struct view *view = view_new();
    size_t n_ports = 0;
    view->bridges = xcalloc(list_size(&ofproto->bridges) + 1, sizeof *view->bridges);
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        view->bridges[view->n_bridges] = build_bridge(bridge);
        n_ports += view->bridges[view->n_bridges++]->n_ports;
    }
    view->by_dp_port = xcalloc(n_ports + 1, sizeof *view->by_dp_port);
    view->tunnels = xcalloc(n_ports + 1, sizeof *view->tunnels);
    for (size_t i = 0; i < view->n_bridges; i++) {
        for (size_t j = 0; j < view->bridges[i]->n_ports; j++) {
            struct view_port *port = view->bridges[i]->ports[j];
            if (port->kind == VIEW_TUNNEL) {
                view->tunnels[view->n_tunnels++] = port;
            } else if (port->kind == VIEW_DEVICE && port->dp_port != DP_PORT_NONE) {
                view->by_dp_port[view->n_by_dp_port++] = port;
            }
        }
    }
    qsort(view->by_dp_port, view->n_by_dp_port, sizeof *view->by_dp_port, compare_dp_ports);
    join_patches(ofproto, view);
    return view;
}
