/* SPDX-License-Identifier: Apache-2.0 */
/* What the parsers and printers of actions share. Not for other rooms. */
#ifndef LIB_OPENFLOW_OFACT_TEXT_H
#define LIB_OPENFLOW_OFACT_TEXT_H

#include "lib/openflow/actions.h"

/* A nested list, or one action, is no longer: its length has 16 bits. */
enum { OFACT_MAX_LIST = 0xfff0 };

struct ofact_parser {
    const struct port_names *names;
    struct buffer *out;
    enum ofp_version version;
    int depth;                     /* Of nesting. */
};

const char *ofp_packet_in_reason_name(uint8_t reason);   /* NULL if unknown. */

/* ---- Pieces ---- */
/* "action NAME: "VALUE" is not RIGHT" */
struct error *ofact_text_bad(const char *action, const char *value, const char *right) MUST_CHECK;
struct error *ofact_parse_number(const char *action, const char *s, uint64_t max, uint64_t *out) MUST_CHECK;
/* A number of up to 128 bits, right-aligned in 16 bytes; and are its bits from 'n_bits' on zero? */
bool ofact_parse_wide(const char *s, uint8_t out[16]);
bool ofact_fits_bits(const uint8_t value[16], unsigned n_bits);
/* Bytes in hex with or without dots between them; SIZE_MAX if they are not, or more than 'max'. */
size_t ofact_parse_dotted_hex(const char *s, uint8_t *out, size_t max);
/* "A->B": cuts the string after A. */
struct error *ofact_cut_arrow(const char *action, char *s, char **dst) MUST_CHECK;
struct error *ofact_check_writable(const char *action, const struct field *) MUST_CHECK;
bool ofact_mask_is_whole(const struct field *, const union field_value *mask);

/* ---- Actions: each appends to the parser's list; 'arg' may be changed, 'form' is what stood before it, '(' or ':' ---- */
struct error *ofact_parse_load(struct ofact_parser *, char *arg) MUST_CHECK;
struct error *ofact_parse_set_field(struct ofact_parser *, char *arg) MUST_CHECK;
struct error *ofact_parse_mod(struct ofact_parser *, const char *action, const char *arg, enum field_id,
                              enum ofact_raw) MUST_CHECK;
struct error *ofact_parse_vlan(struct ofact_parser *, const char *action, const char *arg, enum ofact_type, bool push) MUST_CHECK;
struct error *ofact_parse_l4(struct ofact_parser *, const char *action, const char *arg, enum ofact_type) MUST_CHECK;
struct error *ofact_parse_move(struct ofact_parser *, char *arg) MUST_CHECK;
struct error *ofact_parse_output(struct ofact_parser *, char *arg, char form) MUST_CHECK;
struct error *ofact_parse_controller(struct ofact_parser *, char *arg, char form) MUST_CHECK;
struct error *ofact_parse_enqueue(struct ofact_parser *, char *arg) MUST_CHECK;
struct error *ofact_parse_resubmit(struct ofact_parser *, char *arg, char form) MUST_CHECK;
struct error *ofact_parse_learn(struct ofact_parser *, char *arg) MUST_CHECK;
void ofact_put_output(struct ofact_parser *, ofp_port, unsigned max_len);

#endif
