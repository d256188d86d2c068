/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-ofctl: what its files share. */
#ifndef UTILITIES_OFCTL_H
#define UTILITIES_OFCTL_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/openflow/flow_text.h"

/* What the options say. */
struct ofctl_options {
    uint32_t versions;             /* OFP_BIT()s to offer. */
    bool use_10, use_nxm;          /* Matches of 1.0 that -F allows. */
    bool strict, readd, json, no_stats, timestamp;
    int names;                     /* 1: --names, 0: --no-names, -1: names on a terminal. */
    int verbosity;
    int packet_in_format;          /* enum ofp_packet_in_format, -1: leave it. */
    int sort;                      /* 1: rising, -1: falling, 0: as the switch sends them. */
    const char *sort_field;        /* NULL: priority. */
};
extern struct ofctl_options ofctl;

NORETURN void ofctl_fail(const char *format, ...) PRINTF_LIKE(1, 2);
/* Prints and ends if there is an error, which is taken. */
void ofctl_check(struct error *);

/* ---- Connection (ofctl_conn.c): blocking ---- */
struct ofconn {
    int fd;
    enum ofp_version version;
    char *name;                    /* As the user gave it. */
    struct buffer in;
    size_t pending;                /* Bytes of 'in' that the message handed out last takes. */
    uint32_t xid;
    bool nxm;                      /* NXT_SET_FLOW_FORMAT was accepted. */
    bool table_id;                 /* NXT_FLOW_MOD_TABLE_ID was accepted. */
};
/* 'suffix' is ".mgmt" or ".snoop". */
struct ofconn *ofconn_open(const char *name, const char *suffix);
void ofconn_close(struct ofconn *);
uint32_t ofconn_xid(struct ofconn *);
void ofconn_send(struct ofconn *, const struct buffer *);
/* The next message of any kind, valid until the next call; echo requests are answered on the way. False at the end of the
 * connection. 'h' may describe an unknown message (OFPMSG_N). */
bool ofconn_recv(struct ofconn *, struct ofp_header *h);
/* Sends a request and gives each part of its reply to 'each'. Errors end the program, saying which. */
void ofconn_transact(struct ofconn *, const struct buffer *request, void (*each)(const struct ofp_header *, void *arg),
                     void *arg);
/* Sends bytes that have no answer, then a barrier. The first error that comes back, with the switch's code, or NULL. */
struct error *ofconn_apply(struct ofconn *, const struct buffer *messages);

/* ---- Ports (ofctl_ports.c) ---- */
struct ofctl_port_map {
    struct port_names names;       /* First: what parsers and printers get. */
    const char *target;            /* Asked when a name is looked for; NULL: nobody to ask. */
    bool fetched;
    struct ofp_phy_port *ports;
    size_t n;
};
void port_map_init(struct ofctl_port_map *, const char *target);
void port_map_fini(struct ofctl_port_map *);
void port_map_fetch(struct ofctl_port_map *);
/* For printing: the names, if options ask for them, else NULL. */
const struct port_names *port_map_for_output(struct ofctl_port_map *);
const struct ofp_phy_port *port_map_find(struct ofctl_port_map *, const char *name_or_number);

/* ---- Commands ---- */
typedef void ofctl_command_fn(int argc, char **argv);   /* argv[0] is the command's name. */
ofctl_command_fn ofctl_show, ofctl_dump_desc, ofctl_dump_tables, ofctl_dump_table_features, ofctl_dump_table_desc,
    ofctl_mod_port, ofctl_get_frags, ofctl_set_frags, ofctl_dump_ports, ofctl_dump_ports_desc, ofctl_dump_flows,
    ofctl_dump_aggregate, ofctl_add_flow, ofctl_add_flows, ofctl_mod_flows, ofctl_del_flows, ofctl_replace_flows,
    ofctl_diff_flows, ofctl_packet_out, ofctl_monitor, ofctl_snoop, ofctl_probe, ofctl_ping, ofctl_parse_flow,
    ofctl_parse_flows, ofctl_ofp_print, ofctl_ofp_parse, ofctl_encode_hello;

/* ---- JSON (ofctl_json.c) ---- */
void json_print_flows(const struct ofp_flow_stats *, size_t n, const struct port_names *);
void json_print_ports(const struct ofp_phy_port *, size_t n);
void json_print_port_stats(const struct ofp_port_stats *, size_t n, const struct port_names *);
void json_print_table_stats(const struct ofp_table_stats *, size_t n);
void json_print_desc(const struct ofp_desc *);
void json_print_aggregate(const struct ofp_aggregate_stats *);
void json_print_show(const struct ofp_features *, const struct ofp_phy_port *, size_t n, const struct ofp_switch_config *);

#endif
