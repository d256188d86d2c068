/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow messages of foreign bytes: whatever is accepted can be printed, and written again in its own version so that it is
 * accepted again. */
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/openflow/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void check_flow_mod(const struct ofp_header *h)
{
    struct buffer actions = BUFFER_INIT, again = BUFFER_INIT, more = BUFFER_INIT;
    struct ofp_flow_mod fm, back;
    struct error *error = ofp_decode_flow_mod_with_table(h, &fm, &actions);
    if (!error) {
        error = ofacts_check(&fm.actions, &fm.match.value, &fm.match.mask, fm.table_id, 255, h->version);
    }
    if (!error) {
        ofp_encode_flow_mod(&again, &fm, h->version, h->msg == OFPMSG_NXT_FLOW_MOD, h->xid);
        struct ofp_header g;
        /* Loads of wide fields and the like take more room than they came in. */
        if (again.len <= OFP_MAX_MESSAGE) {
            error = ofp_decode_header(again.data, again.len, &g);
            error = error ? error : ofp_decode_flow_mod_with_table(&g, &back, &more);
            if (error || !match_equal(&fm.match, &back.match)) {
                abort();
            }
        }
    }
    error_free(error);
    buffer_fini(&actions);
    buffer_fini(&again);
    buffer_fini(&more);
}

static void check_packet_out(const struct ofp_header *h)
{
    struct buffer actions = BUFFER_INIT, again = BUFFER_INIT, more = BUFFER_INIT;
    struct ofp_packet_out po, back;
    struct error *error = ofp_decode_packet_out(h, &po, &actions);
    if (!error) {
        ofp_encode_packet_out(&again, &po, h->version, h->xid);
        struct ofp_header g;
        if (again.len <= OFP_MAX_MESSAGE) {
            error = ofp_decode_header(again.data, again.len, &g);
            error = error ? error : ofp_decode_packet_out(&g, &back, &more);
            if (error || back.data_len != po.data_len) {
                abort();
            }
        }
    }
    error_free(error);
    buffer_fini(&actions);
    buffer_fini(&again);
    buffer_fini(&more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct text t = TEXT_INIT;
    struct ofp_header h;
    uint32_t bits;
    if (n > OFP_MAX_MESSAGE) {
        return 0;
    }
    /* The length is made to fit, so that the fuzzer need not learn it. */
    uint8_t *m = malloc(n + 1);
    memcpy(m, data, n);
    if (n >= 4) {
        put_be16(m + 2, n);
    }
    ofp_message_format(m, n, NULL, 3, &t);
    error_free(ofp_decode_hello(m, n, &bits));
    struct error *error = ofp_decode_header(m, n, &h);
    if (!error && (h.msg == OFPMSG_FLOW_MOD || h.msg == OFPMSG_NXT_FLOW_MOD)) {
        check_flow_mod(&h);
    } else if (!error && h.msg == OFPMSG_PACKET_OUT) {
        check_packet_out(&h);
    } else if (!error && (h.msg == OFPMSG_SET_ASYNC || h.msg == OFPMSG_NXT_SET_ASYNC_CONFIG)) {
        struct ofp_async a;
        memset(&a, 0, sizeof a);
        error = ofp_decode_set_async(&h, &a);
    }
    error_free(error);
    text_fini(&t);
    free(m);
    return 0;
}
