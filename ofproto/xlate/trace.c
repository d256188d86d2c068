/* SPDX-License-Identifier: Apache-2.0 */
/* The notes of a translation and their text. */
#include "ofproto/xlate/trace.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "lib/packet/headers.h"

enum note_kind { NOTE_TEXT, NOTE_TABLE, NOTE_BRIDGE };
struct note { int depth; enum note_kind kind; char *text; };

struct trace {
    struct note *notes;
    size_t n, allocated;
};

/* Notes beyond this say nothing new. */
enum { MAX_NOTES = 20000 };

static struct note *add_note(struct trace *, int depth, enum note_kind);
static size_t put_notes(const struct trace *, size_t from, int indent, struct text *);
static void describe(const struct fields *, struct match *);
static void format_fields(const struct fields *, struct text *);
static void initial_fields(const struct xlate_in *, const struct xlate_out *, struct fields *);
static void format_megaflow(const struct xlate_in *, const struct xlate_out *, struct text *);
static void format_final(const struct xlate_in *, const struct xlate_out *, struct text *);
static void format_actions(const struct xlate_in *, const struct xlate_out *, struct text *);

struct trace *trace_create(void)
{
    return xzalloc(sizeof(struct trace));
}

void trace_destroy(struct trace *t)
{
    if (t) {
        for (size_t i = 0; i < t->n; i++) {
            free(t->notes[i].text);
        }
        free(t->notes);
        free(t);
    }
}

void trace_note(struct trace *t, int depth, const char *text)
{
    struct note *note = add_note(t, depth, NOTE_TEXT);
    if (note) {
        note->text = xstrdup(text);
    }
}

void trace_table(struct trace *t, int depth, const char *text)
{
    struct note *note = add_note(t, depth, NOTE_TABLE);
    if (note) {
        note->text = xstrdup(text);
    }
}

void trace_bridge(struct trace *t, int depth, const char *name)
{
    struct note *note = add_note(t, depth, NOTE_BRIDGE);
    if (note) {
        note->text = xasprintf("bridge(\"%s\")", name);
    }
}

void trace_format(const struct trace *t, const struct xlate_in *in, const struct xlate_out *out, struct text *to)
{
    struct fields f;
    initial_fields(in, out, &f);
    text_put(to, "Flow: ");
    format_fields(&f, to);
    text_put(to, "\n");
    for (size_t i = 0; i < t->n; ) {
        i = put_notes(t, i, 0, to);
    }
    text_put(to, "\nFinal flow: ");
    format_final(in, out, to);
    text_put(to, "\nMegaflow: ");
    format_megaflow(in, out, to);
    text_put(to, "\nDatapath actions: ");
    format_actions(in, out, to);
    text_put(to, "\n");
    if (out->drop != DROP_N) {
        text_printf(to, "Drop reason: %s: %s\n", drop_name(out->drop), drop_help(out->drop));
    }
}

json_t *trace_to_json(const struct trace *t, const struct xlate_in *in, const struct xlate_out *out)
{
    struct text text = TEXT_INIT;
    struct fields f;
    json_t *o = json_object(), *notes = json_array();
    initial_fields(in, out, &f);
    format_fields(&f, &text);
    json_object_set_new(o, "flow", json_string(text_str(&text)));
    for (size_t i = 0; i < t->n; i++) {
        const char *s = t->notes[i].text;
        json_array_append_new(notes, json_pack("{s:i, s:s}", "depth", t->notes[i].depth, "text", s + strspn(s, " ")));
    }
    json_object_set_new(o, "notes", notes);
    text_clear(&text);
    format_final(in, out, &text);
    json_object_set_new(o, "final-flow", json_string(text_str(&text)));
    text_clear(&text);
    format_megaflow(in, out, &text);
    json_object_set_new(o, "megaflow", json_string(text_str(&text)));
    text_clear(&text);
    format_actions(in, out, &text);
    json_object_set_new(o, "datapath-actions", json_string(text_str(&text)));
    if (out->drop != DROP_N) {
        json_object_set_new(o, "drop", json_string(drop_name(out->drop)));
    }
    text_fini(&text);
    return o;
}

static struct note *add_note(struct trace *t, int depth, enum note_kind kind)
{
    if (t->n == MAX_NOTES) {
        return NULL;
    }
    if (t->n == t->allocated) {
        t->notes = xgrow(t->notes, &t->allocated, sizeof *t->notes);
    }
    struct note *note = &t->notes[t->n++];
    *note = (struct note) { .depth = depth, .kind = kind };
    return note;
}

/* Puts note 'from', those at its depth that follow, and what is inside them. A table or bridge with which its list ends is not
 * indented further, so that a chain of tables stays at the left edge. Returns where the list ended. */
static size_t put_notes(const struct trace *t, size_t from, int indent, struct text *to)
{
    int depth = t->notes[from].depth;
    size_t i = from;
    while (i < t->n && t->notes[i].depth >= depth) {
        const struct note *note = &t->notes[i];
        size_t next = i + 1;
        while (next < t->n && t->notes[next].depth > depth) {
            next++;
        }
        bool goes_on = note->kind == NOTE_TEXT || (next < t->n && t->notes[next].depth == depth);
        int column = 4 * (indent + goes_on);
        text_printf(to, "%s%*s%s\n", note->kind == NOTE_BRIDGE ? "\n" : "", column, "", note->text);
        if (note->kind == NOTE_BRIDGE) {
            text_printf(to, "%*s", column, "");
            for (size_t n = strlen(note->text); n > 0; n--) {
                text_put_char(to, '-');
            }
            text_put_char(to, '\n');
        }
        for (i++; i < next; ) {
            i = put_notes(t, i, indent + 2 * goes_on, to);
        }
    }
    return i;
}

/* A match of the fields that a packet with these headers has. */
static void describe(const struct fields *f, struct match *m)
{
    match_init_any(m);
    const struct key *k = &f->key;
    struct key *mask = &m->mask.key;
    m->mask.in_port = UINT32_MAX;
    m->mask.metadata = f->metadata ? UINT64_MAX : 0;
    for (int i = 0; i < N_REGS; i++) {
        m->mask.reg[i] = f->reg[i] ? UINT32_MAX : 0;
    }
    mask->meta.mark = k->meta.mark ? UINT32_MAX : 0;
    const struct tunnel_key *t = &k->tunnel;
    if (t->id || t->flags & TUNNEL_KEY) {
        mask->tunnel.id = UINT64_MAX;
    }
    mask->tunnel.ip4_src = t->ip4_src ? UINT32_MAX : 0;
    mask->tunnel.ip4_dst = t->ip4_dst ? UINT32_MAX : 0;
    if (!IN6_IS_ADDR_UNSPECIFIED(&t->ip6_src)) {
        memset(&mask->tunnel.ip6_src, 0xff, sizeof mask->tunnel.ip6_src);
    }
    if (!IN6_IS_ADDR_UNSPECIFIED(&t->ip6_dst)) {
        memset(&mask->tunnel.ip6_dst, 0xff, sizeof mask->tunnel.ip6_dst);
    }
    memset(&mask->l2.dst, 0xff, 6);
    memset(&mask->l2.src, 0xff, 6);
    mask->l2.type = UINT16_MAX;
    mask->l2.vlan[0].tci = UINT16_MAX;
    uint16_t type = be16toh(k->l2.type);
    bool is_arp = type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;
    if (type == ETH_TYPE_IP4 || is_arp) {
        mask->l3.ip4_src = mask->l3.ip4_dst = UINT32_MAX;
        mask->l3.proto = UINT8_MAX;
    }
    if (is_arp) {
        memset(&mask->l3.arp_sha, 0xff, 6);
        memset(&mask->l3.arp_tha, 0xff, 6);
    }
    if (type == ETH_TYPE_IP6) {
        memset(&mask->l3.ip6_src, 0xff, 16);
        memset(&mask->l3.ip6_dst, 0xff, 16);
        mask->l3.ip6_label = htobe32(0xfffff);
    }
    if (type == ETH_TYPE_IP4 || type == ETH_TYPE_IP6) {
        mask->l3.proto = mask->l3.tos = mask->l3.ttl = UINT8_MAX;
        mask->l3.frag = FRAG_ANY | FRAG_LATER;
        uint8_t proto = k->l3.proto;
        if (!(k->l3.frag & FRAG_LATER)
            && (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP
                || proto == (type == ETH_TYPE_IP4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6))) {
            mask->l4.src = mask->l4.dst = UINT16_MAX;
            mask->l4.tcp_flags = proto == IP_PROTO_TCP && k->l4.tcp_flags ? htobe16(0xfff) : 0;
        }
    }
    for (size_t i = 0; i < FIELDS_WORDS; i++) {
        ((uint64_t *) &m->value)[i] = ((const uint64_t *) f)[i] & ((const uint64_t *) &m->mask)[i];
    }
}

static void format_fields(const struct fields *f, struct text *to)
{
    struct match m;
    describe(f, &m);
    match_format(&m, NULL, to);
}

/* The fields with which the packet began. */
static void initial_fields(const struct xlate_in *in, const struct xlate_out *out, struct fields *f)
{
    memset(f, 0, sizeof *f);
    if (in->fields) {
        memcpy(f->pipeline_words, in->fields->pipeline_words, sizeof f->pipeline_words);
    }
    f->key = *in->key;
    f->in_port = in->bridge ? in->of_in_port : out->ingress_port ? out->ingress_port->number : OFPP_NONE;
}

static void format_final(const struct xlate_in *in, const struct xlate_out *out, struct text *to)
{
    struct fields f;
    initial_fields(in, out, &f);
    struct text before = TEXT_INIT, after = TEXT_INIT;
    format_fields(&f, &before);
    format_fields(&out->final, &after);
    text_put(to, !out->ingress_bridge || !strcmp(text_str(&before), text_str(&after)) ? "unchanged" : text_str(&after));
    text_fini(&before);
    text_fini(&after);
}

static void format_megaflow(const struct xlate_in *in, const struct xlate_out *out, struct text *to)
{
    struct fields f;
    struct match m;
    initial_fields(in, out, &f);
    match_init_any(&m);
    m.mask.key = out->mask.bits;
    m.mask.key.meta.in_port = m.mask.key.meta.recirc_id = 0;
    m.mask.in_port = UINT32_MAX;
    for (int i = 0; i < KEY_MAX_VLANS; i++) {
        m.mask.key.l2.vlan[i].tpid = 0;
    }
    for (size_t i = 0; i < FIELDS_WORDS; i++) {
        ((uint64_t *) &m.value)[i] = ((const uint64_t *) &f)[i] & ((const uint64_t *) &m.mask)[i];
    }
    text_printf(to, "recirc_id=%#x,eth,", in->key->meta.recirc_id);
    match_format(&m, NULL, to);
}

static void format_actions(const struct xlate_in *in, const struct xlate_out *out, struct text *to)
{
    if (out->drop != DROP_N) {
        text_put(to, "drop");
        return;
    }
    action_list_format_for(&out->actions, in->key, NULL, NULL, to);
}
