# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += datapath/libdatapath.a
datapath_libdatapath_a_SOURCES = \
	datapath/action/execute.c datapath/action/execute.h \
	datapath/action/set.c datapath/action/set.h \
	datapath/client.c datapath/client.h datapath/client_private.h \
	datapath/client_calls.c \
	datapath/control.h \
	datapath/engine.h \
	datapath/flow_index.c \
	datapath/lookup/big.c datapath/lookup/big.h \
	datapath/lookup/cache.c datapath/lookup/cache.h \
	datapath/lookup/compact.c datapath/lookup/compact.h \
	datapath/lookup/flow.h \
	datapath/lookup/flow_table.c datapath/lookup/flow_table.h \
	datapath/lookup/slab.c datapath/lookup/slab.h \
	datapath/lookup/subtable.c datapath/lookup/subtable.h \
	datapath/peers.c \
	datapath/pending.c datapath/pending.h \
	datapath/port_set.c \
	datapath/requests.c \
	datapath/ring.c datapath/ring.h \
	datapath/server.c datapath/server.h \
	datapath/wire.c datapath/wire.h \
	datapath/wire_action.c \
	datapath/wire_port.c \
	datapath/worker.c datapath/worker.h \
	datapath/worker_batch.c \
	datapath/worker_miss.c \
	datapath/workers.c
nodist_datapath_libdatapath_a_SOURCES = spec/datapath.c spec/datapath.h
include datapath/port/automake.mk
include datapath/tunnel/automake.mk

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-datapath
tests_unit_test_datapath_SOURCES = \
	tests/unit/unit.h \
	tests/unit/datapath/engine/engine_tests.h \
	tests/unit/datapath/engine/rig.c \
	tests/unit/datapath/engine/test_engine.c \
	tests/unit/datapath/engine/test_execute.c \
	tests/unit/datapath/engine/test_lookup.c \
	tests/unit/datapath/engine/test_main.c \
	tests/unit/datapath/engine/test_peer.c \
	tests/unit/datapath/engine/test_pending.c \
	tests/unit/datapath/engine/test_restart.c \
	tests/unit/datapath/engine/test_set.c \
	tests/unit/datapath/engine/test_stress.c \
	tests/unit/datapath/engine/test_wire.c
tests_unit_test_datapath_LDADD = $(datapath_libs) $(external_libs) $(unit_libs)
endif

sbin_PROGRAMS += utilities/tsuji-datapathd
utilities_tsuji_datapathd_SOURCES = \
	utilities/datapathd.c utilities/datapathd.h \
	utilities/datapathd_commands.c
utilities_tsuji_datapathd_LDADD = datapath/libdatapath.a lib/flow/libflow.a lib/packet/libpacket.a $(rpc_libs) \
	$(external_libs)

EXTRA_PROGRAMS += tests/bench/null-step
bench_programs += tests/bench/null-step
tests_bench_null_step_SOURCES = tests/bench/null_step.c
tests_bench_null_step_LDADD = $(datapath_libs) $(external_libs)

fuzz_programs += tests/fuzz/fuzz-wire
EXTRA_DIST += tests/fuzz/corpus/wire
tests_fuzz_fuzz_wire_SOURCES = tests/fuzz/fuzz_wire.c
tests_fuzz_fuzz_wire_LDADD = $(datapath_libs) $(external_libs)
tests_fuzz_fuzz_wire_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

EXTRA_DIST += docs/design/lookup.md
