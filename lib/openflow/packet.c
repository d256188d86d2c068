/* SPDX-License-Identifier: Apache-2.0 */
/* Packets to and from controllers. */
#include "lib/openflow/message.h"
#include "lib/openflow/wire.h"

enum { PIN_PACKET, PIN_FULL_LEN, PIN_BUFFER_ID, PIN_TABLE_ID, PIN_COOKIE, PIN_REASON, PIN_METADATA, PIN_USERDATA };

static uint8_t reason_in(enum ofp_version version, uint8_t reason)
{
    return reason > OFPR_INVALID_TTL && version < OFP14 ? OFPR_ACTION : reason;
}

static void put_prop_u32(struct buffer *b, uint16_t type, uint32_t value)
{
    size_t p = ofp_begin_property(b, type);
    buffer_put_be32(b, value);
    ofp_finish_property(b, p);
}

static void put_prop_u8(struct buffer *b, uint16_t type, uint8_t value)
{
    size_t p = ofp_begin_property(b, type);
    buffer_put_u8(b, value);
    ofp_finish_property(b, p);
}

static void encode_packet_in2(struct buffer *b, const struct ofp_packet_in *pin, enum ofp_version version)
{
    size_t p = ofp_begin_property(b, PIN_PACKET);
    buffer_put(b, pin->data, pin->data_len);
    ofp_finish_property(b, p);
    if (pin->total_len != pin->data_len) {
        put_prop_u32(b, PIN_FULL_LEN, pin->total_len);
    }
    if (pin->buffer_id != OFP_NO_BUFFER) {
        put_prop_u32(b, PIN_BUFFER_ID, pin->buffer_id);
    }
    put_prop_u8(b, PIN_TABLE_ID, pin->table_id);
    if (pin->cookie != UINT64_MAX) {
        p = ofp_begin_property(b, PIN_COOKIE);
        buffer_put_be32(b, 0);
        buffer_put(b, &pin->cookie, 8);
        ofp_finish_property(b, p);
    }
    put_prop_u8(b, PIN_REASON, pin->reason);
    p = ofp_begin_property(b, PIN_METADATA);
    nxm_encode(b, &pin->match, version, 0, 0);
    ofp_finish_property(b, p);
    if (pin->userdata_len) {
        p = ofp_begin_property(b, PIN_USERDATA);
        buffer_put(b, pin->userdata, pin->userdata_len);
        ofp_finish_property(b, p);
    }
}

void ofp_encode_packet_in(struct buffer *b, const struct ofp_packet_in *given, enum ofp_packet_in_format format,
                          enum ofp_version version)
{
    struct ofp_packet_in pin = *given;
    pin.data_len = MIN(pin.data_len, (size_t) OFP_MAX_MESSAGE - 4096);
    enum ofp_msg msg = format == PACKET_IN_NXT2 ? OFPMSG_NXT_PACKET_IN2
                       : format == PACKET_IN_NXT ? OFPMSG_NXT_PACKET_IN : OFPMSG_PACKET_IN;
    size_t begin = ofp_begin(b, msg, version, 0);
    if (format == PACKET_IN_NXT2) {
        encode_packet_in2(b, &pin, version);
        ofp_finish(b, begin);
        return;
    }
    buffer_put_be32(b, pin.buffer_id);
    buffer_put_be16(b, pin.total_len);
    if (format == PACKET_IN_NXT) {
        buffer_put_u8(b, pin.reason);
        buffer_put_u8(b, pin.table_id);
        buffer_put(b, &pin.cookie, 8);
        size_t len_at = b->len;
        buffer_put_zeros(b, 8);
        size_t match = b->len;
        put_be16(b->data + len_at, 0);
        size_t n = nxm_encode(b, &pin.match, version, 0, 0);
        put_be16(b->data + len_at, n);
        buffer_pad(b, match, 8);
        buffer_put_be16(b, 0);
    } else if (version == OFP10) {
        buffer_put_be16(b, ofp_port_to_10(pin.match.value.in_port));
        buffer_put_u8(b, reason_in(version, pin.reason));
        buffer_put_u8(b, 0);
    } else {
        buffer_put_u8(b, reason_in(version, pin.reason));
        buffer_put_u8(b, pin.table_id);
        buffer_put(b, &pin.cookie, 8);
        oxm_match_encode(b, &pin.match, version);
        buffer_put_be16(b, 0);
    }
    buffer_put(b, pin.data, pin.data_len);
    ofp_finish(b, begin);
}

static struct error *decode_packet_in2(struct reader r, struct ofp_packet_in *pin)
{
    bool has_packet = false, has_len = false;
    struct error *error = NULL;
    while (!error && reader_left(&r)) {
        uint16_t type;
        struct reader body;
        error = ofp_pull_property(&r, &type, &body);
        if (error) {
            break;
        }
        switch (type) {
        case PIN_PACKET:
            pin->data = body.p;
            pin->data_len = reader_left(&body);
            has_packet = true;
            break;
        case PIN_FULL_LEN:
            pin->total_len = reader_be32(&body);
            has_len = true;
            break;
        case PIN_BUFFER_ID: pin->buffer_id = reader_be32(&body); break;
        case PIN_TABLE_ID: pin->table_id = reader_u8(&body); break;
        case PIN_COOKIE:
            reader_skip(&body, 4);
            pin->cookie = htobe64(reader_be64(&body));
            break;
        case PIN_REASON: pin->reason = reader_u8(&body); break;
        case PIN_METADATA: error = nxm_decode(body, true, &pin->match, NULL, NULL); break;
        case PIN_USERDATA:
            pin->userdata = body.p;
            pin->userdata_len = reader_left(&body);
            break;
        default: break;   /* Such as a continuation. */
        }
        if (!error && body.bad) {
            error = error_new(OFPERR_OFPBPC_BAD_LEN, "packet in: property %u is cut short", type);
        }
    }
    if (!error && !has_packet) {
        error = error_new(OFPERR_OFPBRC_BAD_LEN, "packet in: there is no packet in it");
    }
    if (!error && !has_len) {
        pin->total_len = pin->data_len;
    }
    return error;
}

struct error *ofp_decode_packet_in(const struct ofp_header *h, struct ofp_packet_in *pin)
{
    struct reader r = ofp_body(h);
    struct error *error = NULL;
    memset(pin, 0, sizeof *pin);
    match_init_any(&pin->match);
    pin->cookie = UINT64_MAX;
    pin->buffer_id = OFP_NO_BUFFER;
    if (h->msg == OFPMSG_NXT_PACKET_IN2) {
        return decode_packet_in2(r, pin);
    }
    pin->buffer_id = reader_be32(&r);
    pin->total_len = reader_be16(&r);
    if (h->msg == OFPMSG_PACKET_IN && h->version == OFP10) {
        pin->match.value.in_port = ofp_port_from_10(reader_be16(&r));
        pin->match.mask.in_port = UINT32_MAX;
        pin->reason = reader_u8(&r);
        reader_skip(&r, 1);
    } else {
        pin->reason = reader_u8(&r);
        pin->table_id = reader_u8(&r);
        pin->cookie = htobe64(reader_be64(&r));
        if (h->msg == OFPMSG_NXT_PACKET_IN) {
            size_t n = reader_be16(&r);
            reader_skip(&r, 6);
            if (ROUND_UP(n, 8) > reader_left(&r)) {
                return ofp_bad_len("packet in");
            }
            struct reader fields = reader_sub(&r, n);
            reader_skip(&r, ROUND_UP(n, 8) - n);
            error = nxm_decode(fields, true, &pin->match, NULL, NULL);
        } else {
            error = oxm_match_decode(&r, true, &pin->match);
        }
        reader_skip(&r, 2);
    }
    pin->data = r.p;
    pin->data_len = reader_left(&r);
    return error ? error : r.bad ? ofp_bad_len("packet in") : NULL;
}

/* ---- Packet out ---- */

static struct error *check_in_port(ofp_port port)
{
    if (port >= OFPP_MAX && port != OFPP_LOCAL && port != OFPP_CONTROLLER && port != OFPP_NONE) {
        return error_new(OFPERR_OFPBRC_BAD_PORT, "packet out: a packet cannot come in by port 0x%x", port);
    }
    return NULL;
}

struct error *ofp_decode_packet_out(const struct ofp_header *h, struct ofp_packet_out *po, struct buffer *actions)
{
    struct reader r = ofp_body(h);
    struct error *error = NULL;
    memset(po, 0, sizeof *po);
    match_init_any(&po->match);
    buffer_clear(actions);
    po->buffer_id = reader_be32(&r);
    size_t actions_len;
    if (h->version == OFP15) {
        actions_len = reader_be16(&r);
        reader_skip(&r, 2);
        error = oxm_match_decode(&r, false, &po->match);
        if (!error && po->match.mask.in_port != UINT32_MAX) {
            error = error_new(OFPERR_OFPBRC_BAD_PORT, "packet out: the match does not say in_port");
        }
        po->in_port = po->match.value.in_port;
    } else {
        error = ofp_pull_port(&r, h->version, &po->in_port);
        actions_len = reader_be16(&r);
        if (h->version > OFP10) {
            reader_skip(&r, 6);
        }
        if (error) {
            error_free(error);
            error = error_new(OFPERR_OFPBRC_BAD_PORT, "packet out: there can be no such in_port");
        }
        po->match.value.in_port = po->in_port;
        po->match.mask.in_port = UINT32_MAX;
    }
    error = error ? error : check_in_port(po->in_port);
    if (!error && (r.bad || actions_len > reader_left(&r))) {
        error = ofp_bad_len("packet out");
    }
    if (error) {
        return error;
    }
    struct reader list = reader_sub(&r, actions_len);
    error = ofacts_decode(list.p, actions_len, h->version, false, actions);
    if (error) {
        return error;
    }
    po->actions = ofact_list_of(actions);
    po->data = r.p;
    po->data_len = reader_left(&r);
    if (po->buffer_id != OFP_NO_BUFFER && po->data_len) {
        po->data_len = 0;   /* The buffer is meant. */
    }
    return NULL;
}

void ofp_encode_packet_out(struct buffer *b, const struct ofp_packet_out *po, enum ofp_version version, uint32_t xid)
{
    size_t begin = ofp_begin(b, OFPMSG_PACKET_OUT, version, xid), len_at;
    buffer_put_be32(b, po->buffer_id);
    if (version == OFP15) {
        struct match m = po->match;
        m.value.in_port = po->in_port;
        m.mask.in_port = UINT32_MAX;
        len_at = b->len;
        buffer_put_be32(b, 0);
        oxm_match_encode(b, &m, version);
    } else {
        ofp_put_port(b, version, po->in_port);
        len_at = b->len;
        buffer_put_be16(b, 0);
        if (version > OFP10) {
            buffer_put_zeros(b, 6);
        }
    }
    size_t list = b->len;
    ofacts_encode(&po->actions, version, false, b);
    put_be16(b->data + len_at, b->len - list);
    if (po->buffer_id == OFP_NO_BUFFER) {
        buffer_put(b, po->data, po->data_len);
    }
    ofp_finish(b, begin);
}
