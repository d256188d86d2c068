/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: which rows an operation or a monitor means (RFC 7047 section 5.1, <condition>, with the
 * relational functions on optional numbers and the booleans that later clients send). */
#ifndef DB_CONDITION_H
#define DB_CONDITION_H

#include <jansson.h>

#include "db/table.h"

struct db_error;

enum condition_function {
    CONDITION_FALSE, CONDITION_TRUE,
    CONDITION_LT, CONDITION_LE, CONDITION_EQ, CONDITION_NE, CONDITION_GE, CONDITION_GT,
    CONDITION_INCLUDES, CONDITION_EXCLUDES,
};

struct condition_clause {
    enum condition_function function;
    const struct column_schema *column;
    struct datum *arg;       /* NULL for the booleans. */
};

struct condition {
    const struct table_schema *table;
    size_t n;
    struct condition_clause *clauses;
};

struct db_error *condition_from_json(struct condition *, const struct table_schema *, const json_t *,
                                     struct atom_symbols *);
void condition_fini(struct condition *);
static inline bool condition_is_true(const struct condition *c)
{
    return !c->n;
}
/* All clauses hold (an operation's where). */
bool condition_holds(const struct condition *, struct datum *const *columns);
/* Any clause holds, or there is none (a monitor's where). */
bool condition_any_holds(const struct condition *, struct datum *const *columns);

/* The rows of 't' for which the condition holds, found by UUID or an index where the condition allows.
 * '*rows' is allocated. */
size_t condition_find(const struct condition *, const struct db_table *t, struct db_row ***rows);

#endif
