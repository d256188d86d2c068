# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/rpc/librpc.a
lib_rpc_librpc_a_SOURCES = \
	lib/rpc/control.h \
	lib/rpc/control_client.c \
	lib/rpc/control_commands.c \
	lib/rpc/control_server.c \
	lib/rpc/json_framer.c lib/rpc/json_framer.h \
	lib/rpc/jsonrpc.c lib/rpc/jsonrpc.h \
	lib/rpc/stream.c lib/rpc/stream.h \
	lib/rpc/stream_address.c lib/rpc/stream_address.h \
	lib/rpc/stream_listener.c

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-rpc
tests_unit_test_rpc_SOURCES = \
	tests/unit/unit.h \
	tests/unit/lib/rpc/test_main.c \
	tests/unit/lib/rpc/test_control.c \
	tests/unit/lib/rpc/test_jsonrpc.c \
	tests/unit/lib/rpc/test_stream.c
tests_unit_test_rpc_LDADD = $(rpc_libs) $(external_libs) $(unit_libs)
endif

fuzz_programs += tests/fuzz/fuzz-jsonrpc
tests_fuzz_fuzz_jsonrpc_SOURCES = tests/fuzz/fuzz_jsonrpc.c
tests_fuzz_fuzz_jsonrpc_LDADD = $(rpc_libs) $(external_libs)
tests_fuzz_fuzz_jsonrpc_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_DIST += tests/fuzz/corpus/jsonrpc

# A daemon with nothing but a control socket, for tests/interop/test_control.py.
check_PROGRAMS += tests/interop/control-daemon
tests_interop_control_daemon_SOURCES = tests/interop/control_daemon.c
tests_interop_control_daemon_LDADD = $(rpc_libs) $(external_libs)
EXTRA_DIST += tests/interop/test_control.py
