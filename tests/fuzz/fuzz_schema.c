/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of any kind; those that are taken get a transaction that uses every table. */
#include <jansson.h>
#include <stdlib.h>

#include "db/error.h"
#include "db/execute.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *j = json_loadb((const char *) data, size, 0, NULL);
    struct schema *schema;
    struct db_error *e = j ? schema_from_json(&schema, j) : NULL;
    if (!j || e) {
        db_error_free(e);
        json_decref(j);
        return 0;
    }
    json_t *params = json_pack("[s]", schema->name);
    for (uint32_t i = 0; i < schema->n_tables && i < 8; i++) {
        json_array_append_new(params, json_pack("{s:s,s:s,s:{}}", "op", "insert", "table",
                                                schema->tables[i].name, "row"));
        json_array_append_new(params, json_pack("{s:s,s:s,s:[]}", "op", "select", "table",
                                                schema->tables[i].name, "where"));
    }
    struct database *db = database_create(schema);
    struct execute_env env = { .elapsed_ms = INT64_MAX };
    struct execute_outcome out;
    execute(db, params, &env, &out);
    if (out.txn) {
        db_txn_finish(out.txn);
    }
    text_fini(&out.result);
    database_destroy(db);
    json_decref(params);
    json_decref(j);
    return 0;
}
