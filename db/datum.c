/* SPDX-License-Identifier: Apache-2.0 */
/* Data: sets and maps of atoms, kept sorted by key. */
#include "db/datum.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "db/error.h"
#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

struct datum *datum_alloc(size_t n, const struct column_type *type)
{
    size_t n_atoms = column_type_is_map(type) ? 2 * n : n;
    struct datum *d = xmalloc(sizeof *d + n_atoms * sizeof d->atoms[0]);
    d->refs = 1;
    d->n = n;
    return d;
}

/* Releases the first 'n_keys' keys and 'n_values' values of a datum that has 'd->n' places. */
static void free_partly(struct datum *d, const struct column_type *type, size_t n_keys, size_t n_values)
{
    if (type->key.type == ATOM_STRING) {
        for (size_t i = 0; i < n_keys; i++) {
            atom_fini(&d->atoms[i], ATOM_STRING);
        }
    }
    if (type->value.type == ATOM_STRING) {
        for (size_t i = 0; i < n_values; i++) {
            atom_fini(&d->atoms[d->n + i], ATOM_STRING);
        }
    }
    free(d);
}

void datum_put(struct datum *d, const struct column_type *type)
{
    if (d && !--d->refs) {
        free_partly(d, type, d->n, column_type_is_map(type) ? d->n : 0);
    }
}

/* Sorting ---------------------------------------------------------------------------------------- */

struct pair {
    union atom key, value;
};

#define DEFINE_COMPARE(NAME, TYPE)                                                               \
    static int compare_##NAME(const void *a, const void *b)                                      \
    {                                                                                            \
        return atom_compare(a, b, TYPE);                                                         \
    }
DEFINE_COMPARE(integer, ATOM_INTEGER)
DEFINE_COMPARE(real, ATOM_REAL)
DEFINE_COMPARE(boolean, ATOM_BOOLEAN)
DEFINE_COMPARE(string, ATOM_STRING)
DEFINE_COMPARE(uuid, ATOM_UUID)

static int (*const comparators[])(const void *, const void *) = {
    [ATOM_INTEGER] = compare_integer, [ATOM_REAL] = compare_real, [ATOM_BOOLEAN] = compare_boolean,
    [ATOM_STRING] = compare_string,   [ATOM_UUID] = compare_uuid,
};

struct db_error *datum_sort(struct datum *d, const struct column_type *type)
{
    enum atom_type key = type->key.type;
    bool sorted = true;
    for (size_t i = 1; i < d->n && sorted; i++) {
        sorted = atom_compare(&d->atoms[i - 1], &d->atoms[i], key) < 0;
    }
    if (sorted) {
        return NULL;
    }
    if (!column_type_is_map(type)) {
        qsort(d->atoms, d->n, sizeof d->atoms[0], comparators[key]);
    } else {
        struct pair *pairs = xmalloc(d->n * sizeof *pairs);
        for (size_t i = 0; i < d->n; i++) {
            pairs[i] = (struct pair) { d->atoms[i], d->atoms[d->n + i] };
        }
        /* The key is a pair's first member, so the comparators of keys work on pairs. */
        qsort(pairs, d->n, sizeof *pairs, comparators[key]);
        for (size_t i = 0; i < d->n; i++) {
            d->atoms[i] = pairs[i].key;
            d->atoms[d->n + i] = pairs[i].value;
        }
        free(pairs);
    }
    for (size_t i = 1; i < d->n; i++) {
        if (atom_equal(&d->atoms[i - 1], &d->atoms[i], key)) {
            struct text t = TEXT_INIT;
            atom_put_json(&d->atoms[i], key, &t);
            struct db_error *e = db_error_new(DB_E_OTHER, "%s contains %s twice",
                                              column_type_is_map(type) ? "map" : "set", text_str(&t));
            text_fini(&t);
            return e;
        }
    }
    return NULL;
}

size_t datum_find_key(const struct datum *d, const union atom *key, enum atom_type type)
{
    size_t low = 0, high = d->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = atom_compare(key, &d->atoms[mid], type);
        if (!c) {
            return mid;
        }
        if (c < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return SIZE_MAX;
}

/* Simple ones ------------------------------------------------------------------------------------ */

struct datum *datum_default(const struct column_type *type)
{
    struct datum *d = datum_alloc(type->min, type);
    if (type->min) {
        atom_init_default(&d->atoms[0], type->key.type);
        if (column_type_is_map(type)) {
            atom_init_default(&d->atoms[1], type->value.type);
        }
    }
    return d;
}

bool datum_is_default(const struct datum *d, const struct column_type *type)
{
    return d->n == type->min &&
           (!d->n || (atom_is_default(&d->atoms[0], type->key.type) &&
                      (!column_type_is_map(type) || atom_is_default(&d->atoms[1], type->value.type))));
}

static struct datum *of_one_atom(void)
{
    struct datum *d = xzalloc(sizeof *d + sizeof d->atoms[0]);
    d->refs = d->n = 1;
    return d;
}

struct datum *datum_of_uuid(const struct uuid *uuid)
{
    struct datum *d = of_one_atom();
    d->atoms[0].uuid = *uuid;
    return d;
}

struct datum *datum_of_integer(int64_t x)
{
    struct datum *d = of_one_atom();
    d->atoms[0].integer = x;
    return d;
}

struct datum *datum_of_boolean(bool x)
{
    struct datum *d = of_one_atom();
    d->atoms[0].boolean = x;
    return d;
}

struct datum *datum_of_string(const char *s)
{
    struct datum *d = of_one_atom();
    atom_init_string(&d->atoms[0], s, strlen(s));
    return d;
}

/* JSON ------------------------------------------------------------------------------------------- */

static bool is_tagged(const json_t *j, const char *tag)
{
    return json_is_array(j) && json_array_size(j) == 2 && json_is_string(json_array_get(j, 0)) &&
           !strcmp(json_string_value(json_array_get(j, 0)), tag) && json_is_array(json_array_get(j, 1));
}

static struct db_error *checked_atom(union atom *a, const struct base_type *base, const json_t *j,
                                     struct atom_symbols *symbols)
{
    struct db_error *e = atom_from_json(a, base->type, j, symbols);
    if (!e && (e = base_type_check(base, a))) {
        atom_fini(a, base->type);
    }
    return e;
}

static struct db_error *wrong_n(const struct column_type *type, const json_t *j, size_t n)
{
    const char *kind = column_type_is_map(type) ? "map" : "set";
    if (type->max == DB_UNLIMITED) {
        return db_error_syntax(j, "%s of %zu elements, at least %"PRIu32" needed", kind, n, type->min);
    }
    return db_error_syntax(j, "%s of %zu elements, but %"PRIu32" to %"PRIu32" are allowed", kind, n,
                           type->min, type->max);
}

static struct db_error *parse(struct datum **out, const struct column_type *type, const json_t *j,
                              struct atom_symbols *symbols, bool any_n)
{
    bool map = column_type_is_map(type);
    const json_t *elements = NULL;
    size_t n = 1;
    if (map) {
        if (!is_tagged(j, "map")) {
            return db_error_syntax(j, "a map is written [\"map\", [[<key>, <value>]...]]");
        }
        elements = json_array_get(j, 1);
    } else if (is_tagged(j, "set")) {
        elements = json_array_get(j, 1);
    }
    if (elements) {
        n = json_array_size(elements);
    }
    if (!any_n && (n < type->min || n > type->max)) {
        return wrong_n(type, j, n);
    }

    struct datum *d = datum_alloc(n, type);
    size_t n_keys = 0, n_values = 0;
    struct db_error *e = NULL;
    for (size_t i = 0; i < n && !e; i++) {
        const json_t *element = elements ? json_array_get(elements, i) : j;
        if (!map) {
            e = checked_atom(&d->atoms[i], &type->key, element, symbols);
            n_keys += !e;
            continue;
        }
        if (!json_is_array(element) || json_array_size(element) != 2) {
            e = db_error_syntax(element, "a pair is written [<key>, <value>]");
            break;
        }
        e = checked_atom(&d->atoms[i], &type->key, json_array_get(element, 0), symbols);
        n_keys += !e;
        if (!e) {
            e = checked_atom(&d->atoms[n + i], &type->value, json_array_get(element, 1), symbols);
            n_values += !e;
        }
    }
    if (!e) {
        e = datum_sort(d, type);
    }
    if (e) {
        free_partly(d, type, n_keys, n_values);
        return e;
    }
    *out = d;
    return NULL;
}

struct db_error *datum_from_json(struct datum **d, const struct column_type *type, const json_t *j,
                                 struct atom_symbols *symbols)
{
    return parse(d, type, j, symbols, false);
}

struct db_error *datum_from_json_any_n(struct datum **d, const struct column_type *type, const json_t *j,
                                       struct atom_symbols *symbols)
{
    return parse(d, type, j, symbols, true);
}

void datum_put_json(const struct datum *d, const struct column_type *type, struct text *t)
{
    if (!column_type_is_map(type)) {
        if (d->n == 1) {
            atom_put_json(&d->atoms[0], type->key.type, t);
            return;
        }
        text_put_n(t, "[\"set\",[", 8);
        for (size_t i = 0; i < d->n; i++) {
            if (i) {
                text_put_char(t, ',');
            }
            atom_put_json(&d->atoms[i], type->key.type, t);
        }
    } else {
        text_put_n(t, "[\"map\",[", 8);
        for (size_t i = 0; i < d->n; i++) {
            if (i) {
                text_put_char(t, ',');
            }
            text_put_char(t, '[');
            atom_put_json(&d->atoms[i], type->key.type, t);
            text_put_char(t, ',');
            atom_put_json(&d->atoms[d->n + i], type->value.type, t);
            text_put_char(t, ']');
        }
    }
    text_put_n(t, "]]", 2);
}

json_t *datum_to_json(const struct datum *d, const struct column_type *type)
{
    bool map = column_type_is_map(type);
    if (!map && d->n == 1) {
        return atom_to_json(&d->atoms[0], type->key.type);
    }
    json_t *elements = json_array();
    for (size_t i = 0; i < d->n; i++) {
        json_t *key = atom_to_json(&d->atoms[i], type->key.type);
        json_array_append_new(elements, !map ? key : json_pack("[o,o]", key,
                              atom_to_json(&d->atoms[d->n + i], type->value.type)));
    }
    return json_pack("[s,o]", map ? "map" : "set", elements);
}

/* Comparison ------------------------------------------------------------------------------------- */

int datum_compare(const struct datum *a, const struct datum *b, const struct column_type *type)
{
    if (a == b) {
        return 0;
    }
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (size_t i = 0; i < a->n; i++) {
        int c = atom_compare(&a->atoms[i], &b->atoms[i], type->key.type);
        if (c) {
            return c;
        }
    }
    if (column_type_is_map(type)) {
        for (size_t i = 0; i < a->n; i++) {
            int c = atom_compare(datum_value(a, i), datum_value(b, i), type->value.type);
            if (c) {
                return c;
            }
        }
    }
    return 0;
}

uint32_t datum_hash(const struct datum *d, const struct column_type *type, uint32_t basis)
{
    for (size_t i = 0; i < d->n; i++) {
        basis = atom_hash(&d->atoms[i], type->key.type, basis);
    }
    if (column_type_is_map(type)) {
        for (size_t i = 0; i < d->n; i++) {
            basis = atom_hash(datum_value(d, i), type->value.type, basis);
        }
    }
    return hash_int(d->n, basis);
}

static bool has_element(const struct datum *a, const struct datum *b, size_t i,
                        const struct column_type *type)
{
    size_t at = datum_find_key(a, &b->atoms[i], type->key.type);
    return at != SIZE_MAX && (!column_type_is_map(type) ||
                              atom_equal(datum_value(a, at), datum_value(b, i), type->value.type));
}

bool datum_includes_all(const struct datum *a, const struct datum *b, const struct column_type *type)
{
    if (b->n > a->n) {
        return false;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (!has_element(a, b, i, type)) {
            return false;
        }
    }
    return true;
}

bool datum_excludes_all(const struct datum *a, const struct datum *b, const struct column_type *type)
{
    for (size_t i = 0; i < b->n; i++) {
        if (has_element(a, b, i, type)) {
            return false;
        }
    }
    return true;
}

/* New data --------------------------------------------------------------------------------------- */

/* Elements picked from other data, in order, then made into a datum. */
struct picker {
    const struct column_type *type;
    size_t n, allocated;
    const union atom **keys, **values;
};

static void pick(struct picker *p, const struct datum *d, size_t i)
{
    p->keys[p->n] = datum_key(d, i);
    p->values[p->n++] = column_type_is_map(p->type) ? datum_value(d, i) : NULL;
}

static void picker_init(struct picker *p, const struct column_type *type, size_t max)
{
    *p = (struct picker) { .type = type };
    p->keys = xmalloc((max + 1) * sizeof *p->keys);
    p->values = xmalloc((max + 1) * sizeof *p->values);
}

static struct datum *picker_finish(struct picker *p)
{
    struct datum *d = datum_alloc(p->n, p->type);
    for (size_t i = 0; i < p->n; i++) {
        atom_copy(&d->atoms[i], p->keys[i], p->type->key.type);
        if (p->values[i]) {
            atom_copy(&d->atoms[p->n + i], p->values[i], p->type->value.type);
        }
    }
    free(p->keys);
    free(p->values);
    return d;
}

/* Walks two sorted data at once. */
enum side { SIDE_A, SIDE_B, SIDE_BOTH };

static bool next_side(const struct datum *a, const struct datum *b, const struct column_type *type,
                      size_t i, size_t j, enum side *side)
{
    if (i >= a->n && j >= b->n) {
        return false;
    }
    int c = i >= a->n ? 1 : j >= b->n ? -1 : atom_compare(&a->atoms[i], &b->atoms[j], type->key.type);
    *side = c < 0 ? SIDE_A : c > 0 ? SIDE_B : SIDE_BOTH;
    return true;
}

struct datum *datum_union(const struct datum *a, const struct datum *b, const struct column_type *type)
{
    struct picker p;
    picker_init(&p, type, (size_t) a->n + b->n);
    enum side side;
    for (size_t i = 0, j = 0; next_side(a, b, type, i, j, &side);) {
        if (side == SIDE_B) {
            pick(&p, b, j);
        } else {
            pick(&p, a, i);
        }
        i += side != SIDE_B;
        j += side != SIDE_A;
    }
    return picker_finish(&p);
}

struct datum *datum_subtract(const struct datum *a, const struct datum *b, const struct column_type *type,
                             bool b_is_keys)
{
    struct picker p;
    picker_init(&p, type, a->n);
    enum side side;
    for (size_t i = 0, j = 0; next_side(a, b, type, i, j, &side);) {
        bool gone = side == SIDE_BOTH &&
                    (b_is_keys || !column_type_is_map(type) ||
                     atom_equal(datum_value(a, i), datum_value(b, j), type->value.type));
        if (side != SIDE_B && !gone) {
            pick(&p, a, i);
        }
        i += side != SIDE_B;
        j += side != SIDE_A;
    }
    return picker_finish(&p);
}

struct datum *datum_diff(const struct datum *a, const struct datum *b, const struct column_type *type)
{
    if (!column_type_is_composite(type)) {
        return datum_get(b);
    }
    struct picker p;
    picker_init(&p, type, (size_t) a->n + b->n);
    enum side side;
    for (size_t i = 0, j = 0; next_side(a, b, type, i, j, &side);) {
        if (side == SIDE_A) {
            pick(&p, a, i);
        } else if (side == SIDE_B ||
                   (column_type_is_map(type) &&
                    !atom_equal(datum_value(a, i), datum_value(b, j), type->value.type))) {
            pick(&p, b, j);
        }
        i += side != SIDE_B;
        j += side != SIDE_A;
    }
    return picker_finish(&p);
}

struct db_error *datum_apply_diff(const struct datum *a, const struct datum *diff,
                                  const struct column_type *type, struct datum **b)
{
    if (!column_type_is_composite(type)) {
        *b = datum_get(diff);
    } else {
        struct picker p;
        picker_init(&p, type, (size_t) a->n + diff->n);
        enum side side;
        for (size_t i = 0, j = 0; next_side(a, diff, type, i, j, &side);) {
            if (side == SIDE_A) {
                pick(&p, a, i);
            } else if (side == SIDE_B ||
                       (column_type_is_map(type) &&
                        !atom_equal(datum_value(a, i), datum_value(diff, j), type->value.type))) {
                pick(&p, diff, j);
            }
            i += side != SIDE_B;
            j += side != SIDE_A;
        }
        *b = picker_finish(&p);
    }
    if ((*b)->n < type->min || (*b)->n > type->max) {
        struct db_error *e = db_error_new(DB_E_CONSTRAINT, "applying a difference leaves %"PRIu32
                                          " elements", (*b)->n);
        datum_put(*b, type);
        return e;
    }
    return NULL;
}

struct datum *datum_without(const struct datum *d, const struct column_type *type, const bool *gone)
{
    struct picker p;
    picker_init(&p, type, d->n);
    for (size_t i = 0; i < d->n; i++) {
        if (!gone[i]) {
            pick(&p, d, i);
        }
    }
    return picker_finish(&p);
}
