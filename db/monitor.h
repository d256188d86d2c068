/* SPDX-License-Identifier: Apache-2.0 */
/* Monitors: what sessions want to be told of a database (RFC 7047 section 4.1.5, and monitor_cond and
 * monitor_cond_since of ovsdb-server(7)).
 *
 * What: monitors that ask for the same things share a view. When a transaction is published each view
 * makes the text of the change once, directly from the rows, and each of its monitors sends it with its own
 * name in front.
 *
 * Threads: the database's. */
#ifndef DB_MONITOR_H
#define DB_MONITOR_H

#include <jansson.h>

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/base/types.h"

struct database;
struct db_error;
struct db_txn;
struct monitor_view;
struct text;

enum monitor_version {
    MONITOR_V1,   /* "monitor", "update" */
    MONITOR_V2,   /* "monitor_cond", "update2" */
    MONITOR_V3,   /* "monitor_cond_since", "update3" */
};

/* All monitors of a database. */
struct monitor_set {
    struct database *db;
    struct hmap views;
    size_t n_monitors;
    /* Sends a notification to the monitor's owner. */
    void (*send)(void *owner, const char *text, size_t n);
};

struct db_monitor {
    struct list node;             /* In its view's list. */
    struct list owner_node;       /* For the owner. */
    void *owner;
    struct monitor_set *set;
    enum monitor_version version;
    struct monitor_view *view;
    json_t *id;                   /* Chosen by the client. */
    json_t *requests;             /* With the conditions as they are now. */
};

void monitor_set_init(struct monitor_set *, struct database *,
                      void (*send)(void *owner, const char *text, size_t n));
void monitor_set_fini(struct monitor_set *);   /* There are no monitors any more. */

struct db_error *db_monitor_create(struct monitor_set *, enum monitor_version, const json_t *id,
                                   const json_t *requests, void *owner, struct db_monitor **);
void db_monitor_destroy(struct db_monitor *);
/* The <table-updates> with what the monitor wants to know at its start. */
void db_monitor_put_initial(const struct db_monitor *, struct text *);
/* Changes conditions, and the monitor's name to 'id'; sends what came and went by that. */
struct db_error *db_monitor_change(struct db_monitor *, const json_t *id, const json_t *changes);

/* Tells everyone of a committed transaction. */
void monitor_set_publish(struct monitor_set *, const struct db_txn *);

#endif
