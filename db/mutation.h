/* SPDX-License-Identifier: Apache-2.0 */
/* Mutations: changes of a column relative to what it holds (RFC 7047 section 5.1, <mutation>). */
#ifndef DB_MUTATION_H
#define DB_MUTATION_H

#include <jansson.h>

#include "db/txn.h"

struct db_error;

enum mutator {
    MUTATOR_ADD, MUTATOR_SUBTRACT, MUTATOR_MULTIPLY, MUTATOR_DIVIDE, MUTATOR_MODULO,
    MUTATOR_INSERT, MUTATOR_DELETE,
};

struct mutation {
    enum mutator mutator;
    const struct column_schema *column;
    struct column_type arg_type;   /* Shares its parts with the column's type. */
    struct datum *arg;
};

struct mutations {
    size_t n;
    struct mutation *mutations;
};

struct db_error *mutations_from_json(struct mutations *, const struct table_schema *, const json_t *,
                                     struct atom_symbols *);
void mutations_fini(struct mutations *);
/* Carries them out in order. On an error the row may be half changed: the transaction is to be aborted. */
struct db_error *mutations_apply(const struct mutations *, struct db_txn *, struct db_row *);

#endif
