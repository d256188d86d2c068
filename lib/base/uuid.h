/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs (RFC 9562), random ones of version 4. */
#ifndef LIB_BASE_UUID_H
#define LIB_BASE_UUID_H

#include "lib/base/types.h"

struct uuid {
    uint32_t parts[4];   /* Host order, most significant first. */
};

#define UUID_LEN 36
#define UUID_FMT "%08x-%04x-%04x-%04x-%04x%08x"
#define UUID_ARGS(u) (u)->parts[0], (u)->parts[1] >> 16, (u)->parts[1] & 0xffff,                 \
                     (u)->parts[2] >> 16, (u)->parts[2] & 0xffff, (u)->parts[3]

struct uuid uuid_random(void);
bool uuid_parse(const char *s, struct uuid *);               /* Exactly UUID_LEN characters. */
int uuid_compare(const struct uuid *, const struct uuid *);  /* Order of the text forms. */
static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return !memcmp(a, b, sizeof *a);
}
static inline uint32_t uuid_hash(const struct uuid *u) { return u->parts[3] ^ u->parts[0]; }
static inline bool uuid_is_zero(const struct uuid *u)
{
    return !(u->parts[0] | u->parts[1] | u->parts[2] | u->parts[3]);
}

#endif
