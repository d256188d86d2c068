/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes what is done with the payload of a datagram at a VXLAN port: header, inner offload state, congestion marks,
 * trains and their joining, answers that quote it. The first two bytes are the train's segment size. */
#include <stdlib.h>

#include "datapath/port/port.h"
#include "datapath/tunnel/decap.h"
#include "datapath/tunnel/merge.h"
#include "datapath/tunnel/too_big.h"
#include "datapath/tunnel/vxlan.h"
#include "lib/base/alloc.h"
#include "lib/packet/csum.h"
#include "lib/packet/gso.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void free_list(struct packet *p)
{
    while (p) {
        struct packet *next = p->next;
        packet_free(p);
        p = next;
    }
}

static void use_packet(struct packet *p, uint32_t udp_gso)
{
    decap_restore_offload(p, udp_gso);
    (void) decap_ecn(p);
    if (p->gso_size) {
        struct packet *list;
        packet_segment(NULL, p, p->gso_size, false, &list);
        free_list(list);
    } else {
        packet_csum_complete(p);
    }
    p->l3_ofs = 14;
    packet_free(too_big_answer(NULL, p, 1450));
    packet_free(p);
}

static void train(const uint8_t *payload, size_t n, uint32_t segment)
{
    struct merge merge = { .p = NULL };
    for (size_t ofs = 0; ofs < n; ofs += segment) {
        size_t len = MIN(segment, n - ofs);
        /* A piece of its own, so that reading past its end is seen. */
        uint8_t *piece = xmemdup(payload + ofs, len);
        uint32_t vni;
        enum drop reason;
        if (vxlan_parse(piece, len, &vni, &reason) && !merge_add(&merge, NULL, piece + VXLAN_HEADER, len - VXLAN_HEADER)) {
            packet_free(merge_finish(&merge));
            merge_add(&merge, NULL, piece + VXLAN_HEADER, len - VXLAN_HEADER);
        }
        free(piece);
    }
    struct packet *p = merge_finish(&merge);
    if (p && p->gso_size) {
        struct packet *list;
        p->l3_ofs = 14;
        packet_segment(NULL, p, p->gso_size, false, &list);
        free_list(list);
    }
    packet_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || n > 65535) {
        return 0;
    }
    uint32_t segment = get_be16(data), vni;
    enum drop reason;
    uint8_t *payload = n > 2 ? xmemdup(data + 2, n - 2) : xmalloc(1);
    n -= 2;
    bool one = decap_is_one_packet(payload, n, n);
    if (segment && segment < n && !one && n / segment <= 128) {
        train(payload, n, segment);
    } else if (vxlan_parse(payload, n, &vni, &reason)) {
        use_packet(packet_from_bytes(NULL, payload + VXLAN_HEADER, n - VXLAN_HEADER), one ? segment : 0);
    }
    free(payload);
    return 0;
}
