/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a server that is made to say anything: connecting, watching, transactions, locks. */
#include "db/client.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/rpc/jsonrpc.h"
#include "lib/rpc/stream.h"
#include "lib/sys/loop.h"
#include "spec/db.h"
#include "tests/unit/db/fake_server.h"
#include "tests/unit/unit.h"

#define OVS "00000000-0000-4000-8000-000000000001"
#define BR0 "00000000-0000-4000-8000-000000000002"
#define BR1 "00000000-0000-4000-8000-000000000003"
#define P1 "00000000-0000-4000-8000-000000000004"

static struct loop *loop;
static struct fake_server server;
static struct db_client *client;
static unsigned n_changes;

static void note_change(struct db_client *c, void *arg)
{
    n_changes++;
}

static void set_up(void)
{
    loop = loop_create("test");
    fake_server_init(&server, loop);
    json_decref(server.rows);
    server.rows = json_loads(
        "{\"Open_vSwitch\":{\""OVS"\":{\"bridges\":[\"uuid\",\""BR0"\"],\"next_cfg\":5}},"
        "\"Bridge\":{\""BR0"\":{\"name\":\"br0\",\"ports\":[\"uuid\",\""P1"\"],"
        "\"other_config\":[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"]]]}},"
        "\"Port\":{\""P1"\":{\"name\":\"p1\",\"tag\":7,\"trunks\":[\"set\",[1,2,3]]}}}", 0, NULL);
    ck_assert_ptr_nonnull(server.rows);
    client = db_client_create(loop, &db_schema);
    db_client_monitor(client, &db_open_vswitch_table);
    db_client_monitor(client, &db_bridge_table);
    db_client_monitor(client, &db_port_table);
    db_client_set_changed(client, note_change, NULL);
    db_client_set_max_backoff_ms(client, 1);
    n_changes = 0;
}

static void tear_down(void)
{
    db_client_destroy(client);
    fake_server_fini(&server);
    loop_destroy(loop);
}

static void connect_client(void)
{
    struct error *e = db_client_connect(client, server.address);
    ck_assert_ptr_null(e);
    e = db_client_wait_synced(client, 5000);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
}

static const struct db_bridge *br0(void)
{
    const struct db_bridge *br = db_bridge_by_name(client, "br0");
    ck_assert_ptr_nonnull(br);
    return br;
}

/* Watching --------------------------------------------------------------------------------------- */

START_TEST(each_way_to_monitor)
{
    server.n_refused_methods = _i;
    connect_client();
    ck_assert_uint_eq(n_changes, 1);
    ck_assert_uint_eq(db_client_n_rows(client, &db_bridge_table), 1);
    const struct db_open_vswitch *ovs = db_open_vswitch_first(client);
    ck_assert_uint_eq(ovs->n_bridges, 1);
    ck_assert_ptr_eq(ovs->bridges[0], br0());
    ck_assert_int_eq(ovs->next_cfg, 5);
    ck_assert_str_eq(br0()->ports[0]->name, "p1");
    ck_assert(br0()->ports[0]->has_tag);
    ck_assert_int_eq(br0()->ports[0]->tag, 7);
    ck_assert_str_eq(smap_get(&br0()->other_config, "b"), "2");
    db_client_track_clear(client);

    fake_server_update(&server,
        "{\"Open_vSwitch\":{\""OVS"\":{\"old\":{},\"new\":{\"bridges\":[\"set\",[[\"uuid\",\""BR0"\"],"
        "[\"uuid\",\""BR1"\"]]]}}},\"Bridge\":{\""BR1"\":{\"new\":{\"name\":\"br1\"}}}}",
        "{\"Open_vSwitch\":{\""OVS"\":{\"modify\":{\"bridges\":[\"uuid\",\""BR1"\"]}}},"
        "\"Bridge\":{\""BR1"\":{\"insert\":{\"name\":\"br1\"}}}}");
    ck_assert_uint_eq(n_changes, 2);
    ck_assert_uint_eq(ovs->n_bridges, 2);
    const struct db_bridge *br1 = db_bridge_by_name(client, "br1"), *changed;
    ck_assert(dbc_row_is_new(&br1->row));
    ck_assert(dbc_row_changed(&ovs->row, &db_open_vswitch_col_bridges));
    ck_assert(!dbc_row_changed(&ovs->row, &db_open_vswitch_col_next_cfg));
    DB_BRIDGE_FOR_EACH_CHANGED (changed, client) {
        ck_assert_ptr_eq(changed, br1);
    }
    db_client_track_clear(client);

    fake_server_update(&server,
        "{\"Open_vSwitch\":{\""OVS"\":{\"old\":{},\"new\":{\"bridges\":[\"uuid\",\""BR0"\"]}}},"
        "\"Bridge\":{\""BR1"\":{\"old\":{\"name\":\"br1\"}}}}",
        "{\"Open_vSwitch\":{\""OVS"\":{\"modify\":{\"bridges\":[\"uuid\",\""BR1"\"]}}},"
        "\"Bridge\":{\""BR1"\":{\"delete\":null}}}");
    ck_assert_uint_eq(ovs->n_bridges, 1);
    ck_assert_ptr_null(db_bridge_by_name(client, "br1"));
    ck_assert(dbc_row_is_deleted(&br1->row));
    ck_assert_str_eq(br1->name, "br1");
}
END_TEST

START_TEST(asks_only_for_what_is_watched_and_there)
{
    json_t *columns = json_object_get(
        json_object_get(json_object_get(server.schema, "tables"), "Port"), "columns");
    json_object_del(columns, "trunks");
    json_object_set_new(columns, "tag", json_pack("{s:s}", "type", "string"));   /* Another type. */
    json_object_del(json_object_get(server.schema, "tables"), "Bridge");
    connect_client();
    const json_t *requests = json_array_get(json_array_get(server.monitor, 1), 2);
    ck_assert_uint_eq(json_object_size(requests), 2);
    ck_assert_ptr_nonnull(json_object_get(requests, "Open_vSwitch"));
    const json_t *asked =
        json_object_get(json_array_get(json_object_get(requests, "Port"), 0), "columns");
    ck_assert_uint_eq(json_array_size(asked), db_port_table.n_columns - 2);
    ck_assert(!db_client_has_table(client, &db_bridge_table));
    ck_assert(!db_client_has_column(client, &db_port_col_trunks));
    const struct db_port *port = db_port_by_name(client, "p1");
    ck_assert(!port->has_tag);
    ck_assert_uint_eq(port->n_trunks, 0);
    ck_assert_uint_eq(db_open_vswitch_first(client)->n_bridges, 0);

    /* Writing there does nothing. */
    struct dbc_txn *txn = dbc_txn_create(client);
    db_port_set_tag(txn, port, 9);
    db_port_add_trunks(txn, port, 9);
    const struct db_bridge *br = db_bridge_insert(txn);
    db_bridge_set_name(txn, br, "br9");
    ck_assert_int_eq(dbc_txn_commit(txn, NULL, NULL), DB_TXN_UNCHANGED);
}
END_TEST

START_TEST(answers_echoes)
{
    connect_client();
    jsonrpc_send_request(server.rpc, "echo", json_pack("[i]", 5), json_integer(1));
    fake_server_settle(&server);
    ck_assert_uint_eq(server.n_echo_replies, 1);
}
END_TEST

START_TEST(comes_back_and_goes_on_from_where_it_was)
{
    connect_client();
    fake_server_update(&server, "{}", "{\"Bridge\":{\""BR0"\":{\"modify\":{\"fail_mode\":\"secure\"}}}}");
    db_client_track_clear(client);
    uint64_t seqno = db_client_seqno(client);
    server.is_found = true;
    fake_server_hang_up(&server);
    fake_server_settle(&server);
    struct error *e = db_client_wait_synced(client, 5000);
    ck_assert_ptr_null(e);
    ck_assert_uint_eq(server.n_sessions, 2);
    ck_assert_str_eq(json_string_value(json_array_get(json_array_get(server.monitor, 1), 3)), "next");
    ck_assert_uint_eq(db_client_seqno(client), seqno);
    ck_assert_str_eq(br0()->fail_mode, "secure");
}
END_TEST

START_TEST(nonsense_makes_it_begin_anew)
{
    connect_client();
    fake_server_update(&server, "{}", "{\"Bridge\":{\""BR1"\":{\"modify\":{\"fail_mode\":\"secure\"}}}}");
    struct error *e = db_client_wait_synced(client, 5000);
    ck_assert_ptr_null(e);
    ck_assert_uint_eq(server.n_sessions, 2);
    ck_assert_str_eq(json_string_value(json_array_get(json_array_get(server.monitor, 1), 3)),
                     "00000000-0000-0000-0000-000000000000");
    ck_assert_ptr_nonnull(br0());
}
END_TEST

START_TEST(gives_up_without_retry)
{
    db_client_set_retry(client, false);
    struct error *e = db_client_connect(client, "unix:/nonexistent/sock");
    ck_assert_ptr_null(e);
    e = db_client_wait_synced(client, 5000);
    ck_assert_ptr_nonnull(e);
    ck_assert_ptr_nonnull(strstr(error_text(e), "/nonexistent/sock"));
    error_free(e);
    ck_assert(db_client_is_dead(client));
}
END_TEST

START_TEST(malformed_address)
{
    struct error *e = db_client_connect(client, "carrier-pigeon:5");
    ck_assert_ptr_nonnull(e);
    error_free(e);
}
END_TEST

static const struct {
    const char *row;
    bool one_address, several;   /* Whether a client with so many addresses is content. */
} members[] = {
    { "{\"name\":\"Open_vSwitch\",\"model\":\"standalone\",\"connected\":true,\"leader\":true}", true, true },
    { "{\"name\":\"Open_vSwitch\",\"model\":\"clustered\",\"connected\":true,\"leader\":true}", true, true },
    { "{\"name\":\"Open_vSwitch\",\"model\":\"clustered\",\"connected\":true,\"leader\":false}", true, false },
    { "{\"name\":\"Open_vSwitch\",\"model\":\"clustered\",\"connected\":false,\"leader\":false}", false, false },
    { "{\"name\":\"Other\",\"model\":\"clustered\",\"connected\":false,\"leader\":false}", true, true },
};

START_TEST(members_of_clusters)
{
    for (int several = 0; several < 2; several++) {
        json_decref(server.cluster);
        server.cluster = json_pack("{s:{s:{s:o}}}", "Database", BR0, "new",
                                   json_loads(members[_i].row, 0, NULL));
        db_client_destroy(client);
        client = db_client_create(loop, &db_schema);
        db_client_monitor(client, &db_bridge_table);
        db_client_set_retry(client, false);
        char *addresses = several ? xasprintf("%s,%s", server.address, server.address)
                                  : xstrdup(server.address);
        unsigned before = server.n_sessions;
        struct error *e = db_client_connect(client, addresses);
        ck_assert_ptr_null(e);
        e = db_client_wait_synced(client, 5000);
        ck_assert_int_eq(!e, several ? members[_i].several : members[_i].one_address);
        ck_assert_uint_eq(server.n_sessions - before, e && several ? 2 : 1);
        error_free(e);
        free(addresses);
    }
}
END_TEST

START_TEST(a_leader_that_is_deposed_is_left)
{
    server.cluster = json_pack("{s:{s:{s:o}}}", "Database", BR0, "new",
                               json_loads(members[1].row, 0, NULL));
    char *addresses = xasprintf("%s,%s", server.address, server.address);
    struct error *e = db_client_connect(client, addresses);
    free(addresses);
    ck_assert_ptr_null(e);
    e = db_client_wait_synced(client, 5000);
    ck_assert_ptr_null(e);
    char *deposed = xasprintf("[\"cluster\",{\"Database\":{\"%s\":{\"new\":%s}}}]", BR0, members[2].row);
    fake_server_notify(&server, "update", deposed);
    free(deposed);
    e = db_client_wait_synced(client, 5000);
    ck_assert_ptr_null(e);
    ck_assert_uint_eq(server.n_sessions, 2);
}
END_TEST

/* Transactions ----------------------------------------------------------------------------------- */

static struct error *last_error;
static enum dbc_txn_status last_status;
static unsigned n_done;
static int64_t last_incremented;

static void done(struct dbc_txn *txn, enum dbc_txn_status status, void *arg)
{
    last_status = status;
    n_done++;
    error_free(last_error);
    last_error = status == DB_TXN_ERROR ? error_new(1, "%s", dbc_txn_error(txn)) : NULL;
    last_incremented = dbc_txn_incremented(txn);
}

/* Each row: what is done, and the operations that are sent; "UUID" stands for the names of new rows. */
static void nothing(struct dbc_txn *t)
{
    db_bridge_set_name(t, br0(), "br0");
    db_bridge_put_other_config(t, br0(), "a", "1");
    db_bridge_remove_other_config(t, br0(), "zzz");
    db_port_set_tag(t, br0()->ports[0], 7);
    db_port_add_trunks(t, br0()->ports[0], 2);
    db_port_remove_trunks(t, br0()->ports[0], 9);
    int64_t same[] = { 3, 2, 1, 2 };
    db_port_set_trunks(t, br0()->ports[0], same, 4);
    db_bridge_verify_name(t, br0());
    dbc_txn_comment(t, "nothing");
}

static void there_and_back(struct dbc_txn *t)
{
    db_port_set_tag(t, br0()->ports[0], 8);
    db_port_set_tag(t, br0()->ports[0], 7);
    db_bridge_set_fail_mode(t, br0(), "secure");
    db_bridge_set_fail_mode(t, br0(), NULL);
}

static void scalars(struct dbc_txn *t)
{
    db_bridge_set_stp_enable(t, br0(), true);
    db_bridge_set_fail_mode(t, br0(), "secure");
    db_port_clear_tag(t, br0()->ports[0]);
}

static void parts(struct dbc_txn *t)
{
    db_bridge_put_other_config(t, br0(), "a", "9");
    db_bridge_put_other_config(t, br0(), "c", "3");
    db_bridge_remove_other_config(t, br0(), "b");
    db_port_add_trunks(t, br0()->ports[0], 9);
    db_port_remove_trunks(t, br0()->ports[0], 1);
}

static void parts_undone(struct dbc_txn *t)
{
    db_port_add_trunks(t, br0()->ports[0], 9);
    db_port_remove_trunks(t, br0()->ports[0], 9);
    db_bridge_set_stp_enable(t, br0(), true);
}

static void whole_then_part(struct dbc_txn *t)
{
    int64_t trunks[] = { 30, 20 };
    db_port_set_trunks(t, br0()->ports[0], trunks, 2);
    db_port_add_trunks(t, br0()->ports[0], 10);
    db_port_remove_trunks(t, br0()->ports[0], 30);
    ck_assert_uint_eq(dbc_txn_get(t, &br0()->ports[0]->row, &db_port_col_trunks)->n, 2);
    ck_assert_uint_eq(br0()->ports[0]->n_trunks, 3);
}

static void insert(struct dbc_txn *t)
{
    const struct db_port *port = db_port_insert(t);
    db_port_set_name(t, port, "p2");
    db_port_set_tag(t, port, 3);
    db_bridge_add_ports(t, br0(), port);
    const struct db_port *gone = db_port_insert(t);
    db_port_set_name(t, gone, "p3");
    db_port_delete(t, gone);
    size_t n = 0;
    for (const struct dbc_row *row = dbc_txn_first(t, &db_port_table); row; row = dbc_txn_next(t, row)) {
        n++;
    }
    ck_assert_uint_eq(n, 2);
}

static void delete(struct dbc_txn *t)
{
    db_bridge_remove_ports(t, br0(), br0()->ports[0]);
    db_port_delete(t, br0()->ports[0]);
    ck_assert_ptr_null(dbc_txn_first(t, &db_port_table));
    ck_assert(dbc_txn_is_deleted(t, &br0()->ports[0]->row));
}

static void verify_and_increment(struct dbc_txn *t)
{
    db_bridge_verify_ports(t, br0());
    db_bridge_verify_name(t, br0());
    db_bridge_set_stp_enable(t, br0(), true);
    dbc_txn_increment(t, &db_open_vswitch_first(client)->row, &db_open_vswitch_col_next_cfg);
    dbc_txn_comment(t, "two");
    dbc_txn_comment(t, "lines");
    dbc_txn_set_durable(t);
}

#define WHERE(UUID_) "\"where\":[[\"_uuid\",\"==\",[\"uuid\",\"" UUID_ "\"]]]"

static const struct {
    const char *sentence;
    void (*change)(struct dbc_txn *);
    const char *sent;   /* NULL: nothing. */
} transactions[] = {
    { "equal values cost nothing", nothing, NULL },
    { "back to what it was costs nothing", there_and_back, NULL },
    { "single values", scalars,
      "{\"op\":\"update\",\"row\":{\"fail_mode\":\"secure\",\"stp_enable\":true},\"table\":\"Bridge\","
      WHERE(BR0)"},{\"op\":\"update\",\"row\":{\"tag\":[\"set\",[]]},\"table\":\"Port\","WHERE(P1)"}" },
    { "parts of maps and sets", parts,
      "{\"mutations\":[[\"other_config\",\"delete\",[\"set\",[\"a\",\"b\",\"c\"]]],"
      "[\"other_config\",\"insert\",[\"map\",[[\"a\",\"9\"],[\"c\",\"3\"]]]]],\"op\":\"mutate\","
      "\"table\":\"Bridge\","WHERE(BR0)"},"
      "{\"mutations\":[[\"trunks\",\"delete\",[\"set\",[1]]],[\"trunks\",\"insert\",[\"set\",[9]]]],"
      "\"op\":\"mutate\",\"table\":\"Port\","WHERE(P1)"}" },
    { "a part added and taken away", parts_undone,
      "{\"mutations\":[[\"trunks\",\"delete\",[\"set\",[9]]]],\"op\":\"mutate\",\"table\":\"Port\","
      WHERE(P1)"},{\"op\":\"update\",\"row\":{\"stp_enable\":true},\"table\":\"Bridge\","WHERE(BR0)"}" },
    { "a whole set, then parts of it", whole_then_part,
      "{\"op\":\"update\",\"row\":{\"trunks\":[\"set\",[10,20]]},\"table\":\"Port\","WHERE(P1)"}" },
    { "a new row and a reference to it", insert,
      "{\"op\":\"insert\",\"row\":{\"name\":\"p2\",\"tag\":3},\"table\":\"Port\",\"uuid-name\":\"UUID\"},"
      "{\"mutations\":[[\"ports\",\"insert\",[\"set\",[[\"named-uuid\",\"UUID\"]]]]],\"op\":\"mutate\","
      "\"table\":\"Bridge\","WHERE(BR0)"}" },
    { "rows without references go by themselves", delete,
      "{\"mutations\":[[\"ports\",\"delete\",[\"set\",[[\"uuid\",\""P1"\"]]]]],\"op\":\"mutate\","
      "\"table\":\"Bridge\","WHERE(BR0)"}" },
    { "waits come first, then changes, increment, comment, commit", verify_and_increment,
      "{\"columns\":[\"name\",\"ports\"],\"op\":\"wait\",\"rows\":[{\"name\":\"br0\",\"ports\":[\"uuid\",\""
      P1"\"]}],\"table\":\"Bridge\",\"timeout\":0,\"until\":\"==\","WHERE(BR0)"},"
      "{\"op\":\"update\",\"row\":{\"stp_enable\":true},\"table\":\"Bridge\","WHERE(BR0)"},"
      "{\"mutations\":[[\"next_cfg\",\"+=\",1]],\"op\":\"mutate\",\"table\":\"Open_vSwitch\","WHERE(OVS)"},"
      "{\"columns\":[\"next_cfg\"],\"op\":\"select\",\"table\":\"Open_vSwitch\","WHERE(OVS)"},"
      "{\"comment\":\"two\\nlines\",\"op\":\"comment\"},{\"durable\":true,\"op\":\"commit\"}" },
};

/* Names of new rows become "UUID". */
static char *sent_text(void)
{
    struct text t = TEXT_INIT;
    char *all = json_dumps(server.transaction, JSON_COMPACT | JSON_SORT_KEYS);
    const char *p = all;
    for (const char *name; (name = strstr(p, "\"row"));) {
        bool is_name = strlen(name) > 40 && name[12] == '_' && name[17] == '_';
        text_put_n(&t, p, name - p + 1);
        text_put(&t, is_name ? "UUID" : "row");
        p = name + (is_name ? 1 + 3 + UUID_LEN : 4);
    }
    text_put(&t, p);
    free(all);
    return text_steal(&t);
}

START_TEST(what_is_sent)
{
    connect_client();
    struct dbc_txn *txn = dbc_txn_create(client);
    transactions[_i].change(txn);
    n_done = 0;
    enum dbc_txn_status status = dbc_txn_commit(txn, done, NULL);
    fake_server_settle(&server);
    if (!transactions[_i].sent) {
        ck_assert_msg(status == DB_TXN_UNCHANGED, "%s", transactions[_i].sentence);
        ck_assert_uint_eq(server.n_transactions, 0);
        return;
    }
    ck_assert_int_eq(status, DB_TXN_PENDING);
    char *wanted = xasprintf("[\"Open_vSwitch\",%s]", transactions[_i].sent), *sent = sent_text();
    ck_assert_msg(!strcmp(wanted, sent), "%s:\n%s\n%s", transactions[_i].sentence, wanted, sent);
    free(wanted);
    free(sent);
    ck_assert_uint_eq(n_done, 0);
}
END_TEST

static const struct {
    const char *results;
    enum dbc_txn_status status;
    const char *error;   /* Some of it. */
} replies[] = {
    { "[{\"count\":1}]", DB_TXN_SUCCESS, NULL },
    { "[{\"error\":\"timed out\"}]", DB_TXN_TRY_AGAIN, NULL },
    { "[{\"error\":\"not owner\"}]", DB_TXN_NOT_LOCKED, NULL },
    { "[{\"error\":\"constraint violation\",\"details\":\"no good\"}]", DB_TXN_ERROR,
      "constraint violation: no good" },
    { "[{\"count\":1},{\"error\":\"referential integrity violation\"}]", DB_TXN_ERROR, "referential" },
    { "[{\"error\":\"timed out\"},{\"error\":\"domain error\"}]", DB_TXN_ERROR, "domain error" },
    { "[]", DB_TXN_ERROR, "malformed" },
    { "5", DB_TXN_ERROR, "malformed" },
    { "{\"error\":5}", DB_TXN_ERROR, "malformed" },
};

START_TEST(what_replies_mean)
{
    connect_client();
    struct dbc_txn *txn = dbc_txn_create(client);
    scalars(txn);
    db_port_set_tag(txn, br0()->ports[0], 7);   /* One operation is enough. */
    n_done = 0;
    ck_assert_int_eq(dbc_txn_commit(txn, done, NULL), DB_TXN_PENDING);
    fake_server_settle(&server);
    fake_server_reply(&server, replies[_i].results);
    ck_assert_uint_eq(n_done, 1);
    ck_assert_int_eq(last_status, replies[_i].status);
    if (replies[_i].error) {
        ck_assert_ptr_nonnull(strstr(error_text(last_error), replies[_i].error));
    }
    error_free(last_error);
    last_error = NULL;
}
END_TEST

START_TEST(increment_and_uuids_of_new_rows_are_read_back)
{
    connect_client();
    server.reply = json_loads("[{\"uuid\":[\"uuid\",\""BR1"\"]},{\"count\":1},{\"count\":1},"
                              "{\"rows\":[{\"next_cfg\":6}]}]", 0, NULL);
    struct dbc_txn *txn = dbc_txn_create(client);
    const struct db_port *port = db_port_insert(txn);
    db_port_set_name(txn, port, "p2");
    db_bridge_add_ports(txn, br0(), port);
    dbc_txn_increment(txn, &db_open_vswitch_first(client)->row, &db_open_vswitch_col_next_cfg);
    ck_assert_int_eq(dbc_txn_commit_wait(txn, 5000), DB_TXN_SUCCESS);
    ck_assert_int_eq(dbc_txn_incremented(txn), 6);
    struct uuid uuid, wanted;
    ck_assert(dbc_txn_inserted_uuid(txn, &port->row, &uuid));
    ck_assert(uuid_parse(BR1, &wanted) && uuid_equal(&uuid, &wanted));
    dbc_txn_destroy(txn);
}
END_TEST

START_TEST(dry_run_aborts_and_succeeds)
{
    connect_client();
    server.reply = json_loads("[{\"count\":1},{\"error\":\"aborted\"}]", 0, NULL);
    struct dbc_txn *txn = dbc_txn_create(client);
    db_bridge_set_stp_enable(txn, br0(), true);
    dbc_txn_set_dry_run(txn);
    ck_assert_int_eq(dbc_txn_commit_wait(txn, 5000), DB_TXN_SUCCESS);
    dbc_txn_destroy(txn);
}
END_TEST

START_TEST(a_lost_connection_means_try_again)
{
    connect_client();
    struct dbc_txn *txn = dbc_txn_create(client);
    db_bridge_set_stp_enable(txn, br0(), true);
    n_done = 0;
    ck_assert_int_eq(dbc_txn_commit(txn, done, NULL), DB_TXN_PENDING);
    fake_server_settle(&server);
    stream_listener_destroy(server.listener);
    server.listener = NULL;
    fake_server_hang_up(&server);
    fake_server_settle(&server);
    ck_assert_uint_eq(n_done, 1);
    ck_assert_int_eq(last_status, DB_TXN_TRY_AGAIN);
    txn = dbc_txn_create(client);
    db_bridge_set_stp_enable(txn, br0(), true);
    ck_assert_int_eq(dbc_txn_commit(txn, done, NULL), DB_TXN_TRY_AGAIN);
    ck_assert_uint_eq(n_done, 1);
}
END_TEST

/* The row that a sent transaction changes may go, and be freed, before the reply comes. */
START_TEST(a_changed_row_goes_before_the_reply)
{
    connect_client();
    struct dbc_txn *txn = dbc_txn_create(client);
    db_port_set_tag(txn, br0()->ports[0], 8);
    db_port_verify_tag(txn, br0()->ports[0]);
    n_done = 0;
    ck_assert_int_eq(dbc_txn_commit(txn, done, NULL), DB_TXN_PENDING);
    fake_server_settle(&server);
    fake_server_update(&server, "{}", "{\"Bridge\":{\""BR0"\":{\"modify\":{\"ports\":[\"uuid\",\""P1"\"]}}},"
                       "\"Port\":{\""P1"\":{\"delete\":null}}}");
    db_client_track_clear(client);
    fake_server_reply(&server, "[{\"error\":\"timed out\"},null]");
    ck_assert_uint_eq(n_done, 1);
    ck_assert_int_eq(last_status, DB_TXN_TRY_AGAIN);
}
END_TEST

START_TEST(locks)
{
    db_client_set_lock(client, "the lock");
    connect_client();
    fake_server_settle(&server);
    ck_assert_uint_eq(server.n_lock_requests, 1);
    ck_assert(!db_client_has_lock(client) && db_client_is_lock_contended(client));
    struct dbc_txn *txn = dbc_txn_create(client);
    db_bridge_set_stp_enable(txn, br0(), true);
    ck_assert_int_eq(dbc_txn_commit(txn, done, NULL), DB_TXN_NOT_LOCKED);
    fake_server_notify(&server, "locked", "[\"the lock\"]");
    ck_assert(db_client_has_lock(client) && !db_client_is_lock_contended(client));
    txn = dbc_txn_create(client);
    db_bridge_set_stp_enable(txn, br0(), true);
    ck_assert_int_eq(dbc_txn_commit(txn, NULL, NULL), DB_TXN_PENDING);
    fake_server_settle(&server);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(server.transaction, 1), "lock")),
                     "the lock");
    fake_server_notify(&server, "stolen", "[\"the lock\"]");
    ck_assert(!db_client_has_lock(client));
    db_client_set_lock(client, NULL);
    ck_assert(db_client_has_lock(client));
}
END_TEST

TCase *client_session_tcase(void);
TCase *client_session_tcase(void)
{
    TCase *tc = tcase_create("session");
    tcase_set_timeout(tc, 30);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, each_way_to_monitor, 0, 3);
    tcase_add_test(tc, asks_only_for_what_is_watched_and_there);
    tcase_add_test(tc, answers_echoes);
    tcase_add_test(tc, comes_back_and_goes_on_from_where_it_was);
    tcase_add_test(tc, nonsense_makes_it_begin_anew);
    tcase_add_test(tc, gives_up_without_retry);
    tcase_add_test(tc, malformed_address);
    tcase_add_loop_test(tc, members_of_clusters, 0, ARRAY_SIZE(members));
    tcase_add_test(tc, a_leader_that_is_deposed_is_left);
    tcase_add_loop_test(tc, what_is_sent, 0, ARRAY_SIZE(transactions));
    tcase_add_loop_test(tc, what_replies_mean, 0, ARRAY_SIZE(replies));
    tcase_add_test(tc, increment_and_uuids_of_new_rows_are_read_back);
    tcase_add_test(tc, dry_run_aborts_and_succeeds);
    tcase_add_test(tc, a_lost_connection_means_try_again);
    tcase_add_test(tc, a_changed_row_goes_before_the_reply);
    tcase_add_test(tc, locks);
    return tc;
}
