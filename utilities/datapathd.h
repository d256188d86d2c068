/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of tsuji-datapathd's control socket that look at the datapath; their argument is an observing dp_client. */
#ifndef UTILITIES_DATAPATHD_H
#define UTILITIES_DATAPATHD_H

#include "lib/rpc/control.h"

extern const struct control_command datapathd_commands[];

#endif
