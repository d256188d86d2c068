/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of OpenFlow messages: which message it is, in whatever version and under whatever vendor. */
#include "lib/openflow/message.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/openflow/wire.h"

enum { TYPE_VENDOR = 4, STATS_VENDOR = 0xffff, STATS_MORE = 1 };

static bool is_stats_type(unsigned version, unsigned type, bool *is_reply)
{
    unsigned request = version == OFP10 ? 16 : 18;
    *is_reply = type == request + 1;
    return type == request || type == request + 1;
}

static const struct ofp_msg_encoding *encoding_of_wire(unsigned version, enum ofp_msg_kind kind, unsigned number,
                                                       bool is_reply)
{
    for (unsigned i = 0; i < ofp_n_msg_encodings; i++) {
        const struct ofp_msg_encoding *e = &ofp_msg_encodings[i];
        if (e->number == number && e->kind == kind && e->is_reply == is_reply && e->first <= version
            && version <= e->last) {
            return e;
        }
    }
    return NULL;
}

static const struct ofp_msg_encoding *encoding_of_msg(unsigned version, enum ofp_msg msg)
{
    for (unsigned i = 0; i < ofp_n_msg_encodings; i++) {
        const struct ofp_msg_encoding *e = &ofp_msg_encodings[i];
        if (e->msg == msg && e->first <= version && version <= e->last) {
            return e;
        }
    }
    return NULL;
}

size_t ofp_message_length(const void *p)
{
    return get_be16((const uint8_t *) p + 2);
}

const char *ofp_msg_name(enum ofp_msg msg)
{
    return (unsigned) msg < OFPMSG_N ? ofp_msg_rows[msg].name : "unknown";
}

bool ofp_msg_in_version(enum ofp_msg msg, enum ofp_version version)
{
    return encoding_of_msg(version, msg) != NULL;
}

int ofp_reply_of(enum ofp_msg msg)
{
    return (unsigned) msg < OFPMSG_N ? ofp_msg_rows[msg].reply : -1;
}

struct error *ofp_bad_len(const char *what)
{
    return error_new(OFPERR_OFPBRC_BAD_LEN, "%s: the length does not fit", what);
}

bool ofp_is_zero(const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        if (b[i]) {
            return false;
        }
    }
    return true;
}

/* Vendor's id and number, the same for messages and multiparts. */
static struct error *pull_vendor(struct reader *r, bool stats, enum ofp_msg_kind *kind, unsigned *number)
{
    uint32_t vendor = reader_be32(r);
    *number = reader_be32(r);
    if (r->bad) {
        return ofp_bad_len("experimenter message");
    }
    if (vendor == OFP_VENDOR_NX) {
        *kind = stats ? OFP_KIND_NXST : OFP_KIND_NXT;
    } else if (vendor == OFP_VENDOR_ONF && !stats) {
        *kind = OFP_KIND_ONFT;
    } else {
        return error_new(OFPERR_OFPBRC_BAD_VENDOR, "experimenter 0x%08x is not known", vendor);
    }
    return NULL;
}

static struct error *no_such_message(enum ofp_msg_kind kind, unsigned number, unsigned version)
{
    static const struct { enum ofp_error error; const char *what; } rows[] = {
        [OFP_KIND_TYPE] = { OFPERR_OFPBRC_BAD_TYPE, "message type" },
        [OFP_KIND_STATS] = { OFPERR_OFPBRC_BAD_STAT, "multipart type" },
        [OFP_KIND_NXT] = { OFPERR_OFPBRC_BAD_SUBTYPE, "Nicira message" },
        [OFP_KIND_NXST] = { OFPERR_OFPBRC_BAD_SUBTYPE, "Nicira multipart" },
        [OFP_KIND_ONFT] = { OFPERR_OFPBRC_BAD_SUBTYPE, "ONF message" },
    };
    return error_new(rows[kind].error, "%s %u is not known in OpenFlow %s", rows[kind].what, number,
                     ofp_version_dotted(version));
}

struct error *ofp_decode_header(const void *p, size_t n, struct ofp_header *h)
{
    memset(h, 0, sizeof *h);
    struct reader r = reader_of(p, n);
    unsigned version = reader_u8(&r);
    unsigned type = reader_u8(&r);
    unsigned length = reader_be16(&r);
    h->version = version;
    h->xid = reader_be32(&r);
    h->whole = p;
    h->whole_len = n;
    h->msg = OFPMSG_N;
    if (r.bad || length != n) {
        return ofp_bad_len("message");
    }
    if (!ofp_version_is_known(version)) {
        return error_new(OFPERR_OFPBRC_BAD_VERSION, "OpenFlow version 0x%02x is not spoken", version);
    }

    enum ofp_msg_kind kind = OFP_KIND_TYPE;
    unsigned number = type;
    bool is_reply = false;
    struct error *error = NULL;
    if (type == TYPE_VENDOR) {
        error = pull_vendor(&r, false, &kind, &number);
    } else if (is_stats_type(version, type, &is_reply)) {
        kind = OFP_KIND_STATS;
        number = reader_be16(&r);
        h->more = reader_be16(&r) & STATS_MORE;
        if (version > OFP10) {
            reader_skip(&r, 4);
        }
        if (r.bad) {
            return ofp_bad_len("multipart");
        }
        if (number == STATS_VENDOR) {
            error = pull_vendor(&r, true, &kind, &number);
            if (!error && version == OFP10) {
                reader_skip(&r, 4);
                if (r.bad) {
                    return ofp_bad_len("Nicira multipart");
                }
            }
        }
    } else {
        is_reply = false;
    }
    if (error) {
        return error;
    }
    const struct ofp_msg_encoding *e = encoding_of_wire(version, kind, number, is_reply);
    if (!e) {
        return no_such_message(kind, number, version);
    }
    h->msg = e->msg;
    h->body = r.p;
    h->body_len = reader_left(&r);
    if (h->body_len < e->min_len || (!e->piece && h->body_len > e->min_len)
        || (e->piece && (h->body_len - e->min_len) % e->piece)) {
        return error_new(OFPERR_OFPBRC_BAD_LEN, "%s: a body of %zu bytes; it has %s%u", ofp_msg_name(h->msg),
                         h->body_len, e->piece ? "at least " : "", e->min_len);
    }
    return NULL;
}

size_t ofp_begin(struct buffer *b, enum ofp_msg msg, enum ofp_version version, uint32_t xid)
{
    const struct ofp_msg_encoding *e = encoding_of_msg(version, msg);
    size_t begin = b->len;
    if (!e) {
        /* A caller's fault; what leaves is a message that no peer takes for another. */
        static const struct ofp_msg_encoding none = { .kind = OFP_KIND_NXT, .number = 0xffff };
        e = &none;
    }
    bool stats = e->kind == OFP_KIND_STATS || e->kind == OFP_KIND_NXST;
    buffer_put_u8(b, version);
    if (e->kind == OFP_KIND_TYPE) {
        buffer_put_u8(b, e->number);
    } else if (stats) {
        buffer_put_u8(b, (version == OFP10 ? 16 : 18) + e->is_reply);
    } else {
        buffer_put_u8(b, TYPE_VENDOR);
    }
    buffer_put_be16(b, 0);
    buffer_put_be32(b, xid);
    if (stats) {
        buffer_put_be16(b, e->kind == OFP_KIND_STATS ? e->number : STATS_VENDOR);
        buffer_put_be16(b, 0);
        if (version > OFP10) {
            buffer_put_be32(b, 0);
        }
    }
    if (e->kind == OFP_KIND_NXT || e->kind == OFP_KIND_NXST || e->kind == OFP_KIND_ONFT) {
        buffer_put_be32(b, e->kind == OFP_KIND_ONFT ? OFP_VENDOR_ONF : OFP_VENDOR_NX);
        buffer_put_be32(b, e->number);
        if (e->kind == OFP_KIND_NXST && version == OFP10) {
            buffer_put_be32(b, 0);
        }
    }
    return begin;
}

void ofp_finish(struct buffer *b, size_t begin)
{
    put_be16(b->data + begin + 2, b->len - begin);
}

void ofp_put_simple(struct buffer *b, enum ofp_msg msg, enum ofp_version version, uint32_t xid, const void *data,
                    size_t n)
{
    size_t begin = ofp_begin(b, msg, version, xid);
    buffer_put(b, data, MIN(n, OFP_MAX_MESSAGE - (b->len - begin)));
    ofp_finish(b, begin);
}

/* ---- Multipart ---- */

void ofp_multipart_begin(struct ofp_multipart *m, struct buffer *out, enum ofp_msg msg, enum ofp_version version,
                         uint32_t xid)
{
    *m = (struct ofp_multipart) { .out = out, .msg = msg, .version = version, .xid = xid };
    m->begin = ofp_begin(out, msg, version, xid);
    m->entry = out->len;
}

size_t ofp_multipart_entry(struct ofp_multipart *m)
{
    m->entry = m->out->len;
    return m->entry;
}

void ofp_multipart_entry_done(struct ofp_multipart *m)
{
    if (m->out->len - m->begin <= OFP_MAX_MESSAGE) {
        return;
    }
    /* The entry did not fit: it becomes the first of a new part. */
    size_t n = m->out->len - m->entry;
    uint8_t *copy = xmemdup(m->out->data + m->entry, n);
    m->out->len = m->entry;
    put_be16(m->out->data + m->begin + 10, STATS_MORE);
    ofp_finish(m->out, m->begin);
    m->begin = ofp_begin(m->out, m->msg, m->version, m->xid);
    m->entry = m->out->len;
    buffer_put(m->out, copy, n);
    free(copy);
}

void ofp_multipart_end(struct ofp_multipart *m)
{
    ofp_finish(m->out, m->begin);
}

/* ---- Properties ---- */

struct error *ofp_pull_property(struct reader *r, uint16_t *type, struct reader *body)
{
    *type = reader_be16(r);
    size_t length = reader_be16(r);
    if (r->bad || length < 4 || length - 4 > reader_left(r)) {
        return error_new(OFPERR_OFPBPC_BAD_LEN, "a property's length does not fit");
    }
    *body = reader_sub(r, length - 4);
    size_t pad = ROUND_UP(length, 8) - length;
    reader_skip(r, MIN(pad, reader_left(r)));
    return NULL;
}

size_t ofp_begin_property(struct buffer *b, uint16_t type)
{
    size_t begin = b->len;
    buffer_put_be16(b, type);
    buffer_put_be16(b, 0);
    return begin;
}

void ofp_finish_property(struct buffer *b, size_t begin)
{
    put_be16(b->data + begin + 2, b->len - begin);
    buffer_pad(b, begin, 8);
}

struct error *ofp_unknown_property(uint16_t type, const char *where)
{
    return error_new(type == 0xffff ? OFPERR_OFPBPC_BAD_EXPERIMENTER : OFPERR_OFPBPC_BAD_TYPE,
                     "%s: property 0x%04x is not known", where, type);
}

/* ---- Ports ---- */

struct error *ofp_pull_port(struct reader *r, enum ofp_version version, ofp_port *port)
{
    if (version == OFP10) {
        *port = ofp_port_from_10(reader_be16(r));
        return NULL;
    }
    uint32_t p = reader_be32(r);
    if (p > OFPP_LAST_USABLE && p < OFPP_MAX) {
        return error_new(OFPERR_OFPBAC_BAD_OUT_PORT, "port %u cannot be: ports are 0 to %u and the reserved ones", p,
                         OFPP_LAST_USABLE);
    }
    *port = p;
    return NULL;
}

void ofp_put_port(struct buffer *b, enum ofp_version version, ofp_port port)
{
    if (version == OFP10) {
        buffer_put_be16(b, ofp_port_to_10(port));
    } else {
        buffer_put_be32(b, port);
    }
}
