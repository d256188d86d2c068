/* SPDX-License-Identifier: Apache-2.0 */
/* A database with its journal, and group commit. */
#include "db/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "db/error.h"
#include "db/journal.h"
#include "db/record.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"

LOG_MODULE(ovsdb_store);

enum { COMPACT_MIN_BYTES = 10 << 20, COMPACT_GROWTH = 4, COMPACT_INTERVAL_MS = 10 * 60 * 1000 };

struct store_member {
    struct list node;
    struct db_txn *txn;
    store_done_fn *done;
    void *arg;
};

static struct store *store_new(struct database *db, struct journal *journal)
{
    struct store *s = xzalloc(sizeof *s);
    s->db = db;
    s->journal = journal;
    list_init(&s->group);
    s->compact_base = journal ? journal_size(journal) : 0;
    s->compacted_ms = clock_ms();
    return s;
}

struct store *store_create_in_memory(struct schema *schema)
{
    return store_new(database_create(schema), NULL);
}

/* Opening ------------------------------------------------------------------------------------------- */

static struct error *from_db_error(struct db_error *e, const struct journal *j)
{
    struct text t = TEXT_INIT;
    off_t behind;
    db_error_put_text(e, &t);
    db_error_free(e);
    struct error *error = error_new(EINVAL, "%s: the record before offset %"PRId64" is not valid: %s",
                                    journal_path(j), (int64_t) journal_end(j, &behind), text_str(&t));
    text_fini(&t);
    return error;
}

static struct error *read_schema(struct journal *j, struct schema **schema)
{
    json_t *record;
    struct error *e = journal_read(j, &record);
    if (e) {
        return e;
    }
    if (!record) {
        return error_new(EINVAL, "%s: is empty, not a database file", journal_path(j));
    }
    struct db_error *de = schema_from_json(schema, record);
    json_decref(record);
    return de ? from_db_error(de, j) : NULL;
}

/* Replays what is readable. '*damage' is set if something behind it is not. */
static struct error *replay(struct journal *j, struct database *db, struct error **damage)
{
    for (;;) {
        json_t *record;
        struct error *e = journal_read(j, &record);
        if (e && error_code(e) == EBADMSG) {
            *damage = e;
            return NULL;
        }
        if (e || !record) {
            return e;
        }
        struct db_error *de = record_apply(db, record, RECORD_REPLAY);
        json_decref(record);
        if (de) {
            return from_db_error(de, j);
        }
    }
}

static struct error *handle_damage(struct store *s, struct error *damage, bool write)
{
    off_t behind;
    journal_end(s->journal, &behind);
    LOG_WARN("%s: %"PRId64" bytes behind the last good record are not used", error_text(damage),
             (int64_t) behind);
    error_free(damage);
    if (!write) {
        return NULL;
    }
    struct error *e = journal_cut_tail(s->journal, &s->kept_as);
    if (!e) {
        LOG_WARN("%s: the damaged end was kept as %s", journal_path(s->journal), s->kept_as);
    }
    return e;
}

struct error *store_open(const char *path, bool write, const struct file_ops *ops, struct store **out)
{
    struct journal *j;
    struct error *e = journal_open(path, write, ops ? ops : &file_ops_system, &j);
    if (e) {
        return e;
    }
    struct schema *schema;
    e = read_schema(j, &schema);
    if (e) {
        journal_close(j);
        return e;
    }
    struct store *s = store_new(database_create(schema), j);
    struct error *damage = NULL;
    e = replay(j, s->db, &damage);
    if (!e && damage) {
        e = handle_damage(s, damage, write);
    }
    s->compact_base = journal_size(j);
    if (e) {
        store_destroy(s);
        return e;
    }
    *out = s;
    return NULL;
}

void store_destroy(struct store *s)
{
    if (s) {
        store_flush(s);
        journal_close(s->journal);
        database_destroy(s->db);
        free(s->kept_as);
        free(s);
    }
}

off_t store_file_size(const struct store *s)
{
    return s->journal ? journal_size(s->journal) : 0;
}

/* The group ------------------------------------------------------------------------------------------ */

void store_add(struct store *s, struct db_txn *txn, bool durable, store_done_fn *done, void *arg)
{
    struct store_member *m = xzalloc(sizeof *m);
    m->txn = txn;
    m->done = done;
    m->arg = arg;
    list_push_back(&s->group, &m->node);
    s->group_durable |= durable;
}

static struct error *write_group(struct store *s)
{
    if (!s->journal) {
        return NULL;
    }
    struct text t = TEXT_INIT;
    bool any = false;
    int64_t now = clock_wall_ms();
    struct store_member *m;
    LIST_FOR_EACH (m, node, &s->group) {
        text_clear(&t);
        if (m->txn && record_put_txn(m->txn, now, &t)) {
            journal_put(s->journal, t.s, t.len);
            any = true;
        }
    }
    text_fini(&t);
    return any || s->group_durable ? journal_flush(s->journal, s->group_durable) : NULL;
}

static void undo_group(struct store *s)
{
    for (struct list *l = s->group.prev; l != &s->group; l = l->prev) {
        struct store_member *m = LIST_ENTRY(l, struct store_member, node);
        if (m->txn) {
            db_txn_undo(m->txn);
            m->txn = NULL;
        }
    }
}

/* After a failed sync only a new file can be trusted. */
static void try_replacement(struct store *s)
{
    if (s->journal && journal_needs_replacement(s->journal)) {
        struct error *e = store_compact(s, "written anew after a failed sync");
        if (e) {
            LOG_ERR("%s", error_text(e));
            error_free(e);
        }
    }
}

void store_flush(struct store *s)
{
    if (list_is_empty(&s->group)) {
        return;
    }
    struct error *e = write_group(s);
    if (e) {
        LOG_ERR("%s: %zu transactions are undone", error_text(e), list_size(&s->group));
        undo_group(s);
        try_replacement(s);
    }
    struct list group;
    list_init(&group);
    list_splice_back(&group, &s->group);
    s->group_durable = false;
    while (!list_is_empty(&group)) {
        struct store_member *m = LIST_ENTRY(list_pop_front(&group), struct store_member, node);
        if (m->done) {
            m->done(e, m->txn, m->arg);
        }
        if (m->txn) {
            db_txn_finish(m->txn);
        }
        free(m);
    }
    error_free(e);
}

/* Compaction ----------------------------------------------------------------------------------------- */

struct error *store_compact(struct store *s, const char *comment)
{
    if (!s->journal) {
        return NULL;
    }
    struct text t = TEXT_INIT;
    bool any = record_put_database(s->db, clock_wall_ms(), comment, &t);
    struct error *e = journal_replace(s->journal, s->db->schema->json, any ? t.s : NULL, t.len);
    text_fini(&t);
    s->compacted_ms = clock_ms();
    if (!e) {
        s->compact_base = journal_size(s->journal);
    }
    return e;
}

bool store_wants_compaction(const struct store *s)
{
    off_t size = store_file_size(s);
    return s->journal && size >= COMPACT_MIN_BYTES && size >= COMPACT_GROWTH * s->compact_base &&
           clock_ms() - s->compacted_ms >= COMPACT_INTERVAL_MS;
}
