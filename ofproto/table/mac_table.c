/* SPDX-License-Identifier: Apache-2.0 */
/* MAC learning: a hash map under one lock, with a list in order of use for each port and for the whole. */
#include "ofproto/table/mac_table.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/sys/clock.h"

/* After a gratuitous ARP an address stays this long where it announced itself: what was still under way elsewhere, or is
 * reflected by a neighbour, does not move it back. */
enum { GARP_HOLD_MS = 5000 };

/* Invariants: M1 an entry that is not static is in 'ages' and in its port's list, both in order of use. M2 a port is in 'ports'
 * while it has entries. M3 there are at most 'max' entries. */
struct mac_node {
    struct hmap_node node;       /* In 'macs'. */
    struct list in_ages, in_port;
    struct mac_port *port;       /* NULL: static. */
    int64_t held_until_ms;
    struct mac_entry e;
};

struct mac_port {
    struct list node;            /* In 'ports'. */
    ofp_port number;
    struct list nodes;
    size_t n;
};

struct mac_table {
    pthread_mutex_t lock;        /* Everything below, until 'changes'. */
    struct hmap macs;
    struct list ages;            /* Oldest first. */
    struct list ports;
    unsigned idle_s;
    size_t max, n_statics;
    uint64_t learned, expired, evicted, moved;
    struct changes *changes;
    uint16_t bridge_id;
};

/* Dependencies to tell when the lock has been released. */
struct touched {
    dep_t *deps;
    size_t n, allocated;
};

static void lock(const struct mac_table *);
static void unlock(const struct mac_table *);
static uint32_t hash_mac(uint16_t vlan, struct eth_addr);
static struct mac_node *find(const struct mac_table *, uint16_t vlan, struct eth_addr);
static struct mac_node *insert(struct mac_table *, uint16_t vlan, struct eth_addr, ofp_port);
static void attach(struct mac_table *, struct mac_node *);
static void detach(struct mac_table *, struct mac_node *);
static void use(struct mac_table *, struct mac_node *);
static void discard(struct mac_table *, struct mac_node *, struct touched *);
static bool make_room(struct mac_table *, struct touched *);
static bool moves_now(const struct mac_node *, ofp_port, bool gratuitous_arp);
static void touch(struct touched *, const struct mac_table *, const struct mac_entry *);
static void tell(struct mac_table *, struct touched *);
static int compare_entries(const void *, const void *);

struct mac_table *mac_table_create(struct changes *changes, uint16_t bridge_id)
{
    struct mac_table *t = xzalloc(sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    hmap_init(&t->macs);
    list_init(&t->ages);
    list_init(&t->ports);
    t->idle_s = MAC_DEFAULT_IDLE_S;
    t->max = MAC_DEFAULT_MAX;
    t->changes = changes;
    t->bridge_id = bridge_id;
    return t;
}

void mac_table_destroy(struct mac_table *t)
{
    if (!t) {
        return;
    }
    struct mac_node *n;
    HMAP_FOR_EACH (n, node, &t->macs) {
        discard(t, n, NULL);
    }
    hmap_fini(&t->macs);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

void mac_table_configure(struct mac_table *t, unsigned idle_s, unsigned max)
{
    struct touched touched = { 0 };
    lock(t);
    t->idle_s = idle_s ? idle_s : MAC_DEFAULT_IDLE_S;
    t->max = max ? max : MAC_DEFAULT_MAX;
    while (hmap_count(&t->macs) > t->max && make_room(t, &touched)) {
        continue;
    }
    unlock(t);
    tell(t, &touched);
}

dep_t mac_dep(const struct mac_table *t, uint16_t vlan, struct eth_addr mac)
{
    return dep_make(DEP_MAC, t->bridge_id, 0, hash_mac(vlan, mac));
}

bool mac_lookup(const struct mac_table *t, uint16_t vlan, struct eth_addr mac, struct mac_entry *e)
{
    lock(t);
    const struct mac_node *n = find(t, vlan, mac);
    if (n) {
        *e = n->e;
    }
    unlock(t);
    return n != NULL;
}

bool mac_would_change(const struct mac_table *t, uint16_t vlan, struct eth_addr mac, ofp_port port, bool gratuitous_arp)
{
    if (eth_addr_is_multicast(mac)) {
        return false;
    }
    lock(t);
    const struct mac_node *n = find(t, vlan, mac);
    bool would = !n || moves_now(n, port, gratuitous_arp);
    unlock(t);
    return would;
}

void mac_refresh(struct mac_table *t, uint16_t vlan, struct eth_addr mac, ofp_port port)
{
    lock(t);
    struct mac_node *n = find(t, vlan, mac);
    if (n && !n->e.is_static && n->e.port == port) {
        use(t, n);
    }
    unlock(t);
}

enum mac_learn_result mac_learn(struct mac_table *t, uint16_t vlan, struct eth_addr mac, ofp_port port,
                                bool gratuitous_arp)
{
    if (eth_addr_is_multicast(mac)) {
        return MAC_REFUSED;
    }
    enum mac_learn_result result;
    struct touched touched = { 0 };
    lock(t);
    struct mac_node *n = find(t, vlan, mac);
    if (n && (n->e.is_static || (n->e.port != port && !moves_now(n, port, gratuitous_arp)))) {
        result = MAC_REFUSED;
    } else if (n && n->e.port == port) {
        use(t, n);
        result = MAC_REFRESHED;
    } else if (n) {
        detach(t, n);
        n->e.port = port;
        attach(t, n);
        t->moved++;
        touch(&touched, t, &n->e);
        result = MAC_MOVED;
    } else if (hmap_count(&t->macs) >= t->max && !make_room(t, &touched)) {
        result = MAC_REFUSED;
    } else {
        n = insert(t, vlan, mac, port);
        attach(t, n);
        t->learned++;
        touch(&touched, t, &n->e);
        result = MAC_NEW;
    }
    if (gratuitous_arp && result != MAC_REFUSED) {
        n->held_until_ms = clock_ms() + GARP_HOLD_MS;
    }
    unlock(t);
    tell(t, &touched);
    return result;
}

bool mac_add_static(struct mac_table *t, uint16_t vlan, struct eth_addr mac, ofp_port port)
{
    struct touched touched = { 0 };
    bool ok = true;
    lock(t);
    struct mac_node *n = find(t, vlan, mac);
    if (n) {
        if (!n->e.is_static || n->e.port != port) {
            touch(&touched, t, &n->e);
        }
        detach(t, n);
    } else if (hmap_count(&t->macs) < t->max || make_room(t, &touched)) {
        n = insert(t, vlan, mac, port);
        touch(&touched, t, &n->e);
    } else {
        ok = false;
    }
    if (ok) {
        n->e.port = port;
        n->e.is_static = true;
        t->n_statics++;
    }
    unlock(t);
    tell(t, &touched);
    return ok;
}

bool mac_delete(struct mac_table *t, uint16_t vlan, struct eth_addr mac)
{
    struct touched touched = { 0 };
    lock(t);
    struct mac_node *n = find(t, vlan, mac);
    if (n) {
        discard(t, n, &touched);
    }
    unlock(t);
    tell(t, &touched);
    return n != NULL;
}

void mac_flush(struct mac_table *t, bool statics_too)
{
    struct touched touched = { 0 };
    lock(t);
    struct mac_node *n;
    HMAP_FOR_EACH (n, node, &t->macs) {
        if (statics_too || !n->e.is_static) {
            discard(t, n, &touched);
        }
    }
    unlock(t);
    tell(t, &touched);
}

void mac_flush_port(struct mac_table *t, ofp_port port)
{
    struct touched touched = { 0 };
    lock(t);
    struct mac_node *n;
    HMAP_FOR_EACH (n, node, &t->macs) {
        if (n->e.port == port) {
            discard(t, n, &touched);
        }
    }
    unlock(t);
    tell(t, &touched);
}

void mac_expire(struct mac_table *t)
{
    struct touched touched = { 0 };
    lock(t);
    int64_t limit = clock_ms() - (int64_t) t->idle_s * 1000;
    while (!list_is_empty(&t->ages)) {
        struct mac_node *n = LIST_ENTRY(t->ages.next, struct mac_node, in_ages);
        if (n->e.seen_ms > limit) {
            break;
        }
        discard(t, n, &touched);
        t->expired++;
    }
    unlock(t);
    tell(t, &touched);
}

void mac_for_each(const struct mac_table *t, void (*each)(const struct mac_entry *, void *arg), void *arg)
{
    lock(t);
    size_t count = hmap_count(&t->macs), i = 0;
    struct mac_entry *entries = xcalloc(count + 1, sizeof *entries);
    struct mac_node *n;
    HMAP_FOR_EACH (n, node, &t->macs) {
        entries[i++] = n->e;
    }
    unlock(t);
    qsort(entries, count, sizeof *entries, compare_entries);
    for (i = 0; i < count; i++) {
        each(&entries[i], arg);
    }
    free(entries);
}

void mac_get_stats(const struct mac_table *t, struct mac_stats *s)
{
    lock(t);
    *s = (struct mac_stats) {
        .learned = t->learned, .expired = t->expired, .evicted = t->evicted, .moved = t->moved,
        .current = hmap_count(&t->macs), .statics = t->n_statics, .max = t->max,
    };
    unlock(t);
}

static void lock(const struct mac_table *t)
{
    pthread_mutex_lock((pthread_mutex_t *) &t->lock);
}

static void unlock(const struct mac_table *t)
{
    pthread_mutex_unlock((pthread_mutex_t *) &t->lock);
}

static uint32_t hash_mac(uint16_t vlan, struct eth_addr mac)
{
    uint64_t x = (uint64_t) vlan << 48;
    for (int i = 0; i < 6; i++) {
        x |= (uint64_t) mac.b[i] << (40 - 8 * i);
    }
    return hash_mix64(x ^ hash_seed());
}

static struct mac_node *find(const struct mac_table *t, uint16_t vlan, struct eth_addr mac)
{
    struct mac_node *n;
    HMAP_FOR_EACH_WITH_HASH (n, node, hash_mac(vlan, mac), &t->macs) {
        if (n->e.vlan == vlan && eth_addr_equal(n->e.mac, mac)) {
            return n;
        }
    }
    return NULL;
}

static struct mac_node *insert(struct mac_table *t, uint16_t vlan, struct eth_addr mac, ofp_port port)
{
    struct mac_node *n = xzalloc(sizeof *n);
    n->e = (struct mac_entry) { .mac = mac, .vlan = vlan, .port = port, .seen_ms = clock_ms() };
    list_init(&n->in_ages);
    list_init(&n->in_port);
    hmap_insert(&t->macs, &n->node, hash_mac(vlan, mac));
    return n;
}

/* Enters a node that is not static into the lists as the most recently used. */
static void attach(struct mac_table *t, struct mac_node *n)
{
    struct mac_port *p, *port = NULL;
    LIST_FOR_EACH (p, node, &t->ports) {
        if (p->number == n->e.port) {
            port = p;
            break;
        }
    }
    if (!port) {
        port = xzalloc(sizeof *port);
        port->number = n->e.port;
        list_init(&port->nodes);
        list_push_back(&t->ports, &port->node);
    }
    port->n++;
    n->port = port;
    n->e.seen_ms = clock_ms();
    list_push_back(&port->nodes, &n->in_port);
    list_push_back(&t->ages, &n->in_ages);
}

/* Leaves the lists, and being static. */
static void detach(struct mac_table *t, struct mac_node *n)
{
    if (n->e.is_static) {
        n->e.is_static = false;
        t->n_statics--;
        return;
    }
    if (n->port) {
        list_remove(&n->in_port);
        list_remove(&n->in_ages);
        if (!--n->port->n) {
            list_remove(&n->port->node);
            free(n->port);
        }
        n->port = NULL;
    }
}

static void use(struct mac_table *t, struct mac_node *n)
{
    n->e.seen_ms = clock_ms();
    list_remove(&n->in_port);
    list_push_back(&n->port->nodes, &n->in_port);
    list_remove(&n->in_ages);
    list_push_back(&t->ages, &n->in_ages);
}

static void discard(struct mac_table *t, struct mac_node *n, struct touched *touched)
{
    if (touched) {
        touch(touched, t, &n->e);
    }
    detach(t, n);
    hmap_remove(&t->macs, &n->node);
    free(n);
}

/* Evicts the least recently used entry of the port that has most. False: all are static. */
static bool make_room(struct mac_table *t, struct touched *touched)
{
    struct mac_port *p, *largest = NULL;
    LIST_FOR_EACH (p, node, &t->ports) {
        if (!largest || p->n > largest->n) {
            largest = p;
        }
    }
    if (!largest) {
        return false;
    }
    discard(t, LIST_ENTRY(largest->nodes.next, struct mac_node, in_port), touched);
    t->evicted++;
    return true;
}

static bool moves_now(const struct mac_node *n, ofp_port port, bool gratuitous_arp)
{
    return !n->e.is_static && n->e.port != port && (gratuitous_arp || clock_ms() >= n->held_until_ms);
}

static void touch(struct touched *touched, const struct mac_table *t, const struct mac_entry *e)
{
    if (touched->n == touched->allocated) {
        touched->deps = xgrow(touched->deps, &touched->allocated, sizeof *touched->deps);
    }
    touched->deps[touched->n++] = mac_dep(t, e->vlan, e->mac);
}

/* Makes the changes; many of them are one, of the whole table. */
static void tell(struct mac_table *t, struct touched *touched)
{
    enum { MANY = CHANGE_RING / 8 };
    if (touched->n) {
        size_t n = touched->n > MANY ? 1 : touched->n;
        struct change *list = xcalloc(n, sizeof *list);
        for (size_t i = 0; i < n; i++) {
            list[i].dep = touched->n > MANY ? dep_object(touched->deps[0]) : touched->deps[i];
        }
        changes_add(t->changes, list, n, NULL, NULL);
        free(list);
    }
    free(touched->deps);
}

static int compare_entries(const void *a_, const void *b_)
{
    const struct mac_entry *a = a_, *b = b_;
    return a->vlan != b->vlan ? (a->vlan < b->vlan ? -1 : 1) : memcmp(&a->mac, &b->mac, sizeof a->mac);
}
