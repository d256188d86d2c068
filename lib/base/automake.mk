# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/base/libbase.a
lib_base_libbase_a_SOURCES = \
	lib/base/alloc.c lib/base/alloc.h \
	lib/base/buffer.c lib/base/buffer.h \
	lib/base/error.c lib/base/error.h \
	lib/base/hash.c lib/base/hash.h \
	lib/base/hmap.c lib/base/hmap.h \
	lib/base/list.c lib/base/list.h \
	lib/base/parse.c lib/base/parse.h \
	lib/base/random.c lib/base/random.h \
	lib/base/smap.c lib/base/smap.h \
	lib/base/text.c lib/base/text.h \
	lib/base/types.h \
	lib/base/uuid.c lib/base/uuid.h \
	lib/base/version.h
nodist_lib_base_libbase_a_SOURCES = spec/drops.c spec/drops.h

if HAVE_CHECK
check_PROGRAMS += tests/unit/test-base
tests_unit_test_base_SOURCES = \
	tests/unit/unit.h \
	tests/unit/lib/base/test_main.c \
	tests/unit/lib/base/test_buffer.c \
	tests/unit/lib/base/test_hmap.c \
	tests/unit/lib/base/test_parse.c \
	tests/unit/lib/base/test_smap.c \
	tests/unit/lib/base/test_text.c
tests_unit_test_base_LDADD = $(base_libs) $(external_libs) $(unit_libs)
endif
