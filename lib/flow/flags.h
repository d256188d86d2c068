/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of named bits as text: "syn|ack", "+trk-new". For TCP flags, connection states, tunnel flags. */
#ifndef LIB_FLOW_FLAGS_H
#define LIB_FLOW_FLAGS_H

#include "lib/base/types.h"

struct error;
struct text;

struct flag_names {
    const char *what;            /* "TCP flag", for messages. */
    uint32_t all;                /* Bits that exist. */
    const char *names[32];       /* By bit number. */
};

extern const struct flag_names tcp_flag_names, ct_state_names, tun_flag_names;

/* All of 'value' as "a|b", "0" if it is zero. Bits without a name in hex. */
void flags_format(const struct flag_names *, uint32_t value, struct text *);
/* The bits of 'mask' as "+a-b"; like flags_format() if the mask is all that exist and 'value' is not zero. */
void flags_format_masked(const struct flag_names *, uint32_t value, uint32_t mask, struct text *);
/* A number, a number and a mask ("0x12/0xff"), "a|b" (exact), or "+a-b". */
struct error *flags_parse(const struct flag_names *, const char *s, uint32_t *value, uint32_t *mask);

#endif
