/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory segments: sealed memfds. */
#include "lib/sys/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010   /* Linux 5.1. */
#endif

enum { SIZE_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static size_t page_round(size_t size)
{
    return ROUND_UP(size, (size_t) sysconf(_SC_PAGESIZE));
}

struct error *shm_create(const char *name, size_t size, int *fd, void **p)
{
    size_t rounded = page_round(size);
    int new = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (new < 0) {
        return error_errno(errno, "shared memory \"%s\"", name);
    }
    struct error *e = NULL;
    void *mapped = MAP_FAILED;
    if (ftruncate(new, (off_t) rounded)) {
        e = error_errno(errno, "shared memory \"%s\" of %zu bytes", name, rounded);
    } else if ((mapped = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_SHARED, new, 0))
               == MAP_FAILED) {
        e = error_errno(errno, "mapping shared memory \"%s\" of %zu bytes", name, rounded);
    } else if (fcntl(new, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW)) {
        e = error_errno(errno, "sealing shared memory \"%s\"", name);
    }
    if (e) {
        if (mapped != MAP_FAILED) {
            munmap(mapped, rounded);
        }
        close(new);
        return e;
    }
    *fd = new;
    *p = mapped;
    return NULL;
}

struct error *shm_seal(int fd, bool read_only)
{
    if (fcntl(fd, F_ADD_SEALS, SIZE_SEALS | (read_only ? F_SEAL_FUTURE_WRITE : 0))) {
        return error_errno(errno, "sealing shared memory");
    }
    return NULL;
}

struct error *shm_map(int fd, size_t size, bool writable, void **p)
{
    size_t rounded = page_round(size);
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || fstat(fd, &st)) {
        return error_errno(errno, "received shared memory is no memfd");
    }
    if ((seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW)) {
        return error_new(EPERM, "received shared memory is not sealed against resize");
    }
    if ((size_t) st.st_size != rounded) {
        return error_new(EINVAL, "received shared memory has %lld bytes, %zu were expected",
                         (long long) st.st_size, rounded);
    }
    void *mapped = mmap(NULL, rounded, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        return error_errno(errno, "mapping %zu bytes of received shared memory", rounded);
    }
    *p = mapped;
    return NULL;
}

void shm_unmap(void *p, size_t size)
{
    if (p) {
        munmap(p, page_round(size));
    }
}
