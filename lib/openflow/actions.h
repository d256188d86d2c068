/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow actions and instructions in our own form, whatever version they came in.
 *
 * What: a list of 'struct ofact', each followed by its own members, every one a multiple of 8 bytes long, so a list is one
 * block of memory that rules hold and translation walks. The kinds are rows of spec/actions.toml
 * (enum ofact_type is generated in spec/actions.h as OFACT_OUTPUT, ...). Instructions are kinds too and stand in the list in
 * the order in which OpenFlow runs them: meter, the actions of apply_actions themselves, clear_actions, write_actions
 * (nested), write_metadata, goto_table. ofact_rows[type].place says when an action runs in an action set.
 *
 * Nested lists (write_actions, clone, conntrack's exec) lie within their action's length. */
#ifndef LIB_OPENFLOW_ACTIONS_H
#define LIB_OPENFLOW_ACTIONS_H

#include "lib/base/buffer.h"
#include "lib/flow/match.h"
#include "lib/openflow/version.h"
#include "spec/actions.h"

struct ofact {
    uint16_t type;            /* enum ofact_type */
    uint16_t len;             /* Of the whole, a multiple of 8. */
    uint8_t raw;              /* enum ofact_raw it came in, for exact text; RAW_NONE: the first that fits. */
    uint8_t pad[3];
};

struct ofact_list {
    struct ofact *first;      /* NULL if empty. */
    uint32_t len;             /* Bytes. */
};

#define OFACT_FOR_EACH(a, list)                                                                  \
    for ((a) = (list)->first; (uintptr_t) (a) - (uintptr_t) (list)->first < (list)->len;         \
         (a) = (struct ofact *) ((char *) (a) + (a)->len))

/* Members; names are those of spec/actions.toml. */
struct ofact_output { struct ofact a; ofp_port port; uint16_t max_len; uint16_t pad; };           /* max_len: to CONTROLLER */
struct ofact_output_reg { struct ofact a; struct subfield src; uint16_t max_len; uint8_t pad[6]; };
struct ofact_output_trunc { struct ofact a; ofp_port port; uint32_t max_len; };
struct ofact_controller { struct ofact a; uint16_t max_len, controller_id; uint8_t reason; bool pause;
                          uint16_t userdata_len; uint32_t meter_id, provider; uint8_t userdata[]; };
struct ofact_enqueue { struct ofact a; ofp_port port; uint32_t queue; };
struct ofact_set_queue { struct ofact a; uint32_t queue; uint32_t pad; };                         /* pop_queue has no members. */
struct ofact_set_field { struct ofact a; const struct field *field; bool masked; uint8_t pad[7];
                         union field_value value, mask; };                                       /* set_field, reg_load, mod_* */
struct ofact_move { struct ofact a; struct subfield src, dst; };                                  /* reg_move, copy_field */
/* set_vlan_vid (0..4095), set_vlan_pcp (0..7): 'push' says that a packet without a tag gets one (OpenFlow 1.0). */
struct ofact_vlan { struct ofact a; uint16_t value; bool push; bool has_tag; uint8_t pad[4]; };   /* has_tag: for encoding */
/* set_l4_src, set_l4_dst: of TCP, UDP or SCTP, whichever the packet is; nothing for others. Host order. */
struct ofact_l4_port { struct ofact a; uint16_t port; uint8_t proto; uint8_t pad[5]; };             /* proto: for encoding */
struct ofact_push_vlan { struct ofact a; be16 tpid; uint8_t pad[6]; };
/* table 0xff: the current one; in_port OFPP_IN_PORT: the current one. */
struct ofact_resubmit { struct ofact a; ofp_port in_port; uint8_t table; bool with_ct; uint16_t pad; };
struct ofact_goto_table { struct ofact a; uint8_t table; uint8_t pad[7]; };
struct ofact_metadata { struct ofact a; be64 value, mask; };                                      /* write_metadata */
struct ofact_nested { struct ofact a; struct ofact list[]; };                                     /* write_actions, clone */
struct ofact_note { struct ofact a; uint32_t n; uint8_t data[]; };
struct ofact_tunnel { struct ofact a; uint64_t id; bool wide; uint8_t pad[7]; };                  /* set_tunnel, set_tunnel64 */
struct ofact_dec_ttl { struct ofact a; uint32_t n_ids; uint32_t pad; uint16_t ids[]; };
struct ofact_group { struct ofact a; uint32_t group_id; uint32_t pad; };
struct ofact_meter { struct ofact a; uint32_t meter_id; uint32_t pad; };
enum { LEARN_SRC_FIELD, LEARN_SRC_VALUE };                         /* src_kind; a value is right-aligned in 16 bytes */
enum { LEARN_DST_MATCH, LEARN_DST_LOAD, LEARN_DST_OUTPUT };        /* dst_kind; output has no dst */
enum { LEARN_SEND_FLOW_REM = 1, LEARN_DELETE_LEARNED = 2 };        /* flags */
struct ofact_learn_spec { struct subfield src, dst; uint16_t n_bits; uint8_t src_kind, dst_kind; uint8_t pad[4];
                          union field_value value; };
struct ofact_learn { struct ofact a; uint16_t idle_timeout, hard_timeout, priority, flags; uint64_t cookie; uint8_t table;
                     uint8_t pad; uint16_t fin_idle_timeout, fin_hard_timeout; uint16_t n_specs;
                     struct ofact_learn_spec specs[]; };

static inline struct ofact_list ofact_nested_list(const struct ofact *a)
{
    const struct ofact_nested *n = (const struct ofact_nested *) a;
    return (struct ofact_list) { (struct ofact *) n->list, (uint32_t) (a->len - sizeof *a) };
}

const char *ofact_name(enum ofact_type);

/* Member by member: lists are compared as bytes, so the padding of what lies in them is zero. */
static inline void subfield_assign(struct subfield *to, const struct subfield *from)
{
    memset(to, 0, sizeof *to);
    to->field = from->field;
    to->ofs = from->ofs;
    to->n_bits = from->n_bits;
}
static inline void ofact_learn_spec_assign(struct ofact_learn_spec *to, const struct ofact_learn_spec *from)
{
    memset(to, 0, sizeof *to);
    subfield_assign(&to->src, &from->src);
    subfield_assign(&to->dst, &from->dst);
    to->n_bits = from->n_bits;
    to->src_kind = from->src_kind;
    to->dst_kind = from->dst_kind;
    to->value = from->value;
}

/* Building: appends a zeroed action of 'size' bytes (rounded up to 8) to a buffer; the pointer is valid until the next
 * append. ofact_finish() after a variable part was appended. */
void *ofact_put(struct buffer *, enum ofact_type, size_t size);
void ofact_finish(struct buffer *, size_t begin);
static inline struct ofact_list ofact_list_of(const struct buffer *b)
{
    return (struct ofact_list) { (struct ofact *) b->data, (uint32_t) b->len };
}
bool ofact_list_equal(const struct ofact_list *, const struct ofact_list *);
/* Notes what the match promises (a VLAN tag, the transport protocol) in actions whose later encodings depend on it.
 * Decoders of flow mods and flow statistics do it. */
void ofacts_adapt(struct ofact_list *, const struct match *);

/* Wire. 'instructions': the bytes are OpenFlow 1.1+ instructions, otherwise an action list. Errors carry an enum ofp_error
 * code. 'table' and 'n_tables' check goto_table (0xff: not in a table). */
struct error *ofacts_decode(const void *, size_t n, enum ofp_version, bool instructions, struct buffer *out);
void ofacts_encode(const struct ofact_list *, enum ofp_version, bool instructions, struct buffer *out);
/* Checks against the match that they follow: prerequisites (tracking pushes and pops), ports, tables, groups that cannot be.
 * Errors carry the specification's codes. 'max_port' 0: any. */
struct error *ofacts_check(const struct ofact_list *, const struct fields *match_value, const struct fields *match_mask,
                           uint8_t table, uint8_t n_tables, enum ofp_version);
/* Does the list (or a nested one) output to 'port' or use group 'group'? For filters of statistics and deletion. */
bool ofacts_output_to(const struct ofact_list *, ofp_port);
bool ofacts_use_group(const struct ofact_list *, uint32_t group);

/* Text, as ovs-ofctl writes and reads it ("drop" for an empty list). */
void ofacts_format(const struct ofact_list *, const struct port_names *, struct text *);
struct error *ofacts_parse(const char *s, const struct port_names *, enum ofp_version preferred, bool instructions,
                           struct buffer *out);

#endif
