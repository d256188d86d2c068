/* SPDX-License-Identifier: Apache-2.0 */
/* The database "_Server", which tells clients what databases there are (ovsdb-server(5)). */
#include <assert.h>
#include <stdlib.h>

#include "db/server_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"

static const char server_schema[] =
    "{\"name\":\"_Server\",\"version\":\"1.2.0\",\"tables\":{\"Database\":{\"columns\":{"
    "\"name\":{\"type\":\"string\"},"
    "\"model\":{\"type\":{\"key\":{\"type\":\"string\","
    "\"enum\":[\"set\",[\"standalone\",\"clustered\",\"relay\"]]}}},"
    "\"connected\":{\"type\":\"boolean\"},"
    "\"leader\":{\"type\":\"boolean\"},"
    "\"schema\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}},"
    "\"cid\":{\"type\":{\"key\":\"uuid\",\"min\":0,\"max\":1}},"
    "\"sid\":{\"type\":{\"key\":\"uuid\",\"min\":0,\"max\":1}},"
    "\"index\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":1}}}}}}";

struct served_db *db_server_db_create(struct db_server *s)
{
    struct schema *schema;
    struct error *e = schema_from_text(&schema, server_schema);
    if (e) {
        abort();   /* The text above is wrong. */
    }
    struct served_db *db = xzalloc(sizeof *db);
    db->server = s;
    db->name = schema->name;
    db->store = store_create_in_memory(schema);
    db->read_only = true;
    list_init(&db->waiting);
    monitor_set_init(&db->monitors, db->store->db, db_session_send_update);
    return db;
}

static void set(struct db_txn *txn, struct db_row *row, const char *column, struct datum *d)
{
    db_txn_set(txn, row, table_schema_column(row->table->schema, column)->index, d);
}

void db_server_db_add(struct db_server *s, const struct served_db *db)
{
    struct database *own = s->server_db->store->db;
    struct db_table *t = database_table(own, "Database");
    struct db_txn *txn = db_txn_begin(own);
    struct uuid uuid = uuid_random();
    struct db_row *row = db_txn_insert(txn, t, &uuid);
    set(txn, row, "name", datum_of_string(db->name));
    set(txn, row, "model", datum_of_string("standalone"));
    set(txn, row, "connected", datum_of_boolean(true));
    set(txn, row, "leader", datum_of_boolean(true));
    set(txn, row, "schema", datum_of_string(db->store->db->schema->json));
    served_db_commit_own(s->server_db, txn);
}

void db_server_db_remove(struct db_server *s, const struct served_db *db)
{
    struct database *own = s->server_db->store->db;
    struct db_table *t = database_table(own, "Database");
    uint32_t name = table_schema_column(t->schema, "name")->index;
    struct db_txn *txn = db_txn_begin(own);
    struct db_row *row;
    DB_TABLE_FOR_EACH (row, t) {
        if (!strcmp(atom_string(&row->columns[name]->atoms[0]), db->name)) {
            db_txn_delete(txn, row);
        }
    }
    served_db_commit_own(s->server_db, txn);
}
