# SPDX-License-Identifier: Apache-2.0
datapath_libdatapath_a_SOURCES += \
	datapath/port/device_tx.c datapath/port/device_tx.h \
	datapath/port/dummy.c datapath/port/dummy.h \
	datapath/port/dummy_tunnel.c datapath/port/dummy_tunnel.h \
	datapath/port/ingress.c datapath/port/ingress.h \
	datapath/port/kernel.h \
	datapath/port/link.c datapath/port/link.h \
	datapath/port/monitor.c datapath/port/monitor.h \
	datapath/port/netlink.c datapath/port/netlink.h \
	datapath/port/null.c \
	datapath/port/offload.c datapath/port/offload.h \
	datapath/port/pcap.c datapath/port/pcap.h \
	datapath/port/port.c datapath/port/port.h \
	datapath/port/rx_slots.c datapath/port/rx_slots.h \
	datapath/port/system.c \
	datapath/port/tap.c \
	datapath/port/types.c

# A helper of the tests with devices, not a test.
EXTRA_PROGRAMS += tests/unit/datapath/port/forward
tests_unit_datapath_port_forward_SOURCES = tests/unit/datapath/port/forward.c
tests_unit_datapath_port_forward_LDADD = $(datapath_libs) $(external_libs)

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-port
tests_unit_test_port_SOURCES = \
	tests/unit/unit.h \
	tests/unit/datapath/port/port_tests.h \
	tests/unit/datapath/port/support.c \
	tests/unit/datapath/port/test_common.c \
	tests/unit/datapath/port/test_decap.c \
	tests/unit/datapath/port/test_dummy.c \
	tests/unit/datapath/port/test_main.c \
	tests/unit/datapath/port/test_merge.c \
	tests/unit/datapath/port/test_null.c \
	tests/unit/datapath/port/test_offload.c \
	tests/unit/datapath/port/test_too_big.c \
	tests/unit/lib/packet/make_packet.c \
	tests/unit/lib/packet/packet_tests.h
tests_unit_test_port_LDADD = $(datapath_libs) $(external_libs) $(unit_libs)

check_PROGRAMS += tests/unit/test-port-devices
tests_unit_test_port_devices_SOURCES = \
	tests/unit/unit.h \
	tests/unit/datapath/port/devices.c tests/unit/datapath/port/devices.h \
	tests/unit/datapath/port/port_tests.h \
	tests/unit/datapath/port/support.c \
	tests/unit/datapath/port/test_devices_main.c \
	tests/unit/datapath/port/test_matrix.c \
	tests/unit/datapath/port/test_system.c \
	tests/unit/datapath/port/test_tap.c \
	tests/unit/datapath/port/test_vxlan.c \
	tests/unit/lib/packet/make_packet.c \
	tests/unit/lib/packet/packet_tests.h
EXTRA_tests_unit_test_port_devices_DEPENDENCIES = tests/unit/datapath/port/forward
tests_unit_test_port_devices_LDADD = $(datapath_libs) $(external_libs) $(unit_libs)
endif

fuzz_programs += tests/fuzz/fuzz-vnet tests/fuzz/fuzz-vxlan
tests_fuzz_fuzz_vnet_SOURCES = tests/fuzz/fuzz_vnet.c
tests_fuzz_fuzz_vnet_LDADD = $(datapath_libs) $(external_libs)
tests_fuzz_fuzz_vnet_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_vxlan_SOURCES = tests/fuzz/fuzz_vxlan.c
tests_fuzz_fuzz_vxlan_LDADD = $(datapath_libs) $(external_libs)
tests_fuzz_fuzz_vxlan_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_DIST += docs/design/ports.md
EXTRA_DIST += tests/fuzz/corpus/vnet tests/fuzz/corpus/vxlan

EXTRA_PROGRAMS += tests/bench/engine-forward
tests_bench_engine_forward_SOURCES = tests/bench/engine_forward.c
tests_bench_engine_forward_LDADD = $(datapath_libs) $(external_libs)
