/* SPDX-License-Identifier: Apache-2.0 */
/* The rig of the engine's tests. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/sys/channel.h"
#include "tests/unit/datapath/engine/engine_tests.h"

void must(struct error *e)
{
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
}

void rig_connect(struct rig *r)
{
    int fds[2];
    ck_assert_int_eq(channel_pair(fds), 0);
    must(datapath_serve_fd(r->dp, fds[0]));
    must(dp_client_from_fd(fds[1], NULL, NULL, &r->c));
    ck_assert(dp_client_is_connected(r->c));
}

void rig_disconnect(struct rig *r)
{
    dp_client_destroy(r->c);
    r->c = NULL;
}

void rig_start(struct rig *r, const struct datapath_options *options)
{
    struct datapath_options o;
    datapath_options_init(&o);
    o.enable_system = false;
    must(datapath_create(options ? options : &o, &r->dp));
    rig_connect(r);
    for (unsigned i = 1; i <= RIG_PORTS; i++) {
        struct dp_port_config c;
        dp_port_config_init(&c);
        c.name = xasprintf("p%u", i);
        c.type = xstrdup("dummy");
        c.mtu = 9000;
        must(dp_port_add(r->c, &c, &r->port[i]));
        dp_port_config_fini(&c);
    }
}

void rig_stop(struct rig *r)
{
    rig_disconnect(r);
    datapath_destroy(r->dp);
}

size_t make_frame(uint8_t *to, uint32_t flow, size_t payload)
{
    size_t ip_len = sizeof(struct ip4_header) + sizeof(struct udp_header) + payload;
    struct eth_header *eth = (struct eth_header *) to;
    struct ip4_header *ip = (struct ip4_header *) (eth + 1);
    struct udp_header *udp = (struct udp_header *) (ip + 1);
    *eth = (struct eth_header) { { { 2, 0, 0, 0, 0, 2 } }, { { 2, 0, 0, 0, 0, 1 } }, htobe16(ETH_TYPE_IP4) };
    *ip = (struct ip4_header) { .ihl_version = 0x45, .len = htobe16(ip_len), .ttl = 64, .proto = IP_PROTO_UDP,
                                .src = htobe32(0x0a000001), .dst = htobe32(0x0a000002) };
    *udp = (struct udp_header) { htobe16(flow), htobe16(53 + (flow >> 16)), htobe16(8 + payload), 0 };
    memset(udp + 1, flow, payload);
    be16 sum = csum(ip, sizeof *ip);
    memcpy(&ip->csum, &sum, 2);
    sum = csum_finish(csum_add(csum_pseudo4(ip->src, ip->dst, ip->proto, 8 + payload), udp, 8 + payload));
    memcpy(&udp->csum, &sum, 2);
    return sizeof *eth + ip_len;
}

void rig_feed(struct rig *r, unsigned port, uint32_t flow, size_t payload)
{
    uint8_t frame[16384];
    char name[8];
    size_t n = make_frame(frame, flow, payload);
    snprintf(name, sizeof name, "p%u", port);
    must(dp_dummy_receive(r->c, name, frame, n));
}

size_t rig_upcalls(struct rig *r, struct dp_upcall *u, size_t max)
{
    size_t n = 0, more;
    must(dp_sync(r->c));
    while (n < max && (more = dp_upcall_recv(r->c, u + n, max - n))) {
        n += more;
    }
    return n;
}

uint64_t rig_sent(struct rig *r, unsigned port)
{
    struct dp_port_stats s;
    must(dp_sync(r->c));
    must(dp_port_get_stats(r->c, r->port[port], &s));
    return s.tx_packets;
}

struct dp_stats rig_stats(struct rig *r)
{
    struct dp_stats s;
    must(dp_sync(r->c));
    must(dp_get_stats(r->c, &s));
    return s;
}

void rig_check_balance(struct rig *r)
{
    struct dp_stats s = rig_stats(r);
    uint64_t dropped = 0;
    for (unsigned i = 0; i < DROP_N; i++) {
        dropped += s.drops[i];
    }
    ck_assert_msg(s.received + s.made == s.sent + dropped + s.consumed + s.n_pending,
                  "received %llu + made %llu != sent %llu + dropped %llu + consumed %llu + waiting %u",
                  (unsigned long long) s.received, (unsigned long long) s.made, (unsigned long long) s.sent,
                  (unsigned long long) dropped, (unsigned long long) s.consumed, s.n_pending);
}

void flow_mask_exact(struct mask *m)
{
    memset(m, 0, sizeof *m);
    m->bits.meta.in_port = UINT32_MAX;
    m->bits.meta.recirc_id = UINT32_MAX;
    m->bits.tunnel.id = UINT64_MAX;
    m->bits.l2.vlan[0].tci = htobe16(VLAN_CFI | VLAN_VID_MASK);
    m->bits.l2.type = 0xffff;
    m->bits.l3.proto = 0xff;
    m->bits.l4.src = m->bits.l4.dst = 0xffff;
    mask_seal(m);
}

void rig_put(struct rig *r, uint64_t id, const struct key *key, unsigned port)
{
    struct action_list a;
    struct mask m;
    action_list_init(&a);
    if (port) {
        action_put_output(&a, r->port[port]);
    } else {
        action_put_drop(&a, DROP_ACTION);
    }
    flow_mask_exact(&m);
    dp_flow_put(r->c, id, id, 1, key, &m, &a);
    action_list_fini(&a);
}
