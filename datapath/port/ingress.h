/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the host's stack from also processing what a packet socket has taken: a two-instruction program at the
 * device's tc ingress drops the original after packet sockets have seen it (MECHANISMS 1).
 *
 * It goes away with the process: tcx (Linux 6.6) hangs on a link descriptor. On older kernels it is a cls_bpf filter in
 * clsact that is removed on detach; one left by a process that was killed is removed by the next to start.
 *
 * Threads: control thread. Wrappers return 0 or a positive errno. */
#ifndef DATAPATH_PORT_INGRESS_H
#define DATAPATH_PORT_INGRESS_H

#include "lib/base/types.h"

struct ingress_drop {
    int link_fd;               /* tcx; -1: none. */
    uint32_t clsact_ifindex;   /* 0: none. */
    bool made_clsact;
};

#define INGRESS_DROP_INIT { -1, 0, false }

/* 'tcx' false: only the older way (for tests). */
int ingress_drop_attach(struct ingress_drop *, uint32_t ifindex, bool tcx);
void ingress_drop_detach(struct ingress_drop *);

/* Removes filters whose process is gone, from all devices of our namespace; returns how many. */
unsigned ingress_drop_remove_stale(void);

#endif
