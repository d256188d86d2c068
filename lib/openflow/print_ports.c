/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about ports, and the features reply, as text. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/openflow/print.h"
#include "lib/openflow/wire.h"

static const struct ofp_bit_name config_names[] = {
    { OFPPC_PORT_DOWN, "PORT_DOWN" }, { OFPPC_NO_STP, "NO_STP" }, { OFPPC_NO_RECV, "NO_RECV" },
    { OFPPC_NO_RECV_STP, "NO_RECV_STP" }, { OFPPC_NO_FLOOD, "NO_FLOOD" }, { OFPPC_NO_FWD, "NO_FWD" },
    { OFPPC_NO_PACKET_IN, "NO_PACKET_IN" },
};
static const struct ofp_bit_name state_names[] = {
    { OFPPS_LINK_DOWN, "LINK_DOWN" }, { OFPPS_BLOCKED, "BLOCKED" }, { OFPPS_LIVE, "LIVE" },
};
static const struct ofp_bit_name feature_names[] = {
    { 1 << 0, "10MB-HD" }, { 1 << 1, "10MB-FD" }, { 1 << 2, "100MB-HD" }, { 1 << 3, "100MB-FD" }, { 1 << 4, "1GB-HD" },
    { 1 << 5, "1GB-FD" }, { 1 << 6, "10GB-FD" }, { 1 << 7, "40GB-FD" }, { 1 << 8, "100GB-FD" }, { 1 << 9, "1TB-FD" },
    { 1 << 10, "OTHER" }, { 1 << 11, "COPPER" }, { 1 << 12, "FIBER" }, { 1 << 13, "AUTO_NEG" },
    { 1 << 14, "AUTO_PAUSE" }, { 1 << 15, "AUTO_PAUSE_ASYM" },
};

static void put_features_line(struct text *t, const char *what, uint32_t features)
{
    if (features) {
        text_printf(t, "     %-12s", what);
        ofp_put_bits(t, features, feature_names, ARRAY_SIZE(feature_names), " ");
        text_put_char(t, '\n');
    }
}

static void put_port_name(struct text *t, ofp_port port)
{
    ofp_port_format(port, NULL, t);
}

static void put_phy_port(struct ofp_printer *p, const struct ofp_phy_port *port)
{
    struct text *t = p->t;
    text_put_char(t, ' ');
    put_port_name(t, port->port_no);
    text_printf(t, "(%s): addr:"ETH_FMT"\n     config:     ", port->name, ETH_ARGS(port->hw_addr));
    ofp_put_bits(t, port->config, config_names, ARRAY_SIZE(config_names), " ");
    text_put(t, "\n     state:      ");
    uint32_t stp = port->state & OFPPS_STP_MASK;
    if (stp) {
        static const char *const stp_names[] = { "STP_LISTEN", "STP_LEARN", "STP_FORWARD", "STP_BLOCK" };
        text_printf(t, "%s%s", port->state & OFPPS_LINK_DOWN ? "LINK_DOWN " : "", stp_names[stp >> 8]);
    } else {
        ofp_put_bits(t, port->state, state_names, ARRAY_SIZE(state_names), " ");
    }
    text_put_char(t, '\n');
    put_features_line(t, "current:", port->curr);
    put_features_line(t, "advertised:", port->advertised);
    put_features_line(t, "supported:", port->supported);
    put_features_line(t, "peer:", port->peer);
    uint32_t now = port->curr_speed, max = port->max_speed;
    if (!now && p->h->version == OFP10) {
        static const uint32_t speeds[] = { 10000, 10000, 100000, 100000, 1000000, 1000000, 10000000, 40000000,
                                           100000000, 1000000000 };
        for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
            now = port->curr >> i & 1 ? speeds[i] : now;
            max = port->supported >> i & 1 ? speeds[i] : max;
        }
    }
    text_printf(t, "     speed: %"PRIu32" Mbps now, %"PRIu32" Mbps max\n", now / 1000, max / 1000);
}

static int compare_ports(const void *a_, const void *b_)
{
    const struct ofp_phy_port *a = a_, *b = b_;
    return a->port_no < b->port_no ? -1 : a->port_no > b->port_no;
}

/* By number, whatever order they came in. */
static void put_ports(struct ofp_printer *p, struct ofp_phy_port *ports, size_t n)
{
    if (n) {
        qsort(ports, n, sizeof *ports, compare_ports);
    }
    for (size_t i = 0; i < n; i++) {
        put_phy_port(p, &ports[i]);
    }
}

struct error *ofp_print_features(struct ofp_printer *p)
{
    static const struct ofp_bit_name capabilities[] = {
        { 1, "FLOW_STATS" }, { 2, "TABLE_STATS" }, { 4, "PORT_STATS" }, { 8, "GROUP_STATS" }, { 32, "IP_REASM" },
        { 64, "QUEUE_STATS" }, { 128, "ARP_MATCH_IP" }, { 256, "PORT_BLOCKED" }, { 512, "BUNDLES" },
        { 1024, "FLOW_MONITORING" },
    };
    static const struct ofp_bit_name actions[] = {
        { 1 << 0, "output" }, { 1 << 11, "enqueue" }, { 1 << 1, "set_vlan_vid" }, { 1 << 2, "set_vlan_pcp" },
        { 1 << 3, "strip_vlan" }, { 1 << 4, "mod_dl_src" }, { 1 << 5, "mod_dl_dst" }, { 1 << 6, "mod_nw_src" },
        { 1 << 7, "mod_nw_dst" }, { 1 << 8, "mod_nw_tos" }, { 1 << 9, "mod_tp_src" }, { 1 << 10, "mod_tp_dst" },
    };
    struct ofp_features f;
    struct error *error = ofp_decode_features_reply(p->h, &f);
    if (error) {
        return error;
    }
    text_printf(p->t, " dpid:%016"PRIx64"\nn_tables:%u, n_buffers:%"PRIu32, f.datapath_id, f.n_tables, f.n_buffers);
    if (f.auxiliary_id) {
        text_printf(p->t, ", auxiliary_id:%u", f.auxiliary_id);
    }
    text_put(p->t, "\ncapabilities: ");
    ofp_put_bits(p->t, f.capabilities, capabilities, ARRAY_SIZE(capabilities), " ");
    text_put_char(p->t, '\n');
    if (f.actions) {
        text_put(p->t, "actions: ");
        ofp_put_bits(p->t, f.actions, actions, ARRAY_SIZE(actions), " ");
        text_put_char(p->t, '\n');
    }
    put_ports(p, f.ports, f.n_ports);
    free(f.ports);
    return NULL;
}

struct error *ofp_print_port_status(struct ofp_printer *p)
{
    static const char *const reasons[] = { "ADD", "DEL", "MOD" };
    struct ofp_phy_port port;
    uint8_t reason;
    struct error *error = ofp_decode_port_status(p->h, &reason, &port);
    if (!error) {
        text_printf(p->t, " %s:", reasons[reason]);
        put_phy_port(p, &port);
    }
    return error;
}

struct error *ofp_print_port_mod(struct ofp_printer *p)
{
    struct ofp_port_mod m;
    struct error *error = ofp_decode_port_mod(p->h, &m);
    if (!error) {
        text_put(p->t, " port: ");
        ofp_port_format(m.port_no, p->names, p->t);
        text_printf(p->t, ": addr:"ETH_FMT"\n     config: ", ETH_ARGS(m.hw_addr));
        ofp_put_bits(p->t, m.config, config_names, ARRAY_SIZE(config_names), " ");
        text_put(p->t, "\n     mask:   ");
        ofp_put_bits(p->t, m.mask, config_names, ARRAY_SIZE(config_names), " ");
        text_put(p->t, "\n     advertise: ");
        if (m.advertise) {
            ofp_put_bits(p->t, m.advertise, feature_names, ARRAY_SIZE(feature_names), " ");
        } else {
            text_put(p->t, "UNCHANGED");
        }
        text_put_char(p->t, '\n');
    }
    return error;
}

static void put_counter(struct text *t, const char *name, uint64_t value, const char *after)
{
    text_printf(t, "%s=", name);
    if (value == UINT64_MAX) {
        text_put_char(t, '?');
    } else {
        text_printf(t, "%"PRIu64, value);
    }
    text_put(t, after);
}

struct error *ofp_print_port_stats(struct ofp_printer *p)
{
    struct reader r = ofp_body(p->h), count = r;
    struct ofp_port_stats s;
    bool end = false;
    unsigned n = 0;
    struct error *error = NULL;
    while (!error && !end) {
        error = ofp_next_port_stats(p->h, &count, &s, &end);
        n += !error && !end;
    }
    text_printf(p->t, " %u ports\n", n);
    for (unsigned i = 0; i < n; i++) {
        struct text *t = p->t, name = TEXT_INIT;
        error_free(ofp_next_port_stats(p->h, &r, &s, &end));
        ofp_port_format(s.port_no, p->names, &name);
        text_printf(t, "  port %2s: rx ", text_str(&name));
        text_fini(&name);
        put_counter(t, "pkts", s.rx_packets, ", ");
        put_counter(t, "bytes", s.rx_bytes, ", ");
        put_counter(t, "drop", s.rx_dropped, ", ");
        put_counter(t, "errs", s.rx_errors, ", ");
        put_counter(t, "frame", s.rx_frame_err, ", ");
        put_counter(t, "over", s.rx_over_err, ", ");
        put_counter(t, "crc", s.rx_crc_err, "\n           tx ");
        put_counter(t, "pkts", s.tx_packets, ", ");
        put_counter(t, "bytes", s.tx_bytes, ", ");
        put_counter(t, "drop", s.tx_dropped, ", ");
        put_counter(t, "errs", s.tx_errors, ", ");
        put_counter(t, "coll", s.collisions, "\n");
        if (p->h->version >= OFP13 && s.duration_s != UINT32_MAX) {
            text_put(t, "           duration=");
            ofp_put_duration(t, s.duration_s, s.duration_ns);
            text_put_char(t, '\n');
        }
    }
    return error;
}

static struct error *print_asked_port(struct ofp_printer *p, const char *label)
{
    ofp_port port;
    struct error *error = ofp_decode_port_request(p->h, &port);
    if (!error) {
        text_put(p->t, label);
        ofp_port_format(port, p->names, p->t);
        text_put_char(p->t, '\n');
    }
    return error;
}

struct error *ofp_print_port_request(struct ofp_printer *p)
{
    return print_asked_port(p, " port_no=");
}

struct error *ofp_print_port_desc(struct ofp_printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_phy_port *ports = NULL, port;
    size_t n = 0, allocated = 0;
    bool end = false;
    struct error *error = NULL;
    text_put_char(p->t, '\n');
    while (!error && !end) {
        error = ofp_next_port_desc(p->h, &r, &port, &end);
        if (!error && !end) {
            if (n == allocated) {
                ports = xgrow(ports, &allocated, sizeof *ports);
            }
            ports[n++] = port;
        }
    }
    if (!error) {
        put_ports(p, ports, n);
    }
    free(ports);
    return error;
}

struct error *ofp_print_port_desc_request(struct ofp_printer *p)
{
    return print_asked_port(p, " port=");
}
