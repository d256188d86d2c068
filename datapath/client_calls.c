/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of the datapath's client, and taking upcalls. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/client_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/log.h"

LOG_MODULE(dp_client);

/* A request without attributes. */
static struct error *ask_plain(struct dp_client *c, enum wire_type type)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, type, 0);
    struct error *e = client_ask(c, &b);
    buffer_fini(&b);
    return e;
}

static struct error *ask(struct dp_client *c, struct buffer *b)
{
    struct error *e = client_ask(c, b);
    buffer_fini(b);
    return e;
}

struct error *dp_sync(struct dp_client *c)
{
    return ask_plain(c, WIRE_SYNC);
}

struct error *dp_configure(struct dp_client *c, const struct dp_config *config)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_CONFIGURE, 0);
    wire_put_u32(&b, ATTR_N_WORKERS, config->n_workers);
    wire_put_u64(&b, ATTR_CPU_MASK, config->cpu_mask);
    wire_put_u32(&b, ATTR_FLOW_LIMIT, config->flow_limit);
    wire_put_u8(&b, ATTR_HOLD, config->hold);
    return ask(c, &b);
}

struct error *dp_get_stats(struct dp_client *c, struct dp_stats *stats)
{
    struct buffer b = BUFFER_INIT, answer;
    struct wire_message m;
    memset(stats, 0, sizeof *stats);
    wire_begin(&b, WIRE_GET_STATS, 0);
    struct error *e = client_transact(c, &b, &answer, &m);
    if (!e) {
        e = wire_get_stats(&m.attrs, stats);
    }
    buffer_fini(&answer);
    buffer_fini(&b);
    return e;
}

/* ---- Ports ---- */

struct error *dp_port_add(struct dp_client *c, const struct dp_port_config *config, uint32_t *port_no)
{
    struct buffer b = BUFFER_INIT, answer;
    struct wire_message m;
    wire_begin(&b, WIRE_PORT_ADD, 0);
    wire_put_port(&b, config, NULL);
    struct error *e = client_transact(c, &b, &answer, &m);
    if (!e && port_no) {
        *port_no = wire_u32(&m.attrs, ATTR_PORT_NO);
    }
    buffer_fini(&answer);
    buffer_fini(&b);
    return e;
}

struct error *dp_port_set(struct dp_client *c, uint32_t port_no, const struct dp_port_config *config)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_PORT_SET, 0);
    wire_put_u32(&b, ATTR_PORT_NO, port_no);
    wire_put_port(&b, config, NULL);
    return ask(c, &b);
}

struct error *dp_port_del(struct dp_client *c, uint32_t port_no)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_PORT_DEL, 0);
    wire_put_u32(&b, ATTR_PORT_NO, port_no);
    return ask(c, &b);
}

struct error *dp_port_get(struct dp_client *c, uint32_t port_no, struct dp_port_state *state)
{
    struct buffer b = BUFFER_INIT, answer;
    struct wire_message m;
    memset(state, 0, sizeof *state);
    wire_begin(&b, WIRE_PORT_GET, 0);
    wire_put_u32(&b, ATTR_PORT_NO, port_no);
    struct error *e = client_transact(c, &b, &answer, &m);
    if (!e) {
        struct dp_port_config config;
        e = wire_get_port(m.attrs.p[ATTR_PORT], m.attrs.n[ATTR_PORT], &config, state);
        dp_port_config_fini(&config);
    }
    buffer_fini(&answer);
    buffer_fini(&b);
    return e;
}

struct error *dp_port_get_stats(struct dp_client *c, uint32_t port_no, struct dp_port_stats *stats)
{
    struct buffer b = BUFFER_INIT, answer;
    struct wire_message m;
    memset(stats, 0, sizeof *stats);
    wire_begin(&b, WIRE_PORT_STATS, 0);
    wire_put_u32(&b, ATTR_PORT_NO, port_no);
    struct error *e = client_transact(c, &b, &answer, &m);
    if (!e) {
        e = wire_get_port_stats(&m.attrs, stats);
    }
    buffer_fini(&answer);
    buffer_fini(&b);
    return e;
}

/* Asks again and again, each time from where the last answer ended. 'each' gets every attribute of number 'what'. */
static struct error *dump(struct dp_client *c, enum wire_type type, enum wire_attr what,
                          struct error *(*each)(const uint8_t *p, size_t n, void *arg), void *arg)
{
    struct buffer b = BUFFER_INIT, answer;
    struct error *e = NULL;
    uint64_t cursor = 0;
    bool more = true;
    while (more && !e) {
        struct wire_message m;
        wire_begin(&b, type, 0);
        wire_put_u64(&b, ATTR_CURSOR, cursor);
        e = client_transact(c, &b, &answer, &m);
        if (!e) {
            struct reader r = wire_all(&m.attrs);
            const uint8_t *p;
            size_t n;
            while (!e && wire_next(&r, what, &p, &n)) {
                e = each(p, n, arg);
            }
            more = wire_has(&m.attrs, ATTR_CURSOR);
            cursor = wire_u64(&m.attrs, ATTR_CURSOR);
        }
        buffer_fini(&answer);
    }
    buffer_fini(&b);
    return e;
}

struct port_list {
    struct dp_port_state *states;
    struct dp_port_config *configs;
    size_t n, allocated;
};

static struct error *add_port(const uint8_t *p, size_t n, void *list_)
{
    struct port_list *l = list_;
    if (l->n == l->allocated) {
        l->allocated = l->allocated ? l->allocated * 2 : 16;
        l->states = xrealloc(l->states, l->allocated * sizeof *l->states);
        l->configs = xrealloc(l->configs, l->allocated * sizeof *l->configs);
    }
    struct error *e = wire_get_port(p, n, &l->configs[l->n], &l->states[l->n]);
    l->n++;      /* What was initialised is to be freed in any case. */
    return e;
}

struct error *dp_port_dump(struct dp_client *c, struct dp_port_state **states, struct dp_port_config **configs,
                           size_t *n)
{
    struct port_list l = { NULL };
    struct error *e = dump(c, WIRE_PORT_DUMP, ATTR_PORT, add_port, &l);
    if (e) {
        while (l.n) {
            dp_port_config_fini(&l.configs[--l.n]);
        }
        free(l.configs);
        free(l.states);
        l = (struct port_list) { NULL };
    }
    *states = l.states;
    *configs = l.configs;
    *n = l.n;
    return e;
}

struct error *dp_dummy_receive(struct dp_client *c, const char *name, const void *frame, size_t n)
{
    if (n > WIRE_PIECE) {
        return error_new(EMSGSIZE, "port \"%s\": a frame of %zu bytes is longer than the %d that can be fed in", name,
                         n, WIRE_PIECE);
    }
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_DUMMY_RECEIVE, 0);
    wire_put_string(&b, ATTR_NAME, name);
    wire_put(&b, ATTR_FRAME, frame, n);
    return ask(c, &b);
}

struct error *dp_dummy_set_admin(struct dp_client *c, const char *name, bool up)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_DUMMY_ADMIN, 0);
    wire_put_string(&b, ATTR_NAME, name);
    wire_put_u8(&b, ATTR_FLAG, up);
    return ask(c, &b);
}

struct error *dp_route_lookup(struct dp_client *c, const struct in6_addr *remote, char ifname[32],
                              struct in6_addr *source, struct in6_addr *gateway, uint32_t *mtu)
{
    struct buffer b = BUFFER_INIT, answer;
    struct wire_message m;
    wire_begin(&b, WIRE_ROUTE_LOOKUP, 0);
    wire_put(&b, ATTR_ADDRESS, remote, sizeof *remote);
    struct error *e = client_transact(c, &b, &answer, &m);
    if (!e && (!wire_has(&m.attrs, ATTR_SOURCE) || !wire_has(&m.attrs, ATTR_GATEWAY))) {
        e = error_new(EPROTO, "route-lookup: the answer is not whole");
    }
    if (!e) {
        wire_string(&m.attrs, ATTR_NAME, ifname, 32);
        memcpy(source, m.attrs.p[ATTR_SOURCE], sizeof *source);
        memcpy(gateway, m.attrs.p[ATTR_GATEWAY], sizeof *gateway);
        *mtu = wire_u32(&m.attrs, ATTR_MTU);
    }
    buffer_fini(&answer);
    buffer_fini(&b);
    return e;
}

/* ---- Flows ---- */

void dp_flow_put(struct dp_client *c, uint64_t id, uint32_t slot, uint64_t seq, const struct key *key,
                 const struct mask *mask, const struct action_list *actions)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_FLOW_PUT, 0);
    wire_put_u64(&b, ATTR_FLOW_ID, id);
    wire_put_u32(&b, ATTR_SLOT, slot);
    wire_put_u64(&b, ATTR_SEQ, seq);
    wire_put_key(&b, ATTR_KEY, key);
    wire_put_key(&b, ATTR_MASK, &mask->bits);
    wire_put_actions(&b, actions);
    if (b.len <= WIRE_ROOM) {
        client_post(c, &b);
    } else {
        LOG_WARN("flow %#llx: its actions take %zu bytes, more than a message holds", (unsigned long long) id, b.len);
    }
    buffer_fini(&b);
}

void dp_flow_del(struct dp_client *c, uint64_t id, uint64_t seq)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_FLOW_DEL, 0);
    wire_put_u64(&b, ATTR_FLOW_ID, id);
    wire_put_u64(&b, ATTR_SEQ, seq);
    client_post(c, &b);
    buffer_fini(&b);
}

void dp_flow_flush(struct dp_client *c)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_FLOW_FLUSH, 0);
    client_post(c, &b);
    buffer_fini(&b);
}

void dp_set_flow_failed(struct dp_client *c, void (*failed)(uint64_t id, int errno_value, void *arg), void *arg)
{
    pthread_mutex_lock(&c->lock);
    c->flow_failed = failed;
    c->flow_failed_arg = arg;
    pthread_mutex_unlock(&c->lock);
}

void dp_flow_get_counters(struct dp_client *c, uint32_t slot, struct dp_flow_counters *counters)
{
    memset(counters, 0, sizeof *counters);
    pthread_mutex_lock(&c->map_lock);
    if (c->map_out && slot < DP_MAX_FLOWS) {
        const struct ring_counters *from = &c->map_out->slots[slot];
        counters->packets = __atomic_load_n(&from->packets, __ATOMIC_RELAXED);
        counters->bytes = __atomic_load_n(&from->bytes, __ATOMIC_RELAXED);
        counters->used_ms = __atomic_load_n(&from->used_ms, __ATOMIC_RELAXED);
        counters->tcp_flags = __atomic_load_n(&from->tcp_flags, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&c->map_lock);
}

struct flow_dump {
    void (*each)(const struct dp_flow *, void *arg);
    void *arg;
};

static struct error *give_flow(const uint8_t *p, size_t n, void *d_)
{
    const struct flow_dump *d = d_;
    struct dp_flow f;
    struct error *e = wire_get_flow(p, n, &f);
    if (!e) {
        d->each(&f, d->arg);
    }
    action_list_fini(&f.actions);
    return e;
}

struct error *dp_flow_dump(struct dp_client *c, void (*each)(const struct dp_flow *, void *arg), void *arg)
{
    struct flow_dump d = { each, arg };
    return dump(c, WIRE_FLOW_DUMP, ATTR_FLOW, give_flow, &d);
}

/* ---- Packets ---- */

static void drop_pending(struct dp_client *c, uint64_t id, enum drop reason)
{
    if (id) {
        struct buffer b = BUFFER_INIT;
        wire_begin(&b, WIRE_UPCALL_DROP, 0);
        wire_put_u64(&b, ATTR_PENDING_ID, id);
        wire_put_u16(&b, ATTR_REASON, reason);
        client_post(c, &b);
        buffer_fini(&b);
    }
}

void dp_execute(struct dp_client *c, uint64_t pending_id, const struct key *key, const void *frame, size_t n,
                const struct action_list *actions)
{
    struct buffer b = BUFFER_INIT;
    size_t at = 0;
    do {
        wire_begin(&b, WIRE_EXECUTE, 0);
        wire_put_key(&b, ATTR_KEY, key);
        wire_put_actions(&b, actions);
        if (b.len > WIRE_ROOM - 256) {
            LOG_WARN("execute: its actions take %zu bytes, more than a message holds", b.len);
            buffer_fini(&b);
            drop_pending(c, pending_id, DROP_TOO_MANY_ACTIONS);
            return;
        }
        if (pending_id) {
            wire_put_u64(&b, ATTR_PENDING_ID, pending_id);
        } else {
            size_t piece = MIN(n - at, WIRE_ROOM - 64 - b.len);
            wire_put(&b, ATTR_FRAME, (const uint8_t *) frame + at, piece);
            wire_put_u32(&b, ATTR_PIECE, at);
            wire_put_u32(&b, ATTR_FRAME_LENGTH, n);
            at += piece;
        }
        client_post(c, &b);
    } while (!pending_id && at < n);
    buffer_fini(&b);
}

/* ---- Upcalls ---- */

int dp_upcall_fd(const struct dp_client *c)
{
    return c->upcall_fd;
}

static bool take_record(struct dp_client *c, struct dp_upcall *u)
{
    const struct ring_record *record = &c->map_out->records[c->tail % RING_RECORDS];
    memset(u, 0, sizeof *u);
    u->id = record->id;
    u->cookie = record->cookie;
    u->reason = record->reason;
    u->received_ms = record->received_ms;
    u->packet_len = record->packet_len;
    u->gso_size = record->gso_size;
    size_t n_key = record->n_key;
    u->n_header = record->n_header;
    c->tail++;
    if (n_key + u->n_header > sizeof record->bytes || u->n_header > sizeof u->header) {
        return false;
    }
    struct error *e = wire_key_decode(record->bytes, n_key, &u->key);
    if (e) {
        LOG_WARN("upcall: %s", error_text(e));
        error_free(e);
        return false;
    }
    memcpy(u->header, record->bytes + n_key, u->n_header);
    return true;
}

static bool has_record(const struct dp_client *c)
{
    const struct ring_record *record = &c->map_out->records[c->tail % RING_RECORDS];
    return __atomic_load_n(&record->number, __ATOMIC_ACQUIRE) == c->tail + 1;
}

size_t dp_upcall_recv(struct dp_client *c, struct dp_upcall *upcalls, size_t max)
{
    size_t n = 0;
    pthread_mutex_lock(&c->map_lock);
    if (!c->map_out) {
        pthread_mutex_unlock(&c->map_lock);
        return 0;
    }
    __atomic_store_n(&c->map_in->sleeping, 0, __ATOMIC_RELAXED);
    while (n < max) {
        if (!has_record(c)) {
            if (n) {
                break;
            }
            /* Nothing: ask to be woken, and look once more, since a record may have come in between. */
            uint64_t count;
            (void) !read(c->event_fd, &count, sizeof count);
            __atomic_store_n(&c->map_in->sleeping, 1, __ATOMIC_SEQ_CST);
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            if (!has_record(c)) {
                break;
            }
            __atomic_store_n(&c->map_in->sleeping, 0, __ATOMIC_RELAXED);
        }
        n += take_record(c, &upcalls[n]);
        __atomic_store_n(&c->map_in->tail, c->tail, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&c->map_lock);
    return n;
}

struct error *dp_upcall_fetch(struct dp_client *c, const struct dp_upcall *u,
                              void (*each)(const void *frame, size_t n, void *arg), void *arg)
{
    if (!u->id) {
        each(u->header, u->n_header, arg);      /* It was kept in the record, whole. */
        return NULL;
    }
    struct buffer b = BUFFER_INIT, answer, frame = BUFFER_INIT;
    struct error *e = NULL;
    uint64_t cursor = 0;
    bool more = true;
    while (more && !e) {
        struct wire_message m;
        wire_begin(&b, WIRE_UPCALL_FETCH, 0);
        wire_put_u64(&b, ATTR_PENDING_ID, u->id);
        wire_put_u64(&b, ATTR_CURSOR, cursor);
        e = client_transact(c, &b, &answer, &m);
        if (!e) {
            struct reader r = wire_all(&m.attrs);
            const uint8_t *p;
            size_t n;
            while (wire_next(&r, ATTR_FRAME, &p, &n)) {
                if (!wire_has(&m.attrs, ATTR_FRAME_LENGTH)) {
                    each(p, n, arg);
                    continue;
                }
                buffer_put(&frame, p, n);
                if (frame.len >= wire_u32(&m.attrs, ATTR_FRAME_LENGTH)) {
                    each(frame.data, frame.len, arg);
                    buffer_clear(&frame);
                }
            }
            more = wire_has(&m.attrs, ATTR_CURSOR);
            cursor = wire_u64(&m.attrs, ATTR_CURSOR);
        }
        buffer_fini(&answer);
    }
    buffer_fini(&frame);
    buffer_fini(&b);
    return e;
}

void dp_upcall_drop(struct dp_client *c, const struct dp_upcall *u, enum drop reason)
{
    drop_pending(c, u->id, reason);
}

void dp_upcall_get_stats(struct dp_client *c, struct dp_upcall_stats *stats)
{
    struct buffer b = BUFFER_INIT, answer;
    struct wire_message m;
    memset(stats, 0, sizeof *stats);
    wire_begin(&b, WIRE_UPCALL_STATS, 0);
    struct error *e = client_transact(c, &b, &answer, &m);
    if (!e) {
        e = wire_get_upcall_stats(&m.attrs, stats);
    }
    error_free(e);
    buffer_fini(&answer);
    buffer_fini(&b);
}
