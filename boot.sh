#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure from configure.ac, after a fresh clone.
cd "$(dirname "$0")" && exec autoreconf --install --force --warnings=no-portability
