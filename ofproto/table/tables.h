/* SPDX-License-Identifier: Apache-2.0 */
/* The flow tables of one bridge: 255 tables of rules, classified by priority, versioned.
 *
 * What: readers look up at a version; the main thread changes rules by flow mods, which are checked wholly first, then
 * published in one step with their changes. Lookup is tuple space with staged hashing and un-wildcards only what it looked at.
 *
 * Threads: tables_lookup() from any registered thread under RCU; everything else main thread. */
#ifndef OFPROTO_TABLE_TABLES_H
#define OFPROTO_TABLE_TABLES_H

#include "ofproto/table/change.h"
#include "ofproto/table/rule.h"

enum { N_TABLES = 255, MAX_RULES_PER_BRIDGE = 1000000 };

struct tables;

struct tables_events {
    /* A rule is gone: send FLOW_REMOVED if it asks for it. 'reason' is OFPRR_*. */
    void (*removed)(const struct rule *, uint8_t reason, void *arg);
};

/* 'bridge_id' names the bridge in dependencies. */
struct tables *tables_create(struct changes *, uint16_t bridge_id, const struct tables_events *, void *arg);
/* Removes all rules without events. */
void tables_destroy(struct tables *);

/* The highest rule of 'table' at 'version' that matches 'f'; NULL if none. ORs into 'wc' (may be NULL) every bit that was
 * looked at, and adds the dependency to 'deps' (may be NULL). Counts nothing. */
struct rule *tables_lookup(const struct tables *, uint8_t table, uint64_t version, const struct fields *f,
                           struct fields *wc, struct dep_set *deps);

/* Executes a decoded flow mod, whose actions were checked (ofacts_check()). Errors carry the exact enum ofp_error and
 * change nothing. In OpenFlow 1.0 a modification that finds no rule adds one. */
struct error *tables_flow_mod(struct tables *, const struct ofp_flow_mod *, enum ofp_version);
/* Several at once, all or nothing, visible in one step. '*failed' is the index of the one that was refused. */
struct error *tables_flow_mods(struct tables *, const struct ofp_flow_mod *, size_t n, enum ofp_version, size_t *failed);
/* What a learn action asks for: a rule that is there already, alike in all, begins its hard time-out anew and nothing
 * else changes; otherwise MODIFY_STRICT in the sense of OpenFlow 1.0, which adds the rule if it is missing. */
struct error *tables_learn(struct tables *, const struct ofp_flow_mod *);
/* Rules of the switch itself (fail-standalone NORMAL and the like), above all of the controllers'. */
void tables_set_hidden(struct tables *, const struct match *, const struct ofact_list *, bool present);
/* Forgets all rules of controllers (fail mode changes, del-br): reason OFPRR_DELETE with events if 'tell'. */
void tables_flush(struct tables *, bool tell);

/* Calls 'each' for every rule selected by the request, tables in order. Statistics are as of now. */
void tables_stats(struct tables *, const struct ofp_flow_stats_request *, void (*each)(const struct rule *, void *arg),
                  void *arg);
/* Every rule, hidden ones too, tables in order. */
void tables_each_rule(struct tables *, void (*each)(const struct rule *, void *arg), void *arg);
void tables_fill_flow_stats(const struct rule *, int64_t now_ms, struct ofp_flow_stats *);
/* Counts of one table: rules, lookups and matches (credited by translations and the sweeper). */
void tables_table_stats(const struct tables *, uint8_t table, struct ofp_table_stats *);
void tables_credit(struct tables *, uint8_t table, uint64_t lookups, uint64_t matches);   /* Any thread. */
size_t tables_n_rules(const struct tables *);
/* 1.0..1.5 table mod / features names: kept for table features. */
void tables_set_table_name(struct tables *, uint8_t table, const char *name);

/* Removes rules whose idle or hard time-out has passed; statistics must have been credited just before. Returns when to
 * be called next (clock_ms()), INT64_MAX if nothing can expire. */
int64_t tables_expire(struct tables *, int64_t now_ms);
/* Upper bound of all masks that the classifier of this bridge consults, for mask rounding: what any rule has ever
 * matched. Any thread. */
void tables_all_bits(const struct tables *, struct fields *wc);

#endif
