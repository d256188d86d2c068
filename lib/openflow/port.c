/* SPDX-License-Identifier: Apache-2.0 */
/* Ports: descriptions, settings, status, counters. */
#include "lib/openflow/message.h"
#include "lib/base/alloc.h"
#include "lib/openflow/wire.h"

enum { PORT_NAME_LEN = 16, PORT_PROP_ETHERNET = 0 };
/* 1.0 numbers the features above 10 Gbit/s from bit 7, later versions from bit 11. */
enum { FEATURES_COMMON = 0x7f, FEATURES_10_SHIFT = 4, FEATURES_10_HIGH = 0xf80, FEATURES_13 = 0xffff };

static uint32_t features_from_10(uint32_t f)
{
    return (f & FEATURES_COMMON) | (f & FEATURES_10_HIGH) << FEATURES_10_SHIFT;
}

static uint32_t features_to_10(uint32_t f)
{
    return (f & FEATURES_COMMON) | (f >> FEATURES_10_SHIFT & FEATURES_10_HIGH);
}

static uint32_t config_to_11(uint32_t c) { return c & (OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN); }

static void put_name(struct buffer *b, const char *name)
{
    char *p = buffer_put_zeros(b, PORT_NAME_LEN);
    memcpy(p, name, strnlen(name, PORT_NAME_LEN - 1));
}

static void put_phy_port_10(struct buffer *b, const struct ofp_phy_port *p)
{
    buffer_put_be16(b, ofp_port_to_10(p->port_no));
    buffer_put(b, &p->hw_addr, 6);
    put_name(b, p->name);
    buffer_put_be32(b, p->config);
    buffer_put_be32(b, (p->state & OFPPS_LINK_DOWN) | (p->state & OFPPS_STP_MASK));
    buffer_put_be32(b, features_to_10(p->curr));
    buffer_put_be32(b, features_to_10(p->advertised));
    buffer_put_be32(b, features_to_10(p->supported));
    buffer_put_be32(b, features_to_10(p->peer));
}

static void put_features(struct buffer *b, const struct ofp_phy_port *p)
{
    buffer_put_be32(b, p->curr & FEATURES_13);
    buffer_put_be32(b, p->advertised & FEATURES_13);
    buffer_put_be32(b, p->supported & FEATURES_13);
    buffer_put_be32(b, p->peer & FEATURES_13);
    buffer_put_be32(b, p->curr_speed);
    buffer_put_be32(b, p->max_speed);
}

static void put_phy_port(struct buffer *b, const struct ofp_phy_port *p, enum ofp_version version)
{
    if (version == OFP10) {
        put_phy_port_10(b, p);
        return;
    }
    size_t begin = b->len;
    buffer_put_be32(b, p->port_no);
    buffer_put_be32(b, 0);
    buffer_put(b, &p->hw_addr, 6);
    buffer_put_be16(b, 0);
    put_name(b, p->name);
    buffer_put_be32(b, config_to_11(p->config));
    buffer_put_be32(b, p->state & (OFPPS_LINK_DOWN | OFPPS_BLOCKED | OFPPS_LIVE));
    if (version < OFP14) {
        put_features(b, p);
        return;
    }
    size_t property = ofp_begin_property(b, PORT_PROP_ETHERNET);
    buffer_put_be32(b, 0);
    put_features(b, p);
    ofp_finish_property(b, property);
    put_be16(b->data + begin + 4, b->len - begin);
}

static void pull_features(struct reader *r, struct ofp_phy_port *p)
{
    p->curr = reader_be32(r) & FEATURES_13;
    p->advertised = reader_be32(r) & FEATURES_13;
    p->supported = reader_be32(r) & FEATURES_13;
    p->peer = reader_be32(r) & FEATURES_13;
    p->curr_speed = reader_be32(r);
    p->max_speed = reader_be32(r);
}

static void pull_name(struct reader *r, char name[65])
{
    const char *p = reader_get(r, PORT_NAME_LEN);
    if (p) {
        memcpy(name, p, strnlen(p, PORT_NAME_LEN));
    }
}

static void pull_eth_addr(struct reader *r, struct eth_addr *a)
{
    const void *p = reader_get(r, 6);
    if (p) {
        memcpy(a, p, 6);
    }
}

static struct error *pull_port_properties(struct reader r, struct ofp_phy_port *p)
{
    while (reader_left(&r)) {
        uint16_t type;
        struct reader body;
        struct error *error = ofp_pull_property(&r, &type, &body);
        if (error) {
            return error;
        }
        if (type == PORT_PROP_ETHERNET) {
            reader_skip(&body, 4);
            pull_features(&body, p);
            if (body.bad) {
                return error_new(OFPERR_OFPBPC_BAD_LEN, "port: the Ethernet property is cut short");
            }
        }
    }
    return NULL;
}

static struct error *pull_phy_port(struct reader *r, enum ofp_version version, struct ofp_phy_port *p)
{
    memset(p, 0, sizeof *p);
    if (version == OFP10) {
        p->port_no = ofp_port_from_10(reader_be16(r));
        pull_eth_addr(r, &p->hw_addr);
        pull_name(r, p->name);
        p->config = reader_be32(r);
        p->state = reader_be32(r);
        p->curr = features_from_10(reader_be32(r));
        p->advertised = features_from_10(reader_be32(r));
        p->supported = features_from_10(reader_be32(r));
        p->peer = features_from_10(reader_be32(r));
        return r->bad ? ofp_bad_len("port") : NULL;
    }
    struct reader start = *r;
    struct error *error = ofp_pull_port(r, version, &p->port_no);
    if (error) {
        return error;
    }
    size_t length = reader_be16(r);
    reader_skip(r, 2);
    pull_eth_addr(r, &p->hw_addr);
    reader_skip(r, 2);
    pull_name(r, p->name);
    p->config = reader_be32(r);
    p->state = reader_be32(r);
    if (version < OFP14) {
        pull_features(r, p);
        return r->bad ? ofp_bad_len("port") : NULL;
    }
    if (r->bad || length < 40 || length > reader_left(&start)) {
        return ofp_bad_len("port");
    }
    struct reader properties = reader_sub(r, length - 40);
    return pull_port_properties(properties, p);
}

void ofp_put_port_desc(struct ofp_multipart *m, const struct ofp_phy_port *p)
{
    ofp_multipart_entry(m);
    put_phy_port(m->out, p, m->version);
    ofp_multipart_entry_done(m);
}

struct error *ofp_next_port_desc(const struct ofp_header *h, struct reader *r, struct ofp_phy_port *p, bool *end)
{
    *end = !reader_left(r);
    return *end ? NULL : pull_phy_port(r, h->version, p);
}

/* ---- Features reply: here because 1.0's carries ports ---- */

enum { CAPABILITY_GROUP_STATS = 1 << 3, CAPABILITY_STP_10 = 1 << 3 };

void ofp_encode_features_reply(struct buffer *b, const struct ofp_features *f, enum ofp_version version, uint32_t xid)
{
    size_t begin = ofp_begin(b, OFPMSG_FEATURES_REPLY, version, xid);
    buffer_put_be64(b, f->datapath_id);
    buffer_put_be32(b, f->n_buffers);
    buffer_put_u8(b, f->n_tables);
    buffer_put_u8(b, version >= OFP13 ? f->auxiliary_id : 0);
    buffer_put_be16(b, 0);
    buffer_put_be32(b, version == OFP10 ? f->capabilities & ~CAPABILITY_STP_10 : f->capabilities);
    buffer_put_be32(b, version == OFP10 ? f->actions : 0);
    for (size_t i = 0; version == OFP10 && i < f->n_ports; i++) {
        if (b->len - begin + 48 > OFP_MAX_MESSAGE) {
            break;   /* The rest is found by a port description request. */
        }
        put_phy_port_10(b, &f->ports[i]);
    }
    ofp_finish(b, begin);
}

struct error *ofp_decode_features_reply(const struct ofp_header *h, struct ofp_features *f)
{
    struct reader r = ofp_body(h);
    memset(f, 0, sizeof *f);
    f->datapath_id = reader_be64(&r);
    f->n_buffers = reader_be32(&r);
    f->n_tables = reader_u8(&r);
    f->auxiliary_id = reader_u8(&r);
    reader_skip(&r, 2);
    f->capabilities = reader_be32(&r);
    f->actions = reader_be32(&r);
    if (r.bad) {
        return ofp_bad_len("features reply");
    }
    if (h->version == OFP10) {
        f->n_ports = reader_left(&r) / 48;
        f->ports = f->n_ports ? xcalloc(f->n_ports, sizeof *f->ports) : NULL;
        for (size_t i = 0; i < f->n_ports; i++) {
            error_free(pull_phy_port(&r, OFP10, &f->ports[i]));
        }
    }
    return NULL;
}

/* ---- Requests, mods, status ---- */

struct error *ofp_decode_port_request(const struct ofp_header *h, ofp_port *port)
{
    struct reader r = ofp_body(h);
    *port = OFPP_ANY;
    return h->body_len ? ofp_pull_port(&r, h->version, port) : NULL;
}

void ofp_encode_port_request(struct buffer *b, enum ofp_msg msg, ofp_port port, enum ofp_version version, uint32_t xid)
{
    size_t begin = ofp_begin(b, msg, version, xid);
    if (msg != OFPMSG_PORT_DESC_REQUEST || version >= OFP15) {
        size_t body = b->len;
        ofp_put_port(b, version, port);
        buffer_pad(b, body, 8);
    }
    ofp_finish(b, begin);
}

struct error *ofp_decode_port_mod(const struct ofp_header *h, struct ofp_port_mod *m)
{
    struct reader r = ofp_body(h);
    memset(m, 0, sizeof *m);
    struct error *error = ofp_pull_port(&r, h->version, &m->port_no);
    if (error) {
        error_free(error);
        return error_new(OFPERR_OFPPMFC_BAD_PORT, "port mod: there can be no such port");
    }
    if (h->version > OFP10) {
        reader_skip(&r, 4);
    }
    pull_eth_addr(&r, &m->hw_addr);
    if (h->version > OFP10) {
        reader_skip(&r, 2);
    }
    m->config = reader_be32(&r);
    m->mask = reader_be32(&r);
    if (h->version < OFP14) {
        uint32_t advertise = reader_be32(&r);
        m->advertise = h->version == OFP10 ? features_from_10(advertise) : advertise & FEATURES_13;
    }
    if (r.bad) {
        return ofp_bad_len("port mod");
    }
    while (h->version >= OFP14 && reader_left(&r)) {
        uint16_t type;
        struct reader body;
        error = ofp_pull_property(&r, &type, &body);
        if (error) {
            return error;
        }
        if (type != PORT_PROP_ETHERNET) {
            return ofp_unknown_property(type, "port mod");
        }
        m->advertise = reader_be32(&body) & FEATURES_13;
        if (body.bad) {
            return error_new(OFPERR_OFPBPC_BAD_LEN, "port mod: the Ethernet property is cut short");
        }
    }
    uint32_t known = OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN
                     | (h->version == OFP10 ? OFPPC_NO_STP | OFPPC_NO_RECV_STP | OFPPC_NO_FLOOD : 0);
    if (m->mask & ~known) {
        return error_new(OFPERR_OFPPMFC_BAD_CONFIG, "port mod: settings 0x%x are not known", m->mask & ~known);
    }
    m->config &= m->mask;
    return NULL;
}

void ofp_encode_port_mod(struct buffer *b, const struct ofp_port_mod *m, enum ofp_version version, uint32_t xid)
{
    size_t begin = ofp_begin(b, OFPMSG_PORT_MOD, version, xid);
    ofp_put_port(b, version, m->port_no);
    if (version > OFP10) {
        buffer_put_be32(b, 0);
    }
    buffer_put(b, &m->hw_addr, 6);
    if (version > OFP10) {
        buffer_put_be16(b, 0);
    }
    buffer_put_be32(b, version == OFP10 ? m->config : config_to_11(m->config));
    buffer_put_be32(b, version == OFP10 ? m->mask : config_to_11(m->mask));
    if (version == OFP10) {
        buffer_put_be32(b, features_to_10(m->advertise));
        buffer_put_be32(b, 0);
    } else if (version < OFP14) {
        buffer_put_be32(b, m->advertise);
        buffer_put_be32(b, 0);
    } else {
        size_t property = ofp_begin_property(b, PORT_PROP_ETHERNET);
        buffer_put_be32(b, m->advertise);
        ofp_finish_property(b, property);
    }
    ofp_finish(b, begin);
}

void ofp_encode_port_status(struct buffer *b, uint8_t reason, const struct ofp_phy_port *p, enum ofp_version version)
{
    size_t begin = ofp_begin(b, OFPMSG_PORT_STATUS, version, 0);
    buffer_put_u8(b, reason);
    buffer_put_zeros(b, 7);
    put_phy_port(b, p, version);
    ofp_finish(b, begin);
}

struct error *ofp_decode_port_status(const struct ofp_header *h, uint8_t *reason, struct ofp_phy_port *p)
{
    struct reader r = ofp_body(h);
    *reason = reader_u8(&r);
    reader_skip(&r, 7);
    if (*reason > OFPPR_MODIFY) {
        return error_new(OFPERR_NXBRC_BAD_REASON, "port status: reason %u is not known", *reason);
    }
    return pull_phy_port(&r, h->version, p);
}

/* ---- Counters ---- */

static uint64_t *const *counters(struct ofp_port_stats *s, uint64_t *array[12])
{
    uint64_t *all[12] = { &s->rx_packets, &s->tx_packets, &s->rx_bytes, &s->tx_bytes, &s->rx_dropped, &s->tx_dropped,
                          &s->rx_errors, &s->tx_errors, &s->rx_frame_err, &s->rx_over_err, &s->rx_crc_err,
                          &s->collisions };
    memcpy(array, all, sizeof all);
    return array;
}

void ofp_put_port_stats(struct ofp_multipart *m, const struct ofp_port_stats *given)
{
    struct ofp_port_stats s = *given;
    uint64_t *counter[12];
    counters(&s, counter);
    size_t begin = ofp_multipart_entry(m);
    struct buffer *b = m->out;
    if (m->version < OFP14) {
        size_t body = b->len;
        ofp_put_port(b, m->version, s.port_no);
        buffer_pad(b, body, 8);
        for (int i = 0; i < 12; i++) {
            buffer_put_be64(b, *counter[i]);
        }
        if (m->version == OFP13) {
            buffer_put_be32(b, s.duration_s);
            buffer_put_be32(b, s.duration_ns);
        }
    } else {
        buffer_put_be32(b, 0);
        buffer_put_be32(b, s.port_no);
        buffer_put_be32(b, s.duration_s);
        buffer_put_be32(b, s.duration_ns);
        for (int i = 0; i < 8; i++) {
            buffer_put_be64(b, *counter[i]);
        }
        size_t property = ofp_begin_property(b, PORT_PROP_ETHERNET);
        buffer_put_be32(b, 0);
        for (int i = 8; i < 12; i++) {
            buffer_put_be64(b, *counter[i]);
        }
        ofp_finish_property(b, property);
        put_be16(b->data + begin, b->len - begin);
    }
    ofp_multipart_entry_done(m);
}

struct error *ofp_next_port_stats(const struct ofp_header *h, struct reader *r, struct ofp_port_stats *s, bool *end)
{
    uint64_t *counter[12];
    memset(s, 0, sizeof *s);
    counters(s, counter);
    *end = !reader_left(r);
    if (*end) {
        return NULL;
    }
    if (h->version < OFP14) {
        struct error *error = ofp_pull_port(r, h->version, &s->port_no);
        if (error) {
            return error;
        }
        reader_skip(r, h->version == OFP10 ? 6 : 4);
        for (int i = 0; i < 12; i++) {
            *counter[i] = reader_be64(r);
        }
        if (h->version == OFP13) {
            s->duration_s = reader_be32(r);
            s->duration_ns = reader_be32(r);
        }
        return r->bad ? ofp_bad_len("port statistics") : NULL;
    }
    struct reader start = *r;
    size_t length = reader_be16(r);
    if (r->bad || length < 80 || length > reader_left(&start)) {
        return ofp_bad_len("port statistics");
    }
    struct reader e = reader_sub(r, length - 2);
    reader_skip(&e, 2);
    struct error *error = ofp_pull_port(&e, h->version, &s->port_no);
    s->duration_s = reader_be32(&e);
    s->duration_ns = reader_be32(&e);
    for (int i = 0; i < 8; i++) {
        *counter[i] = reader_be64(&e);
    }
    while (!error && reader_left(&e)) {
        uint16_t type;
        struct reader body;
        error = ofp_pull_property(&e, &type, &body);
        if (!error && type == PORT_PROP_ETHERNET) {
            reader_skip(&body, 4);
            for (int i = 8; i < 12; i++) {
                *counter[i] = reader_be64(&body);
            }
        }
    }
    return error;
}
