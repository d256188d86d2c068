/* SPDX-License-Identifier: Apache-2.0 */
/* What users of a client read: rows, and which of them changed. */
#include "db/client_private.h"
#include "lib/base/hash.h"

void db_client_monitor_column(struct db_client *c, const struct dbc_column *column)
{
    struct dbc_table_state *t = dbc_replica_table(&c->replica, column->table);
    t->is_monitored = true;
    t->monitored |= UINT64_C(1) << column->index;
}

void db_client_monitor(struct db_client *c, const struct dbc_table *table)
{
    dbc_replica_table(&c->replica, table)->is_monitored = true;
    for (unsigned i = 0; i < table->n_columns; i++) {
        db_client_monitor_column(c, &table->columns[i]);
    }
}

void db_client_quiet(struct db_client *c, const struct dbc_column *column)
{
    dbc_replica_table(&c->replica, column->table)->quiet |= UINT64_C(1) << column->index;
}

bool db_client_has_table(const struct db_client *c, const struct dbc_table *table)
{
    return dbc_replica_table(&c->replica, table)->is_present;
}

bool db_client_has_column(const struct db_client *c, const struct dbc_column *column)
{
    return dbc_replica_table(&c->replica, column->table)->present & UINT64_C(1) << column->index;
}

uint64_t db_client_seqno(const struct db_client *c)
{
    return c->replica.seqno;
}

uint64_t db_client_table_seqno(const struct db_client *c, const struct dbc_table *table)
{
    return dbc_replica_table(&c->replica, table)->seqno;
}

static const struct dbc_row *changed_at(const struct list *changed, const struct list *at)
{
    return at == changed ? NULL : LIST_ENTRY(at, const struct dbc_row, in_changed);
}

const struct dbc_row *db_client_changed_first(const struct db_client *c,
                                              const struct dbc_table *table)
{
    const struct list *changed = &dbc_replica_table(&c->replica, table)->changed;
    return changed_at(changed, changed->next);
}

const struct dbc_row *db_client_changed_next(const struct db_client *c, const struct dbc_row *row)
{
    return changed_at(&dbc_replica_table(&c->replica, row->table)->changed, row->in_changed.next);
}

bool dbc_row_changed(const struct dbc_row *row, const struct dbc_column *column)
{
    return row->is_new || (row->changed_columns & UINT64_C(1) << column->index);
}

void db_client_track_clear(struct db_client *c)
{
    dbc_replica_track_clear(&c->replica);
}

size_t db_client_n_rows(const struct db_client *c, const struct dbc_table *table)
{
    return hmap_count(&dbc_replica_table(&c->replica, table)->rows);
}

static const struct dbc_row *row_of_node(const struct hmap_node *node)
{
    return node ? CONTAINER_OF(node, const struct dbc_row, by_uuid) : NULL;
}

const struct dbc_row *db_client_first(const struct db_client *c, const struct dbc_table *table)
{
    return row_of_node(hmap_first(&dbc_replica_table(&c->replica, table)->rows));
}

const struct dbc_row *db_client_next(const struct db_client *c, const struct dbc_row *row)
{
    return row_of_node(hmap_next(&dbc_replica_table(&c->replica, row->table)->rows, &row->by_uuid));
}

const struct dbc_row *db_client_get(const struct db_client *c, const struct dbc_table *table,
                                    const struct uuid *uuid)
{
    return dbc_replica_get(&c->replica, table, uuid);
}

const struct dbc_row *db_client_find(const struct db_client *c, const struct dbc_table *table,
                                     const char *key)
{
    const struct dbc_column *column = table->index_column;
    if (!column) {
        return NULL;
    }
    const struct dbc_row *row;
    HMAP_FOR_EACH_WITH_HASH (row, by_index, hash_string(key, 0),
                             &dbc_replica_table(&c->replica, table)->by_index) {
        const struct datum *d = dbc_row_get(row, column);
        if (!strcmp(d->n ? atom_string(datum_key(d, 0)) : "", key)) {
            return row;
        }
    }
    return NULL;
}

const struct datum *dbc_row_get(const struct dbc_row *row, const struct dbc_column *column)
{
    return row->data[column->index];
}
