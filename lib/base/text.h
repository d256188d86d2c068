/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string, always terminated by a NUL byte. Initialise with TEXT_INIT or text_init(). */
#ifndef LIB_BASE_TEXT_H
#define LIB_BASE_TEXT_H

#include <stdarg.h>

#include "lib/base/types.h"

struct text {
    char *s;          /* NULL until something was put. Use text_str() to read. */
    size_t len;
    size_t allocated;
};

#define TEXT_INIT { NULL, 0, 0 }

void text_init(struct text *);
void text_fini(struct text *);
void text_clear(struct text *);
/* The string, valid until the next change; never NULL. */
const char *text_str(const struct text *);
/* Gives the string to the caller, who frees it; the text is empty then. */
char *text_steal(struct text *);

void text_put(struct text *, const char *s);
void text_put_n(struct text *, const void *s, size_t n);
void text_put_char(struct text *, char c);
void text_printf(struct text *, const char *format, ...) PRINTF_LIKE(2, 3);
void text_vprintf(struct text *, const char *format, va_list args) PRINTF_LIKE(2, 0);
/* Bytes as lower-case hex without separators. */
void text_put_hex(struct text *, const void *bytes, size_t n);
/* A classic dump: offset, 16 bytes in hex, printable characters. */
void text_put_hex_dump(struct text *, const void *bytes, size_t n);
void text_truncate(struct text *, size_t len);
/* Removes 'c' from the end once, if it is there. */
void text_chomp(struct text *, char c);
bool text_ends_with(const struct text *, const char *suffix);

#endif
