/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a JSON object apart: each member is asked for by name and kind, and what nobody asked for is
 * an error.
 *
 * Use:   struct members m;
 *        members_init(&m, json, "operation");
 *        const json_t *table = members_get(&m, "table", MEMBER_ID);
 *        struct db_error *e = members_finish(&m);
 *        if (e) return e;
 *
 * After the first failure members_get() gives NULL, so one look at the end is enough. */
#ifndef DB_MEMBERS_H
#define DB_MEMBERS_H

#include <jansson.h>

#include "lib/base/types.h"

struct db_error;

enum {
    MEMBER_NULL = 1, MEMBER_BOOLEAN = 2, MEMBER_INTEGER = 4, MEMBER_REAL = 8, MEMBER_STRING = 16,
    MEMBER_ARRAY = 32, MEMBER_OBJECT = 64,
    MEMBER_NUMBER = MEMBER_INTEGER | MEMBER_REAL,
    MEMBER_ANY = 127,
    MEMBER_ID = 128,         /* A string that is an <id>. */
    MEMBER_OPTIONAL = 256,   /* NULL if it is absent. */
};

struct members {
    const json_t *object;
    const char *what;
    size_t n_taken;
    const char *taken[16];
    struct db_error *error;
};

/* 'what' names the object in errors and outlives 'm'. */
void members_init(struct members *, const json_t *, const char *what);
const json_t *members_get(struct members *, const char *name, int kinds);
/* Notes an error (takes; NULL is fine). The first one counts. */
void members_fail(struct members *, struct db_error *);
static inline bool members_failed(const struct members *m) { return m->error != NULL; }
/* The first error, or one about a member that was not asked for, or NULL. */
struct db_error *members_finish(struct members *);

#endif
