/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of datapath flows as text, in the syntax that ovs-dpctl(8) documents. */
#include "lib/flow/key_text.h"

#include <arpa/inet.h>

#include "lib/base/text.h"
#include "lib/flow/flags.h"
#include "lib/packet/headers.h"

#define ROW(GROUP, NAME, FORM, WHEN, MEMBER) { GROUP, NAME, KEY_FORM_##FORM, WHEN, offsetof(struct key, MEMBER) }
/* ICMP's type and code lie in the low bytes of where others have ports. */
#define LOW_BYTE(GROUP, NAME, WHEN, MEMBER) { GROUP, NAME, KEY_FORM_U8, WHEN, offsetof(struct key, MEMBER) + 1 }
#define LABEL(NAME, SHIFT, BITS) \
    { "mpls", NAME, KEY_FORM_BITS, KEY_IF_MPLS, offsetof(struct key, l2.mpls[0]), SHIFT, BITS }

const struct key_text_row key_text_rows[] = {
    ROW("skb_priority", NULL, HOST32_HEX, KEY_ALWAYS, meta.priority),
    ROW("tunnel", "tun_id", U64_HEX, KEY_ALWAYS, tunnel.id),
    ROW("tunnel", "src", IP4, KEY_ALWAYS, tunnel.ip4_src),
    ROW("tunnel", "dst", IP4, KEY_ALWAYS, tunnel.ip4_dst),
    ROW("tunnel", "ipv6_src", IP6, KEY_ALWAYS, tunnel.ip6_src),
    ROW("tunnel", "ipv6_dst", IP6, KEY_ALWAYS, tunnel.ip6_dst),
    ROW("tunnel", "tos", U8_HEX, KEY_ALWAYS, tunnel.tos),
    ROW("tunnel", "ttl", U8, KEY_ALWAYS, tunnel.ttl),
    ROW("tunnel", "tp_src", U16, KEY_ALWAYS, tunnel.tp_src),
    ROW("tunnel", "tp_dst", U16, KEY_ALWAYS, tunnel.tp_dst),
    ROW("tunnel", "gbp_id", U16, KEY_ALWAYS, tunnel.gbp_id),
    ROW("tunnel", "gbp_flags", U8_HEX, KEY_ALWAYS, tunnel.gbp_flags),
    ROW("tunnel", "flags", TUNNEL_FLAGS, KEY_ALWAYS, tunnel.flags),
    ROW("skb_mark", NULL, HOST32_HEX, KEY_ALWAYS, meta.mark),
    ROW("ct_state", NULL, CT_STATE, KEY_ALWAYS, ct.state),
    ROW("ct_zone", NULL, HOST16_HEX, KEY_ALWAYS, ct.zone),
    ROW("ct_mark", NULL, HOST32_HEX, KEY_ALWAYS, ct.mark),
    ROW("ct_label", NULL, WIDE_HEX, KEY_ALWAYS, ct.label),
    ROW("ct_tuple4", "src", IP4, KEY_IF_IP4, ct.ip4_src),
    ROW("ct_tuple4", "dst", IP4, KEY_IF_IP4, ct.ip4_dst),
    ROW("ct_tuple4", "proto", U8, KEY_IF_IP4, ct.proto),
    ROW("ct_tuple4", "tp_src", U16, KEY_IF_IP4, ct.tp_src),
    ROW("ct_tuple4", "tp_dst", U16, KEY_IF_IP4, ct.tp_dst),
    ROW("ct_tuple6", "src", IP6, KEY_IF_IP6, ct.ip6_src),
    ROW("ct_tuple6", "dst", IP6, KEY_IF_IP6, ct.ip6_dst),
    ROW("ct_tuple6", "proto", U8, KEY_IF_IP6, ct.proto),
    ROW("ct_tuple6", "tp_src", U16, KEY_IF_IP6, ct.tp_src),
    ROW("ct_tuple6", "tp_dst", U16, KEY_IF_IP6, ct.tp_dst),
    ROW("recirc_id", NULL, HOST32_HEX, KEY_ALWAYS, meta.recirc_id),   /* Always shown. */
    ROW("dp_hash", NULL, HOST32_HEX, KEY_ALWAYS, meta.dp_hash),
    ROW("in_port", NULL, PORT, KEY_ALWAYS, meta.in_port),
    ROW("eth", "src", MAC, KEY_ALWAYS, l2.src),
    ROW("eth", "dst", MAC, KEY_ALWAYS, l2.dst),
    ROW("eth_type", NULL, TYPE, KEY_ALWAYS, l2.type),   /* VLAN tags are shown before it, by code. */
    LABEL("label", 12, 20), LABEL("tc", 9, 3), LABEL("ttl", 0, 8), LABEL("bos", 8, 1),
    ROW("ipv4", "src", IP4, KEY_IF_IP4, l3.ip4_src),
    ROW("ipv4", "dst", IP4, KEY_IF_IP4, l3.ip4_dst),
    ROW("ipv4", "proto", U8, KEY_IF_IP4, l3.proto),
    ROW("ipv4", "tos", U8_HEX, KEY_IF_IP4, l3.tos),
    ROW("ipv4", "ttl", U8, KEY_IF_IP4, l3.ttl),
    ROW("ipv4", "frag", FRAG, KEY_IF_IP4, l3.frag),
    ROW("ipv6", "src", IP6, KEY_IF_IP6, l3.ip6_src),
    ROW("ipv6", "dst", IP6, KEY_IF_IP6, l3.ip6_dst),
    ROW("ipv6", "label", U32_HEX, KEY_IF_IP6, l3.ip6_label),
    ROW("ipv6", "proto", U8, KEY_IF_IP6, l3.proto),
    ROW("ipv6", "tclass", U8_HEX, KEY_IF_IP6, l3.tos),
    ROW("ipv6", "hlimit", U8, KEY_IF_IP6, l3.ttl),
    ROW("ipv6", "frag", FRAG, KEY_IF_IP6, l3.frag),
    ROW("arp", "sip", IP4, KEY_IF_ARP, l3.ip4_src),
    ROW("arp", "tip", IP4, KEY_IF_ARP, l3.ip4_dst),
    ROW("arp", "op", U8, KEY_IF_ARP, l3.proto),
    ROW("arp", "sha", MAC, KEY_IF_ARP, l3.arp_sha),
    ROW("arp", "tha", MAC, KEY_IF_ARP, l3.arp_tha),
    ROW("tcp", "src", U16, KEY_IF_TCP, l4.src),
    ROW("tcp", "dst", U16, KEY_IF_TCP, l4.dst),
    ROW("tcp_flags", NULL, TCP_FLAGS, KEY_IF_TCP, l4.tcp_flags),
    ROW("udp", "src", U16, KEY_IF_UDP, l4.src),
    ROW("udp", "dst", U16, KEY_IF_UDP, l4.dst),
    ROW("sctp", "src", U16, KEY_IF_SCTP, l4.src),
    ROW("sctp", "dst", U16, KEY_IF_SCTP, l4.dst),
    LOW_BYTE("icmp", "type", KEY_IF_ICMP, l4.src),
    LOW_BYTE("icmp", "code", KEY_IF_ICMP, l4.dst),
    LOW_BYTE("icmpv6", "type", KEY_IF_ICMP6, l4.src),
    LOW_BYTE("icmpv6", "code", KEY_IF_ICMP6, l4.dst),
    ROW("nd", "target", IP6, KEY_IF_ND, l4.nd_target),
    ROW("nd", "sll", MAC, KEY_IF_ND, l4.nd_sll),
    ROW("nd", "tll", MAC, KEY_IF_ND, l4.nd_tll),
    ROW("nd", "reserved", U32_HEX, KEY_IF_ND, l4.nd_reserved),
    ROW("nd", "options_type", U8, KEY_IF_ND, l4.nd_options_type),
    ROW("tp", "src", U16, KEY_IF_OTHER_L4, l4.src),
    ROW("tp", "dst", U16, KEY_IF_OTHER_L4, l4.dst),
};
const uint32_t key_text_n_rows = ARRAY_SIZE(key_text_rows);

uint32_t key_text_row_size(const struct key_text_row *row)
{
    switch (row->form) {
    case KEY_FORM_U8:
    case KEY_FORM_U8_HEX:
    case KEY_FORM_FRAG:
    case KEY_FORM_TUNNEL_FLAGS:
        return 1;
    case KEY_FORM_U16:
    case KEY_FORM_U16_HEX:
    case KEY_FORM_HOST16_HEX:
    case KEY_FORM_TCP_FLAGS:
    case KEY_FORM_TYPE:
        return 2;
    case KEY_FORM_U32_HEX:
    case KEY_FORM_HOST32:
    case KEY_FORM_HOST32_HEX:
    case KEY_FORM_IP4:
    case KEY_FORM_PORT:
    case KEY_FORM_CT_STATE:
    case KEY_FORM_BITS:
        return 4;
    case KEY_FORM_MAC:
        return 6;
    case KEY_FORM_U64_HEX:
        return 8;
    case KEY_FORM_WIDE_HEX:
    case KEY_FORM_IP6:
        return 16;
    }
    return 0;
}

static const uint8_t *at(const struct key *key, const struct key_text_row *row)
{
    return (const uint8_t *) key + row->ofs;
}

static uint64_t number(const uint8_t *p, const struct key_text_row *row)
{
    uint32_t host32;
    uint16_t host16;
    switch (row->form) {
    case KEY_FORM_HOST16_HEX:
        memcpy(&host16, p, sizeof host16);
        return host16;
    case KEY_FORM_HOST32:
    case KEY_FORM_HOST32_HEX:
    case KEY_FORM_PORT:
    case KEY_FORM_CT_STATE:
        memcpy(&host32, p, sizeof host32);
        return host32;
    case KEY_FORM_BITS:
        return get_be32(p) >> row->shift & ((1u << row->n_bits) - 1);
    default:
        break;
    }
    switch (key_text_row_size(row)) {
    case 1:
        return *p;
    case 2:
        return get_be16(p);
    case 4:
        return get_be32(p);
    default:
        return get_be64(p);
    }
}

static bool is_masked(const struct mask *mask, const struct key_text_row *row)
{
    if (row->form == KEY_FORM_BITS) {
        return number(at(&mask->bits, row), row);
    }
    const uint8_t *m = at(&mask->bits, row);
    uint8_t any = 0;
    for (uint32_t i = 0; i < key_text_row_size(row); i++) {
        any |= m[i];
    }
    return any;
}

static bool shown_for(enum key_when when, const struct key *key)
{
    uint16_t type = be16toh(key->l2.type);
    uint8_t proto = key->l3.proto;
    bool ip4 = type == ETH_TYPE_IP4, ip6 = type == ETH_TYPE_IP6, ip = ip4 || ip6;
    switch (when) {
    case KEY_ALWAYS:
        return true;
    case KEY_IF_IP4:
        return ip4;
    case KEY_IF_IP6:
        return ip6;
    case KEY_IF_ARP:
        return type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;
    case KEY_IF_MPLS:
        return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MC;
    case KEY_IF_TCP:
        return ip && proto == IP_PROTO_TCP;
    case KEY_IF_UDP:
        return ip && proto == IP_PROTO_UDP;
    case KEY_IF_SCTP:
        return ip && proto == IP_PROTO_SCTP;
    case KEY_IF_ICMP:
        return ip4 && proto == IP_PROTO_ICMP;
    case KEY_IF_ICMP6:
    case KEY_IF_ND:
        return ip6 && proto == IP_PROTO_ICMP6;
    case KEY_IF_OTHER_L4:
        return ip && proto != IP_PROTO_TCP && proto != IP_PROTO_UDP && proto != IP_PROTO_SCTP &&
               !(ip4 && proto == IP_PROTO_ICMP) && !(ip6 && proto == IP_PROTO_ICMP6);
    }
    return false;
}

/* ---- Printing ---- */

static void put_flags(const struct flag_names *names, uint32_t value, uint32_t mask, struct text *t)
{
    if ((mask & names->all) == names->all) {
        flags_format(names, value, t);
    } else {
        flags_format_masked(names, value, mask, t);
    }
}

const struct flag_names key_text_tunnel_flags = {
    "tunnel flag", 0x1f, { "key", "df", "csum", "oam", "mss_clamp" },
};

static void put_tunnel_flags(uint8_t value, uint8_t mask, struct text *t)
{
    /* In the order in which others print them. */
    static const uint8_t order[] = { TUNNEL_DF, TUNNEL_CSUM, TUNNEL_KEY, TUNNEL_OAM, TUNNEL_MSS_CLAMP };
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        const char *name = key_text_tunnel_flags.names[__builtin_ctz(order[i])];
        if (mask != 0xff && mask & order[i]) {
            text_printf(t, "%c%s", value & order[i] ? '+' : '-', name);
        } else if (mask == 0xff && value & order[i]) {
            text_printf(t, "%s%s", separator, name);
            separator = "|";
        }
    }
}

static void put_ip6(const uint8_t *p, struct text *t)
{
    char s[INET6_ADDRSTRLEN];
    text_put(t, inet_ntop(AF_INET6, p, s, sizeof s));
}

static bool is_ones(const uint8_t *p, uint32_t n)
{
    uint8_t all = 0xff;
    for (uint32_t i = 0; i < n; i++) {
        all &= p[i];
    }
    return all == 0xff;
}

static void put_wide(const uint8_t *p, struct text *t)
{
    int i = 0;
    while (i < 15 && !p[i]) {
        i++;
    }
    text_printf(t, "0x%x", p[i]);
    while (++i < 16) {
        text_printf(t, "%02x", p[i]);
    }
}

static void put_number(const struct key_text_row *row, const uint8_t *v, const uint8_t *m, struct text *t)
{
    bool decimal = row->form == KEY_FORM_U8 || row->form == KEY_FORM_U16 || row->form == KEY_FORM_HOST32 ||
                   row->form == KEY_FORM_BITS;
    uint32_t n_bits = row->form == KEY_FORM_BITS ? row->n_bits : key_text_row_size(row) * 8;
    uint64_t mask = number(m, row), all = n_bits == 64 ? UINT64_MAX : (UINT64_C(1) << n_bits) - 1;
    if (row->ofs == offsetof(struct key, l3.ip6_label)) {
        all = 0xfffff;
    }
    text_printf(t, decimal ? "%llu" : "%#llx", (unsigned long long) number(v, row));
    if ((mask & all) != all) {
        text_printf(t, "/%#llx", (unsigned long long) mask);
    }
}

static void put_value(const struct key_text_row *row, const struct key *key, const struct mask *mask,
                      port_name_fn *port_name, void *arg, struct text *t)
{
    const uint8_t *v = at(key, row), *m = at(&mask->bits, row);
    switch (row->form) {
    case KEY_FORM_MAC:
        text_printf(t, ETH_FMT, v[0], v[1], v[2], v[3], v[4], v[5]);
        if (!is_ones(m, 6)) {
            text_printf(t, "/" ETH_FMT, m[0], m[1], m[2], m[3], m[4], m[5]);
        }
        break;
    case KEY_FORM_IP4:
        text_printf(t, IP4_FMT, v[0], v[1], v[2], v[3]);
        if (!is_ones(m, 4)) {
            text_printf(t, "/" IP4_FMT, m[0], m[1], m[2], m[3]);
        }
        break;
    case KEY_FORM_IP6:
        put_ip6(v, t);
        if (!is_ones(m, 16)) {
            text_put_char(t, '/');
            put_ip6(m, t);
        }
        break;
    case KEY_FORM_WIDE_HEX:
        put_wide(v, t);
        if (!is_ones(m, 16)) {
            text_put_char(t, '/');
            put_wide(m, t);
        }
        break;
    case KEY_FORM_PORT: {
        uint32_t port = number(v, row);
        const char *name = port_name ? port_name(port, arg) : NULL;
        name ? text_put(t, name) : text_printf(t, "%u", port);
        break;
    }
    case KEY_FORM_FRAG:
        text_put(t, *v & FRAG_LATER ? "later" : *v & FRAG_ANY ? "first" : "no");
        if ((*m & 3) != 3) {
            text_printf(t, "/%#x", *m);
        }
        break;
    case KEY_FORM_TCP_FLAGS:
        put_flags(&tcp_flag_names, number(v, row), number(m, row), t);
        break;
    case KEY_FORM_CT_STATE:
        put_flags(&ct_state_names, number(v, row), number(m, row), t);
        break;
    case KEY_FORM_TUNNEL_FLAGS:
        put_tunnel_flags(*v, *m, t);
        break;
    case KEY_FORM_TYPE:
        text_printf(t, "0x%04x", get_be16(v));
        if (!is_ones(m, 2)) {
            text_printf(t, "/0x%04x", get_be16(m));
        }
        break;
    default:
        put_number(row, v, m, t);
        break;
    }
}

struct writer {
    struct text *t;
    const char *group;           /* Of the open parenthesis, NULL: none. */
    size_t start;                /* A comma is due beyond it. */
};

static void close_group(struct writer *w)
{
    if (w->group) {
        text_put_char(w->t, ')');
        w->group = NULL;
    }
}

/* The group policy of VXLAN, "vxlan(gbp(id=5,flags=0x8))", whose flags follow in the next row. */
static void put_gbp(const struct key_text_row *row, const struct key *key, const struct mask *mask, struct text *t)
{
    text_put(t, "vxlan(gbp(id=");
    put_value(row, key, mask, NULL, NULL, t);
    if (mask->bits.tunnel.gbp_flags) {
        text_put(t, ",flags=");
        put_value(row + 1, key, mask, NULL, NULL, t);
    }
    text_put(t, "))");
}

static void put_row(struct writer *w, const struct key_text_row *row, const struct key *key, const struct mask *mask,
                    port_name_fn *port_name, void *arg)
{
    if (row->ofs == offsetof(struct key, tunnel.gbp_flags) && mask->bits.tunnel.gbp_id) {
        return;   /* Shown with the id. */
    }
    if (!w->group || strcmp(w->group, row->group)) {
        close_group(w);
        text_printf(w->t, "%s%s(", w->t->len > w->start ? "," : "", row->group);
        w->group = row->group;
    } else {
        text_put_char(w->t, ',');
    }
    if (row->ofs == offsetof(struct key, tunnel.gbp_id)) {
        put_gbp(row, key, mask, w->t);
        return;
    }
    if (row->ofs == offsetof(struct key, tunnel.gbp_flags)) {
        text_put(w->t, "vxlan(gbp(flags=");
        put_value(row, key, mask, NULL, NULL, w->t);
        text_put(w->t, "))");
        return;
    }
    if (row->form == KEY_FORM_TUNNEL_FLAGS) {
        text_put(w->t, "flags(");
        put_value(row, key, mask, port_name, arg, w->t);
        text_put_char(w->t, ')');
        return;
    }
    if (row->name) {
        text_printf(w->t, "%s=", row->name);
    }
    put_value(row, key, mask, port_name, arg, w->t);
    if (!row->name) {
        close_group(w);
    }
}

/* Each tag in a layer of its own: "eth_type(0x8100),vlan(vid=5,pcp=0),encap(". Returns how many were opened. */
static int put_vlans(struct writer *w, const struct key *key, const struct mask *mask)
{
    int n = 0;
    for (; n < KEY_MAX_VLANS; n++) {
        uint16_t tci = be16toh(key->l2.vlan[n].tci), bits = be16toh(mask->bits.l2.vlan[n].tci);
        if (!(tci & VLAN_CFI) || !bits) {
            break;
        }
        close_group(w);
        uint16_t tpid = be16toh(key->l2.vlan[n].tpid);
        text_printf(w->t, "%seth_type(0x%04x),vlan(", w->t->len > w->start ? "," : "", tpid ? tpid : ETH_TYPE_VLAN);
        const char *comma = "";
        if (bits & VLAN_VID_MASK) {
            text_printf(w->t, "vid=%u", tci & VLAN_VID_MASK);
            if ((bits & VLAN_VID_MASK) != VLAN_VID_MASK) {
                text_printf(w->t, "/%#x", bits & VLAN_VID_MASK);
            }
            comma = ",";
        }
        if (bits & VLAN_PCP_MASK) {
            text_printf(w->t, "%spcp=%u", comma, tci >> VLAN_PCP_SHIFT);
            if ((bits & VLAN_PCP_MASK) != VLAN_PCP_MASK) {
                text_printf(w->t, "/%#x", (bits & VLAN_PCP_MASK) >> VLAN_PCP_SHIFT);
            }
            comma = ",";
        }
        text_put(w->t, *comma ? "),encap(" : "cfi=1),encap(");
        w->start = w->t->len;
    }
    return n;
}

void key_format(const struct key *key, const struct mask *mask, port_name_fn *port_name, void *arg, struct text *t)
{
    struct writer w = { t, NULL, t->len };
    struct mask all_ones;
    int n_encap = 0;
    memset(&all_ones, 0xff, sizeof all_ones);
    for (uint32_t i = 0; i < key_text_n_rows; i++) {
        const struct key_text_row *row = &key_text_rows[i];
        if (row->form == KEY_FORM_TYPE) {
            n_encap = put_vlans(&w, key, mask);
        }
        if (row->ofs == offsetof(struct key, meta.recirc_id)) {
            put_row(&w, row, key, &all_ones, port_name, arg);
        } else if (is_masked(mask, row) && shown_for(row->when, key)) {
            put_row(&w, row, key, mask, port_name, arg);
        }
    }
    close_group(&w);
    while (n_encap-- > 0) {
        text_put_char(t, ')');
    }
}

void key_text_format_block(enum key_block block, const struct key *key, const struct mask *mask, struct text *t)
{
    struct writer w = { t, NULL, t->len };
    for (uint32_t i = 0; i < key_text_n_rows; i++) {
        const struct key_text_row *row = &key_text_rows[i];
        if (row->ofs / KEY_BLOCK_BYTES == block && is_masked(mask, row) && shown_for(row->when, key)) {
            put_row(&w, row, key, mask, NULL, NULL);
        }
    }
    close_group(&w);
}

void key_text_format_tunnel(const struct tunnel_key *tunnel, struct text *t)
{
    struct key key;
    struct mask mask;
    memset(&key, 0, sizeof key);
    memset(&mask, 0, sizeof mask);
    key.tunnel = *tunnel;
    /* What is zero is not there. */
    for (uint32_t i = 0; i < key_text_n_rows; i++) {
        const struct key_text_row *row = &key_text_rows[i];
        if (row->ofs / KEY_BLOCK_BYTES == KEY_TUNNEL) {
            const uint8_t *v = at(&key, row);
            for (uint32_t j = 0; j < key_text_row_size(row); j++) {
                if (v[j] || (row->ofs == offsetof(struct key, tunnel.id) && tunnel->flags & TUNNEL_KEY)) {
                    memset((uint8_t *) &mask.bits + row->ofs, 0xff, key_text_row_size(row));
                }
            }
        }
    }
    size_t before = t->len;
    key_text_format_block(KEY_TUNNEL, &key, &mask, t);
    if (t->len == before) {
        text_put(t, "tunnel()");
    }
}
