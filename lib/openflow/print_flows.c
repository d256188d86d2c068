/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about flows and tables as text. */
#include <inttypes.h>

#include "lib/openflow/flow_text.h"
#include "lib/openflow/print.h"
#include "lib/openflow/wire.h"

struct error *ofp_print_flow_mod(struct ofp_printer *p)
{
    struct ofp_flow_mod fm;
    struct buffer actions = BUFFER_INIT;
    struct error *error = ofp_decode_flow_mod_with_table(p->h, &fm, &actions);
    if (!error) {
        if (p->h->version == OFP10) {
            fm.flags &= ~OFPFF_RESET_COUNTS;
        }
        text_put_char(p->t, ' ');
        ofp_flow_mod_format(&fm, p->names, p->t);
        text_put_char(p->t, '\n');
    }
    buffer_fini(&actions);
    return error;
}

struct error *ofp_print_flow_removed(struct ofp_printer *p)
{
    static const char *const reasons[] = { "idle", "hard", "delete", "group_delete", "meter_delete", "eviction" };
    struct ofp_flow_removed fr;
    struct error *error = ofp_decode_flow_removed(p->h, &fr);
    if (error) {
        return error;
    }
    struct text *t = p->t;
    text_put_char(t, ' ');
    if (fr.priority != 32768) {
        text_printf(t, "priority=%u%s", fr.priority, match_is_any(&fr.match) ? "" : ",");
    }
    match_format(&fr.match, p->names, t);
    text_printf(t, " reason=%s", fr.reason < ARRAY_SIZE(reasons) ? reasons[fr.reason] : "unknown");
    if (fr.table_id != 255) {
        text_printf(t, " table_id=%u", fr.table_id);
    }
    if (fr.cookie) {
        text_printf(t, " cookie:%#"PRIx64, be64toh(fr.cookie));
    }
    text_put(t, " duration");
    ofp_put_duration(t, fr.duration_s, fr.duration_ns);
    text_printf(t, " idle%u", fr.idle_timeout);
    if (fr.hard_timeout) {
        text_printf(t, " hard%u", fr.hard_timeout);
    }
    text_printf(t, " pkts%"PRIu64" bytes%"PRIu64"\n", fr.packets, fr.bytes);
    return NULL;
}

struct error *ofp_print_flow_request(struct ofp_printer *p)
{
    struct ofp_flow_stats_request q;
    struct error *error = ofp_decode_flow_stats_request(p->h, &q);
    if (error) {
        return error;
    }
    if (q.table_id != OFPTT_ALL) {
        text_printf(p->t, " table=%u", q.table_id);
    }
    if (q.out_port != OFPP_ANY) {
        text_put(p->t, " out_port=");
        ofp_port_format(q.out_port, p->names, p->t);
    }
    if (q.cookie_mask) {
        text_printf(p->t, " cookie=%#"PRIx64"/%#"PRIx64, be64toh(q.cookie), be64toh(q.cookie_mask));
    }
    text_put_char(p->t, ' ');
    match_format(&q.match, p->names, p->t);
    text_chomp(p->t, ' ');
    text_put_char(p->t, '\n');
    return NULL;
}

struct error *ofp_print_flow_reply(struct ofp_printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_flow_stats s;
    struct buffer actions = BUFFER_INIT;
    bool end = false;
    text_put_char(p->t, '\n');
    struct error *error = NULL;
    while (!error && !end) {
        error = ofp_next_flow_stats(p->h, &r, &s, &actions, &end);
        if (!error && !end) {
            ofp_flow_stats_format(&s, p->names, true, p->t);
            text_put_char(p->t, '\n');
        }
    }
    buffer_fini(&actions);
    return error;
}

struct error *ofp_print_aggregate(struct ofp_printer *p)
{
    struct ofp_aggregate_stats s;
    struct error *error = ofp_decode_aggregate_reply(p->h, &s);
    if (!error) {
        text_printf(p->t, " packet_count=%"PRIu64" byte_count=%"PRIu64" flow_count=%"PRIu32"\n", s.packets, s.bytes,
                    s.n_flows);
    }
    return error;
}

static void put_ditto(struct text *t, unsigned first, unsigned last)
{
    if (first < last) {
        text_printf(t, "\n  tables %u...%u: ditto\n", first, last);
    } else if (first == last) {
        text_printf(t, "\n  table %u: ditto\n", first);
    }
}

struct error *ofp_print_tables(struct ofp_printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_table_stats s, last = { .max_entries = UINT32_MAX };
    bool end = false, any = false;
    unsigned first_same = 1, last_same = 0;
    struct error *error = NULL;
    text_put_char(p->t, '\n');
    while (!error && !end) {
        error = ofp_next_table_stats(p->h, &r, &s, &end);
        if (error || end) {
            break;
        }
        bool same = any && s.n_active == last.n_active && s.n_lookups == last.n_lookups
                    && s.n_matched == last.n_matched && s.max_entries == last.max_entries;
        if (same) {
            first_same = first_same > last_same ? s.table_id : first_same;
            last_same = s.table_id;
        } else {
            put_ditto(p->t, first_same, last_same);
            first_same = 1;
            last_same = 0;
            text_printf(p->t, "%s  table %u", any ? "\n" : "", s.table_id);
            if (s.name[0]) {
                text_printf(p->t, " (\"%s\")", s.name);
            }
            text_printf(p->t, ":\n    active=%"PRIu32", lookup=%"PRIu64", matched=%"PRIu64"\n", s.n_active,
                        s.n_lookups, s.n_matched);
            if (p->h->version == OFP10) {
                text_printf(p->t, "    max_entries=%"PRIu32"\n", s.max_entries);
            }
        }
        last = s;
        any = true;
    }
    put_ditto(p->t, first_same, last_same);
    return error;
}

struct error *ofp_print_table_features(struct ofp_printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_table_features f;
    bool end = false;
    struct error *error = NULL;
    text_put_char(p->t, '\n');
    while (!error && !end) {
        error = ofp_next_table_features(p->h, &r, &f, &end);
        if (!error && !end) {
            text_printf(p->t, "  table %u (\"%s\"):\n    metadata: match=%#"PRIx64" write=%#"PRIx64"\n    max_entries=%"
                        PRIu32"\n", f.table_id, f.name, f.metadata_match, f.metadata_write, f.max_entries);
        }
    }
    return error;
}

struct error *ofp_print_table_desc(struct ofp_printer *p)
{
    struct reader r = ofp_body(p->h);
    struct ofp_table_features f;
    bool end = false;
    struct error *error = NULL;
    text_put_char(p->t, '\n');
    while (!error && !end) {
        error = ofp_next_table_desc(p->h, &r, &f, &end);
        if (!error && !end) {
            text_printf(p->t, "  table %u:\n   eviction=%s eviction_flags=N/A\n   vacancy=%s\n\n", f.table_id,
                        f.config & 4 ? "on" : "off", f.config & 8 ? "on" : "off");
        }
    }
    return error;
}
