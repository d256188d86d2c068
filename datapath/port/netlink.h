/* SPDX-License-Identifier: Apache-2.0 */
/* Plain rtnetlink: requests that are built in a buffer, answered at once.
 *
 * Use:   struct nl_message m;
 *        nl_begin(&m, RTM_SETLINK, 0, &ifi, sizeof ifi);
 *        nl_put(&m, IFLA_MTU, &mtu, sizeof mtu);
 *        int err = nl_talk(&m, NULL, NULL);
 *
 * Threads: any; each request has a socket of its own. */
#ifndef DATAPATH_PORT_NETLINK_H
#define DATAPATH_PORT_NETLINK_H

#include <linux/netlink.h>

#include "lib/base/types.h"

enum { NL_MAX_REQUEST = 1024 };

struct nl_message {
    union {
        struct nlmsghdr header;
        uint8_t bytes[NL_MAX_REQUEST];
    };
};

/* Begins a request with the fixed part 'fixed'. NLM_F_REQUEST is added to 'flags'; without NLM_F_DUMP an
 * acknowledgement is asked for. */
void nl_begin(struct nl_message *, uint16_t type, uint16_t flags, const void *fixed, size_t n);
/* Adds an attribute; what does not fit is a fault of the program and aborts. */
void nl_put(struct nl_message *, uint16_t type, const void *data, size_t n);
static inline void nl_put_u32(struct nl_message *m, uint16_t type, uint32_t x) { nl_put(m, type, &x, sizeof x); }
void nl_put_string(struct nl_message *, uint16_t type, const char *s);
/* An attribute that holds those put until nl_nest_end(). */
size_t nl_nest(struct nl_message *, uint16_t type);
void nl_nest_end(struct nl_message *, size_t nest);

/* Sends it and calls 'each' for every answer but acknowledgement and end. 0 or a positive errno: the kernel's own, or
 * EIO for an answer that makes no sense. */
int nl_talk(struct nl_message *, void (*each)(const struct nlmsghdr *, void *arg), void *arg);

/* Attributes of a message after a fixed part of 'fixed' bytes: table[type] for types below 'n', NULL where absent. The
 * attributes are within the message. */
void nl_parse(const struct nlmsghdr *, size_t fixed, const struct nlattr **table, size_t n);
void nl_parse_nested(const struct nlattr *, const struct nlattr **table, size_t n);
static inline const void *nl_data(const struct nlattr *a) { return (const char *) a + NLA_HDRLEN; }
static inline size_t nl_size(const struct nlattr *a) { return a->nla_len - NLA_HDRLEN; }
/* The number in an attribute; 'def' if it is absent or short. */
uint32_t nl_u32(const struct nlattr *, uint32_t def);
/* Copies a string attribute, cut to the room; "" if absent. */
void nl_string(const struct nlattr *, char *to, size_t n);

#endif
