/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of a cluster: which of them the client should talk to, by the server's database "_Server"
 * (table Database: one row for each database, with its model and the member's place in the cluster). */
#include <errno.h>

#include "db/client_private.h"
#include "lib/base/error.h"
#include "lib/base/text.h"

json_t *dbc_cluster_request(void)
{
    return json_pack("[s,s,{s:[{s:[s,s,s,s]}]}]", "_Server", DBC_CLUSTER_MONITOR, "Database", "columns",
                     "name", "model", "connected", "leader");
}

/* The row about 'database', as it is after the update; NULL if the update is not about it. */
static const json_t *find_row(const json_t *updates, const char *database)
{
    const char *uuid;
    json_t *update;
    json_object_foreach(json_object_get(updates, "Database"), uuid, update) {
        const json_t *row = json_object_get(update, "new");
        const char *name = json_string_value(json_object_get(row, "name"));
        if (name && !strcmp(name, database)) {
            return row;
        }
    }
    return NULL;
}

struct error *dbc_cluster_check(const json_t *updates, const char *database, bool needs_leader)
{
    const json_t *row = find_row(updates, database);
    const char *model = json_string_value(json_object_get(row, "model"));
    if (!model || strcmp(model, "clustered")) {
        return NULL;   /* The only one there is. */
    }
    if (!json_is_true(json_object_get(row, "connected"))) {
        return error_new(EHOSTUNREACH, "this server has lost its cluster");
    }
    if (needs_leader && !json_is_true(json_object_get(row, "leader"))) {
        return error_new(EAGAIN, "this server is not the leader of its cluster");
    }
    return NULL;
}
