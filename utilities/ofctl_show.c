/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-ofctl: the switch, its tables and its ports. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "utilities/ofctl.h"

static void print_message(const struct ofp_header *h, void *names)
{
    struct text t = TEXT_INIT;
    ofp_message_format(h->whole, h->whole_len, names, ofctl.verbosity, &t);
    fputs(text_str(&t), stdout);
    text_fini(&t);
}

/* Sends a request without body and prints the answer, in text by 'each' or else as it is. */
static void ask(const char *target, enum ofp_msg msg, void (*each)(const struct ofp_header *, void *), void *arg)
{
    struct ofconn *c = ofconn_open(target, ".mgmt");
    struct buffer b = BUFFER_INIT;
    if (!ofp_msg_in_version(msg, c->version)) {
        ofctl_fail("%s: OpenFlow %s has no %s; choose a later version with -O", target, ofp_version_dotted(c->version),
                   ofp_msg_name(msg));
    }
    ofp_put_simple(&b, msg, c->version, ofconn_xid(c), NULL, 0);
    ofconn_transact(c, &b, each, arg);
    buffer_fini(&b);
    ofconn_close(c);
}

/* ---- show ---- */

struct shown { struct ofp_features features; struct ofp_switch_config config; };

static void take_features(const struct ofp_header *h, void *shown_)
{
    struct shown *s = shown_;
    ofctl_check(ofp_decode_features_reply(h, &s->features));
    if (!ofctl.json) {
        print_message(h, NULL);
    }
}

static void take_config(const struct ofp_header *h, void *shown_)
{
    struct shown *s = shown_;
    ofctl_check(ofp_decode_config(h, &s->config));
    if (!ofctl.json) {
        print_message(h, NULL);
    }
}

void ofctl_show(int argc, char **argv)
{
    struct shown s;
    struct ofctl_port_map map;
    memset(&s, 0, sizeof s);
    port_map_init(&map, argv[1]);
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    struct buffer b = BUFFER_INIT;
    ofp_put_simple(&b, OFPMSG_FEATURES_REQUEST, c->version, ofconn_xid(c), NULL, 0);
    ofconn_transact(c, &b, take_features, &s);
    if (!s.features.n_ports) {
        buffer_clear(&b);
        ofp_encode_port_request(&b, OFPMSG_PORT_DESC_REQUEST, OFPP_ANY, c->version, ofconn_xid(c));
        if (ofctl.json) {
            port_map_fetch(&map);
        } else {
            ofconn_transact(c, &b, print_message, NULL);
        }
    }
    buffer_clear(&b);
    ofp_put_simple(&b, OFPMSG_GET_CONFIG_REQUEST, c->version, ofconn_xid(c), NULL, 0);
    ofconn_transact(c, &b, take_config, &s);
    if (ofctl.json) {
        bool own = s.features.n_ports;
        json_print_show(&s.features, own ? s.features.ports : map.ports, own ? s.features.n_ports : map.n, &s.config);
    }
    free(s.features.ports);
    buffer_fini(&b);
    ofconn_close(c);
    port_map_fini(&map);
}

static void take_desc(const struct ofp_header *h, void *arg)
{
    struct ofp_desc d;
    if (ofctl.json) {
        ofctl_check(ofp_decode_desc_reply(h, &d));
        json_print_desc(&d);
    } else {
        print_message(h, NULL);
    }
}

void ofctl_dump_desc(int argc, char **argv)
{
    ask(argv[1], OFPMSG_DESC_STATS_REQUEST, take_desc, NULL);
}

/* ---- Tables ---- */

struct table_list { struct ofp_table_stats *tables; size_t n; };

static void take_tables(const struct ofp_header *h, void *list_)
{
    struct table_list *list = list_;
    struct reader r = reader_of(h->body, h->body_len);
    struct ofp_table_stats s;
    bool end;
    if (!ofctl.json) {
        print_message(h, NULL);
        return;
    }
    for (;;) {
        ofctl_check(ofp_next_table_stats(h, &r, &s, &end));
        if (end) {
            return;
        }
        list->tables = xrealloc(list->tables, (list->n + 1) * sizeof *list->tables);
        list->tables[list->n++] = s;
    }
}

void ofctl_dump_tables(int argc, char **argv)
{
    struct table_list list = { NULL, 0 };
    ask(argv[1], OFPMSG_TABLE_STATS_REQUEST, take_tables, &list);
    if (ofctl.json) {
        json_print_table_stats(list.tables, list.n);
    }
    free(list.tables);
}

void ofctl_dump_table_features(int argc, char **argv)
{
    ask(argv[1], OFPMSG_TABLE_FEATURES_REQUEST, print_message, NULL);
}

void ofctl_dump_table_desc(int argc, char **argv)
{
    ask(argv[1], OFPMSG_TABLE_DESC_REQUEST, print_message, NULL);
}

/* ---- Ports ---- */

struct port_stats_list { struct ofp_port_stats *ports; size_t n; const struct port_names *names; };

static void take_port_stats(const struct ofp_header *h, void *list_)
{
    struct port_stats_list *list = list_;
    struct reader r = reader_of(h->body, h->body_len);
    struct ofp_port_stats s;
    bool end;
    if (!ofctl.json) {
        print_message(h, (void *) list->names);
        return;
    }
    for (;;) {
        ofctl_check(ofp_next_port_stats(h, &r, &s, &end));
        if (end) {
            return;
        }
        list->ports = xrealloc(list->ports, (list->n + 1) * sizeof *list->ports);
        list->ports[list->n++] = s;
    }
}

void ofctl_dump_ports(int argc, char **argv)
{
    struct ofctl_port_map map;
    struct buffer b = BUFFER_INIT;
    ofp_port port = OFPP_ANY;
    port_map_init(&map, argv[1]);
    if (argc > 2) {
        ofctl_check(ofp_port_parse(argv[2], &map.names, &port));
    }
    struct port_stats_list list = { NULL, 0, port_map_for_output(&map) };
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    ofp_encode_port_request(&b, OFPMSG_PORT_STATS_REQUEST, port, c->version, ofconn_xid(c));
    ofconn_transact(c, &b, take_port_stats, &list);
    if (ofctl.json) {
        json_print_port_stats(list.ports, list.n, list.names);
    }
    free(list.ports);
    buffer_fini(&b);
    ofconn_close(c);
    port_map_fini(&map);
}

void ofctl_dump_ports_desc(int argc, char **argv)
{
    struct ofctl_port_map map;
    struct buffer b = BUFFER_INIT;
    ofp_port port = OFPP_ANY;
    port_map_init(&map, argv[1]);
    if (argc > 2) {
        ofctl_check(ofp_port_parse(argv[2], &map.names, &port));
    }
    if (ofctl.json) {
        port_map_fetch(&map);
        for (size_t i = 0; i < map.n && port != OFPP_ANY; i++) {
            if (map.ports[i].port_no == port) {
                json_print_ports(&map.ports[i], 1);
                port_map_fini(&map);
                return;
            }
        }
        json_print_ports(map.ports, map.n);
    } else {
        struct ofconn *c = ofconn_open(argv[1], ".mgmt");
        if (port != OFPP_ANY && c->version < OFP15) {
            ofctl_fail("%s: OpenFlow %s cannot ask for one port; choose 1.5 with -O", argv[1],
                       ofp_version_dotted(c->version));
        }
        ofp_encode_port_request(&b, OFPMSG_PORT_DESC_REQUEST, port, c->version, ofconn_xid(c));
        ofconn_transact(c, &b, print_message, NULL);
        buffer_fini(&b);
        ofconn_close(c);
    }
    port_map_fini(&map);
}

void ofctl_mod_port(int argc, char **argv)
{
    static const struct { const char *word; uint32_t config; bool on; } words[] = {
        { "up", OFPPC_PORT_DOWN, false }, { "down", OFPPC_PORT_DOWN, true },
        { "stp", OFPPC_NO_STP, false }, { "no-stp", OFPPC_NO_STP, true },
        { "receive", OFPPC_NO_RECV, false }, { "no-receive", OFPPC_NO_RECV, true },
        { "receive-stp", OFPPC_NO_RECV_STP, false }, { "no-receive-stp", OFPPC_NO_RECV_STP, true },
        { "flood", OFPPC_NO_FLOOD, false }, { "no-flood", OFPPC_NO_FLOOD, true },
        { "forward", OFPPC_NO_FWD, false }, { "no-forward", OFPPC_NO_FWD, true },
        { "packet-in", OFPPC_NO_PACKET_IN, false }, { "no-packet-in", OFPPC_NO_PACKET_IN, true },
    };
    const uint32_t only_10 = OFPPC_NO_STP | OFPPC_NO_RECV_STP | OFPPC_NO_FLOOD;
    size_t i;
    for (i = 0; i < ARRAY_SIZE(words) && strcmp(argv[3], words[i].word); i++) {
    }
    if (i == ARRAY_SIZE(words)) {
        ofctl_fail("mod-port: \"%s\" is not known; there are up, down, flood, receive, receive-stp, forward, packet-in, "
                   "stp, and all but the first two with no- before", argv[3]);
    }
    if (words[i].config & only_10) {
        ofctl.versions &= OFP_BIT(OFP10);
        if (!ofctl.versions) {
            ofctl_fail("mod-port: \"%s\" can only be said in OpenFlow 1.0", argv[3]);
        }
    }
    struct ofctl_port_map map;
    port_map_init(&map, argv[1]);
    const struct ofp_phy_port *port = port_map_find(&map, argv[2]);
    struct ofp_port_mod m = { .port_no = port->port_no, .hw_addr = port->hw_addr, .mask = words[i].config,
                              .config = words[i].on ? words[i].config : 0 };
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    struct buffer b = BUFFER_INIT;
    ofp_encode_port_mod(&b, &m, c->version, ofconn_xid(c));
    ofctl_check(ofconn_apply(c, &b));
    buffer_fini(&b);
    ofconn_close(c);
    port_map_fini(&map);
}

/* ---- Fragments ---- */

static const char *const frag_names[] = { "normal", "drop", "reassemble", "nx-match" };

void ofctl_get_frags(int argc, char **argv)
{
    struct shown s;
    bool json = ofctl.json;
    memset(&s, 0, sizeof s);
    ofctl.json = true;   /* take_config() does not print then. */
    ask(argv[1], OFPMSG_GET_CONFIG_REQUEST, take_config, &s);
    ofctl.json = json;
    puts(frag_names[s.config.flags & 3]);
}

void ofctl_set_frags(int argc, char **argv)
{
    uint16_t mode;
    for (mode = 0; mode < ARRAY_SIZE(frag_names) && strcmp(argv[2], frag_names[mode]); mode++) {
    }
    if (mode == ARRAY_SIZE(frag_names)) {
        ofctl_fail("set-frags: \"%s\" is not known; there are normal, drop, reassemble and nx-match", argv[2]);
    }
    struct shown s;
    memset(&s, 0, sizeof s);
    ofctl.json = true;
    ask(argv[1], OFPMSG_GET_CONFIG_REQUEST, take_config, &s);
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    struct buffer b = BUFFER_INIT;
    s.config.flags = (s.config.flags & ~3) | mode;
    ofp_encode_config(&b, OFPMSG_SET_CONFIG, &s.config, c->version, ofconn_xid(c));
    ofctl_check(ofconn_apply(c, &b));
    buffer_fini(&b);
    ofconn_close(c);
    memset(&s, 0, sizeof s);
    ask(argv[1], OFPMSG_GET_CONFIG_REQUEST, take_config, &s);
    if ((s.config.flags & 3) != mode) {
        ofctl_fail("%s: setting fragment mode %s has no effect: the switch cannot do it", argv[1], argv[2]);
    }
}
