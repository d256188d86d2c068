/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-dbtool: makes, reads and changes database files. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "db/error.h"
#include "db/execute.h"
#include "db/journal.h"
#include "db/record.h"
#include "db/schema_text.h"
#include "db/store.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/control.h"
#include "lib/sys/log.h"
#include "lib/sys/process.h"

static int verbosity;   /* -m */

static NORETURN void fail(const char *text)
{
    fprintf(stderr, "tsuji-dbtool: %s\n", text);
    exit(EXIT_FAILURE);
}

static void check(struct error *e)
{
    if (e) {
        fail(error_text(e));
    }
}

static void check_db(struct db_error *e)
{
    if (e) {
        struct text t = TEXT_INIT;
        db_error_put_text(e, &t);
        fail(text_str(&t));
    }
}

static const char *default_db(void)
{
    static char *path;
    path = path ? path : xasprintf("%s/conf.db", process_dbdir());
    return path;
}

/* Argument 'i' or the default database. */
static const char *db_arg(int argc, char *argv[], int i)
{
    return i < argc ? argv[i] : default_db();
}

/* Of the schema's file, or the one that is compiled in. */
static struct schema *schema_arg(int argc, char *argv[], int i)
{
    struct schema *s;
    check(i < argc ? schema_from_file(&s, argv[i]) : schema_from_text(&s, vswitch_schema_text));
    return s;
}

static struct store *open_store(const char *path, bool write)
{
    struct store *s;
    check(store_open(path, write, NULL, &s));
    return s;
}

/* Making and rewriting ------------------------------------------------------------------------------ */

static int do_create(int argc, char *argv[])
{
    struct schema *schema = schema_arg(argc, argv, 2);
    check(journal_create(db_arg(argc, argv, 1), schema->json, &file_ops_system));
    schema_destroy(schema);
    return EXIT_SUCCESS;
}

/* A new file with the rows of 'db' and its schema. */
static void write_copy(const struct database *db, const char *target, const char *comment)
{
    struct journal *j;
    struct text t = TEXT_INIT;
    struct error *e = journal_create(target, db->schema->json, &file_ops_system);
    check(e);
    e = journal_open(target, true, &file_ops_system, &j);
    check(e);
    json_t *schema;
    check(journal_read(j, &schema));
    json_decref(schema);
    if (record_put_database(db, (int64_t) time(NULL) * 1000, comment, &t)) {
        journal_put(j, t.s, t.len);
        e = journal_flush(j, true);
        if (e) {
            unlink(target);
            check(e);
        }
    }
    text_fini(&t);
    journal_close(j);
}

static int do_compact(int argc, char *argv[])
{
    struct store *s = open_store(db_arg(argc, argv, 1), argc <= 2);
    if (argc > 2) {
        write_copy(s->db, argv[2], "compacted by tsuji-dbtool");
    } else {
        check(store_compact(s, "compacted by tsuji-dbtool"));
    }
    store_destroy(s);
    return EXIT_SUCCESS;
}

/* The rows of 's' under another schema. */
static struct database *converted(const struct store *s, struct schema *schema)
{
    struct database *db = database_create(schema);
    struct text t = TEXT_INIT;
    if (record_put_database(s->db, 0, NULL, &t)) {
        json_t *record = json_loadb(t.s, t.len, 0, NULL);
        if (!record) {
            fail("the database's rows cannot be read back");
        }
        check_db(record_apply(db, record, RECORD_CONVERT));
        json_decref(record);
    }
    text_fini(&t);
    return db;
}

static int do_convert(int argc, char *argv[])
{
    struct schema *schema = schema_arg(argc, argv, 2);
    struct store *s = open_store(db_arg(argc, argv, 1), argc <= 3);
    struct database *db = converted(s, schema);
    if (argc > 3) {
        write_copy(db, argv[3], "converted by tsuji-dbtool");
    } else {
        struct text t = TEXT_INIT;
        bool any = record_put_database(db, (int64_t) time(NULL) * 1000, "converted by tsuji-dbtool", &t);
        check(journal_replace(s->journal, schema->json, any ? t.s : NULL, t.len));
        text_fini(&t);
    }
    database_destroy(db);
    store_destroy(s);
    return EXIT_SUCCESS;
}

/* Schemas and versions ------------------------------------------------------------------------------- */

static struct schema *schema_of_db(const char *path)
{
    struct journal *j;
    json_t *record;
    struct schema *s;
    check(journal_open(path, false, &file_ops_system, &j));
    check(journal_read(j, &record));
    if (!record) {
        fail("the file is empty, not a database");
    }
    check_db(schema_from_json(&s, record));
    json_decref(record);
    journal_close(j);
    return s;
}

static int print_and_free(struct schema *s, const char *what)
{
    puts(what ? what : "");
    schema_destroy(s);
    return EXIT_SUCCESS;
}

static int do_db_name(int argc, char *argv[])
{
    struct schema *s = schema_of_db(db_arg(argc, argv, 1));
    return print_and_free(s, s->name);
}

static int do_db_version(int argc, char *argv[])
{
    struct schema *s = schema_of_db(db_arg(argc, argv, 1));
    return print_and_free(s, s->version);
}

static int do_db_cksum(int argc, char *argv[])
{
    struct schema *s = schema_of_db(db_arg(argc, argv, 1));
    return print_and_free(s, s->cksum);
}

static int do_schema_name(int argc, char *argv[])
{
    struct schema *s = schema_arg(argc, argv, 1);
    return print_and_free(s, s->name);
}

static int do_schema_version(int argc, char *argv[])
{
    struct schema *s = schema_arg(argc, argv, 1);
    return print_and_free(s, s->version);
}

static int do_schema_cksum(int argc, char *argv[])
{
    struct schema *s = schema_arg(argc, argv, 1);
    return print_and_free(s, s->cksum);
}

static int do_needs_conversion(int argc, char *argv[])
{
    struct schema *a = schema_of_db(db_arg(argc, argv, 1)), *b = schema_arg(argc, argv, 2);
    json_t *x = json_loads(a->json, 0, NULL), *y = json_loads(b->json, 0, NULL);
    puts(json_equal(x, y) ? "no" : "yes");
    json_decref(x);
    json_decref(y);
    schema_destroy(a);
    schema_destroy(b);
    return EXIT_SUCCESS;
}

/* Status 0 if it is so, 2 if it is not. */
static int do_db_is_standalone(int argc, char *argv[])
{
    FILE *f = fopen(argv[1], "re");
    char line[32] = "";
    if (!f) {
        check(error_errno(errno, "%s", argv[1]));
    }
    bool standalone = fgets(line, sizeof line, f) && !strncmp(line, "OVSDB JSON ", 11);
    fclose(f);
    return standalone ? EXIT_SUCCESS : 2;
}

static int do_compare_versions(int argc, char *argv[])
{
    static const char *const operators[] = { "<", "<=", "==", ">=", ">", "!=" };
    unsigned a[3], b[3];
    if (!schema_version_is_valid(argv[1]) || !schema_version_is_valid(argv[3])) {
        fail("a version is three decimal numbers as in 1.2.3");
    }
    sscanf(argv[1], "%u.%u.%u", &a[0], &a[1], &a[2]);
    sscanf(argv[3], "%u.%u.%u", &b[0], &b[1], &b[2]);
    int c = 0;
    for (int i = 0; i < 3 && !c; i++) {
        c = a[i] < b[i] ? -1 : a[i] > b[i];
    }
    const bool holds[] = { c < 0, c <= 0, c == 0, c >= 0, c > 0, c != 0 };
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if (!strcmp(argv[2], operators[i])) {
            return holds[i] ? EXIT_SUCCESS : 2;
        }
    }
    fail("the comparison is one of < <= == >= > !=");
}

/* Transactions --------------------------------------------------------------------------------------- */

static void count_error(const struct error *e, const struct db_txn *txn, void *failed)
{
    if (e) {
        *(bool *) failed = true;
        fprintf(stderr, "tsuji-dbtool: %s\n", error_text(e));
    }
}

static int run_transaction(int argc, char *argv[], bool write)
{
    const char *path = argc > 2 ? argv[1] : default_db();
    json_error_t problem;
    json_t *params = json_loads(argv[argc - 1], 0, &problem);
    if (!params || !json_is_array(params)) {
        fail("the transaction is a JSON array: the database's name, then operations");
    }
    struct store *s = open_store(path, write);
    const json_t *name = json_array_get(params, 0);
    if (!json_is_string(name) || strcmp(json_string_value(name), s->db->schema->name)) {
        fail("the transaction's first element is not the name of the database");
    }
    struct execute_env env = { .elapsed_ms = INT64_MAX };   /* Nothing else could make a "wait" hold. */
    struct execute_outcome outcome;
    bool failed = false;
    execute(s->db, params, &env, &outcome);
    if (outcome.txn && write) {
        store_add(s, outcome.txn, true, count_error, &failed);
        store_flush(s);
    } else if (outcome.txn) {
        db_txn_finish(outcome.txn);
    }
    puts(text_str(&outcome.result));
    text_fini(&outcome.result);
    json_decref(params);
    store_destroy(s);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int do_query(int argc, char *argv[])
{
    return run_transaction(argc, argv, false);
}

static int do_transact(int argc, char *argv[])
{
    return run_transaction(argc, argv, true);
}

/* Log -------------------------------------------------------------------------------------------------- */

static void print_row_name(const struct db_table *t, const char *uuid, const json_t *j)
{
    const json_t *name = json_object_get(j, "name");
    const struct column_schema *c = table_schema_column(t->schema, "name");
    struct uuid u;
    const struct db_row *row = uuid_parse(uuid, &u) ? db_table_row(t, &u) : NULL;
    if (json_is_string(name)) {
        printf("\"%s\" (%.8s)", json_string_value(name), uuid);
    } else if (row && c && c->type.key.type == ATOM_STRING && row->columns[c->index]->n == 1) {
        printf("\"%s\" (%.8s)", atom_string(&row->columns[c->index]->atoms[0]), uuid);
    } else {
        printf("%.8s", uuid);
    }
}

static void print_changes(const struct database *db, const json_t *record)
{
    const char *table, *uuid, *column;
    json_t *rows, *row, *value;
    bool diff = json_is_true(json_object_get(record, "_is_diff"));
    json_object_foreach ((json_t *) record, table, rows) {
        const struct db_table *t = database_table(db, table);
        if (!t) {
            continue;
        }
        json_object_foreach (rows, uuid, row) {
            struct uuid u;
            bool there = uuid_parse(uuid, &u) && db_table_row(t, &u);
            printf("  table %s %s row ", table, json_is_null(row) ? "delete" : there ? "modify" : "insert");
            print_row_name(t, uuid, row);
            puts(":");
            if (verbosity < 2 || !json_is_object(row)) {
                continue;
            }
            json_object_foreach (row, column, value) {
                const struct column_schema *c = table_schema_column(t->schema, column);
                char *s = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
                printf("    %s %s %s\n", column,
                       diff && there && c && column_type_is_composite(&c->type) ? "diff" : "=", s);
                free(s);
            }
        }
    }
}

static void print_record(int i, const json_t *record)
{
    const json_t *date = json_object_get(record, "_date");
    const json_t *comment = json_object_get(record, "_comment");
    printf("record %d:", i);
    if (json_is_integer(date)) {
        int64_t ms = json_integer_value(date);
        if (ms < INT64_C(1) << 32) {   /* Early files have seconds. */
            ms *= 1000;
        }
        time_t seconds = ms / 1000;
        struct tm tm;
        char s[64];
        if (gmtime_r(&seconds, &tm) && strftime(s, sizeof s, "%Y-%m-%d %H:%M:%S", &tm)) {
            printf(" %s.%03d", s, (int) (ms % 1000));
        }
    }
    if (json_is_string(comment)) {
        printf(" \"%s\"", json_string_value(comment));
    }
    puts("");
}

static int do_show_log(int argc, char *argv[])
{
    struct journal *j;
    json_t *record;
    struct schema *schema;
    check(journal_open(db_arg(argc, argv, 1), false, &file_ops_system, &j));
    check(journal_read(j, &record));
    if (!record) {
        fail("the file is empty, not a database");
    }
    check_db(schema_from_json(&schema, record));
    json_decref(record);
    struct database *db = database_create(schema);
    printf("record 0: \"%s\" schema, version=\"%s\", cksum=\"%s\"\n\n", schema->name, schema->version,
           schema->cksum ? schema->cksum : "");
    for (int i = 1;; i++) {
        check(journal_read(j, &record));
        if (!record) {
            break;
        }
        print_record(i, record);
        if (verbosity) {
            print_changes(db, record);
            puts("");
        }
        check_db(record_apply(db, record, RECORD_REPLAY));
        json_decref(record);
    }
    database_destroy(db);
    journal_close(j);
    return EXIT_SUCCESS;
}

/* Commands --------------------------------------------------------------------------------------------- */

static int do_help(int argc, char *argv[]);

static const struct command {
    const char *name, *usage;
    int min_args, max_args;
    int (*run)(int argc, char *argv[]);
    const char *help;
} commands[] = {
    { "create", "[DB [SCHEMA]]", 0, 2, do_create, "make an empty database" },
    { "compact", "[DB [TARGET]]", 0, 2, do_compact, "rewrite it without its history" },
    { "convert", "[DB [SCHEMA [TARGET]]]", 0, 3, do_convert, "rewrite it under another schema" },
    { "query", "[DB] TRANSACTION", 1, 2, do_query, "carry out a transaction in memory only" },
    { "transact", "[DB] TRANSACTION", 1, 2, do_transact, "carry out a transaction" },
    { "show-log", "[DB]", 0, 1, do_show_log, "print its history (-m: rows, -mm: columns)" },
    { "db-name", "[DB]", 0, 1, do_db_name, "print the name of its schema" },
    { "db-version", "[DB]", 0, 1, do_db_version, "print the version of its schema" },
    { "db-cksum", "[DB]", 0, 1, do_db_cksum, "print the checksum of its schema" },
    { "db-is-standalone", "DB", 1, 1, do_db_is_standalone, "status 0 if it is, 2 if not" },
    { "schema-name", "[SCHEMA]", 0, 1, do_schema_name, "print its name" },
    { "schema-version", "[SCHEMA]", 0, 1, do_schema_version, "print its version" },
    { "schema-cksum", "[SCHEMA]", 0, 1, do_schema_cksum, "print its checksum" },
    { "needs-conversion", "[DB [SCHEMA]]", 0, 2, do_needs_conversion, "print yes if they differ" },
    { "compare-versions", "A OP B", 3, 3, do_compare_versions, "status 0 if it holds, 2 if not" },
    { "help", "", 0, 0, do_help, "print this" },
};

static int do_help(int argc, char *argv[])
{
    printf("tsuji-dbtool makes, reads and changes database files that no server has open.\n"
           "usage: tsuji-dbtool [OPTION]... COMMAND [ARGUMENT]...\n\nCommands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        printf("  %-17s%-24s%s\n", commands[i].name, commands[i].usage, commands[i].help);
    }
    printf("\nThe default DB is %s, the default SCHEMA is Open_vSwitch's, compiled in.\n"
           "\nOptions:\n"
           "  -m, --more            with show-log: more (twice: still more)\n"
           "  -v, --verbose=[WORD]  log levels\n"
           "  -h, --help            print this\n"
           "  -V, --version         print the version\n", default_db());
    return EXIT_SUCCESS;
}

static int run_command(int argc, char *argv[])
{
    if (!argc) {
        fail("a command is missing; --help names them");
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];
        if (!strcmp(c->name, argv[0])) {
            if (argc - 1 < c->min_args || argc - 1 > c->max_args) {
                char *text = xasprintf("usage: %s %s", c->name, c->usage);
                fail(text);
            }
            return c->run(argc, argv);
        }
    }
    char *text = xasprintf("there is no command \"%s\"; --help names them", argv[0]);
    fail(text);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "more", no_argument, NULL, 'm' },
        { "verbose", optional_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    log_init("tsuji-dbtool");
    for (int c; (c = getopt_long(argc, argv, "+mv::hV", options, NULL)) != -1;) {
        switch (c) {
        case 'm':
            verbosity++;
            break;
        case 'v':
            check(log_set_from_word(optarg ? optarg : "dbg"));
            break;
        case 'h':
            return do_help(0, NULL);
        case 'V':
            printf("%s\ntsuji-dbtool %s\n", control_program_line("ovsdb-tool"), PACKAGE_VERSION);
            return EXIT_SUCCESS;
        default:
            return EXIT_FAILURE;
        }
    }
    /* "show-log -m FILE" is usual too. */
    if (argc - optind >= 1) {
        const char *name = argv[optind];
        int first = optind;
        while (argc - first > 1 && !strncmp(argv[first + 1], "-m", 2) && !strcmp(name, "show-log")) {
            verbosity += strlen(argv[first + 1]) - 1;
            argv[first + 1] = argv[first];
            first++;
        }
        optind = first;
    }
    return run_command(argc - optind, argv + optind);
}
