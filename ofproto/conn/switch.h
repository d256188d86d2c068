/* SPDX-License-Identifier: Apache-2.0 */
/* The switch as its OpenFlow connections see it: what a bridge lends them.
 *
 * Threads: main thread only. Memory: the bridge owns everything here and outlives its connections. */
#ifndef OFPROTO_CONN_SWITCH_H
#define OFPROTO_CONN_SWITCH_H

#include "lib/openflow/message.h"
#include "ofproto/path/path.h"
#include "ofproto/table/view.h"

struct of_switch {
    const char *name;
    uint16_t bridge_id;                /* In the view. */
    struct tables *tables;
    struct path *path;
    uint64_t datapath_id;
    uint32_t versions;                 /* OFP_BIT()s that connections may agree on. */
    struct ofp_desc desc;
    int64_t flow_mod_ms;               /* When a connection changed rules last, clock_ms(). */
    uint16_t frag_mode;                /* OFPC_FRAG_* */

    /* Calls 'each' for every port, by number. */
    void (*each_port)(struct of_switch *, void (*each)(const struct ofp_phy_port *, void *arg), void *arg);
    /* Counters of a port as of now; false if there is none. */
    bool (*port_stats)(struct of_switch *, ofp_port, struct ofp_port_stats *);
    struct error *(*port_mod)(struct of_switch *, const struct ofp_port_mod *);
    /* A connection came, went, changed version, role or settings. */
    void (*connections_changed)(struct of_switch *);
    /* Names of ports for texts. */
    struct port_names port_names;
};

#endif
