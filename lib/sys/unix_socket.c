/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets by path. */
#include "lib/sys/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"

/* Fills in 'sun' for 'path'. '*dir_fd' is to be closed after use, or is -1. Returns 0 or an
 * errno. */
static int make_address(const char *path, struct sockaddr_un *sun, int *dir_fd)
{
    memset(sun, 0, sizeof *sun);
    sun->sun_family = AF_UNIX;
    *dir_fd = -1;
    if (strlen(path) < sizeof sun->sun_path) {
        strcpy(sun->sun_path, path);
        return 0;
    }
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return ENAMETOOLONG;
    }
    char *dir = xstrndup(path, (size_t) (slash - path));
    *dir_fd = open(*dir ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = *dir_fd < 0 ? errno : 0;
    free(dir);
    if (!error && snprintf(sun->sun_path, sizeof sun->sun_path, "/proc/self/fd/%d/%s", *dir_fd,
                           slash + 1) >= (int) sizeof sun->sun_path) {
        close(*dir_fd);
        *dir_fd = -1;
        error = ENAMETOOLONG;
    }
    return error;
}

/* Connects; returns 0 and '*fd', or an errno. */
static int try_connect(const char *path, int type, int *fd)
{
    struct sockaddr_un sun;
    int dir_fd, error = make_address(path, &sun, &dir_fd);
    if (error) {
        return error;
    }
    *fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0 || connect(*fd, (struct sockaddr *) &sun, sizeof sun)) {
        error = errno;
        if (*fd >= 0) {
            close(*fd);
        }
    }
    if (dir_fd >= 0) {
        close(dir_fd);
    }
    return error;
}

/* Makes room for a new socket file. */
static struct error *remove_stale(const char *path, int type)
{
    struct stat st;
    if (lstat(path, &st)) {
        return errno == ENOENT ? NULL : error_errno(errno, "socket \"%s\"", path);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return error_new(EEXIST, "socket \"%s\": a file that is no socket is in its place", path);
    }
    int fd, error = try_connect(path, type, &fd);
    if (!error) {
        close(fd);
    }
    if (!error || error == EAGAIN) {
        return error_new(EADDRINUSE, "socket \"%s\": another process listens there", path);
    }
    if (unlink(path) && errno != ENOENT) {
        return error_errno(errno, "socket \"%s\": the old one cannot be removed", path);
    }
    return NULL;
}

struct error *unix_listen(const char *path, int type, int *fd_out)
{
    struct error *e = remove_stale(path, type);
    if (e) {
        return e;
    }
    struct sockaddr_un sun;
    int dir_fd, error = make_address(path, &sun, &dir_fd);
    if (error) {
        return error_errno(error, "socket \"%s\"", path);
    }
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* The file takes the mode that the socket has before it is bound, so it is never too open. */
    if (fd < 0 || fchmod(fd, 0770) || bind(fd, (struct sockaddr *) &sun, sizeof sun)
        || listen(fd, 64)) {
        e = error_errno(errno, "listening on socket \"%s\"", path);
        if (fd >= 0) {
            close(fd);
        }
    } else {
        *fd_out = fd;
    }
    if (dir_fd >= 0) {
        close(dir_fd);
    }
    return e;
}

struct error *unix_connect(const char *path, int type, int *fd)
{
    int error = try_connect(path, type, fd);
    return error ? error_errno(error, "connecting to socket \"%s\"", path) : NULL;
}

int unix_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n)) {
        return errno;
    }
    *uid = cred.uid;
    *gid = cred.gid;
    *pid = cred.pid;
    return 0;
}
