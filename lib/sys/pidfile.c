/* SPDX-License-Identifier: Apache-2.0 */
/* Pid files with a lock. */
#include "lib/sys/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"

static struct flock whole_file(void)
{
    return (struct flock) { .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

/* Makes the file under 'temporary', a name of our own, locked. */
static struct error *make_temporary(const char *temporary, const char *path, int *fd)
{
    *fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (*fd < 0) {
        return error_errno(errno, "pid file \"%s\" cannot be made", path);
    }
    struct flock lock = whole_file();
    if (fcntl(*fd, F_SETLK, &lock) || dprintf(*fd, "%ld\n", (long) getpid()) < 0) {
        struct error *e = error_errno(errno, "pid file \"%s\"", path);
        close(*fd);
        unlink(temporary);
        return e;
    }
    return NULL;
}

struct error *pidfile_create(const char *path, bool overwrite)
{
    char *temporary = xasprintf("%s.tmp%ld", path, (long) getpid());
    int fd;
    struct error *e = make_temporary(temporary, path, &fd);
    if (e) {
        free(temporary);
        return e;
    }
    /* link() fails if the file is there, so of two that start at the same time one loses. */
    for (int attempt = 0; !overwrite && link(temporary, path); attempt++) {
        pid_t owner;
        struct error *why_dead = errno == EEXIST && attempt < 8
            ? pidfile_read(path, &owner) : error_errno(errno, "pid file \"%s\"", path);
        if (!why_dead) {
            e = error_new(EEXIST, "pid file \"%s\": process %ld is running already", path,
                          (long) owner);
            break;
        }
        bool gone = error_code(why_dead) == ESRCH || error_code(why_dead) == ENOENT;
        if (!gone) {
            e = why_dead;
            break;
        }
        error_free(why_dead);
        unlink(path);
    }
    if (!e && overwrite && rename(temporary, path)) {
        e = error_errno(errno, "pid file \"%s\" cannot be replaced", path);
    }
    if (e || !overwrite) {
        unlink(temporary);
    }
    if (e) {
        close(fd);
    }
    free(temporary);
    return e;   /* 'fd' stays open, and locked, for ever. */
}

struct error *pidfile_read(const char *path, pid_t *pid)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(errno, "cannot read pid file \"%s\"", path);
    }
    struct error *e = NULL;
    char line[32];
    struct flock lock = whole_file();
    uint64_t number;
    ssize_t n = read(fd, line, sizeof line - 1);
    if (n < 0 || fcntl(fd, F_GETLK, &lock)) {
        e = error_errno(errno, "cannot read pid file \"%s\"", path);
    } else {
        line[n] = '\0';
        line[strcspn(line, "\r\n")] = '\0';
        if (lock.l_type == F_UNLCK) {
            e = error_new(ESRCH, "pid file \"%s\" is stale: no process holds it", path);
        } else if (!parse_uint(line, 1, INT32_MAX, &number)
                   || (lock.l_pid && lock.l_pid != (pid_t) number)) {
            e = error_new(EINVAL, "pid file \"%s\" is held by process %ld but says \"%s\"", path,
                          (long) lock.l_pid, line);
        } else {
            *pid = (pid_t) number;
        }
    }
    close(fd);
    return e;
}
