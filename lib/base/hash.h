/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing by xxHash, seeded at random for each process so that no peer can choose collisions. */
#ifndef LIB_BASE_HASH_H
#define LIB_BASE_HASH_H

#include "lib/base/types.h"

/* The process's seed. Tests that need stable values may set it before anything is hashed. */
uint64_t hash_seed(void);
void hash_set_seed(uint64_t seed);

uint32_t hash_bytes(const void *p, size_t n, uint32_t basis);
uint32_t hash_string(const char *s, uint32_t basis);
uint64_t hash64_bytes(const void *p, size_t n, uint64_t basis);

/* Mixes of integers, for keys that are not chosen by a peer or are mixed with hash_seed(). */
static inline uint64_t hash_mix64(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    return x;
}

static inline uint32_t hash_int(uint64_t x, uint32_t basis)
{
    return (uint32_t) hash_mix64(x ^ ((uint64_t) basis << 32 | basis));
}

#endif
