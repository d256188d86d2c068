/* SPDX-License-Identifier: Apache-2.0 */
/* Is a list of actions possible after a match, in a table? */
#include "lib/openflow/actions.h"

#include "lib/base/error.h"
#include "lib/openflow/wire.h"
#include "lib/packet/headers.h"

struct checker {
    struct fields fields;          /* What is known of a packet that comes by here; zero: nothing. */
    uint8_t table, n_tables;
    bool lenient;                  /* OpenFlow 1.0: classic actions do nothing to packets that they do not fit. */
};

static struct error *check_list(struct checker *, const struct ofact_list *, bool action_set);

static struct error *inconsistent(const struct ofact *a, const char *need)
{
    return error_new(OFPERR_OFPBAC_MATCH_INCONSISTENT, "action %s: the match does not promise %s",
                     ofact_name(a->type), need);
}

static bool has_tag(const struct checker *c)
{
    return c->fields.key.l2.vlan[0].tci & htobe16(VLAN_CFI);
}

static void push_tag(struct checker *c)
{
    c->fields.key.l2.vlan[0].tci |= htobe16(VLAN_CFI);
}

static struct error *check_port(const struct checker *c, const struct ofact *a, ofp_port port)
{
    if (port == OFPP_NONE || port == 0 || (port > OFPP_LAST_USABLE && port < OFPP_IN_PORT)) {
        return error_new(OFPERR_OFPBAC_BAD_OUT_PORT, "action %s: there can be no port %u", ofact_name(a->type), port);
    }
    if (port == OFPP_TABLE && c->table != 0xff) {
        return error_new(OFPERR_OFPBAC_BAD_OUT_PORT, "action %s: port TABLE is for packet-outs; a rule says resubmit "
                         "or goto_table", ofact_name(a->type));
    }
    return NULL;
}

static struct error *check_field(const struct checker *c, const struct ofact *a, const struct field *f, bool write)
{
    if (!field_prerequisite_holds(f, &c->fields, NULL)) {
        return error_new(OFPERR_OFPBAC_MATCH_INCONSISTENT, "action %s: the match does not promise packets that have "
                         "field %s", ofact_name(a->type), f->name);
    }
    if (write && f->id == FIELD_VLAN_VID && !has_tag(c)) {
        return inconsistent(a, "a VLAN tag");
    }
    return NULL;
}

static bool is_classic_raw(unsigned raw)
{
    return (raw >= RAW_SET_DL_SRC_10 && raw <= RAW_SET_NW_TTL) || raw == RAW_NONE;
}

static struct error *check_set_field(const struct checker *c, const struct ofact_set_field *s)
{
    if (c->lenient && is_classic_raw(s->a.raw)) {
        return NULL;
    }
    return check_field(c, &s->a, s->field, true);
}

static bool is_ip(const struct checker *c)
{
    be16 type = c->fields.key.l2.type;
    return type == htobe16(ETH_TYPE_IP4) || type == htobe16(ETH_TYPE_IP6);
}

static struct error *check_l4(const struct checker *c, const struct ofact *a)
{
    uint8_t proto = c->fields.key.l3.proto;
    bool fits = is_ip(c) && (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP);
    return fits || c->lenient ? NULL : inconsistent(a, "TCP, UDP or SCTP");
}

static struct error *check_vlan(struct checker *c, const struct ofact_vlan *v)
{
    if (!has_tag(c) && !v->push) {
        return inconsistent(&v->a, "a VLAN tag");
    }
    push_tag(c);
    return NULL;
}

/* The learnt rule's own match must hold together too. */
static struct error *check_learn(const struct checker *c, const struct ofact_learn *l)
{
    struct fields learnt;
    memset(&learnt, 0, sizeof learnt);
    struct error *error = NULL;
    for (unsigned i = 0; i < l->n_specs && !error; i++) {
        const struct ofact_learn_spec *spec = &l->specs[i];
        if (spec->src_kind == LEARN_SRC_FIELD) {
            error = check_field(c, &l->a, spec->src.field, false);
        }
        if (error || spec->dst_kind == LEARN_DST_OUTPUT) {
            continue;
        }
        if (!field_prerequisite_holds(spec->dst.field, &learnt, NULL)) {
            return error_new(OFPERR_OFPBAC_MATCH_INCONSISTENT, "action learn: the learnt rule does not match what "
                             "field %s needs", spec->dst.field->name);
        }
        if (spec->dst_kind == LEARN_DST_MATCH && spec->src_kind == LEARN_SRC_VALUE) {
            subfield_set(&spec->dst, &spec->value, &learnt);
        }
    }
    return error;
}

static struct error *check_nested(struct checker *c, const struct ofact *a, bool action_set)
{
    struct ofact_list nested = ofact_nested_list(a);
    struct checker inner = *c;
    return check_list(&inner, &nested, action_set);
}

static struct error *check_action(struct checker *c, const struct ofact *a)
{
    switch ((enum ofact_type) a->type) {
    case OFACT_OUTPUT: return check_port(c, a, ((const struct ofact_output *) a)->port);
    case OFACT_OUTPUT_TRUNC: {
        ofp_port port = ((const struct ofact_output_trunc *) a)->port;
        if (port >= OFPP_MAX && port != OFPP_LOCAL && port != OFPP_IN_PORT) {
            return error_new(OFPERR_OFPBAC_BAD_OUT_PORT, "action output with max_len: only to a port, LOCAL or IN_PORT");
        }
        return check_port(c, a, port);
    }
    case OFACT_ENQUEUE: {
        ofp_port port = ((const struct ofact_enqueue *) a)->port;
        if (port >= OFPP_MAX && port != OFPP_LOCAL && port != OFPP_IN_PORT) {
            return error_new(OFPERR_OFPBAC_BAD_OUT_PORT, "action enqueue: only to a port, LOCAL or IN_PORT");
        }
        return check_port(c, a, port);
    }
    case OFACT_OUTPUT_REG: return check_field(c, a, ((const struct ofact_output_reg *) a)->src.field, false);
    case OFACT_SET_FIELD: return check_set_field(c, (const struct ofact_set_field *) a);
    case OFACT_SET_L4_SRC:
    case OFACT_SET_L4_DST: return check_l4(c, a);
    case OFACT_SET_VLAN_VID:
    case OFACT_SET_VLAN_PCP: return check_vlan(c, (const struct ofact_vlan *) a);
    case OFACT_PUSH_VLAN:
        push_tag(c);
        return NULL;
    case OFACT_POP_VLAN:
        if (!has_tag(c) && !c->lenient) {
            return inconsistent(a, "a VLAN tag");
        }
        memset(&c->fields.key.l2.vlan[0], 0, sizeof c->fields.key.l2.vlan[0]);
        return NULL;
    case OFACT_MOVE: {
        const struct ofact_move *m = (const struct ofact_move *) a;
        struct error *error = check_field(c, a, m->src.field, false);
        return error ? error : check_field(c, a, m->dst.field, true);
    }
    case OFACT_DEC_TTL: return is_ip(c) || c->lenient ? NULL : inconsistent(a, "IPv4 or IPv6");
    case OFACT_LEARN: return check_learn(c, (const struct ofact_learn *) a);
    case OFACT_CLONE: return check_nested(c, a, false);
    case OFACT_WRITE_ACTIONS: return check_nested(c, a, true);
    case OFACT_GOTO_TABLE: {
        uint8_t table = ((const struct ofact_goto_table *) a)->table;
        if (c->table == 0xff || table <= c->table || table >= c->n_tables) {
            return error_new(OFPERR_OFPBIC_BAD_TABLE_ID, "goto_table: from table %u to %u; only later tables below %u",
                             c->table, table, c->n_tables);
        }
        return NULL;
    }
    case OFACT_CONTROLLER:
    case OFACT_GROUP:
    case OFACT_SET_TUNNEL:
    case OFACT_SET_QUEUE:
    case OFACT_POP_QUEUE:
    case OFACT_RESUBMIT:
    case OFACT_NOTE:
    case OFACT_EXIT:
    case OFACT_METER:
    case OFACT_APPLY_ACTIONS:
    case OFACT_CLEAR_ACTIONS:
    case OFACT_WRITE_METADATA:
    case OFACT_NONE:
    case OFACT_N:
        break;
    }
    return NULL;
}

static struct error *check_list(struct checker *c, const struct ofact_list *list, bool action_set)
{
    const struct ofact *a;
    OFACT_FOR_EACH (a, list) {
        if (action_set && ofact_rows[a->type].place <= 0) {
            return error_new(OFPERR_OFPBAC_BAD_TYPE, "write_actions: %s cannot be in an action set",
                             ofact_name(a->type));
        }
        struct error *error = check_action(c, a);
        if (error) {
            return error;
        }
    }
    return NULL;
}

struct error *ofacts_check(const struct ofact_list *list, const struct fields *match_value,
                           const struct fields *match_mask, uint8_t table, uint8_t n_tables, enum ofp_version version)
{
    struct checker c = { .fields = *match_value, .table = table, .n_tables = n_tables, .lenient = version == OFP10 };
    (void) match_mask;   /* Where it is zero the value is, and zero promises nothing. */
    return check_list(&c, list, false);
}
