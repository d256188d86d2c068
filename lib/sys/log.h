/* SPDX-License-Identifier: Apache-2.0 */
/* Logging, with a level for each module and each destination, settable at run time.
 *
 * Use:   LOG_MODULE(bridge);                      once, at the top of a .c file
 *        LOG_WARN("bridge \"%s\": no such port \"%s\"", ...);
 *
 * A line begins with its object. Every call site is limited to a burst of 20 and then 4 lines a
 * second (DEBUG: not limited); what was suppressed is counted and said with the next line.
 * Workers never log. Files: "TIME|SEQ|MODULE|LEVEL|text" (CLIENTS.md section 4). Destinations:
 * console, file, syslog. */
#ifndef LIB_SYS_LOG_H
#define LIB_SYS_LOG_H

#include "lib/base/types.h"

enum log_level {
    LOG_LEVEL_OFF, LOG_LEVEL_EMER, LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DBG
};

enum log_dest { LOG_DEST_CONSOLE, LOG_DEST_SYSLOG, LOG_DEST_FILE, LOG_N_DESTS };

struct log_module {
    const char *name;
    int max_level;                 /* The most talkative of its destinations. Atomic, relaxed. */
    int levels[LOG_N_DESTS];       /* Guarded by the log's lock, as is the next. */
    bool unlimited;                /* No rate limits. */
};

/* The linker gathers pointers to a program's modules in one section, so that "vlog/list" knows
 * those that are linked, used or not, without constructors. Files may share a name; levels are
 * set for all of them. */
#define LOG_MODULE(NAME)                                                                         \
    static struct log_module log_this_module = {                                                 \
        #NAME, LOG_LEVEL_INFO, { LOG_LEVEL_INFO, LOG_LEVEL_INFO, LOG_LEVEL_INFO }, false         \
    };                                                                                           \
    static struct log_module *log_this_module_entry                                              \
        __attribute__((used, section("log_modules"))) = &log_this_module

#define LOG_AT(LEVEL, ...)                                                                       \
    do {                                                                                         \
        static struct log_site site__;                                                           \
        if (log_is_enabled(&log_this_module, LEVEL)) {                                           \
            log_write(&log_this_module, LEVEL, &site__, __VA_ARGS__);                            \
        }                                                                                        \
    } while (0)
#define LOG_ERR(...) LOG_AT(LOG_LEVEL_ERR, __VA_ARGS__)
#define LOG_WARN(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define LOG_INFO(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define LOG_DBG(...) LOG_AT(LOG_LEVEL_DBG, __VA_ARGS__)

struct log_site {                  /* Rate limit of one call site. */
    int64_t last_ms;
    unsigned tokens;
    unsigned suppressed;
};

static inline bool log_is_enabled(const struct log_module *m, enum log_level level)
{
    return (int) level <= __atomic_load_n(&m->max_level, __ATOMIC_RELAXED);
}

void log_write(struct log_module *, enum log_level, struct log_site *, const char *format, ...)
    PRINTF_LIKE(4, 5);

struct error;
struct text;
/* For main(): the program's name, for syslog and the patterns. Without it nothing goes to
 * syslog. */
void log_init(const char *program_name);
struct error *log_open_file(const char *path);   /* Remembered for log_reopen(). */
struct error *log_reopen(void);                  /* An error if no file was ever opened. */
void log_close_file(void);
/* A word as in "-v" and "vlog/set": parts separated by ":", "," or " ", in any order, each a
 * module (or ANY), a destination (console, file, syslog, or ANY) or a level (off, emer, err,
 * warn, info, dbg). Without a level it is dbg, without a module or destination all of them. Also
 * "PATTERN:DEST:PATTERN" and "FACILITY:NAME". The word "" means "dbg" for all. */
struct error *log_set_from_word(const char *word);
/* 'module' is a name, or "ANY". */
struct error *log_set_rate_limits(const char *module, bool limited);
void log_list(struct text *);                    /* As "vlog/list". */
void log_list_json(struct text *);               /* {"module":{"console":"INFO",...},...} */
void log_list_patterns(struct text *);
/* Messages of WARN and above so far; tests fail on unannounced ones. */
unsigned log_n_warnings(void);

#endif
