/* SPDX-License-Identifier: Apache-2.0 */
/* Roles, asynchronous messages and the settings of one connection. */
#include "lib/openflow/message.h"
#include "lib/openflow/wire.h"

enum { NX_ROLE_OTHER, NX_ROLE_MASTER, NX_ROLE_SLAVE };

struct error *ofp_decode_role(const struct ofp_header *h, struct ofp_role_request *q)
{
    struct reader r = ofp_body(h);
    memset(q, 0, sizeof *q);
    uint32_t role = reader_be32(&r);
    if (h->msg == OFPMSG_NXT_ROLE_REQUEST || h->msg == OFPMSG_NXT_ROLE_REPLY) {
        if (role > NX_ROLE_SLAVE) {
            return error_new(OFPERR_OFPRRFC_BAD_ROLE, "role request: role %u is not known", role);
        }
        q->role = role == NX_ROLE_MASTER ? OFPROLE_MASTER : role == NX_ROLE_SLAVE ? OFPROLE_SLAVE : OFPROLE_EQUAL;
        return r.bad ? ofp_bad_len("role request") : NULL;
    }
    if (role > OFPROLE_SLAVE) {
        return error_new(OFPERR_OFPRRFC_BAD_ROLE, "role request: role %u is not known", role);
    }
    q->role = role;
    reader_skip(&r, 4);
    q->generation_id = reader_be64(&r);
    q->has_generation = role == OFPROLE_MASTER || role == OFPROLE_SLAVE;
    return r.bad ? ofp_bad_len("role request") : NULL;
}

void ofp_encode_role(struct buffer *b, enum ofp_msg msg, const struct ofp_role_request *q, enum ofp_version version,
                     uint32_t xid)
{
    size_t begin = ofp_begin(b, msg, version, xid);
    if (msg == OFPMSG_NXT_ROLE_REQUEST || msg == OFPMSG_NXT_ROLE_REPLY) {
        buffer_put_be32(b, q->role == OFPROLE_MASTER ? NX_ROLE_MASTER
                           : q->role == OFPROLE_SLAVE ? NX_ROLE_SLAVE : NX_ROLE_OTHER);
    } else {
        buffer_put_be32(b, q->role);
        buffer_put_be32(b, 0);
        buffer_put_be64(b, q->has_generation ? q->generation_id : UINT64_MAX);
    }
    ofp_finish(b, begin);
}

void ofp_encode_role_status(struct buffer *b, enum ofp_role role, uint8_t reason, uint64_t generation_id,
                            enum ofp_version version)
{
    size_t begin = ofp_begin(b, OFPMSG_ROLE_STATUS, version, 0);
    buffer_put_be32(b, role);
    buffer_put_u8(b, reason);
    buffer_put_zeros(b, 3);
    buffer_put_be64(b, generation_id);
    ofp_finish(b, begin);
}

/* ---- Asynchronous messages ---- */

/* Properties: slave's, then master's, in the order of 'struct ofp_async'. */
enum { N_ASYNC_KINDS = 6 };

static uint32_t *masks_of(struct ofp_async *a, unsigned kind)
{
    uint32_t *all[N_ASYNC_KINDS] = { a->packet_in, a->port_status, a->flow_removed, a->role_status, a->table_status,
                                     a->requestforward };
    return all[kind];
}

static const uint32_t known_reasons[N_ASYNC_KINDS] = { 0x3f, 0x7, 0x3f, 0x7, 0x18, 0x3 };

static struct error *decode_async_properties(struct reader r, struct ofp_async *a, bool strict)
{
    while (reader_left(&r)) {
        uint16_t type;
        struct reader body;
        struct error *error = ofp_pull_property(&r, &type, &body);
        if (error) {
            return error;
        }
        if (type >= 2 * N_ASYNC_KINDS) {
            return ofp_unknown_property(type, "asynchronous messages");
        }
        uint32_t mask = reader_be32(&body);
        if (body.bad || reader_left(&body)) {
            return error_new(OFPERR_OFPBPC_BAD_LEN, "asynchronous messages: property %u is not 8 bytes long", type);
        }
        if (strict && mask & ~known_reasons[type / 2]) {
            return error_new(OFPERR_OFPACFC_INVALID, "asynchronous messages: property %u has unknown reasons 0x%x",
                             type, mask & ~known_reasons[type / 2]);
        }
        masks_of(a, type / 2)[type % 2 ? 0 : 1] = mask;
    }
    return NULL;
}

struct error *ofp_decode_set_async(const struct ofp_header *h, struct ofp_async *a)
{
    struct reader r = ofp_body(h);
    bool properties = h->msg == OFPMSG_NXT_SET_ASYNC_CONFIG2
                      || (h->version >= OFP14 && h->msg != OFPMSG_NXT_SET_ASYNC_CONFIG);
    if (properties) {
        struct ofp_async new = *a;
        struct error *error = decode_async_properties(r, &new, h->msg != OFPMSG_GET_ASYNC_REPLY);
        if (!error) {
            *a = new;
        }
        return error;
    }
    for (unsigned kind = 0; kind < 3; kind++) {
        for (unsigned i = 0; i < 2; i++) {
            masks_of(a, kind)[i] = reader_be32(&r);
        }
    }
    return r.bad ? ofp_bad_len("asynchronous messages") : NULL;
}

static void put_async(struct buffer *b, const struct ofp_async *given, enum ofp_version version)
{
    struct ofp_async a = *given;
    if (version < OFP14) {
        for (unsigned kind = 0; kind < 3; kind++) {
            buffer_put_be32(b, masks_of(&a, kind)[0]);
            buffer_put_be32(b, masks_of(&a, kind)[1]);
        }
        return;
    }
    for (unsigned type = 0; type < 2 * N_ASYNC_KINDS; type++) {
        size_t p = ofp_begin_property(b, type);
        buffer_put_be32(b, masks_of(&a, type / 2)[type % 2 ? 0 : 1]);
        ofp_finish_property(b, p);
    }
}

void ofp_encode_get_async_reply(struct buffer *b, const struct ofp_async *a, const struct ofp_header *request)
{
    size_t begin = ofp_begin(b, OFPMSG_GET_ASYNC_REPLY, request->version, request->xid);
    put_async(b, a, request->version);
    ofp_finish(b, begin);
}

void ofp_encode_set_async(struct buffer *b, const struct ofp_async *a, enum ofp_version version, uint32_t xid)
{
    size_t begin = ofp_begin(b, version == OFP10 ? OFPMSG_NXT_SET_ASYNC_CONFIG : OFPMSG_SET_ASYNC, version, xid);
    put_async(b, a, version);
    ofp_finish(b, begin);
}

/* ---- Nicira settings ---- */

struct error *ofp_decode_nx_setting(const struct ofp_header *h, uint16_t *value)
{
    struct reader r = ofp_body(h);
    uint32_t x = 0;
    bool fits = true;
    if (h->msg == OFPMSG_NXT_SET_CONTROLLER_ID) {
        const void *zero = reader_get(&r, 6);
        x = reader_be16(&r);
        if (zero && !ofp_is_zero(zero, 6)) {
            return error_new(OFPERR_NXBRC_MUST_BE_ZERO, "%s: padding is not zero", ofp_msg_name(h->msg));
        }
    } else if (h->msg == OFPMSG_NXT_FLOW_MOD_TABLE_ID) {
        x = reader_u8(&r);
        fits = x <= 1;
    } else {
        x = reader_be32(&r);
        fits = h->msg == OFPMSG_NXT_SET_PACKET_IN_FORMAT ? x <= PACKET_IN_NXT2
                                                         : x == OFP_FLOW_FORMAT_10 || x == OFP_FLOW_FORMAT_NXM;
    }
    if (r.bad) {
        return ofp_bad_len(ofp_msg_name(h->msg));
    }
    if (!fits) {
        return error_new(OFPERR_OFPBRC_EPERM, "%s: %u is not known", ofp_msg_name(h->msg), x);
    }
    *value = x;
    return NULL;
}

void ofp_encode_nx_setting(struct buffer *b, enum ofp_msg msg, uint16_t value, enum ofp_version version, uint32_t xid)
{
    size_t begin = ofp_begin(b, msg, version, xid);
    if (msg == OFPMSG_NXT_SET_CONTROLLER_ID) {
        buffer_put_zeros(b, 6);
        buffer_put_be16(b, value);
    } else if (msg == OFPMSG_NXT_FLOW_MOD_TABLE_ID) {
        buffer_put_u8(b, value);
        buffer_put_zeros(b, 7);
    } else {
        buffer_put_be32(b, value);
    }
    ofp_finish(b, begin);
}
