/* SPDX-License-Identifier: Apache-2.0 */
/* A laboratory for translation: bridges, ports and rules from a few words, packets from match text.
 *
 * Use:   struct lab *l = lab_create();
 *        lab_port(l, "br0", "p1", 1, 101);
 *        lab_rules(l, "br0", "in_port=1,actions=output:2");
 *        struct lab_result r = lab_translate(l, "br0", "in_port=1,dl_dst=...");
 *
 * Datapath ports are given; tunnels share a carrier. Packets name the OpenFlow port of the bridge that they come in by. */
#ifndef TESTS_UNIT_OFPROTO_LAB_H
#define TESTS_UNIT_OFPROTO_LAB_H

#include "lib/base/text.h"
#include "ofproto/xlate/trace.h"
#include "ofproto/xlate/xlate.h"

struct lab {
    struct changes *changes;
    struct view *view;
    uint16_t next_id;
};

struct lab *lab_create(void);
void lab_destroy(struct lab *);
struct view_bridge *lab_bridge(struct lab *, const char *name);       /* Makes it. */
struct view_port *lab_port(struct lab *, const char *bridge, const char *name, ofp_port, uint32_t dp_port);
void lab_patch(struct lab *, const char *bridge1, const char *name1, ofp_port, const char *bridge2, const char *name2, ofp_port);
struct view_port *lab_tunnel(struct lab *, const char *bridge, const char *name, ofp_port, uint32_t carrier);
struct view_port *lab_find(struct lab *, const char *bridge, const char *name);
/* "mode tag trunks...": "access 10", "trunk 10,20", "trunk" (all), "native-untagged 5 10,20", "dot1q-tunnel 100". */
void lab_vlan(struct lab *, const char *bridge, const char *name, const char *mode);
/* Flow mods, one a line: flows to add, or "-flow" to delete loosely, "--flow" strictly. Fails the test on an error. */
void lab_rules(struct lab *, const char *bridge, const char *flows);
/* The error's code (0: none) of one flow mod. */
int lab_flow_mod(struct lab *, const char *bridge, const char *flow, enum ofp_flow_command, enum ofp_version);
/* A key of match text; 'inner' is a second tag or 0. */
void lab_key(struct lab *, const char *bridge, const char *packet, struct key *);
void lab_xlate(struct lab *, const struct key *, struct trace *, struct xlate_out *);
/* Translates; the caller frees both. Megaflow as match text without in_port. */
struct lab_result { char *actions, *megaflow; };
struct lab_result lab_translate(struct lab *, const char *bridge, const char *packet);
/* Applies MAC effects. */
void lab_learn(struct lab *, const struct xlate_out *);

#endif
