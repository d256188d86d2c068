/* SPDX-License-Identifier: Apache-2.0 */
/* dpctl/show, dpctl/dump-flows, drops/show and upcall/show of tsuji-datapathd. */
#include "utilities/datapathd.h"

#include <stdlib.h>

#include "datapath/client.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/process.h"

static const char dp_name[] = "system@ovs-system";

/* The ports of the datapath, by number. */
struct ports {
    struct dp_port_state *states;
    size_t n;
};

static struct error *ports_read(struct dp_client *c, struct ports *p)
{
    struct dp_port_config *configs;
    struct error *e = dp_port_dump(c, &p->states, &configs, &p->n);
    for (size_t i = 0; !e && i < p->n; i++) {
        dp_port_config_fini(&configs[i]);
    }
    free(configs);
    return e;
}

static const char *port_name(uint32_t number, void *ports)
{
    const struct ports *p = ports;
    for (size_t i = 0; i < p->n; i++) {
        if (p->states[i].port_no == number) {
            return p->states[i].name;
        }
    }
    return NULL;
}

static void reply_text(struct control_request *r, struct text *t)
{
    control_reply(r, text_str(t));
    text_fini(t);
}

/* Is it a name of the datapath, as people write it? Else the request is answered. */
static bool is_datapath(struct control_request *r, const char *word)
{
    static const char *const names[] = { dp_name, "ovs-system", "netdev@ovs-netdev", "ovs-netdev" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(word, names[i])) {
            return true;
        }
    }
    char *text = xasprintf("%s: there is no such datapath or option; the datapath is %s", word, dp_name);
    control_reply_error(r, text);
    free(text);
    return false;
}

/* ---- dpctl/show ---- */

static void put_port_stats(struct text *t, const struct dp_port_stats *s)
{
    text_printf(t, "    RX packets:%llu errors:%llu dropped:%llu overruns:%llu frame:%llu\n"
                   "    TX packets:%llu errors:%llu dropped:%llu aborted:0 carrier:0\n    collisions:%llu\n"
                   "    RX bytes:%llu  TX bytes:%llu\n",
                (unsigned long long) s->rx_packets, (unsigned long long) s->rx_errors,
                (unsigned long long) s->rx_dropped, (unsigned long long) s->rx_over_err,
                (unsigned long long) s->rx_frame_err, (unsigned long long) s->tx_packets,
                (unsigned long long) s->tx_errors, (unsigned long long) s->tx_dropped,
                (unsigned long long) s->collisions, (unsigned long long) s->rx_bytes,
                (unsigned long long) s->tx_bytes);
}

static struct error *put_show(struct dp_client *c, bool statistics, struct text *t)
{
    struct ports ports = { NULL, 0 };
    struct dp_stats s;
    struct error *e = dp_get_stats(c, &s);
    if (!e) {
        e = ports_read(c, &ports);
    }
    if (e) {
        return e;
    }
    uint64_t lookups = s.n_hit + s.n_missed;
    text_printf(t, "%s:\n  lookups: hit:%llu missed:%llu lost:%llu\n  flows: %u\n"
                   "  masks: hit:%llu total:%u hit/pkt:%.2f\n  cache: hit:%llu hit-rate:%.2f%%\n",
                dp_name, (unsigned long long) s.n_hit, (unsigned long long) s.n_missed,
                (unsigned long long) s.n_lost, s.n_flows, (unsigned long long) s.n_mask_probes, s.n_masks,
                lookups ? (double) s.n_mask_probes / lookups : 0, (unsigned long long) s.n_cache_hit,
                lookups ? 100.0 * s.n_cache_hit / lookups : 0);
    for (size_t i = 0; i < ports.n; i++) {
        const struct dp_port_state *p = &ports.states[i];
        text_printf(t, "  port %u: %s", p->port_no, p->name);
        if (strcmp(p->type, "system")) {
            text_printf(t, " (%s)", p->type);
        }
        text_put(t, p->attached ? "\n" : " (not attached)\n");
        struct dp_port_stats ps;
        struct error *gone = statistics ? dp_port_get_stats(c, p->port_no, &ps) : NULL;
        if (statistics && !gone) {
            put_port_stats(t, &ps);
        }
        error_free(gone);
    }
    free(ports.states);
    return NULL;
}

static struct error *show_json(struct dp_client *c, json_t **json)
{
    struct ports ports = { NULL, 0 };
    struct dp_stats s;
    struct error *e = dp_get_stats(c, &s);
    if (!e) {
        e = ports_read(c, &ports);
    }
    if (e) {
        return e;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < ports.n; i++) {
        const struct dp_port_state *p = &ports.states[i];
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:b, s:b}", "number", p->port_no, "name", p->name,
                                              "type", p->type, "attached", p->attached, "link_up", p->link_up));
    }
    *json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:o}", "name", dp_name, "hit",
                      (json_int_t) s.n_hit, "cache_hit", (json_int_t) s.n_cache_hit, "missed", (json_int_t) s.n_missed,
                      "lost", (json_int_t) s.n_lost, "mask_probes", (json_int_t) s.n_mask_probes, "flows", s.n_flows,
                      "masks", s.n_masks, "pending", s.n_pending, "received", (json_int_t) s.received, "made",
                      (json_int_t) s.made, "sent", (json_int_t) s.sent, "consumed", (json_int_t) s.consumed, "ports",
                      list);
    free(ports.states);
    return NULL;
}

static void dpctl_show(struct control_request *r, int argc, char *argv[], void *client)
{
    bool statistics = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-s") || !strcmp(argv[i], "--statistics")) {
            statistics = true;
        } else if (!is_datapath(r, argv[i])) {
            return;
        }
    }
    struct text t = TEXT_INIT;
    json_t *json = NULL;
    struct error *e = control_wants_json(r) ? show_json(client, &json) : put_show(client, statistics, &t);
    if (e) {
        control_reply_error_take(r, e);
    } else if (json) {
        control_reply_json(r, json);
    } else {
        reply_text(r, &t);
    }
}

/* ---- dpctl/dump-flows ---- */

struct flow_dump {
    struct ports ports;
    bool more, use_names;
    struct text text;
    json_t *json;                /* NULL: text. */
    int64_t now_ms;
};

static void put_flow_text(struct flow_dump *d, const struct dp_flow *f, const char *key, const char *actions)
{
    struct text *t = &d->text;
    if (d->more) {
        text_printf(t, "ufid:%08x-0000-0000-0000-0000%08x, ", (uint32_t) (f->id >> 32), (uint32_t) f->id);
    }
    text_printf(t, "%s, packets:%llu, bytes:%llu, used:", key, (unsigned long long) f->counters.packets,
                (unsigned long long) f->counters.bytes);
    if (f->counters.used_ms) {
        text_printf(t, "%.3fs", (double) (d->now_ms - f->counters.used_ms) / 1000);
    } else {
        text_put(t, "never");
    }
    if (f->counters.tcp_flags) {
        text_put(t, ", flags:");
        for (int i = 0; i < 8; i++) {
            if (f->counters.tcp_flags & 1u << i) {
                text_put_char(t, "FSRP.UEC"[i]);
            }
        }
    }
    text_printf(t, ", actions:%s\n", actions);
}

static void put_flow(const struct dp_flow *f, void *dump)
{
    struct flow_dump *d = dump;
    port_name_fn *names = d->use_names ? port_name : NULL;
    struct text key = TEXT_INIT, actions = TEXT_INIT;
    key_format(&f->key, &f->mask, names, &d->ports, &key);
    action_list_format(&f->actions, names, &d->ports, &actions);
    if (d->json) {
        json_t *used = f->counters.used_ms ? json_integer(d->now_ms - f->counters.used_ms) : json_null();
        json_array_append_new(d->json, json_pack("{s:I, s:s, s:I, s:I, s:o, s:s}", "id", (json_int_t) f->id, "match",
                                                 text_str(&key), "packets", (json_int_t) f->counters.packets, "bytes",
                                                 (json_int_t) f->counters.bytes, "used_ms", used, "actions",
                                                 text_str(&actions)));
    } else {
        put_flow_text(d, f, text_str(&key), text_str(&actions));
    }
    text_fini(&key);
    text_fini(&actions);
}

static void dpctl_dump_flows(struct control_request *r, int argc, char *argv[], void *client)
{
    struct flow_dump d = { .now_ms = clock_ms(), .json = control_wants_json(r) ? json_array() : NULL };
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-m") || !strcmp(argv[i], "--more")) {
            d.more = d.use_names = true;
        } else if (!strcmp(argv[i], "--names")) {
            d.use_names = true;
        } else if (!strcmp(argv[i], "--no-names")) {
            d.use_names = false;
        } else if (!is_datapath(r, argv[i])) {
            json_decref(d.json);
            return;
        }
    }
    struct error *e = ports_read(client, &d.ports);
    if (!e) {
        e = dp_flow_dump(client, put_flow, &d);
    }
    free(d.ports.states);
    if (e) {
        json_decref(d.json);
        text_fini(&d.text);
        control_reply_error_take(r, e);
    } else if (d.json) {
        control_reply_json(r, d.json);
    } else {
        reply_text(r, &d.text);
    }
}

/* ---- drops/show, upcall/show, memory/show ---- */

static void drops_show(struct control_request *r, int argc, char *argv[], void *client)
{
    struct dp_stats s;
    struct error *e = dp_get_stats(client, &s);
    if (e) {
        control_reply_error_take(r, e);
        return;
    }
    json_t *json = control_wants_json(r) ? json_object() : NULL;
    struct text t = TEXT_INIT;
    for (int i = 0; i < DROP_N; i++) {
        if (json && s.drops[i]) {
            json_object_set_new(json, drop_name(i), json_integer(s.drops[i]));
        } else if (s.drops[i]) {
            text_printf(&t, "%-24s %12llu  %s\n", drop_name(i), (unsigned long long) s.drops[i], drop_help(i));
        }
    }
    if (json) {
        text_fini(&t);
        control_reply_json(r, json);
    } else {
        reply_text(r, &t);
    }
}

static void upcall_show(struct control_request *r, int argc, char *argv[], void *client)
{
    struct dp_upcall_stats s;
    dp_upcall_get_stats(client, &s);
    if (control_wants_json(r)) {
        control_reply_json(r, json_pack("{s:I, s:I, s:I, s:I, s:i}", "records", (json_int_t) s.n_records, "lost_ring",
                                        (json_int_t) s.n_lost_ring, "lost_quota", (json_int_t) s.n_lost_quota, "expired",
                                        (json_int_t) s.n_expired, "waiting", s.n_waiting));
        return;
    }
    struct text t = TEXT_INIT;
    text_printf(&t, "records: %llu\nlost: ring full %llu, quota %llu\nexpired: %llu\nwaiting: %u\n",
                (unsigned long long) s.n_records, (unsigned long long) s.n_lost_ring,
                (unsigned long long) s.n_lost_quota, (unsigned long long) s.n_expired, s.n_waiting);
    reply_text(r, &t);
}

static void memory_show(struct control_request *r, int argc, char *argv[], void *client)
{
    size_t resident = process_resident_bytes(), allocated = process_allocated_bytes();
    if (control_wants_json(r)) {
        control_reply_json(r, json_pack("{s:I, s:I}", "resident_bytes", (json_int_t) resident, "allocated_bytes",
                                        (json_int_t) allocated));
        return;
    }
    struct text t = TEXT_INIT;
    text_printf(&t, "resident:%zu allocated:%zu\n", resident, allocated);
    reply_text(r, &t);
}

const struct control_command datapathd_commands[] = {
    { "dpctl/show", "[-s] [DP]", "Shows the datapath's lookups, masks and ports.", 0, 2, dpctl_show },
    { "dpctl/dump-flows", "[-m] [--names] [DP]", "Shows the flows that the datapath caches.", 0, 4, dpctl_dump_flows },
    { "drops/show", "", "Shows how many packets were dropped, by reason.", 0, 0, drops_show },
    { "upcall/show", "", "Shows what became of packets that needed the control plane.", 0, 0, upcall_show },
    { "memory/show", "", "Shows the memory in use.", 0, 0, memory_show },
    { NULL, NULL, NULL, 0, 0, NULL },
};
