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
	ofproto/table/view.c ofproto/table/view.h
