/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that behave badly: the datapath answers with an error or lets them go, and serves the others. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/wire.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/sys/channel.h"
#include "tests/unit/datapath/engine/engine_tests.h"

static struct rig r;
static int fd;
static uint8_t in[CHANNEL_MAX_MESSAGE];

static void setup(void)
{
    int fds[2];
    rig_start(&r, NULL);
    ck_assert_int_eq(channel_pair(fds), 0);
    must(datapath_serve_fd(r.dp, fds[0]));
    fd = fds[1];
}

static void teardown(void)
{
    rig_check_balance(&r);      /* The rig's own client is served as before. */
    close(fd);
    rig_stop(&r);
}

/* The next message, within two seconds; 0: none, or the end. */
static size_t receive(void)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int fds[CHANNEL_MAX_FDS];
    size_t n = 0, n_fds = 0;
    if (poll(&p, 1, 2000) <= 0 || channel_recv(fd, in, &n, fds, &n_fds)) {
        return 0;
    }
    for (size_t i = 0; i < n_fds; i++) {
        close(fds[i]);
    }
    return n;
}

static void expect_error(const char *text)
{
    struct wire_message m;
    size_t n = receive();
    ck_assert_uint_gt(n, 0);
    must(wire_parse(in, n, false, &m));
    struct error *e = wire_get_error(&m.attrs);
    ck_assert_msg(e && strstr(error_text(e), text), "\"%s\" instead of \"%s\"", e ? error_text(e) : "no error", text);
    error_free(e);
}

static void send_bytes(const void *p, size_t n)
{
    while (channel_send(fd, p, n, NULL, 0) == EAGAIN) {
        usleep(1000);
    }
}

static void say_hello(bool observer)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_HELLO, 1);
    wire_put_u32(&b, ATTR_VERSION, WIRE_VERSION);
    wire_put(&b, ATTR_FEATURES, "", 0);
    if (observer) {
        wire_put(&b, ATTR_OBSERVER, "", 0);
    }
    send_bytes(b.data, b.len);
    buffer_fini(&b);
}

START_TEST(requests_before_hello_and_wrong_versions_are_refused)
{
    struct buffer b = BUFFER_INIT;
    wire_begin(&b, WIRE_GET_STATS, 5);
    send_bytes(b.data, b.len);
    expect_error("hello comes first");
    wire_begin(&b, WIRE_HELLO, 6);
    wire_put_u32(&b, ATTR_VERSION, 99);
    wire_put(&b, ATTR_FEATURES, "", 0);
    send_bytes(b.data, b.len);
    expect_error("speaks version");
    say_hello(false);
    expect_error("there can be one only");
    say_hello(true);
    ck_assert_uint_gt(receive(), 0);
    wire_begin(&b, WIRE_FLOW_FLUSH, 7);
    send_bytes(b.data, b.len);
    wire_begin(&b, WIRE_PORT_DEL, 7);
    wire_put_u32(&b, ATTR_PORT_NO, 1);
    send_bytes(b.data, b.len);
    expect_error("may only look");
    buffer_fini(&b);
}
END_TEST

START_TEST(rubbish_is_answered_or_ends_the_peer)
{
    uint8_t bytes[512];
    for (int i = 0; i < 3000; i++) {
        size_t n = 1 + random_range(sizeof bytes);
        random_secure(bytes, n);
        if (random_range(2) && n >= 8) {
            memset(bytes, 0, 8);
            bytes[1] = random_range(25);      /* A true type. */
        }
        send_bytes(bytes, n);
        while (poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, 0) > 0 && receive()) {
        }
    }
    struct dp_stats s;
    must(dp_get_stats(r.c, &s));
    ck_assert_uint_eq(s.n_ports, RIG_PORTS);
}
END_TEST

START_TEST(a_peer_that_never_reads_holds_up_nobody)
{
    struct buffer b = BUFFER_INIT;
    say_hello(true);
    wire_begin(&b, WIRE_PORT_DUMP, 9);
    int sent = 0;
    while (sent < 100000 && !channel_send(fd, b.data, b.len, NULL, 0)) {
        sent++;
        usleep(sent % 64 ? 0 : 100);
    }
    ck_assert_int_lt(sent, 100000);           /* Back-pressure. */
    for (int i = 0; i < 50; i++) {
        struct dp_stats s;
        must(dp_get_stats(r.c, &s));
    }
    buffer_fini(&b);
}
END_TEST

START_TEST(long_frames_in_wrong_pieces_are_refused)
{
    /* By the control peer: the rig's client gives up its place. */
    struct key key;
    struct action_list a;
    struct buffer b = BUFFER_INIT;
    rig_disconnect(&r);
    usleep(100000);
    say_hello(false);
    ck_assert_uint_gt(receive(), 0);
    memset(&key, 0, sizeof key);
    action_list_init(&a);
    action_put_output(&a, 1);
    static const struct { uint32_t at, length; size_t n; } pieces[] = {
        { 0, 100, 200 }, { 50, 100, 10 }, { 0, 1 << 30, 10 }, { 0, 100, 60 }, { 61, 100, 40 }, { 60, 90, 40 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        static const uint8_t bytes[256];
        wire_begin(&b, WIRE_EXECUTE, 0);
        wire_put_key(&b, ATTR_KEY, &key);
        wire_put_actions(&b, &a);
        wire_put(&b, ATTR_FRAME, bytes, pieces[i].n);
        wire_put_u32(&b, ATTR_PIECE, pieces[i].at);
        wire_put_u32(&b, ATTR_FRAME_LENGTH, pieces[i].length);
        send_bytes(b.data, b.len);
    }
    wire_begin(&b, WIRE_GET_STATS, 3);
    send_bytes(b.data, b.len);
    struct wire_message m;
    struct dp_stats s;
    size_t n = receive();
    must(wire_parse(in, n, false, &m));
    must(wire_get_stats(&m.attrs, &s));
    ck_assert_uint_eq(s.made, 0);             /* Nothing was whole. */
    close(fd);
    usleep(100000);
    rig_connect(&r);
    fd = dup(0);
    action_list_fini(&a);
    buffer_fini(&b);
}
END_TEST

TCase *peer_tcase(void)
{
    TCase *t = tcase_create("peer");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, requests_before_hello_and_wrong_versions_are_refused);
    tcase_add_test(t, rubbish_is_answered_or_ends_the_peer);
    tcase_add_test(t, a_peer_that_never_reads_holds_up_nobody);
    tcase_add_test(t, long_frames_in_wrong_pieces_are_refused);
    return t;
}
