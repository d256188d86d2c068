/* SPDX-License-Identifier: Apache-2.0 */
/* "null" ports: a source of packets in memory and a sink, to measure the pipeline without a device. */
#include <errno.h>
#include <stdio.h>

#include "datapath/port/port.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"

enum { NULL_MIN_LEN = 60, NULL_MAX_LEN = 1514, NULL_MAX_FLOWS = 1 << 24 };

struct port_null {
    struct port port;
    bool source;                    /* Atomic, as the next two. */
    uint32_t n_flows, len;
    /* Of the worker that receives. */
    uint32_t next;                  /* Flow of the next packet. */
    uint32_t step;                  /* To the one after it: without a common factor with n_flows. */
    uint32_t step_for;              /* n_flows that 'step' was chosen for. */
    uint8_t frame[NULL_MAX_LEN];    /* The packet of flow 0. */
};

static struct port_null *null_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct port_null, port);
}

static struct error *option_number(const struct dp_port_config *config, const char *key, uint64_t def, uint64_t min,
                                   uint64_t max, uint32_t *out)
{
    const char *s = smap_get(&config->options, key);
    uint64_t n = def;
    if (s && !parse_uint(s, min, max, &n)) {
        return error_new(EINVAL, "port \"%s\": options:%s \"%s\" is not a number from %llu to %llu", config->name,
                         key, s, (unsigned long long) min, (unsigned long long) max);
    }
    __atomic_store_n(out, (uint32_t) n, __ATOMIC_RELAXED);
    return NULL;
}

/* The packet that all others are copies of, with their flow's number in the low 24 bits of the source address. */
static void make_frame(struct port_null *n)
{
    struct eth_header *eth = (void *) n->frame;
    struct ip4_header *ip = (void *) (n->frame + sizeof *eth);
    struct udp_header *udp = (void *) (ip + 1);
    memset(n->frame, 0, sizeof n->frame);
    eth->dst = (struct eth_addr) { { 0x02, 0, 0, 0, 0, 2 } };
    eth->src = (struct eth_addr) { { 0x02, 0, 0, 0, 0, 1 } };
    eth->type = htobe16(ETH_TYPE_IP4);
    ip->ihl_version = 0x45;
    ip->len = htobe16(n->len - sizeof *eth);
    ip->ttl = 64;
    ip->proto = IP_PROTO_UDP;
    ip->src = htobe32(0x0a000000);
    ip->dst = htobe32(0xc0a80001);
    ip->csum = csum(ip, sizeof *ip);
    udp->src = htobe16(1024);
    udp->dst = htobe16(2048);
    udp->len = htobe16(n->len - sizeof *eth - sizeof *ip);
}

static struct error *null_configure(struct port *port, const struct dp_port_config *config)
{
    struct port_null *n = null_cast(port);
    uint32_t len;
    struct error *e = option_number(config, "flows", 1, 1, NULL_MAX_FLOWS, &n->n_flows);
    if (!e) {
        e = option_number(config, "len", 64, NULL_MIN_LEN, NULL_MAX_LEN, &len);
    }
    if (e) {
        return e;
    }
    if (n->len && n->len != len) {
        return error_new(EBUSY, "port \"%s\": options:len cannot be changed while the port exists", config->name);
    }
    if (!n->len) {
        n->len = len;
        make_frame(n);
    }
    __atomic_store_n(&n->source, smap_get_bool(&config->options, "source", false), __ATOMIC_RELAXED);
    port->state.attached = port->state.admin_up = port->state.link_up = true;
    port->state.mtu = config->mtu ? config->mtu : 1500;
    port->state.mac = config->mac;
    snprintf(port->state.driver, sizeof port->state.driver, "null");
    port_io_changed(port);
    return NULL;
}

static struct error *null_create(struct port *port)
{
    return null_configure(port, &port->config);
}

static uint32_t common_factor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* Walks through all flows in an order that no prefetcher guesses. */
static uint32_t choose_step(uint32_t n_flows)
{
    uint32_t step = (uint32_t) (n_flows * 0.6180339887) | 1;
    while (common_factor(step, n_flows) != 1) {
        step += 2;
    }
    return step % n_flows;
}

static void null_rx(struct port *port, struct packet_pool *pool, struct packet_batch *batch)
{
    struct port_null *n = null_cast(port);
    if (!__atomic_load_n(&n->source, __ATOMIC_RELAXED)) {
        return;
    }
    uint32_t n_flows = __atomic_load_n(&n->n_flows, __ATOMIC_RELAXED);
    if (UNLIKELY(n_flows != n->step_for)) {
        n->step_for = n_flows;
        n->step = choose_step(n_flows);
        n->next = 0;
    }
    if (UNLIKELY(!packet_batch_new(pool, batch, BATCH_MAX))) {
        port_rx_drop(port, DROP_NO_BUFFER, 1);
        return;
    }
    const uint32_t src_ofs = sizeof(struct eth_header) + offsetof(struct ip4_header, src);
    const uint32_t csum_ofs = sizeof(struct eth_header) + offsetof(struct ip4_header, csum);
    uint32_t base = get_be16(n->frame + csum_ofs);
    for (uint32_t i = 0; i < batch->n; i++) {
        struct packet *p = batch->p[i];
        memcpy(p->data, n->frame, n->len);
        p->head_len = n->len;
        if (n->next) {
            /* RFC 1624, with the words of 'src' that differ: 0x0a00 + high, 0 + low. */
            uint32_t sum = (~base & 0xffff) + (n->next >> 16) + (n->next & 0xffff);
            sum = (sum & 0xffff) + (sum >> 16);
            sum = (sum & 0xffff) + (sum >> 16);
            put_be32(p->data + src_ofs, 0x0a000000 | n->next);
            put_be16(p->data + csum_ofs, ~sum);
        }
        n->next += n->step;
        if (n->next >= n_flows) {
            n->next -= n_flows;
        }
    }
}

static void null_tx(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < batch->n; i++) {
        bytes += packet_len(batch->p[i]);
    }
    struct port_counters *c = port_worker_counters(port, worker);
    port_count(&c->tx_packets, batch->n);
    port_count(&c->tx_bytes, bytes);
}

static bool null_is_source(const struct port *port)
{
    return __atomic_load_n(&null_cast(port)->source, __ATOMIC_RELAXED);
}

extern const struct port_type port_type_null;
const struct port_type port_type_null = {
    .name = "null",
    .size = sizeof(struct port_null),
    .create = null_create,
    .configure = null_configure,
    .rx = null_rx,
    .tx = null_tx,
    .is_source = null_is_source,
};
