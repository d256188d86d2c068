/* SPDX-License-Identifier: Apache-2.0 */
/* Memory in huge pages. */
#include "datapath/lookup/big.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "lib/base/alloc.h"

void *big_alloc(size_t size)
{
    if (size < BIG_PAGE) {
        return xzalloc_aligned(size);
    }
    size_t rounded = ROUND_UP(size, (size_t) BIG_PAGE);
    void *p = aligned_alloc(BIG_PAGE, rounded);
    if (!p) {
        abort();
    }
    /* Advice: without huge pages it works as well, but slower. */
    (void) madvise(p, rounded, MADV_HUGEPAGE);
    return memset(p, 0, size);
}
