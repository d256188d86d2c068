/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the datapath: part 1 for users (the server, workers), part 2 for those who write a port type.
 *
 * What: a port is a device by which packets come and go. Types are in one visible array, port_types[]
 * (datapath/port/types.c): adding one is a file and a line.
 *
 * Threads: the *control* thread (the datapath's server) creates, configures and destroys ports. One *worker* is assigned
 * to receive; every worker may send, so a type keeps no unlocked send state but what is in 'struct port_tx'
 * (one for each worker and port). Destroying: workers have let go of it before (RCU and worker round). */
#ifndef DATAPATH_PORT_PORT_H
#define DATAPATH_PORT_PORT_H

#include "datapath/client.h"
#include "lib/packet/packet.h"
#include "lib/sys/loop.h"

struct port;
struct port_type;

/* ---- Part 1: for users ---- */

/* Control thread. Attaches at once if the device is there, later when it appears (netlink), and tells 'changed'. */
struct port_env {
    struct loop *loop;                                       /* Of the control thread. */
    void (*changed)(struct port *, void *arg);               /* State changed; control thread. */
    /* Descriptors to be polled changed (attached, detached): the worker must pick them up. */
    void (*io_changed)(struct port *, void *arg);
    void *arg;
    bool enable_system;                                      /* --disable-system: false. */
    const char *dummy_override;                              /* --enable-dummy=override|system: NULL or the word. */
};
struct error *port_create(const struct port_env *, const struct dp_port_config *, uint32_t port_no, struct port **);
void port_destroy(struct port *);
struct error *port_configure(struct port *, const struct dp_port_config *);
const struct dp_port_config *port_config(const struct port *);
void port_get_state(const struct port *, struct dp_port_state *);
uint32_t port_number(const struct port *);
const char *port_type_names(size_t i);                       /* NULL at the end; for iface_types. */
bool port_type_exists(const char *name);

/* Worker. Receives at most BATCH_MAX packets (offload state and in_port set, tunnel metadata for carriers) from the pool.
 * Returns with n == 0 when nothing is there. Packets that cannot be received are counted under their reason. */
void port_rx(struct port *, struct packet_pool *, struct packet_batch *);
/* Sends and frees all packets of the batch. What the device cannot take (GSO, checksum, length) is completed
 * or segmented here; what fails is counted by reason. Honours packet->max_len. */
void port_tx(struct port *, struct packet_pool *, struct packet_batch *, uint32_t worker);
/* Descriptors on which to wait for packets, when the worker sleeps. Returns how many; 0: never readable (null:
 * always busy if port_is_source()). */
size_t port_rx_fds(const struct port *, int *fds, size_t max);
bool port_is_source(const struct port *);

/* Counters. Each block has one writing worker at a time (relaxed atomic stores) and is read by anyone. */
enum { PORT_MAX_WORKERS = 64 };
struct port_counters {
    uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped;    /* rx_dropped: lost by the port while it received. */
    uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;    /* tx_dropped: were to leave here and did not. */
    uint64_t made;                                           /* Packets that the port itself made (port_reinject()). */
    uint64_t socket_dropped;                                 /* Lost by the kernel before we saw them: not in rx_*. */
    /* By reason. The port counts here what it lost in port_rx() and port_tx(); the pipeline what came in by
     * this port and was dropped later. A GSO packet is one packet in every counter. */
    uint64_t drops[DROP_N];
} CACHE_ALIGNED;
/* The block of a worker, allocated on first use. Not for the worker's own receiving: that is counted by port_rx(). */
struct port_counters *port_worker_counters(struct port *, uint32_t worker);
void port_get_stats(const struct port *, struct dp_port_stats *);   /* Sums, with the device's own counters. */
/* Sums of all blocks: for the datapath's balance (MECHANISMS 9). */
void port_get_counters(const struct port *, struct port_counters *);
static inline void port_count(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* A worker keeps buffers ready for receiving, from its pool. It calls this, in its own thread, before its
 * pool is destroyed; they come again with the next port_rx(). */
void port_release_buffers(void);

/* ---- Part 2: for types ---- */

/* What every port has; a type's own struct begins with it. */
struct port {
    const struct port_type *type;
    struct port_env env;
    struct dp_port_config config;
    struct dp_port_state state;             /* Control thread writes. */
    uint32_t port_no;
    struct port_counters *rx_counters;      /* Of the worker that receives. */
    struct port_counters *counters[PORT_MAX_WORKERS];
    struct packet *pending;                 /* Received and split, to be given next: heap packets, of the receiver. */
};

struct port_type {
    const char *name;                       /* "system" */
    size_t size;                            /* Of the type's struct. */
    /* All control thread unless said otherwise; NULL: nothing to do. */
    struct error *(*create)(struct port *);
    void (*destroy)(struct port *);
    /* Refuses or takes the new configuration; port->config is replaced afterwards. */
    struct error *(*configure)(struct port *, const struct dp_port_config *new);
    void (*refresh_stats)(const struct port *, struct dp_port_stats *);
    /* Worker. Appends what is there to the (empty) batch; offload state as the device said; counts what it loses with
     * port_rx_drop(). Within an RCU read-side section. */
    void (*rx)(struct port *, struct packet_pool *, struct packet_batch *);
    /* Any worker. Sends all, counts each with port_tx_sent() or port_tx_drop(), frees none. Within an RCU read-side
     * section. */
    void (*tx)(struct port *, struct packet_pool *, struct packet_batch *, uint32_t worker);
    size_t (*rx_fds)(const struct port *, int *fds, size_t max);
    bool (*is_source)(const struct port *);
};
extern const struct port_type *const port_types[];           /* NULL at the end. */

/* Worker, from type->rx() and type->tx(). */
void port_rx_drop(struct port *, enum drop, uint64_t n);
static inline void port_tx_sent(struct port *port, uint32_t worker, uint32_t bytes)
{
    struct port_counters *c = port_worker_counters(port, worker);
    port_count(&c->tx_packets, 1);
    port_count(&c->tx_bytes, bytes);
}
void port_tx_drop(struct port *, uint32_t worker, enum drop);
/* Control thread: 'state' was changed. Notes why the port is not attached. */
void port_state_changed(struct port *);
void port_io_changed(struct port *);
void port_set_error(struct port *, const char *format, ...) PRINTF_LIKE(2, 3);

/* Control socket commands that only a type knows (dummy). */
struct error *port_dummy_receive(struct port *, const void *frame, size_t n);
struct error *port_dummy_set_admin(struct port *, bool up);
bool port_is_dummy(const struct port *);

/* Made packets go back into the pipeline as if they had come from 'port' (ICMP too-big from tunnels): types put
 * them here in port_tx(), the same thread takes them after it. Takes the packet; at most PORT_MAX_REINJECTED wait. */
enum { PORT_MAX_REINJECTED = 64 };
void port_reinject(struct port *, struct packet *, uint32_t worker);
struct packet *port_take_reinjected(uint32_t worker);        /* NULL: no more. */

#endif
