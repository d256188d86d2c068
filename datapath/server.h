/* SPDX-License-Identifier: Apache-2.0 */
/* The packet engine as a whole: its control thread, its workers, and the sockets on which control planes come.
 *
 * What: 'struct datapath' owns ports, flows and every packet. It decides nothing: requests of the one control peer
 * (datapath/wire.h) change it, and it goes on forwarding for ever when that peer goes away. Packets that miss wait within their
 * bound and are announced again to the next peer. Further peers may look ("observers") but not touch.
 *
 * Use:   datapath_create(&options, &dp); datapath_listen(dp, path);             tsuji-datapathd
 *        datapath_create(&options, &dp); datapath_serve_fd(dp, fds[0]);         one process; fds[1] is the client's
 *
 * Threads: any one thread creates and destroys; a control thread and the workers are its own. */
#ifndef DATAPATH_SERVER_H
#define DATAPATH_SERVER_H

#include <sys/types.h>

#include "lib/base/types.h"

struct datapath;
struct error;

struct datapath_options {
    bool enable_system;            /* "system" ports may be made. */
    const char *dummy_override;    /* NULL, "override" or "system": port types that become dummies (datapath/port). Lives on. */
    uint32_t n_workers;            /* Until configured otherwise; 0: 1. */
    uint32_t upcall_rate;          /* Misses a second of one guard (port, tunnel id, VLAN) and worker; 0: 200,000. */
    uint32_t upcall_burst;         /* 0: 16,384. */
    uid_t peer_uid;                /* Besides root and our own, who may be the peer; (uid_t) -1: nobody. */
};
void datapath_options_init(struct datapath_options *);
/* Names of the capabilities that a datapath with these options needs, for process_drop_privileges(). */
const char *const *datapath_capabilities(const struct datapath_options *);

struct error *datapath_create(const struct datapath_options *, struct datapath **);
/* Stops workers, drops what waits, removes ports. */
void datapath_destroy(struct datapath *);
/* Takes one end of a channel_pair(), whose other end is given to dp_client_from_fd(). */
struct error *datapath_serve_fd(struct datapath *, int fd);
/* Listens on 'path'. A peer must be root, our own user or options.peer_uid. A new control peer replaces one whose process
 * is gone; while the old one lives it is refused. */
struct error *datapath_listen(struct datapath *, const char *path);

#endif
