/* SPDX-License-Identifier: Apache-2.0 */
/* Logging, with a level for each module and each destination, settable at run time.
 *
 * Use:   LOG_MODULE(bridge);                      once, at the top of a .c file
 *        LOG_WARN("bridge \"%s\": no such port \"%s\"", ...);
 *
 * A line begins with its object. Every call site is limited to a burst of 20 and then 4 lines a second
 * (DEBUG: not limited); what was suppressed is counted and said with the next line. Workers never log.
 * Files: "TIME|SEQ|MODULE|LEVEL|text" (CLIENTS.md section 4). Destinations: console, file, syslog. */
#ifndef LIB_SYS_LOG_H
#define LIB_SYS_LOG_H

#include "lib/base/types.h"

enum log_level { LOG_LEVEL_OFF, LOG_LEVEL_EMER, LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DBG };

struct log_module {
    const char *name;
    int max_level;                 /* The most talkative of its destinations. Atomic, relaxed. */
    int levels[3];                 /* For each destination. */
    struct log_module *next;
};

struct log_site {                  /* Rate limit of one call site. */
    int64_t last_ms;
    unsigned tokens;
    unsigned suppressed;
};

/* Modules add themselves on their first line, so that there is no constructor: the registry also has a
 * table of names generated from the sources (build-aux/gen-log-modules) for "vlog/list". */
#define LOG_MODULE(NAME) \
    static struct log_module log_this_module = { #NAME, -1, { -1, -1, -1 }, NULL }

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

bool log_is_enabled(struct log_module *, enum log_level);
void log_write(struct log_module *, enum log_level, struct log_site *, const char *format, ...)
    PRINTF_LIKE(4, 5);

struct error;
struct text;
/* For main(): the program's name, the file to write to (NULL: none), console and syslog. */
void log_init(const char *program_name);
struct error *log_open_file(const char *path);   /* Remembered for log_reopen(). */
struct error *log_reopen(void);
/* A word as in "-v" and "vlog/set": "[MODULE:]DEST:LEVEL", "MODULE:LEVEL", "LEVEL", "PATTERN:..." . */
struct error *log_set_from_word(const char *word);
void log_list(struct text *);                    /* As "vlog/list". */
void log_list_json(struct text *);
/* Messages of WARN and above so far; tests fail on unannounced ones. */
unsigned log_n_warnings(void);

#endif
