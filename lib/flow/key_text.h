/* SPDX-License-Identifier: Apache-2.0 */
/* The members of keys by their names in the text of datapath flows, for printing and parsing alike. */
#ifndef LIB_FLOW_KEY_TEXT_H
#define LIB_FLOW_KEY_TEXT_H

#include "lib/flow/action.h"
#include "lib/flow/key.h"

/* How a member is written. */
enum key_form {
    KEY_FORM_U8, KEY_FORM_U8_HEX, KEY_FORM_U16, KEY_FORM_U16_HEX, KEY_FORM_U32_HEX, KEY_FORM_U64_HEX, KEY_FORM_HOST16_HEX,
    KEY_FORM_HOST32, KEY_FORM_HOST32_HEX, KEY_FORM_WIDE_HEX, KEY_FORM_MAC, KEY_FORM_IP4, KEY_FORM_IP6, KEY_FORM_PORT,
    KEY_FORM_FRAG, KEY_FORM_TCP_FLAGS, KEY_FORM_CT_STATE, KEY_FORM_TUNNEL_FLAGS, KEY_FORM_BITS, KEY_FORM_TYPE,
};

/* For which packets a group is shown. */
enum key_when {
    KEY_ALWAYS, KEY_IF_IP4, KEY_IF_IP6, KEY_IF_ARP, KEY_IF_MPLS, KEY_IF_TCP, KEY_IF_UDP, KEY_IF_SCTP, KEY_IF_ICMP,
    KEY_IF_ICMP6, KEY_IF_ND, KEY_IF_OTHER_L4,
};

struct key_text_row {
    const char *group;           /* "ipv4" */
    const char *name;            /* "src"; NULL: the group is the value itself, as in recirc_id(0). */
    enum key_form form;
    enum key_when when;
    uint16_t ofs;                /* In struct key. */
    uint8_t shift, n_bits;       /* KEY_FORM_BITS: of a 32-bit integer in wire order. */
};

struct flag_names;
extern const struct key_text_row key_text_rows[];
extern const uint32_t key_text_n_rows;
extern const struct flag_names key_text_tunnel_flags;   /* enum tunnel_flag */

struct text;

uint32_t key_text_row_size(const struct key_text_row *);   /* Bytes in struct key. */

/* Shows the groups of the members of one block, as they stand in a set() action: "eth(src=...)". */
void key_text_format_block(enum key_block, const struct key *, const struct mask *, struct text *);
void key_text_format_tunnel(const struct tunnel_key *, struct text *);   /* "tunnel(...)" */

#endif
