/* SPDX-License-Identifier: Apache-2.0 */
/* MAC learning of one bridge: (VLAN, address) -> bundle, with ageing, a bound, moves and static entries.
 *
 * Threads: has its own lock; handlers learn directly, translation looks up, the main thread expires. A lookup or a miss is a
 * dependency (mac_dep()); whatever changes the answer makes a change under that dependency. */
#ifndef OFPROTO_TABLE_MAC_TABLE_H
#define OFPROTO_TABLE_MAC_TABLE_H

#include "ofproto/table/change.h"

struct mac_table;
struct text;

enum { MAC_DEFAULT_IDLE_S = 300, MAC_DEFAULT_MAX = 8192 };
enum mac_learn_result { MAC_NEW, MAC_MOVED, MAC_REFRESHED, MAC_REFUSED };

struct mac_entry {
    struct eth_addr mac;
    uint16_t vlan;
    ofp_port port;           /* OpenFlow port it was seen on (its bundle is the port's). */
    bool is_static;
    int64_t seen_ms;         /* Of clock_ms(). */
};

struct mac_table *mac_table_create(struct changes *, uint16_t bridge_id);
void mac_table_destroy(struct mac_table *);
void mac_table_configure(struct mac_table *, unsigned idle_s, unsigned max);
dep_t mac_dep(const struct mac_table *, uint16_t vlan, struct eth_addr);
bool mac_lookup(const struct mac_table *, uint16_t vlan, struct eth_addr, struct mac_entry *);
/* Would learning (vlan, mac) on 'port' change anything now? The pure question for translation. */
bool mac_would_change(const struct mac_table *, uint16_t vlan, struct eth_addr, ofp_port port, bool gratuitous_arp);
/* Learns or refreshes. At the bound the oldest entry of the port with most entries makes room. */
enum mac_learn_result mac_learn(struct mac_table *, uint16_t vlan, struct eth_addr, ofp_port port, bool gratuitous_arp);
/* The entry is in use: seen now, if it still is on 'port'. Changes nothing else, so it makes no change. */
void mac_refresh(struct mac_table *, uint16_t vlan, struct eth_addr, ofp_port port);
bool mac_add_static(struct mac_table *, uint16_t vlan, struct eth_addr, ofp_port port);   /* False: table full. */
bool mac_delete(struct mac_table *, uint16_t vlan, struct eth_addr);
void mac_flush(struct mac_table *, bool statics_too);
void mac_flush_port(struct mac_table *, ofp_port port);
void mac_expire(struct mac_table *);   /* Once a second. */
/* Sorted by VLAN, MAC. */
void mac_for_each(const struct mac_table *, void (*each)(const struct mac_entry *, void *arg), void *arg);
struct mac_stats { uint64_t learned, expired, evicted, moved; size_t current, statics, max; };
void mac_get_stats(const struct mac_table *, struct mac_stats *);

#endif
