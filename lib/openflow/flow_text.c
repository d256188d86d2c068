/* SPDX-License-Identifier: Apache-2.0 */
/* Flows from text and to text. */
#include "lib/openflow/flow_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/openflow/print.h"

enum { DEFAULT_PRIORITY = 32768, N_TABLES = 255 };

static const struct { uint16_t flag; const char *name; } flag_names[] = {
    { OFPFF_SEND_FLOW_REM, "send_flow_rem" }, { OFPFF_CHECK_OVERLAP, "check_overlap" },
    { OFPFF_RESET_COUNTS, "reset_counts" }, { OFPFF_NO_PKT_COUNTS, "no_packet_counts" },
    { OFPFF_NO_BYT_COUNTS, "no_byte_counts" },
};

/* Words of a flow's text besides fields and flags. */
static const char *const keys[] = {
    "table", "priority", "cookie", "idle_timeout", "hard_timeout", "importance", "out_port", "out_group", "buffer_id",
    "actions", "duration", "n_packets", "n_bytes", "idle_age", "hard_age", "send_flow_rem", "check_overlap",
    "reset_counts", "no_packet_counts", "no_byte_counts", NULL
};

/* ---- Parsing ---- */

static struct error *number(const char *key, const char *value, uint64_t max, uint64_t *out)
{
    if (!parse_u64(value, out) || *out > max) {
        return error_new(EINVAL, "%s=%s: it is a number from 0 to %"PRIu64, key, value, max);
    }
    return NULL;
}

static struct error *u16(const char *key, const char *value, uint16_t *out)
{
    uint64_t x = 0;
    struct error *error = number(key, value, UINT16_MAX, &x);
    *out = x;
    return error;
}

static struct error *parse_cookie(const char *value, bool may_filter, struct ofp_flow_mod *fm)
{
    const char *slash = strchr(value, '/');
    char *first = xstrndup(value, slash ? slash - value : strlen(value));
    uint64_t cookie, mask = UINT64_MAX;
    struct error *error = !strcmp(first, "-1") ? (cookie = UINT64_MAX, NULL) : number("cookie", first, UINT64_MAX, &cookie);
    free(first);
    if (!error && slash) {
        error = !strcmp(slash + 1, "-1") ? (mask = UINT64_MAX, NULL) : number("cookie mask", slash + 1, UINT64_MAX, &mask);
    }
    if (error) {
        return error;
    }
    if (slash && !may_filter) {
        return error_new(EINVAL, "cookie=%s: an added flow's cookie has no mask", value);
    }
    if (slash) {
        fm->cookie = htobe64(cookie & mask);
        fm->cookie_mask = htobe64(mask);
    } else {
        fm->new_cookie = htobe64(cookie);
        fm->modify_cookie = true;
    }
    return NULL;
}

static struct error *unknown_word(const char *name)
{
    const char *near = string_nearest(name, keys);
    const struct field *field = near ? NULL : field_nearest(name);
    near = near ? near : field ? field->name : NULL;
    return error_new(EINVAL, "\"%s\" is not known in a flow%s%s%s", name, near ? "; did you mean \"" : "",
                     near ? near : "", near ? "\"?" : "");
}

static bool is_flag(const char *name, uint16_t *flag)
{
    for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
        if (!strcmp(name, flag_names[i].name)) {
            *flag = flag_names[i].flag;
            return true;
        }
    }
    return false;
}

/* One word other than actions. 'mod' says what is allowed: a request for statistics has no settings. */
static struct error *parse_word(const char *name, const char *value, bool mod, const struct port_names *names,
                                struct ofp_flow_mod *fm, bool *has_cookie)
{
    uint64_t x;
    uint16_t flag;
    bool used;
    struct error *error;
    /* Statistics, so that what dump-flows printed can be given back. */
    static const char *const with_value[] = {
        "table", "out_port", "out_group", "cookie", "priority", "idle_timeout", "hard_timeout", "importance", NULL
    };
    for (size_t i = 0; with_value[i]; i++) {
        if (!value && !strcmp(name, with_value[i])) {
            return error_new(EINVAL, "%s needs a value, as in %s=...", name, name);
        }
    }
    static const char *const ignored[] = { "duration", "n_packets", "n_bytes", "idle_age", "hard_age", NULL };

    if (!strcmp(name, "table")) {
        error = number(name, value, 255, &x);
        fm->table_id = error ? 0 : x;
        return error;
    }
    if (!strcmp(name, "out_port")) {
        return ofp_port_parse(value, names, &fm->out_port);
    }
    if (!strcmp(name, "out_group")) {
        error = number(name, value, UINT32_MAX, &x);
        fm->out_group = error ? 0 : x;
        return error;
    }
    if (!strcmp(name, "cookie")) {
        *has_cookie = true;
        return parse_cookie(value, !mod || fm->command != OFPFC_ADD, fm);
    }
    error = match_parse_word(name, value, names, &fm->match, &used);
    if (error || used) {
        return error;
    }
    if (!mod) {
        return unknown_word(name);
    }
    if (!strcmp(name, "priority")) {
        return u16(name, value, &fm->priority);
    }
    if (!strcmp(name, "idle_timeout")) {
        return u16(name, value, &fm->idle_timeout);
    }
    if (!strcmp(name, "hard_timeout")) {
        return u16(name, value, &fm->hard_timeout);
    }
    if (!strcmp(name, "importance")) {
        return u16(name, value, &fm->importance);
    }
    if (!strcmp(name, "buffer_id")) {
        return error_new(ENOTSUP, "buffer_id: packets are not kept in buffers");
    }
    if (is_flag(name, &flag)) {
        fm->flags |= flag;
        return NULL;
    }
    for (size_t i = 0; ignored[i]; i++) {
        if (!strcmp(name, ignored[i])) {
            return NULL;
        }
    }
    return unknown_word(name);
}

/* Cuts "actions=..." off; NULL if there is none. */
static char *cut_actions(char *s)
{
    for (char *p = s; (p = strstr(p, "action")); p += 6) {
        bool begins = p == s || strchr(", \t\r\n", p[-1]);
        char *equals = p + 6 + (p[6] == 's');
        equals += strspn(equals, " \t");
        if (begins && (*equals == '=' || *equals == ':')) {
            *p = '\0';
            return equals + 1;
        }
    }
    return NULL;
}

static struct error *parse_words(char *s, bool mod, const struct port_names *names, struct ofp_flow_mod *fm,
                                 bool *has_cookie)
{
    char *name, *value, form;
    struct error *error = NULL;
    while (!error && flow_text_next(&s, &name, &value, &form)) {
        error = parse_word(name, form ? value : NULL, mod, names, fm, has_cookie);
    }
    return error;
}

/* A field without what it needs would be dropped, and the flow match more than was meant. */
static struct error *check_prerequisites(const struct match *m)
{
    struct match kept = *m;
    if (!match_normalise(&kept)) {
        return NULL;
    }
    for (enum field_id id = 0; id < FIELD_N; id++) {
        const struct field *f = field_by_id(id);
        union field_value before, after;
        memset(&before, 0, sizeof before);
        memset(&after, 0, sizeof after);
        field_get(f, &m->mask, &before);
        field_get(f, &kept.mask, &after);
        if (memcmp(&before, &after, sizeof before)) {
            return error_new(OFPERR_OFPBMC_BAD_PREREQ, "%s needs another field to be matched too: addresses need ip, ipv6, "
                             "arp or the like, ports need tcp, udp or sctp", f->print_name);
        }
    }
    return error_new(OFPERR_OFPBMC_BAD_PREREQ, "a field needs another to be matched too");
}

static struct error *parse_actions(const char *s, const struct port_names *names, enum ofp_version version,
                                   struct ofp_flow_mod *fm, struct buffer *actions)
{
    struct error *error = ofacts_parse(s, names, version, true, actions);
    if (error) {
        return error;
    }
    fm->actions = ofact_list_of(actions);
    ofacts_adapt(&fm->actions, &fm->match);
    uint8_t table = fm->table_id == OFPTT_ALL ? 0 : fm->table_id;
    return ofacts_check(&fm->actions, &fm->match.value, &fm->match.mask, table, N_TABLES, version);
}

struct error *ofp_flow_mod_parse(const char *s, enum ofp_flow_command command, const struct port_names *names,
                                 enum ofp_version version, struct ofp_flow_mod *fm, struct buffer *actions)
{
    bool is_delete = command == OFPFC_DELETE || command == OFPFC_DELETE_STRICT, has_cookie = false;
    memset(fm, 0, sizeof *fm);
    buffer_clear(actions);
    match_init_any(&fm->match);
    fm->command = command;
    fm->priority = DEFAULT_PRIORITY;
    fm->table_id = command == OFPFC_ADD ? 0 : OFPTT_ALL;
    fm->buffer_id = OFP_NO_BUFFER;
    fm->out_port = OFPP_ANY;
    fm->out_group = OFPG_ANY;
    if (command == OFPFC_ADD && version == OFP10) {
        fm->flags |= OFPFF_RESET_COUNTS;
    }
    char *copy = xstrdup(s);
    char *action_text = cut_actions(copy);
    struct error *error = parse_words(copy, true, names, fm, &has_cookie);
    error = error ? error : check_prerequisites(&fm->match);
    if (!error && !is_delete && !action_text) {
        error = error_new(EINVAL, "\"%s\" says no actions; \"actions=drop\" drops packets", s);
    } else if (!error && is_delete && action_text) {
        error = error_new(EINVAL, "actions are not for deletions");
    }
    if (!error && command != OFPFC_ADD && fm->table_id == OFPTT_ALL && version > OFP10 && !is_delete) {
        fm->table_id = 0;
    }
    if (!error && is_delete && fm->new_cookie && !fm->cookie_mask) {
        /* A deletion's plain cookie chooses. */
        fm->cookie = fm->new_cookie;
        fm->cookie_mask = UINT64_MAX;
    }
    if (!error && command != OFPFC_ADD && !has_cookie) {
        fm->new_cookie = UINT64_MAX;
    } else if (fm->cookie_mask && !fm->modify_cookie) {
        fm->new_cookie = UINT64_MAX;
    }
    if (!error && action_text) {
        error = parse_actions(action_text, names, version, fm, actions);
    }
    free(copy);
    return error;
}

struct error *ofp_flow_stats_request_parse(const char *s, bool aggregate, const struct port_names *names,
                                           struct ofp_flow_stats_request *q)
{
    struct ofp_flow_mod fm;
    bool has_cookie = false;
    memset(&fm, 0, sizeof fm);
    match_init_any(&fm.match);
    fm.table_id = OFPTT_ALL;
    fm.out_port = OFPP_ANY;
    fm.out_group = OFPG_ANY;
    char *copy = xstrdup(s);
    struct error *error = parse_words(copy, false, names, &fm, &has_cookie);
    error = error ? error : check_prerequisites(&fm.match);
    free(copy);
    if (has_cookie && !fm.cookie_mask) {
        fm.cookie = fm.new_cookie;
        fm.cookie_mask = UINT64_MAX;
    }
    *q = (struct ofp_flow_stats_request) {
        .aggregate = aggregate, .match = fm.match, .cookie = fm.cookie, .cookie_mask = fm.cookie_mask,
        .out_port = fm.out_port, .out_group = fm.out_group, .table_id = fm.table_id,
    };
    return error;
}

enum ofp_version ofp_flow_mod_version(const struct ofp_flow_mod *fm, bool *nxm)
{
    enum ofp_version version = OFP10;
    const struct ofact *a;
    *nxm = fm->cookie_mask || !ofp_match_fits_10(&fm->match);
    OFACT_FOR_EACH (a, &fm->actions) {
        switch (a->type) {
        case OFACT_PUSH_VLAN:
        case OFACT_METER:
        case OFACT_CLEAR_ACTIONS:
        case OFACT_WRITE_ACTIONS:
        case OFACT_GOTO_TABLE:
            version = OFP13;
            break;
        default:
            break;
        }
    }
    if (fm->importance) {
        version = OFP14;
    } else if (fm->flags & (OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS) || fm->out_group != OFPG_ANY) {
        version = MAX(version, OFP13);
    }
    return version;
}

/* ---- Printing ---- */

void ofp_flow_flags_format(uint16_t flags, const char *separator, struct text *t)
{
    for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
        if (flags & flag_names[i].flag) {
            text_printf(t, "%s%s", flag_names[i].name, separator);
        }
    }
}

static void format_match(const struct match *m, int priority, const struct port_names *names, struct text *t)
{
    size_t begin = t->len;
    if (priority != DEFAULT_PRIORITY) {
        text_printf(t, "priority=%d", priority);
    }
    struct text match = TEXT_INIT;
    match_format(m, names, &match);
    if (match.len) {
        text_printf(t, "%s%s", t->len > begin ? "," : "", text_str(&match));
    }
    text_fini(&match);
    if (t->len > begin) {
        text_put_char(t, ' ');
    }
}

void ofp_flow_stats_format(const struct ofp_flow_stats *s, const struct port_names *names, bool show_stats,
                           struct text *t)
{
    if (show_stats || s->cookie) {
        text_printf(t, " cookie=0x%"PRIx64",", be64toh(s->cookie));
    }
    if (show_stats) {
        text_put(t, " duration=");
        ofp_put_duration(t, s->duration_s, s->duration_ns);
        text_put_char(t, ',');
    }
    if (show_stats || s->table_id) {
        text_printf(t, " table=%u,", s->table_id);
    }
    if (show_stats) {
        text_printf(t, " n_packets=%"PRIu64", n_bytes=%"PRIu64",", s->packets, s->bytes);
    }
    if (s->idle_timeout) {
        text_printf(t, " idle_timeout=%u,", s->idle_timeout);
    }
    if (s->hard_timeout) {
        text_printf(t, " hard_timeout=%u,", s->hard_timeout);
    }
    if (s->flags) {
        text_put_char(t, ' ');
        ofp_flow_flags_format(s->flags, " ", t);
        text_chomp(t, ' ');
    }
    if (s->importance) {
        text_printf(t, " importance=%u,", s->importance);
    }
    if (show_stats && s->idle_age_s >= 0) {
        text_printf(t, " idle_age=%d,", s->idle_age_s);
    }
    if (show_stats && s->hard_age_s >= 0 && (uint32_t) s->hard_age_s != s->duration_s) {
        text_printf(t, " hard_age=%d,", s->hard_age_s);
    }
    text_put_char(t, ' ');
    format_match(&s->match, s->priority, names, t);
    text_put(t, "actions=");
    ofacts_format(&s->actions, names, t);
}

void ofp_flow_mod_format(const struct ofp_flow_mod *fm, const struct port_names *names, struct text *t)
{
    static const char *const commands[] = { "ADD", "MOD", "MOD_STRICT", "DEL", "DEL_STRICT" };
    text_put(t, commands[fm->command]);
    if (fm->table_id && (fm->table_id != OFPTT_ALL || fm->command == OFPFC_ADD)) {
        text_printf(t, " table:%u", fm->table_id);
    } else if (fm->table_id == OFPTT_ALL && fm->table_in_command) {
        text_put(t, " table:255");
    }
    text_put_char(t, ' ');
    format_match(&fm->match, fm->priority, names, t);
    text_chomp(t, ' ');
    if (!text_ends_with(t, " ")) {
        text_put_char(t, ' ');
    }
    if (fm->new_cookie && fm->new_cookie != UINT64_MAX) {
        text_printf(t, "cookie:%#"PRIx64" ", be64toh(fm->new_cookie));
    }
    if (fm->cookie_mask) {
        text_printf(t, "cookie:%#"PRIx64"/%#"PRIx64" ", be64toh(fm->cookie), be64toh(fm->cookie_mask));
    }
    if (fm->idle_timeout) {
        text_printf(t, "idle:%u ", fm->idle_timeout);
    }
    if (fm->hard_timeout) {
        text_printf(t, "hard:%u ", fm->hard_timeout);
    }
    if (fm->importance) {
        text_printf(t, "importance:%u ", fm->importance);
    }
    if (fm->buffer_id != OFP_NO_BUFFER) {
        text_printf(t, "buf:%#x ", fm->buffer_id);
    }
    if (fm->out_port != OFPP_ANY) {
        text_put(t, "out_port:");
        ofp_port_format(fm->out_port, names, t);
        text_put_char(t, ' ');
    }
    if (fm->out_group != OFPG_ANY) {
        text_printf(t, "out_group:%u ", fm->out_group);
    }
    ofp_flow_flags_format(fm->flags, " ", t);
    text_put(t, "actions=");
    ofacts_format(&fm->actions, names, t);
}
