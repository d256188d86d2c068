/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of datapath actions: building, comparing, checking. */
#include "lib/flow/action.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/packet/headers.h"
#include "spec/drops.h"

enum { MAX_ACTIONS = 8192, MAX_DEPTH = 16 };

void action_list_init(struct action_list *l)
{
    memset(l, 0, sizeof *l);
}

void action_list_fini(struct action_list *l)
{
    free(l->actions);
    free(l->sets);
    free(l->tunnels);
    memset(l, 0, sizeof *l);
}

void action_list_clear(struct action_list *l)
{
    l->n = l->n_sets = l->n_tunnels = 0;
}

/* Room for one more of 'size' bytes in an array of 'n'. */
static void *grow(void *array, uint32_t n, uint32_t *allocated, size_t size)
{
    if (n < *allocated) {
        return array;
    }
    size_t wanted = *allocated;
    array = xgrow(array, &wanted, size);
    *allocated = wanted;
    return array;
}

/* Only as much is allocated as there is: installed flows are many. */
void action_list_clone(struct action_list *to, const struct action_list *from)
{
    *to = (struct action_list) {
        .n = from->n, .allocated = from->n,
        .n_sets = from->n_sets, .allocated_sets = from->n_sets,
        .n_tunnels = from->n_tunnels, .allocated_tunnels = from->n_tunnels,
    };
    if (from->n) {
        to->actions = xmemdup(from->actions, from->n * sizeof *from->actions);
    }
    if (from->n_sets) {
        to->sets = xmemdup(from->sets, from->n_sets * sizeof *from->sets);
    }
    if (from->n_tunnels) {
        to->tunnels = xmemdup(from->tunnels, from->n_tunnels * sizeof *from->tunnels);
    }
}

static bool same(const void *a, const void *b, size_t n)
{
    return !n || !memcmp(a, b, n);
}

bool action_list_equal(const struct action_list *a, const struct action_list *b)
{
    /* action_put() zeroes what a type does not use, so bytes can be compared. */
    return a->n == b->n && a->n_sets == b->n_sets && a->n_tunnels == b->n_tunnels &&
           same(a->actions, b->actions, a->n * sizeof *a->actions) &&
           same(a->sets, b->sets, a->n_sets * sizeof *a->sets) &&
           same(a->tunnels, b->tunnels, a->n_tunnels * sizeof *a->tunnels);
}

static struct action *put(struct action_list *l, enum action_type type)
{
    l->actions = grow(l->actions, l->n, &l->allocated, sizeof *l->actions);
    struct action *a = &l->actions[l->n++];
    memset(a, 0, sizeof *a);
    a->type = type;
    return a;
}

void action_put_output(struct action_list *l, uint32_t port)
{
    put(l, ACTION_OUTPUT)->port = port;
}

void action_put_userspace(struct action_list *l, enum upcall_reason reason, uint32_t max_len, uint64_t cookie)
{
    struct action *a = put(l, ACTION_USERSPACE);
    a->userspace.reason = reason;
    a->userspace.max_len = max_len;
    a->userspace.cookie = cookie;
}

void action_put_set(struct action_list *l, enum key_block block, const void *value, const void *mask)
{
    uint32_t index = l->n_sets;
    l->sets = grow(l->sets, l->n_sets, &l->allocated_sets, sizeof *l->sets);
    struct action_set *set = &l->sets[l->n_sets++];
    memcpy(set->mask, mask, sizeof set->mask);
    memcpy(set->value, value, sizeof set->value);
    for (int i = 0; i < KEY_BLOCK_WORDS; i++) {
        set->value[i] &= set->mask[i];
    }
    struct action *a = put(l, ACTION_SET_MASKED);
    a->set.block = block;
    a->set.index = index;
}

void action_put_push_vlan(struct action_list *l, be16 tpid, be16 tci)
{
    struct action *a = put(l, ACTION_PUSH_VLAN);
    a->vlan.tpid = tpid;
    a->vlan.tci = tci | htobe16(VLAN_CFI);
}

void action_put_pop_vlan(struct action_list *l)
{
    put(l, ACTION_POP_VLAN);
}

void action_put_tunnel(struct action_list *l, const struct tunnel_key *key)
{
    l->tunnels = grow(l->tunnels, l->n_tunnels, &l->allocated_tunnels, sizeof *l->tunnels);
    l->tunnels[l->n_tunnels] = *key;
    put(l, ACTION_SET_TUNNEL)->index = l->n_tunnels++;
}

void action_put_truncate(struct action_list *l, uint32_t max_len)
{
    put(l, ACTION_TRUNCATE)->max_len = max_len;
}

void action_put_drop(struct action_list *l, uint32_t reason)
{
    put(l, ACTION_DROP)->reason = reason;
}

void action_put_meta(struct action_list *l, uint32_t mark, uint32_t mark_mask, bool set_priority, uint32_t priority)
{
    struct action *a = put(l, ACTION_SET_META);
    a->meta.mark = mark & mark_mask;
    a->meta.mark_mask = mark_mask;
    a->meta.set_priority = set_priority;
    a->meta.priority = set_priority ? priority : 0;
}

void action_put_recirc(struct action_list *l, uint32_t recirc_id)
{
    put(l, ACTION_RECIRC)->recirc_id = recirc_id;
}

void action_put_hash(struct action_list *l, uint32_t basis, uint8_t alg)
{
    struct action *a = put(l, ACTION_HASH);
    a->hash.basis = basis;
    a->hash.alg = alg;
}

uint32_t action_begin_clone(struct action_list *l)
{
    put(l, ACTION_CLONE);
    return l->n - 1;
}

void action_end_clone(struct action_list *l, uint32_t begin)
{
    l->actions[begin].n_nested = l->n - 1 - begin;
}

/* ---- Checking ---- */

static bool any_bits(const struct action_set *set, size_t ofs, size_t n)
{
    const uint8_t *mask = (const uint8_t *) set->mask;
    for (size_t i = ofs; i < ofs + n; i++) {
        if (mask[i]) {
            return true;
        }
    }
    return false;
}

static struct error *check_set(const struct action_list *l, const struct action *a)
{
    if (a->set.index >= l->n_sets) {
        return error_new(EINVAL, "set: index %u, but the list has %u sets", a->set.index, l->n_sets);
    }
    const struct action_set *set = &l->sets[a->set.index];
    for (int i = 0; i < KEY_BLOCK_WORDS; i++) {
        if (set->value[i] & ~set->mask[i]) {
            return error_new(EINVAL, "set: the value has bits that its mask has not");
        }
    }
    switch (a->set.block) {
    case KEY_L2:
        if (any_bits(set, offsetof(struct key_l2, type), offsetof(struct key_l2, mpls) - offsetof(struct key_l2, type)) ||
            any_bits(set, offsetof(struct key_l2, pad), sizeof ((struct key_l2 *) 0)->pad)) {
            return error_new(EINVAL, "set: of layer 2 only addresses and MPLS labels can be set");
        }
        return NULL;
    case KEY_L3:
        if (any_bits(set, offsetof(struct key_l3, frag), 1) ||
            any_bits(set, offsetof(struct key_l3, pad), sizeof ((struct key_l3 *) 0)->pad)) {
            return error_new(EINVAL, "set: whether a packet is a fragment cannot be set");
        }
        return NULL;
    case KEY_L4:
        if (any_bits(set, offsetof(struct key_l4, tcp_flags), 4) ||
            any_bits(set, offsetof(struct key_l4, pad), sizeof ((struct key_l4 *) 0)->pad)) {
            return error_new(EINVAL, "set: TCP flags cannot be set");
        }
        return NULL;
    default:
        return error_new(EINVAL, "set: block %u cannot be set; layers 2 to 4 are blocks %u to %u", a->set.block, KEY_L2,
                         KEY_L4);
    }
}

static struct error *check_one(const struct action_list *l, const struct action *a, bool last)
{
    switch (a->type) {
    case ACTION_OUTPUT:
        return a->port == UINT32_MAX ? error_new(EINVAL, "output: there is no port %u", a->port) : NULL;
    case ACTION_USERSPACE:
        return a->userspace.reason > UPCALL_SAMPLE
               ? error_new(EINVAL, "userspace: reason %u, the last is %u", a->userspace.reason, UPCALL_SAMPLE) : NULL;
    case ACTION_SET_MASKED:
        return check_set(l, a);
    case ACTION_PUSH_VLAN:
        if (a->vlan.tpid != htobe16(ETH_TYPE_VLAN) && a->vlan.tpid != htobe16(ETH_TYPE_SVLAN)) {
            return error_new(EINVAL, "push_vlan: Ethertype 0x%04x is neither 0x8100 nor 0x88a8", be16toh(a->vlan.tpid));
        }
        return a->vlan.tci & htobe16(VLAN_CFI) ? NULL : error_new(EINVAL, "push_vlan: the tag has not bit 12 set");
    case ACTION_POP_VLAN:
        return NULL;
    case ACTION_SET_TUNNEL:
        return a->index >= l->n_tunnels
               ? error_new(EINVAL, "tunnel: index %u, but the list has %u tunnels", a->index, l->n_tunnels) : NULL;
    case ACTION_TRUNCATE:
        return a->max_len < sizeof(struct eth_header)
               ? error_new(EINVAL, "trunc: %u bytes are less than an Ethernet header", a->max_len) : NULL;
    case ACTION_CLONE:
        return NULL;
    case ACTION_DROP:
        if (a->reason >= DROP_N) {
            return error_new(EINVAL, "drop: reason %u, the last is %u", a->reason, DROP_N - 1);
        }
        return last ? NULL : error_new(EINVAL, "drop: something follows it");
    case ACTION_SET_META:
    case ACTION_RECIRC:
    case ACTION_HASH:
        return NULL;
    default:
        return error_new(EINVAL, "action type %u is unknown", a->type);
    }
}

static struct error *check_range(const struct action_list *l, uint32_t from, uint32_t to, int depth)
{
    if (depth > MAX_DEPTH) {
        return error_new(EINVAL, "clones are nested deeper than %d", MAX_DEPTH);
    }
    for (uint32_t i = from; i < to; i++) {
        const struct action *a = &l->actions[i];
        struct error *e = check_one(l, a, i + 1 == to);
        if (!e && a->type != ACTION_CLONE && a->n_nested) {
            e = error_new(EINVAL, "action type %u cannot hold others", a->type);
        }
        if (!e && a->n_nested >= to - i) {
            e = error_new(EINVAL, "clone: it holds %u actions, of which only %u are there", a->n_nested, to - i - 1);
        }
        if (!e && a->type == ACTION_CLONE) {
            e = check_range(l, i + 1, i + 1 + a->n_nested, depth + 1);
            i += a->n_nested;
        }
        if (e) {
            return e;
        }
    }
    return NULL;
}

struct error *action_list_check(const struct action_list *l)
{
    if (l->n > MAX_ACTIONS) {
        return error_new(E2BIG, "%u actions; at most %d are allowed", l->n, MAX_ACTIONS);
    }
    return check_range(l, 0, l->n, 0);
}
