/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of distinct rows in some columns: the answer of "select", the operands of "wait". */
#ifndef DB_ROWSET_H
#define DB_ROWSET_H

#include <jansson.h>

#include "db/schema.h"
#include "lib/base/hmap.h"

struct db_error;
struct text;

struct column_list {
    size_t n;
    uint32_t *columns;
};

/* An array of column names without repetition. */
struct db_error *column_list_from_json(struct column_list *, const struct table_schema *, const json_t *);
void column_list_all(struct column_list *, const struct table_schema *);
void column_list_fini(struct column_list *);

struct rowset_row {
    struct hmap_node node;
    struct datum *data[];     /* In the order of 'columns'. */
};

/* Initialise with { .table = ..., .columns = ... }, the columns being lent. */
struct rowset {
    const struct table_schema *table;
    struct column_list columns;
    struct hmap map;          /* Made by the first row. */
    struct rowset_row **rows; /* In the order in which they came. */
    size_t n, allocated;
};

/* Keeps counted references to the row's data in the set's columns, unless they are in the set already. */
void rowset_add(struct rowset *, struct datum *const *columns);
void rowset_fini(struct rowset *);   /* Not the columns. */
bool rowset_equal(const struct rowset *, const struct rowset *);
void rowset_sort(struct rowset *, const struct column_list *by);   /* 'by' within the set's columns. */
void rowset_put_json(const struct rowset *, struct text *);

#endif
