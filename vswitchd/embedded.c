/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the database and the datapath inside this process. */
#include "vswitchd/embedded.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/server.h"
#include "db/schema_text.h"
#include "db/server.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/channel.h"
#include "lib/sys/loop.h"
#include "lib/sys/thread.h"

struct embedded_db {
    struct loop *loop;
    struct db_server *server;
    pthread_t thread;
};

static void run_db(void *db_)
{
    struct embedded_db *db = db_;
    loop_run(db->loop);
    db_server_destroy(db->server);
}

struct error *embedded_db_start(const char *file, const char *const *remotes, struct embedded_db **out, int *fd)
{
    struct embedded_db *db = xzalloc(sizeof *db);
    db->loop = loop_create("db");
    db->server = db_server_create(db->loop);
    struct error *e = db_server_add_or_create_file(db->server, file, vswitch_schema_text);
    for (size_t i = 0; !e && remotes[i]; i++) {
        e = db_server_add_remote(db->server, remotes[i]);
    }
    int fds[2] = { -1, -1 };
    if (!e && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds)) {
        e = error_errno(errno, "socketpair to the database");
    }
    if (!e) {
        db_server_serve_fd(db->server, fds[0], "vswitchd");
        e = thread_start(&db->thread, "db", run_db, db);
    }
    if (e) {
        db_server_destroy(db->server);
        loop_destroy(db->loop);
        free(db);
        return error_wrap(e, "embedded database");
    }
    *fd = fds[1];
    *out = db;
    return NULL;
}

static void stop_loop(void *loop)
{
    loop_stop(loop);
}

void embedded_db_stop(struct embedded_db *db)
{
    if (db) {
        loop_post(db->loop, stop_loop, db->loop);
        thread_join(db->thread);
        loop_destroy(db->loop);
        free(db);
    }
}

struct error *embedded_datapath_start(bool enable_system, const char *dummy_override, struct datapath **out, int *fd)
{
    struct datapath_options options;
    datapath_options_init(&options);
    options.enable_system = enable_system;
    options.dummy_override = dummy_override;
    struct datapath *dp;
    struct error *e = datapath_create(&options, &dp);
    if (e) {
        return error_wrap(e, "embedded datapath");
    }
    int fds[2];
    int err = channel_pair(fds);
    if (err) {
        datapath_destroy(dp);
        return error_errno(err, "channel to the embedded datapath");
    }
    e = datapath_serve_fd(dp, fds[0]);
    if (e) {
        datapath_destroy(dp);
        close(fds[1]);
        return e;
    }
    *out = dp;
    *fd = fds[1];
    return NULL;
}
