/* SPDX-License-Identifier: Apache-2.0 */
/* Byte streams by address: unix and TCP now, TLS later by the same names ("ssl:", "pssl:").
 *
 * Non-blocking, buffered (libevent bufferevents), each belongs to one loop. */
#ifndef LIB_RPC_STREAM_H
#define LIB_RPC_STREAM_H

#include "lib/base/types.h"

struct error;
struct loop;
struct stream;
struct stream_listener;

struct stream_callbacks {
    void (*connected)(struct stream *, void *arg);   /* Active ones; may be NULL. */
    void (*readable)(struct stream *, void *arg);
    void (*drained)(struct stream *, void *arg);     /* Output fell to empty; may be NULL. */
    void (*closed)(struct stream *, int errno_value, void *arg);   /* 0: the peer closed. */
};

/* "unix:FILE", "tcp:HOST:PORT" ("tcp:[::1]:6653"); a missing port is 'default_port'. Relative files are below
 * the run directory. Connecting goes on in the background; failures arrive at closed(). */
struct error *stream_open(struct loop *, const char *address, uint16_t default_port, struct stream **);
bool stream_address_is_valid(const char *address, bool passive, struct error **why);
struct stream *stream_from_fd(struct loop *, int fd, const char *name);   /* Takes 'fd', connected. */
void stream_set_callbacks(struct stream *, const struct stream_callbacks *, void *arg);
void stream_destroy(struct stream *);
const char *stream_name(const struct stream *);
bool stream_is_connected(const struct stream *);

/* Received bytes: look at all of them in one piece, then drop what was used. */
const uint8_t *stream_peek(struct stream *, size_t *n);
void stream_consume(struct stream *, size_t n);
void stream_send(struct stream *, const void *, size_t n);   /* Copies. */
size_t stream_queued_bytes(const struct stream *);
void stream_pause(struct stream *, bool paused);             /* Stops reading. */

/* "punix:FILE", "ptcp:PORT[:HOST]". Port 0: the kernel chooses; the log says which
 * ("... listening on port N"). 'accepted' takes the stream. */
struct error *stream_listen(struct loop *, const char *address, uint16_t default_port,
                            void (*accepted)(struct stream *, void *arg), void *arg,
                            struct stream_listener **);
void stream_listener_destroy(struct stream_listener *);
uint16_t stream_listener_port(const struct stream_listener *);   /* 0 for unix. */

#endif
