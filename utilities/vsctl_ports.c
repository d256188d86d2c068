/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about ports, bonds and interfaces. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "utilities/vsctl.h"

/* The names of a port's interfaces, joined: "e1, e2". */
static void put_ifaces(struct vsctl *v, const struct vsctl_port *port, struct text *t)
{
    struct text lines = TEXT_INIT;
    char **names = xcalloc(hmap_count(&v->model->ifaces) + 1, sizeof *names);
    size_t n = 0;
    struct vsctl_iface *iface;
    HMAP_FOR_EACH (iface, by_name, &v->model->ifaces) {
        if (iface->port == port) {
            names[n++] = iface->name;
        }
    }
    vsctl_put_sorted(&lines, names, n);
    text_fini(&lines);
    for (size_t i = 0; i < n; i++) {
        text_printf(t, "%s%s", i ? ", " : "", names[i]);
    }
    free(names);
}

static void put_names(char **names, size_t n, struct text *t)
{
    struct text lines = TEXT_INIT;
    char **sorted = xmemdup(names, n * sizeof *names);
    vsctl_put_sorted(&lines, sorted, n);
    text_fini(&lines);
    for (size_t i = 0; i < n; i++) {
        text_printf(t, "%s%s", i ? ", " : "", sorted[i]);
    }
    free(sorted);
}

struct new_port {
    const char *bridge, *name;
    char **ifaces, **settings;
    size_t n_ifaces, n_settings;
    bool may_exist, fake_iface;
};

/* --may-exist: NULL if the port that is there is the one that was asked for. */
static struct error *check_same_port(struct vsctl *v, const struct vsctl_port *port,
                                     const struct vsctl_command *c, const struct new_port *p)
{
    struct text actual = TEXT_INIT, wanted = TEXT_INIT;
    put_ifaces(v, port, &actual);
    put_names(p->ifaces, p->n_ifaces, &wanted);
    struct error *e = NULL;
    if (strcmp(text_str(&actual), text_str(&wanted))) {
        e = error_new(EEXIST, "\"--may-exist %s %s %s\" but %s actually has interface(s) %s", c->argv[0],
                      p->bridge, p->name, p->name, text_str(&actual));
    } else if (strcmp(port->bridge->name, p->bridge)) {
        e = error_new(EEXIST, "\"--may-exist %s %s %s\" but %s is actually attached to bridge %s",
                      c->argv[0], p->bridge, p->name, p->name, port->bridge->name);
    }
    text_fini(&actual);
    text_fini(&wanted);
    return e;
}

static struct error *insert_port(struct vsctl *v, struct vsctl_bridge *br, const struct new_port *p)
{
    const struct db_interface **ifaces = xcalloc(p->n_ifaces, sizeof *ifaces);
    for (size_t i = 0; i < p->n_ifaces; i++) {
        ifaces[i] = db_interface_insert(v->txn);
        db_interface_set_name(v->txn, ifaces[i], p->ifaces[i]);
        vsctl_expect_interface(v, p->ifaces[i]);
    }
    const struct db_port *row = vsctl_model_add_port(v, br, p->name, ifaces, p->n_ifaces)->row;
    free(ifaces);
    db_port_set_bond_fake_iface(v->txn, row, p->fake_iface);
    if (br->parent) {
        db_port_set_tag(v->txn, row, br->vlan);
    }
    struct error *e = NULL;
    for (size_t i = 0; i < p->n_settings && !e; i++) {
        e = vsctl_set(v, &row->row, p->settings[i]);
    }
    return e;
}

static struct error *new_port(struct vsctl *v, const struct vsctl_command *c, const struct new_port *p)
{
    struct vsctl_bridge *br;
    struct vsctl_port *port;
    struct error *e = NULL;
    if (p->may_exist && !(e = vsctl_find_port(v, p->name, false, &port)) && port) {
        return check_same_port(v, port, c, p);
    }
    if (!e) {
        e = vsctl_check_conflicts(v, p->name, "cannot create a", "port");
    }
    for (size_t i = 0; i < p->n_ifaces && !e; i++) {
        if (strcmp(p->ifaces[i], p->name)) {
            e = vsctl_check_conflicts(v, p->ifaces[i], "cannot create an", "interface");
        }
        for (size_t j = 0; j < i && !e; j++) {
            if (!strcmp(p->ifaces[i], p->ifaces[j])) {
                e = error_new(EEXIST, "interface %s is named twice", p->ifaces[i]);
            }
        }
    }
    if (!e) {
        e = vsctl_find_bridge(v, p->bridge, true, &br);
    }
    return e ? e : insert_port(v, br, p);
}

struct error *vsctl_run_add_port(struct vsctl *v, struct vsctl_command *c)
{
    struct new_port p = {
        .bridge = c->argv[1], .name = c->argv[2], .ifaces = &c->argv[2], .n_ifaces = 1,
        .settings = &c->argv[3], .n_settings = c->argc - 3,
        .may_exist = vsctl_has_option(c, "--may-exist"),
    };
    return new_port(v, c, &p);
}

struct error *vsctl_run_add_bond(struct vsctl *v, struct vsctl_command *c)
{
    int end = 3;
    while (end < c->argc && !strchr(c->argv[end], '=')) {
        end++;
    }
    if (end - 3 < 2) {
        return error_new(EINVAL, "add-bond requires at least 2 interfaces, but only %d were specified",
                         end - 3);
    }
    struct new_port p = {
        .bridge = c->argv[1], .name = c->argv[2], .ifaces = &c->argv[3], .n_ifaces = end - 3,
        .settings = &c->argv[end], .n_settings = c->argc - end,
        .may_exist = vsctl_has_option(c, "--may-exist"),
        .fake_iface = vsctl_has_option(c, "--fake-iface"),
    };
    return new_port(v, c, &p);
}

struct error *vsctl_run_add_bond_iface(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_port *port;
    struct vsctl_iface *iface;
    struct error *e = vsctl_find_port(v, c->argv[1], true, &port);
    if (e) {
        return e;
    }
    if (vsctl_has_option(c, "--may-exist") && !(e = vsctl_find_iface(v, c->argv[2], false, &iface)) &&
        iface) {
        return iface->port == port
                   ? NULL : error_new(EEXIST, "\"--may-exist %s %s %s\" but %s is actually attached to "
                                      "port %s", c->argv[0], c->argv[1], c->argv[2], c->argv[2],
                                      iface->port->name);
    }
    e = vsctl_check_conflicts(v, c->argv[2], "cannot create an", "interface");
    if (!e) {
        const struct db_interface *row = db_interface_insert(v->txn);
        db_interface_set_name(v->txn, row, c->argv[2]);
        vsctl_model_add_iface(v, port, c->argv[2], row);
        vsctl_expect_interface(v, c->argv[2]);
    }
    return e;
}

struct error *vsctl_run_del_bond_iface(struct vsctl *v, struct vsctl_command *c)
{
    const char *name = c->argv[c->argc - 1];
    struct vsctl_iface *iface;
    struct vsctl_port *port = NULL;
    struct error *e = c->argc > 2 ? vsctl_find_port(v, c->argv[1], true, &port) : NULL;
    if (!e) {
        e = vsctl_find_iface(v, name, !vsctl_has_option(c, "--if-exists"), &iface);
    }
    if (e || !iface) {
        return e;
    }
    if (port && iface->port != port) {
        return error_new(EINVAL, "port %s does not have an interface %s", c->argv[1], name);
    }
    if (vsctl_count(v, &iface->port->row->row, &db_port_col_interfaces) == 1) {
        return error_new(EINVAL, "cannot delete last interface from port %s", iface->port->name);
    }
    vsctl_model_del_iface(v, iface);
    return NULL;
}

/* The port that del-port means; NULL if it may be absent and is. */
static struct error *port_to_delete(struct vsctl *v, struct vsctl_command *c, const char *name,
                                    struct vsctl_port **port)
{
    bool must_exist = !vsctl_has_option(c, "--if-exists");
    if (!vsctl_has_option(c, "--with-iface")) {
        return vsctl_find_port(v, name, must_exist, port);
    }
    struct vsctl_iface *iface;
    struct error *e = vsctl_find_port(v, name, false, port);
    if (!e && !*port) {
        e = vsctl_find_iface(v, name, false, &iface);
        *port = !e && iface ? iface->port : NULL;
    }
    return !e && !*port && must_exist ? error_new(ENOENT, "no port or interface named %s", name) : e;
}

struct error *vsctl_run_del_port(struct vsctl *v, struct vsctl_command *c)
{
    const char *name = c->argv[c->argc - 1];
    struct vsctl_bridge *br, *local;
    struct vsctl_port *port;
    struct error *e = vsctl_find_bridge(v, name, false, &local);
    if (!e && local) {
        return error_new(EINVAL, "cannot delete port %s because it is the local port for bridge %s "
                         "(deleting this port requires deleting the entire bridge)", name, name);
    }
    if (!e) {
        e = port_to_delete(v, c, name, &port);
    }
    if (e || !port) {
        return e;
    }
    if (c->argc == 3) {
        e = vsctl_find_bridge(v, c->argv[1], true, &br);
        if (!e && port->bridge != br) {
            if (port->bridge->parent == br) {
                return error_new(EINVAL, "bridge %s does not have a port %s (although its child bridge "
                                 "%s does)", br->name, name, port->bridge->name);
            }
            if (br->parent == port->bridge) {
                return error_new(EINVAL, "bridge %s does not have a port %s (although its parent bridge "
                                 "%s does)", br->name, name, port->bridge->name);
            }
            return error_new(EINVAL, "bridge %s does not have a port %s", br->name, name);
        }
    }
    if (!e) {
        vsctl_model_del_port(v, port);
    }
    return e;
}

/* Asking ----------------------------------------------------------------------------------------- */

struct error *vsctl_run_list_ports(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_bridge(v, c->argv[1], true, &br);
    if (e) {
        return e;
    }
    char **names = xcalloc(hmap_count(&v->model->ports) + 1, sizeof *names);
    size_t n = 0;
    struct vsctl_port *port;
    HMAP_FOR_EACH (port, by_name, &v->model->ports) {
        if (port->bridge == br && strcmp(port->name, br->name)) {
            names[n++] = port->name;
        }
    }
    vsctl_put_sorted(&c->output, names, n);
    free(names);
    return NULL;
}

struct error *vsctl_run_port_to_br(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_port *port;
    struct error *e = vsctl_find_port(v, c->argv[1], true, &port);
    if (!e) {
        text_printf(&c->output, "%s\n", port->bridge->name);
    }
    return e;
}

struct error *vsctl_run_list_ifaces(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_bridge(v, c->argv[1], true, &br);
    if (e) {
        return e;
    }
    char **names = xcalloc(hmap_count(&v->model->ifaces) + 1, sizeof *names);
    size_t n = 0;
    struct vsctl_iface *iface;
    HMAP_FOR_EACH (iface, by_name, &v->model->ifaces) {
        if (iface->port->bridge == br && strcmp(iface->name, br->name)) {
            names[n++] = iface->name;
        }
    }
    vsctl_put_sorted(&c->output, names, n);
    free(names);
    return NULL;
}

struct error *vsctl_run_iface_to_br(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_iface *iface;
    struct error *e = vsctl_find_iface(v, c->argv[1], true, &iface);
    if (!e) {
        text_printf(&c->output, "%s\n", iface->port->bridge->name);
    }
    return e;
}
