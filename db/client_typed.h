/* SPDX-License-Identifier: Apache-2.0 */
/* What the generated functions of "spec/db.h" are made of: C values to data, and rows' members from
 * data.
 *
 * 'ref' stands for a UUID that refers to a row; a NULL row is no element. Arrays may hold the same
 * value twice. Everything is copied. */
#ifndef DB_CLIENT_TYPED_H
#define DB_CLIENT_TYPED_H

#include "db/client.h"

void db_write_nothing(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *);
void db_write_integer(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, int64_t);
void db_write_real(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, double);
void db_write_boolean(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, bool);
void db_write_string(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                     const char *);
void db_write_uuid(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                   const struct uuid *);
void db_write_ref(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                  const struct dbc_row *);

void db_write_integers(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                       const int64_t *, size_t n);
void db_write_reals(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                    const double *, size_t n);
void db_write_booleans(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                       const bool *, size_t n);
void db_write_strings(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                      const char *const *, size_t n);
void db_write_uuids(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                    const struct uuid *, size_t n);
void db_write_refs(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                   const struct dbc_row *const *, size_t n);
void db_write_smap(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                   const struct smap *);
/* 'keys' and 'values' are arrays of the C types of the column; of a key that is there twice the
 * last counts. */
void db_write_map(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                  const void *keys, const void *values, size_t n);

void db_add_integer(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, int64_t);
void db_add_real(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, double);
void db_add_boolean(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, bool);
void db_add_string(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                   const char *);
void db_add_uuid(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                 const struct uuid *);
void db_add_ref(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                const struct dbc_row *);
void db_put_string(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                   const char *key, const char *value);
/* 'key' and 'value' point to the C types of the column. */
void db_put(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, const void *key,
            const void *value);

void db_remove_integer(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                       int64_t);
void db_remove_real(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, double);
void db_remove_boolean(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *, bool);
void db_remove_string(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                      const char *);
void db_remove_uuid(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                    const struct uuid *);
void db_remove_ref(struct dbc_txn *, const struct dbc_row *, const struct dbc_column *,
                   const struct dbc_row *);

/* --- Members, for the replica --- */

/* A row of zeros gets its defaults. */
void dbc_row_init_members(struct dbc_row *);
void dbc_row_fini_members(struct dbc_row *);
/* Makes the member of a column again from row->data. 'lookup' finds the rows that references mean,
 * and may say NULL: then the row is marked as dangling. Counts the referrers of the rows that it
 * points to. */
void dbc_row_fill_member(struct dbc_row *, const struct dbc_column *,
                         struct dbc_row *(*lookup)(const struct dbc_table *, const struct uuid *,
                                                   void *aux),
                         void *aux);
/* Takes the row's pointers out of the counts of the rows that it points to; the members keep them.
 */
void dbc_row_release_references(struct dbc_row *);

#endif
