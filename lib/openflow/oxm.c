/* SPDX-License-Identifier: Apache-2.0 */
/* Matches and fields as OXM and NXM write them. */
#include "lib/openflow/wire.h"
#include "lib/packet/headers.h"

enum { CLASS_EXPERIMENTER = 0xffff, MATCH_OXM = 1 };
#define NXM_COOKIE UINT32_C(0x00013c08)      /* Nicira class, field 30, 8 bytes. */

/* ---- Headers ---- */

static bool uses_experimenter(const struct field *f, enum ofp_version version)
{
    return f->experimenter && version >= f->experimenter_version
           && !(f->oxm_header && version >= f->oxm_version);
}

static uint32_t header_of(const struct field *f, enum ofp_version version)
{
    if (f->oxm_header && (version >= f->oxm_version || !f->nxm_header)) {
        return f->oxm_header;
    }
    return f->nxm_header ? f->nxm_header : f->oxm_header;
}

void nxm_put_header(struct buffer *b, const struct field *f, bool masked, enum ofp_version version)
{
    unsigned n = f->n_bytes * (masked ? 2 : 1);
    if (uses_experimenter(f, version)) {
        buffer_put_be32(b, (uint32_t) CLASS_EXPERIMENTER << 16 | f->experimenter_field << 9 | masked << 8 | (n + 4));
        buffer_put_be32(b, f->experimenter);
    } else {
        buffer_put_be32(b, (header_of(f, version) & ~UINT32_C(0x1ff)) | masked << 8 | n);
    }
}

void nxm_put_entry(struct buffer *b, const struct field *f, const union field_value *value,
                   const union field_value *mask, enum ofp_version version)
{
    nxm_put_header(b, f, mask != NULL, version);
    buffer_put(b, value->b, f->n_bytes);
    if (mask) {
        buffer_put(b, mask->b, f->n_bytes);
    }
}

struct nxm_header {
    uint32_t raw;
    const struct field *field;     /* NULL: unknown. */
    bool masked;
    size_t payload;                /* Bytes that follow, experimenter not included. */
};

/* False if the bytes end within the header. */
static bool read_header(struct reader *r, struct nxm_header *h)
{
    h->raw = reader_be32(r);
    h->masked = h->raw & 0x100;
    h->payload = h->raw & 0xff;
    if (h->raw >> 16 == CLASS_EXPERIMENTER) {
        uint32_t experimenter = reader_be32(r);
        if (h->payload < 4) {
            return false;
        }
        h->payload -= 4;
        h->field = field_by_experimenter(experimenter, h->raw >> 9 & 0x7f);
    } else {
        h->field = field_by_oxm(h->raw);
    }
    return !r->bad;
}

struct error *nxm_pull_header(struct reader *r, const struct field **field, bool *masked, size_t *payload)
{
    struct nxm_header h;
    if (!read_header(r, &h)) {
        return error_new(OFPERR_OFPBAC_BAD_LEN, "action: a field's header is cut short");
    }
    if (!h.field) {
        return error_new(OFPERR_OFPBAC_BAD_SET_TYPE, "action: field 0x%08x is not known", h.raw);
    }
    if (h.masked && !masked) {
        return error_new(OFPERR_OFPBAC_BAD_SET_MASK, "action: field %s has a mask where none can be", h.field->name);
    }
    if (h.payload != h.field->n_bytes * (h.masked ? 2u : 1u)) {
        return error_new(OFPERR_OFPBAC_BAD_SET_LEN, "action: field %s has %zu bytes; it is %u bytes long",
                         h.field->name, h.payload, h.field->n_bytes);
    }
    *field = h.field;
    if (masked) {
        *masked = h.masked;
    }
    if (payload) {
        *payload = h.payload;
    }
    return NULL;
}

/* ---- Decoding matches ---- */

static bool all_zero(const union field_value *v, unsigned n)
{
    return ofp_is_zero(v->b, n);
}

static bool is_all_ones(const struct field *f, const union field_value *mask)
{
    union field_value ones;
    field_all_ones(f, &ones);
    for (unsigned i = 0; i < f->n_bytes; i++) {
        if ((mask->b[i] & ones.b[i]) != ones.b[i]) {
            return false;
        }
    }
    return true;
}

static bool value_within_mask(const union field_value *value, const union field_value *mask, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (value->b[i] & ~mask->b[i]) {
            return false;
        }
    }
    return true;
}

/* Is any bit of the field matched yet? */
static bool is_matched(const struct field *f, const struct match *m)
{
    union field_value mask;
    memset(&mask, 0, sizeof mask);
    field_get(f, &m->mask, &mask);
    return !all_zero(&mask, f->n_bytes);
}

static struct error *decode_entry(const struct field *f, const union field_value *value, union field_value *mask,
                                  struct match *m)
{
    if (mask && !f->maskable && !all_zero(mask, f->n_bytes) && !is_all_ones(f, mask)) {
        return error_new(OFPERR_OFPBMC_BAD_MASK, "match field %s cannot have a mask", f->name);
    }
    if (mask && !value_within_mask(value, mask, f->n_bytes)) {
        return error_new(OFPERR_OFPBMC_BAD_WILDCARDS, "match field %s has bits outside of its mask", f->name);
    }
    if (!field_value_is_valid(f, value)) {
        return error_new(OFPERR_OFPBMC_BAD_VALUE, "match field %s cannot have this value", f->name);
    }
    if (!field_prerequisite_holds(f, &m->value, NULL)) {
        return error_new(OFPERR_OFPBMC_BAD_PREREQ, "match field %s needs another field to be matched before it",
                         f->name);
    }
    if (is_matched(f, m)) {
        return error_new(OFPERR_OFPBMC_DUP_FIELD, "match field %s is there twice", f->name);
    }
    if (mask && is_all_ones(f, mask)) {
        mask = NULL;
    }
    if (!mask || !all_zero(mask, f->n_bytes)) {
        match_set(m, f, value, mask);
    }
    return NULL;
}

static struct error *decode_cookie(const struct nxm_header *h, struct reader *r, be64 *cookie, be64 *cookie_mask)
{
    if (h->payload != (h->masked ? 16 : 8) || h->payload > reader_left(r)) {
        return error_new(OFPERR_OFPBMC_BAD_LEN, "match: a cookie's length does not fit");
    }
    if (*cookie_mask) {
        return error_new(OFPERR_OFPBMC_DUP_FIELD, "match: the cookie is there twice");
    }
    *cookie = htobe64(reader_be64(r));
    *cookie_mask = h->masked ? htobe64(reader_be64(r)) : UINT64_MAX;
    return NULL;
}

struct error *nxm_decode(struct reader r, bool loose, struct match *m, be64 *cookie, be64 *cookie_mask)
{
    if (cookie) {
        *cookie = *cookie_mask = 0;
    }
    while (reader_left(&r)) {
        struct nxm_header h;
        if (!read_header(&r, &h) || h.payload > reader_left(&r)) {
            return error_new(OFPERR_OFPBMC_BAD_LEN, "match: a field is cut short");
        }
        struct error *error = NULL;
        if (cookie && (h.raw & ~UINT32_C(0x1ff)) == (NXM_COOKIE & ~UINT32_C(0x1ff))) {
            error = decode_cookie(&h, &r, cookie, cookie_mask);
        } else if (!h.field) {
            if (!loose) {
                error = error_new(OFPERR_OFPBMC_BAD_FIELD, "match field 0x%08x is not known", h.raw);
            }
            reader_skip(&r, h.payload);
        } else if (h.payload != h.field->n_bytes * (h.masked ? 2u : 1u)) {
            error = error_new(OFPERR_OFPBMC_BAD_LEN, "match field %s has %zu bytes; it is %u bytes long",
                              h.field->name, h.payload, h.field->n_bytes);
        } else {
            union field_value value, mask;
            memset(&value, 0, sizeof value);
            memset(&mask, 0, sizeof mask);
            memcpy(value.b, reader_get(&r, h.field->n_bytes), h.field->n_bytes);
            if (h.masked) {
                memcpy(mask.b, reader_get(&r, h.field->n_bytes), h.field->n_bytes);
            }
            error = decode_entry(h.field, &value, h.masked ? &mask : NULL, m);
        }
        if (error) {
            return error;
        }
    }
    return NULL;
}

struct error *oxm_match_decode(struct reader *r, bool loose, struct match *m)
{
    unsigned type = reader_be16(r);
    size_t length = reader_be16(r);
    if (r->bad || length < 4 || length - 4 > reader_left(r)) {
        return error_new(OFPERR_OFPBMC_BAD_LEN, "match: its length does not fit");
    }
    if (type != MATCH_OXM) {
        return error_new(OFPERR_OFPBMC_BAD_TYPE, "match: type %u is not known; it is 1 (OXM)", type);
    }
    match_init_any(m);
    struct reader fields = reader_sub(r, length - 4);
    size_t pad = ROUND_UP(length, 8) - length;
    if (pad > reader_left(r)) {
        return error_new(OFPERR_OFPBMC_BAD_LEN, "match: its padding is missing");
    }
    reader_skip(r, pad);
    return nxm_decode(fields, loose, m, NULL, NULL);
}

/* ---- Encoding matches ---- */

static void encode_field(struct buffer *b, const struct field *f, const struct match *m, enum ofp_version version)
{
    union field_value value, mask;
    memset(&value, 0, sizeof value);
    memset(&mask, 0, sizeof mask);
    field_get(f, &m->mask, &mask);
    if (all_zero(&mask, f->n_bytes)) {
        return;
    }
    field_get(f, &m->value, &value);
    nxm_put_entry(b, f, &value, is_all_ones(f, &mask) || !f->maskable ? NULL : &mask, version);
}

static void encode_vlan(struct buffer *b, const struct match *m, enum ofp_version version)
{
    uint16_t tci = be16toh(m->value.key.l2.vlan[0].tci), mask = be16toh(m->mask.key.l2.vlan[0].tci);
    union field_value value, wide;
    if (!mask) {
        return;
    }
    memset(&value, 0, sizeof value);
    memset(&wide, 0, sizeof wide);
    if (version < OFP12) {
        encode_field(b, field_by_id(FIELD_VLAN_TCI), m, version);
        return;
    }
    uint16_t vid_mask = mask & (VLAN_CFI | VLAN_VID_MASK);
    if (vid_mask) {
        put_be16(value.b, tci & vid_mask);
        put_be16(wide.b, vid_mask);
        nxm_put_entry(b, field_by_id(FIELD_VLAN_VID), &value,
                      vid_mask == (VLAN_CFI | VLAN_VID_MASK) ? NULL : &wide, version);
    }
    if (tci & VLAN_CFI && mask & VLAN_PCP_MASK) {
        value.b[0] = tci >> VLAN_PCP_SHIFT;
        nxm_put_entry(b, field_by_id(FIELD_VLAN_PCP), &value, NULL, version);
    }
}

/* Fields that stand for storage which another field of the table says already, or that have their own rule. */
static bool is_written_otherwise(const struct field *f, enum ofp_version version)
{
    switch (f->store) {
    case STORE_XREG:
    case STORE_XXREG:
    case STORE_DL_VLAN:
    case STORE_VLAN_PCP:
        return true;
    default:
        break;
    }
    switch (f->id) {
    case FIELD_IN_PORT: return version >= OFP12;
    case FIELD_IN_PORT_OXM: return version < OFP12;
    case FIELD_NW_TOS: return version >= OFP12;
    case FIELD_IP_DSCP: return version < OFP12;
    case FIELD_VLAN_TCI:
    case FIELD_VLAN_VID: return true;
    default: return !f->oxm_header && !f->nxm_header && !f->experimenter;
    }
}

/* Prerequisites come before what needs them: Ethernet, then VLAN, then the others, connections last. */
static int turn_of(const struct field *f)
{
    return f->id == FIELD_IN_PORT || f->id == FIELD_IN_PORT_OXM ? 0
           : f->id == FIELD_ETH_SRC || f->id == FIELD_ETH_DST || f->id == FIELD_ETH_TYPE ? 1
           : f->id == FIELD_IP_PROTO ? 3
           : f->prerequisite == PREREQUISITE_ND || f->prerequisite == PREREQUISITE_ND_SOLICIT
             || f->prerequisite == PREREQUISITE_ND_ADVERT ? 5
           : f->prerequisite != PREREQUISITE_NONE && f->prerequisite != PREREQUISITE_CT ? 4 : 6;
}

size_t nxm_encode(struct buffer *b, const struct match *m, enum ofp_version version, be64 cookie, be64 cookie_mask)
{
    size_t begin = b->len;
    for (int turn = 0; turn <= 6; turn++) {
        if (turn == 2) {
            encode_vlan(b, m, version);
            continue;
        }
        for (enum field_id id = 0; id < FIELD_N; id++) {
            const struct field *f = field_by_id(id);
            if (turn_of(f) == turn && !is_written_otherwise(f, version)
                && field_prerequisite_holds(f, &m->value, NULL)) {
                encode_field(b, f, m, version);
            }
        }
    }
    if (cookie_mask) {
        bool masked = cookie_mask != UINT64_MAX;
        buffer_put_be32(b, masked ? (NXM_COOKIE & ~0xffu) | 0x100 | 16 : NXM_COOKIE);
        buffer_put_be64(b, be64toh(cookie & cookie_mask));
        if (masked) {
            buffer_put_be64(b, be64toh(cookie_mask));
        }
    }
    return b->len - begin;
}

void oxm_match_encode(struct buffer *b, const struct match *m, enum ofp_version version)
{
    size_t begin = b->len;
    buffer_put_be16(b, MATCH_OXM);
    buffer_put_be16(b, 0);
    nxm_encode(b, m, version, 0, 0);
    put_be16(b->data + begin + 2, b->len - begin);
    buffer_pad(b, begin, 8);
}

/* ---- NXM's frame in Nicira messages: the length stands apart, padding to 8 ---- */

struct error *nxm_pull_framed(struct reader *r, size_t len, bool loose, struct match *m, be64 *cookie, be64 *mask)
{
    size_t padded = ROUND_UP(len, 8);
    if (padded > reader_left(r)) {
        return error_new(OFPERR_OFPBMC_BAD_LEN, "match: its length does not fit");
    }
    struct reader fields = reader_sub(r, len);
    reader_skip(r, padded - len);
    match_init_any(m);
    return nxm_decode(fields, loose, m, cookie, mask);
}

/* Appends the match; writes its length at offset 'len_at'. */
void nxm_put_framed(struct buffer *b, size_t len_at, const struct match *m, enum ofp_version version, be64 cookie,
                    be64 mask)
{
    size_t begin = b->len;
    size_t n = nxm_encode(b, m, version, cookie, mask);
    put_be16(b->data + len_at, n);
    buffer_pad(b, begin, 8);
}

struct error *nxm_check_subfield(const struct subfield *s, bool write)
{
    if (!s->n_bits || s->ofs + s->n_bits > s->field->n_bits) {
        return error_new(OFPERR_OFPBAC_BAD_SET_LEN, "action: bits %u to %u of field %s, which has %u bits",
                         s->ofs, s->ofs + s->n_bits - 1, s->field->name, s->field->n_bits);
    }
    if (write && !s->field->writable) {
        return error_new(OFPERR_OFPBAC_BAD_SET_ARGUMENT, "action: field %s cannot be set", s->field->name);
    }
    return NULL;
}

struct error *ofact_must_be_zero(struct reader *r, size_t n, const char *what)
{
    const void *p = reader_get(r, n);
    if (p && !ofp_is_zero(p, n)) {
        return error_new(OFPERR_NXBAC_MUST_BE_ZERO, "action %s: padding is not zero", what);
    }
    return NULL;
}
