/* SPDX-License-Identifier: Apache-2.0 */
/* Versions that we tell others. */
#ifndef LIB_BASE_VERSION_H
#define LIB_BASE_VERSION_H

/* Of Open vSwitch, whose commands, formats and schema are followed: clients ask for it. */
#define COMPAT_VERSION "3.7.0"

#endif
