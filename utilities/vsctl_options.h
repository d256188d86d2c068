/* SPDX-License-Identifier: Apache-2.0 */
/* The options of tsuji-vsctl that are not a command's. */
#ifndef UTILITIES_VSCTL_OPTIONS_H
#define UTILITIES_VSCTL_OPTIONS_H

#include "utilities/vsctl.h"

/* Reads options up to the first word that is none, or "--". Options that only commands know go to
 * 'first_options', they are the first command's. '*used' words of argv are done with. --help and --version
 * print and exit. */
struct error *vsctl_parse_options(struct vsctl *, int argc, char **argv, struct smap *first_options,
                                  int *used);

#endif
