/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed match of OpenFlow 1.0 (section 5.2.3 of that specification). */
#include "lib/base/parse.h"
#include "lib/openflow/wire.h"
#include "lib/packet/headers.h"

enum { W_IN_PORT = 1 << 0, W_VLAN = 1 << 1, W_SRC = 1 << 2, W_DST = 1 << 3, W_TYPE = 1 << 4, W_PROTO = 1 << 5,
       W_TP_SRC = 1 << 6, W_TP_DST = 1 << 7, W_NW_SRC_SHIFT = 8, W_NW_DST_SHIFT = 14, W_PCP = 1 << 20, W_TOS = 1 << 21 };
enum { VLAN_NONE_10 = 0xffff };

static be32 mask_of_wildcards(uint32_t wildcards, int shift)
{
    unsigned n = wildcards >> shift & 0x3f;
    return n >= 32 ? 0 : ip4_prefix_mask(32 - n);
}

static uint32_t wildcards_of_mask(be32 mask, int shift)
{
    int prefix = ip4_mask_prefix(mask);
    /* A mask that is no prefix cannot be said here; the nearest wider one is. */
    unsigned n = prefix >= 0 ? 32 - prefix : 32 - __builtin_clz(~be32toh(mask));
    return n << shift;
}

static void decode_vlan(uint32_t w, uint16_t vlan, uint8_t pcp, struct match *m)
{
    struct key_vlan *value = &m->value.key.l2.vlan[0], *mask = &m->mask.key.l2.vlan[0];
    if (!(w & W_VLAN) && vlan == VLAN_NONE_10) {
        value->tci = 0;
        mask->tci = 0xffff;
        return;
    }
    uint16_t tci = 0, tci_mask = 0;
    if (!(w & W_VLAN)) {
        tci |= VLAN_CFI | (vlan & VLAN_VID_MASK);
        tci_mask |= VLAN_CFI | VLAN_VID_MASK;
    }
    if (!(w & W_PCP)) {
        tci |= VLAN_CFI | (pcp & 7) << VLAN_PCP_SHIFT;
        tci_mask |= VLAN_CFI | VLAN_PCP_MASK;
    }
    value->tci = htobe16(tci);
    mask->tci = htobe16(tci_mask);
}

struct error *match10_decode(struct reader *r, struct match *m)
{
    match_init_any(m);
    struct fields *v = &m->value, *k = &m->mask;
    uint32_t w = reader_be32(r);
    uint16_t in_port = reader_be16(r);
    const struct eth_addr *src = reader_get(r, 6), *dst = reader_get(r, 6);
    uint16_t vlan = reader_be16(r);
    uint8_t pcp = reader_u8(r);
    reader_skip(r, 1);
    uint16_t type = reader_be16(r);
    uint8_t tos = reader_u8(r), proto = reader_u8(r);
    reader_skip(r, 2);
    be32 nw_src = htobe32(reader_be32(r)), nw_dst = htobe32(reader_be32(r));
    uint16_t tp_src = reader_be16(r), tp_dst = reader_be16(r);
    if (r->bad) {
        return error_new(OFPERR_OFPBRC_BAD_LEN, "match: cut short");
    }

    if (!(w & W_IN_PORT)) {
        v->in_port = ofp_port_from_10(in_port);
        k->in_port = UINT32_MAX;
    }
    if (!(w & W_SRC)) {
        v->key.l2.src = *src;
        memset(&k->key.l2.src, 0xff, 6);
    }
    if (!(w & W_DST)) {
        v->key.l2.dst = *dst;
        memset(&k->key.l2.dst, 0xff, 6);
    }
    decode_vlan(w, vlan, pcp, m);
    if (!(w & W_TYPE)) {
        v->key.l2.type = htobe16(type);
        k->key.l2.type = 0xffff;
    }
    if (!(w & W_TOS)) {
        v->key.l3.tos = tos & 0xfc;
        k->key.l3.tos = 0xfc;
    }
    if (!(w & W_PROTO)) {
        v->key.l3.proto = proto;
        k->key.l3.proto = 0xff;
    }
    k->key.l3.ip4_src = mask_of_wildcards(w, W_NW_SRC_SHIFT);
    v->key.l3.ip4_src = nw_src & k->key.l3.ip4_src;
    k->key.l3.ip4_dst = mask_of_wildcards(w, W_NW_DST_SHIFT);
    v->key.l3.ip4_dst = nw_dst & k->key.l3.ip4_dst;
    bool icmp = v->key.l3.proto == IP_PROTO_ICMP || v->key.l3.proto == IP_PROTO_ICMP6;
    if (!(w & W_TP_SRC)) {
        k->key.l4.src = icmp ? htobe16(0xff) : 0xffff;
        v->key.l4.src = htobe16(tp_src) & k->key.l4.src;
    }
    if (!(w & W_TP_DST)) {
        k->key.l4.dst = icmp ? htobe16(0xff) : 0xffff;
        v->key.l4.dst = htobe16(tp_dst) & k->key.l4.dst;
    }
    match_normalise(m);
    return NULL;
}

void match10_encode(struct buffer *b, const struct match *m)
{
    const struct fields *v = &m->value, *k = &m->mask;
    uint32_t w = 0;
    uint16_t tci = be16toh(v->key.l2.vlan[0].tci), tci_mask = be16toh(k->key.l2.vlan[0].tci);
    uint16_t vlan = 0;
    uint8_t pcp = 0;

    w |= k->in_port ? 0 : W_IN_PORT;
    w |= eth_addr_is_zero(k->key.l2.src) ? W_SRC : 0;
    w |= eth_addr_is_zero(k->key.l2.dst) ? W_DST : 0;
    if (tci_mask & VLAN_CFI && !(tci & VLAN_CFI)) {
        vlan = VLAN_NONE_10;
        w |= W_PCP;
    } else {
        vlan = tci & VLAN_VID_MASK;
        pcp = tci >> VLAN_PCP_SHIFT;
        w |= tci_mask & VLAN_VID_MASK ? 0 : W_VLAN;
        w |= tci_mask & VLAN_PCP_MASK ? 0 : W_PCP;
    }
    w |= k->key.l2.type ? 0 : W_TYPE;
    w |= k->key.l3.tos & 0xfc ? 0 : W_TOS;
    w |= k->key.l3.proto ? 0 : W_PROTO;
    w |= wildcards_of_mask(k->key.l3.ip4_src, W_NW_SRC_SHIFT);
    w |= wildcards_of_mask(k->key.l3.ip4_dst, W_NW_DST_SHIFT);
    w |= k->key.l4.src ? 0 : W_TP_SRC;
    w |= k->key.l4.dst ? 0 : W_TP_DST;

    buffer_put_be32(b, w);
    buffer_put_be16(b, k->in_port ? ofp_port_to_10(v->in_port) : 0);
    buffer_put(b, &v->key.l2.src, 6);
    buffer_put(b, &v->key.l2.dst, 6);
    buffer_put_be16(b, vlan);
    buffer_put_u8(b, pcp);
    buffer_put_u8(b, 0);
    buffer_put(b, &v->key.l2.type, 2);
    buffer_put_u8(b, v->key.l3.tos & 0xfc);
    buffer_put_u8(b, v->key.l3.proto);
    buffer_put_be16(b, 0);
    buffer_put(b, &v->key.l3.ip4_src, 4);
    buffer_put(b, &v->key.l3.ip4_dst, 4);
    buffer_put(b, &v->key.l4.src, 2);
    buffer_put(b, &v->key.l4.dst, 2);
}

struct error *ofp_match_decode(struct reader *r, enum ofp_version version, bool loose, struct match *m)
{
    return version == OFP10 ? match10_decode(r, m) : oxm_match_decode(r, loose, m);
}

void ofp_match_encode(struct buffer *b, const struct match *m, enum ofp_version version)
{
    if (version == OFP10) {
        match10_encode(b, m);
    } else {
        oxm_match_encode(b, m, version);
    }
}
