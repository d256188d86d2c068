/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-ofctl: packets out, messages as they come, echoes, and messages in hex. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "utilities/ofctl.h"

/* ---- packet-out ---- */

static void parse_packet(const char *hex, struct buffer *out)
{
    size_t max = strlen(hex) / 2 + 1;
    uint8_t *bytes = xmalloc(max);
    size_t n = parse_hex(hex, bytes, max);
    if (n == SIZE_MAX || n < 14) {
        ofctl_fail("packet-out: \"%s\" is not a packet: at least 14 bytes in hex", hex);
    }
    buffer_put(out, bytes, n);
    free(bytes);
}

static char *cut(char *text, const char *key)
{
    char *p = strstr(text, key);
    if (!p || (p != text && !strchr(", \t", p[-1]))) {
        return NULL;
    }
    *p = '\0';
    return p + strlen(key);
}

/* "in_port=PORT packet=HEX actions=..." */
static void parse_packet_out(char *text, const struct port_names *names, struct ofp_packet_out *po,
                             struct buffer *packet, char **actions)
{
    char *name, *value, form;
    *actions = cut(text, "actions=");
    while (flow_text_next(&text, &name, &value, &form)) {
        bool used = false;
        if (!strcmp(name, "packet")) {
            buffer_clear(packet);
            parse_packet(value, packet);
        } else if (!strcmp(name, "in_port")) {
            ofctl_check(ofp_port_parse(value, names, &po->in_port));
        } else {
            ofctl_check(match_parse_word(name, form ? value : NULL, names, &po->match, &used));
            if (!used) {
                ofctl_fail("packet-out: \"%s\" is not known; there are in_port, packet, actions and pipeline fields", name);
            }
        }
    }
    if (!*actions || !packet->len) {
        ofctl_fail("packet-out: packet=HEX and actions=... are needed");
    }
}

static void put_packet_out(struct ofconn *c, struct ofp_packet_out *po, const struct buffer *packet, struct buffer *b)
{
    po->data = packet->data;
    po->data_len = packet->len;
    po->buffer_id = OFP_NO_BUFFER;
    ofp_encode_packet_out(b, po, c->version, ofconn_xid(c));
}

void ofctl_packet_out(int argc, char **argv)
{
    struct ofctl_port_map map;
    struct ofp_packet_out po = { .in_port = OFPP_CONTROLLER };
    struct buffer packet = BUFFER_INIT, actions = BUFFER_INIT, messages = BUFFER_INIT;
    match_init_any(&po.match);
    port_map_init(&map, argv[1]);
    char *text = NULL, *action_text;
    if (argc == 3) {
        text = xstrdup(argv[2]);
        parse_packet_out(text, &map.names, &po, &packet, &action_text);
    } else if (argc >= 5) {
        action_text = argv[3];
        if (!strcasecmp(argv[2], "none")) {
            po.in_port = OFPP_CONTROLLER;
        } else {
            ofctl_check(ofp_port_parse(argv[2], &map.names, &po.in_port));
        }
        if (po.in_port == OFPP_NONE) {
            po.in_port = OFPP_CONTROLLER;
        }
    } else {
        ofctl_fail("packet-out: it is written packet-out SWITCH \"in_port=PORT packet=HEX actions=ACTIONS\" or "
                   "packet-out SWITCH IN_PORT ACTIONS PACKET...");
    }
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    ofctl_check(ofacts_parse(action_text, &map.names, c->version, false, &actions));
    po.actions = ofact_list_of(&actions);
    if (argc == 3) {
        put_packet_out(c, &po, &packet, &messages);
    }
    for (int i = 4; i < argc; i++) {
        buffer_clear(&packet);
        parse_packet(argv[i], &packet);
        put_packet_out(c, &po, &packet, &messages);
    }
    ofctl_check(ofconn_apply(c, &messages));
    ofconn_close(c);
    buffer_fini(&packet);
    buffer_fini(&actions);
    buffer_fini(&messages);
    free(text);
    port_map_fini(&map);
}

/* ---- Messages as they come ---- */

static void print_messages(struct ofconn *c, const struct port_names *names)
{
    struct ofp_header h;
    while (ofconn_recv(c, &h)) {
        struct text t = TEXT_INIT;
        if (ofctl.timestamp) {
            struct timespec now;
            struct tm tm;
            char date[32];
            clock_gettime(CLOCK_REALTIME, &now);
            gmtime_r(&now.tv_sec, &tm);
            strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
            text_printf(&t, "%s.%03ld: ", date, now.tv_nsec / 1000000);
        }
        ofp_message_format(h.whole, h.whole_len, names, ofctl.verbosity + 2, &t);
        fputs(text_str(&t), stdout);
        fflush(stdout);
        text_fini(&t);
    }
    ofctl_fail("%s: the switch closed the connection", c->name);
}

static void take_config(const struct ofp_header *h, void *config)
{
    ofctl_check(ofp_decode_config(h, config));
}

static void set_miss_send_len(struct ofconn *c, uint16_t len, bool invalid_ttl)
{
    struct ofp_switch_config config;
    struct buffer b = BUFFER_INIT;
    ofp_put_simple(&b, OFPMSG_GET_CONFIG_REQUEST, c->version, ofconn_xid(c), NULL, 0);
    ofconn_transact(c, &b, take_config, &config);
    config.miss_send_len = len;
    config.flags = (config.flags & 3) | (invalid_ttl && c->version < OFP13 ? 4 : 0);
    buffer_clear(&b);
    ofp_encode_config(&b, OFPMSG_SET_CONFIG, &config, c->version, ofconn_xid(c));
    ofctl_check(ofconn_apply(c, &b));
    buffer_fini(&b);
}

void ofctl_monitor(int argc, char **argv)
{
    struct ofctl_port_map map;
    port_map_init(&map, argv[1]);
    const struct port_names *names = port_map_for_output(&map);
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    struct buffer b = BUFFER_INIT;
    bool has_len = false, invalid_ttl = false;
    uint16_t len = 0;
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "invalid_ttl")) {
            invalid_ttl = true;
        } else if (parse_u16(argv[i], &len)) {
            has_len = true;
        } else {
            ofctl_fail("monitor: \"%s\" is not known; there are a number of bytes (MISS-LEN) and invalid_ttl", argv[i]);
        }
    }
    if (has_len || invalid_ttl) {
        set_miss_send_len(c, len, invalid_ttl);
    }
    if (ofctl.packet_in_format >= 0) {
        ofp_encode_nx_setting(&b, OFPMSG_NXT_SET_PACKET_IN_FORMAT, ofctl.packet_in_format, c->version, ofconn_xid(c));
        ofctl_check(ofconn_apply(c, &b));
    }
    print_messages(c, names);
}

void ofctl_snoop(int argc, char **argv)
{
    struct ofctl_port_map map;
    port_map_init(&map, argv[1]);
    const struct port_names *names = port_map_for_output(&map);
    print_messages(ofconn_open(argv[1], ".snoop"), names);
}

/* ---- Echo ---- */

static void take_echo(const struct ofp_header *h, void *arg)
{
    struct buffer *sent = arg;
    if (h->body_len != sent->len || (sent->len && memcmp(h->body, sent->data, sent->len))) {
        ofctl_fail("the echo's bytes are not those that were sent");
    }
}

static void echo(struct ofconn *c, size_t n)
{
    struct buffer b = BUFFER_INIT, payload = BUFFER_INIT;
    for (size_t i = 0; i < n; i++) {
        buffer_put_u8(&payload, i);
    }
    ofp_put_simple(&b, OFPMSG_ECHO_REQUEST, c->version, ofconn_xid(c), payload.data, payload.len);
    ofconn_transact(c, &b, take_echo, &payload);
    buffer_fini(&b);
    buffer_fini(&payload);
}

void ofctl_probe(int argc, char **argv)
{
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    echo(c, 0);
    ofconn_close(c);
}

void ofctl_ping(int argc, char **argv)
{
    uint64_t n = 64;
    if (argc > 2 && !parse_uint(argv[2], 0, OFP_MAX_MESSAGE - 8, &n)) {
        ofctl_fail("ping: \"%s\" is not a number of bytes from 0 to %d", argv[2], OFP_MAX_MESSAGE - 8);
    }
    struct ofconn *c = ofconn_open(argv[1], ".mgmt");
    for (int i = 0; i < 10; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        echo(c, n);
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("%zu bytes from %s: xid=%08x time=%.1f ms\n", (size_t) n, argv[1], c->xid,
               (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6);
    }
    ofconn_close(c);
}

/* ---- Messages in hex and in files ---- */

void ofctl_ofp_print(int argc, char **argv)
{
    size_t max = strlen(argv[1]) / 2 + 1;
    uint8_t *bytes = xmalloc(max);
    size_t n = parse_hex(argv[1], bytes, max);
    struct text t = TEXT_INIT;
    uint64_t verbosity = 0;
    if (n == SIZE_MAX) {
        ofctl_fail("ofp-print: \"%s\" is not a message in hex", argv[1]);
    }
    if (argc > 2 && !parse_uint(argv[2], 0, 9, &verbosity)) {
        ofctl_fail("ofp-print: \"%s\" is not a verbosity from 0 to 9", argv[2]);
    }
    ofp_message_format(bytes, n, NULL, verbosity, &t);
    fputs(text_str(&t), stdout);
    text_fini(&t);
    free(bytes);
}

void ofctl_ofp_parse(int argc, char **argv)
{
    FILE *f = strcmp(argv[1], "-") ? fopen(argv[1], "rb") : stdin;
    uint8_t *m = xmalloc(OFP_MAX_MESSAGE + 1);
    if (!f) {
        ofctl_fail("%s: opening: %s", argv[1], strerror(errno));
    }
    while (fread(m, 1, 8, f) == 8) {
        size_t n = ofp_message_length(m);
        if (n < 8 || fread(m + 8, 1, n - 8, f) != n - 8) {
            ofctl_fail("%s: the file ends within a message, or is none of OpenFlow messages", argv[1]);
        }
        struct text t = TEXT_INIT;
        ofp_message_format(m, n, NULL, ofctl.verbosity, &t);
        fputs(text_str(&t), stdout);
        text_fini(&t);
    }
    free(m);
}

void ofctl_encode_hello(int argc, char **argv)
{
    struct buffer b = BUFFER_INIT;
    struct text t = TEXT_INIT;
    uint32_t bits = ofctl.versions;
    if (argc > 1 && (!parse_u32(argv[1], &bits) || !bits)) {
        ofctl_fail("encode-hello: \"%s\" is not a set of versions, such as 0x12", argv[1]);
    }
    ofp_encode_hello(&b, bits, 1);
    text_put_hex_dump(&t, b.data, b.len);
    ofp_message_format(b.data, b.len, NULL, 0, &t);
    fputs(text_str(&t), stdout);
    text_fini(&t);
    buffer_fini(&b);
}
