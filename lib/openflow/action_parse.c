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

enum { MAX_NESTING = 16 };

static struct error *parse_list(struct ofact_parser *, char *s);

struct error *ofact_text_bad(const char *action, const char *value, const char *right)
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
bool ofact_parse_wide(const char *s, uint8_t out[16])
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

bool ofact_fits_bits(const uint8_t value[16], unsigned n_bits)
{
    for (unsigned bit = n_bits; bit < 128; bit++) {
        if (value[15 - bit / 8] >> bit % 8 & 1) {
            return false;
        }
    }
    return true;
}

struct error *ofact_parse_number(const char *action, const char *s, uint64_t max, uint64_t *out)
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
struct error *ofact_cut_arrow(const char *action, char *s, char **dst)
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

struct error *ofact_check_writable(const char *action, const struct field *f)
{
    return f->writable ? NULL : error_new(EINVAL, "action %s: field %s cannot be set", action, f->name);
}

/* ---- The rest ---- */

static struct error *parse_note(struct ofact_parser *p, const char *arg)
{
    size_t max = strlen(arg) / 2 + 8;
    uint8_t *bytes = xzalloc(max + 8);
    size_t n = ofact_parse_dotted_hex(arg, bytes, max);
    struct error *error = NULL;
    if (n == SIZE_MAX || n > 60000) {
        error = ofact_text_bad("note", arg, "bytes in hex, such as 01.a2.ff");
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

static struct error *parse_dec_ttl(struct ofact_parser *p, char *arg)
{
    size_t begin = p->out->len;
    unsigned n = 0;
    ofact_put(p->out, OFACT_DEC_TTL, sizeof(struct ofact_dec_ttl));
    char *save = NULL;
    for (char *word = strtok_r(arg, ", \t", &save); word; word = strtok_r(NULL, ", \t", &save)) {
        uint64_t id;
        struct error *error = ofact_parse_number("dec_ttl", word, 65535, &id);
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

static struct error *parse_metadata(struct ofact_parser *p, const char *action, char *arg)
{
    char *slash = strchr(arg, '/');
    uint64_t value, mask = UINT64_MAX;
    if (slash) {
        *slash = '\0';
    }
    struct error *error = ofact_parse_number(action, arg, UINT64_MAX, &value);
    if (!error && slash) {
        error = ofact_parse_number(action, slash + 1, UINT64_MAX, &mask);
    }
    if (!error) {
        struct ofact_metadata *m = ofact_put(p->out, OFACT_WRITE_METADATA, sizeof *m);
        m->value = htobe64(value & mask);
        m->mask = htobe64(mask);
    }
    return error;
}

static struct error *parse_nested(struct ofact_parser *p, enum ofact_type type, char *arg)
{
    size_t begin = p->out->len;
    ofact_put(p->out, type, sizeof(struct ofact));
    if (++p->depth > MAX_NESTING) {
        return error_new(EINVAL, "actions are nested more than %d deep", MAX_NESTING);
    }
    struct error *error = parse_list(p, arg);
    p->depth--;
    if (!error && p->out->len - begin > OFACT_MAX_LIST) {
        error = error_new(EINVAL, "action %s: too many actions inside", ofact_name(type));
    }
    if (!error) {
        ofact_finish(p->out, begin);
    }
    return error ? error_wrap(error, "in %s", ofact_name(type)) : NULL;
}

static struct error *put_number(struct ofact_parser *p, const char *action, const char *arg, enum ofact_type type,
                                size_t size, uint64_t max)
{
    uint64_t x;
    struct error *error = ofact_parse_number(action, arg, max, &x);
    if (!error) {
        void *o = ofact_put(p->out, type, size);
        switch (type) {
        case OFACT_GOTO_TABLE: ((struct ofact_goto_table *) o)->table = x; break;
        case OFACT_SET_TUNNEL:
            ((struct ofact_tunnel *) o)->id = x;
            ((struct ofact_tunnel *) o)->wide = x > UINT32_MAX;
            break;
        default: ((struct ofact_group *) o)->group_id = x;   /* group, meter, set_queue: one number, at the same place */
        }
    }
    return error;
}

_Static_assert(offsetof(struct ofact_group, group_id) == offsetof(struct ofact_meter, meter_id)
               && offsetof(struct ofact_group, group_id) == offsetof(struct ofact_set_queue, queue), "one place");

static struct error *put_plain(struct ofact_parser *p, const char *action, const char *arg, enum ofact_type type)
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

static struct error *parse_word(struct ofact_parser *p, enum word w, char *arg, char form)
{
    const char *name = words[w];
    struct error *error;
    uint64_t x;
    switch (w) {
    case W_OUTPUT: return ofact_parse_output(p, arg, form);
    case W_CONTROLLER: return ofact_parse_controller(p, arg, form);
    case W_ENQUEUE: return ofact_parse_enqueue(p, arg);
    case W_GROUP: return put_number(p, name, arg, OFACT_GROUP, sizeof(struct ofact_group), UINT32_MAX);
    case W_MOD_VLAN_VID: return ofact_parse_vlan(p, name, arg, OFACT_SET_VLAN_VID, true);
    case W_SET_VLAN_VID: return ofact_parse_vlan(p, name, arg, OFACT_SET_VLAN_VID, false);
    case W_MOD_VLAN_PCP: return ofact_parse_vlan(p, name, arg, OFACT_SET_VLAN_PCP, true);
    case W_SET_VLAN_PCP: return ofact_parse_vlan(p, name, arg, OFACT_SET_VLAN_PCP, false);
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
        error = ofact_parse_number(name, arg, 65535, &x);
        if (!error && x != ETH_TYPE_VLAN && x != ETH_TYPE_SVLAN) {
            error = ofact_text_bad(name, arg, "0x8100 or 0x88a8");
        }
        if (!error) {
            ((struct ofact_push_vlan *) ofact_put(p->out, OFACT_PUSH_VLAN, sizeof(struct ofact_push_vlan)))->tpid
                = htobe16(x);
        }
        return error;
    case W_MOD_DL_SRC: return ofact_parse_mod(p, name, arg, FIELD_ETH_SRC, RAW_SET_DL_SRC_10);
    case W_MOD_DL_DST: return ofact_parse_mod(p, name, arg, FIELD_ETH_DST, RAW_SET_DL_DST_10);
    case W_MOD_NW_SRC: return ofact_parse_mod(p, name, arg, FIELD_IPV4_SRC, RAW_SET_NW_SRC_10);
    case W_MOD_NW_DST: return ofact_parse_mod(p, name, arg, FIELD_IPV4_DST, RAW_SET_NW_DST_10);
    case W_MOD_NW_TOS: return ofact_parse_mod(p, name, arg, FIELD_NW_TOS, RAW_SET_NW_TOS_10);
    case W_MOD_NW_ECN: return ofact_parse_mod(p, name, arg, FIELD_IP_ECN, RAW_SET_NW_ECN);
    case W_MOD_NW_TTL: return ofact_parse_mod(p, name, arg, FIELD_IP_TTL, RAW_SET_NW_TTL);
    case W_MOD_TP_SRC: return ofact_parse_l4(p, name, arg, OFACT_SET_L4_SRC);
    case W_MOD_TP_DST: return ofact_parse_l4(p, name, arg, OFACT_SET_L4_DST);
    case W_SET_FIELD: return ofact_parse_set_field(p, arg);
    case W_LOAD: return ofact_parse_load(p, arg);
    case W_MOVE: return ofact_parse_move(p, arg);
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
    case W_RESUBMIT: return ofact_parse_resubmit(p, arg, form);
    case W_LEARN: return ofact_parse_learn(p, arg);
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

static struct error *parse_list(struct ofact_parser *p, char *s)
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
                ofact_put_output(p, port, 0);
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
    struct ofact_parser p = { .names = names, .out = out, .version = preferred };
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
