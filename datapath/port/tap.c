/* SPDX-License-Identifier: Apache-2.0 */
/* "tap" and "internal" ports: devices that we make, with the host's stack behind them.
 *
 * The device may be moved to another namespace; its descriptor goes on working, and its state is asked for by the
 * id that our namespace has for the other one. It is gone only when the descriptor says so; then it is made anew. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "datapath/port/device_tx.h"
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

LOG_MODULE(port_tap);

enum { REMAKE_MS = 100, REMAKE_MAX_MS = 5000 };

/* What workers use, published by RCU. */
struct tap_io {
    int fd;
    uint32_t mtu;                /* Atomic. */
};

struct port_tap {
    struct port port;
    struct link_watch watch;
    struct loop_timer remake;    /* After the device was deleted. */
    int64_t remake_ms;
    struct tap_io *io;           /* RCU; NULL while there is no device. Control thread writes. */
    int nsid;                    /* Where the device is; LINK_OWN_NS. */
    bool nsid_known;
    int gone_fd;                 /* An eventfd by which the worker tells that the descriptor has no device any more. */
    struct loop_watch *gone_watch;
    bool gone;                   /* Told. Atomic. */
};

static struct port_tap *tap_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct port_tap, port);
}

/* ---- The device ---- */

static void set_offloads(int fd, const char *name)
{
    unsigned base = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (ioctl(fd, TUNSETOFFLOAD, base | KERNEL_TUN_F_USO4 | KERNEL_TUN_F_USO6) && ioctl(fd, TUNSETOFFLOAD, base)) {
        LOG_WARN("port \"%s\": no offloads: %s", name, strerror(errno));
    }
}

static struct error *tap_open(const char *name, int *fdp)
{
    struct ifreq ifr;
    if (strlen(name) >= IFNAMSIZ) {
        return error_new(ENAMETOOLONG, "port \"%s\": a device's name has at most %d characters", name, IFNAMSIZ - 1);
    }
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(errno, "port \"%s\": /dev/net/tun", name);
    }
    memset(&ifr, 0, sizeof ifr);
    ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    if (ioctl(fd, TUNSETIFF, &ifr)) {
        int err = errno;
        close(fd);
        return err == EBUSY || err == EINVAL || err == EEXIST
               ? error_new(EEXIST, "port \"%s\": a device of this name exists already and is not ours to use", name)
               : error_errno(err, "port \"%s\": the tap cannot be made", name);
    }
    int header = VNET_HEADER_LEN;
    if (ioctl(fd, TUNSETVNETHDRSZ, &header)) {
        int err = errno;
        close(fd);
        return error_errno(err, "port \"%s\": the tap's header size", name);
    }
    set_offloads(fd, name);
    *fdp = fd;
    return NULL;
}

/* The device's name as its descriptor knows it; 0 or an errno: the device is gone. */
static int tap_name(int fd, char name[IFNAMSIZ])
{
    struct ifreq ifr;
    memset(&ifr, 0, sizeof ifr);
    if (ioctl(fd, TUNGETIFF, &ifr)) {
        return errno;
    }
    memcpy(name, ifr.ifr_name, IFNAMSIZ);
    name[IFNAMSIZ - 1] = '\0';
    return 0;
}

static int set_mac(int fd, struct eth_addr mac)
{
    struct ifreq ifr;
    memset(&ifr, 0, sizeof ifr);
    ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(ifr.ifr_hwaddr.sa_data, &mac, sizeof mac);
    return ioctl(fd, SIOCSIFHWADDR, &ifr) ? errno : 0;
}

/* Finds out in which namespace the device is. False: it cannot be told. */
static bool find_namespace(struct port_tap *t)
{
    struct stat there, here;
    int fd = ioctl(t->io->fd, TUNGETDEVNETNS);
    if (fd < 0) {
        t->nsid = LINK_OWN_NS;
        return errno == ENOTTY || errno == EINVAL;   /* An old kernel: as if nobody moved it. */
    }
    bool known = true;
    t->nsid = LINK_OWN_NS;
    if (!fstat(fd, &there) && !stat("/proc/thread-self/ns/net", &here) &&
        (there.st_ino != here.st_ino || there.st_dev != here.st_dev)) {
        known = !link_nsid_of(fd, &t->nsid);
    }
    close(fd);
    return known;
}

/* Applies what of the configuration is not so already. The first failure, or NULL. */
static struct error *apply_config(struct port_tap *t, const struct dp_port_config *config,
                                  const struct link_info *link)
{
    int err = 0;
    if (!eth_addr_is_zero(config->mac) && !eth_addr_equal(config->mac, link->mac)) {
        err = set_mac(t->io->fd, config->mac);
        if (err) {
            return error_errno(err, "port \"%s\": the device refuses MAC address " ETH_FMT, config->name,
                               ETH_ARGS(config->mac));
        }
    }
    bool mtu_differs = config->mtu && config->mtu != link->mtu;
    if (link->nsid != LINK_OWN_NS) {
        /* Whoever moved it there decides there; only the descriptor reaches so far. */
        return mtu_differs ? error_new(EXDEV, "port \"%s\": the device is in another network namespace, where its "
                                       "MTU is %u; it can be changed there", config->name, link->mtu) : NULL;
    }
    if (mtu_differs) {
        err = link_set_mtu(link->ifindex, config->mtu);
        if (err) {
            return error_errno(err, "port \"%s\": the device refuses MTU %u", config->name, config->mtu);
        }
    }
    if (config->admin_up >= 0 && config->admin_up != !!(link->flags & IFF_UP)) {
        err = link_set_up(link->ifindex, config->admin_up);
        if (err) {
            return error_errno(err, "port \"%s\": cannot be set %s", config->name,
                               config->admin_up ? "up" : "down");
        }
    }
    return NULL;
}

/* Where the device is and how it does. 0, or an errno: not to be seen. */
static int tap_look(struct port_tap *t, struct link_info *link)
{
    char name[IFNAMSIZ];
    int err = tap_name(t->io->fd, name);
    if (err) {
        return err;
    }
    t->nsid_known = find_namespace(t);
    return t->nsid_known ? link_get_by_name(t->nsid, name, link) : ENOENT;
}

static void note_state(struct port_tap *t, const struct link_info *link)
{
    link_to_state(link, &t->port.state);
    t->port.state.link_speed_bps = INT64_C(10000000000);   /* What a tap says; nobody should build on it. */
    t->port.state.full_duplex = true;
    __atomic_store_n(&t->io->mtu, link->mtu, __ATOMIC_RELAXED);
}

static struct error *tap_make(struct port_tap *t)
{
    struct port *port = &t->port;
    struct link_info link;
    int fd = -1;
    struct error *e = tap_open(port->config.name, &fd);
    if (e) {
        return e;
    }
    struct tap_io *io = xzalloc(sizeof *io);
    io->fd = fd;
    io->mtu = 1500;
    __atomic_store_n(&t->gone, false, __ATOMIC_RELAXED);
    rcu_assign_pointer(t->io, io);
    if (!tap_look(t, &link)) {
        e = apply_config(t, &port->config, &link);
        if (!tap_look(t, &link)) {
            note_state(t, &link);
        }
    }
    port->state.attached = true;
    port->state.error[0] = '\0';
    if (e) {
        LOG_WARN("%s", error_text(e));
        error_free(e);
    }
    snprintf(port->state.driver, sizeof port->state.driver, "tun");
    port_io_changed(port);
    return NULL;
}

static void io_free(void *io_)
{
    struct tap_io *io = io_;
    close(io->fd);
    free(io);
}

static void tap_unmake(struct port_tap *t)
{
    struct tap_io *io = t->io;
    if (io) {
        rcu_assign_pointer(t->io, NULL);
        t->port.state.attached = t->port.state.link_up = false;
        t->port.state.ifindex = 0;
        port_io_changed(&t->port);
        rcu_postpone(io_free, io);
    }
}

static void tap_remake(void *t_)
{
    struct port_tap *t = t_;
    struct error *e = tap_make(t);
    if (e) {
        port_set_error(&t->port, "%s", error_text(e));
        error_free(e);
        t->remake_ms = MIN(t->remake_ms * 2, REMAKE_MAX_MS);
        loop_timer_after_ms(&t->remake, t->remake_ms);
    }
    port_state_changed(&t->port);
}

/* Something happened to our device, or to one that may be ours. */
static void tap_refresh(struct port_tap *t)
{
    struct link_info link;
    char name[IFNAMSIZ];
    struct dp_port_state old = t->port.state;
    if (tap_name(t->io->fd, name)) {
        tap_unmake(t);
        port_set_error(&t->port, "the device was deleted");
        t->remake_ms = REMAKE_MS;
        loop_timer_after_ms(&t->remake, t->remake_ms);
    } else if (!tap_look(t, &link)) {
        note_state(t, &link);
    }
    if (memcmp(&old, &t->port.state, sizeof old)) {
        port_state_changed(&t->port);
    }
}

/* The kernel does not tell of devices that go with their namespace, but reading fails then. */
static void tap_gone(int fd, int events, void *t_)
{
    struct port_tap *t = t_;
    uint64_t count;
    (void) !read(fd, &count, sizeof count);
    if (t->io) {
        tap_refresh(t);
    }
}

static void tap_link_event(const struct link_event *event, void *t_)
{
    struct port_tap *t = t_;
    if (!t->io) {
        return;   /* The timer is on it. */
    }
    if (!event || (event->link.nsid == t->nsid && event->link.ifindex == t->port.state.ifindex) ||
        !strcmp(event->link.name, t->port.config.name)) {
        tap_refresh(t);
    }
}

/* ---- Life ---- */

static void tap_destroy(struct port *port)
{
    struct port_tap *t = tap_cast(port);
    loop_timer_cancel(&t->remake);
    link_watch_stop(&t->watch);
    if (t->io) {
        io_free(t->io);   /* At once: no worker knows the port any more, and whoever deleted it wants the device gone. */
        t->io = NULL;
    }
    loop_watch_destroy(t->gone_watch);
    close(t->gone_fd);
}

static struct error *tap_create(struct port *port)
{
    struct port_tap *t = tap_cast(port);
    t->nsid = LINK_OWN_NS;
    t->gone_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->gone_fd < 0) {
        return error_errno(errno, "port \"%s\": eventfd", port->config.name);
    }
    loop_timer_init(&t->remake, port->env.loop, tap_remake, t);
    t->gone_watch = loop_watch_create(port->env.loop, t->gone_fd, LOOP_READ, tap_gone, t);
    struct error *e = link_watch_start(&t->watch, port->env.loop, tap_link_event, t);
    e = e ? error_wrap(e, "port \"%s\"", port->config.name) : tap_make(t);
    if (e) {
        tap_destroy(port);
    }
    return e;
}

static struct error *tap_configure(struct port *port, const struct dp_port_config *new)
{
    struct port_tap *t = tap_cast(port);
    struct link_info link;
    if (!t->io || tap_look(t, &link)) {
        return NULL;   /* Applied when the device is there again. */
    }
    struct error *e = apply_config(t, new, &link);
    tap_refresh(t);
    return e;
}

static void tap_refresh_stats(const struct port *port, struct dp_port_stats *stats)
{
    struct port_tap *t = tap_cast(port);
    struct link_info link;
    if (t->io && t->nsid_known && !link_get(t->nsid, t->port.state.ifindex, &link) && link.has_stats) {
        stats->collisions = link.collisions;
        stats->multicast = link.multicast;
    }
}

/* ---- Packets ---- */

static void tap_rx(struct port *port, struct packet_pool *pool, struct packet_batch *batch)
{
    struct tap_io *io = rcu_dereference(tap_cast(port)->io);
    struct rx_slots *slots;
    if (UNLIKELY(!io) || !(slots = rx_slots_get(pool))) {
        return;
    }
    for (uint32_t i = 0; i < slots->n; i++) {
        ssize_t n = readv(io->fd, slots->iov[i], slots->messages[i].msg_hdr.msg_iovlen);
        if (n < 0) {
            if (UNLIKELY(errno == EBADFD) && !__atomic_exchange_n(&tap_cast(port)->gone, true, __ATOMIC_RELAXED)) {
                uint64_t one = 1;
                (void) !write(tap_cast(port)->gone_fd, &one, sizeof one);
            }
            break;
        }
        rx_slots_used(slots, i + 1);
        const struct vnet_header vnet = *rx_slot_vnet(slots, i);
        size_t room = rx_slot_room(slots, i) + VNET_HEADER_LEN;
        if (UNLIKELY(n < VNET_HEADER_LEN + sizeof(struct eth_header) || n >= room)) {
            /* The descriptor does not say when it cut a frame. */
            port_rx_drop(port, slots->tails[i] ? DROP_TRUNCATED : DROP_NO_BUFFER, 1);
            continue;
        }
        struct packet *p = rx_slot_take(slots, i, n - VNET_HEADER_LEN);
        if (UNLIKELY(!offload_from_vnet(&vnet, false, p))) {
            port_rx_drop(port, DROP_GSO_UNKNOWN, 1);
            packet_free(p);
            continue;
        }
        batch->p[batch->n++] = p;
    }
}

static void tap_tx(struct port *port, struct packet_pool *pool, struct packet_batch *batch, uint32_t worker)
{
    struct tap_io *io = rcu_dereference(tap_cast(port)->io);
    if (UNLIKELY(!io)) {
        for (uint32_t i = 0; i < batch->n; i++) {
            port_tx_drop(port, worker, DROP_PORT_DOWN);
        }
        return;
    }
    device_tx(port, pool, batch, worker, io->fd, __atomic_load_n(&io->mtu, __ATOMIC_RELAXED), false);
}

static size_t tap_rx_fds(const struct port *port, int *fds, size_t max)
{
    const struct tap_io *io = tap_cast(port)->io;
    if (!io) {
        return 0;
    }
    if (max) {
        fds[0] = io->fd;
    }
    return 1;
}

#define TAP_OPERATIONS                                                                           \
    .size = sizeof(struct port_tap), .create = tap_create, .destroy = tap_destroy,               \
    .configure = tap_configure, .refresh_stats = tap_refresh_stats, .rx = tap_rx, .tx = tap_tx,  \
    .rx_fds = tap_rx_fds

extern const struct port_type port_type_tap, port_type_internal;
const struct port_type port_type_tap = { .name = "tap", TAP_OPERATIONS };
const struct port_type port_type_internal = { .name = "internal", TAP_OPERATIONS };
