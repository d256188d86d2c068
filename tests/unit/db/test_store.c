/* SPDX-License-Identifier: Apache-2.0 */
/* The Nth file call fails: whoever was told "done" finds the change again, whoever was told "I/O error" does not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/journal.h"
#include "db/store.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "tests/unit/db/db_check.h"
#include "tests/unit/unit.h"

enum { N_ROWS = 30, N_CALLS = 120 };

static char dir[64], path[96];
static int calls_left;          /* Until the call that fails; negative: none does. */
static int failing;             /* So many calls fail from there on. */

static bool fails(void)
{
    if (calls_left > 0) {
        calls_left--;
        return false;
    }
    if (!calls_left && failing > 0) {
        failing--;
        return true;
    }
    return false;
}

static int t_open(const char *name, int flags, mode_t mode)
{
    if (fails()) {
        errno = EMFILE;
        return -1;
    }
    return open(name, flags, mode);
}

/* A failing write has written half. */
static ssize_t t_write(int fd, const void *p, size_t n)
{
    if (fails()) {
        ssize_t ignored = write(fd, p, n / 2);
        (void) ignored;
        errno = ENOSPC;
        return -1;
    }
    return write(fd, p, n);
}

static int t_fsync(int fd)
{
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return fsync(fd);
}

static int t_ftruncate(int fd, off_t size)
{
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return ftruncate(fd, size);
}

static int t_rename(const char *from, const char *to)
{
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return rename(from, to);
}

static const struct file_ops failing_ops = {
    .open = t_open, .write = t_write, .pread = pread, .fsync = t_fsync, .ftruncate = t_ftruncate,
    .rename = t_rename, .unlink = unlink, .close = close,
};

static void setup(void)
{
    strcpy(dir, "/dev/shm/tsuji-store-XXXXXX");   /* Syncing costs nothing there. */
    if (!mkdtemp(dir)) {
        strcpy(dir, "/tmp/tsuji-store-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
    }
    snprintf(path, sizeof path, "%s/conf.db", dir);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static void note(const struct error *e, const struct db_txn *txn, void *done)
{
    *(int *) done = e ? -1 : 1;
    ck_assert(!e == (txn != NULL));
}

static void check_same(const struct database *a, const struct database *b, const char *when, int n)
{
    char *x = dump_database(a), *y = dump_database(b);
    ck_assert_msg(!strcmp(x, y), "%s, call %d:\n%s--\n%s", when, n, x, y);
    free(x);
    free(y);
}

/* Adds rows in groups of one to three, some durable, compacting in between, with the failure in the middle. */
static void run_script(int fail_at, int n_failing)
{
    struct store *s, *again;
    calls_left = -1;
    unlink(path);
    struct error *e = journal_create(path, test_schema, &file_ops_system);
    ck_assert_ptr_null(e);
    e = store_open(path, true, &failing_ops, &s);
    ck_assert_ptr_null(e);
    calls_left = fail_at;
    failing = n_failing;
    int done[N_ROWS] = { 0 };
    for (int i = 0; i < N_ROWS; i++) {
        char request[160];
        struct execute_outcome out;
        snprintf(request, sizeof request, "['test',{'op':'insert','table':'root','row':{'name':'row %d'}}]", i);
        run_request(s->db, request, &out);
        text_fini(&out.result);
        store_add(s, out.txn, i % 4 == 1, note, &done[i]);
        if (i % 3) {
            store_flush(s);
            check_invariants(s->db);
        }
        if (i % 10 == 8) {
            error_free(store_compact(s, "test"));
        }
    }
    store_flush(s);
    size_t n = 0;
    for (int i = 0; i < N_ROWS; i++) {
        ck_assert_int_ne(done[i], 0);
        n += done[i] > 0;
    }
    ck_assert_uint_eq(database_count_rows(s->db), n);
    ck_assert_uint_ge(n, N_ROWS - 3 * n_failing - 3);
    calls_left = -1;
    e = store_open(path, false, NULL, &again);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    check_same(again->db, s->db, "what is in the file", fail_at);
    store_destroy(again);
    store_destroy(s);
}

START_TEST(one_call_fails)
{
    for (int i = 0; i < N_CALLS; i++) {
        run_script(i, 1);
    }
}
END_TEST

START_TEST(two_calls_in_a_row_fail)
{
    for (int i = 0; i < N_CALLS; i++) {
        run_script(i, 2);
    }
}
END_TEST

START_TEST(a_full_disk_for_a_while)
{
    for (int i = 0; i < N_CALLS; i += 7) {
        run_script(i, 9);
    }
}
END_TEST

START_TEST(creation_fails_cleanly)
{
    for (int i = 0; i < 5; i++) {
        calls_left = i;
        failing = 1;
        struct error *e = journal_create(path, test_schema, &failing_ops);
        bool made = !access(path, F_OK);
        ck_assert_int_eq(!e, made);
        error_free(e);
        unlink(path);
    }
}
END_TEST

START_TEST(an_existing_file_is_not_overwritten)
{
    struct error *e = journal_create(path, test_schema, &file_ops_system);
    ck_assert_ptr_null(e);
    e = journal_create(path, test_schema, &file_ops_system);
    ck_assert_int_eq(error_code(e), EEXIST);
    error_free(e);
}
END_TEST

TCase *store_tcase(void);
TCase *store_tcase(void)
{
    TCase *tc = tcase_create("store");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, one_call_fails);
    tcase_add_test(tc, two_calls_in_a_row_fail);
    tcase_add_test(tc, a_full_disk_for_a_while);
    tcase_add_test(tc, creation_fails_cleanly);
    tcase_add_test(tc, an_existing_file_is_not_overwritten);
    return tc;
}
