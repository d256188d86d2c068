/* SPDX-License-Identifier: Apache-2.0 */
/* Packets from keys: what a packet with these fields would look like. For packet-out by fields, traces of text,
 * tests, and netdev-dummy/receive. */
#ifndef LIB_FLOW_COMPOSE_H
#define LIB_FLOW_COMPOSE_H

#include "lib/flow/key.h"

struct packet;

/* A packet of heap memory whose key_extract() yields 'key' again (as far as a packet can), lengths and checksums
 * right, 'payload_len' bytes of payload. */
struct packet *packet_compose(const struct key *, size_t payload_len);

#endif
