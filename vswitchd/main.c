/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-vswitchd: the switch. Alone it is all of it; beside tsuji-dbserver or tsuji-datapathd it is the control plane. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "datapath/server.h"
#include "db/client.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "lib/sys/channel.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "lib/sys/process.h"
#include "spec/db.h"
#include "vswitchd/embedded.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(main);

struct options {
    struct process_options process;
    char *database;                 /* Remote to use; NULL: our own, unless one is served already. */
    char *database_file;
    const char *remotes[16];        /* Of the embedded database. */
    size_t n_remotes;
    char *datapath;                 /* Socket to use; "embedded"; NULL: the run directory's if it answers, else embedded. */
    bool enable_system;
    const char *dummy;              /* NULL, "", "override", "system" */
};

/* ---- Options ---- */

enum { OPT_DATABASE_FILE = 2000, OPT_REMOTE, OPT_DATAPATH, OPT_DUMMY, OPT_DISABLE_SYSTEM, OPT_DISABLE_SYSTEM_ROUTE };

static void usage(void)
{
    struct text t = TEXT_INIT;
    text_put(&t, "tsuji-vswitchd: the programmable virtual switch\n"
             "usage: tsuji-vswitchd [OPTIONS] [DATABASE]\n\n"
             "Without DATABASE (\"unix:FILE\", \"tcp:HOST:PORT\") it uses the database that is served in the run directory,\n"
             "and if there is none it serves its own. Without --datapath it uses the tsuji-datapathd of the run directory,\n"
             "and if there is none its own threads forward the packets.\n\n"
             "  --database-file=FILE     file of its own database (default: conf.db in the database directory)\n"
             "  --remote=REMOTE          serve its own database at REMOTE too (punix:, ptcp:, db:DB,TABLE,COLUMN)\n"
             "  --datapath=SOCKET        use the tsuji-datapathd at SOCKET; \"embedded\": never one\n"
             "  --enable-dummy[=override|system]  allow ports without a device (override: all are;\n"
             "                           system: those of type system)\n"
             "  --disable-system         touch no device of this machine\n"
             "  --disable-system-route   for scripts that give it: no effect, tunnels leave by the routes of the host\n\n");
    process_options_usage(&t);
    fputs(text_str(&t), stdout);
    text_fini(&t);
}

static void parse_options(int argc, char *argv[], struct options *o)
{
    static const struct option own[] = {
        { "database-file", required_argument, NULL, OPT_DATABASE_FILE },
        { "remote", required_argument, NULL, OPT_REMOTE },
        { "datapath", required_argument, NULL, OPT_DATAPATH },
        { "enable-dummy", optional_argument, NULL, OPT_DUMMY },
        { "disable-system", no_argument, NULL, OPT_DISABLE_SYSTEM },
        { "disable-system-route", no_argument, NULL, OPT_DISABLE_SYSTEM_ROUTE },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
    };
    struct option all[ARRAY_SIZE(own) + PROCESS_MAX_OPTIONS + 1];
    memcpy(all, own, sizeof own);
    memset(all + ARRAY_SIZE(own), 0, sizeof all - sizeof own);
    process_add_options(all);

    int c;
    while ((c = getopt_long(argc, argv, "hVv::", all, NULL)) != -1) {
        struct error *e = NULL;
        switch (c) {
        case OPT_DATABASE_FILE:
            o->database_file = xstrdup(optarg);
            break;
        case OPT_REMOTE:
            if (o->n_remotes == ARRAY_SIZE(o->remotes) - 1) {
                fprintf(stderr, "tsuji-vswitchd: more than %zu remotes\n", ARRAY_SIZE(o->remotes) - 1);
                exit(EXIT_FAILURE);
            }
            o->remotes[o->n_remotes++] = optarg;
            break;
        case OPT_DATAPATH:
            o->datapath = xstrdup(optarg);
            break;
        case OPT_DUMMY:
            o->dummy = optarg ? optarg : "";
            if (*o->dummy && strcmp(o->dummy, "override") && strcmp(o->dummy, "system")) {
                fprintf(stderr, "tsuji-vswitchd: --enable-dummy=%s: it is \"override\" or \"system\"\n", o->dummy);
                exit(EXIT_FAILURE);
            }
            break;
        case OPT_DISABLE_SYSTEM:
            o->enable_system = false;
            break;
        case OPT_DISABLE_SYSTEM_ROUTE:
            break;   /* Tunnels use the host's sockets: no routes are read. */
        case 'h':
            usage();
            exit(EXIT_SUCCESS);
        case 'V':
            printf("tsuji-vswitchd (Open vSwitch) %s\ntsuji %s\n", COMPAT_VERSION, PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        default:
            if (!process_option(&o->process, c, optarg, &e)) {
                fprintf(stderr, "tsuji-vswitchd: --help shows the options\n");
                exit(EXIT_FAILURE);
            }
            if (e) {
                fprintf(stderr, "tsuji-vswitchd: %s\n", error_text(e));
                exit(EXIT_FAILURE);
            }
        }
    }
    if (argc - optind > 1) {
        fprintf(stderr, "tsuji-vswitchd: one database at most, not %d\n", argc - optind);
        exit(EXIT_FAILURE);
    }
    o->database = argc > optind ? xstrdup(argv[optind]) : NULL;
}

/* ---- Starting ---- */

struct daemon {
    struct options options;
    struct vswitch vs;
    struct embedded_db *embedded_db;
    struct datapath *embedded_dp;
    struct control_server *control;
    bool ready;
    bool remove_ports;              /* exit --cleanup */
};

static void die_if(struct error *e)
{
    if (e) {
        LOG_ERR("%s", error_text(e));
        fprintf(stderr, "tsuji-vswitchd: %s\n", error_text(e));
        exit(EXIT_FAILURE);
    }
}

/* Does somebody listen at the socket file? 'type' is SOCK_STREAM or SOCK_SEQPACKET. */
static bool answers(const char *path, int type)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        return false;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    bool yes = fd >= 0 && !connect(fd, (struct sockaddr *) &address, sizeof address);
    if (fd >= 0) {
        close(fd);
    }
    return yes;
}

static void start_database(struct daemon *d)
{
    struct options *o = &d->options;
    char *socket = process_rundir_file("db.sock");
    d->vs.db = db_client_create(d->vs.loop, &db_schema);
    vswitch_monitor(d->vs.db);
    if (!o->database && !o->database_file && !o->n_remotes && answers(socket, SOCK_STREAM)) {
        o->database = xasprintf("unix:%s", socket);
    }
    if (o->database) {
        LOG_INFO("database: %s", o->database);
        die_if(db_client_connect(d->vs.db, o->database));
    } else {
        char *file = o->database_file ? xstrdup(o->database_file) : xasprintf("%s/conf.db", process_dbdir());
        char *remote = xasprintf("punix:%s", socket);
        if (!o->n_remotes) {
            o->remotes[o->n_remotes++] = remote;
            o->remotes[o->n_remotes++] = "db:Open_vSwitch,Open_vSwitch,manager_options";
        }
        int fd;
        die_if(embedded_db_start(file, o->remotes, &d->embedded_db, &fd));
        LOG_INFO("database: %s, served by this process", file);
        db_client_attach(d->vs.db, fd);
        free(file);
        free(remote);
    }
    free(socket);
}

static void datapath_connected(void *d_)
{
    struct daemon *d = d_;
    vswitch_datapath_connected(&d->vs);
}

static void ports_changed(void *d_)
{
    struct daemon *d = d_;
    __atomic_store_n(&d->vs.port_events_posted, false, __ATOMIC_SEQ_CST);
    vswitch_ports_changed(&d->vs);
}

static void on_connected(void *d)
{
    loop_post(((struct daemon *) d)->vs.loop, datapath_connected, d);
}

static void on_disconnected(void *d UNUSED)
{
    LOG_WARN("datapath: the connection is lost; it goes on forwarding by the flows that it has");
}

static void on_port_changed(uint32_t port UNUSED, void *d_)
{
    struct daemon *d = d_;
    if (!__atomic_exchange_n(&d->vs.port_events_posted, true, __ATOMIC_SEQ_CST)) {
        loop_post(d->vs.loop, ports_changed, d);
    }
}

static void choose_datapath(struct daemon *d)
{
    struct options *o = &d->options;
    char *socket = process_rundir_file("datapath.sock");
    if (!o->datapath && !o->dummy && answers(socket, SOCK_SEQPACKET)) {
        o->datapath = xstrdup(socket);
    }
    free(socket);
    d->vs.embedded = !o->datapath || !strcmp(o->datapath, "embedded");
}

/* Before any thread: capabilities belong to threads. Beside a tsuji-datapathd none is needed. */
static void become_user(struct daemon *d)
{
    const char *user = d->options.process.user;
    struct datapath_options of_datapath = { .enable_system = d->options.enable_system };
    if (user) {
        die_if(process_drop_privileges(user, d->vs.embedded ? datapath_capabilities(&of_datapath) : NULL));
    }
}

static void start_datapath(struct daemon *d)
{
    static const struct dp_events events = { on_connected, on_disconnected, on_port_changed, NULL };
    struct options *o = &d->options;
    if (!d->vs.embedded) {
        LOG_INFO("datapath: %s", o->datapath);
        d->vs.hold = true;
        d->vs.hold_since_ms = clock_ms();
        die_if(dp_client_connect(o->datapath, &events, d, &d->vs.dp));
    } else {
        int fd;
        die_if(embedded_datapath_start(o->enable_system, o->dummy && *o->dummy ? o->dummy : NULL, &d->embedded_dp, &fd));
        die_if(dp_client_from_fd(fd, &events, d, &d->vs.dp));
    }
}

static void database_changed(struct db_client *db, void *d_)
{
    struct daemon *d = d_;
    if (db_client_is_synced(db)) {
        vswitch_reconfigure(&d->vs);
        db_client_track_clear(db);
    }
}

static void reconfigure_due(void *vs_)
{
    struct vswitch *vs = vs_;
    if (vs->unread) {
        vswitch_datapath_connected(vs);
    } else if (vs->retry) {
        vswitch_retry(vs);
    }
    vswitch_hold_check(vs);
}

static void status_changed(void *vs_)
{
    struct vswitch *vs = vs_;
    vs->status_dirty = true;
    loop_timer_after_ms(&vs->status_timer, 0);
}

static void exit_requested(void *d_)
{
    struct daemon *d = d_;
    loop_stop(d->vs.loop);
}

static void start_control(struct daemon *d)
{
    static const struct control_command *const tables[] = {
        vswitch_commands, ofproto_commands, control_log_commands, control_time_commands,
    };
    char *path = process_unixctl_path(&d->options.process);
    if (path) {
        char *line = control_program_line("ovs-vswitchd");
        die_if(control_server_create(d->vs.loop, path, line, tables, ARRAY_SIZE(tables), &d->vs, &d->control));
        control_server_set_arg(d->control, ofproto_commands, d->vs.ofproto);
        process_unlink_at_exit(path);
        free(line);
        free(path);
    }
}

static void vswitch_start(struct daemon *d)
{
    struct vswitch *vs = &d->vs;
    vs->loop = loop_create("main");
    vs->applied_cfg = -1;
    list_init(&vs->bridges);
    hmap_init(&vs->results);
    vs->exit = exit_requested;
    vs->exit_arg = d;
    loop_timer_init(&vs->reconfigure_timer, vs->loop, reconfigure_due, vs);
    vswitch_status_init(vs);
    start_datapath(d);
    struct ofproto_options of = {
        .loop = vs->loop, .dp = vs->dp, .rundir = process_rundir(), .hold = vs->hold, .status_changed = status_changed, .arg = vs,
    };
    die_if(ofproto_create(&of, &vs->ofproto));
    start_database(d);
    db_client_set_changed(vs->db, database_changed, d);
    start_control(d);
}

static void vswitch_stop(struct daemon *d)
{
    control_server_destroy(d->control);
    ofproto_destroy(d->vs.ofproto);
    dp_client_destroy(d->vs.dp);
    if (d->embedded_dp) {
        datapath_destroy(d->embedded_dp);
    }
    db_client_destroy(d->vs.db);
    embedded_db_stop(d->embedded_db);
}

int main(int argc, char *argv[])
{
    struct daemon *d = xzalloc(sizeof *d);
    d->options.process.program = "tsuji-vswitchd";
    d->options.process.compat_name = "ovs-vswitchd";
    d->options.enable_system = true;
    log_init("ovs-vswitchd");
    process_crash_reports();
    parse_options(argc, argv, &d->options);
    die_if(process_start(&d->options.process));
    choose_datapath(d);
    become_user(d);
    vswitch_start(d);
    process_ready();
    loop_run(d->vs.loop);
    vswitch_stop(d);
    process_cleanup();
    return EXIT_SUCCESS;
}
