/* SPDX-License-Identifier: Apache-2.0 */
/* "system" ports: devices of the machine, by packet sockets that carry offload state (MECHANISMS 1). */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/port/device_tx.h"
#include "datapath/port/ingress.h"
#include "datapath/port/kernel.h"
#include "datapath/port/monitor.h"
#include "datapath/port/offload.h"
#include "datapath/port/port.h"
#include "datapath/port/rx_slots.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/packet/headers.h"
#include "lib/sys/log.h"
#include "lib/sys/rcu.h"

LOG_MODULE(port_system);

enum { SOCKET_BUFFER = 4 << 20 };

/* What workers use of an attached device: published by RCU, replaced as a whole. */
struct system_io {
    int fd;
    uint32_t ifindex;
    uint32_t mtu;                /* Atomic. */
    struct ingress_drop drop;
    bool restore_addr_gen;
    uint8_t addr_gen;            /* As it was before us. */
};

struct port_system {
    struct port port;
    struct link_watch watch;
    struct system_io *io;        /* RCU; NULL: not attached. Control thread writes. */
};

static struct port_system *system_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct port_system, port);
}

/* ---- Attaching ---- */

/* After workers have let go: the socket is closed, the stack gets its packets again. */
static void io_free(void *io_)
{
    struct system_io *io = io_;
    close(io->fd);
    free(io);
}

static void system_detach(struct port_system *s)
{
    struct system_io *io = s->io;
    if (!io) {
        return;
    }
    rcu_assign_pointer(s->io, NULL);
    s->port.state.attached = false;
    s->port.state.link_up = false;
    s->port.state.ifindex = 0;
    ingress_drop_detach(&io->drop);
    if (io->restore_addr_gen) {
        link_set_ip6_addr_gen(io->ifindex, io->addr_gen, NULL);
    }
    port_io_changed(&s->port);
    rcu_postpone(io_free, io);
}

static int set_option(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) ? errno : 0;
}

static void force_buffer(int fd, int force, int plain)
{
    int size = SOCKET_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, plain, &size, sizeof size);
    }
}

/* A packet socket with all that we need of one, bound to the device as the last step. */
static int open_socket(uint32_t ifindex, int *fdp)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    struct packet_mreq promiscuous = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC };
    struct sockaddr_ll local = { .sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_ALL),
                                 .sll_ifindex = ifindex };
    force_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    force_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    int err = set_option(fd, PACKET_VNET_HDR, 1);
    err = err ? err : set_option(fd, PACKET_AUXDATA, 1);
    err = err ? err : set_option(fd, PACKET_IGNORE_OUTGOING, 1);
    if (!err && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous)) {
        err = errno;
    }
    if (!err && bind(fd, (struct sockaddr *) &local, sizeof local)) {
        err = errno;
    }
    if (err) {
        close(fd);
        fd = -1;
    }
    *fdp = fd;
    return err;
}

static void apply_config(struct port_system *s, const struct dp_port_config *config, const struct link_info *link)
{
    int err = 0;
    if (config->mtu && config->mtu != link->mtu) {
        err = link_set_mtu(link->ifindex, config->mtu);
        if (err) {
            LOG_WARN("port \"%s\": the device refuses MTU %u: %s", config->name, config->mtu, strerror(err));
        }
    }
    if (config->admin_up >= 0 && config->admin_up != !!(link->flags & IFF_UP)) {
        err = link_set_up(link->ifindex, config->admin_up);
        if (err) {
            LOG_WARN("port \"%s\": cannot be set %s: %s", config->name, config->admin_up ? "up" : "down",
                     strerror(err));
        }
    }
}

static void system_attach(struct port_system *s, const struct link_info *link)
{
    struct port *port = &s->port;
    if (link->hw_type != ARPHRD_ETHER) {
        port_set_error(port, "\"%s\" is no Ethernet device; only such can be ports", link->name);
        return;
    }
    struct system_io *io = xzalloc(sizeof *io);
    io->ifindex = link->ifindex;
    io->mtu = link->mtu;
    int err = ingress_drop_attach(&io->drop, link->ifindex, true);
    if (err) {
        port_set_error(port, "\"%s\": the drop program cannot be attached at tc ingress: %s", link->name,
                       strerror(err));
        free(io);
        return;
    }
    err = open_socket(link->ifindex, &io->fd);
    if (err) {
        port_set_error(port, "\"%s\": no packet socket: %s", link->name, strerror(err));
        ingress_drop_detach(&io->drop);
        free(io);
        return;
    }
    io->restore_addr_gen = !link_set_ip6_addr_gen(link->ifindex, IN6_ADDR_GEN_MODE_NONE, &io->addr_gen) &&
                           io->addr_gen != IN6_ADDR_GEN_MODE_NONE;
    apply_config(s, &port->config, link);
    link_to_state(link, &port->state);
    link_ethtool(link->name, &port->state);
    port->state.attached = true;
    port->state.error[0] = '\0';
    rcu_assign_pointer(s->io, io);
    port_io_changed(port);
}

static void attach_by_name(struct port_system *s)
{
    struct link_info link;
    const char *name = s->port.config.name;
    int err = link_get_by_name(LINK_OWN_NS, name, &link);
    if (err) {
        port_set_error(&s->port, "could not open network device %s (%s)", name, strerror(err));
        return;
    }
    system_attach(s, &link);
}

/* Compares what a device's state was with what the kernel says, and tells whether it changed. */
static bool refresh_state(struct port_system *s, const struct link_info *link)
{
    struct dp_port_state old = s->port.state;
    link_to_state(link, &s->port.state);
    if (s->port.state.link_up != old.link_up) {
        link_ethtool(link->name, &s->port.state);
    }
    __atomic_store_n(&s->io->mtu, link->mtu, __ATOMIC_RELAXED);
    return memcmp(&old, &s->port.state, sizeof old);
}

static void system_link_event(const struct link_event *event, void *s_)
{
    struct port_system *s = s_;
    struct link_event lost;
    const char *name = s->port.config.name;
    if (!event) {
        lost.gone = s->io && link_get(LINK_OWN_NS, s->io->ifindex, &lost.link);
        if (lost.gone) {
            lost.link = (struct link_info) { .nsid = LINK_OWN_NS, .ifindex = s->io->ifindex };
        } else if (!s->io && link_get_by_name(LINK_OWN_NS, name, &lost.link)) {
            return;
        }
        event = &lost;
    }
    const struct link_info *link = &event->link;
    if (link->nsid != LINK_OWN_NS) {
        return;
    }
    bool changed = false;
    if (s->io && link->ifindex == s->io->ifindex) {
        if (event->gone) {
            system_detach(s);
            port_set_error(&s->port, "could not open network device %s (%s)", name, strerror(ENODEV));
            changed = true;
        } else if (strcmp(link->name, name)) {
            system_detach(s);
            port_set_error(&s->port, "the device \"%s\" was renamed to \"%s\"", name, link->name);
            changed = true;
        } else {
            changed = refresh_state(s, link);
        }
    } else if (!event->gone && !strcmp(link->name, name)) {
        system_detach(s);   /* A new one of our name, whose predecessor's end was not told. */
        system_attach(s, link);
        changed = true;
    }
    if (changed) {
        port_state_changed(&s->port);
    }
}

/* Once in a process: what one before it left on devices that may not be ports any more. */
static void remove_leftovers(void)
{
    unsigned n = ingress_drop_remove_stale();
    if (n) {
        LOG_INFO("%u drop program(s) of a process that was killed were removed", n);
    }
}

static struct error *system_create(struct port *port)
{
    static pthread_once_t leftovers = PTHREAD_ONCE_INIT;
    struct port_system *s = system_cast(port);
    if (!strcmp(port->config.name, "lo")) {
        return error_new(EINVAL, "port \"lo\": the loopback device cannot be a port, the machine would lose it");
    }
    struct error *e = link_watch_start(&s->watch, port->env.loop, system_link_event, s);
    if (e) {
        return error_wrap(e, "port \"%s\"", port->config.name);
    }
    pthread_once(&leftovers, remove_leftovers);
    attach_by_name(s);
    return NULL;
}

static void system_destroy(struct port *port)
{
    struct port_system *s = system_cast(port);
    link_watch_stop(&s->watch);
    system_detach(s);
}

static struct error *system_configure(struct port *port, const struct dp_port_config *new)
{
    struct port_system *s = system_cast(port);
    struct link_info link;
    if (!s->io || link_get(LINK_OWN_NS, s->io->ifindex, &link)) {
        return NULL;
    }
    if (new->mtu && new->mtu != link.mtu) {
        int err = link_set_mtu(link.ifindex, new->mtu);
        if (err) {
            return error_errno(err, "port \"%s\": the device refuses MTU %u", new->name, new->mtu);
        }
    }
    if (new->admin_up >= 0) {
        int err = link_set_up(link.ifindex, new->admin_up);
        if (err) {
            return error_errno(err, "port \"%s\": cannot be set %s", new->name, new->admin_up ? "up" : "down");
        }
    }
    if (!link_get(LINK_OWN_NS, s->io->ifindex, &link) && refresh_state(s, &link)) {
        port_state_changed(port);
    }
    return NULL;
}

static void system_refresh_stats(const struct port *port, struct dp_port_stats *stats)
{
    struct port_system *s = system_cast(port);
    struct link_info link;
    if (!s->io || link_get(LINK_OWN_NS, s->io->ifindex, &link) || !link.has_stats) {
        return;
    }
    stats->rx_errors += link.rx_errors;
    stats->tx_errors += link.tx_errors;
    stats->collisions = link.collisions;
    stats->multicast = link.multicast;
    stats->rx_crc_err = link.rx_crc_err;
    stats->rx_frame_err = link.rx_frame_err;
    stats->rx_over_err = link.rx_over_err;
    stats->rx_missed_errors = link.rx_missed_errors;
    /* What the socket's buffer could not hold. Reading resets it, so it is kept in a counter of ours. */
    struct tpacket_stats kernel;
    socklen_t len = sizeof kernel;
    if (!getsockopt(s->io->fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &len)) {
        __atomic_fetch_add(&s->port.rx_counters->socket_dropped, kernel.tp_drops, __ATOMIC_RELAXED);
    }
    stats->rx_dropped += __atomic_load_n(&s->port.rx_counters->socket_dropped, __ATOMIC_RELAXED);
}

/* ---- Receiving ---- */

/* Puts the VLAN tag that came beside the frame back into it. */
static bool insert_vlan(struct packet *p, const struct tpacket_auxdata *aux)
{
    if (!packet_insert(p, 12, sizeof(struct vlan_header))) {
        return false;
    }
    put_be16(p->data + 12, aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETH_TYPE_VLAN);
    put_be16(p->data + 14, aux->tp_vlan_tci);
    return true;
}

static const struct tpacket_auxdata *find_auxdata(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    for (; c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
            return (const void *) CMSG_DATA(c);
        }
    }
    return NULL;
}

/* The packet of message 'i', or NULL: counted. */
static struct packet *accept_message(struct port *port, struct rx_slots *slots, uint32_t i)
{
    struct mmsghdr *m = &slots->messages[i];
    const struct vnet_header vnet = *rx_slot_vnet(slots, i);
    const struct tpacket_auxdata *aux = find_auxdata(&m->msg_hdr);
    if (UNLIKELY(m->msg_len < VNET_HEADER_LEN + sizeof(struct eth_header) || m->msg_hdr.msg_flags & MSG_TRUNC)) {
        port_rx_drop(port, slots->tails[i] ? DROP_TRUNCATED : DROP_NO_BUFFER, 1);
        return NULL;
    }
    struct packet *p = rx_slot_take(slots, i, m->msg_len - VNET_HEADER_LEN);
    bool tagged = aux && aux->tp_status & TP_STATUS_VLAN_VALID;
    if (UNLIKELY(aux && aux->tp_len > aux->tp_snaplen)) {
        port_rx_drop(port, DROP_TRUNCATED, 1);
    } else if (UNLIKELY(tagged && !insert_vlan(p, aux))) {
        port_rx_drop(port, DROP_NO_HEADROOM, 1);
    } else if (UNLIKELY(!offload_from_vnet(&vnet, tagged, p))) {
        port_rx_drop(port, DROP_GSO_UNKNOWN, 1);
    } else {
        return p;
    }
    packet_free(p);
    return NULL;
}

static void system_rx(struct port *port, struct packet_pool *pool, struct packet_batch *batch)
{
    struct system_io *io = rcu_dereference(system_cast(port)->io);
    if (UNLIKELY(!io)) {
        return;
    }
    struct rx_slots *slots = rx_slots_get(pool);
    if (UNLIKELY(!slots)) {
        return;   /* The socket's buffer holds them until the pool has some again. */
    }
    int n = recvmmsg(io->fd, slots->messages, slots->n, MSG_DONTWAIT, NULL);
    if (n < 0) {
        if (errno == EINVAL) {
            /* The kernel had a packet whose segmentation its header cannot say, and has thrown it away. */
            port_rx_drop(port, DROP_GSO_UNKNOWN, 1);
        }
        return;
    }
    rx_slots_used(slots, n);
    for (int i = 0; i < n; i++) {
        struct packet *p = accept_message(port, slots, i);
        if (LIKELY(p != NULL)) {
            batch->p[batch->n++] = p;
        }
    }
}

static size_t system_rx_fds(const struct port *port, int *fds, size_t max)
{
    const struct system_io *io = system_cast(port)->io;
    if (!io) {
        return 0;
    }
    if (max) {
        fds[0] = io->fd;
    }
    return 1;
}

/* ---- Sending ---- */

static void system_tx(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker)
{
    struct system_io *io = rcu_dereference(system_cast(port)->io);
    if (UNLIKELY(!io)) {
        for (uint32_t i = 0; i < batch->n; i++) {
            port_tx_drop(port, worker, DROP_PORT_DOWN);
        }
        return;
    }
    device_tx(port, pool, batch, worker, io->fd, __atomic_load_n(&io->mtu, __ATOMIC_RELAXED), true);
}

extern const struct port_type port_type_system;
const struct port_type port_type_system = {
    .name = "system",
    .size = sizeof(struct port_system),
    .create = system_create,
    .destroy = system_destroy,
    .configure = system_configure,
    .refresh_stats = system_refresh_stats,
    .rx = system_rx,
    .tx = system_tx,
    .rx_fds = system_rx_fds,
};
