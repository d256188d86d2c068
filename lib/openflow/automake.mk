# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/openflow/libopenflow.a
lib_openflow_libopenflow_a_SOURCES = \
	lib/openflow/action_check.c \
	lib/openflow/action_decode.c \
	lib/openflow/action_decode_learn.c \
	lib/openflow/action_encode.c \
	lib/openflow/action_format.c \
	lib/openflow/action_parse.c \
	lib/openflow/action_parse_field.c \
	lib/openflow/action_parse_learn.c \
	lib/openflow/action_parse_output.c \
	lib/openflow/actions.c lib/openflow/actions.h \
	lib/openflow/connection.c \
	lib/openflow/flow_mod.c \
	lib/openflow/flow_stats.c \
	lib/openflow/flow_text.c lib/openflow/flow_text.h \
	lib/openflow/header.c \
	lib/openflow/hello_error.c \
	lib/openflow/match10.c \
	lib/openflow/message.h \
	lib/openflow/ofact_text.h \
	lib/openflow/oxm.c \
	lib/openflow/packet.c \
	lib/openflow/port.c \
	lib/openflow/print.c lib/openflow/print.h \
	lib/openflow/print_flows.c \
	lib/openflow/print_ports.c \
	lib/openflow/switch.c \
	lib/openflow/version.c lib/openflow/version.h \
	lib/openflow/wire.h
nodist_lib_openflow_libopenflow_a_SOURCES = \
	spec/actions.c spec/actions.h \
	spec/errors.c spec/errors.h \
	spec/messages.c spec/messages.h

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-openflow
tests_unit_test_openflow_SOURCES = \
	tests/unit/unit.h \
	tests/unit/lib/openflow/openflow_tests.h \
	tests/unit/lib/openflow/samples.c \
	tests/unit/lib/openflow/test_actions.c \
	tests/unit/lib/openflow/test_errors.c \
	tests/unit/lib/openflow/test_flow.c \
	tests/unit/lib/openflow/test_flow_text.c \
	tests/unit/lib/openflow/test_header.c \
	tests/unit/lib/openflow/test_hostile.c \
	tests/unit/lib/openflow/test_main.c \
	tests/unit/lib/openflow/test_match.c \
	tests/unit/lib/openflow/test_messages.c
tests_unit_test_openflow_LDADD = $(openflow_libs) $(external_libs) $(unit_libs)

check_PROGRAMS += tests/interop/openflow-samples
tests_interop_openflow_samples_SOURCES = tests/interop/openflow_samples.c
tests_interop_openflow_samples_LDADD = $(openflow_libs) $(external_libs) $(unit_libs)
endif

EXTRA_DIST += tests/interop/test_openflow_codec.py tests/interop/test_ofctl.py tests/sim/test_openflow_errors.py

fuzz_programs += tests/fuzz/fuzz-openflow tests/fuzz/fuzz-ofp-text
tests_fuzz_fuzz_openflow_SOURCES = tests/fuzz/fuzz_openflow.c
tests_fuzz_fuzz_openflow_LDADD = $(openflow_libs) $(external_libs)
tests_fuzz_fuzz_openflow_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ofp_text_SOURCES = tests/fuzz/fuzz_ofp_text.c
tests_fuzz_fuzz_ofp_text_LDADD = $(openflow_libs) $(external_libs)
tests_fuzz_fuzz_ofp_text_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_DIST += tests/fuzz/corpus/openflow tests/fuzz/corpus/ofp-text
