/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: addresses, connections over unix and TCP sockets, large transfers, bounds. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/rpc/stream.h"
#include "lib/sys/loop.h"
#include "tests/unit/unit.h"

struct end {
    struct stream *stream;
    size_t received;
    uint32_t sum;            /* Of bytes times their position. */
    int connected, drained;
    int closed;              /* -1: not. */
    bool destroy_on_read;
};

static struct end accepted_end;
static struct loop *loop;

static void readable(struct stream *s, void *arg)
{
    struct end *e = arg;
    size_t n;
    const uint8_t *p = stream_peek(s, &n);
    for (size_t i = 0; i < n; i++) {
        e->sum += p[i] * (uint32_t) (e->received + i + 1);
    }
    e->received += n;
    stream_consume(s, n);
    if (e->destroy_on_read) {
        stream_destroy(s);
        e->stream = NULL;
    }
}

static void connected(struct stream *s, void *arg)
{
    ((struct end *) arg)->connected++;
}

static void drained(struct stream *s, void *arg)
{
    ((struct end *) arg)->drained++;
}

static void closed(struct stream *s, int error, void *arg)
{
    struct end *e = arg;
    e->closed = error;
    stream_destroy(s);
    e->stream = NULL;
}

static const struct stream_callbacks callbacks = { connected, readable, drained, closed };

static void init_end(struct end *e, struct stream *s)
{
    *e = (struct end) { .stream = s, .closed = -1 };
    stream_set_callbacks(s, &callbacks, e);
}

static void accepted(struct stream *s, void *arg)
{
    init_end(&accepted_end, s);
}

#define RUN_UNTIL(CONDITION)                                                                     \
    do {                                                                                         \
        int tries__ = 5000;                                                                      \
        while (!(CONDITION) && tries__--) {                                                      \
            loop_run_once(loop, 10);                                                             \
        }                                                                                        \
        ck_assert_msg(tries__ >= 0, "never: %s", #CONDITION);                                    \
    } while (0)

static void setup(void)
{
    setenv("TSUJI_RUNDIR", "/tmp", 1);
    loop = loop_create("test");
}

static void teardown(void)
{
    loop_destroy(loop);
}

START_TEST(addresses)
{
    static const struct { const char *address; bool passive, ok; const char *text; } rows[] = {
        { "unix:/x", false, true, NULL },
        { "unix:", false, false, "file name is missing" },
        { "punix:db.sock", true, true, NULL },
        { "tcp:127.0.0.1:6640", false, true, NULL },
        { "tcp:127.0.0.1", false, true, NULL },
        { "tcp:localhost:1", false, true, NULL },
        { "tcp:[::1]:6640", false, true, NULL },
        { "tcp:[::1]", false, true, NULL },
        { "tcp:[::1:6640", false, false, "tcp:[IPV6]:PORT" },
        { "tcp:[::1]x", false, false, "tcp:[IPV6]:PORT" },
        { "tcp:127.0.0.1:0", false, false, "\"0\" is no port" },
        { "tcp:127.0.0.1:65536", false, false, "\"65536\" is no port" },
        { "tcp:127.0.0.1:66x", false, false, "\"66x\" is no port" },
        { "tcp:example.com:1", false, false, "\"example.com\" is no IPv4 address" },
        { "tcp::1", false, false, "no IPv4 address" },
        { "ptcp:", true, true, NULL },
        { "ptcp:0", true, true, NULL },
        { "ptcp:6640:127.0.0.1", true, true, NULL },
        { "ptcp:6640:[::1]", true, true, NULL },
        { "ptcp::127.0.0.1", true, true, NULL },
        { "ptcp:x", true, false, "\"x\" is no port" },
        { "ptcp:6640:[::1]:1", true, false, "ptcp:PORT:[IPV6]" },
        { "ptcp:6640", false, false, "no address to connect to" },
        { "tcp:1.2.3.4:1", true, false, "no address to listen on" },
        { "ssl:1.2.3.4:1", false, false, "TLS is not supported" },
        { "pssl:6640", true, false, "TLS is not supported" },
        { "", false, false, "no address to connect to" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error *why;
        bool ok = stream_address_is_valid(rows[i].address, rows[i].passive, &why);
        ck_assert_msg(ok == rows[i].ok, "\"%s\": %s", rows[i].address, error_text(why));
        ck_assert_int_eq(!why, ok);
        ck_assert_msg(ok || strstr(error_text(why), rows[i].text), "%s", error_text(why));
        error_free(why);
    }
}
END_TEST

/* Sends 'size' bytes from a to b and compares the sum. */
static void transfer(struct end *a, struct end *b, size_t size)
{
    uint8_t *bytes = xmalloc(size);
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t) random();
        sum += bytes[i] * (uint32_t) (i + 1);
    }
    for (size_t sent = 0; sent < size; ) {
        size_t piece = (size_t) (random() % 100000), n = MIN(size - sent, piece);
        stream_send(a->stream, bytes + sent, n);
        sent += n;
        loop_run_once(loop, 0);
    }
    RUN_UNTIL(b->received >= size);
    ck_assert_uint_eq(b->received, size);
    ck_assert_uint_eq(b->sum, sum);
    RUN_UNTIL(a->drained);
    ck_assert_uint_eq(stream_queued_bytes(a->stream), 0);
    free(bytes);
}

static void exchange(const char *listen_address, const char *connect_format)
{
    struct stream_listener *listener;
    struct error *e = stream_listen(loop, listen_address, 0, accepted, NULL, &listener);
    ck_assert_msg(!e, "%s", error_text(e));
    char *address = xasprintf(connect_format, stream_listener_port(listener));
    struct stream *s;
    struct end client;
    ck_assert_ptr_null(stream_open(loop, address, 0, &s));
    free(address);
    init_end(&client, s);
    accepted_end.stream = NULL;
    ck_assert_int_eq(client.connected, 0);      /* Never inside stream_open(). */
    RUN_UNTIL(client.connected && accepted_end.stream);
    ck_assert(stream_is_connected(client.stream));
    srandom(3);
    transfer(&client, &accepted_end, 3000000);
    transfer(&accepted_end, &client, 3000000);
    ck_assert_int_eq(client.connected, 1);
    stream_send(client.stream, "bye", 3);       /* Goes out although destroyed at once. */
    stream_destroy(client.stream);
    RUN_UNTIL(accepted_end.closed == 0);
    ck_assert_uint_eq(accepted_end.received, 3000003);
    stream_listener_destroy(listener);
}

START_TEST(unix_and_tcp)
{
    char path[64], active[80], passive[80];
    snprintf(path, sizeof path, "tsuji-unit-%ld.sock", (long) getpid());
    snprintf(passive, sizeof passive, "punix:%s", path);
    snprintf(active, sizeof active, "unix:/tmp/%s", path);
    exchange(passive, active);
    ck_assert_int_ne(access(active + 5, F_OK), 0);   /* Removed with its listener. */
    exchange("ptcp:0:127.0.0.1", "tcp:127.0.0.1:%u");
    exchange("ptcp:0:[::1]", "tcp:[::1]:%u");
}
END_TEST

START_TEST(failures_arrive_later)
{
    static const char *const addresses[] = { "unix:/tmp/tsuji-unit-no-such.sock", "tcp:127.0.0.1:1" };
    static const int errors[] = { ENOENT, ECONNREFUSED };
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        struct stream *s;
        struct end client;
        ck_assert_ptr_null(stream_open(loop, addresses[i], 0, &s));
        init_end(&client, s);
        ck_assert_int_eq(client.closed, -1);
        ck_assert(!stream_is_connected(s));
        stream_send(s, "x", 1);
        RUN_UNTIL(client.closed >= 0);
        ck_assert_int_eq(client.closed, errors[i]);
        ck_assert_int_eq(client.connected, 0);
    }
    struct stream *s;
    ck_assert_ptr_null(stream_open(loop, addresses[0], 0, &s));
    stream_destroy(s);                           /* Before it could say so. */
    loop_run_once(loop, 0);
    struct stream_listener *listener;
    struct error *e = stream_listen(loop, "ptcp:1:192.0.2.1", 0, accepted, NULL, &listener);
    ck_assert_msg(strstr(error_text(e), "ptcp:1:192.0.2.1") != NULL, "%s", error_text(e));
    error_free(e);
}
END_TEST

START_TEST(pause_and_destroy)
{
    int fds[2];
    struct end a, b;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    init_end(&a, stream_from_fd(loop, fds[0], "a"));
    init_end(&b, stream_from_fd(loop, fds[1], "b"));
    ck_assert_str_eq(stream_name(a.stream), "a");
    stream_pause(b.stream, true);
    stream_send(a.stream, "hello", 5);
    for (int i = 0; i < 5; i++) {
        loop_run_once(loop, 0);
    }
    ck_assert_uint_eq(b.received, 0);
    stream_pause(b.stream, false);
    RUN_UNTIL(b.received == 5);

    b.destroy_on_read = true;
    stream_send(a.stream, "x", 1);
    RUN_UNTIL(!b.stream);
    RUN_UNTIL(a.closed == 0);
}
END_TEST

START_TEST(half_closed_peer_gets_its_answer)
{
    int fds[2];
    struct end a;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    init_end(&a, stream_from_fd(loop, fds[0], "a"));
    stream_send(a.stream, "answer", 6);
    shutdown(fds[1], SHUT_WR);
    RUN_UNTIL(a.closed == 0);
    char text[16];
    ck_assert_int_eq(read(fds[1], text, sizeof text), 6);
    close(fds[1]);
}
END_TEST

TCase *stream_tcase(void);
TCase *stream_tcase(void)
{
    TCase *tc = tcase_create("stream");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, addresses);
    tcase_add_test(tc, unix_and_tcp);
    tcase_add_test(tc, failures_arrive_later);
    tcase_add_test(tc, pause_and_destroy);
    tcase_add_test(tc, half_closed_peer_gets_its_answer);
    return tc;
}
