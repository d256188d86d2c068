/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of streams: "unix:FILE", "tcp:HOST[:PORT]", "punix:FILE", "ptcp:[PORT][:HOST]". */
#include "lib/rpc/stream_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/rpc/stream.h"
#include "lib/sys/process.h"

/* Takes "[HOST]" or "HOST" up to a colon off the front of '*s'. Caller frees; NULL if a bracket
 * is open. */
static char *take_host(const char **s)
{
    char *host;
    if (**s == '[') {
        const char *end = strchr(*s, ']');
        if (!end) {
            return NULL;
        }
        host = xstrndup(*s + 1, (size_t) (end - *s - 1));
        *s = end + 1;
    } else {
        size_t n = strcspn(*s, ":");
        host = xstrndup(*s, n);
        *s += n;
    }
    return host;
}

static bool set_host(struct stream_address *out, const char *host, uint16_t port)
{
    if (!strcmp(host, "localhost")) {
        host = "127.0.0.1";
    }
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                              .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    if (getaddrinfo(host, service, &hints, &found)) {
        return false;
    }
    memcpy(&out->sa, found->ai_addr, found->ai_addrlen);
    out->sa_len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static struct error *parse_active_tcp(const char *address, uint16_t port,
                                      struct stream_address *out)
{
    const char *s = address + strlen("tcp:");
    char *host = take_host(&s);
    struct error *e = NULL;
    if (!host || (*s && *s != ':')) {
        e = error_new(EINVAL, "\"%s\": it should be tcp:HOST:PORT or tcp:[IPV6]:PORT", address);
    } else if (*s && (!parse_u16(s + 1, &port) || !port)) {
        e = error_new(EINVAL, "\"%s\": \"%s\" is no port, which is 1 to 65535", address, s + 1);
    } else if (!port) {
        e = error_new(EINVAL, "\"%s\": the port is missing; it should be tcp:HOST:PORT", address);
    } else if (!set_host(out, host, port)) {
        e = error_new(EINVAL, "\"%s\": \"%s\" is no IPv4 address and no IPv6 address in brackets",
                      address, host);
    }
    free(host);
    return e;
}

static struct error *parse_passive_tcp(const char *address, uint16_t port,
                                       struct stream_address *out)
{
    const char *s = address + strlen("ptcp:");
    size_t n = strcspn(s, ":");
    char *port_text = xstrndup(s, n);
    struct error *e = NULL;
    if (n && !parse_u16(port_text, &port)) {
        e = error_new(EINVAL, "\"%s\": \"%s\" is no port; it should be ptcp:PORT or ptcp:PORT:HOST",
                      address, port_text);
    } else {
        s += n + (s[n] == ':');
        char *host = *s ? take_host(&s) : xstrdup("0.0.0.0");
        if (!host || *s) {
            e = error_new(EINVAL, "\"%s\": it should be ptcp:PORT:HOST or ptcp:PORT:[IPV6]",
                          address);
        } else if (!set_host(out, host, port)) {
            e = error_new(EINVAL, "\"%s\": \"%s\" is no IPv4 address and no IPv6 address in "
                          "brackets", address, host);
        }
        free(host);
    }
    free(port_text);
    return e;
}

struct error *stream_address_parse(const char *address, bool passive, uint16_t default_port,
                                   struct stream_address *out)
{
    *out = (struct stream_address) { .path = NULL };
    const char *unix_prefix = passive ? "punix:" : "unix:";
    if (!strncmp(address, unix_prefix, strlen(unix_prefix))) {
        const char *file = address + strlen(unix_prefix);
        if (!*file) {
            return error_new(EINVAL, "\"%s\": the file name is missing", address);
        }
        out->path = process_rundir_file(file);
        return NULL;
    }
    if (passive && !strncmp(address, "ptcp:", 5)) {
        return parse_passive_tcp(address, default_port, out);
    }
    if (!passive && !strncmp(address, "tcp:", 4)) {
        return parse_active_tcp(address, default_port, out);
    }
    if (!strncmp(address, "ssl:", 4) || !strncmp(address, "pssl:", 5)) {
        return error_new(EPROTONOSUPPORT, "\"%s\": TLS is not supported by this version; tcp and "
                         "unix are", address);
    }
    return error_new(EINVAL, passive
                     ? "\"%s\" is no address to listen on; it should be punix:FILE or "
                       "ptcp:PORT[:HOST]"
                     : "\"%s\" is no address to connect to; it should be unix:FILE or "
                       "tcp:HOST:PORT",
                     address);
}

bool stream_address_is_valid(const char *address, bool passive, struct error **why)
{
    struct stream_address parsed;
    /* Whether a port may be missing is the opener's affair, so any default will do. */
    struct error *e = stream_address_parse(address, passive, 1, &parsed);
    free(parsed.path);
    bool valid = !e;
    if (why) {
        *why = e;
    } else {
        error_free(e);
    }
    return valid;
}

char *stream_address_format(const struct sockaddr_storage *sa)
{
    char host[NI_MAXHOST], service[NI_MAXSERV];
    socklen_t n = sa->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                            : sizeof(struct sockaddr_in);
    if (getnameinfo((const struct sockaddr *) sa, n, host, sizeof host, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV)) {
        return xstrdup("tcp:?");
    }
    return xasprintf(sa->ss_family == AF_INET6 ? "tcp:[%s]:%s" : "tcp:%s:%s", host, service);
}
