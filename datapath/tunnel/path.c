/* SPDX-License-Identifier: Apache-2.0 */
/* The path MTU of tunnels' remotes. */
#include "datapath/tunnel/path.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/parse.h"
#include "lib/packet/tunnel_key.h"

int path_query(const struct in6_addr *remote, uint32_t *mtu)
{
    bool ip4 = ip6_is_v4mapped(remote);
    int value = 0, err = 0;
    socklen_t len = sizeof value;
    int fd = socket(ip4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    if (ip4) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htobe16(9), .sin_addr.s_addr = ip6_to_ip4(remote) };
        err = connect(fd, (struct sockaddr *) &a, sizeof a) || getsockopt(fd, IPPROTO_IP, IP_MTU, &value, &len)
              ? errno : 0;
    } else {
        struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htobe16(9), .sin6_addr = *remote };
        err = connect(fd, (struct sockaddr *) &a, sizeof a) || getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &value, &len)
              ? errno : 0;
    }
    close(fd);
    *mtu = MAX(value, 0);
    return err;
}

static struct in6_addr key_remote(const struct tunnel_key *key)
{
    return key->ip4_dst ? ip6_from_ip4(key->ip4_dst) : key->ip6_dst;
}

static struct path_entry *entry_of(struct path_cache *c, const struct in6_addr *remote)
{
    return &c->entries[hash64_bytes(remote, sizeof *remote, hash_seed()) % PATH_CACHE_SIZE];
}

uint32_t path_mtu(struct path_cache *c, const struct tunnel_key *key, int64_t now_ms)
{
    struct in6_addr remote = key_remote(key);
    struct path_entry *e = entry_of(c, &remote);
    if (UNLIKELY(now_ms >= e->until_ms || memcmp(&e->remote, &remote, sizeof remote))) {
        e->remote = remote;
        if (path_query(&remote, &e->mtu)) {
            e->mtu = 0;
        }
        e->until_ms = now_ms + (e->mtu ? PATH_LIFE_MS : PATH_LIFE_NONE_MS);
    }
    return e->mtu;
}

void path_forget(struct path_cache *c, const struct tunnel_key *key)
{
    struct in6_addr remote = key_remote(key);
    entry_of(c, &remote)->until_ms = 0;
}
