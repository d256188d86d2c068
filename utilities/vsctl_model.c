/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges, ports and interfaces by name, as they are after the commands so far. A port with fake_bridge is a
 * bridge of its own, on one VLAN of its parent. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "utilities/vsctl.h"

struct error *vsctl_watch_model(struct vsctl *v, struct vsctl_command *c)
{
    static const struct dbc_column *const columns[] = {
        &db_open_vswitch_col_bridges, &db_bridge_col_name, &db_bridge_col_ports,
        &db_bridge_col_external_ids,  &db_port_col_name,   &db_port_col_interfaces,
        &db_port_col_fake_bridge,     &db_port_col_tag,    &db_port_col_external_ids,
        &db_interface_col_name,
    };
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        db_client_monitor_column(v->client, columns[i]);
    }
    return NULL;
}

static void free_map(struct hmap *map, size_t node_offset, size_t name_offset)
{
    for (struct hmap_node *node = hmap_first(map); node;) {
        char *thing = (char *) node - node_offset;
        node = hmap_next(map, node);
        free(*(char **) (thing + name_offset));
        free(thing);
    }
    hmap_fini(map);
}

void vsctl_model_forget(struct vsctl *v)
{
    if (v->model) {
        free_map(&v->model->bridges, offsetof(struct vsctl_bridge, by_name),
                 offsetof(struct vsctl_bridge, name));
        free_map(&v->model->ports, offsetof(struct vsctl_port, by_name),
                 offsetof(struct vsctl_port, name));
        free_map(&v->model->ifaces, offsetof(struct vsctl_iface, by_name),
                 offsetof(struct vsctl_iface, name));
        free(v->model);
        v->model = NULL;
    }
}

/* Looking up ------------------------------------------------------------------------------------- */

static struct vsctl_bridge *bridge_named(struct vsctl *v, const char *name)
{
    struct vsctl_bridge *br;
    HMAP_FOR_EACH_WITH_HASH (br, by_name, hash_string(name, 0), &vsctl_model_get(v)->bridges) {
        if (!strcmp(br->name, name)) {
            return br;
        }
    }
    return NULL;
}

static struct vsctl_port *port_named(struct vsctl *v, const char *name)
{
    struct vsctl_port *port;
    HMAP_FOR_EACH_WITH_HASH (port, by_name, hash_string(name, 0), &vsctl_model_get(v)->ports) {
        if (!strcmp(port->name, name)) {
            return port;
        }
    }
    return NULL;
}

static struct vsctl_iface *iface_named(struct vsctl *v, const char *name)
{
    struct vsctl_iface *iface;
    HMAP_FOR_EACH_WITH_HASH (iface, by_name, hash_string(name, 0), &vsctl_model_get(v)->ifaces) {
        if (!strcmp(iface->name, name)) {
            return iface;
        }
    }
    return NULL;
}

static struct error *missing(const char *kind, const char *name)
{
    return error_new(ENOENT, "no %s named %s", kind, name);
}

struct error *vsctl_find_bridge(struct vsctl *v, const char *name, bool must_exist,
                                struct vsctl_bridge **br)
{
    *br = bridge_named(v, name);
    dbc_txn_verify(v->txn, &v->ovs->row, &db_open_vswitch_col_bridges);
    return *br || !must_exist ? NULL : missing("bridge", name);
}

struct error *vsctl_find_real_bridge(struct vsctl *v, const char *name, struct vsctl_bridge **br)
{
    struct error *e = vsctl_find_bridge(v, name, true, br);
    return !e && (*br)->parent ? error_new(EINVAL, "%s is a fake bridge", name) : e;
}

struct error *vsctl_find_port(struct vsctl *v, const char *name, bool must_exist,
                              struct vsctl_port **port)
{
    *port = port_named(v, name);
    if (*port && !strcmp((*port)->bridge->name, name)) {
        *port = NULL;
    }
    return *port || !must_exist ? NULL : missing("port", name);
}

struct error *vsctl_find_iface(struct vsctl *v, const char *name, bool must_exist,
                               struct vsctl_iface **iface)
{
    *iface = iface_named(v, name);
    if (*iface && !strcmp((*iface)->port->bridge->name, name)) {
        *iface = NULL;
    }
    return *iface || !must_exist ? NULL : missing("interface", name);
}

struct error *vsctl_check_conflicts(struct vsctl *v, const char *name, const char *what, const char *kind)
{
    if (bridge_named(v, name)) {
        return error_new(EEXIST, "%s %s named %s because a bridge named %s already exists", what, kind,
                         name, name);
    }
    struct vsctl_port *port = port_named(v, name);
    if (port) {
        return error_new(EEXIST, "%s %s named %s because a port named %s already exists on bridge %s",
                         what, kind, name, name, port->bridge->name);
    }
    struct vsctl_iface *iface = iface_named(v, name);
    if (iface) {
        return error_new(EEXIST, "%s %s named %s because an interface named %s already exists on "
                         "bridge %s", what, kind, name, name, iface->port->bridge->name);
    }
    return NULL;
}

/* Making ----------------------------------------------------------------------------------------- */

static struct vsctl_bridge *note_bridge(struct vsctl_model *m, const char *name,
                                        const struct db_bridge *row, struct vsctl_bridge *parent,
                                        int vlan)
{
    struct vsctl_bridge *br = xzalloc(sizeof *br);
    *br = (struct vsctl_bridge) { .name = xstrdup(name), .row = row, .parent = parent, .vlan = vlan };
    hmap_insert(&m->bridges, &br->by_name, hash_string(name, 0));
    return br;
}

static struct vsctl_iface *note_iface(struct vsctl_model *m, struct vsctl_port *port, const char *name,
                                      const struct db_interface *row)
{
    struct vsctl_iface *iface = xzalloc(sizeof *iface);
    *iface = (struct vsctl_iface) { .name = xstrdup(name), .row = row, .port = port };
    hmap_insert(&m->ifaces, &iface->by_name, hash_string(name, 0));
    return iface;
}

static struct vsctl_port *note_port(struct vsctl_model *m, struct vsctl_bridge *br, const char *name,
                                    const struct db_port *row)
{
    struct vsctl_port *port = xzalloc(sizeof *port);
    *port = (struct vsctl_port) { .name = xstrdup(name), .row = row, .bridge = br };
    hmap_insert(&m->ports, &port->by_name, hash_string(name, 0));
    return port;
}

/* The VLAN of a port that is a fake bridge, or -1. */
static int64_t fake_vlan(struct vsctl *v, const struct dbc_row *port)
{
    int64_t tag = vsctl_integer(v, port, &db_port_col_tag, -1);
    return vsctl_boolean(v, port, &db_port_col_fake_bridge) && tag >= 0 && tag <= 4095 ? tag : -1;
}

static void load_ports(struct vsctl *v, struct vsctl_model *m, struct vsctl_bridge *br)
{
    const struct dbc_row *row = &br->row->row, *port_row, *iface_row;
    dbc_txn_verify(v->txn, row, &db_bridge_col_ports);
    for (size_t i = 0; i < vsctl_count(v, row, &db_bridge_col_ports); i++) {
        if (!(port_row = vsctl_ref(v, row, &db_bridge_col_ports, i))) {
            continue;
        }
        int64_t vlan = fake_vlan(v, port_row);
        const char *name = vsctl_string(v, port_row, &db_port_col_name);
        if (vlan >= 0 && !bridge_named(v, name)) {
            note_bridge(m, name, br->row, br, vlan);
        }
    }
    for (size_t i = 0; i < vsctl_count(v, row, &db_bridge_col_ports); i++) {
        if (!(port_row = vsctl_ref(v, row, &db_bridge_col_ports, i))) {
            continue;
        }
        int64_t tag = vsctl_integer(v, port_row, &db_port_col_tag, -1);
        struct vsctl_bridge *owner = br, *fake;
        HMAP_FOR_EACH (fake, by_name, &m->bridges) {
            if (tag >= 0 && fake->parent == br && fake->vlan == tag) {
                owner = fake;
            }
        }
        struct vsctl_port *port = note_port(m, owner, vsctl_string(v, port_row, &db_port_col_name),
                                            (const struct db_port *) port_row);
        for (size_t j = 0; j < vsctl_count(v, port_row, &db_port_col_interfaces); j++) {
            if ((iface_row = vsctl_ref(v, port_row, &db_port_col_interfaces, j))) {
                note_iface(m, port, vsctl_string(v, iface_row, &db_interface_col_name),
                           (const struct db_interface *) iface_row);
            }
        }
    }
}

struct vsctl_model *vsctl_model_get(struct vsctl *v)
{
    if (v->model) {
        return v->model;
    }
    struct vsctl_model *m = v->model = xzalloc(sizeof *m);
    hmap_init(&m->bridges);
    hmap_init(&m->ports);
    hmap_init(&m->ifaces);
    const struct dbc_row *ovs = &v->ovs->row, *row;
    size_t n = vsctl_count(v, ovs, &db_open_vswitch_col_bridges), n_real = 0;
    struct vsctl_bridge **real = xcalloc(n + 1, sizeof *real);
    for (size_t i = 0; i < n; i++) {
        if ((row = vsctl_ref(v, ovs, &db_open_vswitch_col_bridges, i))) {
            real[n_real++] = note_bridge(m, vsctl_string(v, row, &db_bridge_col_name),
                                         (const struct db_bridge *) row, NULL, 0);
        }
    }
    for (size_t i = 0; i < n_real; i++) {
        load_ports(v, m, real[i]);
    }
    free(real);
    return m;
}

/* Changing --------------------------------------------------------------------------------------- */

struct vsctl_bridge *vsctl_model_add_bridge(struct vsctl *v, const char *name,
                                            const struct db_bridge *row, struct vsctl_bridge *parent,
                                            int vlan)
{
    if (!parent) {
        db_open_vswitch_add_bridges(v->txn, v->ovs, row);
    }
    return note_bridge(vsctl_model_get(v), name, row, parent, vlan);
}

struct vsctl_port *vsctl_model_add_port(struct vsctl *v, struct vsctl_bridge *br, const char *name,
                                        const struct db_interface *const *ifaces, size_t n)
{
    const struct db_port *row = db_port_insert(v->txn);
    db_port_set_name(v->txn, row, name);
    db_port_set_interfaces(v->txn, row, ifaces, n);
    db_bridge_add_ports(v->txn, br->row, row);
    struct vsctl_port *port = note_port(vsctl_model_get(v), br, name, row);
    for (size_t i = 0; i < n; i++) {
        note_iface(v->model, port, vsctl_string(v, &ifaces[i]->row, &db_interface_col_name), ifaces[i]);
    }
    return port;
}

struct vsctl_iface *vsctl_model_add_iface(struct vsctl *v, struct vsctl_port *port, const char *name,
                                          const struct db_interface *row)
{
    db_port_add_interfaces(v->txn, port->row, row);
    return note_iface(vsctl_model_get(v), port, name, row);
}

static void forget_iface(struct vsctl *v, struct vsctl_iface *iface)
{
    hmap_remove(&v->model->ifaces, &iface->by_name);
    free(iface->name);
    free(iface);
}

void vsctl_model_del_iface(struct vsctl *v, struct vsctl_iface *iface)
{
    db_port_remove_interfaces(v->txn, iface->port->row, iface->row);
    db_interface_delete(v->txn, iface->row);
    forget_iface(v, iface);
}

void vsctl_model_del_port(struct vsctl *v, struct vsctl_port *port)
{
    struct vsctl_iface *iface;
    HMAP_FOR_EACH (iface, by_name, &v->model->ifaces) {
        if (iface->port == port) {
            db_interface_delete(v->txn, iface->row);
            forget_iface(v, iface);
        }
    }
    db_bridge_remove_ports(v->txn, port->bridge->row, port->row);
    db_port_delete(v->txn, port->row);
    hmap_remove(&v->model->ports, &port->by_name);
    free(port->name);
    free(port);
}

void vsctl_model_del_bridge(struct vsctl *v, struct vsctl_bridge *br)
{
    struct vsctl_bridge *child;
    HMAP_FOR_EACH (child, by_name, &v->model->bridges) {
        if (child->parent == br) {
            vsctl_model_del_bridge(v, child);
        }
    }
    struct vsctl_port *port;
    HMAP_FOR_EACH (port, by_name, &v->model->ports) {
        if (port->bridge == br) {
            vsctl_model_del_port(v, port);
        }
    }
    if (!br->parent) {
        db_open_vswitch_remove_bridges(v->txn, v->ovs, br->row);
        db_bridge_delete(v->txn, br->row);
    }
    hmap_remove(&v->model->bridges, &br->by_name);
    free(br->name);
    free(br);
}

void vsctl_expect_interface(struct vsctl *v, const char *name)
{
    if (v->n_new_interfaces == v->allocated_new_interfaces) {
        v->new_interfaces =
            xgrow(v->new_interfaces, &v->allocated_new_interfaces, sizeof *v->new_interfaces);
    }
    v->new_interfaces[v->n_new_interfaces++] = xstrdup(name);
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

void vsctl_put_sorted(struct text *t, char **words, size_t n)
{
    qsort(words, n, sizeof *words, compare_words);
    for (size_t i = 0; i < n; i++) {
        text_printf(t, "%s\n", words[i]);
    }
}
