/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of the text of actions and flows that several files need. Not for other rooms. */
#ifndef LIB_OPENFLOW_OFACT_TEXT_H
#define LIB_OPENFLOW_OFACT_TEXT_H

#include "lib/flow/fields.h"

struct error;
struct text;

const char *ofp_packet_in_reason_name(uint8_t reason);   /* NULL if unknown. */

#endif
