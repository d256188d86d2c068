/* SPDX-License-Identifier: Apache-2.0 */
/* The switch itself: settings, description, tables. */
#include "lib/openflow/message.h"
#include "lib/openflow/wire.h"

void ofp_encode_config(struct buffer *b, enum ofp_msg msg, const struct ofp_switch_config *c, enum ofp_version version,
                       uint32_t xid)
{
    size_t begin = ofp_begin(b, msg, version, xid);
    buffer_put_be16(b, c->flags);
    buffer_put_be16(b, c->miss_send_len);
    ofp_finish(b, begin);
}

struct error *ofp_decode_config(const struct ofp_header *h, struct ofp_switch_config *c)
{
    struct reader r = ofp_body(h);
    c->flags = reader_be16(&r);
    c->miss_send_len = reader_be16(&r);
    /* Fragments: 0 normal, 1 drop, 2 reassemble, 3 Nicira's match; bit 2 (up to 1.2): packets with spent TTL to the
     * controller. */
    if (c->flags & ~(h->version < OFP13 ? 7 : 3)) {
        return error_new(OFPERR_OFPSCFC_BAD_FLAGS, "switch config: flags 0x%x are not known", c->flags);
    }
    return r.bad ? ofp_bad_len("switch config") : NULL;
}

static void put_text(struct buffer *b, const char *s, size_t size)
{
    char *p = buffer_put_zeros(b, size);
    memcpy(p, s, strnlen(s, size - 1));
}

static void pull_text(struct reader *r, char *s, size_t size)
{
    const char *p = reader_get(r, size);
    if (p) {
        memcpy(s, p, strnlen(p, size));
    }
}

void ofp_encode_desc_reply(struct buffer *b, const struct ofp_desc *d, const struct ofp_header *request)
{
    size_t begin = ofp_begin(b, OFPMSG_DESC_STATS_REPLY, request->version, request->xid);
    put_text(b, d->mfr, 256);
    put_text(b, d->hw, 256);
    put_text(b, d->sw, 256);
    put_text(b, d->serial, 32);
    put_text(b, d->dp, 256);
    ofp_finish(b, begin);
}

struct error *ofp_decode_desc_reply(const struct ofp_header *h, struct ofp_desc *d)
{
    struct reader r = ofp_body(h);
    memset(d, 0, sizeof *d);
    pull_text(&r, d->mfr, 256);
    pull_text(&r, d->hw, 256);
    pull_text(&r, d->sw, 256);
    pull_text(&r, d->serial, 32);
    pull_text(&r, d->dp, 256);
    return r.bad ? ofp_bad_len("description") : NULL;
}

/* ---- Tables ---- */

enum { TABLE_NAME_LEN = 32, WILDCARDS_ALL_10 = 0x3fffff };

void ofp_put_table_stats(struct ofp_multipart *m, const struct ofp_table_stats *s)
{
    struct buffer *b = m->out;
    ofp_multipart_entry(m);
    buffer_put_u8(b, s->table_id);
    buffer_put_zeros(b, 3);
    if (m->version == OFP10) {
        put_text(b, s->name, TABLE_NAME_LEN);
        buffer_put_be32(b, WILDCARDS_ALL_10);
        buffer_put_be32(b, s->max_entries);
    }
    buffer_put_be32(b, s->n_active);
    buffer_put_be64(b, s->n_lookups);
    buffer_put_be64(b, s->n_matched);
    ofp_multipart_entry_done(m);
}

struct error *ofp_next_table_stats(const struct ofp_header *h, struct reader *r, struct ofp_table_stats *s, bool *end)
{
    memset(s, 0, sizeof *s);
    *end = !reader_left(r);
    if (*end) {
        return NULL;
    }
    s->table_id = reader_u8(r);
    reader_skip(r, 3);
    if (h->version == OFP10) {
        pull_text(r, s->name, TABLE_NAME_LEN);
        reader_skip(r, 4);
        s->max_entries = reader_be32(r);
    }
    s->n_active = reader_be32(r);
    s->n_lookups = reader_be64(r);
    s->n_matched = reader_be64(r);
    return r->bad ? ofp_bad_len("table statistics") : NULL;
}

/* Properties of table features, each also for the table-miss rule with the next number. */
enum { TFP_INSTRUCTIONS = 0, TFP_NEXT_TABLES = 2, TFP_WRITE_ACTIONS = 4, TFP_APPLY_ACTIONS = 6, TFP_MATCH = 8,
       TFP_WILDCARDS = 10, TFP_WRITE_SETFIELD = 12, TFP_APPLY_SETFIELD = 14 };
enum { N_TABLES = 254 };   /* Those that a peer may use: 254 is the switch's own. */

static void put_instruction_ids(struct buffer *b, enum ofp_version version, bool next_tables)
{
    for (enum ofact_raw raw = RAW_NONE + 1; raw < RAW_N; raw++) {
        const struct ofact_encoding *e = &ofact_encodings[raw];
        if (e->kind == OFACT_KIND_INSTRUCTION && e->first <= version && version <= e->last && e->type != OFACT_METER
            && (next_tables || e->type != OFACT_GOTO_TABLE)) {
            buffer_put_be16(b, e->number);
            buffer_put_be16(b, 4);
        }
    }
}

static void put_action_ids(struct buffer *b, enum ofp_version version)
{
    for (enum ofact_raw raw = RAW_NONE + 1; raw < RAW_N; raw++) {
        const struct ofact_encoding *e = &ofact_encodings[raw];
        if (e->kind == OFACT_KIND_OF && e->first <= version && version <= e->last && e->type != OFACT_GROUP
            && ofact_rows[e->type].place > 0 && (e->type != OFACT_SET_FIELD || raw == RAW_SET_FIELD || raw == RAW_SET_NW_TTL)
            && e->type != OFACT_SET_VLAN_VID && e->type != OFACT_SET_VLAN_PCP && e->type != OFACT_SET_L4_SRC
            && e->type != OFACT_SET_L4_DST) {
            buffer_put_be16(b, e->number);
            buffer_put_be16(b, 4);
        }
    }
}

/* Only the first says by its mask bit which may be masked. */
enum field_set { MATCH_FIELDS, WILDCARD_FIELDS, WRITABLE_FIELDS };

static void put_field_ids(struct buffer *b, enum ofp_version version, enum field_set set)
{
    for (enum field_id id = 0; id < FIELD_N; id++) {
        const struct field *f = field_by_id(id);
        bool standard = f->oxm_header && version >= f->oxm_version;
        bool other = f->nxm_header && !f->oxm_header;   /* Nicira's own. */
        if ((standard || other) && (set != WRITABLE_FIELDS || f->writable) && f->id != FIELD_VLAN_TCI) {
            bool masked = set == MATCH_FIELDS && f->maskable;
            nxm_put_header(b, f, masked, version);
        }
    }
}

static void put_table_property(struct buffer *b, unsigned type, enum ofp_version version, uint8_t table)
{
    size_t begin = ofp_begin_property(b, type);
    switch (type) {
    case TFP_INSTRUCTIONS: put_instruction_ids(b, version, table < N_TABLES - 1); break;
    case TFP_NEXT_TABLES:
        for (unsigned next = table + 1; next < N_TABLES; next++) {
            buffer_put_u8(b, next);
        }
        break;
    case TFP_WRITE_ACTIONS:
    case TFP_APPLY_ACTIONS: put_action_ids(b, version); break;
    case TFP_MATCH: put_field_ids(b, version, MATCH_FIELDS); break;
    case TFP_WILDCARDS: put_field_ids(b, version, WILDCARD_FIELDS); break;
    case TFP_WRITE_SETFIELD:
    case TFP_APPLY_SETFIELD: put_field_ids(b, version, WRITABLE_FIELDS); break;
    }
    ofp_finish_property(b, begin);
}

void ofp_put_table_features(struct ofp_multipart *m, const struct ofp_table_features *t)
{
    static const uint8_t properties[] = { TFP_INSTRUCTIONS, TFP_NEXT_TABLES, TFP_WRITE_ACTIONS, TFP_APPLY_ACTIONS,
                                          TFP_MATCH, TFP_WILDCARDS, TFP_WRITE_SETFIELD, TFP_APPLY_SETFIELD };
    struct buffer *b = m->out;
    size_t begin = ofp_multipart_entry(m);
    buffer_put_be16(b, 0);
    buffer_put_u8(b, t->table_id);
    buffer_put_zeros(b, 5);
    put_text(b, t->name, TABLE_NAME_LEN);
    buffer_put_be64(b, t->metadata_match);
    buffer_put_be64(b, t->metadata_write);
    buffer_put_be32(b, t->config);
    buffer_put_be32(b, t->max_entries);
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
        put_table_property(b, properties[i], m->version, t->table_id);
    }
    put_be16(b->data + begin, b->len - begin);
    ofp_multipart_entry_done(m);
}

struct error *ofp_next_table_features(const struct ofp_header *h, struct reader *r, struct ofp_table_features *t,
                                      bool *end)
{
    memset(t, 0, sizeof *t);
    *end = !reader_left(r);
    if (*end) {
        return NULL;
    }
    struct reader start = *r;
    size_t length = reader_be16(r);
    if (r->bad || length < 64 || length % 8 || length > reader_left(&start)) {
        return error_new(OFPERR_OFPBPC_BAD_LEN, "table features: the length does not fit");
    }
    struct reader e = reader_sub(r, length - 2);
    t->table_id = reader_u8(&e);
    reader_skip(&e, 5);
    pull_text(&e, t->name, TABLE_NAME_LEN);
    t->metadata_match = reader_be64(&e);
    t->metadata_write = reader_be64(&e);
    t->config = reader_be32(&e);
    t->max_entries = reader_be32(&e);
    while (reader_left(&e)) {
        uint16_t type;
        struct reader body;
        struct error *error = ofp_pull_property(&e, &type, &body);
        if (error) {
            return error;
        }
    }
    return NULL;
}

void ofp_put_table_desc(struct ofp_multipart *m, const struct ofp_table_features *t)
{
    ofp_multipart_entry(m);
    buffer_put_be16(m->out, 8);
    buffer_put_u8(m->out, t->table_id);
    buffer_put_u8(m->out, 0);
    buffer_put_be32(m->out, t->config);
    ofp_multipart_entry_done(m);
}

struct error *ofp_next_table_desc(const struct ofp_header *h, struct reader *r, struct ofp_table_features *t, bool *end)
{
    memset(t, 0, sizeof *t);
    *end = !reader_left(r);
    if (*end) {
        return NULL;
    }
    struct reader start = *r;
    size_t length = reader_be16(r);
    if (r->bad || length < 8 || length % 8 || length > reader_left(&start)) {
        return ofp_bad_len("table description");
    }
    struct reader e = reader_sub(r, length - 2);
    t->table_id = reader_u8(&e);
    reader_skip(&e, 1);
    t->config = reader_be32(&e);
    return NULL;
}
