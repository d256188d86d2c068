# SPDX-License-Identifier: Apache-2.0
sbin_PROGRAMS += vswitchd/tsuji-vswitchd
vswitchd_tsuji_vswitchd_SOURCES = \
	vswitchd/apply.c \
	vswitchd/commands.c \
	vswitchd/embedded.c vswitchd/embedded.h \
	vswitchd/hold.c \
	vswitchd/keys.c \
	vswitchd/main.c \
	vswitchd/plan.c vswitchd/plan.h \
	vswitchd/snapshot.c vswitchd/snapshot.h \
	vswitchd/status.c \
	vswitchd/vswitch.h
nodist_vswitchd_tsuji_vswitchd_SOURCES = spec/keys.c spec/keys.h
vswitchd_tsuji_vswitchd_LDADD = ofproto/libofproto.a db/libdb.a datapath/libdatapath.a lib/openflow/libopenflow.a \
	lib/flow/libflow.a lib/packet/libpacket.a $(rpc_libs) $(external_libs)
