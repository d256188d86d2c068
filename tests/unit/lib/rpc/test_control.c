/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: server in a thread, blocking client and raw sockets against it. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/control.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"
#include "lib/sys/pidfile.h"
#include "lib/sys/thread.h"
#include "lib/sys/unix_socket.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static struct control_server *server;
static pthread_t thread;
static char dir[64];
static char *path;
static struct control_request *held;     /* By "hold", until "release". */

static void run_echo(struct control_request *r, int argc, char *argv[], void *arg)
{
    struct text t = TEXT_INIT;
    for (int i = 0; i < argc; i++) {
        text_printf(&t, "%s%s", i ? " " : "", argv[i]);
    }
    control_reply(r, text_str(&t));
    text_fini(&t);
}

static void run_fail(struct control_request *r, int argc, char *argv[], void *arg)
{
    control_reply_error_take(r, error_new(EINVAL, "no such thing: %s", argv[1]));
}

static void run_json(struct control_request *r, int argc, char *argv[], void *arg)
{
    if (control_wants_json(r)) {
        control_reply_json(r, json_pack("{s:[i,i]}", "numbers", 1, 2));
    } else {
        control_reply(r, "1 2\n");
    }
}

static void run_hold(struct control_request *r, int argc, char *argv[], void *arg)
{
    ck_assert_ptr_null(held);
    held = r;
}

static void run_release(struct control_request *r, int argc, char *argv[], void *arg)
{
    ck_assert_str_eq(arg, "the argument");
    if (held) {
        control_reply(held, "late");
        held = NULL;
    }
    control_reply(r, "");
}

static void run_bytes(struct control_request *r, int argc, char *argv[], void *arg)
{
    size_t n = (size_t) atol(argv[1]);
    char *s = xmalloc(n + 1);
    memset(s, 'x', n);
    s[n] = '\0';
    control_reply(r, s);
    free(s);
}

static void run_raw(struct control_request *r, int argc, char *argv[], void *arg)
{
    control_reply(r, "caf\xe9");
}

static const struct control_command commands[] = {
    { "test/echo", "[word]...", "Says the words.", 0, -1, run_echo },
    { "test/fail", "word", "Fails.", 1, 1, run_fail },
    { "test/json", "", "Numbers.", 0, 0, run_json },
    { "test/hold", "", "Answers later.", 0, 0, run_hold },
    { "test/release", "", "Answers what is held.", 0, 0, run_release },
    { "test/bytes", "n", "That many bytes.", 1, 1, run_bytes },
    { "test/raw", "", "Not UTF-8.", 0, 0, run_raw },
    { NULL, NULL, NULL, 0, 0, NULL },
};

static void serve(void *arg)
{
    loop_run(loop);
    control_server_destroy(server);
}

static void setup(void)
{
    strcpy(dir, "/tmp/tsuji-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    setenv("TSUJI_RUNDIR", dir, 1);
    path = xasprintf("%s/ovs-vswitchd.%ld.ctl", dir, (long) getpid());
    loop = loop_create("control");
    const struct control_command *const tables[] = { commands, control_log_commands,
                                                     control_time_commands };
    char *line = control_program_line("ovs-vswitchd");
    struct error *e = control_server_create(loop, path, line, tables, ARRAY_SIZE(tables),
                                            "the argument", &server);
    ck_assert_msg(!e, "%s", error_text(e));
    free(line);
    ck_assert_ptr_null(thread_start(&thread, "control", serve, NULL));
}

static void teardown(void)
{
    loop_stop(loop);
    thread_join(thread);
    loop_destroy(loop);
    ck_assert_int_ne(access(path, F_OK), 0);
    free(path);
    char *command = xasprintf("rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

/* Calls and compares; 'words' are separated by spaces. */
static void expect(const char *words, bool json, bool expect_error, const char *reply)
{
    char *copy = xstrdup(words), *argv[16], *save, *answer;
    int argc = 0;
    bool is_error;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        argv[argc++] = w;
    }
    struct error *e = control_call(path, argv[0], argc - 1, argv + 1, json, 10, &answer, &is_error);
    ck_assert_msg(!e, "%s: %s", words, error_text(e));
    ck_assert_str_eq(answer, reply);
    ck_assert_int_eq(is_error, expect_error);
    free(answer);
    free(copy);
}

START_TEST(replies)
{
    expect("test/echo", false, false, "test/echo\n");
    expect("test/echo a b --c", false, false, "test/echo a b --c\n");
    expect("test/echo \xc3\xa9", false, false, "test/echo \xc3\xa9\n");
    expect("test/fail br7", false, true, "no such thing: br7\n");
    expect("test/json", false, false, "1 2\n");
    expect("test/raw", false, false, "caf?\n");
    expect("version", false, false, "ovs-vswitchd (Open vSwitch) 3.7.0\nTsuji " PACKAGE_VERSION "\n");
}
END_TEST

START_TEST(json_replies)
{
    expect("test/json", true, false, "{\"numbers\":[1,2]}");
    expect("test/echo a", true, false, "{\"reply-format\":\"plain\",\"reply\":\"test/echo a\\n\"}");
    expect("test/fail br7", true, true, "no such thing: br7\n");
    expect("test/json", false, false, "1 2\n");   /* The form belongs to one connection. */
    expect("set-options --format text", false, false, "");
    expect("set-options --format xml", false, true,
           "set-options takes: --format text, or --format json\n");
    expect("set-options --format", false, true,
           "set-options takes: --format text, or --format json\n");
}
END_TEST

START_TEST(wrong_commands)
{
    expect("test/ecko", false, true,
           "\"test/ecko\" is not a valid command; did you mean \"test/echo\"?\n");
    expect("nonsense", false, true, "\"nonsense\" is not a valid command; list-commands shows those "
           "there are\n");
    expect("test/fail", false, true, "\"test/fail\" command requires at least 1 arguments\n");
    expect("test/fail a b", false, true, "\"test/fail\" command takes at most 1 arguments\n");
}
END_TEST

START_TEST(common_commands)
{
    expect("vlog/set unixctl:file:dbg", false, false, "");
    expect("vlog/set unixctl:fil:dbg", false, true,
           "no destination, level, or module \"fil\"; did you mean \"file\"?\n");
    expect("vlog/reopen", false, true, "no log file was opened; --log-file opens one\n");
    expect("time/stop", false, false, "");
    int64_t ns = clock_ns();
    expect("time/warp 1000 100", false, false, "warped\n");
    expect("time/warp 500", false, false, "warped\n");
    ck_assert_int_eq(clock_ns() - ns, 1500 * NSEC_PER_MSEC);
    expect("time/warp x", false, true,
           "time/warp takes milliseconds, at most a year: MS [STEP]\n");

    char *answer;
    bool is_error;
    ck_assert_ptr_null(control_call(path, "list-commands", 0, NULL, false, 10, &answer, &is_error));
    ck_assert_int_eq(strncmp(answer, "The available commands are:\n  list-commands           \n", 53),
                     0);
    ck_assert_ptr_nonnull(strstr(answer, "\n  test/echo               [word]...\n"));
    free(answer);
    ck_assert_ptr_null(control_call(path, "vlog/list", 0, NULL, true, 10, &answer, &is_error));
    ck_assert_ptr_nonnull(strstr(answer, "\"unixctl\":{\"console\":\"INFO\",\"syslog\":\"INFO\","
                                         "\"file\":\"DBG\"}"));
    free(answer);
}
END_TEST

static int raw_connect(void)
{
    int fd;
    ck_assert_ptr_null(unix_connect(path, SOCK_STREAM, &fd));
    return fd;
}

static void raw_say(int fd, const char *s)
{
    ck_assert_int_eq(send(fd, s, strlen(s), 0), (int) strlen(s));
}

/* Reads until 'text' is complete or the peer closes; up to five seconds. */
static void raw_expect(int fd, const char *text)
{
    char got[1024] = "";
    size_t n = 0;
    for (int tries = 0; tries < 500 && n < strlen(text); tries++) {
        ssize_t r = recv(fd, got + n, sizeof got - 1 - n, 0);
        if (!r) {
            break;
        }
        n += r > 0 ? (size_t) r : 0;
        usleep(r < 0 ? 10000 : 0);
    }
    ck_assert_str_eq(got, text);
}

static void raw_expect_end(int fd)
{
    char c;
    for (int tries = 0; tries < 500; tries++) {
        ssize_t r = recv(fd, &c, 1, 0);
        if (!r || (r < 0 && errno == ECONNRESET)) {
            return;
        }
        ck_assert_int_le(r, 0);
        usleep(10000);
    }
    ck_abort_msg("the connection was not closed");
}

START_TEST(answers_may_come_later)
{
    int a = raw_connect(), b = raw_connect();
    raw_say(a, "{\"id\":1,\"method\":\"test/hold\",\"params\":[]}"
               "{\"id\":2,\"method\":\"test/echo\",\"params\":[]}");
    raw_expect(a, "{\"id\":2,\"result\":\"test/echo\\n\",\"error\":null}");
    raw_say(b, "{\"id\":3,\"method\":\"test/release\",\"params\":[]}");
    raw_expect(b, "{\"id\":3,\"result\":\"\",\"error\":null}");
    raw_expect(a, "{\"id\":1,\"result\":\"late\\n\",\"error\":null}");

    /* The client is gone when the answer comes. */
    raw_say(a, "{\"id\":1,\"method\":\"test/hold\",\"params\":[]}"
               "{\"id\":2,\"method\":\"test/echo\",\"params\":[]}");
    raw_expect(a, "{\"id\":2,\"result\":\"test/echo\\n\",\"error\":null}");
    close(a);
    expect("test/echo", false, false, "test/echo\n");
    raw_say(b, "{\"id\":4,\"method\":\"test/release\",\"params\":[]}");
    raw_expect(b, "{\"id\":4,\"result\":\"\",\"error\":null}");
    close(b);
}
END_TEST

START_TEST(strange_clients)
{
    int fd = raw_connect();
    raw_say(fd, "GET / HTTP/1.0\r\n\r\n");
    raw_expect_end(fd);
    close(fd);
    fd = raw_connect();
    raw_say(fd, "{\"id\":1,\"method\":\"test/echo\",\"params\":[7]}");
    raw_expect(fd, "{\"id\":1,\"result\":null,\"error\":\"a control command's parameters are strings\\n\"}");
    raw_say(fd, "{\"id\":null,\"method\":\"test/echo\",\"params\":[]}");       /* A notification. */
    raw_say(fd, "{\"id\":9,\"result\":1,\"error\":null}");                     /* A reply to nothing. */
    raw_say(fd, "{\"id\":2,\"method\":\"test/echo\",\"params\":[\"\"]}");
    raw_expect(fd, "{\"id\":2,\"result\":\"test/echo \\n\",\"error\":null}");
    close(fd);

    /* A request without end is refused before it has eaten memory. */
    fd = raw_connect();
    char chunk[4096];
    memset(chunk, '"', 1);
    memset(chunk + 1, 'x', sizeof chunk - 1);
    raw_say(fd, "{\"id\":1,\"method\":\"test/echo\",\"params\":[");
    size_t sent = 0;
    for (ssize_t n; (n = send(fd, chunk + (sent > 0), sizeof chunk - 1, MSG_NOSIGNAL)) != 0; ) {
        if (n < 0 && errno != EAGAIN) {
            break;
        }
        sent += n > 0 ? (size_t) n : 0;
        ck_assert_uint_lt(sent, 8 * 1024 * 1024);
    }
    raw_expect_end(fd);
    close(fd);
}
END_TEST

/* It sends requests for ever and reads nothing: after a while the server takes no more from it,
 * and serves others. */
START_TEST(client_that_never_reads_is_bounded)
{
    int fd = raw_connect();
    static const char request[] = "{\"id\":1,\"method\":\"test/bytes\",\"params\":[\"100000\"]}";
    size_t sent = 0;
    for (int idle = 0; idle < 50; ) {
        ssize_t n = send(fd, request, sizeof request - 1, MSG_DONTWAIT);
        if (n > 0) {
            /* A cut request would be taken up where it ended; keep it simple and stop there. */
            sent += (size_t) n;
            ck_assert_uint_lt(sent, 16 * 1024 * 1024);
            idle = n == sizeof request - 1 ? 0 : 50;
        } else {
            idle++;
            usleep(2000);
        }
    }
    expect("test/echo", false, false, "test/echo\n");
    close(fd);
    expect("test/echo", false, false, "test/echo\n");
}
END_TEST

START_TEST(large_answer)
{
    char *answer;
    bool is_error;
    char *words[] = { "10000000" };
    ck_assert_ptr_null(control_call(path, "test/bytes", 1, words, false, 20, &answer, &is_error));
    ck_assert_uint_eq(strlen(answer), 10000001);
    free(answer);
}
END_TEST

START_TEST(client_failures)
{
    char *answer, *found;
    bool is_error;
    struct error *e = control_call("/tmp/tsuji-unit-none.ctl", "x", 0, NULL, false, 1, &answer,
                                   &is_error);
    ck_assert_int_eq(error_code(e), ENOENT);
    error_free(e);
    int64_t begin = clock_real_ns();
    e = control_call(path, "test/hold", 0, NULL, false, 1, &answer, &is_error);
    ck_assert_int_eq(error_code(e), ETIMEDOUT);
    ck_assert_int_ge(clock_real_ns() - begin, NSEC_PER_SEC);
    error_free(e);
    expect("test/release", false, false, "");

    e = control_find("ovs-vswitchd", &found);
    ck_assert_int_eq(error_code(e), ENOENT);
    ck_assert_ptr_nonnull(strstr(error_text(e), "ovs-vswitchd.pid"));
    error_free(e);
    ck_assert_ptr_null(control_find("/x/y.ctl", &found));
    ck_assert_str_eq(found, "/x/y.ctl");
    free(found);
}
END_TEST

TCase *control_tcase(void);
TCase *control_tcase(void)
{
    TCase *tc = tcase_create("control");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, replies);
    tcase_add_test(tc, json_replies);
    tcase_add_test(tc, wrong_commands);
    tcase_add_test(tc, common_commands);
    tcase_add_test(tc, answers_may_come_later);
    tcase_add_test(tc, strange_clients);
    tcase_add_test(tc, client_that_never_reads_is_bounded);
    tcase_add_test(tc, large_answer);
    tcase_add_test(tc, client_failures);
    return tc;
}
