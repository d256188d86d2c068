/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that wait for the control plane (MECHANISMS 3), of one worker.
 *
 * What: a *chain* holds the packets of one key that missed, oldest first, under an id that its upcall record carries; the
 * key is asked for once. Copies for the control plane (packet-ins and the like) that do not fit a record are chains
 * too, but found by id alone. Everything is bounded: chains, packets and bytes in all, for each key, and for each
 * *guard* (ingress port, tunnel id, outer VLAN), which may hold half of the chains that are free, and whose misses pass
 * a token bucket.
 *
 * Threads: of its worker. Only 'n_chains' and 'n_packets' are read by others (atomic).
 *
 * Invariants: N1 a chain is announced, or is on the list of those that are not; N2 announced chains are in order of time. */
#ifndef DATAPATH_PENDING_H
#define DATAPATH_PENDING_H

#include "datapath/lookup/flow_table.h"
#include "lib/base/list.h"
#include "lib/flow/action.h"
#include "lib/packet/packet.h"
#include "spec/drops.h"

enum {
    PENDING_CHAINS = 2048, PENDING_PACKETS = 4096, PENDING_BYTES = 16 << 20,      /* Of a worker. */
    PENDING_KEY_PACKETS = 4, PENDING_KEY_BYTES = 256 << 10,                       /* Of a key. */
    PENDING_TIMEOUT_MS = 2000, PENDING_BUCKETS = 4096, PENDING_GUARDS = 512, PENDING_MIN_SHARE = 8,
};

struct pending_guard {
    struct flow_guard_key key;
    uint32_t n_chains, hash;
    int64_t refilled_ms;
    uint64_t tokens;                 /* In thousandths. */
};

struct pending_chain {
    struct key key;
    uint64_t id, cookie;
    struct list node;                /* Of the list of announced or of unannounced ones. */
    struct pending_chain *next;      /* In its bucket, or among free ones. */
    struct packet *first, *last;
    int64_t announced_ms;
    uint64_t hash;                   /* Of the whole key. */
    uint32_t n_bytes;
    uint16_t guard;
    uint8_t n_packets, reason;       /* enum upcall_reason; UPCALL_MISS is found by key. */
    bool announced;
};

struct pending {
    struct pending_chain *chains;
    struct pending_chain *free;
    struct pending_chain *buckets[PENDING_BUCKETS];
    struct list announced, unannounced;
    struct pending_guard guards[PENDING_GUARDS];
    uint32_t n_used;                 /* Of 'chains': those beyond were never used. */
    uint32_t n_chains, n_packets;    /* Atomic. */
    uint64_t n_bytes, next_id;
    uint32_t rate, burst;            /* Of a guard's bucket, misses a second and misses. */
};

/* 'worker' is in the ids. */
struct pending *pending_create(uint32_t worker, uint32_t rate, uint32_t burst);
void pending_destroy(struct pending *);   /* It is empty. */

uint64_t pending_key_hash(const struct key *);
struct pending_chain *pending_find_key(const struct pending *, const struct key *, uint64_t hash);
struct pending_chain *pending_find_id(const struct pending *, uint64_t id);
/* A new chain without packets, not announced, or NULL and why not: DROP_UPCALL_QUOTA or DROP_PENDING_FULL. */
struct pending_chain *pending_add(struct pending *, const struct key *, uint64_t hash, enum upcall_reason, uint64_t cookie,
                                  int64_t now_ms, enum drop *);
/* Takes the packet if it returns true; false: DROP_PENDING_FULL. */
bool pending_append(struct pending *, struct pending_chain *, struct packet *);
void pending_set_announced(struct pending *, struct pending_chain *, int64_t now_ms);
/* All chains are to be announced again, oldest first. */
void pending_forget_announcements(struct pending *);
/* Ends the chain and gives its packets, linked by 'next', to the caller. */
struct packet *pending_take(struct pending *, struct pending_chain *);
/* The oldest chain that was announced PENDING_TIMEOUT_MS ago, or NULL. */
struct pending_chain *pending_expired(const struct pending *, int64_t now_ms);

static inline uint32_t pending_worker(uint64_t id) { return id >> 56; }

#endif
