/* SPDX-License-Identifier: Apache-2.0 */
/* Partition fields: which pipeline fields split the dependencies on a table. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "ofproto/table/tables_private.h"

struct candidate { uint8_t word; uint64_t mask; };

static struct candidate candidate(unsigned i);
static uint64_t mask_of_word(const struct minimatch *, unsigned word, uint64_t *value);

uint32_t partition_hash(const struct partition *p, const uint64_t *f)
{
    uint64_t h = 0;
    for (unsigned i = 0; i < p->n; i++) {
        h = hash_mix64(h ^ (f[p->words[i]] & p->masks[i])) + 1;
    }
    return h;
}

dep_t partition_rule_dep(const struct table *table, uint16_t bridge_id, const struct rule *r)
{
    const struct partition *p = table->partition;
    uint64_t h = 0;
    for (unsigned i = 0; i < p->n; i++) {
        uint64_t value;
        if ((mask_of_word(&r->match, p->words[i], &value) & p->masks[i]) != p->masks[i]) {
            return dep_object(dep_make(DEP_TABLE, bridge_id, r->table_id, 0));
        }
        h = hash_mix64(h ^ (value & p->masks[i])) + 1;
    }
    return dep_make(DEP_TABLE, bridge_id, r->table_id, h);
}

void partition_count(struct table *table, const struct rule *r, int by)
{
    for (unsigned i = 0; i < N_PARTITION_FIELDS; i++) {
        struct candidate c = candidate(i);
        uint64_t value;
        if ((mask_of_word(&r->match, c.word, &value) & c.mask) == c.mask) {
            table->exact[i] += by;
        }
    }
}

bool partition_review(struct table *table)
{
    if (table->n_rules < table->repartition_at) {
        if (!table->n_rules) {
            table->repartition_at = 1;
        }
        return false;
    }
    table->repartition_at = table->n_rules * 2;

    struct partition p = { 0 };
    for (unsigned i = 0; i < N_PARTITION_FIELDS && p.n < MAX_PARTITION; i++) {
        if (table->exact[i] && table->exact[i] >= table->n_rules - table->n_rules / 4) {
            struct candidate c = candidate(i);
            p.words[p.n] = c.word;
            p.masks[p.n++] = c.mask;
        }
    }
    struct partition *old = table->partition;
    if (old->n == p.n && !memcmp(old->words, p.words, sizeof p.words) && !memcmp(old->masks, p.masks, sizeof p.masks)) {
        return false;
    }
    rcu_assign_pointer(table->partition, xmemdup(&p, sizeof p));
    rcu_postpone(free, old);
    return true;
}

/* metadata, in_port, reg0, reg1, ... */
static struct candidate candidate(unsigned i)
{
    size_t ofs, n_bytes;
    if (i == 0) {
        ofs = offsetof(struct fields, metadata);
        n_bytes = 8;
    } else {
        ofs = i == 1 ? offsetof(struct fields, in_port) : offsetof(struct fields, reg[0]) + 4 * (i - 2);
        n_bytes = 4;
    }
    struct candidate c = { .word = ofs / 8, .mask = 0 };
    memset((uint8_t *) &c.mask + ofs % 8, 0xff, n_bytes);
    return c;
}

static uint64_t mask_of_word(const struct minimatch *m, unsigned word, uint64_t *value)
{
    unsigned half = word / 64;
    uint64_t bit = UINT64_C(1) << word % 64;
    if (!(m->map[half] & bit)) {
        *value = 0;
        return 0;
    }
    unsigned at = (half ? __builtin_popcountll(m->map[0]) : 0) + __builtin_popcountll(m->map[half] & (bit - 1));
    *value = m->words[at];
    return m->words[m->n_words + at];
}
