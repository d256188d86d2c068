# SPDX-License-Identifier: Apache-2.0
# The vocabulary. What is generated from it stays in the build tree.
EXTRA_DIST += spec/drops.toml
BUILT_SOURCES += spec/drops.h
CLEANFILES += spec/drops.h spec/drops.c

spec/drops.h: spec/drops.toml build-aux/gen-drops
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-drops $(srcdir)/spec/drops.toml $@
spec/drops.c: spec/drops.toml build-aux/gen-drops spec/drops.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-drops $(srcdir)/spec/drops.toml $@

EXTRA_DIST += spec/fields.toml build-aux/gen-fields
BUILT_SOURCES += spec/fields.h
CLEANFILES += spec/fields.h spec/fields.c

spec/fields.h: spec/fields.toml build-aux/gen-fields
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-fields $(srcdir)/spec/fields.toml $@
spec/fields.c: spec/fields.toml build-aux/gen-fields spec/fields.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-fields $(srcdir)/spec/fields.toml $@

# The database's schema, installed under the name that init scripts look for.
EXTRA_DIST += spec/vswitch.schema.json build-aux/gen-schema
nodist_pkgdata_DATA = spec/vswitch.ovsschema
CLEANFILES += spec/vswitch.ovsschema spec/vswitch_schema.c

spec/vswitch.ovsschema: spec/vswitch.schema.json
	$(AM_V_GEN)$(MKDIR_P) spec && cp $(srcdir)/spec/vswitch.schema.json $@
spec/vswitch_schema.c: spec/vswitch.schema.json build-aux/gen-schema
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-schema $(srcdir)/spec/vswitch.schema.json $@ vswitch_schema_text
