/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, rules and their actions. */
#include "ofproto/xlate/state.h"

#include <inttypes.h>

#include "lib/base/text.h"

static const struct rule *look_up(struct xlate_state *, uint8_t table, ofp_port in_port);
static void table_miss(struct xlate_state *);
static void perform_one(struct xlate_state *, const struct ofact *);
static void move(struct xlate_state *, const struct ofact_move *);
static void set_vlan(struct xlate_state *, const struct ofact_vlan *);
static void set_l4_port(struct xlate_state *, const struct ofact_l4_port *);
static void dec_ttl(struct xlate_state *, const struct ofact_dec_ttl *);
static void resubmit(struct xlate_state *, const struct ofact_resubmit *);
static void run_clone(struct xlate_state *, const struct ofact *);
static void set_queue(struct xlate_state *, uint32_t queue);
static void note_action(struct xlate_state *, const struct ofact *);
static void note_rule(struct xlate_state *, const struct rule *);

void xl_run_table(struct xlate_state *s, uint8_t table, ofp_port in_port, bool miss)
{
    if (s->depth >= XLATE_MAX_DEPTH || s->n_resubmits >= XLATE_MAX_RESUBMITS) {
        xl_note(s, " >> more than %d resubmits, or %d deep", XLATE_MAX_RESUBMITS, XLATE_MAX_DEPTH);
        xl_fail(s, DROP_DEPTH);
        return;
    }
    const struct rule *rule = s->rule;
    uint8_t table_id = s->table_id;
    int note_depth = s->note_depth;
    s->depth++;
    s->n_resubmits++;
    for (int next = table; next >= 0 && !s->exit; ) {
        s->table_id = next;
        next = -1;
        s->rule = look_up(s, s->table_id, in_port);
        if (s->rule) {
            s->note_depth++;
            if (!s->rule->actions.len) {
                xl_note(s, "drop");
                xl_drop(s, DROP_ACTION);
            }
            next = xl_perform(s, &s->rule->actions);
            s->note_depth--;
            in_port = s->now.f.in_port;
            miss = true;
        } else if (miss) {
            table_miss(s);
        } else {
            s->note_depth++;
            xl_note(s, "drop");
            s->note_depth--;
            xl_drop(s, DROP_NO_MATCH);
        }
    }
    s->depth--;
    s->note_depth = note_depth;
    s->rule = rule;
    s->table_id = table_id;
}

int xl_perform(struct xlate_state *s, const struct ofact_list *list)
{
    const struct ofact *a;
    OFACT_FOR_EACH (a, list) {
        if (s->exit) {
            break;
        }
        note_action(s, a);
        if (a->type == OFACT_GOTO_TABLE) {
            return ((const struct ofact_goto_table *) a)->table;
        }
        perform_one(s, a);
    }
    return -1;
}

static const struct rule *look_up(struct xlate_state *s, uint8_t table, ofp_port in_port)
{
    struct fields looked;
    memset(&looked, 0, sizeof looked);
    /* The port that a resubmit names counts for the look-up alone. */
    ofp_port own_port = s->now.f.in_port;
    s->now.f.in_port = in_port;
    struct rule *r = tables_lookup(s->bridge->tables, table, s->in->version, &s->now.f, &looked, &s->out->deps);
    s->now.f.in_port = own_port;
    xl_look(s, &looked);

    struct effect *e = xl_effect(s, EFFECT_TABLE);
    e->table.bridge = s->bridge;
    e->table.table = table;
    e->table.matched = r != NULL;
    if (r) {
        xl_effect(s, EFFECT_RULE)->rule = r;
        note_rule(s, r);
    } else {
        note_rule(s, NULL);
    }
    return r;
}

static void table_miss(struct xlate_state *s)
{
    s->note_depth++;
    bool muted = s->port && s->port->config & OFPPC_NO_PACKET_IN;
    if (s->bridge->miss_to_controller && s->bridge->has_controller && !muted) {
        xl_note(s, "CONTROLLER:%u", s->bridge->miss_send_len);
        struct xl_packet_in p = { .max_len = s->bridge->miss_send_len, .reason = OFPR_NO_MATCH };
        xl_packet_in(s, &p);
    } else {
        xl_note(s, "drop");
        xl_drop(s, s->bridge->fail_secure && !s->bridge->has_controller ? DROP_FAIL_SECURE : DROP_NO_MATCH);
    }
    s->note_depth--;
}

static void perform_one(struct xlate_state *s, const struct ofact *a)
{
    switch ((enum ofact_type) a->type) {
    case OFACT_OUTPUT: {
        const struct ofact_output *o = (const struct ofact_output *) a;
        if (o->port == OFPP_CONTROLLER && s->rule && !s->rule->priority && !s->rule->match.n_words
            && s->port && s->port->config & OFPPC_NO_PACKET_IN) {
            xl_note(s, " >> the input port is configured to cause no packet-ins by table misses");
            xl_drop(s, DROP_NO_MATCH);
            break;
        }
        xl_output(s, o->port, o->max_len);
        break;
    }
    case OFACT_CONTROLLER: {
        const struct ofact_controller *c = (const struct ofact_controller *) a;
        struct xl_packet_in p = { .max_len = c->max_len, .controller_id = c->controller_id, .reason = c->reason,
                                  .userdata = c->userdata, .userdata_len = c->userdata_len };
        xl_packet_in(s, &p);
        s->exit |= c->pause;
        break;
    }
    case OFACT_ENQUEUE: {
        const struct ofact_enqueue *e = (const struct ofact_enqueue *) a;
        uint32_t priority = s->now.f.key.meta.priority, fixed = s->now.fixed.key.meta.priority;
        set_queue(s, e->queue);
        xl_output(s, e->port, 0);
        s->now.f.key.meta.priority = priority;
        s->now.fixed.key.meta.priority = fixed;
        break;
    }
    case OFACT_OUTPUT_REG: {
        const struct ofact_output_reg *o = (const struct ofact_output_reg *) a;
        struct fields bits;
        memset(&bits, 0, sizeof bits);
        subfield_mask_add(&o->src, &bits);
        xl_look(s, &bits);
        uint64_t port = subfield_get_u64(&o->src, &s->now.f);
        xl_note(s, " -> output port is %"PRIu64, port);
        if (port <= UINT32_MAX) {
            /* A field of 16 bits holds OpenFlow 1.0's numbers. */
            xl_output(s, o->src.n_bits <= 16 && port >= 0xff00 ? port | 0xffff0000 : port, o->max_len);
        }
        break;
    }
    case OFACT_OUTPUT_TRUNC: {
        const struct ofact_output_trunc *o = (const struct ofact_output_trunc *) a;
        uint32_t before = s->truncate;
        s->truncate = before ? MIN(before, o->max_len) : o->max_len;
        xl_output(s, o->port, MIN(o->max_len, UINT16_MAX));
        s->truncate = before;
        break;
    }
    case OFACT_SET_VLAN_VID:
    case OFACT_SET_VLAN_PCP:
        set_vlan(s, (const struct ofact_vlan *) a);
        break;
    case OFACT_POP_VLAN:
        xl_pop_tag(s);
        break;
    case OFACT_PUSH_VLAN: {
        /* VLAN and priority are those of the tag that was the outer one (OpenFlow 1.3.5 section 5.11). */
        const struct tags *t = &s->now.tags;
        xl_push_tag(s, ((const struct ofact_push_vlan *) a)->tpid, t->n ? t->tag[0].tci : 0);
        break;
    }
    case OFACT_SET_FIELD: {
        const struct ofact_set_field *f = (const struct ofact_set_field *) a;
        if (xl_has_field(s, f->field)) {
            xl_set_field(s, f->field, &f->value, f->masked ? &f->mask : NULL);
        }
        break;
    }
    case OFACT_SET_L4_SRC:
    case OFACT_SET_L4_DST:
        set_l4_port(s, (const struct ofact_l4_port *) a);
        break;
    case OFACT_MOVE:
        move(s, (const struct ofact_move *) a);
        break;
    case OFACT_SET_TUNNEL:
        s->now.f.key.tunnel.id = htobe64(((const struct ofact_tunnel *) a)->id);
        XL_FIX(s, key.tunnel.id);
        break;
    case OFACT_SET_QUEUE:
        set_queue(s, ((const struct ofact_set_queue *) a)->queue);
        break;
    case OFACT_POP_QUEUE:
        s->now.f.key.meta.priority = s->in->key->meta.priority;
        s->now.fixed.key.meta.priority = 0;
        break;
    case OFACT_DEC_TTL:
        dec_ttl(s, (const struct ofact_dec_ttl *) a);
        break;
    case OFACT_RESUBMIT:
        resubmit(s, (const struct ofact_resubmit *) a);
        break;
    case OFACT_LEARN:
        xl_learn(s, (const struct ofact_learn *) a);
        break;
    case OFACT_EXIT:
        s->exit = true;
        break;
    case OFACT_CLONE:
        run_clone(s, a);
        break;
    case OFACT_CLEAR_ACTIONS:
        xl_action_set_clear(s);
        break;
    case OFACT_WRITE_ACTIONS: {
        struct ofact_list list = ofact_nested_list(a);
        xl_action_set_add(s, &list);
        break;
    }
    case OFACT_WRITE_METADATA: {
        const struct ofact_metadata *m = (const struct ofact_metadata *) a;
        s->now.f.metadata = (s->now.f.metadata & ~m->mask) | (m->value & m->mask);
        break;
    }
    case OFACT_GROUP:
    case OFACT_METER:
        /* There are none, so a rule cannot name one. */
    case OFACT_NOTE:
    case OFACT_APPLY_ACTIONS:
    case OFACT_GOTO_TABLE:
    case OFACT_NONE:
    case OFACT_N:
        break;
    }
}

static void move(struct xlate_state *s, const struct ofact_move *m)
{
    if (!xl_has_field(s, m->dst.field) || !xl_has_field(s, m->src.field)) {
        return;
    }
    struct fields bits;
    memset(&bits, 0, sizeof bits);
    subfield_mask_add(&m->src, &bits);
    xl_look(s, &bits);
    union field_value value;
    subfield_get(&m->src, &s->now.f, &value);
    xl_set_subfield(s, &m->dst, &value);
}

static void set_vlan(struct xlate_state *s, const struct ofact_vlan *v)
{
    xl_look_tag(s, 0);
    struct tags t = s->now.tags;
    bool is_vid = v->a.type == OFACT_SET_VLAN_VID;
    uint16_t bits = is_vid ? v->value & VLAN_VID_MASK : (uint16_t) (v->value << VLAN_PCP_SHIFT);
    if (t.n) {
        uint16_t tci = be16toh(t.tag[0].tci);
        tci = (tci & ~(is_vid ? VLAN_VID_MASK : VLAN_PCP_MASK)) | bits;
        t.tag[0].tci = htobe16(tci);
        xl_set_tags(s, &t);
    } else if (v->push) {
        xl_push_tag(s, htobe16(ETH_TYPE_VLAN), htobe16(bits));
    }
}

static void set_l4_port(struct xlate_state *s, const struct ofact_l4_port *p)
{
    if (!xl_is_ip(s)) {
        return;
    }
    XL_LOOK(s, key.l3.proto);
    XL_LOOK(s, key.l3.frag);
    const struct key_l3 *l3 = &s->now.f.key.l3;
    if ((l3->proto != IP_PROTO_TCP && l3->proto != IP_PROTO_UDP && l3->proto != IP_PROTO_SCTP) || l3->frag & FRAG_LATER) {
        return;
    }
    if (p->a.type == OFACT_SET_L4_SRC) {
        s->now.f.key.l4.src = htobe16(p->port);
        XL_FIX(s, key.l4.src);
    } else {
        s->now.f.key.l4.dst = htobe16(p->port);
        XL_FIX(s, key.l4.dst);
    }
}

static void dec_ttl(struct xlate_state *s, const struct ofact_dec_ttl *d)
{
    if (!xl_is_ip(s)) {
        return;
    }
    XL_LOOK(s, key.l3.ttl);
    uint8_t *ttl = &s->now.f.key.l3.ttl;
    if (*ttl > 1) {
        --*ttl;
        XL_FIX(s, key.l3.ttl);
        return;
    }
    xl_note(s, " >> TTL is spent");
    xl_drop(s, DROP_TTL);
    struct xl_packet_in p = { .max_len = UINT16_MAX, .reason = OFPR_INVALID_TTL };
    for (uint32_t i = 0; i < MAX(d->n_ids, 1); i++) {
        p.controller_id = d->n_ids ? d->ids[i] : 0;
        xl_packet_in(s, &p);
    }
    s->exit = true;
}

static void resubmit(struct xlate_state *s, const struct ofact_resubmit *r)
{
    ofp_port in_port = r->in_port == OFPP_IN_PORT ? s->now.f.in_port : r->in_port;
    xl_run_table(s, r->table == 0xff ? s->table_id : r->table, in_port, false);
}

static void run_clone(struct xlate_state *s, const struct ofact *a)
{
    struct packet_state saved = s->now;
    struct buffer action_set = s->action_set;
    buffer_init(&s->action_set);
    buffer_put(&s->action_set, action_set.data, action_set.len);
    struct ofact_list list = ofact_nested_list(a);
    s->note_depth++;
    xl_perform(s, &list);
    s->note_depth--;
    buffer_fini(&s->action_set);
    s->action_set = action_set;
    s->now = saved;
    s->exit = s->failed;
}

/* Queue N of a port is class 1:(N + 1) of its qdisc. */
static void set_queue(struct xlate_state *s, uint32_t queue)
{
    s->now.f.key.meta.priority = 1u << 16 | ((queue + 1) & 0xffff);
    XL_FIX(s, key.meta.priority);
}

static void note_action(struct xlate_state *s, const struct ofact *a)
{
    if (s->in->trace) {
        struct text t = TEXT_INIT;
        struct ofact_list one = { (struct ofact *) a, a->len };
        ofacts_format(&one, NULL, &t);
        xl_note(s, "%s", text_str(&t));
        text_fini(&t);
    }
}

/* NULL: there was none. */
static void note_rule(struct xlate_state *s, const struct rule *r)
{
    if (!s->in->trace) {
        return;
    }
    struct text t = TEXT_INIT;
    text_printf(&t, "%2u. ", s->table_id);
    size_t begin = t.len;
    if (r) {
        struct match match;
        minimatch_expand(&r->match, &match);
        match_format(&match, NULL, &t);
        text_printf(&t, "%spriority %d", t.len > begin ? ", " : "", r->order);
        if (r->cookie) {
            text_printf(&t, ", cookie %#"PRIx64, be64toh(r->cookie));
        }
    } else {
        text_put(&t, "No match.");
    }
    trace_table(s->in->trace, s->note_depth, text_str(&t));
    text_fini(&t);
}
