/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about controllers, managers, fail mode, SSL, auto attach, and the reset of all of these. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/sys/log.h"
#include "utilities/vsctl.h"

LOG_MODULE(vsctl);

struct error *vsctl_watch_all(struct vsctl *v, struct vsctl_command *c)
{
    for (unsigned i = 0; i < db_schema.n_tables; i++) {
        db_client_monitor(v->client, db_schema.tables[i]);
    }
    return NULL;
}

struct error *vsctl_watch_settings(struct vsctl *v, struct vsctl_command *c)
{
    db_client_monitor_column(v->client, &db_open_vswitch_col_manager_options);
    db_client_monitor_column(v->client, &db_open_vswitch_col_ssl);
    db_client_monitor_column(v->client, &db_bridge_col_controller);
    db_client_monitor_column(v->client, &db_bridge_col_fail_mode);
    db_client_monitor_column(v->client, &db_bridge_col_auto_attach);
    db_client_monitor_column(v->client, &db_controller_col_target);
    db_client_monitor_column(v->client, &db_manager_col_target);
    db_client_monitor(v->client, &db_ssl_table);
    db_client_monitor(v->client, &db_autoattach_table);
    return vsctl_watch_model(v, c);
}

/* The settings of a fake bridge are its parent's. */
static struct error *find_carrier(struct vsctl *v, const char *name, struct vsctl_bridge **br)
{
    struct error *e = vsctl_find_bridge(v, name, true, br);
    if (!e && (*br)->parent) {
        *br = (*br)->parent;
    }
    return e;
}

/* Controllers and managers ----------------------------------------------------------------------- */

static void put_targets(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *column,
                        const struct dbc_column *target, struct text *out)
{
    size_t n = vsctl_count(v, row, column), n_names = 0;
    char **names = xcalloc(n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        const struct dbc_row *other = vsctl_ref(v, row, column, i);
        if (other) {
            names[n_names++] = (char *) vsctl_string(v, other, target);
        }
    }
    vsctl_put_sorted(out, names, n_names);
    free(names);
}

static void delete_refs(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *column)
{
    for (size_t i = 0; i < vsctl_count(v, row, column); i++) {
        const struct dbc_row *other = vsctl_ref(v, row, column, i);
        if (other) {
            dbc_txn_delete(v->txn, other);
        }
    }
    dbc_txn_write(v->txn, row, column, datum_alloc(0, &column->type));
}

static struct error *probe_option(struct vsctl_command *c, bool *is_set, int64_t *ms)
{
    const char *s = smap_get(&c->options, "--inactivity-probe");
    *is_set = s != NULL;
    return !s || (parse_i64(s, ms) && *ms >= 0)
               ? NULL : error_new(EINVAL, "--inactivity-probe \"%s\" is no number of milliseconds", s);
}

static void check_target(const char *target)
{
    static const char *const types[] = { "tcp:", "unix:", "ssl:", "ptcp:", "punix:", "pssl:" };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strncmp(target, types[i], strlen(types[i]))) {
            return;
        }
    }
    LOG_WARN("target type \"%s\" is possibly erroneous", target);
}

struct error *vsctl_run_get_controller(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = find_carrier(v, c->argv[1], &br);
    if (!e) {
        put_targets(v, &br->row->row, &db_bridge_col_controller, &db_controller_col_target, &c->output);
    }
    return e;
}

struct error *vsctl_run_del_controller(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_real_bridge(v, c->argv[1], &br);
    if (!e) {
        delete_refs(v, &br->row->row, &db_bridge_col_controller);
    }
    return e;
}

struct error *vsctl_run_set_controller(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    bool has_probe;
    int64_t probe = 0;
    struct error *e = vsctl_find_real_bridge(v, c->argv[1], &br);
    if (e || (e = probe_option(c, &has_probe, &probe))) {
        return e;
    }
    delete_refs(v, &br->row->row, &db_bridge_col_controller);
    for (int i = 2; i < c->argc; i++) {
        check_target(c->argv[i]);
        const struct db_controller *row = db_controller_insert(v->txn);
        db_controller_set_target(v->txn, row, c->argv[i]);
        if (has_probe) {
            db_controller_set_inactivity_probe(v->txn, row, probe);
        }
        db_bridge_add_controller(v->txn, br->row, row);
    }
    return NULL;
}

struct error *vsctl_run_get_manager(struct vsctl *v, struct vsctl_command *c)
{
    put_targets(v, &v->ovs->row, &db_open_vswitch_col_manager_options, &db_manager_col_target, &c->output);
    return NULL;
}

struct error *vsctl_run_del_manager(struct vsctl *v, struct vsctl_command *c)
{
    delete_refs(v, &v->ovs->row, &db_open_vswitch_col_manager_options);
    return NULL;
}

struct error *vsctl_run_set_manager(struct vsctl *v, struct vsctl_command *c)
{
    bool has_probe;
    int64_t probe = 0;
    struct error *e = probe_option(c, &has_probe, &probe);
    if (e) {
        return e;
    }
    delete_refs(v, &v->ovs->row, &db_open_vswitch_col_manager_options);
    for (int i = 1; i < c->argc; i++) {
        bool twice = false;
        for (int j = 1; j < i; j++) {
            twice |= !strcmp(c->argv[i], c->argv[j]);
        }
        if (twice) {
            continue;
        }
        check_target(c->argv[i]);
        const struct db_manager *row = db_manager_insert(v->txn);
        db_manager_set_target(v->txn, row, c->argv[i]);
        if (has_probe) {
            db_manager_set_inactivity_probe(v->txn, row, probe);
        }
        db_open_vswitch_add_manager_options(v->txn, v->ovs, row);
    }
    return NULL;
}

/* Fail mode -------------------------------------------------------------------------------------- */

struct error *vsctl_run_get_fail_mode(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = find_carrier(v, c->argv[1], &br);
    if (!e && vsctl_count(v, &br->row->row, &db_bridge_col_fail_mode)) {
        text_printf(&c->output, "%s\n", vsctl_string(v, &br->row->row, &db_bridge_col_fail_mode));
    }
    return e;
}

struct error *vsctl_run_del_fail_mode(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_real_bridge(v, c->argv[1], &br);
    if (!e) {
        db_bridge_set_fail_mode(v->txn, br->row, NULL);
    }
    return e;
}

struct error *vsctl_run_set_fail_mode(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = vsctl_find_real_bridge(v, c->argv[1], &br);
    if (!e && strcmp(c->argv[2], "standalone") && strcmp(c->argv[2], "secure")) {
        return error_new(EINVAL, "fail-mode must be \"standalone\" or \"secure\"");
    }
    if (!e) {
        db_bridge_set_fail_mode(v->txn, br->row, c->argv[2]);
    }
    return e;
}

/* SSL -------------------------------------------------------------------------------------------- */

struct error *vsctl_run_get_ssl(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_row *row = vsctl_ref(v, &v->ovs->row, &db_open_vswitch_col_ssl, 0);
    if (row) {
        text_printf(&c->output, "Private key: %s\n", vsctl_string(v, row, &db_ssl_col_private_key));
        text_printf(&c->output, "Certificate: %s\n", vsctl_string(v, row, &db_ssl_col_certificate));
        text_printf(&c->output, "CA Certificate: %s\n", vsctl_string(v, row, &db_ssl_col_ca_cert));
        text_printf(&c->output, "Bootstrap: %s\n",
                    vsctl_boolean(v, row, &db_ssl_col_bootstrap_ca_cert) ? "true" : "false");
    }
    return NULL;
}

struct error *vsctl_run_del_ssl(struct vsctl *v, struct vsctl_command *c)
{
    delete_refs(v, &v->ovs->row, &db_open_vswitch_col_ssl);
    return NULL;
}

struct error *vsctl_run_set_ssl(struct vsctl *v, struct vsctl_command *c)
{
    delete_refs(v, &v->ovs->row, &db_open_vswitch_col_ssl);
    const struct db_ssl *row = db_ssl_insert(v->txn);
    db_ssl_set_private_key(v->txn, row, c->argv[1]);
    db_ssl_set_certificate(v->txn, row, c->argv[2]);
    db_ssl_set_ca_cert(v->txn, row, c->argv[3]);
    db_ssl_set_bootstrap_ca_cert(v->txn, row, vsctl_has_option(c, "--bootstrap"));
    if (c->argc > 4) {
        db_ssl_set_ssl_protocols(v->txn, row, c->argv[4]);
    }
    if (c->argc > 5) {
        db_ssl_set_ssl_ciphers(v->txn, row, c->argv[5]);
    }
    db_open_vswitch_set_ssl(v->txn, v->ovs, row);
    return NULL;
}

/* Auto attach ------------------------------------------------------------------------------------ */

static struct error *parse_mapping(struct vsctl *v, struct vsctl_command *c, struct vsctl_bridge **br,
                                   uint64_t *isid, uint64_t *vlan)
{
    if (!parse_uint(c->argv[2], 0, 0xffffff, isid)) {
        return error_new(EINVAL, "%s: an I-SID is 0 to 16777215", c->argv[2]);
    }
    if (!parse_uint(c->argv[3], 0, 4095, vlan)) {
        return error_new(EINVAL, "%s: a VLAN is 0 to 4095", c->argv[3]);
    }
    return find_carrier(v, c->argv[1], br);
}

struct error *vsctl_run_add_aa_mapping(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    uint64_t isid, vlan;
    struct error *e = parse_mapping(v, c, &br, &isid, &vlan);
    if (e) {
        return e;
    }
    const struct dbc_row *row = vsctl_ref(v, &br->row->row, &db_bridge_col_auto_attach, 0);
    if (!row) {
        const struct db_autoattach *new = db_autoattach_insert(v->txn);
        db_bridge_set_auto_attach(v->txn, br->row, new);
        row = &new->row;
    }
    db_autoattach_put_mappings(v->txn, db_autoattach_cast(row), isid, vlan);
    return NULL;
}

struct error *vsctl_run_del_aa_mapping(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    uint64_t isid, vlan;
    struct error *e = parse_mapping(v, c, &br, &isid, &vlan);
    const struct dbc_row *row = e ? NULL : vsctl_ref(v, &br->row->row, &db_bridge_col_auto_attach, 0);
    if (row) {
        union atom key = { .integer = isid };
        const struct datum *d = dbc_txn_get(v->txn, row, &db_autoattach_col_mappings);
        size_t i = datum_find_key(d, &key, ATOM_INTEGER);
        if (i != SIZE_MAX && datum_value(d, i)->integer == (int64_t) vlan) {
            db_autoattach_remove_mappings(v->txn, db_autoattach_cast(row), isid);
        }
    }
    return e;
}

struct error *vsctl_run_get_aa_mapping(struct vsctl *v, struct vsctl_command *c)
{
    struct vsctl_bridge *br;
    struct error *e = find_carrier(v, c->argv[1], &br);
    const struct dbc_row *row = e ? NULL : vsctl_ref(v, &br->row->row, &db_bridge_col_auto_attach, 0);
    if (row) {
        const struct datum *d = dbc_txn_get(v->txn, row, &db_autoattach_col_mappings);
        for (size_t i = 0; i < d->n; i++) {
            text_printf(&c->output, "%lld %lld\n", (long long) datum_key(d, i)->integer,
                        (long long) datum_value(d, i)->integer);
        }
    }
    return e;
}

/* Emergency reset -------------------------------------------------------------------------------- */

static void clear(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *column)
{
    dbc_txn_write(v->txn, row, column, datum_default(&column->type));
}

/* Empties 'columns' of all records of 'table'. */
static void clear_all(struct vsctl *v, const struct dbc_table *table,
                      const struct dbc_column *const *columns, size_t n)
{
    const struct dbc_row *row;
    for (row = dbc_txn_first(v->txn, table); row; row = dbc_txn_next(v->txn, row)) {
        for (size_t i = 0; i < n; i++) {
            clear(v, row, columns[i]);
        }
    }
}

static void delete_all(struct vsctl *v, const struct dbc_table *table)
{
    const struct dbc_row *row, *next;
    for (row = dbc_txn_first(v->txn, table); row; row = next) {
        next = dbc_txn_next(v->txn, row);
        dbc_txn_delete(v->txn, row);
    }
}

/* Of a bridge's other_config only the address survives. */
static void keep_hwaddr(struct vsctl *v, const struct dbc_row *bridge)
{
    const struct datum *d = dbc_txn_get(v->txn, bridge, &db_bridge_col_other_config);
    struct smap kept = SMAP_INIT;
    for (size_t i = 0; i < d->n; i++) {
        if (!strcmp(atom_string(datum_key(d, i)), "hwaddr")) {
            smap_set(&kept, "hwaddr", atom_string(datum_value(d, i)));
        }
    }
    db_bridge_set_other_config(v->txn, db_bridge_cast(bridge), &kept);
    smap_fini(&kept);
}

struct error *vsctl_run_emer_reset(struct vsctl *v, struct vsctl_command *c)
{
    static const struct dbc_column *const switch_columns[] = {
        &db_open_vswitch_col_manager_options, &db_open_vswitch_col_ssl,
    };
    static const struct dbc_column *const bridge_columns[] = {
        &db_bridge_col_controller, &db_bridge_col_fail_mode, &db_bridge_col_mirrors,
        &db_bridge_col_netflow,    &db_bridge_col_sflow,     &db_bridge_col_ipfix,
    };
    static const struct dbc_column *const port_columns[] = { &db_port_col_other_config };
    static const struct dbc_column *const interface_columns[] = {
        &db_interface_col_ingress_policing_rate,
        &db_interface_col_ingress_policing_burst,
        &db_interface_col_ingress_policing_kpkts_rate,
        &db_interface_col_ingress_policing_kpkts_burst,
    };
    static const struct dbc_table *const tables[] = {
        &db_mirror_table, &db_controller_table, &db_manager_table, &db_netflow_table,
        &db_ssl_table,    &db_sflow_table,      &db_ipfix_table,   &db_flow_sample_collector_set_table,
    };
    clear_all(v, &db_open_vswitch_table, switch_columns, ARRAY_SIZE(switch_columns));
    clear_all(v, &db_bridge_table, bridge_columns, ARRAY_SIZE(bridge_columns));
    clear_all(v, &db_port_table, port_columns, ARRAY_SIZE(port_columns));
    clear_all(v, &db_interface_table, interface_columns, ARRAY_SIZE(interface_columns));
    const struct dbc_row *row;
    for (row = dbc_txn_first(v->txn, &db_bridge_table); row; row = dbc_txn_next(v->txn, row)) {
        keep_hwaddr(v, row);
    }
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        delete_all(v, tables[i]);
    }
    return NULL;
}
