/* SPDX-License-Identifier: Apache-2.0 */
/* The database and the datapath as threads of this process, joined by socketpairs: the embedded form.
 *
 * The control plane sees nothing but the descriptors, so it cannot tell this from the split form. */
#ifndef VSWITCHD_EMBEDDED_H
#define VSWITCHD_EMBEDDED_H

#include "lib/base/types.h"

struct datapath;
struct error;

struct embedded_db;
/* Opens (or creates) the database 'file', serves 'remotes' (NULL-terminated) and one end of a socketpair; '*fd' is the other. */
struct error *embedded_db_start(const char *file, const char *const *remotes, struct embedded_db **, int *fd);
void embedded_db_stop(struct embedded_db *);   /* NULL is fine. */

struct error *embedded_datapath_start(bool enable_system, const char *dummy_override, struct datapath **, int *fd);

#endif
