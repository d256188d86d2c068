/* SPDX-License-Identifier: Apache-2.0 */
/* Mask families: the bound on masks that makes every lookup cheap whatever rules and packets come (MECHANISMS 7).
 *
 * What: for each guard (ingress port, tunnel id, outer VLAN) at most FAMILY_MAX masks. The mask of a translation is replaced by a
 * member that contains it: itself while there are few, then a join with the nearest, at last one member that holds all bits that
 * the tables can consult. Un-wildcarding more bits is always correct. A member leaves with its last flow.
 *
 * Threads: under the index lock. */
#ifndef OFPROTO_PATH_FAMILY_H
#define OFPROTO_PATH_FAMILY_H

#include "lib/base/hmap.h"
#include "lib/flow/key.h"

enum { FAMILY_MAX = 16, FAMILY_EXACT = 12 };

struct family_member {
    struct mask mask;
    struct family *family;
    uint32_t n_flows;
    bool is_last;             /* Holds everything that can be consulted. */
};

struct family_guard {
    uint32_t in_port;
    be64 tunnel_id;
    be16 vlan;                /* With VLAN_CFI; 0: untagged. */
};

struct family {
    struct hmap_node node;
    struct family_guard guard;
    struct family_member *members[FAMILY_MAX];
    uint32_t n;
    uint32_t n_flows;
};

struct families {
    struct hmap map;
    uint32_t n_members;
};

void families_init(struct families *);
void families_fini(struct families *);
/* The member to be used for a flow with 'key' whose translation consulted 'needed'; counted for one flow. 'all_bits' is the
 * union of all that can be consulted. Guard bits are part of every member. NULL: the family is full of members that do not
 * contain it (the tables grew since); the caller forwards without caching. */
struct family_member *families_choose(struct families *, const struct key *key, const struct mask *needed,
                                      const struct mask *all_bits);
/* For flows that were found in the datapath with 'mask'. NULL as above. */
struct family_member *families_adopt(struct families *, const struct key *key, const struct mask *mask);
void families_release(struct families *, struct family_member *);

#endif
