/* SPDX-License-Identifier: Apache-2.0 */
/* Random transactions: invariants hold after each, and undo brings back exactly what was there. */
#include <stdlib.h>

#include "db/error.h"
#include "db/record.h"
#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "tests/unit/db/db_check.h"
#include "tests/unit/unit.h"

enum { MAX_TXNS = 4 };

/* A random row of the table, or a UUID of none. */
static struct uuid some_row(const struct db_table *t)
{
    size_t n = db_table_count(t), k = n ? rand() % (n + 1) : 0;
    struct db_row *row;
    DB_TABLE_FOR_EACH (row, t) {
        if (!k--) {
            return row->uuid;
        }
    }
    return (struct uuid) { { 1, 2, 3, rand() % 4 } };
}

static struct datum *random_refs(const struct db_table *to, const struct column_type *type, size_t max)
{
    size_t n = 0;
    struct datum *d = datum_alloc(max, type);
    for (size_t i = 0; i < max; i++) {
        struct uuid uuid = some_row(to);
        bool there = false;
        for (size_t k = 0; k < n; k++) {
            there |= uuid_equal(&d->atoms[k].uuid, &uuid);
        }
        if (!there && rand() % 3) {
            d->atoms[n++].uuid = uuid;
        }
    }
    d->n = n;
    struct db_error *e = datum_sort(d, type);
    ck_assert_ptr_null(e);
    return d;
}

static struct datum *random_ref_map(const struct db_table *to, const struct column_type *type)
{
    size_t n = rand() % 3;
    struct datum *d = datum_alloc(n, type);
    for (size_t i = 0; i < n; i++) {
        memset(&d->atoms[i], 0, sizeof d->atoms[i]);
        d->atoms[i].integer = i;
        d->atoms[n + i].uuid = some_row(to);
    }
    return d;
}

static void change_row(struct db_txn *txn, struct db_row *row)
{
    const struct db_table *t = row->table;
    struct db_table *leaf = database_table(txn->db, "leaf"), *root = database_table(txn->db, "root");
    const char *names[] = { "name", "next", "home", "leaves", "likes", "by_number", "n", "set" };
    const struct column_schema *c = table_schema_column(t->schema, names[rand() % ARRAY_SIZE(names)]);
    if (!c) {
        return;
    }
    struct datum *d;
    char name[64];
    if (!strcmp(c->name, "name")) {
        snprintf(name, sizeof name, "%s %d", rand() % 2 ? "a name that is quite long" : "x", rand() % 60);
        d = datum_of_string(name);
    } else if (!strcmp(c->name, "n")) {
        d = datum_of_integer(rand() % 100);
    } else if (!strcmp(c->name, "set")) {
        d = rand() % 2 ? datum_of_integer(rand() % 5) : datum_default(&c->type);
    } else if (column_type_is_map(&c->type)) {
        d = random_ref_map(leaf, &c->type);
    } else {
        d = random_refs(c->key_ref == leaf->schema ? leaf : root, &c->type, c->type.max == 1 ? 1 : 4);
    }
    db_txn_set(txn, row, c->index, d);
}

static void random_change(struct db_txn *txn)
{
    struct db_table *t = database_table(txn->db, rand() % 2 ? "leaf" : "root");
    struct uuid uuid = some_row(t);
    struct db_row *row = db_table_row(t, &uuid);
    switch (rand() % 6) {
    case 0:
    case 1:
        uuid = uuid_random();
        row = db_txn_insert(txn, t, &uuid);
        for (int i = 0; i < 4; i++) {
            change_row(txn, row);
        }
        break;
    case 2:
        if (row && rand() % 2) {
            db_txn_delete(txn, row);
        }
        break;
    default:
        if (row) {
            change_row(txn, row);
        }
    }
}

START_TEST(undo_brings_back_what_was_there)
{
    struct database *db = test_database();
    srand(_i + 1);
    int n_good = 0;
    for (int step = 0; step < 250; step++) {
        struct db_txn *group[MAX_TXNS];
        char *before[MAX_TXNS];
        int n = 0, wanted = rand() % MAX_TXNS + 1;
        while (n < wanted) {
            before[n] = dump_database(db);
            struct db_txn *txn = db_txn_begin(db);
            for (int i = rand() % 8; i >= 0; i--) {
                random_change(txn);
            }
            struct db_error *e = NULL;
            bool aborted = rand() % 10 == 0;
            if (aborted) {
                db_txn_abort(txn);
            } else {
                e = db_txn_commit(txn);
            }
            if (e || aborted) {
                char *after = dump_database(db);
                ck_assert_str_eq(after, before[n]);
                free(after);
                free(before[n]);
                db_error_free(e);
                wanted--;
            } else {
                group[n++] = txn;
                n_good++;
            }
            check_invariants(db);
        }
        bool undo = rand() % 3 == 0;
        for (int i = n - 1; undo && i >= 0; i--) {
            db_txn_undo(group[i]);
            char *after = dump_database(db);
            ck_assert_str_eq(after, before[i]);
            free(after);
            check_invariants(db);
        }
        for (int i = 0; i < n; i++) {
            if (!undo) {
                db_txn_finish(group[i]);
            }
            free(before[i]);
        }
    }
    ck_assert_int_gt(n_good, 120);   /* Else the test tests little. */
    database_destroy(db);
}
END_TEST

/* Every change goes to a second database by way of its record. */
START_TEST(records_carry_the_changes)
{
    struct database *db = test_database(), *copy = test_database();
    srand(_i + 100);
    for (int step = 0; step < 250; step++) {
        struct db_txn *txn = db_txn_begin(db);
        for (int i = rand() % 8; i >= 0; i--) {
            random_change(txn);
        }
        struct db_error *e = db_txn_commit(txn);
        if (e) {
            db_error_free(e);
            continue;
        }
        struct text t = TEXT_INIT;
        if (record_put_txn(txn, 1234567890123, &t)) {
            json_t *record = json_loads(text_str(&t), 0, NULL);
            ck_assert_msg(record, "%s", text_str(&t));
            e = record_apply(copy, record, RECORD_REPLAY);
            ck_assert_msg(!e, "%s: %s", e ? e->details : "", text_str(&t));
            json_decref(record);
        }
        text_fini(&t);
        db_txn_finish(txn);
        char *a = dump_database(db), *b = dump_database(copy);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
        check_invariants(copy);
    }
    struct text t = TEXT_INIT;
    struct database *third = test_database();
    ck_assert(record_put_database(db, 1, "all of it", &t));
    json_t *record = json_loads(text_str(&t), 0, NULL);
    struct db_error *e = record_apply(third, record, RECORD_REPLAY);
    ck_assert_ptr_null(e);
    char *a = dump_database(db), *b = dump_database(third);
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
    json_decref(record);
    text_fini(&t);
    database_destroy(third);
    database_destroy(copy);
    database_destroy(db);
}
END_TEST

TCase *txn_tcase(void);
TCase *txn_tcase(void)
{
    TCase *tc = tcase_create("txn");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, undo_brings_back_what_was_there, 0, 3);
    tcase_add_loop_test(tc, records_carry_the_changes, 0, 2);
    return tc;
}
