/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-dpctl: looks at the datapath, through the daemon that serves it or controls it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "lib/rpc/control.h"

static const struct command {
    const char *name, *usage, *help;
    const char *control;        /* What the daemon calls it. */
} commands[] = {
    { "show", "", "lookups, flows, masks and ports", "dpctl/show" },
    { "dump-flows", "[-m] [--names]", "the flows that are cached, and what they counted", "dpctl/dump-flows" },
    { "dump-dps", "", "the names of datapaths", "dpif/dump-dps" },
    { "drops", "[PORT]", "dropped packets by reason", "drops/show" },
};

static const struct option options[] = {
    { "target", required_argument, NULL, 't' },
    { "timeout", required_argument, NULL, 'T' },
    { "format", required_argument, NULL, 'f' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

static void usage(void)
{
    struct text t = TEXT_INIT;
    text_put(&t, "tsuji-dpctl looks at the packet engine of the switch.\nusage: tsuji-dpctl [OPTION]... COMMAND [ARGUMENT]...\n\n"
             "Commands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        char *form = xasprintf("%s %s", commands[i].name, commands[i].usage);
        text_printf(&t, "  %-28s  %s\n", form, commands[i].help);
        free(form);
    }
    text_put(&t, "\nOptions:\n"
             "  -t, --target=TARGET   ask this daemon; the default is tsuji-vswitchd, and if it does not\n"
             "                        run, tsuji-datapathd\n"
             "  -T, --timeout=SECS    give up after so many seconds\n"
             "  -f, --format=FORMAT   form of the answer: text (the default) or json\n"
             "  -h, --help            print this\n"
             "  -V, --version         print the version\n\n"
             "The status is 0, 1 if no daemon was reached, 2 if it answered with an error.\n");
    fputs(text_str(&t), stdout);
    text_fini(&t);
}

static void fail(const char *text, int status) NORETURN;
static void fail(const char *text, int status)
{
    fprintf(stderr, "tsuji-dpctl: %s\n", text);
    exit(status);
}

static char *find_daemon(const char *target)
{
    static const char *const defaults[] = { "ovs-vswitchd", "tsuji-datapathd" };
    struct error *e = NULL;
    char *path = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(defaults) && !path; i++) {
        error_free(e);
        e = control_find(target ? target : defaults[i], &path);
        if (e) {
            path = NULL;
        }
    }
    if (e) {
        fail(error_text(e), 1);
    }
    return path;
}

static const struct command *find_command(const char *name)
{
    const char *names[ARRAY_SIZE(commands) + 1] = { NULL };
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i].name, name)) {
            return &commands[i];
        }
        names[i] = commands[i].name;
    }
    const char *near = string_nearest(name, names);
    char *text = xasprintf("unknown command \"%s\"%s%s%s; --help shows those there are", name, near ? ", did you mean \"" : "",
                           near ? near : "", near ? "\"" : "");
    fail(text, 1);
}

int main(int argc, char *argv[])
{
    const char *target = NULL;
    bool json = false;
    uint32_t timeout = 0;
    int c;
    while ((c = getopt_long(argc, argv, "+t:T:f:hV", options, NULL)) != -1) {
        switch (c) {
        case 't':
            target = optarg;
            break;
        case 'T':
            if (!parse_u32(optarg, &timeout) || !timeout) {
                fail("--timeout is a number of seconds, at least 1", 1);
            }
            break;
        case 'f':
            json = !strcmp(optarg, "json");
            if (!json && strcmp(optarg, "text")) {
                fail("--format is text or json", 1);
            }
            break;
        case 'h':
            usage();
            return EXIT_SUCCESS;
        case 'V':
            printf("tsuji-dpctl (Open vSwitch) %s\nTsuji %s\n", COMPAT_VERSION, PACKAGE_VERSION);
            return EXIT_SUCCESS;
        default:
            fail("--help shows the options", 1);
        }
    }
    if (optind == argc) {
        fail("a command is missing; --help shows them", 1);
    }
    const struct command *command = find_command(argv[optind]);
    char *path = find_daemon(target), *reply;
    bool is_error;
    struct error *e = control_call(path, command->control, argc - optind - 1, argv + optind + 1, json, timeout, &reply,
                                   &is_error);
    if (e) {
        fail(error_text(e), 1);
    }
    fputs(reply, is_error ? stderr : stdout);
    if (is_error) {
        fputc('\n', stderr);
    }
    free(reply);
    free(path);
    return is_error ? 2 : EXIT_SUCCESS;
}
