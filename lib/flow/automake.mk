# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/flow/libflow.a
lib_flow_libflow_a_SOURCES = \
	lib/flow/action.c lib/flow/action.h \
	lib/flow/action_text.c \
	lib/flow/compose.c lib/flow/compose.h \
	lib/flow/extract.c \
	lib/flow/field_text.c \
	lib/flow/fields.c lib/flow/fields.h \
	lib/flow/flags.c lib/flow/flags.h \
	lib/flow/key.c lib/flow/key.h \
	lib/flow/key_parse.c \
	lib/flow/key_text.c lib/flow/key_text.h \
	lib/flow/match.c lib/flow/match.h \
	lib/flow/match_text.c
nodist_lib_flow_libflow_a_SOURCES = spec/fields.c spec/fields.h

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-flow
tests_unit_test_flow_SOURCES = \
	tests/unit/unit.h \
	tests/unit/lib/flow/flow_tests.h \
	tests/unit/lib/flow/random.h \
	tests/unit/lib/flow/samples.c \
	tests/unit/lib/flow/test_action.c \
	tests/unit/lib/flow/test_compose.c \
	tests/unit/lib/flow/test_extract.c \
	tests/unit/lib/flow/test_fields.c \
	tests/unit/lib/flow/test_key.c \
	tests/unit/lib/flow/test_key_text.c \
	tests/unit/lib/flow/test_main.c \
	tests/unit/lib/flow/test_match.c
tests_unit_test_flow_LDADD = $(flow_libs) $(external_libs) $(unit_libs)
endif

fuzz_programs += tests/fuzz/fuzz-extract tests/fuzz/fuzz-flow-text
tests_fuzz_fuzz_extract_SOURCES = tests/fuzz/fuzz_extract.c
tests_fuzz_fuzz_extract_LDADD = $(flow_libs) $(external_libs)
tests_fuzz_fuzz_extract_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_flow_text_SOURCES = tests/fuzz/fuzz_flow_text.c
tests_fuzz_fuzz_flow_text_LDADD = $(flow_libs) $(external_libs)
tests_fuzz_fuzz_flow_text_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_DIST += tests/fuzz/corpus/extract tests/fuzz/corpus/flow-text
