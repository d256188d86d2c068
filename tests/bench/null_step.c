/* SPDX-License-Identifier: Apache-2.0 */
/* The cost of one packet in the engine: from a source in memory through look-up and actions to a sink.
 *
 * null-step [FLOWS [MASKS [SECONDS]]]: installs FLOWS flows (1), spread over MASKS masks (1, at most 16), lets one worker
 * forward for SECONDS (3), and prints TSC cycles of CPU time for each packet (what others take of the CPU does not count)
 * and packets a second. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "datapath/client.h"
#include "datapath/server.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/packet/headers.h"
#include "lib/sys/channel.h"
#include "lib/sys/log.h"

static void must(struct error *e)
{
    if (e) {
        fprintf(stderr, "null-step: %s\n", error_text(e));
        exit(1);
    }
}

static void init_config(struct dp_port_config *c, const char *name, uint32_t flows, bool source)
{
    dp_port_config_init(c);
    c->name = xstrdup(name);
    c->type = xstrdup("null");
    smap_set_format(&c->options, "flows", "%u", flows);
    smap_set(&c->options, "source", source ? "true" : "false");
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static uint32_t add_port(struct dp_client *c, const char *name, uint32_t flows)
{
    struct dp_port_config config;
    uint32_t number;
    init_config(&config, name, flows, false);
    must(dp_port_add(c, &config, &number));
    dp_port_config_fini(&config);
    return number;
}

/* A typical translation: addresses, protocol and the guard; more bits for the N-th mask. */
static void make_mask(struct mask *m, uint32_t n)
{
    memset(m, 0, sizeof *m);
    m->bits.meta.in_port = m->bits.meta.recirc_id = UINT32_MAX;
    m->bits.tunnel.id = UINT64_MAX;
    memset(&m->bits.l2.dst, 0xff, 12);
    m->bits.l2.type = 0xffff;
    m->bits.l2.vlan[0].tci = htobe16(VLAN_CFI | VLAN_VID_MASK);
    m->bits.l3.ip4_src = UINT32_MAX;
    m->bits.l3.proto = m->bits.l3.frag = 0xff;
    m->bits.l4.dst = htobe16(n);
    mask_seal(m);
}

static void put_flows(struct dp_client *c, uint32_t in_port, uint32_t out_port, uint32_t n_flows, uint32_t n_masks)
{
    struct action_list a;
    struct mask mask;
    struct key key;
    action_list_init(&a);
    action_put_output(&a, out_port);
    memset(&key, 0, sizeof key);
    for (uint32_t i = 0; i < n_flows; i++) {
        make_mask(&mask, i % n_masks);
        key.meta.in_port = in_port;
        key.l2.type = htobe16(ETH_TYPE_IP4);
        key.l2.dst = (struct eth_addr) { { 0x02, 0, 0, 0, 0, 2 } };
        key.l2.src = (struct eth_addr) { { 0x02, 0, 0, 0, 0, 1 } };
        key.l3.ip4_src = htobe32(0x0a000000 | i);
        key.l3.proto = IP_PROTO_UDP;
        key.l4.dst = htobe16(2048);
        dp_flow_put(c, i + 1, i, 1, &key, &mask, &a);
    }
    action_list_fini(&a);
    must(dp_sync(c));
}

int main(int argc, char **argv)
{
    uint32_t n_flows = argc > 1 ? atoi(argv[1]) : 1, n_masks = argc > 2 ? atoi(argv[2]) : 1;
    double seconds = argc > 3 ? atof(argv[3]) : 3;
    struct datapath_options options;
    struct datapath *dp;
    struct dp_client *c;
    int fds[2];
    log_set_from_word("off");
    datapath_options_init(&options);
    options.enable_system = false;
    must(datapath_create(&options, &dp));
    if (channel_pair(fds)) {
        return 1;
    }
    must(datapath_serve_fd(dp, fds[0]));
    must(dp_client_from_fd(fds[1], NULL, NULL, &c));
    struct dp_config config = { .n_workers = 1, .flow_limit = DP_MAX_FLOWS };
    must(dp_configure(c, &config));
    uint32_t in = add_port(c, "source", n_flows), out = add_port(c, "sink", 1);
    double begin = seconds_of(CLOCK_MONOTONIC);
    put_flows(c, in, out, n_flows, n_masks);
    double put_seconds = seconds_of(CLOCK_MONOTONIC) - begin;

    struct dp_port_config start;
    struct dp_stats a, b;
    init_config(&start, "source", n_flows, true);
    must(dp_port_set(c, in, &start));
    usleep(500000);
    must(dp_get_stats(c, &a));
    begin = seconds_of(CLOCK_MONOTONIC);
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t tsc = __rdtsc();
    usleep(seconds * 1e6);
    must(dp_get_stats(c, &b));
    tsc = __rdtsc() - tsc;
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    double elapsed = seconds_of(CLOCK_MONOTONIC) - begin;
    uint64_t n = b.sent - a.sent, hits = b.n_hit - a.n_hit;
    printf("%u flows, %u masks: %.1f cycles a packet, %.2f Mpps, cache %.0f %%, %.1f probes a look-up, missed %llu, "
           "installed %.0f flows a second\n", n_flows, n_masks, tsc * (cpu / elapsed) / n, n / elapsed / 1e6,
           100.0 * (b.n_cache_hit - a.n_cache_hit) / hits, (double) (b.n_mask_probes - a.n_mask_probes) / hits,
           (unsigned long long) (b.n_missed - a.n_missed), n_flows / put_seconds);
    dp_client_destroy(c);
    datapath_destroy(dp);
    return 0;
}
