# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += db/libdb.a
db_libdb_a_SOURCES = \
	db/atom.c db/atom.h \
	db/commands.c \
	db/condition.c db/condition.h \
	db/datum.c db/datum.h \
	db/error.c db/error.h \
	db/execute.c db/execute.h \
	db/file_ops.c db/file_ops.h \
	db/journal.c db/journal.h \
	db/members.c db/members.h \
	db/monitor.c db/monitor.h \
	db/monitor_view.c db/monitor_view.h \
	db/mutation.c db/mutation.h \
	db/record.c db/record.h \
	db/remote.c \
	db/rowset.c db/rowset.h \
	db/schema.c db/schema.h \
	db/schema_text.h \
	db/server.c db/server.h db/server_private.h \
	db/server_db.c \
	db/session.c db/session_private.h \
	db/session_lock.c \
	db/session_txn.c \
	db/store.c db/store.h \
	db/table.c db/table.h \
	db/txn.c db/txn.h db/txn_private.h \
	db/txn_check.c \
	db/type.c db/type.h
nodist_db_libdb_a_SOURCES = spec/vswitch_schema.c

sbin_PROGRAMS += utilities/tsuji-dbserver
utilities_tsuji_dbserver_SOURCES = utilities/dbserver.c
utilities_tsuji_dbserver_LDADD = $(db_libs) $(external_libs)
bin_PROGRAMS += utilities/tsuji-dbtool
utilities_tsuji_dbtool_SOURCES = utilities/dbtool.c
utilities_tsuji_dbtool_LDADD = $(db_libs) $(external_libs)

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-db
tests_unit_test_db_SOURCES = \
	tests/unit/unit.h \
	tests/unit/db/db_check.c tests/unit/db/db_check.h \
	tests/unit/db/test_datum.c \
	tests/unit/db/test_execute.c \
	tests/unit/db/test_journal.c \
	tests/unit/db/test_main.c \
	tests/unit/db/test_schema.c \
	tests/unit/db/test_store.c \
	tests/unit/db/test_txn.c
tests_unit_test_db_LDADD = $(db_libs) $(external_libs) $(unit_libs)
endif

fuzz_programs += tests/fuzz/fuzz-journal tests/fuzz/fuzz-ovsdb_transact tests/fuzz/fuzz-schema
tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz_journal.c
tests_fuzz_fuzz_journal_LDADD = $(db_libs) $(external_libs)
tests_fuzz_fuzz_journal_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ovsdb_transact_SOURCES = tests/fuzz/fuzz_ovsdb_transact.c
tests_fuzz_fuzz_ovsdb_transact_LDADD = $(db_libs) $(external_libs)
tests_fuzz_fuzz_ovsdb_transact_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_schema_SOURCES = tests/fuzz/fuzz_schema.c
tests_fuzz_fuzz_schema_LDADD = $(db_libs) $(external_libs)
tests_fuzz_fuzz_schema_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_DIST += tests/fuzz/corpus/journal tests/fuzz/corpus/ovsdb_transact tests/fuzz/corpus/schema
EXTRA_DIST += tests/interop/test_ovsdb.py tests/lib/ovsdb_pair.py tests/lib/ovsdb_random.py

# The client.
db_libdb_a_SOURCES += \
	db/client.c db/client.h \
	db/client_cluster.c \
	db/client_commit.c \
	db/client_private.h \
	db/client_replica.c \
	db/client_rows.c \
	db/client_txn.c db/client_txn.h \
	db/client_typed.c db/client_typed.h
nodist_db_libdb_a_SOURCES += spec/db.c spec/db.h

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-db-client
tests_unit_test_db_client_SOURCES = \
	tests/unit/unit.h \
	tests/unit/db/fake_server.c tests/unit/db/fake_server.h \
	tests/unit/db/replica_check.c tests/unit/db/replica_check.h \
	tests/unit/db/test_client_main.c \
	tests/unit/db/test_client_replica.c \
	tests/unit/db/test_client_session.c
tests_unit_test_db_client_LDADD = $(db_libs) $(external_libs) $(unit_libs)
endif

fuzz_programs += tests/fuzz/fuzz-db_update
tests_fuzz_fuzz_db_update_SOURCES = tests/fuzz/fuzz_db_update.c tests/unit/db/replica_check.c
tests_fuzz_fuzz_db_update_LDADD = $(db_libs) $(external_libs)
tests_fuzz_fuzz_db_update_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_DIST += tests/fuzz/corpus/db_update
