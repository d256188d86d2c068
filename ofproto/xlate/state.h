/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one translation, for the files of ofproto/xlate.
 *
 * What: four views of the packet are kept apart, bit by bit.
 *   now.f      the fields as the pipeline sees them
 *   now.fixed  bits of now.f that actions have set: they are the same for every packet that takes this path
 *   base       the packet as the datapath has it after the actions emitted so far, and base_fixed likewise
 *   wc         bits of the packet *as it came in* that were looked at
 * Looking at a fixed bit looks at nothing of the packet, and setting one neither. A header is written when an output
 * needs it (commit.c): what was set is emitted once, whatever other packets of the flow have there. A bit that an inner
 * list (patch port, clone) had written and that has to be the packet's own again is looked at then.
 * VLAN tags are a stack of their own, of which now.f shows the outer two; whatever moves or changes a tag has looked at
 * it whole. */
#ifndef OFPROTO_XLATE_STATE_H
#define OFPROTO_XLATE_STATE_H

#include "lib/base/buffer.h"
#include "lib/packet/headers.h"
#include "ofproto/xlate/trace.h"
#include "ofproto/xlate/xlate.h"

#define OFPP_UNSET UINT32_C(0xfffffff7)

enum { MAX_TAGS = 4, MAX_ACTION_SET = 65536 };

struct tags {
    struct key_vlan tag[MAX_TAGS];   /* [0] is the outer one; those behind 'n' are zero. */
    uint8_t n;
};

struct packet_state {
    struct fields f, fixed;
    struct tags tags;                /* f.key.l2.vlan shows the first two. */
};

struct xlate_state {
    const struct xlate_in *in;
    struct xlate_out *out;
    struct packet_state now;
    struct key base, base_fixed;
    struct tags base_tags;
    struct tunnel_key base_tunnel;   /* The last set tunnel, if any. */
    bool has_base_tunnel;
    struct fields wc;

    const struct view_bridge *bridge;
    const struct view_port *port;    /* That the packet came in by; NULL: none of the bridge's. */
    const struct rule *rule;         /* Whose actions run; NULL: a packet-out's. */
    uint8_t table_id;
    struct buffer action_set;
    bool in_action_set;
    uint32_t truncate;               /* Of the next outputs; 0: whole. */
    int depth, n_resubmits;
    int note_depth;                  /* Of the trace. */
    bool exit;                       /* Nothing more is done, up to the bridge's entrance. */
    bool failed;                     /* The packet is dropped whatever was done. */
    bool has_drop;
    enum drop drop;                  /* The first reason met why something was not sent. */
};

/* ---- state.c: looking and changing ---- */
void xl_look(struct xlate_state *, const struct fields *bits);
void xl_look_at(struct xlate_state *, size_t ofs, size_t n);       /* Bytes of struct fields. */
void xl_look_field(struct xlate_state *, const struct field *, const union field_value *mask);
/* Do the field's prerequisites hold? Looks at what says so. */
bool xl_has_field(struct xlate_state *, const struct field *);
bool xl_is_ip(const struct xlate_state *);
void xl_set_field(struct xlate_state *, const struct field *, const union field_value *, const union field_value *mask);
void xl_set_subfield(struct xlate_state *, const struct subfield *, const union field_value *);   /* From 16 bytes. */
void xl_fix(struct xlate_state *, size_t ofs, size_t n);           /* Bytes of now.f have been set. */
#define XL_LOOK(s, member) xl_look_at(s, offsetof(struct fields, member), sizeof(((struct fields *) 0)->member))
#define XL_FIX(s, member) xl_fix(s, offsetof(struct fields, member), sizeof(((struct fields *) 0)->member))

/* Tags. Each looks at what it moves or changes. */
void xl_tags_of(const struct key *, struct tags *);
void xl_set_tags(struct xlate_state *, const struct tags *);
void xl_look_tag(struct xlate_state *, int i);                     /* The incoming packet's tag 'i'. */
bool xl_push_tag(struct xlate_state *, be16 tpid, be16 tci);       /* False: too many, the packet is dropped. */
void xl_pop_tag(struct xlate_state *);

/* Remembers why something was not sent, if nothing else was before. */
void xl_drop(struct xlate_state *, enum drop);
/* Gives up: the packet is dropped. */
void xl_fail(struct xlate_state *, enum drop);
struct effect *xl_effect(struct xlate_state *, enum effect_kind);
void xl_note(struct xlate_state *, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- commit.c ---- */
/* Emits what makes the datapath's packet be 'now'. */
void xl_commit(struct xlate_state *);

/* ---- output.c ---- */
void xl_output(struct xlate_state *, ofp_port, uint16_t max_len);
void xl_output_port(struct xlate_state *, const struct view_port *);
struct xl_packet_in { uint16_t max_len, controller_id; uint8_t reason; const uint8_t *userdata; uint16_t userdata_len; };
void xl_packet_in(struct xlate_state *, const struct xl_packet_in *);

/* ---- normal.c ---- */
void xl_normal(struct xlate_state *);

/* ---- perform.c ---- */
/* Looks up 'table' with in_port 'in_port' and runs what it finds, and the tables it goes to. 'miss' says that a miss is
 * a table miss. */
void xl_run_table(struct xlate_state *, uint8_t table, ofp_port in_port, bool miss);
/* Runs a list; returns the table to go to, or -1. */
int xl_perform(struct xlate_state *, const struct ofact_list *);

/* ---- action_set.c ---- */
void xl_action_set_add(struct xlate_state *, const struct ofact_list *);
void xl_action_set_clear(struct xlate_state *);
void xl_action_set_run(struct xlate_state *);

/* ---- learn.c ---- */
void xl_learn(struct xlate_state *, const struct ofact_learn *);

#endif
