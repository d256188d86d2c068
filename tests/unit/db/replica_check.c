/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a replica is sound: looks at every member of every row the slow way. */
#include "tests/unit/db/replica_check.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"

static const void *member(const struct dbc_row *row, size_t offset)
{
    return (const char *) row + offset;
}

/* Counts of pointers that this check found, by the row's address. */
struct counts {
    const struct dbc_row **rows;
    size_t n, allocated;
};

static bool atom_matches(const union atom *a, enum atom_type type, const void *p, size_t i)
{
    switch (type) {
    case ATOM_INTEGER:
        return ((const int64_t *) p)[i] == a->integer;
    case ATOM_REAL:
        return ((const double *) p)[i] == a->real;
    case ATOM_BOOLEAN:
        return ((const bool *) p)[i] == a->boolean;
    case ATOM_STRING:
        return ((const char *const *) p)[i] == atom_string(a);
    case ATOM_UUID:
        return uuid_equal(&((const struct uuid *) p)[i], &a->uuid);
    case ATOM_VOID:
        break;
    }
    return false;
}

/* The element at 'p' is what 'a' says. */
static bool element_matches(const struct dbc_replica *r, const union atom *a, enum atom_type type,
                            const struct dbc_table *ref, const void *p, size_t i, struct counts *counts)
{
    if (!ref) {
        return atom_matches(a, type, p, i);
    }
    const struct dbc_row *row = ((const struct dbc_row *const *) p)[i];
    if (row != dbc_replica_get(r, ref, &a->uuid)) {
        return false;
    }
    if (counts->n == counts->allocated) {
        counts->rows = xgrow(counts->rows, &counts->allocated, sizeof *counts->rows);
    }
    counts->rows[counts->n++] = row;
    return true;
}

static bool is_absent(const struct dbc_replica *r, const union atom *a, const struct dbc_table *ref)
{
    return ref && !dbc_replica_get(r, ref, &a->uuid);
}

/* The zero UUID is a default, which refers to nothing. */
static bool is_dangling(const struct dbc_replica *r, const union atom *a, const struct dbc_table *ref)
{
    return is_absent(r, a, ref) && !uuid_is_zero(&a->uuid);
}

static const char *check_array(const struct dbc_replica *r, const struct dbc_row *row,
                               const struct dbc_column *c, struct counts *counts, bool *dangling)
{
    const struct datum *d = row->data[c->index];
    if (c->member == DB_MEMBER_MAP && d->n && !*(const void *const *) member(row, c->offset_values)) {
        return "a map has no values";
    }
    const void *keys = *(const void *const *) member(row, c->offset);
    const void *values = c->member == DB_MEMBER_MAP
                             ? *(const void *const *) member(row, c->offset_values) : NULL;
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (is_absent(r, datum_key(d, i), c->key_ref) ||
            (values && is_absent(r, datum_value(d, i), c->value_ref))) {
            *dangling |= is_dangling(r, datum_key(d, i), c->key_ref) ||
                         (values && is_dangling(r, datum_value(d, i), c->value_ref));
            continue;
        }
        if (!element_matches(r, datum_key(d, i), c->type.key.type, c->key_ref, keys, n, counts) ||
            (values && !element_matches(r, datum_value(d, i), c->type.value.type, c->value_ref, values, n,
                                        counts))) {
            return "an element differs from its datum";
        }
        n++;
    }
    return n == *(const size_t *) member(row, c->offset_n) ? NULL : "an array has a wrong length";
}

static const char *check_smap(const struct dbc_row *row, const struct dbc_column *c)
{
    const struct datum *d = row->data[c->index];
    const struct smap *map = member(row, c->offset);
    if (map->n != d->n) {
        return "a map has a wrong length";
    }
    for (size_t i = 0; i < d->n; i++) {
        if (strcmp(map->entries[i].key, atom_string(datum_key(d, i))) ||
            smap_get(map, map->entries[i].key) != map->entries[i].value ||
            strcmp(map->entries[i].value, atom_string(datum_value(d, i)))) {
            return "a map differs from its datum";
        }
    }
    return NULL;
}

static const char *check_single(const struct dbc_replica *r, const struct dbc_row *row,
                                const struct dbc_column *c, struct counts *counts, bool *dangling)
{
    const struct datum *d = row->data[c->index];
    bool has_flag = c->offset_n != 0;
    if (!d->n) {
        return has_flag && *(const bool *) member(row, c->offset_n) ? "an absent value is there" : NULL;
    }
    if (has_flag && !*(const bool *) member(row, c->offset_n)) {
        return "a value is absent";
    }
    if (is_absent(r, datum_key(d, 0), c->key_ref)) {
        *dangling |= is_dangling(r, datum_key(d, 0), c->key_ref);
        return *(const void *const *) member(row, c->offset) ? "a pointer to an absent row" : NULL;
    }
    if (c->type.key.type == ATOM_STRING) {
        return strcmp(*(const char *const *) member(row, c->offset), atom_string(datum_key(d, 0)))
                   ? "a string differs from its datum" : NULL;
    }
    return element_matches(r, datum_key(d, 0), c->type.key.type, c->key_ref, member(row, c->offset), 0,
                           counts) ? NULL : "a value differs from its datum";
}

static const char *check_row(const struct dbc_replica *r, const struct dbc_row *row,
                             struct counts *counts, size_t *n_dangling)
{
    const char *wrong = NULL;
    bool dangling = false;
    for (unsigned i = 0; i < row->table->n_columns && !wrong; i++) {
        const struct dbc_column *c = &row->table->columns[i];
        wrong = c->member == DB_MEMBER_SMAP ? check_smap(row, c)
                : c->member == DB_MEMBER_SET || c->member == DB_MEMBER_MAP
                    ? check_array(r, row, c, counts, &dangling)
                    : check_single(r, row, c, counts, &dangling);
    }
    *n_dangling += dangling;
    return wrong ? wrong : dangling != row->is_dangling ? "a row's mark as dangling is wrong" : NULL;
}

static bool is_indexed(const struct dbc_table_state *t, const struct dbc_row *wanted)
{
    const struct datum *d = wanted->data[wanted->table->index_column->index];
    const struct dbc_row *row;
    HMAP_FOR_EACH_WITH_HASH (row, by_index, hash_string(d->n ? atom_string(datum_key(d, 0)) : "", 0),
                             &t->by_index) {
        if (row == wanted) {
            return true;
        }
    }
    return false;
}

static int compare_pointers(const void *a, const void *b)
{
    const char *x = *(const char *const *) a, *y = *(const char *const *) b;
    return x < y ? -1 : x > y;
}

/* How often 'row' is in the sorted 'counts'. */
static size_t count(const struct counts *counts, const struct dbc_row *row)
{
    size_t low = 0, high = counts->n, n = 0;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if ((const char *) counts->rows[mid] < (const char *) row) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    while (low + n < counts->n && counts->rows[low + n] == row) {
        n++;
    }
    return n;
}

const char *replica_check(const struct dbc_replica *r)
{
    struct counts counts = { NULL, 0, 0 };
    const char *wrong = NULL;
    size_t n_dangling = 0;
    const struct dbc_row *row;
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        HMAP_FOR_EACH (row, by_uuid, &r->tables[i].rows) {
            if (!wrong) {
                wrong = check_row(r, row, &counts, &n_dangling);
            }
            if (!wrong && row->table->index_column && !is_indexed(&r->tables[i], row)) {
                wrong = "a row is not in its index";
            }
            if (!wrong && (row->is_deleted || row->dirty_columns)) {
                wrong = "a row was left half done";
            }
        }
    }
    if (counts.n) {
        qsort(counts.rows, counts.n, sizeof *counts.rows, compare_pointers);
    }
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        HMAP_FOR_EACH (row, by_uuid, &r->tables[i].rows) {
            if (!wrong && row->n_referrers != count(&counts, row)) {
                wrong = "a row has a wrong count of referrers";
            }
        }
    }
    free(counts.rows);
    return wrong ? wrong : n_dangling != r->n_dangling ? "the count of dangling rows is wrong" : NULL;
}
