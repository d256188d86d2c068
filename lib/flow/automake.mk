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
