/* SPDX-License-Identifier: Apache-2.0 */
/* Action lists of the datapath channel: numbered actions with their parameters; a clone holds its own list. */
#include <errno.h>

#include "datapath/wire.h"
#include "lib/base/error.h"
#include "lib/flow/fields.h"
#include "spec/drops.h"

static void put_set(struct buffer *, const struct action *, const struct action_set *);
static struct error *get_list(struct reader *, struct action_list *, unsigned depth);

static void put_list(struct buffer *b, const struct action_list *list, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        const struct action *a = &list->actions[i];
        buffer_put_be16(b, a->type);
        buffer_put_be16(b, 0);
        size_t opened = b->len;
        switch ((enum action_type) a->type) {
        case ACTION_OUTPUT:
            buffer_put_be32(b, a->port);
            break;
        case ACTION_USERSPACE:
            buffer_put_be32(b, a->userspace.reason);
            buffer_put_be32(b, a->userspace.max_len);
            buffer_put_be64(b, a->userspace.cookie);
            break;
        case ACTION_SET_MASKED:
            put_set(b, a, &list->sets[a->set.index]);
            break;
        case ACTION_PUSH_VLAN:
            buffer_put(b, &a->vlan.tpid, 2);
            buffer_put(b, &a->vlan.tci, 2);
            break;
        case ACTION_POP_VLAN:
            break;
        case ACTION_SET_TUNNEL: {
            struct key key;
            memset(&key, 0, sizeof key);
            key.tunnel = list->tunnels[a->index];
            size_t room = 256;
            size_t n = wire_key_encode(&key, buffer_put_uninit(b, room), room);
            b->len -= room - n;
            break;
        }
        case ACTION_TRUNCATE:
            buffer_put_be32(b, a->max_len);
            break;
        case ACTION_CLONE:
            put_list(b, list, i + 1, i + 1 + a->n_nested);
            i += a->n_nested;
            break;
        case ACTION_DROP:
            buffer_put_be32(b, a->reason);
            break;
        case ACTION_SET_META:
            buffer_put_be32(b, a->meta.mark);
            buffer_put_be32(b, a->meta.mark_mask);
            buffer_put_be32(b, a->meta.priority);
            buffer_put_u8(b, a->meta.set_priority);
            break;
        case ACTION_RECIRC:
            buffer_put_be32(b, a->recirc_id);
            break;
        case ACTION_HASH:
            buffer_put_be32(b, a->hash.basis);
            buffer_put_u8(b, a->hash.alg);
            break;
        }
        put_be16(b->data + opened - 2, b->len - opened);
    }
}

void wire_put_actions(struct buffer *b, const struct action_list *list)
{
    size_t opened = wire_open(b, ATTR_ACTION_LIST);
    put_list(b, list, 0, list->n);
    wire_close(b, opened);
}

/* The members of the block of which any bit is set: number, length, value, mask. */
static void put_set(struct buffer *b, const struct action *a, const struct action_set *set)
{
    uint16_t begin = a->set.block * KEY_BLOCK_BYTES;
    for (size_t i = 0; i < KEY_N_MEMBERS; i++) {
        const struct key_member *m = &key_members[i];
        if (m->ofs / KEY_BLOCK_BYTES != a->set.block) {
            continue;
        }
        const uint8_t *mask = (const uint8_t *) set->mask + (m->ofs - begin);
        uint8_t any = 0;
        for (size_t j = 0; j < m->size; j++) {
            any |= mask[j];
        }
        if (any) {
            buffer_put_u8(b, m->number);
            buffer_put_u8(b, m->size);
            buffer_put(b, (const uint8_t *) set->value + (m->ofs - begin), m->size);
            buffer_put(b, mask, m->size);
        }
    }
}

static struct error *get_set(struct reader *r, struct action_list *list)
{
    struct key value, mask;
    unsigned block = KEY_N_BLOCKS;
    memset(&value, 0, sizeof value);
    memset(&mask, 0, sizeof mask);
    while (reader_left(r)) {
        unsigned number = reader_u8(r), size = reader_u8(r);
        const struct key_member *m = NULL;
        for (size_t i = 0; i < KEY_N_MEMBERS; i++) {
            if (key_members[i].number == number) {
                m = &key_members[i];
            }
        }
        if (!m) {
            return error_new(EOPNOTSUPP, "action set: key member %u is not known here", number);
        }
        const uint8_t *bytes = reader_get(r, 2 * (size_t) size);
        if (!bytes || size != m->size) {
            return error_new(EINVAL, "action set: %s is of %u bytes", m->name, m->size);
        }
        unsigned in = m->ofs / KEY_BLOCK_BYTES;
        if (in != KEY_L2 && in != KEY_L3 && in != KEY_L4) {
            return error_new(EINVAL, "action set: %s cannot be set", m->name);
        }
        if (block != KEY_N_BLOCKS && block != in) {
            return error_new(EINVAL, "action set: members of two blocks");
        }
        block = in;
        uint8_t any = 0;
        for (unsigned i = 0; i < size; i++) {
            any |= bytes[size + i];
            ((uint8_t *) &value)[m->ofs + i] = bytes[i] & bytes[size + i];
            ((uint8_t *) &mask)[m->ofs + i] = bytes[size + i];
        }
        if (!any) {
            return error_new(EINVAL, "action set: the mask of %s is empty", m->name);
        }
    }
    if (block == KEY_N_BLOCKS) {
        return error_new(EINVAL, "action set: sets nothing");
    }
    action_put_set(list, block, value.words[block], mask.words[block]);
    return NULL;
}

static struct error *get_tunnel(struct reader *r, struct action_list *list)
{
    struct key key;
    struct error *e = wire_key_decode(r->p, reader_left(r), &key);
    if (e) {
        return error_wrap(e, "action set_tunnel");
    }
    reader_skip(r, reader_left(r));
    for (unsigned block = 0; block < KEY_N_BLOCKS; block++) {
        for (unsigned i = 0; block != KEY_TUNNEL && i < KEY_BLOCK_WORDS; i++) {
            if (key.words[block][i]) {
                return error_new(EINVAL, "action set_tunnel: holds members that are not of a tunnel");
            }
        }
    }
    action_put_tunnel(list, &key.tunnel);
    return NULL;
}

static struct error *get_vlan(struct reader *r, struct action_list *list)
{
    be16 tpid = htobe16(reader_be16(r)), tci = htobe16(reader_be16(r));
    if (r->bad || (be16toh(tpid) != 0x8100 && be16toh(tpid) != 0x88a8) || !(be16toh(tci) & 0x1000)) {
        return error_new(EINVAL, "action push_vlan: the Ethertype must be 0x8100 or 0x88a8 and the tag be present");
    }
    action_put_push_vlan(list, tpid, tci);
    return NULL;
}

static struct error *get_one(unsigned type, struct reader *r, struct action_list *list, unsigned depth)
{
    struct error *e = NULL;
    switch (type) {
    case ACTION_OUTPUT:
        action_put_output(list, reader_be32(r));
        break;
    case ACTION_USERSPACE: {
        uint32_t reason = reader_be32(r), max_len = reader_be32(r);
        uint64_t cookie = reader_be64(r);
        if (reason > UPCALL_SAMPLE || reason == UPCALL_MISS) {
            return error_new(EINVAL, "action userspace: reason %u is none that an action can have", reason);
        }
        action_put_userspace(list, reason, max_len, cookie);
        break;
    }
    case ACTION_SET_MASKED:
        e = get_set(r, list);
        break;
    case ACTION_PUSH_VLAN:
        e = get_vlan(r, list);
        break;
    case ACTION_POP_VLAN:
        action_put_pop_vlan(list);
        break;
    case ACTION_SET_TUNNEL:
        e = get_tunnel(r, list);
        break;
    case ACTION_TRUNCATE:
        action_put_truncate(list, reader_be32(r));
        break;
    case ACTION_CLONE: {
        if (depth >= WIRE_MAX_CLONES) {
            return error_new(E2BIG, "action clone: more than %d inside each other", WIRE_MAX_CLONES);
        }
        uint32_t begin = action_begin_clone(list);
        e = get_list(r, list, depth + 1);
        action_end_clone(list, begin);
        break;
    }
    case ACTION_DROP: {
        uint32_t reason = reader_be32(r);
        if (reason >= DROP_N) {
            return error_new(EINVAL, "action drop: reason %u is not known here", reason);
        }
        action_put_drop(list, reason);
        break;
    }
    case ACTION_SET_META: {
        uint32_t mark = reader_be32(r), mark_mask = reader_be32(r), priority = reader_be32(r);
        action_put_meta(list, mark, mark_mask, reader_u8(r), priority);
        break;
    }
    case ACTION_RECIRC:
        action_put_recirc(list, reader_be32(r));
        break;
    case ACTION_HASH: {
        uint32_t basis = reader_be32(r);
        action_put_hash(list, basis, reader_u8(r));
        break;
    }
    default:
        return error_new(EOPNOTSUPP, "action %u is not known here", type);
    }
    if (!e && (r->bad || reader_left(r))) {
        e = error_new(EINVAL, "action %u: its parameters have a wrong length", type);
    }
    return e;
}

static struct error *get_list(struct reader *r, struct action_list *list, unsigned depth)
{
    while (reader_left(r)) {
        unsigned type = reader_be16(r);
        unsigned length = reader_be16(r);
        struct reader inner = reader_sub(r, length);
        if (r->bad) {
            return error_new(EINVAL, "action %u: cut off", type);
        }
        struct error *e = get_one(type, &inner, list, depth);
        if (e) {
            return e;
        }
    }
    return NULL;
}

struct error *wire_get_actions(const struct wire_attrs *a, struct action_list *actions)
{
    struct reader r = wire_reader(a, ATTR_ACTION_LIST);
    struct error *e = get_list(&r, actions, 0);
    return e ? e : action_list_check(actions);
}
