/* SPDX-License-Identifier: Apache-2.0 */
/* Pid files: one decimal number and a line feed, locked with fcntl() for as long as the process
 * lives. Clients compare the lock's owner with the number, so a file that a dead process left is
 * recognised. */
#ifndef LIB_SYS_PIDFILE_H
#define LIB_SYS_PIDFILE_H

#include <sys/types.h>

#include "lib/base/types.h"

struct error;

/* Writes and locks this process's pid file. One that a live process holds is an error unless
 * 'overwrite'. The process must not open and close the file again: that would give up the lock. */
struct error *pidfile_create(const char *path, bool overwrite);
/* The live process that holds it; an error if there is none. */
struct error *pidfile_read(const char *path, pid_t *);

#endif
