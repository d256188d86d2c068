/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the keys of map columns against spec/keys.toml. */
#include "spec/keys.h"

#include <stdlib.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/smap.h"
#include "lib/base/text.h"
#include "vswitchd/snapshot.h"

/* Is 'word' one of the words, separated by commas? */
static bool is_one_of(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (!strncmp(p, word, n) && (p[n] == ',' || !p[n])) {
            return true;
        }
    }
    return false;
}

static bool is_in(const struct key_spec *k, const char *table, const char *column)
{
    return !strcmp(k->table, table) && !strcmp(k->column, column);
}

static const struct key_spec *find(const char *table, const char *column, const char *name)
{
    for (unsigned i = 0; i < n_key_specs; i++) {
        if (is_in(&key_specs[i], table, column) && !strcmp(key_specs[i].name, name)) {
            return &key_specs[i];
        }
    }
    return NULL;
}

static bool value_is_good(const struct key_spec *k, const char *value)
{
    int64_t n;
    struct in6_addr ip;
    switch (k->type) {
    case KEY_BOOL:
        return !strcasecmp(value, "true") || !strcasecmp(value, "false");
    case KEY_INT:
        return parse_i64(value, &n) && n >= k->min && n <= k->max;
    case KEY_IP:
        return parse_ip(value, &ip);
    case KEY_ENUM:
        return is_one_of(k->values, value);
    case KEY_STRING:
        break;
    }
    return true;
}

static void say_bad_value(struct text *text, const struct key_spec *k, const char *value)
{
    text_printf(text, "%s:%s=\"%s\": ", k->column, k->name, value);
    switch (k->type) {
    case KEY_BOOL:
        text_put(text, "true or false");
        break;
    case KEY_INT:
        text_printf(text, "a number from %lld to %lld", (long long) k->min, (long long) k->max);
        break;
    case KEY_IP:
        text_put(text, "an IP address");
        break;
    case KEY_ENUM:
        text_printf(text, "one of %s", k->values);
        break;
    case KEY_STRING:
        break;
    }
    text_put(text, " is wanted");
    if (k->def) {
        text_printf(text, "; using %s", k->def);
    }
}

static void say_unknown(struct text *text, const char *table, const char *column, const char *type, const char *key)
{
    const char **names = xcalloc(n_key_specs + 1, sizeof *names);
    size_t n = 0;
    for (unsigned i = 0; i < n_key_specs; i++) {
        const struct key_spec *k = &key_specs[i];
        if (is_in(k, table, column) && (!k->of || !type || is_one_of(k->of, type))) {
            names[n++] = k->name;
        }
    }
    const char *near = string_nearest(key, names);
    text_printf(text, "%s:%s is not known", column, key);
    if (type) {
        text_printf(text, " for type \"%s\"", type);
    }
    if (near) {
        text_printf(text, ", did you mean \"%s\"?", near);
    }
    free(names);
}

void keys_check(const char *table, const char *column, const char *type, const struct smap *map, char **warning)
{
    struct text text = TEXT_INIT;
    const struct smap_entry *e;
    SMAP_FOR_EACH (e, map) {
        const struct key_spec *k = find(table, column, e->key);
        bool known = k && (!k->of || !type || is_one_of(k->of, type));
        if (known && value_is_good(k, e->value)) {
            continue;
        }
        if (text.len || *warning) {
            text_put(&text, "; ");
        }
        if (known) {
            say_bad_value(&text, k, e->value);
        } else {
            say_unknown(&text, table, column, type, e->key);
        }
    }
    if (text.len) {
        char *both = xasprintf("%s%s", *warning ? *warning : "", text_str(&text));
        free(*warning);
        *warning = both;
    }
    text_fini(&text);
}

const char *keys_string(const char *table, const char *column, const struct smap *map, const char *name)
{
    const struct key_spec *k = find(table, column, name);
    const char *value = smap_get(map, name);
    return value && value_is_good(k, value) ? value : k->def;
}

bool keys_bool(const char *table, const char *column, const struct smap *map, const char *name)
{
    const char *value = keys_string(table, column, map, name);
    return value && !strcasecmp(value, "true");
}

int64_t keys_int(const char *table, const char *column, const struct smap *map, const char *name)
{
    int64_t n = 0;
    const char *value = keys_string(table, column, map, name);
    if (value) {
        parse_i64(value, &n);
    }
    return n;
}
