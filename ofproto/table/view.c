/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in the view, and its release. */
#include "ofproto/table/view.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/packet/tunnel_key.h"

static void free_port(struct view_port *);
static void free_bundle(struct view_bundle *);
static bool accepts_addresses(const struct view_tunnel *, const struct in6_addr *local, const struct in6_addr *remote);
static bool is_zero(const struct in6_addr *a) { return IN6_IS_ADDR_UNSPECIFIED(a); }

struct view_port *view_port_by_number(const struct view_bridge *b, ofp_port number)
{
    size_t low = 0, high = b->n_ports;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->ports[middle]->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < b->n_ports && b->ports[low]->number == number ? b->ports[low] : NULL;
}

struct view_port *view_port_by_name(const struct view_bridge *b, const char *name)
{
    for (size_t i = 0; i < b->n_ports; i++) {
        if (!strcmp(b->ports[i]->name, name)) {
            return b->ports[i];
        }
    }
    return NULL;
}

struct view_bridge *view_bridge_by_name(const struct view *v, const char *name)
{
    for (size_t i = 0; i < v->n_bridges; i++) {
        if (!strcmp(v->bridges[i]->name, name)) {
            return v->bridges[i];
        }
    }
    return NULL;
}

struct view_port *view_port_by_dp(const struct view *v, uint32_t dp_port)
{
    size_t low = 0, high = v->n_by_dp_port;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (v->by_dp_port[middle]->dp_port < dp_port) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < v->n_by_dp_port && v->by_dp_port[low]->dp_port == dp_port ? v->by_dp_port[low] : NULL;
}

bool view_is_carrier(const struct view *v, uint32_t dp_port)
{
    for (size_t i = 0; i < v->n_tunnels; i++) {
        if (v->tunnels[i]->dp_port == dp_port) {
            return true;
        }
    }
    return false;
}

struct view_port *view_tunnel_by_key(const struct view *v, uint32_t carrier, const struct tunnel_key *key, enum drop *why)
{
    bool is_v6 = !is_zero(&key->ip6_src) || !is_zero(&key->ip6_dst);
    struct in6_addr remote = is_v6 ? key->ip6_src : ip6_from_ip4(key->ip4_src);
    struct in6_addr local = is_v6 ? key->ip6_dst : ip6_from_ip4(key->ip4_dst);
    uint64_t id = be64toh(key->id);

    /* Of those that accept the packet: a key of its own counts more than a remote of its own, that more than a local address. */
    struct view_port *best = NULL;
    int best_score = -1;
    *why = DROP_TUNNEL_UNKNOWN_REMOTE;
    for (size_t i = 0; i < v->n_tunnels; i++) {
        struct view_port *p = v->tunnels[i];
        const struct view_tunnel *t = &p->tunnel;
        if (p->dp_port != carrier || !accepts_addresses(t, &local, &remote)) {
            continue;
        }
        if (!t->key_flow && (t->has_key ? t->key : 0) != id) {
            *why = DROP_TUNNEL_UNKNOWN_KEY;
            continue;
        }
        int score = (!t->key_flow) * 8 + (!t->remote_flow) * 4 + (t->local_flow ? 0 : is_zero(&t->local) ? 1 : 2);
        if (score > best_score) {
            best = p;
            best_score = score;
        }
    }
    return best;
}

struct view *view_new(void)
{
    return xzalloc(sizeof(struct view));
}

void view_free(struct view *v)
{
    if (!v) {
        return;
    }
    for (size_t i = 0; i < v->n_bridges; i++) {
        struct view_bridge *b = v->bridges[i];
        for (size_t j = 0; j < b->n_ports; j++) {
            free_port(b->ports[j]);
        }
        for (size_t j = 0; j < b->n_bundles; j++) {
            free_bundle(b->bundles[j]);
        }
        free(b->ports);
        free(b->bundles);
        free(b->name);
        free(b);
    }
    free(v->bridges);
    free(v->by_dp_port);
    free(v->tunnels);
    free(v);
}

struct port_credit *port_credit_create(void)
{
    struct port_credit *c = xzalloc(sizeof *c);
    c->refs = 1;
    return c;
}

struct port_credit *port_credit_get(struct port_credit *c)
{
    if (c) {
        __atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
    }
    return c;
}

void port_credit_put(struct port_credit *c)
{
    if (c && !__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL)) {
        free(c);
    }
}

static void free_port(struct view_port *p)
{
    port_credit_put(p->credit);
    free(p->name);
    free(p);
}

static void free_bundle(struct view_bundle *b)
{
    free(b->name);
    free(b->ports);
    free(b);
}

static bool accepts_addresses(const struct view_tunnel *t, const struct in6_addr *local, const struct in6_addr *remote)
{
    return (t->remote_flow || !memcmp(&t->remote, remote, sizeof *remote))
           && (t->local_flow || is_zero(&t->local) || !memcmp(&t->local, local, sizeof *local));
}
