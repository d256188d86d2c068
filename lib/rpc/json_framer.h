/* SPDX-License-Identifier: Apache-2.0 */
/* Finds where a JSON object or array in a stream of bytes ends, in time linear in its length:
 * each byte is looked at once, however the bytes arrive. Whether it is valid JSON is for the
 * parser to say. */
#ifndef LIB_RPC_JSON_FRAMER_H
#define LIB_RPC_JSON_FRAMER_H

#include "lib/base/types.h"

enum { JSON_MAX_DOCUMENT = 64 * 1024 * 1024, JSON_MAX_DEPTH = 64 };

struct json_framer {
    /* Bytes of a document; 0: JSON_MAX_DOCUMENT. Never changed by the framer. */
    size_t limit;
    size_t scanned;          /* Bytes of the present document that were looked at. */
    unsigned depth;
    bool in_string, escaped;
};

enum json_framer_result { JSON_FRAMER_MORE, JSON_FRAMER_DONE, JSON_FRAMER_BAD };

/* How much white space there is before a document. */
size_t json_framer_blanks(const uint8_t *p, size_t n);
/* Looks at the bytes 'p' to 'p + n', of which 'scanned' were seen before. DONE: the document is
 * the first '*length' bytes, and the framer is ready for the next. BAD: '*why' says what is
 * wrong. */
enum json_framer_result json_framer_scan(struct json_framer *, const uint8_t *p, size_t n,
                                         size_t *length, const char **why);

#endif
