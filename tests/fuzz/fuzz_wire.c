/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the datapath channel, from either side: no byte is read past the end, and what is understood survives being
 * written and read again. */
#include <stdlib.h>

#include "datapath/action/execute.h"
#include "datapath/wire.h"
#include "lib/base/error.h"

static void check_flow(const uint8_t *p, size_t n)
{
    struct dp_flow f, g;
    struct error *e = wire_get_flow(p, n, &f);
    if (!e) {
        struct buffer b = BUFFER_INIT;
        struct wire_message m;
        wire_begin(&b, WIRE_ANSWER, 0);
        wire_put_flow(&b, &f);
        if (b.len <= WIRE_ROOM) {
            struct error *again = wire_parse(b.data, b.len, false, &m);
            if (!again) {
                again = wire_get_flow(m.attrs.p[ATTR_FLOW], m.attrs.n[ATTR_FLOW], &g);
                if (memcmp(&f.key, &g.key, sizeof f.key) || !action_list_equal(&f.actions, &g.actions)) {
                    abort();
                }
                action_list_fini(&g.actions);
            }
            if (again) {
                abort();
            }
        }
        buffer_fini(&b);
    }
    error_free(e);
    action_list_fini(&f.actions);
}

static void check_message(const struct wire_message *m)
{
    const struct wire_attrs *a = &m->attrs;
    if (wire_has(a, ATTR_FLOW)) {
        struct reader r = wire_all(a);
        const uint8_t *p;
        size_t n;
        while (wire_next(&r, ATTR_FLOW, &p, &n)) {
            check_flow(p, n);
        }
    }
    if (wire_has(a, ATTR_PORT)) {
        struct dp_port_config config;
        struct dp_port_state state;
        error_free(wire_get_port(a->p[ATTR_PORT], a->n[ATTR_PORT], &config, &state));
        dp_port_config_fini(&config);
    }
    if (wire_has(a, ATTR_ACTION_LIST)) {
        struct action_list list;
        action_list_init(&list);
        struct error *e = wire_get_actions(a, &list);
        if (!e) {
            e = actions_check(&list);
        }
        error_free(e);
        action_list_fini(&list);
    }
    if (wire_has(a, ATTR_KEY)) {
        struct key key;
        error_free(wire_get_key(a, ATTR_KEY, &key));
    }
    if (wire_has(a, ATTR_COUNTERS)) {
        struct dp_stats stats;
        struct dp_port_stats port_stats;
        struct dp_upcall_stats upcall_stats;
        error_free(wire_get_stats(a, &stats));
        error_free(wire_get_port_stats(a, &port_stats));
        error_free(wire_get_upcall_stats(a, &upcall_stats));
    }
    char name[64];
    wire_string(a, ATTR_NAME, name, sizeof name);
    error_free(wire_get_error(a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int from_control = 0; from_control < 2; from_control++) {
        struct wire_message m;
        struct error *e = wire_parse(data, size, from_control, &m);
        if (!e) {
            check_message(&m);
        }
        error_free(e);
    }
    check_flow(data, size);
    return 0;
}
