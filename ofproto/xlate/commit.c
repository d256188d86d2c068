/* SPDX-License-Identifier: Apache-2.0 */
/* Emitting what actions have changed: as late as possible, only what differs. */
#include "ofproto/xlate/state.h"

static void commit_block(struct xlate_state *, enum key_block);
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
        value[i] = s->now.f.key.words[block][i] & mask[i];
        s->base.words[block][i] = s->now.f.key.words[block][i];
        s->base_fixed.words[block][i] = s->now.fixed.key.words[block][i];
    }
    if (any) {
        action_put_set(&s->out->actions, block, value, mask);
    }
}

/* Which bits of this word of the key have to be set in the datapath's packet? Tags are not among them. */
static uint64_t emitted_bits(struct xlate_state *s, enum key_block block, int i)
{
    uint64_t now = s->now.f.key.words[block][i], fixed = s->now.fixed.key.words[block][i];
    uint64_t base = s->base.words[block][i], base_fixed = s->base_fixed.words[block][i];
    if (!(fixed | base_fixed) || (block == KEY_L2 && i == (int) (offsetof(struct key_l2, vlan) / 8))) {
        return 0;
    }
    uint64_t *wc = &s->wc.key.words[block][i];
    *wc |= base_fixed & ~fixed;                      /* To be the packet's own again. */
    uint64_t known = base_fixed | *wc;               /* What the datapath's packet has is the same in the whole flow. */
    return (fixed & ~known) | ((now ^ base) & (fixed | base_fixed));
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
