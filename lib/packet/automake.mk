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

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-packet
tests_unit_test_packet_SOURCES = \
	tests/unit/unit.h \
	tests/unit/lib/packet/make_packet.c \
	tests/unit/lib/packet/packet_tests.h \
	tests/unit/lib/packet/test_csum.c \
	tests/unit/lib/packet/test_gso.c \
	tests/unit/lib/packet/test_main.c \
	tests/unit/lib/packet/test_packet.c \
	tests/unit/lib/packet/test_vnet.c
tests_unit_test_packet_LDADD = $(packet_libs) $(external_libs) $(unit_libs)
endif
