/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with descriptors over SOCK_SEQPACKET. */
#include "lib/sys/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/sys/unix_socket.h"

enum { SEND_BUFFER = 1 << 20 };   /* Bytes; the kernel's default holds six messages only. */

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * CHANNEL_MAX_FDS)];
};

static void grow_buffer(int fd)
{
    int size = SEND_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);   /* As much as is allowed. */
    }
}

int channel_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds)) {
        return errno;
    }
    grow_buffer(fds[0]);
    grow_buffer(fds[1]);
    return 0;
}

struct error *channel_listen(const char *path, int *fd)
{
    return unix_listen(path, SOCK_SEQPACKET, fd);
}

struct error *channel_connect(const char *path, int *fd)
{
    struct error *e = unix_connect(path, SOCK_SEQPACKET, fd);
    if (!e) {
        grow_buffer(*fd);
    }
    return e;
}

int channel_accept(int listen_fd, int *fd)
{
    *fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (*fd < 0) {
        return errno;
    }
    grow_buffer(*fd);
    return 0;
}

int channel_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
    return unix_peer(fd, uid, gid, pid);
}

int channel_send(int fd, const void *message, size_t n, const int *fds, size_t n_fds)
{
    if (!n || n > CHANNEL_MAX_MESSAGE || n_fds > CHANNEL_MAX_FDS) {
        return EMSGSIZE;
    }
    struct iovec iov = { (void *) message, n };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    union control control;
    if (n_fds) {
        memset(&control, 0, sizeof control);
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
    }
    ssize_t sent;
    do {
        sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 ? 0 : errno == ECONNRESET ? EPIPE : errno;
}

/* Takes the descriptors out of a received message. */
static void take_fds(struct msghdr *msg, int fds[CHANNEL_MAX_FDS], size_t *n_fds)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (*n_fds < CHANNEL_MAX_FDS) {
                fds[(*n_fds)++] = fd;
            } else {
                close(fd);   /* The padding of 'union control' may let one more in. */
            }
        }
    }
}

int channel_recv(int fd, void *buf, size_t *n, int fds[CHANNEL_MAX_FDS], size_t *n_fds)
{
    struct iovec iov = { buf, CHANNEL_MAX_MESSAGE };
    union control control;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                          .msg_controllen = sizeof control };
    *n = *n_fds = 0;
    ssize_t got;
    do {
        got = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == ECONNRESET ? EPIPE : errno;
    }
    take_fds(&msg, fds, n_fds);
    int error = msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? EMSGSIZE : got ? 0 : EPIPE;
    if (error) {
        while (*n_fds) {
            close(fds[--*n_fds]);
        }
        return error;
    }
    *n = (size_t) got;
    return 0;
}
