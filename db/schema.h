/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas: <database-schema>, <table-schema>, <column-schema> of RFC 7047 section 3.2.
 *
 * A schema is made from JSON, checked completely, and never changes afterwards. Each table has the columns
 * "_uuid" and "_version" first. */
#ifndef DB_SCHEMA_H
#define DB_SCHEMA_H

#include <jansson.h>

#include "db/type.h"
#include "lib/base/types.h"

struct db_error;
struct error;

enum { COLUMN_UUID, COLUMN_VERSION, N_STANDARD_COLUMNS };

struct column_schema {
    char *name;
    uint32_t index;            /* In its table's 'columns'. */
    struct column_type type;
    bool mutable, ephemeral;
    struct table_schema *key_ref, *value_ref;   /* Of references, strong or weak. */
    struct datum *initial;     /* The type's default, shared by all rows that have it. */
};

struct index_schema {
    uint32_t n_columns;
    uint32_t *columns;
};

struct table_schema {
    char *name;
    uint32_t index;            /* In its schema's 'tables'. */
    uint32_t n_columns;
    struct column_schema *columns;
    bool is_root;
    uint32_t max_rows;         /* DB_UNLIMITED: no limit. */
    uint32_t n_indexes;
    struct index_schema *indexes;
    bool has_strong, has_weak; /* Any column with such references. */
};

struct schema {
    char *name, *version;
    char *cksum;               /* NULL if it has none. */
    uint32_t n_tables;
    struct table_schema *tables;   /* Sorted by name. */
    char *json;                /* As it was given, compact. */
};

struct db_error *schema_from_json(struct schema **, const json_t *);
/* From text or a file; errors name the place. */
struct error *schema_from_text(struct schema **, const char *text);
struct error *schema_from_file(struct schema **, const char *path);
void schema_destroy(struct schema *);

struct table_schema *schema_table(const struct schema *, const char *name);       /* NULL if none. */
struct column_schema *table_schema_column(const struct table_schema *, const char *name);
/* x.y.z of decimal numbers. */
bool schema_version_is_valid(const char *);

#endif
