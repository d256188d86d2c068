/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded hashing by xxHash's XXH3. */
#include "lib/base/hash.h"

#include <xxhash.h>

#include "lib/base/random.h"

static uint64_t process_seed;   /* 0: not chosen yet. Atomic; written once. */

uint64_t hash_seed(void)
{
    uint64_t seed = __atomic_load_n(&process_seed, __ATOMIC_RELAXED);
    if (UNLIKELY(!seed)) {
        uint64_t fresh;
        random_secure(&fresh, sizeof fresh);
        fresh |= 1;
        /* If another thread was first, 'seed' becomes its choice. */
        if (__atomic_compare_exchange_n(&process_seed, &seed, fresh, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
            seed = fresh;
        }
    }
    return seed;
}

void hash_set_seed(uint64_t seed)
{
    __atomic_store_n(&process_seed, seed ? seed : 1, __ATOMIC_RELAXED);
}

uint32_t hash_bytes(const void *p, size_t n, uint32_t basis)
{
    return (uint32_t) hash64_bytes(p, n, basis);
}

uint32_t hash_string(const char *s, uint32_t basis)
{
    return hash_bytes(s, strlen(s), basis);
}

uint64_t hash64_bytes(const void *p, size_t n, uint64_t basis)
{
    return XXH3_64bits_withSeed(p, n, hash_seed() ^ hash_mix64(basis));
}
