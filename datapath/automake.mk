# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += datapath/libdatapath.a
datapath_libdatapath_a_SOURCES = datapath/client.h
include datapath/port/automake.mk
include datapath/tunnel/automake.mk
