/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/flow share. */
#ifndef TESTS_UNIT_LIB_FLOW_FLOW_TESTS_H
#define TESTS_UNIT_LIB_FLOW_FLOW_TESTS_H

#include <check.h>

#include "lib/flow/key.h"
#include "lib/packet/packet.h"

TCase *extract_tcase(void);
TCase *key_tcase(void);
TCase *key_text_tcase(void);
TCase *fields_tcase(void);
TCase *match_tcase(void);
TCase *action_tcase(void);
TCase *compose_tcase(void);

/* A frame that the parser must understand in just one way. */
struct sample {
    const char *sentence;
    const char *hex;
    const char *key;             /* Layers 2 to 4 in the syntax of ovs-dpctl(8). */
    uint16_t l2_type_ofs, l3_ofs, l4_ofs, payload_ofs;
};
extern const struct sample samples[];
extern const size_t n_samples;
const struct sample *sample_called(const char *sentence);

/* A heap packet of the bytes in 'hex'. */
struct packet *packet_from_hex(const char *hex);
/* Layers 2 to 4 of 'key', all of them, as text; lives until the next call. */
const char *key_as_text(const struct key *key);

#endif
