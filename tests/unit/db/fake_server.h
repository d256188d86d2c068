/* SPDX-License-Identifier: Apache-2.0 */
/* A database server that says what a test tells it, and remembers what it was asked. */
#ifndef TESTS_UNIT_DB_FAKE_SERVER_H
#define TESTS_UNIT_DB_FAKE_SERVER_H

#include <jansson.h>

#include "lib/base/types.h"

struct jsonrpc;
struct loop;

struct fake_server {
    struct loop *loop;
    char address[64];            /* Where clients connect to. */
    char *directory;
    struct stream_listener *listener;
    struct jsonrpc *rpc;         /* The only session. */
    unsigned n_sessions;
    unsigned n_refused_methods;  /* Of monitor_cond_since, monitor_cond, monitor: the first are unknown. */
    json_t *schema;
    json_t *rows;                /* {table: {uuid: {column: value}}} */
    bool is_found;               /* monitor_cond_since says that nothing was missed. */
    json_t *monitor;             /* The last monitor request: its method in front of its parameters. */
    json_t *transaction;         /* The parameters of the last "transact", */
    json_t *transaction_id;      /* and its ID, unless 'reply' answered it. */
    json_t *reply;               /* To answer transactions with at once; NULL: not at once. */
    json_t *cluster;             /* <table-updates> of the database _Server; NULL: there is none. */
    unsigned n_transactions, n_echo_replies, n_lock_requests;
};

void fake_server_init(struct fake_server *, struct loop *);
void fake_server_fini(struct fake_server *);
void fake_server_hang_up(struct fake_server *);
/* Notifies of a change in the form of the monitor: <table-updates> for both forms. Takes them. */
void fake_server_update(struct fake_server *, const char *updates, const char *updates2);
void fake_server_notify(struct fake_server *, const char *method, const char *params);
/* Answers the transaction that waits. */
void fake_server_reply(struct fake_server *, const char *results);
/* Runs the loop until nothing happens any more. */
void fake_server_settle(struct fake_server *);

#endif
