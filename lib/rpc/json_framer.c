/* SPDX-License-Identifier: Apache-2.0 */
/* Finds where JSON documents end. */
#include "lib/rpc/json_framer.h"

size_t json_framer_blanks(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n')) {
        i++;
    }
    return i;
}

/* Looks at one byte; false if it makes the document too deep. */
static bool step(struct json_framer *f, uint8_t c)
{
    if (f->in_string) {
        if (f->escaped) {
            f->escaped = false;
        } else if (c == '\\') {
            f->escaped = true;
        } else if (c == '"') {
            f->in_string = false;
        }
    } else if (c == '"') {
        f->in_string = true;
    } else if (c == '{' || c == '[') {
        return ++f->depth <= JSON_MAX_DEPTH;
    } else if (c == '}' || c == ']') {
        f->depth--;   /* Is at least 1 within a document. */
    }
    return true;
}

enum json_framer_result json_framer_scan(struct json_framer *f, const uint8_t *p, size_t n,
                                         size_t *length, const char **why)
{
    if (!f->scanned && n && *p != '{' && *p != '[') {
        *why = "no JSON object or array begins here";
        return JSON_FRAMER_BAD;
    }
    size_t limit = f->limit ? f->limit : JSON_MAX_DOCUMENT;
    size_t end = MIN(n, limit);
    for (size_t i = f->scanned; i < end; i++) {
        if (!step(f, p[i])) {
            *why = "JSON is nested more than 64 levels deep";
            return JSON_FRAMER_BAD;
        }
        if (!f->depth) {
            *length = i + 1;
            *f = (struct json_framer) { .limit = f->limit };
            return JSON_FRAMER_DONE;
        }
    }
    f->scanned = end;
    if (n >= limit) {
        *why = "a JSON document is longer than is allowed here";
        return JSON_FRAMER_BAD;
    }
    return JSON_FRAMER_MORE;
}
