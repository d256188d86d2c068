/* SPDX-License-Identifier: Apache-2.0 */
/* Forwards between two ports, for tests and measurements of ports alone: forward TYPE:NAME[,KEY=VALUE...] TYPE:NAME...
 * A carrier ("vxlan") gets its packets with the tunnel of its keys "remote" and "vni". Prints "ready", runs until its
 * input ends, then prints the counters of both ports. */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/port/port.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/flow/key.h"
#include "lib/sys/rcu.h"

static struct tunnel_key tunnels[2];      /* Of packets that leave by the first port, the second. */

static void set_remote(struct tunnel_key *tunnel, const char *s)
{
    struct in6_addr remote;
    if (!parse_ip(s, &remote)) {
        fprintf(stderr, "%s: not an address\n", s);
        exit(1);
    }
    if (ip6_is_v4mapped(&remote)) {
        tunnel->ip4_dst = ip6_to_ip4(&remote);
    } else {
        tunnel->ip6_dst = remote;
    }
    tunnel->ttl = 64;
    tunnel->flags |= TUNNEL_KEY | TUNNEL_DF | TUNNEL_MSS_CLAMP;
}

static struct port *make_port(struct port_env *env, char *spec, uint32_t number, struct tunnel_key *tunnel)
{
    struct dp_port_config config;
    struct port *port;
    dp_port_config_init(&config);
    char *options = strchr(spec, ',');
    if (options) {
        *options++ = '\0';
    }
    for (char *o = options ? strtok(options, ",") : NULL; o; o = strtok(NULL, ",")) {
        char *value = strchr(o, '=');
        if (value) {
            *value++ = '\0';
            if (!strcmp(o, "up")) {
                config.admin_up = atoi(value);
            } else if (!strcmp(o, "mtu")) {
                config.mtu = atoi(value);
            } else if (!strcmp(o, "remote")) {
                set_remote(tunnel, value);
            } else if (!strcmp(o, "vni")) {
                tunnel->id = htobe64(atoi(value));
            } else if (!strcmp(o, "csum")) {
                tunnel->flags |= TUNNEL_CSUM;
            } else {
                smap_set(&config.options, o, value);
            }
        }
    }
    char *name = strchr(spec, ':');
    if (!name) {
        fprintf(stderr, "%s: not TYPE:NAME\n", spec);
        exit(1);
    }
    *name++ = '\0';
    config.type = strdup(spec);
    config.name = strdup(name);
    struct error *e = port_create(env, &config, number, &port);
    if (e) {
        fprintf(stderr, "%s\n", error_text(e));
        exit(1);
    }
    dp_port_config_fini(&config);
    return port;
}

static bool forward(struct port *from, struct port *to, struct packet_pool *pool, const struct tunnel_key *back,
                    const struct tunnel_key *tunnel)
{
    struct packet_batch batch;
    struct key key;
    port_rx(from, pool, &batch);
    for (uint32_t i = 0; i < batch.n; i++) {
        struct packet *p = batch.p[i];
        key_extract(p, &key, 1);
        p->has_tunnel = tunnel->flags != 0;
        p->tunnel = *tunnel;
    }
    bool busy = batch.n;
    port_tx(to, pool, &batch, 0);
    for (struct packet *p; (p = port_take_reinjected(0));) {
        batch.n = 1;
        batch.p[0] = p;
        p->has_tunnel = back->flags != 0;
        p->tunnel = *back;
        port_tx(from, pool, &batch, 0);
    }
    return busy;
}

static void print_counters(const struct port *port)
{
    struct port_counters c;
    port_get_counters(port, &c);
    printf("%s rx_packets=%llu rx_bytes=%llu tx_packets=%llu tx_bytes=%llu made=%llu",
           port_config(port)->name, (unsigned long long) c.rx_packets, (unsigned long long) c.rx_bytes,
           (unsigned long long) c.tx_packets, (unsigned long long) c.tx_bytes, (unsigned long long) c.made);
    for (int i = 0; i < DROP_N; i++) {
        if (c.drops[i]) {
            printf(" %s=%llu", drop_name(i), (unsigned long long) c.drops[i]);
        }
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: forward TYPE:NAME[,KEY=VALUE...] TYPE:NAME[,KEY=VALUE...]\n");
        return 1;
    }
    rcu_register_thread();
    struct loop *loop = loop_create("forward");
    struct port_env env = { .loop = loop, .enable_system = true };
    struct packet_pool *pool = packet_pool_create(4096, 512);
    struct port *a = make_port(&env, argv[1], 1, &tunnels[0]), *b = make_port(&env, argv[2], 2, &tunnels[1]);
    printf("ready\n");
    fflush(stdout);
    for (unsigned idle = 0, rounds = 0;; rounds++) {
        bool busy = forward(a, b, pool, &tunnels[0], &tunnels[1]);
        busy |= forward(b, a, pool, &tunnels[1], &tunnels[0]);
        idle = busy ? 0 : idle + 1;
        if (idle > 64 || rounds % 65536 == 0) {
            struct pollfd fds[16] = { { .fd = 0, .events = POLLIN } };
            int list[8];
            size_t n = 1;
            struct port *ports[] = { a, b };
            for (int k = 0; k < 2; k++) {
                size_t m = port_rx_fds(ports[k], list, 7);
                for (size_t i = 0; i < m; i++) {
                    fds[n++] = (struct pollfd) { .fd = list[i], .events = POLLIN };
                }
            }
            rcu_thread_offline();
            poll(fds, n, idle > 64 ? 20 : 0);
            rcu_thread_online();
            loop_run_once(loop, 0);
            if (fds[0].revents) {
                break;
            }
            idle = 0;
        }
    }
    print_counters(a);
    print_counters(b);
    port_destroy(a);
    port_destroy(b);
    port_release_buffers();
    packet_pool_destroy(pool);
    rcu_barrier();
    loop_destroy(loop);
    rcu_unregister_thread();
    return 0;
}
