/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the packet engine share: test cases, and a rig of a datapath with dummy ports and its client. */
#ifndef TESTS_UNIT_DATAPATH_ENGINE_ENGINE_TESTS_H
#define TESTS_UNIT_DATAPATH_ENGINE_ENGINE_TESTS_H

#include <check.h>

#include "datapath/client.h"
#include "datapath/server.h"

TCase *wire_tcase(void);
TCase *lookup_tcase(void);
TCase *set_tcase(void);
TCase *execute_tcase(void);
TCase *pending_tcase(void);
TCase *engine_tcase(void);
TCase *peer_tcase(void);
TCase *restart_tcase(void);
TCase *stress_tcase(void);

enum { RIG_PORTS = 3 };

/* Ports "p1" ... of numbers 1 up, joined by a client over a socketpair. */
struct rig {
    struct datapath *dp;
    struct dp_client *c;
    uint32_t port[RIG_PORTS + 1];    /* [1] is the number of "p1". */
};

void must(struct error *);                       /* Fails the test with the error's text. */
void rig_start(struct rig *, const struct datapath_options *);
void rig_connect(struct rig *);                  /* A client, when there is none. */
void rig_disconnect(struct rig *);
void rig_stop(struct rig *);

/* A UDP frame of 'payload' bytes whose last address byte and ports are told by 'flow'. Returns its length. */
size_t make_frame(uint8_t *to, uint32_t flow, size_t payload);
/* Feeds it into port number 'port'. */
void rig_feed(struct rig *, unsigned port, uint32_t flow, size_t payload);
/* All upcalls that are there. */
size_t rig_upcalls(struct rig *, struct dp_upcall *, size_t max);
uint64_t rig_sent(struct rig *, unsigned port);  /* Packets that left by it. */
struct dp_stats rig_stats(struct rig *);
/* received + made == sent + dropped + consumed + waiting (MECHANISMS 9). */
void rig_check_balance(struct rig *);
/* The mask that tells flows of make_frame() apart: guard bits and UDP source port. */
void flow_mask_exact(struct mask *);
/* Installs flow 'id' for the key: output to port number 'port', 0: a drop. */
void rig_put(struct rig *, uint64_t id, const struct key *, unsigned port);

#endif
