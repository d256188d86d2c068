/* SPDX-License-Identifier: Apache-2.0 */
/* Flows as text: what ovs-ofctl's add-flow takes and dump-flows prints.
 *
 * Use:   struct buffer actions = BUFFER_INIT;
 *        struct error *e = ofp_flow_mod_parse("priority=5,ip,actions=2", OFPFC_ADD, NULL, OFP13, &fm, &actions);
 *
 * Errors name the word and the nearest known one. */
#ifndef LIB_OPENFLOW_FLOW_TEXT_H
#define LIB_OPENFLOW_FLOW_TEXT_H

#include "lib/openflow/message.h"

/* One flow. Actions are wanted for OFPFC_ADD, OFPFC_MODIFY and OFPFC_MODIFY_STRICT, refused for deletions. 'version' decides
 * what unsaid tables are (1.0: 0 for adds) and whether instructions are possible. The rule is checked as the switch would. */
struct error *ofp_flow_mod_parse(const char *s, enum ofp_flow_command, const struct port_names *, enum ofp_version,
                                 struct ofp_flow_mod *, struct buffer *actions);
/* The filter of dump-flows and dump-aggregate: match, table=, cookie=, out_port=, out_group=. */
struct error *ofp_flow_stats_request_parse(const char *s, bool aggregate, const struct port_names *,
                                           struct ofp_flow_stats_request *);
/* Lowest version that can say it: 1.0, or 1.3 when it has instructions, a pushed tag or the like; '*nxm': 1.0 needs the
 * extensible match. */
enum ofp_version ofp_flow_mod_version(const struct ofp_flow_mod *, bool *nxm);

/* " cookie=0x0, duration=1.234s, table=0, n_packets=0, n_bytes=0, priority=1,ip actions=drop". 'show_stats' false: without
 * what changes by itself. */
void ofp_flow_stats_format(const struct ofp_flow_stats *, const struct port_names *, bool show_stats, struct text *);
/* "ADD table:1 priority=5,ip cookie:0x1 actions=drop" */
void ofp_flow_mod_format(const struct ofp_flow_mod *, const struct port_names *, struct text *);
/* "send_flow_rem check_overlap ", each with a blank after it. */
void ofp_flow_flags_format(uint16_t flags, const char *separator, struct text *);

/* Takes the next "name", "name=value", "name:value" or "name(value)" from '*s', separated by commas and white space;
 * parentheses and brackets nest. Changes the string. 'value' is "" if there is none; '*form' is '=', ':', '(' or 0.
 * False at the end. An unclosed parenthesis takes all that is left. */
bool flow_text_next(char **s, char **name, char **value, char *form);

#endif
