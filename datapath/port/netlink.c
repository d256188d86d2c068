/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to rtnetlink and their answers. */
#include "datapath/port/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"

enum { NL_ANSWER_BYTES = 32768 };

void nl_begin(struct nl_message *m, uint16_t type, uint16_t flags, const void *fixed, size_t n)
{
    memset(m, 0, sizeof *m);
    m->header.nlmsg_type = type;
    m->header.nlmsg_flags = NLM_F_REQUEST | flags | ((flags & NLM_F_DUMP) == NLM_F_DUMP ? 0 : NLM_F_ACK);
    m->header.nlmsg_seq = 1;
    m->header.nlmsg_len = NLMSG_LENGTH(n);
    memcpy(NLMSG_DATA(&m->header), fixed, n);
}

void nl_put(struct nl_message *m, uint16_t type, const void *data, size_t n)
{
    size_t at = NLMSG_ALIGN(m->header.nlmsg_len);
    if (at + NLA_HDRLEN + NLA_ALIGN(n) > sizeof m->bytes) {
        abort();
    }
    struct nlattr a = { .nla_len = NLA_HDRLEN + n, .nla_type = type };
    memcpy(m->bytes + at, &a, sizeof a);
    if (n) {
        memcpy(m->bytes + at + NLA_HDRLEN, data, n);
    }
    m->header.nlmsg_len = at + NLA_HDRLEN + NLA_ALIGN(n);
}

void nl_put_string(struct nl_message *m, uint16_t type, const char *s)
{
    nl_put(m, type, s, strlen(s) + 1);
}

size_t nl_nest(struct nl_message *m, uint16_t type)
{
    size_t at = NLMSG_ALIGN(m->header.nlmsg_len);
    nl_put(m, type | NLA_F_NESTED, NULL, 0);
    return at;
}

void nl_nest_end(struct nl_message *m, size_t nest)
{
    struct nlattr *a = (void *) (m->bytes + nest);
    a->nla_len = m->header.nlmsg_len - nest;
}

/* Reads answers until the end. */
static int receive_answers(int fd, void (*each)(const struct nlmsghdr *, void *arg), void *arg)
{
    char *buf = xmalloc(NL_ANSWER_BYTES);
    int result = -1;
    while (result < 0) {
        ssize_t n = recv(fd, buf, NL_ANSWER_BYTES, 0);
        if (n < 0) {
            result = errno == EINTR ? -1 : errno;
            continue;
        }
        size_t left = n;
        for (struct nlmsghdr *h = (void *) buf; NLMSG_OK(h, left) && result < 0; h = NLMSG_NEXT(h, left)) {
            if (h->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *e = NLMSG_DATA(h);
                result = h->nlmsg_len < NLMSG_LENGTH(sizeof *e) ? EIO : -e->error;
            } else if (h->nlmsg_type == NLMSG_DONE) {
                result = 0;
            } else if (each) {
                each(h, arg);
            }
        }
    }
    free(buf);
    return result;
}

int nl_talk(struct nl_message *m, void (*each)(const struct nlmsghdr *, void *arg), void *arg)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) {
        return errno;
    }
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    struct timeval limit = { .tv_sec = 2 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int err = 0;
    if (sendto(fd, m, m->header.nlmsg_len, 0, (struct sockaddr *) &kernel, sizeof kernel) < 0) {
        err = errno;
    } else {
        err = receive_answers(fd, each, arg);
    }
    close(fd);
    return err;
}

static void parse_attributes(const char *p, size_t left, const struct nlattr **table, size_t n)
{
    memset(table, 0, n * sizeof *table);
    while (left >= NLA_HDRLEN) {
        const struct nlattr *a = (const void *) p;
        size_t len = a->nla_len;
        if (len < NLA_HDRLEN || len > left) {
            return;
        }
        uint16_t type = a->nla_type & NLA_TYPE_MASK;
        if (type < n) {
            table[type] = a;
        }
        len = MIN(NLA_ALIGN(len), left);
        p += len;
        left -= len;
    }
}

void nl_parse(const struct nlmsghdr *h, size_t fixed, const struct nlattr **table, size_t n)
{
    size_t skip = NLMSG_LENGTH(NLMSG_ALIGN(fixed));
    size_t len = h->nlmsg_len > skip ? h->nlmsg_len - skip : 0;
    parse_attributes((const char *) h + skip, len, table, n);
}

void nl_parse_nested(const struct nlattr *a, const struct nlattr **table, size_t n)
{
    if (a) {
        parse_attributes(nl_data(a), nl_size(a), table, n);
    } else {
        memset(table, 0, n * sizeof *table);
    }
}

uint32_t nl_u32(const struct nlattr *a, uint32_t def)
{
    if (!a || nl_size(a) < 4) {
        return def;
    }
    uint32_t x;
    memcpy(&x, nl_data(a), sizeof x);
    return x;
}

void nl_string(const struct nlattr *a, char *to, size_t n)
{
    size_t len = a ? strnlen(nl_data(a), nl_size(a)) : 0;
    len = MIN(len, n - 1);
    if (len) {
        memcpy(to, nl_data(a), len);
    }
    to[len] = '\0';
}
