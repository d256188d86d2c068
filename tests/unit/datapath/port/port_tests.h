/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of ports and tunnels share. */
#ifndef TESTS_UNIT_DATAPATH_PORT_PORT_TESTS_H
#define TESTS_UNIT_DATAPATH_PORT_PORT_TESTS_H

#include <check.h>

#include "datapath/port/port.h"

TCase *common_tcase(void);
TCase *dummy_tcase(void);
TCase *null_tcase(void);
TCase *offload_tcase(void);
TCase *decap_tcase(void);
TCase *merge_tcase(void);
TCase *too_big_tcase(void);

/* A configuration of the given type and name, with options "KEY=VALUE,KEY=VALUE" or NULL. */
struct dp_port_config *make_config(const char *type, const char *name, const char *options);
/* A port that must be created; takes the configuration. 'env' NULL: no loop, dummies allowed. */
struct port *make_port(const struct port_env *env, struct dp_port_config *config, uint32_t number);
/* The text of the error of a port that must not be; caller frees. */
char *make_port_fails(const struct port_env *env, struct dp_port_config *config);
struct port_counters counters_of(const struct port *port);
/* One packet into port_tx(); takes it. */
void send_packet(struct port *port, struct packet_pool *pool, struct packet *p);

#endif
