/* SPDX-License-Identifier: Apache-2.0 */
/* The real file calls. */
#include "db/file_ops.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int open_mode(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

const struct file_ops file_ops_system = {
    .open = open_mode, .write = write, .pread = pread, .fsync = fsync, .ftruncate = ftruncate,
    .rename = rename, .unlink = unlink, .close = close,
};
