/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-ofctl: shows and changes what an OpenFlow switch does. Options and the table of commands. */
#include "utilities/ofctl.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/sys/log.h"

struct ofctl_options ofctl = {
    .versions = OFP_SUPPORTED, .use_10 = true, .use_nxm = true, .names = -1, .packet_in_format = -1,
};

static const char *program = "tsuji-ofctl";

struct command {
    const char *name, *usage;
    int min_args, max_args;
    ofctl_command_fn *run;
    const char *help;
};

/* Every command; --help and the man page are made of this. */
static const struct command commands[] = {
    { "show", "SWITCH", 1, 1, ofctl_show, "what the switch is, its ports and settings" },
    { "dump-desc", "SWITCH", 1, 1, ofctl_dump_desc, "maker, hardware, software" },
    { "dump-tables", "SWITCH", 1, 1, ofctl_dump_tables, "counters of its tables" },
    { "dump-table-features", "SWITCH", 1, 1, ofctl_dump_table_features, "what its tables can do (1.3 and later)" },
    { "dump-table-desc", "SWITCH", 1, 1, ofctl_dump_table_desc, "how its tables are set (1.4 and later)" },
    { "mod-port", "SWITCH PORT ACTION", 3, 3, ofctl_mod_port, "changes a port: up, down, [no-]flood, [no-]receive, ..." },
    { "get-frags", "SWITCH", 1, 1, ofctl_get_frags, "how it handles IP fragments" },
    { "set-frags", "SWITCH MODE", 2, 2, ofctl_set_frags, "sets that: normal, drop, reassemble, nx-match" },
    { "dump-ports", "SWITCH [PORT]", 1, 2, ofctl_dump_ports, "counters of its ports" },
    { "dump-ports-desc", "SWITCH [PORT]", 1, 2, ofctl_dump_ports_desc, "its ports" },
    { "dump-flows", "SWITCH [FLOW]", 1, 2, ofctl_dump_flows, "its flows, or those that FLOW matches" },
    { "dump-aggregate", "SWITCH [FLOW]", 1, 2, ofctl_dump_aggregate, "what these flows count together" },
    { "add-flow", "SWITCH FLOW", 2, 2, ofctl_add_flow, "adds a flow" },
    { "add-flows", "SWITCH FILE", 2, 2, ofctl_add_flows, "adds, modifies and deletes flows from a file, - is the input" },
    { "mod-flows", "SWITCH FLOW", 2, 2, ofctl_mod_flows, "gives the flows that FLOW matches other actions" },
    { "del-flows", "SWITCH [FLOW]", 1, 2, ofctl_del_flows, "deletes all flows, or those that FLOW matches" },
    { "replace-flows", "SWITCH FILE", 2, 2, ofctl_replace_flows, "makes the flows those of a file, changing only what differs" },
    { "diff-flows", "SOURCE1 SOURCE2", 2, 2, ofctl_diff_flows, "compares flows of two switches or files; status 2: they differ" },
    { "packet-out", "SWITCH IN_PORT ACTIONS PACKET...", 2, 1000, ofctl_packet_out,
      "sends packets; or SWITCH \"in_port=... packet=HEX actions=...\"" },
    { "monitor", "SWITCH [MISS-LEN] [invalid_ttl]", 1, 3, ofctl_monitor, "prints the messages that the switch sends" },
    { "snoop", "SWITCH", 1, 1, ofctl_snoop, "prints what the switch and its controllers say" },
    { "probe", "TARGET", 1, 1, ofctl_probe, "does it answer?" },
    { "ping", "TARGET [BYTES]", 1, 2, ofctl_ping, "how long does it take to answer?" },
    { "parse-flow", "FLOW", 1, 1, ofctl_parse_flow, "prints a flow as it is understood" },
    { "parse-flows", "FILE", 1, 1, ofctl_parse_flows, "prints the flows of a file as they are understood" },
    { "ofp-print", "HEX [VERBOSITY]", 1, 2, ofctl_ofp_print, "prints a message given in hex" },
    { "ofp-parse", "FILE", 1, 1, ofctl_ofp_parse, "prints the messages that a file consists of" },
    { "encode-hello", "[BITMAP]", 0, 1, ofctl_encode_hello, "prints the hello message of some versions, or those of -O" },
};

void ofctl_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_FAILURE);
}

void ofctl_check(struct error *e)
{
    if (e) {
        ofctl_fail("%s", error_text(e));
    }
}

static NORETURN void usage(void)
{
    printf("%s: shows and changes what an OpenFlow switch does\n"
           "usage: %s [OPTION]... COMMAND [ARGUMENT]...\n"
           "SWITCH is the name of a bridge, unix:FILE, or tcp:HOST[:PORT].\n\nCommands:\n", program, program);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        char *line = xasprintf("%s %s", commands[i].name, commands[i].usage);
        printf(strlen(line) <= 28 ? "  %-28s  %s\n" : "  %s\n                                %s\n", line,
               commands[i].help);
        free(line);
    }
    printf("\nOptions:\n"
           "  -O, --protocols=VERSION[,VERSION]...  OpenFlow versions to speak: OpenFlow10, OpenFlow13, OpenFlow14,\n"
           "                                        OpenFlow15; all are the default\n"
           "  -F, --flow-format=FORMAT[,FORMAT]...  forms of matches: any, OpenFlow10, NXM, OXM, OXM-OpenFlow13, ...\n"
           "  -P, --packet-in-format=FORMAT         for monitor: standard, nxt_packet_in, nxt_packet_in2\n"
           "      --strict                          mod-flows, del-flows: exactly the flow, its priority included\n"
           "      --readd                           replace-flows: also what is the same is added again\n"
           "      --names, --no-names               names of ports in what is printed (default: on a terminal)\n"
           "      --no-stats, --stats               dump-flows: without or with counters and times\n"
           "      --sort[=FIELD], --rsort[=FIELD]   dump-flows: by a field or, without one, by priority\n"
           "  -f, --format=FORMAT                   text (the default) or json\n"
           "  -m, --more                            more detail of messages; may be given more than once\n"
           "      --timestamp                       monitor, snoop: say when\n"
           "  -t, --timeout=SECS                    give up after so many seconds\n"
           "  -v, --verbose=[WORD]                  log levels of this program\n"
           "  -h, --help                            print this\n"
           "  -V, --version                         print the version\n");
    exit(EXIT_SUCCESS);
}

/* ---- Options ---- */

/* Words as Open vSwitch names combinations of version and match. */
static void set_flow_format(const char *text)
{
    static const struct { const char *name; uint32_t versions; bool use_10, use_nxm; } rows[] = {
        { "any", OFP_SUPPORTED, true, true },
        { "OpenFlow10", OFP_BIT(OFP10), true, false }, { "OpenFlow10-table_id", OFP_BIT(OFP10), true, false },
        { "OpenFlow10+table_id", OFP_BIT(OFP10), true, false },
        { "NXM", OFP_BIT(OFP10), false, true }, { "NXM-table_id", OFP_BIT(OFP10), false, true },
        { "NXM+table_id", OFP_BIT(OFP10), false, true },
        { "OXM", OFP_BIT(OFP13) | OFP_BIT(OFP14) | OFP_BIT(OFP15), false, false },
        { "OXM-OpenFlow13", OFP_BIT(OFP13), false, false }, { "OXM-OpenFlow14", OFP_BIT(OFP14), false, false },
        { "OXM-OpenFlow15", OFP_BIT(OFP15), false, false },
    };
    uint32_t versions = 0;
    char *copy = xstrdup(text), *save = NULL;
    ofctl.use_10 = ofctl.use_nxm = false;
    for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        size_t i;
        for (i = 0; i < ARRAY_SIZE(rows) && strcasecmp(word, rows[i].name); i++) {
        }
        if (i == ARRAY_SIZE(rows)) {
            ofctl_fail("-F %s: \"%s\" is not known; there are any, OpenFlow10, OpenFlow10+table_id, NXM, NXM+table_id, OXM, "
                       "OXM-OpenFlow13, OXM-OpenFlow14, OXM-OpenFlow15", text, word);
        }
        versions |= rows[i].versions;
        ofctl.use_10 |= rows[i].use_10;
        ofctl.use_nxm |= rows[i].use_nxm;
    }
    free(copy);
    ofctl.versions &= versions;
}

static void set_versions(const char *text)
{
    uint32_t bits;
    ofctl_check(ofp_versions_parse(text, &bits));
    if (!(bits & OFP_SUPPORTED)) {
        ofctl_fail("-O %s: of these no version is spoken; there are OpenFlow10, OpenFlow13, OpenFlow14, OpenFlow15", text);
    }
    ofctl.versions = bits & OFP_SUPPORTED;
}

static void set_packet_in_format(const char *text)
{
    static const char *const names[] = { "standard", "nxt_packet_in", "nxt_packet_in2" };
    static const char *const old_names[] = { "openflow10", "nxm", "nxt2" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcasecmp(text, names[i]) || !strcasecmp(text, old_names[i])) {
            ofctl.packet_in_format = i;
            return;
        }
    }
    ofctl_fail("-P %s: it is standard, nxt_packet_in or nxt_packet_in2", text);
}

static void set_timeout(const char *text)
{
    uint64_t seconds;
    if (!parse_uint(text, 1, 1000000, &seconds)) {
        ofctl_fail("-t %s: it is a number of seconds, 1 or more", text);
    }
    signal(SIGALRM, SIG_DFL);
    alarm(seconds);
}

enum { OPT_STRICT = 256, OPT_READD, OPT_NAMES, OPT_NO_NAMES, OPT_STATS, OPT_NO_STATS, OPT_SORT, OPT_RSORT, OPT_TIMESTAMP };

static const struct option long_options[] = {
    { "protocols", required_argument, NULL, 'O' }, { "flow-format", required_argument, NULL, 'F' },
    { "packet-in-format", required_argument, NULL, 'P' }, { "strict", no_argument, NULL, OPT_STRICT },
    { "readd", no_argument, NULL, OPT_READD }, { "names", no_argument, NULL, OPT_NAMES },
    { "no-names", no_argument, NULL, OPT_NO_NAMES }, { "stats", no_argument, NULL, OPT_STATS },
    { "no-stats", no_argument, NULL, OPT_NO_STATS }, { "sort", optional_argument, NULL, OPT_SORT },
    { "rsort", optional_argument, NULL, OPT_RSORT }, { "format", required_argument, NULL, 'f' },
    { "more", no_argument, NULL, 'm' }, { "timestamp", no_argument, NULL, OPT_TIMESTAMP },
    { "timeout", required_argument, NULL, 't' }, { "verbose", optional_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 },
};

static void set_option(int c, const char *arg)
{
    switch (c) {
    case 'O': set_versions(arg); break;
    case 'F': set_flow_format(arg); break;
    case 'P': set_packet_in_format(arg); break;
    case OPT_STRICT: ofctl.strict = true; break;
    case OPT_READD: ofctl.readd = true; break;
    case OPT_NAMES: ofctl.names = 1; break;
    case OPT_NO_NAMES: ofctl.names = 0; break;
    case OPT_STATS: ofctl.no_stats = false; break;
    case OPT_NO_STATS: ofctl.no_stats = true; break;
    case OPT_SORT:
    case OPT_RSORT:
        ofctl.sort = c == OPT_SORT ? 1 : -1;
        ofctl.sort_field = arg;
        break;
    case 'f':
        if (strcmp(arg, "json") && strcmp(arg, "text")) {
            ofctl_fail("-f %s: it is text or json", arg);
        }
        ofctl.json = !strcmp(arg, "json");
        break;
    case 'm': ofctl.verbosity++; break;
    case OPT_TIMESTAMP: ofctl.timestamp = true; break;
    case 't': set_timeout(arg); break;
    case 'v': ofctl_check(log_set_from_word(arg ? arg : "dbg")); break;
    case 'h': usage();
    case 'V':
        printf("%s (Tsuji) %s\nOpenFlow versions 0x%x:0x%x\n", program, PACKAGE_VERSION, OFP10, OFP15);
        exit(EXIT_SUCCESS);
    default: exit(EXIT_FAILURE);   /* getopt_long() has said why. */
    }
}

static const struct command *find_command(const char *name)
{
    static const char *names[ARRAY_SIZE(commands) + 1];
    /* Spellings with one letter more or less that Open vSwitch takes too. */
    static const struct { const char *name, *as; } also[] = { { "mod-flow", "mod-flows" }, { "del-flow", "del-flows" } };
    for (size_t i = 0; i < ARRAY_SIZE(also); i++) {
        name = strcmp(name, also[i].name) ? name : also[i].as;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(name, commands[i].name)) {
            return &commands[i];
        }
        names[i] = commands[i].name;
    }
    const char *near = string_nearest(name, names);
    ofctl_fail("\"%s\" is not a command%s%s%s; --help lists them", name, near ? "; did you mean \"" : "",
               near ? near : "", near ? "\"?" : "");
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    program = slash ? slash + 1 : argv[0];
    log_init(program);
    for (int c; (c = getopt_long(argc, argv, "O:F:P:f:mt:v::hV", long_options, NULL)) != -1;) {
        set_option(c, optarg);
    }
    argc -= optind;
    argv += optind;
    if (!argc) {
        ofctl_fail("no command is given; --help lists them");
    }
    if (!ofctl.versions) {
        ofctl_fail("-O and -F have no version in common");
    }
    const struct command *command = find_command(argv[0]);
    if (argc - 1 < command->min_args || argc - 1 > command->max_args) {
        ofctl_fail("%s: it is written %s %s", command->name, command->name, command->usage);
    }
    command->run(argc, argv);
    if (fflush(stdout) || ferror(stdout)) {
        ofctl_fail("writing to the standard output failed");
    }
    return EXIT_SUCCESS;
}
