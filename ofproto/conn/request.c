/* SPDX-License-Identifier: Apache-2.0 */
/* Executes the requests of OpenFlow connections; multipart requests are in request_stats.c. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/packet/packet.h"
#include "lib/rpc/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "ofproto/conn/conn.h"
#include "ofproto/conn/connections.h"

LOG_MODULE(ofproto);

static void reply_simple(struct conn *conn, const struct ofp_header *h, enum ofp_msg msg, const void *data, size_t n)
{
    struct buffer b = BUFFER_INIT;
    ofp_put_simple(&b, msg, conn->version, h->xid, data, n);
    conn_send(conn, &b);
    buffer_fini(&b);
}

/* ---- The switch ---- */

struct port_collector {
    struct ofp_phy_port *ports;
    size_t n, allocated;
};

static void collect_port(const struct ofp_phy_port *port, void *c_)
{
    struct port_collector *c = c_;
    if (c->n == c->allocated) {
        c->ports = xgrow(c->ports, &c->allocated, sizeof *c->ports);
    }
    c->ports[c->n++] = *port;
}

static struct error *features(struct conn *conn, const struct ofp_header *h)
{
    struct port_collector ports = { NULL, 0, 0 };
    conn->sw->each_port(conn->sw, collect_port, &ports);
    struct ofp_features f = {
        .datapath_id = conn->sw->datapath_id,
        .n_tables = conn->version == OFP10 ? 254 : N_TABLES - 1,
        .capabilities = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS | OFPC_QUEUE_STATS,
        .ports = ports.ports,
        .n_ports = ports.n,
        .actions = OFP10_ACTIONS,
    };
    struct buffer b = BUFFER_INIT;
    ofp_encode_features_reply(&b, &f, conn->version, h->xid);
    conn_send(conn, &b);
    buffer_fini(&b);
    free(ports.ports);
    return NULL;
}

static struct error *get_config(struct conn *conn, const struct ofp_header *h)
{
    struct ofp_switch_config config = { .flags = conn->sw->frag_mode, .miss_send_len = conn->miss_send_len };
    if (conn->invalid_ttl_to_controller && conn->version < OFP13) {
        config.flags |= OFPC_INVALID_TTL_TO_CONTROLLER;
    }
    struct buffer b = BUFFER_INIT;
    ofp_encode_config(&b, OFPMSG_GET_CONFIG_REPLY, &config, conn->version, h->xid);
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

static struct error *set_config(struct conn *conn, const struct ofp_header *h)
{
    struct ofp_switch_config config;
    struct error *e = ofp_decode_config(h, &config);
    if (e) {
        return e;
    }
    if ((config.flags & OFPC_FRAG_MASK) != OFPC_FRAG_NORMAL) {
        return error_new(OFPERR_OFPSCFC_BAD_FLAGS, "fragments are handled in mode normal, %u is not offered",
                         config.flags & OFPC_FRAG_MASK);
    }
    conn->miss_send_len = config.miss_send_len;
    conn->invalid_ttl_to_controller = config.flags & OFPC_INVALID_TTL_TO_CONTROLLER;
    if (conn->invalid_ttl_to_controller) {
        conn->async.packet_in[0] |= 1u << OFPR_INVALID_TTL;
    }
    conn->sw->connections_changed(conn->sw);
    return NULL;
}

static struct error *port_mod(struct conn *conn, const struct ofp_header *h)
{
    struct ofp_port_mod mod;
    struct error *e = ofp_decode_port_mod(h, &mod);
    return e ? e : conn->sw->port_mod(conn->sw, &mod);
}

/* ---- Rules and packets ---- */

/* Groups and meters cannot be made, so no action can refer to one. */
static struct error *refuse_absent(const struct ofact_list *list)
{
    const struct ofact *a;
    struct error *e = NULL;
    OFACT_FOR_EACH (a, list) {
        if (a->type == OFACT_GROUP) {
            e = error_new(OFPERR_OFPBAC_BAD_OUT_GROUP, "there is no group %u", ((const struct ofact_group *) a)->group_id);
        } else if (a->type == OFACT_METER) {
            e = error_new(OFPERR_OFPMMFC_INVALID_METER, "there is no meter %u", ((const struct ofact_meter *) a)->meter_id);
        } else if (a->type == OFACT_WRITE_ACTIONS || a->type == OFACT_CLONE) {
            struct ofact_list nested = ofact_nested_list(a);
            e = refuse_absent(&nested);
        }
        if (e) {
            return e;
        }
    }
    return NULL;
}

static struct error *flow_mod(struct conn *conn, const struct ofp_header *h)
{
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT;
    struct error *e = conn->flow_mod_table_id ? ofp_decode_flow_mod_with_table(h, &fm, &actions)
                                              : ofp_decode_flow_mod(h, &fm, &actions);
    if (!e && fm.buffer_id != OFP_NO_BUFFER && (fm.command == OFPFC_ADD || fm.command == OFPFC_MODIFY)) {
        e = error_new(OFPERR_OFPBRC_BUFFER_UNKNOWN, "buffer %u: packets are not buffered", fm.buffer_id);
    }
    if (!e && fm.table_id == N_TABLES - 1 && fm.command <= OFPFC_MODIFY_STRICT) {
        e = error_new(OFPERR_OFPBRC_EPERM, "table %d is the switch's own; rules go to tables 0 to %d",
                      N_TABLES - 1, N_TABLES - 2);
    }
    if (!e) {
        uint8_t table = fm.table_id == OFPTT_ALL ? 0 : fm.table_id;
        e = ofacts_check(&fm.actions, &fm.match.value, &fm.match.mask, table, N_TABLES, conn->version);
        e = e ? e : refuse_absent(&fm.actions);
    }
    if (!e) {
        e = tables_flow_mod(conn->sw->tables, &fm, conn->version);
        conn->sw->flow_mod_ms = clock_ms();
    }
    buffer_fini(&actions);
    return e;
}

static struct error *packet_out(struct conn *conn, const struct ofp_header *h)
{
    struct ofp_packet_out po;
    struct buffer actions = BUFFER_INIT;
    struct packet *packet = NULL;
    struct key key;
    struct error *e = ofp_decode_packet_out(h, &po, &actions);
    if (!e && po.buffer_id != OFP_NO_BUFFER) {
        e = error_new(OFPERR_OFPBRC_BUFFER_UNKNOWN, "buffer %u: packets are not buffered", po.buffer_id);
    }
    if (!e && (po.data_len < 14 || po.data_len > PACKET_MAX)) {
        e = error_new(OFPERR_OFPBRC_BAD_PACKET, "packet-out of %zu bytes, an Ethernet frame has 14 to %d", po.data_len,
                      PACKET_MAX);
    }
    if (!e) {
        packet = packet_from_bytes(NULL, po.data, po.data_len);
        key_extract(packet, &key, 0);
        struct fields fields = { .key = key, .in_port = po.in_port };
        e = ofacts_check(&po.actions, &fields, NULL, 0xff, N_TABLES, conn->version);
        e = e ? e : refuse_absent(&po.actions);
    }
    if (!e) {
        key.tunnel = po.match.value.key.tunnel;
        const struct packet_out out = {
            .bridge_id = conn->sw->bridge_id, .in_port = po.in_port, .fields = &po.match.value, .actions = &po.actions,
            .key = &key, .frame = po.data, .n = po.data_len,
        };
        path_execute(conn->sw->path, &out);
    }
    if (packet) {
        packet_free(packet);
    }
    buffer_fini(&actions);
    return e;
}

/* ---- Barrier ---- */

struct barrier {
    struct conn *conn;           /* Holds a reference. */
    uint32_t xid;
};

static void barrier_done(void *barrier_)
{
    struct barrier *barrier = barrier_;
    struct conn *conn = barrier->conn;
    conn->barrier_pending = false;
    if (conn->stream) {
        struct buffer b = BUFFER_INIT;
        ofp_put_simple(&b, OFPMSG_BARRIER_REPLY, conn->version, barrier->xid, NULL, 0);
        conn_send(conn, &b);
        buffer_fini(&b);
    }
    conn_resume(conn);
    conn_release(conn);
    free(barrier);
}

static struct error *barrier(struct conn *conn, const struct ofp_header *h)
{
    struct barrier *barrier = xzalloc(sizeof *barrier);
    barrier->conn = conn_hold(conn);
    barrier->xid = h->xid;
    conn->barrier_pending = true;
    path_barrier(conn->sw->path, barrier_done, barrier);
    return NULL;
}

/* ---- Settings of the connection ---- */

static struct error *role(struct conn *conn, const struct ofp_header *h)
{
    struct ofp_role_request request, answer;
    struct error *e = ofp_decode_role(h, &request);
    if (!e) {
        e = connections_set_role(conn->owner, conn, &request, &answer);
    }
    if (e) {
        return e;
    }
    struct buffer b = BUFFER_INIT;
    ofp_encode_role(&b, h->msg == OFPMSG_ROLE_REQUEST ? OFPMSG_ROLE_REPLY : OFPMSG_NXT_ROLE_REPLY, &answer,
                    conn->version, h->xid);
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

static struct error *get_async(struct conn *conn, const struct ofp_header *h)
{
    struct buffer b = BUFFER_INIT;
    ofp_encode_get_async_reply(&b, &conn->async, h);
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

static struct error *set_async(struct conn *conn, const struct ofp_header *h)
{
    struct ofp_async async = conn->async;
    struct error *e = ofp_decode_set_async(h, &async);
    if (!e) {
        conn->async = async;
        conn->sw->connections_changed(conn->sw);
    }
    return e;
}

static struct error *nicira_setting(struct conn *conn, const struct ofp_header *h)
{
    struct reader r = reader_of(h->body, h->body_len);
    uint32_t value;
    switch (h->msg) {
    case OFPMSG_NXT_SET_FLOW_FORMAT:
        value = reader_be32(&r);
        if (value != 0 && value != 2) {
            return error_new(OFPERR_OFPBRC_EPERM, "flow format %u: 0 is OpenFlow 1.0, 2 is NXM", value);
        }
        conn->nxm_flows = value == 2;
        return NULL;
    case OFPMSG_NXT_FLOW_MOD_TABLE_ID:
        conn->flow_mod_table_id = reader_u8(&r) != 0;
        return NULL;
    case OFPMSG_NXT_SET_PACKET_IN_FORMAT:
        value = reader_be32(&r);
        if (value > PACKET_IN_NXT2) {
            return error_new(OFPERR_OFPBRC_EPERM, "packet-in format %u: 0 standard, 1 Nicira, 2 Nicira 2", value);
        }
        conn->packet_in_format = value;
        return NULL;
    case OFPMSG_NXT_SET_CONTROLLER_ID:
        reader_skip(&r, 6);
        conn->controller_id = reader_be16(&r);
        return NULL;
    default:
        return NULL;   /* NXT_FLOW_AGE: ages are always told. */
    }
}

/* ---- Dispatch ---- */

static struct error *echo(struct conn *conn, const struct ofp_header *h)
{
    reply_simple(conn, h, OFPMSG_ECHO_REPLY, h->body, h->body_len);
    return NULL;
}

static struct error *ignore(struct conn *conn UNUSED, const struct ofp_header *h UNUSED)
{
    return NULL;
}

static struct error *peer_error(struct conn *conn, const struct ofp_header *h)
{
    enum ofp_error code;
    struct buffer payload = BUFFER_INIT;
    struct error *e = ofp_decode_error(h, &code, &payload);
    LOG_INFO("%s<->%s: the peer sent error %s", conn->sw->name, conn->name, e ? error_text(e) : ofp_error_name(code));
    buffer_fini(&payload);
    error_free(e);
    return NULL;
}

static const struct request {
    enum ofp_msg msg;
    bool changes;      /* Not for slaves (OpenFlow 1.3.5, 6.3.6). */
    struct error *(*run)(struct conn *, const struct ofp_header *);
} requests[] = {
    { OFPMSG_HELLO, false, ignore },
    { OFPMSG_ERROR, false, peer_error },
    { OFPMSG_ECHO_REQUEST, false, echo },
    { OFPMSG_ECHO_REPLY, false, ignore },
    { OFPMSG_FEATURES_REQUEST, false, features },
    { OFPMSG_GET_CONFIG_REQUEST, false, get_config },
    { OFPMSG_SET_CONFIG, false, set_config },
    { OFPMSG_PORT_MOD, true, port_mod },
    { OFPMSG_FLOW_MOD, true, flow_mod },
    { OFPMSG_NXT_FLOW_MOD, true, flow_mod },
    { OFPMSG_PACKET_OUT, true, packet_out },
    { OFPMSG_BARRIER_REQUEST, false, barrier },
    { OFPMSG_ROLE_REQUEST, false, role },
    { OFPMSG_NXT_ROLE_REQUEST, false, role },
    { OFPMSG_GET_ASYNC_REQUEST, false, get_async },
    { OFPMSG_SET_ASYNC, false, set_async },
    { OFPMSG_NXT_SET_ASYNC_CONFIG, false, set_async },
    { OFPMSG_NXT_SET_ASYNC_CONFIG2, false, set_async },
    { OFPMSG_NXT_SET_FLOW_FORMAT, false, nicira_setting },
    { OFPMSG_NXT_FLOW_MOD_TABLE_ID, false, nicira_setting },
    { OFPMSG_NXT_SET_PACKET_IN_FORMAT, false, nicira_setting },
    { OFPMSG_NXT_SET_CONTROLLER_ID, false, nicira_setting },
    { OFPMSG_NXT_FLOW_AGE, false, nicira_setting },
};

void conn_request(struct conn *conn, const struct ofp_header *h)
{
    struct error *e = NULL;
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(requests) && !known; i++) {
        if (requests[i].msg == h->msg) {
            known = true;
            e = requests[i].changes && conn->role == OFPROLE_SLAVE
                    ? error_new(OFPERR_OFPBRC_IS_SLAVE, "%s from a slave controller", ofp_msg_name(h->msg))
                    : requests[i].run(conn, h);
        }
    }
    if (!known) {
        e = conn_multipart(conn, h, &known);
    }
    if (!known) {
        bool multipart = h->whole[1] == (h->version == OFP10 ? 16 : 18);
        e = error_new(multipart ? OFPERR_OFPBRC_BAD_STAT : OFPERR_OFPBRC_BAD_TYPE,
                      "%s is not something that this switch is asked", ofp_msg_name(h->msg));
    }
    if (e) {
        conn_send_error(conn, e, h);
    }
}
