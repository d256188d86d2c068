# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += README.md LICENSE boot.sh .clang-format .editorconfig m4/README \
	$(wildcard $(srcdir)/docs/*.md $(srcdir)/docs/*/*.md)

# Man pages come from the programs' own command tables.
man_MANS += docs/man/tsuji-vswitchd.8 docs/man/tsuji-dbserver.8 docs/man/tsuji-datapathd.8 docs/man/tsuji-vsctl.1 \
	docs/man/tsuji-ofctl.1 docs/man/tsuji-appctl.1 docs/man/tsuji-dpctl.1 docs/man/tsuji-dbtool.1
CLEANFILES += $(man_MANS)
EXTRA_DIST += build-aux/gen-man
gen_man = $(AM_V_GEN)$(MKDIR_P) docs/man && $(PYTHON) $(srcdir)/build-aux/gen-man

docs/man/tsuji-vswitchd.8: vswitchd/tsuji-vswitchd build-aux/gen-man
	$(gen_man) vswitchd/tsuji-vswitchd 8 $(PACKAGE_VERSION) $@
docs/man/tsuji-dbserver.8: utilities/tsuji-dbserver build-aux/gen-man
	$(gen_man) utilities/tsuji-dbserver 8 $(PACKAGE_VERSION) $@
docs/man/tsuji-datapathd.8: utilities/tsuji-datapathd build-aux/gen-man
	$(gen_man) utilities/tsuji-datapathd 8 $(PACKAGE_VERSION) $@
docs/man/tsuji-vsctl.1: utilities/tsuji-vsctl build-aux/gen-man
	$(gen_man) utilities/tsuji-vsctl 1 $(PACKAGE_VERSION) $@
docs/man/tsuji-ofctl.1: utilities/tsuji-ofctl build-aux/gen-man
	$(gen_man) utilities/tsuji-ofctl 1 $(PACKAGE_VERSION) $@
docs/man/tsuji-appctl.1: utilities/tsuji-appctl build-aux/gen-man
	$(gen_man) utilities/tsuji-appctl 1 $(PACKAGE_VERSION) $@
docs/man/tsuji-dpctl.1: utilities/tsuji-dpctl build-aux/gen-man
	$(gen_man) utilities/tsuji-dpctl 1 $(PACKAGE_VERSION) $@
docs/man/tsuji-dbtool.1: utilities/tsuji-dbtool build-aux/gen-man
	$(gen_man) utilities/tsuji-dbtool 1 $(PACKAGE_VERSION) $@

# --enable-ovs-names: the tools under the names that scripts call.
if OVS_NAMES
ovs_bin_links = vsctl:ovs-vsctl ofctl:ovs-ofctl appctl:ovs-appctl dpctl:ovs-dpctl dbtool:ovsdb-tool
install-exec-hook:
	for pair in $(ovs_bin_links); do \
	  $(LN_S) -f tsuji-$${pair%%:*} $(DESTDIR)$(bindir)/$${pair##*:} || exit 1; done
	$(LN_S) -f tsuji-vswitchd $(DESTDIR)$(sbindir)/ovs-vswitchd
	$(LN_S) -f tsuji-dbserver $(DESTDIR)$(sbindir)/ovsdb-server
uninstall-hook:
	for pair in $(ovs_bin_links); do rm -f $(DESTDIR)$(bindir)/$${pair##*:}; done
	rm -f $(DESTDIR)$(sbindir)/ovs-vswitchd $(DESTDIR)$(sbindir)/ovsdb-server
endif
