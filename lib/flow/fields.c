/* SPDX-License-Identifier: Apache-2.0 */
/* Fields: look-up, and access to their values. */
#include "lib/flow/fields.h"

#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/packet/headers.h"

_Static_assert(sizeof(struct fields) == FIELDS_WORDS * 8, "whole words");
_Static_assert(FIELDS_WORDS <= 128, "minimatch has that many bits");

typedef unsigned __int128 wide;

enum { TCI_OFS = offsetof(struct fields, key.l2.vlan[0].tci) };

/* ---- Look-up ---- */

const struct field *field_by_id(enum field_id id)
{
    return &field_rows[id];
}

const struct field *field_by_name(const char *name)
{
    for (int i = 0; i < FIELD_N; i++) {
        const struct field *f = &field_rows[i];
        if (!strcmp(name, f->name) || (f->alias && !strcmp(name, f->alias))) {
            return f;
        }
    }
    return NULL;
}

const struct field *field_by_any_name(const char *name)
{
    const struct field *f = field_by_name(name);
    for (int i = 0; !f && i < FIELD_N; i++) {
        const struct field *row = &field_rows[i];
        if ((row->code_name && !strcasecmp(name, row->code_name)) || (row->oxm_name && !strcasecmp(name, row->oxm_name))) {
            f = row;
        }
    }
    return f;
}

const struct field *field_by_oxm(uint32_t header)
{
    for (int i = 0; i < FIELD_N_CLASSES; i++) {
        if (field_classes[i] == header >> 16) {
            uint8_t id = field_ids[i][header >> 9 & 127];
            return id ? &field_rows[id - 1] : NULL;
        }
    }
    return NULL;
}

const struct field *field_by_experimenter(uint32_t experimenter, uint8_t number)
{
    for (int i = 0; i < FIELD_N; i++) {
        if (field_rows[i].experimenter && field_rows[i].experimenter == experimenter &&
            field_rows[i].experimenter_field == number) {
            return &field_rows[i];
        }
    }
    return NULL;
}

const struct field *field_nearest(const char *name)
{
    const char *names[2 * FIELD_N + 1];
    size_t n = 0;
    for (int i = 0; i < FIELD_N; i++) {
        names[n++] = field_rows[i].name;
        if (field_rows[i].alias) {
            names[n++] = field_rows[i].alias;
        }
    }
    names[n] = NULL;
    const char *nearest = strlen(name) < 40 ? string_nearest(name, names) : NULL;   /* No name is longer. */
    return nearest ? field_by_name(nearest) : NULL;
}

/* ---- Values as numbers ---- */

static wide load_be(const uint8_t *p, unsigned n)
{
    wide x = 0;
    for (unsigned i = 0; i < n; i++) {
        x = x << 8 | p[i];
    }
    return x;
}

static void store_be(uint8_t *p, unsigned n, wide x)
{
    while (n-- > 0) {
        p[n] = x;
        x >>= 8;
    }
}

static wide ones(unsigned n)
{
    return n >= 128 ? ~(wide) 0 : ((wide) 1 << n) - 1;
}

static wide value_of(const struct field *f, const union field_value *v)
{
    return load_be(v->b, f->n_bytes);
}

static wide valid_bits(const struct field *f)
{
    return load_be(f->valid.b, f->n_bytes);
}

static uint32_t load_host(const uint8_t *p, unsigned size)
{
    if (size == 2) {
        uint16_t x;
        memcpy(&x, p, sizeof x);
        return x;
    }
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static void store_host(uint8_t *p, unsigned size, uint32_t x)
{
    if (size == 2) {
        uint16_t y = x;
        memcpy(p, &y, sizeof y);
    } else {
        memcpy(p, &x, sizeof x);
    }
}

/* The bits of the stored integer that hold the field, for all stores that are integers in wire order. */
static wide stored_mask(const struct field *f, wide value_mask)
{
    switch (f->store) {
    case STORE_DL_VLAN:
        return (value_mask & VLAN_VID_MASK) | (value_mask ? VLAN_CFI : 0);
    case STORE_VLAN_PCP:
        return (value_mask & 7) << VLAN_PCP_SHIFT | (value_mask ? VLAN_CFI : 0);
    case STORE_BITS:
        return (value_mask & ones(f->stored_bits)) << f->shift;
    default:
        return value_mask & valid_bits(f);
    }
}

static unsigned stored_size(const struct field *f)
{
    return f->store == STORE_BYTES ? f->n_bytes : f->size;
}

static wide get_wide(const struct field *f, const struct fields *s)
{
    const uint8_t *p = (const uint8_t *) s + f->ofs;
    wide x = 0;
    switch (f->store) {
    case STORE_BYTES:
        return load_be(p, f->n_bytes) & valid_bits(f);
    case STORE_HOST:
        return load_host(p, f->size) & valid_bits(f);
    case STORE_BITS:
        return load_be(p, f->size) >> f->shift & ones(f->stored_bits);
    case STORE_DL_VLAN:
        return load_be(p, 2) & VLAN_VID_MASK;
    case STORE_VLAN_PCP:
        return load_be(p, 2) >> VLAN_PCP_SHIFT;
    case STORE_PORT16: {
        uint32_t port = load_host(p, 4);
        return port < 0xff00 || port >= 0xffffff00 ? port & 0xffff : 0xffff;
    }
    case STORE_XREG:
    case STORE_XXREG:
        for (int i = 0; i < (f->store == STORE_XREG ? 2 : 4); i++) {
            x = x << 32 | load_host(p + 4 * i, 4);
        }
        return x;
    }
    return 0;
}

/* Replaces the bits of 'mask' (in the field's own terms). */
static void set_wide(const struct field *f, wide value, wide mask, struct fields *s)
{
    uint8_t *p = (uint8_t *) s + f->ofs;
    switch (f->store) {
    case STORE_BYTES:
    case STORE_BITS:
    case STORE_VLAN_PCP:
    case STORE_DL_VLAN: {
        unsigned size = stored_size(f);
        wide bits = stored_mask(f, mask), new = stored_mask(f, value & mask);
        if (f->store == STORE_DL_VLAN || f->store == STORE_VLAN_PCP) {
            new |= bits & VLAN_CFI;
        }
        store_be(p, size, (load_be(p, size) & ~bits) | new);
        break;
    }
    case STORE_HOST:
        store_host(p, f->size, (load_host(p, f->size) & ~(uint32_t) mask) | ((uint32_t) value & (uint32_t) mask));
        break;
    case STORE_PORT16: {
        uint32_t port = value & 0xffff;
        store_host(p, 4, port >= 0xff00 ? port | 0xffff0000 : port);
        break;
    }
    case STORE_XREG:
    case STORE_XXREG:
        for (int i = f->store == STORE_XREG ? 1 : 3; i >= 0; i--) {
            store_host(p + 4 * i, 4, (load_host(p + 4 * i, 4) & ~(uint32_t) mask) | ((uint32_t) value & (uint32_t) mask));
            value >>= 32;
            mask >>= 32;
        }
        break;
    }
}

/* An OpenFlow 1.0 match says "no tag" so. */
static bool is_no_vlan(const struct field *f, wide value)
{
    return f->store == STORE_DL_VLAN && value == 0xffff;
}

/* ---- Access ---- */

void field_get(const struct field *f, const struct fields *s, union field_value *v)
{
    memset(v, 0, sizeof *v);
    store_be(v->b, f->n_bytes, get_wide(f, s));
}

static void follow_tag(const struct field *f, struct fields *s)
{
    struct key_vlan *tag = &s->key.l2.vlan[0];
    if (f->ofs == TCI_OFS) {
        if (!(tag->tci & htobe16(VLAN_CFI))) {
            tag->tpid = 0;
        } else if (!tag->tpid) {
            tag->tpid = htobe16(ETH_TYPE_VLAN);
        }
    }
}

static void set_value(const struct field *f, wide value, wide mask, struct fields *s)
{
    if (is_no_vlan(f, value)) {
        s->key.l2.vlan[0].tci = 0;
    } else {
        set_wide(f, value, mask, s);
    }
    follow_tag(f, s);
}

void field_set(const struct field *f, const union field_value *v, struct fields *s)
{
    set_value(f, value_of(f, v), valid_bits(f), s);
}

void field_set_masked(const struct field *f, const union field_value *v, const union field_value *mask, struct fields *s)
{
    wide m = value_of(f, mask) & valid_bits(f);
    set_value(f, (get_wide(f, s) & ~m) | (value_of(f, v) & m), valid_bits(f), s);
}

static void mask_add_wide(const struct field *f, wide mask, struct fields *wc)
{
    uint8_t *p = (uint8_t *) wc + f->ofs;
    if (!mask) {
        return;
    }
    switch (f->store) {
    case STORE_PORT16:
        store_host(p, 4, UINT32_MAX);
        break;
    case STORE_HOST:
    case STORE_XREG:
    case STORE_XXREG:
        set_wide(f, ~(wide) 0, mask, wc);
        break;
    default: {
        unsigned size = stored_size(f);
        store_be(p, size, load_be(p, size) | stored_mask(f, mask));
        break;
    }
    }
}

void field_mask_add(const struct field *f, const union field_value *mask, struct fields *wc)
{
    mask_add_wide(f, mask ? value_of(f, mask) & valid_bits(f) : valid_bits(f), wc);
}

bool field_is_masked(const struct field *f, const struct fields *mask)
{
    const uint8_t *p = (const uint8_t *) mask + f->ofs;
    unsigned size = f->store == STORE_XREG ? 8 : f->store == STORE_XXREG ? 16 : f->size;
    uint8_t any = 0;
    for (unsigned i = 0; i < size; i++) {
        any |= p[i];
    }
    return any && get_wide(f, mask);
}

/* Clears the field's bits. */
static void clear_bits(const struct field *f, struct fields *s)
{
    uint8_t *p = (uint8_t *) s + f->ofs;
    if (f->store == STORE_PORT16) {
        store_host(p, 4, 0);
    } else if (f->store == STORE_HOST || f->store == STORE_XREG || f->store == STORE_XXREG) {
        set_wide(f, 0, ~(wide) 0, s);
    } else {
        unsigned size = stored_size(f);
        store_be(p, size, load_be(p, size) & ~stored_mask(f, valid_bits(f)));
    }
}

void field_set_match(const struct field *f, const union field_value *value, const union field_value *mask,
                     struct fields *vs, struct fields *ms)
{
    wide v = value_of(f, value), m = mask ? value_of(f, mask) & valid_bits(f) : valid_bits(f);
    if (is_no_vlan(f, v) && m) {
        vs->key.l2.vlan[0].tci = 0;
        ms->key.l2.vlan[0].tci = 0xffff;
        return;
    }
    clear_bits(f, vs);
    clear_bits(f, ms);
    if (m && (f->id != FIELD_PACKET_TYPE || v)) {   /* That a packet is Ethernet goes without saying. */
        set_wide(f, v, m, vs);
        mask_add_wide(f, m, ms);
    }
}

void field_all_ones(const struct field *f, union field_value *v)
{
    memset(v, 0, sizeof *v);
    memcpy(v, &f->valid, f->n_bytes);
}

bool field_is_zero(const struct field *f, const union field_value *v)
{
    return !value_of(f, v);
}

bool field_value_is_valid(const struct field *f, const union field_value *v)
{
    wide x = value_of(f, v);
    if (f->form == FORM_PORT && f->n_bytes == 4) {
        return x < 0xff00 || x >= 0xffffff00;
    }
    return is_no_vlan(f, x) || !(x & ~valid_bits(f));
}

/* ---- Prerequisites ---- */

static bool type_is(const struct fields *f, struct fields *wc, uint16_t a, uint16_t b)
{
    if (wc) {
        wc->key.l2.type = 0xffff;
    }
    return f->key.l2.type == htobe16(a) || f->key.l2.type == htobe16(b);
}

static bool proto_is(const struct fields *f, struct fields *wc, uint8_t proto)
{
    if (wc) {
        wc->key.l3.proto = 0xff;
    }
    if (f->key.l3.proto != proto) {
        return false;
    }
    if (wc) {
        wc->key.l3.frag |= FRAG_LATER;
    }
    return !(f->key.l3.frag & FRAG_LATER);
}

static bool is_nd(const struct fields *f, struct fields *wc, uint8_t a, uint8_t b)
{
    if (!type_is(f, wc, ETH_TYPE_IP6, ETH_TYPE_IP6) || !proto_is(f, wc, IP_PROTO_ICMP6)) {
        return false;
    }
    if (wc) {
        wc->key.l4.src = wc->key.l4.dst = 0xffff;
    }
    uint16_t type = be16toh(f->key.l4.src);
    return !f->key.l4.dst && (type == a || type == b);
}

static bool ct_is_known(const struct field *field, const struct fields *f, struct fields *wc)
{
    enum { NEW = 1, EST = 2, REL = 4, RPL = 8, INV = 0x10, TRK = 0x20, SNAT = 0x40, DNAT = 0x80 };
    bool is_ip4 = field->id == FIELD_CT_NW_SRC || field->id == FIELD_CT_NW_DST;
    bool is_ip6 = field->id == FIELD_CT_IPV6_SRC || field->id == FIELD_CT_IPV6_DST;
    if (!type_is(f, wc, is_ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4, is_ip4 ? ETH_TYPE_IP4 : ETH_TYPE_IP6)) {
        return false;
    }
    if (wc) {
        wc->key.ct.state |= INV | TRK;
    }
    uint32_t state = f->key.ct.state;
    return state & (NEW | EST | REL | RPL | SNAT | DNAT) || (state & (TRK | INV)) == TRK;
}

bool field_prerequisite_holds(const struct field *field, const struct fields *f, struct fields *wc)
{
    switch (field->prerequisite) {
    case PREREQUISITE_NONE:
        return true;
    case PREREQUISITE_ETHERNET:
        return !f->packet_type;
    case PREREQUISITE_VLAN:
        if (wc) {
            wc->key.l2.vlan[0].tci |= htobe16(VLAN_CFI);
        }
        return f->key.l2.vlan[0].tci & htobe16(VLAN_CFI);
    case PREREQUISITE_MPLS:
        return type_is(f, wc, ETH_TYPE_MPLS, ETH_TYPE_MPLS_MC);
    case PREREQUISITE_IP4:
        return type_is(f, wc, ETH_TYPE_IP4, ETH_TYPE_IP4);
    case PREREQUISITE_IP6:
        return type_is(f, wc, ETH_TYPE_IP6, ETH_TYPE_IP6);
    case PREREQUISITE_IP:
        return type_is(f, wc, ETH_TYPE_IP4, ETH_TYPE_IP6);
    case PREREQUISITE_ARP:
        return type_is(f, wc, ETH_TYPE_ARP, ETH_TYPE_RARP);
    case PREREQUISITE_TCP:
        return type_is(f, wc, ETH_TYPE_IP4, ETH_TYPE_IP6) && proto_is(f, wc, IP_PROTO_TCP);
    case PREREQUISITE_UDP:
        return type_is(f, wc, ETH_TYPE_IP4, ETH_TYPE_IP6) && proto_is(f, wc, IP_PROTO_UDP);
    case PREREQUISITE_SCTP:
        return type_is(f, wc, ETH_TYPE_IP4, ETH_TYPE_IP6) && proto_is(f, wc, IP_PROTO_SCTP);
    case PREREQUISITE_ICMP4:
        return type_is(f, wc, ETH_TYPE_IP4, ETH_TYPE_IP4) && proto_is(f, wc, IP_PROTO_ICMP);
    case PREREQUISITE_ICMP6:
        return type_is(f, wc, ETH_TYPE_IP6, ETH_TYPE_IP6) && proto_is(f, wc, IP_PROTO_ICMP6);
    case PREREQUISITE_ND:
        return is_nd(f, wc, ICMP6_NS, ICMP6_NA);
    case PREREQUISITE_ND_SOLICIT:
        return is_nd(f, wc, ICMP6_NS, ICMP6_NS);
    case PREREQUISITE_ND_ADVERT:
        return is_nd(f, wc, ICMP6_NA, ICMP6_NA);
    case PREREQUISITE_CT:
        return ct_is_known(field, f, wc);
    }
    return false;
}

/* ---- Subfields ---- */

void subfield_get(const struct subfield *sf, const struct fields *s, union field_value *v)
{
    store_be(v->b, 16, get_wide(sf->field, s) >> sf->ofs & ones(sf->n_bits));
}

uint64_t subfield_get_u64(const struct subfield *sf, const struct fields *s)
{
    return get_wide(sf->field, s) >> sf->ofs & ones(sf->n_bits);
}

void subfield_set(const struct subfield *sf, const union field_value *v, struct fields *s)
{
    wide bits = ones(sf->n_bits), x = (load_be(v->b, 16) & bits) << sf->ofs;
    set_value(sf->field, (get_wide(sf->field, s) & ~(bits << sf->ofs)) | x, valid_bits(sf->field), s);
}

void subfield_mask_add(const struct subfield *sf, struct fields *wc)
{
    mask_add_wide(sf->field, ones(sf->n_bits) << sf->ofs, wc);
}
