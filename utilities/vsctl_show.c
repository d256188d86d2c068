/* SPDX-License-Identifier: Apache-2.0 */
/* "show": the switch, its managers, bridges, ports and interfaces, as a tree. */
#include <stdlib.h>

#include "lib/base/error.h"
#include "utilities/vsctl.h"

/* Which columns of a table are shown; a column that refers to one of these tables is shown as a branch. */
static const struct shown {
    const struct dbc_table *table;
    const struct dbc_column *name;   /* NULL: the UUID. */
    const struct dbc_column *columns[5];
    const struct dbc_column *status;   /* Where "config_warning" may be, NULL: nowhere. */
} shown_tables[] = {
    { &db_open_vswitch_table, NULL,
      { &db_open_vswitch_col_manager_options, &db_open_vswitch_col_bridges,
        &db_open_vswitch_col_ovs_version } },
    { &db_bridge_table, &db_bridge_col_name,
      { &db_bridge_col_controller, &db_bridge_col_fail_mode, &db_bridge_col_datapath_type,
        &db_bridge_col_ports },
      &db_bridge_col_status },
    { &db_port_table, &db_port_col_name,
      { &db_port_col_tag, &db_port_col_trunks, &db_port_col_interfaces },
      &db_port_col_status },
    { &db_interface_table, &db_interface_col_name,
      { &db_interface_col_type, &db_interface_col_options, &db_interface_col_error },
      &db_interface_col_status },
    { &db_controller_table, &db_controller_col_target, { &db_controller_col_is_connected } },
    { &db_manager_table, &db_manager_col_target, { &db_manager_col_is_connected } },
};

struct error *vsctl_watch_show(struct vsctl *v, struct vsctl_command *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(shown_tables); i++) {
        const struct shown *s = &shown_tables[i];
        if (s->name) {
            db_client_monitor_column(v->client, s->name);
        }
        if (s->status) {
            db_client_monitor_column(v->client, s->status);
        }
        for (size_t j = 0; j < ARRAY_SIZE(s->columns) && s->columns[j]; j++) {
            db_client_monitor_column(v->client, s->columns[j]);
        }
    }
    return NULL;
}

static const struct shown *how_to_show(const struct dbc_table *table)
{
    for (size_t i = 0; i < ARRAY_SIZE(shown_tables); i++) {
        if (shown_tables[i].table == table) {
            return &shown_tables[i];
        }
    }
    return NULL;
}

/* What the switch did not like about the configuration of a row. */
static void show_warning(struct vsctl *v, const struct dbc_row *row, const struct dbc_column *status,
                         int level, struct text *out)
{
    const struct datum *d = dbc_txn_get(v->txn, row, status);
    for (size_t i = 0; i < d->n; i++) {
        if (!strcmp(atom_string(datum_key(d, i)), "config_warning")) {
            text_printf(out, "%*sconfig_warning: ", 4 * level, "");
            vsctl_put_atom(out, datum_value(d, i), ATOM_STRING);
            text_put_char(out, '\n');
        }
    }
}

static void show_row(struct vsctl *v, const struct dbc_row *row, int level, struct text *out)
{
    const struct shown *s = how_to_show(row->table);
    text_printf(out, "%*s", 4 * level, "");
    if (s->name) {
        text_printf(out, "%s ", row->table->name);
        vsctl_put_datum(out, dbc_txn_get(v->txn, row, s->name), &s->name->type);
    } else {
        text_printf(out, UUID_FMT, UUID_ARGS(&row->uuid));
    }
    text_put_char(out, '\n');
    for (size_t i = 0; i < ARRAY_SIZE(s->columns) && s->columns[i]; i++) {
        const struct dbc_column *c = s->columns[i];
        const struct datum *d = dbc_txn_get(v->txn, row, c);
        if (c->key_ref && how_to_show(c->key_ref)) {
            for (size_t j = 0; j < d->n; j++) {
                const struct dbc_row *branch = vsctl_ref(v, row, c, j);
                if (branch) {
                    show_row(v, branch, level + 1, out);
                }
            }
        } else if (!datum_is_default(d, &c->type)) {
            text_printf(out, "%*s%s: ", 4 * (level + 1), "", c->name);
            vsctl_put_datum(out, d, &c->type);
            text_put_char(out, '\n');
        }
    }
    if (s->status) {
        show_warning(v, row, s->status, level + 1, out);
    }
}

struct error *vsctl_run_show(struct vsctl *v, struct vsctl_command *c)
{
    const struct dbc_row *row;
    for (row = dbc_txn_first(v->txn, &db_open_vswitch_table); row; row = dbc_txn_next(v->txn, row)) {
        show_row(v, row, 0, &c->output);
    }
    return NULL;
}
