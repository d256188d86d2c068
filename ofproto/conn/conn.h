/* SPDX-License-Identifier: Apache-2.0 */
/* One OpenFlow connection: negotiation, framing, what the peer asked for, sending.
 *
 * What: takes a connected stream, agrees on a version by HELLO, cuts messages, and hands each to conn_request().
 * A barrier stops the reading until it is answered, so order is kept.
 *
 * Threads: main loop. Memory: conn_destroy() may be called at any time, also within its callbacks; barriers under way hold
 * the struct until they are answered. */
#ifndef OFPROTO_CONN_CONN_H
#define OFPROTO_CONN_CONN_H

#include "lib/base/list.h"
#include "lib/sys/loop.h"
#include "ofproto/conn/switch.h"

struct connections;
struct stream;

enum conn_kind {
    CONN_CONTROLLER,      /* We connected to it. */
    CONN_SERVICE,         /* It connected to us: asynchronous messages only once it set miss_send_len (trap 5). */
};

/* Beyond these, packet-ins are dropped and reading pauses. */
enum { CONN_MAX_QUEUED_ASYNC = 512 * 1024, CONN_MAX_QUEUED = 4 * 1024 * 1024 };

struct conn {
    struct list node;                   /* connections.conns */
    struct connections *owner;
    struct of_switch *sw;
    struct stream *stream;              /* NULL once closed. */
    enum conn_kind kind;
    char *name;
    enum ofp_version version;           /* 0 until agreed. */
    uint32_t next_xid;
    unsigned refs;

    enum ofp_role role;                 /* EQUAL, MASTER or SLAVE */
    struct ofp_async async;
    uint16_t miss_send_len;
    uint16_t controller_id;
    enum ofp_packet_in_format packet_in_format;
    bool nxm_flows;                     /* 1.0: the extensible match in what we send. */
    bool flow_mod_table_id;             /* 1.0: table numbers in flow mods. */
    bool invalid_ttl_to_controller;
    bool barrier_pending;               /* Nothing more is read until it is answered. */

    unsigned rate_limit, burst_limit;   /* Packet-ins a second; 0: no limit. */
    double tokens;
    int64_t tokens_ms;
    uint64_t n_packet_ins, n_packet_ins_dropped;

    unsigned probe_ms;
    bool probe_sent;
    struct loop_timer probe_timer;
    int64_t connected_ms;
};

/* Takes 'stream', which is connected or connecting. */
struct conn *conn_create(struct connections *, struct of_switch *, struct loop *, struct stream *, enum conn_kind);
void conn_destroy(struct conn *);
void conn_set_limits(struct conn *, unsigned rate_limit, unsigned burst_limit, unsigned probe_ms);

/* For answers that come later: the struct stays until conn_release(). conn_resume() goes on reading after a barrier. */
struct conn *conn_hold(struct conn *);
void conn_release(struct conn *);
void conn_resume(struct conn *);

/* Sends what 'messages' holds (whole messages). */
void conn_send(struct conn *, const struct buffer *messages);
void conn_send_error(struct conn *, struct error *, const struct ofp_header *offender);   /* Takes the error. */
/* May an asynchronous message of this kind be sent? 'masks' is a member of conn->async. */
bool conn_wants(const struct conn *, const uint32_t masks[2], unsigned reason);
/* One packet-in: rate limit, format, length. */
void conn_send_packet_in(struct conn *, const struct ofp_packet_in *);

/* request.c: executes one message; errors are answered. */
void conn_request(struct conn *, const struct ofp_header *);
/* request_stats.c: multipart requests; NULL or the error. */
struct error *conn_multipart(struct conn *, const struct ofp_header *, bool *known);

#endif
