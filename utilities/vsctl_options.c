/* SPDX-License-Identifier: Apache-2.0 */
/* The options of tsuji-vsctl: one table, for reading and for --help. */
#include "utilities/vsctl_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/version.h"
#include "lib/sys/log.h"
#include "lib/sys/process.h"

enum option_id {
    OPTION_DB, OPTION_NO_WAIT, OPTION_RETRY, OPTION_TIMEOUT, OPTION_DRY_RUN, OPTION_ONELINE,
    OPTION_FORMAT, OPTION_DATA, OPTION_NO_HEADINGS, OPTION_PRETTY, OPTION_BARE,
    OPTION_VERBOSE, OPTION_LOG_FILE, OPTION_NO_SYSLOG, OPTION_HELP, OPTION_VERSION,
};

enum argument { NO_ARGUMENT, NEEDS_ARGUMENT, MAY_HAVE_ARGUMENT };

static const struct option_row {
    const char *section;
    char letter;
    const char *name;
    enum argument argument;
    enum option_id id;
    const char *value, *help;
} rows[] = {
    { "Options", 0, "db", NEEDS_ARGUMENT, OPTION_DB, "DATABASE",
      "connect to DATABASE, unix:FILE or tcp:HOST:PORT (default: unix:RUNDIR/db.sock)" },
    { NULL, 0, "no-wait", NO_ARGUMENT, OPTION_NO_WAIT, NULL,
      "do not wait until the switch has done what was changed" },
    { NULL, 0, "retry", NO_ARGUMENT, OPTION_RETRY, NULL, "keep trying to connect" },
    { NULL, 't', "timeout", NEEDS_ARGUMENT, OPTION_TIMEOUT, "SECONDS",
      "give up (by signal ALRM) after SECONDS; 0 is never" },
    { NULL, 0, "dry-run", NO_ARGUMENT, OPTION_DRY_RUN, NULL, "check everything, change nothing" },
    { NULL, 0, "oneline", NO_ARGUMENT, OPTION_ONELINE, NULL,
      "print each command's output on a line, with \\n for newlines" },
    { "Output of list and find", 'f', "format", NEEDS_ARGUMENT, OPTION_FORMAT, "FORMAT",
      "\"list\" (default), \"table\", \"csv\", \"html\" or \"json\"" },
    { NULL, 'd', "data", NEEDS_ARGUMENT, OPTION_DATA, "FORMAT",
      "values as \"string\" (default), \"bare\" or \"json\"" },
    { NULL, 0, "no-headings", NO_ARGUMENT, OPTION_NO_HEADINGS, NULL, "no names of columns" },
    { NULL, 0, "pretty", NO_ARGUMENT, OPTION_PRETTY, NULL, "indent JSON" },
    { NULL, 0, "bare", NO_ARGUMENT, OPTION_BARE, NULL,
      "the same as \"--format=list --data=bare --no-headings\"" },
    { "Logging", 'v', "verbose", MAY_HAVE_ARGUMENT, OPTION_VERBOSE, "WORD",
      "set levels of logging: [MODULE:][DESTINATION:]LEVEL" },
    { NULL, 0, "log-file", MAY_HAVE_ARGUMENT, OPTION_LOG_FILE, "FILE", "log to FILE, too" },
    { NULL, 0, "no-syslog", NO_ARGUMENT, OPTION_NO_SYSLOG, NULL,
      "the same as \"--verbose=vsctl:syslog:warn\"" },
    { "Other options", 'h', "help", NO_ARGUMENT, OPTION_HELP, NULL, "print this and exit" },
    { NULL, 'V', "version", NO_ARGUMENT, OPTION_VERSION, NULL, "print the version and exit" },
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static NORETURN void print_help(const char *program)
{
    struct text t = TEXT_INIT;
    text_printf(&t, "%s: the configuration of the switch\n"
                "usage: %s [OPTIONS] COMMAND [ARG...] [-- [COMMAND OPTIONS] COMMAND [ARG...]]...\n",
                base_name(program), base_name(program));
    vsctl_put_commands_help(&t);
    text_put(&t, "\nTables, columns and records may be abbreviated; a record is named by its UUID (or its "
             "beginning),\nits name, \".\" for the only one, or @NAME.\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct option_row *r = &rows[i];
        if (r->section) {
            text_printf(&t, "\n%s:\n", r->section);
        }
        size_t start = t.len;
        if (r->letter) {
            text_printf(&t, "  -%c, ", r->letter);
        } else {
            text_put(&t, "  ");
        }
        text_printf(&t, "--%s", r->name);
        if (r->argument != NO_ARGUMENT) {
            text_printf(&t, r->argument == NEEDS_ARGUMENT ? "=%s" : "[=%s]", r->value);
        }
        text_printf(&t, "%*s%s\n", (int) MAX(30 - (int) (t.len - start), 1), "", r->help);
    }
    fputs(text_str(&t), stdout);
    text_fini(&t);
    exit(EXIT_SUCCESS);
}

static NORETURN void print_version(const char *program)
{
    printf("%s (Open vSwitch) %s\nDB Schema %s\nTsuji %s\n", base_name(program), COMPAT_VERSION,
           db_schema.version, PACKAGE_VERSION);
    exit(EXIT_SUCCESS);
}

static struct error *set_format(struct vsctl *v, const char *s)
{
    static const char *const names[] = {
        [VSCTL_FORMAT_TABLE] = "table", [VSCTL_FORMAT_LIST] = "list", [VSCTL_FORMAT_HTML] = "html",
        [VSCTL_FORMAT_CSV] = "csv",     [VSCTL_FORMAT_JSON] = "json",
    };
    for (size_t i = VSCTL_FORMAT_TABLE; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i], s)) {
            v->format = i;
            return NULL;
        }
    }
    return error_new(EINVAL, "unknown output format \"%s\"", s);
}

static struct error *set_style(struct vsctl *v, const char *s)
{
    static const char *const names[] = {
        [VSCTL_STYLE_STRING] = "string", [VSCTL_STYLE_BARE] = "bare", [VSCTL_STYLE_JSON] = "json",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i], s)) {
            v->style = i;
            return NULL;
        }
    }
    return error_new(EINVAL, "unknown data format \"%s\"", s);
}

static struct error *set_timeout(struct vsctl *v, const char *s)
{
    uint64_t seconds;
    if (!parse_uint(s, 0, 1000000, &seconds)) {
        return error_new(EINVAL, "value %s on -t or --timeout is invalid", s);
    }
    v->timeout_s = seconds;
    return NULL;
}

static struct error *open_log(const char *program, const char *file)
{
    char *path = file ? xstrdup(file) : xasprintf("%s/%s.log", process_logdir(), base_name(program));
    struct error *e = log_open_file(path);
    free(path);
    return e;
}

static struct error *apply(struct vsctl *v, enum option_id id, const char *value, const char *program)
{
    switch (id) {
    case OPTION_DB:
        v->db = value;
        return NULL;
    case OPTION_NO_WAIT:
        v->no_wait = true;
        return NULL;
    case OPTION_RETRY:
        v->retry = true;
        return NULL;
    case OPTION_TIMEOUT:
        return set_timeout(v, value);
    case OPTION_DRY_RUN:
        v->dry_run = true;
        return NULL;
    case OPTION_ONELINE:
        v->oneline = true;
        return NULL;
    case OPTION_FORMAT:
        return set_format(v, value);
    case OPTION_DATA:
        return set_style(v, value);
    case OPTION_NO_HEADINGS:
        v->no_headings = true;
        return NULL;
    case OPTION_PRETTY:
        v->pretty = true;
        return NULL;
    case OPTION_BARE:
        v->format = VSCTL_FORMAT_LIST;
        v->style = VSCTL_STYLE_BARE;
        v->no_headings = true;
        return NULL;
    case OPTION_VERBOSE:
        return log_set_from_word(value ? value : "dbg");
    case OPTION_LOG_FILE:
        return open_log(program, value);
    case OPTION_NO_SYSLOG:
        return log_set_from_word("vsctl:syslog:warn");
    case OPTION_HELP:
        print_help(program);
    case OPTION_VERSION:
        print_version(program);
    }
    return NULL;
}

/* A command's option that begins with the 'n' bytes at 'name', as long as it is in '*len'; NULL if there is none,
 * or several. */
static const char *find_command_option(const char *name, size_t n, size_t *len)
{
    const char *found = NULL;
    bool ambiguous = false;
    for (const struct vsctl_syntax *s = vsctl_commands; s->name; s++) {
        for (const char *p = s->options; *p;) {
            size_t all = strcspn(p, ","), bare = all - (p[all - 1] == '=');
            if (bare >= n && !strncmp(p, name, n)) {
                if (bare == n) {
                    *len = n;
                    return p;
                }
                ambiguous |= found && (bare != *len || strncmp(p, found, bare));
                found = p;
                *len = bare;
            }
            p += all + (p[all] == ',');
        }
    }
    return ambiguous ? NULL : found;
}

/* The option whose long name begins with the 'n' bytes at 'name', if it is the only one. */
static const struct option_row *find_long(const char *name, size_t n, bool *ambiguous)
{
    const struct option_row *found = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!strncmp(rows[i].name, name, n)) {
            if (!rows[i].name[n]) {
                *ambiguous = false;
                return &rows[i];
            }
            *ambiguous |= found != NULL;
            found = &rows[i];
        }
    }
    return found;
}

struct words {
    int argc, i;
    char **argv;
};

static struct error *long_option(struct vsctl *v, struct words *w, struct smap *first_options)
{
    char *word = w->argv[w->i];
    size_t n = strcspn(word, "=");
    char *value = word[n] ? word + n + 1 : NULL;
    bool ambiguous = false;
    const struct option_row *r = n > 2 ? find_long(word + 2, n - 2, &ambiguous) : NULL;
    size_t len;
    const char *option = n > 2 ? find_command_option(word, n, &len) : NULL;
    if (option && (!r || len == n)) {
        if (option[len] == '=' && !value && w->i + 1 < w->argc) {
            value = w->argv[++w->i];
        }
        char *name = xstrndup(option, len);
        if (!smap_get(first_options, name)) {
            smap_set(first_options, name, value ? value : "");
        }
        free(name);
        return NULL;
    }
    ambiguous |= option && r && strlen(r->name) != n - 2;
    if (!r || ambiguous) {
        return error_new(EINVAL, ambiguous ? "option '%.*s' is ambiguous" : "unrecognized option '%.*s'",
                         (int) n, word);
    }
    if (r->argument == NO_ARGUMENT && value) {
        return error_new(EINVAL, "option '--%s' doesn't allow an argument", r->name);
    }
    if (r->argument == NEEDS_ARGUMENT && !value) {
        if (w->i + 1 >= w->argc) {
            return error_new(EINVAL, "option '--%s' requires an argument", r->name);
        }
        value = w->argv[++w->i];
    }
    return apply(v, r->id, value, w->argv[0]);
}

static struct error *short_options(struct vsctl *v, struct words *w)
{
    for (char *p = w->argv[w->i] + 1; *p; p++) {
        const struct option_row *r = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            if (rows[i].letter == *p) {
                r = &rows[i];
            }
        }
        if (!r) {
            return error_new(EINVAL, "invalid option -- '%c'", *p);
        }
        char *value = NULL;
        if (r->argument != NO_ARGUMENT && p[1]) {
            value = p + 1;
        } else if (r->argument == NEEDS_ARGUMENT) {
            if (w->i + 1 >= w->argc) {
                return error_new(EINVAL, "option requires an argument -- '%c'", *p);
            }
            value = w->argv[++w->i];
        }
        struct error *e = apply(v, r->id, value, w->argv[0]);
        if (e || value) {
            return e;
        }
    }
    return NULL;
}

struct error *vsctl_parse_options(struct vsctl *v, int argc, char **argv, struct smap *first_options,
                                  int *used)
{
    struct words w = { argc, 1, argv };
    for (; w.i < argc; w.i++) {
        const char *word = argv[w.i];
        if (word[0] != '-' || !strcmp(word, "--")) {
            break;
        }
        struct error *e = word[1] == '-' ? long_option(v, &w, first_options)
                          : word[1]      ? short_options(v, &w)
                                         : error_new(EINVAL, "unrecognized option '-'");
        if (e) {
            return e;
        }
    }
    *used = w.i;
    return NULL;
}
