/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the database protocol. */
#include "db/error.h"

#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"

enum { MAX_SYNTAX = 400 };

static struct db_error *make(const char *tag, const json_t *json, const char *format, va_list args)
{
    struct db_error *e = xzalloc(sizeof *e);
    e->tag = tag;
    e->details = xvasprintf(format, args);
    if (json) {
        char *s = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        if (s) {
            if (strlen(s) > MAX_SYNTAX) {
                strcpy(s + MAX_SYNTAX - 3, "...");
            }
            e->syntax = xstrdup(s);
            free(s);
        }
    }
    return e;
}

struct db_error *db_error_new(const char *tag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct db_error *e = make(tag, NULL, format, args);
    va_end(args);
    return e;
}

struct db_error *db_error_syntax(const json_t *json, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct db_error *e = make(DB_E_SYNTAX, json, format, args);
    va_end(args);
    return e;
}

struct db_error *db_error_about(const char *tag, const json_t *json, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct db_error *e = make(tag, json, format, args);
    va_end(args);
    return e;
}

struct db_error *db_error_prefix(struct db_error *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *prefix = xvasprintf(format, args);
    va_end(args);
    char *details = xasprintf("%s: %s", prefix, e->details);
    free(prefix);
    free(e->details);
    e->details = details;
    return e;
}

void db_error_free(struct db_error *e)
{
    if (e) {
        free(e->details);
        free(e->syntax);
        free(e);
    }
}

/* A JSON string of text that may have been cut inside a character. */
static json_t *string_of(const char *s)
{
    json_t *j = json_string(s);
    return j ? j : json_string("(not printable)");
}

json_t *db_error_to_json(const struct db_error *e)
{
    json_t *j = json_pack("{s:s}", "error", e->tag);
    if (e->details) {
        json_object_set_new(j, "details", string_of(e->details));
    }
    if (e->syntax) {
        json_object_set_new(j, "syntax", string_of(e->syntax));
    }
    return j;
}

void db_error_put_text(const struct db_error *e, struct text *t)
{
    text_put(t, e->tag);
    if (e->details) {
        text_printf(t, ": %s", e->details);
    }
    if (e->syntax) {
        text_printf(t, " (in %s)", e->syntax);
    }
}
