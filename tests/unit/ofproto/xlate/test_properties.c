/* SPDX-License-Identifier: Apache-2.0 */
/* Two properties on which the flow cache stands, with random rules, packets and changes:
 *
 * purity: every packet that agrees with a translation's mask gets the same actions and effects;
 * dependency: a flow for whose packets a change makes a difference is selected by that change. */
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/openflow/flow_text.h"
#include "lib/packet/headers.h"
#include "lib/sys/rcu.h"
#include "tests/unit/ofproto/lab.h"
#include "tests/unit/ofproto/ofproto_tests.h"

static uint64_t seed;
static uint32_t pick(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % n;
}
#define ONE_OF(...) ((const char *const[]) { __VA_ARGS__ }[pick(ARRAY_SIZE(((const char *const[]) { __VA_ARGS__ })))])

/* ---- Random rules ---- */

static void random_match(struct text *t)
{
    if (pick(3) == 0) {
        text_printf(t, ",in_port=%u", 1 + pick(4));
    }
    if (pick(4) == 0) {
        text_printf(t, ",reg0=%s", ONE_OF("1", "2", "3", "0x0/0x1"));
    }
    if (pick(6) == 0) {
        text_printf(t, ",metadata=%u", pick(3));
    }
    if (pick(4) == 0) {
        text_printf(t, ",dl_dst=%s", ONE_OF("02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:99",
                                            "01:00:00:00:00:00/01:00:00:00:00:00", "02:00:00:00:00:00/ff:00:00:00:00:00"));
    }
    if (pick(6) == 0) {
        text_printf(t, ",dl_src=02:00:00:00:00:0%u", pick(4));
    }
    if (pick(5) == 0) {
        text_printf(t, ",%s", ONE_OF("dl_vlan=10", "dl_vlan=20", "vlan_tci=0x0000", "vlan_tci=0x1000/0x1000", "dl_vlan=10,dl_vlan_pcp=3"));
    }
    switch (pick(5)) {
    case 0:
        text_printf(t, ",%s", ONE_OF("ip", "arp", "ipv6"));
        break;
    case 1:
        text_printf(t, ",ip,nw_dst=%s", ONE_OF("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "192.168.0.0/16", "0.0.0.1/0.0.0.1"));
        break;
    case 2:
        text_printf(t, ",%s,tp_dst=%s", ONE_OF("tcp", "udp"), ONE_OF("80", "8080", "0x50/0xfff0", "1", "0x8000/0x8000"));
        break;
    case 3:
        text_printf(t, ",ip,nw_src=%s,nw_tos=%u", ONE_OF("10.0.0.0/8", "10.9.0.0/16", "172.16.0.0/12"), 4 * pick(3));
        break;
    default:
        break;
    }
}

/* Few kinds of actions, so that changes are narrowed by more fields. */
static bool is_plain;

static void random_action(struct text *t, int table, bool nested)
{
    if (is_plain && pick(2)) {
        text_printf(t, ONE_OF("set_field:10.1.2.3->ip_dst", "resubmit(,%d)", "output:1"), table + 1);
        return;
    }
    switch (is_plain ? pick(3) : pick(nested ? 11 : 19)) {
    case 0:
    case 1:
        text_printf(t, "output:%u", 1 + pick(4));
        break;
    case 2:
        text_put(t, ONE_OF("NORMAL", "FLOOD", "IN_PORT", "CONTROLLER:100"));
        break;
    case 3:
        text_printf(t, "set_field:02:00:00:00:00:%s->%s", ONE_OF("01", "02", "99"), ONE_OF("eth_dst", "eth_src"));
        break;
    case 4:
        text_printf(t, "set_field:%s->ip_dst", ONE_OF("10.1.2.3", "192.168.0.1"));
        break;
    case 5:
        text_printf(t, "load:%u->NXM_NX_REG0[]", pick(4));
        break;
    case 6:
        text_put(t, ONE_OF("dec_ttl", "set_field:80->tcp_dst", "mod_nw_tos:8", "set_queue:1", "pop_queue"));
        break;
    case 7:
        text_put(t, ONE_OF("move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]",
                           "move:NXM_OF_ETH_DST[0..7]->NXM_NX_REG0[0..7]", "move:NXM_NX_REG0[0..7]->NXM_OF_ETH_SRC[8..15]",
                           "move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG0[0..11]"));
        break;
    case 8:
        text_put(t, ONE_OF("push_vlan:0x8100", "strip_vlan", "mod_vlan_vid:10", "push_vlan:0x88a8,set_field:4116->vlan_vid",
                           "mod_vlan_pcp:5"));
        break;
    case 9:
        text_put(t, ONE_OF("output:5", "set_tunnel:7,set_field:10.7.7.7->tun_dst,output:6", "output:10"));
        break;
    case 10:
        text_printf(t, "output(port=%u,max_len=100)", 1 + pick(4));
        break;
    case 11:
    case 12:
    case 13:
        text_printf(t, "resubmit(,%d)", table + 1);
        break;
    case 14:
        text_printf(t, "resubmit(%u,%d)", 1 + pick(4), table + 1);
        break;
    case 15:
        text_put(t, "clone(");
        random_action(t, table, true);
        text_put(t, ",");
        random_action(t, table, true);
        text_put(t, ")");
        break;
    case 16:
        text_put(t, ONE_OF("exit", "note:01", "output:NXM_NX_REG0[]"));
        break;
    case 17:
        text_put(t, "learn(table=9,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])");
        break;
    case 18:
        text_put(t, "write_actions(set_field:02:00:00:00:00:01->eth_dst,output:2)");
        break;
    }
}

static void random_flow(struct text *t, bool with_actions)
{
    int table = pick(4);
    text_printf(t, "table=%d", table);
    if (with_actions || pick(2)) {
        text_printf(t, ",priority=%u", pick(6));
    }
    random_match(t);
    if (with_actions) {
        text_put(t, ",actions=");
        for (unsigned n = 1 + pick(4); n > 0; n--) {
            random_action(t, table, false);
            text_put(t, n > 1 ? "," : "");
        }
    }
}

/* One random flow mod; those that break a rule of OpenFlow are left out. */
static bool random_flow_mod(struct lab *l, const char *bridge, enum ofp_flow_command command, struct text *said)
{
    struct buffer actions = BUFFER_INIT;
    struct ofp_flow_mod fm;
    text_clear(said);
    random_flow(said, command == OFPFC_ADD || command == OFPFC_MODIFY);
    struct error *e = ofp_flow_mod_parse(text_str(said), command, NULL, OFP13, &fm, &actions);
    if (!e) {
        e = tables_flow_mod(lab_bridge(l, bridge)->tables, &fm, OFP13);
    }
    buffer_fini(&actions);
    bool ok = !e;
    error_free(e);
    return ok;
}

/* ---- Random packets ---- */

static void random_key(struct lab *l, struct key *k)
{
    memset(k, 0, sizeof *k);
    k->meta.in_port = pick(8) ? 1 + pick(4) : 200;
    if (k->meta.in_port == 200) {
        k->tunnel.id = htobe64(pick(2) ? 5 : 6);
        k->tunnel.ip4_src = htobe32(0x0a000002 + pick(2));
        k->tunnel.ip4_dst = htobe32(0x0a000001);
        k->tunnel.flags = TUNNEL_KEY;
    }
    k->l2.dst = (struct eth_addr) { { 2, 0, 0, 0, 0, pick(4) } };
    k->l2.src = (struct eth_addr) { { 2, 0, 0, 0, 0, pick(4) } };
    if (pick(6) == 0) {
        memset(&k->l2.dst, 0xff, 6);
    }
    if (pick(3) == 0) {
        k->l2.vlan[0] = (struct key_vlan) { htobe16(pick(4) ? 0x8100 : 0x88a8), htobe16(VLAN_CFI | (10 * pick(3)) | pick(8) << 13) };
        if (pick(3) == 0) {
            k->l2.vlan[1] = (struct key_vlan) { htobe16(0x8100), htobe16(VLAN_CFI | (10 * pick(3))) };
        }
    }
    switch (pick(4)) {
    case 0:
        k->l2.type = htobe16(ETH_TYPE_ARP);
        k->l3.proto = 1 + pick(2);
        k->l3.ip4_src = htobe32(0x0a000001 + pick(2));
        k->l3.ip4_dst = htobe32(0x0a000001 + pick(2));
        break;
    case 1:
        k->l2.type = htobe16(ETH_TYPE_IP6);
        k->l3.ip6_src.s6_addr[15] = pick(4);
        k->l3.ip6_dst.s6_addr[0] = pick(256);
        k->l3.ttl = pick(3);
        k->l3.proto = pick(2) ? IP_PROTO_TCP : IP_PROTO_UDP;
        k->l4.dst = htobe16(pick(100));
        break;
    default:
        k->l2.type = htobe16(ETH_TYPE_IP4);
        k->l3.ip4_src = htobe32((uint32_t) (pick(2) ? 10 : 172) << 24 | pick(1 << 24));
        k->l3.ip4_dst = htobe32((uint32_t) (pick(3) ? 0x0a010200 : 0xc0a80000) ^ (pick(3) ? pick(5) : pick(1 << 20)));
        k->l3.tos = pick(16);
        k->l3.ttl = pick(3);
        k->l3.proto = pick(2) ? IP_PROTO_TCP : IP_PROTO_UDP;
        if (pick(10) == 0) {
            k->l3.frag = FRAG_ANY | FRAG_LATER;
        } else {
            k->l4.src = htobe16(pick(65536));
            k->l4.dst = htobe16(pick(3) ? (pick(2) ? 80 : 8080) : pick(65536));
        }
        break;
    }
}

/* Another packet that agrees with 'key' under 'mask': random, or with some bits flipped. False: none was found. */
static bool similar_key(struct lab *l, const struct key *key, const struct mask *mask, struct key *other)
{
    if (pick(2)) {
        random_key(l, other);
    } else {
        *other = *key;
        for (unsigned n = 1 + pick(8); n > 0; n--) {
            unsigned block = KEY_L2 + pick(3);
            other->words[block][pick(KEY_BLOCK_WORDS)] ^= UINT64_C(1) << pick(64);
        }
    }
    for (int i = 0; i < KEY_N_BLOCKS; i++) {
        for (int j = 0; j < KEY_BLOCK_WORDS; j++) {
            uint64_t m = mask->bits.words[i][j];
            other->words[i][j] = (key->words[i][j] & m) | (other->words[i][j] & ~m);
        }
    }
    /* Packets have no inner tag without an outer one, and all tags have their bit and a type. */
    for (int i = 0; i < KEY_MAX_VLANS; i++) {
        struct key_vlan *v = &other->l2.vlan[i];
        if (!(v->tci & htobe16(VLAN_CFI)) || !v->tpid || (i && !other->l2.vlan[0].tpid)) {
            *v = (struct key_vlan) { 0, 0 };
        }
    }
    if (other->meta.in_port != 200) {
        memset(&other->tunnel, 0, sizeof other->tunnel);
    }
    return key_equal_masked(key, other, mask);
}

/* ---- What a translation does to a packet ---- */

static void put_effects(const struct xlate_out *out, struct text *t)
{
    for (size_t i = 0; i < out->n_effects; i++) {
        const struct effect *e = &out->effects[i];
        switch (e->kind) {
        case EFFECT_RULE:
            text_printf(t, " rule %p", (void *) e->rule);
            break;
        case EFFECT_TABLE:
            text_printf(t, " table %u %d", e->table.table, e->table.matched);
            break;
        case EFFECT_MAC:
            text_printf(t, " mac %u "ETH_FMT" %u %d", e->mac.vlan, ETH_ARGS(e->mac.mac), e->mac.port, e->mac.garp);
            break;
        case EFFECT_LEARN:
            match_format(&e->learn.fm.match, NULL, t);
            ofacts_format(&e->learn.fm.actions, NULL, t);
            break;
        case EFFECT_PORT_RX:
        case EFFECT_PORT_TX:
            text_printf(t, " port %d %p", e->kind, (void *) e->port);
            break;
        case EFFECT_PACKET_IN:
            /* Its metadata are the packet's own: it is translated again for each one. */
            text_printf(t, " packet-in %u %u", e->packet_in.table_id, e->packet_in.max_len);
            break;
        }
    }
}

/* What leaves by which port when the actions run on a packet: lists that differ in form may do the same. */
static void run_actions(const struct action_list *list, const struct key *key, struct text *t)
{
    struct key k = *key;
    struct key_vlan tags[8] = { 0 };
    int n = (k.l2.vlan[0].tpid != 0) + (k.l2.vlan[1].tpid != 0);
    memcpy(tags, k.l2.vlan, sizeof k.l2.vlan);
    memset(k.l2.vlan, 0, sizeof k.l2.vlan);
    struct tunnel_key tunnel = { .tos = 0 };
    uint32_t max_len = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct action *a = &list->actions[i];
        switch (a->type) {
        case ACTION_SET_MASKED:
            for (int j = 0; j < KEY_BLOCK_WORDS; j++) {
                uint64_t *w = &k.words[a->set.block][j];
                const struct action_set *set = &list->sets[a->set.index];
                *w = (*w & ~set->mask[j]) | set->value[j];
            }
            break;
        case ACTION_PUSH_VLAN:
            memmove(&tags[1], &tags[0], n++ * sizeof tags[0]);
            tags[0] = (struct key_vlan) { a->vlan.tpid, a->vlan.tci };
            break;
        case ACTION_POP_VLAN:
            ck_assert_int_gt(n, 0);
            memmove(&tags[0], &tags[1], --n * sizeof tags[0]);
            memset(&tags[n], 0, sizeof tags[0]);
            break;
        case ACTION_SET_TUNNEL:
            tunnel = list->tunnels[a->index];
            break;
        case ACTION_SET_META:
            k.meta.priority = a->meta.set_priority ? a->meta.priority : k.meta.priority;
            break;
        case ACTION_TRUNCATE:
            max_len = a->max_len;
            break;
        case ACTION_OUTPUT:
        case ACTION_USERSPACE:
            text_printf(t, "%s %u len %u: ", a->type == ACTION_OUTPUT ? "port" : "controller", a->port, max_len);
            text_put_hex(t, &k, sizeof k);
            text_put_hex(t, tags, sizeof tags);
            if (a->type == ACTION_OUTPUT && a->port == 200) {
                text_put_hex(t, &tunnel, sizeof tunnel);
            }
            text_put(t, "\n");
            max_len = 0;
            break;
        case ACTION_DROP:
            text_printf(t, "drop %u\n", a->reason);
            break;
        default:
            ck_abort_msg("action %u is not expected", a->type);
        }
    }
}

static struct lab *make(void)
{
    struct lab *l = lab_create();
    for (int i = 1; i <= 4; i++) {
        char name[] = { 'p', '0' + i, 0 };
        lab_port(l, "br0", name, i, i);
    }
    lab_vlan(l, "br0", "p2", "access 10");
    lab_vlan(l, "br0", "p3", "native-untagged 20 10,20");
    lab_vlan(l, "br0", "p4", pick(2) ? "dot1q-tunnel 10 20" : "trunk 10");
    struct view_tunnel *t = &lab_tunnel(l, "br0", "vx1", 5, 200)->tunnel;
    t->has_key = true;
    t->key = 5;
    t->ttl_inherit = pick(2);
    parse_ip("10.0.0.2", &t->remote);
    t = &lab_tunnel(l, "br0", "vx2", 6, 200)->tunnel;
    t->remote_flow = t->key_flow = true;
    lab_port(l, "br1", "q1", 1, 11);
    lab_port(l, "br1", "q2", 2, 12);
    lab_patch(l, "br0", "to-br1", 10, "br1", "to-br0", 20);
    lab_rules(l, "br0", "table=0,priority=0,actions=resubmit(,1)\ntable=1,priority=0,actions=resubmit(,2),resubmit(,3)\n"
                        "table=2,priority=0,actions=NORMAL");
    struct text said = TEXT_INIT;
    for (int i = 0; i < 40; i++) {
        random_flow_mod(l, "br0", OFPFC_ADD, &said);
        if (i % 4 == 0) {
            random_flow_mod(l, "br1", OFPFC_ADD, &said);
        }
    }
    text_fini(&said);
    return l;
}

static void learn_some(struct lab *l)
{
    struct xlate_out out;
    xlate_out_init(&out);
    for (int i = 0; i < 5; i++) {
        struct key k;
        random_key(l, &k);
        lab_xlate(l, &k, NULL, &out);
        lab_learn(l, &out);
    }
    xlate_out_fini(&out);
}

static void explain(struct lab *l, const struct key *a, const struct key *b, const struct mask *mask, const char *why)
{
    struct text t = TEXT_INIT;
    const struct key *keys[] = { a, b };
    for (int i = 0; i < 2; i++) {
        struct xlate_out out;
        xlate_out_init(&out);
        struct trace *trace = trace_create();
        lab_xlate(l, keys[i], trace, &out);
        struct xlate_in in = { .view = l->view, .key = keys[i] };
        trace_format(trace, &in, &out, &t);
        trace_destroy(trace);
        xlate_out_fini(&out);
    }
    key_format(a, mask, NULL, NULL, &t);
    ck_abort_msg("%s\n%s", why, text_str(&t));
}

START_TEST(test_purity)
{
    seed = 1000 + _i;
    struct lab *l = make();
    struct xlate_out a, b;
    xlate_out_init(&a);
    xlate_out_init(&b);
    unsigned n_compared = 0;
    for (int i = 0; i < 60; i++) {
        struct key k, other;
        random_key(l, &k);
        lab_xlate(l, &k, NULL, &a);
        for (int j = 0; j < 25; j++) {
            if (!similar_key(l, &k, &a.mask, &other)) {
                continue;
            }
            lab_xlate(l, &other, NULL, &b);
            n_compared++;
            struct text ta = TEXT_INIT, tb = TEXT_INIT;
            put_effects(&a, &ta);
            put_effects(&b, &tb);
            if (!xlate_out_same_actions(&b, &a.actions) || !mask_equal(&a.mask, &b.mask) || strcmp(text_str(&ta), text_str(&tb))) {
                explain(l, &k, &other, &a.mask, "two packets that agree under the mask are treated differently");
            }
            text_fini(&ta);
            text_fini(&tb);
        }
        lab_learn(l, &a);
    }
    ck_assert_uint_gt(n_compared, 300);
    xlate_out_fini(&a);
    xlate_out_fini(&b);
    lab_destroy(l);
}
END_TEST

/* ---- Dependencies ---- */

struct told { struct change list[64]; uint64_t words[64][2 * FIELDS_WORDS]; size_t n; };

static void note_changes(const struct change *c, size_t n, void *told_)
{
    struct told *told = told_;
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_lt(told->n, ARRAY_SIZE(told->list));
        struct change *to = &told->list[told->n];
        *to = c[i];
        if (c[i].has_match) {
            memcpy(told->words[told->n], c[i].match.words, c[i].match.n_words * 2 * sizeof(uint64_t));
            to->match.words = told->words[told->n];
        }
        told->n++;
    }
}

enum { N_FLOWS = 50, N_STEPS = 40 };

/* Returns in how many cases a change made a difference. */
static unsigned check_dependencies(unsigned *n_selected)
{
    struct lab *l = make();
    learn_some(l);
    static struct told told;
    struct flow { struct key key; struct xlate_out out; } *flows = xzalloc_aligned(N_FLOWS * sizeof *flows);
    for (int i = 0; i < N_FLOWS; i++) {
        xlate_out_init(&flows[i].out);
        random_key(l, &flows[i].key);
    }
    unsigned n_differ = 0;
    struct xlate_out now;
    xlate_out_init(&now);
    struct text said = TEXT_INIT;
    for (int step = 0; step < N_STEPS; step++) {
        for (int i = 0; i < N_FLOWS; i++) {
            lab_xlate(l, &flows[i].key, NULL, &flows[i].out);
        }
        told.n = 0;
        changes_set_listener(l->changes, note_changes, &told);
        struct view_bridge *br0 = lab_bridge(l, "br0");
        switch (pick(8)) {
        case 0:
            text_clear(&said);
            text_put(&said, "learn a MAC");
            mac_learn(br0->macs, 10 * pick(3), (struct eth_addr) { { 2, 0, 0, 0, 0, pick(4) } }, 1 + pick(4), false);
            break;
        case 1:
            text_clear(&said);
            text_put(&said, "forget a MAC");
            mac_delete(br0->macs, 10 * pick(3), (struct eth_addr) { { 2, 0, 0, 0, 0, pick(4) } });
            break;
        case 2:
            random_flow_mod(l, "br0", OFPFC_DELETE, &said);
            break;
        case 3:
            random_flow_mod(l, "br0", OFPFC_MODIFY, &said);
            break;
        case 4:
            random_flow_mod(l, "br1", OFPFC_ADD, &said);
            break;
        default:
            random_flow_mod(l, "br0", OFPFC_ADD, &said);
            break;
        }
        /* What was removed leaves the classifier at some time. */
        if (pick(4) == 0) {
            rcu_barrier();
            tables_expire(br0->tables, 0);
        }
        changes_set_listener(l->changes, NULL, NULL);

        for (int i = 0; i < N_FLOWS; i++) {
            struct flow *f = &flows[i];
            bool selected = false;
            for (size_t c = 0; c < told.n; c++) {
                selected |= change_selects(&told.list[c], &f->out.deps, &f->key, &f->out.mask);
            }
            *n_selected += selected;
            for (int j = 0; j < 4; j++) {
                struct key k = f->key;
                if (j && !similar_key(l, &f->key, &f->out.mask, &k)) {
                    continue;
                }
                lab_xlate(l, &k, NULL, &now);
                struct text before = TEXT_INIT, after = TEXT_INIT;
                run_actions(&f->out.actions, &k, &before);
                put_effects(&f->out, &before);
                run_actions(&now.actions, &k, &after);
                put_effects(&now, &after);
                /* For the flow's own packet even the form is the same. */
                bool differ = strcmp(text_str(&before), text_str(&after)) != 0
                              || (!j && !xlate_out_same_actions(&now, &f->out.actions));
                n_differ += differ;
                text_fini(&before);
                text_fini(&after);
                if (differ && !selected) {
                    explain(l, &f->key, &k, &f->out.mask, text_str(&said));
                }
            }
        }
    }
    text_fini(&said);
    xlate_out_fini(&now);
    for (int i = 0; i < N_FLOWS; i++) {
        xlate_out_fini(&flows[i].out);
    }
    free(flows);
    lab_destroy(l);
    return n_differ;
}

START_TEST(test_dependencies)
{
    unsigned n_differ = 0, n_selected = 0;
    for (unsigned i = 0; i < 4; i++) {
        seed = 5000 + 4 * _i + i;
        is_plain = i % 2;
        n_differ += check_dependencies(&n_selected);
    }
    /* The test can fail, and selection selects. */
    ck_assert_uint_gt(n_differ, 20);
    ck_assert_uint_lt(n_selected, 4 * N_FLOWS * N_STEPS / 2);
}
END_TEST

TCase *properties_tcase(void)
{
    TCase *t = tcase_create("properties");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_purity, 0, 30);
    tcase_add_loop_test(t, test_dependencies, 0, 10);
    return t;
}
