/* SPDX-License-Identifier: Apache-2.0 */
/* Between virtio-net headers and the packet's offload state. */
#include "lib/packet/vnet.h"

#include "lib/packet/gso.h"
#include "lib/packet/headers.h"
#include "lib/packet/packet.h"

/* virtio 1.2 section 5.1.6; the values of linux/virtio_net.h, some newer than the headers of Debian 12. */
enum { VNET_NEEDS_CSUM = 1, VNET_DATA_VALID = 2 };
enum { VNET_GSO_NONE = 0, VNET_GSO_TCP4 = 1, VNET_GSO_UFO = 3, VNET_GSO_TCP6 = 4, VNET_GSO_UDP = 5, VNET_GSO_ECN = 0x80 };
enum { TCP_CSUM_OFS = 16, UDP_CSUM_OFS = 6 };

bool vnet_to_packet(const struct vnet_header *h, bool vlan_inserted, struct packet *p)
{
    p->offload = 0;
    p->gso = GSO_NONE;
    p->gso_size = 0;
    p->gso_segs = 1;
    p->gso_ecn = false;
    p->csum_start = p->csum_offset = 0;
    if (LIKELY(!h->flags && h->gso_type == VNET_GSO_NONE)) {
        return true;
    }
    if (h->flags & VNET_NEEDS_CSUM) {
        uint32_t start = h->csum_start + (vlan_inserted ? 4 : 0);
        if (start < sizeof(struct eth_header) || start + h->csum_offset + 2 > p->head_len) {
            return false;
        }
        p->csum_start = start;
        p->csum_offset = h->csum_offset;
        p->offload = OFFLOAD_CSUM_PARTIAL;
    } else if (h->flags & VNET_DATA_VALID) {
        p->offload = OFFLOAD_CSUM_VALID;
    }
    if (h->gso_type == VNET_GSO_NONE) {
        return true;
    }

    uint8_t gso;
    switch (h->gso_type & ~VNET_GSO_ECN) {
    case VNET_GSO_TCP4:
        gso = GSO_TCP4;
        break;
    case VNET_GSO_TCP6:
        gso = GSO_TCP6;
        break;
    case VNET_GSO_UDP:
        gso = GSO_UDP;
        break;
    default:
        return false;
    }
    /* Kernels and guests that send GSO leave the checksum to be completed; without it we would not know where the
     * header is. */
    uint32_t header_len = sizeof(struct udp_header);
    if (!(p->offload & OFFLOAD_CSUM_PARTIAL) || !h->gso_size ||
        p->csum_offset != (gso == GSO_UDP ? UDP_CSUM_OFS : TCP_CSUM_OFS)) {
        return false;
    }
    if (gso != GSO_UDP) {
        header_len = (p->data[p->csum_start + 12] >> 4) * 4;
    }
    header_len += p->csum_start;
    if (header_len > p->head_len) {
        return false;
    }
    uint32_t payload = packet_len(p) - header_len;
    uint32_t segs = DIV_ROUND_UP(payload, h->gso_size);
    if (segs > PACKET_MAX_SEGMENTS) {
        return false;
    }
    if (segs > 1) {
        p->gso = gso;
        p->gso_size = h->gso_size;
        p->gso_segs = segs;
        p->gso_ecn = h->gso_type & VNET_GSO_ECN;
    }
    return true;
}

void vnet_from_packet(const struct packet *p, struct vnet_header *h)
{
    static const uint8_t types[] = {
        [GSO_NONE] = VNET_GSO_NONE, [GSO_TCP4] = VNET_GSO_TCP4, [GSO_TCP6] = VNET_GSO_TCP6, [GSO_UDP] = VNET_GSO_UDP,
    };
    memset(h, 0, sizeof *h);
    if (p->offload & OFFLOAD_CSUM_PARTIAL) {
        h->flags = VNET_NEEDS_CSUM;
        h->csum_start = p->csum_start;
        h->csum_offset = p->csum_offset;
    } else if (p->offload & OFFLOAD_CSUM_VALID) {
        h->flags = VNET_DATA_VALID;
    }
    if (p->gso_size) {
        uint32_t header_len = sizeof(struct udp_header);
        if (p->gso != GSO_UDP && p->csum_start + 13u <= p->head_len) {
            header_len = (p->data[p->csum_start + 12] >> 4) * 4;
        }
        h->gso_type = types[p->gso] | (p->gso_ecn ? VNET_GSO_ECN : 0);
        h->gso_size = p->gso_size;
        h->hdr_len = MIN(p->csum_start + header_len, p->head_len);
    }
}
