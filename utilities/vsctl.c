/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-vsctl: changes and shows the switch's configuration. */
#include "utilities/vsctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/schema_text.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"
#include "lib/sys/process.h"
#include "utilities/vsctl_options.h"

LOG_MODULE(vsctl);

enum { EXIT_PORT_FAILED = 65 };   /* The database has the port, the switch could not make it. */

static const char *program;

static NORETURN void die(struct error *e)
{
    int code = error_code(e) > ERROR_CODE_OWN ? error_code(e) - ERROR_CODE_OWN : EXIT_FAILURE;
    if (*error_text(e)) {
        fprintf(stderr, "%s: %s\n", program, error_text(e));
    }
    exit(code);
}

static void time_out(int signal)
{
    static const char text[] = ": the time given by --timeout is over\n";
    if (write(STDERR_FILENO, program, strlen(program)) < 0 ||
        write(STDERR_FILENO, text, sizeof text - 1) < 0) {
        /* Nobody to tell. */
    }
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigaction(signal, &action, NULL);
    raise(signal);
}

static void set_alarm(int seconds)
{
    struct sigaction action = { .sa_handler = time_out };
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    alarm(seconds);
}

/* One try ---------------------------------------------------------------------------------------- */

static void end_try(struct vsctl *v, struct vsctl_command *commands, size_t n)
{
    vsctl_model_forget(v);
    dbc_txn_destroy(v->txn);
    v->txn = NULL;
    v->must_wait = false;
    for (size_t i = 0; i < v->n_symbols; i++) {
        free(v->symbols[i].name);
    }
    v->n_symbols = 0;
    for (size_t i = 0; i < v->n_new_interfaces; i++) {
        free(v->new_interfaces[i]);
    }
    v->n_new_interfaces = 0;
    for (size_t i = 0; i < n; i++) {
        text_clear(&commands[i].output);
        vsctl_table_destroy(commands[i].table);
        commands[i].table = NULL;
        commands[i].created = NULL;
    }
}

/* The row of the switch itself, which a command that writes makes if there is none. */
static const struct db_open_vswitch *switch_row(struct vsctl *v)
{
    const struct db_open_vswitch *ovs = db_open_vswitch_first(v->client);
    return ovs ? ovs : db_open_vswitch_insert(v->txn);
}

static void warn_about_symbols(struct vsctl *v)
{
    for (size_t i = 0; i < v->n_symbols; i++) {
        const struct vsctl_symbol *s = &v->symbols[i];
        if (!s->is_strong) {
            LOG_WARN("row id \"%s\" was created but no %sreference to it was inserted, so it will not "
                     "actually appear in the database", s->name, s->is_referenced ? "strong " : "");
        }
    }
}

/* Runs all commands in a new transaction. */
static struct error *run_commands(struct vsctl *v, struct vsctl_command *commands, size_t n,
                                  const char *line)
{
    v->txn = dbc_txn_create(v->client);
    bool writes = false;
    for (size_t i = 0; i < n; i++) {
        writes |= commands[i].syntax->writes;
    }
    v->ovs = switch_row(v);
    if (v->dry_run) {
        dbc_txn_set_dry_run(v->txn);
    }
    dbc_txn_comment(v->txn, "%s: %s", program, line);
    if (writes && !v->no_wait) {
        if (v->ovs->row.is_pending) {
            db_open_vswitch_set_next_cfg(v->txn, v->ovs, 1);
        } else {
            dbc_txn_increment(v->txn, &v->ovs->row, &db_open_vswitch_col_next_cfg);
        }
    }
    for (size_t i = 0; i < n; i++) {
        struct error *e = commands[i].syntax->run(v, &commands[i]);
        if (e || v->must_wait) {
            return e;
        }
    }
    if (!writes && v->ovs->row.is_pending) {
        dbc_txn_delete(v->txn, &v->ovs->row);
    }
    struct error *e = vsctl_check_symbols(v);
    if (!e) {
        warn_about_symbols(v);
    }
    return e;
}

/* Runs the loop until the replica is not any more what it was at 'seqno'. */
static void wait_for_change(struct vsctl *v, uint64_t seqno)
{
    while (db_client_is_connected(v->client) && db_client_seqno(v->client) == seqno) {
        loop_run_once(v->loop, -1);
    }
}

static struct error *transaction_error(struct vsctl *v)
{
    char *json = dbc_txn_error_json(v->txn)
                     ? json_dumps(dbc_txn_error_json(v->txn), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)
                     : NULL;
    struct error *e = error_new(EINVAL, "transaction error: %s", json ? json : dbc_txn_error(v->txn));
    free(json);
    return e;
}

/* Tries until the transaction is committed or fails. */
static struct error *execute(struct vsctl *v, struct vsctl_command *commands, size_t n, const char *line,
                             enum dbc_txn_status *status)
{
    for (;;) {
        struct error *e = db_client_wait_synced(v->client, -1);
        if (e) {
            return error_wrap(e, "database connection failed");
        }
        db_client_track_clear(v->client);
        uint64_t seqno = db_client_seqno(v->client);
        e = run_commands(v, commands, n, line);
        if (e) {
            return e;
        }
        if (!v->must_wait) {
            *status = dbc_txn_commit_wait(v->txn, -1);
            if (*status == DB_TXN_ERROR) {
                return transaction_error(v);
            }
            if (*status != DB_TXN_TRY_AGAIN) {
                return NULL;
            }
        }
        end_try(v, commands, n);
        wait_for_change(v, seqno);
    }
}

/* Output ----------------------------------------------------------------------------------------- */

static void put_oneline(const char *s, size_t n)
{
    n -= n && s[n - 1] == '\n';
    for (size_t i = 0; i < n; i++) {
        switch (s[i]) {
        case '\n':
            fputs("\\n", stdout);
            break;
        case '\\':
            fputs("\\\\", stdout);
            break;
        default:
            putchar(s[i]);
        }
    }
    putchar('\n');
}

static void print_outputs(struct vsctl *v, struct vsctl_command *commands, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct vsctl_command *c = &commands[i];
        if (c->syntax->finish) {
            c->syntax->finish(v, c);
        }
        if (c->table) {
            vsctl_table_put(v, c->table, &c->output);
        }
        if (v->oneline) {
            put_oneline(text_str(&c->output), c->output.len);
        } else {
            fputs(text_str(&c->output), stdout);
        }
    }
    fflush(stdout);
}

/* Waiting for the switch ------------------------------------------------------------------------- */

/* What became of the interfaces that were added. */
static struct error *check_interfaces(struct vsctl *v)
{
    bool failed = false;
    for (size_t i = 0; i < v->n_new_interfaces; i++) {
        const struct db_interface *iface = db_interface_by_name(v->client, v->new_interfaces[i]);
        const char *warning = iface ? smap_get(&iface->status, "config_warning") : NULL;
        if (warning) {
            fprintf(stderr, "%s: warning: interface %s: %s\n", program, v->new_interfaces[i], warning);
        }
        if (!iface || (iface->has_ofport && iface->ofport != -1)) {
            continue;
        }
        failed = true;
        fprintf(stderr, "%s: Error detected while setting up '%s': %s.  See the log of the switch daemon "
                "for details.\n", program, v->new_interfaces[i],
                iface->error ? iface->error : "it has no port number");
    }
    return failed ? VSCTL_EXIT(EXIT_PORT_FAILED) : NULL;
}

static struct error *wait_for_switch(struct vsctl *v, int64_t next_cfg)
{
    for (;;) {
        const struct db_open_vswitch *ovs = db_open_vswitch_first(v->client);
        if (ovs && ovs->cur_cfg >= next_cfg) {
            return check_interfaces(v);
        }
        uint64_t seqno = db_client_seqno(v->client);
        wait_for_change(v, seqno);
        struct error *e = db_client_wait_synced(v->client, -1);
        if (e) {
            return error_wrap(e, "database connection failed");
        }
    }
}

/* Main ------------------------------------------------------------------------------------------- */

static struct error *prepare(struct vsctl *v, struct vsctl_command *commands, size_t n)
{
    bool writes = false;
    for (size_t i = 0; i < n; i++) {
        struct error *e = commands[i].syntax->prepare(v, &commands[i]);
        if (e) {
            return e;
        }
        writes |= commands[i].syntax->writes;
    }
    db_client_monitor_column(v->client, &db_open_vswitch_col_cur_cfg);
    if (writes && !v->no_wait && !v->dry_run) {
        db_client_monitor_column(v->client, &db_interface_col_name);
        db_client_monitor_column(v->client, &db_interface_col_ofport);
        db_client_monitor_column(v->client, &db_interface_col_error);
        db_client_monitor_column(v->client, &db_interface_col_status);
    }
    return NULL;
}

/* The command line for people, quoted where it needs it. */
static char *whole_line(int argc, char **argv)
{
    struct text t = TEXT_INIT;
    for (int i = 1; i < argc; i++) {
        bool quote = !*argv[i] || argv[i][strcspn(argv[i], " \t\n'\"\\")];
        text_put(&t, i > 1 ? " " : "");
        if (quote) {
            json_put_string(&t, argv[i], strlen(argv[i]));
        } else {
            text_put(&t, argv[i]);
        }
    }
    return text_steal(&t);
}

static struct error *run(struct vsctl *v, struct vsctl_command *commands, size_t n, const char *line)
{
    enum dbc_txn_status status;
    struct error *e = prepare(v, commands, n);
    if (!e) {
        e = db_client_connect(v->client, v->db);
    }
    if (!e) {
        e = execute(v, commands, n, line, &status);
    }
    if (e) {
        return e;
    }
    int64_t next_cfg = v->ovs->row.is_pending ? 1 : dbc_txn_incremented(v->txn);
    print_outputs(v, commands, n);
    bool writes = false;
    for (size_t i = 0; i < n; i++) {
        writes |= commands[i].syntax->writes;
    }
    return status == DB_TXN_SUCCESS && writes && !v->no_wait && !v->dry_run
               ? wait_for_switch(v, next_cfg) : NULL;
}

int main(int argc, char **argv)
{
    program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    log_init(program);
    error_free(log_set_from_word("console:warn"));
    struct vsctl v = { .style = VSCTL_STYLE_STRING };
    struct smap first_options = SMAP_INIT;
    int used;
    struct error *e = vsctl_parse_options(&v, argc, argv, &first_options, &used);
    struct vsctl_command *commands = NULL;
    size_t n = 0;
    if (!e) {
        e = vsctl_parse_line(argc - used, argv + used, &first_options, &commands, &n);
    }
    if (!e) {
        e = schema_from_text(&v.schema, vswitch_schema_text);
    }
    if (e) {
        die(e);
    }
    char *line = whole_line(argc, argv), *db = NULL;
    if (!v.db) {
        char *path = process_rundir_file("db.sock");
        v.db = db = xasprintf("unix:%s", path);
        free(path);
    }
    if (v.timeout_s) {
        set_alarm(v.timeout_s);
    }
    LOG_INFO("called as %s %s", program, line ? line : "");
    v.loop = loop_create("vsctl");
    v.client = db_client_create(v.loop, &db_schema);
    db_client_set_retry(v.client, v.retry);
    e = run(&v, commands, n, line ? line : "");
    if (e) {
        die(e);
    }
    end_try(&v, commands, n);
    for (size_t i = 0; i < n; i++) {
        smap_fini(&commands[i].options);
        text_fini(&commands[i].output);
    }
    free(commands);
    free(v.symbols);
    free(v.new_interfaces);
    smap_fini(&first_options);
    db_client_destroy(v.client);
    loop_destroy(v.loop);
    schema_destroy(v.schema);
    free(line);
    free(db);
    return EXIT_SUCCESS;
}
