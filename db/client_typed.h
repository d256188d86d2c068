/* SPDX-License-Identifier: Apache-2.0 */
/* What the generated functions of "spec/db.h" are made of: C values to data, and rows' members from data.
 *
 * 'ref' stands for a UUID that refers to a row; a NULL row is no element. Arrays may hold the same value
 * twice. Everything is copied. */
#ifndef DB_CLIENT_TYPED_H
#define DB_CLIENT_TYPED_H

#include "db/client.h"

void db_write_nothing(struct db_txn *, const struct db_row *, const struct db_column *);
void db_write_integer(struct db_txn *, const struct db_row *, const struct db_column *, int64_t);
void db_write_real(struct db_txn *, const struct db_row *, const struct db_column *, double);
void db_write_boolean(struct db_txn *, const struct db_row *, const struct db_column *, bool);
void db_write_string(struct db_txn *, const struct db_row *, const struct db_column *, const char *);
void db_write_uuid(struct db_txn *, const struct db_row *, const struct db_column *, const struct uuid *);
void db_write_ref(struct db_txn *, const struct db_row *, const struct db_column *,
                  const struct db_row *);

void db_write_integers(struct db_txn *, const struct db_row *, const struct db_column *, const int64_t *,
                       size_t n);
void db_write_reals(struct db_txn *, const struct db_row *, const struct db_column *, const double *,
                    size_t n);
void db_write_booleans(struct db_txn *, const struct db_row *, const struct db_column *, const bool *,
                       size_t n);
void db_write_strings(struct db_txn *, const struct db_row *, const struct db_column *,
                      const char *const *, size_t n);
void db_write_uuids(struct db_txn *, const struct db_row *, const struct db_column *,
                    const struct uuid *, size_t n);
void db_write_refs(struct db_txn *, const struct db_row *, const struct db_column *,
                   const struct db_row *const *, size_t n);
void db_write_smap(struct db_txn *, const struct db_row *, const struct db_column *, const struct smap *);
/* 'keys' and 'values' are arrays of the C types of the column; of a key that is there twice the last counts. */
void db_write_map(struct db_txn *, const struct db_row *, const struct db_column *, const void *keys,
                  const void *values, size_t n);

void db_add_integer(struct db_txn *, const struct db_row *, const struct db_column *, int64_t);
void db_add_real(struct db_txn *, const struct db_row *, const struct db_column *, double);
void db_add_boolean(struct db_txn *, const struct db_row *, const struct db_column *, bool);
void db_add_string(struct db_txn *, const struct db_row *, const struct db_column *, const char *);
void db_add_uuid(struct db_txn *, const struct db_row *, const struct db_column *, const struct uuid *);
void db_add_ref(struct db_txn *, const struct db_row *, const struct db_column *, const struct db_row *);
void db_put_string(struct db_txn *, const struct db_row *, const struct db_column *, const char *key,
                   const char *value);
/* 'key' and 'value' point to the C types of the column. */
void db_put(struct db_txn *, const struct db_row *, const struct db_column *, const void *key,
            const void *value);

void db_remove_integer(struct db_txn *, const struct db_row *, const struct db_column *, int64_t);
void db_remove_real(struct db_txn *, const struct db_row *, const struct db_column *, double);
void db_remove_boolean(struct db_txn *, const struct db_row *, const struct db_column *, bool);
void db_remove_string(struct db_txn *, const struct db_row *, const struct db_column *, const char *);
void db_remove_uuid(struct db_txn *, const struct db_row *, const struct db_column *, const struct uuid *);
void db_remove_ref(struct db_txn *, const struct db_row *, const struct db_column *,
                   const struct db_row *);

/* --- Members, for the replica --- */

/* A row of zeros gets its defaults. */
void db_row_init_members(struct db_row *);
void db_row_fini_members(struct db_row *);
/* Makes the member of a column again from row->data. 'lookup' finds the rows that references mean, and may say
 * NULL: then the row is marked as dangling. Counts the referrers of the rows that it points to. */
void db_row_fill_member(struct db_row *, const struct db_column *,
                        struct db_row *(*lookup)(const struct db_table *, const struct uuid *, void *aux),
                        void *aux);
/* Takes the row's pointers out of the counts of the rows that it points to; the members keep them. */
void db_row_release_references(struct db_row *);

#endif
