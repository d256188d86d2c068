/* SPDX-License-Identifier: Apache-2.0 */
/* "vxlan" carriers over the loopback device: what a carrier sends to its own address comes back to it. */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/tunnel/route.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "tests/unit/datapath/port/devices.h"
#include "tests/unit/lib/packet/packet_tests.h"

static struct port *carrier;

static void setup(void)
{
    devices_setup();
    carrier = make_port(&device_env, make_config("vxlan", "vxlan_sys_4789", NULL), 5);
}

static void teardown(void)
{
    port_destroy(carrier);
    devices_teardown();
}

static void set_tunnel(struct packet *p, bool ip6, uint8_t flags)
{
    p->has_tunnel = true;
    memset(&p->tunnel, 0, sizeof p->tunnel);
    if (ip6) {
        p->tunnel.ip6_dst = in6addr_loopback;
    } else {
        p->tunnel.ip4_dst = htobe32(INADDR_LOOPBACK);
    }
    p->tunnel.id = htobe64(0x123456);
    p->tunnel.ttl = 17;
    p->tunnel.tos = 0x28;
    p->tunnel.flags = TUNNEL_KEY | flags;
    p->hash = 77;
}

static void set_df(struct packet *p)
{
    if (p->data[p->l3_ofs] >> 4 == 4) {
        uint8_t *ip = p->data + p->l3_ofs;
        put_be16(ip + 6, IP4_DF);
        memset(ip + 10, 0, 2);
        be16 sum = csum(ip, 20);
        memcpy(ip + 10, &sum, 2);
    }
}

/* All that comes within a short time, complete, in one string of TCP or UDP payload. */
static uint32_t collect(uint8_t *payload, uint32_t max, uint32_t *n_packets, uint32_t max_len)
{
    struct packet *p;
    uint32_t total = 0;
    *n_packets = 0;
    struct packet_batch batch;
    for (int i = 0; i < 100; i++) {
        port_rx(carrier, device_pool, &batch);
        for (uint32_t k = 0; k < batch.n; k++) {
            p = batch.p[k];
            ck_assert(p->has_tunnel);
            ck_assert_uint_eq(be64toh(p->tunnel.id), 0x123456);
            ck_assert_uint_eq(p->tunnel.ttl, 17);
            ck_assert_uint_eq(p->tunnel.tos, 0x28);
            ck_assert_uint_eq(p->tunnel.flags, TUNNEL_KEY);
            ck_assert_uint_eq(be16toh(p->tunnel.tp_dst), 4789);
            ck_assert_uint_ge(be16toh(p->tunnel.tp_src), 32768);
            p->l3_ofs = 14;
            ck_assert(packet_csum_is_valid(p));
            ck_assert(p->gso_size || packet_len(p) <= max_len);
            uint32_t header = p->data[14] >> 4 == 6 ? 54 : 34;
            header += p->data[header == 54 ? 20 : 23] == IP_PROTO_TCP ? (p->data[header + 12] >> 4) * 4 : 8;
            uint32_t n = packet_len(p) - header;
            ck_assert_uint_le(total + n, max);
            packet_read(p, header, payload + total, n);
            total += n;
            ++*n_packets;
        }
        bool none = !batch.n;
        packet_batch_free(&batch);
        if (none && total) {
            break;
        }
        usleep(500);
    }
    return total;
}

static const struct {
    const char *sentence;
    bool ip6, csum;
    struct recipe r;
    uint16_t gso_size;
    uint32_t mtu;                /* Of the loopback device. */
    uint32_t max_packets;
} trips[] = {
    { "a small packet", false, false, { .proto = IP_PROTO_UDP, .payload = 50 }, 0, 1500, 1 },
    { "with an outer checksum", false, true, { .proto = IP_PROTO_UDP, .payload = 50 }, 0, 1500, 1 },
    { "over IPv6", true, false, { .proto = IP_PROTO_UDP, .payload = 50 }, 0, 1500, 1 },
    { "with a partial checksum", false, false, { .proto = IP_PROTO_TCP, .payload = 50, .partial = true }, 0, 1500, 1 },
    { "GSO of the right size", false, false,
      { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 50000, .partial = true }, 1400, 1500, 2 },
    { "GSO that must be cut smaller", false, false,
      { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 65000, .partial = true }, 1460, 1500, 2 },
    { "GSO over IPv6, inner IPv6 with options", true, false,
      { .ip6 = true, .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .tcp_options = 12, .payload = 40001,
        .partial = true }, 1440, 1500, 2 },
    { "GSO of large segments", false, false,
      { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 60000, .partial = true }, 8948, 9000, 2 },
    { "GSO of tiny segments", false, false,
      { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 20000, .partial = true }, 100, 1500, 4 },
    { "GSO of UDP stays datagrams", false, false,
      { .proto = IP_PROTO_UDP, .payload = 60000, .partial = true }, 1000, 1500, 60 },
};

START_TEST(packets_come_back)
{
    static uint8_t payload[70000];
    run("ip link set lo mtu %u", trips[_i].mtu);
    struct recipe r = trips[_i].r;
    struct packet *p = make_packet(device_pool, &r);
    set_df(p);
    set_tunnel(p, trips[_i].ip6, TUNNEL_DF | (trips[_i].csum ? TUNNEL_CSUM : 0));
    if (trips[_i].gso_size) {
        p->gso = r.proto == IP_PROTO_UDP ? GSO_UDP : r.ip6 ? GSO_TCP6 : GSO_TCP4;
        p->gso_size = trips[_i].gso_size;
        p->gso_segs = DIV_ROUND_UP(r.payload, p->gso_size);
    }
    send_packet(carrier, device_pool, p);
    struct port_counters c = counters_of(carrier);
    ck_assert_uint_eq(c.tx_packets, 1);
    uint32_t n_packets, n = collect(payload, sizeof payload, &n_packets, trips[_i].mtu + 14);
    ck_assert_msg(n == r.payload, "%s: %u of %u bytes", trips[_i].sentence, n, r.payload);
    ck_assert_msg(n_packets <= trips[_i].max_packets, "%s: %u packets", trips[_i].sentence, n_packets);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_eq(payload[i], payload_byte(i));
    }
}
END_TEST

START_TEST(a_batch_of_equal_packets_is_one_train)
{
    static uint8_t payload[70000];
    struct packet_batch batch = { .n = 0 };
    struct recipe r = { .proto = IP_PROTO_UDP, .payload = 100 };
    for (int i = 0; i < BATCH_MAX; i++) {
        struct packet *p = make_packet(device_pool, &r);
        set_tunnel(p, _i, 0);
        batch.p[batch.n++] = p;
    }
    port_tx(carrier, device_pool, &batch, 3);
    ck_assert_uint_eq(counters_of(carrier).tx_packets, BATCH_MAX);
    uint32_t n_packets;
    ck_assert_uint_eq(collect(payload, sizeof payload, &n_packets, 1514), BATCH_MAX * 100);
    ck_assert_uint_eq(n_packets, BATCH_MAX);
}
END_TEST

static const struct {
    const char *sentence;
    bool ip6;
    uint8_t flags;
    uint8_t tos, ttl;
    uint16_t gso_size;
    bool has_csum, df;
} outers[] = {
    { "IPv4 goes without a checksum", false, 0, 0, 64, 0, false, false },
    { "unless it is asked for", false, TUNNEL_CSUM, 0, 64, 0, true, false },
    { "DF as asked", false, TUNNEL_DF, 0, 64, 0, false, true },
    { "both", false, TUNNEL_DF | TUNNEL_CSUM, 0, 64, 0, true, true },
    { "TOS and TTL as asked", false, TUNNEL_DF, 0xb8, 3, 0, false, true },
    { "trains always have a checksum", false, TUNNEL_DF, 0x02, 9, 1000, true, true },
    { "IPv6 always has one", true, 0, 0x10, 5, 0, true, false },
};

START_TEST(outer_headers_are_as_asked)
{
    static uint8_t frame[70000];
    int raw = raw_open("lo");
    struct recipe r = { .proto = IP_PROTO_TCP, .tcp_flags = TCP_ACK, .payload = 3000, .partial = true };
    bool ip6 = outers[_i].ip6;
    struct packet *p = make_packet(device_pool, &r);
    set_df(p);
    set_tunnel(p, ip6, outers[_i].flags);
    p->tunnel.tos = outers[_i].tos;
    p->tunnel.ttl = outers[_i].ttl;
    if (outers[_i].gso_size) {
        p->gso = GSO_TCP4;
        p->gso_size = outers[_i].gso_size;
        p->gso_segs = 3;
    }
    send_packet(carrier, device_pool, p);
    size_t n = raw_receive(raw, ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4, NULL, frame, sizeof frame, 1000);
    ck_assert_uint_gt(n, 3000);
    const uint8_t *ip = frame + 14, *udp = ip + (ip6 ? 40 : 20);
    ck_assert_uint_eq(ip6 ? (get_be16(ip) >> 4 & 0xff) : ip[1], outers[_i].tos);
    ck_assert_uint_eq(ip6 ? ip[7] : ip[8], outers[_i].ttl);
    ck_assert_msg((get_be16(udp + 6) != 0) == outers[_i].has_csum, "%s", outers[_i].sentence);
    if (!ip6) {
        ck_assert_msg(!!(get_be16(ip + 6) & IP4_DF) == outers[_i].df, "%s", outers[_i].sentence);
    }
    ck_assert_uint_eq(get_be16(udp + 2), 4789);
    ck_assert_uint_ge(get_be16(udp), 32768);
    ck_assert_uint_le(get_be16(udp), 60999);
    ck_assert_uint_eq(get_be32(udp + 8), 0x08000000);
    ck_assert_uint_eq(get_be32(udp + 12), 0x12345600);
}
END_TEST

START_TEST(source_ports_follow_the_flow)
{
    bool seen[65536] = { false };
    uint32_t n_ports = 0;
    for (uint64_t hash = 0; hash < 64; hash++) {
        uint16_t port[3];
        for (int way = 0; way < 3; way++) {
            struct recipe r = { .proto = IP_PROTO_UDP, .payload = 50 };
            struct packet *p = make_packet(device_pool, &r);
            set_tunnel(p, false, way == 1 ? TUNNEL_CSUM : way == 2 ? TUNNEL_DF : 0);
            p->hash = hash;
            send_packet(carrier, device_pool, p);
            p = receive_packet(carrier, 1000);
            ck_assert_ptr_nonnull(p);
            port[way] = be16toh(p->tunnel.tp_src);
            packet_free(p);
        }
        ck_assert(port[0] == port[1] && port[1] == port[2]);
        n_ports += !seen[port[0]];
        seen[port[0]] = true;
    }
    ck_assert_uint_eq(n_ports, 32);
}
END_TEST

START_TEST(too_big_is_answered)
{
    bool ip6 = _i & 1;
    run("ip link set lo mtu 1500");
    struct recipe r = { .ip6 = ip6, .proto = IP_PROTO_UDP, .payload = 1440 };
    struct packet *p = make_packet(device_pool, &r);
    set_tunnel(p, _i & 2, TUNNEL_DF);
    p->tunnel.ip4_src = _i & 2 ? 0 : htobe32(0x7f000002);
    send_packet(carrier, device_pool, p);
    struct port_counters c = counters_of(carrier);
    ck_assert_uint_eq(c.drops[DROP_TUNNEL_MTU], 1);
    ck_assert_uint_eq(c.made, 1);
    ck_assert_uint_eq(c.tx_packets, 0);
    struct packet *a = port_take_reinjected(0);
    ck_assert_ptr_nonnull(a);
    uint32_t expected = 1500 - (_i & 2 ? 40 : 20) - 8 - 8 - 14;
    const uint8_t *icmp = a->data + 14 + (ip6 ? 40 : 20);
    ck_assert_uint_eq(ip6 ? get_be32(icmp + 4) : get_be16(icmp + 6), expected);
    ck_assert_uint_eq(a->in_port, 5);
    ck_assert(a->has_tunnel);
    ck_assert_uint_eq(be64toh(a->tunnel.id), 0x123456);
    if (_i & 2) {
        ck_assert(IN6_IS_ADDR_LOOPBACK(&a->tunnel.ip6_src));
    } else {
        ck_assert_uint_eq(a->tunnel.ip4_src, htobe32(INADDR_LOOPBACK));
        ck_assert_uint_eq(a->tunnel.ip4_dst, htobe32(0x7f000002));
    }
    packet_free(a);
    /* A storm of them is answered within bounds. */
    for (int i = 0; i < 1000; i++) {
        p = make_packet(device_pool, &r);
        set_tunnel(p, _i & 2, TUNNEL_DF);
        send_packet(carrier, device_pool, p);
        packet_free(port_take_reinjected(0));
    }
    ck_assert_uint_le(counters_of(carrier).made, 250);
}
END_TEST

START_TEST(without_df_the_host_fragments)
{
    static uint8_t payload[70000];
    run("ip link set lo mtu 1500");
    struct recipe r = { .proto = IP_PROTO_UDP, .payload = 1472 };
    struct packet *p = make_packet(device_pool, &r);
    set_tunnel(p, false, 0);
    send_packet(carrier, device_pool, p);
    uint32_t n_packets;
    ck_assert_uint_eq(collect(payload, sizeof payload, &n_packets, 1514), 1472);
}
END_TEST

START_TEST(syns_are_clamped)
{
    run("ip link set lo mtu 1500");
    struct recipe r = { .proto = IP_PROTO_TCP, .tcp_flags = TCP_SYN, .tcp_options = 4, .payload = 0 };
    struct packet *p = make_packet(device_pool, &r);
    memcpy(p->data + 54, "\x02\x04\x05\xb4", 4);   /* 1460 */
    memset(p->data + 50, 0, 2);
    const struct ip4_header *ip = (const void *) (p->data + 14);
    be16 sum = csum_finish(csum_add(csum_pseudo4(ip->src, ip->dst, IP_PROTO_TCP, 24), p->data + 34, 24));
    memcpy(p->data + 50, &sum, 2);
    set_tunnel(p, false, TUNNEL_DF | (_i ? TUNNEL_MSS_CLAMP : 0));
    send_packet(carrier, device_pool, p);
    p = receive_packet(carrier, 1000);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(get_be16(p->data + 56), _i ? 1500 - 36 - 14 - 40 : 1460);
    p->l3_ofs = 14;
    p->offload = 0;
    ck_assert(packet_csum_is_valid(p));
    packet_free(p);
}
END_TEST

START_TEST(ways_that_are_not_there)
{
    struct recipe r = { .proto = IP_PROTO_UDP, .payload = 10 };
    struct packet *p = make_packet(device_pool, &r);
    set_tunnel(p, false, 0);
    p->tunnel.ip4_dst = htobe32(0x0a090909);
    send_packet(carrier, device_pool, p);
    ck_assert_uint_eq(counters_of(carrier).drops[DROP_TUNNEL_NO_ROUTE], 1);
    p = make_packet(device_pool, &r);
    send_packet(carrier, device_pool, p);
    ck_assert_uint_eq(counters_of(carrier).drops[DROP_TUNNEL_NO_REMOTE], 1);
    p = make_packet(device_pool, &r);
    set_tunnel(p, false, 0);
    p->tunnel.ip4_dst = 0;
    send_packet(carrier, device_pool, p);
    ck_assert_uint_eq(counters_of(carrier).drops[DROP_TUNNEL_NO_REMOTE], 2);
}
END_TEST

static const struct {
    const char *bytes;
    size_t n;
    enum drop reason;
} bad[] = {
    { "\x08\0\0\0\0\0\1\0", 8, DROP_TUNNEL_MALFORMED },
    { "\x08\0\0", 3, DROP_TUNNEL_MALFORMED },
    { "", 0, DROP_TUNNEL_MALFORMED },
    { "\0\0\0\0\0\0\1\0abcdefabcdef\x08\0xxxxxxxx", 30, DROP_TUNNEL_NO_KEY },
};

START_TEST(bad_datagrams_are_counted)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htobe16(4789),
                              .sin_addr.s_addr = htobe32(INADDR_LOOPBACK) };
    ck_assert_int_eq(sendto(fd, bad[_i].bytes, bad[_i].n, 0, (void *) &to, sizeof to), (ssize_t) bad[_i].n);
    ck_assert_ptr_null(receive_packet(carrier, 20));
    ck_assert_uint_eq(counters_of(carrier).drops[bad[_i].reason], 1);
    ck_assert_uint_eq(counters_of(carrier).rx_packets, 1);
    close(fd);
}
END_TEST

START_TEST(a_taken_port_is_named)
{
    char *text = make_port_fails(&device_env, make_config("vxlan", "second", NULL));
    ck_assert_msg(strstr(text, "\"second\"") && strstr(text, "4789"), "%s", text);
    free(text);
    text = make_port_fails(&device_env, make_config("vxlan", "third", "dst_port=65536"));
    ck_assert_msg(strstr(text, "65536"), "%s", text);
    free(text);
    port_destroy(make_port(&device_env, make_config("vxlan", "other", "dst_port=8472"), 6));
}
END_TEST

START_TEST(routes_are_told)
{
    struct route route;
    struct in6_addr to;
    run("ip link add pa type veth peer name pb && ip link set pa up && ip link set pb up && ip link set pa mtu 1480 && "
        "ip addr add 192.0.2.1/24 dev pa && ip route add 198.51.100.0/24 via 192.0.2.254");
    ck_assert(parse_ip("198.51.100.7", &to));
    struct error *e = route_lookup(&to, &route);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    ck_assert_str_eq(route.ifname, "pa");
    ck_assert_uint_eq(ip6_to_ip4(&route.source), htobe32(0xc0000201));
    ck_assert_uint_eq(ip6_to_ip4(&route.gateway), htobe32(0xc00002fe));
    ck_assert_uint_eq(route.mtu, 1480);
    ck_assert(parse_ip("203.0.113.1", &to));
    e = route_lookup(&to, &route);
    ck_assert_msg(e && strstr(error_text(e), "203.0.113.1"), "%s", e ? error_text(e) : "");
    error_free(e);
}
END_TEST

TCase *vxlan_tcase(void)
{
    TCase *t = tcase_create("vxlan");
    tcase_set_timeout(t, 20);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, packets_come_back, 0, ARRAY_SIZE(trips));
    tcase_add_loop_test(t, a_batch_of_equal_packets_is_one_train, 0, 2);
    tcase_add_loop_test(t, outer_headers_are_as_asked, 0, ARRAY_SIZE(outers));
    tcase_add_test(t, source_ports_follow_the_flow);
    tcase_add_loop_test(t, too_big_is_answered, 0, 4);
    tcase_add_test(t, without_df_the_host_fragments);
    tcase_add_loop_test(t, syns_are_clamped, 0, 2);
    tcase_add_test(t, ways_that_are_not_there);
    tcase_add_loop_test(t, bad_datagrams_are_counted, 0, ARRAY_SIZE(bad));
    tcase_add_test(t, a_taken_port_is_named);
    tcase_add_test(t, routes_are_told);
    return t;
}
