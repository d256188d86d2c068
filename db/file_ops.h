/* SPDX-License-Identifier: Apache-2.0 */
/* The operating system's file calls that the journal makes, in one place, so that tests can make the
 * Nth of them fail. Each returns what the call of that name returns, with errno. */
#ifndef DB_FILE_OPS_H
#define DB_FILE_OPS_H

#include <sys/types.h>

struct file_ops {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *, size_t n);
    ssize_t (*pread)(int fd, void *, size_t n, off_t offset);
    int (*fsync)(int fd);
    int (*ftruncate)(int fd, off_t size);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*close)(int fd);
};

extern const struct file_ops file_ops_system;

#endif
