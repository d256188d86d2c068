/* SPDX-License-Identifier: Apache-2.0 */
/* Actions as text, in the syntax of ovs-actions(7). */
#include <inttypes.h>

#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/ofact_text.h"
#include "lib/openflow/wire.h"

static const char *reason_names[] = { "no_match", "action", "invalid_ttl", "action_set", "group", "packet_out" };

const char *ofp_packet_in_reason_name(uint8_t reason)
{
    return reason < ARRAY_SIZE(reason_names) ? reason_names[reason] : NULL;
}

static void put_bytes(struct text *t, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text_printf(t, "%s%02x", i ? "." : "", p[i]);
    }
}

/* A number of up to 16 bytes, most significant first, as 0x... */
static void put_hex_number(struct text *t, const uint8_t *p, size_t n)
{
    while (n > 1 && !*p) {
        p++;
        n--;
    }
    text_printf(t, "0x%x", n ? *p : 0);
    for (size_t i = 1; i < n; i++) {
        text_printf(t, "%02x", p[i]);
    }
}

/* ---- Setting fields ---- */

static bool mask_bit(const struct ofact_set_field *s, unsigned bit)
{
    unsigned at = s->field->n_bytes * 8 - 1 - bit;
    return !s->masked ? bit < s->field->n_bits : s->mask.b[at / 8] >> (7 - at % 8) & 1;
}

static uint64_t value_bits(const struct ofact_set_field *s, unsigned ofs, unsigned n)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = s->field->n_bytes * 8 - 1 - (ofs + i);
        value |= (uint64_t) (s->value.b[at / 8] >> (7 - at % 8) & 1) << i;
    }
    return value;
}

static void format_loads(const struct ofact_set_field *s, struct text *t)
{
    bool first = true;
    for (unsigned bit = 0; bit < s->field->n_bits; bit++) {
        unsigned n = 0;
        while (n < 64 && bit + n < s->field->n_bits && mask_bit(s, bit + n)) {
            n++;
        }
        if (n) {
            struct subfield part = { s->field, bit, n };
            text_printf(t, "%sload:%#"PRIx64"->", first ? "" : ",", value_bits(s, bit, n));
            subfield_format(&part, t);
            first = false;
            bit += n - 1;
        }
    }
}

/* The names that OpenFlow 1.0's actions have in text. */
static const char *classic_name(uint8_t raw)
{
    switch (raw) {
    case RAW_SET_DL_SRC_10:
    case RAW_SET_DL_SRC: return "mod_dl_src";
    case RAW_SET_DL_DST_10:
    case RAW_SET_DL_DST: return "mod_dl_dst";
    case RAW_SET_NW_SRC_10:
    case RAW_SET_NW_SRC: return "mod_nw_src";
    case RAW_SET_NW_DST_10:
    case RAW_SET_NW_DST: return "mod_nw_dst";
    case RAW_SET_NW_TOS_10:
    case RAW_SET_NW_TOS: return "mod_nw_tos";
    case RAW_SET_NW_ECN: return "mod_nw_ecn";
    case RAW_SET_NW_TTL: return "mod_nw_ttl";
    default: return NULL;
    }
}

static void format_set_field(const struct ofact_set_field *s, const struct port_names *names, struct text *t)
{
    const char *classic = classic_name(s->a.raw);
    if (s->a.raw == RAW_REG_LOAD) {
        format_loads(s, t);
    } else if (classic) {
        text_printf(t, "%s:", classic);
        field_format(s->field, &s->value, NULL, names, t);
    } else {
        text_put(t, "set_field:");
        field_format(s->field, &s->value, s->masked ? &s->mask : NULL, names, t);
        text_printf(t, "->%s", s->field->name);
    }
}

/* ---- Output ---- */

static void format_output(const struct ofact_output *o, const struct port_names *names, struct text *t)
{
    if (o->port < OFPP_MAX) {
        text_put(t, "output:");
    }
    ofp_port_format(o->port, names, t);
    if (o->port == OFPP_CONTROLLER) {
        text_printf(t, ":%u", o->max_len);
    }
}

static void format_controller(const struct ofact_controller *c, struct text *t)
{
    if (c->reason == OFPR_ACTION && !c->controller_id && !c->userdata_len) {
        text_printf(t, "CONTROLLER:%u", c->max_len);
        return;
    }
    text_put(t, "controller(");
    if (c->reason != OFPR_ACTION) {
        const char *reason = ofp_packet_in_reason_name(c->reason);
        if (reason) {
            text_printf(t, "reason=%s,", reason);
        } else {
            text_printf(t, "reason=%u,", c->reason);
        }
    }
    if (c->max_len != 0xffff) {
        text_printf(t, "max_len=%u,", c->max_len);
    }
    if (c->controller_id) {
        text_printf(t, "id=%u,", c->controller_id);
    }
    if (c->userdata_len) {
        text_put(t, "userdata=");
        put_bytes(t, c->userdata, c->userdata_len);
        text_put_char(t, ',');
    }
    text_chomp(t, ',');
    text_put_char(t, ')');
}

static void format_resubmit(const struct ofact_resubmit *r, const struct port_names *names, struct text *t)
{
    if (r->in_port != OFPP_IN_PORT && r->table == 0xff) {
        text_put(t, "resubmit:");
        ofp_port_format(r->in_port, names, t);
        return;
    }
    text_put(t, "resubmit(");
    if (r->in_port != OFPP_IN_PORT) {
        ofp_port_format(r->in_port, names, t);
    }
    text_put_char(t, ',');
    if (r->table != 0xff) {
        text_printf(t, "%u", r->table);
    }
    text_put_char(t, ')');
}

/* ---- Learn ---- */

static void format_learn_value(const struct ofact_learn_spec *spec, const struct port_names *names, struct text *t)
{
    const struct field *f = spec->dst.field;
    unsigned n = DIV_ROUND_UP(spec->n_bits, 8);
    if (spec->dst_kind == LEARN_DST_MATCH && !spec->dst.ofs && spec->dst.n_bits == f->n_bits) {
        union field_value value;
        memset(&value, 0, sizeof value);
        memcpy(value.b, spec->value.b + 16 - f->n_bytes, f->n_bytes);
        text_printf(t, "%s=", f->name);
        field_format(f, &value, NULL, names, t);
        return;
    }
    if (spec->dst_kind == LEARN_DST_MATCH) {
        subfield_format(&spec->dst, t);
        text_put_char(t, '=');
    }
    put_hex_number(t, spec->value.b + 16 - n, n);
}

static void format_learn_spec(const struct ofact_learn_spec *spec, const struct port_names *names, struct text *t)
{
    text_put_char(t, ',');
    switch (spec->dst_kind) {
    case LEARN_DST_MATCH:
        if (spec->src_kind == LEARN_SRC_VALUE) {
            format_learn_value(spec, names, t);
            break;
        }
        subfield_format(&spec->dst, t);
        if (spec->src.field != spec->dst.field || spec->src.ofs != spec->dst.ofs) {
            text_put_char(t, '=');
            subfield_format(&spec->src, t);
        }
        break;
    case LEARN_DST_LOAD:
        text_put(t, "load:");
        if (spec->src_kind == LEARN_SRC_VALUE) {
            format_learn_value(spec, names, t);
        } else {
            subfield_format(&spec->src, t);
        }
        text_put(t, "->");
        subfield_format(&spec->dst, t);
        break;
    default:
        text_put(t, "output:");
        subfield_format(&spec->src, t);
        break;
    }
}

static void format_learn(const struct ofact_learn *l, const struct port_names *names, struct text *t)
{
    text_printf(t, "learn(table=%u", l->table);
    if (l->idle_timeout) {
        text_printf(t, ",idle_timeout=%u", l->idle_timeout);
    }
    if (l->hard_timeout) {
        text_printf(t, ",hard_timeout=%u", l->hard_timeout);
    }
    if (l->priority != 32768) {
        text_printf(t, ",priority=%u", l->priority);
    }
    if (l->flags & LEARN_SEND_FLOW_REM) {
        text_put(t, ",send_flow_rem");
    }
    if (l->cookie) {
        text_printf(t, ",cookie=%#"PRIx64, l->cookie);
    }
    for (unsigned i = 0; i < l->n_specs; i++) {
        format_learn_spec(&l->specs[i], names, t);
    }
    text_put_char(t, ')');
}

/* ---- All ---- */

static void format_metadata(const struct ofact_metadata *m, struct text *t)
{
    text_printf(t, "write_metadata:%#"PRIx64, be64toh(m->value));
    if (m->mask != UINT64_MAX) {
        text_printf(t, "/%#"PRIx64, be64toh(m->mask));
    }
}

static void format_nested(const struct ofact *a, const char *name, const struct port_names *names, struct text *t)
{
    struct ofact_list nested = ofact_nested_list(a);
    text_printf(t, "%s(", name);
    ofacts_format(&nested, names, t);
    text_put_char(t, ')');
}

static void format_action(const struct ofact *a, const struct port_names *names, struct text *t)
{
    switch ((enum ofact_type) a->type) {
    case OFACT_OUTPUT: format_output((const struct ofact_output *) a, names, t); break;
    case OFACT_CONTROLLER: format_controller((const struct ofact_controller *) a, t); break;
    case OFACT_ENQUEUE: {
        const struct ofact_enqueue *e = (const struct ofact_enqueue *) a;
        text_put(t, "enqueue:");
        ofp_port_format(e->port, names, t);
        text_printf(t, ":%u", e->queue);
        break;
    }
    case OFACT_OUTPUT_REG:
        text_put(t, "output:");
        subfield_format(&((const struct ofact_output_reg *) a)->src, t);
        break;
    case OFACT_OUTPUT_TRUNC: {
        const struct ofact_output_trunc *o = (const struct ofact_output_trunc *) a;
        text_put(t, "output(port=");
        ofp_port_format(o->port, names, t);
        text_printf(t, ",max_len=%u)", o->max_len);
        break;
    }
    case OFACT_GROUP: text_printf(t, "group:%u", ((const struct ofact_group *) a)->group_id); break;
    case OFACT_SET_VLAN_VID:
    case OFACT_SET_VLAN_PCP: {
        const struct ofact_vlan *v = (const struct ofact_vlan *) a;
        text_printf(t, "%s_%s:%u", v->push ? "mod" : "set", a->type == OFACT_SET_VLAN_VID ? "vlan_vid" : "vlan_pcp",
                    v->value);
        break;
    }
    case OFACT_POP_VLAN: text_put(t, a->raw == RAW_STRIP_VLAN ? "strip_vlan" : "pop_vlan"); break;
    case OFACT_PUSH_VLAN:
        text_printf(t, "push_vlan:%#06x", be16toh(((const struct ofact_push_vlan *) a)->tpid));
        break;
    case OFACT_SET_FIELD: format_set_field((const struct ofact_set_field *) a, names, t); break;
    case OFACT_SET_L4_SRC: text_printf(t, "mod_tp_src:%u", ((const struct ofact_l4_port *) a)->port); break;
    case OFACT_SET_L4_DST: text_printf(t, "mod_tp_dst:%u", ((const struct ofact_l4_port *) a)->port); break;
    case OFACT_MOVE: {
        const struct ofact_move *m = (const struct ofact_move *) a;
        text_put(t, "move:");
        subfield_format(&m->src, t);
        text_put(t, "->");
        subfield_format(&m->dst, t);
        break;
    }
    case OFACT_SET_TUNNEL: {
        const struct ofact_tunnel *n = (const struct ofact_tunnel *) a;
        text_printf(t, "set_tunnel%s:%#"PRIx64, n->wide || n->id > UINT32_MAX ? "64" : "", n->id);
        break;
    }
    case OFACT_SET_QUEUE: text_printf(t, "set_queue:%u", ((const struct ofact_set_queue *) a)->queue); break;
    case OFACT_POP_QUEUE: text_put(t, "pop_queue"); break;
    case OFACT_DEC_TTL: {
        const struct ofact_dec_ttl *d = (const struct ofact_dec_ttl *) a;
        text_put(t, "dec_ttl");
        for (unsigned i = 0; i < d->n_ids; i++) {
            text_printf(t, "%s%u%s", i ? "," : "(", d->ids[i], i + 1 == d->n_ids ? ")" : "");
        }
        break;
    }
    case OFACT_RESUBMIT: format_resubmit((const struct ofact_resubmit *) a, names, t); break;
    case OFACT_LEARN: format_learn((const struct ofact_learn *) a, names, t); break;
    case OFACT_NOTE:
        text_put(t, "note:");
        put_bytes(t, ((const struct ofact_note *) a)->data, ((const struct ofact_note *) a)->n);
        break;
    case OFACT_EXIT: text_put(t, "exit"); break;
    case OFACT_CLONE: format_nested(a, "clone", names, t); break;
    case OFACT_METER: text_printf(t, "meter:%u", ((const struct ofact_meter *) a)->meter_id); break;
    case OFACT_CLEAR_ACTIONS: text_put(t, "clear_actions"); break;
    case OFACT_WRITE_ACTIONS: format_nested(a, "write_actions", names, t); break;
    case OFACT_WRITE_METADATA: format_metadata((const struct ofact_metadata *) a, t); break;
    case OFACT_GOTO_TABLE: text_printf(t, "goto_table:%u", ((const struct ofact_goto_table *) a)->table); break;
    case OFACT_APPLY_ACTIONS:
    case OFACT_NONE:
    case OFACT_N: break;
    }
}

void ofacts_format(const struct ofact_list *list, const struct port_names *names, struct text *t)
{
    const struct ofact *a;
    if (!list->len) {
        text_put(t, "drop");
        return;
    }
    OFACT_FOR_EACH (a, list) {
        if (a != list->first) {
            text_put_char(t, ',');
        }
        format_action(a, names, t);
    }
}
