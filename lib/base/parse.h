/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, addresses and names from text, and back.
 *
 * Every parser takes the whole string (leading or trailing rubbish is refused) and returns true if
 * it was understood; '*out' is untouched otherwise. */
#ifndef LIB_BASE_PARSE_H
#define LIB_BASE_PARSE_H

#include <netinet/in.h>

#include "lib/base/types.h"

bool parse_u64(const char *s, uint64_t *out);                  /* Decimal, or hex after 0x. */
bool parse_i64(const char *s, int64_t *out);
/* In [min, max]. */
bool parse_uint(const char *s, uint64_t min, uint64_t max, uint64_t *out);
bool parse_u32(const char *s, uint32_t *out);
bool parse_u16(const char *s, uint16_t *out);
bool parse_u8(const char *s, uint8_t *out);
bool parse_double(const char *s, double *out);
bool parse_bool(const char *s, bool *out);                     /* true, false. */

bool parse_eth_addr(const char *s, struct eth_addr *out);      /* xx:xx:xx:xx:xx:xx */
bool parse_ip4(const char *s, be32 *out);
/* "a.b.c.d", "a.b.c.d/n" or "a.b.c.d/m.m.m.m". */
bool parse_ip4_masked(const char *s, be32 *ip, be32 *mask);
bool parse_ip6(const char *s, struct in6_addr *out);
bool parse_ip6_masked(const char *s, struct in6_addr *ip, struct in6_addr *mask);
/* Either family; IPv4 becomes ::ffff:a.b.c.d. */
bool parse_ip(const char *s, struct in6_addr *out);
/* Hex digits (an even number) to bytes; returns the number of bytes, or SIZE_MAX if it is not
 * hex or longer than 'max' bytes. White space between bytes is skipped. */
size_t parse_hex(const char *s, uint8_t *out, size_t max);

/* Prefix lengths of masks; -1 if the mask is not a prefix. */
int ip4_mask_prefix(be32 mask);
int ip6_mask_prefix(const struct in6_addr *mask);
be32 ip4_prefix_mask(unsigned prefix);
struct in6_addr ip6_prefix_mask(unsigned prefix);

struct text;
/* An address as people write it; v4-mapped ones as IPv4. */
void text_put_ip(struct text *, const struct in6_addr *);
static inline bool ip6_is_v4mapped(const struct in6_addr *a) { return IN6_IS_ADDR_V4MAPPED(a); }
static inline be32 ip6_to_ip4(const struct in6_addr *a) { return a->s6_addr32[3]; }
struct in6_addr ip6_from_ip4(be32 ip4);

/* Edit distance (insert, delete, replace, swap of neighbours), for "did you mean". */
unsigned string_distance(const char *a, const char *b);
/* The name of 'names' (NULL-terminated) nearest to 'word', NULL if none is near. */
const char *string_nearest(const char *word, const char *const *names);

#endif
