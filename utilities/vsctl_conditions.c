/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of find and wait-until: "COLUMN[:KEY]OPERATORVALUE". */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "utilities/vsctl.h"

enum operator {
    OP_EQ, OP_NE, OP_LT, OP_GT, OP_LE, OP_GE,
    OP_SET_EQ, OP_SET_NE, OP_SET_LT, OP_SET_GT, OP_SET_LE, OP_SET_GE, OP_IN, OP_NOT_IN,
};

static const char *const operators[] = {
    [OP_EQ] = "=", [OP_NE] = "!=", [OP_LT] = "<", [OP_GT] = ">", [OP_LE] = "<=", [OP_GE] = ">=",
    [OP_SET_EQ] = "{=}", [OP_SET_NE] = "{!=}", [OP_SET_LT] = "{<}", [OP_SET_GT] = "{>}",
    [OP_SET_LE] = "{<=}", [OP_SET_GE] = "{>=}", [OP_IN] = "{in}", [OP_NOT_IN] = "{not-in}",
};

struct condition {
    const struct dbc_column *column;
    char *key;                      /* NULL: none. */
    enum operator operator;
    const char *value;
};

static struct error *no_operator(const char *text)
{
    return error_new(EINVAL, "%s: argument does not end in \"=\", \"!=\", \"<\", \">\", \"<=\", \">=\", "
                     "\"{=}\", \"{!=}\", \"{<}\", \"{>}\", \"{<=}\", \"{>=}\", \"{in}\", or \"{not-in}\" "
                     "followed by a value.", text);
}

/* The longest operator at 's'. */
static bool find_operator(const char *s, enum operator *operator, const char **value)
{
    size_t longest = 0;
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        size_t n = strlen(operators[i]);
        if (n > longest && !strncmp(s, operators[i], n)) {
            longest = n;
            *operator = i;
        }
    }
    *value = s + longest;
    return longest && **value;
}

static struct error *parse(const struct dbc_table *table, const char *text, struct condition *c)
{
    const char *p = text;
    char *name;
    c->key = NULL;
    struct error *e = vsctl_token(&p, &name);
    if (e) {
        return e;
    }
    e = *name ? vsctl_find_column(table, name, &c->column)
              : error_new(EINVAL, "%s: missing column name", text);
    if (!e && *p == ':') {
        p++;
        e = vsctl_token(&p, &c->key);
    }
    if (!e && !find_operator(p, &c->operator, &c->value)) {
        e = no_operator(text);
    }
    free(name);
    return e;
}

static bool is_set_operator(enum operator o)
{
    return o >= OP_SET_EQ;
}

static bool holds(const struct datum *a, enum operator o, const struct datum *b,
                  const struct column_type *type)
{
    int c = datum_compare(a, b, type);
    switch (o) {
    case OP_EQ:
    case OP_SET_EQ:
        return !c;
    case OP_NE:
    case OP_SET_NE:
        return c;
    case OP_LT:
        return c < 0;
    case OP_GT:
        return c > 0;
    case OP_LE:
        return c <= 0;
    case OP_GE:
        return c >= 0;
    case OP_SET_LT:
        return c && datum_includes_all(b, a, type);
    case OP_SET_GT:
        return c && datum_includes_all(a, b, type);
    case OP_SET_LE:
    case OP_IN:
        return datum_includes_all(b, a, type);
    case OP_SET_GE:
        return datum_includes_all(a, b, type);
    case OP_NOT_IN:
        return datum_excludes_all(a, b, type);
    }
    return false;
}

/* Of one key of a map: its value, as a set of at most one. */
static struct error *key_holds(struct vsctl *v, const struct datum *d, const struct column_type *type,
                               const struct condition *c, bool *is_true)
{
    struct column_type set = { .key = type->value, .min = 0, .max = DB_UNLIMITED };
    set.value.type = ATOM_VOID;
    union atom key;
    struct error *e = vsctl_atom_from_text(v, &type->key, c->key, &key);
    if (e) {
        return e;
    }
    size_t i = datum_find_key(d, &key, type->key.type);
    atom_fini(&key, type->key.type);
    struct datum *wanted;
    if (is_set_operator(c->operator)) {
        e = vsctl_datum_from_text(v, &set, c->value, &wanted);
    } else {
        wanted = datum_alloc(1, &set);
        e = vsctl_atom_from_text(v, &set.key, c->value, &wanted->atoms[0]);
        if (e) {
            free(wanted);
        }
    }
    if (e) {
        return e;
    }
    struct datum *actual = datum_alloc(i != SIZE_MAX, &set);
    if (i != SIZE_MAX) {
        atom_copy(&actual->atoms[0], datum_value(d, i), set.key.type);
    }
    *is_true = (i != SIZE_MAX || is_set_operator(c->operator)) && holds(actual, c->operator, wanted, &set);
    datum_put(actual, &set);
    datum_put(wanted, &set);
    return NULL;
}

static struct error *column_holds(struct vsctl *v, const struct datum *d, const struct column_type *type,
                                  const struct condition *c, bool *is_true)
{
    struct column_type any = *type;
    if (is_set_operator(c->operator)) {
        any.min = 0;
        any.max = DB_UNLIMITED;
    }
    struct datum *wanted;
    struct error *e = vsctl_datum_from_text(v, &any, c->value, &wanted);
    if (!e) {
        *is_true = holds(d, c->operator, wanted, &any);
        datum_put(wanted, &any);
    }
    return e;
}

struct error *vsctl_condition(struct vsctl *v, const struct dbc_row *row, const char *text,
                              const struct dbc_table *table, bool *is_true)
{
    struct condition c;
    struct error *e = parse(table, text, &c);
    *is_true = false;
    if (!e && c.key && !column_type_is_map(&c.column->type)) {
        e = error_new(EINVAL, "cannot specify key to check for non-map column %s", c.column->name);
    }
    if (!e && row) {
        struct datum *d = vsctl_get(v, row, c.column);
        const struct column_type *type = vsctl_type(v, c.column);
        e = c.key ? key_holds(v, d, type, &c, is_true) : column_holds(v, d, type, &c, is_true);
        datum_put(d, type);
    }
    free(c.key);
    return e;
}
