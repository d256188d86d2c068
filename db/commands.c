/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the database server's control socket. */
#include <inttypes.h>

#include "db/server.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/process.h"

static void finish(struct control_request *r, struct error *e)
{
    if (e) {
        control_reply_error_take(r, e);
    } else {
        control_reply(r, "");
    }
}

static void finish_text(struct control_request *r, struct text *t)
{
    control_reply(r, text_str(t));
    text_fini(t);
}

static void compact(struct control_request *r, int argc, char *argv[], void *server)
{
    finish(r, db_server_compact(server, argc > 1 ? argv[1] : NULL));
}

static void add_db(struct control_request *r, int argc, char *argv[], void *server)
{
    finish(r, db_server_add_file(server, argv[1]));
}

static void remove_db(struct control_request *r, int argc, char *argv[], void *server)
{
    finish(r, db_server_remove_db(server, argv[1]));
}

static void list_dbs(struct control_request *r, int argc, char *argv[], void *server)
{
    struct text t = TEXT_INIT;
    db_server_list_dbs(server, &t);
    finish_text(r, &t);
}

static void add_remote(struct control_request *r, int argc, char *argv[], void *server)
{
    finish(r, db_server_add_remote(server, argv[1]));
}

static void remove_remote(struct control_request *r, int argc, char *argv[], void *server)
{
    finish(r, db_server_remove_remote(server, argv[1]));
}

static void list_remotes(struct control_request *r, int argc, char *argv[], void *server)
{
    struct text t = TEXT_INIT;
    db_server_list_remotes(server, &t);
    finish_text(r, &t);
}

static void sync_status(struct control_request *r, int argc, char *argv[], void *server)
{
    control_reply(r, "state: active\n");   /* It copies from no other server. */
}

static void memory_show(struct control_request *r, int argc, char *argv[], void *server)
{
    struct text t = TEXT_INIT;
    db_server_memory(server, &t);
    text_printf(&t, " resident:%zu\n", process_resident_bytes());
    finish_text(r, &t);
}

const struct control_command db_server_commands[] = {
    { "ovsdb-server/compact", "[DATABASE]", "Rewrites the files of the databases without their history.",
      0, 1, compact },
    { "ovsdb-server/add-db", "FILE", "Serves one more database file.", 1, 1, add_db },
    { "ovsdb-server/remove-db", "DATABASE", "Stops serving a database.", 1, 1, remove_db },
    { "ovsdb-server/list-dbs", "", "Names the databases.", 0, 0, list_dbs },
    { "ovsdb-server/add-remote", "REMOTE", "Listens on, or connects to, one more remote.", 1, 1,
      add_remote },
    { "ovsdb-server/remove-remote", "REMOTE", "Gives a remote up and ends its sessions.", 1, 1,
      remove_remote },
    { "ovsdb-server/list-remotes", "", "Names the remotes.", 0, 0, list_remotes },
    { "ovsdb-server/sync-status", "", "Says whether the server copies from another one.", 0, 0,
      sync_status },
    { "memory/show", "", "Counts what the server keeps.", 0, 0, memory_show },
    { NULL, NULL, NULL, 0, 0, NULL },
};
