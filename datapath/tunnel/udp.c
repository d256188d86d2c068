/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the host's UDP sockets for tunnels. */
#include "datapath/tunnel/udp.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/port/kernel.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/random.h"

enum { BIND_ATTEMPTS = 256 };

static pthread_mutex_t senders_lock = PTHREAD_MUTEX_INITIALIZER;
static struct udp_senders *senders;
static unsigned senders_refs;

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) ? errno : 0;
}

static void force_buffer(int fd, int force, int plain, int size)
{
    if (set(fd, SOL_SOCKET, force, size)) {
        set(fd, SOL_SOCKET, plain, size);
    }
}

static int bind_any(int fd, enum udp_family family, uint16_t port)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a;
    memset(&a, 0, sizeof a);
    if (family == UDP_IP4) {
        a.in.sin_family = AF_INET;
        a.in.sin_port = htobe16(port);
    } else {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = htobe16(port);
    }
    return bind(fd, &a.sa, family == UDP_IP4 ? sizeof a.in : sizeof a.in6) ? errno : 0;
}

static int open_udp(enum udp_family family)
{
    int fd = socket(family == UDP_IP4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
    if (fd >= 0 && family == UDP_IP6) {
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    return fd;
}

struct error *udp_open_receiver(const char *carrier, uint16_t port, enum udp_family family, int *fdp)
{
    *fdp = -1;
    const char *what = family == UDP_IP4 ? "IPv4" : "IPv6";
    int fd = open_udp(family);
    if (fd < 0) {
        return error_errno(errno, "port \"%s\": %s UDP socket", carrier, what);
    }
    int err;
    if (family == UDP_IP4) {
        err = set(fd, IPPROTO_IP, IP_PKTINFO, 1);
        err = err ? err : set(fd, IPPROTO_IP, IP_RECVTOS, 1);
        err = err ? err : set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    } else {
        err = set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        err = err ? err : set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        err = err ? err : set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
        /* RFC 6935: tunnels may go without a checksum over IPv6, and some peers do. */
        set(fd, IPPROTO_UDP, 102 /* UDP_NO_CHECK6_RX */, 1);
    }
    set(fd, IPPROTO_UDP, UDP_GRO, 1);
    force_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, UDP_BUFFER);
    if (!err) {
        err = bind_any(fd, family, port);
    }
    if (err) {
        close(fd);
        return err == EADDRINUSE
               ? error_new(err, "port \"%s\": UDP port %u (%s) is in use by another program or device; a tunnel needs "
                           "it for itself", carrier, port, what)
               : error_errno(err, "port \"%s\": UDP port %u (%s)", carrier, port, what);
    }
    *fdp = fd;
    return NULL;
}

/* ---- Senders ---- */

/* One send-only socket on 'port'. What is sent to it is dropped at once. 0 or an errno. */
static int open_sender(enum udp_family family, bool df, bool csum, uint16_t port, int *fdp)
{
    static const struct sock_filter none = { BPF_RET | BPF_K, 0, 0, 0 };
    struct sock_fprog filter = { 1, (struct sock_filter *) &none };
    int fd = open_udp(family);
    if (fd < 0) {
        return errno;
    }
    int err = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!err && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter)) {
        err = errno;
    }
    if (!err) {
        err = family == UDP_IP4
              ? set(fd, IPPROTO_IP, IP_MTU_DISCOVER, df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT)
              : set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, df ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT);
    }
    if (!err && !csum) {
        err = set(fd, SOL_SOCKET, SO_NO_CHECK, 1);
    }
    if (!err) {
        force_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, UDP_BUFFER);
        set(fd, SOL_SOCKET, SO_RCVBUF, 0);
        err = bind_any(fd, family, port);
    }
    if (err) {
        close(fd);
        return err;
    }
    *fdp = fd;
    return 0;
}

/* Is 'port' free? Our own sockets share it by SO_REUSEADDR, so it is asked for without. */
static bool port_is_free(enum udp_family family, uint16_t port)
{
    int fd = open_udp(family);
    bool is_free = fd >= 0 && !bind_any(fd, family, port);
    if (fd >= 0) {
        close(fd);
    }
    return is_free;
}

static int open_family(struct udp_senders *s, enum udp_family family)
{
    for (int i = 0; i < UDP_PORTS; i++) {
        uint16_t port = 0;
        int attempt = 0;
        do {
            if (attempt++ == BIND_ATTEMPTS) {
                return EADDRINUSE;
            }
            port = UDP_PORT_MIN + random_u32() % (UDP_PORT_MAX - UDP_PORT_MIN + 1);
        } while (!port_is_free(family, port));
        for (int df = 0; df < 2; df++) {
            for (int csum = family == UDP_IP6; csum < 2; csum++) {
                int err = open_sender(family, df, csum, port, &s->fds[family][df][csum][i]);
                if (err) {
                    return err;
                }
            }
        }
    }
    return 0;
}

static void close_all(struct udp_senders *s)
{
    int *fds = &s->fds[0][0][0][0];
    for (size_t i = 0; i < sizeof s->fds / sizeof *fds; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(s);
}

struct error *udp_senders_get(const struct udp_senders **sp)
{
    struct error *e = NULL;
    pthread_mutex_lock(&senders_lock);
    if (!senders_refs) {
        struct udp_senders *s = xmalloc(sizeof *s);
        memset(s->fds, -1, sizeof s->fds);
        int err4 = open_family(s, UDP_IP4), err6 = open_family(s, UDP_IP6);
        if (err4 || (err6 && err6 != EAFNOSUPPORT)) {
            close_all(s);
            e = error_errno(err4 ? err4 : err6, "tunnels: sockets to send by");
        } else {
            senders = s;
        }
    }
    if (!e) {
        senders_refs++;
        *sp = senders;
    }
    pthread_mutex_unlock(&senders_lock);
    return e;
}

void udp_senders_put(const struct udp_senders *s)
{
    pthread_mutex_lock(&senders_lock);
    if (s && !--senders_refs) {
        close_all(senders);
        senders = NULL;
    }
    pthread_mutex_unlock(&senders_lock);
}
