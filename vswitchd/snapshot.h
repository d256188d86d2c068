/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot: the configuration as the database had it at one moment, as plain structs.
 *
 * What: snapshot_take() reads the replica's rows into structs that hold no pointer to rows, with every value parsed and checked.
 * What is wrong with a row is kept with its struct as text: 'error' when the object cannot be made as asked, 'warning' when
 * something in it is unknown or out of range and was left at its default.
 *
 * The life of a setting: snapshot -> plan (plan.h) -> apply (apply.h) -> status (status.h). */
#ifndef VSWITCHD_SNAPSHOT_H
#define VSWITCHD_SNAPSHOT_H

#include "datapath/client.h"
#include "lib/base/uuid.h"
#include "ofproto/ofproto.h"

struct db_client;

struct interface_snapshot {
    struct uuid uuid;
    char *name, *type;              /* Type as the row has it, "" for system. */
    enum of_port_kind kind;
    bool is_local;                  /* The bridge's own port. */
    struct dp_port_config dp;       /* Of the device, or of the tunnel's carrier; not for patch ports. */
    struct tunnel_settings tunnel;
    char *peer;
    ofp_port request;
    char *error;                    /* NULL: it can be made. */
    char *warning;                  /* NULL: nothing to remark. */
};

struct port_snapshot {
    struct uuid uuid;
    char *name;
    struct port_settings settings;
    struct interface_snapshot *interfaces;
    size_t n_interfaces;
    char *warning;
};

struct bridge_snapshot {
    struct uuid uuid;
    char *name;
    struct bridge_settings settings;
    struct port_snapshot *ports;
    size_t n_ports;
    struct controller_settings *controllers;
    struct uuid *controller_uuids;
    size_t n_controllers;
    char *error, *warning;
};

struct snapshot {
    bool exists;                    /* There is a row in Open_vSwitch. */
    int64_t next_cfg;
    struct dp_config dp;
    struct ofproto_settings ofproto;
    bool flow_restore_wait;
    int stats_interval_ms;
    struct bridge_snapshot *bridges;
    size_t n_bridges;
    char *warning;
};

struct snapshot *snapshot_take(struct db_client *);
void snapshot_free(struct snapshot *);

/* keys.c: checks a map against spec/keys.toml; appends to '*warning' (allocated text, NULL if none) a sentence for each
 * unknown key (naming the nearest known) and each bad value. 'type' selects keys of Interface.options, else NULL. */
struct smap;
void keys_check(const char *table, const char *column, const char *type, const struct smap *, char **warning);
/* The value of a bool or int key as checked: out of range or absent is the default of spec/keys.toml. */
bool keys_bool(const char *table, const char *column, const struct smap *, const char *name);
int64_t keys_int(const char *table, const char *column, const struct smap *, const char *name);
const char *keys_string(const char *table, const char *column, const struct smap *, const char *name);   /* Or NULL. */

#endif
