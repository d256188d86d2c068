/* SPDX-License-Identifier: Apache-2.0 */
/* Scalar types and small macros that every room uses.
 *
 * beNN types hold wire (network) order; everything else is host order. */
#ifndef LIB_BASE_TYPES_H
#define LIB_BASE_TYPES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t be16;
typedef uint32_t be32;
typedef uint64_t be64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *) ((char *) (ptr) - offsetof(type, member)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ROUND_UP(n, d) (DIV_ROUND_UP(n, d) * (d))
#define IS_POW2(n) ((n) && !((n) & ((n) - 1)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define CACHE_LINE 64
#define CACHE_ALIGNED __attribute__((aligned(CACHE_LINE)))

/* Loads and stores of wire data that may lie at any address. */
static inline uint16_t get_be16(const void *p) { be16 v; memcpy(&v, p, sizeof v); return be16toh(v); }
static inline uint32_t get_be32(const void *p) { be32 v; memcpy(&v, p, sizeof v); return be32toh(v); }
static inline uint64_t get_be64(const void *p) { be64 v; memcpy(&v, p, sizeof v); return be64toh(v); }
static inline void put_be16(void *p, uint16_t x) { be16 v = htobe16(x); memcpy(p, &v, sizeof v); }
static inline void put_be32(void *p, uint32_t x) { be32 v = htobe32(x); memcpy(p, &v, sizeof v); }
static inline void put_be64(void *p, uint64_t x) { be64 v = htobe64(x); memcpy(p, &v, sizeof v); }

/* An Ethernet address, in wire order. */
struct eth_addr {
    uint8_t b[6];
};

static inline bool eth_addr_equal(struct eth_addr a, struct eth_addr b)
{
    return !memcmp(&a, &b, sizeof a);
}

static inline bool eth_addr_is_multicast(struct eth_addr a)
{
    return a.b[0] & 1;
}

static inline bool eth_addr_is_zero(struct eth_addr a)
{
    return !(a.b[0] | a.b[1] | a.b[2] | a.b[3] | a.b[4] | a.b[5]);
}

#define ETH_FMT "%02x:%02x:%02x:%02x:%02x:%02x"
#define ETH_ARGS(e) (e).b[0], (e).b[1], (e).b[2], (e).b[3], (e).b[4], (e).b[5]

/* An IPv4 address as "%u.%u.%u.%u"; 'ip' is a be32 lvalue or value. */
#define IP4_FMT "%u.%u.%u.%u"
#define IP4_ARGS(ip) be32toh(ip) >> 24, (be32toh(ip) >> 16) & 0xff, (be32toh(ip) >> 8) & 0xff, \
                     be32toh(ip) & 0xff

/* An OpenFlow port number (host order); the reserved ones are OpenFlow 1.1 and later, 7.2.1. */
typedef uint32_t ofp_port;

#endif
