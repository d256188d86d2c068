/* SPDX-License-Identifier: Apache-2.0 */
/* Types of columns, parsed from a schema, and their constraints on atoms. */
#include "db/type.h"

#include <float.h>
#include <inttypes.h>
#include <stdlib.h>

#include "db/datum.h"
#include "db/error.h"
#include "db/members.h"
#include "lib/base/alloc.h"
#include "lib/base/text.h"

void base_type_init(struct base_type *b, enum atom_type type)
{
    *b = (struct base_type) {
        .type = type,
        .min_integer = INT64_MIN, .max_integer = INT64_MAX,
        .min_real = -DBL_MAX, .max_real = DBL_MAX,
        .min_length = 0, .max_length = UINT32_MAX,
    };
}

void base_type_fini(struct base_type *b)
{
    if (b->choices) {
        struct column_type set = { .min = 1, .max = DB_UNLIMITED };
        base_type_init(&set.key, b->type);
        datum_put(b->choices, &set);
    }
    free(b->ref_table);
}

void column_type_fini(struct column_type *t)
{
    base_type_fini(&t->key);
    base_type_fini(&t->value);
}

static struct db_error *parse_enum(struct base_type *b, const json_t *j)
{
    struct column_type set = { .min = 1, .max = DB_UNLIMITED };
    base_type_init(&set.key, b->type);
    base_type_init(&set.value, ATOM_VOID);
    struct db_error *e = datum_from_json(&b->choices, &set, j, NULL);
    return e ? db_error_prefix(e, "\"enum\"") : NULL;
}

static struct db_error *parse_length(const json_t *j, const char *name, uint32_t *out)
{
    if (!json_is_integer(j) || json_integer_value(j) < 0 || json_integer_value(j) > UINT32_MAX) {
        return db_error_syntax(j, "\"%s\" is a length from 0 to %"PRIu32, name, UINT32_MAX);
    }
    *out = json_integer_value(j);
    return NULL;
}

static struct db_error *base_type_from_json(struct base_type *b, const json_t *j)
{
    base_type_init(b, ATOM_VOID);
    if (json_is_string(j)) {
        if (!atom_type_from_name(json_string_value(j), &b->type)) {
            return db_error_syntax(j, "\"%s\" is not a type: integer, real, boolean, string, uuid",
                                   json_string_value(j));
        }
        return NULL;
    }
    struct members m;
    members_init(&m, j, "type");
    const json_t *type = members_get(&m, "type", MEMBER_STRING);
    if (type && !atom_type_from_name(json_string_value(type), &b->type)) {
        members_fail(&m, db_error_syntax(type, "\"%s\" is not a type: integer, real, boolean, "
                                         "string, uuid", json_string_value(type)));
    }
    const json_t *choices = members_get(&m, "enum", MEMBER_ANY | MEMBER_OPTIONAL);
    if (choices && !members_failed(&m)) {
        members_fail(&m, parse_enum(b, choices));
    }
    if (b->type == ATOM_INTEGER && !choices) {
        const json_t *min = members_get(&m, "minInteger", MEMBER_INTEGER | MEMBER_OPTIONAL);
        const json_t *max = members_get(&m, "maxInteger", MEMBER_INTEGER | MEMBER_OPTIONAL);
        b->min_integer = min ? json_integer_value(min) : b->min_integer;
        b->max_integer = max ? json_integer_value(max) : b->max_integer;
        if (b->min_integer > b->max_integer) {
            members_fail(&m, db_error_syntax(j, "minInteger exceeds maxInteger"));
        }
    } else if (b->type == ATOM_REAL && !choices) {
        const json_t *min = members_get(&m, "minReal", MEMBER_NUMBER | MEMBER_OPTIONAL);
        const json_t *max = members_get(&m, "maxReal", MEMBER_NUMBER | MEMBER_OPTIONAL);
        b->min_real = min ? json_number_value(min) : b->min_real;
        b->max_real = max ? json_number_value(max) : b->max_real;
        if (b->min_real > b->max_real) {
            members_fail(&m, db_error_syntax(j, "minReal exceeds maxReal"));
        }
    } else if (b->type == ATOM_STRING && !choices) {
        const json_t *min = members_get(&m, "minLength", MEMBER_INTEGER | MEMBER_OPTIONAL);
        const json_t *max = members_get(&m, "maxLength", MEMBER_INTEGER | MEMBER_OPTIONAL);
        if (min) {
            members_fail(&m, parse_length(min, "minLength", &b->min_length));
        }
        if (max) {
            members_fail(&m, parse_length(max, "maxLength", &b->max_length));
        }
        if (b->min_length > b->max_length) {
            members_fail(&m, db_error_syntax(j, "minLength exceeds maxLength"));
        }
    } else if (b->type == ATOM_UUID && !choices) {
        const json_t *table = members_get(&m, "refTable", MEMBER_ID | MEMBER_OPTIONAL);
        if (table) {
            b->ref_table = xstrdup(json_string_value(table));
            const json_t *kind = members_get(&m, "refType", MEMBER_STRING | MEMBER_OPTIONAL);
            if (kind) {
                const char *s = json_string_value(kind);
                b->weak = !strcmp(s, "weak");
                if (!b->weak && strcmp(s, "strong")) {
                    members_fail(&m, db_error_syntax(kind, "refType is \"strong\" or \"weak\""));
                }
            }
        }
    }
    return members_finish(&m);
}

static struct db_error *parse_count(const json_t *j, const char *name, uint32_t *out)
{
    if (json_is_integer(j) && json_integer_value(j) >= 0 && json_integer_value(j) < DB_UNLIMITED) {
        *out = json_integer_value(j);
        return NULL;
    }
    return db_error_syntax(j, "\"%s\" is a number of elements", name);
}

struct db_error *column_type_from_json(struct column_type *t, const json_t *j)
{
    base_type_init(&t->key, ATOM_VOID);
    base_type_init(&t->value, ATOM_VOID);
    t->min = t->max = 1;
    if (json_is_string(j)) {
        return base_type_from_json(&t->key, j);
    }
    struct members m;
    members_init(&m, j, "column type");
    const json_t *key = members_get(&m, "key", MEMBER_STRING | MEMBER_OBJECT);
    const json_t *value = members_get(&m, "value", MEMBER_STRING | MEMBER_OBJECT | MEMBER_OPTIONAL);
    const json_t *min = members_get(&m, "min", MEMBER_INTEGER | MEMBER_OPTIONAL);
    const json_t *max = members_get(&m, "max", MEMBER_INTEGER | MEMBER_STRING | MEMBER_OPTIONAL);
    struct db_error *e = members_finish(&m);
    if (!e) {
        e = base_type_from_json(&t->key, key);
        e = e ? db_error_prefix(e, "key") : NULL;
    }
    if (!e && value) {
        e = base_type_from_json(&t->value, value);
        e = e ? db_error_prefix(e, "value") : NULL;
    }
    if (!e && min) {
        e = parse_count(min, "min", &t->min);
    }
    if (!e && max) {
        if (json_is_string(max) && !strcmp(json_string_value(max), "unlimited")) {
            t->max = DB_UNLIMITED;
        } else {
            e = parse_count(max, "max", &t->max);
        }
    }
    if (!e && (t->min > 1 || !t->max || t->min > t->max)) {
        e = db_error_syntax(j, "\"min\" is 0 or 1, and \"max\" is at least 1 or \"unlimited\"");
    }
    if (e) {
        column_type_fini(t);
        base_type_init(&t->key, ATOM_VOID);
        base_type_init(&t->value, ATOM_VOID);
    }
    return e;
}

static bool base_type_equal(const struct base_type *a, const struct base_type *b)
{
    if (a->type != b->type || !a->choices != !b->choices || !a->ref_table != !b->ref_table ||
        a->weak != b->weak || (a->ref_table && strcmp(a->ref_table, b->ref_table))) {
        return false;
    }
    if (a->choices) {
        struct column_type set = { .min = 1, .max = DB_UNLIMITED };
        base_type_init(&set.key, a->type);
        if (!datum_equal(a->choices, b->choices, &set)) {
            return false;
        }
    }
    return a->min_integer == b->min_integer && a->max_integer == b->max_integer &&
           a->min_real == b->min_real && a->max_real == b->max_real &&
           a->min_length == b->min_length && a->max_length == b->max_length;
}

bool column_type_equal(const struct column_type *a, const struct column_type *b)
{
    return a->min == b->min && a->max == b->max && base_type_equal(&a->key, &b->key) &&
           base_type_equal(&a->value, &b->value);
}

static size_t utf8_length(const char *s)
{
    size_t n = 0;
    for (; *s; s++) {
        n += (*s & 0xc0) != 0x80;
    }
    return n;
}

static struct db_error *not_a_choice(const struct base_type *b, const union atom *a)
{
    struct text t = TEXT_INIT;
    atom_put_json(a, b->type, &t);
    text_put(&t, " is not one of the allowed values ");
    for (uint32_t i = 0; i < b->choices->n; i++) {
        text_put(&t, i ? ", " : "");
        atom_put_json(&b->choices->atoms[i], b->type, &t);
    }
    struct db_error *e = db_error_new(DB_E_CONSTRAINT, "%s", text_str(&t));
    text_fini(&t);
    return e;
}

struct db_error *base_type_check(const struct base_type *b, const union atom *a)
{
    if (b->choices) {
        return datum_find_key(b->choices, a, b->type) == SIZE_MAX ? not_a_choice(b, a) : NULL;
    }
    switch (b->type) {
    case ATOM_INTEGER:
        if (a->integer < b->min_integer || a->integer > b->max_integer) {
            return db_error_new(DB_E_CONSTRAINT, "%"PRId64" is out of range, which is %"PRId64
                                " to %"PRId64, a->integer, b->min_integer, b->max_integer);
        }
        break;
    case ATOM_REAL:
        if (a->real < b->min_real || a->real > b->max_real) {
            return db_error_new(DB_E_CONSTRAINT, "%.15g is out of range, which is %.15g to %.15g",
                                a->real, b->min_real, b->max_real);
        }
        break;
    case ATOM_STRING:
        if (b->min_length || b->max_length != UINT32_MAX) {
            size_t n = utf8_length(atom_string(a));
            if (n < b->min_length || n > b->max_length) {
                return db_error_new(DB_E_CONSTRAINT, "\"%.40s\" has %zu characters, the allowed "
                                    "length is %"PRIu32" to %"PRIu32, atom_string(a), n,
                                    b->min_length, b->max_length);
            }
        }
        break;
    case ATOM_VOID:
    case ATOM_BOOLEAN:
    case ATOM_UUID:
        break;
    }
    return NULL;
}
