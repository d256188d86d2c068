/* SPDX-License-Identifier: Apache-2.0 */
/* Output: to devices, patch ports, tunnels and controllers, and to the reserved ports. */
#include "ofproto/xlate/state.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"

static void emit(struct xlate_state *, uint32_t dp_port);
static void output_patch(struct xlate_state *, const struct view_port *);
static void output_tunnel(struct xlate_state *, const struct view_port *);
static bool tunnel_addresses(struct xlate_state *, const struct view_tunnel *, struct tunnel_key *);
static void flood(struct xlate_state *, bool all);
static void collect_metadata(const struct fields *, struct match *);

void xl_output(struct xlate_state *s, ofp_port number, uint16_t max_len)
{
    switch (number) {
    case OFPP_IN_PORT:
        number = s->now.f.in_port;
        break;
    case OFPP_TABLE:
        xl_run_table(s, 0, s->now.f.in_port, true);
        return;
    case OFPP_NORMAL:
        xl_normal(s);
        return;
    case OFPP_FLOOD:
        flood(s, false);
        return;
    case OFPP_ALL:
        flood(s, true);
        return;
    case OFPP_CONTROLLER: {
        struct xl_packet_in p = { .max_len = max_len, .reason = s->in_action_set ? OFPR_ACTION_SET : OFPR_ACTION };
        xl_packet_in(s, &p);
        return;
    }
    case OFPP_NONE:
        return;
    default:
        if (number == s->now.f.in_port) {
            xl_note(s, " >> skipping output to input port");
            xl_drop(s, DROP_OWN_SOURCE);
            return;
        }
        break;
    }
    const struct view_port *port = view_port_by_number(s->bridge, number);
    if (!port) {
        xl_note(s, " >> no port %u", number);
        xl_drop(s, DROP_PORT_GONE);
        return;
    }
    xl_output_port(s, port);
}

void xl_output_port(struct xlate_state *s, const struct view_port *port)
{
    if (port->config & (OFPPC_NO_FWD | OFPPC_PORT_DOWN)) {
        xl_note(s, " >> port %s is configured not to send", port->name);
        xl_drop(s, DROP_PORT_CONFIG_NO_FWD);
        return;
    }
    switch (port->kind) {
    case VIEW_PATCH:
        output_patch(s, port);
        break;
    case VIEW_TUNNEL:
        output_tunnel(s, port);
        break;
    case VIEW_DEVICE:
        if (port->dp_port == UINT32_MAX) {
            xl_note(s, " >> port %s is not attached", port->name);
            xl_drop(s, DROP_PORT_DOWN);
            break;
        }
        xl_commit(s);
        emit(s, port->dp_port);
        break;
    }
}

void xl_packet_in(struct xlate_state *s, const struct xl_packet_in *p)
{
    xl_commit(s);
    if (s->out->actions.n >= XLATE_MAX_ACTIONS) {
        xl_fail(s, DROP_TOO_MANY_ACTIONS);
        return;
    }
    struct effect_packet_in *e = &xl_effect(s, EFFECT_PACKET_IN)->packet_in;
    e->bridge = s->bridge;
    e->table_id = s->table_id;
    e->reason = p->reason;
    e->max_len = p->max_len;
    e->controller_id = p->controller_id;
    e->cookie = s->rule ? s->rule->cookie : UINT64_MAX;
    if (s->rule && p->reason == OFPR_ACTION && !s->rule->priority && !s->rule->match.n_words && !s->rule->hidden) {
        e->reason = OFPR_NO_MATCH;
        e->is_miss_rule = true;
    } else if (!s->rule && p->reason == OFPR_ACTION && s->in->actions) {
        e->reason = OFPR_PACKET_OUT;
    }
    collect_metadata(&s->now.f, &e->metadata);
    if (p->userdata_len) {
        e->userdata = xmemdup(p->userdata, p->userdata_len);
        e->userdata_len = p->userdata_len;
    }
    action_put_userspace(&s->out->actions, UPCALL_CONTROLLER, p->max_len, s->out->n_packet_ins++);
}

static void emit(struct xlate_state *s, uint32_t dp_port)
{
    if (s->out->actions.n >= XLATE_MAX_ACTIONS) {
        xl_note(s, " >> more than %d datapath actions", XLATE_MAX_ACTIONS);
        xl_fail(s, DROP_TOO_MANY_ACTIONS);
        return;
    }
    if (s->truncate) {
        action_put_truncate(&s->out->actions, s->truncate);
    }
    action_put_output(&s->out->actions, dp_port);
}

/* The peer's bridge takes the packet as if it had come in there; afterwards all is as before. */
static void output_patch(struct xlate_state *s, const struct view_port *port)
{
    const struct view_port *peer = port->peer;
    if (!peer) {
        xl_note(s, " >> patch port %s has no peer", port->name);
        xl_drop(s, DROP_PORT_GONE);
        return;
    }
    if (s->depth >= XLATE_MAX_DEPTH) {
        xl_note(s, " >> more than %d resubmits and patch ports deep", XLATE_MAX_DEPTH);
        xl_fail(s, DROP_DEPTH);
        return;
    }
    if (port->credit) {
        xl_effect(s, EFFECT_PORT_TX)->port = port->credit;
    }
    dep_set_add(&s->out->deps, dep_make(DEP_BRIDGE, peer->bridge->id, 0, 0));
    if (peer->config & OFPPC_NO_RECV) {
        xl_note(s, " >> port %s is configured not to receive", peer->name);
        xl_drop(s, DROP_PORT_CONFIG_NO_RECV);
        return;
    }
    if (peer->credit) {
        xl_effect(s, EFFECT_PORT_RX)->port = peer->credit;
    }

    struct packet_state saved = s->now;
    const struct view_bridge *bridge = s->bridge;
    const struct view_port *in = s->port;
    const struct rule *rule = s->rule;
    uint8_t table_id = s->table_id;
    struct buffer action_set = s->action_set;
    bool in_action_set = s->in_action_set, was_exit = s->exit;
    int note_depth = s->note_depth;

    s->bridge = peer->bridge;
    s->port = peer;
    s->rule = NULL;
    s->in_action_set = s->exit = false;
    buffer_init(&s->action_set);
    struct fields *f = &s->now.f;
    memset(f->reg, 0, sizeof f->reg);
    f->metadata = 0;
    f->in_port = peer->number;
    f->conj_id = 0;
    f->actset_output = OFPP_UNSET;
    memset(&f->key.tunnel, 0, sizeof f->key.tunnel);
    XL_FIX(s, key.tunnel);
    s->depth++;
    if (s->in->trace) {
        trace_bridge(s->in->trace, s->note_depth, s->bridge->name);
    }
    s->note_depth++;
    xl_run_table(s, 0, f->in_port, true);
    xl_action_set_run(s);
    s->depth--;

    buffer_fini(&s->action_set);
    s->now = saved;
    s->bridge = bridge;
    s->port = in;
    s->rule = rule;
    s->table_id = table_id;
    s->action_set = action_set;
    s->in_action_set = in_action_set;
    s->exit = was_exit || s->failed;
    s->note_depth = note_depth;
}

static void output_tunnel(struct xlate_state *s, const struct view_port *port)
{
    const struct view_tunnel *t = &port->tunnel;
    struct tunnel_key k;
    memset(&k, 0, sizeof k);
    if (!tunnel_addresses(s, t, &k)) {
        xl_note(s, " >> tunnel %s: no remote address is set", port->name);
        xl_drop(s, DROP_TUNNEL_NO_REMOTE);
        return;
    }
    if (port->dp_port == UINT32_MAX) {
        xl_note(s, " >> tunnel %s is not attached", port->name);
        xl_drop(s, DROP_PORT_DOWN);
        return;
    }
    const struct key *now = &s->now.f.key;
    if (t->key_flow) {
        XL_LOOK(s, key.tunnel.id);
        k.id = now->tunnel.id;
        k.flags |= TUNNEL_KEY;
    } else if (t->has_key) {
        k.id = htobe64(t->key);
        k.flags |= TUNNEL_KEY;
    }
    bool is_ip = xl_is_ip(s);
    k.ttl = t->ttl ? t->ttl : 64;
    if (t->ttl_inherit && is_ip) {
        XL_LOOK(s, key.l3.ttl);
        k.ttl = now->l3.ttl ? now->l3.ttl : 1;
    }
    /* DSCP as configured or inherited; ECN is always the inner packet's (RFC 6040, normal mode). */
    k.tos = t->tos & 0xfc;
    if (is_ip) {
        struct fields bits;
        memset(&bits, 0, sizeof bits);
        bits.key.l3.tos = t->tos_inherit ? 0xff : 0x03;
        xl_look(s, &bits);
        k.tos = t->tos_inherit ? now->l3.tos : k.tos | (now->l3.tos & 0x03);
    }
    k.flags |= (t->df ? TUNNEL_DF : 0) | (t->csum ? TUNNEL_CSUM : 0) | (t->mss_clamp ? TUNNEL_MSS_CLAMP : 0);
    if (s->now.fixed.key.tunnel.gbp_id == 0xffff) {
        k.gbp_id = now->tunnel.gbp_id;
    }
    if (s->now.fixed.key.tunnel.gbp_flags == 0xff) {
        k.gbp_flags = now->tunnel.gbp_flags;
    }

    xl_commit(s);
    if (!s->has_base_tunnel || memcmp(&s->base_tunnel, &k, sizeof k)) {
        action_put_tunnel(&s->out->actions, &k);
        s->base_tunnel = k;
        s->has_base_tunnel = true;
    }
    emit(s, port->dp_port);
    if (port->credit) {
        xl_effect(s, EFFECT_PORT_TX)->port = port->credit;
    }
}

/* False if there is no remote address. */
static bool tunnel_addresses(struct xlate_state *s, const struct view_tunnel *t, struct tunnel_key *k)
{
    const struct tunnel_key *flow = &s->now.f.key.tunnel;
    bool is_v6;
    if (t->remote_flow) {
        XL_LOOK(s, key.tunnel.ip4_dst);
        is_v6 = !flow->ip4_dst;
        k->ip4_dst = flow->ip4_dst;
        if (is_v6) {
            XL_LOOK(s, key.tunnel.ip6_dst);
            k->ip6_dst = flow->ip6_dst;
        }
        if (is_v6 && IN6_IS_ADDR_UNSPECIFIED(&flow->ip6_dst)) {
            return false;
        }
    } else {
        is_v6 = !ip6_is_v4mapped(&t->remote);
        if (is_v6) {
            k->ip6_dst = t->remote;
        } else {
            k->ip4_dst = ip6_to_ip4(&t->remote);
        }
    }
    if (t->local_flow && is_v6) {
        XL_LOOK(s, key.tunnel.ip6_src);
        k->ip6_src = flow->ip6_src;
    } else if (t->local_flow) {
        XL_LOOK(s, key.tunnel.ip4_src);
        k->ip4_src = flow->ip4_src;
    } else if (is_v6 && !ip6_is_v4mapped(&t->local)) {
        k->ip6_src = t->local;
    } else if (!is_v6 && ip6_is_v4mapped(&t->local)) {
        k->ip4_src = ip6_to_ip4(&t->local);
    }
    return true;
}

static void flood(struct xlate_state *s, bool all)
{
    ofp_port in_port = s->now.f.in_port;
    size_t n = 0;
    for (size_t i = 0; i < s->bridge->n_ports && !s->failed; i++) {
        const struct view_port *port = s->bridge->ports[i];
        if (port->number == in_port || (!all && port->config & OFPPC_NO_FLOOD)) {
            continue;
        }
        xl_output_port(s, port);
        n++;
    }
    if (!n) {
        xl_drop(s, DROP_OWN_SOURCE);
    }
}

/* What a packet-in says about the packet beside its bytes. */
static void collect_metadata(const struct fields *f, struct match *m)
{
    match_init_any(m);
    m->value.in_port = f->in_port;
    m->mask.in_port = UINT32_MAX;
    if (f->metadata) {
        m->value.metadata = f->metadata;
        m->mask.metadata = UINT64_MAX;
    }
    for (int i = 0; i < N_REGS; i++) {
        if (f->reg[i]) {
            m->value.reg[i] = f->reg[i];
            m->mask.reg[i] = UINT32_MAX;
        }
    }
    const struct tunnel_key *t = &f->key.tunnel;
    if (t->flags & TUNNEL_KEY || t->id) {
        m->value.key.tunnel.id = t->id;
        m->mask.key.tunnel.id = UINT64_MAX;
    }
    if (t->ip4_src | t->ip4_dst) {
        m->value.key.tunnel.ip4_src = t->ip4_src;
        m->value.key.tunnel.ip4_dst = t->ip4_dst;
        m->mask.key.tunnel.ip4_src = m->mask.key.tunnel.ip4_dst = UINT32_MAX;
    }
    if (!IN6_IS_ADDR_UNSPECIFIED(&t->ip6_src) || !IN6_IS_ADDR_UNSPECIFIED(&t->ip6_dst)) {
        m->value.key.tunnel.ip6_src = t->ip6_src;
        m->value.key.tunnel.ip6_dst = t->ip6_dst;
        memset(&m->mask.key.tunnel.ip6_src, 0xff, sizeof m->mask.key.tunnel.ip6_src);
        memset(&m->mask.key.tunnel.ip6_dst, 0xff, sizeof m->mask.key.tunnel.ip6_dst);
    }
    if (f->key.meta.mark) {
        m->value.key.meta.mark = f->key.meta.mark;
        m->mask.key.meta.mark = UINT32_MAX;
    }
}
