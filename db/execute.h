/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying out the operations of a "transact" request (RFC 7047 section 5.2).
 *
 * Threads: the database's. */
#ifndef DB_EXECUTE_H
#define DB_EXECUTE_H

#include <jansson.h>

#include "db/txn.h"
#include "lib/base/text.h"

struct execute_env {
    /* Whether the session owns a lock; NULL: no locks here. */
    bool (*owns_lock)(const char *lock, void *arg);
    void *arg;
    bool read_only;
    int64_t elapsed_ms;        /* Since the request came, for "wait". */
};

struct execute_outcome {
    /* A "wait" does not hold yet: nothing was done; try again when rows change, and by 'timeout_ms' after the
     * request (INT64_MAX: never mind). 'result' is empty then. */
    bool waiting;
    int64_t timeout_ms;
    struct text result;        /* JSON text: the array that is the reply's "result". */
    struct db_txn *txn;        /* Committed and not finished; NULL if nothing changed. */
    bool durable;
};

/* 'params' are those of the request: the database's name, then operations. Everything but params that are not
 * an array becomes part of the result. */
void execute(struct database *, const json_t *params, const struct execute_env *,
             struct execute_outcome *);

#endif
