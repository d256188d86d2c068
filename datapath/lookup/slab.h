/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for flows that stays memory for flows: freed ones are used again after an RCU grace period, never returned
 * before the whole slab is destroyed (see flow.h).
 *
 * Threads: one writer (the control thread). */
#ifndef DATAPATH_LOOKUP_SLAB_H
#define DATAPATH_LOOKUP_SLAB_H

#include "datapath/lookup/flow.h"

struct slab;

struct slab *slab_create(void);
void slab_destroy(struct slab *);                        /* After rcu_barrier(), no readers left. */
struct flow *slab_get(struct slab *, uint32_t n_words);  /* Dead, other members undefined. */
/* Dead flows of 'n_words'; used again after a grace period. */
void slab_put(struct slab *, struct flow *, uint32_t n_words);
void slab_flush(struct slab *);                          /* Starts the grace period of what was put. */

#endif
