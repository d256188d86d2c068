/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a set of tables, shared by its files. Main thread, where nothing else is said. */
#ifndef OFPROTO_TABLE_TABLES_PRIVATE_H
#define OFPROTO_TABLE_TABLES_PRIVATE_H

#include "ofproto/table/classifier.h"
#include "ofproto/table/rule_private.h"
#include "ofproto/table/tables.h"

enum { MAX_PARTITION = 3, N_PARTITION_FIELDS = 2 + N_REGS };
/* Above all controllers' priorities. */
enum { HIDDEN_ORDER = 1 << 16 };

/* The fields whose values are hashed into a table's dependencies: at most three pipeline fields that nearly all of
 * its rules match exactly. They are not in the datapath's key, so looking at them un-wildcards nothing. */
struct partition {
    unsigned n;
    uint8_t words[MAX_PARTITION];     /* Of struct fields. */
    uint64_t masks[MAX_PARTITION];
};

struct table {
    struct classifier cls;
    struct partition *partition;      /* RCU; never NULL. */
    uint32_t exact[N_PARTITION_FIELDS];   /* How many rules match each candidate exactly. */
    size_t repartition_at;            /* When so many rules are there. */
    struct list rules;                /* By 'in_table', oldest first. */
    size_t n_rules;
    char *name;
    uint64_t lookups, matches;        /* Relaxed atomics of any thread. */
};

/* Removed rules that leave the classifier when no reader of their versions is left. */
struct garbage {
    struct list node;
    bool ready;                       /* Set by the RCU thread. */
    size_t n;
    struct rule *rules[];
};

/* The rules of one cookie: many rules share one, so they are a list and not equal keys of a map. */
struct cookie {
    struct hmap_node node;
    be64 value;
    struct list rules;
};

struct tables {
    struct changes *changes;
    uint16_t bridge_id;
    const struct tables_events *events;
    void *arg;
    struct table *table[N_TABLES];    /* RCU; NULL until used. */
    struct hmap cookies;
    struct list expiring;             /* By 'in_expiry'. */
    struct list garbage;              /* Oldest first. */
    size_t n_rules, n_hidden;
    uint64_t all_bits[FIELDS_WORDS];  /* What any rule has ever matched. Relaxed atomics of the writer; read by anyone. */
};

/* partition.c */
uint32_t partition_hash(const struct partition *, const uint64_t *fields);   /* Any thread, RCU. */
/* The rule's dependency: hashed if it matches all partition fields exactly, else the table's object. */
dep_t partition_rule_dep(const struct table *, uint16_t bridge_id, const struct rule *);
void partition_count(struct table *, const struct rule *, int by);
/* Chooses again if the number of rules says so; true if the partition was replaced. */
bool partition_review(struct table *);

/* tables.c */
struct table *tables_get(struct tables *, uint8_t id);      /* Creates it. */
/* Frees what no reader can see any more. */
void tables_reap(struct tables *);
void tables_discard(struct tables *, struct rule **, size_t n);   /* Takes the references. */

struct cookie *tables_cookie(const struct tables *, be64);   /* NULL: no rule has it. */

/* txn.c: a group of additions and removals that becomes visible at once, or not at all. */
struct removal { struct rule *rule; int reason; };          /* -1: replaced, no event. */
struct txn {
    struct tables *t;
    enum ofp_version version;
    struct rule **added;
    size_t n_added, allocated_added;
    struct removal *removed;
    size_t n_removed, allocated_removed;
    uint64_t reordered[4];                                  /* Tables in which subtables changed places. */
};
void txn_init(struct txn *, struct tables *);
void txn_add(struct txn *, struct rule *);
void txn_remove(struct txn *, struct rule *, int reason);
void txn_commit(struct txn *);
void txn_abort(struct txn *);

/* flow_mod.c. Rules of 'table_id' (or all) that the filter selects and that are not going; caller frees. */
struct rule **tables_select(struct tables *, uint8_t table_id, const struct match *, be64 cookie, be64 cookie_mask,
                            ofp_port out_port, uint32_t out_group, bool strict, uint16_t priority, size_t *n);

#endif
