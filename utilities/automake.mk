# SPDX-License-Identifier: Apache-2.0

bin_PROGRAMS += utilities/tsuji-appctl
utilities_tsuji_appctl_SOURCES = utilities/appctl.c
utilities_tsuji_appctl_LDADD = $(rpc_libs) $(external_libs)
