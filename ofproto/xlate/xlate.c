/* SPDX-License-Identifier: Apache-2.0 */
/* Translation: where the packet comes in, what it meets, and the result. */
#include "ofproto/xlate/xlate.h"

#include <stdlib.h>

#include "ofproto/xlate/state.h"

static void begin(struct xlate_state *, const struct xlate_in *, struct xlate_out *);
static bool find_ingress(struct xlate_state *);
static void run(struct xlate_state *);
static void finish(struct xlate_state *);
static bool sends_anything(const struct action_list *);
static void free_effects(struct xlate_out *);

void xlate_out_init(struct xlate_out *out)
{
    memset(out, 0, sizeof *out);
    action_list_init(&out->actions);
    dep_set_init(&out->deps);
    out->drop = DROP_N;
}

void xlate_out_clear(struct xlate_out *out)
{
    free_effects(out);
    action_list_clear(&out->actions);
    dep_set_clear(&out->deps);
    memset(&out->mask, 0, sizeof out->mask);
    out->drop = DROP_N;
    out->n_packet_ins = 0;
    out->version = 0;
    out->ingress_bridge = NULL;
    out->ingress_port = NULL;
}

void xlate_out_fini(struct xlate_out *out)
{
    free_effects(out);
    free(out->effects);
    action_list_fini(&out->actions);
    dep_set_fini(&out->deps);
}

void xlate(const struct xlate_in *in, struct xlate_out *out)
{
    struct xlate_state s;
    xlate_out_clear(out);
    begin(&s, in, out);
    if (find_ingress(&s)) {
        run(&s);
    }
    finish(&s);
}

bool xlate_out_same_actions(const struct xlate_out *out, const struct action_list *actions)
{
    return action_list_equal(&out->actions, actions);
}

static void begin(struct xlate_state *s, const struct xlate_in *in, struct xlate_out *out)
{
    memset(s, 0, sizeof *s);
    s->in = in;
    s->out = out;
    out->version = in->version;
    s->base = *in->key;
    xl_tags_of(in->key, &s->base_tags);
    struct fields *f = &s->now.f;
    if (in->fields) {
        memcpy(f->pipeline_words, in->fields->pipeline_words, sizeof f->pipeline_words);
    }
    f->key = *in->key;
    xl_set_tags(s, &s->base_tags);
    f->actset_output = OFPP_UNSET;
    /* The pipeline's own fields say nothing about the packet until it is moved into them, and then it was looked at. */
    memset(s->now.fixed.pipeline_words, 0xff, sizeof s->now.fixed.pipeline_words);
    buffer_init(&s->action_set);
}

/* Which bridge and port? False: none, and the reason is noted. */
static bool find_ingress(struct xlate_state *s)
{
    const struct xlate_in *in = s->in;
    uint32_t dp_port = in->key->meta.in_port;
    if (in->bridge) {
        s->bridge = in->bridge;
        s->now.f.in_port = in->of_in_port;
        s->port = view_port_by_number(in->bridge, in->of_in_port);
    } else {
        dep_set_add(&s->out->deps, dep_make(DEP_DP_PORT, 0, 0, dp_port));
        s->port = view_port_by_dp(in->view, dp_port);
        enum drop why = DROP_BRIDGE_UNKNOWN_PORT;
        if (!s->port && view_is_carrier(in->view, dp_port)) {
            dep_set_add(&s->out->deps, dep_make(DEP_TUNNEL, 0, 0, 0));
            XL_LOOK(s, key.tunnel.ip4_src);
            XL_LOOK(s, key.tunnel.ip4_dst);
            XL_LOOK(s, key.tunnel.ip6_src);
            XL_LOOK(s, key.tunnel.ip6_dst);
            XL_LOOK(s, key.tunnel.id);
            s->port = view_tunnel_by_key(in->view, dp_port, &in->key->tunnel, &why);
        }
        if (!s->port) {
            xl_note(s, ">> no port of a bridge: %s", drop_name(why));
            xl_drop(s, why);
            return false;
        }
        s->bridge = s->port->bridge;
        s->now.f.in_port = s->port->number;
        if (s->port->kind != VIEW_DEVICE && s->port->credit) {
            xl_effect(s, EFFECT_PORT_RX)->port = s->port->credit;
        }
    }
    s->out->ingress_bridge = s->bridge;
    s->out->ingress_port = (struct view_port *) s->port;
    dep_set_add(&s->out->deps, dep_make(DEP_BRIDGE, s->bridge->id, 0, 0));
    return true;
}

static void run(struct xlate_state *s)
{
    if (s->in->trace) {
        trace_bridge(s->in->trace, 0, s->bridge->name);
    }
    s->note_depth++;
    if (s->port && s->port->config & OFPPC_NO_RECV && !s->in->actions) {
        xl_note(s, " >> port %s is configured not to receive", s->port->name);
        xl_drop(s, DROP_PORT_CONFIG_NO_RECV);
        return;
    }
    if (s->in->actions) {
        xl_perform(s, s->in->actions);
    } else {
        xl_run_table(s, 0, s->now.f.in_port, true);
    }
    xl_action_set_run(s);
}

static void finish(struct xlate_state *s)
{
    struct xlate_out *out = s->out;
    buffer_fini(&s->action_set);
    if (s->failed || !sends_anything(&out->actions)) {
        out->drop = s->has_drop ? s->drop : DROP_ACTION;
        action_list_clear(&out->actions);
        action_put_drop(&out->actions, out->drop);
    }

    /* What every flow matches exactly: where the packet came in, and what its headers are. */
    struct key *bits = &s->wc.key;
    const struct key *key = s->in->key;
    bits->meta.in_port = UINT32_MAX;
    bits->meta.recirc_id = UINT32_MAX;
    bits->l2.type = UINT16_MAX;
    be16 type = key->l2.type;
    if (type == htobe16(ETH_TYPE_IP4) || type == htobe16(ETH_TYPE_IP6)) {
        bits->l3.frag = FRAG_ANY | FRAG_LATER;
        for (int i = 0; i < KEY_BLOCK_WORDS; i++) {
            if (bits->words[KEY_L4][i]) {
                bits->l3.proto = UINT8_MAX;
            }
        }
    }
    out->mask.bits = *bits;
    mask_seal(&out->mask);
    dep_set_seal(&out->deps);
    out->final = s->now.f;
}

static bool sends_anything(const struct action_list *list)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->actions[i].type == ACTION_OUTPUT || list->actions[i].type == ACTION_USERSPACE) {
            return true;
        }
    }
    return false;
}

static void free_effects(struct xlate_out *out)
{
    for (size_t i = 0; i < out->n_effects; i++) {
        struct effect *e = &out->effects[i];
        if (e->kind == EFFECT_PACKET_IN) {
            free(e->packet_in.userdata);
        } else if (e->kind == EFFECT_LEARN) {
            buffer_fini(&e->learn.actions);
        }
    }
    out->n_effects = 0;
}
