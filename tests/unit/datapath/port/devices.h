/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests with real devices share: commands, raw sockets, namespaces. They need root. */
#ifndef TESTS_UNIT_DATAPATH_PORT_DEVICES_H
#define TESTS_UNIT_DATAPATH_PORT_DEVICES_H

#include <check.h>

#include "tests/unit/datapath/port/port_tests.h"

/* Each of one port at a time that receives. */
TCase *system_tcase(void);
TCase *tap_tcase(void);
TCase *vxlan_tcase(void);
TCase *matrix_tcase(void);

/* Runs a command that must succeed; 'run_quietly' one that may fail, its exit status. */
void run(const char *format, ...) PRINTF_LIKE(1, 2);
int run_quietly(const char *format, ...) PRINTF_LIKE(1, 2);

/* A fresh network namespace for this process, with lo up; a loop, an environment for ports and a pool. */
extern struct port_env device_env;
extern struct packet_pool *device_pool;
extern unsigned n_changed;                 /* Calls of port_env.changed. */
void devices_setup(void);
void devices_teardown(void);
void destroy_port(struct port *);          /* And waits until its descriptors are closed. */

/* Runs the loop until the port's state says (attached, in the given way); fails after 2 s. */
void wait_attached(struct port *, bool attached);
/* Receives one packet within 2 s; NULL if none comes ('ms' 0: at once). */
struct packet *receive_packet(struct port *, int ms);

/* A packet socket on the other side: frames with a virtio-net header in front. */
int raw_open(const char *device);
void raw_send(int fd, const void *vnet, const void *frame, size_t n);
/* The next frame whose Ethertype is 'type' (0: any), without the header that is put into 'vnet'; its length, 0 if
 * none comes within 'ms'. */
size_t raw_receive(int fd, uint16_t type, void *vnet, void *frame, size_t max, int ms);

#endif
