/* SPDX-License-Identifier: Apache-2.0 */
/* Map from string to string, ordered by key: 'options', 'other_config', 'status' and the like. */
#ifndef LIB_BASE_SMAP_H
#define LIB_BASE_SMAP_H

#include "lib/base/types.h"

struct smap_entry {
    char *key;
    char *value;
};

struct smap {
    struct smap_entry *entries;   /* Sorted by key. */
    size_t n, allocated;
};

#define SMAP_INIT { NULL, 0, 0 }

void smap_init(struct smap *);
void smap_fini(struct smap *);
void smap_clear(struct smap *);
void smap_clone(struct smap *to, const struct smap *from);   /* 'to' is initialised by this. */
/* Adds or replaces; copies both strings. */
void smap_set(struct smap *, const char *key, const char *value);
void smap_set_format(struct smap *, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
bool smap_remove(struct smap *, const char *key);   /* True if it was there. */
const char *smap_get(const struct smap *, const char *key);   /* NULL if absent. */
const char *smap_get_def(const struct smap *, const char *key, const char *def);
/* "true" in any case is true, anything else is false, absence is 'def'. */
bool smap_get_bool(const struct smap *, const char *key, bool def);
/* A decimal or 0x number from 'min' to 'max'; absent or anything else is 'def'. */
int64_t smap_get_int(const struct smap *, const char *key, int64_t def, int64_t min, int64_t max);
bool smap_equal(const struct smap *, const struct smap *);

#define SMAP_FOR_EACH(e, map)                                                                    \
    for ((e) = (map)->entries; (e) < (map)->entries + (map)->n; (e)++)

#endif
