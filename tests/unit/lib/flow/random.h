/* SPDX-License-Identifier: Apache-2.0 */
/* A small generator, so that every run draws the same. */
#ifndef TESTS_UNIT_LIB_FLOW_RANDOM_H
#define TESTS_UNIT_LIB_FLOW_RANDOM_H

#include "lib/base/types.h"

struct dice { uint64_t state; };

static inline uint32_t roll(struct dice *d, uint32_t below)
{
    d->state = d->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t) (d->state >> 33) % below;
}

static inline void roll_bytes(struct dice *d, void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *) p)[i] = roll(d, 256);
    }
}

#endif
