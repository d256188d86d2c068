/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow connections of a bridge. */
#include "ofproto/conn/connections.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/rpc/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"

LOG_MODULE(connmgr);

enum { MIN_BACKOFF_MS = 1000, SNOOP_MAX_QUEUED = 1024 * 1024, MAX_SNOOPERS = 16 };

/* A target of the set: an active controller, or a listener for services. */
struct target {
    struct list node;
    struct connections *owner;
    char *address;
    unsigned max_backoff_ms, probe_ms, rate_limit, burst_limit;
    struct stream_listener *listener;     /* Passive. */
    struct conn *conn;                    /* Active; NULL while backing off. */
    struct loop_timer retry;
    unsigned backoff_ms;
    int64_t connected_ms, disconnected_ms;
    char *last_error;
    bool mark;
};

struct connections {
    struct of_switch *sw;
    struct loop *loop;
    struct list conns;
    struct list targets;
    struct stream_listener *mgmt, *snoop;
    struct stream *snoopers[MAX_SNOOPERS];
    size_t n_snoopers, n_services;
    bool has_generation;
    uint64_t generation;
    int64_t down_since_ms;                /* No controller since; 0: one is there. */
    bool destroying;
};

/* ---- Services and snoopers ---- */

static void accept_service(struct stream *stream, void *cs_)
{
    struct connections *cs = cs_;
    if (cs->n_services >= CONNECTIONS_MAX_SERVICE) {
        LOG_WARN("bridge \"%s\": more than %d service connections, closing %s", cs->sw->name, CONNECTIONS_MAX_SERVICE,
                 stream_name(stream));
        stream_destroy(stream);
        return;
    }
    cs->n_services++;
    struct conn *conn = conn_create(cs, cs->sw, cs->loop, stream, CONN_SERVICE);
    list_push_back(&cs->conns, &conn->node);
    conn_set_limits(conn, 0, 0, 60000);
}

static void accept_target(struct stream *stream, void *t_)
{
    struct target *t = t_;
    accept_service(stream, t->owner);
}

static void snooper_gone(struct stream *stream, int errno_value UNUSED, void *cs_)
{
    struct connections *cs = cs_;
    for (size_t i = 0; i < cs->n_snoopers; i++) {
        if (cs->snoopers[i] == stream) {
            cs->snoopers[i] = cs->snoopers[--cs->n_snoopers];
            stream_destroy(stream);
            return;
        }
    }
}

static void snooper_readable(struct stream *stream, void *cs UNUSED)
{
    /* It may say hello; nobody listens. */
    size_t n;
    stream_peek(stream, &n);
    stream_consume(stream, n);
}

static void accept_snooper(struct stream *stream, void *cs_)
{
    static const struct stream_callbacks callbacks = { .readable = snooper_readable, .closed = snooper_gone };
    struct connections *cs = cs_;
    if (cs->n_snoopers == MAX_SNOOPERS) {
        stream_destroy(stream);
        return;
    }
    cs->snoopers[cs->n_snoopers++] = stream;
    stream_set_callbacks(stream, &callbacks, cs);
    struct buffer b = BUFFER_INIT;
    ofp_encode_hello(&b, cs->sw->versions, 0);
    stream_send(stream, b.data, b.len);
    buffer_fini(&b);
}

void connections_snoop(struct connections *cs, const void *messages, size_t n)
{
    for (size_t i = 0; i < cs->n_snoopers; i++) {
        if (stream_queued_bytes(cs->snoopers[i]) < SNOOP_MAX_QUEUED) {
            stream_send(cs->snoopers[i], messages, n);
        }
    }
}

/* ---- Targets ---- */

static void target_fail(struct target *t, const char *why)
{
    free(t->last_error);
    t->last_error = xstrdup(why);
    t->disconnected_ms = clock_ms();
    t->backoff_ms = t->backoff_ms ? MIN(t->backoff_ms * 2, t->max_backoff_ms) : MIN(MIN_BACKOFF_MS, t->max_backoff_ms);
    loop_timer_after_ms(&t->retry, t->backoff_ms);
}

static void target_connect(void *t_)
{
    struct target *t = t_;
    struct connections *cs = t->owner;
    struct stream *stream;
    struct error *e = stream_open(cs->loop, t->address, 6653, &stream);
    if (e) {
        LOG_WARN("bridge \"%s\": controller \"%s\": %s", cs->sw->name, t->address, error_text(e));
        target_fail(t, error_text(e));
        error_free(e);
        return;
    }
    t->conn = conn_create(cs, cs->sw, cs->loop, stream, CONN_CONTROLLER);
    list_push_back(&cs->conns, &t->conn->node);
    conn_set_limits(t->conn, t->rate_limit, t->burst_limit, t->probe_ms);
    if (!t->probe_ms) {
        return;
    }
    /* A host that does not answer must not take the kernel's minutes. */
    loop_timer_after_ms(&t->conn->probe_timer, MAX(t->probe_ms, 1000));
}

static struct target *target_of(const struct connections *cs, const struct conn *conn)
{
    struct target *t;
    LIST_FOR_EACH (t, node, &cs->targets) {
        if (t->conn == conn) {
            return t;
        }
    }
    return NULL;
}

static void target_destroy(struct target *t)
{
    list_remove(&t->node);
    loop_timer_cancel(&t->retry);
    stream_listener_destroy(t->listener);
    if (t->conn) {
        conn_destroy(t->conn);
    }
    free(t->address);
    free(t->last_error);
    free(t);
}

static struct target *target_find(const struct connections *cs, const char *address)
{
    struct target *t;
    LIST_FOR_EACH (t, node, &cs->targets) {
        if (!strcmp(t->address, address)) {
            return t;
        }
    }
    return NULL;
}

static bool is_passive(const char *address)
{
    return !strncmp(address, "p", 1);
}

static struct error *target_add(struct connections *cs, const struct controller_target *wanted, struct target **out)
{
    struct error *why = NULL;
    bool passive = is_passive(wanted->target);
    if (!stream_address_is_valid(wanted->target, passive, &why)) {
        return error_wrap(why, "controller \"%s\" of bridge \"%s\"", wanted->target, cs->sw->name);
    }
    struct target *t = xzalloc(sizeof *t);
    t->owner = cs;
    t->address = xstrdup(wanted->target);
    loop_timer_init(&t->retry, cs->loop, target_connect, t);
    list_push_back(&cs->targets, &t->node);
    if (passive) {
        struct error *e = stream_listen(cs->loop, t->address, 6653, accept_target, t, &t->listener);
        if (e) {
            target_destroy(t);
            return error_wrap(e, "controller \"%s\" of bridge \"%s\"", wanted->target, cs->sw->name);
        }
    } else {
        loop_timer_after_ms(&t->retry, 0);
    }
    *out = t;
    return NULL;
}

struct error *connections_set(struct connections *cs, const struct controller_target *targets, size_t n)
{
    struct error *first = NULL;
    struct target *t, *after;
    LIST_FOR_EACH (t, node, &cs->targets) {
        t->mark = false;
    }
    bool had = connections_have_controllers(cs);
    for (size_t i = 0; i < n; i++) {
        t = target_find(cs, targets[i].target);
        if (!t) {
            struct error *e = target_add(cs, &targets[i], &t);
            if (e) {
                error_keep_first(&first, e);
                continue;
            }
        }
        t->mark = true;
        t->max_backoff_ms = MAX(targets[i].max_backoff_ms ? targets[i].max_backoff_ms : 8000, 1000);
        t->probe_ms = targets[i].probe_ms;
        t->rate_limit = targets[i].rate_limit;
        t->burst_limit = targets[i].burst_limit;
        if (t->conn && t->conn->version) {
            conn_set_limits(t->conn, t->rate_limit, t->burst_limit, t->probe_ms);
        }
    }
    LIST_FOR_EACH_SAFE (t, after, node, &cs->targets) {
        if (!t->mark) {
            target_destroy(t);
        }
    }
    if (!had && connections_have_controllers(cs)) {
        cs->down_since_ms = clock_ms();
    }
    cs->sw->connections_changed(cs->sw);
    return first;
}

/* ---- Life ---- */

static struct error *listen_at(struct connections *cs, const char *rundir, const char *suffix,
                               void (*accepted)(struct stream *, void *), struct stream_listener **out)
{
    char *address = xasprintf("punix:%s/%s.%s", rundir, cs->sw->name, suffix);
    struct error *e = stream_listen(cs->loop, address, 0, accepted, cs, out);
    free(address);
    return e;
}

struct error *connections_create(struct of_switch *sw, struct loop *loop, const char *rundir, struct connections **out)
{
    struct connections *cs = xzalloc(sizeof *cs);
    cs->sw = sw;
    cs->loop = loop;
    list_init(&cs->conns);
    list_init(&cs->targets);
    struct error *e = listen_at(cs, rundir, "mgmt", accept_service, &cs->mgmt);
    if (!e) {
        e = listen_at(cs, rundir, "snoop", accept_snooper, &cs->snoop);
    }
    if (e) {
        connections_destroy(cs);
        return e;
    }
    *out = cs;
    return NULL;
}

void connections_destroy(struct connections *cs)
{
    if (!cs) {
        return;
    }
    cs->destroying = true;
    struct target *t, *next_target;
    LIST_FOR_EACH_SAFE (t, next_target, node, &cs->targets) {
        target_destroy(t);
    }
    struct conn *conn, *next_conn;
    LIST_FOR_EACH_SAFE (conn, next_conn, node, &cs->conns) {
        conn_destroy(conn);
    }
    for (size_t i = 0; i < cs->n_snoopers; i++) {
        stream_destroy(cs->snoopers[i]);
    }
    stream_listener_destroy(cs->mgmt);
    stream_listener_destroy(cs->snoop);
    free(cs);
}

void connections_versions_changed(struct connections *cs)
{
    struct conn *conn, *after;
    LIST_FOR_EACH_SAFE (conn, after, node, &cs->conns) {
        if (conn->version && !(cs->sw->versions & OFP_BIT(conn->version))) {
            stream_destroy(conn->stream);
            conn->stream = NULL;
            connections_conn_closed(cs, conn, "protocols changed");
        }
    }
}

void connections_conn_agreed(struct connections *cs, struct conn *conn)
{
    struct target *t = target_of(cs, conn);
    if (t) {
        t->connected_ms = clock_ms();
        t->backoff_ms = 0;
        free(t->last_error);
        t->last_error = NULL;
        cs->down_since_ms = 0;
    }
    cs->sw->connections_changed(cs->sw);
}

void connections_conn_closed(struct connections *cs, struct conn *conn, const char *why)
{
    struct target *t = target_of(cs, conn);
    if (t) {
        if (conn->version) {
            LOG_INFO("%s<->%s: connection ended: %s", cs->sw->name, t->address, why);
        }
        t->conn = NULL;
        target_fail(t, why);
    } else if (conn->kind == CONN_SERVICE) {
        cs->n_services--;
    }
    conn_destroy(conn);
    int64_t since;
    if (!cs->down_since_ms && connections_have_controllers(cs) && !connections_have_live_controller(cs, &since)) {
        cs->down_since_ms = clock_ms();
    }
    if (!cs->destroying) {
        cs->sw->connections_changed(cs->sw);
    }
}

/* ---- Questions ---- */

bool connections_have_controllers(const struct connections *cs)
{
    struct target *t;
    LIST_FOR_EACH (t, node, &cs->targets) {
        if (!t->listener) {
            return true;
        }
    }
    return false;
}

bool connections_have_live_controller(const struct connections *cs, int64_t *down_since_ms)
{
    struct target *t;
    LIST_FOR_EACH (t, node, &cs->targets) {
        if (t->conn && t->conn->version) {
            *down_since_ms = 0;
            return true;
        }
    }
    *down_since_ms = cs->down_since_ms;
    return false;
}

bool connections_want_misses(const struct connections *cs)
{
    struct conn *conn;
    LIST_FOR_EACH (conn, node, &cs->conns) {
        if (conn->version && conn->version < OFP13 && conn_wants(conn, conn->async.packet_in, OFPR_NO_MATCH)) {
            return true;
        }
    }
    return false;
}

void connections_each_status(const struct connections *cs, void (*each)(const struct connection_status *, void *arg),
                             void *arg)
{
    struct target *t;
    LIST_FOR_EACH (t, node, &cs->targets) {
        bool live = t->conn && t->conn->version;
        struct connection_status s = {
            .target = t->address,
            .is_connected = live,
            .role = live ? t->conn->role : OFPROLE_NOCHANGE,
            .state = live ? t->conn->probe_sent ? "IDLE" : "ACTIVE" : t->conn ? "CONNECTING" : t->listener ? "ACTIVE"
                                                                                             : "BACKOFF",
            .last_error = t->last_error,
            .connected_ms = t->connected_ms,
            .disconnected_ms = t->disconnected_ms,
        };
        each(&s, arg);
    }
}

/* ---- Roles ---- */

static void send_role_status(struct conn *conn)
{
    /* OpenFlow 1.4 and later, 7.4.4: a master that another one replaced is told. */
    if (conn->version >= OFP14 && conn_wants(conn, conn->async.role_status, 0)) {
        struct ofp_role_request status = { .role = conn->role };
        struct buffer b = BUFFER_INIT;
        ofp_encode_role(&b, OFPMSG_ROLE_STATUS, &status, conn->version, 0);
        conn_send(conn, &b);
        buffer_fini(&b);
    }
}

struct error *connections_set_role(struct connections *cs, struct conn *conn, const struct ofp_role_request *request,
                                   struct ofp_role_request *reply)
{
    if (request->role == OFPROLE_MASTER || request->role == OFPROLE_SLAVE) {
        if (request->has_generation) {
            if (cs->has_generation && (int64_t) (request->generation_id - cs->generation) < 0) {
                return error_new(OFPERR_OFPRRFC_STALE, "generation id %llu is older than %llu, the last one seen",
                                 (unsigned long long) request->generation_id, (unsigned long long) cs->generation);
            }
            cs->has_generation = true;
            cs->generation = request->generation_id;
        }
    }
    if (request->role != OFPROLE_NOCHANGE && request->role != conn->role) {
        conn->role = request->role;
        if (request->role == OFPROLE_MASTER) {
            struct conn *other;
            LIST_FOR_EACH (other, node, &cs->conns) {
                if (other != conn && other->role == OFPROLE_MASTER) {
                    other->role = OFPROLE_SLAVE;
                    send_role_status(other);
                }
            }
        }
        cs->sw->connections_changed(cs->sw);
    }
    *reply = (struct ofp_role_request) {
        .role = conn->role,
        .has_generation = cs->has_generation,
        .generation_id = cs->has_generation ? cs->generation : UINT64_MAX,
    };
    return NULL;
}

/* ---- Asynchronous messages ---- */

void connections_port_status(struct connections *cs, uint8_t reason, const struct ofp_phy_port *port,
                             const struct conn *but)
{
    struct conn *conn;
    LIST_FOR_EACH (conn, node, &cs->conns) {
        if (conn != but && conn_wants(conn, conn->async.port_status, reason)) {
            struct buffer b = BUFFER_INIT;
            ofp_encode_port_status(&b, reason, port, conn->version);
            conn_send(conn, &b);
            buffer_fini(&b);
        }
    }
}

void connections_flow_removed(struct connections *cs, const struct rule *rule, uint8_t reason)
{
    if (!(rule->flags & OFPFF_SEND_FLOW_REM)) {
        return;
    }
    struct ofp_flow_stats stats;
    tables_fill_flow_stats(rule, clock_ms(), &stats);
    struct ofp_flow_removed removed = {
        .match = stats.match, .cookie = stats.cookie, .priority = stats.priority, .reason = reason,
        .table_id = stats.table_id, .duration_s = stats.duration_s, .duration_ns = stats.duration_ns,
        .idle_timeout = stats.idle_timeout, .hard_timeout = stats.hard_timeout, .packets = stats.packets,
        .bytes = stats.bytes,
    };
    struct conn *conn;
    LIST_FOR_EACH (conn, node, &cs->conns) {
        if (conn_wants(conn, conn->async.flow_removed, reason)) {
            struct buffer b = BUFFER_INIT;
            ofp_encode_flow_removed(&b, &removed, conn->version, conn->nxm_flows);
            conn_send(conn, &b);
            buffer_fini(&b);
        }
    }
}

void connections_packet_in(struct connections *cs, const struct ofp_packet_in *pin, uint16_t controller_id, bool is_miss_rule)
{
    struct conn *conn;
    LIST_FOR_EACH (conn, node, &cs->conns) {
        /* Before 1.3 a rule for table misses is a rule like any other. */
        struct ofp_packet_in p = *pin;
        if (is_miss_rule && conn->version < OFP13) {
            p.reason = OFPR_ACTION;
        }
        if (conn->controller_id == controller_id && conn_wants(conn, conn->async.packet_in, p.reason)) {
            conn_send_packet_in(conn, &p);
        }
    }
}
