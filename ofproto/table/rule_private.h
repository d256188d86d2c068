/* SPDX-License-Identifier: Apache-2.0 */
/* What ofproto/table alone does with rules. Main thread. */
#ifndef OFPROTO_TABLE_RULE_PRIVATE_H
#define OFPROTO_TABLE_RULE_PRIVATE_H

#include "ofproto/table/rule.h"

/* A rule that no version sees yet, with one reference, without statistics. The actions are copied. */
struct rule *rule_create(const struct match *, uint16_t priority, uint8_t table_id, const struct ofact_list *);
/* A copy of 'old' with other actions, likewise. */
struct rule *rule_successor(const struct rule *old, const struct ofact_list *actions);
void rule_set_actions(struct rule *, const struct ofact_list *);
/* Gives up a reference when the readers of now are done. */
void rule_put_after_readers(struct rule *);
struct rule_stats *rule_stats_create(void);
struct rule_stats *rule_stats_get(struct rule_stats *);

#endif
