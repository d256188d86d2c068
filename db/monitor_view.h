/* SPDX-License-Identifier: Apache-2.0 */
/* Views: parsed monitor requests, and the texts of updates as they see them. For db/monitor.c. */
#ifndef DB_MONITOR_VIEW_H
#define DB_MONITOR_VIEW_H

#include "db/condition.h"
#include "db/monitor.h"
#include "db/txn.h"

enum { SELECT_INITIAL = 1, SELECT_INSERT = 2, SELECT_DELETE = 4, SELECT_MODIFY = 8, SELECT_ALL = 15 };

struct view_column {
    const struct column_schema *column;
    unsigned select;
};

struct view_table {
    const struct db_table *table;
    unsigned select;             /* Of any request for this table. */
    size_t n_columns;
    struct view_column *columns;
    struct condition where;      /* Any clause lets a row in; none: all rows. */
};

struct monitor_view {
    struct hmap_node node;       /* In its set's 'views', by 'key'. */
    char *key;
    enum monitor_version version;
    struct list monitors;
    size_t n_tables;
    struct view_table *tables;
    struct view_table **by_table;   /* For each table of the schema; NULL if it is not monitored. */
};

struct db_error *monitor_view_create(struct database *, enum monitor_version, const json_t *requests,
                                     struct monitor_view **);
void monitor_view_destroy(struct monitor_view *);

/* <table-updates> of all rows, of a transaction's changes (in the order of their tables; false, and nothing put,
 * if the view sees none), and of what another condition lets in and out. */
void monitor_view_put_initial(const struct monitor_view *, struct text *);
bool monitor_view_put_changes(const struct monitor_view *, struct db_change *const *changes, size_t n,
                              struct text *);
bool monitor_view_put_difference(const struct monitor_view *from, const struct monitor_view *to,
                                 struct text *);

#endif
