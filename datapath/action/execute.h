/* SPDX-License-Identifier: Apache-2.0 */
/* Running action lists over groups of packets.
 *
 * What: actions_run() takes packets through a list; those that leave it (output, control plane, recirculation, drop) go to the
 * sink. Every packet is accounted for: it arrives once and leaves once; copies that are made are counted as made.
 *
 * Threads: a worker's. Nothing here allocates but from the worker's pool. */
#ifndef DATAPATH_ACTION_EXECUTE_H
#define DATAPATH_ACTION_EXECUTE_H

#include "lib/flow/action.h"
#include "lib/packet/packet.h"
#include "spec/drops.h"

struct error;

struct action_sink {
    struct packet_pool *pool;
    uint64_t n_made, n_consumed;
    /* Takes the packets. */
    void (*output)(struct action_sink *, uint32_t port, struct packet **, uint32_t n);
    void (*recirc)(struct action_sink *, struct packet **, uint32_t n);
    /* Looks at the packet, which stays the caller's. */
    void (*userspace)(struct action_sink *, const struct action *, const struct packet *);
    /* Counts a drop of a packet that came by 'in_port'; the packet is freed by the caller. */
    void (*drop)(struct action_sink *, enum drop, uint32_t in_port);
};

/* Takes the 'n' <= BATCH_MAX packets, whose layer offsets are set. 'packets' is clobbered. */
void actions_run(struct action_sink *, const struct action_list *, struct packet **packets, uint32_t n);

/* Does it ask only for what actions_run() can do? Lists from outside are checked once by this. */
struct error *actions_check(const struct action_list *);

#endif
