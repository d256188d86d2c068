/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-ofctl: rules, read, added, changed, deleted, compared. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "utilities/ofctl.h"

/* A rule with its own memory for actions. */
struct flow { struct ofp_flow_stats s; struct buffer actions; };
struct flow_list {
    struct flow *flows;
    size_t n, allocated;
    enum ofp_msg msg;              /* What they came in, if from a switch. */
    enum ofp_version version;
    uint32_t xid;
};

static void list_add(struct flow_list *list, const struct ofp_flow_stats *s)
{
    if (list->n == list->allocated) {
        list->flows = xgrow(list->flows, &list->allocated, sizeof *list->flows);
    }
    struct flow *f = &list->flows[list->n++];
    f->s = *s;
    buffer_init(&f->actions);
    buffer_put(&f->actions, s->actions.first, s->actions.len);
    f->s.actions = ofact_list_of(&f->actions);
}

static void list_fini(struct flow_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        buffer_fini(&list->flows[i].actions);
    }
    free(list->flows);
}

/* ---- Formats of 1.0 ---- */

/* Switches 1.0's extensible match and table numbers on as needed. */
static bool try_setting(struct ofconn *c, enum ofp_msg msg, uint16_t value)
{
    struct buffer b = BUFFER_INIT;
    ofp_encode_nx_setting(&b, msg, value, c->version, ofconn_xid(c));
    struct error *error = ofconn_apply(c, &b);
    bool done = !error;
    error_free(error);
    buffer_fini(&b);
    return done;
}

static void prepare(struct ofconn *c, bool nxm, bool table_id)
{
    if (c->version != OFP10) {
        return;
    }
    if (nxm && !c->nxm) {
        if (!ofctl.use_nxm) {
            ofctl_fail("%s: this flow needs the extensible match, which -F excludes", c->name);
        }
        if (!try_setting(c, OFPMSG_NXT_SET_FLOW_FORMAT, OFP_FLOW_FORMAT_NXM)) {
            ofctl_fail("%s: the switch does not know the extensible match in OpenFlow 1.0", c->name);
        }
        c->nxm = true;
    }
    if (table_id && !c->table_id) {
        if (!try_setting(c, OFPMSG_NXT_FLOW_MOD_TABLE_ID, 1)) {
            ofctl_fail("%s: the switch knows no tables in OpenFlow 1.0", c->name);
        }
        c->table_id = true;
    }
}

/* ---- Reading ---- */

static void collect(const struct ofp_header *h, void *list_)
{
    struct flow_list *list = list_;
    list->msg = h->msg;
    list->version = h->version;
    list->xid = h->xid;
    struct reader r = reader_of(h->body, h->body_len);
    struct buffer actions = BUFFER_INIT;
    struct ofp_flow_stats s;
    bool end;
    for (;;) {
        ofctl_check(ofp_next_flow_stats(h, &r, &s, &actions, &end));
        if (end) {
            break;
        }
        list_add(list, &s);
    }
    buffer_fini(&actions);
}

static void put_request(struct ofconn *c, const struct ofp_flow_stats_request *q, struct buffer *b)
{
    bool nxm = c->version == OFP10 && ofctl.use_nxm;
    if (nxm && !try_setting(c, OFPMSG_NXT_SET_FLOW_FORMAT, OFP_FLOW_FORMAT_NXM)) {
        nxm = false;
    }
    ofp_encode_flow_stats_request(b, q, c->version, nxm, ofconn_xid(c));
}

static void fetch(const char *target, const struct ofp_flow_stats_request *q, struct flow_list *list)
{
    struct ofconn *c = ofconn_open(target, ".mgmt");
    struct buffer b = BUFFER_INIT;
    put_request(c, q, &b);
    ofconn_transact(c, &b, collect, list);
    buffer_fini(&b);
    ofconn_close(c);
}

static const struct field *sort_field;

static int compare_flows(const void *a_, const void *b_)
{
    const struct ofp_flow_stats *a = &((const struct flow *) a_)->s, *b = &((const struct flow *) b_)->s;
    int order;
    if (!sort_field) {
        order = a->priority < b->priority ? -1 : a->priority > b->priority;
    } else {
        union field_value x, y;
        memset(&x, 0, sizeof x);
        memset(&y, 0, sizeof y);
        field_get(sort_field, &a->match.value, &x);
        field_get(sort_field, &b->match.value, &y);
        order = memcmp(&x, &y, sort_field->n_bytes);
    }
    order = ofctl.sort < 0 ? -order : order;
    return order ? order : a->table_id < b->table_id ? -1 : a->table_id > b->table_id;
}

static void sort_flows(struct flow_list *list)
{
    if (!ofctl.sort || !list->n) {
        return;
    }
    if (ofctl.sort_field && strcmp(ofctl.sort_field, "priority")) {
        sort_field = field_by_any_name(ofctl.sort_field);
        if (!sort_field) {
            ofctl_fail("--sort=%s: it is neither a field nor priority", ofctl.sort_field);
        }
    }
    qsort(list->flows, list->n, sizeof *list->flows, compare_flows);
}

void ofctl_dump_flows(int argc, char **argv)
{
    struct ofctl_port_map map;
    struct ofp_flow_stats_request q;
    struct flow_list list = { .flows = NULL };
    port_map_init(&map, argv[1]);
    ofctl_check(ofp_flow_stats_request_parse(argc > 2 ? argv[2] : "", false, &map.names, &q));
    fetch(argv[1], &q, &list);
    sort_flows(&list);
    const struct port_names *names = port_map_for_output(&map);
    if (ofctl.json) {
        struct ofp_flow_stats *all = xcalloc(list.n + 1, sizeof *all);
        for (size_t i = 0; i < list.n; i++) {
            all[i] = list.flows[i].s;
        }
        json_print_flows(all, list.n, names);
        free(all);
    }
    if (!ofctl.json && !names && !ofctl.no_stats && !ofctl.sort) {
        /* The line that scripts know to skip. */
        if (list.version == OFP10) {
            printf("%s (xid=0x%x):\n", ofp_msg_name(list.msg), list.xid);
        } else {
            printf("%s (OF%s) (xid=0x%x):\n", ofp_msg_name(list.msg), ofp_version_dotted(list.version), list.xid);
        }
    }
    for (size_t i = 0; i < list.n && !ofctl.json; i++) {
        struct text t = TEXT_INIT;
        ofp_flow_stats_format(&list.flows[i].s, names, !ofctl.no_stats, &t);
        puts(text_str(&t));
        text_fini(&t);
    }
    list_fini(&list);
    port_map_fini(&map);
}

static void take_aggregate(const struct ofp_header *h, void *arg)
{
    struct ofp_aggregate_stats s;
    struct text t = TEXT_INIT;
    ofctl_check(ofp_decode_aggregate_reply(h, &s));
    if (ofctl.json) {
        json_print_aggregate(&s);
    } else {
        ofp_message_format(h->whole, h->whole_len, NULL, 0, &t);
        fputs(text_str(&t), stdout);
    }
    text_fini(&t);
}

void ofctl_dump_aggregate(int argc, char **argv)
{
    struct ofctl_port_map map;
    struct ofp_flow_stats_request q;
    struct buffer b = BUFFER_INIT;
    port_map_init(&map, argv[1]);
    ofctl_check(ofp_flow_stats_request_parse(argc > 2 ? argv[2] : "", true, &map.names, &q));
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    put_request(c, &q, &b);
    ofconn_transact(c, &b, take_aggregate, NULL);
    buffer_fini(&b);
    ofconn_close(c);
    port_map_fini(&map);
}

/* ---- Writing ---- */

/* Checks that the connection's version can say the rule, and appends its message. */
static void put_flow_mod(struct ofconn *c, struct ofp_flow_mod *fm, struct buffer *b)
{
    bool nxm;
    enum ofp_version needed = ofp_flow_mod_version(fm, &nxm);
    if (needed > c->version) {
        ofctl_fail("%s: this flow needs OpenFlow %s, but %s is spoken", c->name, ofp_version_dotted(needed),
                   ofp_version_dotted(c->version));
    }
    if (c->version == OFP10) {
        nxm = nxm || !ofctl.use_10;
        bool table = fm->command == OFPFC_ADD ? fm->table_id != 0 : fm->table_id != OFPTT_ALL;
        prepare(c, nxm, table);
        fm->table_in_command = c->table_id;
    }
    ofp_encode_flow_mod(b, fm, c->version, nxm, ofconn_xid(c));
}

/* The version in which text is read: the highest that may be spoken. */
static enum ofp_version parse_version(void)
{
    return 31 - __builtin_clz(ofctl.versions);
}

static enum ofp_flow_command strictly(enum ofp_flow_command command)
{
    return !ofctl.strict ? command : command == OFPFC_MODIFY ? OFPFC_MODIFY_STRICT
           : command == OFPFC_DELETE ? OFPFC_DELETE_STRICT : command;
}

/* A line of a file may begin with what is to be done. */
static enum ofp_flow_command line_command(char **line, enum ofp_flow_command command)
{
    static const struct { const char *word; enum ofp_flow_command command; } words[] = {
        { "add", OFPFC_ADD }, { "modify", OFPFC_MODIFY }, { "delete", OFPFC_DELETE },
        { "modify_strict", OFPFC_MODIFY_STRICT }, { "delete_strict", OFPFC_DELETE_STRICT },
    };
    size_t n = strcspn(*line, " \t,=");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        bool alone = (*line)[n] != '=' && (*line)[n] != ',';
        if (n == strlen(words[i].word) && !strncmp(*line, words[i].word, n) && alone) {
            *line += n;
            return words[i].command;
        }
    }
    return command;
}

struct source { FILE *file; const char *name; char *line; size_t allocated; unsigned number; };

static void source_open(struct source *s, const char *name)
{
    *s = (struct source) { .name = name, .file = strcmp(name, "-") ? fopen(name, "r") : stdin };
    if (!s->file) {
        ofctl_fail("%s: opening: %s", name, strerror(errno));
    }
}

/* The next line with something in it, without comment; NULL at the end. */
static char *source_next(struct source *s)
{
    while (getline(&s->line, &s->allocated, s->file) >= 0) {
        s->number++;
        char *comment = strchr(s->line, '#');
        if (comment) {
            *comment = '\0';
        }
        char *begin = s->line + strspn(s->line, " \t\r\n");
        char *end = begin + strlen(begin);
        while (end > begin && isspace((unsigned char) end[-1])) {
            *--end = '\0';
        }
        if (*begin) {
            return begin;
        }
    }
    return NULL;
}

static void source_close(struct source *s)
{
    if (s->file != stdin) {
        fclose(s->file);
    }
    free(s->line);
}

/* What is to be sent. */
struct change { struct ofp_flow_mod fm; struct buffer actions; };
struct change_list { struct change *changes; size_t n, allocated; };

static void changes_fini(struct change_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        buffer_fini(&list->changes[i].actions);
    }
    free(list->changes);
    *list = (struct change_list) { .changes = NULL };
}

static struct error *parse_changes(char *const *lines, size_t n, enum ofp_flow_command command,
                                   const struct port_names *names, enum ofp_version version, struct change_list *list)
{
    for (size_t i = 0; i < n; i++) {
        char *line = lines[i];
        enum ofp_flow_command this = line_command(&line, command);
        if (list->n == list->allocated) {
            list->changes = xgrow(list->changes, &list->allocated, sizeof *list->changes);
        }
        struct change *c = &list->changes[list->n++];
        buffer_init(&c->actions);
        struct error *error = ofp_flow_mod_parse(line, this, names, version, &c->fm, &c->actions);
        bool nxm;
        if (!error && version == OFP10 && ofp_flow_mod_version(&c->fm, &nxm) > OFP10) {
            error = error_new(EINVAL, "\"%s\" cannot be said in OpenFlow 1.0", line);
        }
        if (error) {
            return n > 1 ? error_wrap(error, "flow %zu", i + 1) : error;
        }
    }
    return NULL;
}

/* Later versions refuse actions that the match does not promise to fit, 1.0 does not: what only 1.0 takes is said in 1.0. */
static void parse_in_any_version(char *const *lines, size_t n, enum ofp_flow_command command,
                                 const struct port_names *names, struct change_list *list)
{
    struct error *error = parse_changes(lines, n, command, names, parse_version(), list);
    if (error && parse_version() > OFP10 && ofctl.versions & OFP_BIT(OFP10)) {
        changes_fini(list);
        struct error *second = parse_changes(lines, n, command, names, OFP10, list);
        if (!second) {
            error_free(error);
            error = NULL;
            ofctl.versions = OFP_BIT(OFP10);
        }
        error_free(second);
    }
    ofctl_check(error);
}

static void send_changes(const char *target, char *const *lines, size_t n, enum ofp_flow_command command)
{
    struct ofctl_port_map map;
    struct change_list list = { .changes = NULL };
    struct buffer messages = BUFFER_INIT;
    port_map_init(&map, target);
    parse_in_any_version(lines, n, command, &map.names, &list);
    struct ofconn *c = ofconn_open(target, ".mgmt");
    for (size_t i = 0; i < list.n; i++) {
        put_flow_mod(c, &list.changes[i].fm, &messages);
    }
    ofctl_check(ofconn_apply(c, &messages));
    ofconn_close(c);
    buffer_fini(&messages);
    changes_fini(&list);
    port_map_fini(&map);
}

static void change_by_file(const char *target, const char *file, enum ofp_flow_command command)
{
    struct source source;
    char **lines = NULL, *line;
    size_t n = 0, allocated = 0;
    source_open(&source, file);
    while ((line = source_next(&source))) {
        if (n == allocated) {
            lines = xgrow(lines, &allocated, sizeof *lines);
        }
        lines[n++] = xstrdup(line);
    }
    source_close(&source);
    if (n) {
        send_changes(target, lines, n, command);
    }
    for (size_t i = 0; i < n; i++) {
        free(lines[i]);
    }
    free(lines);
}

static void change_one(const char *target, const char *text, enum ofp_flow_command command)
{
    char *line = xstrdup(text);
    send_changes(target, &line, 1, command);
    free(line);
}

static void change(int argc, char **argv, enum ofp_flow_command command)
{
    if (argc > 2 && !strcmp(argv[2], "-")) {
        change_by_file(argv[1], "-", command);
    } else {
        change_one(argv[1], argc > 2 ? argv[2] : "", command);
    }
}

void ofctl_add_flow(int argc, char **argv)
{
    change(argc, argv, OFPFC_ADD);
}

void ofctl_add_flows(int argc, char **argv)
{
    change_by_file(argv[1], argv[2], OFPFC_ADD);
}

void ofctl_mod_flows(int argc, char **argv)
{
    change(argc, argv, strictly(OFPFC_MODIFY));
}

void ofctl_del_flows(int argc, char **argv)
{
    change(argc, argv, strictly(OFPFC_DELETE));
}

/* ---- Comparing ---- */

static bool same_place(const struct ofp_flow_stats *a, const struct ofp_flow_stats *b)
{
    return a->table_id == b->table_id && a->priority == b->priority && match_equal(&a->match, &b->match);
}

static bool same_rule(const struct ofp_flow_stats *a, const struct ofp_flow_stats *b)
{
    const uint16_t shown = OFPFF_SEND_FLOW_REM | OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS;
    return a->cookie == b->cookie && a->idle_timeout == b->idle_timeout && a->hard_timeout == b->hard_timeout
           && a->importance == b->importance && (a->flags & shown) == (b->flags & shown)
           && ofact_list_equal(&a->actions, &b->actions);
}

/* By table, falling priority, then bytes, so that two lists can be walked side by side. */
static int compare_places(const void *a_, const void *b_)
{
    const struct ofp_flow_stats *a = &((const struct flow *) a_)->s, *b = &((const struct flow *) b_)->s;
    if (a->table_id != b->table_id) {
        return a->table_id < b->table_id ? -1 : 1;
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    return memcmp(&a->match, &b->match, sizeof a->match);
}

/* The version and format in which 'target' keeps rules change how actions look; so text goes through it too. */
static void as_sent(struct flow *f, enum ofp_version version)
{
    struct buffer b = BUFFER_INIT, actions = BUFFER_INIT;
    ofacts_encode(&f->s.actions, version, version > OFP10, &b);
    struct error *error = ofacts_decode(b.data, b.len, version, version > OFP10, &actions);
    if (error) {
        error_free(error);
        buffer_fini(&actions);
    } else {
        buffer_fini(&f->actions);
        f->actions = actions;
        f->s.actions = ofact_list_of(&f->actions);
        ofacts_adapt(&f->s.actions, &f->s.match);
    }
    buffer_fini(&b);
}

static void read_file(const char *file, struct ofctl_port_map *map, struct flow_list *list)
{
    struct source source;
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT;
    char *line;
    source_open(&source, file);
    while ((line = source_next(&source))) {
        struct error *error = ofp_flow_mod_parse(line, OFPFC_ADD, &map->names, parse_version(), &fm, &actions);
        if (error) {
            ofctl_check(error_wrap(error, "%s:%u", file, source.number));
        }
        struct ofp_flow_stats s = {
            .match = fm.match, .cookie = fm.new_cookie, .table_id = fm.table_id, .priority = fm.priority,
            .idle_timeout = fm.idle_timeout, .hard_timeout = fm.hard_timeout, .flags = fm.flags,
            .importance = fm.importance, .idle_age_s = -1, .hard_age_s = -1, .actions = fm.actions,
        };
        list_add(list, &s);
        as_sent(&list->flows[list->n - 1], parse_version());
    }
    source_close(&source);
    buffer_fini(&actions);
}

static void sort_places(struct flow_list *list)
{
    if (list->n) {
        qsort(list->flows, list->n, sizeof *list->flows, compare_places);
    }
    /* Of several with one place in a file, the last counts; which that is was lost in sorting only if they differ. */
    for (size_t i = 0; i + 1 < list->n; i++) {
        if (same_place(&list->flows[i].s, &list->flows[i + 1].s) && !same_rule(&list->flows[i].s, &list->flows[i + 1].s)) {
            struct text t = TEXT_INIT;
            ofp_flow_stats_format(&list->flows[i].s, NULL, false, &t);
            ofctl_fail("two flows with one table, priority and match:%s", text_str(&t));
        }
    }
}

static void fetch_all(const char *target, struct flow_list *list)
{
    struct ofp_flow_stats_request q;
    ofctl_check(ofp_flow_stats_request_parse("", false, NULL, &q));
    fetch(target, &q, list);
}

/* Calls 'differ(old, new)' for each place that is not the same in both; one of them may be NULL. */
static void walk(struct flow_list *old, struct flow_list *new,
                 void (*differ)(const struct ofp_flow_stats *old, const struct ofp_flow_stats *new, void *arg), void *arg)
{
    size_t i = 0, j = 0;
    sort_places(old);
    sort_places(new);
    while (i < old->n || j < new->n) {
        int order = i == old->n ? 1 : j == new->n ? -1 : compare_places(&old->flows[i], &new->flows[j]);
        if (order < 0) {
            differ(&old->flows[i++].s, NULL, arg);
        } else if (order > 0) {
            differ(NULL, &new->flows[j++].s, arg);
        } else {
            if (!same_rule(&old->flows[i].s, &new->flows[j].s) || ofctl.readd) {
                differ(&old->flows[i].s, &new->flows[j].s, arg);
            }
            i++;
            j++;
        }
    }
}

struct replacement { struct ofconn *c; struct buffer messages; };

static void replace(const struct ofp_flow_stats *old, const struct ofp_flow_stats *new, void *replacement_)
{
    struct replacement *r = replacement_;
    const struct ofp_flow_stats *s = new ? new : old;
    struct ofp_flow_mod fm = {
        .match = s->match, .priority = s->priority, .new_cookie = s->cookie, .modify_cookie = true,
        .table_id = s->table_id, .command = new ? OFPFC_ADD : OFPFC_DELETE_STRICT, .idle_timeout = s->idle_timeout,
        .hard_timeout = s->hard_timeout, .flags = new ? s->flags : 0, .importance = s->importance,
        .buffer_id = OFP_NO_BUFFER, .out_port = OFPP_ANY, .out_group = OFPG_ANY,
    };
    if (new) {
        fm.actions = s->actions;
    }
    if (old && new && ofctl.readd) {
        fm.flags |= OFPFF_RESET_COUNTS;
    }
    put_flow_mod(r->c, &fm, &r->messages);
}

void ofctl_replace_flows(int argc, char **argv)
{
    struct ofctl_port_map map;
    struct flow_list old = { .flows = NULL }, new = { .flows = NULL };
    struct replacement r = { .messages = BUFFER_INIT };
    port_map_init(&map, argv[1]);
    read_file(argv[2], &map, &new);
    fetch_all(argv[1], &old);
    r.c = ofconn_open(argv[1], ".mgmt");
    walk(&old, &new, replace, &r);
    ofctl_check(ofconn_apply(r.c, &r.messages));
    ofconn_close(r.c);
    buffer_fini(&r.messages);
    list_fini(&old);
    list_fini(&new);
    port_map_fini(&map);
}

static void print_side(char sign, const struct ofp_flow_stats *s, const struct port_names *names)
{
    struct text t = TEXT_INIT;
    ofp_flow_stats_format(s, names, false, &t);
    printf("%c%s\n", sign, text_str(&t) + 1);
    text_fini(&t);
}

struct difference { bool any; const struct port_names *names; };

static void print_difference(const struct ofp_flow_stats *old, const struct ofp_flow_stats *new, void *difference_)
{
    struct difference *d = difference_;
    d->any = true;
    if (old) {
        print_side('-', old, d->names);
    }
    if (new) {
        print_side('+', new, d->names);
    }
}

/* A source is a file if there is one of that name, else a switch. */
static bool is_file(const char *name)
{
    struct stat s;
    return !strcmp(name, "-") || (!stat(name, &s) && !S_ISSOCK(s.st_mode));
}

static void read_source(const char *name, struct ofctl_port_map *map, struct flow_list *list)
{
    if (is_file(name)) {
        read_file(name, map, list);
    } else {
        fetch_all(name, list);
    }
}

void ofctl_diff_flows(int argc, char **argv)
{
    struct ofctl_port_map map;
    struct flow_list lists[2] = { { .flows = NULL }, { .flows = NULL } };
    struct difference d = { .any = false };
    port_map_init(&map, !is_file(argv[1]) ? argv[1] : !is_file(argv[2]) ? argv[2] : NULL);
    d.names = port_map_for_output(&map);
    read_source(argv[1], &map, &lists[0]);
    read_source(argv[2], &map, &lists[1]);
    ofctl.readd = false;
    walk(&lists[0], &lists[1], print_difference, &d);
    list_fini(&lists[0]);
    list_fini(&lists[1]);
    port_map_fini(&map);
    if (d.any) {
        exit(2);
    }
}

/* ---- Text alone ---- */

static void print_parsed(const char *text, enum ofp_flow_command command)
{
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT, message = BUFFER_INIT;
    struct text t = TEXT_INIT;
    bool nxm;
    ofctl_check(ofp_flow_mod_parse(text, command, NULL, parse_version(), &fm, &actions));
    enum ofp_version needed = ofp_flow_mod_version(&fm, &nxm), version = parse_version();
    for (enum ofp_version v = OFP10; v <= OFP15; v++) {
        if (v >= needed && ofctl.versions & OFP_BIT(v)) {
            version = v;
            break;
        }
    }
    nxm = nxm || !ofctl.use_10;
    fm.table_in_command = version == OFP10 && (fm.command == OFPFC_ADD ? fm.table_id != 0 : fm.table_id != OFPTT_ALL);
    ofp_encode_flow_mod(&message, &fm, version, nxm, 1);
    ofp_message_format(message.data, message.len, NULL, ofctl.verbosity, &t);
    fputs(text_str(&t), stdout);
    text_fini(&t);
    buffer_fini(&actions);
    buffer_fini(&message);
}

void ofctl_parse_flow(int argc, char **argv)
{
    print_parsed(argv[1], OFPFC_ADD);
}

void ofctl_parse_flows(int argc, char **argv)
{
    struct source source;
    char *line;
    source_open(&source, argv[1]);
    while ((line = source_next(&source))) {
        enum ofp_flow_command command = line_command(&line, OFPFC_ADD);
        print_parsed(line, command);
    }
    source_close(&source);
}
