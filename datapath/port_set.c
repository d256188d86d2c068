/* SPDX-License-Identifier: Apache-2.0 */
/* The ports of a datapath: by name and number, and which worker receives from which. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/control.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"

static void port_changed(struct port *, void *dp);
static void port_io_has_changed(struct port *, void *dp);

void port_set_init(struct datapath *dp)
{
    hmap_init(&dp->port_names);
    dp->ports = xzalloc(sizeof *dp->ports);
    dp->next_port_no = 1;
    dp->port_env = (struct port_env) {
        .loop = dp->loop, .changed = port_changed, .io_changed = port_io_has_changed, .arg = dp,
        .enable_system = dp->options.enable_system, .dummy_override = dp->options.dummy_override,
    };
}

void port_set_clear(struct datapath *dp)
{
    struct port *p;
    while ((p = port_set_next(dp, 0))) {
        error_free(port_set_del(dp, port_number(p)));
    }
}

void port_set_fini(struct datapath *dp)
{
    hmap_fini(&dp->port_names);
    free(dp->ports);
}

/* ---- Finding ---- */

static struct port_entry *entry_by_name(const struct datapath *dp, const char *name)
{
    struct port_entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash_string(name, 0), &dp->port_names) {
        if (!strcmp(port_config(e->port)->name, name)) {
            return e;
        }
    }
    return NULL;
}

struct port *port_set_get(const struct datapath *dp, uint32_t port_no)
{
    return port_no < dp->ports->n ? dp->ports->ports[port_no] : NULL;
}

static struct port_entry *entry_by_number(const struct datapath *dp, uint32_t port_no)
{
    struct port *p = port_set_get(dp, port_no);
    return p ? entry_by_name(dp, port_config(p)->name) : NULL;
}

struct port *port_set_next(const struct datapath *dp, uint32_t port_no)
{
    while (port_no < dp->ports->n && !dp->ports->ports[port_no]) {
        port_no++;
    }
    return port_set_get(dp, port_no);
}

struct error *port_set_by_name(const struct datapath *dp, const char *name, struct port **port)
{
    struct port_entry *e = entry_by_name(dp, name);
    *port = e ? e->port : NULL;
    return e ? NULL : error_new(ENODEV, "port \"%s\": there is no such port in the datapath", name);
}

struct worker *port_set_worker(const struct datapath *dp, uint32_t port_no)
{
    struct port_entry *e = entry_by_number(dp, port_no);
    return dp->workers[e && e->worker < dp->n_workers ? e->worker : 0];
}

/* ---- Telling workers ---- */

static void tell_worker(struct datapath *dp, uint32_t worker)
{
    struct port_entry *e;
    uint32_t n = 0;
    HMAP_FOR_EACH (e, node, &dp->port_names) {
        n += e->worker == worker;
    }
    struct worker_ports *ports = xzalloc(sizeof *ports + n * sizeof ports->ports[0]);
    HMAP_FOR_EACH (e, node, &dp->port_names) {
        if (e->worker != worker) {
            continue;
        }
        struct worker_port *wp = &ports->ports[ports->n++];
        wp->port = e->port;
        wp->n_fds = MIN(port_rx_fds(e->port, wp->fds, WORKER_PORT_FDS), (size_t) WORKER_PORT_FDS);
        wp->source = port_is_source(e->port);
        wp->dummy = port_is_dummy(e->port);
    }
    worker_set_ports(dp->workers[worker], ports);
}

static uint32_t choose_worker(const struct datapath *dp, const struct port_entry *of)
{
    uint32_t load[ENGINE_MAX_WORKERS] = { 0 }, best = 0;
    const struct dp_port_config *config = port_config(of->port);
    if (config->worker < dp->n_workers) {
        return config->worker;
    }
    const struct port_entry *e;
    HMAP_FOR_EACH (e, node, &dp->port_names) {
        if (e != of && e->worker < dp->n_workers) {
            load[e->worker]++;
        }
    }
    for (uint32_t i = 1; i < dp->n_workers; i++) {
        if (load[i] < load[best]) {
            best = i;
        }
    }
    return best;
}

void port_set_assign(struct datapath *dp)
{
    struct port_entry *e;
    HMAP_FOR_EACH (e, node, &dp->port_names) {
        e->worker = UINT32_MAX;
    }
    for (uint32_t i = 0; i < dp->n_workers; i++) {
        worker_set_ports(dp->workers[i], worker_ports_none());    /* No port has two receivers at any time. */
    }
    workers_quiesce(dp);
    for (struct port *p = port_set_next(dp, 0); p; p = port_set_next(dp, port_number(p) + 1)) {
        e = entry_by_number(dp, port_number(p));
        e->worker = choose_worker(dp, e);
    }
    for (uint32_t i = 0; i < dp->n_workers; i++) {
        tell_worker(dp, i);
    }
}

static void port_changed(struct port *port, void *dp_)
{
    struct datapath *dp = dp_;
    struct peer *peer = dp->peers ? peers_control(dp->peers) : NULL;
    if (peer && port_set_get(dp, port_number(port)) == port) {
        struct buffer b = BUFFER_INIT;
        wire_begin(&b, WIRE_PORT_CHANGED, 0);
        wire_put_u32(&b, ATTR_PORT_NO, port_number(port));
        peer_send(peer, &b);
        buffer_fini(&b);
    }
}

static void port_io_has_changed(struct port *port, void *dp_)
{
    struct datapath *dp = dp_;
    struct port_entry *e = entry_by_number(dp, port_number(port));
    if (e && e->port == port && e->worker < dp->n_workers) {
        tell_worker(dp, e->worker);
        workers_quiesce(dp);      /* The type may close what it replaced. */
    }
}

/* ---- Changing ---- */

static struct error *choose_number(struct datapath *dp, const struct dp_port_config *config, uint32_t *port_no)
{
    if (config->port_no != DP_PORT_NONE) {
        if (config->port_no >= ENGINE_MAX_PORTS) {
            return error_new(EINVAL, "port \"%s\": number %u is out of range, the last is %d", config->name,
                             config->port_no, ENGINE_MAX_PORTS - 1);
        }
        struct port *taken = port_set_get(dp, config->port_no);
        if (taken) {
            return error_new(EBUSY, "port \"%s\": number %u is that of port \"%s\"", config->name, config->port_no,
                             port_config(taken)->name);
        }
        *port_no = config->port_no;
        return NULL;
    }
    for (uint32_t i = 0; i < ENGINE_MAX_PORTS; i++) {
        uint32_t n = dp->next_port_no;
        dp->next_port_no = n + 1 < ENGINE_MAX_PORTS ? n + 1 : 1;
        if (!port_set_get(dp, n)) {
            *port_no = n;
            return NULL;
        }
    }
    return error_new(ENOSPC, "port \"%s\": all %d port numbers are taken", config->name, ENGINE_MAX_PORTS - 1);
}

/* Publishes 'port' (NULL: none) as number 'port_no'. */
static void publish(struct datapath *dp, uint32_t port_no, struct port *port)
{
    struct port_table *t = dp->ports;
    if (port_no >= t->n) {
        uint32_t n = MIN(MAX(t->n * 2, MAX(port_no + 1, 16u)), (uint32_t) ENGINE_MAX_PORTS);
        struct port_table *new = xzalloc(sizeof *new + n * sizeof new->ports[0]);
        memcpy(new->ports, t->ports, t->n * sizeof t->ports[0]);
        new->n = n;
        rcu_assign_pointer(dp->ports, new);
        rcu_postpone(free, t);
    }
    rcu_assign_pointer(dp->ports->ports[port_no], port);
}

struct error *port_set_add(struct datapath *dp, const struct dp_port_config *config, uint32_t *port_no)
{
    if (entry_by_name(dp, config->name)) {
        return error_new(EEXIST, "port \"%s\": there is a port of this name already", config->name);
    }
    struct error *e = choose_number(dp, config, port_no);
    if (e) {
        return e;
    }
    struct port *port;
    e = port_create(&dp->port_env, config, *port_no, &port);
    if (e) {
        return e;
    }
    struct port_entry *entry = xzalloc(sizeof *entry);
    entry->port = port;
    entry->port_no = *port_no;
    entry->worker = choose_worker(dp, entry);
    hmap_insert(&dp->port_names, &entry->node, hash_string(config->name, 0));
    dp->n_ports++;
    publish(dp, *port_no, port);
    tell_worker(dp, entry->worker);
    return NULL;
}

struct error *port_set_change(struct datapath *dp, uint32_t port_no, const struct dp_port_config *config)
{
    struct port_entry *entry = entry_by_number(dp, port_no);
    if (!entry) {
        return error_new(ENODEV, "port %u: there is no such port in the datapath", port_no);
    }
    const struct dp_port_config *old = port_config(entry->port);
    if (strcmp(old->name, config->name) || strcmp(old->type, config->type)) {
        return error_new(EINVAL, "port \"%s\": name and type cannot be changed", old->name);
    }
    struct error *e = port_configure(entry->port, config);
    if (e) {
        return e;
    }
    uint32_t worker = choose_worker(dp, entry);
    if (config->worker < dp->n_workers && worker != entry->worker) {
        uint32_t before = entry->worker;
        entry->worker = UINT32_MAX;
        tell_worker(dp, before);
        workers_quiesce(dp);
        entry->worker = worker;
    }
    tell_worker(dp, entry->worker);
    return NULL;
}

struct error *port_set_del(struct datapath *dp, uint32_t port_no)
{
    struct port_entry *entry = entry_by_number(dp, port_no);
    if (!entry) {
        return error_new(ENODEV, "port %u: there is no such port in the datapath", port_no);
    }
    struct port *port = entry->port;
    uint32_t worker = entry->worker;
    workers_quiesce(dp);      /* What was asked before may still send there. */
    hmap_remove(&dp->port_names, &entry->node);
    dp->n_ports--;
    publish(dp, port_no, NULL);
    if (worker < dp->n_workers) {
        tell_worker(dp, worker);
    }
    workers_quiesce(dp);
    struct port_counters c;
    port_get_counters(port, &c);
    dp->retired.received += c.rx_packets;
    dp->retired.sent += c.tx_packets;
    dp->retired.made += c.made;
    for (unsigned i = 0; i < DROP_N; i++) {
        dp->retired.drops[i] += c.drops[i];
    }
    port_destroy(port);
    free(entry);
    return NULL;
}
