/* SPDX-License-Identifier: Apache-2.0 */
/* A laboratory for translation. */
#include "tests/unit/ofproto/lab.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/openflow/flow_text.h"
#include "lib/packet/headers.h"
#include "lib/sys/rcu.h"

static void *append(void *array, size_t *n, void *p);
static void by_number(struct view_port **, size_t n, bool dp);
static void parse_vlans(const char *s, bool *all, uint64_t set[64]);

struct lab *lab_create(void)
{
    static bool registered;
    if (!registered) {
        rcu_register_thread();
        registered = true;
    }
    struct lab *l = xzalloc(sizeof *l);
    l->changes = changes_create();
    l->view = view_new();
    l->next_id = 1;
    return l;
}

void lab_destroy(struct lab *l)
{
    for (size_t i = 0; i < l->view->n_bridges; i++) {
        tables_destroy(l->view->bridges[i]->tables);
        mac_table_destroy(l->view->bridges[i]->macs);
    }
    view_free(l->view);
    rcu_barrier();
    changes_destroy(l->changes);
    free(l);
}

struct view_bridge *lab_bridge(struct lab *l, const char *name)
{
    struct view_bridge *b = view_bridge_by_name(l->view, name);
    if (!b) {
        b = xzalloc(sizeof *b);
        b->name = xstrdup(name);
        b->id = l->next_id++;
        b->tables = tables_create(l->changes, b->id, NULL, NULL);
        b->macs = mac_table_create(l->changes, b->id);
        l->view->bridges = append(l->view->bridges, &l->view->n_bridges, b);
    }
    return b;
}

struct view_port *lab_port(struct lab *l, const char *bridge, const char *name, ofp_port number, uint32_t dp_port)
{
    struct view_bridge *b = lab_bridge(l, bridge);
    struct view_port *p = xzalloc(sizeof *p);
    p->number = number;
    p->name = xstrdup(name);
    p->kind = VIEW_DEVICE;
    p->dp_port = dp_port;
    p->bridge = b;
    struct view_bundle *u = xzalloc(sizeof *u);
    u->name = xstrdup(name);
    u->mode = VIEW_TRUNK;
    u->all_vlans = u->all_cvlans = true;
    u->ports = append(NULL, &u->n_ports, p);
    p->bundle = u;
    b->ports = append(b->ports, &b->n_ports, p);
    b->bundles = append(b->bundles, &b->n_bundles, u);
    by_number(b->ports, b->n_ports, false);
    if (dp_port != UINT32_MAX) {
        l->view->by_dp_port = append(l->view->by_dp_port, &l->view->n_by_dp_port, p);
        by_number(l->view->by_dp_port, l->view->n_by_dp_port, true);
    }
    return p;
}

void lab_patch(struct lab *l, const char *bridge1, const char *name1, ofp_port number1, const char *bridge2,
               const char *name2, ofp_port number2)
{
    struct view_port *a = lab_port(l, bridge1, name1, number1, UINT32_MAX);
    struct view_port *b = lab_port(l, bridge2, name2, number2, UINT32_MAX);
    a->kind = b->kind = VIEW_PATCH;
    a->peer = b;
    b->peer = a;
    a->credit = port_credit_create();
    b->credit = port_credit_create();
}

struct view_port *lab_tunnel(struct lab *l, const char *bridge, const char *name, ofp_port number, uint32_t carrier)
{
    struct view_port *p = lab_port(l, bridge, name, number, UINT32_MAX);
    p->kind = VIEW_TUNNEL;
    p->dp_port = carrier;
    p->credit = port_credit_create();
    l->view->tunnels = append(l->view->tunnels, &l->view->n_tunnels, p);
    return p;
}

struct view_port *lab_find(struct lab *l, const char *bridge, const char *name)
{
    return view_port_by_name(lab_bridge(l, bridge), name);
}

void lab_vlan(struct lab *l, const char *bridge, const char *name, const char *settings)
{
    static const char *const modes[] = {
        [VIEW_TRUNK] = "trunk", [VIEW_ACCESS] = "access", [VIEW_NATIVE_TAGGED] = "native-tagged",
        [VIEW_NATIVE_UNTAGGED] = "native-untagged", [VIEW_DOT1Q_TUNNEL] = "dot1q-tunnel",
    };
    struct view_bundle *u = lab_find(l, bridge, name)->bundle;
    char *copy = xstrdup(settings), *save = NULL;
    const char *word = strtok_r(copy, " ", &save);
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (!strcmp(word, modes[i])) {
            u->mode = i;
        }
    }
    if (u->mode != VIEW_TRUNK) {
        u->tag = atoi(strtok_r(NULL, " ", &save));
    }
    parse_vlans(strtok_r(NULL, " ", &save), u->mode == VIEW_DOT1Q_TUNNEL ? &u->all_cvlans : &u->all_vlans,
                u->mode == VIEW_DOT1Q_TUNNEL ? u->cvlans : u->trunks);
    free(copy);
}

void lab_rules(struct lab *l, const char *bridge, const char *flows)
{
    char *copy = xstrdup(flows), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        enum ofp_flow_command command = OFPFC_ADD;
        if (*line == '-') {
            command = line[1] == '-' ? OFPFC_DELETE_STRICT : OFPFC_DELETE;
            line += 1 + (line[1] == '-');
        }
        struct buffer actions = BUFFER_INIT;
        struct ofp_flow_mod fm;
        struct error *e = ofp_flow_mod_parse(line, command, NULL, OFP13, &fm, &actions);
        if (!e) {
            if (command == OFPFC_ADD && fm.table_id == OFPTT_ALL) {
                fm.table_id = 0;
            }
            e = tables_flow_mod(lab_bridge(l, bridge)->tables, &fm, OFP13);
        }
        ck_assert_msg(!e, "%s: %s", line, error_text(e));
        buffer_fini(&actions);
    }
    free(copy);
}

int lab_flow_mod(struct lab *l, const char *bridge, const char *flow, enum ofp_flow_command command, enum ofp_version version)
{
    struct buffer actions = BUFFER_INIT;
    struct ofp_flow_mod fm;
    struct error *e = ofp_flow_mod_parse(flow, command, NULL, version, &fm, &actions);
    ck_assert_msg(!e, "%s: %s", flow, error_text(e));
    e = tables_flow_mod(lab_bridge(l, bridge)->tables, &fm, version);
    int code = error_code(e);
    error_free(e);
    buffer_fini(&actions);
    return code;
}

void lab_key(struct lab *l, const char *bridge, const char *packet, struct key *key)
{
    struct match m;
    /* "vlan1=VID" is the inner tag. */
    char *copy = xstrdup(packet), *inner = strstr(copy, ",vlan1=");
    uint16_t vid1 = 0;
    if (inner) {
        vid1 = atoi(inner + 7);
        *inner = '\0';
    }
    struct error *e = match_parse(copy, NULL, &m);
    ck_assert_msg(!e, "%s: %s", packet, error_text(e));
    free(copy);
    *key = m.value.key;
    if (key->l2.vlan[0].tci & htobe16(VLAN_CFI)) {
        key->l2.vlan[0].tpid = htobe16(ETH_TYPE_VLAN);
    }
    if (inner) {
        key->l2.vlan[1] = (struct key_vlan) { htobe16(ETH_TYPE_VLAN), htobe16(vid1 | VLAN_CFI) };
    }
    const struct view_port *p = view_port_by_number(lab_bridge(l, bridge), m.value.in_port);
    if (p) {
        key->meta.in_port = p->dp_port;
    }
}

void lab_xlate(struct lab *l, const struct key *key, struct trace *trace, struct xlate_out *out)
{
    rcu_read_lock();
    struct xlate_in in = { .view = l->view, .version = changes_version(l->changes), .key = key, .trace = trace };
    xlate(&in, out);
    rcu_read_unlock();
}

struct lab_result lab_translate(struct lab *l, const char *bridge, const char *packet)
{
    struct key key;
    lab_key(l, bridge, packet, &key);
    struct xlate_out out;
    xlate_out_init(&out);
    lab_xlate(l, &key, NULL, &out);
    struct text actions = TEXT_INIT, megaflow = TEXT_INIT;
    action_list_format_for(&out.actions, &key, NULL, NULL, &actions);
    struct match m;
    match_init_any(&m);
    m.mask.key = out.mask.bits;
    m.mask.key.meta.in_port = m.mask.key.meta.recirc_id = 0;
    m.mask.key.l2.vlan[0].tpid = m.mask.key.l2.vlan[1].tpid = 0;
    for (size_t i = 0; i < KEY_N_BLOCKS * KEY_BLOCK_WORDS; i++) {
        ((uint64_t *) &m.value)[i] = ((uint64_t *) &key)[i] & ((uint64_t *) &m.mask)[i];
    }
    match_format(&m, NULL, &megaflow);
    lab_learn(l, &out);
    xlate_out_fini(&out);
    return (struct lab_result) { text_steal(&actions), text_steal(&megaflow) };
}

void lab_learn(struct lab *l, const struct xlate_out *out)
{
    for (size_t i = 0; i < out->n_effects; i++) {
        const struct effect *e = &out->effects[i];
        if (e->kind == EFFECT_MAC) {
            mac_learn(e->mac.bridge->macs, e->mac.vlan, e->mac.mac, e->mac.port, e->mac.garp);
        }
    }
}

static void *append(void *array, size_t *n, void *p)
{
    void **list = xrealloc(array, (*n + 1) * sizeof *list);
    list[(*n)++] = p;
    return list;
}

static void by_number(struct view_port **list, size_t n, bool dp)
{
    for (size_t i = n - 1; i > 0; i--) {
        if (dp ? list[i]->dp_port < list[i - 1]->dp_port : list[i]->number < list[i - 1]->number) {
            struct view_port *p = list[i];
            list[i] = list[i - 1];
            list[i - 1] = p;
        }
    }
}

static void parse_vlans(const char *s, bool *all, uint64_t set[64])
{
    *all = !s;
    memset(set, 0, 64 * sizeof *set);
    while (s && *s) {
        unsigned long vid = strtoul(s, (char **) &s, 10);
        set[vid / 64] |= UINT64_C(1) << vid % 64;
        s += *s == ',';
    }
}
