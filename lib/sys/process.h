/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a daemon: options that init scripts give, detaching, pid file, monitor, privileges.
 *
 * Order in main(): process_options_*() while parsing, process_start() before any thread exists
 * (it forks), process_ready() when the daemon serves: only then the parent returns 0. */
#ifndef LIB_SYS_PROCESS_H
#define LIB_SYS_PROCESS_H

#include <getopt.h>

#include "lib/base/types.h"

struct error;
struct text;

/* Directories, from TSUJI_RUNDIR or OVS_RUNDIR etc., else as configured at build time. */
const char *process_rundir(void);
const char *process_dbdir(void);
const char *process_logdir(void);
const char *process_sysconfdir(void);
/* Makes directory 'path' and those above it (mode 0755) where they are missing. */
struct error *process_make_directory(const char *path);
/* 'name' itself if it is absolute, else below the run directory. Caller frees. */
char *process_rundir_file(const char *name);

struct process_options {
    /* As in "tsuji-vswitchd"; pid file and control socket names come from ... */
    const char *program;
    /* ... this one, "ovs-vswitchd", since clients look for it (trap 7). */
    const char *compat_name;
    bool detach, no_chdir, overwrite_pidfile, monitor, mlockall;
    char *pidfile;              /* NULL: none was asked for. */
    char *log_file;             /* NULL: none. */
    /* NULL: <rundir>/<compat_name>.<pid>.ctl; "none": no control socket. */
    char *unixctl;
    char *user;                 /* --user=USER[:GROUP]. */
};

/* getopt_long() pieces: the long options (NULL name terminated; vals from PROCESS_OPTION_FIRST
 * up, and 'v' for --verbose: put "v::" among your short options), and what to do with one.
 * process_option() returns false if 'c' is not one of ours. process_add_options() appends them
 * to 'options', which has room for PROCESS_MAX_OPTIONS more and its end. */
enum { PROCESS_MAX_OPTIONS = 16 };
enum { PROCESS_OPTION_FIRST = 1000, PROCESS_OPTION_LAST = 1099 };
extern const struct option process_long_options[];
void process_add_options(struct option *options);
bool process_option(struct process_options *, int c, const char *arg, struct error **);
void process_options_usage(struct text *);
/* Frees what the options hold. */
void process_options_fini(struct process_options *);

/* Applies the options: log file, fork, session, monitor, pid file with lock, mlockall. Makes the run
 * and log directories if they are missing, ignores SIGPIPE and SIGXFSZ, removes the registered files on
 * SIGTERM, SIGINT and SIGHUP, and registers the main thread with RCU. In the parent and in the
 * monitor it does not return. 'user' is for process_drop_privileges(), before files and sockets are
 * made. */
struct error *process_start(struct process_options *);
/* Tells the waiting parent that all is well; with --detach also leaves the terminal and (unless
 * --no-chdir) the working directory. */
void process_ready(void);
/* The name of the control socket that this process should listen on; NULL for none. Caller
 * frees. */
char *process_unixctl_path(const struct process_options *);
/* Removes the pid file. Files registered with process_unlink_at_exit() are removed on exit and
 * on fatal signals. */
void process_unlink_at_exit(const char *path);
void process_unlink_now(const char *path);   /* And takes it off the list. */
/* Done by process_start(); for programs that are no daemons. */
void process_handle_signals(void);
void process_cleanup(void);

/* Keeps only the named capabilities (names as "net_admin"; NULL-terminated) as far as the
 * process has them, drops the rest, and becomes user 'user' ("USER", "USER:GROUP", ":GROUP") if
 * that is not NULL. Before any thread is started: capabilities belong to threads. */
struct error *process_drop_privileges(const char *user, const char *const *keep);

/* Prints a backtrace to the log and the console on SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL,
 * then dies of it (libunwind). */
void process_crash_reports(void);

/* For "memory/show": resident bytes of the process, and what was allocated and not freed (0 if the
 * allocator does not say). */
size_t process_resident_bytes(void);
size_t process_allocated_bytes(void);

#endif
