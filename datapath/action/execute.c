/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter of action lists, over groups of packets. */
#include "datapath/action/execute.h"

#include <errno.h>

#include "datapath/action/set.h"
#include "lib/base/error.h"
#include "lib/packet/headers.h"

/* Packets on their way through a list. */
struct group {
    struct packet **p;
    uint32_t n;
};

static void run(struct action_sink *, const struct action_list *, uint32_t begin, uint32_t end, struct group);

static void drop_one(struct action_sink *sink, enum drop reason, struct packet *p)
{
    sink->drop(sink, reason, p->in_port);
    packet_free(p);
}

static void drop_all(struct action_sink *sink, enum drop reason, struct group *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        drop_one(sink, reason, g->p[i]);
    }
    g->n = 0;
}

static void consume_all(struct action_sink *sink, struct group *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        packet_free(g->p[i]);
    }
    sink->n_consumed += g->n;
    g->n = 0;
}

/* Copies into 'to' of BATCH_MAX; what finds no buffer is counted as made and dropped. Returns how many. */
static uint32_t clone_all(struct action_sink *sink, const struct group *g, struct packet **to)
{
    uint32_t n = 0;
    sink->n_made += g->n;
    for (uint32_t i = 0; i < g->n; i++) {
        struct packet *copy = packet_clone(sink->pool, g->p[i]);
        if (UNLIKELY(!copy)) {
            sink->drop(sink, DROP_NO_BUFFER, g->p[i]->in_port);
            continue;
        }
        to[n++] = copy;
    }
    return n;
}

static void output(struct action_sink *sink, const struct action *a, struct group *g, bool last)
{
    if (last) {
        sink->output(sink, a->port, g->p, g->n);
        g->n = 0;
        return;
    }
    struct packet *copies[BATCH_MAX];
    uint32_t n = clone_all(sink, g, copies);
    for (uint32_t i = 0; i < g->n; i++) {
        g->p[i]->max_len = UINT32_MAX;      /* It was for this output. */
    }
    sink->output(sink, a->port, copies, n);
}

static void recirculate(struct action_sink *sink, const struct action *a, struct group *g, bool last)
{
    struct packet *copies[BATCH_MAX], **p = g->p;
    uint32_t n = g->n;
    if (!last) {
        n = clone_all(sink, g, copies);
        p = copies;
    }
    for (uint32_t i = 0; i < n; i++) {
        p[i]->recirc_id = a->recirc_id;
    }
    sink->recirc(sink, p, n);
    if (last) {
        g->n = 0;
    }
}

static void set(struct action_sink *sink, const struct action *a, const struct action_set *what, struct group *g)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        if (LIKELY(packet_set(g->p[i], a->set.block, what))) {
            g->p[kept++] = g->p[i];
        } else {
            drop_one(sink, DROP_SET_FIELD, g->p[i]);
        }
    }
    g->n = kept;
}

enum { ETH_ADDRS = 12, VLAN_TAG = 4 };

static void push_vlan(struct action_sink *sink, const struct action *a, struct group *g)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        struct packet *p = g->p[i];
        if (UNLIKELY(p->head_len < ETH_ADDRS + 2 || packet_len(p) + VLAN_TAG > PACKET_MAX
                     || !packet_insert(p, ETH_ADDRS, VLAN_TAG))) {
            drop_one(sink, DROP_NO_HEADROOM, p);
            continue;
        }
        const struct vlan_header tag = { a->vlan.tpid, a->vlan.tci & ~htobe16(VLAN_CFI) };
        memcpy(p->data + ETH_ADDRS, &tag, sizeof tag);
        g->p[kept++] = p;
    }
    g->n = kept;
}

static void pop_vlan(struct action_sink *sink, struct group *g)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        struct packet *p = g->p[i];
        uint16_t type = p->head_len >= ETH_ADDRS + VLAN_TAG + 2 ? get_be16(p->data + ETH_ADDRS) : 0;
        if (UNLIKELY((type != ETH_TYPE_VLAN && type != ETH_TYPE_SVLAN) || !packet_remove(p, ETH_ADDRS, VLAN_TAG))) {
            drop_one(sink, DROP_SET_FIELD, p);
            continue;
        }
        g->p[kept++] = p;
    }
    g->n = kept;
}

static void set_meta(const struct action *a, struct group *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        struct packet *p = g->p[i];
        p->mark = (p->mark & ~a->meta.mark_mask) | (a->meta.mark & a->meta.mark_mask);
        if (a->meta.set_priority) {
            p->priority = a->meta.priority;
        }
    }
}

static void set_tunnel(const struct tunnel_key *t, struct group *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        g->p[i]->tunnel = *t;
        g->p[i]->has_tunnel = true;
    }
}

static void run(struct action_sink *sink, const struct action_list *list, uint32_t begin, uint32_t end,
                struct group g)
{
    bool done_something = false;
    for (uint32_t i = begin; i < end && g.n; i++) {
        const struct action *a = &list->actions[i];
        bool last = i + 1 + (a->type == ACTION_CLONE ? a->n_nested : 0) >= end;
        switch ((enum action_type) a->type) {
        case ACTION_OUTPUT:
            output(sink, a, &g, last);
            done_something = true;
            break;
        case ACTION_USERSPACE:
            for (uint32_t j = 0; j < g.n; j++) {
                sink->userspace(sink, a, g.p[j]);
            }
            done_something = true;
            break;
        case ACTION_SET_MASKED:
            set(sink, a, &list->sets[a->set.index], &g);
            break;
        case ACTION_PUSH_VLAN:
            push_vlan(sink, a, &g);
            break;
        case ACTION_POP_VLAN:
            pop_vlan(sink, &g);
            break;
        case ACTION_SET_TUNNEL:
            set_tunnel(&list->tunnels[a->index], &g);
            break;
        case ACTION_TRUNCATE:
            for (uint32_t j = 0; j < g.n; j++) {
                g.p[j]->max_len = a->max_len;
            }
            break;
        case ACTION_CLONE: {
            struct packet *copies[BATCH_MAX];
            struct group inner = { g.p, g.n };
            if (last) {
                g.n = 0;
            } else {
                inner = (struct group) { copies, clone_all(sink, &g, copies) };
            }
            run(sink, list, i + 1, i + 1 + a->n_nested, inner);
            i += a->n_nested;
            done_something = true;
            break;
        }
        case ACTION_DROP:
            drop_all(sink, a->reason < DROP_N ? a->reason : DROP_ACTION, &g);
            break;
        case ACTION_SET_META:
            set_meta(a, &g);
            break;
        case ACTION_RECIRC:
            recirculate(sink, a, &g, last);
            done_something = true;
            break;
        case ACTION_HASH:
            for (uint32_t j = 0; j < g.n; j++) {
                g.p[j]->dp_hash = packet_flow_hash(g.p[j], a->hash.basis, a->hash.alg);
            }
            break;
        }
    }
    /* The end of the list: the packet itself is done with, after its copies went out, or was sent nowhere. */
    if (done_something) {
        consume_all(sink, &g);
    } else {
        drop_all(sink, DROP_ACTION, &g);
    }
}

void actions_run(struct action_sink *sink, const struct action_list *list, struct packet **packets, uint32_t n)
{
    run(sink, list, 0, list->n, (struct group) { packets, n });
}

struct error *actions_check(const struct action_list *list)
{
    struct error *e = action_list_check(list);
    for (uint32_t i = 0; !e && i < list->n; i++) {
        const struct action *a = &list->actions[i];
        if (a->type == ACTION_SET_MASKED) {
            e = packet_set_check(a->set.block, &list->sets[a->set.index]);
        } else if (a->type == ACTION_HASH && a->hash.alg > 1) {
            e = error_new(EOPNOTSUPP, "action hash: algorithm %u is not known here", a->hash.alg);
        }
    }
    return e;
}
