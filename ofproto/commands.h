/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of control commands share. Private to ofproto/. 'arg' of every handler is the struct ofproto. */
#ifndef OFPROTO_COMMANDS_H
#define OFPROTO_COMMANDS_H

#include "lib/rpc/control.h"
#include "ofproto/bridge.h"

/* The bridge, or NULL after an error was replied. */
struct bridge *command_bridge(struct control_request *, struct ofproto *, const char *name);
/* Replies and frees the text. */
void command_reply_text(struct control_request *, struct text *);

/* commands_dpif.c */
typedef void command_handler(struct control_request *, int argc, char *argv[], void *ofproto);
command_handler dpif_show, dpif_dump_flows, dpif_dump_dps, dpif_show_dp_features, dpctl_show, dpctl_dump_flows, drops_show,
    tnl_ports_show, route_show;

#endif
