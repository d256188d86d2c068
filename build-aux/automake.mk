# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += build-aux/gen-drops build-aux/layers build-aux/check-layers build-aux/check-source \
	build-aux/check-readme build-aux/install-packages
