/* SPDX-License-Identifier: Apache-2.0 */
/* Hello and error messages. */
#include "lib/openflow/message.h"

#include "lib/openflow/wire.h"

enum { HELLO_VERSION_BITMAP = 1 };
enum { ERROR_VENDOR_10 = 0xb0c2, ERROR_EXPERIMENTER = 0xffff, ERROR_PAYLOAD = 64 };

void ofp_encode_hello(struct buffer *b, uint32_t bits, uint32_t xid)
{
    unsigned highest = bits ? 31 - __builtin_clz(bits) : OFP10;
    size_t begin = b->len;
    buffer_put_u8(b, highest);
    buffer_put_u8(b, 0);
    buffer_put_be16(b, 0);
    buffer_put_be32(b, xid);
    if (bits != OFP_BIT(OFP10)) {
        buffer_put_be16(b, HELLO_VERSION_BITMAP);
        buffer_put_be16(b, 8);
        buffer_put_be32(b, bits);
    }
    ofp_finish(b, begin);
}

struct error *ofp_decode_hello(const void *p, size_t n, uint32_t *bits)
{
    struct reader r = reader_of(p, n);
    unsigned version = reader_u8(&r);
    unsigned type = reader_u8(&r);
    unsigned length = reader_be16(&r);
    reader_skip(&r, 4);
    if (r.bad || length != n || type != 0 || !version) {
        return error_new(OFPERR_OFPBRC_BAD_LEN, "not an OpenFlow hello message");
    }
    *bits = version >= 31 ? UINT32_MAX - 1 : (UINT32_C(2) << version) - 2;
    while (reader_left(&r) >= 4) {
        unsigned element = reader_be16(&r);
        size_t len = reader_be16(&r);
        if (len < 4 || len - 4 > reader_left(&r)) {
            break;   /* OpenFlow 1.3.4, 7.5.1: what is not understood in a hello is ignored. */
        }
        struct reader body = reader_sub(&r, len - 4);
        if (element == HELLO_VERSION_BITMAP && len >= 8) {
            uint32_t bitmap = reader_be32(&body) & ~UINT32_C(1);
            if (bitmap) {
                *bits = bitmap;
            }
        }
        size_t pad = ROUND_UP(len, 8) - len;
        reader_skip(&r, MIN(pad, reader_left(&r)));
    }
    return NULL;
}

static const struct ofp_error_row *error_row(enum ofp_error e)
{
    return e >= ERROR_CODE_OWN && e < OFPERR_END ? &ofp_error_rows[e - ERROR_CODE_OWN] : NULL;
}

const char *ofp_error_name(enum ofp_error e)
{
    const struct ofp_error_row *row = error_row(e);
    return row ? row->name : "unknown";
}

bool ofp_error_is_valid(int code)
{
    return error_row(code) != NULL;
}

static void put_error(struct buffer *b, enum ofp_error e, unsigned version, uint32_t xid, const void *data, size_t n)
{
    const struct ofp_error_row *row = error_row(e);
    unsigned minor = version - OFP10;
    if (!row || row->wire[minor].type < 0) {
        row = error_row(OFPERR_NXBRC_UNENCODABLE_ERROR);
    }
    unsigned vendor = row->wire[minor].vendor;
    size_t begin = b->len;
    buffer_put_u8(b, version);
    buffer_put_u8(b, 1);
    buffer_put_be16(b, 0);
    buffer_put_be32(b, xid);
    if (!vendor) {
        buffer_put_be16(b, row->wire[minor].type);
        buffer_put_be16(b, row->wire[minor].code);
    } else if (version < OFP12) {
        buffer_put_be16(b, ERROR_VENDOR_10);
        buffer_put_be16(b, 0);
        buffer_put_be32(b, vendor);
        buffer_put_be16(b, row->wire[minor].type);
        buffer_put_be16(b, row->wire[minor].code);
    } else {
        buffer_put_be16(b, ERROR_EXPERIMENTER);
        buffer_put_be16(b, row->wire[minor].type);
        buffer_put_be32(b, vendor);
    }
    buffer_put(b, data, n);
    ofp_finish(b, begin);
}

void ofp_encode_error(struct buffer *b, enum ofp_error e, const struct ofp_header *offender)
{
    unsigned version = offender->version >= OFP10 && offender->version <= OFP15 ? offender->version : OFP10;
    put_error(b, e, version, offender->xid, offender->whole, MIN(offender->whole_len, (size_t) ERROR_PAYLOAD));
}

void ofp_encode_hello_failed(struct buffer *b, enum ofp_version version, uint32_t xid, const char *text)
{
    unsigned v = version >= OFP10 && version <= OFP15 ? version : OFP10;
    put_error(b, OFPERR_OFPHFC_INCOMPATIBLE, v, xid, text, strlen(text));
}

struct error *ofp_decode_error(const struct ofp_header *h, enum ofp_error *e, struct buffer *payload)
{
    struct reader r = ofp_body(h);
    int type = reader_be16(&r), code = reader_be16(&r);
    unsigned vendor = 0;
    if (type == ERROR_VENDOR_10 && h->version < OFP12) {
        vendor = reader_be32(&r);
        type = reader_be16(&r);
        code = reader_be16(&r);
    } else if (type == ERROR_EXPERIMENTER && h->version >= OFP12) {
        vendor = reader_be32(&r);
        type = code;
        code = 0;
    }
    if (r.bad) {
        return ofp_bad_len("error message");
    }
    if (payload) {
        buffer_put(payload, r.p, reader_left(&r));
    }
    for (enum ofp_error i = ERROR_CODE_OWN; i < OFPERR_END; i++) {
        const struct ofp_error_row *row = error_row(i);
        unsigned minor = h->version - OFP10;
        if (row->wire[minor].type == type && row->wire[minor].code == code && row->wire[minor].vendor == vendor) {
            *e = i;
            return NULL;
        }
    }
    return error_new(OFPERR_OFPBRC_BAD_TYPE, "an error of unknown type %d, code %d, vendor 0x%x", type, code, vendor);
}
