/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds masks up to a bounded family for each guard. */
#include "ofproto/path/family.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/packet/headers.h"

void families_init(struct families *fs)
{
    hmap_init(&fs->map);
    fs->n_members = 0;
}

static void family_destroy(struct families *fs, struct family *f)
{
    for (uint32_t i = 0; i < f->n; i++) {
        free(f->members[i]);
    }
    fs->n_members -= f->n;
    hmap_remove(&fs->map, &f->node);
    free(f);
}

void families_fini(struct families *fs)
{
    struct family *f;
    HMAP_FOR_EACH (f, node, &fs->map) {
        family_destroy(fs, f);
    }
    hmap_fini(&fs->map);
}

static struct family *family_of(struct families *fs, const struct key *key)
{
    struct family_guard guard = {
        .in_port = key->meta.in_port,
        .tunnel_id = key->tunnel.id,
        .vlan = key->l2.vlan[0].tci & htobe16((VLAN_CFI | VLAN_VID_MASK)),
    };
    uint32_t hash = hash_int((uint64_t) guard.in_port << 32 ^ guard.tunnel_id ^ (uint64_t) guard.vlan << 16,
                             (uint32_t) hash_seed());
    struct family *f;
    HMAP_FOR_EACH_WITH_HASH (f, node, hash, &fs->map) {
        if (f->guard.in_port == guard.in_port && f->guard.tunnel_id == guard.tunnel_id
            && f->guard.vlan == guard.vlan) {
            return f;
        }
    }
    f = xzalloc(sizeof *f);
    f->guard = guard;
    hmap_insert(&fs->map, &f->node, hash);
    return f;
}

static struct family_member *member_add(struct families *fs, struct family *f, const struct mask *mask,
                                        bool is_last)
{
    struct family_member *m = xzalloc(sizeof *m);
    m->mask = *mask;
    m->family = f;
    m->is_last = is_last;
    f->members[f->n++] = m;
    fs->n_members++;
    return m;
}

static struct family_member *member_use(struct family_member *m)
{
    m->n_flows++;
    m->family->n_flows++;
    return m;
}

/* The member with the fewest bits that contains 'mask'. */
static struct family_member *smallest_containing(struct family *f, const struct mask *mask)
{
    struct family_member *best = NULL;
    for (uint32_t i = 0; i < f->n; i++) {
        struct family_member *m = f->members[i];
        if (mask_contains(&m->mask, mask)
            && (!best || mask_count_bits(&m->mask) < mask_count_bits(&best->mask))) {
            best = m;
        }
    }
    return best;
}

/* 'mask' joined with the member to which it adds the fewest bits. */
static void join_nearest(struct family *f, const struct mask *mask, struct mask *join)
{
    unsigned best = UINT32_MAX;
    for (uint32_t i = 0; i < f->n; i++) {
        struct mask both = *mask;
        mask_union(&both, &f->members[i]->mask);
        unsigned bits = mask_count_bits(&both);
        if (bits < best) {
            best = bits;
            *join = both;
        }
    }
}

static void put_guard_bits(struct mask *mask)
{
    mask->bits.meta.in_port = UINT32_MAX;
    mask->bits.tunnel.id = UINT64_MAX;
    mask->bits.l2.vlan[0].tci |= htobe16((VLAN_CFI | VLAN_VID_MASK));
    mask_seal(mask);
}

struct family_member *families_choose(struct families *fs, const struct key *key, const struct mask *needed,
                                      const struct mask *all_bits)
{
    struct family *f = family_of(fs, key);
    struct mask mask = *needed;
    put_guard_bits(&mask);

    for (uint32_t i = 0; i < f->n; i++) {
        if (mask_equal(&f->members[i]->mask, &mask)) {
            return member_use(f->members[i]);
        }
    }
    if (f->n < FAMILY_EXACT) {
        return member_use(member_add(fs, f, &mask, false));
    }
    struct family_member *m = smallest_containing(f, &mask);
    if (m) {
        return member_use(m);
    }
    if (f->n < FAMILY_MAX - 1) {
        struct mask join = mask;
        join_nearest(f, &mask, &join);
        return member_use(member_add(fs, f, &join, false));
    }
    if (f->n < FAMILY_MAX) {
        mask_union(&mask, all_bits);
        mask_seal(&mask);
        return member_use(member_add(fs, f, &mask, true));
    }
    return NULL;
}

struct family_member *families_adopt(struct families *fs, const struct key *key, const struct mask *mask)
{
    struct family *f = family_of(fs, key);
    for (uint32_t i = 0; i < f->n; i++) {
        if (mask_equal(&f->members[i]->mask, mask)) {
            return member_use(f->members[i]);
        }
    }
    return f->n < FAMILY_MAX ? member_use(member_add(fs, f, mask, false)) : NULL;
}

void families_release(struct families *fs, struct family_member *m)
{
    struct family *f = m->family;
    f->n_flows--;
    if (--m->n_flows) {
        return;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->members[i] == m) {
            f->members[i] = f->members[--f->n];
            break;
        }
    }
    fs->n_members--;
    free(m);
    if (!f->n) {
        hmap_remove(&fs->map, &f->node);
        free(f);
    }
}
