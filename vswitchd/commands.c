/* SPDX-License-Identifier: Apache-2.0 */
/* Control commands of the daemon itself and of dummy ports. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/flow/compose.h"
#include "lib/packet/packet.h"
#include "lib/rpc/control.h"
#include "lib/sys/process.h"
#include "vswitchd/vswitch.h"

static void reply_text(struct control_request *request, struct text *t)
{
    control_reply(request, text_str(t));
    text_fini(t);
}

static void exit_command(struct control_request *request, int argc, char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    if (argc > 1 && strcmp(argv[1], "--cleanup")) {
        control_reply_error(request, "exit: the only option is --cleanup");
        return;
    }
    control_reply(request, "");
    if (argc > 1) {
        vswitch_cleanup(vs);
    }
    vs->exit(vs->exit_arg);
}

/* ---- Counters ---- */

struct counter {
    const char *name;
    uint64_t value;
};

static size_t read_counters(struct vswitch *vs, struct counter *c, size_t max)
{
    struct dp_stats s = { 0 };
    error_free(dp_get_stats(vs->dp, &s));
    const struct counter all[] = {
        { "datapath_cache_hit", s.n_cache_hit }, { "datapath_drop", 0 }, { "datapath_hit", s.n_hit },
        { "datapath_lost", s.n_lost }, { "datapath_mask_probe", s.n_mask_probes }, { "datapath_miss", s.n_missed },
        { "datapath_received", s.received }, { "datapath_sent", s.sent }, { "vswitch_plan", vs->n_plans },
        { "vswitch_step", vs->n_steps },
    };
    size_t n = MIN(max, ARRAY_SIZE(all));
    memcpy(c, all, n * sizeof *c);
    for (size_t i = 0; i < DROP_N; i++) {
        c[1].value += s.drops[i];
    }
    return n;
}

static void coverage_show(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *vs)
{
    struct counter c[32];
    size_t n = read_counters(vs, c, ARRAY_SIZE(c));
    struct text t = TEXT_INIT;
    json_t *json = control_wants_json(request) ? json_object() : NULL;
    for (size_t i = 0; i < n; i++) {
        if (json) {
            json_object_set_new(json, c[i].name, json_integer(c[i].value));
        } else if (c[i].value) {
            text_printf(&t, "%-24s total: %llu\n", c[i].name, (unsigned long long) c[i].value);
        }
    }
    if (json) {
        control_reply_json(request, json);
        text_fini(&t);
    } else {
        reply_text(request, &t);
    }
}

static void coverage_read(struct control_request *request, int argc UNUSED, char *argv[], void *vs)
{
    struct counter c[32];
    size_t n = read_counters(vs, c, ARRAY_SIZE(c));
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(c[i].name, argv[1])) {
            struct text t = TEXT_INIT;
            text_printf(&t, "%llu\n", (unsigned long long) c[i].value);
            reply_text(request, &t);
            return;
        }
    }
    control_reply_error(request, "no such counter; coverage/show names them");
}

static void memory_show(struct control_request *request, int argc UNUSED, char *argv[] UNUSED, void *vs_)
{
    struct vswitch *vs = vs_;
    struct dp_stats s = { 0 };
    error_free(dp_get_stats(vs->dp, &s));
    if (control_wants_json(request)) {
        control_reply_json(request, json_pack("{s:I, s:i, s:i, s:i, s:i}", "resident_bytes",
                                              (json_int_t) process_resident_bytes(), "flows", s.n_flows, "masks", s.n_masks,
                                              "pending", s.n_pending, "ports", s.n_ports));
        return;
    }
    struct text t = TEXT_INIT;
    text_printf(&t, "resident:%zukB flows:%u masks:%u pending:%u ports:%u\n", process_resident_bytes() / 1024, s.n_flows,
                s.n_masks, s.n_pending, s.n_ports);
    reply_text(request, &t);
}

/* ---- Dummy ports ---- */

static void receive_done(void *request)
{
    control_reply(request, "");
}

/* Hex digits are a frame; anything with a parenthesis is a flow, of which a packet is made. */
static struct error *receive_one(struct vswitch *vs, const char *port, const char *word, size_t payload)
{
    uint8_t *bytes;
    size_t n;
    if (strchr(word, '(')) {
        struct key key;
        struct mask mask;
        struct error *e = key_parse(word, &key, &mask);
        if (e) {
            return e;
        }
        struct packet *packet = packet_compose(&key, payload);
        bytes = packet_linear(packet, &n);
        packet_free(packet);
    } else {
        bytes = xmalloc(PACKET_MAX);
        n = parse_hex(word, bytes, PACKET_MAX);
        if (n == SIZE_MAX) {
            free(bytes);
            return error_new(EINVAL, "\"%s\" is neither a frame in hex nor a flow", word);
        }
    }
    struct error *e = dp_dummy_receive(vs->dp, port, bytes, n);
    free(bytes);
    return e;
}

static void dummy_receive(struct control_request *request, int argc, char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    uint64_t payload = 64;
    for (int i = 2; i < argc; i++) {
        struct error *e = NULL;
        if (!strcmp(argv[i], "--len") && i + 1 < argc) {
            if (!parse_uint(argv[++i], 0, 65000, &payload)) {
                e = error_new(EINVAL, "--len: a number of payload bytes, 0 to 65000");
            }
        } else if (!strcmp(argv[i], "--qid") && i + 1 < argc) {
            i++;   /* Dummy ports have one queue; any number is it. */
        } else {
            e = receive_one(vs, argv[1], argv[i], payload);
        }
        if (e) {
            control_reply_error_take(request, e);
            return;
        }
    }
    ofproto_wait(vs->ofproto, receive_done, request);
}

static void dummy_set_admin(struct control_request *request, int argc, char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    const char *word = argv[argc - 1];
    bool up = !strcmp(word, "up");
    if (!up && strcmp(word, "down")) {
        control_reply_error(request, "the state is up or down");
        return;
    }
    if (argc == 2) {
        for (size_t i = 0; i < vs->dp_ports.n; i++) {
            error_free(dp_dummy_set_admin(vs->dp, vs->dp_ports.list[i].config.name, up));
        }
    } else {
        struct error *e = dp_dummy_set_admin(vs->dp, argv[1], up);
        if (e) {
            control_reply_error_take(request, e);
            return;
        }
    }
    vswitch_ports_changed(vs);
    ofproto_wait(vs->ofproto, receive_done, request);
}

const struct control_command vswitch_commands[] = {
    { "coverage/read-counter", "counter", "Prints one counter.", 1, 1, coverage_read },
    { "coverage/show", "", "Shows the daemon's counters.", 0, 0, coverage_show },
    { "exit", "[--cleanup]", "Ends the daemon; --cleanup removes what it made.", 0, 1, exit_command },
    { "memory/show", "", "Shows what takes memory.", 0, 0, memory_show },
    { "netdev-dummy/receive", "port [--qid n] [--len n] packet|flow...", "Lets a dummy port receive packets.",
      2, 64, dummy_receive },
    { "netdev-dummy/set-admin-state", "[port] up|down", "Sets the state of dummy ports.", 1, 2, dummy_set_admin },
    { NULL, NULL, NULL, 0, 0, NULL },
};
