# SPDX-License-Identifier: Apache-2.0
# The vocabulary. What is generated from it stays in the build tree.
EXTRA_DIST += spec/drops.toml
BUILT_SOURCES += spec/drops.h
CLEANFILES += spec/drops.h spec/drops.c

spec/drops.h: spec/drops.toml build-aux/gen-drops
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-drops $(srcdir)/spec/drops.toml $@
spec/drops.c: spec/drops.toml build-aux/gen-drops spec/drops.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-drops $(srcdir)/spec/drops.toml $@

EXTRA_DIST += spec/fields.toml
BUILT_SOURCES += spec/fields.h
CLEANFILES += spec/fields.h spec/fields.c

spec/fields.h: spec/fields.toml build-aux/gen-fields
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-fields $(srcdir)/spec/fields.toml $@
spec/fields.c: spec/fields.toml build-aux/gen-fields spec/fields.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-fields $(srcdir)/spec/fields.toml $@
