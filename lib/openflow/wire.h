/* SPDX-License-Identifier: Apache-2.0 */
/* What the codec's files share: look-up in the generated tables, ports, matches, properties. Not for other rooms. */
#ifndef LIB_OPENFLOW_WIRE_H
#define LIB_OPENFLOW_WIRE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/flow/match.h"
#include "lib/openflow/message.h"

enum { OFP_VENDOR_NX = 0x2320, OFP_VENDOR_ONF = 0x4f4e4600 };

/* Versions that the codec can read and write. */
static inline bool ofp_version_is_known(unsigned v) { return v <= OFP15 && OFP_SUPPORTED & OFP_BIT(v); }

/* ---- Ports ---- */
static inline ofp_port ofp_port_from_10(uint16_t p) { return p >= 0xff00 ? UINT32_C(0xffff0000) | p : p; }
static inline uint16_t ofp_port_to_10(ofp_port p) { return p >= OFPP_MAX || p <= OFPP_LAST_USABLE ? p & 0xffff : 0xffff; }
/* Reads 2 or 4 bytes. OFPERR_OFPBAC_BAD_OUT_PORT for numbers that no port can have. */
struct error *ofp_pull_port(struct reader *, enum ofp_version, ofp_port *) MUST_CHECK;
void ofp_put_port(struct buffer *, enum ofp_version, ofp_port);

/* ---- Matches (oxm.c, match10.c) ---- */
/* Fields without frame. 'loose': unknown fields are skipped. Adds to 'match'; 'cookie' and 'cookie_mask' may be NULL, else they
 * receive NXM_NX_COOKIE (Nicira flow mods and requests). */
struct error *nxm_decode(struct reader fields, bool loose, struct match *, be64 *cookie, be64 *cookie_mask) MUST_CHECK;
/* Appends the fields, in OXM or, for 1.0, in NXM; returns their length. */
size_t nxm_encode(struct buffer *, const struct match *, enum ofp_version, be64 cookie, be64 cookie_mask);
/* The match of 1.2 and later with its frame and padding. */
struct error *oxm_match_decode(struct reader *, bool loose, struct match *) MUST_CHECK;
void oxm_match_encode(struct buffer *, const struct match *, enum ofp_version);
/* NXM's frame in Nicira messages: the length stands apart, padding to 8. The second writes the length at offset 'len_at'. */
struct error *nxm_pull_framed(struct reader *, size_t len, bool loose, struct match *, be64 *cookie,
                              be64 *cookie_mask) MUST_CHECK;
void nxm_put_framed(struct buffer *, size_t len_at, const struct match *, enum ofp_version, be64 cookie, be64 cookie_mask);
enum { OFP10_MATCH_LEN = 40 };
struct error *match10_decode(struct reader *, struct match *) MUST_CHECK;
void match10_encode(struct buffer *, const struct match *);
/* 1.0's own match, or the OXM one. */
struct error *ofp_match_decode(struct reader *, enum ofp_version, bool loose, struct match *) MUST_CHECK;
void ofp_match_encode(struct buffer *, const struct match *, enum ofp_version);

/* ---- Fields in actions ---- */
/* Header (with experimenter if there is one) of 'field' as 'version' writes it. */
void nxm_put_header(struct buffer *, const struct field *, bool masked, enum ofp_version);
/* Reads one header, giving the field; OFPERR_OFPBAC_BAD_SET_TYPE if unknown. '*masked' may be NULL: a mask is refused then.
 * '*payload' is the length of value and mask. */
struct error *nxm_pull_header(struct reader *, const struct field **, bool *masked, size_t *payload) MUST_CHECK;
/* Do these bits exist, and may they be set? OFPERR_OFPBAC_BAD_SET_LEN, BAD_SET_ARGUMENT. */
struct error *nxm_check_subfield(const struct subfield *, bool write) MUST_CHECK;
/* Takes 'n' bytes; OFPERR_NXBAC_MUST_BE_ZERO. 'what' is the action's name. */
struct error *ofact_must_be_zero(struct reader *, size_t n, const char *what) MUST_CHECK;
struct error *ofact_decode_learn(struct reader *, struct buffer *out) MUST_CHECK;
/* Header, value and, if 'mask', mask. */
void nxm_put_entry(struct buffer *, const struct field *, const union field_value *, const union field_value *mask,
                   enum ofp_version);

/* ---- Flows ---- */
enum { OFP_FLOW_FLAGS_10 = OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP,
       OFP_FLOW_FLAGS_13 = OFP_FLOW_FLAGS_10 | OFPFF_RESET_COUNTS | OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS };
static inline be64 ofp_pull_cookie(struct reader *r) { return htobe64(reader_be64(r)); }
static inline void ofp_put_cookie(struct buffer *b, be64 cookie) { buffer_put(b, &cookie, 8); }

/* ---- Properties of 1.4 and later: type, length (of the whole), rounded to 8 ---- */
/* Takes the next property; '*body' is what follows type and length. OFPERR_OFPBPC_BAD_LEN. */
struct error *ofp_pull_property(struct reader *, uint16_t *type, struct reader *body) MUST_CHECK;
size_t ofp_begin_property(struct buffer *, uint16_t type);
void ofp_finish_property(struct buffer *, size_t begin);
/* An error for a property that is not known. */
struct error *ofp_unknown_property(uint16_t type, const char *where) MUST_CHECK;

/* Multipart: is 'h' the last part's reader at its end? */
static inline struct reader ofp_body(const struct ofp_header *h) { return reader_of(h->body, h->body_len); }
/* A message that is shorter than its contents say. */
struct error *ofp_bad_len(const char *what) MUST_CHECK;
/* All bytes of 'n' at 'p' are zero. */
bool ofp_is_zero(const void *p, size_t n);

#endif
