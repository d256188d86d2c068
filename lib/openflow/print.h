/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of ofp_message_format(). Not for other rooms. */
#ifndef LIB_OPENFLOW_PRINT_H
#define LIB_OPENFLOW_PRINT_H

#include "lib/base/text.h"
#include "lib/openflow/message.h"

struct ofp_printer {
    const struct ofp_header *h;
    const struct port_names *names;
    int verbosity;
    struct text *t;
};

struct ofp_bit_name { uint32_t bit; const char *name; };
/* Names of set bits, what has no name in hex, "0" for none. */
void ofp_put_bits(struct text *, uint32_t bits, const struct ofp_bit_name *, size_t n, const char *separator);
/* "1.5s" */
void ofp_put_duration(struct text *, uint32_t s, uint32_t ns);

/* Each prints what follows the header, the line's end included. */
typedef struct error *ofp_print_fn(struct ofp_printer *);
ofp_print_fn ofp_print_features, ofp_print_port_status, ofp_print_port_mod, ofp_print_port_stats, ofp_print_port_request,
    ofp_print_port_desc, ofp_print_port_desc_request, ofp_print_flow_mod, ofp_print_flow_removed, ofp_print_flow_request,
    ofp_print_flow_reply, ofp_print_aggregate, ofp_print_tables, ofp_print_table_features, ofp_print_table_desc;

#endif
