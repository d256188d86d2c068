/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about datapaths and their connection tracking zones. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "utilities/vsctl.h"

struct error *vsctl_watch_zones(struct vsctl *v, struct vsctl_command *c)
{
    db_client_monitor_column(v->client, &db_open_vswitch_col_datapaths);
    db_client_monitor(v->client, &db_datapath_table);
    db_client_monitor(v->client, &db_ct_zone_table);
    db_client_monitor(v->client, &db_ct_timeout_policy_table);
    return NULL;
}

static struct error *find_datapath(struct vsctl *v, const char *name, const struct db_datapath **dp)
{
    const struct datum *d = dbc_txn_get(v->txn, &v->ovs->row, &db_open_vswitch_col_datapaths);
    for (size_t i = 0; i < d->n; i++) {
        if (!strcmp(atom_string(datum_key(d, i)), name)) {
            *dp = db_datapath_cast(vsctl_ref(v, &v->ovs->row, &db_open_vswitch_col_datapaths, i));
            if (*dp) {
                return NULL;
            }
        }
    }
    return error_new(ENOENT, "datapath %s does not exist", name);
}

static struct error *parse_zone(const char *s, uint64_t *zone)
{
    return !strncmp(s, "zone=", 5) && parse_uint(s + 5, 0, 65535, zone)
               ? NULL : error_new(EINVAL, "%s: a zone is written zone=NUMBER, with 0 to 65535", s);
}

static const struct db_ct_zone *find_zone(struct vsctl *v, const struct db_datapath *dp, uint64_t number)
{
    const struct datum *d = dbc_txn_get(v->txn, &dp->row, &db_datapath_col_ct_zones);
    union atom key = { .integer = number };
    size_t i = datum_find_key(d, &key, ATOM_INTEGER);
    return i == SIZE_MAX ? NULL
                         : db_ct_zone_cast(vsctl_ref(v, &dp->row, &db_datapath_col_ct_zones, i));
}

static const struct db_ct_zone *find_or_add_zone(struct vsctl *v, const struct db_datapath *dp,
                                                 uint64_t number)
{
    const struct db_ct_zone *zone = find_zone(v, dp, number);
    if (!zone) {
        zone = db_ct_zone_insert(v->txn);
        db_datapath_put_ct_zones(v->txn, dp, number, zone);
    }
    return zone;
}

/* A zone without settings goes. */
static void drop_empty_zone(struct vsctl *v, const struct db_datapath *dp, const struct db_ct_zone *zone,
                            uint64_t number)
{
    if (!vsctl_count(v, &zone->row, &db_ct_zone_col_timeout_policy) &&
        !vsctl_count(v, &zone->row, &db_ct_zone_col_limit)) {
        db_datapath_remove_ct_zones(v->txn, dp, number);
        db_ct_zone_delete(v->txn, zone);
    }
}

/* Timeouts --------------------------------------------------------------------------------------- */

struct error *vsctl_run_add_zone_tp(struct vsctl *v, struct vsctl_command *c)
{
    const struct db_datapath *dp;
    uint64_t number;
    struct error *e = find_datapath(v, c->argv[1], &dp);
    if (e || (e = parse_zone(c->argv[2], &number))) {
        return e;
    }
    if (c->argc < 4) {
        return error_new(EINVAL, "No timeout policy");
    }
    const struct db_ct_zone *zone = find_zone(v, dp, number);
    if (zone && vsctl_count(v, &zone->row, &db_ct_zone_col_timeout_policy) &&
        !vsctl_has_option(c, "--may-exist")) {
        return error_new(EEXIST, "zone id %u already exists", (unsigned) number);
    }
    zone = find_or_add_zone(v, dp, number);
    const struct db_ct_timeout_policy *policy = db_ct_timeout_policy_insert(v->txn);
    const struct dbc_column *column = &db_ct_timeout_policy_col_timeouts;
    for (int i = 3; i < c->argc && !e; i++) {
        struct datum *d;
        e = vsctl_datum_from_text(v, vsctl_type(v, column), c->argv[i], &d);
        if (!e) {
            dbc_txn_add(v->txn, &policy->row, column, d);
        }
    }
    db_ct_zone_set_timeout_policy(v->txn, zone, policy);
    return e;
}

struct error *vsctl_run_del_zone_tp(struct vsctl *v, struct vsctl_command *c)
{
    const struct db_datapath *dp;
    uint64_t number;
    struct error *e = find_datapath(v, c->argv[1], &dp);
    if (e || (e = parse_zone(c->argv[2], &number))) {
        return e;
    }
    const struct db_ct_zone *zone = find_zone(v, dp, number);
    if (!zone || !vsctl_count(v, &zone->row, &db_ct_zone_col_timeout_policy)) {
        return vsctl_has_option(c, "--if-exists")
                   ? NULL : error_new(ENOENT, "zone id %u does not exist", (unsigned) number);
    }
    db_ct_zone_set_timeout_policy(v->txn, zone, NULL);
    drop_empty_zone(v, dp, zone, number);
    return NULL;
}

struct error *vsctl_run_list_zone_tp(struct vsctl *v, struct vsctl_command *c)
{
    const struct db_datapath *dp;
    struct error *e = find_datapath(v, c->argv[1], &dp);
    if (e) {
        return e;
    }
    const struct dbc_column *column = &db_datapath_col_ct_zones;
    const struct datum *zones = dbc_txn_get(v->txn, &dp->row, column);
    for (size_t i = 0; i < zones->n; i++) {
        const struct dbc_row *zone = vsctl_ref(v, &dp->row, column, i);
        const struct dbc_row *policy =
            zone ? vsctl_ref(v, zone, &db_ct_zone_col_timeout_policy, 0) : NULL;
        if (!policy) {
            continue;
        }
        text_printf(&c->output, "Zone:%lld, Timeout Policies:",
                    (long long) datum_key(zones, i)->integer);
        const struct datum *d = dbc_txn_get(v->txn, policy, &db_ct_timeout_policy_col_timeouts);
        for (size_t j = 0; j < d->n; j++) {
            text_printf(&c->output, " %s=%lld", atom_string(datum_key(d, j)),
                        (long long) datum_value(d, j)->integer);
        }
        text_put_char(&c->output, '\n');
    }
    return NULL;
}

/* Limits ----------------------------------------------------------------------------------------- */

struct error *vsctl_run_set_zone_limit(struct vsctl *v, struct vsctl_command *c)
{
    const struct db_datapath *dp;
    uint64_t number, limit;
    struct error *e = find_datapath(v, c->argv[1], &dp);
    if (e) {
        return e;
    }
    if (!parse_uint(c->argv[3], 0, UINT32_MAX, &limit)) {
        return error_new(EINVAL, "%s: a limit is 0 to 4294967295", c->argv[3]);
    }
    if (!strcmp(c->argv[2], "default")) {
        db_datapath_set_ct_zone_default_limit(v->txn, dp, limit);
    } else if (!(e = parse_zone(c->argv[2], &number))) {
        db_ct_zone_set_limit(v->txn, find_or_add_zone(v, dp, number), limit);
    }
    return e;
}

struct error *vsctl_run_del_zone_limit(struct vsctl *v, struct vsctl_command *c)
{
    const struct db_datapath *dp;
    uint64_t number;
    bool if_exists = vsctl_has_option(c, "--if-exists");
    struct error *e = find_datapath(v, c->argv[1], &dp);
    if (e) {
        return e;
    }
    if (!strcmp(c->argv[2], "default")) {
        if (!vsctl_count(v, &dp->row, &db_datapath_col_ct_zone_default_limit) && !if_exists) {
            return error_new(ENOENT, "datapath %s does not have a limit", c->argv[1]);
        }
        db_datapath_clear_ct_zone_default_limit(v->txn, dp);
        return NULL;
    }
    if ((e = parse_zone(c->argv[2], &number))) {
        return e;
    }
    const struct db_ct_zone *zone = find_zone(v, dp, number);
    if (!zone || !vsctl_count(v, &zone->row, &db_ct_zone_col_limit)) {
        return if_exists ? NULL
                         : error_new(ENOENT, "zone_id %u does not have a limit", (unsigned) number);
    }
    db_ct_zone_clear_limit(v->txn, zone);
    drop_empty_zone(v, dp, zone, number);
    return NULL;
}

struct error *vsctl_run_list_zone_limits(struct vsctl *v, struct vsctl_command *c)
{
    const struct db_datapath *dp;
    struct error *e = find_datapath(v, c->argv[1], &dp);
    if (e) {
        return e;
    }
    if (vsctl_count(v, &dp->row, &db_datapath_col_ct_zone_default_limit)) {
        text_printf(&c->output, "Default limit: %lld\n",
                    (long long) vsctl_integer(v, &dp->row, &db_datapath_col_ct_zone_default_limit, 0));
    }
    const struct dbc_column *column = &db_datapath_col_ct_zones;
    const struct datum *zones = dbc_txn_get(v->txn, &dp->row, column);
    for (size_t i = 0; i < zones->n; i++) {
        const struct dbc_row *zone = vsctl_ref(v, &dp->row, column, i);
        if (zone && vsctl_count(v, zone, &db_ct_zone_col_limit)) {
            text_printf(&c->output, "Zone: %lld, Limit: %lld\n",
                        (long long) datum_key(zones, i)->integer,
                        (long long) vsctl_integer(v, zone, &db_ct_zone_col_limit, 0));
        }
    }
    return NULL;
}

struct error *vsctl_run_list_dp_cap(struct vsctl *v, struct vsctl_command *c)
{
    const struct db_datapath *dp;
    struct error *e = find_datapath(v, c->argv[1], &dp);
    if (e) {
        return e;
    }
    const struct datum *d = dbc_txn_get(v->txn, &dp->row, &db_datapath_col_capabilities);
    for (size_t i = 0; i < d->n; i++) {
        text_printf(&c->output, "%s=%s ", atom_string(datum_key(d, i)), atom_string(datum_value(d, i)));
    }
    text_put_char(&c->output, '\n');
    return NULL;
}
