/* SPDX-License-Identifier: Apache-2.0 */
/* Files of any kind opened as a database. Since no fuzzer finds checksums, input may also be records without their
 * first lines, which are then put in front: a first byte 'R' means that. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/journal.h"
#include "db/store.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static void make_records(const char *p, size_t size)
{
    struct journal *j;
    const char *end = p + size, *newline = memchr(p, '\n', size);
    size_t n = (newline ? newline : end) - p;
    char *schema = strndup(p, n);
    struct error *e = journal_create(path, schema, &file_ops_system);
    free(schema);
    if (e || (e = journal_open(path, true, &file_ops_system, &j))) {
        abort();
    }
    json_t *record;
    e = journal_read(j, &record);
    json_decref(record);
    if (!e) {
        for (p += n + 1; p < end; p += n + 1) {
            newline = memchr(p, '\n', end - p);
            n = (newline ? newline : end) - p;
            journal_put(j, p, n);
        }
        e = journal_flush(j, false);
    }
    error_free(e);
    journal_close(j);
}

static void open_it(bool write)
{
    struct store *s;
    struct error *e = store_open(path, write, NULL, &s);
    if (!e) {
        if (s->kept_as) {
            unlink(s->kept_as);
        }
        size_t n = database_count_rows(s->db);
        if (write) {
            e = store_compact(s, "fuzz");
        }
        store_destroy(s);
        if (write && !e) {
            e = store_open(path, false, NULL, &s);   /* What was written is readable and the same. */
            if (e || database_count_rows(s->db) != n) {
                abort();
            }
            store_destroy(s);
        }
    }
    error_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!path[0]) {
        struct error *e = log_set_from_word("off");
        error_free(e);
        snprintf(path, sizeof path, "/dev/shm/tsuji-fuzz-journal-%ld", (long) getpid());
    }
    unlink(path);
    if (size && data[0] == 'R') {
        make_records((const char *) data + 1, size - 1);
    } else {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || write(fd, data, size) != (ssize_t) size) {
            abort();
        }
        close(fd);
    }
    open_it(false);
    open_it(true);
    unlink(path);
    return 0;
}
