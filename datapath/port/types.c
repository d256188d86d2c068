/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of port types: adding a type is a file and a line here. */
#include "datapath/port/port.h"

#include "datapath/port/dummy.h"

/* Those of one instance each are declared here, at their only use. */
extern const struct port_type port_type_system, port_type_internal, port_type_tap, port_type_null;
extern const struct port_type port_type_vxlan;   /* datapath/tunnel */

const struct port_type *const port_types[] = {
    &port_type_system,
    &port_type_internal,
    &port_type_tap,
    &port_type_vxlan,
    &port_type_dummy,
    &port_type_dummy_internal,
    &port_type_null,
    NULL,
};
