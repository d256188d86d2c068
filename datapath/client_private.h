/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the client share: the connection (client.c) and the requests (client_calls.c). */
#ifndef DATAPATH_CLIENT_PRIVATE_H
#define DATAPATH_CLIENT_PRIVATE_H

#include <pthread.h>

#include "datapath/ring.h"
#include "datapath/wire.h"
#include "lib/base/list.h"

struct dp_client {
    struct dp_events events;
    void *arg;
    char *path;                        /* NULL: of a descriptor; no second try. */
    bool observer;
    pthread_t reader;
    int wake_fd;                       /* For the reader: there is something to send, or it shall stop. */
    int upcall_fd;                     /* An epoll descriptor that holds the datapath's event descriptor. */

    pthread_mutex_t lock;
    pthread_cond_t changed;            /* An answer came, there is room again, or the connection is up or down. */
    int fd;                            /* -1: none. */
    bool connected, stop, tried, broken;
    uint32_t next_xid;
    struct list waiting;               /* Transactions. */
    struct list out;                   /* Messages that found the socket full. */
    uint32_t n_out;
    void (*flow_failed)(uint64_t id, int errno_value, void *arg);
    void *flow_failed_arg;

    pthread_mutex_t map_lock;          /* Of what follows, and of taking records. */
    const struct ring_out *map_out;    /* Kept after a disconnect, so that counters stay readable. */
    struct ring_in *map_in;
    int event_fd;
    uint64_t tail;
};

/* Sends a message that was begun by wire_begin() and waits for its answer, which is parsed into 'm' and lies in 'answer'
 * (initialised by this, the caller's to free). Sets the request's number. */
struct error *client_transact(struct dp_client *, struct buffer *request, struct buffer *answer, struct wire_message *m);
/* The same for requests whose answer says only whether it failed. */
struct error *client_ask(struct dp_client *, struct buffer *request);
/* Sends without waiting. Dropped if there is no connection. */
void client_post(struct dp_client *, struct buffer *request);

#endif
