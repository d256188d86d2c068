# SPDX-License-Identifier: Apache-2.0
datapath_libdatapath_a_SOURCES += \
	datapath/port/dummy.c datapath/port/dummy.h \
	datapath/port/null.c \
	datapath/port/offload.c datapath/port/offload.h \
	datapath/port/pcap.c datapath/port/pcap.h \
	datapath/port/port.c datapath/port/port.h \
	datapath/port/types.c
