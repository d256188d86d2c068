/* SPDX-License-Identifier: Apache-2.0 */
/* The framer and JSON-RPC sessions over a socket pair. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/json_framer.h"
#include "lib/rpc/jsonrpc.h"
#include "lib/rpc/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/loop.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static int peer;                 /* The other end, plain bytes. */
static struct jsonrpc *session;
static struct text seen;         /* What arrived, in words. */
static bool is_closed;
static char *why_closed;         /* NULL: the peer. */
static int n_drained;
static bool destroy_on_message, pause_on_message;

static void message(struct jsonrpc *j, const struct jsonrpc_message *m, void *arg)
{
    static const char *const types[] = { "request", "notify", "reply", "error" };
    json_t *body = m->params ? m->params : m->result ? m->result : m->error;
    char *body_text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    char *id_text = m->id ? json_dumps(m->id, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    text_printf(&seen, "%s %s %s %s;", types[m->type], m->method ? m->method : "-", body_text,
                id_text ? id_text : "-");
    free(body_text);
    free(id_text);
    if (destroy_on_message) {
        jsonrpc_destroy(j);
        session = NULL;
    } else if (pause_on_message) {
        jsonrpc_pause(j, true);
    }
}

static void closed(struct jsonrpc *j, struct error *e, void *arg)
{
    is_closed = true;
    why_closed = e ? xstrdup(error_text(e)) : NULL;
    jsonrpc_destroy(j);
    session = NULL;
}

static void drained(struct jsonrpc *j, void *arg)
{
    n_drained++;
}

static void setup(void)
{
    static const struct jsonrpc_callbacks callbacks = { message, closed, drained };
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    loop = loop_create("test");
    session = jsonrpc_create(loop, stream_from_fd(loop, fds[0], "s"), &callbacks, NULL);
    peer = fds[1];
    text_init(&seen);
}

static void teardown(void)
{
    jsonrpc_destroy(session);
    close(peer);
    loop_destroy(loop);
    text_fini(&seen);
    free(why_closed);
}

static void say(const char *s)
{
    for (size_t n = strlen(s), done = 0; done < n; ) {
        ssize_t sent = write(peer, s + done, n - done);
        done += sent > 0 ? (size_t) sent : 0;
        loop_run_once(loop, 0);
    }
    loop_run_once(loop, 0);
}

static void expect(const char *words)
{
    ck_assert_str_eq(text_str(&seen), words);
    text_clear(&seen);
}

START_TEST(framer_finds_the_end)
{
    static const struct { const char *s; size_t length; } rows[] = {
        { "{}", 2 }, { "[]x", 2 }, { "{\"a\":\"}\"} ", 9 }, { "[\"\\\"]\"]", 7 },
        { "[\"\\\\\"]", 6 }, { "[[[]]]]", 6 }, { "{\"a\":[1,{\"b\":2}]}{", 17 },
        { "[\"", 0 }, { "{", 0 }, { "", 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        /* In one piece, and byte by byte. */
        for (size_t step = 1; step <= 100; step += 99) {
            struct json_framer f = { .scanned = 0 };
            size_t n = strlen(rows[i].s), length = 0;
            const char *why;
            enum json_framer_result result = JSON_FRAMER_MORE;
            for (size_t end = MIN(step, n); result == JSON_FRAMER_MORE; end = MIN(end + step, n)) {
                result = json_framer_scan(&f, (const uint8_t *) rows[i].s, end, &length, &why);
                if (end == n) {
                    break;
                }
            }
            ck_assert_int_eq(result, rows[i].length ? JSON_FRAMER_DONE : JSON_FRAMER_MORE);
            ck_assert_uint_eq(length, rows[i].length);
        }
    }
}
END_TEST

START_TEST(framer_has_limits)
{
    struct json_framer f = { .scanned = 0 };
    size_t length;
    const char *why;
    char deep[2 * JSON_MAX_DEPTH + 2];
    memset(deep, '[', JSON_MAX_DEPTH + 1);
    ck_assert_int_eq(json_framer_scan(&f, (uint8_t *) deep, JSON_MAX_DEPTH, &length, &why),
                     JSON_FRAMER_MORE);
    ck_assert_int_eq(json_framer_scan(&f, (uint8_t *) deep, JSON_MAX_DEPTH + 1, &length, &why),
                     JSON_FRAMER_BAD);
    size_t n = JSON_MAX_DOCUMENT;
    uint8_t *large = xmalloc(n);
    memset(large, ' ', n);
    large[0] = '[';
    f = (struct json_framer) { .scanned = 0 };
    ck_assert_int_eq(json_framer_scan(&f, large, n - 1, &length, &why), JSON_FRAMER_MORE);
    large[n - 1] = ']';
    ck_assert_int_eq(json_framer_scan(&f, large, n, &length, &why), JSON_FRAMER_DONE);
    large[n - 1] = ' ';
    ck_assert_int_eq(json_framer_scan(&f, large, n, &length, &why), JSON_FRAMER_BAD);
    free(large);
    f = (struct json_framer) { .scanned = 0 };
    ck_assert_int_eq(json_framer_scan(&f, (const uint8_t *) "7", 1, &length, &why), JSON_FRAMER_BAD);
}
END_TEST

START_TEST(messages_of_each_type)
{
    say("{\"id\":0,\"method\":\"echo\",\"params\":[1,\"x\"]}");
    expect("request echo [1,\"x\"] 0;");
    say(" \n{\"method\":\"update\",\"params\":[],\"id\":null}\n");
    expect("notify update [] null;");
    say("{\"method\":\"update\",\"params\":[]}");
    expect("notify update [] -;");
    say("{\"id\":[1],\"result\":{\"a\":null},\"error\":null}{\"id\":2,\"result\":null,\"error\":\"no\"}");
    expect("reply - {\"a\":null} [1];error - \"no\" 2;");
    say("{\"id\":3,\"result\":null,\"error\":null}");
    expect("reply - null 3;");
    /* In small pieces. */
    static const char s[] = "{\"id\":\"\\u00e9\",\"method\":\"m\",\"params\":[\"}\"]}";
    for (size_t i = 0; i < sizeof s - 1; i++) {
        char piece[2] = { s[i], '\0' };
        expect("");
        say(piece);
    }
    expect("request m [\"}\"] \"\xc3\xa9\";");
}
END_TEST

START_TEST(nonsense_closes_with_a_reason)
{
    static const struct { const char *s, *why; } rows[] = {
        { "hello", "no JSON object or array begins here" },
        { "[1,2]", "it is no object" },
        { "{\"a\":}", "invalid JSON" },
        { "{]", "invalid JSON" },
        { "{\"id\":\"\xff\xfe\",\"method\":\"m\",\"params\":[]}", "invalid JSON" },
        { "{\"id\":1,\"method\":7,\"params\":[]}", "\"method\" is no string" },
        { "{\"id\":1,\"method\":\"m\",\"params\":{}}", "\"params\" is no array" },
        { "{\"id\":1,\"method\":\"m\"}", "\"params\" is no array" },
        { "{}", "neither \"method\" nor \"id\"" },
        { "{\"id\":1}", "neither \"method\" nor \"result\" nor \"error\"" },
        { "{\"id\":99999999999999999999,\"method\":\"m\",\"params\":[]}", "invalid JSON" },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "64 levels" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        say(rows[i].s);
        ck_assert_msg(is_closed, "%s", rows[i].s);
        ck_assert_ptr_nonnull(why_closed);
        ck_assert_msg(strstr(why_closed, rows[i].why) != NULL, "%s", why_closed);
        expect("");
        teardown();
        why_closed = NULL;
        is_closed = false;
        setup();
    }
}
END_TEST

START_TEST(peer_that_leaves)
{
    say("{\"id\":1,\"method\":\"last\",\"params\":[]}{\"id\":");
    shutdown(peer, SHUT_RDWR);
    loop_run_once(loop, 100);
    ck_assert(is_closed);
    ck_assert_ptr_null(why_closed);
    expect("request last [] 1;");
}
END_TEST

START_TEST(sends_what_peers_expect)
{
    jsonrpc_send_request(session, "m", json_pack("[i]", 1), json_integer(5));
    jsonrpc_send_notify(session, "n", json_array());
    jsonrpc_send_reply(session, json_string("r"), json_integer(6));
    jsonrpc_send_error(session, json_string("e"), json_integer(7));
    jsonrpc_send_text(session, "{}", 2);
    ck_assert_uint_gt(jsonrpc_queued_bytes(session), 0);
    while (!n_drained) {
        loop_run_once(loop, 100);
    }
    ck_assert_uint_eq(jsonrpc_queued_bytes(session), 0);
    char text[1024] = "";
    ck_assert_int_gt(read(peer, text, sizeof text - 1), 0);
    ck_assert_str_eq(text, "{\"id\":5,\"method\":\"m\",\"params\":[1]}"
                           "{\"id\":null,\"method\":\"n\",\"params\":[]}"
                           "{\"id\":6,\"result\":\"r\",\"error\":null}"
                           "{\"id\":7,\"result\":null,\"error\":\"e\"}{}");
}
END_TEST

START_TEST(pause_holds_whole_messages_back)
{
    pause_on_message = true;
    say("{\"id\":1,\"method\":\"a\",\"params\":[]}{\"id\":2,\"method\":\"b\",\"params\":[]}");
    expect("request a [] 1;");
    loop_run_once(loop, 0);
    expect("");
    jsonrpc_pause(session, false);
    loop_run_once(loop, 0);
    expect("request b [] 2;");
    loop_run_once(loop, 0);
    expect("");
}
END_TEST

START_TEST(destroy_in_its_callback)
{
    destroy_on_message = true;
    say("{\"id\":1,\"method\":\"a\",\"params\":[]}{\"id\":2,\"method\":\"b\",\"params\":[]}");
    ck_assert_ptr_null(session);
    ck_assert(!is_closed);
    expect("request a [] 1;");
}
END_TEST

START_TEST(probes_a_silent_peer)
{
    char text[256];
    clock_stop();
    jsonrpc_set_probe_ms(session, 5000);
    clock_warp(4999 * NSEC_PER_MSEC);
    loop_run_once(loop, 0);
    loop_run_once(loop, 0);
    ck_assert_int_eq(read(peer, text, sizeof text), -1);
    clock_warp(1 * NSEC_PER_MSEC);
    loop_run_once(loop, 0);
    loop_run_once(loop, 0);
    memset(text, 0, sizeof text);
    ck_assert_int_gt(read(peer, text, sizeof text), 0);
    ck_assert_str_eq(text, "{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}");
    say("{\"id\":\"echo\",\"result\":[],\"error\":null}");
    expect("");                                  /* The answer is not the owner's affair. */
    clock_warp(5000 * NSEC_PER_MSEC);
    loop_run_once(loop, 0);
    loop_run_once(loop, 0);
    ck_assert_int_gt(read(peer, text, sizeof text), 0);
    ck_assert(!is_closed);
    clock_warp(5000 * NSEC_PER_MSEC);
    loop_run_once(loop, 0);
    ck_assert(is_closed);
    ck_assert_ptr_nonnull(strstr(why_closed, "no answer to an echo in 5000 ms"));
}
END_TEST

START_TEST(large_document_takes_linear_time)
{
    size_t n = 8 * 1024 * 1024;
    char *s = xmalloc(n + 64);
    int head = sprintf(s, "{\"id\":1,\"method\":\"m\",\"params\":[\"");
    memset(s + head, '[', n);
    strcpy(s + head + n, "\"]}");
    pause_on_message = true;
    int64_t begin = clock_real_ns();
    say(s);
    while (!seen.len && !is_closed) {
        loop_run_once(loop, 100);
    }
    ck_assert_int_lt(clock_real_ns() - begin, 5 * NSEC_PER_SEC);
    ck_assert_uint_gt(seen.len, n);
    free(s);
}
END_TEST

TCase *jsonrpc_tcase(void);
TCase *jsonrpc_tcase(void)
{
    TCase *tc = tcase_create("jsonrpc");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 20);
    tcase_add_test(tc, framer_finds_the_end);
    tcase_add_test(tc, framer_has_limits);
    tcase_add_test(tc, messages_of_each_type);
    tcase_add_test(tc, nonsense_closes_with_a_reason);
    tcase_add_test(tc, peer_that_leaves);
    tcase_add_test(tc, sends_what_peers_expect);
    tcase_add_test(tc, pause_holds_whole_messages_back);
    tcase_add_test(tc, destroy_in_its_callback);
    tcase_add_test(tc, probes_a_silent_peer);
    tcase_add_test(tc, large_document_takes_linear_time);
    return tc;
}
