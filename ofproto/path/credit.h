/* SPDX-License-Identifier: Apache-2.0 */
/* Credits: what of a translation's effects is repeated while its flow is used (MECHANISMS 6).
 *
 * What: a flow's counters stand for packets that met rules, tables, ports and MAC entries without translation. The sweeper
 * credits what they gained. Everything a credit points to is counted or lives as long as its bridge, whose flows are
 * forgotten (path_forget_bridge()) before it goes.
 *
 * Threads: made within the RCU section of the translation; used and freed under the index lock. */
#ifndef OFPROTO_PATH_CREDIT_H
#define OFPROTO_PATH_CREDIT_H

#include "ofproto/xlate/xlate.h"

/* A learn effect that outlives its translation. */
struct learn_request {
    uint16_t bridge_id;
    struct ofp_flow_mod fm;            /* fm.actions point into 'actions'. */
    struct buffer actions;
};

struct credit {
    enum effect_kind kind;             /* Not EFFECT_PACKET_IN. */
    union {
        struct rule *rule;             /* Counted. */
        struct { struct tables *tables; uint8_t table; bool matched; } table;
        struct { struct mac_table *macs; uint16_t vlan; struct eth_addr mac; ofp_port port; } mac;
        struct port_credit *port;      /* Counted. */
        struct learn_request *learn;   /* Owned. */
    };
};

struct credits {
    struct credit *list;
    size_t n;
};

void credits_from_effects(struct credits *, const struct xlate_out *);
void credits_fini(struct credits *);
/* 'learn' is called for learn effects. */
void credits_apply(const struct credits *, uint64_t packets, uint64_t bytes, int64_t used_ms,
                   void (*learn)(const struct learn_request *, void *arg), void *arg);

struct learn_request *learn_request_from_effect(const struct effect *);
struct learn_request *learn_request_clone(const struct learn_request *);
void learn_request_free(struct learn_request *);

#endif
