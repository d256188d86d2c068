/* SPDX-License-Identifier: Apache-2.0 */
/* What the OpenFlow room's test cases share. */
#ifndef TESTS_UNIT_LIB_OPENFLOW_OPENFLOW_TESTS_H
#define TESTS_UNIT_LIB_OPENFLOW_OPENFLOW_TESTS_H

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/openflow/flow_text.h"
#include "tests/unit/unit.h"

TCase *header_tcase(void);
TCase *errors_tcase(void);
TCase *actions_tcase(void);
TCase *match_tcase(void);
TCase *flow_tcase(void);
TCase *messages_tcase(void);
TCase *flow_text_tcase(void);
TCase *hostile_tcase(void);

static const enum ofp_version all_versions[] = { OFP10, OFP13, OFP14, OFP15 };
enum { N_VERSIONS = 4 };

/* Fails the test with the error's text. */
#define MUST(EXPRESSION)                                                                                   \
    do {                                                                                                   \
        struct error *must__ = (EXPRESSION);                                                               \
        ck_assert_msg(!must__, "%s: %s", #EXPRESSION, must__ ? error_text(must__) : "");                   \
    } while (0)

/* The error's code, which is freed; 0: none. */
static inline int code_of(struct error *e)
{
    int code = error_code(e);
    error_free(e);
    return code;
}

/* One valid message of each kind and version, appended one after the other (samples.c). */
void put_samples(struct buffer *);
static inline const uint8_t *next_sample(const struct buffer *b, const uint8_t *p)
{
    p = p ? p + ofp_message_length(p) : b->data;
    return p < b->data + b->len ? p : NULL;
}

/* A rule's text as a flow mod; leaves the actions' memory in 'actions'. */
void make_flow(const char *text, enum ofp_version, struct ofp_flow_mod *, struct buffer *actions);

#endif
