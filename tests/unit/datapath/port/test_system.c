/* SPDX-License-Identifier: Apache-2.0 */
/* "system" ports on one end of a veth, a packet socket on the other. */
#include <net/if.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datapath/port/ingress.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/vnet.h"
#include "tests/unit/datapath/port/devices.h"
#include "tests/unit/lib/packet/packet_tests.h"

static uint8_t frame[70000];

static void make_veth(void)
{
    run("ip link add pa type veth peer name pb && ip link set pa up && ip link set pb up");
}

/* An ARP request for 10.0.0.1 from the pb side. */
static size_t make_arp(uint8_t *f)
{
    struct eth_header *eth = (void *) f;
    struct arp_header *arp = (void *) (eth + 1);
    memset(f, 0, 60);
    memset(&eth->dst, 0xff, 6);
    eth->src = (struct eth_addr) { { 2, 0, 0, 0, 0, 9 } };
    eth->type = htobe16(ETH_TYPE_ARP);
    *arp = (struct arp_header) { .hrd = htobe16(1), .pro = htobe16(ETH_TYPE_IP4), .hln = 6, .pln = 4,
                                 .op = htobe16(1), .sha = eth->src, .spa = htobe32(0x0a000002),
                                 .tpa = htobe32(0x0a000001) };
    return 60;
}

static bool stack_answers(int raw)
{
    size_t n = make_arp(frame);
    raw_send(raw, NULL, frame, n);
    return raw_receive(raw, ETH_TYPE_ARP, NULL, frame, sizeof frame, 200);
}

START_TEST(devices_come_and_go)
{
    struct dp_port_state state;
    struct port *port = make_port(&device_env, make_config("system", "pa", NULL), 1);
    port_get_state(port, &state);
    ck_assert(!state.attached);
    ck_assert_msg(strstr(state.error, "pa"), "%s", state.error);
    for (int round = 0; round < 3; round++) {
        make_veth();
        wait_attached(port, true);
        port_get_state(port, &state);
        ck_assert_uint_eq(state.ifindex, if_nametoindex("pa"));
        ck_assert_str_eq(state.error, "");
        ck_assert_str_eq(state.driver, "veth");
        int raw = raw_open("pb");
        run("ip link set pa mtu 1400");
        for (int i = 0; i < 100 && (state.mtu != 1400 || !state.link_up); i++) {
            loop_run_once(device_env.loop, 20);
            port_get_state(port, &state);
        }
        ck_assert_uint_eq(state.mtu, 1400);
        ck_assert(state.link_up && state.admin_up);
        raw_send(raw, NULL, frame, make_arp(frame));
        struct packet *p = receive_packet(port, 1000);
        ck_assert_ptr_nonnull(p);
        packet_free(p);
        close(raw);
        run("ip link del pa");
        wait_attached(port, false);
        ck_assert_uint_eq(port_rx_fds(port, NULL, 0), 0);
    }
    ck_assert_uint_gt(n_changed, 3);
    destroy_port(port);
}
END_TEST

START_TEST(the_stack_is_kept_out_while_the_port_lives)
{
    make_veth();
    run("ip addr add 10.0.0.1/24 dev pa");
    int raw = raw_open("pb");
    ck_assert(stack_answers(raw));
    struct port *port = make_port(&device_env, make_config("system", "pa", NULL), 1);
    ck_assert(!stack_answers(raw));
    struct packet *p;
    while ((p = receive_packet(port, 1000)) && get_be16(p->data + 12) == ETH_TYPE_IP6) {
        packet_free(p);   /* The new device looks for its neighbours. */
    }
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(get_be16(p->data + 12), ETH_TYPE_ARP);
    packet_free(p);
    destroy_port(port);
    ck_assert(stack_answers(raw));
}
END_TEST

START_TEST(clsact_serves_where_tcx_is_not_known)
{
    make_veth();
    run("ip addr add 10.0.0.1/24 dev pa");
    int raw = raw_open("pb");
    struct ingress_drop drop;
    ck_assert_int_eq(ingress_drop_attach(&drop, if_nametoindex("pa"), false), 0);
    ck_assert(drop.clsact_ifindex && drop.made_clsact);
    ck_assert(!stack_answers(raw));
    ck_assert_uint_eq(ingress_drop_remove_stale(), 0);   /* We live. */
    ck_assert(!stack_answers(raw));
    ingress_drop_detach(&drop);
    ck_assert(stack_answers(raw));
    ck_assert(run_quietly("tc qdisc show dev pa | grep clsact"));

    /* A process that dies without cleaning up. */
    pid_t child = fork();
    if (!child) {
        _exit(ingress_drop_attach(&drop, if_nametoindex("pa"), false));
    }
    int status;
    ck_assert(waitpid(child, &status, 0) == child && !status);
    ck_assert(!stack_answers(raw));
    ck_assert_uint_eq(ingress_drop_remove_stale(), 1);
    ck_assert(stack_answers(raw));
}
END_TEST

START_TEST(loopback_is_refused)
{
    char *text = make_port_fails(&device_env, make_config("system", "lo", NULL));
    ck_assert_msg(strstr(text, "loopback"), "%s", text);
    free(text);
}
END_TEST

/* Frames with their offload state, in by pb and out by pa of another veth. */
static const struct {
    const char *sentence;
    struct recipe r;
    uint16_t gso_size;
} frames[] = {
    { "a plain frame", { .proto = IP_PROTO_TCP, .payload = 100 }, 0 },
    { "a full frame", { .proto = IP_PROTO_UDP, .payload = 1472 }, 0 },
    { "a tagged frame", { .n_vlans = 1, .proto = IP_PROTO_TCP, .payload = 100 }, 0 },
    { "two tags", { .n_vlans = 2, .proto = IP_PROTO_UDP, .payload = 100 }, 0 },
    { "a partial checksum", { .proto = IP_PROTO_TCP, .payload = 100, .partial = true }, 0 },
    { "a partial checksum under a tag", { .n_vlans = 1, .proto = IP_PROTO_UDP, .payload = 99, .partial = true }, 0 },
    { "IPv6 with a partial checksum", { .ip6 = true, .proto = IP_PROTO_TCP, .payload = 1, .partial = true }, 0 },
    { "GSO of TCP", { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 60000, .partial = true }, 1400 },
    { "GSO of TCP over IPv6", { .ip6 = true, .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 9000,
      .partial = true }, 1200 },
    { "GSO under a tag", { .n_vlans = 1, .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 30000,
      .partial = true }, 1400 },
    { "GSO of UDP", { .proto = IP_PROTO_UDP, .payload = 20000, .partial = true }, 1000 },
};

START_TEST(frames_pass_with_their_offload_state)
{
    make_veth();
    run("ip link add pc type veth peer name pd && ip link set pc up && ip link set pd up");
    struct port *in = make_port(&device_env, make_config("system", "pa", NULL), 1);
    struct port *out = make_port(&device_env, make_config("system", "pc", NULL), 2);
    int raw_in = raw_open("pb"), raw_out = raw_open("pd");
    struct recipe r = frames[_i].r;
    struct packet *sent = make_packet(NULL, &r);
    size_t n;
    uint8_t *bytes = packet_linear(sent, &n);
    struct vnet_header vnet;
    if (frames[_i].gso_size) {
        sent->gso = r.proto == IP_PROTO_UDP ? GSO_UDP : r.ip6 ? GSO_TCP6 : GSO_TCP4;
        sent->gso_size = frames[_i].gso_size;
        sent->gso_segs = DIV_ROUND_UP(r.payload, sent->gso_size);
    }
    vnet_from_packet(sent, &vnet);
    raw_send(raw_in, &vnet, bytes, n);

    struct packet *p;
    while ((p = receive_packet(in, 1000)) && memcmp(p->data, bytes, 14)) {
        packet_free(p);   /* Whatever the stack said when the device came up. */
    }
    ck_assert_msg(p != NULL, "%s", frames[_i].sentence);
    size_t n_seen;
    uint8_t *seen = packet_linear(p, &n_seen);
    ck_assert_uint_eq(n_seen, n);
    ck_assert_mem_eq(seen, bytes, n);
    ck_assert_uint_eq(p->gso_size, frames[_i].gso_size);
    ck_assert_uint_eq(p->offload & OFFLOAD_CSUM_PARTIAL, r.partial ? OFFLOAD_CSUM_PARTIAL : 0);
    ck_assert_uint_eq(p->in_port, 1);
    if (r.partial) {
        ck_assert_uint_eq(p->csum_start, sent->csum_start);
    }
    uint32_t len = packet_len(p);
    send_packet(out, device_pool, p);
    ck_assert_uint_eq(counters_of(out).tx_packets, 1);
    ck_assert_uint_eq(counters_of(out).tx_bytes, len);

    struct vnet_header vnet_out;
    size_t n_out;
    uint16_t type = get_be16(bytes + 12);
    /* The tag comes beside the frame on this socket, which does not ask for it. */
    size_t tag = r.n_vlans ? 4 : 0;
    do {
        n_out = raw_receive(raw_out, 0, &vnet_out, frame, sizeof frame, 1000);
        ck_assert_msg(n_out != 0, "%s", frames[_i].sentence);
    } while (n_out != n - tag || (!tag && get_be16(frame + 12) != type));
    ck_assert_mem_eq(frame + 12, bytes + 12 + tag, n - 12 - tag);
    ck_assert_uint_eq(vnet_out.gso_size, frames[_i].gso_size);
    ck_assert_uint_eq(vnet_out.flags & 1, r.partial);
    destroy_port(in);
    destroy_port(out);
    free(bytes);
    free(seen);
    packet_free(sent);
}
END_TEST

START_TEST(what_does_not_fit_is_dropped_with_its_reason)
{
    make_veth();
    struct port *port = make_port(&device_env, make_config("system", "pa", NULL), 1);
    struct recipe big = { .proto = IP_PROTO_UDP, .payload = 3000 };
    send_packet(port, device_pool, make_packet(device_pool, &big));
    ck_assert_uint_eq(counters_of(port).drops[DROP_TOO_BIG], 1);
    struct packet *p = make_packet(device_pool, &(struct recipe) { .proto = IP_PROTO_UDP, .payload = 6000,
                                                                     .partial = true });
    p->gso = GSO_UDP;
    p->gso_size = 3000;
    p->gso_segs = 2;
    send_packet(port, device_pool, p);
    ck_assert_uint_eq(counters_of(port).drops[DROP_TOO_BIG], 2);
    run("ip link set pa down");
    struct recipe small = { .proto = IP_PROTO_UDP, .payload = 30 };
    send_packet(port, device_pool, make_packet(device_pool, &small));
    ck_assert_uint_eq(counters_of(port).drops[DROP_PORT_DOWN], 1);
    run("ip link del pa");
    wait_attached(port, false);
    send_packet(port, device_pool, make_packet(device_pool, &small));
    ck_assert_uint_eq(counters_of(port).drops[DROP_PORT_DOWN], 2);
    ck_assert_uint_eq(counters_of(port).tx_packets, 0);
    destroy_port(port);
    ck_assert_uint_eq(packet_pool_in_use(device_pool), 0);
}
END_TEST

TCase *system_tcase(void)
{
    TCase *t = tcase_create("system");
    tcase_set_timeout(t, 20);
    tcase_add_checked_fixture(t, devices_setup, devices_teardown);
    tcase_add_test(t, devices_come_and_go);
    tcase_add_test(t, the_stack_is_kept_out_while_the_port_lives);
    tcase_add_test(t, clsact_serves_where_tcx_is_not_known);
    tcase_add_test(t, loopback_is_refused);
    tcase_add_loop_test(t, frames_pass_with_their_offload_state, 0, ARRAY_SIZE(frames));
    tcase_add_test(t, what_does_not_fit_is_dropped_with_its_reason);
    return t;
}
