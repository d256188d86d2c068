# SPDX-License-Identifier: Apache-2.0
datapath_libdatapath_a_SOURCES += \
	datapath/tunnel/decap.c datapath/tunnel/decap.h \
	datapath/tunnel/merge.c datapath/tunnel/merge.h \
	datapath/tunnel/path.c datapath/tunnel/path.h \
	datapath/tunnel/route.c datapath/tunnel/route.h \
	datapath/tunnel/too_big.c datapath/tunnel/too_big.h \
	datapath/tunnel/udp.c datapath/tunnel/udp.h \
	datapath/tunnel/vxlan.c datapath/tunnel/vxlan.h \
	datapath/tunnel/vxlan_rx.c \
	datapath/tunnel/vxlan_tx.c
