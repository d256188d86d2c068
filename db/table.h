/* SPDX-License-Identifier: Apache-2.0 */
/* The database in memory: tables of rows, with indexes and reference counts.
 *
 * What: a row's identity (struct db_row) stays, its columns are replaced as a whole by transactions
 * (db/txn.h), which alone write here. Columns that have their default share one datum.
 *
 * Threads: all of it belongs to one thread. */
#ifndef DB_TABLE_H
#define DB_TABLE_H

#include "db/datum.h"
#include "db/schema.h"
#include "lib/base/hmap.h"
#include "lib/base/types.h"
#include "lib/base/uuid.h"

struct db_change;
struct db_row;
struct db_txn;

/* A weak reference from 'source' to the row in whose 'weak_in' list it is. */
struct weak_link {
    struct weak_link *next_in, **prev_in;
    struct weak_link *next_out;
    struct db_row *source;
};

struct db_row {
    struct hmap_node node;         /* In its table's 'rows', by UUID. */
    struct uuid uuid;
    struct db_table *table;
    struct datum **columns;        /* n_columns of them. */
    struct db_change *change;      /* Of the open transaction; NULL if that did not change it. */
    struct weak_link *weak_in;     /* Weak references to it, in committed state. */
    struct weak_link *weak_out;    /* Its own. */
    uint32_t n_refs;               /* Strong references to it from other rows, in committed state. */
    bool deleted;                  /* By the open transaction. */
    bool refs_saved;               /* The open transaction has saved 'n_refs'. */
    struct hmap_node indexes[];    /* One for each index of the table. */
};

struct db_table {
    const struct table_schema *schema;
    struct database *db;
    struct hmap rows;
    struct hmap *indexes;          /* By the hash of the indexed columns, in committed state. */
    uint32_t n_deleted;            /* Rows in 'rows' that the open transaction deleted. */
};

struct database {
    struct schema *schema;
    struct db_table *tables;       /* In the schema's order. */
    struct db_txn *txn;            /* The open one, or NULL. */
};

/* Takes 'schema'. */
struct database *database_create(struct schema *);
void database_destroy(struct database *);
struct db_table *database_table(const struct database *, const char *name);   /* NULL if none. */
size_t database_count_rows(const struct database *);
size_t database_count_atoms(const struct database *);

/* The row, also seen from inside the open transaction; NULL if there is none. */
struct db_row *db_table_row(const struct db_table *, const struct uuid *);
/* The same with rows that the open transaction deleted. */
struct db_row *db_table_row_any(const struct db_table *, const struct uuid *);
static inline size_t db_table_count(const struct db_table *t) { return t->rows.n - t->n_deleted; }

static inline struct db_table *db_table_ref(const struct db_table *t, const struct table_schema *to)
{
    return to ? &t->db->tables[to->index] : NULL;
}

/* Visits the rows that exist, in no order. The current row may be changed or deleted by the body. */
#define DB_TABLE_FOR_EACH(row, t)                                                                \
    HMAP_FOR_EACH (row, node, &(t)->rows)                                                        \
        if (!(row)->deleted)

uint32_t db_index_hash(const struct db_table *, const struct index_schema *, struct datum *const *);
bool db_index_equal(const struct db_table *, const struct index_schema *, struct datum *const *,
                    struct datum *const *);

/* For db/txn.c. */
struct db_row *db_row_alloc(struct db_table *, const struct uuid *);
void db_row_free(struct db_row *);   /* Not its links. */
struct datum **db_columns_copy(const struct db_table *, struct datum *const *);
void db_columns_free(const struct db_table *, struct datum **);   /* NULL is fine. */
/* Drops the row's weak links and, if 'make', makes those of its present columns. */
void db_row_relink(struct db_row *, bool make);

#endif
