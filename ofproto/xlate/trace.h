/* SPDX-License-Identifier: Apache-2.0 */
/* The notes of a translation, and ofproto/trace's text made of them (CLIENTS.md section 4, item 6). */
#ifndef OFPROTO_XLATE_TRACE_H
#define OFPROTO_XLATE_TRACE_H

#include <jansson.h>

#include "ofproto/xlate/xlate.h"

struct trace;
struct trace *trace_create(void);
void trace_destroy(struct trace *);
/* Called by translation: 'depth' is nesting; a note is inside the last one of lower depth. The text is one line without newline.
 * An action or a remark; a table and the rule that was found there; the packet enters a bridge. */
void trace_note(struct trace *, int depth, const char *text);
void trace_table(struct trace *, int depth, const char *text);
void trace_bridge(struct trace *, int depth, const char *name);

/* The whole answer: "Flow:", bridge("..."), tables with rules and actions, "Final flow:", "Megaflow:", "Datapath
 * actions:", and for drops the reason. */
void trace_format(const struct trace *, const struct xlate_in *, const struct xlate_out *, struct text *);
json_t *trace_to_json(const struct trace *, const struct xlate_in *, const struct xlate_out *);

#endif
