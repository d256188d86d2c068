/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of any kind, one a line, on a database with every kind of reference, watched by monitors. What the
 * database holds afterwards must keep its invariants, and an undone transaction must leave no trace. */
#include <jansson.h>
#include <stdlib.h>

#include "db/error.h"
#include "db/execute.h"
#include "db/monitor.h"
#include "db/record.h"
#include "lib/base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "{\"name\":\"test\",\"tables\":{"
    "\"root\":{\"isRoot\":true,\"maxRows\":9,\"indexes\":[[\"name\"]],\"columns\":{"
    "\"name\":{\"type\":\"string\"},"
    "\"n\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":0,\"maxInteger\":100}}},"
    "\"x\":{\"type\":{\"key\":\"real\",\"min\":0,\"max\":3}},"
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"boolean\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"passing\":{\"type\":\"integer\",\"ephemeral\":true},"
    "\"leaves\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"leaf\"},\"min\":0,"
    "\"max\":\"unlimited\"}},"
    "\"by_number\":{\"type\":{\"key\":\"integer\",\"value\":{\"type\":\"uuid\",\"refTable\":\"leaf\"},"
    "\"min\":0,\"max\":\"unlimited\"}},"
    "\"likes\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"leaf\",\"refType\":\"weak\"},"
    "\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"leaf\":{\"columns\":{"
    "\"name\":{\"type\":\"string\"},"
    "\"next\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"leaf\"},\"min\":0,\"max\":1}},"
    "\"home\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"root\",\"refType\":\"weak\"},"
    "\"min\":0,\"max\":1}}}}}}";

static struct database *make(void)
{
    struct schema *schema;
    struct error *e = schema_from_text(&schema, schema_text);
    if (e) {
        abort();
    }
    return database_create(schema);
}

/* Every update is JSON. */
static void check_update(void *owner, const char *text, size_t n)
{
    json_t *j = json_loadb(text, n, 0, NULL);
    if (!j) {
        abort();
    }
    json_decref(j);
}

static void check_references(const struct database *db)
{
    for (uint32_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_table *t = &db->tables[i];
        struct db_row *row;
        DB_TABLE_FOR_EACH (row, t) {
            if (!t->schema->is_root && !row->n_refs) {
                abort();
            }
            for (uint32_t c = 0; c < t->schema->n_columns; c++) {
                const struct column_schema *column = &t->schema->columns[c];
                for (uint32_t k = 0; k < row->columns[c]->n; k++) {
                    const struct datum *d = row->columns[c];
                    if ((column->key_ref && !db_table_row(db_table_ref(t, column->key_ref),
                                                          &datum_key(d, k)->uuid)) ||
                        (column->value_ref && !db_table_row(db_table_ref(t, column->value_ref),
                                                            &datum_value(d, k)->uuid))) {
                        abort();
                    }
                }
            }
        }
    }
}

static void run_line(struct database *db, struct database *copy, struct monitor_set *set, const char *line,
                     size_t n)
{
    json_t *params = json_loadb(line, n, 0, NULL);
    if (!params || !json_is_array(params)) {
        json_decref(params);
        return;
    }
    struct execute_env env = { .elapsed_ms = n % 2 ? INT64_MAX : 0 };
    struct execute_outcome out;
    execute(db, params, &env, &out);
    if (out.result.len) {
        json_t *result = json_loadb(out.result.s, out.result.len, 0, NULL);
        if (!result) {
            abort();
        }
        json_decref(result);
    }
    check_references(db);
    if (out.txn && n % 3 == 0) {
        db_txn_undo(out.txn);
        check_references(db);
    } else if (out.txn) {
        struct text t = TEXT_INIT;
        monitor_set_publish(set, out.txn);
        if (record_put_txn(out.txn, 1, &t)) {
            json_t *record = json_loadb(t.s, t.len, 0, NULL);
            struct db_error *e = record ? record_apply(copy, record, RECORD_REPLAY) : NULL;
            if (!record || e) {
                abort();
            }
            json_decref(record);
        }
        text_fini(&t);
        db_txn_finish(out.txn);
        if (database_count_rows(db) != database_count_rows(copy)) {
            abort();
        }
    }
    text_fini(&out.result);
    json_decref(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct database *db = make(), *copy = make();
    struct monitor_set set;
    struct db_monitor *monitors[2];
    json_t *requests = json_pack("{s:{},s:{}}", "root", "leaf"), *id = json_string("m");
    monitor_set_init(&set, db, check_update);
    for (int i = 0; i < 2; i++) {
        struct db_error *e = db_monitor_create(&set, i ? MONITOR_V2 : MONITOR_V1, id, requests, NULL,
                                               &monitors[i]);
        if (e) {
            abort();
        }
    }
    const char *p = (const char *) data, *end = p + size;
    while (p < end) {
        const char *newline = memchr(p, '\n', end - p);
        size_t n = (newline ? newline : end) - p;
        run_line(db, copy, &set, p, n);
        p += n + 1;
    }
    for (int i = 0; i < 2; i++) {
        db_monitor_destroy(monitors[i]);
    }
    monitor_set_fini(&set);
    json_decref(id);
    json_decref(requests);
    database_destroy(copy);
    database_destroy(db);
    return 0;
}
