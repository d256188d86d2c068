/* SPDX-License-Identifier: Apache-2.0 */
/* What the process uses of memory, and how jemalloc is set up. */
#include <stdio.h>
#include <unistd.h>

#if HAVE_JEMALLOC
#include <jemalloc/jemalloc.h>
#else
#include <malloc.h>
#endif

#include "lib/sys/process.h"

#if HAVE_JEMALLOC
/* jemalloc reads this before main(). Few threads allocate, so few arenas do; pages that were
 * freed go back to the kernel after a second, for a daemon that is small most of the time. */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0";
#endif

size_t process_resident_bytes(void)
{
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        if (fscanf(f, "%*u %zu", &pages) != 1) {
            pages = 0;
        }
        fclose(f);
    }
    return pages * (size_t) sysconf(_SC_PAGESIZE);
}

size_t process_allocated_bytes(void)
{
#if HAVE_JEMALLOC
    /* Statistics are taken when the epoch is advanced. */
    uint64_t epoch = 1;
    size_t bytes = 0, size = sizeof epoch;
    mallctl("epoch", &epoch, &size, &epoch, size);
    size = sizeof bytes;
    mallctl("stats.allocated", &bytes, &size, NULL, 0);
    return bytes;
#else
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}
