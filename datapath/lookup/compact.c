/* SPDX-License-Identifier: Apache-2.0 */
/* Compact masks. */
#include "datapath/lookup/compact.h"

#include <pthread.h>

#include "lib/base/random.h"

uint64_t compact_secret[COMPACT_MAX + 1];

static void make_secret(void)
{
    random_secure(compact_secret, sizeof compact_secret);
}

void compact_seed(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_secret);
}

void compact_init(struct compact_mask *m, const struct mask *mask)
{
    const uint64_t *w = &mask->bits.words[0][0];
    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < COMPACT_MAX; i++) {
        if (w[i]) {
            m->index[m->n] = i;
            m->bits[m->n++] = w[i];
        }
    }
}

void compact_pick(const struct compact_mask *m, const struct key *key, uint64_t *words)
{
    const uint64_t *w = &key->words[0][0];
    for (uint32_t i = 0; i < m->n; i++) {
        words[i] = w[m->index[i]] & m->bits[i];
    }
}

void compact_expand(const struct compact_mask *m, const uint64_t *words, struct key *key)
{
    uint64_t *w = &key->words[0][0];
    memset(key, 0, sizeof *key);
    for (uint32_t i = 0; i < m->n; i++) {
        w[m->index[i]] = words[i];
    }
}
