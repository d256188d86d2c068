/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that set fields, from text. */
#include <errno.h>

#include "lib/base/error.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/ofact_text.h"
#include "lib/packet/headers.h"

static struct ofact_set_field *put_set_field(struct ofact_parser *p, const struct field *f, enum ofact_raw raw)
{
    struct ofact_set_field *s = ofact_put(p->out, OFACT_SET_FIELD, sizeof *s);
    s->field = f;
    s->a.raw = raw;
    return s;
}

/* Puts 'value', right-aligned, at the subfield's bits, with a mask if these are not all. */
static void set_bits(struct ofact_set_field *s, const struct subfield *dst, const uint8_t value[16])
{
    unsigned last = dst->field->n_bytes * 8 - 1;
    s->masked = dst->n_bits < dst->field->n_bits;
    for (unsigned i = 0; i < dst->n_bits; i++) {
        unsigned at = last - (dst->ofs + i);
        if (s->masked) {
            s->mask.b[at / 8] |= 0x80 >> at % 8;
        }
        if (value[15 - i / 8] >> i % 8 & 1) {
            s->value.b[at / 8] |= 0x80 >> at % 8;
        }
    }
}

static struct error *set_subfield(struct ofact_parser *p, const char *action, const char *value, const char *where,
                                  enum ofact_raw raw)
{
    struct subfield dst;
    struct error *error = subfield_parse(where, &dst);
    error = error ? error : ofact_check_writable(action, dst.field);
    if (error) {
        return error;
    }
    uint8_t wide[16];
    if (!ofact_parse_wide(value, wide)) {
        return ofact_text_bad(action, value, "a number");
    }
    if (!ofact_fits_bits(wide, dst.n_bits)) {
        return error_new(EINVAL, "action %s: %s has more than the %u bits of %s", action, value, dst.n_bits, where);
    }
    set_bits(put_set_field(p, dst.field, raw), &dst, wide);
    return NULL;
}

struct error *ofact_parse_load(struct ofact_parser *p, char *arg)
{
    char *dst;
    struct error *error = ofact_cut_arrow("load", arg, &dst);
    return error ? error : set_subfield(p, "load", arg, dst, RAW_REG_LOAD);
}

bool ofact_mask_is_whole(const struct field *f, const union field_value *mask)
{
    union field_value ones;
    memset(&ones, 0, sizeof ones);
    field_all_ones(f, &ones);
    return !memcmp(&ones, mask, f->n_bytes);
}

struct error *ofact_parse_set_field(struct ofact_parser *p, char *arg)
{
    char *dst;
    struct error *error = ofact_cut_arrow("set_field", arg, &dst);
    if (error) {
        return error;
    }
    if (strchr(dst, '[')) {
        return set_subfield(p, "set_field", arg, dst, RAW_NONE);
    }
    const struct field *f = field_by_any_name(dst);
    if (!f) {
        struct subfield unused;
        return error_wrap(subfield_parse(dst, &unused), "action set_field");
    }
    error = ofact_check_writable("set_field", f);
    if (error) {
        return error;
    }
    union field_value value, mask;
    memset(&value, 0, sizeof value);
    memset(&mask, 0, sizeof mask);
    error = field_parse(f, arg, p->names, &value, &mask);
    if (error) {
        return error_wrap(error, "action set_field");
    }
    if (f->id == FIELD_VLAN_VID) {
        value.b[0] |= VLAN_CFI >> 8;   /* The bit says that there is a tag; which is so. */
    }
    if (!field_value_is_valid(f, &value)) {
        return error_new(EINVAL, "action set_field: field %s cannot be %s", f->name, arg);
    }
    struct ofact_set_field *s = put_set_field(p, f, RAW_NONE);
    s->value = value;
    s->masked = !ofact_mask_is_whole(f, &mask) && f->maskable;
    if (s->masked) {
        s->mask = mask;
        for (unsigned i = 0; i < f->n_bytes; i++) {
            s->value.b[i] &= mask.b[i];
        }
    }
    return NULL;
}

struct error *ofact_parse_mod(struct ofact_parser *p, const char *action, const char *arg, enum field_id id,
                               enum ofact_raw raw)
{
    const struct field *f = field_by_id(id);
    union field_value value, mask;
    memset(&value, 0, sizeof value);
    memset(&mask, 0, sizeof mask);
    struct error *error = field_parse(f, arg, p->names, &value, &mask);
    if (error) {
        return error_wrap(error, "action %s", action);
    }
    if (!ofact_mask_is_whole(f, &mask) && id != FIELD_NW_TOS) {
        return error_new(EINVAL, "action %s: \"%s\": there can be no mask", action, arg);
    }
    if (!field_value_is_valid(f, &value)) {
        return error_new(EINVAL, "action %s: \"%s\" is out of range", action, arg);
    }
    put_set_field(p, f, raw)->value = value;
    return NULL;
}

struct error *ofact_parse_vlan(struct ofact_parser *p, const char *action, const char *arg, enum ofact_type type, bool push)
{
    uint64_t value;
    struct error *error = ofact_parse_number(action, arg, type == OFACT_SET_VLAN_VID ? 4095 : 7, &value);
    if (!error) {
        struct ofact_vlan *v = ofact_put(p->out, type, sizeof *v);
        v->value = value;
        v->push = push;
    }
    return error;
}

struct error *ofact_parse_l4(struct ofact_parser *p, const char *action, const char *arg, enum ofact_type type)
{
    uint64_t port;
    struct error *error = ofact_parse_number(action, arg, 65535, &port);
    if (!error) {
        ((struct ofact_l4_port *) ofact_put(p->out, type, sizeof(struct ofact_l4_port)))->port = port;
    }
    return error;
}

struct error *ofact_parse_move(struct ofact_parser *p, char *arg)
{
    char *dst;
    struct subfield from, to;
    struct error *error = ofact_cut_arrow("move", arg, &dst);
    error = error ? error : subfield_parse(arg, &from);
    error = error ? error : subfield_parse(dst, &to);
    error = error ? error : ofact_check_writable("move", to.field);
    if (error) {
        return error;
    }
    if (from.n_bits != to.n_bits) {
        return error_new(EINVAL, "action move: from %u bits of %s to %u bits of %s; they must be as many", from.n_bits,
                         arg, to.n_bits, dst);
    }
    struct ofact_move *m = ofact_put(p->out, OFACT_MOVE, sizeof *m);
    subfield_assign(&m->src, &from);
    subfield_assign(&m->dst, &to);
    return NULL;
}
