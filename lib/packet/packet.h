/* SPDX-License-Identifier: Apache-2.0 */
/* A packet: bytes, offload state and the metadata that travels with it through the datapath.
 *
 * What: a *head* buffer with headroom that holds all headers, and at most one *tail* of up to 64 KB that no
 * action touches, so a 64 KB GSO packet goes through the pipeline as one packet (DESIGN 4, MECHANISMS 1).
 * Tails are counted and shared by clones. VLAN tags are always in the bytes.
 *
 * Threads: a packet belongs to one thread. Those from a pool go back to that pool, which belongs to one
 * worker; packets made elsewhere (pool NULL) are heap memory and may be freed by any thread.
 *
 * Invariants: P1 data .. data + head_len lies within the head buffer. P2 head_len + tail_len is the length
 * of the frame, at most PACKET_MAX. P3 a tail exists only if head_len reaches to the end of the head
 * buffer's first PACKET_SPLIT bytes as received, so all headers that we parse are in the head. */
#ifndef LIB_PACKET_PACKET_H
#define LIB_PACKET_PACKET_H

#include "lib/base/types.h"
#include "lib/packet/tunnel_key.h"

enum {
    PACKET_HEADROOM = 256,       /* For vnet header, VLAN tags, tunnel headers. */
    PACKET_BUFFER = 2048 + 256,  /* Head buffer, headroom included. */
    PACKET_SPLIT = PACKET_BUFFER - PACKET_HEADROOM,   /* A frame that is longer has a tail. */
    PACKET_TAIL_MAX = 65536,
    PACKET_MAX = 65536 + 18 + 64,
    BATCH_MAX = 32,
};

enum packet_offload {
    OFFLOAD_CSUM_PARTIAL = 1 << 0,  /* csum_start, csum_offset: the checksum there is the bare pseudo-header sum. */
    OFFLOAD_CSUM_VALID = 1 << 1,    /* Somebody has checked the transport checksum. */
    OFFLOAD_NESTED = 1 << 2,        /* The above concern an encapsulated packet, not our transport header. */
};

enum packet_gso { GSO_NONE, GSO_TCP4, GSO_TCP6, GSO_UDP };   /* GSO_UDP: equal datagrams (VIRTIO_NET_HDR_GSO_UDP_L4). */

struct packet_tail {
    uint32_t refs;               /* Of one thread, so not atomic. */
    struct packet_pool *pool;    /* NULL: heap. */
    uint8_t bytes[PACKET_TAIL_MAX];
};

struct packet {
    uint8_t *data;               /* First byte of the Ethernet header, in 'buffer'. */
    uint16_t head_len;           /* Bytes of the frame in the head, from 'data'. */
    uint16_t tail_ofs;           /* Where this packet's bytes begin in the tail. */
    uint32_t tail_len;           /* Bytes of the frame in the tail; 0 without tail. */
    struct packet_tail *tail;

    /* Offload state, kept through every action; offsets from 'data', moved when 'data' moves
     * (packet_push(), packet_pull() at the front do it). */
    uint16_t csum_start, csum_offset;
    uint16_t gso_size;           /* Payload bytes of each segment; 0 without GSO. */
    uint16_t gso_segs;           /* At least 1: what meters count. */
    uint8_t gso;                 /* enum packet_gso */
    uint8_t offload;             /* enum packet_offload bits */
    bool gso_ecn;                /* CWR is set in the first segment only. */

    /* Where layers begin, from 'data', set by key_extract(); 0: there is none. Moved with 'data' too. */
    uint16_t l2_type_ofs;        /* Of the innermost Ethertype field, after the VLAN tags. */
    uint16_t l3_ofs, l4_ofs, payload_ofs;

    /* Metadata. */
    uint32_t in_port;            /* Datapath port number. */
    uint32_t mark, priority;     /* pkt_mark, skb_priority. */
    uint32_t recirc_id, dp_hash;
    uint32_t max_len;            /* Bytes to send, by a truncate action; UINT32_MAX: all. Of the next output. */
    bool has_tunnel;             /* 'tunnel' is meaningful, and uninitialised otherwise. */
    uint64_t hash;               /* Of the flow, by key_extract(). */
    struct packet_pool *pool;    /* NULL: heap. */
    struct packet *next;         /* For queues; the holder's. */

    /* From here on packet_new() leaves the bytes as they were. */
    struct tunnel_key tunnel CACHE_ALIGNED;   /* How it came, or after a set_tunnel action how it is to leave. */
    uint8_t buffer[PACKET_BUFFER] CACHE_ALIGNED;
} CACHE_ALIGNED;

struct packet_batch {
    uint32_t n;
    struct packet *p[BATCH_MAX];
};

/* A pool of heads and tails for one worker. packet_new() beyond 'max' of them yields NULL: the receiver
 * counts a drop. */
struct packet_pool *packet_pool_create(uint32_t max_heads, uint32_t max_tails);
void packet_pool_destroy(struct packet_pool *);   /* All packets must be back. */
uint32_t packet_pool_in_use(const struct packet_pool *);

/* An empty packet with full headroom. 'pool' NULL: from the heap, never NULL. */
struct packet *packet_new(struct packet_pool *);
/* Fills the batch with at most 'n' <= BATCH_MAX empty packets and returns how many there were. */
uint32_t packet_batch_new(struct packet_pool *, struct packet_batch *, uint32_t n);
/* A packet that holds a copy of 'n' <= PACKET_MAX bytes; NULL if the pool is exhausted. */
struct packet *packet_from_bytes(struct packet_pool *, const void *bytes, size_t n);
/* Copies the head, shares the tail if pools agree, else copies it. */
struct packet *packet_clone(struct packet_pool *, const struct packet *);
void packet_free(struct packet *);
void packet_batch_free(struct packet_batch *);
struct packet_tail *packet_tail_new(struct packet_pool *);   /* refs 1, or NULL. */
void packet_tail_put(struct packet_tail *);

/* Takes 'n' <= PACKET_TAIL_MAX bytes of 'tail' as the frame's end; NULL takes the tail away. Takes 'tail'. */
void packet_set_tail(struct packet *, struct packet_tail *tail, uint32_t n);

static inline uint32_t packet_headroom(const struct packet *p)
{
    return p->data - p->buffer;
}

/* Bytes that may still be appended to the head. */
static inline uint32_t packet_tailroom(const struct packet *p)
{
    return p->buffer + PACKET_BUFFER - (p->data + p->head_len);
}

static inline uint32_t packet_len(const struct packet *p)
{
    return p->head_len + p->tail_len;
}

/* Makes room for 'n' bytes before 'data' and returns the new 'data', NULL if the headroom is used up. */
void *packet_push(struct packet *, size_t n);
/* Removes 'n' <= head_len bytes at the front. */
void packet_pull(struct packet *, size_t n);
/* Inserts or removes 'n' bytes at offset 'at' <= head_len; the bytes before it are moved, so offsets
 * after it stay true as places and are adjusted as numbers. False if there is no room. */
bool packet_insert(struct packet *, size_t at, size_t n);
bool packet_remove(struct packet *, size_t at, size_t n);
/* Copies 'n' bytes from offset 'ofs' of the frame (head or tail). False if it is shorter. */
bool packet_read(const struct packet *, size_t ofs, void *to, size_t n);
/* Cuts the frame to 'n' bytes; does nothing if it is shorter. Clears offload state that no longer holds. */
void packet_truncate(struct packet *, uint32_t n);
/* A copy of the whole frame in one piece; caller frees. */
uint8_t *packet_linear(const struct packet *, size_t *n);

#endif
