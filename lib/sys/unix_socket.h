/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets by path, non-blocking and close-on-exec. Paths longer than the 107 bytes of a
 * socket address are reached through their folder's descriptor. */
#ifndef LIB_SYS_UNIX_SOCKET_H
#define LIB_SYS_UNIX_SOCKET_H

#include <sys/types.h>

#include "lib/base/types.h"

struct error;

/* 'type' is SOCK_STREAM or SOCK_SEQPACKET. The socket file has mode 0770 less the umask. A file
 * that a dead process left is removed first; if a process listens there, or if it is no socket,
 * that is an error. */
struct error *unix_listen(const char *path, int type, int *fd);
struct error *unix_connect(const char *path, int type, int *fd);
/* Credentials of the peer at the time it connected. 0 or an errno. */
int unix_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid);

#endif
