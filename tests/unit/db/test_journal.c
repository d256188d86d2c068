/* SPDX-License-Identifier: Apache-2.0 */
/* The journal cut at every offset and damaged at every third: what was complete before is found, the rest is kept aside. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/journal.h"
#include "db/store.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "tests/unit/db/db_check.h"
#include "tests/unit/unit.h"

enum { N_RECORDS = 6 };

static char dir[64], path[96];

static void setup(void)
{
    strcpy(dir, "/dev/shm/tsuji-journal-XXXXXX");   /* Syncing costs nothing there. */
    if (!mkdtemp(dir)) {
        strcpy(dir, "/tmp/tsuji-journal-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
    }
    snprintf(path, sizeof path, "%s/conf.db", dir);
}

static void remove_kept(void)
{
    char pattern[128];
    glob_t g;
    snprintf(pattern, sizeof pattern, "%s/*damaged*", dir);
    if (!glob(pattern, 0, NULL, &g)) {
        for (size_t i = 0; i < g.gl_pathc; i++) {
            unlink(g.gl_pathv[i]);
        }
        globfree(&g);
    }
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static size_t slurp(char **data)
{
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    struct stat st;
    fstat(fileno(f), &st);
    *data = xmalloc(st.st_size + 1);
    ck_assert_uint_eq(fread(*data, 1, st.st_size, f), st.st_size);
    fclose(f);
    return st.st_size;
}

static void spit(const char *data, size_t n)
{
    FILE *f = fopen(path, "w");
    ck_assert_uint_eq(fwrite(data, 1, n, f), n);
    fclose(f);
}

static void add_row(struct store *s, int i)
{
    char request[160];
    struct execute_outcome out;
    snprintf(request, sizeof request, "['test',{'op':'insert','table':'root','row':{'name':'row %d'}},"
             "{'op':'comment','comment':'number %d'}]", i, i);
    run_request(s->db, request, &out);
    text_fini(&out.result);
    store_add(s, out.txn, false, NULL, NULL);
    store_flush(s);
}

/* A file with N_RECORDS transactions; 'ends' are where the records end. */
static void make_file(off_t ends[N_RECORDS + 1])
{
    struct store *s;
    struct error *e = journal_create(path, test_schema, &file_ops_system);
    ck_assert_ptr_null(e);
    e = store_open(path, true, NULL, &s);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    ends[0] = store_file_size(s);
    for (int i = 0; i < N_RECORDS; i++) {
        add_row(s, i);
        ends[i + 1] = store_file_size(s);
    }
    store_destroy(s);
}

/* Opens what is left and checks that it has 'n' rows, that 'behind' bytes were kept, and that it goes on. */
static void check_recovery(size_t n, size_t behind)
{
    struct store *s;
    struct error *e = store_open(path, true, NULL, &s);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    ck_assert_uint_eq(database_count_rows(s->db), n);
    ck_assert_int_eq(s->kept_as != NULL, behind > 0);
    if (s->kept_as) {
        struct stat st;
        ck_assert_int_eq(stat(s->kept_as, &st), 0);
        ck_assert_uint_eq(st.st_size, behind);
    }
    add_row(s, 100);
    store_destroy(s);
    e = store_open(path, false, NULL, &s);
    ck_assert_ptr_null(e);
    ck_assert_uint_eq(database_count_rows(s->db), n + 1);
    store_destroy(s);
    remove_kept();
}

START_TEST(cut_at_every_offset)
{
    off_t ends[N_RECORDS + 1];
    char *data;
    make_file(ends);
    size_t size = slurp(&data);
    ck_assert_uint_eq(size, ends[N_RECORDS]);
    for (size_t cut = 0; cut <= size; cut++) {
        spit(data, cut);
        if ((off_t) cut < ends[0]) {
            struct store *s;
            struct error *e = store_open(path, true, NULL, &s);
            ck_assert_ptr_nonnull(e);   /* Without a whole schema it is no database. */
            error_free(e);
            continue;
        }
        size_t n = 0;
        while (n < N_RECORDS && ends[n + 1] <= (off_t) cut) {
            n++;
        }
        check_recovery(n, cut - ends[n]);
    }
    free(data);
}
END_TEST

START_TEST(a_wrong_byte)
{
    off_t ends[N_RECORDS + 1];
    char *data;
    make_file(ends);
    size_t size = slurp(&data);
    for (size_t at = ends[0]; at < size; at += 3) {
        char right = data[at];
        data[at] ^= at % 2 ? 0x01 : 0x80;
        spit(data, size);
        data[at] = right;
        size_t n = 0;
        while (ends[n + 1] <= (off_t) at) {
            n++;
        }
        check_recovery(n, size - ends[n]);
    }
    free(data);
}
END_TEST

START_TEST(a_second_writer_is_refused)
{
    off_t ends[N_RECORDS + 1];
    struct store *s, *other;
    make_file(ends);
    struct error *e = store_open(path, true, NULL, &s);
    ck_assert_ptr_null(e);
    e = store_open(path, true, NULL, &other);
    ck_assert_ptr_nonnull(e);
    ck_assert_msg(strstr(error_text(e), "in use"), "%s", error_text(e));
    error_free(e);
    e = store_open(path, false, NULL, &other);   /* A reader is not. */
    ck_assert_ptr_null(e);
    store_destroy(other);
    store_destroy(s);
}
END_TEST

START_TEST(a_record_that_makes_no_sense_is_refused)
{
    off_t ends[N_RECORDS + 1];
    struct journal *j;
    struct store *s;
    make_file(ends);
    struct error *e = journal_open(path, true, &file_ops_system, &j);
    ck_assert_ptr_null(e);
    json_t *record;
    for (int i = 0; i <= N_RECORDS; i++) {
        e = journal_read(j, &record);
        ck_assert_ptr_null(e);
        json_decref(record);
    }
    static const char strange[] = "{\"nowhere\":{}}";
    journal_put(j, strange, strlen(strange));
    e = journal_flush(j, true);
    ck_assert_ptr_null(e);
    journal_close(j);
    e = store_open(path, true, NULL, &s);   /* Its checksum is right, so nothing is cut off. */
    ck_assert_ptr_nonnull(e);
    ck_assert_msg(strstr(error_text(e), "nowhere"), "%s", error_text(e));
    error_free(e);
}
END_TEST

START_TEST(compaction_keeps_the_rows)
{
    off_t ends[N_RECORDS + 1];
    struct store *s;
    make_file(ends);
    struct error *e = store_open(path, true, NULL, &s);
    ck_assert_ptr_null(e);
    char *before = dump_database(s->db);
    e = store_compact(s, "test");
    ck_assert_ptr_null(e);
    ck_assert_int_lt(store_file_size(s), ends[N_RECORDS]);
    add_row(s, 50);
    free(run(s->db, "['test',{'op':'delete','table':'root','where':[['name','==','row 50']]}]"));
    char *after = dump_database(s->db);
    ck_assert_str_eq(before, after);
    free(after);
    store_destroy(s);
    e = store_open(path, false, NULL, &s);
    ck_assert_ptr_null(e);
    ck_assert_uint_eq(database_count_rows(s->db), N_RECORDS + 1);
    store_destroy(s);
    free(before);
}
END_TEST

TCase *journal_tcase(void);
TCase *journal_tcase(void)
{
    TCase *tc = tcase_create("journal");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, cut_at_every_offset);
    tcase_add_test(tc, a_wrong_byte);
    tcase_add_test(tc, a_second_writer_is_refused);
    tcase_add_test(tc, a_record_that_makes_no_sense_is_refused);
    tcase_add_test(tc, compaction_keeps_the_rows);
    return tc;
}
