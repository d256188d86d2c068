/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: from the kernel for what peers must not guess, and a small fast generator for
 * jitter. */
#ifndef LIB_BASE_RANDOM_H
#define LIB_BASE_RANDOM_H

#include "lib/base/types.h"

void random_secure(void *p, size_t n);
/* Each thread has its own xorshift state, seeded from the kernel. */
uint32_t random_u32(void);
uint64_t random_u64(void);
uint32_t random_range(uint32_t max);   /* 0 .. max - 1. */

#endif
