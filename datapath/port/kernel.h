/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the kernel's interfaces that the headers of Debian 12 (Linux 6.1) or its C library do not have. */
#ifndef DATAPATH_PORT_KERNEL_H
#define DATAPATH_PORT_KERNEL_H

/* bpf(2): enum bpf_attach_type, Linux 6.6. */
#define KERNEL_BPF_TCX_INGRESS 46

/* linux/if_tun.h, Linux 6.2: segmentation of UDP. */
#define KERNEL_TUN_F_USO4 0x20
#define KERNEL_TUN_F_USO6 0x40

/* linux/if_packet.h, Linux 4.20. */
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* linux/udp.h, Linux 4.18 and 5.0. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* linux/netlink.h, Linux 4.2. */
#ifndef NETLINK_LISTEN_ALL_NSID
#define NETLINK_LISTEN_ALL_NSID 8
#endif

#endif
