/* SPDX-License-Identifier: Apache-2.0 */
/* Translation: from a packet's key and the published state to datapath actions. A pure function.
 *
 * What: xlate() walks bridges, tables and actions as OpenFlow says, un-wildcarding what it looks at, and returns as
 * data: the datapath actions, the mask, the dependencies, and the *effects* that are to be applied (once) or credited
 * (while the flow is used). It changes nothing. The upcall path, packet-outs, ofproto/trace, audits and unit tests run
 * this one function: what trace says is what happens.
 *
 * Sending to controllers: OUTPUT:CONTROLLER becomes ACTION_USERSPACE with reason UPCALL_CONTROLLER and as cookie the
 * ordinal of its 'struct effect_packet_in'. When such an upcall arrives (with the key as it was looked up and the frame
 * as modified so far) its handler translates the key again and finds the packet-in by that ordinal.
 *
 * Threads: any registered thread, within an RCU read-side section that outlives the use of the result's pointers into
 * the view. */
#ifndef OFPROTO_XLATE_XLATE_H
#define OFPROTO_XLATE_XLATE_H

#include "lib/flow/action.h"
#include "ofproto/table/view.h"

enum { XLATE_MAX_DEPTH = 64, XLATE_MAX_RESUBMITS = 4096, XLATE_MAX_ACTIONS = 2048 };

struct xlate_in {
    const struct view *view;
    uint64_t version;              /* Of changes_version(), read before 'view'. */
    const struct key *key;         /* As extracted; meta.in_port is the datapath port. */
    /* For packet-outs and trace: begin here instead of at the datapath port; 'of_in_port' may be OFPP_CONTROLLER,
     * OFPP_LOCAL, ... */
    const struct view_bridge *bridge;    /* NULL: by the key. */
    ofp_port of_in_port;
    const struct fields *fields;         /* Initial pipeline fields (metadata, registers); NULL: zero. */
    const struct ofact_list *actions;    /* Run these instead of table 0 (packet-out); NULL: tables. */
    struct trace *trace;                 /* Notes every table, rule and action; NULL: none. (ofproto/xlate/trace.h) */
};

enum effect_kind { EFFECT_RULE, EFFECT_TABLE, EFFECT_MAC, EFFECT_PORT_RX, EFFECT_PORT_TX, EFFECT_PACKET_IN, EFFECT_LEARN };

struct effect_packet_in {
    const struct view_bridge *bridge;
    uint8_t table_id, reason;      /* OFPR_* */
    bool is_miss_rule;             /* 'reason' NO_MATCH for a table-miss rule; OpenFlow 1.0 to 1.2 call that ACTION. */
    uint16_t max_len, controller_id;
    be64 cookie;
    struct match metadata;         /* in_port, tunnel, metadata, registers at that point. */
    uint8_t *userdata;
    uint16_t userdata_len;
};

struct effect {
    enum effect_kind kind;
    union {
        struct rule *rule;   /* Credit: packets, bytes, used. Not counted. */
        struct { const struct view_bridge *bridge; uint8_t table; bool matched; } table;  /* Credit. */
        /* Once, and refresh while used. */
        struct { const struct view_bridge *bridge; uint16_t vlan; struct eth_addr mac; ofp_port port; bool garp; } mac;
        struct port_credit *port;                                                  /* Credit rx or tx. */
        struct effect_packet_in packet_in;
        /* Once, and refresh while used. */
        struct { const struct view_bridge *bridge; struct ofp_flow_mod fm; struct buffer actions; } learn;
    };
};

struct xlate_out {
    struct action_list actions;    /* Ends with ACTION_DROP and the reason if nothing is sent anywhere. */
    struct mask mask;              /* Sealed; exact for in_port and what the packet's layers need. */
    enum drop drop;                /* DROP_N: not dropped. */
    struct dep_set deps;           /* Sealed. */
    struct effect *effects;
    size_t n_effects, allocated_effects;
    uint64_t version;
    uint32_t n_packet_ins;
    struct fields final;           /* For trace: the packet's fields at the end. */
    const struct view_bridge *ingress_bridge;   /* NULL: none. */
    struct view_port *ingress_port;
};

void xlate_out_init(struct xlate_out *);
void xlate_out_clear(struct xlate_out *);   /* For the next translation, keeping memory. */
void xlate_out_fini(struct xlate_out *);
void xlate(const struct xlate_in *, struct xlate_out *);

/* Are the same things done? (actions and effects to be credited; not version and dependencies.) */
bool xlate_out_same_actions(const struct xlate_out *, const struct action_list *);

#endif
