/* SPDX-License-Identifier: Apache-2.0 */
/* Versions, dependencies and changes: how cached flows learn that an answer no longer holds (MECHANISMS 5).
 *
 * What: the published state of the whole ofproto has one version number. Each change (a rule added or removed, a MAC address that
 * moved, a port reconfigured) raises it and leaves a record in a ring of the last CHANGE_RING ones. A translation notes the
 * version it read and its *dependencies*: what it looked at, also what it looked for and missed. A change names the dependencies
 * it touches, so exactly the flows that could be affected are translated again.
 *
 * A dependency is 64 bits: kind, object, and a hash of the values looked up. DEP_ANY_HASH in a change touches all
 * hashes of its object.
 *
 * Threads: versions are read by any thread; changes are made by the main thread, MAC moves also by handlers
 * (changes_add() has a lock). The listener is called in the thread that made the change, after it was published. */
#ifndef OFPROTO_TABLE_CHANGE_H
#define OFPROTO_TABLE_CHANGE_H

#include "lib/base/types.h"
#include "lib/flow/match.h"

typedef uint64_t dep_t;

enum dep_kind {
    DEP_TABLE = 1,     /* Object: bridge id << 8 | table. Hash: values of the table's partition fields. */
    DEP_MAC,           /* Object: bridge id << 8. Hash: of VLAN and address. */
    DEP_BRIDGE,        /* Object: bridge id << 8. Ports, bundles, settings of the bridge. Hash 0. */
    DEP_DP_PORT,       /* Object 0. Hash: datapath port number: which bridge it belongs to. */
    DEP_TUNNEL,        /* Object 0. Hash 0: the tunnel table. */
};
#define DEP_ANY_HASH UINT32_MAX

static inline dep_t dep_make(enum dep_kind kind, uint16_t bridge_id, uint8_t table, uint32_t hash)
{
    return (dep_t) kind << 56 | (dep_t) bridge_id << 40 | (dep_t) table << 32
           | (hash == DEP_ANY_HASH ? hash - 1 : hash);
}
/* The dependency's object with any hash. */
static inline dep_t dep_object(dep_t d) { return d | UINT32_MAX; }
static inline bool dep_is_any(dep_t d) { return (uint32_t) d == DEP_ANY_HASH; }

/* Collects distinct dependencies of one translation. */
struct dep_set {
    dep_t *deps;
    size_t n, allocated;
};
void dep_set_init(struct dep_set *);
void dep_set_fini(struct dep_set *);
void dep_set_clear(struct dep_set *);
void dep_set_add(struct dep_set *, dep_t);
/* Sorts, so that equal sets are equal arrays. */
void dep_set_seal(struct dep_set *);
/* Does a change of 'changed' (0: of everything) touch one of the (sealed) set? */
bool dep_set_is_touched(const struct dep_set *, dep_t changed);

enum { CHANGE_RING = 1024 };

struct change {
    uint64_t version;            /* The version that it made. */
    dep_t dep;                   /* What it touches; dep_object() for all of an object; 0: everything. */
    /* A rule's match over packet fields that no earlier action can have modified may narrow the selection: */
    bool has_match;
    struct minimatch match;      /* Of the ring; valid under RCU. */
};

struct changes;
struct changes *changes_create(void);
void changes_destroy(struct changes *);
uint64_t changes_version(const struct changes *);
/* Does 'c' concern a flow with ingress key 'key' under 'mask' whose dependencies are the (sealed) set 'deps'? */
bool change_selects(const struct change *c, const struct dep_set *deps, const struct key *key, const struct mask *mask);
/* Raises the version by one for a group of changes that is published at once ('n' >= 1): 'publish(arg, version)' makes
 * the new state visible at that version and is called before anyone can read the new number. Then tells the listener of each. */
void changes_add(struct changes *, const struct change *, size_t n, void (*publish)(void *arg, uint64_t version), void *arg);
/* The version that the next changes_add() of this thread will make. Main thread, for preparing rules. */
uint64_t changes_next_version(const struct changes *);
/* Packet fields that rules' actions have ever been able to modify: a rule that matches any other bits does so as the
 * packet came in, whatever path led to its table, so they may narrow a change. Main thread. */
void changes_note_modified(struct changes *, const struct fields *mask);
const struct fields *changes_modified(const struct changes *);
void changes_set_listener(struct changes *, void (*fn)(const struct change *, size_t n, void *arg), void *arg);
/* Calls 'each' for every change after 'since', oldest first. False if the ring no longer has them all: translate again.
 * 'each' runs under the lock of changes_add() and must not make changes. */
bool changes_since(struct changes *, uint64_t since, void (*each)(const struct change *, void *arg), void *arg);

#endif
