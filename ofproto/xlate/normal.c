/* SPDX-License-Identifier: Apache-2.0 */
/* NORMAL: a learning switch with VLANs (IEEE 802.1Q), by the modes of the Port rows.
 *
 * A packet has a VLAN inside the bridge, a priority, and the tags that are its customer's own. The port that it comes in by
 * says which tag is which, the port that it leaves by which of them are on the wire. */
#include "ofproto/xlate/state.h"

/* A packet as the bridge's own VLANs see it. */
struct inner {
    uint16_t vid;                /* 0: untagged. */
    be16 tpid;
    uint16_t pcp;                /* In its place in a TCI. */
    struct tags rest;            /* Tags inside. */
};

/* Packets of controllers and the like come in here: all VLANs, and nothing is learnt. */
static const struct view_bundle from_nowhere = { .mode = VIEW_TRUNK, .all_vlans = true };

static bool enter(struct xlate_state *, const struct view_bundle *, struct inner *);
static bool includes(const struct view_bundle *, const struct inner *);
static bool in_set(const uint64_t *set, uint16_t vid) { return set[vid / 64] >> (vid % 64) & 1; }
static uint16_t vid_of(struct key_vlan tag) { return be16toh(tag.tci) & VLAN_VID_MASK; }
static bool is_gratuitous_arp(struct xlate_state *);
static bool is_reserved(struct eth_addr a);
static void forward(struct xlate_state *, const struct view_bundle *in, const struct inner *);
static void leave(struct xlate_state *, const struct view_bundle *, const struct inner *);
static const struct view_port *usable_port(const struct view_bundle *, uint32_t unwanted);

void xl_normal(struct xlate_state *s)
{
    const struct view_port *port = view_port_by_number(s->bridge, s->now.f.in_port);
    const struct view_bundle *in = port ? port->bundle : NULL;
    if (!in && (port || s->now.f.in_port < OFPP_MAX)) {
        xl_note(s, " >> input port %u takes no part in NORMAL", s->now.f.in_port);
        xl_drop(s, DROP_BAD_IN_PORT);
        return;
    }
    XL_LOOK(s, key.l2.dst);
    struct eth_addr dst = s->now.f.key.l2.dst;
    if (!s->bridge->forward_bpdu && is_reserved(dst)) {
        xl_note(s, " >> destination is a link-local address that bridges do not forward");
        xl_drop(s, DROP_RESERVED_MAC);
        return;
    }
    struct inner inner;
    if (!enter(s, in ? in : &from_nowhere, &inner)) {
        xl_drop(s, DROP_VLAN_NOT_ALLOWED);
        return;
    }
    XL_LOOK(s, key.l2.src);
    if (in && !eth_addr_is_multicast(s->now.f.key.l2.src)) {
        bool garp = is_gratuitous_arp(s);
        struct effect *e = xl_effect(s, EFFECT_MAC);
        e->mac.bridge = s->bridge;
        e->mac.vlan = inner.vid;
        e->mac.mac = s->now.f.key.l2.src;
        e->mac.port = s->now.f.in_port;
        e->mac.garp = garp;
    }
    forward(s, in ? in : &from_nowhere, &inner);
}

/* Which VLAN is it in? False: none that the port carries. */
static bool enter(struct xlate_state *s, const struct view_bundle *in, struct inner *inner)
{
    xl_look_tag(s, 0);
    struct tags *rest = &inner->rest;
    *rest = s->now.tags;
    uint16_t vid = rest->n ? vid_of(rest->tag[0]) : 0;
    inner->tpid = rest->n ? rest->tag[0].tpid : htobe16(ETH_TYPE_VLAN);
    inner->pcp = rest->n ? be16toh(rest->tag[0].tci) & VLAN_PCP_MASK : 0;
    inner->vid = vid;

    if (in->mode == VIEW_DOT1Q_TUNNEL) {
        if (!in->all_cvlans && !in_set(in->cvlans, vid)) {
            xl_note(s, " >> VLAN %u is not among the port's cvlans", vid);
            return false;
        }
        inner->vid = in->tag;
        inner->tpid = in->qinq_tpid ? in->qinq_tpid : htobe16(ETH_TYPE_SVLAN);
        inner->pcp = 0;
        return true;
    }
    if (rest->n) {
        memmove(&rest->tag[0], &rest->tag[1], --rest->n * sizeof rest->tag[0]);
        memset(&rest->tag[rest->n], 0, sizeof rest->tag[0]);
    }
    switch (in->mode) {
    case VIEW_ACCESS:
        if (vid) {
            xl_note(s, " >> VLAN %u comes in by an access port", vid);
            return false;
        }
        inner->vid = in->tag;
        return true;
    case VIEW_NATIVE_TAGGED:
    case VIEW_NATIVE_UNTAGGED:
        if (!vid) {
            inner->vid = in->tag;
            return true;
        }
        /* Fall through. */
    default:
        if (!includes(in, inner)) {
            xl_note(s, " >> VLAN %u is not among the port's trunks", vid);
            return false;
        }
        return true;
    }
}

static bool includes(const struct view_bundle *b, const struct inner *inner)
{
    uint16_t inner_vid = inner->rest.n ? vid_of(inner->rest.tag[0]) : 0;
    switch (b->mode) {
    case VIEW_ACCESS:
        /* Who is behind an access port sees no tags, neither the bridge's nor a customer's. */
        return inner->vid == b->tag && !inner_vid;
    case VIEW_DOT1Q_TUNNEL:
        return inner->vid == b->tag && (b->all_cvlans || in_set(b->cvlans, inner_vid));
    case VIEW_NATIVE_TAGGED:
    case VIEW_NATIVE_UNTAGGED:
        /* What is in no VLAN would come back as the native one. */
        if (inner->vid == b->tag || !inner->vid) {
            return inner->vid == b->tag;
        }
        /* Fall through. */
    default:
        return b->all_vlans || in_set(b->trunks, inner->vid);
    }
}

static bool is_gratuitous_arp(struct xlate_state *s)
{
    static const struct eth_addr broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
    const struct key *k = &s->now.f.key;
    if (k->l2.type != htobe16(ETH_TYPE_ARP) || !eth_addr_equal(k->l2.dst, broadcast)) {
        return false;
    }
    XL_LOOK(s, key.l3.proto);
    if (k->l3.proto == 2) {
        return true;
    }
    if (k->l3.proto != 1) {
        return false;
    }
    XL_LOOK(s, key.l3.ip4_src);
    XL_LOOK(s, key.l3.ip4_dst);
    return k->l3.ip4_src == k->l3.ip4_dst;
}

static bool is_reserved(struct eth_addr a)
{
    static const uint8_t prefix[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };
    return !memcmp(a.b, prefix, sizeof prefix) && a.b[5] < 0x10;
}

static void forward(struct xlate_state *s, const struct view_bundle *in, const struct inner *inner)
{
    struct eth_addr dst = s->now.f.key.l2.dst;
    if (!eth_addr_is_multicast(dst)) {
        struct mac_entry e;
        dep_set_add(&s->out->deps, mac_dep(s->bridge->macs, inner->vid, dst));
        const struct view_port *port = NULL;
        if (mac_lookup(s->bridge->macs, inner->vid, dst, &e)) {
            port = view_port_by_number(s->bridge, e.port);
        }
        if (port && port->bundle) {
            if (port->bundle == in) {
                xl_note(s, " -> learned port is input port, dropping");
                xl_drop(s, DROP_OWN_SOURCE);
            } else if (in->protected_ && port->bundle->protected_) {
                xl_note(s, " -> learned port and input port are protected, dropping");
                xl_drop(s, DROP_OWN_SOURCE);
            } else {
                xl_note(s, " -> forwarding to learned port");
                leave(s, port->bundle, inner);
            }
            return;
        }
        xl_note(s, " -> no learned MAC for destination, flooding");
    } else {
        xl_note(s, " -> destination is multicast, flooding");
    }
    size_t n = 0;
    for (size_t i = 0; i < s->bridge->n_bundles && !s->failed; i++) {
        const struct view_bundle *b = s->bridge->bundles[i];
        if (b == in || (in->protected_ && b->protected_) || !usable_port(b, OFPPC_NO_FLOOD)) {
            continue;
        }
        if ((b->mode == VIEW_DOT1Q_TUNNEL || b->mode == VIEW_ACCESS) && inner->vid == b->tag
            && (s->in->key->l2.vlan[0].tci & htobe16(VLAN_CFI))) {
            xl_look_tag(s, 1);
        }
        if (includes(b, inner)) {
            leave(s, b, inner);
            n++;
        }
    }
    if (!n) {
        xl_drop(s, DROP_OWN_SOURCE);
    }
}

/* Sends the packet through 'b' with the tags that it has there. */
static void leave(struct xlate_state *s, const struct view_bundle *b, const struct inner *inner)
{
    const struct view_port *port = usable_port(b, 0);
    if (!port) {
        xl_note(s, " >> port %s is configured not to send", b->name);
        xl_drop(s, DROP_PORT_CONFIG_NO_FWD);
        return;
    }
    bool tagged = inner->vid != 0 && b->mode != VIEW_ACCESS && b->mode != VIEW_DOT1Q_TUNNEL
                  && !(b->mode == VIEW_NATIVE_UNTAGGED && inner->vid == b->tag);
    struct tags before = s->now.tags, after = inner->rest;
    uint16_t tci = 0;
    be16 tpid = inner->tpid;
    bool put = tagged;
    if (tagged) {
        tci = inner->vid | inner->pcp;
    } else if (b->mode != VIEW_DOT1Q_TUNNEL && (b->priority_tags == 2 || (b->priority_tags == 1 && inner->pcp))) {
        tci = inner->pcp;
        tpid = htobe16(ETH_TYPE_VLAN);
        put = true;
    }
    if (put) {
        if (after.n == MAX_TAGS) {
            xl_fail(s, DROP_NO_HEADROOM);
            return;
        }
        memmove(&after.tag[1], &after.tag[0], after.n * sizeof after.tag[0]);
        after.tag[0] = (struct key_vlan) { tpid, htobe16(tci | VLAN_CFI) };
        after.n++;
    }
    /* Where tags move they have been looked at. */
    if (after.n != before.n && (s->in->key->l2.vlan[0].tci & htobe16(VLAN_CFI))) {
        xl_look_tag(s, 1);
    }
    xl_set_tags(s, &after);
    xl_output_port(s, port);
    xl_set_tags(s, &before);
}

static const struct view_port *usable_port(const struct view_bundle *b, uint32_t unwanted)
{
    for (size_t i = 0; i < b->n_ports; i++) {
        if (!(b->ports[i]->config & (unwanted | OFPPC_NO_FWD | OFPPC_PORT_DOWN))) {
            return b->ports[i];
        }
    }
    return NULL;
}
