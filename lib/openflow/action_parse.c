/* SPDX-License-Identifier: Apache-2.0 */
/* Actions from text, in the syntax of ovs-actions(7), the older spellings included. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/ofact_text.h"
#include "lib/openflow/wire.h"
#include "lib/packet/headers.h"

enum { MAX_NESTING = 16, MAX_LIST = 0xfff0 };

struct parser {
    const struct port_names *names;
    struct buffer *out;
    enum ofp_version version;
    int depth;
};

static struct error *parse_list(struct parser *, char *s);

static struct error *bad(const char *action, const char *value, const char *right)
{
    return error_new(EINVAL, "action %s: \"%s\" is not %s", action, value, right);
}

/* ---- Pieces ---- */

bool flow_text_next(char **s, char **name, char **value, char *form)
{
    char *p = *s + strspn(*s, ", \t\r\n");
    if (!*p) {
        *s = p;
        return false;
    }
    *name = p;
    /* A name may be quoted (a port's). */
    if (*p == '"') {
        p += strcspn(p + 1, "\"") + 1;
        p += *p == '"';
    }
    p += strcspn(p, ":=(, \t\r\n");
    char delimiter = *p;
    if (delimiter != ':' && delimiter != '=' && delimiter != '(') {
        *form = 0;
        *value = p + strlen(p);
        if (*p) {
            *p++ = '\0';
            *value = p - 1;
        }
        *s = p;
        return true;
    }
    *form = delimiter;
    *p++ = '\0';
    *value = p;
    int level = delimiter == '(';
    for (; *p; p++) {
        if (*p == '(' || *p == '[') {
            level++;
        } else if (*p == ')' || *p == ']') {
            level--;
            if (delimiter == '(' && !level) {
                break;
            }
            if (level < 0) {
                break;
            }
        } else if (*p == '"') {
            size_t n = strcspn(p + 1, "\"");
            if (p[n + 1]) {
                p += n + 1;
            }
        } else if (level <= 0 && strchr(", \t\r\n", *p)) {
            break;
        }
    }
    if (*p) {
        *p++ = '\0';
    }
    *s = p;
    return true;
}

/* A number of up to 128 bits, right-aligned in 16 bytes. */
static bool parse_wide(const char *s, uint8_t out[16])
{
    uint64_t small;
    memset(out, 0, 16);
    if (parse_u64(s, &small)) {
        put_be64(out + 8, small);
        return true;
    }
    int64_t negative;
    if (s[0] == '-' && parse_i64(s, &negative)) {
        put_be64(out + 8, (uint64_t) negative);
        return true;
    }
    if (strncasecmp(s, "0x", 2) || !s[2] || strlen(s + 2) > 32) {
        return false;
    }
    char digits[33];
    memset(digits, '0', 32);
    memcpy(digits + 32 - strlen(s + 2), s + 2, strlen(s + 2));
    digits[32] = '\0';
    return parse_hex(digits, out, 16) == 16;
}

static bool fits_bits(const uint8_t value[16], unsigned n_bits)
{
    for (unsigned bit = n_bits; bit < 128; bit++) {
        if (value[15 - bit / 8] >> bit % 8 & 1) {
            return false;
        }
    }
    return true;
}

static struct error *parse_number(const char *action, const char *s, uint64_t max, uint64_t *out)
{
    uint64_t x;
    if (!parse_u64(s, &x) || x > max) {
        return error_new(EINVAL, "action %s: \"%s\" is not a number from 0 to %llu", action, s,
                         (unsigned long long) max);
    }
    *out = x;
    return NULL;
}

/* "A->B": cuts the string. */
static struct error *cut_arrow(const char *action, char *s, char **dst)
{
    char *arrow = strstr(s, "->");
    if (!arrow) {
        return error_new(EINVAL, "action %s: \"%s\" lacks \"->\" and a field after it", action, s);
    }
    *arrow = '\0';
    *dst = arrow + 2;
    while (isspace((unsigned char) **dst)) {
        (*dst)++;
    }
    return NULL;
}

static struct error *check_writable(const char *action, const struct field *f)
{
    return f->writable ? NULL : error_new(EINVAL, "action %s: field %s cannot be set", action, f->name);
}

/* ---- Setting fields ---- */

static struct ofact_set_field *put_set_field(struct parser *p, const struct field *f, enum ofact_raw raw)
{
    struct ofact_set_field *s = ofact_put(p->out, OFACT_SET_FIELD, sizeof *s);
    s->field = f;
    s->a.raw = raw;
    return s;
}

/* Puts 'value', right-aligned, at the subfield's bits, with a mask if these are not all. */
static void set_bits(struct ofact_set_field *s, const struct subfield *dst, const uint8_t value[16])
{
    unsigned last = dst->field->n_bytes * 8 - 1;
    s->masked = dst->n_bits < dst->field->n_bits;
    for (unsigned i = 0; i < dst->n_bits; i++) {
        unsigned at = last - (dst->ofs + i);
        if (s->masked) {
            s->mask.b[at / 8] |= 0x80 >> at % 8;
        }
        if (value[15 - i / 8] >> i % 8 & 1) {
            s->value.b[at / 8] |= 0x80 >> at % 8;
        }
    }
}

static struct error *set_subfield(struct parser *p, const char *action, const char *value, const char *where,
                                  enum ofact_raw raw)
{
    struct subfield dst;
    struct error *error = subfield_parse(where, &dst);
    error = error ? error : check_writable(action, dst.field);
    if (error) {
        return error;
    }
    uint8_t wide[16];
    if (!parse_wide(value, wide)) {
        return bad(action, value, "a number");
    }
    if (!fits_bits(wide, dst.n_bits)) {
        return error_new(EINVAL, "action %s: %s has more than the %u bits of %s", action, value, dst.n_bits, where);
    }
    set_bits(put_set_field(p, dst.field, raw), &dst, wide);
    return NULL;
}

static struct error *parse_load(struct parser *p, char *arg)
{
    char *dst;
    struct error *error = cut_arrow("load", arg, &dst);
    return error ? error : set_subfield(p, "load", arg, dst, RAW_REG_LOAD);
}

static bool is_all_ones(const struct field *f, const union field_value *mask)
{
    union field_value ones;
    memset(&ones, 0, sizeof ones);
    field_all_ones(f, &ones);
    return !memcmp(&ones, mask, f->n_bytes);
}

static struct error *parse_set_field(struct parser *p, char *arg)
{
    char *dst;
    struct error *error = cut_arrow("set_field", arg, &dst);
    if (error) {
        return error;
    }
    if (strchr(dst, '[')) {
        return set_subfield(p, "set_field", arg, dst, RAW_NONE);
    }
    const struct field *f = field_by_any_name(dst);
    if (!f) {
        struct subfield unused;
        return error_wrap(subfield_parse(dst, &unused), "action set_field");
    }
    error = check_writable("set_field", f);
    if (error) {
        return error;
    }
    union field_value value, mask;
    memset(&value, 0, sizeof value);
    memset(&mask, 0, sizeof mask);
    error = field_parse(f, arg, p->names, &value, &mask);
    if (error) {
        return error_wrap(error, "action set_field");
    }
    if (f->id == FIELD_VLAN_VID) {
        value.b[0] |= VLAN_CFI >> 8;   /* The bit says that there is a tag; which is so. */
    }
    if (!field_value_is_valid(f, &value)) {
        return error_new(EINVAL, "action set_field: field %s cannot be %s", f->name, arg);
    }
    struct ofact_set_field *s = put_set_field(p, f, RAW_NONE);
    s->value = value;
    s->masked = !is_all_ones(f, &mask) && f->maskable;
    if (s->masked) {
        s->mask = mask;
        for (unsigned i = 0; i < f->n_bytes; i++) {
            s->value.b[i] &= mask.b[i];
        }
    }
    return NULL;
}

static struct error *parse_mod(struct parser *p, const char *action, const char *arg, enum field_id id,
                               enum ofact_raw raw)
{
    const struct field *f = field_by_id(id);
    union field_value value, mask;
    memset(&value, 0, sizeof value);
    memset(&mask, 0, sizeof mask);
    struct error *error = field_parse(f, arg, p->names, &value, &mask);
    if (error) {
        return error_wrap(error, "action %s", action);
    }
    if (!is_all_ones(f, &mask) && id != FIELD_NW_TOS) {
        return error_new(EINVAL, "action %s: \"%s\": there can be no mask", action, arg);
    }
    if (!field_value_is_valid(f, &value)) {
        return error_new(EINVAL, "action %s: \"%s\" is out of range", action, arg);
    }
    put_set_field(p, f, raw)->value = value;
    return NULL;
}

static struct error *parse_vlan(struct parser *p, const char *action, const char *arg, enum ofact_type type, bool push)
{
    uint64_t value;
    struct error *error = parse_number(action, arg, type == OFACT_SET_VLAN_VID ? 4095 : 7, &value);
    if (!error) {
        struct ofact_vlan *v = ofact_put(p->out, type, sizeof *v);
        v->value = value;
        v->push = push;
    }
    return error;
}

static struct error *parse_l4(struct parser *p, const char *action, const char *arg, enum ofact_type type)
{
    uint64_t port;
    struct error *error = parse_number(action, arg, 65535, &port);
    if (!error) {
        ((struct ofact_l4_port *) ofact_put(p->out, type, sizeof(struct ofact_l4_port)))->port = port;
    }
    return error;
}

static struct error *parse_move(struct parser *p, char *arg)
{
    char *dst;
    struct subfield from, to;
    struct error *error = cut_arrow("move", arg, &dst);
    error = error ? error : subfield_parse(arg, &from);
    error = error ? error : subfield_parse(dst, &to);
    error = error ? error : check_writable("move", to.field);
    if (error) {
        return error;
    }
    if (from.n_bits != to.n_bits) {
        return error_new(EINVAL, "action move: from %u bits of %s to %u bits of %s; they must be as many", from.n_bits,
                         arg, to.n_bits, dst);
    }
    struct ofact_move *m = ofact_put(p->out, OFACT_MOVE, sizeof *m);
    subfield_assign(&m->src, &from);
    subfield_assign(&m->dst, &to);
    return NULL;
}

/* ---- Output ---- */

static void put_output(struct parser *p, ofp_port port, unsigned max_len)
{
    struct ofact_output *o = ofact_put(p->out, OFACT_OUTPUT, sizeof *o);
    o->port = port;
    o->max_len = port == OFPP_CONTROLLER ? max_len : 0;
}

static struct error *parse_output_trunc(struct parser *p, char *arg)
{
    char *name, *value, form;
    ofp_port port = OFPP_NONE;
    uint64_t max_len = 0;
    struct error *error = NULL;
    while (!error && flow_text_next(&arg, &name, &value, &form)) {
        if (!strcmp(name, "port")) {
            error = ofp_port_parse(value, p->names, &port);
        } else if (!strcmp(name, "max_len")) {
            error = parse_number("output", value, UINT32_MAX, &max_len);
        } else {
            error = error_new(EINVAL, "action output: \"%s\" is not known; there are port and max_len", name);
        }
    }
    if (!error && (port == OFPP_NONE || max_len < 14)) {
        error = error_new(EINVAL, "action output(port=PORT,max_len=BYTES): both are needed, and max_len is 14 or more");
    }
    if (!error && port >= OFPP_MAX && port != OFPP_LOCAL && port != OFPP_IN_PORT) {
        error = error_new(EINVAL, "action output with max_len: only to a port, LOCAL or IN_PORT");
    }
    if (!error) {
        struct ofact_output_trunc *o = ofact_put(p->out, OFACT_OUTPUT_TRUNC, sizeof *o);
        o->port = port;
        o->max_len = max_len;
    }
    return error;
}

static struct error *parse_output(struct parser *p, char *arg, char form)
{
    if (form == '(' ) {
        return parse_output_trunc(p, arg);
    }
    ofp_port port;
    bool is_field = strchr(arg, '[') || field_by_any_name(arg);
    if (!is_field) {
        struct error *error = ofp_port_parse(arg, p->names, &port);
        if (!error) {
            put_output(p, port, 0);
        }
        return error ? error_wrap(error, "action output") : NULL;
    }
    struct subfield src;
    struct error *error = subfield_parse(arg, &src);
    if (!error) {
        struct ofact_output_reg *o = ofact_put(p->out, OFACT_OUTPUT_REG, sizeof *o);
        subfield_assign(&o->src, &src);
        o->max_len = UINT16_MAX;
    }
    return error;
}

static struct error *parse_reason(const char *s, uint8_t *reason)
{
    for (uint8_t i = 0; ofp_packet_in_reason_name(i); i++) {
        if (!strcasecmp(s, ofp_packet_in_reason_name(i))) {
            *reason = i;
            return NULL;
        }
    }
    return parse_u8(s, reason) ? NULL : bad("controller", s, "a reason: no_match, action, invalid_ttl, action_set, "
                                            "group or packet_out");
}

static size_t parse_dotted_hex(const char *s, uint8_t *out, size_t max)
{
    size_t n = 0;
    while (*s) {
        if (*s == '.' && n) {
            s++;
        }
        if (!isxdigit((unsigned char) s[0]) || !isxdigit((unsigned char) s[1]) || n >= max) {
            return SIZE_MAX;
        }
        char two[3] = { s[0], s[1], '\0' };
        out[n++] = strtoul(two, NULL, 16);
        s += 2;
    }
    return n;
}

static struct error *parse_controller(struct parser *p, char *arg, char form)
{
    struct ofact_controller c = { .max_len = 0xffff, .reason = OFPR_ACTION };
    uint8_t *userdata = NULL;
    uint64_t x;
    struct error *error = NULL;
    if (form != '(') {
        x = 0xffff;
        error = *arg ? parse_number("controller", arg, 0xffff, &x) : NULL;
        if (!error) {
            put_output(p, OFPP_CONTROLLER, x);
        }
        return error;
    }
    char *name, *value, inner;
    while (!error && flow_text_next(&arg, &name, &value, &inner)) {
        if (!strcmp(name, "reason")) {
            error = parse_reason(value, &c.reason);
        } else if (!strcmp(name, "max_len")) {
            error = parse_number("controller", value, 0xffff, &x);
            c.max_len = error ? 0 : x;
        } else if (!strcmp(name, "id")) {
            error = parse_number("controller", value, 0xffff, &x);
            c.controller_id = error ? 0 : x;
        } else if (!strcmp(name, "userdata")) {
            free(userdata);
            userdata = xmalloc(strlen(value) / 2 + 1);
            size_t n = parse_dotted_hex(value, userdata, strlen(value) / 2 + 1);
            if (n == SIZE_MAX || n > 60000) {
                error = bad("controller", value, "bytes in hex, such as 01.a2.ff");
            } else {
                c.userdata_len = n;
            }
        } else if (!strcmp(name, "pause") || !strcmp(name, "meter_id")) {
            error = error_new(ENOTSUP, "action controller: \"%s\" is not supported", name);
        } else {
            static const char *const keys[] = { "reason", "max_len", "id", "userdata", NULL };
            const char *near = string_nearest(name, keys);
            error = error_new(EINVAL, "action controller: \"%s\" is not known%s%s%s", name,
                              near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
    }
    if (!error && c.reason == OFPR_ACTION && !c.controller_id && !c.userdata_len) {
        put_output(p, OFPP_CONTROLLER, c.max_len);
    } else if (!error) {
        struct ofact_controller *o = ofact_put(p->out, OFACT_CONTROLLER, sizeof c + c.userdata_len);
        c.a = o->a;
        *o = c;
        if (c.userdata_len) {
            memcpy(o->userdata, userdata, c.userdata_len);
        }
    }
    free(userdata);
    return error;
}

static struct error *parse_enqueue(struct parser *p, char *arg)
{
    char *save = NULL;
    char *port_text = strtok_r(arg, ":, \t", &save), *queue_text = strtok_r(NULL, ":, \t", &save);
    ofp_port port;
    uint64_t queue;
    if (!port_text || !queue_text) {
        return error_new(EINVAL, "action enqueue: it is written enqueue:PORT:QUEUE");
    }
    struct error *error = ofp_port_parse(port_text, p->names, &port);
    error = error ? error_wrap(error, "action enqueue") : parse_number("enqueue", queue_text, UINT32_MAX, &queue);
    if (!error) {
        struct ofact_enqueue *e = ofact_put(p->out, OFACT_ENQUEUE, sizeof *e);
        e->port = port;
        e->queue = queue;
    }
    return error;
}

static struct error *parse_resubmit(struct parser *p, char *arg, char form)
{
    ofp_port port = OFPP_IN_PORT;
    uint64_t table = 0xff;
    struct error *error = NULL;
    if (form == '(') {
        char *comma = strchr(arg, ',');
        if (comma) {
            *comma = '\0';
        }
        char *port_text = arg + strspn(arg, " \t");
        if (*port_text) {
            error = ofp_port_parse(port_text, p->names, &port);
        }
        char *table_text = comma ? comma + 1 + strspn(comma + 1, " \t") : NULL;
        char *more = table_text ? strchr(table_text, ',') : NULL;
        if (!error && more) {
            error = error_new(ENOTSUP, "action resubmit: \"%s\" after the table is not supported", more + 1);
        }
        if (!error && table_text && *table_text) {
            error = parse_number("resubmit", table_text, 255, &table);
        }
        if (!error && port == OFPP_IN_PORT && table == 0xff) {
            error = error_new(EINVAL, "action resubmit: neither a port nor a table is named");
        }
    } else {
        error = ofp_port_parse(arg, p->names, &port);
    }
    if (error) {
        return error_wrap(error, "action resubmit");
    }
    struct ofact_resubmit *r = ofact_put(p->out, OFACT_RESUBMIT, sizeof *r);
    r->in_port = port;
    r->table = table;
    return NULL;
}

/* ---- Learn ---- */

static void put_learn_spec(struct parser *p, const struct ofact_learn_spec *spec)
{
    ofact_learn_spec_assign(buffer_put_uninit(p->out, sizeof *spec), spec);
}

static struct error *learn_output(struct parser *p, const char *arg)
{
    struct ofact_learn_spec spec = { .dst_kind = LEARN_DST_OUTPUT };
    struct error *error = subfield_parse(arg, &spec.src);
    if (!error) {
        spec.n_bits = spec.src.n_bits;
        put_learn_spec(p, &spec);
    }
    return error;
}

static struct error *learn_load(struct parser *p, char *arg)
{
    struct ofact_learn_spec spec = { .dst_kind = LEARN_DST_LOAD };
    char *dst;
    struct error *error = cut_arrow("learn", arg, &dst);
    error = error ? error : subfield_parse(dst, &spec.dst);
    error = error ? error : check_writable("learn", spec.dst.field);
    if (error) {
        return error;
    }
    spec.n_bits = spec.dst.n_bits;
    if (parse_wide(arg, spec.value.b)) {
        spec.src_kind = LEARN_SRC_VALUE;
        if (!fits_bits(spec.value.b, spec.n_bits)) {
            return error_new(EINVAL, "action learn: %s has more than the %u bits of %s", arg, spec.n_bits, dst);
        }
    } else {
        error = subfield_parse(arg, &spec.src);
        if (!error && spec.src.n_bits != spec.dst.n_bits) {
            error = error_new(EINVAL, "action learn: %s and %s differ in width", arg, dst);
        }
    }
    if (!error) {
        put_learn_spec(p, &spec);
    }
    return error;
}

static struct error *learn_match(struct parser *p, const char *name, const char *value)
{
    struct ofact_learn_spec spec = { .dst_kind = LEARN_DST_MATCH };
    struct error *error = subfield_parse(name, &spec.dst);
    if (error) {
        return error;
    }
    spec.n_bits = spec.dst.n_bits;
    struct subfield src;
    struct error *no_field = *value ? subfield_parse(value, &src) : NULL;
    if (!*value) {
        spec.src = spec.dst;
    } else if (!no_field) {
        spec.src = src;
        if (src.n_bits != spec.n_bits) {
            return error_new(EINVAL, "action learn: %s and %s differ in width", name, value);
        }
    } else {
        const struct field *f = spec.dst.field;
        union field_value v, mask;
        spec.src_kind = LEARN_SRC_VALUE;
        memset(&v, 0, sizeof v);
        memset(&mask, 0, sizeof mask);
        error_free(no_field);
        if (parse_wide(value, spec.value.b)) {
            if (!fits_bits(spec.value.b, spec.n_bits)) {
                return error_new(EINVAL, "action learn: %s has more than the %u bits of %s", value, spec.n_bits, name);
            }
        } else {
            error = field_parse(f, value, p->names, &v, &mask);
            if (!error && (spec.n_bits != f->n_bits || !is_all_ones(f, &mask))) {
                error = bad("learn", value, "a number or a field");
            }
            memcpy(spec.value.b + 16 - f->n_bytes, v.b, f->n_bytes);
        }
    }
    if (!error) {
        put_learn_spec(p, &spec);
    }
    return error;
}

static struct error *parse_learn(struct parser *p, char *arg)
{
    size_t begin = p->out->len;
    struct ofact_learn l = { .priority = 32768, .table = 1 };
    ofact_put(p->out, OFACT_LEARN, sizeof l);
    unsigned n = 0;
    char *name, *value, form;
    struct error *error = NULL;
    while (!error && flow_text_next(&arg, &name, &value, &form)) {
        static const struct { const char *name; uint16_t max; } numbers[] = {
            { "table", 254 }, { "priority", 65535 }, { "idle_timeout", 65535 }, { "hard_timeout", 65535 },
        };
        uint16_t *const targets[] = { NULL, &l.priority, &l.idle_timeout, &l.hard_timeout };
        uint64_t x;
        size_t i;
        for (i = 0; i < ARRAY_SIZE(numbers) && strcmp(name, numbers[i].name); i++) {
        }
        if (i < ARRAY_SIZE(numbers)) {
            error = parse_number("learn", value, numbers[i].max, &x);
            if (!error && !i) {
                l.table = x;
            } else if (!error) {
                *targets[i] = x;
            }
        } else if (!strcmp(name, "cookie")) {
            error = parse_number("learn", value, UINT64_MAX, &l.cookie);
        } else if (!strcmp(name, "send_flow_rem")) {
            l.flags |= LEARN_SEND_FLOW_REM;
        } else if (!strcmp(name, "delete_learned") || !strcmp(name, "fin_idle_timeout")
                   || !strcmp(name, "fin_hard_timeout") || !strcmp(name, "limit") || !strcmp(name, "result_dst")) {
            error = error_new(ENOTSUP, "action learn: \"%s\" is not supported", name);
        } else {
            error = !strcmp(name, "load") ? learn_load(p, value) : !strcmp(name, "output") ? learn_output(p, value)
                    : learn_match(p, name, value);
            n++;
        }
        if (!error && p->out->len - begin > MAX_LIST) {
            error = error_new(EINVAL, "action learn: too many specifications");
        }
    }
    if (!error) {
        ofact_finish(p->out, begin);
        struct ofact_learn *o = (struct ofact_learn *) (p->out->data + begin);
        l.a = o->a;
        l.n_specs = n;
        memcpy(o, &l, sizeof l);
    }
    return error ? error_wrap(error, "action learn") : NULL;
}

/* ---- The rest ---- */

static struct error *parse_note(struct parser *p, const char *arg)
{
    size_t max = strlen(arg) / 2 + 8;
    uint8_t *bytes = xzalloc(max + 8);
    size_t n = parse_dotted_hex(arg, bytes, max);
    struct error *error = NULL;
    if (n == SIZE_MAX || n > 60000) {
        error = bad("note", arg, "bytes in hex, such as 01.a2.ff");
    } else {
        /* On the wire a note has 6 bytes, 14, 22, ...; so it has here. */
        size_t padded = ROUND_UP(n + 2, 8) - 2;
        struct ofact_note *o = ofact_put(p->out, OFACT_NOTE, sizeof *o + padded);
        o->n = padded;
        memcpy(o->data, bytes, n);
    }
    free(bytes);
    return error;
}

static struct error *parse_dec_ttl(struct parser *p, char *arg)
{
    size_t begin = p->out->len;
    unsigned n = 0;
    ofact_put(p->out, OFACT_DEC_TTL, sizeof(struct ofact_dec_ttl));
    char *save = NULL;
    for (char *word = strtok_r(arg, ", \t", &save); word; word = strtok_r(NULL, ", \t", &save)) {
        uint64_t id;
        struct error *error = parse_number("dec_ttl", word, 65535, &id);
        if (error) {
            return error;
        }
        if (++n > 1000) {
            return error_new(EINVAL, "action dec_ttl: too many controllers");
        }
        uint16_t host = id;
        buffer_put(p->out, &host, 2);
    }
    ofact_finish(p->out, begin);
    ((struct ofact_dec_ttl *) (p->out->data + begin))->n_ids = n;
    return NULL;
}

static struct error *parse_metadata(struct parser *p, const char *action, char *arg)
{
    char *slash = strchr(arg, '/');
    uint64_t value, mask = UINT64_MAX;
    if (slash) {
        *slash = '\0';
    }
    struct error *error = parse_number(action, arg, UINT64_MAX, &value);
    if (!error && slash) {
        error = parse_number(action, slash + 1, UINT64_MAX, &mask);
    }
    if (!error) {
        struct ofact_metadata *m = ofact_put(p->out, OFACT_WRITE_METADATA, sizeof *m);
        m->value = htobe64(value & mask);
        m->mask = htobe64(mask);
    }
    return error;
}

static struct error *parse_nested(struct parser *p, enum ofact_type type, char *arg)
{
    size_t begin = p->out->len;
    ofact_put(p->out, type, sizeof(struct ofact));
    if (++p->depth > MAX_NESTING) {
        return error_new(EINVAL, "actions are nested more than %d deep", MAX_NESTING);
    }
    struct error *error = parse_list(p, arg);
    p->depth--;
    if (!error && p->out->len - begin > MAX_LIST) {
        error = error_new(EINVAL, "action %s: too many actions inside", ofact_name(type));
    }
    if (!error) {
        ofact_finish(p->out, begin);
    }
    return error ? error_wrap(error, "in %s", ofact_name(type)) : NULL;
}

static struct error *put_number(struct parser *p, const char *action, const char *arg, enum ofact_type type,
                                size_t size, uint64_t max)
{
    uint64_t x;
    struct error *error = parse_number(action, arg, max, &x);
    if (!error) {
        void *o = ofact_put(p->out, type, size);
        switch (type) {
        case OFACT_GOTO_TABLE: ((struct ofact_goto_table *) o)->table = x; break;
        case OFACT_SET_TUNNEL: ((struct ofact_tunnel *) o)->id = x; break;
        default: ((struct ofact_group *) o)->group_id = x;   /* group, meter, set_queue: one number, at the same place */
        }
    }
    return error;
}

_Static_assert(offsetof(struct ofact_group, group_id) == offsetof(struct ofact_meter, meter_id)
               && offsetof(struct ofact_group, group_id) == offsetof(struct ofact_set_queue, queue), "one place");

static struct error *put_plain(struct parser *p, const char *action, const char *arg, enum ofact_type type)
{
    if (*arg) {
        return error_new(EINVAL, "action %s takes no argument, not \"%s\"", action, arg);
    }
    ofact_put(p->out, type, type == OFACT_DEC_TTL ? sizeof(struct ofact_dec_ttl) : sizeof(struct ofact));
    return NULL;
}

enum word {
    W_OUTPUT, W_CONTROLLER, W_ENQUEUE, W_GROUP, W_MOD_VLAN_VID, W_SET_VLAN_VID, W_MOD_VLAN_PCP, W_SET_VLAN_PCP,
    W_STRIP_VLAN, W_POP_VLAN, W_PUSH_VLAN, W_MOD_DL_SRC, W_MOD_DL_DST, W_MOD_NW_SRC, W_MOD_NW_DST, W_MOD_NW_TOS,
    W_MOD_NW_ECN, W_MOD_NW_TTL, W_MOD_TP_SRC, W_MOD_TP_DST, W_SET_FIELD, W_LOAD, W_MOVE, W_SET_TUNNEL, W_SET_TUNNEL64,
    W_SET_QUEUE, W_POP_QUEUE, W_DEC_TTL, W_RESUBMIT, W_LEARN, W_NOTE, W_EXIT, W_CLONE, W_METER, W_CLEAR_ACTIONS,
    W_WRITE_ACTIONS, W_APPLY_ACTIONS, W_WRITE_METADATA, W_GOTO_TABLE, W_DROP, N_WORDS
};

/* Every word that can begin an action. */
static const char *const words[N_WORDS + 1] = {
    [W_OUTPUT] = "output", [W_CONTROLLER] = "controller", [W_ENQUEUE] = "enqueue", [W_GROUP] = "group",
    [W_MOD_VLAN_VID] = "mod_vlan_vid", [W_SET_VLAN_VID] = "set_vlan_vid", [W_MOD_VLAN_PCP] = "mod_vlan_pcp",
    [W_SET_VLAN_PCP] = "set_vlan_pcp", [W_STRIP_VLAN] = "strip_vlan", [W_POP_VLAN] = "pop_vlan",
    [W_PUSH_VLAN] = "push_vlan", [W_MOD_DL_SRC] = "mod_dl_src", [W_MOD_DL_DST] = "mod_dl_dst",
    [W_MOD_NW_SRC] = "mod_nw_src", [W_MOD_NW_DST] = "mod_nw_dst", [W_MOD_NW_TOS] = "mod_nw_tos",
    [W_MOD_NW_ECN] = "mod_nw_ecn", [W_MOD_NW_TTL] = "mod_nw_ttl", [W_MOD_TP_SRC] = "mod_tp_src",
    [W_MOD_TP_DST] = "mod_tp_dst", [W_SET_FIELD] = "set_field", [W_LOAD] = "load", [W_MOVE] = "move",
    [W_SET_TUNNEL] = "set_tunnel", [W_SET_TUNNEL64] = "set_tunnel64", [W_SET_QUEUE] = "set_queue",
    [W_POP_QUEUE] = "pop_queue", [W_DEC_TTL] = "dec_ttl", [W_RESUBMIT] = "resubmit", [W_LEARN] = "learn",
    [W_NOTE] = "note", [W_EXIT] = "exit", [W_CLONE] = "clone", [W_METER] = "meter",
    [W_CLEAR_ACTIONS] = "clear_actions", [W_WRITE_ACTIONS] = "write_actions", [W_APPLY_ACTIONS] = "apply_actions",
    [W_WRITE_METADATA] = "write_metadata", [W_GOTO_TABLE] = "goto_table", [W_DROP] = "drop",
};

/* Words that Open vSwitch knows and that cannot be done here yet: said so rather than taken for a misspelling. */
static const char *const unsupported[] = {
    "bundle", "bundle_load", "multipath", "conjunction", "ct", "ct_clear", "nat", "sample", "push", "pop", "fin_timeout",
    "check_pkt_larger", "delete_field", "encap", "decap", "dec_nsh_ttl", "push_mpls", "pop_mpls", "set_mpls_label",
    "set_mpls_tc", "set_mpls_ttl", "dec_mpls_ttl", NULL
};

static struct error *parse_word(struct parser *p, enum word w, char *arg, char form)
{
    const char *name = words[w];
    struct error *error;
    uint64_t x;
    switch (w) {
    case W_OUTPUT: return parse_output(p, arg, form);
    case W_CONTROLLER: return parse_controller(p, arg, form);
    case W_ENQUEUE: return parse_enqueue(p, arg);
    case W_GROUP: return put_number(p, name, arg, OFACT_GROUP, sizeof(struct ofact_group), UINT32_MAX);
    case W_MOD_VLAN_VID: return parse_vlan(p, name, arg, OFACT_SET_VLAN_VID, true);
    case W_SET_VLAN_VID: return parse_vlan(p, name, arg, OFACT_SET_VLAN_VID, false);
    case W_MOD_VLAN_PCP: return parse_vlan(p, name, arg, OFACT_SET_VLAN_PCP, true);
    case W_SET_VLAN_PCP: return parse_vlan(p, name, arg, OFACT_SET_VLAN_PCP, false);
    case W_STRIP_VLAN:
    case W_POP_VLAN: {
        size_t begin = p->out->len;
        error = put_plain(p, name, arg, OFACT_POP_VLAN);
        if (!error) {
            ((struct ofact *) (p->out->data + begin))->raw = w == W_STRIP_VLAN ? RAW_STRIP_VLAN : RAW_POP_VLAN;
        }
        return error;
    }
    case W_PUSH_VLAN:
        error = parse_number(name, arg, 65535, &x);
        if (!error && x != ETH_TYPE_VLAN && x != ETH_TYPE_SVLAN) {
            error = bad(name, arg, "0x8100 or 0x88a8");
        }
        if (!error) {
            ((struct ofact_push_vlan *) ofact_put(p->out, OFACT_PUSH_VLAN, sizeof(struct ofact_push_vlan)))->tpid
                = htobe16(x);
        }
        return error;
    case W_MOD_DL_SRC: return parse_mod(p, name, arg, FIELD_ETH_SRC, RAW_SET_DL_SRC_10);
    case W_MOD_DL_DST: return parse_mod(p, name, arg, FIELD_ETH_DST, RAW_SET_DL_DST_10);
    case W_MOD_NW_SRC: return parse_mod(p, name, arg, FIELD_IPV4_SRC, RAW_SET_NW_SRC_10);
    case W_MOD_NW_DST: return parse_mod(p, name, arg, FIELD_IPV4_DST, RAW_SET_NW_DST_10);
    case W_MOD_NW_TOS: return parse_mod(p, name, arg, FIELD_NW_TOS, RAW_SET_NW_TOS_10);
    case W_MOD_NW_ECN: return parse_mod(p, name, arg, FIELD_IP_ECN, RAW_SET_NW_ECN);
    case W_MOD_NW_TTL: return parse_mod(p, name, arg, FIELD_IP_TTL, RAW_SET_NW_TTL);
    case W_MOD_TP_SRC: return parse_l4(p, name, arg, OFACT_SET_L4_SRC);
    case W_MOD_TP_DST: return parse_l4(p, name, arg, OFACT_SET_L4_DST);
    case W_SET_FIELD: return parse_set_field(p, arg);
    case W_LOAD: return parse_load(p, arg);
    case W_MOVE: return parse_move(p, arg);
    case W_SET_TUNNEL: return put_number(p, name, arg, OFACT_SET_TUNNEL, sizeof(struct ofact_tunnel), UINT64_MAX);
    case W_SET_TUNNEL64: {
        size_t begin = p->out->len;
        error = put_number(p, name, arg, OFACT_SET_TUNNEL, sizeof(struct ofact_tunnel), UINT64_MAX);
        if (!error) {
            ((struct ofact_tunnel *) (p->out->data + begin))->wide = true;
        }
        return error;
    }
    case W_SET_QUEUE: return put_number(p, name, arg, OFACT_SET_QUEUE, sizeof(struct ofact_set_queue), UINT32_MAX);
    case W_POP_QUEUE: return put_plain(p, name, arg, OFACT_POP_QUEUE);
    case W_DEC_TTL: return parse_dec_ttl(p, arg);
    case W_RESUBMIT: return parse_resubmit(p, arg, form);
    case W_LEARN: return parse_learn(p, arg);
    case W_NOTE: return parse_note(p, arg);
    case W_EXIT: return put_plain(p, name, arg, OFACT_EXIT);
    case W_CLONE: return parse_nested(p, OFACT_CLONE, arg);
    case W_METER: return put_number(p, name, arg, OFACT_METER, sizeof(struct ofact_meter), UINT32_MAX);
    case W_CLEAR_ACTIONS: return put_plain(p, name, arg, OFACT_CLEAR_ACTIONS);
    case W_WRITE_ACTIONS: return parse_nested(p, OFACT_WRITE_ACTIONS, arg);
    case W_APPLY_ACTIONS: return parse_list(p, arg);
    case W_WRITE_METADATA: return parse_metadata(p, name, arg);
    case W_GOTO_TABLE: return put_number(p, name, arg, OFACT_GOTO_TABLE, sizeof(struct ofact_goto_table), 254);
    case W_DROP:
        return *arg ? put_plain(p, name, arg, OFACT_NOTE) : NULL;
    case N_WORDS: break;
    }
    return NULL;
}

static enum word word_of(const char *name)
{
    /* Newer and longer spellings of some words. */
    static const struct { const char *name; enum word word; } also[] = {
        { "set_nw_ttl", W_MOD_NW_TTL }, { "set_dl_src", W_MOD_DL_SRC }, { "set_dl_dst", W_MOD_DL_DST },
        { "copy_field", W_MOVE }, { "reg_load", W_LOAD }, { "dec_nw_ttl", W_DEC_TTL },
    };
    for (enum word w = 0; w < N_WORDS; w++) {
        if (!strcasecmp(words[w], name)) {
            return w;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(also); i++) {
        if (!strcasecmp(also[i].name, name)) {
            return also[i].word;
        }
    }
    return N_WORDS;
}

static struct error *unknown_action(const char *name)
{
    for (size_t i = 0; unsupported[i]; i++) {
        if (!strcasecmp(name, unsupported[i])) {
            return error_new(ENOTSUP, "action %s is not supported", name);
        }
    }
    const char *near = string_nearest(name, words);
    return error_new(EINVAL, "\"%s\" is neither an action nor a port%s%s%s", name, near ? "; did you mean \"" : "",
                     near ? near : "", near ? "\"?" : "");
}

/* Where in the order of OpenFlow's instructions an action stands. */
static int order_of(const struct ofact *a)
{
    switch (a->type) {
    case OFACT_METER: return 0;
    case OFACT_CLEAR_ACTIONS: return 2;
    case OFACT_WRITE_ACTIONS: return 3;
    case OFACT_WRITE_METADATA: return 4;
    case OFACT_GOTO_TABLE: return 5;
    default: return 1;
    }
}

static struct error *check_order(const struct ofact_list *list, enum ofp_version version)
{
    const struct ofact *a;
    int last = 0;
    const char *last_name = "";
    OFACT_FOR_EACH (a, list) {
        int order = order_of(a);
        if (a->type == OFACT_METER && version >= OFP15) {
            order = 1;
        }
        if (order < last || (order == last && order != 1 && a != list->first)) {
            return error_new(EINVAL, order == last ? "instruction %s is there twice%s"
                             : "%s must come before %s: OpenFlow runs instructions in that order",
                             order == 1 ? "actions" : ofact_name(a->type), order == last ? "" : last_name);
        }
        last = order;
        last_name = ofact_name(a->type);
    }
    return NULL;
}

static struct error *parse_list(struct parser *p, char *s)
{
    char *name, *value, form;
    bool drop = false;
    unsigned n = 0;
    while (flow_text_next(&s, &name, &value, &form)) {
        enum word w = word_of(name);
        struct error *error = NULL;
        ofp_port port;
        n++;
        if (w == W_DROP) {
            drop = true;
        }
        if (drop && n > 1) {
            return error_new(EINVAL, "\"drop\" stands alone: it means that there is no action");
        }
        if (w != N_WORDS) {
            error = parse_word(p, w, value, form);
        } else {
            error = form ? unknown_action(name) : ofp_port_parse(name, p->names, &port);
            if (error && !form) {
                error_free(error);
                error = unknown_action(name);
            } else if (!error) {
                put_output(p, port, 0);
            }
        }
        if (error) {
            return error;
        }
        if (p->out->len > 1 << 22) {
            return error_new(EINVAL, "too many actions");
        }
    }
    return NULL;
}

struct error *ofacts_parse(const char *s, const struct port_names *names, enum ofp_version preferred,
                           bool instructions, struct buffer *out)
{
    struct parser p = { .names = names, .out = out, .version = preferred };
    size_t begin = out->len;
    char *copy = xstrdup(s);
    struct error *error = parse_list(&p, copy);
    free(copy);
    struct ofact_list list = { out->data ? (struct ofact *) (out->data + begin) : NULL, out->len - begin };
    if (!error && instructions) {
        error = check_order(&list, preferred);
    }
    if (!error && !instructions) {
        const struct ofact *a;
        OFACT_FOR_EACH (a, &list) {
            if (order_of(a) != 1 && !error) {
                error = error_new(EINVAL, "%s is an instruction; here only actions can be", ofact_name(a->type));
            }
        }
    }
    if (error) {
        out->len = begin;
    }
    return error;
}
