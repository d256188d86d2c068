/* SPDX-License-Identifier: Apache-2.0 */
/* Null ports: the source makes well-formed packets of as many flows as asked for. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/sys/rcu.h"
#include "tests/unit/datapath/port/port_tests.h"

static const struct {
    const char *options;
    uint32_t n_flows, len;
} sources[] = {
    { "source=true", 1, 64 },
    { "source=true,flows=1000", 1000, 64 },
    { "source=true,flows=70000,len=60", 70000, 60 },
    { "source=true,flows=4096,len=1514", 4096, 1514 },
    { "source=true,flows=2", 2, 64 },
};

START_TEST(source_goes_through_all_flows)
{
    struct packet_pool *pool = packet_pool_create(64, 0);
    struct port *port = make_port(NULL, make_config("null", "n1", sources[_i].options), 5);
    struct packet_batch batch;
    uint32_t n_flows = sources[_i].n_flows, n = 0;
    uint8_t *seen = xzalloc(n_flows);
    ck_assert(port_is_source(port));
    while (n < n_flows) {
        port_rx(port, pool, &batch);
        ck_assert_uint_eq(batch.n, BATCH_MAX);
        for (uint32_t i = 0; i < batch.n && n < n_flows; i++, n++) {
            const struct ip4_header *ip = (const void *) (batch.p[i]->data + 14);
            uint32_t flow = be32toh(ip->src) & 0xffffff;
            ck_assert_uint_eq(packet_len(batch.p[i]), sources[_i].len);
            ck_assert_uint_eq(csum(ip, sizeof *ip), 0);
            ck_assert_uint_lt(flow, n_flows);
            ck_assert_msg(!seen[flow], "flow %u came twice within %u packets", flow, n_flows);
            seen[flow] = 1;
        }
        port_tx(port, pool, &batch, 3);
    }
    ck_assert_uint_eq(counters_of(port).rx_packets, counters_of(port).tx_packets);
    ck_assert_uint_eq(packet_pool_in_use(pool), 0);
    free(seen);
    port_destroy(port);
    packet_pool_destroy(pool);
}
END_TEST

static const char *const wrong[] = { "flows=0", "flows=x", "len=59", "len=1515", "len=-1" };

START_TEST(wrong_options_are_refused)
{
    char *text = make_port_fails(NULL, make_config("null", "n1", wrong[_i]));
    ck_assert_msg(strstr(text, "\"n1\"") && strstr(text, "options:"), "%s", text);
    free(text);
}
END_TEST

START_TEST(a_sink_gives_nothing)
{
    struct packet_pool *pool = packet_pool_create(64, 0);
    struct port *port = make_port(NULL, make_config("null", "n1", NULL), 1);
    struct packet_batch batch;
    ck_assert(!port_is_source(port));
    port_rx(port, pool, &batch);
    ck_assert_uint_eq(batch.n, 0);
    port_destroy(port);
    packet_pool_destroy(pool);
}
END_TEST

TCase *null_tcase(void)
{
    TCase *t = tcase_create("null");
    tcase_add_checked_fixture(t, rcu_register_thread, rcu_unregister_thread);
    tcase_add_loop_test(t, source_goes_through_all_flows, 0, ARRAY_SIZE(sources));
    tcase_add_loop_test(t, wrong_options_are_refused, 0, ARRAY_SIZE(wrong));
    tcase_add_test(t, a_sink_gives_nothing);
    return t;
}
