/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of tsuji-vsctl: commands separated by "--", each with its own options in front. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "utilities/vsctl.h"

static const struct vsctl_syntax *find_syntax(const char *name)
{
    for (const struct vsctl_syntax *s = vsctl_commands; s->name; s++) {
        if (!strcmp(s->name, name)) {
            return s;
        }
    }
    return NULL;
}

static struct error *unknown_command(const char *name)
{
    size_t n = 0;
    while (vsctl_commands[n].name) {
        n++;
    }
    const char **names = xcalloc(n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        names[i] = vsctl_commands[i].name;
    }
    const char *nearest = string_nearest(name, names);
    free(names);
    return nearest ? error_new(EINVAL, "unknown command '%s' (did you mean '%s'?); use --help for help",
                               name, nearest)
                   : error_new(EINVAL, "unknown command '%s'; use --help for help", name);
}

/* Does the command know the option, and does it take a value? */
static bool knows_option(const struct vsctl_syntax *s, const char *option, bool *takes_value)
{
    for (const char *p = s->options; *p;) {
        size_t n = strcspn(p, ",");
        *takes_value = p[n - 1] == '=';
        if (strlen(option) == n - *takes_value && !strncmp(p, option, n - *takes_value)) {
            return true;
        }
        p += n + (p[n] == ',');
    }
    return false;
}

static struct error *check_options(const struct vsctl_command *c)
{
    struct smap_entry *e;
    SMAP_FOR_EACH (e, &c->options) {
        bool takes_value;
        if (!knows_option(c->syntax, e->key, &takes_value)) {
            return error_new(EINVAL, "'%s' command has no '%s' option", c->syntax->name, e->key);
        }
        if (takes_value && !*e->value) {
            return error_new(EINVAL, "missing argument to '%s' option on '%s' command", e->key,
                             c->syntax->name);
        }
        if (!takes_value && *e->value) {
            return error_new(EINVAL, "'%s' option on '%s' does not accept an argument", e->key,
                             c->syntax->name);
        }
    }
    return NULL;
}

static struct error *check_arguments(const struct vsctl_command *c)
{
    int n = c->argc - 1;
    if (n < c->syntax->min_args) {
        return error_new(EINVAL, "'%s' command requires at least %d arguments", c->syntax->name,
                         c->syntax->min_args);
    }
    if (c->syntax->max_args >= 0 && n > c->syntax->max_args) {
        bool is_option = false;
        for (int i = 1; i < c->argc; i++) {
            is_option |= c->argv[i][0] == '-';
        }
        return error_new(EINVAL, "'%s' command takes at most %d arguments%s", c->syntax->name,
                         c->syntax->max_args, is_option ? " (note that options must precede command "
                         "names and follow a \"--\" argument)" : "");
    }
    return NULL;
}

static struct error *parse_command(int argc, char **argv, struct vsctl_command *c)
{
    int i;
    for (i = 0; i < argc && argv[i][0] == '-'; i++) {
        const char *equals = strchr(argv[i], '=');
        char *name = equals ? xstrndup(argv[i], equals - argv[i]) : xstrdup(argv[i]);
        bool twice = smap_get(&c->options, name) != NULL;
        smap_set(&c->options, name, equals ? equals + 1 : "");
        struct error *e = twice ? error_new(EINVAL, "'%s' option specified multiple times", name) : NULL;
        free(name);
        if (e) {
            return e;
        }
    }
    if (i == argc) {
        return error_new(EINVAL, "missing command name (use --help for help)");
    }
    c->syntax = find_syntax(argv[i]);
    if (!c->syntax) {
        return unknown_command(argv[i]);
    }
    c->argc = argc - i;
    c->argv = argv + i;
    struct error *e = check_options(c);
    return e ? e : check_arguments(c);
}

struct error *vsctl_parse_line(int argc, char **argv, const struct smap *first_options,
                               struct vsctl_command **commands, size_t *n)
{
    struct error *e = NULL;
    bool first = true;
    *commands = NULL;
    *n = 0;
    for (int start = 0, end; start <= argc && !e; start = end + 1) {
        for (end = start; end < argc && strcmp(argv[end], "--"); end++) {
            continue;
        }
        if (end == start && (end < argc || *n) && !(first && first_options->n)) {
            continue;   /* Nothing between two "--", or after the last. */
        }
        *commands = xrealloc(*commands, (*n + 1) * sizeof **commands);
        struct vsctl_command *c = &(*commands)[(*n)++];
        *c = (struct vsctl_command) { .syntax = NULL };
        if (first) {
            smap_clone(&c->options, first_options);
        } else {
            smap_init(&c->options);
        }
        first = false;
        e = parse_command(end - start, argv + start, c);
    }
    return e;
}
