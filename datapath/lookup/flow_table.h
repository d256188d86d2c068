/* SPDX-License-Identifier: Apache-2.0 */
/* All flows: for each guard (ingress port, tunnel id, outer VLAN) a short list of masks, for each mask a hash table.
 *
 * What: a packet is compared with the masks of its own guard only, of which there are at most GUARD_MAX_MASKS, so the
 * probes for a packet are bounded whatever other tenants do (MECHANISMS 7). Guards' masks are sorted by hits. Hash tables are
 * shared by guards with the same mask. Flows must be disjoint: any match is the right one.
 *
 * Threads: one writer (the control thread); workers look up within RCU sections. */
#ifndef DATAPATH_LOOKUP_FLOW_TABLE_H
#define DATAPATH_LOOKUP_FLOW_TABLE_H

#include "datapath/lookup/flow.h"
#include "lib/packet/packet.h"

enum { GUARD_MAX_MASKS = 16, FLOW_TABLE_MAX_MASKS = 65536, GUARD_MIN_FLOWS = 64 };

struct error;
struct flow_table;

struct flow_guard_key {
    uint32_t in_port;        /* Host order. */
    uint32_t vlan;           /* VLAN_CFI and VID of the outer tag, wire order. */
    be64 tunnel_id;
};

static inline struct flow_guard_key flow_guard_key(const struct key *key)
{
    return (struct flow_guard_key) { key->meta.in_port, key->l2.vlan[0].tci & htobe16(0x1fff), key->tunnel.id };
}
static inline bool flow_guard_key_equal(const struct flow_guard_key *a, const struct flow_guard_key *b)
{
    return a->in_port == b->in_port && a->vlan == b->vlan && a->tunnel_id == b->tunnel_id;
}
uint32_t flow_guard_key_hash(const struct flow_guard_key *);

struct flow_table *flow_table_create(uint32_t limit);
/* No readers are left. */
void flow_table_destroy(struct flow_table *);
void flow_table_set_limit(struct flow_table *, uint32_t limit);
uint32_t flow_table_n_flows(const struct flow_table *);
uint32_t flow_table_n_masks(const struct flow_table *);

/* Inserts a flow. The mask is exact on in_port, tunnel id and outer VLAN. Errors: EINVAL if it is not; EEXIST for a
 * flow of the same mask and masked key; ENOSPC beyond the limit, the guard's share of it or its masks. */
struct error *flow_table_insert(struct flow_table *, const struct key *, const struct mask *, void *actions,
                                void *counters, struct flow **);
void flow_table_remove(struct flow_table *, struct flow *);
/* Publishes other actions; returns the old ones, which workers may use for a grace period. */
void *flow_set_actions(struct flow *, void *actions);
const struct mask *flow_mask(const struct flow *);
void flow_key(const struct flow *, struct key *);

/* Starts the grace period of removed flows' memory, and sorts guards' masks by hits: once a second. */
void flow_table_tick(struct flow_table *);

/* Looks up those keys of 'todo' (bit N: keys[N]); returns the bits of those that were found. 'n_probes' is increased by the
 * number of (key, mask) pairs tried. RCU read side. */
uint32_t flow_table_lookup(const struct flow_table *, const struct key *keys, uint32_t todo, struct flow **found,
                           uint64_t *n_probes);

#endif
