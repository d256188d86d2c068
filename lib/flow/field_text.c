/* SPDX-License-Identifier: Apache-2.0 */
/* Values of fields, subfields and port numbers as text. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/flow/fields.h"
#include "lib/flow/flags.h"
#include "lib/packet/headers.h"

/* ---- Port numbers ---- */

static const struct { const char *name; ofp_port port; } reserved_ports[] = {
    { "IN_PORT", 0xfffffff8 }, { "TABLE", 0xfffffff9 }, { "NORMAL", 0xfffffffa }, { "FLOOD", 0xfffffffb },
    { "ALL", 0xfffffffc }, { "CONTROLLER", 0xfffffffd }, { "LOCAL", 0xfffffffe }, { "ANY", 0xffffffff },
    { "NONE", 0xffffffff }, { "UNSET", 0xfffffff7 },
};

struct error *port_number_parse(const char *s, const struct port_names *names, ofp_port *port)
{
    uint64_t n;
    if (parse_u64(s, &n)) {
        if (n >= 0xff00 && n <= 0xffff) {
            n |= 0xffff0000;
        }
        if (n < 0xff00 || (n >= 0xffffff00 && n <= UINT32_MAX)) {
            *port = n;
            return NULL;
        }
        return error_new(EINVAL, "\"%s\" is no port number: those are 0 to 65279, and reserved names such as LOCAL", s);
    }
    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
        if (!strcasecmp(s, reserved_ports[i].name)) {
            *port = reserved_ports[i].port;
            return NULL;
        }
    }
    size_t len = strlen(s);
    char *name = len >= 2 && *s == '"' && s[len - 1] == '"' ? xstrndup(s + 1, len - 2) : xstrdup(s);
    bool found = names && names->to_number(names, name, port);
    free(name);
    return found ? NULL : error_new(EINVAL, "\"%s\" is no port: neither a number, a reserved name such as LOCAL, nor the "
                                    "name of a port that is known here", s);
}

static bool needs_quotes(const char *name)
{
    for (const char *p = name; *p; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        if (!letter && (p == name || *p < '0' || *p > '9')) {
            return true;
        }
    }
    return !*name;
}

void port_number_format(ofp_port port, const struct port_names *names, struct text *t)
{
    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
        if (reserved_ports[i].port == port) {
            text_put(t, reserved_ports[i].name);
            return;
        }
    }
    const char *name = names ? names->to_name(names, port) : NULL;
    if (name) {
        text_printf(t, needs_quotes(name) ? "\"%s\"" : "%s", name);
    } else {
        text_printf(t, "%u", port);
    }
}

/* ---- Numbers of up to 128 bits ---- */

static void put_hex(struct text *t, const uint8_t *b, unsigned n)
{
    while (n > 1 && !*b) {
        b++;
        n--;
    }
    if (n == 1 && !*b) {
        text_put_char(t, '0');
        return;
    }
    text_printf(t, "0x%x", *b++);
    while (--n) {
        text_printf(t, "%02x", *b++);
    }
}

static bool is_all(const struct field *f, const union field_value *mask)
{
    return !mask || !memcmp(mask, &f->valid, f->n_bytes);
}

static bool is_none(const struct field *f, const union field_value *mask)
{
    return mask && field_is_zero(f, mask);
}

static struct error *parse_number(const struct field *f, const char *s, union field_value *v)
{
    memset(v, 0, sizeof *v);
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    unsigned base = hex ? 16 : 10;
    const char *p = hex ? s + 2 : s;
    if (!*p) {
        return error_new(EINVAL, "\"%s\" is no number", s);
    }
    unsigned __int128 x = 0, limit = ~(unsigned __int128) 0;
    if (f->n_bytes < 16) {
        limit = ((unsigned __int128) 1 << f->n_bytes * 8) - 1;
    }
    for (; *p; p++) {
        unsigned digit = *p >= '0' && *p <= '9' ? *p - '0'
                         : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10
                         : *p >= 'A' && *p <= 'F' ? *p - 'A' + 10 : 99;
        if (digit >= base) {
            return error_new(EINVAL, "\"%s\" is no number", s);
        }
        if (x > (limit - digit) / base) {
            return error_new(EINVAL, "%s is too large, there are %u bits", s, f->n_bits);
        }
        x = x * base + digit;
    }
    for (unsigned i = f->n_bytes; i-- > 0;) {
        v->b[i] = x;
        x >>= 8;
    }
    return NULL;
}

/* ---- Fragments ---- */

static const struct { const char *name; uint8_t value, mask; } frag_names[] = {
    { "no", 0, FRAG_ANY | FRAG_LATER }, { "yes", FRAG_ANY, FRAG_ANY }, { "first", FRAG_ANY, FRAG_ANY | FRAG_LATER },
    { "later", FRAG_ANY | FRAG_LATER, FRAG_ANY | FRAG_LATER }, { "not_later", 0, FRAG_LATER },
};

/* Equivalent combinations have one name: what is later is a fragment too, and what is none is not later. */
static void format_frag(uint8_t value, uint8_t mask, struct text *t)
{
    value &= mask;
    if (mask & FRAG_LATER && value & FRAG_LATER) {
        text_put(t, "later");
    } else if (mask & FRAG_ANY && !(value & FRAG_ANY)) {
        text_put(t, "no");
    } else if (mask == (FRAG_ANY | FRAG_LATER)) {
        text_put(t, "first");
    } else {
        text_put(t, mask & FRAG_LATER ? "not_later" : "yes");
    }
}

static struct error *parse_frag(const char *s, union field_value *v, union field_value *m)
{
    for (size_t i = 0; i < ARRAY_SIZE(frag_names); i++) {
        if (!strcasecmp(s, frag_names[i].name)) {
            v->b[0] = frag_names[i].value;
            m->b[0] = frag_names[i].mask;
            return NULL;
        }
    }
    return error_new(EINVAL, "\"%s\" is no kind of fragment; those are no, yes, first, later, not_later", s);
}

/* ---- Any field ---- */

static const struct flag_names *flag_names_of(const struct field *f)
{
    switch (f->form) {
    case FORM_TCP_FLAGS:
        return &tcp_flag_names;
    case FORM_CT_STATE:
        return &ct_state_names;
    case FORM_TUN_FLAGS:
        return &tun_flag_names;
    default:
        return NULL;
    }
}

static uint32_t low32(const struct field *f, const union field_value *v)
{
    uint32_t x = 0;
    for (unsigned i = 0; i < f->n_bytes; i++) {
        x = x << 8 | v->b[i];
    }
    return x;
}

static void put_low32(const struct field *f, uint32_t x, union field_value *v)
{
    memset(v, 0, sizeof *v);
    for (unsigned i = f->n_bytes; i-- > 0 && x;) {
        v->b[i] = x;
        x >>= 8;
    }
}

static void put_ip6(struct text *t, const struct in6_addr *ip)
{
    char s[INET6_ADDRSTRLEN];
    text_put(t, inet_ntop(AF_INET6, ip, s, sizeof s));
}

static void put_eth(struct text *t, struct eth_addr mac)
{
    text_printf(t, ETH_FMT, ETH_ARGS(mac));
}

/* "address/prefix" or "address/mask". */
static void format_address_mask(const struct field *f, const union field_value *mask, struct text *t)
{
    text_put_char(t, '/');
    if (f->form == FORM_MAC) {
        put_eth(t, mask->mac);
    } else if (f->form == FORM_IP4) {
        int prefix = ip4_mask_prefix(mask->be32);
        prefix >= 0 ? text_printf(t, "%d", prefix) : text_printf(t, IP4_FMT, IP4_ARGS(mask->be32));
    } else {
        int prefix = ip6_mask_prefix(&mask->ip6);
        prefix >= 0 ? text_printf(t, "%d", prefix) : put_ip6(t, &mask->ip6);
    }
}

void field_format(const struct field *f, const union field_value *v, const union field_value *mask,
                  const struct port_names *ports, struct text *t)
{
    if (is_none(f, mask)) {
        text_put(t, "ANY");
        return;
    }
    bool exact = is_all(f, mask);
    switch (f->form) {
    case FORM_PORT: {
        uint32_t port = low32(f, v);
        port_number_format(f->n_bytes == 2 && port >= 0xff00 ? port | 0xffff0000 : port, ports, t);
        return;
    }
    case FORM_FRAG:
        format_frag(v->b[0], mask ? mask->b[0] : FRAG_ANY | FRAG_LATER, t);
        return;
    case FORM_TCP_FLAGS:
    case FORM_CT_STATE:
    case FORM_TUN_FLAGS:
        if (exact) {
            flags_format(flag_names_of(f), low32(f, v), t);
        } else {
            flags_format_masked(flag_names_of(f), low32(f, v), low32(f, mask), t);
        }
        return;
    case FORM_PACKET_TYPE:
        text_printf(t, low32(f, v) & 0xffff ? "(%u,0x%x)" : "(%u,%u)", low32(f, v) >> 16, low32(f, v) & 0xffff);
        return;
    case FORM_MAC:
        put_eth(t, v->mac);
        break;
    case FORM_IP4:
        text_printf(t, IP4_FMT, IP4_ARGS(v->be32));
        break;
    case FORM_IP6:
        put_ip6(t, &v->ip6);
        break;
    case FORM_DECIMAL:
        text_printf(t, "%u", low32(f, v));
        if (!exact) {
            text_put_char(t, '/');
            put_hex(t, mask->b, f->n_bytes);
        }
        return;
    case FORM_HEX:
        put_hex(t, v->b, f->n_bytes);
        if (!exact) {
            text_put_char(t, '/');
            put_hex(t, mask->b, f->n_bytes);
        }
        return;
    }
    if (!exact) {
        format_address_mask(f, mask, t);
    }
}

static struct error *parse_packet_type(const char *s, union field_value *v)
{
    unsigned ns, type;
    char end;
    if (sscanf(s, "(%5u,%7i%c", &ns, (int *) &type, &end) != 3 || end != ')' || ns > 0xffff || type > 0xffff) {
        return error_new(EINVAL, "\"%s\" is no packet type: \"(namespace,type)\", as in (1,0x800)", s);
    }
    v->be32 = htobe32(ns << 16 | type);
    return NULL;
}

static struct error *parse_mac(const char *s, const char *mask, union field_value *v, union field_value *m)
{
    if (!parse_eth_addr(s, &v->mac)) {
        return error_new(EINVAL, "\"%s\" is no Ethernet address: six hex bytes with colons between", s);
    }
    if (mask && !parse_eth_addr(mask, &m->mac)) {
        return error_new(EINVAL, "\"%s\" is no mask of an Ethernet address: six hex bytes with colons between", mask);
    }
    return NULL;
}

static struct error *parse_parts(const struct field *f, const char *s, const char *mask, const struct port_names *ports,
                                 union field_value *v, union field_value *m)
{
    struct error *e = NULL;
    switch (f->form) {
    case FORM_PORT: {
        ofp_port port;
        e = port_number_parse(s, ports, &port);
        if (!e) {
            put_low32(f, f->n_bytes == 2 ? port & 0xffff : port, v);
        }
        break;
    }
    case FORM_FRAG:
        return parse_frag(s, v, m);
    case FORM_PACKET_TYPE:
        return parse_packet_type(s, v);
    case FORM_MAC:
        return parse_mac(s, mask, v, m);
    default:
        e = parse_number(f, s, v);
        if (!e && mask) {
            return parse_number(f, mask, m);
        }
        return e;
    }
    return e;
}

struct error *field_parse(const struct field *f, const char *s, const struct port_names *ports, union field_value *value,
                          union field_value *mask)
{
    union field_value v = { { 0 } }, m;
    struct error *e = NULL;
    field_all_ones(f, &m);

    if (!strcmp(s, "*") || !strcmp(s, "ANY")) {
        if (f->form != FORM_PORT) {
            memset(value, 0, sizeof *value);
            memset(mask, 0, sizeof *mask);
            return NULL;
        }
    }
    if (f->form == FORM_IP4) {
        if (!parse_ip4_masked(s, &v.be32, &m.be32)) {
            e = error_new(EINVAL, "\"%s\" is no IPv4 address: a.b.c.d, with /prefix or /mask if wanted", s);
        }
    } else if (f->form == FORM_IP6) {
        if (!parse_ip6_masked(s, &v.ip6, &m.ip6)) {
            e = error_new(EINVAL, "\"%s\" is no IPv6 address, with /prefix or /mask if wanted", s);
        }
    } else if (flag_names_of(f)) {
        uint32_t x = 0, y = 0;
        e = flags_parse(flag_names_of(f), s, &x, &y);
        put_low32(f, x, &v);
        put_low32(f, y, &m);
    } else {
        char *copy = xstrdup(s), *slash = strchr(copy, '/');
        if (slash) {
            *slash++ = '\0';
        }
        e = parse_parts(f, copy, slash, ports, &v, &m);
        if (!e && slash && (f->form == FORM_PORT || f->form == FORM_FRAG || f->form == FORM_PACKET_TYPE)) {
            e = error_new(EINVAL, "it takes no mask");
        }
        free(copy);
    }
    if (!e && !field_value_is_valid(f, &v)) {
        struct text bits = TEXT_INIT;
        put_hex(&bits, f->valid.b, f->n_bytes);
        e = error_new(EINVAL, "%s is no value; bits that may be set are %s", s, text_str(&bits));
        text_fini(&bits);
    }
    if (!e) {
        /* A mask may be written wider than the field is. */
        for (unsigned i = 0; i < f->n_bytes; i++) {
            m.b[i] &= f->valid.b[i];
        }
        if (!f->maskable && !is_all(f, &m) && !is_none(f, &m)) {
            e = error_new(EINVAL, "it takes no mask: all of it is matched, or nothing");
        }
    }
    if (e) {
        return error_wrap(e, "%s", f->name);
    }
    *value = v;
    *mask = m;
    return NULL;
}

/* ---- Subfields ---- */

struct error *subfield_parse(const char *s, struct subfield *sf)
{
    size_t n = strcspn(s, "[");
    char *name = xstrndup(s, n);
    const struct field *f = field_by_any_name(name);
    struct error *e = NULL;
    if (!f) {
        const struct field *near = field_nearest(name);
        e = error_new(EINVAL, "\"%s\" is no field%s%s%s", name, near ? "; did you mean \"" : "", near ? near->name : "",
                      near ? "\"?" : "");
    }
    free(name);
    if (e) {
        return e;
    }
    s += n;
    unsigned from = 0, to = f->n_bits - 1;
    int end = 0;
    if (*s && strcmp(s, "[]")) {
        if (sscanf(s, "[%5u..%5u]%n", &from, &to, &end) == 2 && end && !s[end]) {
            /* A range. */
        } else if (end = 0, sscanf(s, "[%5u]%n", &from, &end) == 1 && end && !s[end]) {
            to = from;
        } else {
            return error_new(EINVAL, "\"%s\" is no range of bits: [first..last], [bit] or []", s);
        }
    }
    if (from > to || to >= f->n_bits) {
        return error_new(EINVAL, "%s: bits %u to %u are not in %s, which has bits 0 to %u", f->name, from, to, f->name,
                         f->n_bits - 1);
    }
    *sf = (struct subfield) { f, from, to - from + 1 };
    return NULL;
}

void subfield_format(const struct subfield *sf, struct text *t)
{
    text_put(t, sf->field->code_name ? sf->field->code_name : sf->field->name);
    if (sf->ofs == 0 && sf->n_bits == sf->field->n_bits) {
        text_put(t, "[]");
    } else if (sf->n_bits == 1) {
        text_printf(t, "[%u]", sf->ofs);
    } else {
        text_printf(t, "[%u..%u]", sf->ofs, sf->ofs + sf->n_bits - 1);
    }
}
