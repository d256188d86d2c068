/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-appctl: sends one command to a running daemon and prints its answer. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/rpc/control.h"
#include "lib/sys/log.h"

/* As scripts know them: the daemon answered with an error, and everything else that fails. */
enum { EXIT_REFUSED = 2 };

enum { OPT_PRETTY = 256 };

struct request {
    const char *target;
    int timeout_s;
    bool json, pretty;
    const char *command;
    int argc;
    char **argv;             /* The words after the command. */
};

static const char *program = "tsuji-appctl";

static NORETURN void fail(const char *text)
{
    fprintf(stderr, "%s: %s\n", program, text);
    exit(EXIT_FAILURE);
}

static NORETURN void fail_take(struct error *e)
{
    bool timed_out = error_code(e) == ETIMEDOUT;
    fprintf(stderr, "%s: %s\n", program, error_text(e));
    error_free(e);
    if (timed_out) {
        signal(SIGALRM, SIG_DFL);
        raise(SIGALRM);      /* Scripts see status 142. */
    }
    exit(EXIT_FAILURE);
}

static NORETURN void usage(void)
{
    printf("%s asks a running daemon of Tsuji, or of Open vSwitch.\n"
           "usage: %s [OPTION]... COMMAND [ARGUMENT]...\n"
           "\nOptions:\n"
           "  -t, --target=TARGET   name of a daemon (the default is ovs-vswitchd, which finds\n"
           "                        tsuji-vswitchd), or the absolute path of a control socket\n"
           "  -T, --timeout=SECS    give up after so many seconds\n"
           "  -f, --format=FORMAT   form of the answer: text (the default) or json\n"
           "      --pretty          with json, indented\n"
           "  -v, --verbose=[WORD]  log levels of this program\n"
           "  -h, --help            print this\n"
           "  -V, --version         print the version\n"
           "\nCommands that every daemon has:\n"
           "  list-commands         all commands of the daemon\n"
           "  version               which program it is\n"
           "  exit                  end it\n"
           "  vlog/list             log levels\n"
           "  vlog/set WORD...      set log levels: [MODULE:]DESTINATION:LEVEL\n"
           "  vlog/reopen           open the log file again\n"
           "\nThe status is 0, 1 if the daemon was not reached, 2 if it answered with an error.\n",
           program, program);
    exit(EXIT_SUCCESS);
}

static NORETURN void print_version(void)
{
    if (!strncmp(program, "ovs-", 4)) {
        char *line = control_program_line(program);
        puts(line);
        free(line);
    }
    printf("tsuji-appctl (Tsuji) " PACKAGE_VERSION "\n");
    exit(EXIT_SUCCESS);
}

static void parse_options(struct request *r, int argc, char *argv[])
{
    static const struct option options[] = {
        { "target", required_argument, NULL, 't' },
        { "timeout", required_argument, NULL, 'T' },
        { "format", required_argument, NULL, 'f' },
        { "pretty", no_argument, NULL, OPT_PRETTY },
        { "verbose", optional_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    uint64_t seconds;
    struct error *e;
    /* "+": options end at the command, whose own words may look like options. */
    for (int c; (c = getopt_long(argc, argv, "+t:T:f:v::hV", options, NULL)) != -1; ) {
        switch (c) {
        case 't':
            r->target = optarg;
            break;
        case 'T':
            if (!parse_uint(optarg, 1, INT_MAX / 1000, &seconds)) {
                fail("--timeout takes a number of seconds, from 1");
            }
            r->timeout_s = (int) seconds;
            break;
        case 'f':
            r->json = !strcmp(optarg, "json");
            if (!r->json && strcmp(optarg, "text")) {
                fail("--format is text or json");
            }
            break;
        case OPT_PRETTY:
            r->pretty = true;
            break;
        case 'v':
            e = log_set_from_word(optarg ? optarg : "");
            if (e) {
                fail_take(e);
            }
            break;
        case 'h':
            usage();
        case 'V':
            print_version();
        default:
            exit(EXIT_FAILURE);   /* getopt_long() said why. */
        }
    }
    if (r->pretty && !r->json) {
        fail("--pretty goes with --format=json only");
    }
    if (optind >= argc) {
        fail("which command? list-commands shows those of the daemon, --help the options");
    }
    r->command = argv[optind];
    r->argc = argc - optind - 1;
    r->argv = argv + optind + 1;
}

/* Prints 'json' text with its keys in order. */
static void print_json(const char *text, bool pretty)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    json_dumpf(json, stdout, JSON_ENCODE_ANY | JSON_SORT_KEYS
                             | (pretty ? JSON_INDENT(2) : JSON_COMPACT));
    putchar('\n');
    json_decref(json);
}

int main(int argc, char *argv[])
{
    const char *slash = strrchr(argv[0], '/');
    program = slash ? slash + 1 : argv[0];
    struct request r = { .target = "ovs-vswitchd" };
    parse_options(&r, argc, argv);

    char *path, *reply;
    bool is_error;
    struct error *e = control_find(r.target, &path);
    if (!e) {
        e = control_call(path, r.command, r.argc, r.argv, r.json, r.timeout_s, &reply, &is_error);
        free(path);
    }
    if (e) {
        fail_take(e);
    }
    if (is_error) {
        fputs(reply, stderr);
        fprintf(stderr, "%s: %s: server returned an error\n", program, r.target);
    } else if (r.json) {
        print_json(reply, r.pretty);
    } else {
        fputs(reply, stdout);
    }
    free(reply);
    if (fflush(stdout)) {
        fail("the answer could not be printed");
    }
    return is_error ? EXIT_REFUSED : EXIT_SUCCESS;
}
