/* SPDX-License-Identifier: Apache-2.0 */
/* Daemon life: pid files, detaching, monitor, crash reports, privileges. Each daemon is a child
 * process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/log.h"
#include "lib/sys/pidfile.h"
#include "lib/sys/process.h"
#include "lib/sys/thread.h"
#include "tests/unit/unit.h"

static char dir[64];

static void setup(void)
{
    strcpy(dir, "/tmp/tsuji-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    setenv("TSUJI_RUNDIR", dir, 1);
    setenv("TSUJI_LOGDIR", dir, 1);
}

static void teardown(void)
{
    char *command = xasprintf("rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

static char *in_dir(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static bool exists(const char *name)
{
    char *path = in_dir(name);
    bool is = !access(path, F_OK);
    free(path);
    return is;
}

static void pause_ms(int ms)
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };
    nanosleep(&ts, NULL);
}

/* Waits up to ten seconds. */
#define WAIT_UNTIL(CONDITION)                                                                    \
    do {                                                                                         \
        int tries__ = 1000;                                                                      \
        while (!(CONDITION) && tries__--) {                                                      \
            pause_ms(10);                                                                        \
        }                                                                                        \
        ck_assert_msg(tries__ >= 0, "never: %s", #CONDITION);                                    \
    } while (0)

/* Runs a daemon in a child: 'words' are its options, 'serve' its life once it is ready. Returns
 * the exit status of the process that was started. */
static int run_daemon(const char *const *words, void (*serve)(void))
{
    pid_t pid = fork();
    if (!pid) {
        signal(SIGTERM, SIG_DFL);   /* libcheck's handler would kill the test too. */
        struct option options[PROCESS_MAX_OPTIONS + 1] = { { NULL, 0, NULL, 0 } };
        struct process_options o = { .program = "tsuji-test", .compat_name = "ovs-test" };
        const char *argv[16] = { "tsuji-test" };
        int argc = 1;
        while (*words) {
            argv[argc++] = *words++;
        }
        process_add_options(options);
        optind = 0;
        for (int c; (c = getopt_long(argc, (char **) argv, "v::", options, NULL)) != -1; ) {
            struct error *e;
            if (!process_option(&o, c, optarg, &e) || e) {
                fprintf(stderr, "%s\n", error_text(e));
                _exit(99);
            }
        }
        struct error *e = process_start(&o);
        if (e) {
            int fd = open(*dir ? dir : "/tmp", O_DIRECTORY);
            int file = openat(fd, "error", O_WRONLY | O_CREAT | O_TRUNC, 0600);
            dprintf(file, "%s", error_text(e));
            _exit(98);
        }
        process_options_fini(&o);
        serve();
        exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void serve_until_killed(void)
{
    process_ready();
    for (int i = 0; i < 3000; i++) {
        pause_ms(10);   /* Ends by itself after half a minute, should the test die. */
    }
}

static void fail_to_start(void)
{
    _exit(7);
}

static void die_before_ready(void)
{
    raise(SIGKILL);
}

static pid_t live_pid(const char *name)
{
    pid_t pid = 0;
    char *path = in_dir(name);
    error_free(pidfile_read(path, &pid));
    free(path);
    return pid;
}

START_TEST(pid_file_is_locked_and_stale_ones_are_seen)
{
    char *path = in_dir("x.pid");
    pid_t owner;
    struct error *e = pidfile_read(path, &owner);
    ck_assert_int_eq(error_code(e), ENOENT);
    error_free(e);
    int to_child[2], from_child[2];
    ck_assert_int_eq(pipe(to_child), 0);
    ck_assert_int_eq(pipe(from_child), 0);
    pid_t child = fork();
    char byte;
    if (!child) {
        bool ok = !pidfile_create(path, false);
        if (write(from_child[1], ok ? "y" : "n", 1) == 1) {
            ssize_t ignored UNUSED = read(to_child[0], &byte, 1);
        }
        _exit(0);
    }
    ck_assert_int_eq(read(from_child[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    ck_assert_ptr_null(pidfile_read(path, &owner));
    ck_assert_int_eq(owner, child);
    char *expected = xasprintf("%ld\n", (long) child), text[32] = "";
    int fd = open(path, O_RDONLY);
    ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
    close(fd);
    ck_assert_str_eq(text, expected);
    free(expected);

    e = pidfile_create(path, false);
    ck_assert_int_eq(error_code(e), EEXIST);
    ck_assert_ptr_nonnull(strstr(error_text(e), "is running already"));
    error_free(e);

    ck_assert_int_eq(write(to_child[1], "x", 1), 1);
    waitpid(child, NULL, 0);
    e = pidfile_read(path, &owner);
    ck_assert_int_eq(error_code(e), ESRCH);
    error_free(e);
    ck_assert_ptr_null(pidfile_create(path, false));   /* The dead one's file is replaced. */
    free(path);
}
END_TEST

START_TEST(detach_returns_when_the_daemon_serves)
{
    static const char *const words[] = { "--detach", "--no-chdir", "--pidfile", "--log-file",
                                         "-vconsole:off", NULL };
    ck_assert_int_eq(run_daemon(words, serve_until_killed), 0);
    pid_t pid = live_pid("ovs-test.pid");
    ck_assert_int_gt(pid, 0);
    ck_assert(exists("ovs-test.log"));
    /* A second one is refused; the parent's status tells. */
    ck_assert_int_eq(run_daemon(words, serve_until_killed), 98);
    ck_assert(exists("error"));
    ck_assert_int_eq(live_pid("ovs-test.pid"), pid);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    WAIT_UNTIL(!exists("ovs-test.pid"));
}
END_TEST

START_TEST(detach_passes_failure_on)
{
    static const char *const words[] = { "--detach", "-vconsole:off", NULL };
    ck_assert_int_eq(run_daemon(words, fail_to_start), 7);
    fclose(stderr);
    ck_assert_int_eq(run_daemon(words, die_before_ready), 1);
}
END_TEST

START_TEST(monitor_restarts_after_a_fault_only)
{
    static const char *const words[] = { "--detach", "--monitor", "--pidfile=m.pid", "--log-file",
                                         "-vconsole:off", NULL };
    ck_assert_int_eq(run_daemon(words, serve_until_killed), 0);
    pid_t first = live_pid("m.pid");
    ck_assert_int_gt(first, 0);
    ck_assert_int_eq(kill(first, SIGABRT), 0);
    WAIT_UNTIL(live_pid("m.pid") > 0 && live_pid("m.pid") != first);
    pid_t second = live_pid("m.pid");
    ck_assert_int_eq(kill(second, SIGTERM), 0);
    WAIT_UNTIL(!exists("m.pid"));
    pause_ms(100);
    ck_assert(!exists("m.pid"));
}
END_TEST

static void crash(void)
{
    process_crash_reports();
    process_ready();
    raise(SIGSEGV);
}

START_TEST(crash_is_reported_with_frames)
{
    static const char *const words[] = { "--log-file=/dev/null", "--pidfile", NULL };
    char *path = in_dir("stderr");
    int saved = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT, 0600);
    dup2(fd, STDERR_FILENO);
    int status = run_daemon(words, crash);
    dup2(saved, STDERR_FILENO);
    ck_assert_int_eq(status, 1000 + SIGSEGV);
    char text[8192] = "";
    ck_assert_int_gt(pread(fd, text, sizeof text - 1, 0), 0);
    ck_assert_ptr_nonnull(strstr(text, "signal 11"));
#if HAVE_UNWIND
    ck_assert_ptr_nonnull(strstr(text, "main+0x"));
#endif
    ck_assert(!exists("ovs-test.pid"));
    free(path);
}
END_TEST

START_TEST(paths)
{
    char *path = process_rundir_file("db.sock"), *expected = in_dir("db.sock");
    ck_assert_str_eq(path, expected);
    free(path);
    free(expected);
    path = process_rundir_file("/x/y");
    ck_assert_str_eq(path, "/x/y");
    free(path);
    unsetenv("TSUJI_RUNDIR");
    setenv("OVS_RUNDIR", "/elsewhere", 1);
    ck_assert_str_eq(process_rundir(), "/elsewhere");
    setenv("TSUJI_RUNDIR", "/ours", 1);
    ck_assert_str_eq(process_rundir(), "/ours");
    struct process_options o = { .compat_name = "ovs-vswitchd" };
    path = process_unixctl_path(&o);
    expected = xasprintf("/ours/ovs-vswitchd.%ld.ctl", (long) getpid());
    ck_assert_str_eq(path, expected);
    free(path);
    free(expected);
    o.unixctl = "none";
    ck_assert_ptr_null(process_unixctl_path(&o));
    o.unixctl = "x.ctl";
    path = process_unixctl_path(&o);
    ck_assert_str_eq(path, "/ours/x.ctl");
    free(path);
    setenv("OVS_SYSCONFDIR", "/conf", 1);
    ck_assert_str_eq(process_sysconfdir(), "/conf");
    ck_assert_int_eq(strncmp(process_dbdir(), "/conf/", 6), 0);
    setenv("OVS_DBDIR", "/db", 1);
    ck_assert_str_eq(process_dbdir(), "/db");
    ck_assert_uint_gt(process_resident_bytes(), 100000);
    size_t before = process_allocated_bytes();
    void *p = xmalloc(8 * 1024 * 1024);
    ck_assert(!before || process_allocated_bytes() >= before + 8 * 1024 * 1024);
    free(p);
}
END_TEST

START_TEST(missing_directories_are_made)
{
    char *deep = in_dir("a//b/c/");
    ck_assert_ptr_null(process_make_directory(deep));
    ck_assert_ptr_null(process_make_directory(deep));
    ck_assert(exists("a/b/c"));
    free(deep);
    char *file = in_dir("file"), *below = in_dir("file/x");
    close(open(file, O_CREAT | O_WRONLY, 0600));
    struct error *e = process_make_directory(below);
    ck_assert_ptr_nonnull(e);
    ck_assert_ptr_nonnull(strstr(error_text(e), "file/x\" cannot be made"));
    error_free(e);
    free(file);
    free(below);

    char *run = in_dir("run/tsuji"), *log = in_dir("log/tsuji");
    setenv("TSUJI_RUNDIR", run, 1);
    setenv("TSUJI_LOGDIR", log, 1);
    static const char *const words[] = { "--detach", "--pidfile", "--log-file", "-vconsole:off", NULL };
    ck_assert_int_eq(run_daemon(words, serve_until_killed), 0);
    ck_assert(exists("log/tsuji/ovs-test.log"));
    pid_t pid = live_pid("run/tsuji/ovs-test.pid");
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    WAIT_UNTIL(!exists("run/tsuji/ovs-test.pid"));
    free(run);
    free(log);
}
END_TEST

static char *status_line(const char *key)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256], *found = NULL;
    while (!found && fgets(line, sizeof line, f)) {
        if (!strncmp(line, key, strlen(key))) {
            found = xstrndup(line, strcspn(line, "\n"));
        }
    }
    fclose(f);
    return found;
}

static void check_status(const char *key, const char *expected)
{
    char *line = status_line(key);
    ck_assert_str_eq(line, expected);
    free(line);
}

START_TEST(privileges_are_dropped)
{
    struct error *e = process_drop_privileges("no-such-user-here", NULL);
    ck_assert_ptr_nonnull(strstr(error_text(e), "no-such-user-here"));
    error_free(e);
    static const char *const wrong[] = { "net_amin", NULL };
    e = process_drop_privileges(NULL, wrong);
    ck_assert_ptr_nonnull(strstr(error_text(e), "net_amin"));
    error_free(e);
    if (geteuid()) {
        return;   /* The rest is root's. */
    }
    pid_t child = fork();
    if (!child) {
        static const char *const keep[] = { "net_raw", NULL };
        e = process_drop_privileges("nobody", keep);
        ck_assert_msg(!e, "%s", error_text(e));
        ck_assert_uint_ne(getuid(), 0);
        check_status("CapEff:", "CapEff:\t0000000000002000");
        check_status("CapPrm:", "CapPrm:\t0000000000002000");
        char *line = status_line("Groups:");
        ck_assert_ptr_null(strpbrk(line, "123456789"));
        free(line);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void remember_name(void *name)
{
    sigset_t set;
    strcpy(name, thread_name());
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    ck_assert(sigismember(&set, SIGTERM));
    ck_assert(!sigismember(&set, SIGSEGV));
}

START_TEST(threads_have_names_and_no_signals)
{
    char name[32] = "";
    pthread_t thread;
    ck_assert_str_eq(thread_name(), "");
    ck_assert_ptr_null(thread_start(&thread, "a-name-longer-than-fifteen", remember_name, name));
    thread_join(thread);
    ck_assert_str_eq(name, "a-name-longer-t");
    uint64_t none = 0;
    ck_assert_int_eq(thread_bind(&none, 1), EINVAL);
}
END_TEST

TCase *process_tcase(void);
TCase *process_tcase(void)
{
    TCase *tc = tcase_create("process");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, pid_file_is_locked_and_stale_ones_are_seen);
    tcase_add_test(tc, detach_returns_when_the_daemon_serves);
    tcase_add_test(tc, detach_passes_failure_on);
    tcase_add_test(tc, monitor_restarts_after_a_fault_only);
    tcase_add_test(tc, crash_is_reported_with_frames);
    tcase_add_test(tc, paths);
    tcase_add_test(tc, missing_directories_are_made);
    tcase_add_test(tc, privileges_are_dropped);
    tcase_add_test(tc, threads_have_names_and_no_signals);
    return tc;
}
