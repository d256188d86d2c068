/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the tests with real devices. */
#include "tests/unit/datapath/port/devices.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "datapath/port/kernel.h"
#include "lib/base/alloc.h"
#include "lib/packet/vnet.h"
#include "lib/sys/clock.h"
#include "lib/sys/rcu.h"

static struct packet_batch waiting;   /* Received and not yet asked for. */
struct port_env device_env;
struct packet_pool *device_pool;
unsigned n_changed;

static int run_va(const char *format, va_list args)
{
    char *command = xvasprintf(format, args);
    int status = system(command);
    free(command);
    return status;
}

void run(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int status = run_va(format, args);
    va_end(args);
    ck_assert_msg(!status, "\"%s\" failed", format);
}

int run_quietly(const char *format, ...)
{
    va_list args;
    char *quiet = xasprintf("{ %s ; } >/dev/null 2>&1", format);
    va_start(args, format);
    int status = run_va(quiet, args);
    va_end(args);
    free(quiet);
    return status;
}

static void note_changed(struct port *port, void *arg)
{
    n_changed++;
}

void devices_setup(void)
{
    rcu_register_thread();
    ck_assert_msg(!unshare(CLONE_NEWNET), "no network namespace");
    run("ip link set lo up");
    device_env = (struct port_env) { .loop = loop_create("test"), .changed = note_changed, .enable_system = true };
    device_pool = packet_pool_create(1024, 128);
    n_changed = 0;
}

void devices_teardown(void)
{
    packet_batch_free(&waiting);
    port_release_buffers();
    packet_pool_destroy(device_pool);
    loop_destroy(device_env.loop);
    rcu_unregister_thread();
}

void destroy_port(struct port *port)
{
    packet_batch_free(&waiting);
    port_destroy(port);
    rcu_barrier();
}

void wait_attached(struct port *port, bool attached)
{
    struct dp_port_state state;
    int64_t end = clock_ms() + 2000;
    for (;;) {
        port_get_state(port, &state);
        if (state.attached == attached) {
            return;
        }
        ck_assert_msg(clock_ms() < end, "attached is %d: %s", state.attached, state.error);
        loop_run_once(device_env.loop, 20);
    }
}

struct packet *receive_packet(struct port *port, int ms)
{
    int64_t end = clock_ms() + ms;
    for (;;) {
        if (!waiting.n) {
            port_rx(port, device_pool, &waiting);
        }
        if (waiting.n) {
            struct packet *p = waiting.p[0];
            memmove(&waiting.p[0], &waiting.p[1], --waiting.n * sizeof p);
            return p;
        }
        if (clock_ms() >= end) {
            return NULL;
        }
        usleep(1000);
    }
}

int raw_open(const char *device)
{
    int on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    struct sockaddr_ll local = { .sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_ALL),
                                 .sll_ifindex = if_nametoindex(device) };
    ck_assert_int_ge(fd, 0);
    ck_assert(!setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on));
    ck_assert(!setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on));
    ck_assert(!bind(fd, (struct sockaddr *) &local, sizeof local));
    return fd;
}

void raw_send(int fd, const void *vnet, const void *frame, size_t n)
{
    static const struct vnet_header none;
    struct iovec iov[] = { { (void *) (vnet ? vnet : &none), VNET_HEADER_LEN }, { (void *) frame, n } };
    ck_assert_int_eq(writev(fd, iov, 2), (ssize_t) n + VNET_HEADER_LEN);
}

size_t raw_receive(int fd, uint16_t type, void *vnet, void *frame, size_t max, int ms)
{
    struct vnet_header header;
    int64_t end = clock_ms() + ms;
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int left = end - clock_ms();
        if (poll(&p, 1, MAX(left, 0)) != 1) {
            return 0;
        }
        struct iovec iov[] = { { vnet ? vnet : &header, VNET_HEADER_LEN }, { frame, max } };
        ssize_t n = readv(fd, iov, 2) - VNET_HEADER_LEN;
        ck_assert_int_gt(n, 0);
        if (!type || get_be16((uint8_t *) frame + 12) == type) {
            return n;
        }
    }
}
