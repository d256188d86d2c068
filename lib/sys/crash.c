/* SPDX-License-Identifier: Apache-2.0 */
/* Crash reports: the signal, and where each frame of the stack was, to console and log file. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/log_sink.h"
#include "lib/sys/process.h"
#include "lib/sys/thread.h"

#if HAVE_UNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#endif

enum { MAX_FRAMES = 64, STACK_BYTES = 65536, REPORT_SECONDS = 10 };

/* For the main thread, whose stack may be what overflowed. */
static char alternate_stack[STACK_BYTES];

static void PRINTF_LIKE(1, 2) say(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_sink_crash(line, MIN((size_t) MAX(n, 0), sizeof line - 1));
}

static void print_frames(void)
{
#if HAVE_UNWIND
    unw_context_t context;
    unw_cursor_t cursor;
    if (unw_getcontext(&context) || unw_init_local(&cursor, &context)) {
        return;
    }
    for (int i = 0; i < MAX_FRAMES && unw_step(&cursor) > 0; i++) {
        unw_word_t ip = 0, offset = 0;
        char name[256];
        unw_get_reg(&cursor, UNW_REG_IP, &ip);
        if (unw_get_proc_name(&cursor, name, sizeof name, &offset)) {
            strcpy(name, "?");
        }
        say("  %2d 0x%012llx %s+0x%llx\n", i, (unsigned long long) ip, name,
            (unsigned long long) offset);
    }
#endif
}

static void crashed(int number, siginfo_t *info, void *context)
{
    /* SA_RESETHAND: a second fault, or the raise() below, kills. Should walking the stack wait
     * for a lock that the fault has left taken, the alarm kills. */
    signal(SIGALRM, SIG_DFL);
    alarm(REPORT_SECONDS);
    say("process %ld, thread \"%s\": signal %d (%s), address %p; the stack was:\n",
        (long) getpid(), *thread_name() ? thread_name() : "main", number, strsignal(number),
        number == SIGABRT ? NULL : info->si_addr);
    print_frames();
    process_cleanup();
    raise(number);
}

void process_crash_reports(void)
{
    stack_t stack = { .ss_sp = alternate_stack, .ss_size = sizeof alternate_stack };
    sigaltstack(&stack, NULL);
    static const int faults[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
    struct sigaction sa = { .sa_sigaction = crashed };
    sa.sa_flags = (int) (SA_SIGINFO | SA_RESETHAND | SA_ONSTACK | SA_NODEFER);
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        sigaction(faults[i], &sa, NULL);
    }
}
