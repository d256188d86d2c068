/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow messages in our own form and their codec. One codec; versions are columns of spec/messages.toml.
 *
 * What: 'struct ofp_header' names a message by 'enum ofp_msg' (generated in spec/messages.h: OFPMSG_HELLO,
 * OFPMSG_FLOW_MOD, OFPMSG_FLOW_STATS_REQUEST, OFPMSG_NXT_..., one value whatever the version or the vendor encoding);
 * below are one struct with decode and encode for each kind.
 *
 * Errors of decoders carry an enum ofp_error (spec/errors.h; OFPERR_ and the specification's name, as in
 * OFPERR_OFPBRC_BAD_TYPE, OFPERR_OFPBMC_BAD_PREREQ) as their code; ofp_encode_error() makes the message of it,
 * with at least 64 bytes of the offender. Decoders never read past 'n' and have no partial effect. */
#ifndef LIB_OPENFLOW_MESSAGE_H
#define LIB_OPENFLOW_MESSAGE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/flow/match.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/version.h"
#include "spec/errors.h"
#include "spec/messages.h"

enum { OFP_HEADER_LEN = 8, OFP_MAX_MESSAGE = 65535 };

struct ofp_header {
    enum ofp_msg msg;
    enum ofp_version version;
    uint32_t xid;
    bool more;                     /* Multipart: more parts follow. */
    const uint8_t *body;           /* After the fixed headers (multipart, vendor, experimenter included). */
    size_t body_len;
    const uint8_t *whole;
    size_t whole_len;
};

/* Length of the message that begins at 'p' (at least 8 bytes are there). */
size_t ofp_message_length(const void *p);
/* Which message it is. Unknown ones: OFPERR_OFPBRC_BAD_TYPE, BAD_VENDOR, BAD_SUBTYPE, BAD_STAT, BAD_LEN, BAD_VERSION... */
struct error *ofp_decode_header(const void *p, size_t n, struct ofp_header *);
const char *ofp_msg_name(enum ofp_msg);          /* "OFPT_FLOW_MOD" */
bool ofp_msg_in_version(enum ofp_msg, enum ofp_version);
/* The message that answers this one (OFPMSG_NXST_FLOW_REQUEST: OFPMSG_NXST_FLOW_REPLY); -1: none. */
int ofp_reply_of(enum ofp_msg);
/* Begins a message; returns where it began, for ofp_finish(), which writes the length. */
size_t ofp_begin(struct buffer *, enum ofp_msg, enum ofp_version, uint32_t xid);
void ofp_finish(struct buffer *, size_t begin);
/* A whole message without body (hello without bitmap, barrier, echo with 'data', ...). */
void ofp_put_simple(struct buffer *, enum ofp_msg, enum ofp_version, uint32_t xid, const void *data, size_t n);

void ofp_encode_hello(struct buffer *, uint32_t version_bits, uint32_t xid);
/* 'bits' of the peer: from the bitmap, else all up to the header's version. */
struct error *ofp_decode_hello(const void *, size_t n, uint32_t *bits);
void ofp_encode_error(struct buffer *, enum ofp_error, const struct ofp_header *offender);
/* HELLO_FAILED INCOMPATIBLE with text; in 'version' of the peer. */
void ofp_encode_hello_failed(struct buffer *, enum ofp_version, uint32_t xid, const char *text);
struct error *ofp_decode_error(const struct ofp_header *, enum ofp_error *, struct buffer *payload);
const char *ofp_error_name(enum ofp_error);      /* "OFPBRC_BAD_TYPE" */
/* Is an error_code() one of ours? Else answer OFPERR_OFPBRC_BAD_LEN or the like. */
bool ofp_error_is_valid(int code);

/* ---- Switch ---- */
struct ofp_phy_port {
    ofp_port port_no; struct eth_addr hw_addr; char name[65];
    uint32_t config, state;        /* OFPPC_*, OFPPS_* of OpenFlow 1.3, STP states apart */
    uint32_t curr, advertised, supported, peer;   /* OFPPF_* of 1.3 */
    uint32_t curr_speed, max_speed;               /* kbit/s */
};
enum { OFPPC_PORT_DOWN = 1, OFPPC_NO_RECV = 4, OFPPC_NO_FWD = 32, OFPPC_NO_PACKET_IN = 64, OFPPC_NO_FLOOD = 16,
       OFPPC_NO_STP = 2, OFPPC_NO_RECV_STP = 8 };
enum { OFPPS_LINK_DOWN = 1, OFPPS_BLOCKED = 2, OFPPS_LIVE = 4,
       OFPPS_STP_LISTEN = 0 << 8, OFPPS_STP_LEARN = 1 << 8, OFPPS_STP_FORWARD = 2 << 8, OFPPS_STP_BLOCK = 3 << 8,
       OFPPS_STP_MASK = 3 << 8 };  /* STP: sent in 1.0 only. */
/* Capabilities, by their numbers since 1.3 (1.0's STP and ARP_MATCH_IP are the codec's); switch configuration flags. */
enum { OFPC_FLOW_STATS = 1, OFPC_TABLE_STATS = 2, OFPC_PORT_STATS = 4, OFPC_GROUP_STATS = 8, OFPC_IP_REASM = 32,
       OFPC_QUEUE_STATS = 64, OFPC_ARP_MATCH_IP = 128 };
enum { OFPC_FRAG_NORMAL = 0, OFPC_FRAG_DROP = 1, OFPC_FRAG_REASM = 2, OFPC_FRAG_MASK = 3,
       OFPC_INVALID_TTL_TO_CONTROLLER = 4 };
/* 1.0's bitmap of actions: output, set and strip VLAN, set MAC, IP, TOS, ports. */
#define OFP10_ACTIONS UINT32_C(0x7ff)
struct ofp_features {
    uint64_t datapath_id; uint32_t n_buffers; uint8_t n_tables, auxiliary_id; uint32_t capabilities;   /* OFPC_* of 1.3 */
    struct ofp_phy_port *ports; size_t n_ports;   /* 1.0 only; lent when encoding, given when decoding */
    uint32_t actions;                             /* 1.0: bitmap */
};
void ofp_encode_features_reply(struct buffer *, const struct ofp_features *, enum ofp_version, uint32_t xid);
struct error *ofp_decode_features_reply(const struct ofp_header *, struct ofp_features *);
struct ofp_switch_config { uint16_t flags, miss_send_len; };
void ofp_encode_config(struct buffer *, enum ofp_msg, const struct ofp_switch_config *, enum ofp_version, uint32_t xid);
struct error *ofp_decode_config(const struct ofp_header *, struct ofp_switch_config *);

/* ---- Flow mod ---- */
enum ofp_flow_command { OFPFC_ADD, OFPFC_MODIFY, OFPFC_MODIFY_STRICT, OFPFC_DELETE, OFPFC_DELETE_STRICT };
enum { OFPFF_SEND_FLOW_REM = 1, OFPFF_CHECK_OVERLAP = 2, OFPFF_RESET_COUNTS = 4, OFPFF_NO_PKT_COUNTS = 8,
       OFPFF_NO_BYT_COUNTS = 16, OFPFF_EMERG = 1 << 8, OFPFF_HIDDEN_FIELDS = 1 << 9 };
struct ofp_flow_mod {
    struct match match;
    uint16_t priority;
    be64 cookie, cookie_mask, new_cookie;    /* Filter, and the cookie to be set. */
    bool modify_cookie;
    uint8_t table_id;                        /* OFPTT_ALL for deletions of all; 1.0 adds: 0. */
    enum ofp_flow_command command;
    uint16_t idle_timeout, hard_timeout, flags, importance;
    uint32_t buffer_id;
    ofp_port out_port;
    uint32_t out_group;
    bool table_in_command;                   /* 1.0: the command's high byte says the table (NXT_FLOW_MOD_TABLE_ID). */
    struct ofact_list actions;               /* Instructions included. Into the buffer given; empty for deletions. */
};
/* 'actions' receives the actions' memory (it is cleared first). Adds of 1.0 have OFPFF_RESET_COUNTS set. What the decoder
 * cannot know is checked by ofacts_check(). */
struct error *ofp_decode_flow_mod(const struct ofp_header *, struct ofp_flow_mod *, struct buffer *actions);
/* As above, for a 1.0 connection that has switched NXT_FLOW_MOD_TABLE_ID on. */
struct error *ofp_decode_flow_mod_with_table(const struct ofp_header *, struct ofp_flow_mod *, struct buffer *actions);
/* Can 1.0's own match say all of this one? Otherwise 1.0 needs 'nxm'. */
bool ofp_match_fits_10(const struct match *);
void ofp_encode_flow_mod(struct buffer *, const struct ofp_flow_mod *, enum ofp_version, bool nxm, uint32_t xid);

struct ofp_flow_removed {
    struct match match; be64 cookie; uint16_t priority; uint8_t reason, table_id; uint32_t duration_s, duration_ns;
    uint16_t idle_timeout, hard_timeout; uint64_t packets, bytes;
};
enum { OFPRR_IDLE_TIMEOUT, OFPRR_HARD_TIMEOUT, OFPRR_DELETE, OFPRR_GROUP_DELETE, OFPRR_METER_DELETE, OFPRR_EVICTION };
void ofp_encode_flow_removed(struct buffer *, const struct ofp_flow_removed *, enum ofp_version, bool nxm);
struct error *ofp_decode_flow_removed(const struct ofp_header *, struct ofp_flow_removed *);

/* ---- Flow and aggregate statistics ---- */
struct ofp_flow_stats_request {
    bool aggregate; struct match match; be64 cookie, cookie_mask; ofp_port out_port; uint32_t out_group; uint8_t table_id;
};
struct ofp_flow_stats {
    struct match match; be64 cookie; uint8_t table_id; uint16_t priority, idle_timeout, hard_timeout, flags, importance;
    uint32_t duration_s, duration_ns; int idle_age_s, hard_age_s;   /* -1: unknown */
    uint64_t packets, bytes; struct ofact_list actions;
};
struct error *ofp_decode_flow_stats_request(const struct ofp_header *, struct ofp_flow_stats_request *);
void ofp_encode_flow_stats_request(struct buffer *, const struct ofp_flow_stats_request *, enum ofp_version, bool nxm,
                                   uint32_t xid);
/* Multipart replies are built by a writer that begins a new part (with MORE on the ones before) when a message would
 * exceed 64 KB. */
struct ofp_multipart { struct buffer *out; enum ofp_msg msg; enum ofp_version version; uint32_t xid; size_t begin, entry; };
void ofp_multipart_begin(struct ofp_multipart *, struct buffer *out, enum ofp_msg, enum ofp_version, uint32_t xid);
void ofp_multipart_end(struct ofp_multipart *);
/* For entries of other rooms: before and after an entry's bytes are appended to 'out'. */
size_t ofp_multipart_entry(struct ofp_multipart *);
void ofp_multipart_entry_done(struct ofp_multipart *);
void ofp_put_flow_stats(struct ofp_multipart *, const struct ofp_flow_stats *);
/* Decoders of multipart bodies take one entry at a time from 'r'; '*end' is true when nothing is left. */
struct error *ofp_next_flow_stats(const struct ofp_header *, struct reader *r, struct ofp_flow_stats *,
                                  struct buffer *actions, bool *end);
struct ofp_aggregate_stats { uint64_t packets, bytes; uint32_t n_flows; };
void ofp_encode_aggregate_reply(struct buffer *, const struct ofp_aggregate_stats *, const struct ofp_header *request);
struct error *ofp_decode_aggregate_reply(const struct ofp_header *, struct ofp_aggregate_stats *);

/* ---- Tables, ports ---- */
struct ofp_table_stats { uint8_t table_id; char name[33]; uint32_t max_entries, n_active; uint64_t n_lookups, n_matched; };
void ofp_put_table_stats(struct ofp_multipart *, const struct ofp_table_stats *);
struct error *ofp_next_table_stats(const struct ofp_header *, struct reader *, struct ofp_table_stats *, bool *end);
struct ofp_table_features {
    uint8_t table_id; char name[33]; uint64_t metadata_match, metadata_write; uint32_t config, max_entries;
    /* What every table of ours can: all instructions, all later tables, all actions, all fields. */
};
void ofp_put_table_features(struct ofp_multipart *, const struct ofp_table_features *);
struct error *ofp_next_table_features(const struct ofp_header *, struct reader *, struct ofp_table_features *, bool *end);
void ofp_put_table_desc(struct ofp_multipart *, const struct ofp_table_features *);
struct error *ofp_next_table_desc(const struct ofp_header *, struct reader *, struct ofp_table_features *, bool *end);
struct ofp_port_stats {
    ofp_port port_no; uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors,
    rx_frame_err, rx_over_err, rx_crc_err, collisions; uint32_t duration_s, duration_ns;
};
struct error *ofp_decode_port_request(const struct ofp_header *, ofp_port *);   /* Port stats and (1.5) port desc. */
void ofp_encode_port_request(struct buffer *, enum ofp_msg, ofp_port, enum ofp_version, uint32_t xid);
void ofp_put_port_stats(struct ofp_multipart *, const struct ofp_port_stats *);
struct error *ofp_next_port_stats(const struct ofp_header *, struct reader *, struct ofp_port_stats *, bool *end);
void ofp_put_port_desc(struct ofp_multipart *, const struct ofp_phy_port *);
struct error *ofp_next_port_desc(const struct ofp_header *, struct reader *, struct ofp_phy_port *, bool *end);
struct ofp_port_mod { ofp_port port_no; struct eth_addr hw_addr; uint32_t config, mask, advertise; };
struct error *ofp_decode_port_mod(const struct ofp_header *, struct ofp_port_mod *);
void ofp_encode_port_mod(struct buffer *, const struct ofp_port_mod *, enum ofp_version, uint32_t xid);
enum { OFPPR_ADD, OFPPR_DELETE, OFPPR_MODIFY };
void ofp_encode_port_status(struct buffer *, uint8_t reason, const struct ofp_phy_port *, enum ofp_version);
struct error *ofp_decode_port_status(const struct ofp_header *, uint8_t *reason, struct ofp_phy_port *);
struct ofp_desc { char mfr[257], hw[257], sw[257], serial[33], dp[257]; };
void ofp_encode_desc_reply(struct buffer *, const struct ofp_desc *, const struct ofp_header *request);
struct error *ofp_decode_desc_reply(const struct ofp_header *, struct ofp_desc *);

/* ---- Packets ---- */
enum ofp_packet_in_format { PACKET_IN_STANDARD, PACKET_IN_NXT, PACKET_IN_NXT2 };
enum { OFPR_NO_MATCH, OFPR_ACTION, OFPR_INVALID_TTL, OFPR_ACTION_SET, OFPR_GROUP, OFPR_PACKET_OUT };
struct ofp_packet_in {
    uint32_t buffer_id; uint16_t total_len; uint8_t reason, table_id; be64 cookie;
    struct match match;            /* in_port and metadata, tunnel */
    const void *data; size_t data_len; const uint8_t *userdata; size_t userdata_len;
};
void ofp_encode_packet_in(struct buffer *, const struct ofp_packet_in *, enum ofp_packet_in_format, enum ofp_version);
struct error *ofp_decode_packet_in(const struct ofp_header *, struct ofp_packet_in *);
struct ofp_packet_out {
    uint32_t buffer_id; ofp_port in_port; struct match match;    /* 1.5 */
    struct ofact_list actions; const void *data; size_t data_len;
};
struct error *ofp_decode_packet_out(const struct ofp_header *, struct ofp_packet_out *, struct buffer *actions);
void ofp_encode_packet_out(struct buffer *, const struct ofp_packet_out *, enum ofp_version, uint32_t xid);

/* ---- Roles, asynchronous messages, Nicira settings ---- */
enum ofp_role { OFPROLE_NOCHANGE, OFPROLE_EQUAL, OFPROLE_MASTER, OFPROLE_SLAVE };
struct ofp_role_request { enum ofp_role role; bool has_generation; uint64_t generation_id; };
struct error *ofp_decode_role(const struct ofp_header *, struct ofp_role_request *);
void ofp_encode_role(struct buffer *, enum ofp_msg, const struct ofp_role_request *, enum ofp_version, uint32_t xid);
/* Masks by reason: [0] for master and equal, [1] for slave. Decoding sets those that the message names (1.4 and later name
 * some) and leaves the others. */
struct ofp_async { uint32_t packet_in[2], port_status[2], flow_removed[2], role_status[2], table_status[2], requestforward[2]; };
struct error *ofp_decode_set_async(const struct ofp_header *, struct ofp_async *);
void ofp_encode_get_async_reply(struct buffer *, const struct ofp_async *, const struct ofp_header *request);
void ofp_encode_set_async(struct buffer *, const struct ofp_async *, enum ofp_version, uint32_t xid);   /* 1.0: Nicira's */
enum { OFPCRR_MASTER_REQUEST, OFPCRR_CONFIG };
void ofp_encode_role_status(struct buffer *, enum ofp_role, uint8_t reason, uint64_t generation_id, enum ofp_version);
/* Settings of one value: NXT_SET_FLOW_FORMAT (0: OpenFlow 1.0, 2: NXM), NXT_FLOW_MOD_TABLE_ID (0, 1), NXT_SET_PACKET_IN_FORMAT
 * (enum ofp_packet_in_format), NXT_SET_CONTROLLER_ID. Values out of range are OFPERR_OFPBRC_EPERM, as clients expect. */
struct error *ofp_decode_nx_setting(const struct ofp_header *, uint16_t *value);
void ofp_encode_nx_setting(struct buffer *, enum ofp_msg, uint16_t value, enum ofp_version, uint32_t xid);
enum { OFP_FLOW_FORMAT_10 = 0, OFP_FLOW_FORMAT_NXM = 2 };

/* A whole message as text, as "ovs-ofctl snoop" and "monitor" show it; 'verbosity' 0 to 2. */
void ofp_message_format(const void *, size_t n, const struct port_names *, int verbosity, struct text *);

#endif
