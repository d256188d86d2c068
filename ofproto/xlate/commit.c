/* SPDX-License-Identifier: Apache-2.0 */
/* Emitting what actions have changed: as late as possible, only what differs. */
#include "ofproto/xlate/state.h"

/* Members that are written whole where all their bits have been set, now or before. */
static const struct { uint8_t block, ofs, n; } members[] = {
#define MEMBER(BLOCK, STRUCT, NAME) { BLOCK, offsetof(struct STRUCT, NAME), sizeof ((struct STRUCT *) 0)->NAME }
    MEMBER(KEY_L2, key_l2, dst), MEMBER(KEY_L2, key_l2, src), MEMBER(KEY_L2, key_l2, mpls[0]),
    MEMBER(KEY_L3, key_l3, ip6_src), MEMBER(KEY_L3, key_l3, ip6_dst), MEMBER(KEY_L3, key_l3, ip4_src),
    MEMBER(KEY_L3, key_l3, ip4_dst), MEMBER(KEY_L3, key_l3, proto), MEMBER(KEY_L3, key_l3, tos),
    MEMBER(KEY_L3, key_l3, ttl), MEMBER(KEY_L3, key_l3, arp_sha), MEMBER(KEY_L3, key_l3, arp_tha),
    MEMBER(KEY_L4, key_l4, src), MEMBER(KEY_L4, key_l4, dst), MEMBER(KEY_L4, key_l4, nd_target),
    MEMBER(KEY_L4, key_l4, nd_sll), MEMBER(KEY_L4, key_l4, nd_tll), MEMBER(KEY_L4, key_l4, nd_reserved),
    MEMBER(KEY_L4, key_l4, nd_options_type),
#undef MEMBER
};

static void commit_block(struct xlate_state *, enum key_block);
static void round_up(const struct xlate_state *, enum key_block, uint8_t *mask);
static void commit_tags(struct xlate_state *);
static void commit_meta(struct xlate_state *);
static uint64_t emitted_bits(struct xlate_state *, enum key_block, int word);

void xl_commit(struct xlate_state *s)
{
    commit_block(s, KEY_L2);
    commit_tags(s);
    commit_block(s, KEY_L3);
    commit_block(s, KEY_L4);
    commit_meta(s);
}

static void commit_block(struct xlate_state *s, enum key_block block)
{
    uint64_t mask[KEY_BLOCK_WORDS], value[KEY_BLOCK_WORDS], any = 0;
    for (int i = 0; i < KEY_BLOCK_WORDS; i++) {
        mask[i] = emitted_bits(s, block, i);
        any |= mask[i];
    }
    if (any) {
        round_up(s, block, (uint8_t *) mask);
    }
    memcpy(s->base.words[block], s->now.f.key.words[block], sizeof mask);
    memcpy(s->base_fixed.words[block], s->now.fixed.key.words[block], sizeof mask);
    if (any) {
        for (int i = 0; i < KEY_BLOCK_WORDS; i++) {
            value[i] = s->now.f.key.words[block][i] & mask[i];
        }
        action_put_set(&s->out->actions, block, value, mask);
    }
}

static void round_up(const struct xlate_state *s, enum key_block block, uint8_t *mask)
{
    const uint8_t *fixed = (const uint8_t *) s->now.fixed.key.words[block];
    const uint8_t *base_fixed = (const uint8_t *) s->base_fixed.words[block];
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        uint8_t any = 0, same = 0xff;
        for (int j = 0; j < members[i].n; j++) {
            int at = members[i].ofs + j;
            any |= mask[at];
            same &= fixed[at] | base_fixed[at];
        }
        if (members[i].block == block && any && same == 0xff) {
            memset(mask + members[i].ofs, 0xff, members[i].n);
        }
    }
}

/* Which bits of this word of the key have to be set in the datapath's packet? Tags are not among them. A bit that
 * actions have set is set even if it was looked at and is the same: what else was looked at must not make a difference,
 * or rules that do not concern a flow would change its actions. */
static uint64_t emitted_bits(struct xlate_state *s, enum key_block block, int i)
{
    uint64_t now = s->now.f.key.words[block][i], fixed = s->now.fixed.key.words[block][i];
    uint64_t base = s->base.words[block][i], base_fixed = s->base_fixed.words[block][i];
    if (!(fixed | base_fixed) || (block == KEY_L2 && i == (int) (offsetof(struct key_l2, vlan) / 8))) {
        return 0;
    }
    s->wc.key.words[block][i] |= base_fixed & ~fixed;   /* To be the packet's own again. */
    return (fixed & ~base_fixed) | ((now ^ base) & base_fixed);
}

static void commit_tags(struct xlate_state *s)
{
    int now = s->now.tags.n, base = s->base_tags.n;
    const struct key_vlan *a = s->now.tags.tag, *b = s->base_tags.tag;
    while (now && base && a[now - 1].tpid == b[base - 1].tpid && a[now - 1].tci == b[base - 1].tci) {
        now--;
        base--;
    }
    while (base--) {
        action_put_pop_vlan(&s->out->actions);
    }
    while (now--) {
        action_put_push_vlan(&s->out->actions, a[now].tpid, a[now].tci);
    }
    s->base_tags = s->now.tags;
}

static void commit_meta(struct xlate_state *s)
{
    union { struct key_meta m; uint64_t words[KEY_BLOCK_WORDS]; } bits;
    for (int i = 0; i < KEY_BLOCK_WORDS; i++) {
        bits.words[i] = emitted_bits(s, KEY_META, i);
    }
    const struct key_meta *now = &s->now.f.key.meta;
    if (bits.m.mark || bits.m.priority) {
        action_put_meta(&s->out->actions, now->mark & bits.m.mark, bits.m.mark, bits.m.priority != 0,
                        bits.m.priority ? now->priority : 0);
    }
    s->base.meta = *now;
    s->base_fixed.meta = s->now.fixed.key.meta;
}
