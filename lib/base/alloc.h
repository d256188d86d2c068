/* SPDX-License-Identifier: Apache-2.0 */
/* Memory allocation that does not fail silently: when memory is exhausted the process says so and
 * aborts. For memory whose size a peer chooses, check the bound first and then allocate. */
#ifndef LIB_BASE_ALLOC_H
#define LIB_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/base/types.h"

void *xmalloc(size_t size) __attribute__((malloc));
void *xzalloc(size_t size) __attribute__((malloc));
void *xcalloc(size_t n, size_t size) __attribute__((malloc));
void *xrealloc(void *p, size_t size);
/* Grows array 'p' of elements of 'size' bytes to at least twice '*allocated' elements (or 4). */
void *xgrow(void *p, size_t *allocated, size_t size);
void *xmemdup(const void *p, size_t size);
char *xstrdup(const char *s);
char *xstrdup_or_null(const char *s);
char *xstrndup(const char *s, size_t max);
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *format, va_list args) PRINTF_LIKE(1, 0);
/* Zeroed memory that begins at a multiple of CACHE_LINE; release it with free(). */
void *xzalloc_aligned(size_t size);

#endif
