/* SPDX-License-Identifier: Apache-2.0 */
/* Ports without a device: tests feed frames in and look at what went out. */
#ifndef DATAPATH_PORT_DUMMY_H
#define DATAPATH_PORT_DUMMY_H

#include "datapath/port/port.h"

extern const struct port_type port_type_dummy, port_type_dummy_internal;

enum { DUMMY_MAX_QUEUED = 4096 };   /* Frames that wait for the worker. */

#endif
