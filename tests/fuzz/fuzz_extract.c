/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile frames: parse, complete checksums, segment, clamp, compose again. The first bytes of the input are the
 * virtio-net header that came with the frame, and how to cut it. */
#include <stdlib.h>

#include "lib/flow/compose.h"
#include "lib/flow/key.h"
#include "lib/packet/csum.h"
#include "lib/packet/gso.h"
#include "lib/packet/packet.h"
#include "lib/packet/vnet.h"

enum { BASIS = 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void free_list(struct packet *p)
{
    while (p) {
        struct packet *next = p->next;
        packet_free(p);
        p = next;
    }
}

static void check_offsets(const struct packet *p)
{
    require(p->l2_type_ofs + 2u <= p->head_len || !p->l2_type_ofs);
    require(p->l3_ofs <= p->head_len && p->l4_ofs <= p->head_len && p->payload_ofs <= p->head_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct vnet_header vnet, back;
    uint8_t how[4];
    if (n < sizeof vnet + sizeof how) {
        return 0;
    }
    memcpy(&vnet, data, sizeof vnet);
    memcpy(how, data + sizeof vnet, sizeof how);
    data += sizeof vnet + sizeof how;
    n -= sizeof vnet + sizeof how;

    /* The bytes at the very end of an allocation, for the sanitizer to watch. */
    struct packet *exact = packet_new(NULL);
    exact->head_len = MIN(n, PACKET_SPLIT);
    exact->data = malloc(MAX(exact->head_len, 1));
    memcpy(exact->data, data, exact->head_len);
    struct key key, other;
    key_extract(exact, &key, BASIS);
    check_offsets(exact);
    free(exact->data);
    packet_free(exact);

    struct packet *p = packet_from_bytes(NULL, data, n);
    if (!p) {
        return 0;
    }
    bool good = vnet_to_packet(&vnet, how[0] & 1, p);
    if (!good) {
        p->offload = 0;
        p->gso = p->gso_size = 0;
    }
    struct packet_batch batch = { 1, { p } };
    key_extract_batch(&batch, &key, BASIS);
    check_offsets(p);
    vnet_from_packet(p, &back);

    (void) packet_csum_is_valid(p);
    uint16_t size = p->gso_size ? p->gso_size : 1 + how[1] * 8;
    require(packet_segment_len(p) <= packet_len(p));
    struct packet *first;
    uint32_t n_segs = packet_segment(NULL, p, size, how[0] & 2, &first), count = 0;
    for (struct packet *seg = first; seg; seg = seg->next, count++) {
        key_extract(seg, &other, BASIS);
        check_offsets(seg);
        packet_csum_complete(seg);
        if (!(how[0] & 4)) {
            break;
        }
    }
    require(count <= n_segs);
    free_list(first);

    struct packet *clone = packet_clone(NULL, p);
    packet_clamp_mss(clone, 500);
    packet_csum_complete(clone);
    if (clone->l2_type_ofs && packet_insert(clone, clone->l2_type_ofs, 4)) {
        packet_remove(clone, 12, 4);
    }
    packet_truncate(clone, how[2] * 16);
    key_extract(clone, &other, BASIS);
    check_offsets(clone);
    packet_free(clone);
    packet_free(p);

    p = packet_compose(&key, how[3]);
    key_extract(p, &other, BASIS);
    packet_free(p);
    return 0;
}
