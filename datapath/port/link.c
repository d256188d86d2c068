/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices by rtnetlink and ethtool. */
#include "datapath/port/link.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/client.h"
#include "datapath/port/netlink.h"

static void parse_stats(const struct nlattr *a, struct link_info *info)
{
    struct rtnl_link_stats64 s;
    if (!a || nl_size(a) < offsetof(struct rtnl_link_stats64, rx_compressed)) {
        return;
    }
    memset(&s, 0, sizeof s);
    memcpy(&s, nl_data(a), MIN(nl_size(a), sizeof s));
    info->has_stats = true;
    info->rx_dropped = s.rx_dropped;
    info->rx_errors = s.rx_errors;
    info->tx_errors = s.tx_errors;
    info->collisions = s.collisions;
    info->multicast = s.multicast;
    info->rx_crc_err = s.rx_crc_errors;
    info->rx_frame_err = s.rx_frame_errors;
    info->rx_over_err = s.rx_over_errors;
    info->rx_missed_errors = s.rx_missed_errors;
}

bool link_parse(const struct nlmsghdr *h, int nsid, struct link_info *info)
{
    const struct nlattr *a[IFLA_MAX + 1];
    if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
        h->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg))) {
        return false;
    }
    const struct ifinfomsg *ifi = NLMSG_DATA(h);
    if (ifi->ifi_family != AF_UNSPEC) {
        return false;   /* A bridge or address family tells of its part only. */
    }
    nl_parse(h, sizeof *ifi, a, ARRAY_SIZE(a));
    memset(info, 0, sizeof *info);
    info->nsid = nsid;
    info->ifindex = ifi->ifi_index;
    info->flags = ifi->ifi_flags;
    info->hw_type = ifi->ifi_type;
    nl_string(a[IFLA_IFNAME], info->name, sizeof info->name);
    info->mtu = nl_u32(a[IFLA_MTU], 0);
    info->carrier_changes = nl_u32(a[IFLA_CARRIER_CHANGES], 0);
    info->carrier = a[IFLA_CARRIER] && nl_size(a[IFLA_CARRIER]) ? *(const uint8_t *) nl_data(a[IFLA_CARRIER])
                                                                : !!(ifi->ifi_flags & IFF_RUNNING);
    if (a[IFLA_ADDRESS] && nl_size(a[IFLA_ADDRESS]) == sizeof info->mac) {
        memcpy(&info->mac, nl_data(a[IFLA_ADDRESS]), sizeof info->mac);
    }
    parse_stats(a[IFLA_STATS64], info);
    return true;
}

struct link_answer {
    struct link_info *info;
    int nsid;
    bool found;
};

static void take_link(const struct nlmsghdr *h, void *answer_)
{
    struct link_answer *answer = answer_;
    answer->found |= link_parse(h, answer->nsid, answer->info);
}

static int link_request(int nsid, uint32_t ifindex, const char *name, struct link_info *info)
{
    struct ifinfomsg ifi = { .ifi_index = ifindex };
    struct nl_message m;
    nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof ifi);
    if (name) {
        nl_put_string(&m, IFLA_IFNAME, name);
    }
    if (nsid != LINK_OWN_NS) {
        nl_put_u32(&m, IFLA_TARGET_NETNSID, nsid);
    }
    struct link_answer answer = { .info = info, .nsid = nsid };
    int err = nl_talk(&m, take_link, &answer);
    return err ? err : answer.found ? 0 : ENODEV;
}

int link_get_by_name(int nsid, const char *name, struct link_info *info)
{
    if (strlen(name) >= IFNAMSIZ) {
        return ENODEV;
    }
    return link_request(nsid, 0, name, info);
}

int link_get(int nsid, uint32_t ifindex, struct link_info *info)
{
    return link_request(nsid, ifindex, NULL, info);
}

static int link_set(const struct ifinfomsg *ifi, uint16_t type, const void *data, size_t n)
{
    struct nl_message m;
    nl_begin(&m, RTM_NEWLINK, 0, ifi, sizeof *ifi);
    if (n) {
        nl_put(&m, type, data, n);
    }
    return nl_talk(&m, NULL, NULL);
}

int link_set_mtu(uint32_t ifindex, uint32_t mtu)
{
    struct ifinfomsg ifi = { .ifi_index = ifindex };
    return link_set(&ifi, IFLA_MTU, &mtu, sizeof mtu);
}

int link_set_up(uint32_t ifindex, bool up)
{
    struct ifinfomsg ifi = { .ifi_index = ifindex, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP };
    return link_set(&ifi, 0, NULL, 0);
}

struct addr_gen_answer {
    uint8_t mode;
    bool found;
};

static void take_addr_gen(const struct nlmsghdr *h, void *answer_)
{
    struct addr_gen_answer *answer = answer_;
    const struct nlattr *a[IFLA_MAX + 1], *family[AF_INET6 + 1], *inet6[IFLA_INET6_MAX + 1];
    if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg))) {
        return;
    }
    nl_parse(h, sizeof(struct ifinfomsg), a, ARRAY_SIZE(a));
    nl_parse_nested(a[IFLA_AF_SPEC], family, ARRAY_SIZE(family));
    nl_parse_nested(family[AF_INET6], inet6, ARRAY_SIZE(inet6));
    if (inet6[IFLA_INET6_ADDR_GEN_MODE] && nl_size(inet6[IFLA_INET6_ADDR_GEN_MODE])) {
        answer->mode = *(const uint8_t *) nl_data(inet6[IFLA_INET6_ADDR_GEN_MODE]);
        answer->found = true;
    }
}

int link_set_ip6_addr_gen(uint32_t ifindex, uint8_t mode, uint8_t *was)
{
    struct ifinfomsg ifi = { .ifi_index = ifindex };
    struct addr_gen_answer answer = { 0 };
    struct nl_message m;
    nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof ifi);
    int err = nl_talk(&m, take_addr_gen, &answer);
    if (err || !answer.found) {
        return err ? err : EAFNOSUPPORT;
    }
    if (was) {
        *was = answer.mode;
    }
    nl_begin(&m, RTM_NEWLINK, 0, &ifi, sizeof ifi);
    size_t spec = nl_nest(&m, IFLA_AF_SPEC);
    size_t family = nl_nest(&m, AF_INET6);
    nl_put(&m, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    nl_nest_end(&m, family);
    nl_nest_end(&m, spec);
    return nl_talk(&m, NULL, NULL);
}

void link_to_state(const struct link_info *info, struct dp_port_state *state)
{
    state->admin_up = info->flags & IFF_UP;
    state->link_up = (info->flags & IFF_UP) && info->carrier;
    state->ifindex = info->ifindex;
    state->mtu = info->mtu;
    state->mac = info->mac;
    state->link_resets = info->carrier_changes;
}

static void ethtool_speed(int fd, struct ifreq *ifr, struct dp_port_state *state)
{
    /* The kernel wants the number of words of each link-mode bitmap, and says it when asked with 0. */
    union {
        uint8_t bytes[sizeof(struct ethtool_link_settings) + 3 * 128 * sizeof(uint32_t)];
        uint64_t align;
    } q;
    struct ethtool_link_settings *s = (void *) q.bytes;
    memset(&q, 0, sizeof q);
    s->cmd = ETHTOOL_GLINKSETTINGS;
    ifr->ifr_data = (void *) s;
    if (ioctl(fd, SIOCETHTOOL, ifr) || s->link_mode_masks_nwords >= 0) {
        return;
    }
    s->link_mode_masks_nwords = -s->link_mode_masks_nwords;
    s->cmd = ETHTOOL_GLINKSETTINGS;
    if (ioctl(fd, SIOCETHTOOL, ifr)) {
        return;
    }
    if (s->speed && s->speed != (uint32_t) SPEED_UNKNOWN) {
        state->link_speed_bps = (int64_t) s->speed * 1000000;
    }
    state->full_duplex = s->duplex == DUPLEX_FULL;
}

void link_ethtool(const char *name, struct dp_port_state *state)
{
    struct ifreq ifr;
    memset(&ifr, 0, sizeof ifr);
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    ifr.ifr_data = (void *) &info;
    if (!ioctl(fd, SIOCETHTOOL, &ifr)) {
        info.driver[sizeof info.driver - 1] = '\0';
        snprintf(state->driver, sizeof state->driver, "%s", info.driver);
    }
    state->link_speed_bps = -1;
    ethtool_speed(fd, &ifr, state);
    close(fd);
}

static void take_nsid(const struct nlmsghdr *h, void *nsid)
{
    const struct nlattr *a[NETNSA_MAX + 1];
    if (h->nlmsg_type == RTM_NEWNSID) {
        nl_parse(h, sizeof(struct rtgenmsg), a, ARRAY_SIZE(a));
        *(int *) nsid = nl_u32(a[NETNSA_NSID], NETNSA_NSID_NOT_ASSIGNED);
    }
}

int link_nsid_of(int ns_fd, int *nsid)
{
    struct rtgenmsg g = { .rtgen_family = AF_UNSPEC };
    struct nl_message m;
    for (int attempt = 0; attempt < 2; attempt++) {
        *nsid = NETNSA_NSID_NOT_ASSIGNED;
        nl_begin(&m, RTM_GETNSID, 0, &g, sizeof g);
        nl_put_u32(&m, NETNSA_FD, ns_fd);
        int err = nl_talk(&m, take_nsid, nsid);
        if (err || *nsid != NETNSA_NSID_NOT_ASSIGNED) {
            return err;
        }
        nl_begin(&m, RTM_NEWNSID, 0, &g, sizeof g);
        nl_put_u32(&m, NETNSA_FD, ns_fd);
        nl_put_u32(&m, NETNSA_NSID, NETNSA_NSID_NOT_ASSIGNED);
        err = nl_talk(&m, NULL, NULL);
        if (err && err != EEXIST) {
            return err;
        }
    }
    return ENOENT;
}
