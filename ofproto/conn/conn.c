/* SPDX-License-Identifier: Apache-2.0 */
/* An OpenFlow connection. */
#include "ofproto/conn/conn.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "ofproto/conn/connections.h"

LOG_MODULE(conn);

enum { DEFAULT_MISS_SEND_LEN = 128 };

struct conn *conn_hold(struct conn *conn)
{
    conn->refs++;
    return conn;
}

void conn_release(struct conn *conn)
{
    if (!--conn->refs) {
        free(conn->name);
        free(conn);
    }
}

/* Ends the connection from within: the owner decides what follows. */
static void conn_close(struct conn *conn, const char *why)
{
    if (conn->stream) {
        stream_destroy(conn->stream);
        conn->stream = NULL;
        loop_timer_cancel(&conn->probe_timer);
        connections_conn_closed(conn->owner, conn, why);
    }
}

static void arm_probe(struct conn *conn)
{
    conn->probe_sent = false;
    if (conn->probe_ms) {
        loop_timer_after_ms(&conn->probe_timer, conn->probe_ms);
    } else {
        loop_timer_cancel(&conn->probe_timer);
    }
}

static void probe(void *conn_)
{
    struct conn *conn = conn_;
    if (!conn->version || conn->probe_sent) {
        LOG_INFO("%s<->%s: no answer for %u ms, closing", conn->sw->name, conn->name, conn->probe_ms);
        conn_close(conn, "no response to inactivity probe");
        return;
    }
    struct buffer b = BUFFER_INIT;
    ofp_put_simple(&b, OFPMSG_ECHO_REQUEST, conn->version, 0, NULL, 0);
    conn_send(conn, &b);
    buffer_fini(&b);
    conn->probe_sent = true;
    loop_timer_after_ms(&conn->probe_timer, conn->probe_ms);
}

/* ---- Negotiation ---- */

static void put_versions(struct text *text, uint32_t bits)
{
    const char *comma = "";
    for (int v = OFP10; v < 32; v++) {
        if (bits & OFP_BIT(v)) {
            if (v < OFP_VERSION_END) {
                text_printf(text, "%s%s", comma, ofp_version_name(v));
            } else {
                text_printf(text, "%s0x%02x", comma, v);
            }
            comma = ",";
        }
    }
}

static void refuse_versions(struct conn *conn, uint32_t theirs, enum ofp_version theirs_top, uint32_t xid)
{
    struct text text = TEXT_INIT;
    text_printf(&text, "bridge \"%s\" speaks ", conn->sw->name);
    put_versions(&text, conn->sw->versions);
    text_put(&text, ", the peer ");
    put_versions(&text, theirs);
    text_put(&text, "; no version is common. To allow one: ovs-vsctl set bridge ");
    text_put(&text, conn->sw->name);
    text_put(&text, " protocols=");
    put_versions(&text, (theirs & OFP_SUPPORTED) ? theirs & OFP_SUPPORTED : OFP_SUPPORTED);
    LOG_WARN("%s<->%s: version negotiation failed: %s", conn->sw->name, conn->name, text_str(&text));
    struct buffer b = BUFFER_INIT;
    ofp_encode_hello_failed(&b, theirs_top, xid, text_str(&text));
    conn_send(conn, &b);
    buffer_fini(&b);
    text_fini(&text);
    conn_close(conn, "version negotiation failed");
}

static void set_default_async(struct conn *conn)
{
    memset(&conn->async, 0, sizeof conn->async);
    conn->async.packet_in[0] = 1u << OFPR_NO_MATCH | 1u << OFPR_ACTION | 1u << OFPR_ACTION_SET | 1u << OFPR_GROUP
                               | 1u << OFPR_PACKET_OUT;
    conn->async.port_status[0] = conn->async.port_status[1] = 7;
    conn->async.flow_removed[0] = UINT32_MAX;
    conn->async.role_status[0] = conn->async.role_status[1] = 7;
    conn->async.table_status[0] = UINT32_MAX;
}

static void receive_hello(struct conn *conn, const uint8_t *p, size_t n)
{
    uint32_t theirs = 0;
    struct error *e = ofp_decode_hello(p, n, &theirs);
    if (e) {
        LOG_WARN("%s<->%s: bad HELLO: %s", conn->sw->name, conn->name, error_text(e));
        error_free(e);
        conn_close(conn, "bad HELLO");
        return;
    }
    uint32_t common = theirs & conn->sw->versions;
    if (!common) {
        refuse_versions(conn, theirs, MIN(MAX(p[0], OFP10), OFP_VERSION_END - 1), get_be32(p + 4));
        return;
    }
    conn->version = 31 - __builtin_clz(common);
    conn->connected_ms = clock_ms();
    set_default_async(conn);
    arm_probe(conn);
    LOG_INFO("%s<->%s: connected, %s", conn->sw->name, conn->name, ofp_version_name(conn->version));
    connections_conn_agreed(conn->owner, conn);
}

/* ---- Receiving ---- */

static void receive(struct conn *conn, const uint8_t *p, size_t n)
{
    if (conn->kind == CONN_CONTROLLER) {
        connections_snoop(conn->owner, p, n);
    }
    if (!conn->version) {
        receive_hello(conn, p, n);
        return;
    }
    struct ofp_header h;
    struct error *e = ofp_decode_header(p, n, &h);
    if (!e && h.version != conn->version && h.msg != OFPMSG_HELLO && h.msg != OFPMSG_ERROR) {
        e = error_new(OFPERR_OFPBRC_BAD_VERSION, "message in version 0x%02x on a connection that speaks %s", p[0],
                      ofp_version_name(conn->version));
    }
    if (e) {
        h.whole = p;
        h.whole_len = n;
        h.version = conn->version;
        h.xid = get_be32(p + 4);
        conn_send_error(conn, e, &h);
        return;
    }
    conn_request(conn, &h);
}

static void readable(struct stream *stream, void *conn_)
{
    struct conn *conn = conn_;
    conn->refs++;
    while (conn->stream && !conn->barrier_pending && stream_queued_bytes(stream) <= CONN_MAX_QUEUED) {
        size_t n;
        const uint8_t *p = stream_peek(stream, &n);
        if (n < OFP_HEADER_LEN) {
            break;
        }
        size_t len = ofp_message_length(p);
        if (len < OFP_HEADER_LEN) {
            LOG_WARN("%s<->%s: message of length %zu, the header alone has 8; closing", conn->sw->name, conn->name, len);
            conn_close(conn, "bad message length");
            break;
        }
        if (n < len) {
            break;
        }
        /* The handler may send, and close the stream; 'p' must outlive it. */
        uint8_t *message = xmemdup(p, len);
        stream_consume(stream, len);
        if (conn->version) {
            arm_probe(conn);
        }
        receive(conn, message, len);
        free(message);
    }
    if (conn->stream) {
        stream_pause(conn->stream, conn->barrier_pending || stream_queued_bytes(stream) > CONN_MAX_QUEUED);
    }
    conn_release(conn);
}

void conn_resume(struct conn *conn)
{
    if (conn->stream) {
        stream_pause(conn->stream, false);
        readable(conn->stream, conn);
    }
}

static void drained(struct stream *stream, void *conn_)
{
    readable(stream, conn_);
}

static void closed(struct stream *stream UNUSED, int errno_value, void *conn_)
{
    conn_close(conn_, errno_value ? strerror(errno_value) : "closed by peer");
}

static void connected(struct stream *stream UNUSED, void *conn_)
{
    struct conn *conn = conn_;
    struct buffer b = BUFFER_INIT;
    ofp_encode_hello(&b, conn->sw->versions, conn->next_xid++);
    conn_send(conn, &b);
    buffer_fini(&b);
    arm_probe(conn);
}

static const struct stream_callbacks callbacks = { connected, readable, drained, closed };

struct conn *conn_create(struct connections *owner, struct of_switch *sw, struct loop *loop, struct stream *stream,
                         enum conn_kind kind)
{
    struct conn *conn = xzalloc(sizeof *conn);
    conn->owner = owner;
    conn->sw = sw;
    conn->stream = stream;
    conn->kind = kind;
    conn->name = xstrdup(stream_name(stream));
    conn->next_xid = 1;
    conn->refs = 1;
    conn->role = OFPROLE_EQUAL;
    conn->miss_send_len = kind == CONN_CONTROLLER ? DEFAULT_MISS_SEND_LEN : 0;
    list_init(&conn->node);
    loop_timer_init(&conn->probe_timer, loop, probe, conn);
    stream_set_callbacks(stream, &callbacks, conn);
    if (stream_is_connected(stream)) {
        connected(stream, conn);
    }
    return conn;
}

void conn_destroy(struct conn *conn)
{
    list_remove(&conn->node);
    loop_timer_cancel(&conn->probe_timer);
    stream_destroy(conn->stream);
    conn->stream = NULL;
    conn_release(conn);
}

void conn_set_limits(struct conn *conn, unsigned rate_limit, unsigned burst_limit, unsigned probe_ms)
{
    conn->rate_limit = rate_limit;
    conn->burst_limit = burst_limit ? burst_limit : rate_limit;
    conn->tokens = conn->burst_limit;
    conn->tokens_ms = clock_ms();
    if (conn->probe_ms != probe_ms) {
        conn->probe_ms = probe_ms;
        arm_probe(conn);
    }
}

/* ---- Sending ---- */

void conn_send(struct conn *conn, const struct buffer *messages)
{
    if (conn->stream) {
        if (conn->kind == CONN_CONTROLLER) {
            connections_snoop(conn->owner, messages->data, messages->len);
        }
        stream_send(conn->stream, messages->data, messages->len);
    }
}

void conn_send_error(struct conn *conn, struct error *e, const struct ofp_header *offender)
{
    LOG_INFO("%s<->%s: %s: %s", conn->sw->name, conn->name,
             error_code(e) >= ERROR_CODE_OWN ? ofp_error_name(error_code(e)) : "error", error_text(e));
    enum ofp_error code = error_code(e) >= ERROR_CODE_OWN ? error_code(e) : (int) OFPERR_OFPBRC_EPERM;
    struct buffer b = BUFFER_INIT;
    ofp_encode_error(&b, code, offender);
    conn_send(conn, &b);
    buffer_fini(&b);
    error_free(e);
}

bool conn_wants(const struct conn *conn, const uint32_t masks[2], unsigned reason)
{
    if (!conn->stream || !conn->version || (conn->kind == CONN_SERVICE && !conn->miss_send_len)) {
        return false;
    }
    return masks[conn->role == OFPROLE_SLAVE] >> reason & 1;
}

static bool take_token(struct conn *conn)
{
    if (!conn->rate_limit) {
        return true;
    }
    int64_t now = clock_ms();
    conn->tokens = MIN(conn->burst_limit, conn->tokens + (now - conn->tokens_ms) * (double) conn->rate_limit / 1000);
    conn->tokens_ms = now;
    if (conn->tokens < 1) {
        return false;
    }
    conn->tokens -= 1;
    return true;
}

void conn_send_packet_in(struct conn *conn, const struct ofp_packet_in *pin)
{
    if (stream_queued_bytes(conn->stream) > CONN_MAX_QUEUED_ASYNC || !take_token(conn)) {
        conn->n_packet_ins_dropped++;
        return;
    }
    conn->n_packet_ins++;
    struct buffer b = BUFFER_INIT;
    ofp_encode_packet_in(&b, pin, conn->packet_in_format, conn->version);
    conn_send(conn, &b);
    buffer_fini(&b);
}
