/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of the text of actions and flows that several files need. Not for other rooms. */
#ifndef LIB_OPENFLOW_OFACT_TEXT_H
#define LIB_OPENFLOW_OFACT_TEXT_H

#include "lib/flow/fields.h"

struct error;
struct text;

const char *ofp_packet_in_reason_name(uint8_t reason);   /* NULL if unknown. */

/* Takes the next "name", "name=value", "name:value" or "name(value)" from '*s', separated by commas and white space;
 * parentheses and brackets nest. Changes the string. 'value' is "" if there is none; '*form' is '=', ':', '(' or 0.
 * False at the end. An unclosed parenthesis takes all that is left. */
bool flow_text_next(char **s, char **name, char **value, char *form);

#endif
