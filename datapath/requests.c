/* SPDX-License-Identifier: Apache-2.0 */
/* What each request of a peer does: one function a message, in one table. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/control.h"
#include "datapath/port/offload.h"
#include "datapath/tunnel/route.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/log.h"

LOG_MODULE(datapath);

/* A request at work. 'answer' is begun; what a handler puts there is sent unless it fails. */
struct request {
    struct datapath *dp;
    struct peer *peer;
    const struct wire_message *m;
    const struct wire_attrs *a;
    struct buffer answer;
};

static void send_error(struct peer *p, uint32_t xid, const struct error *e)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_ANSWER, xid);
    wire_put_error(&b, e);
    peer_send(p, &b);
    buffer_fini(&b);
}

void request_refuse(struct peer *p, uint32_t xid, struct error *e)
{
    LOG_WARN("%s", error_text(e));
    send_error(p, xid, e);
    error_free(e);
}

/* ---- Datapath ---- */

static struct error *hello(struct request *r)
{
    uint32_t version = wire_u32(r->a, ATTR_VERSION);
    if (peer_said_hello(r->peer)) {
        return error_new(EINVAL, "hello: said twice");
    }
    wire_put_u32(&r->answer, ATTR_VERSION, WIRE_VERSION);
    wire_put(&r->answer, ATTR_FEATURES, "", 0);
    if (version != WIRE_VERSION) {
        return error_new(EPROTONOSUPPORT, "hello: the datapath speaks version %d of its protocol, the peer %u",
                         WIRE_VERSION, version);
    }
    if (wire_has(r->a, ATTR_OBSERVER)) {
        peer_set_observer(r->peer);
        return NULL;
    }
    struct error *e = peer_become_control(r->peer, &r->answer);
    if (!e) {
        buffer_clear(&r->answer);      /* It is sent already. */
        for (uint32_t i = 0; i < r->dp->n_workers; i++) {
            worker_announce(r->dp->workers[i], true);
        }
    }
    return e;
}

static struct error *sync(struct request *r)
{
    workers_quiesce(r->dp);
    return NULL;
}

static struct error *configure(struct request *r)
{
    struct datapath *dp = r->dp;
    uint32_t limit = wire_u32(r->a, ATTR_FLOW_LIMIT);
    bool hold = wire_u8(r->a, ATTR_HOLD);
    struct error *e = workers_set(dp, wire_u32(r->a, ATTR_N_WORKERS), wire_u64(r->a, ATTR_CPU_MASK));
    if (e) {
        return e;
    }
    flow_table_set_limit(dp->table, limit ? MIN(limit, (uint32_t) DP_MAX_FLOWS) : ENGINE_FLOW_LIMIT);
    if (hold != dp->hold) {
        __atomic_store_n(&dp->hold, hold, __ATOMIC_SEQ_CST);
        for (uint32_t i = 0; i < dp->n_workers; i++) {
            worker_announce(dp->workers[i], true);      /* When held it only forgets what was announced. */
        }
    }
    return NULL;
}

static struct error *get_stats(struct request *r)
{
    struct dp_stats s;
    datapath_get_stats(r->dp, &s);
    wire_put_stats(&r->answer, &s);
    return NULL;
}

static struct error *upcall_stats(struct request *r)
{
    struct dp_upcall_stats s;
    datapath_get_upcall_stats(r->dp, &s);
    wire_put_upcall_stats(&r->answer, &s);
    return NULL;
}

static struct error *route(struct request *r)
{
    struct in6_addr remote;
    struct route found;
    memcpy(&remote, r->a->p[ATTR_ADDRESS], sizeof remote);
    struct error *e = route_lookup(&remote, &found);
    if (!e) {
        wire_put_string(&r->answer, ATTR_NAME, found.ifname);
        wire_put(&r->answer, ATTR_SOURCE, &found.source, sizeof found.source);
        wire_put(&r->answer, ATTR_GATEWAY, &found.gateway, sizeof found.gateway);
        wire_put_u32(&r->answer, ATTR_MTU, found.mtu);
    }
    return e;
}

/* ---- Ports ---- */

static struct error *port_add(struct request *r)
{
    struct dp_port_config config;
    uint32_t port_no;
    struct error *e = wire_get_port(r->a->p[ATTR_PORT], r->a->n[ATTR_PORT], &config, NULL);
    if (!e) {
        e = port_set_add(r->dp, &config, &port_no);
    }
    if (!e) {
        wire_put_u32(&r->answer, ATTR_PORT_NO, port_no);
    }
    dp_port_config_fini(&config);
    return e;
}

static struct error *port_set(struct request *r)
{
    struct dp_port_config config;
    struct error *e = wire_get_port(r->a->p[ATTR_PORT], r->a->n[ATTR_PORT], &config, NULL);
    if (!e) {
        e = port_set_change(r->dp, wire_u32(r->a, ATTR_PORT_NO), &config);
    }
    dp_port_config_fini(&config);
    return e;
}

static struct error *port_del(struct request *r)
{
    return port_set_del(r->dp, wire_u32(r->a, ATTR_PORT_NO));
}

static struct error *find_port(struct request *r, struct port **p)
{
    uint32_t port_no = wire_u32(r->a, ATTR_PORT_NO);
    *p = port_set_get(r->dp, port_no);
    return *p ? NULL : error_new(ENODEV, "port %u: there is no such port in the datapath", port_no);
}

static struct error *port_get(struct request *r)
{
    struct port *p;
    struct error *e = find_port(r, &p);
    if (!e) {
        struct dp_port_state state;
        port_get_state(p, &state);
        wire_put_port(&r->answer, port_config(p), &state);
    }
    return e;
}

static struct error *port_stats(struct request *r)
{
    struct port *p;
    struct error *e = find_port(r, &p);
    if (!e) {
        struct dp_port_stats stats;
        port_get_stats(p, &stats);
        wire_put_port_stats(&r->answer, &stats);
    }
    return e;
}

static struct error *port_dump(struct request *r)
{
    struct port *p = port_set_next(r->dp, MIN(wire_u64(r->a, ATTR_CURSOR), (uint64_t) ENGINE_MAX_PORTS));
    bool first = true;
    for (; p; p = port_set_next(r->dp, port_number(p) + 1)) {
        struct dp_port_state state;
        size_t before = r->answer.len;
        port_get_state(p, &state);
        wire_put_port(&r->answer, port_config(p), &state);
        if (r->answer.len > WIRE_ROOM && !first) {
            r->answer.len = before;
            wire_put_u64(&r->answer, ATTR_CURSOR, port_number(p));
            return NULL;
        }
        first = false;
    }
    return NULL;
}

static struct error *named_port(struct request *r, struct port **port)
{
    char name[256];
    wire_string(r->a, ATTR_NAME, name, sizeof name);
    return port_set_by_name(r->dp, name, port);
}

static struct error *dummy_receive(struct request *r)
{
    struct port *port;
    struct error *e = named_port(r, &port);
    if (!e) {
        e = port_dummy_receive(port, r->a->p[ATTR_FRAME], r->a->n[ATTR_FRAME]);
    }
    if (!e) {
        workers_quiesce(r->dp);
    }
    return e;
}

static struct error *dummy_admin(struct request *r)
{
    struct port *port;
    struct error *e = named_port(r, &port);
    return e ? e : port_dummy_set_admin(port, wire_u8(r->a, ATTR_FLAG));
}

/* ---- Flows ---- */

static void tell_failed(struct request *r, uint64_t id, const struct error *e)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_FLOW_FAILED, 0);
    wire_put_u64(&b, ATTR_FLOW_ID, id);
    wire_put_error(&b, e);
    peer_send(r->peer, &b);
    buffer_fini(&b);
}

static struct error *flow_put(struct request *r)
{
    struct dp_flow f = { .id = wire_u64(r->a, ATTR_FLOW_ID), .slot = wire_u32(r->a, ATTR_SLOT),
                         .seq = wire_u64(r->a, ATTR_SEQ) };
    struct flow_actions *actions;
    action_list_init(&f.actions);
    struct error *e = wire_get_key(r->a, ATTR_KEY, &f.key);
    if (!e) {
        e = wire_get_key(r->a, ATTR_MASK, &f.mask.bits);
    }
    if (!e) {
        mask_seal(&f.mask);
        e = wire_get_actions(r->a, &f.actions);
    }
    bool usable = !e;
    if (!e) {
        e = flow_index_put(r->dp->flows, &f, &actions);
    }
    int code = error_code(e);
    if (e && code != EALREADY) {
        tell_failed(r, f.id, e);
    }
    if (usable && code != EINVAL && code != EOPNOTSUPP) {
        /* What waits goes out, through the flow or, when there is no room for one, once. */
        const struct action_list *uncached = e && code != EALREADY && code != EEXIST ? &f.actions : NULL;
        for (uint32_t i = 0; i < r->dp->n_workers; i++) {
            worker_release(r->dp->workers[i], &f.key, &f.mask, uncached);
        }
    }
    error_free(e);
    action_list_fini(&f.actions);
    return NULL;
}

static struct error *flow_del(struct request *r)
{
    flow_index_del(r->dp->flows, wire_u64(r->a, ATTR_FLOW_ID), wire_u64(r->a, ATTR_SEQ));
    return NULL;
}

static struct error *flow_flush(struct request *r)
{
    flow_index_flush(r->dp->flows);
    return NULL;
}

static struct error *flow_dump(struct request *r)
{
    uint32_t slot = MIN(wire_u64(r->a, ATTR_CURSOR), (uint64_t) DP_MAX_FLOWS);
    struct dp_flow f;
    bool first = true;
    while (flow_index_next(r->dp->flows, &slot, &f)) {
        size_t before = r->answer.len;
        wire_put_flow(&r->answer, &f);
        if (r->answer.len > WIRE_ROOM && !first) {
            r->answer.len = before;
            wire_put_u64(&r->answer, ATTR_CURSOR, f.slot);
            return NULL;
        }
        first = false;
    }
    return NULL;
}

/* ---- Packets ---- */

/* Puts the pieces of a frame together. '*done' if it is whole, in 'frame'. */
static struct error *assemble(struct request *r, struct buffer *frame, bool *done)
{
    const uint8_t *bytes = r->a->p[ATTR_FRAME];
    size_t n = r->a->n[ATTR_FRAME];
    uint32_t length = wire_has(r->a, ATTR_FRAME_LENGTH) ? wire_u32(r->a, ATTR_FRAME_LENGTH) : n;
    uint32_t at = wire_u32(r->a, ATTR_PIECE);
    if (!at) {
        buffer_clear(frame);
    }
    if (length > WIRE_MAX_FRAME || at != frame->len || frame->len + n > length) {
        buffer_clear(frame);
        return error_new(EINVAL, "execute: piece of %zu bytes at %u does not belong to a frame of %u bytes", n, at,
                         length);
    }
    buffer_put(frame, bytes, n);
    *done = frame->len == length;
    return NULL;
}

static struct packet *packet_of_frame(const struct buffer *frame, const struct key *key)
{
    static const struct tunnel_key none;
    struct packet *p = packet_from_bytes(NULL, frame->data, frame->len);
    if (p) {
        p->in_port = key->meta.in_port;
        p->recirc_id = key->meta.recirc_id;
        p->dp_hash = key->meta.dp_hash;
        p->mark = key->meta.mark;
        p->priority = key->meta.priority;
        p->tunnel = key->tunnel;
        p->has_tunnel = memcmp(&key->tunnel, &none, sizeof none);
    }
    return p;
}

static struct error *execute(struct request *r)
{
    struct key key;
    struct action_list actions;
    struct datapath *dp = r->dp;
    uint64_t id = wire_u64(r->a, ATTR_PENDING_ID);
    bool whole = true;
    action_list_init(&actions);
    struct error *e = wire_get_key(r->a, ATTR_KEY, &key);
    if (!e) {
        e = wire_get_actions(r->a, &actions);
    }
    if (!e) {
        e = actions_check(&actions);
    }
    if (!e && !id) {
        e = assemble(r, peer_frame(r->peer), &whole);
    }
    if (!e && id && worker_of_pending(dp, id)) {
        worker_execute(worker_of_pending(dp, id), id, NULL, &actions);
    } else if (!e && !id && whole) {
        struct packet *p = packet_of_frame(peer_frame(r->peer), &key);
        if (p) {
            worker_execute(port_set_worker(dp, key.meta.in_port), 0, p, &actions);
        } else {
            e = error_new(EMSGSIZE, "execute: a frame of %zu bytes is too long", peer_frame(r->peer)->len);
        }
        buffer_clear(peer_frame(r->peer));
    }
    action_list_fini(&actions);
    return e;
}

static struct error *upcall_drop(struct request *r)
{
    uint64_t id = wire_u64(r->a, ATTR_PENDING_ID);
    uint16_t reason = wire_u16(r->a, ATTR_REASON);
    if (reason >= DROP_N) {
        return error_new(EINVAL, "upcall-drop: reason %u is not known here", reason);
    }
    struct worker *w = worker_of_pending(r->dp, id);
    if (w) {
        worker_drop_pending(w, id, reason);
    }
    return NULL;
}

/* An answer that comes when a worker has handed out the packet. */
struct fetch {
    uint32_t peer, xid;
    uint64_t cursor;      /* Number of the frame, and 32 bits of offset in it. */
};

/* Frames from the cursor on, as far as there is room. */
static void put_frames(struct buffer *b, const struct packet *list, uint64_t cursor)
{
    uint32_t number = 0, at = cursor;
    for (const struct packet *p = list; p; p = p->next, number++) {
        if (number < cursor >> 32) {
            continue;
        }
        size_t n;
        uint8_t *bytes = packet_linear(p, &n);
        at = MIN((size_t) at, n);
        size_t piece = MIN(n - at, (size_t) WIRE_PIECE);
        bool is_piece = at || piece < n;
        if (b->len + piece + 32 > WIRE_ROOM || (is_piece && b->len > WIRE_HEADER_BYTES)) {
            wire_put_u64(b, ATTR_CURSOR, (uint64_t) number << 32 | at);
            free(bytes);
            return;
        }
        wire_put(b, ATTR_FRAME, bytes + at, piece);
        free(bytes);
        if (is_piece) {
            wire_put_u32(b, ATTR_PIECE, at);
            wire_put_u32(b, ATTR_FRAME_LENGTH, n);
            if (at + piece < n) {
                wire_put_u64(b, ATTR_CURSOR, (uint64_t) number << 32 | (at + piece));
            } else if (p->next) {
                wire_put_u64(b, ATTR_CURSOR, (uint64_t) (number + 1) << 32);
            }
            return;
        }
        at = 0;
    }
}

static void fetched(struct datapath *dp, struct packet *p, void *f_)
{
    struct fetch *f = f_;
    struct peer *peer = dp->peers ? peers_find(dp->peers, f->peer) : NULL;
    struct packet *list = NULL;
    bool made = false;
    enum drop reason;
    if (p) {
        list = offload_resolve(NULL, p, &made, &reason);
    }
    if (peer && list) {
        struct buffer b = BUFFER_INIT;
        wire_begin(&b, WIRE_ANSWER, f->xid);
        put_frames(&b, list, f->cursor);
        peer_send(peer, &b);
        buffer_fini(&b);
    } else if (peer) {
        struct error *e = p ? error_new(EIO, "upcall-fetch: the packet cannot be cut into segments")
                            : error_new(ENOENT, "upcall-fetch: the packet does not wait any more");
        send_error(peer, f->xid, e);
        error_free(e);
    }
    if (made) {
        packet_list_free(list);
    }
    if (p) {
        packet_free(p);
    }
    free(f);
}

static struct error *upcall_fetch(struct request *r)
{
    uint64_t id = wire_u64(r->a, ATTR_PENDING_ID);
    struct worker *w = worker_of_pending(r->dp, id);
    if (!w) {
        return error_new(ENOENT, "upcall-fetch: the packet does not wait any more");
    }
    struct fetch *f = xmalloc(sizeof *f);
    *f = (struct fetch) { peer_number(r->peer), r->m->xid, wire_u64(r->a, ATTR_CURSOR) };
    worker_fetch(w, id, fetched, f);
    buffer_clear(&r->answer);          /* It comes later. */
    return NULL;
}

/* ---- The table ---- */

static const struct {
    struct error *(*run)(struct request *);
    bool silent;                       /* No answer unless it fails. */
} handlers[256] = {
    [WIRE_HELLO] = { hello, false },
    [WIRE_SYNC] = { sync, false },
    [WIRE_CONFIGURE] = { configure, false },
    [WIRE_GET_STATS] = { get_stats, false },
    [WIRE_PORT_ADD] = { port_add, false },
    [WIRE_PORT_SET] = { port_set, false },
    [WIRE_PORT_DEL] = { port_del, false },
    [WIRE_PORT_GET] = { port_get, false },
    [WIRE_PORT_STATS] = { port_stats, false },
    [WIRE_PORT_DUMP] = { port_dump, false },
    [WIRE_DUMMY_RECEIVE] = { dummy_receive, false },
    [WIRE_DUMMY_ADMIN] = { dummy_admin, false },
    [WIRE_ROUTE_LOOKUP] = { route, false },
    [WIRE_FLOW_PUT] = { flow_put, true },
    [WIRE_FLOW_DEL] = { flow_del, true },
    [WIRE_FLOW_FLUSH] = { flow_flush, true },
    [WIRE_FLOW_DUMP] = { flow_dump, false },
    [WIRE_EXECUTE] = { execute, true },
    [WIRE_UPCALL_FETCH] = { upcall_fetch, false },
    [WIRE_UPCALL_DROP] = { upcall_drop, true },
    [WIRE_UPCALL_STATS] = { upcall_stats, false },
};

static struct error *may_ask(const struct peer *p, enum wire_type type)
{
    if (type != WIRE_HELLO && !peer_said_hello(p)) {
        return error_new(EPROTO, "message %s: hello comes first", wire_message_rows[type].name);
    }
    if (type != WIRE_HELLO && !peer_is_control(p) && !wire_message_rows[type].observer) {
        return error_new(EPERM, "message %s: an observer may only look", wire_message_rows[type].name);
    }
    return NULL;
}

void request_handle(struct peer *peer, const struct wire_message *m)
{
    struct request r = { peer_datapath(peer), peer, m, &m->attrs, BUFFER_INIT };
    wire_begin(&r.answer, WIRE_ANSWER, m->xid);
    struct error *e = may_ask(peer, m->type);
    if (!e) {
        e = handlers[m->type].run(&r);
    }
    if (e && handlers[m->type].silent) {
        LOG_WARN("%s", error_text(e));
    } else if (e) {
        send_error(peer, m->xid, e);
    } else if (!handlers[m->type].silent && r.answer.len) {
        peer_send(peer, &r.answer);
    }
    error_free(e);
    buffer_fini(&r.answer);
    workers_drain_done(r.dp);
}
