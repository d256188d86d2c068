/* SPDX-License-Identifier: Apache-2.0 */
/* Where log lines go, and how patterns make them. */
#include "lib/sys/log_sink.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/thread.h"

enum { CONSOLE, SYSLOG, FILE_DEST };   /* As enum log_dest, whose header clashes with syslog.h. */

static const char *const default_patterns[] = {
    [CONSOLE] = "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    [SYSLOG] = "tsuji|%05N|%c%T|%p|%m",
    [FILE_DEST] = "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
};
static char *patterns[ARRAY_SIZE(default_patterns)];   /* NULL: the default. */
static const char *program = "tsuji";
static int file = -1;                                  /* Atomic: crash reports read it. */
static char *file_path;
static bool syslog_open;
static int facility = LOG_DAEMON;

static const struct { const char *name; int value; } facilities[] = {
    { "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV }, { "cron", LOG_CRON },
    { "daemon", LOG_DAEMON }, { "ftp", LOG_FTP }, { "kern", LOG_KERN }, { "lpr", LOG_LPR },
    { "mail", LOG_MAIL }, { "news", LOG_NEWS }, { "syslog", LOG_SYSLOG }, { "user", LOG_USER },
    { "uucp", LOG_UUCP }, { "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },
    { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
    { "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

static const int priorities[] = { LOG_EMERG, LOG_EMERG, LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

static void expand(struct text *, int dest, const struct log_line *);
static const char *expand_one(struct text *, const char *p, const struct log_line *);
static void expand_time(struct text *, const char *format, bool utc);
static void write_all(int fd, const char *s, size_t n);

void log_sink_init(const char *program_name)
{
    program = program_name;
    openlog(program_name, LOG_NDELAY, facility);
    syslog_open = true;
}

struct error *log_sink_open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) {
        return error_errno(errno, "log file \"%s\" cannot be opened", path);
    }
    char *own_path = xstrdup(path);   /* 'path' may be 'file_path'. */
    log_sink_close_file();
    free(file_path);
    file_path = own_path;
    __atomic_store_n(&file, fd, __ATOMIC_RELEASE);
    return NULL;
}

struct error *log_sink_reopen_file(char **path)
{
    *path = xstrdup_or_null(file_path);
    return file_path ? log_sink_open_file(file_path)
                     : error_new(EINVAL, "no log file was opened; --log-file opens one");
}

void log_sink_close_file(void)
{
    int fd = __atomic_exchange_n(&file, -1, __ATOMIC_ACQ_REL);
    if (fd >= 0) {
        close(fd);
    }
}

bool log_sink_is_open(int dest)
{
    return dest == CONSOLE || (dest == SYSLOG && syslog_open) || (dest == FILE_DEST && file >= 0);
}

void log_sink_write(int dest, const struct log_line *line)
{
    struct text t = TEXT_INIT;
    expand(&t, dest, line);
    if (dest == SYSLOG) {
        syslog(facility | priorities[line->level], "%s", text_str(&t));
    } else {
        text_put_char(&t, '\n');
        write_all(dest == CONSOLE ? STDERR_FILENO : file, text_str(&t), t.len);
    }
    text_fini(&t);
}

const char *log_sink_pattern(int dest)
{
    return patterns[dest] ? patterns[dest] : default_patterns[dest];
}

void log_sink_set_pattern(int dest, const char *pattern)
{
    free(patterns[dest]);
    patterns[dest] = xstrdup(pattern);
}

bool log_sink_set_facility(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(facilities); i++) {
        if (!strcmp(facilities[i].name, name)) {
            facility = facilities[i].value;
            return true;
        }
    }
    return false;
}

void log_sink_crash(const char *text, size_t n)
{
    write_all(STDERR_FILENO, text, n);
    int fd = __atomic_load_n(&file, __ATOMIC_ACQUIRE);
    if (fd >= 0) {
        write_all(fd, text, n);
    }
}

static void expand(struct text *t, int dest, const struct log_line *line)
{
    for (const char *p = log_sink_pattern(dest); *p; ) {
        if (*p != '%') {
            text_put_char(t, *p++);
        } else if (p[1]) {
            p = expand_one(t, p + 1, line);
        } else {
            break;
        }
    }
}

/* Expands what follows a '%' at 'p': [-][0][width]letter[{format}]. Returns where it ends. */
static const char *expand_one(struct text *t, const char *p, const struct log_line *line)
{
    bool left = *p == '-';
    p += left;
    bool zeros = *p == '0';
    size_t width = 0;
    for (; isdigit((unsigned char) *p); p++) {
        width = MIN(width * 10 + (size_t) (*p - '0'), (size_t) 1000);
    }
    char letter = *p;
    p += letter != '\0';
    char *format = NULL;
    const char *end = *p == '{' ? strchr(p, '}') : NULL;
    if (end) {
        format = xstrndup(p + 1, (size_t) (end - p - 1));
        p = end + 1;
    }

    struct text word = TEXT_INIT;
    char host[256] = "";
    switch (letter) {
    case 'A': text_put(&word, program); break;
    case 'B': text_printf(&word, "%d", facility | priorities[line->level]); break;
    case 'c': text_put(&word, line->module); break;
    case 'd':
    case 'D':
        expand_time(&word, format ? format : "%Y-%m-%d %H:%M:%S.###", letter == 'D');
        break;
    case 'E':
        gethostname(host, sizeof host - 1);
        text_put(&word, host);
        break;
    case 'm': text_put(&word, line->text); break;
    case 'n': text_put_char(&word, '\n'); break;
    case 'N': text_printf(&word, "%u", line->sequence); break;
    case 'p': text_put(&word, line->level_name); break;
    case 'P': text_printf(&word, "%ld", (long) getpid()); break;
    case 'r': text_printf(&word, "%lld", (long long) clock_ms()); break;
    case 't': text_put(&word, *thread_name() ? thread_name() : "main"); break;
    case 'T':
        if (*thread_name()) {
            text_printf(&word, "(%s)", thread_name());
        }
        break;
    default: text_put_char(&word, letter); break;   /* "%%", and what is not known, as it is. */
    }
    free(format);

    size_t pad = width > word.len ? width - word.len : 0;
    for (size_t i = 0; !left && i < pad; i++) {
        text_put_char(t, zeros ? '0' : ' ');
    }
    text_put(t, text_str(&word));
    for (size_t i = 0; left && i < pad; i++) {
        text_put_char(t, ' ');
    }
    text_fini(&word);
    return p;
}

/* strftime(), where a run of '#' becomes that many digits of the second's fraction. */
static void expand_time(struct text *t, const char *format, bool utc)
{
    int64_t ms = clock_wall_ms();
    time_t seconds = ms / 1000;
    struct tm tm;
    if (utc) {
        gmtime_r(&seconds, &tm);
    } else {
        localtime_r(&seconds, &tm);
    }
    char s[256];
    size_t n = strftime(s, sizeof s, format, &tm);
    unsigned digits = (unsigned) (ms % 1000), scale = 100;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '#') {
            text_put_char(t, scale ? (char) ('0' + digits / scale % 10) : '0');
            scale /= 10;
        } else {
            text_put_char(t, s[i]);
        }
    }
}

static void write_all(int fd, const char *s, size_t n)
{
    while (n) {
        ssize_t written = write(fd, s, n);
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return;   /* A full disk or a closed console: there is nobody to tell. */
        }
        s += written;
        n -= (size_t) written;
    }
}
