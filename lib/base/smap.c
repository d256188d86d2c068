/* SPDX-License-Identifier: Apache-2.0 */
/* Map from string to string: a sorted array. */
#include "lib/base/smap.h"

#include <stdlib.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"

/* Where 'key' is, or would have to be inserted. */
static size_t position(const struct smap *m, const char *key, bool *found)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = strcmp(m->entries[middle].key, key);
        if (!c) {
            *found = true;
            return middle;
        }
        if (c < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = false;
    return low;
}

static void set_take(struct smap *m, const char *key, char *value)
{
    bool found;
    size_t i = position(m, key, &found);
    if (found) {
        free(m->entries[i].value);
        m->entries[i].value = value;
        return;
    }
    char *own_key = xstrdup(key);
    if (m->n == m->allocated) {
        m->entries = xgrow(m->entries, &m->allocated, sizeof *m->entries);
    }
    memmove(&m->entries[i + 1], &m->entries[i], (m->n - i) * sizeof *m->entries);
    m->entries[i] = (struct smap_entry) { own_key, value };
    m->n++;
}

void smap_init(struct smap *m)
{
    *m = (struct smap) SMAP_INIT;
}

void smap_fini(struct smap *m)
{
    smap_clear(m);
    free(m->entries);
    smap_init(m);
}

void smap_clear(struct smap *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->entries[i].key);
        free(m->entries[i].value);
    }
    m->n = 0;
}

void smap_clone(struct smap *to, const struct smap *from)
{
    smap_init(to);
    if (from->n) {
        to->entries = xcalloc(from->n, sizeof *to->entries);
        to->n = to->allocated = from->n;
        for (size_t i = 0; i < from->n; i++) {
            to->entries[i].key = xstrdup(from->entries[i].key);
            to->entries[i].value = xstrdup(from->entries[i].value);
        }
    }
}

void smap_set(struct smap *m, const char *key, const char *value)
{
    set_take(m, key, xstrdup(value));
}

void smap_set_format(struct smap *m, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_take(m, key, xvasprintf(format, args));
    va_end(args);
}

bool smap_remove(struct smap *m, const char *key)
{
    bool found;
    size_t i = position(m, key, &found);
    if (found) {
        free(m->entries[i].key);
        free(m->entries[i].value);
        m->n--;
        memmove(&m->entries[i], &m->entries[i + 1], (m->n - i) * sizeof *m->entries);
    }
    return found;
}

const char *smap_get(const struct smap *m, const char *key)
{
    return smap_get_def(m, key, NULL);
}

const char *smap_get_def(const struct smap *m, const char *key, const char *def)
{
    bool found;
    size_t i = position(m, key, &found);
    return found ? m->entries[i].value : def;
}

bool smap_get_bool(const struct smap *m, const char *key, bool def)
{
    const char *value = smap_get(m, key);
    return value ? !strcasecmp(value, "true") : def;
}

int64_t smap_get_int(const struct smap *m, const char *key, int64_t def, int64_t min, int64_t max)
{
    const char *value = smap_get(m, key);
    int64_t x;
    return value && parse_i64(value, &x) && x >= min && x <= max ? x : def;
}

bool smap_equal(const struct smap *a, const struct smap *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->entries[i].key, b->entries[i].key)
            || strcmp(a->entries[i].value, b->entries[i].value)) {
            return false;
        }
    }
    return true;
}
