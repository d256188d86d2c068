/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of named bits as text. */
#include "lib/flow/flags.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"

const struct flag_names tcp_flag_names = {
    "TCP flag", 0xfff,
    { "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]" },
};
const struct flag_names ct_state_names = {
    "ct_state flag", 0xff, { "new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat" },
};
const struct flag_names tun_flag_names = { "tunnel flag", 1, { "oam" } };

void flags_format(const struct flag_names *names, uint32_t value, struct text *t)
{
    if (!value) {
        text_put_char(t, '0');
        return;
    }
    const char *separator = "";
    for (int bit = 0; bit < 32; bit++) {
        if (value >> bit & 1 && names->names[bit]) {
            text_printf(t, "%s%s", separator, names->names[bit]);
            separator = "|";
        }
    }
    uint32_t rest = value & ~names->all;
    if (rest) {
        text_printf(t, "%s%#x", separator, rest);
    }
}

void flags_format_masked(const struct flag_names *names, uint32_t value, uint32_t mask, struct text *t)
{
    if (mask == names->all && value) {
        flags_format(names, value, t);
        return;
    }
    for (int bit = 0; bit < 32; bit++) {
        if (mask >> bit & 1 && names->names[bit]) {
            text_printf(t, "%c%s", value >> bit & 1 ? '+' : '-', names->names[bit]);
        }
    }
}

static int find_bit(const struct flag_names *names, const char *s, size_t n)
{
    for (int bit = 0; bit < 32; bit++) {
        if (names->names[bit] && strlen(names->names[bit]) == n && !memcmp(names->names[bit], s, n)) {
            return bit;
        }
    }
    return -1;
}

static struct error *unknown(const struct flag_names *names, const char *s, size_t n)
{
    char *list = NULL;
    for (int bit = 0; bit < 32; bit++) {
        if (names->names[bit]) {
            char *longer = xasprintf("%s%s%s", list ? list : "", list ? ", " : "", names->names[bit]);
            free(list);
            list = longer;
        }
    }
    struct error *e = error_new(EINVAL, "\"%.*s\" is no %s; those are %s", (int) MIN(n, 64), s, names->what, list);
    free(list);
    return e;
}

static struct error *parse_numbers(const struct flag_names *names, const char *s, uint32_t *value, uint32_t *mask)
{
    uint64_t v, m = names->all;
    char *copy = xstrdup(s), *slash = strchr(copy, '/');
    if (slash) {
        *slash = '\0';
    }
    bool good = parse_u64(copy, &v) && (!slash || parse_u64(slash + 1, &m));
    free(copy);
    if (!good) {
        return error_new(EINVAL, "\"%s\" is neither a number nor a set of %ss", s, names->what);
    }
    if (v & ~(uint64_t) names->all || (slash && m & ~(uint64_t) names->all && m != UINT16_MAX && m != UINT32_MAX)) {
        return error_new(EINVAL, "\"%s\" has bits that no %s has; those are %#x", s, names->what, names->all);
    }
    *value = v;
    *mask = m & names->all;
    return NULL;
}

struct error *flags_parse(const struct flag_names *names, const char *s, uint32_t *value, uint32_t *mask)
{
    if (*s >= '0' && *s <= '9') {
        return parse_numbers(names, s, value, mask);
    }
    uint32_t v = 0, m = 0;
    if (*s == '+' || *s == '-') {
        while (*s) {
            char sign = *s;
            if (sign != '+' && sign != '-') {
                return error_new(EINVAL, "\"%s\": each %s must have + or - before it", s, names->what);
            }
            s++;
            size_t n = strcspn(s, "+-");
            int bit = find_bit(names, s, n);
            if (bit < 0) {
                return unknown(names, s, n);
            }
            if (m >> bit & 1) {
                return error_new(EINVAL, "the %s \"%s\" is there twice", names->what, names->names[bit]);
            }
            m |= UINT32_C(1) << bit;
            v |= (uint32_t) (sign == '+') << bit;
            s += n;
        }
    } else {
        do {
            size_t n = strcspn(s, "|");
            int bit = find_bit(names, s, n);
            if (bit < 0) {
                return unknown(names, s, n);
            }
            v |= UINT32_C(1) << bit;
            s += n;
        } while (*s && *++s);
        m = names->all;
    }
    *value = v;
    *mask = m;
    return NULL;
}
