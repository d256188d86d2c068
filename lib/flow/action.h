/* SPDX-License-Identifier: Apache-2.0 */
/* Datapath actions: what translation decided and the packet engine does.
 *
 * What: a list of fixed structs, built by ofproto, sent over the channel by number (spec/actions.toml,
 * [datapath]), and decoded once when the flow is put. Nested lists (clone) follow their header in the same
 * array: 'n_nested' counts the entries that belong to it. */
#ifndef LIB_FLOW_ACTION_H
#define LIB_FLOW_ACTION_H

#include "lib/base/types.h"
#include "lib/flow/key.h"

enum action_type {
    ACTION_OUTPUT = 1,       /* To a datapath port; the packet goes on. */
    ACTION_USERSPACE,        /* To the control plane, with a reason and a cookie. */
    ACTION_SET_MASKED,       /* Header fields of one block; checksums are maintained. */
    ACTION_PUSH_VLAN,
    ACTION_POP_VLAN,
    ACTION_SET_TUNNEL,       /* Tunnel metadata for following outputs to tunnel carriers. */
    ACTION_TRUNCATE,         /* The next output sends at most so many bytes. */
    ACTION_CLONE,            /* Runs the nested list on a copy. */
    ACTION_DROP,             /* Counts the packet under a reason; always the last. */
    ACTION_SET_META,         /* mark, priority. */
    ACTION_RECIRC,           /* Look up again with this recirc_id. */
    ACTION_HASH,             /* dp_hash of the 5-tuple, symmetric as asked. */
};

/* Why a packet goes to the control plane. */
enum upcall_reason { UPCALL_MISS, UPCALL_ACTION, UPCALL_CONTROLLER, UPCALL_PROTOCOL, UPCALL_SAMPLE };

struct action {
    uint16_t type;           /* enum action_type */
    uint16_t n_nested;       /* ACTION_CLONE: how many of the following entries are inside. */
    union {
        uint32_t port;                                        /* OUTPUT */
        struct { uint32_t reason, max_len; uint64_t cookie; } userspace;
        struct { uint16_t block; uint32_t index; } set;       /* SET_MASKED: index into action_list.sets */
        struct { be16 tpid, tci; } vlan;                      /* PUSH_VLAN; tci with VLAN_CFI */
        uint32_t index;                                       /* SET_TUNNEL: index into action_list.tunnels */
        uint32_t max_len;                                     /* TRUNCATE */
        uint32_t reason;                                      /* DROP: enum drop */
        struct { uint32_t mark, mark_mask, priority; bool set_priority; } meta;
        uint32_t recirc_id;
        struct { uint32_t basis; uint8_t alg; } hash;
    };
};

/* Value and mask of one key block (KEY_L2, KEY_L3, KEY_L4). */
struct action_set {
    uint64_t value[KEY_BLOCK_WORDS];
    uint64_t mask[KEY_BLOCK_WORDS];
};

struct action_list {
    struct action *actions;
    uint32_t n, allocated;
    struct action_set *sets;
    uint32_t n_sets, allocated_sets;
    struct tunnel_key *tunnels;
    uint32_t n_tunnels, allocated_tunnels;
};

void action_list_init(struct action_list *);
void action_list_fini(struct action_list *);
void action_list_clear(struct action_list *);
void action_list_clone(struct action_list *to, const struct action_list *from);
bool action_list_equal(const struct action_list *, const struct action_list *);

void action_put_output(struct action_list *, uint32_t port);
void action_put_userspace(struct action_list *, enum upcall_reason, uint32_t max_len, uint64_t cookie);
/* 'block' is KEY_L2, KEY_L3 or KEY_L4; 'value' and 'mask' are that block of a key (64 bytes). VLANs are not set this
 * way, but popped and pushed. */
void action_put_set(struct action_list *, enum key_block, const void *value, const void *mask);
void action_put_push_vlan(struct action_list *, be16 tpid, be16 tci);
void action_put_pop_vlan(struct action_list *);
void action_put_tunnel(struct action_list *, const struct tunnel_key *);
void action_put_truncate(struct action_list *, uint32_t max_len);
void action_put_drop(struct action_list *, uint32_t reason);
void action_put_meta(struct action_list *, uint32_t mark, uint32_t mark_mask, bool set_priority, uint32_t priority);
void action_put_recirc(struct action_list *, uint32_t recirc_id);
void action_put_hash(struct action_list *, uint32_t basis, uint8_t alg);
uint32_t action_begin_clone(struct action_list *);              /* Returns where it began, for ... */
void action_end_clone(struct action_list *, uint32_t begin);
/* Checks nesting, indexes, lengths and ranges of a list that came from outside. */
struct error *action_list_check(const struct action_list *);

/* Text as ovs-dpctl(8) documents it: "set(tunnel(...)),2", "drop". 'port_name' may be NULL. */
struct text;
typedef const char *port_name_fn(uint32_t dp_port, void *arg);
void action_list_format(const struct action_list *, port_name_fn *, void *arg, struct text *);
/* The same for the actions of a flow with this key, so that ports are shown as those of TCP or UDP. */
void action_list_format_for(const struct action_list *, const struct key *, port_name_fn *, void *arg, struct text *);
/* The key and mask of a datapath flow in the same manual's syntax: "recirc_id(0),in_port(1),eth(src=...),...". */
void key_format(const struct key *, const struct mask *, port_name_fn *, void *arg, struct text *);
/* Parses that syntax (for netdev-dummy/receive, packet building, tests); a missing mask is all ones. */
struct error *key_parse(const char *s, struct key *, struct mask *);

#endif
