/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of records as the transaction will leave them, and "COLUMN[:KEY]=VALUE". */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "utilities/vsctl.h"

struct datum *vsctl_get(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c)
{
    return c == &vsctl_uuid_column ? datum_of_uuid(&row->uuid) : datum_get(dbc_txn_get(v->txn, row, c));
}

const char *vsctl_string(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c)
{
    const struct datum *d = dbc_txn_get(v->txn, row, c);
    return d->n ? atom_string(datum_key(d, 0)) : "";
}

bool vsctl_boolean(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c)
{
    const struct datum *d = dbc_txn_get(v->txn, row, c);
    return d->n && datum_key(d, 0)->boolean;
}

int64_t vsctl_integer(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c, int64_t def)
{
    const struct datum *d = dbc_txn_get(v->txn, row, c);
    return d->n ? datum_key(d, 0)->integer : def;
}

size_t vsctl_count(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c)
{
    return dbc_txn_get(v->txn, row, c)->n;
}

const struct dbc_row *vsctl_ref(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c,
                                size_t i)
{
    const struct datum *d = dbc_txn_get(v->txn, row, c);
    if (i >= d->n) {
        return NULL;
    }
    return c->value_ref ? dbc_txn_get_row(v->txn, c->value_ref, &datum_value(d, i)->uuid)
                        : dbc_txn_get_row(v->txn, c->key_ref, &datum_key(d, i)->uuid);
}

static struct error *set_pair(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c,
                              const char *key, const char *value)
{
    const struct column_type *type = vsctl_type(v, c);
    if (!column_type_is_map(type)) {
        return error_new(EINVAL, "cannot specify key to set for non-map column %s", c->name);
    }
    struct datum *pair = datum_alloc(1, type);
    struct error *e = vsctl_atom_from_text(v, &type->key, key, &pair->atoms[0]);
    if (e) {
        free(pair);
        return e;
    }
    e = vsctl_atom_from_text(v, &type->value, value, &pair->atoms[1]);
    if (e) {
        atom_fini(&pair->atoms[0], type->key.type);
        free(pair);
        return e;
    }
    dbc_txn_add(v->txn, row, c, pair);
    return NULL;
}

static struct error *set_column(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *c,
                                const char *key, const char *value)
{
    if (c == &vsctl_uuid_column || (!c->is_mutable && !row->is_pending)) {
        return error_new(EPERM, "cannot modify read-only column %s in table %s", c->name,
                         row->table->name);
    }
    if (key) {
        return set_pair(v, row, c, key, value);
    }
    struct datum *d;
    struct error *e = vsctl_datum_from_text(v, vsctl_type(v, c), value, &d);
    if (!e) {
        dbc_txn_write(v->txn, row, c, d);
    }
    return e;
}

struct error *vsctl_set(struct vsctl *v, const struct dbc_row *row, const char *setting)
{
    const char *p = setting;
    char *name, *key = NULL;
    const struct dbc_column *c;
    struct error *e = vsctl_token(&p, &name);
    if (e) {
        return e;
    }
    e = *name ? vsctl_find_column(row->table, name, &c)
              : error_new(EINVAL, "%s: missing column name", setting);
    if (!e && *p == ':') {
        p++;
        e = vsctl_token(&p, &key);
    }
    if (!e && (*p != '=' || !p[1])) {
        e = error_new(EINVAL, "%s: argument does not end in \"=\" followed by a value.", setting);
    }
    if (!e) {
        e = set_column(v, row, c, key, p + 1);
    }
    free(name);
    free(key);
    return e;
}
