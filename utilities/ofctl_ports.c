/* SPDX-License-Identifier: Apache-2.0 */
/* Names of a switch's ports, fetched when they are needed. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "utilities/ofctl.h"

static bool name_to_number(const struct port_names *names, const char *name, ofp_port *port)
{
    struct ofctl_port_map *map = CONTAINER_OF((struct port_names *) names, struct ofctl_port_map, names);
    port_map_fetch(map);
    for (size_t i = 0; i < map->n; i++) {
        if (!strcmp(map->ports[i].name, name)) {
            *port = map->ports[i].port_no;
            return true;
        }
    }
    return false;
}

static const char *number_to_name(const struct port_names *names, ofp_port port)
{
    struct ofctl_port_map *map = CONTAINER_OF((struct port_names *) names, struct ofctl_port_map, names);
    for (size_t i = 0; i < map->n; i++) {
        if (map->ports[i].port_no == port) {
            return map->ports[i].name;
        }
    }
    return NULL;
}

void port_map_init(struct ofctl_port_map *map, const char *target)
{
    *map = (struct ofctl_port_map) { .names = { name_to_number, number_to_name }, .target = target };
}

void port_map_fini(struct ofctl_port_map *map)
{
    free(map->ports);
}

static void add_ports(const struct ofp_header *h, void *map_)
{
    struct ofctl_port_map *map = map_;
    struct reader r = reader_of(h->body, h->body_len);
    struct ofp_phy_port port;
    bool end;
    for (;;) {
        ofctl_check(ofp_next_port_desc(h, &r, &port, &end));
        if (end) {
            return;
        }
        map->ports = xrealloc(map->ports, (map->n + 1) * sizeof *map->ports);
        map->ports[map->n++] = port;
    }
}

void port_map_fetch(struct ofctl_port_map *map)
{
    if (map->fetched || !map->target) {
        return;
    }
    map->fetched = true;
    struct ofconn *c = ofconn_open(map->target, ".mgmt");
    struct buffer b = BUFFER_INIT;
    ofp_encode_port_request(&b, OFPMSG_PORT_DESC_REQUEST, OFPP_ANY, c->version, ofconn_xid(c));
    ofconn_transact(c, &b, add_ports, map);
    buffer_fini(&b);
    ofconn_close(c);
}

const struct port_names *port_map_for_output(struct ofctl_port_map *map)
{
    if (ofctl.names > 0 || (ofctl.names < 0 && isatty(STDOUT_FILENO))) {
        port_map_fetch(map);
        return &map->names;
    }
    return NULL;
}

const struct ofp_phy_port *port_map_find(struct ofctl_port_map *map, const char *name)
{
    ofp_port port;
    ofctl_check(ofp_port_parse(name, &map->names, &port));
    port_map_fetch(map);
    for (size_t i = 0; i < map->n; i++) {
        if (map->ports[i].port_no == port) {
            return &map->ports[i];
        }
    }
    ofctl_fail("%s has no port %s", map->target, name);
}
