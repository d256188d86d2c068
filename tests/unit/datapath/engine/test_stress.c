/* SPDX-License-Identifier: Apache-2.0 */
/* Everything changes while workers forward at full speed; afterwards every packet is accounted for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/packet/headers.h"
#include "tests/unit/datapath/engine/engine_tests.h"

enum { SOURCES = 3, SINKS = 3, FLOWS = 200, ROUNDS = 400 };

static struct rig r;
static uint32_t source[SOURCES], sink[SINKS];

static void init_config(struct dp_port_config *c, const char *kind, unsigned n, bool busy)
{
    dp_port_config_init(c);
    c->name = xasprintf("%s%u", kind, n);
    c->type = xstrdup("null");
    smap_set(&c->options, "source", busy ? "true" : "false");
    smap_set_format(&c->options, "flows", "%d", FLOWS);
}

static void add_port(const char *kind, unsigned n, bool busy, uint32_t *number)
{
    struct dp_port_config c;
    init_config(&c, kind, n, busy);
    must(dp_port_add(r.c, &c, number));
    dp_port_config_fini(&c);
}

static void put_random_flow(const struct dp_upcall *u, uint64_t seq)
{
    struct mask m;
    struct action_list a;
    struct key key;
    uint32_t id = 1 + random_range(SOURCES * FLOWS);
    memset(&key, 0, sizeof key);
    key.meta.in_port = source[id % SOURCES];
    key.l2.type = htobe16(ETH_TYPE_IP4);
    key.l3.ip4_src = htobe32(0x0a000000 | id / SOURCES);
    if (u) {
        key = u->key;
    }
    flow_mask_exact(&m);
    m.bits.l3.ip4_src = UINT32_MAX;
    m.bits.l4.src = m.bits.l4.dst = 0;
    m.bits.l3.proto = 0;
    mask_seal(&m);
    action_list_init(&a);
    if (random_range(3)) {
        action_put_output(&a, sink[random_range(SINKS)]);
    }
    if (!random_range(3)) {
        action_put_push_vlan(&a, htobe16(ETH_TYPE_VLAN), htobe16(VLAN_CFI | 5));
        action_put_output(&a, sink[random_range(SINKS)]);
    }
    if (!random_range(20)) {
        action_put_userspace(&a, UPCALL_ACTION, UINT32_MAX, 1);
    }
    dp_flow_put(r.c, id, id, seq, &key, &m, &a);
    action_list_fini(&a);
}

static void change_something(uint64_t seq)
{
    switch (random_range(40)) {
    case 0: {
        struct dp_config config = { .n_workers = 1 + random_range(4), .flow_limit = 1000 };
        must(dp_configure(r.c, &config));
        break;
    }
    case 1: {
        unsigned n = random_range(SINKS);
        must(dp_port_del(r.c, sink[n]));
        add_port("sink", n, false, &sink[n]);
        break;
    }
    case 2: {
        unsigned n = random_range(SOURCES);
        must(dp_port_del(r.c, source[n]));
        add_port("source", n, true, &source[n]);
        break;
    }
    case 3:
        dp_flow_flush(r.c);
        break;
    case 4:
        rig_disconnect(&r);
        rig_connect(&r);
        break;
    default:
        dp_flow_del(r.c, 1 + random_range(SOURCES * FLOWS), seq);
    }
}

START_TEST(everything_changes_under_full_load)
{
    static struct dp_upcall u[64];
    rig_start(&r, NULL);
    struct dp_config config = { .n_workers = 2 };
    must(dp_configure(r.c, &config));
    for (unsigned i = 0; i < SINKS; i++) {
        add_port("sink", i, false, &sink[i]);
    }
    for (unsigned i = 0; i < SOURCES; i++) {
        add_port("source", i, true, &source[i]);
    }
    for (uint64_t seq = 1; seq < ROUNDS; seq++) {
        for (int i = 0; i < 20; i++) {
            put_random_flow(NULL, seq);
        }
        size_t n = dp_upcall_recv(r.c, u, ARRAY_SIZE(u));
        for (size_t i = 0; i < n; i++) {
            if (random_range(2)) {
                put_random_flow(&u[i], seq);
            } else {
                dp_upcall_drop(r.c, &u[i], DROP_ACTION);
            }
        }
        change_something(seq);
    }
    for (unsigned i = 0; i < SOURCES; i++) {
        struct dp_port_config c;
        init_config(&c, "source", i, false);
        must(dp_port_set(r.c, source[i], &c));
        dp_port_config_fini(&c);
    }
    rig_check_balance(&r);
    struct dp_stats s = rig_stats(&r);
    ck_assert_uint_gt(s.n_hit, 10000);
    ck_assert_uint_gt(s.n_missed, 1000);
    rig_stop(&r);
}
END_TEST

TCase *stress_tcase(void)
{
    TCase *t = tcase_create("stress");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, everything_changes_under_full_load);
    return t;
}
