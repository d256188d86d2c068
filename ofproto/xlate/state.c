/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at and changing the packet of a translation. */
#include "ofproto/xlate/state.h"

#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"

static bool is_tag_field(const struct field *);

void xl_look(struct xlate_state *s, const struct fields *bits)
{
    uint64_t *wc = (uint64_t *) &s->wc;
    const uint64_t *b = (const uint64_t *) bits, *fixed = (const uint64_t *) &s->now.fixed;
    for (size_t i = 0; i < KEY_N_BLOCKS * KEY_BLOCK_WORDS; i++) {
        wc[i] |= b[i] & ~fixed[i];
    }
}

void xl_look_at(struct xlate_state *s, size_t ofs, size_t n)
{
    uint8_t *wc = (uint8_t *) &s->wc;
    const uint8_t *fixed = (const uint8_t *) &s->now.fixed;
    for (size_t i = ofs; i < ofs + n; i++) {
        wc[i] |= ~fixed[i];
    }
}

void xl_look_field(struct xlate_state *s, const struct field *field, const union field_value *mask)
{
    struct fields bits;
    memset(&bits, 0, sizeof bits);
    field_mask_add(field, mask, &bits);
    xl_look(s, &bits);
}

bool xl_has_field(struct xlate_state *s, const struct field *field)
{
    struct fields bits;
    memset(&bits, 0, sizeof bits);
    bool has = field_prerequisite_holds(field, &s->now.f, &bits);
    xl_look(s, &bits);
    return has;
}

bool xl_is_ip(const struct xlate_state *s)
{
    /* The Ethertype is always exact. */
    be16 type = s->now.f.key.l2.type;
    return type == htobe16(ETH_TYPE_IP4) || type == htobe16(ETH_TYPE_IP6);
}

void xl_set_field(struct xlate_state *s, const struct field *field, const union field_value *value,
                  const union field_value *mask)
{
    union field_value all;
    if (!mask) {
        field_all_ones(field, &all);
        mask = &all;
    }
    if (!is_tag_field(field)) {
        field_set_masked(field, value, mask, &s->now.f);
        field_mask_add(field, mask, &s->now.fixed);
        return;
    }
    xl_look_tag(s, 0);
    struct tags tags = s->now.tags;
    field_set_masked(field, value, mask, &s->now.f);
    struct key_vlan tag = s->now.f.key.l2.vlan[0];
    if (!(tag.tci & htobe16(VLAN_CFI))) {
        xl_pop_tag(s);
    } else if (tags.n) {
        tags.tag[0] = tag;
        xl_set_tags(s, &tags);
    } else {
        xl_push_tag(s, tag.tpid, tag.tci);
    }
}

void xl_set_subfield(struct xlate_state *s, const struct subfield *to, const union field_value *value)
{
    if (is_tag_field(to->field)) {
        union field_value whole;
        struct fields f = s->now.f;
        subfield_set(to, value, &f);
        field_get(to->field, &f, &whole);
        xl_set_field(s, to->field, &whole, NULL);
        return;
    }
    subfield_set(to, value, &s->now.f);
    subfield_mask_add(to, &s->now.fixed);
}

void xl_fix(struct xlate_state *s, size_t ofs, size_t n)
{
    memset((uint8_t *) &s->now.fixed + ofs, 0xff, n);
}

void xl_tags_of(const struct key *key, struct tags *t)
{
    memset(t, 0, sizeof *t);
    while (t->n < KEY_MAX_VLANS && key->l2.vlan[t->n].tci & htobe16(VLAN_CFI)) {
        t->tag[t->n] = key->l2.vlan[t->n];
        if (!t->tag[t->n].tpid) {
            t->tag[t->n].tpid = htobe16(ETH_TYPE_VLAN);   /* Of a packet in match text, which says nothing of it. */
        }
        t->n++;
    }
}

void xl_set_tags(struct xlate_state *s, const struct tags *t)
{
    s->now.tags = *t;
    memcpy(s->now.f.key.l2.vlan, t->tag, sizeof s->now.f.key.l2.vlan);
}

void xl_look_tag(struct xlate_state *s, int i)
{
    if (i < KEY_MAX_VLANS) {
        s->wc.key.l2.vlan[i] = (struct key_vlan) { 0xffff, 0xffff };
    }
}

bool xl_push_tag(struct xlate_state *s, be16 tpid, be16 tci)
{
    xl_look_tag(s, 0);
    if (s->in->key->l2.vlan[0].tci & htobe16(VLAN_CFI)) {
        xl_look_tag(s, 1);
    }
    struct tags t = s->now.tags;
    if (t.n == MAX_TAGS) {
        xl_note(s, " >> more than %d VLAN tags", MAX_TAGS);
        xl_fail(s, DROP_NO_HEADROOM);
        return false;
    }
    memmove(&t.tag[1], &t.tag[0], t.n * sizeof t.tag[0]);
    t.tag[0] = (struct key_vlan) { tpid, tci | htobe16(VLAN_CFI) };
    t.n++;
    xl_set_tags(s, &t);
    return true;
}

void xl_pop_tag(struct xlate_state *s)
{
    xl_look_tag(s, 0);
    struct tags t = s->now.tags;
    if (!t.n) {
        return;
    }
    if (s->in->key->l2.vlan[0].tci & htobe16(VLAN_CFI)) {
        xl_look_tag(s, 1);
    }
    memmove(&t.tag[0], &t.tag[1], --t.n * sizeof t.tag[0]);
    memset(&t.tag[t.n], 0, sizeof t.tag[0]);
    xl_set_tags(s, &t);
}

void xl_drop(struct xlate_state *s, enum drop reason)
{
    if (!s->has_drop) {
        s->has_drop = true;
        s->drop = reason;
    }
}

void xl_fail(struct xlate_state *s, enum drop reason)
{
    s->has_drop = true;
    s->drop = reason;
    s->failed = s->exit = true;
}

struct effect *xl_effect(struct xlate_state *s, enum effect_kind kind)
{
    struct xlate_out *out = s->out;
    if (out->n_effects == out->allocated_effects) {
        out->effects = xgrow(out->effects, &out->allocated_effects, sizeof *out->effects);
    }
    struct effect *e = &out->effects[out->n_effects++];
    memset(e, 0, sizeof *e);
    e->kind = kind;
    return e;
}

void xl_note(struct xlate_state *s, const char *format, ...)
{
    if (!s->in->trace) {
        return;
    }
    struct text t = TEXT_INIT;
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    trace_note(s->in->trace, s->note_depth, text_str(&t));
    text_fini(&t);
}

/* Of the outer tag, which is kept in the stack. */
static bool is_tag_field(const struct field *field)
{
    return field->ofs == offsetof(struct fields, key.l2.vlan[0].tci);
}
