/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that datapath and control plane share: upcall records and flow counters (MECHANISMS 3).
 *
 * What: two segments. 'out' is written by the datapath and mapped read-only by its peer; 'in' is written by the peer,
 * made anew for each, and never trusted. The layouts belong to WIRE_VERSION; keys inside records are numbered members.
 *
 * Threads: any worker produces, one thread consumes. Record number N lies at N % RING_RECORDS and is complete once its
 * 'number' is N + 1. A producer reserves numbers by a private head, which the peer cannot touch. */
#ifndef DATAPATH_RING_H
#define DATAPATH_RING_H

#include "datapath/client.h"

enum { RING_RECORDS = 2048, RING_RECORD_BYTES = 512, RING_MAGIC = 0x7473756a };

struct ring_record {
    uint64_t number;           /* Atomic, release by the producer. */
    uint64_t id, cookie;
    int64_t received_ms;
    uint32_t packet_len, gso_size;
    uint16_t n_key;
    uint8_t n_header, reason;
    uint8_t pad[4];
    uint8_t bytes[RING_RECORD_BYTES - 56];   /* Key, then the first bytes of the frame. */
} CACHE_ALIGNED;
_Static_assert(sizeof(struct ring_record) == RING_RECORD_BYTES, "fixed records");

struct ring_counters {         /* Of a flow: its worker writes, relaxed. */
    uint64_t packets, bytes;
    int64_t used_ms;
    uint64_t tcp_flags;
};

struct ring_out {
    uint32_t magic, n_records, n_slots;
    uint8_t pad[52];
    struct ring_record records[RING_RECORDS];
    struct ring_counters slots[DP_MAX_FLOWS];
};

struct ring_in {
    uint64_t tail;             /* The next record to be taken. Atomic. */
    uint32_t sleeping;         /* The consumer wants a wake-up. Atomic. */
};

#endif
