# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += ofproto/libofproto.a
ofproto_libofproto_a_SOURCES = \
	ofproto/ofproto.h \
	ofproto/table/change.c ofproto/table/change.h \
	ofproto/table/mac_table.c ofproto/table/mac_table.h \
	ofproto/table/rule.h ofproto/table/tables.h \
	ofproto/table/view.c ofproto/table/view.h
