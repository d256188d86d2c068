/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions to the wire, in the words of each version. */
#include "lib/openflow/actions.h"
#include "lib/openflow/wire.h"
#include "lib/packet/headers.h"

static void encode_list(const struct ofact_list *, enum ofp_version, struct buffer *);

static size_t begin_action(struct buffer *b, enum ofact_raw raw)
{
    const struct ofact_encoding *e = &ofact_encodings[raw];
    size_t begin = b->len;
    bool vendor = e->kind == OFACT_KIND_NX || e->kind == OFACT_KIND_ONF;
    buffer_put_be16(b, vendor ? 0xffff : e->number);
    buffer_put_be16(b, 0);
    if (vendor) {
        buffer_put_be32(b, e->kind == OFACT_KIND_NX ? OFP_VENDOR_NX : OFP_VENDOR_ONF);
        buffer_put_be16(b, e->number);
    }
    return begin;
}

static void end_action(struct buffer *b, size_t begin)
{
    buffer_pad(b, begin, 8);
    put_be16(b->data + begin + 2, b->len - begin);
}

static void put_empty(struct buffer *b, enum ofact_raw raw)
{
    end_action(b, begin_action(b, raw));
}

static void put_number(struct buffer *b, enum ofact_raw raw, unsigned pad, unsigned n_bytes, uint64_t value)
{
    size_t begin = begin_action(b, raw);
    buffer_put_zeros(b, pad);
    be64 wire = htobe64(value);
    buffer_put(b, (uint8_t *) &wire + 8 - n_bytes, n_bytes);
    end_action(b, begin);
}

static bool raw_fits(enum ofact_raw raw, enum ofact_type type, enum ofp_version version)
{
    return raw > RAW_NONE && raw < RAW_N && ofact_encodings[raw].type == type && ofact_encodings[raw].first <= version
           && version <= ofact_encodings[raw].last;
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

static void put_reg_load(struct buffer *b, const struct field *f, unsigned ofs, unsigned n, uint64_t value,
                         enum ofp_version version)
{
    size_t begin = begin_action(b, RAW_REG_LOAD);
    buffer_put_be16(b, ofs << 6 | (n - 1));
    nxm_put_header(b, f, false, version);
    buffer_put_be64(b, value);
    end_action(b, begin);
}

/* Runs of set bits of the mask, each at most 64 bits, as loads. */
static void put_reg_loads(struct buffer *b, const struct ofact_set_field *s, enum ofp_version version)
{
    const struct field *f = s->field;
    for (unsigned bit = 0; bit < f->n_bits; bit++) {
        unsigned n = 0;
        while (n < 64 && bit + n < f->n_bits && mask_bit(s, bit + n)) {
            n++;
        }
        if (n) {
            put_reg_load(b, f, bit, n, value_bits(s, bit, n), version);
            bit += n - 1;
        }
    }
}

static bool put_set_field_10(struct buffer *b, const struct ofact_set_field *s)
{
    if (!s->masked && s->field->id == FIELD_VLAN_VID) {
        put_number(b, RAW_SET_VLAN_VID_10, 0, 2, get_be16(s->value.b) & VLAN_VID_MASK);
        return true;
    }
    if (!s->masked && s->field->id == FIELD_VLAN_PCP) {
        put_number(b, RAW_SET_VLAN_PCP_10, 0, 1, s->value.b[0]);
        return true;
    }
    static const struct { enum field_id id; enum ofact_raw raw; } rows[] = {
        { FIELD_ETH_SRC, RAW_SET_DL_SRC_10 }, { FIELD_ETH_DST, RAW_SET_DL_DST_10 },
        { FIELD_IPV4_SRC, RAW_SET_NW_SRC_10 }, { FIELD_IPV4_DST, RAW_SET_NW_DST_10 },
        { FIELD_NW_TOS, RAW_SET_NW_TOS_10 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows) && !s->masked; i++) {
        if (rows[i].id == s->field->id) {
            size_t begin = begin_action(b, rows[i].raw);
            buffer_put(b, s->value.b, s->field->n_bytes);
            end_action(b, begin);
            return true;
        }
    }
    return false;
}

static void put_oxm_action(struct buffer *b, const struct ofact_set_field *s, const struct field *f,
                           enum ofp_version version)
{
    size_t begin = begin_action(b, RAW_SET_FIELD);
    nxm_put_entry(b, f, &s->value, s->masked ? &s->mask : NULL, version);
    end_action(b, begin);
}

static void encode_set_field(struct buffer *b, const struct ofact_set_field *s, enum ofp_version version)
{
    if (s->a.raw == RAW_REG_LOAD && version < OFP15) {
        put_reg_loads(b, s, version);
        return;
    }
    if (s->a.raw == RAW_SET_NW_TTL && version >= OFP11) {
        put_number(b, RAW_SET_NW_TTL, 0, 1, s->value.b[0]);
        return;
    }
    if (version < OFP12) {
        if (s->a.raw == RAW_REG_LOAD2) {
            size_t begin = begin_action(b, RAW_REG_LOAD2);
            nxm_put_entry(b, s->field, &s->value, s->masked ? &s->mask : NULL, version);
            end_action(b, begin);
        } else if (!put_set_field_10(b, s)) {
            put_reg_loads(b, s, version);
        }
        return;
    }
    if (s->field->id == FIELD_NW_TOS && !s->masked) {
        struct ofact_set_field dscp = *s;
        dscp.value.b[0] >>= 2;
        put_oxm_action(b, &dscp, field_by_id(FIELD_IP_DSCP), version);
    } else if (s->masked && version < OFP15) {
        put_reg_loads(b, s, version);
    } else {
        put_oxm_action(b, s, s->field, version);
    }
}

static void put_push_vlan(struct buffer *b, unsigned tpid)
{
    put_number(b, RAW_PUSH_VLAN, 0, 2, tpid);
}

static void encode_vlan(struct buffer *b, const struct ofact_vlan *v, enum ofp_version version)
{
    bool vid = v->a.type == OFACT_SET_VLAN_VID;
    if (version < OFP12) {
        put_number(b, vid ? RAW_SET_VLAN_VID_10 : RAW_SET_VLAN_PCP_10, 0, vid ? 2 : 1, v->value);
        return;
    }
    if (v->push && !v->has_tag) {
        put_push_vlan(b, ETH_TYPE_VLAN);
    }
    struct ofact_set_field s = { .field = field_by_id(vid ? FIELD_VLAN_VID : FIELD_VLAN_PCP) };
    if (vid) {
        put_be16(s.value.b, v->value | VLAN_CFI);
    } else {
        s.value.b[0] = v->value;
    }
    put_oxm_action(b, &s, s.field, version);
}

static void encode_l4_port(struct buffer *b, const struct ofact_l4_port *l, enum ofp_version version)
{
    bool src = l->a.type == OFACT_SET_L4_SRC;
    enum field_id id = l->proto == IP_PROTO_TCP ? (src ? FIELD_TCP_SRC : FIELD_TCP_DST)
                       : l->proto == IP_PROTO_UDP ? (src ? FIELD_UDP_SRC : FIELD_UDP_DST)
                       : l->proto == IP_PROTO_SCTP ? (src ? FIELD_SCTP_SRC : FIELD_SCTP_DST) : FIELD_N;
    if (version < OFP12 || id == FIELD_N) {
        put_number(b, version < OFP11 ? (src ? RAW_SET_TP_SRC_10 : RAW_SET_TP_DST_10)
                                      : (src ? RAW_SET_TP_SRC : RAW_SET_TP_DST), 0, 2, l->port);
        return;
    }
    struct ofact_set_field s = { .field = field_by_id(id) };
    put_be16(s.value.b, l->port);
    put_oxm_action(b, &s, s.field, version);
}

/* ---- Others ---- */

static void encode_output(struct buffer *b, ofp_port port, uint16_t max_len, enum ofp_version version)
{
    size_t begin = begin_action(b, version == OFP10 ? RAW_OUTPUT_10 : RAW_OUTPUT);
    ofp_put_port(b, version, port);
    buffer_put_be16(b, port == OFPP_CONTROLLER || version == OFP10 ? max_len : 0);
    end_action(b, begin);
}

static void put_property_u16(struct buffer *b, uint16_t type, uint16_t value)
{
    size_t begin = ofp_begin_property(b, type);
    buffer_put_be16(b, value);
    ofp_finish_property(b, begin);
}

static void encode_controller(struct buffer *b, const struct ofact_controller *c)
{
    if (!c->userdata_len && c->a.raw != RAW_CONTROLLER2) {
        size_t begin = begin_action(b, RAW_CONTROLLER);
        buffer_put_be16(b, c->max_len);
        buffer_put_be16(b, c->controller_id);
        buffer_put_u8(b, c->reason);
        end_action(b, begin);
        return;
    }
    size_t begin = begin_action(b, RAW_CONTROLLER2);
    buffer_put_zeros(b, 6);
    if (c->max_len != 0xffff) {
        put_property_u16(b, 0, c->max_len);
    }
    if (c->controller_id) {
        put_property_u16(b, 1, c->controller_id);
    }
    if (c->reason != OFPR_ACTION) {
        size_t p = ofp_begin_property(b, 2);
        buffer_put_u8(b, c->reason);
        ofp_finish_property(b, p);
    }
    if (c->userdata_len) {
        size_t p = ofp_begin_property(b, 3);
        buffer_put(b, c->userdata, c->userdata_len);
        ofp_finish_property(b, p);
    }
    end_action(b, begin);
}

static void encode_output_reg(struct buffer *b, const struct ofact_output_reg *o, enum ofp_version version)
{
    /* The second form has room for a longer header. */
    bool second = o->a.raw == RAW_OUTPUT_REG2;
    size_t begin = begin_action(b, second ? RAW_OUTPUT_REG2 : RAW_OUTPUT_REG);
    buffer_put_be16(b, o->src.ofs << 6 | (o->src.n_bits - 1));
    if (second) {
        buffer_put_be16(b, o->max_len);
        nxm_put_header(b, o->src.field, false, version);
        buffer_pad(b, begin, 24);
    } else {
        nxm_put_header(b, o->src.field, false, version);
        buffer_put_be16(b, o->max_len);
    }
    end_action(b, begin);
}

static void encode_move(struct buffer *b, const struct ofact_move *m, enum ofp_version version)
{
    enum ofact_raw raw = version >= OFP15 ? RAW_COPY_FIELD
                         : raw_fits(m->a.raw, OFACT_MOVE, version) ? m->a.raw : RAW_REG_MOVE;
    size_t begin = begin_action(b, raw);
    if (raw == RAW_ONF_COPY_FIELD) {
        buffer_put_be16(b, 0);
    }
    buffer_put_be16(b, m->src.n_bits);
    buffer_put_be16(b, m->src.ofs);
    buffer_put_be16(b, m->dst.ofs);
    if (raw != RAW_REG_MOVE) {
        buffer_put_be16(b, 0);
    }
    nxm_put_header(b, m->src.field, false, version);
    nxm_put_header(b, m->dst.field, false, version);
    end_action(b, begin);
}

static void encode_set_tunnel(struct buffer *b, const struct ofact_tunnel *t, enum ofp_version version)
{
    if (version >= OFP12 && !raw_fits(t->a.raw, OFACT_SET_TUNNEL, version)) {
        struct ofact_set_field s = { .field = field_by_id(FIELD_TUN_ID) };
        s.value.be64 = htobe64(t->id);
        put_oxm_action(b, &s, s.field, version);
    } else if (t->wide || t->id > UINT32_MAX) {
        put_number(b, RAW_SET_TUNNEL64, 6, 8, t->id);
    } else {
        put_number(b, RAW_SET_TUNNEL, 2, 4, t->id);
    }
}

static void encode_dec_ttl(struct buffer *b, const struct ofact_dec_ttl *d, enum ofp_version version)
{
    if (!d->n_ids) {
        put_empty(b, version == OFP10 ? RAW_NX_DEC_TTL : RAW_DEC_TTL);
        return;
    }
    size_t begin = begin_action(b, RAW_DEC_TTL_IDS);
    buffer_put_be16(b, d->n_ids);
    buffer_put_be32(b, 0);
    for (unsigned i = 0; i < d->n_ids; i++) {
        buffer_put_be16(b, d->ids[i]);
    }
    end_action(b, begin);
}

static void encode_learn_spec(struct buffer *b, const struct ofact_learn_spec *spec, enum ofp_version version)
{
    buffer_put_be16(b, spec->n_bits | spec->dst_kind << 11 | (spec->src_kind == LEARN_SRC_VALUE ? 1 << 13 : 0));
    if (spec->src_kind == LEARN_SRC_VALUE) {
        unsigned n = 2 * DIV_ROUND_UP(spec->n_bits, 16);
        buffer_put(b, spec->value.b + 16 - n, n);
    } else {
        nxm_put_header(b, spec->src.field, false, version);
        buffer_put_be16(b, spec->src.ofs);
    }
    if (spec->dst_kind != LEARN_DST_OUTPUT) {
        nxm_put_header(b, spec->dst.field, false, version);
        buffer_put_be16(b, spec->dst.ofs);
    }
}

static void encode_learn(struct buffer *b, const struct ofact_learn *l, enum ofp_version version)
{
    size_t begin = begin_action(b, RAW_LEARN);
    buffer_put_be16(b, l->idle_timeout);
    buffer_put_be16(b, l->hard_timeout);
    buffer_put_be16(b, l->priority);
    buffer_put_be64(b, l->cookie);
    buffer_put_be16(b, l->flags);
    buffer_put_u8(b, l->table);
    buffer_put_u8(b, 0);
    buffer_put_be16(b, l->fin_idle_timeout);
    buffer_put_be16(b, l->fin_hard_timeout);
    for (unsigned i = 0; i < l->n_specs; i++) {
        encode_learn_spec(b, &l->specs[i], version);
    }
    end_action(b, begin);
}

static void encode_enqueue(struct buffer *b, const struct ofact_enqueue *e, enum ofp_version version)
{
    if (version == OFP10) {
        size_t begin = begin_action(b, RAW_ENQUEUE);
        buffer_put_be16(b, ofp_port_to_10(e->port));
        buffer_put_zeros(b, 6);
        buffer_put_be32(b, e->queue);
        end_action(b, begin);
    } else {
        put_number(b, RAW_SET_QUEUE, 0, 4, e->queue);
        encode_output(b, e->port, 0, version);
        put_empty(b, RAW_POP_QUEUE);
    }
}

static void encode_action(const struct ofact *a, enum ofp_version version, struct buffer *b)
{
    size_t begin;
    switch ((enum ofact_type) a->type) {
    case OFACT_OUTPUT: {
        const struct ofact_output *o = (const struct ofact_output *) a;
        encode_output(b, o->port, o->max_len, version);
        break;
    }
    case OFACT_CONTROLLER: encode_controller(b, (const struct ofact_controller *) a); break;
    case OFACT_ENQUEUE: encode_enqueue(b, (const struct ofact_enqueue *) a, version); break;
    case OFACT_OUTPUT_REG: encode_output_reg(b, (const struct ofact_output_reg *) a, version); break;
    case OFACT_OUTPUT_TRUNC: {
        const struct ofact_output_trunc *o = (const struct ofact_output_trunc *) a;
        begin = begin_action(b, RAW_OUTPUT_TRUNC);
        buffer_put_be16(b, ofp_port_to_10(o->port));
        buffer_put_be32(b, o->max_len);
        end_action(b, begin);
        break;
    }
    case OFACT_GROUP:
        put_number(b, version == OFP10 ? RAW_NX_GROUP : RAW_GROUP, version == OFP10 ? 2 : 0, 4,
                   ((const struct ofact_group *) a)->group_id);
        break;
    case OFACT_SET_VLAN_VID:
    case OFACT_SET_VLAN_PCP:
        encode_vlan(b, (const struct ofact_vlan *) a, version);
        break;
    case OFACT_POP_VLAN: put_empty(b, version == OFP10 ? RAW_STRIP_VLAN : RAW_POP_VLAN); break;
    case OFACT_PUSH_VLAN:
        if (version > OFP10) {   /* 1.0 has no word for it. */
            put_push_vlan(b, be16toh(((const struct ofact_push_vlan *) a)->tpid));
        }
        break;
    case OFACT_SET_FIELD: encode_set_field(b, (const struct ofact_set_field *) a, version); break;
    case OFACT_SET_L4_SRC:
    case OFACT_SET_L4_DST:
        encode_l4_port(b, (const struct ofact_l4_port *) a, version);
        break;
    case OFACT_MOVE: encode_move(b, (const struct ofact_move *) a, version); break;
    case OFACT_SET_TUNNEL: encode_set_tunnel(b, (const struct ofact_tunnel *) a, version); break;
    case OFACT_SET_QUEUE:
        put_number(b, version == OFP10 ? RAW_NX_SET_QUEUE : RAW_SET_QUEUE, version == OFP10 ? 2 : 0, 4,
                   ((const struct ofact_set_queue *) a)->queue);
        break;
    case OFACT_POP_QUEUE: put_empty(b, RAW_POP_QUEUE); break;
    case OFACT_EXIT: put_empty(b, RAW_EXIT); break;
    case OFACT_DEC_TTL: encode_dec_ttl(b, (const struct ofact_dec_ttl *) a, version); break;
    case OFACT_RESUBMIT: {
        const struct ofact_resubmit *o = (const struct ofact_resubmit *) a;
        bool table = o->table != 0xff || o->in_port == OFPP_IN_PORT || o->a.raw == RAW_RESUBMIT_TABLE;
        begin = begin_action(b, table ? RAW_RESUBMIT_TABLE : RAW_RESUBMIT);
        buffer_put_be16(b, ofp_port_to_10(o->in_port));
        if (table) {
            buffer_put_u8(b, o->table);
        }
        end_action(b, begin);
        break;
    }
    case OFACT_LEARN: encode_learn(b, (const struct ofact_learn *) a, version); break;
    case OFACT_NOTE: {
        const struct ofact_note *o = (const struct ofact_note *) a;
        begin = begin_action(b, RAW_NOTE);
        buffer_put(b, o->data, o->n);
        end_action(b, begin);
        break;
    }
    case OFACT_CLONE: {
        struct ofact_list nested = ofact_nested_list(a);
        begin = begin_action(b, RAW_CLONE);
        buffer_put_zeros(b, 6);
        encode_list(&nested, version, b);
        end_action(b, begin);
        break;
    }
    case OFACT_METER:
        if (version >= OFP15) {
            put_number(b, RAW_METER_ACTION, 0, 4, ((const struct ofact_meter *) a)->meter_id);
        }
        break;
    case OFACT_WRITE_METADATA:
        if (version == OFP10) {
            const struct ofact_metadata *m = (const struct ofact_metadata *) a;
            begin = begin_action(b, RAW_NX_WRITE_METADATA);
            buffer_put_zeros(b, 6);
            buffer_put(b, &m->value, 8);
            buffer_put(b, &m->mask, 8);
            end_action(b, begin);
        }
        break;
    case OFACT_GOTO_TABLE:
        if (version == OFP10) {   /* The nearest that it can say. */
            begin = begin_action(b, RAW_RESUBMIT_TABLE);
            buffer_put_be16(b, ofp_port_to_10(OFPP_IN_PORT));
            buffer_put_u8(b, ((const struct ofact_goto_table *) a)->table);
            end_action(b, begin);
        }
        break;
    case OFACT_APPLY_ACTIONS:
    case OFACT_CLEAR_ACTIONS:
    case OFACT_WRITE_ACTIONS:
    case OFACT_NONE:
    case OFACT_N:
        break;   /* Instructions: OpenFlow 1.0 has no word for them. */
    }
}

static void encode_list(const struct ofact_list *list, enum ofp_version version, struct buffer *b)
{
    const struct ofact *a;
    OFACT_FOR_EACH (a, list) {
        encode_action(a, version, b);
    }
}

static bool is_instruction(const struct ofact *a, enum ofp_version version)
{
    switch (a->type) {
    case OFACT_METER: return version < OFP15;
    case OFACT_CLEAR_ACTIONS:
    case OFACT_WRITE_ACTIONS:
    case OFACT_WRITE_METADATA:
    case OFACT_GOTO_TABLE: return true;
    default: return false;
    }
}

static void encode_instruction(const struct ofact *a, enum ofp_version version, struct buffer *b)
{
    size_t begin;
    switch (a->type) {
    case OFACT_METER: put_number(b, RAW_METER, 0, 4, ((const struct ofact_meter *) a)->meter_id); break;
    case OFACT_CLEAR_ACTIONS: put_empty(b, RAW_CLEAR_ACTIONS); break;
    case OFACT_WRITE_ACTIONS: {
        struct ofact_list nested = ofact_nested_list(a);
        begin = begin_action(b, RAW_WRITE_ACTIONS);
        buffer_put_be32(b, 0);
        encode_list(&nested, version, b);
        end_action(b, begin);
        break;
    }
    case OFACT_WRITE_METADATA: {
        const struct ofact_metadata *m = (const struct ofact_metadata *) a;
        begin = begin_action(b, RAW_WRITE_METADATA);
        buffer_put_be32(b, 0);
        buffer_put(b, &m->value, 8);
        buffer_put(b, &m->mask, 8);
        end_action(b, begin);
        break;
    }
    case OFACT_GOTO_TABLE: put_number(b, RAW_GOTO_TABLE, 0, 1, ((const struct ofact_goto_table *) a)->table); break;
    default: break;
    }
}

static void encode_instructions(const struct ofact_list *list, enum ofp_version version, struct buffer *b)
{
    const struct ofact *a;
    size_t apply = SIZE_MAX;
    OFACT_FOR_EACH (a, list) {
        if (is_instruction(a, version)) {
            if (apply != SIZE_MAX) {
                end_action(b, apply);
                apply = SIZE_MAX;
            }
            encode_instruction(a, version, b);
        } else {
            if (apply == SIZE_MAX) {
                apply = begin_action(b, RAW_APPLY_ACTIONS);
                buffer_put_be32(b, 0);
            }
            encode_action(a, version, b);
        }
    }
    if (apply != SIZE_MAX) {
        end_action(b, apply);
    }
}

void ofacts_encode(const struct ofact_list *list, enum ofp_version version, bool instructions, struct buffer *out)
{
    if (instructions) {
        encode_instructions(list, version, out);
    } else {
        encode_list(list, version, out);
    }
}
