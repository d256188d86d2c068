/* SPDX-License-Identifier: Apache-2.0 */
/* Answers multipart requests. */
#include "lib/base/error.h"
#include "lib/sys/clock.h"
#include "ofproto/conn/conn.h"

static struct error *desc(struct conn *conn, const struct ofp_header *h)
{
    struct buffer b = BUFFER_INIT;
    ofp_encode_desc_reply(&b, &conn->sw->desc, h);
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

/* ---- Flows ---- */

struct flow_dump {
    struct ofp_multipart *reply;
    int64_t now_ms;
    struct ofp_aggregate_stats sum;
};

static void put_flow(const struct rule *rule, void *dump_)
{
    struct flow_dump *dump = dump_;
    struct ofp_flow_stats stats;
    tables_fill_flow_stats(rule, dump->now_ms, &stats);
    ofp_put_flow_stats(dump->reply, &stats);
}

static void add_flow(const struct rule *rule, void *dump_)
{
    struct flow_dump *dump = dump_;
    struct ofp_flow_stats stats;
    tables_fill_flow_stats(rule, dump->now_ms, &stats);
    dump->sum.packets += stats.packets;
    dump->sum.bytes += stats.bytes;
    dump->sum.n_flows++;
}

static struct error *flows(struct conn *conn, const struct ofp_header *h)
{
    struct ofp_flow_stats_request request;
    struct error *e = ofp_decode_flow_stats_request(h, &request);
    if (e) {
        return e;
    }
    /* What the datapath has counted when the request came is in the answer (CLIENTS.md, 5). */
    path_credit(conn->sw->path);
    struct buffer b = BUFFER_INIT;
    struct ofp_multipart reply;
    struct flow_dump dump = { .reply = &reply, .now_ms = clock_ms() };
    if (request.aggregate) {
        tables_stats(conn->sw->tables, &request, add_flow, &dump);
        ofp_encode_aggregate_reply(&b, &dump.sum, h);
    } else {
        enum ofp_msg msg = h->msg == OFPMSG_NXST_FLOW_REQUEST ? OFPMSG_NXST_FLOW_REPLY : OFPMSG_FLOW_STATS_REPLY;
        ofp_multipart_begin(&reply, &b, msg, conn->version, h->xid);
        tables_stats(conn->sw->tables, &request, put_flow, &dump);
        ofp_multipart_end(&reply);
    }
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

/* ---- Tables ---- */

static struct error *tables(struct conn *conn, const struct ofp_header *h)
{
    path_credit(conn->sw->path);
    struct buffer b = BUFFER_INIT;
    struct ofp_multipart reply;
    ofp_multipart_begin(&reply, &b, OFPMSG_TABLE_STATS_REPLY, conn->version, h->xid);
    for (int i = 0; i < N_TABLES - 1; i++) {
        struct ofp_table_stats stats;
        tables_table_stats(conn->sw->tables, i, &stats);
        ofp_put_table_stats(&reply, &stats);
    }
    ofp_multipart_end(&reply);
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

static void fill_table_features(struct conn *conn, uint8_t table, struct ofp_table_features *f)
{
    struct ofp_table_stats stats;
    tables_table_stats(conn->sw->tables, table, &stats);
    *f = (struct ofp_table_features) {
        .table_id = table, .metadata_match = UINT64_MAX, .metadata_write = UINT64_MAX,
        .max_entries = stats.max_entries,
    };
    memcpy(f->name, stats.name, sizeof f->name);
}

static struct error *table_features(struct conn *conn, const struct ofp_header *h)
{
    if (h->body_len) {
        return error_new(OFPERR_OFPTFFC_EPERM, "tables' features are fixed; ask with an empty request");
    }
    struct buffer b = BUFFER_INIT;
    struct ofp_multipart reply;
    ofp_multipart_begin(&reply, &b, OFPMSG_TABLE_FEATURES_REPLY, conn->version, h->xid);
    for (int i = 0; i < N_TABLES - 1; i++) {
        struct ofp_table_features f;
        fill_table_features(conn, i, &f);
        ofp_put_table_features(&reply, &f);
    }
    ofp_multipart_end(&reply);
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

static struct error *table_desc(struct conn *conn, const struct ofp_header *h)
{
    struct buffer b = BUFFER_INIT;
    struct ofp_multipart reply;
    ofp_multipart_begin(&reply, &b, OFPMSG_TABLE_DESC_REPLY, conn->version, h->xid);
    for (int i = 0; i < N_TABLES - 1; i++) {
        struct ofp_table_features f;
        fill_table_features(conn, i, &f);
        ofp_put_table_desc(&reply, &f);
    }
    ofp_multipart_end(&reply);
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

/* ---- Ports ---- */

struct port_dump {
    struct conn *conn;
    struct ofp_multipart *reply;
    ofp_port wanted;             /* OFPP_ANY: all. */
    size_t n;
};

static void put_port_stats(const struct ofp_phy_port *port, void *dump_)
{
    struct port_dump *dump = dump_;
    struct ofp_port_stats stats;
    if ((dump->wanted == OFPP_ANY || dump->wanted == port->port_no)
        && dump->conn->sw->port_stats(dump->conn->sw, port->port_no, &stats)) {
        ofp_put_port_stats(dump->reply, &stats);
        dump->n++;
    }
}

static void put_port_desc(const struct ofp_phy_port *port, void *dump_)
{
    struct port_dump *dump = dump_;
    if (dump->wanted == OFPP_ANY || dump->wanted == port->port_no) {
        ofp_put_port_desc(dump->reply, port);
        dump->n++;
    }
}

static struct error *ports(struct conn *conn, const struct ofp_header *h, enum ofp_msg msg,
                           void (*put)(const struct ofp_phy_port *, void *))
{
    struct ofp_multipart reply;
    struct port_dump dump = { .conn = conn, .reply = &reply };
    struct error *e = ofp_decode_port_request(h, &dump.wanted);
    if (e) {
        return e;
    }
    struct buffer b = BUFFER_INIT;
    ofp_multipart_begin(&reply, &b, msg, conn->version, h->xid);
    conn->sw->each_port(conn->sw, put, &dump);
    ofp_multipart_end(&reply);
    if (dump.wanted == OFPP_ANY || dump.n) {
        conn_send(conn, &b);
    } else {
        e = error_new(OFPERR_OFPBRC_BAD_PORT, "bridge \"%s\" has no port %u", conn->sw->name, dump.wanted);
    }
    buffer_fini(&b);
    return e;
}

static struct error *port_stats(struct conn *conn, const struct ofp_header *h)
{
    return ports(conn, h, OFPMSG_PORT_STATS_REPLY, put_port_stats);
}

static struct error *port_desc(struct conn *conn, const struct ofp_header *h)
{
    return ports(conn, h, OFPMSG_PORT_DESC_REPLY, put_port_desc);
}

/* No port has queues yet, so every answer is empty. */
static struct error *queue_stats(struct conn *conn, const struct ofp_header *h)
{
    struct buffer b = BUFFER_INIT;
    struct ofp_multipart reply;
    ofp_multipart_begin(&reply, &b, OFPMSG_QUEUE_STATS_REPLY, conn->version, h->xid);
    ofp_multipart_end(&reply);
    conn_send(conn, &b);
    buffer_fini(&b);
    return NULL;
}

static const struct {
    enum ofp_msg msg;
    struct error *(*run)(struct conn *, const struct ofp_header *);
} requests[] = {
    { OFPMSG_DESC_STATS_REQUEST, desc },
    { OFPMSG_FLOW_STATS_REQUEST, flows },
    { OFPMSG_AGGREGATE_STATS_REQUEST, flows },
    { OFPMSG_NXST_FLOW_REQUEST, flows },
    { OFPMSG_NXST_AGGREGATE_REQUEST, flows },
    { OFPMSG_TABLE_STATS_REQUEST, tables },
    { OFPMSG_TABLE_FEATURES_REQUEST, table_features },
    { OFPMSG_TABLE_DESC_REQUEST, table_desc },
    { OFPMSG_PORT_STATS_REQUEST, port_stats },
    { OFPMSG_PORT_DESC_REQUEST, port_desc },
    { OFPMSG_QUEUE_STATS_REQUEST, queue_stats },
};

struct error *conn_multipart(struct conn *conn, const struct ofp_header *h, bool *known)
{
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        if (requests[i].msg == h->msg) {
            *known = true;
            return h->more ? error_new(OFPERR_OFPBRC_MULTIPART_BUFFER_OVERFLOW,
                                       "%s in several parts; each of these requests fits one", ofp_msg_name(h->msg))
                           : requests[i].run(conn, h);
        }
    }
    return NULL;
}
