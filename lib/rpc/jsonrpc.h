/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 1.0 sessions over streams: the base of OVSDB and of the control socket.
 *
 * What: a linear framer finds where each JSON document ends (limits: 64 MB a document, 64
 * levels), jansson parses it. Output is queued; the owner sees how much is waiting and decides
 * (back-pressure). Addresses: unix:FILE, tcp:HOST:PORT (active); punix:FILE, ptcp:PORT[:HOST]
 * (passive).
 *
 * Echo requests arrive like any other; the owner answers them. Bytes that are no JSON-RPC close
 * the session.
 *
 * Threads: everything belongs to one loop. Memory: received messages are lent to the callback. */
#ifndef LIB_RPC_JSONRPC_H
#define LIB_RPC_JSONRPC_H

#include <jansson.h>

#include "lib/base/types.h"

struct error;
struct loop;
struct stream;   /* lib/rpc/stream.h */

enum jsonrpc_type { JSONRPC_REQUEST, JSONRPC_NOTIFY, JSONRPC_REPLY, JSONRPC_ERROR };

struct jsonrpc_message {
    enum jsonrpc_type type;
    const char *method;      /* Requests and notifications. */
    json_t *params;          /* Array; requests and notifications. */
    json_t *result;          /* Replies. */
    json_t *error;           /* Errors. */
    json_t *id;              /* All but notifications. */
};

struct jsonrpc;

struct jsonrpc_callbacks {
    void (*message)(struct jsonrpc *, const struct jsonrpc_message *, void *arg);
    /* The session ended: 'e', which is lent, says why (NULL: the peer closed). Destroy it here
     * or later. */
    void (*closed)(struct jsonrpc *, struct error *e, void *arg);
    /* The output queue fell to empty. May be NULL. */
    void (*drained)(struct jsonrpc *, void *arg);
};

/* Takes 'stream'. */
struct jsonrpc *jsonrpc_create(struct loop *, struct stream *, const struct jsonrpc_callbacks *,
                               void *arg);
void jsonrpc_destroy(struct jsonrpc *);   /* May be called in its callbacks. */

/* Each takes its json arguments. */
void jsonrpc_send_request(struct jsonrpc *, const char *method, json_t *params, json_t *id);
void jsonrpc_send_notify(struct jsonrpc *, const char *method, json_t *params);
void jsonrpc_send_reply(struct jsonrpc *, json_t *result, json_t *id);
void jsonrpc_send_error(struct jsonrpc *, json_t *error, json_t *id);
/* A whole message that was serialised already (one change shared by many monitors). */
void jsonrpc_send_text(struct jsonrpc *, const char *text, size_t n);
/* Longest document in bytes, if less than the 64 MB of the framer. */
void jsonrpc_set_max_document(struct jsonrpc *, size_t bytes);
size_t jsonrpc_queued_bytes(const struct jsonrpc *);
const char *jsonrpc_name(const struct jsonrpc *);
/* Sends "echo" when nothing came for 'ms', closes when nothing came for another 'ms'; 0: never
 * (default). */
void jsonrpc_set_probe_ms(struct jsonrpc *, int ms);
/* Stops reading while the owner is busy, then goes on. */
void jsonrpc_pause(struct jsonrpc *, bool paused);

#endif
