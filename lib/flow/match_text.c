/* SPDX-License-Identifier: Apache-2.0 */
/* Matches as text, in the words and the order of ovs-ofctl. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/flow/flags.h"
#include "lib/flow/match.h"
#include "lib/packet/headers.h"

enum { MAX_NAME = 40 };   /* No field's name is longer. */

/* Words for Ethertype and protocol together. The first that fits is printed. */
static const struct protocol {
    const char *name;
    uint16_t type;
    int proto;                   /* -1: any. */
    bool alias;                  /* Understood, never printed. */
} protocols[] = {
    { "icmp", ETH_TYPE_IP4, IP_PROTO_ICMP }, { "tcp", ETH_TYPE_IP4, IP_PROTO_TCP },
    { "udp", ETH_TYPE_IP4, IP_PROTO_UDP }, { "sctp", ETH_TYPE_IP4, IP_PROTO_SCTP }, { "ip", ETH_TYPE_IP4, -1 },
    { "icmp6", ETH_TYPE_IP6, IP_PROTO_ICMP6 }, { "tcp6", ETH_TYPE_IP6, IP_PROTO_TCP },
    { "udp6", ETH_TYPE_IP6, IP_PROTO_UDP }, { "sctp6", ETH_TYPE_IP6, IP_PROTO_SCTP }, { "ipv6", ETH_TYPE_IP6, -1 },
    { "arp", ETH_TYPE_ARP, -1 }, { "rarp", ETH_TYPE_RARP, -1 }, { "mpls", ETH_TYPE_MPLS, -1 },
    { "mplsm", ETH_TYPE_MPLS_MC, -1 }, { "ip6", ETH_TYPE_IP6, -1, true }, { "icmpv6", ETH_TYPE_IP6, IP_PROTO_ICMP6, true },
};

/* ---- Printing ---- */

struct printer {
    const struct match *m;
    const struct port_names *ports;
    struct text *t;
    size_t start;
};

static void put_name(struct printer *p, const char *name, const char *equals)
{
    if (p->t->len > p->start) {
        text_put_char(p->t, ',');
    }
    text_put(p->t, name);
    text_put(p->t, equals);
}

/* Shows a field if any of it is matched. */
static void put_field_as(struct printer *p, enum field_id id, const char *name)
{
    const struct field *f = field_by_id(id);
    union field_value value, mask, all;
    if (!field_is_masked(f, &p->m->mask)) {
        return;
    }
    field_get(f, &p->m->mask, &mask);
    field_get(f, &p->m->value, &value);
    put_name(p, name, "=");
    field_all_ones(f, &all);
    if (f->form == FORM_DECIMAL && memcmp(&mask, &all, f->n_bytes)) {
        /* Part of a number is shown in hex. */
        struct field hex = *f;
        hex.form = FORM_HEX;
        field_format(&hex, &value, &mask, p->ports, p->t);
    } else {
        field_format(f, &value, &mask, p->ports, p->t);
    }
}

static void put_field(struct printer *p, enum field_id id)
{
    put_field_as(p, id, field_by_id(id)->print_name);
}

static void put_fields(struct printer *p, const enum field_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_field(p, ids[i]);
    }
}
#define PUT_FIELDS(P, ...) put_fields(P, (const enum field_id[]) { __VA_ARGS__ }, \
                                      sizeof((const enum field_id[]) { __VA_ARGS__ }) / sizeof(enum field_id))

static void put_vlan(struct printer *p)
{
    uint16_t mask = be16toh(p->m->mask.key.l2.vlan[0].tci), tci = be16toh(p->m->value.key.l2.vlan[0].tci);
    uint16_t vid = mask & VLAN_VID_MASK, pcp = mask & VLAN_PCP_MASK;
    if (!mask) {
        return;
    }
    bool whole_parts = (!vid || vid == VLAN_VID_MASK) && (!pcp || pcp == VLAN_PCP_MASK) && (vid || pcp);
    if (mask & VLAN_CFI && tci & VLAN_CFI && whole_parts) {
        if (vid) {
            put_name(p, "dl_vlan", "");
            text_printf(p->t, "=%u", tci & VLAN_VID_MASK);
        }
        if (pcp) {
            put_name(p, "dl_vlan_pcp", "");
            text_printf(p->t, "=%u", tci >> VLAN_PCP_SHIFT);
        }
        return;
    }
    put_name(p, "vlan_tci", "");
    text_printf(p->t, mask == 0xffff ? "=0x%04x" : "=0x%04x/0x%04x", tci, mask);
}

/* The word for Ethertype and protocol; yields what need not be shown any more. */
static void put_protocol(struct printer *p, bool *skip_type, bool *skip_proto)
{
    *skip_type = *skip_proto = false;
    if (p->m->mask.key.l2.type != 0xffff) {
        return;
    }
    uint16_t type = be16toh(p->m->value.key.l2.type);
    bool proto_known = p->m->mask.key.l3.proto == 0xff;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        const struct protocol *row = &protocols[i];
        if (!row->alias && row->type == type &&
            (row->proto < 0 || (proto_known && row->proto == p->m->value.key.l3.proto))) {
            put_name(p, row->name, "");
            *skip_type = true;
            *skip_proto = row->proto >= 0;
            return;
        }
    }
}

static void put_ports(struct printer *p, uint16_t type, uint8_t proto)
{
    if (type == ETH_TYPE_IP4 && proto == IP_PROTO_ICMP) {
        PUT_FIELDS(p, FIELD_ICMP_TYPE, FIELD_ICMP_CODE);
    } else if (type == ETH_TYPE_IP6 && proto == IP_PROTO_ICMP6) {
        PUT_FIELDS(p, FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE, FIELD_ND_TARGET, FIELD_ND_SLL, FIELD_ND_TLL,
                   FIELD_ND_RESERVED, FIELD_ND_OPTIONS_TYPE);
    } else {
        PUT_FIELDS(p, FIELD_TCP_SRC, FIELD_TCP_DST);
    }
    if (proto == IP_PROTO_TCP) {
        put_field(p, FIELD_TCP_FLAGS);
    }
}

static void put_label(struct printer *p)
{
    uint32_t label = be32toh(p->m->value.key.l3.ip6_label), mask = be32toh(p->m->mask.key.l3.ip6_label);
    if (mask) {
        put_name(p, "ipv6_label", "");
        text_printf(p->t, mask == 0xfffff ? "=0x%05x" : "=0x%05x/0x%05x", label, mask);
    }
}

static void put_network(struct printer *p, bool skip_proto)
{
    const struct fields *value = &p->m->value;
    uint16_t type = p->m->mask.key.l2.type ? be16toh(value->key.l2.type) : 0;
    switch (type) {
    case ETH_TYPE_IP6:
        PUT_FIELDS(p, FIELD_IPV6_SRC, FIELD_IPV6_DST);
        put_label(p);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        PUT_FIELDS(p, FIELD_ARP_SPA, FIELD_ARP_TPA, FIELD_ARP_OP, FIELD_ARP_SHA, FIELD_ARP_THA);
        break;
    default:
        PUT_FIELDS(p, FIELD_IPV4_SRC, FIELD_IPV4_DST);
        break;
    }
    if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP) {
        return;
    }
    if (!skip_proto) {
        put_field(p, FIELD_IP_PROTO);
    }
    PUT_FIELDS(p, FIELD_NW_TOS, FIELD_IP_ECN, FIELD_IP_TTL);
    PUT_FIELDS(p, FIELD_MPLS_LABEL, FIELD_MPLS_TC, FIELD_MPLS_TTL, FIELD_MPLS_BOS, FIELD_IP_FRAG);
    put_ports(p, type, p->m->mask.key.l3.proto ? value->key.l3.proto : 0);
}

void match_format(const struct match *m, const struct port_names *ports, struct text *t)
{
    struct printer p = { m, ports, t, t->len };
    bool skip_type, skip_proto;
    PUT_FIELDS(&p, FIELD_PKT_MARK, FIELD_RECIRC_ID, FIELD_DP_HASH, FIELD_CONJ_ID, FIELD_SKB_PRIORITY, FIELD_ACTSET_OUTPUT,
               FIELD_CT_STATE, FIELD_CT_ZONE, FIELD_CT_MARK, FIELD_CT_LABEL);
    bool ct6 = be16toh(m->value.key.l2.type) == ETH_TYPE_IP6;
    PUT_FIELDS(&p, ct6 ? FIELD_CT_IPV6_SRC : FIELD_CT_NW_SRC, ct6 ? FIELD_CT_IPV6_DST : FIELD_CT_NW_DST,
               FIELD_CT_NW_PROTO, FIELD_CT_TP_SRC, FIELD_CT_TP_DST);
    if (m->value.packet_type) {
        put_field(&p, FIELD_PACKET_TYPE);
    }
    put_protocol(&p, &skip_type, &skip_proto);
    for (int i = 0; i < 16; i++) {
        put_field(&p, FIELD_REG0 + i);
    }
    PUT_FIELDS(&p, FIELD_TUN_ID, FIELD_TUN_SRC, FIELD_TUN_DST, FIELD_TUN_IPV6_SRC, FIELD_TUN_IPV6_DST, FIELD_TUN_GBP_ID,
               FIELD_TUN_GBP_FLAGS, FIELD_TUN_TOS, FIELD_TUN_TTL);
    if (m->mask.key.tunnel.flags & TUNNEL_OAM) {
        put_name(&p, "tun_flags", m->value.key.tunnel.flags & TUNNEL_OAM ? "=+oam" : "=-oam");
    }
    PUT_FIELDS(&p, FIELD_METADATA, FIELD_IN_PORT_OXM);
    put_vlan(&p);
    PUT_FIELDS(&p, FIELD_ETH_SRC, FIELD_ETH_DST);
    if (m->mask.key.l2.type && !skip_type) {
        put_name(&p, "dl_type", "");
        text_printf(t, "=0x%04x", be16toh(m->value.key.l2.type));
    }
    put_network(&p, skip_proto);
}

/* ---- Parsing ---- */

static void set_number(struct match *m, enum field_id id, uint32_t x)
{
    const struct field *f = field_by_id(id);
    union field_value v = { { 0 } };
    if (f->n_bytes == 1) {
        v.b[0] = x;
    } else {
        v.be16 = htobe16(x);
    }
    match_set(m, f, &v, NULL);
}

/* A field whose bits another one of the match's kind holds: "nw_src" of an ARP packet is arp_spa, "tp_src" a port of
 * whatever protocol. Text names the place; what it means follows from Ethertype and protocol. */
static const struct field *field_for_text(const char *name)
{
    if (!strcmp(name, "tp_src")) {
        return field_by_id(FIELD_TCP_SRC);
    }
    if (!strcmp(name, "tp_dst")) {
        return field_by_id(FIELD_TCP_DST);
    }
    return field_by_name(name);
}

static struct error *parse_field(const struct field *f, const char *value, const struct port_names *ports,
                                 struct match *m)
{
    union field_value v, mask;
    struct error *e = field_parse(f, value, ports, &v, &mask);
    if (e) {
        return e;
    }
    if (f->id == FIELD_VLAN_VID && v.be16 && !(v.be16 & htobe16(VLAN_CFI)) && mask.be16 == htobe16(0x1fff)) {
        v.be16 |= htobe16(VLAN_CFI);   /* Who names a VLAN means a tag; without this bit nothing could match. */
    }
    match_set(m, f, &v, &mask);
    return NULL;
}

struct error *match_parse_word(const char *name, const char *value, const struct port_names *ports, struct match *m,
                               bool *used)
{
    *used = true;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (!strcmp(name, protocols[i].name)) {
            if (value) {
                return error_new(EINVAL, "%s takes no value", name);
            }
            set_number(m, FIELD_ETH_TYPE, protocols[i].type);
            if (protocols[i].proto >= 0) {
                set_number(m, FIELD_IP_PROTO, protocols[i].proto);
            }
            return NULL;
        }
    }
    if (!strcmp(name, "eth") && !value) {
        return NULL;   /* What has no other packet type is Ethernet. */
    }
    const struct field *f = field_for_text(name);
    if (!f) {
        *used = false;
        return NULL;
    }
    if (!value || !*value) {
        return error_new(EINVAL, "%s needs a value, as in %s=...", name, name);
    }
    return parse_field(f, value, ports, m);
}

/* The end of one "name=value" word: a comma or white space outside parentheses and quotes. */
static size_t word_length(const char *s)
{
    size_t n = 0;
    int depth = 0;
    bool quoted = false;
    for (; s[n]; n++) {
        if (s[n] == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            depth += (s[n] == '(') - (s[n] == ')');
            if (depth <= 0 && (s[n] == ',' || isspace((unsigned char) s[n]))) {
                break;
            }
        }
    }
    return n;
}

static struct error *unknown_word(const char *name)
{
    const char *names[ARRAY_SIZE(protocols) + 3 * FIELD_N + 1];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        names[n++] = protocols[i].name;
    }
    for (int i = 0; i < FIELD_N; i++) {
        names[n++] = field_rows[i].name;
        names[n++] = field_rows[i].print_name;
        if (field_rows[i].alias) {
            names[n++] = field_rows[i].alias;
        }
    }
    names[n] = NULL;
    const char *near = strlen(name) < MAX_NAME ? string_nearest(name, names) : NULL;   /* Distances cost. */
    return near ? error_new(EINVAL, "\"%s\" is no field to match; did you mean \"%s\"?", name, near)
           : error_new(EINVAL, "\"%.*s\" is no field to match; ovs-fields(7) lists them", MAX_NAME, name);
}

struct error *match_parse(const char *s, const struct port_names *ports, struct match *m)
{
    match_init_any(m);
    for (;;) {
        s += strspn(s, ", \t\r\n");
        if (!*s) {
            return NULL;
        }
        size_t n = word_length(s);
        char *name = xstrndup(s, n), *value = strchr(name, '=');
        if (value) {
            *value++ = '\0';
        }
        bool used;
        struct error *e = match_parse_word(name, value, ports, m, &used);
        if (!e && !used) {
            e = unknown_word(name);
        }
        free(name);
        if (e) {
            return e;
        }
        s += n;
    }
}
