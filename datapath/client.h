/* SPDX-License-Identifier: Apache-2.0 */
/* The control plane's side of the datapath channel: all that ofproto and vswitchd see of the datapath.
 *
 * What: requests over a SOCK_SEQPACKET channel, answers, notifications, the upcall ring and the counters in shared
 * memory (MECHANISMS 3 and 4). The other side is a thread of this process or tsuji-datapathd; the code
 * cannot tell. No pointer crosses.
 *
 * Threads: a client has a reader thread of its own. Requests may be sent from any thread. Those marked *waits* block
 * the caller until the answer, at most DP_ANSWER_MS (then ETIMEDOUT, "datapath not answering"); the others are
 * queued and return at once. Order is kept: requests take effect in the order in which one thread sent them.
 * Upcalls are taken by handler threads with dp_upcall_*().
 *
 * Memory: strings and lists are copied; what is given back says so. */
#ifndef DATAPATH_CLIENT_H
#define DATAPATH_CLIENT_H

#include "lib/base/smap.h"
#include "lib/base/types.h"
#include "lib/flow/action.h"
#include "lib/flow/key.h"
#include "spec/drops.h"

struct error;
struct json_t;
struct text;

enum { DP_ANSWER_MS = 2000, DP_PORT_NONE = 0xffffffff };

struct dp_client;

/* Events, called from the reader thread; they only note and wake (loop_post). */
struct dp_events {
    void (*connected)(void *arg);      /* Hello done. Ports and flows of an earlier control plane may be there. */
    void (*disconnected)(void *arg);   /* The client goes on trying, every 100 ms to 1 s. */
    void (*port_changed)(uint32_t port_no, void *arg);   /* State, MTU, MAC, attachment: read dp_port_get(). */
    void (*upcalls)(void *arg);        /* The ring has records. May be NULL when handlers poll the fd. */
};

/* 'path' is the datapath's socket. */
struct error *dp_client_connect(const char *path, const struct dp_events *, void *arg, struct dp_client **);
/* For the embedded form: takes the other end of a socketpair that a datapath serves. */
struct error *dp_client_from_fd(int fd, const struct dp_events *, void *arg, struct dp_client **);
/* A client that may only look (statistics, dumps, routes, dp_sync()); ENOTCONN if there is no datapath at 'path'. */
struct error *dp_client_observe(const char *path, struct dp_client **);
void dp_client_destroy(struct dp_client *);
bool dp_client_is_connected(const struct dp_client *);

/* Waits until everything requested before, by any thread, has been carried out and no worker can still use what it
 * replaced: what barriers and the test commands stand on. *waits* */
struct error *dp_sync(struct dp_client *);

/* ---- Datapath-wide ---- */
struct dp_config {
    uint32_t n_workers;              /* 1 .. 64 */
    uint64_t cpu_mask;               /* 0: no binding. */
    uint32_t flow_limit;
    bool hold;                       /* While set, workers keep misses pending (flow-restore-wait). */
};
struct error *dp_configure(struct dp_client *, const struct dp_config *);                      /* *waits* */

struct dp_stats {
    uint64_t n_hit, n_cache_hit, n_missed, n_lost;   /* Lookups that hit (exact-cache hits among them), missed, ... */
    uint64_t n_mask_probes;
    uint32_t n_flows, n_masks, n_pending, n_ports;
    uint64_t received, made, sent, consumed;         /* Accounting (MECHANISMS 9). */
    uint64_t drops[DROP_N];
};
struct error *dp_get_stats(struct dp_client *, struct dp_stats *);                             /* *waits* */

/* ---- Ports ---- */
struct dp_port_config {
    char *name;                      /* Device name, or the name of a tunnel carrier. */
    char *type;                      /* "system", "tap", "internal", "dummy", "null", "vxlan". */
    uint32_t port_no;                /* Wanted number, DP_PORT_NONE: any. Numbers are not reused soon. */
    struct smap options;             /* Of the carrier: dst_port. Of others: n_rxq ... */
    struct eth_addr mac;             /* internal: wanted address; zero: chosen. */
    uint32_t mtu;                    /* 0: as it is. */
    int admin_up;                    /* -1: as it is, 0 down, 1 up. internal ports. */
    uint32_t worker;                 /* DP_PORT_NONE: spread. */
};
struct dp_port_state {
    uint32_t port_no;
    char name[32], type[16];
    bool attached;                   /* The device exists and we have it. */
    char error[160];                 /* Why not. Empty if attached. */
    bool admin_up, link_up;
    uint32_t ifindex, mtu;
    uint64_t link_resets;
    int64_t link_speed_bps;          /* -1: unknown. */
    bool full_duplex;
    struct eth_addr mac;
    char driver[32];
};
struct dp_port_stats {
    uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped;
    uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
    uint64_t collisions, rx_crc_err, rx_frame_err, rx_over_err, rx_missed_errors, multicast;
    uint64_t drops[DROP_N];          /* By reason, of packets that came in here. */
};

/* A device that is missing is no error: the port exists, 'attached' false, and is attached when it appears.
 * A bad type, name in use, or taken UDP port is an error. *waits* */
struct error *dp_port_add(struct dp_client *, const struct dp_port_config *, uint32_t *port_no);
struct error *dp_port_set(struct dp_client *, uint32_t port_no, const struct dp_port_config *);   /* *waits* */
struct error *dp_port_del(struct dp_client *, uint32_t port_no);                               /* *waits* */
struct error *dp_port_get(struct dp_client *, uint32_t port_no, struct dp_port_state *);       /* *waits* */
struct error *dp_port_get_stats(struct dp_client *, uint32_t port_no, struct dp_port_stats *); /* *waits* */
/* All ports, with the configuration they were added with, for taking over after a restart. Caller frees both arrays
 * (dp_port_config_fini() each). *waits* */
struct error *dp_port_dump(struct dp_client *, struct dp_port_state **, struct dp_port_config **, size_t *n);
void dp_port_config_init(struct dp_port_config *);
void dp_port_config_fini(struct dp_port_config *);
void dp_port_config_clone(struct dp_port_config *to, const struct dp_port_config *from);
bool dp_port_config_equal(const struct dp_port_config *, const struct dp_port_config *);
/* For tests: a frame into a dummy port; its link state; what it sent is in its pcap option. *waits* */
struct error *dp_dummy_receive(struct dp_client *, const char *name, const void *frame, size_t n);
struct error *dp_dummy_set_admin(struct dp_client *, const char *name, bool up);
/* The network's route and MTU to 'remote', as the datapath's sockets see it, for status and "ovs/route/show". *waits* */
struct error *dp_route_lookup(struct dp_client *, const struct in6_addr *remote, char ifname[32],
                              struct in6_addr *source, struct in6_addr *gateway, uint32_t *mtu);

/* ---- Flows ---- */
/* A flow is named by an id that its creator chose (never 0). Its counters lie in shared memory at 'slot', which the
 * creator chose too (0 .. DP_MAX_FLOWS - 1, free again once dp_flow_del() was confirmed by dp_sync()). */
enum { DP_MAX_FLOWS = 1 << 20 };

/* Installs or replaces flow 'id', releasing packets that were pending for this key. 'seq' increases with every change of
 * a flow; the datapath ignores older ones. Failure (limit, bad action) is counted and told to 'failed', in the reader
 * thread; may be NULL. */
void dp_flow_put(struct dp_client *, uint64_t id, uint32_t slot, uint64_t seq, const struct key *,
                 const struct mask *, const struct action_list *);
void dp_flow_del(struct dp_client *, uint64_t id, uint64_t seq);
void dp_flow_flush(struct dp_client *);
void dp_set_flow_failed(struct dp_client *, void (*failed)(uint64_t id, int errno_value, void *arg), void *arg);

struct dp_flow_counters { uint64_t packets, bytes; int64_t used_ms; uint16_t tcp_flags; };
/* From shared memory, no waiting; for a slot just put: zeros. 'used_ms' is clock_ms() time, 0: never. */
void dp_flow_get_counters(struct dp_client *, uint32_t slot, struct dp_flow_counters *);

struct dp_flow {
    uint64_t id, seq;
    uint32_t slot;
    struct key key;
    struct mask mask;
    struct action_list actions;
    struct dp_flow_counters counters;
};
/* Calls 'each' for every flow ('flow' is lent). *waits*, for each of several messages. */
struct error *dp_flow_dump(struct dp_client *, void (*each)(const struct dp_flow *, void *arg), void *arg);

/* ---- Packets ---- */
/* Runs 'actions' on a frame whose metadata is in 'key' (in_port, tunnel, mark). Sends packet-outs and the like. If
 * 'pending_id' is not 0, the frame is the pending packet of that upcall (its bytes stay in the datapath; 'frame' is NULL)
 * and it is released through these actions. */
void dp_execute(struct dp_client *, uint64_t pending_id, const struct key *, const void *frame, size_t n,
                const struct action_list *);

/* ---- Upcalls ---- */
enum { DP_UPCALL_HEADER_BYTES = 128 };
struct dp_upcall {
    uint64_t id;                     /* Of the pending chain; 0 if nothing is pending (UPCALL_ACTION copies). */
    enum upcall_reason reason;
    uint64_t cookie;                 /* Of ACTION_USERSPACE. */
    struct key key;
    uint32_t packet_len;             /* Whole frame; more than DP_UPCALL_HEADER_BYTES: fetch the rest if needed. */
    uint32_t n_header;
    uint32_t gso_size;               /* Not 0: a GSO packet, which dp_upcall_fetch() gives segmented. */
    int64_t received_ms;
    uint8_t header[DP_UPCALL_HEADER_BYTES];
};
/* Readable when the ring has records. */
int dp_upcall_fd(const struct dp_client *);
/* Takes at most 'max' records, returns how many. One thread at a time. */
size_t dp_upcall_recv(struct dp_client *, struct dp_upcall *, size_t max);
/* The whole bytes of an upcall's (first) packet, segmented: calls 'each' for each frame. *waits* */
struct error *dp_upcall_fetch(struct dp_client *, const struct dp_upcall *,
                              void (*each)(const void *frame, size_t n, void *arg), void *arg);
/* Every upcall ends in one of: dp_flow_put() of a flow that covers its key; dp_execute() with its id; this one,
 * which drops what is pending under 'reason'. */
void dp_upcall_drop(struct dp_client *, const struct dp_upcall *, enum drop reason);
struct dp_upcall_stats { uint64_t n_records, n_lost_ring, n_lost_quota, n_expired; uint32_t n_waiting; };
void dp_upcall_get_stats(struct dp_client *, struct dp_upcall_stats *);

#endif
