# SPDX-License-Identifier: Apache-2.0

bin_PROGRAMS += utilities/tsuji-appctl
utilities_tsuji_appctl_SOURCES = utilities/appctl.c
utilities_tsuji_appctl_LDADD = $(rpc_libs) $(external_libs)

bin_PROGRAMS += utilities/tsuji-vsctl
utilities_tsuji_vsctl_SOURCES = \
	utilities/vsctl.c utilities/vsctl.h \
	utilities/vsctl_bridges.c \
	utilities/vsctl_commands.c \
	utilities/vsctl_conditions.c \
	utilities/vsctl_fields.c \
	utilities/vsctl_line.c \
	utilities/vsctl_model.c \
	utilities/vsctl_names.c \
	utilities/vsctl_options.c utilities/vsctl_options.h \
	utilities/vsctl_ports.c \
	utilities/vsctl_records.c \
	utilities/vsctl_settings.c \
	utilities/vsctl_show.c \
	utilities/vsctl_table.c \
	utilities/vsctl_value.c \
	utilities/vsctl_zones.c
utilities_tsuji_vsctl_LDADD = $(db_libs) $(external_libs)

bin_PROGRAMS += utilities/tsuji-ofctl
utilities_tsuji_ofctl_SOURCES = \
	utilities/ofctl.c utilities/ofctl.h \
	utilities/ofctl_conn.c \
	utilities/ofctl_flows.c \
	utilities/ofctl_json.c \
	utilities/ofctl_monitor.c \
	utilities/ofctl_ports.c \
	utilities/ofctl_show.c
utilities_tsuji_ofctl_LDADD = $(openflow_libs) $(external_libs)

bin_PROGRAMS += utilities/tsuji-dpctl
utilities_tsuji_dpctl_SOURCES = utilities/dpctl.c
utilities_tsuji_dpctl_LDADD = $(rpc_libs) $(external_libs)
