/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions from the wire. */
#include "lib/openflow/actions.h"

#include "lib/base/error.h"
#include "lib/openflow/ofact_text.h"
#include "lib/openflow/wire.h"
#include "lib/packet/headers.h"

enum { TYPE_EXPERIMENTER = 0xffff, MAX_NESTING = 16 };

static struct error *decode_list(struct reader r, enum ofp_version, struct buffer *out, int depth);

static struct error *bad_argument(const char *what, const char *why)
{
    return error_new(OFPERR_OFPBAC_BAD_ARGUMENT, "action %s: %s", what, why);
}

/* ---- Setting fields ---- */

static struct ofact_set_field *put_set_field(struct buffer *out, const struct field *f)
{
    struct ofact_set_field *s = ofact_put(out, OFACT_SET_FIELD, sizeof *s);
    s->field = f;
    return s;
}

static struct error *decode_mac(struct reader *r, enum field_id id, struct buffer *out)
{
    struct ofact_set_field *s = put_set_field(out, field_by_id(id));
    memcpy(s->value.b, reader_get(r, 6), 6);
    return NULL;
}

static struct error *decode_ip(struct reader *r, enum field_id id, struct buffer *out)
{
    struct ofact_set_field *s = put_set_field(out, field_by_id(id));
    memcpy(s->value.b, reader_get(r, 4), 4);
    return NULL;
}

static struct error *decode_byte(struct reader *r, enum field_id id, uint8_t valid, struct buffer *out)
{
    struct ofact_set_field *s = put_set_field(out, field_by_id(id));
    s->value.b[0] = reader_u8(r);
    return s->value.b[0] & ~valid ? bad_argument(s->field->name, "the value is out of range") : NULL;
}

/* An OXM with value and, where allowed, mask, padded with zeros to the action's end. */
static struct error *decode_oxm(struct reader *r, bool may_mask, struct buffer *out)
{
    const struct field *f;
    bool masked = false;
    size_t payload;
    struct error *error = nxm_pull_header(r, &f, may_mask ? &masked : NULL, &payload);
    if (error) {
        return error;
    }
    if (payload > reader_left(r)) {
        return error_new(OFPERR_OFPBAC_BAD_LEN, "action set_field: the value is cut short");
    }
    if (!f->writable) {
        return error_new(OFPERR_OFPBAC_BAD_SET_ARGUMENT, "action set_field: field %s cannot be set", f->name);
    }
    struct ofact_set_field *s = put_set_field(out, f);
    memcpy(s->value.b, reader_get(r, f->n_bytes), f->n_bytes);
    if (masked) {
        memcpy(s->mask.b, reader_get(r, f->n_bytes), f->n_bytes);
        s->masked = true;
        if (!f->maskable && !ofp_is_zero(s->mask.b, f->n_bytes)) {
            union field_value ones;
            memset(&ones, 0, sizeof ones);
            field_all_ones(f, &ones);
            if (memcmp(ones.b, s->mask.b, f->n_bytes)) {
                return error_new(OFPERR_OFPBAC_BAD_SET_MASK, "action set_field: field %s cannot have a mask", f->name);
            }
            s->masked = false;
        }
        for (unsigned i = 0; i < f->n_bytes; i++) {
            if (s->value.b[i] & ~s->mask.b[i] && s->masked) {
                return error_new(OFPERR_OFPBAC_BAD_SET_ARGUMENT, "action set_field: field %s has bits outside of its "
                                 "mask", f->name);
            }
        }
    }
    if (!field_value_is_valid(f, &s->value)) {
        return error_new(OFPERR_OFPBAC_BAD_SET_ARGUMENT, "action set_field: field %s cannot have this value", f->name);
    }
    return ofact_must_be_zero(r, reader_left(r), "set_field");
}

/* Puts the low n_bits of 'value' at the subfield's place; the whole field needs no mask. */
static void set_from_u64(struct ofact_set_field *s, const struct subfield *dst, uint64_t value)
{
    unsigned last = dst->field->n_bytes * 8 - 1;
    for (unsigned i = 0; i < dst->n_bits; i++) {
        unsigned at = last - (dst->ofs + i);
        s->mask.b[at / 8] |= 0x80 >> at % 8;
        if (i < 64 && value >> i & 1) {
            s->value.b[at / 8] |= 0x80 >> at % 8;
        }
    }
    s->masked = dst->n_bits < dst->field->n_bits;
    if (!s->masked) {
        memset(&s->mask, 0, sizeof s->mask);
    }
}

static struct error *decode_reg_load(struct reader *r, struct buffer *out)
{
    unsigned ofs_nbits = reader_be16(r);
    struct subfield dst = { NULL, ofs_nbits >> 6, (ofs_nbits & 0x3f) + 1 };
    struct error *error = nxm_pull_header(r, &dst.field, NULL, NULL);
    error = error ? error : nxm_check_subfield(&dst, true);
    if (error) {
        return error;
    }
    uint64_t value = reader_be64(r);
    if (dst.n_bits < 64 && value >> dst.n_bits) {
        return bad_argument("load", "the value has more bits than the field's part");
    }
    struct ofact_set_field *s = put_set_field(out, dst.field);
    set_from_u64(s, &dst, value);
    if (!s->masked && !field_value_is_valid(dst.field, &s->value)) {
        return error_new(OFPERR_OFPBAC_BAD_SET_ARGUMENT, "action load: field %s cannot have this value",
                         dst.field->name);
    }
    return NULL;
}

static struct error *decode_vlan(unsigned value, unsigned max, enum ofact_type type, bool push, struct buffer *out)
{
    if (value > max) {
        return bad_argument(ofact_name(type), "the value is out of range");
    }
    struct ofact_vlan *v = ofact_put(out, type, sizeof *v);
    v->value = value;
    v->push = push;
    return NULL;
}

/* ---- Moving ---- */

static struct error *decode_move(struct reader *r, enum ofact_raw raw, struct buffer *out)
{
    if (raw == RAW_ONF_COPY_FIELD) {
        reader_skip(r, 2);
    }
    unsigned n_bits = reader_be16(r), src_ofs = reader_be16(r), dst_ofs = reader_be16(r);
    if (raw != RAW_REG_MOVE) {
        reader_skip(r, 2);
    }
    struct subfield src = { NULL, src_ofs, n_bits }, dst = { NULL, dst_ofs, n_bits };
    struct error *error = nxm_pull_header(r, &src.field, NULL, NULL);
    error = error ? error : nxm_pull_header(r, &dst.field, NULL, NULL);
    error = error ? error : nxm_check_subfield(&src, false);
    error = error ? error : nxm_check_subfield(&dst, true);
    error = error ? error : ofact_must_be_zero(r, reader_left(r), "move");
    if (error) {
        return error;
    }
    struct ofact_move *m = ofact_put(out, OFACT_MOVE, sizeof *m);
    subfield_assign(&m->src, &src);
    subfield_assign(&m->dst, &dst);
    return NULL;
}

/* ---- Output ---- */

static struct error *decode_output(struct reader *r, enum ofp_version version, struct buffer *out)
{
    ofp_port port;
    struct error *error = ofp_pull_port(r, version, &port);
    if (error) {
        return error;
    }
    struct ofact_output *o = ofact_put(out, OFACT_OUTPUT, sizeof *o);
    o->port = port;
    o->max_len = reader_be16(r);
    return NULL;
}

static struct error *decode_output_reg(struct reader *r, bool second, struct buffer *out)
{
    unsigned ofs_nbits = reader_be16(r), max_len = second ? reader_be16(r) : 0;
    struct subfield src = { NULL, ofs_nbits >> 6, (ofs_nbits & 0x3f) + 1 };
    struct error *error = nxm_pull_header(r, &src.field, NULL, NULL);
    error = error ? error : nxm_check_subfield(&src, false);
    if (error) {
        return error;
    }
    if (!second) {
        max_len = reader_be16(r);
    }
    struct ofact_output_reg *o = ofact_put(out, OFACT_OUTPUT_REG, sizeof *o);
    subfield_assign(&o->src, &src);
    o->max_len = max_len;
    return ofact_must_be_zero(r, reader_left(r), "output");
}

enum { AC2_MAX_LEN, AC2_CONTROLLER_ID, AC2_REASON, AC2_USERDATA };

static struct error *decode_controller2(struct reader *r, struct buffer *out)
{
    struct ofact_controller c = { .max_len = 0xffff, .reason = OFPR_ACTION };
    const void *userdata = NULL;
    struct error *error = ofact_must_be_zero(r, 6, "controller");
    while (!error && reader_left(r)) {
        uint16_t type;
        struct reader body;
        error = ofp_pull_property(r, &type, &body);
        if (error) {
            break;
        }
        switch (type) {
        case AC2_MAX_LEN: c.max_len = reader_be16(&body); break;
        case AC2_CONTROLLER_ID: c.controller_id = reader_be16(&body); break;
        case AC2_REASON: c.reason = reader_u8(&body); break;
        case AC2_USERDATA:
            c.userdata_len = reader_left(&body);
            userdata = body.p;
            break;
        default:
            /* Pausing and meters are not done, so they are not accepted. */
            error = ofp_unknown_property(type, "action controller");
        }
        if (body.bad) {
            error_free(error);
            error = error_new(OFPERR_OFPBPC_BAD_LEN, "action controller: property %u is cut short", type);
        }
    }
    if (error) {
        return error;
    }
    struct ofact_controller *o = ofact_put(out, OFACT_CONTROLLER, sizeof c + c.userdata_len);
    c.a = o->a;
    *o = c;
    if (userdata) {
        memcpy(o->userdata, userdata, c.userdata_len);
    }
    return NULL;
}

static struct error *decode_controller(struct reader *r, struct buffer *out)
{
    struct ofact_controller *c = ofact_put(out, OFACT_CONTROLLER, sizeof *c);
    c->max_len = reader_be16(r);
    c->controller_id = reader_be16(r);
    c->reason = reader_u8(r);
    return ofact_must_be_zero(r, 1, "controller");
}

static struct error *decode_resubmit(struct reader *r, bool table, struct buffer *out)
{
    struct ofact_resubmit *o = ofact_put(out, OFACT_RESUBMIT, sizeof *o);
    o->in_port = ofp_port_from_10(reader_be16(r));
    o->table = table ? reader_u8(r) : 0xff;
    return table && !ofp_is_zero(reader_get(r, 3), 3) ? bad_argument("resubmit", "padding is not zero") : NULL;
}

static struct error *decode_dec_ttl_ids(struct reader *r, struct buffer *out)
{
    unsigned n = reader_be16(r);
    struct error *error = ofact_must_be_zero(r, 4, "dec_ttl");
    if (error) {
        return error;
    }
    if (!n) {
        return bad_argument("dec_ttl", "it names no controller");
    }
    if (n * 2 > reader_left(r)) {
        return error_new(OFPERR_OFPBAC_BAD_LEN, "action dec_ttl: cut short");
    }
    struct ofact_dec_ttl *d = ofact_put(out, OFACT_DEC_TTL, sizeof *d + 2 * n);
    d->n_ids = n;
    for (unsigned i = 0; i < n; i++) {
        d->ids[i] = reader_be16(r);
    }
    return NULL;
}

/* ---- The rest ---- */

static struct error *decode_nested(struct reader r, enum ofact_type type, enum ofp_version version, struct buffer *out,
                                   int depth)
{
    size_t begin = out->len;
    ofact_put(out, type, sizeof(struct ofact));
    struct error *error = decode_list(r, version, out, depth + 1);
    if (!error && out->len - begin > OFACT_MAX_LIST) {
        error = error_new(OFPERR_OFPBAC_TOO_MANY, "%s: too many actions inside", ofact_name(type));
    }
    if (!error) {
        ofact_finish(out, begin);
    }
    return error;
}

static void put_metadata(struct reader *r, struct buffer *out)
{
    struct ofact_metadata *m = ofact_put(out, OFACT_WRITE_METADATA, sizeof *m);
    be64 value = htobe64(reader_be64(r));
    m->mask = htobe64(reader_be64(r));
    m->value = value & m->mask;
}

static struct error *decode_raw(enum ofact_raw raw, struct reader *r, enum ofp_version version, struct buffer *out,
                                int depth)
{
    struct error *error;
    switch (raw) {
    case RAW_OUTPUT_10:
    case RAW_OUTPUT:
        return decode_output(r, version, out);
    case RAW_CONTROLLER: return decode_controller(r, out);
    case RAW_CONTROLLER2: return decode_controller2(r, out);
    case RAW_ENQUEUE: {
        struct ofact_enqueue *e = ofact_put(out, OFACT_ENQUEUE, sizeof *e);
        e->port = ofp_port_from_10(reader_be16(r));
        reader_skip(r, 6);
        e->queue = reader_be32(r);
        return NULL;
    }
    case RAW_OUTPUT_REG: return decode_output_reg(r, false, out);
    case RAW_OUTPUT_REG2: return decode_output_reg(r, true, out);
    case RAW_OUTPUT_TRUNC: {
        struct ofact_output_trunc *o = ofact_put(out, OFACT_OUTPUT_TRUNC, sizeof *o);
        o->port = ofp_port_from_10(reader_be16(r));
        o->max_len = reader_be32(r);
        return o->max_len < 14 ? bad_argument("output", "max_len is below 14 bytes") : NULL;
    }
    case RAW_NX_GROUP:
        reader_skip(r, 2);
        /* fall through */
    case RAW_GROUP:
        ((struct ofact_group *) ofact_put(out, OFACT_GROUP, sizeof(struct ofact_group)))->group_id = reader_be32(r);
        return NULL;
    case RAW_SET_VLAN_VID_10:
    case RAW_SET_VLAN_VID:
        return decode_vlan(reader_be16(r), 0xfff, OFACT_SET_VLAN_VID, raw == RAW_SET_VLAN_VID_10, out);
    case RAW_SET_VLAN_PCP_10:
    case RAW_SET_VLAN_PCP:
        return decode_vlan(reader_u8(r), 7, OFACT_SET_VLAN_PCP, raw == RAW_SET_VLAN_PCP_10, out);
    case RAW_STRIP_VLAN:
    case RAW_POP_VLAN:
        ofact_put(out, OFACT_POP_VLAN, sizeof(struct ofact));
        return NULL;
    case RAW_PUSH_VLAN: {
        unsigned tpid = reader_be16(r);
        if (tpid != ETH_TYPE_VLAN && tpid != ETH_TYPE_SVLAN) {
            return bad_argument("push_vlan", "the type is neither 0x8100 nor 0x88a8");
        }
        ((struct ofact_push_vlan *) ofact_put(out, OFACT_PUSH_VLAN, sizeof(struct ofact_push_vlan)))->tpid
            = htobe16(tpid);
        return NULL;
    }
    case RAW_SET_FIELD: return decode_oxm(r, version >= OFP15, out);
    case RAW_REG_LOAD: return decode_reg_load(r, out);
    case RAW_REG_LOAD2: return decode_oxm(r, true, out);
    case RAW_SET_DL_SRC_10:
    case RAW_SET_DL_SRC:
        return decode_mac(r, FIELD_ETH_SRC, out);
    case RAW_SET_DL_DST_10:
    case RAW_SET_DL_DST:
        return decode_mac(r, FIELD_ETH_DST, out);
    case RAW_SET_NW_SRC_10:
    case RAW_SET_NW_SRC:
        return decode_ip(r, FIELD_IPV4_SRC, out);
    case RAW_SET_NW_DST_10:
    case RAW_SET_NW_DST:
        return decode_ip(r, FIELD_IPV4_DST, out);
    case RAW_SET_NW_TOS_10:
    case RAW_SET_NW_TOS:
        return decode_byte(r, FIELD_NW_TOS, 0xfc, out);
    case RAW_SET_NW_ECN: return decode_byte(r, FIELD_IP_ECN, 3, out);
    case RAW_SET_NW_TTL: return decode_byte(r, FIELD_IP_TTL, 0xff, out);
    case RAW_SET_TP_SRC_10:
    case RAW_SET_TP_SRC:
    case RAW_SET_TP_DST_10:
    case RAW_SET_TP_DST: {
        struct ofact_l4_port *l = ofact_put(out, ofact_encodings[raw].type, sizeof *l);
        l->port = reader_be16(r);
        return NULL;
    }
    case RAW_COPY_FIELD:
    case RAW_ONF_COPY_FIELD:
    case RAW_REG_MOVE:
        return decode_move(r, raw, out);
    case RAW_SET_TUNNEL:
    case RAW_SET_TUNNEL64: {
        struct ofact_tunnel *t = ofact_put(out, OFACT_SET_TUNNEL, sizeof *t);
        t->wide = raw == RAW_SET_TUNNEL64;
        reader_skip(r, t->wide ? 6 : 2);
        t->id = t->wide ? reader_be64(r) : reader_be32(r);
        return NULL;
    }
    case RAW_NX_SET_QUEUE:
        reader_skip(r, 2);
        /* fall through */
    case RAW_SET_QUEUE:
        ((struct ofact_set_queue *) ofact_put(out, OFACT_SET_QUEUE, sizeof(struct ofact_set_queue)))->queue
            = reader_be32(r);
        return NULL;
    case RAW_POP_QUEUE:
    case RAW_EXIT:
        ofact_put(out, ofact_encodings[raw].type, sizeof(struct ofact));
        return NULL;
    case RAW_DEC_TTL:
    case RAW_NX_DEC_TTL:
        ofact_put(out, OFACT_DEC_TTL, sizeof(struct ofact_dec_ttl));
        return NULL;
    case RAW_DEC_TTL_IDS: return decode_dec_ttl_ids(r, out);
    case RAW_RESUBMIT: return decode_resubmit(r, false, out);
    case RAW_RESUBMIT_TABLE: return decode_resubmit(r, true, out);
    case RAW_LEARN: return ofact_decode_learn(r, out);
    case RAW_NOTE: {
        size_t n = reader_left(r);
        if (n > OFACT_MAX_LIST - 64) {
            return error_new(OFPERR_OFPBAC_TOO_MANY, "action note: too long");
        }
        struct ofact_note *o = ofact_put(out, OFACT_NOTE, sizeof *o + n);
        o->n = n;
        memcpy(o->data, reader_get(r, n), n);
        return NULL;
    }
    case RAW_CLONE:
        error = ofact_must_be_zero(r, 6, "clone");
        return error ? error : decode_nested(*r, OFACT_CLONE, version, out, depth);
    case RAW_METER_ACTION:
    case RAW_METER:
        ((struct ofact_meter *) ofact_put(out, OFACT_METER, sizeof(struct ofact_meter)))->meter_id = reader_be32(r);
        return NULL;
    case RAW_NX_WRITE_METADATA:
        if (version > OFP10) {
            return error_new(OFPERR_OFPBIC_UNSUP_INST, "write_metadata among actions: it is an instruction");
        }
        error = ofact_must_be_zero(r, 6, "write_metadata");
        put_metadata(r, out);
        return error;
    case RAW_WRITE_METADATA:
        reader_skip(r, 4);
        put_metadata(r, out);
        return NULL;
    case RAW_CLEAR_ACTIONS:
        ofact_put(out, OFACT_CLEAR_ACTIONS, sizeof(struct ofact));
        return NULL;
    case RAW_GOTO_TABLE:
        ((struct ofact_goto_table *) ofact_put(out, OFACT_GOTO_TABLE, sizeof(struct ofact_goto_table)))->table
            = reader_u8(r);
        return NULL;
    case RAW_APPLY_ACTIONS:
    case RAW_WRITE_ACTIONS:
        reader_skip(r, 4);
        return raw == RAW_APPLY_ACTIONS ? decode_list(*r, version, out, depth)
                                        : decode_nested(*r, OFACT_WRITE_ACTIONS, version, out, depth);
    case RAW_NONE:
    case RAW_N:
        break;
    }
    return bad_argument("?", "not known");
}

static enum ofact_raw find_raw(enum ofp_version version, enum ofact_kind kind, unsigned number)
{
    for (enum ofact_raw raw = RAW_NONE + 1; raw < RAW_N; raw++) {
        const struct ofact_encoding *e = &ofact_encodings[raw];
        if (e->number == number && e->kind == kind && e->first <= version && version <= e->last) {
            return raw;
        }
    }
    return RAW_NONE;
}

static struct error *decode_action(struct reader r, unsigned type, size_t len, enum ofp_version version,
                                   struct buffer *out, int depth)
{
    enum ofact_raw raw;
    if (type == TYPE_EXPERIMENTER) {
        uint32_t vendor = reader_be32(&r);
        if (vendor != OFP_VENDOR_NX && vendor != OFP_VENDOR_ONF) {
            return error_new(OFPERR_OFPBAC_BAD_VENDOR, "actions of experimenter 0x%08x are not known", vendor);
        }
        if (len < 16) {
            return error_new(OFPERR_OFPBAC_BAD_LEN, "an experimenter's action of %zu bytes", len);
        }
        unsigned subtype = reader_be16(&r);
        raw = find_raw(version, vendor == OFP_VENDOR_NX ? OFACT_KIND_NX : OFACT_KIND_ONF, subtype);
        if (!raw) {
            return error_new(OFPERR_OFPBAC_BAD_VENDOR_TYPE, "action %u of experimenter 0x%08x is not supported",
                             subtype, vendor);
        }
    } else {
        raw = find_raw(version, OFACT_KIND_OF, type);
        if (!raw) {
            return error_new(OFPERR_OFPBAC_BAD_TYPE, "action %u is not supported in OpenFlow %s", type,
                             ofp_version_dotted(version));
        }
    }
    const struct ofact_encoding *e = &ofact_encodings[raw];
    if (len < e->len || (len > e->len && !e->longer)) {
        return error_new(OFPERR_OFPBAC_BAD_LEN, "action %s has %zu bytes; it has %s%u", ofact_name(e->type), len,
                         e->longer ? "at least " : "", e->len);
    }
    size_t begin = out->len;
    struct error *error = decode_raw(raw, &r, version, out, depth);
    if (!error && out->len > begin && raw != RAW_APPLY_ACTIONS) {
        ((struct ofact *) (out->data + begin))->raw = raw;
    }
    return error;
}

static struct error *decode_list(struct reader r, enum ofp_version version, struct buffer *out, int depth)
{
    if (depth > MAX_NESTING) {
        return error_new(OFPERR_OFPBAC_TOO_MANY, "actions are nested more than %d deep", MAX_NESTING);
    }
    while (reader_left(&r)) {
        unsigned type = reader_be16(&r);
        size_t len = reader_be16(&r);
        if (r.bad || len < 8 || len % 8 || len - 4 > reader_left(&r)) {
            return error_new(OFPERR_OFPBAC_BAD_LEN, "an action's length does not fit");
        }
        struct error *error = decode_action(reader_sub(&r, len - 4), type, len, version, out, depth);
        if (error) {
            return error;
        }
    }
    return NULL;
}

/* ---- Instructions ---- */

enum { N_INSTRUCTIONS = 7, I_METER = 6, I_APPLY = 4, I_CLEAR = 5, I_WRITE = 3, I_METADATA = 2, I_GOTO = 1 };

static struct error *collect_instructions(struct reader r, enum ofp_version version, struct reader found[N_INSTRUCTIONS])
{
    while (reader_left(&r)) {
        unsigned type = reader_be16(&r);
        size_t len = reader_be16(&r);
        if (r.bad || len < 8 || len % 8 || len - 4 > reader_left(&r)) {
            return error_new(OFPERR_OFPBIC_BAD_LEN, "an instruction's length does not fit");
        }
        struct reader body = reader_sub(&r, len - 4);
        if (type == TYPE_EXPERIMENTER) {
            uint32_t vendor = reader_be32(&body);
            bool known = vendor == OFP_VENDOR_NX || vendor == OFP_VENDOR_ONF;
            return error_new(known ? OFPERR_OFPBIC_BAD_EXP_TYPE : OFPERR_OFPBIC_BAD_EXPERIMENTER,
                             "an instruction of experimenter 0x%08x is not known", vendor);
        }
        enum ofact_raw raw = find_raw(version, OFACT_KIND_INSTRUCTION, type);
        if (!raw) {
            return error_new(OFPERR_OFPBIC_UNKNOWN_INST, "instruction %u is not known in OpenFlow %s", type,
                             ofp_version_dotted(version));
        }
        const struct ofact_encoding *e = &ofact_encodings[raw];
        if (len < e->len || (len > e->len && !e->longer)) {
            return error_new(OFPERR_OFPBIC_BAD_LEN, "instruction %s has %zu bytes; it has %s%u", ofact_name(e->type),
                             len, e->longer ? "at least " : "", e->len);
        }
        if (found[type].p) {
            return error_new(OFPERR_OFPBIC_DUP_INST, "instruction %s is there twice", ofact_name(e->type));
        }
        found[type] = body;
    }
    return NULL;
}

static struct error *decode_instructions(struct reader r, enum ofp_version version, struct buffer *out)
{
    static const uint8_t order[] = { I_METER, I_APPLY, I_CLEAR, I_WRITE, I_METADATA, I_GOTO };
    struct reader found[N_INSTRUCTIONS];
    memset(found, 0, sizeof found);
    struct error *error = collect_instructions(r, version, found);
    for (size_t i = 0; i < ARRAY_SIZE(order) && !error; i++) {
        if (found[order[i]].p) {
            enum ofact_raw raw = find_raw(version, OFACT_KIND_INSTRUCTION, order[i]);
            size_t begin = out->len;
            error = decode_raw(raw, &found[order[i]], version, out, 0);
            if (!error && raw != RAW_APPLY_ACTIONS) {
                ((struct ofact *) (out->data + begin))->raw = raw;
            }
        }
    }
    return error;
}

struct error *ofacts_decode(const void *p, size_t n, enum ofp_version version, bool instructions, struct buffer *out)
{
    struct reader r = reader_of(n ? p : "", n);
    size_t begin = out->len;
    struct error *error = instructions ? decode_instructions(r, version, out) : decode_list(r, version, out, 0);
    if (error) {
        out->len = begin;
    }
    return error;
}
