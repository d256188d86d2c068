/* SPDX-License-Identifier: Apache-2.0 */
/* What all ports have in common: life, counters, receiving and sending around the type's own part, reinjection. */
#include "datapath/port/port.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/port/dummy.h"
#include "datapath/port/offload.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/packet/csum.h"
#include "lib/packet/gso.h"
#include "lib/sys/rcu.h"

/* Packets made by types in this thread's port_tx() calls. */
static __thread struct {
    struct packet *first, **link;
    uint32_t n;
} reinjected;

/* ---- Life ---- */

static const struct port_type *type_find(const char *name)
{
    for (size_t i = 0; port_types[i]; i++) {
        if (!strcmp(port_types[i]->name, name)) {
            return port_types[i];
        }
    }
    return NULL;
}

const char *port_type_names(size_t i)
{
    return port_types[i] ? port_types[i]->name : NULL;
}

bool port_type_exists(const char *name)
{
    return type_find(name) != NULL;
}

static struct error *type_unknown(const struct dp_port_config *config)
{
    struct text names = TEXT_INIT;
    for (size_t i = 0; port_types[i]; i++) {
        text_printf(&names, "%s%s", i ? ", " : "", port_types[i]->name);
    }
    struct error *e = error_new(EAFNOSUPPORT, "port \"%s\": type \"%s\" is unknown; the types are %s", config->name,
                                config->type, text_str(&names));
    text_fini(&names);
    return e;
}

/* The type that 'config' asks for, with dummies in the place of devices where 'env' wants it. */
static struct error *type_choose(const struct port_env *env, const struct dp_port_config *config,
                                 const struct port_type **type)
{
    *type = type_find(config->type && *config->type ? config->type : "system");
    if (!*type) {
        return type_unknown(config);
    }
    if (env->dummy_override && !strcmp(env->dummy_override, "override")) {
        *type = &port_type_dummy;
    } else if (env->dummy_override && !strcmp(env->dummy_override, "system") && !strcmp((*type)->name, "system")) {
        *type = &port_type_dummy;
    } else if (!env->enable_system && !strcmp((*type)->name, "system")) {
        return error_new(EPERM, "port \"%s\": the datapath was started with --disable-system and touches no "
                         "device of the machine", config->name);
    }
    return NULL;
}

struct error *port_create(const struct port_env *env, const struct dp_port_config *config, uint32_t port_no,
                          struct port **portp)
{
    const struct port_type *type;
    *portp = NULL;
    if (!config->name || !*config->name) {
        return error_new(EINVAL, "port: a port needs a name");
    }
    struct error *e = type_choose(env, config, &type);
    if (e) {
        return e;
    }
    struct port *port = xzalloc_aligned(type->size);
    port->type = type;
    port->env = *env;
    port->port_no = port_no;
    port->rx_counters = xzalloc_aligned(sizeof *port->rx_counters);
    dp_port_config_clone(&port->config, config);
    port->state.port_no = port_no;
    port->state.link_speed_bps = -1;
    snprintf(port->state.name, sizeof port->state.name, "%s", config->name);
    snprintf(port->state.type, sizeof port->state.type, "%s",
             config->type && *config->type ? config->type : type->name);
    e = type->create ? type->create(port) : NULL;
    if (e) {
        port->type = NULL;   /* Nothing of the type's to be undone. */
        port_destroy(port);
        return e;
    }
    *portp = port;
    return NULL;
}

void port_destroy(struct port *port)
{
    if (!port) {
        return;
    }
    if (port->type && port->type->destroy) {
        port->type->destroy(port);
    }
    while (port->pending) {
        struct packet *p = port->pending;
        port->pending = p->next;
        packet_free(p);
    }
    for (size_t i = 0; i < PORT_MAX_WORKERS; i++) {
        free(port->counters[i]);
    }
    free(port->rx_counters);
    dp_port_config_fini(&port->config);
    free(port);
}

struct error *port_configure(struct port *port, const struct dp_port_config *config)
{
    if (port->type->configure) {
        struct error *e = port->type->configure(port, config);
        if (e) {
            return e;
        }
    }
    struct dp_port_config old = port->config;
    dp_port_config_clone(&port->config, config);
    dp_port_config_fini(&old);
    return NULL;
}

const struct dp_port_config *port_config(const struct port *port)
{
    return &port->config;
}

void port_get_state(const struct port *port, struct dp_port_state *state)
{
    *state = port->state;
}

uint32_t port_number(const struct port *port)
{
    return port->port_no;
}

void port_state_changed(struct port *port)
{
    if (port->env.changed) {
        port->env.changed(port, port->env.arg);
    }
}

void port_io_changed(struct port *port)
{
    if (port->env.io_changed) {
        port->env.io_changed(port, port->env.arg);
    }
}

void port_set_error(struct port *port, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(port->state.error, sizeof port->state.error, format, args);
    va_end(args);
}

/* ---- Counters ---- */

struct port_counters *port_worker_counters(struct port *port, uint32_t worker)
{
    struct port_counters **slot = &port->counters[worker % PORT_MAX_WORKERS];
    struct port_counters *c = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (UNLIKELY(!c)) {
        struct port_counters *expected = NULL;
        c = xzalloc_aligned(sizeof *c);
        if (!__atomic_compare_exchange_n(slot, &expected, c, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            free(c);
            c = expected;
        }
    }
    return c;
}

static void counters_add(struct port_counters *to, const struct port_counters *from)
{
    if (from) {
        const uint64_t *f = (const uint64_t *) from;
        uint64_t *t = (uint64_t *) to;
        for (size_t i = 0; i < offsetof(struct port_counters, drops) / 8 + DROP_N; i++) {
            t[i] += __atomic_load_n(&f[i], __ATOMIC_RELAXED);
        }
    }
}

void port_get_counters(const struct port *port, struct port_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    counters_add(sum, port->rx_counters);
    for (size_t i = 0; i < PORT_MAX_WORKERS; i++) {
        counters_add(sum, __atomic_load_n(&port->counters[i], __ATOMIC_ACQUIRE));
    }
}

void port_get_stats(const struct port *port, struct dp_port_stats *stats)
{
    struct port_counters sum;
    port_get_counters(port, &sum);
    memset(stats, 0, sizeof *stats);
    stats->rx_packets = sum.rx_packets;
    stats->rx_bytes = sum.rx_bytes;
    stats->rx_errors = sum.rx_errors;
    stats->rx_dropped = sum.rx_dropped;
    stats->tx_packets = sum.tx_packets;
    stats->tx_bytes = sum.tx_bytes;
    stats->tx_errors = sum.tx_errors;
    stats->tx_dropped = sum.tx_dropped;
    memcpy(stats->drops, sum.drops, sizeof stats->drops);
    if (port->type->refresh_stats) {
        port->type->refresh_stats(port, stats);
    }
}

static bool drop_is_error(enum drop reason)
{
    return reason == DROP_TRUNCATED || reason == DROP_GSO_UNKNOWN || reason == DROP_TX_ERROR ||
           reason == DROP_TUNNEL_MALFORMED || reason == DROP_TUNNEL_NO_KEY;
}

void port_rx_drop(struct port *port, enum drop reason, uint64_t n)
{
    struct port_counters *c = port->rx_counters;
    port_count(&c->drops[reason], n);
    port_count(&c->rx_dropped, n);
    port_count(&c->rx_packets, n);   /* It came in: received = sent + dropped + consumed. */
    if (drop_is_error(reason)) {
        port_count(&c->rx_errors, n);
    }
}

void port_tx_drop(struct port *port, uint32_t worker, enum drop reason)
{
    struct port_counters *c = port_worker_counters(port, worker);
    port_count(&c->drops[reason], 1);
    port_count(&c->tx_dropped, 1);
    if (drop_is_error(reason)) {
        port_count(&c->tx_errors, 1);
    }
}

/* ---- Packets ---- */

/* Hands out packets that an earlier call had to keep. */
static void take_pending(struct port *port, struct packet_batch *batch)
{
    while (port->pending && batch->n < BATCH_MAX) {
        struct packet *p = port->pending;
        port->pending = p->next;
        p->next = NULL;
        batch->p[batch->n++] = p;
    }
}

void port_rx(struct port *port, struct packet_pool *pool, struct packet_batch *batch)
{
    batch->n = 0;
    if (UNLIKELY(port->pending != NULL)) {
        take_pending(port, batch);
    } else if (port->type->rx) {
        rcu_read_lock();
        port->type->rx(port, pool, batch);
        rcu_read_unlock();
        offload_check_received(port, batch);
    }
    if (!batch->n) {
        return;
    }
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < batch->n; i++) {
        struct packet *p = batch->p[i];
        p->in_port = port->port_no;
        bytes += packet_len(p);
    }
    /* Once a batch, so atomic costs nothing: while a port moves between workers, both may be counting. */
    __atomic_fetch_add(&port->rx_counters->rx_packets, batch->n, __ATOMIC_RELAXED);
    __atomic_fetch_add(&port->rx_counters->rx_bytes, bytes, __ATOMIC_RELAXED);
}

static void send_and_free(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker)
{
    if (batch->n) {
        rcu_read_lock();
        port->type->tx(port, pool, batch, worker);
        rcu_read_unlock();
        packet_batch_free(batch);
    }
}

/* A GSO packet whose segments are longer than what is to be sent of each: segments, then cuts (MECHANISMS 9). Takes it. */
static void send_cut_segments(struct port *port, struct packet_pool *pool, struct packet *p, uint32_t worker)
{
    bool made;
    enum drop reason;
    struct packet_batch batch = { .n = 0 };
    struct packet *list = offload_resolve(pool, p, &made, &reason);
    if (!list) {
        port_tx_drop(port, worker, reason);
        packet_free(p);
        return;
    }
    uint32_t max_len = p->max_len, n = 0;
    while (list) {
        struct packet *s = list;
        list = s->next;
        s->next = NULL;
        packet_truncate(s, max_len);
        batch.p[batch.n++] = s;
        n++;
        if (batch.n == BATCH_MAX) {
            send_and_free(port, pool, &batch, worker);
        }
    }
    send_and_free(port, pool, &batch, worker);
    port_count(&port_worker_counters(port, worker)->made, n - 1);
    packet_free(p);
}

/* Applies max_len to the packets that have one shorter than they are. */
static void cut_batch(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->n; i++) {
        struct packet *p = batch->p[i];
        if (UNLIKELY(p->max_len < packet_len(p))) {
            if (!p->gso_size) {
                packet_csum_complete(p);   /* Of what is left it could not be. */
                packet_truncate(p, p->max_len);
            } else if (packet_segment_len(p) > p->max_len) {
                send_cut_segments(port, pool, p, worker);
                continue;
            }
        }
        batch->p[kept++] = p;
    }
    batch->n = kept;
}

void port_tx(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker)
{
    cut_batch(port, pool, batch, worker);
    send_and_free(port, pool, batch, worker);
}

size_t port_rx_fds(const struct port *port, int *fds, size_t max)
{
    return port->type->rx_fds ? port->type->rx_fds(port, fds, max) : 0;
}

bool port_is_source(const struct port *port)
{
    return port->type->is_source && port->type->is_source(port);
}

/* ---- Reinjection ---- */

void port_reinject(struct port *port, struct packet *p, uint32_t worker)
{
    struct port_counters *c = port_worker_counters(port, worker);
    port_count(&c->made, 1);
    if (reinjected.n >= PORT_MAX_REINJECTED) {
        port_count(&c->drops[DROP_NO_BUFFER], 1);
        packet_free(p);
        return;
    }
    p->in_port = port->port_no;
    p->next = NULL;
    if (!reinjected.first) {
        reinjected.link = &reinjected.first;
    }
    *reinjected.link = p;
    reinjected.link = &p->next;
    reinjected.n++;
}

struct packet *port_take_reinjected(uint32_t worker)
{
    struct packet *p = reinjected.first;
    if (p) {
        reinjected.first = p->next;
        reinjected.n--;
        p->next = NULL;
    }
    return p;
}
