/* SPDX-License-Identifier: Apache-2.0 */
/* Options and start of a daemon: detach, monitor, pid file. */
#include "lib/sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/log.h"
#include "lib/sys/pidfile.h"
#include "lib/sys/rcu.h"
#include "lib/sys/thread.h"

LOG_MODULE(daemon);

enum {
    OPT_DETACH = PROCESS_OPTION_FIRST, OPT_NO_CHDIR, OPT_PIDFILE, OPT_OVERWRITE_PIDFILE,
    OPT_MONITOR, OPT_MLOCKALL, OPT_LOG_FILE, OPT_UNIXCTL, OPT_USER
};

const struct option process_long_options[] = {
    { "detach", no_argument, NULL, OPT_DETACH },
    { "no-chdir", no_argument, NULL, OPT_NO_CHDIR },
    { "pidfile", optional_argument, NULL, OPT_PIDFILE },
    { "overwrite-pidfile", no_argument, NULL, OPT_OVERWRITE_PIDFILE },
    { "monitor", no_argument, NULL, OPT_MONITOR },
    { "mlockall", no_argument, NULL, OPT_MLOCKALL },
    { "log-file", optional_argument, NULL, OPT_LOG_FILE },
    { "unixctl", required_argument, NULL, OPT_UNIXCTL },
    { "user", required_argument, NULL, OPT_USER },
    { "verbose", optional_argument, NULL, 'v' },
    { NULL, 0, NULL, 0 },
};
_Static_assert(ARRAY_SIZE(process_long_options) - 1 <= PROCESS_MAX_OPTIONS, "room for our options");

/* A daemon that dies again within this time is restarted after it. */
enum { RESTART_PAUSE_S = 10 };

static int ready_fd = -1;        /* Write end: who waits for us to be ready. */
static bool leave_terminal, leave_directory;

static void set_string(char **, const char *);
static pid_t fork_and_wait(int *status);
static void monitor(void);
static bool died_of_fault(int status);
static char *describe_status(int status);
static void wait_between_restarts(void);

void process_add_options(struct option *options)
{
    while (options->name) {
        options++;
    }
    memcpy(options, process_long_options, sizeof process_long_options);
}

bool process_option(struct process_options *o, int c, const char *arg, struct error **e)
{
    *e = NULL;
    switch (c) {
    case OPT_DETACH: o->detach = true; return true;
    case OPT_NO_CHDIR: o->no_chdir = true; return true;
    case OPT_OVERWRITE_PIDFILE: o->overwrite_pidfile = true; return true;
    case OPT_MONITOR: o->monitor = true; return true;
    case OPT_MLOCKALL: o->mlockall = true; return true;
    case OPT_UNIXCTL: set_string(&o->unixctl, arg); return true;
    case OPT_USER: set_string(&o->user, arg); return true;
    case 'v': *e = log_set_from_word(arg ? arg : ""); return true;
    case OPT_PIDFILE: {
        char *name = arg ? xstrdup(arg) : xasprintf("%s.pid", o->compat_name);
        free(o->pidfile);
        o->pidfile = process_rundir_file(name);
        free(name);
        return true;
    }
    case OPT_LOG_FILE:
        free(o->log_file);
        o->log_file = arg ? xstrdup(arg)
                          : xasprintf("%s/%s.log", process_logdir(), o->compat_name);
        return true;
    default:
        return false;
    }
}

void process_options_usage(struct text *t)
{
    text_put(t,
        "\nDaemon options:\n"
        "  --detach                run in the background; return when the daemon serves\n"
        "  --no-chdir              with --detach, stay in the working directory\n"
        "  --pidfile[=FILE]        write the process's number to FILE (default: in the run\n"
        "                          directory, named like the daemon)\n"
        "  --overwrite-pidfile     start even if a live process holds the pid file\n"
        "  --monitor               start the daemon again when it dies of a fault\n"
        "  --mlockall              keep all memory from being paged out\n"
        "  --unixctl=SOCKET        control socket (default: in the run directory; none: none)\n"
        "  --user=USER[:GROUP]     become this user\n"
        "\nLogging options:\n"
        "  -vWORD, --verbose=WORD  set log levels, as in \"vlog/set\"\n"
        "  -v, --verbose           log everything\n"
        "  --log-file[=FILE]       log to FILE too (default: in the log directory, named like the\n"
        "                          daemon)\n");
}

void process_options_fini(struct process_options *o)
{
    free(o->pidfile);
    free(o->log_file);
    free(o->unixctl);
    free(o->user);
    o->pidfile = o->log_file = o->unixctl = o->user = NULL;
}

struct error *process_start(struct process_options *o)
{
    log_init(o->program);
    /* What cannot be made may not be needed; if it is, opening a file in it fails and says so. */
    error_free(process_make_directory(process_rundir()));
    if (o->log_file) {
        if (!strncmp(o->log_file, process_logdir(), strlen(process_logdir()))) {
            error_free(process_make_directory(process_logdir()));
        }
        struct error *e = log_open_file(o->log_file);
        if (e) {
            return e;
        }
    }
    leave_terminal = o->detach;
    leave_directory = o->detach && !o->no_chdir;
    if (o->detach) {
        int status;
        if (fork_and_wait(&status) > 0) {
            /* The child told the user what was wrong, unless it died. */
            if (status && !WIFEXITED(status)) {
                char *text = describe_status(status);
                fprintf(stderr, "%s: the daemon %s before it was ready\n", o->program, text);
                free(text);
            }
            _exit(!status ? EXIT_SUCCESS : WIFEXITED(status) && WEXITSTATUS(status)
                  ? WEXITSTATUS(status) : EXIT_FAILURE);
        }
        setsid();
    }
    if (o->monitor) {
        monitor();
    }

    process_handle_signals();
    if (o->pidfile) {
        struct error *e = pidfile_create(o->pidfile, o->overwrite_pidfile);
        if (e) {
            return e;
        }
        process_unlink_at_exit(o->pidfile);
    }
    /* Pages are locked as they are touched: thread stacks need not all be resident. */
    if (o->mlockall && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) {
        LOG_WARN("mlockall failed (%s): memory may be paged out", strerror(errno));
    }
    rcu_register_thread();
    return NULL;
}

void process_ready(void)
{
    if (leave_directory && chdir("/")) {
        LOG_WARN("the working directory cannot be left: %s", strerror(errno));
    }
    if (leave_terminal) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++) {
            dup2(null, fd);
        }
        close(null);
    }
    leave_terminal = leave_directory = false;
    if (ready_fd >= 0) {   /* Last, so that all is done when the parent returns. */
        ssize_t ignored UNUSED = write(ready_fd, "", 1);
        close(ready_fd);
        ready_fd = -1;
    }
}

static void set_string(char **s, const char *value)
{
    free(*s);
    *s = xstrdup(value);
}

/* Forks. In the child returns 0 and 'ready_fd' is set. In the parent waits until the child is
 * ready (returns its pid, '*status' is 0 then) or has ended (returns its pid, '*status' says
 * how). */
static pid_t fork_and_wait(int *status)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC)) {
        fprintf(stderr, "no pipe: %s\n", strerror(errno));
        _exit(EXIT_FAILURE);
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        fprintf(stderr, "fork failed: %s\n", strerror(errno));
        _exit(EXIT_FAILURE);
    }
    if (!pid) {
        if (ready_fd >= 0) {
            close(ready_fd);   /* The parent passes the word on. */
        }
        ready_fd = fds[1];
        close(fds[0]);
        return 0;
    }
    close(fds[1]);
    char byte;
    ssize_t n;
    do {
        n = read(fds[0], &byte, 1);
    } while (n < 0 && errno == EINTR);
    close(fds[0]);
    *status = 0;
    if (n != 1) {
        while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
            continue;
        }
        if (!*status) {
            *status = EXIT_FAILURE << 8;   /* It ended quietly, but never was ready. */
        }
    }
    return pid;
}

/* Becomes the monitor of a child; returns in the child only. */
static void monitor(void)
{
    bool announced = false;
    for (;;) {
        int status;
        pid_t pid = fork_and_wait(&status);
        if (!pid) {
            return;
        }
        thread_set_name("monitor");
        if (!status) {
            if (!announced) {
                process_ready();
                announced = true;
            }
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
                continue;
            }
        }
        char *text = describe_status(status);
        if (!died_of_fault(status)) {
            LOG_INFO("process %ld %s; the monitor ends", (long) pid, text);
            free(text);
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
        }
        LOG_ERR("process %ld %s; it is started again", (long) pid, text);
        free(text);
        wait_between_restarts();
        thread_set_name("");
        /* Done for the monitor, and so for its children. */
        leave_terminal = leave_directory = false;
    }
}

/* Not by order (kill, exit), but by a fault of its own. */
static bool died_of_fault(int status)
{
    static const int faults[] = { SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV,
                                  SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ };
    for (size_t i = 0; WIFSIGNALED(status) && i < ARRAY_SIZE(faults); i++) {
        if (WTERMSIG(status) == faults[i]) {
            return true;
        }
    }
    return false;
}

static char *describe_status(int status)
{
    if (WIFSIGNALED(status)) {
        return xasprintf("was killed by signal %d (%s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    }
    return xasprintf("ended with exit status %d", WEXITSTATUS(status));
}

static void wait_between_restarts(void)
{
    static time_t last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (last && now.tv_sec < last + RESTART_PAUSE_S) {
        sleep((unsigned) (last + RESTART_PAUSE_S - now.tv_sec));
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    last = now.tv_sec;
}
