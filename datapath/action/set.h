/* SPDX-License-Identifier: Apache-2.0 */
/* Rewriting header fields of packets, keeping checksums right: complete ones by RFC 1624, partial ones (bare pseudo-header
 * sums) by what the pseudo-header covers. */
#ifndef DATAPATH_ACTION_SET_H
#define DATAPATH_ACTION_SET_H

#include "lib/flow/action.h"

struct error;
struct packet;

/* False if a header that is to be written is not there; some fields may have been written then. */
bool packet_set(struct packet *, enum key_block, const struct action_set *);
/* EOPNOTSUPP for bits that packet_set() cannot write. */
struct error *packet_set_check(enum key_block, const struct action_set *);

/* Hash of addresses, protocol and ports for ACTION_HASH; 'symmetric': the same in both directions. */
uint32_t packet_flow_hash(const struct packet *, uint32_t basis, bool symmetric);

#endif
