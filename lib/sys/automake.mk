# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/sys/libsys.a
lib_sys_libsys_a_SOURCES = \
	lib/sys/channel.c lib/sys/channel.h \
	lib/sys/clock.c lib/sys/clock.h \
	lib/sys/crash.c \
	lib/sys/log.c lib/sys/log.h \
	lib/sys/log_sink.c lib/sys/log_sink.h \
	lib/sys/loop.c lib/sys/loop.h lib/sys/loop_private.h \
	lib/sys/loop_timer.c \
	lib/sys/loop_warp.c \
	lib/sys/memory.c \
	lib/sys/pidfile.c lib/sys/pidfile.h \
	lib/sys/process.c lib/sys/process.h \
	lib/sys/process_paths.c \
	lib/sys/process_privileges.c \
	lib/sys/rcu.c lib/sys/rcu.h \
	lib/sys/shm.c lib/sys/shm.h \
	lib/sys/thread.c lib/sys/thread.h \
	lib/sys/unix_socket.c lib/sys/unix_socket.h

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-sys
tests_unit_test_sys_SOURCES = \
	tests/unit/unit.h \
	tests/unit/lib/sys/test_main.c \
	tests/unit/lib/sys/test_channel.c \
	tests/unit/lib/sys/test_log.c \
	tests/unit/lib/sys/test_loop.c \
	tests/unit/lib/sys/test_process.c \
	tests/unit/lib/sys/test_warp.c
tests_unit_test_sys_LDADD = $(sys_libs) $(external_libs) $(unit_libs)
endif
