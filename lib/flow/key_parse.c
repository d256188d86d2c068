/* SPDX-License-Identifier: Apache-2.0 */
/* Parses keys of datapath flows from text. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/flow/flags.h"
#include "lib/flow/key_text.h"
#include "lib/packet/headers.h"

enum { MAX_NESTING = 8 };

struct parser {
    struct key *key;
    struct mask *mask;
    int n_vlans;
    be16 tpid;                   /* An Ethertype of a VLAN tag that was just read; 0: none. */
};

/* Length of the piece up to a comma outside parentheses; SIZE_MAX if parentheses do not match. */
static size_t piece_length(const char *s)
{
    int depth = 0;
    size_t n = 0;
    for (; s[n] && (depth || s[n] != ','); n++) {
        depth += (s[n] == '(') - (s[n] == ')');
        if (depth < 0) {
            return SIZE_MAX;
        }
    }
    return depth ? SIZE_MAX : n;
}

static struct error *bad(const struct key_text_row *row, const char *s, const char *wanted)
{
    return error_new(EINVAL, "%s%s%s: \"%s\" is no %s", row->group, row->name ? " " : "", row->name ? row->name : "", s,
                     wanted);
}

static void store_number(const struct key_text_row *row, uint64_t x, uint8_t *p)
{
    uint32_t host32 = x, n = key_text_row_size(row);
    uint16_t host16 = x;
    switch (row->form) {
    case KEY_FORM_HOST16_HEX:
        memcpy(p, &host16, sizeof host16);
        return;
    case KEY_FORM_HOST32:
    case KEY_FORM_HOST32_HEX:
    case KEY_FORM_PORT:
    case KEY_FORM_CT_STATE:
        memcpy(p, &host32, sizeof host32);
        return;
    case KEY_FORM_BITS:
        put_be32(p, get_be32(p) | host32 << row->shift);
        return;
    default:
        for (uint32_t i = n; i-- > 0;) {
            p[i] = x;
            x >>= 8;
        }
    }
}

static uint64_t largest(const struct key_text_row *row)
{
    uint32_t n_bits = row->form == KEY_FORM_BITS ? row->n_bits : key_text_row_size(row) * 8;
    if (row->ofs == offsetof(struct key, l3.ip6_label)) {
        n_bits = 20;
    }
    return n_bits >= 64 ? UINT64_MAX : (UINT64_C(1) << n_bits) - 1;
}

static struct error *parse_number(const struct key_text_row *row, const char *s, uint8_t *p)
{
    uint64_t x;
    if (!parse_u64(s, &x)) {
        return bad(row, s, "number");
    }
    if (x > largest(row)) {
        return error_new(EINVAL, "%s%s%s: %s is out of range, the largest is %llu", row->group, row->name ? " " : "",
                         row->name ? row->name : "", s, (unsigned long long) largest(row));
    }
    store_number(row, x, p);
    return NULL;
}

/* Hex digits of up to 16 bytes, right-aligned. */
static bool parse_wide(const char *s, uint8_t *p)
{
    uint64_t x;
    if (!strncmp(s, "0x", 2) && strlen(s) > 18 && strlen(s) <= 34) {
        char high[20] = "0x", low[20] = "0x";
        size_t n = strlen(s) - 18;
        memcpy(high + 2, s + 2, n);
        high[2 + n] = '\0';
        memcpy(low + 2, s + 2 + n, 17);
        uint64_t y;
        if (!parse_u64(high, &x) || !parse_u64(low, &y)) {
            return false;
        }
        put_be64(p, x);
        put_be64(p + 8, y);
        return true;
    }
    if (!parse_u64(s, &x)) {
        return false;
    }
    put_be64(p, 0);
    put_be64(p + 8, x);
    return true;
}

static struct error *parse_flags(const struct key_text_row *row, const char *s, uint8_t *v, uint8_t *m)
{
    const struct flag_names *names = row->form == KEY_FORM_TCP_FLAGS ? &tcp_flag_names
                                     : row->form == KEY_FORM_CT_STATE ? &ct_state_names : &key_text_tunnel_flags;
    uint32_t value = 0, mask = names->all;
    struct error *e = *s ? flags_parse(names, s, &value, &mask) : NULL;
    if (e) {
        return error_wrap(e, "%s", row->group);
    }
    store_number(row, value, v);
    store_number(row, mask == names->all ? largest(row) : mask, m);
    return NULL;
}

static struct error *parse_frag(const struct key_text_row *row, const char *s, uint8_t *v)
{
    static const char *const names[] = { "no", "first", "", "later" };
    for (int i = 0; i < 4; i++) {
        if (i != FRAG_LATER && !strcmp(s, names[i])) {
            *v = i;
            return NULL;
        }
    }
    return bad(row, s, "kind of fragment; those are no, first, later");
}

/* One value without mask. */
static struct error *parse_bare(const struct key_text_row *row, const char *s, uint8_t *p)
{
    struct eth_addr mac;
    struct in6_addr ip6;
    be32 ip4;
    switch (row->form) {
    case KEY_FORM_MAC:
        if (!parse_eth_addr(s, &mac)) {
            return bad(row, s, "Ethernet address");
        }
        memcpy(p, &mac, sizeof mac);
        return NULL;
    case KEY_FORM_IP4:
        if (!parse_ip4(s, &ip4)) {
            return bad(row, s, "IPv4 address");
        }
        memcpy(p, &ip4, sizeof ip4);
        return NULL;
    case KEY_FORM_IP6:
        if (!parse_ip6(s, &ip6)) {
            return bad(row, s, "IPv6 address");
        }
        memcpy(p, &ip6, sizeof ip6);
        return NULL;
    case KEY_FORM_WIDE_HEX:
        return parse_wide(s, p) ? NULL : bad(row, s, "number of up to 128 bits");
    case KEY_FORM_FRAG:
        return parse_frag(row, s, p);
    default:
        return parse_number(row, s, p);
    }
}

static struct error *parse_mask(const struct key_text_row *row, const char *s, uint8_t *m)
{
    uint64_t prefix;
    if ((row->form == KEY_FORM_IP4 || row->form == KEY_FORM_IP6) && !strpbrk(s, ".:")) {
        bool is_ip4 = row->form == KEY_FORM_IP4;
        if (!parse_uint(s, 0, is_ip4 ? 32 : 128, &prefix)) {
            return bad(row, s, is_ip4 ? "prefix length from 0 to 32" : "prefix length from 0 to 128");
        }
        if (is_ip4) {
            be32 bits = ip4_prefix_mask(prefix);
            memcpy(m, &bits, sizeof bits);
        } else {
            struct in6_addr bits = ip6_prefix_mask(prefix);
            memcpy(m, &bits, sizeof bits);
        }
        return NULL;
    }
    if (row->form == KEY_FORM_FRAG) {
        return parse_number(row, s, m);
    }
    return parse_bare(row, s, m);
}

static struct error *parse_value(struct parser *p, const struct key_text_row *row, char *s)
{
    uint8_t *v = (uint8_t *) p->key + row->ofs, *m = (uint8_t *) &p->mask->bits + row->ofs;
    if (row->form == KEY_FORM_TCP_FLAGS || row->form == KEY_FORM_CT_STATE || row->form == KEY_FORM_TUNNEL_FLAGS) {
        return parse_flags(row, s, v, m);
    }
    char *slash = strchr(s, '/');
    if (slash) {
        *slash++ = '\0';
    }
    struct error *e = parse_bare(row, s, v);
    if (e) {
        return e;
    }
    if (slash) {
        return parse_mask(row, slash, m);
    }
    if (row->form == KEY_FORM_BITS || row->ofs == offsetof(struct key, l3.ip6_label)) {
        store_number(row, largest(row), m);
    } else {
        memset(m, 0xff, key_text_row_size(row));
    }
    return NULL;
}

/* "vid=5,pcp=0": the next tag. */
static struct error *parse_vlan(struct parser *p, char *args)
{
    if (p->n_vlans == KEY_MAX_VLANS) {
        return error_new(EINVAL, "vlan: more than %d tags", KEY_MAX_VLANS);
    }
    uint16_t tci = VLAN_CFI, bits = VLAN_CFI;
    char *save = NULL;
    for (char *word = strtok_r(args, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        char *value = strchr(word, '='), *slash = value ? strchr(value, '/') : NULL;
        if (!value) {
            return error_new(EINVAL, "vlan: \"%s\" needs a value, as in vid=5", word);
        }
        *value++ = '\0';
        if (slash) {
            *slash++ = '\0';
        }
        unsigned shift = !strcmp(word, "pcp") ? VLAN_PCP_SHIFT : !strcmp(word, "cfi") ? 12 : 0;
        uint64_t max = shift == VLAN_PCP_SHIFT ? 7 : shift == 12 ? 1 : VLAN_VID_MASK, x, m = max;
        if (!shift && strcmp(word, "vid")) {
            return error_new(EINVAL, "vlan: \"%s\" is none of vid, pcp, cfi", word);
        }
        if (!parse_uint(value, 0, max, &x) || (slash && !parse_uint(slash, 0, max, &m))) {
            return error_new(EINVAL, "vlan: %s must be from 0 to %llu", word, (unsigned long long) max);
        }
        tci = shift == 12 ? (tci & ~VLAN_CFI) | x << 12 : tci | x << shift;
        bits |= m << shift;
    }
    p->key->l2.vlan[p->n_vlans] = (struct key_vlan) { p->tpid ? p->tpid : htobe16(ETH_TYPE_VLAN), htobe16(tci) };
    p->mask->bits.l2.vlan[p->n_vlans] = (struct key_vlan) { 0xffff, htobe16(bits) };
    p->n_vlans++;
    if (p->tpid) {
        p->tpid = 0;
        p->key->l2.type = p->mask->bits.l2.type = 0;
    }
    return NULL;
}

static struct error *parse_list(struct parser *p, char *s, int depth);

static const struct key_text_row *find_row(const char *group, const char *name, bool *group_known)
{
    for (uint32_t i = 0; i < key_text_n_rows; i++) {
        const struct key_text_row *row = &key_text_rows[i];
        if (!strcmp(row->group, group)) {
            *group_known = true;
            if (name ? row->name && !strcmp(row->name, name) : !row->name) {
                return row;
            }
        }
    }
    return NULL;
}

/* "gbp(id=5,flags=0x8)" */
static struct error *parse_gbp(struct parser *p, char *s)
{
    size_t n = strlen(s);
    if (strncmp(s, "gbp(", 4) || s[n - 1] != ')') {
        return error_new(EINVAL, "tunnel: of vxlan(...) only gbp(id=...,flags=...) is there, not \"%s\"", s);
    }
    s[n - 1] = '\0';
    char *save = NULL;
    for (char *word = strtok_r(s + 4, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        char *value = strchr(word, '=');
        bool known = false;
        if (value) {
            *value++ = '\0';
        }
        const struct key_text_row *row = !strcmp(word, "id") ? find_row("tunnel", "gbp_id", &known)
                                         : !strcmp(word, "flags") ? find_row("tunnel", "gbp_flags", &known) : NULL;
        if (!row || !value) {
            return error_new(EINVAL, "tunnel: vxlan(gbp(...)) holds id=... and flags=..., not \"%s\"", word);
        }
        struct error *e = parse_value(p, row, value);
        if (e) {
            return e;
        }
    }
    return NULL;
}

/* Either the value itself, or "name=value,name=value". */
static struct error *parse_members(struct parser *p, const char *group, char *args)
{
    bool known = false;
    const struct key_text_row *row = find_row(group, NULL, &known);
    if (row) {
        struct error *e = parse_value(p, row, args);
        if (!e && row->form == KEY_FORM_TYPE) {
            be16 type = p->key->l2.type;
            p->tpid = type == htobe16(ETH_TYPE_VLAN) || type == htobe16(ETH_TYPE_SVLAN) ? type : 0;
        }
        return e;
    }
    if (!known) {
        return error_new(EINVAL, "\"%s\" is no part of a flow; those are recirc_id, in_port, eth, eth_type, vlan, encap, "
                         "ipv4, ipv6, arp, tcp, udp, sctp, icmp, icmpv6, nd, tunnel and others of ovs-dpctl(8)", group);
    }
    while (*args) {
        size_t n = piece_length(args);
        if (n == SIZE_MAX) {
            return error_new(EINVAL, "%s: parentheses do not match", group);
        }
        char *next = args[n] ? args + n + 1 : args + n;
        args[n] = '\0';
        size_t name_len = strcspn(args, "=(");
        char *value = args + name_len, *name = args;
        if (*value == '(') {
            value[strlen(value) - 1] = '\0';
        } else if (!*value) {
            return error_new(EINVAL, "%s: \"%s\" needs a value", group, args);
        }
        *value++ = '\0';
        if (!strcmp(group, "tunnel") && !strcmp(name, "vxlan")) {
            struct error *e = parse_gbp(p, value);
            if (e) {
                return e;
            }
            args = next;
            continue;
        }
        row = find_row(group, name, &known);
        if (!row) {
            return error_new(EINVAL, "%s: it has no member \"%s\"", group, name);
        }
        struct error *e = parse_value(p, row, value);
        if (e) {
            return e;
        }
        args = next;
    }
    return NULL;
}

/* One "group(arguments)", which may be changed. */
static struct error *parse_group(struct parser *p, char *s, int depth)
{
    char *open = strchr(s, '(');
    size_t n = strlen(s);
    if (!open || s[n - 1] != ')') {
        return error_new(EINVAL, "\"%s\" is not of the form name(...)", s);
    }
    s[n - 1] = '\0';
    *open++ = '\0';
    if (!strcmp(s, "encap")) {
        return parse_list(p, open, depth + 1);
    }
    if (!strcmp(s, "vlan")) {
        return parse_vlan(p, open);
    }
    if (!strcmp(s, "packet_type")) {
        return !strcmp(open, "ns=0,id=0") ? NULL
               : error_new(EINVAL, "packet_type: only Ethernet, (ns=0,id=0), is there");
    }
    return parse_members(p, s, open);
}

static struct error *parse_list(struct parser *p, char *s, int depth)
{
    if (depth > MAX_NESTING) {
        return error_new(EINVAL, "encap is nested deeper than %d", MAX_NESTING);
    }
    for (;;) {
        s += strspn(s, ", \t\n");
        if (!*s) {
            return NULL;
        }
        size_t n = piece_length(s);
        if (n == SIZE_MAX) {
            return error_new(EINVAL, "\"%.40s\": parentheses do not match", s);
        }
        char *next = s[n] ? s + n + 1 : s + n;
        s[n] = '\0';
        while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\n')) {
            s[--n] = '\0';
        }
        struct error *e = parse_group(p, s, depth);
        if (e) {
            return e;
        }
        s = next;
    }
}

struct error *key_parse(const char *s, struct key *key, struct mask *mask)
{
    struct parser p = { .key = key, .mask = mask };
    memset(key, 0, sizeof *key);
    memset(mask, 0, sizeof *mask);
    char *copy = xstrdup(s);
    struct error *e = parse_list(&p, copy, 0);
    free(copy);
    mask_seal(mask);
    return e;
}
