/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers from the kernel, and a xoshiro256** generator for each thread. */
#include "lib/base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static __thread uint64_t state[4];

static uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

void random_secure(void *p, size_t n)
{
    uint8_t *to = p;
    while (n) {
        ssize_t got = getrandom(to, n, 0);
        if (got > 0) {
            to += got;
            n -= got;
        } else if (errno != EINTR) {
            abort();   /* Not possible on Linux 3.17 and later. */
        }
    }
}

uint32_t random_u32(void)
{
    return random_u64() >> 32;
}

uint64_t random_u64(void)
{
    while (UNLIKELY(!(state[0] | state[1] | state[2] | state[3]))) {
        random_secure(state, sizeof state);
    }
    uint64_t result = rotate(state[1] * 5, 7) * 9;
    uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate(state[3], 45);
    return result;
}

uint32_t random_range(uint32_t max)
{
    return (uint64_t) random_u32() * max >> 32;
}
