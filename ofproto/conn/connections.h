/* SPDX-License-Identifier: Apache-2.0 */
/* All OpenFlow connections of one bridge: controllers with back-off, services, snoopers; roles; asynchronous messages.
 *
 * Threads: main loop. */
#ifndef OFPROTO_CONN_CONNECTIONS_H
#define OFPROTO_CONN_CONNECTIONS_H

#include "ofproto/conn/conn.h"

struct connections;

enum { CONNECTIONS_MAX_SERVICE = 256 };   /* More are closed at once, with a log line. */

struct controller_target {
    const char *target;
    unsigned max_backoff_ms, probe_ms;     /* probe_ms 0: never */
    unsigned rate_limit, burst_limit;
};

/* Opens <rundir>/<bridge>.mgmt and .snoop. */
struct error *connections_create(struct of_switch *, struct loop *, const char *rundir, struct connections **);
void connections_destroy(struct connections *);

/* Replaces the set of targets; those that stay keep their connections. Errors name bad targets; the rest is set. */
struct error *connections_set(struct connections *, const struct controller_target *, size_t n);
/* Closes every connection that speaks a version not allowed any more. */
void connections_versions_changed(struct connections *);
/* Are there controllers (not services) in the set? Is one connected, and since when is none (clock_ms(), 0: one is)? */
bool connections_have_controllers(const struct connections *);
bool connections_have_live_controller(const struct connections *, int64_t *down_since_ms);
/* Does a connection want table misses as OpenFlow 1.0 to 1.2 have it? */
bool connections_want_misses(const struct connections *);

struct connection_status {
    const char *target;
    bool is_connected;
    enum ofp_role role;
    const char *state, *last_error;
    int64_t connected_ms, disconnected_ms;     /* clock_ms(); 0: never */
};
void connections_each_status(const struct connections *, void (*each)(const struct connection_status *, void *arg), void *arg);

/* Asynchronous messages to all who want them. */
void connections_port_status(struct connections *, uint8_t reason, const struct ofp_phy_port *, const struct conn *but);
void connections_flow_removed(struct connections *, const struct rule *, uint8_t reason);
void connections_packet_in(struct connections *, const struct ofp_packet_in *, uint16_t controller_id, bool is_miss_rule);

/* For conn.c. */
void connections_conn_agreed(struct connections *, struct conn *);
void connections_conn_closed(struct connections *, struct conn *, const char *why);
void connections_snoop(struct connections *, const void *messages, size_t n);
struct error *connections_set_role(struct connections *, struct conn *, const struct ofp_role_request *,
                                   struct ofp_role_request *reply);

#endif
