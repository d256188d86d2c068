/* SPDX-License-Identifier: Apache-2.0 */
/* Flow removed, flow and aggregate statistics. */
#include "lib/openflow/message.h"
#include "lib/openflow/wire.h"

/* ---- OXS: statistics of 1.5 (OpenFlow 1.5.1, 7.2.4) ---- */

enum { OXS_BASIC = 0x8002, OXS_DURATION = 0, OXS_IDLE_TIME = 1, OXS_FLOW_COUNT = 3, OXS_PACKETS = 4, OXS_BYTES = 5 };

struct oxs { uint32_t duration_s, duration_ns, idle_s, n_flows; uint64_t packets, bytes; bool has_idle; };

static void put_oxs_header(struct buffer *b, unsigned field, unsigned len)
{
    buffer_put_be32(b, (uint32_t) OXS_BASIC << 16 | field << 9 | len);
}

static size_t begin_oxs(struct buffer *b)
{
    size_t begin = b->len;
    buffer_put_be32(b, 0);
    return begin;
}

static void end_oxs(struct buffer *b, size_t begin)
{
    put_be16(b->data + begin + 2, b->len - begin);
    buffer_pad(b, begin, 8);
}

static void put_oxs_pair(struct buffer *b, unsigned field, uint32_t first, uint32_t second)
{
    put_oxs_header(b, field, 8);
    buffer_put_be32(b, first);
    buffer_put_be32(b, second);
}

static void put_oxs_u64(struct buffer *b, unsigned field, uint64_t value)
{
    put_oxs_header(b, field, 8);
    buffer_put_be64(b, value);
}

static struct error *pull_oxs(struct reader *r, struct oxs *o)
{
    memset(o, 0, sizeof *o);
    reader_skip(r, 2);
    size_t length = reader_be16(r);
    if (r->bad || length < 4 || length - 4 > reader_left(r)) {
        return ofp_bad_len("statistics");
    }
    struct reader e = reader_sub(r, length - 4);
    size_t pad = ROUND_UP(length, 8) - length;
    reader_skip(r, MIN(pad, reader_left(r)));
    while (reader_left(&e)) {
        uint32_t header = reader_be32(&e);
        struct reader v = reader_sub(&e, header & 0xff);
        if (e.bad) {
            return ofp_bad_len("statistics");
        }
        if (header >> 16 != OXS_BASIC) {
            continue;
        }
        switch (header >> 9 & 0x7f) {
        case OXS_DURATION:
            o->duration_s = reader_be32(&v);
            o->duration_ns = reader_be32(&v);
            break;
        case OXS_IDLE_TIME:
            o->idle_s = reader_be32(&v);
            o->has_idle = true;
            break;
        case OXS_FLOW_COUNT: o->n_flows = reader_be32(&v); break;
        case OXS_PACKETS: o->packets = reader_be64(&v); break;
        case OXS_BYTES: o->bytes = reader_be64(&v); break;
        }
        if (v.bad) {
            return ofp_bad_len("statistics");
        }
    }
    return NULL;
}

/* ---- Flow removed ---- */

void ofp_encode_flow_removed(struct buffer *b, const struct ofp_flow_removed *fr, enum ofp_version version, bool nxm)
{
    nxm = nxm && version == OFP10;
    size_t begin = ofp_begin(b, nxm ? OFPMSG_NXT_FLOW_REMOVED : OFPMSG_FLOW_REMOVED, version, 0);
    uint8_t reason = fr->reason > OFPRR_DELETE && version < OFP14 ? OFPRR_DELETE : fr->reason;
    if (version == OFP10 && !nxm) {
        match10_encode(b, &fr->match);
    }
    if (version == OFP15) {
        buffer_put_u8(b, fr->table_id);
        buffer_put_u8(b, reason);
        buffer_put_be16(b, fr->priority);
        buffer_put_be16(b, fr->idle_timeout);
        buffer_put_be16(b, fr->hard_timeout);
        ofp_put_cookie(b, fr->cookie);
        oxm_match_encode(b, &fr->match, version);
        size_t stats = begin_oxs(b);
        put_oxs_pair(b, OXS_DURATION, fr->duration_s, fr->duration_ns);
        put_oxs_u64(b, OXS_PACKETS, fr->packets);
        put_oxs_u64(b, OXS_BYTES, fr->bytes);
        end_oxs(b, stats);
        ofp_finish(b, begin);
        return;
    }
    ofp_put_cookie(b, fr->cookie);
    buffer_put_be16(b, fr->priority);
    buffer_put_u8(b, reason);
    buffer_put_u8(b, version == OFP10 ? (nxm ? fr->table_id + 1 : 0) : fr->table_id);
    buffer_put_be32(b, fr->duration_s);
    buffer_put_be32(b, fr->duration_ns);
    buffer_put_be16(b, fr->idle_timeout);
    size_t len_at = b->len;
    buffer_put_be16(b, version > OFP10 ? fr->hard_timeout : 0);   /* Nicira: the match's length. */
    buffer_put_be64(b, fr->packets);
    buffer_put_be64(b, fr->bytes);
    if (nxm) {
        nxm_put_framed(b, len_at, &fr->match, version, 0, 0);
    } else if (version > OFP10) {
        oxm_match_encode(b, &fr->match, version);
    }
    ofp_finish(b, begin);
}

struct error *ofp_decode_flow_removed(const struct ofp_header *h, struct ofp_flow_removed *fr)
{
    struct reader r = ofp_body(h);
    struct error *error = NULL;
    bool nxm = h->msg == OFPMSG_NXT_FLOW_REMOVED;
    memset(fr, 0, sizeof *fr);
    if (h->version == OFP15 && !nxm) {
        struct oxs o;
        fr->table_id = reader_u8(&r);
        fr->reason = reader_u8(&r);
        fr->priority = reader_be16(&r);
        fr->idle_timeout = reader_be16(&r);
        fr->hard_timeout = reader_be16(&r);
        fr->cookie = ofp_pull_cookie(&r);
        error = oxm_match_decode(&r, true, &fr->match);
        error = error ? error : pull_oxs(&r, &o);
        if (!error) {
            fr->duration_s = o.duration_s;
            fr->duration_ns = o.duration_ns;
            fr->packets = o.packets;
            fr->bytes = o.bytes;
        }
        return error;
    }
    if (h->version == OFP10 && !nxm) {
        error = match10_decode(&r, &fr->match);
    }
    fr->cookie = ofp_pull_cookie(&r);
    fr->priority = reader_be16(&r);
    fr->reason = reader_u8(&r);
    uint8_t table = reader_u8(&r);
    fr->table_id = nxm ? (table ? table - 1 : 0xff) : h->version == OFP10 ? 0xff : table;
    fr->duration_s = reader_be32(&r);
    fr->duration_ns = reader_be32(&r);
    fr->idle_timeout = reader_be16(&r);
    uint16_t next = reader_be16(&r);
    fr->hard_timeout = h->version > OFP10 && !nxm ? next : 0;
    fr->packets = reader_be64(&r);
    fr->bytes = reader_be64(&r);
    if (!error && nxm) {
        error = nxm_pull_framed(&r, next, true, &fr->match, NULL, NULL);
    } else if (!error && h->version > OFP10) {
        error = oxm_match_decode(&r, true, &fr->match);
    }
    return error ? error : r.bad ? ofp_bad_len("flow removed") : NULL;
}

/* ---- Requests for statistics ---- */

struct error *ofp_decode_flow_stats_request(const struct ofp_header *h, struct ofp_flow_stats_request *q)
{
    struct reader r = ofp_body(h);
    struct error *error;
    memset(q, 0, sizeof *q);
    q->aggregate = h->msg == OFPMSG_AGGREGATE_STATS_REQUEST || h->msg == OFPMSG_NXST_AGGREGATE_REQUEST;
    q->out_group = OFPG_ANY;
    if (h->msg == OFPMSG_NXST_FLOW_REQUEST || h->msg == OFPMSG_NXST_AGGREGATE_REQUEST) {
        q->out_port = ofp_port_from_10(reader_be16(&r));
        size_t match_len = reader_be16(&r);
        q->table_id = reader_u8(&r);
        reader_skip(&r, 3);
        error = nxm_pull_framed(&r, match_len, false, &q->match, &q->cookie, &q->cookie_mask);
    } else if (h->version == OFP10) {
        error = match10_decode(&r, &q->match);
        q->table_id = reader_u8(&r);
        reader_skip(&r, 1);
        q->out_port = ofp_port_from_10(reader_be16(&r));
    } else {
        q->table_id = reader_u8(&r);
        reader_skip(&r, 3);
        error = ofp_pull_port(&r, h->version, &q->out_port);
        q->out_group = reader_be32(&r);
        reader_skip(&r, 4);
        q->cookie = ofp_pull_cookie(&r);
        q->cookie_mask = ofp_pull_cookie(&r);
        q->cookie &= q->cookie_mask;
        error = error ? error : oxm_match_decode(&r, false, &q->match);
    }
    if (!error && (r.bad || reader_left(&r))) {
        error = ofp_bad_len("flow statistics request");
    }
    return error;
}

void ofp_encode_flow_stats_request(struct buffer *b, const struct ofp_flow_stats_request *q, enum ofp_version version,
                                   bool nxm, uint32_t xid)
{
    nxm = nxm && version == OFP10;
    enum ofp_msg msg = q->aggregate ? (nxm ? OFPMSG_NXST_AGGREGATE_REQUEST : OFPMSG_AGGREGATE_STATS_REQUEST)
                                    : (nxm ? OFPMSG_NXST_FLOW_REQUEST : OFPMSG_FLOW_STATS_REQUEST);
    size_t begin = ofp_begin(b, msg, version, xid);
    if (nxm) {
        buffer_put_be16(b, ofp_port_to_10(q->out_port));
        size_t len_at = b->len;
        buffer_put_be16(b, 0);
        buffer_put_u8(b, q->table_id);
        buffer_put_zeros(b, 3);
        nxm_put_framed(b, len_at, &q->match, version, q->cookie, q->cookie_mask);
    } else if (version == OFP10) {
        match10_encode(b, &q->match);
        buffer_put_u8(b, q->table_id);
        buffer_put_u8(b, 0);
        buffer_put_be16(b, ofp_port_to_10(q->out_port));
    } else {
        buffer_put_u8(b, q->table_id);
        buffer_put_zeros(b, 3);
        buffer_put_be32(b, q->out_port);
        buffer_put_be32(b, q->out_group);
        buffer_put_be32(b, 0);
        ofp_put_cookie(b, q->cookie);
        ofp_put_cookie(b, q->cookie_mask);
        oxm_match_encode(b, &q->match, version);
    }
    ofp_finish(b, begin);
}

/* ---- Flow statistics ---- */

static uint16_t age_to_wire(int age)
{
    return age < 0 ? 0 : age < 0xffff ? age + 1 : 0xffff;
}

void ofp_put_flow_stats(struct ofp_multipart *m, const struct ofp_flow_stats *s)
{
    struct buffer *b = m->out;
    size_t begin = ofp_multipart_entry(m);
    bool nxm = m->msg == OFPMSG_NXST_FLOW_REPLY;
    buffer_put_be16(b, 0);
    if (m->version == OFP15 && !nxm) {
        buffer_put_be16(b, 0);
        buffer_put_u8(b, s->table_id);
        buffer_put_u8(b, 0);
        buffer_put_be16(b, s->priority);
        buffer_put_be16(b, s->idle_timeout);
        buffer_put_be16(b, s->hard_timeout);
        buffer_put_be16(b, s->flags & OFP_FLOW_FLAGS_13);
        buffer_put_be16(b, s->importance);
        ofp_put_cookie(b, s->cookie);
        oxm_match_encode(b, &s->match, m->version);
        size_t stats = begin_oxs(b);
        put_oxs_pair(b, OXS_DURATION, s->duration_s, s->duration_ns);
        if (s->idle_age_s >= 0) {
            put_oxs_pair(b, OXS_IDLE_TIME, s->idle_age_s, 0);
        }
        put_oxs_u64(b, OXS_PACKETS, s->packets);
        put_oxs_u64(b, OXS_BYTES, s->bytes);
        end_oxs(b, stats);
    } else {
        buffer_put_u8(b, s->table_id);
        buffer_put_u8(b, 0);
        if (m->version == OFP10 && !nxm) {
            match10_encode(b, &s->match);
        }
        buffer_put_be32(b, s->duration_s);
        buffer_put_be32(b, s->duration_ns);
        buffer_put_be16(b, s->priority);
        buffer_put_be16(b, s->idle_timeout);
        buffer_put_be16(b, s->hard_timeout);
        size_t len_at = b->len;
        if (nxm) {
            buffer_put_be16(b, 0);
            buffer_put_be16(b, age_to_wire(s->idle_age_s));
            buffer_put_be16(b, age_to_wire(s->hard_age_s));
        } else if (m->version == OFP10) {
            buffer_put_zeros(b, 6);
        } else {
            buffer_put_be16(b, s->flags & OFP_FLOW_FLAGS_13);
            buffer_put_be16(b, m->version >= OFP14 ? s->importance : 0);
            buffer_put_be16(b, 0);
        }
        ofp_put_cookie(b, s->cookie);
        buffer_put_be64(b, s->packets);
        buffer_put_be64(b, s->bytes);
        if (nxm) {
            nxm_put_framed(b, len_at, &s->match, m->version, 0, 0);
        } else if (m->version > OFP10) {
            oxm_match_encode(b, &s->match, m->version);
        }
    }
    ofacts_encode(&s->actions, m->version, m->version > OFP10, b);
    put_be16(b->data + begin, b->len - begin);
    ofp_multipart_entry_done(m);
}

static struct error *next_flow_stats_15(struct reader *e, struct ofp_flow_stats *s)
{
    struct oxs o;
    reader_skip(e, 2);
    s->table_id = reader_u8(e);
    reader_skip(e, 1);
    s->priority = reader_be16(e);
    s->idle_timeout = reader_be16(e);
    s->hard_timeout = reader_be16(e);
    s->flags = reader_be16(e);
    s->importance = reader_be16(e);
    s->cookie = ofp_pull_cookie(e);
    struct error *error = oxm_match_decode(e, true, &s->match);
    error = error ? error : pull_oxs(e, &o);
    if (!error) {
        s->duration_s = o.duration_s;
        s->duration_ns = o.duration_ns;
        s->packets = o.packets;
        s->bytes = o.bytes;
        s->idle_age_s = o.has_idle ? (int) MIN(o.idle_s, (uint32_t) INT32_MAX) : -1;
    }
    return error;
}

static struct error *next_flow_stats_14(struct reader *e, enum ofp_version version, bool nxm, struct ofp_flow_stats *s)
{
    struct error *error = NULL;
    s->table_id = reader_u8(e);
    reader_skip(e, 1);
    if (version == OFP10 && !nxm) {
        error = match10_decode(e, &s->match);
    }
    s->duration_s = reader_be32(e);
    s->duration_ns = reader_be32(e);
    s->priority = reader_be16(e);
    s->idle_timeout = reader_be16(e);
    s->hard_timeout = reader_be16(e);
    uint16_t x = reader_be16(e), y = reader_be16(e), z = reader_be16(e);
    if (nxm) {
        s->idle_age_s = y ? y - 1 : -1;
        s->hard_age_s = z ? z - 1 : -1;
    } else if (version > OFP10) {
        s->flags = x;
        s->importance = version >= OFP14 ? y : 0;
    }
    s->cookie = ofp_pull_cookie(e);
    s->packets = reader_be64(e);
    s->bytes = reader_be64(e);
    if (!error && nxm) {
        error = nxm_pull_framed(e, x, true, &s->match, NULL, NULL);
    } else if (!error && version > OFP10) {
        error = oxm_match_decode(e, true, &s->match);
    }
    return error;
}

struct error *ofp_next_flow_stats(const struct ofp_header *h, struct reader *r, struct ofp_flow_stats *s,
                                  struct buffer *actions, bool *end)
{
    memset(s, 0, sizeof *s);
    s->idle_age_s = s->hard_age_s = -1;
    buffer_clear(actions);
    *end = !reader_left(r);
    if (*end) {
        return NULL;
    }
    struct reader start = *r;
    size_t length = reader_be16(r);
    if (r->bad || length < 24 || length > reader_left(&start)) {
        return ofp_bad_len("flow statistics");
    }
    struct reader e = reader_sub(r, length - 2);
    bool nxm = h->msg == OFPMSG_NXST_FLOW_REPLY;
    struct error *error = h->version == OFP15 && !nxm ? next_flow_stats_15(&e, s)
                                                      : next_flow_stats_14(&e, h->version, nxm, s);
    if (!error && e.bad) {
        error = ofp_bad_len("flow statistics");
    }
    error = error ? error : ofacts_decode(e.p, reader_left(&e), h->version, h->version > OFP10, actions);
    if (!error) {
        s->actions = ofact_list_of(actions);
        ofacts_adapt(&s->actions, &s->match);
    }
    return error;
}

void ofp_encode_aggregate_reply(struct buffer *b, const struct ofp_aggregate_stats *s, const struct ofp_header *request)
{
    enum ofp_msg msg = request->msg == OFPMSG_NXST_AGGREGATE_REQUEST ? OFPMSG_NXST_AGGREGATE_REPLY
                                                                     : OFPMSG_AGGREGATE_STATS_REPLY;
    size_t begin = ofp_begin(b, msg, request->version, request->xid);
    if (request->version == OFP15 && msg == OFPMSG_AGGREGATE_STATS_REPLY) {
        size_t stats = begin_oxs(b);
        put_oxs_header(b, OXS_FLOW_COUNT, 4);
        buffer_put_be32(b, s->n_flows);
        put_oxs_u64(b, OXS_PACKETS, s->packets);
        put_oxs_u64(b, OXS_BYTES, s->bytes);
        end_oxs(b, stats);
    } else {
        buffer_put_be64(b, s->packets);
        buffer_put_be64(b, s->bytes);
        buffer_put_be32(b, s->n_flows);
        buffer_put_be32(b, 0);
    }
    ofp_finish(b, begin);
}

struct error *ofp_decode_aggregate_reply(const struct ofp_header *h, struct ofp_aggregate_stats *s)
{
    struct reader r = ofp_body(h);
    if (h->version == OFP15 && h->msg == OFPMSG_AGGREGATE_STATS_REPLY) {
        struct oxs o;
        struct error *error = pull_oxs(&r, &o);
        *s = (struct ofp_aggregate_stats) { o.packets, o.bytes, o.n_flows };
        return error;
    }
    s->packets = reader_be64(&r);
    s->bytes = reader_be64(&r);
    s->n_flows = reader_be32(&r);
    return r.bad ? ofp_bad_len("aggregate statistics") : NULL;
}
