# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += ofproto/libofproto.a
ofproto_libofproto_a_SOURCES = \
	ofproto/ofproto.h \
	ofproto/table/change.c ofproto/table/change.h \
	ofproto/table/classifier.c ofproto/table/classifier.h \
	ofproto/table/flow_mod.c \
	ofproto/table/mac_table.c ofproto/table/mac_table.h \
	ofproto/table/partition.c \
	ofproto/table/rule.c ofproto/table/rule.h ofproto/table/rule_private.h \
	ofproto/table/slots.c ofproto/table/slots.h \
	ofproto/table/tables.c ofproto/table/tables.h ofproto/table/tables_private.h \
	ofproto/table/trie.c ofproto/table/trie.h \
	ofproto/table/txn.c \
	ofproto/table/view.c ofproto/table/view.h \
	ofproto/xlate/action_set.c \
	ofproto/xlate/commit.c \
	ofproto/xlate/learn.c \
	ofproto/xlate/normal.c \
	ofproto/xlate/output.c \
	ofproto/xlate/perform.c \
	ofproto/xlate/state.c ofproto/xlate/state.h \
	ofproto/xlate/trace.c ofproto/xlate/trace.h \
	ofproto/xlate/xlate.c ofproto/xlate/xlate.h

# The upcall path, connections, bridges.
ofproto_libofproto_a_SOURCES += \
	ofproto/bridge.c ofproto/bridge.h \
	ofproto/commands.c ofproto/commands.h ofproto/commands_dpif.c \
	ofproto/conn/conn.c ofproto/conn/conn.h \
	ofproto/conn/connections.c ofproto/conn/connections.h \
	ofproto/conn/request.c ofproto/conn/request_stats.c \
	ofproto/conn/switch.h \
	ofproto/ofproto.c \
	ofproto/packet_ins.c \
	ofproto/path/credit.c ofproto/path/credit.h \
	ofproto/path/effects.c \
	ofproto/path/family.c ofproto/path/family.h \
	ofproto/path/cached_flows.c ofproto/path/cached_flows.h \
	ofproto/path/handler.c \
	ofproto/path/path.c ofproto/path/path.h \
	ofproto/path/state.h \
	ofproto/path/sweeper.c \
	ofproto/view_build.c

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-ofproto
tests_unit_test_ofproto_SOURCES = \
	tests/unit/unit.h \
	tests/unit/ofproto/lab.c tests/unit/ofproto/lab.h \
	tests/unit/ofproto/ofproto_tests.h \
	tests/unit/ofproto/table/test_classifier.c \
	tests/unit/ofproto/table/test_flow_mod.c \
	tests/unit/ofproto/table/test_mac_table.c \
	tests/unit/ofproto/test_main.c \
	tests/unit/ofproto/xlate/test_ingress.c \
	tests/unit/ofproto/xlate/test_normal.c \
	tests/unit/ofproto/xlate/test_properties.c \
	tests/unit/ofproto/xlate/test_trace.c \
	tests/unit/ofproto/xlate/test_xlate.c
tests_unit_test_ofproto_LDADD = $(ofproto_libs) $(external_libs) $(unit_libs)
endif

EXTRA_DIST += docs/design/translation.md
