/* SPDX-License-Identifier: Apache-2.0 */
/* Takes outer headers off and puts them on, for dummy carriers. */
#include "datapath/port/dummy_tunnel.h"

#include "datapath/port/offload.h"
#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/transport.h"

enum { UDP_AND_VXLAN = sizeof(struct udp_header) + sizeof(struct vxlan_header) };

bool dummy_decap(struct packet *p, uint16_t udp_port, enum drop *reason)
{
    struct transport t;
    uint32_t l3 = offload_find_l3(p);
    *reason = DROP_TUNNEL_MALFORMED;
    if (!l3 || !transport_find(p, l3, &t) || t.fragment || t.proto != IP_PROTO_UDP ||
        t.l4_len < UDP_AND_VXLAN + sizeof(struct eth_header) || t.l4_ofs + UDP_AND_VXLAN > p->head_len ||
        get_be16(p->data + t.l4_ofs + 2) != udp_port) {
        return false;
    }
    const uint8_t *ip = p->data + l3;
    const struct udp_header *udp = (const void *) (p->data + t.l4_ofs);
    const struct vxlan_header *vxlan = (const void *) (udp + 1);
    if (!(vxlan->flags & htobe32(VXLAN_FLAG_VNI))) {
        *reason = DROP_TUNNEL_NO_KEY;
        return false;
    }
    struct tunnel_key *k = &p->tunnel;
    memset(k, 0, sizeof *k);
    if (t.is_ip6) {
        const struct ip6_header *ip6 = (const void *) ip;
        memcpy(&k->ip6_src, ip6->src, 16);
        memcpy(&k->ip6_dst, ip6->dst, 16);
        k->tos = be32toh(ip6->flow) >> 20;
        k->ttl = ip6->hop;
    } else {
        const struct ip4_header *ip4 = (const void *) ip;
        k->ip4_src = ip4->src;
        k->ip4_dst = ip4->dst;
        k->tos = ip4->tos;
        k->ttl = ip4->ttl;
    }
    k->id = htobe64(be32toh(vxlan->vni) >> 8);
    k->tp_src = udp->src;
    k->tp_dst = udp->dst;
    k->flags = TUNNEL_KEY;
    p->has_tunnel = true;
    /* Padding of the outer frame is not the inner one's. */
    packet_truncate(p, t.l4_ofs + t.l4_len);
    packet_pull(p, t.l4_ofs + UDP_AND_VXLAN);
    return true;
}

static void put_ip(uint8_t *at, const struct tunnel_key *k, uint32_t len)
{
    if (k->ip4_dst) {
        struct ip4_header *ip = (void *) at;
        *ip = (struct ip4_header) {
            .ihl_version = 0x45, .tos = k->tos, .len = htobe16(sizeof *ip + len),
            .frag = htobe16(k->flags & TUNNEL_DF ? IP4_DF : 0), .ttl = k->ttl, .proto = IP_PROTO_UDP,
            .src = k->ip4_src, .dst = k->ip4_dst,
        };
        ip->csum = csum(ip, sizeof *ip);
    } else {
        struct ip6_header *ip = (void *) at;
        *ip = (struct ip6_header) { .flow = htobe32(UINT32_C(6) << 28 | (uint32_t) k->tos << 20),
                                    .len = htobe16(len), .next = IP_PROTO_UDP, .hop = k->ttl };
        memcpy(ip->src, &k->ip6_src, 16);
        memcpy(ip->dst, &k->ip6_dst, 16);
    }
}

bool dummy_encap(struct packet *p, uint16_t udp_port, enum drop *reason)
{
    const struct tunnel_key *k = &p->tunnel;
    bool ip6 = !k->ip4_dst;
    if (!p->has_tunnel || (ip6 && IN6_IS_ADDR_UNSPECIFIED(&k->ip6_dst))) {
        *reason = DROP_TUNNEL_NO_REMOTE;
        return false;
    }
    uint32_t ip_len = ip6 ? sizeof(struct ip6_header) : sizeof(struct ip4_header);
    uint32_t len = UDP_AND_VXLAN + packet_len(p);
    struct eth_header *eth = len > UINT16_MAX - ip_len ? NULL
                             : packet_push(p, sizeof *eth + ip_len + UDP_AND_VXLAN);
    if (!eth) {
        *reason = len > UINT16_MAX - ip_len ? DROP_TUNNEL_MTU : DROP_NO_HEADROOM;
        return false;
    }
    memset(eth, 0, sizeof *eth);
    eth->type = htobe16(ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
    uint8_t *ip = (uint8_t *) (eth + 1);
    put_ip(ip, k, len);
    struct udp_header *udp = (void *) (ip + ip_len);
    struct vxlan_header *vxlan = (void *) (udp + 1);
    *udp = (struct udp_header) { .src = k->tp_src ? k->tp_src : htobe16(32768 + p->hash % 28232),
                                 .dst = htobe16(udp_port), .len = htobe16(len) };
    *vxlan = (struct vxlan_header) { .flags = htobe32(VXLAN_FLAG_VNI),
                                     .vni = htobe32((uint32_t) be64toh(k->id) << 8) };
    if (ip6 || k->flags & TUNNEL_CSUM) {
        uint32_t pseudo = ip6 ? csum_pseudo6(&k->ip6_src, &k->ip6_dst, IP_PROTO_UDP, len)
                              : csum_pseudo4(k->ip4_src, k->ip4_dst, IP_PROTO_UDP, len);
        uint64_t sum = (uint64_t) pseudo + packet_csum_range(p, sizeof *eth + ip_len, len);
        udp->csum = csum_finish((uint32_t) sum + (uint32_t) (sum >> 32));
        udp->csum = udp->csum ? udp->csum : 0xffff;
    }
    return true;
}
