/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the database protocol: the <error> object of RFC 7047 section 3.1.
 *
 * What: a tag that clients match on (one of the strings below), details for people that name table, column
 * and value, and perhaps the piece of JSON that was not understood. NULL is success.
 *
 * Memory: whoever holds the pointer owns it. */
#ifndef DB_ERROR_H
#define DB_ERROR_H

#include <jansson.h>

#include "lib/base/types.h"

struct text;

#define DB_E_SYNTAX "syntax error"
#define DB_E_UNKNOWN_TABLE DB_E_SYNTAX
#define DB_E_UNKNOWN_COLUMN "unknown column"
#define DB_E_UNKNOWN_DATABASE "unknown database"
#define DB_E_CONSTRAINT "constraint violation"
#define DB_E_REFERENCE "referential integrity violation"
#define DB_E_TIMED_OUT "timed out"
#define DB_E_DUPLICATE_NAME "duplicate uuid-name"
#define DB_E_DUPLICATE_UUID "duplicate uuid"
#define DB_E_DOMAIN "domain error"
#define DB_E_RANGE "range error"
#define DB_E_RESOURCES "resources exhausted"
#define DB_E_IO "I/O error"
#define DB_E_ABORTED "aborted"
#define DB_E_NOT_OWNER "not owner"
#define DB_E_NOT_SUPPORTED "not supported"
#define DB_E_NOT_ALLOWED "not allowed"
#define DB_E_PERMISSION "permission error"
#define DB_E_OTHER "ovsdb error"
#define DB_E_UNKNOWN_MONITOR "unknown monitor"
#define DB_E_CANCELED "canceled"

struct db_error {
    const char *tag;   /* One of the constants. */
    char *details;     /* May be NULL. */
    char *syntax;      /* JSON text; may be NULL. */
};

struct db_error *db_error_new(const char *tag, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
/* A syntax error about 'json', of which at most some hundred characters are kept. NULL: no piece. */
struct db_error *db_error_syntax(const json_t *json, const char *format, ...)
    PRINTF_LIKE(2, 3) MUST_CHECK;
/* The same with another tag. */
struct db_error *db_error_about(const char *tag, const json_t *json, const char *format, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;
/* Puts "text: " in front of the details. Takes and gives 'e'. */
struct db_error *db_error_prefix(struct db_error *e, const char *format, ...)
    PRINTF_LIKE(2, 3) MUST_CHECK;
void db_error_free(struct db_error *);   /* NULL is fine. */

json_t *db_error_to_json(const struct db_error *);
/* "tag: details (syntax)" for people. */
void db_error_put_text(const struct db_error *, struct text *);

#endif
