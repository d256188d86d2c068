/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the repeatable effects of a translation and applies them to counted packets. */
#include "ofproto/path/credit.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

static bool credit_from_effect(struct credit *c, const struct effect *e)
{
    c->kind = e->kind;
    switch (e->kind) {
    case EFFECT_RULE:
        c->rule = rule_get(e->rule);
        return c->rule != NULL;
    case EFFECT_TABLE:
        c->table.tables = e->table.bridge->tables;
        c->table.table = e->table.table;
        c->table.matched = e->table.matched;
        return true;
    case EFFECT_MAC:
        c->mac.macs = e->mac.bridge->macs;
        c->mac.vlan = e->mac.vlan;
        c->mac.mac = e->mac.mac;
        c->mac.port = e->mac.port;
        return true;
    case EFFECT_PORT_RX:
    case EFFECT_PORT_TX:
        c->port = e->port;
        __atomic_add_fetch(&c->port->refs, 1, __ATOMIC_RELAXED);
        return true;
    case EFFECT_LEARN:
        c->learn = learn_request_from_effect(e);
        return true;
    case EFFECT_PACKET_IN:
        break;
    }
    return false;
}

void credits_from_effects(struct credits *credits, const struct xlate_out *out)
{
    credits->n = 0;
    credits->list = out->n_effects ? xmalloc(out->n_effects * sizeof *credits->list) : NULL;
    for (size_t i = 0; i < out->n_effects; i++) {
        if (credit_from_effect(&credits->list[credits->n], &out->effects[i])) {
            credits->n++;
        }
    }
}

void credits_fini(struct credits *credits)
{
    for (size_t i = 0; i < credits->n; i++) {
        struct credit *c = &credits->list[i];
        if (c->kind == EFFECT_RULE) {
            rule_put(c->rule);
        } else if (c->kind == EFFECT_PORT_RX || c->kind == EFFECT_PORT_TX) {
            port_credit_put(c->port);
        } else if (c->kind == EFFECT_LEARN) {
            learn_request_free(c->learn);
        }
    }
    free(credits->list);
    credits->list = NULL;
    credits->n = 0;
}

void credits_apply(const struct credits *credits, uint64_t packets, uint64_t bytes, int64_t used_ms,
                   void (*learn)(const struct learn_request *, void *arg), void *arg)
{
    for (size_t i = 0; i < credits->n; i++) {
        const struct credit *c = &credits->list[i];
        switch (c->kind) {
        case EFFECT_RULE:
            rule_credit(c->rule, packets, bytes, used_ms);
            break;
        case EFFECT_TABLE:
            tables_credit(c->table.tables, c->table.table, packets, c->table.matched ? packets : 0);
            break;
        case EFFECT_MAC:
            mac_refresh(c->mac.macs, c->mac.vlan, c->mac.mac, c->mac.port);
            break;
        case EFFECT_PORT_RX:
            __atomic_add_fetch(&c->port->rx_packets, packets, __ATOMIC_RELAXED);
            __atomic_add_fetch(&c->port->rx_bytes, bytes, __ATOMIC_RELAXED);
            break;
        case EFFECT_PORT_TX:
            __atomic_add_fetch(&c->port->tx_packets, packets, __ATOMIC_RELAXED);
            __atomic_add_fetch(&c->port->tx_bytes, bytes, __ATOMIC_RELAXED);
            break;
        case EFFECT_LEARN:
            learn(c->learn, arg);
            break;
        case EFFECT_PACKET_IN:
            break;
        }
    }
}

static struct learn_request *learn_request_make(uint16_t bridge_id, const struct ofp_flow_mod *fm)
{
    struct learn_request *r = xzalloc(sizeof *r);
    r->bridge_id = bridge_id;
    r->fm = *fm;
    buffer_init(&r->actions);
    buffer_put(&r->actions, fm->actions.first, fm->actions.len);
    r->fm.actions = ofact_list_of(&r->actions);
    return r;
}

struct learn_request *learn_request_from_effect(const struct effect *e)
{
    return learn_request_make(e->learn.bridge->id, &e->learn.fm);
}

struct learn_request *learn_request_clone(const struct learn_request *r)
{
    return learn_request_make(r->bridge_id, &r->fm);
}

void learn_request_free(struct learn_request *r)
{
    if (r) {
        buffer_fini(&r->actions);
        free(r);
    }
}
