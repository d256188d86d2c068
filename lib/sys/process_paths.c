/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon's directories and file names, and the files that go away with it. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/process.h"

enum { MAX_FILES = 256 };   /* A bridge has two, management and snoop; more are not removed. */

/* A signal handler takes entries too: whoever exchanges one for NULL has it. 'files_lock' keeps
 * threads apart. */
static char *files[MAX_FILES];
static pid_t files_owner;
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

/* The first of the two variables that is set, or NULL. */
static const char *from_environment(const char *ours, const char *theirs)
{
    const char *value = getenv(ours);
    return value && *value ? value : (value = getenv(theirs)) && *value ? value : NULL;
}

const char *process_rundir(void)
{
    const char *dir = from_environment("TSUJI_RUNDIR", "OVS_RUNDIR");
    return dir ? dir : TSUJI_RUNDIR;
}

const char *process_logdir(void)
{
    const char *dir = from_environment("TSUJI_LOGDIR", "OVS_LOGDIR");
    return dir ? dir : TSUJI_LOGDIR;
}

const char *process_dbdir(void)
{
    static char *joined;   /* Computed once, by the main thread. */
    const char *dir = from_environment("TSUJI_DBDIR", "OVS_DBDIR");
    if (dir) {
        return dir;
    }
    if (!from_environment("TSUJI_SYSCONFDIR", "OVS_SYSCONFDIR")) {
        return TSUJI_DBDIR;
    }
    if (!joined) {
        joined = xasprintf("%s%s", process_sysconfdir(), strrchr(TSUJI_DBDIR, '/'));
    }
    return joined;
}

const char *process_sysconfdir(void)
{
    static char *parent;   /* Of the database directory, as configured. Computed once. */
    const char *dir = from_environment("TSUJI_SYSCONFDIR", "OVS_SYSCONFDIR");
    if (dir) {
        return dir;
    }
    if (!parent) {
        parent = xstrndup(TSUJI_DBDIR, (size_t) (strrchr(TSUJI_DBDIR, '/') - TSUJI_DBDIR));
    }
    return parent;
}

struct error *process_make_directory(const char *path)
{
    char *copy = xstrdup(path);
    struct error *e = NULL;
    for (char *p = copy; *p && !e; ) {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        char c = *p;
        *p = '\0';
        if (mkdir(copy, 0755) && errno != EEXIST) {
            /* A parent that may not be written to may still be there (EROFS, EACCES). */
            int error = errno;
            struct stat st;
            e = stat(copy, &st) ? error_errno(error, "directory \"%s\" cannot be made", copy) : NULL;
        }
        *p = c;
    }
    free(copy);
    return e;
}

char *process_rundir_file(const char *name)
{
    return *name == '/' ? xstrdup(name) : xasprintf("%s/%s", process_rundir(), name);
}

char *process_unixctl_path(const struct process_options *o)
{
    if (!o->unixctl) {
        return xasprintf("%s/%s.%ld.ctl", process_rundir(), o->compat_name, (long) getpid());
    }
    return strcmp(o->unixctl, "none") ? process_rundir_file(o->unixctl) : NULL;
}

void process_unlink_at_exit(const char *path)
{
    char *copy = xstrdup(path);
    pthread_mutex_lock(&files_lock);
    if (files_owner != getpid()) {
        files_owner = getpid();
        memset(files, 0, sizeof files);   /* A parent's files are not ours. */
        atexit(process_cleanup);
    }
    for (size_t i = 0; copy && i < MAX_FILES; i++) {
        char *nothing = NULL;
        if (__atomic_compare_exchange_n(&files[i], &nothing, copy, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            copy = NULL;
        }
    }
    pthread_mutex_unlock(&files_lock);
    free(copy);
}

void process_unlink_now(const char *path)
{
    unlink(path);
    pthread_mutex_lock(&files_lock);
    for (size_t i = 0; i < MAX_FILES; i++) {
        char *file = __atomic_load_n(&files[i], __ATOMIC_ACQUIRE);
        if (file && !strcmp(file, path)) {
            free(__atomic_exchange_n(&files[i], NULL, __ATOMIC_ACQ_REL));
            break;
        }
    }
    pthread_mutex_unlock(&files_lock);
}

/* Async-signal-safe. */
void process_cleanup(void)
{
    if (files_owner != getpid()) {
        return;
    }
    int saved_errno = errno;
    for (size_t i = 0; i < MAX_FILES; i++) {
        char *file = __atomic_exchange_n(&files[i], NULL, __ATOMIC_ACQ_REL);
        if (file) {
            unlink(file);
        }
    }
    errno = saved_errno;
}

static void fatal_signal(int signal_number)
{
    process_cleanup();
    raise(signal_number);   /* SA_RESETHAND: this time it kills. */
}

void process_handle_signals(void)
{
    static const int fatal[] = { SIGTERM, SIGINT, SIGHUP, SIGALRM };
    for (size_t i = 0; i < ARRAY_SIZE(fatal); i++) {
        struct sigaction sa = { .sa_handler = fatal_signal, .sa_flags = (int) SA_RESETHAND };
        struct sigaction before;
        /* What was ignored (nohup) or is handled by the program stays. */
        if (!sigaction(fatal[i], NULL, &before) && before.sa_handler == SIG_DFL) {
            sigaction(fatal[i], &sa, NULL);
        }
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);        /* A file at its limit is an error of write(), as a full disk is. */
}
