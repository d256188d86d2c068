/* SPDX-License-Identifier: Apache-2.0 */
/* Byte streams by address: unix and TCP now, TLS later by the same names ("ssl:", "pssl:").
 *
 * Non-blocking and buffered, each belongs to one loop. The buffers are our own on a loop's
 * watch: libevent's bufferevents read 4,096 bytes at a time. What is sent leaves when the loop
 * comes round. Input that is not consumed is bounded at 128 MB; who sends looks at
 * stream_queued_bytes(). */
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
    /* 0: the peer closed. Any callback may destroy the stream. */
    void (*closed)(struct stream *, int errno_value, void *arg);
};

/* "unix:FILE", "tcp:HOST:PORT" ("tcp:[::1]:6653", addresses, not names); a missing port is
 * 'default_port'. Relative files are below the run directory. Connecting goes on in the
 * background; failures arrive at closed(). */
struct error *stream_open(struct loop *, const char *address, uint16_t default_port,
                          struct stream **);
/* Whether it can be parsed; otherwise '*why' (if 'why' is not NULL) is an error that the caller
 * frees. */
bool stream_address_is_valid(const char *address, bool passive, struct error **why);
/* Takes 'fd', connected. */
struct stream *stream_from_fd(struct loop *, int fd, const char *name);
void stream_set_callbacks(struct stream *, const struct stream_callbacks *, void *arg);
/* Sends what the socket still takes at once, then closes it. */
void stream_destroy(struct stream *);   /* NULL is fine. */
const char *stream_name(const struct stream *);
bool stream_is_connected(const struct stream *);

/* Received bytes: look at all of them in one piece, then drop what was used. */
const uint8_t *stream_peek(struct stream *, size_t *n);
void stream_consume(struct stream *, size_t n);
void stream_send(struct stream *, const void *, size_t n);   /* Copies. */
size_t stream_queued_bytes(const struct stream *);
void stream_pause(struct stream *, bool paused);             /* Stops reading. */

/* "punix:FILE", "ptcp:PORT[:HOST]". Port 0: the kernel chooses; the log says which ("...
 * listening on port N"). 'accepted' takes the stream. Without HOST it is 0.0.0.0. The socket
 * file is removed with the listener or the process. */
struct error *stream_listen(struct loop *, const char *address, uint16_t default_port,
                            void (*accepted)(struct stream *, void *arg), void *arg,
                            struct stream_listener **);
void stream_listener_destroy(struct stream_listener *);
uint16_t stream_listener_port(const struct stream_listener *);   /* 0 for unix. */

#endif
