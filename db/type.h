/* SPDX-License-Identifier: Apache-2.0 */
/* Types of columns: <base-type> and <type> of RFC 7047 section 3.2, with their constraints. */
#ifndef DB_TYPE_H
#define DB_TYPE_H

#include <jansson.h>

#include "db/atom.h"
#include "lib/base/types.h"

struct datum;
struct db_error;

enum { DB_UNLIMITED = UINT32_MAX };

struct base_type {
    enum atom_type type;
    struct datum *choices;        /* "enum": a set of this type, or NULL. */
    int64_t min_integer, max_integer;
    double min_real, max_real;
    uint32_t min_length, max_length;   /* In characters. */
    char *ref_table;              /* NULL if it is not a reference. */
    bool weak;
};

struct column_type {
    struct base_type key;
    struct base_type value;       /* ATOM_VOID: a set, otherwise a map. */
    uint32_t min, max;            /* Elements; min is 0 or 1, max may be DB_UNLIMITED. */
};

static inline bool column_type_is_map(const struct column_type *t) { return t->value.type != ATOM_VOID; }
static inline bool column_type_is_scalar(const struct column_type *t)
{
    return t->min == 1 && t->max == 1 && t->value.type == ATOM_VOID;
}
/* More than one element possible: changes are worth writing as differences. */
static inline bool column_type_is_composite(const struct column_type *t) { return t->max > 1; }

void base_type_init(struct base_type *, enum atom_type);
void base_type_fini(struct base_type *);
static inline bool base_type_is_strong_ref(const struct base_type *b) { return b->ref_table && !b->weak; }
static inline bool base_type_is_weak_ref(const struct base_type *b) { return b->ref_table && b->weak; }

void column_type_fini(struct column_type *);
struct db_error *column_type_from_json(struct column_type *, const json_t *);
bool column_type_equal(const struct column_type *, const struct column_type *);

/* Whether 'atom' keeps the constraints of 'base' (not those of references). */
struct db_error *base_type_check(const struct base_type *, const union atom *);

#endif
