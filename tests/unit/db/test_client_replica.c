/* SPDX-License-Identifier: Apache-2.0 */
/* The client's replica against a naive model, under random updates in both forms. */
#include <stdio.h>

#include "db/client_private.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "spec/db.h"
#include "tests/unit/db/replica_check.h"
#include "tests/unit/unit.h"

enum { N_ROWS = 40, N_ROUNDS = 1500 };

static const struct dbc_table *const tables[] = {
    &db_open_vswitch_table, &db_bridge_table, &db_port_table, &db_interface_table, &db_flow_table_table,
    &db_mirror_table, &db_controller_table, &db_qos_table, &db_queue_table,
};

struct model_row {
    const struct dbc_table *table;
    struct uuid uuid;
    bool is_there;
    struct datum **data;
    /* Since tracking was cleared. */
    bool was_there, changed;
};

struct model {
    struct dbc_replica replica;
    struct model_row rows[N_ROWS];
    uint64_t random;
};

static uint32_t random_below(struct model *m, uint32_t n)
{
    m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (m->random >> 33) % n;
}

/* UUIDs are used again after a deletion, so that references go dangling and come back. */
static void model_init(struct model *m, uint64_t seed)
{
    memset(m, 0, sizeof *m);
    m->random = seed;
    dbc_replica_init(&m->replica, &db_schema);
    for (unsigned i = 0; i < db_schema.n_tables; i++) {
        struct dbc_table_state *t = &m->replica.tables[i];
        t->is_monitored = t->is_present = true;
        t->monitored = t->present = UINT64_MAX;
    }
    for (size_t i = 0; i < N_ROWS; i++) {
        struct model_row *row = &m->rows[i];
        row->table = tables[random_below(m, ARRAY_SIZE(tables))];
        row->uuid = (struct uuid) { { seed, i, 0x40000000, 7 } };
        row->data = xcalloc(row->table->n_columns, sizeof *row->data);
    }
}

static void clear_row(struct model_row *row)
{
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        datum_put(row->data[i], &row->table->columns[i].type);
        row->data[i] = NULL;
    }
}

static void model_fini(struct model *m)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        clear_row(&m->rows[i]);
        free(m->rows[i].data);
    }
    dbc_replica_fini(&m->replica);
}

static void random_atom(struct model *m, union atom *a, enum atom_type type, const struct dbc_table *ref)
{
    memset(a, 0, sizeof *a);
    switch (type) {
    case ATOM_INTEGER:
        a->integer = random_below(m, 10);
        break;
    case ATOM_REAL:
        a->real = random_below(m, 10) / 4.0;
        break;
    case ATOM_BOOLEAN:
        a->boolean = random_below(m, 2);
        break;
    case ATOM_STRING: {
        char s[40];
        int n = snprintf(s, sizeof s, random_below(m, 2) ? "s%u" : "a string too long for its atom %u",
                         random_below(m, 9));
        atom_init_string(a, s, n);
        break;
    }
    case ATOM_UUID:
        a->uuid = m->rows[random_below(m, N_ROWS)].uuid;
        for (size_t try = 0; ref && try < N_ROWS; try++) {
            const struct model_row *row = &m->rows[random_below(m, N_ROWS)];
            if (row->table == ref) {
                a->uuid = row->uuid;
                break;
            }
        }
        break;
    case ATOM_VOID:
        break;
    }
}

static struct datum *random_datum(struct model *m, const struct dbc_column *c)
{
    const struct column_type *type = &c->type;
    uint32_t max = MIN(type->max, 4), n = type->min + random_below(m, max - type->min + 1);
    struct datum *result = datum_alloc(0, type);
    for (uint32_t i = 0; i < n || result->n < type->min; i++) {
        struct datum *one = datum_alloc(1, type);
        random_atom(m, &one->atoms[0], type->key.type, c->key_ref);
        if (column_type_is_map(type)) {
            random_atom(m, &one->atoms[1], type->value.type, c->value_ref);
        }
        struct datum *both = datum_union(one, result, type);
        datum_put(one, type);
        datum_put(result, type);
        result = both;
    }
    return result;
}

static const char *uuid_text(const struct uuid *uuid)
{
    static char text[UUID_LEN + 1];
    snprintf(text, sizeof text, UUID_FMT, UUID_ARGS(uuid));
    return text;
}

/* All columns, or in the second form those that are not at their defaults. */
static json_t *whole_row(const struct model_row *row, bool second)
{
    json_t *columns = json_object();
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        const struct dbc_column *c = &row->table->columns[i];
        if (!second || !datum_is_default(row->data[i], &c->type)) {
            json_object_set_new(columns, c->name, datum_to_json(row->data[i], &c->type));
        }
    }
    return columns;
}

static json_t *insert_row(struct model *m, struct model_row *row, bool second)
{
    for (unsigned i = 0; i < row->table->n_columns; i++) {
        const struct dbc_column *c = &row->table->columns[i];
        row->data[i] = random_below(m, 2) ? random_datum(m, c) : datum_default(&c->type);
    }
    row->is_there = row->changed = true;
    return json_pack("{s:o}", second ? "insert" : "new", whole_row(row, second));
}

static json_t *modify_row(struct model *m, struct model_row *row, bool second)
{
    json_t *diffs = json_object();
    for (unsigned tries = 1 + random_below(m, 4); tries; tries--) {
        const struct dbc_column *c = &row->table->columns[random_below(m, row->table->n_columns)];
        struct datum *new = random_datum(m, c), *old = row->data[c->index];
        if (!json_object_get(diffs, c->name) && !datum_equal(old, new, &c->type)) {
            struct datum *diff = datum_diff(old, new, &c->type);
            json_object_set_new(diffs, c->name, datum_to_json(diff, &c->type));
            datum_put(diff, &c->type);
            row->data[c->index] = datum_get(new);
            datum_put(old, &c->type);
            row->changed = true;
        }
        datum_put(new, &c->type);
    }
    if (second) {
        return json_pack("{s:o}", "modify", diffs);
    }
    json_decref(diffs);
    return json_pack("{s:{},s:o}", "old", "new", whole_row(row, false));
}

static json_t *delete_row(struct model_row *row, bool second)
{
    clear_row(row);
    row->is_there = false;
    row->changed = true;
    return second ? json_pack("{s:n}", "delete") : json_pack("{s:{}}", "old");
}

static void put_update(json_t *updates, const struct model_row *row, json_t *update)
{
    if (!json_object_get(updates, row->table->name)) {
        json_object_set_new(updates, row->table->name, json_object());
    }
    json_object_set_new(json_object_get(updates, row->table->name), uuid_text(&row->uuid), update);
}

static void apply(struct model *m, const json_t *updates, bool second, bool is_dump)
{
    struct error *e =
        dbc_replica_update(&m->replica, second ? DBC_UPDATE2 : DBC_UPDATE, updates, is_dump);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    const char *wrong = replica_check(&m->replica);
    ck_assert_msg(!wrong, "%s", wrong);
}

static void compare_rows(struct model *m)
{
    size_t n = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct model_row *row = &m->rows[i];
        const struct dbc_row *actual = dbc_replica_get(&m->replica, row->table, &row->uuid);
        ck_assert_int_eq(actual != NULL, row->is_there);
        n += row->is_there;
        for (unsigned j = 0; actual && j < row->table->n_columns; j++) {
            ck_assert(datum_equal(actual->data[j], row->data[j], &row->table->columns[j].type));
        }
    }
    size_t n_actual = 0;
    for (unsigned i = 0; i < db_schema.n_tables; i++) {
        n_actual += hmap_count(&m->replica.tables[i].rows);
    }
    ck_assert_uint_eq(n, n_actual);
}

/* Rows that came or went since tracking was cleared are in the list, and no row that did not change. */
static void compare_changes(struct model *m)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct model_row *row = &m->rows[i];
        const struct dbc_row *changed;
        bool is_new = false, is_deleted = false, is_changed = false;
        LIST_FOR_EACH (changed, in_changed, &dbc_replica_table(&m->replica, row->table)->changed) {
            if (uuid_equal(&changed->uuid, &row->uuid)) {
                is_new |= changed->is_new;
                is_deleted |= changed->is_deleted;
                is_changed = true;
            }
        }
        ck_assert(!is_changed || row->changed);
        if (row->was_there != row->is_there) {
            ck_assert(row->is_there ? is_new : is_deleted);
        }
    }
}

static void clear_changes(struct model *m)
{
    dbc_replica_track_clear(&m->replica);
    for (size_t i = 0; i < N_ROWS; i++) {
        m->rows[i].was_there = m->rows[i].is_there;
        m->rows[i].changed = false;
    }
}

static void random_round(struct model *m, bool second)
{
    json_t *updates = json_object();
    bool used[N_ROWS] = { false };
    for (unsigned n = 1 + random_below(m, 6); n; n--) {
        size_t i = random_below(m, N_ROWS);
        struct model_row *row = &m->rows[i];
        if (used[i]) {
            continue;
        }
        used[i] = true;
        put_update(updates, row,
                   !row->is_there           ? insert_row(m, row, second)
                   : random_below(m, 3) == 0 ? delete_row(row, second)
                                             : modify_row(m, row, second));
    }
    apply(m, updates, second, false);
    json_decref(updates);
    compare_rows(m);
    compare_changes(m);
    if (!random_below(m, 3)) {
        clear_changes(m);
    }
}

START_TEST(random_updates)
{
    struct model m;
    model_init(&m, _i + 1);
    for (size_t i = 0; i < N_ROUNDS; i++) {
        random_round(&m, _i & 1);
    }
    model_fini(&m);
}
END_TEST

/* After a reconnection: changes happened unseen, then everything is sent. */
START_TEST(resynchronisation_yields_the_difference)
{
    struct model m;
    model_init(&m, _i + 100);
    for (size_t i = 0; i < 100; i++) {
        random_round(&m, true);
        clear_changes(&m);
        for (unsigned n = random_below(&m, 10); n; n--) {
            struct model_row *row = &m.rows[random_below(&m, N_ROWS)];
            json_decref(!row->is_there          ? insert_row(&m, row, true)
                        : random_below(&m, 2) ? delete_row(row, true) : modify_row(&m, row, true));
        }
        json_t *updates = json_object();
        for (size_t j = 0; j < N_ROWS; j++) {
            if (m.rows[j].is_there) {
                put_update(updates, &m.rows[j],
                           json_pack("{s:o}", "initial", whole_row(&m.rows[j], true)));
            }
        }
        apply(&m, updates, true, true);
        json_decref(updates);
        compare_rows(&m);
        compare_changes(&m);
        clear_changes(&m);
    }
    model_fini(&m);
}
END_TEST

/* Wrong updates: refused, and the replica stays sound. */
static const char *const wrong_updates[] = {
    "[]",
    "{\"Bridge\":[]}",
    "{\"Bridg\":{}}",
    "{\"Bridge\":{\"x\":{\"insert\":{}}}}",
    "{\"Bridge\":{\"00000001-0000-0000-0000-000000000000\":{}}}",
    "{\"Bridge\":{\"00000001-0000-0000-0000-000000000000\":[]}}",
    "{\"Bridge\":{\"00000001-0000-0000-0000-000000000000\":{\"insert\":[]}}}",
    "{\"Bridge\":{\"00000001-0000-0000-0000-000000000000\":{\"insert\":{\"name\":5}}}}",
    "{\"Bridge\":{\"00000001-0000-0000-0000-000000000000\":{\"insert\":{\"ports\":[\"set\",[5]]}}}}",
    "{\"Bridge\":{\"00000001-0000-0000-0000-000000000000\":{\"delete\":null}}}",
    "{\"Bridge\":{\"00000001-0000-0000-0000-000000000000\":{\"modify\":{\"name\":\"x\"}}}}",
};

START_TEST(wrong_update)
{
    struct model m;
    model_init(&m, 7);
    for (size_t i = 0; i < 50; i++) {
        random_round(&m, true);
    }
    json_t *json = json_loads(wrong_updates[_i], 0, NULL);
    ck_assert_ptr_nonnull(json);
    struct error *e = dbc_replica_update(&m.replica, DBC_UPDATE2, json, false);
    ck_assert_ptr_nonnull(e);
    error_free(e);
    ck_assert_ptr_null(replica_check(&m.replica));
    json_decref(json);
    model_fini(&m);
}
END_TEST

/* Changes of quiet columns do not count; of others they do. */
START_TEST(quiet_columns)
{
    struct model m;
    model_init(&m, 3);
    struct dbc_table_state *t = dbc_replica_table(&m.replica, &db_interface_table);
    t->quiet = UINT64_C(1) << db_interface_col_statistics.index;
    static const char uuid[] = "00000001-0000-0000-0000-000000000000";
    json_t *insert = json_pack("{s:{s:{s:{s:s}}}}", "Interface", uuid, "insert", "name", "p1");
    apply(&m, insert, true, false);
    clear_changes(&m);
    uint64_t seqno = m.replica.seqno;
    json_t *quiet = json_pack("{s:{s:{s:{s:[s,[[s,i]]]}}}}", "Interface", uuid, "modify", "statistics",
                              "map", "rx_bytes", 5);
    apply(&m, quiet, true, false);
    ck_assert_uint_eq(m.replica.seqno, seqno);
    ck_assert(list_is_empty(&t->changed));
    struct uuid id;
    ck_assert(uuid_parse(uuid, &id));
    const struct db_interface *row = db_interface_cast(dbc_replica_get(&m.replica, &db_interface_table, &id));
    ck_assert_uint_eq(row->n_statistics, 1);
    ck_assert_str_eq(row->statistics_keys[0], "rx_bytes");
    ck_assert_int_eq(row->statistics_values[0], 5);
    json_t *loud = json_pack("{s:{s:{s:{s:s}}}}", "Interface", uuid, "modify", "type", "internal");
    apply(&m, loud, true, false);
    ck_assert_uint_gt(m.replica.seqno, seqno);
    ck_assert(dbc_row_changed(&row->row, &db_interface_col_type));
    ck_assert(!dbc_row_changed(&row->row, &db_interface_col_statistics));
    ck_assert_str_eq(row->type, "internal");
    json_decref(insert);
    json_decref(quiet);
    json_decref(loud);
    model_fini(&m);
}
END_TEST

TCase *client_replica_tcase(void);
TCase *client_replica_tcase(void)
{
    TCase *tc = tcase_create("replica");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, random_updates, 0, 6);
    tcase_add_loop_test(tc, resynchronisation_yields_the_difference, 0, 4);
    tcase_add_loop_test(tc, wrong_update, 0, ARRAY_SIZE(wrong_updates));
    tcase_add_test(tc, quiet_columns);
    return tc;
}
