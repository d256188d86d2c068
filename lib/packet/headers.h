/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol headers as they lie on the wire, and their numbers. All members are in network order and every
 * struct may lie at any address. */
#ifndef LIB_PACKET_HEADERS_H
#define LIB_PACKET_HEADERS_H

#include "lib/base/types.h"

#define PACKED __attribute__((packed))

enum {
    ETH_TYPE_IP4 = 0x0800, ETH_TYPE_ARP = 0x0806, ETH_TYPE_RARP = 0x8035, ETH_TYPE_IP6 = 0x86dd,
    ETH_TYPE_VLAN = 0x8100, ETH_TYPE_SVLAN = 0x88a8, ETH_TYPE_MPLS = 0x8847, ETH_TYPE_MPLS_MC = 0x8848,
    ETH_TYPE_LLDP = 0x88cc, ETH_TYPE_SLOW = 0x8809, ETH_TYPE_MIN = 0x600, ETH_TYPE_TEB = 0x6558,
    ETH_TYPE_LLC = 0x05ff,   /* What the key holds for 802.3 frames without a SNAP Ethertype (OpenFlow 1.0). */
};
enum {
    IP_PROTO_HOPOPTS = 0, IP_PROTO_ICMP = 1, IP_PROTO_IGMP = 2, IP_PROTO_TCP = 6, IP_PROTO_UDP = 17,
    IP_PROTO_ROUTING = 43, IP_PROTO_FRAGMENT = 44, IP_PROTO_GRE = 47, IP_PROTO_ESP = 50, IP_PROTO_AH = 51,
    IP_PROTO_ICMP6 = 58, IP_PROTO_NONE = 59, IP_PROTO_DSTOPTS = 60, IP_PROTO_MH = 135, IP_PROTO_SCTP = 132,
    IP_PROTO_UDPLITE = 136,
};
enum { VLAN_CFI = 0x1000, VLAN_VID_MASK = 0x0fff, VLAN_PCP_SHIFT = 13, VLAN_PCP_MASK = 0xe000 };

struct eth_header { struct eth_addr dst, src; be16 type; } PACKED;
struct vlan_header { be16 tpid, tci; } PACKED;
struct arp_header {
    be16 hrd, pro; uint8_t hln, pln; be16 op;
    struct eth_addr sha; be32 spa; struct eth_addr tha; be32 tpa;
} PACKED;
struct ip4_header {
    uint8_t ihl_version, tos; be16 len, id, frag; uint8_t ttl, proto; be16 csum; be32 src, dst;
} PACKED;
enum { IP4_MF = 0x2000, IP4_DF = 0x4000, IP4_FRAG_OFS_MASK = 0x1fff };
struct ip6_header { be32 flow; be16 len; uint8_t next, hop; uint8_t src[16], dst[16]; } PACKED;
struct ip6_ext_header { uint8_t next, len; } PACKED;
struct ip6_frag_header { uint8_t next, reserved; be16 ofs; be32 id; } PACKED;
struct tcp_header {
    be16 src, dst; be32 seq, ack; be16 flags; /* Data offset in the top 4 bits. */
    be16 window, csum, urgent;
} PACKED;
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64, TCP_CWR = 128 };
struct udp_header { be16 src, dst, len, csum; } PACKED;
struct sctp_header { be16 src, dst; be32 vtag, csum; } PACKED;
struct icmp_header { uint8_t type, code; be16 csum; be32 rest; } PACKED;
enum { ICMP4_ECHO_REPLY = 0, ICMP4_UNREACH = 3, ICMP4_FRAG_NEEDED = 4, ICMP4_ECHO = 8, ICMP4_TIME_EXCEEDED = 11 };
enum { ICMP6_PACKET_TOO_BIG = 2, ICMP6_TIME_EXCEEDED = 3, ICMP6_ECHO = 128, ICMP6_ECHO_REPLY = 129,
       ICMP6_NS = 135, ICMP6_NA = 136 };
struct nd_message { uint8_t type, code; be16 csum; be32 reserved; uint8_t target[16]; } PACKED;
struct nd_option { uint8_t type, len; struct eth_addr mac; } PACKED;
enum { ND_OPT_SLL = 1, ND_OPT_TLL = 2 };
struct vxlan_header { be32 flags, vni; } PACKED;   /* RFC 7348 section 5. */
enum { VXLAN_FLAG_VNI = 0x08000000 };

#endif
