/* SPDX-License-Identifier: Apache-2.0 */
/* The learn action: a flow mod made from the packet's fields, to be applied as an effect. */
#include "ofproto/xlate/state.h"

#include <stdlib.h>

#include "lib/base/text.h"

static void source_value(struct xlate_state *, const struct ofact_learn_spec *, union field_value *);
static void put_match(struct match *, const struct ofact_learn_spec *, const union field_value *);
static void put_load(struct buffer *, const struct ofact_learn_spec *, const union field_value *);
static void shift_into(const struct subfield *, const union field_value *, struct fields *value, struct fields *mask);

void xl_learn(struct xlate_state *s, const struct ofact_learn *learn)
{
    struct ofp_flow_mod fm = {
        .priority = learn->priority, .table_id = learn->table, .command = OFPFC_MODIFY_STRICT,
        .idle_timeout = learn->idle_timeout, .hard_timeout = learn->hard_timeout,
        .flags = learn->flags & LEARN_SEND_FLOW_REM ? OFPFF_SEND_FLOW_REM : 0,
        .new_cookie = htobe64(learn->cookie), .modify_cookie = true,
        .buffer_id = OFP_NO_BUFFER, .out_port = OFPP_ANY, .out_group = OFPG_ANY,
    };
    match_init_any(&fm.match);
    struct buffer actions;
    buffer_init(&actions);
    for (unsigned i = 0; i < learn->n_specs; i++) {
        const struct ofact_learn_spec *spec = &learn->specs[i];
        union field_value value;
        source_value(s, spec, &value);
        switch (spec->dst_kind) {
        case LEARN_DST_MATCH:
            put_match(&fm.match, spec, &value);
            break;
        case LEARN_DST_LOAD:
            put_load(&actions, spec, &value);
            break;
        case LEARN_DST_OUTPUT: {
            struct ofact_output *o = ofact_put(&actions, OFACT_OUTPUT, sizeof *o);
            uint32_t port = get_be32(value.b + 12);
            o->port = spec->n_bits <= 16 && port >= 0xff00 ? port | 0xffff0000 : port;
            break;
        }
        }
    }
    fm.actions = ofact_list_of(&actions);
    if (s->in->trace) {
        struct text t = TEXT_INIT;
        match_format(&fm.match, NULL, &t);
        text_put(&t, t.len ? " actions=" : "actions=");
        ofacts_format(&fm.actions, NULL, &t);
        xl_note(s, " -> table=%u %s", fm.table_id, text_str(&t));
        text_fini(&t);
    }
    struct effect *e = xl_effect(s, EFFECT_LEARN);
    e->learn.bridge = s->bridge;
    e->learn.fm = fm;
    e->learn.actions = actions;
}

/* Right-aligned in 16 bytes. */
static void source_value(struct xlate_state *s, const struct ofact_learn_spec *spec, union field_value *value)
{
    if (spec->src_kind == LEARN_SRC_VALUE) {
        *value = spec->value;
        return;
    }
    struct fields bits;
    memset(&bits, 0, sizeof bits);
    subfield_mask_add(&spec->src, &bits);
    xl_look(s, &bits);
    subfield_get(&spec->src, &s->now.f, value);
}

static void put_match(struct match *m, const struct ofact_learn_spec *spec, const union field_value *value)
{
    shift_into(&spec->dst, value, &m->value, &m->mask);
}

static void put_load(struct buffer *actions, const struct ofact_learn_spec *spec, const union field_value *value)
{
    struct fields v, m;
    memset(&v, 0, sizeof v);
    memset(&m, 0, sizeof m);
    const struct field *field = spec->dst.field;
    struct ofact_set_field *f = ofact_put(actions, OFACT_SET_FIELD, sizeof *f);
    f->a.raw = RAW_REG_LOAD;
    f->field = field;
    subfield_set(&spec->dst, value, &v);
    field_get(field, &v, &f->value);
    /* The bits of the part, in the field's own terms. */
    union field_value ones;
    memset(&ones, 0xff, sizeof ones);
    subfield_set(&spec->dst, &ones, &m);
    field_get(field, &m, &f->mask);
    f->masked = spec->dst.ofs != 0 || spec->dst.n_bits < field->n_bits;
}

/* Makes the match demand 'value' of a part of a field. */
static void shift_into(const struct subfield *part, const union field_value *value, struct fields *v, struct fields *m)
{
    subfield_set(part, value, v);
    subfield_mask_add(part, m);
    /* Matching a tag's VLAN or priority demands the tag; the value says so because it was set. */
    for (size_t i = 0; i < FIELDS_WORDS; i++) {
        ((uint64_t *) v)[i] &= ((uint64_t *) m)[i];
    }
}
