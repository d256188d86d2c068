/* SPDX-License-Identifier: Apache-2.0 */
/* The classifier of one table: tuple space search over subtables (rules with the same mask), in order of their highest priority.
 *
 * What: a lookup hashes a subtable's words in four stages, pipeline and metadata first, then L2, L3, L4; a stage that
 * no rule shares ends the subtable there, so later words are not un-wildcarded. Prefix trees of the addresses and ports
 * skip subtables whose prefix length cannot match, at the cost of the few bits that say so. Among rules of equal
 * priority that match the same packet the one in the subtable that comes first wins; whenever two such subtables change
 * places the caller is told ('*reordered').
 *
 * Threads: classifier_lookup() under RCU by anyone; the rest is the writer's.
 *
 * Invariants: C1 a rule is in the trees before it is in its subtable and leaves them after it. C2 the list of subtables
 * is immutable and replaced whole. C3 rules of one match are chained by falling 'order', of equal ones the newest first. */
#ifndef OFPROTO_TABLE_CLASSIFIER_H
#define OFPROTO_TABLE_CLASSIFIER_H

#include "lib/base/hmap.h"
#include "ofproto/table/rule.h"
#include "ofproto/table/trie.h"

enum { N_TRIES = 6 };

struct subtable_list;
struct classifier {
    struct subtable_list *list;  /* RCU. */
    struct trie tries[N_TRIES];
    struct hmap by_mask;
    uint64_t next_seq;
};

void classifier_init(struct classifier *);
/* All rules have been removed; nobody reads it any more. */
void classifier_fini(struct classifier *);
/* The rule's match and order stay as they are while it is in. '*reordered' is set to true (or left) as said above. */
void classifier_insert(struct classifier *, struct rule *, bool *reordered);
void classifier_remove(struct classifier *, struct rule *, bool *reordered);

/* The highest rule visible at 'version' that matches. ORs what was looked at into 'wc' (may be NULL). */
struct rule *classifier_lookup(const struct classifier *, uint64_t version, const struct fields *, struct fields *wc);
/* The writer's: the rule of exactly this match and order that is not going; NULL: none. */
struct rule *classifier_find(const struct classifier *, const struct minimatch *, int32_t order);

#endif
