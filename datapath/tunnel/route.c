/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the kernel's routing tables by rtnetlink. */
#include "datapath/tunnel/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "datapath/port/netlink.h"
#include "datapath/tunnel/path.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"

static struct in6_addr attribute_address(const struct nlattr *a)
{
    struct in6_addr address = { 0 };
    if (a && nl_size(a) == 4) {
        be32 ip4;
        memcpy(&ip4, nl_data(a), sizeof ip4);
        address = ip6_from_ip4(ip4);
    } else if (a && nl_size(a) == 16) {
        memcpy(&address, nl_data(a), sizeof address);
    }
    return address;
}

static bool parse_route(const struct nlmsghdr *h, struct route_entry *e)
{
    const struct rtmsg *r = NLMSG_DATA(h);
    const struct nlattr *a[RTA_MAX + 1];
    if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof *r)) {
        return false;
    }
    nl_parse(h, sizeof *r, a, ARRAY_SIZE(a));
    memset(e, 0, sizeof *e);
    e->ip4 = r->rtm_family == AF_INET;
    e->local = r->rtm_type == RTN_LOCAL;
    e->dst = attribute_address(a[RTA_DST]);
    if (!a[RTA_DST] && e->ip4) {
        e->dst = ip6_from_ip4(0);
    }
    e->prefix = r->rtm_dst_len;
    e->priority = nl_u32(a[RTA_PRIORITY], 0);
    e->route.ifindex = nl_u32(a[RTA_OIF], 0);
    e->route.source = attribute_address(a[RTA_PREFSRC]);
    e->route.gateway = attribute_address(a[RTA_GATEWAY]);
    if (!e->route.ifindex && a[RTA_MULTIPATH] && nl_size(a[RTA_MULTIPATH]) >= sizeof(struct rtnexthop)) {
        const struct rtnexthop *hop = nl_data(a[RTA_MULTIPATH]);
        e->route.ifindex = hop->rtnh_ifindex;
    }
    if (e->route.ifindex) {
        if_indextoname(e->route.ifindex, e->route.ifname);
    }
    return r->rtm_type == RTN_UNICAST || r->rtm_type == RTN_LOCAL;
}

struct lookup {
    struct route_entry entry;
    bool found;
};

static void take_route(const struct nlmsghdr *h, void *lookup_)
{
    struct lookup *l = lookup_;
    l->found |= parse_route(h, &l->entry);
}

struct error *route_lookup(const struct in6_addr *remote, struct route *route)
{
    bool ip4 = ip6_is_v4mapped(remote);
    struct rtmsg r = { .rtm_family = ip4 ? AF_INET : AF_INET6, .rtm_dst_len = ip4 ? 32 : 128 };
    struct lookup l = { .found = false };
    struct nl_message m;
    nl_begin(&m, RTM_GETROUTE, 0, &r, sizeof r);
    nl_put(&m, RTA_DST, ip4 ? (const void *) &remote->s6_addr[12] : remote, ip4 ? 4 : 16);
    int err = nl_talk(&m, take_route, &l);
    uint32_t mtu = 0;
    if (!err) {
        err = l.found ? path_query(remote, &mtu) : ENETUNREACH;
    }
    if (err) {
        struct text address = TEXT_INIT;
        text_put_ip(&address, remote);
        struct error *e = error_errno(err, "no route to %s", text_str(&address));
        text_fini(&address);
        return e;
    }
    *route = l.entry.route;
    route->mtu = mtu;
    return NULL;
}

struct dump {
    void (*each)(const struct route_entry *, void *arg);
    void *arg;
};

static void dump_route(const struct nlmsghdr *h, void *dump_)
{
    struct dump *d = dump_;
    struct route_entry e;
    const struct rtmsg *r = NLMSG_DATA(h);
    if (parse_route(h, &e) && !(r->rtm_flags & RTM_F_CLONED) &&
        (r->rtm_table == RT_TABLE_MAIN || r->rtm_table == RT_TABLE_LOCAL)) {
        d->each(&e, d->arg);
    }
}

struct error *route_dump(void (*each)(const struct route_entry *, void *arg), void *arg)
{
    static const uint8_t families[] = { AF_INET, AF_INET6 };
    struct dump d = { each, arg };
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        struct rtmsg r = { .rtm_family = families[i] };
        struct nl_message m;
        nl_begin(&m, RTM_GETROUTE, NLM_F_DUMP, &r, sizeof r);
        int err = nl_talk(&m, dump_route, &d);
        if (err && err != EAFNOSUPPORT && err != EOPNOTSUPP) {
            return error_errno(err, "the host's routes cannot be read");
        }
    }
    return NULL;
}
