/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-dbserver: serves database files over JSON-RPC. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/schema_text.h"
#include "db/server.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/rpc/control.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"
#include "lib/sys/process.h"

LOG_MODULE(dbserver);

extern char **environ;

enum { OPT_REMOTE = 256, OPT_RUN, OPT_MAX_SESSIONS, OPT_NO_SELF_CONFINEMENT, OPT_CREATE };

struct dbserver {
    struct loop *loop;
    struct db_server *server;
    struct control_server *control;
    struct process_options process;
    const char **remotes;
    size_t n_remotes, allocated_remotes;
    const char *run;
    bool create;
    pid_t child;                 /* Of --run. */
    struct loop_timer child_timer;
    int exit_code;
};

static NORETURN void fail(const char *text)
{
    fprintf(stderr, "tsuji-dbserver: %s\n", text);
    exit(EXIT_FAILURE);
}

static void check(struct error *e)
{
    if (e) {
        LOG_ERR("%s", error_text(e));
        fail(error_text(e));
    }
}

static NORETURN void usage(void)
{
    struct text t = TEXT_INIT;
    text_put(&t,
        "tsuji-dbserver serves configuration databases.\n"
        "usage: tsuji-dbserver [OPTION]... [FILE]...\n"
        "FILE is a database; without one it is conf.db in the database directory.\n"
        "\nOptions:\n"
        "  --remote=REMOTE       serve there; may be given several times:\n"
        "                          punix:FILE  ptcp:PORT[:HOST]  listen\n"
        "                          unix:FILE   tcp:HOST:PORT     connect, again and again\n"
        "                          db:DB,TABLE,COLUMN            as that column says\n"
        "  --create              make a missing FILE, with the Open_vSwitch schema\n"
        "  --run=COMMAND         serve while this shell command runs, and end as it ended\n"
        "  --max-sessions=N      refuse further clients (the default is 1024)\n");
    process_options_usage(&t);
    text_put(&t, "  -h, --help            print this\n"
                 "  -V, --version         print the version\n");
    fputs(text_str(&t), stdout);
    exit(EXIT_SUCCESS);
}

static NORETURN void print_version(void)
{
    char *line = control_program_line("ovsdb-server");
    printf("%s\ntsuji-dbserver %s\n", line, PACKAGE_VERSION);
    exit(EXIT_SUCCESS);
}

/* Options ------------------------------------------------------------------------------------------- */

static struct db_server_limits limits;

static void handle_option(struct dbserver *d, int c, const char *arg)
{
    struct error *e = NULL;
    uint64_t n;
    switch (c) {
    case OPT_REMOTE:
        if (d->n_remotes >= d->allocated_remotes) {
            d->remotes = xgrow(d->remotes, &d->allocated_remotes, sizeof *d->remotes);
        }
        d->remotes[d->n_remotes++] = arg;
        break;
    case OPT_RUN:
        d->run = arg;
        break;
    case OPT_CREATE:
        d->create = true;
        break;
    case OPT_MAX_SESSIONS:
        if (!parse_uint(arg, 1, 1000000, &n)) {
            fail("--max-sessions takes a number from 1 to 1000000");
        }
        limits.max_sessions = n;
        break;
    case OPT_NO_SELF_CONFINEMENT:
        break;   /* There is no confinement that it could turn off. */
    case 'h':
        usage();
    case 'V':
        print_version();
    case '?':
        exit(EXIT_FAILURE);
    default:
        if (!process_option(&d->process, c, arg, &e)) {
            fail("option not known");
        }
        check(e);
    }
}

static void parse_options(struct dbserver *d, int argc, char *argv[])
{
    struct option options[16 + PROCESS_MAX_OPTIONS] = {
        { "remote", required_argument, NULL, OPT_REMOTE },
        { "run", required_argument, NULL, OPT_RUN },
        { "create", no_argument, NULL, OPT_CREATE },
        { "max-sessions", required_argument, NULL, OPT_MAX_SESSIONS },
        { "no-self-confinement", no_argument, NULL, OPT_NO_SELF_CONFINEMENT },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    process_add_options(options);
    for (int c; (c = getopt_long(argc, argv, "hVv::", options, NULL)) != -1;) {
        handle_option(d, c, optarg);
    }
}

/* --run ---------------------------------------------------------------------------------------------- */

static void look_at_child(void *dbserver)
{
    struct dbserver *d = dbserver;
    int status;
    if (waitpid(d->child, &status, WNOHANG) == d->child) {
        d->exit_code = WIFEXITED(status) && !WEXITSTATUS(status) ? EXIT_SUCCESS : EXIT_FAILURE;
        loop_stop(d->loop);
    } else {
        loop_timer_after_ms(&d->child_timer, 20);
    }
}

static void start_child(struct dbserver *d)
{
    char *argv[] = { "/bin/sh", "-c", (char *) d->run, NULL };
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_t attr;
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attr, &none);
    int err = posix_spawn(&d->child, argv[0], NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    if (err) {
        check(error_errno(err, "--run: /bin/sh"));
    }
    loop_timer_init(&d->child_timer, d->loop, look_at_child, d);
    loop_timer_after_ms(&d->child_timer, 20);
}

/* Commands ------------------------------------------------------------------------------------------- */

static struct dbserver dbserver;

static void stop_now(void *d)
{
    loop_stop(dbserver.loop);
}

/* The answer goes out before the loop ends. */
static void exit_command(struct control_request *r, int argc, char *argv[], void *server)
{
    control_reply(r, "");
    loop_post(dbserver.loop, stop_now, NULL);
}

static const struct control_command own_commands[] = {
    { "exit", "", "Ends the server.", 0, 0, exit_command },
    { NULL, NULL, NULL, 0, 0, NULL },
};

static void open_control(struct dbserver *d)
{
    char *path = process_unixctl_path(&d->process);
    if (path) {
        const struct control_command *const tables[] = {
            own_commands, db_server_commands, control_log_commands,
        };
        char *line = control_program_line("ovsdb-server");
        check(control_server_create(d->loop, path, line, tables, ARRAY_SIZE(tables), d->server,
                                    &d->control));
        free(line);
        free(path);
    }
}

static void add_file(struct dbserver *d, const char *file)
{
    check(d->create ? db_server_add_or_create_file(d->server, file, vswitch_schema_text)
                    : db_server_add_file(d->server, file));
}

int main(int argc, char *argv[])
{
    struct dbserver *d = &dbserver;
    d->process = (struct process_options) { .program = "tsuji-dbserver", .compat_name = "ovsdb-server" };
    limits = db_server_default_limits();
    log_init("tsuji-dbserver");
    parse_options(d, argc, argv);
    process_crash_reports();
    check(process_start(&d->process));
    /* Before files and sockets are made: they are to belong to the user. */
    if (d->process.user) {
        check(process_drop_privileges(d->process.user, NULL));
    }

    d->loop = loop_create("db");
    d->server = db_server_create(d->loop);
    db_server_set_limits(d->server, &limits);
    if (optind >= argc) {
        char *file = xasprintf("%s/conf.db", process_dbdir());
        add_file(d, file);
        free(file);
    }
    for (int i = optind; i < argc; i++) {
        add_file(d, argv[i]);
    }
    for (size_t i = 0; i < d->n_remotes; i++) {
        check(db_server_add_remote(d->server, d->remotes[i]));
    }
    open_control(d);
    process_ready();
    if (d->run) {
        start_child(d);
    }
    loop_run(d->loop);

    control_server_destroy(d->control);
    db_server_destroy(d->server);
    loop_destroy(d->loop);
    free(d->remotes);
    process_options_fini(&d->process);
    process_cleanup();
    return d->exit_code;
}
