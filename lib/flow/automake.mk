# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/flow/libflow.a
lib_flow_libflow_a_SOURCES = \
	lib/flow/action.h \
	lib/flow/compose.h \
	lib/flow/extract.c \
	lib/flow/fields.h \
	lib/flow/key.c lib/flow/key.h \
	lib/flow/match.h
nodist_lib_flow_libflow_a_SOURCES = spec/fields.c spec/fields.h
