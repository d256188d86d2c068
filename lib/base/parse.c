/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, addresses and names from text, and back. */
#include "lib/base/parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool parse_u64(const char *s, uint64_t *out)
{
    unsigned base = 10;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if (!*s) {
        return false;
    }
    uint64_t x = 0;
    for (; *s; s++) {
        int digit = hex_value(*s);
        if (digit < 0 || digit >= (int) base || __builtin_mul_overflow(x, base, &x)
            || __builtin_add_overflow(x, (unsigned) digit, &x)) {
            return false;
        }
    }
    *out = x;
    return true;
}

bool parse_i64(const char *s, int64_t *out)
{
    bool negative = *s == '-';
    uint64_t x;
    if (!parse_u64(s + (negative || *s == '+'), &x)
        || x > (uint64_t) INT64_MAX + (negative ? 1 : 0)) {
        return false;
    }
    *out = negative ? (int64_t) -x : (int64_t) x;
    return true;
}

bool parse_uint(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t x;
    if (!parse_u64(s, &x) || x < min || x > max) {
        return false;
    }
    *out = x;
    return true;
}

bool parse_u32(const char *s, uint32_t *out)
{
    uint64_t x;
    bool ok = parse_uint(s, 0, UINT32_MAX, &x);
    if (ok) {
        *out = (uint32_t) x;
    }
    return ok;
}

bool parse_u16(const char *s, uint16_t *out)
{
    uint64_t x;
    bool ok = parse_uint(s, 0, UINT16_MAX, &x);
    if (ok) {
        *out = (uint16_t) x;
    }
    return ok;
}

bool parse_u8(const char *s, uint8_t *out)
{
    uint64_t x;
    bool ok = parse_uint(s, 0, UINT8_MAX, &x);
    if (ok) {
        *out = (uint8_t) x;
    }
    return ok;
}

bool parse_double(const char *s, double *out)
{
    if (!*s || s[strspn(s, "0123456789+-.eE")]) {   /* No white space, hex, "inf" or "nan". */
        return false;
    }
    char *end;
    double x = strtod(s, &end);
    if (*end || end == s || x > 1.7976931348623157e308 || x < -1.7976931348623157e308) {
        return false;
    }
    *out = x;
    return true;
}

bool parse_bool(const char *s, bool *out)
{
    bool is_true = !strcmp(s, "true");
    if (!is_true && strcmp(s, "false")) {
        return false;
    }
    *out = is_true;
    return true;
}

bool parse_eth_addr(const char *s, struct eth_addr *out)
{
    struct eth_addr a;
    for (int i = 0; i < 6; i++) {
        int high = hex_value(*s);
        if (high < 0) {
            return false;
        }
        s++;
        int low = hex_value(*s);
        if (low >= 0) {
            s++;
            a.b[i] = (uint8_t) (high << 4 | low);
        } else {
            a.b[i] = (uint8_t) high;   /* One digit is fine: 0:1:2:3:4:5. */
        }
        if (*s++ != (i < 5 ? ':' : '\0')) {
            return false;
        }
    }
    *out = a;
    return true;
}

bool parse_ip4(const char *s, be32 *out)
{
    struct in_addr a;
    if (inet_pton(AF_INET, s, &a) != 1) {
        return false;
    }
    *out = a.s_addr;
    return true;
}

/* Splits "ADDRESS/MASK" at the slash into 'address' of INET6_ADDRSTRLEN bytes; '*mask' is NULL
 * without one. */
static bool split_mask(const char *s, char *address, const char **mask)
{
    const char *slash = strchr(s, '/');
    size_t n = slash ? (size_t) (slash - s) : strlen(s);
    if (n >= INET6_ADDRSTRLEN) {
        return false;
    }
    memcpy(address, s, n);
    address[n] = '\0';
    *mask = slash ? slash + 1 : NULL;
    return true;
}

bool parse_ip4_masked(const char *s, be32 *ip, be32 *mask)
{
    char address[INET6_ADDRSTRLEN];
    const char *mask_text;
    be32 a, m = UINT32_MAX;
    uint64_t prefix;
    if (!split_mask(s, address, &mask_text) || !parse_ip4(address, &a)) {
        return false;
    }
    if (mask_text) {
        if (parse_uint(mask_text, 0, 32, &prefix)) {
            m = ip4_prefix_mask((unsigned) prefix);
        } else if (!parse_ip4(mask_text, &m)) {
            return false;
        }
    }
    *ip = a;
    *mask = m;
    return true;
}

bool parse_ip6(const char *s, struct in6_addr *out)
{
    struct in6_addr a;
    if (inet_pton(AF_INET6, s, &a) != 1) {
        return false;
    }
    *out = a;
    return true;
}

bool parse_ip6_masked(const char *s, struct in6_addr *ip, struct in6_addr *mask)
{
    char address[INET6_ADDRSTRLEN];
    const char *mask_text;
    struct in6_addr a, m = ip6_prefix_mask(128);
    uint64_t prefix;
    if (!split_mask(s, address, &mask_text) || !parse_ip6(address, &a)) {
        return false;
    }
    if (mask_text) {
        if (parse_uint(mask_text, 0, 128, &prefix)) {
            m = ip6_prefix_mask((unsigned) prefix);
        } else if (!parse_ip6(mask_text, &m)) {
            return false;
        }
    }
    *ip = a;
    *mask = m;
    return true;
}

bool parse_ip(const char *s, struct in6_addr *out)
{
    be32 ip4;
    if (parse_ip4(s, &ip4)) {
        *out = ip6_from_ip4(ip4);
        return true;
    }
    return parse_ip6(s, out);
}

size_t parse_hex(const char *s, uint8_t *out, size_t max)
{
    size_t n = 0;
    for (;;) {
        while (isspace((unsigned char) *s)) {
            s++;
        }
        if (!*s) {
            return n;
        }
        int high = hex_value(s[0]);
        int low = high >= 0 ? hex_value(s[1]) : -1;
        if (low < 0 || n >= max) {
            return SIZE_MAX;
        }
        out[n++] = (uint8_t) (high << 4 | low);
        s += 2;
    }
}

int ip4_mask_prefix(be32 mask)
{
    uint32_t host = be32toh(mask);
    uint32_t rest = ~host;
    return rest & (rest + 1) ? -1 : __builtin_popcount(host);
}

int ip6_mask_prefix(const struct in6_addr *mask)
{
    int prefix = 0;
    bool ended = false;
    for (int i = 0; i < 4; i++) {
        int part = ip4_mask_prefix(mask->s6_addr32[i]);
        if (part < 0 || (ended && part)) {
            return -1;
        }
        ended = part < 32;
        prefix += part;
    }
    return prefix;
}

be32 ip4_prefix_mask(unsigned prefix)
{
    return prefix ? htobe32(UINT32_MAX << (32 - MIN(prefix, 32u))) : 0;
}

struct in6_addr ip6_prefix_mask(unsigned prefix)
{
    struct in6_addr m;
    for (unsigned i = 0; i < 4; i++) {
        m.s6_addr32[i] = ip4_prefix_mask(prefix > i * 32 ? prefix - i * 32 : 0);
    }
    return m;
}

void text_put_ip(struct text *t, const struct in6_addr *a)
{
    char s[INET6_ADDRSTRLEN];
    if (ip6_is_v4mapped(a)) {
        text_printf(t, IP4_FMT, IP4_ARGS(ip6_to_ip4(a)));
    } else {
        text_put(t, inet_ntop(AF_INET6, a, s, sizeof s));
    }
}

struct in6_addr ip6_from_ip4(be32 ip4)
{
    struct in6_addr a;
    memset(&a, 0, sizeof a);
    a.s6_addr[10] = a.s6_addr[11] = 0xff;
    a.s6_addr32[3] = ip4;
    return a;
}

unsigned string_distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    /* Three rows of the table of distances between prefixes of 'a' and of 'b'. */
    unsigned *rows = xcalloc(3 * (nb + 1), sizeof *rows);
    unsigned *before = rows, *last = rows + nb + 1, *now = rows + 2 * (nb + 1);
    for (size_t j = 0; j <= nb; j++) {
        now[j] = (unsigned) j;
    }
    for (size_t i = 1; i <= na; i++) {
        unsigned *oldest = before;
        before = last;
        last = now;
        now = oldest;
        now[0] = (unsigned) i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned d = last[j - 1] + (a[i - 1] != b[j - 1]);
            d = MIN(d, last[j] + 1);
            d = MIN(d, now[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d = MIN(d, before[j - 2] + 1);
            }
            now[j] = d;
        }
    }
    unsigned result = now[nb];
    free(rows);
    return result;
}

const char *string_nearest(const char *word, const char *const *names)
{
    size_t length = strlen(word);
    const char *best = NULL;
    /* Not near from here on. */
    unsigned best_distance = (unsigned) MAX(length / 3, (size_t) 1) + 1;
    for (; length < 256 && *names; names++) {
        unsigned d = string_distance(word, *names);
        if (d < best_distance) {
            best_distance = d;
            best = *names;
        }
    }
    return best;
}
