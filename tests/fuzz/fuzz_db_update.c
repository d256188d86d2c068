/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: what a server tells a database client about rows. A document in the input is an array of updates,
 * each [form, is_dump, <table-updates>]; after each, wrong or not, the replica must be sound. */
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/sys/log.h"
#include "spec/db.h"
#include "tests/unit/db/replica_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void watch_everything(struct dbc_replica *r)
{
    for (unsigned i = 0; i < r->schema->n_tables; i++) {
        struct dbc_table_state *t = &r->tables[i];
        t->is_monitored = t->is_present = true;
        t->monitored = t->present = UINT64_MAX;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_quiet;
    if (!is_quiet) {
        is_quiet = true;
        error_free(log_set_from_word("off"));
    }
    json_t *json = json_loadb((const char *) data, size, 0, NULL);
    struct dbc_replica r;
    dbc_replica_init(&r, &db_schema);
    watch_everything(&r);
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *update = json_array_get(json, i);
        enum dbc_update_version version =
            json_integer_value(json_array_get(update, 0)) == 1 ? DBC_UPDATE : DBC_UPDATE2;
        error_free(dbc_replica_update(&r, version, json_array_get(update, 2),
                                      json_is_true(json_array_get(update, 1))));
        if (replica_check(&r)) {
            abort();
        }
        if (i % 3 == 2) {
            dbc_replica_track_clear(&r);
        }
    }
    dbc_replica_fini(&r);
    json_decref(json);
    return 0;
}
