/* SPDX-License-Identifier: Apache-2.0 */
/* The key: what the datapath knows of a packet, in 64-byte blocks of fixed layout.
 *
 * What: six blocks. Hashing and masked compare are straight-line loops over the 64-bit words of the blocks that a
 * mask touches. Bytes without meaning for a packet are zero, so keys compare with memcmp().
 * Numbers are in wire order unless a comment says host order. Arrays of keys on the packet path are best CACHE_ALIGNED.
 *
 * The pipeline's own fields (registers, metadata, OpenFlow in_port) are not here; see fields.h. */
#ifndef LIB_FLOW_KEY_H
#define LIB_FLOW_KEY_H

#include <netinet/in.h>

#include "lib/base/types.h"
#include "lib/packet/tunnel_key.h"

enum key_block { KEY_META, KEY_L2, KEY_L3, KEY_L4, KEY_TUNNEL, KEY_CT, KEY_N_BLOCKS };
enum { KEY_BLOCK_BYTES = 64, KEY_BLOCK_WORDS = 8, KEY_MAX_VLANS = 2, KEY_MAX_MPLS = 3 };

/* 'frag' */
enum { FRAG_ANY = 1, FRAG_LATER = 2 };   /* First fragment: ANY; later ones: ANY | LATER. */

struct key_meta {
    uint32_t in_port;          /* Datapath port number, host order. */
    uint32_t recirc_id;        /* Host order; 0: not recirculated. */
    uint32_t dp_hash;          /* Host order. */
    uint32_t mark;             /* pkt_mark, host order. */
    uint32_t priority;         /* skb_priority, host order. */
    uint8_t pad[44];
};

struct key_vlan {
    be16 tpid;                 /* 0: no tag here. */
    be16 tci;                  /* With VLAN_CFI set if there is a tag, whatever the wire said. */
};

struct key_l2 {
    struct eth_addr dst, src;
    be16 type;                 /* After the tags that were parsed; ETH_TYPE_LLC for plain 802.3. */
    be16 pad1;
    struct key_vlan vlan[KEY_MAX_VLANS];   /* [0] is the outer one. */
    be32 mpls[KEY_MAX_MPLS];
    uint8_t pad[28];
};

struct key_l3 {
    struct in6_addr ip6_src, ip6_dst;
    be32 ip4_src, ip4_dst;     /* ARP: spa, tpa. */
    be32 ip6_label;            /* 20 bits. */
    uint8_t proto;             /* IP protocol after extension headers; ARP: low byte of the operation. */
    uint8_t tos, ttl;
    uint8_t frag;
    struct eth_addr arp_sha, arp_tha;
    uint8_t pad[4];
};

struct key_l4 {
    be16 src, dst;             /* TCP, UDP, SCTP ports; ICMP and ICMPv6: type and code as numbers. */
    be16 tcp_flags;            /* 12 bits. */
    be16 igmp_pad;
    struct in6_addr nd_target;
    struct eth_addr nd_sll, nd_tll;
    be32 nd_reserved;
    uint8_t nd_options_type;
    uint8_t pad[23];
};

struct key_ct {
    uint32_t state, mark;      /* Host order. */
    uint8_t label[16];         /* Big-endian number. */
    uint16_t zone;             /* Host order. */
    be16 tp_src, tp_dst;       /* Original tuple. */
    uint8_t proto;
    uint8_t pad1;
    union { struct in6_addr ip6_src; be32 ip4_src; };   /* IPv4: the first four bytes, the others zero. */
    union { struct in6_addr ip6_dst; be32 ip4_dst; };
};

struct key {
    union {
        struct {
            struct key_meta meta;
            struct key_l2 l2;
            struct key_l3 l3;
            struct key_l4 l4;
            struct tunnel_key tunnel;
            struct key_ct ct;
        };
        uint64_t words[KEY_N_BLOCKS][KEY_BLOCK_WORDS];
    };
};
_Static_assert(sizeof(struct key) == KEY_N_BLOCKS * KEY_BLOCK_BYTES, "blocks of 64 bytes");

/* A mask: a key whose set bits matter, and which blocks have any. */
struct mask {
    struct key bits;
    uint32_t blocks;           /* Bit N: block N has set bits. Kept by mask_seal(). */
};

void mask_seal(struct mask *);                       /* Computes 'blocks'. */
void key_apply_mask(struct key *, const struct mask *);
bool mask_equal(const struct mask *, const struct mask *);
/* Every bit of 'inner' is in 'outer'. */
bool mask_contains(const struct mask *outer, const struct mask *inner);
void mask_union(struct mask *to, const struct mask *from);
unsigned mask_count_bits(const struct mask *);

/* (a & mask) == (b & mask); 'b' may be masked already. Inline, so that loops over a batch may be compiled for wider
 * registers as a whole. */
static inline bool key_equal_masked(const struct key *a, const struct key *b, const struct mask *mask)
{
    for (uint32_t blocks = mask->blocks; blocks; blocks &= blocks - 1) {
        unsigned i = __builtin_ctz(blocks);
        const uint64_t *x = a->words[i], *y = b->words[i], *m = mask->bits.words[i];
        uint64_t differ = 0;
        for (int j = 0; j < KEY_BLOCK_WORDS; j++) {
            differ |= (x[j] ^ y[j]) & m[j];
        }
        if (differ) {
            return false;
        }
    }
    return true;
}

/* The 128-bit product of two words, folded: the mixing step of key hashes. */
static inline uint64_t key_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128) a * b;
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

/* Of the masked bits; 'basis' is secret, so nobody outside can make collisions. */
static inline uint64_t key_hash_masked(const struct key *key, const struct mask *mask, uint64_t basis)
{
    uint64_t hash = basis ^ UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t blocks = mask->blocks; blocks; blocks &= blocks - 1) {
        unsigned i = __builtin_ctz(blocks);
        const uint64_t *k = key->words[i], *m = mask->bits.words[i];
        uint64_t s = basis + (i + 1) * UINT64_C(0xe7037ed1a0b428db);
        uint64_t x = key_mix((k[0] & m[0]) ^ s, (k[1] & m[1]) ^ hash);
        uint64_t y = key_mix((k[2] & m[2]) ^ ~s, (k[3] & m[3]) ^ basis);
        uint64_t z = key_mix((k[4] & m[4]) ^ (s << 1 | 1), (k[5] & m[5]) ^ (basis + UINT64_C(0x8ebc6af09c88c6e3)));
        uint64_t w = key_mix((k[6] & m[6]) ^ (s >> 1), (k[7] & m[7]) ^ (basis + UINT64_C(0x589965cc75374cc3)));
        hash = x ^ (y << 1 | y >> 63) ^ (z << 2 | z >> 62) ^ (w << 3 | w >> 61);
    }
    return key_mix(hash ^ basis, UINT64_C(0xd6e8feb86659fd93));
}

struct packet;
struct packet_batch;

/* Parses 'p' into 'key', sets the packet's layer offsets and its hash (seeded by 'basis'; addresses, ports, protocol,
 * VLAN, ingress, tunnel id; symmetric is not promised). Never fails: what is malformed has zero fields from there
 * on, as OpenFlow wants (e.g. a short IPv4 header leaves only L2). Never reads outside the head. Sets OFFLOAD_NESTED if a
 * partial checksum is not that of the transport header found, and clears it otherwise. Connection tracking's block is
 * zero. */
void key_extract(struct packet *p, struct key *key, uint64_t basis);
/* The same for each packet of the batch; keys[i] belongs to p[i]. The fastest way for many. */
void key_extract_batch(struct packet_batch *, struct key *keys, uint64_t basis);

#endif
