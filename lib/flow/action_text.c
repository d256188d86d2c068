/* SPDX-License-Identifier: Apache-2.0 */
/* Datapath actions as text, in the syntax that ovs-dpctl(8) documents. */
#include "lib/base/text.h"
#include "lib/flow/action.h"
#include "lib/flow/key_text.h"
#include "lib/packet/headers.h"
#include "spec/drops.h"

static const char *const reason_names[] = {
    [UPCALL_MISS] = "slow_path(miss", [UPCALL_ACTION] = "slow_path(action", [UPCALL_CONTROLLER] = "controller(",
    [UPCALL_PROTOCOL] = "slow_path(protocol", [UPCALL_SAMPLE] = "sflow(",
};

static bool any_of(const void *p, size_t n)
{
    const uint8_t *b = p;
    uint8_t any = 0;
    while (n--) {
        any |= *b++;
    }
    return any;
}

/* A set is of one block and does not say of which protocol; without a key its members tell as far as they can. */
static void format_set(const struct action_set *set, enum key_block block, const struct key *flow, struct text *t)
{
    struct key key;
    struct mask mask;
    memset(&key, 0, sizeof key);
    memset(&mask, 0, sizeof mask);
    memcpy(key.words[block], set->value, sizeof set->value);
    memcpy(mask.bits.words[block], set->mask, sizeof set->mask);
    const struct key_l3 *l3 = &mask.bits.l3;
    const struct key_l4 *l4 = &mask.bits.l4;
    if (block == KEY_L2) {
        key.l2.type = htobe16(ETH_TYPE_MPLS);
    } else if (flow) {
        key.l2.type = flow->l2.type;
        if (block == KEY_L4) {
            key.l3.proto = flow->l3.proto;
        }
    } else if (any_of(&l3->ip6_src, 32) || l3->ip6_label) {
        key.l2.type = htobe16(ETH_TYPE_IP6);
    } else if (any_of(&l3->arp_sha, 12) || l3->proto) {
        key.l2.type = htobe16(ETH_TYPE_ARP);
    } else if (any_of(&l4->nd_target, 28) || l4->nd_reserved || l4->nd_options_type) {
        key.l2.type = htobe16(ETH_TYPE_IP6);
        key.l3.proto = IP_PROTO_ICMP6;
    } else {
        key.l2.type = htobe16(ETH_TYPE_IP4);
    }
    text_put(t, "set(");
    key_text_format_block(block, &key, &mask, t);
    text_put_char(t, ')');
}

static void format_meta(const struct action *a, struct text *t)
{
    if (a->meta.mark_mask) {
        text_printf(t, "set(skb_mark(%#x", a->meta.mark);
        if (a->meta.mark_mask != UINT32_MAX) {
            text_printf(t, "/%#x", a->meta.mark_mask);
        }
        text_put(t, "))");
    }
    if (a->meta.set_priority) {
        text_printf(t, "%sset(skb_priority(%#x))", a->meta.mark_mask ? "," : "", a->meta.priority);
    }
}

static void format_push_vlan(const struct action *a, struct text *t)
{
    uint16_t tci = be16toh(a->vlan.tci), tpid = be16toh(a->vlan.tpid);
    text_put(t, "push_vlan(");
    if (tpid != ETH_TYPE_VLAN) {
        text_printf(t, "tpid=0x%04x,", tpid);
    }
    text_printf(t, "vid=%u,pcp=%u)", tci & VLAN_VID_MASK, tci >> VLAN_PCP_SHIFT);
}

static void format_userspace(const struct action *a, struct text *t)
{
    uint32_t reason = a->userspace.reason;
    text_printf(t, "userspace(pid=0,%s", reason < ARRAY_SIZE(reason_names) ? reason_names[reason] : "slow_path(unknown");
    if (a->userspace.max_len && a->userspace.max_len < UINT16_MAX) {
        text_printf(t, "%smax_len=%u", text_ends_with(t, "(") ? "" : ",", a->userspace.max_len);
    }
    if (a->userspace.cookie) {
        text_printf(t, "%scookie=%#llx", text_ends_with(t, "(") ? "" : ",", (unsigned long long) a->userspace.cookie);
    }
    text_put(t, "))");
}

static void format_range(const struct action_list *l, uint32_t from, uint32_t to, const struct key *flow,
                         port_name_fn *port_name, void *arg, struct text *t)
{
    for (uint32_t i = from; i < to; i++) {
        const struct action *a = &l->actions[i];
        const char *name;
        if (i > from) {
            text_put_char(t, ',');
        }
        switch ((enum action_type) a->type) {
        case ACTION_OUTPUT:
            name = port_name ? port_name(a->port, arg) : NULL;
            name ? text_put(t, name) : text_printf(t, "%u", a->port);
            break;
        case ACTION_USERSPACE:
            format_userspace(a, t);
            break;
        case ACTION_SET_MASKED:
            format_set(&l->sets[a->set.index], a->set.block, flow, t);
            break;
        case ACTION_PUSH_VLAN:
            format_push_vlan(a, t);
            break;
        case ACTION_POP_VLAN:
            text_put(t, "pop_vlan");
            break;
        case ACTION_SET_TUNNEL:
            text_put(t, "set(");
            key_text_format_tunnel(&l->tunnels[a->index], t);
            text_put_char(t, ')');
            break;
        case ACTION_TRUNCATE:
            text_printf(t, "trunc(%u)", a->max_len);
            break;
        case ACTION_CLONE:
            text_put(t, "clone(");
            format_range(l, i + 1, i + 1 + a->n_nested, flow, port_name, arg, t);
            text_put_char(t, ')');
            i += a->n_nested;
            break;
        case ACTION_DROP:
            text_printf(t, "drop(%s)", drop_name(a->reason));
            break;
        case ACTION_SET_META:
            format_meta(a, t);
            break;
        case ACTION_RECIRC:
            text_printf(t, "recirc(%#x)", a->recirc_id);
            break;
        case ACTION_HASH:
            text_printf(t, a->hash.alg ? "hash(sym_l4(%u))" : "hash(hash_l4(%u))", a->hash.basis);
            break;
        }
    }
}

void action_list_format_for(const struct action_list *l, const struct key *flow, port_name_fn *port_name, void *arg,
                            struct text *t)
{
    if (!l->n) {
        text_put(t, "drop");
        return;
    }
    format_range(l, 0, l->n, flow, port_name, arg, t);
}

void action_list_format(const struct action_list *l, port_name_fn *port_name, void *arg, struct text *t)
{
    action_list_format_for(l, NULL, port_name, arg, t);
}
