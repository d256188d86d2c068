# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/packet/libpacket.a
lib_packet_libpacket_a_SOURCES = \
	lib/packet/csum.c lib/packet/csum.h \
	lib/packet/gso.c lib/packet/gso.h \
	lib/packet/headers.h \
	lib/packet/packet.c lib/packet/packet.h \
	lib/packet/transport.c lib/packet/transport.h \
	lib/packet/tunnel_key.h \
	lib/packet/vnet.c lib/packet/vnet.h
