/* SPDX-License-Identifier: Apache-2.0 */
/* Internet checksums, CRC-32C, and completion of checksums that a sender left partial. */
#include "lib/packet/csum.h"

#include "lib/packet/headers.h"
#include "lib/packet/packet.h"
#include "lib/packet/transport.h"

/* Sums are of 16-bit words in memory order: the result is in wire order on any machine (RFC 1071 section 2 B). */

static inline uint32_t fold64(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    return sum;
}

uint32_t csum_add(uint32_t start, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint64_t sum = start;
    /* Four accumulators, for machines that add several a cycle; 32-bit pieces cannot overflow 64 bits here. */
    if (n >= 32) {
        uint64_t a = 0, b = 0, c = 0, d = 0;
        do {
            uint32_t w[8];
            memcpy(w, p, sizeof w);
            a += (uint64_t) w[0] + w[1];
            b += (uint64_t) w[2] + w[3];
            c += (uint64_t) w[4] + w[5];
            d += (uint64_t) w[6] + w[7];
            p += 32;
            n -= 32;
        } while (n >= 32);
        sum += a + b + c + d;
    }
    while (n >= 4) {
        uint32_t w;
        memcpy(&w, p, sizeof w);
        sum += w;
        p += 4;
        n -= 4;
    }
    if (n >= 2) {
        uint16_t w;
        memcpy(&w, p, sizeof w);
        sum += w;
        p += 2;
        n -= 2;
    }
    if (n) {
        uint8_t last[2] = { *p, 0 };
        uint16_t w;
        memcpy(&w, last, sizeof w);
        sum += w;
    }
    return fold64(sum);
}

be16 csum_finish(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

uint32_t csum_pseudo4(be32 src, be32 dst, uint8_t proto, uint16_t len)
{
    return fold64((uint64_t) src + dst + htobe16(proto) + htobe16(len));
}

uint32_t csum_pseudo6(const void *src, const void *dst, uint8_t proto, uint32_t len)
{
    uint32_t sum = csum_add(csum_add(0, src, 16), dst, 16);
    return fold64((uint64_t) sum + htobe32(len) + htobe16(proto));
}

be16 csum_update(be16 old_csum, const void *old, const void *new, size_t n)
{
    /* RFC 1624: HC' = ~(~HC + ~m + m'). */
    uint32_t removed = csum_add(0, old, n);
    uint64_t sum = (uint64_t) (uint16_t) ~old_csum + (uint16_t) csum_finish(removed) + csum_add(0, new, n);
    return csum_finish(fold64(sum));
}

/* ---- CRC-32C ---- */

static uint32_t crc32c_portable(uint32_t crc, const uint8_t *p, size_t n)
{
    /* Reflected polynomial 0x82f63b78, four bits a step. */
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    while (n--) {
        crc ^= *p++;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t wide = crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        wide = __builtin_ia32_crc32di(wide, w);
    }
    crc = wide;
    for (; n; n--) {
        crc = __builtin_ia32_crc32qi(crc, *p++);
    }
    return crc;
}
#endif

uint32_t crc32c(const void *p, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc32c_sse42(UINT32_MAX, p, n);
    }
#endif
    return ~crc32c_portable(UINT32_MAX, p, n);
}

/* ---- Packets ---- */

uint32_t packet_csum_range(const struct packet *p, size_t ofs, size_t n)
{
    uint32_t sum = 0;
    size_t in_head = 0;
    if (ofs < p->head_len) {
        in_head = MIN(n, p->head_len - ofs);
        sum = csum_add(0, p->data + ofs, in_head);
    }
    if (n > in_head) {
        uint32_t rest = csum_add(0, p->tail->bytes + p->tail_ofs + (ofs + in_head - p->head_len), n - in_head);
        if (in_head & 1) {
            /* The tail begins in the middle of a word (RFC 1071 section 2 B: swap). */
            rest = (rest & 0xffff) + (rest >> 16);
            rest = (rest & 0xffff) + (rest >> 16);
            rest = __builtin_bswap16(rest);
        }
        sum = fold64((uint64_t) sum + rest);
    }
    return sum;
}

void packet_csum_complete(struct packet *p)
{
    if (!(p->offload & OFFLOAD_CSUM_PARTIAL)) {
        return;
    }
    size_t at = (size_t) p->csum_start + p->csum_offset;
    if (at + 2 <= p->head_len) {
        be16 sum = csum_finish(packet_csum_range(p, p->csum_start, packet_len(p) - p->csum_start));
        if (!sum) {
            sum = 0xffff;   /* The same number, and 0 would mean "none" in UDP. */
        }
        memcpy(p->data + at, &sum, sizeof sum);
    }
    p->offload &= ~(OFFLOAD_CSUM_PARTIAL | OFFLOAD_NESTED);
    p->offload |= OFFLOAD_CSUM_VALID;
}

bool packet_csum_is_valid(const struct packet *p)
{
    if (p->offload & (OFFLOAD_CSUM_PARTIAL | OFFLOAD_CSUM_VALID) && !(p->offload & OFFLOAD_NESTED)) {
        return true;
    }
    struct transport t;
    if (!transport_find(p, p->l3_ofs, &t) || t.fragment) {
        return true;   /* Nothing here that could be checked. */
    }
    size_t end = (size_t) t.l4_ofs + t.l4_len;
    uint32_t pseudo = 0;
    switch (t.proto) {
    case IP_PROTO_UDP:
        if (t.l4_len < sizeof(struct udp_header) || t.l4_ofs + sizeof(struct udp_header) > p->head_len) {
            return false;
        }
        const struct udp_header *udp = (const void *) (p->data + t.l4_ofs);
        if (!udp->csum) {
            return true;
        }
        pseudo = transport_pseudo(p, &t, t.l4_len);
        break;
    case IP_PROTO_TCP:
        if (t.l4_len < sizeof(struct tcp_header)) {
            return false;
        }
        pseudo = transport_pseudo(p, &t, t.l4_len);
        break;
    case IP_PROTO_ICMP:
        if (t.is_ip6) {
            return true;
        }
        if (t.l4_len < 4) {
            return false;
        }
        break;
    case IP_PROTO_ICMP6:
        if (!t.is_ip6) {
            return true;
        }
        if (t.l4_len < 4) {
            return false;
        }
        pseudo = transport_pseudo(p, &t, t.l4_len);
        break;
    default:
        return true;
    }
    if (end > packet_len(p)) {
        return false;
    }
    uint64_t sum = (uint64_t) pseudo + packet_csum_range(p, t.l4_ofs, t.l4_len);
    return !csum_finish(fold64(sum));
}
