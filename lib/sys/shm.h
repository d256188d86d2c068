/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory between datapath and control plane: memfds, sealed against resize before they
 * are passed (MECHANISMS 3), so that a peer cannot make us fault by shrinking them. */
#ifndef LIB_SYS_SHM_H
#define LIB_SYS_SHM_H

#include "lib/base/types.h"

struct error;

/* A new zeroed segment of 'size' bytes (rounded up to pages), sealed against resize and mapped
 * writable at '*p'. */
struct error *shm_create(const char *name, size_t size, int *fd, void **p);
/* Seals what is left before 'fd' is passed on: no more seals, and with 'read_only' no new
 * writable mapping (the existing one stays). */
struct error *shm_seal(int fd, bool read_only);
/* Maps a received descriptor; refuses one whose size is not 'size' or that lacks the seals. */
struct error *shm_map(int fd, size_t size, bool writable, void **p);
void shm_unmap(void *p, size_t size);

#endif
