/* SPDX-License-Identifier: Apache-2.0 */
/* What the host knows of the way to a tunnel's remote: whether there is one, and its MTU, with what ICMP told it.
 *
 * Threads: path_query() any; a cache belongs to one worker. */
#ifndef DATAPATH_TUNNEL_PATH_H
#define DATAPATH_TUNNEL_PATH_H

#include <netinet/in.h>

#include "lib/base/types.h"

struct tunnel_key;

enum { PATH_CACHE_SIZE = 256, PATH_LIFE_MS = 1000, PATH_LIFE_NONE_MS = 100 };

/* Asks the kernel, by a socket that is connected but sends nothing. 'remote' may be a v4-mapped address. 0 or an
 * errno (ENETUNREACH: no route). */
int path_query(const struct in6_addr *remote, uint32_t *mtu);

struct path_cache {
    struct path_entry {
        struct in6_addr remote;
        int64_t until_ms;          /* 0: empty. */
        uint32_t mtu;              /* 0: no route. */
    } entries[PATH_CACHE_SIZE];    /* By hash; a newcomer replaces. */
};

/* MTU of the outer IP packet towards the key's destination; 0: no route. One query a second and remote; this is
 * the one system call of a worker that moves no packet. */
uint32_t path_mtu(struct path_cache *, const struct tunnel_key *, int64_t now_ms);
/* The kernel said that it was wrong. */
void path_forget(struct path_cache *, const struct tunnel_key *);

#endif
