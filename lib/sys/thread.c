/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: named, registered with RCU, with signals blocked. */
#include "lib/sys/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/rcu.h"

struct start {
    void (*fn)(void *arg);
    void *arg;
    char name[16];
};

static __thread char own_name[16];   /* "" in the main thread. */

static void *run(void *start_)
{
    struct start start = *(struct start *) start_;
    free(start_);
    thread_set_name(start.name);
    rcu_register_thread();
    start.fn(start.arg);
    rcu_unregister_thread();
    return NULL;
}

struct error *thread_start(pthread_t *thread, const char *name, void (*fn)(void *arg), void *arg)
{
    struct start *start = xmalloc(sizeof *start);
    *start = (struct start) { .fn = fn, .arg = arg };
    snprintf(start->name, sizeof start->name, "%s", name);

    /* Signals are the main thread's, except those that a fault of the thread itself raises. */
    sigset_t blocked, before;
    sigfillset(&blocked);
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF };
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        sigdelset(&blocked, own[i]);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int error = pthread_create(thread, NULL, run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(start);
        return error_errno(error, "thread \"%s\" cannot be started", name);
    }
    return NULL;
}

void thread_join(pthread_t thread)
{
    pthread_join(thread, NULL);
}

int thread_bind(const uint64_t *mask, size_t n_words)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    for (size_t cpu = 0; cpu < n_words * 64 && cpu < CPU_SETSIZE; cpu++) {
        if (mask[cpu / 64] >> (cpu % 64) & 1) {
            CPU_SET(cpu, &cpus);
        }
    }
    return pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
}

void thread_set_name(const char *name)
{
    snprintf(own_name, sizeof own_name, "%s", name);
    pthread_setname_np(pthread_self(), own_name);
}

const char *thread_name(void)
{
    return own_name;
}
