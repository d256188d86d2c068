/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that send packets, from text. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/ofact_text.h"

void ofact_put_output(struct ofact_parser *p, ofp_port port, unsigned max_len)
{
    struct ofact_output *o = ofact_put(p->out, OFACT_OUTPUT, sizeof *o);
    o->port = port;
    o->max_len = port == OFPP_CONTROLLER ? max_len : 0;
}

static struct error *parse_output_trunc(struct ofact_parser *p, char *arg)
{
    char *name, *value, form;
    ofp_port port = OFPP_NONE;
    uint64_t max_len = 0;
    struct error *error = NULL;
    while (!error && flow_text_next(&arg, &name, &value, &form)) {
        if (!strcmp(name, "port")) {
            error = ofp_port_parse(value, p->names, &port);
        } else if (!strcmp(name, "max_len")) {
            error = ofact_parse_number("output", value, UINT32_MAX, &max_len);
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

struct error *ofact_parse_output(struct ofact_parser *p, char *arg, char form)
{
    if (form == '(' ) {
        return parse_output_trunc(p, arg);
    }
    ofp_port port;
    bool is_field = strchr(arg, '[') || field_by_any_name(arg);
    if (!is_field) {
        struct error *error = ofp_port_parse(arg, p->names, &port);
        if (!error) {
            ofact_put_output(p, port, 0);
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
    return parse_u8(s, reason) ? NULL : ofact_text_bad("controller", s, "a reason: no_match, action, invalid_ttl, action_set, "
                                            "group or packet_out");
}

size_t ofact_parse_dotted_hex(const char *s, uint8_t *out, size_t max)
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

struct error *ofact_parse_controller(struct ofact_parser *p, char *arg, char form)
{
    struct ofact_controller c = { .max_len = 0xffff, .reason = OFPR_ACTION };
    uint8_t *userdata = NULL;
    uint64_t x;
    struct error *error = NULL;
    if (form != '(') {
        x = 0xffff;
        error = *arg ? ofact_parse_number("controller", arg, 0xffff, &x) : NULL;
        if (!error) {
            ofact_put_output(p, OFPP_CONTROLLER, x);
        }
        return error;
    }
    char *name, *value, inner;
    while (!error && flow_text_next(&arg, &name, &value, &inner)) {
        if (!strcmp(name, "reason")) {
            error = parse_reason(value, &c.reason);
        } else if (!strcmp(name, "max_len")) {
            error = ofact_parse_number("controller", value, 0xffff, &x);
            c.max_len = error ? 0 : x;
        } else if (!strcmp(name, "id")) {
            error = ofact_parse_number("controller", value, 0xffff, &x);
            c.controller_id = error ? 0 : x;
        } else if (!strcmp(name, "userdata")) {
            free(userdata);
            userdata = xmalloc(strlen(value) / 2 + 1);
            size_t n = ofact_parse_dotted_hex(value, userdata, strlen(value) / 2 + 1);
            if (n == SIZE_MAX || n > 60000) {
                error = ofact_text_bad("controller", value, "bytes in hex, such as 01.a2.ff");
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
        ofact_put_output(p, OFPP_CONTROLLER, c.max_len);
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

struct error *ofact_parse_enqueue(struct ofact_parser *p, char *arg)
{
    char *save = NULL;
    char *port_text = strtok_r(arg, ":, \t", &save), *queue_text = strtok_r(NULL, ":, \t", &save);
    ofp_port port;
    uint64_t queue;
    if (!port_text || !queue_text) {
        return error_new(EINVAL, "action enqueue: it is written enqueue:PORT:QUEUE");
    }
    struct error *error = ofp_port_parse(port_text, p->names, &port);
    error = error ? error_wrap(error, "action enqueue") : ofact_parse_number("enqueue", queue_text, UINT32_MAX, &queue);
    if (!error) {
        struct ofact_enqueue *e = ofact_put(p->out, OFACT_ENQUEUE, sizeof *e);
        e->port = port;
        e->queue = queue;
    }
    return error;
}

struct error *ofact_parse_resubmit(struct ofact_parser *p, char *arg, char form)
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
            error = ofact_parse_number("resubmit", table_text, 255, &table);
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
