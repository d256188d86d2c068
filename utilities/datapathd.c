/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-datapathd: the packet engine as a process of its own, which keeps forwarding while its control plane is away. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/client.h"
#include "datapath/server.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/rpc/control.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"
#include "lib/sys/process.h"
#include "utilities/datapathd.h"

LOG_MODULE(datapathd);

enum { OPT_SOCKET = 256, OPT_DUMMY, OPT_NO_SYSTEM, OPT_WORKERS, OPT_PEER_USER };

static struct datapathd {
    struct loop *loop;
    struct datapath *dp;
    struct dp_client *observer;
    struct control_server *control;
    struct process_options process;
    struct datapath_options options;
    const char *socket;
    bool has_peer_user;
} daemon_;

static NORETURN void fail(const char *text)
{
    fprintf(stderr, "tsuji-datapathd: %s\n", text);
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
        "tsuji-datapathd runs the packet engine of the switch.\n"
        "usage: tsuji-datapathd [OPTION]...\n"
        "\nOptions:\n"
        "  --socket=FILE         where the control plane connects (the default is datapath.sock in the run directory)\n"
        "  --peer-user=USER      also take a control plane that runs as USER\n"
        "  --workers=N           begin with N workers (1 to 64, the default is 1)\n"
        "  --enable-dummy[=override|system]\n"
        "                        dummy ports for tests; in the place of all, or of system ports\n"
        "  --disable-system      touch no device of the machine\n");
    process_options_usage(&t);
    text_put(&t, "  -h, --help            print this\n"
                 "  -V, --version         print the version\n");
    fputs(text_str(&t), stdout);
    exit(EXIT_SUCCESS);
}

static NORETURN void print_version(void)
{
    char *line = control_program_line("tsuji-datapathd");
    printf("%s\ntsuji-datapathd %s\n", line, PACKAGE_VERSION);
    exit(EXIT_SUCCESS);
}

/* ---- Options ---- */

static void set_peer_user(struct datapathd *d, const char *name)
{
    const struct passwd *user = getpwnam(name);
    if (!user) {
        fprintf(stderr, "tsuji-datapathd: --peer-user: there is no user \"%s\"\n", name);
        exit(EXIT_FAILURE);
    }
    d->options.peer_uid = user->pw_uid;
    d->has_peer_user = true;
}

static void handle_option(struct datapathd *d, int c, const char *arg)
{
    struct error *e = NULL;
    uint64_t n;
    switch (c) {
    case OPT_SOCKET:
        d->socket = arg;
        break;
    case OPT_DUMMY:
        if (arg && strcmp(arg, "override") && strcmp(arg, "system")) {
            fail("--enable-dummy takes \"override\", \"system\" or nothing");
        }
        d->options.dummy_override = arg;
        break;
    case OPT_NO_SYSTEM:
        d->options.enable_system = false;
        break;
    case OPT_WORKERS:
        if (!parse_uint(arg, 1, 64, &n)) {
            fail("--workers takes a number from 1 to 64");
        }
        d->options.n_workers = n;
        break;
    case OPT_PEER_USER:
        set_peer_user(d, arg);
        break;
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

static void parse_options(struct datapathd *d, int argc, char *argv[])
{
    struct option options[16 + PROCESS_MAX_OPTIONS] = {
        { "socket", required_argument, NULL, OPT_SOCKET },
        { "peer-user", required_argument, NULL, OPT_PEER_USER },
        { "workers", required_argument, NULL, OPT_WORKERS },
        { "enable-dummy", optional_argument, NULL, OPT_DUMMY },
        { "disable-system", no_argument, NULL, OPT_NO_SYSTEM },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    process_add_options(options);
    for (int c; (c = getopt_long(argc, argv, "hVv::", options, NULL)) != -1;) {
        handle_option(d, c, optarg);
    }
    if (optind < argc) {
        fail("takes options only; --help lists them");
    }
}

/* ---- Control socket ---- */

static void stop_now(void *d)
{
    loop_stop(daemon_.loop);
}

/* The answer goes out before the loop ends. */
static void exit_command(struct control_request *r, int argc, char *argv[], void *dp)
{
    control_reply(r, "");
    loop_post(daemon_.loop, stop_now, NULL);
}

static const struct control_command own_commands[] = {
    { "exit", "", "Ends the datapath; its ports are given back.", 0, 0, exit_command },
    { NULL, NULL, NULL, 0, 0, NULL },
};

static void open_control(struct datapathd *d)
{
    char *path = process_unixctl_path(&d->process);
    if (path) {
        const struct control_command *const tables[] = { own_commands, datapathd_commands, control_log_commands };
        char *line = control_program_line("tsuji-datapathd");
        check(control_server_create(d->loop, path, line, tables, ARRAY_SIZE(tables), d->observer, &d->control));
        free(line);
        free(path);
    }
}

int main(int argc, char *argv[])
{
    struct datapathd *d = &daemon_;
    d->process = (struct process_options) { .program = "tsuji-datapathd", .compat_name = "tsuji-datapathd" };
    datapath_options_init(&d->options);
    log_init("tsuji-datapathd");
    parse_options(d, argc, argv);
    process_crash_reports();
    check(process_start(&d->process));

    char *socket = process_rundir_file(d->socket ? d->socket : "datapath.sock");
    /* Before any thread: capabilities belong to threads. As root they are dropped, not root's files. */
    check(process_drop_privileges(d->process.user, datapath_capabilities(&d->options)));
    check(datapath_create(&d->options, &d->dp));
    check(datapath_listen(d->dp, socket));
    if (d->has_peer_user && chown(socket, d->options.peer_uid, -1)) {
        LOG_WARN("%s: cannot be given to the peer's user: %s", socket, strerror(errno));
    }
    process_unlink_at_exit(socket);
    check(dp_client_observe(socket, &d->observer));

    d->loop = loop_create("main");
    open_control(d);
    process_ready();
    loop_run(d->loop);

    control_server_destroy(d->control);
    dp_client_destroy(d->observer);
    datapath_destroy(d->dp);
    loop_destroy(d->loop);
    free(socket);
    process_options_fini(&d->process);
    process_cleanup();
    return EXIT_SUCCESS;
}
