/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow versions and reserved numbers. */
#ifndef LIB_OPENFLOW_VERSION_H
#define LIB_OPENFLOW_VERSION_H

#include "lib/base/types.h"

enum ofp_version { OFP10 = 1, OFP11, OFP12, OFP13, OFP14, OFP15, OFP_VERSION_END };

/* Sets of versions: bit N is version N, as in the HELLO bitmap. */
#define OFP_BIT(version) (1u << (version))
#define OFP_SUPPORTED (OFP_BIT(OFP10) | OFP_BIT(OFP13) | OFP_BIT(OFP14) | OFP_BIT(OFP15))

struct error;
struct text;
/* "OpenFlow10", "OpenFlow1.3", ... as in Bridge.protocols and -O; comma-separated. Unknown names are an error that lists the
 * known ones. Names of versions that we do not speak (1.1, 1.2) are accepted. */
struct error *ofp_versions_parse(const char *s, uint32_t *bits);
const char *ofp_version_name(enum ofp_version);          /* "OpenFlow13" */
const char *ofp_version_dotted(enum ofp_version);        /* "1.3" */

/* Reserved ports, as OpenFlow 1.1 and later number them; 1.0's 16-bit ones are mapped by the codec. */
#define OFPP_MAX UINT32_C(0xffffff00)
#define OFPP_IN_PORT UINT32_C(0xfffffff8)
#define OFPP_TABLE UINT32_C(0xfffffff9)
#define OFPP_NORMAL UINT32_C(0xfffffffa)
#define OFPP_FLOOD UINT32_C(0xfffffffb)
#define OFPP_ALL UINT32_C(0xfffffffc)
#define OFPP_CONTROLLER UINT32_C(0xfffffffd)
#define OFPP_LOCAL UINT32_C(0xfffffffe)
#define OFPP_ANY UINT32_C(0xffffffff)
#define OFPP_NONE OFPP_ANY
#define OFPG_ANY UINT32_C(0xffffffff)
#define OFPTT_ALL 0xff
#define OFP_NO_BUFFER UINT32_C(0xffffffff)
/* Datapath and bridge numbers above this are not used for OpenFlow ports (1.0 has 16 bits). */
#define OFPP_LAST_USABLE UINT32_C(0xfeff)

/* "LOCAL", "in_port", "65534", a name found by 'names' (which may be NULL); and back. */
struct port_names;
struct error *ofp_port_parse(const char *s, const struct port_names *, ofp_port *);
void ofp_port_format(ofp_port, const struct port_names *, struct text *);

#endif
