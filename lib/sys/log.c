/* SPDX-License-Identifier: Apache-2.0 */
/* Logging: modules, levels, rate limits and the words that set them. */
#include "lib/sys/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/log_sink.h"

LOG_MODULE(vlog);

/* The linker sets these to the ends of the section that LOG_MODULE fills. */
extern struct log_module *__start_log_modules[];
extern struct log_module *__stop_log_modules[];
#define FOR_EACH_MODULE(m, p)                                                                    \
    for (struct log_module *m, **p = __start_log_modules;                                        \
         p < __stop_log_modules ? (m = *p, true) : false; p++)

static const char *const level_names[] = { "OFF", "EMER", "ERR", "WARN", "INFO", "DBG" };
static const char *const dest_names[] = { "console", "syslog", "file" };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned sequence;
static unsigned n_warnings;   /* Atomic. */

/* A line costs COST_MS of a site's tokens, which grow by one each millisecond. */
enum { BURST = 20, COST_MS = 250 };

static bool take_token(struct log_site *, int64_t now_ms, unsigned *suppressed);
static void emit(const struct log_module *, enum log_level, char *text);
static void emit_line(const struct log_module *, enum log_level, const char *line);
static void update_max(struct log_module *);
static void update_all(void);
static int find_name(const char *const *names, size_t n, const char *word);
static bool module_exists(const char *name);
static struct error *set_pattern(const char *rest);
static struct error *unknown_word(const char *part);
static int compare_modules(const void *, const void *);
static struct log_module **sorted_modules(size_t *n);

void log_write(struct log_module *m, enum log_level level, struct log_site *site,
               const char *format, ...)
{
    int saved_errno = errno;
    if (level <= LOG_LEVEL_WARN) {
        __atomic_add_fetch(&n_warnings, 1, __ATOMIC_RELAXED);
    }
    int64_t now = clock_ms();
    unsigned suppressed = 0;
    pthread_mutex_lock(&lock);
    if (level == LOG_LEVEL_DBG || m->unlimited || take_token(site, now, &suppressed)) {
        if (suppressed) {
            emit(m, level, xasprintf("%u lines like the next one were left out", suppressed));
        }
        va_list args;
        va_start(args, format);
        errno = saved_errno;   /* For %m. */
        emit(m, level, xvasprintf(format, args));
        va_end(args);
    }
    pthread_mutex_unlock(&lock);
    errno = saved_errno;
}

void log_init(const char *program_name)
{
    pthread_mutex_lock(&lock);
    log_sink_init(program_name);
    update_all();
    pthread_mutex_unlock(&lock);
}

struct error *log_open_file(const char *path)
{
    pthread_mutex_lock(&lock);
    struct error *e = log_sink_open_file(path);
    update_all();
    pthread_mutex_unlock(&lock);
    if (!e) {
        LOG_INFO("opened log file %s", path);
    }
    return e;
}

struct error *log_reopen(void)
{
    pthread_mutex_lock(&lock);
    char *path;
    struct error *e = log_sink_reopen_file(&path);
    update_all();
    pthread_mutex_unlock(&lock);
    if (!e) {
        LOG_INFO("opened log file %s", path);
    }
    free(path);
    return e;
}

void log_close_file(void)
{
    pthread_mutex_lock(&lock);
    log_sink_close_file();
    update_all();
    pthread_mutex_unlock(&lock);
}

struct error *log_set_from_word(const char *word)
{
    if (!strncasecmp(word, "PATTERN:", 8)) {
        return set_pattern(word + 8);
    }
    if (!strncasecmp(word, "FACILITY:", 9)) {
        pthread_mutex_lock(&lock);
        bool known = log_sink_set_facility(word + 9);
        pthread_mutex_unlock(&lock);
        return known ? NULL : error_new(EINVAL, "syslog has no facility \"%s\"; there are daemon, "
                                        "user, local0 to local7 and others", word + 9);
    }

    int level = -1, dest = -1;
    char *module = NULL;
    struct error *e = NULL;
    char *copy = xstrdup(word), *save;
    for (char *part = strtok_r(copy, " :,\t\r\n", &save); part && !e;
         part = strtok_r(NULL, " :,\t\r\n", &save)) {
        int i;
        if (!strcasecmp(part, "ANY")) {
            continue;   /* Says aloud what is so anyway. */
        } else if ((i = find_name(level_names, ARRAY_SIZE(level_names), part)) >= 0) {
            e = level >= 0 ? error_new(EINVAL, "\"%s\": two levels", word) : NULL;
            level = i;
        } else if ((i = find_name(dest_names, ARRAY_SIZE(dest_names), part)) >= 0) {
            e = dest >= 0 ? error_new(EINVAL, "\"%s\": two destinations", word) : NULL;
            dest = i;
        } else if (!module_exists(part)) {
            e = unknown_word(part);
        } else if (module) {
            e = error_new(EINVAL, "\"%s\": two modules, \"%s\" and \"%s\"", word, module, part);
        } else {
            module = xstrdup(part);
        }
    }
    free(copy);
    if (!e) {
        pthread_mutex_lock(&lock);
        FOR_EACH_MODULE (m, p) {
            for (int d = 0; (!module || !strcasecmp(m->name, module)) && d < LOG_N_DESTS; d++) {
                if (dest < 0 || d == dest) {
                    m->levels[d] = level >= 0 ? level : LOG_LEVEL_DBG;
                }
            }
            update_max(m);
        }
        pthread_mutex_unlock(&lock);
    }
    free(module);
    return e;
}

struct error *log_set_rate_limits(const char *module, bool limited)
{
    bool all = !strcasecmp(module, "ANY");
    if (!all && !module_exists(module)) {
        return unknown_word(module);
    }
    pthread_mutex_lock(&lock);
    FOR_EACH_MODULE (m, p) {
        if (all || !strcasecmp(m->name, module)) {
            m->unlimited = !limited;
        }
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

void log_list(struct text *t)
{
    text_put(t, "                 console    syslog    file\n");
    text_put(t, "                 -------    ------    ------\n");
    pthread_mutex_lock(&lock);
    size_t n;
    struct log_module **modules = sorted_modules(&n);
    for (size_t i = 0; i < n; i++) {
        const int *levels = modules[i]->levels;
        text_printf(t, "%-16s  %4s       %4s       %4s\n", modules[i]->name,
                    level_names[levels[LOG_DEST_CONSOLE]], level_names[levels[LOG_DEST_SYSLOG]],
                    level_names[levels[LOG_DEST_FILE]]);
    }
    free(modules);
    pthread_mutex_unlock(&lock);
}

void log_list_json(struct text *t)
{
    text_put_char(t, '{');
    pthread_mutex_lock(&lock);
    size_t n;
    struct log_module **modules = sorted_modules(&n);
    for (size_t i = 0; i < n; i++) {
        text_printf(t, "%s\"%s\":{", i ? "," : "", modules[i]->name);   /* A C identifier. */
        for (int d = 0; d < LOG_N_DESTS; d++) {
            text_printf(t, "%s\"%s\":\"%s\"", d ? "," : "", dest_names[d],
                        level_names[modules[i]->levels[d]]);
        }
        text_put_char(t, '}');
    }
    free(modules);
    pthread_mutex_unlock(&lock);
    text_put_char(t, '}');
}

void log_list_patterns(struct text *t)
{
    text_put(t, "         format\n         ------\n");
    pthread_mutex_lock(&lock);
    static const char *const titles[] = { "CONSOLE", "SYSLOG", "FILE" };
    for (int d = 0; d < LOG_N_DESTS; d++) {
        text_printf(t, "%-7s  %s\n", titles[d], log_sink_pattern(d));
    }
    pthread_mutex_unlock(&lock);
}

unsigned log_n_warnings(void)
{
    return __atomic_load_n(&n_warnings, __ATOMIC_RELAXED);
}

static bool take_token(struct log_site *site, int64_t now_ms, unsigned *suppressed)
{
    int64_t elapsed = site->last_ms ? MAX(now_ms - site->last_ms, 0) : BURST * COST_MS;
    site->tokens = (unsigned) MIN(site->tokens + elapsed, (int64_t) BURST * COST_MS);
    site->last_ms = MAX(now_ms, 1);
    if (site->tokens < COST_MS) {
        site->suppressed++;
        return false;
    }
    site->tokens -= COST_MS;
    *suppressed = site->suppressed;
    site->suppressed = 0;
    return true;
}

/* Takes 'text'. Each of its lines gets the whole head, so that a name with a line feed in it
 * cannot pass for a line of another module; other control characters become question marks. */
static void emit(const struct log_module *m, enum log_level level, char *text)
{
    for (unsigned char *p = (unsigned char *) text; *p; p++) {
        if ((*p < 32 && *p != '\n' && *p != '\t') || *p == 127) {
            *p = '?';
        }
    }
    char *save;
    char *line = strtok_r(text, "\n", &save);
    emit_line(m, level, line ? line : "");
    while (line && (line = strtok_r(NULL, "\n", &save))) {
        emit_line(m, level, line);
    }
    free(text);
}

static void emit_line(const struct log_module *m, enum log_level level, const char *text)
{
    struct log_line line = { (int) level, level_names[level], m->name, text, ++sequence };
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if ((int) level <= m->levels[d] && log_sink_is_open(d)) {
            log_sink_write(d, &line);
        }
    }
}

static void update_max(struct log_module *m)
{
    int max = LOG_LEVEL_OFF;
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (log_sink_is_open(d)) {
            max = MAX(max, m->levels[d]);
        }
    }
    /* Warnings are counted whether they are shown or not. */
    __atomic_store_n(&m->max_level, MAX(max, (int) LOG_LEVEL_WARN), __ATOMIC_RELAXED);
}

static void update_all(void)
{
    FOR_EACH_MODULE (m, p) {
        update_max(m);
    }
}

static int find_name(const char *const *names, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcasecmp(names[i], word)) {
            return (int) i;
        }
    }
    return -1;
}

static bool module_exists(const char *name)
{
    FOR_EACH_MODULE (m, p) {
        if (!strcasecmp(m->name, name)) {
            return true;
        }
    }
    return false;
}

static struct error *set_pattern(const char *rest)
{
    const char *colon = strchr(rest, ':');
    if (!colon) {
        return error_new(EINVAL, "\"PATTERN:%s\": a pattern is set with "
                         "PATTERN:DESTINATION:PATTERN", rest);
    }
    char *name = xstrndup(rest, (size_t) (colon - rest));
    int dest = find_name(dest_names, ARRAY_SIZE(dest_names), name);
    bool all = !strcasecmp(name, "ANY");
    struct error *e = NULL;
    if (dest < 0 && !all) {
        e = error_new(EINVAL, "\"%s\" is no log destination; there are console, syslog, file and "
                      "ANY", name);
    } else {
        pthread_mutex_lock(&lock);
        for (int d = 0; d < LOG_N_DESTS; d++) {
            if (all || d == dest) {
                log_sink_set_pattern(d, colon + 1);
            }
        }
        pthread_mutex_unlock(&lock);
    }
    free(name);
    return e;
}

static struct error *unknown_word(const char *part)
{
    size_t n;
    struct log_module **modules = sorted_modules(&n);
    static const char *const others[] = { "console", "syslog", "file", "off", "emer", "err", "warn",
                                          "info", "dbg", "ANY" };
    const char **names = xcalloc(n + ARRAY_SIZE(others) + 1, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        names[i] = modules[i]->name;
    }
    memcpy(names + n, others, sizeof others);
    const char *near = string_nearest(part, names);
    struct error *e = near
        ? error_new(EINVAL, "no destination, level, or module \"%s\"; did you mean \"%s\"?", part,
                    near)
        : error_new(EINVAL, "no destination, level, or module \"%s\"; vlog/list shows them", part);
    free(names);
    free(modules);
    return e;
}

static int compare_modules(const void *a_, const void *b_)
{
    const struct log_module *const *a = a_, *const *b = b_;
    return strcmp((*a)->name, (*b)->name);
}

/* Modules by name, each name once; the caller frees the array. */
static struct log_module **sorted_modules(size_t *n)
{
    size_t all = (size_t) (__stop_log_modules - __start_log_modules);
    struct log_module **modules = xmemdup(__start_log_modules, all * sizeof *modules);
    qsort(modules, all, sizeof *modules, compare_modules);
    *n = 0;
    for (size_t i = 0; i < all; i++) {
        if (!*n || strcmp(modules[*n - 1]->name, modules[i]->name)) {
            modules[(*n)++] = modules[i];
        }
    }
    return modules;
}
