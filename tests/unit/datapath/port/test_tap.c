/* SPDX-License-Identifier: Apache-2.0 */
/* "tap" and "internal" ports: the device, its settings, and its way through namespaces. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/packet/headers.h"
#include "lib/packet/vnet.h"
#include "tests/unit/datapath/port/devices.h"
#include "tests/unit/lib/packet/packet_tests.h"

static char ns[32];

static void name_ns(void)
{
    snprintf(ns, sizeof ns, "tsu-port-%ld", (long) getpid());
}

static struct dp_port_state wait_mtu(struct port *port, uint32_t mtu, bool up)
{
    struct dp_port_state state;
    for (int i = 0; i < 150; i++) {
        port_get_state(port, &state);
        if (state.mtu == mtu && state.admin_up == up) {
            return state;
        }
        loop_run_once(device_env.loop, 20);
    }
    ck_abort_msg("mtu is %u, admin_up %d", state.mtu, state.admin_up);
    return state;
}

START_TEST(a_device_appears_as_configured)
{
    struct dp_port_config *c = make_config(_i ? "tap" : "internal", "br0", NULL);
    c->mac = (struct eth_addr) { { 2, 0, 0, 1, 2, 3 } };
    c->mtu = 1400;
    c->admin_up = 1;
    struct port *port = make_port(&device_env, c, 1);
    struct dp_port_state state = wait_mtu(port, 1400, true);
    ck_assert(state.attached);
    ck_assert_uint_eq(state.ifindex, if_nametoindex("br0"));
    ck_assert(eth_addr_equal(state.mac, (struct eth_addr) { { 2, 0, 0, 1, 2, 3 } }));
    run("ip link set br0 mtu 1300 down");
    wait_mtu(port, 1300, false);

    struct dp_port_config changed;
    dp_port_config_clone(&changed, port_config(port));
    changed.mtu = 1600;
    changed.mac.b[5] = 9;
    struct error *e = port_configure(port, &changed);
    ck_assert_msg(!e, "%s", error_text(e));
    dp_port_config_fini(&changed);
    state = wait_mtu(port, 1600, true);
    ck_assert_uint_eq(state.mac.b[5], 9);
    destroy_port(port);
    ck_assert_uint_eq(if_nametoindex("br0"), 0);
}
END_TEST

START_TEST(frames_pass_both_ways)
{
    struct dp_port_config *c = make_config("internal", "br0", NULL);
    c->admin_up = 1;
    struct port *port = make_port(&device_env, c, 4);
    run("sysctl -qw net.ipv6.conf.br0.disable_ipv6=1");
    int raw = raw_open("br0");
    struct recipe r = { .n_vlans = _i & 1, .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK,
                        .payload = _i & 2 ? 50000 : 100, .partial = true };
    struct packet *sent = make_packet(device_pool, &r), *p;
    size_t n, n_seen;
    uint8_t *bytes = packet_linear(sent, &n), *frame = xmalloc(70000);
    struct vnet_header vnet;
    if (_i & 2) {
        sent->gso = GSO_TCP4;
        sent->gso_size = 1400;
        sent->gso_segs = DIV_ROUND_UP(r.payload, 1400);
    }
    vnet_from_packet(sent, &vnet);
    raw_send(raw, &vnet, bytes, n);
    while ((p = receive_packet(port, 1000)) && packet_len(p) != n) {
        packet_free(p);
    }
    ck_assert_ptr_nonnull(p);
    uint8_t *seen = packet_linear(p, &n_seen);
    ck_assert_mem_eq(seen, bytes, n);
    ck_assert_uint_eq(p->gso_size, sent->gso_size);
    ck_assert_uint_eq(p->csum_start, sent->csum_start);
    packet_free(p);
    free(seen);

    send_packet(port, device_pool, sent);
    ck_assert_uint_eq(counters_of(port).tx_packets, 1);
    size_t tag = r.n_vlans ? 4 : 0;
    do {
        n_seen = raw_receive(raw, 0, &vnet, frame, 70000, 1000);
        ck_assert_uint_gt(n_seen, 0);
    } while (n_seen != n - tag);
    ck_assert_mem_eq(frame + 12, bytes + 12 + tag, n - 12 - tag);
    ck_assert_uint_eq(vnet.gso_size, _i & 2 ? 1400 : 0);
    free(bytes);
    free(frame);
    destroy_port(port);
}
END_TEST

START_TEST(a_moved_device_is_followed)
{
    struct dp_port_config *c = make_config("internal", "br0", NULL);
    struct port *port = make_port(&device_env, c, 1);
    run("ip netns add %s && ip link set br0 netns %s && ip -n %s link set br0 mtu 1234 up", ns, ns, ns);
    struct dp_port_state state = wait_mtu(port, 1234, true);
    ck_assert(state.attached && state.link_up);
    ck_assert_uint_eq(if_nametoindex("br0"), 0);
    /* The MAC address can be set from here, the MTU only there. */
    struct dp_port_config changed;
    dp_port_config_clone(&changed, port_config(port));
    changed.mac = (struct eth_addr) { { 2, 0, 0, 7, 7, 7 } };
    struct error *e = port_configure(port, &changed);
    ck_assert_msg(!e, "%s", error_text(e));
    port_get_state(port, &state);
    ck_assert(eth_addr_equal(state.mac, changed.mac));
    changed.mtu = 1350;
    e = port_configure(port, &changed);
    ck_assert_msg(e && strstr(error_text(e), "namespace"), "%s", error_text(e));
    error_free(e);
    dp_port_config_fini(&changed);
    /* And packets come from there. */
    run_quietly("ip -n %s addr add 10.0.0.1/24 dev br0; ip netns exec %s ping -c 1 -W 1 10.0.0.2", ns, ns);
    struct packet *p;
    bool arp = false;
    while ((p = receive_packet(port, 1000))) {
        arp |= get_be16(p->data + 12) == ETH_TYPE_ARP;
        packet_free(p);
    }
    ck_assert(arp);
    /* Renamed and deleted there, it is made anew here. */
    run("ip -n %s link set br0 down && ip -n %s link set br0 name eth7 && ip -n %s link set eth7 mtu 1111", ns, ns, ns);
    wait_mtu(port, 1111, false);
    run("ip netns del %s", ns);
    do {
        p = receive_packet(port, 50);   /* As the worker does, which the dead descriptor has woken. */
        packet_free(p);
        loop_run_once(device_env.loop, 0);
        port_get_state(port, &state);
    } while (state.attached);
    ck_assert_uint_eq(port_rx_fds(port, NULL, 0), 0);
    wait_attached(port, true);
    ck_assert_uint_ne(if_nametoindex("br0"), 0);
    port_get_state(port, &state);
    ck_assert_uint_eq(state.mac.b[5], 7);
    destroy_port(port);
}
END_TEST

START_TEST(names_that_cannot_be_are_refused)
{
    run("ip link add pa type veth peer name pb");
    char *text = make_port_fails(&device_env, make_config("internal", "pa", NULL));
    ck_assert_msg(strstr(text, "\"pa\"") && strstr(text, "exists"), "%s", text);
    free(text);
    text = make_port_fails(&device_env, make_config("internal", "a-name-that-is-too-long", NULL));
    ck_assert_msg(strstr(text, "15"), "%s", text);
    free(text);
}
END_TEST

START_TEST(a_device_that_is_down_drops)
{
    struct port *port = make_port(&device_env, make_config("tap", "t0", NULL), 1);
    struct recipe r = { .proto = IP_PROTO_UDP, .payload = 10 };
    send_packet(port, device_pool, make_packet(device_pool, &r));
    ck_assert_uint_eq(counters_of(port).drops[DROP_PORT_DOWN], 1);
    destroy_port(port);
}
END_TEST

static void remove_ns(void)
{
    run_quietly("ip netns del %s", ns);
}

TCase *tap_tcase(void)
{
    TCase *t = tcase_create("tap");
    tcase_set_timeout(t, 20);
    tcase_add_unchecked_fixture(t, name_ns, remove_ns);
    tcase_add_checked_fixture(t, devices_setup, devices_teardown);
    tcase_add_loop_test(t, a_device_appears_as_configured, 0, 2);
    tcase_add_loop_test(t, frames_pass_both_ways, 0, 4);
    tcase_add_test(t, a_moved_device_is_followed);
    tcase_add_test(t, names_that_cannot_be_are_refused);
    tcase_add_test(t, a_device_that_is_down_drops);
    return t;
}
