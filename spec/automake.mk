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

# OpenFlow: actions, messages, errors.
EXTRA_DIST += spec/actions.toml spec/messages.toml spec/errors.toml \
	build-aux/gen-actions build-aux/gen-messages build-aux/gen-errors
BUILT_SOURCES += spec/actions.h spec/messages.h spec/errors.h
CLEANFILES += spec/actions.h spec/actions.c spec/messages.h spec/messages.c spec/errors.h spec/errors.c

spec/actions.h: spec/actions.toml build-aux/gen-actions
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-actions $(srcdir)/spec/actions.toml $@
spec/actions.c: spec/actions.toml build-aux/gen-actions spec/actions.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-actions $(srcdir)/spec/actions.toml $@
spec/messages.h: spec/messages.toml build-aux/gen-messages
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-messages $(srcdir)/spec/messages.toml $@
spec/messages.c: spec/messages.toml build-aux/gen-messages spec/messages.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-messages $(srcdir)/spec/messages.toml $@
spec/errors.h: spec/errors.toml build-aux/gen-errors
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-errors $(srcdir)/spec/errors.toml $@
spec/errors.c: spec/errors.toml build-aux/gen-errors spec/errors.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-errors $(srcdir)/spec/errors.toml $@

# The typed client of the configuration database.
EXTRA_DIST += build-aux/gen-db-client
BUILT_SOURCES += spec/db.h
CLEANFILES += spec/db.h spec/db.c

spec/db.h: spec/vswitch.schema.json build-aux/gen-db-client
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-db-client $(srcdir)/spec/vswitch.schema.json $@
spec/db.c: spec/vswitch.schema.json build-aux/gen-db-client spec/db.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-db-client $(srcdir)/spec/vswitch.schema.json $@

# Keys of map columns.
EXTRA_DIST += spec/keys.toml build-aux/gen-keys
BUILT_SOURCES += spec/keys.h
CLEANFILES += spec/keys.h spec/keys.c

spec/keys.h: spec/keys.toml build-aux/gen-keys
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-keys $(srcdir)/spec/keys.toml $@
spec/keys.c: spec/keys.toml build-aux/gen-keys spec/keys.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-keys $(srcdir)/spec/keys.toml $@

# The channel between control plane and datapath.
EXTRA_DIST += spec/datapath.toml build-aux/gen-datapath
BUILT_SOURCES += spec/datapath.h
CLEANFILES += spec/datapath.h spec/datapath.c

spec/datapath.h: spec/datapath.toml build-aux/gen-datapath
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-datapath $(srcdir)/spec/datapath.toml $@
spec/datapath.c: spec/datapath.toml build-aux/gen-datapath spec/datapath.h
	$(AM_V_GEN)$(MKDIR_P) spec && $(PYTHON) $(srcdir)/build-aux/gen-datapath $(srcdir)/spec/datapath.toml $@
