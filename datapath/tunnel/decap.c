/* SPDX-License-Identifier: Apache-2.0 */
/* Restores offload state and congestion marks of decapsulated packets. */
#include "datapath/tunnel/decap.h"

#include "lib/packet/csum.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"
#include "lib/packet/transport.h"

/* The network header of an Ethernet frame after at most two tags; 0: it is not IP, or not all there. */
static size_t find_l3(const uint8_t *f, size_t n)
{
    size_t ofs = 12;
    for (int tags = 0; tags < 3 && ofs + 2 <= n; tags++, ofs += 4) {
        uint16_t type = get_be16(f + ofs);
        if (type != ETH_TYPE_VLAN && type != ETH_TYPE_SVLAN) {
            return (type == ETH_TYPE_IP4 && ofs + 2 + 20 <= n) || (type == ETH_TYPE_IP6 && ofs + 2 + 40 <= n)
                   ? ofs + 2 : 0;
        }
    }
    return 0;
}

bool decap_is_one_packet(const uint8_t *payload, size_t n, size_t len)
{
    if (n < sizeof(struct vxlan_header)) {
        return false;
    }
    size_t l3 = find_l3(payload + sizeof(struct vxlan_header), n - sizeof(struct vxlan_header));
    if (!l3) {
        return false;
    }
    const uint8_t *ip = payload + sizeof(struct vxlan_header) + l3;
    size_t ip_len = ip[0] >> 4 == 4 ? get_be16(ip + 2) : get_be16(ip + 4) + 40u;
    return sizeof(struct vxlan_header) + l3 + ip_len == len;
}

void decap_restore_offload(struct packet *p, uint32_t udp_gso)
{
    struct transport t;
    size_t l3 = find_l3(p->data, p->head_len);
    if (!l3 || !transport_find(p, l3, &t) || t.fragment || l3 + (t.l4_ofs - l3) + t.l4_len > packet_len(p)) {
        return;
    }
    uint16_t field, header;
    if (t.proto == IP_PROTO_TCP && t.l4_ofs + sizeof(struct tcp_header) <= p->head_len) {
        field = offsetof(struct tcp_header, csum);
        header = (p->data[t.l4_ofs + 12] >> 4) * 4;
    } else if (t.proto == IP_PROTO_UDP && t.l4_ofs + sizeof(struct udp_header) <= p->head_len) {
        field = offsetof(struct udp_header, csum);
        header = sizeof(struct udp_header);
    } else {
        return;
    }
    be16 found, bare = ~csum_finish(transport_pseudo(p, &t, t.l4_len));
    memcpy(&found, p->data + t.l4_ofs + field, sizeof found);
    if (found != bare || t.l4_len < header || t.l4_ofs + header > p->head_len) {
        return;
    }
    p->offload = OFFLOAD_CSUM_PARTIAL;
    p->csum_start = t.l4_ofs;
    p->csum_offset = field;
    uint32_t payload = t.l4_len - header, size = 0;
    if (t.proto == IP_PROTO_UDP) {
        size = udp_gso;
    } else if (t.l4_ofs - l3 + t.l4_len > DECAP_MTU && header >= sizeof(struct tcp_header)) {
        size = DECAP_MTU - (t.l4_ofs - l3) - header;
    }
    if (size && size < payload && size <= UINT16_MAX) {
        p->gso = t.proto == IP_PROTO_UDP ? GSO_UDP : t.is_ip6 ? GSO_TCP6 : GSO_TCP4;
        p->gso_size = size;
        p->gso_segs = DIV_ROUND_UP(payload, size);
    }
}

bool decap_ecn(struct packet *p)
{
    size_t l3 = find_l3(p->data, p->head_len);
    if (!l3) {
        return true;
    }
    uint8_t *ip = p->data + l3;
    if (ip[0] >> 4 == 4) {
        if (!(ip[1] & 3)) {
            return false;
        }
        uint8_t old[2] = { ip[0], ip[1] };
        be16 sum;
        ip[1] |= 3;
        memcpy(&sum, ip + 10, sizeof sum);
        sum = csum_update(sum, old, ip, 2);
        memcpy(ip + 10, &sum, sizeof sum);
        return true;
    }
    /* The two bits lie in the second byte. */
    if (!(ip[1] & 0x30)) {
        return false;
    }
    ip[1] |= 0x30;
    return true;
}
