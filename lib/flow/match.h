/* SPDX-License-Identifier: Apache-2.0 */
/* A match: values and masks of fields, as rules and statistics requests have it; its text; its small form. */
#ifndef LIB_FLOW_MATCH_H
#define LIB_FLOW_MATCH_H

#include "lib/base/types.h"
#include "lib/flow/fields.h"

struct match {
    struct fields value;     /* Zero where the mask is. */
    struct fields mask;
};

void match_init_any(struct match *);
void match_set(struct match *, const struct field *, const union field_value *, const union field_value *mask);
bool match_equal(const struct match *, const struct match *);
bool match_is_any(const struct match *);
uint32_t match_hash(const struct match *, uint32_t basis);
/* Does a packet with 'f' match? */
bool match_covers_fields(const struct match *, const struct fields *f);
/* Is every packet of 'b' in 'a' too (loose modify and delete)? */
bool match_covers(const struct match *a, const struct match *b);
/* Can a packet match both (CHECK_OVERLAP)? */
bool match_overlaps(const struct match *a, const struct match *b);
/* Clears value and mask bits of fields whose prerequisites fail (OpenFlow 1.0 leniency); true if any was. */
bool match_normalise(struct match *);

/* "tcp,nw_dst=10.0.0.1,tp_dst=80", as ovs-ofctl prints it (short forms for protocols; fields in its order).
 * Nothing for a match of everything. */
void match_format(const struct match *, const struct port_names *, struct text *);
/* Parses a list of "field=value" and protocol words. Words that are no field are an error that names the nearest. */
struct error *match_parse(const char *s, const struct port_names *, struct match *);
/* As match_parse() for one "name[=value]" word. '*used' is false if it is not a field or protocol name at all. */
struct error *match_parse_word(const char *name, const char *value, const struct port_names *, struct match *,
                               bool *used);

/* Small, immutable form: only the words with set mask bits. Rules hold these. */
struct minimatch {
    uint64_t map[2];         /* Bit N: word N of 'struct fields' is there. */
    uint32_t n_words;
    uint64_t *words;         /* n_words values, then n_words masks. */
};
void minimatch_init(struct minimatch *, const struct match *);
void minimatch_fini(struct minimatch *);
void minimatch_expand(const struct minimatch *, struct match *);
bool minimatch_equal(const struct minimatch *, const struct minimatch *);
bool minimatch_covers_fields(const struct minimatch *, const struct fields *);

#endif
