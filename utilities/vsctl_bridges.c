/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about bridges, real and fake. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "utilities/vsctl.h"

#define FAKE_KEY "fake-bridge-"

struct error *vsctl_run_init(struct vsctl *v, struct vsctl_command *c)
{
    return NULL;   /* Every command that writes makes the row. */
}

static const struct db_interface *insert_internal(struct vsctl *v, const char *name)
{
    const struct db_interface *iface = db_interface_insert(v->txn);
    db_interface_set_name(v->txn, iface, name);
    db_interface_set_type(v->txn, iface, "internal");
    return iface;
}

/* --may-exist: NULL if the bridge that is there is the one that was asked for. */
static struct error *check_same_bridge(const struct vsctl_bridge *br, const char *parent, unsigned vlan)
{
    if (!parent) {
        return br->parent ? error_new(EEXIST, "\"--may-exist add-br %s\" but %s is a VLAN bridge for VLAN "
                                      "%d", br->name, br->name, br->vlan) : NULL;
    }
    if (!br->parent) {
        return error_new(EEXIST, "\"--may-exist add-br %s %s %u\" but %s is not a VLAN bridge", br->name,
                         parent, vlan, br->name);
    }
    if (strcmp(br->parent->name, parent)) {
        return error_new(EEXIST, "\"--may-exist add-br %s %s %u\" but %s has the wrong parent %s",
                         br->name, parent, vlan, br->name, br->parent->name);
    }
    return (unsigned) br->vlan == vlan
               ? NULL : error_new(EEXIST, "\"--may-exist add-br %s %s %u\" but %s is a VLAN bridge for the "
                                  "wrong VLAN %d", br->name, parent, vlan, br->name, br->vlan);
}

static struct error *add_fake_bridge(struct vsctl *v, const char *name, const char *parent_name,
                                     unsigned vlan)
{
    struct vsctl_bridge *parent;
    error_free(vsctl_find_bridge(v, parent_name, false, &parent));
    if (!parent) {
        return error_new(ENOENT, "parent bridge %s does not exist", parent_name);
    }
    if (parent->parent) {
        return error_new(EINVAL, "cannot create bridge with fake bridge as parent");
    }
    const struct db_interface *iface = insert_internal(v, name);
    struct vsctl_bridge *br = vsctl_model_add_bridge(v, name, parent->row, parent, vlan);
    const struct db_port *port = vsctl_model_add_port(v, br, name, &iface, 1)->row;
    db_port_set_fake_bridge(v->txn, port, true);
    db_port_set_tag(v->txn, port, vlan);
    return NULL;
}

struct error *vsctl_run_add_br(struct vsctl *v, struct vsctl_command *c)
{
    const char *name = c->argv[1], *parent = c->argc > 2 ? c->argv[2] : NULL;
    uint64_t vlan = 0;
    if (c->argc == 3) {
        return error_new(EINVAL, "'%s' command takes exactly 1 or 3 arguments", c->argv[0]);
    }
    if (parent && !parse_uint(c->argv[3], 0, 4095, &vlan)) {
        return error_new(EINVAL, "%s: vlan must be between 0 and 4095", c->argv[0]);
    }
    if (vsctl_has_option(c, "--may-exist")) {
        struct vsctl_bridge *br;
        struct error *e = vsctl_find_bridge(v, name, false, &br);
        if (e || br) {
            return e ? e : check_same_bridge(br, parent, vlan);
        }
    }
    struct error *e = vsctl_check_conflicts(v, name, "cannot create a", "bridge");
    if (!e && parent) {
        e = add_fake_bridge(v, name, parent, vlan);
    } else if (!e) {
        const struct db_bridge *row = db_bridge_insert(v->txn);
        db_bridge_set_name(v->txn, row, name);
        const struct db_interface *iface = insert_internal(v, name);
        vsctl_model_add_port(v, vsctl_model_add_bridge(v, name, row, NULL, 0), name, &iface, 1);
    }
    if (!e) {
        vsctl_expect_interface(v, name);
    }
    return e;
}

struct error *vsctl_run_del_br(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_bridge(v, c->argv[1], !vsctl_has_option(c, "--if-exists"), &br);
    if (!e && br) {
        vsctl_model_del_bridge(v, br);
    }
    return e;
}

struct error *vsctl_run_list_br(struct vsctl *v, struct vsctl_command *c)
{
    bool real = vsctl_has_option(c, "--real"), fake = vsctl_has_option(c, "--fake");
    struct vsctl_model *m = vsctl_model_get(v);
    char **names = xcalloc(hmap_count(&m->bridges) + 1, sizeof *names);
    size_t n = 0;
    struct vsctl_bridge *br;
    HMAP_FOR_EACH (br, by_name, &m->bridges) {
        if (br->parent ? fake || !real : real || !fake) {
            names[n++] = br->name;
        }
    }
    vsctl_put_sorted(&c->output, names, n);
    free(names);
    return NULL;
}

struct error *vsctl_run_br_exists(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_bridge(v, c->argv[1], false, &br);
    return e ? e : br ? NULL : VSCTL_EXIT(2);
}

struct error *vsctl_run_br_to_vlan(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_bridge(v, c->argv[1], true, &br);
    if (!e) {
        text_printf(&c->output, "%d\n", br->vlan);
    }
    return e;
}

struct error *vsctl_run_br_to_parent(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_bridge(v, c->argv[1], true, &br);
    if (!e) {
        text_printf(&c->output, "%s\n", br->parent ? br->parent->name : br->name);
    }
    return e;
}

/* External IDs: those of a fake bridge are its port's, under keys of their own ------------------- */

/* Where a bridge's external IDs are, and what their keys begin with. */
static struct error *find_ids(struct vsctl *v, const char *name, const struct dbc_row **row,
                              const struct dbc_column **column, const char **prefix)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_bridge(v, name, true, &br);
    if (e) {
        return e;
    }
    *row = &br->row->row;
    *column = &db_bridge_col_external_ids;
    *prefix = "";
    if (br->parent) {
        struct vsctl_port *port;
        HMAP_FOR_EACH (port, by_name, &v->model->ports) {
            if (port->bridge == br && !strcmp(port->name, name)) {
                *row = &port->row->row;
            }
        }
        *column = &db_port_col_external_ids;
        *prefix = FAKE_KEY;
    }
    return NULL;
}

struct error *vsctl_run_br_set_external_id(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_row *row;
    const struct dbc_column *column;
    const char *prefix;
    struct error *e = find_ids(v, c->argv[1], &row, &column, &prefix);
    if (e) {
        return e;
    }
    char *key = xasprintf("%s%s", prefix, c->argv[2]);
    bool remove = c->argc == 3;
    struct column_type keys = { .key = column->type.key, .max = DB_UNLIMITED };
    struct datum *d = datum_alloc(1, remove ? &keys : &column->type);
    atom_init_string(&d->atoms[0], key, strlen(key));
    if (remove) {
        dbc_txn_remove(v->txn, row, column, d);
    } else {
        atom_init_string(&d->atoms[1], c->argv[3], strlen(c->argv[3]));
        dbc_txn_add(v->txn, row, column, d);
    }
    free(key);
    return NULL;
}

struct error *vsctl_run_br_get_external_id(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_row *row;
    const struct dbc_column *column;
    const char *prefix;
    struct error *e = find_ids(v, c->argv[1], &row, &column, &prefix);
    if (e) {
        return e;
    }
    size_t n_prefix = strlen(prefix);
    const struct datum *d = dbc_txn_get(v->txn, row, column);
    for (size_t i = 0; i < d->n; i++) {
        const char *key = atom_string(datum_key(d, i)), *value = atom_string(datum_value(d, i));
        if (strncmp(key, prefix, n_prefix)) {
            continue;
        }
        if (c->argc == 2) {
            text_printf(&c->output, "%s=%s\n", key + n_prefix, value);
        } else if (!strcmp(key + n_prefix, c->argv[2])) {
            text_printf(&c->output, "%s\n", value);
        }
    }
    return NULL;
}
