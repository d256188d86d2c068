/* SPDX-License-Identifier: Apache-2.0 */
/* Atoms: the scalar values of the database. */
#include "db/atom.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/error.h"
#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

enum { IN_PLACE_MAX = 15 };

static const char *const type_names[] = {
    [ATOM_VOID] = "void",       [ATOM_INTEGER] = "integer", [ATOM_REAL] = "real",
    [ATOM_BOOLEAN] = "boolean", [ATOM_STRING] = "string",   [ATOM_UUID] = "uuid",
};

const char *atom_type_name(enum atom_type type)
{
    return type_names[type];
}

bool atom_type_from_name(const char *name, enum atom_type *type)
{
    for (int i = ATOM_INTEGER; i <= ATOM_UUID; i++) {
        if (!strcmp(name, type_names[i])) {
            *type = i;
            return true;
        }
    }
    return false;
}

void atom_init_default(union atom *a, enum atom_type type)
{
    memset(a, 0, sizeof *a);
}

void atom_init_string(union atom *a, const char *s, size_t len)
{
    memset(a, 0, sizeof *a);
    if (len <= IN_PLACE_MAX) {
        memcpy(a->in_place, s, len);
    } else {
        struct atom_string *heap = xmalloc(sizeof *heap + len + 1);
        heap->refs = 1;
        heap->len = len;
        memcpy(heap->s, s, len);
        heap->s[len] = '\0';
        a->heap = heap;
        a->in_place[15] = 1;
    }
}

void atom_copy(union atom *a, const union atom *from, enum atom_type type)
{
    *a = *from;
    if (type == ATOM_STRING && a->in_place[15]) {
        a->heap->refs++;
    }
}

void atom_fini(union atom *a, enum atom_type type)
{
    if (type == ATOM_STRING && a->in_place[15] && !--a->heap->refs) {
        free(a->heap);
    }
}

static size_t string_len(const union atom *a)
{
    return a->in_place[15] ? a->heap->len : strlen(a->in_place);
}

int atom_compare(const union atom *a, const union atom *b, enum atom_type type)
{
    switch (type) {
    case ATOM_VOID:
        return 0;
    case ATOM_INTEGER:
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    case ATOM_REAL:
        return a->real < b->real ? -1 : a->real > b->real;
    case ATOM_BOOLEAN:
        return a->boolean - b->boolean;
    case ATOM_STRING:
        if (a->in_place[15] && b->in_place[15] && a->heap == b->heap) {
            return 0;
        }
        return strcmp(atom_string(a), atom_string(b));
    case ATOM_UUID:
        return uuid_compare(&a->uuid, &b->uuid);
    }
    return 0;
}

uint32_t atom_hash(const union atom *a, enum atom_type type, uint32_t basis)
{
    switch (type) {
    case ATOM_VOID:
        return basis;
    case ATOM_INTEGER:
        return hash_int(a->integer ^ hash_seed(), basis);
    case ATOM_REAL: {
        double real = a->real == 0 ? 0 : a->real;   /* -0.0 equals 0.0. */
        return hash_bytes(&real, sizeof real, basis);
    }
    case ATOM_BOOLEAN:
        return hash_int(a->boolean, basis);
    case ATOM_STRING:
        return hash_bytes(atom_string(a), string_len(a), basis);
    case ATOM_UUID:
        return hash_bytes(&a->uuid, sizeof a->uuid, basis);
    }
    return basis;
}

bool atom_is_default(const union atom *a, enum atom_type type)
{
    union atom zero;
    memset(&zero, 0, sizeof zero);
    return atom_equal(a, &zero, type);
}

/* Symbols ---------------------------------------------------------------------------------------- */

void atom_symbols_init(struct atom_symbols *t)
{
    hmap_init(&t->names);
}

void atom_symbols_fini(struct atom_symbols *t)
{
    struct atom_symbol *s;
    HMAP_FOR_EACH (s, node, &t->names) {
        free(s->name);
        free(s);
    }
    hmap_fini(&t->names);
}

struct atom_symbol *atom_symbols_get(struct atom_symbols *t, const char *name)
{
    uint32_t hash = hash_string(name, 0);
    struct atom_symbol *s;
    HMAP_FOR_EACH_WITH_HASH (s, node, hash, &t->names) {
        if (!strcmp(s->name, name)) {
            return s;
        }
    }
    s = xzalloc(sizeof *s);
    s->name = xstrdup(name);
    s->uuid = uuid_random();
    hmap_insert(&t->names, &s->node, hash);
    return s;
}

/* JSON ------------------------------------------------------------------------------------------- */

bool json_is_id(const char *s)
{
    if (!*s) {
        return false;
    }
    for (const char *p = s; *p; p++) {
        bool alpha = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_';
        if (!alpha && (p == s || *p < '0' || *p > '9')) {
            return false;
        }
    }
    return true;
}

static struct db_error *uuid_from_json(union atom *a, const json_t *j, struct atom_symbols *symbols)
{
    if (!json_is_array(j) || json_array_size(j) != 2 || !json_is_string(json_array_get(j, 0)) ||
        !json_is_string(json_array_get(j, 1))) {
        return db_error_syntax(j, "a UUID is written [\"uuid\", \"<36 characters>\"]");
    }
    const char *kind = json_string_value(json_array_get(j, 0));
    const char *value = json_string_value(json_array_get(j, 1));
    memset(a, 0, sizeof *a);
    if (!strcmp(kind, "uuid")) {
        if (!uuid_parse(value, &a->uuid)) {
            return db_error_syntax(j, "\"%s\" is not a UUID", value);
        }
        return NULL;
    }
    if (!strcmp(kind, "named-uuid")) {
        if (!symbols) {
            return db_error_syntax(j, "a named UUID has no meaning here");
        }
        if (!json_is_id(value)) {
            return db_error_syntax(j, "\"%s\" is not a name: a letter or underscore, then letters, "
                                   "digits and underscores", value);
        }
        a->uuid = atom_symbols_get(symbols, value)->uuid;
        return NULL;
    }
    return db_error_syntax(j, "a UUID is written [\"uuid\", \"<36 characters>\"] or "
                           "[\"named-uuid\", \"<name>\"]");
}

struct db_error *atom_from_json(union atom *a, enum atom_type type, const json_t *j,
                                struct atom_symbols *symbols)
{
    switch (type) {
    case ATOM_VOID:
        break;
    case ATOM_INTEGER:
        if (json_is_integer(j)) {
            memset(a, 0, sizeof *a);
            a->integer = json_integer_value(j);
            return NULL;
        }
        if (json_is_real(j)) {   /* "1.0" and "1e3" are integers too. */
            double d = json_real_value(j);
            if (d == floor(d) && fabs(d) < 9007199254740992.0) {
                memset(a, 0, sizeof *a);
                a->integer = (int64_t) d;
                return NULL;
            }
        }
        break;
    case ATOM_REAL:
        if (json_is_number(j)) {
            memset(a, 0, sizeof *a);
            a->real = json_number_value(j);
            return NULL;
        }
        break;
    case ATOM_BOOLEAN:
        if (json_is_boolean(j)) {
            memset(a, 0, sizeof *a);
            a->boolean = json_is_true(j);
            return NULL;
        }
        break;
    case ATOM_STRING:
        if (json_is_string(j)) {
            atom_init_string(a, json_string_value(j), json_string_length(j));
            return NULL;
        }
        break;
    case ATOM_UUID:
        return uuid_from_json(a, j, symbols);
    }
    return db_error_syntax(j, "expected %s", type_names[type]);
}

void json_put_string(struct text *t, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    text_put_char(t, '"');
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = s[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        text_put_n(t, s + from, i - from);
        from = i + 1;
        switch (c) {
        case '"':  text_put_n(t, "\\\"", 2); break;
        case '\\': text_put_n(t, "\\\\", 2); break;
        case '\n': text_put_n(t, "\\n", 2); break;
        case '\r': text_put_n(t, "\\r", 2); break;
        case '\t': text_put_n(t, "\\t", 2); break;
        case '\b': text_put_n(t, "\\b", 2); break;
        case '\f': text_put_n(t, "\\f", 2); break;
        default: {
            char escape[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
            text_put_n(t, escape, 6);
        }
        }
    }
    text_put_n(t, s + from, n - from);
    text_put_char(t, '"');
}

static void put_integer(struct text *t, int64_t value)
{
    char digits[24];
    char *p = digits + sizeof digits;
    uint64_t u = value < 0 ? -(uint64_t) value : (uint64_t) value;
    do {
        *--p = '0' + u % 10;
        u /= 10;
    } while (u);
    if (value < 0) {
        *--p = '-';
    }
    text_put_n(t, p, digits + sizeof digits - p);
}

static void put_real(struct text *t, double value)
{
    char s[40];
    snprintf(s, sizeof s, "%.15g", value);
    if (strtod(s, NULL) != value) {
        snprintf(s, sizeof s, "%.17g", value);
    }
    text_put(t, s);
}

static void put_uuid(struct text *t, const struct uuid *u)
{
    static const char hex[] = "0123456789abcdef";
    char s[UUID_LEN];
    char *p = s;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            *p++ = '-';
        }
        *p++ = hex[u->parts[i / 8] >> (28 - i % 8 * 4) & 15];
    }
    text_put_n(t, "[\"uuid\",\"", 9);
    text_put_n(t, s, sizeof s);
    text_put_n(t, "\"]", 2);
}

void atom_put_json(const union atom *a, enum atom_type type, struct text *t)
{
    switch (type) {
    case ATOM_VOID:
        break;
    case ATOM_INTEGER:
        put_integer(t, a->integer);
        break;
    case ATOM_REAL:
        put_real(t, a->real);
        break;
    case ATOM_BOOLEAN:
        text_put(t, a->boolean ? "true" : "false");
        break;
    case ATOM_STRING:
        json_put_string(t, atom_string(a), string_len(a));
        break;
    case ATOM_UUID:
        put_uuid(t, &a->uuid);
        break;
    }
}

json_t *atom_to_json(const union atom *a, enum atom_type type)
{
    switch (type) {
    case ATOM_VOID:
        break;
    case ATOM_INTEGER:
        return json_integer(a->integer);
    case ATOM_REAL:
        return json_real(a->real);
    case ATOM_BOOLEAN:
        return json_boolean(a->boolean);
    case ATOM_STRING:
        return json_stringn(atom_string(a), string_len(a));
    case ATOM_UUID: {
        char s[UUID_LEN + 1];
        snprintf(s, sizeof s, UUID_FMT, UUID_ARGS(&a->uuid));
        return json_pack("[s,s]", "uuid", s);
    }
    }
    return json_null();
}
