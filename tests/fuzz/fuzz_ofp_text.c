/* SPDX-License-Identifier: Apache-2.0 */
/* Flows from foreign text: what is accepted can be written to the wire, read back and printed, and its print is accepted. */
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/openflow/flow_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void check_actions(const struct ofp_flow_mod *fm, enum ofp_version version)
{
    struct text t = TEXT_INIT;
    struct buffer wire = BUFFER_INIT, back = BUFFER_INIT, parsed = BUFFER_INIT;
    ofacts_format(&fm->actions, NULL, &t);
    struct error *error = ofacts_parse(text_str(&t), NULL, version, true, &parsed);
    struct ofact_list list = ofact_list_of(&parsed);
    ofacts_adapt(&list, &fm->match);
    if (error || !ofact_list_equal(&list, &fm->actions)) {
        abort();
    }
    ofacts_encode(&fm->actions, version, version > OFP10, &wire);
    if (wire.len < 60000) {
        error = ofacts_decode(wire.data, wire.len, version, version > OFP10, &back);
        if (error) {
            abort();
        }
    }
    text_fini(&t);
    buffer_fini(&wire);
    buffer_fini(&back);
    buffer_fini(&parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum ofp_version versions[] = { OFP10, OFP13, OFP14, OFP15 };
    if (!n || n > 4096) {
        return 0;
    }
    enum ofp_version version = versions[data[0] & 3];
    enum ofp_flow_command command = (data[0] >> 2) % 5;
    char *s = malloc(n);
    memcpy(s, data + 1, n - 1);
    s[n - 1] = '\0';
    struct ofp_flow_mod fm;
    struct ofp_flow_stats_request q;
    struct buffer actions = BUFFER_INIT;
    struct text t = TEXT_INIT;
    bool nxm;
    struct error *error = ofp_flow_mod_parse(s, command, NULL, version, &fm, &actions);
    if (!error) {
        ofp_flow_mod_version(&fm, &nxm);
        ofp_flow_mod_format(&fm, NULL, &t);
        check_actions(&fm, version);
    }
    error_free(error);
    error_free(ofp_flow_stats_request_parse(s, false, NULL, &q));
    text_fini(&t);
    buffer_fini(&actions);
    free(s);
    return 0;
}
