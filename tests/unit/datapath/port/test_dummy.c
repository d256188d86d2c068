/* SPDX-License-Identifier: Apache-2.0 */
/* Dummy ports: what comes in, what goes out, files, states. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/port/dummy.h"
#include "lib/base/error.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/sys/rcu.h"
#include "tests/unit/datapath/port/port_tests.h"
#include "tests/unit/lib/packet/packet_tests.h"

static struct packet_pool *pool;

static void setup(void)
{
    rcu_register_thread();
    pool = packet_pool_create(1024, 64);
}

static void teardown(void)
{
    port_release_buffers();
    packet_pool_destroy(pool);
    rcu_unregister_thread();
}

static bool is_readable(const struct port *port)
{
    int fd;
    ck_assert_uint_eq(port_rx_fds(port, &fd, 1), 1);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return poll(&p, 1, 0) == 1;
}

static void must(struct error *e)
{
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
}

START_TEST(frames_come_out_in_order)
{
    struct port *port = make_port(NULL, make_config("dummy", "p1", NULL), 7);
    struct packet_batch batch;
    ck_assert(!is_readable(port));
    port_rx(port, pool, &batch);
    ck_assert_uint_eq(batch.n, 0);
    uint8_t frame[60] = { 0 };
    for (int i = 0; i < 70; i++) {
        frame[59] = i;
        must(port_dummy_receive(port, frame, sizeof frame));
    }
    int next = 0;
    while (ck_assert(next < 70 ? is_readable(port) : !is_readable(port)), port_rx(port, pool, &batch), batch.n) {
        for (uint32_t i = 0; i < batch.n; i++) {
            ck_assert_uint_eq(packet_len(batch.p[i]), 60);
            ck_assert_uint_eq(batch.p[i]->data[59], next++);
            ck_assert_uint_eq(batch.p[i]->in_port, 7);
        }
        packet_batch_free(&batch);
    }
    ck_assert_int_eq(next, 70);
    struct port_counters c = counters_of(port);
    ck_assert_uint_eq(c.rx_packets, 70);
    ck_assert_uint_eq(c.rx_bytes, 70 * 60);
    port_destroy(port);
}
END_TEST

START_TEST(queue_is_bounded)
{
    struct port *port = make_port(NULL, make_config("dummy", "p1", NULL), 1);
    uint8_t frame[14] = { 0 };
    for (int i = 0; i < DUMMY_MAX_QUEUED; i++) {
        must(port_dummy_receive(port, frame, sizeof frame));
    }
    struct error *e = port_dummy_receive(port, frame, sizeof frame);
    ck_assert_ptr_nonnull(e);
    error_free(e);
    static uint8_t huge[PACKET_MAX + 1];
    e = port_dummy_receive(port, huge, sizeof huge);
    ck_assert_ptr_nonnull(e);
    error_free(e);
    port_destroy(port);   /* Frees what waits. */
}
END_TEST

START_TEST(a_port_that_is_down_loses_both_ways)
{
    struct port *port = make_port(NULL, make_config("dummy", "p1", NULL), 1);
    struct packet_batch batch;
    uint8_t frame[60] = { 0 };
    must(port_dummy_set_admin(port, false));
    struct dp_port_state state;
    port_get_state(port, &state);
    ck_assert(!state.admin_up && !state.link_up);
    must(port_dummy_receive(port, frame, sizeof frame));
    port_rx(port, pool, &batch);
    ck_assert_uint_eq(batch.n, 0);
    send_packet(port, pool, packet_from_bytes(pool, frame, sizeof frame));
    struct port_counters c = counters_of(port);
    ck_assert_uint_eq(c.drops[DROP_PORT_DOWN], 2);
    ck_assert_uint_eq(c.tx_packets, 0);
    ck_assert_uint_eq(c.tx_dropped, 1);
    ck_assert_uint_eq(c.rx_packets, 1);
    must(port_dummy_set_admin(port, true));
    must(port_dummy_receive(port, frame, sizeof frame));
    port_rx(port, pool, &batch);
    ck_assert_uint_eq(batch.n, 1);
    packet_batch_free(&batch);
    port_destroy(port);
}
END_TEST

START_TEST(only_dummies_take_frames)
{
    struct port *port = make_port(NULL, make_config("null", "n1", NULL), 1);
    uint8_t frame[60] = { 0 };
    struct error *e = port_dummy_receive(port, frame, sizeof frame);
    ck_assert_msg(e && strstr(error_text(e), "\"null\""), "%s", e ? error_text(e) : "");
    error_free(e);
    e = port_dummy_set_admin(port, true);
    ck_assert_ptr_nonnull(e);
    error_free(e);
    port_destroy(port);
}
END_TEST

/* The lengths of the frames in a capture file. */
static size_t read_lengths(const char *path, uint32_t *lengths, size_t max)
{
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    uint8_t header[24], record[16], frame[70000];
    size_t n = 0;
    ck_assert_uint_eq(fread(header, 1, 24, f), 24);
    while (n < max && fread(record, 1, 16, f) == 16) {
        memcpy(&lengths[n], record + 8, 4);
        ck_assert_uint_eq(fread(frame, 1, lengths[n], f), lengths[n]);
        n++;
    }
    fclose(f);
    return n;
}

START_TEST(gso_packets_leave_as_segments_in_the_file)
{
#ifdef HAVE_PCAP
    char path[] = "/tmp/tsuji-unit-XXXXXX", options[64];
    close(mkstemp(path));
    snprintf(options, sizeof options, "tx_pcap=%s", path);
    struct port *port = make_port(NULL, make_config("dummy", "p1", options), 1);
    struct recipe r = { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 10000, .partial = true };
    struct packet *p = make_packet(pool, &r);
    p->gso = GSO_TCP4;
    p->gso_size = 4000;   /* More than the MTU takes. */
    p->gso_segs = 3;
    uint32_t len = packet_len(p), lengths[16];
    send_packet(port, pool, p);
    size_t n = read_lengths(path, lengths, 16);
    ck_assert_uint_eq(n, 7);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(lengths[i], 14 + 1500);
    }
    ck_assert_uint_eq(lengths[6], 54 + 10000 - 6 * 1460);
    struct port_counters c = counters_of(port);
    ck_assert_uint_eq(c.tx_packets, 1);
    ck_assert_uint_eq(c.tx_bytes, len);
    port_destroy(port);
    unlink(path);
#endif
}
END_TEST

START_TEST(too_big_frames_are_dropped)
{
    struct port *port = make_port(NULL, make_config("dummy", "p1", NULL), 1);
    struct recipe r = { .proto = IP_PROTO_UDP, .payload = 3000 };
    send_packet(port, pool, make_packet(pool, &r));
    ck_assert_uint_eq(counters_of(port).drops[DROP_TOO_BIG], 1);
    struct packet *p = make_packet(pool, &r);
    p->max_len = 100;
    send_packet(port, pool, p);
    ck_assert_uint_eq(counters_of(port).tx_packets, 1);
    ck_assert_uint_eq(counters_of(port).tx_bytes, 100);
    port_destroy(port);
}
END_TEST

/* What is in the file of a port that got a packet with a maximum length. */
static const struct {
    const char *sentence;
    uint16_t gso_size;
    uint32_t payload, max_len, n, first, last;
} cuts[] = {
    { "a plain packet is cut", 0, 1000, 64, 1, 64, 64 },
    { "a shorter one is not", 0, 10, 64, 1, 64, 64 },
    { "every segment is cut", 1000, 10000, 64, 10, 64, 64 },
    { "more than a batch of them", 1000, 40000, 64, 40, 64, 64 },
    { "segments that fit are left", 1000, 2500, 1100, 3, 1054, 554 },
    { "a short last segment is left", 1000, 1010, 100, 2, 100, 64 },
};

START_TEST(max_len_cuts_what_leaves)
{
#ifdef HAVE_PCAP
    char path[] = "/tmp/tsuji-unit-XXXXXX", options[64];
    close(mkstemp(path));
    snprintf(options, sizeof options, "tx_pcap=%s", path);
    struct port *port = make_port(NULL, make_config("dummy", "p1", options), 1);
    struct recipe r = { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = cuts[_i].payload, .partial = true };
    struct packet *p = make_packet(pool, &r), *whole = packet_clone(pool, p);
    uint32_t lengths[64];
    p->max_len = cuts[_i].max_len;
    if (cuts[_i].gso_size) {
        p->gso = GSO_TCP4;
        p->gso_size = cuts[_i].gso_size;
        p->gso_segs = DIV_ROUND_UP(r.payload, p->gso_size);
    }
    send_packet(port, pool, p);
    ck_assert_msg(read_lengths(path, lengths, 64) == cuts[_i].n, "%s", cuts[_i].sentence);
    ck_assert_uint_eq(lengths[0], cuts[_i].first);
    ck_assert_uint_eq(lengths[cuts[_i].n - 1], cuts[_i].last);
    struct port_counters c = counters_of(port);
    ck_assert_uint_eq(c.tx_packets, 1 + c.made);   /* As many sent as came and were made. */
    if (!cuts[_i].gso_size) {
        /* The checksum is that of the whole. */
        uint8_t file[24 + 16 + 64];
        FILE *f = fopen(path, "rb");
        packet_csum_complete(whole);
        ck_assert_uint_eq(fread(file, 1, sizeof file, f), sizeof file);
        ck_assert_mem_eq(file + 40, whole->data, 64);
        fclose(f);
    }
    packet_free(whole);
    port_destroy(port);
    unlink(path);
    ck_assert_uint_eq(packet_pool_in_use(pool), 0);
#endif
}
END_TEST

/* A dummy in the place of a carrier: what it sends, it takes for its own again. */
START_TEST(dummy_carriers_speak_vxlan)
{
#ifdef HAVE_PCAP
    char path[] = "/tmp/tsuji-unit-XXXXXX", options[64];
    close(mkstemp(path));
    snprintf(options, sizeof options, "tx_pcap=%s,dst_port=8472", path);
    struct port_env env = { .dummy_override = "override" };
    struct port *port = make_port(&env, make_config("vxlan", "vx", options), 1);
    struct recipe r = { .proto = IP_PROTO_UDP, .payload = 100 };
    struct packet *p = make_packet(pool, &r), *inner = packet_clone(pool, p);
    struct packet_batch batch;
    p->has_tunnel = true;
    memset(&p->tunnel, 0, sizeof p->tunnel);
    if (_i & 1) {
        memset(&p->tunnel.ip6_dst, 0x11, 16);
        memset(&p->tunnel.ip6_src, 0x22, 16);
    } else {
        p->tunnel.ip4_dst = htobe32(0x01020304);
        p->tunnel.ip4_src = htobe32(0x05060708);
    }
    p->tunnel.id = htobe64(0xabcdef);
    p->tunnel.tos = 0xb9;
    p->tunnel.ttl = 3;
    p->tunnel.flags = TUNNEL_KEY | (_i & 2 ? TUNNEL_CSUM : 0);
    struct tunnel_key sent = p->tunnel;
    send_packet(port, pool, p);
    ck_assert_uint_eq(counters_of(port).tx_packets, 1);

    uint8_t file[1024];
    FILE *f = fopen(path, "rb");
    size_t n = fread(file, 1, sizeof file, f);
    fclose(f);
    ck_assert_uint_eq(n, 40 + packet_len(inner) + 14 + (_i & 1 ? 40 : 20) + 16);
    struct packet *outer = packet_from_bytes(pool, file + 40, n - 40);
    outer->l3_ofs = 14;
    ck_assert(packet_csum_is_valid(outer));
    ck_assert_int_eq(outer->data[14 + (_i & 1 ? 40 : 20) + 6] != 0 || outer->data[14 + (_i & 1 ? 40 : 20) + 7] != 0,
                     _i != 0);
    packet_free(outer);
    must(port_dummy_receive(port, file + 40, n - 40));
    port_rx(port, pool, &batch);
    ck_assert_uint_eq(batch.n, 1);
    ck_assert_uint_eq(packet_len(batch.p[0]), packet_len(inner));
    ck_assert_mem_eq(batch.p[0]->data, inner->data, packet_len(inner));
    sent.flags = TUNNEL_KEY;
    sent.tp_src = batch.p[0]->tunnel.tp_src;
    sent.tp_dst = htobe16(8472);
    ck_assert_mem_eq(&batch.p[0]->tunnel, &sent, sizeof sent);
    packet_batch_free(&batch);

    /* Without the VNI flag, and to another port. */
    file[40 + 14 + (_i & 1 ? 40 : 20) + 8] = 0;
    must(port_dummy_receive(port, file + 40, n - 40));
    file[40 + 14 + (_i & 1 ? 40 : 20) + 3] ^= 1;
    must(port_dummy_receive(port, file + 40, n - 40));
    port_rx(port, pool, &batch);
    ck_assert_uint_eq(batch.n, 0);
    ck_assert_uint_eq(counters_of(port).drops[DROP_TUNNEL_NO_KEY], 1);
    ck_assert_uint_eq(counters_of(port).drops[DROP_TUNNEL_MALFORMED], 1);
    /* Nowhere to go. */
    send_packet(port, pool, inner);
    ck_assert_uint_eq(counters_of(port).drops[DROP_TUNNEL_NO_REMOTE], 1);
    port_destroy(port);
    unlink(path);
#endif
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
    char *text = make_port_fails(NULL, make_config("dummy", "p1", "pcap=/nonexistent/x.pcap"));
    ck_assert_msg(strstr(text, "\"p1\"") && strstr(text, "/nonexistent/x.pcap"), "%s", text);
    free(text);
}
END_TEST

TCase *dummy_tcase(void)
{
    TCase *t = tcase_create("dummy");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, frames_come_out_in_order);
    tcase_add_test(t, queue_is_bounded);
    tcase_add_test(t, a_port_that_is_down_loses_both_ways);
    tcase_add_test(t, only_dummies_take_frames);
    tcase_add_test(t, gso_packets_leave_as_segments_in_the_file);
    tcase_add_test(t, too_big_frames_are_dropped);
    tcase_add_loop_test(t, max_len_cuts_what_leaves, 0, ARRAY_SIZE(cuts));
    tcase_add_loop_test(t, dummy_carriers_speak_vxlan, 0, 4);
    tcase_add_test(t, a_file_that_cannot_be_written_is_an_error);
    return t;
}
