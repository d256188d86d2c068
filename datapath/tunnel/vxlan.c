/* SPDX-License-Identifier: Apache-2.0 */
/* "vxlan" ports: one UDP port of the host's that carries tunnels. */
#include "datapath/tunnel/vxlan.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/parse.h"

bool vxlan_parse(const uint8_t *payload, size_t n, uint32_t *vni, enum drop *reason)
{
    if (n < VXLAN_HEADER + sizeof(struct eth_header)) {
        *reason = DROP_TUNNEL_MALFORMED;
        return false;
    }
    if (!(get_be32(payload) & VXLAN_FLAG_VNI)) {
        *reason = DROP_TUNNEL_NO_KEY;
        return false;
    }
    *vni = get_be32(payload + 4) >> 8;
    return true;
}

static void vxlan_close(struct port_vxlan *v)
{
    for (int f = 0; f < UDP_N_FAMILIES; f++) {
        if (v->fds[f] >= 0) {
            close(v->fds[f]);
        }
    }
    for (int i = 0; i < PORT_MAX_WORKERS; i++) {
        vxlan_tx_destroy(v->tx[i]);
    }
    vxlan_rx_destroy(v->rx);
    udp_senders_put(v->senders);
}

static struct error *read_udp_port(const struct dp_port_config *config, uint16_t *port)
{
    const char *s = smap_get(&config->options, "dst_port");
    uint64_t n = VXLAN_PORT;
    if (s && !parse_uint(s, 1, 65535, &n)) {
        return error_new(EINVAL, "port \"%s\": options:dst_port \"%s\" is not a UDP port, 1 to 65535", config->name, s);
    }
    *port = n;
    return NULL;
}

static struct error *vxlan_create(struct port *port)
{
    struct port_vxlan *v = vxlan_cast(port);
    struct dp_port_state *state = &port->state;
    v->fds[UDP_IP4] = v->fds[UDP_IP6] = -1;
    struct error *e = read_udp_port(&port->config, &v->udp_port);
    for (int f = 0; !e && f < UDP_N_FAMILIES; f++) {
        e = udp_open_receiver(port->config.name, v->udp_port, f, &v->fds[f]);
        if (e && f == UDP_IP6 && error_code(e) == EAFNOSUPPORT) {
            error_free(e);
            e = NULL;
        }
    }
    if (!e) {
        e = udp_senders_get(&v->senders);
    }
    if (e) {
        vxlan_close(v);
        return e;
    }
    v->rx = vxlan_rx_create();
    state->attached = state->admin_up = state->link_up = true;
    state->mtu = 65535;
    snprintf(state->driver, sizeof state->driver, "vxlan");
    return NULL;
}

static void vxlan_destroy(struct port *port)
{
    vxlan_close(vxlan_cast(port));
}

static struct error *vxlan_configure(struct port *port, const struct dp_port_config *new)
{
    uint16_t udp_port = 0;
    struct error *e = read_udp_port(new, &udp_port);
    if (!e && udp_port != vxlan_cast(port)->udp_port) {
        e = error_new(EBUSY, "port \"%s\": a carrier keeps its UDP port %u; another one is another port", new->name,
                      vxlan_cast(port)->udp_port);
    }
    return e;
}

static size_t vxlan_rx_fds(const struct port *port, int *fds, size_t max)
{
    const struct port_vxlan *v = vxlan_cast(port);
    size_t n = 0;
    for (int f = 0; f < UDP_N_FAMILIES; f++) {
        if (v->fds[f] >= 0) {
            if (n < max) {
                fds[n] = v->fds[f];
            }
            n++;
        }
    }
    return n;
}

extern const struct port_type port_type_vxlan;
const struct port_type port_type_vxlan = {
    .name = "vxlan",
    .size = sizeof(struct port_vxlan),
    .create = vxlan_create,
    .destroy = vxlan_destroy,
    .configure = vxlan_configure,
    .rx = vxlan_rx,
    .tx = vxlan_tx,
    .rx_fds = vxlan_rx_fds,
};
