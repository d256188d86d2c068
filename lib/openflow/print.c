/* SPDX-License-Identifier: Apache-2.0 */
/* Whole messages as text: what "snoop", "monitor" and "ofp-print" show, and the answers of most commands. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "lib/flow/key.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/ofact_text.h"
#include "lib/openflow/wire.h"
#include "lib/packet/packet.h"

struct printer {
    const struct ofp_header *h;
    const struct port_names *names;
    int verbosity;
    struct text *t;
};

struct name_of_bit { uint32_t bit; const char *name; };

static void put_bits(struct text *t, uint32_t bits, const struct name_of_bit *names, size_t n, const char *separator)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (bits & names[i].bit) {
            text_printf(t, "%s%s", any ? separator : "", names[i].name);
            bits &= ~names[i].bit;
            any = true;
        }
    }
    if (bits) {
        text_printf(t, "%s%#x", any ? separator : "", bits);
    } else if (!any) {
        text_put_char(t, '0');
    }
}

static void put_duration(struct text *t, uint32_t s, uint32_t ns)
{
    text_printf(t, "%"PRIu32, s);
    if (ns) {
        text_printf(t, ".%09"PRIu32, ns);
        while (text_ends_with(t, "0")) {
            text_chomp(t, '0');
        }
    }
    text_put_char(t, 's');
}

/* ---- Ports ---- */

static const struct name_of_bit config_names[] = {
    { OFPPC_PORT_DOWN, "PORT_DOWN" }, { OFPPC_NO_STP, "NO_STP" }, { OFPPC_NO_RECV, "NO_RECV" },
    { OFPPC_NO_RECV_STP, "NO_RECV_STP" }, { OFPPC_NO_FLOOD, "NO_FLOOD" }, { OFPPC_NO_FWD, "NO_FWD" },
    { OFPPC_NO_PACKET_IN, "NO_PACKET_IN" },
};
static const struct name_of_bit state_names[] = {
    { OFPPS_LINK_DOWN, "LINK_DOWN" }, { OFPPS_BLOCKED, "BLOCKED" }, { OFPPS_LIVE, "LIVE" },
};
static const struct name_of_bit feature_names[] = {
    { 1 << 0, "10MB-HD" }, { 1 << 1, "10MB-FD" }, { 1 << 2, "100MB-HD" }, { 1 << 3, "100MB-FD" }, { 1 << 4, "1GB-HD" },
    { 1 << 5, "1GB-FD" }, { 1 << 6, "10GB-FD" }, { 1 << 7, "40GB-FD" }, { 1 << 8, "100GB-FD" }, { 1 << 9, "1TB-FD" },
    { 1 << 10, "OTHER" }, { 1 << 11, "COPPER" }, { 1 << 12, "FIBER" }, { 1 << 13, "AUTO_NEG" },
    { 1 << 14, "AUTO_PAUSE" }, { 1 << 15, "AUTO_PAUSE_ASYM" },
};

static void put_features_line(struct text *t, const char *what, uint32_t features)
{
    if (features) {
        text_printf(t, "     %-12s", what);
        put_bits(t, features, feature_names, ARRAY_SIZE(feature_names), " ");
        text_put_char(t, '\n');
    }
}

static void put_port_name(struct text *t, ofp_port port)
{
    ofp_port_format(port, NULL, t);
}

static void put_phy_port(struct printer *p, const struct ofp_phy_port *port)
{
    struct text *t = p->t;
    text_put_char(t, ' ');
    put_port_name(t, port->port_no);
    text_printf(t, "(%s): addr:"ETH_FMT"\n     config:     ", port->name, ETH_ARGS(port->hw_addr));
    put_bits(t, port->config, config_names, ARRAY_SIZE(config_names), " ");
    text_put(t, "\n     state:      ");
    uint32_t stp = port->state & OFPPS_STP_MASK;
    if (stp) {
        static const char *const stp_names[] = { "STP_LISTEN", "STP_LEARN", "STP_FORWARD", "STP_BLOCK" };
        text_printf(t, "%s%s", port->state & OFPPS_LINK_DOWN ? "LINK_DOWN " : "", stp_names[stp >> 8]);
    } else {
        put_bits(t, port->state, state_names, ARRAY_SIZE(state_names), " ");
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
static void put_ports(struct printer *p, struct ofp_phy_port *ports, size_t n)
{
    if (n) {
        qsort(ports, n, sizeof *ports, compare_ports);
    }
    for (size_t i = 0; i < n; i++) {
        put_phy_port(p, &ports[i]);
    }
}

/* ---- Packets ---- */

/* A match of exactly the packet's headers. */
static void match_of_packet(const void *data, size_t n, struct match *m)
{
    static const enum field_id ids[] = {
        FIELD_ETH_SRC, FIELD_ETH_DST, FIELD_ETH_TYPE, FIELD_VLAN_TCI, FIELD_IPV4_SRC, FIELD_IPV4_DST, FIELD_IPV6_SRC,
        FIELD_IPV6_DST, FIELD_IPV6_LABEL, FIELD_IP_PROTO, FIELD_NW_TOS, FIELD_IP_ECN, FIELD_IP_TTL, FIELD_ARP_OP,
        FIELD_ARP_SPA, FIELD_ARP_TPA, FIELD_ARP_SHA, FIELD_ARP_THA, FIELD_TCP_SRC, FIELD_TCP_DST, FIELD_TCP_FLAGS,
        FIELD_UDP_SRC, FIELD_UDP_DST, FIELD_SCTP_SRC, FIELD_SCTP_DST, FIELD_ICMP_TYPE, FIELD_ICMP_CODE,
        FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE, FIELD_ND_TARGET, FIELD_ND_SLL, FIELD_ND_TLL,
    };
    struct fields f;
    struct packet *packet = packet_from_bytes(NULL, data, MIN(n, (size_t) PACKET_MAX));
    memset(&f, 0, sizeof f);
    key_extract(packet, &f.key, 0);
    packet_free(packet);
    match_init_any(m);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        const struct field *field = field_by_id(ids[i]);
        union field_value value;
        if (field_prerequisite_holds(field, &f, NULL)) {
            memset(&value, 0, sizeof value);
            field_get(field, &f, &value);
            match_set(m, field, &value, NULL);
        }
    }
}

static void put_packet(struct printer *p, const void *data, size_t n)
{
    if (!n) {
        return;
    }
    struct match m;
    match_of_packet(data, n, &m);
    match_format(&m, NULL, p->t);
    text_put_char(p->t, '\n');
    if (p->verbosity > 2) {
        text_put_hex_dump(p->t, data, n);
    }
}

/* ---- One function for each kind of message ---- */

static struct error *print_hello(struct printer *p)
{
    uint32_t bits;
    struct error *error = ofp_decode_hello(p->h->whole, p->h->whole_len, &bits);
    text_put(p->t, "\n version bitmap: ");
    bool any = false;
    for (unsigned v = 1; v < 32 && !error; v++) {
        if (bits & OFP_BIT(v)) {
            text_printf(p->t, "%s0x%02x", any ? ", " : "", v);
            any = true;
        }
    }
    text_put_char(p->t, '\n');
    return error;
}

static struct error *print_error(struct printer *p)
{
    struct buffer payload = BUFFER_INIT;
    enum ofp_error code;
    struct error *error = ofp_decode_error(p->h, &code, &payload);
    if (!error) {
        text_printf(p->t, " %s\n", ofp_error_name(code));
        if (code == OFPERR_OFPHFC_INCOMPATIBLE || code == OFPERR_OFPHFC_EPERM) {
            buffer_put_u8(&payload, '\0');
            text_printf(p->t, "%s\n", (const char *) payload.data);
        } else if (payload.len >= 8 && ofp_message_length(payload.data) == payload.len
                   && payload.data[1] != 1 /* an error in an error */) {
            ofp_message_format(payload.data, payload.len, p->names, p->verbosity, p->t);
        } else if (payload.len) {
            text_put_hex_dump(p->t, payload.data, payload.len);
        }
    }
    buffer_fini(&payload);
    return error;
}

static struct error *print_echo(struct printer *p)
{
    text_printf(p->t, " %zu bytes of payload\n", p->h->body_len);
    if (p->verbosity > 1) {
        text_put_hex_dump(p->t, p->h->body, p->h->body_len);
    }
    return NULL;
}

static struct error *print_features(struct printer *p)
{
    static const struct name_of_bit capabilities[] = {
        { 1, "FLOW_STATS" }, { 2, "TABLE_STATS" }, { 4, "PORT_STATS" }, { 8, "GROUP_STATS" }, { 32, "IP_REASM" },
        { 64, "QUEUE_STATS" }, { 128, "ARP_MATCH_IP" }, { 256, "PORT_BLOCKED" }, { 512, "BUNDLES" },
        { 1024, "FLOW_MONITORING" },
    };
    static const struct name_of_bit actions[] = {
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
    put_bits(p->t, f.capabilities, capabilities, ARRAY_SIZE(capabilities), " ");
    text_put_char(p->t, '\n');
    if (f.actions) {
        text_put(p->t, "actions: ");
        put_bits(p->t, f.actions, actions, ARRAY_SIZE(actions), " ");
        text_put_char(p->t, '\n');
    }
    put_ports(p, f.ports, f.n_ports);
    free(f.ports);
    return NULL;
}

static struct error *print_config(struct printer *p)
{
    static const char *const frags[] = { "normal", "drop", "reassemble", "nx-match" };
    struct ofp_switch_config c;
    struct error *error = ofp_decode_config(p->h, &c);
    if (!error) {
        text_printf(p->t, " frags=%s%s miss_send_len=%u\n", frags[c.flags & 3],
                    c.flags & 4 ? " invalid_ttl_to_controller" : "", c.miss_send_len);
    }
    return error;
}

static struct error *print_packet_in(struct printer *p)
{
    struct ofp_packet_in pin;
    struct error *error = ofp_decode_packet_in(p->h, &pin);
    if (error) {
        return error;
    }
    struct text *t = p->t;
    if (pin.table_id) {
        text_printf(t, " table_id=%u", pin.table_id);
    }
    if (pin.cookie != UINT64_MAX) {
        text_printf(t, " cookie=0x%"PRIx64, be64toh(pin.cookie));
    }
    text_printf(t, " total_len=%u ", pin.total_len);
    match_format(&pin.match, p->names, t);
    const char *reason = ofp_packet_in_reason_name(pin.reason);
    text_put(t, " (via ");
    if (reason) {
        text_put(t, reason);
    } else {
        text_printf(t, "%u", pin.reason);
    }
    text_printf(t, ") data_len=%zu", pin.data_len);
    if (pin.buffer_id == OFP_NO_BUFFER) {
        text_put(t, " (unbuffered)");
    } else {
        text_printf(t, " buffer=0x%08"PRIx32, pin.buffer_id);
    }
    text_put_char(t, '\n');
    if (pin.userdata_len) {
        text_put(t, " userdata=");
        for (size_t i = 0; i < pin.userdata_len; i++) {
            text_printf(t, "%s%02x", i ? "." : "", pin.userdata[i]);
        }
        text_put_char(t, '\n');
    }
    put_packet(p, pin.data, pin.data_len);
    return NULL;
}

static struct error *print_packet_out(struct printer *p)
{
    struct ofp_packet_out po;
    struct buffer actions = BUFFER_INIT;
    struct error *error = ofp_decode_packet_out(p->h, &po, &actions);
    if (!error) {
        text_put_char(p->t, ' ');
        match_format(&po.match, p->names, p->t);
        text_put(p->t, " actions=");
        ofacts_format(&po.actions, p->names, p->t);
        if (po.buffer_id == OFP_NO_BUFFER) {
            text_printf(p->t, " data_len=%zu\n", po.data_len);
            put_packet(p, po.data, po.data_len);
        } else {
            text_printf(p->t, " buffer=0x%08"PRIx32"\n", po.buffer_id);
        }
    }
    buffer_fini(&actions);
    return error;
}

static struct error *print_flow_mod(struct printer *p)
{
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT;
    struct error *error = ofp_decode_flow_mod_with_table(p->h, &fm, &actions);
    if (!error) {
        if (p->h->version == OFP10) {
            fm.flags &= ~OFPFF_RESET_COUNTS;
        }
        text_put_char(p->t, ' ');
        ofp_flow_mod_format(&fm, p->names, p->t);
        text_put_char(p->t, '\n');
    }
    buffer_fini(&actions);
    return error;
}

static struct error *print_flow_removed(struct printer *p)
{
    static const char *const reasons[] = { "idle", "hard", "delete", "group_delete", "meter_delete", "eviction" };
    struct ofp_flow_removed fr;
    struct error *error = ofp_decode_flow_removed(p->h, &fr);
    if (error) {
        return error;
    }
    struct text *t = p->t;
    text_put_char(t, ' ');
    if (fr.priority != 32768) {
        text_printf(t, "priority=%u%s", fr.priority, match_is_any(&fr.match) ? "" : ",");
    }
    match_format(&fr.match, p->names, t);
    text_printf(t, " reason=%s", fr.reason < ARRAY_SIZE(reasons) ? reasons[fr.reason] : "unknown");
    if (fr.table_id != 255) {
        text_printf(t, " table_id=%u", fr.table_id);
    }
    if (fr.cookie) {
        text_printf(t, " cookie:%#"PRIx64, be64toh(fr.cookie));
    }
    text_put(t, " duration");
    put_duration(t, fr.duration_s, fr.duration_ns);
    text_printf(t, " idle%u", fr.idle_timeout);
    if (fr.hard_timeout) {
        text_printf(t, " hard%u", fr.hard_timeout);
    }
    text_printf(t, " pkts%"PRIu64" bytes%"PRIu64"\n", fr.packets, fr.bytes);
    return NULL;
}

static struct error *print_port_status(struct printer *p)
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

static struct error *print_port_mod(struct printer *p)
{
    struct ofp_port_mod m;
    struct error *error = ofp_decode_port_mod(p->h, &m);
    if (!error) {
        text_put(p->t, " port: ");
        ofp_port_format(m.port_no, p->names, p->t);
        text_printf(p->t, ": addr:"ETH_FMT"\n     config: ", ETH_ARGS(m.hw_addr));
        put_bits(p->t, m.config, config_names, ARRAY_SIZE(config_names), " ");
        text_put(p->t, "\n     mask:   ");
        put_bits(p->t, m.mask, config_names, ARRAY_SIZE(config_names), " ");
        text_put(p->t, "\n     advertise: ");
        if (m.advertise) {
            put_bits(p->t, m.advertise, feature_names, ARRAY_SIZE(feature_names), " ");
        } else {
            text_put(p->t, "UNCHANGED");
        }
        text_put_char(p->t, '\n');
    }
    return error;
}

static struct error *print_role(struct printer *p)
{
    static const char *const roles[] = { "nochange", "equal", "primary", "secondary" };
    struct ofp_role_request q;
    struct error *error = ofp_decode_role(p->h, &q);
    if (!error) {
        text_printf(p->t, " role=%s", roles[q.role]);
        if (q.has_generation && q.generation_id != UINT64_MAX) {
            text_printf(p->t, " generation_id=%"PRIu64, q.generation_id);
        }
        text_put_char(p->t, '\n');
    }
    return error;
}

static struct error *print_role_status(struct printer *p)
{
    static const char *const roles[] = { "nochange", "equal", "primary", "secondary" };
    static const char *const reasons[] = { "primary_request", "configuration_changed", "experimenter_data_changed" };
    struct reader r = ofp_body(p->h);
    uint32_t role = reader_be32(&r);
    uint8_t reason = reader_u8(&r);
    reader_skip(&r, 3);
    uint64_t generation = reader_be64(&r);
    text_printf(p->t, " role=%s", role < ARRAY_SIZE(roles) ? roles[role] : "unknown");
    if (generation != UINT64_MAX) {
        text_printf(p->t, " generation_id=%"PRIu64, generation);
    }
    text_printf(p->t, " reason=%s\n", reason < ARRAY_SIZE(reasons) ? reasons[reason] : "unknown");
    return NULL;
}

static struct error *print_nx_setting(struct printer *p)
{
    static const char *const packet_in_formats[] = { "standard", "nxt_packet_in", "nxt_packet_in2" };
    uint16_t value;
    struct error *error = ofp_decode_nx_setting(p->h, &value);
    if (error) {
        return error;
    }
    switch (p->h->msg) {
    case OFPMSG_NXT_SET_FLOW_FORMAT:
        text_printf(p->t, " format=%s\n", value == OFP_FLOW_FORMAT_NXM ? "nxm" : "openflow10");
        break;
    case OFPMSG_NXT_FLOW_MOD_TABLE_ID: text_printf(p->t, " %s\n", value ? "enable" : "disable"); break;
    case OFPMSG_NXT_SET_PACKET_IN_FORMAT: text_printf(p->t, " format=%s\n", packet_in_formats[value]); break;
    default: text_printf(p->t, " id=%u\n", value);
    }
    return NULL;
}

static struct error *print_flow_request(struct printer *p)
{
    struct ofp_flow_stats_request q;
    struct error *error = ofp_decode_flow_stats_request(p->h, &q);
    if (error) {
        return error;
    }
    if (q.table_id != OFPTT_ALL) {
        text_printf(p->t, " table=%u", q.table_id);
    }
    if (q.out_port != OFPP_ANY) {
        text_put(p->t, " out_port=");
        ofp_port_format(q.out_port, p->names, p->t);
    }
    if (q.cookie_mask) {
        text_printf(p->t, " cookie=%#"PRIx64"/%#"PRIx64, be64toh(q.cookie), be64toh(q.cookie_mask));
    }
    text_put_char(p->t, ' ');
    match_format(&q.match, p->names, p->t);
    text_chomp(p->t, ' ');
    text_put_char(p->t, '\n');
    return NULL;
}

static struct error *print_flow_reply(struct printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_flow_stats s;
    struct buffer actions = BUFFER_INIT;
    bool end = false;
    text_put_char(p->t, '\n');
    struct error *error = NULL;
    while (!error && !end) {
        error = ofp_next_flow_stats(p->h, &r, &s, &actions, &end);
        if (!error && !end) {
            ofp_flow_stats_format(&s, p->names, true, p->t);
            text_put_char(p->t, '\n');
        }
    }
    buffer_fini(&actions);
    return error;
}

static struct error *print_aggregate(struct printer *p)
{
    struct ofp_aggregate_stats s;
    struct error *error = ofp_decode_aggregate_reply(p->h, &s);
    if (!error) {
        text_printf(p->t, " packet_count=%"PRIu64" byte_count=%"PRIu64" flow_count=%"PRIu32"\n", s.packets, s.bytes,
                    s.n_flows);
    }
    return error;
}

static struct error *print_desc(struct printer *p)
{
    struct ofp_desc d;
    struct error *error = ofp_decode_desc_reply(p->h, &d);
    if (!error) {
        text_printf(p->t, "\nManufacturer: %s\nHardware: %s\nSoftware: %s\nSerial Num: %s\nDP Description: %s\n", d.mfr,
                    d.hw, d.sw, d.serial, d.dp);
    }
    return error;
}

static void put_ditto(struct text *t, unsigned first, unsigned last)
{
    if (first < last) {
        text_printf(t, "\n  tables %u...%u: ditto\n", first, last);
    } else if (first == last) {
        text_printf(t, "\n  table %u: ditto\n", first);
    }
}

static struct error *print_tables(struct printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_table_stats s, last = { .max_entries = UINT32_MAX };
    bool end = false, any = false;
    unsigned first_same = 1, last_same = 0;
    struct error *error = NULL;
    text_put_char(p->t, '\n');
    while (!error && !end) {
        error = ofp_next_table_stats(p->h, &r, &s, &end);
        if (error || end) {
            break;
        }
        bool same = any && s.n_active == last.n_active && s.n_lookups == last.n_lookups
                    && s.n_matched == last.n_matched && s.max_entries == last.max_entries;
        if (same) {
            first_same = first_same > last_same ? s.table_id : first_same;
            last_same = s.table_id;
        } else {
            put_ditto(p->t, first_same, last_same);
            first_same = 1;
            last_same = 0;
            text_printf(p->t, "%s  table %u", any ? "\n" : "", s.table_id);
            if (s.name[0]) {
                text_printf(p->t, " (\"%s\")", s.name);
            }
            text_printf(p->t, ":\n    active=%"PRIu32", lookup=%"PRIu64", matched=%"PRIu64"\n", s.n_active,
                        s.n_lookups, s.n_matched);
            if (p->h->version == OFP10) {
                text_printf(p->t, "    max_entries=%"PRIu32"\n", s.max_entries);
            }
        }
        last = s;
        any = true;
    }
    put_ditto(p->t, first_same, last_same);
    return error;
}

static struct error *print_table_features(struct printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_table_features f;
    bool end = false;
    struct error *error = NULL;
    text_put_char(p->t, '\n');
    while (!error && !end) {
        error = ofp_next_table_features(p->h, &r, &f, &end);
        if (!error && !end) {
            text_printf(p->t, "  table %u (\"%s\"):\n    metadata: match=%#"PRIx64" write=%#"PRIx64"\n    max_entries=%"
                        PRIu32"\n", f.table_id, f.name, f.metadata_match, f.metadata_write, f.max_entries);
        }
    }
    return error;
}

static struct error *print_table_desc(struct printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_table_features f;
    bool end = false;
    struct error *error = NULL;
    text_put_char(p->t, '\n');
    while (!error && !end) {
        error = ofp_next_table_desc(p->h, &r, &f, &end);
        if (!error && !end) {
            text_printf(p->t, "  table %u:\n   eviction=%s eviction_flags=N/A\n   vacancy=%s\n\n", f.table_id,
                        f.config & 4 ? "on" : "off", f.config & 8 ? "on" : "off");
        }
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

static struct error *print_port_stats(struct printer *p)
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
            put_duration(t, s.duration_s, s.duration_ns);
            text_put_char(t, '\n');
        }
    }
    return error;
}

static struct error *print_port_request(struct printer *p)
{
    ofp_port port;
    struct error *error = ofp_decode_port_request(p->h, &port);
    if (!error) {
        text_put(p->t, " port_no=");
        ofp_port_format(port, p->names, p->t);
        text_put_char(p->t, '\n');
    }
    return error;
}

static struct error *print_port_desc(struct printer *p)
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

static struct error *print_port_desc_request(struct printer *p)
{
    ofp_port port;
    struct error *error = ofp_decode_port_request(p->h, &port);
    if (!error) {
        text_put(p->t, " port=");
        ofp_port_format(port, p->names, p->t);
        text_put_char(p->t, '\n');
    }
    return error;
}

static struct error *print_async(struct printer *p)
{
    static const char *const in[] = { "no_match", "action", "invalid_ttl", "action_set", "group", "packet_out", NULL };
    static const char *const port[] = { "add", "delete", "modify", NULL };
    static const char *const removed[] = { "idle", "hard", "delete", "group_delete", "meter_delete", "eviction", NULL };
    static const char *const role[] = { "primary_request", "config", "experimenter", NULL };
    static const char *const table[] = { "reserved", "reserved", "reserved", "vacancy_down", "vacancy_up", NULL };
    static const char *const forward[] = { "group_mod_request", "meter_mod_request", NULL };
    struct ofp_async a;
    memset(&a, 0, sizeof a);
    struct error *error = ofp_decode_set_async(p->h, &a);
    const struct { const char *name; const uint32_t *masks; const char *const *reasons; } rows[] = {
        { "PACKET_IN", a.packet_in, in }, { "PORT_STATUS", a.port_status, port }, { "FLOW_REMOVED", a.flow_removed, removed },
        { "ROLE_STATUS", a.role_status, role }, { "TABLE_STATUS", a.table_status, table },
        { "REQUESTFORWARD", a.requestforward, forward },
    };
    text_put_char(p->t, '\n');
    for (int side = 0; side < 2 && !error; side++) {
        text_printf(p->t, " %s:\n", side ? "secondary" : "primary");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            text_printf(p->t, "%16s:", rows[i].name);
            for (int reason = 0; rows[i].reasons[reason]; reason++) {
                if (rows[i].masks[side] >> reason & 1) {
                    text_printf(p->t, " %s", rows[i].reasons[reason]);
                }
            }
            text_put(p->t, rows[i].masks[side] ? "\n" : " (off)\n");
        }
        text_put(p->t, side ? "" : "\n");
    }
    return error;
}

static struct error *print_plain(struct printer *p)
{
    if (p->h->body_len) {
        text_printf(p->t, " %zu bytes\n", p->h->body_len);
        if (p->verbosity > 0) {
            text_put_hex_dump(p->t, p->h->body, p->h->body_len);
        }
    } else {
        text_put_char(p->t, '\n');
    }
    return NULL;
}

static struct error *print_body(struct printer *p)
{
    switch (p->h->msg) {
    case OFPMSG_HELLO: return print_hello(p);
    case OFPMSG_ERROR: return print_error(p);
    case OFPMSG_ECHO_REQUEST:
    case OFPMSG_ECHO_REPLY: return print_echo(p);
    case OFPMSG_FEATURES_REPLY: return print_features(p);
    case OFPMSG_GET_CONFIG_REPLY:
    case OFPMSG_SET_CONFIG: return print_config(p);
    case OFPMSG_PACKET_IN:
    case OFPMSG_NXT_PACKET_IN:
    case OFPMSG_NXT_PACKET_IN2: return print_packet_in(p);
    case OFPMSG_FLOW_REMOVED:
    case OFPMSG_NXT_FLOW_REMOVED: return print_flow_removed(p);
    case OFPMSG_PORT_STATUS: return print_port_status(p);
    case OFPMSG_PACKET_OUT: return print_packet_out(p);
    case OFPMSG_FLOW_MOD:
    case OFPMSG_NXT_FLOW_MOD: return print_flow_mod(p);
    case OFPMSG_PORT_MOD: return print_port_mod(p);
    case OFPMSG_ROLE_REQUEST:
    case OFPMSG_ROLE_REPLY:
    case OFPMSG_NXT_ROLE_REQUEST:
    case OFPMSG_NXT_ROLE_REPLY: return print_role(p);
    case OFPMSG_ROLE_STATUS: return print_role_status(p);
    case OFPMSG_NXT_SET_FLOW_FORMAT:
    case OFPMSG_NXT_FLOW_MOD_TABLE_ID:
    case OFPMSG_NXT_SET_PACKET_IN_FORMAT:
    case OFPMSG_NXT_SET_CONTROLLER_ID: return print_nx_setting(p);
    case OFPMSG_FLOW_STATS_REQUEST:
    case OFPMSG_AGGREGATE_STATS_REQUEST:
    case OFPMSG_NXST_FLOW_REQUEST:
    case OFPMSG_NXST_AGGREGATE_REQUEST: return print_flow_request(p);
    case OFPMSG_FLOW_STATS_REPLY:
    case OFPMSG_NXST_FLOW_REPLY: return print_flow_reply(p);
    case OFPMSG_AGGREGATE_STATS_REPLY:
    case OFPMSG_NXST_AGGREGATE_REPLY: return print_aggregate(p);
    case OFPMSG_DESC_STATS_REPLY: return print_desc(p);
    case OFPMSG_TABLE_STATS_REPLY: return print_tables(p);
    case OFPMSG_TABLE_FEATURES_REPLY: return print_table_features(p);
    case OFPMSG_TABLE_DESC_REPLY: return print_table_desc(p);
    case OFPMSG_PORT_STATS_REQUEST: return print_port_request(p);
    case OFPMSG_PORT_STATS_REPLY: return print_port_stats(p);
    case OFPMSG_PORT_DESC_REQUEST: return print_port_desc_request(p);
    case OFPMSG_SET_ASYNC:
    case OFPMSG_GET_ASYNC_REPLY:
    case OFPMSG_NXT_SET_ASYNC_CONFIG:
    case OFPMSG_NXT_SET_ASYNC_CONFIG2: return print_async(p);
    case OFPMSG_PORT_DESC_REPLY: return print_port_desc(p);
    default: return print_plain(p);
    }
}

static void put_header(const struct ofp_header *h, struct text *t)
{
    text_put(t, ofp_msg_name(h->msg));
    if (h->version != OFP10) {
        text_printf(t, " (OF%s)", ofp_version_dotted(h->version));
    }
    text_printf(t, " (xid=0x%"PRIx32"):", h->xid);
}

void ofp_message_format(const void *bytes, size_t n, const struct port_names *names, int verbosity, struct text *t)
{
    struct ofp_header h;
    struct error *error = ofp_decode_header(bytes, n, &h);
    if (!error) {
        put_header(&h, t);
        size_t begin = t->len;
        struct printer p = { &h, names, verbosity, t };
        error = print_body(&p);
        if (error) {
            text_truncate(t, begin);
        }
    }
    if (error) {
        const char *name = ofp_error_is_valid(error_code(error)) ? ofp_error_name(error_code(error)) : "not decodable";
        text_printf(t, " ***decode error: %s: %s***\n", name, error_text(error));
        text_put_hex_dump(t, bytes, n);
        error_free(error);
    }
}
