/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon that does nothing but live and answer on its control socket, for test_control.py. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/control.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"
#include "lib/sys/process.h"

LOG_MODULE(control_daemon);

static void run_echo(struct control_request *r, int argc, char *argv[], void *loop)
{
    struct text t = TEXT_INIT;
    for (int i = 1; i < argc; i++) {
        text_printf(&t, "%s%s", i > 1 ? "|" : "", argv[i]);
    }
    control_reply(r, text_str(&t));
    text_fini(&t);
}

static void run_fail(struct control_request *r, int argc, char *argv[], void *loop)
{
    control_reply_error(r, "this always fails");
}

static void run_hold(struct control_request *r, int argc, char *argv[], void *loop)
{
    LOG_INFO("a request is never answered");
}

static void run_crash(struct control_request *r, int argc, char *argv[], void *loop)
{
    abort();
}

static void run_exit(struct control_request *r, int argc, char *argv[], void *loop)
{
    control_reply(r, "");
    loop_stop(loop);
}

static const struct control_command commands[] = {
    { "test/echo", "[word]...", "Says the words.", 0, -1, run_echo },
    { "test/fail", "", "Fails.", 0, 0, run_fail },
    { "test/hold", "", "Never answers.", 0, 0, run_hold },
    { "test/crash", "", "Ends by SIGABRT.", 0, 0, run_crash },
    { "exit", "[--cleanup]", "Ends.", 0, 1, run_exit },
    { NULL, NULL, NULL, 0, 0, NULL },
};

static void check(struct error *e)
{
    if (e) {
        fprintf(stderr, "control-daemon: %s\n", error_text(e));
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char *argv[])
{
    struct option options[PROCESS_MAX_OPTIONS + 1] = { { NULL, 0, NULL, 0 } };
    struct process_options o = { .program = "control-daemon", .compat_name = "ovs-vswitchd" };
    process_add_options(options);
    for (int c; (c = getopt_long(argc, argv, "v::", options, NULL)) != -1; ) {
        struct error *e;
        if (!process_option(&o, c, optarg, &e)) {
            return EXIT_FAILURE;
        }
        check(e);
    }
    process_crash_reports();
    check(process_start(&o));

    static const struct control_command *const tables[] = {
        commands, control_log_commands, control_time_commands,
    };
    struct loop *loop = loop_create("main");
    struct control_server *server;
    char *path = process_unixctl_path(&o), *line = control_program_line(o.compat_name);
    check(control_server_create(loop, path, line, tables, ARRAY_SIZE(tables), loop, &server));
    process_ready();
    loop_run(loop);
    control_server_destroy(server);
    loop_destroy(loop);
    free(path);
    free(line);
    process_options_fini(&o);
    return EXIT_SUCCESS;
}
