/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of streams, from text. For the stream files only. */
#ifndef LIB_RPC_STREAM_ADDRESS_H
#define LIB_RPC_STREAM_ADDRESS_H

#include <sys/socket.h>

#include "lib/base/types.h"

struct error;

struct stream_address {
    char *path;                      /* Of a unix socket; NULL: it is TCP. */
    struct sockaddr_storage sa;
    socklen_t sa_len;
};

/* Fills in 'out' (its path is the caller's to free) or says what is wrong. */
struct error *stream_address_parse(const char *address, bool passive, uint16_t default_port,
                                   struct stream_address *out);
/* "tcp:HOST:PORT". Caller frees. */
char *stream_address_format(const struct sockaddr_storage *);

#endif
