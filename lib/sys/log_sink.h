/* SPDX-License-Identifier: Apache-2.0 */
/* Where log lines go: console, syslog and file, each with its pattern. For log.c and crash
 * reports only.
 *
 * Threads: the caller holds the log's lock, except for log_sink_crash(). */
#ifndef LIB_SYS_LOG_SINK_H
#define LIB_SYS_LOG_SINK_H

#include "lib/base/types.h"

struct error;
struct text;

struct log_line {
    int level;               /* enum log_level */
    const char *level_name;
    const char *module;
    const char *text;        /* One line. */
    unsigned sequence;
};

void log_sink_init(const char *program_name);
struct error *log_sink_open_file(const char *path);
/* '*path' is the caller's to free, NULL: never opened. */
struct error *log_sink_reopen_file(char **path);
void log_sink_close_file(void);
/* Whether lines for this enum log_dest arrive anywhere. */
bool log_sink_is_open(int dest);
void log_sink_write(int dest, const struct log_line *);

const char *log_sink_pattern(int dest);
void log_sink_set_pattern(int dest, const char *pattern);
/* False if there is no facility of this name. */
bool log_sink_set_facility(const char *name);

/* Writes bytes to console and file, from a signal handler. */
void log_sink_crash(const char *text, size_t n);

#endif
