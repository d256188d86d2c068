/* SPDX-License-Identifier: Apache-2.0 */
/* Offload state between devices: nested offload is resolved on receipt, segments are fitted to an MTU. */
#include <stdlib.h>

#include "datapath/port/offload.h"
#include "lib/packet/csum.h"
#include "lib/packet/gso.h"
#include "lib/packet/headers.h"
#include "lib/sys/rcu.h"
#include "tests/unit/datapath/port/port_tests.h"
#include "tests/unit/lib/packet/packet_tests.h"

static struct packet_pool *pool;
static struct port *port;

static void setup(void)
{
    rcu_register_thread();
    pool = packet_pool_create(1024, 64);
    port = make_port(NULL, make_config("dummy", "p1", NULL), 1);
}

static void teardown(void)
{
    port_destroy(port);
    packet_pool_destroy(pool);
    rcu_unregister_thread();
}

/* A TCP packet in VXLAN, whose offload state concerns the inner one, as a guest that makes tunnels sends it. */
static struct packet *make_nested(bool ip6, bool csum, uint32_t payload, uint16_t gso_size)
{
    struct recipe r = { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = payload, .partial = true };
    struct packet *p = make_vxlan(pool, make_packet(pool, &r), ip6, csum);
    if (gso_size) {
        p->gso = GSO_TCP4;
        p->gso_size = gso_size;
        p->gso_segs = DIV_ROUND_UP(payload, gso_size);
    }
    p->offload = OFFLOAD_CSUM_PARTIAL;
    return p;
}

/* The inner packet of a VXLAN packet that make_vxlan() made is right, checksum and all. */
static void check_inner(struct packet *p, bool ip6)
{
    struct packet *inner = packet_clone(NULL, p);
    packet_pull(inner, 14 + (ip6 ? 40 : 20) + 8 + 8);
    inner->offload = 0;
    inner->l3_ofs = 14;
    ck_assert(packet_csum_is_valid(inner));
    packet_free(inner);
}

static const struct {
    bool ip6, csum;
    uint32_t payload;
    uint16_t gso_size;
    uint32_t n;
} nested[] = {
    { false, false, 100, 0, 1 },
    { true, true, 100, 0, 1 },
    { false, false, 5000, 1000, 5 },
    { false, true, 5000, 1000, 5 },
    { true, true, 40001, 1000, 41 },   /* More than a batch. */
};

START_TEST(nested_offload_is_resolved)
{
    bool ip6 = nested[_i].ip6;
    struct packet_batch batch = {
        .n = 1, .p = { make_nested(ip6, nested[_i].csum, nested[_i].payload, nested[_i].gso_size) },
    };
    uint32_t n = 0;
    offload_check_received(port, &batch);
    while (batch.n) {
        for (uint32_t i = 0; i < batch.n; i++, n++) {
            struct packet *p = batch.p[i];
            ck_assert_uint_eq(p->gso_size, 0);
            ck_assert(!(p->offload & (OFFLOAD_CSUM_PARTIAL | OFFLOAD_NESTED)));
            check_inner(p, ip6);
            p->offload = 0;
            p->l3_ofs = 14;
            /* Of a packet that is not cut the sender has made the outer checksum as if the inner were complete. */
            ck_assert(!nested[_i].gso_size || packet_csum_is_valid(p));
        }
        packet_batch_free(&batch);
        port_rx(port, pool, &batch);   /* What had to wait. */
    }
    ck_assert_uint_eq(n, nested[_i].n);
}
END_TEST

START_TEST(own_offload_is_left_alone)
{
    struct recipe r = { .n_vlans = _i, .ip6 = _i & 1, .proto = IP_PROTO_TCP, .payload = 100, .partial = true };
    struct packet_batch batch = { .n = 1, .p = { make_packet(pool, &r) } };
    offload_check_received(port, &batch);
    ck_assert_uint_eq(batch.n, 1);
    ck_assert_uint_eq(batch.p[0]->offload, OFFLOAD_CSUM_PARTIAL);
    packet_batch_free(&batch);
}
END_TEST

START_TEST(gso_that_cannot_be_cut_is_counted)
{
    struct packet *p = make_nested(false, false, 5000, 1000);
    p->csum_start += 2;   /* Not where any transport header is. */
    struct packet_batch batch = { .n = 1, .p = { p } };
    offload_check_received(port, &batch);
    ck_assert_uint_eq(batch.n, 0);
    ck_assert_uint_eq(counters_of(port).drops[DROP_GSO_UNKNOWN], 1);
}
END_TEST

static const struct {
    const char *sentence;
    uint8_t proto;
    uint16_t gso_size, mtu, fits, size;
} fits[] = {
    { "segments that fit stay", IP_PROTO_TCP, 1000, 1500, true, 1000 },
    { "exactly the MTU", IP_PROTO_TCP, 1460, 1500, true, 1460 },
    { "one byte too many is taken off", IP_PROTO_TCP, 1461, 1500, true, 1460 },
    { "jumbo segments are cut smaller", IP_PROTO_TCP, 8960, 1500, true, 1460 },
    { "UDP datagrams cannot be cut otherwise", IP_PROTO_UDP, 1473, 1500, false, 1473 },
    { "UDP datagrams that fit stay", IP_PROTO_UDP, 1472, 1500, true, 1472 },
    { "an MTU without room for payload", IP_PROTO_TCP, 1000, 44, false, 1000 },
};

START_TEST(segments_are_fitted_to_the_mtu)
{
    struct recipe r = { .proto = fits[_i].proto, .tcp_flags = TCP_ACK, .payload = 20000, .partial = true };
    struct packet *p = make_packet(pool, &r);
    p->gso = fits[_i].proto == IP_PROTO_TCP ? GSO_TCP4 : GSO_UDP;
    p->gso_size = fits[_i].gso_size;
    p->gso_segs = DIV_ROUND_UP(20000, p->gso_size);
    ck_assert_msg(offload_fit_mtu(p, fits[_i].mtu) == fits[_i].fits, "%s", fits[_i].sentence);
    ck_assert_uint_eq(p->gso_size, fits[_i].size);
    if (fits[_i].fits) {
        ck_assert_uint_ge(p->gso_segs * p->gso_size, 20000);
    }
    packet_free(p);
}
END_TEST

/* GSO that a device says without a partial checksum. */
static const struct {
    const char *sentence;
    struct recipe r;
    struct vnet_header h;
    bool good;
} joined[] = {
    { "LRO", { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 5000 }, { 2, 1, 0, 1448, 0, 0 }, true },
    { "a list of segments over IPv6", { .ip6 = true, .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 5000 },
      { 2, 4, 0, 1428, 0, 0 }, true },
    { "of UDP", { .proto = IP_PROTO_UDP, .payload = 5000 }, { 2, 5, 0, 1000, 0, 0 }, true },
    { "under a tag that came beside it", { .n_vlans = 1, .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK,
      .payload = 5000 }, { 0, 1, 0, 1448, 0, 0 }, true },
    { "a kind that is not the packet's", { .proto = IP_PROTO_UDP, .payload = 5000 }, { 2, 1, 0, 1000, 0, 0 }, false },
    { "an unknown kind", { .proto = IP_PROTO_TCP, .payload = 5000 }, { 2, 9, 0, 1000, 0, 0 }, false },
    { "no size", { .proto = IP_PROTO_TCP, .payload = 5000 }, { 2, 1, 0, 0, 0, 0 }, false },
};

START_TEST(joined_packets_get_a_partial_checksum)
{
    struct recipe r = joined[_i].r;
    struct packet *p = make_packet(pool, &r), *list;
    uint16_t l4_ofs = p->l4_ofs;
    p->l3_ofs = p->l4_ofs = 0;
    ck_assert_msg(offload_from_vnet(&joined[_i].h, r.n_vlans, p) == joined[_i].good, "%s", joined[_i].sentence);
    if (joined[_i].good) {
        ck_assert_uint_eq(p->csum_start, l4_ofs);
        ck_assert_uint_eq(p->gso_size, joined[_i].h.gso_size);
        p->l3_ofs = offload_find_l3(p);
        ck_assert_uint_gt(packet_segment(NULL, p, p->gso_size, false, &list), 1);
        for (struct packet *s = list; s; s = s->next) {
            s->offload = 0;
            ck_assert(packet_csum_is_valid(s));
        }
        packet_list_free(list);
    }
    packet_free(p);
}
END_TEST

TCase *offload_tcase(void)
{
    TCase *t = tcase_create("offload");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, nested_offload_is_resolved, 0, ARRAY_SIZE(nested));
    tcase_add_loop_test(t, own_offload_is_left_alone, 0, 3);
    tcase_add_test(t, gso_that_cannot_be_cut_is_counted);
    tcase_add_loop_test(t, joined_packets_get_a_partial_checksum, 0, ARRAY_SIZE(joined));
    tcase_add_loop_test(t, segments_are_fitted_to_the_mtu, 0, ARRAY_SIZE(fits));
    return t;
}
