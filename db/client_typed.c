/* SPDX-License-Identifier: Apache-2.0 */
/* C values to data, and rows' members from data. */
#include "db/client_typed.h"

#include <stdlib.h>

#include "db/client_private.h"
#include "lib/base/alloc.h"

/* C values --------------------------------------------------------------------------------------- */

static size_t c_size(const struct base_type *base, const struct dbc_table *ref)
{
    switch (base->type) {
    case ATOM_INTEGER:
        return sizeof(int64_t);
    case ATOM_REAL:
        return sizeof(double);
    case ATOM_BOOLEAN:
        return sizeof(bool);
    case ATOM_STRING:
        return sizeof(const char *);
    case ATOM_UUID:
        return ref ? sizeof(struct dbc_row *) : sizeof(struct uuid);
    case ATOM_VOID:
        break;
    }
    return 0;
}

/* False if there is no value: a NULL string or row. */
static bool atom_from_c(union atom *a, const struct base_type *base, const struct dbc_table *ref,
                        const void *p)
{
    memset(a, 0, sizeof *a);
    switch (base->type) {
    case ATOM_INTEGER:
        a->integer = *(const int64_t *) p;
        return true;
    case ATOM_REAL:
        a->real = *(const double *) p;
        return true;
    case ATOM_BOOLEAN:
        a->boolean = *(const bool *) p;
        return true;
    case ATOM_STRING: {
        const char *s = *(const char *const *) p;
        if (!s) {
            return false;
        }
        atom_init_string(a, s, strlen(s));
        return true;
    }
    case ATOM_UUID:
        if (!ref) {
            a->uuid = *(const struct uuid *) p;
            return true;
        }
        const struct dbc_row *row = *(const struct dbc_row *const *) p;
        if (!row) {
            return false;
        }
        a->uuid = row->uuid;
        return true;
    case ATOM_VOID:
        break;
    }
    return false;
}

struct element {
    union atom key, value;
    size_t order;
};

static int compare_elements(const void *a_, const void *b_, void *type)
{
    const struct element *a = a_, *b = b_;
    int c = atom_compare(&a->key, &b->key, *(const enum atom_type *) type);
    return c ? c : a->order < b->order ? -1 : 1;
}

static struct datum *datum_from_c(const struct dbc_column *c, const struct column_type *type,
                                  const void *keys, const void *values, size_t n)
{
    bool map = column_type_is_map(type);
    size_t key_size = c_size(&type->key, c->key_ref);
    size_t value_size = c_size(&type->value, c->value_ref);
    struct element *elements = xmalloc((n + 1) * sizeof *elements);
    size_t n_elements = 0;
    for (size_t i = 0; i < n; i++) {
        struct element *e = &elements[n_elements];
        memset(e, 0, sizeof *e);
        e->order = i;
        if (!atom_from_c(&e->key, &type->key, c->key_ref, (const char *) keys + i * key_size)) {
            continue;
        }
        if (map && !atom_from_c(&e->value, &type->value, c->value_ref,
                                (const char *) values + i * value_size)) {
            atom_fini(&e->key, type->key.type);
            continue;
        }
        n_elements++;
    }
    enum atom_type key_type = type->key.type;
    qsort_r(elements, n_elements, sizeof *elements, compare_elements, &key_type);
    size_t n_unique = 0;
    for (size_t i = 0; i < n_elements; i++) {
        if (n_unique && atom_equal(&elements[n_unique - 1].key, &elements[i].key, key_type)) {
            struct element *old = &elements[--n_unique];
            atom_fini(&old->key, key_type);
            atom_fini(&old->value, type->value.type);
        }
        elements[n_unique++] = elements[i];
    }
    struct datum *d;
    if (n_unique < type->min) {
        d = datum_default(type);
    } else {
        d = datum_alloc(n_unique, type);
        for (size_t i = 0; i < n_unique; i++) {
            d->atoms[i] = elements[i].key;
            if (map) {
                d->atoms[n_unique + i] = elements[i].value;
            }
        }
    }
    free(elements);
    return d;
}

static void write_values(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                         const void *keys, const void *values, size_t n)
{
    dbc_txn_write(txn, row, c, datum_from_c(c, &c->type, keys, values, n));
}

static void add_value(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                      const void *key, const void *value)
{
    struct column_type type = c->type;
    type.min = 0;
    dbc_txn_add(txn, row, c, datum_from_c(c, &type, key, value, 1));
}

static void remove_key(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                       const void *key)
{
    struct column_type type = dbc_keys_type(c);
    dbc_txn_remove(txn, row, c, datum_from_c(c, &type, key, NULL, 1));
}

void db_write_nothing(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c)
{
    write_values(txn, row, c, NULL, NULL, 0);
}

/* Per C type: one value, several values, adding, removing. */
#define DEFINE_FUNCTIONS(NAME, PARAMETER, ADDRESS, ARRAY)                                          \
    void db_write_##NAME(struct dbc_txn *txn, const struct dbc_row *row,                           \
                         const struct dbc_column *c, PARAMETER value)                              \
    {                                                                                              \
        write_values(txn, row, c, ADDRESS value, NULL, 1);                                         \
    }                                                                                              \
    void db_write_##NAME##s(struct dbc_txn *txn, const struct dbc_row *row,                        \
                            const struct dbc_column *c, ARRAY values, size_t n)                    \
    {                                                                                              \
        write_values(txn, row, c, values, NULL, n);                                                \
    }                                                                                              \
    void db_add_##NAME(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c, \
                       PARAMETER value)                                                            \
    {                                                                                              \
        add_value(txn, row, c, ADDRESS value, NULL);                                               \
    }                                                                                              \
    void db_remove_##NAME(struct dbc_txn *txn, const struct dbc_row *row,                          \
                          const struct dbc_column *c, PARAMETER value)                             \
    {                                                                                              \
        remove_key(txn, row, c, ADDRESS value);                                                    \
    }

DEFINE_FUNCTIONS(integer, int64_t, &, const int64_t *)
DEFINE_FUNCTIONS(real, double, &, const double *)
DEFINE_FUNCTIONS(boolean, bool, &, const bool *)
DEFINE_FUNCTIONS(string, const char *, &, const char *const *)
DEFINE_FUNCTIONS(uuid, const struct uuid *, , const struct uuid *)
DEFINE_FUNCTIONS(ref, const struct dbc_row *, &, const struct dbc_row *const *)

void db_write_smap(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                   const struct smap *map)
{
    const char **keys = xmalloc((map->n + 1) * sizeof *keys);
    const char **values = xmalloc((map->n + 1) * sizeof *values);
    for (size_t i = 0; i < map->n; i++) {
        keys[i] = map->entries[i].key;
        values[i] = map->entries[i].value;
    }
    write_values(txn, row, c, keys, values, map->n);
    free(keys);
    free(values);
}

void db_write_map(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                  const void *keys, const void *values, size_t n)
{
    write_values(txn, row, c, keys, values, n);
}

void db_put_string(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
                   const char *key, const char *value)
{
    add_value(txn, row, c, &key, &value);
}

void db_put(struct dbc_txn *txn, const struct dbc_row *row, const struct dbc_column *c,
            const void *key, const void *value)
{
    add_value(txn, row, c, key, value);
}

/* Members ---------------------------------------------------------------------------------------- */

static void *member(const struct dbc_row *row, size_t offset)
{
    return (char *) row + offset;
}

/* Strings and numbers: lends what is in the atom. */
static void atom_to_c(const union atom *a, enum atom_type type, void *p)
{
    switch (type) {
    case ATOM_INTEGER:
        *(int64_t *) p = a->integer;
        break;
    case ATOM_REAL:
        *(double *) p = a->real;
        break;
    case ATOM_BOOLEAN:
        *(bool *) p = a->boolean;
        break;
    case ATOM_STRING:
        *(const char **) p = atom_string(a);
        break;
    case ATOM_UUID:
        *(struct uuid *) p = a->uuid;
        break;
    case ATOM_VOID:
        break;
    }
}

static void release_refs(struct dbc_row **rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i]) {
            rows[i]->n_referrers--;
        }
    }
}

static void release_column(const struct dbc_row *row, const struct dbc_column *c)
{
    if (!c->key_ref && !c->value_ref) {
        return;
    }
    size_t n = 1;
    struct dbc_row **keys = member(row, c->offset), **values = NULL;
    if (c->member == DB_MEMBER_SET || c->member == DB_MEMBER_MAP) {
        n = *(size_t *) member(row, c->offset_n);
        keys = *(struct dbc_row ***) member(row, c->offset);
        values = c->value_ref ? *(struct dbc_row ***) member(row, c->offset_values) : NULL;
    }
    if (c->key_ref) {
        release_refs(keys, n);
    }
    if (values) {
        release_refs(values, n);
    }
}

void dbc_row_release_references(struct dbc_row *row)
{
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        release_column(row, &row->table->columns[i]);
    }
}

static void free_member(struct dbc_row *row, const struct dbc_column *c)
{
    switch (c->member) {
    case DB_MEMBER_MAP:
        free(*(void **) member(row, c->offset_values));
        *(void **) member(row, c->offset_values) = NULL;
        /* Fall through. */
    case DB_MEMBER_SET:
        free(*(void **) member(row, c->offset));
        *(void **) member(row, c->offset) = NULL;
        *(size_t *) member(row, c->offset_n) = 0;
        break;
    case DB_MEMBER_SMAP: {
        struct smap *map = member(row, c->offset);
        free(map->entries);   /* Its strings are the atoms'. */
        *map = (struct smap) SMAP_INIT;
        break;
    }
    case DB_MEMBER_ONE:
    case DB_MEMBER_OPTIONAL:
        memset(member(row, c->offset), 0, c_size(&c->type.key, c->key_ref));
        if (c->offset_n) {
            *(bool *) member(row, c->offset_n) = false;
        }
        if (c->member == DB_MEMBER_ONE && c->type.key.type == ATOM_STRING) {
            *(const char **) member(row, c->offset) = "";
        }
        break;
    }
}

void dbc_row_init_members(struct dbc_row *row)
{
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        free_member(row, &row->table->columns[i]);
    }
}

void dbc_row_fini_members(struct dbc_row *row)
{
    dbc_row_init_members(row);
}

struct resolver {
    struct dbc_row *(*lookup)(const struct dbc_table *, const struct uuid *, void *aux);
    void *aux;
    bool dangling;
};

/* The C value of an atom at 'p'; false if it refers to a row that is not there. */
static bool fill_atom(struct resolver *r, const union atom *a, const struct base_type *base,
                      const struct dbc_table *ref, void *p)
{
    if (!ref) {
        atom_to_c(a, base->type, p);
        return true;
    }
    struct dbc_row *row = r->lookup(ref, &a->uuid, r->aux);
    *(struct dbc_row **) p = row;
    r->dangling |= !row && !uuid_is_zero(&a->uuid);   /* Zero is the default. */
    return row != NULL;
}

static void fill_arrays(struct resolver *r, struct dbc_row *row, const struct dbc_column *c,
                        const struct datum *d)
{
    size_t key_size = c_size(&c->type.key, c->key_ref);
    size_t value_size = c_size(&c->type.value, c->value_ref);
    char *keys = xmalloc(d->n * key_size);
    char *values = value_size ? xmalloc(d->n * value_size) : NULL;
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (!fill_atom(r, datum_key(d, i), &c->type.key, c->key_ref, keys + n * key_size) ||
            (values && !fill_atom(r, datum_value(d, i), &c->type.value, c->value_ref,
                                  values + n * value_size))) {
            continue;
        }
        if (c->key_ref) {
            (*(struct dbc_row **) (keys + n * key_size))->n_referrers++;
        }
        if (c->value_ref) {
            (*(struct dbc_row **) (values + n * value_size))->n_referrers++;
        }
        n++;
    }
    *(void **) member(row, c->offset) = keys;
    if (values) {
        *(void **) member(row, c->offset_values) = values;
    }
    *(size_t *) member(row, c->offset_n) = n;
}

static void fill_smap(struct dbc_row *row, const struct dbc_column *c, const struct datum *d)
{
    struct smap *map = member(row, c->offset);
    map->entries = xmalloc(d->n * sizeof *map->entries);
    map->n = map->allocated = d->n;
    for (size_t i = 0; i < d->n; i++) {
        map->entries[i].key = (char *) atom_string(datum_key(d, i));
        map->entries[i].value = (char *) atom_string(datum_value(d, i));
    }
}

void dbc_row_fill_member(struct dbc_row *row, const struct dbc_column *c,
                         struct dbc_row *(*lookup)(const struct dbc_table *, const struct uuid *,
                                                   void *aux),
                         void *aux)
{
    release_column(row, c);
    free_member(row, c);
    const struct datum *d = row->data[c->index];
    if (!d->n) {
        return;
    }
    struct resolver r = { lookup, aux, false };
    switch (c->member) {
    case DB_MEMBER_ONE:
    case DB_MEMBER_OPTIONAL:
        if (fill_atom(&r, datum_key(d, 0), &c->type.key, c->key_ref, member(row, c->offset))) {
            if (c->offset_n) {
                *(bool *) member(row, c->offset_n) = true;
            }
            if (c->key_ref) {
                (*(struct dbc_row **) member(row, c->offset))->n_referrers++;
            }
        }
        break;
    case DB_MEMBER_SET:
    case DB_MEMBER_MAP:
        fill_arrays(&r, row, c, d);
        break;
    case DB_MEMBER_SMAP:
        fill_smap(row, c, d);
        break;
    }
    row->is_dangling |= r.dangling;
}
