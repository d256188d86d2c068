/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between our own parts: SOCK_SEQPACKET, at most CHANNEL_MAX_MESSAGE bytes and
 * CHANNEL_MAX_FDS descriptors each (MECHANISMS 4). Not libevent's buffers: these would cut a
 * message.
 *
 * All calls are non-blocking; EAGAIN is back-pressure. */
#ifndef LIB_SYS_CHANNEL_H
#define LIB_SYS_CHANNEL_H

#include <sys/types.h>

#include "lib/base/types.h"

enum { CHANNEL_MAX_MESSAGE = 32768, CHANNEL_MAX_FDS = 4 };

struct error;

int channel_pair(int fds[2]);                              /* 0 or an errno. */
struct error *channel_listen(const char *path, int *fd);   /* Removes a stale socket file first. */
struct error *channel_connect(const char *path, int *fd);
int channel_accept(int listen_fd, int *fd);                /* 0 or an errno. */
/* Credentials of the peer. */
int channel_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid);

/* Sends one message (of 'n' <= CHANNEL_MAX_MESSAGE bytes). 0 or an errno: EAGAIN, EPIPE, ... */
int channel_send(int fd, const void *message, size_t n, const int *fds, size_t n_fds);
/* Receives one message into 'buf' of CHANNEL_MAX_MESSAGE bytes. 0 with *n > 0; EAGAIN; EPIPE at
 * the end; EMSGSIZE if it was cut. Received descriptors are the caller's. */
int channel_recv(int fd, void *buf, size_t *n, int fds[CHANNEL_MAX_FDS], size_t *n_fds);

#endif
