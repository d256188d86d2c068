# SPDX-License-Identifier: Apache-2.0
# The vocabulary. What is generated from it stays in the build tree.
EXTRA_DIST += spec/drops.toml
BUILT_SOURCES += spec/drops.h
CLEANFILES += spec/drops.h spec/drops.c

spec/drops.h: spec/drops.toml build-aux/gen-drops
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-drops $(srcdir)/spec/drops.toml $@
spec/drops.c: spec/drops.toml build-aux/gen-drops spec/drops.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-drops $(srcdir)/spec/drops.toml $@
