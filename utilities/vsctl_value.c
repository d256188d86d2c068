/* SPDX-License-Identifier: Apache-2.0 */
/* Values as people write and read them: [1, 2], {key=value}, "quoted strings". */
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "db/error.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "utilities/vsctl.h"

const struct column_type *vsctl_type(struct vsctl *v, const struct dbc_column *c)
{
    if (c == &vsctl_uuid_column) {
        return &c->type;
    }
    return &table_schema_column(schema_table(v->schema, c->table->name), c->name)->type;
}

/* Printing --------------------------------------------------------------------------------------- */

/* A string that reads back as itself, and as nothing else, needs no quotes. */
static bool needs_quotes(const char *s)
{
    if (!isalpha((unsigned char) *s) && *s != '_') {
        return true;
    }
    for (const char *p = s; *p; p++) {
        if (!isalnum((unsigned char) *p) && *p != '_' && *p != '-' && *p != '.') {
            return true;
        }
    }
    struct uuid uuid;
    return !strcmp(s, "true") || !strcmp(s, "false") || (strlen(s) == UUID_LEN && uuid_parse(s, &uuid));
}

static void put_real(struct text *t, double x)
{
    text_printf(t, "%.*g", DBL_DIG, x);
}

void vsctl_put_atom(struct text *t, const union atom *a, enum atom_type type)
{
    switch (type) {
    case ATOM_INTEGER:
        text_printf(t, "%"PRId64, a->integer);
        break;
    case ATOM_REAL:
        put_real(t, a->real);
        break;
    case ATOM_BOOLEAN:
        text_put(t, a->boolean ? "true" : "false");
        break;
    case ATOM_STRING:
        if (needs_quotes(atom_string(a))) {
            json_put_string(t, atom_string(a), strlen(atom_string(a)));
        } else {
            text_put(t, atom_string(a));
        }
        break;
    case ATOM_UUID:
        text_printf(t, UUID_FMT, UUID_ARGS(&a->uuid));
        break;
    case ATOM_VOID:
        break;
    }
}

void vsctl_put_datum(struct text *t, const struct datum *d, const struct column_type *type)
{
    bool map = column_type_is_map(type), brackets = map || type->max > 1 || !d->n;
    if (brackets) {
        text_put_char(t, map ? '{' : '[');
    }
    for (size_t i = 0; i < d->n; i++) {
        text_put(t, i ? ", " : "");
        vsctl_put_atom(t, datum_key(d, i), type->key.type);
        if (map) {
            text_put_char(t, '=');
            vsctl_put_atom(t, datum_value(d, i), type->value.type);
        }
    }
    if (brackets) {
        text_put_char(t, map ? '}' : ']');
    }
}

static void put_bare_atom(struct text *t, const union atom *a, enum atom_type type)
{
    if (type == ATOM_STRING) {
        text_put(t, atom_string(a));
    } else {
        vsctl_put_atom(t, a, type);
    }
}

void vsctl_put_bare(struct text *t, const struct datum *d, const struct column_type *type)
{
    for (size_t i = 0; i < d->n; i++) {
        text_put(t, i ? " " : "");
        put_bare_atom(t, datum_key(d, i), type->key.type);
        if (column_type_is_map(type)) {
            text_put_char(t, '=');
            put_bare_atom(t, datum_value(d, i), type->value.type);
        }
    }
}

/* Reading atoms ---------------------------------------------------------------------------------- */

static struct error *check(const struct base_type *base, const union atom *a)
{
    struct db_error *problem = base_type_check(base, a);
    if (!problem) {
        return NULL;
    }
    struct text t = TEXT_INIT;
    db_error_put_text(problem, &t);
    struct error *e = error_new(EINVAL, "%s", text_str(&t));
    text_fini(&t);
    db_error_free(problem);
    return e;
}

static struct error *boolean_from_text(const char *s, bool *b)
{
    static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false", "no", "off", "0" };
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
            *b = !strcmp(s, yes[i]);
            return NULL;
        }
    }
    return error_new(EINVAL, "\"%s\" is not a valid boolean (use \"true\" or \"false\")", s);
}

static struct error *string_from_text(const char *s, union atom *a)
{
    if (!*s) {
        return error_new(EINVAL, "An empty string is not valid as input; use \"\" to represent the empty "
                         "string");
    }
    if (*s != '"') {
        atom_init_string(a, s, strlen(s));
        return NULL;
    }
    if (strlen(s) < 2 || s[strlen(s) - 1] != '"') {
        return error_new(EINVAL, "%s: missing quote at end of quoted string", s);
    }
    json_error_t why;
    json_t *json = json_loads(s, JSON_DECODE_ANY, &why);
    if (!json_is_string(json)) {
        json_decref(json);
        return error_new(EINVAL, "%s: not a valid quoted string", s);
    }
    atom_init_string(a, json_string_value(json), json_string_length(json));
    json_decref(json);
    return NULL;
}

static struct error *uuid_from_text(struct vsctl *v, const struct base_type *base, const char *s,
                                    struct uuid *uuid)
{
    if (*s == '@') {
        struct vsctl_symbol *symbol = vsctl_symbol(v, s);
        symbol->is_referenced = true;
        symbol->is_strong |= base_type_is_strong_ref(base);
        *uuid = symbol->uuid;
        return NULL;
    }
    return strlen(s) == UUID_LEN && uuid_parse(s, uuid)
               ? NULL : error_new(EINVAL, "\"%s\" is not a valid UUID", s);
}

/* Decimal only. */
static bool integer_from_text(const char *s, int64_t *x)
{
    const char *digits = s + (*s == '-');
    return *digits && !digits[strspn(digits, "0123456789")] && parse_i64(s, x);
}

static struct error *read_atom(struct vsctl *v, const struct base_type *base, const char *s, union atom *a)
{
    memset(a, 0, sizeof *a);
    switch (base->type) {
    case ATOM_INTEGER:
        return integer_from_text(s, &a->integer) ? NULL : error_new(EINVAL, "\"%s\" is not a valid integer", s);
    case ATOM_REAL:
        return parse_double(s, &a->real) && isfinite(a->real)
                   ? NULL : error_new(EINVAL, "\"%s\" is not a valid real number", s);
    case ATOM_BOOLEAN:
        return boolean_from_text(s, &a->boolean);
    case ATOM_STRING:
        return string_from_text(s, a);
    case ATOM_UUID:
        return uuid_from_text(v, base, s, &a->uuid);
    case ATOM_VOID:
        break;
    }
    return error_new(EINVAL, "\"%s\" has no type", s);
}

struct error *vsctl_atom_from_text(struct vsctl *v, const struct base_type *base, const char *s,
                                   union atom *a)
{
    struct error *e = read_atom(v, base, s, a);
    if (!e && (e = check(base, a))) {
        atom_fini(a, base->type);
    }
    return e;
}

/* Reading values --------------------------------------------------------------------------------- */

static bool is_delimiter(char c)
{
    return !c || strchr(":=, []{}!<>", c);
}

struct error *vsctl_token(const char **p, char **word)
{
    struct text t = TEXT_INIT;
    const char *s = *p;
    bool quoted = false;
    while (*s && (quoted || !is_delimiter(*s))) {
        if (*s == '\\') {
            if (!s[1]) {
                text_fini(&t);
                return error_new(EINVAL, "%s: backslash at end of argument", *p);
            }
            if (quoted) {
                text_put_char(&t, '\\');   /* For the parser of the quoted string. */
            }
            text_put_char(&t, s[1]);
            s += 2;
            continue;
        }
        quoted ^= *s == '"';
        text_put_char(&t, *s++);
    }
    if (quoted) {
        text_fini(&t);
        return error_new(EINVAL, "%s: quoted string extends past end of argument", *p);
    }
    *p = s;
    *word = text_steal(&t);
    if (!*word) {
        *word = xstrdup("");
    }
    return NULL;
}

/* Elements read so far. */
struct builder {
    const struct column_type *type;
    union atom *keys, *values;
    size_t n, allocated;
};

static void builder_add(struct builder *b, const union atom *key, const union atom *value)
{
    if (b->n == b->allocated) {
        b->allocated = b->allocated ? 2 * b->allocated : 4;
        b->keys = xrealloc(b->keys, b->allocated * sizeof *b->keys);
        b->values = xrealloc(b->values, b->allocated * sizeof *b->values);
    }
    b->keys[b->n] = *key;
    b->values[b->n++] = *value;
}

static void builder_fini(struct builder *b)
{
    for (size_t i = 0; i < b->n; i++) {
        atom_fini(&b->keys[i], b->type->key.type);
        atom_fini(&b->values[i], b->type->value.type);
    }
    free(b->keys);
    free(b->values);
}

/* "A-B": the integers from A to B, at most 4096 of them. */
static struct error *add_range(struct builder *b, const char *word)
{
    const char *dash = strchr(word + 1, '-');
    char *first = dash ? xstrndup(word, dash - word) : NULL;
    int64_t from, to;
    bool valid = dash && integer_from_text(first, &from) && integer_from_text(dash + 1, &to) &&
                 from <= to && (uint64_t) to - (uint64_t) from < 4096;
    free(first);
    if (!valid) {
        return error_new(EINVAL, "\"%s\" is not a valid integer or range", word);
    }
    for (int64_t i = from; i <= to; i++) {
        union atom key = { .integer = i }, none = { .integer = 0 };
        struct error *e = check(&b->type->key, &key);
        if (e) {
            return e;
        }
        builder_add(b, &key, &none);
    }
    return NULL;
}

static struct error *add_element(struct vsctl *v, struct builder *b, const char **p, const char *whole)
{
    const struct column_type *type = b->type;
    bool map = column_type_is_map(type);
    char *word;
    union atom key, value = { .integer = 0 };
    struct error *e = vsctl_token(p, &word);
    if (e) {
        return e;
    }
    int64_t number;
    if (!map && type->key.type == ATOM_INTEGER && !integer_from_text(word, &number)) {
        e = add_range(b, word);
        free(word);
        return e;
    }
    e = vsctl_atom_from_text(v, &type->key, word, &key);
    free(word);
    if (e || !map) {
        if (!e) {
            builder_add(b, &key, &value);
        }
        return e;
    }
    if (**p != '=') {
        atom_fini(&key, type->key.type);
        return **p ? error_new(EINVAL, "%s: syntax error at \"%c\" expecting \"=\"", whole, **p)
                   : error_new(EINVAL, "%s: syntax error at end expecting \"=\"", whole);
    }
    ++*p;
    e = vsctl_token(p, &word);
    if (!e) {
        e = vsctl_atom_from_text(v, &type->value, word, &value);
        free(word);
    }
    if (e) {
        atom_fini(&key, type->key.type);
    } else {
        builder_add(b, &key, &value);
    }
    return e;
}

static const char *skip_spaces(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static struct error *read_elements(struct vsctl *v, struct builder *b, const char *s)
{
    bool map = column_type_is_map(b->type);
    char end = '\0';
    const char *p = skip_spaces(s);
    if (*p == (map ? '{' : '[')) {
        end = map ? '}' : ']';
        p = skip_spaces(p + 1);
    }
    while (*p && *p != end) {
        if (is_delimiter(*p)) {
            return error_new(EINVAL, "%s: unexpected \"%c\" parsing %s", s, *p, map ? "map" : "set");
        }
        struct error *e = add_element(v, b, &p, s);
        if (e) {
            return e;
        }
        p = skip_spaces(p);
        if (*p == ',') {
            p = skip_spaces(p + 1);
        }
    }
    if (*p != end) {
        return error_new(EINVAL, "%s: missing \"%c\" at end of data", s, end);
    }
    if (end && *skip_spaces(p + 1)) {
        return error_new(EINVAL, "%s: trailing garbage after \"%c\"", s, end);
    }
    return NULL;
}

struct error *vsctl_datum_from_text(struct vsctl *v, const struct column_type *type, const char *s,
                                    struct datum **out)
{
    struct builder b = { .type = type };
    bool map = column_type_is_map(type);
    struct error *e = read_elements(v, &b, s);
    const char *what = map ? "pair(s)" : "value(s)";
    if (!e && b.n < type->min) {
        e = error_new(EINVAL, "%s: %zu %s specified but the minimum number is %"PRIu32, s, b.n, what,
                      type->min);
    } else if (!e && b.n > type->max) {
        e = error_new(EINVAL, "%s: %zu %s specified but the maximum number is %"PRIu32, s, b.n, what,
                      type->max);
    }
    if (e) {
        builder_fini(&b);
        return e;
    }
    struct datum *d = datum_alloc(b.n, type);
    for (size_t i = 0; i < b.n; i++) {
        d->atoms[i] = b.keys[i];
        if (map) {
            d->atoms[b.n + i] = b.values[i];
        }
    }
    free(b.keys);
    free(b.values);
    struct db_error *twice = datum_sort(d, type);
    if (twice) {
        db_error_free(twice);
        datum_put(d, type);
        return error_new(EINVAL, "%s: %s", s,
                         map ? "map contains duplicate key" : "set contains duplicate value");
    }
    *out = d;
    return NULL;
}
