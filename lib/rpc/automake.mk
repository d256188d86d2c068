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
