# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/openflow/libopenflow.a
lib_openflow_libopenflow_a_SOURCES = \
	lib/openflow/action_check.c \
	lib/openflow/action_decode.c \
	lib/openflow/action_encode.c \
	lib/openflow/action_format.c \
	lib/openflow/action_parse.c \
	lib/openflow/actions.c lib/openflow/actions.h \
	lib/openflow/connection.c \
	lib/openflow/flow.c \
	lib/openflow/flow_text.c lib/openflow/flow_text.h \
	lib/openflow/header.c \
	lib/openflow/hello_error.c \
	lib/openflow/match10.c \
	lib/openflow/message.h \
	lib/openflow/ofact_text.h \
	lib/openflow/oxm.c \
	lib/openflow/packet.c \
	lib/openflow/port.c \
	lib/openflow/print.c \
	lib/openflow/switch.c \
	lib/openflow/version.c lib/openflow/version.h \
	lib/openflow/wire.h
nodist_lib_openflow_libopenflow_a_SOURCES = \
	spec/actions.c spec/actions.h \
	spec/errors.c spec/errors.h \
	spec/messages.c spec/messages.h
