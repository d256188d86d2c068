/* SPDX-License-Identifier: Apache-2.0 */
/* Data: the values of columns, each a set or a map of atoms (RFC 7047 section 5.1, <value>).
 *
 * A datum is counted and never changes once it was published, so rows, transactions and monitors share it.
 * Keys are sorted and unique. A map has its values after its keys. The type is known to the holder.
 *
 * Threads: the counts are plain; a datum belongs to the thread of its database. */
#ifndef DB_DATUM_H
#define DB_DATUM_H

#include <jansson.h>

#include "db/atom.h"
#include "db/type.h"
#include "lib/base/types.h"

struct db_error;
struct text;

struct datum {
    uint32_t refs;
    uint32_t n;            /* Elements. */
    union atom atoms[];    /* n keys, then n values if it is a map. */
};

/* Uninitialised atoms, one reference. To be filled, and sorted if the order is not known. */
struct datum *datum_alloc(size_t n, const struct column_type *);
static inline struct datum *datum_get(const struct datum *d)
{
    struct datum *mutable = (struct datum *) d;
    mutable->refs++;
    return mutable;
}
void datum_put(struct datum *, const struct column_type *);   /* NULL is fine. */
/* Sorts a new datum by key. An error if a key is there twice ('d' stays the caller's). */
struct db_error *datum_sort(struct datum *, const struct column_type *);

/* A new datum with the type's default: no elements, or one default atom (pair). */
struct datum *datum_default(const struct column_type *);
bool datum_is_default(const struct datum *, const struct column_type *);
struct datum *datum_of_uuid(const struct uuid *);
struct datum *datum_of_integer(int64_t);
struct datum *datum_of_boolean(bool);
struct datum *datum_of_string(const char *);

static inline const union atom *datum_key(const struct datum *d, size_t i) { return &d->atoms[i]; }
static inline const union atom *datum_value(const struct datum *d, size_t i)
{
    return &d->atoms[d->n + i];
}
/* The index of 'key', or SIZE_MAX. */
size_t datum_find_key(const struct datum *, const union atom *key, enum atom_type);

/* '*d' is set on success only. Checks base constraints, and the number of elements of the type. */
struct db_error *datum_from_json(struct datum **d, const struct column_type *, const json_t *,
                                 struct atom_symbols *);
/* The same with any number of elements, for operands of conditions and mutations. */
struct db_error *datum_from_json_any_n(struct datum **d, const struct column_type *, const json_t *,
                                       struct atom_symbols *);
void datum_put_json(const struct datum *, const struct column_type *, struct text *);
json_t *datum_to_json(const struct datum *, const struct column_type *);

/* Order of number of elements, keys, values. */
int datum_compare(const struct datum *, const struct datum *, const struct column_type *);
static inline bool datum_equal(const struct datum *a, const struct datum *b,
                               const struct column_type *type)
{
    return a == b || (a->n == b->n && !datum_compare(a, b, type));
}
uint32_t datum_hash(const struct datum *, const struct column_type *, uint32_t basis);

/* Every element (pair) of 'b' is in 'a'; none of 'b' is in 'a'. */
bool datum_includes_all(const struct datum *a, const struct datum *b, const struct column_type *);
bool datum_excludes_all(const struct datum *a, const struct datum *b, const struct column_type *);

/* New data. Union: elements of 'a' and those of 'b' whose keys 'a' lacks. */
struct datum *datum_union(const struct datum *a, const struct datum *b, const struct column_type *);
/* 'a' without the elements of 'b'; of a map, a pair goes if its key and value are those of 'b', or if
 * only its key is in 'b', which then is a set (b_is_keys). */
struct datum *datum_subtract(const struct datum *a, const struct datum *b, const struct column_type *,
                             bool b_is_keys);
/* Elements that are in one of both only; of keys in both with different values, b's pair. Applying the
 * difference to 'a' with datum_apply_diff() yields 'b'. Types with at most one element: 'b' itself. */
struct datum *datum_diff(const struct datum *a, const struct datum *b, const struct column_type *);
struct db_error *datum_apply_diff(const struct datum *a, const struct datum *diff,
                                  const struct column_type *, struct datum **b);
/* Without the elements whose flag is set in 'gone' (n flags). */
struct datum *datum_without(const struct datum *, const struct column_type *, const bool *gone);

#endif
