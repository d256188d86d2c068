/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the datapath's control thread offer each other: ports, workers, peers, requests.
 *
 * Threads: the control thread only. */
#ifndef DATAPATH_CONTROL_H
#define DATAPATH_CONTROL_H

#include "datapath/engine.h"
#include "datapath/wire.h"
#include "datapath/worker.h"

/* ---- workers.c ---- */
struct error *workers_set(struct datapath *, uint32_t n_workers, uint64_t cpu_mask);
void workers_stop(struct datapath *);
/* Waits until every worker has passed a quiescent point after all its earlier work; then nobody uses what was unpublished. */
void workers_quiesce(struct datapath *);
/* Finishes what workers handed back. */
void workers_drain_done(struct datapath *);
struct worker *worker_of_pending(struct datapath *, uint64_t pending_id);   /* NULL: gone. */
void datapath_get_stats(struct datapath *, struct dp_stats *);
void datapath_get_upcall_stats(struct datapath *, struct dp_upcall_stats *);

/* ---- port_set.c ---- */
struct port_entry {
    struct hmap_node node;         /* In dp->port_names. */
    struct port *port;
    uint32_t port_no, worker;
};
void port_set_init(struct datapath *);
void port_set_clear(struct datapath *);                                      /* Removes all ports. */
void port_set_fini(struct datapath *);                                       /* After the workers have ended. */
struct error *port_set_add(struct datapath *, const struct dp_port_config *, uint32_t *port_no);
struct error *port_set_change(struct datapath *, uint32_t port_no, const struct dp_port_config *);
struct error *port_set_del(struct datapath *, uint32_t port_no);
struct port *port_set_get(const struct datapath *, uint32_t port_no);       /* NULL: no such port. */
struct error *port_set_by_name(const struct datapath *, const char *name, struct port **);
/* The first port numbered 'port_no' or higher, or NULL. */
struct port *port_set_next(const struct datapath *, uint32_t port_no);
/* Gives every port to a worker anew. */
void port_set_assign(struct datapath *);
struct worker *port_set_worker(const struct datapath *, uint32_t port_no);  /* The receiver; worker 0 if there is none. */

/* ---- peers.c ---- */
struct peer;
struct peers *peers_create(struct datapath *);
void peers_destroy(struct peers *);
struct error *peers_listen(struct peers *, const char *path);
struct error *peers_add(struct peers *, int fd);
void peer_send(struct peer *, const struct buffer *message);
/* Becomes the control peer: gets the shared memory with 'answer'. */
struct error *peer_become_control(struct peer *, const struct buffer *answer);
void peer_set_observer(struct peer *);
bool peer_is_control(const struct peer *);
bool peer_said_hello(const struct peer *);
struct peer *peers_control(const struct peers *);                           /* NULL: none. */
/* The peer of this number, if it is still there: for answers that come later. */
struct peer *peers_find(const struct peers *, uint32_t number);
uint32_t peer_number(const struct peer *);
struct datapath *peer_datapath(const struct peer *);
/* Where the pieces of a long frame are put together. */
struct buffer *peer_frame(struct peer *);

/* ---- requests.c ---- */
void request_handle(struct peer *, const struct wire_message *);
void request_refuse(struct peer *, uint32_t xid, struct error *);           /* Takes. */

#endif
