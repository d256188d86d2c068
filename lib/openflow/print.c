/* SPDX-License-Identifier: Apache-2.0 */
/* Whole messages as text: what "snoop", "monitor" and "ofp-print" show, and the answers of most commands. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "lib/flow/key.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/ofact_text.h"
#include "lib/openflow/print.h"
#include "lib/openflow/wire.h"
#include "lib/packet/packet.h"

void ofp_put_bits(struct text *t, uint32_t bits, const struct ofp_bit_name *names, size_t n, const char *separator)
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

void ofp_put_duration(struct text *t, uint32_t s, uint32_t ns)
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

static void put_packet(struct ofp_printer *p, const void *data, size_t n)
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

static struct error *print_hello(struct ofp_printer *p)
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

static struct error *print_error(struct ofp_printer *p)
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

static struct error *print_echo(struct ofp_printer *p)
{
    text_printf(p->t, " %zu bytes of payload\n", p->h->body_len);
    if (p->verbosity > 1) {
        text_put_hex_dump(p->t, p->h->body, p->h->body_len);
    }
    return NULL;
}

static struct error *print_config(struct ofp_printer *p)
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

static struct error *print_packet_in(struct ofp_printer *p)
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

static struct error *print_packet_out(struct ofp_printer *p)
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

static struct error *print_role(struct ofp_printer *p)
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

static struct error *print_role_status(struct ofp_printer *p)
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

static struct error *print_nx_setting(struct ofp_printer *p)
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

static struct error *print_desc(struct ofp_printer *p)
{
    struct ofp_desc d;
    struct error *error = ofp_decode_desc_reply(p->h, &d);
    if (!error) {
        text_printf(p->t, "\nManufacturer: %s\nHardware: %s\nSoftware: %s\nSerial Num: %s\nDP Description: %s\n", d.mfr,
                    d.hw, d.sw, d.serial, d.dp);
    }
    return error;
}

static struct error *print_async(struct ofp_printer *p)
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

static struct error *print_plain(struct ofp_printer *p)
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

static struct error *print_body(struct ofp_printer *p)
{
    switch (p->h->msg) {
    case OFPMSG_HELLO: return print_hello(p);
    case OFPMSG_ERROR: return print_error(p);
    case OFPMSG_ECHO_REQUEST:
    case OFPMSG_ECHO_REPLY: return print_echo(p);
    case OFPMSG_FEATURES_REPLY: return ofp_print_features(p);
    case OFPMSG_GET_CONFIG_REPLY:
    case OFPMSG_SET_CONFIG: return print_config(p);
    case OFPMSG_PACKET_IN:
    case OFPMSG_NXT_PACKET_IN:
    case OFPMSG_NXT_PACKET_IN2: return print_packet_in(p);
    case OFPMSG_FLOW_REMOVED:
    case OFPMSG_NXT_FLOW_REMOVED: return ofp_print_flow_removed(p);
    case OFPMSG_PORT_STATUS: return ofp_print_port_status(p);
    case OFPMSG_PACKET_OUT: return print_packet_out(p);
    case OFPMSG_FLOW_MOD:
    case OFPMSG_NXT_FLOW_MOD: return ofp_print_flow_mod(p);
    case OFPMSG_PORT_MOD: return ofp_print_port_mod(p);
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
    case OFPMSG_NXST_AGGREGATE_REQUEST: return ofp_print_flow_request(p);
    case OFPMSG_FLOW_STATS_REPLY:
    case OFPMSG_NXST_FLOW_REPLY: return ofp_print_flow_reply(p);
    case OFPMSG_AGGREGATE_STATS_REPLY:
    case OFPMSG_NXST_AGGREGATE_REPLY: return ofp_print_aggregate(p);
    case OFPMSG_DESC_STATS_REPLY: return print_desc(p);
    case OFPMSG_TABLE_STATS_REPLY: return ofp_print_tables(p);
    case OFPMSG_TABLE_FEATURES_REPLY: return ofp_print_table_features(p);
    case OFPMSG_TABLE_DESC_REPLY: return ofp_print_table_desc(p);
    case OFPMSG_PORT_STATS_REQUEST: return ofp_print_port_request(p);
    case OFPMSG_PORT_STATS_REPLY: return ofp_print_port_stats(p);
    case OFPMSG_PORT_DESC_REQUEST: return ofp_print_port_desc_request(p);
    case OFPMSG_SET_ASYNC:
    case OFPMSG_GET_ASYNC_REPLY:
    case OFPMSG_NXT_SET_ASYNC_CONFIG:
    case OFPMSG_NXT_SET_ASYNC_CONFIG2: return print_async(p);
    case OFPMSG_PORT_DESC_REPLY: return ofp_print_port_desc(p);
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
        struct ofp_printer p = { &h, names, verbosity, t };
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
