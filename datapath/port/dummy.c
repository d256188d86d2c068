/* SPDX-License-Identifier: Apache-2.0 */
/* "dummy" ports: no device; frames come from port_dummy_receive() and what is sent is counted and captured. */
#include "datapath/port/dummy.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/port/dummy_tunnel.h"
#include "datapath/port/offload.h"
#include "datapath/port/pcap.h"
#include "lib/base/error.h"

struct port_dummy {
    struct port port;
    int event_fd;                        /* Readable while frames wait. */
    pthread_mutex_t lock;                /* Of the queue and the files. */
    struct packet *first, **link;        /* Heap packets. */
    uint32_t n_queued;
    bool admin_up;                       /* Atomic. */
    struct capture *both, *rx, *tx;
    uint16_t udp_port;                   /* Of the carrier that it stands in for; 0: of none. */
};

static struct port_dummy *dummy_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct port_dummy, port);
}

bool port_is_dummy(const struct port *port)
{
    return port->type == &port_type_dummy || port->type == &port_type_dummy_internal;
}

static void dummy_set_state(struct port_dummy *d, const struct dp_port_config *config)
{
    struct port *port = &d->port;
    struct dp_port_state *state = &port->state;
    if (config->admin_up >= 0) {
        __atomic_store_n(&d->admin_up, config->admin_up, __ATOMIC_RELAXED);
    }
    state->attached = true;
    state->admin_up = state->link_up = d->admin_up;
    state->mtu = config->mtu ? config->mtu : d->udp_port ? UINT16_MAX : 1500;
    state->mac = config->mac;
    if (eth_addr_is_zero(state->mac)) {
        /* Of the number alone, so that tests can name it. */
        state->mac = (struct eth_addr) { { 0xaa, 0x55, 0xaa, 0x55, port->port_no >> 8, port->port_no } };
    }
    snprintf(state->driver, sizeof state->driver, "dummy");
}

static struct error *open_capture(const struct dp_port_config *old, const struct dp_port_config *new, const char *key,
                                  struct capture **c)
{
    const char *was = old ? smap_get_def(&old->options, key, "") : "";
    const char *path = smap_get_def(&new->options, key, "");
    if (old && !strcmp(was, path)) {
        return NULL;
    }
    struct capture *fresh = NULL;
    if (*path) {
        struct error *e = capture_open(path, &fresh);
        if (e) {
            return error_wrap(e, "port \"%s\": options:%s", new->name, key);
        }
    }
    capture_close(*c);
    *c = fresh;
    return NULL;
}

static struct error *dummy_open_captures(struct port_dummy *d, const struct dp_port_config *old,
                                         const struct dp_port_config *new)
{
    pthread_mutex_lock(&d->lock);
    struct error *e = open_capture(old, new, "pcap", &d->both);
    if (!e) {
        e = open_capture(old, new, "rxq_pcap", &d->rx);
    }
    if (!e) {
        e = open_capture(old, new, "tx_pcap", &d->tx);
    }
    pthread_mutex_unlock(&d->lock);
    return e;
}

static void dummy_destroy(struct port *port)
{
    struct port_dummy *d = dummy_cast(port);
    packet_list_free(d->first);
    capture_close(d->both);
    capture_close(d->rx);
    capture_close(d->tx);
    close(d->event_fd);
    pthread_mutex_destroy(&d->lock);
}

static struct error *dummy_create(struct port *port)
{
    struct port_dummy *d = dummy_cast(port);
    d->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->event_fd < 0) {
        return error_errno(errno, "port \"%s\": eventfd", port->config.name);
    }
    pthread_mutex_init(&d->lock, NULL);
    d->link = &d->first;
    d->admin_up = true;
    if (!strcmp(port->state.type, "vxlan")) {
        d->udp_port = smap_get_int(&port->config.options, "dst_port", 4789, 1, UINT16_MAX);
    }
    struct error *e = dummy_open_captures(d, NULL, &port->config);
    if (e) {
        dummy_destroy(port);
        return e;
    }
    dummy_set_state(d, &port->config);
    return NULL;
}

static struct error *dummy_configure(struct port *port, const struct dp_port_config *new)
{
    struct port_dummy *d = dummy_cast(port);
    struct error *e = dummy_open_captures(d, &port->config, new);
    if (!e) {
        dummy_set_state(d, new);
        port_state_changed(port);
    }
    return e;
}

struct error *port_dummy_set_admin(struct port *port, bool up)
{
    if (!port_is_dummy(port)) {
        return error_new(EINVAL, "port \"%s\" is of type \"%s\"; only dummy ports can be set up and down so",
                         port->config.name, port->type->name);
    }
    struct port_dummy *d = dummy_cast(port);
    if (d->admin_up != up) {
        __atomic_store_n(&d->admin_up, up, __ATOMIC_RELAXED);
        port->state.admin_up = port->state.link_up = up;
        port->state.link_resets++;
        port_state_changed(port);
    }
    return NULL;
}

/* ---- Receiving ---- */

struct error *port_dummy_receive(struct port *port, const void *frame, size_t n)
{
    if (!port_is_dummy(port)) {
        return error_new(EINVAL, "port \"%s\" is of type \"%s\"; only dummy ports take frames from tests",
                         port->config.name, port->type->name);
    }
    struct port_dummy *d = dummy_cast(port);
    struct packet *p = packet_from_bytes(NULL, frame, n);
    if (!p) {
        return error_new(EMSGSIZE, "port \"%s\": a frame of %zu bytes is longer than %d", port->config.name, n,
                         PACKET_MAX);
    }
    pthread_mutex_lock(&d->lock);
    bool full = d->n_queued >= DUMMY_MAX_QUEUED;
    if (!full) {
        *d->link = p;
        d->link = &p->next;
        d->n_queued++;
    }
    pthread_mutex_unlock(&d->lock);
    if (full) {
        packet_free(p);
        return error_new(ENOBUFS, "port \"%s\": %d frames wait already", port->config.name, DUMMY_MAX_QUEUED);
    }
    uint64_t one = 1;
    if (write(d->event_fd, &one, sizeof one) != sizeof one) {
        return error_errno(errno, "port \"%s\": eventfd", port->config.name);
    }
    return NULL;
}

/* Writes one frame into the files that want it. */
static void capture_packet(struct capture *a, struct capture *b, const struct packet *p)
{
    if (a || b) {
        size_t n;
        uint8_t *bytes = packet_linear(p, &n);
        if (a) {
            capture_write(a, bytes, n);
        }
        if (b) {
            capture_write(b, bytes, n);
        }
        free(bytes);
    }
}

static void dummy_rx(struct port *port, struct packet_pool *pool, struct packet_batch *batch)
{
    struct port_dummy *d = dummy_cast(port);
    if (!__atomic_load_n(&d->n_queued, __ATOMIC_RELAXED)) {
        return;
    }
    bool up = __atomic_load_n(&d->admin_up, __ATOMIC_RELAXED);
    pthread_mutex_lock(&d->lock);
    while (d->first && batch->n < BATCH_MAX) {
        struct packet *p = d->first;
        d->first = p->next;
        d->n_queued--;
        p->next = NULL;
        if (!up) {
            port_rx_drop(port, DROP_PORT_DOWN, 1);
            packet_free(p);
            continue;
        }
        capture_packet(d->both, d->rx, p);
        enum drop reason;
        if (d->udp_port && !dummy_decap(p, d->udp_port, &reason)) {
            port_rx_drop(port, reason, 1);
            packet_free(p);
            continue;
        }
        batch->p[batch->n++] = p;
    }
    if (!d->first) {
        uint64_t count;
        d->link = &d->first;
        (void) !read(d->event_fd, &count, sizeof count);
    }
    pthread_mutex_unlock(&d->lock);
}

static size_t dummy_rx_fds(const struct port *port, int *fds, size_t max)
{
    if (max) {
        fds[0] = dummy_cast(port)->event_fd;
    }
    return 1;
}

/* ---- Sending ---- */

static void dummy_tx(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker)
{
    struct port_dummy *d = dummy_cast(port);
    bool up = __atomic_load_n(&d->admin_up, __ATOMIC_RELAXED);
    uint32_t mtu = port->state.mtu;
    for (uint32_t i = 0; i < batch->n; i++) {
        struct packet *p = batch->p[i];
        uint32_t len = packet_len(p);
        if (!up) {
            port_tx_drop(port, worker, DROP_PORT_DOWN);
            continue;
        }
        if (p->gso_size ? !offload_fit_mtu(p, mtu) : len > mtu + 14 + 8) {
            port_tx_drop(port, worker, DROP_TOO_BIG);
            continue;
        }
        bool made;
        enum drop reason;
        struct packet *list = offload_resolve(pool, p, &made, &reason);
        if (!list) {
            port_tx_drop(port, worker, reason);
            continue;
        }
        bool sent = true;
        pthread_mutex_lock(&d->lock);
        for (struct packet *s = list; s && sent; s = made ? s->next : NULL) {
            sent = !d->udp_port || dummy_encap(s, d->udp_port, &reason);
            if (sent) {
                capture_packet(d->both, d->tx, s);
            }
        }
        pthread_mutex_unlock(&d->lock);
        if (made) {
            packet_list_free(list);
        }
        if (sent) {
            port_tx_sent(port, worker, len);
        } else {
            port_tx_drop(port, worker, reason);
        }
    }
}

#define DUMMY_OPERATIONS                                                                         \
    .size = sizeof(struct port_dummy), .create = dummy_create, .destroy = dummy_destroy,         \
    .configure = dummy_configure, .rx = dummy_rx, .tx = dummy_tx, .rx_fds = dummy_rx_fds

const struct port_type port_type_dummy = { .name = "dummy", DUMMY_OPERATIONS };
const struct port_type port_type_dummy_internal = { .name = "dummy-internal", DUMMY_OPERATIONS };
