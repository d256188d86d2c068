/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of port against every other, with and without offloads at the ends: TCP and UDP between two hosts.
 *
 *     namespace a  --  device a | forward | device b  --  namespace b
 *                              (namespace s)
 * A device is a veth (with or without offloads), a tap or internal port that was moved into the host's namespace, or
 * a tunnel to a Linux vxlan device in it (with or without offloads, checksums). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/parse.h"
#include "tests/unit/datapath/port/devices.h"

enum { TCP_BYTES = 3000000, UDP_BYTES = 1200, TIMEOUT_S = 15 };

static const char *const ends[] = { "veth", "veth-plain", "tap", "internal", "vxlan", "vxlan-plain", "vxlan6" };
enum { N_ENDS = ARRAY_SIZE(ends) };

static char ns[3][40];           /* a, b, s */
static pid_t forwarder;
static int forwarder_in;

/* In the program's own process, so that nothing is left behind whatever happens to a test. */
static void remove_namespaces(void)
{
    for (int i = 0; i < 3; i++) {
        run_quietly("ip netns del %s", ns[i]);
    }
}

static void name_namespaces(void)
{
    for (int i = 0; i < 3; i++) {
        snprintf(ns[i], sizeof ns[i], "tsu-port-%ld%c", (long) getpid(), "abs"[i]);
    }
}

static void matrix_setup(void)
{
    remove_namespaces();   /* Of a test before this that failed. */
    for (int i = 0; i < 3; i++) {
        run("ip netns add %s && ip -n %s link set lo up", ns[i], ns[i]);
    }
    forwarder = 0;
}

static void matrix_teardown(void)
{
    if (forwarder) {
        close(forwarder_in);
        waitpid(forwarder, NULL, 0);
    }
    remove_namespaces();
}

/* Before the forwarder runs: what end 'i' is made of; writes the forwarder's argument. */
static void make_end(int i, const char *kind, char *arg, size_t n)
{
    char side = "ab"[i];
    bool is_vxlan = !strncmp(kind, "vxlan", 5), plain = strstr(kind, "plain");
    if (!strcmp(kind, "tap") || !strcmp(kind, "internal")) {
        snprintf(arg, n, "%s:eth%c", kind, side);
        return;
    }
    run("ip -n %s link add p%c type veth peer name %s netns %s && ip -n %s link set p%c up && "
        "ip -n %s link set %s up", ns[2], side, is_vxlan ? "under" : "eth", ns[i], ns[2], side, ns[i],
        is_vxlan ? "under" : "eth");
    if (plain) {
        run_quietly("ip netns exec %s ethtool -K %s tx off rx off tso off gso off gro off", ns[i],
                    is_vxlan ? "under" : "eth");
    }
    if (!is_vxlan) {
        snprintf(arg, n, "system:p%c", side);
        return;
    }
    bool ip6 = !strcmp(kind, "vxlan6");
    const char *net = ip6 ? "fd77:" : "172.31.";
    const char *format = ip6 ? "%s%d::%d/64" : "%s%d.%d/24";
    char here[40], there[40];
    snprintf(here, sizeof here, format, net, i, 1);
    snprintf(there, sizeof there, format, net, i, 2);
    run("ip -n %s addr add %s dev p%c %s && ip -n %s addr add %s dev under %s", ns[2], here, side, ip6 ? "nodad" : "",
        ns[i], there, ip6 ? "nodad" : "");
    *strchr(here, '/') = *strchr(there, '/') = '\0';
    run("ip -n %s link add eth type vxlan id 4711 remote %s dstport %d %s && ip -n %s link set eth mtu 1500 up",
        ns[i], here, 4789 + i, plain ? "udpcsum" : "", ns[i]);
    if (plain) {
        run_quietly("ip netns exec %s ethtool -K eth tx off tso off gso off", ns[i]);
    }
    snprintf(arg, n, "vxlan:v%c,dst_port=%d,remote=%s,vni=4711", side, 4789 + i, there);
}

static void start_forwarder(char *a, char *b)
{
    char path[PATH_MAX], line[64];
    int in[2], out[2];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 40);
    ck_assert_int_gt(n, 0);
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    strcpy(slash, "/datapath/port/forward");
    ck_assert(!pipe(in) && !pipe(out));
    forwarder = fork();
    if (!forwarder) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int fd = 3; fd < 64; fd++) {
            close(fd);
        }
        execlp("ip", "ip", "netns", "exec", ns[2], path, a, b, (char *) NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    forwarder_in = in[1];
    n = read(out[0], line, sizeof line - 1);
    line[MAX(n, 0)] = '\0';
    ck_assert_msg(!strcmp(line, "ready\n"), "the forwarder says \"%s\"", line);
}

/* When the forwarder has made its devices: addresses. */
static void finish_end(int i, const char *kind)
{
    char side = "ab"[i];
    if (!strcmp(kind, "tap") || !strcmp(kind, "internal")) {
        run("ip -n %s link set eth%c netns %s && ip -n %s link set eth%c name eth && ip -n %s link set eth up", ns[2],
            side, ns[i], ns[i], side, ns[i]);
    }
    run("ip -n %s addr add 10.7.0.%d/24 dev eth && ip -n %s addr add fd99::%d/64 dev eth nodad", ns[i], i + 1, ns[i],
        i + 1);
}

/* ---- Traffic ---- */

static void enter(int i)
{
    char path[80];
    snprintf(path, sizeof path, "/var/run/netns/%s", ns[i]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET)) {
        _exit(20);
    }
}

static uint8_t pattern(uint32_t i)
{
    return i * 31 + (i >> 8) * 7 + (i >> 16);
}

static int make_socket(int type, bool ip6, bool local, int host, uint16_t port)
{
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htobe16(port) };
    struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htobe16(port),
                              .sin_addr.s_addr = htobe32(0x0a070000 + host) };
    a6.sin6_addr.s6_addr[0] = 0xfd;
    a6.sin6_addr.s6_addr[1] = 0x99;
    a6.sin6_addr.s6_addr[15] = host;
    struct sockaddr *a = ip6 ? (void *) &a6 : (void *) &a4;
    socklen_t len = ip6 ? sizeof a6 : sizeof a4;
    int on = 1, fd = socket(ip6 ? AF_INET6 : AF_INET, type, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return fd >= 0 && !(local ? bind(fd, a, len) : connect(fd, a, len)) ? fd : -1;
}

/* In namespace b: takes one connection and checks every byte, then answers a datagram. */
static void serve(bool ip6, int ready)
{
    static uint8_t buf[65536];
    int listener = make_socket(SOCK_STREAM, ip6, true, 2, 5000), udp = make_socket(SOCK_DGRAM, ip6, true, 2, 5001);
    if (listener < 0 || udp < 0 || listen(listener, 1) || write(ready, "x", 1) != 1) {
        _exit(1);
    }
    int fd = accept(listener, NULL, NULL);
    uint32_t total = 0;
    for (ssize_t n; (n = read(fd, buf, sizeof buf)) > 0; total += n) {
        for (ssize_t i = 0; i < n; i++) {
            if (buf[i] != pattern(total + i)) {
                _exit(2);
            }
        }
    }
    if (total != TCP_BYTES) {
        _exit(3);
    }
    /* A second connection, to be filled from this side. */
    fd = accept(listener, NULL, NULL);
    for (uint32_t sent = 0; sent < TCP_BYTES;) {
        uint32_t n = MIN(sizeof buf, TCP_BYTES - sent);
        for (uint32_t i = 0; i < n; i++) {
            buf[i] = pattern(sent + i);
        }
        ssize_t done = write(fd, buf, n);
        if (done <= 0) {
            _exit(4);
        }
        sent += done;
    }
    close(fd);
    struct sockaddr_in6 from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(udp, buf, sizeof buf, 0, (void *) &from, &len);
    _exit(n == UDP_BYTES && sendto(udp, buf, n, 0, (void *) &from, len) == n ? 0 : 5);
}

/* In namespace a: the other side of it. */
static void use(bool ip6)
{
    static uint8_t buf[65536];
    int fd = make_socket(SOCK_STREAM, ip6, false, 2, 5000);
    if (fd < 0) {
        _exit(10);
    }
    for (uint32_t sent = 0; sent < TCP_BYTES;) {
        uint32_t n = MIN(sizeof buf, TCP_BYTES - sent);
        for (uint32_t i = 0; i < n; i++) {
            buf[i] = pattern(sent + i);
        }
        ssize_t done = write(fd, buf, n);
        if (done <= 0) {
            _exit(11);
        }
        sent += done;
    }
    close(fd);
    fd = make_socket(SOCK_STREAM, ip6, false, 2, 5000);
    uint32_t total = 0;
    for (ssize_t n; (n = read(fd, buf, sizeof buf)) > 0; total += n) {
        for (ssize_t i = 0; i < n; i++) {
            if (buf[i] != pattern(total + i)) {
                _exit(12);
            }
        }
    }
    if (total != TCP_BYTES) {
        _exit(13);
    }
    int udp = make_socket(SOCK_DGRAM, ip6, false, 2, 5001);
    for (uint32_t i = 0; i < UDP_BYTES; i++) {
        buf[i] = pattern(i);
    }
    struct pollfd p = { .fd = udp, .events = POLLIN };
    if (udp < 0 || write(udp, buf, UDP_BYTES) != UDP_BYTES || poll(&p, 1, 2000) != 1 ||
        read(udp, buf, sizeof buf) != UDP_BYTES) {
        _exit(14);
    }
    for (uint32_t i = 0; i < UDP_BYTES; i++) {
        if (buf[i] != pattern(i)) {
            _exit(15);
        }
    }
    _exit(0);
}

static int exit_code(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static void check_traffic(const char *a, const char *b, bool ip6)
{
    int ready[2];
    char c;
    ck_assert(!pipe(ready));
    pid_t server = fork();
    if (!server) {
        alarm(TIMEOUT_S);
        enter(1);
        serve(ip6, ready[1]);
    }
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    pid_t client = fork();
    if (!client) {
        alarm(TIMEOUT_S);
        enter(0);
        use(ip6);
    }
    int client_code = exit_code(client);
    if (client_code) {
        kill(server, SIGKILL);
    }
    int server_code = exit_code(server);
    ck_assert_msg(!client_code && !server_code, "%s to %s over %s: client %d, server %d", a, b, ip6 ? "IPv6" : "IPv4",
                  client_code, server_code);
}

START_TEST(traffic_passes)
{
    const char *a = ends[_i / N_ENDS], *b = ends[_i % N_ENDS];
    char arg_a[128], arg_b[128];
    make_end(0, a, arg_a, sizeof arg_a);
    make_end(1, b, arg_b, sizeof arg_b);
    start_forwarder(arg_a, arg_b);
    finish_end(0, a);
    finish_end(1, b);
    check_traffic(a, b, _i & 1);
}
END_TEST

TCase *matrix_tcase(void)
{
    TCase *t = tcase_create("matrix");
    tcase_set_timeout(t, 40);
    tcase_add_unchecked_fixture(t, name_namespaces, remove_namespaces);
    tcase_add_checked_fixture(t, matrix_setup, matrix_teardown);
    tcase_add_loop_test(t, traffic_passes, 0, N_ENDS * N_ENDS);
    return t;
}
