/* SPDX-License-Identifier: Apache-2.0 */
/* The whole packet engine between two ports, without a control plane: engine-forward TYPE:NAME[,KEY=VALUE...]
 * TYPE:NAME[,KEY=VALUE...]. One flow each way. A carrier ("vxlan") has its keys "remote" and "vni" for what it sends. Prints
 * "ready", runs until its input ends, then prints what was received, sent and dropped. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/client.h"
#include "datapath/server.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/packet/headers.h"
#include "lib/sys/channel.h"
#include "lib/sys/log.h"

struct end {
    uint32_t port_no;
    struct tunnel_key tunnel;    /* flags 0: none. */
};

static void must(struct error *e)
{
    if (e) {
        fprintf(stderr, "engine-forward: %s\n", error_text(e));
        exit(1);
    }
}

static void set_remote(struct tunnel_key *tunnel, const char *s)
{
    struct in6_addr remote;
    if (!parse_ip(s, &remote)) {
        must(error_new(1, "\"%s\" is not an address", s));
    }
    if (ip6_is_v4mapped(&remote)) {
        tunnel->ip4_dst = ip6_to_ip4(&remote);
    } else {
        tunnel->ip6_dst = remote;
    }
    tunnel->ttl = 64;
    tunnel->flags |= TUNNEL_KEY | TUNNEL_DF | TUNNEL_MSS_CLAMP;
}

static void add_end(struct dp_client *c, char *spec, struct end *end)
{
    struct dp_port_config config;
    char *name = strchr(spec, ':'), *options = strchr(spec, ',');
    memset(end, 0, sizeof *end);
    if (!name) {
        must(error_new(1, "\"%s\" is not TYPE:NAME", spec));
    }
    *name++ = '\0';
    if (options) {
        *options++ = '\0';
    }
    dp_port_config_init(&config);
    config.type = xstrdup(spec);
    config.name = xstrdup(name);
    for (char *o = options ? strtok(options, ",") : NULL; o; o = strtok(NULL, ",")) {
        char *value = strchr(o, '=');
        if (!value) {
            must(error_new(1, "\"%s\" is not KEY=VALUE", o));
        }
        *value++ = '\0';
        if (!strcmp(o, "remote")) {
            set_remote(&end->tunnel, value);
        } else if (!strcmp(o, "vni")) {
            end->tunnel.id = htobe64(strtoull(value, NULL, 10));
        } else {
            smap_set(&config.options, o, value);
        }
    }
    must(dp_port_add(c, &config, &end->port_no));
    dp_port_config_fini(&config);
}

static void put_flow(struct dp_client *c, uint64_t id, const struct end *from, const struct end *to)
{
    struct action_list a;
    struct mask mask;
    struct key key;
    memset(&key, 0, sizeof key);
    memset(&mask, 0, sizeof mask);
    key.meta.in_port = from->port_no;
    key.tunnel.id = from->tunnel.id;
    /* Ingress port, tunnel id and outer VLAN are in every mask: here, untagged packets. */
    mask.bits.meta.in_port = mask.bits.meta.recirc_id = UINT32_MAX;
    mask.bits.tunnel.id = UINT64_MAX;
    mask.bits.l2.vlan[0].tci = htobe16(VLAN_CFI | VLAN_VID_MASK);
    mask_seal(&mask);
    action_list_init(&a);
    if (to->tunnel.flags) {
        action_put_tunnel(&a, &to->tunnel);
    }
    action_put_output(&a, to->port_no);
    dp_flow_put(c, id, id - 1, 1, &key, &mask, &a);
    action_list_fini(&a);
}

int main(int argc, char **argv)
{
    struct datapath_options options;
    struct datapath *dp;
    struct dp_client *c;
    struct dp_stats stats;
    struct end a, b;
    int fds[2];
    char byte;
    if (argc != 3) {
        fprintf(stderr, "usage: engine-forward TYPE:NAME[,KEY=VALUE...] TYPE:NAME[,KEY=VALUE...]\n");
        return 1;
    }
    log_set_from_word("off");
    datapath_options_init(&options);
    options.enable_system = true;
    must(datapath_create(&options, &dp));
    if (channel_pair(fds)) {
        return 1;
    }
    must(datapath_serve_fd(dp, fds[0]));
    must(dp_client_from_fd(fds[1], NULL, NULL, &c));
    add_end(c, argv[1], &a);
    add_end(c, argv[2], &b);
    put_flow(c, 1, &a, &b);
    put_flow(c, 2, &b, &a);
    must(dp_sync(c));
    printf("ready\n");
    fflush(stdout);
    while (read(0, &byte, 1) > 0) {
    }
    must(dp_get_stats(c, &stats));
    printf("received=%llu made=%llu sent=%llu consumed=%llu", (unsigned long long) stats.received,
           (unsigned long long) stats.made, (unsigned long long) stats.sent, (unsigned long long) stats.consumed);
    for (int i = 0; i < DROP_N; i++) {
        if (stats.drops[i]) {
            printf(" %s=%llu", drop_name(i), (unsigned long long) stats.drops[i]);
        }
    }
    printf("\n");
    dp_client_destroy(c);
    datapath_destroy(dp);
    return 0;
}
