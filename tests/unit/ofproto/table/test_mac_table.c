/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC table, the ring of changes, and look-ups in the view. */
#include "lib/base/parse.h"
#include "lib/sys/clock.h"
#include "tests/unit/ofproto/lab.h"
#include "tests/unit/ofproto/ofproto_tests.h"

static struct eth_addr mac(unsigned n)
{
    return (struct eth_addr) { { 2, 0, 0, 0, n >> 8, n } };
}

static ofp_port where(const struct mac_table *t, uint16_t vlan, unsigned n)
{
    struct mac_entry e;
    return mac_lookup(t, vlan, mac(n), &e) ? e.port : 0;
}

START_TEST(test_learning)
{
    struct changes *c = changes_create();
    struct mac_table *t = mac_table_create(c, 1);
    clock_stop();
    ck_assert_int_eq(mac_learn(t, 1, mac(1), 5, false), MAC_NEW);
    uint64_t version = changes_version(c);
    ck_assert(!mac_would_change(t, 1, mac(1), 5, false));
    ck_assert_int_eq(mac_learn(t, 1, mac(1), 5, false), MAC_REFRESHED);
    ck_assert_msg(changes_version(c) == version, "refreshing is no change");
    ck_assert(mac_would_change(t, 1, mac(1), 6, false));
    ck_assert_int_eq(mac_learn(t, 1, mac(1), 6, false), MAC_MOVED);
    ck_assert_uint_eq(changes_version(c), version + 1);
    ck_assert_int_eq(mac_learn(t, 2, mac(1), 5, false), MAC_NEW);
    ck_assert_uint_eq(where(t, 1, 1), 6);
    ck_assert_uint_eq(where(t, 2, 1), 5);
    ck_assert_int_eq(mac_learn(t, 1, (struct eth_addr) { { 1, 0, 0, 0, 0, 9 } }, 5, false), MAC_REFUSED);

    ck_assert(mac_add_static(t, 1, mac(7), 9));
    ck_assert_int_eq(mac_learn(t, 1, mac(7), 5, true), MAC_REFUSED);
    ck_assert(!mac_would_change(t, 1, mac(7), 5, true));
    clock_warp(299 * NSEC_PER_SEC);
    ck_assert_int_eq(mac_learn(t, 2, mac(1), 5, false), MAC_REFRESHED);
    clock_warp(2 * NSEC_PER_SEC);
    mac_expire(t);
    ck_assert_msg(!where(t, 1, 1) && where(t, 2, 1) && where(t, 1, 7), "what was used and what is static stays");

    mac_flush(t, false);
    ck_assert(!where(t, 2, 1) && where(t, 1, 7));
    mac_flush_port(t, 9);
    struct mac_stats s;
    mac_get_stats(t, &s);
    ck_assert_uint_eq(s.current, 0);
    ck_assert_uint_eq(s.statics, 0);
    ck_assert_uint_eq(s.moved, 1);
    ck_assert_uint_eq(s.expired, 1);
    ck_assert_uint_eq(s.learned, 2);
    mac_table_destroy(t);
    changes_destroy(c);
}
END_TEST

START_TEST(test_bound_is_fair)
{
    struct changes *c = changes_create();
    struct mac_table *t = mac_table_create(c, 1);
    mac_table_configure(t, 0, 100);
    for (unsigned i = 0; i < 10; i++) {
        mac_learn(t, 0, mac(i), 1, false);
    }
    for (unsigned i = 1000; i < 5000; i++) {
        ck_assert_int_eq(mac_learn(t, 0, mac(i), 2, false), MAC_NEW);
    }
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_msg(where(t, 0, i) == 1, "a port that floods addresses evicts its own");
    }
    struct mac_stats s;
    mac_get_stats(t, &s);
    ck_assert_uint_eq(s.current, 100);
    ck_assert_uint_eq(s.evicted, 3910);
    ck_assert_msg(where(t, 0, 4999) == 2 && !where(t, 0, 1000), "its oldest");
    mac_table_configure(t, 0, 20);
    mac_get_stats(t, &s);
    ck_assert_uint_eq(s.current, 20);
    mac_flush(t, true);
    for (unsigned i = 0; i < 20; i++) {
        ck_assert(mac_add_static(t, 0, mac(i), 1));
    }
    ck_assert(!mac_add_static(t, 0, mac(20), 1));
    ck_assert_int_eq(mac_learn(t, 0, mac(20), 1, false), MAC_REFUSED);
    mac_table_destroy(t);
    changes_destroy(c);
}
END_TEST

/* ---- Changes ---- */

static void count(const struct change *c, void *n)
{
    ++*(unsigned *) n;
}

START_TEST(test_ring)
{
    struct changes *c = changes_create();
    struct change change = { .dep = dep_make(DEP_MAC, 1, 0, 7) };
    uint64_t first = changes_version(c);
    unsigned n = 0;
    for (int i = 0; i < CHANGE_RING; i++) {
        changes_add(c, &change, 1, NULL, NULL);
    }
    ck_assert(changes_since(c, first, count, &n));
    ck_assert_uint_eq(n, CHANGE_RING);
    changes_add(c, &change, 1, NULL, NULL);
    n = 0;
    ck_assert_msg(!changes_since(c, first, count, &n) && !n, "the oldest is forgotten");
    ck_assert(changes_since(c, first + 1, count, &n));
    ck_assert_uint_eq(n, CHANGE_RING);
    n = 0;
    ck_assert(changes_since(c, changes_version(c), count, &n) && !n);
    ck_assert(changes_since(c, changes_version(c) - 3, count, &n));
    ck_assert_uint_eq(n, 3);
    rcu_barrier();
    changes_destroy(c);
}
END_TEST

START_TEST(test_dep_sets)
{
    struct dep_set s;
    dep_set_init(&s);
    for (int i = 0; i < 100; i++) {
        dep_set_add(&s, dep_make(DEP_TABLE, 1, i % 10, i % 7));
    }
    dep_set_seal(&s);
    ck_assert_uint_eq(s.n, 70);
    ck_assert(dep_set_is_touched(&s, 0));
    ck_assert(dep_set_is_touched(&s, dep_make(DEP_TABLE, 1, 9, 6)));
    ck_assert(!dep_set_is_touched(&s, dep_make(DEP_TABLE, 1, 9, 7)));
    ck_assert(dep_set_is_touched(&s, dep_object(dep_make(DEP_TABLE, 1, 9, 0))));
    ck_assert(!dep_set_is_touched(&s, dep_object(dep_make(DEP_TABLE, 1, 10, 0))));
    ck_assert(!dep_set_is_touched(&s, dep_object(dep_make(DEP_TABLE, 2, 9, 0))));
    ck_assert(!dep_set_is_touched(&s, dep_make(DEP_MAC, 1, 9, 6)));
    dep_set_fini(&s);
}
END_TEST

static struct change last_change;
static void keep(const struct change *c, size_t n, void *arg)
{
    last_change = c[n - 1];
    last_change.match.words = NULL;
}

START_TEST(test_narrowing)
{
    struct lab *l = lab_create();
    lab_port(l, "br0", "p1", 1, 1);
    lab_rules(l, "br0", "priority=5,ip,nw_dst=192.168.0.0/16,actions=set_field:10.1.2.3->ip_dst,resubmit(,1)\ntable=1,priority=1,actions=drop");
    struct key key;
    struct xlate_out out;
    xlate_out_init(&out);
    lab_key(l, "br0", "in_port=1,tcp,nw_dst=192.168.0.1", &key);
    lab_xlate(l, &key, NULL, &out);
    changes_set_listener(l->changes, keep, NULL);
    lab_rules(l, "br0", "table=1,ip,nw_dst=10.1.2.3,actions=output:2");
    ck_assert_msg(change_selects(&(struct change) { .dep = last_change.dep }, &out.deps, &key, &out.mask), "by its table");
    ck_assert_uint_eq(last_change.match.map[0] & UINT64_C(1) << (offsetof(struct key, l3.ip4_dst) / 8), 0);
    lab_rules(l, "br0", "table=1,ip,nw_proto=17,actions=output:2");
    ck_assert_msg(last_change.has_match, "the protocol is never modified");
    changes_set_listener(l->changes, NULL, NULL);
    xlate_out_fini(&out);
    lab_destroy(l);
}
END_TEST

/* ---- The view ---- */

START_TEST(test_tunnels)
{
    struct lab *l = lab_create();
    static const struct { const char *name, *remote, *local; int key; } ports[] = {
        { "any", NULL, NULL, -1 }, { "key5", NULL, NULL, 5 }, { "a", "10.0.0.2", NULL, -1 }, { "a5", "10.0.0.2", NULL, 5 },
        { "a5local", "10.0.0.2", "10.0.0.1", 5 }, { "six", "fd00::2", NULL, 5 }, { "b6", "10.0.0.3", NULL, 6 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        struct view_tunnel *t = &lab_tunnel(l, "br0", ports[i].name, 10 + i, 200)->tunnel;
        t->remote_flow = !ports[i].remote;
        t->key_flow = ports[i].key < 0;
        t->has_key = !t->key_flow;
        t->key = MAX(ports[i].key, 0);
        ck_assert(!ports[i].remote || parse_ip(ports[i].remote, &t->remote));
        ck_assert(!ports[i].local || parse_ip(ports[i].local, &t->local));
    }
    static const struct { uint32_t remote, local, key; bool v6; const char *port; } rows[] = {
        { 0x0a000002, 0x0a000001, 5, false, "a5local" }, { 0x0a000002, 0x0a000009, 5, false, "a5" },
        { 0x0a000002, 0x0a000001, 7, false, "a" }, { 0x0a000009, 0x0a000001, 5, false, "key5" },
        { 0x0a000009, 0x0a000001, 7, false, "any" }, { 2, 1, 5, true, "six" }, { 3, 1, 5, true, "key5" },
    };
    enum drop why;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct tunnel_key k = { .id = htobe64(rows[i].key), .flags = TUNNEL_KEY };
        if (rows[i].v6) {
            k.ip6_src.s6_addr[0] = k.ip6_dst.s6_addr[0] = 0xfd;
            k.ip6_src.s6_addr[15] = rows[i].remote;
            k.ip6_dst.s6_addr[15] = rows[i].local;
        } else {
            k.ip4_src = htobe32(rows[i].remote);
            k.ip4_dst = htobe32(rows[i].local);
        }
        struct view_port *p = view_tunnel_by_key(l->view, 200, &k, &why);
        ck_assert_msg(p && !strcmp(p->name, rows[i].port), "row %zu: %s", i, p ? p->name : "none");
    }
    lab_find(l, "br0", "any")->dp_port = lab_find(l, "br0", "key5")->dp_port = 201;
    struct tunnel_key k = { .id = htobe64(7), .ip4_src = htobe32(0x0a000003), .ip4_dst = htobe32(0x0a000001) };
    ck_assert(!view_tunnel_by_key(l->view, 200, &k, &why));
    ck_assert_int_eq(why, DROP_TUNNEL_UNKNOWN_KEY);
    k.ip4_src = htobe32(0x0a000063);
    ck_assert(!view_tunnel_by_key(l->view, 200, &k, &why));
    ck_assert_int_eq(why, DROP_TUNNEL_UNKNOWN_REMOTE);
    ck_assert(view_is_carrier(l->view, 201) && !view_is_carrier(l->view, 202));
    lab_destroy(l);
}
END_TEST

TCase *mac_table_tcase(void)
{
    TCase *t = tcase_create("MAC table, changes, view");
    tcase_add_test(t, test_learning);
    tcase_add_test(t, test_bound_is_fair);
    tcase_add_test(t, test_ring);
    tcase_add_test(t, test_dep_sets);
    tcase_add_test(t, test_narrowing);
    tcase_add_test(t, test_tunnels);
    return t;
}
