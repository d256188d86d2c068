/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for what is looked up at random: in huge pages where it is large, which saves a TLB miss for each access. */
#ifndef DATAPATH_LOOKUP_BIG_H
#define DATAPATH_LOOKUP_BIG_H

#include "lib/base/types.h"

enum { BIG_PAGE = 2 << 20 };

/* Zeroed, aligned to cache lines at least; release it with free(). */
void *big_alloc(size_t size);

#endif
